//! Address books: any text is cards or none, and what is kept of them is the same cards.

#![no_main]

use libfuzzer_sys::fuzz_target;
use transom::operations::cards;

fuzz_target!(|text: &str| {
    let read = cards::read(text);
    assert_eq!(cards::read(&cards::essence(text)), read, "the essence is the same");
});

//! Phone numbers as people type and providers write them, and texts cut into segments.

#![no_main]

use libfuzzer_sys::fuzz_target;
use transom_sms::{Country, Number, Segments, cut, normalise, read_typed};

fuzz_target!(|text: &str| {
    for home in ["US", "DE", "CH"] {
        let home: Country = home.parse().expect("a country");
        if let Some(number) = Number::parse(text, home) {
            let address = number.to_address();
            assert_eq!(
                Number::parse(address.as_str(), home),
                Some(number),
                "an address is its own spelling"
            );
        }
        Number::received(text, home).to_address();
        read_typed(text, home);
    }
    normalise(text);
    let (_, parts) = cut(text);
    assert_eq!(parts.concat(), text, "nothing is lost between the parts");
    assert!(usize::from(Segments::of(text).count) >= parts.len().min(1));
});

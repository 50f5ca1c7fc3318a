//! What servers anywhere answer when the servers of a mail address are looked for.

#![no_main]

use libfuzzer_sys::fuzz_target;

fuzz_target!(|data: &[u8]| transom_email::measure::discovery(data));

//! Answers that anybody may send in a name server's stead.

#![no_main]

use libfuzzer_sys::fuzz_target;
use transom_email::measure;

fuzz_target!(|data: &[u8]| measure::dns(data));

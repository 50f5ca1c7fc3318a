//! Names and contents of gammu-smsd's files.

#![no_main]

use libfuzzer_sys::fuzz_target;
use transom_sms::provider::gammu::{OutName, read_backup};

fuzz_target!(|data: &[u8]| {
    read_backup(data);
    let text = String::from_utf8_lossy(data);
    if let Ok(name) = text.parse::<OutName>() {
        assert_eq!(name.to_string(), text);
    }
});

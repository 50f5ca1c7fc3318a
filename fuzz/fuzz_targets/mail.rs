//! Mails that anybody may have sent, bounces among them.

#![no_main]

use libfuzzer_sys::fuzz_target;
use transom_email::measure;

fuzz_target!(|data: &[u8]| {
    measure::class(data);
    measure::read(data);
    measure::bounce(data);
    measure::is_report_at_bounce_address(data);
    let text = String::from_utf8_lossy(data);
    assert!(
        text.starts_with(measure::cut_reply(&text).trim_end()),
        "an answer is cut at its end alone"
    );
});

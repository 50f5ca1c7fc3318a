//! What providers tell us, after the signature or token was right.

#![no_main]

use http::Method;
use libfuzzer_sys::fuzz_target;
use transom_sms::provider::{bandwidth, kannel, plivo, sinch, telnyx, twilio, vonage};

fuzz_target!(|data: &[u8]| {
    let home = "US".parse().expect("a country");
    let text = String::from_utf8_lossy(data);
    let (query, body) = text.split_once('\n').unwrap_or(("", &text));
    twilio::events(&Method::GET, query, b"", home).ok();
    twilio::events(&Method::POST, query, body.as_bytes(), home).ok();
    twilio::events(&Method::POST, "", data, home).ok();
    telnyx::events(query, body.as_bytes(), home).ok();
    bandwidth::events(body.as_bytes(), home).ok();
    sinch::events(body.as_bytes(), home).ok();
    for method in [Method::GET, Method::POST] {
        plivo::events(&method, query, body.as_bytes(), home).ok();
        vonage::events(&method, query, body.as_bytes(), home).ok();
    }
    kannel::events(query, home).ok();
    kannel::events(&text, home).ok();
});

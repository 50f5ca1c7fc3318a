//! What comes with text messages.

use bytes::BytesMut;
use http::Method;
use transom_smpp::{Deliver, FRAME_BYTES_MAX, Frame, TLVS_MAX, Tlv, message_id, tag};
use transom_sms::{
    Country, Number, Segments, cut, normalise,
    provider::{
        android, bandwidth,
        gammu::{OutName, read_backup},
        httpsms, jasmin, kannel, plivo, sinch,
        smpp::receipt,
        telnyx, templated, twilio, vonage,
    },
    read_typed,
};

/// What providers tell us, after the signature or token was right.
pub fn webhooks(data: &[u8]) {
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
    jasmin::events(query, body.as_bytes(), home).ok();
    jasmin::events("", data, home).ok();
    android::events(data, &["+12025550100".to_owned()], home).ok();
    httpsms::events(data, home).ok();
    let at = |pointer: &str| Some(pointer.to_owned());
    let mapping = templated::Mapping {
        items: text.starts_with(' ').then(|| "/0".to_owned()),
        from: at("/a"),
        to: at("/b"),
        text: at("/c"),
        id: at("/d"),
        ..templated::Mapping::default()
    };
    mapping.events(query, body.as_bytes(), home).ok();
    mapping.events("", data, home).ok();
}

/// Names and contents of gammu-smsd's files: a name that is read is written so.
pub fn gammu(data: &[u8]) {
    read_backup(data);
    let text = String::from_utf8_lossy(data);
    if let Ok(name) = text.parse::<OutName>() {
        assert_eq!(name.to_string(), text);
    }
}

/// Phone numbers as people type and providers write them, and texts cut into segments.
pub fn number(data: &[u8]) {
    let text = String::from_utf8_lossy(data);
    for home in ["US", "DE", "CH"] {
        let home: Country = home.parse().expect("a country");
        if let Some(number) = Number::parse(&text, home) {
            let address = number.to_address();
            assert_eq!(
                Number::parse(address.as_str(), home),
                Some(number),
                "an address is its own spelling"
            );
        }
        Number::received(&text, home).to_address();
        read_typed(&text, home);
    }
    normalise(&text);
    let (_, parts) = cut(&text);
    assert_eq!(parts.concat(), text, "nothing is lost between the parts");
    assert!(usize::from(Segments::of(&text).count) >= parts.len().min(1));
}

/// What an SMSC sends: PDUs, however they are cut, and the bodies that are read.
pub fn smpp_pdu(data: &[u8]) {
    let mut read = BytesMut::from(data);
    while let Ok(Some(frame)) = Frame::take(&mut read) {
        assert!(frame.body.len() < FRAME_BYTES_MAX);
        for deliver in [Deliver::read(&frame.body), Deliver::read_data(&frame.body)] {
            assert!(deliver.is_none_or(|deliver| deliver.tlvs.len() <= TLVS_MAX));
        }
        message_id(&frame.body);
    }
}

/// A delivery receipt of an SMSC, in words and in parameters.
pub fn delivery_receipt(data: &[u8]) {
    let (esm_class, rest) = data.split_first().unwrap_or((&4, data));
    let (id, text) = rest.split_at(rest.len().min(8));
    let tlv = |tag, value: &[u8]| Tlv {
        tag,
        value: value.to_vec().into(),
    };
    for tlvs in [
        Vec::new(),
        vec![
            tlv(tag::RECEIPTED_MESSAGE_ID, id),
            tlv(tag::MESSAGE_STATE, id),
        ],
    ] {
        let deliver = Deliver {
            esm_class: *esm_class,
            text: text.to_vec().into(),
            tlvs,
            ..Deliver::default()
        };
        let read = receipt(&deliver);
        assert!(read.is_none_or(|receipt| !receipt.id.is_empty()));
    }
}

//! A delivery receipt of an SMSC, in words and in parameters.

#![no_main]

use libfuzzer_sys::fuzz_target;
use transom_sms::provider::smpp::receipt;
use transom_smpp::{Deliver, Tlv, tag};

fuzz_target!(|data: &[u8]| {
    let (esm_class, rest) = data.split_first().unwrap_or((&4, data));
    let (id, text) = rest.split_at(rest.len().min(8));
    let tlv = |tag, value: &[u8]| Tlv {
        tag,
        value: value.to_vec().into(),
    };
    for tlvs in [
        Vec::new(),
        vec![tlv(tag::RECEIPTED_MESSAGE_ID, id), tlv(tag::MESSAGE_STATE, id)],
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
});

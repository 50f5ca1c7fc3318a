//! What an SMSC sends: PDUs, however they are cut, and the bodies that are read.

#![no_main]

use bytes::BytesMut;
use libfuzzer_sys::fuzz_target;
use transom_smpp::{Deliver, FRAME_BYTES_MAX, Frame, TLVS_MAX, message_id};

fuzz_target!(|data: &[u8]| {
    let mut read = BytesMut::from(data);
    while let Ok(Some(frame)) = Frame::take(&mut read) {
        assert!(frame.body.len() < FRAME_BYTES_MAX);
        for deliver in [Deliver::read(&frame.body), Deliver::read_data(&frame.body)] {
            assert!(deliver.is_none_or(|deliver| deliver.tlvs.len() <= TLVS_MAX));
        }
        message_id(&frame.body);
    }
});

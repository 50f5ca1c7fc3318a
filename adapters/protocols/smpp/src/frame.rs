//! PDUs on the wire: a header of 16 octets and a body. SMPP 3.4 §3.2, 5.0 §3.1

use bytes::{Buf, BufMut, Bytes, BytesMut};

/// One PDU; the body is read by whoever knows its kind.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Frame {
    /// What it is: see [`command`].
    pub command: u32,
    /// `command_status`: 0 in requests and in good answers.
    pub status: u32,
    /// What an answer and its request have in common.
    pub sequence: u32,
    /// What follows the header.
    pub body: Bytes,
}

/// `command_id`. 3.4 §5.1.2.1
pub mod command {
    /// Set in every answer.
    pub const RESPONSE: u32 = 0x8000_0000;
    /// The answer to what was not understood.
    pub const GENERIC_NACK: u32 = 0x8000_0000;
    /// Login for receiving.
    pub const BIND_RECEIVER: u32 = 0x01;
    /// Login for sending.
    pub const BIND_TRANSMITTER: u32 = 0x02;
    /// Sends a message.
    pub const SUBMIT_SM: u32 = 0x04;
    /// Brings a message or a receipt.
    pub const DELIVER_SM: u32 = 0x05;
    /// Ends the session.
    pub const UNBIND: u32 = 0x06;
    /// Login for both.
    pub const BIND_TRANSCEIVER: u32 = 0x09;
    /// Asks whether the other side is there.
    pub const ENQUIRE_LINK: u32 = 0x15;
    /// A phone can be reached again; needs no answer.
    pub const ALERT_NOTIFICATION: u32 = 0x102;
    /// Brings or sends a message, with its text in a TLV alone.
    pub const DATA_SM: u32 = 0x103;
    /// The SMSC asks us to log in; only on connections that it opened.
    pub const OUTBIND: u32 = 0x0b;
}

/// Longer PDUs end the session: a `message_payload` has 65,535 octets at most.
pub const FRAME_BYTES_MAX: usize = 70_000;
const HEADER_BYTES: usize = 16;

/// What is no PDU; nothing behind it can be read.
#[derive(Clone, Copy, PartialEq, Eq, Debug, thiserror::Error)]
#[error("a PDU cannot have {0} octets")]
pub struct BadLength(pub u32);

impl Frame {
    /// A request, or a good answer.
    pub fn new(command: u32, sequence: u32, body: impl Into<Bytes>) -> Self {
        let (status, body) = (0, body.into());
        Self {
            command,
            status,
            sequence,
            body,
        }
    }

    /// The answer to this request.
    #[must_use]
    pub fn answer(&self, status: u32, body: &'static [u8]) -> Self {
        Self {
            command: self.command | command::RESPONSE,
            status,
            sequence: self.sequence,
            body: Bytes::from_static(body),
        }
    }

    /// Whether it answers something.
    pub fn is_answer(&self) -> bool {
        self.command & command::RESPONSE != 0
    }

    /// Takes the first whole PDU from what was read; `None` when it is not there yet.
    ///
    /// # Errors
    ///
    /// [`BadLength`]: the stream is of no more use.
    pub fn take(read: &mut BytesMut) -> Result<Option<Self>, BadLength> {
        let Some(length) = read
            .first_chunk::<4>()
            .map(|length| u32::from_be_bytes(*length))
        else {
            return Ok(None);
        };
        let bytes = usize::try_from(length).map_err(|_| BadLength(length))?;
        if !(HEADER_BYTES..=FRAME_BYTES_MAX).contains(&bytes) {
            return Err(BadLength(length));
        }
        if read.len() < bytes {
            return Ok(None);
        }
        let mut frame = read.split_to(bytes).freeze();
        frame.advance(4);
        let (command, status, sequence) = (frame.get_u32(), frame.get_u32(), frame.get_u32());
        Ok(Some(Self {
            command,
            status,
            sequence,
            body: frame,
        }))
    }

    /// Appends it as it goes over the wire.
    pub fn write(&self, to: &mut BytesMut) {
        let length = HEADER_BYTES + self.body.len();
        to.reserve(length);
        to.put_u32(u32::try_from(length).unwrap_or(u32::MAX));
        to.put_u32(self.command);
        to.put_u32(self.status);
        to.put_u32(self.sequence);
        to.put_slice(&self.body);
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn a_length_that_cannot_be_ends_the_stream() {
        for length in [0_u32, 15, 70_001, u32::MAX] {
            let mut read = BytesMut::from(&length.to_be_bytes()[..]);
            assert_eq!(Frame::take(&mut read), Err(BadLength(length)));
        }
    }

    proptest! {
        #[test]
        fn what_was_written_is_read_however_it_is_cut(
            frames in prop::collection::vec((any::<u32>(), any::<u32>(), any::<u32>(), prop::collection::vec(any::<u8>(), 0..40)), 0..6),
            cut in 1_usize..30,
        ) {
            let frames: Vec<Frame> = frames.into_iter()
                .map(|(command, status, sequence, body)| Frame { command, status, sequence, body: body.into() })
                .collect();
            let mut wire = BytesMut::new();
            for frame in &frames {
                frame.write(&mut wire);
            }
            let (mut read, mut found) = (BytesMut::new(), Vec::new());
            for piece in wire.chunks(cut) {
                read.extend_from_slice(piece);
                while let Some(frame) = Frame::take(&mut read).unwrap() {
                    found.push(frame);
                }
            }
            prop_assert_eq!(found, frames);
            prop_assert!(read.is_empty());
        }

        #[test]
        fn noise_is_no_panic(noise in prop::collection::vec(any::<u8>(), 0..200)) {
            let mut read = BytesMut::from(&noise[..]);
            while let Ok(Some(_)) = Frame::take(&mut read) {}
        }
    }
}

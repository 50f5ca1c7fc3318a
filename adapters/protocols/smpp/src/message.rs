//! Bodies: what is sent, and what comes. SMPP 3.4 §4, 5.0 §4

use bytes::{BufMut, Bytes, BytesMut};

/// A number or a name, with the kind of number and the plan that it belongs to.
#[derive(Clone, PartialEq, Eq, Hash, Debug, Default)]
pub struct Party {
    /// `ton`: 0 unknown, 1 international, 2 national, 3 network, 5 alphanumeric.
    pub ton: u8,
    /// `npi`: 0 unknown, 1 E.164.
    pub npi: u8,
    /// The digits without a plus sign, or the name.
    pub address: String,
}

/// An optional parameter. 3.4 §5.3
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Tlv {
    /// Which: see [`tag`].
    pub tag: u16,
    /// Its octets.
    pub value: Bytes,
}

/// The tags of TLVs that are used here. 3.4 §5.3.2
pub mod tag {
    /// What `receipted_message_id` a receipt is about.
    pub const RECEIPTED_MESSAGE_ID: u16 = 0x001e;
    /// What the parts of one text have in common.
    pub const SAR_MSG_REF_NUM: u16 = 0x020c;
    /// How many parts there are.
    pub const SAR_TOTAL_SEGMENTS: u16 = 0x020e;
    /// Which part this is, from 1.
    pub const SAR_SEGMENT_SEQNUM: u16 = 0x020f;
    /// The version that the SMSC speaks.
    pub const SC_INTERFACE_VERSION: u16 = 0x0210;
    /// The network's own error.
    pub const NETWORK_ERROR_CODE: u16 = 0x0423;
    /// The text, instead of `short_message`.
    pub const MESSAGE_PAYLOAD: u16 = 0x0424;
    /// What became of the message.
    pub const MESSAGE_STATE: u16 = 0x0427;
}

/// `submit_sm`, as far as an ESME of ours sets it. 3.4 §4.4.1
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Submit {
    /// `service_type`; mostly empty.
    pub service_type: String,
    /// Who sends.
    pub source: Party,
    /// Who gets it.
    pub destination: Party,
    /// `esm_class`: 0, or 0x40 when the text begins with a header.
    pub esm_class: u8,
    /// `validity_period`, relative; empty: as the SMSC does.
    pub validity: String,
    /// `registered_delivery`: 1 asks for the final receipt.
    pub registered_delivery: u8,
    /// `data_coding`.
    pub data_coding: u8,
    /// `short_message`, at most 254 octets.
    pub text: Bytes,
    /// What else.
    pub tlvs: Vec<Tlv>,
}

/// A `deliver_sm` or a `data_sm`: a message or a receipt.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Deliver {
    /// Who wrote.
    pub source: Party,
    /// To whom.
    pub destination: Party,
    /// `esm_class`.
    pub esm_class: u8,
    /// `data_coding`.
    pub data_coding: u8,
    /// The text: `message_payload` where there is one, else `short_message`.
    pub text: Bytes,
    /// The TLVs, as far as they could be read.
    pub tlvs: Vec<Tlv>,
}

/// More TLVs than this are not read.
pub const TLVS_MAX: usize = 64;
/// A C-octet string longer than this is no address and no id of this protocol.
const TEXT_BYTES_MAX: usize = 256;

impl Submit {
    /// The body.
    pub fn body(&self) -> Bytes {
        let mut body = BytesMut::with_capacity(64 + self.text.len());
        put_text(&mut body, &self.service_type);
        put_party(&mut body, &self.source);
        put_party(&mut body, &self.destination);
        // protocol_id, priority_flag, schedule_delivery_time
        body.put_slice(&[self.esm_class, 0, 0, 0]);
        put_text(&mut body, &self.validity);
        // replace_if_present_flag, sm_default_msg_id
        body.put_slice(&[self.registered_delivery, 0, self.data_coding, 0]);
        let length = u8::try_from(self.text.len()).unwrap_or(u8::MAX);
        body.put_u8(length);
        body.put_slice(self.text.get(..length.into()).unwrap_or(&self.text));
        for tlv in &self.tlvs {
            let length = u16::try_from(tlv.value.len()).unwrap_or(u16::MAX);
            body.put_u16(tlv.tag);
            body.put_u16(length);
            body.put_slice(tlv.value.get(..length.into()).unwrap_or(&tlv.value));
        }
        body.freeze()
    }
}

impl Deliver {
    /// Reads the body of a `deliver_sm`; `None` when its mandatory fields are not all there. A TLV that is cut off ends the list.
    pub fn read(body: &Bytes) -> Option<Self> {
        let mut rest = Reader(body.clone());
        rest.text()?;
        let (source, destination) = (rest.party()?, rest.party()?);
        let esm_class = rest.octet()?;
        rest.bytes(2)?;
        // schedule_delivery_time and validity_period are empty here; an SMSC that fills them means nothing by it.
        rest.text()?;
        rest.text()?;
        rest.bytes(2)?;
        let data_coding = rest.octet()?;
        rest.octet()?;
        let length = rest.octet()?;
        let short_message = rest.bytes(length.into())?;
        let read = Self {
            source,
            destination,
            esm_class,
            data_coding,
            text: short_message,
            tlvs: rest.tlvs(),
        };
        Some(read.with_payload())
    }

    /// Reads the body of a `data_sm`. 3.4 §4.7.1
    pub fn read_data(body: &Bytes) -> Option<Self> {
        let mut rest = Reader(body.clone());
        rest.text()?;
        let (source, destination) = (rest.party()?, rest.party()?);
        let esm_class = rest.octet()?;
        rest.octet()?;
        let data_coding = rest.octet()?;
        let read = Self {
            source,
            destination,
            esm_class,
            data_coding,
            text: Bytes::new(),
            tlvs: rest.tlvs(),
        };
        Some(read.with_payload())
    }

    /// The first TLV with this tag.
    pub fn tlv(&self, tag: u16) -> Option<&Bytes> {
        let found = self.tlvs.iter().find(|tlv| tlv.tag == tag);
        found.map(|tlv| &tlv.value)
    }

    fn with_payload(mut self) -> Self {
        if let Some(payload) = self.tlv(tag::MESSAGE_PAYLOAD).cloned() {
            self.text = payload;
        }
        self
    }
}

/// The id in the body of a `submit_sm_resp`; empty when there is none.
pub fn message_id(body: &Bytes) -> String {
    Reader(body.clone()).text().unwrap_or_default()
}

pub(crate) fn put_text(to: &mut BytesMut, text: &str) {
    // A NUL inside would end the field early and shift all that follow.
    to.extend(text.bytes().filter(|byte| *byte != 0));
    to.put_u8(0);
}

fn put_party(to: &mut BytesMut, party: &Party) {
    to.put_u8(party.ton);
    to.put_u8(party.npi);
    put_text(to, &party.address);
}

struct Reader(Bytes);

impl Reader {
    fn octet(&mut self) -> Option<u8> {
        self.bytes(1)?.first().copied()
    }

    fn bytes(&mut self, count: usize) -> Option<Bytes> {
        (self.0.len() >= count).then(|| self.0.split_to(count))
    }

    /// A C-octet string. What is not ASCII is read as Latin-1: alphanumeric senders come so.
    fn text(&mut self) -> Option<String> {
        let end = self
            .0
            .iter()
            .take(TEXT_BYTES_MAX)
            .position(|byte| *byte == 0)?;
        let text = self.bytes(end + 1)?;
        Some(
            text.iter()
                .filter(|byte| **byte != 0)
                .map(|byte| char::from(*byte))
                .collect(),
        )
    }

    fn party(&mut self) -> Option<Party> {
        let (ton, npi, address) = (self.octet()?, self.octet()?, self.text()?);
        Some(Party { ton, npi, address })
    }

    fn tlvs(&mut self) -> Vec<Tlv> {
        let mut tlvs = Vec::new();
        while tlvs.len() < TLVS_MAX {
            let Some(tlv) = self.tlv() else { break };
            tlvs.push(tlv);
        }
        tlvs
    }

    fn tlv(&mut self) -> Option<Tlv> {
        let tag = u16::from_be_bytes([self.octet()?, self.octet()?]);
        let length = u16::from_be_bytes([self.octet()?, self.octet()?]);
        let value = self.bytes(length.into())?;
        Some(Tlv { tag, value })
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn party() -> impl Strategy<Value = Party> {
        (any::<u8>(), any::<u8>(), "[0-9A-Za-z]{0,20}").prop_map(|(ton, npi, address)| Party {
            ton,
            npi,
            address,
        })
    }

    proptest! {
        /// `submit_sm` and `deliver_sm` have the same fields.
        #[test]
        fn what_is_submitted_reads_back(
            source in party(), destination in party(), esm_class in any::<u8>(), data_coding in any::<u8>(),
            text in prop::collection::vec(any::<u8>(), 0..255), payload in prop::collection::vec(any::<u8>(), 1..2_000),
            with_payload in any::<bool>(),
        ) {
            let mut submit = Submit {
                source: source.clone(), destination: destination.clone(), esm_class, data_coding, text: text.clone().into(),
                validity: "000000040000000R".to_owned(), registered_delivery: 1, ..Submit::default()
            };
            if with_payload {
                submit.tlvs.push(Tlv { tag: tag::MESSAGE_PAYLOAD, value: payload.clone().into() });
            }
            let read = Deliver::read(&submit.body()).unwrap();
            prop_assert_eq!((read.source, read.destination), (source, destination));
            prop_assert_eq!((read.esm_class, read.data_coding), (esm_class, data_coding));
            prop_assert_eq!(&read.text[..], if with_payload { &payload[..] } else { &text[..] });
        }

        #[test]
        fn noise_is_no_panic(noise in prop::collection::vec(any::<u8>(), 0..300)) {
            let noise = Bytes::from(noise);
            let deliver = Deliver::read(&noise);
            prop_assert!(deliver.is_none_or(|deliver| deliver.tlvs.len() <= TLVS_MAX));
            Deliver::read_data(&noise);
            message_id(&noise);
        }
    }

    #[test]
    fn a_tlv_that_is_cut_off_ends_the_list_and_loses_nothing_before_it() {
        let tlv = |tag, value: &'static [u8]| Tlv {
            tag,
            value: Bytes::from_static(value),
        };
        let whole = Submit {
            text: Bytes::from_static(b"hi"),
            tlvs: vec![tlv(0x0427, &[2]), tlv(0x001e, b"abc\0")],
            ..Submit::default()
        };
        let body = whole.body();
        let cut = body.slice(..body.len() - 2);
        let read = Deliver::read(&cut).unwrap();
        assert_eq!(&read.text[..], b"hi");
        assert_eq!(read.tlvs, [tlv(0x0427, &[2])]);
    }
}

//! From a text to the parts of a `submit_sm`, and from a `deliver_sm` to a text.

use std::{borrow::Cow, num::NonZeroU16};

use transom_adapter::Part;
use transom_smpp::{Deliver, Tlv, tag};

use super::gsm::{self, Shifts};
use crate::{
    Encoding, gsm_septets, normalise,
    provider::header,
    segments::{self, Room},
};

/// What `data_coding` 0 means to this SMSC.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default, serde::Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Alphabet {
    /// The GSM alphabet, one septet an octet.
    #[default]
    Gsm,
    /// Latin-1.
    Latin1,
}

/// How a text that does not fit into one message is sent.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default, serde::Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Long {
    /// In parts with a header in the text, an 8-bit reference.
    #[default]
    Udh,
    /// The same with a 16-bit reference.
    Udh16,
    /// In parts with `sar_*` parameters.
    Sar,
    /// Whole, in `message_payload`; the SMSC cuts it.
    Payload,
}

/// One `submit_sm` of a text, as far as the text decides it.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) struct Piece {
    pub(super) esm_class: u8,
    pub(super) data_coding: u8,
    pub(super) text: Vec<u8>,
    pub(super) tlvs: Vec<Tlv>,
}

/// 3.4 §5.2.12: the text begins with a user data header.
const UDHI: u8 = 0x40;
const LATIN1: u8 = 0x03;
const UCS2: u8 = 0x08;

/// The encoding of a whole text, and the `data_coding` that says so.
fn encoding(text: &str, alphabet: Alphabet) -> (Encoding, u8) {
    let gsm = Encoding::of(text) == Encoding::Gsm7;
    match alphabet {
        Alphabet::Gsm if gsm => (Encoding::Gsm7, 0),
        // The SMSC turns it into the GSM alphabet, which therefore has to have it too.
        Alphabet::Latin1 if gsm && text.chars().all(is_latin1) => (Encoding::Gsm7, LATIN1),
        _ => (Encoding::Ucs2, UCS2),
    }
}

fn is_latin1(character: char) -> bool {
    u32::from(character) <= 0xff
}

/// The parts of a text, the same every time.
fn parts(text: &str, alphabet: Alphabet, long: Long) -> (u8, Vec<&str>) {
    let (encoding, data_coding) = encoding(text, alphabet);
    let room = match long {
        Long::Udh | Long::Sar => Room::of(encoding),
        Long::Udh16 => Room::with_wide_reference(encoding),
        Long::Payload => return (data_coding, vec![text]),
    };
    (data_coding, segments::cut_into(text, encoding, room))
}

/// In how many messages a text goes.
pub(super) fn count(text: &str, alphabet: Alphabet, long: Long) -> NonZeroU16 {
    let text = normalise(text);
    let count = parts(&text, alphabet, long).1.len();
    NonZeroU16::new(u16::try_from(count).unwrap_or(u16::MAX)).unwrap_or(NonZeroU16::MIN)
}

/// One part of a text; `None` when it has no such part. `reference` is what its parts have in common.
pub(super) fn piece(
    text: &str,
    unit: u16,
    reference: u16,
    (alphabet, long): (Alphabet, Long),
) -> Option<Piece> {
    let text = normalise(text);
    let (data_coding, parts) = parts(&text, alphabet, long);
    let octets = encode(parts.get(usize::from(unit))?, data_coding)?;
    let (total, number) = (
        u8::try_from(parts.len()).ok()?,
        u8::try_from(unit + 1).ok()?,
    );
    let plain = Piece {
        esm_class: 0,
        data_coding,
        text: octets,
        tlvs: Vec::new(),
    };
    Some(match long {
        Long::Payload => Piece {
            tlvs: vec![tlv(tag::MESSAGE_PAYLOAD, &plain.text)],
            text: Vec::new(),
            ..plain
        },
        _ if total == 1 => plain,
        Long::Sar => Piece {
            tlvs: vec![
                tlv(tag::SAR_MSG_REF_NUM, &reference.to_be_bytes()),
                tlv(tag::SAR_TOTAL_SEGMENTS, &[total]),
                tlv(tag::SAR_SEGMENT_SEQNUM, &[number]),
            ],
            ..plain
        },
        // 3GPP TS 23.040 §9.2.3.24.1, .8
        Long::Udh => with_header(
            &plain,
            &[5, 0x00, 3, reference.to_be_bytes()[1], total, number],
        ),
        Long::Udh16 => {
            let [high, low] = reference.to_be_bytes();
            with_header(&plain, &[6, 0x08, 4, high, low, total, number])
        }
    })
}

fn with_header(plain: &Piece, header: &[u8]) -> Piece {
    Piece {
        esm_class: UDHI,
        text: [header, &plain.text].concat(),
        data_coding: plain.data_coding,
        tlvs: Vec::new(),
    }
}

fn tlv(tag: u16, value: &[u8]) -> Tlv {
    Tlv {
        tag,
        value: value.to_vec().into(),
    }
}

fn encode(part: &str, data_coding: u8) -> Option<Vec<u8>> {
    match data_coding {
        0 => gsm_septets(part),
        LATIN1 => part
            .chars()
            .map(|c| u8::try_from(u32::from(c)).ok())
            .collect(),
        _ => Some(part.encode_utf16().flat_map(u16::to_be_bytes).collect()),
    }
}

/// What a message says, and which part of a longer one it is.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) struct Read {
    pub(super) text: String,
    pub(super) part: Option<Part>,
}

/// Reads a message; `None` when it is not for a person: data, or addressed to an application on the phone.
pub(super) fn read(deliver: &Deliver, alphabet: Alphabet) -> Option<Read> {
    let has_header = deliver.esm_class & UDHI != 0;
    let length = if has_header {
        deliver
            .text
            .first()
            .map_or(0, |length| usize::from(*length) + 1)
    } else {
        0
    };
    let (udh, body) = deliver
        .text
        .split_at_checked(length)
        .unwrap_or((&[], &deliver.text));
    if header::is_port_addressed(udh) {
        return None;
    }
    let part = header::concatenation(udh).or_else(|| sar(deliver));
    let shifts = Shifts {
        single: header::language(udh, 0x24),
        locking: header::language(udh, 0x25),
    };
    let text = match coding(deliver.data_coding, alphabet)? {
        Coding::Gsm => gsm::decode(body, shifts),
        Coding::Latin1 => body.iter().map(|byte| char::from(*byte)).collect(),
        Coding::Cyrillic => body.iter().map(|byte| cyrillic(*byte)).collect(),
        Coding::Hebrew => body.iter().map(|byte| hebrew(*byte)).collect(),
        Coding::Ucs2 => ucs2(body, part.is_some()).into_owned(),
    };
    Some(Read { text, part })
}

fn sar(deliver: &Deliver) -> Option<Part> {
    let octet = |tag| deliver.tlv(tag).and_then(|value| value.first().copied());
    let reference = deliver.tlv(tag::SAR_MSG_REF_NUM)?;
    let reference = reference
        .first_chunk::<2>()
        .map(|octets| u16::from_be_bytes(*octets))?;
    let (total, number) = (
        octet(tag::SAR_TOTAL_SEGMENTS)?,
        octet(tag::SAR_SEGMENT_SEQNUM)?,
    );
    header::part(reference, total, number)
}

enum Coding {
    Gsm,
    Latin1,
    Cyrillic,
    Hebrew,
    Ucs2,
}

/// 3.4 §5.2.19, and the groups of 3GPP TS 23.038 §4 that SMSCs hand through. `None`: data.
fn coding(data_coding: u8, alphabet: Alphabet) -> Option<Coding> {
    let default = match alphabet {
        Alphabet::Gsm => Coding::Gsm,
        Alphabet::Latin1 => Coding::Latin1,
    };
    Some(match data_coding {
        // ASCII is the lower half of Latin-1.
        0x01 | 0x03 => Coding::Latin1,
        0x06 => Coding::Cyrillic,
        0x07 => Coding::Hebrew,
        0x08 | 0x18..=0x1b | 0xe0..=0xef => Coding::Ucs2,
        0x10..=0x13 | 0xc0..=0xdf => Coding::Gsm,
        // The third bit: 8-bit data.
        0xf0..=0xff if data_coding & 0x04 == 0 => Coding::Gsm,
        0x02 | 0x04 | 0x14..=0x17 | 0xf0..=0xff => return None,
        _ => default,
    })
}

/// Big-endian UTF-16, as phones write it. A part may end within a character; its half is kept for the joining.
fn ucs2(octets: &[u8], is_part: bool) -> Cow<'static, str> {
    let units: Vec<u16> = octets
        .chunks(2)
        .map(|pair| match pair {
            [high, low] => u16::from_be_bytes([*high, *low]),
            // Half a unit: nothing that could be read.
            _ => 0xfffd,
        })
        .collect();
    if is_part {
        Part::text_of(&units).into()
    } else {
        String::from_utf16_lossy(&units).into()
    }
}

/// ISO 8859-5.
fn cyrillic(byte: u8) -> char {
    match byte {
        0xad => '\u{ad}',
        0xf0 => '№',
        0xfd => '§',
        0xa1.. => char::from_u32(0x0401 + u32::from(byte - 0xa1)).unwrap_or('\u{fffd}'),
        _ => char::from(byte),
    }
}

/// ISO 8859-8.
fn hebrew(byte: u8) -> char {
    match byte {
        0xe0..=0xfa => char::from_u32(0x05d0 + u32::from(byte - 0xe0)).unwrap_or('\u{fffd}'),
        _ => char::from(byte),
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const UDH: (Alphabet, Long) = (Alphabet::Gsm, Long::Udh);

    fn all(text: &str, how: (Alphabet, Long)) -> Vec<Piece> {
        let count = count(text, how.0, how.1).get();
        (0..count)
            .map(|unit| piece(text, unit, 0x1234, how).unwrap())
            .collect()
    }

    fn arrive(piece: &Piece, alphabet: Alphabet) -> Read {
        let mut deliver = Deliver {
            esm_class: piece.esm_class,
            data_coding: piece.data_coding,
            text: piece.text.clone().into(),
            tlvs: piece.tlvs.clone(),
            ..Deliver::default()
        };
        if let Some(payload) = deliver.tlv(tag::MESSAGE_PAYLOAD) {
            deliver.text = payload.clone();
        }
        read(&deliver, alphabet).unwrap()
    }

    #[test]
    fn the_fields_are_set_as_they_should() {
        let short = all("Grüße [€]", UDH);
        assert_eq!((short[0].esm_class, short[0].data_coding), (0, 0));
        assert_eq!(short[0].text, b"Gr\x7e\x1ee \x1b\x3c\x1b\x65\x1b\x3e");
        let wide = all("Привет", UDH);
        assert_eq!((wide[0].data_coding, wide[0].text.len()), (8, 12));
        let latin = all("Grüße", (Alphabet::Latin1, Long::Udh));
        assert_eq!(
            (latin[0].data_coding, &latin[0].text[..]),
            (3, &b"Gr\xfc\xdfe"[..])
        );
        assert_eq!(
            all("€", (Alphabet::Latin1, Long::Udh))[0].data_coding,
            8,
            "not in Latin-1"
        );
        let long = all(&"a".repeat(161), UDH);
        assert_eq!(long.len(), 2);
        assert_eq!((long[0].esm_class, long[0].text.len()), (0x40, 6 + 153));
        assert_eq!(long[0].text[..6], [5, 0, 3, 0x34, 2, 1]);
        assert_eq!(long[1].text[..6], [5, 0, 3, 0x34, 2, 2]);
        let wide_reference = all(&"a".repeat(161), (Alphabet::Gsm, Long::Udh16));
        assert_eq!(wide_reference[0].text[..7], [6, 8, 4, 0x12, 0x34, 2, 1]);
        assert_eq!(wide_reference[0].text.len(), 7 + 152);
        let sar = all(&"a".repeat(161), (Alphabet::Gsm, Long::Sar));
        assert_eq!(
            (sar[0].esm_class, sar[0].text.len(), sar[0].tlvs.len()),
            (0, 153, 3)
        );
        let payload = all(&"a".repeat(1_000), (Alphabet::Gsm, Long::Payload));
        assert_eq!(
            (
                payload.len(),
                payload[0].text.len(),
                payload[0].tlvs[0].value.len()
            ),
            (1, 0, 1_000)
        );
        assert_eq!(piece("a", 1, 0, UDH), None, "there is no second part");
    }

    #[test]
    fn codings_are_read() {
        let text = |data_coding, octets: &'static [u8]| {
            let deliver = Deliver {
                data_coding,
                text: octets.into(),
                ..Deliver::default()
            };
            read(&deliver, Alphabet::Gsm).map(|read| read.text)
        };
        assert_eq!(text(0x00, b"\x00\x1b\x65").as_deref(), Some("@€"));
        assert_eq!(text(0xf1, b"\x00").as_deref(), Some("@"));
        assert_eq!(text(0x03, b"\xfc").as_deref(), Some("ü"));
        assert_eq!(text(0x06, b"\xbf\xe0").as_deref(), Some("Пр"));
        assert_eq!(text(0x07, b"\xe0").as_deref(), Some("א"));
        assert_eq!(text(0x08, b"\xd8\x3d\xde\x00").as_deref(), Some("😀"));
        assert_eq!(text(0x08, b"\xd8\x3d").as_deref(), Some("\u{fffd}"));
        assert_eq!(text(0x08, b"\x00a\x00").as_deref(), Some("a\u{fffd}"));
        assert_eq!(text(0x04, b"\x01"), None);
        assert_eq!(text(0xf5, b"\x01"), None);
    }

    #[test]
    fn headers_are_read() {
        let read_udh = |octets: &'static [u8]| {
            read(
                &Deliver {
                    esm_class: 0x40,
                    text: octets.into(),
                    ..Deliver::default()
                },
                Alphabet::Gsm,
            )
        };
        let spanish = read_udh(b"\x08\x24\x01\x02\x00\x03\x07\x02\x01N\x1bo").unwrap();
        assert_eq!(spanish.text, "Nó");
        assert_eq!(
            spanish.part,
            Some(Part {
                reference: 7,
                total: 2,
                number: 1
            })
        );
        assert_eq!(
            read_udh(b"\x06\x05\x04\x0b\x84\x23\xf0x"),
            None,
            "for an application"
        );
        assert_eq!(
            read_udh(b"\xffabc").unwrap().text,
            "\u{fffd}abc",
            "a header that cannot be: shown as it is"
        );
    }

    fn ways() -> impl Strategy<Value = (Alphabet, Long)> {
        let alphabet = prop::sample::select(vec![Alphabet::Gsm, Alphabet::Latin1]);
        (
            alphabet,
            prop::sample::select(vec![Long::Udh, Long::Udh16, Long::Sar, Long::Payload]),
        )
    }

    proptest! {
        #[test]
        fn what_is_sent_arrives(text in "[a-zäß€\\[Я😀🇮\u{301}é ]{1,400}", how in ways()) {
            let pieces = all(&text, how);
            let total = pieces.len();
            let mut joined = String::new();
            for (at, piece) in pieces.iter().enumerate() {
                prop_assert!(piece.text.len() <= 159, "fits into a short_message");
                let read = arrive(piece, how.0);
                if total > 1 {
                    let part = read.part.unwrap();
                    prop_assert_eq!((usize::from(part.total), usize::from(part.number)), (total, at + 1));
                } else {
                    prop_assert_eq!(read.part, None);
                }
                joined.push_str(&read.text);
            }
            prop_assert_eq!(joined, text);
        }

        #[test]
        fn noise_is_no_panic(esm_class in any::<u8>(), data_coding in any::<u8>(), octets in prop::collection::vec(any::<u8>(), 0..200)) {
            read(&Deliver { esm_class, data_coding, text: octets.into(), ..Deliver::default() }, Alphabet::Gsm);
        }
    }
}

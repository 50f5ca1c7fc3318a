//! How a text is cut into short messages: 3GPP TS 23.038 (alphabets) and TS 23.040 §9.2.3.24.1 (parts).

use std::{borrow::Cow, ops::Range};

use unicode_segmentation::UnicodeSegmentation;

/// How characters travel. One that GSM 7-bit does not have makes the whole text UCS-2.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum Encoding {
    /// The default alphabet with its extension table; the unit is a septet.
    Gsm7,
    /// UTF-16 as phones take it; the unit is two bytes.
    Ucs2,
}

impl Encoding {
    /// What this text needs.
    pub fn of(text: &str) -> Self {
        if text.chars().all(|c| septets(c).is_some()) {
            Self::Gsm7
        } else {
            Self::Ucs2
        }
    }

    /// The units that fit into a text of one part.
    pub fn units_single(self) -> usize {
        match self {
            Self::Gsm7 => 160,
            Self::Ucs2 => 70,
        }
    }

    /// The units that fit into each part of several, beside a header with an 8-bit reference.
    pub fn units_in_part(self) -> usize {
        match self {
            Self::Gsm7 => 153,
            Self::Ucs2 => 67,
        }
    }

    /// How many units these characters take.
    pub fn units_of(self, text: &str) -> usize {
        text.chars().map(|c| self.units(c)).sum()
    }

    /// How many units this character takes.
    fn units(self, character: char) -> usize {
        match self {
            // Only called for what the alphabet has.
            Self::Gsm7 => septets(character).map_or(1, <[u8]>::len),
            Self::Ucs2 => character.len_utf16(),
        }
    }
}

/// What a text costs.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Segments {
    /// How it travels.
    pub encoding: Encoding,
    /// How many parts it takes; 0 for an empty text.
    pub count: u16,
    /// How many units it has in all, headers not counted.
    pub units: u32,
}

impl Segments {
    /// Measures a text as it would be sent: after [`normalise`].
    pub fn of(text: &str) -> Self {
        let text = normalise(text);
        let encoding = Encoding::of(&text);
        let units = encoding.units_of(&text);
        let count = parts(&text, encoding, Room::of(encoding)).count();
        Self {
            encoding,
            count: u16::try_from(count).unwrap_or(u16::MAX),
            units: u32::try_from(units).unwrap_or(u32::MAX),
        }
    }
}

/// Line ends as phones know them, and one unit instead of two: `\n`.
pub fn normalise(text: &str) -> Cow<'_, str> {
    if text.contains('\r') {
        text.replace("\r\n", "\n").replace('\r', "\n").into()
    } else {
        text.into()
    }
}

/// Cuts a [`normalise`]d text into its parts. What a reader sees as one character is kept whole where it fits into a part; a surrogate
/// pair or an escaped GSM character always is.
pub fn cut(text: &str) -> (Encoding, Vec<&str>) {
    let encoding = Encoding::of(text);
    (encoding, cut_into(text, encoding, Room::of(encoding)))
}

/// The same in an encoding that has all of its characters, into parts with this room.
pub(crate) fn cut_into(text: &str, encoding: Encoding, room: Room) -> Vec<&str> {
    let cuts = parts(text, encoding, room).filter_map(|range| text.get(range));
    cuts.collect()
}

/// How many units fit.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct Room {
    single: usize,
    in_part: usize,
}

impl Room {
    /// Beside a header with an 8-bit reference.
    pub(crate) fn of(encoding: Encoding) -> Self {
        Self {
            single: encoding.units_single(),
            in_part: encoding.units_in_part(),
        }
    }

    /// Beside a header with a 16-bit reference.
    pub(crate) fn with_wide_reference(encoding: Encoding) -> Self {
        let in_part = encoding.units_in_part() - 1;
        Self {
            in_part,
            ..Self::of(encoding)
        }
    }
}

/// A part in the default alphabet, one septet a byte, not packed; `None` when a character is not in it.
pub fn gsm_septets(part: &str) -> Option<Vec<u8>> {
    let mut bytes = Vec::with_capacity(part.len());
    for character in part.chars() {
        bytes.extend_from_slice(septets(character)?);
    }
    Some(bytes)
}

/// The byte ranges of the parts.
fn parts(text: &str, encoding: Encoding, room: Room) -> impl Iterator<Item = Range<usize>> {
    let units = encoding.units_of(text);
    let room = if units <= room.single {
        room.single
    } else {
        room.in_part
    };
    let mut atoms = atoms(text, encoding, room).peekable();
    let mut start = 0;
    std::iter::from_fn(move || {
        let (mut end, mut used) = (start, 0);
        while let Some((bytes, units)) = atoms.next_if(|(_, units)| used + units <= room) {
            end += bytes;
            used += units;
        }
        let part = start..end;
        start = end;
        (!part.is_empty()).then_some(part)
    })
}

/// What must not be cut, as (bytes, units), each at most `room` units.
fn atoms(text: &str, encoding: Encoding, room: usize) -> impl Iterator<Item = (usize, usize)> {
    let measure = move |c: char| (c.len_utf8(), encoding.units(c));
    text.graphemes(true).flat_map(move |cluster| {
        let units = encoding.units_of(cluster);
        let whole = (units <= room).then_some((cluster.len(), units));
        // A cluster longer than a part (somebody stacked accents) is cut between its characters.
        let rest = if whole.is_some() { "" } else { cluster };
        whole.into_iter().chain(rest.chars().map(measure))
    })
}

/// The septets of a character: one, or two with the escape, or `None` when the alphabet does not have it. TS 23.038 §6.2.1
fn septets(character: char) -> Option<&'static [u8]> {
    let index = GSM_TABLE
        .binary_search_by_key(&character, |(known, _)| *known)
        .ok()?;
    GSM_TABLE.get(index).map(|(_, septets)| *septets)
}

/// Sorted by character, for the search.
#[rustfmt::skip]
const GSM_TABLE: &[(char, &[u8])] = &[
    ('\n', &[0x0a]), ('\u{c}', &[0x1b, 0x0a]), ('\r', &[0x0d]), (' ', &[0x20]), ('!', &[0x21]), ('"', &[0x22]), ('#', &[0x23]),
    ('$', &[0x02]), ('%', &[0x25]), ('&', &[0x26]), ('\'', &[0x27]), ('(', &[0x28]), (')', &[0x29]), ('*', &[0x2a]), ('+', &[0x2b]),
    (',', &[0x2c]), ('-', &[0x2d]), ('.', &[0x2e]), ('/', &[0x2f]), ('0', &[0x30]), ('1', &[0x31]), ('2', &[0x32]), ('3', &[0x33]),
    ('4', &[0x34]), ('5', &[0x35]), ('6', &[0x36]), ('7', &[0x37]), ('8', &[0x38]), ('9', &[0x39]), (':', &[0x3a]), (';', &[0x3b]),
    ('<', &[0x3c]), ('=', &[0x3d]), ('>', &[0x3e]), ('?', &[0x3f]), ('@', &[0x00]), ('A', &[0x41]), ('B', &[0x42]), ('C', &[0x43]),
    ('D', &[0x44]), ('E', &[0x45]), ('F', &[0x46]), ('G', &[0x47]), ('H', &[0x48]), ('I', &[0x49]), ('J', &[0x4a]), ('K', &[0x4b]),
    ('L', &[0x4c]), ('M', &[0x4d]), ('N', &[0x4e]), ('O', &[0x4f]), ('P', &[0x50]), ('Q', &[0x51]), ('R', &[0x52]), ('S', &[0x53]),
    ('T', &[0x54]), ('U', &[0x55]), ('V', &[0x56]), ('W', &[0x57]), ('X', &[0x58]), ('Y', &[0x59]), ('Z', &[0x5a]),
    ('[', &[0x1b, 0x3c]), ('\\', &[0x1b, 0x2f]), (']', &[0x1b, 0x3e]), ('^', &[0x1b, 0x14]), ('_', &[0x11]),
    ('a', &[0x61]), ('b', &[0x62]), ('c', &[0x63]), ('d', &[0x64]), ('e', &[0x65]), ('f', &[0x66]), ('g', &[0x67]), ('h', &[0x68]),
    ('i', &[0x69]), ('j', &[0x6a]), ('k', &[0x6b]), ('l', &[0x6c]), ('m', &[0x6d]), ('n', &[0x6e]), ('o', &[0x6f]), ('p', &[0x70]),
    ('q', &[0x71]), ('r', &[0x72]), ('s', &[0x73]), ('t', &[0x74]), ('u', &[0x75]), ('v', &[0x76]), ('w', &[0x77]), ('x', &[0x78]),
    ('y', &[0x79]), ('z', &[0x7a]), ('{', &[0x1b, 0x28]), ('|', &[0x1b, 0x40]), ('}', &[0x1b, 0x29]), ('~', &[0x1b, 0x3d]),
    ('¡', &[0x40]), ('£', &[0x01]), ('¤', &[0x24]), ('¥', &[0x03]), ('§', &[0x5f]), ('¿', &[0x60]), ('Ä', &[0x5b]), ('Å', &[0x0e]),
    ('Æ', &[0x1c]), ('Ç', &[0x09]), ('É', &[0x1f]), ('Ñ', &[0x5d]), ('Ö', &[0x5c]), ('Ø', &[0x0b]), ('Ü', &[0x5e]), ('ß', &[0x1e]),
    ('à', &[0x7f]), ('ä', &[0x7b]), ('å', &[0x0f]), ('æ', &[0x1d]), ('è', &[0x04]), ('é', &[0x05]), ('ì', &[0x07]), ('ñ', &[0x7d]),
    ('ò', &[0x08]), ('ö', &[0x7c]), ('ø', &[0x0c]), ('ù', &[0x06]), ('ü', &[0x7e]), ('Γ', &[0x13]), ('Δ', &[0x10]), ('Θ', &[0x19]),
    ('Λ', &[0x14]), ('Ξ', &[0x1a]), ('Π', &[0x16]), ('Σ', &[0x18]), ('Φ', &[0x12]), ('Ψ', &[0x17]), ('Ω', &[0x15]),
    ('€', &[0x1b, 0x65]),
];

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::{
        Encoding::{Gsm7, Ucs2},
        *,
    };

    /// A text as (how often, what) pieces.
    type Pieces = &'static [(usize, &'static str)];

    fn of(parts: Pieces) -> String {
        parts
            .iter()
            .map(|(times, text)| text.repeat(*times))
            .collect()
    }

    #[test]
    fn texts_cost_what_networks_bill() {
        // The vectors of the field: counted by the calculator that Twilio publishes, version 1.3.0.
        let table: &[(Pieces, Encoding, u16, u32)] = &[
            (&[], Gsm7, 0, 0),
            (&[(160, "a")], Gsm7, 1, 160),
            (&[(161, "a")], Gsm7, 2, 161),
            (&[(306, "a")], Gsm7, 2, 306),
            (&[(307, "a")], Gsm7, 3, 307),
            (&[(80, "€")], Gsm7, 1, 160),
            (&[(81, "€")], Gsm7, 2, 162),
            (&[(152, "a"), (1, "€"), (152, "a")], Gsm7, 3, 306),
            (&[(70, "я")], Ucs2, 1, 70),
            (&[(71, "я")], Ucs2, 2, 71),
            (&[(134, "я")], Ucs2, 2, 134),
            (&[(135, "я")], Ucs2, 3, 135),
            (&[(66, "я"), (1, "😀"), (66, "я")], Ucs2, 3, 134),
            (&[(35, "😀")], Ucs2, 1, 70),
            (&[(36, "😀")], Ucs2, 2, 72),
            (&[(66, "я"), (1, "🇮🇹"), (65, "я")], Ucs2, 3, 135),
            (&[(1, "“hi”")], Ucs2, 1, 4),
            (&[(1, "`")], Ucs2, 1, 1),
            (&[(1, "\t")], Ucs2, 1, 1),
            (&[(1, "ç")], Ucs2, 1, 1),
            (&[(1, "Ç")], Gsm7, 1, 1),
            (&[(1, "\u{a0}")], Ucs2, 1, 1),
            (&[(1, "a\r\nb")], Gsm7, 1, 3),
            (&[(1, "a\rb")], Gsm7, 1, 3),
            (&[(1, "^{}\\[~]|€\u{c}")], Gsm7, 1, 20),
        ];
        for (pieces, encoding, count, units) in table {
            let want = Segments {
                encoding: *encoding,
                count: *count,
                units: *units,
            };
            assert_eq!(Segments::of(&of(pieces)), want, "{pieces:?}");
        }
    }

    #[test]
    fn the_alphabet_is_that_of_the_standard() {
        assert!(GSM_TABLE.is_sorted_by_key(|(character, _)| *character));
        let mut single: Vec<u8> = Vec::new();
        for (_, septets) in GSM_TABLE {
            match septets {
                [septet] => single.push(*septet),
                [0x1b, _] => {}
                other => panic!("{other:?}"),
            }
        }
        single.sort_unstable();
        let all: Vec<u8> = (0..128).filter(|septet| *septet != 0x1b).collect();
        assert_eq!(single, all, "every septet but the escape, once");
        assert_eq!(gsm_septets("@€Ω"), Some(vec![0x00, 0x1b, 0x65, 0x15]));
        assert_eq!(gsm_septets("ç"), None);
    }

    #[test]
    fn what_is_read_as_one_character_stays_whole() {
        let text = format!("{}👩‍👩‍👧‍👦{}", "я".repeat(60), "я".repeat(60));
        let (encoding, parts) = cut(&text);
        assert_eq!(encoding, Ucs2);
        assert!(parts.iter().any(|part| part.contains("👩‍👩‍👧‍👦")), "{parts:?}");
    }

    #[test]
    fn a_heap_of_accents_is_cut_all_the_same() {
        let text = format!("a{}", "\u{301}".repeat(500));
        let (_, parts) = cut(&text);
        assert_eq!(parts.concat(), text);
        assert_eq!(parts.len(), 501_usize.div_ceil(67));
    }

    proptest! {
        #[test]
        fn parts_are_the_whole_text_and_fit(text in "[a-z€\\[я😀\u{301}\r\n]{0,500}|\\PC{0,300}") {
            let text = normalise(&text).into_owned();
            let (encoding, parts) = cut(&text);
            prop_assert_eq!(parts.concat(), text.clone());
            prop_assert_eq!(usize::from(Segments::of(&text).count), parts.len());
            let room = if parts.len() == 1 { encoding.units_single() } else { encoding.units_in_part() };
            for part in parts {
                let units = match encoding {
                    Gsm7 => gsm_septets(part).unwrap().len(),
                    Ucs2 => part.encode_utf16().count(),
                };
                prop_assert!((1..=room).contains(&units), "{} units", units);
            }
        }
    }
}

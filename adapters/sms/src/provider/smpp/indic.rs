//! The national tables of the languages of South Asia: 3GPP TS 23.038 §A.2.4 to §A.2.13 and §A.3.4 to §A.3.13.
//!
//! Nine of the ten scripts lie in Unicode as they lay in ISCII, each letter at the same place of its block, and the tables
//! follow the blocks. So one template and what a script does differently make all of them.

/// A script whose tables follow the template.
struct Script {
    /// Where its block begins.
    block: u32,
    /// Places of the block that the template names and the script does not have.
    reserved: &'static [u8],
    /// What stands at 0x60, and behind the `z`.
    last: [u8; 6],
    /// Where the digits begin in the single shift table; before them stand the two dandas, if any.
    digits: Digits,
    /// The other places of the single shift table: septet, place of the block.
    more: &'static [(u8, u8)],
}

#[derive(PartialEq, Eq)]
enum Digits {
    /// At 0x1c, behind the dandas.
    BehindDandas,
    /// At 0x1c, behind nothing.
    Alone,
    /// At 0x19, in the dandas' place.
    Early,
}

/// The languages from 4 to 12, TS 23.038 §6.2.1.2.4.
const SCRIPTS: [Script; 9] = [
    // Bengali
    Script {
        block: 0x0980,
        reserved: &[
            0x0d, 0x0e, 0x11, 0x12, 0x29, 0x31, 0x33, 0x34, 0x35, 0x45, 0x46, 0x49, 0x4a,
        ],
        last: [0x4e, 0x57, 0x5c, 0x5d, 0x70, 0x71],
        digits: Digits::Early,
        more: &[
            (0x24, 0x5f),
            (0x25, 0x60),
            (0x26, 0x61),
            (0x27, 0x62),
            (0x2a, 0x63),
            (0x2b, 0x72),
            (0x2c, 0x73),
            (0x2d, 0x74),
            (0x2e, 0x75),
            (0x30, 0x76),
            (0x31, 0x77),
            (0x32, 0x78),
            (0x33, 0x79),
            (0x34, 0x7a),
        ],
    },
    // Gujarati
    Script {
        block: 0x0a80,
        reserved: &[0x0e, 0x12, 0x29, 0x31, 0x34, 0x46, 0x4a],
        last: [0x50, 0x60, 0x61, 0x62, 0x63, 0x71],
        digits: Digits::BehindDandas,
        more: &[],
    },
    // Hindi
    Script {
        block: 0x0900,
        reserved: &[],
        last: [0x50, 0x72, 0x7b, 0x7c, 0x7e, 0x7f],
        digits: Digits::BehindDandas,
        more: &[
            (0x26, 0x51),
            (0x27, 0x52),
            (0x2a, 0x53),
            (0x2b, 0x54),
            (0x2c, 0x58),
            (0x2d, 0x59),
            (0x2e, 0x5a),
            (0x30, 0x5b),
            (0x31, 0x5c),
            (0x32, 0x5d),
            (0x33, 0x5e),
            (0x34, 0x5f),
            (0x35, 0x60),
            (0x36, 0x61),
            (0x37, 0x62),
            (0x38, 0x63),
            (0x39, 0x70),
            (0x3a, 0x71),
        ],
    },
    // Kannada
    Script {
        block: 0x0c80,
        reserved: &[0x01, 0x0d, 0x11, 0x29, 0x34, 0x45, 0x49],
        last: [0x55, 0x56, 0x60, 0x61, 0x62, 0x63],
        digits: Digits::BehindDandas,
        more: &[(0x26, 0x5e), (0x27, 0x71), (0x2a, 0x72)],
    },
    // Malayalam
    Script {
        block: 0x0d00,
        reserved: &[0x01, 0x0d, 0x11, 0x29, 0x3c, 0x45, 0x49],
        last: [0x57, 0x60, 0x61, 0x62, 0x63, 0x79],
        digits: Digits::BehindDandas,
        more: &[
            (0x26, 0x70),
            (0x27, 0x71),
            (0x2a, 0x72),
            (0x2b, 0x73),
            (0x2c, 0x74),
            (0x2d, 0x75),
            (0x2e, 0x7a),
            (0x30, 0x7b),
            (0x31, 0x7c),
            (0x32, 0x7d),
            (0x33, 0x7e),
            (0x34, 0x7f),
        ],
    },
    // Oriya
    Script {
        block: 0x0b00,
        reserved: &[
            0x0d, 0x0e, 0x11, 0x12, 0x29, 0x31, 0x34, 0x45, 0x46, 0x49, 0x4a,
        ],
        last: [0x56, 0x57, 0x60, 0x61, 0x62, 0x63],
        digits: Digits::BehindDandas,
        more: &[
            (0x26, 0x5c),
            (0x27, 0x5d),
            (0x2a, 0x5f),
            (0x2b, 0x70),
            (0x2c, 0x71),
        ],
    },
    // Punjabi
    Script {
        block: 0x0a00,
        reserved: &[
            0x0b, 0x0c, 0x0d, 0x0e, 0x11, 0x12, 0x29, 0x31, 0x34, 0x37, 0x3d, 0x43, 0x44, 0x45,
            0x46, 0x49, 0x4a,
        ],
        last: [0x51, 0x70, 0x71, 0x72, 0x73, 0x74],
        digits: Digits::BehindDandas,
        more: &[
            (0x26, 0x59),
            (0x27, 0x5a),
            (0x2a, 0x5b),
            (0x2b, 0x5c),
            (0x2c, 0x5e),
            (0x2d, 0x75),
        ],
    },
    // Tamil
    Script {
        block: 0x0b80,
        reserved: &[
            0x01, 0x0b, 0x0c, 0x0d, 0x11, 0x16, 0x17, 0x18, 0x1b, 0x1d, 0x20, 0x21, 0x22, 0x25,
            0x26, 0x27, 0x2b, 0x2c, 0x2d, 0x3c, 0x3d, 0x43, 0x44, 0x45, 0x49,
        ],
        last: [0x50, 0x57, 0x70, 0x71, 0x72, 0x79],
        digits: Digits::BehindDandas,
        more: &[
            (0x26, 0x73),
            (0x27, 0x74),
            (0x2a, 0x75),
            (0x2b, 0x76),
            (0x2c, 0x77),
            (0x2d, 0x78),
            (0x2e, 0x7a),
        ],
    },
    // Telugu
    Script {
        block: 0x0c00,
        reserved: &[0x0d, 0x11, 0x29, 0x34, 0x3c, 0x45, 0x49],
        last: [0x55, 0x56, 0x60, 0x61, 0x62, 0x63],
        digits: Digits::Alone,
        more: &[
            (0x26, 0x58),
            (0x27, 0x59),
            (0x2a, 0x78),
            (0x2b, 0x79),
            (0x2c, 0x7a),
            (0x2d, 0x7b),
            (0x2e, 0x7c),
            (0x30, 0x7d),
            (0x31, 0x7e),
            (0x32, 0x7f),
        ],
    },
];

/// Urdu is none of them: §A.3.13, in its order.
const URDU: &str = "\u{627}\u{622}\u{628}\u{67b}\u{680}\u{67e}\u{6a6}\u{62a}\u{6c2}\u{67f}\n\u{679}\u{67d}\r\u{67a}\u{67c}\
    \u{62b}\u{62c}\u{681}\u{684}\u{683}\u{685}\u{686}\u{687}\u{62d}\u{62e}\u{62f}\u{1b}\u{68c}\u{688}\u{689}\u{68a}\
    \u{20}!\u{68f}\u{68d}\u{630}\u{631}\u{691}\u{693})(\u{699}\u{632},\u{696}.\u{698}\
    0123456789:;\u{69a}\u{633}\u{634}?\
    \u{635}\u{636}\u{637}\u{638}\u{639}\u{641}\u{642}\u{6a9}\u{6aa}\u{6ab}\u{6af}\u{6b3}\u{6b1}\u{644}\u{645}\u{646}\
    \u{6ba}\u{6bb}\u{6bc}\u{648}\u{6c4}\u{6d5}\u{6c1}\u{6be}\u{621}\u{6cc}\u{6d0}\u{6d2}\u{64d}\u{650}\u{64f}\u{657}\
    \u{654}abcdefghijklmnopqrstuvwxyz\u{655}\u{651}\u{653}\u{656}\u{670}";

/// §A.2.13: what Urdu's single shift table has between the dandas' place and the letters.
const URDU_MORE: &[(u8, char)] = &[
    (0x19, '\u{600}'),
    (0x1a, '\u{601}'),
    (0x26, '\u{60c}'),
    (0x27, '\u{60d}'),
    (0x2a, '\u{60e}'),
    (0x2b, '\u{60f}'),
    (0x2c, '\u{610}'),
    (0x2d, '\u{611}'),
    (0x2e, '\u{612}'),
    (0x30, '\u{613}'),
    (0x31, '\u{614}'),
    (0x32, '\u{61b}'),
    (0x33, '\u{61f}'),
    (0x34, '\u{640}'),
    (0x35, '\u{652}'),
    (0x36, '\u{658}'),
    (0x37, '\u{66b}'),
    (0x38, '\u{66c}'),
    (0x39, '\u{672}'),
    (0x3a, '\u{673}'),
    (0x3b, '\u{6cd}'),
    (0x3f, '\u{6d4}'),
];

/// What all ten single shift tables have at their beginning; the line feed is a form feed.
const SIGNS: &str = "@£$¥¿\"¤%&'\u{c}*+\r-/<=>¡^¡_#*";

const FIRST: u8 = 4;
const URDU_LANGUAGE: u8 = 13;

/// Whether the language's tables are here.
pub(super) fn is_here(language: u8) -> bool {
    (FIRST..=URDU_LANGUAGE).contains(&language)
}

fn script(language: u8) -> Option<&'static Script> {
    SCRIPTS.get(usize::from(language.checked_sub(FIRST)?))
}

/// What a septet is in the locking shift table of a language; `None`: reserved.
pub(super) fn locking(language: u8, septet: u8) -> Option<char> {
    if language == URDU_LANGUAGE {
        return URDU.chars().nth(septet.into());
    }
    let script = script(language)?;
    let place = match septet {
        b'\n' | b'\r' | 0x1b | b' ' | b'!' | b',' | b'.' | b'0'..=b';' | b'?' | b'a'..=b'z' => {
            return Some(septet.into());
        }
        // The two stand the other way round.
        0x28 => return Some(')'),
        0x29 => return Some('('),
        0x00..=0x02 | 0x0b | 0x0c => septet + 1,
        0x03..=0x09 => septet + 2,
        0x0e..=0x1a => septet,
        0x1c..=0x1f => septet - 1,
        0x22..=0x27 => septet - 3,
        0x2a | 0x2b => septet - 5,
        0x2d => 0x27,
        0x2f => 0x28,
        0x3c..=0x3e => septet - 0x13,
        0x40..=0x4d => septet - 0x14,
        0x4e..=0x5f => septet - 0x12,
        0x60 => script.last[0],
        0x7b..=0x7f => *script.last.get(usize::from(septet - 0x7a))?,
        _ => return None,
    };
    let is_reserved = septet < 0x60 && script.reserved.contains(&place);
    (!is_reserved).then(|| at(script, place)).flatten()
}

/// What an escaped septet is in the single shift table of a language; `None`: what it is without the escape.
pub(super) fn single(language: u8, septet: u8) -> Option<char> {
    let own = if language == URDU_LANGUAGE {
        let digit = |septet| char::from_u32(0x6f0 + u32::from(septet) - 0x1c);
        let more = URDU_MORE.iter().find(|(known, _)| *known == septet);
        more.map(|(_, character)| *character)
            .or_else(|| (0x1c..=0x25).contains(&septet).then(|| digit(septet))?)
    } else {
        let script = script(language)?;
        let more = script.more.iter().find(|(known, _)| *known == septet);
        more.map(|(_, place)| *place)
            .or_else(|| digit(&script.digits, septet))
            .and_then(|place| at(script, place))
            .or_else(|| danda(&script.digits, septet))
    };
    own.or_else(|| common(septet))
}

/// The place of a digit: 0x66 is the zero of every block.
fn digit(digits: &Digits, septet: u8) -> Option<u8> {
    match (digits, septet) {
        (Digits::Early, 0x19 | 0x1a) => Some(septet + 0x4d),
        (Digits::Early, 0x1c..=0x23) => Some(septet + 0x4c),
        (Digits::BehindDandas | Digits::Alone, 0x1c..=0x25) => Some(septet + 0x4a),
        _ => None,
    }
}

/// The dandas have one place for all scripts, in Devanagari.
fn danda(digits: &Digits, septet: u8) -> Option<char> {
    let is_danda = *digits == Digits::BehindDandas && matches!(septet, 0x19 | 0x1a);
    is_danda
        .then(|| char::from_u32(0x964 + u32::from(septet) - 0x19))
        .flatten()
}

fn common(septet: u8) -> Option<char> {
    match septet {
        0x28 => Some('{'),
        0x29 => Some('}'),
        0x2f => Some('\\'),
        0x3c => Some('['),
        0x3d => Some('~'),
        0x3e => Some(']'),
        0x40 => Some('|'),
        b'A'..=b'Z' => Some(septet.into()),
        0x65 => Some('€'),
        _ => SIGNS.chars().nth(septet.into()),
    }
}

fn at(script: &Script, place: u8) -> Option<char> {
    char::from_u32(script.block + u32::from(place))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn table(language: u8, read: fn(u8, u8) -> Option<char>) -> Vec<Option<char>> {
        (0..0x80).map(|septet| read(language, septet)).collect()
    }

    /// Every character once, all of one script but the signs that all have, and as many as the standard's tables show.
    #[test]
    fn every_table_is_whole() {
        let shown = [
            (4, 115, 83),
            (5, 121, 71),
            (6, 128, 89),
            (7, 121, 74),
            (8, 121, 83),
            (9, 117, 76),
            (10, 111, 77),
            (11, 103, 78),
            (12, 121, 79),
            (13, 128, 91),
        ];
        for (language, letters, shifted) in shown {
            let locking: Vec<char> = table(language, locking).into_iter().flatten().collect();
            let mut once = locking.clone();
            once.sort_unstable();
            once.dedup();
            assert_eq!(
                (locking.len(), once.len()),
                (letters, letters),
                "{language}"
            );
            let single: Vec<char> = table(language, single).into_iter().flatten().collect();
            assert_eq!(single.len(), shifted, "{language}");
        }
    }

    /// The corners of each table, as the standard has them.
    #[test]
    fn the_corners_are_right() {
        let locked = [
            (4, [0x981, 0x9a1, 0x9ac, 0x9cd, 0x9f1]),
            (5, [0xa81, 0xaa1, 0xaac, 0xacd, 0xaf1]),
            (6, [0x901, 0x921, 0x92c, 0x94d, 0x97f]),
            (9, [0xb01, 0xb21, 0xb2c, 0xb4d, 0xb63]),
            (10, [0xa01, 0xa21, 0xa2c, 0xa4d, 0xa74]),
            (12, [0xc01, 0xc21, 0xc2c, 0xc4d, 0xc63]),
            (13, [0x627, 0x630, 0x635, 0x657, 0x670]),
        ];
        for (language, characters) in locked {
            let places = [0x00, 0x24, 0x40, 0x5f, 0x7f];
            let read = places.map(|septet| locking(language, septet).map(u32::from));
            assert_eq!(read, characters.map(Some), "{language}");
        }
        for (language, place) in [(7, 0x00), (8, 0x00), (11, 0x11), (12, 0x11), (11, 0x40)] {
            assert_eq!(locking(language, place), None, "{language} {place:x}");
        }
        let zeros = [
            0x9e8, 0xae6, 0x966, 0xce6, 0xd66, 0xb66, 0xa66, 0xbe6, 0xc66, 0x6f0,
        ];
        for (language, zero) in (4..).zip(zeros) {
            assert_eq!(
                single(language, 0x1c).map(u32::from),
                Some(zero),
                "{language}"
            );
            assert_eq!(single(language, 0x41), Some('A'));
            assert_eq!(single(language, 0x65), Some('€'));
        }
        assert_eq!(single(4, 0x19), Some('\u{9e6}'));
        assert_eq!(single(6, 0x19), Some('\u{964}'));
        assert_eq!(single(6, 0x3a), Some('\u{971}'));
        assert_eq!(single(12, 0x19), None, "Telugu has no dandas");
        assert_eq!(single(13, 0x3f), Some('\u{6d4}'));
    }

    #[test]
    fn every_character_is_in_its_script() {
        for (language, script) in (FIRST..).zip(&SCRIPTS) {
            let block = script.block..script.block + 0x80;
            for septet in 0..0x80 {
                for character in [locking(language, septet), single(language, septet)] {
                    let code = character.map_or(0, u32::from);
                    let is_sign = code < 0x100 || code == 0x20ac || matches!(code, 0x964 | 0x965);
                    assert!(is_sign || block.contains(&code), "{language} {code:x}");
                }
            }
        }
    }
}

//! From septets to characters: 3GPP TS 23.038 §6.2.1 and, for texts that say so in their header, Annex A.

use super::indic;

/// The default alphabet; 0x1b escapes.
const DEFAULT: &str = "@£$¥èéùìòÇ\nØø\rÅåΔ_ΦΓΛΩΠΨΣΘΞ\u{1b}ÆæßÉ !\"#¤%&'()*+,-./0123456789:;<=>?¡ABCDEFGHIJKLMNOPQRSTUVWXYZÄÖÑÜ§¿abcdefghijklmnopqrstuvwxyzäöñüà";
/// §A.3.1
const TURKISH: &str = "@£$¥€éùıòÇ\nĞğ\rÅåΔ_ΦΓΛΩΠΨΣΘΞ\u{1b}ŞşßÉ !\"#¤%&'()*+,-./0123456789:;<=>?İABCDEFGHIJKLMNOPQRSTUVWXYZÄÖÑÜ§çabcdefghijklmnopqrstuvwxyzäöñüà";
/// §A.3.3
const PORTUGUESE: &str = "@£$¥êéúíóç\nÔô\rÁáΔ_ªÇÀ∞^\\€Ó|\u{1b}ÂâÊÉ !\"#º%&'()*+,-./0123456789:;<=>?ÍABCDEFGHIJKLMNOPQRSTUVWXYZÃÕÚÜ§~abcdefghijklmnopqrstuvwxyzãõ`üà";

/// What an escape makes of a septet in every one of these languages.
const EXTENSION: &[(u8, char)] = &[
    (0x0a, '\u{c}'),
    (0x14, '^'),
    (0x28, '{'),
    (0x29, '}'),
    (0x2f, '\\'),
    (0x3c, '['),
    (0x3d, '~'),
    (0x3e, ']'),
    (0x40, '|'),
    (0x65, '€'),
];
/// §A.2.1
const TURKISH_EXTENSION: &[(u8, char)] = &[
    (0x47, 'Ğ'),
    (0x49, 'İ'),
    (0x53, 'Ş'),
    (0x63, 'ç'),
    (0x67, 'ğ'),
    (0x69, 'ı'),
    (0x73, 'ş'),
];
/// §A.2.2
const SPANISH_EXTENSION: &[(u8, char)] = &[
    (0x09, 'ç'),
    (0x41, 'Á'),
    (0x49, 'Í'),
    (0x4f, 'Ó'),
    (0x55, 'Ú'),
    (0x61, 'á'),
    (0x69, 'í'),
    (0x6f, 'ó'),
    (0x75, 'ú'),
];
/// §A.2.3
const PORTUGUESE_EXTENSION: &[(u8, char)] = &[
    (0x05, 'ê'),
    (0x09, 'ç'),
    (0x0b, 'Ô'),
    (0x0c, 'ô'),
    (0x0e, 'Á'),
    (0x0f, 'á'),
    (0x12, 'Φ'),
    (0x13, 'Γ'),
    (0x15, 'Ω'),
    (0x16, 'Π'),
    (0x17, 'Ψ'),
    (0x18, 'Σ'),
    (0x19, 'Θ'),
    (0x1f, 'Ê'),
    (0x41, 'À'),
    (0x49, 'Í'),
    (0x4f, 'Ó'),
    (0x55, 'Ú'),
    (0x5b, 'Ã'),
    (0x5c, 'Õ'),
    (0x61, 'Â'),
    (0x69, 'í'),
    (0x6f, 'ó'),
    (0x75, 'ú'),
    (0x7b, 'ã'),
    (0x7c, 'õ'),
    (0x7f, 'â'),
];

/// The national tables that a text's header names; 0: none. TS 23.040 §9.2.3.24.15, .16
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub(in crate::provider) struct Shifts {
    /// Instead of the default alphabet.
    pub(super) locking: u8,
    /// Instead of the extension table.
    pub(super) single: u8,
}

/// Reads septets, one a byte. A byte above 0x7f is no septet: it becomes a replacement character.
pub(in crate::provider) fn decode(septets: &[u8], shifts: Shifts) -> String {
    let alphabet: Vec<Option<char>> = (0..0x80)
        .map(|septet| locked(shifts.locking, septet))
        .collect();
    let plain = |septet: u8| {
        let known = alphabet.get(usize::from(septet)).copied().flatten();
        known.unwrap_or('\u{fffd}')
    };
    let mut text = String::with_capacity(septets.len());
    let mut rest = septets.iter().copied();
    while let Some(septet) = rest.next() {
        if septet != 0x1b {
            text.push(plain(septet));
            continue;
        }
        match rest.next() {
            // Reserved for another extension table: a space until there is one.
            Some(0x1b) => text.push(' '),
            // What the table does not have is shown as without the escape.
            Some(septet) => {
                text.push(extended(shifts.single, septet).unwrap_or_else(|| plain(septet)));
            }
            None => {}
        }
    }
    text
}

fn locked(language: u8, septet: u8) -> Option<char> {
    let table = match language {
        1 => TURKISH,
        3 => PORTUGUESE,
        _ if indic::is_here(language) => return indic::locking(language, septet),
        _ => DEFAULT,
    };
    table.chars().nth(septet.into())
}

fn extended(language: u8, septet: u8) -> Option<char> {
    let own = match language {
        1 => TURKISH_EXTENSION,
        2 => SPANISH_EXTENSION,
        3 => PORTUGUESE_EXTENSION,
        _ if indic::is_here(language) => return indic::single(language, septet),
        _ => &[],
    };
    let mut all = own.iter().chain(EXTENSION);
    all.find(|(known, _)| *known == septet)
        .map(|(_, character)| *character)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::gsm_septets;

    #[test]
    fn every_table_is_whole() {
        for table in [DEFAULT, TURKISH, PORTUGUESE] {
            assert_eq!(table.chars().count(), 128);
            assert_eq!(table.chars().nth(0x1b), Some('\u{1b}'));
            assert_eq!(table.chars().nth(0x61), Some('a'));
        }
    }

    #[test]
    fn national_tables_are_read() {
        let single = |single, septets: &[u8]| decode(septets, Shifts { locking: 0, single });
        assert_eq!(single(1, &[0x1b, 0x47, 0x1b, 0x69, 0x1b, 0x73]), "Ğış");
        assert_eq!(single(2, &[0x4e, 0x1b, 0x6f, 0x1b, 0x65]), "Nó€");
        assert_eq!(single(3, &[0x53, 0x1b, 0x7b, 0x6f]), "São");
        let locking = |locking, septets: &[u8]| decode(septets, Shifts { locking, single: 0 });
        assert_eq!(locking(1, &[0x40, 0x1c, 0x04]), "İŞ€");
        assert_eq!(locking(3, &[0x09, 0x7b, 0x12]), "çãª");
        assert_eq!(locking(14, b"@a"), "¡a", "a language that nobody knows");
        let both = |language, septets: &[u8]| {
            let (locking, single) = (language, language);
            decode(septets, Shifts { locking, single })
        };
        assert_eq!(both(6, &[0x2f, 0x42, 0x4c, 0x5f, 0x27, 0x59]), "नमस्ते");
        assert_eq!(both(13, &[0x4d, 0x00, 0x4e]), "لام");
        assert_eq!(both(4, &[0x1b, 0x41, 0x1b, 0x19, 0x1b, 0x1b]), "A০ ");
        assert_eq!(both(7, &[0x00]), "\u{fffd}", "reserved");
    }

    #[test]
    fn odd_escapes_are_no_loss() {
        assert_eq!(decode(&[0x61, 0x1b], Shifts::default()), "a");
        assert_eq!(decode(&[0x1b, 0x61], Shifts::default()), "a");
        assert_eq!(decode(&[0x1b, 0x1b, 0x61], Shifts::default()), " a");
        assert_eq!(decode(&[0xff], Shifts::default()), "\u{fffd}");
    }

    proptest! {
        #[test]
        fn what_can_be_sent_reads_back(text in "[@-Za-z0-9 €{}\\[\\]~^|ÄÖÜäöüßñÑ§¿¡ΔΦΓΛΩ\n]{0,80}") {
            let septets = gsm_septets(&text).unwrap();
            prop_assert_eq!(decode(&septets, Shifts::default()), text);
        }
    }
}

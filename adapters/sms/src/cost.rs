//! What a text costs, in words that people can act on.

use transom_adapter::{Alphabet, Cost};

use crate::{Encoding, Segments, cut, normalise, typography};

/// Measures a text as it would be sent; `smart`: with the plainer characters that make it cheaper.
pub(crate) fn of(text: &str, smart: bool) -> Cost {
    let sent = if smart {
        typography::simplify(text)
    } else {
        text.into()
    };
    let sent = normalise(&sent);
    let size = Segments::of(&sent);
    Cost {
        segments: size.count,
        alphabet: match size.encoding {
            Encoding::Gsm7 => Alphabet::Gsm7,
            Encoding::Ucs2 => Alphabet::Unicode,
        },
        characters_left: left(&sent, size),
        costly: each_once(&sent, |c| {
            Encoding::of(c.encode_utf8(&mut [0; 4])) == Encoding::Ucs2
        }),
        replaced: if sent == normalise(text) {
            Vec::new()
        } else {
            each_once(text, |c| typography::plainer_for(c).is_some())
        },
    }
}

/// What fits behind the end of the last segment. A text of one segment can grow to where it would be cut.
fn left(text: &str, size: Segments) -> u16 {
    let (room, used) = match size.count {
        0 | 1 => (size.encoding.units_single(), size.units),
        _ => {
            let (_, parts) = cut(text);
            let last = parts.last().map_or(0, |part| size.encoding.units_of(part));
            (
                size.encoding.units_in_part(),
                u32::try_from(last).unwrap_or(u32::MAX),
            )
        }
    };
    let used = usize::try_from(used).unwrap_or(usize::MAX);
    u16::try_from(room.saturating_sub(used)).unwrap_or(0)
}

fn each_once(text: &str, wanted: impl Fn(char) -> bool) -> Vec<char> {
    let mut found = Vec::new();
    for character in text.chars() {
        if found.len() == Cost::CHARACTERS_MAX {
            break;
        }
        if wanted(character) && !found.contains(&character) {
            found.push(character);
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn the_price_and_its_reason_are_told() {
        let cost = |text: &str| {
            let cost = of(text, false);
            (
                cost.segments,
                cost.alphabet,
                cost.characters_left,
                String::from_iter(cost.costly),
            )
        };
        let (gsm, unicode) = (Alphabet::Gsm7, Alphabet::Unicode);
        assert_eq!(cost(""), (0, gsm, 160, String::new()));
        assert_eq!(cost("hello"), (1, gsm, 155, String::new()));
        assert_eq!(cost(&"a".repeat(160)), (1, gsm, 0, String::new()));
        assert_eq!(cost(&"a".repeat(161)), (2, gsm, 145, String::new()));
        assert_eq!(cost("“hi” 👋"), (1, unicode, 63, "“”👋".to_owned()));
        assert_eq!(cost(&"я".repeat(71)), (2, unicode, 63, "я".to_owned()));
        // The sign of two septets did not fit into the first segment.
        let straddling = format!("{}€{}", "a".repeat(152), "a".repeat(20));
        assert_eq!(cost(&straddling), (2, gsm, 131, String::new()));
    }

    #[test]
    fn what_goes_plainer_is_named() {
        let text = format!("“{}” – …", "a".repeat(100));
        let cost = of(&text, true);
        assert_eq!((cost.segments, cost.alphabet), (1, Alphabet::Gsm7));
        assert_eq!(
            (cost.costly, cost.replaced),
            (vec![], vec!['“', '”', '–', '…'])
        );
        assert_eq!(of(&text, false).segments, 2);
        assert!(of("“short”", true).replaced.is_empty());
    }

    proptest! {
        #[test]
        fn what_is_said_to_fit_fits_and_one_more_does_not(text in "[a-z€я“😀\n]{0,400}") {
            let cost = of(&text, false);
            let plain = |count: u16| format!("{text}{}", "a".repeat(count.into()));
            let segments = cost.segments.max(1);
            prop_assert_eq!(of(&plain(cost.characters_left), false).segments, segments);
            prop_assert_eq!(of(&plain(cost.characters_left + 1), false).segments, segments + 1);
        }
    }
}

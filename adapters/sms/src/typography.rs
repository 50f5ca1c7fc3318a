//! Characters that word processors and phones put in place of plainer ones, and that make a text cost twice as much: curly quotation
//! marks, dashes, dots in one, blanks that do not break.

use std::borrow::Cow;

use crate::{Encoding, Segments};

/// The text with plainer characters, where that makes it take fewer segments; otherwise as it is. Whoever writes Cyrillic, or one short
/// text, keeps every quotation mark.
pub fn simplify(text: &str) -> Cow<'_, str> {
    if Encoding::of(text) == Encoding::Gsm7 {
        return text.into();
    }
    let plain = plainer(text);
    if Encoding::of(&plain) == Encoding::Gsm7
        && Segments::of(&plain).count < Segments::of(text).count
    {
        plain.into()
    } else {
        text.into()
    }
}

/// What is sent for this character, if it is one of those that are replaced.
pub(crate) fn plainer_for(character: char) -> Option<&'static str> {
    let found = TABLE
        .iter()
        .find(|(characters, _)| characters.contains(character));
    found.map(|(_, plain)| *plain)
}

fn plainer(text: &str) -> String {
    let mut plain = String::with_capacity(text.len());
    for character in text.chars() {
        match plainer_for(character) {
            Some(instead) => plain.push_str(instead),
            None => plain.push(character),
        }
    }
    plain
}

/// These characters are sent as that. Only what reads the same: no letter loses its accent.
const TABLE: &[(&str, &str)] = &[
    (
        "\u{2018}\u{2019}\u{201a}\u{201b}\u{2032}\u{2bc}\u{b4}\u{60}",
        "'",
    ),
    ("\u{201c}\u{201d}\u{201e}\u{201f}\u{2033}\u{ab}\u{bb}", "\""),
    ("\u{2039}", "<"),
    ("\u{203a}", ">"),
    (
        "\u{2010}\u{2011}\u{2012}\u{2013}\u{2014}\u{2015}\u{2212}",
        "-",
    ),
    ("\u{2026}", "..."),
    ("\u{2022}\u{25cf}\u{25aa}", "*"),
    ("\u{2044}\u{2215}", "/"),
    ("\u{d7}", "x"),
    // Blanks of every width, and the tab.
    (
        "\u{9}\u{a0}\u{2000}\u{2001}\u{2002}\u{2003}\u{2004}\u{2005}\u{2006}\u{2007}\u{2008}\u{2009}\u{200a}\u{202f}\u{205f}\u{3000}",
        " ",
    ),
    ("\u{2028}\u{2029}", "\n"),
    // What takes no room on the screen, but does in the text.
    ("\u{ad}\u{200b}\u{2060}\u{feff}", ""),
];

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn what_would_cost_twice_as_much_goes_plainer() {
        let long = "0123456789".repeat(12);
        for (typed, sent) in [
            ("“hi” – it’s…", "\"hi\" - it's..."),
            ("a\u{a0}b\u{200b}c\td", "a bc d"),
            ("• one\u{2028}• two", "* one\n* two"),
        ] {
            let sent = format!("{long}{sent}");
            assert_eq!(simplify(&format!("{long}{typed}")), sent);
        }
    }

    #[test]
    fn what_saves_nothing_stays_as_it_was_written() {
        for text in [
            "“short”".to_owned(),
            "plain".to_owned(),
            // One other letter, and all of it is Unicode anyway.
            format!("“{}” – привет", "a".repeat(100)),
            // Longer when plainer.
            "…".repeat(70),
        ] {
            assert_eq!(simplify(&text), text);
        }
    }

    #[test]
    fn each_character_has_one_plainer_form_and_that_is_plain() {
        let mut seen = std::collections::HashSet::new();
        for (characters, plain) in TABLE {
            assert_eq!(Encoding::of(plain), Encoding::Gsm7, "{plain:?}");
            for character in characters.chars() {
                assert!(seen.insert(character), "{character:?} twice");
                assert_eq!(
                    Encoding::of(&character.to_string()),
                    Encoding::Ucs2,
                    "{character:?}"
                );
            }
        }
    }

    proptest! {
        #[test]
        fn it_never_costs_more_and_twice_is_once(text in "[a-z“”’–…\u{a0} €]{0,400}|\\PC{0,200}") {
            let once = simplify(&text).into_owned();
            prop_assert!(Segments::of(&once).count <= Segments::of(&text).count);
            prop_assert_eq!(simplify(&once), once.clone());
        }
    }
}

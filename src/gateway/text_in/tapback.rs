//! Reactions that come as a text, since the network has none: `Liked “see you”`. Phones write them in the language of their owner. Each is
//! known by the words around the quotation; whether it is one, the quotation decides: it has to be exactly one of the messages that the
//! peer was sent lately. What is none stays a text, and so does a reaction to a picture, which quotes nothing.

use unicode_segmentation::UnicodeSegmentation;

/// What a text says that may be a reaction.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) struct Tapback {
    /// The emoji; none takes an earlier one back.
    pub(super) emoji: Option<String>,
    /// The text that it quotes.
    pub(super) quoted: String,
}

/// The words around the quotation, in small letters, and what they mean; an empty meaning takes back.
/// As iPhones write them in English, Spanish, French, German and Italian.
const WORDED: [(&str, &str, &str); 44] = [
    ("loved", "", "❤️"),
    ("liked", "", "👍"),
    ("disliked", "", "👎"),
    ("laughed at", "", "😂"),
    ("emphasized", "", "‼️"),
    ("emphasised", "", "‼️"),
    ("questioned", "", "❓"),
    ("removed a heart from", "", ""),
    ("removed a like from", "", ""),
    ("removed a dislike from", "", ""),
    ("removed a laugh from", "", ""),
    ("removed an exclamation from", "", ""),
    ("removed an emphasis from", "", ""),
    ("removed a question mark from", "", ""),
    ("le encantó", "", "❤️"),
    ("le gustó", "", "👍"),
    ("no le gustó", "", "👎"),
    ("le dio risa", "", "😂"),
    ("se rió de", "", "😂"),
    ("exclamó por", "", "‼️"),
    ("enfatizó", "", "‼️"),
    ("dudó sobre", "", "❓"),
    ("a adoré", "", "❤️"),
    ("a aimé", "", "👍"),
    ("n'a pas aimé", "", "👎"),
    ("a ri de", "", "😂"),
    ("a mis en évidence", "", "‼️"),
    ("a souligné", "", "‼️"),
    ("a posé une question sur", "", "❓"),
    ("liebt", "", "❤️"),
    ("gefällt", "", "👍"),
    ("gefällt nicht", "", "👎"),
    ("lacht über", "", "😂"),
    ("hat", "geliebt", "❤️"),
    ("hat", "mit „gefällt mir“ markiert", "👍"),
    ("hat über", "gelacht", "😂"),
    ("hat", "hervorgehoben", "‼️"),
    ("hat", "hinterfragt", "❓"),
    ("ha adorato", "", "❤️"),
    ("ha messo mi piace a", "", "👍"),
    ("non ha gradito", "", "👎"),
    ("ha riso a", "", "😂"),
    ("ha enfatizzato", "", "‼️"),
    ("ha messo in dubbio", "", "❓"),
];

/// The same with any emoji between the words before the quotation: before the emoji, behind it, behind the quotation, and whether it
/// takes back. iPhones since iOS 18, and Google Messages, whose words may be no more than "👍 to".
const WITH_EMOJI: [(&str, &str, &str, bool); 13] = [
    ("reacted", "to", "", false),
    ("", "to", "", false),
    ("reaccionó con", "a", "", false),
    ("", "a", "", false),
    ("a réagi avec", "à", "", false),
    ("", "à", "", false),
    ("hat mit", "auf", "reagiert", false),
    ("", "auf", "", false),
    ("ha reagito con", "a", "", false),
    ("removed", "from", "", true),
    ("removed a", "from", "", true),
    ("removed an", "from", "", true),
    ("", "removed from", "", true),
];

const QUOTES: [(char, char); 6] = [
    ('“', '”'),
    ('„', '“'),
    ('«', '»'),
    ('"', '"'),
    ('„', '”'),
    ('\'', '\''),
];

/// A tapback is not longer than the longest text and the words around it.
const BYTES_MAX: usize = 8_000;

/// Reads a text as a tapback.
pub(super) fn read(text: &str) -> Option<Tapback> {
    if text.len() > BYTES_MAX {
        return None;
    }
    // Google Messages marks its words with what nobody sees.
    let shown: String = text
        .chars()
        .filter(|c| {
            !matches!(
                c,
                '\u{200b}' | '\u{200e}' | '\u{200f}' | '\u{2060}' | '\u{feff}'
            )
        })
        .map(|c| {
            if matches!(c, '\u{a0}' | '\u{200a}' | '\u{202f}') {
                ' '
            } else {
                c
            }
        })
        .collect();
    QUOTES.iter().find_map(|marks| parted(shown.trim(), *marks))
}

fn parted(text: &str, (open, close): (char, char)) -> Option<Tapback> {
    let (before, rest) = text.split_once(open)?;
    // The quotation may hold quotations itself: the last mark ends it, or the first before the words behind it.
    let ends = rest.match_indices(close).map(|(at, _)| at).rev();
    let before = before.trim().replace('’', "'").to_lowercase();
    ends.into_iter().find_map(|end| {
        let (quoted, behind) = rest.split_at_checked(end)?;
        let behind = behind
            .strip_prefix(close)?
            .trim()
            .trim_end_matches('.')
            .to_lowercase();
        let emoji = meaning(&before, &behind)?;
        let quoted = quoted.trim().to_owned();
        (!quoted.is_empty()).then_some(Tapback { emoji, quoted })
    })
}

/// What the words around a quotation mean.
#[expect(
    clippy::option_option,
    reason = "no words of a reaction, or one that is taken back"
)]
fn meaning(before: &str, behind: &str) -> Option<Option<String>> {
    let worded = WORDED
        .iter()
        .find(|(first, last, _)| *first == before && *last == behind);
    if let Some((_, _, emoji)) = worded {
        return Some(Some((*emoji).to_owned()).filter(|emoji| !emoji.is_empty()));
    }
    WITH_EMOJI
        .iter()
        .find_map(|(first, middle, last, takes_back)| {
            let emoji = before.strip_prefix(first)?.strip_suffix(middle)?.trim();
            let is_one = *last == behind && is_emoji(emoji);
            is_one.then(|| (!takes_back).then(|| emoji.to_owned()))
        })
}

/// One sign that is no letter, no digit and no punctuation of a text.
fn is_emoji(text: &str) -> bool {
    let mut signs = text.graphemes(true);
    let one = signs.next().is_some() && signs.next().is_none();
    let drawn = |c: char| !c.is_ascii() && !c.is_alphanumeric() && !c.is_whitespace();
    one && text
        .chars()
        .next()
        .is_some_and(|first| drawn(first) || text.contains('\u{20e3}'))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[track_caller]
    fn is(text: &str, emoji: &str, quoted: &str) {
        let emoji = Some(emoji.to_owned()).filter(|emoji| !emoji.is_empty());
        let quoted = quoted.to_owned();
        assert_eq!(read(text), Some(Tapback { emoji, quoted }), "{text}");
    }

    #[test]
    fn iphones_in_several_languages() {
        is("Liked “see you”", "👍", "see you");
        is("Loved \"a\nb\"", "❤️", "a\nb");
        is("Laughed at “so “funny” it is”", "😂", "so “funny” it is");
        is("Emphasised “now!”", "‼️", "now!");
        is("Reacted 😍 to “the cat”", "😍", "the cat");
        is("Removed a heart from “hi”", "", "hi");
        is("Removed 👩‍👩‍👧 from “hi”", "", "hi");
        is("Le encantó “hola”", "❤️", "hola");
        is("Reaccionó con 🔥 a “hola”", "🔥", "hola");
        is("N’a pas aimé « bof »", "👎", "bof");
        is("A réagi avec 🔥 à « la photo »", "🔥", "la photo");
        is("Gefällt „bis später“", "👍", "bis später");
        is("Hat mit 🎉 auf „Hurra“ reagiert", "🎉", "Hurra");
        is("Hat „Ja“ mit „Gefällt mir“ markiert", "👍", "Ja");
    }

    #[test]
    fn google_messages() {
        is(
            "\u{200b}👍\u{200b} to “\u{200b}ok then\u{200b}”",
            "👍",
            "ok then",
        );
        is("\u{200a}👍\u{200a} to “ok”", "👍", "ok");
        is("❤️ to \"a\"", "❤️", "a");
        is("👍 removed from “ok”", "", "ok");
        is("1️⃣ to “which one?”", "1️⃣", "which one?");
    }

    #[test]
    fn what_people_write_is_a_text() {
        for text in [
            "I liked “Dune”",
            "Liked an image",
            "Liked “”",
            "Liked “cut off",
            "liked it",
            "“Liked”",
            "to “x”",
            "x to “y”",
            "! to “y”",
            "👍👍 to “y”",
            "Reacted to “x”",
            "",
        ] {
            assert_eq!(read(text), None, "{text}");
        }
    }

    proptest! {
        #[test]
        fn any_text_can_be_quoted(quoted in "[^“”\u{200b}-\u{200f}\u{2060}\u{feff}\u{a0}\u{200a}\u{202f}]{1,60}") {
            prop_assume!(!quoted.trim().is_empty());
            let tapback = read(&format!("Liked “{quoted}”"));
            prop_assert_eq!(tapback.map(|tapback| tapback.quoted), Some(quoted.trim().to_owned()));
        }

        #[test]
        fn nothing_panics(text in "\\PC{0,80}") {
            read(&text);
        }
    }
}

//! Reactions by mail: RFC 9078, and what Gmail sends.

use mail_parser::{Message, MimeHeaders};
use serde::Deserialize;

/// Emoji of one reaction.
const EMOJI_MAX: usize = 8;
/// Characters of one emoji: families of five with skin tones, and a little more.
const EMOJI_CHARS_MAX: usize = 16;
/// A reaction's part is no longer.
const BYTES_MAX: usize = 512;

/// The subtype of Gmail's form.
pub(crate) const GMAIL: &str = "vnd.google.email-reaction+json";

/// `{"version": 1, "emoji": "👍"}`
#[derive(Deserialize)]
struct Google {
    version: u32,
    emoji: String,
}

/// The emoji of a mail that is nothing but a reaction; empty for every other.
pub(crate) fn reaction(message: &Message<'_>) -> Vec<String> {
    let standard = message.parts.iter().find_map(|part| {
        // RFC 9078 §2
        let disposition = part.content_disposition()?;
        let is_reaction = disposition.ctype().eq_ignore_ascii_case("reaction");
        let text = part.text_contents().filter(|_| is_reaction)?;
        emoji(text)
    });
    let google = || {
        message.parts.iter().find_map(|part| {
            part.is_content_type("text", GMAIL).then_some(())?;
            let text = part.contents();
            let read: Google =
                serde_json::from_slice(text.get(..text.len().min(BYTES_MAX))?).ok()?;
            (read.version == 1).then(|| emoji(&read.emoji))?
        })
    };
    standard.or_else(google).unwrap_or_default()
}

/// The emoji of a text that holds nothing else.
pub(crate) fn emoji(text: &str) -> Option<Vec<String>> {
    if text.len() > BYTES_MAX {
        return None;
    }
    let words: Vec<&str> = text.split_whitespace().collect();
    let all = words.iter().all(|word| is_emoji(word));
    (all && (1..=EMOJI_MAX).contains(&words.len()))
        .then(|| words.into_iter().map(str::to_owned).collect())
}

/// Whether a word may be one emoji: pictures and what joins them, no letter of any script, and no sign that means something in HTML.
fn is_emoji(word: &str) -> bool {
    // Letters in boxes are pictures.
    let boxed = |c: char| ('\u{1f100}'..='\u{1f1ff}').contains(&c);
    let is_picture =
        |c: char| matches!(c, '©' | '®') || c >= '\u{203c}' && (boxed(c) || !c.is_alphanumeric());
    let is_key = |c: char| c.is_ascii_digit() || matches!(c, '#' | '*');
    let keycap = word.contains('\u{20e3}');
    let joins = |c: char| c == '\u{200d}' || keycap && is_key(c);
    word.chars().count() <= EMOJI_CHARS_MAX
        && word.chars().all(|c| is_picture(c) || joins(c))
        && word.contains(is_picture)
}

#[cfg(test)]
mod tests {
    use mail_parser::MessageParser;
    use proptest::prelude::*;

    use super::*;

    fn of(mail: &str) -> Vec<String> {
        let mail = mail.replace('\n', "\r\n");
        let message = MessageParser::default().parse(mail.as_bytes());
        reaction(&message.expect("a mail"))
    }

    #[test]
    fn rfc9078_a_part_that_is_a_reaction_is_one() {
        let mail = |text: &str| {
            format!(
                "From: b@x\nIn-Reply-To: <1@x>\nContent-Type: text/plain; charset=utf-8\nContent-Disposition: Reaction\n\n{text}\n"
            )
        };
        assert_eq!(of(&mail("👍")), ["👍"]);
        assert_eq!(of(&mail("👩‍👩‍👧‍👦 ❤️")), ["👩‍👩‍👧‍👦", "❤️"]);
        assert_eq!(of(&mail("1️⃣")), ["1️⃣"]);
        for words in [
            "thanks",
            "👍 thanks",
            "",
            "好",
            "1",
            "👍<b>",
            "<",
            "!!",
            "\u{200d}",
        ] {
            assert_eq!(of(&mail(words)), [""; 0], "{words}");
        }
        assert_eq!(of(&mail("👍").replace("Reaction", "inline")), [""; 0]);
    }

    #[test]
    fn what_gmail_sends_is_one_too() {
        let mail = |json: &str| {
            format!(
                "From: b@x\nIn-Reply-To: <1@x>\nContent-Type: multipart/alternative; boundary=b\n\n--b\nContent-Type: text/plain\n\nBob \
                 reacted\n--b\nContent-Type: text/vnd.google.email-reaction+json\n\n{json}\n--b\nContent-Type: text/html\n\n<p>x</p>\n--b--\n"
            )
        };
        assert_eq!(of(&mail(r#"{"version":1,"emoji":"🎉"}"#)), ["🎉"]);
        let read = crate::read::read(
            mail(r#"{"emoji":"🎉","version":1}"#)
                .replace('\n', "\r\n")
                .as_bytes(),
            None,
            &crate::ids::OwnIds::new(transom_adapter::testkit::signer(), "x.example".to_owned()),
        );
        let to = transom_adapter::Address::new("a@x.example");
        let incoming = read.mail.for_recipient(&to, None);
        assert_eq!(incoming.mail.reaction, ["🎉"]);
        assert!(incoming.attachments.is_empty(), "it is no file");
        for json in [
            r#"{"version":2,"emoji":"🎉"}"#,
            "{",
            r#"{"emoji":"x","version":1}"#,
        ] {
            assert_eq!(of(&mail(json)), [""; 0], "{json}");
        }
    }

    proptest! {
        #[test]
        fn nothing_is_an_emoji_that_is_markup(text in "\\PC{0,40}") {
            if let Some(emoji) = emoji(&text) {
                let means_something = emoji.concat().contains(['<', '>', '&', '"', '\'']);
                prop_assert!(!means_something);
            }
        }
    }
}

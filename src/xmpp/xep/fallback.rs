//! XEP-0428: Fallback Indication. Which words of a body are only there for clients that do not know what the message is.

use crate::xmpp::{
    ns,
    stanza::{Element, Message},
};

/// A body, taken apart.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Parted {
    /// What the sender wrote.
    pub written: String,
    /// What stands there for others.
    pub fallback: String,
}

/// Takes the body apart by what the message says of this feature.
pub fn part(message: &Message, feature: &str, body: &str) -> Parted {
    let ranges = ranges(message, feature);
    let mut parted = Parted::default();
    // XEP-0428 §3: positions are counted in characters, from 0.
    for (at, character) in (0_u64..).zip(body.chars()) {
        let is_fallback = ranges
            .iter()
            .any(|(start, end)| (*start..*end).contains(&at));
        let part = if is_fallback {
            &mut parted.fallback
        } else {
            &mut parted.written
        };
        part.push(character);
    }
    parted
}

/// The ranges of the body that are a fallback; without positions it is one as a whole.
fn ranges(message: &Message, feature: &str) -> Vec<(u64, u64)> {
    // Nobody writes more than a few; each costs a look at every character.
    const RANGES_MAX: usize = 8;
    let of_feature =
        |child: &&Element| child.is("fallback", ns::FALLBACK) && child.attr("for") == Some(feature);
    let bodies = message
        .children
        .iter()
        .filter(of_feature)
        .flat_map(|fallback| {
            let bodies: Vec<&Element> = fallback
                .children()
                .filter(|part| part.is("body", ns::FALLBACK))
                .collect();
            // XEP-0428 §2: without any part named, the whole message is a fallback.
            if fallback.children().next().is_none() {
                vec![fallback]
            } else {
                bodies
            }
        });
    let range = |part: &Element| {
        let number = |name, other| match part.attr(name) {
            Some(text) => text.parse().ok(),
            None => Some(other),
        };
        Some((number("start", 0)?, number("end", u64::MAX)?))
    };
    bodies.filter_map(range).take(RANGES_MAX).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::xmpp::{jid::Jid, stanza::Message};
    use proptest::prelude::*;

    fn message(inside: &str) -> Message {
        let jid = |text| Jid::new(text).unwrap();
        Message::chat(jid("a@example.org"), jid("b@example.org"))
            .with_child(inside.parse().unwrap())
    }

    #[track_caller]
    fn parted(inside: &str, body: &str) -> (String, String) {
        let Parted { written, fallback } = part(&message(inside), ns::REPLY, body);
        (written, fallback)
    }

    fn pair(written: &str, fallback: &str) -> (String, String) {
        (written.to_owned(), fallback.to_owned())
    }

    #[test]
    fn the_quoted_lines_are_told_from_the_others() {
        let inside = "<fallback xmlns='urn:xmpp:fallback:0' for='urn:xmpp:reply:0'><body start='0' end='8'/></fallback>";
        assert_eq!(parted(inside, "> är 👍?\nyes"), pair("yes", "> är 👍?\n"));
    }

    #[test]
    fn without_positions_all_of_it_is_a_fallback() {
        for inside in [
            "<fallback xmlns='urn:xmpp:fallback:0' for='urn:xmpp:reply:0'/>",
            "<fallback xmlns='urn:xmpp:fallback:0' for='urn:xmpp:reply:0'><body/></fallback>",
        ] {
            assert_eq!(parted(inside, "abc"), pair("", "abc"), "{inside}");
        }
    }

    #[test]
    fn other_features_and_nonsense_change_nothing() {
        for inside in [
            "<fallback xmlns='urn:xmpp:fallback:0' for='urn:example:x'><body start='0' end='2'/></fallback>",
            "<fallback xmlns='urn:xmpp:fallback:0'/>",
            "<fallback xmlns='urn:xmpp:fallback:0' for='urn:xmpp:reply:0'><subject/></fallback>",
            "<fallback xmlns='urn:xmpp:fallback:0' for='urn:xmpp:reply:0'><body start='x' end='2'/></fallback>",
            "<fallback xmlns='urn:xmpp:fallback:0' for='urn:xmpp:reply:0'><body start='9' end='2'/></fallback>",
            "<fallback xmlns='urn:xmpp:fallback:0' for='urn:xmpp:reply:0'><body start='-1' end='2'/></fallback>",
        ] {
            assert_eq!(parted(inside, "abc"), pair("abc", ""), "{inside}");
        }
    }

    proptest! {
        #[test]
        fn no_character_is_lost(body in "\\PC{0,40}", start in any::<u64>(), end in any::<u64>()) {
            let (start, end) = (start % 50, end % 50);
            let inside = format!(
                "<fallback xmlns='urn:xmpp:fallback:0' for='urn:xmpp:reply:0'><body start='{start}' end='{end}'/></fallback>"
            );
            let (written, fallback) = parted(&inside, &body);
            prop_assert_eq!(written.chars().count() + fallback.chars().count(), body.chars().count());
        }
    }
}

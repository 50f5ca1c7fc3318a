//! XEP-0444: Message Reactions.

use crate::xmpp::{
    ns,
    stanza::{Element, Message},
};

/// How somebody reacts to a message: with all of these and no others. None at all takes earlier ones back.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Reactions {
    /// The message.
    pub of: String,
    /// Emoji, as they came.
    pub emoji: Vec<String>,
}

/// So many are read; XEP-0444 §3.1 lets receivers limit them.
const EMOJI_MAX: usize = 8;
/// An emoji of several people with skins is not longer than this, in bytes.
const EMOJI_BYTES_MAX: usize = 64;

/// The reactions of a message; `None` for a message that is none.
pub fn of(message: &Message) -> Option<Reactions> {
    let element = message.child("reactions", ns::REACTIONS)?;
    let of = element.attr("id").filter(|id| !id.is_empty())?.to_owned();
    let mut emoji: Vec<String> = Vec::new();
    for reaction in element
        .children()
        .filter(|child| child.is("reaction", ns::REACTIONS))
    {
        let text = reaction.text().trim().to_owned();
        // XEP-0444 §3.1: each counts once.
        let counts = !text.is_empty() && text.len() <= EMOJI_BYTES_MAX && !emoji.contains(&text);
        if counts && emoji.len() < EMOJI_MAX {
            emoji.push(text);
        }
    }
    Some(Reactions { of, emoji })
}

/// The payload that says so.
pub fn element(reactions: &Reactions) -> Element {
    let mut element =
        Element::new("reactions", ns::REACTIONS).with_attr("id", reactions.of.as_str());
    for emoji in &reactions.emoji {
        element = element.with_child(Element::text_only(
            "reaction",
            ns::REACTIONS,
            emoji.as_str(),
        ));
    }
    element
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::xmpp::{jid::Jid, stanza::Message};

    fn read(inside: &str) -> Option<Reactions> {
        let jid = |text| Jid::new(text).unwrap();
        of(&Message::chat(jid("a@example.org"), jid("b@example.org"))
            .with_child(inside.parse().unwrap()))
    }

    #[test]
    fn each_emoji_counts_once() {
        let reactions = read(
            "<reactions xmlns='urn:xmpp:reactions:0' id='m1'><reaction>👍</reaction><reaction> 👍 </reaction>\
             <reaction>❤️</reaction><reaction/><other/></reactions>",
        )
        .unwrap();
        assert_eq!(reactions.of, "m1");
        assert_eq!(reactions.emoji, ["👍", "❤️"]);
        assert_eq!(read(&element(&reactions).to_xml()), Some(reactions));
    }

    #[test]
    fn none_takes_back_and_nonsense_is_none() {
        let back = read("<reactions xmlns='urn:xmpp:reactions:0' id='m1'/>").unwrap();
        assert!(back.emoji.is_empty());
        assert_eq!(read("<reactions xmlns='urn:xmpp:reactions:0'/>"), None);
        assert_eq!(read("<reactions xmlns='urn:example:x' id='m1'/>"), None);
        let many = format!(
            "<reactions xmlns='urn:xmpp:reactions:0' id='m1'>{}<reaction>{}</reaction></reactions>",
            (0..100)
                .map(|n| format!("<reaction>{n}</reaction>"))
                .collect::<Vec<_>>()
                .concat(),
            "x".repeat(1000)
        );
        assert_eq!(read(&many).unwrap().emoji.len(), EMOJI_MAX);
    }
}

//! A message that answers another (XEP-0461): without the quotation that stands there for other clients, and with a short one of
//! ours where the user wants that.

use transom_adapter::Network;

use super::Candidate;
use crate::{
    gateway::{Gateway, settings::Settings},
    store::read::OutwardSnapshot,
    texts::Quoted,
    xmpp::{
        ns,
        stanza::Message,
        xep::fallback::{self, Parted},
    },
};

/// The body without the quotation that a client put into it, and that quotation.
pub(super) fn part(message: &Message, body: &str) -> Parted {
    if message.reply_to().is_none() {
        return Parted {
            written: body.to_owned(),
            fallback: String::new(),
        };
    }
    fallback::part(message, ns::REPLY, body)
}

impl Candidate<'_> {
    /// Puts a short quotation of what is answered before the text, on networks that have no form of their own for an answer and where
    /// the user pays for that.
    pub(super) fn put_quotation(
        &mut self,
        gateway: &Gateway,
        snapshot: &OutwardSnapshot,
        place: usize,
    ) {
        let answers = self.message.reply_to().is_some() && !self.body.is_empty();
        if gateway.network() != Network::Sms || !answers {
            return;
        }
        let user = snapshot.users.get(self.user.as_str());
        let wanted = user.is_some_and(|user| Settings::from_json(&user.settings).wants_quotes());
        let known = snapshot.answered.get(&place);
        let original = known.and_then(|known| known.body.as_deref());
        let quoted = short(original.unwrap_or(&self.quoted));
        if wanted && !quoted.is_empty() {
            self.body.insert_str(0, &format!("> {quoted}\n"));
        }
    }
}

/// The beginning, on one line, without what would make a text cost twice as much.
fn short(text: &str) -> String {
    let unquoted = |line: &str| line.trim_start_matches(['>', ' ']).to_owned();
    let lines: Vec<String> = text.lines().map(unquoted).collect();
    // An ellipsis is not among the characters of a plain text message.
    Quoted::beginning(&lines.join(" "))
        .to_string()
        .replace('…', "...")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_quotation_is_short_and_plain() {
        assert_eq!(short("> are you\n> there?\n"), "are you there?");
        assert_eq!(
            short("a sentence that goes on and on for longer than anybody wants"),
            "a sentence that goes on and on for longe..."
        );
        assert_eq!(short(""), "");
    }
}

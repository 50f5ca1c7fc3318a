//! Reactions (XEP-0444): in the network's own form, or as a text, or not at all, since a text costs money.

use super::{Candidate, Decision, Refused};
use crate::{
    gateway::{Gateway, payload::Payload, settings::Settings},
    store::read::{Answered, OutwardSnapshot},
    texts::{Content, Quoted, Text, Written},
    xmpp::{stanza::Message, xep::reactions},
};

/// A reaction that stays here: the network has no form for it, and the user wants no text to be sent.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Kept {
    /// Whose it is.
    pub user_id: i64,
    /// Why, for its sender.
    pub why: Refused,
}

/// The reaction that a message is, if it is one; a reaction that is taken back is nothing to send.
pub(super) fn of(message: &Message) -> Result<Option<reactions::Reactions>, Decision> {
    let reaction = reactions::of(message);
    let taken_back = reaction
        .as_ref()
        .is_some_and(|reaction| reaction.emoji.is_empty());
    if taken_back {
        return Err(Decision::Ignored("reaction_taken_back"));
    }
    Ok(reaction)
}

/// Whether everybody on a list would get a mail of one emoji.
fn came_by_list(answered: &Answered) -> bool {
    let payload = Payload::from_json(answered.payload.as_deref());
    payload.mail.is_some_and(|mail| mail.list)
}

impl Candidate<'_> {
    /// Words a reaction. `Some`: it is not sent.
    pub(super) fn word_reaction(
        &mut self,
        gateway: &Gateway,
        snapshot: &mut OutwardSnapshot,
        place: usize,
    ) -> Option<Decision> {
        let reaction = self.reaction.as_ref()?;
        let emoji = reaction.emoji.join(" ");
        let answered = snapshot.answered.get(&place);
        let has_form = gateway.adapter.has_reactions();
        if has_form && answered.is_some_and(came_by_list) {
            return Some(Decision::Refused(Content::ReactionToList.into()));
        }
        if has_form && answered.is_some_and(Answered::has_id) {
            self.body = emoji;
            return None;
        }
        let why: Refused = Content::ReactionKept.into();
        let Some(user) = snapshot.users.get_mut(self.user.as_str()) else {
            // Nobody becomes a user by an emoji.
            return Some(Decision::Refused(why));
        };
        let settings = Settings::from_json(&user.settings);
        // Where there is a form for them they cost nothing; this one only has no name for what it is about.
        if has_form || settings.wants_reactions() {
            let quoted = answered.and_then(|answered| answered.body.as_deref());
            let quoted = quoted.map(Quoted::beginning);
            // What leaves is in the words of whoever writes it.
            let lang = settings
                .lang()
                .unwrap_or_else(|| gateway.lang(user.lang.as_deref()));
            self.body = Text::from(Written::Reacted { emoji, quoted }).render(lang);
            self.reaction = None;
            return None;
        }
        if settings.was_told_of_reactions() {
            return Some(Decision::Refused(why));
        }
        user.settings = settings.told_of_reactions();
        let user_id = user.user_id;
        Some(Decision::Kept(Kept { user_id, why }))
    }
}

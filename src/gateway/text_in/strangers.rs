//! Whether a mail waits for the user's word (semantics 30).

use transom_adapter::{Incoming, Suspicion, UnixMillis};

use crate::{
    gateway::{Gateway, settings::Settings},
    store::{
        read::{InwardRow, StrangerListed},
        write::StrangerRow,
    },
    texts::{Knocking, Lang, Post, Quoted, Text, WhyWaits},
    xmpp::{jid::BareJid, stanza::Stanza, xep::quick},
};

/// How long a mail waits for a word; then it is thrown away.
pub const STRANGER_DAYS: u32 = 14;

/// What a subject may weigh beside the question.
const SUBJECT_CHARS_MAX: usize = 100;

/// Why a mail waits, if it does: nobody knows its sender yet, and something grave speaks against it or the user wants to be asked.
/// Somebody with whom there is a chat, or whom the roster or the user's word knows, is no stranger.
pub(super) fn stranger(
    message: &Incoming,
    user: &InwardRow,
    subject: Option<&str>,
    now: UnixMillis,
) -> Option<StrangerRow> {
    let known = &user.acquaintance;
    let why = match known.state.as_deref() {
        Some("allowed") => return None,
        // What follows the first one waits with it, in its order.
        Some(_) => "asked",
        None if known.has_chat || known.in_roster => return None,
        None => why(message, &Settings::from_json(&known.settings))?,
    };
    let subject: Option<String> =
        subject.map(|subject| subject.chars().take(SUBJECT_CHARS_MAX).collect());
    Some(StrangerRow {
        user_id: user.user_id,
        peer: message.from.as_str().to_owned(),
        why,
        subject,
        at_ms: now.0,
    })
}

fn why(message: &Incoming, settings: &Settings) -> Option<&'static str> {
    let suspicions = &message.mail.suspicions;
    let grave = suspicions.iter().find(|suspicion| suspicion.is_grave());
    match grave {
        Some(Suspicion::Spam) => Some("spam"),
        Some(_) => Some("disowned"),
        None if settings.asks_about_strangers() => Some("asked"),
        None => None,
    }
}

/// The line that tells a user of them, with buttons where the client has them (XEP-0439) and it is about one.
pub fn knocking(
    gateway: &Gateway,
    to: &BareJid,
    (people, named): (&[StrangerListed], usize),
    lang: Lang,
    now: UnixMillis,
) -> Vec<Stanza> {
    let text = match people {
        [] => return Vec::new(),
        [one] => Post::WantsToWrite(one.into()),
        several => Post::WantToWrite {
            people: several.iter().take(named).map(Knocking::from).collect(),
            more: several.len().saturating_sub(named),
        },
    };
    let mut line = gateway.say(to, Text::from(text).render(lang), lang, now);
    if let (Stanza::Message(message), [one]) = (&mut line, people) {
        let words = ["accept", "discard", "allow", "block"];
        let button = |word: &str| quick::button(word, format!("{word} {}", one.peer));
        message.children.extend(words.map(button));
    }
    vec![line]
}

impl From<&StrangerListed> for Knocking {
    fn from(one: &StrangerListed) -> Self {
        Self {
            peer: one.peer.clone(),
            subject: one.subject.as_deref().map(Quoted::beginning),
            why: why_waits(&one.why),
            days: STRANGER_DAYS,
        }
    }
}

/// The reason by its word in the database.
pub fn why_waits(word: &str) -> WhyWaits {
    match word {
        "spam" => WhyWaits::Spam,
        "disowned" => WhyWaits::Disowned,
        _ => WhyWaits::Asked,
    }
}

#[cfg(test)]
mod tests {
    use transom_adapter::testkit::incoming;

    use super::*;
    use crate::store::read::Acquaintance;

    fn user(acquaintance: Acquaintance) -> InwardRow {
        InwardRow {
            user_id: 1,
            jid: "alice@example.org".to_owned(),
            state: "active".to_owned(),
            owner: true,
            conversation: None,
            plain_ms: 0,
            other_plain_ms: 0,
            blocked: false,
            shown_thread: None,
            threads: Vec::new(),
            quoted: Vec::new(),
            reactions: Vec::new(),
            acquaintance,
        }
    }

    #[track_caller]
    fn check(suspicion: Option<Suspicion>, known: Acquaintance, want: Option<&str>) {
        let mut message = incoming("bob@example.com", "alice@mail.example.org", "hi");
        message.mail.suspicions.extend(suspicion);
        let got = stranger(&message, &user(known), Some("x"), UnixMillis(1));
        assert_eq!(got.map(|row| row.why), want);
    }

    fn unknown() -> Acquaintance {
        Acquaintance::default()
    }

    #[test]
    fn only_a_grave_word_or_the_users_own_makes_a_stranger_wait() {
        check(None, unknown(), None);
        check(Some(Suspicion::Unverified), unknown(), None);
        check(Some(Suspicion::Spam), unknown(), Some("spam"));
        check(Some(Suspicion::Disowned), unknown(), Some("disowned"));
        let asks = Acquaintance {
            settings: r#"{"ask_strangers":"yes"}"#.to_owned(),
            ..unknown()
        };
        check(None, asks, Some("asked"));
    }

    #[test]
    fn who_is_known_never_waits_and_who_waits_goes_on_waiting() {
        let has_chat = Acquaintance {
            has_chat: true,
            ..unknown()
        };
        let in_roster = Acquaintance {
            in_roster: true,
            ..unknown()
        };
        let state = |state: &str| Acquaintance {
            has_chat: true,
            state: Some(state.to_owned()),
            ..unknown()
        };
        for known in [has_chat, in_roster, state("allowed")] {
            check(Some(Suspicion::Spam), known, None);
        }
        check(None, state("waiting"), Some("asked"));
    }
}

//! Mail threads: which one a message belongs to (semantics 27 and 28).

use transom_adapter::{Thread, UnixMillis};

use crate::{
    store::{
        read::{Answered, KnownThread},
        write::ThreadRow,
    },
    xmpp::stanza::Message,
};

/// The current thread is the one last active within seven days.
const CURRENT_MS: i64 = 7 * 24 * 3_600_000;
/// References keep their first and the last so many: RFC 5322 §3.6.4 wants the list, headers want an end.
const REFERENCES_MAX: usize = 20;
/// A subject made of the first words.
const SUBJECT_CHARS: usize = 60;

/// What a user's message says about its thread.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) struct Wish {
    /// Which thread was asked for.
    pub(super) thread: Wanted,
    /// The text without the line that asked for it.
    pub(super) body: String,
}

/// Which thread a message asks for.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) enum Wanted {
    /// None in particular.
    Any,
    /// A new one, whose subject is the first words.
    New,
    /// A new one with this subject.
    NewAbout(String),
}

/// The thread that a message goes into, before its own Message-ID is known.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) struct Chosen {
    pub(super) thread_id: i64,
    pub(super) subject: String,
    pub(super) xmpp_thread: String,
    pub(super) last_id: Option<String>,
    pub(super) references: Vec<String>,
    /// The message only reacts to the one that it answers.
    pub(super) reaction: bool,
}

/// Reads the wish: `<subject/>`, a first line "Subject: …", or `/new`.
pub(super) fn wish(message: &Message, body: &str) -> Wish {
    let subject = message
        .subject()
        .map(|subject| subject.trim().to_owned())
        .filter(|subject| !subject.is_empty());
    if let Some(subject) = subject {
        return Wish {
            thread: Wanted::NewAbout(subject),
            body: body.to_owned(),
        };
    }
    let (first, rest) = body.split_once('\n').unwrap_or((body, ""));
    let asked = |wanted: Wanted| Wish {
        thread: wanted,
        body: rest.trim_start_matches('\n').to_owned(),
    };
    let first = first.trim();
    let has_rest = !rest.trim().is_empty();
    if first.eq_ignore_ascii_case("/new") && has_rest {
        return asked(Wanted::New);
    }
    let named = first
        .split_once(':')
        .filter(|(name, _)| ["subject", "betreff"].contains(&name.to_lowercase().as_str()));
    match named {
        Some((_, subject)) if has_rest && !subject.trim().is_empty() => {
            asked(Wanted::NewAbout(subject.trim().to_owned()))
        }
        _ => Wish {
            thread: Wanted::Any,
            body: body.to_owned(),
        },
    }
}

/// Picks the thread: asked for, answered, named, current, or a new one.
pub(super) fn choose(
    known: &[KnownThread],
    answered: Option<&Answered>,
    message: &Message,
    wish: &Wish,
    now: UnixMillis,
    new_id: impl FnOnce() -> i64,
) -> Chosen {
    let named = message.thread();
    let by_id = |id: i64| known.iter().find(|thread| thread.thread_id == id);
    let existing = match &wish.thread {
        Wanted::New | Wanted::NewAbout(_) => None,
        Wanted::Any => answered
            .and_then(|answered| by_id(answered.thread_id?))
            .or_else(|| named_thread(known, named.as_deref()))
            .or_else(|| current(known, now)),
    };
    if let Some(thread) = existing {
        let mut chosen = Chosen::of(thread);
        let of_this = answered.filter(|answered| answered.thread_id == Some(thread.thread_id));
        if let Some(id) = of_this.and_then(|answered| answered.message_id.clone()) {
            chosen.answer(id);
        }
        return chosen;
    }
    let thread_id = new_id();
    let subject = match &wish.thread {
        Wanted::NewAbout(subject) => subject.clone(),
        Wanted::Any | Wanted::New => first_words(&wish.body),
    };
    let xmpp_thread = named.map_or_else(
        || transom_adapter::Key(thread_id).to_string(),
        std::borrow::Cow::into_owned,
    );
    Chosen {
        thread_id,
        subject,
        xmpp_thread,
        last_id: None,
        references: Vec::new(),
        reaction: false,
    }
}

/// The thread of a mail from outside: the one it answers, the one with the same subject that is current, or a new one.
pub(super) fn of_mail(
    known: &[KnownThread],
    answered: Option<i64>,
    subject: Option<&str>,
    now: UnixMillis,
    new_id: impl FnOnce() -> i64,
) -> (Chosen, bool) {
    let base = base_subject(subject.unwrap_or_default());
    let same = |thread: &&KnownThread| {
        is_current(thread, now) && base_subject(&thread.subject).eq_ignore_ascii_case(base)
    };
    let existing = answered
        .and_then(|id| known.iter().find(|thread| thread.thread_id == id))
        .or_else(|| {
            known
                .iter()
                .filter(same)
                .max_by_key(|thread| thread.active_ms)
        });
    if let Some(thread) = existing {
        (Chosen::of(thread), false)
    } else {
        let thread_id = new_id();
        let xmpp_thread = transom_adapter::Key(thread_id).to_string();
        (
            Chosen {
                thread_id,
                subject: base.to_owned(),
                xmpp_thread,
                last_id: None,
                references: Vec::new(),
                reaction: false,
            },
            true,
        )
    }
}

impl Chosen {
    fn of(thread: &KnownThread) -> Self {
        Self {
            thread_id: thread.thread_id,
            subject: thread.subject.clone(),
            xmpp_thread: thread.xmpp_thread.clone(),
            last_id: thread.last_id.clone(),
            references: thread.references.clone(),
            reaction: false,
        }
    }

    /// The mail with this Message-ID is answered, and not the last one of the thread.
    fn answer(&mut self, id: String) {
        let last = self.last_id.replace(id);
        let new = last.filter(|last| !self.references.contains(last));
        self.references.extend(new);
    }

    /// As a mail's headers need it.
    pub(super) fn headers(&self) -> Thread {
        Thread {
            subject: self.subject.clone(),
            in_reply_to: self.last_id.clone(),
            references: self.references.clone(),
            reaction: self.reaction,
        }
    }

    /// The row after a mail with this Message-ID.
    pub(super) fn row(
        self,
        conversation_id: i64,
        message_id: Option<String>,
        at_ms: i64,
    ) -> ThreadRow {
        let mut references = self.references;
        references.extend(self.last_id.clone().filter(|id| !references.contains(id)));
        if references.len() > REFERENCES_MAX {
            let surplus = references.len() - REFERENCES_MAX;
            references.drain(1..=surplus);
        }
        ThreadRow {
            thread_id: self.thread_id,
            conversation_id,
            subject: self.subject,
            xmpp_thread: self.xmpp_thread,
            last_id: message_id.or(self.last_id),
            reference_ids: serde_json::to_string(&references).unwrap_or_else(|_| "[]".to_owned()),
            active_ms: at_ms,
        }
    }
}

/// An unknown `<thread/>` is an alias of the current one: some clients put a new one on every message.
fn named_thread<'a>(known: &'a [KnownThread], named: Option<&str>) -> Option<&'a KnownThread> {
    let named = named?;
    known.iter().find(|thread| thread.xmpp_thread == named)
}

fn current(known: &[KnownThread], now: UnixMillis) -> Option<&KnownThread> {
    known
        .iter()
        .filter(|thread| is_current(thread, now))
        .max_by_key(|thread| thread.active_ms)
}

fn is_current(thread: &KnownThread, now: UnixMillis) -> bool {
    now.0 - thread.active_ms <= CURRENT_MS
}

/// The subject without reply and forward prefixes. RFC 5256 §2.1, with the words that mail programs use elsewhere
pub(super) fn base_subject(subject: &str) -> &str {
    const PREFIXES: [&str; 14] = [
        "re", "aw", "sv", "vs", "antw", "fw", "fwd", "wg", "tr", "rv", "enc", "odp", "ynt",
        "doorst",
    ];
    let mut base = subject.trim();
    loop {
        let Some((prefix, rest)) = base.split_once(':') else {
            return base;
        };
        let word = prefix.split('[').next().unwrap_or(prefix).trim();
        if !PREFIXES
            .iter()
            .any(|known| word.eq_ignore_ascii_case(known))
        {
            return base;
        }
        base = rest.trim_start();
    }
}

/// The beginning of a text on one line, cut between words.
pub(super) fn first_words(text: &str) -> String {
    let line = text
        .lines()
        .map(str::trim)
        .find(|line| !line.is_empty())
        .unwrap_or_default();
    if line.chars().count() <= SUBJECT_CHARS {
        return line.to_owned();
    }
    let mut subject = String::new();
    for word in line.split_whitespace() {
        if !subject.is_empty() && subject.chars().count() + word.chars().count() >= SUBJECT_CHARS {
            break;
        }
        if !subject.is_empty() {
            subject.push(' ');
        }
        subject.extend(word.chars().take(SUBJECT_CHARS));
    }
    subject.push('…');
    subject
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::xmpp::jid::Jid;

    const DAY: i64 = 24 * 3_600_000;

    fn message() -> Message {
        Message::chat(Jid::new("a@b").unwrap(), Jid::new("c@d").unwrap())
    }

    fn thread(thread_id: i64, subject: &str, active_ms: i64) -> KnownThread {
        KnownThread {
            thread_id,
            conversation_id: 1,
            subject: subject.to_owned(),
            xmpp_thread: format!("t{thread_id}"),
            last_id: Some(format!("last{thread_id}@x")),
            references: vec![format!("first{thread_id}@x")],
            active_ms,
        }
    }

    fn pick(known: &[KnownThread], replied: Option<i64>, message: &Message, body: &str) -> Chosen {
        let answered = replied.map(|thread_id| Answered {
            thread_id: Some(thread_id),
            ..Answered::default()
        });
        choose(
            known,
            answered.as_ref(),
            message,
            &wish(message, body),
            UnixMillis(10 * DAY),
            || 99,
        )
    }

    #[test]
    fn a_message_goes_into_the_current_thread() {
        let known = [
            thread(1, "old", DAY),
            thread(2, "lunch", 9 * DAY),
            thread(3, "work", 8 * DAY),
        ];
        let chosen = pick(&known, None, &message(), "and you?");
        assert_eq!((chosen.thread_id, chosen.subject.as_str()), (2, "lunch"));
        assert_eq!(chosen.headers().in_reply_to.as_deref(), Some("last2@x"));
    }

    #[test]
    fn the_very_mail_that_is_answered_is_named() {
        let answered = Answered {
            thread_id: Some(1),
            message_id: Some("first@x".to_owned()),
            ..Answered::default()
        };
        let known = [thread(1, "old", DAY), thread(2, "lunch", 9 * DAY)];
        let wish = wish(&message(), "yes");
        let now = UnixMillis(10 * DAY);
        let chosen = choose(&known, Some(&answered), &message(), &wish, now, || 99);
        let headers = chosen.headers();
        assert_eq!(headers.in_reply_to.as_deref(), Some("first@x"));
        assert!(
            headers.references.contains(&"last1@x".to_owned()),
            "{headers:?}"
        );
    }

    #[test]
    fn without_a_current_thread_the_first_words_are_the_subject() {
        let chosen = pick(
            &[thread(1, "old", DAY)],
            None,
            &message(),
            "\nHello Bob\nhow are you",
        );
        assert_eq!(
            (chosen.thread_id, chosen.subject.as_str()),
            (99, "Hello Bob")
        );
        assert_eq!(chosen.headers().in_reply_to, None);
        let long = pick(&[], None, &message(), &"word ".repeat(40));
        assert!(
            long.subject.ends_with('…') && long.subject.chars().count() <= SUBJECT_CHARS + 1,
            "{}",
            long.subject
        );
    }

    #[test]
    fn a_new_thread_is_asked_for_in_three_ways() {
        let known = [thread(2, "lunch", 9 * DAY)];
        let by_subject = pick(&known, None, &message().with_subject("Dinner"), "now?");
        assert_eq!(
            (by_subject.thread_id, by_subject.subject.as_str()),
            (99, "Dinner")
        );
        let line = wish(&message(), "Subject: Dinner\n\nnow?");
        assert_eq!(
            (line.thread, line.body.as_str()),
            (Wanted::NewAbout("Dinner".to_owned()), "now?")
        );
        let command = wish(&message(), "/new\nsomething else");
        assert_eq!(
            (command.thread, command.body.as_str()),
            (Wanted::New, "something else")
        );
        for ordinary in [
            "Subject: only this",
            "what subject: that",
            "/new",
            "/newer\nx",
        ] {
            assert_eq!(wish(&message(), ordinary).thread, Wanted::Any, "{ordinary}");
        }
    }

    #[test]
    fn an_unknown_thread_is_an_alias_and_an_answer_picks_its_own() {
        let known = [thread(2, "lunch", 9 * DAY), thread(3, "work", 8 * DAY)];
        assert_eq!(
            pick(&known, None, &message().with_thread("made-up"), "hi").thread_id,
            2
        );
        assert_eq!(
            pick(&known, None, &message().with_thread("t3"), "hi").thread_id,
            3
        );
        assert_eq!(pick(&known, Some(3), &message(), "hi").thread_id, 3);
    }

    #[test]
    fn a_mail_finds_its_thread_by_what_it_answers_then_by_its_subject() {
        let known = [thread(2, "lunch", 9 * DAY), thread(3, "work", 8 * DAY)];
        let of = |answered, subject| {
            of_mail(&known, answered, Some(subject), UnixMillis(10 * DAY), || 99)
        };
        assert_eq!(of(Some(3), "AW: whatever").0.thread_id, 3);
        assert_eq!(of(None, "Re: AW: Lunch").0.thread_id, 2);
        let (new, is_new) = of(None, "Re: never heard of");
        assert_eq!(
            (new.thread_id, new.subject.as_str(), is_new),
            (99, "never heard of", true)
        );
    }

    #[test]
    fn references_grow_and_stay_bounded() {
        let mut chosen = pick(&[], None, &message(), "hi");
        for number in 0..50 {
            let row = chosen.clone().row(1, Some(format!("m{number}@x")), 0);
            chosen.last_id = row.last_id;
            chosen.references = serde_json::from_str(&row.reference_ids).unwrap();
        }
        assert_eq!(chosen.references.len(), REFERENCES_MAX);
        assert_eq!(
            chosen.references.first().map(String::as_str),
            Some("m0@x"),
            "the first stays"
        );
        assert_eq!(chosen.references.last().map(String::as_str), Some("m48@x"));
    }
}

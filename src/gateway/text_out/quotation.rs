//! What a mail quotes of the one that it answers, where the user wants that.

use transom_adapter::{Quotation, UnixMillis};

use super::Candidate;
use crate::{
    gateway::{Gateway, payload::Payload, settings::Settings, threads},
    store::read::{Answered, OutwardSnapshot},
    texts::{Text, Written},
};

/// Longer quotations are cut: the other side has the mail.
const CHARS_MAX: usize = 4000;

impl Candidate<'_> {
    /// The quotation for a mail in this thread: of the message that is answered, else of the thread's last one if the other side wrote it.
    pub(super) fn quotation(
        &self,
        gateway: &Gateway,
        snapshot: &OutwardSnapshot,
        place: usize,
        (settings, thread): (&Settings, &threads::Chosen),
    ) -> Option<Quotation> {
        if !settings.quotes_mail() || thread.reaction {
            return None;
        }
        let named = snapshot.answered.get(&place);
        let of_this = named.filter(|answered| answered.thread_id == Some(thread.thread_id));
        let last = || {
            let last = snapshot.last_of_thread.get(&thread.thread_id);
            last.filter(|last| !last.own)
        };
        let quoted = of_this.or_else(last)?;
        let text = short(quoted.body.as_deref()?.trim());
        if text.is_empty() {
            return None;
        }
        let user = snapshot.users.get(self.user.as_str());
        let lang = user.and_then(|user| user.lang.as_deref());
        let lang = settings.lang().unwrap_or_else(|| gateway.lang(lang));
        let introduction = Text::from(Written::Wrote {
            who: self.author(gateway, settings, quoted),
            day: UnixMillis(quoted.created_ms)
                .timestamp()
                .strftime("%Y-%m-%d")
                .to_string(),
        });
        Some(Quotation {
            introduction: introduction.render(lang),
            text,
        })
    }

    /// Who wrote it, as its readers know them.
    fn author(&self, gateway: &Gateway, settings: &Settings, quoted: &Answered) -> String {
        let payload = Payload::from_json(quoted.payload.as_deref());
        let of_group = payload
            .group
            .as_deref()
            .and_then(|group| group.author_name());
        if quoted.own {
            let name = self.name(gateway, settings);
            return name.unwrap_or_else(|| self.user.to_string());
        }
        let author = of_group.map(str::to_owned).or(payload.name);
        author.unwrap_or_else(|| self.contact.peer.as_str().to_owned())
    }
}

fn short(text: &str) -> String {
    match text.char_indices().nth(CHARS_MAX) {
        Some((end, _)) => format!("{}\n[…]", text.get(..end).unwrap_or_default()),
        None => text.to_owned(),
    }
}

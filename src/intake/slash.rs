//! What is written to a contact and means the gateway: `/original`, `/unsubscribe`, `/accept`, `/decline`, `/maybe`; and the mark that a
//! mail was displayed, here or elsewhere. Nothing of it leaves as it stands.

mod attend;
mod displayed;
mod original;
mod read;
mod unsubscribe;

use tokio::sync::mpsc;
use transom_adapter::{AccountName, Address, Attending, Network};

use super::{Intake, throttle::Throttle};
use crate::{
    gateway::{
        Gateway, ids,
        payload::{Payload, StoredMail},
        refusal,
        settings::{Setting, Settings},
    },
    texts::{Cap, Post, Text},
    xmpp::{
        jid::{BareJid, Jid},
        stanza::{Message, Stanza},
        xep::markers,
    },
};

/// What may wait; more is told to come back.
const WAITING_MAX: usize = 64;
/// Of one person.
const PER_MINUTE: u32 = 20;
const MINUTE_MS: i64 = 60_000;
/// Mails of a contact that are looked through for what a command needs.
const MAILS_MAX: i64 = 50;

/// What is asked.
#[derive(Clone, PartialEq, Eq, Debug)]
enum Asked {
    /// The whole mail.
    Original,
    /// To leave the list.
    Unsubscribe,
    /// To answer the invitation.
    Attend(Attending),
    /// Nothing: this stanza was displayed.
    Displayed(String),
}

/// What has to be done.
#[derive(Debug)]
enum Work {
    /// Somebody said something in a chat.
    Said(Box<Message>),
    /// A mail in this account was read in another program.
    ReadElsewhere(AccountName, String),
}

/// Where all this goes.
#[derive(Clone, Debug)]
pub(super) struct Slash(mpsc::Sender<Work>);

/// Whether a message to a contact is for here.
pub(super) fn concerns(gateway: &Gateway, message: &Message) -> bool {
    asked(gateway, message).is_some()
}

fn asked(gateway: &Gateway, message: &Message) -> Option<Asked> {
    message.to.as_ref()?.node()?;
    if gateway.network() != Network::Email {
        return None;
    }
    let Some(body) = message.body() else {
        return markers::displayed_id(message).map(|id| Asked::Displayed(id.to_owned()));
    };
    match own_words(&body).to_lowercase().as_str() {
        "/original" => Some(Asked::Original),
        "/unsubscribe" => Some(Asked::Unsubscribe),
        "/accept" => Some(Asked::Attend(Attending::Accepted)),
        "/decline" => Some(Asked::Attend(Attending::Declined)),
        "/maybe" => Some(Asked::Attend(Attending::Tentative)),
        _ => None,
    }
}

/// Without the quotation that some clients put before an answer.
fn own_words(body: &str) -> String {
    let own = body.lines().filter(|line| !line.starts_with('>'));
    own.collect::<Vec<_>>().join("\n").trim().to_owned()
}

/// Starts the task; it ends when the intake does.
pub(super) fn start(intake: &Intake) -> Slash {
    let (asks, mut inbox) = mpsc::channel::<Work>(WAITING_MAX);
    let task = intake.clone();
    intake.lifecycle.spawn("intake.slash", async move {
        let mut throttle = Throttle::new(PER_MINUTE, MINUTE_MS);
        while let Some(work) = inbox.recv().await {
            let message = match work {
                Work::Said(message) => message,
                Work::ReadElsewhere(account, message_id) => {
                    read::elsewhere(&task, &account, &message_id).await;
                    continue;
                }
            };
            let speaker = message.from.as_ref().map(Jid::to_bare);
            let speaker = speaker.map(|jid| jid.to_string()).unwrap_or_default();
            let answers = if throttle.allows(&speaker, task.clock.now().0) {
                answer(&task, &message).await
            } else {
                task.count("slash_too_many");
                Err(Cap::Busy.into())
            };
            let answers =
                answers.unwrap_or_else(|why| refused(&task, &message, &why).into_iter().collect());
            for answer in answers {
                // The link may have gone meanwhile: whoever still wants it asks again.
                task.link.send(answer).await.ok();
            }
        }
    });
    Slash(asks)
}

impl Slash {
    /// Takes one that [`concerns`] this.
    pub(super) async fn take(&self, intake: &Intake, message: Message) {
        if let Err(full) = self.0.try_send(Work::Said(Box::new(message)))
            && let Work::Said(message) = full.into_inner()
            && let Some(answer) = refused(intake, &message, &Cap::Busy.into())
        {
            intake.link.send(answer).await.ok();
        }
    }

    /// Takes the news that a mail was read in another program; more than can wait is passed over.
    pub(super) fn read_elsewhere(&self, account: AccountName, message_id: String) {
        self.0
            .try_send(Work::ReadElsewhere(account, message_id))
            .ok();
    }
}

fn refused(intake: &Intake, message: &Message, why: &Text) -> Option<Stanza> {
    // A mark asks for nothing.
    message.body()?;
    let lang = intake.gateway.lang(message.lang.as_deref());
    let error = message.error_reply(&refusal::error(why, lang));
    error.map(Stanza::from)
}

async fn answer(intake: &Intake, message: &Message) -> Result<Vec<Stanza>, Text> {
    let asked = asked(&intake.gateway, message);
    let (Some(asked), Some(place)) = (asked, Place::of(intake, message)) else {
        return Ok(Vec::new());
    };
    match asked {
        Asked::Original => original::give(intake, &place).await,
        Asked::Unsubscribe => unsubscribe::leave(intake, &place).await,
        Asked::Attend(attending) => attend::answer(intake, &place, attending).await,
        Asked::Displayed(id) => displayed::note(intake, &place, &id).await,
    }
}

/// Who asks, in which chat, about which of its messages.
struct Place<'a> {
    message: &'a Message,
    /// The user's full JID.
    from: &'a Jid,
    user: BareJid,
    contact: BareJid,
    peer: Address,
    about: Option<&'a str>,
}

impl<'a> Place<'a> {
    fn of(intake: &Intake, message: &'a Message) -> Option<Self> {
        let (from, to) = (message.from.as_ref()?, message.to.as_ref()?);
        let contact = intake.gateway.contact(to.node()?.as_str()).ok()?;
        Some(Self {
            message,
            from,
            user: from.to_bare(),
            contact: to.to_bare(),
            peer: contact.peer,
            about: message.reply_to().map(ids::message_of),
        })
    }

    /// A line in the chat.
    fn say(&self, intake: &Intake, text: Post) -> Stanza {
        let lang = intake.gateway.lang(self.message.lang.as_deref());
        let id = ids::stanza_id(intake.clock.now());
        Message::chat(self.contact.clone(), self.user.clone())
            .with_id(id.clone())
            .with_origin_id(id)
            .with_body(Text::from(text).render(lang))
            .into()
    }

    /// The newest mail in the chat, or the one that is answered, of which this can be said.
    async fn mail<T>(
        &self,
        intake: &Intake,
        about: Option<&str>,
        wanted: impl Fn(&mut StoredMail) -> Option<T>,
    ) -> Result<Option<(Kept, T)>, Text> {
        let pair = (self.user.as_str(), self.peer.as_str());
        let rows = intake
            .store
            .mails_of(intake.gateway.id, pair, about, MAILS_MAX)
            .await
            .map_err(|_| Text::from(Cap::Busy))?;
        for row in rows {
            let payload = Payload::from_json(row.payload.as_deref());
            let subject = payload.subject;
            let mut mail = payload.mail;
            if let Some(found) = mail.as_deref_mut().and_then(&wanted) {
                let kept = Kept {
                    message_id: row.message_id,
                    line: row.line,
                    settings: row.settings,
                    subject,
                };
                return Ok(Some((kept, found)));
            }
        }
        Ok(None)
    }

    /// The contact of somebody who is written to from the address that a mail came to: pinned, where another one would be taken.
    async fn contact_of(&self, intake: &Intake, kept: &Kept, to: &str) -> Option<BareJid> {
        let lines = intake.store.lines_of(intake.gateway.id, self.user.as_str());
        let lines = lines.await.unwrap_or_default();
        let settings = Settings::from_json(&kept.settings);
        let first = lines.first().map(String::as_str);
        let usual = settings.get(Setting::Line).or(first);
        let line = Address::new(kept.line.clone());
        let pin = (usual != Some(line.as_str())).then_some(&line);
        intake.gateway.jid_of(&Address::new(to), pin)
    }

    /// Sends a mail in the user's name, through everything that a message of theirs passes; what is said to it comes back.
    async fn send(&self, intake: &Intake, message: Message) -> Result<Option<Stanza>, Text> {
        let busy = || Text::from(Cap::Busy);
        let running = intake.operations.running.as_ref().ok_or_else(busy)?;
        let answers = running.try_message(intake.gateway.id, message).await;
        let answer = answers.ok_or_else(busy)?.into_iter().next();
        Ok(answer.map(|answer| match answer {
            Stanza::Message(mut error) => {
                error.id.clone_from(&self.message.id);
                error.from = Some(Jid::from(self.contact.clone()));
                error.into()
            }
            other => other,
        }))
    }
}

/// A mail that was found.
struct Kept {
    message_id: i64,
    /// Our address that it came to.
    line: String,
    /// What its reader chose.
    settings: String,
    subject: Option<String>,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_quotation_before_the_command_is_no_part_of_it() {
        for body in [
            "/original",
            " /original\n",
            "> what he wrote\n> more\n/original",
        ] {
            assert_eq!(own_words(body), "/original", "{body}");
        }
        assert_ne!(own_words("/original please"), "/original");
    }
}

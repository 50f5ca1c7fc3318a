//! What has to be known of a person before a stanza can be decided on.

use super::{Reception, Trouble};
use crate::{
    gateway::registration::{self, Book, Person},
    intake::Intake,
    store::read::{Ask, OutwardSnapshot},
    xmpp::jid::BareJid,
};

/// Contacts of one user that a search looks at, and peers that one user can have blocked.
const BOOK_MAX: i64 = 10_000;
/// Numbers of the pool that are looked at.
const FREE_MAX: i64 = 1000;

/// What has to be known of whom.
pub(super) struct Lookup<'a> {
    pub(super) jid: &'a BareJid,
    /// The contact, as the roster knows it.
    pub(super) contact: &'a str,
    /// What else.
    pub(super) more: More<'a>,
}

/// What has to be known besides the registration.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum More<'a> {
    Nothing,
    /// Lines and numbers, with the number or alias that was chosen.
    Lines(Option<&'a str>),
    /// Everybody whom the person knows.
    Contacts,
    /// Whom the person has blocked.
    Blocks,
}

impl Reception {
    pub(super) async fn load(&self, lookup: &Lookup<'_>) -> Result<Person, Trouble> {
        let Intake {
            store,
            gateway,
            clock,
            ..
        } = &self.intake;
        let (jid, now_ms) = (lookup.jid.to_string(), clock.now().0);
        let mut member = store.member(gateway.id, &jid, lookup.contact).await?;
        let mut book = Book::default();
        match lookup.more {
            More::Contacts => book.contacts = store.book(gateway.id, &jid, BOOK_MAX).await?,
            More::Blocks => {
                if let Some(member) = &member {
                    let user_id = member.user_id;
                    let blocks = store.blocks_of(gateway.id, user_id, BOOK_MAX).await?;
                    book.blocked = blocks.into_iter().map(|(peer, _)| peer).collect();
                }
            }
            More::Nothing | More::Lines(_) => {}
        }
        if let (Some(member), More::Lines(_)) = (&mut member, lookup.more) {
            member.others = store
                .contacts_counted(member.user_id, lookup.contact)
                .await?;
        }
        let mut person = Person {
            jid: lookup.jid.clone(),
            member,
            view: OutwardSnapshot::default(),
            free: Vec::new(),
            taken: false,
            book,
        };
        let More::Lines(choice) = lookup.more else {
            return Ok(person);
        };
        let address = gateway
            .adapter
            .own_address(&jid)
            .map(|address| address.as_str().to_owned());
        let ask = Ask::about_user(jid, address);
        person.view = store.outward(gateway.id, &[ask], now_ms).await?;
        person.free = store.free_lines(gateway.id, now_ms, FREE_MAX).await?;
        let wanted = choice.and_then(|choice| registration::chosen_address(gateway, choice));
        if let Some(wanted) = wanted {
            person.taken = store.has_line(gateway.id, wanted.as_str()).await?;
        }
        Ok(person)
    }
}

//! The desk: registering, leaving and coming back, whether it was asked by XEP-0077, in the chat or by a subscription.

use super::{DISABLED_FOR, Effects, Person};
use crate::{
    config::Registration as Mode,
    gateway::{Gateway, moment::Moment, presence::farewell},
    store::{
        Write,
        read::{KnownLine, Subscription},
        write::{ContactRow, Unregister, UserRow},
    },
    texts::{Admin, Lang, Membership, Registration, Text},
    xmpp::stanza::{Presence, PresenceType, Stanza},
};

/// One person at the desk.
pub struct Desk<'a> {
    /// Where.
    pub gateway: &'a Gateway,
    /// Who.
    pub person: &'a Person,
    /// When.
    pub moment: &'a Moment<'a>,
    /// What the person reads.
    pub lang: Lang,
}

impl Desk<'_> {
    /// Registers, comes back, or chooses a number or an alias. Says what came of it; a refusal may have effects too: a request.
    ///
    /// # Errors
    ///
    /// Why not, or not yet; [`denial`](super::denial()) makes the stanza error.
    pub fn register(&self, choice: Option<&str>, effects: &mut Effects) -> Result<Text, Text> {
        let jid = &self.person.jid;
        if !self.gateway.admits(jid) {
            return Err(Membership::NotAllowed {
                gateway: self.domain(),
            }
            .into());
        }
        let choice = choice.map(str::trim).filter(|choice| !choice.is_empty());
        match self
            .person
            .member
            .as_ref()
            .map(|member| member.state.as_str())
        {
            Some("active") => self.choose(choice, effects),
            Some("pending") => Err(Registration::RequestSent.into()),
            Some(_) => Ok(self.restore(effects)),
            None => match self.gateway.config.registration {
                Mode::Closed => Err(Membership::RegistrationClosed.into()),
                Mode::Approval => Err(self.request(effects)),
                Mode::Open => self.enter(choice, effects),
            },
        }
    }

    /// Ends the registration, at once and complete (semantics 15).
    ///
    /// # Errors
    ///
    /// There is none.
    pub fn unregister(&self, effects: &mut Effects) -> Result<Text, Text> {
        if self.person.member.is_none() {
            return Err(Membership::NotRegistered {
                gateway: self.domain(),
            }
            .into());
        }
        effects.writes.push(self.forget());
        effects
            .answers
            .extend(farewell(&self.gateway.config.domain, &self.person.jid));
        Ok(Registration::Unregistered.into())
    }

    /// The gateway left the roster: nothing is sent, nothing is lost for thirty days (semantics 15).
    pub fn disable(&self, effects: &mut Effects) {
        let Some(member) = &self.person.member else {
            return;
        };
        effects
            .writes
            .push(contact(member.user_id, Subscription::default()));
        if member.state != "active" {
            return;
        }
        effects.writes.push(self.user("disabled"));
        let until = self.moment.now.after(DISABLED_FOR).timestamp();
        effects
            .answers
            .push(self.line(&Registration::Disabled { until }.into()));
    }

    /// A disabled user is back; everything is as it was.
    pub fn restore(&self, effects: &mut Effects) -> Text {
        effects.writes.push(self.user("active"));
        effects.wakes = true;
        self.ask_back(effects);
        Registration::Restored.into()
    }

    /// An admin lets this person in; says what the admin is told.
    pub fn approve(&self, effects: &mut Effects) -> Text {
        let user = self.person.jid.to_string();
        if !self.gateway.admits(&self.person.jid) {
            return Admin::NotAdmitted { user }.into();
        }
        if self
            .person
            .member
            .as_ref()
            .is_none_or(|member| member.state != "active")
        {
            let mut told = Text::from(Registration::Approved).render(self.lang);
            // Without a line yet, the user chooses one: the first message says how.
            if let Ok(place) = self.place(None) {
                effects.claims.extend(place.claims);
                told.push('\n');
                told.push_str(&self.registered(place.address).render(self.lang));
            }
            effects.writes.push(self.user("active"));
            effects.wakes = true;
            effects.answers.push(self.say(told));
            self.ask_back(effects);
        }
        Admin::UserAdded { user }.into()
    }

    /// An admin lets this person in with a number or an alias, as if they had chosen it; who waits keeps the registration's key.
    ///
    /// # Errors
    ///
    /// Why that cannot be had.
    pub fn let_in(&self, choice: Option<&str>, effects: &mut Effects) -> Result<Text, Text> {
        let choice = choice.map(str::trim).filter(|choice| !choice.is_empty());
        let said = self.enter(choice, effects)?;
        effects.wakes = true;
        Ok(said)
    }

    /// An admin says no; says what the admin is told.
    pub fn decline(&self, effects: &mut Effects) -> Text {
        let user = self.person.jid.to_string();
        if self
            .person
            .member
            .as_ref()
            .is_none_or(|member| member.state != "pending")
        {
            return Admin::NothingToDecline { user }.into();
        }
        effects.writes.push(self.forget());
        effects
            .answers
            .push(self.line(&Registration::Declined.into()));
        Admin::UserDeclined { user }.into()
    }

    /// Where the person stands, for the person.
    pub fn status(&self) -> Text {
        match self
            .person
            .member
            .as_ref()
            .map(|member| (member.state.as_str(), member.changed_ms))
        {
            None if !self.gateway.admits(&self.person.jid) => Membership::NotAllowed {
                gateway: self.domain(),
            }
            .into(),
            None => Membership::NotRegistered {
                gateway: self.domain(),
            }
            .into(),
            Some(("active", _)) => self.already(),
            Some(("pending", _)) => Registration::RequestSent.into(),
            Some((_, since)) => {
                let until = transom_adapter::UnixMillis(since)
                    .after(DISABLED_FOR)
                    .timestamp();
                Registration::Disabled { until }.into()
            }
        }
    }

    /// The number or address that the person sends from, and from no shared line.
    pub fn own_line(&self) -> Option<&KnownLine> {
        self.lines().iter().find(|line| line.state == "active")
    }

    /// A line of the gateway's own chat with the person.
    pub fn line(&self, text: &Text) -> Stanza {
        self.say(text.render(self.lang))
    }

    fn say(&self, body: String) -> Stanza {
        self.gateway
            .say(&self.person.jid, body, self.lang, self.moment.now)
    }

    fn enter(&self, choice: Option<&str>, effects: &mut Effects) -> Result<Text, Text> {
        let place = self.place(choice)?;
        effects.claims.extend(place.claims);
        effects.writes.push(self.user("active"));
        self.ask_back(effects);
        Ok(self.registered(place.address))
    }

    /// A user asks again: perhaps for a number of their own.
    fn choose(&self, choice: Option<&str>, effects: &mut Effects) -> Result<Text, Text> {
        if let Some(own) = self.own_line() {
            let same = choice
                .is_none_or(|choice| self.read(choice).is_some_and(|read| read == own.address));
            return if same {
                Ok(self.already())
            } else {
                Err(self.already())
            };
        }
        if choice.is_none() && !self.person.view.shared.is_empty() {
            return Ok(self.already());
        }
        let place = self.place(choice)?;
        effects.claims.extend(place.claims);
        Ok(self.registered(place.address))
    }

    /// Semantics 14: one request to the admins.
    fn request(&self, effects: &mut Effects) -> Text {
        effects.writes.push(self.user("pending"));
        let ask = Admin::ApprovalRequest {
            user: self.person.jid.to_string(),
            gateway: self.domain(),
        };
        let lang = self.gateway.config.lang;
        let body = Text::from(ask).render(lang);
        let now = self.moment.now;
        let to_admin = |admin| self.gateway.say(admin, body.clone(), lang, now);
        effects
            .answers
            .extend(self.gateway.admins.iter().map(to_admin));
        Registration::RequestSent.into()
    }

    /// The gateway wants to see the user's presence: asked once, never again after an answer.
    fn ask_back(&self, effects: &mut Effects) {
        let known = self
            .person
            .member
            .as_ref()
            .map(|member| member.contact)
            .unwrap_or_default();
        if known.asked {
            return;
        }
        let user_id = effects.writes.iter().find_map(|write| match write {
            Write::User(row) => Some(row.user_id),
            _ => None,
        });
        let Some(user_id) = self
            .person
            .member
            .as_ref()
            .map(|member| member.user_id)
            .or(user_id)
        else {
            return;
        };
        effects.writes.push(contact(
            user_id,
            Subscription {
                asked: true,
                ..known
            },
        ));
        let (from, to) = (self.gateway.own_jid(), self.person.jid.clone());
        effects
            .answers
            .push(Presence::new(PresenceType::Subscribe, from, to).into());
    }

    fn user(&self, state: &'static str) -> Write {
        let known = self.person.member.as_ref();
        Write::User(UserRow {
            user_id: known.map_or_else(self.moment.ids, |member| member.user_id),
            gateway_id: self.gateway.id,
            jid: self.person.jid.to_string(),
            state,
            lang: Some(self.lang.tag().to_owned()),
            at_ms: self.moment.now.0,
        })
    }

    fn forget(&self) -> Write {
        let (gateway_id, at_ms) = (self.gateway.id, self.moment.now.0);
        Write::Unregister(Unregister {
            gateway_id,
            jid: self.person.jid.to_string(),
            disabled_before_ms: None,
            at_ms,
        })
    }

    pub(super) fn lines(&self) -> &[KnownLine] {
        self.person
            .view
            .lines
            .get(self.person.jid.as_str())
            .map_or(&[], Vec::as_slice)
    }

    pub(super) fn already(&self) -> Text {
        match self.own_line() {
            Some(line) => Registration::AlreadyRegistered {
                address: line.address.clone(),
            }
            .into(),
            None => self.registered(None),
        }
    }

    fn registered(&self, address: Option<String>) -> Text {
        if address.is_none() && self.person.view.shared.is_empty() {
            return self.gateway.no_line().into();
        }
        Registration::Registered {
            address,
            network: self.gateway.network(),
        }
        .into()
    }

    pub(super) fn domain(&self) -> String {
        self.gateway.config.domain.to_string()
    }
}

/// What the roster knows of the gateway itself.
fn contact(user_id: i64, known: Subscription) -> Write {
    let Subscription { subscribed, asked } = known;
    Write::Contact(ContactRow {
        user_id,
        peer: String::new(),
        subscribed: subscribed.into(),
        asked: asked.into(),
    })
}

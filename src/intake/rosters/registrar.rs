//! What is done about a contact that a user should know.

use std::{collections::VecDeque, sync::Arc, time::Duration};

use tokio::sync::mpsc;
use transom_adapter::UnixMillis;

use super::{Introduction, JOBS_MAX, Job, book::Books};
use crate::{
    gateway::{presence, target::Target},
    intake::Intake,
    store::{
        Write, WriteError,
        read::{Member, Subscription},
        write::ContactRow,
    },
    texts::{Chat, Text},
    xmpp::{
        jid::{BareJid, Jid},
        ns,
        stanza::{Element, Iq, Message, MessageType, Presence, PresenceType},
        stream::RequestError,
        xep::{
            disco::{Info, Query, Topic},
            privilege::Privileges,
            roster::Item,
        },
    },
};

/// A server says soon after the login what it allows. Until then nobody is bothered with a question.
const GRACE: Duration = Duration::from_secs(2);
/// How long a server or a client may take to answer.
pub(super) const PATIENCE: Duration = Duration::from_secs(10);
/// How long a database that is out of order is left alone.
const PAUSE: Duration = Duration::from_secs(5);
/// Clients of one user that are asked what they can do.
const RESOURCES_MAX: usize = 8;

/// Does the work, one after the other: a roster is changed in order.
pub(super) struct Registrar {
    pub(super) intake: Intake,
    pub(super) books: Books,
    waiting: VecDeque<Introduction>,
    grace_ends: UnixMillis,
    /// Those for which the database was out of order, and when they are tried again.
    put_back: VecDeque<Introduction>,
    again_at: UnixMillis,
}

/// The database is out of order: it is to be tried again.
struct OutOfOrder;

impl Registrar {
    pub(super) fn new(intake: Intake) -> Self {
        Self {
            intake,
            books: Books::default(),
            waiting: VecDeque::new(),
            grace_ends: UnixMillis(0),
            put_back: VecDeque::new(),
            again_at: UnixMillis(0),
        }
    }

    pub(super) async fn run(mut self, mut inbox: mpsc::Receiver<Job>) {
        let clock = Arc::clone(&self.intake.clock);
        let lifecycle = self.intake.lifecycle.clone();
        loop {
            tokio::select! {
                () = lifecycle.draining() => return,
                job = inbox.recv() => match job {
                    Some(job) => self.work(job).await,
                    None => return,
                },
                () = clock.sleep_until(self.grace_ends), if !self.waiting.is_empty() => {
                    while let Some(introduction) = self.waiting.pop_front() {
                        self.introduce(introduction).await;
                    }
                }
                () = clock.sleep_until(self.again_at), if !self.put_back.is_empty() => self.try_again().await,
            }
        }
    }

    async fn work(&mut self, job: Job) {
        match job {
            Job::LinkUp => {
                // Servers say it anew on each connection; silence means no.
                self.intake.rosters.announced.begin();
                self.books.clear();
                self.grace_ends = self.intake.clock.now().after(GRACE);
            }
            Job::Privileges(privileges) => self.allowed(*privileges).await,
            Job::Changed(user) => self.books.forget(&user),
            Job::Introduce(introduction) => {
                let host = introduction.user.domain().as_str();
                let early = self.intake.clock.now() < self.grace_ends;
                if early && self.announced(host).is_none() && self.waiting.len() < JOBS_MAX {
                    self.waiting.push_back(introduction);
                } else {
                    self.introduce(introduction).await;
                }
            }
            Job::Leave(leaver) => self.leave(leaver).await,
        }
    }

    pub(super) fn announced(&self, host: &str) -> Option<Privileges> {
        self.intake.rosters.announced.of(host)
    }

    async fn allowed(&mut self, privileges: Privileges) {
        let host = privileges.host.to_string();
        tracing::info!(
            gateway = %self.intake.gateway.config.name,
            host,
            namespace = privileges.namespace,
            roster = privileges.roster.set,
            messages = privileges.message,
            "A server says what it allows on behalf of its users."
        );
        if !self.intake.rosters.announced.note(privileges) {
            self.intake.count("privileges_of_too_many_hosts");
            return;
        }
        let of_host = |one: &Introduction| one.user.domain().as_str() == host;
        let (now, later): (VecDeque<_>, VecDeque<_>) = std::mem::take(&mut self.waiting)
            .into_iter()
            .partition(of_host);
        self.waiting = later;
        for introduction in now {
            self.introduce(introduction).await;
        }
    }

    async fn introduce(&mut self, introduction: Introduction) {
        if self.try_to_introduce(&introduction).await.is_err() && self.put_back.len() < JOBS_MAX {
            self.put_back.push_back(introduction);
            self.again_at = self.intake.clock.now().after(PAUSE);
        }
    }

    async fn try_again(&mut self) {
        while let Some(introduction) = self.put_back.pop_front() {
            if self.try_to_introduce(&introduction).await.is_err() {
                self.put_back.push_front(introduction);
                self.again_at = self.intake.clock.now().after(PAUSE);
                return;
            }
        }
    }

    async fn try_to_introduce(&mut self, introduction: &Introduction) -> Result<(), OutOfOrder> {
        let Introduction { ours, user, .. } = introduction;
        let target = Target::read(&self.intake.gateway, &ours.clone().into());
        let gateway_id = self.intake.gateway.id;
        let member = match self
            .intake
            .store
            .member(gateway_id, user.as_str(), target.key())
            .await
        {
            Ok(member) => member,
            Err(error) => {
                let is_data = error.is_data();
                let error = &error as &dyn std::error::Error;
                tracing::error!(error, "Cannot read what a roster knows.");
                return if is_data { Ok(()) } else { Err(OutOfOrder) };
            }
        };
        let Some(member) = member.filter(|member| member.state == "active") else {
            return Ok(());
        };
        let known = member.contact;
        let asked = Subscription {
            asked: true,
            ..known
        };
        if !introduction.decided && (known.asked || known.subscribed) {
            return Ok(());
        }
        if self.enter(introduction, &target, &member).await {
            let there = Subscription {
                subscribed: true,
                asked: true,
            };
            self.note(&member, &target, there).await.ok();
        } else if introduction.of_many {
            // It is introduced by its first message, as anybody else.
        } else if introduction.decided {
            self.ask(introduction, &member).await;
        } else if self.offer(introduction, &target, &member).await {
            self.note(&member, &target, asked).await.ok();
        } else if introduction.asks {
            // Written first: asked twice is worse than never.
            match self.note(&member, &target, asked).await {
                Ok(()) => self.ask(introduction, &member).await,
                Err(error) if error.passes() => return Err(OutOfOrder),
                Err(_) => {}
            }
        }
        Ok(())
    }

    /// Puts it into the roster where the server lets us, and shows that it is there (a server does not ask by itself).
    async fn enter(
        &mut self,
        introduction: &Introduction,
        target: &Target,
        member: &Member,
    ) -> bool {
        let Introduction { ours, user, .. } = introduction;
        let host = user.domain().to_string();
        let Some(privileges) = self.announced(&host).filter(|known| known.roster.set) else {
            return false;
        };
        let readable = privileges.roster.get;
        let known = if readable {
            self.books.entry(&self.intake, user, ours).await
        } else {
            Ok(None)
        };
        let set = match known {
            Ok(known) => {
                // What the user calls it, and where the user keeps it, stays.
                let item = Item {
                    subscription: Some("both".to_owned()),
                    ..known.unwrap_or_else(|| self.item(target, member))
                };
                self.set(user, item.set(ours)).await
            }
            Err(error) => Err(error),
        };
        if let Err(error) = set {
            self.cannot(&host, &error);
            return false;
        }
        // Whoever began by subscribing has seen it already.
        if member.contact.subscribed {
            return true;
        }
        let present = match target {
            Target::Contact { jid, peer, .. } => presence::contact_present(
                &self.intake.gateway,
                (jid, peer),
                member.name.as_deref(),
                user.clone(),
            ),
            Target::Gateway | Target::Nobody(_) => {
                presence::present(&self.intake.gateway, user.clone())
            }
        };
        self.intake.link.send(present).await.ok();
        true
    }

    /// A server that announces more than it does: ejabberd before 23.10 fails here for components.
    pub(super) fn cannot(&mut self, host: &str, error: &RequestError) {
        if matches!(error, RequestError::Lost) {
            return;
        }
        tracing::warn!(
            gateway = %self.intake.gateway.config.name,
            host,
            error = error as &dyn std::error::Error,
            "The server announces that rosters may be changed, and refuses. Contacts ask their users instead."
        );
        self.intake.count("roster_refused");
        self.intake.rosters.announced.no_roster(host);
    }

    /// XEP-0144: only to clients that say they take it, and only what is not the gateway itself.
    async fn offer(&self, introduction: &Introduction, target: &Target, member: &Member) -> bool {
        let Introduction { ours, user, .. } = introduction;
        if *target == Target::Gateway {
            return false;
        }
        let online = self.intake.online.resources(user.as_str(), RESOURCES_MAX);
        let online: Vec<Jid> = online.iter().filter_map(|jid| Jid::new(jid).ok()).collect();
        let takes = online.iter().map(|resource| self.takes_offers(resource));
        let takes = futures_util::future::join_all(takes).await;
        let mut offered = false;
        for (resource, _) in online.into_iter().zip(takes).filter(|(_, takes)| *takes) {
            let offer = self.item(target, member).offer(ours);
            let domain = self.intake.gateway.own_jid();
            let message = Message::new(MessageType::Normal, domain, resource).with_child(offer);
            offered |= self.intake.link.send(message).await.is_ok();
        }
        offered
    }

    async fn takes_offers(&self, resource: &Jid) -> bool {
        let query = Query {
            topic: Topic::Info,
            node: None,
        };
        let iq = Iq::get(
            self.intake.gateway.own_jid(),
            resource.clone(),
            query.to_element(),
        );
        let answer = self.intake.link.request(iq, PATIENCE).await.ok();
        let info = answer.and_then(|iq| Info::from_element(iq.payload()?));
        info.is_some_and(|info| info.has(ns::ROSTER_EXCHANGE))
    }

    async fn ask(&self, introduction: &Introduction, member: &Member) {
        let Introduction { ours, user, .. } = introduction;
        let question = Presence::new(PresenceType::Subscribe, ours.clone(), user.clone());
        let question = presence::with_nick(question, member.name.as_deref());
        self.intake.link.send(question).await.ok();
    }

    fn item(&self, target: &Target, member: &Member) -> Item {
        let gateway = &self.intake.gateway;
        let network = gateway.network();
        let label = Text::from(Chat::Name { network }).render(gateway.config.lang);
        Item {
            name: match target {
                Target::Contact { .. } => member.name.clone(),
                Target::Gateway | Target::Nobody(_) => Some(label.clone()),
            },
            subscription: None,
            groups: vec![label],
        }
    }

    pub(super) async fn set(&self, user: &BareJid, payload: Element) -> Result<Iq, RequestError> {
        let iq = Iq::set(self.intake.gateway.own_jid(), user.clone(), payload);
        self.intake.link.request(iq, PATIENCE).await
    }

    async fn note(
        &self,
        member: &Member,
        target: &Target,
        known: Subscription,
    ) -> Result<(), WriteError> {
        let row = ContactRow {
            user_id: member.user_id,
            peer: target.key().to_owned(),
            subscribed: known.subscribed.into(),
            asked: known.asked.into(),
        };
        let written = self.intake.writer.commit_one(Write::Contact(row)).await;
        let written = written.inspect_err(|error| {
            let error: &dyn std::error::Error = error;
            tracing::error!(error, "Cannot write what a roster knows.");
        });
        written.map(drop)
    }
}

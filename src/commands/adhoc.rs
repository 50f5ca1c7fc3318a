//! XEP-0050: commands as forms, answered whole.

mod drawing;

use std::collections::HashMap;

use transom_adapter::UnixMillis;

use super::{Commands, Scope, Session, Turn, find, sentence};
use crate::{
    gateway::refusal,
    operations::Refusal,
    store::StoreError,
    texts::{Dialogue, Lang, Membership, Text},
    xmpp::{
        jid::Jid,
        stanza::{Condition, Element, Iq, StanzaError},
        xep::{
            adhoc::{Action, Fault, Request, Stage, Status},
            disco, forms,
        },
    },
};
use drawing::{asked, discovered, done, info, stage, wrong};

/// Forms that are open at a time, at one gateway.
const SESSIONS_MAX: usize = 1000;
/// The same, of one person.
const SESSIONS_OF_ONE_MAX: usize = 5;
/// A form that was not touched for so long is forgotten.
const IDLE_MS: i64 = 15 * 60_000;

/// The forms that are open.
#[derive(Default)]
pub(super) struct Sessions(HashMap<String, Open>);

struct Open {
    owner: Jid,
    session: Session,
    touched: UnixMillis,
}

/// What a request comes to.
type Answer = Result<Element, Box<StanzaError>>;

impl Commands {
    /// Answers a request about commands.
    ///
    /// # Errors
    ///
    /// [`StoreError`] when the database does not say who asks.
    pub(super) async fn request(&mut self, iq: &Iq) -> Result<Option<Iq>, StoreError> {
        let Some(from) = iq.from.clone() else {
            return Ok(None);
        };
        let scope = self.scope(from.to_bare(), iq.lang.as_deref()).await?;
        let answer = if !scope.admitted() {
            let gateway = self.gateway.config.domain.to_string();
            let why = Text::from(Membership::NotAllowed { gateway });
            Err(refusal::error(&why, scope.lang).into())
        } else if let Some(query) = disco::Query::parse(iq) {
            discovered(&scope, &query)
        } else {
            match Request::parse(iq) {
                Some(Ok(request)) => self.command(from, scope, request).await,
                Some(Err(fault)) => Err(fault.error().into()),
                None => Err(StanzaError::new(Condition::BadRequest).into()),
            }
        };
        Ok(match answer {
            Ok(payload) => iq.result(Some(payload)),
            Err(error) => iq.error_reply(&error),
        })
    }

    async fn command(&mut self, from: Jid, scope: Scope, request: Request) -> Answer {
        let now = self.now();
        self.forms
            .0
            .retain(|_, open| now.0 - open.touched.0 < IDLE_MS);
        let Some(session) = &request.session else {
            return self.first_form(from, scope, &request).await;
        };
        // XEP-0050 §3.3: a session belongs to the full JID that began it.
        let open = match self.forms.0.remove(session) {
            Some(open) if open.owner == from && open.session.command.name == request.node => open,
            Some(open) => {
                self.forms.0.insert(session.clone(), open);
                return Err(Fault::BadSession.error().into());
            }
            None if is_ours(session) => return Err(expired(&scope).into()),
            None => return Err(Fault::BadSession.error().into()),
        };
        // Whoever was an admin at the beginning may be none any more.
        if !scope.may(open.session.command) {
            return Err(not_for_you(&scope).into());
        }
        self.next_form(session.clone(), from, open.session, &request)
            .await
    }

    async fn first_form(&mut self, from: Jid, scope: Scope, request: &Request) -> Answer {
        let command = find(&request.node)
            .ok_or_else(|| Box::new(StanzaError::new(Condition::ItemNotFound)))?;
        if !scope.may(command) {
            return Err(not_for_you(&scope).into());
        }
        // XEP-0050 §3.1: nothing but `execute` begins.
        match request.action {
            Action::Execute => {}
            Action::Cancel | Action::Prev | Action::Next | Action::Complete => {
                return Err(Fault::BadAction.error().into());
            }
        }
        let of_one = self
            .forms
            .0
            .values()
            .filter(|open| open.session.scope.speaker == scope.speaker);
        if of_one.count() >= SESSIONS_OF_ONE_MAX || self.forms.0.len() >= SESSIONS_MAX {
            let text = Text::from(Dialogue::TooMany).render(scope.lang);
            let error = StanzaError::new(Condition::ResourceConstraint);
            return Err(error.with_text(scope.lang.tag(), text).into());
        }
        let id = new_id();
        let mut session = Session::new(command, scope);
        let turn = session.go_on(&self.operations).await;
        Ok(self.stage(id, from, session, turn).to_element())
    }

    async fn next_form(
        &mut self,
        id: String,
        from: Jid,
        mut session: Session,
        request: &Request,
    ) -> Answer {
        let lang = session.scope.lang;
        match request.action {
            Action::Cancel => {
                let text = Text::from(Dialogue::Cancelled).render(lang);
                let mut stage = stage(id, &session, Status::Canceled);
                stage.notes.push(info(text));
                return Ok(stage.to_element());
            }
            Action::Prev if session.can_go_back() => session.go_back(),
            Action::Prev => {
                self.keep(id, from, session);
                return Err(Fault::BadAction.error().into());
            }
            Action::Execute | Action::Next | Action::Complete => {
                let Some(form) = &request.form else {
                    self.keep(id, from, session);
                    return Err(Fault::BadPayload.error().into());
                };
                // A field of several lines has a value a line (XEP-0004 §3.3).
                let value = |field: &forms::Field| (field.var.clone(), field.values.join("\n"));
                let given: HashMap<String, String> = form.fields.iter().map(value).collect();
                let value = |name: &str| given.get(name).map(String::as_str);
                if let Err(why) = session.fill(value) {
                    // The same form again, with what is wrong.
                    let mut stage = asked(id.clone(), &session);
                    stage.notes.push(wrong(why.render(lang)));
                    self.keep(id, from, session);
                    return Ok(stage.to_element());
                }
            }
        }
        let turn = session.go_on(&self.operations).await;
        Ok(self.stage(id, from, session, turn).to_element())
    }

    fn stage(&mut self, id: String, from: Jid, session: Session, turn: Turn) -> Stage {
        let lang = session.scope.lang;
        match turn {
            Turn::Ask => {
                let stage = asked(id.clone(), &session);
                self.keep(id, from, session);
                stage
            }
            Turn::Done(reply) => done(id, &session, &reply, self.now().timestamp()),
            Turn::Refused(why) => {
                let mut stage = stage(id, &session, Status::Completed);
                stage.notes.push(wrong(refused(&why, lang)));
                stage
            }
            Turn::Stopped => {
                let mut stage = stage(id, &session, Status::Completed);
                let text = Text::from(Dialogue::Cancelled).render(lang);
                stage.notes.push(info(text));
                stage
            }
        }
    }

    fn keep(&mut self, id: String, owner: Jid, session: Session) {
        let open = Open {
            owner,
            session,
            touched: self.now(),
        };
        self.forms.0.insert(id, open);
    }
}

/// Ours are hexadecimal; what was never ours did not expire.
fn is_ours(session: &str) -> bool {
    session.len() == 32 && session.bytes().all(|b| b.is_ascii_hexdigit())
}

fn new_id() -> String {
    hex::encode(rand::random::<[u8; 16]>())
}

fn expired(scope: &Scope) -> StanzaError {
    let text = Text::from(Dialogue::Expired).render(scope.lang);
    Fault::SessionExpired
        .error()
        .with_text(scope.lang.tag(), text)
}

fn not_for_you(scope: &Scope) -> StanzaError {
    let text = Text::from(Dialogue::NotForYou).render(scope.lang);
    StanzaError::new(Condition::Forbidden).with_text(scope.lang.tag(), text)
}

/// A refusal as a sentence.
pub(super) fn refused(why: &Refusal, lang: Lang) -> String {
    sentence(&Text::from(why.clone()).render(lang))
}

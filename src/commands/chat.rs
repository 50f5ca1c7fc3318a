//! The chat with the gateway itself (semantics 8): nothing said to it ever leaves. Forms are asked field by field.
//!
//! Whoever is in the middle of a command answers it; `cancel` and `help` always mean themselves. What is remembered of a conversation is
//! bounded in number and time, in memory, and gone with the process: then a number is answered with a sentence that says so.

mod answers;
mod reading;

use std::collections::HashMap;

use transom_adapter::UnixMillis;

use super::{
    Answered, Command, Commands, Scope, Session, Turn, Who,
    adhoc::refused,
    form::{Field, Kind},
    shown::{Block, Rows, blocks},
};
use crate::{
    gateway::refusal,
    operations::{Operations, Reply},
    store::StoreError,
    texts::{Chat, Dialogue, Lang, Membership, Quoted, Text, Told, Topic},
    xmpp::{
        jid::BareJid,
        stanza::{Message, Stanza},
    },
};
use answers::{beginning, meant};
pub use reading::NotSaid;
use reading::{Said, heard, word};

/// People in the middle of a command, at one gateway.
const CHATS_MAX: usize = 10_000;
/// Whoever does not answer for so long is no longer asked.
const IDLE_MS: i64 = 10 * 60_000;
/// Rows of a table in a chat.
const ROWS_MAX: usize = 30;

/// Who is in the middle of what.
#[derive(Default)]
pub(super) struct Chats(HashMap<BareJid, Asked>);

/// A question that waits for its answer.
struct Asked {
    session: Session,
    /// Which field of the form.
    at: usize,
    filled: Vec<(&'static str, String)>,
    touched: UnixMillis,
}

impl Commands {
    /// Answers a message to the gateway.
    ///
    /// # Errors
    ///
    /// [`StoreError`] when the database does not say who asks.
    pub(super) async fn talk(&mut self, message: &Message) -> Result<Answered, StoreError> {
        let (speaker, body) = match heard(&self.gateway, message) {
            Ok(heard) => heard,
            Err(NotSaid::Ignored(why)) => return Ok(Answered::Ignored(why)),
            Err(NotSaid::Refused(answer)) => return Ok(Answered::With(vec![*answer])),
        };
        let scope = self.scope(speaker, message.lang.as_deref()).await?;
        if !scope.admitted() {
            let gateway = self.gateway.config.domain.to_string();
            let why = Text::from(Membership::NotAllowed { gateway });
            let answer = message.error_reply(&refusal::error(&why, scope.lang));
            return Ok(Answered::With(
                answer.map(Stanza::from).into_iter().collect(),
            ));
        }
        let to = scope.speaker.clone();
        let lang = scope.lang;
        let text = self.answer(scope, &body).await;
        let line = self.gateway.say(&to, text, lang, self.now());
        Ok(Answered::with(line))
    }

    /// Says to somebody who writes quicker than is answered to wait, instead of an answer.
    ///
    /// # Errors
    ///
    /// [`StoreError`] as with an answer.
    pub async fn slow_down(&self, message: &Message) -> Result<Answered, StoreError> {
        let Ok((speaker, _)) = heard(&self.gateway, message) else {
            return Ok(Answered::Ignored("not_chat"));
        };
        let scope = self.scope(speaker, message.lang.as_deref()).await?;
        if !scope.admitted() {
            return Ok(Answered::Ignored("not_admitted"));
        }
        let text = Text::from(Dialogue::TooFast).render(scope.lang);
        let line = self
            .gateway
            .say(&scope.speaker, text, scope.lang, self.now());
        Ok(Answered::with(line))
    }

    async fn answer(&mut self, scope: Scope, body: &str) -> String {
        let (lang, now) = (scope.lang, self.now());
        self.chats
            .0
            .retain(|_, asked| now.0 - asked.touched.0 < IDLE_MS);
        let say = |text: Dialogue| Text::from(text).render(lang);
        let open = self.chats.0.remove(&scope.speaker);
        match (Said::read(&scope, body), open) {
            (Said::Cancel, None) => say(Dialogue::NothingToCancel),
            (Said::Cancel, Some(_)) => say(Dialogue::Cancelled),
            (Said::Help, open) => {
                if let Some(open) = open {
                    self.chats.0.insert(scope.speaker.clone(), open);
                }
                help(&scope)
            }
            (Said::HelpFor(command), None) => say(Dialogue::HelpFor {
                usage: command.name.to_owned(),
                topic: command.topic,
            }),
            (_, Some(open)) => self.go_on(open, body).await,
            (Said::Command(command, rest), None) => self.begin(command, scope, rest).await,
            (Said::Number, None) => say(Dialogue::NotAsked),
            (Said::Unknown, None) => {
                let command = Quoted::beginning(body);
                Text::from(Chat::UnknownCommand { command }).render(lang)
            }
        }
    }

    /// Begins; what was written behind the command's name fills one form after the other.
    async fn begin(&mut self, command: &'static Command, scope: Scope, mut rest: &str) -> String {
        let mut session = Session::new(command, scope);
        let mut turn = session.go_on(&self.operations).await;
        let mut asked = Asked {
            session,
            at: 0,
            filled: Vec::new(),
            touched: self.now(),
        };
        while matches!(turn, Turn::Ask) && !rest.is_empty() {
            rest = match asked.take_words(rest) {
                Ok(behind) => behind,
                Err(why) => return self.ask(asked, Some(&why)),
            };
            if asked.field().is_some() {
                break;
            }
            turn = match asked.submit(&self.operations).await {
                Ok(turn) => turn,
                Err(why) => return self.ask(asked, Some(&why)),
            };
        }
        self.turned(asked, turn)
    }

    async fn go_on(&mut self, mut asked: Asked, body: &str) -> String {
        match asked.take(body) {
            Ok(()) => self.filled_or_asked(asked).await,
            Err(why) => self.ask(asked, Some(&why)),
        }
    }

    /// Asks the next field, or goes on with the command when there is none.
    async fn filled_or_asked(&mut self, mut asked: Asked) -> String {
        if asked.field().is_some() {
            return self.ask(asked, None);
        }
        match asked.submit(&self.operations).await {
            Ok(turn) => self.turned(asked, turn),
            Err(why) => self.ask(asked, Some(&why)),
        }
    }

    fn turned(&mut self, asked: Asked, turn: Turn) -> String {
        let lang = asked.session.scope.lang;
        match turn {
            Turn::Ask => self.ask(asked, None),
            Turn::Done(reply) => drawn(&reply, lang, self.now()),
            Turn::Refused(why) => refused(&why, lang),
            Turn::Stopped => Text::from(Dialogue::Cancelled).render(lang),
        }
    }

    /// Asks, and remembers that it was asked.
    fn ask(&mut self, mut asked: Asked, wrong: Option<&Text>) -> String {
        let lang = asked.session.scope.lang;
        let mut lines: Vec<String> = wrong.into_iter().map(|text| text.render(lang)).collect();
        if asked.at == 0 && wrong.is_none() {
            let says = asked.session.form.says.iter();
            lines.extend(says.map(|text| text.render(lang)));
        }
        if let Some(field) = asked.field() {
            lines.extend(question(field, lang));
        }
        lines.push(Text::from(Dialogue::OrCancel).render(lang));
        asked.touched = self.now();
        if self.chats.0.len() >= CHATS_MAX {
            return Text::from(Dialogue::TooMany).render(lang);
        }
        self.chats
            .0
            .insert(asked.session.scope.speaker.clone(), asked);
        lines.join("\n")
    }
}

impl Asked {
    fn field(&self) -> Option<&Field> {
        self.session.form.fields.get(self.at)
    }

    /// Takes an answer to the field that is asked.
    fn take(&mut self, given: &str) -> Result<(), Text> {
        let Some(field) = self.field() else {
            return Ok(());
        };
        let given = meant(field, given.trim());
        let value = field.check(&self.session.scope.gateway, &given)?;
        let name = field.name;
        self.filled.push((name, value));
        self.at += 1;
        Ok(())
    }

    /// Takes a word a field and gives back what is left for the next form; the last field takes all of it, or, of a list, what is in the list.
    /// What may be left out was left out.
    fn take_words<'t>(&mut self, mut rest: &'t str) -> Result<&'t str, Text> {
        let count = self.session.form.fields.len();
        while let Some(field) = self.field().filter(|_| !rest.is_empty()) {
            let is_last = self.at + 1 == count;
            let (given, behind) = match beginning(field, rest) {
                Some(split) => split,
                None if is_last => (rest, ""),
                None => word(rest),
            };
            rest = behind;
            self.take(given)?;
        }
        while let Some(field) = self.field().filter(|field| !field.required) {
            let kept = field.value.clone().unwrap_or_default();
            let name = field.name;
            self.filled.push((name, kept));
            self.at += 1;
        }
        Ok(rest)
    }

    /// Goes on with the command: each field of the form has its answer.
    async fn submit(&mut self, on: &Operations) -> Result<Turn, Text> {
        let filled = std::mem::take(&mut self.filled);
        self.at = 0;
        let value = |name: &str| {
            let given = filled.iter().find(|(field, _)| *field == name);
            given.map(|(_, value)| value.as_str())
        };
        self.session.fill(value)?;
        Ok(self.session.go_on(on).await)
    }
}

fn question(field: &Field, lang: Lang) -> Vec<String> {
    let say = |text: Dialogue| Text::from(text).render(lang);
    let numbered = |labels: Vec<String>| {
        let line = |(at, label): (usize, String)| format!("{}. {label}", at + 1);
        labels.into_iter().enumerate().map(line).collect::<Vec<_>>()
    };
    let label = field.label.clone();
    let mut now = field.value.clone();
    let mut lines = Vec::new();
    match &field.kind {
        Kind::Choice(choices) => {
            lines.push(say(Dialogue::Choose(label)));
            lines.extend(numbered(
                choices
                    .iter()
                    .map(|(label, _)| label.render(lang))
                    .collect(),
            ));
            let current = choices
                .iter()
                .find(|(_, value)| Some(value) == now.as_ref());
            now = current.map(|(label, _)| label.render(lang));
        }
        Kind::Open(choices) if !choices.is_empty() => {
            lines.push(say(Dialogue::Choose(label)));
            lines.extend(numbered(choices.clone()));
        }
        Kind::Boolean => {
            lines.push(say(Dialogue::Ask(label)));
            lines.push(say(Dialogue::YesOrNo));
        }
        _ => lines.push(say(Dialogue::Ask(label))),
    }
    if !field.required {
        lines.push(say(Dialogue::MayBeSkipped {
            now: now.filter(|now| !now.is_empty()),
        }));
    }
    lines
}

fn help(scope: &Scope) -> String {
    let list = |admin: bool| -> Vec<(&'static str, Topic)> {
        let wanted = |command: &&Command| (command.who == Who::Admin) == admin;
        let commands = scope.commands().filter(wanted);
        commands
            .map(|command| (command.name, command.topic))
            .collect()
    };
    let help = Dialogue::Help {
        gateway: scope.gateway.config.domain.to_string(),
        network: scope.gateway.network(),
        commands: list(false),
        admin: list(true),
    };
    Text::from(help).render(scope.lang)
}

/// A reply as lines of a chat: narrow screens have no tables.
fn drawn(reply: &Reply, lang: Lang, now: UnixMillis) -> String {
    let mut lines = Vec::new();
    for block in blocks(reply, lang, now.timestamp()) {
        match block {
            Block::Sentence(text) => lines.push(text),
            Block::Facts(facts) => lines.extend(facts.into_iter().map(|(name, value)| {
                if name.is_empty() {
                    value
                } else {
                    format!("{name}: {value}")
                }
            })),
            Block::Table(rows) => draw_table(&mut lines, rows, lang),
        }
    }
    lines.join("\n")
}

fn draw_table(lines: &mut Vec<String>, rows: Rows, lang: Lang) {
    let filled = |cells: Vec<String>| {
        let cells: Vec<String> = cells.into_iter().filter(|cell| !cell.is_empty()).collect();
        cells.join(" · ")
    };
    let more = rows.rows.len().saturating_sub(ROWS_MAX);
    lines.push(filled(
        rows.columns
            .into_iter()
            .map(|column| column.title)
            .collect(),
    ));
    lines.extend(rows.rows.into_iter().take(ROWS_MAX).map(filled));
    if more > 0 {
        lines.push(Text::from(Told::More(more)).render(lang));
    }
}

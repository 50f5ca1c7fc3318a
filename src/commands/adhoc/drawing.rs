//! Forms, results and lists, as XEP-0004, XEP-0050 and XEP-0030 have them.

use jiff::Timestamp;

use super::Answer;
use crate::{
    commands::{
        ALL, Command, Scope, Session,
        form::{Field, Form, Kind},
        shown::{Block, Column, Rows, blocks},
    },
    operations::Reply,
    texts::{Dialogue, Label, Text, Told},
    xmpp::{
        ns,
        stanza::{Condition, StanzaError},
        xep::{
            adhoc::{Action, Note, Stage, Status},
            disco::{self, Identity, Info, Item, Topic},
            forms::{self, FormType},
        },
    },
};

/// Rows of a result: forms have to fit in a stanza.
const ROWS_MAX: usize = 100;

/// A sentence beside the form.
pub(super) fn info(text: String) -> Note {
    let is_error = false;
    Note { is_error, text }
}

/// What is wrong, beside the form.
pub(super) fn wrong(text: String) -> Note {
    let is_error = true;
    Note { is_error, text }
}

/// Where a session stands.
pub(super) fn stage(id: String, session: &Session, status: Status) -> Stage {
    Stage {
        node: session.command.name.to_owned(),
        session: id,
        status,
        actions: Vec::new(),
        notes: Vec::new(),
        form: None,
        lang: session.scope.lang.tag(),
    }
}

/// A session with its form.
pub(super) fn asked(id: String, session: &Session) -> Stage {
    let mut stage = stage(id, session, Status::Executing);
    stage.actions.push(Action::Next);
    if session.can_go_back() {
        stage.actions.push(Action::Prev);
    }
    stage.form = Some(drawn(session.command, &session.form, &session.scope));
    stage
}

/// XEP-0004 §3.3: which kind of field is which.
fn drawn(command: &Command, form: &Form, scope: &Scope) -> forms::Form {
    let title = Text::from(Dialogue::Title(command.topic)).render(scope.lang);
    let drawn = forms::Form::default().with_title(title);
    let drawn = form.says.iter().fold(drawn, |drawn, text| {
        drawn.with_instructions(text.render(scope.lang))
    });
    let draw = |field: &Field| {
        let kind = match &field.kind {
            Kind::Text | Kind::Peer => "text-single",
            Kind::Open(choices) if choices.is_empty() => "text-single",
            Kind::Lines | Kind::Cards => "text-multi",
            Kind::Person => "jid-single",
            Kind::Boolean => "boolean",
            Kind::Choice(_) | Kind::Open(_) => "list-single",
        };
        let mut drawn = forms::Field::new(field.name, kind)
            .with_label(Text::from(field.label.clone()).render(scope.lang));
        drawn.values.extend(field.value.clone());
        drawn.required = field.required;
        match &field.kind {
            Kind::Choice(choices) => {
                let option =
                    |(label, value): &(Text, String)| (label.render(scope.lang), value.clone());
                drawn.options = choices.iter().map(option).collect();
            }
            Kind::Open(choices) => {
                drawn.options = choices
                    .iter()
                    .map(|value| (value.clone(), value.clone()))
                    .collect();
            }
            _ => {}
        }
        drawn
    };
    form.fields
        .iter()
        .map(draw)
        .fold(drawn, forms::Form::with_field)
}

/// What was done or found: sentences as notes, the rest as a result.
pub(super) fn done(id: String, session: &Session, reply: &Reply, now: Timestamp) -> Stage {
    let lang = session.scope.lang;
    let mut stage = stage(id, session, Status::Completed);
    let title = Text::from(Dialogue::Title(session.command.topic)).render(lang);
    let mut form = forms::Form {
        kind: FormType::Result,
        ..forms::Form::default().with_title(title)
    };
    for block in blocks(reply, lang, now) {
        match block {
            Block::Sentence(text) => stage.notes.push(info(text)),
            Block::Facts(facts) => add_facts(&mut form, facts),
            Block::Table(rows) => {
                let more = rows.rows.len().saturating_sub(ROWS_MAX);
                if more > 0 {
                    let text = Text::from(Told::More(more)).render(lang);
                    stage.notes.push(info(text));
                }
                add_table(&mut form, rows);
            }
        }
    }
    let has_result = !form.fields.is_empty() || !form.reported.is_empty();
    stage.form = has_result.then_some(form);
    stage
}

fn add_facts(form: &mut forms::Form, facts: Vec<(String, String)>) {
    for (name, value) in facts {
        match form.fields.last_mut() {
            Some(field) if name.is_empty() => {
                field.kind = Some("text-multi".to_owned());
                field.values.push(value);
            }
            _ => {
                let var = format!("fact-{}", form.fields.len() + 1);
                let field = forms::Field::new(var, "text-single").with_label(name);
                form.fields.push(field.with_value(value));
            }
        }
    }
}

fn add_table(form: &mut forms::Form, rows: Rows) {
    // A result has one table at most (XEP-0004 §3.4): a second one is put below the first where it has as many columns.
    if form.reported.is_empty() {
        let column = |(at, column): (usize, Column)| {
            forms::Field::new(format!("column-{}", at + 1), "text-single").with_label(column.title)
        };
        form.reported = rows.columns.into_iter().enumerate().map(column).collect();
    }
    form.items.extend(rows.rows.into_iter().take(ROWS_MAX));
}

/// XEP-0050 §2: the list of commands, and what each is.
pub(super) fn discovered(scope: &Scope, query: &disco::Query) -> Answer {
    let node = query.node.as_deref().unwrap_or_default();
    let name = |command: &Command| Text::from(Dialogue::Title(command.topic)).render(scope.lang);
    let missing = || Box::new(StanzaError::new(Condition::ItemNotFound));
    if node == ns::COMMANDS {
        let item = |command: &'static Command| Item {
            jid: scope.gateway.own_jid(),
            node: Some(command.name.to_owned()),
            name: Some(name(command)),
        };
        return Ok(match query.topic {
            Topic::Items => {
                let items: Vec<Item> = scope.commands().map(item).collect();
                disco::items(&items, Some(node))
            }
            Topic::Info => {
                let name = Text::from(Label::Action).render(scope.lang);
                described("command-list", name).to_element(Some(node))
            }
        });
    }
    let command = ALL
        .iter()
        .find(|command| command.name == node && scope.may(command));
    let command = command.ok_or_else(missing)?;
    Ok(match query.topic {
        Topic::Items => disco::items(&[], Some(node)),
        Topic::Info => described("command-node", name(command)).to_element(Some(node)),
    })
}

fn described(kind: &str, name: String) -> Info {
    Info {
        forms: Vec::new(),
        identities: vec![Identity::new("automation", kind, name)],
        features: [ns::COMMANDS, ns::DISCO_INFO, ns::FORMS]
            .map(str::to_owned)
            .into(),
    }
}

//! Both fronts on a real database: what a person sees, may, and cannot break.

mod forms;
mod talk;

use std::{path::Path, sync::Arc};

use super::{Answered, Commands};
use crate::{
    app::{Alone, App},
    config::{Config, Environment},
    operations::Operations,
    store::{
        Write,
        write::{
            ConversationRow, NewOut,
            fixture::{conversation, written},
        },
    },
    xmpp::{
        jid::Jid,
        ns,
        stanza::{Element, Iq, Message, Stanza},
        xep::forms::{Field, Form, FormType},
    },
};

const ALICE: &str = "alice@example.org/phone";
const BOB: &str = "bob@example.org/desk";
const ADMIN: &str = "admin@example.org/desk";
const SMS: &str = "sms.example.org";
const POOL: &str = "+12025550101";
const PEER: &str = "+12025550147";

const CONFIG: &str = r#"
[store]
url = "sqlite://transom.db"
[xmpp]
allow = ["example.org"]
admins = ["admin@example.org"]
[gateway.sms]
adapter = "sms"
domain = "sms.example.org"
secret = "component"
region = "US"
[gateway.sms.provider.main]
kind = "simulator"
[[gateway.sms.line]]
number = "+12025550100"
owner = "alice@example.org"
[[gateway.sms.line]]
number = "+12025550101"
"#;

/// The commands of one gateway, on a store that nothing else uses.
struct World {
    commands: Commands,
    operations: Arc<Operations>,
    _folder: tempfile::TempDir,
}

impl World {
    async fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        std::fs::write(folder.path().join("transom.db"), "").unwrap();
        let Alone { operations, .. } = open(folder.path()).await;
        let operations = Arc::new(operations);
        let gateway = Arc::clone(&operations.gateways[0]);
        Self {
            commands: Commands::new(gateway, Arc::clone(&operations)),
            operations,
            _folder: folder,
        }
    }

    async fn answers(&mut self, stanza: impl Into<Stanza>) -> Vec<Stanza> {
        let stanza = stanza.into();
        assert!(Commands::concerns(&stanza), "{stanza:?}");
        match self.commands.take(&stanza).await.unwrap() {
            Answered::With(answers) => answers,
            Answered::Ignored(_) => Vec::new(),
        }
    }

    /// What the gateway says to this; an error's condition in brackets.
    async fn say(&mut self, from: &str, body: &str) -> String {
        let message = Message::chat(jid(from), jid(SMS)).with_body(body);
        let answers = self.answers(message).await;
        let [Stanza::Message(answer)] = answers.as_slice() else {
            panic!("{body}: {answers:?}")
        };
        if let Some(error) = answer.error().filter(|_| answer.body().is_none()) {
            return format!("[{}]", error.condition.name());
        }
        assert_eq!(answer.to.as_ref().unwrap().to_bare(), jid(from).to_bare());
        answer.body().unwrap().into_owned()
    }

    /// A text of Alice's to this peer waits.
    async fn waiting_text(&self, peer: &str) {
        let on = &self.operations;
        let gateway_id = on.gateways[0].id;
        let (user_id, _) = on
            .store
            .user(gateway_id, "alice@example.org")
            .await
            .unwrap()
            .unwrap();
        let lines = on.store.lines_shown(None, Some("+12025550100"), 1).await;
        let conversation = ConversationRow {
            gateway_id,
            user_id,
            line_id: lines.unwrap()[0].line_id,
            ..conversation(on.ids.next(), peer, 1)
        };
        let row = NewOut {
            body: "the secret text".to_owned(),
            stanza_id: "waits".to_owned(),
            full_jid: ALICE.to_owned(),
            routes: "[\"main\"]".to_owned(),
            ..written(on.ids.next(), conversation)
        };
        let write = Write::Out(Box::new(row));
        on.writer.commit(vec![write]).await.unwrap();
    }

    /// The answer to a command: the payload, or the condition of the error.
    async fn command(&mut self, from: &str, command: Element) -> Result<Stage, String> {
        let iq = Iq::set(jid(from), jid(SMS), command).with_id("c1");
        let answers = self.answers(iq).await;
        let [Stanza::Iq(answer)] = answers.as_slice() else {
            panic!("{answers:?}")
        };
        if let Some(error) = answer.error() {
            return Err(error.condition.name().to_owned());
        }
        Ok(Stage::read(answer.child("command", ns::COMMANDS).unwrap()))
    }

    /// Begins a command.
    async fn begin(&mut self, from: &str, node: &str) -> Result<Stage, String> {
        self.command(from, element(node)).await
    }

    /// Goes on with what was begun.
    async fn submit(
        &mut self,
        from: &str,
        stage: &Stage,
        values: &[(&str, &str)],
    ) -> Result<Stage, String> {
        let filled = element(&stage.node)
            .with_attr("sessionid", stage.session.as_str())
            .with_child(filled(values).to_element());
        self.command(from, filled).await
    }
}

/// What a client sees of a command.
#[derive(Debug)]
struct Stage {
    node: String,
    session: String,
    status: String,
    notes: Vec<String>,
    form: Option<Form>,
}

impl Stage {
    fn read(command: &Element) -> Self {
        let attribute = |name| command.attr(name).unwrap_or_default().to_owned();
        let notes = command
            .children()
            .filter(|child| child.is("note", ns::COMMANDS));
        Self {
            node: attribute("node"),
            session: attribute("sessionid"),
            status: attribute("status"),
            notes: notes.map(|note| note.text().into_owned()).collect(),
            form: Form::in_element(command),
        }
    }

    fn field(&self, name: &str) -> &Field {
        let fields = &self.form.as_ref().expect("a form").fields;
        fields
            .iter()
            .find(|field| field.var == name)
            .unwrap_or_else(|| panic!("no {name} in {fields:?}"))
    }
}

async fn open(folder: &Path) -> Alone {
    let file = folder.join("transom.toml");
    let config = Config::parse(CONFIG, &file, &Environment::default()).unwrap();
    App::builder().build(config.config).alone().await.unwrap()
}

fn jid(text: &str) -> Jid {
    Jid::new(text).unwrap()
}

fn element(node: &str) -> Element {
    Element::new("command", ns::COMMANDS).with_attr("node", node)
}

fn filled(values: &[(&str, &str)]) -> Form {
    let field = |(name, value): &(&str, &str)| Field {
        var: (*name).to_owned(),
        values: vec![(*value).to_owned()],
        ..Field::default()
    };
    Form {
        kind: FormType::Submit,
        fields: values.iter().map(field).collect(),
        ..Form::default()
    }
}

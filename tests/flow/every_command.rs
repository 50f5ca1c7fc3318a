//! Every command that is listed, once by form (XEP-0050) and once by chat, in the language of whoever asks.

use std::{collections::BTreeSet, time::Duration};

use transom_test_servers::{Element, Server, TurnedClock, XmppClient, escape};

use crate::{
    commands::FORMS,
    world::{PLAIN, SMS, World, chat, contact},
};

on_each_server! {
    every_command_is_a_form_and_a_word_in_ones_own_language,
}

const PEER: &str = "+12025550147";
const COMMANDS: &str = "http://jabber.org/protocol/commands";
/// More forms than any command has.
const FORMS_MAX: usize = 6;

/// A command with its answers, and words of its German reply.
pub(crate) struct Case {
    pub(crate) name: &'static str,
    /// What is filled in; all other fields stay as they are.
    form: Vec<(&'static str, String)>,
    /// The lines of the chat; the reply to the last counts.
    chat: Vec<String>,
    german: String,
}

pub(crate) fn case(
    name: &'static str,
    form: &[(&'static str, &str)],
    chat: &str,
    german: &str,
) -> Case {
    let own = |(var, value): &(&'static str, &str)| (*var, (*value).to_owned());
    Case {
        name,
        form: form.iter().map(own).collect(),
        chat: chat.split('|').map(str::to_owned).collect(),
        german: german.to_owned(),
    }
}

/// How a round is done.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Way {
    Form,
    Chat,
}

/// Numbers of the pool for one round: the user's, another user's, one to give away.
type Numbers = [&'static str; 3];

fn a_user_does(numbers: Numbers, way: Way) -> Vec<Case> {
    let [own, ..] = numbers;
    let (sent, card) = (
        format!("m-{way:?}"),
        "BEGIN:VCARD\nFN:Dora\nTEL:+12025550150\nEND:VCARD",
    );
    vec![
        case(
            "register",
            &[("address", own)],
            &format!("register {own}"),
            own,
        ),
        case("status", &[], "status", "angemeldet"),
        case(
            "settings",
            &[],
            "settings default default default default default",
            "Deine Einstellungen sind gespeichert.",
        ),
        case(
            "contacts",
            &[("peer", PEER), ("action", "rename"), ("name", "Carla")],
            "contacts|1|1|Carla",
            "Carla",
        ),
        case(
            "import",
            &[("cards", card)],
            &format!("import {card}"),
            "Ein Kontakt ist jetzt bekannt.",
        ),
        case(
            "block",
            &[("peer", "+12025550199")],
            "block +12025550199",
            "ist blockiert.",
        ),
        case("blocks", &[], "blocks", "+12025550199"),
        case(
            "unblock",
            &[("peer", "+12025550199")],
            "unblock +12025550199",
            "ist nicht mehr blockiert.",
        ),
        case("optouts", &[], "optouts", "STOP"),
        case("messages", &[], "messages", PEER),
        case(
            "trace",
            &[("id", &sent)],
            &format!("trace {sent}"),
            "vom Netz angenommen",
        ),
        case("usage", &[], "usage", "1 / 200"),
        case(
            "cost",
            &[("text", "Hallo")],
            "cost Hallo",
            "So viele passen noch hinein: 155.",
        ),
        case("export", &[], "export", "/admin/get/"),
    ]
}

fn an_admin_does(numbers: Numbers) -> Vec<Case> {
    let [own, other, free] = numbers;
    let (dora, emil) = ("dora@example.org", "emil@example.org");
    vec![
        case("users", &[], "users", "alice@example.org"),
        case(
            "user-show",
            &[("user", "alice@example.org")],
            "user-show alice@example.org",
            own,
        ),
        case(
            "user-add",
            &[("user", dora), ("address", other)],
            &format!("user-add {dora} {other}"),
            other,
        ),
        case(
            "user-rename",
            &[("user", dora), ("new", emil)],
            &format!("user-rename {dora} {emil}"),
            emil,
        ),
        case(
            "line-assign",
            &[("line", free), ("user", emil)],
            &format!("line-assign {free} {emil}"),
            free,
        ),
        case("lines", &[], "lines", free),
        case(
            "line-release",
            &[("line", free)],
            &format!("line-release {free}"),
            free,
        ),
        case(
            "user-decline",
            &[("user", emil)],
            &format!("user-decline {emil}"),
            "wartet auf keine Antwort.",
        ),
        case(
            "user-remove",
            &[("user", emil)],
            &format!("user-remove {emil}"),
            "ist bei sms nicht mehr angemeldet.",
        ),
    ]
}

fn an_operator_does() -> Vec<Case> {
    vec![
        case("queue", &[], "queue", "Nichts wartet."),
        case(
            "queue-retry",
            &[("ids", "77")],
            "queue-retry 77 -",
            "Es gibt keine Nachricht „77“.",
        ),
        case(
            "queue-cancel",
            &[("ids", "77")],
            "queue-cancel 77",
            "Es gibt keine Nachricht „77“.",
        ),
        case(
            "queue-release",
            &[("ids", "all")],
            "queue-release all",
            "wird nichts zurückgehalten.",
        ),
        case(
            "bar",
            &[("peer", "+12025550198")],
            "bar +12025550198",
            "ist blockiert bei sms.",
        ),
        case("barred", &[], "barred", "+12025550198"),
        case(
            "unbar",
            &[("peer", "+12025550198")],
            "unbar +12025550198",
            "ist nicht mehr blockiert bei sms.",
        ),
        case("state", &[], "state", "schreibt"),
        case(
            "announce",
            &[("text", "Hallo alle"), ("sure", "true")],
            "announce Hallo alle|ja",
            "nach und nach hinaus",
        ),
        case(
            "log-level",
            &[("level", "debug")],
            "log-level debug",
            "bis zum nächsten Start debug.",
        ),
        case("page", &[], "page", "/admin/in/"),
    ]
}

/// The names of the commands that somebody is shown.
pub(crate) async fn listed(client: &mut XmppClient, gateway: &str) -> BTreeSet<String> {
    let items =
        format!("<query xmlns='http://jabber.org/protocol/disco#items' node='{COMMANDS}'/>");
    let items = client.iq("get", gateway, &items).await;
    let query = items.child("query").expect("a query");
    let nodes = query.children().filter_map(|item| item.attr("node"));
    nodes.map(str::to_owned).collect()
}

async fn in_german(client: &mut XmppClient, gateway: &str, id: &str, inside: &str) -> Element {
    let iq = format!(
        "<iq type='set' to='{gateway}' id='{id}' xml:lang='de'><command xmlns='{COMMANDS}' {inside}</iq>"
    );
    client.send(&iq).await;
    client
        .expect(inside, |stanza| stanza.attr("id") == Some(id))
        .await
}

/// Fills in one form after the other; what is said at the end.
async fn by_form(client: &mut XmppClient, gateway: &str, number: usize, case: &Case) -> String {
    let name = case.name;
    let begin = format!("node='{name}' action='execute'/>");
    let mut answer = in_german(client, gateway, &format!("f{number}"), &begin).await;
    for step in 0..FORMS_MAX {
        let Some(command) = answer.find("command", COMMANDS) else {
            break;
        };
        if command.attr("status") != Some("executing") {
            break;
        }
        let session = command.attr("sessionid").expect("a session");
        let form = command.child_in("x", FORMS).expect("a form");
        let fields = form.children().filter(|child| child.name() == "field");
        let filled: String = fields.filter_map(|field| filled(case, field)).collect();
        let submit = format!(
            "node='{name}' sessionid='{session}'><x xmlns='{FORMS}' type='submit'>{filled}</x></command>"
        );
        answer = in_german(client, gateway, &format!("f{number}-{step}"), &submit).await;
    }
    let command = answer.find("command", COMMANDS);
    let status = command.and_then(|command| command.attr("status"));
    assert_eq!(status, Some("completed"), "{name}: {answer}");
    answer.to_string()
}

fn filled(case: &Case, field: &Element) -> Option<String> {
    let var = field.attr("var").filter(|var| *var != "FORM_TYPE")?;
    let given = case.form.iter().find(|(name, _)| *name == var);
    let values: Vec<String> = if let Some((_, value)) = given {
        value.lines().map(escape).collect()
    } else {
        let present = field.children().filter(|child| child.name() == "value");
        present.map(|value| escape(&value.text())).collect()
    };
    let values: Vec<String> = values
        .iter()
        .map(|value| format!("<value>{value}</value>"))
        .collect();
    let values = values.concat();
    Some(format!("<field var='{var}'>{values}</field>"))
}

async fn by_chat(client: &mut XmppClient, gateway: &str, number: usize, case: &Case) -> String {
    let mut said = String::new();
    for (place, line) in case.chat.iter().enumerate() {
        client.take_rest();
        let message = format!(
            "<message to='{gateway}' type='chat' id='c{number}-{place}' xml:lang='de'><body>{}</body></message>",
            escape(line)
        );
        client.send(&message).await;
        let answers =
            |stanza: &Element| stanza.attr("from") == Some(gateway) && stanza.body().is_some();
        let answer = client.expect(line, answers).await;
        said = answer.body().unwrap_or_default();
    }
    said
}

/// One after the other. Nobody is answered more than twenty lines a minute, so the clock goes on.
async fn each(clock: &mut Clock, client: &mut XmppClient, way: Way, cases: &[Case]) -> Vec<String> {
    let mut wrong = Vec::new();
    for (number, case) in cases.iter().enumerate() {
        clock.go_on();
        wrong.extend(at(client, SMS, way, (number, case)).await);
    }
    wrong
}

/// Does one at this gateway; what was said where that has not the right words.
pub(crate) async fn at(
    client: &mut XmppClient,
    gateway: &str,
    way: Way,
    (number, case): (usize, &Case),
) -> Option<String> {
    let said = match way {
        Way::Form => by_form(client, gateway, number, case).await,
        Way::Chat => by_chat(client, gateway, number, case).await,
    };
    (!said.contains(&case.german)).then(|| format!("{way:?} {}: {said}", case.name))
}

struct Clock(TurnedClock, Duration);

impl Clock {
    fn go_on(&mut self) {
        self.1 += Duration::from_secs(7);
        self.0.turn(self.1);
    }
}

async fn every_command_is_a_form_and_a_word_in_ones_own_language(on: Server) {
    proves!(
        "XEP-0050: every command by form and by chat, in the language of whoever asks",
        Prosody,
        Ejabberd
    );
    let rounds: [(Way, Numbers); 2] = [
        (Way::Form, ["+12025550101", "+12025550102", "+12025550103"]),
        (Way::Chat, ["+12025550104", "+12025550105", "+12025550106"]),
    ];
    let numbers = rounds.iter().flat_map(|(_, numbers)| numbers);
    let pool: Vec<String> = numbers
        .map(|number| format!("[[gateway.sms.line]]\nnumber = \"{number}\"\n"))
        .collect();
    let mut world = World::prepare_on(on, &PLAIN, &pool.concat(), "", |builder| builder).await;
    let config = world.transom.config_text();
    let config = config.replace("admin@example.org", "bob@example.org");
    world.transom.configure(&config);
    let mut clock = Clock(TurnedClock::of(&mut world.transom), Duration::ZERO);
    world.transom.start().await;
    world.up().await;
    let mut alice = world.client("alice").await;
    let mut bob = world.client("bob").await;
    let mut wrong = Vec::new();
    for (way, numbers) in rounds {
        let (mut own, mut all) = (a_user_does(numbers, way), an_admin_does(numbers));
        all.extend(an_operator_does());
        let leave = case(
            "unregister",
            &[("sure", "true")],
            "unregister|ja",
            "nicht mehr angemeldet",
        );
        let mut names: BTreeSet<String> = own.iter().map(|case| case.name.to_owned()).collect();
        names.insert(leave.name.to_owned());
        assert_eq!(
            listed(&mut alice, SMS).await,
            names,
            "a command is missing here"
        );
        names.extend(all.iter().map(|case| case.name.to_owned()));
        assert_eq!(
            listed(&mut bob, SMS).await,
            names,
            "a command is missing here"
        );
        let rest = own.split_off(1);
        wrong.extend(each(&mut clock, &mut alice, way, &own).await);
        let text = format!("m-{way:?}");
        alice.send(&chat(&contact(PEER), &text, &text)).await;
        world.twilio.text(&text).await;
        wrong.extend(each(&mut clock, &mut alice, way, &rest).await);
        wrong.extend(each(&mut clock, &mut bob, way, &all).await);
        alice
            .expect("the announcement", |stanza| {
                stanza
                    .body()
                    .is_some_and(|body| body.contains("Hallo alle"))
            })
            .await;
        wrong.extend(each(&mut clock, &mut alice, way, &[leave]).await);
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

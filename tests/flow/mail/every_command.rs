//! Every command that a mail gateway lists beyond those of all gateways, by form and by chat, in German.

use super::*;
use crate::every_command::{Case, Way, at, case, listed};

on_each_server! {
    every_command_of_mail_is_a_form_and_a_word,
}

/// Those that are the same for texts are walked through there.
const OF_ALL: [&str; 16] = [
    "register",
    "status",
    "settings",
    "contacts",
    "import",
    "block",
    "unblock",
    "blocks",
    "optouts",
    "messages",
    "trace",
    "usage",
    "cost",
    "export",
    "unregister",
    "verify",
];

fn cases(way: Way) -> Vec<Case> {
    let (shop, gone) = (
        format!("shop{way:?}").to_lowercase(),
        "gone.x1@mail.example.org",
    );
    let (shop, drop) = (shop.as_str(), format!("alias-drop {gone}"));
    let peer = &[("peer", "bob@example.com")];
    let of = |name: &str| format!("{name} bob@example.com");
    vec![
        case("alias", &[("word", shop)], &format!("alias {shop}"), shop),
        case("aliases", &[], "aliases", shop),
        case(
            "alias-drop",
            &[("address", gone)],
            &drop,
            "ist keine Adresse, die du angelegt hast",
        ),
        case(
            "original",
            peer,
            &of("original"),
            "keine E-Mail im Ganzen gespeichert",
        ),
        case("strangers", &[], "strangers", "Niemandes E-Mail wartet"),
        case(
            "accept",
            peer,
            &of("accept"),
            "Keine E-Mail von bob@example.com wartet",
        ),
        case(
            "discard",
            peer,
            &of("discard"),
            "Keine E-Mail von bob@example.com wartet",
        ),
        case("allow", peer, &of("allow"), "bekommst du ab jetzt immer."),
        case("allowed", &[], "allowed", "bob@example.com"),
        case("disallow", peer, &of("disallow"), "wie die von anderen."),
        case("mailbox", &[], "mailbox", "Du hast hier kein E-Mail-Konto."),
        case(
            "mailbox-add",
            &[("address", "alice@corp.example")],
            "mailbox-add alice@corp.example",
            "store.key_file",
        ),
        case(
            "mailbox-remove",
            &[],
            "mailbox-remove",
            "Du hast hier kein E-Mail-Konto.",
        ),
    ]
}

async fn every_command_of_mail_is_a_form_and_a_word(on: Server) {
    proves!(
        "XEP-0050: every command of mail by form and by chat, in the language of whoever asks",
        Prosody,
        Ejabberd
    );
    if skipped(&[Server::Postfix]) {
        return;
    }
    let world = world_at(on).await;
    let mut alice = world.server.client("alice", "phone").await;
    alice.send(&chat(BOB, "m1", "hello")).await;
    world.sink.mail("hello", |_| true).await;
    let mut wrong = Vec::new();
    for way in [Way::Form, Way::Chat] {
        let all = cases(way);
        let mut shown = listed(&mut alice, MAIL).await;
        shown.retain(|name| !OF_ALL.contains(&name.as_str()));
        let names = all.iter().map(|case| case.name.to_owned()).collect();
        assert_eq!(shown, names, "a command is missing here");
        for numbered in all.iter().enumerate() {
            wrong.extend(at(&mut alice, MAIL, way, numbered).await);
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

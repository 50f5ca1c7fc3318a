//! Mails that no person wrote, and those that we wrote ourselves.

use super::*;

#[test]
fn what_machines_write_is_told_apart() {
    let class = |head: &str| letter(&format!("{HEAD}{head}\n\ntext\n")).mail.class();
    assert_eq!(class("X-Nothing: 1"), Class::Human);
    assert_eq!(class("Auto-Submitted: no"), Class::Human);
    assert_eq!(
        class("Auto-Submitted: auto-replied (vacation)"),
        Class::AutoReply
    );
    assert_eq!(class("Auto-Submitted: auto-generated"), Class::Bulk);
    assert_eq!(
        class("List-Id: <l.example.com>\nPrecedence: bulk"),
        Class::List
    );
    assert_eq!(class("List-Unsubscribe: <https://x.example>"), Class::Bulk);
    assert_eq!(class("Precedence: junk"), Class::Bulk);
    let null = letter(&format!(
        "{}\n\ntext",
        HEAD.replace("<bob@example.com>", "<>")
    ));
    assert_eq!(null.mail.class(), Class::AutoReply);
}

#[test]
fn rfc3834_5_auto_submitted_in_all_its_spellings() {
    let class = |value: &str| {
        let mail = letter(&format!("{HEAD}Auto-Submitted: {value}\n\ntext\n")).mail;
        mail.class()
    };
    for by_hand in [
        "no",
        "No",
        " no ",
        "no (by hand)",
        "(by hand) no",
        "no; x=y",
    ] {
        assert_eq!(class(by_hand), Class::Human, "{by_hand:?}");
    }
    for answer in [
        "auto-replied",
        "AUTO-REPLIED",
        "auto-replied; owner-email=\"me@example.com\"",
        "auto-replied\t(vacation)",
        "(sieve) auto-replied",
        "auto-notified; owner-token=1",
    ] {
        assert_eq!(class(answer), Class::AutoReply, "{answer:?}");
    }
    for made in ["auto-generated", "auto-generated (cron)", "x-something-new"] {
        assert_eq!(class(made), Class::Bulk, "{made:?}");
    }
}

#[test]
fn our_own_mail_coming_back_is_a_loop() {
    let own = ids().message_id(Key(7));
    assert_eq!(
        letter(&HEAD.replace("1@example.com", &own)).loops,
        Some(Loop::Own)
    );
    assert_eq!(
        letter(&format!("X-Loop: MAIL.example.org\n{HEAD}\n")).loops,
        Some(Loop::Own)
    );
    assert_eq!(
        letter(&format!("X-Loop: other.example\n{HEAD}\n")).loops,
        None
    );
    // A provider gave it another id, and says which one it had.
    let renamed = format!("X-Microsoft-Original-Message-ID: <{own}>\n{HEAD}\n");
    assert_eq!(letter(&renamed).loops, Some(Loop::Own));
    let hops = "Received: from a by b; Mon, 2 Nov 2026 10:00:00 +0100\n";
    assert_eq!(letter(&format!("{}{HEAD}\n", hops.repeat(30))).loops, None);
    assert_eq!(
        letter(&format!("{}{HEAD}\n", hops.repeat(31))).loops,
        Some(Loop::Hops)
    );
}

#[test]
fn spam_is_shown_quietly() {
    let mail = incoming(&format!("X-Spam-Flag: YES\n{HEAD}\nbuy\n"));
    assert_eq!(mail.class, Class::Bulk);
    assert_eq!(mail.mail.suspicions, [Suspicion::Spam]);
}

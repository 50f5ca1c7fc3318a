//! Who a mail is from, whom else it names, and what it answers.

use super::*;

#[test]
fn an_ordinary_mail_is_understood() {
    let mail = incoming(&format!("{HEAD}\nHello Alice,\n\nlunch?\n"));
    assert_eq!(mail.from, Address::new("bob@example.com"));
    assert_eq!(mail.from_name.as_deref(), Some("Bob"));
    assert_eq!(mail.subject.as_deref(), Some("Lunch"));
    assert_eq!(mail.message_id.as_deref(), Some("1@example.com"));
    assert_eq!(mail.text, "Hello Alice,\n\nlunch?");
    assert_eq!(mail.sent_at, Some(UnixMillis(1_793_610_000_000)));
    assert_eq!(mail.class, Class::Human);
    assert_eq!(mail.mail, MailFacts::default());
}

#[test]
fn an_answer_names_its_parents_from_the_nearest() {
    let mail = incoming(&format!(
        "{HEAD}In-Reply-To: <c@x>\nReferences: <a@x> <b@x>\n <c@x>\n\nyes\n"
    ));
    assert_eq!(mail.answers, ["c@x", "b@x", "a@x"]);
    let mail = incoming(
        &HEAD
            .replace("Lunch", "AW: Re: Lunch")
            .replace("\nDate", "\nIn-Reply-To: <c@x>\nDate"),
    );
    assert_eq!(mail.subject.as_deref(), Some("Lunch"));
}

#[test]
fn names_and_subjects_hold_nothing_unseen() {
    let mail = incoming(
        &HEAD
            .replace("Bob <", "=?utf-8?q?B=C3=B6b_=E2=80=AEgro?= <")
            .replace("Lunch", "=?utf-8?q?a=07=E2=80=8Bb?="),
    );
    assert_eq!(mail.from_name.as_deref(), Some("Böb gro"));
    assert_eq!(mail.subject.as_deref(), Some("a b"));
    let spoof = incoming(&HEAD.replace("Bob <", "\"boss@example.org\" <"));
    assert_eq!(spoof.from_name, None);
    let nobody = incoming("Subject: x\n\ntext\n");
    assert_eq!(nobody.from.as_str(), "unknown@mail.invalid");
}

#[test]
fn a_list_is_one_contact_and_says_who_wrote() {
    let list = "List-Id: \"Lunch, daily\" <lunch.example.com>\nList-Post: <https://x.example>, <mailto:lunch@lists.example.com>\n";
    let mail = incoming(&format!("{list}{HEAD}\nsoup?\n"));
    assert_eq!(mail.from, Address::new("lunch@lists.example.com"));
    assert_eq!(mail.from_name.as_deref(), Some("Lunch, daily"));
    assert_eq!(mail.text, "Bob: soup?");
    assert_eq!(mail.class, Class::List);
    // Nobody may write to it: then its author is who can be answered.
    let closed = incoming(&format!(
        "List-Id: <n.example.com>\nList-Post: NO\n{HEAD}\nnews\n"
    ));
    assert_eq!(
        (closed.from.as_str(), closed.text.as_str()),
        ("bob@example.com", "news")
    );
    // What one of ours wrote to it and gets back is still theirs.
    let back = letter(&format!(
        "{list}{}\nsoup?\n",
        HEAD.replace("Bob@Example.com", "alice@mail.example.org")
    ));
    assert!(back.mail.is_from(&Address::new("alice@mail.example.org")));
}

#[test]
fn the_others_of_a_mail_are_named_once_and_never_ourselves() {
    let others = |header: &str| {
        let mail = format!("From: Bob <bob@example.com>\n{header}Subject: x\n\nhi\n");
        let others = incoming(&mail).others.into_iter();
        let shown = |member: transom_adapter::Member| {
            let copy = if member.copy { "cc" } else { "to" };
            format!(
                "{copy} {} {}",
                member.address,
                member.name.unwrap_or_default()
            )
        };
        others.map(shown).collect::<Vec<_>>()
    };
    assert_eq!(
        others(
            "To: alice+x@mail.example.org, Carol C. <Carol@Example.net>\nCc: carol@example.net, Bob <bob@example.com>,\n dave@example.net\n"
        ),
        ["to carol@example.net Carol C.", "cc dave@example.net "]
    );
    assert_eq!(
        others("To: Team: \"eve@x.example\" <erin@example.net>, Frank <frank@example.net>;\n"),
        ["to erin@example.net ", "to frank@example.net Frank"],
        "a list with a name, and a name that is an address"
    );
    let none: [&str; 0] = [];
    assert_eq!(others("To: undisclosed-recipients:;\n"), none);
    assert_eq!(
        others("Bcc: dave@example.net\n"),
        none,
        "what was hidden stays hidden"
    );
    assert_eq!(others("To: <>, @, nonsense\n"), none);
    let many: Vec<String> = (0..60).map(|at| format!("p{at}@example.net")).collect();
    assert_eq!(
        others(&format!("To: {}\n", many.join(",\n "))),
        none,
        "a mailing"
    );
    let by_list =
        "To: carol@example.net\nList-Id: <l.example.net>\nList-Post: <mailto:l@example.net>\n";
    assert_eq!(others(by_list), none, "a list is one contact");
}

#[test]
fn a_repeat_is_known_and_another_mail_is_not_taken_for_one() {
    let mail = |head: &str, body: &str| incoming(&format!("{head}\n{body}\n")).repeats;
    let first = mail(HEAD, "text");
    assert_eq!(
        first,
        mail(&format!("Received: by x\n{HEAD}"), "text"),
        "another way here"
    );
    assert_ne!(
        first,
        mail(HEAD, "other text"),
        "the same id with other content"
    );
    let bare = HEAD.replace("Message-ID: <1@example.com>\n", "");
    assert_eq!(
        mail(&bare, "text"),
        mail(&format!("Received: by x\n{bare}"), "text")
    );
    assert_ne!(
        mail(&bare, "text"),
        mail(&bare.replace("10:00", "11:00"), "text")
    );
}

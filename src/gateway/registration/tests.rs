//! The desk: semantics 13 to 16.

use super::{
    Effects, Person,
    desk::Desk,
    fixture::{MINE, mail, sms, stranger, user, with_moment},
};
use crate::{
    gateway::Gateway,
    texts::{Lang, Membership, Refused, Registration, Text},
};

#[track_caller]
fn register(
    gateway: &Gateway,
    person: &Person,
    choice: Option<&str>,
) -> (Result<Text, Text>, Effects) {
    let mut effects = Effects::default();
    let result = with_moment(|moment| {
        Desk {
            gateway,
            person,
            moment,
            lang: Lang::En,
        }
        .register(choice, &mut effects)
    });
    (result, effects)
}

fn alice() -> Person {
    stranger("alice@example.org")
}

#[test]
fn who_is_not_allowed_registers_nowhere() {
    for mode in ["open", "approval", "closed"] {
        let (result, effects) = register(
            &sms(mode),
            &stranger("eve@evil.example").with_free(&[MINE]),
            Some(MINE),
        );
        assert!(matches!(
            result,
            Err(Text::Refused(Refused::Membership(
                Membership::NotAllowed { .. }
            )))
        ));
        assert!(effects.written().is_empty() && effects.answers.is_empty());
    }
}

#[test]
fn a_closed_gateway_takes_nobody() {
    let (result, effects) = register(&sms("closed"), &alice().with_free(&[MINE]), None);
    assert_eq!(result, Err(Membership::RegistrationClosed.into()));
    assert!(effects.written().is_empty());
}

#[test]
fn approval_asks_the_admins_once() {
    let gateway = sms("approval");
    let (result, effects) = register(&gateway, &alice(), None);
    assert_eq!(result, Err(Registration::RequestSent.into()));
    assert_eq!(effects.written(), ["user alice@example.org pending"]);
    assert_eq!(effects.seen().len(), 1);
    assert!(
        effects.seen()[0].contains("user add alice@example.org")
            && effects.seen()[0].ends_with("> admin@example.org")
    );
    let (result, effects) = register(&gateway, &user("pending"), None);
    assert_eq!(result, Err(Registration::RequestSent.into()));
    assert!(effects.written().is_empty() && effects.answers.is_empty());
}

#[test]
fn a_number_of_the_pool_is_chosen_or_the_first_is_taken() {
    let person = alice().with_free(&["+12025550101", "+12025550102"]);
    let (result, effects) = register(&sms("open"), &person, Some("+1 202 555-0102"));
    assert!(
        matches!(result, Ok(Text::Registration(Registration::Registered { address: Some(a), .. })) if a == "+12025550102")
    );
    assert_eq!(
        effects.written(),
        [
            "owner +12025550102 alice@example.org",
            "user alice@example.org active",
            "contact '' 01"
        ]
    );
    assert_eq!(
        effects.seen(),
        ["subscribe sms.example.org > alice@example.org"]
    );
    let (_, effects) = register(&sms("open"), &person, None);
    assert_eq!(effects.written()[0], "owner +12025550101 alice@example.org");
}

#[test]
fn a_number_that_is_not_free_is_refused() {
    let person = alice().with_free(&["+12025550101"]);
    let (result, effects) = register(&sms("open"), &person, Some("+12025550109"));
    assert_eq!(
        result,
        Err(Registration::Taken {
            address: "+12025550109".into()
        }
        .into())
    );
    assert!(effects.written().is_empty());
    assert_eq!(
        register(&sms("open"), &alice(), Some(MINE)).0,
        Err(Registration::NoFreeLine.into())
    );
    assert_eq!(
        register(&sms("open"), &alice(), None).0,
        Err(Registration::NoFreeLine.into())
    );
    assert!(matches!(
        register(&sms("open"), &person, Some("'); DROP TABLE users")).0,
        Err(Text::Refused(Refused::Recipient(_)))
    ));
}

#[test]
fn a_shared_line_needs_no_number() {
    let (result, effects) = register(&sms("open"), &alice().with_shared(), None);
    assert!(matches!(
        result,
        Ok(Text::Registration(Registration::Registered {
            address: None,
            ..
        }))
    ));
    assert_eq!(
        effects.written(),
        ["user alice@example.org active", "contact '' 01"]
    );
}

#[test]
fn who_has_a_line_keeps_it() {
    let person = user("active").with_free(&["+12025550101"]);
    let already = || {
        Text::from(Registration::AlreadyRegistered {
            address: MINE.into(),
        })
    };
    assert_eq!(register(&sms("open"), &person, None).0, Ok(already()));
    assert_eq!(register(&sms("open"), &person, Some(MINE)).0, Ok(already()));
    let (result, effects) = register(&sms("open"), &person, Some("+12025550101"));
    assert_eq!(result, Err(already()));
    assert!(effects.written().is_empty());
}

#[test]
fn coming_back_restores_and_wakes() {
    let (result, effects) = register(&sms("closed"), &user("disabled"), None);
    assert_eq!(result, Ok(Registration::Restored.into()));
    assert_eq!(
        effects.written(),
        ["user alice@example.org active", "contact '' 01"]
    );
    assert!(effects.wakes);
}

#[test]
fn a_mail_address_follows_from_the_jid() {
    let (result, effects) = register(&mail(), &alice(), None);
    assert!(
        matches!(result, Ok(Text::Registration(Registration::Registered { address: Some(a), .. })) if a == "alice@mail.example.org")
    );
    assert_eq!(
        effects.written(),
        [
            "line alice@mail.example.org registration",
            "owner alice@mail.example.org alice@example.org",
            "user alice@example.org active",
            "contact '' 01"
        ]
    );
}

#[test]
fn where_the_jid_gives_no_address_an_alias_is_picked() {
    let person = stranger("postmaster@example.org");
    assert!(matches!(
        register(&mail(), &person, None).0,
        Err(Text::Refused(Refused::Membership(
            Membership::HasToChoose { .. }
        )))
    ));
    let (result, effects) = register(&mail(), &person, Some("Pat"));
    assert!(result.is_ok());
    assert_eq!(
        effects.written()[0],
        "line pat@mail.example.org registration"
    );
    for bad in [
        "root",
        "a=b",
        "a+b",
        "ä",
        "pat@elsewhere.example",
        "a b",
        &"x".repeat(99),
    ] {
        assert!(
            matches!(
                register(&mail(), &person, Some(bad)).0,
                Err(Text::Registration(Registration::BadAlias { .. }))
            ),
            "{bad}"
        );
    }
    let mut taken = stranger("postmaster@example.org");
    taken.taken = true;
    assert_eq!(
        register(&mail(), &taken, Some("pat")).0,
        Err(Registration::Taken {
            address: "pat@mail.example.org".into()
        }
        .into())
    );
}

#[test]
fn an_address_that_was_given_up_comes_back_to_its_user() {
    let person = alice().owning("alice@mail.example.org", "resting");
    let (result, effects) = register(&mail(), &person, None);
    assert!(result.is_ok());
    assert_eq!(
        effects.written()[0],
        "owner alice@mail.example.org alice@example.org"
    );
}

#[test]
fn an_admin_lets_in_and_declines() {
    let decide = |person: &Person, yes: bool| {
        let mut effects = Effects::default();
        let gateway = sms("approval");
        let text = with_moment(|moment| {
            let desk = Desk {
                gateway: &gateway,
                person,
                moment,
                lang: Lang::En,
            };
            if yes {
                desk.approve(&mut effects)
            } else {
                desk.decline(&mut effects)
            }
        });
        (text.render(Lang::En), effects)
    };
    let (_, effects) = decide(&user("pending"), true);
    assert_eq!(
        effects.written(),
        ["user alice@example.org active", "contact '' 01"]
    );
    assert!(effects.seen()[0].contains("has let you in") && effects.seen()[0].contains(MINE));
    let (text, effects) = decide(&stranger("eve@evil.example"), true);
    assert!(text.contains("does not admit") && effects.written().is_empty());
    let (_, effects) = decide(&user("pending"), false);
    assert_eq!(effects.written(), ["unregister alice@example.org"]);
    let (text, effects) = decide(&user("active"), false);
    assert!(text.contains("not waiting") && effects.written().is_empty());
}

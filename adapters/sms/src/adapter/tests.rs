use async_trait::async_trait;
use serde_json::json;
use transom_adapter::{
    Attempt, Capabilities, ExternalId, Holder, HttpLimits, Key, Member, Outcome, Repeat, Reports,
    testkit::{outgoing, signer},
};

use super::*;

fn section(table: Value) -> Section {
    let Value::Object(table) = table else {
        panic!("a table")
    };
    Section {
        key: "gateway.sms".into(),
        table,
        base_dir: ".".into(),
    }
}

fn read(table: Value, extra: &[Box<dyn ProviderFactory>]) -> Result<SmsAdapter, Vec<ConfigFault>> {
    let http = HttpClient::new(HttpLimits::default()).unwrap();
    let public_url = Url::parse("https://gw.example.org").unwrap();
    SmsAdapter::from_section(
        "sms",
        &section(table),
        http,
        signer(),
        Some(&public_url),
        extra,
    )
}

fn kannel(max_messages: u16) -> Value {
    json!({
        "kind": "kannel", "base_url": "http://127.0.0.1:13013", "username": "u", "password": "p",
        "webhook_token": "0123456789abcdef", "max_messages": max_messages,
    })
}

fn twilio() -> Value {
    json!({ "kind": "twilio", "account_sid": "AC123", "auth_token": "12345" })
}

fn adapter() -> SmsAdapter {
    let table = json!({
        "region": "US",
        "allow_countries": ["US", "CA", "DE"],
        "provider": { "a": twilio(), "b": kannel(3) },
    });
    read(table, &[]).unwrap()
}

fn faults(table: Value) -> Vec<String> {
    let faults = read(table, &[]).err().unwrap();
    faults.iter().map(ToString::to_string).collect()
}

fn plan_to(to: &str) -> Result<Plan, Refusal> {
    adapter().plan(&outgoing("+12025550100", to, "hello"))
}

#[test]
fn a_text_may_go_where_it_is_allowed() {
    for to in [
        "+12025550147",
        "+14165550123",
        "+491711234567",
        "+18005550199",
        "12345;phone-context=us",
    ] {
        let plan = plan_to(to).unwrap();
        assert_eq!(plan.segments, 1, "{to}");
        let whole = |name| Route::whole(AccountName::new("sms", name));
        assert_eq!(plan.routes, [whole("a"), whole("b")]);
    }
}

#[test]
fn a_text_goes_nowhere_else() {
    let country = |code: &str| Refusal::CountryNotAllowed {
        region: Some(code.to_owned()),
    };
    let invalid = |suggestion: Option<&str>| Refusal::InvalidAddress {
        suggestion: suggestion.map(Address::new),
    };
    for (to, refusal) in [
        ("+447400123456", country("GB")),
        ("+18762101234", country("JM")),
        ("22000;phone-context=gb", country("GB")),
        ("22000;phone-context=de", Refusal::PremiumNumber),
        ("+19002345678", Refusal::PremiumNumber),
        ("+491805123456", Refusal::PremiumNumber),
        ("+15551230000", Refusal::CountryNotAllowed { region: None }),
        ("+870773111632", Refusal::CountryNotAllowed { region: None }),
        ("+4912345", invalid(None)),
        ("911", Refusal::EmergencyNumber),
        ("112;phone-context=de", Refusal::EmergencyNumber),
        ("+1911", Refusal::EmergencyNumber),
        ("acme;phone-context=alpha", Refusal::CannotBeAnswered),
        ("(202) 555-0147", invalid(Some("+12025550147"))),
        ("bob@example.com", invalid(None)),
        ("", invalid(None)),
    ] {
        assert_eq!(plan_to(to), Err(refusal), "{to}");
    }
}

#[test]
fn the_region_alone_is_the_default() {
    let table = json!({ "region": "de", "provider": { "a": twilio() } });
    let adapter = read(table, &[]).unwrap();
    let plan = |to| adapter.plan(&outgoing("+491711234500", to, "hello"));
    assert!(plan("+491711234567").is_ok());
    assert!(matches!(
        plan("+12025550147"),
        Err(Refusal::CountryNotAllowed { .. })
    ));
}

#[test]
fn an_account_carries_what_it_has_room_for() {
    let routes = |times: usize, letter: &str| {
        let message = outgoing("+12025550100", "+12025550147", &letter.repeat(times));
        let plan = adapter().plan(&message)?;
        let names: Vec<_> = plan.routes.iter().map(|r| r.account.short()).collect();
        Ok((plan.segments, names.join(",")))
    };
    assert_eq!(routes(459, "a"), Ok((3, "a,b".to_owned())));
    assert_eq!(routes(460, "a"), Ok((4, "a".to_owned())));
    assert_eq!(routes(1530, "a"), Ok((10, "a".to_owned())));
    let too_long = |segments, segments_max| Refusal::TooLong {
        segments,
        segments_max,
    };
    assert_eq!(routes(1531, "a"), Err(too_long(11, 10)));
    assert_eq!(routes(23 * 67 + 1, "я"), Err(too_long(24, 23)));
    assert_eq!(routes(0, "a"), Err(Refusal::Empty));
    assert_eq!(routes(9, " \n"), Err(Refusal::Empty));
}

#[test]
fn a_text_is_planned_and_sent_with_the_same_characters() {
    let text = format!("“{}” – yes", "a".repeat(70));
    let plan_with = |smart: bool| {
        let table =
            json!({ "region": "US", "smart_encoding": smart, "provider": { "a": twilio() } });
        let adapter = read(table, &[]).unwrap();
        let plan = adapter
            .plan(&outgoing("+12025550100", "+12025550147", &text))
            .unwrap();
        assert_eq!(
            adapter.cost(&text).map(|cost| cost.segments),
            Some(plan.segments)
        );
        plan.segments
    };
    assert_eq!((plan_with(false), plan_with(true)), (2, 1));
}

#[tokio::test]
async fn the_account_is_given_the_plainer_text() {
    let table = json!({ "region": "US", "smart_encoding": "true", "provider": { "coo": { "kind": "pigeon" } } });
    let adapter = read(table, &[Box::new(Pigeon)]).unwrap();
    let account = adapter.accounts().pop().unwrap();
    let long = "a".repeat(70);
    let attempt = Attempt {
        number: 1,
        unit: 0,
        started_at: UnixMillis(0),
    };
    for (typed, sent) in [
        (format!("“{long}” – yes"), format!("\"{long}\" - yes")),
        ("“short”".to_owned(), "“short”".to_owned()),
    ] {
        let message = outgoing("+12025550100", "+12025550147", &typed);
        let outcome = account.send(&message, attempt).await;
        let ids = vec![ExternalId::new("text", sent)];
        assert_eq!(outcome, Outcome::Accepted { ids });
        assert_eq!(account.reconcile(&message, attempt).await, None);
    }
}

#[test]
fn at_night_a_text_waits_for_the_morning_there() {
    let table =
        json!({ "region": "US", "quiet_hours": "21:00-08:00", "provider": { "a": twilio() } });
    let adapter = read(table, &[]).unwrap();
    let at = |text: &str| UnixMillis(text.parse::<jiff::Timestamp>().unwrap().as_millisecond());
    let peer = Address::new("+12025550147");
    let night = at("2026-12-01T02:00:00Z");
    assert_eq!(
        adapter.not_before(&peer, night),
        Some(at("2026-12-01T13:00:00Z"))
    );
    assert_eq!(adapter.not_before(&peer, at("2026-12-01T18:00:00Z")), None);
    assert_eq!(
        super::tests::adapter().not_before(&peer, night),
        None,
        "unless it is asked for"
    );
    let told = faults(
        json!({ "region": "US", "quiet_hours": "night", "time_zone": "x", "provider": { "a": twilio() } }),
    );
    assert_eq!(told.len(), 1, "{told:?}");
}

#[test]
fn the_line_says_which_accounts_and_in_which_order() {
    let mut message = outgoing("+12025550100", "+12025550147", "hello");
    let name = |name| AccountName::new("sms", name);
    message.routes = vec![name("b"), name("gone"), name("a")];
    assert_eq!(
        adapter().plan(&message).unwrap().routes,
        [Route::whole(name("b")), Route::whole(name("a"))]
    );
    message.routes = vec![name("gone")];
    assert_eq!(adapter().plan(&message), Err(Refusal::NoRoute));
}

#[test]
fn a_contact_has_one_spelling() {
    let adapter = adapter();
    let suggestion = |text: &str| adapter.peer(text).unwrap_err().suggestion;
    for text in [
        "+12025550147",
        "12345;phone-context=us",
        "acme;phone-context=alpha",
        "911",
    ] {
        let peer = adapter.peer(text).unwrap();
        assert_eq!(adapter.local_part(&peer), text);
    }
    assert_eq!(suggestion("2025550147"), Some(Address::new("+12025550147")));
    assert_eq!(
        suggestion("+4901711234567"),
        Some(Address::new("+491711234567"))
    );
    assert_eq!(
        suggestion("12345"),
        Some(Address::new("12345;phone-context=us"))
    );
    assert_eq!(suggestion("1-800-FLOWERS"), None);
    assert_eq!(
        adapter.read_typed(" (202) 555-0147 "),
        Ok(Address::new("+12025550147"))
    );
    assert!(adapter.read_typed("Bob").is_err());
}

#[test]
fn all_faults_are_told_at_once_and_no_secret_with_them() {
    let told = faults(json!({
        "region": "Germany",
        "allow_countries": ["US", "XX"],
        "provider": {},
    }));
    assert_eq!(
        told,
        [
            "gateway.sms.region: \"Germany\" is not a two-letter country code; write it as in ISO 3166: US, DE, GB",
            "gateway.sms.allow_countries: \"XX\" is not a two-letter country code; write it as in ISO 3166: US, DE, GB",
            "gateway.sms.provider: there is none; add a section like [gateway.sms.provider.main] with its kind",
        ]
    );
    let told = faults(json!({
        "region": "US",
        "provider": {
            "a": { "kind": "pigeon" },
            "b": { "kind": "twilio", "account_sid": "nonsense", "base_url": "ftp://x", "validity": "11h", "shared_key_id": "k" },
            "c": { "kind": "kannel", "base_url": "http://h/?q", "username": "u\n", "webhook_token": "s3cret", "max_messages": 0 },
            "d": { "kind": "twilio", "account_sid": "AC1", "auth_tokne": "s3cret" },
            "e/f": twilio(),
        },
    }))
    .join("\n");
    for key in [
        "provider.a.kind",
        "b.account_sid",
        "b.base_url",
        "b.validity",
        "b.auth_token",
        "b.shared_key_id",
        "c.base_url",
        "c.username",
        "c.password",
        "c.webhook_token",
        "c.max_messages",
        "provider.d: unknown field `auth_tokne`",
        "provider.e/f",
    ] {
        assert!(told.contains(key), "{key} in {told}");
    }
    assert!(!told.contains("s3cret"), "{told}");
}

#[test]
fn numbers_may_come_as_text_from_the_environment() {
    let mut kannel = kannel(1);
    kannel["max_messages"] = "2".into();
    assert!(read(json!({ "region": "US", "provider": { "k": kannel } }), &[]).is_ok());
}

/// A provider of somebody else.
struct Pigeon;

impl ProviderFactory for Pigeon {
    fn kind(&self) -> &'static str {
        "pigeon"
    }

    fn build(
        &self,
        name: AccountName,
        section: &Section,
        _env: &ProviderEnv,
    ) -> Result<Arc<dyn Account>, Vec<ConfigFault>> {
        assert!(section.table.is_empty(), "kind was read already");
        Ok(Arc::new(PigeonAccount(name)))
    }
}

struct PigeonAccount(AccountName);

#[async_trait]
impl Account for PigeonAccount {
    fn name(&self) -> &AccountName {
        &self.0
    }

    fn groups(&self) -> Groups {
        Groups::AtOnce { members_max: 2 }
    }

    fn capabilities(&self) -> Capabilities {
        Capabilities {
            repeat: Repeat::Unsafe,
            reports: Reports::None,
            concurrency: 1,
            send_seconds_max: 1,
            files: None,
            holder: Holder::Anyone,
        }
    }

    async fn send(&self, message: &Outgoing, _attempt: Attempt) -> Outcome {
        let ids = vec![ExternalId::new("text", &message.text)];
        Outcome::Accepted { ids }
    }
}

#[test]
fn another_crate_can_bring_a_provider() {
    let table = json!({ "region": "US", "provider": { "coo": { "kind": "pigeon" } } });
    let adapter = read(table, &[Box::new(Pigeon)]).unwrap();
    let names: Vec<_> = adapter
        .accounts()
        .iter()
        .map(|a| a.name().to_string())
        .collect();
    assert_eq!(names, ["sms/coo"]);
    assert_eq!(adapter.network(), Network::Sms);
}

#[test]
fn a_group_goes_by_accounts_that_send_to_groups() {
    let table =
        json!({ "region": "US", "provider": { "a": twilio(), "phones": { "kind": "pigeon" } } });
    let adapter = read(table, &[Box::new(Pigeon)]).unwrap();
    let group = |last: std::ops::Range<u32>, at_once| {
        let number = |last| Member::to(Address::new(format!("+120255501{last:02}")));
        let members: Vec<Member> = last.map(number).collect();
        Outgoing {
            group: Some(Group {
                key: Key(1),
                members,
                at_once,
            }),
            ..outgoing("+12025550100", "+12025550110", "hello")
        }
    };
    let plan = adapter.plan(&group(10..12, true)).unwrap();
    assert_eq!(
        plan.routes,
        [Route::whole(AccountName::new("sms", "phones"))]
    );
    let not_taken = Err(Refusal::GroupsNotTaken);
    assert_eq!(
        adapter.plan(&group(10..13, true)),
        not_taken,
        "one too many"
    );
    assert_eq!(
        adapter.plan(&group(10..12, false)),
        not_taken,
        "not in this way"
    );
    let mut abroad = group(10..12, true);
    abroad
        .group
        .as_mut()
        .unwrap()
        .members
        .push(Member::to(Address::new("+491711234567")));
    assert!(
        matches!(
            adapter.plan(&abroad),
            Err(Refusal::CountryNotAllowed { .. })
        ),
        "each of them"
    );
}

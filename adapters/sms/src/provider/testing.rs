//! What the tests of providers have in common, and the provider of the guide.

mod calls;
mod smallest;

use std::sync::Arc;

use aws_lc_rs::{
    encoding::{AsDer, Pkcs8V1Der},
    rsa::{KeyPair, KeySize},
};
use base64::{
    Engine,
    prelude::{BASE64_STANDARD, BASE64_URL_SAFE_NO_PAD},
};
use hmac::{Hmac, KeyInit, Mac};
use http::{HeaderMap, Method, StatusCode, header::RETRY_AFTER};
use proptest::prelude::*;
use serde_json::Value;
use sha2::{Digest, Sha256};
use transom_adapter::{
    Account, AccountName, Address, Attempt, ConfigFault, Event, ExternalId, Group, Handled,
    HttpClient, HttpLimits, HttpReply, Incoming, Member, OutFile, Outcome, Outgoing, Refused,
    Report, Section, StoredFile, UnixMillis, WebRequest,
    testkit::{ManualClock, Recorded, Reply, ScriptedHttp, outgoing, signer},
};
use url::Url;

use super::{
    ProviderEnv,
    answer::{self, ErrorRow, Verdict},
};

/// When it is, in every test: 2026-09-21T14:13:20Z.
pub(crate) const NOW: UnixMillis = UnixMillis(1_790_000_000_000);
pub(crate) const FIRST: Attempt = Attempt {
    number: 1,
    unit: 0,
    started_at: NOW,
};
pub(crate) const TOKEN: &str = "0123456789abcdef";

/// The section of a provider named `main`.
pub(crate) fn section(table: Value) -> Section {
    let Value::Object(table) = table else {
        panic!("no table")
    };
    Section {
        key: "gateway.sms.provider.main".into(),
        table,
        base_dir: ".".into(),
    }
}

/// Reached at `https://gw.example.org`, at home in the US.
pub(crate) fn env(http: HttpClient) -> ProviderEnv {
    ProviderEnv {
        clock: Arc::new(ManualClock::at(NOW)),
        http,
        signer: signer(),
        public_url: Url::parse("https://gw.example.org").ok(),
        home: "US".parse().unwrap(),
    }
}

pub(crate) fn client() -> HttpClient {
    HttpClient::new(HttpLimits::default()).unwrap()
}

/// A text from our line to a phone, accepted at [`NOW`].
pub(crate) fn message(text: &str) -> Outgoing {
    outgoing("+12025550100", "+12025550147", text)
}

/// What is wrong with the section of a provider that is built so.
pub(crate) fn faults_of<A>(
    build: impl FnOnce(AccountName, &Section, &ProviderEnv) -> Result<A, Vec<ConfigFault>>,
    table: Value,
) -> Vec<ConfigFault> {
    let name = AccountName::new("sms", "main");
    build(name, &section(table), &env(client()))
        .err()
        .expect("it has faults")
}

/// Sends a text, which is taken under this id, and the same with a picture: what the provider was asked for both.
pub(crate) async fn text_and_picture(
    account: &dyn Account,
    server: &ScriptedHttp,
    message: &Outgoing,
    id: ExternalId,
) -> [Recorded; 2] {
    let outcome = account.send(message, FIRST).await;
    assert_eq!(outcome, Outcome::Accepted { ids: vec![id] });
    account.send(&with_picture(message), FIRST).await;
    server.requests().try_into().expect("two requests")
}

/// What comes of a send that is answered like this.
pub(crate) async fn outcome_of<A: Account>(build: impl Fn(&str) -> A, reply: Reply) -> Outcome {
    let server = ScriptedHttp::start([reply]).await;
    build(server.base_url())
        .send(&message("hello"), FIRST)
        .await
}

/// Each row of an error table holds for an answer with its code, under a status that leaves it open nothing is surely not sent, each
/// code is there once, and nothing that a provider wrote gets into the log.
pub(crate) fn check_table(
    table: &'static [ErrorRow],
    status: u16,
    body_of: impl Fn(u32) -> String,
    outcome_of: impl Fn(&HttpReply) -> Outcome,
) {
    let answered = |status: u16, code| {
        outcome_of(&HttpReply {
            status: StatusCode::from_u16(status).unwrap(),
            headers: HeaderMap::from_iter([(RETRY_AFTER, "9".parse().unwrap())]),
            body: body_of(code).into(),
        })
    };
    for row in table {
        let outcome = answered(status, row.code);
        let failure = answer::failure(table, row.code);
        let after = Some(std::time::Duration::from_secs(9));
        let wanted = answer::outcome(row.verdict, failure.clone(), after);
        assert_eq!(outcome, wanted, "{}", row.code);
        assert!(!format!("{outcome:?}").contains("secret"), "{outcome:?}");
        for status in [408, 500, 502, 504] {
            let wanted = match row.verdict {
                Verdict::Transient => Outcome::Unknown(failure.clone()),
                verdict => answer::outcome(verdict, failure.clone(), after),
            };
            assert_eq!(answered(status, row.code), wanted, "{status} {}", row.code);
        }
    }
    let mut codes: Vec<_> = table.iter().map(|row| row.code).collect();
    codes.sort_unstable();
    codes.dedup();
    assert_eq!(codes.len(), table.len(), "each code once");
}

/// A call as the server hands it over.
#[derive(Clone)]
pub(crate) struct Call {
    pub(crate) method: Method,
    pub(crate) url: String,
    pub(crate) token: Option<&'static str>,
    pub(crate) headers: HeaderMap,
    pub(crate) body: Vec<u8>,
    pub(crate) now: UnixMillis,
}

impl Call {
    /// A POST to the webhook of the provider named `main`.
    pub(crate) fn post(query: &str, body: impl Into<Vec<u8>>) -> Self {
        Self {
            method: Method::POST,
            url: format!("https://gw.example.org/webhook/sms/main{query}"),
            token: None,
            headers: HeaderMap::new(),
            body: body.into(),
            now: NOW,
        }
    }

    pub(crate) fn with(mut self, name: &'static str, value: &str) -> Self {
        self.headers.insert(name, value.parse().unwrap());
        self
    }

    pub(crate) fn with_token(mut self, token: &'static str) -> Self {
        self.token = Some(token);
        self
    }

    pub(crate) fn request(&self) -> WebRequest<'_> {
        WebRequest {
            method: &self.method,
            public_url: &self.url,
            query: self.url.split_once('?').map_or("", |(_, query)| query),
            token: self.token,
            headers: &self.headers,
            body: &self.body,
            peer: None,
        }
    }

    pub(crate) fn send(&self, account: &dyn Account) -> Result<Handled, Refused> {
        account.webhook(&self.request(), self.now)
    }
}

/// The one text in it.
#[track_caller]
pub(crate) fn one_message(handled: &Handled) -> &Incoming {
    match &handled.events[..] {
        [Event::Message(message)] => message,
        other => panic!("{other:?}"),
    }
}

/// The one report in it.
#[track_caller]
pub(crate) fn one_report(handled: &Handled) -> &Report {
    match &handled.events[..] {
        [Event::Report(report)] => report,
        other => panic!("{other:?}"),
    }
}

/// HMAC-SHA-256.
pub(crate) fn hmac_sha256(secret: &str, message: &[u8]) -> Vec<u8> {
    let mut mac = Hmac::<Sha256>::new_from_slice(secret.as_bytes()).unwrap();
    mac.update(message);
    mac.finalize().into_bytes().to_vec()
}

/// A token signed with HS256 that says it were signed with `algorithm`.
pub(crate) fn jwt(algorithm: &str, claims: &Value, secret: &str) -> String {
    let head = BASE64_URL_SAFE_NO_PAD.encode(format!(r#"{{"typ":"JWT","alg":"{algorithm}"}}"#));
    let signed = format!(
        "{head}.{}",
        BASE64_URL_SAFE_NO_PAD.encode(claims.to_string())
    );
    let mac = hmac_sha256(secret, signed.as_bytes());
    format!("{signed}.{}", BASE64_URL_SAFE_NO_PAD.encode(mac))
}

/// A new RSA key, in PEM.
pub(crate) fn rsa_pem() -> String {
    let pair = KeyPair::generate(KeySize::Rsa2048).unwrap();
    let der = AsDer::<Pkcs8V1Der<'_>>::as_der(&pair).unwrap();
    let base64 = BASE64_STANDARD.encode(der.as_ref());
    format!("-----BEGIN PRIVATE KEY-----\n{base64}\n-----END PRIVATE KEY-----\n")
}

/// The digest of a body, in hexadecimal digits.
pub(crate) fn sha256_hex(body: &[u8]) -> String {
    hex::encode(Sha256::digest(body))
}

/// Words that mean something and bytes that do not, in any order.
pub(crate) fn soup(words: &'static [&'static str]) -> impl Strategy<Value = Vec<u8>> {
    let word = proptest::sample::select(words).prop_map(|word| word.as_bytes().to_vec());
    let byte = any::<u8>().prop_map(|byte| vec![byte]);
    proptest::collection::vec(prop_oneof![4 => word, 1 => byte], 0..24)
        .prop_map(|parts| parts.concat())
}

/// A JSON document of these fields, nested, with values of every type.
pub(crate) fn json_soup(fields: &'static [&'static str]) -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        proptest::sample::select(fields).prop_map(Value::from),
        Just(Value::from("+12025550147")),
        ".{0,8}".prop_map(Value::from),
    ];
    leaf.prop_recursive(5, 48, 6, move |inner| {
        prop_oneof![
            proptest::collection::vec(inner.clone(), 0..4).prop_map(Value::from),
            proptest::collection::vec((proptest::sample::select(fields), inner), 0..8).prop_map(
                |pairs| -> Value { pairs.into_iter().map(|(k, v)| (k.to_owned(), v)).collect() }
            ),
        ]
    })
}

/// The same with a picture that can be fetched from us.
pub(crate) fn with_picture(message: &Outgoing) -> Outgoing {
    let mut message = message.clone();
    message.files = vec![OutFile {
        name: "a.png".into(),
        content_type: "image/png".into(),
        bytes: 9,
        stored: Some(StoredFile {
            path: "a".into(),
            url: Some("https://gw.example.org/files/x/a.png".into()),
        }),
    }];
    message
}

/// The same to a second phone too, which see each other.
pub(crate) fn to_group(message: &Outgoing) -> Outgoing {
    let second = Address::new("+12025550148");
    let members = vec![Member::to(message.to.clone()), Member::to(second)];
    let (key, at_once) = (message.key, true);
    Outgoing {
        group: Some(Group {
            key,
            members,
            at_once,
        }),
        ..message.clone()
    }
}

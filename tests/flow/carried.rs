//! Alice's line at a provider whose network is real: her server, the gateway, and the texts' way back.

use std::net::SocketAddr;

use transom_test_servers::{Element, PATIENCE, Prosody, Transom, XmppClient, until};

use crate::world::{LINE, SMS, chat, contact, is_receipt_of, link_up};

/// Who she writes with.
pub(crate) const PEER: &str = "+12025550147";

/// The token of a webhook that nobody signs.
pub(crate) const TOKEN: &str = "hook-token-0123456789";

/// A gateway with one provider, and alice at her server.
pub(crate) struct Carried {
    pub(crate) transom: Transom,
    pub(crate) alice: XmppClient,
    _prosody: Prosody,
}

/// Where a provider without signatures brings its texts.
pub(crate) fn webhook(http: SocketAddr) -> String {
    format!("http://{http}/webhook/sms/main/{TOKEN}")
}

impl Carried {
    /// `provider` is the section of the provider, and `gateway` more of the gateway's.
    pub(crate) async fn start(http: SocketAddr, gateway: &str, provider: &str) -> Self {
        let prosody = Prosody::builder()
            .component(SMS, "secret")
            .user("alice")
            .start()
            .await;
        let config = format!(
            r#"
[xmpp]
server = "{server}"
allow = ["example.org"]
[http]
listen = "{http}"
public_url = "http://{http}"
[gateway.sms]
adapter = "sms"
domain = "{SMS}"
secret = "secret"
region = "US"
{gateway}
[gateway.sms.provider.main]
{provider}
[[gateway.sms.line]]
number = "{LINE}"
owner = "alice@example.org"
"#,
            server = prosody.component_addr(),
        );
        let mut transom = Transom::builder(env!("CARGO_BIN_EXE_transom"))
            .config(&config)
            .http(http)
            .prepare();
        transom.start().await;
        link_up(&transom, "sms").await;
        Self {
            transom,
            alice: prosody.client("alice", "phone").await,
            _prosody: prosody,
        }
    }

    /// Alice writes to the peer.
    pub(crate) async fn write(&mut self, id: &str, body: &str) {
        self.alice.send(&chat(&contact(PEER), id, body)).await;
    }

    /// She gets the receipt, which stands for the report of the handset.
    pub(crate) async fn receipt(&mut self, id: &str) {
        self.alice
            .expect(id, |stanza| is_receipt_of(stanza, id))
            .await;
    }

    /// She gets a text of the peer.
    pub(crate) async fn text(&mut self, body: &str) {
        let text = self
            .alice
            .expect(body, |stanza| stanza.body().as_deref() == Some(body))
            .await;
        assert_eq!(text.attr("from"), Some(contact(PEER).as_str()));
    }

    /// The gateway tells her something of her texts, with these words in it.
    pub(crate) async fn told(&mut self, words: &str) {
        let says = |stanza: &Element| stanza.body().is_some_and(|body| body.contains(words));
        self.alice.expect(words, says).await;
    }

    /// Waits until the log holds these words.
    pub(crate) async fn logged(&self, words: &str) {
        let found = async || self.transom.log().contains(words).then_some(());
        until(words, PATIENCE, found).await.unwrap();
    }
}

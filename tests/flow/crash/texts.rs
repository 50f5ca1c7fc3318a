//! Texts by Twilio's double.

use transom_test_servers::{Transom, XmppClient};

use super::{PEERS, Traffic, has_picture, in_body, out_body};
use crate::world::{LINE, Twilio, World, chat, contact};

const NUMBERS: [&str; PEERS] = ["+12025550147", "+12025550148", "+12025550149"];

pub(super) struct Texts(World);

impl Traffic for Texts {
    const LINKS: &'static [&'static str] = &["sms"];
    const HOLD: &'static str = "TRANSOM_GATEWAY__SMS__HOLD";
    const KNOWS_REPEATS: bool = false;
    const KILLS: u32 = 2;
    const FIRST_COMMIT: u32 = 1;

    async fn prepare(store: &str) -> Self {
        let line =
            format!("[[gateway.sms.line]]\nnumber = \"{LINE}\"\nowner = \"alice@example.org\"\n");
        Self(World::prepare(&line, store, |builder| builder).await)
    }

    fn transom(&mut self) -> &mut Transom {
        &mut self.0.transom
    }

    async fn alice(&self) -> XmppClient {
        self.0.client("alice").await
    }

    fn written(&self, number: usize) -> String {
        let peer = contact(NUMBERS[number % PEERS]);
        chat(&peer, &format!("m{number}"), &out_body(number))
    }

    async fn deliver(&self, number: usize) {
        let (sid, peer) = (format!("SMin{number}"), NUMBERS[number % PEERS]);
        let (twilio, body) = (&self.0.twilio, in_body(number));
        let delivered = if has_picture(number) {
            twilio.deliver_picture(&sid, peer, LINE, &body).await
        } else {
            twilio.deliver(&sid, peer, LINE, &body).await
        };
        delivered.ok();
    }

    async fn report_all(&self) {
        for (number, sent) in (1..).zip(self.0.twilio.sent()) {
            let (twilio, sid) = (&self.0.twilio, Twilio::sid(number));
            twilio.report(&sent, &sid, "delivered", "").await.ok();
        }
    }

    /// Twilio knows no repeat: each call is another text.
    fn sent(&self) -> Vec<(String, String)> {
        let calls = (1..).zip(self.0.twilio.sent());
        calls
            .filter_map(|(number, sent)| Some((sent.form("Body")?, Twilio::sid(number))))
            .collect()
    }
}

//! An SMSC on the npm package `smpp`, steered over HTTP.

use std::fmt::Write as _;
use std::net::SocketAddr;
use std::path::Path;

use serde_json::Value;

use crate::daemon::{Daemon, Ready};
use crate::http_client::get;
use crate::http_message::percent_encode;
use crate::ports::free_port;
use crate::process::{Launch, Signal, find_program};
use crate::scratch::Scratch;
use crate::wait::{PATIENCE, until};

/// A running SMSC. It takes any name with the password `secret`.
pub struct NpmSmsc {
    daemon: Daemon,
    _scratch: Scratch,
    smpp: SocketAddr,
    control: SocketAddr,
}

impl NpmSmsc {
    /// Starts one.
    pub async fn start() -> Self {
        let scratch = Scratch::owned("npm-smsc", None);
        let [smpp, control] = [(); 2].map(|()| free_port());
        let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("npm-smpp/smsc.js");
        let launch = Launch::new(find_program("node"), scratch.path(), "smsc.log").args([
            script.display().to_string(),
            smpp.port().to_string(),
            control.port().to_string(),
        ]);
        let ready = Ready::Ports(vec![control, smpp]);
        let daemon = Daemon::started(launch, ready, Signal::TERM).await;
        Self {
            daemon,
            _scratch: scratch,
            smpp,
            control,
        }
    }

    /// Where ESMEs connect: `smpp://127.0.0.1:port`.
    pub fn url(&self) -> String {
        format!("smpp://{}", self.smpp)
    }

    /// Where ESMEs connect.
    pub fn addr(&self) -> SocketAddr {
        self.smpp
    }

    /// What becomes of the next messages: `ok`, `throttle`, `silent`.
    pub async fn submits(&self, what: &str) {
        self.call(&format!("/mode?submit={what}")).await;
    }

    /// From now on so many in a thousand messages are throttled, refused, cut off or never answered, as the seed says, and receipts come
    /// by [`receipt`](Self::receipt) alone.
    pub async fn moods(&self, seed: u64, in_a_thousand: u64) {
        let seed = seed % (1 << 32);
        self.call(&format!(
            "/mode?submit=moods&seed={seed}&moods={in_a_thousand}"
        ))
        .await;
    }

    /// With moods: from now on nothing is taken, or it is as before.
    pub async fn down(&self, is_down: bool) {
        self.call(&format!("/mode?down={is_down}")).await;
    }

    /// A receipt for the message with this id, from a phone to a sender; the status of the answer.
    pub async fn receipt(&self, id: &str, (from, to): (&str, &str), state: &str) -> String {
        self.call(&format!(
            "/receipt?id={id}&from={from}&to={to}&stat={state}"
        ))
        .await
    }

    /// When receipts come: `after` or `before` the answer, `none`, or `stored` as phones' texts are.
    pub async fn receipts(&self, when: &str) {
        self.call(&format!("/mode?receipts={when}")).await;
    }

    /// What came, as the package reads it: `from`, `to`, `text`, `udh`, `coding`, `esm`, and `by`, the `system_type` of the bind; or
    /// `throttled`.
    pub async fn received(&self) -> Vec<Value> {
        self.received_since(0).await
    }

    /// The same without as many of the first; with moods: `text`, `mood`, and `id` if it was taken.
    pub async fn received_since(&self, count: usize) -> Vec<Value> {
        let received = self.call(&format!("/received?since={count}")).await;
        let received: Value = serde_json::from_str(&received).unwrap();
        received.as_array().unwrap().clone()
    }

    /// Waits until that many came.
    pub async fn wait_for(&self, count: usize) -> Vec<Value> {
        let what = format!("{count} messages at the SMSC");
        let enough = async || {
            let received = self.received().await;
            (received.len() >= count).then_some(received)
        };
        until(&what, PATIENCE, enough)
            .await
            .unwrap_or_else(|late| panic!("{late}"))
    }

    /// Waits until an ESME is bound.
    pub async fn wait_until_bound(&self) {
        let bound = async || (self.call("/bound").await != "0").then_some(());
        until("an ESME to bind", PATIENCE, bound)
            .await
            .unwrap_or_else(|late| panic!("{late}"));
    }

    /// The `system_type` of each bind that stands, the oldest first.
    pub async fn bound(&self) -> Vec<String> {
        serde_json::from_str(&self.call("/who").await).unwrap()
    }

    /// Takes a text from a phone, and brings it to whoever is bound, in turn, every two seconds until somebody says that he has it.
    pub async fn store(&self, from: &str, to: &str, text: &str) {
        let target = target((from, to), 0, &[], text.as_bytes());
        self.call(&format!("{target}&stored=1")).await;
    }

    /// How many texts and receipts wait for somebody to have them.
    pub async fn stored(&self) -> usize {
        self.call("/stored").await.parse().unwrap()
    }

    /// Brings a message, its text as octets in that coding, behind this header; the status of the answer.
    pub async fn deliver(
        &self,
        from: &str,
        to: &str,
        coding: u8,
        header: &[u8],
        text: &[u8],
    ) -> String {
        self.call(&target((from, to), coding, header, text)).await
    }

    /// Cuts the connections.
    pub async fn drop_sessions(&self) {
        self.call("/drop").await;
    }

    /// Ends it.
    pub async fn stop(&mut self) {
        self.daemon.stop().await;
    }

    /// Starts it again, on the same port.
    pub async fn start_again(&mut self) {
        self.daemon.start().await;
    }

    async fn call(&self, target: &str) -> String {
        let answer = get(self.control, target).await.expect("the SMSC answers");
        String::from_utf8_lossy(&answer.body).into_owned()
    }
}

/// How it is asked to bring a message.
fn target((from, to): (&str, &str), coding: u8, header: &[u8], text: &[u8]) -> String {
    let hex = |octets: &[u8]| {
        octets.iter().fold(String::new(), |mut hex, octet| {
            write!(hex, "{octet:02x}").unwrap();
            hex
        })
    };
    let (from, to) = (
        percent_encode(from.as_bytes()),
        percent_encode(to.as_bytes()),
    );
    format!(
        "/deliver?from={from}&to={to}&coding={coding}&udh={}&hex={}",
        hex(header),
        hex(text)
    )
}

//! Kannel: bearerbox and smsbox between us and a scripted SMSC.

use std::fmt::Write as _;
use std::net::SocketAddr;

use crate::daemon::{Daemon, Ready};
use crate::http_client::get;
use crate::http_message::{Response, percent_encode};
use crate::owner::Owner;
use crate::ports::free_port;
use crate::process::{Launch, Signal, find_program};
use crate::scratch::Scratch;
use crate::smsc::FakeSmsc;
use crate::wait::{PATIENCE, until};

/// The name for `sendsms`.
const USERNAME: &str = "tester";
/// The password for `sendsms`.
const PASSWORD: &str = "foobar";

/// A running Kannel.
pub struct Kannel {
    bearerbox: Daemon,
    smsbox: Daemon,
    _scratch: Scratch,
    admin: SocketAddr,
    sendsms: SocketAddr,
    smsc: SocketAddr,
}

impl Kannel {
    /// Describes a Kannel.
    pub fn builder() -> KannelBuilder {
        KannelBuilder {
            get_url: "http://127.0.0.1:9/nowhere".to_owned(),
            retries: 100,
            queue: 0,
        }
    }

    /// The origin that `sendsms` requests go to: `http://127.0.0.1:port`.
    pub fn base_url(&self) -> String {
        format!("http://{}", self.sendsms)
    }

    /// The name that `sendsms` wants.
    pub fn username(&self) -> &'static str {
        USERNAME
    }

    /// The password that `sendsms` wants.
    pub fn password(&self) -> &'static str {
        PASSWORD
    }

    /// Calls `sendsms` with name, password and these further parameters.
    pub async fn send(&self, parameters: &[(&str, &str)]) -> Response {
        let mut target = format!("/cgi-bin/sendsms?username={USERNAME}&password={PASSWORD}");
        for (name, value) in parameters {
            write!(target, "&{name}={}", percent_encode(value.as_bytes())).unwrap();
        }
        get(self.sendsms, &target).await.expect("smsbox answers")
    }

    /// Connects the SMSC; only one at a time. Until then, and after it is dropped, messages wait in bearerbox.
    pub async fn connect_smsc(&self) -> FakeSmsc {
        let smsc = FakeSmsc::connect(self.smsc).await;
        self.wait_for_status("the SMSC to be online", "(online")
            .await;
        smsc
    }

    /// Shuts smsbox down: `sendsms` is refused, incoming messages wait in bearerbox.
    pub async fn stop_smsbox(&mut self) {
        self.smsbox.stop().await;
    }

    /// SIGKILL to smsbox.
    pub fn kill_smsbox(&mut self) {
        self.smsbox.kill();
    }

    /// Starts smsbox again.
    pub async fn start_smsbox(&mut self) {
        self.smsbox.start().await;
        self.wait_for_status("smsbox to be connected", "smsbox")
            .await;
    }

    /// SIGKILL to bearerbox; smsbox ends with it.
    pub async fn kill(&mut self) {
        self.bearerbox.kill();
        self.smsbox.stop().await;
    }

    /// Starts both again.
    pub async fn start(&mut self) {
        self.bearerbox.start().await;
        self.start_smsbox().await;
    }

    /// Bearerbox's own view of itself.
    pub async fn status(&self) -> String {
        let status = get(self.admin, "/status.txt?password=bar").await;
        status.map(|page| page.text()).unwrap_or_default()
    }

    async fn wait_for_status(&self, what: &str, words: &str) {
        let found = until(what, PATIENCE, async || {
            self.status().await.contains(words).then_some(())
        });
        if let Err(late) = found.await {
            panic!("{late}; bearerbox says:\n{}", self.status().await);
        }
    }
}

/// A Kannel to be started.
pub struct KannelBuilder {
    get_url: String,
    retries: u32,
    queue: u32,
}

impl KannelBuilder {
    /// Where smsbox reports a message that came in, with Kannel's `%` escapes; see [`incoming`](Self::incoming).
    #[must_use]
    pub fn get_url(mut self, url: &str) -> Self {
        url.clone_into(&mut self.get_url);
        self
    }

    /// As [`get_url`](Self::get_url), with the usual parameters added to a plain URL.
    #[must_use]
    pub fn incoming(self, url: &str) -> Self {
        self.get_url(&format!(
            "{url}?id=%I&from=%p&to=%P&text=%a&bin=%b&charset=%C&coding=%c&udh=%u&time=%T&smsc=%i"
        ))
    }

    /// How often smsbox repeats a report that failed, a second apart; 100 unless told.
    #[must_use]
    pub fn retries(mut self, retries: u32) -> Self {
        self.retries = retries;
        self
    }

    /// How many messages may wait for the SMSC; more are refused for the time being. Without, as many as there are.
    #[must_use]
    pub fn queue_limit(mut self, messages: u32) -> Self {
        self.queue = messages;
        self
    }

    /// Starts both boxes and waits until they work.
    pub async fn start(self) -> Kannel {
        let owner = Owner::service("nobody");
        let scratch = Scratch::owned("kannel", owner.as_ref());
        let [admin, smsbox_port, smsc, sendsms] = [(); 4].map(|()| free_port());
        let ports = [admin, smsbox_port, smsc, sendsms].map(|addr| addr.port());
        let config = scratch.write("kannel.conf", self.config(&scratch, ports));
        let launch = |program: &str| {
            Launch::new(
                find_program(program),
                scratch.path(),
                &format!("{program}-console.log"),
            )
            .args(["-v", "2", &config.display().to_string()])
            .owner(owner.as_ref())
        };
        let boxes = Ready::Ports(vec![admin, smsbox_port, smsc]);
        let mut kannel = Kannel {
            bearerbox: Daemon::new(launch("bearerbox"), boxes, Signal::TERM),
            smsbox: Daemon::new(launch("smsbox"), Ready::Ports(vec![sendsms]), Signal::TERM),
            _scratch: scratch,
            admin,
            sendsms,
            smsc,
        };
        kannel.start().await;
        kannel
    }

    fn config(&self, scratch: &Scratch, ports: [u16; 4]) -> String {
        let [admin, smsbox, smsc, sendsms] = ports;
        let folder = scratch.path().display();
        let Self {
            get_url, retries, ..
        } = self;
        let limit = match self.queue {
            0 => String::new(),
            queue => format!("sms-outgoing-queue-limit = {queue}\n"),
        };
        format!(
            r#"group = core
admin-port = {admin}
admin-interface = "127.0.0.1"
admin-password = bar
admin-deny-ip = "*.*.*.*"
admin-allow-ip = "127.0.0.1"
smsbox-port = {smsbox}
smsbox-interface = "127.0.0.1"
box-deny-ip = "*.*.*.*"
box-allow-ip = "127.0.0.1"
log-file = "{folder}/bearerbox.log"
log-level = 1
dlr-storage = internal
sms-resend-freq = 1
{limit}
group = smsc
smsc = fake
smsc-id = FAKE
host = 127.0.0.1
port = {smsc}
connect-allow-ip = "127.0.0.1"

group = smsbox
bearerbox-host = 127.0.0.1
bearerbox-port = {smsbox}
sendsms-port = {sendsms}
sendsms-interface = "127.0.0.1"
log-file = "{folder}/smsbox.log"
log-level = 1
mo-recode = false
http-request-retry = {retries}
http-queue-delay = 1

group = sendsms-user
username = {USERNAME}
password = {PASSWORD}
user-deny-ip = "*.*.*.*"
user-allow-ip = "127.0.0.1"
concatenation = true
max-messages = 10

group = sms-service
keyword = default
catch-all = true
max-messages = 0
concatenation = true
assume-plain-text = true
omit-empty = true
get-url = "{get_url}"
"#
        )
    }
}

//! Postfix: the mail server that the gateway sends through and receives from. It needs root.

use std::fmt::Write as _;
use std::net::SocketAddr;
use std::time::{Duration, SystemTime};

use crate::daemon::{Daemon, Ready};
use crate::mailer::Mailer;
use crate::owner::{Owner, set_mode};
use crate::ports::free_port;
use crate::process::{Launch, Signal};
use crate::scratch::Scratch;

/// A running Postfix. Whatever has no route goes to the one place of [`PostfixBuilder::outgoing`]: no mail can leave
/// the machine.
pub struct Postfix {
    daemon: Daemon,
    _scratch: Scratch,
    smtp: SocketAddr,
}

impl Postfix {
    /// Describes a server.
    pub fn builder() -> PostfixBuilder {
        PostfixBuilder {
            routes: Vec::new(),
            outgoing: None,
            parameters: Vec::new(),
        }
    }

    /// Where it takes mails, without TLS and login.
    pub fn smtp_addr(&self) -> SocketAddr {
        self.smtp
    }

    /// A mail program that sends through it.
    pub fn mailer(&self) -> Mailer {
        Mailer::smtp(self.smtp)
    }

    /// Shuts it down; its queue stays.
    pub async fn stop(&mut self) {
        self.daemon.stop().await;
    }

    /// Starts it again, with its queue and on its port.
    pub async fn resume(&mut self) {
        self.daemon.start().await;
    }

    /// SIGKILL.
    pub fn kill(&mut self) {
        self.daemon.kill();
    }
}

/// A Postfix to be started.
pub struct PostfixBuilder {
    routes: Vec<(String, SocketAddr, &'static str)>,
    outgoing: Option<SocketAddr>,
    parameters: Vec<(String, String)>,
}

impl PostfixBuilder {
    /// Delivers a domain's mail by LMTP.
    #[must_use]
    pub fn route(mut self, domain: &str, lmtp: SocketAddr) -> Self {
        self.routes.push((domain.to_owned(), lmtp, "lmtp"));
        self
    }

    /// As [`route`](Self::route), over SMTP.
    #[must_use]
    pub fn route_by_smtp(mut self, domain: &str, smtp: SocketAddr) -> Self {
        self.routes.push((domain.to_owned(), smtp, "smtp"));
        self
    }

    /// Sends all other mail by SMTP to this server, which plays the rest of the world; without it such mail is
    /// returned to its sender.
    #[must_use]
    pub fn outgoing(mut self, smtp: SocketAddr) -> Self {
        self.outgoing = Some(smtp);
        self
    }

    /// Sets a parameter of `main.cf`.
    #[must_use]
    pub fn parameter(mut self, name: &str, value: &str) -> Self {
        self.parameters.push((name.to_owned(), value.to_owned()));
        self
    }

    /// Starts it and waits until it accepts connections.
    pub async fn start(self) -> Postfix {
        let postfix = Owner::service("postfix").expect("Postfix runs as root only");
        let scratch = Scratch::new("postfix");
        let smtp = free_port();
        create_queue(&scratch, &postfix);
        scratch.folder("data", Some(&postfix));
        let config = scratch.folder("config", None);
        scratch.write("config/main.cf", self.main_cf(&scratch));
        scratch.write("config/master.cf", master_cf(smtp.port()));
        for name in ["config/main.cf", "config/master.cf"] {
            age(&scratch, name);
        }
        let config = config.display().to_string();
        let mut launch = Launch::new(
            "/usr/lib/postfix/sbin/master",
            scratch.path(),
            "console.log",
        )
        .args(["-c", &config, "-s"])
        .env("MAIL_CONFIG", config.clone());
        launch.grouped = false; // it starts a session, which the leader of a group cannot
        Postfix {
            daemon: Daemon::started(launch, Ready::Ports(vec![smtp]), Signal::TERM).await,
            _scratch: scratch,
            smtp,
        }
    }

    fn main_cf(&self, scratch: &Scratch) -> String {
        let folder = scratch.path().display();
        let temp = std::env::temp_dir();
        let temp = temp.display();
        let domains: Vec<&str> = self
            .routes
            .iter()
            .map(|(domain, ..)| domain.as_str())
            .collect();
        let transports: Vec<String> = self
            .routes
            .iter()
            .map(|(domain, to, protocol)| match *protocol {
                "lmtp" => format!("{{ {domain} = lmtp:inet:{}:{} }}", to.ip(), to.port()),
                _ => format!("{{ {domain} = smtp:[{}]:{} }}", to.ip(), to.port()),
            })
            .collect();
        let outgoing = match self.outgoing {
            Some(addr) => format!("smtp:[{}]:{}", addr.ip(), addr.port()),
            None => "error:5.4.4 no way out".to_owned(),
        };
        let mut text = format!(
            "compatibility_level = 3.6
queue_directory = {folder}/queue
data_directory = {folder}/data
command_directory = /usr/sbin
daemon_directory = /usr/lib/postfix/sbin
mail_owner = postfix
setgid_group = postdrop
myhostname = mx.example.org
mydestination =
inet_interfaces = 127.0.0.1
inet_protocols = ipv4
mynetworks = 127.0.0.0/8
maillog_file = {folder}/postfix.log
maillog_file_prefixes = {temp}
virtual_mailbox_domains = {domains}
virtual_mailbox_maps = static:ok
virtual_alias_maps =
virtual_transport = error:5.4.4 no route
transport_maps = {transports}
lmtp_destination_recipient_limit = 50
smtpd_recipient_restrictions = permit_mynetworks, reject_unauth_destination
default_transport = {outgoing}
relay_transport = {outgoing}
local_transport = error:5.1.1 no local users
smtp_host_lookup = native
disable_dns_lookups = yes
recipient_delimiter = +
alias_maps =
alias_database =
minimal_backoff_time = 1s
maximal_backoff_time = 4s
queue_run_delay = 1s
",
            domains = domains.join(" "),
            transports = if transports.is_empty() {
                String::new()
            } else {
                format!("inline:{{ {} }}", transports.join(" "))
            },
        );
        for (name, value) in &self.parameters {
            writeln!(text, "{name} = {value}").unwrap();
        }
        text
    }
}

/// What `postfix check` would create, in a second.
fn create_queue(scratch: &Scratch, postfix: &Owner) {
    scratch.folder("queue", None);
    let private = [
        "active", "bounce", "corrupt", "defer", "deferred", "flush", "hold", "incoming", "private",
        "saved", "trace", "maildrop", "public",
    ];
    for name in private {
        let folder = scratch.folder(&format!("queue/{name}"), Some(postfix));
        set_mode(&folder, if name == "public" { 0o710 } else { 0o700 });
    }
    scratch.folder("queue/pid", None);
}

/// Postfix waits until its files are two seconds old, for fear of reading one half written.
fn age(scratch: &Scratch, name: &str) {
    let file = std::fs::File::options()
        .append(true)
        .open(scratch.join(name));
    #[expect(
        clippy::disallowed_methods,
        reason = "the file system's time, not the gateway's"
    )]
    let past = SystemTime::now() - Duration::from_mins(1);
    file.and_then(|file| file.set_modified(past))
        .expect("a file of ours");
}

fn master_cf(port: u16) -> String {
    let mut text = format!("127.0.0.1:{port} inet n - n - - smtpd\n");
    // service, type, private, wakeup, process limit, program
    let services = [
        "pickup unix n 60 1 pickup",
        "cleanup unix n - 0 cleanup",
        "qmgr unix n 300 1 qmgr",
        "rewrite unix - - - trivial-rewrite",
        "bounce unix - - 0 bounce",
        "defer unix - - 0 bounce",
        "trace unix - - 0 bounce",
        "verify unix - - 1 verify",
        "flush unix n 1000? 0 flush",
        "proxymap unix - - - proxymap",
        "proxywrite unix - - 1 proxymap",
        "smtp unix - - - smtp",
        "relay unix - - - smtp",
        "showq unix n - - showq",
        "error unix - - - error",
        "retry unix - - - error",
        "discard unix - - - discard",
        "lmtp unix - - - lmtp",
        "anvil unix - - 1 anvil",
        "scache unix - - 1 scache",
        "postlog unix-dgram n - 1 postlogd",
    ];
    for service in services {
        let fields: Vec<&str> = service.split(' ').collect();
        let [name, kind, private, wakeup, limit, program] = fields[..] else {
            unreachable!("six fields each");
        };
        // the fourth and fifth: neither unprivileged nor confined beyond the default
        writeln!(
            text,
            "{name} {kind} {private} - n {wakeup} {limit} {program}"
        )
        .unwrap();
    }
    text
}

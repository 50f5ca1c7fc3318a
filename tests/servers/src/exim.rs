//! Exim: another mail server that the gateway sends through and receives from. It needs root, and stands beside Postfix unpacked, since
//! Debian's packages of the two exclude each other.

use std::net::SocketAddr;
use std::path::Path;

use crate::daemon::{Daemon, Ready};
use crate::owner::Owner;
use crate::ports::free_port;
use crate::process::{Launch, Signal};
use crate::scratch::Scratch;

/// Where `tests/run` unpacks it.
const ROOT: &str = "/usr/local/lib/transom-tests/exim4";

/// How it hands mail to the gateway.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum HandOver {
    /// RFC 2033.
    Lmtp,
    /// RFC 5321.
    Smtp,
}

/// A running Exim. What is not the gateway's goes to one place, which plays the rest of the world: no mail can leave the machine.
pub struct Exim {
    _daemon: Daemon,
    _scratch: Scratch,
    smtp: SocketAddr,
}

impl Exim {
    /// Starts it and waits until it accepts connections: `domain` goes to `gateway`, everything else to `world`.
    pub async fn start(
        domain: &str,
        (how, gateway): (HandOver, SocketAddr),
        world: SocketAddr,
    ) -> Self {
        let owner = Owner::service("Debian-exim").expect("Exim runs as root only");
        let scratch = Scratch::new("exim");
        for name in ["spool", "log"] {
            scratch.folder(name, Some(&owner));
        }
        let smtp = free_port();
        let config = config(&scratch, domain, (how, gateway), (world, smtp));
        let config = scratch.write("exim.conf", config).display().to_string();
        let launch = Launch::new(program(), scratch.path(), "console.log")
            // A run of the queue every second: what was deferred is tried again soon.
            .args(["-C", &config, "-bdf", "-q1s"])
            .env("LD_LIBRARY_PATH", libraries());
        Self {
            _daemon: Daemon::started(launch, Ready::Ports(vec![smtp]), Signal::TERM).await,
            _scratch: scratch,
            smtp,
        }
    }

    /// Where it takes mails, without TLS and login.
    pub fn smtp_addr(&self) -> SocketAddr {
        self.smtp
    }
}

fn program() -> String {
    format!("{ROOT}/usr/sbin/exim4")
}

fn libraries() -> String {
    let usr = Path::new(ROOT).join("usr/lib");
    let entries = std::fs::read_dir(usr).into_iter().flatten().flatten();
    let folders = entries.map(|entry| entry.path().display().to_string());
    folders.collect::<Vec<_>>().join(":")
}

fn config(
    scratch: &Scratch,
    domain: &str,
    (how, gateway): (HandOver, SocketAddr),
    (world, smtp): (SocketAddr, SocketAddr),
) -> String {
    let folder = scratch.path().display();
    let protocol = match how {
        HandOver::Lmtp => "lmtp",
        HandOver::Smtp => "smtp",
    };
    format!(
        "exim_path = {program}
primary_hostname = mx.example.org
spool_directory = {folder}/spool
log_file_path = {folder}/log/%slog
local_interfaces = {ip}
daemon_smtp_ports = {port}
keep_environment = LD_LIBRARY_PATH
tls_advertise_hosts =
acl_smtp_rcpt = accept
acl_smtp_data = accept
acl_smtp_predata = accept
smtputf8_advertise_hosts = *
begin routers
gateway:
  driver = manualroute
  domains = {domain}
  transport = gateway
  route_list = * {gateway_ip}
  self = send
world:
  driver = manualroute
  transport = world
  route_list = * {world_ip}
  self = send
begin transports
gateway:
  driver = smtp
  protocol = {protocol}
  port = {gateway_port}
  hosts_try_fastopen =
  allow_localhost
world:
  driver = smtp
  port = {world_port}
  hosts_try_fastopen =
  allow_localhost
begin retry
* * F,1h,1s
",
        program = program(),
        ip = smtp.ip(),
        port = smtp.port(),
        gateway_ip = gateway.ip(),
        gateway_port = gateway.port(),
        world_ip = world.ip(),
        world_port = world.port(),
    )
}

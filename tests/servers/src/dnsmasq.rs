//! dnsmasq: a name server that knows what a test tells it, and nothing else.

use std::net::SocketAddr;

use crate::daemon::{Daemon, Ready};
use crate::ports::free_port;
use crate::process::{Launch, Signal, find_program};
use crate::scratch::Scratch;

/// A running name server, by UDP and TCP.
pub struct Dnsmasq {
    _daemon: Daemon,
    _scratch: Scratch,
    addr: SocketAddr,
}

impl Dnsmasq {
    /// Starts it with these options, as `mx-host=example.org,mail.example.org,10`, and waits until it answers.
    pub async fn start(options: &[String]) -> Self {
        let scratch = Scratch::new("dnsmasq");
        let addr = free_port();
        let config = format!(
            "port={}\nlisten-address=127.0.0.1\nbind-interfaces\nno-resolv\nno-hosts\nuser=root\npid-file={}\nlocal=/#/\n{}\n",
            addr.port(),
            scratch.join("pid").display(),
            options.join("\n")
        );
        let config = scratch.write("dnsmasq.conf", config).display().to_string();
        let launch = Launch::new(find_program("dnsmasq"), scratch.path(), "console.log")
            .args(["--keep-in-foreground", &format!("--conf-file={config}")]);
        let ready = Ready::Ports(vec![addr]);
        Self {
            _daemon: Daemon::started(launch, ready, Signal::TERM).await,
            _scratch: scratch,
            addr,
        }
    }

    /// Where it is asked.
    pub fn addr(&self) -> SocketAddr {
        self.addr
    }
}

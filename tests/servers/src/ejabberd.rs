//! ejabberd: a second to start and a hundred megabytes, so that tests share one.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::Mutex;

use tokio::sync::OnceCell;

use crate::USER_PASSWORD;
use crate::client::XmppClient;
use crate::daemon::{Daemon, Ready};
use crate::http_client::post;
use crate::owner::Owner;
use crate::ports::free_port;
use crate::process::{Launch, Signal, find_program};
use crate::prosody::{Feature, Federation};
use crate::scratch::Scratch;

/// How many tests of a binary can have a component of their own.
const COMPONENTS: usize = 16;

/// A component that one test may connect.
#[derive(Clone, Debug)]
pub struct Component {
    /// Its host.
    pub domain: String,
    /// Where it connects: a listener of its own, so that no other component of it can speak in its name.
    pub addr: SocketAddr,
    /// The shared secret.
    pub secret: String,
}

/// A running ejabberd for `example.org`: stream management, offline storage, privileges and uploads, no archive.
pub struct Ejabberd {
    daemon: Daemon,
    scratch: Scratch,
    clients: SocketAddr,
    http: SocketAddr,
    components: Mutex<Vec<Component>>,
}

impl Ejabberd {
    /// The one of this test binary; started by the first that asks.
    pub async fn shared() -> &'static Self {
        static SHARED: OnceCell<Ejabberd> = OnceCell::const_new();
        SHARED.get_or_init(Self::start).await
    }

    /// One for a test that wants to stop it.
    pub async fn start() -> Self {
        let component = |number| Component {
            domain: format!("gw{number}.example.org"),
            addr: free_port(),
            secret: format!("secret{number}"),
        };
        let features = [Feature::Offline, Feature::Privilege, Feature::Upload];
        let components = (1..=COMPONENTS).rev().map(component).collect();
        Self::with("example.org", components, &features, None).await
    }

    /// One for a test that wants these components, by domain and secret, all at one port, and these features; others of Prosody's
    /// mean nothing here.
    pub async fn private(components: &[(&str, &str)], features: &[Feature]) -> Self {
        Self::with("example.org", at_one_port(components), features, None).await
    }

    /// One for users of this host, that talks with other servers.
    pub async fn federated(
        host: &str,
        components: &[(&str, &str)],
        federation: Federation,
    ) -> Self {
        let components = at_one_port(components);
        Self::with(host, components, &[Feature::Offline], Some(federation)).await
    }

    async fn with(
        host: &str,
        components: Vec<Component>,
        features: &[Feature],
        federation: Option<Federation>,
    ) -> Self {
        let owner = Owner::service("ejabberd");
        let scratch = Scratch::owned("ejabberd", owner.as_ref());
        let [clients, http] = [free_port(), free_port()];
        let mut text =
            config(clients, http, &components).replace("[example.org]", &format!("[{host}]"));
        if let Some(Federation { listen, names }) = &federation {
            scratch.write("inetrc", inetrc(*names));
            text = federate(&text, *listen);
        }
        if features.contains(&Feature::SecondHost) {
            text = text.replace("hosts: [example.org]", "hosts: [example.org, other.net]");
        }
        for feature in features {
            text.push_str(&module(*feature, &scratch, http));
        }
        scratch.write("ejabberd.yml", text);
        let mut launch = launch(&scratch, owner.as_ref());
        if federation.is_some() {
            let inetrc = scratch.join("inetrc").display().to_string();
            launch = launch.env("ERL_INETRC", inetrc);
        }
        let started = Ready::Log(scratch.join("ejabberd.log"), "is started in the node");
        Self {
            daemon: Daemon::started(launch, started, Signal::TERM).await,
            scratch,
            clients,
            http,
            components: Mutex::new(components),
        }
    }

    /// Where clients connect.
    pub fn client_addr(&self) -> SocketAddr {
        self.clients
    }

    /// Where uploads are fetched.
    pub fn http_addr(&self) -> SocketAddr {
        self.http
    }

    /// Where clients in browsers connect.
    pub fn websocket(&self) -> String {
        format!("ws://{}/ws", self.http)
    }

    /// A component that no other test has.
    pub fn component(&self) -> Component {
        let component = self.components.lock().expect("no test panics here").pop();
        component.unwrap_or_else(|| panic!("all {COMPONENTS} components are taken"))
    }

    /// Creates a user with [`USER_PASSWORD`] and returns the bare JID. In the shared server, names must differ
    /// between tests.
    pub async fn add_user(&self, user: &str) -> String {
        let (user, host) = user.split_once('@').unwrap_or((user, "example.org"));
        let account =
            format!(r#"{{"user": "{user}", "host": "{host}", "password": "{USER_PASSWORD}"}}"#);
        let answer = post(
            self.http,
            "/api/register",
            "application/json",
            account.as_bytes(),
        )
        .await
        .expect("ejabberd's HTTP interface");
        assert_eq!(
            answer.status,
            200,
            "{user} is not created: {}",
            answer.text()
        );
        format!("{user}@{host}")
    }

    /// Logs a user in, available.
    pub async fn client(&self, user: &str, resource: &str) -> XmppClient {
        let (user, host) = user.split_once('@').unwrap_or((user, "example.org"));
        let jid = format!("{user}@{host}");
        XmppClient::connect(self.clients, &jid, USER_PASSWORD, resource).await
    }

    /// Stops it and starts it again, with its users and on its ports.
    pub async fn restart(&mut self) {
        self.daemon.restart().await;
    }

    /// Shuts it down.
    pub async fn stop(&mut self) {
        self.daemon.stop().await;
    }

    /// Starts it again.
    pub async fn resume(&mut self) {
        self.daemon.start().await;
    }

    /// SIGKILL.
    pub fn kill(&mut self) {
        self.daemon.kill();
    }

    /// Prints its log if the calling test is failing; for the shared one, which no test drops.
    pub fn print_logs_on_failure(&self) {
        self.scratch.print_logs_on_failure();
    }
}

/// Components by domain and secret.
fn at_one_port(components: &[(&str, &str)]) -> Vec<Component> {
    let addr = free_port();
    let component = |(domain, secret): &(&str, &str)| Component {
        domain: (*domain).to_owned(),
        addr,
        secret: (*secret).to_owned(),
    };
    components.iter().map(component).collect()
}

/// Erlang's own resolver asks this name server alone.
fn inetrc(names: SocketAddr) -> String {
    let ip = names.ip().to_string().replace('.', ",");
    let port = names.port();
    format!(
        "{{resolv_conf,\"\"}}.\n{{file,hosts,\"/etc/hosts\"}}.\n{{lookup,[file,dns]}}.\n{{nameserver,{{{ip}}},{port}}}.\n"
    )
}

/// With a listener for other servers, and without their having to encrypt.
fn federate(text: &str, listen: SocketAddr) -> String {
    let listener = format!(
        "listen:\n  - port: {}\n    ip: \"127.0.0.1\"\n    module: ejabberd_s2s_in\n",
        listen.port()
    );
    text.replace("listen:\n", &listener)
        .replace(
            "s2s_access: none\n",
            "s2s_use_starttls: false\noutgoing_s2s_families: [ipv4]\n",
        )
        .replace("modules:\n", "modules:\n  mod_s2s_dialback: {}\n")
}

/// Erlang itself instead of `ejabberdctl`, which adds a change of user, shells and a daemon that stays behind.
fn launch(scratch: &Scratch, owner: Option<&Owner>) -> Launch {
    let folder = scratch.path().display().to_string();
    let spool = scratch.folder("spool", owner).display().to_string();
    scratch.folder("upload", owner);
    // Nodes are told apart by name and by this port; there is no name server to meet at.
    let distribution = free_port().port().to_string();
    let node = format!("transom{distribution}@localhost");
    let args = [
        "-sname",
        &node,
        "-setcookie",
        "transom",
        "+K",
        "true",
        "+P",
        "250000",
        "-kernel",
        "inet_dist_use_interface",
        "{127,0,0,1}",
        "-erl_epmd_port",
        &distribution,
        "-start_epmd",
        "false",
        "-mnesia",
        "dir",
        &format!("\"{spool}\""),
        "-s",
        "ejabberd",
        "-noinput",
    ];
    Launch::new(find_program("erl"), scratch.path(), "console.log")
        .args(args)
        .env("ERL_LIBS", libraries().display().to_string())
        .env("EJABBERD_CONFIG_PATH", format!("{folder}/ejabberd.yml"))
        .env("EJABBERD_LOG_PATH", format!("{folder}/ejabberd.log"))
        .env("ERL_CRASH_DUMP", format!("{folder}/crash.dump"))
        .env("ERL_MAX_PORTS", "32000")
        .env("ERL_DIST_PORT", distribution.clone())
        .owner(owner)
}

/// Debian keeps ejabberd's libraries under the architecture's name.
fn libraries() -> PathBuf {
    let folders = std::fs::read_dir("/usr/lib")
        .into_iter()
        .flatten()
        .flatten();
    let holds_ejabberd = |folder: &PathBuf| {
        let entries = std::fs::read_dir(folder).into_iter().flatten().flatten();
        let mut names = entries.map(|entry| entry.file_name());
        names.any(|name| name.to_string_lossy().starts_with("ejabberd-"))
    };
    let found = folders.map(|entry| entry.path()).find(holds_ejabberd);
    found.expect("ejabberd is not installed; tests/run installs it")
}

/// What goes below `modules`, which ends the configuration.
fn module(feature: Feature, scratch: &Scratch, http: SocketAddr) -> String {
    let (folder, http) = (scratch.path().display(), http.port());
    match feature {
        Feature::Offline => "  mod_offline: {}\n".to_owned(),
        Feature::Privilege => "  mod_privilege:
    roster: {both: anybody}
    message: {outgoing: anybody}
    presence: {managed_entity: anybody}
"
        .to_owned(),
        Feature::Upload => format!(
            "  mod_http_upload:
    host: upload.example.org
    docroot: {folder}/upload
    put_url: http://127.0.0.1:{http}/upload
    access: anybody
    max_size: 20971520
"
        ),
        Feature::Archive => "  mod_mam: {default: always}\n".to_owned(),
        Feature::KickOld | Feature::SecondHost | Feature::WebSocket => String::new(),
    }
}

fn config(clients: SocketAddr, http: SocketAddr, components: &[Component]) -> String {
    let listeners = listeners(components);
    let (clients, http) = (clients.port(), http.port());
    format!(
        r#"hosts: [example.org]
loglevel: info
listen:
  - port: {clients}
    ip: "127.0.0.1"
    module: ejabberd_c2s
    max_stanza_size: 262144
    shaper: none
    access: all
  - port: {http}
    ip: "127.0.0.1"
    module: ejabberd_http
    request_handlers:
      /upload: mod_http_upload
      /api: mod_http_api
      /ws: ejabberd_http_ws
{listeners}s2s_access: none
auth_method: internal
acl:
  loopback: {{ip: [127.0.0.0/8]}}
access_rules:
  anybody: {{allow: all}}
shaper: {{}}
shaper_rules:
  none_shaper: none
  soft_upload_quota: [1000: all]
  hard_upload_quota: [1100: all]
api_permissions:
  "loopback":
    who: {{access: {{allow: {{acl: loopback}}}}}}
    what: ["*"]
modules:
  mod_admin_extra: {{}}
  mod_blocking: {{}}
  mod_caps: {{}}
  mod_carboncopy: {{}}
  mod_disco: {{}}
  mod_http_api: {{}}
  mod_ping: {{}}
  mod_privacy: {{}}
  mod_pubsub: {{plugins: [flat, pep]}}
  mod_roster: {{}}
  mod_stream_mgmt: {{}}
  mod_vcard: {{}}
  mod_version: {{}}
"#
    )
}

/// A listener for each port, with its components.
fn listeners(components: &[Component]) -> String {
    let mut hosts: BTreeMap<u16, String> = BTreeMap::new();
    for component in components {
        let hosts = hosts.entry(component.addr.port()).or_default();
        let Component { domain, secret, .. } = component;
        writeln!(hosts, "      {domain}: {{password: {secret}}}").unwrap();
    }
    let mut listeners = String::new();
    for (port, hosts) in hosts {
        write!(
            listeners,
            "  - port: {port}
    ip: \"127.0.0.1\"
    module: ejabberd_service
    access: all
    shaper: none_shaper
    global_routes: false
    hosts:
{hosts}"
        )
        .unwrap();
    }
    listeners
}

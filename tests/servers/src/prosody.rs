//! Prosody, private to a test.

use std::collections::BTreeSet;
use std::fmt::Write as _;
use std::net::SocketAddr;

use crate::USER_PASSWORD;
use crate::client::XmppClient;
use crate::daemon::{Daemon, Ready};
use crate::owner::Owner;
use crate::ports::free_port;
use crate::process::{Launch, Signal, find_program};
use crate::scratch::Scratch;

/// What a server may have beyond the plain one.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Feature {
    /// A second connection of a component replaces the first; without it the second is refused.
    KickOld,
    /// Archives, XEP-0313, for all users.
    Archive,
    /// Messages for absent users are kept; without it the sender gets an error.
    Offline,
    /// Privileges, XEP-0356, for all components: roster, messages, presence and `PubSub`.
    Privilege,
    /// A second host, `other.net`: to a gateway of the first its users are what federated ones are.
    SecondHost,
    /// Uploads, XEP-0363, at `upload.` and the host.
    Upload,
    /// Clients over WebSocket, RFC 7395.
    WebSocket,
}

/// How a server talks with others, without TLS: who it is talks back (XEP-0220).
#[derive(Clone, Copy, Debug)]
pub struct Federation {
    /// Where others connect.
    pub listen: SocketAddr,
    /// The name server that knows where others are.
    pub names: SocketAddr,
}

/// A running Prosody.
pub struct Prosody {
    daemon: Daemon,
    scratch: Scratch,
    owner: Option<Owner>,
    host: String,
    clients: SocketAddr,
    components: SocketAddr,
    http: SocketAddr,
}

impl Prosody {
    /// Describes a server for `example.org`.
    pub fn builder() -> ProsodyBuilder {
        ProsodyBuilder {
            host: "example.org".to_owned(),
            components: Vec::new(),
            users: Vec::new(),
            features: BTreeSet::new(),
            federation: None,
            extra: String::new(),
        }
    }

    /// Where clients connect.
    pub fn client_addr(&self) -> SocketAddr {
        self.clients
    }

    /// Where components connect: the value of `xmpp.server`.
    pub fn component_addr(&self) -> SocketAddr {
        self.components
    }

    /// Where uploads go and are fetched.
    pub fn http_addr(&self) -> SocketAddr {
        self.http
    }

    /// Where clients in browsers connect.
    pub fn websocket(&self) -> String {
        format!("ws://{}/xmpp-websocket", self.http)
    }

    /// A user's bare JID.
    pub fn jid(&self, user: &str) -> String {
        let (user, host) = user.split_once('@').unwrap_or((user, &self.host));
        format!("{user}@{host}")
    }

    /// Adds a user, with [`USER_PASSWORD`]; the server may be running.
    pub fn add_user(&self, user: &str) {
        let (user, host) = user.split_once('@').unwrap_or((user, &self.host));
        let host = host.replace('.', "%2e").replace('-', "%2d");
        let folder = self.scratch.join("data").join(host).join("accounts");
        std::fs::create_dir_all(&folder).expect("a folder in our own folder");
        let account = folder.join(format!("{user}.dat"));
        let content = format!("return {{\n\t[\"password\"] = \"{USER_PASSWORD}\";\n}};\n");
        std::fs::write(&account, content).expect("an account's file");
        if let Some(owner) = &self.owner {
            for path in [
                folder.parent().expect("the host's folder"),
                &folder,
                &account,
            ] {
                owner.take(path);
            }
        }
    }

    /// Logs a user in, available.
    pub async fn client(&self, user: &str, resource: &str) -> XmppClient {
        XmppClient::connect(self.clients, &self.jid(user), USER_PASSWORD, resource).await
    }

    /// Shuts it down in good order.
    pub async fn stop(&mut self) {
        self.daemon.stop().await;
    }

    /// Starts it again, on the same ports and with the same data.
    pub async fn start(&mut self) {
        self.daemon.start().await;
    }

    /// Stops it and starts it again.
    pub async fn restart(&mut self) {
        self.daemon.restart().await;
    }

    /// SIGKILL.
    pub fn kill(&mut self) {
        self.daemon.kill();
    }
}

/// A Prosody to be started.
pub struct ProsodyBuilder {
    host: String,
    components: Vec<(String, String)>,
    users: Vec<String>,
    features: BTreeSet<Feature>,
    federation: Option<Federation>,
    extra: String,
}

impl ProsodyBuilder {
    /// The users' domain, instead of `example.org`.
    #[must_use]
    pub fn host(mut self, host: &str) -> Self {
        host.clone_into(&mut self.host);
        self
    }

    /// Lets a component connect.
    #[must_use]
    pub fn component(mut self, domain: &str, secret: &str) -> Self {
        self.components.push((domain.to_owned(), secret.to_owned()));
        self
    }

    /// Creates a user with [`USER_PASSWORD`].
    #[must_use]
    pub fn user(mut self, user: &str) -> Self {
        self.users.push(user.to_owned());
        self
    }

    /// Adds a feature.
    #[must_use]
    pub fn with(mut self, feature: Feature) -> Self {
        self.features.insert(feature);
        self
    }

    /// Lets it talk with other servers.
    #[must_use]
    pub fn federated(mut self, federation: Federation) -> Self {
        self.federation = Some(federation);
        self
    }

    /// Adds lines to the global part of the configuration.
    #[must_use]
    pub fn config(mut self, lines: &str) -> Self {
        self.extra.push_str(lines);
        self
    }

    /// Starts it and waits until it accepts connections.
    pub async fn start(self) -> Prosody {
        let owner = Owner::service("prosody");
        let scratch = Scratch::owned("prosody", owner.as_ref());
        scratch.folder("data", owner.as_ref());
        let [clients, components, http] = [free_port(), free_port(), free_port()];
        let ports = [clients, components, http];
        let config = scratch.write("prosody.cfg.lua", self.config_text(&scratch, ports));
        let launch = Launch::new(find_program("prosody"), scratch.path(), "prosody.log")
            .args(["-F", "--config", &config.display().to_string()])
            .owner(owner.as_ref());
        // The sockets queue connections while hosts are still loading, and serve them afterwards.
        let mut awaited = vec![clients];
        if !self.components.is_empty() {
            awaited.push(components); // Prosody opens it for the first component only
        }
        let ready = Ready::Ports(awaited);
        let mut prosody = Prosody {
            daemon: Daemon::new(launch, ready, Signal::TERM),
            scratch,
            owner,
            host: self.host,
            clients,
            components,
            http,
        };
        for user in &self.users {
            prosody.add_user(user);
        }
        prosody.start().await;
        prosody
    }

    fn has(&self, feature: Feature) -> bool {
        self.features.contains(&feature)
    }

    fn config_text(&self, scratch: &Scratch, ports: [SocketAddr; 3]) -> String {
        let [clients, components, http] = ports.map(|addr| addr.port());
        let folder = scratch.path().display();
        let optional = [
            (Feature::Archive, "\"mam\"; "),
            (Feature::Offline, "\"offline\"; "),
            (Feature::Privilege, "\"privilege\"; "),
            (Feature::Upload, "\"http\"; "),
            (Feature::WebSocket, "\"websocket\"; "),
        ];
        let mut modules = String::new();
        for (feature, module) in optional {
            if self.has(feature) {
                modules.push_str(module);
            }
        }
        let mut text = format!(
            r#"pidfile = "{folder}/prosody.pid"
data_path = "{folder}/data"
certificates = "{folder}"
interfaces = {{ "127.0.0.1" }}
local_interfaces = {{ "127.0.0.1" }}
c2s_ports = {{ {clients} }}
s2s_ports = {{ }}
component_ports = {{ {components} }}
http_ports = {{ {http} }}
http_interfaces = {{ "127.0.0.1" }}
https_ports = {{ }}
modules_enabled = {{
  "disco"; "roster"; "saslauth"; "blocklist"; "carbons"; "pep"; "private"; "smacks";
  "vcard4"; "vcard_legacy"; "ping"; "time"; "uptime"; "version"; {modules}
}}
modules_disabled = {{ "s2s"; "tls"; "offline"; }}
allow_registration = false
c2s_require_encryption = false
allow_unencrypted_plain_auth = true
authentication = "internal_plain"
storage = "internal"
log = {{ {{ levels = {{ min = "info" }}, to = "console", timestamps = true }} }}
"#
        );
        if self.has(Feature::Offline) {
            text = text.replace("\"tls\"; \"offline\";", "\"tls\";"); // Prosody loads it unless told not to
        }
        if self.has(Feature::Archive) {
            text.push_str("default_archive_policy = true\n");
        }
        if self.has(Feature::WebSocket) {
            let host = &self.host;
            writeln!(
                text,
                "consider_websocket_secure = true\nhttp_default_host = \"{host}\""
            )
            .unwrap();
        }
        if let Some(federation) = &self.federation {
            federate(&mut text, federation);
        }
        text.push_str(&self.extra);
        self.write_hosts(&mut text, http);
        if self.has(Feature::SecondHost) {
            text.push_str("VirtualHost \"other.net\"\n");
        }
        text
    }

    fn write_hosts(&self, text: &mut String, http: u16) {
        let mut privileges = String::new();
        let mut items = String::new();
        let mut components = String::new();
        let kick = if self.has(Feature::KickOld) {
            "kick_old"
        } else {
            "kick_new"
        };
        for (domain, secret) in &self.components {
            writeln!(
                privileges,
                "    [\"{domain}\"] = {{ roster = \"both\", message = \"outgoing\", presence = \"managed_entity\", \
                 iq = {{ [\"http://jabber.org/protocol/pubsub\"] = \"both\" }} }},"
            ).unwrap();
            if !domain.ends_with(&format!(".{}", self.host)) {
                write!(items, "{{ \"{domain}\", \"gateway\" }}, ").unwrap(); // the host lists its subdomains itself
            }
            write!(
                components,
                "Component \"{domain}\"\n  component_secret = \"{secret}\"\n  component_conflict_resolve = \"{kick}\"\n"
            ).unwrap();
            if self.has(Feature::Privilege) {
                components.push_str("  modules_enabled = { \"privilege\" }\n");
            }
        }
        let host = &self.host;
        write!(
            text,
            "VirtualHost \"{host}\"\n  disco_items = {{ {items} }}\n"
        )
        .unwrap();
        if self.has(Feature::Privilege) {
            write!(text, "  privileged_entities = {{\n{privileges}  }}\n").unwrap();
        }
        text.push_str(&components);
        if self.has(Feature::Upload) {
            let quoted = |(domain, _): &(String, String)| format!("\"{domain}\", ");
            let access: Vec<String> = self.components.iter().map(quoted).collect();
            let access = access.concat();
            write!(
                text,
                r#"Component "upload.{host}" "http_file_share"
  http_host = "127.0.0.1"
  http_external_url = "http://127.0.0.1:{http}/"
  http_file_share_size_limit = 20*1024*1024
  server_user_role = "prosody:user"
  http_file_share_access = {{ {access}"{host}" }}
"#
            )
            .unwrap();
        }
    }
}

/// What comes later in the file counts.
fn federate(text: &mut String, federation: &Federation) {
    *text = text
        .replace("modules_enabled = {", "modules_enabled = { \"dialback\";")
        .replace("modules_disabled = { \"s2s\";", "modules_disabled = {");
    let Federation { listen, names } = federation;
    write!(
        text,
        r#"s2s_ports = {{ {listen} }}
s2s_require_encryption = false
s2s_secure_auth = false
use_ipv6 = false
unbound = {{ resolvconf = false, hoststxt = false, forward = "{ip}@{port}", options = {{ ["do-not-query-localhost:"] = "no" }} }}
"#,
        listen = listen.port(),
        ip = names.ip(),
        port = names.port(),
    )
    .unwrap();
}

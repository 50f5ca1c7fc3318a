//! Why there is no link, told apart, each with the line of the server's configuration that mends it.

use std::fmt;

use crate::xmpp::{
    ns,
    stanza::{Element, ParseError},
};

/// Why a link could not be made or was lost.
///
/// Texts of the server are cut to one line of 200 characters before they come here.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum LinkError {
    /// The server ended the connection without giving a reason.
    #[error("the server closed the connection {0}")]
    Closed(Phase),
    /// Somebody else is logged in under this name.
    #[error("another connection holds the component's name{}", Said(.text))]
    ConflictAtLogin {
        /// What the server said.
        text: Option<String>,
    },
    /// Somebody else logged in under this name and took the link.
    #[error("another connection took over the component's name{}", Said(.text))]
    ConflictLive {
        /// What the server said.
        text: Option<String>,
    },
    /// The server no longer serves the component's domain.
    #[error("the server no longer serves the component's domain{}", Said(.text))]
    HostGone {
        /// What the server said.
        text: Option<String>,
    },
    /// A stanza's sender was not of the component's domain; this program refuses to write such stanzas.
    #[error("the server says that a stanza's sender was foreign{}", Said(.text))]
    InvalidFrom {
        /// What the server said.
        text: Option<String>,
    },
    /// What the server sent is no XMPP.
    #[error("the server sent no valid XMPP: {0}")]
    Malformed(String),
    /// The server gave another reason.
    #[error("the server refused with {condition}{}", Said(.text))]
    Refused {
        /// The stream error's condition.
        condition: String,
        /// What the server said.
        text: Option<String>,
    },
    /// The server shuts down or restarts.
    #[error("the server shuts down{}", Said(.text))]
    SystemShutdown {
        /// What the server said.
        text: Option<String>,
    },
    /// Something took too long.
    #[error("timed out {0}")]
    TimedOut(Waiting),
    /// The connection could not be encrypted.
    #[error("TLS with {endpoint} failed: {reason}")]
    Tls {
        /// The server.
        endpoint: String,
        /// What rustls says.
        reason: String,
    },
    /// The server knows no component of this name.
    #[error("the server knows no component of this name{}", Said(.text))]
    UnknownHost {
        /// What the server said.
        text: Option<String>,
    },
    /// There is no connection to the server.
    #[error("cannot reach {endpoint}: {reason}")]
    Unreachable {
        /// The server.
        endpoint: String,
        /// What the system says.
        reason: String,
    },
    /// It is an XMPP server, but this is its port for clients or for other servers.
    #[error("this port is for {namespace}, not for components")]
    WrongPort {
        /// What is spoken there.
        namespace: String,
    },
    /// The server knows the component, but with another secret. ejabberd says the same, without any text, when it
    /// does not know the component.
    #[error("the server refused the {}secret{}", if .text.is_none() { "component's name or " } else { "" }, Said(.text))]
    WrongSecret {
        /// What the server said.
        text: Option<String>,
    },
}

/// How far a connection had come.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Phase {
    /// Between the connection and the answer to the handshake.
    Login,
    /// After the handshake.
    Live,
}

/// What was waited for in vain.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Waiting {
    /// The connection itself.
    Connect,
    /// The answer to the handshake.
    Login,
    /// Any sign of life.
    Traffic,
    /// The answer to a ping, and then a message to ourselves.
    Barrier,
    /// Room for what we write.
    Write,
}

/// What to do about a [`LinkError`]: one or a few lines for each server.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Remedy {
    /// In Prosody's configuration.
    pub prosody: String,
    /// In ejabberd's configuration.
    pub ejabberd: String,
}

impl LinkError {
    /// Reads a `<stream:error/>` (RFC 6120 §4.9).
    pub(crate) fn from_stream_error(error: &Element, phase: Phase) -> Self {
        let conditions = || {
            error
                .children()
                .filter(|child| child.namespace() == ns::STREAM_ERRORS)
        };
        let condition = conditions()
            .find(|child| child.name() != "text")
            .map_or("undefined-condition", Element::name);
        let text = conditions()
            .find(|child| child.name() == "text")
            .map(|text| one_line(&text.text()));
        let text = text.filter(|text| !text.is_empty());
        match (condition, phase) {
            ("conflict", Phase::Login) => Self::ConflictAtLogin { text },
            ("conflict", Phase::Live) => Self::ConflictLive { text },
            ("host-gone", _) => Self::HostGone { text },
            ("host-unknown", _) => Self::UnknownHost { text },
            ("invalid-from", _) => Self::InvalidFrom { text },
            ("not-authorized", Phase::Login) => Self::WrongSecret { text },
            ("system-shutdown", _) => Self::SystemShutdown { text },
            _ => Self::Refused {
                condition: one_line(condition),
                text,
            },
        }
    }

    /// Whether it is for somebody to change a configuration: waiting alone will not help.
    pub fn needs_operator(&self) -> bool {
        !matches!(
            self,
            Self::Closed(Phase::Live)
                | Self::ConflictLive { .. }
                | Self::SystemShutdown { .. }
                | Self::TimedOut(_)
        )
    }

    /// Prosody says `invalid-from`, ejabberd also `improper-addressing` for missing addresses.
    fn is_our_fault(&self) -> bool {
        match self {
            Self::InvalidFrom { .. } => true,
            Self::Refused { condition, .. } => condition == "improper-addressing",
            _ => false,
        }
    }

    /// What to write into the server's configuration, for the component of this domain that looks for it at this port.
    pub fn remedy(&self, domain: &str, port: u16) -> Remedy {
        let (prosody, ejabberd) = match self {
            Self::Closed(Phase::Login) => (
                format!("see prosody's log; is there a complete `Component \"{domain}\"` with a component_secret?"),
                format!("see ejabberd's log; a `domain_balancing` for {domain} needs its `component_number`"),
            ),
            Self::ConflictAtLogin { .. } => (
                format!("under `Component \"{domain}\"`: component_conflict_resolve = \"kick_old\" (if no other transom runs)"),
                "stop the other process: ejabberd itself takes several connections of one component".to_owned(),
            ),
            Self::ConflictLive { .. } => (
                format!("stop the other process that logs in as {domain}; only one may hold the link"),
                format!("stop the other process that logs in as {domain}; only one may hold the link"),
            ),
            Self::HostGone { .. } | Self::UnknownHost { .. } => (
                format!("add: Component \"{domain}\"\n    component_secret = \"the gateway's secret\""),
                format!("{}\n{}", ejabberd_listener(port), ejabberd_host(domain)),
            ),
            Self::WrongSecret { .. } => (
                format!("under `Component \"{domain}\"`: component_secret = \"the gateway's secret\""),
                format!("in the listener of ejabberd_service: {}", ejabberd_host(domain)),
            ),
            Self::InvalidFrom { .. } | Self::Refused { .. } if self.is_our_fault() => {
                let text = "a fault of transom: please report it with the log of the minute before";
                (text.to_owned(), text.to_owned())
            }
            Self::Tls { .. } => (
                "give xmpp.server without tls:// (components of Prosody speak plain TCP; keep them on loopback)".to_owned(),
                "in the listener of ejabberd_service: tls: true, with a certificate that this machine trusts".to_owned(),
            ),
            Self::Unreachable { .. } | Self::TimedOut(Waiting::Connect) => (
                format!("global section: component_ports = {{ {port} }}, component_interfaces = {{ \"127.0.0.1\" }}; \
                 a Component must exist, or the port stays closed"),
                ejabberd_listener(port),
            ),
            // Prosody says so when a stanza is too big for it.
            Self::Refused { condition, .. } if matches!(&**condition, "not-well-formed" | "policy-violation") => (
                "global section: component_stanza_size_limit = 524288".to_owned(),
                "in the listener of ejabberd_service: max_stanza_size: 524288, shaper: none; and see `access`".to_owned(),
            ),
            Self::InvalidFrom { .. } | Self::Refused { .. } | Self::Malformed(_) | Self::TimedOut(Waiting::Login) | Self::WrongPort { .. } => (
                "xmpp.server must name the component port (component_ports, 5347 if nothing is set), not the one of clients (5222)".to_owned(),
                "xmpp.server must name the port of ejabberd_service, not the one of ejabberd_c2s (5222)".to_owned(),
            ),
            Self::Closed(Phase::Live) | Self::SystemShutdown { .. } | Self::TimedOut(_) => {
                let text = "nothing to change: the link comes back with the server";
                (text.to_owned(), text.to_owned())
            }
        };
        Remedy { prosody, ejabberd }
    }
}

impl From<ParseError> for LinkError {
    fn from(error: ParseError) -> Self {
        Self::Malformed(error.to_string())
    }
}

impl fmt::Display for Phase {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Login => "during the login",
            Self::Live => "without a reason",
        })
    }
}

impl fmt::Display for Waiting {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Connect => "connecting",
            Self::Login => "waiting for the answer to the handshake",
            Self::Traffic => "waiting for a sign of life",
            Self::Barrier => "waiting for the answer to a ping",
            Self::Write => "writing: the server takes nothing",
        })
    }
}

/// What the server said, in brackets, if it said anything.
struct Said<'a>(&'a Option<String>);

impl fmt::Display for Said<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0 {
            Some(text) => write!(f, " ({text})"),
            None => Ok(()),
        }
    }
}

fn ejabberd_listener(port: u16) -> String {
    format!(
        "listen: - {{port: {port}, ip: \"127.0.0.1\", module: ejabberd_service, global_routes: false, hosts: …}}"
    )
}

fn ejabberd_host(domain: &str) -> String {
    format!("hosts: {{\"{domain}\": {{password: \"the gateway's secret\"}}}}")
}

/// A foreign text made fit for a log line.
pub(super) fn one_line(text: &str) -> String {
    let line: String = text.split_whitespace().collect::<Vec<_>>().join(" ");
    line.chars().filter(|c| !c.is_control()).take(200).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn read(inside: &str, phase: Phase) -> LinkError {
        let xml = format!(
            "<stream:error xmlns:stream='{}'>{inside}</stream:error>",
            ns::STREAM
        );
        LinkError::from_stream_error(&xml.parse().unwrap(), phase)
    }

    fn condition(name: &str, text: &str) -> String {
        format!(
            "<{name} xmlns='{0}'/><text xmlns='{0}'>{text}</text>",
            ns::STREAM_ERRORS
        )
    }

    #[test]
    fn conditions_are_told_apart() {
        let text = Some("why".to_owned());
        for (name, phase, want) in [
            (
                "conflict",
                Phase::Login,
                LinkError::ConflictAtLogin { text: text.clone() },
            ),
            (
                "conflict",
                Phase::Live,
                LinkError::ConflictLive { text: text.clone() },
            ),
            (
                "not-authorized",
                Phase::Login,
                LinkError::WrongSecret { text: text.clone() },
            ),
            (
                "host-unknown",
                Phase::Login,
                LinkError::UnknownHost { text: text.clone() },
            ),
            (
                "host-gone",
                Phase::Live,
                LinkError::HostGone { text: text.clone() },
            ),
            (
                "invalid-from",
                Phase::Live,
                LinkError::InvalidFrom { text: text.clone() },
            ),
            (
                "system-shutdown",
                Phase::Live,
                LinkError::SystemShutdown { text: text.clone() },
            ),
            (
                "policy-violation",
                Phase::Live,
                LinkError::Refused {
                    condition: "policy-violation".into(),
                    text: text.clone(),
                },
            ),
        ] {
            assert_eq!(read(&condition(name, "why"), phase), want);
        }
    }

    #[test]
    fn an_empty_error_is_an_error() {
        let refused = LinkError::Refused {
            condition: "undefined-condition".into(),
            text: None,
        };
        assert_eq!(read("", Phase::Live), refused);
        assert_eq!(
            refused.to_string(),
            "the server refused with undefined-condition"
        );
    }

    #[test]
    fn the_servers_text_is_one_short_line() {
        let error = read(
            &condition("conflict", &format!("a\n\tb {}", "x".repeat(999))),
            Phase::Login,
        );
        let text = error.to_string();
        assert!(
            text.starts_with("another connection holds the component's name (a b xxx"),
            "{text}"
        );
        assert!(text.len() < 300);
    }

    #[test]
    fn every_error_has_a_remedy_for_both() {
        let text = None;
        for error in [
            LinkError::Closed(Phase::Login),
            LinkError::ConflictAtLogin { text: text.clone() },
            LinkError::UnknownHost { text: text.clone() },
            LinkError::WrongSecret { text },
            LinkError::Unreachable {
                endpoint: "127.0.0.1:5347".into(),
                reason: "refused".into(),
            },
        ] {
            let remedy = error.remedy("sms.example.org", 5347);
            assert!(
                !remedy.prosody.is_empty() && !remedy.ejabberd.is_empty(),
                "for {error}"
            );
        }
        let remedy = LinkError::ConflictAtLogin { text: None }.remedy("sms.example.org", 5347);
        assert!(remedy.prosody.contains("kick_old"));
    }

    #[test]
    fn the_port_to_open_is_the_one_that_is_looked_for() {
        let unreachable = LinkError::Unreachable {
            endpoint: "127.0.0.1:5348".into(),
            reason: "refused".into(),
        };
        for error in [unreachable, LinkError::TimedOut(Waiting::Connect)] {
            let remedy = error.remedy("mail.example.org", 5348);
            assert!(
                remedy.prosody.contains("component_ports = { 5348 }"),
                "{error}"
            );
            assert!(remedy.ejabberd.contains("{port: 5348, "), "{error}");
        }
    }
}

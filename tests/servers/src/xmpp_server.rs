//! Either XMPP server, for a test that runs on each.

use std::net::SocketAddr;

use crate::client::XmppClient;
use crate::ejabberd::Ejabberd;
use crate::ports::free_port;
use crate::prosody::{Feature, Federation, Prosody};
use crate::skip::Server;

/// An XMPP server for `example.org`, private to a test.
pub enum XmppServer {
    /// Prosody.
    Prosody(Prosody),
    /// ejabberd, with the address of its components.
    Ejabberd(Ejabberd, SocketAddr),
}

impl XmppServer {
    /// Starts one, with components by domain and secret. ejabberd has those of the features that it can have.
    pub async fn start(
        kind: Server,
        features: &[Feature],
        components: &[(&str, &str)],
        users: &[&str],
    ) -> Self {
        if kind == Server::Ejabberd {
            let server = Ejabberd::private(components, features).await;
            for user in users {
                server.add_user(user).await;
            }
            let seat = server.component();
            return Self::Ejabberd(server, seat.addr);
        }
        assert_eq!(kind, Server::Prosody, "no XMPP server");
        let mut builder = Prosody::builder();
        for (domain, secret) in components {
            builder = builder.component(domain, secret);
        }
        for user in users {
            builder = builder.user(user);
        }
        for feature in features {
            builder = builder.with(*feature);
        }
        Self::Prosody(builder.start().await)
    }

    /// Starts one for this host and these users, by their full JIDs, that talks with other servers.
    pub async fn federated(
        kind: Server,
        host: &str,
        components: &[(&str, &str)],
        users: &[&str],
        federation: Federation,
    ) -> Self {
        if kind == Server::Ejabberd {
            let server = Ejabberd::federated(host, components, federation).await;
            for user in users {
                server.add_user(user).await;
            }
            let seat = components.first().map(|_| server.component().addr);
            return Self::Ejabberd(server, seat.unwrap_or_else(free_port));
        }
        assert_eq!(kind, Server::Prosody, "no XMPP server");
        let mut builder = Prosody::builder()
            .host(host)
            .with(Feature::Offline)
            .federated(federation);
        for (domain, secret) in components {
            builder = builder.component(domain, secret);
        }
        for user in users {
            builder = builder.user(user);
        }
        Self::Prosody(builder.start().await)
    }

    /// Where components connect: the value of `xmpp.server`.
    pub fn component_addr(&self) -> SocketAddr {
        match self {
            Self::Prosody(server) => server.component_addr(),
            Self::Ejabberd(_, components) => *components,
        }
    }

    /// Where clients connect.
    pub fn client_addr(&self) -> SocketAddr {
        match self {
            Self::Prosody(server) => server.client_addr(),
            Self::Ejabberd(server, _) => server.client_addr(),
        }
    }

    /// Where uploads are fetched.
    pub fn http_addr(&self) -> SocketAddr {
        match self {
            Self::Prosody(server) => server.http_addr(),
            Self::Ejabberd(server, _) => server.http_addr(),
        }
    }

    /// Where clients in browsers connect; Prosody needs [`Feature::WebSocket`].
    pub fn websocket(&self) -> String {
        match self {
            Self::Prosody(server) => server.websocket(),
            Self::Ejabberd(server, _) => server.websocket(),
        }
    }

    /// Logs a user in, available.
    pub async fn client(&self, user: &str, resource: &str) -> XmppClient {
        match self {
            Self::Prosody(server) => server.client(user, resource).await,
            Self::Ejabberd(server, _) => server.client(user, resource).await,
        }
    }

    /// Stops it and starts it again, with its users and on its ports.
    pub async fn restart(&mut self) {
        match self {
            Self::Prosody(server) => server.restart().await,
            Self::Ejabberd(server, _) => server.restart().await,
        }
    }

    /// The Prosody, for what only one can do.
    pub fn prosody(&self) -> &Prosody {
        match self {
            Self::Prosody(server) => server,
            Self::Ejabberd(..) => panic!("this test is Prosody's"),
        }
    }
}

//! Which servers this machine lacks.

/// A server that a laptop may lack.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Server {
    /// Chromium, Node and Converse.js.
    Converse,
    /// Debian's dkimpy, which verifies signatures.
    Dkimpy,
    /// Dovecot's IMAP and LMTP.
    Dovecot,
    /// ejabberd and Erlang.
    Ejabberd,
    /// Exim, unpacked beside Postfix, which needs root.
    Exim,
    /// gammu and gammu-smsd.
    Gammu,
    /// Jasmin with Redis, `RabbitMQ` and Python.
    Jasmin,
    /// Kannel's bearerbox and smsbox.
    Kannel,
    /// The right to mount a file system of one's own.
    Mount,
    /// Node and the npm package `smpp`.
    NpmSmsc,
    /// Postfix, which needs root.
    Postfix,
    /// A PostgreSQL server's programs.
    Postgres,
    /// Prosody with the community modules.
    Prosody,
    /// Python and the library slixmpp.
    Slixmpp,
    /// systemd's `systemd-socket-activate`; systemd need not run.
    SocketActivate,
}

impl Server {
    fn name(self) -> &'static str {
        match self {
            Self::Converse => "converse",
            Self::Dkimpy => "dkimpy",
            Self::Dovecot => "dovecot",
            Self::Ejabberd => "ejabberd",
            Self::Exim => "exim",
            Self::Gammu => "gammu",
            Self::Jasmin => "jasmin",
            Self::Kannel => "kannel",
            Self::Mount => "mount",
            Self::NpmSmsc => "npm-smsc",
            Self::Postfix => "postfix",
            Self::Postgres => "postgres",
            Self::Prosody => "prosody",
            Self::Slixmpp => "slixmpp",
            Self::SocketActivate => "socket-activate",
        }
    }
}

/// Whether a test that needs these servers has to pass without running: one of them stands in the comma-separated
/// `TRANSOM_TEST_SKIP`. With `CI=true` nothing is skipped, and the missing server fails the test.
pub fn skipped(servers: &[Server]) -> bool {
    if std::env::var("CI").is_ok_and(|ci| ci == "true") {
        return false;
    }
    let missing = std::env::var("TRANSOM_TEST_SKIP").unwrap_or_default();
    let lacks = |server: &Server| missing.split(',').any(|name| name == server.name());
    let skipped = servers.iter().find(|server| lacks(server));
    if let Some(server) = skipped {
        eprintln!("skipped: {} is named in TRANSOM_TEST_SKIP", server.name());
    }
    skipped.is_some()
}

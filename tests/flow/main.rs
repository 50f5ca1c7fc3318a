//! Whole flows through the built binary, on real servers.
#![expect(
    clippy::expect_used,
    clippy::panic,
    clippy::string_slice,
    clippy::unwrap_used,
    reason = "a failing test panics"
)]

/// What a test proves on which server: a cell of the table in `docs/XMPP.md`, which the gates compare with these lines.
macro_rules! proves {
    ($feature:literal, $($server:ident),+ $(,)?) => {
        let _: (&str, &[Server]) = ($feature, &[$(Server::$server),+]);
    };
}

/// What a server cannot do, and what this test proves to be there in its place: a cell too, which says so.
macro_rules! proves_instead {
    ($feature:literal, $instead:literal, $($server:ident),+ $(,)?) => {
        let _: (&str, &str, &[Server]) = ($feature, $instead, &[$(Server::$server),+]);
    };
}

/// Flows as tests on each XMPP server: `flow::prosody` and `flow::ejabberd`.
macro_rules! on_each_server {
    ($($flow:ident),+ $(,)?) => {$(
        mod $flow {
            use transom_test_servers::{Server, skipped};

            #[tokio::test]
            async fn prosody() {
                if !skipped(&[Server::Prosody]) {
                    super::$flow(Server::Prosody).await;
                }
            }

            #[tokio::test]
            async fn ejabberd() {
                if !skipped(&[Server::Ejabberd]) {
                    super::$flow(Server::Ejabberd).await;
                }
            }
        }
    )+};
}

mod absence;
mod address_book;
mod apart;
mod archives;
mod away;
mod carried;
mod clients;
mod closed;
mod commands;
mod crash;
mod crowd;
mod downtime;
mod ejabberd;
mod elsewhere;
mod every_command;
mod federated;
mod files;
mod gammu;
mod groups;
mod held;
mod hints;
mod jasmin;
mod kannel;
mod limits;
mod looked_up;
mod mail;
mod mms;
mod moved;
mod operators;
mod owners;
mod people;
mod proof;
mod random_kills;
mod rosters;
mod sentences;
mod shared_lines;
mod simulated;
mod smpp;
mod storm;
mod talk;
mod text;
mod trouble;
mod upkeep;
mod world;

//! Accounts that only one process may use at a time, with three processes there: an SMPP bind, and a mailbox.

mod imap;
mod smpp;

use std::{net::SocketAddr, time::Duration};

use transom_test_servers::{PATIENCE, Postgres, Signal, Transom, free_port, until};

/// The goal for a take-over after a kill or a freeze.
const TAKE_OVER_MAX: Duration = Duration::from_secs(10);

/// Three processes on one PostgreSQL.
struct Trio {
    transoms: Vec<Transom>,
    gateway: &'static str,
}

impl Trio {
    /// One after the other; `config` makes each one's from its place, its port and the section of the database.
    async fn start(
        gateway: &'static str,
        config: impl Fn(usize, SocketAddr, &str) -> String,
    ) -> Self {
        let store = format!(
            "[store]\nurl = \"{}\"\n",
            Postgres::shared().await.database().await
        );
        let mut transoms = Vec::new();
        for place in 0..3 {
            let http = free_port();
            let builder = Transom::builder(env!("CARGO_BIN_EXE_transom"))
                .config(&config(place, http, &store))
                .http(http);
            transoms.push(builder.start().await);
        }
        let trio = Self { transoms, gateway };
        trio.holder_but(&[]).await;
        trio
    }

    /// Who of those that are neither dead nor frozen nor named here has the gateway; waits until one has.
    async fn holder_but(&self, others: &[usize]) -> usize {
        let up = format!("transom_link_up{{gateway=\"{}\"}} 1\n", self.gateway);
        let probe = async || {
            for (place, transom) in self.transoms.iter().enumerate() {
                if others.contains(&place) {
                    continue;
                }
                let page = transom.metrics_if_any().await.unwrap_or_default();
                if page.contains(&up) {
                    return Some(place);
                }
            }
            None
        };
        let holder = until("a process to have the gateway", PATIENCE, probe).await;
        holder.unwrap_or_else(|why| panic!("{why}:\n{}", self.logs()))
    }

    fn freeze(&self, place: usize) {
        self.transoms[place].signal(Signal::STOP);
    }

    fn thaw(&self, place: usize) {
        self.transoms[place].signal(Signal::CONT);
    }

    /// Waits until a process has noticed that it was taken for dead.
    async fn noticed(&self, place: usize) {
        let words = "It goes on as a new one.";
        let noticed = async || self.transoms[place].log().contains(words).then_some(());
        let noticed = until("the thawed process to notice", PATIENCE, noticed).await;
        noticed.unwrap_or_else(|why| panic!("{why}:\n{}", self.logs()));
    }

    fn logs(&self) -> String {
        let log =
            |(place, transom): (usize, &Transom)| format!("--- process {place}\n{}", transom.log());
        let logs: Vec<String> = self.transoms.iter().enumerate().map(log).collect();
        logs.join("\n")
    }
}

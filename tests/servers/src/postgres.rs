//! PostgreSQL: one server a test binary, a database a test.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::process::Stdio;
use std::sync::atomic::{AtomicU32, Ordering};

use tokio::sync::OnceCell;

use crate::daemon::{Daemon, Ready};
use crate::owner::Owner;
use crate::ports::free_port;
use crate::process::{Launch, Signal, run};
use crate::scratch::Scratch;
use crate::wait::within;

/// A running PostgreSQL, with its commits synced as in production.
pub struct Postgres {
    daemon: Daemon,
    scratch: Scratch,
    addr: SocketAddr,
    databases: AtomicU32,
}

impl Postgres {
    /// The one of this test binary; started by the first that asks.
    pub async fn shared() -> &'static Self {
        static SHARED: OnceCell<Postgres> = OnceCell::const_new();
        SHARED.get_or_init(Self::start).await
    }

    /// One for a test that wants to stop it.
    pub async fn start() -> Self {
        let owner = Owner::service("postgres");
        let scratch = Scratch::owned("postgres", owner.as_ref());
        let addr = free_port();
        let data = scratch.join("data").display().to_string();
        let initdb = Launch::new(programs().join("initdb"), scratch.path(), "initdb.log")
            .args(["-D", &data, "-A", "trust", "-U", "postgres"])
            .args(["-E", "UTF8", "--locale=C", "--no-sync"])
            .owner(owner.as_ref());
        run(&initdb).await;
        let folder = scratch.path().display();
        let mut server = Launch::new(programs().join("postgres"), scratch.path(), "postgres.log")
            .args([
                "-D".to_owned(),
                data,
                "-p".to_owned(),
                addr.port().to_string(),
            ])
            .args(["-c", "listen_addresses=127.0.0.1", "-c"])
            .args([format!("unix_socket_directories={folder}")])
            .owner(owner.as_ref());
        server.last_signal = Signal::QUIT; // at once, but shared memory is given back
        let ready = Ready::Log(scratch.join("postgres.log"), "ready to accept connections");
        Self {
            daemon: Daemon::started(server, ready, Signal::INT).await,
            scratch,
            addr,
            databases: AtomicU32::new(0),
        }
    }

    /// Creates an empty database and returns its URL.
    pub async fn database(&self) -> String {
        self.database_like("template0").await
    }

    /// Creates a copy of another database, to which nobody may be connected, and returns its URL.
    pub async fn database_like(&self, template: &str) -> String {
        let number = self.databases.fetch_add(1, Ordering::Relaxed) + 1;
        let name = format!("test_{number}");
        self.query(
            "postgres",
            &format!("CREATE DATABASE {name} TEMPLATE {template}"),
        )
        .await;
        format!("postgres://postgres@{}/{name}", self.addr)
    }

    /// Copies a database by `pg_dump` and `pg_restore`, also while others use it; the URL of the copy.
    pub async fn dumped(&self, url: &str) -> String {
        let copy = self.database().await;
        let place =
            [copy.rsplit('/').next(), url.rsplit('/').next()].map(Option::unwrap_or_default);
        let [to, from] = place;
        let file = self
            .scratch
            .join(&format!("{to}.dump"))
            .display()
            .to_string();
        let dump = ["--format=custom", "--file", &file, "-d", from];
        let restore = ["-d", to, &file];
        for (program, args) in [("pg_dump", &dump[..]), ("pg_restore", &restore[..])] {
            let run = tokio::process::Command::new(programs().join(program))
                .args([
                    "-U",
                    "postgres",
                    "-h",
                    "127.0.0.1",
                    "-p",
                    &self.addr.port().to_string(),
                ])
                .args(args)
                .stdin(Stdio::null())
                .kill_on_drop(true)
                .output();
            let output = within(program, run).await.expect(program);
            let errors = String::from_utf8_lossy(&output.stderr);
            assert!(output.status.success(), "{program}: {errors}");
        }
        copy
    }

    /// Runs SQL in a database, named by name or URL, and returns the rows, columns separated by `|`.
    pub async fn query(&self, database: &str, sql: &str) -> String {
        let name = database.rsplit('/').next().unwrap_or(database);
        let psql = tokio::process::Command::new(programs().join("psql"))
            .args([
                "-XAtq",
                "-v",
                "ON_ERROR_STOP=1",
                "-U",
                "postgres",
                "-h",
                "127.0.0.1",
            ])
            .args(["-p", &self.addr.port().to_string(), "-d", name, "-c", sql])
            .stdin(Stdio::null())
            .kill_on_drop(true)
            .output();
        let output = within("psql", psql).await.expect("psql starts");
        let errors = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "{sql}: {errors}");
        String::from_utf8_lossy(&output.stdout)
            .trim_end()
            .to_owned()
    }

    /// Cuts all connections and shuts down in good order.
    pub async fn stop(&mut self) {
        self.daemon.stop().await;
    }

    /// Starts it again, on its port and with its data.
    pub async fn resume(&mut self) {
        self.daemon.start().await;
    }

    /// SIGKILL; the next start recovers from the log.
    pub async fn kill(&mut self) {
        self.daemon.kill_and_wait().await;
    }
}

/// Debian keeps each version's programs apart; the newest is taken.
fn programs() -> PathBuf {
    let versions = std::fs::read_dir("/usr/lib/postgresql")
        .into_iter()
        .flatten()
        .flatten();
    let newest = versions
        .filter(|entry| entry.path().join("bin/initdb").is_file())
        .max_by_key(|entry| entry.file_name().to_string_lossy().parse().unwrap_or(0));
    let newest: std::fs::DirEntry =
        newest.expect("PostgreSQL is not installed; tests/run installs it");
    newest.path().join("bin")
}

//! Servers end with the test process, however that ends.

use std::net::SocketAddr;
use std::process::Stdio;

use tokio::io::{AsyncBufReadExt, BufReader};
use tokio::net::TcpStream;
use tokio::process::Command;
use transom_test_servers::{PATIENCE, Postgres, Prosody, Server, skipped, until, within};

const TEST: &str = "servers_end_when_the_test_process_is_killed";
const MARK: &str = "listening on ";

#[tokio::test]
async fn servers_end_when_the_test_process_is_killed() {
    if skipped(&[Server::Prosody, Server::Postgres]) {
        return;
    }
    if std::env::var_os("TRANSOM_TEST_VICTIM").is_some() {
        let prosody = Prosody::builder().start().await;
        eprintln!("{MARK}{}", prosody.client_addr());
        let postgres = Postgres::start().await;
        let url = postgres.database().await;
        let addr = url.split(['@', '/']).nth(3).unwrap();
        eprintln!("{MARK}{addr}");
        return std::future::pending().await;
    }
    // This test once more, in a process of its own.
    let mut victim = Command::new(std::env::current_exe().unwrap())
        .args(["--exact", TEST, "--nocapture"])
        .env("TRANSOM_TEST_VICTIM", "1")
        .stdout(Stdio::null())
        .stderr(Stdio::piped())
        .kill_on_drop(true)
        .spawn()
        .unwrap();
    let mut lines = BufReader::new(victim.stderr.take().unwrap()).lines();
    let mut addrs: Vec<SocketAddr> = Vec::new();
    while addrs.len() < 2 {
        let line = within("the victim's servers", lines.next_line())
            .await
            .unwrap();
        let line = line.expect("the victim lives");
        addrs.extend(
            line.strip_prefix(MARK)
                .map(|addr| addr.parse::<SocketAddr>().unwrap()),
        );
    }
    for addr in &addrs {
        TcpStream::connect(addr).await.expect("it listens");
    }
    victim.kill().await.unwrap();
    for addr in addrs {
        let what = format!("the server on {addr} to end");
        let refused = async || TcpStream::connect(addr).await.err();
        until(&what, PATIENCE, refused).await.unwrap();
    }
}

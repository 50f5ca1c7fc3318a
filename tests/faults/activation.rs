//! Sockets that the service manager holds: whoever calls before the process is there waits, and is answered.

use std::process::Stdio;

use transom_test_servers::{PATIENCE, Server, get, skipped, until};

use crate::house::{alone, lines, prosody};

const ACTIVATOR: &str = "systemd-socket-activate";

#[tokio::test]
async fn a_call_before_the_start_is_answered_after_it() {
    if skipped(&[Server::Prosody, Server::SocketActivate]) {
        return;
    }
    let prosody = prosody(&["alice"]).await;
    let (transom, _twilio) = alone(prosody.component_addr(), &lines("alice"), "").await;
    let (http, binary) = (transom.http(), env!("CARGO_BIN_EXE_transom"));
    let mut activator = tokio::process::Command::new(ACTIVATOR);
    activator
        .args(["-l", &http.to_string(), binary, "run", "--config"])
        .arg(transom.config_path())
        .current_dir(transom.folder())
        .env("STATE_DIRECTORY", transom.folder())
        .stdout(Stdio::null())
        .stderr(std::fs::File::create(transom.folder().join("activated.log")).unwrap())
        .kill_on_drop(true);
    let process = activator.spawn().unwrap();
    // The port is open before transom is: the first call starts it, and waits in the queue of the socket.
    let answered = async || {
        get(http, "/readyz")
            .await
            .ok()
            .filter(|answer| answer.status == 200)
    };
    let answer = until("the call to be answered", PATIENCE, answered).await;
    let log = std::fs::read_to_string(transom.folder().join("activated.log")).unwrap();
    assert!(answer.is_ok(), "{log}");
    assert!(!log.contains("cannot listen"), "{log}");
    drop(process);
}

//! The runner of the gateway, tried on a shell script that behaves like one.

use std::os::unix::fs::PermissionsExt;

use transom_test_servers::{Answer, HttpDouble, Transom};

/// Tells systemd that it is ready, ends with 0 on SIGTERM, and repeats its arguments and input when it is not `run`.
const STAND_IN: &str = r#"#!/bin/bash
[ "$1" = run ] || { echo "$* $GREETING"; cat; exit 65; }
trap 'echo drained; exit 0' TERM
[ -n "$FAIL" ] && { echo "bad configuration" >&2; exit 78; }
perl -MSocket -e 'socket(my $s, AF_UNIX, SOCK_DGRAM, 0);
send($s, "STATUS=up\nREADY=1", 0, pack_sockaddr_un($ENV{NOTIFY_SOCKET})) or die'
while :; do read -r -t 1 <> <(:); done
"#;

#[tokio::test]
async fn the_gateway_is_started_stopped_and_killed() {
    let folder = tempfile::tempdir().unwrap();
    let http = HttpDouble::start().await;
    http.answer_by(|_| Answer::with(200, "text/plain", "a_total{x=\"1\"} 7\na_total 9\n"));
    let binary = folder.path().join("stand-in");
    std::fs::write(&binary, STAND_IN).unwrap();
    std::fs::set_permissions(&binary, std::fs::Permissions::from_mode(0o755)).unwrap();
    let mut transom = Transom::builder(binary.to_str().unwrap())
        .config("[store]\n")
        .env("GREETING", "hello")
        .http(http.addr())
        .start()
        .await;
    assert!(transom.is_running());
    assert!(transom.resident_bytes() > 100_000);
    assert_eq!(transom.metric("a_total{x=\"1\"}").await, Some(7.0));
    assert_eq!(transom.metric("a_total").await, Some(9.0));
    transom.restart().await;
    transom.kill9();
    assert!(!transom.is_running());
    assert_eq!(transom.log(), "drained\n");

    let output = transom
        .command_with_input(&["queue", "list"], b"input")
        .await;
    assert_eq!(output.status.code(), Some(65));
    assert_eq!(output.stdout, b"queue list hello\ninput");

    transom.set_env("FAIL", "yes");
    transom.spawn();
    assert_eq!(transom.wait().await.code(), Some(78));
}

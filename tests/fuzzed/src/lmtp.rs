//! The LMTP listener, over a real socket.

use std::{
    io::{ErrorKind, Read, Write},
    net::Shutdown,
    os::unix::net::UnixStream,
    path::PathBuf,
    sync::{Arc, OnceLock, mpsc},
    thread,
    time::Duration,
};

use transom_adapter::{
    Adapter, Address, Section,
    testkit::{CountingMeter, FixedDirectory, RecordingInbox, context, signer},
};
use transom_email::EmailAdapter;

/// What a mail server says: the listener answers to its end, in whole lines.
pub fn lmtp(data: &[u8]) {
    static SOCKET: OnceLock<PathBuf> = OnceLock::new();
    let mut stream = UnixStream::connect(SOCKET.get_or_init(listen)).expect("it listens");
    stream
        .set_read_timeout(Some(Duration::from_secs(10)))
        .expect("a socket");
    // It may close on us while we write.
    stream.write_all(data).ok();
    stream.shutdown(Shutdown::Write).ok();
    let mut replies = Vec::new();
    if let Err(error) = stream.read_to_end(&mut replies) {
        let stuck = error.kind() == ErrorKind::WouldBlock;
        assert!(!stuck, "stuck after {}", String::from_utf8_lossy(&replies));
    }
    assert!(
        replies.is_ascii() && (replies.is_empty() || replies.ends_with(b"\r\n")),
        "replies are whole lines"
    );
}

/// Starts the account for the whole life of the process.
fn listen() -> PathBuf {
    let folder = tempfile::tempdir().expect("a folder").keep();
    let socket = folder.join("lmtp.sock");
    let table = serde_json::json!({
        "address_domain": "mail.example.org",
        "home": "example.org",
        "lmtp": { "listen": format!("unix:{}", socket.display()) },
    });
    let section = Section {
        key: "gateway.mail".to_owned(),
        table: table.as_object().expect("a table").clone(),
        base_dir: folder,
    };
    let (bound, is_bound) = mpsc::channel();
    thread::spawn(move || {
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()
            .expect("a runtime");
        runtime.block_on(async {
            let adapter = EmailAdapter::from_section("mail", &section, signer());
            let adapter = adapter.unwrap_or_else(|faults| panic!("{faults:?}"));
            let known = FixedDirectory(vec![Address::new("alice@mail.example.org")]);
            let context = context(
                Arc::new(RecordingInbox::default()),
                known,
                Arc::new(CountingMeter::default()),
            );
            let accounts = adapter.accounts();
            let [account] = accounts.as_slice() else {
                panic!("LMTP is one account");
            };
            account.bind().await.expect("a socket of our own");
            bound.send(()).expect("somebody waits");
            let ended = account.run(&context).await;
            panic!("the listener ended: {ended:?}");
        });
    });
    is_bound.recv().expect("it is bound");
    socket
}

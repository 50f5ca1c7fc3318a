//! The LMTP listener, over a real socket: the input is what a mail server says.

#![no_main]

use std::{
    io::{Read, Write},
    net::Shutdown,
    os::unix::net::UnixStream,
    path::PathBuf,
    sync::{Arc, OnceLock},
    thread,
    time::Duration,
};

use libfuzzer_sys::fuzz_target;
use transom_adapter::{
    Adapter, Address, Section,
    testkit::{CountingMeter, FixedDirectory, RecordingInbox, context, signer},
};
use transom_email::EmailAdapter;

fuzz_target!(|data: &[u8]| {
    let mut stream = connect();
    stream
        .set_read_timeout(Some(Duration::from_secs(10)))
        .expect("a socket");
    // It may close on us while we write.
    stream.write_all(data).ok();
    stream.shutdown(Shutdown::Write).ok();
    let mut replies = Vec::new();
    match stream.read_to_end(&mut replies) {
        Ok(_) => {}
        Err(error) if error.kind() == std::io::ErrorKind::WouldBlock => {
            panic!("stuck after {}", String::from_utf8_lossy(&replies))
        }
        Err(_) => {}
    }
    assert!(
        replies.is_ascii() && (replies.is_empty() || replies.ends_with(b"\r\n")),
        "replies are whole lines"
    );
});

fn connect() -> UnixStream {
    static SOCKET: OnceLock<PathBuf> = OnceLock::new();
    let socket = SOCKET.get_or_init(listen);
    for _ in 0..100 {
        match UnixStream::connect(socket) {
            Ok(stream) => return stream,
            Err(_) => thread::sleep(Duration::from_millis(50)),
        }
    }
    panic!("nobody listens on {}", socket.display());
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
    let adapter = EmailAdapter::from_section("mail", &section, signer());
    let adapter = adapter.unwrap_or_else(|faults| panic!("{faults:?}"));
    thread::spawn(move || {
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()
            .expect("a runtime");
        runtime.block_on(async {
            let known = FixedDirectory(vec![Address::new("alice@mail.example.org")]);
            let context = context(
                Arc::new(RecordingInbox::default()),
                known,
                Arc::new(CountingMeter::default()),
            );
            for account in adapter.accounts() {
                account.run(&context).await;
            }
        });
        panic!("the listener ended");
    });
    socket
}

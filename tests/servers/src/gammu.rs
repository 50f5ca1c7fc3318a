//! gammu-smsd with gammu's dummy driver: a phone whose memory is a folder.

use std::{
    fmt::Write as _,
    fs,
    path::PathBuf,
    process::Command,
    sync::atomic::{AtomicU32, Ordering},
};

use crate::daemon::{Daemon, Ready};
use crate::process::{Launch, Signal, find_program};
use crate::scratch::Scratch;

/// A running gammu-smsd.
pub struct Gammu {
    daemon: Daemon,
    scratch: Scratch,
    config: PathBuf,
    reports: AtomicU32,
}

/// A text that smsd was given to send.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct GammuText {
    /// To whom, as the file's name has it.
    pub to: String,
    /// What.
    pub text: String,
}

impl Gammu {
    /// Starts it on empty folders.
    pub async fn start() -> Self {
        let scratch = Scratch::new("gammu");
        for name in ["inbox", "outbox", "sent", "error", "phone/sms/1"] {
            fs::create_dir_all(scratch.join(name)).expect("a folder of our own");
        }
        let folder = scratch.path().display();
        let text = format!(
            "[gammu]\nmodel = dummy\nconnection = none\nport = {folder}/phone\ngammuloc = /dev/null\n\
             [smsd]\nService = files\nLogFile = {folder}/smsd.log\nDebugLevel = 1\n\
             InboxPath = {folder}/inbox/\nOutboxPath = {folder}/outbox/\n\
             SentSMSPath = {folder}/sent/\nErrorSMSPath = {folder}/error/\n\
             InboxFormat = detail\nTransmitFormat = auto\nDeliveryReport = sms\n\
             CommTimeout = 1\nReceiveFrequency = 1\nStatusFrequency = 0\nCheckSecurity = 0\n"
        );
        let config = scratch.write("smsdrc", text);
        let launch = Launch::new(find_program("gammu-smsd"), scratch.path(), "console.log")
            .args(["-c", &config.display().to_string()]);
        let ready = Ready::Log(scratch.join("smsd.log"), "Starting phone communication");
        Self {
            daemon: Daemon::started(launch, ready, Signal::TERM).await,
            config,
            reports: AtomicU32::new(0),
            scratch,
        }
    }

    /// The folder with its inbox and outbox.
    pub fn spool(&self) -> PathBuf {
        self.scratch.path().to_owned()
    }

    /// Asks it to end: texts wait in the outbox.
    pub async fn stop(&mut self) {
        self.daemon.stop().await;
    }

    /// Starts it again.
    pub async fn resume(&mut self) {
        self.daemon.start().await;
    }

    /// What it took out of its outbox, wherever the files are now, in the order of their names.
    pub fn sent(&self) -> Vec<GammuText> {
        let mut files = Vec::new();
        for name in ["sent", "transom/awaiting", "transom/done"] {
            let entries = fs::read_dir(self.scratch.join(name)).into_iter().flatten();
            files.extend(entries.map(|entry| entry.expect("a file").path()));
        }
        files.sort_by_key(|path| path.file_name().map(std::ffi::OsStr::to_owned));
        files.iter().filter_map(read).collect()
    }

    /// A text arrives on the phone, in as many parts as it takes.
    pub fn deliver(&self, from: &str, text: &str) {
        let saved = Command::new(find_program("gammu"))
            .arg("-c")
            .arg(&self.config)
            .args([
                "savesms", "TEXT", "-folder", "1", "-unread", "-sender", from, "-unicode",
            ])
            .args([
                "-len",
                &text.encode_utf16().count().to_string(),
                "-textutf8",
                text,
            ])
            .output()
            .expect("gammu runs");
        assert!(saved.status.success(), "{saved:?}");
    }

    /// A delivery report arrives on the phone: `Delivered`, `Failed`, `Pending`.
    pub fn report(&self, to: &str, words: &str) {
        // Far behind what `savesms` fills.
        let place = 500 + self.reports.fetch_add(1, Ordering::Relaxed);
        let (number, text) = (hex(to), hex(words));
        let report = format!(
            "; a report\n\n[SMSBackup000]\nPDU = Status_Report\nDateTime = 20261126T210739Z\nState = UnRead\n\
             Number = \"{to}\"\nNumberUnicode = {number}\nText00 = {text}\nCoding = Default_No_Compression\nFolder = 1\n\
             Length = {}\nClass = -1\nMessageReference = 255\n\n",
            words.len()
        );
        let hidden = self.scratch.write("report", report);
        let place = self.scratch.join(&format!("phone/sms/1/{place}"));
        fs::rename(hidden, place).expect("the phone's memory");
    }
}

/// `OUTC<date>_<time>_<serial>_<recipient>_<note>.txt`, in UTF-16 with a byte order mark.
fn read(path: &PathBuf) -> Option<GammuText> {
    let name = path.file_name()?.to_str()?;
    let to = name.strip_prefix("OUT")?.split('_').nth(3)?.to_owned();
    let bytes = fs::read(path).ok()?;
    let units: Vec<u16> = bytes
        .chunks_exact(2)
        .skip(1)
        .map(|pair| u16::from_be_bytes([pair[0], pair[1]]))
        .collect();
    Some(GammuText {
        to,
        text: String::from_utf16_lossy(&units),
    })
}

fn hex(text: &str) -> String {
    let mut digits = String::new();
    for unit in text.encode_utf16() {
        write!(digits, "{unit:04X}").unwrap();
    }
    digits
}

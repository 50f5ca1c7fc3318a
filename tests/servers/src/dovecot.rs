//! Dovecot: mailboxes by IMAP, deliveries by LMTP.

use std::net::SocketAddr;
use std::path::Path;

use crate::daemon::{Daemon, Ready};
use crate::owner::Owner;
use crate::ports::free_port;
use crate::process::{Launch, Signal, find_program};
use crate::scratch::Scratch;
use crate::wait::{PATIENCE, until};

/// The password of every mailbox.
pub const MAIL_PASSWORD: &str = "mailpw";

/// Whose mailbox a mail goes to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Mailboxes {
    /// Every recipient's mail goes into this user's; `Delivered-To` tells the recipients apart.
    CatchAll(String),
    /// Each recipient has one, named by the local part.
    PerUser,
}

/// A mail in a mailbox.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StoredMail {
    /// The mail as stored.
    pub content: Vec<u8>,
    /// Maildir's flags: `S` seen, `R` answered, `T` deleted, `F` flagged.
    pub flags: String,
}

impl StoredMail {
    /// The mail as text.
    pub fn text(&self) -> String {
        String::from_utf8_lossy(&self.content).into_owned()
    }
}

/// A running Dovecot, without TLS.
pub struct Dovecot {
    daemon: Daemon,
    scratch: Scratch,
    imap: SocketAddr,
    lmtp: SocketAddr,
}

impl Dovecot {
    /// Starts it and waits until it accepts connections.
    pub async fn start(mailboxes: Mailboxes) -> Self {
        let owner = Owner::service("dovecot");
        let scratch = Scratch::new("dovecot");
        scratch.folder("mail", owner.as_ref());
        let [imap, lmtp] = [free_port(), free_port()];
        let config = config(&scratch, &mailboxes, imap, lmtp);
        let config = scratch.write("dovecot.conf", config).display().to_string();
        // As root it changes users by itself, for each of its processes.
        let launch = Launch::new(find_program("dovecot"), scratch.path(), "console.log")
            .args(["-F", "-c", &config]);
        let ready = Ready::Ports(vec![imap, lmtp]);
        Self {
            daemon: Daemon::started(launch, ready, Signal::TERM).await,
            scratch,
            imap,
            lmtp,
        }
    }

    /// Where IMAP clients connect, without TLS.
    pub fn imap_addr(&self) -> SocketAddr {
        self.imap
    }

    /// Where mails are delivered.
    pub fn lmtp_addr(&self) -> SocketAddr {
        self.lmtp
    }

    /// A user's mails in `INBOX`, oldest first, read from the disk.
    pub fn inbox(&self, user: &str) -> Vec<StoredMail> {
        let mailbox = self.scratch.join("mail").join(user);
        let mut mails = [
            read_folder(&mailbox.join("new")),
            read_folder(&mailbox.join("cur")),
        ]
        .concat();
        mails.sort_by(|one, other| one.0.cmp(&other.0));
        mails.into_iter().map(|(_, mail)| mail).collect()
    }

    /// Waits until a user's `INBOX` holds a mail that `wanted` accepts.
    pub async fn mail(&self, user: &str, wanted: impl Fn(&StoredMail) -> bool) -> StoredMail {
        let what = format!("a mail in {user}'s mailbox");
        let found = until(&what, PATIENCE, async || {
            self.inbox(user).into_iter().find(&wanted)
        });
        found.await.unwrap_or_else(|late| {
            let seen: Vec<String> = self.inbox(user).iter().map(StoredMail::text).collect();
            panic!("{late}; it holds:\n{}", seen.join("\n----\n"))
        })
    }

    /// Throws the numbers of a user's mails away, while it is shut down: the next one gives new ones, under another UIDVALIDITY.
    pub fn renumber(&self, user: &str) {
        let mailbox = self.scratch.join("mail").join(user);
        let entries = std::fs::read_dir(mailbox).into_iter().flatten().flatten();
        let is_index = |entry: &std::fs::DirEntry| {
            let name = entry.file_name();
            name.to_string_lossy().starts_with("dovecot")
        };
        for entry in entries.filter(is_index) {
            std::fs::remove_file(entry.path()).expect("an index of ours");
        }
    }

    /// Shuts it down.
    pub async fn stop(&mut self) {
        self.daemon.stop().await;
    }

    /// Starts it again, with its mails and on its ports.
    pub async fn resume(&mut self) {
        self.daemon.start().await;
    }

    /// SIGKILL.
    pub fn kill(&mut self) {
        self.daemon.kill();
    }
}

/// The mails with their file names, which sort by time.
fn read_folder(folder: &Path) -> Vec<(String, StoredMail)> {
    let entries = std::fs::read_dir(folder).into_iter().flatten().flatten();
    let read = |entry: std::fs::DirEntry| {
        let name = entry.file_name().to_string_lossy().into_owned();
        let content = std::fs::read(entry.path()).ok()?; // moved meanwhile: the next look finds it
        let flags = name
            .split_once(":2,")
            .map_or("", |(_, flags)| flags)
            .to_owned();
        Some((name, StoredMail { content, flags }))
    };
    entries.filter_map(read).collect()
}

fn config(scratch: &Scratch, mailboxes: &Mailboxes, imap: SocketAddr, lmtp: SocketAddr) -> String {
    let folder = scratch.path().display();
    let (imap, lmtp) = (imap.port(), lmtp.port());
    let unprivileged = Owner::service("dovecot");
    let login = Owner::service("dovenull")
        .unwrap_or_else(Owner::ourselves)
        .name;
    let Owner { name, uid, gid } = unprivileged.unwrap_or_else(Owner::ourselves);
    let catch_all = match mailboxes {
        Mailboxes::CatchAll(user) => format!("user={user} home={folder}/mail/{user}"),
        Mailboxes::PerUser => format!("home={folder}/mail/%n"),
    };
    format!(
        "base_dir = {folder}/run
state_dir = {folder}/state
log_path = {folder}/dovecot.log
protocols = imap lmtp
listen = 127.0.0.1
ssl = no
disable_plaintext_auth = no
auth_mechanisms = plain login
auth_username_format = %Ln
default_internal_user = {name}
default_internal_group = {group}
default_login_user = {login}
first_valid_uid = 0
mail_location = maildir:{folder}/mail/%n
mail_uid = {uid}
mail_gid = {gid}
passdb {{
  driver = static
  args = password={MAIL_PASSWORD}
}}
userdb {{
  driver = static
  args = uid={uid} gid={gid} {catch_all} allow_all_users=yes
}}
service imap-login {{
  chroot =
  inet_listener imap {{
    address = 127.0.0.1
    port = {imap}
  }}
  inet_listener imaps {{
    port = 0
  }}
}}
service anvil {{
  chroot =
}}
service stats {{
  chroot =
}}
service lmtp {{
  inet_listener lmtp {{
    address = 127.0.0.1
    port = {lmtp}
  }}
}}
protocol lmtp {{
  postmaster_address = postmaster@example.org
  # The recipient as the sender wrote it, for a catch-all mailbox to tell them apart.
  lmtp_hdr_delivery_address = final
}}
",
        group = group_name(gid),
    )
}

fn group_name(gid: u32) -> String {
    let groups = std::fs::read_to_string("/etc/group").unwrap_or_default();
    let found = groups.lines().find_map(|line| {
        let fields: Vec<&str> = line.split(':').collect();
        (fields.get(2) == Some(&gid.to_string().as_str())).then(|| fields[0].to_owned())
    });
    found.unwrap_or_else(|| gid.to_string())
}

//! Dovecot: mailboxes by IMAP, deliveries by LMTP.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::path::Path;
use std::sync::{Mutex, PoisonError};

use crate::daemon::{Daemon, Ready};
use crate::lines::Lines;
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
    /// The same, each with the password of [`Dovecot::set_passwords`], and none without.
    WithPasswords,
    /// The same, with tokens (XOAUTH2) that this URL knows: RFC 7662, the name as `username`.
    WithTokens(String),
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
    auth: SocketAddr,
    passwords: Mutex<BTreeMap<String, String>>,
}

impl Dovecot {
    /// Starts it and waits until it accepts connections.
    pub async fn start(mailboxes: Mailboxes) -> Self {
        let owner = Owner::service("dovecot");
        let scratch = Scratch::new("dovecot");
        scratch.folder("mail", owner.as_ref());
        let [imap, lmtp, auth] = [free_port(), free_port(), free_port()];
        let config = config(&scratch, &mailboxes, [imap, lmtp, auth]);
        scratch.write(PASSWORDS, "");
        if let Mailboxes::WithTokens(url) = &mailboxes {
            let tokens = format!(
                "introspection_mode = post\nintrospection_url = {url}\nusername_attribute = username\nactive_attribute = active\nactive_value = true\n"
            );
            scratch.write(TOKENS, tokens);
        }
        let config = scratch.write("dovecot.conf", config).display().to_string();
        // As root it changes users by itself, for each of its processes.
        let launch = Launch::new(find_program("dovecot"), scratch.path(), "console.log")
            .args(["-F", "-c", &config]);
        let ready = Ready::Ports(vec![imap, lmtp, auth]);
        Self {
            daemon: Daemon::started(launch, ready, Signal::TERM).await,
            scratch,
            imap,
            lmtp,
            auth,
            passwords: Mutex::default(),
        }
    }

    /// Gives users passwords, or other ones, and waits until the server takes them, which looks at its list once a second.
    /// Connections that are open stay.
    pub async fn set_passwords(&self, passwords: &[(&str, &str)]) {
        let Some((user, password)) = passwords.last() else {
            return;
        };
        let lines: String = {
            let all = self.passwords.lock();
            let mut all = all.unwrap_or_else(PoisonError::into_inner);
            let owned =
                |(user, password): &(&str, &str)| ((*user).to_owned(), (*password).to_owned());
            all.extend(passwords.iter().map(owned));
            let line =
                |(user, password): (&String, &String)| format!("{user}:{{PLAIN}}{password}\n");
            all.iter().map(line).collect()
        };
        self.scratch.write(PASSWORDS, lines);
        let takes_it = async || {
            let mut session = Lines::connect(self.imap).await;
            session.line().await?;
            session
                .send(&format!("a LOGIN {user} \"{password}\""))
                .await;
            let answer = session.lines_until(|line| line.starts_with("a ")).await;
            answer.last()?.starts_with("a OK").then_some(())
        };
        until("the new password to count", PATIENCE, takes_it)
            .await
            .unwrap_or_else(|late| panic!("{late}"));
    }

    /// Where another server asks whether a login is good: Postfix, `smtpd_sasl_type = dovecot`.
    pub fn auth_addr(&self) -> SocketAddr {
        self.auth
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

    /// A user's mails in the folder of sent mail, oldest first, read from the disk.
    pub fn sent(&self, user: &str) -> Vec<StoredMail> {
        let folder = self.scratch.join("mail").join(user).join(SENT);
        let mut mails = [
            read_folder(&folder.join("new")),
            read_folder(&folder.join("cur")),
        ]
        .concat();
        mails.sort_by(|one, other| one.0.cmp(&other.0));
        mails.into_iter().map(|(_, mail)| mail).collect()
    }

    /// Puts a mail into a user's folder of sent mail, as another program does. The user has logged in once.
    pub fn put_sent(&self, user: &str, name: &str, mail: &str) {
        put_into(&self.scratch.join("mail").join(user).join(SENT), name, mail);
    }

    /// Puts mails, each with its file's name, into a user's `INBOX`, as fast as the disk is.
    pub fn put_all(&self, user: &str, mails: impl IntoIterator<Item = (String, String)>) {
        let owner = Owner::service("dovecot");
        let inbox = format!("mail/{user}");
        let folder = self.scratch.folder(&inbox, owner.as_ref());
        for part in ["cur", "new", "tmp"] {
            self.scratch
                .folder(&format!("{inbox}/{part}"), owner.as_ref());
        }
        for (name, mail) in mails {
            put_into(&folder, &name, &mail);
        }
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

/// As Maildir wants it: no reader sees half a mail.
fn put_into(folder: &Path, name: &str, mail: &str) {
    let made = folder.join("tmp").join(name);
    std::fs::write(&made, mail).expect("a mail is written");
    std::fs::rename(made, folder.join("new").join(name)).expect("it is put there");
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

/// The folder of sent mail, as Maildir++ has it.
const SENT: &str = ".Sent";
/// Whom [`Mailboxes::WithTokens`] asks, in its folder.
const TOKENS: &str = "tokens.conf";
/// The passwords of [`Mailboxes::WithPasswords`], in its folder.
const PASSWORDS: &str = "passwords";

/// Each mailbox, with a folder of sent mail that says so (RFC 6154). The system tells of new files to a hundred processes or so alone
/// (`fs.inotify.max_user_instances`); the others look.
const INBOX: &str = "mailbox_idle_check_interval = 3 secs
namespace inbox {
  inbox = yes
  mailbox Sent {
    auto = create
    special_use = \\Sent
  }
}";

fn config(scratch: &Scratch, mailboxes: &Mailboxes, [imap, lmtp, auth]: [SocketAddr; 3]) -> String {
    let folder = scratch.path().display();
    let (imap, lmtp, auth) = (imap.port(), lmtp.port(), auth.port());
    let unprivileged = Owner::service("dovecot");
    let login = Owner::service("dovenull")
        .unwrap_or_else(Owner::ourselves)
        .name;
    let Owner { name, uid, gid } = unprivileged.unwrap_or_else(Owner::ourselves);
    let (catch_all, passdb) = databases(&folder.to_string(), mailboxes);
    format!(
        "base_dir = {folder}/run
state_dir = {folder}/state
log_path = {folder}/dovecot.log
protocols = imap lmtp
listen = 127.0.0.1
ssl = no
disable_plaintext_auth = no
auth_mechanisms = plain login xoauth2
auth_username_format = %Ln
default_internal_user = {name}
default_internal_group = {group}
default_login_user = {login}
first_valid_uid = 0
mail_location = maildir:{folder}/mail/%n
mail_uid = {uid}
{INBOX}
mail_gid = {gid}
passdb {{
  {passdb}
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
service auth {{
  inet_listener {{
    address = 127.0.0.1
    port = {auth}
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

/// Where each user's mail is, and who has which password.
fn databases(folder: &str, mailboxes: &Mailboxes) -> (String, String) {
    let home = match mailboxes {
        Mailboxes::CatchAll(user) => format!("user={user} home={folder}/mail/{user}"),
        Mailboxes::PerUser | Mailboxes::WithPasswords | Mailboxes::WithTokens(_) => {
            format!("home={folder}/mail/%n")
        }
    };
    let passwords = match mailboxes {
        Mailboxes::WithPasswords => format!("driver = passwd-file\n  args = {folder}/{PASSWORDS}"),
        Mailboxes::WithTokens(_) => {
            format!("driver = oauth2\n  mechanisms = xoauth2\n  args = {folder}/{TOKENS}")
        }
        _ => format!("driver = static\n  args = password={MAIL_PASSWORD}"),
    };
    (home, passwords)
}

fn group_name(gid: u32) -> String {
    let groups = std::fs::read_to_string("/etc/group").unwrap_or_default();
    let found = groups.lines().find_map(|line| {
        let fields: Vec<&str> = line.split(':').collect();
        (fields.get(2) == Some(&gid.to_string().as_str())).then(|| fields[0].to_owned())
    });
    found.unwrap_or_else(|| gid.to_string())
}

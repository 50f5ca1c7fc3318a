//! The folder of sent mail: a copy of what leaves through us, and what the owner sent by another program. RFC 6154

use super::{
    ImapAccount,
    exchange::Folder,
    session::Session,
    trouble::{Trouble, within},
};

/// A provider of which the mailbox is known to keep what its own SMTP server sends, at these hosts or with this capability.
const KEEP_THEIR_OWN: [&str; 4] = [
    "imap.gmail.com",
    "imap.googlemail.com",
    "outlook.office365.com",
    "imap-mail.outlook.com",
];
/// Google's IMAP extensions, whatever the host is called.
const GMAIL: &str = "X-GM-EXT-1";

/// What servers without RFC 6154 call it, without what stands before the last delimiter.
const KNOWN_NAMES: [&str; 8] = [
    "Sent",
    "Sent Items",
    "Sent Messages",
    "Sent Mail",
    "Gesendet",
    "Gesendete Objekte",
    "Gesendete Elemente",
    "Enviados",
];

/// What became of a copy.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Copied {
    /// It is there now.
    Yes,
    /// It was there already, or its provider puts it there.
    NotNeeded,
    /// There is no folder for it.
    NoFolder,
}

impl ImapAccount {
    /// Puts a copy of a sent mail into the folder of sent mail, on a connection of its own, unless the provider does that: then it is
    /// there already.
    pub(crate) async fn keep_sent(&self, id: &str, mail: &[u8]) -> Result<Copied, Trouble> {
        let host = self.config.endpoint.host.as_str();
        if KEEP_THEIR_OWN.contains(&host) {
            return Ok(Copied::NotNeeded);
        }
        let mut session = self.open().await?;
        let kept = keep(&mut session, id, mail).await;
        session.log_out().await;
        kept
    }
}

async fn keep(session: &mut Session, id: &str, mail: &[u8]) -> Result<Copied, Trouble> {
    if session.can(GMAIL).await? {
        return Ok(Copied::NotNeeded);
    }
    let Some(folder) = session.sent_folder().await? else {
        return Ok(Copied::NoFolder);
    };
    session.open_mailbox(&folder).await?;
    if session.has_message(id).await? {
        return Ok(Copied::NotNeeded);
    }
    session.append(&folder, mail).await?;
    Ok(Copied::Yes)
}

impl Session {
    /// The folder of sent mail. RFC 6154
    pub(super) async fn sent_folder(&mut self) -> Result<Option<String>, Trouble> {
        let folders = self.folders().await?;
        Ok(folder_of(&folders))
    }

    /// Whether the open mailbox holds a mail with this Message-ID, which is one of ours: it needs no escaping.
    pub(super) async fn has_message(&mut self, id: &str) -> Result<bool, Trouble> {
        let query = format!("HEADER Message-ID \"<{id}>\"");
        let found = self.search(&query).await?;
        Ok(!found.is_empty())
    }

    /// Puts a mail there, as one that was read.
    pub(super) async fn append(&mut self, folder: &str, mail: &[u8]) -> Result<(), Trouble> {
        let work = self.imap.append(folder, Some("(\\Seen)"), None, mail);
        within(self.pace.body, work).await
    }
}

/// The folder of sent mail among these: the one that says so, else the one that is called so.
fn folder_of(folders: &[Folder]) -> Option<String> {
    let says_so = folders.iter().find(|folder| folder.is_sent);
    let called_so = || {
        KNOWN_NAMES.iter().find_map(|known| {
            let is_it = |folder: &&Folder| {
                let delimiter = folder.delimiter.as_deref().unwrap_or("\0");
                let last = folder.name.rsplit(delimiter).next();
                last.is_some_and(|last| last.eq_ignore_ascii_case(known))
            };
            folders.iter().find(is_it)
        })
    };
    Some(says_so.or_else(called_so)?.name.clone())
}

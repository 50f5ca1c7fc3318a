//! One command, and everything that is said until its own answer. RFC 3501 §7
//!
//! The library's readers of these commands end at the tagged answer whatever it says, and at the end of the stream. What a server refuses
//! to give, and what a cut took away, would look like what is not there: a mail would be passed over as one that is gone.

use std::{collections::BTreeSet, time::Duration};

use async_imap::imap_proto::{
    AttributeValue, Capability, MailboxDatum, NameAttribute, Outcome, Response, ResponseCode,
    Status,
};
use jiff::fmt::strtime;

use super::{
    session::{Listed, Mailbox, Session},
    trouble::{Trouble, within},
};
use crate::status::for_log;

/// More mails than this are not announced at once; the rest is found by the next look.
const LISTED_MAX: usize = 100_000;
/// Of more folders the first ones are looked at.
const FOLDERS_MAX: usize = 2000;

/// A folder of the account.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) struct Folder {
    pub(super) name: String,
    pub(super) delimiter: Option<String>,
    /// It says that it is the one of sent mail. RFC 6154
    pub(super) is_sent: bool,
}

/// Part of a mail, as it was asked for.
#[derive(Debug)]
struct Part {
    uid: Option<u32>,
    content: Vec<u8>,
}

impl Session {
    /// Sends a command, gives each untagged answer to `each`, and ends well only when the server says that it is done.
    async fn exchange(
        &mut self,
        deadline: Duration,
        command: &str,
        mut each: impl FnMut(&Response<'_>),
    ) -> Result<(), Trouble> {
        let Self { imap, has_news, .. } = self;
        let work = async {
            let id = imap.run_command(command).await?;
            while let Some(said) = imap.read_response().await.map_err(Trouble::reading)? {
                match said.parsed() {
                    Response::Done {
                        tag,
                        status,
                        outcome,
                    } if *tag == id => {
                        return match status {
                            Status::Ok => Ok(()),
                            _ => Err(Trouble::Refused(words(outcome))),
                        };
                    }
                    Response::Data {
                        status: Status::Bye,
                        outcome,
                    } => {
                        return Err(Trouble::Broken(words(outcome)));
                    }
                    said => {
                        *has_news |= matches!(said, Response::MailboxData(MailboxDatum::Exists(_)));
                        each(said);
                    }
                }
            }
            Err(Trouble::Broken(
                "closed before an answer was complete".to_owned(),
            ))
        };
        within(deadline, work).await
    }

    /// Whether the server announces this.
    pub(super) async fn can(&mut self, capability: &str) -> Result<bool, Trouble> {
        let mut can = false;
        let each = |said: &Response<'_>| {
            if let Response::Capabilities(all) = said {
                let is_it = |atom: &str| atom.eq_ignore_ascii_case(capability);
                can |= all
                    .iter()
                    .any(|one| matches!(one, Capability::Atom(atom) if is_it(atom)));
            }
        };
        self.exchange(self.pace.command, "CAPABILITY", each).await?;
        Ok(can)
    }

    /// Opens a mailbox of the account, instead of the one that is open.
    pub(super) async fn open_mailbox(&mut self, name: &str) -> Result<(), Trouble> {
        let mut mailbox = Mailbox::default();
        let each = |said: &Response<'_>| match said {
            Response::MailboxData(MailboxDatum::Exists(count)) => mailbox.exists = *count,
            Response::Data {
                status: Status::Ok,
                outcome,
            } => match outcome.code {
                Some(ResponseCode::UidValidity(validity)) => mailbox.validity = Some(validity),
                Some(ResponseCode::UidNext(next)) => mailbox.next = Some(next),
                _ => {}
            },
            _ => {}
        };
        let select = ["SELECT", &quoted(name)?].join(" ");
        let opened = self.exchange(self.pace.command, &select, each).await;
        opened.map_err(|trouble| match trouble {
            Trouble::Refused(text) => Trouble::Mailbox(text),
            trouble => trouble,
        })?;
        self.mailbox = mailbox;
        Ok(())
    }

    /// The folders of the account that can be opened.
    pub(super) async fn folders(&mut self) -> Result<Vec<Folder>, Trouble> {
        let mut folders = Vec::new();
        let each = |said: &Response<'_>| {
            if let Response::MailboxData(MailboxDatum::List(list)) = said
                && folders.len() < FOLDERS_MAX
                && !list.name_attributes.contains(&NameAttribute::NoSelect)
            {
                folders.push(Folder {
                    name: list.name.to_string(),
                    delimiter: list.delimiter.as_deref().map(str::to_owned),
                    is_sent: list.name_attributes.contains(&NameAttribute::Sent),
                });
            }
        };
        self.exchange(self.pace.command, "LIST \"\" \"*\"", each)
            .await?;
        Ok(folders)
    }

    /// The UIDs that a search finds, in order.
    pub(super) async fn search(&mut self, criteria: &str) -> Result<BTreeSet<u32>, Trouble> {
        let mut found = BTreeSet::new();
        let each = |said: &Response<'_>| {
            if let Response::MailboxData(MailboxDatum::Search(uids)) = said {
                found.extend(uids);
            }
        };
        let search = format!("UID SEARCH {criteria}");
        self.exchange(self.pace.body, &search, each).await?;
        Ok(found)
    }

    /// The mails with these UIDs, in order.
    pub(super) async fn list(&mut self, set: &str) -> Result<Vec<Listed>, Trouble> {
        let mut listed = Vec::new();
        let each = |said: &Response<'_>| {
            if let Response::Fetch(_, attributes) = said
                && let Some(uid) = uid_of(attributes)
                && listed.len() < LISTED_MAX
            {
                let mut mail = Listed {
                    uid,
                    bytes: 0,
                    came: None,
                };
                for attribute in attributes {
                    match attribute {
                        AttributeValue::Rfc822Size(bytes) => mail.bytes = *bytes,
                        AttributeValue::InternalDate(date) => mail.came = seconds(date),
                        _ => {}
                    }
                }
                listed.push(mail);
            }
        };
        let fetch = format!("UID FETCH {set} (UID RFC822.SIZE INTERNALDATE)");
        self.exchange(self.pace.body, &fetch, each).await?;
        listed.sort_unstable();
        listed.dedup_by_key(|mail| mail.uid);
        Ok(listed)
    }

    /// What was asked for of the mail with this UID; `None`: it is not there any more.
    pub(super) async fn part(
        &mut self,
        (uid, what): (u32, &str),
        deadline: Duration,
    ) -> Result<Option<Vec<u8>>, Trouble> {
        let fetch = format!("UID FETCH {uid} (UID {what})");
        let parts = self.parts(deadline, &fetch).await?;
        // Other mails' flags may come in between.
        let of_it = parts.into_iter().rfind(|part| part.uid == Some(uid));
        Ok(of_it.map(|part| part.content))
    }

    /// The same of the mails that have these places in the mailbox, as far as there are any.
    pub(super) async fn parts_at(
        &mut self,
        places: &str,
        what: &str,
    ) -> Result<Vec<Vec<u8>>, Trouble> {
        let fetch = format!("FETCH {places} {what}");
        let parts = self.parts(self.pace.body, &fetch).await?;
        Ok(parts.into_iter().map(|part| part.content).collect())
    }

    /// Whether the server gives anything of a mail that is not this one: the first or the last.
    pub(super) async fn gives_another(&mut self, uid: u32) -> Result<bool, Trouble> {
        for place in ["1", "*"] {
            let fetch = format!("FETCH {place} (UID BODY.PEEK[HEADER]<0.1>)");
            match self.parts(self.pace.command, &fetch).await {
                Ok(parts)
                    if parts
                        .iter()
                        .any(|part| part.uid.is_some_and(|other| other != uid)) =>
                {
                    return Ok(true);
                }
                Ok(_) | Err(Trouble::Refused(_)) => {}
                Err(trouble) => return Err(trouble),
            }
        }
        Ok(false)
    }

    async fn parts(&mut self, deadline: Duration, fetch: &str) -> Result<Vec<Part>, Trouble> {
        let mut parts = Vec::new();
        let each = |said: &Response<'_>| {
            if let Response::Fetch(_, attributes) = said {
                let data = attributes.iter().find_map(|attribute| match attribute {
                    AttributeValue::BodySection {
                        data: Some(data), ..
                    } => Some(data.to_vec()),
                    _ => None,
                });
                parts.extend(data.map(|content| Part {
                    uid: uid_of(attributes),
                    content,
                }));
            }
        };
        self.exchange(deadline, fetch, each).await?;
        Ok(parts)
    }

    /// Marks these as read.
    pub(super) async fn store_seen(&mut self, set: &str) -> Result<(), Trouble> {
        let store = format!("UID STORE {set} +FLAGS.SILENT (\\Seen)");
        self.exchange(self.pace.command, &store, |_| {}).await
    }

    /// Hears what is said while nothing was asked, until a mail is announced.
    pub(super) async fn overhear(&mut self) -> Result<(), Trouble> {
        while let Some(said) = self.imap.read_response().await.map_err(Trouble::reading)? {
            match said.parsed() {
                Response::MailboxData(MailboxDatum::Exists(_)) => return Ok(()),
                Response::Data {
                    status: Status::Bye,
                    outcome,
                } => return Err(Trouble::Broken(words(outcome))),
                _ => {}
            }
        }
        Err(Trouble::Broken("closed between two looks".to_owned()))
    }

    /// Asks whether there is anything, and that the other side is there.
    pub(super) async fn noop(&mut self) -> Result<(), Trouble> {
        self.exchange(self.pace.command, "NOOP", |_| {}).await
    }
}

fn uid_of(attributes: &[AttributeValue<'_>]) -> Option<u32> {
    attributes.iter().find_map(|attribute| match attribute {
        AttributeValue::Uid(uid) => Some(*uid),
        _ => None,
    })
}

/// What the server says of a tagged answer, or of leaving.
fn words(outcome: &Outcome<'_>) -> String {
    let text = outcome.information.as_deref().unwrap_or_default();
    for_log(text)
}

/// RFC 3501 §9, `date-time`, in seconds. A day of one digit has a space before it.
fn seconds(date: &str) -> Option<i64> {
    let read = strtime::parse("%d-%b-%Y %H:%M:%S %z", date.trim_start()).ok()?;
    Some(read.to_timestamp().ok()?.as_second())
}

/// RFC 3501 §9, `quoted`.
fn quoted(text: &str) -> Result<String, Trouble> {
    if text.contains(['\r', '\n', '\0']) {
        return Err(Trouble::Unfit("the name of a mailbox holds a line end"));
    }
    Ok(format!(
        "\"{}\"",
        text.replace('\\', "\\\\").replace('"', "\\\"")
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rfc3501_dates_are_read_with_days_of_one_and_of_two_digits() {
        assert_eq!(seconds("17-Jul-1996 02:44:25 -0700"), Some(837_596_665));
        assert_eq!(seconds(" 7-Jul-1996 02:44:25 +0000"), Some(836_707_465));
        assert_eq!(seconds("yesterday"), None);
    }

    #[test]
    fn names_are_quoted() {
        assert_eq!(quoted(r#"a "b" \c"#).unwrap(), r#""a \"b\" \\c""#);
        assert!(quoted("a\r\nb LOGOUT").is_err());
    }
}

//! One command, and everything that is said until its own answer. RFC 3501 §7
//!
//! The library's readers of these commands end at the tagged answer whatever it says, and at the end of the stream. What a server refuses
//! to give, and what a cut took away, would look like what is not there: a mail would be passed over as one that is gone.
//!
//! What is kept of the answers has a limit, and so has each of them while it is read, by what was asked for: see [`excess`](crate::excess).

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
use crate::{
    excess::{ANSWER_BYTES_MAX, Excess},
    status::for_log,
};

/// More mails than this are not announced at once; the rest is found by the next look.
const LISTED_MAX: usize = 100_000;
/// Of more folders the first ones are looked at.
const FOLDERS_MAX: usize = 2000;
/// A folder with a longer name is passed over: a path on a server's disk is no longer.
const FOLDER_NAME_BYTES_MAX: usize = 4096;
/// Of what a search finds, in one answer: four times the largest list, of numbers with ten digits.
const FOUND_BYTES_MAX: usize = 4 * LISTED_MAX * 11;
/// Of a search that is answered in several parts, the mails.
const FOUND_MAX: usize = 10 * LISTED_MAX;
/// So many bytes may stand around part of a mail, and above what was asked for of it: some servers give the whole of it.
const ABOVE_PART_MAX: usize = 1024 * 1024;

/// A folder of the account.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) struct Folder {
    pub(super) name: String,
    pub(super) delimiter: Option<String>,
    /// It says that it is the one of sent mail. RFC 6154
    pub(super) is_sent: bool,
}

impl Session {
    /// Sends a command, gives each untagged answer to `each`, and ends well only when the server says that it is done.
    async fn exchange(
        &mut self,
        deadline: Duration,
        command: &str,
        each: impl FnMut(&Response<'_>),
    ) -> Result<(), Trouble> {
        self.exchange_large((deadline, ANSWER_BYTES_MAX), command, each)
            .await
    }

    /// The same with answers of at most so many bytes each.
    async fn exchange_large(
        &mut self,
        (deadline, bytes_max): (Duration, usize),
        command: &str,
        mut each: impl FnMut(&Response<'_>),
    ) -> Result<(), Trouble> {
        let Self { imap, has_news, .. } = self;
        imap.get_mut().take_answers_of(bytes_max);
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
        let done = within(deadline, work).await;
        self.imap.get_mut().take_answers_of(ANSWER_BYTES_MAX);
        done
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
        let fits = |text: &str| text.len() <= FOLDER_NAME_BYTES_MAX;
        let each = |said: &Response<'_>| {
            if let Response::MailboxData(MailboxDatum::List(list)) = said
                && folders.len() < FOLDERS_MAX
                && fits(&list.name)
                && list.delimiter.as_deref().is_none_or(fits)
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
                for uid in uids {
                    if found.len() <= FOUND_MAX {
                        found.insert(*uid);
                    }
                }
            }
        };
        let search = format!("UID SEARCH {criteria}");
        let limits = (self.pace.body, FOUND_BYTES_MAX);
        self.exchange_large(limits, &search, each).await?;
        // Without the rest some would look as if they were not there.
        if found.len() > FOUND_MAX {
            return Err(Trouble::Excess(Excess::Found {
                mails_max: FOUND_MAX,
            }));
        }
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
        limits: (Duration, usize),
    ) -> Result<Option<Vec<u8>>, Trouble> {
        let fetch = format!("UID FETCH {uid} (UID {what})");
        let mut found = None;
        // Other mails' flags may come in between.
        let each = |of: Option<u32>, content: &[u8]| {
            if of == Some(uid) {
                found = Some(content.to_vec());
            }
        };
        self.parts(limits, &fetch, each).await?;
        Ok(found)
    }

    /// The same of the mails that have these places in the mailbox, as far as there are any.
    pub(super) async fn parts_at(
        &mut self,
        (places, what): (&str, &str),
        (count_max, bytes_max): (usize, usize),
    ) -> Result<Vec<Vec<u8>>, Trouble> {
        let fetch = format!("FETCH {places} {what}");
        let mut parts = Vec::new();
        let each = |_: Option<u32>, content: &[u8]| {
            if parts.len() < count_max {
                parts.push(content.to_vec());
            }
        };
        self.parts((self.pace.body, bytes_max), &fetch, each)
            .await?;
        Ok(parts)
    }

    /// Whether the server gives anything of a mail that is not this one: the first or the last.
    pub(super) async fn gives_another(&mut self, uid: u32) -> Result<bool, Trouble> {
        for place in ["1", "*"] {
            let fetch = format!("FETCH {place} (UID BODY.PEEK[HEADER]<0.1>)");
            let mut gives = false;
            let each = |of: Option<u32>, _: &[u8]| gives |= of.is_some_and(|other| other != uid);
            match self.parts((self.pace.command, 1), &fetch, each).await {
                Ok(()) if gives => return Ok(true),
                Ok(()) | Err(Trouble::Refused(_)) => {}
                Err(trouble) => return Err(trouble),
            }
        }
        Ok(false)
    }

    /// Gives what was asked for of each mail, cut to so many bytes, with its UID.
    async fn parts(
        &mut self,
        (deadline, bytes_max): (Duration, usize),
        fetch: &str,
        mut each: impl FnMut(Option<u32>, &[u8]),
    ) -> Result<(), Trouble> {
        let each = |said: &Response<'_>| {
            if let Response::Fetch(_, attributes) = said {
                let data = attributes.iter().find_map(|attribute| match attribute {
                    AttributeValue::BodySection {
                        data: Some(data), ..
                    } => Some(data),
                    _ => None,
                });
                if let Some(data) = data {
                    each(uid_of(attributes), data.get(..bytes_max).unwrap_or(data));
                }
            }
        };
        let limits = (deadline, bytes_max.saturating_add(ABOVE_PART_MAX));
        self.exchange_large(limits, fetch, each).await
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

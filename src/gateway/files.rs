//! Files in decisions: which are taken, what is written of them, and how long they are kept.

use std::time::Duration;

use bytes::Bytes;
use transom_adapter::{AccountName, Attachment, Incoming, OutFile, UnixMillis};
use url::Url;

use super::{Gateway, registration::DISABLED_FOR};
use crate::{
    files::{blobs::token, kind},
    store::write::{FileState, NewFile, ORIGINAL},
    xmpp::xep::sharing::Shared,
};

/// What the whole of a mail is called.
const ORIGINAL_NAME: &str = "mail.eml";

/// What the configuration says of files.
#[derive(Clone, Debug, Default)]
pub struct FilePolicy {
    /// The largest one, in bytes.
    pub size_bytes_max: u64,
    /// How long they are kept.
    pub keep: Duration,
    /// How long originals of mails are kept: they hold the text too. Zero: not at all.
    pub keep_originals: Duration,
    /// What people see; without it we give out no files.
    pub public_url: Option<Url>,
}

impl FilePolicy {
    /// Where a file of ours is given out; `None` without `http.public_url`.
    pub fn url(&self, token: &str, name: &str) -> Option<String> {
        let mut url = self.public_url.clone()?;
        url.path_segments_mut()
            .ok()?
            .pop_if_empty()
            .extend(["files", token, name]);
        Some(url.into())
    }
}

/// The attachments of a message whose contents are kept, in their order.
pub(super) fn kept<'a>(
    policy: &'a FilePolicy,
    message: &'a Incoming,
) -> impl Iterator<Item = &'a Attachment> {
    message
        .attachments
        .iter()
        .filter(|file| is_kept(policy, file))
}

fn is_kept(policy: &FilePolicy, file: &Attachment) -> bool {
    let fits = |content: &bytes::Bytes| content.len() as u64 <= policy.size_bytes_max;
    file.content.as_ref().is_some_and(fits)
}

/// The contents that are kept of a message, in the order of the stored rows of [`incoming`].
pub fn contents(policy: &FilePolicy, message: &Incoming) -> Vec<Bytes> {
    let attached = kept(policy, message).map(|file| file.content.clone().unwrap_or_default());
    attached.chain(original(policy, message).cloned()).collect()
}

/// The whole mail, where it is kept.
fn original<'a>(policy: &FilePolicy, message: &'a Incoming) -> Option<&'a Bytes> {
    let original = message.mail.original.as_ref()?;
    (!policy.keep_originals.is_zero()).then_some(original)
}

/// Those that are only named: too large to be read, or to be kept.
pub(super) fn named_only(policy: &FilePolicy, message: &Incoming) -> Vec<(String, u64)> {
    message
        .attachments
        .iter()
        .filter(|file| !is_kept(policy, file))
        .map(|file| (file.name.clone(), file.bytes))
        .collect()
}

/// The files that came with a message: what is at hand, then what has to be fetched.
pub(super) fn incoming(
    gateway: &Gateway,
    account: &AccountName,
    message: &Incoming,
    message_id: i64,
    (now, ids): (UnixMillis, &dyn Fn() -> i64),
) -> Vec<NewFile> {
    // A user who is away comes back within that time, and finds the files.
    let expires_ms = now.after(gateway.files.keep).after(DISABLED_FOR).0;
    let file = |state, kind: kind::Kind, bytes: u64| NewFile {
        file_id: ids(),
        message_id,
        place: 0,
        state,
        token: token(),
        name: kind.name,
        content_type: kind.content_type,
        bytes: i64::try_from(bytes).unwrap_or(i64::MAX),
        digest: None,
        source: None,
        account_id: None,
        link: 0,
        created_ms: now.0,
        expires_ms,
    };
    let at_hand = kept(&gateway.files, message).map(|attached| {
        let content = attached.content.as_deref().unwrap_or_default();
        let kind = kind::of(&attached.name, Some(&attached.content_type), content);
        file(FileState::Stored, kind, content.len() as u64)
    });
    let elsewhere = message.media.iter().map(|media| NewFile {
        source: Some(media.url.clone()),
        account_id: gateway.account_id(account),
        ..file(
            FileState::Waiting,
            kind::said("", media.content_type.as_deref()),
            0,
        )
    });
    let whole = original(&gateway.files, message).map(|content| NewFile {
        place: ORIGINAL,
        expires_ms: now
            .after(gateway.files.keep_originals)
            .after(DISABLED_FOR)
            .0,
        ..file(
            FileState::Stored,
            kind::said(ORIGINAL_NAME, Some("message/rfc822")),
            content.len() as u64,
        )
    });
    let mut files = numbered(at_hand.chain(elsewhere));
    files.extend(whole);
    files
}

/// What is written of the files that go with a message, as their sender describes them.
pub(super) fn outgoing(
    gateway: &Gateway,
    shared: &[Shared],
    message_id: i64,
    (now, ids): (UnixMillis, &dyn Fn() -> i64),
) -> Vec<NewFile> {
    // At least as long as the message is tried; a provider fetches it a little later.
    let tried = gateway.config.give_up + Duration::from_hours(1);
    let expires_ms = now.after(gateway.files.keep.max(tried)).0;
    let file = |shared: &Shared| {
        let kind = described(shared);
        NewFile {
            file_id: ids(),
            message_id,
            place: 0,
            state: FileState::Waiting,
            token: token(),
            name: kind.name,
            content_type: kind.content_type,
            bytes: i64::try_from(shared.bytes.unwrap_or(0)).unwrap_or(i64::MAX),
            digest: None,
            source: Some(shared.url.clone()),
            account_id: None,
            link: 0,
            created_ms: now.0,
            expires_ms,
        }
    };
    numbered(shared.iter().map(file))
}

/// The files that the network carries, as far as they are known before they are fetched.
pub(super) fn planned(files: &[NewFile]) -> Vec<OutFile> {
    let carried = files.iter().filter(|file| file.link == 0);
    let file = |file: &NewFile| OutFile {
        name: file.name.clone(),
        content_type: file.content_type.clone(),
        bytes: u64::try_from(file.bytes).unwrap_or(0),
        stored: None,
    };
    carried.map(file).collect()
}

fn numbered(files: impl Iterator<Item = NewFile>) -> Vec<NewFile> {
    let numbered = (0..).zip(files);
    numbered
        .map(|(place, file)| NewFile { place, ..file })
        .collect()
}

/// By what is said of it, else by its URL.
fn described(shared: &Shared) -> kind::Kind {
    let of_url = || {
        let url = Url::parse(&shared.url).ok()?;
        let last = url.path_segments()?.next_back()?;
        let decoded = percent_encoding::percent_decode_str(last).decode_utf8_lossy();
        Some(decoded.into_owned())
    };
    let name = shared.name.clone().or_else(of_url).unwrap_or_default();
    let by_name = || mime_guess::from_path(&name).first_raw();
    let said = shared.media_type.as_deref().or_else(by_name);
    kind::said(&name, said)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn policy(public_url: &str) -> FilePolicy {
        FilePolicy {
            public_url: Url::parse(public_url).ok(),
            ..FilePolicy::default()
        }
    }

    #[test]
    fn a_files_url_is_below_the_public_one_and_escaped() {
        let url = |base| policy(base).url("00ff", "a b/é?.jpg").unwrap();
        assert_eq!(
            url("https://gw.example.org"),
            "https://gw.example.org/files/00ff/a%20b%2F%C3%A9%3F.jpg"
        );
        assert_eq!(
            url("https://example.org/transom/"),
            "https://example.org/transom/files/00ff/a%20b%2F%C3%A9%3F.jpg"
        );
        assert_eq!(FilePolicy::default().url("00ff", "x"), None);
    }

    #[test]
    fn a_file_without_description_is_described_by_its_url() {
        let shared = Shared {
            url: "https://u.example.org/1/gr%C3%BC%C3%9Fe.jpg?x=1".to_owned(),
            ..Shared::default()
        };
        let kind = described(&shared);
        assert_eq!(
            (kind.name.as_str(), kind.content_type.as_str()),
            ("grüße.jpg", "image/jpeg")
        );
    }
}

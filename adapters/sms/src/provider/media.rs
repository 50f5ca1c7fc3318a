//! Files that go with a text, and pictures that came with one. Providers fetch ours by URL, and keep theirs until we fetch them.

use serde_json::Value;
use transom_adapter::{
    Capabilities, Failure, FetchFailure, Fetched, FileLimits, Holder, HttpClient, MediaRef,
    Outcome, Outgoing, Reason, Repeat, Reports, TrustedOrigin,
};

use super::{ProviderEnv, json};

/// What carriers pass on in an MMS.
pub(crate) const MMS_TYPES: &[&str] = &[
    "image/jpeg",
    "image/png",
    "image/gif",
    "audio/*",
    "video/*",
    "text/vcard",
    "text/x-vcard",
    "text/calendar",
    "application/pdf",
];

/// These limits where the provider can fetch from us.
pub(crate) fn by_url(env: &ProviderEnv, limits: FileLimits) -> Option<FileLimits> {
    env.public_url.is_some().then_some(limits)
}

/// What HTTP providers have in common: ten sends at a time, each cut off after 40 s, which is more than the client waits for an
/// answer; reports where they can reach us; no idempotency key.
pub(crate) fn capabilities(reached: bool, files: Option<FileLimits>) -> Capabilities {
    Capabilities {
        repeat: Repeat::Unsafe,
        reports: if reached {
            Reports::Delivery
        } else {
            Reports::None
        },
        concurrency: 10,
        send_seconds_max: 40,
        files,
        holder: Holder::OneReader,
    }
}

/// The URLs that the provider fetches the message's files from.
///
/// # Errors
///
/// A refusal when one of them has none: the core prepares none for an account whose capabilities say that it takes no files.
pub(crate) fn urls(message: &Outgoing) -> Result<Vec<&str>, Outcome> {
    let files = message.files.iter();
    let urls: Option<Vec<_>> = files
        .map(|file| file.stored.as_ref()?.url.as_deref())
        .collect();
    urls.ok_or_else(|| {
        let failure = Failure::new(Reason::Unsupported);
        Outcome::Rejected(failure.with_detail("a file has no URL to be fetched from"))
    })
}

/// Fetches a picture that stayed with the provider, with a login for its own origin alone.
///
/// # Errors
///
/// [`FetchFailure`].
pub(crate) async fn fetch(
    http: &HttpClient,
    (base_url, login): (&str, impl FnOnce(TrustedOrigin) -> TrustedOrigin),
    media: &MediaRef,
    bytes_max: u64,
) -> Result<Fetched, FetchFailure> {
    let origin = TrustedOrigin::new(base_url).map(login);
    http.fetch(&media.url, bytes_max, origin.as_ref()).await
}

/// A picture that came, as a provider's JSON names it; `None` without its URL.
pub(crate) fn received(url: &Value, content_type: &Value) -> Option<MediaRef> {
    Some(MediaRef {
        url: json::filled(url)?.into_owned(),
        content_type: json::filled(content_type).map(std::borrow::Cow::into_owned),
    })
}

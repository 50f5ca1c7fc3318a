//! `/files/{token}/{name}`: attachments, to whoever was given the URL. The name is for people and for what they save the file as;
//! the token alone finds it. There is no list of files, and nothing on the disk can be named but what a token stands for.

use std::{
    io::{ErrorKind, SeekFrom},
    sync::Arc,
};

use axum::{
    body::{Body, Bytes},
    extract::{Path, State},
    http::{
        HeaderMap, HeaderValue, Method, StatusCode,
        header::{
            ACCEPT_RANGES, CONTENT_DISPOSITION, CONTENT_LENGTH, CONTENT_RANGE,
            CONTENT_SECURITY_POLICY, CONTENT_TYPE, RANGE, REFERRER_POLICY,
        },
    },
    response::Response,
};
use futures_util::stream;
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use tokio::{
    fs::File,
    io::{AsyncReadExt, AsyncSeekExt},
};

use super::{reply::plain, site::Site};
use crate::files::Served;

/// Read and sent at once.
const CHUNK_BYTES: usize = 64 * 1024;

/// RFC 8187 §3.2.1: what stands unescaped in `filename*`.
const UNESCAPED: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_');

/// Types that a browser may show in place: none of them runs anything.
const SHOWN: [&str; 11] = [
    "image/avif",
    "image/bmp",
    "image/gif",
    "image/heic",
    "image/jpeg",
    "image/png",
    "image/tiff",
    "image/webp",
    "application/pdf",
    "text/plain",
    "text/vcard",
];

/// Gives out a file.
pub(super) async fn give(
    State(site): State<Arc<Site>>,
    Path((token, _name)): Path<(String, String)>,
    method: Method,
    headers: HeaderMap,
) -> Response {
    let Some(files) = &site.state.files else {
        return gone();
    };
    let looking = files.served(&token, site.state.clock.now());
    let found = tokio::time::timeout(site.limits.commit, looking).await;
    match found {
        Ok(Ok(Some(served))) => content(&served, &method, &headers).await,
        Ok(Ok(None)) => gone(),
        Ok(Err(_)) | Err(_) => later(),
    }
}

/// A disk that fails says nothing of the file: only one that is not there is gone.
async fn content(served: &Served, method: &Method, headers: &HeaderMap) -> Response {
    match answer(served, method, headers).await {
        Ok(response) => response,
        Err(error) if error.kind() == ErrorKind::NotFound => gone(),
        Err(error) => {
            // Without its path, which holds the token.
            tracing::error!(
                error = &error as &dyn std::error::Error,
                "A file cannot be read from the disk."
            );
            later()
        }
    }
}

/// Whoever asks is to come back.
fn later() -> Response {
    plain(
        StatusCode::SERVICE_UNAVAILABLE,
        "the file cannot be looked up now; try again later",
    )
}

/// The same answer for what never was and for what is not there any more.
fn gone() -> Response {
    plain(
        StatusCode::NOT_FOUND,
        "There is no such file, or its time is over. Ask the person who sent it to send it again.",
    )
}

async fn answer(
    served: &Served,
    method: &Method,
    headers: &HeaderMap,
) -> std::io::Result<Response> {
    let mut file = File::open(&served.path).await?;
    let length = file.metadata().await?.len();
    let (status, start, end) = match range(headers, length) {
        Asked::All => (StatusCode::OK, 0, length),
        Asked::Part(start, end) => (StatusCode::PARTIAL_CONTENT, start, end),
        Asked::Nothing => {
            let mut response = plain(
                StatusCode::RANGE_NOT_SATISFIABLE,
                "the file ends before that",
            );
            put(&mut response, CONTENT_RANGE, &format!("bytes */{length}"));
            return Ok(response);
        }
    };
    let body = if method == Method::HEAD {
        Body::empty()
    } else {
        file.seek(SeekFrom::Start(start)).await?;
        Body::from_stream(chunks(file, end - start))
    };
    let mut response = Response::new(body);
    *response.status_mut() = status;
    let (content_type, disposition) = shown(&served.content_type);
    put(&mut response, CONTENT_TYPE, &content_type);
    let name = utf8_percent_encode(&served.name, UNESCAPED);
    let disposition = format!("{disposition}; filename*=UTF-8''{name}");
    put(&mut response, CONTENT_DISPOSITION, &disposition);
    put(&mut response, CONTENT_LENGTH, &(end - start).to_string());
    put(&mut response, ACCEPT_RANGES, "bytes");
    // Whatever a browser makes of it: it runs nothing, loads nothing, and has no origin.
    put(
        &mut response,
        CONTENT_SECURITY_POLICY,
        "sandbox; default-src 'none'",
    );
    put(&mut response, REFERRER_POLICY, "no-referrer");
    if status == StatusCode::PARTIAL_CONTENT {
        let range = format!("bytes {start}-{}/{length}", end - 1);
        put(&mut response, CONTENT_RANGE, &range);
    }
    Ok(response)
}

/// What is shown in place, and what is only saved: everything that could run.
fn shown(content_type: &str) -> (String, &'static str) {
    let kind = content_type.split('/').next().unwrap_or_default();
    if content_type == "text/plain" {
        return ("text/plain; charset=utf-8".to_owned(), "inline");
    }
    if SHOWN.contains(&content_type) || matches!(kind, "audio" | "video") {
        return (content_type.to_owned(), "inline");
    }
    ("application/octet-stream".to_owned(), "attachment")
}

fn put(response: &mut Response, name: axum::http::HeaderName, value: &str) {
    if let Ok(value) = HeaderValue::from_str(value) {
        response.headers_mut().insert(name, value);
    }
}

/// A file's bytes, so many of them, in their order.
fn chunks(
    file: File,
    bytes: u64,
) -> impl futures_util::Stream<Item = std::io::Result<Bytes>> + Send {
    stream::try_unfold((file, bytes), |(mut file, left)| async move {
        let room = usize::try_from(left).unwrap_or(usize::MAX).min(CHUNK_BYTES);
        if room == 0 {
            return Ok(None);
        }
        let mut chunk = vec![0; room];
        let count = file.read(&mut chunk).await?;
        if count == 0 {
            // Shorter than it was: the caller must not take it for whole.
            return Err(ErrorKind::UnexpectedEof.into());
        }
        chunk.truncate(count);
        Ok(Some((Bytes::from(chunk), (file, left - count as u64))))
    })
}

/// What part was asked for, from here up to there.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Asked {
    All,
    Part(u64, u64),
    Nothing,
}

/// RFC 9110 §14.2: one range of bytes; anything else is passed over, and the whole is given.
fn range(headers: &HeaderMap, length: u64) -> Asked {
    let value = headers.get(RANGE).and_then(|value| value.to_str().ok());
    let Some((first, last)) = value
        .and_then(|value| value.strip_prefix("bytes="))
        .and_then(|range| range.split_once('-'))
    else {
        return Asked::All;
    };
    let number = |text: &str| text.trim().parse::<u64>().ok();
    let (start, end) = match (number(first), number(last)) {
        (Some(start), Some(last)) if start <= last => (start, last.saturating_add(1).min(length)),
        (Some(start), None) if last.trim().is_empty() => (start, length),
        (None, Some(count)) if first.trim().is_empty() => (length.saturating_sub(count), length),
        _ => return Asked::All,
    };
    if start < end {
        Asked::Part(start, end)
    } else {
        Asked::Nothing
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_disk_that_fails_is_no_missing_file() {
        let folder = tempfile::tempdir().unwrap();
        let (missing, looped) = (folder.path().join("missing"), folder.path().join("looped"));
        // Whoever runs this: the system cannot open it, though its name is there.
        std::os::unix::fs::symlink(&looped, &looped).unwrap();
        for (path, want) in [
            (missing, StatusCode::NOT_FOUND),
            (looped, StatusCode::SERVICE_UNAVAILABLE),
        ] {
            let served = Served {
                path,
                name: "picture.png".to_owned(),
                content_type: "image/png".to_owned(),
            };
            let response = content(&served, &Method::GET, &HeaderMap::new()).await;
            assert_eq!(response.status(), want, "{served:?}");
        }
    }

    #[test]
    fn one_range_is_understood_and_anything_else_is_the_whole() {
        for (value, want) in [
            ("bytes=0-9", Asked::Part(0, 10)),
            ("bytes=90-", Asked::Part(90, 100)),
            ("bytes=90-1000", Asked::Part(90, 100)),
            ("bytes=-10", Asked::Part(90, 100)),
            ("bytes=-1000", Asked::Part(0, 100)),
            ("bytes=100-", Asked::Nothing),
            ("bytes=-0", Asked::Nothing),
            ("bytes=9-3", Asked::All),
            ("bytes=0-1,5-6", Asked::All),
            ("items=0-1", Asked::All),
            ("bytes=-", Asked::All),
            ("bytes=0-18446744073709551615", Asked::Part(0, 100)),
        ] {
            let mut headers = HeaderMap::new();
            headers.insert(RANGE, HeaderValue::from_static(value));
            assert_eq!(range(&headers, 100), want, "{value}");
        }
        assert_eq!(range(&HeaderMap::new(), 100), Asked::All);
    }

    #[test]
    fn what_could_run_is_only_saved() {
        for content_type in [
            "text/html",
            "image/svg+xml",
            "text/javascript",
            "application/xhtml+xml",
            "application/xml",
            "application/octet-stream",
            "multipart/mixed",
        ] {
            let (served, disposition) = shown(content_type);
            assert_eq!(
                (served.as_str(), disposition),
                ("application/octet-stream", "attachment")
            );
        }
        assert_eq!(shown("image/png"), ("image/png".to_owned(), "inline"));
        assert_eq!(shown("video/mp4"), ("video/mp4".to_owned(), "inline"));
    }
}

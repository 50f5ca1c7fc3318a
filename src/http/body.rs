//! Reading a request's body: whole, bounded, in time.

use axum::{
    body::{Bytes, HttpBody},
    extract::{DefaultBodyLimit, FromRequest, Request},
    http::StatusCode,
    response::Response,
};
use tokio::{sync::SemaphorePermit, time::timeout};

use super::{reply::plain, site::Site};

/// No provider sends more: media is fetched, not pushed.
pub(super) const BODY_BYTES_MAX: usize = 1024 * 1024;
/// What messages and reports take; there is always memory for these.
const SMALL_BODY_BYTES_MAX: u64 = 64 * 1024;

/// A body, and the room in memory that it takes if it is not a small one.
pub(super) struct Whole<'a> {
    pub(super) bytes: Bytes,
    _room: Option<SemaphorePermit<'a>>,
}

/// Reads the body; the answer to give when that is not possible.
pub(super) async fn read(mut request: Request, site: &Site) -> Result<Whole<'_>, Response> {
    let announced = request.body().size_hint();
    if announced.lower() > BODY_BYTES_MAX as u64 {
        return Err(too_large());
    }
    let small = announced
        .upper()
        .is_some_and(|bytes| bytes <= SMALL_BODY_BYTES_MAX);
    let room = if small {
        None
    } else {
        Some(site.large_bodies.try_acquire().map_err(|_| no_room())?)
    };
    DefaultBodyLimit::max(BODY_BYTES_MAX).apply(&mut request);
    match timeout(site.limits.body, Bytes::from_request(request, &())).await {
        Ok(Ok(bytes)) => Ok(Whole { bytes, _room: room }),
        Ok(Err(rejection)) if rejection.status() == StatusCode::PAYLOAD_TOO_LARGE => {
            Err(too_large())
        }
        Ok(Err(_)) => Err(plain(StatusCode::BAD_REQUEST, "the body could not be read")),
        Err(_) => Err(plain(
            StatusCode::REQUEST_TIMEOUT,
            "the body took too long to arrive",
        )),
    }
}

fn too_large() -> Response {
    plain(
        StatusCode::PAYLOAD_TOO_LARGE,
        format!("the body is larger than {BODY_BYTES_MAX} bytes"),
    )
}

fn no_room() -> Response {
    plain(
        StatusCode::SERVICE_UNAVAILABLE,
        "too many large requests at once",
    )
}

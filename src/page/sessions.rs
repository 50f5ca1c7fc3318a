//! Who is signed in: in memory, bounded, gone with the process.

use std::collections::HashMap;

use sha2::{Digest, Sha256};
use transom_adapter::UnixMillis;

/// The cookie's name.
const NAME: &str = "transom_admin";
/// Not used for so long, a session ends.
const IDLE_MS: i64 = 2 * 3_600_000;
/// So old, it ends too.
const AGE_MS: i64 = 12 * 3_600_000;
/// Sessions at a time; the oldest give way.
const SESSIONS_MAX: usize = 100;
/// Tokens tried in a minute, right or wrong, by all together.
const TRIES_PER_MINUTE: u32 = 10;
const MINUTE_MS: i64 = 60_000;

/// The sessions, by the digest of their cookies: whoever reads our memory cannot use them.
#[derive(Debug, Default)]
pub(super) struct Sessions {
    open: HashMap<[u8; 32], Open>,
    tries: (i64, u32),
}

#[derive(Debug)]
struct Open {
    csrf: String,
    begun: UnixMillis,
    used: UnixMillis,
    flash: Option<(bool, String)>,
}

/// Somebody who is signed in.
#[derive(Clone, Debug)]
pub(super) struct Session {
    /// What each form has to carry.
    pub(super) csrf: String,
    /// What came of the last button: whether it worked, and a sentence; shown once.
    pub(super) flash: Option<(bool, String)>,
}

impl Sessions {
    /// Signs in; the cookie's value.
    pub(super) fn begin(&mut self, now: UnixMillis) -> String {
        self.open.retain(|_, open| open.is_good(now));
        while self.open.len() >= SESSIONS_MAX {
            let oldest = self.open.iter().min_by_key(|(_, open)| open.used.0);
            let Some(oldest) = oldest.map(|(digest, _)| *digest) else {
                break;
            };
            self.open.remove(&oldest);
        }
        let secret = hex::encode(rand::random::<[u8; 32]>());
        let open = Open {
            csrf: hex::encode(rand::random::<[u8; 16]>()),
            begun: now,
            used: now,
            flash: None,
        };
        self.open.insert(digest(&secret), open);
        secret
    }

    /// The session of a cookie.
    pub(super) fn find(&mut self, cookie: &str, now: UnixMillis) -> Option<Session> {
        let open = self.open.get_mut(&digest(cookie))?;
        if !open.is_good(now) {
            return None;
        }
        open.used = now;
        Some(Session {
            csrf: open.csrf.clone(),
            flash: open.flash.take(),
        })
    }

    /// Signs out.
    pub(super) fn end(&mut self, cookie: &str) {
        self.open.remove(&digest(cookie));
    }

    /// Keeps what is to be said on the next page.
    pub(super) fn say(&mut self, cookie: &str, flash: (bool, String)) {
        if let Some(open) = self.open.get_mut(&digest(cookie)) {
            open.flash = Some(flash);
        }
    }

    /// Whether one more token may be tried now.
    pub(super) fn may_try(&mut self, now: UnixMillis) -> bool {
        if now.0 - self.tries.0 >= MINUTE_MS {
            self.tries = (now.0, 0);
        }
        self.tries.1 = self.tries.1.saturating_add(1);
        self.tries.1 <= TRIES_PER_MINUTE
    }
}

impl Open {
    fn is_good(&self, now: UnixMillis) -> bool {
        now.0 - self.used.0 < IDLE_MS && now.0 - self.begun.0 < AGE_MS
    }
}

fn digest(cookie: &str) -> [u8; 32] {
    Sha256::digest(cookie.as_bytes()).into()
}

/// Our cookie among all (RFC 6265 §4.2.1).
pub(super) fn cookie(header: &str) -> Option<String> {
    let mut cookies = header
        .split(';')
        .filter_map(|pair| pair.trim().split_once('='));
    cookies
        .find(|(name, _)| *name == NAME)
        .map(|(_, value)| value.to_owned())
}

/// The header that sets our cookie; an empty value takes it away.
pub(super) fn set_cookie(value: &str, is_secure: bool) -> String {
    let age = if value.is_empty() { 0 } else { AGE_MS / 1000 };
    let secure = if is_secure { "; Secure" } else { "" };
    format!("{NAME}={value}; Path=/; HttpOnly; SameSite=Strict; Max-Age={age}{secure}")
}

//! Links that work once and for ten minutes (semantics 25): in memory, gone with the process.
//!
//! A link is not used up by looking at it: mail and chat programs fetch links to show what is behind them. Only the button is.

use std::{
    collections::HashMap,
    sync::{Mutex, PoisonError},
    time::Duration,
};

use transom_adapter::UnixMillis;
use url::Url;

use super::{OnceLink, Refusal, mailboxes::Ticket};

/// How long a link works.
pub const WORKS_FOR: Duration = Duration::from_mins(10);
/// Links at a time; the oldest give way.
const LINKS_MAX: usize = 500;
/// Bytes of all files behind links; the oldest give way.
const BYTES_MAX: usize = 64 * 1024 * 1024;

/// What a link is for.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Purpose {
    /// Signs in to the operator's page.
    SignIn,
    /// Enters the password of a mail account.
    Mailbox(Ticket),
    /// A file to fetch.
    Download {
        /// Whose it is, by the key of the registration: each has one at a time.
        user_id: i64,
        /// What it is saved as.
        name: String,
        /// What is in it.
        bytes: Vec<u8>,
    },
}

/// The links that have not been used.
#[derive(Debug, Default)]
pub struct Once {
    base: Option<Url>,
    local: Option<String>,
    open: Mutex<HashMap<String, Open>>,
}

#[derive(Debug)]
struct Open {
    purpose: Purpose,
    until: UnixMillis,
}

impl Once {
    /// Links under `http.public_url`; `local` is where the process itself listens, for whoever sits at the machine.
    pub fn new(base: Option<Url>, local: Option<String>) -> Self {
        Self {
            base,
            local,
            open: Mutex::default(),
        }
    }

    /// Makes a link for somebody outside.
    ///
    /// # Errors
    ///
    /// [`Refusal::NoLinks`] without a public address.
    pub fn link(&self, purpose: Purpose, now: UnixMillis) -> Result<OnceLink, Refusal> {
        let base = self.base.as_ref().ok_or(Refusal::NoLinks)?;
        let base = base.as_str().trim_end_matches('/').to_owned();
        Ok(self.make(&base, purpose, now))
    }

    /// Makes a link for somebody who may sit at the machine.
    ///
    /// # Errors
    ///
    /// [`Refusal::NotRunning`] where nothing listens.
    pub fn link_here(&self, purpose: Purpose, now: UnixMillis) -> Result<OnceLink, Refusal> {
        match (&self.base, &self.local) {
            (Some(_), _) => self.link(purpose, now),
            (None, Some(local)) => Ok(self.make(local, purpose, now)),
            (None, None) => Err(Refusal::NotRunning),
        }
    }

    fn make(&self, base: &str, purpose: Purpose, now: UnixMillis) -> OnceLink {
        let token = hex::encode(rand::random::<[u8; 24]>());
        let folder = match purpose {
            Purpose::SignIn => "admin/in",
            Purpose::Mailbox(_) => "admin/own",
            Purpose::Download { .. } => "admin/get",
        };
        let url = format!("{base}/{folder}/{token}");
        let until = now.after(WORKS_FOR);
        let mut open = self.open.lock().unwrap_or_else(PoisonError::into_inner);
        let whose = purpose.downloader();
        open.retain(|_, link| {
            let is_older = whose.is_some() && link.purpose.downloader() == whose;
            link.until.0 > now.0 && !is_older
        });
        let room = BYTES_MAX.saturating_sub(purpose.bytes());
        while open
            .values()
            .map(|link| link.purpose.bytes())
            .sum::<usize>()
            > room
            && remove_oldest(&mut open, |purpose| purpose.bytes() > 0)
        {}
        while open.len() >= LINKS_MAX && remove_oldest(&mut open, |_| true) {}
        open.insert(token, Open { purpose, until });
        OnceLink {
            url,
            works_for_s: WORKS_FOR.as_secs(),
        }
    }

    /// Whether this link still works, without using it.
    pub fn works(&self, token: &str, now: UnixMillis) -> bool {
        let open = self.open.lock().unwrap_or_else(PoisonError::into_inner);
        open.get(token).is_some_and(|link| link.until.0 > now.0)
    }

    /// The address of a page of ours, as people outside see it; `None` without a public address.
    pub fn public(&self, path: &str) -> Option<String> {
        let base = self.base.as_ref()?.as_str().trim_end_matches('/');
        Some(format!("{base}/{path}"))
    }

    /// The mail account behind a link that still works; the page itself sees to it that it is used once.
    pub fn mailbox(&self, token: &str, now: UnixMillis) -> Option<Ticket> {
        let open = self.open.lock().unwrap_or_else(PoisonError::into_inner);
        let link = open.get(token).filter(|link| link.until.0 > now.0)?;
        match &link.purpose {
            Purpose::Mailbox(ticket) => Some(ticket.clone()),
            Purpose::SignIn | Purpose::Download { .. } => None,
        }
    }

    /// Uses the link: what it is for, once.
    pub fn take(&self, token: &str, now: UnixMillis) -> Option<Purpose> {
        let mut open = self.open.lock().unwrap_or_else(PoisonError::into_inner);
        let link = open.remove(token)?;
        (link.until.0 > now.0).then_some(link.purpose)
    }
}

impl Purpose {
    fn bytes(&self) -> usize {
        match self {
            Self::SignIn | Self::Mailbox(_) => 0,
            Self::Download { bytes, .. } => bytes.len(),
        }
    }

    fn downloader(&self) -> Option<i64> {
        match self {
            Self::SignIn | Self::Mailbox(_) => None,
            Self::Download { user_id, .. } => Some(*user_id),
        }
    }
}

/// Takes away the oldest link of some; whether there was one.
fn remove_oldest(open: &mut HashMap<String, Open>, of: impl Fn(&Purpose) -> bool) -> bool {
    let some = open.iter().filter(|(_, link)| of(&link.purpose));
    let oldest = some.min_by_key(|(_, link)| link.until.0);
    let Some(oldest) = oldest.map(|(token, _)| token.clone()) else {
        return false;
    };
    open.remove(&oldest).is_some()
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: UnixMillis = UnixMillis(1_800_000_000_000);

    fn token(link: &OnceLink) -> String {
        link.url.rsplit('/').next().unwrap().to_owned()
    }

    #[test]
    fn a_link_works_once_and_not_for_long() {
        let once = Once::new(Some("https://gw.example.org/x/".parse().unwrap()), None);
        let link = once.link(Purpose::SignIn, NOW).unwrap();
        assert!(
            link.url.starts_with("https://gw.example.org/x/admin/in/"),
            "{link:?}"
        );
        let token = token(&link);
        assert!(once.works(&token, NOW), "looking does not use it up");
        assert_eq!(once.take(&token, NOW), Some(Purpose::SignIn));
        assert_eq!(once.take(&token, NOW), None, "a second time");
        let late = once.link(Purpose::SignIn, NOW).unwrap();
        assert_eq!(once.take(&self::token(&late), NOW.after(WORKS_FOR)), None);
    }

    #[test]
    fn the_oldest_give_way() {
        let once = Once::new(None, Some("http://127.0.0.1:1".to_owned()));
        assert_eq!(once.link(Purpose::SignIn, NOW), Err(Refusal::NoLinks));
        let first = once.link_here(Purpose::SignIn, NOW).unwrap();
        for later in 1..=LINKS_MAX {
            let later = UnixMillis(NOW.0 + i64::try_from(later).unwrap());
            once.link_here(Purpose::SignIn, later).unwrap();
        }
        assert!(!once.works(&token(&first), NOW));
        assert!(once.open.lock().unwrap().len() <= LINKS_MAX);
    }

    fn download(user_id: i64, bytes: usize) -> Purpose {
        Purpose::Download {
            user_id,
            name: "transom-sms.json".to_owned(),
            bytes: vec![0; bytes],
        }
    }

    #[test]
    fn exports_of_one_user_push_out_nobodys_links() {
        let once = Once::new(None, Some("http://127.0.0.1:1".to_owned()));
        let later = |after: usize| UnixMillis(NOW.0 + i64::try_from(after).unwrap());
        let make = |purpose, at| token(&once.link_here(purpose, later(at)).unwrap());
        let sign_in = make(Purpose::SignIn, 0);
        let other = make(download(2, 1), 1);
        let mut last = make(download(1, 1), 2);
        for at in 3..=LINKS_MAX + 3 {
            let newer = make(download(1, 1), at);
            assert!(!once.works(&last, later(at)), "the newer one replaces it");
            last = newer;
        }
        let at = LINKS_MAX + 4;
        assert!(once.works(&sign_in, later(at)) && once.works(&other, later(at)));
        // What comes is counted too, and what holds no bytes gives way to none.
        let large = make(download(3, BYTES_MAX), at);
        let open = once.open.lock().unwrap();
        let bytes: usize = open.values().map(|link| link.purpose.bytes()).sum();
        assert_eq!(bytes, BYTES_MAX);
        assert!(open.contains_key(&sign_in) && open.contains_key(&large));
    }
}

//! Codes by text message that prove a mobile number to be somebody's own. In memory: a restart costs a new code.

use std::{
    collections::HashMap,
    sync::{Mutex, PoisonError},
    time::Duration,
};

use transom_adapter::{Address, UnixMillis};

use crate::xmpp::jid::BareJid;

/// How long a code works.
pub const WORKS_FOR: Duration = Duration::from_mins(10);
/// Wrong codes that are taken; then the right one is worth nothing either.
const TRIES_MAX: u8 = 5;
/// Codes a UTC day for one user, and to one number: nobody is pestered, whoever asks.
const PER_DAY: u32 = 3;
/// Users and numbers whose codes are counted.
const COUNTED_MAX: usize = 20_000;
const DAY_MS: i64 = 24 * 3_600_000;

/// The codes that wait to be entered.
#[derive(Debug, Default)]
pub struct Codes(Mutex<Inner>);

#[derive(Debug, Default)]
struct Inner {
    open: HashMap<Who, Open>,
    day: i64,
    sent: HashMap<String, u32>,
}

/// A user at a gateway.
type Who = (String, BareJid);

#[derive(Debug)]
struct Open {
    number: Address,
    code: String,
    until: UnixMillis,
    tries: u8,
}

/// What entering a code came to.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Entered {
    /// It is right: the number is the user's.
    Right(Address),
    /// It is wrong; so many tries are left.
    Wrong {
        /// How many.
        left: u8,
    },
    /// No code waits for this user: none was sent, its time is over, or too many were wrong.
    Nothing,
}

impl Codes {
    /// A new code, which replaces the one that this user has; `None`: too many were sent today, to this user or to this number.
    pub fn make(
        &self,
        gateway: &str,
        user: &BareJid,
        number: &Address,
        now: UnixMillis,
    ) -> Option<String> {
        let mut inner = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let day = now.0.div_euclid(DAY_MS);
        if inner.day != day {
            inner.day = day;
            inner.sent.clear();
        }
        inner.open.retain(|_, open| open.until > now);
        // A JID holds an @ and a number none.
        let counted = [user.to_string(), number.as_str().to_owned()];
        let sent = |name: &String| inner.sent.get(name).copied().unwrap_or_default();
        if counted.iter().any(|name| sent(name) >= PER_DAY) || inner.sent.len() >= COUNTED_MAX {
            return None;
        }
        for name in counted {
            *inner.sent.entry(name).or_default() += 1;
        }
        let code = format!("{:06}", rand::random_range(0..1_000_000_u32));
        let open = Open {
            number: number.clone(),
            code: code.clone(),
            until: now.after(WORKS_FOR),
            tries: 0,
        };
        inner.open.insert((gateway.to_owned(), user.clone()), open);
        Some(code)
    }

    /// Tries a code; what is right, or was wrong too often, is used up.
    pub fn enter(&self, gateway: &str, user: &BareJid, code: &str, now: UnixMillis) -> Entered {
        let mut inner = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let who = (gateway.to_owned(), user.clone());
        let Some(mut open) = inner.open.remove(&who).filter(|open| open.until > now) else {
            return Entered::Nothing;
        };
        let digits = |text: &str| {
            text.chars()
                .filter(char::is_ascii_digit)
                .collect::<String>()
        };
        if digits(code) == open.code {
            return Entered::Right(open.number);
        }
        open.tries += 1;
        let left = TRIES_MAX.saturating_sub(open.tries);
        if left > 0 {
            inner.open.insert(who, open);
        }
        Entered::Wrong { left }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: UnixMillis = UnixMillis(1_790_000_000_000);

    fn alice() -> BareJid {
        BareJid::new("alice@example.org").unwrap()
    }

    fn number(last: u32) -> Address {
        Address::new(format!("+1202555{last:04}"))
    }

    /// Another one of six digits.
    fn wrong(code: &str) -> String {
        let code: u32 = code.parse().unwrap();
        format!("{:06}", (code + 1) % 1_000_000)
    }

    #[test]
    fn the_right_code_counts_once_and_only_for_whoever_asked() {
        let codes = Codes::default();
        let code = codes.make("sms", &alice(), &number(147), NOW).unwrap();
        assert_eq!(code.len(), 6);
        let bob = BareJid::new("bob@example.org").unwrap();
        assert_eq!(codes.enter("sms", &bob, &code, NOW), Entered::Nothing);
        assert_eq!(codes.enter("other", &alice(), &code, NOW), Entered::Nothing);
        // As people copy it.
        let typed = format!(" {} {}.", code.get(..3).unwrap(), code.get(3..).unwrap());
        let right = Entered::Right(number(147));
        assert_eq!(codes.enter("sms", &alice(), &typed, NOW), right);
        assert_eq!(codes.enter("sms", &alice(), &code, NOW), Entered::Nothing);
    }

    #[test]
    fn five_wrong_ones_or_ten_minutes_end_it() {
        let codes = Codes::default();
        let code = codes.make("sms", &alice(), &number(147), NOW).unwrap();
        for left in (0..5).rev() {
            let entered = codes.enter("sms", &alice(), &wrong(&code), NOW);
            assert_eq!(entered, Entered::Wrong { left });
        }
        assert_eq!(codes.enter("sms", &alice(), &code, NOW), Entered::Nothing);
        let code = codes.make("sms", &alice(), &number(147), NOW).unwrap();
        let late = NOW.after(WORKS_FOR);
        assert_eq!(codes.enter("sms", &alice(), &code, late), Entered::Nothing);
    }

    #[test]
    fn three_a_day_for_a_user_and_to_a_number() {
        let codes = Codes::default();
        for last in 1..=3 {
            assert!(codes.make("sms", &alice(), &number(last), NOW).is_some());
        }
        assert_eq!(codes.make("sms", &alice(), &number(4), NOW), None);
        for user in ["bob", "carol", "dave"] {
            let user = BareJid::new(&format!("{user}@example.org")).unwrap();
            let sent = codes.make("sms", &user, &number(1), NOW);
            assert_eq!(sent.is_some(), user.to_string() != "dave@example.org");
        }
        let tomorrow = NOW.after(Duration::from_hours(24));
        assert!(codes.make("sms", &alice(), &number(4), tomorrow).is_some());
    }
}

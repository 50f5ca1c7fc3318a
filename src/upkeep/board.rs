//! What admins have been told of, and what they are told next: pure.

use std::{collections::BTreeMap, time::Duration};

use serde::{Deserialize, Serialize};
use transom_adapter::UnixMillis;

use crate::texts::{Admin, Trouble};

/// Something that an admin has to know.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub(super) enum Concern {
    /// It lasts, and will be over.
    Trouble(Trouble),
    /// A user's server refused so many messages today; nothing that ends.
    Unreachable {
        /// Who.
        user: String,
        /// How many.
        messages: u64,
    },
}

/// What one look at one thing says.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) enum Look {
    /// An admin has to know.
    Bad(Concern),
    /// It is well.
    Good,
    /// Nobody can tell now: it stays as it was.
    Unclear,
}

/// Something that was bad at the last look.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) struct Known {
    pub(super) concern: Concern,
    pub(super) since: UnixMillis,
    /// When the admins were last told.
    pub(super) said: Option<UnixMillis>,
}

/// Everything that is not well, by name.
#[derive(Debug, Default)]
pub(super) struct Board(pub(super) BTreeMap<String, Known>);

/// Something to say. It counts as said once it was handed over.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) struct Saying {
    pub(super) name: String,
    pub(super) lines: Vec<Admin>,
    /// What is known of it afterwards; `None`: it is over.
    pub(super) after: Option<Known>,
}

/// Semantics 24: repeated daily while it lasts.
const AGAIN: Duration = Duration::from_hours(24);
/// A server that restarts, or an account that logs in again, is no trouble.
const PATIENCE: Duration = Duration::from_mins(1);

impl Board {
    /// Takes what was seen and says what has to be said.
    pub(super) fn look(&mut self, seen: Vec<(String, Look)>, now: UnixMillis) -> Vec<Saying> {
        let mut sayings = Vec::new();
        for (name, look) in seen {
            let saying = match look {
                Look::Bad(concern) => self.bad(&name, concern, now),
                Look::Good => self.good(&name, now),
                Look::Unclear => None,
            };
            sayings.extend(saying);
        }
        sayings
    }

    /// The lines were handed over.
    pub(super) fn said(&mut self, saying: &Saying) {
        match &saying.after {
            Some(known) => {
                self.0.insert(saying.name.clone(), known.clone());
            }
            None => {
                self.0.remove(&saying.name);
            }
        }
    }

    fn bad(&mut self, name: &str, concern: Concern, now: UnixMillis) -> Option<Saying> {
        let known = self.0.entry(name.to_owned()).or_insert_with(|| Known {
            concern: concern.clone(),
            since: now,
            said: None,
        });
        known.concern = concern;
        let is_due = match known.said {
            Some(said) => now >= said.after(AGAIN),
            None => now >= known.since.after(patience(&known.concern)),
        };
        is_due.then(|| Saying {
            name: name.to_owned(),
            lines: vec![line(&known.concern)],
            after: Some(Known {
                said: Some(now),
                ..known.clone()
            }),
        })
    }

    fn good(&mut self, name: &str, now: UnixMillis) -> Option<Saying> {
        let known = self.0.get(name)?;
        let Concern::Trouble(trouble) = &known.concern else {
            // It is kept until it may be said again.
            if known.said.is_none_or(|said| now >= said.after(AGAIN)) {
                self.0.remove(name);
            }
            return None;
        };
        let mut lines = Vec::new();
        if known.said.is_none() {
            // Without a link nobody could be told.
            let lasted = now >= known.since.after(patience(&known.concern));
            if !lasted || !matches!(trouble, Trouble::LinkRefused { .. }) {
                self.0.remove(name);
                return None;
            }
            lines.push(line(&known.concern));
        }
        lines.push(Admin::AllClear(trouble.clone()));
        Some(Saying {
            name: name.to_owned(),
            lines,
            after: None,
        })
    }
}

fn line(concern: &Concern) -> Admin {
    match concern {
        Concern::Trouble(trouble) => Admin::Trouble(trouble.clone()),
        Concern::Unreachable { user, messages } => Admin::UserUnreachable {
            user: user.clone(),
            messages: *messages,
        },
    }
}

fn patience(concern: &Concern) -> Duration {
    match concern {
        Concern::Trouble(Trouble::LinkRefused { .. } | Trouble::Account { .. }) => PATIENCE,
        _ => Duration::ZERO,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(minutes: i64) -> UnixMillis {
        UnixMillis(1_800_000_000_000 + minutes * 60_000)
    }

    fn disk(bytes_free: u64) -> Look {
        Look::Bad(Concern::Trouble(Trouble::Disk { bytes_free }))
    }

    fn refused() -> Look {
        Look::Bad(Concern::Trouble(Trouble::LinkRefused {
            gateway: "sms.example.org".into(),
            problem: "no".into(),
            remedy: "yes".into(),
        }))
    }

    /// Looks, and hands over what is said.
    fn say(board: &mut Board, look: Look, minute: i64) -> Vec<Admin> {
        let sayings = board.look(vec![("x".into(), look)], at(minute));
        for saying in &sayings {
            board.said(saying);
        }
        sayings
            .into_iter()
            .flat_map(|saying| saying.lines)
            .collect()
    }

    #[test]
    fn trouble_is_said_once_repeated_daily_and_its_end_is_said() {
        let mut board = Board::default();
        let trouble = |bytes_free| vec![Admin::Trouble(Trouble::Disk { bytes_free })];
        assert_eq!(say(&mut board, disk(5), 0), trouble(5));
        assert_eq!(say(&mut board, disk(4), 1), []);
        assert_eq!(say(&mut board, Look::Unclear, 2), []);
        assert_eq!(say(&mut board, disk(3), 24 * 60 - 1), []);
        assert_eq!(
            say(&mut board, disk(2), 24 * 60),
            trouble(2),
            "as it is now"
        );
        let over = vec![Admin::AllClear(Trouble::Disk { bytes_free: 2 })];
        assert_eq!(say(&mut board, Look::Good, 24 * 60 + 1), over);
        assert_eq!(say(&mut board, Look::Good, 24 * 60 + 2), []);
        assert!(board.0.is_empty());
    }

    #[test]
    fn what_could_not_be_handed_over_is_said_again() {
        let mut board = Board::default();
        let look = || vec![("x".to_owned(), disk(5))];
        let first = board.look(look(), at(0));
        assert_eq!(board.look(look(), at(1)).len(), 1, "nobody has it");
        board.said(&first[0]);
        assert_eq!(board.look(look(), at(1)), []);
    }

    #[test]
    fn a_link_that_comes_back_within_a_minute_is_no_trouble() {
        let mut board = Board::default();
        assert_eq!(say(&mut board, refused(), 0), []);
        assert_eq!(say(&mut board, Look::Good, 0), []);
        assert!(board.0.is_empty());
        assert_eq!(say(&mut board, refused(), 10), []);
        assert_eq!(say(&mut board, Look::Unclear, 10), [], "it tries again");
        assert_eq!(say(&mut board, refused(), 11).len(), 1);
    }

    #[test]
    fn a_link_by_which_nobody_could_be_told_is_told_of_when_it_is_back() {
        let mut board = Board::default();
        for minute in [0, 1, 2] {
            board.look(vec![("x".into(), refused())], at(minute));
        }
        let said = say(&mut board, Look::Good, 3);
        assert!(
            matches!(said[..], [Admin::Trouble(_), Admin::AllClear(_)]),
            "{said:?}"
        );
        assert!(board.0.is_empty());
    }

    #[test]
    fn a_user_who_cannot_be_reached_is_named_once_a_day_and_has_no_end() {
        let mut board = Board::default();
        let look = |messages| {
            Look::Bad(Concern::Unreachable {
                user: "a@b".into(),
                messages,
            })
        };
        assert_eq!(say(&mut board, look(1), 0).len(), 1);
        assert_eq!(say(&mut board, look(2), 60), []);
        assert_eq!(say(&mut board, Look::Good, 120), []);
        assert_eq!(say(&mut board, look(3), 180), [], "the same day");
        assert_eq!(say(&mut board, look(3), 24 * 60).len(), 1);
    }
}

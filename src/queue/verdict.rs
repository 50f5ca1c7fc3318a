//! The one table: from what came of an attempt to what follows.

use std::time::Duration;

use transom_adapter::{
    Attempt, Capabilities, Failure, Network, Outcome, Reason, Repeat, Reports, Scope, UnixMillis,
};

use super::{OutWork, lanes::Next};
use crate::store::write::{State, TellKind};

/// What the table has to know besides the outcome.
pub(super) struct Circumstances<'a> {
    pub(super) network: Network,
    pub(super) capabilities: Capabilities,
    pub(super) work: &'a OutWork,
    pub(super) attempt: Attempt,
    /// Failures of the lane in a row before this attempt.
    pub(super) failures: u32,
    pub(super) give_up: Duration,
    /// When it could go out for the first time: it was accepted, and its recipient's quiet hours were over.
    pub(super) since: UnixMillis,
    pub(super) report_after: Duration,
    /// A receipt stands for acceptance already.
    pub(super) receipt_on_acceptance: bool,
    pub(super) now: UnixMillis,
}

/// What follows.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) struct Verdict {
    pub(super) state: State,
    pub(super) units_done: u16,
    pub(super) failure: Option<Failure>,
    pub(super) tell: Option<TellKind>,
    /// When to look at it again, if no report comes.
    pub(super) due_ms: Option<i64>,
    pub(super) next: Next,
    /// The route to try next.
    pub(super) route: usize,
    /// The delivery goes on in a lane of its own, so as not to hold the next.
    pub(super) leaves_lane: bool,
    /// What else may not go by this account, and until when.
    pub(super) pause: Option<Pause>,
}

/// A pause of an account, or of one line at it.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Pause {
    /// Nothing goes through the account.
    Account(UnixMillis),
    /// Nothing of the message's line does.
    Line(UnixMillis),
}

/// After so long without a look-up or a report the sender is told that nobody knows.
const DOUBT: Duration = Duration::from_mins(15);
/// A mail that has not gone out for so long is said to be late, as mail servers do: most go out within minutes.
const LATE: Duration = Duration::from_hours(4);
/// An account that is at fault is tried again after this: an admin needs a while, and others wait behind it.
const MISCONFIGURED: Duration = Duration::from_mins(1);
/// A throttle that does not say for how long.
const THROTTLED: Duration = Duration::from_secs(5);
/// A throttle that says longer is believed up to here.
const THROTTLED_MAX: Duration = Duration::from_hours(1);
/// No pause after an attempt is longer: an hour, and the quarter of jitter.
pub(super) const PAUSE_MAX: Duration = Duration::from_mins(75);

/// Reads the table.
pub(super) fn judge(outcome: Outcome, of: &Circumstances<'_>) -> Verdict {
    match outcome {
        Outcome::Accepted { .. } => accepted(of),
        Outcome::PartlyAccepted { rest, .. } | Outcome::Rejected(rest) => {
            given_up(of, State::Failed, rest)
        }
        Outcome::Throttled {
            after,
            scope,
            failure,
        } => {
            let wait = after.unwrap_or(THROTTLED).min(THROTTLED_MAX);
            let until = of.now.after(wait);
            let pause = match scope {
                Scope::Account => Some(Pause::Account(until)),
                Scope::Line => Some(Pause::Line(until)),
                Scope::Request => None,
            };
            again(of, failure, Some(wait), pause)
        }
        Outcome::Transient(failure) => {
            next_route(of, &failure).unwrap_or_else(|| again(of, failure, None, None))
        }
        Outcome::Misconfigured(failure) => next_route(of, &failure).unwrap_or_else(|| {
            let pause = Pause::Account(of.now.after(MISCONFIGURED));
            again(of, failure, Some(MISCONFIGURED), Some(pause))
        }),
        Outcome::Unknown(failure) => unknown(of, failure),
    }
}

fn accepted(of: &Circumstances<'_>) -> Verdict {
    let units_done = of.attempt.unit + 1;
    if units_done < of.work.units() {
        return Verdict {
            state: State::Queued,
            ..ended(of, State::Queued, None, None)
        };
    }
    let reports = matches!(of.capabilities.reports, Reports::Delivery);
    let due_ms = reports.then(|| of.now.after(of.report_after).0);
    let tell = of.receipt_on_acceptance.then_some(TellKind::Receipt);
    Verdict {
        due_ms,
        ..ended(of, State::Accepted, None, tell)
    }
}

/// It goes no further. That it did not arrive is said only where that is certain: of an earlier attempt nobody may know, unless the
/// account recognises a repeat, and so refuses both.
fn given_up(of: &Circumstances<'_>, state: State, failure: Failure) -> Verdict {
    let refuses_both = state == State::Failed && of.capabilities.repeat.is_recognised();
    if of.work.unknowns > 0 && !refuses_both {
        return in_doubt(of, failure);
    }
    Verdict {
        units_done: of.attempt.unit,
        ..ended(of, state, Some(failure), Some(TellKind::Error))
    }
}

fn unknown(of: &Circumstances<'_>, failure: Failure) -> Verdict {
    let is_first = of.work.unknowns == 0;
    let is_recognised = of.capabilities.repeat != Repeat::Unsafe;
    if is_first && is_recognised && !expired(of, MISCONFIGURED) {
        // One repeat that the other side recognises, then told.
        return Verdict {
            route: of.work.route,
            ..again(of, failure, Some(MISCONFIGURED), None)
        };
    }
    in_doubt(of, failure)
}

fn in_doubt(of: &Circumstances<'_>, failure: Failure) -> Verdict {
    let (tell, due_ms) = doubt(of.network, of.now);
    Verdict {
        due_ms,
        units_done: of.attempt.unit,
        ..ended(of, State::Unknown, Some(failure), tell)
    }
}

/// Semantics 4: of a mail its sender is told at once that nobody knows, of a text when neither a look-up nor a report has come.
pub(super) fn doubt(network: Network, now: UnixMillis) -> (Option<TellKind>, Option<i64>) {
    match network {
        Network::Email => (Some(TellKind::Doubt), None),
        Network::Sms => (None, Some(now.after(DOUBT).0)),
    }
}

/// The next route at once, after a certain failure; `None` when all were tried, or when it is bound to this account.
fn next_route(of: &Circumstances<'_>, failure: &Failure) -> Option<Verdict> {
    let route = of.work.route + 1;
    if is_bound(of) || route >= of.work.routes.len() || expired(of, Duration::ZERO) {
        return None;
    }
    let verdict = ended(of, State::Queued, Some(failure.clone()), None);
    Some(Verdict {
        units_done: of.attempt.unit,
        route,
        ..verdict
    })
}

/// Nobody but the account that it is with may go on with it: that one has taken a part, and a phone does not join parts from two
/// senders; or it may have taken it, and alone recognises a repeat (semantics 4).
fn is_bound(of: &Circumstances<'_>) -> bool {
    of.attempt.unit > 0 || of.work.unknowns > 0
}

/// Later, unless it has waited long enough.
fn again(
    of: &Circumstances<'_>,
    failure: Failure,
    wait: Option<Duration>,
    pause: Option<Pause>,
) -> Verdict {
    let wait = wait.unwrap_or_else(|| backoff(of.network, of.failures, of.work.delivery_id));
    if expired(of, wait) {
        let reason = if failure.reason == Reason::NetworkDown {
            Reason::Expired
        } else {
            failure.reason
        };
        let verdict = given_up(of, State::Expired, Failure { reason, ..failure });
        return Verdict { pause, ..verdict };
    }
    let leaves_lane = of.network == Network::Email;
    // Told once, which the store sees to.
    let late = of.since.after(LATE.min(of.report_after));
    let is_late = leaves_lane && of.now.after(wait) > late;
    let next = if leaves_lane {
        Next::GoOn
    } else {
        Next::At {
            due_ms: of.now.after(wait).0,
            failures: of.failures + 1,
        }
    };
    Verdict {
        state: State::Queued,
        units_done: of.attempt.unit,
        failure: Some(failure),
        tell: is_late.then_some(TellKind::Delay),
        due_ms: leaves_lane.then(|| of.now.after(wait).0),
        next,
        route: if is_bound(of) { of.work.route } else { 0 },
        leaves_lane,
        pause,
    }
}

fn ended(
    of: &Circumstances<'_>,
    state: State,
    failure: Option<Failure>,
    tell: Option<TellKind>,
) -> Verdict {
    Verdict {
        state,
        units_done: of.attempt.unit + 1,
        failure,
        tell,
        due_ms: None,
        next: Next::GoOn,
        route: of.work.route,
        leaves_lane: false,
        pause: None,
    }
}

fn expired(of: &Circumstances<'_>, wait: Duration) -> bool {
    of.now.after(wait) > of.since.after(of.give_up)
}

/// Text: 5 s doubling to 15 min. Mail: 1, 5, 15, 30, 60 min, then hourly. A quarter of it is jitter, from the key.
pub(super) fn backoff(network: Network, failures: u32, key: i64) -> Duration {
    let base = match network {
        Network::Sms => Duration::from_secs(5)
            .saturating_mul(1 << failures.min(8))
            .min(Duration::from_mins(15)),
        Network::Email => {
            let minutes = [1, 5, 15, 30, 60];
            Duration::from_mins(*minutes.get(failures as usize).unwrap_or(&60))
        }
    };
    let spread = (base / 4).as_millis().max(1);
    let mixed = u128::from(
        key.unsigned_abs()
            .wrapping_mul(0x9e37_79b9_7f4a_7c15)
            .rotate_left(failures),
    );
    base + Duration::from_millis(u64::try_from(mixed % spread).unwrap_or(0))
}

#[cfg(test)]
mod tests {
    use std::num::NonZeroU16;

    use transom_adapter::{
        AccountName, Holder, Route,
        testkit::{FIRST, outgoing},
    };

    use super::*;

    /// A message that one account takes whole and the other in three parts.
    fn work(route: usize) -> OutWork {
        let named = |name, units| Route {
            account: AccountName::new("sms", name),
            units: NonZeroU16::new(units).unwrap(),
        };
        OutWork {
            message_id: 1,
            is_one_of_several: false,
            delivery_id: 7,
            attempts: 0,
            unit: 0,
            routes: vec![named("whole", 1), named("parts", 3)],
            route,
            needs_files: false,
            unknowns: 0,
            started_ms: None,
            outgoing: outgoing("+12025550100", "+12025550147", "hello"),
        }
    }

    fn verdict(outcome: Outcome, route: usize, unit: u16) -> Verdict {
        of_work(outcome, &work(route), unit, Repeat::Unsafe)
    }

    fn of_work(outcome: Outcome, work: &OutWork, unit: u16, repeat: Repeat) -> Verdict {
        let circumstances = Circumstances {
            network: Network::Sms,
            capabilities: Capabilities {
                repeat,
                reports: Reports::Delivery,
                concurrency: 1,
                send_seconds_max: 10,
                files: None,
                holder: Holder::Anyone,
            },
            work,
            attempt: Attempt { unit, ..FIRST },
            failures: 0,
            give_up: Duration::from_hours(4),
            since: work.outgoing.created_at,
            report_after: Duration::from_hours(24),
            receipt_on_acceptance: false,
            now: outgoing("", "", "").created_at,
        };
        judge(outcome, &circumstances)
    }

    fn down() -> Failure {
        Failure::new(Reason::NetworkDown)
    }

    #[test]
    fn each_account_is_done_after_its_own_number_of_sends() {
        let accepted = || Outcome::Accepted { ids: Vec::new() };
        assert_eq!(verdict(accepted(), 0, 0).state, State::Accepted);
        assert_eq!(verdict(accepted(), 1, 0).state, State::Queued);
        assert_eq!(verdict(accepted(), 1, 2).state, State::Accepted);
    }

    #[test]
    fn the_next_account_is_taken_only_while_nothing_was_taken() {
        let next = verdict(Outcome::Transient(down()), 0, 0);
        assert_eq!((next.route, next.next), (1, Next::GoOn));
        let stays = verdict(Outcome::Transient(down()), 1, 1);
        assert_eq!((stays.route, stays.units_done), (1, 1));
        assert!(matches!(stays.next, Next::At { .. }), "{stays:?}");
        let anew = verdict(Outcome::Transient(down()), 1, 0);
        assert_eq!(anew.route, 0, "all were tried: the best first again");
    }

    #[test]
    fn what_an_account_may_have_taken_goes_to_no_other_and_is_not_said_to_have_failed() {
        let of = |outcome, unknowns, repeat| {
            let work = OutWork {
                unknowns,
                ..work(0)
            };
            of_work(outcome, &work, 0, repeat)
        };
        let later = of(Outcome::Transient(down()), 1, Repeat::Safe);
        assert_eq!((later.state, later.route), (State::Queued, 0));
        assert!(matches!(later.next, Next::At { .. }), "{later:?}");
        let refused = || Outcome::Rejected(Failure::new(Reason::NoSuchRecipient));
        let unsafely = of(refused(), 1, Repeat::Unsafe);
        assert_eq!((unsafely.state, unsafely.tell), (State::Unknown, None));
        assert!(unsafely.due_ms.is_some(), "its sender is told in a while");
        let safely = of(refused(), 1, Repeat::Safe);
        assert_eq!(safely.state, State::Failed, "the refusal is of both");
        assert_eq!(of(refused(), 0, Repeat::Unsafe).state, State::Failed);
    }

    #[test]
    fn what_waited_too_long_after_an_unknown_attempt_stays_in_doubt() {
        let ended = |outcome, unknowns| {
            let of = work(1);
            let long_ago = UnixMillis(of.outgoing.created_at.0 - 4 * 3_600_000);
            let outgoing = transom_adapter::Outgoing {
                created_at: long_ago,
                ..of.outgoing
            };
            let work = OutWork {
                unknowns,
                outgoing,
                ..of
            };
            of_work(outcome, &work, 0, Repeat::Safe)
        };
        let unknown = ended(Outcome::Unknown(down()), 0);
        assert_eq!((unknown.state, unknown.tell), (State::Unknown, None));
        assert_eq!(ended(Outcome::Transient(down()), 1).state, State::Unknown);
        let certain = ended(Outcome::Transient(down()), 0);
        let told = (certain.state, certain.tell);
        assert_eq!(told, (State::Expired, Some(TellKind::Error)));
    }

    #[test]
    fn a_repeat_goes_by_the_account_that_may_have_it() {
        let again = of_work(Outcome::Unknown(down()), &work(1), 0, Repeat::Safe);
        assert_eq!((again.state, again.route), (State::Queued, 1));
    }

    #[test]
    fn a_mail_that_is_tried_again_beyond_four_hours_is_late_and_a_text_never() {
        let tell = |network, hours: u64, report_after| {
            let work = work(1);
            let since = work.outgoing.created_at;
            let of = Circumstances {
                network,
                capabilities: Capabilities {
                    repeat: Repeat::Safe,
                    reports: Reports::Failures,
                    concurrency: 1,
                    send_seconds_max: 10,
                    files: None,
                    holder: Holder::Anyone,
                },
                attempt: FIRST,
                failures: 4,
                give_up: Duration::from_hours(48),
                since,
                report_after,
                receipt_on_acceptance: false,
                now: since.after(Duration::from_hours(hours)),
                work: &work,
            };
            judge(Outcome::Transient(down()), &of).tell
        };
        let day = Duration::from_hours(24);
        assert_eq!(tell(Network::Email, 1, day), None);
        assert_eq!(tell(Network::Email, 4, day), Some(TellKind::Delay));
        assert_eq!(
            tell(Network::Email, 1, Duration::from_mins(5)),
            Some(TellKind::Delay)
        );
        assert_eq!(tell(Network::Sms, 30, day), None);
    }

    #[test]
    fn no_pause_is_longer_than_the_longest() {
        for (failures, key) in
            (0..100).flat_map(|failures| [1, -7, 385_396].map(|key| (failures, key)))
        {
            for network in [Network::Sms, Network::Email] {
                let pause = backoff(network, failures, key);
                assert!(pause <= PAUSE_MAX, "{pause:?}");
            }
        }
        assert!(THROTTLED_MAX.max(MISCONFIGURED) <= PAUSE_MAX);
    }

    #[test]
    fn a_throttle_holds_what_it_says() {
        let pause = |scope| {
            let after = Some(Duration::from_secs(30));
            let failure = Failure::new(Reason::RateLimited);
            verdict(
                Outcome::Throttled {
                    after,
                    scope,
                    failure,
                },
                0,
                0,
            )
            .pause
        };
        let until = work(0).outgoing.created_at.after(Duration::from_secs(30));
        assert_eq!(pause(Scope::Request), None);
        assert_eq!(pause(Scope::Line), Some(Pause::Line(until)));
        assert_eq!(pause(Scope::Account), Some(Pause::Account(until)));
    }
}

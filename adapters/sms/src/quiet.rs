//! Hours at which no text is sent, in the recipient's time.

use jiff::{SignedDuration, civil::Time, tz::TimeZone};
use transom_adapter::{ConfigFault, Section, UnixMillis};

use crate::{Country, Number, zones};

/// The window of every day, and whose clock counts where the recipient's is not known.
#[derive(Clone, Debug)]
pub(crate) struct QuietHours {
    from: Time,
    to: Time,
    zone: TimeZone,
}

impl QuietHours {
    /// Reads `quiet_hours` and `time_zone`; `None` when there are no quiet hours. Faults go to `faults`.
    pub(crate) fn read(
        section: &Section,
        hours: Option<&str>,
        zone: Option<&str>,
        faults: &mut Vec<ConfigFault>,
    ) -> Option<Self> {
        let zone = match zone.map(TimeZone::get) {
            None => TimeZone::try_system().unwrap_or(TimeZone::UTC),
            Some(Ok(zone)) => zone,
            Some(Err(_)) => {
                faults.push(section.fault(
                    "time_zone",
                    "is not a time zone of this machine",
                    "write it like Europe/Berlin; the package tzdata has to be installed",
                ));
                return None;
            }
        };
        let window = hours?
            .split_once('-')
            .and_then(|(from, to)| Some((clock(from)?, clock(to)?)));
        let window = window.filter(|(from, to)| from != to);
        if window.is_none() {
            faults.push(section.fault(
                "quiet_hours",
                "is not two times of the day",
                "write it like 21:00-08:00",
            ));
        }
        let (from, to) = window?;
        Some(Self { from, to, zone })
    }

    /// When they end for this recipient, if they are on.
    pub(crate) fn until(&self, to: &str, home: Country, now: UnixMillis) -> Option<UnixMillis> {
        let zone = match Number::parse(to, home) {
            Some(Number::E164(number)) => {
                zones::country_of(&number).and_then(|country| zones::of(&number, country))
            }
            _ => None,
        };
        let there = now
            .timestamp()
            .to_zoned(zone.unwrap_or_else(|| self.zone.clone()));
        let time = there.time();
        let quiet = if self.from < self.to {
            (self.from..self.to).contains(&time)
        } else {
            time >= self.from || time < self.to
        };
        if !quiet {
            return None;
        }
        let days = i64::from(time >= self.to);
        let date = there
            .date()
            .checked_add(SignedDuration::from_hours(24 * days))
            .ok()?;
        let end = date
            .to_datetime(self.to)
            .to_zoned(there.time_zone().clone())
            .ok()?;
        Some(UnixMillis(end.timestamp().as_millisecond()))
    }
}

/// `21:00`, in whole minutes; `24:00` is midnight.
fn clock(text: &str) -> Option<Time> {
    let (hour, minute) = text.trim().split_once(':')?;
    let digits = |text: &str| text.len() == 2 && text.bytes().all(|byte| byte.is_ascii_digit());
    if !digits(hour) || !digits(minute) {
        return None;
    }
    let (hour, minute) = (hour.parse().ok()?, minute.parse().ok()?);
    if (hour, minute) == (24, 0) {
        return Some(Time::midnight());
    }
    Time::new(hour, minute, 0, 0).ok()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn section() -> Section {
        Section {
            key: "gateway.sms".into(),
            table: serde_json::Map::new(),
            base_dir: ".".into(),
        }
    }

    fn hours(text: &str) -> Option<QuietHours> {
        let mut faults = Vec::new();
        let hours = QuietHours::read(&section(), Some(text), Some("Europe/Berlin"), &mut faults);
        assert_eq!(hours.is_none(), !faults.is_empty());
        hours
    }

    fn at(text: &str) -> UnixMillis {
        let timestamp: jiff::Timestamp = text.parse().unwrap();
        UnixMillis(timestamp.as_millisecond())
    }

    #[test]
    fn the_recipients_own_night_counts() {
        let hours = hours("21:00-08:00").unwrap();
        for (to, now, until) in [
            // 20:59 and 21:00 in Berlin, in winter.
            ("+491711234567", "2026-12-01T19:59:59Z", None),
            (
                "+491711234567",
                "2026-12-01T20:00:00Z",
                Some("2026-12-02T07:00:00Z"),
            ),
            (
                "+491711234567",
                "2026-12-02T06:59:59Z",
                Some("2026-12-02T07:00:00Z"),
            ),
            ("+491711234567", "2026-12-02T07:00:00Z", None),
            // In summer.
            (
                "+491711234567",
                "2026-07-01T19:00:00Z",
                Some("2026-07-02T06:00:00Z"),
            ),
            // The night in which the clocks are turned back is longer.
            (
                "+491711234567",
                "2026-10-24T20:00:00Z",
                Some("2026-10-25T07:00:00Z"),
            ),
            // It is noon in New York.
            ("+12025550147", "2026-12-01T17:00:00Z", None),
            (
                "+12025550147",
                "2026-12-01T02:30:00Z",
                Some("2026-12-01T13:00:00Z"),
            ),
            // Where their time is not known, ours counts.
            (
                "+18005550199",
                "2026-12-01T20:30:00Z",
                Some("2026-12-02T07:00:00Z"),
            ),
            (
                "12345;phone-context=us",
                "2026-12-01T20:30:00Z",
                Some("2026-12-02T07:00:00Z"),
            ),
        ] {
            let home = "US".parse().unwrap();
            assert_eq!(
                hours.until(to, home, at(now)),
                until.map(at),
                "{to} at {now}"
            );
        }
    }

    #[test]
    fn they_can_lie_within_one_day() {
        let hours = hours("12:00-13:30").unwrap();
        let until = |now| hours.until("+491711234567", "US".parse().unwrap(), at(now));
        assert_eq!(until("2026-12-01T10:59:00Z"), None);
        assert_eq!(
            until("2026-12-01T11:00:00Z"),
            Some(at("2026-12-01T12:30:00Z"))
        );
        assert_eq!(until("2026-12-01T12:30:00Z"), None);
        assert_eq!(until("2026-12-01T22:00:00Z"), None);
    }

    #[test]
    fn what_is_no_window_is_a_fault() {
        for text in [
            "",
            "21:00",
            "9-8",
            "25:00-08:00",
            "21:00-21:00",
            "21:60-08:00",
            "2100-0800",
        ] {
            assert!(hours(text).is_none(), "{text}");
        }
        assert!(hours("22:00 - 24:00").is_some());
        let mut faults = Vec::new();
        QuietHours::read(&section(), None, Some("Mars/Base"), &mut faults);
        assert_eq!(faults.len(), 1);
        assert!(QuietHours::read(&section(), None, None, &mut faults).is_none());
    }

    proptest! {
        #[test]
        fn the_end_is_within_a_day_and_is_not_quiet(minutes in 0_i64..2_000_000, from in 0_u16..1440, length in 1_u16..1439) {
            let time = |minute: u16| format!("{:02}:{:02}", minute % 1440 / 60, minute % 60);
            let hours = hours(&format!("{}-{}", time(from), time(from + length))).unwrap();
            let now = UnixMillis(1_790_000_000_000 + minutes * 60_000);
            let home = "US".parse().unwrap();
            if let Some(until) = hours.until("+491711234567", home, now) {
                prop_assert!(until > now && until.since(now).as_secs() <= 25 * 3600);
                let after = hours.until("+491711234567", home, until);
                // Unless the clocks are turned just then.
                prop_assert!(after.is_none_or(|again| again.since(until).as_secs() <= 3600));
            }
        }
    }
}

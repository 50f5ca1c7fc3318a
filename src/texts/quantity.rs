//! Times and sizes as every language writes them; durations need words and are in each language's file.

use std::time::Duration;

use jiff::Timestamp;

/// `2026-11-24`, in UTC.
pub(super) fn date(at: &Timestamp) -> String {
    at.strftime("%Y-%m-%d").to_string()
}

/// `2026-11-24 00:00 UTC`: limits count in UTC days, and where the reader is, nobody knows.
pub(super) fn time(at: &Timestamp) -> String {
    at.strftime("%Y-%m-%d %H:%M UTC").to_string()
}

/// Single characters that are talked about: `“ ” 👋`. Controls, which nobody would see, are left out.
pub(super) fn in_a_row(characters: &[char]) -> String {
    let seen = characters.iter().filter(|c| !c.is_control());
    seen.map(char::to_string).collect::<Vec<_>>().join(" ")
}

/// A length of time in the largest unit of which there are at least two: (90, minutes).
pub(super) fn length(duration: Duration) -> (u64, Unit) {
    let seconds = duration.as_secs();
    match seconds {
        0..120 => (seconds, Unit::Seconds),
        120..7200 => (seconds / 60, Unit::Minutes),
        7200..172_800 => (seconds / 3600, Unit::Hours),
        _ => (seconds / 86_400, Unit::Days),
    }
}

/// The unit of a [`length`].
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Unit {
    Seconds,
    Minutes,
    Hours,
    Days,
}

/// `3.2 MB`, with the language's decimal mark.
pub(super) fn size(bytes: u64, decimal_mark: char) -> String {
    let (unit, name) = match bytes {
        0..1000 => return format!("{bytes} B"),
        1000..1_000_000 => (1000, "kB"),
        1_000_000..1_000_000_000 => (1_000_000, "MB"),
        _ => (1_000_000_000, "GB"),
    };
    let (whole, tenth) = (bytes / unit, bytes % unit * 10 / unit);
    if whole >= 10 || tenth == 0 {
        format!("{whole} {name}")
    } else {
        format!("{whole}{decimal_mark}{tenth} {name}")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_are_short() {
        for (bytes, want) in [
            (0, "0 B"),
            (999, "999 B"),
            (1000, "1 kB"),
            (3_250_000, "3.2 MB"),
            (20_971_520, "20 MB"),
            (5_368_709_120, "5.3 GB"),
        ] {
            assert_eq!(size(bytes, '.'), want);
        }
    }

    #[test]
    fn lengths_use_the_unit_that_says_most() {
        for (seconds, want) in [
            (0, (0, Unit::Seconds)),
            (90, (90, Unit::Seconds)),
            (900, (15, Unit::Minutes)),
            (14_400, (4, Unit::Hours)),
            (86_400, (24, Unit::Hours)),
            (172_800, (2, Unit::Days)),
        ] {
            assert_eq!(length(Duration::from_secs(seconds)), want);
        }
    }

    #[test]
    fn times_say_their_zone() {
        let midnight: Timestamp = "2026-11-24T00:00:00Z".parse().unwrap();
        assert_eq!(time(&midnight), "2026-11-24 00:00 UTC");
        assert_eq!(date(&midnight), "2026-11-24");
    }
}

//! Durations and sizes as people write them: `90s`, `1h30m`, `14d`, `10MiB`.

use std::{fmt, str::FromStr, time::Duration};

use schemars::JsonSchema;
use serde::{Deserialize, Deserializer, de};

/// A duration: whole numbers, each with its unit `ms`, `s`, `m`, `h`, `d` or `w`, for example `90s` or `1h30m`.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug, JsonSchema)]
pub struct HumaneDuration(
    #[schemars(with = "String", regex(pattern = r"^ *([0-9]+ *(ms|s|m|h|d|w) *)+$"))] pub Duration,
);

/// A size in bytes: a whole number with its unit `B`, `kB`, `MB`, `GB`, `KiB`, `MiB` or `GiB`, for example `10MiB`.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug, JsonSchema)]
pub struct HumaneSize(
    #[schemars(
        with = "String",
        regex(pattern = r"^ *[0-9]+ *(B|kB|MB|GB|KiB|MiB|GiB) *$")
    )]
    pub u64,
);

/// The text is no duration or no size; says what one looks like.
#[derive(Clone, Copy, PartialEq, Eq, Debug, thiserror::Error)]
pub enum NotHumane {
    /// Not a duration.
    #[error(
        "not a duration; write a number with its unit, for example \"90s\", \"5m\", \"4h\" or \"14d\""
    )]
    Duration,
    /// Not a size.
    #[error("not a size; write a number with its unit, for example \"512KiB\" or \"20MiB\"")]
    Size,
    /// More than 64 bits hold.
    #[error("too large")]
    TooLarge,
}

impl FromStr for HumaneDuration {
    type Err = NotHumane;

    fn from_str(text: &str) -> Result<Self, NotHumane> {
        let mut rest = text.trim();
        let mut sum = 0_u64;
        if rest.is_empty() {
            return Err(NotHumane::Duration);
        }
        while !rest.is_empty() {
            let (number, tail) = leading_number(rest).ok_or(NotHumane::Duration)??;
            let end = tail
                .find(|letter: char| letter.is_ascii_digit())
                .unwrap_or(tail.len());
            let (unit, tail) = tail.split_at(end);
            let milliseconds = duration_unit(unit.trim()).ok_or(NotHumane::Duration)?;
            sum = number
                .checked_mul(milliseconds)
                .and_then(|part| sum.checked_add(part))
                .ok_or(NotHumane::TooLarge)?;
            rest = tail.trim_start();
        }
        // The database keeps milliseconds in 63 bits.
        if i64::try_from(sum).is_err() {
            return Err(NotHumane::TooLarge);
        }
        Ok(Self(Duration::from_millis(sum)))
    }
}

impl fmt::Display for HumaneDuration {
    /// In the largest unit that divides it: `4h`, `90s`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let milliseconds = self.0.as_millis();
        let (length, unit) = [
            (86_400_000, "d"),
            (3_600_000, "h"),
            (60_000, "m"),
            (1000, "s"),
        ]
        .into_iter()
        .find(|(length, _)| milliseconds.is_multiple_of(*length))
        .unwrap_or((1, "ms"));
        if milliseconds == 0 {
            f.write_str("0s")
        } else {
            write!(f, "{}{unit}", milliseconds / length)
        }
    }
}

impl FromStr for HumaneSize {
    type Err = NotHumane;

    fn from_str(text: &str) -> Result<Self, NotHumane> {
        let (number, unit) = leading_number(text.trim()).ok_or(NotHumane::Size)??;
        let bytes = size_unit(unit.trim()).ok_or(NotHumane::Size)?;
        number
            .checked_mul(bytes)
            .filter(|size| i64::try_from(*size).is_ok())
            .map(Self)
            .ok_or(NotHumane::TooLarge)
    }
}

/// The number at the beginning and what follows it; `None` where there is no number.
fn leading_number(text: &str) -> Option<Result<(u64, &str), NotHumane>> {
    let end = text
        .find(|letter: char| !letter.is_ascii_digit())
        .unwrap_or(text.len());
    let (digits, rest) = text.split_at(end);
    if digits.is_empty() {
        return None;
    }
    let number = digits.parse().map_err(|_| NotHumane::TooLarge);
    Some(number.map(|number| (number, rest)))
}

fn duration_unit(unit: &str) -> Option<u64> {
    const SECOND: u64 = 1000;
    Some(match unit {
        "ms" => 1,
        "s" => SECOND,
        "m" => 60 * SECOND,
        "h" => 3600 * SECOND,
        "d" => 86_400 * SECOND,
        "w" => 7 * 86_400 * SECOND,
        _ => return None,
    })
}

fn size_unit(unit: &str) -> Option<u64> {
    Some(match unit {
        "B" => 1,
        "kB" => 1000,
        "MB" => 1000 * 1000,
        "GB" => 1000 * 1000 * 1000,
        "KiB" => 1 << 10,
        "MiB" => 1 << 20,
        "GiB" => 1 << 30,
        _ => return None,
    })
}

impl<'de> Deserialize<'de> for HumaneDuration {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(Written::<Self>::new(NotHumane::Duration))
    }
}

impl<'de> Deserialize<'de> for HumaneSize {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(Written::<Self>::new(NotHumane::Size))
    }
}

/// Reads a value from its text and answers a bare number with the advice to add the unit.
struct Written<T> {
    otherwise: NotHumane,
    value: std::marker::PhantomData<T>,
}

impl<T> Written<T> {
    fn new(otherwise: NotHumane) -> Self {
        Self {
            otherwise,
            value: std::marker::PhantomData,
        }
    }
}

impl<T: FromStr<Err = NotHumane>> de::Visitor<'_> for Written<T> {
    type Value = T;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a number with its unit in quotes")
    }

    fn visit_str<E: de::Error>(self, text: &str) -> Result<T, E> {
        text.parse()
            .map_err(|error| E::custom(format_args!("{text:?} is {error}")))
    }

    fn visit_i64<E: de::Error>(self, number: i64) -> Result<T, E> {
        Err(E::custom(format_args!("{number} is {}", self.otherwise)))
    }

    fn visit_u64<E: de::Error>(self, number: u64) -> Result<T, E> {
        Err(E::custom(format_args!("{number} is {}", self.otherwise)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations_are_read_as_written() {
        for (text, seconds) in [
            ("0s", 0),
            ("90s", 90),
            ("4h", 14_400),
            ("14d", 1_209_600),
            ("1h30m", 5400),
            ("1h 30m", 5400),
            ("2w", 1_209_600),
            (" 5 m ", 300),
        ] {
            let want = HumaneDuration(Duration::from_secs(seconds));
            assert_eq!(text.parse(), Ok(want), "{text}");
        }
        let short = HumaneDuration(Duration::from_millis(250));
        assert_eq!("250ms".parse(), Ok(short));
    }

    #[test]
    fn durations_are_written_in_their_largest_unit() {
        for text in ["0s", "250ms", "90s", "4h", "14d", "1501ms"] {
            let duration: HumaneDuration = text.parse().unwrap();
            assert_eq!(duration.to_string(), text);
        }
    }

    #[test]
    fn what_is_no_duration_is_refused() {
        for text in ["", "90", "s", "-1s", "1.5h", "1y", "1h30", "1h-30m", "١s"] {
            let got = text.parse::<HumaneDuration>();
            assert_eq!(got, Err(NotHumane::Duration), "{text}");
        }
        for text in [
            "99999999999999999999s",
            "18446744073709551615w",
            "300000000000w",
        ] {
            let got = text.parse::<HumaneDuration>();
            assert_eq!(got, Err(NotHumane::TooLarge), "{text}");
        }
    }

    #[test]
    fn sizes_are_read_as_written() {
        for (text, bytes) in [
            ("0B", 0),
            ("1kB", 1000),
            ("20MiB", 20 << 20),
            ("5 GiB", 5 << 30),
        ] {
            assert_eq!(text.parse(), Ok(HumaneSize(bytes)), "{text}");
        }
        for text in ["", "20", "20mib", "20M", "-1B", "1KiB1B"] {
            assert_eq!(text.parse::<HumaneSize>(), Err(NotHumane::Size), "{text}");
        }
        let huge = "99999999999GiB".parse::<HumaneSize>();
        assert_eq!(huge, Err(NotHumane::TooLarge));
    }
}

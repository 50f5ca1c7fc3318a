//! How a phone takes the texts that are sent to it.

use serde::{Deserialize, Serialize};

/// How a phone takes the texts that are sent to it; set on the page, by `POST /simulator/behaviour`, or by a
/// [special number](Behaviour::of_number).
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Default, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Behaviour {
    /// Takes every text; a delivery report follows.
    #[default]
    Normal,
    /// Accepted, and no report until the phone is switched on.
    Off,
    /// Refused: the number is not in use.
    Unassigned,
    /// Accepted, then reported as failed: the phone cannot be reached.
    Failing,
    /// Each text is throttled at its first attempt and taken at the next.
    Throttled,
    /// The outcome stays unknown: the text may have gone out.
    Unknown,
}

impl Behaviour {
    /// How a phone begins: a number that ends in `5550191` to `5550195` is special, every other one is normal.
    pub fn of_number(number: &str) -> Self {
        match number.rsplit_once("555019") {
            Some((_, "1")) => Self::Off,
            Some((_, "2")) => Self::Unassigned,
            Some((_, "3")) => Self::Failing,
            Some((_, "4")) => Self::Throttled,
            Some((_, "5")) => Self::Unknown,
            _ => Self::Normal,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_documented_numbers_are_special() {
        let special = ["1", "2", "3", "4", "5"]
            .map(|digit| Behaviour::of_number(&format!("+1202555019{digit}")));
        let expected = [
            Behaviour::Off,
            Behaviour::Unassigned,
            Behaviour::Failing,
            Behaviour::Throttled,
            Behaviour::Unknown,
        ];
        assert_eq!(special, expected);
        for number in ["", "+12025550147", "+12025550190", "+120255501910", "+4917"] {
            assert_eq!(Behaviour::of_number(number), Behaviour::Normal, "{number}");
        }
    }
}

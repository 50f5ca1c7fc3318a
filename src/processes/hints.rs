//! What processes tell each other: where something waits. A hint may be lost, and is never needed.

use serde::{Deserialize, Serialize};

/// Something that another process wants to know.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Hint {
    /// Work was committed: lane and gateway.
    Lanes(Vec<(i64, i64)>),
    /// Deliveries have something to tell.
    Tells(Vec<i64>),
    /// Somebody changed what waits.
    Look,
    /// Something changed among the processes.
    Beat,
    /// A gateway, and a stanza that whoever has its link should write: the answer to something that came over a link that another
    /// process has by now.
    Say(i64, String),
}

/// Hints as they travel.
#[derive(Default, Serialize, Deserialize)]
pub(super) struct Parcel {
    pub(super) from: i64,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    lanes: Vec<(i64, i64)>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    tells: Vec<i64>,
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    look: bool,
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    beat: bool,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    say: Option<(i64, String)>,
}

/// A notice of PostgreSQL holds 8000 bytes; a pair of keys takes 43.
const LANES_MAX: usize = 100;
const TELLS_MAX: usize = 100;
/// Of a whole notice; a stanza that does not fit is not told.
const BYTES_MAX: usize = 7_900;

impl Parcel {
    /// Packs what has gathered; what does not fit is dropped.
    pub(super) fn pack(from: i64, hints: impl IntoIterator<Item = Hint>) -> Vec<String> {
        let mut all = Self::default();
        let mut texts = Vec::new();
        for hint in hints {
            match hint {
                Hint::Lanes(lanes) => all.lanes.extend(lanes),
                Hint::Tells(tells) => all.tells.extend(tells),
                Hint::Look => all.look = true,
                Hint::Beat => all.beat = true,
                Hint::Say(gateway_id, stanza) => {
                    let parcel = Self {
                        from,
                        say: Some((gateway_id, stanza)),
                        ..Self::default()
                    };
                    texts.extend(serde_json::to_string(&parcel));
                }
            }
        }
        texts.retain(|text| text.len() <= BYTES_MAX);
        all.lanes.sort_unstable();
        all.lanes.dedup();
        let (mut lanes, mut tells) = (all.lanes.chunks(LANES_MAX), all.tells.chunks(TELLS_MAX));
        let (mut look, mut beat) = (all.look, all.beat);
        loop {
            let (some_lanes, some_tells) = (lanes.next(), tells.next());
            if some_lanes.is_none() && some_tells.is_none() && !look && !beat {
                return texts;
            }
            let parcel = Self {
                from,
                lanes: some_lanes.unwrap_or_default().to_vec(),
                tells: some_tells.unwrap_or_default().to_vec(),
                look: std::mem::take(&mut look),
                beat: std::mem::take(&mut beat),
                say: None,
            };
            texts.extend(serde_json::to_string(&parcel));
        }
    }

    /// What came; `None` when it is not ours.
    pub(super) fn read(text: &str) -> Option<Self> {
        serde_json::from_str(text).ok()
    }

    pub(super) fn hints(self) -> Vec<Hint> {
        let mut hints = Vec::new();
        if !self.lanes.is_empty() {
            hints.push(Hint::Lanes(self.lanes));
        }
        if !self.tells.is_empty() {
            hints.push(Hint::Tells(self.tells));
        }
        hints.extend(self.look.then_some(Hint::Look));
        hints.extend(self.beat.then_some(Hint::Beat));
        let say = self
            .say
            .map(|(gateway_id, stanza)| Hint::Say(gateway_id, stanza));
        hints.extend(say);
        hints
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn many_hints_fit_into_notices() {
        let lanes: Vec<_> = (0..250).map(|lane| (i64::MAX - lane, i64::MAX)).collect();
        let tells: Vec<_> = (0..250).map(|tell| i64::MAX - tell).collect();
        let texts = Parcel::pack(
            7,
            [
                Hint::Lanes(lanes.clone()),
                Hint::Tells(tells.clone()),
                Hint::Beat,
                Hint::Say(3, "<a b='\"'/>".into()),
                Hint::Say(3, "x".repeat(8_000)),
            ],
        );
        assert!(texts.iter().all(|text| text.len() < 8_000));
        let mut found = (Vec::new(), Vec::new(), 0);
        let mut said = Vec::new();
        for text in texts {
            let parcel = Parcel::read(&text).unwrap();
            assert_eq!(parcel.from, 7);
            for hint in parcel.hints() {
                match hint {
                    Hint::Lanes(some) => found.0.extend(some),
                    Hint::Tells(some) => found.1.extend(some),
                    Hint::Beat => found.2 += 1,
                    Hint::Look => panic!("nobody looked"),
                    Hint::Say(gateway_id, stanza) => said.push((gateway_id, stanza)),
                }
            }
        }
        assert_eq!((found.0.len(), found.1, found.2), (lanes.len(), tells, 1));
        assert_eq!(said, [(3, "<a b='\"'/>".to_owned())]);
    }

    #[test]
    fn what_is_not_ours_is_no_hint() {
        assert!(Parcel::read("hello").is_none());
        assert!(Parcel::read("{}").is_none());
    }
}

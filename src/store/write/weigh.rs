//! What the reports on the parts of a text say of the whole, in whatever order they come.

use std::collections::BTreeMap;

use super::State;

/// A text that is being sent, or was.
#[derive(Clone, Copy, Debug)]
pub(super) struct Sent {
    /// What it is.
    pub(super) state: State,
    /// Whether an attempt ended it: the network refused a part.
    pub(super) ended: bool,
    /// In how many parts it goes out.
    pub(super) units: usize,
}

/// What the whole is, by what is known of its parts: those that are out, each with the most that was ever said of it.
pub(super) fn weigh(text: Sent, parts: &BTreeMap<i64, State>) -> State {
    let current = text.state;
    // Reports on a text that the provider cut itself name only the first part, or each by its id.
    let expected = text.units.max(parts.len());
    // What was said of the parts that are out is no word on the others: they are still sent, or in doubt, or were refused.
    let undecided = current < State::Accepted || text.ended;
    if current == State::Cancelled || (parts.len() < expected && undecided) {
        return current;
    }
    let failed = parts
        .values()
        .filter(|state| matches!(state, State::Failed | State::Expired))
        .max();
    let least = parts.values().min().copied().unwrap_or(State::Accepted);
    let whole = match failed {
        Some(failed) => *failed,
        None if parts.len() < expected => least.min(State::Accepted),
        None => least,
    };
    // The whole is made anew from its parts, so that a part which arrived after all takes its failure back.
    if expected > 1 {
        whole
    } else {
        current.max(whole)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const STATES: [State; 8] = [
        State::Unknown,
        State::Accepted,
        State::Sent,
        State::Delayed,
        State::Expired,
        State::Failed,
        State::Delivered,
        State::Read,
    ];

    /// A text as the store keeps it: reports on parts that are not out yet wait for them.
    struct Text {
        sent: Sent,
        known: BTreeMap<i64, State>,
        parked: Vec<(i64, State)>,
    }

    impl Text {
        fn new(units: i64) -> Self {
            Self {
                sent: Sent {
                    state: State::Sending,
                    ended: false,
                    units: usize::try_from(units).unwrap(),
                },
                known: BTreeMap::new(),
                parked: Vec::new(),
            }
        }

        fn report(&mut self, part: i64, state: State) {
            let Some(known) = self.known.get_mut(&part) else {
                self.parked.push((part, state));
                return;
            };
            *known = (*known).max(state);
            self.sent.state = weigh(self.sent, &self.known);
        }

        /// The outcome of the next part: the network took it. False when a report kept it from going out.
        fn out(&mut self) -> bool {
            let part = i64::try_from(self.known.len()).unwrap();
            if !matches!(self.sent.state, State::Queued | State::Sending) {
                return false;
            }
            self.known.insert(part, State::Accepted);
            let all = self.known.len() == self.sent.units;
            self.sent.state = if all { State::Accepted } else { State::Queued };
            let waiting = std::mem::take(&mut self.parked);
            for (part, state) in waiting {
                self.report(part, state);
            }
            if all {
                self.report(part, State::Accepted);
            }
            true
        }

        fn all_out(mut self) -> Self {
            while self.known.len() < self.sent.units {
                assert!(self.out(), "a report stopped the rest of the text");
            }
            self
        }
    }

    fn run(units: i64, events: &[(i64, State)]) -> State {
        let mut text = Text::new(units).all_out();
        for (part, state) in events {
            text.report(*part, *state);
        }
        text.sent.state
    }

    #[test]
    fn delivered_means_every_part() {
        assert_eq!(run(2, &[(0, State::Delivered)]), State::Accepted);
        assert_eq!(
            run(2, &[(0, State::Delivered), (1, State::Delivered)]),
            State::Delivered
        );
        assert_eq!(
            run(2, &[(0, State::Delivered), (1, State::Failed)]),
            State::Failed
        );
        assert_eq!(
            run(1, &[(0, State::Delivered), (0, State::Sent)]),
            State::Delivered,
            "late and lesser"
        );
        assert_eq!(
            run(1, &[(0, State::Failed), (0, State::Delivered)]),
            State::Delivered,
            "somebody has it"
        );
    }

    #[test]
    fn a_report_on_one_part_leaves_the_others_to_their_fate() {
        let one = BTreeMap::from([(0, State::Delivered)]);
        for state in [State::Queued, State::Sending, State::Unknown] {
            let text = Sent {
                state,
                ended: false,
                units: 2,
            };
            assert_eq!(weigh(text, &one), state, "the second is not out");
        }
        let refused = Sent {
            state: State::Failed,
            ended: true,
            units: 2,
        };
        assert_eq!(weigh(refused, &one), State::Failed);
    }

    /// xorshift64*, which is fast in a debug build, where millions of orders take a minute.
    struct Random(u64);

    impl Random {
        fn below(&mut self, bound: usize) -> usize {
            self.0 ^= self.0 >> 12;
            self.0 ^= self.0 << 25;
            self.0 ^= self.0 >> 27;
            let high = self.0.wrapping_mul(0x2545_f491_4f6c_dd1d) >> 33;
            usize::try_from(high).unwrap() % bound
        }
    }

    /// The same reports, once behind everything, once in another order and among the outcomes of the parts themselves.
    fn one_order(random: &mut Random) {
        let units = i64::try_from(random.below(4)).unwrap() + 1;
        let count = random.below(10);
        let mut events: Vec<(i64, State)> = (0..count)
            .map(|_| {
                let part = i64::try_from(random.below(4)).unwrap() % units;
                (part, STATES[random.below(STATES.len())])
            })
            .collect();
        let wanted = run(units, &events);
        for at in (1..events.len()).rev() {
            events.swap(at, random.below(at + 1));
        }
        let mut text = Text::new(units);
        for (part, state) in &events {
            while text.known.len() < text.sent.units && random.below(2) == 0 {
                assert!(text.out() || units == 1, "{events:?} stopped {units} parts");
            }
            text.report(*part, *state);
        }
        let state = text.all_out().sent.state;
        assert_eq!(state, wanted, "{units} parts, {events:?}");
    }

    #[test]
    fn the_end_never_depends_on_the_order() {
        let orders = std::env::var("TRANSOM_TEST_ORDERS");
        let orders = orders.map_or(100_000, |orders| orders.parse().unwrap());
        let mut random = Random(0x7261_6e73_6f6d);
        for _ in 0..orders {
            one_order(&mut random);
        }
    }

    proptest! {
        #[test]
        fn and_so_proptest_says(seed in 1..u64::MAX) {
            one_order(&mut Random(seed));
        }
    }
}

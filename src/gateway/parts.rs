//! Parts of longer texts: which of them make a whole.

use transom_adapter::{
    AccountName, Address, Class, ExternalId, Incoming, MailFacts, Part, Repeats, UnixMillis,
};

use super::{Gateway, text_in};
use crate::store::{
    read::{KeptPart, PartsOf},
    write::PartRow,
};

/// A text whose parts are all there, or whose time is over.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Whole {
    /// The account that brought it.
    pub account: AccountName,
    /// The text.
    pub message: Incoming,
    /// The parts that it is made of.
    pub parts: Vec<i64>,
}

/// Where parts are missing.
const GAP: &str = "[…]";

/// The part that a message is, if it is one; what is none of its total is shown by itself.
pub fn part(message: &Incoming) -> Option<Part> {
    let is_one = |part: &Part| part.total > 1 && (1..=part.total).contains(&part.number);
    message.part.filter(is_one)
}

/// The text that a part belongs to.
pub fn parts_of(message: &Incoming, part: Part) -> PartsOf {
    PartsOf {
        line: message.to.as_str().to_owned(),
        peer: message.from.as_str().to_owned(),
        reference: part.reference,
        total: part.total,
    }
}

/// A part as it is kept.
pub fn row(
    gateway: &Gateway,
    account: &AccountName,
    message: &Incoming,
    part: Part,
    (part_id, now): (i64, UnixMillis),
) -> PartRow {
    PartRow {
        seen: text_in::seen(gateway, account, message, now),
        part_id,
        gateway_id: gateway.id,
        scope_id: gateway.scope_id(account).unwrap_or(gateway.id),
        line: message.to.as_str().to_owned(),
        peer: message.from.as_str().to_owned(),
        peer_name: message.from_name.clone(),
        reference: part.reference,
        total: part.total,
        number: part.number,
        body: message.text.clone(),
        sent_ms: message.sent_at.map(|at| at.0),
        at_ms: now.0,
    }
}

/// The texts that these parts, in the order in which they came, make: those that are whole, and those that a part came of before
/// `before`, with a mark where something is missing.
pub fn wholes(gateway: &Gateway, parts: &[KeptPart], before: UnixMillis) -> Vec<Whole> {
    let mut texts: Vec<Text<'_>> = Vec::new();
    for part in parts {
        // A reference comes round again: what is there already with other words is of a later text.
        let taken = texts.iter_mut().rev().find(|text| text.of == &part.of);
        if !taken.is_some_and(|text| text.take(part)) {
            texts.push(Text::begin(part));
        }
    }
    let due = texts.into_iter().filter(|text| text.is_due(before));
    due.map(|text| text.whole(gateway)).collect()
}

/// A text while it is put together.
struct Text<'a> {
    of: &'a PartsOf,
    first: &'a KeptPart,
    places: Vec<Option<&'a KeptPart>>,
    ids: Vec<i64>,
}

impl<'a> Text<'a> {
    fn begin(part: &'a KeptPart) -> Self {
        let mut text = Self {
            of: &part.of,
            first: part,
            places: vec![None; part.of.total.into()],
            ids: Vec::new(),
        };
        text.take(part);
        text
    }

    /// Takes a part, or the repeat of one; false when it is of another text.
    fn take(&mut self, part: &'a KeptPart) -> bool {
        let place = usize::from(part.number).checked_sub(1);
        let Some(place) = place.and_then(|place| self.places.get_mut(place)) else {
            return false;
        };
        if place.is_some_and(|known| known.body != part.body) {
            return false;
        }
        place.get_or_insert(part);
        self.ids.push(part.part_id);
        true
    }

    fn is_due(&self, before: UnixMillis) -> bool {
        self.places.iter().all(Option::is_some) || self.first.at_ms < before.0
    }

    fn whole(self, gateway: &Gateway) -> Whole {
        let scope = Some(self.first.scope_id);
        let account = gateway
            .accounts
            .keys()
            .find(|account| gateway.scope_id(account) == scope)
            .cloned()
            // It has left the configuration since; its texts are delivered all the same.
            .unwrap_or_else(|| AccountName::new(&gateway.config.name, "parts"));
        let message = Incoming {
            // Made once: the parts go with the same commit.
            repeats: Repeats::ById(ExternalId::new("parts", self.first.part_id.to_string())),
            to: Address::new(self.of.line.clone()),
            from: Address::new(self.of.peer.clone()),
            from_name: self.first.peer_name.clone(),
            others: Vec::new(),
            text: Part::whole(&self.text()),
            subject: None,
            answers: Vec::new(),
            message_id: None,
            part: None,
            class: Class::Human,
            sent_at: self.first.sent_ms.map(UnixMillis),
            attachments: Vec::new(),
            media: Vec::new(),
            mail: MailFacts::default(),
        };
        Whole {
            account,
            message,
            parts: self.ids,
        }
    }

    fn text(&self) -> String {
        let mut text = String::new();
        let mut in_gap = false;
        for place in &self.places {
            match place {
                Some(part) => text.push_str(&part.body),
                None if !in_gap => text.push_str(GAP),
                None => {}
            }
            in_gap = place.is_none();
        }
        text
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::gateway::registration::fixture;

    const NEVER: UnixMillis = UnixMillis(0);

    fn kept(part_id: i64, reference: u16, total: u8, number: u8, body: &str) -> KeptPart {
        KeptPart {
            part_id,
            scope_id: 1,
            of: PartsOf {
                line: "+12025550100".into(),
                peer: "+12025550147".into(),
                reference,
                total,
            },
            number,
            peer_name: None,
            body: body.to_owned(),
            sent_ms: None,
            at_ms: part_id,
        }
    }

    fn texts(parts: &[KeptPart], before: UnixMillis) -> Vec<String> {
        let wholes = wholes(&fixture::sms("open"), parts, before);
        wholes.into_iter().map(|whole| whole.message.text).collect()
    }

    #[test]
    fn what_is_missing_is_marked_when_its_time_is_over() {
        let parts = [kept(1, 7, 5, 1, "one "), kept(2, 7, 5, 4, " four")];
        assert_eq!(texts(&parts, NEVER), [""; 0]);
        assert_eq!(texts(&parts, UnixMillis(2)), ["one […] four[…]"]);
        assert_eq!(texts(&parts, UnixMillis(1)), [""; 0], "not yet");
    }

    #[test]
    fn a_reference_that_comes_again_is_another_text() {
        let parts = [
            kept(1, 7, 2, 1, "old "),
            kept(2, 7, 2, 1, "new "),
            kept(3, 7, 2, 2, "text"),
        ];
        let wholes = wholes(&fixture::sms("open"), &parts, NEVER);
        assert_eq!(wholes.len(), 1);
        assert_eq!(wholes[0].message.text, "new text");
        assert_eq!(wholes[0].parts, [2, 3], "the old one waits for its time");
    }

    proptest! {
        #[test]
        fn order_and_repeats_do_not_matter(
            bodies in prop::collection::vec("[a-z]{1,3}", 2..9),
            order in prop::collection::vec(any::<prop::sample::Index>(), 0..30),
        ) {
            let total = u8::try_from(bodies.len()).unwrap();
            // Some in any order and repeated, then all, so that none is missing.
            let shuffled = order.iter().map(|index| index.index(bodies.len()));
            let parts: Vec<KeptPart> = shuffled.chain(0..bodies.len()).enumerate()
                .map(|(at, place)| {
                    let number = u8::try_from(place + 1).unwrap();
                    kept(i64::try_from(at).unwrap() + 1, 7, total, number, &bodies[place])
                })
                .collect();
            let wholes = wholes(&fixture::sms("open"), &parts, NEVER);
            prop_assert_eq!(wholes.len(), 1);
            prop_assert_eq!(&wholes[0].message.text, &bodies.concat());
            prop_assert_eq!(wholes[0].parts.len(), parts.len(), "repeats go with it");
        }
    }
}

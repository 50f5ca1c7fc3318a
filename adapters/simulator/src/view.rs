//! What the page is shown, as JSON.

use std::sync::Arc;

use serde::Serialize;
use transom_adapter::Address;

use crate::{Behaviour, Kind, State, Text, Way, handset::Handset, world::World};

/// Characters of a phone's last text in the list.
const SNIPPET_CHARS: usize = 80;

/// What changed after the version that the page has.
#[derive(Debug, Serialize)]
pub(crate) struct View {
    run: String,
    version: u64,
    /// Whether this is everything, and not only what changed.
    whole: bool,
    lines: Vec<Arc<str>>,
    /// The phones that changed, the latest change first.
    phones: Vec<PhoneView>,
    /// The texts of the phone that the page has open, when they changed.
    texts: Option<Vec<TextView>>,
}

#[derive(Debug, Serialize)]
struct PhoneView {
    kind: Kind,
    number: String,
    behaviour: Behaviour,
    changed: u64,
    received: u64,
    count: usize,
    last: Option<Last>,
}

#[derive(Debug, Serialize)]
struct Last {
    way: Way,
    state: State,
    at: i64,
    text: String,
    /// How many files went with it.
    files: usize,
}

#[derive(Debug, Serialize)]
struct TextView {
    number: u64,
    #[serde(flatten)]
    text: Text,
}

impl View {
    /// What changed after `since`; everything when that version is none of this world's, or too old to tell.
    pub(crate) fn new(
        world: &World,
        run: String,
        since: Option<u64>,
        open: Option<&Address>,
    ) -> Self {
        let since = since.filter(|since| (world.dropped_at()..=world.version()).contains(since));
        let after = since.unwrap_or(0);
        let texts = open.and_then(|open| match world.find(open) {
            Some(handset) => (handset.changed > after).then(|| texts_of(handset)),
            None => since.is_none().then(Vec::new),
        });
        Self {
            run,
            version: world.version(),
            whole: since.is_none(),
            lines: world.lines().cloned().collect(),
            phones: world
                .changed_since(after)
                .map(|(number, handset)| PhoneView::new(number, handset))
                .collect(),
            texts,
        }
    }
}

impl PhoneView {
    fn new(number: &Address, handset: &Handset) -> Self {
        Self {
            kind: handset.kind,
            number: number.as_str().to_owned(),
            behaviour: handset.behaviour,
            changed: handset.changed,
            received: handset.received,
            count: handset.len(),
            last: handset.texts().next_back().map(|text| Last {
                way: text.way,
                state: text.state,
                at: text.at.0,
                text: text.text.chars().take(SNIPPET_CHARS).collect(),
                files: text.files.len(),
            }),
        }
    }
}

fn texts_of(handset: &Handset) -> Vec<TextView> {
    let numbered = handset.numbered();
    let view = numbered.map(|(number, entry)| TextView {
        number,
        text: entry.text.clone(),
    });
    view.collect()
}

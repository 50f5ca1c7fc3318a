//! The counts at the end, and what transom says of what alice has heard nothing of.

use std::collections::{BTreeMap, BTreeSet};

use transom_test_servers::Transom;

/// What became of all messages of a network.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Account {
    /// What the network carries.
    pub(super) network: &'static str,
    pub(crate) out: usize,
    pub(crate) delivered: usize,
    /// Refused by the network, or given up, and told so.
    pub(crate) refused: usize,
    pub(crate) unknown: usize,
    /// Words of the end that the XMPP server had and lost.
    pub(crate) lost_words: usize,
    pub(crate) incoming: usize,
    pub(crate) arrived: usize,
    /// Messages that the network took under two ids, or that arrived as several.
    pub(super) doubled: BTreeSet<String>,
    /// Messages that did not arrive, or of which nobody will ever say anything; what transom says of each.
    pub(super) lost: BTreeMap<String, String>,
    /// Messages that the network got behind one of the same chat that was written later (semantics 5).
    pub(super) overtaken: BTreeSet<usize>,
    /// Messages with a receipt and, later, an error.
    pub(super) contradicted: BTreeSet<usize>,
    /// Messages that the network got again, under the same id, and recognises.
    pub(crate) recognised: usize,
    /// How often it got the one that it got most often.
    pub(super) most: usize,
    pub(crate) repeats: usize,
    pub(crate) errors: BTreeMap<String, usize>,
}

impl Account {
    /// Prints the counts as a row of the table in docs/FAULTS.md. Nothing may be lost or doubled.
    ///
    /// # Panics
    ///
    /// With what transom says of each that is, and with its log.
    pub(crate) fn settled(&self, what: &str, faults: &str, transom: &Transom) {
        eprintln!("{}", self.row(what, faults));
        assert!(
            self.lost.is_empty() && self.doubled.is_empty() && self.contradicted.is_empty(),
            "{}: lost {:#?}, doubled {:#?}, contradicted {:?}\n{}",
            self.network,
            self.lost,
            self.doubled,
            self.contradicted,
            transom.log()
        );
        // Semantics 4: one repeat that the other side recognises.
        assert!(self.most <= 2, "{} times: {}", self.most, transom.log());
    }

    /// Where one process has the gateway all the time, messages of a chat leave in the order in which they were written (semantics 5).
    pub(crate) fn in_order(&self, transom: &Transom) {
        assert!(
            self.overtaken.is_empty(),
            "{} overtaken: {:?}\n{}",
            self.network,
            self.overtaken,
            transom.log()
        );
    }

    fn row(&self, what: &str, faults: &str) -> String {
        format!(
            "| {what}, {} | {faults} | {} | {} | {} | {} | {} | {} | {} | {} | {} | {} | {:?} |",
            self.network,
            self.out,
            self.delivered,
            self.refused,
            self.unknown,
            self.recognised,
            self.incoming,
            self.arrived,
            self.lost.len(),
            self.doubled.len(),
            self.repeats,
            self.errors
        )
    }
}

/// What became of a message of which alice has heard nothing.
pub(super) enum End {
    /// Nobody can know: told as a doubt (semantics 4).
    Unknown,
    /// It was told that it is delivered, and her server took that.
    Delivered,
    /// It was told that it is not, and her server took that.
    Failed,
    /// Something is still to come.
    Open,
}

impl End {
    pub(super) async fn of(id: &str, transom: &Transom) -> Self {
        let trace = trace(id, transom).await;
        let told = |word: &str| trace.contains(&format!(r#""told": "{word}""#));
        if told("receipt") {
            Self::Delivered
        } else if told("error") {
            Self::Failed
        } else if trace.contains(r#""state": "unknown""#) {
            Self::Unknown
        } else {
            Self::Open
        }
    }
}

pub(super) async fn trace(id: &str, transom: &Transom) -> String {
    let trace = transom.command(&["trace", id, "--json"]).await;
    String::from_utf8_lossy(&trace.stdout).into_owned()
}

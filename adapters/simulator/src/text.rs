//! One text on a phone.

use std::sync::Arc;

use serde::Serialize;
use transom_adapter::{Address, Key, UnixMillis, Verdict};

use crate::{
    file::{File, Handed},
    post::Post,
};

/// One text on a phone, to it or from it.
#[derive(Clone, PartialEq, Eq, Debug, Serialize)]
pub struct Text {
    /// Which way it went.
    pub way: Way,
    /// Our line: whom it came from, or whom it was written to.
    pub line: Arc<str>,
    /// What was written.
    pub text: Arc<str>,
    /// When the simulator saw it.
    #[serde(serialize_with = "millis")]
    pub at: UnixMillis,
    /// How far it came.
    pub state: State,
    /// The other phones of the group that it went to.
    #[serde(skip_serializing_if = "<[String]>::is_empty")]
    pub others: Arc<[String]>,
    /// The files that went with it.
    #[serde(skip_serializing_if = "<[File]>::is_empty")]
    pub files: Arc<[File]>,
}

/// Which way a text went, as the person with the phone sees it.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Way {
    /// From the gateway to the phone.
    Received,
    /// From the phone to the gateway.
    Written,
}

/// How far a text came.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum State {
    /// Received: accepted, and the phone is off.
    Waiting,
    /// Received: on the phone; the gateway has not yet committed the report.
    OnPhone,
    /// Received: on the phone, and the gateway has committed the report.
    Reported,
    /// Received: refused, the number is not in use.
    Refused,
    /// Received: accepted, then reported as failed.
    Failed,
    /// Received: the gateway was told to come back later.
    Throttled,
    /// Received: the gateway was left without an answer.
    Unknown,
    /// Written: the gateway has not yet said whether it has it.
    Sending,
    /// Written: the gateway has committed it.
    Stored,
    /// Written: the gateway had it already.
    Duplicate,
    /// Written: nobody at the gateway has that line.
    NoSuchRecipient,
    /// Written: the gateway could not store it.
    Busy,
    /// Written: no running account of the gateway has that line.
    NoAccount,
}

impl State {
    /// Whether the simulator still owes the gateway a word about it.
    pub(crate) fn is_held(self) -> bool {
        matches!(self, Self::Waiting | Self::Unknown)
    }

    /// Whether somebody with the phone could read it.
    pub(crate) fn is_readable(self) -> bool {
        matches!(self, Self::OnPhone | Self::Reported)
    }
}

impl From<Verdict> for State {
    fn from(verdict: Verdict) -> Self {
        match verdict {
            Verdict::Stored => Self::Stored,
            Verdict::Duplicate => Self::Duplicate,
            Verdict::NoSuchRecipient => Self::NoSuchRecipient,
        }
    }
}

/// What is written on a phone.
pub(crate) struct Written<'a> {
    pub(crate) text: &'a str,
    /// The other phones of a group.
    pub(crate) others: &'a [Address],
    pub(crate) files: Vec<Handed>,
}

/// A text with what the simulator needs to report on it.
#[derive(Debug)]
pub(crate) struct Entry {
    pub(crate) text: Text,
    /// `None` for a text that was written on the phone.
    pub(crate) origin: Option<Origin>,
}

/// The attempt that a received text came from.
#[derive(Clone, Debug)]
pub(crate) struct Origin {
    pub(crate) post: Arc<Post>,
    pub(crate) delivery: Delivery,
    /// It went to a group at once.
    pub(crate) of_group: bool,
}

/// One unit of one message: what a repeat is recognised by.
pub(crate) type Delivery = (Key, u16);

#[expect(
    clippy::trivially_copy_pass_by_ref,
    reason = "serde hands it a reference"
)]
fn millis<S: serde::Serializer>(at: &UnixMillis, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_i64(at.0)
}

//! One phone, for tests in the process.

use std::{sync::Arc, time::Duration};

use bytes::Bytes;
use transom_adapter::{Address, Attachment, Verdict};

use crate::{
    AnswerError, Behaviour, File, Text, answer::answer, file, shared::Shared, text::Written,
};

/// One simulated phone in the hand of a test.
#[derive(Clone, Debug)]
pub struct Phone {
    shared: Arc<Shared>,
    number: Address,
}

/// A phone did not receive what was waited for.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
#[error("the phone has {received} of {expected} texts after {waited:?}")]
pub struct TooFew {
    /// How many it has received, ever.
    pub received: u64,
    /// How many were waited for.
    pub expected: u64,
    /// How long.
    pub waited: Duration,
}

impl Phone {
    pub(crate) fn new(shared: Arc<Shared>, number: Address) -> Self {
        Self { shared, number }
    }

    /// Its number.
    pub fn number(&self) -> &Address {
        &self.number
    }

    /// The texts that it keeps, to it and from it, oldest first.
    pub fn messages(&self) -> Vec<Text> {
        self.shared.look(|world| {
            let handset = world.find(&self.number);
            handset.map_or_else(Vec::new, |handset| handset.texts().cloned().collect())
        })
    }

    /// How many texts became readable on it, ever: more than it keeps, perhaps.
    pub fn received(&self) -> u64 {
        self.shared
            .look(|world| world.find(&self.number).map_or(0, |phone| phone.received))
    }

    /// Waits until it has received this many texts, counted from its first, and gives what it keeps. Safe to drop.
    ///
    /// # Errors
    ///
    /// [`TooFew`] when the time is over before.
    pub async fn wait_for(&self, expected: u64, within: Duration) -> Result<Vec<Text>, TooFew> {
        let has_all = self.shared.wait(|world| {
            let received = world.find(&self.number).map_or(0, |phone| phone.received);
            (received >= expected).then_some(())
        });
        let deadline = self.shared.now().after(within);
        tokio::select! {
            biased;
            () = has_all => Ok(self.messages()),
            () = self.shared.clock.sleep_until(deadline) => {
                Err(TooFew { received: self.received(), expected, waited: within })
            }
        }
    }

    /// Waits until `look` finds something among its texts. Safe to drop.
    ///
    /// # Errors
    ///
    /// [`TooFew`] when the time is over before.
    pub async fn wait_until<T>(
        &self,
        within: Duration,
        look: impl Fn(&Text) -> Option<T>,
    ) -> Result<T, TooFew> {
        let found = self
            .shared
            .wait(|world| world.find(&self.number)?.texts().find_map(&look));
        let deadline = self.shared.now().after(within);
        tokio::select! {
            biased;
            found = found => Ok(found),
            () = self.shared.clock.sleep_until(deadline) => {
                Err(TooFew { received: self.received(), expected: 1, waited: within })
            }
        }
    }

    /// Writes a text to one of our lines; returns when the gateway has committed it.
    ///
    /// # Errors
    ///
    /// [`AnswerError`] when it could not be handed over.
    pub async fn answer(&self, line: &str, text: &str) -> Result<Verdict, AnswerError> {
        self.answer_all(line, &[], text).await
    }

    /// The same to a group: the line, and these other phones.
    ///
    /// # Errors
    ///
    /// [`AnswerError`] when it could not be handed over.
    pub async fn answer_all(
        &self,
        line: &str,
        others: &[Address],
        text: &str,
    ) -> Result<Verdict, AnswerError> {
        self.answer_with(line, (text, others), Vec::new()).await
    }

    /// The same with files, such as a picture; the text may then be empty.
    ///
    /// # Errors
    ///
    /// [`AnswerError`] when it could not be handed over.
    pub async fn answer_with(
        &self,
        line: &str,
        (text, others): (&str, &[Address]),
        files: Vec<Attachment>,
    ) -> Result<Verdict, AnswerError> {
        let files = file::written(files).ok_or(AnswerError::Files)?;
        let written = Written {
            text,
            others,
            files,
        };
        answer(&self.shared, &self.number, line, written).await
    }

    /// The content of a file on a phone; `None` when it had to make room for others.
    pub fn content(&self, file: &File) -> Option<Bytes> {
        self.shared.look(|world| world.gallery.content(file.number))
    }

    /// Changes how it takes texts.
    pub fn set_behaviour(&self, behaviour: Behaviour) {
        let now = self.shared.now();
        self.shared
            .change(|world| world.set_behaviour(&self.number, behaviour, now));
    }
}

//! A message that an admin sends in a user's name, to see whether the way is open: it is decided, committed and sent like any other.

use tokio::sync::oneshot;

use super::{Intake, outward};
use crate::xmpp::stanza::{Message, Stanza};

/// One message to a contact, and who waits for what is said to it.
#[derive(Debug)]
pub struct Trial {
    /// The message, as its sender's server would hand it over.
    pub message: Message,
    /// The answers: none when it was accepted, else the error.
    pub answer: oneshot::Sender<Vec<Stanza>>,
}

/// Takes one; its answers go to whoever asked, not to the user.
pub(super) async fn take(intake: &Intake, trial: Trial) {
    let answers = outward::decide_all(intake, std::slice::from_ref(&trial.message)).await;
    // Whoever asked may have gone; a message that was accepted stays so.
    trial.answer.send(answers).ok();
}

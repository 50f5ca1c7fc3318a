//! A text from a phone to the gateway.

use std::sync::Arc;

use transom_adapter::{
    Address, Busy, Class, Context, Event, ExternalId, Incoming, MailFacts, Member, Repeats,
    UnixMillis, Verdict,
};

use crate::{
    State,
    file::{Handed, LIMITS},
    post::{ID_KIND, Post},
    shared::Shared,
    text::Written,
    world::TEXT_BYTES_MAX,
};

/// Phones in one group.
const OTHERS_MAX: usize = 20;

/// Why a text from a phone could not be handed to the gateway.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, thiserror::Error)]
pub enum AnswerError {
    /// Not a number that texts come from or go to.
    #[error("a number is written as +12025550147, with the plus sign and 7 to 15 digits")]
    Number,
    /// Nothing was written, and no file goes with it.
    #[error("the text is empty")]
    Empty,
    /// More than the simulated network takes.
    #[error("the text is longer than {TEXT_BYTES_MAX} bytes")]
    TooLong,
    /// More files than the simulated network takes with one text, or larger ones.
    #[error(
        "a phone sends at most {} files with a text, each of at most {} bytes and together {}",
        LIMITS.count_max, LIMITS.bytes_max, LIMITS.total_bytes_max
    )]
    Files,
    /// The line is none that an account is known for, and there is more than one account, or none.
    #[error("no simulated account is known to have this line")]
    NoAccount,
    /// The line's account is not running.
    #[error("the gateway is not running yet")]
    NotRunning,
    /// The gateway could not store it.
    #[error("the gateway is busy and did not take the text; send it again")]
    Busy,
}

/// Writes a text on a phone and hands it to the gateway; runs to its end even when the caller is dropped.
pub(crate) async fn answer(
    shared: &Arc<Shared>,
    phone: &Address,
    line: &str,
    written: Written<'_>,
) -> Result<Verdict, AnswerError> {
    check(phone, line, &written)?;
    let now = shared.now();
    let (sequence, place, post) = shared.change(|world| {
        let sequence = world.write(phone, line, &written, now);
        (sequence, world.version(), world.post_of_line(line))
    });
    let settle = |state| shared.change(|world| world.set_state(phone, sequence, state));
    let Some(post) = post else {
        settle(State::NoAccount);
        return Err(AnswerError::NoAccount);
    };
    let Some(context) = post.context() else {
        settle(State::NoAccount);
        return Err(AnswerError::NotRunning);
    };
    let id = format!("sim-in-{:016x}-{place}", shared.run);
    let message = incoming(id, (phone, line), written, now);
    let (world, phone) = (Arc::clone(shared), phone.clone());
    let commit = async move |context: Context| {
        let verdict = commit(&context, &post, message).await;
        let state = verdict.map_or(State::Busy, State::from);
        world.change(|world| world.set_state(&phone, sequence, state));
        verdict
    };
    let committed = context.lifecycle.clone().detached(commit(context)).await;
    committed
        .unwrap_or(Err(Busy))
        .map_err(|Busy| AnswerError::Busy)
}

async fn commit(context: &Context, post: &Post, message: Incoming) -> Result<Verdict, Busy> {
    let events = vec![Event::Message(Box::new(message))];
    let verdicts = context.inbox.commit(&post.account, events, None).await?;
    verdicts.first().copied().ok_or(Busy)
}

fn incoming(
    id: String,
    (phone, line): (&Address, &str),
    written: Written<'_>,
    now: UnixMillis,
) -> Incoming {
    let others = written.others.iter().cloned().map(Member::to).collect();
    let files = written.files.into_iter();
    Incoming {
        repeats: Repeats::ById(ExternalId::new(ID_KIND, id)),
        to: Address::new(line),
        from: phone.clone(),
        from_name: None,
        others,
        text: written.text.to_owned(),
        subject: None,
        answers: Vec::new(),
        message_id: None,
        part: None,
        class: Class::Human,
        sent_at: Some(now),
        attachments: files.map(Handed::attachment).collect(),
        media: Vec::new(),
        mail: MailFacts::default(),
    }
}

fn check(phone: &Address, line: &str, written: &Written<'_>) -> Result<(), AnswerError> {
    let Written {
        text,
        others,
        files,
    } = written;
    let are_numbers = others.iter().all(|other| is_number(other.as_str()));
    if !is_number(phone.as_str()) || !is_number(line) || others.len() > OTHERS_MAX || !are_numbers {
        return Err(AnswerError::Number);
    }
    if text.trim().is_empty() && files.is_empty() {
        return Err(AnswerError::Empty);
    }
    if text.len() > TEXT_BYTES_MAX {
        return Err(AnswerError::TooLong);
    }
    Ok(())
}

/// A number as ITU-T E.164 has it, or the contract's form of a short code or a sender's name: `12345;phone-context=us`.
pub(crate) fn is_number(text: &str) -> bool {
    if let Some(digits) = text.strip_prefix('+') {
        return (7..=15).contains(&digits.len()) && digits.bytes().all(|b| b.is_ascii_digit());
    }
    let Some((name, context)) = text.split_once(";phone-context=") else {
        return false;
    };
    let plain = |b: u8| b.is_ascii_alphanumeric() || b" &.-_".contains(&b);
    (1..=11).contains(&name.len())
        && name.bytes().all(plain)
        && (1..=5).contains(&context.len())
        && context.bytes().all(|b| b.is_ascii_lowercase())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_told_from_what_is_none() {
        for good in [
            "+12025550147",
            "+4915112345678",
            "12345;phone-context=us",
            "My Bank;phone-context=alpha",
        ] {
            assert!(is_number(good), "{good}");
        }
        for bad in [
            "",
            "+",
            "+123456",
            "12025550147",
            "+1202555014x",
            "+1234567890123456",
            "+1202 555 0147",
            "12345;phone-context=",
            ";phone-context=us",
            "<b>;phone-context=us",
            "+１２０２５５５０１４７",
        ] {
            assert!(!is_number(bad), "{bad}");
        }
    }
}

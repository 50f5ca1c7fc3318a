//! Proving a mobile number.

use super::duration;
use crate::texts::Proof;

pub(super) fn proof(text: &Proof) -> String {
    use Proof as P;
    match text {
        P::Code { gateway, code } => format!(
            "{code} is your code for {gateway}. If you did not ask for it, somebody mistyped a number; there is nothing to do."
        ),
        P::Sent { number, works_for } => format!(
            "A code is on its way to {number}. It works for {}: write \"code\" and the six digits.",
            duration(*works_for)
        ),
        P::Proved { number } => format!("{number} is yours. Now you can write to people."),
        P::Wrong { left: 0 } => {
            "That is not the code, for the last time. Write \"verify\" and your number for a new one."
                .into()
        }
        P::Wrong { left: 1 } => {
            "That is not the code. You can try once more: write \"code\" and the six digits.".into()
        }
        P::Wrong { left } => format!(
            "That is not the code. You can try {left} times more: write \"code\" and the six digits."
        ),
        P::NoCode => {
            "No code waits for you, or its time is over. Write \"verify\" and your number for a new one."
                .into()
        }
        P::TooOften => {
            "Too many codes were sent today, for you or to this number. Try again tomorrow.".into()
        }
        P::NotWanted => "Nobody has to prove a number here. Just write.".into(),
    }
}

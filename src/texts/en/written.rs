//! What leaves to people outside.

use crate::texts::Written;

pub(super) fn written(text: &Written) -> String {
    use Written as W;
    match text {
        W::Reacted {
            emoji,
            quoted: Some(quoted),
        } => format!("Reacted {emoji} to \"{quoted}\""),
        W::Wrote { who, day } => format!("On {day}, {who} wrote:"),
        W::StopConfirmed => {
            "You will get no more texts from this number. Send START to get them again.".into()
        }
        W::Reacted {
            emoji,
            quoted: None,
        } => format!("Reacted {emoji}"),
    }
}

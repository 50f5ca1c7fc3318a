//! What leaves to people outside.

use crate::texts::Written;

pub(super) fn written(text: &Written) -> String {
    use Written as W;
    match text {
        W::Reacted { emoji, quoted: Some(quoted) } => format!("Hat mit {emoji} auf \"{quoted}\" reagiert"),
        W::Wrote { who, day } => format!("Am {day} schrieb {who}:"),
        W::StopConfirmed => "Du bekommst von dieser Nummer keine Texte mehr. Sende START, um wieder welche zu bekommen.".into(),
        W::Reacted { emoji, quoted: None } => format!("Hat mit {emoji} reagiert"),
    }
}

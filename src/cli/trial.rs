//! `transom check --live --send-to ADDRESS --as JID`: one real message, and when it came how far.

use std::time::{Duration, Instant};

use transom_adapter::{Clock as _, SystemClock};

use super::{
    Exit, operate,
    say::{complain, print},
    show,
};
use crate::{
    config::Config,
    operations::{Life, Reply, Request},
};

/// How long a message is watched.
const PATIENCE: Duration = Duration::from_mins(1);
/// Between two looks.
const LOOK: Duration = Duration::from_millis(50);

/// Sends it through the running process and prints each step's time, from the moment it was handed in.
pub(super) async fn send(config: &Config, user: String, to: String) -> Exit {
    let began = Instant::now();
    let asked = Request::TrySend { user, to };
    let id = match operate::asked(config, asked).await {
        Ok(Reply::Tried { id }) => id,
        Ok(other) => {
            print(&show::words(&other, SystemClock.now().timestamp()));
            return Exit::Software;
        }
        Err(trouble) => return trouble.complain(),
    };
    let mut shown = String::new();
    while began.elapsed() < PATIENCE {
        let life = match operate::asked(config, Request::Trace { id: id.clone() }).await {
            Ok(Reply::Messages(lives)) => lives.into_iter().next(),
            Ok(_) => None,
            Err(trouble) => return trouble.complain(),
        };
        if let Some(life) = life.filter(|life| life.state != shown) {
            print(&step(&life, began.elapsed()));
            shown.clone_from(&life.state);
        }
        match shown.as_str() {
            "delivered" | "read" => return Exit::Done,
            "failed" | "expired" | "cancelled" => return Exit::Unavailable,
            _ => tokio::time::sleep(LOOK).await,
        }
    }
    complain(&format!(
        "no further word within {} s; see later with: transom trace {id}",
        PATIENCE.as_secs()
    ));
    // A network that reports nothing has taken it all the same.
    match shown.as_str() {
        "accepted" | "sent" => Exit::Done,
        _ => Exit::Unavailable,
    }
}

fn step(life: &Life, after: Duration) -> String {
    let mut text = format!("{:>7} ms  {}", after.as_millis(), life.state);
    for (what, value) in [
        ("by", &life.account),
        ("reason", &life.reason),
        ("code", &life.code),
    ] {
        if let Some(value) = value {
            text.extend([", ", what, " ", value]);
        }
    }
    show::refusal(&text)
}

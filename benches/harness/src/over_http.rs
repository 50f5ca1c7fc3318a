//! Text out over HTTP: stanza → committed → POST to a provider's stub → outcome committed → receipt, with and without status callbacks.
//!
//! Without them the provider cannot call us, and a receipt says that it took the text (`receipts = "accepted"`).

use std::path::Path;

use anyhow::{Result, ensure};

use crate::{
    figures::Figures,
    memory,
    process::Gateway,
    stub::Stub,
    text_out::{self, WINDOW},
    world::{CONTACTS, Provider, USERS, config},
};

/// What the provider tells of each text; Twilio itself tells two things.
const CASES: [(&str, &[&str]); 3] = [
    ("without status callbacks", &[]),
    ("one status callback", &["delivered"]),
    ("two status callbacks", &["sent", "delivered"]),
];

/// One after the other, each in a database of its own.
pub(crate) fn measure(
    binary: &Path,
    folder: &Path,
    messages: usize,
    figures: &mut Figures,
) -> Result<()> {
    for (name, statuses) in CASES {
        let stub = Stub::start(statuses)?;
        let provider = Provider::TwilioAt {
            api: stub.addr,
            reports: !statuses.is_empty(),
        };
        let transom = Gateway::start(binary, &folder.join(name), |server, http| {
            config(provider, USERS, server, http)
        })?;
        let what = format!("(b) over HTTP, {name}");
        eprintln!("  {what}, process {}", transom.pid());
        text_out::warm_up(&transom, WINDOW)?;
        text_out::loaded(&transom, &what, (messages, WINDOW), figures)?;
        memory(&transom, &what, figures)?;
        transom.stop_exactly()?;
        let (sent, taken) = (USERS * CONTACTS + messages, stub.taken());
        ensure!(
            sent == taken,
            "{what}: {sent} texts were sent, and the provider got {taken}"
        );
    }
    Ok(())
}

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

/// What the provider tells of each text, and how many it takes at once: ten as it comes, or as many as the largest accounts are
/// allowed. Twilio itself tells two things.
const CASES: [(&str, &[&str], u16); 5] = [
    ("without status callbacks, ten at once", &[], 10),
    ("without status callbacks", &[], 100),
    ("one status callback", &["delivered"], 100),
    ("two status callbacks", &["sent", "delivered"], 100),
    (
        "two status callbacks, ten at once",
        &["sent", "delivered"],
        10,
    ),
];

/// One after the other, each in a database of its own.
pub(crate) fn measure(
    binary: &Path,
    folder: &Path,
    messages: usize,
    figures: &mut Figures,
) -> Result<()> {
    for (name, statuses, window) in CASES {
        let stub = Stub::start(statuses)?;
        let provider = Provider::TwilioAt {
            api: stub.addr,
            reports: !statuses.is_empty(),
            window,
        };
        let transom = Gateway::start(binary, &folder.join(name), |server, http| {
            config(provider, USERS, server, http)
        })?;
        let what = format!("(b) over HTTP, {name}");
        eprintln!("  {what}, process {}", transom.pid());
        text_out::warm_up(&transom, WINDOW)?;
        text_out::loaded(&transom, &what, (messages, WINDOW), figures)?;
        memory(&transom, &what, figures)?;
        transom.stop_exactly(&what, figures)?;
        let (sent, taken) = (USERS * CONTACTS + messages, stub.taken());
        ensure!(
            sent == taken,
            "{what}: {sent} texts were sent, and the provider got {taken}"
        );
    }
    Ok(())
}

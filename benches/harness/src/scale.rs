//! What a message costs, and what a process holds and needs to start, in a database with very many contacts.
//!
//! The database is filled by SQL ([`fill`]); chats are then taken from it as people take them: few of them often, most of them hardly ever
//! (Zipf, exponent 1). Not part of a plain run: ten million contacts take some ten gigabytes.

mod fill;

use std::{
    path::Path,
    thread,
    time::{Duration, Instant},
};

use anyhow::Result;

use crate::{
    figures::{Figures, Meter},
    load, megabytes,
    process::Gateway,
    server::{DOMAIN, HOME},
    text_out::WINDOW,
    world::{Provider, chat_text, config},
};

pub(crate) use fill::Size;

/// How long a process is left alone before its memory is read.
const IDLE: Duration = Duration::from_secs(5);
/// Users that come online at once.
const ONLINE: usize = 10_000;

/// Everything at one size.
pub(crate) fn measure(
    binary: &Path,
    folder: &Path,
    size: &Size,
    messages: usize,
    figures: &mut Figures,
) -> Result<()> {
    let what = size.name();
    eprintln!("  {what}: filling");
    let began = Instant::now();
    fill::fill(binary, folder, size)?;
    eprintln!("  {what}: filled in {} s", began.elapsed().as_secs());
    let transom = Gateway::start(binary, folder, |server, http| {
        config(Provider::Simulator, 0, server, http)
    })?;
    let ready = transom.ready_after.as_secs_f64() * 1e3;
    figures.add(format!("{what}: start to READY (ms)"), ready);
    thread::sleep(IDLE);
    let memory = |when: &str, figures: &mut Figures| -> Result<()> {
        let name = format!("{what}: resident memory {when} (MB)");
        figures.add(name, megabytes(transom.memory()?.0));
        Ok(())
    };
    memory("after the start", figures)?;
    // The same chats again: what is used often is known by then.
    zipf(&transom, size, messages)?;
    let meter = Meter::start(transom.pid())?;
    let times = zipf(&transom, size, messages)?;
    meter.stop(&what, messages, figures)?;
    figures.add_times(&format!("{what}: stanza to receipt"), times);
    memory("after the load", figures)?;
    online(&transom, size, &what, figures)?;
    transom.stop()
}

/// Texts out, as fast as the receipts come back.
fn zipf(gateway: &Gateway, size: &Size, messages: usize) -> Result<Vec<Duration>> {
    load::windowed(&gateway.link, messages, WINDOW, |out, number, mark| {
        let (user, contact) = size.chat(number);
        chat_text(out, &Size::user(user), &Size::phone(contact), mark);
    })
}

/// Ten thousand users come online at once; meanwhile texts go out one by one.
fn online(gateway: &Gateway, size: &Size, what: &str, figures: &mut Figures) -> Result<()> {
    const TEXTS: usize = 200;
    let users = size.users().min(ONLINE);
    let mut presences = String::new();
    for user in 0..users {
        let user = Size::user(user);
        presences.extend([
            "<presence from='",
            &user,
            "@",
            HOME,
            "/phone' to='",
            DOMAIN,
            "'/>",
        ]);
    }
    gateway.link.write(&presences)?;
    let times = load::windowed(&gateway.link, TEXTS, 1, |out, number, mark| {
        let (user, contact) = size.chat(number);
        chat_text(out, &Size::user(user), &Size::phone(contact), mark);
    })?;
    let what = format!("{what}: while {users} users come online");
    figures.add_times(&format!("{what}, unloaded: stanza to receipt"), times);
    Ok(())
}

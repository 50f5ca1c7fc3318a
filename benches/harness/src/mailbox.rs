//! Mail in from a mailbox: what gathered in a real Dovecot while the gateway was away → committed in batches → stanza → barrier.

use std::{net::SocketAddr, path::Path, process::Command};

use anyhow::{Result, ensure};
use transom_test_servers::{Dovecot, MAIL_PASSWORD, Mailboxes, Server, skipped};

use crate::{
    figures::{Figures, Meter},
    memory,
    process::{Gateway, for_servers, free_port, program},
    tally::mark,
    world::{self, CONTACTS, USERS, chat, mail_config, mail_in},
};

/// Mails that wait, whatever `--messages` says: the goal is for so many.
pub(crate) const WAITING: usize = 10_000;
/// Whose mailbox it is.
const CATCH_ALL: &str = "box";
/// The number of a process's first load.
const FIRST: usize = 1;

/// One catch-up, where Dovecot is installed.
pub(crate) fn measure(binary: &Path, folder: &Path, figures: &mut Figures) -> Result<()> {
    if program("dovecot").is_none() || skipped(&[Server::Dovecot]) {
        eprintln!("  (e) mail in by IMAP: not measured, for Dovecot is missing");
        return Ok(());
    }
    let runtime = for_servers()?;
    let dovecot = runtime.block_on(Dovecot::start(Mailboxes::CatchAll(CATCH_ALL.to_owned())));
    warm_up(binary, folder, &dovecot)?;
    catch_up(binary, folder, &dovecot, figures)
}

/// Every chat once; then the gateway goes away.
fn warm_up(binary: &Path, folder: &Path, dovecot: &Dovecot) -> Result<()> {
    let smtp = free_port()?;
    let transom = Gateway::start(binary, folder, |server, http| {
        mail_config(smtp, &inlet(dovecot.imap_addr()), server, http)
    })?;
    world::register(&transom.link)?;
    let load = transom.link.tally.begin(USERS * CONTACTS);
    fill(dovecot, load, USERS * CONTACTS)?;
    transom.link.tally.all()?;
    transom.stop()
}

/// From the start of the process until the last mail is a stanza.
fn catch_up(binary: &Path, folder: &Path, dovecot: &Dovecot, figures: &mut Figures) -> Result<()> {
    fill(dovecot, FIRST, WAITING)?;
    let smtp = free_port()?;
    let meter = Meter::ahead()?;
    let transom = Gateway::start_for(binary, &folder.join("again"), WAITING, |server, http| {
        mail_config(smtp, &inlet(dovecot.imap_addr()), server, http)
            .replace("transom.db", "../transom.db")
    })?;
    eprintln!("  (e) mail in by IMAP, process {}", transom.pid());
    transom.link.tally.all()?;
    let (seconds, meter) = (meter.elapsed().as_secs_f64(), meter.of(transom.pid()));
    let what = format!("(e) mail in by IMAP, catch-up of {WAITING}");
    figures.add(format!("{what}: start to last stanza (s)"), seconds);
    meter.stop(&what, WAITING, figures)?;
    memory(&transom, &what, figures)?;
    transom.stop_exactly(&what, figures)
}

/// Puts mails into the mailbox, and has them on the disk before anything is measured.
fn fill(dovecot: &Dovecot, load: usize, mails: usize) -> Result<()> {
    let mail = |number: usize| {
        let (user, contact) = chat(number);
        let mark = mark(load, number);
        let mail = mail_in(user, contact, number, &mark);
        (format!("{number:08}.{mark}.bench"), mail)
    };
    dovecot.put_all(CATCH_ALL, (0..mails).map(mail));
    let synced = Command::new("sync").status()?;
    ensure!(synced.success(), "sync ended with {synced}");
    Ok(())
}

/// What came in the last day is taken, so that a mail may come before the first look.
fn inlet(imap: SocketAddr) -> String {
    format!(
        "[gateway.mail.imap]\nurl = \"imap://{imap}?tls=none\"\nusername = \"{CATCH_ALL}\"\npassword = \"{MAIL_PASSWORD}\"\nsince = \"1d\""
    )
}

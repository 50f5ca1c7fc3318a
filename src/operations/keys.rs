//! Exchanging the key that users' logins are sealed with.

use secrecy::ExposeSecret as _;

use super::{Operations, Refusal, Reply, Resealed};
use crate::{
    hooks::{Step, step},
    seal::{Keys, Sealed},
    store::{
        Write,
        write::{Operation, OwnAccount},
    },
};

/// Logins of one commit.
const PAGE: i64 = 100;

/// Seals every login with the newest key of the key file, which is read again. What does not open is left as it is, and its
/// key is needed still.
///
/// A kill in between leaves some with the old key and some with the new: both open, and the next call goes on.
pub(super) async fn reseal(on: &Operations, newest: &str) -> Result<Reply, Refusal> {
    let ring = on.keys.as_ref().ok_or(Refusal::NoKeys)?;
    ring.reload()
        .map_err(|error| Refusal::KeyFile(error.to_string()))?;
    let keys = ring.keys();
    if keys.newest_id() != newest {
        let file = ring.path().display().to_string();
        return Err(Refusal::OtherKeys { file });
    }
    let mut report = Resealed::default();
    let mut after = i64::MIN;
    loop {
        let page = on.store.sealed_after(after, PAGE).await?;
        let Some((last, _)) = page.last() else { break };
        after = last.account_id;
        let mut writes = Vec::new();
        for (bound, sealed) in page {
            if sealed.key == newest {
                continue;
            }
            match keys.open(&sealed, bound) {
                Ok(secret) => {
                    let anew = keys.seal(secret.expose_secret(), bound);
                    writes.push(write(bound.account_id, sealed, anew));
                }
                Err(why) => {
                    tracing::error!(account_id = bound.account_id, key = sealed.key, error = %why, "A login does not open.");
                    report.unreadable += 1;
                    needed(&mut report.needed, sealed.key);
                }
            }
        }
        if !writes.is_empty() {
            report.sealed += writes.len();
            on.commit(writes).await?;
            step(Step::Resealed);
        }
    }
    if still_old(on, &keys).await? {
        // Somebody entered a login while this process had the older key, or another process did.
        return Err(Refusal::Changed);
    }
    tracing::info!(
        sealed = report.sealed,
        unreadable = report.unreadable,
        key = newest,
        "Logins were sealed anew."
    );
    Ok(Reply::Resealed(report))
}

/// Whether a login that could be opened is still sealed with an older key.
async fn still_old(on: &Operations, keys: &Keys) -> Result<bool, Refusal> {
    let mut after = i64::MIN;
    loop {
        let page = on.store.sealed_after(after, PAGE).await?;
        let Some((last, _)) = page.last() else {
            return Ok(false);
        };
        after = last.account_id;
        let opens_old = |(bound, sealed): &(crate::seal::Bound, Sealed)| {
            sealed.key != keys.newest_id() && keys.open(sealed, *bound).is_ok()
        };
        if page.iter().any(opens_old) {
            return Ok(true);
        }
    }
}

fn write(account_id: i64, before: Sealed, anew: Sealed) -> Write {
    Write::Operation(Operation::Own(OwnAccount::Reseal {
        account_id,
        before: before.text,
        key_id: anew.key,
        sealed: anew.text,
    }))
}

fn needed(keys: &mut Vec<String>, key: String) {
    if !keys.contains(&key) {
        keys.push(key);
    }
}

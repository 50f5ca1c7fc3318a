//! Lines: whose they are. What the configuration file says about one wins (semantics 17).

use std::time::Duration;

use super::{Line, Operations, ROWS_MAX, Refusal, Reply, rows, time, users::person};
use crate::store::{
    Write,
    read::LineShown,
    write::{Done, Operation, OwnerRow},
};

/// Semantics 17: a number that was given back rests.
const REST: Duration = Duration::from_hours(90 * 24);

pub(super) async fn list(on: &Operations, gateway: Option<&str>) -> Result<Reply, Refusal> {
    let lines = on
        .store
        .lines_shown(on.named(gateway)?, None, rows(ROWS_MAX))
        .await?;
    Ok(Reply::Lines(lines.into_iter().map(listed).collect()))
}

pub(super) async fn assign(on: &Operations, number: &str, user: &str) -> Result<Reply, Refusal> {
    let jid = person(user)?;
    let user = jid.to_string();
    let line = find(on, number).await?;
    let number = line.address.clone();
    if let Some(gateway) = on
        .by_name(&line.gateway)
        .filter(|gateway| !gateway.admits(&jid))
    {
        return Err(Refusal::NotAdmitted {
            user,
            gateway: gateway.config.name.clone(),
        });
    }
    if !line.owners.contains(&user) {
        give(on, &line, &user).await?;
    }
    Ok(Reply::LineAssigned { number, user })
}

async fn give(on: &Operations, line: &LineShown, user: &str) -> Result<(), Refusal> {
    changeable(line)?;
    let number = line.address.clone();
    if let Some(owner) = line.owners.first() {
        return Err(Refusal::Taken {
            address: number,
            owner: owner.clone(),
        });
    }
    if line.state == "retired" {
        return Err(Refusal::LineRetired { number });
    }
    let rests = rests_until(line) > on.now_ms();
    let comes_back = on
        .store
        .has_talked(line.gateway_id, user, line.line_id)
        .await?;
    if line.state == "resting" && rests && !comes_back {
        let until = time(rests_until(line));
        return Err(Refusal::LineRests { number, until });
    }
    let owner = OwnerRow {
        gateway_id: line.gateway_id,
        address: number,
        jid: user.to_owned(),
        owned: true,
        at_ms: on.now_ms(),
    };
    let done = on.commit(vec![Write::Owner(owner)]).await?;
    if done.contains(&Done::Unchanged) {
        return Err(Refusal::Changed);
    }
    Ok(())
}

pub(super) async fn release(on: &Operations, number: &str) -> Result<Reply, Refusal> {
    let line = find(on, number).await?;
    changeable(&line)?;
    let number = line.address.clone();
    if line.owners.is_empty() {
        return Err(Refusal::LineIsFree { number });
    }
    let operation = Operation::ReleaseLine {
        line_id: line.line_id,
        at_ms: on.now_ms(),
    };
    if !on.operate(operation).await? {
        return Err(Refusal::Changed);
    }
    let released = find(on, &number).await?;
    let rests = released.state == "resting";
    Ok(Reply::LineReleased {
        number,
        rests_until: rests.then(|| time(rests_until(&released))),
    })
}

/// Whether commands have a say about this line.
fn changeable(line: &LineShown) -> Result<(), Refusal> {
    let number = line.address.clone();
    let owners = line.owners.join(", ");
    match (line.source.as_str(), line.kind.as_str()) {
        ("registration" | "account", _) => Err(Refusal::LineOfRegistration {
            number,
            owner: owners,
        }),
        ("file", "owned") => Err(Refusal::LineOfFile {
            number,
            owner: owners,
        }),
        (_, "shared") => Err(Refusal::LineOfFile {
            number,
            owner: "shared".to_owned(),
        }),
        _ => Ok(()),
    }
}

/// The line that this names, as it is written in the database or as people write it.
async fn find(on: &Operations, number: &str) -> Result<LineShown, Refusal> {
    let number = number.trim();
    let mut spellings = vec![number.to_owned()];
    for gateway in &on.gateways {
        let read = gateway.read_typed(number);
        spellings.extend(read.map(|address| address.as_str().to_owned()));
    }
    for spelling in spellings.iter().filter(|spelling| !spelling.is_empty()) {
        let found = on
            .store
            .lines_shown(None, Some(spelling), rows(ROWS_MAX))
            .await?;
        if let Some(line) = found.into_iter().next() {
            return Ok(line);
        }
    }
    Err(Refusal::NoSuchLine {
        number: number.chars().take(100).collect(),
    })
}

fn rests_until(line: &LineShown) -> i64 {
    transom_adapter::UnixMillis(line.changed_ms).after(REST).0
}

fn listed(line: LineShown) -> Line {
    Line {
        number: line.address,
        gateway: line.gateway,
        kind: line.kind,
        state: line.state,
        changed: time(line.changed_ms),
        source: line.source,
        providers: line.routes,
        owners: line.owners,
        fallback: line.fallback,
    }
}

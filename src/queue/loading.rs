//! From rows to work: what the scheduler has read from the database.

use std::num::NonZeroU16;

use transom_adapter::{AccountName, Address, Group, Network, Outgoing, Route, UnixMillis};

use super::{
    OutWork, Surroundings, Work,
    lanes::{LANES_MAX, Loaded, WORK_PER_LANE},
};
use crate::{
    gateway::{Gateway, payload::Payload},
    hooks::{Step, step},
    store::{
        StoreError, StoredRoute, Write,
        read::{DueLane, OutRow},
        write::Release,
    },
};

/// Lanes found in the database at once.
const FIND_LANES: i64 = 5_000;

/// Every lane that waits, earliest first, as many as the book holds.
pub(super) async fn read_due(surroundings: &Surroundings) -> Result<Vec<DueLane>, StoreError> {
    let (mut lanes, mut after_ms) = (Vec::new(), i64::MIN);
    while lanes.len() < LANES_MAX {
        let page = surroundings.store.due_lanes(after_ms, FIND_LANES).await;
        let page = page.inspect_err(|error| {
            let error: &dyn std::error::Error = error;
            tracing::error!(error, "Cannot read what waits.");
        })?;
        let is_last = page.len() < usize::try_from(FIND_LANES).unwrap_or(usize::MAX);
        // The page's last millisecond may go on in the next one: it is read again.
        after_ms = page.last().map_or(after_ms, |lane| lane.due_ms - 1);
        lanes.extend(page);
        if is_last {
            break;
        }
    }
    Ok(lanes)
}

/// The first works of these lanes, whichever direction each has.
pub(super) async fn read_lanes(
    surroundings: &Surroundings,
    lanes: &[i64],
) -> Result<Loaded, StoreError> {
    let limit = i64::try_from(WORK_PER_LANE).unwrap_or(i64::MAX);
    let (inward, outward): (Vec<i64>, Vec<i64>) = lanes.iter().partition(|lane| **lane < 0);
    let mut found = Loaded::default();
    if !outward.is_empty() {
        let rows = surroundings.store.waiting_out(&outward, limit).await?;
        for row in let_go(surroundings, &outward, rows).await? {
            let lane_id = row.lane_id;
            // Order is strict: nothing passes what is held.
            if found.held.iter().any(|(held, _)| *held == lane_id) {
                continue;
            }
            if let Some(until) = row.held_until_ms {
                found.held.push((lane_id, until));
            } else if let Some(work) = out_work(surroundings, row) {
                found.works.push((lane_id, Work::Out(Box::new(work))));
            }
        }
    }
    if !inward.is_empty() {
        let rows = surroundings.store.waiting_in(&inward, limit).await?;
        found.works.extend(
            rows.into_iter()
                .map(|row| (row.lane_id, Work::In(Box::new(row.into())))),
        );
    }
    Ok(found)
}

/// Lets go what was held for long enough, and reads again: between the reading and the commit a correction may have come, and
/// after the commit none can.
async fn let_go(
    surroundings: &Surroundings,
    lanes: &[i64],
    rows: Vec<OutRow>,
) -> Result<Vec<OutRow>, StoreError> {
    let at_ms = surroundings.clock.now().0;
    // What was accepted later than now was held before the clock was set back: nobody waits for the difference.
    let is_over = |row: &&OutRow| {
        let over = |until| until <= at_ms || row.created_ms > at_ms;
        row.held_until_ms.is_some_and(over)
    };
    let releases: Vec<Write> = rows
        .iter()
        .filter(is_over)
        .map(|row| {
            Write::Release(Release {
                delivery_id: row.delivery_id,
                at_ms: at_ms.max(row.held_until_ms.unwrap_or(at_ms)),
            })
        })
        .collect();
    if releases.is_empty() {
        return Ok(rows);
    }
    let committed = surroundings.writer.commit(releases).await;
    committed.map_err(|_| StoreError::Gone)?;
    step(Step::AfterRelease);
    let limit = i64::try_from(WORK_PER_LANE).unwrap_or(i64::MAX);
    surroundings.store.waiting_out(lanes, limit).await
}

/// A message as it was stored, ready to be sent again.
fn out_work(surroundings: &Surroundings, row: OutRow) -> Option<OutWork> {
    let gateway = &surroundings.gateways.get(&row.gateway_id)?.gateway;
    let payload = Payload::from_json(row.payload.as_deref());
    let name = |route: &StoredRoute| AccountName::new(&gateway.config.name, &route.0);
    let route = |stored: &StoredRoute| Route {
        account: name(stored),
        units: NonZeroU16::new(stored.1).unwrap_or(NonZeroU16::MIN),
    };
    let routes: Vec<Route> = row.routes.iter().map(route).collect();
    // What was begun with one account goes on with it, or not at all; so does what it may have taken.
    let is_bound = row.units_done > 0 || row.unknowns > 0;
    let is_its = |route: &Route| gateway.account_id(&route.account) == row.account_id;
    let route = if is_bound {
        let its = routes.iter().position(is_its);
        its.unwrap_or(routes.len())
    } else {
        0
    };
    let thread = match gateway.network() {
        Network::Email => payload.thread.map(Into::into),
        Network::Sms => None,
    };
    let group = payload.group.as_ref().map(|group| group.of(row.message_id));
    let mut work = OutWork {
        delivery_id: row.delivery_id,
        message_id: row.message_id,
        is_one_of_several: row.is_member,
        attempts: row.attempts,
        unit: row.units_done,
        routes,
        route,
        unknowns: row.unknowns,
        started_ms: row.started_ms,
        needs_files: row.has_files,
        outgoing: Outgoing {
            key: transom_adapter::Key(row.delivery_id),
            from: transom_adapter::Address::new(row.from),
            from_name: payload.name,
            to: to_of(row.to, group.as_ref()),
            text: row.body,
            thread,
            created_at: UnixMillis(row.created_ms),
            routes: row.routes.iter().map(name).collect(),
            files: Vec::new(),
            group,
            mail: payload.wish,
        },
    };
    if gateway.network() == Network::Sms && !is_bound {
        reroute(gateway, &mut work);
    }
    Some(work)
}

/// Whom it is for: where all of a group get it at once, the first of them stands for it.
fn to_of(recipient: String, group: Option<&Group>) -> Address {
    let at_once = group.filter(|group| group.at_once);
    let first = at_once.and_then(|group| group.members.first());
    first.map_or_else(|| Address::new(recipient), |member| member.address.clone())
}

/// It goes by those accounts that it was planned for and that are configured still; when none is, its line has moved to others, and
/// it goes by those.
fn reroute(gateway: &Gateway, work: &mut OutWork) {
    let known = |account: &AccountName| gateway.account_id(account).is_some();
    if work.routes.iter().any(|route| known(&route.account)) {
        work.routes.retain(|route| known(&route.account));
        work.outgoing.routes.retain(known);
        return;
    }
    let from = &work.outgoing.from;
    let lines = &gateway.config.lines;
    let Some(line) = lines.iter().find(|line| line.number == *from) else {
        return;
    };
    let name = |name: &String| AccountName::new(&gateway.config.name, name);
    let moved = Outgoing {
        routes: line.providers.iter().map(name).collect(),
        ..work.outgoing.clone()
    };
    if let Ok(plan) = gateway.adapter.plan(&moved) {
        work.routes = plan.routes;
        work.outgoing = moved;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        queue::tests::{Bench, LANE, account_name, row_by},
        store::write::{OutcomeRow, State},
    };

    async fn loaded(bench: &Bench) -> Box<OutWork> {
        let found = read_lanes(&bench.surroundings, &[LANE]).await.unwrap();
        match found.works.into_iter().next() {
            Some((LANE, Work::Out(work))) => work,
            other => panic!("{other:?}"),
        }
    }

    #[tokio::test]
    async fn an_account_that_is_not_configured_any_more_does_not_stand_in_the_way() {
        let bench = Bench::new().await;
        let routes = r#"[["gone",1],["main",1]]"#;
        bench.write(vec![row_by(11, routes)]).await;
        let work = loaded(&bench).await;
        let next = work.routes.get(work.route).map(|route| &route.account);
        assert_eq!(next, Some(&account_name()));
        assert_eq!(work.outgoing.routes, [account_name()]);
    }

    #[tokio::test]
    async fn what_was_held_before_the_clock_was_set_back_is_let_go() {
        let bench = Bench::new().await;
        let hours = 6 * 3_600_000;
        let Write::Out(mut new) = row_by(11, r#"[["main",1]]"#) else {
            panic!("a text")
        };
        new.conversation.at_ms += hours;
        new.held_until_ms = Some(new.conversation.at_ms + 5_000);
        bench.write(vec![Write::Out(new)]).await;
        assert_eq!(loaded(&bench).await.delivery_id, 11);
    }

    #[tokio::test]
    async fn what_an_account_may_have_taken_waits_for_that_one() {
        let bench = Bench::new().await;
        let routes = r#"[["gone",1],["main",1]]"#;
        bench.write(vec![row_by(11, routes)]).await;
        let unknown = |account_id| {
            let row = OutcomeRow {
                account_id: Some(account_id),
                attempts: 1,
                unknowns: 1,
                ..OutcomeRow::new(11, LANE, State::Queued)
            };
            vec![Write::Outcome(row)]
        };
        bench.write(unknown(77)).await;
        let work = loaded(&bench).await;
        assert_eq!(work.routes.get(work.route), None, "no other gets it");
        bench.write(unknown(crate::queue::tests::ACCOUNT)).await;
        let work = loaded(&bench).await;
        let next = work.routes.get(work.route).map(|route| &route.account);
        assert_eq!(next, Some(&account_name()), "the second in its list");
    }
}

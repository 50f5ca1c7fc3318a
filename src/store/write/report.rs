//! What the network says of a message: evidence that is merged, in whatever order it comes.

mod statements;

use std::collections::{BTreeMap, HashMap};

use serde::Serialize;
use transom_adapter::Progress;

use super::{
    Connection, Group, IdRow, OutcomeRow, Row, State, StoreError, TellKind, fetch_rows, index,
    run_rows,
    weigh::{Sent, weigh},
};
use statements::{ALL_DELIVERED, CURRENT, FIND, JOIN_PARKED, MERGED, PARK, PART, PARTS, WAYS};

/// A report, with every way it names its message, best first.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct ReportRow {
    /// Our own key and the part, where the network carried it.
    pub key: Option<(i64, u16)>,
    /// Whom it was for as far as the report says, where the key may be that of another delivery of its message.
    pub recipients: Option<Vec<String>>,
    /// Ids within the scope, (kind, value).
    pub ids: Vec<(&'static str, String)>,
    /// The account, or the gateway where ids are unique world-wide.
    pub scope_id: i64,
    /// How far it came.
    pub progress: Progress,
    /// Why it failed, as a word.
    pub reason: Option<&'static str>,
    /// The network's code.
    pub code: Option<String>,
    /// Now.
    pub at_ms: i64,
    /// When the sender is told that nothing more was heard, if this is the first that is heard of it.
    pub silent_ms: i64,
}

/// A delivery whose user has to be told something.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub struct Tell {
    /// The delivery.
    pub delivery_id: i64,
    /// What.
    pub kind: TellKind,
}

/// What one report says of one part of one delivery.
#[derive(Clone, Debug)]
struct Evidence {
    place: usize,
    delivery_id: i64,
    part: i64,
    state: State,
    reason: Option<String>,
    code: Option<String>,
    silent_ms: Option<i64>,
}

#[derive(Serialize)]
struct NamedRow {
    place: usize,
    delivery_id: i64,
}

#[derive(Serialize)]
struct RefRow<'a> {
    place: usize,
    rank: usize,
    scope_id: i64,
    kind: &'static str,
    value: &'a str,
}

#[derive(Serialize)]
struct ParkRow<'a> {
    scope_id: i64,
    kind: &'static str,
    value: &'a str,
    progress: State,
    reason: Option<&'static str>,
    code: Option<&'a str>,
    at_ms: i64,
}

#[derive(Serialize)]
struct MergedRow {
    delivery_id: i64,
    state: State,
    reason: Option<String>,
    code: Option<String>,
    tell: Option<TellKind>,
    silent_ms: Option<i64>,
    /// A receipt for a member of a group: it is sent once all have the message.
    #[serde(skip)]
    waits_for_others: bool,
}

#[derive(Serialize)]
struct PartRow {
    delivery_id: i64,
    part: i64,
    progress: State,
}

pub(super) async fn apply(
    connection: &mut Connection,
    group: &mut Group<'_>,
) -> Result<(), StoreError> {
    if group.reports.is_empty() {
        return Ok(());
    }
    let found = find(connection, &group.reports).await?;
    let meant = choose(connection, &group.reports).await?;
    let mut evidence = Vec::new();
    let mut parked = Vec::new();
    for (place, report) in &group.reports {
        let key = match (report.key, meant.get(place)) {
            (Some(_), Some(None)) => {
                tracing::info!(
                    "A report names a message to several, and none of those whom it went to."
                );
                continue;
            }
            (Some((_, part)), Some(Some(delivery_id))) => Some((*delivery_id, part)),
            (key, _) => key,
        };
        match key.or_else(|| found.get(place).copied()) {
            Some((delivery_id, part)) => evidence.push(Evidence {
                place: *place,
                delivery_id,
                part: part.into(),
                state: report.progress.into(),
                reason: report.reason.map(str::to_owned),
                code: report.code.clone(),
                silent_ms: Some(report.silent_ms),
            }),
            None => parked.extend(park_rows(report)),
        }
    }
    run_rows(connection, PARK, &parked).await?;
    merge(connection, group, evidence).await
}

/// Joins reports that came before the ids which an outcome has just added.
pub(super) async fn join_parked(
    connection: &mut Connection,
    group: &mut Group<'_>,
    ids: &[&IdRow],
) -> Result<(), StoreError> {
    let mut evidence = last_parts(group, ids);
    for row in fetch_rows(connection, JOIN_PARKED, ids).await? {
        let delivery_id = row.int(0)?;
        let outcome = group
            .outcomes
            .iter()
            .find(|(_, outcome)| outcome.delivery_id == delivery_id);
        evidence.push(Evidence {
            place: outcome.map_or(usize::MAX, |(place, _)| *place),
            delivery_id,
            part: row.int(1)?,
            state: State::from_word(row.text(2)?).unwrap_or(State::Unknown),
            reason: row.opt_text(3)?.map(str::to_owned),
            code: row.opt_text(4)?.map(str::to_owned),
            silent_ms: None,
        });
    }
    merge(connection, group, evidence).await
}

/// With its last part a text is weighed once more: the reports on the others did not decide before all were out.
fn last_parts(group: &Group<'_>, ids: &[&IdRow]) -> Vec<Evidence> {
    let is_last = |id: &&&IdRow| id.part > 0;
    let evidence = |id: &&IdRow| {
        let of_this = |(_, outcome): &&(usize, &OutcomeRow)| {
            outcome.delivery_id == id.delivery_id && outcome.state == State::Accepted
        };
        let (place, _) = group.outcomes.iter().find(of_this)?;
        Some(Evidence {
            place: *place,
            delivery_id: id.delivery_id,
            part: id.part.into(),
            state: State::Accepted,
            reason: None,
            code: None,
            silent_ms: None,
        })
    };
    ids.iter().filter(is_last).filter_map(evidence).collect()
}

async fn find(
    connection: &mut Connection,
    reports: &[(usize, &ReportRow)],
) -> Result<HashMap<usize, (i64, u16)>, StoreError> {
    let mut refs = Vec::new();
    for (place, report) in reports.iter().filter(|(_, report)| report.key.is_none()) {
        refs.extend(
            report
                .ids
                .iter()
                .enumerate()
                .map(|(rank, (kind, value))| RefRow {
                    place: *place,
                    rank,
                    scope_id: report.scope_id,
                    kind,
                    value,
                }),
        );
    }
    let mut best: HashMap<usize, (i64, (i64, u16))> = HashMap::new();
    for row in fetch_rows(connection, FIND, &refs).await? {
        let (place, rank) = (index(row.int(0)?), row.int(1)?);
        let hit = (row.int(2)?, u16::try_from(row.int(3)?).unwrap_or(0));
        let entry = best.entry(place).or_insert((rank, hit));
        if rank < entry.0 {
            *entry = (rank, hit);
        }
    }
    Ok(best
        .into_iter()
        .map(|(place, (_, hit))| (place, hit))
        .collect())
}

/// The delivery that is meant by each report whose key may be that of another one of its message: the one to a recipient that the report
/// names; nothing where no such one is known. A message with one delivery needs no choice.
async fn choose(
    connection: &mut Connection,
    reports: &[(usize, &ReportRow)],
) -> Result<HashMap<usize, Option<i64>>, StoreError> {
    let unsure = reports.iter().filter_map(|(place, report)| {
        let (delivery_id, _) = report.key?;
        let recipients = report.recipients.as_deref()?;
        Some((*place, delivery_id, recipients))
    });
    let unsure: Vec<(usize, i64, &[String])> = unsure.collect();
    let rows: Vec<NamedRow> = unsure
        .iter()
        .map(|&(place, delivery_id, _)| NamedRow { place, delivery_id })
        .collect();
    let mut ways: HashMap<usize, Vec<(i64, Option<String>)>> = HashMap::new();
    for row in fetch_rows(connection, WAYS, &rows).await? {
        let way = (row.int(1)?, row.opt_text(2)?.map(str::to_owned));
        ways.entry(index(row.int(0)?)).or_default().push(way);
    }
    let mut meant = HashMap::new();
    for (place, _, recipients) in unsure {
        let Some(ways) = ways.get(&place).filter(|ways| ways.len() > 1) else {
            continue;
        };
        let way_to = |name: &String| {
            let mut ways = ways.iter();
            ways.find(|(_, recipient)| recipient.as_ref() == Some(name))
        };
        let way = recipients.iter().find_map(way_to);
        meant.insert(place, way.map(|(delivery_id, _)| *delivery_id));
    }
    Ok(meant)
}

fn park_rows(report: &ReportRow) -> impl Iterator<Item = ParkRow<'_>> {
    report.ids.iter().map(|(kind, value)| ParkRow {
        scope_id: report.scope_id,
        kind,
        value,
        progress: report.progress.into(),
        reason: report.reason,
        code: report.code.as_deref(),
        at_ms: report.at_ms,
    })
}

async fn merge(
    connection: &mut Connection,
    group: &mut Group<'_>,
    evidence: Vec<Evidence>,
) -> Result<(), StoreError> {
    if evidence.is_empty() {
        return Ok(());
    }
    let ids: Vec<i64> = evidence.iter().map(|item| item.delivery_id).collect();
    let mut parts = read_parts(connection, &ids).await?;
    let mut merged: BTreeMap<i64, MergedRow> = BTreeMap::new();
    for row in fetch_rows(connection, CURRENT, &ids).await? {
        let delivery_id = row.int(0)?;
        let of_this = |item: &&Evidence| item.delivery_id == delivery_id;
        let mine: Vec<&Evidence> = evidence.iter().filter(of_this).collect();
        let known = parts.entry(delivery_id).or_default();
        merged.extend(merge_one(&row, known, &mine)?.map(|row| (delivery_id, row)));
    }
    for item in &evidence {
        let delivery_id = item.delivery_id;
        if let Some(kind) = merged.get(&delivery_id).and_then(|row| row.tell) {
            group.tell(item.place, Tell { delivery_id, kind });
        }
    }
    let part_row = |item: &Evidence| {
        let (delivery_id, part) = (item.delivery_id, item.part);
        let progress = *parts.get(&delivery_id)?.get(&part)?;
        Some(PartRow {
            delivery_id,
            part,
            progress,
        })
    };
    let part_rows: Vec<PartRow> = evidence.iter().filter_map(part_row).collect();
    run_rows(connection, PART, &part_rows).await?;
    let merged: Vec<MergedRow> = merged.into_values().collect();
    run_rows(connection, MERGED, &merged).await?;
    let waiting: Vec<&MergedRow> = merged.iter().filter(|row| row.waits_for_others).collect();
    run_rows(connection, ALL_DELIVERED, &waiting).await?;
    Ok(())
}

/// What is known of the parts of these deliveries.
async fn read_parts(
    connection: &mut Connection,
    ids: &[i64],
) -> Result<HashMap<i64, BTreeMap<i64, State>>, StoreError> {
    let mut parts: HashMap<i64, BTreeMap<i64, State>> = HashMap::new();
    for row in fetch_rows(connection, PARTS, ids).await? {
        let state = State::from_word(row.text(2)?).unwrap_or(State::Accepted);
        parts
            .entry(row.int(0)?)
            .or_default()
            .insert(row.int(1)?, state);
    }
    Ok(parts)
}

/// A row of [`CURRENT`] with the evidence on it; nothing when it changes nothing.
fn merge_one(
    row: &Row,
    known: &mut BTreeMap<i64, State>,
    mine: &[&Evidence],
) -> Result<Option<MergedRow>, StoreError> {
    let Some(current) = State::from_word(row.text(1)?) else {
        return Ok(None);
    };
    let text = Sent {
        state: current,
        ended: row.flag(6)?,
        units: index(row.int(2)?),
    };
    for item in mine {
        let known = known.entry(item.part).or_insert(State::Accepted);
        *known = (*known).max(item.state);
    }
    let state = weigh(text, known);
    if state == current {
        return Ok(None);
    }
    let reasons = mine.iter().find(|item| item.reason.is_some());
    let told = row.opt_text(3)?.and_then(TellKind::from_word);
    let tell = tell_of(state, told, row.flag(5)?);
    let of_group = row.opt_text(7)?.is_some();
    Ok(Some(MergedRow {
        delivery_id: row.int(0)?,
        state,
        reason: reasons.and_then(|item| item.reason.clone()),
        code: reasons.and_then(|item| item.code.clone()),
        tell,
        silent_ms: mine.iter().find_map(|item| item.silent_ms),
        waits_for_others: of_group
            && matches!(tell, Some(TellKind::Receipt | TellKind::Read))
            && !is_bad_news(told),
    }))
}

/// Whether the user was told that it may not have arrived.
fn is_bad_news(told: Option<TellKind>) -> bool {
    matches!(
        told,
        Some(TellKind::Error | TellKind::Doubt | TellKind::Silence)
    )
}

fn tell_of(state: State, told: Option<TellKind>, receipt_wanted: bool) -> Option<TellKind> {
    let bad_news = is_bad_news(told);
    match state {
        State::Read => (told != Some(TellKind::Read)).then_some(TellKind::Read),
        State::Delivered if matches!(told, Some(TellKind::Receipt | TellKind::Read)) => None,
        State::Delivered => (receipt_wanted || bad_news).then_some(TellKind::Receipt),
        State::Failed | State::Expired => {
            (told != Some(TellKind::Error)).then_some(TellKind::Error)
        }
        State::Delayed => told.is_none().then_some(TellKind::Delay),
        _ => None,
    }
}

#[cfg(test)]
mod tests;

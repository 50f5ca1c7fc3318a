//! Whom a batch is for: who is in its groups, who of those is blocked, and who of all has opted out.

use serde::Serialize;

use super::{
    super::StoreError,
    Ask, OutwardSnapshot, json,
    statements::{BLOCKS, MEMBER_OPTOUTS, MEMBERS, SHARED_OPTOUTS},
};
use crate::store::{Connection, index};

/// One member, as if its sender wrote to it alone.
#[derive(Serialize)]
struct MemberAsk<'a> {
    jid: &'a str,
    peer: String,
}

/// Who has opted out, whether or not there is a conversation (semantics 33), and what is known of the members of groups.
pub(super) async fn load_groups(
    connection: &mut Connection,
    snapshot: &mut OutwardSnapshot,
    gateway_id: i64,
    asks: &[Ask],
) -> Result<(), StoreError> {
    let named: Vec<&Ask> = asks.iter().filter(|ask| ask.is_named_group).collect();
    load_members(connection, snapshot, gateway_id, &named).await?;
    let mut members = Vec::new();
    for ask in asks {
        let key = (ask.jid.clone(), ask.peer.clone());
        let stored = snapshot.groups.get(&key).into_iter().flatten();
        let stored = stored.map(|(address, _)| address);
        members.extend(stored.chain(&ask.members).map(|peer| MemberAsk {
            jid: &ask.jid,
            peer: peer.clone(),
        }));
    }
    if !members.is_empty() {
        let params = [json(&members), gateway_id.into()];
        for row in connection.rows(BLOCKS, &params).await? {
            let blocked = (row.int(0)?, row.text(1)?.to_owned());
            snapshot.blocked.insert(blocked);
        }
    }
    let alone = asks.iter().filter(|ask| !ask.peer.is_empty());
    members.extend(alone.map(|ask| MemberAsk {
        jid: &ask.jid,
        peer: ask.peer.clone(),
    }));
    if members.is_empty() {
        return Ok(());
    }
    let params = [json(&members), gateway_id.into()];
    for sql in [MEMBER_OPTOUTS, SHARED_OPTOUTS] {
        for row in connection.rows(sql, &params).await? {
            let opted_out = (row.int(0)?, row.text(1)?.to_owned());
            snapshot.opted_out.insert(opted_out);
        }
    }
    Ok(())
}

async fn load_members(
    connection: &mut Connection,
    snapshot: &mut OutwardSnapshot,
    gateway_id: i64,
    named: &[&Ask],
) -> Result<(), StoreError> {
    if named.is_empty() {
        return Ok(());
    }
    let params = [json(named), gateway_id.into()];
    for row in connection.rows(MEMBERS, &params).await? {
        let place = index(row.int(0)?);
        let Some(ask) = named.iter().find(|ask| ask.place == place) else {
            continue;
        };
        let member = (row.text(1)?.to_owned(), row.opt_text(2)?.map(str::to_owned));
        let key = (ask.jid.clone(), ask.peer.clone());
        let members = snapshot.groups.entry(key).or_default();
        // On several of the user's addresses it is the same group.
        if !members.contains(&member) {
            members.push(member);
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use transom_adapter::Lifecycle;

    use super::*;
    use crate::{
        config::StoreUrl,
        metrics::Metrics,
        store::{
            Store, Write,
            write::{LineRow, OptOut, OwnerRow, UserRow},
        },
    };

    const ALICE: &str = "alice@example.org";
    const BOB: &str = "bob@example.org";
    const PEER: &str = "+12025550147";
    const OWN: i64 = 20;
    const SHARED: i64 = 21;

    fn line(line_id: i64, address: &str, kind: &'static str) -> Write {
        Write::Line(LineRow {
            line_id,
            gateway_id: 1,
            address: address.into(),
            kind,
            state: "active",
            source: "file",
            routes: "[]".into(),
            fallback: None,
            at_ms: 0,
        })
    }

    fn said(line_id: i64, out: bool) -> Write {
        Write::OptOut(OptOut {
            line_id,
            peer: PEER.into(),
            out,
            at_ms: 0,
        })
    }

    #[tokio::test]
    async fn a_stop_holds_where_no_conversation_is() {
        let folder = tempfile::tempdir().unwrap();
        let url = StoreUrl::Sqlite(folder.path().join("test.db"));
        let store = Store::open(&url, Lifecycle::new()).await.unwrap();
        store.migrate(true).await.unwrap();
        store.gateway_id("sms", 1).await.unwrap();
        let writer = store.writer(Metrics::new());
        let user = |user_id, jid: &str| {
            Write::User(UserRow {
                user_id,
                gateway_id: 1,
                jid: jid.into(),
                state: "active",
                lang: None,
                at_ms: 0,
            })
        };
        let owner = Write::Owner(OwnerRow {
            gateway_id: 1,
            address: "+12025550100".into(),
            jid: ALICE.into(),
            owned: true,
            at_ms: 0,
        });
        let rows = vec![
            user(10, ALICE),
            user(11, BOB),
            line(OWN, "+12025550100", "pool"),
            line(SHARED, "+12025550199", "shared"),
            owner,
            said(OWN, true),
            said(SHARED, true),
        ];
        writer.commit(rows).await.unwrap();
        let opted_out = async |jid: &str, peer: &str| {
            let ask = Ask {
                peer: peer.into(),
                ..Ask::about_user(jid.into(), None)
            };
            let view = store.outward(1, &[ask], 1).await.unwrap();
            let mut lines: Vec<i64> = view.opted_out.into_iter().map(|(line, _)| line).collect();
            lines.sort_unstable();
            lines
        };
        assert_eq!(opted_out(ALICE, PEER).await, [OWN, SHARED]);
        assert_eq!(opted_out(BOB, PEER).await, [SHARED]);
        assert!(opted_out(ALICE, "+12025550148").await.is_empty());
        writer.commit(vec![said(SHARED, false)]).await.unwrap();
        assert_eq!(opted_out(ALICE, PEER).await, [OWN]);
    }
}

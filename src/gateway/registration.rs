//! Becoming a user (semantics 14 to 16).
//!
//! [`standing`]: by the first message, silently. [`Desk`]: by asking for it, in whichever way.

mod denial;
mod desk;
#[cfg(test)]
pub(crate) mod fixture;
mod person;
mod place;

pub use denial::denial;
pub use desk::Desk;
pub use person::{Book, Effects, Person};

use std::time::Duration;

use transom_adapter::{Address, UnixMillis};

use super::Gateway;
use crate::{
    config::Registration,
    store::{
        read::{KnownUser, OutwardSnapshot},
        write::{LineRow, OwnerRow, UserRow},
    },
    texts::Membership,
    xmpp::jid::BareJid,
};

/// Who removed the gateway from the roster can come back for so long (semantics 15).
pub const DISABLED_FOR: Duration = Duration::from_hours(30 * 24);

/// What a first use comes to.
#[derive(Debug)]
pub struct NewUser {
    /// The registration.
    pub user: UserRow,
    /// The address that comes with it, where the network lets us make one.
    pub address: Option<(LineRow, OwnerRow)>,
}

/// Where a user stands.
#[derive(Debug)]
pub enum Standing<'a> {
    /// Registered.
    Known(&'a KnownUser),
    /// Registers by this first use, silently.
    New(Box<NewUser>),
}

/// Whether this user may send, registering on first use where nothing has to be chosen.
pub(super) fn standing<'a>(
    gateway: &Gateway,
    snapshot: &'a OutwardSnapshot,
    user: &BareJid,
    ids: &dyn Fn() -> i64,
    now_ms: i64,
) -> Result<Standing<'a>, Membership> {
    let domain = gateway.config.domain.to_string();
    if !gateway.admits(user) {
        return Err(Membership::NotAllowed { gateway: domain });
    }
    match snapshot.users.get(user.as_str()) {
        Some(known) if known.state == "active" => return Ok(Standing::Known(known)),
        Some(known) if known.state == "pending" => return Err(Membership::AwaitingApproval),
        Some(known) => {
            let until = UnixMillis(known.changed_ms).after(DISABLED_FOR).timestamp();
            return Err(Membership::Disabled {
                gateway: domain,
                until,
            });
        }
        None => {}
    }
    match gateway.config.registration {
        Registration::Closed => Err(Membership::RegistrationClosed),
        Registration::Approval => Err(Membership::AwaitingApproval),
        Registration::Open => match first_use(gateway, snapshot, user, ids, now_ms) {
            Some(new) => Ok(Standing::New(Box::new(new))),
            None => Err(Membership::HasToChoose {
                gateway: domain,
                network: gateway.network(),
            }),
        },
    }
}

/// Somebody whom [`standing`] told that the admins decide: they are asked, unless they have been (semantics 14).
pub fn apply_for(
    gateway: &Gateway,
    person: &Person,
    moment: &super::moment::Moment<'_>,
    tag: Option<&str>,
) -> Effects {
    let mut effects = Effects::default();
    if person.member.is_none() && gateway.config.registration == Registration::Approval {
        let desk = Desk {
            gateway,
            person,
            moment,
            lang: gateway.lang(tag),
        };
        // The stanza was answered with that text already.
        desk.register(None, &mut effects).err();
    }
    effects
}

/// The registration that needs no choice: an owned line, exactly one shared line and no free pool line, or a free address.
pub fn first_use(
    gateway: &Gateway,
    snapshot: &OutwardSnapshot,
    user: &BareJid,
    ids: &dyn Fn() -> i64,
    now_ms: i64,
) -> Option<NewUser> {
    let own = snapshot
        .lines
        .get(user.as_str())
        .map_or(&[][..], Vec::as_slice);
    let owns = own.iter().any(|line| line.state == "active");
    let only_shared = snapshot.shared.len() == 1 && !snapshot.pool_is_free;
    let row = |state| UserRow {
        user_id: ids(),
        gateway_id: gateway.id,
        jid: user.to_string(),
        state,
        lang: None,
        at_ms: now_ms,
    };
    if owns || only_shared || gateway.adapter.only_own_accounts() {
        return Some(NewUser {
            user: row("active"),
            address: None,
        });
    }
    let address = gateway.adapter.own_address(user.as_str())?;
    // Semantics 16: what this user once gave up is given to nobody else, so it can be had again.
    let former = own
        .iter()
        .find(|line| line.state == "resting" && line.address == address.as_str());
    if former.is_none() && snapshot.taken_addresses.contains(address.as_str()) {
        return None;
    }
    let line_id = former.map_or_else(ids, |line| line.line_id);
    let (line, owner) = new_address(gateway, user, address.as_str(), line_id, now_ms);
    Some(NewUser {
        user: row("active"),
        address: Some((line, owner)),
    })
}

/// The address that a chosen alias would be, on networks where we make addresses: whether it is free has to be looked up.
pub fn chosen_address(gateway: &Gateway, choice: &str) -> Option<Address> {
    gateway.adapter.picked_address(choice)
}

/// An address made at registration, and whose it is.
fn new_address(
    gateway: &Gateway,
    user: &BareJid,
    address: &str,
    line_id: i64,
    now_ms: i64,
) -> (LineRow, OwnerRow) {
    let line = LineRow {
        line_id,
        gateway_id: gateway.id,
        address: address.to_owned(),
        kind: "owned",
        state: "active",
        source: "registration",
        routes: "[]".to_owned(),
        fallback: None,
        at_ms: now_ms,
    };
    let owner = OwnerRow {
        gateway_id: gateway.id,
        address: line.address.clone(),
        jid: user.to_string(),
        owned: true,
        at_ms: now_ms,
    };
    (line, owner)
}

#[cfg(test)]
mod tests;

//! A group as one contact (semantics 11): what it is called, who is in it, who else is named in a stanza.
//!
//! A group of phone numbers is its members in their order, `+12025550147,+12025550148`: nobody has to know it before. Any other is
//! named after a digest of its members, `g-…`; who they are stands in the database, since a digest does not say it.

use sha2::{Digest, Sha256};
use transom_adapter::{Address, Class, Incoming, Member, Network, base32};

use super::{Contact, Gateway};
use crate::{
    texts::{Content, Recipient, Refused, RefusedGroup},
    xmpp::{
        jid::{BareJid, Jid},
        stanza::Message,
        xep::addresses::{self, Role, Who},
    },
};

/// Semantics 11: so many people get one text.
pub(super) const TEXT_MEMBERS_MAX: usize = 10;
/// So many people get one mail, as each counts for the day's limit; and of so many the database keeps who they are.
pub(super) const MAIL_MEMBERS_MAX: usize = 50;

const NAMED: &str = "g-";
/// Letters of the digest: 160 bits, so that nobody finds another group with the same name.
const DIGEST_LETTERS: usize = 32;
const SEPARATOR: char = ',';
/// How long the members' names may be together.
const NAME_CHARS_MAX: usize = 80;

/// Whether a peer is a group.
pub fn is_group(peer: &str) -> bool {
    is_named(peer) || (peer.contains(SEPARATOR) && peer.split(SEPARATOR).all(is_number))
}

/// Whether a peer is a group whose name does not say its members.
pub(super) fn is_named(peer: &str) -> bool {
    let digest = peer.strip_prefix(NAMED);
    digest.is_some_and(|digest| {
        let letter = |byte: u8| byte.is_ascii_lowercase() || (b'2'..=b'7').contains(&byte);
        digest.len() == DIGEST_LETTERS && digest.bytes().all(letter)
    })
}

/// The members that a group's name says; empty for one that does not, and for a single person.
pub(super) fn listed(peer: &str) -> Vec<Address> {
    if is_named(peer) || !is_group(peer) {
        return Vec::new();
    }
    peer.split(SEPARATOR).map(Address::new).collect()
}

/// How many people one message may go to.
pub(super) fn members_max(network: Network) -> usize {
    match network {
        Network::Sms => TEXT_MEMBERS_MAX,
        Network::Email => MAIL_MEMBERS_MAX,
    }
}

/// The peer that several people are, in whichever order they come; one person alone is that person, nobody is `None`.
pub(super) fn peer_of<'a>(
    network: Network,
    members: impl IntoIterator<Item = &'a Address>,
) -> Option<Address> {
    let mut sorted: Vec<&str> = members.into_iter().map(Address::as_str).collect();
    sorted.sort_unstable();
    sorted.dedup();
    let first = sorted.first()?;
    if sorted.len() == 1 {
        return Some(Address::new(*first));
    }
    let numbers = sorted.iter().all(|member| is_number(member));
    if network == Network::Sms && numbers && sorted.len() <= TEXT_MEMBERS_MAX {
        return Some(Address::new(sorted.join(&SEPARATOR.to_string())));
    }
    let mut hash = Sha256::new();
    for member in &sorted {
        hash.update(member.as_bytes());
        hash.update([0]);
    }
    let digest = base32(&hash.finalize());
    let digest: String = digest.chars().take(DIGEST_LETTERS).collect();
    Some(Address::new(format!("{NAMED}{digest}")))
}

/// Only what can be called from everywhere is in a group: no short codes, no names.
fn is_number(member: &str) -> bool {
    let digits = member.strip_prefix('+');
    digits.is_some_and(|digits| {
        !digits.is_empty() && digits.bytes().all(|byte| byte.is_ascii_digit())
    })
}

/// Reads a local part (XEP-0106 undone, without pinned line) that may be a group's. `None`: it is none.
///
/// # Errors
///
/// The peer that was probably meant, where it can be told.
pub(super) fn read(gateway: &Gateway, local: &str) -> Option<Result<Address, Option<Address>>> {
    if is_named(local) {
        return Some(Ok(Address::new(local)));
    }
    // A sender's name may hold a comma too.
    let is_list = local.contains(SEPARATOR) && !local.contains(';');
    if !is_list || gateway.network() != Network::Sms {
        return None;
    }
    let mut members = Vec::new();
    for part in local.split(SEPARATOR).take(TEXT_MEMBERS_MAX + 1) {
        let read = gateway
            .adapter
            .peer(part)
            .or_else(|error| error.suggestion.ok_or(()));
        match read {
            Ok(member) if is_number(member.as_str()) => members.push(member),
            _ => return Some(Err(None)),
        }
    }
    if members.len() > TEXT_MEMBERS_MAX {
        return Some(Err(None));
    }
    let right = peer_of(Network::Sms, &members);
    Some(match right {
        Some(right) if right.as_str() == local => Ok(right),
        right => Err(right),
    })
}

/// What somebody typed: an address, or numbers with commas between them.
pub(super) fn read_typed(gateway: &Gateway, typed: &str) -> Option<Address> {
    let one = gateway.read_typed(typed);
    if one.is_ok() || !typed.contains(SEPARATOR) || gateway.network() != Network::Sms {
        return one.ok();
    }
    let parts = typed.split(SEPARATOR).take(TEXT_MEMBERS_MAX + 1);
    let members: Result<Vec<Address>, _> = parts.map(|part| gateway.read_typed(part)).collect();
    let peer = peer_of(Network::Sms, &members.ok()?)?;
    (!is_named(peer.as_str())).then_some(peer)
}

/// The people of a message from outside, if it came to several: the group, and its members without us.
pub(super) fn of_incoming(gateway: &Gateway, message: &Incoming) -> Option<(Address, Vec<Member>)> {
    // A machine's mail to many is not a conversation, and a vacation note answers one person.
    let talks = message.class == Class::Human && message.mail.regarding.is_none();
    if message.others.is_empty() || !talks {
        return None;
    }
    let author = Member {
        address: message.from.clone(),
        name: message.from_name.clone(),
        copy: false,
    };
    let mut members = vec![author];
    for other in &message.others {
        let known = members.iter().any(|member| member.address == other.address);
        if !known && other.address != message.to {
            members.push(other.clone());
        }
    }
    if members.len() < 2 || members.len() > MAIL_MEMBERS_MAX {
        return None;
    }
    let peer = peer_of(
        gateway.network(),
        members.iter().map(|member| &member.address),
    )?;
    Some((peer, members))
}

/// The members' names, for people.
pub(super) fn name_of<'a>(members: impl Iterator<Item = &'a str>) -> String {
    let mut name = String::new();
    for member in members {
        let separator = if name.is_empty() { "" } else { ", " };
        if name.chars().count() + member.chars().count() > NAME_CHARS_MAX && !name.is_empty() {
            name.push('…');
            break;
        }
        name.extend([separator, member]);
    }
    name
}

/// Whom a message to the bare gateway names (XEP-0033); `None`: nobody, it is for the gateway itself.
///
/// # Errors
///
/// Why it goes to none of them: it must not go to a part of them unnoticed.
pub(super) fn addressed(
    gateway: &Gateway,
    message: &Message,
) -> Option<Result<(Contact, Vec<Member>), Refused>> {
    let parsed = addresses::parse(message)?;
    let recipients = parsed.addresses.iter().filter(|address| !address.delivered);
    let mut read = Addressed::default();
    for address in recipients {
        let copy = match address.role {
            Role::To => false,
            Role::Cc => true,
            Role::Bcc => return Some(Err(RefusedGroup::Hidden.into())),
            Role::NoReply
            | Role::OriginalFrom
            | Role::OriginalTo
            | Role::ReplyRoom
            | Role::ReplyTo => {
                continue;
            }
        };
        if let Err(why) = read.add(gateway, &address.who, address.desc.as_deref(), copy) {
            return Some(Err(why));
        }
    }
    if parsed.broken > 0 {
        return Some(Err(RefusedGroup::Unreadable.into()));
    }
    if read.members.is_empty() {
        return None;
    }
    Some(read.finish(gateway))
}

/// The recipients of one stanza, as far as they are read.
#[derive(Default)]
struct Addressed {
    members: Vec<Member>,
    /// The pinned line that all of them have.
    line: Option<Address>,
}

impl Addressed {
    fn add(
        &mut self,
        gateway: &Gateway,
        who: &Who,
        name: Option<&str>,
        copy: bool,
    ) -> Result<(), Refused> {
        let contact = match who {
            Who::Jid(jid) => of_jid(gateway, jid)?,
            Who::Uri(uri) => of_uri(gateway, uri)?,
            Who::Nobody => return Ok(()),
        };
        if self.members.is_empty() {
            self.line.clone_from(&contact.line);
        }
        if self.line != contact.line {
            return Err(RefusedGroup::SeveralLines.into());
        }
        let known = |member: &Member| member.address == contact.peer;
        if !self.members.iter().any(known) {
            let name = name
                .map(str::to_owned)
                .filter(|name| !name.trim().is_empty());
            let address = contact.peer;
            self.members.push(Member {
                address,
                name,
                copy,
            });
        }
        let recipients_max = members_max(gateway.network());
        if self.members.len() > recipients_max {
            let recipients_max = u16::try_from(recipients_max).unwrap_or(u16::MAX);
            return Err(Content::TooManyRecipients { recipients_max }.into());
        }
        Ok(())
    }

    fn finish(self, gateway: &Gateway) -> Result<(Contact, Vec<Member>), Refused> {
        let addresses = self.members.iter().map(|member| &member.address);
        let peer = peer_of(gateway.network(), addresses).ok_or(RefusedGroup::Unreadable)?;
        let line = self.line;
        Ok((Contact { peer, line }, self.members))
    }
}

fn of_jid(gateway: &Gateway, jid: &Jid) -> Result<Contact, Refused> {
    let elsewhere = || RefusedGroup::Elsewhere {
        address: jid.to_string(),
    };
    if jid.domain() != gateway.config.domain.domain() {
        return Err(elsewhere().into());
    }
    let local = jid.node().ok_or_else(elsewhere)?;
    let contact = gateway
        .contact(local.as_str())
        .map_err(|suggestion| invalid(gateway, jid.as_str(), suggestion.as_ref()))?;
    // Groups of groups would hide who gets it.
    if is_group(contact.peer.as_str()) {
        return Err(elsewhere().into());
    }
    Ok(contact)
}

/// `sms:+12025550147`, `tel:`, `mailto:`: RFC 5724, RFC 3966, RFC 6068.
fn of_uri(gateway: &Gateway, uri: &str) -> Result<Contact, Refused> {
    let elsewhere = || RefusedGroup::Elsewhere {
        address: uri.to_owned(),
    };
    let (scheme, rest) = uri.split_once(':').ok_or_else(elsewhere)?;
    let schemes: &[&str] = match gateway.network() {
        Network::Sms => &["sms", "mms", "tel"],
        Network::Email => &["mailto"],
    };
    if !schemes.contains(&scheme.to_ascii_lowercase().as_str()) {
        return Err(elsewhere().into());
    }
    let plain = rest.split('?').next().unwrap_or(rest);
    let peer = match gateway.network() {
        Network::Sms => gateway.adapter.read_typed(plain),
        Network::Email => gateway.adapter.read_typed(uri),
    };
    let peer = peer.map_err(|_| invalid(gateway, uri, None))?;
    Ok(Contact { peer, line: None })
}

fn invalid(gateway: &Gateway, who: &str, suggestion: Option<&BareJid>) -> Refused {
    let why = Recipient::InvalidAddress {
        network: gateway.network(),
        suggestion: suggestion.map(ToString::to_string),
    };
    Refused::Of {
        who: who.to_owned(),
        why: Box::new(why.into()),
    }
}

/// The JID of a member, else its address as a URI.
pub(super) fn who(gateway: &Gateway, member: &str) -> Who {
    let jid = gateway.jid_of(&Address::new(member), None);
    jid.map_or_else(
        || {
            let scheme = match gateway.network() {
                Network::Sms => "sms",
                Network::Email => "mailto",
            };
            Who::Uri(format!("{scheme}:{member}"))
        },
        |jid| Who::Jid(jid.into()),
    )
}

#[cfg(test)]
mod tests;

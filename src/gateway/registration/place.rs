//! Which number or address a registration comes with (semantics 14, 16 and 17).

use transom_adapter::Network;

use super::{Desk, new_address};
use crate::{
    store::{Write, read::KnownLine, write::OwnerRow},
    texts::{Membership, Recipient, Registration, Text},
};

/// The address that comes with a registration, and what has to be claimed for it.
pub(super) struct Place {
    pub(super) claims: Vec<Write>,
    pub(super) address: Option<String>,
}

impl Desk<'_> {
    /// The address that would come with a registration by itself.
    pub fn given_address(&self) -> Option<String> {
        self.place(None).ok()?.address
    }

    /// Where this person would be registered.
    pub(super) fn place(&self, choice: Option<&str>) -> Result<Place, Text> {
        let had = |line: &KnownLine| Place {
            claims: vec![self.claim(&line.address)],
            address: Some(line.address.clone()),
        };
        if let Some(own) = self.own_line() {
            let place = Place {
                claims: Vec::new(),
                address: Some(own.address.clone()),
            };
            let same = choice
                .is_none_or(|choice| self.read(choice).is_some_and(|read| read == own.address));
            return if same { Ok(place) } else { Err(self.already()) };
        }
        let Some(choice) = choice else {
            if let Some(former) = self.lines().iter().find(|line| line.state == "resting") {
                return Ok(had(former));
            }
            return self.place_without_choice();
        };
        let bad = || -> Text {
            match self.gateway.network() {
                Network::Sms => Recipient::InvalidAddress {
                    network: Network::Sms,
                    suggestion: None,
                }
                .into(),
                Network::Email => Registration::BadAlias {
                    alias: choice.chars().take(64).collect(),
                }
                .into(),
            }
        };
        let address = self.read(choice).ok_or_else(bad)?;
        if let Some(former) = self
            .lines()
            .iter()
            .find(|line| line.state == "resting" && line.address == address)
        {
            return Ok(had(former));
        }
        match self.gateway.network() {
            Network::Sms if self.person.free.contains(&address) => Ok(Place {
                claims: vec![self.claim(&address)],
                address: Some(address),
            }),
            Network::Sms if self.person.free.is_empty() => Err(Registration::NoFreeLine.into()),
            Network::Email if !self.person.taken => Ok(self.make(&address)),
            Network::Sms | Network::Email => Err(Registration::Taken { address }.into()),
        }
    }

    fn place_without_choice(&self) -> Result<Place, Text> {
        if let Some(free) = self.person.free.first() {
            return Ok(Place {
                claims: vec![self.claim(free)],
                address: Some(free.clone()),
            });
        }
        if !self.person.view.shared.is_empty() {
            return Ok(Place {
                claims: Vec::new(),
                address: None,
            });
        }
        if self.gateway.adapter.only_own_accounts() {
            return Ok(Place {
                claims: Vec::new(),
                address: None,
            });
        }
        let derived = self.gateway.adapter.own_address(self.person.jid.as_str());
        match derived.filter(|address| !self.person.view.taken_addresses.contains(address.as_str()))
        {
            Some(address) => Ok(self.make(address.as_str())),
            None => Err(match self.gateway.network() {
                Network::Sms => Registration::NoFreeLine.into(),
                Network::Email => Membership::HasToChoose {
                    gateway: self.domain(),
                    network: Network::Email,
                }
                .into(),
            }),
        }
    }

    /// The address that a choice means.
    pub(super) fn read(&self, choice: &str) -> Option<String> {
        let address = match self.gateway.network() {
            Network::Sms => self.gateway.adapter.read_typed(choice).ok()?,
            Network::Email => {
                let derived = self.gateway.adapter.own_address(self.person.jid.as_str());
                derived
                    .filter(|address| address.as_str() == choice)
                    .or_else(|| self.gateway.adapter.picked_address(choice))?
            }
        };
        Some(address.as_str().to_owned())
    }

    fn make(&self, address: &str) -> Place {
        let (line, owner) = new_address(
            self.gateway,
            &self.person.jid,
            address,
            (self.moment.ids)(),
            self.moment.now.0,
        );
        Place {
            claims: vec![Write::Line(line), Write::Owner(owner)],
            address: Some(address.to_owned()),
        }
    }

    fn claim(&self, address: &str) -> Write {
        Write::Owner(OwnerRow {
            gateway_id: self.gateway.id,
            address: address.to_owned(),
            jid: self.person.jid.to_string(),
            owned: true,
            at_ms: self.moment.now.0,
        })
    }
}

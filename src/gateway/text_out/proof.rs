//! Where an admin wants it, nothing is sent for users who have not proved a mobile number of their own: whoever misuses the gateway can
//! be found.

use transom_adapter::Network;

use super::{Candidate, Decision};
use crate::{
    config::Registration,
    gateway::{Gateway, settings::Settings},
    store::read::OutwardSnapshot,
    texts::Membership,
};

impl Candidate<'_> {
    /// The refusal for a sender who has still to prove a number. Who may not send for another reason is told that one.
    pub fn unproved(&self, gateway: &Gateway, snapshot: &OutwardSnapshot) -> Option<Decision> {
        if !gateway.config.verify_mobile || gateway.network() == Network::Email {
            return None;
        }
        let unproved = match snapshot.users.get(self.user.as_str()) {
            Some(user) => {
                user.state == "active" && Settings::from_json(&user.settings).mobile().is_none()
            }
            // The first use would register.
            None => gateway.config.registration == Registration::Open,
        };
        let gateway = || gateway.config.domain.to_string();
        unproved.then(|| Decision::Refused(Membership::Unproved { gateway: gateway() }.into()))
    }
}

//! A text to several phones at once, which see each other.

use std::sync::Arc;

use transom_adapter::{Address, Outcome, Outgoing, UnixMillis};

use crate::{
    file::Handed,
    post::{Fate, Post, id_of},
    recent::Seen,
    text::{Delivery, Origin},
    world::World,
};

impl World {
    /// One attempt to send a text, to one phone or to a group of them.
    pub(crate) fn deliver(
        &mut self,
        post: &Arc<Post>,
        (message, files): (&Outgoing, &[Handed]),
        unit: u16,
        now: UnixMillis,
    ) -> Outcome {
        let Some(group) = message.group.as_ref().filter(|group| group.at_once) else {
            return self.deliver_one(post, (message, files), unit, now);
        };
        let mut ids = Vec::new();
        for (place, member) in (0_u16..).zip(&group.members) {
            let to = Outgoing {
                to: member.address.clone(),
                ..message.clone()
            };
            match self.deliver_one(post, (&to, files), place, now) {
                Outcome::Accepted { ids: of_member } => ids.extend(of_member),
                // A provider takes it for the others, and says later whom it could not reach.
                Outcome::Rejected(_) => {
                    let delivery = (message.key, place);
                    ids.push(id_of(delivery));
                    self.report_unassigned(&member.address, post, delivery, now);
                }
                // A repeat finds those who have it.
                held_up => return held_up,
            }
        }
        Outcome::Accepted { ids }
    }

    fn report_unassigned(
        &mut self,
        phone: &Address,
        post: &Arc<Post>,
        delivery: Delivery,
        now: UnixMillis,
    ) {
        let found = self.find(phone).and_then(|handset| handset.find(delivery));
        let sequence = found.map_or(0, |(sequence, _)| sequence);
        let origin = Origin {
            post: Arc::clone(post),
            delivery,
            of_group: true,
        };
        origin.notify(phone, sequence, Fate::Unassigned, now);
        self.recent.remember(delivery, Seen::Accepted);
    }
}

/// The other phones of the group that a text goes to.
pub(crate) fn others_than(phone: &Address, message: &Outgoing) -> Arc<[String]> {
    let members = message.group.iter().flat_map(|group| &group.members);
    let others = members.filter(|member| member.address != *phone);
    others.map(|member| member.address.to_string()).collect()
}

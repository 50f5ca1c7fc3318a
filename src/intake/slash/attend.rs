//! Answering an invitation: a mail that calendars read. RFC 5546 §3.2.3

use transom_adapter::{Attendance, Attending};

use super::{Intake, Place};
use crate::{
    gateway::text_out::attendance_element,
    texts::{Post, Text},
    xmpp::stanza::{Message, Stanza},
};

pub(super) async fn answer(
    intake: &Intake,
    place: &Place<'_>,
    attending: Attending,
) -> Result<Vec<Stanza>, Text> {
    let found = place
        .mail(intake, place.about, |mail| mail.reply.take())
        .await?;
    let (kept, invitation) = found.ok_or(Text::from(Post::NoInvitation))?;
    let attendance = Attendance {
        answer: attending,
        ..*invitation
    };
    let organiser = attendance.organiser.as_str();
    let contact = place.contact_of(intake, &kept, organiser).await;
    let contact = contact.ok_or(Text::from(Post::NoInvitation))?;
    let lang = intake.gateway.lang(place.message.lang.as_deref());
    let title = attendance.title.clone();
    let words = Post::Attends {
        attending,
        title: title.clone(),
    };
    let message = Message::chat(place.from.clone(), contact)
        .with_body(Text::from(words).render(lang))
        .with_child(attendance_element(&attendance));
    Ok(match place.send(intake, message).await? {
        Some(refused) => vec![refused],
        None => vec![place.say(intake, Post::AttendanceSent { attending, title })],
    })
}

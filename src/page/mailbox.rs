//! The page on which the password of a mail account is entered.

use axum::http::StatusCode;
use maud::{Markup, html};
use secrecy::SecretString;
use transom_adapter::{Place, SignIn};

use super::{Asked, OperatorPage, frame::Frame, notice, redirect};
use crate::{
    http::PageReply,
    operations::mailboxes::{Entered, Stage, Ticket},
    texts::{Own, OwnPage, Page, Text},
};

impl OperatorPage {
    /// `own/TOKEN`: the form, and what came of it.
    pub(super) async fn mailbox(&self, asked: &Asked<'_>, ticket: &Ticket) -> PageReply {
        let stage = if asked.is_post {
            let entered = Entered {
                password: SecretString::from(asked.field("password")),
                username: asked.field("username").to_owned(),
                inward: asked.field("inward").to_owned(),
                outward: asked.field("outward").to_owned(),
            };
            self.operations.mailbox_entered(ticket, entered).await
        } else {
            self.operations.mailbox_seen(ticket).await
        };
        let frame = Frame::outside(asked);
        match stage {
            Stage::Fresh | Stage::Finding | Stage::Proving => waiting(asked, &frame),
            Stage::Asking(asking) => {
                let (found, why) = *asking;
                let body = self.asking(&frame, asked, ticket, (found.as_ref(), why));
                frame.reply(StatusCode::OK, &body)
            }
            Stage::Connected => {
                let address = ticket.address.as_str().to_owned();
                let body = html! { p.notice { (frame.say(Own::Connected { address })) } };
                frame.reply(StatusCode::OK, &body)
            }
            Stage::Over => notice(asked, StatusCode::GONE, Page::LinkIsOver),
        }
    }
}

impl OperatorPage {
    /// `own?state=TOKEN&code=…`: back from the provider. RFC 6749 §4.1.2
    pub(super) async fn mailbox_back(&self, asked: &Asked<'_>) -> PageReply {
        let token = asked.parameter("state");
        let Some(ticket) = self.operations.once.mailbox(token, asked.now) else {
            return notice(asked, StatusCode::GONE, Page::LinkIsOver);
        };
        let came = match asked.parameter("code") {
            "" => Err(asked.parameter("error").chars().take(100).collect()),
            code => Ok(code.to_owned()),
        };
        self.operations.mailbox_returned(&ticket, token, came).await;
        redirect(&format!("own/{token}"))
    }

    /// The form, or the link to the provider's own page.
    fn asking(
        &self,
        frame: &Frame<'_>,
        asked: &Asked<'_>,
        ticket: &Ticket,
        (found, why): (Option<&Place>, Option<Text>),
    ) -> Markup {
        let token = asked.path.rsplit('/').next().unwrap_or_default();
        let there = found.and_then(|place| self.operations.mailbox_sign_in(ticket, place, token));
        let Some(SignIn { provider, url }) = there else {
            return form(frame, asked, ticket, (found, why));
        };
        let address = ticket.address.as_str().to_owned();
        html! {
            h1 { (frame.say(OwnPage::Title)) }
            @if let Some(why) = why { p.flash.wrong role="alert" { (why.render(frame.lang)) } }
            p { (frame.say(OwnPage::About { address })) }
            p.why { (frame.say(OwnPage::ByProvider { provider: provider.clone() })) }
            p { a.main href=(url) rel="noreferrer" { (frame.say(OwnPage::SignInThere { provider })) } }
        }
    }
}

/// Looks again by itself: the same link, by GET.
fn waiting(asked: &Asked<'_>, frame: &Frame<'_>) -> PageReply {
    let here = asked.path.rsplit('/').next().unwrap_or_default();
    let body = html! {
        meta http-equiv="refresh" content={ "2; url=" (here) };
        p.notice { (frame.say(OwnPage::Wait)) }
    };
    frame.reply(StatusCode::OK, &body)
}

fn form(
    frame: &Frame<'_>,
    asked: &Asked<'_>,
    ticket: &Ticket,
    (found, why): (Option<&Place>, Option<Text>),
) -> Markup {
    let here = asked.path.rsplit('/').next().unwrap_or_default();
    let address = ticket.address.as_str().to_owned();
    html! {
        h1 { (frame.say(OwnPage::Title)) }
        @if let Some(why) = why { p.flash.wrong role="alert" { (why.render(frame.lang)) } }
        p { (frame.say(OwnPage::About { address })) }
        form.stacked method="post" action=(here) {
            @match found {
                Some(place) => {
                    p.why { (frame.say(OwnPage::Servers { inward: place.inward.to_string(), outward: place.outward.to_string() })) }
                }
                None => {
                    p.why { (frame.say(OwnPage::NotFound)) " " (frame.say(OwnPage::ServerHint)) }
                    (field(frame, "inward", OwnPage::Inward, asked.field("inward")))
                    (field(frame, "outward", OwnPage::Outward, asked.field("outward")))
                    (field(frame, "username", OwnPage::UserName, named(asked, ticket)))
                }
            }
            label for="password" { (frame.say(OwnPage::Password)) }
            input id="password" name="password" type="password" autocomplete="off" required;
            p.why { (frame.say(OwnPage::AppPassword)) }
            button.main type="submit" { (frame.say(OwnPage::Connect)) }
        }
    }
}

fn named<'a>(asked: &'a Asked<'_>, ticket: &'a Ticket) -> &'a str {
    match asked.field("username") {
        "" => ticket.address.as_str(),
        typed => typed,
    }
}

fn field(frame: &Frame<'_>, name: &str, label: OwnPage, value: &str) -> Markup {
    html! {
        label for=(name) { (frame.say(label)) }
        input id=(name) name=(name) type="text" value=(value) autocomplete="off" autocapitalize="off" spellcheck="false" required;
    }
}

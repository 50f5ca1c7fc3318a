//! Signing in and out, and what is behind links that work once.

use axum::http::StatusCode;
use maud::html;
use secrecy::ExposeSecret as _;
use sha2::{Digest, Sha256};

use super::{
    Asked, OperatorPage, attachment, frame::Frame, notice, redirect, sessions, with_cookie,
};
use crate::{http::PageReply, operations::once::Purpose, texts::Page};

impl OperatorPage {
    /// `in/TOKEN`, `get/TOKEN`: a button, and what it does. `in` alone: the token of the configuration.
    pub(super) fn enter(&self, asked: &Asked<'_>, folder: &str, link: &str) -> PageReply {
        if link.is_empty() && folder == "in" && asked.is_post {
            return self.with_token(asked);
        }
        let once = &self.operations.once;
        if !asked.is_post {
            if !once.works(link, asked.now) {
                return notice(asked, StatusCode::GONE, Page::LinkIsOver);
            }
            let (text, button) = match folder {
                "in" => (Page::LinkSignsIn, Page::Open),
                _ => (Page::LinkDownloads, Page::Download),
            };
            let frame = Frame::outside(asked);
            // The button uses the link up, not the look at it: programs look at links to show what is behind.
            let body = html! {
                p { (frame.say(text)) }
                form method="post" action=(link) { button.main type="submit" { (frame.say(button)) } }
            };
            return frame.reply(StatusCode::OK, &body);
        }
        // Links cannot be guessed and are not counted: whoever makes them up would keep everybody else out.
        match once.take(link, asked.now) {
            Some(Purpose::SignIn) => {
                tracing::info!("Somebody signed in to the operator's page by a link.");
                self.signed_in(asked, "../")
            }
            Some(Purpose::Download { name, bytes, .. }) => attachment(&name, bytes),
            Some(Purpose::Mailbox(_)) | None => notice(asked, StatusCode::GONE, Page::LinkIsOver),
        }
    }

    fn with_token(&self, asked: &Asked<'_>) -> PageReply {
        if !self.with_sessions(|sessions| sessions.may_try(asked.now)) {
            return notice(asked, StatusCode::TOO_MANY_REQUESTS, Page::TooManyTries);
        }
        let is_it = self.token.as_ref().is_some_and(|token| {
            // Digests differ everywhere when the tokens differ anywhere: how long it takes says nothing.
            Sha256::digest(token.expose_secret()) == Sha256::digest(asked.field("token"))
        });
        if is_it {
            tracing::info!("Somebody signed in to the operator's page by token.");
            return self.signed_in(asked, "./");
        }
        tracing::warn!("Somebody tried a wrong token at the operator's page.");
        self.sign_in(asked, Some(Page::WrongToken))
    }

    fn signed_in(&self, asked: &Asked<'_>, to: &str) -> PageReply {
        let cookie = self.with_sessions(|sessions| sessions.begin(asked.now));
        with_cookie(redirect(to), &sessions::set_cookie(&cookie, self.is_secure))
    }

    pub(super) fn leave(&self, asked: &Asked<'_>) -> PageReply {
        if let Some(cookie) = &asked.cookie {
            // Whoever can make others sign out needs their form's token too.
            let session = self.with_sessions(|sessions| sessions.find(cookie, asked.now));
            if session.is_some_and(|session| session.csrf == asked.field("csrf")) {
                self.with_sessions(|sessions| sessions.end(cookie));
            }
        }
        with_cookie(redirect("./"), &sessions::set_cookie("", self.is_secure))
    }

    /// How to sign in; with a form where the configuration has a token.
    pub(super) fn sign_in(&self, asked: &Asked<'_>, wrong: Option<Page>) -> PageReply {
        let frame = Frame::outside(asked);
        let body = html! {
            @if let Some(wrong) = wrong { p.notice { (frame.say(wrong)) } }
            p { (frame.say(Page::HowToSignIn)) }
            @if self.token.is_some() {
                form.stacked method="post" action="in" {
                    label for="token" { (frame.say(Page::Token)) }
                    input id="token" name="token" type="password" autocomplete="current-password" required;
                    button.main type="submit" { (frame.say(Page::SignIn)) }
                }
            }
        };
        frame.reply(StatusCode::UNAUTHORIZED, &body)
    }
}

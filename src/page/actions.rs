//! What buttons do: one operation each, then back to where the button was.

use axum::http::StatusCode;

use super::{Asked, OperatorPage, Session, frame::Frame, notice, redirect, sections::refused};
use crate::{
    commands::shown::{Block, blocks},
    http::PageReply,
    operations::{Actor, Request},
    texts::Page,
};

impl OperatorPage {
    pub(super) async fn act(&self, asked: &Asked<'_>, session: &Session) -> PageReply {
        if asked.field("csrf") != session.csrf {
            return notice(asked, StatusCode::FORBIDDEN, Page::FormIsOld);
        }
        let Some((request, back)) = request(asked).filter(|_| asked.path == "do") else {
            return notice(asked, StatusCode::NOT_FOUND, Page::Nothing);
        };
        tracing::info!(
            action = asked.field("do"),
            "A button of the operator's page was pressed."
        );
        let done = self.operations.perform(Actor::Admin, request).await;
        let frame = Frame::inside(asked, session);
        let flash = match done {
            Ok(reply) => {
                let shown = blocks(&reply, asked.lang, asked.now.timestamp());
                let sentences = shown.into_iter().filter_map(|block| match block {
                    Block::Sentence(text) => Some(text),
                    Block::Facts(_) | Block::Table(_) => None,
                });
                (true, sentences.collect::<Vec<_>>().join(" "))
            }
            Err(why) => (false, refused(&why, &frame)),
        };
        if let Some(cookie) = &asked.cookie {
            self.with_sessions(|sessions| sessions.say(cookie, flash));
        }
        redirect(back)
    }
}

/// What a button asks, and where it stands.
fn request(asked: &Asked<'_>) -> Option<(Request, &'static str)> {
    let field = |name: &str| asked.field(name).to_owned();
    let some = |name: &str| Some(field(name)).filter(|value| !value.is_empty());
    let ids = || some("id").map(|id| vec![id]);
    Some(match asked.field("do") {
        "retry" => {
            let request = Request::QueueRetry {
                ids: ids()?,
                to: None,
            };
            (request, "queue")
        }
        "cancel" => (Request::QueueCancel { ids: ids()? }, "queue"),
        "release" => (Request::QueueRelease { ids: ids()? }, "queue"),
        "block" => {
            let (peer, gateway) = (some("peer")?, some("gateway"));
            (Request::BlockAdd { peer, gateway }, "blocks")
        }
        "unblock" => {
            let (peer, gateway) = (some("peer")?, some("gateway"));
            (Request::BlockRemove { peer, gateway }, "blocks")
        }
        "approve" => {
            let request = Request::UserAdd {
                user: some("user")?,
                gateway: some("gateway"),
                address: None,
            };
            (request, "users")
        }
        "decline" => {
            let (user, gateway) = (some("user")?, some("gateway"));
            (Request::UserDecline { user, gateway }, "users")
        }
        _ => return None,
    })
}

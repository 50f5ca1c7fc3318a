//! What the page shows, part by part.

use axum::http::StatusCode;
use maud::{Markup, html};

use super::{Asked, OperatorPage, Session, frame::Frame, notice};
use crate::{
    commands::shown::{self, Block, Rows},
    http::PageReply,
    operations::{
        AccountNow, Actor, GatewayNow, LinkNow, Overview, Refusal, Reply, Request, User, Waiting,
        WaitingState,
    },
    texts::{Label, Page, Text},
};

/// Rows of a list; the command line shows more.
const ROWS: u32 = 500;

impl OperatorPage {
    pub(super) async fn section(&self, asked: &Asked<'_>, session: &Session) -> PageReply {
        let frame = Frame::inside(asked, session);
        let body = match asked.path {
            "" => self.overview(&frame, asked).await,
            "users" => self.users(&frame).await,
            "user" => self.user(&frame, asked).await,
            "lines" => {
                self.plain(&frame, Page::Lines, Request::LineList { gateway: None })
                    .await
            }
            "queue" => self.queue(&frame).await,
            "trace" => self.trace(&frame, asked).await,
            "blocks" => self.blocks(&frame).await,
            _ => return notice(asked, StatusCode::NOT_FOUND, Page::Nothing),
        };
        match body {
            Ok(body) => frame.reply(StatusCode::OK, &body),
            Err(why) => {
                let body = html! { p.notice { (refused(&why, &frame)) } };
                frame.reply(StatusCode::SERVICE_UNAVAILABLE, &body)
            }
        }
    }

    async fn ask(&self, request: Request) -> Result<Reply, Refusal> {
        self.operations.perform(Actor::Admin, request).await
    }

    /// A list without buttons.
    async fn plain(
        &self,
        frame: &Frame<'_>,
        title: Page,
        request: Request,
    ) -> Result<Markup, Refusal> {
        let reply = self.ask(request).await?;
        Ok(html! {
            h1 { (frame.say(title)) }
            (self.drawn(frame, &reply, |_| Markup::default()))
        })
    }

    async fn overview(&self, frame: &Frame<'_>, asked: &Asked<'_>) -> Result<Markup, Refusal> {
        let Reply::Overview(overview) = self.ask(Request::Overview).await? else {
            return Err(Refusal::Changed);
        };
        let Overview { now, gateways } = overview;
        let link = |at: &GatewayNow| now.links.iter().find(|link| link.gateway == at.gateway);
        let broken = |at: &GatewayNow| -> Vec<&AccountNow> {
            let own = format!("{}/", at.gateway);
            let broken = now.accounts.iter().filter(|account| !account.up);
            broken
                .filter(|account| account.account.starts_with(&own))
                .collect()
        };
        Ok(html! {
            h1 { (frame.say(Page::Overview)) }
            @if !now.store_commits {
                p.notice { (frame.say(Label::Database)) ": " (frame.say(crate::texts::Told::Commits(false))) }
            }
            div.cards {
                @for at in &gateways { (card(frame, at, link(at), &broken(at), asked)) }
            }
        })
    }

    async fn users(&self, frame: &Frame<'_>) -> Result<Markup, Refusal> {
        let reply = self.ask(Request::UserList { gateway: None }).await?;
        let Reply::Users(users) = &reply else {
            return Err(Refusal::Changed);
        };
        let buttons = |at: usize| {
            users
                .get(at)
                .map_or_else(Markup::default, |user| user_buttons(frame, user))
        };
        Ok(html! {
            h1 { (frame.say(Page::Users)) }
            (self.drawn(frame, &reply, buttons))
        })
    }

    async fn user(&self, frame: &Frame<'_>, asked: &Asked<'_>) -> Result<Markup, Refusal> {
        let user = asked.parameter("jid").to_owned();
        let reply = self.ask(Request::UserShow { user: user.clone() }).await?;
        Ok(html! {
            h1 { (user) }
            (self.drawn(frame, &reply, |_| Markup::default()))
        })
    }

    async fn queue(&self, frame: &Frame<'_>) -> Result<Markup, Refusal> {
        let list = Request::QueueList {
            gateway: None,
            direction: None,
            limit: ROWS,
        };
        let reply = self.ask(list).await?;
        let Reply::Queue(waiting) = &reply else {
            return Err(Refusal::Changed);
        };
        let buttons = |at: usize| {
            waiting
                .get(at)
                .map_or_else(Markup::default, |one| queue_buttons(frame, one))
        };
        Ok(html! {
            h1 { (frame.say(Page::Queue)) }
            (self.drawn(frame, &reply, buttons))
        })
    }

    async fn trace(&self, frame: &Frame<'_>, asked: &Asked<'_>) -> Result<Markup, Refusal> {
        let id = asked.parameter("id").trim();
        let found = if id.is_empty() {
            Markup::default()
        } else {
            match self.ask(Request::Trace { id: id.to_owned() }).await {
                Ok(reply) => self.drawn(frame, &reply, |_| Markup::default()),
                Err(why) => html! { p.notice { (refused(&why, frame)) } },
            }
        };
        Ok(html! {
            h1 { (frame.say(Page::Trace)) }
            form.bar method="get" action="trace" role="search" {
                input type="search" name="id" value=(id) maxlength="998" placeholder=(frame.say(Page::FindWhat))
                    aria-label=(frame.say(Page::FindWhat)) required;
                button.main type="submit" { (frame.say(Page::Find)) }
            }
            (found)
        })
    }

    async fn blocks(&self, frame: &Frame<'_>) -> Result<Markup, Refusal> {
        let reply = self.ask(Request::BlockList { gateway: None }).await?;
        let Reply::Blocks(blocks) = &reply else {
            return Err(Refusal::Changed);
        };
        let buttons = |at: usize| {
            let block = blocks.get(at);
            block.map_or_else(Markup::default, |block| {
                let fields = [("peer", block.peer.as_str()), ("gateway", &block.gateway)];
                button(frame, "unblock", &fields, Page::Unblock, false)
            })
        };
        Ok(html! {
            h1 { (frame.say(Page::Blocks)) }
            form.bar method="post" action="do" {
                (frame.csrf())
                input type="hidden" name="do" value="block";
                input type="text" name="peer" maxlength="320" placeholder=(frame.say(Page::BlockWhat))
                    aria-label=(frame.say(Page::BlockWhat)) required;
                button.main type="submit" { (frame.say(Page::Block)) }
            }
            (self.drawn(frame, &reply, buttons))
        })
    }

    /// A reply as every front shows it, with buttons behind the rows of its table.
    fn drawn(&self, frame: &Frame<'_>, reply: &Reply, buttons: impl Fn(usize) -> Markup) -> Markup {
        let now = self.operations.clock.now().timestamp();
        let blocks = shown::blocks(reply, frame.lang, now);
        html! {
            @for block in &blocks {
                section.sheet {
                    @match block {
                        Block::Sentence(text) => p.empty { (text) },
                        Block::Facts(facts) => dl.facts {
                            @for (name, value) in facts { dt { (name) } dd { (value) } }
                        },
                        Block::Table(rows) => (table(rows, &buttons)),
                    }
                }
            }
        }
    }
}

fn table(rows: &Rows, buttons: &impl Fn(usize) -> Markup) -> Markup {
    let has_buttons = (0..rows.rows.len().min(ROWS as usize)).any(|at| !buttons(at).0.is_empty());
    html! {
        table {
            thead { tr {
                @for column in &rows.columns { th scope="col" { (column.title) } }
                @if has_buttons { th {} }
            } }
            tbody {
                @for (at, row) in rows.rows.iter().enumerate().take(ROWS as usize) {
                    tr {
                        @for (column, cell) in rows.columns.iter().zip(row) {
                            td.id[is_id(cell)].short[!column.shrinks] data-label=(column.title) { (cell) }
                        }
                        @if has_buttons { td.buttons { (buttons(at)) } }
                    }
                }
            }
        }
    }
}

/// Keys and numbers stand in figures of one width.
fn is_id(cell: &str) -> bool {
    cell.len() >= 15 && cell.bytes().all(|b| b.is_ascii_digit())
}

fn card(
    frame: &Frame<'_>,
    at: &GatewayNow,
    link: Option<&LinkNow>,
    broken: &[&AccountNow],
    asked: &Asked<'_>,
) -> Markup {
    let is_up = link.is_some_and(|link| link.up);
    let state = if is_up { Page::Up } else { Page::Down };
    let oldest = at
        .oldest
        .map(|oldest| shown::age(oldest, asked.now.timestamp()));
    let numbers = [
        (Page::Users, at.users.to_string(), false),
        (Page::Lines, at.lines.to_string(), false),
        (Page::Today, at.messages_today.to_string(), false),
        (Page::WaitingOut, at.waiting_out.to_string(), false),
        (Page::WaitingIn, at.waiting_in.to_string(), false),
        (
            Page::Oldest,
            oldest.unwrap_or_else(|| "–".to_owned()),
            false,
        ),
        (Page::Pending, at.pending.to_string(), at.pending > 0),
        (Page::Unowned, at.unowned.to_string(), at.unowned > 0),
    ];
    html! {
        article.card {
            div.top {
                h2 { (at.gateway) }
                span.state.down[!is_up] { (frame.say(state)) }
            }
            div.where { (at.domain) }
            @if let Some(link) = link.filter(|link| !link.up) {
                p.why { (link.detail) }
                @for (server, remedy) in ["Prosody", "ejabberd"].iter().zip(&link.remedies) {
                    p.why { strong { (server) } " " (remedy) }
                }
            }
            dl.numbers {
                @for (name, number, loud) in numbers {
                    div.loud[loud] { dt { (frame.say(name)) } dd { (number) } }
                }
            }
            @for account in broken {
                p.why {
                    span.state.down { (account.account) } " " (account.detail)
                }
            }
            @if !at.accounts.is_empty() {
                p.why { (frame.say(Label::Account)) ": " (at.accounts.join(", ")) }
            }
        }
    }
}

fn user_buttons(frame: &Frame<'_>, user: &User) -> Markup {
    let fields = [("user", user.user.as_str()), ("gateway", &user.gateway)];
    html! {
        form method="get" action="user" {
            input type="hidden" name="jid" value=(user.user);
            button type="submit" { (frame.say(Page::Open)) }
        }
        @if user.state == "pending" {
            " " (button(frame, "approve", &fields, Page::Approve, false))
            " " (button(frame, "decline", &fields, Page::Decline, true))
        }
    }
}

fn queue_buttons(frame: &Frame<'_>, one: &Waiting) -> Markup {
    let fields = [("id", one.id.as_str())];
    html! {
        @match one.state {
            WaitingState::Queued => (button(frame, "retry", &fields, Page::Retry, false)),
            WaitingState::Restored => (button(frame, "release", &fields, Page::Release, false)),
            WaitingState::Held | WaitingState::Sending | WaitingState::Unowned => {}
        }
        @if one.state != WaitingState::Sending {
            " " (button(frame, "cancel", &fields, Page::GiveUp, true))
        }
    }
}

/// A form of one button.
fn button(
    frame: &Frame<'_>,
    action: &str,
    fields: &[(&str, &str)],
    text: Page,
    risky: bool,
) -> Markup {
    html! {
        form method="post" action="do" {
            (frame.csrf())
            input type="hidden" name="do" value=(action);
            @for (name, value) in fields { input type="hidden" name=(name) value=(value); }
            button.risky[risky] type="submit" { (frame.say(text)) }
        }
    }
}

/// A refusal as a sentence.
pub(super) fn refused(why: &Refusal, frame: &Frame<'_>) -> String {
    crate::commands::sentence(&Text::from(why.clone()).render(frame.lang))
}

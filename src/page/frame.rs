//! What every page has: a head, a menu, the language, the style.

use axum::http::StatusCode;
use maud::{DOCTYPE, Markup, PreEscaped, html};

use super::{Asked, Session, typed};
use crate::{
    http::PageReply,
    texts::{Lang, Page, Text},
};

/// The style sheet.
pub(super) const STYLE: &str = include_str!("style.css");

/// The parts of the page: path and name.
const MENU: [(&str, Page); 6] = [
    ("./", Page::Overview),
    ("users", Page::Users),
    ("lines", Page::Lines),
    ("queue", Page::Queue),
    ("trace", Page::Trace),
    ("blocks", Page::Blocks),
];

/// What is around the content.
pub(super) struct Frame<'a> {
    pub(super) lang: Lang,
    session: Option<&'a Session>,
    path: &'a str,
    /// How to get to `/admin/` from here.
    up: &'static str,
}

impl<'a> Frame<'a> {
    /// For whoever is not signed in.
    pub(super) fn outside(asked: &Asked<'a>) -> Self {
        let up = if asked.path.contains('/') { "../" } else { "" };
        Self {
            lang: asked.lang,
            session: None,
            path: asked.path,
            up,
        }
    }

    /// For whoever is.
    pub(super) fn inside(asked: &Asked<'a>, session: &'a Session) -> Self {
        Self {
            session: Some(session),
            ..Self::outside(asked)
        }
    }

    /// A sentence or a word.
    pub(super) fn say(&self, text: impl Into<Text>) -> String {
        text.into().render(self.lang)
    }

    /// The hidden field that every form of a session carries.
    pub(super) fn csrf(&self) -> Markup {
        let csrf = self.session.map_or("", |session| session.csrf.as_str());
        html! { input type="hidden" name="csrf" value=(csrf); }
    }

    /// The whole page.
    pub(super) fn reply(&self, status: StatusCode, body: &Markup) -> PageReply {
        let name = MENU.iter().find(|(path, _)| *path == self.path);
        let name = name.map_or(Page::Operator, |(_, name)| name.clone());
        let title = self.say(name);
        let page = html! {
            (DOCTYPE)
            html lang=(self.lang.tag()) {
                head {
                    meta charset="utf-8";
                    meta name="viewport" content="width=device-width, initial-scale=1";
                    meta name="robots" content="noindex";
                    meta name="color-scheme" content="light dark";
                    title { (title) }
                    link rel="stylesheet" href={ (self.up) "style.css" };
                }
                body class=[self.session.is_none().then_some("outside")] {
                    (self.head())
                    main {
                        @if let Some((works, text)) = self.session.and_then(|session| session.flash.as_ref()) {
                            p.flash.wrong[!works] role="status" { (text) }
                        }
                        (body)
                    }
                }
            }
        };
        typed(status, "text/html; charset=utf-8", page.into_string())
    }

    fn head(&self) -> Markup {
        let is_here = |path: &str| path == self.path || (path == "./" && self.path.is_empty());
        html! {
            header {
                span.brand { (mark()) (self.say(Page::Operator)) }
                @if self.session.is_some() {
                    nav {
                        @for (path, name) in MENU {
                            a href=(path) aria-current=[is_here(path).then_some("page")] { (self.say(name)) }
                        }
                    }
                    form method="post" action="out" {
                        (self.csrf())
                        button.quiet type="submit" { (self.say(Page::SignOut)) }
                    }
                }
            }
        }
    }
}

/// A beam over a door, with a gap: what a transom is.
fn mark() -> Markup {
    html! {
        svg viewBox="0 0 24 24" width="22" height="22" aria-hidden="true" {
            (PreEscaped(r#"<path d="M3 4h18v3H3zM5 9h3v11H5zM16 9h3v11h-3zM10 9h4v3h-4z" fill="currentColor"/>"#))
        }
    }
}

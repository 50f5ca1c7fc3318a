//! A reply as people read it, in their language: sentences, facts and tables. Each front draws them its own way: a terminal, a chat, a
//! form, a web page.

mod life;
mod lists;

use jiff::{Timestamp, Unit};

use crate::{
    operations::{
        AccountNow, GatewayNow, LinkNow, Now, OnceLink, Overview, Renamed, Reply, Usage, UserAdded,
        UserShown,
    },
    texts::{Label, Lang, Own, Post, Text, Told},
};

/// A piece of what is shown.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Block {
    /// A sentence, or a few lines.
    Sentence(String),
    /// Names and what they stand for; an empty name goes on under the last one.
    Facts(Vec<(String, String)>),
    /// Rows under a header.
    Table(Rows),
}

/// Rows under a header.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Rows {
    /// The header.
    pub columns: Vec<Column>,
    /// The rows, a cell a column.
    pub rows: Vec<Vec<String>>,
}

/// A column.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Column {
    /// Its name.
    pub title: String,
    /// Whether it may be cut where the whole would be too wide.
    pub shrinks: bool,
}

/// Draws replies for one reader at one moment.
pub(super) struct Shower {
    lang: Lang,
    now: Timestamp,
}

/// A reply as people read it; `now` is what ages count from.
pub fn blocks(reply: &Reply, lang: Lang, now: Timestamp) -> Vec<Block> {
    Shower { lang, now }.reply(reply)
}

impl Shower {
    fn reply(&self, reply: &Reply) -> Vec<Block> {
        match reply {
            Reply::Users(users) => self.users(users),
            Reply::User(shown) => self.user(shown),
            Reply::Lines(lines) => self.lines(lines),
            Reply::Queue(waiting) => self.queue(waiting),
            Reply::Messages(lives) => lives.iter().map(|life| self.life(life)).collect(),
            Reply::Blocks(blocks) => self.blocks(blocks),
            Reply::Optouts(optouts) => self.optouts(optouts),
            Reply::Contacts(contacts) => self.contacts(contacts),
            Reply::Sent(sent) => self.sent(sent),
            Reply::Mailboxes(mailboxes) => self.mailboxes(mailboxes),
            Reply::Now(now) => vec![Block::Facts(self.now_facts(now))],
            Reply::Overview(overview) => self.overview(overview),
            Reply::Usage(usage) => self.usage(usage),
            Reply::Settings(settings) => {
                let fact = |setting: &crate::operations::SettingShown| {
                    let value = setting.value.clone().map(Label::Word);
                    let value = value.unwrap_or(Label::AsConfigured);
                    (setting.name.clone(), self.text(value))
                };
                vec![Block::Facts(settings.iter().map(fact).collect())]
            }
            Reply::Offer(offer) => {
                let numbers = offer.own.iter().chain(&offer.free);
                vec![Block::Sentence(
                    numbers.cloned().collect::<Vec<_>>().join(", "),
                )]
            }
            Reply::ExportText(text) => vec![Block::Sentence(text.clone())],
            Reply::Strangers(strangers) => self.strangers(strangers),
            Reply::Allowed(allowed) if allowed.is_empty() => {
                vec![self.sentence(Post::NobodyAllowed)]
            }
            Reply::Allowed(allowed) => self.blocks(allowed),
            Reply::Said(text) => vec![Block::Sentence(text.render(self.lang))],
            other => vec![self.sentence(done(other))],
        }
    }

    fn sentence(&self, text: impl Into<Text>) -> Block {
        Block::Sentence(self.text(text))
    }

    fn text(&self, text: impl Into<Text>) -> String {
        text.into().render(self.lang)
    }

    fn word(&self, word: &str) -> String {
        self.text(Label::Word(word.to_owned()))
    }

    /// A table; a label with `true` may be cut.
    fn table(&self, columns: &[(Label, bool)], rows: Vec<Vec<String>>) -> Block {
        let column = |(label, shrinks): &(Label, bool)| Column {
            title: self.text(label.clone()),
            shrinks: *shrinks,
        };
        Block::Table(Rows {
            columns: columns.iter().map(column).collect(),
            rows,
        })
    }

    fn fact(&self, label: Label, value: impl Into<String>) -> (String, String) {
        (self.text(label), value.into())
    }

    fn user(&self, shown: &UserShown) -> Vec<Block> {
        let mut blocks = Vec::new();
        for at in &shown.registrations {
            let since = Told::SinceWhen {
                state: self.word(&at.state),
                since: minute(at.changed),
            };
            let mut facts = vec![
                self.fact(Label::User, &*shown.user),
                self.fact(Label::Gateway, &*at.gateway),
                self.fact(Label::State, self.text(since)),
                self.fact(Label::Registered, minute(at.since)),
            ];
            facts.extend(
                at.lang
                    .as_ref()
                    .map(|lang| self.fact(Label::Language, &**lang)),
            );
            for (place, (line, state)) in at.lines.iter().enumerate() {
                let name = if place == 0 {
                    self.text(Label::Addresses)
                } else {
                    String::new()
                };
                let state = if state == "active" {
                    String::new()
                } else {
                    format!(" ({})", self.word(state))
                };
                facts.push((name, format!("{line}{state}")));
            }
            let used = Told::Used {
                messages: at.messages_today,
                segments: at.segments_today,
            };
            let waiting = Told::Ways {
                out: at.waiting_out,
                inward: at.waiting_in,
            };
            facts.extend(at.mailboxes.iter().map(|mailbox| self.mailbox(mailbox)));
            facts.push(self.fact(Label::Today, self.text(used)));
            facts.push(self.fact(Label::Waiting, self.text(waiting)));
            facts.push(self.fact(Label::Conversations, at.conversations_total.to_string()));
            blocks.push(Block::Facts(facts));
            blocks.extend(self.conversations(&at.conversations));
        }
        blocks
    }

    fn now_facts(&self, now: &Now) -> Vec<(String, String)> {
        let mut facts =
            vec![self.fact(Label::Database, self.text(Told::Commits(now.store_commits)))];
        let link = |link: &LinkNow| {
            let detail = self.word(&link.detail);
            self.fact(Label::Link, format!("{}: {detail}", link.gateway))
        };
        facts.extend(now.links.iter().map(link));
        let account = |account: &AccountNow| {
            let detail = if account.up {
                self.word("up")
            } else {
                account.detail.clone()
            };
            self.fact(Label::Account, format!("{}: {detail}", account.account))
        };
        facts.extend(now.accounts.iter().map(account));
        facts
    }

    fn overview(&self, overview: &Overview) -> Vec<Block> {
        let mut facts = self.now_facts(&overview.now);
        for at in &overview.gateways {
            facts.extend(self.gateway_facts(at));
        }
        vec![Block::Facts(facts)]
    }

    fn gateway_facts(&self, at: &GatewayNow) -> Vec<(String, String)> {
        let waiting = Told::Ways {
            out: at.waiting_out,
            inward: at.waiting_in,
        };
        let mut facts = vec![
            self.fact(Label::Gateway, format!("{} ({})", at.gateway, at.domain)),
            self.fact(Label::User, at.users.to_string()),
            self.fact(Label::Line, at.lines.to_string()),
            self.fact(Label::Waiting, self.text(waiting)),
            self.fact(Label::Today, at.messages_today.to_string()),
            self.fact(Label::Account, at.accounts.join(", ")),
        ];
        let oldest = at.oldest.map(|oldest| age(oldest, self.now));
        facts.extend(oldest.map(|oldest| self.fact(Label::Age, oldest)));
        facts
    }

    fn usage(&self, usage: &Usage) -> Vec<Block> {
        let of = |label, (used, most): (i64, u32)| self.fact(label, format!("{used} / {most}"));
        let facts = vec![
            of(Label::Messages, usage.messages),
            of(Label::Segments, usage.segments),
            of(Label::NewPeers, usage.new_peers),
            of(Label::Everybody, usage.gateway),
        ];
        let until = Told::LimitsEnd { until: usage.until };
        vec![Block::Facts(facts), self.sentence(until)]
    }
}

/// What was done, in one sentence.
fn done(reply: &Reply) -> Text {
    let names = |names: &[String]| names.join(", ");
    match reply {
        Reply::UserAdded(UserAdded {
            user,
            gateway,
            address,
            before,
        }) => Told::UserAdded {
            user: user.clone(),
            gateway: gateway.clone(),
            address: address.clone(),
            before: before.clone(),
        },
        Reply::UserRemoved { user, gateways } => Told::UserRemoved {
            user: user.clone(),
            gateways: names(gateways),
        },
        Reply::Imported { contacts, left_out } => Told::Imported {
            contacts: *contacts,
            left_out: *left_out,
        },
        Reply::UserDeclined { user } => Told::UserDeclined { user: user.clone() },
        Reply::UserRenamed(Renamed {
            old,
            new,
            gateways,
            lines,
            named_by,
        }) => Told::UserRenamed {
            old: old.clone(),
            new: new.clone(),
            gateways: names(gateways),
            lines: names(lines),
            named_by: names(named_by),
        },
        Reply::LineAssigned { number, user } => Told::LineAssigned {
            number: number.clone(),
            user: user.clone(),
        },
        Reply::LineReleased {
            number,
            rests_until,
        } => Told::LineReleased {
            number: number.clone(),
            rests_until: rests_until.map(day),
        },
        Reply::Retried(count) => Told::Retried(*count),
        Reply::Delivered { texts, to } => Told::Delivered {
            texts: *texts,
            to: to.clone(),
        },
        Reply::Cancelled { messages, told } => Told::GivenUp {
            messages: *messages,
            told: *told,
        },
        Reply::Released(count) => Told::Released(usize::try_from(*count).unwrap_or(0)),
        other => return done_by_user(other),
    }
    .into()
}

fn done_by_user(reply: &Reply) -> Text {
    let works_for = |link: &OnceLink| std::time::Duration::from_secs(link.works_for_s);
    match reply {
        Reply::Block {
            peer,
            gateways,
            blocked,
        } => {
            let (peer, gateways) = (peer.clone(), gateways.join(", "));
            if *blocked {
                Told::Blocked { peer, gateways }
            } else {
                Told::Unblocked { peer, gateways }
            }
        }
        Reply::Resealed(report) => Told::Resealed {
            logins: report.sealed,
            unreadable: report.unreadable,
        },
        Reply::Announcing { users } => Told::Announcing { users: *users },
        Reply::Tried { id } => Told::Tried { id: id.clone() },
        Reply::LogLevel(level) => Told::LogLevel(level.clone()),
        Reply::AdminLink(link) => Told::PageLink {
            url: link.url.clone(),
            works_for: works_for(link),
        },
        Reply::Export(link) => Told::ExportLink {
            url: link.url.clone(),
            works_for: works_for(link),
        },
        Reply::MailboxLink { address, link } => {
            return Own::Link {
                address: address.clone(),
                url: link.url.clone(),
                works_for: works_for(link),
            }
            .into();
        }
        Reply::MailboxRemoved { address } => {
            return Own::Removed {
                address: address.clone(),
            }
            .into();
        }
        Reply::SettingsChanged => Told::SettingsKept,
        Reply::ContactRenamed { peer, name } => Told::Renamed {
            peer: peer.clone(),
            name: name.clone(),
        },
        Reply::ContactRemoved { peer } => Told::Forgotten { peer: peer.clone() },
        Reply::Cost(None) => Told::NoCost,
        Reply::Cost(Some(cost)) => Told::Cost {
            characters: cost.characters,
            segments: cost.segments,
            segments_max: cost.segments_max,
            left: cost.characters_left,
            unicode: cost.unicode,
            costly: cost.costly.clone(),
            replaced: cost.replaced.clone(),
        },
        _ => return crate::texts::Dialogue::Done.into(),
    }
    .into()
}

/// The length of time in its largest unit: `59s`, `4m`, `3h`, `12d`.
pub fn age(from: Timestamp, to: Timestamp) -> String {
    let seconds = to.as_second().saturating_sub(from.as_second()).max(0);
    match seconds {
        0..60 => format!("{seconds}s"),
        60..3_600 => format!("{}m", seconds / 60),
        3_600..86_400 => format!("{}h", seconds / 3_600),
        _ => format!("{}d", seconds / 86_400),
    }
}

fn day(time: Timestamp) -> String {
    time.strftime("%Y-%m-%d").to_string()
}

fn minute(time: Timestamp) -> String {
    time.strftime("%Y-%m-%d %H:%M UTC").to_string()
}

fn second(time: Timestamp) -> String {
    let whole = time.round(Unit::Second).unwrap_or(time);
    whole.strftime("%Y-%m-%d %H:%M:%S UTC").to_string()
}

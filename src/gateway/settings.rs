//! A user's own choices: one JSON object of texts beside the registration, loaded with it.
//!
//! To add one: a name here with its [`Kind`], its label in `texts`, and a reader that asks [`Settings`] where it matters.

use std::collections::BTreeMap;

use transom_adapter::Network;

use super::Gateway;
use crate::texts::{Label, Lang};

/// What can be chosen.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub enum Setting {
    /// The language of everything that is said to the user.
    Language,
    /// Whether delivery receipts are wanted.
    Receipts,
    /// The line by which new conversations leave.
    Line,
    /// The name beside the address of mails.
    Name,
    /// Whether a text that answers another quotes it.
    Quotes,
    /// Whether a reaction is sent as a text.
    Reactions,
    /// Whether files that a network does not carry are sent as links.
    FileLinks,
    /// Whether the user is asked before anybody new is shown.
    AskStrangers,
    /// What stands below every mail.
    Signature,
    /// What mails are about that begin a thread without saying.
    Subject,
    /// Whether a mail that answers another quotes it.
    QuoteMail,
    /// Whether mails ask their readers' programs to say that they were displayed.
    AskDisplayed,
    /// Whether such questions are answered once a mail was displayed.
    SayDisplayed,
    /// Whether what was read in the chat is read in the user's own mailbox, and the other way round.
    ShareRead,
}

/// What values a setting takes.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Kind {
    /// The tag of a language.
    Language,
    /// `yes` or `no`.
    YesNo,
    /// The address of one of the user's lines.
    OwnLine,
    /// One line of text, of so many characters at most.
    Text(usize),
}

/// Stands among the choices and is none: the user has been told that reactions are not sent.
pub const TOLD_OF_REACTIONS: &str = "told_of_reactions";

/// Stands among the choices and is none: the mobile number that the user has proved.
pub const MOBILE: &str = "mobile";

/// The choices of one user.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Settings(BTreeMap<String, String>);

impl Setting {
    /// All of them, in the order in which they are shown.
    pub const ALL: [Self; 14] = [
        Self::Language,
        Self::Receipts,
        Self::Line,
        Self::Name,
        Self::Quotes,
        Self::Reactions,
        Self::FileLinks,
        Self::AskStrangers,
        Self::Signature,
        Self::Subject,
        Self::QuoteMail,
        Self::AskDisplayed,
        Self::SayDisplayed,
        Self::ShareRead,
    ];

    /// Its name in the database and in forms.
    pub fn name(self) -> &'static str {
        match self {
            Self::Language => "language",
            Self::Receipts => "receipts",
            Self::Line => "line",
            Self::Name => "name",
            Self::Quotes => "quotes",
            Self::Reactions => "reactions",
            Self::FileLinks => "file_links",
            Self::AskStrangers => "ask_strangers",
            Self::Signature => "signature",
            Self::Subject => "subject",
            Self::QuoteMail => "quote_mail",
            Self::AskDisplayed => "ask_displayed",
            Self::SayDisplayed => "say_displayed",
            Self::ShareRead => "share_read",
        }
    }

    /// What people read beside it.
    pub fn label(self) -> Label {
        match self {
            Self::Language => Label::Language,
            Self::Receipts => Label::Receipts,
            Self::Line => Label::DefaultLine,
            Self::Name => Label::Name,
            Self::Quotes => Label::Quotes,
            Self::Reactions => Label::ReactionsAsText,
            Self::FileLinks => Label::FileLinks,
            Self::AskStrangers => Label::AskStrangers,
            Self::Signature => Label::Signature,
            Self::Subject => Label::Subject,
            Self::QuoteMail => Label::QuoteMail,
            Self::AskDisplayed => Label::AskDisplayed,
            Self::SayDisplayed => Label::SayDisplayed,
            Self::ShareRead => Label::ShareRead,
        }
    }

    /// What values it takes.
    pub fn kind(self) -> Kind {
        match self {
            Self::Language => Kind::Language,
            Self::Receipts
            | Self::Quotes
            | Self::Reactions
            | Self::FileLinks
            | Self::AskStrangers
            | Self::QuoteMail
            | Self::AskDisplayed
            | Self::SayDisplayed
            | Self::ShareRead => Kind::YesNo,
            Self::Line => Kind::OwnLine,
            Self::Name => Kind::Text(64),
            Self::Signature => Kind::Text(200),
            Self::Subject => Kind::Text(100),
        }
    }

    /// Whether it means anything at this gateway.
    pub fn applies(self, gateway: &Gateway) -> bool {
        match self {
            Self::Language | Self::Receipts | Self::Line => true,
            Self::Quotes => gateway.network() == Network::Sms,
            Self::Reactions => !gateway.adapter.has_reactions(),
            Self::FileLinks => {
                gateway.network() == Network::Sms && gateway.files.public_url.is_some()
            }
            Self::Name
            | Self::AskStrangers
            | Self::Signature
            | Self::Subject
            | Self::QuoteMail
            | Self::AskDisplayed
            | Self::SayDisplayed => gateway.network() == Network::Email,
            Self::ShareRead => gateway.adapter.own_accounts().is_some(),
        }
    }

    /// Whether this value can be chosen; `lines` are the user's own.
    pub fn takes(self, value: &str, lines: &[String]) -> bool {
        match self.kind() {
            Kind::Language => Lang::ALL.iter().any(|lang| lang.tag() == value),
            Kind::YesNo => matches!(value, "yes" | "no"),
            Kind::OwnLine => lines.iter().any(|line| line == value),
            Kind::Text(most) => {
                // Semantics 28: no name that looks like another address.
                let forbidden = if self == Self::Name { "@<>\"" } else { "" };
                value.chars().count() <= most
                    && !value.contains(|c: char| c.is_control() || forbidden.contains(c))
            }
        }
    }
}

impl Settings {
    /// Reads what the database holds; what makes no sense was never chosen.
    pub fn from_json(json: &str) -> Self {
        Self(serde_json::from_str(json).unwrap_or_default())
    }

    /// What was chosen.
    pub fn get(&self, setting: Setting) -> Option<&str> {
        self.0.get(setting.name()).map(String::as_str)
    }

    /// The language that was chosen.
    pub fn lang(&self) -> Option<Lang> {
        self.get(Setting::Language).and_then(Lang::from_tag)
    }

    /// Whether the user is asked before anybody new is shown.
    pub fn asks_about_strangers(&self) -> bool {
        self.get(Setting::AskStrangers) == Some("yes")
    }

    /// Whether mails ask their readers' programs to say that they were displayed.
    pub fn asks_displayed(&self) -> bool {
        self.get(Setting::AskDisplayed) == Some("yes")
    }

    /// Whether such questions are answered.
    pub fn says_displayed(&self) -> bool {
        self.get(Setting::SayDisplayed) == Some("yes")
    }

    /// Whether what was read in the chat is read in the user's own mailbox, and the other way round; no, unless chosen.
    pub fn shares_read(&self) -> bool {
        self.get(Setting::ShareRead) == Some("yes")
    }

    /// Whether delivery receipts are wanted.
    pub fn wants_receipts(&self) -> bool {
        self.get(Setting::Receipts) != Some("no")
    }

    /// Whether a text that answers another quotes it; no, unless chosen: the quotation is paid for.
    pub fn wants_quotes(&self) -> bool {
        self.get(Setting::Quotes) == Some("yes")
    }

    /// Whether a mail that answers another quotes it; no, unless chosen: in a chat everybody sees what was said.
    pub fn quotes_mail(&self) -> bool {
        self.get(Setting::QuoteMail) == Some("yes")
    }

    /// Whether a reaction is sent as a text; no, unless chosen: nobody expects an emoji to cost money.
    pub fn wants_reactions(&self) -> bool {
        self.get(Setting::Reactions) == Some("yes")
    }

    /// Whether files that a network does not carry are sent as links; `None`: as the gateway does it.
    pub fn wants_file_links(&self) -> Option<bool> {
        self.get(Setting::FileLinks).map(|choice| choice == "yes")
    }

    /// The mobile number that the user has proved.
    pub fn mobile(&self) -> Option<&str> {
        self.0.get(MOBILE).map(String::as_str)
    }

    /// Whether the user has been told that reactions are not sent.
    pub fn was_told_of_reactions(&self) -> bool {
        self.0.contains_key(TOLD_OF_REACTIONS)
    }

    /// The choices of a user who was told so now, as the database holds them.
    pub fn told_of_reactions(mut self) -> String {
        self.0
            .insert(TOLD_OF_REACTIONS.to_owned(), "yes".to_owned());
        serde_json::to_string(&self.0).unwrap_or_else(|_| "{}".to_owned())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_makes_no_sense_was_never_chosen() {
        for json in ["", "[]", "{\"receipts\":1}", "null"] {
            let settings = Settings::from_json(json);
            assert!(
                settings.wants_receipts() && settings.lang().is_none(),
                "{json}"
            );
        }
        let chosen =
            Settings::from_json(r#"{"language":"de","receipts":"no","from another version":"x"}"#);
        assert_eq!(
            (chosen.lang(), chosen.wants_receipts()),
            (Some(Lang::De), false)
        );
    }

    #[test]
    fn values_are_checked() {
        let lines = ["+12025550100".to_owned()];
        assert!(
            Setting::Line.takes("+12025550100", &lines)
                && !Setting::Line.takes("+12025550101", &lines)
        );
        assert!(Setting::Language.takes("de", &[]) && !Setting::Language.takes("xx", &[]));
        assert!(Setting::Name.takes("Alice Ödegård", &[]));
        for bad in ["a\r\nBcc: x", "ceo@example.org", "<x>", &"x".repeat(65)] {
            assert!(!Setting::Name.takes(bad, &[]), "{bad}");
        }
    }
}

//! Every sentence that a user sees, in every language, and none of them anywhere else.
//!
//! A sentence is a value of [`Text`] with typed parts; a language is an implementation of `Translation` in a file of its own, so
//! that a sentence without its translation does not compile. A sentence says what happened and what to do next, in words that
//! need no manual: no codes, no hosts, no names of protocols.

mod admin;
mod command;
mod de;
mod en;
mod group;
mod label;
mod language;
mod mail;
mod notice;
mod own;
mod page;
mod post;
mod proof;
mod quantity;
mod refusal;
mod refused;
mod registration;
mod told;
mod written;

pub use admin::{Admin, Trouble};
pub use command::{Dialogue, Topic};
pub use group::{GroupNotice, RefusedGroup};
pub use label::Label;
pub use language::Lang;
pub use mail::{Card, CardRepeats, CardStep, Mail};
pub use notice::{Failed, Notice, Quoted};
pub use own::{Own, OwnPage};
pub use page::Page;
pub use post::{Knocking, Post, WhyWaits};
pub use proof::Proof;
pub use refusal::Refusal;
pub use refused::{Cap, Content, Encryption, Membership, Recipient, Refused};
pub use registration::{Chat, Registration};
pub use told::Told;
pub use written::Written;

/// A sentence.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Text {
    /// Why something the user wrote is not sent.
    Refused(Refused),
    /// Why something that was accepted did not arrive.
    Failed(Failed),
    /// A line in the chat with a contact.
    Notice(Notice),
    /// A line in the chat with a group.
    GroupNotice(GroupNotice),
    /// A sentence about one of several people.
    Of {
        /// The person's name, else the address.
        who: String,
        /// The sentence.
        text: Box<Text>,
    },
    /// What is said about a mail.
    Mail(Mail),
    /// What is said about mail by command.
    Post(Post),
    /// A line to the admins.
    Admin(Admin),
    /// Becoming a user, and ceasing to be one.
    Registration(Registration),
    /// The conversation with the gateway itself.
    Chat(Chat),
    /// A command's name, question or hint.
    Dialogue(Dialogue),
    /// A word or two in a form, a list or a table.
    Label(Label),
    /// A heading, a button or a sentence of a web page.
    Page(Page),
    /// About a mail account that a user brings.
    Own(Own),
    /// What came of a command.
    Told(Told),
    /// Why a command came to nothing.
    Refusal(Refusal),
    /// What leaves to somebody outside.
    Written(Written),
}

impl Text {
    /// The sentence in this language.
    pub fn render(&self, lang: Lang) -> String {
        let translation: &dyn Translation = match lang {
            Lang::En => &en::English,
            Lang::De => &de::German,
        };
        match self {
            Self::Refused(Refused::Membership(text)) => translation.membership(text),
            Self::Refused(Refused::Recipient(text)) => translation.recipient(text),
            Self::Refused(Refused::Content(text)) => translation.content(text),
            Self::Refused(Refused::Cap(text)) => translation.cap(text),
            Self::Refused(Refused::Group(text)) => translation.refused_group(text),
            Self::Refused(Refused::Of { who, why }) => {
                format!("{} ({who})", Self::Refused((**why).clone()).render(lang))
            }
            Self::GroupNotice(text) => translation.group_notice(text),
            Self::Of { who, text } => format!("{} ({who})", text.render(lang)),
            Self::Failed(text) => translation.failed(text),
            Self::Notice(text) => translation.notice(text),
            Self::Mail(text) => translation.mail(text),
            Self::Post(text) => translation.post(text),
            Self::Admin(text) => translation.admin(text),
            Self::Registration(text) => translation.registration(text),
            Self::Chat(text) => translation.chat(text),
            Self::Dialogue(text) => translation.dialogue(text),
            Self::Label(text) => translation.label(text),
            Self::Page(text) => translation.page(text),
            Self::Own(text) => translation.own(text),
            Self::Told(text) => translation.told(text),
            Self::Refusal(text) => translation.refusal(text),
            Self::Written(text) => translation.written(text),
        }
    }
}

/// One language.
trait Translation {
    fn membership(&self, text: &Membership) -> String;
    fn recipient(&self, text: &Recipient) -> String;
    fn content(&self, text: &Content) -> String;
    fn cap(&self, text: &Cap) -> String;
    fn refused_group(&self, text: &RefusedGroup) -> String;
    fn group_notice(&self, text: &GroupNotice) -> String;
    fn failed(&self, text: &Failed) -> String;
    fn notice(&self, text: &Notice) -> String;
    fn mail(&self, text: &Mail) -> String;
    fn post(&self, text: &Post) -> String;
    fn admin(&self, text: &Admin) -> String;
    fn registration(&self, text: &Registration) -> String;
    fn chat(&self, text: &Chat) -> String;
    fn dialogue(&self, text: &Dialogue) -> String;
    fn label(&self, text: &Label) -> String;
    fn page(&self, text: &Page) -> String;
    fn own(&self, text: &Own) -> String;
    fn told(&self, text: &Told) -> String;
    fn refusal(&self, text: &Refusal) -> String;
    fn written(&self, text: &Written) -> String;
}

macro_rules! text_from {
    ($($kind:ident),*) => {
        $(impl From<$kind> for Text {
            fn from(text: $kind) -> Self {
                Self::$kind(text)
            }
        })*
    };
}
text_from!(
    Refused,
    Failed,
    Notice,
    GroupNotice,
    Mail,
    Post,
    Admin,
    Registration,
    Chat,
    Dialogue,
    Label,
    Page,
    Own,
    Told,
    Refusal,
    Written
);

impl From<OwnPage> for Text {
    fn from(text: OwnPage) -> Self {
        Own::Page(text).into()
    }
}

impl From<Proof> for Text {
    fn from(text: Proof) -> Self {
        Registration::Proof(text).into()
    }
}

impl From<transom_adapter::Unproven> for Text {
    fn from(text: transom_adapter::Unproven) -> Self {
        Own::Unproven(text).into()
    }
}

#[cfg(test)]
mod tests;

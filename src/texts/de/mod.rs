//! German.

mod command;
mod group;
mod mail;
mod outcome;
mod own;
mod page;
mod post;
mod proof;
mod refusal;
mod refused;
mod service;
mod told;
mod written;

use std::time::Duration;

use super::{
    Admin, Cap, Chat, Content, Dialogue, Failed, GroupNotice, Label, Mail, Membership, Notice, Own,
    Page, Post, Recipient, Refusal, RefusedGroup, Registration, Told, Translation, Written,
    quantity::{self, Unit, length},
};

pub(super) struct German;

impl Translation for German {
    fn membership(&self, text: &Membership) -> String {
        refused::membership(text)
    }

    fn recipient(&self, text: &Recipient) -> String {
        refused::recipient(text)
    }

    fn content(&self, text: &Content) -> String {
        refused::content(text)
    }

    fn cap(&self, text: &Cap) -> String {
        refused::cap(text)
    }

    fn refused_group(&self, text: &RefusedGroup) -> String {
        group::refused(text)
    }

    fn group_notice(&self, text: &GroupNotice) -> String {
        group::notice(text)
    }

    fn failed(&self, text: &Failed) -> String {
        outcome::failed(text)
    }

    fn notice(&self, text: &Notice) -> String {
        outcome::notice(text)
    }

    fn mail(&self, text: &Mail) -> String {
        mail::mail(text)
    }

    fn post(&self, text: &Post) -> String {
        post::post(text)
    }

    fn admin(&self, text: &Admin) -> String {
        service::admin(text)
    }

    fn registration(&self, text: &Registration) -> String {
        service::registration(text)
    }

    fn chat(&self, text: &Chat) -> String {
        service::chat(text)
    }

    fn dialogue(&self, text: &Dialogue) -> String {
        command::dialogue(text)
    }

    fn label(&self, text: &Label) -> String {
        command::label(text)
    }

    fn page(&self, text: &Page) -> String {
        page::page(text)
    }

    fn own(&self, text: &Own) -> String {
        own::own(text)
    }

    fn told(&self, text: &Told) -> String {
        told::told(text)
    }

    fn refusal(&self, text: &Refusal) -> String {
        refusal::refusal(text)
    }

    fn written(&self, text: &Written) -> String {
        written::written(text)
    }
}

/// `4 Stunden`, for use after a preposition with the dative: `seit 2 Tagen`, `nach 4 Stunden`.
fn duration(duration: Duration) -> String {
    let (number, unit) = length(duration);
    let (one, many) = match unit {
        Unit::Seconds => ("Sekunde", "Sekunden"),
        Unit::Minutes => ("Minute", "Minuten"),
        Unit::Hours => ("Stunde", "Stunden"),
        Unit::Days => ("Tag", "Tagen"),
    };
    format!("{number} {}", if number == 1 { one } else { many })
}

fn size(bytes: u64) -> String {
    quantity::size(bytes, ',')
}

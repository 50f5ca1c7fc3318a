//! What only mail has, as it is stored with a message and shown around its text.

use serde::{Deserialize, Serialize};
use transom_adapter::{
    Appointment, Attendance, Class, Frequency, Incoming, Step, Suspicion, Unsubscribe,
};

use crate::texts::{Card, CardRepeats, CardStep, Mail};

/// What speaks against a mail's sender, and the appointment it is about. Unknown words of a newer version count as nothing.
#[derive(Clone, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
#[serde(default)]
#[expect(clippy::struct_excessive_bools, reason = "each of them is so or not")]
pub struct StoredMail {
    /// A spam filter took it for spam.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub spam: bool,
    /// It could not be verified.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub unverified: bool,
    /// Its sender's domain says that it did not send it.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub disowned: bool,
    /// The address that the sender's name shows.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub name_shows: Option<String>,
    /// The appointment.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub appointment: Option<StoredAppointment>,
    /// How the invitation is answered.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reply: Option<Box<Attendance>>,
    /// How one leaves the list that it came by.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub unsubscribe: Option<StoredUnsubscribe>,
    /// It is the first of its list, so that it says how to leave.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub says_how_to_leave: bool,
    /// No person wrote it: a vacation note.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub automatic: bool,
    /// It came by a mailing list.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub list: bool,
    /// Who wants to know that it was displayed.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub asks_displayed: Option<AskedDisplayed>,
    /// The account of the user's own that it came by, where somebody may have to be told there that it was displayed.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub own_account: Option<String>,
    /// Its Message-ID, where it is marked as read there once it was displayed here.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub read_id: Option<String>,
}

/// How one leaves a list, as it is stored.
#[derive(Clone, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct StoredUnsubscribe {
    /// By a POST to this URL.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub one_click: Option<String>,
    /// By a mail.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub mail: Option<LeavingMail>,
}

/// A mail that leaves a list, as it is stored.
#[derive(Clone, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct LeavingMail {
    /// Where it goes.
    pub to: String,
    /// What it is about.
    pub subject: Option<String>,
    /// What it says.
    pub body: Option<String>,
}

/// Who wants to know that a mail was displayed, as it is stored.
#[derive(Clone, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct AskedDisplayed {
    /// The address.
    pub to: String,
    /// The mail's Message-ID.
    pub message_id: Option<String>,
}

/// An appointment as it is stored.
#[derive(Clone, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct StoredAppointment {
    step: String,
    title: String,
    when: String,
    repeats: Option<String>,
    place: Option<String>,
    organiser: Option<String>,
}

impl StoredMail {
    /// What is stored of a message; `None` when there is nothing.
    pub fn of(message: &Incoming) -> Option<Box<Self>> {
        let mut stored = Self::default();
        for suspicion in &message.mail.suspicions {
            match suspicion {
                Suspicion::Spam => stored.spam = true,
                Suspicion::Unverified => stored.unverified = true,
                Suspicion::Disowned => stored.disowned = true,
                Suspicion::NameShowsAddress(shown) => {
                    stored.name_shows = Some(shown.as_str().to_owned());
                }
            }
        }
        let appointment = message.mail.appointment.as_deref();
        stored.appointment = appointment.map(StoredAppointment::of);
        stored.reply = appointment.and_then(|asked| asked.reply.clone().map(Box::new));
        stored.unsubscribe = message
            .mail
            .unsubscribe
            .as_deref()
            .map(StoredUnsubscribe::of);
        stored.automatic = message.class == Class::AutoReply;
        stored.list = message.class == Class::List;
        let asks = message.mail.asks_displayed.as_ref();
        stored.asks_displayed = asks.map(|to| AskedDisplayed {
            to: to.as_str().to_owned(),
            message_id: message.message_id.clone(),
        });
        (stored != Self::default()).then(|| Box::new(stored))
    }

    /// What is said before the text, for a mail from this address.
    pub fn warnings(&self, from: &str) -> Vec<Mail> {
        let domain = from.rsplit('@').next().unwrap_or(from).to_owned();
        let mut warnings = Vec::new();
        if self.disowned {
            warnings.push(Mail::Disowned { domain });
        } else if self.unverified {
            warnings.push(Mail::Unverified);
        }
        let names = self.name_shows.clone().map(|shown| Mail::NameShowsAddress {
            shown,
            from: from.to_owned(),
        });
        warnings.extend(names);
        if self.spam {
            warnings.push(Mail::Spam);
        }
        if self.automatic {
            warnings.push(Mail::Automatic);
        }
        warnings
    }

    /// What is said behind the text: what can be done about it.
    pub fn hints(&self) -> impl Iterator<Item = Mail> {
        let answer = self.reply.is_some().then_some(Mail::CanBeAnswered);
        let leave = self.says_how_to_leave.then_some(Mail::CanBeLeft);
        answer.into_iter().chain(leave)
    }

    /// What can be written about it (XEP-0439).
    pub fn words(&self) -> &'static [&'static str] {
        match self.reply {
            Some(_) => &["/accept", "/decline", "/maybe"],
            None => &[],
        }
    }

    /// The appointment's card, shown behind the text.
    pub fn card(&self) -> Option<Mail> {
        let stored = self.appointment.as_ref()?;
        let step = match stored.step.as_str() {
            "asked" => CardStep::Asked,
            "cancelled" => CardStep::Cancelled,
            "answered" => CardStep::Answered,
            _ => CardStep::Announced,
        };
        let repeats = match stored.repeats.as_deref() {
            Some("daily") => Some(CardRepeats::Daily),
            Some("weekly") => Some(CardRepeats::Weekly),
            Some("monthly") => Some(CardRepeats::Monthly),
            Some("yearly") => Some(CardRepeats::Yearly),
            _ => None,
        };
        Some(Mail::Appointment(Box::new(Card {
            step,
            title: stored.title.clone(),
            when: stored.when.clone(),
            repeats,
            place: stored.place.clone(),
            organiser: stored.organiser.clone(),
        })))
    }
}

impl StoredUnsubscribe {
    fn of(ways: &Unsubscribe) -> Self {
        let mail = |mail: &transom_adapter::UnsubscribeMail| LeavingMail {
            to: mail.to.as_str().to_owned(),
            subject: mail.subject.clone(),
            body: mail.body.clone(),
        };
        Self {
            one_click: ways.one_click.clone(),
            mail: ways.mail.as_ref().map(mail),
        }
    }
}

impl StoredAppointment {
    fn of(appointment: &Appointment) -> Self {
        let step = match appointment.step {
            Step::Announced => "announced",
            Step::Asked => "asked",
            Step::Cancelled => "cancelled",
            Step::Answered => "answered",
        };
        let repeats = appointment.repeats.map(|repeats| match repeats {
            Frequency::Daily => "daily",
            Frequency::Weekly => "weekly",
            Frequency::Monthly => "monthly",
            Frequency::Yearly => "yearly",
        });
        Self {
            step: step.to_owned(),
            title: appointment.title.clone(),
            when: when(appointment),
            repeats: repeats.map(str::to_owned),
            place: appointment.place.clone(),
            organiser: appointment.organiser.clone(),
        }
    }
}

/// `2026-11-02 12:00 – 13:30 (Europe/Berlin)`; the day is said once where both ends are on it.
fn when(appointment: &Appointment) -> String {
    let mut when = appointment.starts.clone();
    if let Some(ends) = &appointment.ends {
        let same_day = ends.split(' ').next() == appointment.starts.split(' ').next();
        let ends = match ends.split_once(' ') {
            Some((_, clock)) if same_day => clock,
            _ => ends,
        };
        when.extend([" – ", ends]);
    }
    if let Some(zone) = &appointment.zone {
        when.extend([" (", zone, ")"]);
    }
    when
}

//! What is said about a mail beside its text.

/// Something about a mail that its text does not say by itself.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Mail {
    /// A spam filter took it for spam.
    Spam,
    /// Nobody could verify that it comes from its sender.
    Unverified,
    /// The sender's domain says that it did not send it.
    Disowned {
        /// The domain.
        domain: String,
    },
    /// The sender's name shows another address than the one it comes from.
    NameShowsAddress {
        /// The address in the name.
        shown: String,
        /// Where it comes from.
        from: String,
    },
    /// It has neither text nor files.
    Empty,
    /// No person wrote it.
    Automatic,
    /// The invitation can be answered here.
    CanBeAnswered,
    /// The list can be left here.
    CanBeLeft,
    /// It asks to an appointment, or tells of one.
    Appointment(Box<Card>),
}

/// An appointment as it is shown.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Card {
    /// What is done about it.
    pub step: CardStep,
    /// What it is called.
    pub title: String,
    /// From when to when, as the calendar writes it.
    pub when: String,
    /// How often it comes again.
    pub repeats: Option<CardRepeats>,
    /// Where it is.
    pub place: Option<String>,
    /// Who asks.
    pub organiser: Option<String>,
}

/// What is done about an appointment.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum CardStep {
    /// It is told of.
    Announced,
    /// The reader is asked to come.
    Asked,
    /// It is called off.
    Cancelled,
    /// Somebody answers an invitation.
    Answered,
}

/// How often an appointment comes again.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum CardRepeats {
    /// In days.
    Daily,
    /// In weeks.
    Weekly,
    /// In months.
    Monthly,
    /// In years.
    Yearly,
}

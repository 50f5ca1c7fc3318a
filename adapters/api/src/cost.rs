//! What a message would cost.

/// What a text would cost, for people who want to know before they send it.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Cost {
    /// How many segments it would take, each of which costs; 0 for an empty text.
    pub segments: u16,
    /// How its characters would travel.
    pub alphabet: Alphabet,
    /// How many plain characters more would fit into these segments.
    pub characters_left: u16,
    /// The characters that make it [`Alphabet::Unicode`], each once, in their order, at most [`Cost::CHARACTERS_MAX`].
    pub costly: Vec<char>,
    /// The characters that would be sent as plainer ones to make it cheaper, likewise.
    pub replaced: Vec<char>,
}

impl Cost {
    /// More characters than that are not named.
    pub const CHARACTERS_MAX: usize = 16;
}

/// How the characters of a text travel.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum Alphabet {
    /// The phones' own alphabet: 160 characters in one segment.
    Gsm7,
    /// Everything else: 70 in one segment.
    Unicode,
}

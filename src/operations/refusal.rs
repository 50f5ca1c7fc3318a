//! Whose fault it is that something was not done; the words are in [`crate::texts`].

use crate::store::StoreError;

pub use crate::texts::Refusal;

/// Whose fault a refusal is.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Fault {
    /// The question cannot be understood.
    Usage,
    /// What was named does not exist, or is not such that it can be done.
    Data,
    /// A server cannot be used now.
    Unavailable,
}

impl Refusal {
    /// Whose fault it is.
    pub fn fault(&self) -> Fault {
        match self {
            Self::WhichGateway { .. } | Self::BadRequest(_) => Fault::Usage,
            Self::Busy(_) | Self::NotRunning => Fault::Unavailable,
            _ => Fault::Data,
        }
    }
}

impl From<StoreError> for Refusal {
    fn from(error: StoreError) -> Self {
        Self::Busy(error.to_string())
    }
}

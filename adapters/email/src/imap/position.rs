//! How far the mailbox was read.

use std::{fmt, str::FromStr};

use transom_adapter::UnixMillis;

/// A position in a mailbox, kept as the cursor `uidvalidity:uid:start:seen`.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct Position {
    /// UIDs mean something only together with this. RFC 3501 §2.3.1.1
    pub(crate) validity: u32,
    /// The last UID that is done.
    pub(crate) uid: u32,
    /// When this mailbox was first read; what is older was there before us.
    pub(crate) start: UnixMillis,
    /// When it was last read; after a change of the validity, what is newer has to be looked at again.
    pub(crate) seen: UnixMillis,
}

impl fmt::Display for Position {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            validity,
            uid,
            start,
            seen,
        } = self;
        write!(f, "{validity}:{uid}:{}:{}", start.0, seen.0)
    }
}

impl FromStr for Position {
    type Err = ();

    fn from_str(text: &str) -> Result<Self, ()> {
        let mut parts = text.split(':');
        let mut next = || parts.next().ok_or(());
        Ok(Self {
            validity: next()?.parse().map_err(drop)?,
            uid: next()?.parse().map_err(drop)?,
            start: UnixMillis(next()?.parse().map_err(drop)?),
            seen: UnixMillis(next()?.parse().map_err(drop)?),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_position_reads_back() {
        let position = Position {
            validity: u32::MAX,
            uid: 0,
            start: UnixMillis(-1),
            seen: UnixMillis(1_790_000_000_000),
        };
        assert_eq!(position.to_string().parse(), Ok(position));
        for bad in ["", "1", "1:2", "1:2:3", "a:2:3:4", "1:-2:3:4"] {
            assert_eq!(bad.parse::<Position>(), Err(()), "{bad}");
        }
    }
}

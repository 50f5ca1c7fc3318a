//! What a file in the outbox is called: `OUTC<date>_<time>_<serial>_<recipient>_<note>.txt`, where smsd reads the recipient, sends in the
//! order of the names, and leaves the note to us. gammu-smsd-files(7)

use std::{fmt, str::FromStr};

use transom_adapter::{Key, UnixMillis};

/// The name of a text on its way out.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct OutName {
    /// When the message was accepted; only whole seconds are in the name.
    pub created_at: UnixMillis,
    /// To whom, as smsd dials it.
    pub recipient: String,
    /// Our key, in the note.
    pub key: Key,
    /// Whether a delivery report is asked for.
    pub report: bool,
}

impl fmt::Display for OutName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let at = self.created_at.timestamp().strftime("%Y%m%d_%H%M%S");
        let Self { recipient, key, .. } = self;
        let flag = if self.report { "d" } else { "" };
        // Of one second in the order of the keys, which their letters are not.
        let serial = key.0.cast_unsigned();
        // smsd holds names of up to 99 characters.
        write!(f, "OUTC{at}_{serial:016x}_{recipient}_{key}.txt{flag}")
    }
}

/// A file that is not ours.
#[derive(Clone, Copy, PartialEq, Eq, Debug, thiserror::Error)]
#[error("not the name of a text of ours")]
pub struct NotOurs;

impl FromStr for OutName {
    type Err = NotOurs;

    fn from_str(name: &str) -> Result<Self, NotOurs> {
        let rest = name.strip_prefix("OUTC").ok_or(NotOurs)?;
        let (rest, report) = match rest.strip_suffix(".txtd") {
            Some(rest) => (rest, true),
            None => (rest.strip_suffix(".txt").ok_or(NotOurs)?, false),
        };
        let mut fields = rest.split('_');
        let mut next = || fields.next().ok_or(NotOurs);
        let (date, time, _serial, recipient, key) = (next()?, next()?, next()?, next()?, next()?);
        let at = jiff::civil::DateTime::strptime("%Y%m%d%H%M%S", format!("{date}{time}"));
        let at = at
            .and_then(|at| at.to_zoned(jiff::tz::TimeZone::UTC))
            .map_err(|_| NotOurs)?;
        let key = key.parse().map_err(|_| NotOurs)?;
        let read = Self {
            created_at: UnixMillis(at.timestamp().as_millisecond()),
            recipient: recipient.to_owned(),
            key,
            report,
        };
        // One spelling: what reads alike and is written otherwise was written by somebody else.
        if read.to_string() == name {
            Ok(read)
        } else {
            Err(NotOurs)
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn a_name_reads_back() {
        let name = OutName {
            created_at: UnixMillis(1_790_000_000_000),
            recipient: "+12025550147".to_owned(),
            key: Key(1_234_567),
            report: true,
        };
        let text = format!(
            "OUTC20260921_141320_000000000012d687_+12025550147_{}.txtd",
            name.key
        );
        assert_eq!(name.to_string(), text);
        assert_eq!(text.parse(), Ok(name));
    }

    #[test]
    fn names_of_one_second_are_in_the_order_of_the_keys() {
        let name = |key| OutName {
            created_at: UnixMillis(1_790_000_000_000),
            recipient: "+12025550147".to_owned(),
            key: Key(key),
            report: true,
        };
        let names: Vec<String> = (0..2_000).map(|key| name(key).to_string()).collect();
        assert!(names.is_sorted());
    }

    #[test]
    fn what_others_wrote_is_not_ours() {
        for name in [
            "",
            "OUTC20260921_141320_00_+12025550147_sms0.txt",
            "OUT+12025550147.txt",
            "OUTC_x_aaaaaaaaclnio.txt",
            "OUTC20260921_141320_00_+12025550147_aaaaaaaaclnio.smsbackup",
            "OUTC20260921_141320_00_+12025550147_aaaaaaaaclnio_more.txt",
            "OUTC20261321_141320_00_+12025550147_aaaaaaaaclnio.txt",
        ] {
            assert_eq!(name.parse::<OutName>(), Err(NotOurs), "{name}");
        }
    }

    proptest! {
        #[test]
        fn any_name_is_survived(name in "\\PC{0,80}|OUT[A-Z0-9_+a-z.]{0,60}") {
            if let Ok(read) = name.parse::<OutName>() {
                prop_assert_eq!(read.to_string(), name);
            }
        }

        #[test]
        fn every_name_of_ours_is_short_and_reads_back(seconds in 0_i64..4_000_000_000, recipient in "\\+[1-9][0-9]{6,14}|[0-9]{3,8}", key: i64, report: bool) {
            let name = OutName { created_at: UnixMillis(seconds * 1000), recipient, key: Key(key), report };
            let text = name.to_string();
            prop_assert!(text.len() < 100);
            prop_assert_eq!(text.parse(), Ok(name));
        }
    }
}

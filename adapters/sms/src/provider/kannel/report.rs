//! Delivery reports: Kannel user guide, "Delivery Reports".

use transom_adapter::{Failure, Key, MessageRef, Progress, Reason, Report, UnixMillis};

use crate::provider::{
    answer::{ErrorRow, Verdict},
    fields::Fields,
};

/// Delivered, not delivered, buffered, taken by the SMSC, refused by the SMSC.
pub(super) const MASK: u32 = 31;

/// The URL that Kannel calls with what became of the message `key`; the percent signs are Kannel's escapes.
pub(super) fn callback(webhook_url: &str, key: Key) -> String {
    format!("{webhook_url}?key={key}&d=%d&A=%A&F=%F&smsc=%i&ts=%T")
}

/// Reads one; `None` when its key is not of ours or its type is from the future.
pub(super) fn read(key: &str, fields: &Fields) -> Option<Report> {
    let key: Key = key.parse().ok()?;
    let kind: u32 = fields.text("d")?.parse().ok()?;
    let reply = fields.text("A").unwrap_or_default();
    let (progress, failure) = match kind {
        1 => (Progress::Delivered, None),
        2 => undelivered(&reply),
        4 | 8 | 32 => (Progress::Sent, None),
        16 => (Progress::Failed, Some(refused(&reply))),
        _ => return None,
    };
    let seconds = fields.text("ts").and_then(|text| text.parse::<i64>().ok());
    Some(Report {
        about: vec![MessageRef::Key(key, 0)],
        progress,
        failure,
        at: seconds.map(|seconds| UnixMillis(seconds.saturating_mul(1000))),
    })
}

/// `id:… sub:001 dlvrd:000 … stat:UNDELIV err:001 text:…`, as far as the network has one. SMPP 3.4, appendix B. Its text is a
/// piece of the message and is never kept.
fn undelivered(receipt: &str) -> (Progress, Option<Failure>) {
    let stat = word_after(receipt, "stat:").unwrap_or_default();
    let err = word_after(receipt, "err:").unwrap_or_default();
    let (progress, reason) = match &*stat {
        "EXPIRED" => (Progress::Expired, Reason::Expired),
        "REJECTD" => (Progress::Failed, Reason::NotPermitted),
        "UNDELIV" => (Progress::Failed, Reason::Unreachable),
        "UNKNOWN" => (Progress::Unknown, Reason::Unspecified),
        _ => (Progress::Failed, Reason::Unspecified),
    };
    let code = [stat, err].join(" ");
    let mut failure = Failure::new(reason);
    if !code.trim().is_empty() {
        failure = failure.with_code(code.trim());
    }
    (progress, Some(failure))
}

/// `NACK/88/Throttling error`: the number is an SMPP `command_status`.
fn refused(reply: &str) -> Failure {
    let mut parts = reply.split('/');
    let code = (parts.next() == Some("NACK"))
        .then(|| parts.next())
        .flatten();
    let Some(code) = code.and_then(|text| parse_code(text.trim())) else {
        return Failure::new(Reason::NotPermitted);
    };
    let row = ErrorRow::find(COMMAND_STATUS, code);
    Failure::new(row.map_or(Reason::NotPermitted, |row| row.reason))
        .with_code(format!("0x{code:02X}"))
}

fn parse_code(text: &str) -> Option<u32> {
    match text.strip_prefix("0x") {
        Some(hex) => u32::from_str_radix(hex, 16).ok(),
        None => text.parse().ok(),
    }
}

/// SMPP 3.4 §5.1.3.
#[rustfmt::skip]
const COMMAND_STATUS: &[ErrorRow] = &[
    ErrorRow::new(0x01, Verdict::Rejected, Reason::TooLarge),           // ESME_RINVMSGLEN
    ErrorRow::new(0x08, Verdict::Transient, Reason::NetworkDown),       // ESME_RSYSERR
    ErrorRow::new(0x0A, Verdict::Rejected, Reason::OurAccount),         // ESME_RINVSRCADR
    ErrorRow::new(0x0B, Verdict::Rejected, Reason::NoSuchRecipient),    // ESME_RINVDSTADR
    ErrorRow::new(0x14, Verdict::Transient, Reason::RateLimited),       // ESME_RMSGQFUL
    ErrorRow::new(0x45, Verdict::Rejected, Reason::Unspecified),        // ESME_RSUBMITFAIL
    ErrorRow::new(0x48, Verdict::Rejected, Reason::OurAccount),         // ESME_RINVSRCTON
    ErrorRow::new(0x50, Verdict::Rejected, Reason::NoSuchRecipient),    // ESME_RINVDSTTON
    ErrorRow::new(0x51, Verdict::Rejected, Reason::NoSuchRecipient),    // ESME_RINVDSTNPI
    ErrorRow::new(0x58, Verdict::Transient, Reason::RateLimited),       // ESME_RTHROTTLED
];

/// The word behind `label`, of letters and digits, at most 16.
fn word_after(text: &str, label: &str) -> Option<String> {
    let upper = text.to_ascii_uppercase();
    let (_, rest) = upper.split_once(&label.to_ascii_uppercase())?;
    let word = rest.chars().take_while(char::is_ascii_alphanumeric);
    Some(word.take(16).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn report(query: &str) -> Option<Report> {
        let fields = Fields::parse(query.as_bytes()).unwrap();
        let key = fields.text("key").unwrap_or_default();
        read(&key, &fields)
    }

    #[test]
    fn every_type_of_report_has_its_meaning() {
        let key = Key(7);
        for (rest, progress, failure) in [
            ("d=1&A=&F=0aadb90c", Progress::Delivered, None),
            ("d=4", Progress::Sent, None),
            ("d=8&A=ACK%2F", Progress::Sent, None),
            ("d=32", Progress::Sent, None),
            ("d=2", Progress::Failed, Some((Reason::Unspecified, None))),
            (
                "d=2&A=id%3A1+sub%3A001+stat%3AEXPIRED+err%3A006+text%3Asecret",
                Progress::Expired,
                Some((Reason::Expired, Some("EXPIRED 006"))),
            ),
            (
                "d=2&A=stat:undeliv",
                Progress::Failed,
                Some((Reason::Unreachable, Some("UNDELIV"))),
            ),
            (
                "d=2&A=stat:REJECTD",
                Progress::Failed,
                Some((Reason::NotPermitted, Some("REJECTD"))),
            ),
            (
                "d=2&A=stat:UNKNOWN",
                Progress::Unknown,
                Some((Reason::Unspecified, Some("UNKNOWN"))),
            ),
            (
                "d=16&A=NACK%2F88%2FThrottling",
                Progress::Failed,
                Some((Reason::RateLimited, Some("0x58"))),
            ),
            (
                "d=16&A=NACK/0x0000000b/Invalid",
                Progress::Failed,
                Some((Reason::NoSuchRecipient, Some("0x0B"))),
            ),
            (
                "d=16&A=NACK",
                Progress::Failed,
                Some((Reason::NotPermitted, None)),
            ),
        ] {
            let report = report(&format!("key={key}&ts=1790000000&{rest}")).unwrap();
            assert_eq!(report.about, [MessageRef::Key(key, 0)]);
            assert_eq!(report.progress, progress, "{rest}");
            let told = report
                .failure
                .as_ref()
                .map(|f| (f.reason, f.code.as_deref()));
            assert_eq!(told, failure, "{rest}");
            assert_eq!(report.at, Some(UnixMillis(1_790_000_000_000)));
        }
    }

    #[test]
    fn what_cannot_be_a_report_is_none() {
        for query in [
            "key=&d=1",
            "key=nonsense&d=1",
            "key=aaaaaaaaaaaaa",
            "key=aaaaaaaaaaaaa&d=64",
            "d=1",
        ] {
            assert_eq!(report(query), None, "{query}");
        }
    }

    #[test]
    fn every_command_status_is_in_a_nack() {
        for row in COMMAND_STATUS {
            let failure = refused(&format!("NACK/{}/text", row.code));
            assert_eq!(failure.reason, row.reason);
            assert_eq!(failure.code, Some(format!("0x{:02X}", row.code)));
        }
    }
}

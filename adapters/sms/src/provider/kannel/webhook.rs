//! What Kannel brings: texts (`get-url`) and delivery reports (`dlr-url`), both as GET with a query of our own making.

use sha2::{Digest, Sha256};
use transom_adapter::{Event, ExternalId, Refused, Repeats, UnixMillis};

use super::{charset, report};
use crate::{
    Country,
    provider::{fields::Fields, header, received::Received},
};

/// Reads a call whose token was right.
///
/// # Errors
///
/// [`Refused::Malformed`].
pub fn events(query: &str, home: Country) -> Result<Vec<Event>, Refused> {
    let fields = Fields::parse(query.as_bytes()).ok_or(Refused::Malformed)?;
    let event = match fields.filled("key") {
        Some(key) => report::read(&key, &fields).map(Event::Report),
        None => message(query, &fields, home)?,
    };
    Ok(Vec::from_iter(event))
}

/// A text; `None` for what is none: settings, ring tones, port-addressed data.
fn message(query: &str, fields: &Fields, home: Country) -> Result<Option<Event>, Refused> {
    let from = fields.text("from").ok_or(Refused::Malformed)?;
    let to = fields.filled("to").ok_or(Refused::Malformed)?;
    let udh = fields.bytes("udh").unwrap_or_default();
    let charset = fields.text("charset").unwrap_or_default();
    let coding = fields.text("coding").unwrap_or_default();
    // %a squeezes blanks; it is only for a get-url that was written without %b.
    let bytes = fields.bytes("bin").or_else(|| fields.bytes("text"));
    let bytes = bytes.ok_or(Refused::Malformed)?;
    let text =
        charset::decode(bytes, &charset, &coding).filter(|_| !header::is_port_addressed(udh));
    let Some(text) = text else {
        return Ok(None);
    };
    let seconds = fields.text("ts").and_then(|text| text.parse::<i64>().ok());
    Ok(Some(
        Received {
            repeats: repeats(query, fields),
            from: &from,
            to: &to,
            text,
            // Set when Kannel was told not to join parts (`sms-combine-concatenated-mo = false`).
            part: header::concatenation(udh),
            sent_at: seconds.map(|seconds| UnixMillis(seconds.saturating_mul(1000))),
            media: Vec::new(),
            others: Vec::new(),
        }
        .event(home),
    ))
}

/// Kannel repeats a call that failed (`http-request-retry`), with the same `%I`.
fn repeats(query: &str, fields: &Fields) -> Repeats {
    // %I is a UUID.
    let id = fields.filled("id").filter(|id| id.len() <= 64);
    match id {
        Some(id) => Repeats::ById(ExternalId::new("kannel", id)),
        None => Repeats::ByDigest(Sha256::digest(query.as_bytes()).into()),
    }
}

#[cfg(test)]
mod tests {
    use transom_adapter::{Incoming, Part};

    use super::*;

    fn read(query: &str) -> Result<Vec<Event>, Refused> {
        events(query, "US".parse().unwrap())
    }

    #[track_caller]
    fn one_message(query: &str) -> Incoming {
        match read(query).unwrap().pop() {
            Some(Event::Message(message)) => *message,
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn a_text_is_read_from_its_bytes() {
        let message = one_message(
            "id=8ca0ccad-1&from=%2B12025550147&to=%2B12025550100&text=hello+there&bin=hello++there&charset=UTF-8&coding=0&udh=&ts=1790000000",
        );
        assert_eq!(message.text, "hello  there");
        assert_eq!(message.from.as_str(), "+12025550147");
        assert_eq!(message.to.as_str(), "+12025550100");
        assert_eq!(message.sent_at, Some(UnixMillis(1_790_000_000_000)));
        let id = ExternalId::new("kannel", "8ca0ccad-1");
        assert_eq!(message.repeats, Repeats::ById(id));
        assert_eq!((message.part, message.from_name), (None, None));
    }

    #[test]
    fn cyrillic_comes_as_utf16() {
        let message =
            one_message("id=1&from=ACME&to=2222&bin=%04%1F%04%40&charset=UTF-16BE&coding=2");
        assert_eq!(message.text, "Пр");
        assert_eq!(message.from.as_str(), "acme;phone-context=alpha");
        assert_eq!(message.from_name.as_deref(), Some("ACME"));
        assert_eq!(message.to.as_str(), "2222;phone-context=us");
    }

    #[test]
    fn without_an_id_a_repeat_is_known_by_its_digest() {
        let query = "from=%2B12025550147&to=2222&bin=a";
        let digest = |query| one_message(query).repeats;
        assert!(matches!(digest(query), Repeats::ByDigest(_)));
        assert_eq!(digest(query), digest(query));
        assert_ne!(digest(query), digest("from=%2B12025550147&to=2222&bin=b"));
    }

    #[test]
    fn single_parts_say_which_they_are() {
        let with = |udh: &str| {
            one_message(&format!("id=1&from=%2B12025550147&to=2222&bin=a&udh={udh}")).part
        };
        let part = |reference, total, number| {
            Some(Part {
                reference,
                total,
                number,
            })
        };
        assert_eq!(with("%05%00%03%2A%02%01"), part(42, 2, 1));
        assert_eq!(with("%06%08%04%01%02%03%02"), part(258, 3, 2));
        assert_eq!(with("%08%24%01%01%00%03%2A%02%02"), part(42, 2, 2));
        for broken in [
            "%05%00%03%2A%02",
            "%05%00%03%2A%02%03",
            "%05%00%03%2A%01%01",
            "%FF",
            "%03%00",
        ] {
            assert_eq!(with(broken), None, "{broken}");
        }
    }

    #[test]
    fn what_is_no_text_is_taken_and_dropped() {
        for query in [
            "id=1&from=%2B12025550147&to=2222&bin=%01%02&coding=1&charset=8-BIT",
            "id=1&from=%2B12025550147&to=2222&bin=x&udh=%06%05%04%0B%84%23%F0",
            "key=nonsense&d=1",
        ] {
            assert_eq!(read(query), Ok(vec![]), "{query}");
        }
    }

    #[test]
    fn what_lacks_its_parts_is_refused() {
        for query in ["", "from=1", "to=2", "from=1&to=2", "from=1&to=&bin=x"] {
            assert_eq!(read(query), Err(Refused::Malformed), "{query}");
        }
    }
}

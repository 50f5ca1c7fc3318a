//! JSON from outside, field by field: a field that is unknown is ignored, and one of another type than expected is as good as
//! missing. Reach into a document with `value["data"]["id"]`, which is null where there is nothing.

use std::borrow::Cow;

use serde_json::Value;
use transom_adapter::{Refused, UnixMillis};

use super::fields::Fields;

/// Reads a body.
///
/// # Errors
///
/// [`Refused::Malformed`] when it is not JSON, or nested deeper than anybody means.
pub(crate) fn parse(body: &[u8]) -> Result<Value, Refused> {
    serde_json::from_slice(body).map_err(|_| Refused::Malformed)
}

/// A text, or a number as text: providers are not of one mind about ids and codes.
pub(crate) fn text(value: &Value) -> Option<Cow<'_, str>> {
    match value {
        Value::String(text) => Some(Cow::Borrowed(text)),
        Value::Number(number) => Some(Cow::Owned(number.to_string())),
        _ => None,
    }
}

/// The same, `None` when it is empty.
pub(crate) fn filled(value: &Value) -> Option<Cow<'_, str>> {
    text(value).filter(|text| !text.is_empty())
}

/// A code, as a number or as text.
pub(crate) fn number(value: &Value) -> Option<u32> {
    text(value)?.trim().parse().ok()
}

/// The items of a list; none when it is no list.
pub(crate) fn items(value: &Value) -> &[Value] {
    value.as_array().map_or(&[], Vec::as_slice)
}

/// The fields of a flat object, for providers that send the same thing as a form as well; `None` when it is no object.
pub(crate) fn fields(value: &Value) -> Option<Fields> {
    let object = value.as_object()?.iter();
    let pairs = object.filter_map(|(name, value)| Some((name.clone(), text(value)?.into_owned())));
    Fields::from_pairs(pairs)
}

/// A time of RFC 3339.
pub(crate) fn time(value: &Value) -> Option<UnixMillis> {
    let time: jiff::Timestamp = value.as_str()?.parse().ok()?;
    Some(UnixMillis(time.as_millisecond()))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_field_of_another_type_is_as_good_as_missing() {
        let value = json!({ "text": "a", "empty": "", "code": 30003, "codes": "30003", "list": [1], "at": "2026-09-21T14:13:20Z", "flag": true });
        assert_eq!(text(&value["text"]).as_deref(), Some("a"));
        assert_eq!(filled(&value["empty"]), None);
        assert_eq!(text(&value["flag"]), None);
        assert_eq!(text(&value["none"]["deeper"]), None);
        assert_eq!(number(&value["code"]), Some(30003));
        assert_eq!(number(&value["codes"]), Some(30003));
        assert_eq!(number(&value["text"]), None);
        assert_eq!(items(&value["list"]).len(), 1);
        assert_eq!(items(&value["text"]).len(), 0);
        assert_eq!(time(&value["at"]), Some(UnixMillis(1_790_000_000_000)));
        assert_eq!(time(&value["text"]), None);
    }

    #[test]
    fn a_tower_of_brackets_is_refused() {
        assert_eq!(
            parse("[".repeat(100_000).as_bytes()),
            Err(Refused::Malformed)
        );
        assert_eq!(parse(b""), Err(Refused::Malformed));
        assert_eq!(parse(b"\xff"), Err(Refused::Malformed));
    }
}

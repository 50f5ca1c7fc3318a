//! Whether a person wrote it.

use transom_adapter::Class;

use super::Headers;

/// What kind of mail it is. When in doubt a person wrote it: a human mail shown quietly is worse than the reverse.
pub(crate) fn class(headers: &Headers<'_>) -> Class {
    let word = |name: &str| {
        let value = headers.first(name).unwrap_or_default();
        let word = value.split([';', ' ', '(']).next().unwrap_or_default();
        word.to_ascii_lowercase()
    };
    let (submitted, precedence) = (word("Auto-Submitted"), word("Precedence"));
    // RFC 3834 §5
    let replied = submitted == "auto-replied" || submitted == "auto-notified";
    let vacation = [
        "X-Autoreply",
        "X-Autorespond",
        "X-AutoReply-From",
        "X-Mail-Autoreply",
    ];
    if replied || precedence == "auto_reply" || vacation.iter().any(|name| headers.has(name)) {
        return Class::AutoReply;
    }
    // RFC 2919, RFC 2369
    let is_list = ["List-Id", "List-Post", "X-Mailing-List", "Mailing-List"];
    if precedence == "list" || is_list.iter().any(|name| headers.has(name)) {
        return Class::List;
    }
    let generated = !submitted.is_empty() && submitted != "no";
    let is_bulk = [
        "List-Unsubscribe",
        "Feedback-ID",
        "X-Campaign-ID",
        "X-CSA-Complaints",
    ];
    if generated
        || matches!(precedence.as_str(), "bulk" | "junk")
        || is_bulk.iter().any(|name| headers.has(name))
    {
        return Class::Bulk;
    }
    if headers.has_null_sender() {
        return Class::AutoReply;
    }
    Class::Human
}

//! Whose contact a mail comes from: its author's, or that of the list it came by.

use transom_adapter::{Address, Class};

use crate::headers::Headers;

/// Whose contact a mail comes from, with the text as it stands in that chat.
pub(super) struct Sender {
    pub(super) from: Address,
    pub(super) name: Option<String>,
    pub(super) text: String,
}

/// A list is one contact, whoever wrote: what is answered there goes to the list, as one sees, and the author stands before the text.
pub(super) fn sender_of(
    headers: &Headers<'_>,
    author: &Address,
    class: Class,
    text: String,
) -> Sender {
    let name = headers.author_name();
    let list = (class == Class::List).then(|| headers.list()).flatten();
    match list {
        Some((list, list_name)) if list != *author => {
            let author = name.unwrap_or_else(|| author.to_string());
            let text = if text.is_empty() {
                text
            } else {
                format!("{author}: {text}")
            };
            Sender {
                from: list,
                name: list_name,
                text,
            }
        }
        _ => Sender {
            from: author.clone(),
            name,
            text,
        },
    }
}

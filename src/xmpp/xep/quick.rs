//! XEP-0439: Quick Response. What can be answered with one touch.

use crate::xmpp::{ns, stanza::Element};

/// A button that writes `value`.
pub fn button(label: &str, value: impl Into<String>) -> Element {
    Element::new("response", ns::QUICK_RESPONSE)
        .with_attr("value", value)
        .with_attr("label", label)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_button_says_what_it_writes() {
        let button = button("accept", "accept bob@example.com");
        assert_eq!(button.attr("value"), Some("accept bob@example.com"));
        assert_eq!(button.attr("label"), Some("accept"));
    }
}

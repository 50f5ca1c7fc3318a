//! The small XML tree that stanzas are made of.

use std::borrow::Cow;

use super::Name;

/// An XML element: a name in a namespace, attributes, and text and elements in their order.
///
/// Stanzas and their own children are in [`ns::CLIENT`](crate::xmpp::ns::CLIENT), whichever stream they came from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Element {
    name: Name,
    namespace: Name,
    attributes: Vec<Attribute>,
    nodes: Vec<Node>,
}

/// What stands between an element's tags.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Node {
    /// An element.
    Element(Element),
    /// Text, with references resolved.
    Text(String),
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Attribute {
    pub(super) name: Name,
    /// Only for attributes with a prefix other than `xml`, whose name is kept as `xml:lang`.
    pub(super) namespace: Option<Name>,
    pub(super) value: String,
}

impl Element {
    /// An empty element.
    pub fn new(name: impl Into<Name>, namespace: impl Into<Name>) -> Self {
        Self {
            name: name.into(),
            namespace: namespace.into(),
            attributes: Vec::new(),
            nodes: Vec::new(),
        }
    }

    /// An element that holds nothing but a text.
    pub fn text_only(
        name: impl Into<Name>,
        namespace: impl Into<Name>,
        text: impl Into<String>,
    ) -> Self {
        Self::new(name, namespace).with_text(text)
    }

    /// Sets an attribute; an earlier value is replaced.
    #[must_use]
    pub fn with_attr(mut self, name: impl Into<Name>, value: impl Into<String>) -> Self {
        self.set_attr(name, value);
        self
    }

    /// Sets an attribute when there is a value.
    #[must_use]
    pub fn with_optional_attr(
        self,
        name: impl Into<Name>,
        value: Option<impl Into<String>>,
    ) -> Self {
        match value {
            Some(value) => self.with_attr(name, value),
            None => self,
        }
    }

    /// Appends a child.
    #[must_use]
    pub fn with_child(mut self, child: Element) -> Self {
        self.push_child(child);
        self
    }

    /// Appends children.
    #[must_use]
    pub fn with_children(mut self, children: impl IntoIterator<Item = Element>) -> Self {
        self.nodes.extend(children.into_iter().map(Node::Element));
        self
    }

    /// Appends text.
    #[must_use]
    pub fn with_text(mut self, text: impl Into<String>) -> Self {
        let text = text.into();
        self.push_text(&text);
        self
    }

    /// Sets an attribute; an earlier value is replaced.
    pub fn set_attr(&mut self, name: impl Into<Name>, value: impl Into<String>) {
        let (name, value) = (name.into(), value.into());
        match self
            .attributes
            .iter_mut()
            .find(|attribute| attribute.namespace.is_none() && attribute.name == name)
        {
            Some(attribute) => attribute.value = value,
            None => self.attributes.push(Attribute {
                name,
                namespace: None,
                value,
            }),
        }
    }

    /// Appends a child.
    pub fn push_child(&mut self, child: Element) {
        self.nodes.push(Node::Element(child));
    }

    /// Appends text; two texts in a row become one.
    pub fn push_text(&mut self, text: &str) {
        match self.nodes.last_mut() {
            _ if text.is_empty() => {}
            Some(Node::Text(before)) => before.push_str(text),
            _ => self.nodes.push(Node::Text(text.to_owned())),
        }
    }

    /// The local name.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The namespace.
    pub fn namespace(&self) -> &str {
        &self.namespace
    }

    /// Whether the element has this name in this namespace.
    pub fn is(&self, name: &str, namespace: &str) -> bool {
        *self.name == *name && *self.namespace == *namespace
    }

    /// The value of an attribute without namespace, or of `xml:lang`.
    pub fn attr(&self, name: &str) -> Option<&str> {
        self.attributes
            .iter()
            .find(|attribute| attribute.namespace.is_none() && *attribute.name == *name)
            .map(|attribute| attribute.value.as_str())
    }

    /// The first child with this name in this namespace.
    pub fn child(&self, name: &str, namespace: &str) -> Option<&Element> {
        self.children().find(|child| child.is(name, namespace))
    }

    /// The child elements.
    pub fn children(&self) -> impl Iterator<Item = &Element> {
        self.nodes.iter().filter_map(|node| match node {
            Node::Element(element) => Some(element),
            Node::Text(_) => None,
        })
    }

    /// The element's own text, without that of its children.
    pub fn text(&self) -> Cow<'_, str> {
        let mut texts = self.nodes.iter().filter_map(|node| match node {
            Node::Text(text) => Some(text.as_str()),
            Node::Element(_) => None,
        });
        let first = texts.next().unwrap_or_default();
        texts.fold(Cow::Borrowed(first), |mut all, text| {
            all.to_mut().push_str(text);
            all
        })
    }

    /// The text of a child.
    pub fn child_text(&self, name: &str, namespace: &str) -> Option<Cow<'_, str>> {
        self.child(name, namespace).map(Element::text)
    }

    /// Text and elements in their order.
    pub fn nodes(&self) -> &[Node] {
        &self.nodes
    }

    pub(super) fn attributes(&self) -> &[Attribute] {
        &self.attributes
    }

    pub(super) fn push_attribute(&mut self, attribute: Attribute) {
        self.attributes.push(attribute);
    }

    /// Removes an attribute and gives its value.
    pub(super) fn take_attr(&mut self, name: &str) -> Option<String> {
        let at = self
            .attributes
            .iter()
            .position(|attribute| attribute.namespace.is_none() && *attribute.name == *name)?;
        Some(self.attributes.swap_remove(at).value)
    }

    /// The child elements, by value.
    pub(super) fn into_children(self) -> Vec<Element> {
        self.nodes
            .into_iter()
            .filter_map(|node| match node {
                Node::Element(element) => Some(element),
                Node::Text(_) => None,
            })
            .collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::xmpp::ns;

    fn sample() -> Element {
        Element::new("query", ns::DISCO_INFO)
            .with_attr("node", "a")
            .with_text("x")
            .with_child(Element::new("feature", ns::DISCO_INFO).with_attr("var", "v"))
            .with_text("y")
            .with_text("z")
    }

    #[test]
    fn readers_find_what_builders_put() {
        let element = sample();
        assert!(element.is("query", ns::DISCO_INFO));
        assert!(!element.is("query", ns::DISCO_ITEMS));
        assert_eq!(element.attr("node"), Some("a"));
        assert_eq!(element.attr("nodes"), None);
        assert_eq!(element.text(), "xyz");
        assert_eq!(element.nodes().len(), 3);
        assert_eq!(
            element
                .child("feature", ns::DISCO_INFO)
                .and_then(|child| child.attr("var")),
            Some("v")
        );
        assert_eq!(element.child("feature", ns::DISCO_ITEMS), None);
    }

    #[test]
    fn a_second_value_replaces_the_first() {
        let element = sample().with_attr("node", "b");
        assert_eq!(element.attr("node"), Some("b"));
        assert_eq!(element.attributes().len(), 1);
    }

    #[test]
    fn no_text_is_the_empty_text() {
        assert_eq!(Element::new("a", "b").text(), "");
        assert_eq!(Element::new("a", "b").with_text("").nodes(), []);
    }
}

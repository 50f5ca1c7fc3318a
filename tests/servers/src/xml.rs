//! A small XML tree and the cutting of a stream into stanzas, by a strict parser.

use std::collections::BTreeMap;
use std::fmt::{self, Display, Formatter};

use rxml::error::EndOrError;
use rxml::{Event, Parse, Parser};

/// An XML element.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Element {
    name: String,
    namespace: String,
    attributes: BTreeMap<String, String>,
    nodes: Vec<Node>,
}

/// What an element holds.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Node {
    /// A child element.
    Element(Element),
    /// Text, with its references resolved.
    Text(String),
}

impl Element {
    /// Reads one element from text; panics when it is not well-formed.
    pub fn parse(text: &str) -> Self {
        let mut stream = StreamParser::new();
        stream.feed(b"<wrapper>");
        stream.feed(text.as_bytes());
        let Some(StreamEvent::Opened) = stream.next().expect("well-formed") else {
            unreachable!("the wrapper opens first");
        };
        match stream.next() {
            Ok(Some(StreamEvent::Stanza(element))) => element,
            other => panic!("{text:?} is not an element: {other:?}"),
        }
    }

    /// The local name.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The namespace; empty when there is none.
    pub fn namespace(&self) -> &str {
        &self.namespace
    }

    /// Whether it has this name, in this namespace.
    pub fn is(&self, name: &str, namespace: &str) -> bool {
        self.name == name && self.namespace == namespace
    }

    /// An attribute's value; `xml:lang` is asked for by that name.
    pub fn attr(&self, name: &str) -> Option<&str> {
        self.attributes.get(name).map(String::as_str)
    }

    /// All that it holds, in order.
    pub fn nodes(&self) -> &[Node] {
        &self.nodes
    }

    /// The child elements.
    pub fn children(&self) -> impl Iterator<Item = &Element> {
        self.nodes.iter().filter_map(|node| match node {
            Node::Element(element) => Some(element),
            Node::Text(_) => None,
        })
    }

    /// The first child of this name, whatever its namespace.
    pub fn child(&self, name: &str) -> Option<&Element> {
        self.children().find(|child| child.name == name)
    }

    /// The first child of this name and namespace.
    pub fn child_in(&self, name: &str, namespace: &str) -> Option<&Element> {
        self.children().find(|child| child.is(name, namespace))
    }

    /// The first element of this name and namespace anywhere below.
    pub fn find(&self, name: &str, namespace: &str) -> Option<&Element> {
        self.children().find_map(|child| {
            if child.is(name, namespace) {
                return Some(child);
            }
            child.find(name, namespace)
        })
    }

    /// Its own text, without that of its children.
    pub fn text(&self) -> String {
        let texts = self.nodes.iter().filter_map(|node| match node {
            Node::Text(text) => Some(text.as_str()),
            Node::Element(_) => None,
        });
        texts.collect()
    }

    /// The text of the child `<body/>`: what a chat message says.
    pub fn body(&self) -> Option<String> {
        self.child("body").map(Element::text)
    }

    fn write(&self, out: &mut Formatter<'_>, outer_namespace: &str) -> fmt::Result {
        write!(out, "<{}", self.name)?;
        if self.namespace != outer_namespace {
            write!(out, " xmlns='{}'", escape(&self.namespace))?;
        }
        for (name, value) in &self.attributes {
            write!(out, " {name}='{}'", escape(value))?;
        }
        if self.nodes.is_empty() {
            return out.write_str("/>");
        }
        out.write_str(">")?;
        for node in &self.nodes {
            match node {
                Node::Element(child) => child.write(out, &self.namespace)?,
                Node::Text(text) => out.write_str(&escape(text))?,
            }
        }
        write!(out, "</{}>", self.name)
    }
}

impl Display for Element {
    fn fmt(&self, out: &mut Formatter<'_>) -> fmt::Result {
        self.write(out, "jabber:client")
    }
}

/// Makes text safe as XML character data and within attribute values.
pub fn escape(text: &str) -> String {
    text.replace('&', "&amp;")
        .replace('<', "&lt;")
        .replace('>', "&gt;")
        .replace('\'', "&apos;")
        .replace('"', "&quot;")
}

/// What a stream brought.
#[derive(Debug)]
pub(crate) enum StreamEvent {
    /// The stream's own open tag.
    Opened,
    /// A whole child of it.
    Stanza(Element),
    /// The stream's end tag.
    Closed,
}

/// Bytes in, stanzas out.
pub(crate) struct StreamParser {
    parser: Parser,
    unread: Vec<u8>,
    opened: bool,
    open: Vec<Element>,
}

impl StreamParser {
    pub(crate) fn new() -> Self {
        Self {
            parser: Parser::new(),
            unread: Vec::new(),
            opened: false,
            open: Vec::new(),
        }
    }

    pub(crate) fn feed(&mut self, bytes: &[u8]) {
        self.unread.extend_from_slice(bytes);
    }

    /// The next event that is complete.
    pub(crate) fn next(&mut self) -> Result<Option<StreamEvent>, String> {
        let unread = std::mem::take(&mut self.unread);
        let mut rest = unread.as_slice();
        let outcome = loop {
            match self.parser.parse(&mut rest, false) {
                Ok(Some(event)) => {
                    if let Some(event) = self.take(event) {
                        break Ok(Some(event));
                    }
                }
                Ok(None) | Err(EndOrError::NeedMoreData) => break Ok(None),
                Err(EndOrError::Error(error)) => break Err(error.to_string()),
            }
        };
        self.unread = rest.to_vec();
        outcome
    }

    fn take(&mut self, event: Event) -> Option<StreamEvent> {
        match event {
            Event::XmlDeclaration(..) => None,
            Event::StartElement(_, (namespace, name), attributes) => {
                let element = start(namespace.as_str(), name.as_str(), &attributes);
                if !self.opened {
                    self.opened = true;
                    return Some(StreamEvent::Opened);
                }
                self.open.push(element);
                None
            }
            Event::Text(_, text) => {
                if let Some(element) = self.open.last_mut() {
                    element.append_text(&text);
                }
                None
            }
            Event::EndElement(_) => {
                let Some(element) = self.open.pop() else {
                    return Some(StreamEvent::Closed);
                };
                let Some(parent) = self.open.last_mut() else {
                    return Some(StreamEvent::Stanza(element));
                };
                parent.nodes.push(Node::Element(element));
                None
            }
        }
    }
}

impl Element {
    fn append_text(&mut self, more: &str) {
        if let Some(Node::Text(text)) = self.nodes.last_mut() {
            text.push_str(more);
        } else {
            self.nodes.push(Node::Text(more.to_owned()));
        }
    }
}

fn start(namespace: &str, name: &str, attributes: &rxml::AttrMap) -> Element {
    let attributes = attributes.iter().map(|((namespace, name), value)| {
        let name = match namespace.as_str() {
            "" => name.to_string(),
            "http://www.w3.org/XML/1998/namespace" => format!("xml:{name}"),
            other => format!("{{{other}}}{name}"),
        };
        (name, value.clone())
    });
    Element {
        name: name.to_owned(),
        namespace: namespace.to_owned(),
        attributes: attributes.collect(),
        nodes: Vec::new(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_stream_is_cut_into_stanzas_however_its_bytes_arrive() {
        let bytes = b"<?xml version='1.0'?><s:stream xmlns='jabber:client' xmlns:s='urn:s' id='1'>\
            <message xml:lang='en'><body>a &amp; b</body></message><presence/></s:stream>";
        let mut parser = StreamParser::new();
        let mut seen = Vec::new();
        for byte in bytes {
            parser.feed(&[*byte]);
            while let Some(event) = parser.next().unwrap() {
                seen.push(match event {
                    StreamEvent::Opened => "opened".to_owned(),
                    StreamEvent::Stanza(element) => element.to_string(),
                    StreamEvent::Closed => "closed".to_owned(),
                });
            }
        }
        let message = "<message xml:lang='en'><body>a &amp; b</body></message>";
        assert_eq!(seen, ["opened", message, "<presence/>", "closed"]);
    }

    #[test]
    fn malformed_text_is_an_error() {
        let mut parser = StreamParser::new();
        parser.feed(b"<a>\x01</a>");
        assert!(matches!(parser.next(), Ok(Some(StreamEvent::Opened))));
        assert!(parser.next().is_err());
    }
}

//! From text to the tree: quick-xml's slice reader with its lax spots closed.
//!
//! quick-xml checks that tags match and that references end. It lets pass what XML 1.0 forbids: restricted
//! characters, `<` in attribute values, names that begin with a digit, `]]>` in text, attributes without space
//! between them, `xmlns:a=''`, two attributes with one expanded name. Those are refused here, and so is what
//! RFC 6120 §11.1 takes from XML: comments, processing instructions, document types, entities of one's own.

use std::{borrow::Cow, str::FromStr};

use quick_xml::{
    events::{BytesStart, Event},
    name::{Namespace, NamespaceResolver, PrefixDeclaration, QName, ResolveResult},
    reader::NsReader,
};

use super::{
    Element, Name,
    attributes::{RawAttributes, resolve, unescape_value},
    element::Attribute,
    write::{is_plain, is_xml_text},
};
use crate::xmpp::ns;

/// How much one stanza may hold.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// Bytes of a stanza, in either direction. Prosody's own limit for components is 524288.
    pub stanza_bytes: usize,
    /// Elements inside each other.
    pub depth: usize,
    /// Attributes of one element, namespace declarations included.
    pub attributes: usize,
    /// Elements of a stanza: half a megabyte of `<a/>` must not become twelve of tree.
    pub elements: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            stanza_bytes: 512 * 1024,
            depth: 64,
            attributes: 64,
            elements: 4096,
        }
    }
}

/// Why a text is not a tree for us.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ParseError {
    /// It is not XML.
    #[error("not well-formed XML: {0}")]
    NotWellFormed(Cow<'static, str>),
    /// RFC 6120 §11.6: everything is UTF-8.
    #[error("not in UTF-8")]
    NotUtf8,
    /// RFC 6120 §11.1 forbids it in a stream.
    #[error("{0} is not allowed in XMPP")]
    Restricted(&'static str),
    /// It is XML, but breaks Namespaces in XML.
    #[error("wrong use of namespaces: {0}")]
    Namespace(&'static str),
    /// It is beyond one of our [`Limits`].
    #[error("more than {max} {what}")]
    TooBig {
        /// What there was too much of.
        what: &'static str,
        /// How much is allowed.
        max: usize,
    },
}

impl ParseError {
    /// Whether the text's end may have been misjudged, so that nothing after it can be trusted.
    pub fn breaks_stream(&self) -> bool {
        matches!(
            self,
            Self::NotWellFormed(_) | Self::NotUtf8 | Self::Restricted(_)
        )
    }
}

type Result<T, E = ParseError> = std::result::Result<T, E>;

/// Reads single stanzas, with the namespaces that the stream's header declared.
#[derive(Clone, Debug, Default)]
pub(crate) struct Parser {
    limits: Limits,
    declared: Vec<(String, String)>,
}

impl Parser {
    pub(crate) fn new(limits: Limits) -> Self {
        Self {
            limits,
            declared: Vec::new(),
        }
    }

    pub(crate) fn limits(&self) -> &Limits {
        &self.limits
    }

    /// Takes over the declarations of the stream's open tag.
    pub(crate) fn adopt(&mut self, open_tag: &str) -> Result<()> {
        self.declared.clear();
        let Some(content) = open_tag
            .strip_prefix('<')
            .and_then(|rest| rest.strip_suffix('>'))
        else {
            return Err(not_well_formed("stream header"));
        };
        let name_end = content
            .find(|c: char| c.is_ascii_whitespace())
            .unwrap_or(content.len());
        let mut raw = RawAttributes::of(content.get(name_end..).unwrap_or_default());
        while let Some((name, value)) = raw.next_attribute(self.limits.attributes)? {
            let prefix = match name.strip_prefix("xmlns") {
                Some("") => "",
                Some(rest) => rest.strip_prefix(':').unwrap_or_default(),
                None => continue,
            };
            self.declared
                .push((prefix.to_owned(), unescape_value(value)?.into_owned()));
        }
        Ok(())
    }

    /// The default namespace that the stream's header declared.
    pub(crate) fn default_namespace(&self) -> Option<&str> {
        let default = self.declared.iter().find(|(prefix, _)| prefix.is_empty());
        default.map(|(_, namespace)| namespace.as_str())
    }

    /// Reads one whole element.
    pub(crate) fn parse(&self, text: &str) -> Result<Element> {
        if text.len() > self.limits.stanza_bytes {
            return Err(ParseError::TooBig {
                what: "bytes in a stanza",
                max: self.limits.stanza_bytes,
            });
        }
        Tree::new(self, text)?.read()
    }

    /// Reads the first open tag of a text as an element without children: what is left of a stanza that is
    /// too big, or otherwise not for us.
    pub(crate) fn head(&self, text: &str) -> Result<Element> {
        let mut tree = Tree::new(self, text)?;
        match tree.reader.read_event().map_err(from_reader)? {
            Event::Start(tag) | Event::Empty(tag) => tree.element(&tag),
            _ => Err(not_well_formed("no element")),
        }
    }
}

/// Reads one element that declares its namespaces itself.
impl FromStr for Element {
    type Err = ParseError;

    fn from_str(text: &str) -> Result<Self> {
        Parser::default().parse(text)
    }
}

/// A tree that grows: the elements that are still open, outermost first.
struct Tree<'a> {
    reader: NsReader<&'a [u8]>,
    limits: Limits,
    open: Vec<Element>,
    root: Option<Element>,
    elements: usize,
}

impl<'a> Tree<'a> {
    fn new(parser: &Parser, text: &'a str) -> Result<Self> {
        let mut reader = NsReader::from_str(text);
        for (prefix, namespace) in &parser.declared {
            let prefix = match prefix.as_str() {
                "" => PrefixDeclaration::Default,
                named => PrefixDeclaration::Named(named),
            };
            let added = reader.resolver_mut().add(prefix, Namespace(namespace));
            added.map_err(|_| ParseError::Namespace("a reserved prefix"))?;
        }
        Ok(Self {
            reader,
            limits: parser.limits,
            open: Vec::with_capacity(8),
            root: None,
            elements: 0,
        })
    }

    fn read(mut self) -> Result<Element> {
        loop {
            match self.reader.read_event().map_err(from_reader)? {
                Event::Start(tag) => {
                    if self.open.len() >= self.limits.depth {
                        return Err(ParseError::TooBig {
                            what: "elements inside each other",
                            max: self.limits.depth,
                        });
                    }
                    let element = self.element(&tag)?;
                    self.open.push(element);
                }
                Event::Empty(tag) => {
                    let element = self.element(&tag)?;
                    self.close(element);
                }
                Event::End(_) => {
                    let element = self
                        .open
                        .pop()
                        .ok_or_else(|| not_well_formed("a close tag too many"))?;
                    self.close(element);
                }
                Event::Text(text) => self.plain_text(&text)?,
                Event::CData(text) => self.text(&text)?,
                Event::GeneralRef(reference) => {
                    let character = resolve(&reference)?;
                    self.text(character.encode_utf8(&mut [0; 4]))?;
                }
                Event::Comment(_) => return Err(ParseError::Restricted("a comment")),
                Event::PI(_) | Event::Decl(_) => {
                    return Err(ParseError::Restricted("a processing instruction"));
                }
                Event::DocType(_) => return Err(ParseError::Restricted("a document type")),
                Event::Eof => break,
            }
        }
        match self.root {
            Some(root) if self.open.is_empty() => Ok(root),
            _ => Err(not_well_formed("the text ends inside an element")),
        }
    }

    fn element(&mut self, tag: &BytesStart<'_>) -> Result<Element> {
        if self.root.is_some() {
            return Err(not_well_formed("an element after the end"));
        }
        self.elements += 1;
        if self.elements > self.limits.elements {
            return Err(ParseError::TooBig {
                what: "elements in a stanza",
                max: self.limits.elements,
            });
        }
        let resolver = self.reader.resolver();
        let (namespace, _) = resolver.resolve_element(tag.name());
        let (_, name) = split_name(tag.name().into_inner())?;
        let mut element = Element::new(name, namespace_name(&namespace)?);
        let mut raw = RawAttributes::of(tag.attributes_raw());
        while let Some((name, value)) = raw.next_attribute(self.limits.attributes)? {
            push_attribute(&mut element, resolver, name, value)?;
        }
        Ok(element)
    }

    fn close(&mut self, element: Element) {
        match self.open.last_mut() {
            Some(parent) => parent.push_child(element),
            None => self.root = Some(element),
        }
    }

    fn plain_text(&mut self, text: &str) -> Result<()> {
        match self.open.last_mut() {
            Some(parent) if text.bytes().all(is_plain) => {
                parent.push_text(text);
                Ok(())
            }
            _ if text.contains("]]>") => Err(not_well_formed("']]>' in text")),
            _ => self.text(text),
        }
    }

    fn text(&mut self, text: &str) -> Result<()> {
        if !is_xml_text(text) {
            return Err(not_well_formed("a character that XML forbids"));
        }
        match self.open.last_mut() {
            // XML 1.0 §2.11; a `\r` of a reference comes alone and stays.
            Some(parent) if text.len() > 1 && text.contains('\r') => {
                parent.push_text(&text.replace("\r\n", "\n").replace('\r', "\n"));
            }
            Some(parent) => parent.push_text(text),
            None if text.trim_ascii().is_empty() => {}
            None => return Err(not_well_formed("text outside of an element")),
        }
        Ok(())
    }
}

fn push_attribute(
    element: &mut Element,
    resolver: &NamespaceResolver,
    name: &str,
    value: &str,
) -> Result<()> {
    let value = unescape_value(value)?;
    if let Some(declared) = name.strip_prefix("xmlns") {
        match declared.strip_prefix(':') {
            // Namespaces in XML 1.0 §2.2: only the default namespace can be undeclared.
            Some(_) if value.is_empty() => {
                return Err(ParseError::Namespace("a prefix without namespace"));
            }
            Some(prefix) => return split_name(prefix).map(drop),
            None if declared.is_empty() => return Ok(()),
            None => {}
        }
    }
    let (prefix, local) = split_name(name)?;
    let attribute = match prefix {
        None => Attribute {
            name: local,
            namespace: None,
            value: value.into_owned(),
        },
        Some("xml") => {
            let name = if *local == *"lang" {
                Name::from("xml:lang")
            } else {
                Name::intern(name)
            };
            Attribute {
                name,
                namespace: None,
                value: value.into_owned(),
            }
        }
        Some(_) => {
            let (namespace, _) = resolver.resolve_attribute(QName(name));
            Attribute {
                name: local,
                namespace: Some(namespace_name(&namespace)?),
                value: value.into_owned(),
            }
        }
    };
    let mut others = element.attributes().iter();
    if others.any(|other| other.name == attribute.name && other.namespace == attribute.namespace) {
        return Err(match attribute.namespace {
            None => not_well_formed("the same attribute twice"),
            Some(_) => ParseError::Namespace("the same attribute twice"),
        });
    }
    element.push_attribute(attribute);
    Ok(())
}

/// Prefix and local name, each checked.
fn split_name(name: &str) -> Result<(Option<&str>, Name)> {
    match name.split_once(':') {
        None => Ok((
            None,
            Name::parse(name).ok_or_else(|| not_well_formed("a name that XML forbids"))?,
        )),
        Some((prefix, local)) => match (Name::parse(prefix), Name::parse(local)) {
            (Some(_), Some(local)) => Ok((Some(prefix), local)),
            _ => Err(ParseError::Namespace("a name with a stray colon")),
        },
    }
}

fn namespace_name(resolved: &ResolveResult<'_>) -> Result<Name> {
    match resolved {
        // The stream's namespace is that of client stanzas by another name.
        ResolveResult::Bound(Namespace(ns::COMPONENT)) => Ok(Name::from(ns::CLIENT)),
        ResolveResult::Bound(Namespace(namespace)) => Ok(Name::intern(&unescape_value(namespace)?)),
        ResolveResult::Unbound => Ok(Name::from("")),
        ResolveResult::Unknown(_) => Err(ParseError::Namespace("an undeclared prefix")),
    }
}

fn from_reader(error: quick_xml::Error) -> ParseError {
    match error {
        quick_xml::Error::Namespace(_) => ParseError::Namespace("a reserved prefix, or too many"),
        other => ParseError::NotWellFormed(Cow::Owned(other.to_string())),
    }
}

pub(super) fn not_well_formed(what: &'static str) -> ParseError {
    ParseError::NotWellFormed(Cow::Borrowed(what))
}

#[cfg(test)]
#[path = "parse_tests.rs"]
mod tests;

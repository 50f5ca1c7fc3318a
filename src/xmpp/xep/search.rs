//! XEP-0055: Jabber Search, with XEP-0004 forms and without.

use crate::xmpp::{
    jid::BareJid,
    ns,
    stanza::{Element, Iq, IqType},
    xep::forms::{Field, Form, FormType},
};

/// What a client asks.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Request {
    /// What can be searched for.
    Fields,
    /// Whoever this is true of; by form or by the old fields, and so is the answer.
    Find {
        /// What was entered, without the empty fields.
        words: Vec<String>,
        /// Whether it was a form.
        by_form: bool,
    },
}

/// Somebody who was found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Found {
    /// The JID.
    pub jid: BareJid,
    /// What it is called.
    pub name: String,
    /// The address on the other network.
    pub address: String,
}

/// The heads of the columns of an answer.
#[derive(Clone, Copy, Debug)]
pub struct Labels<'a> {
    /// Of the names.
    pub name: &'a str,
    /// Of the addresses.
    pub address: &'a str,
}

impl Request {
    /// Reads a request; `None` for any other iq.
    pub fn parse(iq: &Iq) -> Option<Self> {
        let query = iq.child("query", ns::SEARCH)?;
        match iq.kind {
            IqType::Get => Some(Self::Fields),
            IqType::Set => Some(Self::find(query)),
            IqType::Result | IqType::Error => None,
        }
    }

    fn find(query: &Element) -> Self {
        let form = Form::in_element(query).filter(|form| form.kind == FormType::Submit);
        let by_form = form.is_some();
        let entered: Vec<String> = match form {
            Some(form) => {
                let filled = form.fields.into_iter();
                let filled = filled.filter(|field| field.var != "FORM_TYPE");
                filled.flat_map(|field| field.values).collect()
            }
            None => query
                .children()
                .filter(|child| child.namespace() == ns::SEARCH)
                .map(|child| child.text().into_owned())
                .collect(),
        };
        let words = entered.into_iter().map(|text| text.trim().to_owned());
        Self::Find {
            words: words.filter(|text| !text.is_empty()).collect(),
            by_form,
        }
    }
}

/// The answer to [`Request::Fields`]: one field, which is looked for everywhere.
pub fn fields(instructions: &str, label: &str) -> Element {
    let form = Form::new(ns::SEARCH)
        .with_instructions(instructions)
        .with_field(Field::new("nick", "text-single").with_label(label));
    Element::new("query", ns::SEARCH)
        .with_child(Element::text_only("instructions", ns::SEARCH, instructions))
        .with_child(Element::new("nick", ns::SEARCH))
        .with_child(form.to_element())
}

/// The answer to [`Request::Find`].
pub fn results(found: &[Found], by_form: bool, labels: Labels<'_>) -> Element {
    let query = Element::new("query", ns::SEARCH);
    if by_form {
        return query.with_child(table(found, labels));
    }
    let item = |one: &Found| {
        let text =
            |name: &'static str, text: &str| Element::text_only(name, ns::SEARCH, text.to_owned());
        // XEP-0055 §2.1: these four fields, and no other.
        Element::new("item", ns::SEARCH)
            .with_attr("jid", one.jid.as_str())
            .with_child(text("first", &one.name))
            .with_child(text("last", ""))
            .with_child(text("nick", &one.name))
            .with_child(text(
                "email",
                if one.address.contains('@') {
                    &one.address
                } else {
                    ""
                },
            ))
    };
    query.with_children(found.iter().map(item))
}

/// XEP-0004 §3.4: a table.
fn table(found: &[Found], labels: Labels<'_>) -> Element {
    let element = |name: &'static str| Element::new(name, ns::FORMS);
    let marker = element("field")
        .with_attr("var", "FORM_TYPE")
        .with_attr("type", "hidden")
        .with_child(Element::text_only("value", ns::FORMS, ns::SEARCH));
    let column = |var: &'static str, label: &str, kind: &'static str| {
        element("field")
            .with_attr("var", var)
            .with_attr("label", label)
            .with_attr("type", kind)
    };
    let cell = |var: &'static str, text: &str| {
        element("field")
            .with_attr("var", var)
            .with_child(Element::text_only("value", ns::FORMS, text.to_owned()))
    };
    let row = |one: &Found| {
        element("item")
            .with_child(cell("jid", one.jid.as_str()))
            .with_child(cell("nick", &one.name))
            .with_child(cell("address", &one.address))
    };
    let head = element("reported")
        .with_child(column("jid", "JID", "jid-single"))
        .with_child(column("nick", labels.name, "text-single"))
        .with_child(column("address", labels.address, "text-single"));
    element("x")
        .with_attr("type", "result")
        .with_child(marker)
        .with_child(head)
        .with_children(found.iter().map(row))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::xmpp::jid::Jid;

    #[track_caller]
    fn read(kind: IqType, inside: &str) -> Option<Request> {
        let query = format!("<query xmlns='jabber:iq:search'>{inside}</query>");
        let jid = |text| Jid::new(text).unwrap();
        let iq = Iq::new(kind, jid("a@b/c"), jid("sms.b")).with_child(query.parse().unwrap());
        Request::parse(&iq)
    }

    fn find(words: &[&str], by_form: bool) -> Request {
        let words = words.iter().map(|&word| word.to_owned()).collect();
        Request::Find { words, by_form }
    }

    #[test]
    fn both_ways_of_asking_are_read() {
        assert_eq!(read(IqType::Get, ""), Some(Request::Fields));
        assert_eq!(
            read(
                IqType::Set,
                "<nick> bob </nick><last/><odd xmlns='x'>y</odd>"
            ),
            Some(find(&["bob"], false))
        );
        let form = "<x xmlns='jabber:x:data' type='submit'><field var='FORM_TYPE'><value>jabber:iq:search</value></field>\
                    <field var='nick'><value>bob</value></field><field var='more'/><field/></x>";
        assert_eq!(read(IqType::Set, form), Some(find(&["bob"], true)));
        assert_eq!(read(IqType::Set, ""), Some(find(&[], false)));
        assert_eq!(
            read(IqType::Set, "<x xmlns='jabber:x:data' type='cancel'/>"),
            Some(find(&[], false))
        );
        assert_eq!(read(IqType::Result, ""), None);
    }

    #[test]
    fn both_ways_of_answering_name_the_jid() {
        let found = [Found {
            jid: BareJid::new("+1@sms.b").unwrap(),
            name: "Bob".to_owned(),
            address: "+1".to_owned(),
        }];
        let labels = Labels {
            name: "Name",
            address: "Number",
        };
        assert_eq!(
            results(&found, false, labels).to_xml(),
            "<query xmlns='jabber:iq:search'><item jid='+1@sms.b'><first>Bob</first><last/><nick>Bob</nick><email/></item>\
             </query>"
        );
        let table = results(&found, true, labels).to_xml();
        assert!(
            table.contains("<field var='jid'><value>+1@sms.b</value></field>"),
            "{table}"
        );
        assert!(table.contains("label='Number'"), "{table}");
    }
}

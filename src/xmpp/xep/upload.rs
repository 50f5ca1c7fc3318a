//! XEP-0363: HTTP File Upload, as who asks for a slot.

use crate::xmpp::{
    ns,
    stanza::{Element, Iq},
};

/// A place to put a file, once.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Slot {
    /// Where it is put.
    pub put: String,
    /// With which headers: name and value.
    pub headers: Vec<(String, String)>,
    /// Where it is got.
    pub get: String,
}

/// The payload of a request for a slot. §5
pub fn request(name: &str, bytes: u64, content_type: &str) -> Element {
    Element::new("request", ns::UPLOAD)
        .with_attr("filename", name)
        .with_attr("size", bytes.to_string())
        .with_attr("content-type", content_type)
}

impl Slot {
    /// Reads an answer; `None` when it holds no slot.
    pub fn parse(iq: &Iq) -> Option<Self> {
        let slot = iq.child("slot", ns::UPLOAD)?;
        let put = slot.child("put", ns::UPLOAD)?;
        // §5: no other header may be asked for, and a line break in one would be two of them.
        let header = |element: &Element| {
            let name = element.attr("name")?.trim().to_ascii_lowercase();
            let allowed = matches!(name.as_str(), "authorization" | "cookie" | "expires");
            let value = element.text().replace(['\r', '\n'], "");
            (allowed && element.is("header", ns::UPLOAD)).then_some((name, value))
        };
        Some(Self {
            put: put.attr("url")?.to_owned(),
            headers: put.children().filter_map(header).collect(),
            get: slot.child("get", ns::UPLOAD)?.attr("url")?.to_owned(),
        })
    }
}

/// The largest file that a service takes, in bytes, as its discovery says. §4
pub fn size_max(info: &Element) -> Option<u64> {
    if !info.is("query", ns::DISCO_INFO) {
        return None;
    }
    let forms = info.children().filter(|child| child.is("x", ns::FORMS));
    let value = |form: &Element, name: &str| {
        let field = form
            .children()
            .find(|field| field.is("field", ns::FORMS) && field.attr("var") == Some(name))?;
        Some(field.child("value", ns::FORMS)?.text().into_owned())
    };
    forms
        .filter(|form| value(form, "FORM_TYPE").as_deref() == Some(ns::UPLOAD))
        .find_map(|form| value(form, "max-file-size")?.trim().parse().ok())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::xmpp::{jid::Jid, stanza::IqType};

    fn answer(payload: &str) -> Iq {
        let from = Jid::new("upload.example.org").unwrap();
        let to = Jid::new("sms.example.org").unwrap();
        Iq::new(IqType::Result, from, to).with_child(payload.parse().unwrap())
    }

    #[test]
    fn a_slot_is_read_with_its_headers() {
        let slot = Slot::parse(&answer(
            "<slot xmlns='urn:xmpp:http:upload:0'><put url='https://u/p'><header name='Authorization'>Basic x\r\ny</header>\
             <header name='Host'>evil</header><header name='cookie'>a=b</header></put><get url='https://u/g'/></slot>",
        ))
        .unwrap();
        assert_eq!(
            (slot.put.as_str(), slot.get.as_str()),
            ("https://u/p", "https://u/g")
        );
        let headers = [("authorization", "Basic xy"), ("cookie", "a=b")];
        assert_eq!(
            slot.headers,
            headers.map(|(name, value)| (name.to_owned(), value.to_owned()))
        );
    }

    #[test]
    fn half_a_slot_is_none() {
        for payload in [
            "<slot xmlns='urn:xmpp:http:upload:0'/>",
            "<slot xmlns='urn:xmpp:http:upload:0'><put url='https://u/p'/></slot>",
            "<slot xmlns='urn:xmpp:http:upload:0'><put/><get url='https://u/g'/></slot>",
            "<slot xmlns='urn:xmpp:http:upload'><put url='a'/><get url='b'/></slot>",
        ] {
            assert_eq!(Slot::parse(&answer(payload)), None, "{payload}");
        }
    }

    #[test]
    fn the_largest_size_is_read_from_the_form() {
        let info = |value: &str| {
            format!(
                "<query xmlns='http://jabber.org/protocol/disco#info'><x xmlns='jabber:x:data' type='result'>\
                 <field var='FORM_TYPE' type='hidden'><value>urn:xmpp:http:upload:0</value></field>\
                 <field var='max-file-size'><value>{value}</value></field></x></query>"
            )
            .parse::<Element>()
            .unwrap()
        };
        assert_eq!(size_max(&info("5242880")), Some(5_242_880));
        assert_eq!(size_max(&info("much")), None);
        assert_eq!(size_max(&Element::new("query", ns::DISCO_INFO)), None);
    }
}

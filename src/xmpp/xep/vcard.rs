//! XEP-0054: vcard-temp, and XEP-0292: vCard4 (RFC 6351). The same card in the two forms that clients ask for.

use super::avatar::{self, Avatar};
use crate::xmpp::{
    ns,
    stanza::{Element, Iq, IqType},
};

/// Who somebody is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Card {
    /// The full name.
    pub name: String,
    /// A phone number.
    pub phone: Option<String>,
    /// A mail address.
    pub mail: Option<String>,
    /// A picture.
    pub photo: Option<Avatar>,
}

/// XEP-0292 §3: the one item of the node.
pub const ITEM: &str = "current";

/// Whether this asks for a card by vcard-temp.
pub fn is_query(iq: &Iq) -> bool {
    iq.kind == IqType::Get && iq.child("vCard", ns::VCARD).is_some()
}

/// Whether this asks for a card by vCard4 over IQ (XEP-0292 §6).
pub fn is_query4(iq: &Iq) -> bool {
    iq.kind == IqType::Get && iq.child("vcard", ns::VCARD4).is_some()
}

impl Card {
    /// XEP-0054.
    pub fn to_temp(&self) -> Element {
        let element = |name: &'static str| Element::new(name, ns::VCARD);
        let text =
            |name: &'static str, text: &str| Element::text_only(name, ns::VCARD, text.to_owned());
        let phone = self
            .phone
            .as_ref()
            .map(|number| element("TEL").with_child(text("NUMBER", number)));
        let mail = self.mail.as_ref().map(|address| {
            element("EMAIL")
                .with_child(element("INTERNET"))
                .with_child(text("USERID", address))
        });
        let photo = self.photo.as_ref().map(|photo| {
            element("PHOTO")
                .with_child(text("TYPE", avatar::MEDIA_TYPE))
                .with_child(text("BINVAL", &photo.base64()))
        });
        element("vCard")
            .with_child(text("FN", &self.name))
            .with_children(phone)
            .with_children(mail)
            .with_children(photo)
    }

    /// RFC 6351 §4: every value says of what type it is.
    pub fn to_vcard4(&self) -> Element {
        let property = |name: &'static str, kind: &'static str, value: String| {
            Element::new(name, ns::VCARD4).with_child(Element::text_only(kind, ns::VCARD4, value))
        };
        let phone = self
            .phone
            .as_ref()
            .map(|number| property("tel", "uri", format!("tel:{number}")));
        let mail = self
            .mail
            .as_ref()
            .map(|address| property("email", "text", address.clone()));
        let photo = self.photo.as_ref().map(|photo| {
            let uri = format!("data:{};base64,{}", avatar::MEDIA_TYPE, photo.base64());
            property("photo", "uri", uri)
        });
        Element::new("vcard", ns::VCARD4)
            .with_child(property("fn", "text", self.name.clone()))
            .with_children(phone)
            .with_children(mail)
            .with_children(photo)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn card() -> Card {
        Card {
            name: "Bob & Co".to_owned(),
            phone: Some("+12025550147".to_owned()),
            mail: Some("bob@example.com".to_owned()),
            photo: Some(Avatar {
                png: b"PNG".to_vec(),
                id: "x".to_owned(),
                side: 96,
            }),
        }
    }

    #[test]
    fn they_look_as_in_the_documents() {
        assert_eq!(
            card().to_temp().to_xml(),
            "<vCard xmlns='vcard-temp'><FN>Bob &amp; Co</FN><TEL><NUMBER>+12025550147</NUMBER></TEL><EMAIL><INTERNET/>\
             <USERID>bob@example.com</USERID></EMAIL><PHOTO><TYPE>image/png</TYPE><BINVAL>UE5H</BINVAL></PHOTO></vCard>"
        );
        assert_eq!(
            card().to_vcard4().to_xml(),
            "<vcard xmlns='urn:ietf:params:xml:ns:vcard-4.0'><fn><text>Bob &amp; Co</text></fn><tel><uri>tel:+12025550147\
             </uri></tel><email><text>bob@example.com</text></email><photo><uri>data:image/png;base64,UE5H</uri></photo>\
             </vcard>"
        );
    }

    #[test]
    fn what_is_not_known_is_left_out() {
        let card = Card {
            name: "x".to_owned(),
            phone: None,
            mail: None,
            photo: None,
        };
        assert_eq!(
            card.to_temp().to_xml(),
            "<vCard xmlns='vcard-temp'><FN>x</FN></vCard>"
        );
        assert_eq!(
            card.to_vcard4().to_xml(),
            "<vcard xmlns='urn:ietf:params:xml:ns:vcard-4.0'><fn><text>x</text></fn></vcard>"
        );
    }
}

//! XEP-0077: In-Band Registration, as a gateway meets it (XEP-0100 §4.1).

use crate::xmpp::{
    ns,
    stanza::{Element, Iq, IqType},
    xep::forms::{Form, FormType},
};

/// What a client asks.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Request {
    /// What is needed to register, and what is known already.
    Get,
    /// Register, or change the registration, with these values: those of the form, if there is one, else the
    /// legacy fields.
    Set(Vec<(String, String)>),
    /// End the registration.
    Remove,
    /// The user gave up.
    Cancel,
}

/// Reads a request; `None` for any other iq.
pub fn parse(iq: &Iq) -> Option<Request> {
    let query = iq.child("query", ns::REGISTER)?;
    match iq.kind {
        IqType::Get => Some(Request::Get),
        IqType::Set => Some(parse_set(query)),
        IqType::Result | IqType::Error => None,
    }
}

fn parse_set(query: &Element) -> Request {
    let form = Form::in_element(query);
    if query.child("remove", ns::REGISTER).is_some()
        || form.as_ref().is_some_and(|form| form.is_true("remove"))
    {
        return Request::Remove;
    }
    match form {
        Some(form) if form.kind == FormType::Cancel => Request::Cancel,
        Some(form) => {
            let filled = form
                .fields
                .into_iter()
                .filter(|field| field.var != "FORM_TYPE");
            Request::Set(
                filled
                    .map(|field| {
                        (
                            field.var,
                            field.values.into_iter().next().unwrap_or_default(),
                        )
                    })
                    .collect(),
            )
        }
        None => {
            let legacy = query
                .children()
                .filter(|child| child.namespace() == ns::REGISTER);
            Request::Set(
                legacy
                    .map(|child| (child.name().to_owned(), child.text().into_owned()))
                    .collect(),
            )
        }
    }
}

/// The answer to [`Request::Get`].
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Offer {
    /// What to do, for clients without forms.
    pub instructions: String,
    /// Whether the user is registered.
    pub registered: bool,
    /// Legacy fields (XEP-0077 §14.1 lists them) with their present values.
    pub fields: Vec<(&'static str, String)>,
    /// The same for clients that know forms.
    pub form: Option<Form>,
}

impl Offer {
    /// The answer's payload.
    pub fn to_element(&self) -> Element {
        let legacy = |(name, value): &(&'static str, String)| {
            Element::text_only(*name, ns::REGISTER, value.as_str())
        };
        Element::new("query", ns::REGISTER)
            .with_children(
                self.registered
                    .then(|| Element::new("registered", ns::REGISTER)),
            )
            .with_child(Element::text_only(
                "instructions",
                ns::REGISTER,
                self.instructions.as_str(),
            ))
            .with_children(self.fields.iter().map(legacy))
            .with_children(self.form.as_ref().map(Form::to_element))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::xmpp::{jid::Jid, xep::forms::Field};

    #[track_caller]
    fn read(kind: IqType, inside: &str) -> Option<Request> {
        let query = format!("<query xmlns='jabber:iq:register'>{inside}</query>")
            .parse()
            .unwrap();
        parse(
            &Iq::new(kind, Jid::new("a@b/c").unwrap(), Jid::new("sms.b").unwrap())
                .with_child(query),
        )
    }

    fn pairs(pairs: &[(&str, &str)]) -> Request {
        Request::Set(
            pairs
                .iter()
                .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()))
                .collect(),
        )
    }

    #[test]
    fn every_request_is_read() {
        assert_eq!(read(IqType::Get, ""), Some(Request::Get));
        assert_eq!(read(IqType::Set, "<remove/>"), Some(Request::Remove));
        assert_eq!(
            read(
                IqType::Set,
                "<x xmlns='jabber:x:data' type='submit'><field var='remove'><value>true</value></field></x>"
            ),
            Some(Request::Remove)
        );
        assert_eq!(
            read(IqType::Set, "<x xmlns='jabber:x:data' type='cancel'/>"),
            Some(Request::Cancel)
        );
        assert_eq!(
            read(IqType::Set, "<phone>+1</phone><x xmlns='y'/>"),
            Some(pairs(&[("phone", "+1")]))
        );
        assert_eq!(read(IqType::Result, ""), None);
    }

    #[test]
    fn the_form_counts_more_than_legacy_fields() {
        let both = "<phone>old</phone><x xmlns='jabber:x:data' type='submit'><field var='FORM_TYPE'><value>jabber:iq:register\
                    </value></field><field var='phone'><value>+1</value></field><field var='empty'/></x>";
        assert_eq!(
            read(IqType::Set, both),
            Some(pairs(&[("phone", "+1"), ("empty", "")]))
        );
        assert_eq!(read(IqType::Set, ""), Some(pairs(&[])));
    }

    #[test]
    fn an_offer_holds_what_is_known() {
        let offer = Offer {
            instructions: "Choose.".into(),
            registered: true,
            fields: vec![("phone", "+1".into())],
            form: Some(Form::new(ns::REGISTER).with_field(Field::new("phone", "text-single"))),
        };
        let element = offer.to_element();
        assert!(element.child("registered", ns::REGISTER).is_some());
        assert_eq!(
            element.child_text("phone", ns::REGISTER).as_deref(),
            Some("+1")
        );
        assert_eq!(Form::in_element(&element), offer.form);
    }
}

//! Commands and forms as clients fill them in (XEP-0050, XEP-0004).

#![no_main]

use libfuzzer_sys::fuzz_target;
use transom::xmpp::{
    jid::Jid,
    stanza::{Element, Iq},
    xep::{adhoc::Request, forms::Form},
};

fuzz_target!(|xml: &str| {
    let Ok(element) = xml.parse::<Element>() else {
        return;
    };
    if let Some(form) = Form::from_element(&element).or_else(|| Form::in_element(&element)) {
        let again = Form::from_element(&form.to_element());
        // A row has a cell a column, so the second reading is the first one that is whole.
        let again = again.expect("what we write is a form");
        assert_eq!(Form::from_element(&again.to_element()), Some(again));
    }
    let from = Jid::new("alice@example.org/phone").expect("a JID");
    let to = Jid::new("sms.example.org").expect("a JID");
    let iq = Iq::set(from, to, element);
    if let Some(Ok(request)) = Request::parse(&iq) {
        assert!(request.form.is_none_or(|form| form.kind == transom::xmpp::xep::forms::FormType::Submit));
    }
});

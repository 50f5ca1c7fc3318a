//! Single stanzas, and what is in them.

use transom::xmpp::{
    jid::{BareJid, Jid, escape, unescape},
    stanza::{Element, Iq},
    xep::{
        adhoc::Request,
        forms::{Form, FormType},
    },
};

/// One stanza through all that is pure: read, decided on for people of every standing, answered.
pub fn handling(data: &[u8]) {
    transom_conformance::handle(&String::from_utf8_lossy(data));
}

/// Commands and forms as clients fill them in (XEP-0050, XEP-0004).
pub fn forms(data: &[u8]) {
    let Ok(element) = String::from_utf8_lossy(data).parse::<Element>() else {
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
    if let Some(Ok(request)) = Request::parse(&Iq::set(from, to, element)) {
        let submitted = |form: &Form| form.kind == FormType::Submit;
        assert!(request.form.as_ref().is_none_or(submitted));
    }
}

/// XEP-0106: addresses of other networks in JIDs.
pub fn jid(data: &[u8]) {
    let text = String::from_utf8_lossy(data);
    if let Ok(escaped) = escape(&text) {
        assert_eq!(unescape(&escaped).as_deref(), Ok(text.as_ref()));
        // Whatever becomes a JID is read back as it went in, but for what nodeprep folds.
        if let Ok(jid) = BareJid::new(&format!("{escaped}@sms.example.org")) {
            unescape(jid.node().expect("it has one").as_str()).expect("it was escaped");
        }
    }
    unescape(&text).ok();
    Jid::new(&text).ok();
}

//! XEP-0106: addresses of other networks in JIDs.

#![no_main]

use libfuzzer_sys::fuzz_target;
use transom::xmpp::jid::{BareJid, Jid, escape, unescape};

fuzz_target!(|text: &str| {
    if let Ok(escaped) = escape(text) {
        assert_eq!(unescape(&escaped).as_deref(), Ok(text));
        // Whatever becomes a JID is read back as it went in, but for what nodeprep folds.
        if let Ok(jid) = BareJid::new(&format!("{escaped}@sms.example.org")) {
            unescape(jid.node().expect("it has one").as_str()).expect("it was escaped");
        }
    }
    unescape(text).ok();
    Jid::new(text).ok();
});

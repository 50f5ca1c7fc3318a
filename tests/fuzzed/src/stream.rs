//! What the XMPP server sends: cut into stanzas, parsed, written again.

use transom::xmpp::stanza::{Element, Limits, Stanza};

/// The cutter is private to the link; it is compiled here once more, beside what it uses.
#[path = "../../../src/xmpp/stream/cutter.rs"]
mod cutter;

use cutter::{Cut, Cutter};

/// It does not matter where reads end, and what was read is written so that it is read the same.
pub fn stanza(data: &[u8]) {
    let whole = pieces(data, data.len().max(1));
    for size in [1, 7] {
        assert_eq!(whole, pieces(data, size), "cut by {size}");
    }
    for piece in &whole {
        if let Some(text) = piece.strip_prefix("stanza ") {
            reread(text);
        }
    }
    if let Ok(text) = str::from_utf8(data) {
        reread(text);
    }
}

/// Everything that the cutter gives for reads of this size, with its end.
fn pieces(data: &[u8], size: usize) -> Vec<String> {
    let mut cutter = Cutter::new(&Limits {
        stanza_bytes: 512,
        ..Limits::default()
    });
    let mut found = Vec::new();
    for read in data.chunks(size) {
        cutter.buffer().extend_from_slice(read);
        loop {
            match cutter.next() {
                Ok(None) => break,
                Ok(Some(Cut::Open(tag))) => found.push(format!("open {tag}")),
                Ok(Some(Cut::Stanza(text))) => found.push(format!("stanza {text}")),
                Ok(Some(Cut::TooBig(head))) => found.push(format!("too big {head:?}")),
                Ok(Some(Cut::Close)) => return found,
                Err(_) => {
                    found.push("error".to_owned());
                    return found;
                }
            }
        }
    }
    found
}

fn reread(text: &str) {
    let Ok(element) = text.parse::<Element>() else {
        return;
    };
    let again: Element = element.to_xml().parse().expect("what we write can be read");
    assert_eq!(again, element);
    if let Ok(stanza) = Stanza::try_from(element) {
        let again = Stanza::try_from(stanza.to_element()).expect("a stanza stays one");
        assert_eq!(again, stanza);
    }
}

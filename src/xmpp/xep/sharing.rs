//! Files in messages: XEP-0066 (Out of Band Data), XEP-0385 (Stateless Inline Media Sharing) and XEP-0447 (Stateless File Sharing,
//! with the metadata of XEP-0446). All three are read; the first and the last are written.

use base64::{Engine, prelude::BASE64_STANDARD};

use crate::xmpp::{
    ns,
    stanza::{Element, Message},
};

/// Files of one message; more are none that a person sent.
const FILES_MAX: usize = 20;

/// A file that a message shares.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Shared {
    /// Where it is.
    pub url: String,
    /// What it is called.
    pub name: Option<String>,
    /// What it is said to be.
    pub media_type: Option<String>,
    /// Its size in bytes.
    pub bytes: Option<u64>,
    /// SHA-256 of its content; written, not read.
    pub sha256: Option<Vec<u8>>,
}

impl Shared {
    /// Whether its content is encrypted for the recipient's client: XEP-0454, or XEP-0448.
    pub fn is_encrypted(&self) -> bool {
        scheme_is(&self.url, "aesgcm")
    }
}

/// The files that a message shares, each once. What says more of the same file wins.
pub fn files(message: &Message) -> Vec<Shared> {
    let mut found: Vec<Shared> = Vec::new();
    let by_sharing = message.children.iter().filter_map(shared);
    let by_oob = message.children.iter().filter_map(oob);
    for file in by_sharing.chain(by_oob) {
        if found.len() < FILES_MAX && !found.iter().any(|known| known.url == file.url) {
            found.push(file);
        }
    }
    found
}

/// The text without what only stands in for the files: lines that are nothing but the URL of one.
pub fn without_urls(body: &str, files: &[Shared]) -> String {
    let is_url = |line: &str| files.iter().any(|file| file.url == line.trim());
    let kept: Vec<&str> = body.lines().filter(|line| !is_url(line)).collect();
    kept.join("\n").trim_end().to_owned()
}

fn shared(child: &Element) -> Option<Shared> {
    match (child.name(), child.namespace()) {
        ("file-sharing", ns::SFS) => {
            let sources = child.child("sources", ns::SFS)?;
            // XEP-0448: what is behind it only the recipient's client can read.
            if let Some(encrypted) = sources.child("encrypted", ns::SFS_ENCRYPTED) {
                let url = url_data(encrypted.child("sources", ns::SFS)?)?;
                let url = format!("aesgcm{}", url.trim_start_matches("https"));
                return Some(described(url, None));
            }
            let file = child.child("file", ns::FILE_METADATA);
            Some(described(url_data(sources)?, file))
        }
        ("reference", ns::REFERENCE) => {
            let sharing = child.child("media-sharing", ns::SIMS)?;
            let sources = sharing.child("sources", ns::SIMS)?;
            let mut uris = sources.children().filter_map(|source| source.attr("uri"));
            let url = uris.find(|uri| is_fetchable(uri))?;
            let file = sharing.children().find(|child| child.name() == "file");
            Some(described(url.to_owned(), file))
        }
        _ => None,
    }
}

fn url_data(sources: &Element) -> Option<String> {
    let mut targets = sources
        .children()
        .filter(|source| source.is("url-data", ns::URL_DATA))
        .filter_map(|source| source.attr("target"));
    targets
        .find(|target| is_fetchable(target))
        .map(str::to_owned)
}

fn oob(child: &Element) -> Option<Shared> {
    if !child.is("x", ns::OOB) {
        return None;
    }
    let url = child.child("url", ns::OOB)?.text().trim().to_owned();
    is_fetchable(&url).then(|| described(url, None))
}

fn described(url: String, file: Option<&Element>) -> Shared {
    let text = |name: &str| {
        let child = file?.children().find(|child| child.name() == name)?;
        let text = child.text().trim().to_owned();
        Some(text).filter(|text| !text.is_empty() && text.len() <= 1024)
    };
    Shared {
        url,
        name: text("name"),
        media_type: text("media-type"),
        bytes: text("size").and_then(|size| size.parse().ok()),
        sha256: None,
    }
}

fn is_fetchable(url: &str) -> bool {
    ["https", "http", "aesgcm"]
        .into_iter()
        .any(|scheme| scheme_is(url, scheme))
}

fn scheme_is(url: &str, scheme: &str) -> bool {
    url.split_once("://")
        .is_some_and(|(found, _)| found.eq_ignore_ascii_case(scheme))
}

/// What a message shares a file with. The body has to be the URL and nothing else: then clients show the file in its place.
pub fn elements(file: &Shared) -> [Element; 2] {
    let optional = |name: &'static str, text: Option<String>| {
        text.map(|text| Element::text_only(name, ns::FILE_METADATA, text))
    };
    let hash = file.sha256.as_ref().map(|hash| {
        Element::text_only("hash", ns::HASHES, BASE64_STANDARD.encode(hash))
            .with_attr("algo", "sha-256")
    });
    let metadata = Element::new("file", ns::FILE_METADATA)
        .with_children(optional("media-type", file.media_type.clone()))
        .with_children(optional("name", file.name.clone()))
        .with_children(optional("size", file.bytes.map(|bytes| bytes.to_string())))
        .with_children(hash);
    let source = Element::new("url-data", ns::URL_DATA).with_attr("target", file.url.as_str());
    let sharing = Element::new("file-sharing", ns::SFS)
        .with_attr("disposition", "inline")
        .with_child(metadata)
        .with_child(Element::new("sources", ns::SFS).with_child(source));
    let url = Element::text_only("url", ns::OOB, file.url.as_str());
    [Element::new("x", ns::OOB).with_child(url), sharing]
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::xmpp::{jid::Jid, stanza::Stanza};

    fn message(children: &str) -> Message {
        let xml = format!(
            "<message xmlns='jabber:client' from='a@example.org/x' to='b@sms.example.org' type='chat'>{children}</message>"
        );
        match Stanza::try_from(xml.parse::<Element>().unwrap()) {
            Ok(Stanza::Message(message)) => message,
            other => panic!("not a message: {other:?}"),
        }
    }

    const OOB: &str = "<x xmlns='jabber:x:oob'><url>https://u.example.org/1/x.jpg</url></x>";
    const SIMS: &str = "<reference xmlns='urn:xmpp:reference:0' type='data'><media-sharing xmlns='urn:xmpp:sims:1'>\
        <file xmlns='urn:xmpp:jingle:apps:file-transfer:5'><media-type>image/jpeg</media-type><name>x.jpg</name>\
        <size>3032449</size></file><sources><reference xmlns='urn:xmpp:reference:0' type='data' uri='xmpp:a@b'/>\
        <reference xmlns='urn:xmpp:reference:0' type='data' uri='https://u.example.org/1/x.jpg'/></sources>\
        </media-sharing></reference>";
    const SFS: &str = "<file-sharing xmlns='urn:xmpp:sfs:0'><file xmlns='urn:xmpp:file:metadata:0'>\
        <media-type>image/jpeg</media-type><name>x.jpg</name><size>3032449</size></file><sources>\
        <url-data xmlns='http://jabber.org/protocol/url-data' target='https://u.example.org/1/x.jpg'/></sources></file-sharing>";

    #[test]
    fn each_way_of_sharing_is_read_and_one_file_is_one() {
        let whole = Shared {
            url: "https://u.example.org/1/x.jpg".to_owned(),
            name: Some("x.jpg".to_owned()),
            media_type: Some("image/jpeg".to_owned()),
            bytes: Some(3_032_449),
            sha256: None,
        };
        for children in [SIMS, SFS, &format!("{OOB}{SFS}{SIMS}")] {
            assert_eq!(files(&message(children)), std::slice::from_ref(&whole));
        }
        let url = whole.url;
        assert_eq!(
            files(&message(OOB)),
            [Shared {
                url,
                ..Shared::default()
            }]
        );
    }

    #[test]
    fn a_part_that_is_missing_or_unknown_is_no_file() {
        for children in [
            "<x xmlns='jabber:x:oob'/>",
            "<x xmlns='jabber:x:oob'><url/></x>",
            "<x xmlns='jabber:x:oob'><url>javascript:alert(1)</url></x>",
            "<x xmlns='jabber:x:oob'><url>file:///etc/passwd</url></x>",
            "<file-sharing xmlns='urn:xmpp:sfs:0'/>",
            "<file-sharing xmlns='urn:xmpp:sfs:0'><sources><new xmlns='urn:example'/></sources></file-sharing>",
            "<reference xmlns='urn:xmpp:reference:0' type='mention' uri='xmpp:a@b'/>",
            "<reference xmlns='urn:xmpp:reference:0'><media-sharing xmlns='urn:xmpp:sims:1'/></reference>",
        ] {
            assert_eq!(files(&message(children)), [], "{children}");
        }
    }

    #[test]
    fn encrypted_files_are_known() {
        for children in [
            "<x xmlns='jabber:x:oob'><url>AESGCM://u.example.org/1#00</url></x>",
            "<file-sharing xmlns='urn:xmpp:sfs:0'><sources><encrypted xmlns='urn:xmpp:esfs:0'><sources xmlns='urn:xmpp:sfs:0'>\
             <url-data xmlns='http://jabber.org/protocol/url-data' target='https://u.example.org/1'/></sources></encrypted>\
             </sources></file-sharing>",
        ] {
            let files = files(&message(children));
            assert!(files.len() == 1 && files[0].is_encrypted(), "{children}");
        }
    }

    #[test]
    fn a_message_does_not_hold_files_without_end() {
        let many = (0..1000)
            .map(|n| format!("<x xmlns='jabber:x:oob'><url>https://u.example.org/{n}</url></x>"));
        let many: Vec<String> = many.collect();
        assert_eq!(files(&message(&many.concat())).len(), FILES_MAX);
    }

    #[test]
    fn only_the_url_is_taken_out_of_the_text() {
        let files = files(&message(OOB));
        for (body, want) in [
            ("https://u.example.org/1/x.jpg", ""),
            (
                "Look at this\nhttps://u.example.org/1/x.jpg\n",
                "Look at this",
            ),
            (
                "https://u.example.org/1/x.jpg is it",
                "https://u.example.org/1/x.jpg is it",
            ),
            ("https://other.example.org/", "https://other.example.org/"),
        ] {
            assert_eq!(without_urls(body, &files), want);
        }
    }

    #[test]
    fn what_is_written_is_read() {
        let file = Shared {
            url: "https://gw.example.org/files/t/x.jpg".to_owned(),
            name: Some("x.jpg".to_owned()),
            media_type: Some("image/jpeg".to_owned()),
            bytes: Some(5),
            sha256: Some(vec![1; 32]),
        };
        let from = Jid::new("b@sms.example.org").unwrap();
        let mut message = Message::chat(from.clone(), from).with_body(file.url.as_str());
        message.children.extend(elements(&file));
        let read = files(&message);
        assert_eq!(
            read,
            [Shared {
                sha256: None,
                ..file
            }]
        );
    }
}

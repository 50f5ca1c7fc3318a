use bytes::BufMut;
use proptest::prelude::*;

use super::*;

const DECLARATION: &str = "<?xml version='1.0'?>";
const HEADER: &str =
    "<?xml version='1.0'?><stream:stream xmlns='jabber:component:accept' id=\"a>b\">";

/// Feeds in pieces of this size and notes every cut.
fn feed(limits: &Limits, stream: &[u8], piece: usize) -> (Vec<String>, Option<ParseError>) {
    let mut cutter = Cutter::new(limits);
    let mut cuts = Vec::new();
    for bytes in stream.chunks(piece.max(1)) {
        cutter.buffer().put_slice(bytes);
        loop {
            match cutter.next() {
                Ok(None) => break,
                Ok(Some(cut)) => cuts.push(match cut {
                    Cut::Open(text) => format!("open {text}"),
                    Cut::Stanza(text) => text.to_owned(),
                    Cut::TooBig(head) => format!("too big {head:?}"),
                    Cut::Close => "close".to_owned(),
                }),
                Err(error) => return (cuts, Some(error)),
            }
        }
    }
    (cuts, None)
}

/// However it arrives, the outcome is the same.
#[track_caller]
fn check(stream: &str, want: &[&str], error: Option<&ParseError>) {
    let stream = format!("{HEADER}{stream}");
    for piece in [1, 2, 3, 7, 64, stream.len()] {
        let (cuts, got) = feed(&Limits::default(), stream.as_bytes(), piece);
        let header = HEADER
            .strip_prefix(DECLARATION)
            .map(|header| format!("open {header}"));
        assert_eq!(cuts.first(), header.as_ref());
        assert_eq!(cuts[1..], *want, "in pieces of {piece}");
        assert_eq!(got.as_ref(), error, "in pieces of {piece}");
    }
}

#[test]
fn stanzas_are_cut_at_their_ends() {
    check(
        " <a/>\n<b>x<c d='</b>' e=\"/>\"/></b><f/ ></f ><g></g></stream:stream> rest <!",
        &[
            "<a/>",
            "<b>x<c d='</b>' e=\"/>\"/></b>",
            "<f/ ></f >",
            "<g></g>",
            "close",
        ],
        None,
    );
}

#[test]
fn markup_in_cdata_is_text() {
    check(
        "<a><![CDATA[</a><b> ]] > ]]]></a><c><![CDATA[]]></c>",
        &["<a><![CDATA[</a><b> ]] > ]]]></a>", "<c><![CDATA[]]></c>"],
        None,
    );
}

#[test]
fn what_xmpp_forbids_ends_the_stream() {
    let markup = ParseError::Restricted("a comment or a document type");
    let instruction = ParseError::Restricted("a processing instruction");
    check("<a/><!-- x -->", &["<a/>"], Some(&markup));
    check("<a><!-- x --></a>", &[], Some(&markup));
    check("<!DOCTYPE a>", &[], Some(&markup));
    check("<![CDATA[x]]>", &[], Some(&markup));
    check("<?xml version='1.0'?>", &[], Some(&instruction));
    check("<a><?php ?></a>", &[], Some(&instruction));
    check(
        "<a/>text<b/>",
        &["<a/>"],
        Some(&ParseError::NotWellFormed("text between stanzas".into())),
    );
}

#[test]
fn bytes_that_are_no_utf8_end_the_stream() {
    let stream = [HEADER.as_bytes(), b"<a>\xff</a>"].concat();
    assert_eq!(
        feed(&Limits::default(), &stream, 1).1,
        Some(ParseError::NotUtf8)
    );
    let latin = "<?xml version='1.0' encoding='ISO-8859-1'?>";
    assert_eq!(
        feed(&Limits::default(), latin.as_bytes(), 1).1,
        Some(ParseError::NotUtf8)
    );
}

#[test]
fn a_stream_begins_with_its_header() {
    for stream in ["<a/>", "</a>", "x", "<?php ?>"] {
        assert!(
            feed(&Limits::default(), stream.as_bytes(), 1).1.is_some(),
            "for {stream}"
        );
    }
    let endless = format!("<a b='{}", "x".repeat(HEAD_BYTES_MAX));
    assert!(
        feed(&Limits::default(), endless.as_bytes(), 100)
            .1
            .is_some()
    );
}

#[test]
fn a_big_stanza_is_skipped_and_the_next_one_is_not() {
    let limits = Limits {
        stanza_bytes: 1000,
        ..Limits::default()
    };
    let long = "y".repeat(900);
    for (big, head) in [
        (
            format!("<a id='1'>{long}<b c='>'/>{long}<![CDATA[</a>]]>{long}</a>"),
            "Some(\"<a id='1'>\")",
        ),
        (
            format!("<a id='1'>{}</a>", "z".repeat(1000)),
            "Some(\"<a id='1'>\")",
        ),
        (format!("<a b='{long}' c='{long}'/>"), "None"),
        (format!("<a b='{long}' c='{long}/>'>/</a>"), "None"),
        (format!("<a><![CDATA[{long}{long}]]></a>"), "Some(\"<a>\")"),
    ] {
        let stream = format!("{HEADER}{big}<next/>");
        for piece in [1, 2, 5, stream.len()] {
            let (cuts, error) = feed(&limits, stream.as_bytes(), piece);
            assert_eq!(
                cuts[1..],
                [format!("too big {head}"), "<next/>".into()],
                "in pieces of {piece}"
            );
            assert_eq!(error, None);
        }
    }
}

#[test]
fn a_skipped_stanza_takes_no_memory() {
    let limits = Limits {
        stanza_bytes: 1000,
        ..Limits::default()
    };
    let mut cutter = Cutter::new(&limits);
    cutter.buffer().put_slice(HEADER.as_bytes());
    assert!(matches!(cutter.next(), Ok(Some(Cut::Open(_)))));
    cutter.buffer().put_slice(b"<a>");
    for _ in 0..10_000 {
        cutter.buffer().put_slice(&[b'x'; 1000]);
        assert_eq!(cutter.next(), Ok(None));
        assert!(cutter.buffer().len() <= 2000);
    }
    assert!(cutter.buffer().capacity() < 100_000);
}

#[test]
fn bytes_are_looked_at_once() {
    // Quadratic work would take minutes here.
    let body = "x".repeat(500_000);
    let stream = format!("{HEADER}<a>{body}</a><a b='{body}'/><a><![CDATA[{body}]]></a>");
    let (cuts, error) = feed(&Limits::default(), stream.as_bytes(), 1);
    assert_eq!((cuts.len(), error), (4, None));
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2000))]

    #[test]
    fn pieces_do_not_matter(stream in "(<[ab/]{1,2}( b='[>/<x]{0,3}')?/?>|</[ab]>|<!\\[CDATA\\[[<>\\]]{0,4}\\]\\]>|[x <>&'\"/!?-]){0,12}", piece in 1_usize..9) {
        let stream = format!("{HEADER}{stream}");
        let limits = Limits { stanza_bytes: 40, ..Limits::default() };
        prop_assert_eq!(feed(&limits, stream.as_bytes(), piece), feed(&limits, stream.as_bytes(), stream.len()));
    }

    #[test]
    fn any_bytes_do_no_harm(bytes in proptest::collection::vec(any::<u8>(), 0..200)) {
        feed(&Limits::default(), &bytes, 7);
        feed(&Limits::default(), &[HEADER.as_bytes(), &bytes].concat(), 7);
    }
}

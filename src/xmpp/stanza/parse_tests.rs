use super::*;

#[track_caller]
fn parse(text: &str) -> Result<Element> {
    text.parse()
}

#[track_caller]
fn refused(text: &str) -> ParseError {
    match parse(text) {
        Err(error) => error,
        Ok(element) => panic!("{text:?} was read as {element:?}"),
    }
}

#[test]
fn text_references_and_cdata_are_joined() {
    let element = parse("<a>1&lt;2&amp;&#x41;&#66;<![CDATA[<x>&amp;]]>\u{e9}</a>").unwrap();
    assert_eq!(element.text(), "1<2&AB<x>&amp;é");
    assert_eq!(element.nodes().len(), 1);
}

#[test]
fn attributes_are_normalized() {
    let element = parse("<a b = \"x'&quot;&#10;\ty\r\nz\" c='>'/>").unwrap();
    assert_eq!(element.attr("b"), Some("x'\"\n y z"));
    assert_eq!(element.attr("c"), Some(">"));
}

#[test]
fn line_ends_become_line_feeds_unless_written_as_references() {
    assert_eq!(parse("<a>x\r\ny\rz&#13;</a>").unwrap().text(), "x\ny\nz\r");
}

#[test]
fn namespaces_are_resolved() {
    let element = parse(
        "<p:a xmlns:p='urn:p' xmlns='urn:d' q='1' p:q='2' xml:lang='de' xml:base='b'><b/><p:c xmlns:p='urn:&amp;'/>\
         <d xmlns=''/></p:a>",
    )
    .unwrap();
    assert!(element.is("a", "urn:p"));
    assert_eq!(
        (element.attr("q"), element.attr("xml:lang")),
        (Some("1"), Some("de"))
    );
    assert!(element.child("b", "urn:d").is_some());
    assert!(element.child("c", "urn:&").is_some());
    assert!(element.child("d", "").is_some());
    let again: Element = element.to_xml().parse().unwrap();
    assert_eq!(again, element);
}

#[test]
fn the_streams_namespace_is_that_of_clients() {
    let mut parser = Parser::default();
    parser
        .adopt("<stream:stream xmlns='jabber:component:accept' xmlns:stream='http://etherx.jabber.org/streams' id='1'>")
        .unwrap();
    assert!(
        parser
            .parse("<message/>")
            .unwrap()
            .is("message", ns::CLIENT)
    );
    assert!(
        parser
            .parse("<stream:error/>")
            .unwrap()
            .is("error", ns::STREAM)
    );
}

#[test]
fn what_is_not_well_formed_is_refused() {
    for text in [
        "",
        "a",
        "<a>",
        "<a/><b/>",
        "<a/>x",
        "<a></b>",
        "<a><b></a></b>",
        "</a>",
        "<a>&</a>",
        "<a>&nbsp;</a>",
        "<a>&#0;</a>",
        "<a>&#1;</a>",
        "<a>&#xFFFE;</a>",
        "<a>&#xD800;</a>",
        "<a>&#+65;</a>",
        "<a>&#x110000;</a>",
        "<a>&lt</a>",
        "<a>\u{1}</a>",
        "<a>\u{FFFF}</a>",
        "<a><![CDATA[\u{0}]]></a>",
        "<a>]]></a>",
        "<a b='<'/>",
        "<a b='\u{2}'/>",
        "<a b='&x;'/>",
        "<a b='&amp'/>",
        "<a b='1'c='2'/>",
        "<a b='1' b='2'/>",
        "<a b=1/>",
        "<a b/>",
        "<a b='1/>",
        "<1a/>",
        "<a 1b='x'/>",
        "<a / >",
        "< a/>",
    ] {
        let error = refused(text);
        assert!(
            matches!(error, ParseError::NotWellFormed(_)),
            "{text:?} gave {error:?}"
        );
        assert!(error.breaks_stream());
    }
}

#[test]
fn what_xmpp_forbids_is_refused() {
    for text in [
        "<!DOCTYPE a><a/>",
        "<!DOCTYPE a [<!ENTITY x 'y'>]><a>&x;</a>",
        "<a><!-- x --></a>",
        "<a><?php ?></a>",
        "<?xml version='1.0'?><a/>",
    ] {
        assert!(
            matches!(refused(text), ParseError::Restricted(_)),
            "for {text:?}"
        );
    }
}

#[test]
fn wrong_namespaces_leave_the_stream_alone() {
    for text in [
        "<p:a/>",
        "<a p:b='1'/>",
        "<a:b:c/>",
        "<a xmlns:p=''/>",
        "<a xmlns:p='u' xmlns:q='u' p:x='1' q:x='2'/>",
        "<a xmlns:xml='urn:x'/>",
        "<a xmlns:xmlns='urn:x'/>",
        "<a xmlns:p='http://www.w3.org/2000/xmlns/'/>",
    ] {
        let error = refused(text);
        assert!(
            matches!(error, ParseError::Namespace(_)),
            "{text:?} gave {error:?}"
        );
        assert!(!error.breaks_stream());
    }
}

#[test]
fn limits_are_kept() {
    let nested = |depth| format!("{}{}", "<a>".repeat(depth), "</a>".repeat(depth));
    assert!(parse(&nested(64)).is_ok());
    assert_eq!(
        refused(&nested(65)).to_string(),
        "more than 64 elements inside each other"
    );
    let wide = |count: usize| {
        let attributes: Vec<_> = (0..count).map(|n| format!("b{n}=''")).collect();
        format!("<a {}/>", attributes.join(" "))
    };
    assert!(parse(&wide(64)).is_ok());
    assert_eq!(
        refused(&wide(65)).to_string(),
        "more than 64 attributes in an element"
    );
    let many = |count| format!("<a>{}</a>", "<b/>".repeat(count));
    assert!(parse(&many(4095)).is_ok());
    assert_eq!(
        refused(&many(4096)).to_string(),
        "more than 4096 elements in a stanza"
    );
    let long = |bytes: usize| format!("<a>{}</a>", "x".repeat(bytes - 7));
    assert!(parse(&long(524_288)).is_ok());
    assert_eq!(
        refused(&long(524_289)).to_string(),
        "more than 524288 bytes in a stanza"
    );
}

#[test]
fn a_head_can_be_read_where_the_rest_cannot() {
    let parser = Parser::default();
    let head = parser.head("<message from='a@b' id='1'><p:x/>").unwrap();
    assert_eq!(
        (head.name(), head.attr("from"), head.attr("id")),
        ("message", Some("a@b"), Some("1"))
    );
    assert!(parser.head("").is_err());
}

#[test]
fn known_names_are_not_copied() {
    let element = parse("<body xmlns='jabber:client'/>").unwrap();
    let name = element.name().as_ptr();
    assert_eq!(Some(name), ns::known("body").map(str::as_ptr));
}

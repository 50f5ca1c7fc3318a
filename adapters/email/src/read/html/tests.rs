//! HTML as people send it, and as those do who mean harm.

use super::*;

#[track_caller]
fn check(html: &str, want: &str) {
    assert_eq!(to_text(html).trim(), want, "for {html}");
}

#[test]
fn ordinary_html_reads_like_text() {
    check("<p>Hello <b>Bob</b></p><p>Bye</p>", "Hello Bob\n\nBye");
    check("<div>one</div><div>two<br>three</div>", "one\ntwo\nthree");
    check("<ul><li>a</li><li>b</li></ul>", "- a\n- b");
    check("<blockquote>quoted</blockquote>", "> quoted");
    check("a &amp; b &lt;c&gt; &euro;", "a & b <c> €");
    check(
        "<table><tr><td>a</td><td>b</td></tr><tr><td>c</td><td>d</td></tr></table>",
        "a\nb\nc\nd",
    );
}

#[test]
fn links_stand_behind_their_text_once() {
    check(
        r#"<a href="https://x.example/a">here</a>"#,
        "here <https://x.example/a>",
    );
    check(
        r#"<a href="https://x.example/">https://x.example</a>"#,
        "https://x.example",
    );
    check(
        r#"<a href="mailto:a@x.example">a@x.example</a>"#,
        "a@x.example",
    );
    check(r#"<a href="javascript:x()">here</a>"#, "here");
}

#[test]
fn what_nobody_sees_is_not_read() {
    check(
        "<style>p{}</style><script>x<y</script><!-- c --><title>t</title>text",
        "text",
    );
    check(
        r#"<div style="display: none">pre<div>x</div></div>text"#,
        "text",
    );
    check(r#"text<img src="https://t.example/1.gif" width=1>"#, "text");
    check(
        r#"text<img alt="seen" style="height: 1px" src="x">"#,
        "text",
    );
    check(
        r#"text <img alt="a cat" width="100" src="x">"#,
        "text a cat",
    );
}

#[test]
fn depth_length_and_nonsense_do_no_harm() {
    let deep = format!("{}text{}", "<div>".repeat(20_000), "</div>".repeat(20_000));
    assert!(to_text(&deep).contains("text"));
    let quotes = format!("{}text", "<blockquote>".repeat(500));
    assert!(to_text(&quotes).contains("text"));
    let cells = format!("<table><tr>{}</tr></table>", "<td>x</td>".repeat(25_000));
    assert!(to_text(&cells).len() < 1_000_000);
    for nonsense in [
        "<",
        "<<<<",
        "<a",
        "<a href='",
        "<!--",
        "&#x;&;&#99999999;",
        "</div></div>",
        "<\u{e9}>",
    ] {
        to_text(nonsense);
    }
    to_text(&"<a \"".repeat(10_000));
    to_text(&"<!--".repeat(50_000));
}

/// What the parser makes of a document: elements and texts.
fn parsed_nodes(html: &str) -> usize {
    let config = config::with_decorator(Plain::default());
    let document = config.parse_html(visible(html).0.as_bytes()).unwrap();
    let (mut count, mut unseen) = (0, vec![document.document.clone()]);
    while let Some(node) = unseen.pop() {
        count += 1;
        unseen.extend(node.children.borrow().iter().cloned());
    }
    count
}

#[test]
fn a_small_document_is_not_made_into_a_large_one() {
    let paragraphs = "<p>t".repeat(15_000);
    for name in FORMATTING.iter().chain(&["s", "strike"]) {
        let open = (0..95).fold(String::new(), |open, at| format!("{open}<{name} a={at}>"));
        let bomb = format!("<p>{open}{paragraphs}");
        assert!(parsed_nodes(&bomb) < 31_000, "{name}");
        assert!(to_text(&bomb).contains('t'));
    }
    let address = format!("https://x.example/{}", "y".repeat(60_000));
    let link = format!("<p><a href={address}>x{}", "<p>t".repeat(5_000));
    assert!(rendered(&link).is_none(), "its address 5,000 times");
    assert!(to_text(&link).len() < link.len());
    let reach = "<td rowspan=9999>x".repeat(500);
    let table = format!("<table><tr>{reach}{}", "<tr><td>y".repeat(500));
    assert!(!visible(&table).0.contains("rowspan"));
    let wide = format!(
        "<table><tr>{}{}",
        "<td>x".repeat(2_000),
        "<tr>".repeat(2_000)
    );
    assert!(rendered(&wide).is_none(), "four million places");
    assert!(to_text(&wide).contains('x'));
}

#[test]
fn end_tags_of_nothing_hide_no_depth() {
    let deep = "<q></x>".repeat(5_000);
    assert!(visible(&deep).1);
    // The parser does not close an element beyond a block that is open in it.
    let crossed = "<span><div></span>".repeat(1_000);
    assert!(!visible(&crossed).1 && rendered(&crossed).is_none());
    check(
        &format!("{}text", "<i>x</x></i>".repeat(200)),
        &format!("{}text", "x".repeat(200)),
    );
}

#[test]
fn a_list_begins_with_its_number() {
    check("<ol start=5><li>a<li>b</ol>", "5. a\n6. b");
    check(
        "<ol start=9223372036854775807><li>a<li>b</ol>",
        "1. a\n2. b",
    );
}

#[test]
fn what_is_struck_out_looks_so() {
    for name in ["s", "strike", "del"] {
        check(
            &format!("<{name} class=x>no</{name}> yes"),
            "n\u{336}o\u{336} yes",
        );
    }
}

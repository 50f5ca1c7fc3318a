//! Message styling as HTML, for the alternative of a mail. XEP-0393
//!
//! Everything that was typed is escaped and kept, the marks too: what a reader of plain text sees, a reader of HTML sees as well.

/// A span is looked for no further than this.
const SPAN_BYTES_MAX: usize = 2_000;
/// Quotations nest no deeper than this; what is deeper is text.
const DEPTH_MAX: usize = 8;

/// The text as HTML; `None` when it has no styling, then plain text says it all.
pub(crate) fn to_html(text: &str) -> Option<String> {
    let mut html = Html::default();
    html.blocks(&text.lines().collect::<Vec<_>>(), 0);
    html.styled
        .then(|| format!("<html><body>{}</body></html>", html.out))
}

#[derive(Default)]
struct Html {
    out: String,
    styled: bool,
}

impl Html {
    fn blocks(&mut self, lines: &[&str], depth: usize) {
        let mut rest = lines;
        while let Some((line, below)) = rest.split_first() {
            // §5.1.2: to the line that ends it, or to the end of the block around it.
            if line.starts_with("```") {
                let end = below
                    .iter()
                    .position(|line| *line == "```")
                    .unwrap_or(below.len());
                let (inside, after) = below.split_at(end);
                self.styled = true;
                self.out.push_str("<pre>");
                self.escaped(&inside.join("\n"));
                self.out.push_str("</pre>");
                rest = after.get(1..).unwrap_or_default();
                continue;
            }
            // §5.1.3
            if line.starts_with('>') && depth < DEPTH_MAX {
                let end = rest
                    .iter()
                    .position(|line| !line.starts_with('>'))
                    .unwrap_or(rest.len());
                let (quoted, after) = rest.split_at(end);
                let strip = |line: &&'_ str| -> String {
                    let inner = line.strip_prefix('>').unwrap_or(line);
                    inner.strip_prefix(' ').unwrap_or(inner).to_owned()
                };
                let inner: Vec<String> = quoted.iter().map(strip).collect();
                self.styled = true;
                self.out.push_str("<blockquote type=\"cite\">");
                self.blocks(
                    &inner.iter().map(String::as_str).collect::<Vec<_>>(),
                    depth + 1,
                );
                self.out.push_str("</blockquote>");
                rest = after;
                continue;
            }
            self.spans(line);
            self.out.push_str("<br>");
            rest = below;
        }
    }

    /// §6: spans lie within one line and hold at least one character.
    fn spans(&mut self, line: &str) {
        let mut rest = line;
        let mut before: Option<char> = None;
        while let Some(c) = rest.chars().next() {
            if let Some((tag, inner)) = opens(before, rest, c) {
                self.styled = true;
                let mark = c.to_string();
                self.out.extend(["<", tag, ">", &mark]);
                if tag == "code" {
                    self.escaped(inner);
                } else {
                    self.spans(inner);
                }
                self.out.extend([&*mark, "</", tag, ">"]);
                rest = rest.get(inner.len() + 2..).unwrap_or_default();
                before = Some(c);
                continue;
            }
            self.escaped(c.encode_utf8(&mut [0; 4]));
            before = Some(c);
            rest = rest.get(c.len_utf8()..).unwrap_or_default();
        }
    }

    fn escaped(&mut self, text: &str) {
        for c in text.chars() {
            match c {
                '&' => self.out.push_str("&amp;"),
                '<' => self.out.push_str("&lt;"),
                '>' => self.out.push_str("&gt;"),
                '"' => self.out.push_str("&quot;"),
                '\'' => self.out.push_str("&#39;"),
                c => self.out.push(c),
            }
        }
    }
}

/// The element and the content of the span that begins here. §6: in front of its mark stands nothing, a space or another mark, behind it
/// no space, and in front of the closing one no space.
fn opens(before: Option<char>, rest: &str, mark: char) -> Option<(&'static str, &str)> {
    let tag = match mark {
        '*' => "strong",
        '_' => "em",
        '~' => "s",
        '`' => "code",
        _ => return None,
    };
    let free = before.is_none_or(|c| c.is_whitespace() || "*_~`".contains(c));
    let inside = rest.get(1..)?;
    if !free || inside.starts_with(char::is_whitespace) {
        return None;
    }
    // The first mark that closes; one right behind the opening would hold nothing.
    let marks = inside.match_indices(mark).map(|(at, _)| at);
    let end = marks.take_while(|at| *at < SPAN_BYTES_MAX).find(|at| {
        *at > 0
            && !inside
                .get(..*at)
                .unwrap_or_default()
                .ends_with(char::is_whitespace)
    })?;
    Some((tag, inside.get(..end)?))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[track_caller]
    fn check(text: &str, want: &str) {
        let want = format!("<html><body>{want}</body></html>");
        assert_eq!(to_html(text).as_deref(), Some(&*want), "for {text}");
    }

    #[test]
    fn xep0393_spans_and_blocks() {
        check(
            "*bold* and _so_ on",
            "<strong>*bold*</strong> and <em>_so_</em> on<br>",
        );
        check("`*code*` ~gone~", "<code>`*code*`</code> <s>~gone~</s><br>");
        check("*_both_*", "<strong>*<em>_both_</em>*</strong><br>");
        check(
            "> quoted\n>> deep\nme",
            "<blockquote type=\"cite\">quoted<br><blockquote type=\"cite\">deep<br></blockquote></blockquote>me<br>",
        );
        check("```\n*a*\n  b\n```\nc", "<pre>*a*\n  b</pre>c<br>");
        check("```\nopen", "<pre>open</pre>");
    }

    #[test]
    fn xep0393_what_is_no_styling_stays_text() {
        for text in [
            "plain",
            "2 * 3 * 4",
            "a*b*c",
            "**",
            "* a*",
            "*a *",
            "snake_case_name",
            "*a\nb*",
        ] {
            assert_eq!(to_html(text), None, "{text}");
        }
    }

    #[test]
    fn everything_is_escaped() {
        check(
            "*<script>* & \"x\"",
            "<strong>*&lt;script&gt;*</strong> &amp; &quot;x&quot;<br>",
        );
        check("```\n</pre><b>\n```", "<pre>&lt;/pre&gt;&lt;b&gt;</pre>");
    }

    proptest! {
        #[test]
        fn no_text_makes_a_tag_of_its_own(text in "[<>&*_~` a\n\"]{0,80}") {
            if let Some(html) = to_html(&text) {
                let known = ["html", "body", "strong", "em", "s", "code", "pre", "br", "blockquote", "blockquote type=\"cite\""];
                for tag in html.split('<').skip(1) {
                    let name = tag.split('>').next().unwrap().trim_start_matches('/');
                    prop_assert!(known.contains(&name), "{name}");
                }
            }
        }
    }
}

//! HTML as plain text, within bounds: the renderer is quadratic on nesting, so what is deep or long goes another way. So does what
//! a parser makes into many times its size.

use html2text::{Element, Handle, RcDom, config, render::TextDecorator};
use mail_parser::decoders::html::html_to_text;

/// More HTML than this is not rendered; the fallback still reads it.
const HTML_BYTES_MAX: usize = 256 * 1024;
/// More than this is not looked at.
const SOURCE_BYTES_MAX: usize = 1024 * 1024;
/// Real newsletters nest some thirty deep.
const DEPTH_MAX: usize = 100;
/// A tag with a picture inside may be long.
const TAG_BYTES_MAX: usize = 64 * 1024;
/// Elements and texts, about 1 KB each while they are rendered; a long newsletter has some thousand.
const NODES_MAX: usize = 30_000;
/// Rows of all tables, each as wide as the widest: the renderer keeps a number for each place.
const PLACES_MAX: usize = 1_000_000;
/// Digits of the number that a list begins with: the renderer adds to it.
const START_DIGITS_MAX: usize = 6;
/// What all links point to, together. A link that is left open goes on in every paragraph behind it, with its whole address.
const LINKS_BYTES_MAX: usize = HTML_BYTES_MAX;
/// Lines are not wrapped: chat windows do that.
const WIDTH: usize = 10_000;

/// The text of an HTML document, links as `text <url>`, quotations with `>`.
pub(crate) fn to_text(html: &str) -> String {
    let html = html
        .get(..html.floor_char_boundary(SOURCE_BYTES_MAX))
        .unwrap_or_default();
    let (visible, is_deep) = visible(html);
    if visible.len() <= HTML_BYTES_MAX
        && !is_deep
        && let Some(text) = rendered(&visible)
    {
        return without_doubled_links(&text);
    }
    html_to_text(&visible)
}

/// `None` where rendering would cost many times what the document is.
fn rendered(visible: &str) -> Option<String> {
    let config = config::with_decorator(Plain::default())
        .raw_mode(true)
        .no_table_borders()
        .no_link_wrapping()
        .allow_width_overflow();
    let document = config.parse_html(visible.as_bytes()).ok()?;
    if !is_modest(&document) {
        return None;
    }
    let tree = config.dom_to_render_tree(&document).ok()?;
    config.render_to_string(tree, WIDTH).ok()
}

/// Whether what a document was parsed into may be rendered.
fn is_modest(document: &RcDom) -> bool {
    let (mut nodes, mut links, mut rows, mut widest) = (0, 0, 0, 0);
    let mut unseen: Vec<(Handle, usize)> = vec![(document.document.clone(), 0)];
    while let Some((node, depth)) = unseen.pop() {
        nodes += 1;
        let children = node.children.borrow();
        if let Element { name, attrs, .. } = &node.data {
            if &*name.local == "tr" {
                rows += 1;
                widest = widest.max(children.len());
            }
            let attributes = attrs.borrow();
            let targets = attributes.iter().filter(|one| &*one.name.local == "href");
            links += targets.map(|one| one.value.len()).sum::<usize>();
        }
        // The document, its root and its body are no nesting of the author's.
        let is_deep = depth > DEPTH_MAX + 3;
        if is_deep || nodes > NODES_MAX || links > LINKS_BYTES_MAX || rows * widest > PLACES_MAX {
            return false;
        }
        unseen.extend(children.iter().map(|child| (child.clone(), depth + 1)));
    }
    true
}

/// The document without what nobody sees (comments, scripts, styles, hidden elements) and without what plain text does not show, and
/// whether it nests too deep. One pass.
fn visible(html: &str) -> (String, bool) {
    let mut out = String::with_capacity(html.len());
    let (mut open, mut is_deep): (Vec<String>, bool) = (Vec::new(), false);
    let mut skipping: Option<(String, usize)> = None;
    let mut rest = html;
    let mut heeds_quotes = true;
    while let Some(start) = rest.find('<') {
        let (text, tail) = rest.split_at(start);
        if skipping.is_none() {
            out.push_str(text);
        }
        if let Some(comment) = tail.strip_prefix("<!--") {
            let end = comment.find("-->").map(|end| end + 3);
            rest = end.and_then(|end| comment.get(end..)).unwrap_or_default();
            continue;
        }
        let end = tag_end(tail, &mut heeds_quotes);
        let (tag, after) = tail.split_at(end);
        rest = after;
        let closes = tag.starts_with("</");
        let name = tag_name(tag);
        if let Some((skipped, level)) = &mut skipping {
            if *skipped == name {
                *level = if closes { *level - 1 } else { *level + 1 };
                if *level == 0 {
                    skipping = None;
                }
            }
            continue;
        }
        if name == "img" && is_pixel(tag) {
            continue;
        }
        let is_void = VOID.contains(&name.as_str()) || tag.ends_with("/>");
        if !closes && RAW_TEXT.contains(&name.as_str()) {
            rest = after_raw_text(after, &name);
            continue;
        }
        if !closes && !is_void && (UNSEEN.contains(&name.as_str()) || is_hidden(tag)) {
            skipping = Some((name, 1));
            continue;
        }
        if FORMATTING.contains(&name.as_str()) {
            continue;
        }
        out.push_str(plainer(tag, &name, closes));
        if closes {
            // One that closes nothing closes nothing in the parser either.
            if let Some(at) = open.iter().rposition(|one| *one == name) {
                open.truncate(at);
            }
        } else if !is_void
            && tag
                .get(1..2)
                .is_some_and(|c| c.as_bytes()[0].is_ascii_alphabetic())
        {
            is_deep |= open.len() >= DEPTH_MAX;
            if !is_deep {
                open.push(name);
            }
        }
    }
    if skipping.is_none() {
        out.push_str(rest);
    }
    (out, is_deep)
}

/// What the text needs of a tag: the reach of a cell costs the renderer a row for each, and what is struck out has a name that a parser
/// does not repeat in each paragraph behind it.
fn plainer<'a>(tag: &'a str, name: &str, closes: bool) -> &'a str {
    match (name, closes) {
        ("td", false) => "<td>",
        ("th", false) => "<th>",
        ("ol", false) if most_digits(tag) > START_DIGITS_MAX => "<ol>",
        ("s" | "strike", false) => "<del>",
        ("s" | "strike", true) => "</del>",
        _ => tag,
    }
}

fn most_digits(tag: &str) -> usize {
    let runs = tag.split(|c: char| !c.is_ascii_digit());
    runs.map(str::len).max().unwrap_or_default()
}

/// What text does not show. A parser opens each of them anew in every paragraph behind one that was left open (HTML §13.2.4.3), which
/// makes a few kilobytes into gigabytes.
const FORMATTING: &[&str] = &[
    "b", "big", "code", "em", "font", "i", "nobr", "small", "strong", "tt", "u",
];
/// Their content is no markup. HTML §13.1.2
const RAW_TEXT: &[&str] = &["script", "style", "title", "textarea"];
const UNSEEN: &[&str] = &["template", "noscript", "svg"];
const VOID: &[&str] = &[
    "area", "base", "br", "col", "embed", "hr", "img", "input", "link", "meta", "source", "track",
    "wbr", "p", "li", "tr", "td", "th", "option", "dt", "dd",
];

/// Where a tag ends. Quotes are heeded until one of them does not close: after that the document is not to be trusted with them,
/// and looking for their ends again and again would be quadratic.
fn tag_end(tag: &str, heeds_quotes: &mut bool) -> usize {
    let mut quote = None;
    if *heeds_quotes {
        for (index, byte) in tag.bytes().enumerate().take(TAG_BYTES_MAX) {
            match (byte, quote) {
                (b'>', None) => return index + 1,
                (b'"' | b'\'', None) => quote = Some(byte),
                (_, Some(open)) if byte == open => quote = None,
                _ => {}
            }
        }
        *heeds_quotes = false;
    }
    tag.find('>').map_or(tag.len(), |end| end + 1)
}

/// What follows an element whose content is no markup.
fn after_raw_text<'a>(content: &'a str, name: &str) -> &'a str {
    let close = content.match_indices("</").find(|(at, _)| {
        let end = content.get(at + 2..at + 2 + name.len());
        end.is_some_and(|end| end.eq_ignore_ascii_case(name))
    });
    let tail = close
        .and_then(|(at, _)| content.get(at..))
        .unwrap_or_default();
    tail.split_once('>').map_or("", |(_, after)| after)
}

fn tag_name(tag: &str) -> String {
    let name = tag.trim_start_matches(['<', '/']);
    let end = name
        .find(|c: char| !c.is_ascii_alphanumeric())
        .unwrap_or(name.len());
    name.get(..end.min(20))
        .unwrap_or_default()
        .to_ascii_lowercase()
}

/// Preheaders and other text for the inbox list only.
fn is_hidden(tag: &str) -> bool {
    let compact: String = tag
        .chars()
        .take(2_000)
        .filter(|c| !c.is_whitespace())
        .map(|c| c.to_ascii_lowercase())
        .collect();
    compact.contains("display:none") || compact.contains("mso-hide:all")
}

/// A picture of one dot tells its sender that somebody reads, and shows nothing.
fn is_pixel(tag: &str) -> bool {
    let compact: String = tag
        .chars()
        .take(4_000)
        .filter(|c| !c.is_whitespace() && !matches!(c, '"' | '\''))
        .map(|c| c.to_ascii_lowercase())
        .collect();
    ["width=", "height=", "width:", "height:"]
        .iter()
        .filter_map(|key| compact.split_once(key))
        .any(|(_, value)| {
            let number = value.split(|c: char| !c.is_ascii_digit()).next();
            number.is_some_and(|number| matches!(number, "0" | "1"))
        })
}

/// `https://x <https://x>` is `https://x`.
fn without_doubled_links(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(start) = rest.find(" <") {
        let (before, tail) = rest.split_at(start);
        out.push_str(before);
        let end = tail.find('>').unwrap_or(0);
        let url = tail.get(2..end).unwrap_or_default();
        let bare = url
            .trim_start_matches("https://")
            .trim_start_matches("http://")
            .trim_start_matches("mailto:")
            .trim_end_matches('/');
        let said = out.trim_end_matches('/');
        let doubled = !bare.is_empty() && said.ends_with(bare);
        let taken = if doubled { end + 1 } else { 2 };
        if !doubled {
            out.push_str(" <");
        }
        rest = tail.get(taken..).unwrap_or_default();
    }
    out.push_str(rest);
    out
}

/// Text alone: no stars for emphasis, links behind their text, pictures by their description.
#[derive(Clone, Debug, Default)]
struct Plain {
    links: Vec<String>,
}

impl TextDecorator for Plain {
    type Annotation = ();

    fn decorate_link_start(&mut self, url: &str) -> (String, ()) {
        self.links.push(url.trim().to_owned());
        (String::new(), ())
    }

    fn decorate_link_end(&mut self) -> String {
        match self.links.pop() {
            Some(url) if is_worth_showing(&url) => format!(" <{url}>"),
            _ => String::new(),
        }
    }

    fn decorate_em_start(&self) -> (String, ()) {
        (String::new(), ())
    }

    fn decorate_em_end(&self) -> String {
        String::new()
    }

    fn decorate_strong_start(&self) -> (String, ()) {
        (String::new(), ())
    }

    fn decorate_strong_end(&self) -> String {
        String::new()
    }

    fn decorate_strikeout_start(&self) -> (String, ()) {
        (String::new(), ())
    }

    fn decorate_strikeout_end(&self) -> String {
        String::new()
    }

    fn decorate_code_start(&self) -> (String, ()) {
        (String::new(), ())
    }

    fn decorate_code_end(&self) -> String {
        String::new()
    }

    fn decorate_preformat_first(&self) {}

    fn decorate_preformat_cont(&self) {}

    fn decorate_image(&mut self, _src: &str, title: &str) -> (String, ()) {
        (title.to_owned(), ())
    }

    fn header_prefix(&self, _level: usize) -> String {
        String::new()
    }

    fn quote_prefix(&self) -> String {
        "> ".to_owned()
    }

    fn unordered_item_prefix(&self) -> String {
        "- ".to_owned()
    }

    fn ordered_item_prefix(&self, i: i64) -> String {
        format!("{i}. ")
    }

    fn make_subblock_decorator(&self) -> Self {
        Self::default()
    }

    fn decorate_superscript_start(&self) -> (String, ()) {
        (String::new(), ())
    }

    fn decorate_superscript_end(&self) -> String {
        String::new()
    }
}

fn is_worth_showing(url: &str) -> bool {
    let lower = url.get(..8).unwrap_or(url).to_ascii_lowercase();
    ["http://", "https://", "mailto:", "tel:"]
        .iter()
        .any(|scheme| lower.starts_with(scheme))
}

#[cfg(test)]
mod tests;

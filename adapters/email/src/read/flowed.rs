//! format=flowed: paragraphs that were folded with a space before the line end. RFC 3676

/// Joins the lines that belong together. `delete_space`: the space at the fold is no part of the text. §4.5
pub(crate) fn join(text: &str, delete_space: bool) -> String {
    let mut out = String::with_capacity(text.len());
    // The quote depth of a paragraph that goes on in the next line.
    let mut open: Option<usize> = None;
    for line in text.split('\n') {
        let line = line.strip_suffix('\r').unwrap_or(line);
        let content = line.trim_start_matches('>');
        let depth = line.len() - content.len();
        // §4.4: one leading space was stuffed in.
        let content = content.strip_prefix(' ').unwrap_or(content);
        // §4.3: the separator of signatures ends in a space and does not flow.
        let is_separator = content == "-- ";
        if open != Some(depth) || is_separator {
            if !out.is_empty() || open.is_some() {
                trim_fold(&mut out, open.is_some());
                out.push('\n');
            }
            out.extend(std::iter::repeat_n('>', depth));
            if depth > 0 {
                out.push(' ');
            }
        }
        let flows = content.ends_with(' ') && !is_separator;
        if flows && delete_space {
            out.push_str(content.strip_suffix(' ').unwrap_or(content));
        } else {
            out.push_str(content);
        }
        open = flows.then_some(depth);
    }
    out
}

/// A paragraph that was open and did not go on keeps no space at its end.
fn trim_fold(out: &mut String, was_open: bool) {
    if was_open && out.ends_with(' ') {
        out.pop();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn folded_lines_are_joined_at_equal_depth() {
        let text =
            "This is one \r\nparagraph.\r\n\r\nAnd \r\n> quoted \r\n> text\r\n>> deeper\r\nend";
        let want = "This is one paragraph.\n\nAnd\n> quoted text\n>> deeper\nend";
        assert_eq!(join(text, false), want);
    }

    #[test]
    fn stuffing_is_undone_and_signatures_stand_alone() {
        assert_eq!(
            join(" > no quote\r\n From here", false),
            "> no quote\nFrom here"
        );
        assert_eq!(join("text \r\n-- \r\nBob", false), "text\n-- \nBob");
    }

    #[test]
    fn the_fold_is_deleted_when_asked() {
        assert_eq!(join("日本 \r\n語", true), "日本語");
        assert_eq!(join("", true), "");
    }
}

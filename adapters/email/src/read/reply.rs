//! Cutting what an answer quotes, and signatures: only when it is sure that nothing the person wrote goes with it.
//!
//! Own code, one pass over the lines and no backtracking: quotations are the longest and most hostile part of mails. What is
//! cut: a quotation marked with `>` below the text, an attribution with name, address and date or a mail program's header block
//! with everything below it, the separator `-- ` and a short signature, "Sent from my …" at the end. What is never cut: anything in
//! front of a text that goes on after the quotation, forwards, and everything when nothing would be left.

use super::phrases::{
    contains_verb, ends_with_verb, has_bracketed_address, has_time, is_device, is_forward,
    is_full_attribution, label, opens_attribution,
};

/// Joined attribution lines are no longer than this.
const ATTRIBUTION_CHARS_MAX: usize = 300;
/// Mail programs fold an attribution over so many lines.
const ATTRIBUTION_LINES_MAX: usize = 3;
const SIGNATURE_LINES_MAX: usize = 12;

/// The part of an answer that was written for it: a prefix of `text`.
pub(crate) fn cut(text: &str) -> &str {
    let lines = Lines::new(text);
    let mut end = lines.len();
    if let Some(start) = quotation(&lines) {
        end = start;
    }
    end = lines.last_text(end);
    end = without_signature(&lines, end);
    end = without_device(&lines, end);
    if lines.has_text(end) {
        lines.prefix(end)
    } else {
        text.trim_end()
    }
}

/// The lines of a text with where each ends.
struct Lines<'a> {
    text: &'a str,
    trimmed: Vec<&'a str>,
    ends: Vec<usize>,
    /// The last line marked with `>`.
    last_marked: Option<usize>,
}

impl<'a> Lines<'a> {
    fn new(text: &'a str) -> Self {
        let (mut trimmed, mut ends, mut at) = (Vec::new(), Vec::new(), 0);
        for line in text.split_inclusive('\n') {
            at += line.len();
            trimmed.push(line.trim());
            ends.push(at);
        }
        let last_marked = trimmed.iter().rposition(|line| line.starts_with('>'));
        Self {
            text,
            trimmed,
            ends,
            last_marked,
        }
    }

    fn len(&self) -> usize {
        self.trimmed.len()
    }

    fn at(&self, index: usize) -> &'a str {
        self.trimmed.get(index).copied().unwrap_or_default()
    }

    /// The index behind the last line with text before `end`.
    fn last_text(&self, end: usize) -> usize {
        let lines = self.trimmed.get(..end).unwrap_or_default();
        lines
            .iter()
            .rposition(|line| !line.is_empty())
            .map_or(0, |last| last + 1)
    }

    fn has_text(&self, end: usize) -> bool {
        self.last_text(end) > 0
    }

    fn prefix(&self, end: usize) -> &'a str {
        let end = end.checked_sub(1).and_then(|last| self.ends.get(last));
        let end = end.copied().unwrap_or(0);
        self.text.get(..end).unwrap_or(self.text).trim_end()
    }
}

/// Where the quotation begins that the rest of the text consists of.
fn quotation(lines: &Lines<'_>) -> Option<usize> {
    let marked_from = marked_tail(lines);
    let mut begins = None;
    for index in 0..lines.len() {
        let line = lines.at(index);
        if is_forward(line) {
            return None;
        }
        if line.is_empty() || line.starts_with('>') {
            continue;
        }
        begins = unmarked(lines, index);
        if begins.is_some() {
            break;
        }
    }
    match (begins, marked_from) {
        (Some(unmarked), Some(marked)) => Some(unmarked.min(marked)),
        (one, other) => one.or(other),
    }
    .filter(|start| lines.has_text(*start))
    .map(|start| above_separators(lines, start))
}

/// Where the marked lines begin after which nothing but a signature comes, their attribution included.
fn marked_tail(lines: &Lines<'_>) -> Option<usize> {
    let mut end = lines.last_text(lines.len());
    if let Some(separator) = signature_start(lines, end) {
        end = lines.last_text(separator);
    }
    let mut start = end;
    while start > 0 && (lines.at(start - 1).starts_with('>') || lines.at(start - 1).is_empty()) {
        start -= 1;
    }
    let first = (start..end).find(|index| lines.at(*index).starts_with('>'))?;
    // Text between quotations answers them point by point: then everything stays.
    let interleaved = (0..start).any(|index| lines.at(index).starts_with('>'));
    if interleaved {
        return None;
    }
    Some(attribution_before(lines, first))
}

/// Where the attribution of the quotation at `first` begins; `first` when it has none.
fn attribution_before(lines: &Lines<'_>, first: usize) -> usize {
    let last = lines.last_text(first);
    let mut begins = first;
    for count in 1..=ATTRIBUTION_LINES_MAX {
        let Some(start) = last
            .checked_sub(count)
            .filter(|start| !lines.at(*start).is_empty())
        else {
            break;
        };
        let line = joined(lines, start, count);
        let closed = line.ends_with(':') || ends_with_verb(&line);
        if closed && line.chars().any(|c| c.is_ascii_digit()) {
            if opens_attribution(&line) {
                return start;
            }
            if begins == first && (contains_verb(&line) || has_bracketed_address(&line)) {
                begins = start;
            }
        }
    }
    begins
}

/// Whether a quotation without marks begins at this line.
fn unmarked(lines: &Lines<'_>, index: usize) -> Option<usize> {
    if is_header_block(lines, index) {
        return Some(index);
    }
    let alone_above = index == 0 || lines.at(index - 1).is_empty();
    if !alone_above {
        return None;
    }
    (1..=ATTRIBUTION_LINES_MAX)
        .take_while(|count| !lines.at(index + count - 1).is_empty())
        .find(|count| {
            let alone_below =
                lines.at(index + count).is_empty() || lines.at(index + count).starts_with('>');
            alone_below && is_full_attribution(&joined(lines, index, *count))
        })
        .map(|_| index)
        // A quotation whose lines are marked says itself where it ends: what stands unmarked behind it is an answer.
        .filter(|start| lines.last_marked.is_none_or(|marked| marked < *start))
}

fn joined(lines: &Lines<'_>, start: usize, count: usize) -> String {
    let all: Vec<&str> = (start..start + count)
        .map(|index| lines.at(index))
        .collect();
    let line = all.join(" ");
    if line.chars().count() > ATTRIBUTION_CHARS_MAX {
        return String::new();
    }
    line
}

/// `From: Name <address>` with two more such lines below it, one of them with a time: a mail program's own header block.
fn is_header_block(lines: &Lines<'_>, index: usize) -> bool {
    let Some((_, value)) = label(lines.at(index)) else {
        return false;
    };
    let below = |at: usize| lines.at(index + at);
    let address =
        has_bracketed_address(value) || (value.len() < 100 && has_bracketed_address(below(1)));
    if !address {
        return false;
    }
    let (mut labels, mut timed) = (0, false);
    for at in 1..=5 {
        let line = below(at);
        if line.is_empty() {
            break;
        }
        if let Some((_, value)) = label(line) {
            labels += 1;
            timed |= has_time(value);
        }
    }
    labels >= 2 && timed
}

/// Lines of dashes and the like right above a quotation, "Original Message" in any language within.
fn above_separators(lines: &Lines<'_>, mut start: usize) -> usize {
    loop {
        let above = lines.last_text(start);
        let Some(index) = above.checked_sub(1) else {
            return start;
        };
        let line = lines.at(index);
        let bare = line.chars().filter(|c| !"-_=*– ".contains(*c)).count();
        let ruled = ["--", "__", "==", "**", "––"]
            .iter()
            .any(|rule| line.starts_with(rule) && line.ends_with(rule));
        if !(ruled && bare <= 40 && line.chars().count() >= 4) || is_forward(line) {
            return start;
        }
        start = index;
    }
}

fn without_signature(lines: &Lines<'_>, end: usize) -> usize {
    signature_start(lines, end).map_or(end, |start| lines.last_text(start))
}

/// The separator of RFC 3676 §4.3 with a few lines below it, and text above.
fn signature_start(lines: &Lines<'_>, end: usize) -> Option<usize> {
    let first = end.saturating_sub(SIGNATURE_LINES_MAX + 1);
    let start = (first..end).find(|index| lines.at(*index) == "--")?;
    (start > 0 && lines.has_text(start)).then_some(start)
}

/// "Sent from my …" as the last paragraph, alone on its line.
fn without_device(lines: &Lines<'_>, end: usize) -> usize {
    let Some(last) = end.checked_sub(1) else {
        return end;
    };
    let alone = last > 0 && lines.at(last - 1).is_empty();
    let line = lines.at(last);
    if alone && is_device(line) {
        return lines.last_text(last);
    }
    end
}

#[cfg(test)]
mod tests {
    use super::*;

    const TEXT: &str = "Sounds good.\n\nSee you there.";

    #[track_caller]
    fn cuts(tail: &str) {
        let text = format!("{TEXT}\n\n{tail}");
        assert_eq!(cut(&text), TEXT, "for {tail}");
    }

    #[track_caller]
    fn keeps(text: &str) {
        assert_eq!(cut(text), text.trim_end(), "for {text}");
    }

    #[test]
    fn quotations_below_the_text_are_cut() {
        cuts(
            "On Mon, 2 Nov 2026 at 10:00, Alice <a@mail.example.org> wrote:\n> Lunch?\n>\n> Alice",
        );
        cuts(
            "On Mon, 2 Nov 2026 at 10:00, Alice Liddell\n<alice@mail.example.org>\nwrote:\n> Lunch?",
        );
        cuts("Am 02.11.26 um 10:00 schrieb Alice:\n\n> Mittag?");
        cuts("Le 2 nov. 2026 à 10:00, Alice a écrit :\n> Midi ?");
        cuts("2026年11月2日(月) 10:00 Alice <a@mail.example.org>:\n> 昼？");
        cuts("> Lunch?\n> Alice");
        cuts(
            "On 2 Nov 2026, at 10:00, Alice <a@x.example> wrote:\n> Lunch?\n\n-- \nBob\n+1 202 555 0100",
        );
    }

    #[test]
    fn a_mail_programs_header_block_is_cut_with_all_below() {
        let block = "From: Alice Liddell <alice@mail.example.org>\nSent: Monday, November 2, 2026 10:00\nTo: Bob <bob@example.com>\nSubject: Lunch\n\nLunch?";
        cuts(block);
        cuts(&format!("________________________________\n{block}"));
        cuts(&format!("-----Original Message-----\n{block}"));
        cuts(&format!(
            "Sent from my iPhone\n________________________________\n{block}"
        ));
        cuts(
            "Von: Alice <alice@mail.example.org>\nGesendet: Montag, 2. November 2026 10:00\nAn: Bob <bob@example.com>\nBetreff: Mittag\n\nMittag?",
        );
        cuts("On Mon, 2 Nov 2026 at 10:00, Alice <a@mail.example.org> wrote:\n\nLunch?");
    }

    #[test]
    fn signatures_and_devices_are_cut() {
        cuts("-- \nBob\nExample Inc.");
        cuts("Sent from my iPhone");
        cuts("Von meinem iPhone gesendet");
        cuts("Get Outlook for iOS<https://aka.ms/o0ukef>");
    }

    #[test]
    fn what_may_have_been_written_stays() {
        keeps("On Mon at 10:00, Alice <a@x.example> wrote:\n> A?\n\nYes.\n\n> B?\n\nNo.");
        keeps("On Mon, 2 Nov 2026 at 10:00, Alice <a@x.example> wrote:\n> A?\n\nYes.");
        keeps("> A?\nYes");
        keeps(
            "See below.\n\n---------- Forwarded message ---------\nFrom: Carol <c@x.example>\nDate: Mon, 2 Nov 2026 10:00\nSubject: x\n\nhello",
        );
        keeps("On the other hand:\n- this\n- that");
        keeps("The data comes From: us, sent at 10:00 To: you.");
        keeps("Meet Bob <bob@x.example> at 10:00:\n- room 1");
        keeps("-- first point\n-- second point");
        keeps("Sent from my desk, which is easier.");
        keeps("We said, sent from my iPhone");
        keeps("From: me\nTo: you\nat 10:00");
        keeps("> everything is quoted\n> here");
        keeps("");
        keeps("-- \nBob");
    }

    #[test]
    fn long_and_odd_texts_take_no_time() {
        for unit in [
            "\n",
            ">\n",
            "> \n\n",
            "On 10:00 <a@b.c> 2026\n",
            "-- \n",
            "a:\n",
            "----\n",
        ] {
            cut(&unit.repeat(50_000));
        }
    }
}

//! Cutting what an answer quotes, and signatures: only when it is sure that nothing the person wrote goes with it.
//!
//! Own code, one pass over the lines and no backtracking: quotations are the longest and most hostile part of mails. What is
//! cut: a quotation marked with `>` below the text with the line that introduces it, an attribution with name, address and date or
//! a mail program's header block with everything below it, the separator `-- ` and a short signature, "Sent from my …" at the end.
//! What is never cut: anything in front of a text that goes on after the quotation, forwards, what the text itself points to ("see
//! inline"), and everything when nothing would be left.

use super::phrases::{
    contains_verb, ends_with_verb, has_bracketed_address, has_time, is_bare_attribution, is_device,
    is_forward, is_full_attribution, label, names_a_person_spoken_to, opens_attribution,
    points_below,
};

/// Joined attribution lines are no longer than this.
const ATTRIBUTION_CHARS_MAX: usize = 300;
/// Mail programs fold an attribution over so many lines.
const ATTRIBUTION_LINES_MAX: usize = 4;
const SIGNATURE_LINES_MAX: usize = 12;
/// Lists and hosts write below a mail no more than this.
const FOOTER_LINES_MAX: usize = 6;
/// A mail program's header block has so many lines at most, folded ones included.
const HEADER_LINES_MAX: usize = 10;

/// The part of an answer that was written for it: a prefix of `text`. `own_domain` is that of our addresses: what a mail from there
/// said is known to the reader.
pub(crate) fn cut<'a>(text: &'a str, own_domain: &str) -> &'a str {
    let lines = Lines::new(text, own_domain);
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
    /// `@` and the domain of our addresses.
    own: String,
    trimmed: Vec<&'a str>,
    ends: Vec<usize>,
    /// The last line marked with `>`.
    last_marked: Option<usize>,
}

impl<'a> Lines<'a> {
    fn new(text: &'a str, own_domain: &str) -> Self {
        let (mut trimmed, mut ends, mut at): (Vec<&str>, _, _) = (Vec::new(), Vec::new(), 0);
        for line in text.split_inclusive('\n') {
            at += line.len();
            trimmed.push(line.trim());
            ends.push(at);
        }
        let mut lines = Self {
            text,
            own: format!("@{own_domain}"),
            trimmed,
            ends,
            last_marked: None,
        };
        lines.last_marked = (0..lines.len()).rev().find(|at| lines.is_marked(*at));
        lines
    }

    /// Whether a line is a quoted one. `<bob@example.com` folded before its `>` makes none of the line below.
    fn is_marked(&self, index: usize) -> bool {
        let Some(rest) = self.at(index).strip_prefix('>') else {
            return false;
        };
        let above = index.checked_sub(1).map_or("", |above| self.at(above));
        let is_open = above.rfind('<') > above.rfind('>');
        let closes = rest.len() < 40 && (rest.trim() == ":" || ends_with_verb(rest));
        !(is_open && closes)
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

    /// Where a line begins.
    fn start(&self, index: usize) -> usize {
        let above = index.checked_sub(1).and_then(|above| self.ends.get(above));
        above.copied().unwrap_or(0)
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
        if line.is_empty() || lines.is_marked(index) {
            continue;
        }
        begins = unmarked(lines, index);
        if begins.is_some() {
            break;
        }
    }
    // Without marks nobody can tell an answer inside a quotation from the quotation.
    let written = |start: &usize| lines.text.get(..lines.start(*start)).unwrap_or_default();
    begins = begins.filter(|start| !points_below(written(start)));
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
    end = without_footer(lines, end);
    end = without_signature(lines, end);
    end = without_device(lines, end);
    let mut start = end;
    while start > 0 && (lines.is_marked(start - 1) || lines.at(start - 1).is_empty()) {
        start -= 1;
    }
    let first = (start..end).find(|index| lines.is_marked(*index))?;
    // Text between quotations answers them point by point: then everything stays.
    let interleaved = (0..start).any(|index| lines.is_marked(index));
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
        if !line.ends_with([':', '：']) && !ends_with_verb(&line) {
            continue;
        }
        let dated = line.chars().any(char::is_numeric);
        // Without a date it may be a sentence of theirs: "In my last mail I wrote:".
        let impersonal = dated || !names_a_person_spoken_to(&line);
        if opens_attribution(&line) && impersonal && (dated || contains_verb(&line)) {
            return start;
        }
        let starts_paragraph = start == 0 || lines.at(start - 1).is_empty();
        let introduces = (dated && (contains_verb(&line) || has_bracketed_address(&line)))
            || (starts_paragraph && is_bare_attribution(&line));
        if begins == first && introduces {
            begins = start;
        }
    }
    begins
}

/// Whether a quotation without marks begins at this line.
fn unmarked(lines: &Lines<'_>, index: usize) -> Option<usize> {
    if is_header_block(lines, index) {
        return Some(index);
    }
    let above = index.checked_sub(1).map_or("", |above| lines.at(above));
    if !(above.is_empty() || is_device(above)) {
        return None;
    }
    (1..=ATTRIBUTION_LINES_MAX)
        .take_while(|count| !lines.at(index + count - 1).is_empty())
        .find(|count| {
            let line = joined(lines, index, *count);
            let alone_below = lines.at(index + count).is_empty() || lines.is_marked(index + count);
            // With opener, verb, address, date and time no person wrote it, whatever follows.
            let sure = opens_attribution(&line) && ends_with_verb(&line);
            (alone_below || sure) && is_full_attribution(&line)
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

/// Three or more lines like `From: Name <address>`, one with an address in brackets or one of ours, one with a time: a mail
/// program's own header block. Its first line is the one that counts.
fn is_header_block(lines: &Lines<'_>, index: usize) -> bool {
    let labelled = |at: usize| label(lines.at(at));
    if labelled(index).is_none()
        || index
            .checked_sub(1)
            .is_some_and(|at| labelled(at).is_some())
    {
        return false;
    }
    let (mut labels, mut timed, mut addressed, mut folded) = (0, false, false, 0);
    for line in (index..index + HEADER_LINES_MAX).map(|at| lines.at(at)) {
        if line.is_empty() {
            break;
        }
        let value = match label(line) {
            Some((_, value)) => {
                (labels, folded) = (labels + 1, 0);
                value
            }
            // An address folded away from its name, or the rest of a long list of them.
            None if folded < 2 && has_bracketed_address(line) => {
                folded += 1;
                line
            }
            None => break,
        };
        let is_own = value.len() <= 320 && value.to_lowercase().ends_with(&lines.own);
        timed |= has_time(value);
        addressed |= is_own || has_bracketed_address(value);
    }
    labels >= 3 && timed && addressed
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

/// A line of underscores with an address or a link below it, as lists put under every mail. Only what stands below a quotation is
/// looked at this way.
fn without_footer(lines: &Lines<'_>, end: usize) -> usize {
    let first = end.saturating_sub(FOOTER_LINES_MAX + 1);
    let is_rule = |index: &usize| {
        let line = lines.at(*index);
        line.len() >= 2 && line.bytes().all(|byte| byte == b'_')
    };
    let Some(start) = (first..end).find(is_rule).filter(|start| *start > 0) else {
        return end;
    };
    let below = || (start + 1..end).map(|index| lines.at(index));
    let linked = below().any(|line| line.contains("://") || line.contains('@'));
    let short = below().all(|line| line.chars().count() <= 100);
    if linked && short {
        lines.last_text(start)
    } else {
        end
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

    const OWN: &str = "mail.example.org";
    const TEXT: &str = "Sounds good.\n\nSee you there.";

    #[track_caller]
    fn cuts(tail: &str) {
        let text = format!("{TEXT}\n\n{tail}");
        assert_eq!(cut(&text, OWN), TEXT, "for {tail}");
    }

    #[track_caller]
    fn keeps(text: &str) {
        assert_eq!(cut(text, OWN), text.trim_end(), "for {text}");
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
    fn the_line_that_introduces_a_quotation_goes_with_it() {
        for line in [
            "On Monday, alice wrote:",
            "Alice Liddell <alice@mail.example.org> writes:",
            "alice schrieb:",
            "Am Montag schrieb Alice Liddell:",
            "tir. 18. apr. 2017 kl. 13:09 skrev Alice <a@mail.example.org\n>:",
            "Dňa 2. 11. 2026 o 10:00 Alice napísal(a):",
            "Alice <a@mail.example.org> 于2026年11月2日周一 10:00写道：",
            "Alice menulis:",
            "২ নভেম্বর, ২০২৬ ১০:০০, Alice <a@mail.example.org>:",
        ] {
            cuts(&format!("{line}\n> Lunch?\n> Alice"));
        }
        for sentence in [
            "As you wrote:",
            "In my last mail I wrote:",
            "Du schrieb:",
            "I agree with this part:",
        ] {
            let text = format!("{TEXT}\n\n{sentence}\n> Lunch?");
            let kept = format!("{TEXT}\n\n{sentence}");
            assert_eq!(cut(&text, OWN), kept);
        }
    }

    #[test]
    fn footers_and_devices_below_a_quotation_go_with_it() {
        cuts("Alice wrote:\n> Lunch?\n\n___\nlunch list\nhttps://lists.example.com/lunch");
        cuts("Alice wrote:\n> Lunch?\n\nSent from my iPhone");
        keeps("Text\n\n___\nlunch list\nhttps://lists.example.com/lunch");
    }

    #[test]
    fn what_the_text_points_to_stays() {
        let block = "From: Alice <alice@mail.example.org>\nSent: Monday, November 2, 2026 10:00\nTo: Bob <bob@example.com>\nSubject: Lunch\n\nLunch? [Bob] Yes.";
        keeps(&format!("See my answers inline.\n\n{block}"));
        keeps(&format!("Antworten siehe unten.\n\n{block}"));
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
        cuts(
            "Sent from my phone\nOn Mon, 2 Nov 2026 at 10:00, Alice <a@mail.example.org> wrote:\nLunch?",
        );
        cuts(
            "====\n\nMessage du : 02/11/2026 10:00\nDe : \"Alice\" <alice@mail.example.org>\nA : bob@example.com\nCopie a\u{300} : \nSujet : midi\n\nMidi ?",
        );
        cuts(
            "-----Original Message-----\nFrom: alice@mail.example.org\nSent: Monday, November 2, 2026 10:00 AM\nTo: bob@example.com\nSubject: Lunch\n\nLunch?",
        );
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
        keeps(
            "-----Original Message-----\nFrom: x@example.net\nSent: Monday, November 2, 2026 10:00 AM\nTo: bob@example.com\nSubject: Lunch\n\nhello",
        );
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
            cut(&unit.repeat(50_000), OWN);
        }
    }
}

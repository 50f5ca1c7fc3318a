//! A long text in pieces that no server finds too large, with nothing lost between them.

use unicode_segmentation::UnicodeSegmentation;

/// What a body comes to at most on the wire, in bytes: ejabberd's smallest usual limit for a whole stanza is 64 KiB, and the rest of
/// the stanza needs room.
pub(super) const PIECE_BYTES_MAX: usize = 40_000;

/// So many pieces are shown one after another; a longer text continues in a file.
pub(in crate::gateway) const PIECES_MAX: usize = 4;

/// So much more than a piece is looked at, that the grapheme in which it would end is seen to begin there.
const WINDOW_MORE: usize = 64;

/// A character comes to this many bytes at most, more than its own only when it is escaped.
const ESCAPED_MAX: usize = 5;

/// The text in pieces of at most `bytes_max` bytes once escaped, cut behind a line, else behind a word, else between two graphemes. Joined
/// they are the text again; what is nothing but white space is left out.
pub(super) fn pieces(text: &str, bytes_max: usize) -> Vec<&str> {
    if text.len().saturating_mul(ESCAPED_MAX) <= bytes_max {
        return vec![text];
    }
    let mut pieces = Vec::new();
    let mut rest = text;
    while let Some((piece, after)) = rest.split_at_checked(end_of_piece(rest, bytes_max)) {
        if piece.is_empty() {
            break;
        }
        pieces.push(piece);
        rest = after;
    }
    let shown = |piece: &&str| !piece.trim().is_empty();
    let all = pieces.len();
    let mut kept: Vec<&str> = pieces.into_iter().filter(shown).collect();
    if kept.is_empty() && all > 0 {
        kept.push("");
    }
    kept
}

/// Whether the text has more than [`PIECES_MAX`] pieces.
pub(in crate::gateway) fn is_beyond(text: &str) -> bool {
    // Most texts are far from it; only the others are worth a look.
    text.len().saturating_mul(ESCAPED_MAX) > PIECE_BYTES_MAX * PIECES_MAX
        && pieces(text, PIECE_BYTES_MAX).len() > PIECES_MAX
}

/// Where the first piece ends; never 0 unless the text is empty.
fn end_of_piece(text: &str, bytes_max: usize) -> usize {
    // A piece is no longer than this; the rest of a huge text need not be looked at.
    let window = text
        .get(..text.floor_char_boundary(bytes_max.saturating_add(WINDOW_MORE)))
        .unwrap_or(text);
    let (mut cost, mut line, mut word) = (0, 0, 0);
    for (at, grapheme) in window.grapheme_indices(true) {
        cost += grapheme.chars().map(escaped).sum::<usize>();
        if cost > bytes_max {
            // A line or a word that ends early would leave half a stanza empty.
            let behind = [line, word].into_iter().find(|end| *end > at / 2);
            let end = behind.unwrap_or(at);
            return if end == 0 {
                first_chars(grapheme, bytes_max)
            } else {
                end
            };
        }
        let end = at + grapheme.len();
        if grapheme.ends_with('\n') {
            line = end;
        }
        if grapheme.chars().all(char::is_whitespace) {
            word = end;
        }
    }
    window.len()
}

/// One grapheme that is longer than a whole piece: nobody wrote that, and it is cut between two characters.
fn first_chars(grapheme: &str, bytes_max: usize) -> usize {
    let mut cost = 0;
    let fits = grapheme.chars().take_while(|character| {
        cost += escaped(*character);
        cost <= bytes_max
    });
    let end = fits.map(char::len_utf8).sum::<usize>();
    let first = grapheme.chars().next().map_or(0, char::len_utf8);
    end.max(first)
}

/// How many bytes a character takes in a stanza.
fn escaped(character: char) -> usize {
    match character {
        '&' | '\r' => 5,
        '<' | '>' => 4,
        // What XML forbids is replaced.
        _ => character
            .len_utf8()
            .max(if character.is_control() { 3 } else { 1 }),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn cost(text: &str) -> usize {
        text.chars().map(escaped).sum()
    }

    #[test]
    fn a_short_text_is_one_piece() {
        assert_eq!(pieces("hello", 40), ["hello"]);
        assert_eq!(pieces("", 40), [""]);
    }

    #[test]
    fn lines_come_before_words_and_words_before_characters() {
        assert_eq!(
            pieces("one two three\nfour five", 20),
            ["one two three\n", "four five"]
        );
        assert_eq!(
            pieces("one two three four five", 10),
            ["one two ", "three ", "four five"]
        );
        assert_eq!(pieces("abcdefghij", 4), ["abcd", "efgh", "ij"]);
        assert_eq!(
            pieces("a\nbcdefghij klm", 10),
            ["a\nbcdefghi", "j klm"],
            "an early line is no place to cut"
        );
    }

    #[test]
    fn what_people_see_as_one_character_stays_whole() {
        let family = "👨‍👩‍👧‍👦";
        let text = family.repeat(4);
        for piece in pieces(&text, 60) {
            assert_eq!(piece.len() % family.len(), 0, "{piece}");
        }
        assert_eq!(pieces("🇮🇹🇩🇪🇫🇷", 17), ["🇮🇹🇩🇪", "🇫🇷"]);
    }

    #[test]
    fn escapes_count() {
        assert_eq!(pieces("&&&&", 10), ["&&", "&&"]);
    }

    #[test]
    fn a_character_without_end_is_cut_all_the_same() {
        let text = format!("a{}", "\u{301}".repeat(100));
        let all = pieces(&text, 20);
        assert_eq!(all.concat(), text);
        assert!(all.iter().all(|piece| cost(piece) <= 20));
    }

    #[test]
    fn white_space_alone_is_no_piece() {
        assert_eq!(pieces(&"\n".repeat(100), 10), [""]);
        let text = format!("a{}b", " ".repeat(100));
        let all = pieces(&text, 10);
        assert_eq!(
            (all.first(), all.last()),
            (Some(&"a         "), Some(&" b"))
        );
        assert_eq!(all.len(), 2);
    }

    proptest! {
        #[test]
        fn nothing_is_lost_and_nothing_is_too_large(text in "(\\PC|[ \n&<\r👍\u{301}]){0,200}", bytes_max in 8_usize..60) {
            let all = pieces(&text, bytes_max);
            for piece in &all {
                prop_assert!(cost(piece) <= bytes_max, "{piece:?}");
            }
            let letters = |text: &str| text.chars().filter(|c| !c.is_whitespace()).collect::<String>();
            prop_assert_eq!(letters(&all.concat()), letters(&text));
        }
    }
}

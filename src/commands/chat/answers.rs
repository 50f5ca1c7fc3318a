//! What an answer means to the field that was asked.

use crate::{
    commands::form::{Field, Kind},
    texts::{Label, Lang, Text},
};

/// What is in a list has no more words than that.
const CHOICE_WORDS_MAX: usize = 12;

/// The words at the beginning that are one of the field's choices, as many as can be, and what follows them.
pub(super) fn beginning<'t>(field: &Field, text: &'t str) -> Option<(&'t str, &'t str)> {
    let Kind::Choice(choices) = &field.kind else {
        return None;
    };
    let ends = text.char_indices().filter(|(_, c)| c.is_whitespace());
    let ends = ends.map(|(at, _)| at).take(CHOICE_WORDS_MAX);
    let mut ends: Vec<usize> = ends.chain([text.len()]).collect();
    ends.reverse();
    let splits = ends.into_iter().map(|at| text.split_at(at));
    splits
        .map(|(given, behind)| (given.trim_end(), behind.trim_start()))
        .find(|(given, _)| chosen(choices, given).is_some())
}

/// The value of a list that is meant by its place, by the value, a phone number written as people write it, or by what people read.
fn chosen(choices: &[(Text, String)], given: &str) -> Option<String> {
    let bare: String = given
        .chars()
        .filter(|c| !c.is_whitespace() && !"-.()/".contains(*c))
        .collect();
    let named = |(label, value): &&(Text, String)| {
        let label_is = |lang: &Lang| label.render(*lang).eq_ignore_ascii_case(given);
        let is_number = bare.starts_with('+') && *value == bare;
        value == given || is_number || Lang::ALL.iter().any(label_is)
    };
    let by_name = choices.iter().find(named);
    let at = given.parse::<usize>().ok().and_then(|at| at.checked_sub(1));
    let choice = by_name.or_else(|| choices.get(at?));
    choice.map(|(_, value)| value.clone())
}

/// The value that an answer means: a number of a list, a word of it, yes and no in each language, a dash for "leave it".
pub(super) fn meant(field: &Field, given: &str) -> String {
    if given == "-" && !field.required {
        return field.value.clone().unwrap_or_default();
    }
    let at = given.parse::<usize>().ok().and_then(|at| at.checked_sub(1));
    let chosen = match &field.kind {
        Kind::Choice(choices) => chosen(choices, given),
        Kind::Open(choices) => at.and_then(|at| choices.get(at)).cloned(),
        Kind::Boolean => {
            let is = |label: Label| {
                let says = |lang: &Lang| {
                    Text::from(label.clone())
                        .render(*lang)
                        .eq_ignore_ascii_case(given)
                };
                Lang::ALL.iter().any(says)
            };
            let word = if is(Label::Yes) {
                Some("yes")
            } else if is(Label::No) {
                Some("no")
            } else {
                None
            };
            word.map(str::to_owned)
        }
        Kind::Text | Kind::Lines | Kind::Cards | Kind::Person | Kind::Peer => None,
    };
    chosen.unwrap_or_else(|| given.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_words_of_a_choice_end_where_it_ends() {
        let choices = ["default", "yes", "+12025550147"].map(|value| {
            let label = Text::from(Label::Word(value.to_owned()));
            (label, value.to_owned())
        });
        let field = Field::new("choice", Label::Action, Kind::Choice(choices.into()));
        let taken = |text| beginning(&field, text);
        assert_eq!(taken("yes - default"), Some(("yes", "- default")));
        assert_eq!(taken("- yes"), None, "a dash leaves it out");
        assert_eq!(
            taken("+1 (202) 555-0147 block now"),
            Some(("+1 (202) 555-0147", "block now"))
        );
        assert_eq!(taken("2 yes"), Some(("2", "yes")));
        assert_eq!(taken("nothing of it"), None);
    }
}

//! Peers of the SMS network as addresses, and what people type instead of them.

use std::fmt;

use transom_adapter::Address;

use crate::{
    Country, country,
    emergency::{find_after_calling_code, is_emergency_in},
};

/// A peer of the SMS network. [`Number::to_address`] and [`Number::parse`] are inverse to each other.
#[derive(Clone, PartialEq, Eq, Hash)]
pub enum Number {
    /// `+12025550147`: a plus sign and 7 to 15 digits, the first of them not zero. ITU-T E.164
    E164(String),
    /// `12345;phone-context=us`: 3 to 8 digits that mean something in one country alone. The form is that of RFC 3966 §5.1.5.
    ShortCode {
        /// The digits.
        digits: String,
        /// Whose short code it is.
        country: Country,
    },
    /// `acme;phone-context=alpha`: a name in place of a number, in small letters. It cannot be answered.
    Alphanumeric(String),
    /// `911`, `15;phone-context=fr`: an address only so that the refusal can say what it is.
    Emergency(String),
}

impl Number {
    /// Reads an address; `home` decides what an emergency number is. Anything but the one right spelling is `None`.
    pub fn parse(text: &str, home: Country) -> Option<Self> {
        if let Some((rest, context)) = text.rsplit_once(";phone-context=") {
            return Self::parse_in_context(rest, context);
        }
        if is_e164(text) {
            return Some(Self::E164(text.to_owned()));
        }
        find_emergency(text, home).map(|digits| Self::Emergency(digits.to_owned()))
    }

    fn parse_in_context(rest: &str, context: &str) -> Option<Self> {
        if context == "alpha" {
            let name = canonical_name(rest)?;
            return (name == rest).then_some(Self::Alphanumeric(name));
        }
        // One spelling alone, so that nobody has two contacts: the country in small letters.
        let country: Country = context.parse().ok()?;
        if context != country.to_string().to_ascii_lowercase() || !is_digits(rest) {
            return None;
        }
        if is_emergency_in(rest, country) {
            return Some(Self::Emergency(format!("{rest};phone-context={context}")));
        }
        let digits = rest.to_owned();
        let is_short_code = (SHORT_CODE_DIGITS_MIN..=SHORT_CODE_DIGITS_MAX).contains(&rest.len());
        is_short_code.then_some(Self::ShortCode { digits, country })
    }

    /// Reads a sender or a recipient as a provider names it; nothing is unreadable here, for a message must not be lost over it.
    pub fn received(raw: &str, home: Country) -> Self {
        let raw = raw.trim();
        if let Some(digits) = dialled(raw) {
            // Without a plus sign most providers mean the international form; at home the two readings can collide.
            let international = digits.starts_with(&home.calling_code());
            let first = international.then(|| country::read_dialled(&format!("+{digits}"), home));
            if let Some(number) = first.flatten().or_else(|| read_digits(&digits, home)) {
                return Self::E164(number);
            }
            if is_e164(&digits) {
                return Self::E164(digits);
            }
            let context = format!("{digits};phone-context={home}").to_ascii_lowercase();
            if let Some(code @ Self::ShortCode { .. }) = Self::parse(&context, home) {
                return code;
            }
        }
        Self::Alphanumeric(canonical_name(raw).unwrap_or_else(|| "unknown".to_owned()))
    }

    /// The address.
    pub fn to_address(&self) -> Address {
        Address::new(match self {
            Self::E164(text) | Self::Emergency(text) => text.clone(),
            Self::ShortCode { digits, country } => {
                format!("{digits};phone-context={country}").to_ascii_lowercase()
            }
            Self::Alphanumeric(name) => format!("{name};phone-context=alpha"),
        })
    }

    /// What a provider is given: the address without its context.
    pub fn wire(&self) -> &str {
        match self {
            Self::E164(text) | Self::Emergency(text) | Self::Alphanumeric(text) => text,
            Self::ShortCode { digits, .. } => digits,
        }
    }
}

/// Telephone numbers are personal data.
impl fmt::Debug for Number {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Number({})", self.to_address().masked())
    }
}

/// Reads what a person typed: spaces and brackets, `00` for the plus sign, or as it is dialled in `home`. Letters are never
/// read as digits: `1-800-FLOWERS` is a guess that costs money.
pub fn read_typed(typed: &str, home: Country) -> Option<Number> {
    let typed = typed.trim();
    if let Some(number) = Number::parse(typed, home)
        && !matches!(number, Number::E164(_))
    {
        return Some(number);
    }
    let digits = dialled(typed)?;
    if let Some(emergency) = find_emergency(&digits, home) {
        return Some(Number::Emergency(emergency.to_owned()));
    }
    if let Some(number) = read_digits(&digits, home) {
        return Some(Number::E164(number));
    }
    let context = format!("{digits};phone-context={home}").to_ascii_lowercase();
    Number::parse(&context, home).or_else(|| is_e164(typed).then_some(Number::E164(digits)))
}

const SHORT_CODE_DIGITS_MIN: usize = 3;
const SHORT_CODE_DIGITS_MAX: usize = 8;
/// 3GPP TS 23.040 §9.1.2.5 holds 11; some networks are looser.
const NAME_CHARS_MAX: usize = 32;
/// Longer input is no number: 15 digits, an international prefix, and something to spare.
const DIALLED_CHARS_MAX: usize = 40;

/// ITU-T E.164: `^\+[1-9][0-9]{6,14}$`.
pub(crate) fn is_e164(text: &str) -> bool {
    text.strip_prefix('+').is_some_and(|digits| {
        (7..=15).contains(&digits.len()) && is_digits(digits) && !digits.starts_with('0')
    })
}

fn is_digits(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit())
}

fn find_emergency(text: &str, home: Country) -> Option<&str> {
    match text.strip_prefix('+') {
        Some(digits) if is_digits(digits) => find_after_calling_code(digits, home),
        Some(_) => None,
        None => is_emergency_in(text, home).then_some(text),
    }
}

/// The digits and a leading plus sign of what was typed; `None` when there is anything in it but separators.
fn dialled(typed: &str) -> Option<String> {
    if typed.len() > DIALLED_CHARS_MAX {
        return None;
    }
    let mut digits = String::with_capacity(typed.len());
    for character in typed.chars() {
        match character {
            '0'..='9' => digits.push(character),
            '+' if digits.is_empty() => digits.push('+'),
            ' ' | '-' | '.' | '(' | ')' | '/' | '\u{a0}' | '\u{202f}' | '\u{2010}'..='\u{2015}' => {
            }
            _ => return None,
        }
    }
    digits
        .ends_with(|c: char| c.is_ascii_digit())
        .then_some(digits)
}

/// As dialled at home, else with `00` for the plus sign, else with the plus sign forgotten.
fn read_digits(digits: &str, home: Country) -> Option<String> {
    let at_home = || country::read_dialled(digits, home);
    let zeros = || country::read_dialled(&format!("+{}", digits.strip_prefix("00")?), home);
    let no_plus = || country::read_dialled(&format!("+{digits}"), home);
    if digits.starts_with('+') {
        return at_home();
    }
    at_home()
        .or_else(zeros)
        .or_else(|| (digits.len() >= 10).then(no_plus).flatten())
}

/// A name that survives being a JID's local part: small letters, and a hyphen for what may be forbidden there. RFC 8265 §3.3
fn canonical_name(raw: &str) -> Option<String> {
    let lower = raw.trim().chars().flat_map(char::to_lowercase);
    let name: String = lower
        .map(|c| if is_safe_in_name(c) { c } else { '-' })
        .take(NAME_CHARS_MAX)
        .collect();
    let name = name.trim();
    (!name.is_empty()).then(|| name.to_owned())
}

/// ASCII, and the plain small letters of the scripts that senders use: none that normalisation would change.
fn is_safe_in_name(c: char) -> bool {
    matches!(c, ' '..='~' | 'ß'..='ö' | 'ø'..='ÿ' | 'ά'..='ώ' | 'а'..='џ')
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn country(code: &str) -> Country {
        code.parse().unwrap()
    }

    #[track_caller]
    fn typed(text: &str, home: &str) -> Option<String> {
        read_typed(text, country(home)).map(|number| number.to_address().as_str().to_owned())
    }

    #[test]
    fn one_spelling_of_each_kind_is_an_address() {
        for text in [
            "+12025550147",
            "+1234567",
            "+123456789012345",
            "12345;phone-context=us",
            "acme bank;phone-context=alpha",
            "911",
            "15;phone-context=fr",
        ] {
            let number = Number::parse(text, country("US")).unwrap();
            assert_eq!(number.to_address().as_str(), text);
        }
    }

    #[test]
    fn any_other_spelling_is_not() {
        for text in [
            "",
            "+",
            "+123456",
            "+1234567890123456",
            "+02025550147",
            "12025550147",
            "+1 202 555 0147",
            "+1202555014a",
            "+١٢٣٤٥٦٧٨",
            "0012025550147",
            "12345",
            "12;phone-context=us",
            "123456789;phone-context=us",
            "12345;phone-context=US",
            "12345;phone-context=zz",
            "12345;phone-context=",
            "1234a;phone-context=us",
            "ACME;phone-context=alpha",
            ";phone-context=alpha",
            "+12025550147;ext=1",
        ] {
            assert_eq!(Number::parse(text, country("US")), None, "{text:?}");
        }
    }

    #[test]
    fn other_spellings_lead_to_the_right_one() {
        for (text, home, want) in [
            ("+1 650-253-0000", "US", "+16502530000"),
            ("(202) 555-0147", "US", "+12025550147"),
            ("1.202.555.0147", "US", "+12025550147"),
            ("011 44 7400 123456", "US", "+447400123456"),
            ("07400 123456", "GB", "+447400123456"),
            ("0049 171 1234567", "DE", "+491711234567"),
            ("0049 171 1234567", "US", "+491711234567"),
            ("+49 (0)171 1234567", "DE", "+491711234567"),
            ("+4901711234567", "US", "+491711234567"),
            ("0171/1234567", "DE", "+491711234567"),
            ("12025550147", "GB", "+12025550147"),
            ("06 698 12345", "IT", "+390669812345"),
            ("12345", "US", "12345;phone-context=us"),
            ("9-1-1", "US", "911"),
            ("+1 911", "US", "911"),
            ("+49112", "DE", "112"),
        ] {
            assert_eq!(typed(text, home).as_deref(), Some(want), "{text} in {home}");
        }
    }

    #[test]
    fn letters_and_nonsense_are_never_numbers() {
        for text in [
            "1-800-FLOWERS",
            "+3367a829916",
            "ACMECORP",
            "bob@example.com",
            "",
            "+",
            "++12025550147",
            "12",
            "-",
            "1202555014712025550147120255501471202555",
        ] {
            assert_eq!(typed(text, "US"), None, "{text:?}");
        }
    }

    #[test]
    fn providers_spell_in_their_own_ways() {
        for (raw, home, want) in [
            ("+15551230000", "US", "+15551230000"),
            ("12025550147", "US", "+12025550147"),
            ("491711234567", "DE", "+491711234567"),
            ("01711234567", "DE", "+491711234567"),
            ("22000", "US", "22000;phone-context=us"),
            ("ACME Bank", "US", "acme bank;phone-context=alpha"),
            ("Tele2 €", "SE", "tele2 -;phone-context=alpha"),
            ("ÄRZTE ﬁ２", "DE", "ärzte --;phone-context=alpha"),
            ("СБЕР", "RU", "сбер;phone-context=alpha"),
            ("", "US", "unknown;phone-context=alpha"),
            ("911", "US", "911;phone-context=alpha"),
        ] {
            let number = Number::received(raw, country(home));
            assert_eq!(number.to_address().as_str(), want, "{raw:?} in {home}");
        }
    }

    #[test]
    fn a_number_that_is_too_short_for_an_address_is_a_short_code() {
        let number = read_typed("1640", country("DE")).unwrap();
        assert_eq!(number.to_address().as_str(), "1640;phone-context=de");
    }

    #[test]
    fn debug_hides_the_number() {
        let number = Number::parse("+12025550147", country("US")).unwrap();
        assert_eq!(format!("{number:?}"), "Number(…47)");
    }

    proptest! {
        #[test]
        fn nothing_that_is_typed_makes_it_panic(text in ".{0,60}") {
            if let Some(number) = read_typed(&text, country("US")) {
                let address = number.to_address();
                prop_assert_eq!(Number::parse(address.as_str(), country("US")), Some(number));
            }
        }

        #[test]
        fn numbers_come_out_as_they_are_read(text in "[-+ ()0-9./]{0,20}", home in "US|DE|GB|IT|MX|AR|BR") {
            if let Some(number) = read_typed(&text, country(&home)) {
                let address = number.to_address();
                prop_assert_eq!(Number::parse(address.as_str(), country(&home)), Some(number));
            }
        }

        #[test]
        fn whatever_a_provider_calls_a_sender_is_an_address(raw in "\\PC{0,40}") {
            let number = Number::received(&raw, country("US"));
            let address = number.to_address();
            prop_assert_eq!(Number::parse(address.as_str(), country("US")), Some(number));
        }
    }
}

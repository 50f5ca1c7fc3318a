//! Numbering plans: where a number belongs and what it costs to reach. The one file that knows the library.
//!
//! `rlibphonenumber` 2.2 (Apache-2.0, metadata 9.0.42, 2026) is a port of Google's libphonenumber with its tests and follows its
//! metadata by itself. It adds some forty small crates, most of them for its build script alone. `phonenumber` 0.3 was weighed too: it
//! reads letters as digits inside international numbers and brings `atomic-polyfill` (RUSTSEC-2023-0089). A prefix table of our own
//! is ruled out by semantics 31. The library holds no short-number data, so emergency numbers stand in `emergency.rs`.

use std::{borrow::Cow, fmt, str::FromStr};

use rlibphonenumber::{PHONE_NUMBER_UTIL, PhoneNumber, PhoneNumberFormat, PhoneNumberType, Region};

use crate::number::is_e164;

/// The regions that have a numbering plan. The library knows them too, but asking it loads its metadata: four megabytes that a gateway
/// does without until the first text.
const WITH_A_PLAN: &str = "\
    AC AD AE AF AG AI AL AM AO AR AS AT AU AW AX AZ BA BB BD BE BF BG BH BI BJ BL BM BN BO BQ BR BS BT BW BY BZ CA \
    CC CD CF CG CH CI CK CL CM CN CO CR CU CV CW CX CY CZ DE DJ DK DM DO DZ EC EE EG EH ER ES ET FI FJ FK FM FO FR \
    GA GB GD GE GF GG GH GI GL GM GN GP GQ GR GT GU GW GY HK HN HR HT HU ID IE IL IM IN IO IQ IR IS IT JE JM JO JP \
    KE KG KH KI KM KN KP KR KW KY KZ LA LB LC LI LK LR LS LT LU LV LY MA MC MD ME MF MG MH MK ML MM MN MO MP MQ MR \
    MS MT MU MV MW MX MY MZ NA NC NE NF NG NI NL NO NP NR NU NZ OM PA PE PF PG PH PK PL PM PR PS PT PW PY QA RE RO \
    RS RU RW SA SB SC SD SE SG SH SI SJ SK SL SM SN SO SR SS ST SV SX SY SZ TA TC TD TG TH TJ TK TL TM TN TO TR TT \
    TV TW TZ UA UG US UY UZ VA VC VE VG VI VN VU WF WS XK YE YT ZA ZM ZW";

/// A country as numbering plans know it: ISO 3166 alpha-2, written in capitals.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Country(Region);

impl Country {
    /// The United States.
    pub(crate) const US: Self = Self(Region::US);

    /// Its calling code: `1`, `49`.
    pub fn calling_code(self) -> String {
        let code = PHONE_NUMBER_UTIL.get_country_code_for_region(self.0);
        code.map_or_else(String::new, |code| code.to_string())
    }
}

impl FromStr for Country {
    type Err = UnknownCountry;

    fn from_str(code: &str) -> Result<Self, UnknownCountry> {
        let code = code.to_ascii_uppercase();
        let known = WITH_A_PLAN.split(' ').any(|known| known == code);
        let region = Region::from_code(&code).map_err(|_| UnknownCountry)?;
        known.then_some(Self(region)).ok_or(UnknownCountry)
    }
}

impl fmt::Display for Country {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.0)
    }
}

impl fmt::Debug for Country {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.0)
    }
}

/// The text is not the two-letter code of a country that has a numbering plan.
#[derive(Clone, Copy, PartialEq, Eq, Debug, thiserror::Error)]
#[error("not a two-letter country code")]
pub struct UnknownCountry;

/// Where a number belongs.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Place {
    /// A number that costs what a text to this country costs.
    Ordinary(Country),
    /// A premium, shared-cost or personal number of this country: reaching it costs more, and fraud lives on that.
    Premium(Country),
    /// It has this country's prefix, and the country's plan has no such number.
    Unassigned(Country),
    /// In no country: no plan has it, or it is a network of the sky and the sea.
    Nowhere,
}

/// Places an E.164 number.
pub(crate) fn place(e164: &str) -> Place {
    let Ok(number) = PHONE_NUMBER_UTIL.parse(e164, None) else {
        return Place::Nowhere;
    };
    let country = match PHONE_NUMBER_UTIL.get_region_for_number(&number) {
        Some(region) if region != Region::World => Country(region),
        _ => return Place::Nowhere,
    };
    match PHONE_NUMBER_UTIL.get_number_type(&number) {
        PhoneNumberType::PremiumRate
        | PhoneNumberType::SharedCost
        | PhoneNumberType::PersonalNumber => Place::Premium(country),
        PhoneNumberType::Unknown => Place::Unassigned(country),
        _ => Place::Ordinary(country),
    }
}

/// Reads digits (with or without a leading plus) as somebody in `home` would dial them; `None` when no plan has such a number.
pub(crate) fn read_dialled(digits: &str, home: Country) -> Option<String> {
    let number = PHONE_NUMBER_UTIL.parse(digits, Some(home.0)).ok()?;
    valid_e164(&number)
}

fn valid_e164(number: &PhoneNumber) -> Option<String> {
    let valid = PHONE_NUMBER_UTIL.is_valid_number(number);
    let text = valid.then(|| PHONE_NUMBER_UTIL.format(number, PhoneNumberFormat::E164));
    // Plans have numbers that are shorter than an address: those are short codes here.
    text.filter(|text| is_e164(text)).map(Cow::into_owned)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn country(code: &str) -> Country {
        code.parse().unwrap()
    }

    #[test]
    fn the_area_code_decides_inside_plus_one() {
        for (number, code) in [
            ("+12025550147", "US"),
            ("+14165550123", "CA"),
            ("+18762101234", "JM"),
            ("+12423456789", "BS"),
            ("+17872345678", "PR"),
            ("+442071838750", "GB"),
            ("+441481960194", "GG"),
            ("+79161234567", "RU"),
            ("+77011234567", "KZ"),
        ] {
            assert_eq!(place(number), Place::Ordinary(country(code)), "{number}");
        }
    }

    #[test]
    fn what_costs_more_is_premium() {
        for (number, code) in [
            ("+19002345678", "US"),
            ("+449098790000", "GB"),
            ("+448431234567", "GB"),
            ("+447012345678", "GB"),
            ("+491805123456", "DE"),
            ("+33891123456", "FR"),
        ] {
            let placed = place(number);
            assert!(
                matches!(placed, Place::Premium(_)),
                "{number}: {placed:?} {code}"
            );
        }
    }

    #[test]
    fn what_no_plan_has_is_not_ordinary() {
        for number in [
            "+15551230000",
            "+9991234567",
            "+870773111632",
            "+979123456789",
            "+881612345678",
        ] {
            assert_eq!(place(number), Place::Nowhere, "{number}");
        }
        assert_eq!(
            place("+4912345"),
            Place::Unassigned(country("DE")),
            "a country's prefix alone is not a number of it"
        );
    }

    #[test]
    fn the_list_of_countries_is_the_librarys() {
        let regions = PHONE_NUMBER_UTIL.get_supported_regions();
        let mut regions: Vec<String> = regions.map(|region| region.to_string()).collect();
        regions.sort_unstable();
        assert_eq!(WITH_A_PLAN, regions.join(" "));
    }

    #[test]
    fn only_countries_are_countries() {
        for code in ["", "U", "001", "USA", "ZZ", "EU", "u$", "ü"] {
            assert_eq!(code.parse::<Country>(), Err(UnknownCountry), "{code:?}");
        }
        assert_eq!(country("us").to_string(), "US");
        assert_eq!(country("CA").calling_code(), "1");
    }
}

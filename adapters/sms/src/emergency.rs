//! Emergency numbers, which are never texted through a gateway: a text arrives late, without a location, or not at all.

use crate::Country;

/// Numbers that phones treat as emergency numbers everywhere. 3GPP TS 22.101 §10.1
const EVERYWHERE: &[&str] = &["000", "08", "110", "112", "118", "119", "911", "999"];

/// What countries have beside those: police, fire, ambulance, coast guard, the text lines of the deaf.
const COUNTRIES: &[(&str, &[&str])] = &[
    ("AE", &["996", "997", "998"]),
    ("AM AZ BY KG KZ MD RU TJ TM UA UZ", CIS),
    ("AR", &["100", "101", "106", "107"]),
    ("AT", &["122", "133", "140", "144"]),
    ("AU", &["106"]),
    ("BA ME RS", &["122", "123", "124", "192", "193", "194"]),
    ("BD", &["199"]),
    ("BE", &["100", "101"]),
    ("BG", &["150", "160", "166"]),
    (
        "BR",
        &[
            "181", "185", "190", "191", "192", "193", "194", "197", "198", "199",
        ],
    ),
    ("CH LI", &["117", "143", "144", "147", "1414"]),
    ("CL", &["131", "132", "133", "134"]),
    ("CN", &["120", "122", "12110", "12395"]),
    ("CO", &["123", "125", "132"]),
    ("CU", &["104", "105", "106", "107"]),
    ("CZ SK", &["150", "155", "156", "158", "159"]),
    ("DZ", &["14", "17", "1548"]),
    ("EC", &["101", "102"]),
    ("EG", &["122", "123", "126", "180"]),
    ("ES", &["061", "062", "080", "085", "088", "091", "092"]),
    (
        "FR GF GP MQ RE YT PM",
        &["15", "17", "18", "114", "115", "191", "196", "197"],
    ),
    ("GH", &["191", "192", "193"]),
    ("GR", &["100", "108", "166", "199"]),
    ("HK MO", &["992", "993"]),
    ("HR", &["192", "193", "194", "195"]),
    ("HU", &["104", "105", "107"]),
    ("ID", &["113", "115", "117"]),
    ("IL", &["100", "101", "102", "104"]),
    ("IN", &["100", "101", "102", "103", "104", "108", "1091"]),
    ("IR", &["115", "125"]),
    ("IT SM VA", &["113", "114", "115", "117", "1515", "1530"]),
    ("JO LB", &["140", "175", "199"]),
    ("JP", &["171"]),
    ("KR", &["113", "122", "125", "127"]),
    ("LT LV EE", &["01", "02", "03", "04"]),
    ("LU", &["113"]),
    ("MA", &["15", "19", "150", "177", "190"]),
    ("MK", &["192", "193", "194", "195"]),
    ("MX", &["060", "061", "065", "066", "068"]),
    ("NG", &["122", "199"]),
    ("NL BE", &["101", "106"]),
    ("NO", &["113", "1412"]),
    ("NZ", &["111"]),
    ("PE", &["105", "106", "116", "117"]),
    ("PH", &["117"]),
    ("PK", &["15", "16", "115", "1122"]),
    ("PL", &["984", "985", "986", "997", "998"]),
    ("PT", &["115", "117"]),
    ("SA KW QA BH OM", &["993", "996", "997", "998"]),
    ("SG", &["995", "70999"]),
    ("SI", &["113"]),
    ("TH", &["191", "199", "1155", "1669"]),
    ("TN", &["190", "193", "197", "198"]),
    ("TR", &["122", "155", "156", "158", "177"]),
    ("UY", &["104", "105", "109"]),
    ("VE", &["171"]),
    ("VN", &["113", "114", "115"]),
    ("ZA", &["107", "10111", "10177"]),
];

const CIS: &[&str] = &["01", "02", "03", "04", "101", "102", "103", "104"];

/// Whether phones in `country` treat these digits as an emergency number.
pub(crate) fn is_emergency_in(digits: &str, country: Country) -> bool {
    let code = country.to_string();
    EVERYWHERE.contains(&digits)
        || COUNTRIES.iter().any(|(codes, numbers)| {
            codes.split(' ').any(|c| c == code) && numbers.contains(&digits)
        })
}

/// The emergency number of `country` behind a calling code: `911` for `1911`.
pub(crate) fn find_after_calling_code(digits: &str, country: Country) -> Option<&str> {
    // A calling code has one to three digits; without one the plus sign was a slip.
    let mut rests = (0..=3).filter_map(|skip| digits.get(skip..));
    rests.find(|rest| rest.len() >= 3 && is_emergency_in(rest, country))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_help_is_called_by_is_known() {
        let country = |code: &str| code.parse::<Country>().unwrap();
        for (digits, code) in [
            ("911", "US"),
            ("112", "US"),
            ("110", "DE"),
            ("999", "GB"),
            ("000", "AU"),
            ("106", "AU"),
            ("15", "FR"),
            ("10111", "ZA"),
        ] {
            assert!(is_emergency_in(digits, country(code)), "{digits} {code}");
        }
        assert!(!is_emergency_in("15", country("US")));
        assert!(!is_emergency_in("12345", country("US")));
    }

    #[test]
    fn a_calling_code_before_it_does_not_hide_it() {
        for (digits, number) in [
            ("911", "911"),
            ("1911", "911"),
            ("49112", "112"),
            ("353999", "999"),
        ] {
            let found = find_after_calling_code(digits, "US".parse().unwrap());
            assert_eq!(found, Some(number), "{digits}");
        }
        for digits in ["", "1", "é91", "12345", "5550147", "12025550147"] {
            let found = find_after_calling_code(digits, "US".parse().unwrap());
            assert_eq!(found, None, "{digits}");
        }
    }

    #[test]
    fn every_row_names_countries() {
        for (codes, numbers) in COUNTRIES {
            for code in codes.split(' ') {
                assert!(code.parse::<Country>().is_ok(), "{code}");
            }
            assert!(
                numbers
                    .iter()
                    .all(|n| n.bytes().all(|b| b.is_ascii_digit()))
            );
        }
    }
}

//! Numbers as SMSCs write them. SMPP 3.4 §5.2.5, §5.2.6

use transom_smpp::Party;

use crate::{Country, Number};

/// `ton` and `npi` for every address of one side, where the SMSC wants them fixed.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub(super) struct Kinds {
    ton: Option<u8>,
    npi: Option<u8>,
}

impl Kinds {
    pub(super) fn of((ton, npi): (Option<u8>, Option<u8>)) -> Self {
        Self { ton, npi }
    }

    /// An address of ours or of a peer as the SMSC gets it: international numbers without the plus sign.
    pub(super) fn party(self, address: &str, home: Country) -> Party {
        let number = Number::parse(address, home);
        let (ton, npi) = match &number {
            Some(Number::E164(_)) => (1, 1),
            Some(Number::ShortCode { .. }) => (3, 0),
            Some(Number::Alphanumeric(_)) => (5, 0),
            Some(Number::Emergency(_)) | None => (0, 0),
        };
        let wire = number.as_ref().map_or(address, Number::wire);
        Party {
            ton: self.ton.unwrap_or(ton),
            npi: self.npi.unwrap_or(npi),
            address: wire.trim_start_matches('+').to_owned(),
        }
    }
}

/// An address as it came, in the notation that [`Number::received`] reads.
pub(super) fn received(party: &Party) -> String {
    match party.ton {
        1 if !party.address.starts_with('+') => format!("+{}", party.address),
        _ => party.address.clone(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_kind_of_address_is_named() {
        let home: Country = "US".parse().unwrap();
        let party = |address: &str| {
            let party = Kinds::default().party(address, home);
            (party.ton, party.npi, party.address)
        };
        assert_eq!(party("+12025550100"), (1, 1, "12025550100".into()));
        assert_eq!(party("12345;phone-context=us"), (3, 0, "12345".into()));
        assert_eq!(party("acme;phone-context=alpha"), (5, 0, "acme".into()));
        let fixed = Kinds::of((Some(0), Some(1))).party("+12025550100", home);
        assert_eq!((fixed.ton, fixed.npi), (0, 1));
    }

    #[test]
    fn an_international_number_is_one_whatever_it_looks_like() {
        let party = |ton, address: &str| {
            received(&Party {
                ton,
                npi: 1,
                address: address.into(),
            })
        };
        assert_eq!(party(1, "447400123456"), "+447400123456");
        assert_eq!(party(1, "+447400123456"), "+447400123456");
        assert_eq!(party(0, "12345"), "12345");
        assert_eq!(party(5, "ACME"), "ACME");
    }
}

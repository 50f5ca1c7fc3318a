//! The names that our mails carry and that nobody else can make: Message-IDs and bounce addresses.

use transom_adapter::{Address, Key, Signer};

/// The kind of external id under which our Message-IDs are kept.
pub(crate) const MESSAGE_ID_KIND: &str = "message-id";

/// The header by which our own mails are known when a forwarder has rewritten their Message-ID.
pub(crate) const LOOP_HEADER: &str = "X-Loop";

/// Who reads what comes to an address of ours. Of all the addresses of one reader, one mail is taken once.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) enum Reader {
    /// Whoever wrote the delivery whose bounce address it is, however that is wrapped.
    Writer(Key),
    /// Whoever has this mailbox.
    Owner(Address),
}

/// Makes our Message-IDs and bounce addresses, and knows them again.
///
/// Both hold a token of the [`Signer`]: the delivery's key and 80 bits that only we can compute, so neither a thread nor a
/// bounce can be forged. Bounce addresses follow the idea of VERP: one recipient a transaction, so that the address alone says
/// which delivery failed, however useless the bounce's text is.
#[derive(Clone, Debug)]
pub(crate) struct OwnIds {
    signer: Signer,
    domain: String,
    /// Whose Authentication-Results count: it says what is ours as well.
    trusted: std::sync::Arc<[String]>,
    /// Who reads what is written to the host itself.
    postmaster: Option<Address>,
}

const MESSAGE_ID: &str = "m";
const BOUNCE: &str = "b";
const BOUNCE_NAME: &str = "bounces";
const TOKEN_BYTES: usize = 29;

impl OwnIds {
    /// For mails from addresses of this domain (lower-case A-labels).
    pub(crate) fn new(signer: Signer, domain: String) -> Self {
        Self {
            signer,
            domain,
            trusted: [].into(),
            postmaster: None,
        }
    }

    /// With the address of whoever reads mail to postmaster and abuse.
    pub(crate) fn with_postmaster(mut self, postmaster: Option<Address>) -> Self {
        self.postmaster = postmaster;
        self
    }

    /// Whether somebody reads mail to postmaster and abuse.
    pub(crate) fn has_postmaster(&self) -> bool {
        self.postmaster.is_some()
    }

    /// The address under which somebody may have a mailbox, for one that mail came to: without the detail behind a plus sign, which
    /// no address of ours holds, and of the postmaster for those of the host. Bounce addresses stay as they are.
    pub(crate) fn mailbox(&self, address: &Address) -> Address {
        let Some((local, domain)) = address.as_str().rsplit_once('@') else {
            return address.clone();
        };
        if !self.is_ours(address) || self.key_of_bounce_address(address).is_some() {
            return address.clone();
        }
        let plain = local.split('+').next().unwrap_or(local);
        match &self.postmaster {
            // RFC 5321 §4.5.1, RFC 2142 §4
            Some(postmaster) if matches!(plain, "postmaster" | "abuse") => postmaster.clone(),
            _ if plain.is_empty() || plain == local => address.clone(),
            _ => Address::new(format!("{plain}@{domain}")),
        }
    }

    /// Who reads what comes to this address.
    pub(crate) fn reader(&self, address: &Address) -> Reader {
        match self.key_of_bounce_address(address) {
            Some(key) => Reader::Writer(key),
            None => Reader::Owner(self.mailbox(address)),
        }
    }

    /// One address of each reader, and for every address the place of its reader among them.
    pub(crate) fn readers<'a>(&self, addresses: &'a [Address]) -> (Vec<&'a Address>, Vec<usize>) {
        let (mut readers, mut firsts) = (Vec::new(), Vec::new());
        let place = |address: &'a Address| {
            let reader = self.reader(address);
            let known = readers.iter().position(|known| *known == reader);
            known.unwrap_or_else(|| {
                readers.push(reader);
                firsts.push(address);
                firsts.len() - 1
            })
        };
        let places = addresses.iter().map(place).collect();
        (firsts, places)
    }

    /// With the names that our own mail servers write their results under. RFC 8601 §2.5
    pub(crate) fn trusting(mut self, servers: Vec<String>) -> Self {
        self.trusted = servers.into();
        self
    }

    /// The names of our own mail servers.
    pub(crate) fn trusted(&self) -> &[String] {
        &self.trusted
    }

    /// The domain of our addresses.
    pub(crate) fn domain(&self) -> &str {
        &self.domain
    }

    /// The Message-ID of a delivery, the same on every attempt, without angle brackets. RFC 5322 §3.6.4
    pub(crate) fn message_id(&self, key: Key) -> String {
        let token = self.signer.token(MESSAGE_ID, key);
        format!("{MESSAGE_ID}.{token}@{}", self.domain)
    }

    /// The delivery with this Message-ID, if it is ours.
    pub(crate) fn key_of_message_id(&self, id: &str) -> Option<Key> {
        let (local, domain) = id.rsplit_once('@')?;
        let (kind, token) = local.split_once('.')?;
        let ours =
            kind.eq_ignore_ascii_case(MESSAGE_ID) && domain.eq_ignore_ascii_case(&self.domain);
        ours.then(|| self.signer.verify(MESSAGE_ID, token))?
    }

    /// Where bounces of a delivery go; its envelope's sender.
    pub(crate) fn bounce_address(&self, key: Key) -> String {
        let token = self.signer.token(BOUNCE, key);
        format!("{BOUNCE_NAME}+{token}@{}", self.domain)
    }

    /// The delivery whose bounce address this is.
    ///
    /// The token is looked for behind whatever was wrapped around it: `prvs=…=bounces+TOKEN` (BATV),
    /// `SRS0=…=bounces+TOKEN`. Its MAC decides.
    pub(crate) fn key_of_bounce_address(&self, address: &Address) -> Option<Key> {
        let (local, _) = address.as_str().rsplit_once('@')?;
        let local = local.to_ascii_lowercase();
        let (_, rest) = local.rsplit_once(BOUNCE_NAME)?;
        let token = rest.strip_prefix(['+', '-', '='])?.get(..TOKEN_BYTES)?;
        self.signer.verify(BOUNCE, token)
    }

    /// The ENVID of a delivery, which a report repeats however many its mail went to. RFC 3461 §4.4
    pub(crate) fn envelope_id(&self, key: Key) -> String {
        self.signer.token(BOUNCE, key)
    }

    /// The delivery with this ENVID, if it is ours.
    pub(crate) fn key_of_envelope_id(&self, id: &str) -> Option<Key> {
        self.signer.verify(BOUNCE, id)
    }

    /// Whether an address is at our domain.
    pub(crate) fn is_ours(&self, address: &Address) -> bool {
        let domain = address.as_str().rsplit_once('@');
        domain.is_some_and(|(_, domain)| domain == self.domain)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use transom_adapter::testkit::signer;

    fn ids() -> OwnIds {
        OwnIds::new(signer(), "mail.example.org".to_owned())
    }

    fn bounce_key(address: &str) -> Option<Key> {
        ids().key_of_bounce_address(&Address::new(address))
    }

    #[test]
    fn a_message_id_is_stable_and_known_again() {
        let id = ids().message_id(Key(42));
        assert_eq!(id, ids().message_id(Key(42)));
        assert_eq!(ids().key_of_message_id(&id), Some(Key(42)));
        assert_eq!(ids().key_of_message_id(&id.to_uppercase()), Some(Key(42)));
    }

    #[test]
    fn a_forged_message_id_is_not_ours() {
        let id = ids().message_id(Key(42));
        let other_key = ids().message_id(Key(43));
        let forged = format!("{}{}", other_key.get(..15).unwrap(), id.get(15..).unwrap());
        assert_eq!(ids().key_of_message_id(&forged), None);
        assert_eq!(ids().key_of_message_id("m.@mail.example.org"), None);
        assert_eq!(ids().key_of_message_id(""), None);
        let elsewhere = id.replace("mail.example.org", "example.com");
        assert_eq!(ids().key_of_message_id(&elsewhere), None);
    }

    #[test]
    fn a_bounce_address_fits_and_survives_its_wrappings() {
        let address = ids().bounce_address(Key(-7));
        let (local, _) = address.split_once('@').unwrap();
        assert!(local.len() <= 64, "RFC 5321 §4.5.3.1.1");
        for wrapped in [
            address.clone(),
            address.to_uppercase(),
            address.replace('+', "-"),
            format!("prvs=1234abcdef={address}"),
            format!("SRS0=HHH=TT=mail.example.org={local}@forwarder.example"),
            format!("SRS1=HHH=first.example==HHH=TT=mail.example.org={local}@second.example"),
        ] {
            assert_eq!(bounce_key(&wrapped), Some(Key(-7)), "for {wrapped}");
        }
    }

    #[test]
    fn details_are_dropped_and_the_host_s_own_names_have_a_reader() {
        let mailbox = |ids: &OwnIds, address: &str| ids.mailbox(&Address::new(address)).to_string();
        let plain = ids();
        assert_eq!(
            mailbox(&plain, "alice+shop@mail.example.org"),
            "alice@mail.example.org"
        );
        assert_eq!(
            mailbox(&plain, "alice+shop@other.example"),
            "alice+shop@other.example"
        );
        assert_eq!(
            mailbox(&plain, "+shop@mail.example.org"),
            "+shop@mail.example.org"
        );
        assert_eq!(
            mailbox(&plain, "postmaster@mail.example.org"),
            "postmaster@mail.example.org"
        );
        let bounce = plain.bounce_address(Key(7));
        assert_eq!(mailbox(&plain, &bounce), bounce);
        let read = plain.with_postmaster(Some(Address::new("alice@mail.example.org")));
        for name in ["postmaster", "abuse", "postmaster+x"] {
            let address = format!("{name}@mail.example.org");
            assert_eq!(mailbox(&read, &address), "alice@mail.example.org");
        }
    }

    #[test]
    fn a_token_of_another_kind_is_no_bounce_address() {
        let id = ids().message_id(Key(1));
        let token = id.split(['.', '@']).nth(1).unwrap();
        assert_eq!(
            bounce_key(&format!("bounces+{token}@mail.example.org")),
            None
        );
        assert_eq!(bounce_key("bounces+@mail.example.org"), None);
        assert_eq!(bounce_key("bounces@mail.example.org"), None);
        assert_eq!(bounce_key("alice@mail.example.org"), None);
    }
}

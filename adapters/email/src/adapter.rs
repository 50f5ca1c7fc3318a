//! The adapter: one mail domain, its accounts, its addresses.

use std::sync::Arc;

use rustls::ClientConfig;
use transom_adapter::{
    Account, AccountName, Adapter, Address, ConfigFault, ContactError, ExternalId, Network,
    Outgoing, OwnAccounts, Plan, Refusal, Route, Section, Signer,
};

use crate::{
    address,
    config::Config,
    ids::{MESSAGE_ID_KIND, OwnIds},
    imap::ImapAccount,
    lmtp::LmtpAccount,
    net::{Endpoint, Security},
    own::OwnMailboxes,
    own_address,
    smtp::{Deadlines, SmtpAccount},
};

/// Mail for one gateway.
pub struct EmailAdapter {
    ids: OwnIds,
    home: Option<String>,
    smtp: Option<Arc<SmtpAccount>>,
    lmtp: Option<Arc<LmtpAccount>>,
    smtp_in: Option<Arc<LmtpAccount>>,
    imap: Option<Arc<ImapAccount>>,
    own: OwnMailboxes,
}

impl EmailAdapter {
    /// Builds it from `[gateway.NAME]`.
    ///
    /// # Errors
    ///
    /// Every fault of the section at once.
    pub fn from_section(
        gateway_name: &str,
        section: &Section,
        signer: Signer,
    ) -> Result<Self, Vec<ConfigFault>> {
        let config = Config::from_section(section)?;
        let tls = tls_for(&config).map_err(|error| {
            let problem = format!("the system's certificates cannot be read: {error}");
            vec![section.fault("", problem, "install ca-certificates")]
        })?;
        let account = |name| AccountName::new(gateway_name, name);
        let ids = OwnIds::new(signer, config.address_domain)
            .trusting(config.trusted_servers)
            .with_postmaster(config.postmaster);
        let own = OwnMailboxes::new(
            gateway_name,
            ids.clone(),
            config.own,
            config.writing.clone(),
        );
        let smtp = config.smtp.map(|smtp| {
            let deadlines = Deadlines::default();
            let (ids, tls) = (ids.clone(), tls.clone());
            let account = SmtpAccount::new(account("smtp"), ids, smtp, tls, deadlines);
            let account = account.writing(config.writing, config.dkim);
            Arc::new(account.asking(config.resolver))
        });
        let lmtp = config
            .lmtp
            .map(|lmtp| Arc::new(LmtpAccount::new(account("lmtp"), ids.clone(), lmtp)));
        let smtp_in = config
            .smtp_in
            .map(|smtp_in| Arc::new(LmtpAccount::new(account("smtp_in"), ids.clone(), smtp_in)));
        let imap = config
            .imap
            .map(|imap| Arc::new(ImapAccount::new(account("imap"), ids.clone(), imap, tls)));
        Ok(Self {
            ids,
            home: config.home,
            smtp,
            lmtp,
            smtp_in,
            imap,
            own,
        })
    }

    /// The domain of the users' addresses.
    pub fn address_domain(&self) -> &str {
        self.ids.domain()
    }
}

/// The trust store is read only when something is encrypted.
fn tls_for(config: &Config) -> Result<Option<Arc<ClientConfig>>, rustls::Error> {
    let encrypts = |endpoint: &Endpoint| endpoint.security != Security::None;
    let smtp = config
        .smtp
        .as_ref()
        .is_some_and(|smtp| encrypts(&smtp.endpoint));
    let imap = config
        .imap
        .as_ref()
        .is_some_and(|imap| encrypts(&imap.endpoint));
    if smtp || imap {
        return transom_adapter::client_config().map(Some);
    }
    Ok(None)
}

impl Adapter for EmailAdapter {
    fn network(&self) -> Network {
        Network::Email
    }

    fn accounts(&self) -> Vec<Arc<dyn Account>> {
        let smtp = self.smtp.clone().map(|account| account as Arc<dyn Account>);
        let lmtp = self.lmtp.clone().map(|account| account as Arc<dyn Account>);
        let imap = self.imap.clone().map(|account| account as Arc<dyn Account>);
        let smtp_in = self
            .smtp_in
            .clone()
            .map(|account| account as Arc<dyn Account>);
        [smtp, lmtp, smtp_in, imap].into_iter().flatten().collect()
    }

    fn peer(&self, local_part: &str) -> Result<Address, ContactError> {
        // One JID a person: other spellings are told the right one.
        match address::canonical(local_part) {
            Some(address) if address.as_str() == local_part => Ok(address),
            Some(address) => Err(ContactError {
                suggestion: Some(address),
            }),
            None => Err(ContactError {
                suggestion: address::read_typed(local_part),
            }),
        }
    }

    fn read_typed(&self, typed: &str) -> Result<Address, ContactError> {
        address::read_typed(typed).ok_or(ContactError { suggestion: None })
    }

    fn own_accounts(&self) -> Option<&dyn OwnAccounts> {
        Some(&self.own)
    }

    fn only_own_accounts(&self) -> bool {
        let receives = self.imap.is_some() || self.lmtp.is_some() || self.smtp_in.is_some();
        self.smtp.is_none() && !receives
    }

    fn own_address(&self, user: &str) -> Option<Address> {
        if self.only_own_accounts() {
            // Nothing could come to it.
            return None;
        }
        own_address::derived(user, self.home.as_deref(), self.ids.domain())
    }

    fn picked_address(&self, picked: &str) -> Option<Address> {
        if self.only_own_accounts() {
            return None;
        }
        own_address::picked(picked, self.ids.domain())
    }

    fn has_reactions(&self) -> bool {
        true
    }

    fn gives_out(&self, address: &Address) -> bool {
        self.ids.is_ours(address)
    }

    fn plan(&self, message: &Outgoing) -> Result<Plan, Refusal> {
        // What leaves by a user's own account names it; the gateway's addresses name none.
        let own = message.routes.iter().find(|name| name.own_key().is_some());
        let smtp = self.smtp.as_ref().map(|smtp| Account::name(&**smtp));
        let account = own.or(smtp).ok_or(Refusal::NoRoute)?;
        let canonical = address::canonical(message.to.as_str());
        if canonical.as_ref() != Some(&message.to) {
            let suggestion = canonical.or_else(|| address::read_typed(message.to.as_str()));
            return Err(Refusal::InvalidAddress { suggestion });
        }
        let all = message.group.iter().flat_map(|group| &group.members);
        if message.group.is_some() && !all.clone().all(|one| one.address.as_str().is_ascii()) {
            // Not every server on the way to each of them takes the others' names.
            return Err(Refusal::Unsupported);
        }
        if message.text.trim().is_empty() && message.files.is_empty() {
            return Err(Refusal::Empty);
        }
        let id = self.ids.message_id(message.message_key());
        Ok(Plan {
            segments: 1,
            routes: vec![Route::whole(account.clone())],
            ids: vec![ExternalId::new(MESSAGE_ID_KIND, id)],
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::tests::section;
    use serde_json::json;
    use transom_adapter::{Grant, NotOwn, Place, Server as MailServer, Tls, testkit};

    fn adapter() -> EmailAdapter {
        let table = json!({
            "address_domain": "mail.example.org",
            "home": "example.org",
            "smtp": {"url": "smtp://127.0.0.1:25?tls=none"},
            "lmtp": {"listen": "127.0.0.1:0"},
            "imap": {"url": "imap://127.0.0.1?tls=none", "username": "u", "password": "p"},
        });
        EmailAdapter::from_section("mail", &section(&table), testkit::signer()).unwrap()
    }

    #[test]
    fn accounts_are_named_and_conform() {
        let accounts = adapter().accounts();
        let names: Vec<&str> = accounts
            .iter()
            .map(|account| account.name().as_str())
            .collect();
        assert_eq!(names, ["mail/smtp", "mail/lmtp", "mail/imap"]);
        for account in accounts {
            testkit::conformance::account(&*account);
        }
    }

    #[test]
    fn a_contact_is_its_canonical_address() {
        let adapter = adapter();
        let bob = adapter.peer("bob@example.com").unwrap();
        assert_eq!(adapter.local_part(&bob), "bob@example.com");
        let suggestion = |text| adapter.peer(text).unwrap_err().suggestion;
        assert_eq!(suggestion("Bob@Example.com"), Some(bob.clone()));
        assert_eq!(suggestion("mailto:bob@example.com"), Some(bob));
        assert_eq!(suggestion("bob"), None);
    }

    #[test]
    fn a_plan_is_one_unit_with_a_message_id_that_is_ours() {
        let adapter = adapter();
        let message = testkit::outgoing("alice@mail.example.org", "bob@example.com", "hi");
        let plan = adapter.plan(&message).unwrap();
        assert_eq!(plan, adapter.plan(&message).unwrap(), "pure");
        let units = plan.routes[0].units.get();
        assert_eq!((units, plan.segments), (1, 1));
        assert_eq!(plan.routes[0].account.as_str(), "mail/smtp");
        let id = &plan.ids[0];
        assert_eq!(id.kind, "message-id");
        assert_eq!(adapter.ids.key_of_message_id(&id.value), Some(message.key));
    }

    #[test]
    fn what_leaves_by_a_user_s_own_account_goes_by_that_alone() {
        let mut message = testkit::outgoing("alice@corp.example", "bob@example.com", "hi");
        message.routes = vec![AccountName::own("mail", 77)];
        let plan = adapter().plan(&message).unwrap();
        assert_eq!(plan.routes.len(), 1);
        assert_eq!(plan.routes[0].account.as_str(), "mail/own-77");
    }

    #[test]
    fn an_account_that_a_user_brings_is_somewhere_else() {
        let adapter = adapter();
        let own = adapter.own_accounts().unwrap();
        assert_eq!(
            own.address("Alice <Alice@corp.example>").unwrap().as_str(),
            "alice@corp.example"
        );
        assert_eq!(
            own.address("carol@mail.example.org"),
            Err(NotOwn::OfGateway)
        );
        assert_eq!(own.address("nobody"), Err(NotOwn::NoAddress));
    }

    #[test]
    fn a_token_is_shown_to_the_provider_s_own_servers_alone() {
        let table = json!({
            "address_domain": "mail.example.org",
            "own": {"provider": {"Corp": {
                "hosts": ["IMAP.corp.example", "smtp.corp.example"],
                "authorize_url": "https://id.corp.example/authorize",
                "token_url": "https://id.corp.example/token",
                "client_id": "us",
                "scope": "mail",
            }}},
        });
        let adapter = EmailAdapter::from_section("mail", &section(&table), testkit::signer());
        let adapter = adapter.unwrap();
        assert!(adapter.only_own_accounts() && adapter.own_address("a@example.org").is_none());
        let own = adapter.own_accounts().unwrap();
        let server = |host: &str| MailServer {
            host: host.to_owned(),
            port: 993,
            tls: Tls::Implicit,
        };
        let grant = Grant {
            redirect: "https://gw.example.org/admin/own",
            state: "s",
            verifier: "v",
        };
        let signs_in = |inward: &str, outward: &str| {
            let place = Place {
                inward: server(inward),
                outward: server(outward),
                username: "alice@corp.example".to_owned(),
            };
            own.sign_in(&place, &grant).is_some()
        };
        assert!(signs_in("imap.corp.example", "smtp.corp.example"));
        assert!(!signs_in("imap.corp.example", "smtp.evil.example"));
        assert!(!signs_in(
            "imap.corp.example.evil.example",
            "smtp.corp.example"
        ));
    }

    #[test]
    fn what_cannot_be_sent_is_refused_before_it_is_taken() {
        let adapter = adapter();
        let refusal = |to: &str, text: &str| {
            let message = testkit::outgoing("alice@mail.example.org", to, text);
            adapter.plan(&message).unwrap_err()
        };
        assert_eq!(refusal("bob@example.com", " \n"), Refusal::Empty);
        let suggestion = Some(Address::new("bob@example.com"));
        assert_eq!(
            refusal("Bob@example.com", "hi"),
            Refusal::InvalidAddress { suggestion }
        );
        let table =
            json!({"address_domain": "mail.example.org", "lmtp": {"listen": "127.0.0.1:0"}});
        let deaf = EmailAdapter::from_section("mail", &section(&table), testkit::signer()).unwrap();
        let message = testkit::outgoing("alice@mail.example.org", "bob@example.com", "hi");
        assert_eq!(deaf.plan(&message).unwrap_err(), Refusal::NoRoute);
    }

    #[test]
    fn a_users_address_is_their_name_or_their_jid() {
        let adapter = adapter();
        let own = |user| adapter.own_address(user).map(|address| address.to_string());
        assert_eq!(
            own("alice@example.org").as_deref(),
            Some("alice@mail.example.org")
        );
        assert_eq!(
            own("alice@other.net").as_deref(),
            Some("alice=other.net@mail.example.org")
        );
        let long = format!("{}@example.org", "x".repeat(65));
        for user in [
            "postmaster@example.org",
            "bounces@example.org",
            "a+b@example.org",
            "a=b@other.net",
            "müller@example.org",
            "example.org",
            &long,
        ] {
            assert_eq!(own(user), None, "for {user}");
        }
    }
}

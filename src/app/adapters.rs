//! The adapters that come with transom.

use std::sync::Arc;

use transom_adapter::{Account, AccountName, Adapter, Address, ConfigFault, Section, Signer};
use transom_email::EmailAdapter;
use transom_simulator::Simulator;
use transom_sms::{ProviderEnv, ProviderFactory, SmsAdapter};

use super::{AdapterFactory, App, Setup};
use crate::config::{Fault, Severity};

pub(super) fn built_in() -> Vec<Box<dyn AdapterFactory>> {
    vec![Box::new(Sms), Box::new(Email)]
}

/// The JSON Schema of the configuration, with the options of these adapters.
pub fn json_schema() -> schemars::Schema {
    crate::config::json_schema(&[
        ("email", transom_email::schema),
        ("sms", transom_sms::schema),
    ])
}

/// The adapters, with the names of their gateways, in the order of the configuration.
pub(super) type Built = Vec<(String, Arc<dyn Adapter>)>;

/// Builds the adapter of every gateway.
pub(super) fn build(
    app: &App,
    signer: &Signer,
    simulator: &Simulator,
) -> Result<Built, Vec<Fault>> {
    let mut adapters = Vec::new();
    let mut faults = Vec::new();
    for gateway in &app.config.gateways {
        let Some(factory) = app
            .factories
            .iter()
            .find(|factory| factory.name() == gateway.adapter)
        else {
            let known: Vec<&str> = app.factories.iter().map(|factory| factory.name()).collect();
            let key = format!("gateway.{}.adapter", gateway.name);
            let problem = format!("there is no adapter {:?}", gateway.adapter);
            let remedy = format!("take one of: {}", known.join(", "));
            faults.push(gateway.locate(ConfigFault {
                key,
                problem,
                remedy,
            }));
            continue;
        };
        let section = gateway.section();
        let http = match app.http() {
            Ok(http) => http,
            Err(error) => {
                let problem = format!("TLS cannot be used: {error}");
                let remedy = "install the package ca-certificates";
                faults.push(gateway.locate(section.fault("", problem, remedy)));
                continue;
            }
        };
        let setup = Setup {
            gateway: gateway.name.clone(),
            section,
            public_url: app.config.http.public_url.clone(),
            signer: signer.clone(),
            simulator: simulator.clone(),
            http,
        };
        match factory.build(&setup) {
            Ok(adapter) => adapters.push((gateway.name.clone(), adapter)),
            Err(found) => faults.extend(found.into_iter().map(|fault| gateway.locate(fault))),
        }
    }
    if faults.iter().any(|fault| fault.severity == Severity::Error) {
        Err(faults)
    } else {
        Ok(adapters)
    }
}

/// Text messages.
struct Sms;

impl AdapterFactory for Sms {
    fn name(&self) -> &'static str {
        "sms"
    }

    fn build(&self, setup: &Setup) -> Result<Arc<dyn Adapter>, Vec<ConfigFault>> {
        let phones: Vec<Box<dyn ProviderFactory>> = vec![Box::new(Phones(setup.simulator.clone()))];
        let (signer, public_url) = (setup.signer.clone(), setup.public_url.as_ref());
        let adapter = SmsAdapter::from_section(
            &setup.gateway,
            &setup.section,
            setup.http.clone(),
            signer,
            public_url,
            &phones,
        )?;
        Ok(Arc::new(adapter))
    }
}

/// Phones in the process, as a provider.
struct Phones(Simulator);

impl ProviderFactory for Phones {
    fn kind(&self) -> &'static str {
        "simulator"
    }

    fn build(
        &self,
        name: AccountName,
        _section: &Section,
        _env: &ProviderEnv,
    ) -> Result<Arc<dyn Account>, Vec<ConfigFault>> {
        Ok(self.0.account(name))
    }
}

/// Mail.
struct Email;

impl AdapterFactory for Email {
    fn name(&self) -> &'static str {
        "email"
    }

    fn build(&self, setup: &Setup) -> Result<Arc<dyn Adapter>, Vec<ConfigFault>> {
        let adapter =
            EmailAdapter::from_section(&setup.gateway, &setup.section, setup.signer.clone())?;
        Ok(Arc::new(adapter))
    }
}

/// The lines that the simulated phones can write to.
pub(super) fn tell_simulator(simulator: &Simulator, gateway: &crate::config::GatewayConfig) {
    for line in &gateway.lines {
        for provider in &line.providers {
            let number = Address::new(line.number.as_str());
            simulator.add_line(&number, &AccountName::new(&gateway.name, provider));
        }
    }
}

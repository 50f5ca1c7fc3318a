//! `transom check --live`: logs in wherever the configuration says.

use std::{sync::Arc, time::Duration};

use serde::Serialize;
use tokio::{
    sync::mpsc,
    time::{sleep, timeout},
};
use transom_adapter::{Account, Holder, Lifecycle, Signer, SystemClock};
use transom_simulator::Simulator;

use super::{App, adapters, parts};
use crate::{
    config::{Fault, GatewayConfig, StoreUrl},
    operations::Now,
    store::{Store, StoreError},
    xmpp::{
        stanza::{Condition, MessageType, Stanza, StanzaError},
        stream::{Link, LinkEvent, LinkHandle, Received},
    },
};

/// What a live check found.
#[derive(Clone, PartialEq, Eq, Debug, Serialize)]
pub struct Live {
    /// In the order of the configuration.
    pub findings: Vec<Finding>,
}

/// One thing that works, or does not.
#[derive(Clone, PartialEq, Eq, Debug, Serialize)]
pub struct Finding {
    /// What was looked at: `database`, `gateway.sms`, `sms/main`.
    pub subject: String,
    /// Whether it works.
    pub works: bool,
    /// What was found, one sentence.
    pub text: String,
    /// What to do about it, one a line.
    pub remedies: Vec<String>,
}

/// Everything that one login takes, name look-ups and time-outs included.
const LOGIN: Duration = Duration::from_secs(40);
/// An account may log in at several places.
const ACCOUNT: Duration = Duration::from_mins(1);
const GRACE: Duration = Duration::from_secs(15);

impl Live {
    /// Whether everything works.
    pub fn works(&self) -> bool {
        self.findings.iter().all(|finding| finding.works)
    }
}

/// Looks at everything at once. Links of a running process are asked for, not taken: two logins would throw each other out.
pub(super) async fn check(app: App, running: Option<Now>) -> Live {
    let links = async {
        if let Some(now) = &running {
            return now.links.iter().map(link_now).collect();
        }
        let logins = app
            .config
            .gateways
            .iter()
            .map(|gateway| log_in(&app, gateway));
        futures_util::future::join_all(logins).await
    };
    let database = async {
        match &running {
            Some(now) => running_database(now.store_commits),
            None => database(&app.config.store.url).await,
        }
    };
    // Made for the occasion: nothing is sent, so nothing is signed.
    let signer = Signer::new(vec![0; 32].into());
    let simulator = Simulator::new(Arc::new(SystemClock));
    let built = adapters::build(&app, &signer, &simulator);
    let accounts = async {
        match built {
            Ok(adapters) => {
                let all = adapters.iter().flat_map(|(_, adapter)| adapter.accounts());
                let check = |one| account(one, running.as_ref());
                futures_util::future::join_all(all.map(check))
                    .await
                    .concat()
            }
            Err(faults) => faults.iter().map(fault).collect(),
        }
    };
    let (database, links, accounts): (Finding, Vec<Finding>, Vec<Finding>) =
        futures_util::join!(database, links, accounts);
    let mut findings = vec![database];
    findings.extend(links);
    findings.extend(accounts);
    Live { findings }
}

fn finding(subject: &str, works: bool, text: impl Into<String>) -> Finding {
    Finding {
        subject: subject.to_owned(),
        works,
        text: text.into(),
        remedies: Vec::new(),
    }
}

fn fault(fault: &Fault) -> Finding {
    let mut finding = finding(&fault.key, false, fault.problem.clone());
    finding.remedies.push(fault.remedy.clone());
    finding
}

fn link_now(link: &crate::operations::LinkNow) -> Finding {
    let text = format!("the running transom says that the link is {}", link.detail);
    let mut finding = finding(&subject(&link.gateway), link.up, text);
    finding.remedies = for_servers(&link.remedies);
    finding
}

fn for_servers(remedies: &[String]) -> Vec<String> {
    let named = ["Prosody", "ejabberd"].iter().zip(remedies);
    named
        .map(|(server, remedy)| format!("{server}: {remedy}"))
        .collect()
}

fn subject(gateway: &str) -> String {
    format!("gateway.{gateway}")
}

fn running_database(commits: bool) -> Finding {
    let text = if commits {
        "the running transom commits to it"
    } else {
        "the running transom cannot commit to it; see its log"
    };
    finding("database", commits, text)
}

async fn database(url: &StoreUrl) -> Finding {
    if let StoreUrl::Sqlite(path) = url
        && !path.exists()
    {
        let folder = path.parent().filter(|folder| folder.is_dir());
        let text = match folder {
            Some(_) => format!(
                "{} is not there yet; `transom run` makes it",
                path.display()
            ),
            None => format!("there is no folder for {}", path.display()),
        };
        return finding("database", folder.is_some(), text);
    }
    let lifecycle = Lifecycle::new();
    let opened = async {
        let store = Store::open(url, lifecycle.clone()).await?;
        let state = match store.migrate(false).await {
            Ok(_) => store
                .can_commit()
                .await
                .map(|()| "takes commits".to_owned()),
            Err(StoreError::Unmigrated { missing }) => Ok(format!(
                "lacks migration {missing}; `transom run` or `transom migrate` applies it"
            )),
            Err(error) => Err(error),
        };
        store.close().await;
        state
    };
    match opened.await {
        Ok(text) => finding("database", true, text),
        Err(error) => {
            let mut finding = finding("database", false, error.to_string());
            finding.remedies.push(
                "check store.url, and that its server runs or its file may be written".to_owned(),
            );
            finding
        }
    }
}

/// One account's own words. One that has a single login is not logged in beside a running process: that would throw it out.
async fn account(account: Arc<dyn Account>, running: Option<&Now>) -> Vec<Finding> {
    let name = account.name().as_str().to_owned();
    let is_held = account.capabilities().holder == Holder::One;
    if let Some(now) = running.filter(|_| is_held) {
        return vec![account_now(&name, now)];
    }
    let Ok(report) = timeout(ACCOUNT, account.check()).await else {
        let text = format!("did not answer within {} seconds", ACCOUNT.as_secs());
        return vec![finding(&name, false, text)];
    };
    let works = report
        .findings
        .into_iter()
        .map(|text| finding(&name, true, text));
    let faults = report
        .faults
        .into_iter()
        .map(|text| finding(&name, false, text));
    let mut found: Vec<Finding> = works.chain(faults).collect();
    if found.is_empty() {
        found.push(finding(&name, true, "has nothing to log in to"));
    }
    found
}

fn account_now(name: &str, now: &Now) -> Finding {
    let Some(known) = now.accounts.iter().find(|known| known.account == name) else {
        return finding(name, false, "the running process has not logged in yet");
    };
    if known.up {
        return finding(name, true, "the running process is logged in");
    }
    let text = format!("the running process is not logged in: {}", known.detail);
    finding(name, false, text)
}

/// Logs in as the component, once, and out again.
async fn log_in(app: &App, gateway: &GatewayConfig) -> Finding {
    let subject = subject(&gateway.name);
    let config = match parts::link_config(app, gateway) {
        Ok(config) => config,
        Err(error) => return finding(&subject, false, error.to_string()),
    };
    let (server, domain) = (config.endpoint.to_string(), gateway.domain.to_string());
    let port = config.endpoint.port();
    let lifecycle = Lifecycle::new();
    let (events, mut told) = mpsc::channel(16);
    let link = Link::spawn(config, &lifecycle, events);
    let first = tokio::select! {
        event = told.recv() => event,
        () = sleep(LOGIN) => None,
    };
    let found = match first {
        Some(LinkEvent::Up) => finding(
            &subject,
            true,
            format!("{server} accepts the component {domain}"),
        ),
        Some(LinkEvent::Down(error)) => {
            let remedy = error.remedy(&domain, port);
            let mut finding = finding(&subject, false, format!("{domain}: {error}"));
            finding.remedies = for_servers(&[remedy.prosody, remedy.ejabberd]);
            finding
        }
        _ => finding(&subject, false, format!("{server} did not answer in time")),
    };
    link.stop();
    send_back(&link, &mut told).await;
    lifecycle.drain();
    lifecycle.finish(GRACE).await;
    found
}

/// What users sent in that moment goes back to them: nobody keeps it here.
async fn send_back(link: &LinkHandle, told: &mut mpsc::Receiver<LinkEvent>) {
    while let Ok(Some(event)) = timeout(GRACE, told.recv()).await {
        let LinkEvent::Batch(batch) = event else {
            continue;
        };
        let (stanzas, commit) = batch.split();
        commit.committed();
        let error = StanzaError::new(Condition::ServiceUnavailable);
        for received in stanzas {
            let Received::Stanza(Stanza::Message(message)) = received else {
                continue;
            };
            if message.kind == MessageType::Error {
                continue;
            }
            if let Some(answer) = message.error_reply(&error) {
                // The link closes after what is queued.
                link.send(answer).await.ok();
            }
        }
    }
}

#[cfg(test)]
mod tests;

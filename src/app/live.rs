//! `transom check --live`: logs in wherever the configuration says.

use std::{sync::Arc, time::Duration};

use serde::Serialize;
use tokio::{
    sync::mpsc,
    time::{sleep, timeout},
};
use transom_adapter::{Account, Holder, Lifecycle, Signer, SystemClock};
use transom_simulator::Simulator;

use super::{App, adapters, found, parts};
use crate::{
    config::{Fault, GatewayConfig, StoreUrl},
    operations::Now,
    store::{Store, StoreError},
    xmpp::{
        stanza::{Condition, MessageType, Stanza, StanzaError},
        stream::{Link, LinkEvent, LinkHandle, Received},
        xep::privilege::{Announced, Privileges},
    },
};

/// What a live check found.
#[derive(Clone, PartialEq, Eq, Debug, Serialize)]
pub struct Live {
    /// In the order of the configuration.
    pub findings: Vec<Finding>,
}

/// One thing that works, or does not, or is worth knowing.
#[derive(Clone, PartialEq, Eq, Debug, Serialize)]
pub struct Finding {
    /// What was looked at: `database`, `gateway.sms`, `sms/main`.
    pub subject: String,
    /// Whether it works.
    pub works: bool,
    /// It says nothing of what works: something to know, or to do by and by.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub is_note: bool,
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
            return now.links.iter().flat_map(link_now).collect();
        }
        let logins = app
            .config
            .gateways
            .iter()
            .map(|gateway| log_in(&app, gateway));
        futures_util::future::join_all(logins).await.concat()
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
        is_note: false,
        text: text.into(),
        remedies: Vec::new(),
    }
}

fn note(subject: &str, text: impl Into<String>) -> Finding {
    Finding {
        is_note: true,
        ..finding(subject, true, text)
    }
}

fn fault(fault: &Fault) -> Finding {
    let mut finding = finding(&fault.key, false, fault.problem.clone());
    finding.remedies.push(fault.remedy.clone());
    finding
}

fn link_now(link: &crate::operations::LinkNow) -> Vec<Finding> {
    let text = format!("the running transom says that the link is {}", link.detail);
    let subject = subject(&link.gateway);
    let mut first = finding(&subject, link.up, text);
    first.remedies = for_servers(&link.remedies);
    with_found(first, &link.found)
}

fn with_found(first: Finding, found: &[String]) -> Vec<Finding> {
    let subject = first.subject.clone();
    let mut all = vec![first];
    all.extend(found.iter().map(|text| note(&subject, text)));
    all
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
    let works = report.findings.into_iter();
    let works = works.map(|text| finding(&name, true, text));
    let notes = report.notes.into_iter().map(|text| note(&name, text));
    let faults = report.faults.into_iter();
    let faults = faults.map(|text| finding(&name, false, text));
    let mut found: Vec<Finding> = works.chain(notes).chain(faults).collect();
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

/// Logs in as the component, once, looks at what the server has, and out again.
async fn log_in(app: &App, gateway: &GatewayConfig) -> Vec<Finding> {
    let subject = subject(&gateway.name);
    let config = match parts::link_config(app, gateway) {
        Ok(config) => config,
        Err(error) => return vec![finding(&subject, false, error.to_string())],
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
        Some(LinkEvent::Up) => {
            let up = format!("{server} accepts the component {domain}");
            let announced = Announced::default();
            let looking = found::servers(&link, &announced, &app.config.xmpp.allow);
            let found = tokio::select! {
                found = looking => found,
                () = hear(&link, &mut told, &announced) => Vec::new(),
            };
            with_found(finding(&subject, true, up), &found)
        }
        Some(LinkEvent::Down(error)) => {
            let remedy = error.remedy(&domain, port);
            let mut finding = finding(&subject, false, format!("{domain}: {error}"));
            finding.remedies = for_servers(&[remedy.prosody, remedy.ejabberd]);
            vec![finding]
        }
        _ => vec![finding(
            &subject,
            false,
            format!("{server} did not answer in time"),
        )],
    };
    link.stop();
    let nothing = Announced::default();
    timeout(GRACE, hear(&link, &mut told, &nothing)).await.ok();
    lifecycle.drain();
    lifecycle.finish(GRACE).await;
    found
}

/// Notes what servers allow until the link is gone. What users sent in that time goes back to them: nobody keeps it here.
async fn hear(link: &LinkHandle, told: &mut mpsc::Receiver<LinkEvent>, announced: &Announced) {
    while let Some(event) = told.recv().await {
        let LinkEvent::Batch(batch) = event else {
            continue;
        };
        let (stanzas, commit) = batch.split();
        commit.committed();
        let error = StanzaError::new(Condition::ServiceUnavailable);
        for received in stanzas {
            let answer = match received {
                Received::Stanza(Stanza::Message(message)) => {
                    if let Some(privileges) = Privileges::parse(&message) {
                        announced.note(privileges);
                        continue;
                    }
                    let is_error = message.kind == MessageType::Error;
                    let answer = message.error_reply(&error).filter(|_| !is_error);
                    answer.map(Stanza::from)
                }
                // The look at the server's services comes by here too.
                Received::Stanza(Stanza::Iq(iq)) => iq.error_reply(&error).map(Stanza::from),
                _ => None,
            };
            if let Some(answer) = answer {
                // The link closes after what is queued.
                link.send(answer).await.ok();
            }
        }
    }
}

#[cfg(test)]
mod tests;

//! What a user's server has for the component, in the words of `check --live`.

use std::time::Duration;

use tokio::time::timeout;

use crate::{
    config::AccessList,
    files::service_of,
    xmpp::{
        stream::LinkHandle,
        xep::privilege::{Announced, Privileges},
    },
};

/// Servers that are asked.
const SERVERS_MAX: usize = 8;
/// For all that one of them is asked.
const ANSWER: Duration = Duration::from_secs(10);

/// What each server whose users are allowed has for us, a sentence each.
pub(super) async fn servers(
    link: &LinkHandle,
    announced: &Announced,
    allow: &AccessList,
) -> Vec<String> {
    let asked = allow.domains().take(SERVERS_MAX).map(async |domain| {
        let privileges = announced.settled(domain).await;
        let upload = timeout(ANSWER, service_of(link, domain)).await;
        let upload = upload.unwrap_or_else(|_| Err("it does not answer".to_owned()));
        [
            privileges_of(domain, privileges.as_ref()),
            upload_of(domain, upload),
        ]
    });
    let found = futures_util::future::join_all(asked).await;
    found.concat()
}

fn privileges_of(domain: &str, privileges: Option<&Privileges>) -> String {
    let Some(privileges) = privileges else {
        return format!(
            "{domain} gives no privileges (XEP-0356): users accept each new contact themselves"
        );
    };
    let all = [
        (privileges.roster.set, "to add contacts for its users"),
        (
            privileges.shows_messages(),
            "to show them what they wrote elsewhere",
        ),
        (privileges.presence, "to see who is online"),
    ];
    let given: Vec<&str> = all
        .into_iter()
        .filter_map(|(is_given, what)| is_given.then_some(what))
        .collect();
    if given.is_empty() {
        return format!("{domain} gives privileges (XEP-0356), and none that is of use");
    }
    format!("{domain} allows {} (XEP-0356)", given.join(", "))
}

fn upload_of(domain: &str, upload: Result<Option<(String, Option<u64>)>, String>) -> String {
    match upload {
        Ok(Some((service, Some(bytes_max)))) => {
            let mebibytes = bytes_max / (1024 * 1024);
            format!("{domain} has an upload service for files, {service}, up to {mebibytes} MiB")
        }
        Ok(Some((service, None))) => {
            format!("{domain} has an upload service for files, {service}")
        }
        Ok(None) => format!(
            "{domain} has no upload service (XEP-0363): files are given out at http.public_url"
        ),
        Err(problem) => format!("whether {domain} has an upload service is not known: {problem}"),
    }
}

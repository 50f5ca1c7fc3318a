//! What `transom check --live` found, and `transom backup`.

use std::{io, path::Path};

use serde::Serialize;
use transom_adapter::{Clock as _, Lifecycle, SystemClock};

use super::{
    Exit,
    execute::{complain, print},
    operate, show,
};
use crate::{
    app::{App, Finding, Live},
    config::{Config, Fault, Loaded, StoreUrl},
    operations::{Reply, Request},
    store::{Store, read::CopyError},
};

/// The static warnings and the live findings, for `--json`.
#[derive(Serialize)]
struct Report<'a> {
    warnings: &'a [Fault],
    findings: &'a [Finding],
}

/// Logs in everywhere and says what was found.
pub(super) async fn check(config: Config, warnings: &[Fault], json: bool) -> Exit {
    let running = match operate::of_running(&config, &Request::Now).await {
        Ok(Some(Ok(Reply::Now(now)))) => Some(now),
        _ => None,
    };
    let live = App::builder().build(config).check_live(running).await;
    if json {
        let findings = &live.findings;
        let report = Report { warnings, findings };
        print(&serde_json::to_string_pretty(&report).unwrap_or_default());
    } else {
        print(&words(&live));
    }
    if live.works() {
        Exit::Done
    } else {
        Exit::Unavailable
    }
}

fn words(live: &Live) -> String {
    let mut text = String::new();
    for finding in &live.findings {
        let mark = if finding.works { '✓' } else { '✗' };
        let line = format!("{mark} {}: {}\n", finding.subject, finding.text);
        text.push_str(&show::refusal(line.trim_end()));
        text.push('\n');
        for remedy in &finding.remedies {
            for (place, line) in remedy.lines().enumerate() {
                let lead = if place == 0 { "  → " } else { "    " };
                text.push_str(&format!("{lead}{line}\n"));
            }
        }
    }
    text
}

/// Writes a copy beside whatever runs.
pub(super) async fn backup(loaded: Loaded, file: &Path) -> Exit {
    let url = &loaded.config.store.url;
    let StoreUrl::Sqlite(path) = url else {
        complain(PG_DUMP);
        return Exit::Usage;
    };
    if !path.exists() {
        complain(&format!("there is no database {} yet", path.display()));
        return Exit::Unavailable;
    }
    let copied = async {
        let store = Store::open(url, Lifecycle::new()).await?;
        let copied = store.copy_to(file, &SystemClock.now().timestamp().to_string()).await;
        store.close().await;
        copied
    };
    match copied.await {
        Ok(()) => {
            print(&format!(
                "Copied to {}. A transom that runs on the copy holds what it has queued until `transom queue release`.",
                file.display()
            ));
            Exit::Done
        }
        Err(error) => {
            complain(&error.to_string());
            match error {
                CopyError::File { source, .. } if source.kind() == io::ErrorKind::AlreadyExists => Exit::BadData,
                CopyError::File { .. } | CopyError::Store(_) => Exit::Unavailable,
                CopyError::NotAFile => Exit::Usage,
            }
        }
    }
}

const PG_DUMP: &str = "this database is PostgreSQL's: copy it with `pg_dump --format=custom`. \
    Before transom runs on a copy that was put back, mark it, so that nothing is sent twice:\n\
    psql -c \"INSERT INTO meta (name, value) VALUES ('copy_of', 'pg_dump')\"";

//! Everything that is kept about a user, as one JSON document.

use serde_json::{Value, json};
use transom_adapter::UnixMillis;

use super::Me;
use crate::{
    operations::{Refusal, Reply, once::Purpose},
    store::{
        read::{FileKept, MessageKept},
        write::FileState,
    },
};

/// What is sent in the chat where there are no links.
const CHAT_BYTES_MAX: usize = 4000;
/// Contacts, blocks and opt-outs: in one look, for their order changes with each message.
const ALL: i64 = i64::MAX;
/// Messages read at a time.
const PAGE: i64 = 500;

impl Me<'_> {
    pub(super) async fn export(&self) -> Result<Reply, Refusal> {
        let user_id = self.mine().await?.user_id;
        let text =
            serde_json::to_string_pretty(&self.everything(user_id).await?).unwrap_or_default();
        let bytes = text.clone().into_bytes();
        let name = format!("transom-{}.json", self.gateway.config.name);
        let purpose = Purpose::Download {
            user_id,
            name,
            bytes,
        };
        let made = self.on.once.link(purpose, self.on.clock.now());
        match made {
            Ok(link) => Ok(Reply::Export(link)),
            Err(_) if text.len() <= CHAT_BYTES_MAX => Ok(Reply::ExportText(text)),
            Err(why) => Err(why),
        }
    }

    async fn everything(&self, user_id: i64) -> Result<Value, Refusal> {
        let store = &self.on.store;
        let member = store.member(self.gateway.id, &self.jid, "").await?;
        let settings = member
            .as_ref()
            .and_then(|member| serde_json::from_str::<Value>(&member.settings).ok());
        let shown = |reply: Reply| serde_json::to_value(reply).unwrap_or_default();
        let mut messages = Vec::new();
        let mut after = 0;
        loop {
            let page = store.messages_kept(user_id, after, PAGE).await?;
            let Some(last) = page.last() else { break };
            after = last.message_id;
            messages.extend(page.iter().map(|kept| self.message(kept)));
        }
        Ok(json!({
            "user": self.jid,
            "gateway": self.gateway.config.domain.to_string(),
            "made": self.on.clock.now().timestamp().to_string(),
            "state": member.as_ref().map(|member| member.state.clone()),
            "language": member.as_ref().and_then(|member| member.lang.clone()),
            "settings": settings,
            "lines": self.own_lines().await?,
            // Where they are and how they stand; never their logins.
            "mailboxes": shown(self.mailboxes().await?),
            "usage": shown(self.usage().await?),
            "contacts": shown(self.contacts(ALL).await?),
            "blocked": shown(self.blocks(ALL).await?),
            "optouts": shown(self.optouts(ALL).await?),
            "messages": messages,
        }))
    }

    fn message(&self, kept: &MessageKept) -> Value {
        let files: Vec<Value> = kept.files.iter().map(|file| self.file(file)).collect();
        json!({
            "id": kept.message_id.to_string(),
            "direction": kept.direction,
            "line": kept.line,
            "peer": kept.peer,
            "time": UnixMillis(kept.created_ms).timestamp().to_string(),
            "state": kept.state,
            "subject": kept.subject,
            "text": kept.body,
            "files": files,
            "ids": kept.stanzas,
        })
    }

    /// Where its content is, for as long as it is here: a document with all of them in it would be too large to be made.
    fn file(&self, kept: &FileKept) -> Value {
        let is_here = FileState::from_word(&kept.state) == FileState::Stored;
        let given = || self.gateway.files.url(&kept.token, &kept.name);
        let url = is_here.then(|| kept.url.clone().or_else(given)).flatten();
        let until = kept.expires_ms.filter(|_| is_here);
        json!({
            "name": kept.name,
            "type": kept.content_type,
            "bytes": kept.bytes,
            "state": kept.state,
            "url": url,
            "until": until.map(|at| UnixMillis(at).timestamp().to_string()),
        })
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    const SCHEMA: &str = include_str!("../../../migrations/sqlite/0001_core.sql");

    /// Tables that name a user, and what of them the export holds.
    const HOW: &[(&str, &str)] = &[
        ("users", "state, language, settings"),
        ("contacts", "contacts"),
        ("line_owners", "lines"),
        ("conversations", "contacts"),
        (
            "members",
            "contacts: a group's JID holds them or stands for them",
        ),
        ("threads", "messages: subject"),
        ("messages", "messages"),
        ("message_stanzas", "messages: ids"),
        (
            "files",
            "messages: files; the contents are fetched by their links",
        ),
        ("deliveries", "messages: state"),
        ("lanes", "nothing: when what waits goes on"),
        ("external_ids", "nothing: the networks' own ids"),
        (
            "own_accounts",
            "lines: its address; the login is sealed and leaves by no way",
        ),
        (
            "strangers",
            "nothing: whose mail waits; the mails are among the messages",
        ),
        ("usage_days", "usage"),
        ("blocks", "blocked"),
    ];

    #[test]
    fn every_table_that_names_a_user_is_exported_or_has_its_reason() {
        let leads = [
            "user_id",
            "jid",
            "conversation_id",
            "message_id",
            "delivery_id",
        ];
        let mut found = BTreeSet::new();
        for table in SCHEMA.split("CREATE TABLE ").skip(1) {
            let (name, rest) = table.split_once(' ').unwrap();
            let (columns, _) = rest.split_once("\n)").unwrap();
            let names = columns
                .lines()
                .filter_map(|line| line.split_whitespace().next());
            if names.into_iter().any(|column| leads.contains(&column)) {
                found.insert(name);
            }
        }
        let known: BTreeSet<&str> = HOW.iter().map(|(name, _)| *name).collect();
        assert_eq!(found, known, "what is exported of it, or why not");
    }
}

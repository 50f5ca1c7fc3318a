//! Everything that is kept about a user, as one JSON document.

use serde_json::{Value, json};
use transom_adapter::UnixMillis;

use super::Me;
use crate::{
    operations::{Refusal, Reply, once::Purpose},
    store::read::MessageKept,
};

/// What is sent in the chat where there are no links.
const CHAT_BYTES_MAX: usize = 4000;
/// Messages read at a time.
const PAGE: i64 = 500;

impl Me<'_> {
    pub(super) async fn export(&self) -> Result<Reply, Refusal> {
        let text = serde_json::to_string_pretty(&self.everything().await?).unwrap_or_default();
        let bytes = text.clone().into_bytes();
        let name = format!("transom-{}.json", self.gateway.config.name);
        let made = self
            .on
            .once
            .link(Purpose::Download { name, bytes }, self.on.clock.now());
        match made {
            Ok(link) => Ok(Reply::Export(link)),
            Err(_) if text.len() <= CHAT_BYTES_MAX => Ok(Reply::ExportText(text)),
            Err(why) => Err(why),
        }
    }

    async fn everything(&self) -> Result<Value, Refusal> {
        let user_id = self.mine().await?.user_id;
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
            messages.extend(page.iter().map(message));
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
            "contacts": shown(self.contacts().await?),
            "blocked": shown(self.blocks().await?),
            "optouts": shown(self.optouts().await?),
            "messages": messages,
        }))
    }
}

fn message(kept: &MessageKept) -> Value {
    json!({
        "id": kept.message_id.to_string(),
        "direction": kept.direction,
        "line": kept.line,
        "peer": kept.peer,
        "time": UnixMillis(kept.created_ms).timestamp().to_string(),
        "state": kept.state,
        "text": kept.body,
    })
}

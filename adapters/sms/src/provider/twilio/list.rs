//! What Twilio keeps: the texts that came in and those that went out, newest first.

use async_trait::async_trait;
use serde_json::Value;
use transom_adapter::{Event, MediaRef, UnixMillis};

use super::{TwilioAccount, messages::is_sid, webhook::SID};
use crate::provider::{
    answer,
    catch_up::{InboundList, Listed, PAGES_MAX},
    json,
    received::{self, Received},
};

#[async_trait]
impl InboundList for TwilioAccount {
    async fn inbound_since(&self, since: UnixMillis) -> Result<Listed, String> {
        let (mut texts, mut is_cut_short) = (Vec::new(), true);
        let mut request = self.get("/Messages.json").query(&[
            ("DateSent>", since.timestamp().to_string()),
            ("PageSize", "100".to_owned()),
        ]);
        for _ in 0..PAGES_MAX {
            let page = answer::document(self.http.call(request).await)?;
            for message in json::items(&page["messages"]) {
                let at = sent_at(message).unwrap_or(since);
                // Whole days are listed whatever the hour.
                if message["direction"] == "inbound" && at >= since {
                    texts.extend(self.event(message).await?.map(|event| (at, event)));
                }
            }
            let Some(next) = page["next_page_uri"]
                .as_str()
                .filter(|_| !is_older(&page, since))
            else {
                is_cut_short = false;
                break;
            };
            let Some(next) = self.own(next) else { break };
            request = self.signed_in(self.http.get(&next));
        }
        texts.reverse();
        Ok(Listed {
            texts,
            is_cut_short,
        })
    }
}

impl TwilioAccount {
    /// `None` for what cannot be read; no webhook brings it either.
    async fn event(&self, message: &Value) -> Result<Option<Event>, String> {
        let sid = json::text(&message["sid"]).unwrap_or_default();
        let (from, to) = (json::filled(&message["from"]), json::filled(&message["to"]));
        let (true, Some(from), Some(to)) = (is_sid(&sid), from, to) else {
            return Ok(None);
        };
        let text = json::text(&message["body"])
            .unwrap_or_default()
            .into_owned();
        let Some(id) = received::id(SID, &sid) else {
            return Ok(None);
        };
        let mut received = Received::new(id, &from, &to, text);
        if json::number(&message["num_media"]).is_some_and(|count| count > 0) {
            received.media = self.media(&sid).await?;
        }
        Ok(Some(received.event(self.home)))
    }

    async fn media(&self, sid: &str) -> Result<Vec<MediaRef>, String> {
        let request = self.get(&format!("/Messages/{sid}/Media.json"));
        let list = answer::document(self.http.call(request).await)?;
        let media = json::items(&list["media_list"]).iter().filter_map(|item| {
            let uri = item["uri"].as_str()?;
            Some(MediaRef {
                url: self.own(uri.strip_suffix(".json").unwrap_or(uri))?,
                content_type: json::text(&item["content_type"]).map(std::borrow::Cow::into_owned),
            })
        });
        Ok(media.collect())
    }

    /// The whole URL of a path that Twilio names, if it is one of this account: it gets the login.
    fn own(&self, uri: &str) -> Option<String> {
        let path = self.api.strip_prefix(&self.base_url)?;
        let is_ours = uri
            .strip_prefix(path)
            .is_some_and(|rest| rest.starts_with('/') && !rest.contains(".."));
        is_ours.then(|| format!("{}{uri}", self.base_url))
    }
}

/// Whether all of a page is from before: so are the pages behind it, which go on to the beginning of the day.
fn is_older(page: &Value, since: UnixMillis) -> bool {
    let mut times = json::items(&page["messages"])
        .iter()
        .filter_map(sent_at)
        .peekable();
    times.peek().is_some() && times.all(|at| at < since)
}

/// RFC 2822.
fn sent_at(message: &Value) -> Option<UnixMillis> {
    let text = message["date_sent"].as_str()?;
    let zoned = jiff::fmt::rfc2822::parse(text).ok()?;
    Some(UnixMillis(zoned.timestamp().as_millisecond()))
}

//! What Sinch keeps for 14 days: our batches, for attempts without an answer, and texts that came in.

use async_trait::async_trait;
use transom_adapter::{HttpClient, HttpReply, Outcome, Outgoing, UnixMillis};

use super::{ID, SinchAccount, webhook};
use crate::provider::{
    catch_up::{InboundList, Listed, PAGES_MAX},
    json, received,
};

/// The batches with the message's reference. Without a date the list goes back one day, which is more than an attempt is old.
pub(super) fn batches_of(
    http: &HttpClient,
    plan_url: &str,
    message: &Outgoing,
) -> reqwest::RequestBuilder {
    let reference = message.key.to_string();
    http.get(&format!("{plan_url}/batches"))
        .query(&[("client_reference", &*reference), ("page_size", "10")])
}

/// The one batch; `None` when there is none yet, or doubt.
pub(super) fn find(reply: &HttpReply) -> Option<Outcome> {
    if !reply.status.is_success() {
        return None;
    }
    let document = json::parse(&reply.body).ok()?;
    match json::items(&document["batches"]) {
        [batch] => {
            let id = received::id(ID, &json::text(&batch["id"])?)?;
            Some(Outcome::Accepted { ids: vec![id] })
        }
        _ => None,
    }
}

#[async_trait]
impl InboundList for SinchAccount {
    async fn inbound_since(&self, since: UnixMillis) -> Result<Listed, String> {
        const PAGE_SIZE: usize = 100;
        // The newest come first.
        let (mut texts, mut is_cut_short) = (Vec::new(), true);
        for page in 0..PAGES_MAX {
            let inbounds = self.http.get(&format!("{}/inbounds", self.plan_url));
            let request = inbounds.query(&[
                ("start_date", since.timestamp().to_string()),
                ("page", page.to_string()),
                ("page_size", PAGE_SIZE.to_string()),
            ]);
            let document = self.document(request).await?;
            let inbounds = json::items(&document["inbounds"]);
            for inbound in inbounds {
                let at = json::time(&inbound["received_at"]).unwrap_or(since);
                // One that cannot be read is not brought by a webhook either.
                if let Ok(Some(event)) = webhook::event(inbound, self.home) {
                    texts.push((at, event));
                }
            }
            if inbounds.len() < PAGE_SIZE {
                is_cut_short = false;
                break;
            }
        }
        texts.reverse();
        Ok(Listed {
            texts,
            is_cut_short,
        })
    }
}

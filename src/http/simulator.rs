//! The simulator's page as a [`Page`].

use async_trait::async_trait;
use axum::http::{HeaderMap, Method};
use transom_simulator::Simulator;

use super::{Page, PageReply};

#[async_trait]
impl Page for Simulator {
    async fn handle(
        &self,
        method: &Method,
        path: &str,
        query: &str,
        headers: &HeaderMap,
        body: &[u8],
    ) -> PageReply {
        Simulator::handle(self, method, path, query, headers, body)
            .await
            .into()
    }
}

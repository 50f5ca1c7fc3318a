//! Waiting with a deadline: the only place of the harness that looks at a clock.

use std::time::Duration;

/// How long a test waits for something that a healthy server does within a second. A busy machine is slow, and some stand still for half
/// a minute when their disk does.
pub const PATIENCE: Duration = Duration::from_secs(90);

/// How long it waits for a server to start or to end: Erlang alone takes a minute beside a compiler.
pub(crate) const START_PATIENCE: Duration = Duration::from_mins(2);

/// Probes every few milliseconds until there is an answer.
///
/// # Errors
///
/// What it waited for, when `patience` is over.
pub async fn until<T>(
    what: &str,
    patience: Duration,
    mut probe: impl AsyncFnMut() -> Option<T>,
) -> Result<T, String> {
    let mut ticks = tokio::time::interval(Duration::from_millis(10));
    let probing = async {
        loop {
            ticks.tick().await;
            if let Some(answer) = probe().await {
                return answer;
            }
        }
    };
    tokio::time::timeout(patience, probing)
        .await
        .map_err(|_| format!("waited {patience:?} for {what}"))
}

/// Awaits `work`; panics with what it waited for when [`PATIENCE`] is over.
pub async fn within<T>(what: &str, work: impl Future<Output = T>) -> T {
    let outcome = tokio::time::timeout(PATIENCE, work).await;
    outcome.unwrap_or_else(|_| panic!("waited {PATIENCE:?} for {what}"))
}

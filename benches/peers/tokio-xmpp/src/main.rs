//! A bare component on tokio-xmpp: every message goes back to its sender.
//!
//! ```sh
//! transom-bench-tokio-xmpp HOST:PORT DOMAIN SECRET
//! ```

use anyhow::{Result, bail};
use futures::{FutureExt, SinkExt, StreamExt};
use tokio_xmpp::{Component, Stanza, connect::DnsConfig, xmlstream::Timeouts};

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<()> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [server, domain, secret] = arguments.as_slice() else {
        bail!("usage: HOST:PORT DOMAIN SECRET");
    };
    let dns = DnsConfig::addr(server);
    let mut component =
        Component::new_plaintext(domain, secret, dns, Timeouts::tight()).await?;
    loop {
        // What came together goes back in one write.
        let next = match component.next().now_or_never() {
            Some(next) => next,
            None => {
                component.flush().await?;
                component.next().await
            }
        };
        let Some(stanza) = next else { return Ok(()) };
        if let Stanza::Message(mut message) = stanza {
            std::mem::swap(&mut message.from, &mut message.to);
            component.feed(Stanza::Message(message)).await?;
        }
    }
}

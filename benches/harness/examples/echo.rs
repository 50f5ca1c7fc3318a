//! A bare component on transom's own link: every message goes back to its sender. Path (a) of the benchmarks.
//!
//! ```sh
//! echo 127.0.0.1:5347 echo.example.org SECRET
//! ```

use anyhow::{Context, Result, bail};
use tokio::sync::mpsc;
use transom::xmpp::{
    stanza::Stanza,
    stream::{Link, LinkConfig, LinkEvent, LinkHandle, Received},
};
use transom_adapter::Lifecycle;

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<()> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [server, domain, secret] = arguments.as_slice() else {
        bail!("usage: echo HOST:PORT DOMAIN SECRET");
    };
    let config = LinkConfig::new(server.parse()?, domain.parse()?, secret.clone().into());
    let (events, mut happens) = mpsc::channel(1);
    let link = Link::spawn(config, &Lifecycle::new(), events);
    loop {
        match happens.recv().await.context("the link has ended")? {
            LinkEvent::Batch(batch) => {
                let (stanzas, commit) = batch.split();
                // Nothing is stored here, so nothing is waited for.
                commit.committed();
                for received in stanzas {
                    echo(&link, received).await?;
                }
            }
            LinkEvent::Down(error) => bail!("{error}"),
            LinkEvent::Up | LinkEvent::Elsewhere => {}
        }
    }
}

async fn echo(link: &LinkHandle, received: Received) -> Result<()> {
    if let Received::Stanza(Stanza::Message(mut message)) = received {
        std::mem::swap(&mut message.from, &mut message.to);
        link.send(message).await?;
    }
    Ok(())
}

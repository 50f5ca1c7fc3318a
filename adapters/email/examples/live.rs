//! tmp
use std::sync::Arc;
use std::time::Duration;
use transom_adapter::{testkit::*, *};
#[tokio::main]
async fn main() {
    let args: Vec<String> = std::env::args().collect();
    let table: serde_json::Value = serde_json::from_str(&args[1]).unwrap();
    let section = Section {
        key: "gateway.mail".into(),
        table: table.as_object().unwrap().clone(),
        base_dir: "/tmp".into(),
    };
    let adapter = transom_email::EmailAdapter::from_section("mail", &section, signer()).unwrap();
    let (inbox, meter) = (
        Arc::<RecordingInbox>::default(),
        Arc::<CountingMeter>::default(),
    );
    let context = context(
        inbox.clone(),
        FixedDirectory(vec![Address::new("alice@mail.example.org")]),
        meter.clone(),
    );
    for account in adapter.accounts() {
        account.bind().await.unwrap();
        println!("{}: {:?}", account.name(), account.check().await);
        let (a, c) = (account.clone(), context.clone());
        context
            .lifecycle
            .spawn("run", async move { a.run(&c).await });
    }
    for to in &args[2..] {
        let mut m = outgoing("alice@mail.example.org", to, "Hello\n.\nGrüße from transom");
        m.key = Key(m.key.0 + to.len() as i64);
        let plan = adapter.plan(&m);
        println!("plan {plan:?}");
        let a = &adapter.accounts()[0];
        println!("{:?}", a.send(&m, Attempt { number: 1, unit: 0 }).await);
    }
    let mut seen = 0;
    loop {
        match tokio::time::timeout(Duration::from_secs(12), inbox.wait_for(seen + 1)).await {
            Ok(events) => {
                for e in &events[seen..] {
                    println!("EVENT {e:#?}");
                }
                seen = events.len();
            }
            Err(_) => break,
        }
    }
    for w in [
        "imap_no_recipient",
        "mail_own_returned",
        "mail_bounce_unmatched",
        "lmtp_unknown_recipient",
    ] {
        println!("{w}={}", meter.of(w));
    }
    context.lifecycle.drain();
    println!(
        "finished {}",
        context.lifecycle.finish(Duration::from_secs(5)).await
    );
}

//! A database that is out of order for a while, and people who were quicker.

use super::*;

#[tokio::test]
async fn an_announcement_goes_on_when_the_database_answers_again() {
    let mut bench = Bench::new().await;
    crowd(&bench, 3).await;
    bench.rename("contacts", "hidden").await;
    announce(&bench.intake);
    // It reads before or while these do.
    for _ in 0..20 {
        let page = bench.intake.store.subscribers(1, "", 10).await;
        assert!(page.is_err());
    }
    bench.rename("hidden", "contacts").await;
    let mut heard = String::new();
    for _ in 0..3 {
        heard.push_str(&bench.until("</presence>").await);
    }
    for user in 0..3 {
        let to = format!("to='user{user}@example.org'");
        assert_eq!(heard.matches(&to).count(), 1, "{heard}");
    }
}

//! What is left of accounts' credit, while there is time to top it up (semantics 24).

use std::{sync::Arc, time::Duration};

use futures_util::future::join_all;
use transom_adapter::{Account, Balance};

use super::board::{Concern, Look};
use crate::{gateway::Gateway, texts::Trouble};

/// Between two questions.
pub(super) const EVERY: Duration = Duration::from_hours(1);
const DEADLINE: Duration = Duration::from_secs(30);

/// Asks every account of a gateway whose admin wants to hear of it.
pub(super) async fn balances(gateways: impl Iterator<Item = &Arc<Gateway>>) -> Vec<(String, Look)> {
    let asked = gateways.filter(|gateway| gateway.config.balance_low > 0);
    let accounts = asked.flat_map(|gateway| {
        let accounts = gateway.adapter.accounts().into_iter();
        accounts.map(|account| (account, gateway.config.balance_low))
    });
    join_all(accounts.map(|(account, low)| ask(account, low))).await
}

async fn ask(account: Arc<dyn Account>, low: u32) -> (String, Look) {
    let left = tokio::time::timeout(DEADLINE, account.balance()).await;
    let name = account.name().to_string();
    let look = look(&name, left.ok().flatten(), low);
    (format!("balance {name}"), look)
}

fn look(account: &str, left: Option<Balance>, low: u32) -> Look {
    let Some(left) = left else {
        return Look::Unclear;
    };
    if left.amount >= f64::from(low) {
        return Look::Good;
    }
    let shown = format!("{:.2} {}", left.amount, left.currency);
    Look::Bad(Concern::Trouble(Trouble::BalanceLow {
        account: account.to_owned(),
        balance: shown.trim_end().to_owned(),
    }))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_left_is_told_below_the_limit_alone() {
        let left = |amount| {
            let currency = "USD".to_owned();
            look("sms/main", Some(Balance { amount, currency }), 5)
        };
        assert_eq!(left(5.0), Look::Good);
        assert_eq!(look("sms/main", None, 5), Look::Unclear);
        for (amount, shown) in [(4.996, "5.00 USD"), (0.5, "0.50 USD"), (-3.0, "-3.00 USD")] {
            let low = Concern::Trouble(Trouble::BalanceLow {
                account: "sms/main".to_owned(),
                balance: shown.to_owned(),
            });
            assert_eq!(left(amount), Look::Bad(low));
        }
    }
}

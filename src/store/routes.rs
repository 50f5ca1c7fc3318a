//! The column `routes` of a delivery: which accounts can carry it, and in how many sends each.

use serde::{Deserialize, Serialize};

/// One account that can carry a message: its name within the gateway, and how many sends it takes there.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct StoredRoute(pub String, pub u16);

impl StoredRoute {
    /// The column's text: `[["main",1],["smsc",3]]`.
    pub fn to_json(routes: &[Self]) -> String {
        serde_json::to_string(routes).unwrap_or_else(|_| "[]".to_owned())
    }

    /// What the column says; nothing when it is not what was written.
    pub fn from_json(text: &str) -> Vec<Self> {
        serde_json::from_str(text).unwrap_or_default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn routes_read_back() {
        let routes = [StoredRoute("main".into(), 1), StoredRoute("smsc".into(), 3)];
        let text = StoredRoute::to_json(&routes);
        assert_eq!(text, r#"[["main",1],["smsc",3]]"#);
        assert_eq!(StoredRoute::from_json(&text), routes);
        assert_eq!(StoredRoute::from_json("nonsense"), []);
    }
}

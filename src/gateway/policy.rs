//! What becomes of what people write (XEP-0504), so that a client can show it before anything is written.

use std::time::Duration;

use transom_adapter::Network;

use super::Gateway;
use crate::xmpp::{
    ns,
    xep::forms::{Field, Form, FormType},
};

/// The policy of the gateway itself, and of the network behind it, of which nobody here can promise anything.
pub(super) fn forms(gateway: &Gateway) -> [Form; 2] {
    let kind = match gateway.network() {
        Network::Sms => "sms",
        Network::Email => "smtp",
    };
    let kept = gateway.keeps_texts.max(gateway.files.keep);
    let own = Form::new(ns::DATA_POLICY)
        .with_field(list("auth_data", "list-single", "no_auth"))
        .with_field(list("data_transmission", "list-single", "plain"))
        .with_field(text("data_retention", hours(kept).to_string()))
        .with_field(yes("data_deletion"))
        .with_field(yes("data_export"))
        .with_field(yes("full_erasure"))
        .with_field(list("access_policy", "list-multi", "admins"));
    let scope = format!("{}:identity:gateway:{kind}:0", ns::DATA_POLICY_SCOPE);
    let network = Form::new(&scope)
        .with_field(list("data_transmission", "list-single", "plain"))
        .with_field(text("data_retention", "unknown".to_owned()));
    [own, network].map(|form| Form {
        kind: FormType::Result,
        ..form
    })
}

/// XEP-0504 §3.3: in hours, at most.
fn hours(kept: Duration) -> u64 {
    kept.as_secs().div_ceil(3_600)
}

fn list(name: &str, kind: &str, value: &str) -> Field {
    Field {
        values: vec![value.to_owned()],
        ..Field::new(name, kind)
    }
}

fn text(name: &str, value: String) -> Field {
    Field {
        values: vec![value],
        ..Field::new(name, "text-single")
    }
}

fn yes(name: &str) -> Field {
    list(name, "boolean", "true")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::gateway::registration::fixture::sms;

    #[test]
    fn what_is_kept_is_said_in_whole_hours() {
        let mut gateway = sms("open");
        gateway.keeps_texts = Duration::from_hours(14 * 24);
        gateway.files.keep = Duration::from_mins(90);
        let [own, network] = forms(&gateway);
        assert_eq!(own.form_type(), Some("urn:xmpp:data-policy:0"));
        assert_eq!(own.value("data_retention"), Some("336"));
        assert_eq!(
            network.form_type(),
            Some("urn:xmpp:data-policy:identity:gateway:sms:0")
        );
        gateway.keeps_texts = Duration::ZERO;
        assert_eq!(forms(&gateway)[0].value("data_retention"), Some("2"));
    }
}

//! What a provider's section may hold, for the JSON Schema of the configuration.

use schemars::JsonSchema;

use super::{
    android::AndroidConfig, bandwidth::BandwidthConfig, gammu::GammuConfig, httpsms::HttpsmsConfig,
    jasmin::JasminConfig, kannel::KannelConfig, plivo::PlivoConfig, sinch::SinchConfig,
    smpp::SmppConfig, telnyx::TelnyxConfig, templated::HttpConfig, twilio::TwilioConfig,
    vonage::VonageConfig,
};

/// A provider: an account at a service, or a modem. What else stands here depends on its kind.
#[derive(JsonSchema)]
#[serde(tag = "kind", rename_all = "lowercase")]
#[schemars(rename = "Provider")]
#[expect(
    dead_code,
    clippy::large_enum_variant,
    reason = "only its schema is wanted; nobody makes one"
)]
pub(crate) enum AnyProvider {
    Android(AndroidConfig),
    Bandwidth(BandwidthConfig),
    Gammu(GammuConfig),
    Http(HttpConfig),
    Httpsms(HttpsmsConfig),
    Jasmin(JasminConfig),
    Kannel(KannelConfig),
    Plivo(PlivoConfig),
    /// Phones in the browser, for trying the gateway without an account anywhere.
    Simulator,
    Sinch(SinchConfig),
    Smpp(SmppConfig),
    Telnyx(TelnyxConfig),
    Twilio(TwilioConfig),
    Vonage(VonageConfig),
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use serde_json::Value;

    use super::*;

    #[test]
    fn every_kind_that_is_built_is_in_the_schema() {
        let schema = schemars::schema_for!(AnyProvider);
        let kinds = schema.get("oneOf").and_then(Value::as_array).unwrap();
        let in_schema: BTreeSet<&str> = kinds
            .iter()
            .map(|kind| kind["properties"]["kind"]["const"].as_str().unwrap())
            .collect();
        let built = crate::provider::built_in();
        // The core brings the simulator.
        let mut wanted: BTreeSet<&str> = built.iter().map(|factory| factory.kind()).collect();
        wanted.insert("simulator");
        assert_eq!(in_schema, wanted);
    }
}

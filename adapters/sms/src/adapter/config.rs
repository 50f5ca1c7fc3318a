//! The section of an SMS gateway.

use std::collections::BTreeMap;

use schemars::{JsonSchema as _, Schema, SchemaGenerator};
use serde::Deserialize;
use serde_json::{Map, Value};
use transom_adapter::plain_or_text;

use crate::provider::AnyProvider;

/// The JSON Schema of what this adapter reads of `[gateway.NAME]`; what it refers to goes into the generator.
pub fn schema(generator: &mut SchemaGenerator) -> Schema {
    SmsConfig::json_schema(generator)
}

/// The section `gateway.X` of an SMS gateway, as far as the adapter reads it.
#[derive(Debug, Deserialize, schemars::JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct SmsConfig {
    /// How to read numbers typed without a country code: a two-letter country code, `US`.
    pub region: String,
    /// Where messages may go: country codes. Default: the region alone.
    pub allow_countries: Option<Vec<String>>,
    /// Whose short codes may be written to: country codes. Default: the US and Canada, where a text to a short code costs what
    /// any other costs, as far as they are allowed countries. Elsewhere many short codes are premium numbers.
    pub short_codes: Option<Vec<String>>,
    /// Whether typographic characters (curly quotation marks, dashes) are sent as plainer ones where they alone would make a text cost
    /// more.
    #[serde(default, deserialize_with = "plain_or_text")]
    pub smart_encoding: bool,
    /// When no text is sent, in the recipient's time: `21:00-08:00`. Texts wait until its end.
    pub quiet_hours: Option<String>,
    /// Whose clock counts where the recipient's is not known: `Europe/Berlin`. Default: the machine's.
    pub time_zone: Option<String>,
    /// The providers by name.
    #[serde(default)]
    #[schemars(with = "BTreeMap<String, AnyProvider>")]
    pub provider: BTreeMap<String, Map<String, Value>>,
}

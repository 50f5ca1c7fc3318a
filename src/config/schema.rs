//! The JSON Schema of the configuration, for editors: `config/transom.schema.json`.

use schemars::{Schema, generate::SchemaSettings, transform::Transform};
use serde_json::{Value, json};

use super::raw::RawConfig;

/// The schema. An adapter's own options are free in it.
pub fn json_schema() -> Schema {
    SchemaSettings::draft2020_12()
        .with_transform(SecretFile)
        .into_generator()
        .into_root_schema_for::<RawConfig>()
}

/// Adds to each secret `x` the option `x_file`.
#[derive(Clone, Debug)]
struct SecretFile;

impl Transform for SecretFile {
    fn transform(&mut self, schema: &mut Schema) {
        schemars::transform::transform_subschemas(self, schema);
        let Some(properties) = schema.get_mut("properties").and_then(Value::as_object_mut) else {
            return;
        };
        let secrets: Vec<String> = properties
            .iter()
            .filter(|(_, option)| option.get("writeOnly") == Some(&Value::Bool(true)))
            .map(|(name, _)| name.clone())
            .collect();
        for name in secrets {
            let option = json!({
                "description": format!("A file that holds `{name}`, instead of it."),
                "type": ["string", "null"],
            });
            properties.insert(format!("{name}_file"), option);
        }
    }
}

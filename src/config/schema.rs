//! The JSON Schema of the configuration, for editors: `config/transom.schema.json`.

use schemars::{Schema, SchemaGenerator, generate::SchemaSettings, transform::Transform};
use serde_json::{Map, Value, json};

use super::raw::RawConfig;

/// Describes an adapter's options of a gateway; what they refer to goes into the generator.
pub type AdapterSchema = fn(&mut SchemaGenerator) -> Schema;

/// The schema, with the options of these adapters; each comes with its name.
pub fn json_schema(adapters: &[(&str, AdapterSchema)]) -> Schema {
    let mut generator = SchemaSettings::draft2020_12()
        .with_transform(SecretFile)
        .into_generator();
    let adapters: Vec<(&str, Schema)> = adapters
        .iter()
        .map(|(name, describe)| (*name, describe(&mut generator)))
        .collect();
    let mut schema = generator.into_root_schema_for::<RawConfig>();
    if let Some(definitions) = schema.get_mut("$defs").and_then(Value::as_object_mut) {
        divide_gateways(definitions, &adapters);
    }
    schema
}

/// Makes of "a gateway, and whatever else" one gateway for each adapter, in which every other option is a fault.
fn divide_gateways(definitions: &mut Map<String, Value>, adapters: &[(&str, Schema)]) {
    let Some(core) = definitions.remove("Gateway") else {
        return;
    };
    let mut kinds = Vec::with_capacity(adapters.len());
    for (name, options) in adapters {
        let key = format!("Gateway-{name}");
        kinds.push(json!({ "$ref": format!("#/$defs/{key}") }));
        definitions.insert(key, gateway(&core, name, options));
    }
    let description = core.get("description");
    let one_of_them = json!({ "description": description, "oneOf": kinds });
    definitions.insert("Gateway".to_owned(), one_of_them);
}

fn gateway(core: &Value, adapter: &str, options: &Schema) -> Value {
    let inside = |schema: Option<&Value>| schema.and_then(Value::as_object).cloned();
    let mut properties = inside(core.get("properties")).unwrap_or_default();
    properties.extend(inside(options.get("properties")).unwrap_or_default());
    properties.insert("adapter".to_owned(), json!({ "const": adapter }));
    let mut required = vec![json!("adapter")];
    let of_adapter = options.get("required").and_then(Value::as_array);
    required.extend(of_adapter.into_iter().flatten().cloned());
    json!({
        "type": "object",
        "properties": properties,
        "required": required,
        "additionalProperties": false,
    })
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

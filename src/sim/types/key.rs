//! Vault keys as ARM sees them: it makes them, shows them, and neither changes nor deletes one.

use crate::core::behaviour::{Answer, Behaviour, stored_and_new};
use crate::core::call::Call;
use crate::core::error::Failure;
use crate::core::json::{Object, at, object, set, text};
use crate::core::path::{cut, last};
use crate::core::store::Resource;
use crate::core::world::World;
use serde_json::{Value, json};

/// `Microsoft.KeyVault/vaults/keys`.
#[derive(Debug)]
pub(crate) struct Key;

const RSA: &[&str] = &["encrypt", "decrypt", "sign", "verify", "wrapKey", "unwrapKey"];
const EC: &[&str] = &["sign", "verify"];

fn bad(message: impl Into<String>) -> Failure {
    Failure::bad("BadRequest", message)
}

/// The properties of a new key.
fn made(world: &World, call: &Call<'_>) -> Result<Object, Failure> {
    let asked = call.properties();
    let kind =
        text(&asked, "kty").ok_or_else(|| bad("The property 'kty' of the key is required."))?.to_owned();
    let vault = world.state.resources.get(cut(&call.path.key, 2));
    let premium = vault.and_then(|vault| text(&vault.body, "properties.sku.name"));
    let hardware = kind.ends_with("-HSM");
    if hardware && !premium.is_some_and(|sku| sku.eq_ignore_ascii_case("premium")) {
        return Err(bad(format!("A key of type '{kind}' needs a vault with the SKU 'premium'.")));
    }
    let mut properties = Object::new();
    properties.insert("kty".into(), json!(kind));
    let (allowed, curve, size) = match kind.trim_end_matches("-HSM") {
        "RSA" => (RSA, false, true),
        "EC" => (EC, true, false),
        _ => return Err(bad(format!("'{kind}' is not a type of keys."))),
    };
    if !curve && asked.contains_key("curveName") || !size && asked.contains_key("keySize") {
        return Err(bad(format!("A key of type '{kind}' does not take this property.")));
    }
    if size {
        let size = asked.get("keySize").and_then(Value::as_i64).unwrap_or(2048);
        if ![2048, 3072, 4096].contains(&size) {
            return Err(bad(format!("The key size {size} is not supported.")));
        }
        properties.insert("keySize".into(), json!(size));
    } else {
        let curve = text(&asked, "curveName").unwrap_or("P-256");
        if !["P-256", "P-384", "P-521", "P-256K"].contains(&curve) {
            return Err(bad(format!("The curve '{curve}' is not supported.")));
        }
        properties.insert("curveName".into(), json!(curve));
    }
    let operations = asked.get("keyOps").cloned().unwrap_or_else(|| json!(allowed));
    let known = |operation: &Value| operation.as_str().is_some_and(|text| allowed.contains(&text));
    if !operations.as_array().is_some_and(|all| all.iter().all(known)) {
        return Err(bad(format!("The key operations are not those of a key of type '{kind}'.")));
    }
    properties.insert("keyOps".into(), operations);
    let now = world.now.now().seconds();
    let mut attributes =
        object(json!({ "enabled": true, "exportable": false, "recoveryLevel": "Recoverable+Purgeable" }));
    for member in ["enabled", "nbf", "exp"] {
        if let Some(value) = at(&asked, &format!("attributes.{member}")) {
            attributes.insert(member.to_owned(), value.clone());
        }
    }
    attributes.insert("created".into(), json!(now));
    attributes.insert("updated".into(), json!(now));
    properties.insert("attributes".into(), Value::Object(attributes));
    if let Some(policy) = asked.get("rotationPolicy") {
        check_rotation(policy)?;
        let mut policy = policy.clone();
        policy["attributes"]["created"] = json!(now);
        policy["attributes"]["updated"] = json!(now);
        properties.insert("rotationPolicy".into(), policy);
    }
    Ok(properties)
}

/// What counts from a version's end needs one.
fn check_rotation(policy: &Value) -> Result<(), Failure> {
    let ends = policy.pointer("/attributes/expiryTime").is_some();
    for action in policy.get("lifetimeActions").and_then(Value::as_array).into_iter().flatten() {
        let trigger = |name: &str| action.pointer(&format!("/trigger/{name}")).is_some();
        let kind = action.pointer("/action/type").and_then(Value::as_str).unwrap_or_default();
        if trigger("timeAfterCreate") == trigger("timeBeforeExpiry") {
            return Err(bad("A lifetime action has one trigger."));
        }
        if kind == "notify" && trigger("timeAfterCreate") {
            return Err(bad("The action 'notify' is triggered before the expiry only."));
        }
        if trigger("timeBeforeExpiry") && !ends {
            return Err(bad("A trigger before the expiry needs an expiry time."));
        }
    }
    Ok(())
}

impl Behaviour for Key {
    /// A key that is there stays as it is, whatever is asked for.
    fn put(&self, world: &mut World, call: &Call<'_>) -> Answer {
        let (key, name) = (&call.path.key, call.path.name());
        let fits = |c: char| c.is_ascii_alphanumeric() || c == '-';
        if name.len() > 127 || !name.chars().all(fits) {
            let message =
                format!("The key name '{name}' is invalid: at most 127 letters, digits and dashes.");
            return Err(bad(message));
        }
        if world.state.resources.contains(key) {
            return Ok(world.answer(200, key));
        }
        let mut properties = made(world, call)?;
        let host = last(cut(key, 2)).to_ascii_lowercase();
        let version = world.uuid(key, "version 1").replace('-', "");
        let uri = format!("https://{host}.vault.azure.net/keys/{name}");
        properties.insert("keyUriWithVersion".into(), json!(format!("{uri}/{version}")));
        properties.insert("keyUri".into(), json!(uri));
        let mut body = call.envelope();
        if let Some(tags) = call.body.get("tags") {
            body.insert("tags".into(), tags.clone());
        }
        set(&mut body, "properties", properties);
        stored_and_new(world, call, Resource::new(&call.id, &call.kind, body));
        // The operation knows no 201.
        Ok(world.answer(200, key))
    }

    fn delete(&self, _world: &mut World, call: &Call<'_>) -> Answer {
        let message = format!("The key '{}' cannot be deleted through the control plane.", call.path.name());
        Err(Failure::new(405, "MethodNotAllowed", message))
    }

    fn patch(&self, _world: &mut World, _call: &Call<'_>) -> Answer {
        Err(Failure::new(405, "MethodNotAllowed", "A key cannot be changed through the control plane."))
    }
}

#[cfg(test)]
mod tests {
    use crate::testing::Bench;
    use serde_json::json;

    #[tokio::test(start_paused = true)]
    async fn a_key_is_made_once_and_stays() {
        let bench = Bench::new().await;
        let id = format!("{}/keys/k", bench.vault().await);
        let first = bench.put(&id, json!({ "properties": { "kty": "RSA" } })).await;
        assert_eq!((first.status, first.at("/properties/keySize").clone()), (200, json!(2048)));
        let again = bench.put(&id, json!({ "properties": { "kty": "EC" } })).await;
        assert_eq!((again.status, again.at("/properties/kty").clone()), (200, json!("RSA")));
        assert_eq!(bench.delete(&id).await.status, 405);
        for (name, properties) in [
            ("a_b", json!({ "kty": "RSA" })),
            ("x", json!({})),
            ("x", json!({ "kty": "EC", "keySize": 2048 })),
            ("x", json!({ "kty": "EC", "keyOps": ["encrypt"] })),
            ("x", json!({ "kty": "RSA-HSM" })),
            (
                "x",
                json!({ "kty": "RSA", "rotationPolicy": { "lifetimeActions": [{ "trigger": { "timeBeforeExpiry": "P30D" }, "action": { "type": "rotate" } }] } }),
            ),
        ] {
            let id = id.replace("/keys/k", &format!("/keys/{name}"));
            assert_eq!(bench.put(&id, json!({ "properties": properties })).await.status, 400, "{properties}");
        }
    }
}

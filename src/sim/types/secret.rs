//! Vault secrets as ARM sees them: everything but the value.

use crate::core::behaviour::{Answer, Behaviour, stored_and_new};
use crate::core::call::Call;
use crate::core::error::Failure;
use crate::core::json::{Object, at, object, remove, set, text};
use crate::core::path::{cut, last};
use crate::core::store::Resource;
use crate::core::world::World;
use serde_json::{Value, json};
use sha2::{Digest, Sha256};

/// `Microsoft.KeyVault/vaults/secrets`.
#[derive(Debug)]
pub(crate) struct Secret;

fn digest(value: &str) -> String {
    Sha256::digest(value.as_bytes()).iter().map(|b| format!("{b:02x}")).collect()
}

impl Secret {
    /// Stores what is asked; a value that differs from the last makes a new version.
    fn write(world: &mut World, call: &Call<'_>, properties: &Object, tags: Option<Value>) -> Answer {
        let (key, name) = (&call.path.key, call.path.name());
        let fits = |c: char| c.is_ascii_alphanumeric() || c == '-';
        if name.len() > 127 || !name.chars().all(fits) {
            let message =
                format!("The secret name '{name}' is invalid: at most 127 letters, digits and dashes.");
            return Err(Failure::bad("BadRequest", message));
        }
        let existing = world.state.resources.get(key).cloned();
        let mut hidden = existing.as_ref().map(|r| r.hidden.clone()).unwrap_or_default();
        let now = world.now.now().seconds();
        let created = existing.as_ref().and_then(|r| at(&r.body, "properties.attributes.created").cloned());
        match properties.get("value").and_then(Value::as_str) {
            Some(value) if value.len() > 25_600 => {
                return Err(Failure::bad("BadRequest", "The secret value is longer than 25 KB."));
            }
            Some(value) => {
                let digest = digest(value);
                if text(&hidden, "digest") != Some(&digest) {
                    let version = hidden.get("version").and_then(Value::as_u64).unwrap_or_default() + 1;
                    hidden.insert("version".into(), json!(version));
                    hidden.insert("digest".into(), json!(digest));
                }
            }
            None if existing.is_none() => {
                return Err(Failure::bad(
                    "BadRequest",
                    "The parameter value of the secret is not specified.",
                ));
            }
            None => {}
        }
        let host = last(cut(key, 2)).to_ascii_lowercase();
        let number = hidden.get("version").and_then(Value::as_u64).unwrap_or_default();
        let version = world.uuid(key, &format!("version {number}")).replace('-', "");
        let uri = format!("https://{host}.vault.azure.net/secrets/{name}");
        let mut attributes = object(json!({"enabled": true}));
        for member in ["enabled", "nbf", "exp"] {
            if let Some(value) = at(properties, &format!("attributes.{member}")) {
                attributes.insert(member.to_owned(), value.clone());
            }
        }
        attributes.insert("created".into(), created.unwrap_or_else(|| json!(now)));
        attributes.insert("updated".into(), json!(now));
        let mut body = call.envelope();
        if let Some(tags) = tags {
            body.insert("tags".into(), tags);
        }
        if let Some(content) = properties.get("contentType") {
            set(&mut body, "properties.contentType", content.clone());
        }
        set(&mut body, "properties.attributes", attributes);
        set(&mut body, "properties.secretUri", uri.clone());
        set(&mut body, "properties.secretUriWithVersion", format!("{uri}/{version}"));
        let mut resource = Resource::new(&call.id, &call.kind, body);
        resource.hidden = hidden;
        let status = stored_and_new(world, call, resource);
        Ok(world.answer(status, key))
    }
}

impl Behaviour for Secret {
    fn put(&self, world: &mut World, call: &Call<'_>) -> Answer {
        Secret::write(world, call, &call.properties(), call.body.get("tags").cloned())
    }

    fn patch(&self, world: &mut World, call: &Call<'_>) -> Answer {
        let existing = world.need(call)?;
        let tags = call.body.get("tags").or_else(|| existing.body.get("tags")).cloned();
        let stored = existing.body.get("properties").and_then(Value::as_object);
        let mut properties = stored.cloned().unwrap_or_default();
        crate::core::json::merge(&mut properties, &call.properties());
        Secret::write(world, call, &properties, tags)
    }

    fn delete(&self, _world: &mut World, call: &Call<'_>) -> Answer {
        let message =
            format!("The secret '{}' cannot be deleted through the control plane.", call.path.name());
        Err(Failure::new(405, "MethodNotAllowed", message))
    }

    fn loaded(&self, world: &mut World, key: &str) {
        let Some(resource) = world.state.resources.edit(key) else { return };
        if let Some(Value::String(value)) = remove(&mut resource.body, "properties.value") {
            resource.hidden.insert("digest".into(), json!(digest(&value)));
            resource.hidden.insert("version".into(), json!(1));
        }
    }
}

#[cfg(test)]
mod tests {
    use crate::testing::Bench;
    use serde_json::json;

    #[tokio::test(start_paused = true)]
    async fn values_are_never_shown_and_new_ones_make_versions() {
        let bench = Bench::new().await;
        let id = format!("{}/secrets/s", bench.vault().await);
        let version = |seen: crate::testing::Seen| seen.at("/properties/secretUriWithVersion").clone();
        let first = bench.put(&id, json!({"properties": {"value": "hush"}})).await;
        assert_eq!(first.status, 201);
        assert!(first.body["properties"].get("value").is_none());
        let first = version(first);
        assert_eq!(version(bench.put(&id, json!({"properties": {"value": "hush"}})).await), first);
        assert_ne!(version(bench.put(&id, json!({"properties": {"value": "other"}})).await), first);
        assert_eq!(bench.delete(&id).await.status, 405);
        let world = serde_json::to_string(&bench.sim.export()).unwrap();
        assert!(!world.contains("hush") && !world.contains("other"));
    }
}

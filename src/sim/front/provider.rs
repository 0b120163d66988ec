//! Provider and preview-feature registration.

use crate::core::api_versions;
use crate::core::behaviour::{Answer, ok, ok_list};
use crate::core::error::Failure;
use crate::core::locations::regions_of;
use crate::core::namespaces::{NAMESPACES, canonical_namespace, is_free};
use crate::core::world::{Registration, World};
use crate::host::transport::{Method, Response};
use crate::types::table;
use serde_json::{Value, json};
use std::time::Duration;

fn state(world: &World, namespace: &str) -> &'static str {
    if is_free(namespace) {
        return "Registered";
    }
    match world.state.providers.get(&namespace.to_ascii_lowercase()) {
        Some(Registration::Registered) => "Registered",
        Some(Registration::Registering(due)) if *due <= world.now.now() => "Registered",
        Some(Registration::Registering(_)) => "Registering",
        Some(Registration::Unregistered) => "Unregistered",
        None => "NotRegistered",
    }
}

/// Refuses a write to a provider that the subscription has not registered.
pub(crate) fn require(world: &World, namespace: &str) -> Result<(), Failure> {
    if matches!(state(world, namespace), "Registered") {
        return Ok(());
    }
    let namespace = canonical_namespace(namespace).unwrap_or(namespace);
    let message = format!(
        "The subscription is not registered to use namespace '{namespace}'. \
         See https://aka.ms/rps-not-found for how to register subscriptions."
    );
    let detail = json!({"code": "MissingSubscriptionRegistration", "target": namespace, "message": message});
    let failure = Failure::new(409, "MissingSubscriptionRegistration", message).detail(detail);
    Err(if state(world, namespace) == "Registering" { failure.passing() } else { failure })
}

fn describe(world: &World, namespace: &'static str) -> Value {
    let types: Vec<Value> = table::types_of(namespace)
        .map(|kind| {
            let versions: Vec<&str> =
                api_versions::of(&format!("{namespace}/{kind}")).into_iter().flatten().collect();
            let released = versions.iter().find(|version| version.len() == 10);
            json!({
                "resourceType": kind, "locations": regions_of(&format!("{namespace}/{kind}")), "capabilities": "None",
                "apiVersions": versions, "defaultApiVersion": released.or(versions.first()),
            })
        })
        .collect();
    json!({
        "id": format!("/subscriptions/{}/providers/{namespace}", world.state.subscription),
        "namespace": namespace,
        "resourceTypes": types,
        "registrationState": state(world, namespace),
        "registrationPolicy": if is_free(namespace) { "RegistrationFree" } else { "RegistrationRequired" },
    })
}

/// Every provider.
pub(crate) fn list(world: &mut World) -> Response {
    let value: Vec<Value> = NAMESPACES.iter().map(|(name, _)| describe(world, name)).collect();
    Response::new(200, json!({"value": value}).to_string())
}

fn known(namespace: &str) -> Result<&'static str, Failure> {
    canonical_namespace(namespace).ok_or_else(|| {
        let message = format!("The resource namespace '{namespace}' is invalid.");
        Failure::new(404, "InvalidResourceNamespace", message)
    })
}

/// One provider; under [`Time::Jump`](crate::Time) asking brings the end of a registration about.
pub(crate) fn get(world: &mut World, namespace: &str) -> Answer {
    let body = describe(world, known(namespace)?);
    if let Some(Registration::Registering(due)) = world.state.providers.get(&namespace.to_ascii_lowercase())
        && world.now.jumps()
    {
        world.now.reach(*due);
    }
    ok(&body)
}

/// Starts a registration.
pub(crate) fn register(world: &mut World, namespace: &str) -> Answer {
    let name = known(namespace)?;
    if matches!(state(world, name), "NotRegistered" | "Unregistered") {
        let due = world.now.now().plus(Duration::from_secs(25));
        world.state.providers.insert(name.to_ascii_lowercase(), Registration::Registering(due));
    }
    ok(&describe(world, name))
}

/// Ends a registration, unless resources of the provider exist.
pub(crate) fn unregister(world: &mut World, namespace: &str) -> Answer {
    let name = known(namespace)?;
    let prefix = format!("{}/", name.to_ascii_lowercase());
    let here = format!("/subscriptions/{}/", world.state.subscription).to_ascii_lowercase();
    if world.state.resources.iter().any(|(key, r)| r.kind.starts_with(&prefix) && key.starts_with(&here)) {
        let message = format!("Cannot unregister namespace '{name}': resources of its types still exist.");
        return Err(Failure::new(409, "SubscriptionRegistrationInUse", message));
    }
    world.state.providers.insert(name.to_ascii_lowercase(), Registration::Unregistered);
    ok(&describe(world, name))
}

/// Answers `…/providers/Microsoft.Features/…`.
pub(crate) fn features(world: &mut World, method: Method, path: &str, segments: &[&str]) -> Answer {
    let written: Vec<&str> = path.split('/').skip(1).collect();
    match (method, &segments[4..]) {
        (Method::Get, ["providers", namespace, "features"]) => {
            let prefix = format!("{namespace}/");
            let names: Vec<String> =
                world.state.features.keys().filter(|k| k.starts_with(&prefix)).cloned().collect();
            let item = |world: &World, key: &String| {
                let (namespace, name) = key.split_once('/').unwrap_or_default();
                feature(world, namespace, name)
            };
            ok_list(names.iter().map(|k| item(world, k)).collect())
        }
        (Method::Get, ["providers", _, "features", _]) => {
            let (namespace, name) = (known(written[5])?, written[7]);
            let body = feature(world, namespace, name);
            if let Some(Registration::Registering(due)) =
                world.state.features.get(&feature_key(namespace, name))
                && world.now.jumps()
            {
                world.now.reach(*due);
            }
            ok(&body)
        }
        (Method::Post, ["providers", _, "features", _, verb @ ("register" | "unregister")]) => {
            let (namespace, name) = (known(written[5])?, written[7]);
            let key = feature_key(namespace, name);
            let done = feature(world, namespace, name)["properties"]["state"] == "Registered";
            if *verb == "unregister" {
                world.state.features.insert(key, Registration::Unregistered);
            } else if !done && !matches!(world.state.features.get(&key), Some(Registration::Registering(_))) {
                let due = world.now.now().plus(Duration::from_secs(90));
                world.state.features.insert(key, Registration::Registering(due));
            }
            ok(&feature(world, namespace, name))
        }
        (Method::Get, ["featureproviders", namespace, "subscriptionfeatureregistrations"]) => {
            let prefix = format!("{namespace}/");
            let asked = |state: &Registration| !matches!(state, Registration::Unregistered);
            let features =
                world.state.features.iter().filter(|(key, state)| key.starts_with(&prefix) && asked(state));
            let names: Vec<String> =
                features.filter_map(|(key, _)| Some(key.split_once('/')?.1.to_owned())).collect();
            let namespace = known(written[5])?;
            ok_list(names.iter().map(|name| registration(world, namespace, name)).collect())
        }
        (method, ["featureproviders", _, "subscriptionfeatureregistrations", _]) => {
            let (namespace, name) = (known(written[5])?, written[7]);
            let key = feature_key(namespace, name);
            let there = world
                .state
                .features
                .get(&key)
                .is_some_and(|state| !matches!(state, Registration::Unregistered));
            match method {
                Method::Get if !there => {
                    let message =
                        format!("The feature registration '{namespace}/{name}' could not be found.");
                    Err(Failure::new(404, "ResourceNotFound", message))
                }
                Method::Get => ok(&registration(world, namespace, name)),
                Method::Put => {
                    if !there {
                        let due = world.now.now().plus(Duration::from_secs(90));
                        world.state.features.insert(key, Registration::Registering(due));
                    }
                    ok(&registration(world, namespace, name))
                }
                Method::Delete => {
                    world.state.features.remove(&key);
                    Ok(Response::new(if there { 200 } else { 204 }, ""))
                }
                _ => Err(Failure::new(
                    405,
                    "MethodNotAllowed",
                    format!("The path '{path}' takes GET, PUT and DELETE."),
                )),
            }
        }
        _ => Err(Failure::new(404, "InvalidResourceType", format!("The path '{path}' names no feature."))),
    }
}

fn feature_key(namespace: &str, name: &str) -> String {
    format!("{namespace}/{name}").to_ascii_lowercase()
}

fn feature(world: &World, namespace: &str, name: &str) -> Value {
    let state = match world.state.features.get(&feature_key(namespace, name)) {
        Some(Registration::Registered) => "Registered",
        Some(Registration::Registering(due)) if *due <= world.now.now() => "Registered",
        Some(Registration::Registering(_)) => "Registering",
        Some(Registration::Unregistered) => "Unregistered",
        None => "NotRegistered",
    };
    let base = format!("/subscriptions/{}/providers/Microsoft.Features", world.state.subscription);
    json!({
        "properties": {"state": state},
        "id": format!("{base}/providers/{namespace}/features/{name}"),
        "type": "Microsoft.Features/providers/features",
        "name": format!("{namespace}/{name}"),
    })
}

/// The same as a resource of its own.
fn registration(world: &World, namespace: &str, name: &str) -> Value {
    let base = format!("/subscriptions/{}/providers/Microsoft.Features", world.state.subscription);
    json!({
        "id": format!("{base}/featureProviders/{namespace}/subscriptionFeatureRegistrations/{name}"),
        "type": "Microsoft.Features/featureProviders/subscriptionFeatureRegistrations",
        "name": name,
        "properties": {
            "subscriptionId": world.state.subscription, "providerNamespace": namespace, "featureName": name,
            "state": feature(world, namespace, name)["properties"]["state"], "approvalType": "AutoApproval",
        },
    })
}

#[cfg(test)]
mod tests {
    use crate::testing::Bench;
    use serde_json::json;

    #[tokio::test(start_paused = true)]
    async fn providers_register_after_a_while() {
        let bench = Bench::new().await;
        let path = "/providers/Microsoft.Sql";
        let state = |seen: &crate::testing::Seen| seen.at("/registrationState").clone();
        assert_eq!(state(&bench.get(path).await), json!("NotRegistered"));
        let seen = bench.post(&format!("{path}/register")).await;
        assert_eq!((seen.status, state(&seen)), (200, json!("Registering")));
        assert_eq!(state(&bench.get(path).await), json!("Registering"));
        assert_eq!(state(&bench.get(path).await), json!("Registered"));
        assert_eq!(state(&bench.get("/providers/microsoft.resources").await), json!("Registered"));
        assert_eq!(bench.get("/providers/Microsoft.Nope").await.code(), "InvalidResourceNamespace");
    }

    #[tokio::test(start_paused = true)]
    async fn features_register_after_a_while() {
        let bench = Bench::new().await;
        let path = "/providers/Microsoft.Features/providers/Microsoft.ContainerService/features/F";
        assert_eq!(bench.get(path).await.at("/properties/state"), &json!("NotRegistered"));
        bench.post(&format!("{path}/register")).await;
        assert_eq!(bench.get(path).await.at("/properties/state"), &json!("Registering"));
        assert_eq!(bench.get(path).await.at("/properties/state"), &json!("Registered"));
    }

    #[tokio::test(start_paused = true)]
    async fn a_feature_registers_as_a_resource_too() {
        let bench = Bench::new().await;
        let all = "/providers/Microsoft.Features/featureProviders/Microsoft.ContainerService/subscriptionFeatureRegistrations";
        let path = format!("{all}/F");
        assert_eq!(bench.get(&path).await.status, 404);
        let seen = bench.put(&path, json!({ "properties": {} })).await;
        assert_eq!((seen.status, seen.at("/properties/state")), (200, &json!("Registering")));
        assert_eq!(bench.get(all).await.at("/value/0/name"), &json!("f"));
        assert_eq!(bench.delete(&path).await.status, 200);
        assert_eq!((bench.get(&path).await.status, bench.delete(&path).await.status), (404, 204));
    }
}

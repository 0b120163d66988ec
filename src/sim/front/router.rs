//! From a request to the type that answers it: ARM's front door.

use super::{dispatch, history, microsoft_graph, subscription};
use crate::core::api_versions;
use crate::core::behaviour::Answer;
use crate::core::call::{Call, group_being_deleted, group_not_found, parse_body};
use crate::core::error::Failure;
use crate::core::faults::{self, Bent, Effect, Failing};
use crate::core::json::{Object, drop_nulls, text};
use crate::core::locations::normal_location;
use crate::core::path::{Query, ResourcePath, decode, group_of, last};
use crate::core::world::World;
use crate::host::transport::{Method, Request, Response};
use crate::types::connection;
use serde_json::Value;
use std::time::Duration;

/// What becomes of a request.
#[derive(Debug)]
pub(crate) enum Outcome {
    /// It is answered.
    Answer(Response),
    /// The connection breaks.
    Dropped,
}

/// Answers one request, and says how long the client waits for that.
pub(crate) fn handle(world: &mut World, request: &Request) -> (Outcome, Duration) {
    world.advance();
    *world.counters.requests.entry(request.method.as_str().to_owned()).or_default() += 1;
    let mut bent = Bent::default();
    let mut scripted = None;
    if !world.faults.is_empty() {
        match world.faults.strike(request) {
            Some(Effect::DropBefore) => return (Outcome::Dropped, Duration::ZERO),
            Some(Effect::DropAfter) => bent.drop_after = true,
            Some(Effect::KeepPending) => bent.keep_pending = true,
            Some(Effect::FailOperation { code, message, after }) => {
                bent.fails = Some(Failing { code, message, after });
            }
            Some(Effect::Stall(time)) => bent.stall = time,
            Some(Effect::Stale(time)) => bent.stale = Some(time),
            Some(Effect::Busy) => scripted = Some(faults::busy(request)),
            Some(Effect::Denied { policy }) => {
                scripted = Some(faults::denied(request, &world.state.subscription, &policy));
            }
            Some(Effect::Answer { status, code, message, retry_after }) => {
                let failure = Failure::new(status, &code, message);
                scripted = Some(match retry_after {
                    // Whole seconds are all that the header can say.
                    Some(after) => failure.retry_after(after.as_millis().div_ceil(1000) as u64),
                    None => failure,
                });
            }
            None => {}
        }
    }
    let bucket = match request.method {
        Method::Get | Method::Head => 0,
        Method::Delete => 2,
        Method::Put | Method::Patch | Method::Post => 1,
    };
    let (drop_after, stall) = (bent.drop_after, bent.stall);
    let before = bent.stale.map(|time| (time, before(world, request)));
    let number: u64 = world.counters.requests.values().sum();
    let id = format!("00000000-0000-4000-8000-{number:012x}");
    let correlation = request.headers.get("x-ms-correlation-request-id").unwrap_or(&id).to_owned();
    if world.read_only
        && let Some(refusal) = history::refuse_reader(request)
    {
        scripted = Some(refusal);
    }
    let watched = history::watch(world, request);
    let taken = match is_graph(request) {
        // Resource Graph has a budget of its own.
        true => Ok(None),
        false => world.buckets.take(bucket, world.now.now()).map(Some),
    };
    let (tokens, result) = match taken {
        Err(refusal) => (None, Err(refusal)),
        Ok(tokens) => (tokens, scripted.map_or_else(|| answer(world, request, bent), Err)),
    };
    let mut response = result.unwrap_or_else(|failure| {
        if failure.passing && world.now.jumps() {
            world.now.reach(world.now.now().plus(Duration::from_secs(10)));
        }
        failure.response()
    });
    if let Some((time, seen)) = before
        && response.status < 300
    {
        let (key, _) = key_of(request);
        world.stale.insert(key, (world.now.now().plus(time), seen));
    }
    if response.status == 429 {
        world.counters.throttled += 1;
    }
    if let Some(watched) = watched {
        history::note(world, request, watched, &response, &correlation);
    }
    if drop_after {
        return (Outcome::Dropped, stall);
    }
    let headers = &mut response.headers;
    headers.set("x-ms-correlation-request-id", correlation);
    headers.set("x-ms-request-id", id);
    if let Some((name, left)) = tokens {
        headers.set(&format!("x-ms-ratelimit-remaining-subscription-{name}"), left.to_string());
    }
    if !response.body.is_empty() && headers.get("content-type").is_none() {
        headers.set("content-type", "application/json; charset=utf-8");
    }
    (Outcome::Answer(response), stall)
}

/// Whether a request is a query of Resource Graph.
fn is_graph(request: &Request) -> bool {
    let path = request.path_and_query().split('?').next().unwrap_or_default();
    request.method == Method::Post && path.trim_end_matches('/').eq_ignore_ascii_case(history::GRAPH)
}

/// The key in the store that a request is on, and the path as the client spells it.
fn key_of(request: &Request) -> (String, String) {
    let full = request.path_and_query();
    let path = decode(full.split_once('?').map_or(full, |(path, _)| path).trim_end_matches('/'));
    (path.to_ascii_lowercase(), path)
}

/// What a read of this resource answers before something is done to it.
fn before(world: &mut World, request: &Request) -> Response {
    let read = Request { method: Method::Get, body: bytes::Bytes::new(), ..request.clone() };
    answer(world, &read, Bent::default()).unwrap_or_else(|failure| failure.response())
}

fn answer(world: &mut World, request: &Request, bent: Bent) -> Answer {
    let (key, _) = key_of(request);
    let before = world.state.enter(&key);
    let answer = answer_here(world, request, bent);
    world.state.leave(before);
    answer
}

fn answer_here(world: &mut World, request: &Request, bent: Bent) -> Answer {
    let full = request.path_and_query();
    let origin = &request.url[..request.url.len() - full.len()];
    let origin = if origin.is_empty() { "https://management.azure.com" } else { origin };
    let (path, query) = full.split_once('?').unwrap_or((full, ""));
    let path = decode(path.trim_end_matches('/'));
    let key = path.to_ascii_lowercase();
    let query = Query(query);
    if key == "/metadata/endpoints" {
        return Ok(subscription::endpoints(origin, &query.get("api-version").unwrap_or_default()));
    }
    if microsoft_graph::is_its(&key) {
        return Ok(microsoft_graph::dispatch(world, request, &key, &query));
    }
    check_version(&query)?;
    let method = request.method;
    if is_graph(request) {
        return history::graph(world, request);
    }
    if method == Method::Get
        && !world.stale.is_empty()
        && let Some((until, response)) = world.stale.get(&key).cloned()
    {
        if world.now.now() < until {
            if world.now.jumps() {
                world.now.reach(world.now.now().plus(Duration::from_secs(10)));
            }
            return Ok(response);
        }
        world.stale.remove(&key);
    }
    // The most frequent request by far: no more is parsed than it takes to find the resource.
    if method == Method::Get
        && let Some(resource) = world.state.resources.get(&key)
        && query.get("kv-operation").is_none()
    {
        let version = query.get("api-version").unwrap_or_default();
        api_versions::check(&resource.kind, &version, text(&resource.body, "location").unwrap_or_default())?;
        let mut response = world.answer(200, &key);
        if let Some(etag) = world.state.resources.get(&key).and_then(|r| text(&r.body, "etag")) {
            response.headers.set("etag", etag);
        }
        pass_time(world, &key);
        return Ok(response);
    }
    if let Some(answer) = subscription::dispatch(world, request, origin, &path, &key, &query) {
        return answer;
    }
    let resource_path = ResourcePath::parse(&path).unwrap_or_else(|| ResourcePath::other(&path));
    let (kind, type_name) = (resource_path.kind(), String::new());
    let mut call = Call {
        request,
        method,
        origin,
        id: resource_path.id.clone(),
        path: resource_path,
        query,
        body: Object::new(),
        raw: Object::new(),
        bent,
        kind,
        type_name,
    };
    if method == Method::Get
        && let Some(response) = world.poll(&call, &key)
    {
        return Ok(response);
    }
    if call.path.types.is_empty() {
        return Err(Failure::new(
            404,
            "InvalidResourceType",
            format!("The path '{path}' names no resource."),
        ));
    }
    if !request.body.is_empty() && !method.is_read() {
        call.raw = parse_body(&request.body)?;
        let mut body = Value::Object(call.raw.clone());
        drop_nulls(&mut body);
        call.body = crate::core::json::object(body);
        for body in [&mut call.body, &mut call.raw] {
            if let Some(Value::String(location)) = body.get_mut("location") {
                *location = normal_location(location);
            }
        }
    }
    let version = call.query.get("api-version").unwrap_or_default();
    // An action is asked for in a version of what it is done to.
    let kind = match (method, call.path.owner()) {
        (Method::Post, Some(owner)) => owner.kind(),
        _ => call.kind.clone(),
    };
    api_versions::check(&kind, &version, text(&call.body, "location").unwrap_or_default())?;
    check_group(world, &call)?;
    dispatch::dispatch(world, &mut call)
}

/// Under `Time::Jump`, whoever reads a resource that is still busy brings its end about.
fn pass_time(world: &mut World, key: &str) {
    if !world.now.jumps() {
        return;
    }
    if world.state.resources.get(key).is_some_and(|r| r.kind == "microsoft.network/privateendpoints")
        && let Some(due) = connection::due_for(world, key)
    {
        return world.now.reach(due);
    }
    let state = world.state.resources.get(key).and_then(|r| r.state());
    if state.is_none_or(|s| matches!(s, "Succeeded" | "Failed" | "Canceled")) {
        return;
    }
    let related = |target: &str| {
        let within =
            |a: &str, b: &str| a.len() > b.len() && a.starts_with(b) && a.as_bytes()[b.len()] == b'/';
        target == key || within(target, key) || within(key, target)
    };
    let due = world
        .running
        .iter()
        .filter(|(_, id)| world.state.operations.get(id).is_some_and(|o| related(&o.target)))
        .map(|(due, _)| *due)
        .next();
    if let Some(due) = due {
        world.now.reach(due);
    }
}

fn check_version(query: &Query<'_>) -> Result<(), Failure> {
    let Some(version) = query.get("api-version").filter(|v| !v.is_empty()) else {
        let message = "The api-version query parameter (?api-version=) is required for all requests.";
        return Err(Failure::bad("MissingApiVersionParameter", message));
    };
    if api_versions::is_well_formed(&version) {
        return Ok(());
    }
    let message = format!(
        "The api-version '{version}' is invalid. The supported versions are dates, such as '2025-05-01'."
    );
    Err(Failure::bad("InvalidApiVersionParameter", message))
}

fn check_group(world: &World, call: &Call<'_>) -> Result<(), Failure> {
    let Some(group) = group_of(&call.path.key) else { return Ok(()) };
    let name = last(group_of(&call.path.id).unwrap_or(group));
    let Some(resource) = world.state.resources.get(group) else {
        return Err(group_not_found(name));
    };
    let writes = matches!(call.method, Method::Put | Method::Patch | Method::Post);
    if writes && resource.state() == Some("Deleting") {
        return Err(group_being_deleted(name));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use crate::host::transport::{Method, Request, Transport};
    use crate::testing::Bench;
    use crate::{Effect, Fault, Options, Simulator, Throttling};
    use serde_json::json;

    #[tokio::test(start_paused = true)]
    async fn front_door_refuses_what_arm_refuses() {
        let bench = Bench::new().await;
        let nsg = Bench::rid("Microsoft.Network/networkSecurityGroups/n");
        let at = |place: &str| json!({"location": place});
        for (method, path, body, status, code) in [
            (
                Method::Get,
                "/subscriptions/other/x?api-version=2020-01-01".into(),
                None,
                404,
                "SubscriptionNotFound",
            ),
            (Method::Get, format!("{nsg}?api-version="), None, 400, "MissingApiVersionParameter"),
            (Method::Get, format!("{nsg}?api-version=latest"), None, 400, "InvalidApiVersionParameter"),
            (Method::Get, format!("{nsg}?api-version=2025-02-30"), None, 400, "InvalidApiVersionParameter"),
            (Method::Get, format!("{nsg}?api-version=2025-05-02"), None, 400, "NoRegisteredProviderFound"),
            // A version of another type of the namespace.
            (
                Method::Put,
                format!(
                    "{}?api-version=2025-05-01",
                    Bench::rid("Microsoft.Network/privateDnsZones/a.internal")
                ),
                Some(at("global")),
                400,
                "NoRegisteredProviderFound",
            ),
            (Method::Get, Bench::rid("Microsoft.Network/virtualNetwork"), None, 404, "InvalidResourceType"),
            (Method::Get, Bench::rid("Microsoft.Web/sites/s/configs"), None, 404, "InvalidResourceType"),
            (Method::Get, "/providers/Microsoft.Storage/accounts".into(), None, 404, "InvalidResourceType"),
            (Method::Get, nsg.clone(), None, 404, "ResourceNotFound"),
            (Method::Delete, nsg.clone(), None, 204, ""),
            (Method::Put, nsg.clone(), Some(json!({})), 400, "LocationRequired"),
            (Method::Put, nsg.clone(), Some(at("atlantis")), 400, "LocationNotAvailableForResourceType"),
            (
                Method::Put,
                Bench::rid("Microsoft.Nope/a/b"),
                Some(at("westeurope")),
                404,
                "InvalidResourceNamespace",
            ),
            (
                Method::Put,
                Bench::rid("Microsoft.KeyVault/a/b"),
                Some(at("westeurope")),
                404,
                "InvalidResourceType",
            ),
            (
                Method::Put,
                Bench::rid("Microsoft.Sql/servers/b"),
                Some(at("westeurope")),
                409,
                "MissingSubscriptionRegistration",
            ),
            (
                Method::Put,
                Bench::rid("Microsoft.Network/virtualNetworks/v/subnets/s"),
                Some(json!({})),
                404,
                "ParentResourceNotFound",
            ),
            (
                Method::Put,
                nsg.replace("/rg/", "/none/"),
                Some(at("westeurope")),
                404,
                "ResourceGroupNotFound",
            ),
        ] {
            let seen = bench.send(method, &path, body, &[]).await;
            assert_eq!((seen.status, seen.code()), (status, code), "{method} {path}");
        }
        let mut request = Request::new(Method::Put, format!("https://h{nsg}?api-version=2025-05-01"));
        request.body = "{".into();
        let response = bench.sim.send(request).await.unwrap();
        assert_eq!(response.status, 400);
        bench.make(&nsg, at("West Europe")).await;
        let moved = bench.put(&nsg, at("northeurope")).await;
        assert_eq!((moved.status, moved.code()), (409, "InvalidResourceLocation"));
    }

    #[tokio::test(start_paused = true)]
    async fn entity_tags_are_honoured() {
        let bench = Bench::new().await;
        let nsg = Bench::rid("Microsoft.Network/networkSecurityGroups/n");
        let body = json!({"location": "westeurope"});
        let create_only = [("if-none-match", "*")];
        let seen = bench.send(Method::Put, &nsg, Some(body.clone()), &create_only).await;
        assert_eq!(seen.status, 201);
        bench.settle(&seen).await;
        let stale = seen.at("/etag").as_str().unwrap().to_owned();
        let fresh = bench.get(&nsg).await.header("etag").to_owned();
        assert_ne!(stale, fresh);
        assert_eq!(bench.send(Method::Put, &nsg, Some(body.clone()), &create_only).await.status, 412);
        assert_eq!(
            bench.send(Method::Put, &nsg, Some(body.clone()), &[("if-match", &stale)]).await.status,
            412
        );
        assert_eq!(bench.send(Method::Put, &nsg, Some(body), &[("if-match", &fresh)]).await.status, 200);
    }

    #[tokio::test(start_paused = true)]
    async fn faults_strike_once_and_headers_are_there() {
        let bench = Bench::new().await;
        let nsg = Bench::rid("Microsoft.Network/networkSecurityGroups/n");
        let body = json!({"location": "westeurope"});
        let busy =
            Effect::Answer { status: 429, code: "Throttled".into(), message: "m".into(), retry_after: None };
        bench.sim.fail_next(Fault::once(Method::Put, "/networkSecurityGroups/N", busy));
        bench.sim.fail_next(Fault::once(Method::Put, "/networkSecurityGroups/N", Effect::DropAfter));
        let refused = bench.put(&nsg, body.clone()).await;
        assert_eq!((refused.status, refused.code()), (429, "Throttled"));
        let mut request = Request::new(Method::Put, format!("https://h{nsg}?api-version=2025-05-01"));
        request.body = body.to_string().into();
        assert!(bench.sim.send(request).await.unwrap_err().retryable);
        let seen = bench.send(Method::Get, &nsg, None, &[("x-ms-correlation-request-id", "c")]).await;
        assert_eq!(seen.status, 200);
        assert_eq!(seen.header("x-ms-correlation-request-id"), "c");
        assert!(!seen.header("x-ms-ratelimit-remaining-subscription-reads").is_empty());
        let counters = bench.sim.counters();
        assert_eq!((counters.throttled, counters.creates[&nsg.to_ascii_lowercase()]), (1, 1));
    }

    #[tokio::test(start_paused = true)]
    async fn empty_buckets_throttle() {
        let sim = Simulator::new(Options { throttling: Throttling::Azure, ..Options::default() });
        let mut statuses = Vec::new();
        for _ in 0..260 {
            let url = "https://h/subscriptions?api-version=2022-12-01";
            statuses.push(sim.send(Request::new(Method::Get, url)).await.unwrap().status);
        }
        assert!(statuses[..250].iter().all(|s| *s == 200));
        assert_eq!(statuses[250], 429);
        assert_eq!(statuses[251], 200);
    }
}

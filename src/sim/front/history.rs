//! What Azure tells of the past: changes by Resource Graph, events by the Activity Log; and the noting of both.

use super::kusto;
use crate::core::behaviour::Answer;
use crate::core::call::parse_body;
use crate::core::error::Failure;
use crate::core::history::{self, Caller, ChangeType, GraphBudget, Record};
use crate::core::json::{Object, text};
use crate::core::options::{CALLER_OBJECT_ID, Throttling};
use crate::core::path::{Query, ResourcePath, decode, group_of, last, quoted};
use crate::core::store::Resource;
use crate::core::world::World;
use crate::host::transport::{Method, Request, Response};
use crate::jwt;
use crate::types::table;
use serde_json::{Map, Value, json};
use std::sync::Arc;

/// The path of Resource Graph's queries.
pub(crate) const GRAPH: &str = "/providers/microsoft.resourcegraph/resources";
/// How many queries a caller has in a window.
const GRAPH_QUOTA: u32 = 15;
/// How long the window is, in milliseconds.
const GRAPH_WINDOW: u64 = 5_000;
/// The most rows of a page of Resource Graph.
const GRAPH_PAGE: usize = 1_000;
/// How many events a page of the Activity Log has.
const LOG_PAGE: usize = 200;

/// A write that is about to be carried out.
#[derive(Debug)]
pub(crate) struct Watched {
    key: String,
    id: String,
    before: Option<Value>,
    /// What a deletion takes along.
    below: Vec<(String, String)>,
}

/// Looks at what a request is going to write to; `None` when it writes nothing that Azure remembers.
pub(crate) fn watch(world: &World, request: &Request) -> Option<Watched> {
    let full = request.path_and_query();
    let path = decode(full.split_once('?').map_or(full, |(path, _)| path).trim_end_matches('/'));
    let key = path.to_ascii_lowercase();
    if request.method.is_read() || !key.starts_with("/subscriptions/") || key.contains("/checkname") {
        return None;
    }
    let before = world.show_value(&key);
    let id = world.state.resources.get(&key).map_or(path, |resource| resource.id.clone());
    let below = match request.method {
        Method::Delete => {
            let all = world.state.resources.below(&key).filter(|(key, resource)| is_followed(key, resource));
            all.map(|(_, resource)| (resource.id.clone(), type_of(resource))).collect()
        }
        _ => Vec::new(),
    };
    Some(Watched { key, id, before, below })
}

/// Notes what became of it.
pub(crate) fn note(
    world: &mut World,
    request: &Request,
    watched: Watched,
    response: &Response,
    correlation: &str,
) {
    // Throttled and unauthorised requests never reach a provider.
    if matches!(response.status, 401 | 429) {
        return;
    }
    let taken = history::is_taken(response);
    let caller = Arc::new(caller(request));
    let mut id = watched.id;
    let (mut kind, mut change, mut changes) = (String::new(), None, Map::new());
    let mut action = None;
    if request.method == Method::Post {
        action = Some(last(&id).to_owned());
        id.truncate(id.len() - last(&id).len() - 1);
    }
    let known = world.state.resources.get(&id.to_ascii_lowercase());
    let followed = known.is_some_and(|known| is_followed(&watched.key, known));
    if let Some(known) = known {
        id.clone_from(&known.id);
        kind = type_of(known);
    }
    let after = if request.method == Method::Post { None } else { world.show_value(&watched.key) };
    match (request.method, &watched.before, &after) {
        (Method::Delete, None, _) => return,
        (Method::Delete, Some(before), _) => {
            if kind.is_empty() {
                kind = before.get("type").and_then(Value::as_str).unwrap_or_default().to_owned();
            }
            let parsed = ResourcePath::parse(&id);
            let tracked = before.get("location").is_some() && parsed.is_some_and(|path| is_top(&path));
            change = (taken && tracked).then_some(ChangeType::Delete);
        }
        (_, None, Some(_)) => change = (taken && followed).then_some(ChangeType::Create),
        (_, Some(before), Some(after)) if taken && followed => {
            changes = history::differences(before, after);
            change = (!changes.is_empty()).then_some(ChangeType::Update);
        }
        _ => {}
    }
    if kind.is_empty() {
        kind = written_type(&id);
    }
    let operation = history::operation(request.method, &kind, action.as_deref());
    let mut add = |id: String, kind: String, change, changes| {
        let record = Record {
            number: world.state.history.next(),
            at: world.now.now(),
            id,
            kind,
            method: request.method.as_str().to_owned(),
            operation: operation.clone(),
            status: response.status,
            correlation: correlation.to_owned(),
            caller: caller.clone(),
            change,
            changes,
        };
        world.state.history.add(record);
    };
    if taken {
        for (id, kind) in watched.below {
            add(id, kind, Some(ChangeType::Delete), Map::new());
        }
    }
    add(id, kind, change, changes);
}

/// Who sends a request: the claims of its token, without which it is the simulator's own application.
fn caller(request: &Request) -> Caller {
    let token = request.headers.get("authorization").and_then(|header| header.split_once(' '));
    let claims = token
        .and_then(|(_, token)| jwt::claims(token.trim()))
        .unwrap_or_else(|| json!({ "oid": CALLER_OBJECT_ID, "appid": CALLER_OBJECT_ID, "idtyp": "app" }));
    let text = |name: &str| claims.get(name).and_then(Value::as_str).filter(|text| !text.is_empty());
    let person = text("upn").or_else(|| text("unique_name")).or_else(|| text("preferred_username"));
    let is_app = text("idtyp") == Some("app") || person.is_none();
    let object = text("oid").unwrap_or(CALLER_OBJECT_ID);
    let name = if is_app { object } else { person.unwrap_or(object) };
    Caller {
        name: name.to_owned(),
        kind: if is_app { "Application" } else { "User" }.to_owned(),
        client: client(text("appid").or_else(|| text("azp")), request.headers.get("user-agent")).to_owned(),
        claims: shown_claims(&claims),
    }
}

/// The program that a request comes from, in the words of the change history.
fn client(application: Option<&str>, agent: Option<&str>) -> &'static str {
    // The applications of Microsoft's own clients are the same in every tenant.
    match application {
        Some("c44b4083-3bb0-49c1-b47d-974e53cbdf3c") => return "Azure Portal",
        Some("04b07795-8ddb-461a-bbee-02f9e1bf7b46") => return "Azure CLI",
        Some("1950a258-227b-4e31-a9cf-717495945fc2") => return "Azure PowerShell",
        _ => {}
    }
    let agent = agent.unwrap_or_default().to_ascii_lowercase();
    match () {
        () if agent.contains("azurecli") || agent.contains("azsdk-python-azcli") => "Azure CLI",
        () if agent.contains("azurepowershell") => "Azure PowerShell",
        () => "Unspecified",
    }
}

/// The claims under the names that the Activity Log gives them.
fn shown_claims(claims: &Value) -> Object {
    const NAMES: &[(&str, &str)] = &[
        ("aud", "aud"),
        ("iss", "iss"),
        ("appid", "appid"),
        ("idtyp", "idtyp"),
        ("xms_mirid", "xms_mirid"),
        ("ver", "ver"),
        ("name", "name"),
        ("ipaddr", "ipaddr"),
        ("upn", "http://schemas.xmlsoap.org/ws/2005/05/identity/claims/upn"),
        ("unique_name", "http://schemas.xmlsoap.org/ws/2005/05/identity/claims/name"),
        ("oid", "http://schemas.microsoft.com/identity/claims/objectidentifier"),
        ("tid", "http://schemas.microsoft.com/identity/claims/tenantid"),
    ];
    let shown =
        NAMES.iter().filter_map(|(name, long)| Some(((*long).to_owned(), claims.get(*name)?.clone())));
    shown.collect()
}

/// The type that an id is of, as it is written.
fn written_type(id: &str) -> String {
    match ResourcePath::parse(id) {
        Some(path) => format!("{}/{}", path.namespace, path.types.join("/")),
        None if group_of(id).is_some() => "Microsoft.Resources/subscriptions/resourceGroups".to_owned(),
        None => "Microsoft.Resources/subscriptions".to_owned(),
    }
}

fn type_of(resource: &Resource) -> String {
    text(&resource.body, "type").map_or_else(|| written_type(&resource.id), str::to_owned)
}

fn is_top(path: &ResourcePath) -> bool {
    path.types.len() == 1 && path.names.len() == 1 && group_of(&path.key) == Some(path.scope.as_str())
}

/// Whether the change history follows a resource: those that have a place of their own, and nothing that is a part of one.
fn is_followed(key: &str, resource: &Resource) -> bool {
    let tracked = !resource.location().is_empty() && !table::is_proxy(&resource.kind);
    tracked && ResourcePath::parse(key).is_some_and(|path| is_top(&path))
}

/// Under jumping time, asking about the past brings about that all of it shows.
fn settle(world: &mut World) {
    if world.now.jumps()
        && let Some(due) = world.state.history.settled_at()
    {
        world.now.reach(due);
    }
}

/// `POST /providers/Microsoft.ResourceGraph/resources`.
pub(crate) fn graph(world: &mut World, request: &Request) -> Answer {
    let now = world.now.now();
    let budget = &mut world.graph;
    if now.since(budget.since).as_millis() as u64 >= GRAPH_WINDOW {
        *budget = GraphBudget { since: now, used: 0 };
    }
    let left_ms = GRAPH_WINDOW.saturating_sub(now.since(budget.since).as_millis() as u64);
    let resets = format!("00:00:{:02}", left_ms.div_ceil(1000));
    let spent = budget.used >= GRAPH_QUOTA;
    if !spent {
        budget.used += 1;
    }
    let remaining = GRAPH_QUOTA - budget.used;
    let result = if spent && world.throttling() == Throttling::Azure {
        let message = "Please provide below info when asking for support: timestamp, correlationId. Client application \
                       has been throttled and should not attempt to repeat the request until an amount of time has elapsed.";
        Err(Failure::new(429, "RateLimiting", message).passing())
    } else {
        answer_graph(world, request)
    };
    let mut response = match result {
        Ok(response) => response,
        Err(failure) => {
            if failure.passing && world.now.jumps() {
                world.now.reach(now.plus(std::time::Duration::from_millis(left_ms)));
            }
            failure.response()
        }
    };
    response.headers.set("x-ms-user-quota-remaining", remaining.to_string());
    response.headers.set("x-ms-user-quota-resets-after", resets);
    Ok(response)
}

fn answer_graph(world: &mut World, request: &Request) -> Answer {
    let body = Value::Object(parse_body(&request.body)?);
    let bad = |message: String| {
        Failure::bad(
            "BadRequest",
            "Please provide below info when asking for support: timestamp, correlationId.",
        )
        .detail(json!({ "code": "InvalidQuery", "message": message }))
    };
    let query = body.get("query").and_then(Value::as_str).unwrap_or_default();
    if query.is_empty() {
        return Err(bad("Query is missing or empty.".to_owned()));
    }
    let own = world.state.subscription.clone();
    let asked = body.get("subscriptions").and_then(Value::as_array);
    let in_scope = asked.is_none_or(|asked| {
        asked.iter().filter_map(Value::as_str).any(|asked| asked.eq_ignore_ascii_case(&own))
    });
    settle(world);
    let parsed = kusto::Query::parse(query).map_err(bad)?;
    let rows = match parsed.table.as_str() {
        _ if !in_scope => Vec::new(),
        "resourcechanges" => changes(world),
        "resources" => resources(world),
        "resourcecontainerchanges" | "resourcecontainers" | "policyresources" | "authorizationresources" => {
            Vec::new()
        }
        other => return Err(bad(format!("Table '{other}' was not found in the schema"))),
    };
    let rows = parsed.run(rows).map_err(bad)?;
    let options = body.get("options").cloned().unwrap_or_default();
    let number = |name: &str| options.get(name).and_then(Value::as_u64).map(|number| number as usize);
    let token = options.get("$skipToken").and_then(Value::as_str).and_then(|token| token.parse().ok());
    let from = token.or_else(|| number("$skip")).unwrap_or(0).min(rows.len());
    let size = number("$top").unwrap_or(100).clamp(1, GRAPH_PAGE);
    let to = rows.len().min(from + size);
    let cut = to < rows.len();
    let page: Vec<Value> = rows[from..to].to_vec();
    let mut answer = json!({
        "totalRecords": rows.len(),
        "count": page.len(),
        "data": page,
        "facets": [],
        "resultTruncated": if cut && !parsed.is_pageable() { "true" } else { "false" },
    });
    if options.get("resultFormat").and_then(Value::as_str) == Some("table") {
        answer["data"] = as_table(&answer["data"]);
    }
    // A token is given only when the rows can be told apart.
    if cut && parsed.is_pageable() {
        answer["$skipToken"] = json!(to.to_string());
    }
    Ok(Response::new(200, answer.to_string()))
}

/// Rows as columns and cells.
fn as_table(rows: &Value) -> Value {
    let rows = rows.as_array().map(Vec::as_slice).unwrap_or_default();
    let names: Vec<&String> =
        rows.first().and_then(Value::as_object).into_iter().flat_map(Map::keys).collect();
    let columns: Vec<Value> = names.iter().map(|name| json!({ "name": name, "type": "string" })).collect();
    let cells = rows.iter().map(|row| names.iter().map(|name| row[name.as_str()].clone()).collect::<Value>());
    json!({ "columns": columns, "rows": cells.collect::<Vec<Value>>() })
}

/// The rows of `resourcechanges`.
fn changes(world: &World) -> Vec<Value> {
    let row = |record: &Record| {
        let change = record.change?;
        let number = world.uuid(&record.id, &format!("change {}", record.number));
        let id = format!("{}/providers/Microsoft.Resources/changes/{number}", record.id);
        let mut properties = json!({
            "targetResourceId": record.id,
            "targetResourceType": record.kind.to_ascii_lowercase(),
            "changeType": change.as_str(),
            "changeAttributes": {
                "previousResourceSnapshotId": format!("{:020}", record.number * 2),
                "newResourceSnapshotId": format!("{:020}", record.number * 2 + 1),
                "correlationId": record.correlation,
                "changesCount": record.changes.len(),
                "changedByType": record.caller.kind,
                "changedBy": record.caller.name,
                "clientType": record.caller.client,
                "operation": record.operation,
                "timestamp": record.at.to_string(),
            },
        });
        if change == ChangeType::Update {
            properties["changes"] = Value::Object(record.changes.clone());
        }
        Some(json!({
            "id": id,
            "name": number,
            "type": "microsoft.resources/changes",
            "tenantId": world.state.tenant,
            "subscriptionId": world.state.subscription,
            "resourceGroup": group_of(&record.id).map_or("", last),
            "properties": properties,
        }))
    };
    world.state.history.changes(world.now.now(), world.history_delay).filter_map(row).collect()
}

/// The rows of `resources`.
fn resources(world: &World) -> Vec<Value> {
    let followed = world.state.resources.iter().filter(|(key, resource)| is_followed(key, resource));
    let rows = followed.filter_map(|(key, resource)| {
        let mut row = world.show_value(key)?;
        row["type"] = json!(resource.kind);
        row["subscriptionId"] = json!(world.state.subscription);
        row["tenantId"] = json!(world.state.tenant);
        row["resourceGroup"] = json!(group_of(key).map_or("", last));
        Some(row)
    });
    rows.collect()
}

/// `GET /subscriptions/{id}/providers/Microsoft.Insights/eventtypes/management/values`.
pub(crate) fn log(world: &mut World, origin: &str, path: &str, query: &Query<'_>) -> Answer {
    let filter = query.get("$filter").unwrap_or_default();
    if quoted_after(&filter, "eventtimestamp ge").is_none() {
        let message =
            "The filter has to say from when on events are wanted: eventTimestamp ge '2026-01-01T00:00:00Z'.";
        return Err(Failure::bad("BadRequest", message));
    }
    // Which of these may stand together is fixed, and more than one never do.
    let names = ["resourceUri", "resourceGroupName", "resourceProvider", "correlationId", "resourceId"];
    let asked: Vec<(&str, String)> =
        names.into_iter().filter_map(|name| Some((name, quoted(&filter, name)?))).collect();
    if asked.len() > 1 {
        let message = "The filter combines conditions that cannot stand together.";
        return Err(Failure::bad("BadRequest", message));
    }
    settle(world);
    let from = quoted_after(&filter, "eventtimestamp ge").unwrap_or_default();
    let until = quoted_after(&filter, "eventtimestamp le");
    // Under jumping time a client's clock is not the simulator's, and cannot be compared with it.
    let bound = !world.now.jumps();
    let select: Option<Vec<String>> = query
        .get("$select")
        .map(|select| select.split(',').map(|name| name.trim().to_ascii_lowercase()).collect());
    let wanted = |record: &&Record| {
        let time = record.at.to_string();
        let in_time = !bound
            || (time.get(..19) >= from.get(..19)
                && until.as_ref().is_none_or(|until| time.get(..19) <= until.get(..19)));
        in_time
            && asked.iter().all(|(name, value)| match *name {
                "resourceUri" | "resourceId" => record.id.eq_ignore_ascii_case(value),
                "resourceGroupName" => {
                    group_of(&record.id).is_some_and(|group| last(group).eq_ignore_ascii_case(value))
                }
                "resourceProvider" => {
                    record.kind.split('/').next().is_some_and(|own| own.eq_ignore_ascii_case(value))
                }
                _ => record.correlation.eq_ignore_ascii_case(value),
            })
    };
    let events: Vec<Value> = world
        .state
        .history
        .events(world.now.now(), world.history_delay)
        .filter(wanted)
        .flat_map(|record| [event(world, record, true), event(world, record, false)])
        .collect();
    let skip = query.get("$skiptoken").and_then(|token| token.parse::<usize>().ok()).unwrap_or(0);
    let to = events.len().min(skip + LOG_PAGE);
    let page = events[skip.min(to)..to].iter().map(|event| match (&select, event) {
        (Some(names), Value::Object(members)) => {
            let kept = members.iter().filter(|(name, _)| names.contains(&name.to_ascii_lowercase()));
            Value::Object(kept.map(|(name, value)| (name.clone(), value.clone())).collect())
        }
        _ => event.clone(),
    });
    let mut answer = json!({ "value": page.collect::<Vec<Value>>() });
    if to < events.len() {
        let kept =
            query.0.split('&').filter(|pair| !decode(pair).to_ascii_lowercase().starts_with("$skiptoken"));
        let kept: Vec<&str> = kept.collect();
        answer["nextLink"] = json!(format!("{origin}{path}?{}&$skiptoken={to}", kept.join("&")));
    }
    Ok(Response::new(200, answer.to_string()))
}

/// The text in quotes after these words, in any case.
fn quoted_after(filter: &str, words: &str) -> Option<String> {
    let at = filter.to_ascii_lowercase().find(words)? + words.len();
    let rest = filter.get(at..)?.trim_start().strip_prefix('\'')?;
    rest.split('\'').next().map(str::to_owned)
}

/// A record as one of the two events that each write leaves: its end, or its beginning.
fn event(world: &World, record: &Record, end: bool) -> Value {
    let taken = record.status < 400;
    let status = match (end, taken) {
        (false, _) => "Started",
        (true, true) => "Succeeded",
        (true, false) => "Failed",
    };
    let Caller { name, claims, .. } = &*record.caller;
    let named = |value: &str| json!({ "value": value, "localizedValue": value });
    let event = world.uuid(&record.id, &format!("event {} {end}", record.number));
    json!({
        "id": format!("{}/events/{event}/ticks/{}", record.id, record.at.0),
        "eventDataId": event,
        "channels": "Operation",
        "level": if end && !taken { "Error" } else { "Informational" },
        "category": named("Administrative"),
        "caller": name,
        "claims": claims,
        "authorization": { "action": record.operation, "scope": record.id },
        "correlationId": record.correlation,
        "operationId": record.correlation,
        "operationName": named(&record.operation),
        "status": named(status),
        "subStatus": named(if end { "" } else { "Created" }),
        "eventTimestamp": record.at.to_string(),
        "submissionTimestamp": record.at.to_string(),
        "resourceId": record.id,
        "resourceGroupName": group_of(&record.id).map_or("", last),
        "resourceType": named(&record.kind),
        "resourceProviderName": named(record.kind.split('/').next().unwrap_or_default()),
        "subscriptionId": world.state.subscription,
        "tenantId": world.state.tenant,
        "httpRequest": {
            "clientRequestId": record.correlation,
            "clientIpAddress": "192.0.2.1",
            "method": record.method,
        },
        "properties": { "statusCode": record.status.to_string(), "eventCategory": "Administrative" },
    })
}

/// The refusal of everything but reads, for a caller who is a Reader; `None` when a Reader may do it.
///
/// Resource Graph answers queries that are POSTs, and so do the states of policies: the permissions for them are ones to read.
pub(crate) fn refuse_reader(request: &Request) -> Option<Failure> {
    let full = request.path_and_query();
    let path = decode(full.split_once('?').map_or(full, |(path, _)| path).trim_end_matches('/'));
    let states = ["/policystates/latest/summarize", "/policystates/latest/queryresults"];
    let lower = path.to_ascii_lowercase();
    if request.method.is_read() || lower == GRAPH || states.iter().any(|states| lower.ends_with(states)) {
        return None;
    }
    let caller = caller(request).name;
    let (id, action) = match request.method {
        Method::Post => (crate::core::path::cut(&path, 1), Some(last(&path))),
        _ => (path.as_str(), None),
    };
    let operation = history::operation(request.method, &written_type(id), action);
    let message = format!(
        "The client '{caller}' with object id '{caller}' does not have authorization to perform action '{operation}' \
         over scope '{id}' or the scope is invalid. If access was recently granted, please refresh your credentials."
    );
    Some(Failure::new(403, "AuthorizationFailed", message))
}

#[cfg(test)]
mod tests {
    use super::caller;
    use crate::host::Clock;
    use crate::host::transport::{Method, Request};
    use crate::jwt;
    use crate::testing::{Bench, Seen};
    use crate::{CALLER_OBJECT_ID, Options, SUBSCRIPTION, Simulator, Throttling, Time};
    use serde_json::{Value, json};
    use std::time::Duration;

    const GRAPH: &str = "/providers/Microsoft.ResourceGraph/resources?api-version=2021-03-01";

    async fn ask(bench: &Bench, query: &str, options: Value) -> Seen {
        let body = json!({ "subscriptions": [SUBSCRIPTION], "query": query, "options": options });
        let url = format!("https://management.azure.com{GRAPH}");
        let mut request = Request::new(Method::Post, url);
        request.body = body.to_string().into();
        use crate::host::transport::Transport as _;
        let response = bench.sim.send(request).await.unwrap();
        let body = serde_json::from_slice(&response.body).unwrap();
        Seen { status: response.status, body, response }
    }

    fn token(claims: Value) -> String {
        format!("Bearer {}", crate::jwt::SigningKey::default().sign(&claims))
    }

    async fn log(bench: &Bench, condition: &str) -> Seen {
        let filter = format!("eventTimestamp ge '2025-01-01T00:00:00Z'{condition}");
        let filter = filter.replace(' ', "%20");
        let path = format!("/providers/microsoft.insights/eventtypes/management/values?$filter={filter}");
        bench.get(&path).await
    }

    #[test]
    fn callers_are_told_by_their_token() {
        let mut request = Request::new(Method::Put, "https://h/x");
        assert_eq!(caller(&request).name, CALLER_OBJECT_ID);
        let key = jwt::SigningKey::default();
        let claims = json!({ "upn": "ada@example.com", "oid": "1", "appid": "c44b4083-3bb0-49c1-b47d-974e53cbdf3c", "idtyp": "user" });
        request.headers.set("authorization", format!("Bearer {}", key.sign(&claims)));
        let ada = caller(&request);
        assert_eq!((&*ada.name, &*ada.kind, &*ada.client), ("ada@example.com", "User", "Azure Portal"));
        let claims = json!({ "oid": "2", "appid": "3", "idtyp": "app", "xms_mirid": "/subscriptions/s/x" });
        request.headers.set("authorization", format!("Bearer {}", key.sign(&claims)));
        let identity = caller(&request);
        assert_eq!((&*identity.name, &*identity.kind), ("2", "Application"));
        assert_eq!(identity.claims["xms_mirid"], "/subscriptions/s/x");
    }

    #[tokio::test(start_paused = true)]
    async fn a_change_is_told_with_who_and_what() {
        let bench = Bench::new().await;
        let nsg = Bench::rid("Microsoft.Network/networkSecurityGroups/n");
        bench.make(&nsg, json!({ "location": "westeurope", "tags": { "team": "a" } })).await;
        let ada = token(json!({ "upn": "ada@example.com", "oid": "1", "idtyp": "user" }));
        let body = json!({ "location": "westeurope", "tags": { "team": "b" } });
        let headers = [("authorization", &*ada), ("x-ms-correlation-request-id", "c1")];
        assert_eq!(bench.send(Method::Put, &nsg, Some(body), &headers).await.status, 200);
        let query = format!(
            "resourcechanges | where tolower(tostring(properties.targetResourceId)) in~ ('{nsg}') | order by properties.changeAttributes.timestamp desc"
        );
        let seen = ask(&bench, &query, json!({})).await;
        assert_eq!(seen.status, 200, "{}", seen.body);
        assert_eq!((seen.at("/count"), seen.at("/resultTruncated")), (&json!(2), &json!("false")));
        let update = seen.at("/data/0/properties");
        assert_eq!(update["changeType"], "Update");
        assert_eq!(update["changes"]["tags.team"]["newValue"], "b");
        let attributes = &update["changeAttributes"];
        assert_eq!(attributes["changedBy"], "ada@example.com");
        assert_eq!(
            (&attributes["changedByType"], &attributes["correlationId"]),
            (&json!("User"), &json!("c1"))
        );
        assert_eq!(attributes["changesCount"], 1);
        assert_eq!(seen.at("/data/1/properties/changeType"), "Create");
        assert_eq!(seen.at("/data/1/properties/changes"), &Value::Null);
        assert_eq!(seen.header("x-ms-user-quota-remaining"), "14");
        assert_eq!(seen.header("x-ms-user-quota-resets-after"), "00:00:05");
    }

    #[tokio::test(start_paused = true)]
    async fn parts_are_in_the_log_and_not_in_the_history() {
        let bench = Bench::new().await;
        let vnet = Bench::rid("Microsoft.Network/virtualNetworks/v");
        let space = json!({ "addressSpace": { "addressPrefixes": ["10.0.0.0/16"] } });
        bench.make(&vnet, json!({ "location": "westeurope", "properties": space })).await;
        let subnet = format!("{vnet}/subnets/s");
        bench.make(&subnet, json!({ "properties": { "addressPrefix": "10.0.0.0/24" } })).await;
        let query = "resourcechanges | project properties.targetResourceId";
        let seen = ask(&bench, query, json!({})).await;
        assert!(!seen.body.to_string().to_lowercase().contains("/subnets/"), "{}", seen.body);
        let seen = log(&bench, &format!(" and resourceUri eq '{subnet}'")).await;
        let events = seen.at("/value").as_array().unwrap();
        assert_eq!(events.len(), 2, "{}", seen.body);
        assert_eq!(events[0]["status"]["value"], "Succeeded");
        assert_eq!(events[1]["status"]["value"], "Started");
        assert_eq!(events[0]["operationName"]["value"], "Microsoft.Network/virtualNetworks/subnets/write");
        let both =
            log(&bench, &format!(" and resourceUri eq '{subnet}' and resourceGroupName eq 'rg'")).await;
        assert_eq!(both.status, 400);
        assert_eq!(bench.get("/providers/microsoft.insights/eventtypes/management/values").await.status, 400);
    }

    #[tokio::test(start_paused = true)]
    async fn a_deletion_takes_what_is_below_along() {
        let bench = Bench::new().await;
        let nsg = Bench::rid("Microsoft.Network/networkSecurityGroups/n");
        bench.make(&nsg, json!({ "location": "westeurope" })).await;
        let bob = token(json!({ "oid": "app-1", "appid": "2", "idtyp": "app" }));
        let seen = bench.send(Method::Delete, "/resourceGroups/rg", None, &[("authorization", &bob)]).await;
        assert_eq!(seen.status, 202);
        let query = "resourcechanges | where properties.changeType == 'Delete' | project r = tolower(tostring(properties.targetResourceId)), by = properties.changeAttributes.changedBy";
        let seen = ask(&bench, query, json!({})).await;
        assert_eq!(seen.at("/data"), &json!([{ "r": nsg.to_lowercase(), "by": "app-1" }]));
    }

    #[tokio::test(start_paused = true)]
    async fn both_have_their_delay_and_their_end() {
        let clock = Clock::start(1.0);
        let registered = vec!["Microsoft.Network".to_owned()];
        let options = Options { time: Time::Host(clock.clone()), registered, ..Options::default() };
        let bench = Bench { sim: Simulator::new(options) };
        bench.put("/resourceGroups/rg", json!({ "location": "westeurope" })).await;
        let nsg = Bench::rid("Microsoft.Network/networkSecurityGroups/n");
        bench.put(&nsg, json!({ "location": "westeurope" })).await;
        let seen = async || {
            let changes = ask(&bench, "resourcechanges | project id", json!({})).await.at("/count").clone();
            let events = log(&bench, "").await.at("/value").as_array().unwrap().len();
            (changes.as_u64().unwrap(), events)
        };
        assert_eq!(seen().await, (0, 0));
        clock.sleep(Duration::from_secs(180)).await;
        assert_eq!(seen().await, (1, 0));
        clock.sleep(Duration::from_secs(120)).await;
        assert_eq!(seen().await, (1, 4));
        clock.sleep(Duration::from_secs(15 * 86_400)).await;
        assert_eq!(seen().await, (0, 4));
        clock.sleep(Duration::from_secs(76 * 86_400)).await;
        assert_eq!(seen().await, (0, 0));
    }

    #[tokio::test(start_paused = true)]
    async fn resource_graph_counts_by_itself_and_pages() {
        let options = Options {
            throttling: Throttling::Azure,
            registered: vec!["Microsoft.Network".to_owned()],
            ..Options::default()
        };
        let bench = Bench { sim: Simulator::new(options) };
        bench.put("/resourceGroups/rg", json!({ "location": "westeurope" })).await;
        for at in 0..5 {
            let nsg = Bench::rid(&format!("Microsoft.Network/networkSecurityGroups/n{at}"));
            bench.put(&nsg, json!({ "location": "westeurope" })).await;
        }
        let first = ask(&bench, "resourcechanges | project id", json!({ "$top": 3 })).await;
        assert_eq!(first.at("/count"), &json!(3));
        let token = first.at("/$skipToken").clone();
        let second =
            ask(&bench, "resourcechanges | project id", json!({ "$top": 3, "$skipToken": token })).await;
        assert_eq!((second.at("/count"), second.at("/$skipToken")), (&json!(2), &Value::Null));
        // Rows that cannot be told apart have no next page.
        let blind = ask(&bench, "resourcechanges | project t = type", json!({ "$top": 3 })).await;
        assert_eq!((blind.at("/resultTruncated"), blind.at("/$skipToken")), (&json!("true"), &Value::Null));
        let mut statuses = Vec::new();
        for _ in 0..14 {
            statuses.push(ask(&bench, "resourcechanges | project id", json!({})).await.status);
        }
        // The first query brought time forward, and with it a new window.
        assert!(statuses[..13].iter().all(|status| *status == 200) && statuses[13] == 429, "{statuses:?}");
        assert_eq!(ask(&bench, "resourcechanges | project id", json!({})).await.status, 200);
        assert_eq!(ask(&bench, "resourcechanges | frobnicate", json!({})).await.status, 400);
        assert_eq!(ask(&bench, "nothing | project id", json!({})).await.status, 400);
    }

    #[tokio::test(start_paused = true)]
    async fn a_reader_may_ask_and_write_nothing() {
        let bench = Bench::new().await;
        let nsg = Bench::rid("Microsoft.Network/networkSecurityGroups/n");
        bench.make(&nsg, json!({ "location": "westeurope" })).await;
        bench.sim.read_only(true);
        assert_eq!(bench.get(&nsg).await.status, 200);
        assert_eq!(ask(&bench, "resourcechanges | project id", json!({})).await.status, 200);
        assert_eq!(log(&bench, "").await.status, 200);
        let refused = bench.put(&nsg, json!({ "location": "westeurope" })).await;
        assert_eq!((refused.status, refused.code()), (403, "AuthorizationFailed"));
        let message = refused.at("/error/message").as_str().unwrap();
        assert!(message.contains("'Microsoft.Network/networkSecurityGroups/write'"), "{message}");
        assert_eq!(bench.delete(&nsg).await.status, 403);
        let secret = bench
            .post(&Bench::rid("Microsoft.ContainerService/managedClusters/mc/listClusterUserCredential"))
            .await;
        assert_eq!(secret.status, 403);
        bench.sim.read_only(false);
        assert_eq!(bench.delete(&nsg).await.status, 202);
    }
}

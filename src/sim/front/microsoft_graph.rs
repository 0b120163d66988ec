//! Microsoft Graph, below `/graph/`: as much as clients of ARM ask it about principals.
//!
//! It knows the caller, under whatever application signed in, and the identities of the resources. People and groups
//! are not simulated, unless a test made them known.

use crate::core::json::text;
use crate::core::options::CALLER_OBJECT_ID;
use crate::core::path::Query;
use crate::core::path::quoted;
use crate::core::world::{PrincipalKind, World};
use crate::host::transport::{Method, Request, Response};
use crate::jwt;
use serde_json::{Map, Value, json};

/// What a token for Graph may be meant for, besides the simulator's own address.
pub(crate) const AUDIENCES: &[&str] =
    &["https://graph.microsoft.com", "https://graph.microsoft.us", "https://microsoftgraph.chinacloudapi.cn"];

/// Whether a path (without its query) is Graph's.
pub(crate) fn is_its(path: &str) -> bool {
    path.split('/').nth(1).is_some_and(|first| first.eq_ignore_ascii_case("graph"))
}

/// Answers what is below `/graph/`; `key` is the path in lower case.
pub(super) fn dispatch(world: &World, request: &Request, key: &str, query: &Query<'_>) -> Response {
    let segments: Vec<&str> = key.split('/').skip(2).collect();
    let Some((&("v1.0" | "beta"), rest)) = segments.split_first() else {
        let version = segments.first().unwrap_or(&"");
        return refuse(400, "BadRequest", format!("Invalid version: {version}"));
    };
    let directory = Directory { world, application: application(request) };
    match (request.method, rest) {
        (Method::Get, ["me", ..]) => {
            let message = "/me request is only valid with delegated authentication flow.";
            refuse(400, "BadRequest", message.to_owned())
        }
        (Method::Get, [set]) if Set::parse(set).is_some() => {
            let filter = query.get("$filter").unwrap_or_default();
            let set = Set::parse(set).unwrap_or(Set::All);
            list(directory.all().into_iter().filter(|found| set.has(found) && matches(found, &filter)))
        }
        (Method::Get, [set, id]) if Set::parse(set).is_some() => {
            let set = Set::parse(set).unwrap_or(Set::All);
            match directory.find(id).filter(|found| set.has(found)) {
                Some(found) => Response::new(200, found.to_string()),
                None => refuse(404, "Request_ResourceNotFound", missing(id)),
            }
        }
        (Method::Post, ["directoryobjects", "getbyids"]) => by_ids(&directory, request),
        _ => {
            let last = rest.last().unwrap_or(&"");
            refuse(400, "BadRequest", format!("Resource not found for the segment '{last}'."))
        }
    }
}

/// Answers for those of the given ids that are principals of the wanted types; the others are passed over.
fn by_ids(directory: &Directory<'_>, request: &Request) -> Response {
    let Ok(body) = serde_json::from_slice::<Value>(&request.body) else {
        return refuse(400, "BadRequest", "Unable to read JSON request payload.".to_owned());
    };
    let texts = |member: &str| -> Vec<String> {
        let items = body.get(member).and_then(Value::as_array).into_iter().flatten();
        items.filter_map(Value::as_str).map(str::to_owned).collect()
    };
    let (ids, types) = (texts("ids"), texts("types"));
    if ids.len() > 1000 {
        return refuse(400, "Request_BadRequest", "Too many object ids: at most 1000 are taken.".to_owned());
    }
    let wanted = |found: &Value| {
        types.is_empty()
            || types.iter().any(|t| t == "directoryObject" || kind(found).eq_ignore_ascii_case(t))
    };
    list(ids.iter().filter_map(|id| directory.find(&id.to_ascii_lowercase())).filter(wanted))
}

/// A collection of principals.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Set {
    ServicePrincipals,
    Users,
    Groups,
    /// `directoryObjects`.
    All,
}

impl Set {
    fn parse(segment: &str) -> Option<Set> {
        Some(match segment {
            "serviceprincipals" => Set::ServicePrincipals,
            "users" => Set::Users,
            "groups" => Set::Groups,
            "directoryobjects" => Set::All,
            _ => return None,
        })
    }

    fn has(self, found: &Value) -> bool {
        let kind = kind(found);
        match self {
            Set::ServicePrincipals => kind == "servicePrincipal",
            Set::Users => kind == "user",
            Set::Groups => kind == "group",
            Set::All => true,
        }
    }
}

/// The last word of `@odata.type`.
fn kind(found: &Value) -> &str {
    found["@odata.type"].as_str().and_then(|kind| kind.rsplit('.').next()).unwrap_or_default()
}

/// The application in the token of a request.
fn application(request: &Request) -> Option<String> {
    let (_, token) = request.headers.get("authorization")?.split_once(' ')?;
    Some(jwt::claims(token.trim())?.get("appid")?.as_str()?.to_ascii_lowercase())
}

/// The principals of the world, as whoever signed in sees them.
struct Directory<'w> {
    world: &'w World,
    application: Option<String>,
}

impl Directory<'_> {
    fn all(&self) -> Vec<Value> {
        self.world.state.principals.keys().filter_map(|id| self.find(id)).collect()
    }

    fn find(&self, id: &str) -> Option<Value> {
        let principal = self.world.state.principals.get(id)?;
        let mut found = Map::new();
        let kind = match principal.kind {
            PrincipalKind::User => "user",
            PrincipalKind::Group => "group",
            PrincipalKind::ServicePrincipal => "servicePrincipal",
        };
        found.insert("@odata.type".into(), json!(format!("#microsoft.graph.{kind}")));
        found.insert("id".into(), json!(id));
        match principal.kind {
            PrincipalKind::User => {
                found.insert("displayName".into(), json!(id));
                found.insert("userPrincipalName".into(), json!(format!("{id}@simulated.invalid")));
            }
            PrincipalKind::Group => {
                found.insert("displayName".into(), json!(id));
                found.insert("securityEnabled".into(), json!(true));
            }
            PrincipalKind::ServicePrincipal => {
                let (application, name, kind, origin) = self.service_principal(id);
                let names: Vec<&String> = application.iter().collect();
                found.insert("servicePrincipalNames".into(), json!(names));
                found.insert("appId".into(), json!(application));
                found.insert("displayName".into(), json!(name));
                found.insert("servicePrincipalType".into(), json!(kind));
                found.insert("alternativeNames".into(), json!(origin));
                found.insert("accountEnabled".into(), json!(true));
            }
        }
        Some(Value::Object(found))
    }

    /// Application id, display name, type, and for a managed identity the resource it belongs to.
    fn service_principal(&self, id: &str) -> (Option<String>, String, &'static str, Vec<String>) {
        if id == CALLER_OBJECT_ID {
            return (self.application.clone(), "caller".to_owned(), "Application", Vec::new());
        }
        let state = &self.world.state;
        let owner = state.resources.iter().find_map(|(key, resource)| {
            let body = &resource.body;
            let is = |path: &str| text(body, path).is_some_and(|found| found.eq_ignore_ascii_case(id));
            // Assignments name principals as well, but have none.
            let own = resource.kind == "microsoft.managedidentity/userassignedidentities"
                && is("properties.principalId");
            (own || is("identity.principalId")).then_some((key, resource))
        });
        let Some((_, resource)) = owner else { return (None, id.to_owned(), "Application", Vec::new()) };
        let name = text(&resource.body, "name").unwrap_or(id).to_owned();
        let explicit = text(&resource.body, "properties.principalId").is_some();
        let origin =
            vec![format!("isExplicit={}", if explicit { "True" } else { "False" }), resource.id.clone()];
        let client = text(&resource.body, "properties.clientId").filter(|_| explicit).map(str::to_owned);
        let client = client.or_else(|| Some(self.world.uuid(&resource.key(), "client")));
        (client, name, "ManagedIdentity", origin)
    }
}

/// Whether a principal is what a filter asks for: one comparison for equality, which is all that clients send here.
fn matches(found: &Value, filter: &str) -> bool {
    if filter.is_empty() {
        return true;
    }
    if filter.to_ascii_lowercase().starts_with("serviceprincipalnames/any(") {
        let wanted = quoted(filter, "c").unwrap_or_default();
        let mut names = found["servicePrincipalNames"].as_array().into_iter().flatten();
        return names.any(|name| name.as_str().is_some_and(|name| name.eq_ignore_ascii_case(&wanted)));
    }
    ["appId", "id", "displayName", "userPrincipalName"].into_iter().any(|field| {
        let wanted = quoted(filter, field);
        wanted.is_some_and(|wanted| {
            found[field].as_str().is_some_and(|value| value.eq_ignore_ascii_case(&wanted))
        })
    })
}

fn missing(id: &str) -> String {
    format!(
        "Resource '{id}' does not exist or one of its queried reference-property objects are not present."
    )
}

fn list(found: impl Iterator<Item = Value>) -> Response {
    Response::new(200, json!({"value": found.collect::<Vec<_>>()}).to_string())
}

/// A refusal in Graph's form.
fn refuse(status: u16, code: &str, message: String) -> Response {
    Response::new(status, json!({"error": {"code": code, "message": message}}).to_string())
}

#[cfg(test)]
mod tests {
    use crate::host::transport::Method;
    use crate::testing::Bench;
    use crate::{CALLER_OBJECT_ID, PrincipalKind};
    use serde_json::{Value, json};

    const PERSON: &str = "0e0e0e0e-0000-4000-8000-00000000000a";

    #[tokio::test(start_paused = true)]
    async fn knows_identities_by_application_and_by_object_id() {
        let bench = Bench::new().await;
        let identity = Bench::rid("Microsoft.ManagedIdentity/userAssignedIdentities/uai");
        bench.make(&identity, json!({"location": "westeurope"})).await;
        let seen = bench.get(&identity).await;
        let (principal, client) = (seen.at("/properties/principalId"), seen.at("/properties/clientId"));
        let ask = |path: String| {
            let bench = &bench;
            async move { bench.send(Method::Get, &format!("/graph/v1.0/{path}"), None, &[]).await }
        };
        let filter = format!(
            "servicePrincipals?$filter=servicePrincipalNames%2Fany%28c%3Ac%20eq%20%27{}%27%29",
            client.as_str().unwrap()
        );
        let found = ask(filter).await;
        assert_eq!(found.status, 200, "{:?}", found.body);
        assert_eq!(found.at("/value/0/id"), principal);
        assert_eq!(found.at("/value/0/displayName"), "uai");
        assert_eq!(found.at("/value/1"), &Value::Null);
        let none = ask(format!("servicePrincipals?$filter=appId%20eq%20%27{PERSON}%27")).await;
        assert_eq!((none.status, none.at("/value")), (200, &json!([])));
        let one = ask(format!("servicePrincipals/{}", principal.as_str().unwrap())).await;
        let owner = one.at("/alternativeNames/1").as_str().unwrap();
        assert!(owner.eq_ignore_ascii_case(&identity), "{owner}");
        let me = ask("me".to_owned()).await;
        assert_eq!((me.status, me.code()), (400, "BadRequest"));
        let gone = ask(format!("users/{PERSON}")).await;
        assert_eq!((gone.status, gone.code()), (404, "Request_ResourceNotFound"));
    }

    #[tokio::test(start_paused = true)]
    async fn passes_over_ids_it_does_not_know_and_types_that_are_not_wanted() {
        let bench = Bench::new().await;
        bench.sim.add_principal(PERSON, PrincipalKind::User);
        let ask = |types: Value| {
            let bench = &bench;
            async move {
                let ids = [PERSON, CALLER_OBJECT_ID, "0e0e0e0e-0000-4000-8000-00000000000b"];
                let body = json!({"ids": ids, "types": types});
                bench.send(Method::Post, "/graph/v1.0/directoryObjects/getByIds", Some(body), &[]).await
            }
        };
        let all = ask(json!(["user", "group", "servicePrincipal"])).await;
        let kinds: Vec<&Value> =
            all.at("/value").as_array().unwrap().iter().map(|found| &found["@odata.type"]).collect();
        assert_eq!(kinds, ["#microsoft.graph.user", "#microsoft.graph.servicePrincipal"]);
        let people = ask(json!(["user"])).await;
        assert_eq!(people.at("/value/0/id"), PERSON);
        assert_eq!(people.at("/value/1"), &Value::Null);
    }
}

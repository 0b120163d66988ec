//! A record of every exchange, with secrets and tokens removed.

use super::envelope::json;
use super::transport::{Headers, Request, Response, TransportError};
use crate::host::Timestamp;
use serde::Serialize;
use serde_json::{Map, Value};
use std::time::Duration;

/// What stands where something was removed.
const REMOVED: &str = "(removed)";

/// Told of every exchange. It is called on the path of each request, so it should be quick.
pub trait Trace: Send + Sync {
    /// Takes note of an exchange.
    fn record(&self, exchange: &Exchange);
}

/// One request and what came of it, free of secrets.
#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Exchange {
    /// When the request was sent, in RFC 3339.
    pub time: String,
    /// How long the answer took.
    pub elapsed_ms: u64,
    /// Which attempt this was, from 1.
    pub attempt: u32,
    /// The HTTP method.
    pub method: &'static str,
    /// The URL, its signature removed.
    pub url: String,
    /// The headers sent.
    pub request_headers: Map<String, Value>,
    /// The body sent, if any.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub request_body: Option<Value>,
    /// The HTTP status, if an answer came.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub status: Option<u16>,
    /// The headers received.
    #[serde(skip_serializing_if = "Map::is_empty")]
    pub response_headers: Map<String, Value>,
    /// The body received, if any.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub response_body: Option<Value>,
    /// Why no answer came.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub error: Option<String>,
    /// What was removed because of where it stood: whoever writes the exchange down takes it out wherever else it stands.
    #[serde(skip)]
    pub removed: Removed,
}

/// Values that were removed. They have no `Debug` and are not written.
#[derive(Clone, Default)]
pub struct Removed(Vec<String>);

impl Removed {
    /// The values.
    pub fn expose(&self) -> impl Iterator<Item = &str> {
        self.0.iter().map(String::as_str)
    }

    /// Notes a value; one that is short is in every text.
    fn note(&mut self, value: &Value) {
        let text = value.as_str().unwrap_or_default();
        if text.len() >= 6 && !self.0.iter().any(|known| known == text) {
            self.0.push(text.to_owned());
        }
    }
}

impl std::fmt::Debug for Removed {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Removed(…)")
    }
}

impl Exchange {
    /// Records an exchange.
    pub fn new(
        sent: Timestamp,
        elapsed: Duration,
        attempt: u32,
        request: &Request,
        outcome: &Result<Response, TransportError>,
    ) -> Self {
        let caution = Caution::of(request);
        let mut removed = Removed::default();
        let authorization = request.headers.get("authorization").and_then(|value| value.split_once(' '));
        // The word that a client without a sign-in sends is none.
        if let Some((_, token)) = authorization.filter(|(_, token)| token.len() >= 16) {
            removed.note(&token.into());
        }
        let mut exchange = Exchange {
            time: sent.to_string(),
            elapsed_ms: elapsed.as_millis() as u64,
            attempt,
            method: request.method.as_str(),
            url: clean_url(&request.url),
            request_headers: clean_headers(&request.headers),
            request_body: clean_body(&request.body, caution, &mut removed),
            status: None,
            response_headers: Map::new(),
            response_body: None,
            error: None,
            removed: Removed::default(),
        };
        match outcome {
            Ok(response) => {
                exchange.status = Some(response.status);
                exchange.response_headers = clean_headers(&response.headers);
                exchange.response_body = clean_body(&response.body, caution, &mut removed);
            }
            Err(error) => exchange.error = Some(error.reason.clone()),
        }
        exchange.removed = removed;
        exchange
    }
}

/// How much of a body is secret.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Caution {
    /// What its name gives away.
    Names,
    /// `value` as well: a secret of a vault.
    Values,
    /// Every text: credentials on demand, settings of an app.
    Everything,
}

impl Caution {
    fn of(request: &Request) -> Self {
        let path = super::error::without_query(request.path_and_query()).to_ascii_lowercase();
        let action = path.rsplit('/').next().unwrap_or_default();
        if action.starts_with("list")
            || action.starts_with("regenerate")
            || path.contains("/config/appsettings")
            || path.contains("/config/connectionstrings")
        {
            Caution::Everything
        } else if path.contains("/secrets/") {
            Caution::Values
        } else {
            Caution::Names
        }
    }
}

fn clean_body(body: &[u8], caution: Caution, removed: &mut Removed) -> Option<Value> {
    if body.is_empty() {
        return None;
    }
    let Some(mut value) = json(body) else {
        return Some(Value::String(format!("({} bytes that are not JSON)", body.len())));
    };
    clean(&mut value, caution, removed);
    Some(value)
}

fn clean(value: &mut Value, caution: Caution, removed: &mut Removed) {
    let remove = |value: &mut Value, removed: &mut Removed| {
        removed.note(value);
        *value = REMOVED.into();
    };
    match value {
        Value::Object(members) => {
            for (name, member) in members.iter_mut() {
                let name = name.to_ascii_lowercase().replace('_', "");
                let caution = if holds_secrets(&name) { Caution::Everything } else { caution };
                let secret = match caution {
                    Caution::Everything => !is_public(&name),
                    Caution::Values => name == "value" || is_secret(&name),
                    Caution::Names => is_secret(&name),
                };
                match member {
                    Value::String(_) | Value::Number(_) if secret => remove(member, removed),
                    _ => clean(member, caution, removed),
                }
            }
        }
        Value::Array(items) => {
            for item in items {
                match item {
                    Value::String(_) if caution == Caution::Everything => remove(item, removed),
                    _ => clean(item, caution, removed),
                }
            }
        }
        Value::String(text) if is_token(text) => remove(value, removed),
        _ => {}
    }
}

/// Objects whose members are all secret, whatever they are called.
fn holds_secrets(name: &str) -> bool {
    name.contains("protectedsettings") || name == "secretvalues"
}

/// Members that are secret by their name. Names of secrets and their addresses are not, nor are public keys.
fn is_secret(name: &str) -> bool {
    const WORDS: &[&str] = &[
        "password",
        "secret",
        "connectionstring",
        "privatekey",
        "sharedkey",
        "accountkey",
        "accesskey",
        "kubeconfig",
    ];
    const WHOLE: &[&str] = &[
        "accesstoken",
        "clientassertion",
        "key1",
        "key2",
        "primarykey",
        "refreshtoken",
        "sas",
        "sastoken",
        "secondarykey",
        "sshprivatekey",
        "httpskey",
        "token",
    ];
    const HARMLESS: &[&str] = &["name", "id", "uri", "url", "version", "rotation", "interval", "provider"];
    let worded = WORDS.iter().any(|word| name.contains(word));
    WHOLE.contains(&name) || (worded && !HARMLESS.iter().any(|tail| name.ends_with(tail)))
}

/// Members that may be seen even where everything else is secret.
fn is_public(name: &str) -> bool {
    matches!(
        name,
        "id" | "name" | "type" | "keydata" | "keyname" | "location" | "nextlink" | "code" | "message"
    )
}

/// A JSON web token in disguise.
fn is_token(text: &str) -> bool {
    text.len() > 40 && text.starts_with("eyJ") && text.bytes().filter(|b| *b == b'.').count() == 2
}

fn clean_headers(headers: &Headers) -> Map<String, Value> {
    headers
        .iter()
        .map(|(name, value)| {
            let value = match name {
                "authorization"
                | "proxy-authorization"
                | "x-ms-authorization-auxiliary"
                | "set-cookie"
                | "cookie"
                | "x-ms-policy-external-evaluations" => REMOVED.to_owned(),
                "location" | "azure-asyncoperation" => clean_url(value),
                _ => value.to_owned(),
            };
            (name.to_owned(), value.into())
        })
        .collect()
}

/// Removes what signs a URL. What remains names the operation, and no more can be done with it.
fn clean_url(url: &str) -> String {
    const SIGNING: &[&str] = &["c", "s", "h", "sig", "code", "token", "kv-operation"];
    let Some((path, query)) = url.split_once('?') else { return url.to_owned() };
    let mut clean = format!("{path}?");
    for (index, pair) in query.split('&').enumerate() {
        if index > 0 {
            clean.push('&');
        }
        let name = pair.split('=').next().unwrap_or(pair);
        if SIGNING.iter().any(|signing| signing.eq_ignore_ascii_case(name)) {
            clean.push_str(name);
            clean.push('=');
            clean.push_str(REMOVED);
        } else {
            clean.push_str(pair);
        }
    }
    clean
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::arm::transport::Method;
    use serde_json::json;

    fn record(method: Method, path: &str, sent: &Value, received: &Value) -> String {
        let mut request = Request::new(method, format!("https://management.azure.com{path}"));
        request.headers.set("authorization", "Bearer HUSH");
        request.body = sent.to_string().into();
        let mut response = Response::new(200, received.to_string());
        response
            .headers
            .set("location", "https://management.azure.com/op?api-version=1&t=1&c=HUSH&s=HUSH&h=HUSH");
        let exchange = Exchange::new(Timestamp(0), Duration::from_millis(7), 1, &request, &Ok(response));
        serde_json::to_string(&exchange).unwrap()
    }

    #[test]
    fn nothing_secret_is_recorded_and_nothing_else_is_missing() {
        let cluster = json!({"properties": {
            "windowsProfile": {"adminUsername": "seen", "adminPassword": "HUSH"},
            "servicePrincipalProfile": {"clientId": "seen", "secret": "HUSH"},
            "linuxProfile": {"ssh": {"publicKeys": [{"keyData": "seen"}]}},
            "addonProfiles": {"azureKeyvaultSecretsProvider": {"config": {"enableSecretRotation": "seen"}}},
            "configurationProtectedSettings": {"anything": "HUSH", "nested": {"deep": ["HUSH"]}},
            "permissions": {"secrets": ["seen"]},
            "keyVaultSecretId": "seen",
            "connectionString": "HUSH",
            "proof": format!("eyJ{}.HUSH.HUSH", "x".repeat(40)),
        }});
        for (method, path, sent, received, seen) in [
            (Method::Put, "/managedClusters/c?api-version=1", cluster.clone(), cluster, 12),
            (
                Method::Put,
                "/vaults/v/secrets/s?api-version=1",
                json!({"properties": {"value": "HUSH", "contentType": "seen"}}),
                json!({"properties": {"contentType": "seen"}}),
                2,
            ),
            (
                Method::Post,
                "/storageAccounts/a/listKeys?api-version=1",
                json!({}),
                json!({"keys": [{"keyName": "seen", "value": "HUSH"}]}),
                1,
            ),
        ] {
            let text = record(method, path, &sent, &received);
            assert!(!text.contains("HUSH"), "{text}");
            assert_eq!(text.matches("seen").count(), seen, "{text}");
            assert!(text.contains("api-version=1&t=1&c=(removed)"), "{text}");
        }
    }
}

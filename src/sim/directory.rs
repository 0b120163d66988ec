//! The directory: what Microsoft Entra ID answers to whoever signs in, and whether a token is good.
//!
//! Everybody who signs in is the simulator's one caller. What is refused is refused in Entra's words, with its
//! `AADSTS` codes, because clients and people react to those.

use super::jwt::{self, SigningKey};
use crate::core::error::Failure;
use crate::core::options::CALLER_OBJECT_ID;
use crate::front::microsoft_graph;
use crate::host::transport::{Method, Request, Response};
use crate::host::{Clock, Timestamp};
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::fmt;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

/// How the simulator treats those who sign in.
#[derive(Clone)]
pub struct SignIn {
    /// Whether ARM's part answers only who has a token of this directory.
    pub required: bool,
    /// The one secret that applications sign in with; any will do without it.
    pub secret: Option<String>,
    /// A secret that was good once.
    pub expired_secret: Option<String>,
    /// How long a token is good.
    pub lifetime: Duration,
}

impl Default for SignIn {
    fn default() -> Self {
        SignIn {
            required: false,
            secret: None,
            expired_secret: None,
            // Entra gives between 60 and 90 minutes; to daemons that see no conditional access, an hour.
            lifetime: Duration::from_secs(3600),
        }
    }
}

impl fmt::Debug for SignIn {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SignIn")
            .field("required", &self.required)
            .field("lifetime", &self.lifetime)
            .finish_non_exhaustive()
    }
}

/// Whom tokens for ARM may be meant for, besides the address of the simulator itself.
const AUDIENCES: &[&str] = &[
    "https://management.azure.com",
    "https://management.core.windows.net",
    "https://management.usgovcloudapi.net",
    "https://management.core.usgovcloudapi.net",
    "https://management.chinacloudapi.cn",
    "https://management.core.chinacloudapi.cn",
];

/// What assertions are called in a request for a token.
const JWT_BEARER: &str = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer";

/// The directory of the simulator's tenant.
#[derive(Debug)]
pub(crate) struct Directory {
    tenant: String,
    sign_in: SignIn,
    /// Tokens live in the time of their clients, which is the world's, whatever the simulator's does.
    clock: Clock,
    key: SigningKey,
    count: AtomicU64,
}

/// A refusal in Entra's form.
struct Refusal {
    status: u16,
    error: &'static str,
    code: u32,
    message: String,
}

impl Refusal {
    fn new(status: u16, error: &'static str, code: u32, message: impl Into<String>) -> Self {
        Refusal { status, error, code, message: message.into() }
    }
}

impl Directory {
    pub(crate) fn new(tenant: String, sign_in: SignIn, clock: Clock) -> Self {
        Directory { tenant, sign_in, clock, key: SigningKey::default(), count: AtomicU64::new(0) }
    }

    /// Answers what is asked on the paths of signing in; `None` when the path is none of them.
    pub(crate) fn answer(&self, request: &Request) -> Option<Response> {
        let full = request.path_and_query();
        let origin = &request.url[..request.url.len() - full.len()];
        let (path, query) = full.split_once('?').unwrap_or((full, ""));
        let key = path.trim_end_matches('/').to_ascii_lowercase();
        let segments: Vec<&str> = key.split('/').skip(1).collect();
        let get = request.method == Method::Get;
        let (tenant, rest) = segments.split_first()?;
        if get && rest == ["discovery", "instance"] {
            return Some(ok(&self.instance(origin, query)));
        }
        let answer = match (request.method, rest) {
            (Method::Get, ["v2.0", ".well-known", "openid-configuration"]) => {
                self.known(tenant).map(|tenant| self.configuration(origin, tenant, Version::Two))
            }
            (Method::Get, [".well-known", "openid-configuration"]) => {
                self.known(tenant).map(|tenant| self.configuration(origin, tenant, Version::One))
            }
            (Method::Get, ["discovery", "v2.0", "keys"] | ["discovery", "keys"]) => {
                self.known(tenant).map(|_| json!({"keys": [self.key.jwk()]}))
            }
            (Method::Post, ["oauth2", "v2.0", "token"]) => self.token(origin, tenant, request, Version::Two),
            (Method::Post, ["oauth2", "token"]) => self.token(origin, tenant, request, Version::One),
            _ => return None,
        };
        Some(match answer {
            Ok(body) => ok(&body),
            Err(refusal) => self.refuse(&refusal, origin, request),
        })
    }

    /// Whether ARM may answer this request.
    pub(crate) fn admit(&self, request: &Request) -> Result<(), Response> {
        let path = request.path_and_query().split('?').next().unwrap_or_default();
        if !self.sign_in.required || path.eq_ignore_ascii_case("/metadata/endpoints") {
            return Ok(());
        }
        let full = request.path_and_query();
        let origin = &request.url[..request.url.len() - full.len()];
        self.check(request, origin).map_err(|failure| {
            let mut response = failure.response();
            let challenge = format!(
                "Bearer authorization_uri=\"{origin}/{}\", error=\"invalid_token\", error_description=\"{}\"",
                self.tenant,
                failure.message.replace('"', "'")
            );
            response.headers.set("www-authenticate", challenge);
            response.headers.set("x-ms-failure-cause", "gateway");
            response
        })
    }

    fn check(&self, request: &Request, origin: &str) -> Result<(), Failure> {
        let refuse = |code: &str, message: String| Err(Failure::new(401, code, message));
        let Some(header) = request.headers.get("authorization") else {
            let message = "Authentication failed. The 'Authorization' header is missing.";
            return refuse("AuthenticationFailed", message.to_owned());
        };
        let token = header.split_once(' ').filter(|(scheme, _)| scheme.eq_ignore_ascii_case("bearer"));
        let Some((_, token)) = token else {
            let message =
                "Authentication failed. The 'Authorization' header is provided in an invalid format.";
            return refuse("AuthenticationFailedInvalidHeader", message.to_owned());
        };
        let Some(claims) = jwt::claims(token.trim()) else {
            return refuse("InvalidAuthenticationToken", "The access token is invalid.".to_owned());
        };
        let now = self.clock.now();
        let expires = claims.get("exp").and_then(Value::as_u64).unwrap_or_default();
        if expires <= now.seconds() {
            let message = format!(
                "The access token expiry UTC time '{}' is earlier than current UTC time '{}'.",
                entra_time(Timestamp(expires * 1000)),
                entra_time(now)
            );
            return refuse("ExpiredAuthenticationToken", message);
        }
        let text = |name: &str| claims.get(name).and_then(Value::as_str).unwrap_or_default();
        let (issued_by, tenant) = (text("tid"), &self.tenant);
        if !issued_by.eq_ignore_ascii_case(tenant) {
            let message = format!(
                "The access token is from the wrong issuer 'https://sts.windows.net/{issued_by}/'. It must match the \
                 tenant 'https://sts.windows.net/{tenant}/' associated with this subscription. Please use the \
                 authority (URL) 'https://login.windows.net/{tenant}' to get the token."
            );
            return refuse("InvalidAuthenticationTokenTenant", message);
        }
        let audience = text("aud").trim_end_matches('/');
        if microsoft_graph::is_its(request.path_and_query()) {
            let known = microsoft_graph::AUDIENCES.iter().any(|known| known.eq_ignore_ascii_case(audience));
            let own = audience.strip_prefix(origin).is_some_and(|rest| rest.eq_ignore_ascii_case("/graph"));
            if known || own {
                return Ok(());
            }
            let message = "Access token validation failure. Invalid audience.";
            return refuse("InvalidAuthenticationToken", message.to_owned());
        }
        let known = AUDIENCES.iter().any(|known| known.eq_ignore_ascii_case(audience));
        if !known && !audience.eq_ignore_ascii_case(origin) {
            let message = format!(
                "The access token has been obtained for wrong audience or resource '{}'. It should exactly match \
                 with one of the allowed audiences '{origin}','https://management.azure.com'.",
                text("aud")
            );
            return refuse("InvalidAuthenticationTokenAudience", message);
        }
        Ok(())
    }

    fn known(&self, tenant: &str) -> Result<String, Refusal> {
        if matches!(tenant, "common" | "organizations") || tenant.eq_ignore_ascii_case(&self.tenant) {
            return Ok(self.tenant.clone());
        }
        let message = format!(
            "Tenant '{tenant}' not found. Check to make sure you have the correct tenant ID and are signing into \
             the correct cloud. Check with your subscription administrator, this may happen if there are no active \
             subscriptions for the tenant."
        );
        Err(Refusal::new(400, "invalid_request", 90002, message))
    }

    fn instance(&self, origin: &str, query: &str) -> Value {
        let host = origin.split("://").nth(1).unwrap_or(origin);
        let asked = form(query).remove("authorization_endpoint");
        let tenant = asked
            .as_deref()
            .and_then(|endpoint| endpoint.split('/').nth(3))
            .filter(|tenant| !tenant.is_empty())
            .unwrap_or("common");
        json!({
            "tenant_discovery_endpoint": format!("{origin}/{tenant}/v2.0/.well-known/openid-configuration"),
            "api-version": "1.1",
            "metadata": [{"preferred_network": host, "preferred_cache": host, "aliases": [host]}],
        })
    }

    fn configuration(&self, origin: &str, tenant: String, version: Version) -> Value {
        let base = format!("{origin}/{tenant}");
        let (infix, keys) = match version {
            Version::One => ("oauth2", "discovery/keys"),
            Version::Two => ("oauth2/v2.0", "discovery/v2.0/keys"),
        };
        json!({
            "issuer": match version {
                Version::One => format!("https://sts.windows.net/{tenant}/"),
                Version::Two => format!("{base}/v2.0"),
            },
            "authorization_endpoint": format!("{base}/{infix}/authorize"),
            "token_endpoint": format!("{base}/{infix}/token"),
            "device_authorization_endpoint": format!("{base}/{infix}/devicecode"),
            "end_session_endpoint": format!("{base}/{infix}/logout"),
            "jwks_uri": format!("{base}/{keys}"),
            "token_endpoint_auth_methods_supported":
                ["client_secret_post", "private_key_jwt", "client_secret_basic"],
            "response_modes_supported": ["query", "fragment", "form_post"],
            "response_types_supported": ["code", "id_token", "code id_token", "id_token token"],
            "subject_types_supported": ["pairwise"],
            "id_token_signing_alg_values_supported": [jwt::ALGORITHM],
            "scopes_supported": ["openid", "profile", "email", "offline_access"],
            "claims_supported": ["sub", "iss", "aud", "exp", "iat", "nbf", "appid", "oid", "tid", "ver"],
            "tenant_region_scope": "EU",
            "cloud_instance_name": origin.split("://").nth(1).unwrap_or(origin),
        })
    }

    fn token(
        &self,
        origin: &str,
        tenant: &str,
        request: &Request,
        version: Version,
    ) -> Result<Value, Refusal> {
        let tenant = self.known(tenant)?;
        let form = form(&String::from_utf8_lossy(&request.body));
        let grant = wanted(&form, "grant_type")?;
        if grant != "client_credentials" {
            let message = format!("The app requested an unsupported grant type '{grant}'.");
            return Err(Refusal::new(400, "unsupported_grant_type", 70003, message));
        }
        let client = wanted(&form, "client_id")?;
        let proof = self.proof(&form, client)?;
        let audience = match version {
            Version::One => wanted(&form, "resource")?.to_owned(),
            Version::Two => {
                let scope = wanted(&form, "scope")?;
                let mut resources = scope.split(' ').filter_map(|scope| scope.strip_suffix("/.default"));
                let Some(resource) = resources.next() else {
                    let message = format!(
                        "The provided value for scope {scope} is not valid. Client credential flows must have a \
                         scope value with /.default suffixed to the resource identifier (application ID URI)."
                    );
                    return Err(Refusal::new(400, "invalid_scope", 1_002_012, message));
                };
                resource.to_owned()
            }
        };
        let now = self.clock.now().seconds();
        let lifetime = self.sign_in.lifetime.as_secs();
        let expires = now + lifetime;
        let claims = json!({
            "aud": audience,
            "iss": format!("https://sts.windows.net/{tenant}/"),
            "iat": now,
            "nbf": now,
            "exp": expires,
            "appid": client,
            "appidacr": proof,
            "idp": format!("https://sts.windows.net/{tenant}/"),
            "idtyp": "app",
            "oid": CALLER_OBJECT_ID,
            "sub": CALLER_OBJECT_ID,
            "tid": tenant,
            "uti": format!("{origin}#{}", self.count.fetch_add(1, Ordering::Relaxed)),
            "ver": "1.0",
        });
        let token = self.key.sign(&claims);
        Ok(match version {
            // The older endpoint writes numbers as texts.
            Version::One => json!({
                "token_type": "Bearer",
                "expires_in": lifetime.to_string(),
                "ext_expires_in": lifetime.to_string(),
                "expires_on": expires.to_string(),
                "not_before": now.to_string(),
                "resource": audience,
                "access_token": token,
            }),
            Version::Two => json!({
                "token_type": "Bearer",
                "expires_in": lifetime,
                "ext_expires_in": lifetime,
                "access_token": token,
            }),
        })
    }

    /// How the application proves who it is, as `appidacr` counts: 1 by a secret, 2 by an assertion.
    fn proof(&self, form: &BTreeMap<String, String>, client: &str) -> Result<&'static str, Refusal> {
        let refuse = |code: u32, message: String| Err(Refusal::new(401, "invalid_client", code, message));
        if let Some(secret) = form.get("client_secret").filter(|secret| !secret.is_empty()) {
            if self.sign_in.expired_secret.as_ref() == Some(secret) {
                let message = format!(
                    "The provided client secret keys for app '{client}' are expired. Visit the Azure portal to \
                     create new keys for your app: https://aka.ms/NewClientSecret, or consider using certificate \
                     credentials for added security: https://aka.ms/certCreds."
                );
                return refuse(7_000_222, message);
            }
            if self.sign_in.secret.as_ref().is_some_and(|good| good != secret) {
                let message = format!(
                    "Invalid client secret provided. Ensure the secret being sent in the request is the client \
                     secret value, not the client secret ID, for a secret added to app '{client}'."
                );
                return refuse(7_000_215, message);
            }
            return Ok("1");
        }
        let Some(assertion) = form.get("client_assertion") else {
            let message = "The request body must contain the following parameter: 'client_assertion' or \
                           'client_secret'.";
            return refuse(7_000_218, message.to_owned());
        };
        let Some(claims) = jwt::claims(assertion)
            .filter(|_| form.get("client_assertion_type").is_some_and(|t| t == JWT_BEARER))
        else {
            return refuse(50027, "JWT token is invalid or malformed.".to_owned());
        };
        let now = self.clock.now();
        let instant = |name: &str| claims.get(name).and_then(Value::as_u64);
        let (from, until) = (instant("nbf").unwrap_or_default(), instant("exp").unwrap_or(u64::MAX / 1000));
        // Entra forgives clocks that differ by five minutes.
        if until + 300 < now.seconds() || from > now.seconds() + 300 {
            let message = format!(
                "Client assertion is not within its valid time range. Current time: {now}, assertion valid from \
                 {}, expiry time of assertion {}.",
                Timestamp(from * 1000),
                Timestamp(until * 1000)
            );
            return refuse(700_024, message);
        }
        Ok("2")
    }

    fn refuse(&self, refusal: &Refusal, origin: &str, request: &Request) -> Response {
        let Refusal { status, error, code, message } = refusal;
        let number = self.count.fetch_add(1, Ordering::Relaxed);
        let trace = format!("00000000-0000-4000-9000-{number:012x}");
        let correlation = request.headers.get("client-request-id").unwrap_or(&trace);
        let time = self.clock.now().to_string();
        let stamp = format!("{} {}Z", &time[..10], &time[11..19]);
        let body = json!({
            "error": error,
            "error_description": format!(
                "AADSTS{code}: {message} Trace ID: {trace} Correlation ID: {correlation} Timestamp: {stamp}"
            ),
            "error_codes": [code],
            "timestamp": stamp,
            "trace_id": trace,
            "correlation_id": correlation,
            "error_uri": format!("{origin}/error?code={code}"),
        });
        json_response(*status, &body)
    }
}

/// The two generations of Entra's endpoints.
#[derive(Debug, Clone, Copy)]
enum Version {
    One,
    Two,
}

fn ok(body: &Value) -> Response {
    json_response(200, body)
}

fn json_response(status: u16, body: &Value) -> Response {
    let mut response = Response::new(status, body.to_string());
    response.headers.set("content-type", "application/json; charset=utf-8");
    response.headers.set("cache-control", "no-store, no-cache");
    response
}

/// A form as browsers send it.
fn form(text: &str) -> BTreeMap<String, String> {
    form_urlencoded::parse(text.as_bytes()).into_owned().collect()
}

fn wanted<'f>(form: &'f BTreeMap<String, String>, name: &str) -> Result<&'f str, Refusal> {
    form.get(name).map(String::as_str).filter(|value| !value.is_empty()).ok_or_else(|| {
        let message = format!("The request body must contain the following parameter: '{name}'.");
        Refusal::new(400, "invalid_request", 900_144, message)
    })
}

/// An instant as ARM writes it about tokens: `5/4/2023 7:28:26 PM`.
fn entra_time(instant: Timestamp) -> String {
    let text = instant.to_string();
    let number = |range: std::ops::Range<usize>| text[range].parse::<u32>().unwrap_or_default();
    let hour = number(11..13);
    let half = if hour < 12 { "AM" } else { "PM" };
    let clock = format!("{}:{} {half}", (hour + 11) % 12 + 1, &text[14..19]);
    format!("{}/{}/{} {clock}", number(5..7), number(8..10), &text[..4])
}

//! Long-running operations: what an answer means. Pure decisions; `poll` carries them out.
//!
//! ARM has several ways of saying "not yet", and providers mix them. In this order, an answer to a write means:
//!
//! 1. `Azure-AsyncOperation` names a status to poll;
//! 2. `Location` names a result to poll (with 202, or with a body that is not at rest);
//! 3. a body that is not at rest asks to read the resource until it is;
//! 4. anything else is the end.
//!
//! A URL that is not on ARM's host is as good as absent, for the token must not go there; so is one that is the
//! resource itself, for it says nothing about the operation.

use super::endpoint::{Endpoint, same_resource};
use super::error::without_query;
use super::retry::SHORTEST;
use super::transport::{Headers, Method};
use crate::value::{Rest, provisioning_state};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use std::time::Duration;

/// An operation under way in Azure. It can be written down and followed by a later process.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Operation {
    /// What was asked.
    #[serde(with = "method_name")]
    pub method: Method,
    /// The id of the resource, or the path of the action.
    pub id: String,
    /// The api-version to read the resource with.
    pub api_version: String,
    /// Where its progress shows.
    pub poll: Poll,
    /// Where its result is once it has succeeded.
    pub finish: Finish,
    /// How long Azure asked to wait before the first look, in milliseconds.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub first_look_ms: Option<u64>,
}

impl Operation {
    /// An operation of which only the resource is known: its answer was lost, or someone else began it.
    pub fn watching(method: Method, id: &str, api_version: &str) -> Self {
        Operation {
            method,
            id: without_query(id).to_owned(),
            api_version: api_version.to_owned(),
            poll: Poll::Resource,
            finish: if method == Method::Delete { Finish::Absence } else { Finish::Resource },
            first_look_ms: Some(SHORTEST.as_millis() as u64),
        }
    }
}

/// Where the progress of an operation shows.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", tag = "style")]
pub enum Poll {
    /// A status document, from `Azure-AsyncOperation`.
    AsyncOperation {
        /// Its address, to be used verbatim.
        url: String,
    },
    /// The result itself once there is one, from `Location`.
    Location {
        /// Its address, to be used verbatim.
        url: String,
    },
    /// The resource, until its `provisioningState` is at rest or, after a DELETE, until it is gone.
    Resource,
}

/// Where the result of an operation is once it has succeeded.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", tag = "from")]
pub enum Finish {
    /// The resource is read (PUT, PATCH).
    Resource,
    /// `Location` holds it (POST).
    Location {
        /// Its address, to be used verbatim.
        url: String,
    },
    /// The last poll held it (POST).
    LastPoll,
    /// The resource must be gone (DELETE).
    Absence,
}

/// What the answer to a write means.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Verdict {
    /// It is done.
    Done,
    /// It goes on.
    Running(Operation),
    /// It has already failed; the body says why.
    Failed,
}

/// The answer to a write.
#[derive(Debug, Clone, Copy)]
pub(super) struct Answer<'a> {
    pub status: u16,
    pub headers: &'a Headers,
    pub body: Option<&'a Value>,
    /// How long Azure asks to wait before the first look.
    pub next_look: Option<Duration>,
}

/// Decides what a successful answer to a write means. `id` may carry a query of its own.
pub(super) fn begin(
    endpoint: &Endpoint,
    method: Method,
    id: &str,
    api_version: &str,
    answer: &Answer<'_>,
) -> Verdict {
    let Answer { status, headers, body, next_look } = *answer;
    let id = without_query(id);
    let usable = |name: &str| {
        let url = endpoint.resolve(headers.get(name)?)?;
        (!same_resource(&url, id)).then_some(url)
    };
    // An action has no state of its own: what its body shows is the state of something else.
    let state = match method {
        Method::Post => None,
        _ => body.and_then(provisioning_state),
    };
    let rest = state.map(Rest::of);
    let running = matches!(rest, Some(Rest::Moving));
    // An operation that may not be followed: the resource tells in its place.
    let elsewhere = |name: &str| headers.get(name).is_some_and(|url| endpoint.resolve(url).is_none());
    let location = usable("location");
    let poll = if let Some(url) = usable("azure-asyncoperation") {
        Poll::AsyncOperation { url }
    } else if let Some(url) = location.clone().filter(|_| status == 202 || running) {
        Poll::Location { url }
    } else if running || (method != Method::Post && (status == 202 || elsewhere("azure-asyncoperation"))) {
        Poll::Resource
    } else if matches!(rest, Some(Rest::Failed | Rest::Cancelled)) && method != Method::Delete {
        return Verdict::Failed;
    } else {
        return Verdict::Done;
    };
    let finish = match (method, &poll, location) {
        (Method::Delete, _, _) => Finish::Absence,
        (Method::Post, Poll::AsyncOperation { url }, Some(location)) if *url != location => {
            Finish::Location { url: location }
        }
        (Method::Post, _, _) => Finish::LastPoll,
        _ => Finish::Resource,
    };
    let first_look_ms = next_look.map(|pause| pause.as_millis() as u64);
    Verdict::Running(Operation {
        method,
        id: id.to_owned(),
        api_version: api_version.to_owned(),
        poll,
        finish,
        first_look_ms,
    })
}

/// What a look at an operation shows.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Look {
    /// It goes on.
    Running {
        /// The state in Azure's words.
        status: String,
        /// How much of it is done, if Azure says.
        percent: Option<f64>,
    },
    /// It has succeeded.
    Succeeded,
    /// It has failed; the body says why.
    Failed(String),
    /// It was cancelled.
    Cancelled(String),
}

impl Look {
    fn running(status: &str, percent: Option<f64>) -> Self {
        Look::Running { status: status.to_owned(), percent }
    }

    fn at(rest: Rest, status: &str, percent: Option<f64>) -> Self {
        match rest {
            Rest::Moving => Look::running(status, percent),
            Rest::Succeeded => Look::Succeeded,
            Rest::Failed => Look::Failed(status.to_owned()),
            Rest::Cancelled => Look::Cancelled(status.to_owned()),
        }
    }
}

/// Reads the answer of a status document or of a `Location`.
///
/// The two are read alike: some providers put a status document behind `Location`, and some a result behind
/// `Azure-AsyncOperation`.
pub(super) fn read_operation(status: u16, body: Option<&Value>) -> Look {
    if let Some(text) = body.and_then(|b| b.get("status")).and_then(Value::as_str) {
        let percent = body.and_then(|b| b.get("percentComplete")).and_then(Value::as_f64);
        return Look::at(Rest::of(text), text, percent);
    }
    match body.and_then(provisioning_state) {
        Some(state) => Look::at(Rest::of(state), state, None),
        None if status == 202 => Look::running("Accepted", None),
        None => Look::Succeeded,
    }
}

/// Reads the resource itself.
pub(super) fn read_resource(method: Method, body: Option<&Value>) -> Look {
    match (method, body.and_then(provisioning_state)) {
        // It is still there.
        (Method::Delete, None) => Look::running("Deleting", None),
        (Method::Delete, Some(state)) => match Rest::of(state) {
            Rest::Failed => Look::Failed(state.to_owned()),
            _ => Look::running(state, None),
        },
        (_, None) => Look::Succeeded,
        (_, Some(state)) => Look::at(Rest::of(state), state, None),
    }
}

mod method_name {
    use super::Method;
    use serde::{Deserialize, Deserializer, Serializer, de::Error};

    pub(super) fn serialize<S: Serializer>(method: &Method, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(method.as_str())
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Method, D::Error> {
        let name = String::deserialize(deserializer)?;
        Method::parse(&name).ok_or_else(|| D::Error::custom(format!("unknown method '{name}'")))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    const ID: &str = "/subscriptions/s/resourceGroups/g/providers/Microsoft.X/things/t";
    const OPERATION: &str =
        "https://management.azure.com:443/subscriptions/s/providers/Microsoft.X/operations/1?t=2";
    const RESULT: &str = "https://management.azure.com/subscriptions/s/operationresults/1?api-version=1";
    const FOREIGN: &str = "https://eastus.rp.kubernetesconfiguration.azure.com/x";

    fn verdict(method: Method, status: u16, headers: &[(&str, &str)], body: Value) -> String {
        let mut all = Headers::new();
        for (name, value) in headers {
            all.set(name, *value);
        }
        let body = Some(body).filter(|b| !b.is_null());
        let endpoint = Endpoint::new("https://management.azure.com");
        let answer = Answer { status, headers: &all, body: body.as_ref(), next_look: None };
        match begin(&endpoint, method, ID, "1", &answer) {
            Verdict::Done => "done".into(),
            Verdict::Failed => "failed".into(),
            Verdict::Running(operation) => {
                let poll = match operation.poll {
                    Poll::AsyncOperation { url } => {
                        assert_eq!(url, OPERATION);
                        "operation"
                    }
                    Poll::Location { .. } => "location",
                    Poll::Resource => "resource",
                };
                let finish = match operation.finish {
                    Finish::Resource => "resource",
                    Finish::Location { .. } => "location",
                    Finish::LastPoll => "poll",
                    Finish::Absence => "absence",
                };
                format!("{poll}, then {finish}")
            }
        }
    }

    #[test]
    fn first_answers() {
        use Method::{Delete, Patch, Post, Put};
        let updating = json!({"properties": {"provisioningState": "Updating"}});
        let state = |state: &str| json!({"properties": {"provisioningState": state}});
        let own =
            format!("https://management.azure.com:443{}?api-version=1&kv-operation=x", ID.to_lowercase());
        let relative = ID.replace("resourceGroups", "resourcegroups");
        let (operation, result) = (("azure-asyncoperation", OPERATION), ("location", RESULT));
        type Case<'a> = (&'a str, Method, u16, Vec<(&'a str, &'a str)>, Value, &'a str);
        let table: Vec<Case<'_>> = vec![
            ("cluster", Put, 201, vec![operation], updating.clone(), "operation, then resource"),
            ("cluster update", Put, 200, vec![operation], updating.clone(), "operation, then resource"),
            ("private dns", Put, 202, vec![operation, result], json!({}), "operation, then resource"),
            ("storage", Put, 202, vec![result], Value::Null, "location, then resource"),
            ("group deletion", Delete, 202, vec![result], Value::Null, "location, then absence"),
            ("vault", Put, 200, vec![], state("RegisteringDns"), "resource, then resource"),
            ("vault at rest", Put, 200, vec![], state("succeeded"), "done"),
            ("sql connection", Put, 200, vec![], state("Ready"), "done"),
            (
                "vault connection",
                Put,
                200,
                vec![("azure-asyncoperation", &own)],
                updating.clone(),
                "resource, then resource",
            ),
            ("identity", Put, 201, vec![("location", &relative)], json!({"properties": {}}), "done"),
            (
                "flux",
                Put,
                201,
                vec![operation, ("location", &relative)],
                state("Creating"),
                "operation, then resource",
            ),
            (
                "extension",
                Put,
                201,
                vec![("location", FOREIGN)],
                state("Creating"),
                "resource, then resource",
            ),
            (
                "foreign operation",
                Put,
                202,
                vec![("azure-asyncoperation", FOREIGN)],
                Value::Null,
                "resource, then resource",
            ),
            (
                "foreign operation, answered at once",
                Put,
                201,
                vec![("azure-asyncoperation", FOREIGN)],
                json!({}),
                "resource, then resource",
            ),
            (
                "foreign deletion",
                Delete,
                200,
                vec![("azure-asyncoperation", FOREIGN)],
                Value::Null,
                "resource, then absence",
            ),
            ("location, at rest", Put, 201, vec![result], state("Succeeded"), "done"),
            ("location, moving", Put, 200, vec![result], updating.clone(), "location, then resource"),
            ("tags", Patch, 200, vec![], updating.clone(), "resource, then resource"),
            ("failed at once", Put, 200, vec![], state("Failed"), "failed"),
            ("registration", Post, 200, vec![], json!({"registrationState": "Registering"}), "done"),
            ("purge", Post, 202, vec![result], Value::Null, "location, then poll"),
            ("action", Post, 202, vec![operation, result], Value::Null, "operation, then location"),
            ("action without location", Post, 202, vec![operation], Value::Null, "operation, then poll"),
            ("action without trace", Post, 202, vec![], Value::Null, "done"),
            ("deletion", Delete, 200, vec![], Value::Null, "done"),
            ("deletion of nothing", Delete, 204, vec![], Value::Null, "done"),
            ("deletion without trace", Delete, 202, vec![], Value::Null, "resource, then absence"),
            ("deletion with body", Delete, 200, vec![], state("Deleting"), "resource, then absence"),
            ("deletion of a failure", Delete, 200, vec![], state("Failed"), "done"),
        ];
        for (name, method, status, headers, body, expected) in table {
            assert_eq!(verdict(method, status, &headers, body), expected, "{name}");
        }
    }

    #[test]
    fn looks() {
        let state = |state: &str| json!({"properties": {"provisioningState": state}});
        let table = [
            (200, json!({"status": "InProgress"}), "running InProgress"),
            (202, json!({"status": "InProgress"}), "running InProgress"),
            (200, json!({"status": "Creating"}), "running Creating"),
            (200, json!({"status": "succeeded", "error": {"code": "None", "message": null}}), "succeeded"),
            (200, json!({"status": "Failed", "error": {"code": "PreconditionFailed"}}), "failed Failed"),
            (200, json!({"status": "Cancelled"}), "cancelled Cancelled"),
            (200, json!({"status": "canceled"}), "cancelled canceled"),
            (202, Value::Null, "running Accepted"),
            (200, Value::Null, "succeeded"),
            (204, Value::Null, "succeeded"),
            (200, state("Creating"), "running Creating"),
            (200, state("Succeeded"), "succeeded"),
            (200, json!({"id": "x"}), "succeeded"),
        ];
        for (status, body, expected) in table {
            let look = match read_operation(status, Some(&body).filter(|b| !b.is_null())) {
                Look::Running { status, .. } => format!("running {status}"),
                Look::Succeeded => "succeeded".into(),
                Look::Failed(status) => format!("failed {status}"),
                Look::Cancelled(status) => format!("cancelled {status}"),
            };
            assert_eq!(look, expected, "{status} {body}");
        }
        assert_eq!(read_resource(Method::Put, Some(&json!({}))), Look::Succeeded);
        assert_eq!(
            read_resource(Method::Put, Some(&state("RegisteringDns"))),
            Look::running("RegisteringDns", None)
        );
        assert_eq!(
            read_resource(Method::Delete, Some(&state("Succeeded"))),
            Look::running("Succeeded", None)
        );
    }

    #[test]
    fn operations_survive_being_written_down() {
        let operation = Operation {
            method: Method::Delete,
            id: ID.into(),
            api_version: "2024-01-01".into(),
            poll: Poll::Location { url: RESULT.into() },
            finish: Finish::Absence,
            first_look_ms: Some(17_000),
        };
        let text = serde_json::to_string(&operation).unwrap();
        assert!(text.contains(r#""method":"DELETE""#) && text.contains(r#""style":"location""#), "{text}");
        assert_eq!(serde_json::from_str::<Operation>(&text).unwrap(), operation);
    }
}

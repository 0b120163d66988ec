//! Reading what is there: every resource at once, never one after another.

use crate::arm::{Client, Error};
use crate::catalog::kinds::private_link::Target;
use crate::catalog::{Operation, ResourceType};
use crate::ident::ArmId;
use crate::ledger::Ledger;
use crate::plan::{Desired, Observation, Observed};
use crate::private_link::caused_by;
use futures::StreamExt;
use serde_json::{Value, json};

/// One thing to read.
#[derive(Debug, Clone)]
struct Question {
    id: ArmId,
    api_version: String,
    how: How,
}

#[derive(Debug, Clone)]
enum How {
    /// GET at the id.
    Get,
    /// GET at the id; if absent, look for a soft-deleted one.
    GetOrDeleted { deleted: String },
    /// The connection on `target` that `endpoint` caused.
    Connection { endpoint: ArmId, target: ArmId },
}

/// Reads everything that the blueprint wants and everything that the ledger has.
///
/// `progress` is told how many of how many have been read.
///
/// # Errors
/// The first read that did not work. A resource that is not there is no error.
pub async fn observe(
    client: &Client,
    desired: Option<&Desired>,
    ledger: &Ledger,
    at_once: usize,
    progress: &(dyn Fn(usize, usize) + Sync),
) -> Result<Observed, Error> {
    let questions = questions(desired, ledger);
    let total = questions.len();
    let mut observed = Observed::with_capacity(total);
    let mut answers = futures::stream::iter(questions)
        .map(|question| async move {
            let answer = ask(client, &question).await;
            (question.id, answer)
        })
        .buffer_unordered(at_once.max(1));
    while let Some((id, answer)) = answers.next().await {
        observed.insert(id, answer?);
        if observed.len().is_multiple_of(64) || observed.len() == total {
            progress(observed.len(), total);
        }
    }
    Ok(observed)
}

fn questions(desired: Option<&Desired>, ledger: &Ledger) -> Vec<Question> {
    let mut questions = Vec::new();
    for resource in desired.iter().flat_map(|desired| &desired.resources) {
        let how = match &resource.operation {
            Operation::Approval { endpoint, target, .. } => {
                let (Ok(endpoint), Ok(target)) = (ArmId::parse(endpoint), ArmId::parse(target)) else {
                    continue;
                };
                How::Connection { endpoint, target }
            }
            _ => match deleted_path(resource.kind, &resource.id, &resource.body) {
                Some(deleted) => How::GetOrDeleted { deleted },
                None => How::Get,
            },
        };
        let api_version = match &how {
            How::Connection { target, .. } => connections_version(target, desired),
            _ => resource.kind.api_version.to_owned(),
        };
        questions.push(Question { id: resource.id.clone(), api_version, how });
    }
    for (id, owned) in &ledger.resources {
        if desired.is_none_or(|desired| !desired.by_id.contains_key(id)) {
            questions.push(Question {
                id: id.clone(),
                api_version: owned.api_version.clone(),
                how: How::Get,
            });
        }
    }
    questions
}

/// Where a soft-deleted resource of this id would be found, for types that have such a place.
pub(crate) fn deleted_path(kind: &ResourceType, id: &ArmId, body: &Value) -> Option<String> {
    let template = kind.soft_deleted?;
    let location = body.get("location").and_then(Value::as_str).unwrap_or_default();
    Some(
        template
            .replace("{subscription}", id.subscription().unwrap_or_default())
            .replace("{location}", location)
            .replace("{name}", id.name()),
    )
}

/// The API version in which the connections of a target are read.
pub(crate) fn connections_version(target: &ArmId, desired: Option<&Desired>) -> String {
    let known = Target::of(&target.resource_type()).map(|target| target.api_version);
    let own = || {
        let desired = desired?;
        desired.by_id.get(target).map(|&at| desired.resources[at].kind.api_version)
    };
    known.or_else(own).unwrap_or("2024-01-01").to_owned()
}

async fn ask(client: &Client, question: &Question) -> Result<Observation, Error> {
    let present =
        |resource: crate::arm::Resource| Observation::Present { body: resource.body, etag: resource.etag };
    match &question.how {
        How::Get => Ok(match client.get(question.id.as_str(), &question.api_version).await? {
            Some(resource) => present(resource),
            None => Observation::Absent,
        }),
        How::GetOrDeleted { deleted } => match client.get(question.id.as_str(), &question.api_version).await?
        {
            Some(resource) => Ok(present(resource)),
            // Who may not look among the deleted is told when the create fails: not here.
            None => Ok(match client.get(deleted, &question.api_version).await {
                Ok(Some(found)) if is_of(&found.body, &question.id) => Observation::SoftDeleted,
                _ => Observation::Absent,
            }),
        },
        How::Connection { endpoint, target } => {
            let connections = connections(client, target, &question.api_version).await?;
            Ok(match caused_by(endpoint, &connections) {
                Some(caused) => Observation::Present {
                    body: json!({ "properties": {
                        "privateLinkServiceConnectionState": { "status": caused.status },
                    } }),
                    etag: None,
                },
                None => Observation::Absent,
            })
        }
    }
}

/// A deleted vault of this name may have been another group's: then recovering would bring back that one.
fn is_of(deleted: &Value, id: &ArmId) -> bool {
    deleted
        .pointer("/properties/vaultId")
        .and_then(Value::as_str)
        .and_then(|text| ArmId::parse(text).ok())
        .is_none_or(|was| was == *id)
}

/// The connections of a target; none when the target is not there.
pub(crate) async fn connections(client: &Client, target: &ArmId, version: &str) -> Result<Vec<Value>, Error> {
    let path = format!("{target}/privateEndpointConnections");
    match client.list(&path, version, &[]).await {
        Err(error) if error.status == Some(404) => Ok(Vec::new()),
        other => other,
    }
}

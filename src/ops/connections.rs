//! Private endpoint connections on any resource: whose there are, and approving those that rules name.

use super::{Error, Session};
use crate::apply::{Approving, Failure, Whose};
use crate::diag::did_you_mean;
use crate::ident::ArmId;
use crate::observe;
use crate::private_link::{Connection, Found, Rules};
use crate::state::{Approval, Desired, Provisioning};
use futures::StreamExt;
use std::time::Duration;

/// How long an approval may take until the connection says so.
const DEADLINE: Duration = Duration::from_secs(600);

/// Which resources are looked at, and which of their connections may be approved.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Approvals {
    /// The targets, each once.
    pub targets: Vec<ArmId>,
    /// The rules.
    pub rules: Rules,
}

impl Approvals {
    /// From what a person wrote: targets (ARM ids, or addresses of the blueprint), endpoints and connections by ids,
    /// and from what the blueprint lets berth approve.
    ///
    /// # Errors
    /// A sentence with its remedy: a text that is no id or address, or nothing to look at.
    pub fn read(
        desired: Option<&Desired>,
        targets: &[String],
        endpoints: &[String],
        connections: &[String],
    ) -> Result<Self, String> {
        let mut all = Approvals::default();
        for text in targets {
            all.look_at(target(desired, text)?);
        }
        for id in endpoints {
            let id = of_type(id, "Microsoft.Network/privateEndpoints")?;
            all.rules.endpoints.push(id);
        }
        for text in connections {
            let id = of_type(text, "privateEndpointConnections")?;
            let target = id.parent().ok_or_else(|| format!("`{text}` stands on no resource"))?;
            all.look_at(target);
            all.rules.connections.push(id);
        }
        for resource in desired.iter().flat_map(|desired| &desired.resources) {
            let Provisioning::Approval(Approval { endpoint, target, .. }) = &resource.operation else {
                continue;
            };
            // An id that is not known yet is known after apply, and applying approves it then.
            let (Some(endpoint), Some(target)) = (endpoint.clone(), target.clone()) else { continue };
            if targets.is_empty() && connections.is_empty() {
                all.look_at(target.clone());
            }
            all.rules.pairs.push((endpoint, target));
        }
        if all.targets.is_empty() && desired.is_none() {
            return Err(
                "it is not said whose connections\nhelp: name a resource by its ARM id, a connection with \
                        `--id`, or a blueprint with `--blueprint FILE`"
                    .to_owned(),
            );
        }
        Ok(all)
    }

    fn look_at(&mut self, target: ArmId) {
        if !self.targets.contains(&target) {
            self.targets.push(target);
        }
    }

    /// What a person named by an id and what is nowhere.
    pub fn unmatched<'a>(&'a self, found: &'a [Found]) -> impl Iterator<Item = &'a ArmId> {
        let all = || found.iter().flat_map(|found| &found.connections);
        let endpoints =
            self.rules.endpoints.iter().filter(move |&id| !all().any(|c| c.endpoint.as_ref() == Some(id)));
        let ids = self.rules.connections.iter().filter(move |&id| !all().any(|c| c.id == *id));
        endpoints.chain(ids)
    }
}

fn target(desired: Option<&Desired>, text: &str) -> Result<ArmId, String> {
    if text.starts_with('/') {
        let id = ArmId::parse(text).map_err(|error| format!("`{text}` is not an ARM id: {error}"))?;
        return match id.namespace().is_empty() || id.subscription().is_none() {
            true => Err(format!(
                "`{text}` is not the id of a resource\nhelp: write `/subscriptions/…/resourceGroups/…/providers/…`"
            )),
            false => Ok(id),
        };
    }
    let Some(desired) = desired else {
        return Err(format!(
            "`{text}` is no ARM id\nhelp: an id starts with `/subscriptions/`; an address of a blueprint needs `--blueprint FILE`"
        ));
    };
    let found = desired.resources.iter().find(|resource| resource.address.as_str() == text);
    found.map(|resource| resource.id.clone()).ok_or_else(|| {
        let known = desired.resources.iter().map(|resource| resource.address.as_str());
        let help = did_you_mean(text, known).map(|near| format!("\nhelp: did you mean `{near}`?"));
        format!("the blueprint has no `{text}`{}", help.unwrap_or_default())
    })
}

/// An id whose type is, or ends with, what it has to.
fn of_type(text: &str, wanted: &str) -> Result<ArmId, String> {
    let id = ArmId::parse(text).map_err(|error| format!("`{text}` is not an ARM id: {error}"))?;
    let (found, end) = (id.resource_type().to_ascii_lowercase(), wanted.to_ascii_lowercase());
    match found == end || found.ends_with(&format!("/{end}")) {
        true => Ok(id),
        false => Err(format!(
            "`{text}` is the id of a {}\nhelp: an id that ends with `{wanted}/NAME` is meant here",
            id.resource_type()
        )),
    }
}

/// Reads the connections of targets. `version` is the targets' API version, where berth does not know it.
///
/// # Errors
/// When a list cannot be read; a target that is not there is no error.
pub async fn connections(
    session: &Session,
    desired: Option<&Desired>,
    targets: &[ArmId],
    version: Option<&str>,
) -> Result<Vec<Found>, Error> {
    let read = |target: ArmId| async move {
        let version = version.map_or_else(|| observe::connections_version(&target, desired), str::to_owned);
        let path = format!("{target}/privateEndpointConnections");
        let (exists, list) = match session.engine.client.list(&path, &version, &[]).await {
            Err(error) if error.is_absence() => (false, Vec::new()),
            other => (true, other?),
        };
        let connections = list.iter().filter_map(Connection::read).collect();
        Ok(Found { target, exists, connections })
    };
    let all = futures::stream::iter(targets.iter().cloned().map(read)).buffered(session.reads.max(1));
    all.collect::<Vec<_>>().await.into_iter().collect()
}

/// Approves a connection and waits until the target says so.
///
/// # Errors
/// When Azure refuses, when its owner decided otherwise, or when it does not come to an end.
pub async fn approve_connection(
    session: &Session,
    desired: Option<&Desired>,
    target: &ArmId,
    connection: &Connection,
    description: &str,
    version: Option<&str>,
) -> Result<(), Failure> {
    let engine = &session.engine;
    let approving = Approving {
        target: target.clone(),
        api_version: version.map_or_else(|| observe::connections_version(target, desired), str::to_owned),
        whose: Whose::Connection(connection.id.clone(), connection.endpoint.clone()),
        description: description.to_owned(),
        // The rules let a rejected one through only when a person named it.
        overrules: connection.status == "Rejected",
        deadline: DEADLINE,
    };
    approving.run_to_the_end(&engine.client, &engine.clock).await.map(|_| ())
}

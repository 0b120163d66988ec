//! What surrounds a cluster: how people sign in to it, and what its workloads need to know of Azure.
//!
//! Reads only. What is not in the blueprint is not asked for, and what Azure does not have yet is an error.

use super::{Error, Session};
use crate::blueprint::parse_value;
use crate::catalog::{
    CLIENT_ID, SECRETS_PROVIDER, Surrounding, TENANT_ID, pod_identities, service_account, surrounding,
};
use crate::diag::did_you_mean;
use crate::ident::{Address, ArmId};
use crate::state::{Desired, DesiredResource};
use crate::value::token::{self, Token};
use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use serde_json::{Value, json};
use std::collections::HashMap;

/// Whose credentials a kubeconfig has.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Credentials {
    /// Those of who signs in.
    Own,
    /// The cluster's administrator's.
    Admin,
}

/// The kubeconfig that Azure hands out for a cluster of the blueprint, and the cluster's address.
///
/// # Errors
/// When it is not clear which cluster is meant, or Azure does not hand out its kubeconfig.
pub async fn kubeconfig(
    session: &Session,
    desired: &Desired,
    wanted: Option<&str>,
    credentials: Credentials,
) -> Result<(Address, Value), Error> {
    let cluster = cluster(desired, wanted)?;
    let (action, query): (_, &[(&str, &str)]) = match credentials {
        Credentials::Own => ("listClusterUserCredential", &[("format", "exec")]),
        Credentials::Admin => ("listClusterAdminCredential", &[]),
    };
    let path = format!("{}/{action}", cluster.id);
    let client = &session.engine.client;
    let answer = client.ask(&path, cluster.kind.api_version, query).await?;
    let config = match &answer {
        Some(answer) => answer
            .pointer("/kubeconfigs/0/value")
            .and_then(Value::as_str)
            .and_then(|text| BASE64_STANDARD.decode(text).ok())
            .and_then(|bytes| String::from_utf8(bytes).ok())
            // What is wrong with it is not shown: it may hold a key.
            .and_then(|text| parse_value(&text).ok()),
        _ => None,
    };
    let unclear = || Error::Surroundings {
        message: format!("Azure did not answer with a kubeconfig for `{}`", cluster.address),
        help: "try again; `az aks get-credentials` shows whether it is Azure's".to_owned(),
    };
    Ok((cluster.address.clone(), config.ok_or_else(unclear)?))
}

/// The manifests that workloads of a cluster need, from the blueprint and from what Azure made up: service accounts with
/// workload identity, pod identities with their bindings, and secret provider classes for vaults that those may read.
///
/// # Errors
/// When it is not clear which cluster is meant, or something of the blueprint is not there yet.
pub async fn manifests(
    session: &Session,
    desired: &Desired,
    wanted: Option<&str>,
) -> Result<Vec<Value>, Error> {
    let cluster = cluster(desired, wanted)?;
    let mut live = Live { session, desired, read: HashMap::new() };
    let mut all = Vec::new();
    let mut accounts: Vec<(String, String)> = Vec::new();
    for credential in of(desired, Surrounding::Credential) {
        let Some((namespace, name, issuer)) = service_account(&credential.body) else { continue };
        // A credential of another issuer is another cluster's.
        let Some(identity) = credential.id.parent().and_then(|id| resource(desired, &id)) else { continue };
        if !mentions(&json!(issuer), &cluster.address, "") {
            continue;
        }
        let key = (namespace.to_owned(), name.to_owned());
        if accounts.contains(&key) {
            return Err(Error::Surroundings {
                message: format!(
                    "the service account `{namespace}/{name}` has two identities in one cluster"
                ),
                help: format!("give `{}` a service account of its own", credential.address),
            });
        }
        accounts.push(key);
        let client = live.text(identity, CLIENT_ID).await?;
        let tenant = live.text(identity, TENANT_ID).await?;
        all.push(json!({
            "apiVersion": "v1",
            "kind": "ServiceAccount",
            "metadata": {
                "name": name,
                "namespace": namespace,
                "annotations": {
                    "azure.workload.identity/client-id": client,
                    "azure.workload.identity/tenant-id": tenant,
                },
            },
        }));
        for vault in vaults_of(desired, &identity.address, "") {
            let parameters = json!({ "usePodIdentity": "false", "clientID": client });
            all.extend(live.secrets(vault, namespace, name, parameters).await?);
        }
    }
    for pod in pod_identities(&cluster.body) {
        let id = live.known(pod.id).await?;
        let client = live.known(pod.client_id).await?;
        let metadata = json!({ "name": pod.name, "namespace": pod.namespace });
        all.push(json!({
            "apiVersion": "aadpodidentity.k8s.io/v1",
            "kind": "AzureIdentity",
            "metadata": metadata,
            "spec": { "type": 0, "resourceID": id, "clientID": client },
        }));
        all.push(json!({
            "apiVersion": "aadpodidentity.k8s.io/v1",
            "kind": "AzureIdentityBinding",
            "metadata": { "name": format!("{}-binding", pod.name), "namespace": pod.namespace },
            "spec": { "azureIdentity": pod.name, "selector": pod.selector },
        }));
        let identity = ArmId::parse(&id).ok().and_then(|id| resource(desired, &id));
        let vaults = identity.map(|identity| vaults_of(desired, &identity.address, "")).unwrap_or_default();
        for vault in vaults {
            let parameters = json!({ "usePodIdentity": "true" });
            all.extend(live.secrets(vault, pod.namespace, pod.name, parameters).await?);
        }
    }
    // The secrets provider may read with an identity of its own on the nodes.
    for vault in vaults_of(desired, &cluster.address, SECRETS_PROVIDER) {
        let client = live.text(cluster, &format!("{SECRETS_PROVIDER}/clientId")).await?;
        let parameters = json!({
            "usePodIdentity": "false", "useVMManagedIdentity": "true", "userAssignedIdentityID": client,
        });
        all.extend(live.secrets(vault, "default", "nodes", parameters).await?);
    }
    Ok(all)
}

/// What is live, each resource read once.
struct Live<'a> {
    session: &'a Session,
    desired: &'a Desired,
    read: HashMap<Address, Value>,
}

impl Live<'_> {
    /// A text in the live body of a resource.
    async fn text(&mut self, resource: &DesiredResource, pointer: &str) -> Result<String, Error> {
        if !self.read.contains_key(&resource.address) {
            let client = &self.session.engine.client;
            let found = client.get(resource.id.as_str(), resource.kind.api_version).await?;
            let body = found.map(|found| found.body).ok_or_else(|| Error::Surroundings {
                message: format!("`{}` is not in Azure", resource.address),
                help: "`berth apply` makes it".to_owned(),
            })?;
            self.read.insert(resource.address.clone(), body);
        }
        let found = self.read[&resource.address].pointer(pointer).and_then(Value::as_str);
        found.map(str::to_owned).ok_or_else(|| Error::Surroundings {
            message: format!("Azure does not say `{pointer}` of `{}`", resource.address),
            help: "`berth drift` shows whether it is as the blueprint wants it".to_owned(),
        })
    }

    /// A text of the blueprint, with what Azure made up put in.
    async fn known(&mut self, text: &str) -> Result<String, Error> {
        let Some(Token::Output { address, pointer }) = Token::exactly(text) else {
            return Ok(text.to_owned());
        };
        let at = self.desired.by_address.get(&address).copied();
        let resource = at.and_then(|at| self.desired.resources.get(at));
        let resource = resource.ok_or_else(|| Error::Surroundings {
            message: format!("the blueprint has no `{address}`"),
            help: "`berth validate` says what is wrong with it".to_owned(),
        })?;
        self.text(resource, &pointer).await
    }

    /// The class through which pods read the secrets of a vault; nothing when the blueprint has none in it.
    async fn secrets(
        &mut self,
        vault: &DesiredResource,
        namespace: &str,
        whose: &str,
        mut parameters: Value,
    ) -> Result<Option<Value>, Error> {
        let names: Vec<&str> = of(self.desired, Surrounding::VaultSecret)
            .filter(|secret| secret.id.parent().as_ref() == Some(&vault.id))
            .map(|secret| secret.id.name())
            .collect();
        if names.is_empty() {
            return Ok(None);
        }
        let objects: String = names
            .iter()
            .map(|name| format!("  - |\n    objectName: {name}\n    objectType: secret\n"))
            .collect();
        parameters["keyvaultName"] = json!(vault.id.name());
        parameters["tenantId"] = json!(self.text(vault, TENANT_ID).await?);
        parameters["objects"] = json!(format!("array:\n{objects}"));
        Ok(Some(json!({
            "apiVersion": "secrets-store.csi.x-k8s.io/v1",
            "kind": "SecretProviderClass",
            "metadata": { "name": label(&format!("{}-{whose}", vault.id.name())), "namespace": namespace },
            "spec": { "provider": "azure", "parameters": parameters },
        })))
    }
}

/// A name as Kubernetes takes it.
fn label(text: &str) -> String {
    let kept = |c: char| if c.is_ascii_alphanumeric() { c.to_ascii_lowercase() } else { '-' };
    text.chars().map(kept).take(253).collect::<String>().trim_matches('-').to_owned()
}

fn of(desired: &Desired, wanted: Surrounding) -> impl Iterator<Item = &DesiredResource> {
    desired.resources.iter().filter(move |resource| surrounding(resource.kind) == Some(wanted))
}

fn resource<'d>(desired: &'d Desired, id: &ArmId) -> Option<&'d DesiredResource> {
    desired.by_id.get(id).and_then(|&at| desired.resources.get(at))
}

/// Whether a value holds what Azure makes up of a resource, at or below a pointer.
fn mentions(value: &Value, of: &Address, below: &str) -> bool {
    let is_meant = |token: &Token| matches!(token, Token::Output { address, pointer } if address == of && pointer.starts_with(below));
    token::any(value, &is_meant)
}

/// The vaults whose access policies, or role assignments on them, name who Azure makes up at or below a pointer.
fn vaults_of<'d>(desired: &'d Desired, address: &Address, below: &str) -> Vec<&'d DesiredResource> {
    let named: Vec<&DesiredResource> =
        desired.resources.iter().filter(|resource| mentions(&resource.body, address, below)).collect();
    let lets_in = |vault: &&DesiredResource| {
        let on_it = format!("{}/providers/", vault.id.as_str().to_lowercase());
        named.iter().any(|resource| {
            resource.id == vault.id || resource.id.as_str().to_lowercase().starts_with(&on_it)
        })
    };
    of(desired, Surrounding::Vault).filter(lets_in).collect()
}

/// The cluster that is meant.
fn cluster<'d>(desired: &'d Desired, wanted: Option<&str>) -> Result<&'d DesiredResource, Error> {
    let all: Vec<&DesiredResource> = of(desired, Surrounding::Cluster).collect();
    let names = || all.iter().map(|cluster| cluster.address.as_str());
    let unclear = |message: String, help: String| Err(Error::Surroundings { message, help });
    match (wanted, all.as_slice()) {
        (None, [only]) => Ok(only),
        (None, []) => unclear(
            "the blueprint has no cluster".to_owned(),
            "name a blueprint with an entry in `clusters`".to_owned(),
        ),
        (None, _) => unclear(
            format!("the blueprint has {} clusters", all.len()),
            format!("add `--cluster` with one of {}", names().collect::<Vec<_>>().join(", ")),
        ),
        (Some(wanted), _) => {
            let is_meant = |cluster: &&&DesiredResource| {
                let address = cluster.address.as_str();
                address == wanted || address.rsplit('.').next() == Some(wanted)
            };
            let found: Vec<&&DesiredResource> = all.iter().filter(is_meant).collect();
            match (found.as_slice(), did_you_mean(wanted, names())) {
                ([only], _) => Ok(only),
                (_, Some(near)) => unclear(
                    format!("the blueprint has no cluster `{wanted}`"),
                    format!("did you mean `{near}`?"),
                ),
                (_, None) => unclear(
                    format!("the blueprint has no cluster `{wanted}`"),
                    format!("it has {}", names().collect::<Vec<_>>().join(", ")),
                ),
            }
        }
    }
}

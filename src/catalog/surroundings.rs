//! What of Azure those need who work in a cluster: which types matter to them, and where their bodies say what.

use super::kinds::{cluster, identity, key_vault, key_vault_secret};
use super::resource_type::ResourceType;
use serde_json::Value;

/// What a resource is to those who work in a cluster.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Surrounding {
    /// A cluster.
    Cluster,
    /// An identity that pods may have.
    Identity,
    /// A workload that may act as an identity.
    Credential,
    /// A vault that pods may read.
    Vault,
    /// A secret in a vault.
    VaultSecret,
}

/// What a type is to those who work in a cluster, if anything.
pub fn surrounding(kind: &ResourceType) -> Option<Surrounding> {
    let known = [
        (cluster::MANAGED_CLUSTER.arm_type, Surrounding::Cluster),
        (identity::USER_ASSIGNED_IDENTITY.arm_type, Surrounding::Identity),
        (identity::FEDERATED_CREDENTIAL.arm_type, Surrounding::Credential),
        (key_vault::KEY_VAULT.arm_type, Surrounding::Vault),
        (key_vault_secret::SECRET.arm_type, Surrounding::VaultSecret),
    ];
    let found = known.into_iter().find(|(arm_type, _)| arm_type.eq_ignore_ascii_case(kind.arm_type));
    found.map(|(_, surrounding)| surrounding)
}

/// Where an identity says as which application workloads sign in.
pub const CLIENT_ID: &str = "/properties/clientId";
/// Where an identity and a vault say in which tenant they are.
pub const TENANT_ID: &str = "/properties/tenantId";
/// Where a cluster says which identity the secrets provider has on its nodes.
pub const SECRETS_PROVIDER: &str = "/properties/addonProfiles/azureKeyvaultSecretsProvider/identity";

/// The service account that a credential is for, as namespace and name, and the issuer of its tokens.
pub fn service_account(credential: &Value) -> Option<(&str, &str, &str)> {
    let subject = credential.pointer("/properties/subject")?.as_str()?;
    let (namespace, name) = subject.strip_prefix("system:serviceaccount:")?.split_once(':')?;
    Some((namespace, name, credential.pointer("/properties/issuer")?.as_str()?))
}

/// An identity that pods of a cluster get by their labels.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PodIdentity<'a> {
    /// Its name in the cluster.
    pub name: &'a str,
    /// The namespace of the pods.
    pub namespace: &'a str,
    /// What the label `aadpodidbinding` of the pods says.
    pub selector: &'a str,
    /// The id of the identity.
    pub id: &'a str,
    /// As which application they sign in.
    pub client_id: &'a str,
}

/// The identities that pods of a cluster get by their labels.
pub fn pod_identities(cluster: &Value) -> Vec<PodIdentity<'_>> {
    let profile = cluster.pointer("/properties/podIdentityProfile");
    let is_on = profile.and_then(|profile| profile.get("enabled")).and_then(Value::as_bool) != Some(false);
    let list = profile.and_then(|profile| profile.get("userAssignedIdentities")).and_then(Value::as_array);
    let one = |entry| {
        let text = |pointer| Value::pointer(entry, pointer).and_then(Value::as_str);
        let name = text("/name")?;
        Some(PodIdentity {
            name,
            namespace: text("/namespace")?,
            selector: text("/bindingSelector").unwrap_or(name),
            id: text("/identity/resourceId")?,
            client_id: text("/identity/clientId")?,
        })
    };
    list.into_iter().filter(|_| is_on).flatten().filter_map(one).collect()
}

//! Where Flux reads from.

use super::words::words;
use crate::catalog::kinds::interval::Interval;
use crate::catalog::{Reference, model};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};

/// A Git repository.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub struct GitSpec {
    /// Its address: `https://…`, `ssh://…` or `git@…`.
    pub(super) url: String,
    /// The branch to follow. One of `branch`, `tag`, `semver` and `commit` is needed.
    pub(super) branch: Option<String>,
    /// The tag to follow.
    pub(super) tag: Option<String>,
    /// The range of versions among the tags to follow, such as `">=1.2.0 <2.0.0"`.
    pub(super) semver: Option<String>,
    /// The commit to stay at.
    pub(super) commit: Option<String>,
    /// How often it is looked at, such as `5m`; `10m` when absent.
    pub(super) interval: Option<Interval>,
    /// How long a look may take; `10m` when absent.
    pub(super) timeout: Option<Interval>,
    /// How Flux signs in without a secret: `Azure` (workload identity), `GitHub` or `Generic` (the default).
    pub(super) provider: Option<Provider>,
    /// The user's name for HTTPS.
    pub(super) https_user: Option<String>,
    /// The password or token for HTTPS in base64, from a parameter with `secret: true`.
    pub(super) https_key: Option<String>,
    /// The certificate authority of the server, in base64.
    pub(super) https_ca_cert: Option<String>,
    /// The private key for SSH in base64, from a parameter with `secret: true`; Flux makes one when absent, whose
    /// public half is the output `repositoryPublicKey`.
    pub(super) ssh_private_key: Option<String>,
    /// The server's public keys as in `known_hosts`, in base64.
    pub(super) ssh_known_hosts: Option<String>,
    /// A Kubernetes secret with credentials in the configuration's namespace, in place of the fields above.
    pub(super) local_auth: Option<String>,
}

/// An S3-compatible bucket.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub struct BucketSpec {
    /// The address of the service.
    url: String,
    /// The bucket's name.
    name: String,
    /// Whether plain HTTP is used.
    insecure: Option<bool>,
    /// The access key's id.
    access_key: Option<String>,
    /// The access key in base64, from a parameter with `secret: true`.
    pub(super) secret_key: Option<String>,
    /// How often it is looked at; `10m` when absent.
    interval: Option<Interval>,
    /// How long a look may take; `10m` when absent.
    timeout: Option<Interval>,
    /// A Kubernetes secret with credentials in the configuration's namespace.
    local_auth: Option<String>,
}

/// A container of an Azure storage account.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub struct BlobSpec {
    /// The address of the account's blob service.
    url: String,
    /// The container's name.
    container: String,
    /// The identity that reads it, a user-assigned one on the nodes.
    #[schemars(extend("x-wants" = "identity"))]
    pub(super) identity: Option<Reference>,
    /// The account's key, from a parameter with `secret: true`.
    pub(super) account_key: Option<String>,
    /// A shared access signature, from a parameter with `secret: true`.
    pub(super) sas_token: Option<String>,
    /// How often it is looked at; `10m` when absent.
    interval: Option<Interval>,
    /// How long a look may take; `10m` when absent.
    timeout: Option<Interval>,
    /// A Kubernetes secret with credentials in the configuration's namespace.
    local_auth: Option<String>,
}

/// An artifact in a container registry.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub struct OciSpec {
    /// Its address, `oci://…`.
    url: String,
    /// The tag to follow. At most one of `tag`, `semver` and `digest`.
    pub(super) tag: Option<String>,
    /// The range of versions to follow.
    pub(super) semver: Option<String>,
    /// The digest to stay at.
    pub(super) digest: Option<String>,
    /// Whether plain HTTP is used.
    insecure: Option<bool>,
    /// Whether Flux signs in with workload identity.
    workload_identity: Option<bool>,
    /// The service account with which Flux signs in.
    service_account: Option<String>,
    /// How often it is looked at; `10m` when absent.
    interval: Option<Interval>,
    /// How long a look may take; `10m` when absent.
    timeout: Option<Interval>,
    /// A Kubernetes secret with credentials in the configuration's namespace.
    local_auth: Option<String>,
}

words! {
    /// How Flux signs in to a Git server.
    Provider { "Generic" => Generic, "Azure" => Azure, "GitHub" => GitHub, }
}

/// A source as a request has it.
pub(super) struct Source {
    /// Its `sourceKind`.
    pub kind: &'static str,
    /// The member that holds it.
    pub member: &'static str,
    /// What is there.
    pub body: Value,
    /// What goes into `configurationProtectedSettings`.
    pub secrets: Map<String, Value>,
}

fn secrets(all: &[(&str, &Option<String>)]) -> Map<String, Value> {
    all.iter()
        .filter_map(|(name, secret)| Some(((*name).to_owned(), secret.as_ref()?.clone().into())))
        .collect()
}

fn seconds(interval: &Option<Interval>) -> Option<i32> {
    interval.as_ref().map(Interval::seconds)
}

impl GitSpec {
    /// What is followed: name and value of each that was said.
    pub(super) fn references(&self) -> Vec<(&'static str, &str)> {
        let all = [
            ("branch", &self.branch),
            ("tag", &self.tag),
            ("semver", &self.semver),
            ("commit", &self.commit),
        ];
        all.into_iter().filter_map(|(name, value)| Some((name, value.as_deref()?))).collect()
    }

    pub(super) fn source(&self) -> Source {
        let reference: Map<String, Value> =
            self.references().into_iter().map(|(name, value)| (name.to_owned(), value.into())).collect();
        Source {
            kind: "GitRepository",
            member: "gitRepository",
            body: model(&json!({
                "url": self.url,
                "repositoryRef": reference,
                "syncIntervalInSeconds": seconds(&self.interval),
                "timeoutInSeconds": seconds(&self.timeout),
                "provider": self.provider,
                "httpsUser": self.https_user,
                "httpsCACert": self.https_ca_cert,
                "sshKnownHosts": self.ssh_known_hosts,
                "localAuthRef": self.local_auth,
            })),
            secrets: secrets(&[("httpsKey", &self.https_key), ("sshPrivateKey", &self.ssh_private_key)]),
        }
    }
}

impl BucketSpec {
    pub(super) fn source(&self) -> Source {
        Source {
            kind: "Bucket",
            member: "bucket",
            body: model(&json!({
                "url": self.url,
                "bucketName": self.name,
                "insecure": self.insecure,
                "accessKey": self.access_key,
                "syncIntervalInSeconds": seconds(&self.interval),
                "timeoutInSeconds": seconds(&self.timeout),
                "localAuthRef": self.local_auth,
            })),
            secrets: secrets(&[("bucketSecretKey", &self.secret_key)]),
        }
    }
}

impl BlobSpec {
    pub(super) fn source(&self) -> Source {
        let identity = |identity: &Reference| json!({ "clientId": identity.facet("clientId") });
        Source {
            kind: "AzureBlob",
            member: "azureBlob",
            body: model(&json!({
                "url": self.url,
                "containerName": self.container,
                "managedIdentity": self.identity.as_ref().map(identity),
                "accountKey": self.account_key,
                "sasToken": self.sas_token,
                "syncIntervalInSeconds": seconds(&self.interval),
                "timeoutInSeconds": seconds(&self.timeout),
                "localAuthRef": self.local_auth,
            })),
            secrets: Map::new(),
        }
    }
}

impl OciSpec {
    pub(super) fn source(&self) -> Source {
        let reference = json!({ "tag": self.tag, "semver": self.semver, "digest": self.digest });
        Source {
            kind: "OCIRepository",
            member: "ociRepository",
            body: model(&json!({
                "url": self.url,
                "repositoryRef": reference,
                "insecure": self.insecure,
                "useWorkloadIdentity": self.workload_identity,
                "serviceAccountName": self.service_account,
                "syncIntervalInSeconds": seconds(&self.interval),
                "timeoutInSeconds": seconds(&self.timeout),
                "localAuthRef": self.local_auth,
            })),
            secrets: Map::new(),
        }
    }
}

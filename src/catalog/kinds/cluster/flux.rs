//! Flux: what is kept in the cluster as it is in Git.

use super::flux_source::{BlobSpec, BucketSpec, GitSpec, OciSpec, Source};
use super::types::{EXTENSION, FLUX_CONFIGURATION};
use super::words::words;
use crate::catalog::kinds::interval::Interval;
use crate::catalog::{Draft, EntryCx, Named, merge_over, model};
use crate::ident::ArmId;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

/// The namespace that Flux runs in.
const NAMESPACE: &str = "flux-system";

/// What is kept in the cluster as it is in Git.
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub struct FluxSpec {
    /// Configurations by their key: each a source and what is applied from it.
    #[serde(default)]
    pub(super) configurations: Named<FluxConfigurationSpec>,
    /// Settings of the extension, such as `image-automation-controller.enabled: "true"`.
    #[serde(default)]
    pub(super) settings: Named<String>,
    /// The extension's release train; `Stable` when absent.
    pub(super) release_train: Option<String>,
    /// The extension's version; the newest, upgraded automatically, when absent.
    pub(super) version: Option<String>,
}

/// A source and what is applied from it.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub struct FluxConfigurationSpec {
    /// The Azure name; the key when absent. Small letters, digits and `-`, at most 30 characters.
    pub(super) name: Option<String>,
    /// The Kubernetes namespace of the configuration; `flux-system` when absent. It cannot be changed.
    pub(super) namespace: Option<String>,
    /// `cluster` (the default) may change everything, `namespace` only its own. It cannot be changed.
    pub(super) scope: Option<Scope>,
    /// Whether nothing is applied for now.
    pub(super) suspend: Option<bool>,
    /// `compliant`: a run ends only once the cluster is as the source says, within the configuration's `timeout` (`30m`).
    pub(super) wait: Option<Wait>,
    /// A Git repository as the source.
    pub(super) git: Option<GitSpec>,
    /// A bucket as the source.
    pub(super) bucket: Option<BucketSpec>,
    /// A container of a storage account as the source.
    pub(super) azure_blob: Option<BlobSpec>,
    /// An artifact in a container registry as the source.
    pub(super) oci: Option<OciSpec>,
    /// What is applied, by its name.
    #[serde(default)]
    pub(super) kustomizations: Named<KustomizationSpec>,
    /// Merged over the configuration's `properties` as berth builds them: for fields that are missing here.
    pub(super) properties: Option<Value>,
}

/// A folder of the source that is applied.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub struct KustomizationSpec {
    /// The folder, such as `./apps`; the root when absent.
    path: Option<String>,
    /// Whether what leaves the source leaves the cluster, too.
    prune: Option<bool>,
    /// Kustomizations that must be in place before.
    pub(super) depends_on: Option<Vec<String>>,
    /// How often it is applied; `10m` when absent.
    interval: Option<Interval>,
    /// How long applying may take; `10m` when absent.
    timeout: Option<Interval>,
    /// How long to wait after a failure; `interval` when absent.
    retry_interval: Option<Interval>,
    /// Whether to wait until everything is ready; yes when absent.
    wait: Option<bool>,
    /// Whether what cannot be changed is made anew.
    force: Option<bool>,
    /// Values for `${…}` in the manifests, by their name.
    #[serde(default)]
    substitute: Named<String>,
    /// Config maps and secrets with such values.
    #[serde(default)]
    substitute_from: Vec<SubstituteFrom>,
}

/// Where values for `${…}` in manifests come from.
#[derive(Debug, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub struct SubstituteFrom {
    /// `ConfigMap` or `Secret`.
    kind: SubstituteKind,
    /// Its name in the configuration's namespace.
    name: String,
    /// Whether it may be missing.
    #[serde(default)]
    optional: bool,
}

words! {
    /// What a configuration may change.
    Scope { "cluster" => Cluster, "namespace" => Namespace, }
    /// What a run waits for.
    Wait { "compliant" => Compliant, }
    /// Where values come from.
    SubstituteKind { "ConfigMap" => ConfigMap, "Secret" => Secret, }
}

impl FluxSpec {
    /// The drafts of the extension and its configurations.
    pub(super) fn expand(self, cluster: &ArmId, cx: &mut EntryCx<'_>) {
        let address = cx.address.child("addons").child("flux");
        let id = cluster.provider(EXTENSION.arm_type, &["flux"]);
        let body = json!({ "properties": self.extension() });
        cx.also(Draft::new(address.clone(), id.as_str(), &EXTENSION, body).origin("addons.flux"));
        for (key, configuration) in &self.configurations {
            let name = configuration.name.as_deref().unwrap_or(key);
            let id = cluster.provider(FLUX_CONFIGURATION.arm_type, &[name]);
            let body = json!({ "properties": configuration.properties() });
            let here = address.child("configurations").child(key);
            // Its id hangs on the cluster alone, and without the extension nothing answers.
            let draft = Draft::new(here, id.as_str(), &FLUX_CONFIGURATION, body)
                .origin(format!("addons.flux.configurations.{key}"))
                .needs(address.as_str())
                .awaited(configuration.wait.is_some());
            cx.also(draft);
        }
    }

    fn extension(&self) -> Value {
        let mut properties = model(&json!({
            "extensionType": "microsoft.flux",
            "autoUpgradeMinorVersion": self.version.is_none(),
            "releaseTrain": self.release_train,
            "version": self.version,
            "scope": { "cluster": { "releaseNamespace": NAMESPACE } },
        }));
        if !self.settings.is_empty() {
            properties["configurationSettings"] = json!(self.settings);
        }
        properties
    }
}

impl FluxConfigurationSpec {
    /// The sources that were said, each with the field that says it.
    pub(super) fn sources(&self) -> Vec<(&'static str, Source)> {
        let all = [
            ("git", self.git.as_ref().map(GitSpec::source)),
            ("bucket", self.bucket.as_ref().map(BucketSpec::source)),
            ("azureBlob", self.azure_blob.as_ref().map(BlobSpec::source)),
            ("oci", self.oci.as_ref().map(OciSpec::source)),
        ];
        all.into_iter().filter_map(|(field, source)| Some((field, source?))).collect()
    }

    fn properties(&self) -> Value {
        let mut properties = model(&json!({
            "namespace": self.namespace.as_deref().unwrap_or(NAMESPACE),
            "scope": self.scope.unwrap_or(Scope::Cluster),
            "suspend": self.suspend,
        }));
        if let Some((_, source)) = self.sources().into_iter().next() {
            properties["sourceKind"] = source.kind.into();
            properties[source.member] = source.body;
            if !source.secrets.is_empty() {
                properties["configurationProtectedSettings"] = Value::Object(source.secrets);
            }
        }
        properties["kustomizations"] = self
            .kustomizations
            .iter()
            .map(|(name, kustomization)| (name.clone(), kustomization.body()))
            .collect();
        if let Some(over) = &self.properties {
            merge_over(&mut properties, over);
        }
        properties
    }
}

impl KustomizationSpec {
    fn body(&self) -> Value {
        let seconds = |interval: &Option<Interval>| interval.as_ref().map(Interval::seconds);
        let mut body = model(&json!({
            "path": self.path,
            "prune": self.prune,
            "dependsOn": self.depends_on,
            "syncIntervalInSeconds": seconds(&self.interval),
            "timeoutInSeconds": seconds(&self.timeout),
            "retryIntervalInSeconds": seconds(&self.retry_interval),
            "wait": self.wait,
            "force": self.force,
        }));
        if !self.substitute.is_empty() {
            body["postBuild"]["substitute"] = json!(self.substitute);
        }
        if !self.substitute_from.is_empty() {
            body["postBuild"]["substituteFrom"] = json!(self.substitute_from);
        }
        body
    }
}

/// How many reasons are told of a configuration that does not comply.
const REASONS: usize = 3;

/// Why a cluster is not as a configuration's source says. What is suspended has nothing to wait for.
pub(super) fn amiss(live: &Value) -> Option<String> {
    let properties = &live["properties"];
    let state = properties["complianceState"].as_str().unwrap_or("Pending");
    if ["Compliant", "Suspended"].iter().any(|done| state.eq_ignore_ascii_case(done)) {
        return None;
    }
    let objects = properties["statuses"].as_array().map(Vec::as_slice).unwrap_or_default();
    let reasons = objects.iter().filter_map(|object| {
        let conditions = object["statusConditions"].as_array()?;
        let failed = conditions.iter().find(|condition| condition["status"] == "False")?;
        let [kind, name] = ["kind", "name"].map(|member| object[member].as_str().unwrap_or_default());
        Some(format!("{kind} {name}: {}", failed["message"].as_str()?))
    });
    let own = properties["errorMessage"].as_str().filter(|message| !message.is_empty()).map(str::to_owned);
    let reasons: Vec<String> = own.into_iter().chain(reasons).take(REASONS).collect();
    Some(if reasons.is_empty() { state.to_owned() } else { format!("{state}; {}", reasons.join("; ")) })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_does_not_comply_is_told_with_its_first_reasons() {
        let live = |state: &str, statuses: Value| json!({ "properties": { "complianceState": state, "statuses": statuses } });
        for state in ["Compliant", "compliant", "Suspended"] {
            assert_eq!(amiss(&live(state, json!([]))), None);
        }
        assert_eq!(amiss(&json!({ "properties": { "complianceState": null } })), Some("Pending".into()));
        let status = |name: &str, status: &str| {
            json!({ "kind": "Kustomization", "name": name, "statusConditions": [
                { "type": "Ready", "status": status, "reason": "r", "message": format!("{name} is so") },
            ] })
        };
        let all = [
            status("a", "True"),
            status("b", "False"),
            status("c", "False"),
            status("d", "False"),
            status("e", "False"),
        ];
        assert_eq!(
            amiss(&live("Non-Compliant", json!(all))),
            Some(
                "Non-Compliant; Kustomization b: b is so; Kustomization c: c is so; Kustomization d: d is so"
                    .into()
            )
        );
    }
}

//! Cluster extensions and flux configurations.

use super::cluster::refuse_if_busy;
use crate::core::behaviour::{Answer, Behaviour, begin, merge_patch, settle_or_remove, stored_and_new};
use crate::core::call::Call;
use crate::core::error::Failure;
use crate::core::json::{Object, at, flag, object, set, set_default, text};
use crate::core::operation::{Act, Operation, Progress, Style, Work, seconds};
use crate::core::path::last;
use crate::core::store::Resource;
use crate::core::world::World;
use serde_json::{Value, json};
use std::time::Duration;

/// `Microsoft.KubernetesConfiguration/extensions`.
#[derive(Debug)]
pub(crate) struct Extension;

/// `Microsoft.KubernetesConfiguration/fluxConfigurations`.
#[derive(Debug)]
pub(crate) struct FluxConfiguration;

const EXTENSIONS: &str = "providers/microsoft.kubernetesconfiguration/extensions";
const CONFIGURATIONS: &str = "providers/microsoft.kubernetesconfiguration/fluxconfigurations";

fn bad(message: impl Into<String>) -> Failure {
    Failure::bad("BadRequest", message)
}

/// The cluster must stand still, run, and have succeeded.
fn check_cluster(world: &World, call: &Call<'_>) -> Result<(), Failure> {
    let scope = &call.path.scope;
    if !scope.contains("/managedclusters/") && !scope.contains("/connectedclusters/") {
        return Err(bad(format!("'{}' can only be created on a cluster.", call.type_name)));
    }
    // Here the envelope is the usual one: it is not AKS that answers.
    refuse_if_busy(world, scope).map_err(|f| Failure::new(f.status, &f.code, f.message).passing())?;
    let cluster = world.state.resources.get(scope);
    if cluster.is_some_and(|c| c.state().is_some_and(|s| s != "Succeeded")) {
        return Err(bad(format!("The cluster '{}' is not in a Succeeded state.", last(scope))));
    }
    if cluster.is_some_and(|c| text(&c.body, "properties.powerState.code") == Some("Stopped")) {
        return Err(bad(format!("The cluster '{}' is stopped.", last(scope))));
    }
    Ok(())
}

fn restore_case(id: String) -> String {
    id.replacen("/resourcegroups/", "/resourceGroups/", 1)
}

fn times(world: &World) -> Value {
    let now = world.time();
    json!({
        "createdBy": null, "createdByType": null, "createdAt": now,
        "lastModifiedBy": null, "lastModifiedByType": null, "lastModifiedAt": now,
    })
}

/// Protected settings come back with their names and no values.
fn without_values(value: Option<&Value>) -> Value {
    let names =
        value.and_then(Value::as_object).map(|o| o.keys().cloned().collect::<Vec<_>>()).unwrap_or_default();
    Value::Object(names.into_iter().map(|n| (n, Value::Null)).collect())
}

/// Takes a PATCH of an extension or a configuration; what is protected is kept without its values.
fn patched(world: &mut World, call: &Call<'_>) -> Answer {
    check_cluster(world, call)?;
    let (key, scope) = (&call.path.key, &call.path.scope);
    merge_patch(world, call);
    if let Some(resource) = world.state.resources.edit(key) {
        let hidden = without_values(at(&resource.body, "properties.configurationProtectedSettings"));
        set(&mut resource.body, "properties.configurationProtectedSettings", hidden);
        set(&mut resource.body, "properties.provisioningState", "Updating");
    }
    world.updated(key);
    begin(world, call, 202, Work::on(Style::Configuration, Act::Update, key).locking([scope.clone()]))
}

impl Behaviour for Extension {
    fn duration(&self, _kind: &str, act: Act, _body: &Object) -> Duration {
        if act == Act::Create { seconds(360) } else { seconds(120) }
    }

    fn spell(&self, id: String) -> String {
        restore_case(id)
    }

    fn put(&self, world: &mut World, call: &Call<'_>) -> Answer {
        check_cluster(world, call)?;
        let (key, scope) = (&call.path.key, &call.path.scope);
        let Some(kind) = text(&call.body, "properties.extensionType").map(str::to_owned) else {
            return Err(bad("The property 'extensionType' is required."));
        };
        let same = |k: &str, r: &Resource| {
            k != key
                && text(&r.body, "properties.extensionType").is_some_and(|t| t.eq_ignore_ascii_case(&kind))
        };
        let collection = format!("{scope}/{EXTENSIONS}");
        if let Some((_, other)) = world.state.resources.members(&collection).find(|(k, r)| same(k, r)) {
            let message = format!(
                "An extension of type '{kind}' exists already on the cluster: '{}'.",
                last(&other.id)
            );
            return Err(Failure::new(409, "Conflict", message));
        }
        if let Some(existing) = world.state.resources.get(key) {
            for fixed in ["properties.extensionType", "properties.scope.cluster.releaseNamespace"] {
                let (before, after) = (text(&existing.body, fixed), text(&call.body, fixed));
                if after.is_some()
                    && !before.unwrap_or_default().eq_ignore_ascii_case(after.unwrap_or_default())
                {
                    return Err(bad(format!("The property '{fixed}' of an extension cannot be changed.")));
                }
            }
        } else {
            world.enter_generation(key);
        }
        let exists = world.state.resources.contains(key);
        let mut body = call.envelope();
        body.insert("properties".into(), Value::Object(call.properties()));
        if let Some(plan) = call.body.get("plan") {
            body.insert("plan".into(), plan.clone());
        }
        let automatic = flag(&body, "properties.autoUpgradeMinorVersion");
        let pinned = text(&body, "properties.version").filter(|v| !v.is_empty()).map(str::to_owned);
        if automatic == Some(true) && pinned.is_some() {
            return Err(bad("The properties 'version' and 'autoUpgradeMinorVersion' exclude each other."));
        }
        let flux = kind.eq_ignore_ascii_case("microsoft.flux");
        let current =
            pinned.clone().unwrap_or_else(|| if flux { "1.18.2".to_owned() } else { "1.0.0".to_owned() });
        set_default(&mut body, "properties.autoUpgradeMinorVersion", pinned.is_none());
        set_default(&mut body, "properties.releaseTrain", "Stable");
        set_default(&mut body, "properties.version", Value::Null);
        set(&mut body, "properties.currentVersion", current);
        if at(&body, "properties.scope").is_none() {
            let namespace =
                if flux { "flux-system".to_owned() } else { format!("{}-system", call.path.name()) };
            set(&mut body, "properties.scope", json!({"cluster": {"releaseNamespace": namespace}}));
        }
        set_default(&mut body, "properties.configurationSettings", json!({}));
        let hidden = without_values(at(&call.body, "properties.configurationProtectedSettings"));
        set(&mut body, "properties.configurationProtectedSettings", hidden);
        set(&mut body, "properties.provisioningState", if exists { "Updating" } else { "Creating" });
        set(&mut body, "properties.installState", "Unknown");
        set(&mut body, "properties.statuses", json!([]));
        set(&mut body, "properties.aksAssignedIdentity", Value::Null);
        set(&mut body, "properties.isSystemExtension", false);
        body.insert("systemData".into(), times(world));
        let status = stored_and_new(world, call, Resource::new(&call.id, &call.kind, body));
        let act = if exists { Act::Update } else { Act::Create };
        begin(world, call, status, Work::on(Style::Configuration, act, key).locking([scope.clone()]))
    }

    fn patch(&self, world: &mut World, call: &Call<'_>) -> Answer {
        patched(world, call)
    }

    fn delete(&self, world: &mut World, call: &Call<'_>) -> Answer {
        let (key, scope) = (&call.path.key, &call.path.scope);
        check_cluster_for_delete(world, call)?;
        let flux = text(&world.need(call)?.body, "properties.extensionType")
            .is_some_and(|t| t.eq_ignore_ascii_case("microsoft.flux"));
        let collection = format!("{scope}/{CONFIGURATIONS}");
        if flux && let Some((_, first)) = world.state.resources.members(&collection).next() {
            let message = format!(
                "The extension cannot be deleted while flux configurations exist, such as '{}'.",
                last(&first.id)
            );
            return Err(Failure::new(409, "Conflict", message));
        }
        begin(world, call, 202, Work::on(Style::Configuration, Act::Delete, key).locking([scope.clone()]))
    }

    fn complete(&self, world: &mut World, operation: &Operation) {
        settle_or_remove(world, operation);
        let identity = json!({
            "type": "SystemAssigned",
            "principalId": world.uuid(&operation.target, "extension principal"),
            "tenantId": world.state.tenant,
        });
        if matches!(operation.progress, Progress::Succeeded(_))
            && let Some(extension) = world.state.resources.edit(&operation.target)
        {
            set(&mut extension.body, "properties.installState", "Installed");
            set(&mut extension.body, "properties.aksAssignedIdentity", identity);
        }
    }
}

fn check_cluster_for_delete(world: &World, call: &Call<'_>) -> Result<(), Failure> {
    refuse_if_busy(world, &call.path.scope).map_err(|f| Failure::new(f.status, &f.code, f.message).passing())
}

fn is_label(name: &str, longest: usize) -> bool {
    let fits = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-';
    (1..=longest).contains(&name.len())
        && name.chars().all(fits)
        && !name.starts_with('-')
        && !name.ends_with('-')
}

/// The source object that each kind of source needs.
const SOURCES: &[(&str, &str)] = &[
    ("GitRepository", "gitRepository"),
    ("Bucket", "bucket"),
    ("AzureBlob", "azureBlob"),
    ("OCIRepository", "ociRepository"),
];

impl FluxConfiguration {
    fn check(world: &World, call: &Call<'_>) -> Result<&'static str, Failure> {
        check_cluster(world, call)?;
        let (name, body) = (call.path.name(), &call.body);
        if !is_label(name, 30) {
            return Err(bad(format!(
                "The flux configuration name '{name}' is invalid: at most 30 lower-case letters, digits and '-'."
            )));
        }
        if !text(body, "properties.namespace").is_some_and(|n| is_label(n, 63)) {
            return Err(bad("The property 'namespace' is required and must be a DNS label."));
        }
        let kind = text(body, "properties.sourceKind").unwrap_or_default();
        let Some((_, source)) = SOURCES.iter().find(|(k, _)| *k == kind) else {
            return Err(bad(format!(
                "The source kind '{kind}' is none of GitRepository, Bucket, AzureBlob, OCIRepository."
            )));
        };
        if at(body, &format!("properties.{source}")).is_none() {
            return Err(bad(format!("The property '{source}' is required for the source kind '{kind}'.")));
        }
        if let Some(reference) = at(body, "properties.gitRepository.repositoryRef").and_then(Value::as_object)
            && reference.len() != 1
        {
            return Err(bad(
                "Exactly one of branch, tag, semver and commit must be given in 'repositoryRef'.",
            ));
        }
        let kustomizations = at(body, "properties.kustomizations").and_then(Value::as_object);
        if let Some(odd) = kustomizations.into_iter().flatten().map(|(k, _)| k).find(|k| !is_label(k, 30)) {
            return Err(bad(format!("The kustomization name '{odd}' is invalid.")));
        }
        let installed = |r: &Resource| {
            text(&r.body, "properties.extensionType")
                .is_some_and(|t| t.eq_ignore_ascii_case("microsoft.flux"))
                && r.state() == Some("Succeeded")
        };
        let collection = format!("{}/{EXTENSIONS}", call.path.scope);
        if !world.state.resources.members(&collection).any(|(_, r)| installed(r)) {
            return Err(bad("The 'microsoft.flux' extension must be installed on the cluster first."));
        }
        if let Some(existing) = world.state.resources.get(&call.path.key) {
            for fixed in ["properties.namespace", "properties.scope"] {
                let after = text(body, fixed);
                if after.is_some() && after != text(&existing.body, fixed) {
                    return Err(bad(format!(
                        "The property '{fixed}' of a flux configuration cannot be changed."
                    )));
                }
            }
        }
        Ok(source)
    }
}

fn fill_source(source: &str, properties: &mut Object) {
    for (_, other) in SOURCES.iter().filter(|(_, s)| *s != source) {
        properties.insert((*other).to_owned(), Value::Null);
    }
    set_default(properties, &format!("{source}.timeoutInSeconds"), 600);
    set_default(properties, &format!("{source}.syncIntervalInSeconds"), 600);
    if source == "gitRepository" {
        for member in ["branch", "tag", "semver", "commit"] {
            set_default(properties, &format!("gitRepository.repositoryRef.{member}"), Value::Null);
        }
        for member in ["sshKnownHosts", "httpsUser", "httpsCACert", "localAuthRef"] {
            set_default(properties, &format!("gitRepository.{member}"), Value::Null);
        }
    }
    for secret in
        ["accountKey", "sasToken", "servicePrincipal.clientSecret", "servicePrincipal.clientCertificate"]
    {
        if crate::core::json::remove(properties, &format!("{source}.{secret}")).is_some() {
            set(properties, &format!("{source}.{secret}"), "");
        }
    }
}

impl Behaviour for FluxConfiguration {
    fn duration(&self, _kind: &str, _act: Act, _body: &Object) -> Duration {
        seconds(90)
    }

    fn spell(&self, id: String) -> String {
        restore_case(id)
    }

    fn put(&self, world: &mut World, call: &Call<'_>) -> Answer {
        let source = FluxConfiguration::check(world, call)?;
        let (key, scope) = (&call.path.key, &call.path.scope);
        let exists = world.state.resources.contains(key);
        if !exists {
            world.enter_generation(key);
        }
        let mut properties = call.properties();
        set_default(&mut properties, "scope", "cluster");
        set_default(&mut properties, "suspend", false);
        fill_source(source, &mut properties);
        let wanted =
            at(&properties, "kustomizations").and_then(Value::as_object).cloned().unwrap_or_default();
        for (name, kustomization) in wanted {
            let mut made = kustomization.as_object().cloned().unwrap_or_default();
            let defaults = object(json!({
                "name": name, "path": "", "dependsOn": null, "timeoutInSeconds": 600, "syncIntervalInSeconds": 600,
                "retryIntervalInSeconds": null, "prune": false, "force": false, "wait": true, "postBuild": null,
            }));
            for (member, value) in defaults {
                made.entry(member).or_insert(value);
            }
            set(&mut properties, &format!("kustomizations.{name}"), made);
        }
        let hidden = without_values(at(&call.body, "properties.configurationProtectedSettings"));
        properties.insert("configurationProtectedSettings".into(), hidden);
        for unknown in [
            "repositoryPublicKey",
            "sourceUpdatedAt",
            "statusUpdatedAt",
            "sourceSyncedCommitId",
            "complianceState",
        ] {
            properties.insert(unknown.to_owned(), Value::Null);
        }
        properties.insert("provisioningState".into(), json!(if exists { "Updating" } else { "Creating" }));
        properties.insert("errorMessage".into(), Value::Null);
        set_default(&mut properties, "waitForReconciliation", false);
        set_default(&mut properties, "reconciliationWaitDuration", Value::Null);
        properties.insert("statuses".into(), json!([]));
        let mut body = call.envelope();
        body.insert("properties".into(), Value::Object(properties));
        body.insert("systemData".into(), times(world));
        let status = stored_and_new(world, call, Resource::new(&call.id, &call.kind, body));
        let act = if exists { Act::Update } else { Act::Create };
        begin(world, call, status, Work::on(Style::Configuration, act, key).locking([scope.clone()]))
    }

    fn patch(&self, world: &mut World, call: &Call<'_>) -> Answer {
        patched(world, call)
    }

    fn delete(&self, world: &mut World, call: &Call<'_>) -> Answer {
        check_cluster_for_delete(world, call)?;
        let (key, scope) = (&call.path.key, &call.path.scope);
        begin(world, call, 202, Work::on(Style::Configuration, Act::Delete, key).locking([scope.clone()]))
    }

    fn complete(&self, world: &mut World, operation: &Operation) {
        settle_or_remove(world, operation);
        if !matches!(operation.progress, Progress::Succeeded(_)) {
            return;
        }
        let time = world.time();
        // A commit has forty digits, and a GUID thirty-two.
        let commit = world.uuid(&operation.target, "commit").replace('-', "")
            + &world.token(&operation.target, "end of commit");
        let Some(configuration) = world.state.resources.edit(&operation.target) else { return };
        let body = &mut configuration.body;
        let branch = text(body, "properties.gitRepository.repositoryRef.branch").unwrap_or("main").to_owned();
        set(body, "properties.repositoryPublicKey", "");
        set(body, "properties.errorMessage", "");
        // A name that never resolves (RFC 6761): the source cannot be fetched.
        let url = SOURCES.iter().find_map(|(_, source)| text(body, &format!("properties.{source}.url")));
        let host = url.and_then(|url| url.split("://").nth(1)?.split(['/', ':']).next()).unwrap_or_default();
        let is_lost = host.ends_with(".invalid");
        let statuses = match is_lost {
            true => json!([{
                "name": last(&configuration.id), "namespace": text(body, "properties.namespace"),
                "kind": text(body, "properties.sourceKind"), "complianceState": "Non-Compliant", "appliedBy": null,
                "statusConditions": [{
                    "type": "Ready", "status": "False", "reason": "GitOperationFailed", "lastTransitionTime": time,
                    "message": format!("failed to checkout and determine revision: lookup {host}: no such host"),
                }],
            }]),
            false => json!([]),
        };
        set(body, "properties.statuses", statuses);
        let compliance = if is_lost { "Non-Compliant" } else { "Compliant" };
        set(body, "properties.complianceState", compliance);
        set(body, "properties.sourceUpdatedAt", time.clone());
        set(body, "properties.statusUpdatedAt", time);
        set(body, "properties.sourceSyncedCommitId", format!("{branch}@sha1:{commit}"));
    }
}

#[cfg(test)]
mod tests {
    use crate::testing::Bench;
    use serde_json::json;

    #[tokio::test(start_paused = true)]
    async fn configurations_need_the_extension_and_hold_it() {
        let bench = Bench::new().await;
        let cluster = Bench::rid("Microsoft.ContainerService/managedClusters/mc");
        bench.make(&cluster, Bench::cluster_body()).await;
        let extension = format!("{cluster}/providers/Microsoft.KubernetesConfiguration/extensions/flux");
        let flux = format!("{cluster}/providers/Microsoft.KubernetesConfiguration/fluxConfigurations/apps");
        let body = json!({"properties": {
            "namespace": "apps", "sourceKind": "GitRepository",
            "gitRepository": {"url": "https://g", "repositoryRef": {"branch": "main"}},
            "kustomizations": {"k": {}}, "configurationProtectedSettings": {"httpsKey": "aHVzaA=="},
        }});
        assert_eq!(bench.put(&flux, body.clone()).await.status, 400);
        let settings =
            json!({"properties": {"extensionType": "microsoft.flux", "autoUpgradeMinorVersion": true}});
        let seen = bench.put(&extension, settings).await;
        assert_eq!((seen.status, seen.at("/properties/provisioningState")), (201, &json!("Creating")));
        assert!(seen.header("azure-asyncoperation").contains("/ManagedClusters/mc/"));
        assert_eq!(bench.put(&cluster, Bench::cluster_body()).await.status, 409);
        bench.settle(&seen).await;
        let made = bench.make(&flux, body).await;
        assert_eq!(made["id"], flux);
        assert_eq!(made["properties"]["complianceState"], "Compliant");
        assert_eq!(made["properties"]["kustomizations"]["k"]["syncIntervalInSeconds"], 600);
        assert_eq!(made["properties"]["gitRepository"]["repositoryRef"]["tag"], json!(null));
        assert!(!made.to_string().contains("aHVzaA"));
        assert_eq!(bench.delete(&extension).await.status, 409);
        for id in [flux, extension] {
            let gone = bench.delete(&id).await;
            assert_eq!((gone.status, bench.settle(&gone).await.as_str()), (202, "Succeeded"));
        }
        assert_eq!(bench.delete(&cluster).await.status, 202);
    }
}

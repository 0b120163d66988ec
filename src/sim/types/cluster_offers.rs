//! What AKS shows of a cluster that is no resource: the versions that it and its pools can go to, and commands that ran in it.

use super::cluster_body::{VERSIONS, patches};
use crate::core::behaviour::{Answer, Behaviour, ok};
use crate::core::call::Call;
use crate::core::error::Failure;
use crate::core::json::text;
use crate::core::store::Resource;
use crate::core::world::World;
use crate::host::transport::Response;
use serde_json::{Value, json};

/// `upgradeProfiles` of clusters and of pools, `availableAgentPoolVersions`, and `commandResults`.
#[derive(Debug)]
pub(crate) struct Offers;

fn minor(version: &str) -> String {
    version.split('.').take(2).collect::<Vec<_>>().join(".")
}

/// The newer patches of the minor version, and those of the next one.
fn upgrades(version: &str) -> Vec<String> {
    let number = |version: &str| version.rsplit('.').next().and_then(|patch| patch.parse::<u32>().ok());
    let own = minor(version);
    let Some(at) = VERSIONS.iter().position(|(minor, _)| *minor == own) else { return Vec::new() };
    let newer = patches(at).into_iter().filter(|patch| number(patch) > number(version));
    newer.chain(patches(at + 1)).collect()
}

fn owner<'w>(world: &'w World, call: &Call<'_>, mark: &str) -> Result<&'w Resource, Failure> {
    let end = call.path.key.find(mark).unwrap_or(call.path.key.len());
    world
        .state
        .resources
        .get(&call.path.key[..end])
        .ok_or_else(|| crate::core::call::not_found(&call.path.id[..end]))
}

fn listed(version: &str) -> Vec<Value> {
    upgrades(version).iter().map(|version| json!({ "kubernetesVersion": version })).collect()
}

impl Behaviour for Offers {
    fn put(&self, _world: &mut World, call: &Call<'_>) -> Answer {
        let message = format!("The method '{}' is not allowed on '{}'.", call.method, call.type_name);
        Err(Failure::new(405, "MethodNotAllowed", message))
    }

    fn get(&self, world: &mut World, call: &Call<'_>) -> Answer {
        if call.kind.ends_with("/commandresults") {
            owner(world, call, "/commandresults/")?;
            let now = world.time();
            let properties = json!({
                "provisioningState": "Succeeded", "exitCode": 0, "startedAt": now, "finishedAt": now, "logs": "",
            });
            return ok(&json!({ "id": call.path.name(), "properties": properties }));
        }
        if call.path.name() != "default" {
            return Err(call.not_found());
        }
        let owner = owner(world, call, "/upgradeprofiles/")?;
        let of_pool = call.kind.contains("/agentpools/");
        let version = match of_pool {
            true => text(&owner.body, "properties.currentOrchestratorVersion"),
            false => text(&owner.body, "properties.currentKubernetesVersion"),
        };
        let version = version.unwrap_or_default();
        let properties = match of_pool {
            true => json!({
                "kubernetesVersion": version, "osType": text(&owner.body, "properties.osType"), "upgrades": listed(version),
                "latestNodeImageVersion": text(&owner.body, "properties.nodeImageVersion"),
            }),
            false => json!({
                "controlPlaneProfile": { "kubernetesVersion": version, "osType": "Linux", "upgrades": listed(version) },
                "agentPoolProfiles": [],
            }),
        };
        ok(&json!({ "id": call.id, "name": "default", "type": call.type_name, "properties": properties }))
    }

    fn list(&self, world: &mut World, call: &Call<'_>) -> Option<Answer> {
        if !call.kind.ends_with("/availableagentpoolversions") {
            return Some(Err(call.not_found()));
        }
        let control = match owner(world, call, "/availableagentpoolversions") {
            Ok(owner) => {
                text(&owner.body, "properties.currentKubernetesVersion").unwrap_or_default().to_owned()
            }
            Err(failure) => return Some(Err(failure)),
        };
        let number =
            |version: &str| minor(version).split('.').nth(1).and_then(|minor| minor.parse::<u32>().ok());
        // A pool is at most as new as its control plane, and at most three minor versions older.
        let fits = |at: &usize| {
            let (own, control) = (number(VERSIONS[*at].0), number(&control));
            own <= control && own.map(|own| own + 3) >= control
        };
        let all = (0..VERSIONS.len()).filter(fits).flat_map(patches);
        let versions: Vec<Value> = all
            .map(|version| json!({ "default": version == control, "kubernetesVersion": version }))
            .collect();
        Some(ok(
            &json!({ "id": call.id, "name": "default", "properties": { "agentPoolVersions": versions } }),
        ))
    }
}

/// `POST …/runCommand`: the result is shown at another place.
pub(crate) fn run(world: &World, call: &Call<'_>, cluster: &Resource) -> Answer {
    if crate::core::json::flag(&cluster.body, "properties.apiServerAccessProfile.disableRunCommand")
        == Some(true)
    {
        let message = "Run command is disabled on this managed cluster.";
        return Err(Failure::bad("OperationNotAllowed", message).flat());
    }
    if text(&call.body, "command").is_none_or(str::is_empty) {
        return Err(Failure::bad("InvalidParameter", "The value of parameter command is invalid.").flat());
    }
    let id = world.uuid(&cluster.key(), "command");
    let mut response = Response::new(202, "");
    let version = call.query.get("api-version").unwrap_or_default();
    response
        .headers
        .set("location", format!("{}{}/commandResults/{id}?api-version={version}", call.origin, cluster.id));
    Ok(response)
}

#[cfg(test)]
mod tests {
    use crate::host::transport::Method;
    use crate::testing::Bench;
    use serde_json::json;

    #[tokio::test(start_paused = true)]
    async fn a_cluster_shows_where_it_can_go_and_runs_commands() {
        let bench = Bench::new().await;
        let id = Bench::rid("Microsoft.ContainerService/managedClusters/aks");
        let body = json!({
            "location": "westeurope", "identity": { "type": "SystemAssigned" },
            "properties": {
                "dnsPrefix": "aks", "kubernetesVersion": "1.33.4",
                "agentPoolProfiles": [{ "name": "system", "mode": "System", "count": 1, "vmSize": "Standard_D4s_v5" }],
            },
        });
        bench.make(&id, body).await;
        let seen = bench.get(&format!("{id}/upgradeProfiles/default")).await;
        let upgrades = seen.at("/properties/controlPlaneProfile/upgrades").as_array().unwrap();
        assert_eq!(upgrades[0]["kubernetesVersion"], "1.33.5");
        assert!(upgrades.iter().any(|one| one["kubernetesVersion"] == "1.34.0"));
        assert!(!upgrades.iter().any(|one| one["kubernetesVersion"] == "1.35.0"));
        let pool = bench.get(&format!("{id}/agentPools/system/upgradeProfiles/default")).await;
        assert_eq!(pool.at("/properties/kubernetesVersion"), &json!("1.33.4"));
        let versions = bench.get(&format!("{id}/availableAgentPoolVersions")).await;
        let versions = versions.at("/properties/agentPoolVersions").as_array().unwrap();
        assert!(versions.iter().all(|one| !one["kubernetesVersion"].as_str().unwrap().starts_with("1.34")));
        assert_eq!(bench.get(&format!("{id}x/upgradeProfiles/default")).await.status, 404);
        let run = bench
            .send(
                Method::Post,
                &format!("{id}/runCommand"),
                Some(json!({ "command": "kubectl get pods" })),
                &[],
            )
            .await;
        assert_eq!(run.status, 202);
        let put = bench.put(&format!("{id}/upgradeProfiles/default"), json!({})).await;
        assert_eq!((put.status, put.code()), (405, "MethodNotAllowed"));
    }
}

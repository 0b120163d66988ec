//! Clusters with everything on: made, planned again, drifted, changed in place one group at a time, destroyed.

use crate::support::{Rehearsal, root};
use berth::blueprint::parse_value;
use berth::change::{Action, Outcome};
use berth::plan::{Adoption, Reason};
use serde_json::{Value, json};

fn text(name: &str) -> String {
    std::fs::read_to_string(root().join("tests/clusters").join(name)).unwrap()
}

/// Changes one value of the cluster; a null takes the field out.
fn change(tree: &mut Value, pointer: &str, value: &Value) {
    let (parent, field) = pointer.rsplit_once('/').unwrap();
    let parent = tree.pointer_mut(&format!("/clusters/aks{parent}")).unwrap_or_else(|| panic!("{pointer}"));
    let parent = parent.as_object_mut().unwrap();
    match value {
        Value::Null => drop(parent.shift_remove(field)),
        value => drop(parent.insert(field.to_owned(), value.clone())),
    }
}

/// A blueprint with one value of the cluster changed.
fn with(name: &str, pointer: &str, value: &Value) -> String {
    let mut tree = parse_value(&text(name)).unwrap();
    change(&mut tree, pointer, value);
    tree.to_string()
}

#[tokio::test(start_paused = true)]
async fn clusters_with_everything_are_made_stay_and_go() {
    for name in ["overlay.yaml", "windows.yaml", "automatic.yaml"] {
        let text = text(name);
        let rehearsal = Rehearsal::new();
        rehearsal.apply(&text).await;
        let drift = rehearsal.drift(&text).await;
        assert!(drift.drifted.is_empty(), "{name}: {drift:#?}");
        let lost = rehearsal.without_ledger().plan_with(&text, berth::plan::Adoption::Allowed).await.plan;
        for step in &lost.steps {
            assert!(
                matches!(step.action, Action::Adopt | Action::NoOp),
                "{name}: {} {:#?}",
                step.address,
                step.changes
            );
        }
        rehearsal.destroy(&text).await;
        assert_eq!(rehearsal.simulator.export(), [] as [Value; 0], "{name}");
    }
}

/// What is changed in place: blueprint, place, value, and the address that is updated.
fn in_place() -> Vec<(&'static str, &'static str, Value, &'static str)> {
    let cluster = "clusters.aks";
    vec![
        ("overlay.yaml", "/nodeResourceGroupLock", Value::Null, cluster),
        ("overlay.yaml", "/network/loadBalancer", json!({ "managedIps": 3 }), cluster),
        ("overlay.yaml", "/network/advanced", json!({ "observability": true }), cluster),
        ("overlay.yaml", "/apiServer/runCommand", json!(true), cluster),
        ("overlay.yaml", "/aad/azureRbac", json!(false), cluster),
        ("overlay.yaml", "/autoUpgrade/channel", json!("stable"), cluster),
        ("overlay.yaml", "/autoscaler/expander", json!("priority"), cluster),
        ("overlay.yaml", "/kms", json!({ "enabled": false }), cluster),
        ("overlay.yaml", "/kms", Value::Null, cluster),
        (
            "overlay.yaml",
            "/kms",
            json!({ "key": "https://kv-example-7.vault.azure.net/keys/etcd/2" }),
            cluster,
        ),
        ("overlay.yaml", "/httpProxy/noProxy", json!(["shop.local"]), cluster),
        ("overlay.yaml", "/httpProxy/enabled", json!(false), cluster),
        ("overlay.yaml", "/trustedCertificates", json!(["QQ=="]), cluster),
        ("overlay.yaml", "/serviceMesh", json!(false), cluster),
        ("overlay.yaml", "/serviceMesh/revisions", json!(["asm-1-26", "asm-1-27"]), cluster),
        ("overlay.yaml", "/serviceMesh/ingress", json!({ "internal": true }), cluster),
        ("overlay.yaml", "/addons/prometheus", json!(false), cluster),
        ("overlay.yaml", "/addons/appMonitoring", Value::Null, cluster),
        ("overlay.yaml", "/addons/keda", json!(false), cluster),
        ("overlay.yaml", "/costAnalysis", Value::Null, cluster),
        ("overlay.yaml", "/imageCleaner", json!({ "enabled": false }), cluster),
        ("overlay.yaml", "/defender/enabled", json!(false), cluster),
        ("overlay.yaml", "/storage", Value::Null, cluster),
        ("overlay.yaml", "/maintenance/upgrades/hours", json!(8), "clusters.aks.maintenance.upgrades"),
        (
            "overlay.yaml",
            "/maintenance/upgrades/weekly",
            json!({ "day": "Monday" }),
            "clusters.aks.maintenance.upgrades",
        ),
        ("overlay.yaml", "/maintenance/nodeOs/hours", json!(5), "clusters.aks.maintenance.nodeOs"),
        (
            "overlay.yaml",
            "/maintenance/nodeOs/startDate",
            json!("2099-06-01"),
            "clusters.aks.maintenance.nodeOs",
        ),
        ("overlay.yaml", "/maintenance/releases/notAllowed", json!([]), "clusters.aks.maintenance.releases"),
        ("overlay.yaml", "/nodePools/system/osSku", json!("Ubuntu2404"), "clusters.aks.nodePools.system"),
        ("overlay.yaml", "/nodePools/system/upgrade/soak", json!("10m"), "clusters.aks.nodePools.system"),
        (
            "overlay.yaml",
            "/nodePools/work/autoscale",
            json!({ "min": 3, "max": 12 }),
            "clusters.aks.nodePools.work",
        ),
        ("overlay.yaml", "/nodePools/work/autoscale", Value::Null, "clusters.aks.nodePools.work"),
        ("overlay.yaml", "/nodePools/work/labels", json!({ "tier": "other" }), "clusters.aks.nodePools.work"),
        (
            "overlay.yaml",
            "/nodePools/work/security/sshAccess",
            json!("LocalUser"),
            "clusters.aks.nodePools.work",
        ),
        ("overlay.yaml", "/nodePools/cheap/taints", json!(["a=b:NoExecute"]), "clusters.aks.nodePools.cheap"),
        ("overlay.yaml", "/nodePools/gpu/running", json!(false), "clusters.aks.nodePools.gpu"),
        (
            "overlay.yaml",
            "/nodePools/public/network/allowedPorts",
            json!(["443/TCP"]),
            "clusters.aks.nodePools.public",
        ),
        ("windows.yaml", "/windows/licenseType", json!("None"), cluster),
        ("windows.yaml", "/apiServer/authorizedIpRanges", json!([]), cluster),
        ("windows.yaml", "/addons/applicationGateway", json!(false), cluster),
        ("windows.yaml", "/addons/virtualNodes", json!(false), cluster),
        ("windows.yaml", "/nodePools/win22/count", json!(3), "clusters.aks.nodePools.win22"),
    ]
}

#[tokio::test(start_paused = true)]
async fn each_group_is_changed_in_place() {
    for name in ["overlay.yaml", "windows.yaml"] {
        let rehearsal = Rehearsal::new();
        rehearsal.apply(&text(name)).await;
        let mut rows: Vec<_> = in_place().into_iter().filter(|row| row.0 == name).collect();
        for (_, pointer, value, address) in &rows {
            let plan = rehearsal.plan(&with(name, pointer, value)).await.plan;
            let steps: Vec<_> = plan.steps.iter().filter(|step| step.action != Action::NoOp).collect();
            let found: Vec<_> = steps.iter().map(|step| (step.address.as_str(), step.action)).collect();
            assert_eq!(found, [(*address, Action::Update)], "{name} {pointer} = {value}: {steps:#?}");
        }
        // All of them, as many at once as do not stand in each other's place; an apply asks for an empty plan after it.
        while !rows.is_empty() {
            let mut tree = parse_value(&text(name)).unwrap();
            let mut taken: Vec<&str> = Vec::new();
            rows.retain(|(_, pointer, value, _)| {
                let apart = |other: &&str| !pointer.starts_with(other) && !other.starts_with(pointer);
                let free = taken.iter().all(apart);
                if free {
                    change(&mut tree, pointer, value);
                    taken.push(pointer);
                }
                !free
            });
            rehearsal.apply(&tree.to_string()).await;
        }
        rehearsal.apply(&text(name)).await;
    }
}

#[tokio::test(start_paused = true)]
async fn what_azure_fixes_plans_a_replacement_that_names_it() {
    for (name, pointer, value, address, path) in [
        (
            "windows.yaml",
            "/network/policy",
            json!("azure"),
            "clusters.aks",
            "properties.networkProfile.networkPolicy",
        ),
        (
            "windows.yaml",
            "/windows/adminUsername",
            json!("boss"),
            "clusters.aks",
            "properties.windowsProfile.adminUsername",
        ),
        ("windows.yaml", "/dnsPrefix", json!("other"), "clusters.aks", "properties.dnsPrefix"),
        (
            "windows.yaml",
            "/nodePools/win22/osSku",
            json!("Windows2025"),
            "clusters.aks.nodePools.win22",
            "properties.osSKU",
        ),
        (
            "windows.yaml",
            "/nodePools/win22/outboundNat",
            Value::Null,
            "clusters.aks.nodePools.win22",
            "properties.windowsProfile.disableOutboundNat",
        ),
        (
            "overlay.yaml",
            "/network/podCidr",
            json!("10.245.0.0/16"),
            "clusters.aks",
            "properties.networkProfile.podCidr",
        ),
        (
            "overlay.yaml",
            "/nodePools/work/kubelet/podMaxPids",
            json!(1),
            "clusters.aks.nodePools.work",
            "properties.kubeletConfig.podMaxPids",
        ),
        (
            "overlay.yaml",
            "/nodePools/gpu/gpu/driver",
            json!("Install"),
            "clusters.aks.nodePools.gpu",
            "properties.gpuProfile.driver",
        ),
    ] {
        let rehearsal = Rehearsal::new();
        rehearsal.apply(&text(name)).await;
        let plan = rehearsal.plan(&with(name, pointer, &value)).await.plan;
        let step = plan.steps.iter().find(|step| step.address.as_str() == address).unwrap();
        let named = step.changes.iter().any(|change| change.forces_replace && change.path == path);
        assert!(step.action == Action::Replace && named, "{pointer}: {:?} {:#?}", step.action, step.changes);
    }
}

/// Cilium brings its own policies: what the blueprint leaves out is then what Azure has no other answer to.
#[tokio::test(start_paused = true)]
async fn cilium_comes_in_place_whatever_enforced_policies_before() {
    let blueprint = |network: &str| {
        format!(
            "blueprint: cni\nazure: {{ subscription: 5ab5c819-0000-4000-8000-000000000001, location: westeurope, resourceGroup: rg-cni }}\n\
             networks: {{ hub: {{ addressSpace: [10.20.0.0/16], subnets: {{ nodes: {{ prefix: 10.20.0.0/20 }} }} }} }}\n\
             clusters: {{ aks: {{ protect: false, subnet: '${{networks.hub.subnets.nodes}}', network: {{ {network} }}, nodePools: {{ system: {{ mode: System, count: 1, vmSize: Standard_D4s_v5 }} }} }} }}\n"
        )
    };
    for mode in ["", "mode: overlay, podCidr: 192.168.0.0/16, "] {
        for policy in ["policy: azure", "policy: calico", "policy: none", ""] {
            let rehearsal = Rehearsal::new();
            rehearsal.apply(&blueprint(&format!("{mode}{policy}"))).await;
            let after = blueprint(&format!("{mode}dataplane: cilium"));
            let plan = rehearsal.plan(&after).await.plan;
            assert_eq!(plan.conflicts, []);
            let steps: Vec<_> = plan.changes().map(|step| (step.address.as_str(), step.action)).collect();
            assert_eq!(steps, [("clusters.aks", Action::Update)], "{mode}{policy}");
            rehearsal.apply(&after).await;
        }
    }
}

/// A cluster whose Flux waits for what it fetches from a host.
fn waiting_for(host: &str) -> String {
    format!(
        "blueprint: example
azure:
  subscription: 5ab5c819-0000-4000-8000-000000000001
  location: westeurope
  resourceGroup: rg-example
clusters:
  aks:
    network: {{ plugin: azure, mode: overlay }}
    nodePools: {{ system: {{ mode: System, vmSize: Standard_D4s_v5, count: 2 }} }}
    addons:
      flux:
        configurations:
          platform:
            wait: compliant
            timeout: 20m
            git: {{ url: \"https://{host}/platform\", branch: main }}
            kustomizations: {{ all: {{ prune: true }} }}
"
    )
}

#[tokio::test(start_paused = true)]
async fn a_run_ends_when_the_cluster_is_as_git_says() {
    const PLATFORM: &str = "clusters.aks.addons.flux.configurations.platform";
    let (rehearsal, lost) = (Rehearsal::new(), waiting_for("git.invalid"));
    let step = |planned: &berth::ops::Planned| {
        let step = planned.plan.steps.iter().find(|step| step.address.as_str() == PLATFORM);
        step.cloned().unwrap_or_else(|| panic!("{:#?}", planned.plan))
    };
    let first = step(&rehearsal.plan(&lost).await);
    assert_eq!((first.action, first.awaits), (Action::Create, Some(20)));
    // It is made, and does not get there.
    let summary = rehearsal.try_apply(&lost, Adoption::Refused).await.unwrap().summary;
    let failed = summary.steps.iter().find(|step| step.address.as_str() == PLATFORM).unwrap();
    let Outcome::Failed { message, .. } = &failed.outcome else { panic!("{failed:#?}") };
    assert!(message.contains("within 20 minutes it did not become compliant: Non-Compliant; "), "{message}");
    assert!(message.contains("GitRepository platform: ") && message.ends_with("no such host"), "{message}");
    // The next run has the wait left, and sends nothing.
    let again = step(&rehearsal.plan(&lost).await);
    assert!(matches!(again.reason, Reason::NotCompliantYet { .. }), "{again:#?}");
    assert_eq!((again.action, again.changes.len()), (Action::Update, 0));
    let before = rehearsal.simulator.counters().updates;
    assert!(!rehearsal.try_apply(&lost, Adoption::Refused).await.unwrap().summary.is_complete());
    assert_eq!(rehearsal.simulator.counters().updates, before);
    // With the right host it complies, and nothing is left.
    let right = waiting_for("github.com");
    rehearsal.apply(&right).await;
    assert!(rehearsal.plan(&right).await.plan.is_empty());
}

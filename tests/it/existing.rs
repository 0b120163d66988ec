//! `existing:` reads what others made: wherever a reference stands, and never writes it.

use crate::support::{Berth, Run};
use serde_json::Value;

const HUB: &str = "9b1d7a6e-0000-4000-8000-0000000000aa";

/// What another team made.
const THEIRS: &str = "\
blueprint: hub
azure:
  subscription: ${env.AZURE_SUBSCRIPTION_ID}
  location: westeurope
  resourceGroup: rg-hub
resourceGroups:
  spoke: { name: rg-spoke-given, subscription: 9b1d7a6e-0000-4000-8000-0000000000aa }
networks:
  hub:
    name: vnet-hub
    subscription: 9b1d7a6e-0000-4000-8000-0000000000aa
    addressSpace: [10.0.0.0/16]
    subnets: { endpoints: { name: snet-endpoints, prefix: 10.0.1.0/24 }, nodes: { name: snet-nodes, prefix: 10.0.16.0/20 } }
privateDnsZones:
  vault: { name: privatelink.vaultcore.azure.net, subscription: 9b1d7a6e-0000-4000-8000-0000000000aa }
keyVaults:
  shared: { name: kv-hub-a1b2c3, subscription: 9b1d7a6e-0000-4000-8000-0000000000aa, publicAccess: false, protect: false }
identities:
  deploy: { name: id-deploy, subscription: 9b1d7a6e-0000-4000-8000-0000000000aa }
logWorkspaces:
  logs: { name: log-hub, subscription: 9b1d7a6e-0000-4000-8000-0000000000aa, protect: false }
";

const OURS: &str = "\
blueprint: shop
azure:
  subscription: ${env.AZURE_SUBSCRIPTION_ID}
  location: westeurope
  resourceGroup: rg-shop
parameters:
  vault: { type: string, default: /subscriptions/9b1d7a6e-0000-4000-8000-0000000000aa/resourceGroups/rg-hub/providers/Microsoft.KeyVault/vaults/kv-hub-a1b2c3 }
existing:
  hub: { type: Microsoft.Network/virtualNetworks, name: vnet-hub, resourceGroup: rg-hub, subscription: HUBSUB }
  endpoints: { type: Microsoft.Network/virtualNetworks/subnets, parent: \"${existing.hub}\", name: snet-endpoints }
  nodes: { id: \"${existing.hub.id}/subnets/snet-nodes\" }
  vault: { id: \"${param.vault}\" }
  zone: { type: Microsoft.Network/privateDnsZones, name: privatelink.vaultcore.azure.net, resourceGroup: rg-hub, subscription: HUBSUB }
  deploy: { type: Microsoft.ManagedIdentity/userAssignedIdentities, name: id-deploy, resourceGroup: rg-hub, subscription: HUBSUB }
  logs: { type: Microsoft.OperationalInsights/workspaces, name: log-hub, resourceGroup: rg-hub, subscription: HUBSUB }
  group: { type: Microsoft.Resources/resourceGroups, name: rg-spoke-given, subscription: HUBSUB }
networks:
  spoke:
    addressSpace: [10.1.0.0/16]
    subnets: { nodes: { prefix: 10.1.0.0/20 } }
    peerings: { hub: { network: \"${existing.hub}\", bothWays: false } }
identities:
  app: { resourceGroup: \"${existing.group}\" }
clusters:
  aks:
    protect: false
    subnet: ${existing.nodes}
    identity: ${existing.deploy}
    addons: { monitoring: { workspace: \"${existing.logs}\" } }
    nodePools: { system: { mode: System, count: 1, vmSize: Standard_D4s_v5 } }
privateEndpoints:
  vault:
    target: ${existing.vault}
    subnet: ${existing.endpoints}
    dns: [\"${existing.zone}\"]
roleAssignments:
  deploy: { principal: \"${existing.deploy}\", role: Reader, scope: \"${networks.spoke}\" }
outputs:
  region: ${existing.hub.location}
  network: ${existing.endpoints.name} in ${existing.hub.name} of ${existing.vault.resourceGroup}
  vault: ${existing.vault.properties.vaultUri}
  clientId: ${existing.deploy.clientId}
";

fn ours() -> String {
    OURS.replace("HUBSUB", HUB)
}

fn given(text: &str) -> Berth {
    let berth = Berth::new().blueprint(text);
    berth.write("hub.yaml", THEIRS.as_bytes());
    berth.run(["apply", "hub.yaml", "--sim", "--auto-approve"]).exits(0);
    berth
}

fn of_hub(berth: &Berth) -> Vec<Value> {
    let ours = |one: &Value| {
        let id = one["id"].as_str().unwrap_or_default().to_ascii_lowercase();
        !id.starts_with(&format!("/subscriptions/{HUB}/resourcegroups/rg-hub"))
    };
    let mut all = berth.export();
    all.retain(|one| one.get("id").is_some() && !ours(one));
    all.iter_mut().for_each(|one| {
        // The vault has one more connection, and the network one more pool: Azure's own account of its users.
        one["properties"] = Value::Null;
        one["etag"] = Value::Null;
    });
    all
}

#[test]
fn what_others_made_is_used_wherever_a_reference_stands_and_stays_theirs() {
    let berth = given(&ours());
    let before = of_hub(&berth);
    let plan = berth.plan(&[]).exits(2);
    plan.hides(&["+ existing", "vnet-hub in rg-hub"]);
    berth.apply(&[]).exits(0).says(&[
        "region",
        "westeurope",
        "snet-endpoints in vnet-hub of rg-hub",
        "https://kv-hub-a1b2c3.vault",
    ]);
    berth.plan(&[]).exits(0).says(&["No changes."]);
    berth.drift(&[]).exits(0);
    let ledger = berth.ledger().to_string();
    assert!(!ledger.contains("existing."), "{ledger}");
    let graph = berth.run(["graph", "blueprint.yaml"]).exits(0).stdout;
    assert!(graph.contains("\"privateEndpoints.vault\" -> \"existing.vault\""), "{graph}");
    assert!(graph.contains("\"existing.hub\""), "{graph}");
    // The group was given: it is not made, and not deleted.
    berth.destroy(&[]).exits(0);
    assert_eq!(of_hub(&berth), before);
    berth.run(["drift", "hub.yaml", "--sim"]).exits(0);
}

#[test]
fn what_its_owner_changes_is_no_drift_and_what_is_gone_is() {
    let berth = given(&ours());
    berth.apply(&[]).exits(0);
    let theirs = THEIRS.replace("log-hub, ", "log-hub, retentionDays: 60, ");
    berth.write("hub.yaml", theirs.as_bytes());
    berth.run(["apply", "hub.yaml", "--sim", "--auto-approve"]).exits(0);
    berth.drift(&[]).exits(0);
    let theirs =
        theirs.replace("logWorkspaces:\n  logs: { name: log-hub, retentionDays: 60, subscription: 9b1d7a6e-0000-4000-8000-0000000000aa, protect: false }\n", "");
    berth.write("hub.yaml", theirs.as_bytes());
    berth
        .run(["apply", "hub.yaml", "--sim", "--auto-approve", "--allow-delete", "logWorkspaces.logs"])
        .exits(0);
    berth.drift(&[]).exits(2).says(&["existing.logs"]);
    let line = ours().lines().position(|line| line.starts_with("  logs:")).unwrap() + 1;
    berth.plan(&[]).exits(2).says(&[
        "existing.logs",
        "there is no such",
        &format!("blueprint.yaml:{line}"),
        "have its owner make it, or give it an entry of `logWorkspaces`",
    ]);
}

#[test]
fn what_is_not_there_stops_the_plan_before_anything_is_written() {
    let berth = Berth::new().blueprint(&ours());
    berth.plan(&[]).exits(2).says(&["existing.vault", "existing.group", "only reads"]);
    berth.apply(&[]).exits(4);
    assert_eq!(berth.export(), [] as [Value; 0]);
}

fn wrong(from: &str, to: &str) -> Run {
    let text = ours();
    assert!(text.contains(from), "{from}");
    Berth::new().blueprint(&text.replace(from, to)).validate()
}

#[test]
fn mistakes_are_told_offline_at_their_place() {
    for (from, to, told) in [
        ("subnet: ${existing.endpoints}", "subnet: ${existing.hub}", "`subnet` wants a subnet"),
        ("network: \"${existing.hub}\"", "network: \"${existing.vault}\"", "wants a virtual network"),
        (
            "workspace: \"${existing.logs}\"",
            "workspace: \"${existing.deploy}\"",
            "`workspace` wants a Log Analytics workspace",
        ),
        ("principal: \"${existing.deploy}\"", "principal: \"${existing.vault}\"", "`principal` wants"),
        (
            "name: snet-endpoints }",
            "name: snet-endpoints, tags: { a: b } }",
            "`tags` is for what berth makes",
        ),
        (
            "vault: { id: \"${param.vault}\" }",
            "vault: { id: \"${param.vault}\", name: kv }",
            "`name` beside `id` says",
        ),
        (
            "vault: { id: \"${param.vault}\" }",
            "vault: { id: \"${param.vault}\", type: Microsoft.Network/virtualNetworks }",
            "the id names a `Microsoft.KeyVault/vaults`",
        ),
        (
            "vault: { id: \"${param.vault}\" }",
            "vault: { id: \"${networks.spoke.id}/x\", type: Microsoft.KeyVault/vaults }",
            "is not an ARM id",
        ),
        (
            "vault: { id: \"${param.vault}\" }",
            "vault: { id: \"${networks.spoke.id}\", type: Microsoft.KeyVault/vaults }",
            "the id names a `Microsoft.Network/virtualNetworks`",
        ),
        (
            "providers/Microsoft.KeyVault/vaults/kv-hub-a1b2c3",
            "providers/Microsoft.KeyVault/vaults/../../x",
            "leads elsewhere",
        ),
        ("${existing.hub.location}", "${existing.hub.nothing}", "has no `nothing`"),
        ("${existing.hub.location}", "${existing.hubs.location}", "did you mean `hub`"),
    ] {
        let told_all = wrong(from, to).exits(1);
        let words: Vec<&str> = told_all.stderr.split_whitespace().filter(|word| *word != "│").collect();
        let text = words.join(" ");
        assert!(text.contains(told), "{to}: {text}");
        assert!(text.contains("blueprint.yaml:"), "{to}: {text}");
        assert!(!text.contains("2 errors"), "{to}: {text}");
    }
}

#[test]
fn what_the_blueprint_makes_itself_is_not_read() {
    let spoke = "existing:\n  spoke: { type: Microsoft.Network/virtualNetworks, name: spoke, resourceGroup: rg-shop }\n";
    wrong("existing:\n", spoke).exits(1).complains(&[
        "`existing.spoke` reads what `networks.spoke` makes in this blueprint",
        "refer to `${networks.spoke}`, and take `existing.spoke` out",
    ]);
}

#[test]
fn two_entries_may_read_the_same() {
    let berth = given(&ours().replace(
        "existing:\n",
        "existing:\n  again: { id: /subscriptions/9b1d7a6e-0000-4000-8000-0000000000aa/resourceGroups/RG-hub/providers/Microsoft.Network/virtualNetworks/vnet-hub }\n",
    ).replace("${existing.hub.location}", "${existing.again.location}"));
    berth.apply(&[]).exits(0).says(&["westeurope"]);
}

#[test]
fn what_was_made_and_is_only_read_now_is_forgotten_and_stays() {
    let berth = Berth::new().blueprint(THEIRS);
    berth.apply(&[]).exits(0);
    let network = &THEIRS[THEIRS.find("networks:").unwrap()..THEIRS.find("privateDnsZones:").unwrap()];
    berth.edit(network, "existing:\n  hub: { type: Microsoft.Network/virtualNetworks, name: vnet-hub, subscription: 9b1d7a6e-0000-4000-8000-0000000000aa }\n");
    let plan = berth.plan(&[]).exits(2).says(&["existing.hub only reads it now; it stays"]).stdout;
    assert!(!plan.contains("to delete"), "{plan}");
    let before = berth.export().len();
    berth.apply(&[]).exits(0);
    assert_eq!(berth.export().len(), before);
    let ledger = berth.ledger()["resources"].to_string();
    assert!(!ledger.contains("virtualNetworks"), "{ledger}");
    berth.plan(&[]).exits(0);
    berth.destroy(&[]).exits(0);
    assert!(berth.export().iter().any(|one| one["name"] == "vnet-hub"));
}

/// What an entry under `existing` needs stays with it, with our tag on it: no later run takes that for a lost ledger.
#[test]
fn what_was_given_away_is_not_a_stray_for_later_runs() {
    let head = "\
blueprint: shop
azure: { subscription: '${env.AZURE_SUBSCRIPTION_ID}', location: westeurope, resourceGroup: rg-shop }
keyVaults: { kv: { name: kv-given-1, publicAccess: false, protect: false } }
";
    let ours = "\
networks: { hub: { addressSpace: [10.0.0.0/16], subnets: { pe: { prefix: 10.0.1.0/24 } } } }
privateEndpoints: { kv: { target: '${keyVaults.kv}', subnet: '${networks.hub.subnets.pe}' } }
";
    let theirs = "existing: { kv: { type: Microsoft.Network/privateEndpoints, name: kv } }\n";
    let berth = Berth::new().blueprint(&format!("{head}{ours}"));
    berth.apply(&[]).exits(0);
    let berth = berth.blueprint(&format!("{head}{theirs}"));
    berth.destroy(&[]).exits(0);
    let left = berth.export().len();
    assert!(berth.export().iter().any(|one| one["type"] == "Microsoft.Network/privateDnsZones"));
    berth.destroy(&[]).exits(0);
    berth.run(["destroy", "--name", "shop", "--sim", "--auto-approve"]).exits(0);
    assert_eq!(berth.export().len(), left);
    // What it makes again is its own again, and missed when the ledger is emptied.
    let berth = berth.blueprint(&format!("{head}{ours}"));
    berth.apply(&[]).exits(0);
    berth.destroy(&[]).exits(0);
    assert!(berth.export().is_empty(), "{:?}", berth.export());
}

#[test]
fn a_module_is_given_what_others_made() {
    let module = "\
parameters: { network: { type: string }, vault: { type: string }, subnet: { type: string } }
privateDnsZones: { a: { name: shop.internal, links: { hub: { network: \"${param.network}\" } } } }
privateEndpoints: { vault: { target: \"${param.vault}\", subnet: \"${param.subnet}\", dns: auto } }
";
    let text = ours();
    let head = &text[..text.find("networks:\n").unwrap()];
    let text = format!(
        "{head}modules:\n  spoke:\n    include: ./spoke.yaml\n    parameters: {{ network: \"${{existing.hub}}\", vault: \"${{existing.vault}}\", subnet: \"${{existing.endpoints}}\" }}\n"
    );
    let berth = given(&text);
    berth.write("spoke.yaml", module.as_bytes());
    berth.validate().exits(0);
    berth.apply(&[]).exits(0);
    berth.plan(&[]).exits(0);
}

#[test]
fn a_read_that_azure_refuses_is_in_the_way() {
    let berth = given(&ours());
    let faults = "faults:\n  - { answer: { status: 403, code: AuthorizationFailed }, method: [GET], type: Microsoft.OperationalInsights/workspaces }\n";
    berth.write("faults.yaml", faults.as_bytes());
    berth.plan(&["--faults", "faults.yaml"]).exits(2).says(&["existing.logs", "it cannot be read"]);
}

//! A plan with every action, a drift report and a summary, made by hand for the tests of this room.

use crate::change::{Action, Outcome, StepResult, Summary};
use crate::drift::{
    Actor, ActorKind, Attribution, ChangedBy, Drift, DriftKind, DriftReport, FieldDrift, Severity, Source,
    Waived, Waiver, WaiverState, Who,
};
use crate::ident::{Address, ArmId};
use crate::plan::{Conflict, Disruption, Impact, OutputValue, Plan, Reason, Step, VERSION};
use crate::private_link::NotOurs;
use crate::value::token::Token;
use crate::value::{Change, ChangeKind};
use serde_json::{Value, json};
use std::collections::BTreeMap;

const SUBSCRIPTION: &str = "00000000-0000-0000-0000-000000000001";

fn group() -> ArmId {
    ArmId::resource_group(SUBSCRIPTION, "rg-shop-dev")
}

fn id(arm_type: &str, names: &[&str]) -> ArmId {
    group().provider(arm_type, names)
}

fn subnet(name: &str) -> Value {
    json!(id("Microsoft.Network/virtualNetworks/subnets", &["vnet-hub", name]).as_str())
}

pub(super) fn secret() -> Value {
    json!(Token::Secret { name: "adminPassword".into() }.encode())
}

pub(super) fn unknown(address: &str, pointer: &str) -> String {
    Token::Output { address: Address::new(address), pointer: pointer.into() }.encode()
}

fn step(action: Action, address: &str, id: ArmId, desired: Value) -> Step {
    Step {
        address: Address::new(address),
        arm_type: id.resource_type(),
        id,
        action,
        reason: Reason::Missing,
        changes: vec![],
        desired,
        impact: match action {
            Action::Replace | Action::Delete => Impact::Destructive,
            Action::Update => Impact::InPlace,
            _ => Impact::None,
        },
        disruption: None,
        awaits: None,
        grants: None,
        moved_from: None,
        told_elsewhere: false,
        dates: Vec::new(),
        kept_back: Vec::new(),
        purge: None,
        protected: false,
        after: vec![],
        expected_ms: 5_000,
    }
}

fn change(kind: ChangeKind, path: &str, before: Value, after: Value) -> Change {
    Change { path: path.into(), kind, before, after, forces_replace: false, foreign: false }
}

fn subscription_provider(name: &str) -> ArmId {
    ArmId::parse(&format!("/subscriptions/{SUBSCRIPTION}/providers/{name}")).unwrap()
}

/// A plan in which every action and nearly every reason occurs.
pub(super) fn plan() -> Plan {
    let registered = json!({ "registrationState": "Registered" });
    let mut steps: Vec<Step> =
        ["ContainerService", "KeyVault", "KubernetesConfiguration", "ManagedIdentity", "PolicyInsights"]
            .iter()
            .map(|name| {
                let name = format!("Microsoft.{name}");
                let address = format!("providers.{name}");
                let reason = Reason::NotRegistered;
                Step {
                    reason,
                    ..step(Action::Register, &address, subscription_provider(&name), registered.clone())
                }
            })
            .collect();
    steps.push(step(
        Action::Register,
        "features.x",
        subscription_provider(
            "Microsoft.Features/providers/Microsoft.ContainerService/features/EnablePodIdentityPreview",
        ),
        Value::Null,
    ));

    steps.push(Step {
        reason: Reason::Differs,
        changes: vec![
            change(ChangeKind::Set, "tags.team", Value::Null, json!("platform")),
            change(ChangeKind::Remove, "tags.owner", json!("nobody"), Value::Null),
        ],
        ..step(Action::Update, "resourceGroup", group(), json!({ "location": "westeurope" }))
    });
    steps.push(Step {
        impact: Impact::Disruptive,
        disruption: Some(Disruption {
            what: vec!["pods leave by other addresses".into()],
            fields: vec!["properties.flowTimeoutInMinutes".into()],
            cycles: vec![
                Address::new("clusters.aks.nodePools.system"),
                Address::new("clusters.aks.nodePools.winpl"),
            ],
            drained: true,
        }),
        reason: Reason::Differs,
        changes: vec![
            change(
                ChangeKind::Set,
                "properties.addressSpace.addressPrefixes",
                json!(["10.20.0.0/16", "10.30.0.0/16", "10.40.0.0/16"]),
                json!(["10.20.0.0/16", "10.40.0.0/16", "10.50.0.0/16"]),
            ),
            change(ChangeKind::Set, "properties.flowTimeoutInMinutes", json!(4), json!(10)),
            change(ChangeKind::Set, "properties.dhcpOptions.dnsServers", Value::Null, json!(["10.20.0.4"])),
            change(ChangeKind::Reset, "properties.encryption.enabled", json!(true), json!(false)),
            change(
                ChangeKind::Release,
                "properties.bgpCommunities.virtualNetworkCommunity",
                json!("12076:20000"),
                Value::Null,
            ),
        ],
        ..step(
            Action::Update,
            "networks.hub",
            id("Microsoft.Network/virtualNetworks", &["vnet-hub"]),
            json!({ "location": "westeurope" }),
        )
    });
    steps.push(step(
        Action::Create,
        "networks.hub.subnets.endpoints",
        id("Microsoft.Network/virtualNetworks/subnets", &["vnet-hub", "endpoints"]),
        json!({ "properties": { "addressPrefix": "10.20.16.0/26", "privateEndpointNetworkPolicies": "Disabled" } }),
    ));
    steps.push(Step {
        reason: Reason::Renamed { from: Address::new("identities.application") },
        ..step(
            Action::Adopt,
            "identities.app",
            id("Microsoft.ManagedIdentity/userAssignedIdentities", &["id-shop-app"]),
            json!({ "location": "westeurope" }),
        )
    });
    steps.push(Step {
        reason: Reason::SoftDeleted,
        protected: true,
        ..step(
            Action::Recover,
            "keyVaults.secrets",
            id("Microsoft.KeyVault/vaults", &["kv-shop-x7k2p9"]),
            json!({
                "location": "westeurope",
                "tags": { "team": "platform", "berth-blueprint": "shop" },
                "properties": {
                    "tenantId": Token::Caller { claim: "tenantId".into() }.encode(),
                    "sku": { "family": "A", "name": "standard" },
                    "enableRbacAuthorization": true,
                    "publicNetworkAccess": "Disabled",
                    "networkAcls": { "bypass": "AzureServices", "defaultAction": "Deny", "ipRules": [], "virtualNetworkRules": [] },
                },
            }),
        )
    });
    let cluster = id("Microsoft.ContainerService/managedClusters", &["aks-shop"]);
    let pool = |name: &str, count: u32, os: &str| {
        json!({
            "name": name, "count": count, "vmSize": "Standard_D4s_v5", "osType": os, "mode": "System",
            "vnetSubnetID": subnet("nodes"), "enableAutoScaling": false,
        })
    };
    let mut identities = serde_json::Map::new();
    identities.insert(
        id("Microsoft.ManagedIdentity/userAssignedIdentities", &["id-shop-app"]).to_string(),
        json!({}),
    );
    let body = json!({
        "location": "westeurope",
        "identity": { "type": "UserAssigned", "userAssignedIdentities": identities },
        "properties": {
            "kubernetesVersion": "1.33",
            "dnsPrefix": "shop-dev",
            "agentPoolProfiles": [pool("system", 2, "Linux"), pool("winpl", 1, "Windows")],
            "windowsProfile": { "adminUsername": "azureuser", "adminPassword": secret() },
            "addonProfiles": {
                "azurepolicy": { "enabled": true },
                "azureKeyvaultSecretsProvider": { "enabled": true, "config": { "enableSecretRotation": "true", "rotationPollInterval": "2m" } },
            },
            "securityProfile": { "workloadIdentity": { "enabled": true } },
            "networkProfile": { "networkPlugin": "azure", "serviceCidr": "10.100.0.0/16", "dnsServiceIP": "10.100.0.10", "loadBalancerSku": "standard", "outboundType": "loadBalancer" },
        },
    });
    let cluster_at = steps.len();
    steps.push(Step {
        expected_ms: 480_000,
        after: vec![7],
        ..step(Action::Create, "clusters.aks", cluster.clone(), body)
    });
    steps.push(Step {
        reason: Reason::ArrivesWithParent { parent: Address::new("clusters.aks") },
        after: vec![cluster_at],
        ..step(
            Action::Create,
            "clusters.aks.nodePools.winpl",
            cluster.child("agentPools", "winpl"),
            json!({ "properties": pool("winpl", 1, "Windows") }),
        )
    });
    steps.push(Step {
        reason: Reason::Immutable { paths: vec!["properties.dnsPrefix".into()] },
        protected: true,
        expected_ms: 700_000,
        after: vec![cluster_at],
        changes: vec![
            Change {
                forces_replace: true,
                foreign: false,
                ..change(ChangeKind::Set, "properties.dnsPrefix", json!("old"), json!("shop-blue"))
            },
            change(ChangeKind::Set, "properties.windowsProfile.adminPassword", Value::Null, secret()),
            change(
                ChangeKind::Set,
                "properties.agentPoolProfiles[system].vnetSubnetID",
                subnet("old-nodes"),
                subnet("nodes"),
            ),
            change(
                ChangeKind::Set,
                "properties.agentPoolProfiles[extra]",
                Value::Null,
                pool("extra", 3, "Linux"),
            ),
        ],
        ..step(
            Action::Replace,
            "clusters.blue",
            id("Microsoft.ContainerService/managedClusters", &["aks-blue"]),
            json!({ "location": "westeurope" }),
        )
    });
    steps.push(Step {
        reason: Reason::ParentReplaced { parent: Address::new("clusters.blue") },
        ..step(
            Action::Replace,
            "clusters.blue.flux.configurations.cluster-config",
            id("Microsoft.ContainerService/managedClusters", &["aks-blue"])
                .provider("Microsoft.KubernetesConfiguration/fluxConfigurations", &["cluster-config"]),
            json!({ "properties": {} }),
        )
    });
    steps.push(step(
        Action::Create,
        "roleAssignments.vaultReader",
        id("Microsoft.KeyVault/vaults", &["kv-shop-x7k2p9"]).provider(
            "Microsoft.Authorization/roleAssignments",
            &["5f1d2a60-58c8-5e3e-9d0c-3c1f8f7f9a11"],
        ),
        json!({ "properties": {
            "principalId": unknown("clusters.aks", "/properties/addonProfiles/x/identity/objectId"),
            "roleDefinitionId": format!("/subscriptions/{SUBSCRIPTION}/providers/Microsoft.Authorization/roleDefinitions/4633458b-17de-408a-b874-0445c86b69e6"),
            "description": format!("reads {} for\u{1b}[31m the shop's pods, which mount them as files by means of the secrets store driver", unknown("keyVaults.secrets", "/properties/vaultUri")),
        } }),
    ));
    steps.push(Step {
        reason: Reason::WillBePending,
        ..step(
            Action::Approve,
            "privateEndpoints.vault.approval",
            id("Microsoft.KeyVault/vaults/privateEndpointConnections", &["kv-shop-x7k2p9", "pe-vault"]),
            json!({ "properties": {} }),
        )
    });
    steps.push(Step {
        reason: Reason::GoesWithParent { parent: Address::new("clusters.old") },
        ..step(
            Action::Delete,
            "clusters.old.nodePools.user",
            id("Microsoft.ContainerService/managedClusters/agentPools", &["aks-old", "user"]),
            Value::Null,
        )
    });
    steps.push(Step {
        reason: Reason::NoLongerWanted,
        protected: true,
        ..step(
            Action::Delete,
            "clusters.old",
            id("Microsoft.ContainerService/managedClusters", &["aks-old"]),
            Value::Null,
        )
    });
    steps.push(Step {
        reason: Reason::CannotBeDeleted,
        ..step(
            Action::Forget,
            "privateEndpoints.old.dnsZoneGroup",
            id("Microsoft.Network/privateEndpoints/privateDnsZoneGroups", &["pe-old", "default"]),
            Value::Null,
        )
    });
    steps.extend(unchanged().steps);
    Plan {
        version: VERSION,
        blueprint: "shop".into(),
        environment: None,
        header: None,
        ledger_serial: 7,
        destroy: false,
        steps,
        outputs: outputs(),
        conflicts: vec![],
        targets: Vec::new(),
        reverts: Vec::new(),
        left_out: vec![],
        not_ours: vec![stranger()],
        left_alone: Vec::new(),
        program: Default::default(),
        warnings: vec![Conflict {
            address: Address::new("clusters.aks.nodePools.winpl"),
            id: id("Microsoft.ContainerService/managedClusters", &["aks-shop"]),
            message: "this plan takes 24 vCPUs of `Standard DSv5 Family vCPUs` in westeurope, and 20 of 100 are free"
                .into(),
            help: "ask for more (portal: Quotas, Compute), take another size or region, or fewer nodes".into(),
        }],
    }
}

/// A plan with nothing to do.
pub(super) fn unchanged() -> Plan {
    let same = |name: &str| Step {
        reason: Reason::AsWanted,
        ..step(
            Action::NoOp,
            &format!("networks.{name}"),
            id("Microsoft.Network/virtualNetworks", &[name]),
            json!({}),
        )
    };
    Plan {
        version: VERSION,
        blueprint: "shop".into(),
        environment: None,
        header: None,
        ledger_serial: 7,
        destroy: false,
        steps: vec![same("spoke"), same("lab")],
        outputs: BTreeMap::new(),
        conflicts: vec![],
        targets: Vec::new(),
        reverts: Vec::new(),
        left_out: vec![],
        not_ours: Vec::new(),
        left_alone: Vec::new(),
        program: Default::default(),
        warnings: vec![],
    }
}

/// A plan that deletes everything.
pub(super) fn destroy() -> Plan {
    let cluster = id("Microsoft.ContainerService/managedClusters", &["aks-shop"]);
    let mut steps = vec![
        step(
            Action::Delete,
            "roleAssignments.vaultReader",
            cluster.provider("Microsoft.Authorization/roleAssignments", &["x"]),
            Value::Null,
        ),
        Step {
            reason: Reason::GoesWithParent { parent: Address::new("clusters.aks") },
            ..step(
                Action::Delete,
                "clusters.aks.nodePools.winpl",
                cluster.child("agentPools", "winpl"),
                Value::Null,
            )
        },
        Step { protected: true, ..step(Action::Delete, "clusters.aks", cluster, Value::Null) },
        step(
            Action::Delete,
            "networks.hub",
            id("Microsoft.Network/virtualNetworks", &["vnet-hub"]),
            Value::Null,
        ),
        Step {
            reason: Reason::CannotBeDeleted,
            ..step(
                Action::Forget,
                "providers.Microsoft.KeyVault",
                subscription_provider("Microsoft.KeyVault"),
                Value::Null,
            )
        },
    ];
    steps
        .iter_mut()
        .filter(|step| step.reason == Reason::Missing)
        .for_each(|step| step.reason = Reason::Destroy);
    Plan { destroy: true, steps, outputs: BTreeMap::new(), ..unchanged() }
}

pub(super) fn outputs() -> BTreeMap<String, OutputValue> {
    let output = |value: Value, secret: bool| OutputValue { value, secret };
    BTreeMap::from([
        (
            "issuer".to_owned(),
            output(json!(unknown("clusters.aks", "/properties/oidcIssuerProfile/issuerURL")), false),
        ),
        ("kubeletPassword".to_owned(), output(json!("hunter2"), true)),
        ("vault".to_owned(), output(json!("https://kv-shop-x7k2p9.vault.azure.net/"), false)),
    ])
}

/// Somebody else's connection on the vault.
fn stranger() -> NotOurs {
    let vault = id("Microsoft.KeyVault/vaults", &["kv-shop-x7k2p9"]);
    NotOurs {
        address: Some(Address::new("keyVaults.secrets")),
        id: vault.child("privateEndpointConnections", "pe-shop-2"),
        endpoint: ArmId::parse(
            "/subscriptions/66666666-0000-4000-8000-000000000006/resourceGroups/rg/providers/Microsoft.Network/privateEndpoints/pe-shop",
        )
        .ok(),
        status: "Pending".into(),
        description: "please |`x`|".into(),
    }
}

fn attribution(kind: ActorKind, name: &str, client: Option<&str>) -> Attribution {
    Attribution {
        actor: Actor { kind, name: name.into(), id: None },
        client: client.map(str::to_owned),
        time: "2026-01-02T03:04:05Z".into(),
        operation: "Microsoft.Network/virtualNetworks/write".into(),
        correlation_id: Some("8f14e45f-0000-4000-8000-000000000007".into()),
        source: Source::ResourceGraph,
        own: false,
    }
}

fn low(path: &str, expected: Value, actual: Value) -> FieldDrift {
    FieldDrift { severity: Severity::Low, ..FieldDrift::new(path, expected, actual) }
}

pub(super) fn drift() -> DriftReport {
    DriftReport {
        version: 1,
        blueprint: "shop".into(),
        environment: None,
        header: None,
        checked: 31,
        steady: vec![Address::new("clusters.aks"), Address::new("networks.hub.subnets.nodes")],
        not_ours: vec![stranger()],
        left_alone: Vec::new(),
        not_ours_by: vec![Who::Known(attribution(ActorKind::ManagedIdentity, "id-partner", None))],
        waived: [("tags.cost", "2026-01-01", WaiverState::Expired), ("*", "2027-01-01", WaiverState::Used)]
            .map(|(field, until, state)| Waived {
                waiver: Waiver {
                    address: Address::new("clusters.aks"),
                    field: field.into(),
                    until: until.into(),
                    reason: "the migration | is under way".into(),
                },
                state,
                covers: vec![field.into()],
            })
            .to_vec(),
        needs: vec![
            (Address::new("networks.hub"), vec![]),
            (Address::new("networks.hub.subnets.nodes"), vec![Address::new("networks.hub")]),
            (Address::new("identities.app"), vec![]),
            (
                Address::new("clusters.aks"),
                vec![Address::new("networks.hub.subnets.nodes"), Address::new("identities.app")],
            ),
        ],
        drifted: vec![
            Drift {
                address: Address::new("networks.hub"),
                id: id("Microsoft.Network/virtualNetworks", &["vnet-hub"]),
                arm_type: "Microsoft.Network/virtualNetworks".into(),
                kind: DriftKind::Changed,
                severity: Severity::High,
                waived: false,
                changed_by: vec![
                    ChangedBy {
                        fields: vec!["properties.flowTimeoutInMinutes".into(), "tags.team".into()],
                        who: Who::Known(attribution(
                            ActorKind::Person,
                            "ada@example.com",
                            Some("Azure Portal"),
                        )),
                    },
                    ChangedBy {
                        fields: vec!["properties.addressSpace.addressPrefixes".into()],
                        who: Who::Known(attribution(ActorKind::Policy, "tags-and-ranges", None)),
                    },
                ],
                fields: vec![
                    FieldDrift::new("properties.flowTimeoutInMinutes", json!(10), json!(4)),
                    FieldDrift::new(
                        "properties.addressSpace.addressPrefixes",
                        json!(["10.20.0.0/16", "10.30.0.0/16"]),
                        json!(["10.20.0.0/16"]),
                    ),
                    low("tags.team", json!("plat|form `x`"), Value::Null),
                ],
            },
            Drift {
                address: Address::new("identities.app"),
                id: id("Microsoft.ManagedIdentity/userAssignedIdentities", &["id-shop-app"]),
                arm_type: "Microsoft.ManagedIdentity/userAssignedIdentities".into(),
                kind: DriftKind::Missing,
                severity: Severity::Critical,
                waived: false,
                changed_by: vec![ChangedBy {
                    fields: vec![],
                    who: Who::Unknown("Resource Graph cannot be read (AuthorizationFailed)".into()),
                }],
                fields: vec![],
            },
            Drift {
                changed_by: vec![ChangedBy {
                    fields: vec![],
                    who: Who::Known(attribution(
                        ActorKind::ServicePrincipal,
                        "deploy-bot",
                        Some("Azure CLI"),
                    )),
                }],
                ..Drift::new(
                    Address::new("networks.hub.subnets[scratch]"),
                    id("Microsoft.Network/virtualNetworks/subnets", &["vnet-hub", "scratch"]),
                    "Microsoft.Network/virtualNetworks/subnets",
                    DriftKind::Added,
                    vec![],
                )
            },
        ],
    }
}

fn result(action: Action, address: &str, outcome: Outcome, elapsed_ms: u64) -> StepResult {
    StepResult {
        address: Address::new(address),
        action,
        outcome,
        deleted: false,
        elapsed_ms,
        retries: 0,
        waited_ms: 0,
    }
}

/// A run in which something failed.
pub(super) fn summary() -> Summary {
    let pool = || Address::new("clusters.aks.nodePools.winpl");
    Summary {
        version: 1,
        elapsed_ms: 734_000,
        interrupted: false,
        steps: vec![
            result(Action::Register, "providers.Microsoft.KeyVault", Outcome::Done, 12_340),
            result(Action::Update, "networks.hub", Outcome::Done, 3_210),
            result(Action::Create, "clusters.aks", Outcome::Done, 482_000),
            StepResult {
                retries: 2,
                waited_ms: 40_000,
                ..result(Action::Create, "roleAssignments.vaultReader", Outcome::Done, 41_900)
            },
            StepResult {
                retries: 1,
                ..result(
                    Action::Create,
                    "clusters.aks.nodePools.winpl",
                    Outcome::Failed {
                        message: "Azure refused to create the node pool: The requested VM size Standard_D4s_v5 is not available in the region westeurope.\n  correlation id: 6a1f0d5e-0000-4000-8000-000000000000\nChoose another `vmSize`, or ask for quota.".into(),
                        help: None,
                        code: Some("SkuNotAvailable".into()),
                    },
                    12_000,
                )
            },
            result(Action::Create, "workloads.win", Outcome::Skipped { because_of: pool() }, 0),
            result(Action::Create, "workloads.web", Outcome::Skipped { because_of: pool() }, 0),
            result(Action::Approve, "privateEndpoints.vault.approval", Outcome::Unfinished, 9_000),
            result(Action::Delete, "clusters.old", Outcome::NotStarted, 0),
        ],
    }
}

/// A run in which all went well.
pub(super) fn complete() -> Summary {
    let steps = summary().steps.into_iter().filter(|step| step.outcome == Outcome::Done).collect();
    Summary { steps, ..summary() }
}

/// The text without its ANSI colours.
pub(super) fn without_color(text: &str) -> String {
    let mut plain = String::new();
    for (at, part) in text.split("\u{1b}[").enumerate() {
        plain.push_str(if at == 0 { part } else { part.split_once('m').unwrap().1 });
    }
    plain
}

//! The mistakes that people make most: each is one error at its cause, in the field's words, with what to write instead.
//!
//! What berth says of each is a snapshot; the table says where each must be pointed at.

use crate::support::{Azure, Berth};
use std::fmt::Write;

const BASE: &str = "\
blueprint: shop
azure:
  subscription: 5ab5c819-0000-4000-8000-000000000001
  resourceGroup: rg-shop
  location: westeurope
networks:
  main:
    addressSpace: [10.20.0.0/16]
    subnets:
      nodes: { prefix: 10.20.0.0/20 }
      endpoints: { prefix: 10.20.16.0/26 }
identities:
  app: { name: id-shop-app }
keyVaults:
  main:
    name: kv-shop-0001
    publicAccess: false
clusters:
  aks:
    name: aks-shop
    kubernetesVersion: \"1.34\"
    subnet: ${networks.main.subnets.nodes}
    identity: ${identities.app}
    nodePools:
      system: { mode: System, count: 2, vmSize: Standard_D4s_v5 }
      work: { count: 2, vmSize: Standard_D4s_v5 }
privateEndpoints:
  vault:
    target: ${keyVaults.main}
    subnet: ${networks.main.subnets.endpoints}
    dns: auto
roleAssignments:
  app:
    principal: ${identities.app}
    role: Key Vault Secrets User
    scope: ${keyVaults.main}
  join:
    principal: ${identities.app}
    role: Network Contributor
    scope: ${networks.main.subnets.nodes}
";

const SUBNET: &str = "    subnet: ${networks.main.subnets.nodes}\n";

/// What is wrong, the text that is exchanged, what stands in its place, and where the error is: line and column.
const OFFLINE: &[(&str, &str, &str, &str)] = &[
    (
        "a field a level too high",
        SUBNET,
        "    subnet: ${networks.main.subnets.nodes}\n    network:\n    plugin: azure\n",
        "24:5",
    ),
    ("a part a level too high", "      system: {", "    system: {", "25:5"),
    ("an entry a level too high", "  app: { name", "app: { name", "13:1"),
    ("a tab", "    addressSpace", "\taddressSpace", "8:1"),
    ("a word for a number", "count: 2", "count: three", "25:38"),
    ("a number in quotes", "count: 2", "count: \"3\"", "25:38"),
    (
        "an unknown word",
        SUBNET,
        "    subnet: ${networks.main.subnets.nodes}\n    network: { policy: callico }\n",
        "23:24",
    ),
    (
        "a reference misspelt",
        "main.subnets.nodes}\n    identity",
        "main.subnets.node}\n    identity",
        "22:13",
    ),
    ("an entry misspelt", "identity: ${identities.app}", "identity: ${identities.ap}", "23:15"),
    ("a field that is missing", "    addressSpace: [10.20.0.0/16]\n", "", "7:3"),
    ("subnets that overlap", "10.20.16.0/26", "10.20.8.0/26", "11:28"),
    ("a subnet outside", "10.20.16.0/26", "10.21.8.0/26", "11:28"),
    ("bits behind the length", "10.20.16.0/26", "10.20.16.1/26", "11:28"),
    (
        "services in the network",
        SUBNET,
        "    subnet: ${networks.main.subnets.nodes}\n    network: { serviceCidr: 10.20.0.0/16, dnsServiceIp: 10.20.0.10 }\n",
        "23:29",
    ),
    ("a role misspelt", "Key Vault Secrets User", "Key Vault Secret User", "35:11"),
    (
        "a secret in clear text",
        SUBNET,
        "    subnet: ${networks.main.subnets.nodes}\n    windows: { adminUsername: azureuser, adminPassword: \"Passw0rd!Passw0rd!\" }\n",
        "23:57",
    ),
    ("a version as a number", "\"1.34\"", "1.30", "21:24"),
    ("a version with a v", "\"1.34\"", "\"v1.33.1\"", "21:24"),
    ("a version that there is not", "\"1.34\"", "\"1.99\"", "21:24"),
    ("a cycle", "name: id-shop-app }", "name: id-shop-app, dependsOn: [clusters.aks] }", "13:3"),
    ("a key twice", "    publicAccess: false\n", "    publicAccess: false\n    publicAccess: true\n", "18:5"),
    ("an expression without quotes", "id-shop-app }", "${azure.resourceGroup} }", "13:16"),
    ("snake case", "kubernetesVersion", "kubernetes_version", "21:5"),
    ("a name of ARM's", "nodePools:", "agentPoolProfiles:", "24:5"),
    ("another name of ARM's", "kubernetesVersion", "currentKubernetesVersion", "21:5"),
    ("a name of Terraform's", "{ prefix: 10.20.0.0/20 }", "{ address_prefixes: [10.20.0.0/20] }", "10:16"),
    ("a field misspelt that others need", "nodePools:", "nodePolls:", "24:5"),
    ("a part's field misspelt", "mode: System", "mod: System", "25:17"),
    ("a mapping misspelt that references lead to", "    subnets:", "    subnts:", "9:5"),
    ("a section misspelt", "networks:", "netwroks:", "6:1"),
    ("a network for a subnet", "subnet: ${networks.main.subnets.nodes}", "subnet: ${networks.main}", "22:13"),
    ("a network for an identity", "identity: ${identities.app}", "identity: ${networks.main}", "23:15"),
    (
        "a vault for a workspace",
        SUBNET,
        "    subnet: ${networks.main.subnets.nodes}\n    addons: { monitoring: { workspace: \"${keyVaults.main}\" } }\n",
        "23:40",
    ),
    ("a text for a subnet", "subnet: ${networks.main.subnets.nodes}", "subnet: nodes", "22:13"),
    ("the entry itself", "subnet: ${networks.main.subnets.nodes}", "subnet: ${clusters.aks}", "22:13"),
    ("a region misspelt", "location: westeurope", "location: westeuropa", "5:13"),
    ("a size misspelt", "vmSize: Standard_D4s_v5", "vmSize: Standard_D4sv5", "25:49"),
    ("a group's name", "resourceGroup: rg-shop", "resourceGroup: rg shop/", "4:18"),
    (
        "an expression in a tag that fails",
        "name: id-shop-app }",
        "name: id-shop-app, tags: { team: \"${param.team}\" } }",
        "13:43",
    ),
    (
        "the same in a tag of everything",
        "  location: westeurope\n",
        "  location: westeurope\n  tags: { team: \"${param.team}\" }\n",
        "6:17",
    ),
    ("a parameter that there is not", "resourceGroup: rg-shop", "resourceGroup: rg-${param.env}", "4:18"),
];

/// Thirty more of the same kinds.
const MORE: &[(&str, &str, &str, &str)] = &[
    (
        "a list item a step too deep",
        "    addressSpace: [10.20.0.0/16]\n",
        "    addressSpace:\n    - 10.20.0.0/16\n     - 10.21.0.0/16\n",
        "10:6",
    ),
    (
        "a field a level too deep",
        "    publicAccess: false\n",
        "    publicAccess: false\n      softDeleteRetentionDays: 7\n",
        "18:7",
    ),
    ("a truth value in quotes", "publicAccess: false", "publicAccess: \"false\"", "17:19"),
    ("a word for a truth value", "publicAccess: false", "publicAccess: no", "17:19"),
    ("an expression that is not closed", SUBNET, "    subnet: ${networks.main.subnets.nodes\n", "22:13"),
    ("an expression with a brace too many", SUBNET, "    subnet: ${networks.main.subnets.nodes}}\n", "22:13"),
    ("a variable of the shell", "resourceGroup: rg-shop", "resourceGroup: $AZURE_RG", "4:18"),
    (
        "a variable of a pipeline",
        "subnet: ${networks.main.subnets.nodes}",
        "subnet: $(networks.main.subnets.nodes)",
        "22:13",
    ),
    ("a template of Jinja", "name: id-shop-app", "name: \"{{ azure.resourceGroup }}\"", "13:16"),
    ("a reference of Terraform", "${networks.main.subnets.nodes}", "${azurerm_subnet.nodes.id}", "22:13"),
    ("a variable of Terraform", "resourceGroup: rg-shop", "resourceGroup: rg-${var.team}", "4:18"),
    ("a function misspelt", "name: id-shop-app", "name: \"${lowercase(azure.resourceGroup)}\"", "13:16"),
    ("a function without an argument", "name: id-shop-app", "name: \"id-${uniqueString()}\"", "13:16"),
    ("a function with too many", "name: id-shop-app", "name: \"${lower(azure.resourceGroup, 3)}\"", "13:16"),
    ("a number with its unit", "count: 2", "osDisk: { sizeGb: 128GB }, count: 2", "25:49"),
    (
        "a length of time without its unit",
        SUBNET,
        "    subnet: ${networks.main.subnets.nodes}\n    addons: { keyVaultSecretsProvider: { rotation: true, rotationPollInterval: 2 } }\n",
        "23:80",
    ),
    (
        "a length of time in words",
        SUBNET,
        "    subnet: ${networks.main.subnets.nodes}\n    addons: { keyVaultSecretsProvider: { rotation: true, rotationPollInterval: 2 minutes } }\n",
        "23:80",
    ),
    ("bounds the wrong way round", "work: { count: 2,", "work: { autoscale: { min: 5, max: 3 },", "26:33"),
    ("a pool's name in capitals", "      work:", "      Work:", "26:7"),
    ("a name that is too long", "name: kv-shop-0001", "name: kv-shop-production-westeurope-0001", "16:11"),
    ("an address for a block", "10.20.16.0/26", "10.20.16.0", "11:28"),
    ("a range for a block", "10.20.16.0/26", "10.20.16.0-10.20.16.63", "11:28"),
    (
        "a list of pools",
        "      system: { mode: System, count: 2, vmSize: Standard_D4s_v5 }\n      work: { count: 2, vmSize: Standard_D4s_v5 }\n",
        "      - { name: system, mode: System, count: 2, vmSize: Standard_D4s_v5 }\n",
        "24:5",
    ),
    ("an alias without an anchor", "{ prefix: 10.20.0.0/20 }", "*nodes", "10:14"),
    ("a colon in a value", "name: id-shop-app }", "name: id-shop-app, tags: { note: a: b } }", "13:43"),
    ("a comma too many", "[10.20.0.0/16]", "[10.20.0.0/16,,]", "8:32"),
    ("a number for forEach", "{ name: id-shop-app }", "{ forEach: 3, name: id-shop-app }", "13:19"),
    ("each without forEach", "name: id-shop-app", "name: \"id-${each.key}\"", "13:16"),
    (
        "the id of the parent",
        "subnet: ${networks.main.subnets.nodes}",
        "subnet: /subscriptions/5ab5c819-0000-4000-8000-000000000001/resourceGroups/rg-shop/providers/Microsoft.Network/virtualNetworks/main",
        "22:13",
    ),
    (
        "an id that was cut",
        "subnet: ${networks.main.subnets.nodes}",
        "subnet: /subscriptions/5ab5c819-0000-4000-8000-000000000001/resourceGroups/rg-shop/providers/Microsoft.Network/virtualNetworks",
        "22:13",
    ),
    (
        "a name of Azure's in dependsOn",
        "name: id-shop-app }",
        "name: id-shop-app, dependsOn: [kv-shop-0001] }",
        "13:41",
    ),
    (
        "an output misspelt",
        "roleAssignments:\n",
        "outputs:\n  issuer: ${clusters.aks.oidcIssuer}\nroleAssignments:\n",
        "33:11",
    ),
    ("a network for a target", "target: ${keyVaults.main}", "target: ${networks.main}", "29:13"),
    ("a group of a target misspelt", "    dns: auto\n", "    group: vaults\n    dns: auto\n", "31:12"),
    (
        "an e-mail for a principal",
        "principal: ${identities.app}\n    role: Key",
        "principal: ada@example.com\n    role: Key",
        "34:16",
    ),
    (
        "a vault for a principal",
        "principal: ${identities.app}\n    role: Key",
        "principal: ${keyVaults.main}\n    role: Key",
        "34:16",
    ),
    (
        "the identity of an add-on that is off",
        "principal: ${identities.app}\n    role: Key",
        "principal: ${clusters.aks.addons.keyVaultSecretsProvider.identity}\n    role: Key",
        "34:16",
    ),
    (
        "a cluster without an identity of its own",
        "principal: ${identities.app}\n    role: Key",
        "principal: ${clusters.aks}\n    role: Key",
        "34:16",
    ),
    ("a role that is no GUID", "role: Network Contributor", "role: 4d97b98b-1d4f-4787-a291", "39:11"),
    ("a second document", "keyVaults:\n", "---\nkeyVaults:\n", "14:1"),
];

/// Parameters, and what is given for them.
const GIVEN: &[(&str, &str, &[&str], &str)] = &[
    (
        "a value that is not allowed",
        "{ type: string, allowed: [a, b] }",
        &["-p", "size=c"],
        "blueprint.yaml:3:3",
    ),
    (
        "the same in a file",
        "{ type: string, allowed: [a, b] }",
        &["--values", "wrong.yaml"],
        "wrong.yaml:1:7",
    ),
    (
        "a parameter misspelt in a file",
        "{ type: string }",
        &["--values", "misspelt.yaml"],
        "misspelt.yaml:1:1",
    ),
    ("a parameter without a value", "{ type: string }", &[], "blueprint.yaml:3:3"),
    (
        "a default against the pattern",
        "{ type: string, pattern: \"^[a-z]+$\", default: \"D EV\" }",
        &[],
        "blueprint.yaml:3:55",
    ),
];

#[test]
fn each_mistake_in_a_blueprint_is_one_error_at_its_cause() {
    let mut told = String::new();
    for (name, from, to, place) in OFFLINE {
        assert!(BASE.contains(from), "{name}");
        let berth = Berth::new().blueprint(&BASE.replacen(from, to, 1));
        let run = berth.validate().exits(1);
        assert!(run.stderr.contains(&format!("─[blueprint.yaml:{place}]")), "{name}: {}", run.stderr);
        assert!(
            run.stderr.contains("\n1 error\n") && run.stderr.contains("\n  help: "),
            "{name}: {}",
            run.stderr
        );
        write!(told, "# {name}\n\n{}\n", run.stderr).unwrap();
    }
    for (name, declared, given, place) in GIVEN {
        let head = format!("blueprint: shop\nparameters:\n  size: {declared}\n");
        let text = BASE.replacen("blueprint: shop\n", &head, 1).replacen("rg-shop", "rg-${param.size}", 1);
        let berth = Berth::new().blueprint(&text);
        berth.write("wrong.yaml", b"size: c\n");
        berth.write("misspelt.yaml", b"siez: a\n");
        let run = berth.run(["validate", "blueprint.yaml"].into_iter().chain(given.iter().copied())).exits(1);
        assert!(run.stderr.contains(&format!("─[{place}]")), "{name}: {}", run.stderr);
        assert!(
            run.stderr.contains("\n1 error\n") && run.stderr.contains("\n  help: "),
            "{name}: {}",
            run.stderr
        );
        write!(told, "# {name}\n\n{}\n", run.stderr).unwrap();
    }
    insta::assert_snapshot!(told);
}

/// What is wrong, the text that is exchanged, what stands in its place, the faults of Azure, and the place.
const AZURES: &[(&str, &str, &str, &str, &str)] = &[
    (
        "a vault's name is taken",
        "",
        "",
        "answer: { status: 409, code: VaultAlreadyExists, message: The vault name is already in use. }, method: PUT, path: '*/vaults/*'",
        "15:3",
    ),
    (
        "a permission is missing",
        "",
        "",
        "answer: { status: 403, code: AuthorizationFailed, message: \"The client 'a' with object id '0b1ec700-0000-4000-8000-000000000001' does not have authorization to perform action 'Microsoft.KeyVault/vaults/write' over scope '/subscriptions/5ab5c819-0000-4000-8000-000000000001/resourceGroups/rg-shop/providers/Microsoft.KeyVault/vaults/kv-shop-0001' or the scope is invalid.\" }, method: PUT, path: '*/vaults/*'",
        "15:3",
    ),
    (
        "a quota is used up",
        "",
        "",
        "answer: { status: 400, code: ErrCode_InsufficientVCPUQuota, message: Insufficient regional vcpu quota left for location westeurope. }, method: PUT, type: Microsoft.ContainerService/managedClusters",
        "19:3",
    ),
    (
        "a policy forbids it",
        "",
        "",
        "deny: { policy: no-vaults }, method: PUT, type: Microsoft.KeyVault/vaults",
        "15:3",
    ),
    (
        "the region has no machines",
        "",
        "",
        "failOperation: { code: AKSCapacityHeavyUsage, message: the region is full }, type: Microsoft.ContainerService/managedClusters",
        "19:3",
    ),
    (
        "a resource group is not declared",
        "    publicAccess: false\n",
        "    publicAccess: false\n    resourceGroup: rg-none\n",
        "stall: 1ms, times: 1",
        "15:3",
    ),
];

#[test]
fn each_refusal_of_azure_names_the_entry_and_the_remedy() {
    let mut told = String::new();
    for (name, from, to, fault, place) in AZURES {
        let berth = Berth::new().blueprint(&BASE.replacen(from, to, 1));
        berth.write("faults.yaml", format!("faults: [{{ {fault} }}]\n").as_bytes());
        let run = berth.apply(&["--faults", "faults.yaml"]).exits_with_one_of(&[3, 4]);
        let from = run.stdout.find("\nFailed").or_else(|| run.stdout.find("\nIn the way")).unwrap();
        let said: String = run.stdout[from + 1..].split("\n\n").next().unwrap().to_owned();
        assert!(said.contains(&format!("blueprint.yaml:{place}")), "{name}: {said}");
        assert!(said.contains("help: "), "{name}: {said}");
        // The id of a correlation is a new one each time.
        let said = match said.split_once("; correlation") {
            Some((said, rest)) => {
                let id = rest.split_whitespace().nth(1).unwrap();
                format!("{said}{}", rest.split_once(id).unwrap().1)
            }
            None => said,
        };
        write!(told, "# {name}\n\n{said}\n\n").unwrap();
    }
    insta::assert_snapshot!(told);
}

/// What a run says of a mistake from its first line about it on, without what changes from run to run.
fn said_of(run: &crate::support::Ended, from: &str) -> String {
    let all = format!("{}{}", run.stdout, run.stderr);
    let at = all.find(from).unwrap_or_else(|| panic!("{from:?} is not in {all}"));
    all[at..].split("\nPlan: ").next().unwrap().trim_end().to_owned()
}

#[test]
fn each_mistake_of_a_run_names_its_place_and_the_remedy() {
    let mut told = String::new();
    // A version that skips one.
    let berth = Berth::new().blueprint(BASE);
    berth.apply(&[]).exits(0);
    berth.edit("kubernetesVersion: \"1.34\"", "kubernetesVersion: \"1.36\"");
    let said = said_of(&berth.plan(&[]).exits(2), "In the way of this plan");
    assert!(said.contains("blueprint.yaml:19:3") && said.contains("help: "), "{said}");
    write!(told, "# a version that skips one\n\n{said}\n\n").unwrap();
    // A saved plan whose blueprint went on.
    let berth = Berth::new().blueprint(BASE);
    berth.plan(&["--out", "shop.plan"]).exits(2);
    berth.edit("count: 2", "count: 3");
    let run = berth.run(["apply", "shop.plan", "--sim", "--auto-approve"]).exits(4);
    write!(told, "# a saved plan that is stale\n\n{}\n\n", said_of(&run, "error:")).unwrap();
    assert_eq!(berth.export(), [] as [serde_json::Value; 0]);
    // A variable that is not set.
    let berth = Berth::new().blueprint(&BASE.replacen("rg-shop", "rg-${env.TEAM_NAME}", 1));
    let run = berth.run(["drift", "blueprint.yaml"]).exits(1);
    assert!(
        run.stderr.contains("─[blueprint.yaml:4:18]") && run.stderr.contains("\n1 error\n"),
        "{}",
        run.stderr
    );
    write!(told, "# a variable that is not set\n\n{}\n", run.stderr).unwrap();
    // The object id of an identity, written out in whatever way: it is the same.
    for principal in ["${identities.app}", "${identities.app.id}", "${identities.app.principalId}"] {
        let text = BASE.replacen("principal: ${identities.app}", &format!("principal: {principal}"), 1);
        Berth::new().blueprint(&text).validate().exits(0);
    }
    insta::assert_snapshot!(told);
}

/// A mistake in a module's file is told there, once, and what follows from it is not.
#[test]
fn each_mistake_in_a_module_is_one_error_at_its_cause() {
    const MODULE: &str = "\
parameters:
  size: { type: string, default: Standard_D4s_v5 }
networks:
  spoke:
    addressSpace: [10.21.0.0/16]
    subnets:
      nodes: { prefix: 10.21.0.0/20 }
clusters:
  aks:
    subnet: ${networks.spoke.subnets.nodes}
    nodePools: { system: { mode: System, count: 1, vmSize: \"${param.size}\" } }
outputs:
  subnet: ${networks.spoke.subnets.nodes.id}
";
    const HEAD: &str = "\
blueprint: shop
azure: { subscription: 5ab5c819-0000-4000-8000-000000000001, location: westeurope, resourceGroup: rg-shop }
modules: { spoke: { include: ./spoke.yaml } }
privateEndpoints: { a: { target: \"${keyVaults.main}\", subnet: \"${module.spoke.outputs.subnet}\", dns: none } }
keyVaults: { main: { name: kv-shop-0001 } }
";
    let mut told = String::new();
    for (name, from, to, place) in [
        ("a section misspelt", "networks:\n", "netwroks:\n", "3:1"),
        ("a mapping misspelt", "    subnets:", "    subnts:", "6:5"),
        (
            "an entry misspelt",
            "${networks.spoke.subnets.nodes}\n    node",
            "${networks.spok.subnets.nodes}\n    node",
            "10:13",
        ),
        (
            "a part misspelt",
            "${networks.spoke.subnets.nodes}\n    node",
            "${networks.spoke.subnets.node}\n    node",
            "10:13",
        ),
        ("a parameter misspelt", "${param.size}", "${param.siz}", "11:60"),
        ("an output misspelt", "outputs:\n  subnet: $", "outputs:\n  sbnet: $", ""),
    ] {
        assert!(MODULE.contains(from), "{name}");
        let berth = Berth::new().blueprint(HEAD);
        berth.write("spoke.yaml", MODULE.replacen(from, to, 1).as_bytes());
        let run = berth.validate().exits(1);
        let file = if place.is_empty() {
            "─[blueprint.yaml:4".to_owned()
        } else {
            format!("─[./spoke.yaml:{place}]")
        };
        assert!(
            run.stderr.contains(&file) || run.stderr.contains(&file.replace("./", "")),
            "{name}: {}",
            run.stderr
        );
        assert!(
            run.stderr.contains("\n1 error\n") && run.stderr.contains("\n  help: "),
            "{name}: {}",
            run.stderr
        );
        write!(told, "# {name}\n\n{}\n", run.stderr).unwrap();
    }
    insta::assert_snapshot!(told);
}

#[test]
fn thirty_more_mistakes_are_one_error_each_at_their_causes() {
    let (mut told, mut wrong) = (String::new(), Vec::new());
    for (name, from, to, place) in MORE {
        assert!(BASE.contains(from), "{name}");
        let run = Berth::new().blueprint(&BASE.replacen(from, to, 1)).validate().exits_with_one_of(&[0, 1]);
        let single = run.stderr.ends_with("\n1 error\n") && run.stderr.contains("\n  help: ");
        if !single || !run.stderr.contains(&format!("─[blueprint.yaml:{place}]")) {
            wrong.push(format!("{name}, at {place}:\n{}{}", run.stdout, run.stderr));
        }
        write!(told, "# {name}\n\n{}\n", run.stderr).unwrap();
    }
    assert!(wrong.is_empty(), "{} of {}:\n{}", wrong.len(), MORE.len(), wrong.join("\n"));
    insta::assert_snapshot!(told);
}

#[test]
fn what_is_wrong_with_the_blueprint_is_told_before_anybody_signs_in() {
    let azure = Azure::new();
    for (from, to) in
        [("rg-shop", "${env.NOT_SET}"), ("westeurope", "westeuropa"), ("count: 2", "count: three")]
    {
        let berth = Berth::new().blueprint(&BASE.replacen(from, to, 1));
        for command in ["plan", "apply", "drift"] {
            let mut run = azure.signed_in(&berth, [command, "blueprint.yaml"]);
            let run = crate::support::Run::of(&[command], run.output().unwrap()).exits(1);
            assert!(
                run.stderr.contains("─[blueprint.yaml:") && run.stderr.contains("\n1 error\n"),
                "{}",
                run.stderr
            );
        }
    }
    assert_eq!(azure.token_requests(), [""; 0]);
}

#[test]
fn nothing_is_folded_in_a_pipe_and_commands_nowhere() {
    let berth = Berth::new().blueprint(&BASE.replacen(
        "    publicAccess: false\n",
        "    publicAccess: false\n    resourceGroup: rg-none\n",
        1,
    ));
    let run = |columns: Option<&str>| {
        let mut command = berth.command(["plan", "blueprint.yaml", "--sim"]);
        command.env_remove("COLUMNS").envs(columns.map(|columns| ("COLUMNS", columns)));
        crate::support::Run::of(&["plan"], command.output().unwrap()).exits(2)
    };
    let help = "help: declare it with `resourceGroups: { main: { name: rg-none } }` and write `resourceGroup: \"${resourceGroups.main}\"`, or name one that exists";
    assert!(run(None).stdout.contains(help));
    for columns in ["40", "80"] {
        let shown = run(Some(columns));
        for copied in
            ["`resourceGroups: { main: { name: rg-none } }`", "`resourceGroup: \"${resourceGroups.main}\"`"]
        {
            assert!(shown.stdout.lines().any(|line| line.contains(copied)), "{columns}: {}", shown.stdout);
        }
    }
}

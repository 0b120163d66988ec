//! Blueprints as a whole: `forEach`, modules, references between them.

use super::{Blueprint, Inputs, Missing, Source, load};
use crate::diag::Failure;
use serde_json::Value;
use std::path::Path;

const HEAD: &str = "blueprint: b\nazure: { subscription: 00000000-0000-0000-0000-000000000001, location: westeurope, resourceGroup: rg }\n";

pub(super) fn read(files: &[(&str, &str)]) -> Result<Blueprint, Vec<String>> {
    let text = format!("{HEAD}{}", files[0].1);
    let read = |path: &Path| {
        let found = files.iter().find(|(name, _)| Path::new(name) == path);
        found
            .map(|(_, text)| text.as_bytes().to_vec())
            .ok_or_else(|| Failure::bare(format!("{}: gone", path.display())))
    };
    let source = Source::parse("b.yaml", text.as_bytes()).unwrap().with_includes(&read);
    let inputs = Inputs { missing: Missing::MakeUp, ..Inputs::default() };
    load(&source, &inputs).map_err(|problems| {
        problems.iter().map(|d| format!("{} {}", d.span.as_ref().unwrap(), d.message)).collect()
    })
}

/// The addresses, registrations and the implicit group left out.
pub(super) fn addresses(blueprint: &Blueprint) -> Vec<&str> {
    let all = blueprint.desired.resources.iter().map(|resource| resource.address.as_str());
    all.filter(|address| !address.starts_with("providers.") && !address.ends_with("resourceGroup")).collect()
}

fn output<'b>(blueprint: &'b Blueprint, name: &str) -> &'b Value {
    &blueprint.desired.outputs.iter().find(|output| output.name == name).unwrap().value
}

pub(super) fn needs(blueprint: &Blueprint, from: &str, to: &str) -> bool {
    let desired = &blueprint.desired;
    desired.graph.dependencies(desired.by_address[from]).contains(&desired.by_address[to])
}

const PREFIX: &str = "/subscriptions/00000000-0000-0000-0000-000000000001/resourceGroups";

#[test]
fn an_entry_with_for_each_is_several() {
    let blueprint = read(&[(
        "b.yaml",
        "\
resourceGroups:
  spokes:
    forEach: { eu: westeurope, us: eastus }
    location: ${each.value}
identities:
  app:
    forEach: [eu, us]
    resourceGroup: ${resourceGroups.spokes[each.key].name}
    when: ${each.key != 'cn'}
  last: { dependsOn: [identities.app] }
  one: { dependsOn: [\"identities.app[us]\"] }
outputs:
  ids: ${identities.app[*].id}
  one: ${identities.app['us'].id}
  joined: ${join(resourceGroups.spokes[*].name, '+')}
",
    )])
    .unwrap();
    assert_eq!(
        addresses(&blueprint),
        [
            "resourceGroups.spokes[eu]",
            "resourceGroups.spokes[us]",
            "identities.app[eu]",
            "identities.app[us]",
            "identities.last",
            "identities.one"
        ]
    );
    let id = |key: &str| {
        format!("{PREFIX}/spokes-{key}/providers/Microsoft.ManagedIdentity/userAssignedIdentities/app-{key}")
    };
    assert_eq!(*output(&blueprint, "ids"), serde_json::json!([id("eu"), id("us")]));
    assert_eq!(*output(&blueprint, "one"), serde_json::json!(id("us")));
    assert_eq!(*output(&blueprint, "joined"), "spokes-eu+spokes-us");
    assert!(needs(&blueprint, "identities.app[eu]", "resourceGroups.spokes[eu]"));
    assert!(!needs(&blueprint, "identities.app[eu]", "resourceGroups.spokes[us]"));
    assert!(needs(&blueprint, "identities.last", "identities.app[eu]"));
    assert!(needs(&blueprint, "identities.one", "identities.app[us]"));
    assert!(!needs(&blueprint, "identities.one", "identities.app[eu]"));
}

#[test]
fn order_and_number_of_keys_touch_no_other_instance() {
    let bodies = |keys: &str| {
        let text = format!("identities:\n  app: {{ forEach: {keys}, tags: {{ of: '${{each.value}}' }} }}\n");
        let blueprint = read(&[("b.yaml", &text)]).unwrap();
        let mut all: Vec<(String, String, Value)> = blueprint
            .desired
            .resources
            .into_iter()
            .filter(|r| r.address.as_str().starts_with("identities."))
            .map(|r| (r.address.to_string(), r.id.to_string(), Value::clone(&r.body)))
            .collect();
        all.sort_by(|a, b| a.0.cmp(&b.0));
        all
    };
    let (ab, ba, abc) = (bodies("[a, b]"), bodies("[b, a]"), bodies("[c, a, b]"));
    assert_eq!(ab, ba);
    assert_eq!(ab, abc[..2]);
}

#[test]
fn instances_that_are_off_are_left_out() {
    let blueprint = read(&[(
        "b.yaml",
        "\
identities:
  app: { forEach: [a, b], when: \"${each.key == 'a'}\" }
  none: { forEach: [] }
  last: { dependsOn: [identities.none, \"identities.app[b]\"] }
outputs: { names: \"${identities.app[*].name}\", nobody: \"${identities.none[*].id}\" }
",
    )])
    .unwrap();
    assert_eq!(addresses(&blueprint), ["identities.app[a]", "identities.last"]);
    assert_eq!(*output(&blueprint, "names"), serde_json::json!(["app-a"]));
    assert_eq!(*output(&blueprint, "nobody"), serde_json::json!([]));
}

const SPOKE: &str = "\
parameters:
  region: { type: string }
  hub: { type: string }
  names: { type: list, default: [x] }
azure: { tags: { module: spoke } }
identities:
  app: { forEach: \"${param.names}\", tags: { hub: \"${param.hub}\", region: \"${azure.location}\" } }
  other: { dependsOn: [\"identities.app[x]\"] }
outputs:
  id: ${identities.app['x'].id}
  ids: ${identities.app[*].id}
  map: { region: \"${param.region}\" }
  net: ${identities.other}
";

#[test]
fn a_module_has_parameters_outputs_and_an_azure_block() {
    let blueprint = read(&[
        (
            "b.yaml",
            "\
identities: { hub: {} }
modules:
  spoke:
    include: ./spoke.yaml
    forEach: { eu: westeurope, us: eastus }
    parameters: { region: \"${each.value}\", hub: \"${identities.hub.id}\" }
    azure: { location: \"${each.value}\", resourceGroup: \"rg-${each.key}\", tags: { key: \"${each.key}\" } }
  last:
    include: spoke.yaml
    parameters: { region: x, hub: \"${module.spoke['eu'].outputs.id}\" }
    dependsOn: module.spoke
    protect: true
outputs:
  ids: ${module.spoke[*].outputs.id}
  region: ${module.spoke['us'].outputs.map.region}
  name: ${module.last.outputs.net.name}
  element: ${module.last.outputs.ids[0]}
",
        ),
        ("spoke.yaml", SPOKE),
    ])
    .unwrap();
    assert_eq!(
        addresses(&blueprint),
        [
            "identities.hub",
            "module.spoke[eu].identities.app[x]",
            "module.spoke[eu].identities.other",
            "module.spoke[us].identities.app[x]",
            "module.spoke[us].identities.other",
            "module.last.identities.app[x]",
            "module.last.identities.other",
        ]
    );
    let id = |group: &str| {
        format!("{PREFIX}/{group}/providers/Microsoft.ManagedIdentity/userAssignedIdentities/app-x")
    };
    assert_eq!(*output(&blueprint, "ids"), serde_json::json!([id("rg-eu"), id("rg-us")]));
    assert_eq!(*output(&blueprint, "region"), "eastus");
    assert_eq!(*output(&blueprint, "name"), "other");
    assert_eq!(*output(&blueprint, "element"), id("rg").as_str());
    let resource = |address: &str| &blueprint.desired.resources[blueprint.desired.by_address[address]];
    let tags = &resource("module.spoke[us].identities.app[x]").body["tags"];
    assert_eq!(
        (&tags["module"], &tags["key"], &tags["region"]),
        (&"spoke".into(), &"us".into(), &"eastus".into())
    );
    assert!(resource("module.last.identities.other").protect);
    assert!(!resource("module.spoke[us].identities.other").protect);
    assert!(needs(&blueprint, "module.spoke[eu].identities.app[x]", "identities.hub"));
    assert!(needs(&blueprint, "module.spoke[eu].identities.other", "module.spoke[eu].identities.app[x]"));
    assert!(needs(&blueprint, "module.last.identities.other", "module.spoke[us].identities.other"));
    assert!(needs(&blueprint, "module.spoke[us].identities.app[x]", "module.spoke[us].resourceGroup"));
}

#[test]
fn secrets_go_through_modules_unseen() {
    let blueprint = read(&[
        (
            "b.yaml",
            "\
parameters: { password: { secret: true } }
modules:
  m: { include: m.yaml, parameters: { password: \"${param.password}\" } }
outputs: { own: \"${module.m.outputs.own}\", given: \"${module.m.outputs.given}\", marked: \"x-${module.m.outputs.marked}\" }
",
        ),
        (
            "m.yaml",
            "\
parameters: { password: { secret: true }, own: { secret: true, env: OWN } }
outputs: { own: \"${param.own}\", given: \"${param.password}\", marked: { value: plain, secret: true } }
",
        ),
    ])
    .unwrap();
    assert!(blueprint.desired.outputs.iter().all(|output| output.secret));
    let names: Vec<&str> = blueprint.desired.secrets.iter().map(|(name, _)| name).collect();
    assert_eq!(names, ["module.m.own", "password"]);
}

#[test]
fn mistakes_point_into_the_file_that_has_them() {
    let told = read(&[
        (
            "b.yaml",
            "\
modules:
  a: { include: lib/m.yaml, parameters: { sise: 1 } }
  b: { include: lib/m.yaml, forEach: [x, y], parameters: { size: 3 } }
outputs: { a: \"${module.b.outputs.id}\", b: \"${module.b['z'].outputs.id}\", c: \"${module.c.outputs.id}\" }
",
        ),
        ("lib/m.yaml", "parameters: { size: { type: int } }\nidentities: { app: { name: x, tags: [] } }\noutputs: { id: 1 }\n"),
    ])
    .unwrap_err();
    assert_eq!(
        told,
        [
            "b.yaml:4:43 the module has no parameter `sise`",
            "b.yaml:6:15 `module.b` stands for 2 entries: it has `forEach`",
            "b.yaml:6:44 there is no `module.b` with the key `z`",
            "b.yaml:6:78 there is no module named `c`",
            "lib/m.yaml:2:31 `tags` must be a mapping of names to texts",
        ]
    );
}

#[test]
fn modules_that_need_each_other_are_told() {
    let told = read(&[
        (
            "b.yaml",
            "\
modules:
  a: { include: m.yaml, parameters: { of: \"${module.b.outputs.of}\" } }
  b: { include: m.yaml, parameters: { of: \"${module.a.outputs.of}\" } }
",
        ),
        ("m.yaml", "parameters: { of: {} }\noutputs: { of: \"${param.of}\" }\n"),
    ])
    .unwrap_err();
    assert_eq!(told.len(), 1, "{told:?}");
    assert!(told[0].contains("needs an output of"), "{told:?}");
}

#[test]
fn nobody_can_make_more_modules_than_there_is_memory_for() {
    let two = |name: &str| format!("modules: {{ a: {{ include: {name} }}, b: {{ include: {name} }} }}\n");
    let names: Vec<String> = (0..20).map(|n| format!("m{n}.yaml")).collect();
    let texts: Vec<String> = (1..=20).map(|n| two(&format!("m{n}.yaml"))).collect();
    let root = two("m0.yaml");
    let mut files: Vec<(&str, &str)> = vec![("b.yaml", &root)];
    files.extend(names.iter().zip(&texts).map(|(name, text)| (name.as_str(), text.as_str())));
    let told = read(&files).unwrap_err();
    assert!(told.iter().any(|line| line.contains("more than 2000 modules")), "{:?}", told.len());
}

#[test]
fn what_the_blueprint_asks_for_is_known_in_ids() {
    let text = "\
identities: { app: {} }
clusters:
  aks:
    SAID
    nodePools: { system: { mode: System, count: 1, vmSize: Standard_D4s_v5 } }
roleAssignments:
  reader:
    principal: ${identities.app}
    role: Reader
    scope: /subscriptions/${azure.subscription}/resourceGroups/${clusters.aks.nodeResourceGroup}
";
    for (said, group) in [("nodeResourceGroup: rg-nodes", "rg-nodes"), ("tags: {}", "MC_rg_aks_westeurope")] {
        let blueprint = read(&[("b.yaml", &text.replace("SAID", said))]).unwrap();
        let desired = &blueprint.desired;
        let id = &desired.resources[desired.by_address["roleAssignments.reader"]].id;
        let below = format!("/resourceGroups/{group}/providers/Microsoft.Authorization/roleAssignments/");
        assert!(id.as_str().contains(&below), "{id}");
        assert!(needs(&blueprint, "roleAssignments.reader", "clusters.aks"));
    }
}

#[test]
fn the_type_of_a_resource_gives_the_group_of_its_endpoint() {
    let text = "\
networks: { hub: { addressSpace: [10.0.0.0/16], subnets: { pe: { prefix: 10.0.0.0/24 } } } }
resources:
  one: { name: one, type: TYPE, apiVersion: \"2025-05-01\", body: { location: westeurope, properties: {} } }
privateEndpoints:
  pe: { target: \"${resources.one}\", subnet: \"${networks.hub.subnets.pe}\" }
";
    for (arm_type, group) in [
        ("Microsoft.Sql/servers", Some("sqlServer")),
        ("Microsoft.Web/sites", Some("sites")),
        ("Microsoft.Search/searchServices", Some("searchService")),
        ("Microsoft.Network/privateLinkServices", None),
    ] {
        let blueprint = read(&[("b.yaml", &text.replace("TYPE", arm_type))]).unwrap();
        assert!(blueprint.warnings.is_empty(), "{arm_type}");
        let desired = &blueprint.desired;
        let body = &desired.resources[desired.by_address["privateEndpoints.pe"]].body;
        let groups = &body["properties"]["privateLinkServiceConnections"][0]["properties"]["groupIds"][0];
        assert_eq!(groups.as_str(), group, "{arm_type}");
    }
}

#[test]
fn a_mistake_in_the_azure_block_is_told_once() {
    let entries = "networks: { hub: { addressSpace: [10.0.0.0/16], subnets: { a: { prefix: 10.0.0.0/24 } } } }\n\
                   identities: { app: {}, other: { name: \"id-${azure.resourceGroup}\" } }\n\
                   roleAssignments: { a: { principal: \"${identities.app}\", role: Reader, scope: \"${networks.hub}\" } }\n";
    for (block, told) in [
        (
            "location: westeurope, resourceGroup: 'rg-${param.nope}'",
            "b.yaml:2:99 there is no parameter `nope`",
        ),
        (
            "location: westeurope, resourceGroup: 'a b!'",
            "b.yaml:2:99 `a b!` cannot be the name of a resource group",
        ),
        (
            "location: westeurope, resourceGroup: [a]",
            "b.yaml:2:84 `azure.resourceGroup` must be a text, not `[\"a\"]`",
        ),
        ("resourceGroup: rg", "b.yaml:3:13 no location is said for this entry"),
    ] {
        let text = format!(
            "blueprint: b\nazure: {{ subscription: 00000000-0000-0000-0000-000000000001, {block} }}\n{entries}"
        );
        let source = Source::parse("b.yaml", text.as_bytes()).unwrap();
        let problems = load(&source, &Inputs::default()).unwrap_err();
        let problems: Vec<String> =
            problems.iter().map(|d| format!("{} {}", d.span.as_ref().unwrap(), d.message)).collect();
        assert_eq!(problems, [told], "{block}");
    }
}

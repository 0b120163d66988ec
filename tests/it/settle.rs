//! What becomes of a drift: it is written into the blueprint, or set back, one field at a time.

use crate::support::{Berth, Server};
use serde_json::{Value, json};

const BLUEPRINT: &str = "\
# The shop.
blueprint: shop
parameters:
  owner: { default: ops }
azure:
  subscription: '${env.AZURE_SUBSCRIPTION_ID}'
  location: westeurope
  resourceGroup: rg-shop
  tags: { common: yes-please } # everywhere
networks:
  hub:
    name: vnet-hub
    addressSpace: [10.20.0.0/16] # ours since 2019
    flowTimeoutMinutes: 10 # long enough
    tags: { team: platform, cost: '42', owner: '${param.owner}' }
    subnets:
      # Where nodes live.
      nodes:
        prefix: 10.20.0.0/20
identities:
  app: { name: id-app, tags: { team: platform }, exclusive: [tags] } # flow style
  gone: { name: id-gone }
  each:
    forEach: [blue, green]
    name: id-${each.key}
    tags: { team: platform }
keyVaults:
  secrets:
    name: kv-shop-7d1e
    publicAccess: false   # never
";

const GROUP: &str = "/subscriptions/5ab5c819-0000-4000-8000-000000000001/resourceGroups/rg-shop/providers";
const VNET: (&str, &str) = ("Microsoft.Network/virtualNetworks/vnet-hub", "2024-05-01");
const NODES: (&str, &str) = ("Microsoft.Network/virtualNetworks/vnet-hub/subnets/nodes", "2024-05-01");
const VAULT: (&str, &str) = ("Microsoft.KeyVault/vaults/kv-shop-7d1e", "2023-07-01");
const APP: (&str, &str) = ("Microsoft.ManagedIdentity/userAssignedIdentities/id-app", "2023-01-31");
const BLUE: (&str, &str) = ("Microsoft.ManagedIdentity/userAssignedIdentities/id-blue", "2023-01-31");

fn change(server: &Server, (path, version): (&str, &str), edit: &dyn Fn(&mut Value)) {
    let id = format!("{GROUP}/{path}");
    let (status, mut body) = server.send("GET", &format!("{id}?api-version={version}"), None);
    assert_eq!(status, 200, "{body}");
    edit(&mut body);
    server.write("PUT", &id, version, Some(&body));
}

/// An applied blueprint that somebody else then changed.
fn drifted(edits: &[Edit<'_>]) -> Berth {
    let berth = Berth::new().blueprint(BLUEPRINT);
    berth.apply(&[]).exits(0);
    let server = berth.sim_serve();
    edits.iter().for_each(|(path, edit)| change(&server, *path, edit));
    server.stop();
    berth
}

/// The paths that a plan would change, as `address path`.
fn changes(berth: &Berth) -> Vec<String> {
    let plan = berth.plan(&["--format=json"]).exits_with_one_of(&[0, 2]).json();
    let mut found = Vec::new();
    for step in plan["steps"].as_array().unwrap() {
        for change in step["changes"].as_array().into_iter().flatten() {
            found.push(format!("{} {}", step["address"].as_str().unwrap(), change["path"].as_str().unwrap()));
        }
    }
    found
}

type Edit<'a> = ((&'a str, &'a str), &'a dyn Fn(&mut Value));

#[test]
fn what_is_accepted_stands_in_the_blueprint_and_the_plan_is_empty() {
    let hostile = "a: b # c\n! ${env.HOME}";
    let cases: Vec<(Edit<'_>, &str, &str, &str)> = vec![
        (
            (VNET, &|body| body["tags"]["team"] = json!("ada's")),
            "networks.hub.tags.team",
            "team: platform, cost",
            "team: \"ada's\", cost",
        ),
        (
            (VNET, &|body| body["tags"]["team"] = json!("-")),
            "networks.hub.tags.team",
            "team: platform, cost",
            "team: \"-\", cost",
        ),
        (
            (VNET, &|body| body["tags"]["cost"] = json!("43")),
            "networks.hub.tags.cost",
            "cost: '42'",
            "cost: '43'",
        ),
        (
            (VNET, &|body| body["tags"]["team"] = json!("a: b # c\n! ${env.HOME}")),
            "networks.hub.tags[\"team\"]",
            "team: platform, cost",
            "team: \"a: b # c\\n! $${env.HOME}\", cost",
        ),
        (
            (VNET, &|body| {
                body["tags"].as_object_mut().unwrap().shift_remove("cost");
            }),
            "networks.hub.tags.cost",
            "team: platform, cost: '42', owner",
            "team: platform, owner",
        ),
        (
            (VNET, &|body| body["properties"]["flowTimeoutInMinutes"] = json!(4)),
            "networks.hub.flowTimeoutInMinutes",
            "flowTimeoutMinutes: 10 # long",
            "flowTimeoutMinutes: 4 # long",
        ),
        (
            (VNET, &|body| {
                body["properties"]["addressSpace"]["addressPrefixes"] =
                    json!(["10.20.0.0/16", "10.99.0.0/16"])
            }),
            "networks.hub.properties.addressSpace.addressPrefixes",
            "[10.20.0.0/16] # ours",
            "[10.20.0.0/16, 10.99.0.0/16] # ours",
        ),
        (
            (NODES, &|body| {
                body["properties"]["addressPrefix"] = json!("10.20.0.0/21");
                body["properties"].as_object_mut().unwrap().shift_remove("addressPrefixes");
            }),
            "networks.hub.subnets.nodes.addressPrefix",
            "prefix: 10.20.0.0/20\n",
            "prefix: 10.20.0.0/21\n",
        ),
        (
            (APP, &|body| body["tags"]["team"] = json!("finance")),
            "identities.app",
            "team: platform }, exclusive: [tags] } # flow",
            "team: finance }, exclusive: [tags] } # flow",
        ),
        (
            (VAULT, &|body| body["properties"]["publicNetworkAccess"] = json!("Enabled")),
            "keyVaults.secrets.publicNetworkAccess",
            "publicAccess: false   # never",
            "publicAccess: true   # never",
        ),
    ];
    assert!(hostile.contains("${"));
    for ((path, edit), asked, from, to) in &cases {
        let berth = drifted(&[(*path, *edit)]);
        assert_ne!(changes(&berth), Vec::<String>::new(), "{asked}");
        let run = berth.drift(&["--accept", asked]).exits(0);
        assert!(run.stdout.contains("blueprint.yaml:"), "{}", run.stdout);
        assert_eq!(berth.read("blueprint.yaml"), BLUEPRINT.replacen(from, to, 1), "{asked}");
        assert_eq!(changes(&berth), Vec::<String>::new(), "{asked}");
        berth.apply(&[]).exits(0);
        berth.drift(&[]).exits(0);
    }
}

#[test]
fn several_are_accepted_at_once_or_none_of_them() {
    let edits: [Edit<'_>; 2] = [
        (VNET, &|body| {
            body["tags"]["team"] = json!("x");
            body["properties"]["flowTimeoutInMinutes"] = json!(5);
        }),
        (APP, &|body| body["tags"]["team"] = json!("y")),
    ];
    let berth = drifted(&edits);
    let stranger = ["--accept=networks.hub", "--accept=identities.gone.name"];
    berth.drift(&stranger).exits(1).complains(&["has not drifted"]);
    assert_eq!(berth.read("blueprint.yaml"), BLUEPRINT);
    berth.drift(&["--accept=networks.hub", "--accept=identities.app.tags"]).exits(0);
    let expected = BLUEPRINT
        .replacen("team: platform, cost", "team: x, cost", 1)
        .replacen("flowTimeoutMinutes: 10", "flowTimeoutMinutes: 5", 1)
        .replacen(
            "team: platform }, exclusive: [tags] } # flow",
            "team: \"y\" }, exclusive: [tags] } # flow",
            1,
        );
    assert_eq!(berth.read("blueprint.yaml"), expected);
    assert_eq!(changes(&berth), Vec::<String>::new());
}

#[test]
fn what_others_added_to_a_mapping_is_written_beside_the_others() {
    let berth = drifted(&[(APP, &|body| body["tags"]["cost/center"] = json!("7"))]);
    assert_eq!(changes(&berth), ["identities.app tags[\"cost/center\"]"]);
    berth.drift(&["--accept=identities.app.tags.cost/center"]).exits(0);
    let expected =
        BLUEPRINT.replacen("platform }, exclusive", "platform, cost/center: \"7\" }, exclusive", 1);
    assert_eq!(berth.read("blueprint.yaml"), expected);
    assert_eq!(changes(&berth), Vec::<String>::new());
}

#[test]
fn what_one_value_of_the_file_does_not_say_is_refused_with_a_way_on() {
    let tag = |name: &'static str| move |body: &mut Value| body["tags"][name] = json!("theirs");
    let (owner, common, team) = (tag("owner"), tag("common"), tag("team"));
    let cases: Vec<(Edit<'_>, &str, &[&str])> = vec![
        ((VNET, &owner), "networks.hub.tags.owner", &["computed", "${param.owner}", "blueprint.yaml:15:"]),
        ((VNET, &common), "networks.hub.tags.common", &["used elsewhere", "blueprint.yaml:9:"]),
        ((BLUE, &team), "identities.each[blue].tags.team", &["forEach", "each.key", "blueprint.yaml:"]),
        ((VNET, &team), "networks.hub.tags.cost", &["has not drifted", "tags.team"]),
        ((VNET, &team), "networks.hu.tags", &["nothing at `networks.hu.tags`"]),
        ((VNET, &team), "identities.app", &["`identities.app` has not drifted"]),
    ];
    for ((path, edit), asked, says) in &cases {
        let berth = drifted(&[(*path, *edit)]);
        berth.drift(&["--accept", asked]).exits(1).complains(says);
        assert_eq!(berth.read("blueprint.yaml"), BLUEPRINT, "{asked}");
    }
    let berth = drifted(&[]);
    let server = berth.sim_serve();
    let gone =
        format!("{GROUP}/Microsoft.ManagedIdentity/userAssignedIdentities/id-gone?api-version=2023-01-31");
    assert_eq!(server.send("DELETE", &gone, None).0, 200);
    server.stop();
    berth.drift(&["--accept=identities.gone"]).exits(1).complains(&["is gone", "delete the entry"]);
    berth.run(["drift", "-", "--sim", "--accept=identities.gone"]).exits(1).complains(&["name the file"]);
}

#[test]
fn one_field_is_set_back_and_the_others_stay() {
    let berth = drifted(&[
        (VNET, &|body| {
            body["tags"]["team"] = json!("x");
            body["tags"]["cost"] = json!("9");
            body["properties"]["flowTimeoutInMinutes"] = json!(5);
        }),
        (APP, &|body| body["tags"]["team"] = json!("y")),
    ]);
    let all = [
        "networks.hub tags.cost",
        "networks.hub tags.team",
        "networks.hub properties.flowTimeoutInMinutes",
        "identities.app tags.team",
    ];
    let sorted = |mut list: Vec<String>| {
        list.sort();
        list
    };
    let without = |gone: &[&str]| {
        sorted(all.iter().filter(|change| !gone.contains(change)).map(ToString::to_string).collect())
    };
    assert_eq!(sorted(changes(&berth)), without(&[]));
    let shown = berth.drift(&["--revert=networks.hub.tags.team", "--out=p.json"]).exits(2);
    assert!(shown.stdout.contains("team") && !shown.stdout.contains("flowTimeout"), "{}", shown.stdout);
    berth.run(["apply", "p.json", "--sim", "--auto-approve", "--quiet"]).exits(0);
    assert_eq!(sorted(changes(&berth)), without(&[all[1]]));
    // Drift still tells of the rest: the ledger says what was asked for.
    berth.drift(&[]).exits(2).says(&["flowTimeoutInMinutes"]);
    berth
        .drift(&["--revert=identities.app", "--revert=networks.hub.flowTimeoutInMinutes", "--out=q.json"])
        .exits(2);
    berth.run(["apply", "q.json", "--sim", "--auto-approve", "--quiet"]).exits(0);
    assert_eq!(changes(&berth), ["networks.hub tags.cost"]);
    // Nothing to set back is no plan.
    berth.drift(&["--revert=identities.app"]).exits(0);
    berth.drift(&["--revert=identities.ap"]).exits(1).complains(&["did you mean `identities.app`?"]);
}

#[test]
fn what_is_gone_is_made_again_and_nothing_else() {
    let berth = drifted(&[(VNET, &|body| body["tags"]["team"] = json!("x"))]);
    let server = berth.sim_serve();
    let gone =
        format!("{GROUP}/Microsoft.ManagedIdentity/userAssignedIdentities/id-gone?api-version=2023-01-31");
    assert_eq!(server.send("DELETE", &gone, None).0, 200);
    server.stop();
    berth.drift(&["--revert=identities.gone", "--out=p.json"]).exits(2);
    berth.run(["apply", "p.json", "--sim", "--auto-approve", "--quiet"]).exits(0);
    assert_eq!(changes(&berth), ["networks.hub tags.team"]);
}

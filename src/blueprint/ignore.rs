//! `ignore`: fields that are set when a resource is made and left alone afterwards.
//!
//! People name a field of the blueprint, or Azure's own as a plan shows it. Where a field goes in a body is found by
//! expanding the entry without it: what then differs is what it says.

use super::entry_schema::entry_schema;
use super::evaluator::Evaluator;
use super::messages::WRONG_TYPE;
use super::source::At;
use crate::catalog::{Draft, Kind, Provisioning};
use crate::diag::{Code, Diagnostic, did_you_mean};
use crate::ident::segments;
use crate::value::{FieldPath, Flag, beneath, without};
use serde_json::{Map, Value};

pub(super) const IGNORE_PATH: Code = Code {
    name: "ignore-path",
    why: "`ignore` names a field that the entry or part does not have, or one that cannot be left alone by itself. It would \
          have no effect, and what it was meant for would be changed back.",
    remedy: "Name a field of the entry or part (`autoscale`, `tags.costCenter`), or one of Azure's as the plan shows it \
             (`properties.count`). A rule in a list that Azure keeps whole cannot be given away without the list.",
    example: "nodePools: { work: { count: 2, ignore: [count] } }",
};

/// A path that was written, and where.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Given {
    /// The part, as a dotted path from the entry; empty for the entry itself.
    within: String,
    /// The path from there.
    path: String,
    /// Where it is in the file.
    place: String,
}

/// What is wrong with a path, and what to write instead.
type Wrong = (String, String);

impl Evaluator<'_> {
    /// Takes `ignore` out of evaluated fields; `place` is that of the entry or part, `within` the part's path from the entry.
    pub(super) fn take_ignore(
        &self,
        place: &str,
        within: &str,
        fields: &mut Map<String, Value>,
    ) -> Vec<Given> {
        let place = format!("{place}.ignore");
        let given =
            |path: &str, place: String| Given { within: within.to_owned(), path: path.to_owned(), place };
        match fields.shift_remove("ignore") {
            None | Some(Value::Null) => Vec::new(),
            Some(Value::String(path)) => vec![given(&path, place)],
            Some(Value::Array(paths)) if paths.iter().all(Value::is_string) => {
                let paths = paths.iter().filter_map(Value::as_str).enumerate();
                paths.map(|(at, path)| given(path, format!("{place}[{at}]"))).collect()
            }
            Some(_) => {
                self.tell(
                    Diagnostic::error(&WRONG_TYPE, "`ignore` must be a list of paths")
                        .at(self.locate(&place, At::Value))
                        .help("write the fields to leave alone: `ignore: [tags.costCenter]`"),
                );
                Vec::new()
            }
        }
    }

    /// Notes in the drafts of an entry what is to be left alone. `expand` expands the entry with other fields.
    pub(super) fn apply_ignore(
        &self,
        kind: &Kind,
        address: &str,
        given: &[Given],
        fields: &Map<String, Value>,
        drafts: &mut [Draft],
        expand: &dyn Fn(Map<String, Value>) -> Vec<Draft>,
    ) {
        for given in given {
            let found = by_field(kind, given, fields, drafts, expand)
                .or_else(|| by_arm_path(kind, address, given, drafts))
                .unwrap_or_else(|| unknown(kind, address, given, drafts));
            match found {
                Ok(paths) => {
                    for (at, path) in paths {
                        if !drafts[at].ignore.contains(&path) {
                            drafts[at].ignore.push(path);
                        }
                    }
                }
                Err((message, help)) => self.tell(
                    Diagnostic::error(&IGNORE_PATH, message)
                        .at(self.locate(&given.place, At::Value))
                        .help(help),
                ),
            }
        }
    }
}

/// Paths in the bodies of drafts, by position.
type Found = Result<Vec<(usize, FieldPath)>, Wrong>;

/// Where a field of the blueprint goes; `None` when it is none, or says nothing by itself.
fn by_field(
    kind: &Kind,
    given: &Given,
    fields: &Map<String, Value>,
    drafts: &[Draft],
    expand: &dyn Fn(Map<String, Value>) -> Vec<Draft>,
) -> Option<Found> {
    // A raw body goes as it is.
    if kind.arm_type.is_empty() {
        return None;
    }
    let whole = Value::Object(fields.clone());
    let written = join(&given.within, &given.path);
    let path = FieldPath::find(&written, &whole)?;
    let value = path.get(&whole)?;
    // Without what parts say under `properties`, which expanding again does not know.
    let plain = expand(fields.clone());
    // What a place cannot do without is given another value instead.
    for other in [None, other_than(value)] {
        let mut changed = whole.clone();
        path.take(&mut changed);
        if let Some(other) = other {
            path.put(&mut changed, other);
        }
        let Value::Object(changed) = changed else { continue };
        let others = expand(changed);
        if others.is_empty() {
            continue;
        }
        let mut found = Vec::new();
        for (at, draft) in drafts.iter().enumerate().filter(|(_, draft)| can_ignore(draft)) {
            let Some(other) = others.iter().find(|other| other.address == draft.address) else {
                return Some(Err((
                    format!("`{}` is a resource of its own, and cannot be left alone as a field", given.path),
                    format!("write `ignore` in `{}`, and there the fields to leave alone", draft.address),
                )));
            };
            let mut paths = Vec::new();
            let Some(plain) = plain.iter().find(|plain| plain.address == draft.address) else { continue };
            let rules = draft.kind.compiled();
            // What only a create carries is said by resources of its own.
            let whole =
                |draft: &Draft| without(&beneath(&draft.initial, &draft.body), rules, Flag::CreateOnly);
            let (with, without) = (whole(plain), whole(other));
            if let Err(list) = differ(&with, &without, &mut Vec::new(), &mut paths) {
                return Some(Err(part_of_list(given, &list)));
            }
            found.extend(paths.into_iter().map(|path| (at, path)));
        }
        if !found.is_empty() {
            return Some(Ok(found));
        }
    }
    None
}

/// The way to it in the body of the resource that the entry or part is.
fn by_arm_path(kind: &Kind, address: &str, given: &Given, drafts: &[Draft]) -> Option<Found> {
    let at = main(address, given, drafts)?;
    let draft = &drafts[at];
    let text = if kind.arm_type.is_empty() {
        given.path.strip_prefix("body.").unwrap_or(&given.path)
    } else {
        &given.path
    };
    let body = beneath(&draft.initial, &draft.body);
    let below = format!("properties.{text}");
    if let Some(path) = FieldPath::find(text, &body).or_else(|| FieldPath::find(&below, &body)) {
        return Some(Ok(vec![(at, path)]));
    }
    // What is said nothing of stays as it is; of a list that is the blueprint's alone a member can be given away.
    let rules = draft.kind.compiled();
    let known = |text: &str| {
        let (above, name) = text.rsplit_once('.')?;
        let names: Vec<&str> = segments(above).chain([name]).collect();
        rules.merges(above).then(|| FieldPath::new(names))
    };
    if let Some(path) = known(text).or_else(|| known(&below)) {
        return Some(Ok(vec![(at, path)]));
    }
    let is_field = match kind.arm_type.is_empty() {
        true => text == "tags",
        false => has_field(kind, &join(&given.within, &given.path)),
    };
    // A field that is not written is left alone as it is.
    is_field.then(|| Ok(Vec::new()))
}

/// Where the resource of an entry, or of a part of one, is among the drafts.
fn main(address: &str, given: &Given, drafts: &[Draft]) -> Option<usize> {
    let own = join(address, &given.within);
    drafts.iter().position(|draft| can_ignore(draft) && draft.address.as_str() == own)
}

fn can_ignore(draft: &Draft) -> bool {
    !draft.shared && draft.operation == Provisioning::Resource
}

fn unknown(kind: &Kind, address: &str, given: &Given, drafts: &[Draft]) -> Found {
    let path = &given.path;
    let Some(at) = main(address, given, drafts) else {
        return Err((
            "nothing here has fields that could be left alone".to_owned(),
            "remove `ignore`".to_owned(),
        ));
    };
    let draft = &drafts[at];
    let body = beneath(&draft.initial, &draft.body);
    let mut known = Vec::new();
    paths_of(&body, "", &mut known);
    if !kind.arm_type.is_empty() {
        let schema = entry_schema(kind);
        let definitions = schema["definitions"].as_object().cloned().unwrap_or_default();
        let within = if given.within.is_empty() { Vec::new() } else { segments(&given.within).collect() };
        fields_at(&schema, &definitions, &within, 0, &mut |name| known.push(name.to_owned()));
    }
    known.extend(
        ["tags".to_owned(), "location".to_owned()].into_iter().filter(|name| body.get(name).is_some()),
    );
    let help = match did_you_mean(path, known.iter().map(String::as_str)) {
        Some(near) => format!("did you mean `{near}`?"),
        None => "write a field of this entry or part, or Azure's own as the plan shows it".to_owned(),
    };
    Err((format!("`{path}` is not a field that this entry sets, so ignoring it would do nothing"), help))
}

fn part_of_list(given: &Given, list: &FieldPath) -> Wrong {
    let above = given.path.rsplit_once('.').map_or(given.path.as_str(), |(above, _)| above);
    (
        format!(
            "`{}` is part of a list that Azure keeps whole (`{list}`), and cannot be left alone by itself",
            given.path
        ),
        format!("write `{above}`: the list as a whole is then set once and left alone"),
    )
}

/// The paths at which two bodies differ. An array of which something stays is refused: its elements have no paths.
fn differ(
    one: &Value,
    other: &Value,
    at: &mut Vec<String>,
    paths: &mut Vec<FieldPath>,
) -> Result<(), FieldPath> {
    match (one, other) {
        (Value::Object(a), Value::Object(b)) => {
            let names = a.keys().chain(b.keys().filter(|name| !a.contains_key(*name)));
            for name in names {
                at.push(name.clone());
                let null = &Value::Null;
                differ(a.get(name).unwrap_or(null), b.get(name).unwrap_or(null), at, paths)?;
                at.pop();
            }
        }
        (Value::Array(a), Value::Array(b)) if a != b && a.iter().any(Value::is_object) => {
            let path = FieldPath::new(at.iter().cloned());
            if a.iter().any(|item| b.contains(item)) {
                return Err(path);
            }
            paths.push(path);
        }
        _ if one != other => paths.push(FieldPath::new(at.iter().cloned())),
        _ => {}
    }
    Ok(())
}

/// Another value of the same form, when one can be made up.
fn other_than(value: &Value) -> Option<Value> {
    Some(match value {
        Value::Bool(on) => (!on).into(),
        Value::Number(number) => (number.as_i64()? + 1).into(),
        Value::String(text) => format!("{text}1").into(),
        _ => return None,
    })
}

/// The dotted paths of every member of a body.
fn paths_of(value: &Value, at: &str, found: &mut Vec<String>) {
    for (name, member) in value.as_object().into_iter().flatten() {
        let path = join(at, name);
        paths_of(member, &path, found);
        if let Some(short) = path.strip_prefix("properties.") {
            found.push(short.to_owned());
        }
        found.push(path);
    }
}

/// Whether the entries of a kind have this field.
fn has_field(kind: &Kind, path: &str) -> bool {
    let schema = entry_schema(kind);
    let definitions = schema["definitions"].as_object().cloned().unwrap_or_default();
    let (above, last) = match crate::ident::above(path) {
        Some((above, last)) => (segments(above).collect(), last),
        None => (Vec::new(), path),
    };
    // Every entry may have tags.
    let mut found = path == "tags" || path.starts_with("tags.");
    fields_at(&schema, &definitions, &above, 0, &mut |name| found |= name == last || name == "*");
    found
}

/// Calls `each` with the names of the fields at a path of a schema, `*` where any key may be.
fn fields_at(
    schema: &Value,
    definitions: &Map<String, Value>,
    path: &[&str],
    depth: usize,
    each: &mut dyn FnMut(&str),
) {
    // Types that hold themselves are not followed for ever.
    if depth > 64 {
        return;
    }
    let target = schema["$ref"].as_str().and_then(|path| definitions.get(path.rsplit('/').next()?));
    if let Some(target) = target {
        return fields_at(target, definitions, path, depth + 1, each);
    }
    for several in ["anyOf", "allOf", "oneOf"] {
        for one in schema[several].as_array().into_iter().flatten() {
            fields_at(one, definitions, path, depth + 1, each);
        }
    }
    let own = schema["properties"].as_object();
    let any = schema.get("additionalProperties").filter(|any| any.is_object());
    match path.split_first() {
        None => {
            own.into_iter().flatten().for_each(|(name, _)| each(name));
            any.iter().for_each(|_| each("*"));
        }
        Some((name, rest)) => {
            if let Some(below) = own.and_then(|own| own.get(*name)).or(any) {
                fields_at(below, definitions, rest, depth + 1, each);
            }
        }
    }
}

fn join(above: &str, name: &str) -> String {
    match (above, name) {
        ("", name) => name.to_owned(),
        (above, "") => above.to_owned(),
        (above, name) => format!("{above}.{name}"),
    }
}

#[cfg(test)]
mod tests {
    use crate::blueprint::tests::read;
    use serde_json::{Value, json};

    const HUB: &str = "\
networks:
  hub: { addressSpace: [10.20.0.0/16], tags: { a.b: x, team: y }, ignore: [tags.a.b], subnets: { nodes: { prefix: 10.20.0.0/20 } } }
clusters:
  aks:
    ignore: [network.outboundType, nodePools.extra.labels]
    subnet: ${networks.hub.subnets.nodes}
    network: { outboundType: loadBalancer }
    nodePools:
      system: { mode: System, count: 2, vmSize: Standard_D4s_v5, ignore: [count, vmSize] }
      extra: { count: 2, vmSize: Standard_D4s_v5, labels: { a: b }, ignore: properties.count }
networkSecurityGroups:
  nsg: { ignore: [rules], rules: { web: { priority: 100, ports: [443], direction: Inbound, access: Allow, from: Internet } } }
resources:
  gw: { type: Microsoft.Network/applicationGateways, apiVersion: '2025-05-01', name: gw, ignore: [body.properties.backendAddressPools, tags], body: { location: westeurope, properties: { backendAddressPools: [], sku: { name: WAF_v2 } } } }
";

    /// The body of a resource and what of it is set once.
    fn body(text: &str, address: &str) -> (Value, Value) {
        let blueprint = read(&[("b.yaml", text)]).unwrap();
        let desired = blueprint.desired;
        let resource = &desired.resources[desired.by_address[address]];
        ((*resource.body).clone(), (*resource.initial).clone())
    }

    #[test]
    fn fields_are_given_away_by_the_blueprints_names_and_by_azures() {
        let (hub, once) = body(HUB, "networks.hub");
        assert_eq!((&hub["tags"]["team"], &once["tags"]), (&json!("y"), &json!({ "a.b": "x" })));
        let (cluster, once) = body(HUB, "clusters.aks");
        assert_eq!(cluster["properties"]["networkProfile"].get("outboundType"), None);
        assert_eq!(once["properties"]["networkProfile"]["outboundType"], json!("loadBalancer"));
        let (pool, once) = body(HUB, "clusters.aks.nodePools.system");
        assert_eq!((pool["properties"].get("count"), pool["properties"].get("vmSize")), (None, None));
        assert_eq!(
            (&once["properties"]["count"], &once["properties"]["vmSize"]),
            (&json!(2), &json!("Standard_D4s_v5"))
        );
        let (pool, once) = body(HUB, "clusters.aks.nodePools.extra");
        assert_eq!((pool["properties"].get("count"), pool["properties"].get("nodeLabels")), (None, None));
        assert_eq!(once["properties"]["nodeLabels"], json!({ "a": "b" }));
        let (rules, once) = body(HUB, "networkSecurityGroups.nsg");
        assert_eq!(rules["properties"].get("securityRules"), None);
        assert_eq!(once["properties"]["securityRules"].as_array().map(Vec::len), Some(1));
        let (gateway, once) = body(HUB, "resources.gw");
        assert_eq!(gateway["properties"], json!({ "sku": { "name": "WAF_v2" } }));
        assert_eq!(once["properties"], json!({ "backendAddressPools": [] }));
    }

    #[test]
    fn the_owners_tag_is_never_given_away() {
        let text = HUB.replace("ignore: [tags.a.b]", "ignore: [tags]");
        let (hub, once) = body(&text, "networks.hub");
        assert!(hub["tags"]["berth-blueprint"].is_string());
        assert_eq!(once["tags"], json!({ "a.b": "x", "team": "y" }));
    }

    #[test]
    fn a_path_that_leads_nowhere_is_an_error_at_its_place() {
        for (from, to, told) in [
            (
                "[count, vmSize]",
                "[cuont]",
                "b.yaml:11:75 `cuont` is not a field that this entry sets, so ignoring it would do nothing",
            ),
            (
                "[count, vmSize]",
                "[count, properties.countt]",
                "b.yaml:11:82 `properties.countt` is not a field that this entry sets, so ignoring it would do nothing",
            ),
            ("[count, vmSize]", "3", "b.yaml:11:74 `ignore` must be a list of paths"),
            (
                "network.outboundType, nodePools.extra.labels",
                "network.outbound",
                "b.yaml:7:14 `network.outbound` is not a field that this entry sets, so ignoring it would do nothing",
            ),
            (
                "network.outboundType, nodePools.extra.labels",
                "nodePools.extra",
                "b.yaml:7:14 `nodePools.extra` is a resource of its own, and cannot be left alone as a field",
            ),
            (
                "body.properties.backendAddressPools",
                "properties.backendPools",
                "b.yaml:16:99 `properties.backendPools` is not a field that this entry sets, so ignoring it would do nothing",
            ),
        ] {
            assert_eq!(read(&[("b.yaml", &HUB.replace(from, to))]).unwrap_err(), [told], "{to}");
        }
        let two = HUB.replace("[rules]", "[rules.web]").replace(
            "rules: { web:",
            "rules: { all: { priority: 200, ports: [80], direction: Inbound, access: Allow, from: Internet }, web:",
        );
        let told = read(&[("b.yaml", &two)]).unwrap_err();
        assert!(told[0].contains("is part of a list that Azure keeps whole"), "{told:?}");
        // A field that is not written is left alone anyway.
        read(&[("b.yaml", &HUB.replace("[count, vmSize]", "[labels, autoscale.max, labels.x]"))]).unwrap();
    }
}

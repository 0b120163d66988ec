//! How grave it is when somebody else changes a field.

use super::ResourceType;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value;

/// How grave a drift is.
#[derive(
    Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema,
)]
#[serde(rename_all = "lowercase")]
pub enum Severity {
    /// Nothing works differently: a tag, a description.
    Low,
    /// Something may work differently.
    #[default]
    Medium,
    /// Access, routes or protection changed, or something is gone.
    High,
    /// Something was opened to the internet or to everybody, or data may be lost.
    Critical,
}

impl Severity {
    /// Every severity, the worst first.
    pub const ALL: [Severity; 4] = [Severity::Critical, Severity::High, Severity::Medium, Severity::Low];

    /// The severity as one word.
    pub const fn word(self) -> &'static str {
        match self {
            Severity::Low => "low",
            Severity::Medium => "medium",
            Severity::High => "high",
            Severity::Critical => "critical",
        }
    }
}

/// Which changes of a field a [`Weight`] is about.
#[derive(Debug, Clone, Copy)]
pub enum Turn {
    /// Every change.
    Any,
    /// A change to this value: a text in any case, `true`, `false`, or `[]` for an empty list.
    To(&'static str),
    /// A change that puts something into a list that was not asked for.
    Grows,
    /// A change for which this holds of what was asked for and what is there.
    Where(fn(expected: &Value, actual: &Value) -> bool),
}

/// How grave changes of a field are.
#[derive(Debug, Clone, Copy)]
pub struct Weight {
    /// The path of the field, or of what is around it: `properties.networkAcls`.
    pub path: &'static str,
    /// Which changes.
    pub turn: Turn,
    /// How grave they are.
    pub severity: Severity,
    /// What such a change means, for documentation.
    pub about: &'static str,
}

impl Weight {
    /// A weight.
    pub const fn new(path: &'static str, turn: Turn, severity: Severity, about: &'static str) -> Self {
        Weight { path, turn, severity, about }
    }
}

/// What holds for every type, unless the type says something graver.
pub const COMMON: &[Weight] = &[
    Weight::new("tags", Turn::Any, Severity::Low, "tags are words"),
    Weight::new("properties.description", Turn::Any, Severity::Low, "a description is words"),
    Weight::new("properties.displayName", Turn::Any, Severity::Low, "a name for people is words"),
    Weight::new(
        "properties.publicNetworkAccess",
        Turn::To("Enabled"),
        Severity::Critical,
        "opened to the internet",
    ),
    Weight::new(
        "properties.networkAcls.defaultAction",
        Turn::To("Allow"),
        Severity::Critical,
        "opened to every network",
    ),
    Weight::new("properties.networkAcls.ipRules", Turn::Grows, Severity::High, "let in further addresses"),
    Weight::new(
        "properties.networkAcls.virtualNetworkRules",
        Turn::Grows,
        Severity::High,
        "let in further networks",
    ),
    Weight::new(
        "properties.allowBlobPublicAccess",
        Turn::To("true"),
        Severity::Critical,
        "opened to everybody",
    ),
    Weight::new("properties.minimumTlsVersion", Turn::Any, Severity::High, "takes other versions of TLS"),
    Weight::new(
        "properties.disableLocalAuth",
        Turn::To("false"),
        Severity::High,
        "takes keys beside identities",
    ),
    Weight::new("identity", Turn::Any, Severity::High, "acts as somebody else"),
    Weight::new(
        "properties.privateLinkServiceConnections",
        Turn::Any,
        Severity::High,
        "traffic takes another way, or none",
    ),
    Weight::new(
        "properties.manualPrivateLinkServiceConnections",
        Turn::Any,
        Severity::High,
        "traffic takes another way, or none",
    ),
    Weight::new("connections", Turn::Any, Severity::High, "somebody is let in, or cut off"),
];

/// How grave it is that this field of a type is not as it was asked for.
pub fn severity(kind: Option<&ResourceType>, path: &str, expected: &Value, actual: &Value) -> Severity {
    let own = kind.map_or(&[][..], |kind| kind.severity);
    let path = plain(path);
    let all = own.iter().chain(COMMON);
    let found = all.filter(|weight| applies(weight, &path, expected, actual));
    found.map(|weight| weight.severity).max().unwrap_or_default()
}

/// How grave it is that one of a type is gone.
pub fn severity_of_loss(kind: Option<&ResourceType>) -> Severity {
    match kind.is_some_and(|kind| kind.stateful) {
        true => Severity::Critical,
        false => Severity::High,
    }
}

fn applies(weight: &Weight, path: &str, expected: &Value, actual: &Value) -> bool {
    let wanted = weight.path.to_lowercase();
    // A change of something inside, or of something around it in which it became different.
    let (expected, actual) = if under(path, &wanted) {
        (Some(expected), Some(actual))
    } else if under(&wanted, path) {
        let inside = &wanted[path.len()..];
        let (was, is) = (inner(expected, inside), inner(actual, inside));
        if was == is {
            return false;
        }
        (was, is)
    } else {
        return false;
    };
    let nothing = Value::Null;
    let (expected, actual) = (expected.unwrap_or(&nothing), actual.unwrap_or(&nothing));
    match weight.turn {
        Turn::Any => true,
        Turn::To("[]") => actual.as_array().is_none_or(Vec::is_empty),
        Turn::To(value) => match actual {
            Value::String(text) => text.eq_ignore_ascii_case(value),
            other => other.to_string().as_str() == value,
        },
        Turn::Grows => match (expected.as_array(), actual.as_array()) {
            (was, Some(is)) => is.iter().any(|item| !was.is_some_and(|was| was.contains(item))),
            // A change inside of one of the elements, or one element that is there and was not asked for.
            _ => !actual.is_null(),
        },
        Turn::Where(holds) => holds(expected, actual),
    }
}

fn under(path: &str, above: &str) -> bool {
    path.strip_prefix(above).is_some_and(|rest| rest.is_empty() || rest.starts_with('.'))
}

fn inner<'v>(value: &'v Value, path: &str) -> Option<&'v Value> {
    path.split('.').filter(|name| !name.is_empty()).try_fold(value, |value, name| {
        value.as_object()?.iter().find(|(own, _)| own.to_lowercase() == name).map(|(_, member)| member)
    })
}

/// A path in lower case, without places in lists and names in quotes.
fn plain(path: &str) -> String {
    let mut out = String::with_capacity(path.len());
    let mut depth = 0;
    for c in path.chars() {
        match c {
            '[' => depth += 1,
            ']' if depth > 0 => depth -= 1,
            c if depth == 0 => out.extend(c.to_lowercase()),
            _ => {}
        }
    }
    out
}

/// Whether a rule of a firewall lets the whole internet in, that was not asked for.
pub(crate) fn opens_to_internet(expected: &Value, actual: &Value) -> bool {
    fn open(rule: &Value) -> bool {
        let properties = rule.get("properties").unwrap_or(rule);
        let text = |name: &str| properties.get(name).and_then(Value::as_str).unwrap_or_default();
        let anywhere = |source: &str| {
            ["*", "internet", "0.0.0.0/0", "::/0", "any"].contains(&source.to_lowercase().as_str())
        };
        let list = properties.get("sourceAddressPrefixes").and_then(Value::as_array);
        let mut sources =
            list.into_iter().flatten().filter_map(Value::as_str).chain([text("sourceAddressPrefix")]);
        text("access").eq_ignore_ascii_case("Allow")
            && text("direction").eq_ignore_ascii_case("Inbound")
            && sources.any(anywhere)
    }
    fn rules(value: &Value) -> Vec<&Value> {
        match value {
            Value::Array(items) => items.iter().collect(),
            other => vec![other],
        }
    }
    let before: Vec<&Value> = rules(expected);
    rules(actual).into_iter().any(|rule| open(rule) && !before.contains(&rule))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::catalog::resource_type;
    use serde_json::json;

    #[test]
    fn opened_is_graver_than_changed_and_a_tag_is_not() {
        let vault = resource_type("Microsoft.KeyVault/vaults");
        let group = resource_type("Microsoft.Network/networkSecurityGroups");
        let cluster = resource_type("Microsoft.ContainerService/managedClusters");
        let rule = |source: &str| json!([{ "name": "web", "properties": { "access": "Allow", "direction": "Inbound", "sourceAddressPrefix": source } }]);
        for (kind, path, expected, actual, severity) in [
            (vault, "tags.team", json!("a"), json!("b"), Severity::Low),
            (vault, "tags[\"a.b\"]", json!("a"), json!("b"), Severity::Low),
            (
                vault,
                "properties.publicNetworkAccess",
                json!("Disabled"),
                json!("enabled"),
                Severity::Critical,
            ),
            (vault, "properties.publicNetworkAccess", json!("Enabled"), json!("Disabled"), Severity::Medium),
            (
                vault,
                "properties.networkAcls",
                json!({ "defaultAction": "Deny" }),
                json!({ "defaultAction": "Allow" }),
                Severity::Critical,
            ),
            (
                vault,
                "properties.networkAcls",
                json!({ "defaultAction": "Deny", "bypass": "None" }),
                json!({ "defaultAction": "Deny" }),
                Severity::Medium,
            ),
            (
                vault,
                "properties.networkAcls.ipRules",
                json!([{ "value": "1.1.1.1" }]),
                json!([]),
                Severity::Medium,
            ),
            (
                vault,
                "properties.networkAcls.ipRules",
                json!([]),
                json!([{ "value": "1.1.1.1" }]),
                Severity::High,
            ),
            (group, "properties.securityRules", rule("10.0.0.0/8"), rule("*"), Severity::Critical),
            (group, "properties.securityRules", rule("*"), rule("10.0.0.0/8"), Severity::High),
            (
                group,
                "properties.securityRules[web].properties",
                rule("10.0.0.0/8")[0]["properties"].clone(),
                rule("Internet")[0]["properties"].clone(),
                Severity::Critical,
            ),
            (
                cluster,
                "properties.apiServerAccessProfile.authorizedIPRanges",
                json!(["1.1.1.1/32"]),
                json!([]),
                Severity::Critical,
            ),
            (cluster, "properties.disableLocalAccounts", json!(true), json!(false), Severity::High),
            (cluster, "properties.kubernetesVersion", json!("1.32"), json!("1.33"), Severity::Medium),
            (None, "properties.allowBlobPublicAccess", json!(false), json!(true), Severity::Critical),
            (None, "properties.anything", json!(1), json!(2), Severity::Medium),
        ] {
            assert_eq!(
                self::severity(kind, path, &expected, &actual),
                severity,
                "{path}: {expected} → {actual}"
            );
        }
        assert_eq!(severity_of_loss(vault), Severity::Critical);
        assert_eq!(severity_of_loss(group), Severity::High);
    }

    /// A weight on a path that no body has would never tell anything.
    #[test]
    fn paths_are_written_as_bodies_have_them() {
        let all =
            crate::catalog::registry().iter().flat_map(|kind| kind.types).flat_map(|kind| kind.severity);
        for weight in all.chain(COMMON) {
            assert!(!weight.path.is_empty() && !weight.path.contains(['[', ' ', '/']), "{}", weight.path);
            assert!(!weight.about.is_empty(), "{}", weight.path);
        }
    }
}

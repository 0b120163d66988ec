//! Container registries: `Microsoft.ContainerRegistry/registries`
//! (<https://learn.microsoft.com/azure/templates/microsoft.containerregistry/registries>).

use super::addresses::public_range;
use super::naming::{NameRule, alphanumeric};
use super::parts::{SYSTEM_IDENTITY, identity, known_part, members, switch, within};
use super::role_assignment::{PrincipalType, given};
use crate::catalog::{
    Draft, EntryCx, EntryKind, Facet, Lane, Named, Nested, Preflight, Problem, Reference, ResourceType,
    UpdateMode,
};
use crate::diag::Code;
use crate::value::Rule;
use crate::value::token::{display_text, has_token};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use std::time::Duration;

/// A container registry.
pub struct ContainerRegistry;

/// A container registry.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub struct Spec {
    /// `Basic`, `Standard`, or `Premium`, which private endpoints, `publicAccess: false` and replications need. A new
    /// registry is `Premium` when absent.
    sku: Option<Sku>,
    /// Whether the registry answers on public networks; `false` leaves private endpoints only. Azure's default (`true`) when
    /// absent.
    public_access: Option<bool>,
    /// Whether there is a user with a password who may do everything. A new registry has none when absent.
    admin_user: Option<bool>,
    /// Whether pulling needs no sign-in; Azure's default (`false`) when absent.
    anonymous_pull: Option<bool>,
    /// Whether it is spread over availability zones; Azure's default (`false`) when absent. Never changes.
    zone_redundant: Option<bool>,
    /// Whether layers come from a host name of their own in each region, which firewalls can tell; Azure's default (`false`)
    /// when absent.
    data_endpoint: Option<bool>,
    /// Public addresses and CIDR blocks that are let in; with any in it, everybody else is refused.
    #[serde(default)]
    allowed_ips: Vec<String>,
    /// Whether Azure's own services pass all the same; Azure's default (`true`) when absent.
    trusted_services: Option<bool>,
    /// After how many days manifests without a tag are deleted; never when absent.
    retention_days: Option<i64>,
    /// Whether images can be exported to other registries; Azure's default (`true`) when absent. `false` needs
    /// `publicAccess: false`.
    exports: Option<bool>,
    /// The identities with which the registry acts: `system`, and user-assigned ones.
    #[serde(default)]
    #[schemars(extend("x-wants" = "identity"))]
    identities: Vec<Reference>,
    /// Images of other registries that this one keeps copies of, by name.
    #[serde(default)]
    cache_rules: Named<CacheRuleSpec>,
    /// Who is called when an image comes or goes, by name.
    #[serde(default)]
    webhooks: Named<WebhookSpec>,
    /// What tokens may do, by name.
    #[serde(default)]
    scope_maps: Named<ScopeMapSpec>,
    /// Users with passwords that Azure makes on request, for what has no identity. berth makes no password.
    #[serde(default)]
    tokens: Named<TokenSpec>,
    /// Clusters whose nodes may pull: each node identity gets the role AcrPull on the registry.
    #[serde(default)]
    #[schemars(extend("x-wants" = "cluster"))]
    attach: Vec<Reference>,
    /// Copies in other regions; the key is the region.
    #[serde(default)]
    replications: Named<ReplicationSpec>,
}

/// The edition of a registry.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub enum Sku {
    /// The smallest.
    Basic,
    /// More room and speed.
    Standard,
    /// Also private link, replications and zones.
    Premium,
}

/// A copy in another region.
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub struct ReplicationSpec {
    /// The Azure name, which is that of the region; the key when absent.
    name: Option<String>,
    /// Whether it is spread over availability zones; Azure's default (`false`) when absent. Never changes.
    zone_redundant: Option<bool>,
    /// Whether requests of its region are sent to it; Azure's default (`true`) when absent.
    endpoint: Option<bool>,
}

/// Images of another registry that this one keeps copies of.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub struct CacheRuleSpec {
    /// The Azure name; the key when absent. 5 to 50 letters, digits, `-` and `_`.
    name: Option<String>,
    /// The repository there, such as `mcr.microsoft.com/azurelinux/*`. Never changes.
    source: String,
    /// The repository here, such as `azurelinux/*`. Never changes.
    target: String,
}

/// Who is called when an image comes or goes.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub struct WebhookSpec {
    /// The Azure name; the key when absent. 5 to 50 letters and digits.
    name: Option<String>,
    /// The URL that is called. Azure never shows it; when it has a key in it, write a parameter with `secret: true`.
    url: String,
    /// What it is called for.
    actions: Vec<WebhookAction>,
    /// The repository and tag that it is about, such as `shop:*`; everything when absent.
    scope: Option<String>,
    /// Whether it is on; Azure's default (`true`) when absent.
    enabled: Option<bool>,
}

/// What somebody is called for.
#[derive(Debug, Clone, Copy, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum WebhookAction {
    /// An image was pushed.
    Push,
    /// An image was deleted.
    Delete,
    /// An image was quarantined.
    Quarantine,
    /// A chart was pushed.
    ChartPush,
    /// A chart was deleted.
    ChartDelete,
}

/// What tokens may do.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub struct ScopeMapSpec {
    /// The Azure name; the key when absent. 5 to 50 letters, digits, `-` and `_`.
    name: Option<String>,
    /// What is allowed on which repositories, such as `repositories/shop/content/read`.
    actions: Vec<String>,
    /// What it is for.
    description: Option<String>,
}

/// A user with passwords that Azure makes on request.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub struct TokenSpec {
    /// The Azure name; the key when absent. 5 to 50 letters, digits, `-` and `_`.
    name: Option<String>,
    /// The key of the scope map that says what it may do.
    scope_map: String,
    /// Whether it signs in; Azure's default (`true`) when absent.
    enabled: Option<bool>,
}

const REGISTRIES: &str = "Microsoft.ContainerRegistry/registries";
const API_VERSION: &str = "2025-11-01";

/// The registry.
pub static CONTAINER_REGISTRY: ResourceType = ResourceType {
    stateful: true,
    update: UpdateMode::Patch,
    lanes: &[Lane::Ancestor(REGISTRIES)],
    rules: &[
        Rule::at("sku.name").fold_case(),
        Rule::at("sku.tier").read_only(),
        Rule::at("identity.type").fold_case().default("\"None\""),
        Rule::at("identity.userAssignedIdentities").map(),
        Rule::at("properties.adminUserEnabled").default("false"),
        Rule::at("properties.anonymousPullEnabled").default("false"),
        Rule::at("properties.publicNetworkAccess").fold_case().default("\"Enabled\""),
        Rule::at("properties.networkRuleBypassOptions").fold_case().default("\"AzureServices\""),
        Rule::at("properties.networkRuleSet.defaultAction").fold_case().default("\"Allow\""),
        Rule::at("properties.networkRuleSet.ipRules").set().default("[]"),
        Rule::at("properties.networkRuleSet.ipRules[].value").cidr(),
        Rule::at("properties.networkRuleSet.ipRules[].action").fold_case().default("\"Allow\""),
        Rule::at("properties.zoneRedundancy").fold_case().immutable().default("\"Disabled\""),
        Rule::at("properties.dataEndpointEnabled").default("false"),
        Rule::at("properties.policies.retentionPolicy.status").fold_case().default("\"disabled\""),
        Rule::at("properties.policies.retentionPolicy.days").default("7"),
        Rule::at("properties.policies.retentionPolicy.lastUpdatedTime").read_only(),
        Rule::at("properties.policies.exportPolicy.status").fold_case().default("\"enabled\""),
        Rule::at("properties.policies.softDeletePolicy").read_only(),
        Rule::at("properties.encryption.keyVaultProperties.keyRotationEnabled").read_only(),
        Rule::at("properties.encryption.keyVaultProperties.lastKeyRotationTimestamp").read_only(),
        Rule::at("properties.encryption.keyVaultProperties.versionedKeyIdentifier").read_only(),
        Rule::at("properties.loginServer").read_only(),
        Rule::at("properties.creationDate").read_only(),
        Rule::at("properties.status").read_only(),
        Rule::at("properties.dataEndpointHostNames").read_only(),
        Rule::at("properties.privateEndpointConnections").read_only(),
    ],
    facets: &[
        Facet::new("loginServer", "/properties/loginServer", "the host name that images are named by"),
        Facet::new("principalId", "/identity/principalId", "the object id of its system-assigned identity")
            .given(&SYSTEM_IDENTITY),
    ],
    preflight: &[Preflight::Name {
        path: "Microsoft.ContainerRegistry/checkNameAvailability",
        api_version: API_VERSION,
    }],
    expected: Duration::from_secs(20),
    expected_update: Duration::from_secs(15),
    expected_delete: Duration::from_secs(20),
    ..ResourceType::new(REGISTRIES, API_VERSION, "container registry")
};

/// A copy in another region.
pub static REPLICATION: ResourceType = ResourceType {
    lanes: &[Lane::Ancestor(REGISTRIES)],
    rules: &[
        Rule::at("properties.zoneRedundancy").fold_case().immutable().default("\"Disabled\""),
        Rule::at("properties.regionEndpointEnabled").default("true"),
        Rule::at("properties.status").read_only(),
    ],
    expected: Duration::from_secs(60),
    expected_delete: Duration::from_secs(30),
    ..ResourceType::new("Microsoft.ContainerRegistry/registries/replications", API_VERSION, "replication")
};

const fn part(arm_type: &'static str, title: &'static str, rules: &'static [Rule]) -> ResourceType {
    ResourceType {
        tags: false,
        lanes: &[Lane::Ancestor(REGISTRIES)],
        rules,
        ..ResourceType::new(arm_type, API_VERSION, title)
    }
}

/// Images of another registry that this one keeps copies of.
pub static CACHE_RULE: ResourceType = part(
    "Microsoft.ContainerRegistry/registries/cacheRules",
    "cache rule of a registry",
    &[
        Rule::at("properties.sourceRepository").immutable(),
        Rule::at("properties.targetRepository").immutable(),
        Rule::at("properties.creationDate").read_only(),
    ],
);

/// Who is called when an image comes or goes.
pub static WEBHOOK: ResourceType = ResourceType {
    tags: true,
    ..part(
        "Microsoft.ContainerRegistry/registries/webhooks",
        "webhook of a registry",
        &[
            Rule::at("properties.serviceUri").write_only(),
            Rule::at("properties.customHeaders").write_only(),
            Rule::at("properties.actions").set(),
            Rule::at("properties.scope").default("\"\""),
            Rule::at("properties.status").fold_case().default("\"enabled\""),
        ],
    )
};

/// What tokens may do.
pub static SCOPE_MAP: ResourceType = part(
    "Microsoft.ContainerRegistry/registries/scopeMaps",
    "scope map of a registry",
    &[
        Rule::at("properties.actions").set(),
        Rule::at("properties.creationDate").read_only(),
        Rule::at("properties.type").read_only(),
    ],
);

/// A user with passwords that Azure makes on request.
pub static REGISTRY_TOKEN: ResourceType = part(
    "Microsoft.ContainerRegistry/registries/tokens",
    "token of a registry",
    &[
        Rule::at("properties.scopeMapId").fold_case(),
        Rule::at("properties.status").fold_case().default("\"enabled\""),
        Rule::at("properties.credentials").read_only(),
        Rule::at("properties.creationDate").read_only(),
    ],
);

const CODES: &[&Code] = &[&CONTAINER_REGISTRY_NAME, &CONTAINER_REGISTRY_PREMIUM, &CONTAINER_REGISTRY_ACCESS];

const CONTAINER_REGISTRY_NAME: Code = Code {
    name: "container-registry-name",
    why: "The name of a container registry is part of a DNS name that all of Azure shares.",
    remedy: "Use 5 to 50 letters and digits; `uniqueString` keeps it apart from others.",
    example: "name: crshop${uniqueString(azure.resourceGroup)}",
};

const NAME: NameRule = NameRule {
    code: &CONTAINER_REGISTRY_NAME,
    what: "a container registry",
    min: 5,
    max: 50,
    first: alphanumeric,
    inner: alphanumeric,
    last: alphanumeric,
    says: "5 to 50 letters and digits; names of registries are taken worldwide, so \
           `${uniqueString(azure.resourceGroup)}` helps",
};

const CONTAINER_REGISTRY_PREMIUM: Code = Code {
    name: "container-registry-premium",
    why: "Private link, rules about addresses, replications, zones, retention and data endpoints are for Premium registries.",
    remedy: "Write `sku: Premium`, or take the field out.",
    example: "containerRegistries: { shop: { name: crshop, sku: Premium, publicAccess: false } }",
};

const CONTAINER_REGISTRY_ACCESS: Code = Code {
    name: "container-registry-access",
    why: "Rules are about public addresses, exports are off only without public access, and clusters to attach are of the blueprint.",
    remedy: "Write it as the message says.",
    example: "allowedIps: [203.0.113.0/24]",
};

impl EntryKind for ContainerRegistry {
    const SECTION: &'static str = "containerRegistries";
    const TITLE: &'static str = "container registry";
    const ARM_TYPE: &'static str = REGISTRIES;
    const ABOUT: &'static str = "A container registry, its copies in other regions, and the clusters that pull from it. It \
        holds images: it is deleted or replaced only with `--allow-delete` or `--allow-replace`.";
    const EXAMPLE: &'static str = "\
parameters:
  scannerUrl: { type: string, secret: true }
containerRegistries:
  shop:
    name: crshop${uniqueString(azure.resourceGroup)}
    sku: Premium
    publicAccess: false
    identities: [system]
    zoneRedundant: true
    retentionDays: 30
    replications:
      northeurope: { endpoint: false }
    cacheRules:
      azurelinux: { source: mcr.microsoft.com/azurelinux/*, target: azurelinux/* }
    webhooks:
      scanner: { url: '${param.scannerUrl}', actions: [push], scope: 'shop:*' }
    scopeMaps:
      readers: { actions: [repositories/shop/content/read] }
    tokens:
      appliance: { scopeMap: readers }
";
    const TYPES: &'static [&'static ResourceType] =
        &[&CONTAINER_REGISTRY, &REPLICATION, &CACHE_RULE, &WEBHOOK, &SCOPE_MAP, &REGISTRY_TOKEN];
    const NESTED: &'static [Nested] = &[
        Nested::at("replications.*"),
        Nested::at("cacheRules.*"),
        Nested::at("webhooks.*"),
        Nested::at("scopeMaps.*"),
        Nested::at("tokens.*"),
    ];
    const CODES: &'static [&'static [&'static Code]] = &[CODES];
    type Spec = Spec;

    fn expand(spec: Spec, cx: &mut EntryCx<'_>) {
        spec.check(cx);
        let (name, address) = (cx.common.name.clone(), cx.address.clone());
        let registry = cx.id(REGISTRIES, &[&name]);
        let rules: Vec<Value> =
            spec.allowed_ips.iter().map(|ip| json!({ "action": "Allow", "value": ip })).collect();
        let retention = spec.retention_days.map(|days| json!({ "status": "enabled", "days": days }));
        let exports = spec.exports.map(|on| json!({ "status": if on { "enabled" } else { "disabled" } }));
        let policies = members([("retentionPolicy", retention), ("exportPolicy", exports)]);
        let bypass = |trusted: bool| Value::from(if trusted { "AzureServices" } else { "None" });
        let properties = members([
            ("adminUserEnabled", Some(spec.admin_user.unwrap_or(false).into())),
            ("anonymousPullEnabled", spec.anonymous_pull.map(Value::from)),
            ("publicNetworkAccess", spec.public_access.map(switch)),
            ("zoneRedundancy", spec.zone_redundant.map(switch)),
            ("dataEndpointEnabled", spec.data_endpoint.map(Value::from)),
            ("networkRuleBypassOptions", spec.trusted_services.map(bypass)),
            (
                "networkRuleSet",
                (!rules.is_empty()).then(|| json!({ "defaultAction": "Deny", "ipRules": rules })),
            ),
            ("policies", policies.as_object().is_some_and(|all| !all.is_empty()).then_some(policies.clone())),
        ]);
        let mut body = cx.tracked(properties);
        body["sku"] = json!({ "name": spec.sku() });
        if let Some(identity) = identity(&spec.identities, "SystemAssigned, UserAssigned") {
            body["identity"] = identity;
        }
        let unsaid =
            [("sku", spec.sku.is_none()), ("properties.adminUserEnabled", spec.admin_user.is_none())];
        cx.main(
            Draft::new(address.clone(), registry.as_str(), &CONTAINER_REGISTRY, body).initially_if(&unsaid),
        );
        for (key, replication) in &spec.replications {
            let region = replication.name.as_ref().unwrap_or(key);
            let mut body = cx.tracked(members([
                ("zoneRedundancy", replication.zone_redundant.map(switch)),
                ("regionEndpointEnabled", replication.endpoint.map(Value::from)),
            ]));
            body["location"] = region.as_str().into();
            let own = address.child("replications").child(key);
            let id = registry.child("replications", region);
            cx.also(Draft::new(own, id.as_str(), &REPLICATION, body).origin(format!("replications.{key}")));
        }
        for (key, rule) in &spec.cache_rules {
            let id = registry.child("cacheRules", rule.name.as_ref().unwrap_or(key));
            let body =
                json!({ "properties": { "sourceRepository": rule.source, "targetRepository": rule.target } });
            let own = address.child("cacheRules").child(key);
            cx.also(Draft::new(own, id.as_str(), &CACHE_RULE, body).origin(format!("cacheRules.{key}")));
        }
        let status = |on: bool| Value::from(if on { "enabled" } else { "disabled" });
        for (key, hook) in &spec.webhooks {
            let id = registry.child("webhooks", hook.name.as_ref().unwrap_or(key));
            let body = cx.tracked(members([
                ("serviceUri", Some(hook.url.clone().into())),
                ("actions", Some(json!(hook.actions))),
                ("scope", hook.scope.clone().map(Value::from)),
                ("status", hook.enabled.map(status)),
            ]));
            let own = address.child("webhooks").child(key);
            cx.also(Draft::new(own, id.as_str(), &WEBHOOK, body).origin(format!("webhooks.{key}")));
        }
        for (key, map) in &spec.scope_maps {
            let id = registry.child("scopeMaps", map.name.as_ref().unwrap_or(key));
            let body = json!({ "properties": members([
                ("description", map.description.clone().map(Value::from)),
                ("actions", Some(json!(map.actions))),
            ]) });
            let own = address.child("scopeMaps").child(key);
            cx.also(Draft::new(own, id.as_str(), &SCOPE_MAP, body).origin(format!("scopeMaps.{key}")));
        }
        for (key, token) in &spec.tokens {
            let id = registry.child("tokens", token.name.as_ref().unwrap_or(key));
            let map = spec.scope_maps.get(&token.scope_map).and_then(|map| map.name.as_ref());
            let map = registry.child("scopeMaps", map.unwrap_or(&token.scope_map));
            let body = json!({ "properties": members([
                ("scopeMapId", Some(map.as_str().into())),
                ("status", token.enabled.map(status)),
            ]) });
            let own = address.child("tokens").child(key);
            let map = address.child("scopeMaps").child(&token.scope_map);
            let draft = Draft::new(own, id.as_str(), &REGISTRY_TOKEN, body);
            cx.also(draft.needs(map.as_str()).origin(format!("tokens.{key}")));
        }
        for (index, cluster) in spec.attach.iter().enumerate().filter(|(_, cluster)| cluster.path().is_some())
        {
            let key = cluster.path().unwrap_or_default().rsplit('.').next().unwrap_or_default().to_owned();
            let pulls = cluster.facet("kubeletIdentity.principalId");
            let pulls = (pulls, Some(PrincipalType::ServicePrincipal));
            let own = address.child("attach").child(&key);
            let draft = given(own, "AcrPull", registry.as_str().to_owned(), pulls, cx);
            cx.also(draft.origin(format!("attach[{index}]")).needs(address.as_str()));
        }
    }
}

impl Spec {
    fn sku(&self) -> Sku {
        self.sku.unwrap_or(Sku::Premium)
    }

    fn check(&self, cx: &mut EntryCx<'_>) {
        NAME.check(&cx.common.name.clone(), "name", cx);
        within(self.retention_days, 0..=365, "retentionDays", cx);
        self.check_parts(cx);
        let premium = [
            ("publicAccess", self.public_access == Some(false)),
            ("zoneRedundant", self.zone_redundant == Some(true)),
            ("dataEndpoint", self.data_endpoint == Some(true)),
            ("allowedIps", !self.allowed_ips.is_empty()),
            ("retentionDays", self.retention_days.is_some()),
            ("exports", self.exports == Some(false)),
            ("replications", !self.replications.is_empty()),
        ];
        if self.sku() != Sku::Premium {
            for (field, _) in premium.iter().filter(|(_, said)| *said) {
                let message = format!("`{field}` is for Premium registries");
                let help = format!("write `sku: Premium`, or take `{field}` out");
                cx.problem(Problem::error(&CONTAINER_REGISTRY_PREMIUM, *field, message).help(help));
            }
        }
        if self.exports == Some(false) && self.public_access != Some(false) {
            let message = "exports can be off only while the registry does not answer on public networks";
            cx.problem(
                Problem::error(&CONTAINER_REGISTRY_ACCESS, "exports", message)
                    .help("write `publicAccess: false` too"),
            );
        }
        for (index, ip) in self.allowed_ips.iter().enumerate().filter(|(_, ip)| !has_token(ip)) {
            if let Err((message, help)) = public_range(ip) {
                let path = format!("allowedIps[{index}]");
                cx.problem(Problem::error(&CONTAINER_REGISTRY_ACCESS, path, message).help(help));
            }
        }
        for (index, cluster) in self.attach.iter().enumerate().filter(|(_, cluster)| cluster.path().is_none())
        {
            let message = format!(
                "`{}` is not a cluster of the blueprint, so the identity of its nodes is not known",
                display_text(&cluster.0)
            );
            cx.problem(
                Problem::error(&CONTAINER_REGISTRY_ACCESS, format!("attach[{index}]"), message)
                    .help("give that identity the role AcrPull in `roleAssignments`"),
            );
        }
    }
}

const PART: NameRule = NameRule {
    code: &CONTAINER_REGISTRY_NAME,
    what: "a part of a registry",
    min: 5,
    max: 50,
    first: alphanumeric,
    inner: |c| alphanumeric(c) || c == '-' || c == '_',
    last: alphanumeric,
    says: "5 to 50 letters, digits, `-` and `_`, a letter or digit at both ends",
};

impl Spec {
    fn check_parts(&self, cx: &mut EntryCx<'_>) {
        let rules = self.cache_rules.iter().map(|(key, rule)| ("cacheRules", key, &rule.name));
        let maps = self.scope_maps.iter().map(|(key, map)| ("scopeMaps", key, &map.name));
        let tokens = self.tokens.iter().map(|(key, token)| ("tokens", key, &token.name));
        for (list, key, name) in rules.chain(maps).chain(tokens) {
            PART.check(name.as_ref().unwrap_or(key), &format!("{list}.{key}"), cx);
        }
        for (key, hook) in &self.webhooks {
            let rule = NameRule { inner: alphanumeric, says: NAME.says, ..PART };
            rule.check(hook.name.as_ref().unwrap_or(key), &format!("webhooks.{key}"), cx);
            if !has_token(&hook.url) && !hook.url.starts_with("https://") {
                let message = "the URL is not one of HTTPS";
                cx.problem(
                    Problem::error(&CONTAINER_REGISTRY_ACCESS, format!("webhooks.{key}.url"), message)
                        .help("write one that begins with `https://`"),
                );
            }
        }
        for (key, token) in &self.tokens {
            known_part(
                &token.scope_map,
                self.scope_maps.keys(),
                &format!("tokens.{key}.scopeMap"),
                "scope map",
                cx,
            );
        }
        for (key, map) in &self.scope_maps {
            let bad = |action: &&String| !has_token(action) && !action.starts_with("repositories/");
            if let Some(action) = map.actions.iter().find(bad) {
                let message = format!("`{}` allows nothing on a repository", display_text(action));
                cx.problem(
                    Problem::error(&CONTAINER_REGISTRY_ACCESS, format!("scopeMaps.{key}.actions"), message)
                        .help("write one such as `repositories/shop/content/read`"),
                );
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::catalog::kinds::testing::{changes, codes, expand, reference, wants};

    #[test]
    fn a_registry_lets_the_nodes_of_its_clusters_pull() {
        let fields =
            json!({ "name": "crshop", "attach": [reference("clusters.aks")], "publicAccess": false });
        let (drafts, problems) = expand("containerRegistries", "shop", fields);
        assert_eq!(problems, []);
        let role = &drafts[1].body["properties"];
        assert_eq!(role["principalId"], wants("clusters.aks", "kubeletIdentity.principalId"));
        assert_eq!(drafts[1].address.as_str(), "containerRegistries.shop.attach.aks");
        assert_eq!(drafts[0].created()["sku"]["name"], "Premium");
    }

    #[test]
    fn what_azure_answers_is_no_change() {
        let fields = json!({ "name": "crshop", "sku": "Premium", "allowedIps": ["203.0.113.7/32"], "retentionDays": 30 });
        let (drafts, _) = expand("containerRegistries", "shop", fields);
        let live = json!({
            "location": "westeurope", "sku": { "name": "Premium", "tier": "Premium" },
            "properties": {
                "adminUserEnabled": true, "loginServer": "crshop.azurecr.io", "publicNetworkAccess": "Enabled",
                "networkRuleSet": { "defaultAction": "Deny", "ipRules": [{ "action": "Allow", "value": "203.0.113.7" }] },
                "policies": { "retentionPolicy": { "days": 30, "status": "enabled", "lastUpdatedTime": "x" } },
            },
        });
        assert_eq!(changes(&drafts[0], &live), [] as [&str; 0]);
    }

    #[test]
    fn refuses_what_azure_refuses() {
        for (fields, code) in [
            (json!({ "name": "cr-shop" }), "container-registry-name"),
            (
                json!({ "name": "crshop", "sku": "Basic", "publicAccess": false }),
                "container-registry-premium",
            ),
            (
                json!({ "name": "crshop", "sku": "Standard", "replications": { "northeurope": {} } }),
                "container-registry-premium",
            ),
            (json!({ "name": "crshop", "exports": false }), "container-registry-access"),
            (json!({ "name": "crshop", "tokens": { "appliance": { "scopeMap": "none" } } }), "unknown-part"),
            (
                json!({ "name": "crshop", "scopeMaps": { "readers": { "actions": ["read"] } } }),
                "container-registry-access",
            ),
            (
                json!({ "name": "crshop", "webhooks": { "scanner": { "url": "http://a", "actions": ["push"] } } }),
                "container-registry-access",
            ),
            (
                json!({ "name": "crshop", "cacheRules": { "a": { "source": "a/b", "target": "b" } } }),
                "container-registry-name",
            ),
            (json!({ "name": "crshop", "allowedIps": ["10.0.0.0/33"] }), "container-registry-access"),
            (
                json!({ "name": "crshop", "attach": ["/subscriptions/s/resourceGroups/g/providers/Microsoft.ContainerService/managedClusters/c"] }),
                "container-registry-access",
            ),
        ] {
            assert_eq!(codes(expand("containerRegistries", "shop", fields.clone())), [code], "{fields}");
        }
    }
}

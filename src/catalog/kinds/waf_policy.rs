//! Policies of web application firewalls, of Front Doors (`Microsoft.Network/FrontDoorWebApplicationFirewallPolicies`,
//! <https://learn.microsoft.com/azure/templates/microsoft.network/frontdoorwebapplicationfirewallpolicies>) and of application
//! gateways (`Microsoft.Network/ApplicationGatewayWebApplicationFirewallPolicies`). What both mean the same by has one form.

use super::front_door::spec::Sku;
use super::naming::{NETWORK, NameRule, alphanumeric};
use super::parts::{members, within};
use crate::catalog::{Draft, EntryCx, EntryKind, Lane, Merged, Named, Problem, ResourceType};
use crate::diag::Code;
use crate::value::Rule;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use std::time::Duration;

/// A policy of a web application firewall.
pub struct WafPolicy;

/// A policy of a web application firewall.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub struct Spec {
    /// What it guards: a Front Door (the default), or an application gateway.
    #[serde(default, rename = "for")]
    guards: Guards,
    /// For a Front Door: `Standard` or `Premium`, that of the Front Door; `Premium` when absent. Never changes.
    sku: Option<Sku>,
    /// Whether requests are refused (`Prevention`) or only noted (`Detection`); `Prevention` when absent.
    #[serde(default)]
    mode: Mode,
    /// Whether the policy is on; `true` when absent.
    #[serde(default = "yes")]
    enabled: bool,
    /// Whether the bodies of requests are looked at; Azure's default (`true`) when absent.
    check_bodies: Option<bool>,
    /// The status of a refusal; Azure's default (403) when absent.
    block_status: Option<i64>,
    /// Rules that Microsoft keeps. When absent, a new policy of a Premium Front Door has the default rule set 2.1, one of a
    /// gateway too; a Standard Front Door has none.
    managed_rules: Option<Vec<RuleSetSpec>>,
    /// Rules of one's own, by name.
    #[serde(default)]
    custom_rules: Named<CustomRuleSpec>,
}

fn yes() -> bool {
    true
}

/// What a policy guards.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub enum Guards {
    /// Front Doors.
    #[default]
    FrontDoor,
    /// Application gateways.
    ApplicationGateway,
}

/// What is done with a request that a rule is about.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub enum Mode {
    /// What its action says.
    #[default]
    Prevention,
    /// It is noted.
    Detection,
}

/// A set of rules that Microsoft keeps.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub struct RuleSetSpec {
    /// Its type: `Microsoft_DefaultRuleSet`, `Microsoft_BotManagerRuleSet`, or `OWASP` for a gateway.
    #[serde(rename = "type")]
    kind: String,
    /// Its version, such as `2.1`.
    version: String,
    /// For a Front Door: what is done with a request that it finds; `Block` when absent.
    #[serde(default)]
    action: SetAction,
}

/// What is done with a request that a managed rule finds.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub enum SetAction {
    /// It is refused.
    #[default]
    Block,
    /// It is noted.
    Log,
    /// It is sent elsewhere.
    Redirect,
}

/// A rule of one's own.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub struct CustomRuleSpec {
    /// Rules are tried by this number, the lowest first.
    priority: i64,
    /// What is done with a request for which all conditions hold.
    action: Action,
    /// The conditions.
    #[serde(rename = "match")]
    conditions: Vec<ConditionSpec>,
    /// Only from so many requests on: a limit of their rate.
    rate_limit: Option<RateLimitSpec>,
    /// Whether the rule is on; Azure's default (`true`) when absent.
    enabled: Option<bool>,
}

/// What is done with a request.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub enum Action {
    /// It is let in, whatever other rules say.
    Allow,
    /// It is refused.
    Block,
    /// It is noted, and further rules are tried.
    Log,
    /// It is sent elsewhere; of Front Doors only.
    Redirect,
    /// The browser has to prove that it is one.
    JSChallenge,
}

/// A condition.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub struct ConditionSpec {
    /// What is looked at, such as `RemoteAddr`, `RequestUri` or `RequestHeader` (of a gateway in the plural).
    variable: String,
    /// Which of them: the name of a header, a cookie or a parameter.
    selector: Option<String>,
    /// How it is compared, such as `IPMatch`, `Contains` or `BeginsWith`.
    operator: String,
    /// With what; one of them has to match.
    #[serde(default)]
    values: Vec<String>,
    /// Whether the condition holds when nothing matches; Azure's default (`false`) when absent.
    not: Option<bool>,
    /// What is done with the text before, such as `Lowercase`.
    #[serde(default)]
    transforms: Vec<String>,
}

/// A limit of a rate.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub struct RateLimitSpec {
    /// How many requests of one client are let in.
    threshold: i64,
    /// Within how many minutes: 1 or 5; 1 when absent.
    minutes: Option<i64>,
}

const FRONT_DOOR_POLICIES: &str = "Microsoft.Network/FrontDoorWebApplicationFirewallPolicies";
const GATEWAY_POLICIES: &str = "Microsoft.Network/ApplicationGatewayWebApplicationFirewallPolicies";

/// A policy of a Front Door.
pub static FRONT_DOOR_POLICY: ResourceType = ResourceType {
    lanes: &[Lane::Ancestor(FRONT_DOOR_POLICIES)],
    rules: &[
        Rule::at("sku.name").fold_case().immutable(),
        Rule::at("properties.policySettings.enabledState").fold_case().default("\"Enabled\""),
        Rule::at("properties.policySettings.mode").fold_case().default("\"Prevention\""),
        Rule::at("properties.policySettings.requestBodyCheck").fold_case().default("\"Enabled\""),
        Rule::at("properties.policySettings.customBlockResponseStatusCode").default("403"),
        Rule::at("properties.customRules.rules").keyed("name").alike(),
        Rule::at("properties.customRules.rules[].enabledState").fold_case().default("\"Enabled\""),
        Rule::at("properties.customRules.rules[].matchConditions[].matchValue").set(),
        Rule::at("properties.customRules.rules[].matchConditions[].negateCondition").default("false"),
        Rule::at("properties.managedRules.managedRuleSets").keyed("ruleSetType"),
        Rule::at("properties.frontendEndpointLinks").read_only(),
        Rule::at("properties.routingRuleLinks").read_only(),
        Rule::at("properties.securityPolicyLinks").read_only(),
        Rule::at("properties.resourceState").read_only(),
    ],
    expected: Duration::from_secs(20),
    expected_update: Duration::from_secs(20),
    ..ResourceType::new(FRONT_DOOR_POLICIES, "2025-11-01", "WAF policy")
};

/// A policy of a gateway.
pub static GATEWAY_POLICY: ResourceType = ResourceType {
    lanes: &[Lane::Ancestor(GATEWAY_POLICIES)],
    rules: &[
        Rule::at("properties.policySettings.state").fold_case().default("\"Enabled\""),
        Rule::at("properties.policySettings.mode").fold_case().default("\"Prevention\""),
        Rule::at("properties.policySettings.requestBodyCheck").default("true"),
        Rule::at("properties.policySettings.customBlockResponseStatusCode").default("403"),
        Rule::at("properties.customRules").keyed("name").alike(),
        Rule::at("properties.customRules[].state").fold_case().default("\"Enabled\""),
        Rule::at("properties.customRules[].etag").read_only(),
        Rule::at("properties.customRules[].matchConditions[].matchValues").set(),
        Rule::at("properties.customRules[].matchConditions[].negationConditon").default("false"),
        Rule::at("properties.managedRules.managedRuleSets").keyed("ruleSetType"),
        Rule::at("properties.applicationGateways").read_only(),
        Rule::at("properties.applicationGatewayForContainers").read_only(),
        Rule::at("properties.managedRules.managedRuleSets[].computedDisabledRules").read_only(),
        Rule::at("properties.httpListeners").read_only(),
        Rule::at("properties.pathBasedRules").read_only(),
        Rule::at("properties.resourceState").read_only(),
    ],
    expected: Duration::from_secs(10),
    expected_update: Duration::from_secs(10),
    ..ResourceType::new(GATEWAY_POLICIES, "2025-05-01", "WAF policy of a gateway")
};

const CODES: &[&Code] = &[&WAF_POLICY_NAME, &WAF_POLICY_RULE, &WAF_POLICY_MANAGED];

const WAF_POLICY_NAME: Code = Code {
    name: "waf-policy-name",
    why: "The name cannot be that of a policy of a web application firewall, or of a rule in one.",
    remedy: "For a Front Door, and for rules, use 1 to 128 letters and digits, starting with a letter.",
    example: "wafPolicies: { edge: { name: wafshop } }",
};

const NAME: NameRule = NameRule {
    code: &WAF_POLICY_NAME,
    what: "a WAF policy",
    min: 1,
    max: 128,
    first: |c| c.is_ascii_alphabetic(),
    inner: alphanumeric,
    last: alphanumeric,
    says: "1 to 128 letters and digits, starting with a letter",
};

const GATEWAY_NAME: NameRule =
    NameRule { code: &WAF_POLICY_NAME, what: "a WAF policy of a gateway", ..NETWORK };
const RULE_NAME: NameRule = NameRule { what: "a custom rule", ..NAME };

const WAF_POLICY_RULE: Code = Code {
    name: "waf-policy-rule",
    why: "A custom rule has a condition with values and a priority of its own; rates are counted over 1 or 5 minutes.",
    remedy: "Write it as the message says.",
    example: "customRules: { blockTest: { priority: 1, action: Block, match: [{ variable: RequestUri, operator: Contains, values: [/test] }] } }",
};

const WAF_POLICY_MANAGED: Code = Code {
    name: "waf-policy-managed",
    why: "Managed rules are for Premium Front Doors and for gateways, and a policy of a gateway has one rule set at least.",
    remedy: "Write `sku: Premium`, or take `managedRules` out.",
    example: "managedRules: [{ type: Microsoft_DefaultRuleSet, version: '2.1' }]",
};

impl EntryKind for WafPolicy {
    const SECTION: &'static str = "wafPolicies";
    const TITLE: &'static str = "WAF policy";
    const ARM_TYPE: &'static str = FRONT_DOOR_POLICIES;
    const ABOUT: &'static str = "A policy of a web application firewall: which requests a Front Door or an application \
        gateway refuses. A security policy of the Front Door, or the gateway, names it.";
    const EXAMPLE: &'static str = "\
wafPolicies:
  edge:
    name: wafshop
    managedRules:
      - { type: Microsoft_DefaultRuleSet, version: '2.1' }
      - { type: Microsoft_BotManagerRuleSet, version: '1.1' }
    customRules:
      limitLogin:
        priority: 10
        action: Block
        rateLimit: { threshold: 100, minutes: 1 }
        match:
          - { variable: RequestUri, operator: Contains, values: [/login] }
  gateway:
    name: waf-gateway
    for: applicationGateway
    mode: Detection
";
    const TYPES: &'static [&'static ResourceType] = &[&FRONT_DOOR_POLICY, &GATEWAY_POLICY];
    const MERGED: &'static [Merged] = &[
        Merged::list("customRules", "properties.customRules.rules"),
        Merged::list("customRules", "properties.customRules"),
        Merged::list("managedRules", "properties.managedRules.managedRuleSets"),
    ];
    const CODES: &'static [&'static [&'static Code]] = &[CODES];
    type Spec = Spec;

    fn expand(spec: Spec, cx: &mut EntryCx<'_>) {
        spec.check(cx);
        let name = cx.common.name.clone();
        let address = cx.address.clone();
        let draft = match spec.guards {
            Guards::FrontDoor => {
                let mut body = cx.tracked(spec.front_door());
                body["location"] = json!("Global");
                body["sku"] = json!({ "name": spec.sku().name() });
                let id = cx.id(FRONT_DOOR_POLICIES, &[&name]);
                Draft::new(address, id.as_str(), &FRONT_DOOR_POLICY, body)
            }
            Guards::ApplicationGateway => {
                let body = cx.tracked(spec.gateway());
                let id = cx.id(GATEWAY_POLICIES, &[&name]);
                Draft::new(address, id.as_str(), &GATEWAY_POLICY, body)
            }
        };
        let unsaid = [("properties.managedRules", spec.managed_rules.is_none())];
        cx.main(draft.initially_if(&unsaid));
    }
}

impl Spec {
    fn sku(&self) -> Sku {
        self.sku.unwrap_or(Sku::Premium)
    }

    fn check(&self, cx: &mut EntryCx<'_>) {
        let name = cx.common.name.clone();
        match self.guards {
            Guards::FrontDoor => NAME.check(&name, "name", cx),
            Guards::ApplicationGateway => GATEWAY_NAME.check(&name, "name", cx),
        }
        within(self.block_status, 200..=599, "blockStatus", cx);
        let standard = self.guards == Guards::FrontDoor && self.sku() == Sku::Standard;
        let sets = self.managed_rules.as_ref().map(Vec::len);
        if standard && sets.unwrap_or(0) > 0 {
            let message = "a policy of a Standard Front Door has no managed rules";
            cx.problem(
                Problem::error(&WAF_POLICY_MANAGED, "managedRules", message)
                    .help("write `sku: Premium`, here and in the Front Door, or take `managedRules` out"),
            );
        }
        if self.guards == Guards::ApplicationGateway && sets == Some(0) {
            let message = "a policy of a gateway has one managed rule set at least";
            cx.problem(Problem::error(&WAF_POLICY_MANAGED, "managedRules", message).help(
                "add `{ type: Microsoft_DefaultRuleSet, version: '2.1' }`, or leave `managedRules` out",
            ));
        }
        let mut priorities: Vec<(i64, &str)> = Vec::new();
        for (key, rule) in &self.custom_rules {
            let at = format!("customRules.{key}");
            RULE_NAME.check(key, &at, cx);
            within(Some(rule.priority), 1..=100_000, &format!("{at}.priority"), cx);
            if let Some((_, other)) = priorities.iter().find(|(priority, _)| *priority == rule.priority) {
                let message = format!("`{key}` has the priority of `{other}`");
                cx.problem(
                    Problem::error(&WAF_POLICY_RULE, format!("{at}.priority"), message)
                        .help("give each rule a number of its own"),
                );
            }
            priorities.push((rule.priority, key));
            if rule.conditions.is_empty() {
                let message = "a rule without a condition is for no request";
                cx.problem(
                    Problem::error(&WAF_POLICY_RULE, format!("{at}.match"), message)
                        .help("add a condition, such as `{ variable: RequestUri, operator: Contains, values: [/admin] }`"),
                );
            }
            for (index, condition) in rule.conditions.iter().enumerate() {
                if condition.values.is_empty() && !condition.operator.eq_ignore_ascii_case("Any") {
                    let message = "the condition has nothing to compare with";
                    cx.problem(
                        Problem::error(&WAF_POLICY_RULE, format!("{at}.match[{index}]"), message)
                            .help("write `values:` with one text at least"),
                    );
                }
            }
            let minutes = rule.rate_limit.as_ref().and_then(|limit| limit.minutes);
            if minutes.is_some_and(|minutes| minutes != 1 && minutes != 5) {
                let message = "rates are counted over 1 minute or over 5";
                cx.problem(
                    Problem::error(&WAF_POLICY_RULE, format!("{at}.rateLimit.minutes"), message)
                        .help("write 1 or 5"),
                );
            }
            if self.guards == Guards::ApplicationGateway && rule.action == Action::Redirect {
                let message = "a gateway's policy redirects nothing";
                cx.problem(
                    Problem::error(&WAF_POLICY_RULE, format!("{at}.action"), message)
                        .help("write `Block`, `Allow` or `Log`"),
                );
            }
        }
    }

    /// The rule sets of Microsoft's; the default one when nothing is said.
    fn managed(&self, action: bool) -> Vec<Value> {
        let set = |kind: &str, version: &str, does: SetAction| {
            let second = version.starts_with('2') || version.starts_with('3');
            members([
                ("ruleSetType", Some(kind.into())),
                ("ruleSetVersion", Some(version.into())),
                ("ruleSetAction", (action && second).then(|| json!(does))),
            ])
        };
        match &self.managed_rules {
            Some(sets) => sets.iter().map(|one| set(&one.kind, &one.version, one.action)).collect(),
            None => vec![set("Microsoft_DefaultRuleSet", "2.1", SetAction::Block)],
        }
    }

    fn front_door(&self) -> Value {
        let rules = self.custom_rules.iter().map(|(name, rule)| {
            let conditions = rule.conditions.iter().map(|condition| {
                members([
                    ("matchVariable", Some(condition.variable.clone().into())),
                    ("selector", condition.selector.clone().map(Value::from)),
                    ("operator", Some(condition.operator.clone().into())),
                    // Conditions have no names: what is left out has to be said, or it would stay when it is dropped.
                    ("negateCondition", Some(condition.not.unwrap_or(false).into())),
                    ("matchValue", Some(json!(condition.values))),
                    ("transforms", Some(json!(condition.transforms))),
                ])
            });
            let conditions: Vec<Value> = conditions.collect();
            let limit = rule.rate_limit.as_ref();
            members([
                ("name", Some(name.as_str().into())),
                ("priority", Some(rule.priority.into())),
                ("enabledState", rule.enabled.map(super::parts::switch)),
                ("ruleType", Some(if limit.is_some() { "RateLimitRule" } else { "MatchRule" }.into())),
                ("rateLimitDurationInMinutes", limit.map(|limit| limit.minutes.unwrap_or(1).into())),
                ("rateLimitThreshold", limit.map(|limit| limit.threshold.into())),
                ("matchConditions", Some(Value::Array(conditions))),
                ("action", Some(json!(rule.action))),
            ])
        });
        let rules: Vec<Value> = rules.collect();
        let premium = self.sku() == Sku::Premium;
        members([
            (
                "policySettings",
                Some(members([
                    ("enabledState", Some(super::parts::switch(self.enabled))),
                    ("mode", Some(json!(self.mode))),
                    ("requestBodyCheck", self.check_bodies.map(super::parts::switch)),
                    ("customBlockResponseStatusCode", self.block_status.map(Value::from)),
                ])),
            ),
            ("customRules", (!rules.is_empty()).then(|| json!({ "rules": rules }))),
            ("managedRules", premium.then(|| json!({ "managedRuleSets": self.managed(true) }))),
        ])
    }

    fn gateway(&self) -> Value {
        let rules = self.custom_rules.iter().map(|(name, rule)| {
            let conditions = rule.conditions.iter().map(|condition| {
                let variable = members([
                    ("variableName", Some(condition.variable.clone().into())),
                    ("selector", condition.selector.clone().map(Value::from)),
                ]);
                members([
                    ("matchVariables", Some(json!([variable]))),
                    ("operator", Some(condition.operator.clone().into())),
                    // Azure's own spelling.
                    ("negationConditon", Some(condition.not.unwrap_or(false).into())),
                    ("matchValues", Some(json!(condition.values))),
                    ("transforms", Some(json!(condition.transforms))),
                ])
            });
            let conditions: Vec<Value> = conditions.collect();
            let limit = rule.rate_limit.as_ref();
            let minutes = limit.map(|limit| if limit.minutes == Some(5) { "FiveMins" } else { "OneMin" });
            members([
                ("name", Some(name.as_str().into())),
                ("priority", Some(rule.priority.into())),
                ("state", rule.enabled.map(super::parts::switch)),
                ("ruleType", Some(if limit.is_some() { "RateLimitRule" } else { "MatchRule" }.into())),
                ("rateLimitDuration", minutes.map(Value::from)),
                ("rateLimitThreshold", limit.map(|limit| limit.threshold.into())),
                (
                    "groupByUserSession",
                    limit.map(|_| json!([{ "groupByVariables": [{ "variableName": "ClientAddr" }] }])),
                ),
                ("matchConditions", Some(Value::Array(conditions))),
                ("action", Some(json!(rule.action))),
            ])
        });
        let rules: Vec<Value> = rules.collect();
        members([
            (
                "policySettings",
                Some(members([
                    ("state", Some(super::parts::switch(self.enabled))),
                    ("mode", Some(json!(self.mode))),
                    ("requestBodyCheck", self.check_bodies.map(Value::from)),
                    ("customBlockResponseStatusCode", self.block_status.map(Value::from)),
                ])),
            ),
            ("customRules", (!rules.is_empty()).then_some(Value::Array(rules))),
            ("managedRules", Some(json!({ "managedRuleSets": self.managed(false) }))),
        ])
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::catalog::kinds::testing::{changes, codes, expand};

    #[test]
    fn a_rule_has_the_form_of_what_it_guards() {
        let rule = json!({
            "priority": 1, "action": "Block", "rateLimit": { "threshold": 100, "minutes": 5 },
            "match": [{ "variable": "RequestUri", "operator": "Contains", "values": ["/login"], "not": true }],
        });
        let (drafts, problems) = expand("wafPolicies", "edge", json!({ "customRules": { "login": rule } }));
        assert_eq!(problems, []);
        let front = &drafts[0].body["properties"]["customRules"]["rules"][0];
        assert_eq!(
            (&front["rateLimitDurationInMinutes"], &front["matchConditions"][0]["negateCondition"]),
            (&json!(5), &json!(true))
        );
        assert_eq!(
            drafts[0].created()["properties"]["managedRules"]["managedRuleSets"][0]["ruleSetAction"],
            "Block"
        );
        let fields = json!({ "for": "applicationGateway", "customRules": { "login": rule } });
        let (drafts, _) = expand("wafPolicies", "edge", fields);
        let gateway = &drafts[0].body["properties"]["customRules"][0];
        assert_eq!(gateway["rateLimitDuration"], "FiveMins");
        assert_eq!(gateway["matchConditions"][0]["matchVariables"][0]["variableName"], "RequestUri");
    }

    #[test]
    fn what_azure_answers_is_no_change() {
        let (drafts, _) = expand("wafPolicies", "edge", json!({}));
        let live = json!({
            "location": "Global", "sku": { "name": "premium_azurefrontdoor" },
            "properties": {
                "policySettings": { "enabledState": "Enabled", "mode": "Prevention", "requestBodyCheck": "Enabled", "customBlockResponseStatusCode": 403 },
                "customRules": { "rules": [] }, "resourceState": "Enabled", "securityPolicyLinks": [{ "id": "x" }],
            },
        });
        assert_eq!(changes(&drafts[0], &live), [] as [&str; 0]);
    }

    #[test]
    fn refuses_what_azure_refuses() {
        let rule = |more: Value| {
            let mut rule = json!({ "priority": 1, "action": "Block", "match": [{ "variable": "RequestUri", "operator": "Any" }] });
            crate::catalog::merge_over(&mut rule, &more);
            rule
        };
        for (fields, code) in [
            (json!({ "name": "waf-shop" }), "waf-policy-name"),
            (json!({ "customRules": { "a-b": rule(json!({})) } }), "waf-policy-name"),
            (json!({ "customRules": { "a": rule(json!({})), "b": rule(json!({})) } }), "waf-policy-rule"),
            (json!({ "customRules": { "a": rule(json!({ "match": [] })) } }), "waf-policy-rule"),
            (
                json!({ "customRules": { "a": rule(json!({ "match": [{ "variable": "RequestUri", "operator": "Contains" }] })) } }),
                "waf-policy-rule",
            ),
            (
                json!({ "customRules": { "a": rule(json!({ "rateLimit": { "threshold": 1, "minutes": 3 } })) } }),
                "waf-policy-rule",
            ),
            (
                json!({ "sku": "Standard", "managedRules": [{ "type": "Microsoft_DefaultRuleSet", "version": "2.1" }] }),
                "waf-policy-managed",
            ),
            (json!({ "for": "applicationGateway", "managedRules": [] }), "waf-policy-managed"),
        ] {
            assert_eq!(codes(expand("wafPolicies", "edge", fields.clone())), [code], "{fields}");
        }
    }
}

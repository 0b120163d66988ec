//! Action groups: `Microsoft.Insights/actionGroups`
//! (<https://learn.microsoft.com/azure/templates/microsoft.insights/actiongroups>).

use super::name_rule;
use crate::catalog::kinds::builtin_roles::{BUILTIN_ROLES, builtin_role};
use crate::catalog::kinds::naming::{NameRule, did_you_mean};
use crate::catalog::kinds::parts::members;
use crate::catalog::{
    Draft, EntryCx, EntryKind, Listing, Merged, Named, Problem, Reference, ResourceType, Severity, Turn,
    Weight,
};
use crate::diag::Code;
use crate::value::Rule;
use crate::value::token::{display_text, has_token};
use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::{Value, json};
use std::time::Duration;
use uuid::Uuid;

/// An action group.
pub struct ActionGroup;

/// Whom an alert tells. Each receiver has its key as its name.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub struct Spec {
    /// The name in text messages, at most 12 characters; the first 12 of the Azure name when absent.
    short_name: Option<String>,
    /// Whether anybody is told; yes when absent.
    enabled: Option<bool>,
    /// Addresses that get mail.
    #[serde(default)]
    emails: Named<String>,
    /// Phones that get text messages.
    #[serde(default)]
    sms: Named<PhoneSpec>,
    /// Phones that are called.
    #[serde(default)]
    calls: Named<PhoneSpec>,
    /// URLs that get a request. One that lets everybody in who knows it is a secret: write a parameter with `secret: true`.
    #[serde(default)]
    webhooks: Named<WebhookSpec>,
    /// Roles on the subscription, by name, whose members get mail.
    #[serde(default)]
    roles: Vec<String>,
    /// Event hubs that get an event.
    #[serde(default)]
    event_hubs: Named<EventHubSpec>,
    /// Functions that are called.
    #[serde(default)]
    functions: Named<FunctionSpec>,
    /// Logic apps that are started.
    #[serde(default)]
    logic_apps: Named<LogicAppSpec>,
}

/// A phone.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub struct PhoneSpec {
    /// The country's code, such as `\"49\"`.
    country: String,
    /// The number without it.
    number: String,
}

/// A URL that gets a request.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub struct WebhookSpec {
    /// The URL.
    url: String,
    /// The application whose members the caller has to be, by the object id of its service principal; nobody signs in when
    /// absent.
    audience: Option<AudienceSpec>,
}

/// The application that a webhook belongs to.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub struct AudienceSpec {
    /// The object id of the application.
    object_id: String,
    /// The identifier URI of the application.
    identifier: String,
    /// Its tenant; the blueprint's when absent.
    tenant: Option<String>,
}

/// An event hub.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub struct EventHubSpec {
    /// The namespace that it is in.
    #[schemars(extend("x-wants" = "Event Hubs namespace"))]
    namespace: Reference,
    /// Its name.
    hub: String,
    /// The subscription of the namespace; the entry's when absent.
    subscription: Option<String>,
}

/// A function.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub struct FunctionSpec {
    /// The function app.
    #[schemars(extend("x-wants" = "web app"))]
    app: Reference,
    /// The function's name.
    name: String,
    /// The URL by which it is called; its key in it is a secret.
    url: String,
}

/// A logic app.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub struct LogicAppSpec {
    /// The logic app.
    #[schemars(extend("x-wants" = "logic app"))]
    app: Reference,
    /// The URL by which it is started; the signature in it is a secret.
    url: String,
}

const ARM_TYPE: &str = "Microsoft.Insights/actionGroups";

const fn told(path: &'static str) -> Weight {
    Weight::new(path, Turn::Any, Severity::High, "others are told, or nobody is")
}

/// The group.
pub static ACTION_GROUP: ResourceType = ResourceType {
    severity: &[
        Weight::new("properties.enabled", Turn::To("false"), Severity::High, "nobody is told any more"),
        told("properties.emailReceivers"),
        told("properties.smsReceivers"),
        told("properties.voiceReceivers"),
        told("properties.webhookReceivers"),
        told("properties.armRoleReceivers"),
        told("properties.eventHubReceivers"),
        told("properties.azureFunctionReceivers"),
        told("properties.logicAppReceivers"),
    ],
    rules: &[
        Rule::at("properties.enabled").default("true"),
        Rule::at("properties.emailReceivers").keyed("name"),
        Rule::at("properties.emailReceivers[].emailAddress").fold_case(),
        Rule::at("properties.emailReceivers[].status").read_only(),
        Rule::at("properties.smsReceivers").keyed("name"),
        Rule::at("properties.smsReceivers[].status").read_only(),
        Rule::at("properties.voiceReceivers").keyed("name"),
        Rule::at("properties.webhookReceivers").keyed("name"),
        Rule::at("properties.webhookReceivers[].useAadAuth").default("false"),
        Rule::at("properties.armRoleReceivers").keyed("name"),
        Rule::at("properties.eventHubReceivers").keyed("name"),
        Rule::at("properties.azureFunctionReceivers").keyed("name"),
        Rule::at("properties.logicAppReceivers").keyed("name"),
        Rule::at("properties.itsmReceivers").keyed("name"),
        Rule::at("properties.azureAppPushReceivers").keyed("name"),
        Rule::at("properties.automationRunbookReceivers").keyed("name"),
    ],
    listing: Listing::Subscription,
    expected: Duration::from_secs(5),
    ..ResourceType::new(ARM_TYPE, "2023-01-01", "action group")
};

const CODES: &[&Code] = &[&ACTION_GROUP_NAME, &ACTION_GROUP_ROLE, &ACTION_GROUP_URL];

const NAME: NameRule = name_rule(
    "an action group",
    |c| !c.is_control() && !":<>+/&%\\?|".contains(c),
    "1 to 260 characters, none of `:<>+/&%\\?|`, and no `.` or space at the end",
);

const ACTION_GROUP_NAME: Code = Code {
    name: "action-group-short-name",
    why: "Azure puts the short name of an action group into text messages, so it has at most 12 characters.",
    remedy: "Use at most 12 characters.",
    example: "shortName: oncall",
};

const ACTION_GROUP_ROLE: Code = Code {
    name: "action-group-role",
    why: "`roles` sends mail to the members of built-in roles, and Azure has no built-in role of this name.",
    remedy: "Take the one that the message offers, or write the role's GUID.",
    example: "roles: [Owner]",
};

const ACTION_GROUP_URL: Code = Code {
    name: "action-group-url",
    why: "An action group calls a URL, and one with a key or a signature in it lets in whoever reads it.",
    remedy: "Write a whole `https://` URL; take one with a key from a parameter with `secret: true`.",
    example: "webhooks: { chat: { url: \"${param.chatUrl}\" } }",
};

impl EntryKind for ActionGroup {
    const SECTION: &'static str = "actionGroups";
    const TITLE: &'static str = "action group";
    const ARM_TYPE: &'static str = ARM_TYPE;
    const ABOUT: &'static str = "Whom alerts tell, and how: mail, phones, webhooks, members of a role, event hubs, functions, \
        logic apps. It is in no region. Receivers that others add stay, and are told of.";
    const EXAMPLE: &'static str = "\
parameters:
  chatUrl: { type: string, secret: true, env: CHAT_URL }
actionGroups:
  oncall:
    name: ag-oncall
    shortName: oncall
    emails:
      platform: platform@example.com
    sms:
      night: { country: \"49\", number: \"15112345678\" }
    webhooks:
      chat: { url: \"${param.chatUrl}\" }
    roles: [Owner]
";
    const TYPES: &'static [&'static ResourceType] = &[&ACTION_GROUP];
    const MERGED: &'static [Merged] = &[
        Merged::list("emails", "properties.emailReceivers"),
        Merged::list("sms", "properties.smsReceivers"),
        Merged::list("calls", "properties.voiceReceivers"),
        Merged::list("webhooks", "properties.webhookReceivers"),
        Merged::list("roles", "properties.armRoleReceivers"),
        Merged::list("eventHubs", "properties.eventHubReceivers"),
        Merged::list("functions", "properties.azureFunctionReceivers"),
        Merged::list("logicApps", "properties.logicAppReceivers"),
    ];
    const CODES: &'static [&'static [&'static Code]] = &[CODES];
    type Spec = Spec;

    fn expand(spec: Spec, cx: &mut EntryCx<'_>) {
        let name = cx.common.name.clone();
        NAME.check(&name, "name", cx);
        let short = spec.short(&name, cx);
        let roles = spec.roles(cx);
        spec.check_urls(cx);
        let mut body = cx.tracked(members([
            ("groupShortName", Some(short.into())),
            ("enabled", Some(spec.enabled.unwrap_or(true).into())),
            ("emailReceivers", list(&spec.emails, |email| json!({ "emailAddress": email }))),
            ("smsReceivers", list(&spec.sms, PhoneSpec::body)),
            ("voiceReceivers", list(&spec.calls, PhoneSpec::body)),
            ("webhookReceivers", list(&spec.webhooks, |hook| hook.body(&cx.common.tenant))),
            ("armRoleReceivers", (!roles.is_empty()).then_some(Value::Array(roles))),
            (
                "eventHubReceivers",
                list(&spec.event_hubs, |hub| hub.body(&cx.common.subscription, &cx.common.tenant)),
            ),
            ("azureFunctionReceivers", list(&spec.functions, FunctionSpec::body)),
            ("logicAppReceivers", list(&spec.logic_apps, LogicAppSpec::body)),
        ]));
        for receivers in ["email", "webhook", "armRole", "eventHub", "azureFunction", "logicApp"] {
            let all =
                body["properties"].get_mut(format!("{receivers}Receivers")).and_then(Value::as_array_mut);
            for receiver in all.into_iter().flatten() {
                receiver["useCommonAlertSchema"] = true.into();
            }
        }
        body["location"] = "Global".into();
        let id = cx.id(ARM_TYPE, &[&name]);
        cx.main(Draft::new(cx.address.clone(), id.as_str(), &ACTION_GROUP, body));
    }
}

/// Receivers under their names; nothing when there are none.
fn list<T>(all: &Named<T>, body: impl Fn(&T) -> Value) -> Option<Value> {
    let one = |(name, receiver): (&String, &T)| {
        let mut members = serde_json::Map::from_iter([("name".to_owned(), Value::from(name.as_str()))]);
        members.extend(body(receiver).as_object().cloned().unwrap_or_default());
        Value::Object(members)
    };
    (!all.is_empty()).then(|| all.iter().map(one).collect())
}

impl PhoneSpec {
    fn body(&self) -> Value {
        json!({ "countryCode": self.country, "phoneNumber": self.number })
    }
}

impl WebhookSpec {
    fn body(&self, tenant: &str) -> Value {
        match &self.audience {
            None => json!({ "serviceUri": self.url }),
            Some(audience) => json!({
                "serviceUri": self.url,
                "useAadAuth": true,
                "objectId": audience.object_id,
                "identifierUri": audience.identifier,
                "tenantId": audience.tenant.as_deref().unwrap_or(tenant),
            }),
        }
    }
}

impl EventHubSpec {
    fn body(&self, subscription: &str, tenant: &str) -> Value {
        json!({
            "eventHubNameSpace": match self.namespace.literal_id() {
                Some(id) => id.name().to_owned(),
                None => self.namespace.facet("name"),
            },
            "eventHubName": self.hub,
            "subscriptionId": self.subscription.as_deref().unwrap_or(subscription),
            "tenantId": tenant,
        })
    }
}

impl FunctionSpec {
    fn body(&self) -> Value {
        json!({ "functionAppResourceId": self.app.id(), "functionName": self.name, "httpTriggerUrl": self.url })
    }
}

impl LogicAppSpec {
    fn body(&self) -> Value {
        json!({ "resourceId": self.app.id(), "callbackUrl": self.url })
    }
}

impl Spec {
    fn short(&self, name: &str, cx: &mut EntryCx<'_>) -> String {
        let Some(short) = &self.short_name else { return name.chars().take(12).collect() };
        if !has_token(short) && !(1..=12).contains(&short.chars().count()) {
            let message = format!("`{short}` cannot be a short name");
            cx.problem(
                Problem::error(&ACTION_GROUP_NAME, "shortName", message).help("use 1 to 12 characters"),
            );
        }
        short.clone()
    }

    fn roles(&self, cx: &mut EntryCx<'_>) -> Vec<Value> {
        let mut all = Vec::new();
        for (index, role) in self.roles.iter().enumerate() {
            let Some(id) = builtin_role(role).or_else(|| Uuid::try_parse(role).ok()) else {
                let help = did_you_mean(role, BUILTIN_ROLES.iter().map(|(name, _)| *name))
                    .unwrap_or_else(|| "write the role's GUID".to_owned());
                let message = format!("berth knows no built-in role `{}`", display_text(role));
                let path = format!("roles[{index}]");
                cx.problem(Problem::error(&ACTION_GROUP_ROLE, path, message).help(help));
                continue;
            };
            all.push(json!({ "name": role, "roleId": id.to_string() }));
        }
        all
    }

    /// Reports URLs that are none, and those that hold what lets everybody in.
    fn check_urls(&self, cx: &mut EntryCx<'_>) {
        let hooks = self.webhooks.iter().map(|(key, hook)| (format!("webhooks.{key}.url"), &hook.url));
        let functions = self.functions.iter().map(|(key, one)| (format!("functions.{key}.url"), &one.url));
        let logic_apps = self.logic_apps.iter().map(|(key, one)| (format!("logicApps.{key}.url"), &one.url));
        let all: Vec<(String, &String)> = hooks.chain(functions).chain(logic_apps).collect();
        for (path, url) in all.into_iter().filter(|(_, url)| !has_token(url)) {
            let lower = url.to_ascii_lowercase();
            let query = lower.split_once('?').map_or("", |(_, query)| query);
            let holds_key = query.split('&').any(|part| {
                ["sig=", "code=", "token=", "key=", "secret="].iter().any(|start| part.starts_with(start))
            });
            if !lower.starts_with("https://") && !lower.starts_with("http://") {
                cx.problem(
                    Problem::error(&ACTION_GROUP_URL, path, "an action group calls an address on the web")
                        .help("write the whole URL, `https://…`"),
                );
            } else if holds_key {
                cx.problem(
                    Problem::error(&ACTION_GROUP_URL, path, "this URL holds a key, in clear text").help(
                        "declare a parameter with `secret: true` for the URL and write `${param.…}` here",
                    ),
                );
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::catalog::kinds::testing::{changes, codes, expand, id, reference, secret};

    #[test]
    fn receivers_have_their_keys_as_names() {
        let fields = json!({
            "emails": { "ops": "Ops@example.com" }, "webhooks": { "chat": { "url": secret("chat") } },
            "roles": ["Owner"], "eventHubs": { "bus": { "namespace": reference("eventHubs.telemetry"), "hub": "alerts" } },
        });
        let (drafts, problems) = expand("actionGroups", "platform-oncall", fields);
        assert_eq!(problems, []);
        assert!(id(&drafts[0]).ends_with("/providers/Microsoft.Insights/actionGroups/platform-oncall"));
        let body = &drafts[0].body;
        assert_eq!(body["location"], "Global");
        assert_eq!(body["properties"]["groupShortName"], "platform-onc");
        assert_eq!(
            body["properties"]["armRoleReceivers"],
            json!([{ "name": "Owner", "roleId": "8e3af657-a8ff-443c-a75c-2fe8c4bcb635", "useCommonAlertSchema": true }])
        );
        let live = json!({
            "location": "global",
            "properties": {
                "groupShortName": "platform-onc", "enabled": true,
                "emailReceivers": [
                    { "name": "ops", "emailAddress": "ops@example.com", "status": "Enabled", "useCommonAlertSchema": true },
                    { "name": "theirs", "emailAddress": "x@example.com", "status": "Enabled", "useCommonAlertSchema": false },
                ],
                "webhookReceivers": [{ "name": "chat", "serviceUri": "https://x", "useCommonAlertSchema": true, "useAadAuth": false }],
                "armRoleReceivers": body["properties"]["armRoleReceivers"],
                "eventHubReceivers": body["properties"]["eventHubReceivers"],
                "smsReceivers": [], "voiceReceivers": [], "itsmReceivers": [],
            },
        });
        assert_eq!(changes(&drafts[0], &live), [] as [&str; 0]);
        let mut off = live;
        off["properties"]["enabled"] = json!(false);
        assert_eq!(changes(&drafts[0], &off), ["properties.enabled"]);
    }

    #[test]
    fn refuses_what_azure_refuses_and_keys_in_the_open() {
        for (fields, code) in [
            (json!({ "name": "a/b" }), "monitor-name"),
            (json!({ "shortName": "thirteen-long" }), "action-group-short-name"),
            (json!({ "roles": ["Ownr"] }), "action-group-role"),
            (json!({ "webhooks": { "x": { "url": "chat" } } }), "action-group-url"),
            (
                json!({ "webhooks": { "x": { "url": "https://x.example.com/hook?sig=abc" } } }),
                "action-group-url",
            ),
        ] {
            assert_eq!(codes(expand("actionGroups", "oncall", fields.clone())), [code], "{fields}");
        }
    }
}

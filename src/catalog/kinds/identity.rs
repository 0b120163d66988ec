//! User-assigned managed identities and their federated credentials:
//! `Microsoft.ManagedIdentity/userAssignedIdentities`
//! (<https://learn.microsoft.com/azure/templates/microsoft.managedidentity/userassignedidentities>).

use super::naming::{NameRule, alphanumeric, word};
use crate::catalog::{
    Draft, EntryCx, EntryKind, Facet, Lane, Listing, Members, Merged, Named, Nested, Problem, ResourceType,
    Scarce, Severity, Turn, Weight,
};
use crate::diag::Code;
use crate::value::Rule;
use crate::value::token::{display_text, has_token};
use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::json;
use std::time::Duration;

/// A user-assigned managed identity.
pub struct Identity;

/// A user-assigned managed identity.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub struct Spec {
    /// Which regions may use the identity; all of them when absent.
    isolation_scope: Option<IsolationScope>,
    /// Workloads outside Azure's own that may act as the identity, by their key.
    #[serde(default)]
    federated_credentials: Named<CredentialSpec>,
}

/// Where an identity can be used.
#[derive(Debug, Clone, Copy, Deserialize, JsonSchema)]
pub enum IsolationScope {
    /// Everywhere.
    None,
    /// In its own region only.
    Regional,
}

/// A workload that may act as the identity: whoever shows a token of this issuer for this subject.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub struct CredentialSpec {
    /// The Azure name; the key when absent.
    name: Option<String>,
    /// The URL of the token issuer, to the letter: `${clusters.aks.oidcIssuerUrl}`.
    issuer: String,
    /// The subject of the token, to the letter: `repo:example/shop:environment:prod`.
    subject: Option<String>,
    /// Instead of `subject`: a Kubernetes service account, as `namespace/name`.
    service_account: Option<String>,
    /// The one audience of the token; `api://AzureADTokenExchange` when absent.
    audiences: Option<Vec<String>>,
}

const API_VERSION: &str = "2024-11-30";
/// A user-assigned identity.
pub(super) const IDENTITY: &str = "Microsoft.ManagedIdentity/userAssignedIdentities";
const AUDIENCE: &str = "api://AzureADTokenExchange";
/// How many credentials Azure lets an identity have.
const MOST_CREDENTIALS: usize = 20;

/// The identity itself.
pub static USER_ASSIGNED_IDENTITY: ResourceType = ResourceType {
    lanes: &[Lane::Ancestor(IDENTITY)],
    rules: &[
        Rule::at("properties.isolationScope").default("\"None\"").fold_case(),
        Rule::at("properties.principalId").read_only(),
        Rule::at("properties.clientId").read_only(),
        Rule::at("properties.tenantId").read_only(),
        Rule::at("properties.clientSecretUrl").read_only(),
    ],
    facets: &[
        Facet::new("principalId", "/properties/principalId", "the object id of its service principal"),
        Facet::new("clientId", "/properties/clientId", "the application id that workloads sign in with"),
        Facet::new("tenantId", "/properties/tenantId", "the tenant it lives in"),
    ],
    listing: Listing::Subscription,
    expected: Duration::from_secs(3),
    ..ResourceType::new(IDENTITY, API_VERSION, "managed identity")
};

/// A federated credential of it. Azure refuses two writes on one identity at once.
pub static FEDERATED_CREDENTIAL: ResourceType = ResourceType {
    severity: &[
        Weight::new(
            "properties.issuer",
            Turn::Any,
            Severity::Critical,
            "somebody else can sign in as the identity",
        ),
        Weight::new(
            "properties.subject",
            Turn::Any,
            Severity::Critical,
            "somebody else can sign in as the identity",
        ),
    ],
    lanes: &[Lane::Ancestor(IDENTITY)],
    tags: false,
    rules: &[Rule::at("properties.audiences").set()],
    listing: Listing::Collection,
    expected: Duration::from_secs(3),
    scarce: &[Scarce::Same(&["/properties/issuer", "/properties/subject"])],
    ..ResourceType::new(
        "Microsoft.ManagedIdentity/userAssignedIdentities/federatedIdentityCredentials",
        API_VERSION,
        "federated credential",
    )
};

const IDENTITY_NAME: Code = Code {
    name: "identity-name",
    why: "The name cannot be that of a managed identity.",
    remedy: "Use 3 to 128 letters, digits, `_` and `-`, a letter or digit first.",
    example: "name: id-shop-app",
};

const NAME: NameRule = NameRule {
    code: &IDENTITY_NAME,
    what: "a managed identity",
    min: 3,
    max: 128,
    first: alphanumeric,
    inner: |c| word(c) || c == '-',
    last: |c| word(c) || c == '-',
    says: "3 to 128 letters, digits, `_` and `-`, the first a letter or digit",
};

const FEDERATED_CREDENTIAL_NAME: Code = Code {
    name: "federated-credential-name",
    why: "The name of a federated credential cannot be that.",
    remedy: "Use 3 to 120 letters, digits, `_` and `-`.",
    example: "federatedCredentials: { orders-api: { … } }",
};

const CREDENTIAL_NAME: NameRule = NameRule {
    code: &FEDERATED_CREDENTIAL_NAME,
    what: "a federated credential",
    max: 120,
    says: "3 to 120 letters, digits, `_` and `-`, the first a letter or digit",
    ..NAME
};

const FEDERATED_CREDENTIAL_AUDIENCE: Code = Code {
    name: "federated-credential-audience",
    why: "A federated credential takes one audience.",
    remedy: "Leave it out for Azure's own.",
    example: "audiences: [\"api://AzureADTokenExchange\"]",
};

const FEDERATED_CREDENTIAL_COUNT: Code = Code {
    name: "federated-credential-count",
    why: "An identity trusts at most 20 service accounts or other subjects.",
    remedy: "Use a second identity.",
    example: "",
};

const FEDERATED_CREDENTIAL_TWICE: Code = Code {
    name: "federated-credential-twice",
    why: "Two credentials of an identity trust the same issuer and subject, which Azure refuses.",
    remedy: "Remove one.",
    example: "",
};

impl EntryKind for Identity {
    const SECTION: &'static str = "identities";
    const TITLE: &'static str = "managed identity";
    const ARM_TYPE: &'static str = IDENTITY;
    const ABOUT: &'static str =
        "A user-assigned managed identity, and the workloads outside Azure's own that may act as it.";
    const EXAMPLE: &'static str = "\
identities:
  deploy:
    name: id-shop-deploy
    federatedCredentials:
      github:
        issuer: https://token.actions.githubusercontent.com
        subject: repo:example/shop:environment:prod
";
    const TYPES: &'static [&'static ResourceType] = &[&USER_ASSIGNED_IDENTITY, &FEDERATED_CREDENTIAL];
    const NESTED: &'static [Nested] = &[Nested::at("federatedCredentials.*")];
    const MERGED: &'static [Merged] = &[Merged {
        within: "",
        name: "federatedCredentials",
        members: Members::Children(&[&FEDERATED_CREDENTIAL]),
    }];
    const CODES: &'static [&'static [&'static Code]] = &[&[
        &IDENTITY_NAME,
        &FEDERATED_CREDENTIAL_NAME,
        &FEDERATED_CREDENTIAL_AUDIENCE,
        &FEDERATED_CREDENTIAL_COUNT,
        &FEDERATED_CREDENTIAL_TWICE,
        &FEDERATED_CREDENTIAL_SERVICE_ACCOUNT,
        &FEDERATED_CREDENTIAL_SUBJECT,
        &FEDERATED_CREDENTIAL_ISSUER,
    ]];
    type Spec = Spec;

    fn expand(spec: Spec, cx: &mut EntryCx<'_>) {
        let name = cx.common.name.clone();
        NAME.check(&name, "name", cx);
        let identity = cx.id(IDENTITY, &[&name]);
        let properties = match spec.isolation_scope {
            Some(IsolationScope::None) => json!({ "isolationScope": "None" }),
            Some(IsolationScope::Regional) => json!({ "isolationScope": "Regional" }),
            None => json!({}),
        };
        let body = cx.tracked(properties);
        cx.main(Draft::new(cx.address.clone(), identity.as_str(), &USER_ASSIGNED_IDENTITY, body));
        if spec.federated_credentials.len() > MOST_CREDENTIALS {
            let count = spec.federated_credentials.len();
            cx.problem(
                Problem::error(
                    &FEDERATED_CREDENTIAL_COUNT,
                    "federatedCredentials",
                    format!(
                        "an identity has at most {MOST_CREDENTIALS} federated credentials, these are {count}"
                    ),
                )
                .help("spread them over several identities"),
            );
        }
        let mut seen: Vec<(String, String)> = Vec::new();
        for (key, credential) in spec.federated_credentials {
            let origin = format!("federatedCredentials.{key}");
            let name = credential.name.clone().unwrap_or_else(|| key.clone());
            CREDENTIAL_NAME.check(&name, &origin, cx);
            let Some(subject) = credential.subject(&origin, cx) else { continue };
            check_issuer(&credential.issuer, &origin, cx);
            let audiences = credential.audiences.unwrap_or_else(|| vec![AUDIENCE.to_owned()]);
            if audiences.len() != 1 {
                let path = format!("{origin}.audiences");
                cx.problem(
                    Problem::error(
                        &FEDERATED_CREDENTIAL_AUDIENCE,
                        path,
                        "a federated credential has one audience",
                    )
                    .help(format!("write `audiences: [\"{AUDIENCE}\"]`, or leave it out")),
                );
            }
            let pair = (credential.issuer, subject);
            if seen.contains(&pair) {
                cx.problem(
                    Problem::error(
                        &FEDERATED_CREDENTIAL_TWICE,
                        &origin,
                        "another credential of this identity has the same issuer and subject",
                    )
                    .help("remove one of the two"),
                );
            }
            let properties = json!({ "issuer": pair.0, "subject": pair.1, "audiences": audiences });
            seen.push(pair);
            let address = cx.address.child("federatedCredentials").child(&key);
            let id = identity.child("federatedIdentityCredentials", &name);
            let body = json!({ "properties": properties });
            let draft = Draft::new(address, id.as_str(), &FEDERATED_CREDENTIAL, body).origin(origin);
            cx.also(draft.any_name(credential.name.is_none()));
        }
    }
}

const FEDERATED_CREDENTIAL_SERVICE_ACCOUNT: Code = Code {
    name: "federated-credential-service-account",
    why: "A service account is written as namespace and name.",
    remedy: "Write `namespace/name`.",
    example: "serviceAccount: orders/api",
};

const FEDERATED_CREDENTIAL_SUBJECT: Code = Code {
    name: "federated-credential-subject",
    why: "A credential trusts a service account, or any other subject: one of them.",
    remedy: "Write `serviceAccount`, or `subject`.",
    example: "serviceAccount: orders/api",
};

impl CredentialSpec {
    /// The subject that is meant, or a problem.
    fn subject(&self, origin: &str, cx: &mut EntryCx<'_>) -> Option<String> {
        let account = match (&self.subject, &self.service_account) {
            (Some(subject), None) => return Some(subject.clone()),
            (None, Some(account)) => account,
            _ => {
                cx.problem(
                    Problem::error(
                        &FEDERATED_CREDENTIAL_SUBJECT,
                        origin,
                        "a federated credential needs either `subject` or `serviceAccount`",
                    )
                    .help("write `serviceAccount: namespace/name` for a workload in Kubernetes"),
                );
                return None;
            }
        };
        match account.split_once('/') {
            Some((namespace, name)) if is_dns_label(namespace) && is_dns_name(name) => {
                Some(format!("system:serviceaccount:{namespace}:{name}"))
            }
            _ => {
                let path = format!("{origin}.serviceAccount");
                let message = format!("`{}` is not a service account", display_text(account));
                cx.problem(
                    Problem::error(&FEDERATED_CREDENTIAL_SERVICE_ACCOUNT, path, message)
                        .help("write `namespace/name`, both in small letters, digits and `-`"),
                );
                None
            }
        }
    }
}

const FEDERATED_CREDENTIAL_ISSUER: Code = Code {
    name: "federated-credential-issuer",
    why: "The issuer is the HTTPS address that tokens name as where they come from.",
    remedy: "Use the cluster's issuer.",
    example: "issuer: ${clusters.aks.oidcIssuerUrl}",
};

fn check_issuer(issuer: &str, origin: &str, cx: &mut EntryCx<'_>) {
    if !has_token(issuer) && !issuer.starts_with("https://") {
        let path = format!("{origin}.issuer");
        cx.problem(
            Problem::error(&FEDERATED_CREDENTIAL_ISSUER, path, format!("`{issuer}` is not an issuer"))
                .help("write the issuer's URL, which starts with `https://`, as it is in the token"),
        );
    }
}

fn is_dns_label(text: &str) -> bool {
    let edge = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit();
    text.len() <= 63
        && text.starts_with(edge)
        && text.ends_with(edge)
        && text.chars().all(|c| edge(c) || c == '-')
}

fn is_dns_name(text: &str) -> bool {
    text.len() <= 253 && text.split('.').all(is_dns_label)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::catalog::kinds::testing::{changes, codes, expand, id, reference};

    #[test]
    fn an_identity_and_its_credentials() {
        let issuer = reference("clusters.aks.oidcIssuerUrl");
        let (drafts, problems) = expand(
            "identities",
            "app",
            json!({
                "name": "id-app",
                "federatedCredentials": { "spboot": { "issuer": issuer, "serviceAccount": "spboot-app/spboot" } },
            }),
        );
        assert_eq!(problems, []);
        assert_eq!(
            id(&drafts[0]),
            "/subscriptions/sub/resourceGroups/rg/providers/Microsoft.ManagedIdentity/userAssignedIdentities/id-app"
        );
        assert_eq!(drafts[0].body, json!({ "location": "westeurope", "properties": {} }));
        assert_eq!(drafts[1].address.as_str(), "identities.app.federatedCredentials.spboot");
        assert_eq!(id(&drafts[1]), format!("{}/federatedIdentityCredentials/spboot", id(&drafts[0])));
        assert_eq!(
            drafts[1].body,
            json!({ "properties": {
                "issuer": issuer,
                "subject": "system:serviceaccount:spboot-app:spboot",
                "audiences": ["api://AzureADTokenExchange"],
            } })
        );
        assert_eq!(drafts[1].origin, "federatedCredentials.spboot");
    }

    #[test]
    fn what_azure_adds_is_no_change_and_a_move_replaces() {
        let (drafts, _) = expand("identities", "app", json!({ "name": "id-app" }));
        let live = |location: &str| {
            json!({
                "location": location, "tags": {}, "name": "id-app", "type": "Microsoft.ManagedIdentity/userAssignedIdentities",
                "id": "/subscriptions/sub/resourcegroups/rg/providers/Microsoft.ManagedIdentity/userAssignedIdentities/id-app",
                "properties": { "tenantId": "t", "principalId": "p", "clientId": "c" },
            })
        };
        assert_eq!(changes(&drafts[0], &live("westeurope")), [] as [&str; 0]);
        assert_eq!(changes(&drafts[0], &live("eastus")), ["location!"]);
    }

    #[test]
    fn issuer_and_subject_are_compared_to_the_letter() {
        let fields = json!({ "federatedCredentials": { "abc": { "issuer": "https://a/", "subject": "S" } } });
        let (drafts, _) = expand("identities", "app", fields);
        let live = json!({ "properties": { "issuer": "https://a", "subject": "s", "audiences": ["api://AzureADTokenExchange"] } });
        assert_eq!(changes(&drafts[1], &live), ["properties.issuer", "properties.subject"]);
    }

    #[test]
    fn refuses_what_azure_refuses() {
        let credential = |fields: serde_json::Value| {
            codes(expand("identities", "app", json!({ "federatedCredentials": { "abc": fields } })))
        };
        let issuer = "https://a/";
        for (fields, code) in [
            (json!({ "issuer": issuer }), "federated-credential-subject"),
            (
                json!({ "issuer": issuer, "subject": "s", "serviceAccount": "a/b" }),
                "federated-credential-subject",
            ),
            (json!({ "issuer": issuer, "serviceAccount": "a" }), "federated-credential-service-account"),
            (json!({ "issuer": issuer, "serviceAccount": "A/b" }), "federated-credential-service-account"),
            (json!({ "issuer": "http://a", "subject": "s" }), "federated-credential-issuer"),
            (json!({ "issuer": issuer, "subject": "s", "audiences": [] }), "federated-credential-audience"),
            (json!({ "issuer": issuer, "subject": "s", "name": "x" }), "federated-credential-name"),
        ] {
            assert_eq!(credential(fields.clone()), [code], "{fields}");
        }
        let twice = json!({ "issuer": issuer, "subject": "s" });
        let fields = json!({ "federatedCredentials": { "one": twice, "two": twice } });
        assert_eq!(codes(expand("identities", "app", fields)), ["federated-credential-twice"]);
        assert_eq!(codes(expand("identities", "x", json!({}))), ["identity-name"]);
    }
}

//! Extensions of a cluster besides Flux, and who else may act in it: trusted access.

use super::types::{EXTENSION, TRUSTED_ACCESS};
use crate::catalog::kinds::naming::{NameRule, alphanumeric};
use crate::catalog::{Draft, EntryCx, Named, Problem, Reference, model};
use crate::diag::Code;
use crate::ident::ArmId;
use crate::value::token::{display_text, has_token};
use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::json;

/// Something that Azure installs in the cluster and keeps up to date, such as Dapr or the backup extension.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub struct ExtensionSpec {
    /// The Azure name; the key when absent.
    name: Option<String>,
    /// Which extension, such as `Microsoft.Dapr` or `Microsoft.DataProtection.Kubernetes` (`extensionType`). It cannot be
    /// changed.
    #[serde(rename = "type")]
    pub(super) kind: String,
    /// The version to stay at; Azure upgrades the extension by itself when absent.
    version: Option<String>,
    /// From where upgrades come, such as `Stable`, which it is when absent.
    release_train: Option<String>,
    /// The namespace that the extension is installed in, for the whole cluster; its own choice when absent. It cannot be
    /// changed (`scope.cluster.releaseNamespace`).
    namespace: Option<String>,
    /// The only namespace that the extension works for, in place of `namespace`. It cannot be changed
    /// (`scope.namespace.targetNamespace`).
    only_namespace: Option<String>,
    /// Its settings, by their names (`configurationSettings`).
    #[serde(default)]
    settings: Named<String>,
    /// Settings that are secret, from parameters with `secret: true` (`configurationProtectedSettings`).
    #[serde(default)]
    secret_settings: Named<String>,
}

/// A service of Azure's that may act in the cluster without an account of its own there.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub struct TrustedAccessSpec {
    /// The Azure name; the key when absent.
    name: Option<String>,
    /// The resource that acts, such as a backup vault (`sourceResourceId`). It cannot be changed.
    #[schemars(extend("x-wants" = "target"))]
    source: Reference,
    /// What it may do, such as `Microsoft.DataProtection/backupVaults/backup-operator`.
    roles: Vec<String>,
}

pub(super) const CODES: &[&Code] =
    &[&CLUSTER_EXTENSION, &CLUSTER_EXTENSION_NAME, &TRUSTED_ACCESS_NAME, &TRUSTED_ACCESS_ROLE];

const CLUSTER_EXTENSION: Code = Code {
    name: "cluster-extension",
    why: "A cluster has one extension of a type; Flux has a section of its own, and an extension works for the cluster or for one namespace.",
    remedy: "Write each type once, Flux under `addons.flux`, and one of the two namespaces.",
    example: "extensions: { dapr: { type: Microsoft.Dapr } }",
};

const CLUSTER_EXTENSION_NAME: Code = Code {
    name: "cluster-extension-name",
    why: "The name cannot be that of an extension of a cluster.",
    remedy: "Use 2 to 40 small letters, digits, `.` and `-`, with a letter or digit at both ends.",
    example: "extensions: { dapr: { name: dapr-shop, type: Microsoft.Dapr } }",
};

const EXTENSION_NAMES: NameRule = NameRule {
    code: &CLUSTER_EXTENSION_NAME,
    what: "an extension",
    min: 2,
    max: 40,
    first: small,
    inner: |c| small(c) || matches!(c, '.' | '-'),
    last: small,
    says: "2 to 40 small letters, digits, `.` and `-`, with a letter or digit at both ends; `name:` is what Azure calls it when the key cannot be",
};

const TRUSTED_ACCESS_NAME: Code = Code {
    name: "trusted-access-name",
    why: "The name cannot be that of a binding of trusted access.",
    remedy: "Use 1 to 24 letters, digits and `-`.",
    example: "trustedAccess: { backup: { source: '${resources.vault}', roles: [Microsoft.DataProtection/backupVaults/backup-operator] } }",
};

const BINDING_NAMES: NameRule = NameRule {
    code: &TRUSTED_ACCESS_NAME,
    what: "a binding of trusted access",
    min: 1,
    max: 24,
    first: |c| alphanumeric(c) || c == '-',
    inner: |c| alphanumeric(c) || c == '-',
    last: |c| alphanumeric(c) || c == '-',
    says: "1 to 24 letters, digits and `-`; `name:` is what Azure calls it when the key cannot be",
};

const TRUSTED_ACCESS_ROLE: Code = Code {
    name: "trusted-access-role",
    why: "What a service may do in a cluster is a role that its own type brings along.",
    remedy: "Write type and role; `az aks trustedaccess role list` lists them.",
    example: "roles: [Microsoft.DataProtection/backupVaults/backup-operator]",
};

fn small(c: char) -> bool {
    c.is_ascii_lowercase() || c.is_ascii_digit()
}

/// Adds the extensions to the cluster.
pub(super) fn extensions(all: &Named<ExtensionSpec>, has_flux: bool, cluster: &ArmId, cx: &mut EntryCx<'_>) {
    let mut seen: Vec<(&str, &str)> = Vec::new();
    for (key, spec) in all {
        let origin = format!("extensions.{key}");
        let name = spec.name.as_deref().unwrap_or(key);
        EXTENSION_NAMES.check(name, &origin, cx);
        let mut wrong = |field: &str, message: String, help: &str| {
            cx.problem(Problem::error(&CLUSTER_EXTENSION, format!("{origin}.{field}"), message).help(help));
        };
        if spec.kind.eq_ignore_ascii_case("microsoft.flux") {
            let help = match has_flux {
                true => "take it out: `addons.flux` installs it",
                false => "write `addons: { flux: { … } }`, which installs it and takes its configurations",
            };
            wrong("type", "Flux is an add-on with fields of its own here".to_owned(), help);
        }
        match seen.iter().find(|(kind, _)| kind.eq_ignore_ascii_case(&spec.kind)) {
            Some((_, first)) => {
                let message = format!(
                    "a cluster has one extension `{}`, and `{first}` is it",
                    display_text(&spec.kind)
                );
                wrong("type", message, "take one of the two out");
            }
            None => seen.push((&spec.kind, key)),
        }
        if spec.namespace.is_some() && spec.only_namespace.is_some() {
            let message = "an extension works for the whole cluster or for one namespace".to_owned();
            wrong("onlyNamespace", message, "leave one of the two out");
        }
        if let Some((name, _)) = spec.secret_settings.iter().find(|(_, value)| !has_token(value)) {
            let message = format!("the value of `{}` is in the blueprint in clear text", display_text(name));
            wrong(
                &format!("secretSettings.{name}"),
                message,
                "use a parameter with `secret: true`, or put it under `settings` if it is not secret",
            );
        }
        let scope = match (&spec.namespace, &spec.only_namespace) {
            (Some(namespace), _) => Some(json!({ "cluster": { "releaseNamespace": namespace } })),
            (None, Some(namespace)) => Some(json!({ "namespace": { "targetNamespace": namespace } })),
            (None, None) => None,
        };
        let settings = (!spec.settings.is_empty()).then_some(&spec.settings);
        let secrets = (!spec.secret_settings.is_empty()).then_some(&spec.secret_settings);
        let properties = model(&json!({
            "extensionType": spec.kind,
            "autoUpgradeMinorVersion": spec.version.is_none(),
            "version": spec.version,
            "releaseTrain": spec.release_train,
            "scope": scope,
            "configurationSettings": settings,
            "configurationProtectedSettings": secrets,
        }));
        let address = cx.address.child("extensions").child(key);
        let id = cluster.provider(EXTENSION.arm_type, &[name]);
        let body = json!({ "properties": properties });
        cx.also(Draft::new(address, id.as_str(), &EXTENSION, body).origin(origin));
    }
}

/// Adds the bindings of trusted access to the cluster.
pub(super) fn trusted_access(all: &Named<TrustedAccessSpec>, cluster: &ArmId, cx: &mut EntryCx<'_>) {
    for (key, spec) in all {
        let origin = format!("trustedAccess.{key}");
        let name = spec.name.as_deref().unwrap_or(key);
        BINDING_NAMES.check(name, &origin, cx);
        let is_role = |text: &str| {
            has_token(text)
                || text.contains('.') && text.split('/').filter(|part| !part.is_empty()).count() == 3
        };
        for (at, role) in spec.roles.iter().enumerate().filter(|(_, role)| !is_role(role)) {
            let message = format!("`{}` is not a role of trusted access", display_text(role));
            cx.problem(Problem::error(&TRUSTED_ACCESS_ROLE, format!("{origin}.roles[{at}]"), message).help(
                "write type and role, such as `Microsoft.DataProtection/backupVaults/backup-operator`",
            ));
        }
        if spec.roles.is_empty() {
            let message = "this lets nothing be done";
            cx.problem(
                Problem::error(&TRUSTED_ACCESS_ROLE, format!("{origin}.roles"), message)
                    .help("name a role, such as `Microsoft.DataProtection/backupVaults/backup-operator`"),
            );
        }
        if spec.source.path().is_none() && spec.source.literal_id().is_none() {
            let message = format!("`{}` is not a resource", display_text(&spec.source.0));
            cx.problem(
                Problem::error(&TRUSTED_ACCESS_ROLE, format!("{origin}.source"), message)
                    .help("write a reference such as `${resources.vault}`, or an ARM id"),
            );
        }
        let body = json!({ "properties": { "sourceResourceId": spec.source.id(), "roles": spec.roles } });
        let address = cx.address.child("trustedAccess").child(key);
        let id = cluster.child("trustedAccessRoleBindings", name);
        cx.also(Draft::new(address, id.as_str(), &TRUSTED_ACCESS, body).origin(origin));
    }
}

#[cfg(test)]
mod tests {
    use crate::catalog::kinds::testing::{codes, expand, id, reference, secret, wants};
    use serde_json::{Value, json};

    fn cluster(more: Value) -> Value {
        let mut fields = json!({ "nodePools": { "system": { "mode": "System", "count": 1 } } });
        crate::catalog::merge_over(&mut fields, &more);
        fields
    }

    #[test]
    fn extensions_and_bindings_are_resources_of_the_cluster() {
        let token = secret("token");
        let (drafts, problems) = expand(
            "clusters",
            "aks",
            cluster(json!({
                "extensions": {
                    "dapr": { "type": "Microsoft.Dapr", "namespace": "dapr-system", "settings": { "global.ha.enabled": "true" } },
                    "backup": { "name": "azure-backup", "type": "Microsoft.DataProtection.Kubernetes", "version": "1.2.3",
                        "secretSettings": { "credentials.token": token } },
                },
                "trustedAccess": { "backup": {
                    "source": reference("resources.vault"), "roles": ["Microsoft.DataProtection/backupVaults/backup-operator"],
                } },
            })),
        );
        assert_eq!(problems, []);
        let draft = |address: &str| drafts.iter().find(|draft| draft.address.as_str() == address).unwrap();
        let aks = id(draft("clusters.aks")).to_owned();
        let dapr = draft("clusters.aks.extensions.dapr");
        assert_eq!(id(dapr), format!("{aks}/providers/Microsoft.KubernetesConfiguration/extensions/dapr"));
        assert_eq!(
            dapr.body["properties"],
            json!({
                "extensionType": "Microsoft.Dapr", "autoUpgradeMinorVersion": true,
                "scope": { "cluster": { "releaseNamespace": "dapr-system" } },
                "configurationSettings": { "global.ha.enabled": "true" },
            })
        );
        let backup = draft("clusters.aks.extensions.backup");
        assert!(id(backup).ends_with("/extensions/azure-backup"));
        assert_eq!(backup.body["properties"]["autoUpgradeMinorVersion"], json!(false));
        let bound = draft("clusters.aks.trustedAccess.backup");
        assert_eq!(id(bound), format!("{aks}/trustedAccessRoleBindings/backup"));
        assert_eq!(bound.body["properties"]["sourceResourceId"], json!(wants("resources.vault", "id")));
    }

    #[test]
    fn says_what_cannot_be() {
        for (more, code) in [
            (json!({ "extensions": { "a": { "type": "microsoft.flux" } } }), "cluster-extension"),
            (
                json!({ "extensions": { "aa": { "type": "X.Y" }, "bb": { "type": "x.y" } } }),
                "cluster-extension",
            ),
            (
                json!({ "extensions": { "aa": { "type": "X.Y", "namespace": "a", "onlyNamespace": "b" } } }),
                "cluster-extension",
            ),
            (
                json!({ "extensions": { "aa": { "type": "X.Y", "secretSettings": { "a": "hunter2" } } } }),
                "cluster-extension",
            ),
            (json!({ "extensions": { "aA": { "type": "X.Y" } } }), "cluster-extension-name"),
            (
                json!({ "trustedAccess": { "a_b": { "source": reference("resources.v"), "roles": ["A.B/c/d"] } } }),
                "trusted-access-name",
            ),
            (
                json!({ "trustedAccess": { "a": { "source": reference("resources.v"), "roles": ["admin"] } } }),
                "trusted-access-role",
            ),
            (
                json!({ "trustedAccess": { "a": { "source": reference("resources.v"), "roles": [] } } }),
                "trusted-access-role",
            ),
            (
                json!({ "trustedAccess": { "a": { "source": "vault", "roles": ["A.B/c/d"] } } }),
                "trusted-access-role",
            ),
        ] {
            let found = codes(expand("clusters", "aks", cluster(more.clone())));
            assert!(found.contains(&code), "{more}: {found:?}");
        }
    }
}

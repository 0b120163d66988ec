//! Keys in key vaults: `Microsoft.KeyVault/vaults/keys`
//! (<https://learn.microsoft.com/azure/templates/microsoft.keyvault/vaults/keys>).
//!
//! ARM makes a key and then only shows it: a PUT to one that exists answers with what is there, and there is no DELETE. So a
//! key is never changed in place, and what a changed entry would need is another key.

use super::key_vault::{API_VERSION, VAULT};
use super::key_vault_secret::{VAULT_ITEM, instant};
use super::naming::NameRule;
use crate::catalog::{
    DeleteMode, Draft, EntryCx, Facet, Lane, Listing, Problem, ResourceType, UpdateMode, model,
};
use crate::diag::Code;
use crate::ident::ArmId;
use crate::value::Rule;
use crate::value::token::display_text;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use std::time::Duration;

/// A key in a vault.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub struct KeySpec {
    /// The Azure name; the key when absent.
    name: Option<String>,
    /// `RSA` (when absent), `EC`, or `RSA-HSM` and `EC-HSM` in a vault with `sku: premium` (`kty`).
    #[serde(rename = "type")]
    kind: Option<KeyKind>,
    /// The size of an RSA key in bits: 2048 (when absent), 3072 or 4096 (`keySize`).
    size: Option<i64>,
    /// The curve of an EC key: `P-256` (when absent), `P-384`, `P-521` or `P-256K` (`curveName`).
    curve: Option<Curve>,
    /// What the key may be used for, such as `[wrapKey, unwrapKey]`; everything that its type can when absent (`keyOps`).
    #[serde(default)]
    operations: Vec<Operation>,
    /// Whether it can be used; Azure's default (`true`) when absent.
    enabled: Option<bool>,
    /// From when on it can be used: `2026-01-31`, or `2026-01-31T12:00:00Z`.
    not_before: Option<String>,
    /// Until when it can be used: `2027-01-31`, or `2027-01-31T12:00:00Z`.
    expires: Option<String>,
    /// When the vault makes a new version by itself.
    rotation: Option<RotationSpec>,
}

/// When a vault makes a new version of a key by itself. Durations are those of ISO 8601: `P90D`, `P18M`, `P1Y`.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub struct RotationSpec {
    /// How long after a version was made the next one is.
    #[schemars(example = &"P90D")]
    every: Option<String>,
    /// How long before a version expires the next one is made, in place of `every`; it needs `expiresAfter`.
    before_expiry: Option<String>,
    /// How long a new version can be used, 28 days at least; for ever when absent.
    #[schemars(example = &"P1Y")]
    expires_after: Option<String>,
    /// How long before a version expires the vault raises an event; it needs `expiresAfter`.
    notify_before_expiry: Option<String>,
}

/// What a key is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
pub enum KeyKind {
    /// `RSA`, in software.
    #[serde(rename = "RSA")]
    Rsa,
    /// `EC`, in software.
    #[serde(rename = "EC")]
    Ec,
    /// `RSA-HSM`, in hardware.
    #[serde(rename = "RSA-HSM")]
    RsaHsm,
    /// `EC-HSM`, in hardware.
    #[serde(rename = "EC-HSM")]
    EcHsm,
}

impl KeyKind {
    fn is_rsa(self) -> bool {
        matches!(self, KeyKind::Rsa | KeyKind::RsaHsm)
    }

    fn in_hardware(self) -> bool {
        matches!(self, KeyKind::RsaHsm | KeyKind::EcHsm)
    }
}

/// The curve of an EC key.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
pub enum Curve {
    /// `P-256`
    #[serde(rename = "P-256")]
    P256,
    /// `P-384`
    #[serde(rename = "P-384")]
    P384,
    /// `P-521`
    #[serde(rename = "P-521")]
    P521,
    /// `P-256K`
    #[serde(rename = "P-256K")]
    P256K,
}

/// What a key may be used for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub enum Operation {
    /// To encrypt.
    Encrypt,
    /// To decrypt.
    Decrypt,
    /// To sign.
    Sign,
    /// To verify signatures.
    Verify,
    /// To encrypt other keys.
    WrapKey,
    /// To decrypt other keys.
    UnwrapKey,
}

/// The type of a key.
pub(crate) const VAULT_KEY: &str = "Microsoft.KeyVault/vaults/keys";

/// A key.
pub static KEY: ResourceType = ResourceType {
    update: UpdateMode::Never,
    obstacle: Some(obstacle),
    delete: DeleteMode::WithParent,
    tags: false,
    lanes: &[Lane::Ancestor(VAULT)],
    rules: &[
        Rule::at("properties.kty").default("\"RSA\""),
        Rule::at("properties.keyOps").set(),
        Rule::at("properties.attributes.enabled").default("true"),
        Rule::at("properties.attributes.nbf").instant(),
        Rule::at("properties.attributes.exp").instant(),
        Rule::at("properties.attributes.created").read_only(),
        Rule::at("properties.attributes.updated").read_only(),
        Rule::at("properties.attributes.recoveryLevel").read_only(),
        Rule::at("properties.rotationPolicy.attributes.created").read_only(),
        Rule::at("properties.rotationPolicy.attributes.updated").read_only(),
        Rule::at("properties.rotationPolicy.lifetimeActions").keyed("action.type"),
        Rule::at("properties.keyUri").read_only(),
        Rule::at("properties.keyUriWithVersion").read_only(),
    ],
    facets: &[
        Facet::new("uri", "/properties/keyUri", "the URL of the key's latest version"),
        Facet::new("versionedUri", "/properties/keyUriWithVersion", "the URL of exactly this version"),
    ],
    listing: Listing::None,
    expected: Duration::from_secs(4),
    ..ResourceType::new(VAULT_KEY, API_VERSION, "key")
};

/// ARM changes no key and deletes none.
fn obstacle(_live: &Value, _wanted: &Value, _replaces: bool) -> Option<(String, String)> {
    Some((
        "Azure makes a key and never changes it afterwards, and its name stays taken".to_owned(),
        "take the change back, or give the key another `name:`; the old one stays in the vault".to_owned(),
    ))
}

/// The diagnostics of this file.
pub(super) const CODES: &[&Code] = &[&KEY_NAME, &KEY_KIND, &KEY_ROTATION];

const KEY_NAME: Code = Code {
    name: "key-name",
    why: "The name cannot be that of a key in a vault.",
    remedy: "Use 1 to 127 letters, digits and `-`.",
    example: "name: disk-encryption",
};

const KEY_NAMES: NameRule = NameRule { code: &KEY_NAME, what: "a key", ..VAULT_ITEM };

const KEY_KIND: Code = Code {
    name: "key-kind",
    why: "A key is an RSA key with a size, or an EC key with a curve; each can only do some things, and one in hardware needs a premium vault.",
    remedy: "Leave out what is not of its type.",
    example: "keys: { disks: { type: RSA, size: 3072 } }",
};

const KEY_ROTATION: Code = Code {
    name: "key-rotation",
    why: "A vault makes new versions of a key at times that are counted from a version's creation or from its end.",
    remedy: "Write durations of ISO 8601, 7 days at least, and `expiresAfter` where something counts from the end.",
    example: "rotation: { every: P90D, expiresAfter: P120D }",
};

/// Seven days, in days; and twenty-eight.
const LEAST: i64 = 7;
const LEAST_LIFE: i64 = 28;

impl KeySpec {
    /// Adds the key of this name to the vault.
    pub(super) fn expand(self, key: &str, vault: &ArmId, premium: bool, cx: &mut EntryCx<'_>) {
        let origin = format!("keys.{key}");
        let name = self.name.as_deref().unwrap_or(key);
        KEY_NAMES.check(name, &origin, cx);
        self.check(&origin, premium, cx);
        let attributes = json!({
            "enabled": self.enabled,
            "nbf": instant(self.not_before.as_deref(), &format!("{origin}.notBefore"), cx),
            "exp": instant(self.expires.as_deref(), &format!("{origin}.expires"), cx),
        });
        let attributes = model(&attributes);
        let operations = (!self.operations.is_empty()).then_some(&self.operations);
        let body = json!({
            "kty": self.kind.unwrap_or(KeyKind::Rsa),
            "keySize": self.size,
            "curveName": self.curve,
            "keyOps": operations,
            "attributes": attributes.as_object().filter(|all| !all.is_empty()),
            "rotationPolicy": self.rotation.as_ref().map(RotationSpec::policy),
        });
        let address = cx.address.child("keys").child(key);
        let id = vault.child("keys", name);
        let body = json!({ "properties": model(&body) });
        let draft = Draft::new(address, id.as_str(), &KEY, body).origin(origin);
        cx.also(draft.initially_if(&[("properties.kty", self.kind.is_none())]));
    }

    fn check(&self, origin: &str, premium: bool, cx: &mut EntryCx<'_>) {
        let kind = self.kind.unwrap_or(KeyKind::Rsa);
        let mut wrong = |field: &str, message: String, help: &str| {
            cx.problem(Problem::error(&KEY_KIND, format!("{origin}.{field}"), message).help(help));
        };
        if kind.in_hardware() && !premium {
            wrong(
                "type",
                "a key in hardware needs a premium vault".to_owned(),
                "write `sku: premium` in the vault",
            );
        }
        match (kind.is_rsa(), self.size, self.curve) {
            (true, _, Some(_)) => {
                wrong(
                    "curve",
                    "an RSA key has no curve".to_owned(),
                    "write `type: EC`, or leave `curve` out",
                );
            }
            (false, Some(_), _) => {
                wrong(
                    "size",
                    "an EC key has no size".to_owned(),
                    "write `curve:` in its place, or `type: RSA`",
                );
            }
            (true, Some(size), _) if ![2048, 3072, 4096].contains(&size) => {
                wrong("size", format!("{size} is not a size of RSA keys"), "write 2048, 3072 or 4096");
            }
            _ => {}
        }
        let signs = |operation: &Operation| matches!(operation, Operation::Sign | Operation::Verify);
        if let Some(at) = self.operations.iter().position(|operation| !kind.is_rsa() && !signs(operation)) {
            let message = "an EC key can sign and verify only".to_owned();
            wrong(&format!("operations[{at}]"), message, "take it out, or write `type: RSA`");
        }
        if let Some(rotation) = &self.rotation {
            rotation.check(&format!("{origin}.rotation"), cx);
        }
    }
}

impl RotationSpec {
    fn policy(&self) -> Value {
        let mut actions = Vec::new();
        if self.every.is_some() || self.before_expiry.is_some() {
            actions.push(json!({
                "trigger": model(&json!({ "timeAfterCreate": self.every, "timeBeforeExpiry": self.before_expiry })),
                "action": { "type": "rotate" },
            }));
        }
        if let Some(before) = &self.notify_before_expiry {
            actions
                .push(json!({ "trigger": { "timeBeforeExpiry": before }, "action": { "type": "notify" } }));
        }
        json!({
            "attributes": self.expires_after.as_ref().map(|after| json!({ "expiryTime": after })),
            "lifetimeActions": actions,
        })
    }

    fn check(&self, path: &str, cx: &mut EntryCx<'_>) {
        let mut wrong = |field: &str, message: String, help: &str| {
            let path = if field.is_empty() { path.to_owned() } else { format!("{path}.{field}") };
            cx.problem(Problem::error(&KEY_ROTATION, path, message).help(help));
        };
        let life = self.expires_after.as_deref().map(days);
        for (field, text, least) in [
            ("every", &self.every, LEAST),
            ("beforeExpiry", &self.before_expiry, LEAST),
            ("notifyBeforeExpiry", &self.notify_before_expiry, LEAST),
            ("expiresAfter", &self.expires_after, LEAST_LIFE),
        ] {
            let Some(text) = text else { continue };
            match days(text) {
                None => wrong(
                    field,
                    format!("`{}` is not a duration of days, months or years", display_text(text)),
                    "write one of ISO 8601, such as `P90D`, `P18M` or `P1Y`",
                ),
                Some(found) if found < least => {
                    wrong(
                        field,
                        format!("`{text}` is less than {least} days"),
                        &format!("write `P{least}D` or more"),
                    );
                }
                Some(_) => {}
            }
        }
        match (&self.every, &self.before_expiry) {
            (None, None) if self.notify_before_expiry.is_none() => {
                wrong("", "this says nothing of when".to_owned(), "add `every: P90D`");
            }
            (Some(_), Some(_)) => {
                wrong(
                    "beforeExpiry",
                    "a key is rotated by one clock".to_owned(),
                    "leave `every` or `beforeExpiry` out",
                );
            }
            _ => {}
        }
        for (field, said) in
            [("beforeExpiry", &self.before_expiry), ("notifyBeforeExpiry", &self.notify_before_expiry)]
        {
            if said.is_some() && life.is_none() {
                wrong(
                    field,
                    "without an end there is nothing to count from".to_owned(),
                    "add `expiresAfter: P1Y`",
                );
            }
        }
        if let (Some(every), Some(Some(life))) = (self.every.as_deref().and_then(days), life)
            && every + LEAST > life
        {
            let message =
                "a version would end before, or less than 7 days after, the next one is made".to_owned();
            wrong("every", message, "make `expiresAfter` at least 7 days longer than `every`");
        }
    }
}

/// The days of a duration of ISO 8601 without hours: `P90D`, `P18M`, `P1Y`, `P1Y6M`. A month counts as 30 days.
fn days(text: &str) -> Option<i64> {
    let mut rest = text.strip_prefix('P')?;
    let mut days = 0;
    let mut units = [('Y', 365), ('M', 30), ('W', 7), ('D', 1)].into_iter();
    while !rest.is_empty() {
        let end = rest.find(|c: char| !c.is_ascii_digit())?;
        let number: i64 = rest[..end].parse().ok()?;
        let unit = rest[end..].chars().next()?;
        let (_, length) = units.find(|(known, _)| *known == unit)?;
        days += number.checked_mul(length)?;
        rest = &rest[end + 1..];
    }
    (text.len() > 1).then_some(days)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::catalog::kinds::testing::{changes, codes, expand, id};

    #[test]
    fn a_key_is_made_as_it_is_written() {
        let fields = json!({ "keys": {
            "disks": { "type": "RSA", "size": 3072, "operations": ["wrapKey", "unwrapKey"],
                "rotation": { "every": "P90D", "expiresAfter": "P120D", "notifyBeforeExpiry": "P30D" } },
            "sign": { "type": "EC", "curve": "P-384", "enabled": true },
            "plain": {},
        } });
        let (drafts, problems) = expand("keyVaults", "vault", fields);
        assert_eq!(problems, []);
        assert_eq!(id(&drafts[1]), format!("{}/keys/disks", id(&drafts[0])));
        assert_eq!(
            drafts[1].body,
            json!({ "properties": {
                "kty": "RSA", "keySize": 3072, "keyOps": ["wrapKey", "unwrapKey"],
                "rotationPolicy": {
                    "attributes": { "expiryTime": "P120D" },
                    "lifetimeActions": [
                        { "trigger": { "timeAfterCreate": "P90D" }, "action": { "type": "rotate" } },
                        { "trigger": { "timeBeforeExpiry": "P30D" }, "action": { "type": "notify" } },
                    ],
                },
            } })
        );
        assert_eq!(
            drafts[2].body,
            json!({ "properties": { "kty": "EC", "curveName": "P-384", "attributes": { "enabled": true } } })
        );
        // What the entry leaves out is chosen once.
        let live = json!({ "properties": { "kty": "EC", "curveName": "P-256", "keyUri": "https://x" } });
        assert_eq!(changes(&drafts[3], &live), [] as [&str; 0]);
    }

    #[test]
    fn says_what_cannot_be() {
        for (key, code) in [
            (json!({ "name": "a_b" }), "key-name"),
            (json!({ "type": "RSA", "curve": "P-256" }), "key-kind"),
            (json!({ "type": "EC", "size": 2048 }), "key-kind"),
            (json!({ "size": 1024 }), "key-kind"),
            (json!({ "type": "EC", "operations": ["sign", "wrapKey"] }), "key-kind"),
            (json!({ "type": "RSA-HSM" }), "key-kind"),
            (json!({ "expires": "soon" }), "secret-time"),
            (json!({ "rotation": {} }), "key-rotation"),
            (json!({ "rotation": { "every": "90d" } }), "key-rotation"),
            (json!({ "rotation": { "every": "P3D" } }), "key-rotation"),
            (json!({ "rotation": { "beforeExpiry": "P30D" } }), "key-rotation"),
            (json!({ "rotation": { "every": "P90D", "expiresAfter": "P90D" } }), "key-rotation"),
        ] {
            let fields = json!({ "keys": { "k": key } });
            assert_eq!(codes(expand("keyVaults", "vault", fields.clone())), [code], "{fields}");
        }
        let premium = json!({ "sku": "premium", "keys": { "k": { "type": "EC-HSM" } } });
        assert_eq!(codes(expand("keyVaults", "vault", premium)), [] as [&str; 0]);
    }

    #[test]
    fn durations_in_days() {
        for (text, found) in [
            ("P90D", Some(90)),
            ("P1Y", Some(365)),
            ("P1Y6M", Some(545)),
            ("P2W", Some(14)),
            ("PT12H", None),
            ("P", None),
            ("P6M1Y", None),
            ("90D", None),
        ] {
            assert_eq!(days(text), found, "{text}");
        }
    }
}

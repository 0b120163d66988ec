//! Secrets in key vaults: `Microsoft.KeyVault/vaults/secrets`
//! (<https://learn.microsoft.com/azure/templates/microsoft.keyvault/vaults/secrets>).
//!
//! ARM never returns a value, so it is compared by digest, and it cannot delete a secret, so one goes with its vault.

use super::key_vault::{API_VERSION, VAULT};
use super::naming::{NameRule, alphanumeric};
use crate::catalog::{
    DeleteMode, Draft, EntryCx, Facet, Lane, Listing, Problem, ResourceType, UpdateMode, model,
};
use crate::diag::Code;
use crate::ident::ArmId;
use crate::models::key_vault as models;
use crate::value::Rule;
use crate::value::token::{display_text, has_token};
use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::json;
use std::time::Duration;

/// A secret in a vault.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub struct SecretSpec {
    /// The Azure name; the key when absent.
    name: Option<String>,
    /// The secret: a parameter with `secret: true`, or what another resource of the blueprint gives.
    value: String,
    /// What the value is, such as `text/plain`; for those who read it.
    content_type: Option<String>,
    /// Whether it can be read; Azure's default (`true`) when absent.
    enabled: Option<bool>,
    /// From when on it can be read: `2026-01-31`, or `2026-01-31T12:00:00Z`.
    not_before: Option<String>,
    /// Until when it can be read: `2027-01-31`, or `2027-01-31T12:00:00Z`.
    expires: Option<String>,
}

/// A secret.
pub static SECRET: ResourceType = ResourceType {
    // Every PUT makes a new version, even of the same value.
    update: UpdateMode::Patch,
    delete: DeleteMode::WithParent,
    tags: false,
    lanes: &[Lane::Ancestor(VAULT)],
    rules: &[
        Rule::at("properties.value").write_only(),
        Rule::at("properties.attributes.enabled").default("true"),
        // A PATCH keeps what it leaves out; a new version has only what it is given.
        Rule::at("properties.attributes.nbf").instant().default("null"),
        Rule::at("properties.attributes.exp").instant().default("null"),
        Rule::at("properties.contentType").default("null"),
        Rule::at("properties.attributes.created").read_only(),
        Rule::at("properties.attributes.updated").read_only(),
        Rule::at("properties.secretUri").read_only(),
        Rule::at("properties.secretUriWithVersion").read_only(),
    ],
    facets: &[
        Facet::new("uri", "/properties/secretUri", "the URL of the secret's latest version"),
        Facet::new("versionedUri", "/properties/secretUriWithVersion", "the URL of exactly this version"),
    ],
    version: Some(("/properties/secretUriWithVersion", "properties.value")),
    listing: Listing::Collection,
    expected: Duration::from_secs(3),
    ..ResourceType::new("Microsoft.KeyVault/vaults/secrets", API_VERSION, "secret")
};

/// The diagnostics of this file.
pub(super) const CODES: &[&Code] = &[&SECRET_NAME, &SECRET_IN_CLEAR, &SECRET_TIME];

const SECRET_NAME: Code = Code {
    name: "secret-name",
    why: "The name cannot be that of a secret in a vault.",
    remedy: "Use 1 to 127 letters, digits and `-`.",
    example: "name: database-password",
};

/// What is in a vault has names of one form.
pub(super) const VAULT_ITEM: NameRule = NameRule {
    code: &SECRET_NAME,
    what: "a secret",
    min: 1,
    max: 127,
    first: |c| alphanumeric(c) || c == '-',
    inner: |c| alphanumeric(c) || c == '-',
    last: |c| alphanumeric(c) || c == '-',
    says: "1 to 127 letters, digits and `-`; `name:` is what Azure calls it when the key cannot be",
};

pub(crate) const SECRET_IN_CLEAR: Code = Code {
    name: "secret-in-clear",
    why: "The secret is in the blueprint in clear text: everybody who can read the repository can read it.",
    remedy: "Use a parameter with `secret: true`, and give its value in the environment.",
    example: "value: ${param.databasePassword}",
};

impl SecretSpec {
    /// Adds the secret of this key to the vault.
    pub(super) fn expand(self, key: &str, vault: &ArmId, cx: &mut EntryCx<'_>) {
        let origin = format!("secrets.{key}");
        let name = self.name.as_deref().unwrap_or(key);
        VAULT_ITEM.check(name, &origin, cx);
        if !has_token(&self.value) {
            let message = "the value of this secret is in the blueprint in clear text";
            cx.problem(
                Problem::error(&SECRET_IN_CLEAR, format!("{origin}.value"), message)
                    .help("use a parameter with `secret: true`, as in `value: ${param.databasePassword}`"),
            );
        }
        let attributes = models::Attributes {
            enabled: self.enabled,
            nbf: instant(self.not_before.as_deref(), &format!("{origin}.notBefore"), cx),
            exp: instant(self.expires.as_deref(), &format!("{origin}.expires"), cx),
            ..models::Attributes::default()
        };
        let says_attributes = attributes != models::Attributes::default();
        let properties = models::SecretProperties {
            value: Some(self.value),
            content_type: self.content_type,
            attributes: says_attributes.then_some(models::SecretAttributes { attributes }),
            ..models::SecretProperties::default()
        };
        let body = json!({ "properties": model(&properties) });
        let address = cx.address.child("secrets").child(key);
        let id = vault.child("secrets", name);
        cx.also(Draft::new(address, id.as_str(), &SECRET, body).origin(origin));
    }
}

const SECRET_TIME: Code = Code {
    name: "secret-time",
    why: "When a secret or key begins or ends to count is a time in UTC, the end after the beginning.",
    remedy: "Write a date or a time.",
    example: "expires: 2027-01-31T12:00:00Z",
};

/// The seconds since 1970 of a date or time, or a problem.
pub(super) fn instant(text: Option<&str>, path: &str, cx: &mut EntryCx<'_>) -> Option<i64> {
    let text = text?;
    let seconds = seconds_since_epoch(text);
    if seconds.is_none() {
        let message = format!("`{}` is not a point in time", display_text(text));
        cx.problem(
            Problem::error(&SECRET_TIME, path, message)
                .help("write a date such as `2027-01-31`, or a time in UTC such as `2027-01-31T12:00:00Z`"),
        );
    }
    seconds
}

fn seconds_since_epoch(text: &str) -> Option<i64> {
    let (date, time) = match text.split_once(['T', 't', ' ']) {
        Some((date, time)) => (date, time.strip_suffix(['Z', 'z'])?),
        None => (text, "00:00:00"),
    };
    let [year, month, day] = numbers(date, '-', [4, 2, 2])?;
    let [hour, minute, second] = numbers(time, ':', [2, 2, 2])?;
    let leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
    let length = match month {
        4 | 6 | 9 | 11 => 30,
        2 => 28 + i64::from(leap),
        1..=12 => 31,
        _ => return None,
    };
    if !(1970..=9999).contains(&year)
        || !(1..=length).contains(&day)
        || hour > 23
        || minute > 59
        || second > 59
    {
        return None;
    }
    // Days from the civil calendar, counting years from March so that a leap day is the last of its year.
    let years = if month > 2 { year } else { year - 1 };
    let day_of_year = (153 * ((month + 9) % 12) + 2) / 5 + day - 1;
    let days = years * 365 + years / 4 - years / 100 + years / 400 + day_of_year - 719_468;
    Some(days * 86_400 + hour * 3_600 + minute * 60 + second)
}

/// Three numbers of fixed lengths.
fn numbers(text: &str, between: char, lengths: [usize; 3]) -> Option<[i64; 3]> {
    let mut parts = text.split(between);
    let mut found = [0; 3];
    for (number, length) in found.iter_mut().zip(lengths) {
        let part = parts.next()?;
        if part.len() != length || !part.bytes().all(|b| b.is_ascii_digit()) {
            return None;
        }
        *number = part.parse().ok()?;
    }
    parts.next().is_none().then_some(found)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::catalog::kinds::testing::{changes, codes, expand, id, secret};

    #[test]
    fn a_secret_passes_through_unseen() {
        let value = secret("password");
        let (drafts, problems) = expand(
            "keyVaults",
            "vault",
            json!({ "secrets": { "password": {
                "value": value, "contentType": "text/plain", "expires": "2027-01-31", "enabled": true,
            } } }),
        );
        assert_eq!(problems, []);
        assert_eq!(id(&drafts[1]), format!("{}/secrets/password", id(&drafts[0])));
        assert_eq!(drafts[1].address.as_str(), "keyVaults.vault.secrets.password");
        assert_eq!(
            drafts[1].body,
            json!({ "properties": {
                "value": value, "contentType": "text/plain",
                "attributes": { "enabled": true, "exp": 1_801_353_600 },
            } })
        );
        // ARM answers with everything but the value.
        let live = json!({ "properties": {
            "contentType": "text/plain",
            "attributes": { "enabled": true, "exp": 1_801_353_600, "created": 1, "updated": 1 },
            "secretUri": "https://vault.vault.azure.net/secrets/password",
        } });
        assert_eq!(changes(&drafts[1], &live), [] as [&str; 0]);
    }

    #[test]
    fn points_in_time() {
        for (text, seconds) in [
            ("1970-01-01", Some(0)),
            ("2000-02-29T23:59:59Z", Some(951_868_799)),
            ("2024-12-31", Some(1_735_603_200)),
            ("2023-02-29", None),
            ("2027-13-01", None),
            ("2027-1-1", None),
            ("2027-01-01T12:00:00", None),
            ("2027-01-01T24:00:00Z", None),
            ("tomorrow", None),
        ] {
            assert_eq!(seconds_since_epoch(text), seconds, "{text}");
        }
    }

    #[test]
    fn refuses_what_cannot_be() {
        for (fields, code) in [
            (json!({ "secrets": { "a_b": { "value": secret("x") } } }), "secret-name"),
            (json!({ "secrets": { "a": { "value": "hunter2" } } }), "secret-in-clear"),
            (json!({ "secrets": { "a": { "value": secret("x"), "expires": "soon" } } }), "secret-time"),
        ] {
            assert_eq!(codes(expand("keyVaults", "vault", fields.clone())), [code], "{fields}");
        }
    }

    #[test]
    fn no_problem_repeats_a_secret_in_clear() {
        let fields = json!({ "secrets": { "a": { "value": "hunter2" } } });
        let (_, problems) = expand("keyVaults", "vault", fields);
        assert!(!format!("{problems:?}").contains("hunter2"));
    }
}

//! Key vaults, their secrets and keys: `Microsoft.KeyVault/vaults`
//! (<https://learn.microsoft.com/azure/templates/microsoft.keyvault/vaults>).
//!
//! Secrets are written through ARM (`vaults/secrets`), not through the vault's own endpoint: that works while the
//! vault is closed to public networks and asks for no role on its data. ARM never returns a secret's value and cannot
//! delete one, so values are compared by digest and a dropped secret stays until its vault goes.

mod body;
mod checks;
mod spec;
#[cfg(test)]
mod tests;
mod types;

pub use spec::Spec;
pub use types::KEY_VAULT;
pub(super) use types::{API_VERSION, VAULT};

use crate::catalog::kinds::{key_vault_key, key_vault_secret};
use crate::catalog::{Draft, EntryCx, EntryKind, Merged, Nested, ResourceType};
use crate::diag::Code;

/// A key vault.
pub struct KeyVault;

impl EntryKind for KeyVault {
    const SECTION: &'static str = "keyVaults";
    const TITLE: &'static str = "key vault";
    const ARM_TYPE: &'static str = VAULT;
    const ABOUT: &'static str = "A key vault, and the secrets and keys that the blueprint puts into it. A deleted vault keeps its \
        name until it is purged; when berth meets such a name it plans to recover the vault.";
    const EXAMPLE: &'static str = "\
parameters:
  databasePassword: { type: string, secret: true }
identities:
  app: { name: id-shop-app }
keyVaults:
  secrets:
    name: kv-shop-${uniqueString(azure.resourceGroup)}
    publicAccess: false
    purgeProtection: true
    secrets:
      databasePassword:
        name: database-password
        value: ${param.databasePassword}
        contentType: text/plain
    keys:
      disks: { type: RSA, size: 3072, rotation: { every: P90D, expiresAfter: P120D } }
  legacy:
    name: kv-old-${uniqueString(azure.resourceGroup)}
    authorization: accessPolicies
    accessPolicies:
      app: { principal: '${identities.app}', secrets: [get, list] }
    networkRules:
      ips: [203.0.113.7]
";
    const TYPES: &'static [&'static ResourceType] =
        &[&KEY_VAULT, &super::key_vault_secret::SECRET, &super::key_vault_key::KEY];
    const NESTED: &'static [Nested] = &[Nested::at("secrets.*"), Nested::at("keys.*")];
    const MERGED: &'static [Merged] = &[Merged::list("accessPolicies", "properties.accessPolicies")];
    const CODES: &'static [&'static [&'static Code]] =
        &[checks::CODES, key_vault_key::CODES, key_vault_secret::CODES, super::subnets::CODES];
    type Spec = Spec;

    fn expand(spec: Spec, cx: &mut EntryCx<'_>) {
        let name = cx.common.name.clone();
        spec.check(cx);
        let body = cx.tracked(spec.properties(&cx.common.tenant));
        let vault = cx.id(VAULT, &[&name]);
        let unsaid = [
            ("properties.enableRbacAuthorization", spec.authorization.is_none()),
            ("properties.sku", spec.sku.is_none()),
        ];
        cx.main(Draft::new(cx.address.clone(), vault.as_str(), &KEY_VAULT, body).initially_if(&unsaid));
        let premium = spec.sku == Some(spec::Sku::Premium);
        for (key, secret) in spec.secrets {
            secret.expand(&key, &vault, cx);
        }
        for (key, made) in spec.keys {
            made.expand(&key, &vault, premium, cx);
        }
    }
}

//! The ARM types of a key vault.

use crate::catalog::kinds::subnets;
use crate::catalog::{
    Facet, Lane, Listing, Preflight, ResourceType, Severity, SoftDeletion, Turn, UpdateMode, Weight,
};
use crate::value::Rule;
use std::time::Duration;

pub(crate) const API_VERSION: &str = "2026-02-01";

pub(crate) const VAULT: &str = "Microsoft.KeyVault/vaults";

/// The vault itself.
pub static KEY_VAULT: ResourceType = ResourceType {
    severity: &[
        Weight::new(
            "properties.enableRbacAuthorization",
            Turn::Any,
            Severity::High,
            "other rules decide who may read",
        ),
        Weight::new("properties.accessPolicies", Turn::Any, Severity::High, "others may read, or may not"),
        Weight::new(
            "properties.enablePurgeProtection",
            Turn::Any,
            Severity::High,
            "what is deleted can be lost for good",
        ),
    ],
    cross_check: Some(|around, problems| {
        let instead = ", or `ignoreMissingServiceEndpoint: true`";
        subnets::let_in(around, &["Microsoft.KeyVault"], instead, problems);
    }),
    // A PUT replaces the access policies of others; a PATCH changes what it names.
    update: UpdateMode::Patch,
    stateful: true,
    soft_deleted: Some(SoftDeletion {
        path: "/subscriptions/{subscription}/providers/Microsoft.KeyVault/locations/{location}/deletedVaults/{name}",
        kept_by: "/properties/enablePurgeProtection",
        kept_when_deleted: "/properties/purgeProtectionEnabled",
        tags_when_deleted: "/properties/tags",
    }),
    lanes: &[Lane::Ancestor(VAULT)],
    rules: &[
        Rule::at("properties.tenantId").immutable().fold_case(),
        Rule::at("properties.sku.family").fold_case(),
        Rule::at("properties.sku.name").fold_case(),
        Rule::at("properties.accessPolicies").keyed("tenantId+objectId+applicationId"),
        Rule::at("properties.accessPolicies[].permissions.secrets").set().fold_case(),
        Rule::at("properties.accessPolicies[].permissions.keys").set().fold_case(),
        Rule::at("properties.accessPolicies[].permissions.certificates").set().fold_case(),
        Rule::at("properties.accessPolicies[].permissions.storage").set().fold_case(),
        // Vaults from before the flag existed have none, and go by access policies.
        Rule::at("properties.enableRbacAuthorization").default("false"),
        // No default, though Azure has one: to drop the field must not mean to replace the vault.
        Rule::at("properties.softDeleteRetentionInDays").immutable(),
        Rule::at("properties.publicNetworkAccess").fold_case().default("\"Enabled\""),
        Rule::at("properties.networkAcls.bypass").fold_case().default("\"AzureServices\""),
        Rule::at("properties.networkAcls.defaultAction").fold_case().default("\"Allow\""),
        Rule::at("properties.networkAcls.ipRules").set().default("[]"),
        Rule::at("properties.networkAcls.ipRules[].value").cidr(),
        Rule::at("properties.networkAcls.virtualNetworkRules").set().default("[]"),
        Rule::at("properties.networkAcls.virtualNetworkRules[].id").fold_case(),
        Rule::at("properties.networkAcls.virtualNetworkRules[].ignoreMissingVnetServiceEndpoint")
            .default("false"),
        Rule::at("properties.networkAcls.virtualNetworkRules[].state").read_only(),
        Rule::at("properties.enabledForDeployment").default("false"),
        Rule::at("properties.enabledForDiskEncryption").default("false"),
        Rule::at("properties.enabledForTemplateDeployment").default("false"),
        Rule::at("properties.createMode").create_only(),
        Rule::at("properties.vaultUri").read_only(),
        Rule::at("properties.hsmPoolResourceId").read_only(),
        Rule::at("properties.privateEndpointConnections").read_only(),
    ],
    facets: &[Facet::new("uri", "/properties/vaultUri", "the URL of the vault's own endpoint")],
    listing: Listing::Subscription,
    preflight: &[Preflight::Name {
        path: "Microsoft.KeyVault/checkNameAvailability",
        api_version: API_VERSION,
    }],
    expected: Duration::from_secs(25),
    expected_update: Duration::from_secs(8),
    expected_delete: Duration::from_secs(15),
    ..ResourceType::new(VAULT, API_VERSION, "key vault")
};

//! References as people write them: facets written out, keys with hyphens.

use crate::support::{Berth, Rehearsal};

const HEAD: &str = "\
blueprint: shop
azure:
  subscription: 5ab5c819-0000-4000-8000-000000000001
  location: westeurope
  resourceGroup: rg-shop
identities:
  app: {}
networks:
  hub:
    addressSpace: [10.20.0.0/16]
    subnets:
      snet-nodes: { prefix: 10.20.0.0/20 }
clusters:
  aks:
    identity: ${identities.app}
    subnet: ${networks.hub.subnets.snet-nodes}
    nodePools: { system: { mode: System, count: 1, vmSize: Standard_D4s_v5 } }
roleAssignments:
  a: { principal: PRINCIPAL, role: Reader, scope: SCOPE }
";

#[test]
fn a_facet_that_a_field_wants_may_be_written_out() {
    let rehearsal = Rehearsal::new();
    let bodies = |principal: &str, scope: &str| {
        let text =
            HEAD.replace("PRINCIPAL", &format!("\"{principal}\"")).replace("SCOPE", &format!("\"{scope}\""));
        let desired = rehearsal.desired(&text);
        let at = desired.by_address[&berth::ident::Address::new("roleAssignments.a")];
        (desired.resources[at].id.clone(), desired.resources[at].body.clone())
    };
    let bare = bodies("${identities.app}", "${clusters.aks}");
    for (principal, scope) in
        [("${identities.app.principalId}", "${clusters.aks.id}"), ("${identities.app.id}", "${clusters.aks}")]
    {
        assert_eq!(bodies(principal, scope), bare, "{principal} {scope}");
    }
    let kubelet = bodies("${clusters.aks.kubeletIdentity}", "${networks.hub.subnets.snet-nodes}");
    assert_eq!(
        bodies("${clusters.aks.kubeletIdentity.principalId}", "${networks.hub.subnets.snet-nodes.id}"),
        kubelet
    );
}

#[test]
fn minus_stays_minus_where_no_section_begins_the_name() {
    let berth = Berth::new().blueprint(
        &HEAD
            .replace("PRINCIPAL", "\"${identities.app}\"")
            .replace("SCOPE", "\"${clusters.aks}\"")
            .replace("azure:\n", "parameters:\n  n: { type: int, default: 5 }\nazure:\n")
            .replace("count: 1", "count: \"${param.n-2}\""),
    );
    let shown = berth.plan(&["--format", "json"]).exits(2).json();
    assert!(shown.to_string().contains("\"count\":3"), "{shown}");
}

/// A key that only `resources:` knows is a key all the same, named as a whole or by the URL that Azure answers with.
#[test]
fn a_key_among_resources_encrypts_a_cluster() {
    for key in
        ["${resources.key}", "${resources.key.versionedUri}", "${resources.key.properties.keyUriWithVersion}"]
    {
        let berth = Berth::new().blueprint(&format!(
            "blueprint: kms\nazure: {{ subscription: '${{env.AZURE_SUBSCRIPTION_ID}}', location: westeurope, resourceGroup: rg-kms }}\n\
             identities: {{ plane: {{}} }}\nkeyVaults: {{ kv: {{ name: kv-kms-shop, protect: false }} }}\n\
             resources:\n  key: {{ name: etcd, type: Microsoft.KeyVault/vaults/keys, apiVersion: '2026-02-01', \
             parent: '${{keyVaults.kv}}', body: {{ properties: {{ kty: RSA, keySize: 2048 }} }} }}\n\
             clusters:\n  aks:\n    protect: false\n    identity: '${{identities.plane}}'\n    kms: {{ key: '{key}' }}\n    \
             nodePools: {{ system: {{ mode: System, count: 1, vmSize: Standard_D4s_v5 }} }}\n\
             roleAssignments: {{ k: {{ principal: '${{identities.plane}}', role: Key Vault Crypto User, scope: '${{keyVaults.kv}}' }} }}\n"
        ));
        berth.apply(&[]).exits(0);
        berth.plan(&[]).exits(0);
    }
}

/// What is only said when a resource is made may refer to others as well: nothing unknown reaches Azure.
#[tokio::test(start_paused = true)]
async fn a_reference_in_what_is_only_said_at_first_is_resolved_and_waited_for() {
    let text = "\
blueprint: shop
azure: { subscription: 5ab5c819-0000-4000-8000-000000000001, location: westeurope, resourceGroup: rg-shop }
networks:
  hub: { addressSpace: [10.20.0.0/16], subnets: { nodes: { prefix: 10.20.0.0/24 } } }
appServicePlans: { web: { sku: P0v3 } }
webApps:
  shop:
    name: app-shop-a1
    plan: \"${appServicePlans.web}\"
    accessRestrictions: { one: { priority: 100, subnet: \"${networks.hub.subnets.nodes}\" } }
clusters:
  aks: { nodePools: { system: { mode: System, count: 1, vmSize: Standard_D4s_v5 } } }
roleAssignments:
  # A cluster without `identity` has one of its own.
  a: { principal: \"${clusters.aks}\", role: Reader, scope: resourceGroup }
";
    Rehearsal::new().apply(text).await;
}

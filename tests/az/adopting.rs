//! What az makes, berth takes over without touching it, and then has nothing to do.

use crate::session::{Session, text};

const BLUEPRINT: &str = "\
blueprint: from-az
azure:
  subscription: ${env.AZURE_SUBSCRIPTION_ID}
  location: westeurope
  resourceGroup: rg-az
networks:
  hub:
    name: vnet-az
    addressSpace: [10.20.0.0/16]
    subnets:
      nodes: { prefix: 10.20.0.0/22 }
      endpoints: { prefix: 10.20.8.0/24 }
identities:
  controlPlane: { name: id-az }
keyVaults:
  secrets: { name: kv-az-adopted, authorization: rbac }
privateEndpoints:
  vault:
    name: pe-az
    target: ${keyVaults.secrets}
    subnet: ${networks.hub.subnets.endpoints}
    dns: auto
clusters:
  aks:
    name: aks-az
    dnsPrefix: shop
    identity: ${identities.controlPlane}
    subnet: ${networks.hub.subnets.nodes}
    dependsOn: [roleAssignments.controlPlaneNetwork]
    sku: { tier: Standard }
    network: { plugin: azure, mode: overlay }
    nodePools:
      system: { mode: System, count: 2, vmSize: Standard_D4s_v5 }
      user: { count: 1, vmSize: Standard_D4s_v5 }
roleAssignments:
  controlPlaneNetwork:
    name: ASSIGNMENT
    principal: ${identities.controlPlane}
    role: Network Contributor
    scope: ${networks.hub.subnets.nodes}
";

#[test]
fn what_az_makes_berth_takes_over() {
    let Some(session) = Session::start("what_az_makes_berth_takes_over") else { return };
    session.az("group create --name rg-az --location westeurope");
    session.register(&[
        "Microsoft.ContainerService",
        "Microsoft.Network",
        "Microsoft.KeyVault",
        "Microsoft.ManagedIdentity",
    ]);
    let group = "--resource-group rg-az";
    let network = session.az(&format!(
        "network vnet create {group} --name vnet-az --address-prefixes 10.20.0.0/16 --subnet-name nodes \
         --subnet-prefixes 10.20.0.0/22"
    ));
    let nodes = text(&network, "/newVNet/subnets/0/id");
    session.az(&format!(
        "network vnet subnet create {group} --vnet-name vnet-az --name endpoints \
         --address-prefixes 10.20.8.0/24"
    ));
    let vault = session.az(&format!("keyvault create {group} --name kv-az-adopted"));
    let zone = "privatelink.vaultcore.azure.net";
    session.az(&format!("network private-dns zone create {group} --name {zone}"));
    session.az(&format!(
        "network private-dns link vnet create {group} --zone-name {zone} --name link-hub \
         --virtual-network vnet-az --registration-enabled false"
    ));
    session.az(&format!(
        "network private-endpoint create {group} --name pe-az --connection-name pe-az --vnet-name vnet-az \
         --subnet endpoints --private-connection-resource-id {} --group-id vault --location westeurope",
        text(&vault, "/id")
    ));
    session.az(&format!(
        "network private-endpoint dns-zone-group create {group} --endpoint-name pe-az --name default \
         --private-dns-zone {zone} --zone-name {}",
        zone.replace('.', "-")
    ));
    let identity = session.az(&format!("identity create {group} --name id-az"));
    // az gives the identity its role on the subnet.
    session.az(&format!(
        "aks create {group} --name aks-az --nodepool-name system --node-count 2 --dns-name-prefix shop \
         --node-vm-size Standard_D4s_v5 --vnet-subnet-id {nodes} --assign-identity {} --network-plugin azure \
         --network-plugin-mode overlay --enable-oidc-issuer --enable-workload-identity --tier standard --no-ssh-key",
        text(&identity, "/id")
    ));
    session.az(&format!(
        "aks nodepool add {group} --cluster-name aks-az --name user --node-count 1 \
         --node-vm-size Standard_D4s_v5 --vnet-subnet-id {nodes}"
    ));
    let assignments = session.az(&format!("role assignment list --scope {nodes}"));
    let blueprint = BLUEPRINT.replace("ASSIGNMENT", text(&assignments, "/0/name"));
    session.berth.write("blueprint.yaml", blueprint.as_bytes());

    // Nobody said that they may be taken over.
    let refused = session.run(&["apply", "blueprint.yaml", "--auto-approve"]).exits(4);
    assert!(format!("{refused:?}").contains("--adopt"), "{refused:?}");
    // Nothing is made anew, and what is written is the owner's tag.
    let plan = session.run(&["plan", "blueprint.yaml", "--adopt"]).exits(2);
    let lines = plan.stdout.lines().filter(|line| line.contains(" → ")).collect::<Vec<_>>();
    assert!(!lines.is_empty() && lines.iter().all(|line| line.contains("tags.berth-blueprint:")), "{plan:?}");
    let _ = plan.says(&["Plan: 8 to update, 6 to adopt, "]);
    let _ = session.run(&["apply", "blueprint.yaml", "--auto-approve", "--adopt"]).exits(0);
    session.run(&["plan", "blueprint.yaml"]).exits(0).says(&["No changes."]);
    session.run(&["drift", "blueprint.yaml"]).exits(0);
}

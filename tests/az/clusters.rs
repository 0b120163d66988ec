//! The life of a cluster.

use crate::session::{Session, has, names, text};
use serde_json::{Value, json};

#[test]
fn runs_a_cluster() {
    let Some(session) = Session::start("runs_a_cluster") else { return };
    session.az("group create --name rg --location westeurope");
    session.register(&["Microsoft.ContainerService"]);
    let cluster = "--resource-group rg --name aks";
    let size = "--node-vm-size Standard_D4s_v5";
    session.az_fails(3, &format!("aks show {cluster}"));
    let created = session.az(&format!(
        "aks create {cluster} --node-count 2 {size} --no-ssh-key --enable-managed-identity \
         --network-plugin azure --network-plugin-mode overlay --enable-oidc-issuer --tier standard"
    ));
    has(&created, &[("/provisioningState", json!("Succeeded")), ("/identity/type", json!("SystemAssigned"))]);
    has(&session.az(&format!("aks show {cluster}")), &[("/agentPoolProfiles/0/count", json!(2))]);
    assert_eq!(names(&session.az("aks list")), ["aks"]);
    let updated = session.az(&format!(
        "aks update {cluster} --tags team=platform --tier premium \
         --k8s-support-plan AKSLongTermSupport"
    ));
    has(&updated, &[("/tags/team", json!("platform")), ("/sku/tier", json!("Premium"))]);

    let addon = "/addonProfiles/azureKeyvaultSecretsProvider";
    let with = session.az(&format!(
        "aks enable-addons {cluster} --addons azure-keyvault-secrets-provider --enable-secret-rotation"
    ));
    has(&with, &[(&format!("{addon}/enabled"), json!(true))]);
    has(&with, &[(&format!("{addon}/config/enableSecretRotation"), json!("true"))]);
    assert!(!text(&with, &format!("{addon}/identity/clientId")).is_empty());
    let without =
        session.az(&format!("aks disable-addons {cluster} --addons azure-keyvault-secrets-provider"));
    has(&without, &[(&format!("{addon}/enabled"), json!(false))]);

    let pools = "--resource-group rg --cluster-name aks";
    let pool = session.az(&format!("aks nodepool add {pools} --name user --node-count 1 {size} --mode User"));
    has(&pool, &[("/mode", json!("User")), ("/provisioningState", json!("Succeeded"))]);
    let scaled = session.az(&format!("aks nodepool scale {pools} --name user --node-count 3"));
    has(&scaled, &[("/count", json!(3))]);
    assert_eq!(names(&session.az(&format!("aks nodepool list {pools}"))), ["nodepool1", "user"]);
    session.az(&format!("aks nodepool delete {pools} --name user"));
    assert_eq!(names(&session.az(&format!("aks nodepool list {pools}"))), ["nodepool1"]);

    session.az(&format!("aks get-credentials {cluster} --file kubeconfig"));
    let server = text(&created, "/fqdn");
    let kubeconfig = session.berth.read("kubeconfig");
    assert!(kubeconfig.contains(server), "{server} in {kubeconfig}");
    let versions = session.az("aks get-versions --location westeurope");
    assert!(versions.pointer("/values/0/version").is_some_and(Value::is_string), "{versions:#}");
    session.az(&format!("aks delete {cluster} --yes"));
    assert_eq!(session.az("aks list"), json!([]));
}

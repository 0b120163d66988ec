//! Signing in, groups, registrations, identities, roles and policies.

use crate::session::{Session, has, names, text};
use crate::support::APPLICATION;
use berth::sim::{CALLER_OBJECT_ID, SUBSCRIPTION, TENANT};
use serde_json::json;

/// An application that az has no token for yet: what it has in its cache, it does not ask for again.
const OTHER: &str = "b0b0b0b0-0000-4000-8000-000000000005";
/// The built-in policy "Allowed locations".
const ALLOWED_LOCATIONS: &str = "e56962a6-4747-49cd-b67b-bf8b01975c4c";

#[test]
fn signs_in_and_governs() {
    let Some(session) = Session::start("signs_in_and_governs") else { return };
    let refused = session.login(OTHER, "not-the-secret").fails(1, "login");
    assert!(refused.contains("AADSTS7000215"), "{refused}");
    has(
        &session.az("account show"),
        &[("/id", json!(SUBSCRIPTION)), ("/tenantId", json!(TENANT)), ("/user/name", json!(APPLICATION))],
    );

    let group = session.az("group create --name rg --location westeurope --tags team=platform");
    let scope = text(&group, "/id").to_owned();
    has(
        &session.az("group show --name rg"),
        &[("/properties/provisioningState", json!("Succeeded")), ("/tags/team", json!("platform"))],
    );
    session.az("group create --name other --location westeurope");
    assert_eq!(names(&session.az("group list")), ["other", "rg"]);
    session.az("group delete --name other --yes");
    assert_eq!(session.az("group exists --name other"), json!(false));
    session.az_fails(3, "group show --name other");

    session.az("provider register --namespace Microsoft.ContainerService --wait");
    let provider = session.az("provider show --namespace Microsoft.ContainerService");
    has(&provider, &[("/registrationState", json!("Registered"))]);
    assert!(provider.to_string().contains("managedClusters"), "{provider:#}");
    let feature = "--namespace Microsoft.ContainerService --name AKSWindows2025Preview";
    session.az_state(&format!("feature show {feature}"), "NotRegistered");
    session.az_state(&format!("feature register {feature}"), "Registering");
    // The first look brings the end of the registration about, the second sees it.
    session.az_state(&format!("feature show {feature}"), "Registering");
    session.az_state(&format!("feature show {feature}"), "Registered");

    session.register(&["Microsoft.ManagedIdentity"]);
    let identity = session.az("identity create --resource-group rg --name id-app");
    let (principal, client) = (text(&identity, "/principalId"), text(&identity, "/clientId"));
    has(
        &session.az("identity show --resource-group rg --name id-app"),
        &[("/principalId", json!(principal))],
    );
    // The caller and the identity by their applications, which az looks up in Microsoft Graph; and by object id.
    let create = format!("role assignment create --scope {scope} --role");
    has(
        &session.az(&format!("{create} Reader --assignee {APPLICATION}")),
        &[("/principalId", json!(CALLER_OBJECT_ID)), ("/principalType", json!("ServicePrincipal"))],
    );
    has(
        &session.az(&format!("{create} Reader --assignee {client}")),
        &[("/principalId", json!(principal)), ("/scope", json!(scope))],
    );
    session.az(&format!(
        "{create} 'Key Vault Secrets User' --assignee-object-id {principal} \
         --assignee-principal-type ServicePrincipal"
    ));
    let nobody = "0e0e0e0e-0000-4000-8000-00000000000a";
    let refused = session.az_fails(1, &format!("{create} Reader --assignee {nobody}"));
    assert!(refused.contains("Cannot find user or service principal"), "{refused}");
    let listed = session.az(&format!("role assignment list --scope {scope}"));
    let mut listed: Vec<(&str, &str)> = listed
        .as_array()
        .unwrap()
        .iter()
        .map(|found| (text(found, "/principalName"), text(found, "/roleDefinitionName")))
        .collect();
    listed.sort_unstable();
    let reader = |name| (name, "Reader");
    // az prefers the application's id to the display name of a service principal.
    assert_eq!(listed, sorted([reader(APPLICATION), reader(client), (client, "Key Vault Secrets User")]));
    let theirs = format!("role assignment list --scope {scope} --assignee {client}");
    assert_eq!(session.az(&theirs).as_array().unwrap().len(), 2);
    session.az(&format!("role assignment delete --scope {scope} --assignee {client} --role Reader"));
    assert_eq!(session.az(&theirs).as_array().unwrap().len(), 1);

    let policy = "policy assignment create --name places --params";
    let parameters = r#"'{"listOfAllowedLocations":{"value":["westeurope"]}}'"#;
    let assigned = session.az(&format!("{policy} {parameters} --policy {ALLOWED_LOCATIONS} --scope {scope}"));
    has(&assigned, &[("/scope", json!(scope)), ("/enforcementMode", json!("Default"))]);
    assert!(text(&assigned, "/policyDefinitionId").ends_with(ALLOWED_LOCATIONS), "{assigned:#}");
    assert_eq!(names(&session.az(&format!("policy assignment list --scope {scope}"))), ["places"]);
    session.az(&format!("policy assignment delete --name places --scope {scope}"));

    let lock = "--name freeze --resource-group rg";
    let locked = session.az(&format!("lock create {lock} --lock-type CanNotDelete --notes audit"));
    has(&locked, &[("/level", json!("CanNotDelete")), ("/notes", json!("audit"))]);
    assert_eq!(names(&session.az("lock list --resource-group rg")), ["freeze"]);
    let refused = session.az_fails(1, "identity delete --resource-group rg --name id-app");
    assert!(refused.contains("ScopeLocked"), "{refused}");
    session.az(&format!("lock delete {lock}"));
    session.az("identity delete --resource-group rg --name id-app");
    assert_eq!(session.az("identity list --resource-group rg"), json!([]));
}

fn sorted<T: Ord, const N: usize>(mut items: [T; N]) -> [T; N] {
    items.sort();
    items
}

impl Session {
    #[track_caller]
    fn az_state(&self, line: &str, state: &str) {
        has(&self.az(line), &[("/properties/state", json!(state))]);
    }
}

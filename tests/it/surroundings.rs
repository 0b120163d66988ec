//! What surrounds a cluster: kubeconfigs and the manifests of its workloads. BERTH_KUBECTL names a kubectl that reads both;
//! without it the forms are checked here only.

use crate::support::Berth;
use berth::blueprint::parse_value;
use serde_json::{Value, json};
use std::process::Command;

const BLUEPRINT: &str = "\
blueprint: shop
parameters:
  password: { type: string, secret: true, default: Tr0ub4dor-and-3 }
azure: { subscription: '${env.AZURE_SUBSCRIPTION_ID}', location: westeurope, resourceGroup: rg-shop }
identities:
  api:
    name: id-api
    federatedCredentials:
      api: { issuer: '${clusters.aks.oidcIssuerUrl}', serviceAccount: orders/api }
      elsewhere: { issuer: 'https://example.com/', serviceAccount: other/api }
      pipeline: { issuer: 'https://token.actions.githubusercontent.com', subject: 'repo:example/shop:ref:refs/heads/main' }
  pods: { name: id-pods }
  control: { name: id-control }
keyVaults:
  shop:
    name: kv-shop-4711
    protect: false
    authorization: rbac
    secrets:
      database: { value: '${param.password}' }
  other: { name: kv-other-4711, protect: false, authorization: rbac, secrets: { x: { value: '${param.password}' } } }
clusters:
  aks:
    name: aks-shop
    protect: false
    kubernetesVersion: '1.35'
    oidcIssuer: true
    workloadIdentity: true
    identity: ${identities.control}
    network: { plugin: azure }
    aad: { azureRbac: true }
    addons:
      keyVaultSecretsProvider: { rotation: true }
      podIdentity: { identities: { legacy: { namespace: batch, identity: '${identities.pods}', bindingSelector: legacy-pods } } }
    nodePools: { system: { mode: System, count: 1, vmSize: Standard_D4s_v5 } }
roleAssignments:
  operator: { principal: '${identities.control}', role: Managed Identity Operator, scope: '${identities.pods}' }
  api: { principal: '${identities.api}', role: Key Vault Secrets User, scope: '${keyVaults.shop}' }
  pods: { principal: '${identities.pods}', role: Key Vault Secrets User, scope: '${keyVaults.shop}' }
  nodes:
    principal: ${clusters.aks.addons.keyVaultSecretsProvider.identity}
    role: Key Vault Secrets User
    scope: ${keyVaults.shop}
";

fn applied(blueprint: &str) -> Berth {
    let berth = Berth::new().blueprint(blueprint);
    berth.apply(&[]).exits(0);
    berth
}

/// Runs kubectl, when there is one.
#[expect(clippy::print_stderr, reason = "a test that skips says so")]
fn kubectl(args: &[&str]) {
    #[expect(clippy::disallowed_methods, reason = "how `.ci/run kubectl` names the program")]
    let Some(program) = std::env::var_os("BERTH_KUBECTL") else {
        eprintln!("skipped: BERTH_KUBECTL names no kubectl");
        return;
    };
    let output = Command::new(program).args(args).output().unwrap();
    assert!(output.status.success(), "{args:?}: {}", String::from_utf8_lossy(&output.stderr));
}

fn text<'a>(value: &'a Value, pointer: &str) -> &'a str {
    value.pointer(pointer).and_then(Value::as_str).unwrap_or_else(|| panic!("no {pointer} in {value}"))
}

#[test]
fn a_kubeconfig_signs_in_with_kubelogin_and_is_the_administrators_only_when_asked() {
    let berth = applied(BLUEPRINT);
    let run =
        |more: &[&str]| berth.run(["kubeconfig", "blueprint.yaml", "--sim"].iter().chain(more).copied());
    for (login, holds, lacks) in [
        ("azurecli", vec![], vec!["--tenant-id", "--client-id"]),
        ("devicecode", vec!["--tenant-id", "--client-id"], vec![]),
        ("interactive", vec!["--tenant-id", "--client-id"], vec![]),
        ("workloadidentity", vec![], vec!["--tenant-id", "--client-id"]),
        ("spn", vec!["--tenant-id"], vec!["--client-id"]),
        ("msi", vec![], vec!["--tenant-id", "--client-id"]),
    ] {
        let said = run(&["--login", login]).exits(0).stdout;
        let config = parse_value(&said).unwrap();
        assert_eq!(text(&config, "/users/0/user/exec/command"), "kubelogin");
        assert_eq!(text(&config, "/contexts/0/context/user"), text(&config, "/users/0/name"));
        assert_eq!(text(&config, "/contexts/0/context/cluster"), text(&config, "/clusters/0/name"));
        assert_eq!(text(&config, "/current-context"), text(&config, "/contexts/0/name"));
        assert!(text(&config, "/clusters/0/cluster/server").starts_with("https://"));
        let args: Vec<&str> = config["users"][0]["user"]["exec"]["args"]
            .as_array()
            .unwrap()
            .iter()
            .map(|argument| argument.as_str().unwrap())
            .collect();
        assert_eq!(args[..3], ["get-token", "--login", login]);
        assert!(args.contains(&"6dae42f8-4368-4678-94ff-3960e28e3630"));
        assert!(holds.iter().all(|flag| args.contains(flag)), "{args:?}");
        assert!(!lacks.iter().any(|flag| args.contains(flag)), "{args:?}");
        assert!(!said.contains("client-key-data") && !said.contains("token:"), "{said}");
    }
    run(&["--out", "config"]).exits(0);
    let config = berth.path("config").display().to_string();
    kubectl(&["config", "view", "--kubeconfig", &config, "--minify"]);

    run(&["--admin"]).exits(1).complains(&["holds a key", "--out FILE"]);
    // `-` is standard output, as everywhere.
    assert_eq!(run(&["--out", "-"]).exits(0).stdout, run(&[]).exits(0).stdout);
    run(&["--admin", "--login", "msi", "--out", "admin"]).exits(1).complains(&["cannot be used with"]);
    run(&["--admin", "--out", "admin"]).exits(0);
    let admin = parse_value(&berth.read("admin")).unwrap();
    assert_eq!(text(&admin, "/current-context"), "aks-shop-admin");
    assert!(!text(&admin, "/users/0/user/client-key-data").is_empty());
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt;
        let mode = std::fs::metadata(berth.path("admin")).unwrap().permissions().mode();
        assert_eq!(mode & 0o077, 0);
    }
    kubectl(&["config", "view", "--kubeconfig", &berth.path("admin").display().to_string(), "--minify"]);
    run(&["--cluster", "ask"]).exits(1).complains(&["no cluster `ask`", "clusters.aks"]);
    run(&["--cluster", "aks"]).exits(0);
}

#[test]
fn a_cluster_that_signs_in_no_people_gives_its_key_only_when_asked() {
    let plain = "\
blueprint: shop
azure: { subscription: '${env.AZURE_SUBSCRIPTION_ID}', location: westeurope, resourceGroup: rg-shop }
clusters:
  one: { name: aks-one, protect: false, kubernetesVersion: '1.35', nodePools: { system: { mode: System, count: 1, vmSize: Standard_D4s_v5 } } }
";
    let berth = Berth::new().blueprint(plain);
    let run =
        |more: &[&str]| berth.run(["kubeconfig", "blueprint.yaml", "--sim"].iter().chain(more).copied());
    // What is not there yet is not a kubeconfig.
    run(&[]).exits(1);
    berth.apply(&[]).exits(0);
    let refused =
        run(&[]).exits(1).complains(&["does not let people sign in with Entra ID", "--admin --out FILE"]);
    refused.hides(&["client-key-data"]);
    run(&["--admin", "--out", "admin"]).exits(0);
    berth.edit("kubernetesVersion", "aad: {}, disableLocalAccounts: true, kubernetesVersion");
    berth.apply(&[]).exits(0);
    run(&[]).exits(0).says(&["command: kubelogin"]);
    run(&["--admin", "--out", "admin"]).exits(1).complains(&["disable local accounts"]);
}

/// The fields of a manifest, as the definitions of its kind want them (azure-workload-identity, aad-pod-identity v1,
/// secrets-store-csi-driver v1).
fn check(manifest: &Value) {
    let name = text(manifest, "/metadata/name");
    assert!(!name.is_empty() && name.len() <= 253, "{name}");
    assert!(name.chars().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || "-.".contains(c)), "{name}");
    assert!(!text(manifest, "/metadata/namespace").is_empty());
    let is_guid = |text: &str| text.len() == 36 && text.split('-').count() == 5;
    let fields = |pointer: &str| -> Vec<String> {
        manifest.pointer(pointer).unwrap().as_object().unwrap().keys().cloned().collect()
    };
    match (text(manifest, "/apiVersion"), text(manifest, "/kind")) {
        ("v1", "ServiceAccount") => {
            let annotations = &manifest["metadata"]["annotations"];
            assert!(is_guid(annotations["azure.workload.identity/client-id"].as_str().unwrap()));
            assert!(is_guid(annotations["azure.workload.identity/tenant-id"].as_str().unwrap()));
        }
        ("aadpodidentity.k8s.io/v1", "AzureIdentity") => {
            assert_eq!(fields("/spec"), ["type", "resourceID", "clientID"]);
            assert_eq!(manifest["spec"]["type"], 0);
            assert!(text(manifest, "/spec/resourceID").starts_with("/subscriptions/"));
            assert!(is_guid(text(manifest, "/spec/clientID")));
        }
        ("aadpodidentity.k8s.io/v1", "AzureIdentityBinding") => {
            assert_eq!(fields("/spec"), ["azureIdentity", "selector"]);
        }
        ("secrets-store.csi.x-k8s.io/v1", "SecretProviderClass") => {
            assert_eq!(text(manifest, "/spec/provider"), "azure");
            // Every parameter is a text.
            let parameters = manifest["spec"]["parameters"].as_object().unwrap();
            assert!(parameters.values().all(Value::is_string), "{parameters:?}");
            assert!(is_guid(text(manifest, "/spec/parameters/tenantId")));
            let objects = parse_value(text(manifest, "/spec/parameters/objects")).unwrap();
            for object in objects["array"].as_array().unwrap() {
                let object = parse_value(object.as_str().unwrap()).unwrap();
                assert_eq!(object, json!({"objectName": "database", "objectType": "secret"}));
            }
        }
        other => panic!("{other:?} is not known"),
    }
}

#[test]
fn manifests_are_what_workloads_need() {
    let berth = Berth::new().blueprint(BLUEPRINT);
    let run = || berth.run(["manifests", "blueprint.yaml", "--sim"]);
    run().exits(1).complains(&["is not in Azure", "berth apply"]);
    berth.apply(&[]).exits(0);
    let said = run().exits(0).hides(&["Tr0ub4dor"]).stdout;
    let manifests: Vec<Value> = said
        .split("---\n")
        .filter(|part| !part.is_empty())
        .map(|part| parse_value(part).unwrap_or_else(|_| panic!("{part}")))
        .collect();
    manifests.iter().for_each(check);
    let what: Vec<String> = manifests
        .iter()
        .map(|manifest| {
            format!(
                "{} {}/{}",
                text(manifest, "/kind"),
                text(manifest, "/metadata/namespace"),
                text(manifest, "/metadata/name")
            )
        })
        .collect();
    assert_eq!(
        what,
        [
            "ServiceAccount orders/api",
            "SecretProviderClass orders/kv-shop-4711-api",
            "AzureIdentity batch/legacy",
            "AzureIdentityBinding batch/legacy-binding",
            "SecretProviderClass batch/kv-shop-4711-legacy",
            "SecretProviderClass default/kv-shop-4711-nodes",
        ]
    );
    // What they name is what Azure has.
    let export = berth.export();
    let client = |name: &str| {
        let found = export.iter().find(|resource| resource["name"] == name).unwrap();
        text(found, "/properties/clientId").to_owned()
    };
    assert_eq!(
        manifests[0]["metadata"]["annotations"]["azure.workload.identity/client-id"],
        json!(client("id-api"))
    );
    assert_eq!(manifests[1]["spec"]["parameters"]["clientID"], json!(client("id-api")));
    assert_eq!(manifests[2]["spec"]["clientID"], json!(client("id-pods")));
    assert_eq!(manifests[3]["spec"], json!({"azureIdentity": "legacy", "selector": "legacy-pods"}));
    assert_eq!(manifests[4]["spec"]["parameters"]["usePodIdentity"], "true");
    assert_eq!(manifests[5]["spec"]["parameters"]["useVMManagedIdentity"], "true");
    berth.write("all.yaml", said.as_bytes());
    berth.write("kustomization.yaml", b"resources: [all.yaml]\n");
    kubectl(&["kustomize", &berth.path("").display().to_string()]);
}

//! A kubeconfig: Azure's, but who signs in is berth's to say.
//!
//! Nothing that Azure answered runs here: of its answer only the address and the authority of the cluster are taken, and
//! from an administrator's, its credentials. kubelogin and its arguments are written by berth.

use super::yaml;
use crate::diag::Failure;
use serde_json::{Map, Value, json};

/// Azure's own server application for clusters, the same in every cloud.
const SERVER_ID: &str = "6dae42f8-4368-4678-94ff-3960e28e3630";
/// Azure's own client application for people.
const CLIENT_ID: &str = "80faf920-1908-4b52-b5ef-a6a6b5c8b1be";
const CLOUD: &str = "AzurePublicCloud";

/// How kubelogin signs in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Login {
    /// As the Azure CLI is signed in.
    AzureCli,
    /// A person, with a code in a browser of any machine.
    DeviceCode,
    /// A person, in the browser of this machine.
    Interactive,
    /// A workload with a federated token.
    WorkloadIdentity,
    /// A service principal, from the environment.
    ServicePrincipal,
    /// The managed identity of the machine.
    ManagedIdentity,
}

impl Login {
    /// Every way.
    pub const ALL: [Login; 6] = [
        Login::AzureCli,
        Login::DeviceCode,
        Login::Interactive,
        Login::WorkloadIdentity,
        Login::ServicePrincipal,
        Login::ManagedIdentity,
    ];

    /// What kubelogin calls it.
    pub const fn word(self) -> &'static str {
        match self {
            Login::AzureCli => "azurecli",
            Login::DeviceCode => "devicecode",
            Login::Interactive => "interactive",
            Login::WorkloadIdentity => "workloadidentity",
            Login::ServicePrincipal => "spn",
            Login::ManagedIdentity => "msi",
        }
    }

    /// What kubelogin is run with.
    fn arguments(self, tenant: Option<&str>) -> Vec<String> {
        let mut all = vec!["get-token", "--login", self.word(), "--server-id", SERVER_ID];
        if matches!(self, Login::DeviceCode | Login::Interactive | Login::ServicePrincipal) {
            all.extend(["--environment", CLOUD]);
            if let Some(tenant) = tenant {
                all.extend(["--tenant-id", tenant]);
            }
        }
        if matches!(self, Login::DeviceCode | Login::Interactive) {
            all.extend(["--client-id", CLIENT_ID]);
        }
        all.into_iter().map(str::to_owned).collect()
    }
}

/// The kubeconfig of a cluster for who signs in with kubelogin.
///
/// # Errors
/// When the cluster knows no Entra ID: everybody who has its kubeconfig is its administrator.
pub fn signed_in(config: &Value, login: Login) -> Result<String, Failure> {
    let cluster = Cluster::of(config)?;
    let user = &cluster.user;
    if user.get("exec").is_none() && user.get("auth-provider").is_none() {
        return Err(Failure::new(
            format!(
                "the cluster `{}` does not let people sign in with Entra ID: everybody who has its kubeconfig is its administrator",
                cluster.name
            ),
            "give the cluster `aad: {}`, or take the administrator's with `--admin --out FILE`",
        ));
    }
    let tenant = argument(user, "--tenant-id").filter(|id| uuid::Uuid::try_parse(id).is_ok());
    let user = json!({ "exec": {
        "apiVersion": "client.authentication.k8s.io/v1beta1",
        "command": "kubelogin",
        "args": login.arguments(tenant),
        "env": [],
        "installHint": "kubelogin is not installed: https://azure.github.io/kubelogin/install.html",
        "interactiveMode": "IfAvailable",
        "provideClusterInfo": false,
    } });
    Ok(cluster.written("clusterUser", user))
}

/// The kubeconfig of a cluster's administrator. It holds a key.
///
/// # Errors
/// When Azure's answer has no credentials.
pub fn administrator(config: &Value) -> Result<String, Failure> {
    let cluster = Cluster::of(config)?;
    let mut user = Map::new();
    for name in ["client-certificate-data", "client-key-data", "token"] {
        if let Some(Value::String(text)) = cluster.user.get(name) {
            user.insert(name.into(), json!(text));
        }
    }
    match user.is_empty() {
        true => Err(unclear("has no credentials of an administrator")),
        false => Ok(cluster.written("clusterAdmin", user.into())),
    }
}

fn unclear(what: &str) -> Failure {
    Failure::new(
        format!("Azure's kubeconfig {what}"),
        "try again; `az aks get-credentials` shows whether it is Azure's",
    )
}

/// The argument after this one, of what Azure would have run.
fn argument<'a>(user: &'a Value, name: &str) -> Option<&'a str> {
    let all = user.pointer("/exec/args").and_then(Value::as_array);
    let at = all?.iter().position(|argument| argument.as_str() == Some(name))?;
    all?.get(at + 1)?.as_str()
}

/// What is taken of Azure's kubeconfig.
struct Cluster {
    name: String,
    server: String,
    authority: Option<String>,
    user: Value,
}

impl Cluster {
    fn of(config: &Value) -> Result<Self, Failure> {
        let text = |pointer| config.pointer(pointer).and_then(Value::as_str).map(str::to_owned);
        let (name, server) = match (text("/clusters/0/name"), text("/clusters/0/cluster/server")) {
            (Some(name), Some(server)) => (name, server),
            _ => return Err(unclear("names no cluster")),
        };
        // A token would go there.
        if !server.starts_with("https://") {
            return Err(unclear("leads to an address without TLS"));
        }
        Ok(Cluster {
            name,
            server,
            authority: text("/clusters/0/cluster/certificate-authority-data"),
            user: config.pointer("/users/0/user").cloned().unwrap_or_default(),
        })
    }

    fn written(&self, role: &str, user: Value) -> String {
        let mut cluster = json!({ "server": self.server });
        if let Some(authority) = &self.authority {
            cluster["certificate-authority-data"] = json!(authority);
        }
        let user_name = format!("{role}_{}", self.name);
        let context = match role {
            "clusterAdmin" => format!("{}-admin", self.name),
            _ => self.name.clone(),
        };
        yaml::document(&json!({
            "apiVersion": "v1",
            "kind": "Config",
            "clusters": [{ "name": self.name, "cluster": cluster }],
            "contexts": [{ "name": context, "context": { "cluster": self.name, "user": user_name } }],
            "current-context": context,
            "users": [{ "name": user_name, "user": user }],
        }))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn answer(user: Value) -> Value {
        json!({
            "clusters": [{ "name": "aks", "cluster": { "server": "https://aks.example:443", "certificate-authority-data": "Y2E=" } }],
            "users": [{ "name": "u", "user": user }],
        })
    }

    #[test]
    fn nothing_that_azure_answered_is_run() {
        let exec =
            json!({ "exec": { "command": "/bin/sh", "args": ["-c", "evil", "--tenant-id", "--insecure"] } });
        for login in Login::ALL {
            let text = signed_in(&answer(exec.clone()), login).unwrap();
            assert!(text.contains("command: kubelogin") && text.contains(login.word()), "{text}");
            assert!(
                !text.contains("evil") && !text.contains("insecure") && !text.contains("/bin/sh"),
                "{text}"
            );
        }
        let people = json!({ "exec": { "args": ["--tenant-id", "5ab5c819-0000-4000-8000-000000000002"] } });
        let text = signed_in(&answer(people), Login::DeviceCode).unwrap();
        assert!(text.contains("5ab5c819-0000-4000-8000-000000000002") && text.contains(CLIENT_ID), "{text}");
    }

    #[test]
    fn an_administrators_key_is_given_only_to_who_asks_for_it() {
        let user = json!({ "client-certificate-data": "Yw==", "client-key-data": "aw==", "token": "t0ken" });
        let refused = signed_in(&answer(user.clone()), Login::AzureCli).unwrap_err();
        assert!(refused.message.contains("administrator") && !refused.message.contains("t0ken"));
        let text = administrator(&answer(user)).unwrap();
        assert!(
            text.contains("client-key-data: \"aw==\"") && text.contains("current-context: aks-admin"),
            "{text}"
        );
        assert!(administrator(&answer(json!({ "exec": {} }))).is_err());
        let mut plain = answer(json!({ "exec": {} }));
        plain["clusters"][0]["cluster"]["server"] = json!("http://aks.example");
        assert!(signed_in(&plain, Login::AzureCli).unwrap_err().message.contains("without TLS"));
    }
}

//! What the simulator's tests share: send a request, look at status and body.

use super::{Options, SUBSCRIPTION, Simulator, TENANT};
use crate::core::api_versions;
use crate::core::path::ResourcePath;
use crate::host::transport::{Method, Request, Response, Transport, path_and_query};
use serde_json::{Value, json};

/// The version that every test request carries.
const VERSION: &str = "2026-02-01";

/// A simulator and a client that follows its operations.
#[derive(Debug, Clone)]
pub(crate) struct Bench {
    pub(crate) sim: Simulator,
}

/// An answer, taken apart.
#[derive(Debug)]
pub(crate) struct Seen {
    pub(crate) status: u16,
    pub(crate) body: Value,
    pub(crate) response: Response,
}

impl Seen {
    /// The error code, wherever it stands.
    pub(crate) fn code(&self) -> &str {
        let code = self.body.pointer("/error/code").or_else(|| self.body.get("code"));
        code.and_then(Value::as_str).unwrap_or_default()
    }

    pub(crate) fn at(&self, pointer: &str) -> &Value {
        self.body.pointer(pointer).unwrap_or(&Value::Null)
    }

    pub(crate) fn header(&self, name: &str) -> &str {
        self.response.headers.get(name).unwrap_or_default()
    }
}

impl Bench {
    /// A fresh simulator with every provider of interest registered and the group `rg`.
    pub(crate) async fn new() -> Self {
        let registered = [
            "Microsoft.Network",
            "Microsoft.KeyVault",
            "Microsoft.ManagedIdentity",
            "Microsoft.ContainerService",
            "Microsoft.KubernetesConfiguration",
            "Microsoft.Storage",
        ];
        let registered = registered.map(str::to_owned).to_vec();
        let bench = Bench { sim: Simulator::new(Options { registered, ..Options::default() }) };
        assert_eq!(bench.put("/resourceGroups/rg", json!({"location": "westeurope"})).await.status, 201);
        bench
    }

    /// The full id of a path below the subscription.
    pub(crate) fn id(path: &str) -> String {
        let whole = ["/subscriptions", "/providers/Microsoft.Authorization", "/graph/"];
        if whole.iter().any(|start| path.starts_with(start)) {
            return path.to_owned();
        }
        format!("/subscriptions/{SUBSCRIPTION}{path}")
    }

    /// The full id of a resource in the group `rg`.
    pub(crate) fn rid(rest: &str) -> String {
        Self::id(&format!("/resourceGroups/rg/providers/{rest}"))
    }

    pub(crate) async fn send(
        &self,
        method: Method,
        path: &str,
        body: Option<Value>,
        headers: &[(&str, &str)],
    ) -> Seen {
        let path = Self::id(path);
        let mark = if path.contains('?') { '&' } else { '?' };
        let url = if path.contains("api-version") {
            format!("https://management.azure.com{path}")
        } else {
            let parsed = ResourcePath::parse(path.split('?').next().unwrap_or_default());
            let kind = parsed.map(|path| match (method, path.owner()) {
                (Method::Post, Some(owner)) => owner.kind(),
                _ => path.kind(),
            });
            let newest = kind.and_then(|kind| api_versions::of(&kind)?.next());
            let version = newest.unwrap_or(VERSION);
            format!("https://management.azure.com{path}{mark}api-version={version}")
        };
        let mut request = Request::new(method, url);
        if let Some(body) = body {
            request.body = body.to_string().into();
        }
        for (name, value) in headers {
            request.headers.set(name, *value);
        }
        let response = self.sim.send(request).await.unwrap();
        let body = serde_json::from_slice(&response.body).unwrap_or(Value::Null);
        Seen { status: response.status, body, response }
    }

    pub(crate) async fn get(&self, path: &str) -> Seen {
        self.send(Method::Get, path, None, &[]).await
    }

    pub(crate) async fn put(&self, path: &str, body: Value) -> Seen {
        self.send(Method::Put, path, Some(body), &[]).await
    }

    pub(crate) async fn patch(&self, path: &str, body: Value) -> Seen {
        self.send(Method::Patch, path, Some(body), &[]).await
    }

    pub(crate) async fn post(&self, path: &str) -> Seen {
        self.send(Method::Post, path, None, &[]).await
    }

    pub(crate) async fn delete(&self, path: &str) -> Seen {
        self.send(Method::Delete, path, None, &[]).await
    }

    /// Follows the operation of an answer to its end: its last status.
    pub(crate) async fn settle(&self, seen: &Seen) -> String {
        let url = match (seen.header("azure-asyncoperation"), seen.header("location")) {
            ("", location) => location,
            (operation, _) => operation,
        };
        let path = path_and_query(url).to_owned();
        for _ in 0..20 {
            let poll = self.get(&path).await;
            let status = poll.at("/status").as_str().unwrap_or_default().to_owned();
            if ["Succeeded", "Failed", "Canceled"].contains(&status.as_str()) {
                return status;
            }
            if poll.status != 202 && status.is_empty() {
                return "Succeeded".to_owned();
            }
        }
        "Running".to_owned()
    }

    /// Creates something, waits, and answers what `GET` says then.
    pub(crate) async fn make(&self, path: &str, body: Value) -> Value {
        let seen = self.put(path, body).await;
        assert!((200..300).contains(&seen.status), "{path}: {} {}", seen.status, seen.body);
        if !seen.header("azure-asyncoperation").is_empty() {
            assert_eq!(self.settle(&seen).await, "Succeeded", "{path}");
        }
        self.get(path).await;
        let seen = self.get(path).await;
        assert_eq!(seen.status, 200, "{path}: {}", seen.body);
        seen.body
    }

    /// A network `v` with a subnet `s`: its id.
    pub(crate) async fn subnet(&self) -> String {
        let vnet = Self::rid("Microsoft.Network/virtualNetworks/v");
        let subnets = json!([{"name": "s", "properties": {"addressPrefix": "10.0.0.0/24"}}]);
        let properties = json!({"addressSpace": {"addressPrefixes": ["10.0.0.0/16"]}, "subnets": subnets});
        self.make(&vnet, json!({"location": "westeurope", "properties": properties})).await;
        format!("{vnet}/subnets/s")
    }

    /// A vault `kv-1`: its id.
    pub(crate) async fn vault(&self) -> String {
        let vault = Self::rid("Microsoft.KeyVault/vaults/kv-1");
        self.make(&vault, Self::vault_body()).await;
        vault
    }

    pub(crate) fn vault_body() -> Value {
        let properties =
            json!({"tenantId": TENANT, "sku": {"family": "A", "name": "standard"}, "accessPolicies": []});
        json!({"location": "westeurope", "properties": properties})
    }

    /// The smallest body of a cluster.
    pub(crate) fn cluster_body() -> Value {
        json!({
            "location": "westeurope",
            "identity": {"type": "SystemAssigned"},
            "properties": {
                "dnsPrefix": "x",
                "agentPoolProfiles": [{"name": "system", "mode": "System", "count": 1, "vmSize": "Standard_D2s_v5"}],
            },
        })
    }
}

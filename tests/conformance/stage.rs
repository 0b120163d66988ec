//! What had to be there before a recorded request: the stage on which a recording is played to the simulator.

use crate::facts::{Answer, Exchange, Recording, Target};
use berth::arm::transport::{Method, Request, Transport};
use berth::host::{Clock, Timestamp};
use berth::sim::{Options, Simulator, Time};
use serde_json::{Value, json};
use std::time::Duration;

/// The subscription of every recording.
pub const SUBSCRIPTION: &str = "00000000-0000-0000-0000-000000000000";

/// What Azure takes for a password.
const PASSWORD: &str = "Only-a-stage-1234";

const PROVIDERS: &[&str] = &[
    "Microsoft.Cdn",
    "Microsoft.ContainerService",
    "Microsoft.Insights",
    "Microsoft.KeyVault",
    "Microsoft.Kubernetes",
    "Microsoft.ManagedIdentity",
    "Microsoft.Network",
    "Microsoft.OperationalInsights",
    "Microsoft.Sql",
    "Microsoft.Storage",
    "Microsoft.Web",
];

/// What is replaced in a recording before it is played, with the reason.
const REWRITTEN: &[(&str, &str, &str)] = &[
    (
        "1.27.1",
        "1.33.1",
        "a version that has left support is refused by Azure today, and so by the simulator",
    ),
    ("1.23.8", "1.33.1", "as above"),
    ("<placeholder>", PASSWORD, "the recording hides the password, and Azure is particular about one"),
    (
        "Microsoft.ClassicInfrastructureMigrate",
        "Microsoft.KubernetesConfiguration",
        "the simulator knows the providers that berth knows",
    ),
];

/// A simulator with everything in place, and the recording that is played to it.
pub struct Stage {
    pub recording: Recording,
    sim: Simulator,
    clock: Clock,
    operation: Option<String>,
    location: Option<String>,
}

impl Stage {
    /// Sets the stage for a recording.
    pub async fn set(name: &str, text: &str) -> Stage {
        let text = REWRITTEN.iter().fold(text.to_owned(), |text, (from, to, _)| text.replace(from, to));
        let recording = Recording::parse(name, &text);
        let clock = Clock::start_at(Timestamp(1_790_000_000_000), 1.0);
        let tenant = recording.main().body.as_ref().and_then(|b| b.pointer("/properties/tenantId"));
        let options = Options {
            subscription: SUBSCRIPTION.to_owned(),
            tenant: tenant.and_then(Value::as_str).unwrap_or(SUBSCRIPTION).to_owned(),
            time: Time::Host(clock.clone()),
            registered: PROVIDERS.iter().map(|&name| name.to_owned()).collect(),
            ..Options::default()
        };
        let sim = Simulator::new(options);
        let mut stage = Stage { recording, sim, clock, operation: None, location: None };
        let aliases = stage.build().await;
        let text = aliases.iter().fold(text, |text, (from, to)| text.replace(from, to));
        stage.recording = Recording::parse(name, &text);
        stage.operation = None;
        stage.location = None;
        stage
    }

    /// Plays an exchange: what the simulator answers.
    pub async fn play(&mut self, exchange: &Exchange) -> Answer {
        // What had come to rest when Azure was asked has come to rest here too.
        let later = exchange.method.is_read() || exchange.note.contains("retried");
        let refused = exchange.answer.status >= 400;
        if later && !exchange.is_moving() && !refused {
            self.clock.sleep(Duration::from_secs(3600)).await;
        }
        let url = match &exchange.target {
            Target::Path(path) => format!("https://management.azure.com{path}"),
            Target::AsyncOperation => self.operation.clone().unwrap_or_default(),
            Target::Location => self.location.clone().unwrap_or_default(),
        };
        if url.is_empty() {
            return Answer { status: 0, headers: Default::default(), body: json!("no such header was sent") };
        }
        let mut request = Request::new(exchange.method, url);
        request.headers = exchange.headers.clone();
        if let Some(body) = &exchange.body {
            request.body = body.to_string().into();
        }
        let response = self.sim.send(request).await.unwrap();
        if !exchange.method.is_read() {
            let header = |name: &str| response.headers.get(name).map(str::to_owned);
            self.operation = header("azure-asyncoperation");
            self.location = header("location");
        }
        Answer {
            status: response.status,
            body: serde_json::from_slice(&response.body).unwrap_or(Value::Null),
            headers: response.headers,
        }
    }

    /// Creates something and waits until it is at rest: its body.
    async fn make(&mut self, id: &str, body: Value) -> Value {
        let target = Target::Path(format!("{id}?api-version=2025-01-01"));
        let exchange = |method, body| Exchange {
            method,
            target: target.clone(),
            headers: Default::default(),
            body,
            note: String::new(),
            answer: Answer { status: 200, headers: Default::default(), body: Value::Null },
        };
        let answer = self.play(&exchange(Method::Put, Some(body))).await;
        assert!(answer.status < 300, "{}: {id}: {} {}", self.recording.name, answer.status, answer.body);
        self.play(&exchange(Method::Get, None)).await.body
    }

    /// Creates what the recording takes for granted; answers what must be called otherwise in it.
    async fn build(&mut self) -> Vec<(String, String)> {
        let name = self.recording.name.clone();
        let main = self.recording.main().clone();
        let body = main.body.clone().unwrap_or_default();
        let id = main.id().unwrap().to_owned();
        let location = body["location"].as_str().filter(|l| !l.is_empty()).unwrap_or("westus2").to_owned();
        let group = id.split('/').take(5).collect::<Vec<_>>().join("/");
        if name.starts_with("resource-group") || name.starts_with("provider") {
            return Vec::new();
        }
        let of_group = if location == "global" { "westus2" } else { &location };
        self.make(&group, json!({"location": of_group})).await;
        let parent = |depth: usize| id.rsplitn(depth * 2 + 1, '/').last().unwrap().to_owned();
        match name.as_str() {
            "subnet-create" => self.network(&parent(1), &[]).await,
            "federated-credential-create" => {
                self.make(&parent(1), json!({"location": location})).await;
            }
            "role-assignment-principal-not-found-then-created" => {
                let identity =
                    format!("{group}/providers/Microsoft.ManagedIdentity/userAssignedIdentities/someone");
                let version = "?api-version=2024-11-30";
                let exchange = Exchange {
                    target: Target::Path(format!("{identity}{version}")),
                    body: Some(json!({"location": location})),
                    note: String::new(),
                    ..main
                };
                // At once, so that the directory does not know it everywhere yet.
                let made = self.play(&exchange).await.body;
                assert!(made.is_object() && made["properties"]["principalId"].is_string(), "{name}: {made}");
                return alias(&body["properties"]["principalId"], &made["properties"]["principalId"]);
            }
            "key-vault-soft-deleted-recover" => {
                let was = self.recording.last_body().unwrap().clone();
                let mut properties = body["properties"].clone();
                properties.as_object_mut().unwrap().shift_remove("createMode");
                properties["accessPolicies"] = was["properties"]["accessPolicies"].clone();
                properties["softDeleteRetentionInDays"] =
                    was["properties"]["softDeleteRetentionInDays"].clone();
                self.make(&id, json!({"location": location, "properties": properties})).await;
            }
            "error-agent-pool-not-found" => self.cluster(&parent(1), "westus3", json!({})).await,
            "agent-pool-windows" => {
                let windows = json!({"adminUsername": "azureuser", "adminPassword": PASSWORD});
                let network = json!({"networkPlugin": "azure"});
                let properties = json!({"windowsProfile": windows, "networkProfile": network, "kubernetesVersion": "1.33.1"});
                self.cluster(&parent(1), "westus2", properties).await;
            }
            "cluster-extension-create" => {
                let cluster = id.split("/providers/Microsoft.KubernetesConfiguration").next().unwrap();
                let body =
                    json!({"id": cluster, "name": "arc-cluster", "location": "eastus", "properties": {}});
                self.sim.load(vec![body]).unwrap();
                self.register("Microsoft.KubernetesConfiguration").await;
            }
            "flux-configuration" => {
                self.register("Microsoft.KubernetesConfiguration").await;
                let cluster = id.split("/providers/Microsoft.KubernetesConfiguration").next().unwrap();
                self.cluster(cluster, "westus2", json!({})).await;
                let extension =
                    format!("{cluster}/providers/Microsoft.KubernetesConfiguration/extensions/flux");
                self.make(&extension, json!({"properties": {"extensionType": "microsoft.flux"}})).await;
            }
            "mc-aborted-create-canceled" => {
                let mut body = main.answer.body.clone();
                let properties = body["properties"].as_object_mut().unwrap();
                let pools = properties.remove("agentPoolProfiles").unwrap();
                let mut pool = pools[0].clone();
                for read_only in
                    ["powerState", "nodeImageVersion", "currentOrchestratorVersion", "provisioningState"]
                {
                    pool.as_object_mut().unwrap().shift_remove(read_only);
                }
                let properties = json!({
                    "dnsPrefix": properties["dnsPrefix"], "agentPoolProfiles": [pool],
                    "linuxProfile": properties["linuxProfile"], "disableLocalAccounts": false,
                });
                let location = body["location"].clone();
                let asked = json!({"location": location, "identity": {"type": "SystemAssigned"}, "sku": body["sku"], "properties": properties});
                let target = main.target.clone();
                self.play(&Exchange { method: Method::Put, body: Some(asked), target, ..main }).await;
            }
            "mc-pod-identity-add-identity" => {
                let identity = body["properties"]["podIdentityProfile"]["userAssignedIdentities"][0]["identity"]
                    ["resourceId"]
                    .as_str()
                    .unwrap()
                    .to_owned();
                self.make(&identity, json!({"location": location})).await;
                let mut before = body.clone();
                before["properties"]["podIdentityProfile"]["userAssignedIdentities"] = json!([]);
                self.make(&id, before).await;
            }
            "mc-automatic-sku-create" => {
                let workspace = body["properties"]["addonProfiles"]["omsagent"]["config"]
                    ["logAnalyticsWorkspaceResourceID"]
                    .as_str()
                    .unwrap()
                    .to_owned();
                let group = workspace.split('/').take(5).collect::<Vec<_>>().join("/");
                self.make(&group, json!({"location": location})).await;
                self.make(&workspace, json!({"location": location, "properties": {}})).await;
            }
            "private-dns-zone-group" => {
                let zone = body["properties"]["privateDnsZoneConfigs"][0]["properties"]["privateDnsZoneId"]
                    .as_str()
                    .unwrap()
                    .to_owned();
                self.make(&zone, json!({"location": "global"})).await;
                let account =
                    format!("{group}/providers/Microsoft.Storage/storageAccounts/asoteststormbywcw");
                self.endpoint(&group, &parent(1), &account, "blob", "westus2", false).await;
            }
            "private-endpoint-auto-approved"
            | "private-endpoint-newest-api-version"
            | "private-endpoint-manual-pending" => {
                let properties = &body["properties"];
                let kind = ["manualPrivateLinkServiceConnections", "privateLinkServiceConnections"]
                    .into_iter()
                    .find(|kind| properties[*kind].is_array())
                    .unwrap();
                let target = &properties[kind][0]["properties"]["privateLinkServiceId"];
                self.target(target.as_str().unwrap(), &location).await;
                let subnet = properties["subnet"]["id"].as_str().unwrap();
                self.subnet(subnet, &location).await;
            }
            "pec-keyvault-approve" => return self.connection(&main, &group, "vault", "approved").await,
            "pec-storage-reject" => return self.connection(&main, &group, "blob", "approved").await,
            "pec-webapp-approve" => return self.connection(&main, &group, "sites", "pending").await,
            "pec-sql-list-get-delete" => {
                return self.connection(&main, &group, "sqlServer", "approved").await;
            }
            "afd-origin-create" => {
                self.make(
                    &parent(2),
                    json!({"location": "global", "sku": {"name": "Standard_AzureFrontDoor"}}),
                )
                .await;
                self.make(&parent(1), json!({"properties": {}})).await;
            }
            _ => {}
        }
        Vec::new()
    }

    async fn register(&mut self, namespace: &str) {
        let path =
            format!("/subscriptions/{SUBSCRIPTION}/providers/{namespace}/register?api-version=2021-04-01");
        let url = format!("https://management.azure.com{path}");
        self.sim.send(Request::new(Method::Post, url)).await.unwrap();
        self.clock.sleep(Duration::from_secs(3600)).await;
    }

    async fn network(&mut self, id: &str, subnets: &[&str]) {
        let subnets: Vec<Value> = subnets
            .iter()
            .map(|name| json!({"name": name, "properties": {"addressPrefix": "10.0.0.0/24"}}))
            .collect();
        let space = json!({"addressPrefixes": ["10.0.0.0/16"]});
        let properties = json!({"addressSpace": space, "subnets": subnets});
        self.make(id, json!({"location": "westus2", "properties": properties})).await;
    }

    async fn subnet(&mut self, id: &str, location: &str) {
        let (network, subnet) = id.split_once("/subnets/").unwrap();
        let subnets = json!([{"name": subnet, "properties": {"addressPrefix": "10.0.0.0/24"}}]);
        let properties = json!({"addressSpace": {"addressPrefixes": ["10.0.0.0/16"]}, "subnets": subnets});
        self.make(network, json!({"location": location, "properties": properties})).await;
    }

    async fn cluster(&mut self, id: &str, location: &str, more: Value) {
        let pool = json!({"name": "ap1", "mode": "System", "count": 1, "vmSize": "Standard_DS2_v2", "osType": "Linux"});
        let mut properties = json!({"dnsPrefix": "aso", "agentPoolProfiles": [pool]});
        for (name, value) in more.as_object().unwrap() {
            properties[name] = value.clone();
        }
        let identity = json!({"type": "SystemAssigned"});
        self.make(id, json!({"location": location, "identity": identity, "properties": properties})).await;
    }

    /// Something that a private endpoint can lead to.
    async fn target(&mut self, id: &str, location: &str) {
        let tenant = self.sim.tenant();
        let shown = &self.recording.exchanges.last().unwrap().answer.body;
        let policies = shown.pointer("/properties/accessPolicies").cloned();
        let sku = json!({"family": "A", "name": "standard"});
        let body = match id.to_ascii_lowercase() {
            id if id.contains("/microsoft.keyvault/") => json!({
                "properties": {
                    "tenantId": tenant, "sku": sku, "softDeleteRetentionInDays": 7,
                    "accessPolicies": policies.clone().unwrap_or_else(|| json!([])),
                },
            }),
            id if id.contains("/microsoft.storage/") => {
                json!({"kind": "StorageV2", "sku": {"name": "Standard_LRS"}, "properties": {}})
            }
            id if id.contains("/microsoft.sql/servers/") => {
                json!({"properties": {"administratorLogin": "sqladmin", "administratorLoginPassword": PASSWORD}})
            }
            _ => json!({"properties": {}}),
        };
        let mut body = body;
        body["location"] = json!(location);
        self.make(id, body).await;
    }

    async fn endpoint(
        &mut self,
        group: &str,
        id: &str,
        target: &str,
        kind: &str,
        location: &str,
        manual: bool,
    ) {
        self.target(target, location).await;
        let subnet = format!("{group}/providers/Microsoft.Network/virtualNetworks/v/subnets/s");
        self.subnet(&subnet, location).await;
        self.connect(id, target, kind, &subnet, location, manual, "connection").await;
    }

    #[expect(clippy::too_many_arguments, reason = "an endpoint has that many sides")]
    async fn connect(
        &mut self,
        id: &str,
        target: &str,
        kind: &str,
        subnet: &str,
        location: &str,
        manual: bool,
        name: &str,
    ) -> Value {
        let connection =
            json!({"name": name, "properties": {"privateLinkServiceId": target, "groupIds": [kind]}});
        let list =
            if manual { "manualPrivateLinkServiceConnections" } else { "privateLinkServiceConnections" };
        let properties = json!({"subnet": {"id": subnet}, list: [connection]});
        self.make(id, json!({"location": location, "properties": properties})).await
    }

    /// A connection on its target, as the recording has it; its name holds a GUID that the simulator chooses.
    async fn connection(
        &mut self,
        main: &Exchange,
        group: &str,
        kind: &str,
        state: &str,
    ) -> Vec<(String, String)> {
        let id = main.id().unwrap();
        let (target, name) = id.split_once("/privateEndpointConnections").unwrap();
        let recorded = match name.strip_prefix('/') {
            Some(name) => name.to_owned(),
            None => main.answer.body["value"][0]["name"].as_str().unwrap().to_owned(),
        };
        let shown = match main.answer.body.pointer("/value/0") {
            Some(first) => first.clone(),
            None => main.answer.body.clone(),
        };
        let endpoint = shown["properties"]["privateEndpoint"]["id"].as_str().unwrap().to_owned();
        let location = shown["location"].as_str().unwrap_or("westus").to_ascii_lowercase().replace(' ', "");
        self.target(target, &location).await;
        let subnet = format!("{group}/providers/Microsoft.Network/virtualNetworks/v/subnets/s");
        self.subnet(&subnet, &location).await;
        // A web app names a connection by the name that the endpoint gives it, and a GUID.
        let given = match kind {
            "sites" => recorded[..recorded.len() - 37].to_owned(),
            _ => recorded.clone(),
        };
        let manual = state == "pending";
        self.connect(&endpoint, target, kind, &subnet, &location, manual, &given).await;
        let list = Exchange {
            method: Method::Get,
            target: Target::Path(format!("{target}/privateEndpointConnections?api-version=2020-01-01")),
            body: None,
            ..main.clone()
        };
        let listed = self.play(&list).await.body;
        let made = listed["value"][0]["name"].clone();
        assert!(made.is_string(), "{}: {listed}", self.recording.name);
        if kind == "vault" {
            // The recorded approval follows a rejection.
            let rejected = json!({"properties": {"privateLinkServiceConnectionState": {
                "status": "Rejected", "description": "no"}}});
            self.make(&format!("{target}/privateEndpointConnections/{}", made.as_str().unwrap()), rejected)
                .await;
        }
        if kind == "sites" {
            // The site has a further connection by then.
            let last = self.recording.exchanges.last().unwrap().answer.body.clone();
            let all =
                last["properties"]["privateEndpointConnections"].as_array().cloned().unwrap_or_default();
            if let Some(other) = all.iter().find(|other| other["name"] != json!(recorded)) {
                let name = other["name"].as_str().unwrap();
                let endpoint = other["properties"]["privateEndpoint"]["id"].as_str().unwrap();
                let given = &name[..name.len() - 37];
                self.connect(endpoint, target, kind, &subnet, &location, true, given).await;
                let list = self.play(&list).await.body;
                let ours = list["value"]
                    .as_array()
                    .unwrap()
                    .iter()
                    .find(|c| c["name"].as_str().is_some_and(|n| n.starts_with(given)))
                    .unwrap();
                let mut aliases = alias(&json!(name), &ours["name"]);
                aliases.extend(alias(&json!(recorded), &made));
                return aliases;
            }
        }
        alias(&json!(recorded), &made)
    }
}

#[track_caller]
fn alias(from: &Value, to: &Value) -> Vec<(String, String)> {
    let text = |value: &Value| value.as_str().expect("a text").to_owned();
    vec![(text(from), text(to))]
}

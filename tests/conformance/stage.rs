//! What had to be there before a recorded request: the stage on which a recording is played to the simulator. It is made
//! of the recording alone: the parents of what it is about, what its bodies refer to, and what it shows of the time
//! before its first write.

use crate::facts::{Answer, Exchange, Recording, Target};
use berth::arm::transport::{Method, Request, Transport};
use berth::catalog::resource_type;
use berth::host::{Clock, Timestamp};
use berth::ident::ArmId;
use berth::sim::{Options, Simulator, Time};
use berth::value::strip_read_only;
use serde_json::{Map, Value, json};
use std::collections::BTreeSet;
use std::time::Duration;

/// The subscription of the recordings that are compared with word by word.
pub const SUBSCRIPTION: &str = "00000000-0000-0000-0000-000000000000";

/// What Azure takes for a password.
const PASSWORD: &str = "Only-a-stage-1234";

/// The oldest minor of Kubernetes that Azure still takes, and what stands for older ones in a recording: one that has
/// left support is refused by Azure today, and so by the simulator.
const OLDEST_MINOR: u32 = 32;
const SUPPORTED: &str = "1.33.1";

/// A simulator with everything in place, and the recording that is played to it.
pub struct Stage {
    pub recording: Recording,
    sim: Simulator,
    clock: Clock,
    operation: Option<String>,
    location: Option<String>,
    /// What is there already, by id in lower case.
    made: BTreeSet<String>,
    /// What could not be made, and why.
    pub notes: Vec<String>,
}

/// A type that a private endpoint leads to, by the name of its group's zone: zone, type, group.
const ZONES: &[(&str, &str, &str)] = &[
    ("privatelink.blob.", "Microsoft.Storage/storageAccounts", "blob"),
    ("privatelink.file.", "Microsoft.Storage/storageAccounts", "file"),
    ("privatelink.queue.", "Microsoft.Storage/storageAccounts", "queue"),
    ("privatelink.table.", "Microsoft.Storage/storageAccounts", "table"),
    ("privatelink.dfs.", "Microsoft.Storage/storageAccounts", "dfs"),
    ("privatelink.vaultcore.", "Microsoft.KeyVault/vaults", "vault"),
    ("privatelink.database.", "Microsoft.Sql/servers", "sqlServer"),
    ("privatelink.azurewebsites.", "Microsoft.Web/sites", "sites"),
    ("privatelink.azurecr.", "Microsoft.ContainerRegistry/registries", "registry"),
    ("privatelink.redis.azure.", "Microsoft.Cache/redisEnterprise", "redisEnterprise"),
    ("privatelink.documents.", "Microsoft.DocumentDB/databaseAccounts", "Sql"),
    ("privatelink.servicebus.", "Microsoft.EventHub/namespaces", "namespace"),
    ("privatelink.azure-api.", "Microsoft.ApiManagement/service", "Gateway"),
];

/// The group that an endpoint to a type names, the most usual one.
fn group_of_type(arm_type: &str) -> &'static str {
    ZONES.iter().find(|(_, known, _)| known.eq_ignore_ascii_case(arm_type)).map_or("", |(_, _, group)| group)
}

/// What reaches a service through the network that refers to it.
const SERVICES: [&str; 3] = ["Microsoft.KeyVault", "Microsoft.Sql", "Microsoft.Storage"];

impl Stage {
    /// Sets the stage for a recording.
    pub async fn set(name: &str, text: &str) -> Stage {
        let text = rewritten(name, text);
        let recording = Recording::parse(name, &text);
        let clock = Clock::start_at(Timestamp(1_790_000_000_000), 1.0);
        let subscription = after(recording.id(), "subscriptions").unwrap_or(SUBSCRIPTION).to_owned();
        let tenants = recording.exchanges.iter().flat_map(|one| [one.body.as_ref(), Some(&one.answer.body)]);
        let tenant = tenants.flatten().find_map(|body| body.pointer("/properties/tenantId")?.as_str());
        let asked = recording.main().body.as_ref().and_then(|body| body.pointer("/properties/tenantId"));
        let tenant = asked.and_then(Value::as_str).or(tenant).unwrap_or(SUBSCRIPTION).to_owned();
        // A provider whose registration is recorded was not registered.
        let namespaces = namespaces(&recording);
        let options = Options {
            subscription,
            tenant,
            time: Time::Host(clock.clone()),
            registered: namespaces.into_iter().collect(),
            ..Options::default()
        };
        let sim = Simulator::new(options);
        let mut stage = Stage {
            recording,
            sim,
            clock,
            operation: None,
            location: None,
            made: BTreeSet::new(),
            notes: Vec::new(),
        };
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

    /// What is read of a resource once it is at rest.
    pub async fn read(&mut self, id: &str, api_version: &str) -> Value {
        let folded = id.to_ascii_lowercase();
        let (method, path) = match folded.ends_with("/config/appsettings") {
            true => (Method::Post, format!("{id}/list")),
            false => (Method::Get, id.to_owned()),
        };
        self.ask(method, &format!("{path}?api-version={api_version}"), None).await.body
    }

    /// Where it all lies.
    pub fn place(&self) -> String {
        self.recording.location()
    }

    /// The simulator, and its clock.
    pub fn simulator(&self) -> (Simulator, Clock) {
        (self.sim.clone(), self.clock.clone())
    }

    async fn ask(&mut self, method: Method, path: &str, body: Option<Value>) -> Answer {
        let exchange = Exchange {
            method,
            target: Target::Path(path.to_owned()),
            headers: Default::default(),
            body,
            note: String::new(),
            answer: Answer { status: 200, headers: Default::default(), body: Value::Null },
        };
        self.play(&exchange).await
    }

    /// Whether something is there.
    async fn has(&mut self, id: &str) -> bool {
        self.made.contains(&id.to_ascii_lowercase())
            || self.ask(Method::Get, &versioned(id), None).await.status == 200
    }

    /// Creates something, what it stands on first, and waits until it is at rest. What the simulator would not make is put
    /// there as it is.
    async fn make(&mut self, id: &str, body: Value) {
        if self.has(id).await {
            return;
        }
        self.make_above(id).await;
        self.made.insert(id.to_ascii_lowercase());
        let path = versioned(id);
        let answer = self.ask(Method::Put, &path, Some(body.clone())).await;
        if answer.status >= 300 {
            self.notes.push(format!("{id} is put there as it is: {} {}", answer.status, answer.body));
            self.load(id, body);
        }
        self.ask(Method::Get, &path, None).await;
    }

    /// Puts something there as it is.
    fn load(&mut self, id: &str, mut body: Value) {
        self.made.insert(id.to_ascii_lowercase());
        let Ok(parsed) = ArmId::parse(id) else { return };
        if !body.is_object() {
            body = json!({ "properties": {} });
        }
        let kind = match parsed.resource_type() {
            kind if kind.is_empty() => "Microsoft.Resources/resourceGroups".to_owned(),
            kind => kind,
        };
        for (name, value) in [("id", id), ("name", parsed.name()), ("type", &kind)] {
            if body.get(name).is_none() {
                body[name] = value.into();
            }
        }
        if let Err(error) = self.sim.load(vec![body]) {
            self.notes.push(format!("{id} cannot be put there: {error}"));
        }
    }

    /// Creates what an id stands on: its group, and every parent of it.
    async fn make_above(&mut self, id: &str) {
        for above in above(id) {
            if !self.made.contains(&above.to_ascii_lowercase()) {
                self.made.insert(above.to_ascii_lowercase());
                Box::pin(self.make_usual(&above)).await;
            }
        }
    }

    /// Creates something that nothing but its id is known of.
    async fn make_usual(&mut self, id: &str) {
        self.made.remove(&id.to_ascii_lowercase());
        let folded = id.to_ascii_lowercase();
        if let Some((network, _)) = folded.split_once("/subnets/") {
            // A network and its subnets are made together.
            let network = &id[..network.len()];
            return Box::pin(self.make(network, self.usual(network))).await;
        }
        if folded.contains("/microsoft.network/privateendpoints/") {
            return Box::pin(self.aim(id)).await;
        }
        // What the recording shows of it is what it was, less what is made below.
        let shown = self.recording.shown(id).cloned();
        match shown {
            Some(mut shown) => {
                if let Some(properties) = shown["properties"].as_object_mut() {
                    properties.shift_remove("privateEndpointConnections");
                }
                self.make_above(id).await;
                self.load(id, shown);
            }
            None => Box::pin(self.make(id, self.usual(id))).await,
        }
    }

    /// The smallest body that Azure takes for a type.
    fn usual(&self, id: &str) -> Value {
        let location = self.recording.location();
        let parsed = ArmId::parse(id);
        let kind = parsed.map(|id| id.resource_type().to_ascii_lowercase()).unwrap_or_default();
        let mut body = match kind.as_str() {
            "microsoft.network/virtualnetworks" => {
                let (space, subnets) = self.recording.network(id);
                json!({ "properties": { "addressSpace": { "addressPrefixes": space }, "subnets": subnets } })
            }
            "microsoft.network/privatednszones" | "microsoft.cdn/profiles" => {
                let sku = json!({ "name": "Standard_AzureFrontDoor" });
                let body = json!({ "location": "global", "properties": {} });
                return if kind.contains("cdn") { with(body, "sku", sku) } else { body };
            }
            "microsoft.containerservice/managedclusters" => self.cluster(),
            "microsoft.cdn/profiles/origingroups" => json!({ "properties": {
                "loadBalancingSettings": { "sampleSize": 4, "successfulSamplesRequired": 3 },
            } }),
            "microsoft.keyvault/vaults" => json!({ "properties": {
                "tenantId": self.sim.tenant(), "sku": { "family": "A", "name": "standard" },
                "softDeleteRetentionInDays": 7, "accessPolicies": [],
            } }),
            "microsoft.storage/storageaccounts" => {
                json!({ "kind": "StorageV2", "sku": { "name": "Standard_LRS" }, "properties": {} })
            }
            "microsoft.sql/servers" => json!({ "properties": {
                "administratorLogin": "sqladmin", "administratorLoginPassword": PASSWORD,
            } }),
            "microsoft.containerregistry/registries" => {
                let body = json!({ "sku": { "name": "Premium" }, "properties": {} });
                // A replication is not where the registry is.
                match self.recording.id().to_ascii_lowercase().contains("/replications/") {
                    true => return with(body, "location", "northeurope".into()),
                    false => body,
                }
            }
            "microsoft.network/frontdoorwebapplicationfirewallpolicies" => json!({
                "sku": { "name": "Standard_AzureFrontDoor" }, "properties": { "policySettings": {} },
            }),
            "microsoft.web/serverfarms" => json!({ "sku": { "name": "S1" }, "properties": {} }),
            "microsoft.servicebus/namespaces" => {
                json!({ "sku": { "name": "Premium", "capacity": 1 }, "properties": {} })
            }
            "microsoft.eventhub/namespaces" => {
                json!({ "sku": { "name": "Standard", "capacity": 1 }, "properties": {} })
            }
            "microsoft.documentdb/databaseaccounts" => json!({ "properties": {
                "databaseAccountOfferType": "Standard",
                "locations": [{ "locationName": location, "failoverPriority": 0 }],
            } }),
            "microsoft.cache/redisenterprise" => {
                json!({ "sku": { "name": "Balanced_B5" }, "properties": {} })
            }
            "microsoft.apimanagement/service" => json!({
                "sku": { "name": "Developer", "capacity": 1 },
                "properties": { "publisherName": "p", "publisherEmail": "p@example.com" },
            }),
            "microsoft.network/publicipaddresses" => {
                json!({ "sku": { "name": "Standard" }, "properties": { "publicIPAllocationMethod": "Static" } })
            }
            "microsoft.network/natgateways" => json!({ "sku": { "name": "Standard" }, "properties": {} }),
            _ => json!({ "properties": {} }),
        };
        body["location"] = location.into();
        body
    }

    /// A cluster on which what is recorded can be made.
    fn cluster(&self) -> Value {
        let pool = json!({ "name": "ap1", "mode": "System", "count": 1, "vmSize": "Standard_DS2_v2", "osType": "Linux" });
        let mut properties = json!({ "dnsPrefix": "aso", "agentPoolProfiles": [pool] });
        let asked = self.recording.main().body.as_ref();
        if asked.and_then(|body| body.pointer("/properties/osType")) == Some(&json!("Windows")) {
            properties["windowsProfile"] = json!({ "adminUsername": "azureuser", "adminPassword": PASSWORD });
            properties["networkProfile"] = json!({ "networkPlugin": "azure" });
            properties["kubernetesVersion"] = SUPPORTED.into();
        }
        json!({ "identity": { "type": "SystemAssigned" }, "properties": properties })
    }

    /// Makes what an endpoint leads to, and the endpoint: its zone group says what that is.
    async fn aim(&mut self, endpoint: &str) {
        let bodies: Vec<Value> = self.recording.bodies().cloned().collect();
        let zone =
            bodies.iter().flat_map(ids).find(|id| id.to_ascii_lowercase().contains("/privatednszones/"));
        let zone = zone.as_deref().map(|id| name(id).to_ascii_lowercase());
        let known = zone.as_ref().and_then(|zone| ZONES.iter().find(|(start, ..)| zone.starts_with(start)));
        let &(_, arm_type, group) = known.unwrap_or(&ZONES[0]);
        // The records that are shown have the target's name.
        let records = bodies.iter().find_map(|body| {
            let config = body.pointer("/properties/privateDnsZoneConfigs/0/properties/recordSets/0")?;
            config["recordSetName"].as_str().map(str::to_owned)
        });
        let scope = group_id(endpoint);
        let target = format!("{scope}/providers/{arm_type}/{}", records.as_deref().unwrap_or("stagetarget"));
        self.made.remove(&endpoint.to_ascii_lowercase());
        self.connect(endpoint, &target, group, false, "connection").await;
    }

    async fn connect(&mut self, endpoint: &str, target: &str, group: &str, manual: bool, given: &str) {
        Box::pin(self.make_usual_once(target)).await;
        let network = format!("{}/providers/Microsoft.Network/virtualNetworks/stage", group_id(endpoint));
        let subnet = format!("{network}/subnets/endpoints");
        let subnets = json!([{ "name": "endpoints", "properties": { "addressPrefix": "10.0.0.0/24" } }]);
        let location = self.recording.location();
        let body = json!({ "location": location, "properties": {
            "addressSpace": { "addressPrefixes": ["10.0.0.0/16"] }, "subnets": subnets,
        } });
        Box::pin(self.make(&network, body)).await;
        let groups: Vec<&str> = Some(group).filter(|group| !group.is_empty()).into_iter().collect();
        let connection =
            json!({ "name": given, "properties": { "privateLinkServiceId": target, "groupIds": groups } });
        let list = match manual {
            true => "manualPrivateLinkServiceConnections",
            false => "privateLinkServiceConnections",
        };
        let properties = json!({ "subnet": { "id": subnet }, list: [connection] });
        let body = json!({ "location": location, "properties": properties });
        Box::pin(self.make(endpoint, body)).await;
    }

    async fn make_usual_once(&mut self, id: &str) {
        if !self.has(id).await {
            self.made.insert(id.to_ascii_lowercase());
            self.make_usual(id).await;
        }
    }

    /// Creates what the recording takes for granted; answers what must be called otherwise in it.
    async fn build(&mut self) -> Vec<(String, String)> {
        let main = self.recording.main().clone();
        let id = self.recording.resource().to_owned();
        let kind = ArmId::parse(&id).map(|id| id.resource_type().to_ascii_lowercase()).unwrap_or_default();
        let connections = id.to_ascii_lowercase().find("/privateendpointconnections");
        let of_arm = ["microsoft.resources/resourcegroups", "microsoft.resources/providers"];
        let is_resource = !kind.is_empty() && !of_arm.contains(&kind.as_str()) || connections.is_some();
        if !is_resource {
            // The subscription itself, a group, and what a subscription registers.
            if self.recording.was_there() && after(&id, "resourceGroups").is_some() {
                self.make_usual(&id).await;
            }
            return Vec::new();
        }
        let mut aliases = Vec::new();
        match connections {
            Some(at) => aliases.extend(self.connections(&id[..at]).await),
            None => self.make_above(&id).await,
        }
        let asked: Vec<Value> = self.recording.exchanges.iter().filter_map(|one| one.body.clone()).collect();
        if connections.is_none() {
            let own = id.to_ascii_lowercase();
            let mut wanted: Vec<String> = asked.iter().flat_map(ids).collect();
            wanted.sort_by_key(|id| id.matches('/').count());
            for id in wanted {
                let folded = id.to_ascii_lowercase();
                let built_in = folded.starts_with("/providers/") || folded.contains("/roledefinitions/");
                // What is in the group of a cluster's nodes comes with the cluster.
                let of_nodes = after(&id, "resourceGroups").is_some_and(|group| {
                    let named = |body: &&Value| {
                        body.pointer("/properties/nodeResourceGroup").and_then(Value::as_str) == Some(group)
                    };
                    asked.iter().any(|body| named(&body))
                });
                if !folded.starts_with(&own) && !built_in && !of_nodes && id.split('/').count() > 4 {
                    self.make_usual_once(&id).await;
                }
            }
        }
        if kind.ends_with("/fluxconfigurations") {
            // Flux itself is installed first.
            let (cluster, _) = id.split_at(id.to_ascii_lowercase().rfind("/providers/").unwrap());
            let flux = format!("{cluster}/providers/Microsoft.KubernetesConfiguration/extensions/flux");
            self.make(&flux, json!({ "properties": { "extensionType": "microsoft.flux" } })).await;
        }
        if kind == "microsoft.authorization/roleassignments" {
            let role = main.body.as_ref().and_then(|body| body.pointer("/properties/roleDefinitionId"));
            let role = role.and_then(Value::as_str).unwrap_or_default().to_owned();
            // One that Azure has, or one that somebody made.
            if !role.is_empty() && !self.has(&role).await {
                let properties = json!({ "roleName": "Stage", "type": "CustomRole", "permissions": [] });
                self.load(&role, json!({ "properties": properties }));
            }
            aliases.extend(self.principal(&id, &main).await);
        }
        if connections.is_none() && self.recording.was_there() {
            self.put_there(&id).await;
        }
        aliases
    }

    /// Someone whom a role can be given to; known at once, or when the recording tells of an unknown one, later.
    async fn principal(&mut self, id: &str, main: &Exchange) -> Vec<(String, String)> {
        let Some(principal) = main.body.as_ref().and_then(|body| body.pointer("/properties/principalId"))
        else {
            return Vec::new();
        };
        let principal = principal.as_str().unwrap_or_default().to_owned();
        let kind = main.body.as_ref().and_then(|body| body.pointer("/properties/principalType"));
        if kind.is_some_and(|kind| kind != "ServicePrincipal") {
            return Vec::new();
        }
        let scope = group_id(id);
        let location = self.recording.location();
        let identity = format!("{scope}/providers/Microsoft.ManagedIdentity/userAssignedIdentities/someone");
        let path = versioned(&identity);
        let made = self.ask(Method::Put, &path, Some(json!({ "location": location }))).await.body;
        if main.answer.status < 300 {
            self.clock.sleep(Duration::from_secs(3600)).await;
        }
        made["properties"]["principalId"]
            .as_str()
            .map(|made| (principal, made.to_owned()))
            .into_iter()
            .collect()
    }

    /// Puts what the recording is about there, as it was before.
    async fn put_there(&mut self, id: &str) {
        let first = self.recording.first_shown(id).cloned();
        let path = versioned(id);
        match first {
            // It was being made when it was first looked at.
            Some(shown) if is_being_made(&shown) => {
                let asked = asked_for(id, &shown);
                self.ask(Method::Put, &path, Some(asked)).await;
            }
            Some(shown) if self.recording.shown_before(id) => self.load(id, shown),
            shown => {
                let mut before = match (&self.recording.main().body, shown) {
                    (Some(asked), _) => asked.clone(),
                    (None, Some(shown)) => asked_for(id, &shown),
                    (None, None) => self.usual(id),
                };
                let last = self.recording.last_body().cloned().unwrap_or_default();
                if let Some(properties) = before["properties"].as_object_mut() {
                    properties.shift_remove("createMode");
                    // What came with the update referred to something.
                    without_references(properties);
                    for kept in ["accessPolicies", "softDeleteRetentionInDays"] {
                        if let (None, Some(value)) = (properties.get(kept), last["properties"].get(kept)) {
                            properties.insert(kept.to_owned(), value.clone());
                        }
                    }
                }
                self.make(id, before).await;
            }
        }
    }

    /// The connections of a target that the recording shows: their endpoints, and the names that they have here.
    async fn connections(&mut self, target: &str) -> Vec<(String, String)> {
        let shown = self.recording.connections();
        let kind = ArmId::parse(target).map(|id| id.resource_type()).unwrap_or_default();
        let mut aliases = Vec::new();
        for (name, endpoint, status, groups) in shown {
            let group = groups.unwrap_or_else(|| group_of_type(&kind).to_owned());
            let given = without_guid(&name);
            let at = endpoint.clone();
            self.connect(&at, target, &group, status != "Approved", given).await;
            let path = versioned(&format!("{target}/privateEndpointConnections"));
            let listed = self.ask(Method::Get, &path, None).await.body;
            let listed = listed["value"].as_array().cloned().unwrap_or_default();
            let ours = listed.iter().find(|one| {
                let from = one.pointer("/properties/privateEndpoint/id").and_then(Value::as_str);
                from.is_some_and(|from| from.eq_ignore_ascii_case(&endpoint))
            });
            // A decision says of which state it is about.
            let sent = self.recording.main().body.as_ref().and_then(|body| body["etag"].as_str());
            if let (Some(sent), Some(tag)) = (sent, ours.and_then(|one| one["etag"].as_str())) {
                aliases.push((sent.to_owned(), tag.to_owned()));
            }
            let ours = ours.and_then(|one| one["name"].as_str()).unwrap_or_default().to_owned();
            assert!(!ours.is_empty(), "{}: {target} has no connection of {endpoint}", self.recording.name);
            if status == "Rejected" {
                let state = json!({ "status": "Rejected", "description": "no" });
                let body = json!({ "properties": { "privateLinkServiceConnectionState": state } });
                let path = versioned(&format!("{target}/privateEndpointConnections/{ours}"));
                self.ask(Method::Put, &path, Some(body)).await;
                self.ask(Method::Get, &path, None).await;
            }
            if name != ours {
                aliases.push((name, ours));
            }
        }
        aliases
    }
}

/// A body as its client could have asked for it.
fn asked_for(id: &str, shown: &Value) -> Value {
    let mut body = shown.clone();
    let arm_type = ArmId::parse(id).map(|id| id.resource_type()).unwrap_or_default();
    if let Some(kind) = resource_type(&arm_type) {
        strip_read_only(&mut body, kind.compiled());
    }
    for name in ["id", "name", "type", "systemData", "etag"] {
        body.as_object_mut().map(|members| members.shift_remove(name));
    }
    if let Some(identity) = body.get_mut("identity").and_then(Value::as_object_mut) {
        identity.shift_remove("principalId");
        identity.shift_remove("tenantId");
    }
    if let Some(pools) = body.pointer_mut("/properties/agentPoolProfiles").and_then(Value::as_array_mut) {
        for pool in pools.iter_mut().filter_map(Value::as_object_mut) {
            for name in ["powerState", "nodeImageVersion", "currentOrchestratorVersion", "provisioningState"]
            {
                pool.shift_remove(name);
            }
        }
    }
    if arm_type.eq_ignore_ascii_case("Microsoft.ContainerService/managedClusters") {
        // The rest of a cluster is what Azure chose.
        let properties = body["properties"].as_object_mut().unwrap();
        properties.retain(|name, _| {
            ["dnsPrefix", "agentPoolProfiles", "linuxProfile", "disableLocalAccounts"]
                .contains(&name.as_str())
        });
    }
    body
}

fn is_being_made(shown: &Value) -> bool {
    shown.pointer("/properties/provisioningState") == Some(&json!("Creating"))
}

fn with(mut body: Value, name: &str, value: Value) -> Value {
    body[name] = value;
    body
}

/// Empties the lists whose elements refer to other resources.
fn without_references(members: &mut Map<String, Value>) {
    for value in members.values_mut() {
        match value {
            Value::Array(items) if items.iter().any(|item| item.is_object() && !ids(item).is_empty()) => {
                items.clear();
            }
            Value::Object(below) => without_references(below),
            _ => {}
        }
    }
}

/// Every ARM id in a value, as it is written: texts and keys.
fn ids(value: &Value) -> Vec<String> {
    fn walk(value: &Value, found: &mut Vec<String>) {
        let mut look = |text: &str| {
            let is_id = text.to_ascii_lowercase().starts_with("/subscriptions/");
            if is_id && ArmId::parse(text).is_ok() && !found.iter().any(|one| one.eq_ignore_ascii_case(text))
            {
                found.push(text.to_owned());
            }
        };
        match value {
            Value::String(text) => look(text),
            Value::Array(items) => items.iter().for_each(|item| walk(item, found)),
            Value::Object(members) => {
                members.keys().for_each(|key| look(key));
                members.values().for_each(|member| walk(member, found));
            }
            _ => {}
        }
    }
    let mut found = Vec::new();
    walk(value, &mut found);
    found
}

/// What an id stands on, the outermost first: its group, parents, and the resources that it extends.
fn above(id: &str) -> Vec<String> {
    let parts: Vec<&str> = id.split('/').collect();
    let mut found = Vec::new();
    // `/subscriptions/s/resourceGroups/g` is four parts and an empty one before.
    if parts.len() > 5 && parts[3].eq_ignore_ascii_case("resourcegroups") {
        found.push(parts[..5].join("/"));
    }
    let mut at = 5;
    while at + 2 < parts.len() {
        if parts[at].eq_ignore_ascii_case("providers") {
            at += 2;
            continue;
        }
        at += 2;
        if at < parts.len() {
            found.push(parts[..at].join("/"));
        }
    }
    found.retain(|one| !one.eq_ignore_ascii_case(id) && one.split('/').count() >= 5);
    found
}

fn group_id(id: &str) -> String {
    id.split('/').take(5).collect::<Vec<_>>().join("/")
}

fn name(id: &str) -> &str {
    id.rsplit('/').next().unwrap_or_default()
}

/// What follows a word of a path.
fn after<'i>(id: &'i str, word: &str) -> Option<&'i str> {
    let mut parts = id.split('/');
    parts.find(|part| part.eq_ignore_ascii_case(word))?;
    parts.next().map(|part| part.split('?').next().unwrap_or(part))
}

/// A name without the GUID that Azure put behind it.
fn without_guid(name: &str) -> &str {
    let end = name.len().checked_sub(37).filter(|end| name.is_char_boundary(*end));
    match end {
        Some(end) if uuid(&name[end + 1..]) && matches!(&name[end..=end], "-" | ".") => &name[..end],
        _ => name,
    }
}

fn uuid(text: &str) -> bool {
    text.len() == 36
        && text.char_indices().all(|(at, c)| match at {
            8 | 13 | 18 | 23 => c == '-',
            _ => c.is_ascii_hexdigit(),
        })
}

/// The namespaces that a recording speaks of, but for one that it registers.
fn namespaces(recording: &Recording) -> BTreeSet<String> {
    let registers =
        |one: &&Exchange| one.method == Method::Post && one.id().is_some_and(|id| id.ends_with("/register"));
    let registered: Vec<String> = recording
        .exchanges
        .iter()
        .filter(registers)
        .filter_map(|one| after(one.id()?, "providers").map(str::to_ascii_lowercase))
        .collect();
    let paths = recording.exchanges.iter().filter_map(Exchange::id).map(str::to_owned);
    let bodies = recording.bodies().flat_map(ids);
    let all = paths.chain(bodies).flat_map(|id| {
        let parts: Vec<String> = id.split('/').map(str::to_owned).collect();
        parts
            .windows(2)
            .filter(|two| two[0].eq_ignore_ascii_case("providers"))
            .map(|two| two[1].clone())
            .collect::<Vec<_>>()
    });
    let usual = [
        "Microsoft.Network",
        "Microsoft.Storage",
        "Microsoft.ManagedIdentity",
        "Microsoft.KubernetesConfiguration",
    ];
    all.chain(usual.map(str::to_owned))
        .filter(|name| !registered.contains(&name.to_ascii_lowercase()))
        .collect()
}

/// A recording with what is out of date, hidden or unknown to the simulator replaced.
fn rewritten(name: &str, text: &str) -> String {
    let mut text = text.replace("<placeholder>", PASSWORD);
    for version in versions(&text) {
        let minor = version.split('.').nth(1).and_then(|minor| minor.parse::<u32>().ok());
        if minor.is_some_and(|minor| minor < OLDEST_MINOR) {
            text = text.replace(&format!("\"{version}\""), &format!("\"{SUPPORTED}\""));
        }
    }
    // Which provider is registered does not matter, and the simulator knows those that berth knows.
    let registers = Recording::parse(name, &text);
    for exchange in &registers.exchanges {
        let path = exchange.id().unwrap_or_default();
        if exchange.method == Method::Post
            && path.ends_with("/register")
            && let Some(namespace) = after(path, "providers")
            && !berth::catalog::registry()
                .iter()
                .any(|kind| kind.types.iter().any(|one| one.namespace() == namespace))
        {
            text = text.replace(namespace, "Microsoft.KubernetesConfiguration");
        }
    }
    text
}

/// The versions of Kubernetes that a text names.
fn versions(text: &str) -> BTreeSet<String> {
    let mut found = BTreeSet::new();
    for word in ["kubernetesVersion\"", "rchestratorVersion\"", "KubernetesVersion\""] {
        for (at, _) in text.match_indices(word) {
            let rest = text[at + word.len()..].trim_start_matches([':', ' ']);
            if let Some(version) = rest.strip_prefix('"').and_then(|rest| rest.split('"').next()) {
                found.insert(version.to_owned());
            }
        }
    }
    found.retain(|version| version.starts_with("1."));
    found
}

impl Recording {
    /// Every body that was sent or shown.
    fn bodies(&self) -> impl Iterator<Item = &Value> {
        self.exchanges.iter().flat_map(|one| one.body.iter().chain([&one.answer.body]))
    }

    /// The id of what the recording is about: that of the main request, without what is done to it.
    fn resource(&self) -> &str {
        let id = self.id();
        match self.main().method {
            Method::Post => id.rsplit_once('/').map_or(id, |(id, _)| id),
            _ => id,
        }
    }

    /// Where it all lies.
    fn location(&self) -> String {
        let bodies = || self.bodies().filter_map(|body| body["location"].as_str());
        let found =
            bodies().find(|location| !location.is_empty() && !location.eq_ignore_ascii_case("global"));
        // Operations have addresses with it.
        let headers = || self.exchanges.iter().flat_map(|one| one.answer.headers.iter());
        let addressed = || {
            let found = headers().find_map(|(_, value)| after(value, "locations"));
            found.filter(|place| !place.eq_ignore_ascii_case("global"))
        };
        let place = found.or_else(addressed).unwrap_or("westus2");
        place.to_ascii_lowercase().replace("%20", "").replace(' ', "")
    }

    /// The first answer that shows a resource.
    fn first_shown(&self, id: &str) -> Option<&Value> {
        self.exchanges
            .iter()
            .filter(|one| one.answer.status < 300)
            .map(|one| &one.answer.body)
            .find(|body| is(body, id))
    }

    /// The last answer that shows a resource at rest.
    fn shown(&self, id: &str) -> Option<&Value> {
        let shown =
            self.exchanges.iter().rev().filter(|one| one.answer.status < 300).map(|one| &one.answer.body);
        shown.filter(|body| is(body, id) && body["type"].is_string()).find(|body| !is_being_made(body))
    }

    /// Whether a resource is shown before the first write to it.
    fn shown_before(&self, id: &str) -> bool {
        let first = self.exchanges.iter().find(|one| {
            one.id().is_some_and(|at| at.eq_ignore_ascii_case(id))
                && (!one.method.is_read() || is(&one.answer.body, id))
        });
        first.is_some_and(|one| one.method.is_read() && one.answer.status < 300)
    }

    /// Whether what the recording is about was there before: what is read, changed or taken away was, and so was what a PUT
    /// changes by an operation without making it.
    fn was_there(&self) -> bool {
        let id = self.resource();
        let own = |one: &&Exchange| {
            one.id().is_some_and(|at| {
                at.eq_ignore_ascii_case(id)
                    || at.to_ascii_lowercase().starts_with(&format!("{}/", id.to_ascii_lowercase()))
            })
        };
        let Some(first) = self.exchanges.iter().find(own) else { return false };
        match first.method {
            Method::Get | Method::Head | Method::Patch | Method::Post => first.answer.status < 300,
            Method::Delete => matches!(first.answer.status, 200 | 202),
            Method::Put => {
                first.answer.status == 200 && first.answer.headers.get("azure-asyncoperation").is_some()
            }
        }
    }

    /// The address space and the subnets of a network that the recording speaks of.
    fn network(&self, id: &str) -> (Vec<String>, Vec<Value>) {
        let start = format!("{}/subnets/", id.to_ascii_lowercase());
        let own = self.resource().to_ascii_lowercase();
        let mut named: Vec<String> = Vec::new();
        let mentioned = self.exchanges.iter().filter_map(|one| one.body.as_ref()).flat_map(ids);
        for found in mentioned {
            let folded = found.to_ascii_lowercase();
            if let Some(rest) = folded.strip_prefix(&start) {
                let name = found[found.len() - rest.len()..].split('/').next().unwrap_or_default().to_owned();
                if !named.contains(&name) && format!("{start}{}", name.to_ascii_lowercase()) != own {
                    named.push(name);
                }
            }
        }
        let mut space = vec!["10.0.0.0/16".to_owned()];
        if own.starts_with(&start) {
            let asked = self.main().body.as_ref();
            let mut prefixes: Vec<&str> = Vec::new();
            let properties = asked.and_then(|body| body.get("properties"));
            prefixes.extend(properties.and_then(|all| all["addressPrefix"].as_str()));
            prefixes.extend(
                properties
                    .and_then(|all| all["addressPrefixes"].as_array())
                    .into_iter()
                    .flatten()
                    .filter_map(Value::as_str),
            );
            let other = |prefix: &&str| !prefix.starts_with("10.0.");
            space.extend(prefixes.into_iter().filter(other).map(str::to_owned));
        }
        let subnets = named.iter().enumerate().map(|(at, name)| {
            json!({ "name": name, "properties": {
                "addressPrefix": format!("10.0.{at}.0/24"), "privateLinkServiceNetworkPolicies": "Disabled",
                "serviceEndpoints": SERVICES.map(|service| json!({ "service": service })),
            } })
        });
        (space, subnets.collect())
    }

    /// The connections that are shown: name, endpoint, what they said before the first decision, and their group.
    fn connections(&self) -> Vec<(String, String, String, Option<String>)> {
        let mut found: Vec<(String, String, String, Option<String>)> = Vec::new();
        let own = self.resource().to_ascii_lowercase();
        let mut decided = false;
        for exchange in &self.exchanges {
            let sent = exchange.body.as_ref().filter(|_| !exchange.method.is_read());
            decided |= sent.is_some();
            let answer = &exchange.answer.body;
            let lists = [answer.get("value"), answer.pointer("/properties/privateEndpointConnections")];
            let listed = lists.into_iter().flatten().filter_map(Value::as_array).flatten();
            for one in listed.chain([answer]).chain(sent) {
                let Some(endpoint) = one.pointer("/properties/privateEndpoint/id").and_then(Value::as_str)
                else {
                    continue;
                };
                let id = one["id"].as_str().or(exchange.id()).unwrap_or_default();
                let state = one.pointer("/properties/privateLinkServiceConnectionState/status");
                let state = state.and_then(Value::as_str).unwrap_or("Pending");
                // After a decision on it, what it was is not shown: a decision is for what waits, and what is approved is
                // rejected.
                let is_own = id.to_ascii_lowercase() == own;
                let before = match (is_own && decided, state) {
                    (false, state) => state.to_owned(),
                    (true, "Rejected") => "Approved".to_owned(),
                    (true, _) => "Pending".to_owned(),
                };
                let group = one.pointer("/properties/groupIds/0").and_then(Value::as_str).map(str::to_owned);
                let known = name(id).to_owned();
                if !found.iter().any(|(other, ..)| other.eq_ignore_ascii_case(&known)) {
                    found.push((known, endpoint.to_owned(), before, group));
                }
            }
        }
        found
    }
}

fn is(body: &Value, id: &str) -> bool {
    body["id"].as_str().is_some_and(|shown| shown.eq_ignore_ascii_case(id))
}

/// An attribute of the usual harness would leave a test out here.
pub async fn no_test_hides() {
    let folder = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/conformance");
    let attributes = [concat!("#[", "test]"), concat!("#[", "tokio::test")];
    for file in std::fs::read_dir(folder).unwrap().map(|file| file.unwrap().path()) {
        let text = std::fs::read_to_string(&file).unwrap();
        let hides = attributes.iter().any(|one| text.contains(one));
        assert!(!hides, "{}: list its tests in `SUITES` instead", file.display());
    }
}

pub async fn what_an_id_stands_on() {
    let group = "/subscriptions/s/resourceGroups/g";
    let cluster = format!("{group}/providers/Microsoft.ContainerService/managedClusters/c");
    let flux = format!("{cluster}/providers/Microsoft.KubernetesConfiguration/fluxConfigurations/f");
    assert_eq!(above(&flux), [group, cluster.as_str()]);
    assert_eq!(above(&format!("{cluster}/agentPools/p")), [group, cluster.as_str()]);
    assert_eq!(above(group), [] as [&str; 0]);
    assert_eq!(without_guid("pe-6f1f5a7c-6f7a-4dc1-9d38-3f8f4c1a0001"), "pe");
    assert_eq!(without_guid("account"), "account");
}

/// A path with the newest API version of what it names.
fn versioned(path: &str) -> String {
    let version = berth::sim::newest_api_version(path).unwrap_or("2025-04-01");
    format!("{path}?api-version={version}")
}

//! The simulator as its users see it.

use super::fault_script::FaultScript;
use super::state_file::{Error, StateFile};
use crate::core::clock::{Now, Time};
use crate::core::faults::Fault;
use crate::core::options::Options;
use crate::core::world::{Counters, PrincipalKind, State, Subscription, World};
use crate::front::router::Outcome;
use crate::front::{PROVIDERS, load, router};
use crate::host::transport::{Request, Response, Transport, TransportError};
use crate::host::{Clock, Timestamp};
use async_trait::async_trait;
use serde_json::Value;
use std::path::Path;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

/// Azure Resource Manager, simulated. Clones share one state.
#[derive(Debug, Clone)]
pub struct Simulator {
    inner: Arc<Inner>,
}

#[derive(Debug)]
struct Inner {
    options: Options,
    shelf: Mutex<Shelf>,
}

#[derive(Debug)]
struct Shelf {
    world: World,
    file: Option<StateFile>,
}

impl Simulator {
    /// An empty subscription that lives as long as the process.
    pub fn new(options: Options) -> Self {
        let world = World::new(State::fresh(&options), Now::new(options.time.clone()), &options, PROVIDERS);
        Simulator { inner: Arc::new(Inner { options, shelf: Mutex::new(Shelf { world, file: None }) }) }
    }

    /// A subscription that is kept in a file: what is there is read, and what changes is written.
    ///
    /// The subscription and tenant of an existing file win over those of the options.
    ///
    /// # Errors
    /// When the file cannot be read or understood, or another process has it; it is then left as it is.
    pub fn open(path: &Path, options: Options) -> Result<Self, Error> {
        let mut file = StateFile::new(path);
        file.lock()?;
        let (world, options) = Self::read(&file, options)?;
        Ok(Simulator {
            inner: Arc::new(Inner { options, shelf: Mutex::new(Shelf { world, file: Some(file) }) }),
        })
    }

    /// What is in a simulator's file, to be looked at: nothing is written back, and whoever has the file keeps it.
    ///
    /// # Errors
    /// When the file cannot be read or understood.
    pub fn peek(path: &Path, options: Options) -> Result<Self, Error> {
        let (world, options) = Self::read(&StateFile::new(path), options)?;
        Ok(Simulator { inner: Arc::new(Inner { options, shelf: Mutex::new(Shelf { world, file: None }) }) })
    }

    fn read(file: &StateFile, options: Options) -> Result<(World, Options), Error> {
        let mut now = Now::new(options.time.clone());
        let state = match file.read()? {
            Some((state, time)) => {
                now.reach(time);
                state
            }
            None => State::fresh(&options),
        };
        let world = World::new(state, now, &options, PROVIDERS);
        Ok((world, options))
    }

    /// Writes the state to its file, if it has one.
    ///
    /// # Errors
    /// When the file cannot be written.
    pub fn save(&self) -> Result<(), Error> {
        self.shelf().save()
    }

    /// Every live resource as its `GET` answers it, sorted by id in lower case.
    pub fn export(&self) -> Vec<Value> {
        let mut shelf = self.shelf();
        shelf.world.advance();
        let keys: Vec<String> = shelf.world.state.resources.iter().map(|(k, _)| k.to_owned()).collect();
        keys.iter().filter_map(|key| shelf.world.show_value(key)).collect()
    }

    /// Puts resources into the store as they are, whatever their type; their resource groups come into being too.
    ///
    /// # Errors
    /// When a resource has no id; none is loaded then.
    pub fn load(&self, resources: Vec<Value>) -> Result<(), Error> {
        let mut shelf = self.shelf();
        load::load(&mut shelf.world, resources)?;
        shelf.world.dirty = true;
        shelf.write_if_affordable();
        Ok(())
    }

    /// Empties the subscription; scripted faults and counters go too, time stays.
    pub fn reset(&self) {
        let mut shelf = self.shelf();
        let world = &mut shelf.world;
        let mut state = State::fresh(&self.inner.options);
        state.subscription.clone_from(&world.state.subscription);
        state.tenant.clone_from(&world.state.tenant);
        let empty = |other: &Subscription| Subscription { id: other.id.clone(), ..Subscription::default() };
        state.others = world.state.others.iter().map(|(key, other)| (key.clone(), empty(other))).collect();
        world.state = state;
        world.running.clear();
        world.locks.clear();
        world.faults.clear();
        world.stale.clear();
        world.counters = Counters::default();
        world.dirty = true;
        shelf.write_if_affordable();
    }

    /// What happened so far, in this process.
    pub fn counters(&self) -> Counters {
        self.shelf().world.counters.clone()
    }

    /// Makes the caller a Reader, to whom every write and every action is refused; or gives all rights back.
    pub fn read_only(&self, on: bool) {
        self.shelf().world.read_only = on;
    }

    /// Scripts a fault; faults strike in the order they were asked for.
    pub fn fail_next(&self, fault: Fault) {
        self.shelf().world.faults.push(fault);
    }

    /// Scripts all faults of a file, after those that were asked for before.
    pub fn script(&self, script: FaultScript) {
        let faults = &mut self.shelf().world.faults;
        faults.seed(script.seed);
        script.faults.into_iter().for_each(|fault| faults.push(fault));
    }

    /// Makes a principal known to the directory, as if it had been there all along.
    pub fn add_principal(&self, object_id: &str, kind: PrincipalKind) {
        let mut shelf = self.shelf();
        shelf.world.add_principal(object_id, kind, Timestamp(0));
        shelf.world.dirty = true;
    }

    /// The time on the simulator's clock.
    pub fn now(&self) -> Timestamp {
        self.shelf().world.now.now()
    }

    /// Whether time moves by being asked.
    pub(crate) fn jumps(&self) -> bool {
        matches!(self.inner.options.time, Time::Jump)
    }

    /// The subscription it has.
    pub fn subscription(&self) -> String {
        self.shelf().world.state.subscription.clone()
    }

    /// Adds a subscription to the tenant, empty and with nothing registered; one that is there stays as it is.
    pub fn add_subscription(&self, id: &str) {
        let mut shelf = self.shelf();
        let state = &mut shelf.world.state;
        if !state.is_ours(&format!("/subscriptions/{id}")) {
            let subscription = Subscription { id: id.to_owned(), ..Subscription::default() };
            state.others.insert(id.to_ascii_lowercase(), subscription);
            shelf.world.dirty = true;
        }
    }

    /// The tenant of that subscription.
    pub fn tenant(&self) -> String {
        self.shelf().world.state.tenant.clone()
    }

    /// How many resources there are.
    pub fn len(&self) -> usize {
        self.shelf().world.state.resources.len()
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    fn shelf(&self) -> MutexGuard<'_, Shelf> {
        // A panic while holding the lock leaves a state that is still worth serving and saving.
        self.inner.shelf.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn handle(&self, request: &Request) -> (Outcome, Duration) {
        let mut shelf = self.shelf();
        let before = shelf.world.now.jumps().then(|| shelf.world.now.now());
        let handled = router::handle(&mut shelf.world, request);
        let jumped = before.is_some_and(|before| shelf.world.now.now() > before);
        if jumped || !request.method.is_read() {
            shelf.world.dirty = true;
        }
        shelf.write_if_affordable();
        handled
    }
}

impl Shelf {
    fn save(&mut self) -> Result<(), Error> {
        let Some(file) = &mut self.file else { return Ok(()) };
        if !self.world.dirty {
            return Ok(());
        }
        file.write(&self.world.state, self.world.now.now())?;
        self.world.dirty = false;
        Ok(())
    }

    /// A write that fails is tried again with the next request and on [`Simulator::save`], which reports it.
    fn write_if_affordable(&mut self) {
        if self.world.dirty
            && self.file.as_ref().is_some_and(StateFile::affordable)
            && let Err(error) = self.save()
        {
            tracing::warn!(%error, "the simulator's state could not be written");
        }
    }
}

impl Drop for Shelf {
    fn drop(&mut self) {
        if self.world.dirty
            && let Err(error) = self.save()
        {
            tracing::warn!(%error, "the simulator's state could not be written");
        }
    }
}

#[async_trait]
impl Transport for Simulator {
    async fn send(&self, request: Request) -> Result<Response, TransportError> {
        if !self.inner.options.latency.is_zero() {
            // Time that jumps is nobody's clock: there an answer takes as long as it says.
            let clock = self.shelf().world.now.latency().unwrap_or_else(|| Clock::start(1.0));
            clock.sleep(self.inner.options.latency).await;
        }
        let (outcome, stall) = self.handle(&request);
        if !stall.is_zero() {
            let clock = self.shelf().world.now.latency().unwrap_or_else(|| Clock::start(1.0));
            clock.sleep(stall).await;
        }
        match outcome {
            Outcome::Answer(response) => Ok(response),
            Outcome::Dropped => Err(TransportError {
                method: request.method,
                url: request.url.split('?').next().unwrap_or_default().to_owned(),
                reason: "connection reset by peer".to_owned(),
                retryable: true,
            }),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::host::transport::Method;
    use crate::testing::Bench;
    use serde_json::json;

    #[tokio::test(start_paused = true)]
    async fn state_outlives_the_process_with_its_operations() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("sim.json");
        let options = Options { registered: vec!["Microsoft.Network".into()], ..Options::default() };
        let bench = Bench { sim: Simulator::open(&path, options.clone()).unwrap() };
        bench.put("/resourceGroups/rg", json!({"location": "westeurope"})).await;
        let nsg = Bench::rid("Microsoft.Network/networkSecurityGroups/n");
        let seen = bench.put(&nsg, json!({"location": "westeurope"})).await;
        let before = bench.sim.now();
        drop(bench.sim);
        let bench = Bench { sim: Simulator::open(&path, options.clone()).unwrap() };
        assert!(bench.sim.now() >= before);
        assert_eq!(bench.settle(&seen).await, "Succeeded");
        assert_eq!(bench.get(&nsg).await.at("/properties/provisioningState"), &json!("Succeeded"));
        drop(bench.sim);
        for (content, wanted) in [("{", "left as it is"), (r#"{"version":9}"#, "newer")] {
            crate::host::files::write_atomic(&path, content.as_bytes()).unwrap();
            let error = Simulator::open(&path, options.clone()).unwrap_err().to_string();
            assert!(error.contains(wanted) && error.contains("sim.json"), "{error}");
            assert_eq!(std::fs::read_to_string(&path).unwrap(), content);
        }
    }

    #[tokio::test(start_paused = true)]
    async fn operations_take_their_time_on_a_clock() {
        let clock = Clock::start_at(Timestamp(1_800_000_000_000), 1.0);
        let registered = vec!["Microsoft.ContainerService".into()];
        let options = Options { time: Time::Host(clock.clone()), registered, ..Options::default() };
        let bench = Bench { sim: Simulator::new(options) };
        bench.put("/resourceGroups/rg", json!({"location": "westeurope"})).await;
        let cluster = Bench::rid("Microsoft.ContainerService/managedClusters/mc");
        bench.put(&cluster, Bench::cluster_body()).await;
        let state = |seen: crate::testing::Seen| seen.at("/properties/provisioningState").clone();
        clock.sleep(Duration::from_secs(470)).await;
        assert_eq!(state(bench.get(&cluster).await), json!("Creating"));
        clock.sleep(Duration::from_secs(15)).await;
        assert_eq!(state(bench.get(&cluster).await), json!("Succeeded"));
    }

    #[tokio::test(start_paused = true)]
    async fn what_is_exported_can_be_loaded() {
        let bench = Bench::new().await;
        let subnet = bench.subnet().await;
        let vault = bench.vault().await;
        let mut cluster = Bench::cluster_body();
        cluster["properties"]["agentPoolProfiles"][0]["vnetSubnetID"] = json!(subnet);
        bench.make(&Bench::rid("Microsoft.ContainerService/managedClusters/mc"), cluster).await;
        let connection =
            json!({"name": "c", "properties": {"privateLinkServiceId": vault, "groupIds": ["vault"]}});
        let properties = json!({"subnet": {"id": subnet}, "privateLinkServiceConnections": [connection]});
        let endpoint = Bench::rid("Microsoft.Network/privateEndpoints/pe");
        bench.make(&endpoint, json!({"location": "westeurope", "properties": properties})).await;
        let exported = bench.sim.export();
        let other = Simulator::new(Options::default());
        other.load(exported.clone()).unwrap();
        assert_eq!(other.export(), exported);
        assert_eq!(Bench { sim: other.clone() }.delete(&subnet).await.code(), "InUseSubnetCannotBeDeleted");
        other.reset();
        assert!(other.is_empty());
        assert!(other.load(vec![json!({"name": "x"})]).is_err());
    }

    #[tokio::test(start_paused = true)]
    async fn putting_back_what_was_read_changes_nothing() {
        fn untagged(value: &mut Value) {
            match value {
                Value::Object(object) => {
                    object.retain(|name, _| {
                        !matches!(name.as_str(), "etag" | "eTag" | "systemData" | "updatedOn")
                    });
                    object.retain(|name, _| !matches!(name.as_str(), "sourceUpdatedAt" | "statusUpdatedAt"));
                    object.values_mut().for_each(untagged);
                }
                Value::Array(items) => items.iter_mut().for_each(untagged),
                _ => {}
            }
        }
        let bench = Bench::new().await;
        let (subnet, vault) = (bench.subnet().await, bench.vault().await);
        let cluster = Bench::rid("Microsoft.ContainerService/managedClusters/mc");
        let mut body = Bench::cluster_body();
        body["properties"]["addonProfiles"] = json!({"azurepolicy": {"enabled": true}});
        body["properties"]["agentPoolProfiles"][0]["vnetSubnetID"] = json!(subnet);
        bench.make(&cluster, body).await;
        let pool = format!("{cluster}/agentPools/user");
        bench.make(&pool, json!({"properties": {"count": 1, "vnetSubnetID": subnet}})).await;
        let configuration = format!("{cluster}/providers/Microsoft.KubernetesConfiguration");
        let flux =
            json!({"properties": {"extensionType": "microsoft.flux", "autoUpgradeMinorVersion": true}});
        bench.make(&format!("{configuration}/extensions/flux"), flux).await;
        let git = json!({"url": "https://g", "repositoryRef": {"branch": "main"}});
        let apps = json!({"namespace": "apps", "sourceKind": "GitRepository", "gitRepository": git, "kustomizations": {"k": {}}});
        bench.make(&format!("{configuration}/fluxConfigurations/apps"), json!({"properties": apps})).await;
        let endpoint = Bench::rid("Microsoft.Network/privateEndpoints/pe");
        let connection =
            json!({"name": "c", "properties": {"privateLinkServiceId": vault, "groupIds": ["vault"]}});
        let properties = json!({"subnet": {"id": subnet}, "privateLinkServiceConnections": [connection]});
        bench.make(&endpoint, json!({"location": "westeurope", "properties": properties})).await;
        let zone = Bench::rid("Microsoft.Network/privateDnsZones/privatelink.vaultcore.azure.net");
        bench.make(&zone, json!({"location": "global"})).await;
        let group = format!("{endpoint}/privateDnsZoneGroups/default");
        let config = json!({"name": "z", "properties": {"privateDnsZoneId": zone}});
        bench.make(&group, json!({"properties": {"privateDnsZoneConfigs": [config]}})).await;
        let network = subnet.trim_end_matches("/subnets/s").to_owned();
        let nsg = Bench::rid("Microsoft.Network/networkSecurityGroups/n");
        bench.make(&nsg, json!({"location": "westeurope"})).await;
        let identity = Bench::rid("Microsoft.ManagedIdentity/userAssignedIdentities/uai");
        bench.make(&identity, json!({"location": "westeurope"})).await;
        let flux = format!("{configuration}/extensions/flux");
        let apps = format!("{configuration}/fluxConfigurations/apps");
        for id in [
            &subnet, &network, &vault, &cluster, &pool, &flux, &apps, &endpoint, &group, &zone, &nsg,
            &identity,
        ] {
            let mut before = bench.get(id).await.body;
            let mut after = bench.make(id, before.clone()).await;
            untagged(&mut before);
            untagged(&mut after);
            assert_eq!(before, after, "{id}");
        }
    }

    /// No timing is asserted, because machines differ; ten thousand of each take well under a second.
    #[tokio::test(start_paused = true)]
    async fn many_resources_are_read_and_listed_one_by_one() {
        let bench = Bench::new().await;
        let id =
            |n: usize| Bench::rid(&format!("Microsoft.ManagedIdentity/userAssignedIdentities/uai-{n:05}"));
        let body = |n: usize| json!({"id": id(n), "location": "westeurope", "properties": {"n": n}});
        bench.sim.load((0..10_000).map(body).collect()).unwrap();
        for n in 0..10_000 {
            let url = format!("https://management.azure.com{}?api-version=2024-11-30", id(n));
            assert_eq!(bench.sim.send(Request::new(Method::Get, url)).await.unwrap().status, 200);
        }
        let list = bench.get(&Bench::rid("Microsoft.ManagedIdentity/userAssignedIdentities")).await;
        // A list comes in pages.
        assert_eq!(list.body["value"].as_array().unwrap().len(), 250);
        assert!(list.body["nextLink"].is_string());
        assert_eq!(bench.sim.counters().requests["GET"], 10_001);
    }

    #[tokio::test(start_paused = true)]
    async fn unknown_types_of_known_namespaces_are_kept_as_sent() {
        let bench = Bench::new().await;
        let account = Bench::rid("Microsoft.Storage/storageAccounts/acct");
        let body = json!({"location": "westeurope", "kind": "StorageV2", "sku": {"name": "Standard_LRS"}});
        let seen = bench.put(&account, body.clone()).await;
        assert_eq!(
            (seen.status, seen.response.body.len(), seen.header("azure-asyncoperation")),
            (202, 0, "")
        );
        assert_eq!(bench.settle(&seen).await, "Succeeded");
        assert_eq!(bench.put(&account, body).await.status, 200);
        let listed =
            bench.get("/resources?$filter=resourceType eq 'Microsoft.Storage/storageAccounts'").await;
        assert_eq!(listed.at("/value/0/id"), &json!(account));
        assert_eq!(
            bench.patch(&account, json!({"properties": {"a": 1}})).await.at("/properties/a"),
            &json!(1)
        );
        assert_eq!(
            bench.get(&Bench::rid("Microsoft.Storage/storageAccounts")).await.at("/value/0/kind"),
            &json!("StorageV2")
        );
        assert_eq!(bench.delete(&account).await.status, 200);
    }
}

//! App Service: sites, their slots and what is configured in them.

use super::defaults::{Asked, Defaults, Made, quick};
use super::generic::Generic;
use super::plan::{PLAN, alphanumeric, sites_of, tier};
use super::subnet;
use crate::core::behaviour::{Answer, Behaviour, ok, ok_list};
use crate::core::call::Call;
use crate::core::error::Failure;
use crate::core::json::{Object, at, list, merge, object, object_at, remove, set, set_default, text};
use crate::core::locations::display_name;
use crate::core::path::{cut, last};
use crate::core::store::Resource;
use crate::core::world::World;
use crate::host::transport::Response;
use serde_json::{Value, json};

/// `Microsoft.Web/sites` and its slots.
#[derive(Debug)]
pub(crate) struct Site;

/// What is configured in a site: `…/config/web`, `…/config/appsettings`.
#[derive(Debug)]
pub(crate) struct SiteConfig;

pub(super) const SITE: &str = "microsoft.web/sites";

pub(super) const KNOWN: &[Defaults] = &[
    quick(SITE, fill_site).refuses(check_site).plain(),
    quick("microsoft.web/sites/slots", fill_site).refuses(check_site).plain(),
];

fn check_site(asked: &Asked<'_>) -> Result<(), Failure> {
    let (body, slot) = (asked.body, asked.key.contains("/slots/"));
    asked.named(1..=60, alphanumeric, |c| alphanumeric(c) || c == '-', "InvalidResourceName")?;
    if !slot {
        asked.alone_in_the_world(SITE, "Conflict")?;
    }
    asked.keeps("properties.reserved", "BadRequest")?;
    asked.one_of("properties.publicNetworkAccess", &["Enabled", "Disabled"])?;
    let plan = text(body, "properties.serverFarmId").filter(|id| !id.is_empty());
    let plan = plan.map(|id| asked.refers(id, PLAN, "NotFound")).transpose()?;
    let sku = plan.and_then(|plan| text(&plan.body, "sku.name")).unwrap_or("B1");
    if let Some(plan) = plan {
        let linux = |body: &Object| at(body, "properties.reserved") == Some(&json!(true));
        if linux(body) != linux(&plan.body) {
            let message = "The operating system of the site is not that of its App Service plan.";
            return Err(Failure::bad("BadRequest", message));
        }
    }
    if slot && ["F1", "D1", "B1", "B2", "B3"].iter().any(|small| small.eq_ignore_ascii_case(sku)) {
        let message = "Cannot complete the operation because the site will exceed the number of slots allowed for the sku.";
        return Err(Failure::new(409, "Conflict", message));
    }
    let Some(id) = text(body, "properties.virtualNetworkSubnetId").filter(|id| !id.is_empty()) else {
        return Ok(());
    };
    if tier(sku).is_some_and(|(_, networks)| !networks) {
        let message = format!("The sku '{sku}' does not support virtual network integration.");
        return Err(Failure::bad("BadRequest", message));
    }
    let subnet = asked.refers(id, "microsoft.network/virtualnetworks/subnets", "NotFound")?;
    if !subnet::delegated_to(subnet).is_some_and(|to| to.eq_ignore_ascii_case("Microsoft.Web/serverFarms")) {
        let message = format!("The subnet '{id}' is not delegated to Microsoft.Web/serverFarms.");
        return Err(Failure::bad("BadRequest", message));
    }
    Ok(())
}

fn fill_site(made: &Made<'_>, body: &mut Object) {
    let (world, key) = (made.world, made.key);
    let host = match key.split_once("/slots/") {
        Some((site, slot)) => format!("{}-{slot}", last(site)),
        None => made.name.clone(),
    };
    set(body, "properties.defaultHostName", format!("{host}.azurewebsites.net"));
    set(body, "properties.hostNames", json!([format!("{host}.azurewebsites.net")]));
    set(
        body,
        "properties.enabledHostNames",
        json!([format!("{host}.azurewebsites.net"), format!("{host}.scm.azurewebsites.net")]),
    );
    set(body, "properties.repositorySiteName", host);
    set(body, "properties.state", "Running");
    set(body, "properties.usageState", "Normal");
    set(body, "properties.availabilityState", "Normal");
    set_default(body, "properties.enabled", true);
    set_default(body, "properties.httpsOnly", false);
    set_default(body, "properties.clientAffinityEnabled", true);
    set_default(body, "properties.clientCertEnabled", false);
    set_default(body, "properties.keyVaultReferenceIdentity", "SystemAssigned");
    set_default(body, "properties.reserved", false);
    set_default(body, "properties.hyperV", false);
    set_default(body, "properties.outboundVnetRouting.allTraffic", false);
    let number = world.uuid(key, "outbound");
    let address = |at: usize| u8::from_str_radix(&number[at..at + 2], 16).unwrap_or(1);
    let outbound = format!("20.{}.{}.{}", address(0), address(2), address(4));
    set(body, "properties.outboundIpAddresses", outbound.clone());
    set(body, "properties.possibleOutboundIpAddresses", format!("{outbound},20.50.2.2"));
    set(body, "properties.inboundIpAddress", "20.50.2.1");
    set(body, "properties.customDomainVerificationId", world.token(key, "verification"));
    let linux = at(body, "properties.reserved") == Some(&json!(true));
    set(body, "kind", if linux { "app,linux" } else { "app" });
    let place = display_name(text(body, "location").unwrap_or_default()).to_owned();
    set(body, "location", place);
    set_default(body, "tags", json!({}));
}

/// What a site has for configuration when nobody says anything.
fn config_defaults(key: &str) -> Object {
    object(json!({
        "numberOfWorkers": 1, "defaultDocuments": [], "netFrameworkVersion": "v4.0", "linuxFxVersion": "",
        "alwaysOn": false, "http20Enabled": false, "minTlsVersion": "1.2", "scmMinTlsVersion": "1.2",
        "ftpsState": "FtpsOnly", "use32BitWorkerProcess": true, "webSocketsEnabled": false,
        "remoteDebuggingEnabled": false, "httpLoggingEnabled": false, "vnetRouteAllEnabled": false,
        "acrUseManagedIdentityCreds": false, "loadBalancing": "LeastRequests",
        "scmIpSecurityRestrictionsUseMain": false, "publishingUsername": format!("${}", last(key)),
        "managedPipelineMode": "Integrated",
    }))
}

/// Puts rules about who may reach a site into the form it shows them in: the last one is about everybody else.
fn close_rules(properties: &mut Object, member: &str) {
    let own = |rule: &&Value| rule.get("ipAddress").is_none_or(|address| address != "Any");
    let mut rules: Vec<Value> = list(properties, member).iter().filter(own).cloned().collect();
    for rule in &mut rules {
        let Some(rule) = rule.as_object_mut() else { continue };
        if rule.get("vnetSubnetResourceId").is_none() {
            set_default(rule, "tag", "Default");
        }
        set_default(rule, "action", "Allow");
        set_default(rule, "priority", 65000);
    }
    let said = text(properties, &format!("{member}DefaultAction")).map(str::to_owned);
    let deny = said.as_deref().map_or(!rules.is_empty(), |said| said.eq_ignore_ascii_case("Deny"));
    let (action, name, about) = match deny {
        true => ("Deny", "Deny all", "Deny all access"),
        false => ("Allow", "Allow all", "Allow all access"),
    };
    rules.push(json!({
        "ipAddress": "Any", "action": action, "priority": 2_147_483_647, "name": name, "description": about,
    }));
    set(properties, member, rules);
}

fn check_config(properties: &Object) -> Result<(), Failure> {
    for member in ["ipSecurityRestrictions", "scmIpSecurityRestrictions"] {
        for rule in list(properties, member) {
            let of = |name: &str| rule.get(name).and_then(Value::as_str).unwrap_or_default();
            let (address, subnet) = (of("ipAddress"), of("vnetSubnetResourceId"));
            let tagged = of("tag").eq_ignore_ascii_case("ServiceTag");
            let good = address == "Any"
                || (address.is_empty() != subnet.is_empty()
                    && (subnet.starts_with('/')
                        || tagged
                        || crate::core::cidr::Cidr::parse(address).is_some()));
            if !good || address != "Any" && !tagged && subnet.is_empty() && !address.contains('/') {
                let message = format!("The rule '{}' has no valid address, tag or subnet.", of("name"));
                return Err(Failure::bad("BadRequest", message));
            }
            if !["Allow", "Deny", ""].contains(&of("action")) {
                return Err(Failure::bad(
                    "BadRequest",
                    format!("The action '{}' is not valid.", of("action")),
                ));
            }
        }
    }
    let version = text(properties, "minTlsVersion").unwrap_or("1.2");
    if !["1.0", "1.1", "1.2", "1.3"].contains(&version) {
        return Err(Failure::bad("BadRequest", format!("The TLS version '{version}' is not valid.")));
    }
    Ok(())
}

/// Writes what `properties.siteConfig` of a site asks for to where it is kept.
fn configure(world: &mut World, key: &str, id: &str, wanted: &Object) -> Result<(), Failure> {
    let place = format!("{key}/config/web");
    let before = world.state.resources.get(&place).map(|r| r.body.clone());
    let mut properties =
        match before.as_ref().and_then(|body| at(body, "properties")).and_then(Value::as_object) {
            Some(before) => before.clone(),
            None => config_defaults(key),
        };
    let mut wanted = wanted.clone();
    let settings = remove(&mut wanted, "appSettings");
    remove(&mut wanted, "connectionStrings");
    merge(&mut properties, &wanted);
    check_config(&properties)?;
    store_config(world, key, id, properties);
    if let Some(Value::Array(settings)) = settings {
        let pair = |setting: &Value| {
            Some((
                setting.get("name")?.as_str()?.to_owned(),
                setting.get("value").cloned().unwrap_or_default(),
            ))
        };
        keep_settings(world, key, settings.iter().filter_map(pair).collect());
    }
    Ok(())
}

fn store_config(world: &mut World, site: &str, id: &str, mut properties: Object) {
    for member in ["ipSecurityRestrictions", "scmIpSecurityRestrictions"] {
        close_rules(&mut properties, member);
    }
    properties.shift_remove("provisioningState");
    let kind = if site.contains("/slots/") { "slots/config" } else { "config" };
    let body = object(json!({
        "id": format!("{id}/config/web"), "name": last(id), "type": format!("Microsoft.Web/sites/{kind}"),
        "location": world.state.resources.get(site).map_or("", |r| r.location()), "properties": properties,
    }));
    let mut stored = Resource::new(&format!("{id}/config/web"), &format!("{SITE}/{kind}"), body);
    stored.hidden.insert(SETTINGS.into(), Value::Object(settings_of(world, site)));
    world.state.resources.insert(stored);
}

/// Where the settings of a site are kept: nothing shows them but an action.
const SETTINGS: &str = "settings";

fn settings_of(world: &World, site: &str) -> Object {
    let config = world.state.resources.get(&format!("{site}/config/web"));
    config.and_then(|config| config.hidden.get(SETTINGS)?.as_object().cloned()).unwrap_or_default()
}

fn keep_settings(world: &mut World, site: &str, all: Object) {
    if let Some(config) = world.state.resources.edit(&format!("{site}/config/web")) {
        config.hidden.insert(SETTINGS.into(), Value::Object(all));
    }
}

fn shown_settings(call: &Call<'_>, all: Object) -> Value {
    json!({
        "id": call.path.id, "name": "appsettings", "type": "Microsoft.Web/sites/config",
        "location": "West Europe", "properties": all,
    })
}

/// Connects a site to the subnet that it names now, and leaves the one before.
fn integrate(world: &mut World, key: &str, before: Option<&str>) {
    let Some(site) = world.state.resources.get(key) else { return };
    let id = site.id.clone();
    let now = text(&site.body, "properties.virtualNetworkSubnetId").unwrap_or_default().to_ascii_lowercase();
    if let Some(before) = before.map(str::to_ascii_lowercase).filter(|before| *before != now) {
        subnet::leave(world, &before, &id);
    }
    if !now.is_empty() {
        subnet::join(world, &now, &id, false);
    }
}

fn subnet_of(world: &World, key: &str) -> Option<String> {
    let site = world.state.resources.get(key)?;
    text(&site.body, "properties.virtualNetworkSubnetId").filter(|id| !id.is_empty()).map(str::to_owned)
}

impl Site {
    /// Takes the configuration out of what was stored: a site does not show it.
    fn settle(world: &mut World, call: &Call<'_>, before: Option<&str>) -> Result<(), Failure> {
        let key = &call.path.key;
        let mut wanted = Object::new();
        let mut id = call.id.clone();
        if let Some(site) = world.state.resources.edit(key) {
            id = site.id.clone();
            if let Some(Value::Object(asked)) = remove(&mut site.body, "properties.siteConfig") {
                wanted = asked;
            }
            set(&mut site.body, "properties.siteConfig", json!({"numberOfWorkers": 1}));
        }
        let asked = call.properties();
        let asked = at(&asked, "siteConfig").and_then(Value::as_object).cloned().unwrap_or_default();
        // What was shown before is not what is asked for.
        wanted.retain(|name, _| asked.contains_key(name));
        let route_all =
            call.properties().get("outboundVnetRouting").and_then(|r| r.get("allTraffic")).cloned();
        if let Some(all) = route_all {
            wanted.insert("vnetRouteAllEnabled".into(), all);
        }
        if let Some(access) = call.properties().get("publicNetworkAccess") {
            wanted.insert("publicNetworkAccess".into(), access.clone());
        }
        configure(world, key, &id, &wanted)?;
        integrate(world, key, before);
        Ok(())
    }
}

impl Behaviour for Site {
    fn put(&self, world: &mut World, call: &Call<'_>) -> Answer {
        let key = &call.path.key;
        let asked = call.properties();
        if let Some(config) = asked.get("siteConfig").and_then(Value::as_object) {
            check_config(config)?;
        }
        let before = subnet_of(world, key);
        Generic.put(world, call)?;
        Self::settle(world, call, before.as_deref())?;
        Ok(world.answer(200, key))
    }

    fn patch(&self, world: &mut World, call: &Call<'_>) -> Answer {
        let key = &call.path.key;
        let asked = call.properties();
        if let Some(config) = asked.get("siteConfig").and_then(Value::as_object) {
            check_config(config)?;
        }
        let before = subnet_of(world, key);
        Generic.patch(world, call)?;
        Self::settle(world, call, before.as_deref())?;
        Ok(world.answer(200, key))
    }

    /// Takes the plan along with its last site unless `failSwapOn` is false.
    fn delete(&self, world: &mut World, call: &Call<'_>) -> Answer {
        let key = &call.path.key;
        let plan = text(&world.need(call)?.body, "properties.serverFarmId").map(str::to_ascii_lowercase);
        world.remove_tree(key);
        world.deleted(key);
        let keeps =
            call.query.get("deleteEmptyServerFarm").is_some_and(|said| said.eq_ignore_ascii_case("false"));
        if let Some(plan) = plan
            && !keeps
            && call.kind == SITE
            && sites_of(world, &plan).next().is_none()
        {
            world.remove_tree(&plan);
            world.deleted(&plan);
        }
        Ok(Response::new(200, ""))
    }

    fn removed(&self, world: &mut World, resource: &Resource) {
        if let Some(subnet) = text(&resource.body, "properties.virtualNetworkSubnetId") {
            subnet::leave(world, &subnet.to_ascii_lowercase(), &resource.id);
        }
    }

    fn loaded(&self, world: &mut World, key: &str) {
        integrate(world, key, None);
    }
}

impl Behaviour for SiteConfig {
    fn put(&self, world: &mut World, call: &Call<'_>) -> Answer {
        let (key, name) = (&call.path.key, call.path.name().to_ascii_lowercase());
        let site = cut(key, 2).to_owned();
        let id = world.state.resources.get(&site).map(|r| r.id.clone()).ok_or_else(|| call.not_found())?;
        match name.as_str() {
            "web" => {
                let mut properties = config_defaults(&site);
                merge(&mut properties, &call.properties());
                check_config(&properties)?;
                store_config(world, &site, &id, properties);
                world.updated(key);
                Ok(world.answer(200, key))
            }
            "appsettings" => {
                let all = call.properties();
                if all.values().any(|value| !value.is_string()) {
                    return Err(Failure::bad("BadRequest", "The value of an application setting is a text."));
                }
                keep_settings(world, &site, all.clone());
                world.updated(key);
                ok(&shown_settings(call, all))
            }
            // Kept as they are sent.
            "authsettings"
            | "authsettingsv2"
            | "azurestorageaccounts"
            | "backup"
            | "connectionstrings"
            | "logs"
            | "metadata"
            | "pushsettings"
            | "slotconfignames" => Generic.put(world, call),
            other => Err(Failure::new(404, "NotFound", format!("There is no configuration '{other}'."))),
        }
    }

    fn patch(&self, world: &mut World, call: &Call<'_>) -> Answer {
        let key = &call.path.key;
        if !call.path.name().eq_ignore_ascii_case("web") {
            return Err(Failure::new(
                405,
                "MethodNotAllowed",
                "Application settings are replaced as a whole.",
            ));
        }
        let site = cut(key, 2).to_owned();
        let id = world.state.resources.get(&site).map(|r| r.id.clone()).ok_or_else(|| call.not_found())?;
        let mut properties = object_at(&mut world.need(call)?.body.clone(), "properties").clone();
        merge(&mut properties, &call.properties());
        check_config(&properties)?;
        store_config(world, &site, &id, properties);
        world.updated(key);
        Ok(world.answer(200, key))
    }

    /// Settings are secrets: a list of collections shows what anybody may read.
    fn list(&self, world: &mut World, call: &Call<'_>) -> Option<Answer> {
        let web = format!("{}/web", call.path.key);
        Some(ok_list(world.show_value(&web).into_iter().collect()))
    }

    fn act(&self, world: &mut World, call: &Call<'_>, action: &str) -> Answer {
        if call.path.name().eq_ignore_ascii_case("appsettings") && action.eq_ignore_ascii_case("list") {
            let site = cut(&call.path.key, 2).to_owned();
            if !world.state.resources.contains(&site) {
                return Err(call.not_found());
            }
            return ok(&shown_settings(call, settings_of(world, &site)));
        }
        Err(crate::core::behaviour::unknown_action(call, action))
    }

    /// Settings are not shown to who may only read.
    fn get(&self, world: &mut World, call: &Call<'_>) -> Answer {
        let site = cut(&call.path.key, 2);
        if world.state.resources.contains(site) && call.path.name().eq_ignore_ascii_case("appsettings") {
            let message = "The settings are listed by a POST.";
            return Err(Failure::new(405, "MethodNotAllowed", message));
        }
        Err(call.not_found())
    }

    fn delete(&self, _world: &mut World, call: &Call<'_>) -> Answer {
        Err(Failure::new(405, "MethodNotAllowed", format!("'{}' cannot be deleted.", call.id)))
    }
}

#[cfg(test)]
mod tests {
    use crate::testing::Bench;
    use serde_json::{Value, json};

    async fn bench() -> Bench {
        let bench = Bench::new().await;
        bench.post("/providers/Microsoft.Web/register").await;
        bench.get("/providers/Microsoft.Web").await;
        bench
    }

    fn plan() -> String {
        Bench::rid("Microsoft.Web/serverfarms/p")
    }

    fn plan_body(sku: &str) -> Value {
        json!({"location": "westeurope", "sku": {"name": sku}, "properties": {"reserved": true}})
    }

    fn site_body(more: Value) -> Value {
        let mut body =
            json!({"location": "westeurope", "properties": {"serverFarmId": plan(), "reserved": true}});
        for (name, value) in more.as_object().unwrap() {
            body["properties"][name] = value.clone();
        }
        body
    }

    #[tokio::test(start_paused = true)]
    async fn a_site_hides_its_configuration_and_shows_it_where_it_is_kept() {
        let bench = bench().await;
        bench.put(&plan(), plan_body("P0v3")).await;
        let id = Bench::rid("Microsoft.Web/sites/shop-1");
        let settings = json!([{"name": "KEY", "value": "v"}]);
        let rules = json!([{"name": "office", "ipAddress": "203.0.113.0/24", "priority": 100}]);
        let config =
            json!({"linuxFxVersion": "NODE|20", "appSettings": settings, "ipSecurityRestrictions": rules});
        let seen = bench.put(&id, site_body(json!({"siteConfig": config}))).await;
        assert_eq!((seen.status, seen.at("/location")), (200, &json!("West Europe")));
        assert!(!seen.body.to_string().contains("203.0.113.0"), "{}", seen.body);
        let web = bench.get(&format!("{id}/config/web")).await;
        assert_eq!(web.at("/properties/linuxFxVersion"), "NODE|20");
        assert_eq!(web.at("/properties/ipSecurityRestrictions/1/name"), "Deny all");
        let listed = bench.post(&format!("{id}/config/appsettings/list")).await;
        assert_eq!(listed.at("/properties/KEY"), "v");
        let patched =
            bench.patch(&format!("{id}/config/web"), json!({"properties": {"alwaysOn": true}})).await;
        assert_eq!(patched.at("/properties/linuxFxVersion"), "NODE|20", "the rest stays");
    }

    #[tokio::test(start_paused = true)]
    async fn the_last_site_takes_its_plan_along_unless_told_not_to() {
        let bench = bench().await;
        let stacks = bench.get("/providers/Microsoft.Web/webAppStacks?stackOsType=Linux").await;
        assert!(stacks.body.to_string().contains("linuxRuntimeSettings"), "{}", stacks.body);
        for (query, left) in [("?deleteEmptyServerFarm=false", 200), ("", 404)] {
            bench.put(&plan(), plan_body("P0v3")).await;
            let id = Bench::rid("Microsoft.Web/sites/shop-1");
            assert_eq!(bench.put(&id, site_body(json!({}))).await.status, 200);
            assert_eq!(bench.delete(&plan()).await.status, 409);
            bench.delete(&format!("{id}{query}")).await;
            assert_eq!(bench.get(&plan()).await.status, left, "{query}");
        }
    }

    #[tokio::test(start_paused = true)]
    async fn refuses_what_azure_refuses() {
        let bench = bench().await;
        assert_eq!(bench.put(&plan(), plan_body("X9")).await.status, 400);
        bench.put(&plan(), plan_body("B1")).await;
        let subnet = bench.subnet().await;
        let id = Bench::rid("Microsoft.Web/sites/shop-1");
        for (more, status) in [
            (json!({"serverFarmId": format!("{}x", plan())}), 400),
            (json!({"reserved": false}), 400),
            (json!({"virtualNetworkSubnetId": subnet}), 400),
            (json!({"siteConfig": {"minTlsVersion": "9"}}), 400),
            (json!({"siteConfig": {"ipSecurityRestrictions": [{"name": "x", "ipAddress": "1.2.3.4"}]}}), 400),
        ] {
            assert_eq!(bench.put(&id, site_body(more.clone())).await.status, status, "{more}");
        }
        bench.put(&id, site_body(json!({}))).await;
        let slot = bench.put(&format!("{id}/slots/blue"), site_body(json!({}))).await;
        assert_eq!(slot.status, 409, "a Basic plan has no slots");
    }
}

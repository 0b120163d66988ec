//! Web apps and their slots: `Microsoft.Web/sites`
//! (<https://learn.microsoft.com/azure/templates/microsoft.web/sites>).
//!
//! A site takes its configuration in the body of its create and never shows it there: what is configured is read and
//! changed at `config/web`, a resource of its own. So an app is closed from its first moment, and a change by somebody
//! else is found. Settings are read and changed at `config/appsettings`, which Azure shows only to who may see secrets.

mod body;
mod checks;
mod spec;
#[cfg(test)]
mod tests;
mod types;

pub use spec::Spec;
pub use types::{SITE, SITE_CONFIG, SITE_LOGS, SITE_SETTINGS, SITE_STICKY, SLOT, SLOT_CONFIG, SLOT_SETTINGS};

use crate::catalog::{Arrival, Draft, EntryCx, EntryKind, Merged, Nested, ResourceType};
use crate::diag::Code;
use crate::ident::{Address, ArmId};
use body::App;
use serde_json::json;

/// A web app.
pub struct WebApp;

impl EntryKind for WebApp {
    const SECTION: &'static str = "webApps";
    const TITLE: &'static str = "web app";
    const ARM_TYPE: &'static str = types::SITES;
    const ABOUT: &'static str = "A web app on an App Service plan, with its configuration, its settings, who may reach it, \
        and its slots. `publicAccess: false` leaves private endpoints only; berth itself goes through Azure Resource Manager \
        and is not locked out by it.";
    const EXAMPLE: &'static str = "\
parameters:
  apiKey: { type: string, secret: true }
networks:
  hub:
    addressSpace: [10.20.0.0/16]
    subnets:
      apps: { prefix: 10.20.8.0/26, delegation: Microsoft.Web/serverFarms }
identities:
  shop: { name: id-shop-web }
appServicePlans:
  web: { name: asp-shop, sku: S1 }
webApps:
  shop:
    name: app-shop-${uniqueString(azure.resourceGroup)}
    plan: ${appServicePlans.web}
    publicAccess: false
    subnet: ${networks.hub.subnets.apps}
    routeAll: true
    identities: [system, '${identities.shop}']
    config:
      runtime: NODE|22-lts
      alwaysOn: true
      healthCheckPath: /health
      cors: { origins: ['https://shop.example.com'] }
    stickySettings: [LOG_LEVEL]
    logs: { level: Warning, requestDays: 7 }
    appSettings:
      LOG_LEVEL: info
      API_KEY: ${param.apiKey}
    accessRestrictions:
      office: { priority: 100, ip: 203.0.113.0/24 }
    slots:
      blue:
        config: { runtime: NODE|22-lts }
        appSettings: { LOG_LEVEL: debug }
";
    const TYPES: &'static [&'static ResourceType] = &[&SITE, &SITE_CONFIG, &SLOT, &SLOT_CONFIG];
    const NESTED: &'static [Nested] = &[Nested::at("slots.*")];
    const MERGED: &'static [Merged] =
        &[RESTRICTIONS, IDENTITIES, RESTRICTIONS.within("slots.*"), IDENTITIES.within("slots.*")];
    const CODES: &'static [&'static [&'static Code]] = &[checks::CODES];
    type Spec = Spec;

    fn expand(spec: Spec, cx: &mut EntryCx<'_>) {
        let name = cx.common.name.clone();
        checks::check(&spec, cx);
        let site = cx.id(types::SITES, &[&name]);
        let (address, plan, os) = (cx.address.clone(), spec.plan.clone(), spec.os);
        let app = App::of(&spec);
        cx.main(main(&app, address.clone(), &site, &SITE, &plan, os, cx));
        cx.also(config(&app, &address, &site, &SITE_CONFIG, os, "config"));
        cx.also(settings(&app, &address, &site, &SITE_SETTINGS, "appSettings"));
        let sticky = (!spec.sticky_settings.is_empty())
            .then(|| json!({ "properties": { "appSettingNames": spec.sticky_settings } }));
        let logs = spec.logs.as_ref().map(body::logs);
        // A change of the settings can take the logs back: those come last.
        let after = address.child("appSettings");
        for (body, kind, field, name) in
            [(sticky, &SITE_STICKY, "stickySettings", "slotConfigNames"), (logs, &SITE_LOGS, "logs", "logs")]
        {
            let Some(body) = body else { continue };
            let id = site.child("config", name);
            let mut draft = Draft::new(address.child(field), id.as_str(), kind, body);
            draft.arrival = Arrival::WithParent;
            cx.also(draft.needs(after.as_str()).origin(field));
        }
        for (key, slot) in &spec.slots {
            let (address, id) = (address.child("slots").child(key), site.child("slots", slot.name(key)));
            let app = App::of_slot(slot);
            let origin = format!("slots.{key}");
            cx.also(main(&app, address.clone(), &id, &SLOT, &plan, os, cx).origin(origin.clone()));
            cx.also(config(&app, &address, &id, &SLOT_CONFIG, os, &origin));
            cx.also(settings(&app, &address, &id, &SLOT_SETTINGS, &origin));
        }
    }
}

const RESTRICTIONS: Merged =
    Merged::beside("accessRestrictions", "config", "properties.ipSecurityRestrictions");
const IDENTITIES: Merged = Merged::list("identities", "identity.userAssignedIdentities");

/// The site or slot itself.
fn main(
    app: &App<'_>,
    address: Address,
    id: &ArmId,
    kind: &'static ResourceType,
    plan: &crate::catalog::Reference,
    os: crate::catalog::kinds::app_service_plan::Os,
    cx: &EntryCx<'_>,
) -> Draft {
    let mut draft = Draft::new(address, id.as_str(), kind, app.site(plan, os, cx));
    // What is configured is said on creation, so that the app is never open, and compared where Azure shows it.
    let configured = draft.body.pointer("/properties/siteConfig").and_then(serde_json::Value::as_object);
    let names: Vec<String> = configured.map(|all| all.keys().cloned().collect()).unwrap_or_default();
    for name in &names {
        draft = draft.initially(&format!("properties.siteConfig.{name}"));
    }
    draft.initially_if(&[("properties.httpsOnly", app.https_only.is_none())])
}

/// What it reads from its environment.
fn settings(
    app: &App<'_>,
    address: &Address,
    id: &ArmId,
    kind: &'static ResourceType,
    origin: &str,
) -> Draft {
    let body = json!({ "properties": app.app_settings });
    let id = id.child("config", "appsettings");
    let mut draft = Draft::new(address.child("appSettings"), id.as_str(), kind, body);
    draft.arrival = Arrival::WithParent;
    draft.origin(origin)
}

/// What is configured in it.
fn config(
    app: &App<'_>,
    address: &Address,
    id: &ArmId,
    kind: &'static ResourceType,
    os: crate::catalog::kinds::app_service_plan::Os,
    origin: &str,
) -> Draft {
    let body = json!({ "properties": app.config(os) });
    let mut draft = Draft::new(address.child("config"), id.child("config", "web").as_str(), kind, body);
    draft.arrival = Arrival::WithParent;
    draft.origin(origin)
}

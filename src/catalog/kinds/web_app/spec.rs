//! What a blueprint says of a web app.

use crate::catalog::kinds::app_service_plan::Os;
use crate::catalog::{Named, Reference};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// A web app with its slots.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub struct Spec {
    /// The App Service plan that it runs on.
    #[schemars(extend("x-wants" = "app service plan"))]
    pub(super) plan: Reference,
    /// The operating system of the plan; `Linux` when absent. Never changes.
    #[serde(default)]
    pub(super) os: Os,
    /// Whether the app answers on public networks; `false` leaves private endpoints only. Azure's default (`true`, unless
    /// the app has a private endpoint) when absent.
    pub(super) public_access: Option<bool>,
    /// Whether requests without encryption are sent on to HTTPS. A new app does so when absent.
    pub(super) https_only: Option<bool>,
    /// Whether a browser is served by the same machine each time; Azure's default (`true`) when absent.
    pub(super) client_affinity: Option<bool>,
    /// The subnet from which the app reaches a virtual network; delegated to `Microsoft.Web/serverFarms`.
    #[schemars(extend("x-wants" = "subnet"))]
    pub(super) subnet: Option<Reference>,
    /// Whether all traffic of the app goes through `subnet`, also what is for the internet; Azure's default (`false`) when
    /// absent.
    pub(super) route_all: Option<bool>,
    /// The identities with which the app acts: `system` for one of its own, and user-assigned ones.
    #[serde(default)]
    #[schemars(extend("x-wants" = "identity"))]
    pub(super) identities: Vec<Reference>,
    /// The identity that reads key vaults for settings such as `@Microsoft.KeyVault(SecretUri=…)`; the app's own when
    /// absent.
    #[schemars(extend("x-wants" = "identity"))]
    pub(super) key_vault_identity: Option<Reference>,
    /// How the app is run.
    #[serde(default)]
    pub(super) config: ConfigSpec,
    /// The settings that the app reads from its environment. Those that others have added stay. berth needs the right to
    /// list them (`Microsoft.Web/sites/config/list/action`), because they may be secrets.
    #[serde(default)]
    pub(super) app_settings: BTreeMap<String, String>,
    /// Who may reach the app on public networks, by name. With any rule in it, everybody else is refused.
    #[serde(default)]
    pub(super) access_restrictions: Named<RestrictionSpec>,
    /// Names of settings that stay with their slot when it is swapped with the app.
    #[serde(default)]
    pub(super) sticky_settings: Vec<String>,
    /// What the app writes down of requests and of itself.
    pub(super) logs: Option<LogsSpec>,
    /// Slots: copies of the app under names of their own, which can be swapped with it.
    #[serde(default)]
    pub(super) slots: Named<SlotSpec>,
}

/// What an app writes down.
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub struct LogsSpec {
    /// What of its own words is kept in its file system, and for twelve hours on Windows; Azure's default (`Off`) when absent.
    pub(super) level: Option<LogLevel>,
    /// How many days requests are kept in its file system; not at all when absent.
    pub(super) request_days: Option<i64>,
    /// How many megabytes of requests are kept: 25 to 100; 35 when absent.
    pub(super) request_mb: Option<i64>,
    /// Whether the pages of errors are kept; Azure's default (`false`) when absent.
    pub(super) error_pages: Option<bool>,
}

/// What of an app's words is kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub enum LogLevel {
    /// Nothing.
    Off,
    /// Errors.
    Error,
    /// Warnings too.
    Warning,
    /// What it tells.
    Information,
    /// Everything.
    Verbose,
}

/// Which pages of other hosts may call an app from a browser.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub struct CorsSpec {
    /// The hosts, such as `https://shop.example.com`, or `*` for all.
    pub(super) origins: Vec<String>,
    /// Whether they may send who the user is; Azure's default (`false`) when absent.
    pub(super) credentials: Option<bool>,
}

/// A slot of a web app. What it leaves out is Azure's default, not what the app has.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub struct SlotSpec {
    /// The Azure name; the key when absent.
    name: Option<String>,
    /// As in the app.
    pub(super) public_access: Option<bool>,
    /// As in the app.
    pub(super) https_only: Option<bool>,
    /// As in the app.
    pub(super) client_affinity: Option<bool>,
    /// As in the app.
    #[schemars(extend("x-wants" = "subnet"))]
    pub(super) subnet: Option<Reference>,
    /// As in the app.
    pub(super) route_all: Option<bool>,
    /// As in the app.
    #[serde(default)]
    #[schemars(extend("x-wants" = "identity"))]
    pub(super) identities: Vec<Reference>,
    /// As in the app.
    #[schemars(extend("x-wants" = "identity"))]
    pub(super) key_vault_identity: Option<Reference>,
    /// As in the app.
    #[serde(default)]
    pub(super) config: ConfigSpec,
    /// As in the app.
    #[serde(default)]
    pub(super) app_settings: BTreeMap<String, String>,
    /// As in the app.
    #[serde(default)]
    pub(super) access_restrictions: Named<RestrictionSpec>,
}

impl SlotSpec {
    /// The name in Azure.
    pub(super) fn name<'a>(&'a self, key: &'a str) -> &'a str {
        self.name.as_deref().unwrap_or(key)
    }
}

/// How an app is run. What is left out stays as it is.
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub struct ConfigSpec {
    /// Language and version (`NODE|22-lts`, `PYTHON|3.13`), or an image (`DOCKER|registry.azurecr.io/shop:1.2`).
    pub(super) runtime: Option<String>,
    /// The command that starts the app; that of the runtime when absent.
    pub(super) start_command: Option<String>,
    /// Whether the app stays loaded while there are no requests.
    pub(super) always_on: Option<bool>,
    /// Whether HTTP/2 is spoken.
    pub(super) http2: Option<bool>,
    /// Whether web sockets are accepted.
    pub(super) web_sockets: Option<bool>,
    /// The oldest version of TLS that is accepted: `1.0`, `1.1`, `1.2` or `1.3`.
    pub(super) min_tls: Option<String>,
    /// How files can be brought in: `Disabled`, `FtpsOnly` or `AllAllowed`.
    pub(super) ftps: Option<FileTransfer>,
    /// The path that answers 200 while an instance is well, such as `/health`.
    pub(super) health_check_path: Option<String>,
    /// Whether images are pulled from a container registry with an identity of the app.
    pub(super) pull_with_identity: Option<bool>,
    /// Which pages of other hosts may call the app from a browser; none when absent.
    pub(super) cors: Option<CorsSpec>,
    /// On how many machines of a plan with `perSiteScaling` it runs; Azure's default (1) when absent.
    pub(super) workers: Option<i64>,
    /// The oldest version of TLS that the app's management site accepts; Azure's default (`1.2`) when absent.
    pub(super) deployment_min_tls: Option<String>,
    /// What happens to requests that no rule of `accessRestrictions` is about: `Allow` or `Deny`.
    pub(super) default_access: Option<Access>,
}

/// How files are brought in.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub enum FileTransfer {
    /// Not by FTP.
    Disabled,
    /// Encrypted.
    FtpsOnly,
    /// Also in clear text.
    AllAllowed,
}

/// Whether a request is let in.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub enum Access {
    /// It is.
    #[default]
    Allow,
    /// It is refused.
    Deny,
}

/// Who may reach an app: one of `ip`, `serviceTag`, `subnet` and `frontDoor`.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub struct RestrictionSpec {
    /// Rules are tried by this number, the lowest first.
    pub(super) priority: i64,
    /// What the rule does; `Allow` when absent.
    #[serde(default)]
    pub(super) action: Access,
    /// A public address or CIDR block.
    pub(super) ip: Option<String>,
    /// The addresses of a service of Azure, such as `AzureDevOps`.
    pub(super) service_tag: Option<String>,
    /// A subnet with the service endpoint `Microsoft.Web`.
    #[schemars(extend("x-wants" = "subnet"))]
    pub(super) subnet: Option<Reference>,
    /// A Front Door: only requests that come through this one, told by the header that it sets.
    #[schemars(extend("x-wants" = "front door"))]
    pub(super) front_door: Option<Reference>,
    /// What the rule is for.
    pub(super) description: Option<String>,
}

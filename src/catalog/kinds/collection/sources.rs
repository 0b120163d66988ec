//! What a collection rule collects: the sources of its body, and the streams that come out of them.

use crate::catalog::kinds::interval::Interval;
use crate::catalog::kinds::parts::members;
use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::{Value, json};

/// Logs, inventory and events of a cluster.
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub struct ContainerInsightsSpec {
    /// How often performance and inventory are collected, `1m` to `30m`; `1m` when absent.
    pub(super) every: Option<Interval>,
    /// The only namespaces of which something is collected; all when absent.
    #[serde(default)]
    pub(super) include_namespaces: Vec<String>,
    /// Namespaces of which nothing is collected.
    #[serde(default)]
    pub(super) exclude_namespaces: Vec<String>,
    /// What is collected, by the names of its streams; everything (`Microsoft-ContainerInsights-Group-Default`) when
    /// absent.
    #[serde(default)]
    pub(super) streams: Vec<String>,
}

/// Metrics of a cluster.
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub struct PrometheusSpec {}

/// What Linux machines write to syslog.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub struct SyslogSpec {
    /// Whose messages, such as `auth`, `daemon`, `kern`; `\"*\"` for all.
    pub(super) facilities: Vec<String>,
    /// How grave they are, such as `Warning`, `Error`; `\"*\"` for all.
    pub(super) levels: Vec<String>,
}

/// Counters of machines.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub struct CountersSpec {
    /// The counters, such as `\\Memory\\Available Bytes`.
    pub(super) counters: Vec<String>,
    /// How often they are read.
    pub(super) every: Interval,
}

/// What Windows machines write to their event log.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub struct WindowsEventsSpec {
    /// Which events, as XPath: `System!*[System[(Level=1 or Level=2)]]`.
    pub(super) queries: Vec<String>,
}

/// Everything about the containers of a cluster.
const CONTAINERS: &str = "Microsoft-ContainerInsights-Group-Default";
pub(super) const METRICS: &str = "Microsoft-PrometheusMetrics";
pub(super) const SYSLOG: &str = "Microsoft-Syslog";
pub(super) const COUNTERS: &str = "Microsoft-Perf";
pub(super) const WINDOWS_EVENTS: &str = "Microsoft-WindowsEvent";

impl ContainerInsightsSpec {
    pub(super) fn streams(&self) -> Vec<String> {
        match self.streams.is_empty() {
            true => vec![CONTAINERS.to_owned()],
            false => self.streams.clone(),
        }
    }

    /// The source, as `az aks enable-addons` makes it.
    pub(super) fn source(&self) -> Value {
        let (mode, namespaces) = match (&self.include_namespaces[..], &self.exclude_namespaces[..]) {
            ([], []) => ("Off", None),
            ([], excluded) => ("Exclude", Some(excluded)),
            (included, _) => ("Include", Some(included)),
        };
        json!({
            "name": "ContainerInsightsExtension",
            "extensionName": "ContainerInsights",
            "streams": self.streams(),
            "extensionSettings": { "dataCollectionSettings": members([
                ("interval", Some(self.every.as_ref().map_or("1m", Interval::text).into())),
                ("namespaceFilteringMode", Some(mode.into())),
                ("namespaces", namespaces.map(|all| json!(all))),
                ("enableContainerLogV2", Some(true.into())),
            ]) },
        })
    }
}

impl PrometheusSpec {
    #[expect(clippy::unused_self, reason = "there is nothing to say of it yet")]
    pub(super) fn source(&self) -> Value {
        json!({ "name": "PrometheusDataSource", "streams": [METRICS] })
    }
}

impl SyslogSpec {
    pub(super) fn source(&self, name: &str) -> Value {
        json!({
            "name": name, "streams": [SYSLOG], "facilityNames": self.facilities, "logLevels": self.levels,
        })
    }
}

impl CountersSpec {
    pub(super) fn source(&self, name: &str) -> Value {
        json!({
            "name": name,
            "streams": [COUNTERS],
            "samplingFrequencyInSeconds": self.every.seconds(),
            "counterSpecifiers": self.counters,
        })
    }
}

impl WindowsEventsSpec {
    pub(super) fn source(&self, name: &str) -> Value {
        json!({ "name": name, "streams": [WINDOWS_EVENTS], "xPathQueries": self.queries })
    }
}

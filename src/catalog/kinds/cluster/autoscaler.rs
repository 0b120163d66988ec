//! The settings of the cluster autoscaler.

use super::words::words;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// How the autoscaler of the node pools behaves. Numbers and switches are texts, as Azure has them.
#[derive(Debug, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all(serialize = "kebab-case", deserialize = "camelCase"))]
#[schemars(rename_all = "camelCase")]
pub struct AutoscalerSpec {
    /// Whether similar pools are kept at the same size: `"true"` or `"false"`.
    balance_similar_node_groups: Option<String>,
    /// Whether pods of daemon sets are moved off a node that is removed and has no others.
    daemonset_eviction_for_empty_nodes: Option<bool>,
    /// Whether pods of daemon sets are moved off a node that is removed and has others.
    daemonset_eviction_for_occupied_nodes: Option<bool>,
    /// Whether pods of daemon sets count for nothing when a node's use is measured.
    ignore_daemonsets_utilization: Option<bool>,
    /// How a pool is chosen: `least-waste`, `most-pods`, `priority` or `random`, which is the default.
    expander: Option<Expander>,
    /// How many empty nodes are removed at once; `"10"` when absent.
    max_empty_bulk_delete: Option<String>,
    /// How many seconds a pod gets to end; `"600"` when absent.
    max_graceful_termination_sec: Option<String>,
    /// How long a node may take to come; `15m` when absent.
    max_node_provision_time: Option<String>,
    /// The percentage of unready nodes beyond which nothing is done; `"45"` when absent.
    max_total_unready_percentage: Option<String>,
    /// How long a new pod waits before a node is added for it; `0s` when absent.
    new_pod_scale_up_delay: Option<String>,
    /// How many unready nodes are allowed in any case; `"3"` when absent.
    ok_total_unready_count: Option<String>,
    /// How often sizes are looked at; `10s` when absent.
    scan_interval: Option<String>,
    /// How long after a node was added none is removed; `10m` when absent.
    scale_down_delay_after_add: Option<String>,
    /// How long after a node was removed none is removed; `scanInterval` when absent.
    scale_down_delay_after_delete: Option<String>,
    /// How long after a failure no node is removed; `3m` when absent.
    scale_down_delay_after_failure: Option<String>,
    /// How long a node must be unneeded to be removed; `10m` when absent.
    scale_down_unneeded_time: Option<String>,
    /// How long an unready node must be unneeded to be removed; `20m` when absent.
    scale_down_unready_time: Option<String>,
    /// The share of a node in use below which it is unneeded; `"0.5"` when absent.
    scale_down_utilization_threshold: Option<String>,
    /// Whether nodes with pods that use local storage are kept: `"true"` or `"false"`.
    skip_nodes_with_local_storage: Option<String>,
    /// Whether nodes with system pods are kept: `"true"` or `"false"`.
    skip_nodes_with_system_pods: Option<String>,
}

words! {
    /// How a pool is chosen.
    Expander {
        "least-waste" => LeastWaste, "most-pods" => MostPods, "priority" => Priority, "random" => Random,
    }
}

//! What changes of a cluster in place do to what runs on it.

use crate::value::{Cycles, Disturbance};
use std::time::Duration;

const POOLS: &str = "Microsoft.ContainerService/managedClusters/agentPools";

const fn minutes(count: u64) -> Duration {
    Duration::from_secs(count * 60)
}

/// A newer version of the control plane. Pools follow at addresses of their own.
pub(super) const CONTROL_PLANE: Disturbance = Disturbance {
    what: "the control plane is upgraded: its API may not answer for minutes; nodes stay as they are",
    cycles: Cycles::Nothing,
    drained: false,
    expected: minutes(8),
};

/// A new version or image of the nodes of a pool: with surge, each old node cordoned and drained.
pub(super) const UPGRADED: Disturbance = Disturbance {
    what: "its nodes are replaced, as many at once as the surge allows",
    cycles: Cycles::Itself,
    drained: true,
    expected: minutes(10),
};

/// Settings that only a new image of the nodes takes up.
pub(super) const REIMAGED: Disturbance = Disturbance {
    what: "its nodes are imaged anew",
    cycles: Cycles::Itself,
    drained: true,
    expected: minutes(10),
};

/// A pool that is stopped or started.
pub(super) const POWER: Disturbance = Disturbance {
    what: "all of its nodes stop, or start",
    cycles: Cycles::Itself,
    drained: false,
    expected: minutes(3),
};

/// Another network of the pods: the nodes of all pools are imaged anew, all pools at the same time.
pub(super) const POD_NETWORK: Disturbance = Disturbance {
    what: "the nodes of every pool are imaged anew, all pools at the same time",
    cycles: Cycles::Below(POOLS),
    drained: false,
    expected: minutes(10),
};

/// Another proxy, which every node must learn.
pub(super) const PROXY: Disturbance = Disturbance {
    what: "the nodes of every pool are imaged anew to learn the proxy",
    cycles: Cycles::Below(POOLS),
    drained: false,
    expected: minutes(10),
};

/// The API server moves into a subnet: nodes restart to find it there. It is a way without return.
pub(super) const API_SERVER_MOVES: Disturbance = Disturbance {
    what: "the API server moves into the subnet, and the nodes of every pool restart to find it there",
    cycles: Cycles::Below(POOLS),
    drained: false,
    expected: minutes(10),
};

/// Another way to the API server.
pub(super) const API_SERVER: Disturbance = Disturbance {
    what: "the API server is reached another way: clients that used the old one lose it",
    cycles: Cycles::Nothing,
    drained: false,
    expected: minutes(5),
};

/// Another way out.
pub(super) const WAY_OUT: Disturbance = Disturbance {
    what: "pods leave by other addresses: open outgoing connections break, and allow lists elsewhere must know them",
    cycles: Cycles::Nothing,
    drained: false,
    expected: minutes(5),
};

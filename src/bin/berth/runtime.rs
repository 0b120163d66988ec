//! The runtime: real time, or time that jumps.

use std::future::Future;
use tokio::runtime::Builder;

/// Runs a future to its end on a runtime whose time is real.
pub fn real<T>(future: impl Future<Output = T>) -> T {
    let runtime = Builder::new_multi_thread().worker_threads(2).enable_all().build();
    runtime.expect("the operating system gives threads and sockets").block_on(future)
}

/// Runs a future on a runtime whose time jumps to the next thing that is due, as soon as every task waits.
pub fn virtual_time<T>(future: impl Future<Output = T>) -> T {
    let runtime = Builder::new_current_thread().enable_all().start_paused(true).build();
    runtime.expect("the operating system gives threads and sockets").block_on(future)
}

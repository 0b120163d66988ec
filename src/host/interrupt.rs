//! Ctrl-C, counted: the first asks to finish what is in flight, the second to stop waiting.

use std::sync::Arc;
use tokio::sync::watch;

/// How often the person has asked to stop. Cheap to clone; every clone sees the same count.
#[derive(Debug, Clone)]
pub struct Interrupt {
    sender: Arc<watch::Sender<u32>>,
}

impl Default for Interrupt {
    fn default() -> Self {
        Self::new()
    }
}

impl Interrupt {
    /// An interrupt that nobody has raised.
    pub fn new() -> Self {
        Interrupt { sender: Arc::new(watch::Sender::new(0)) }
    }

    /// Raises it once more.
    pub fn raise(&self) {
        self.sender.send_modify(|count| *count += 1);
    }

    /// How often it was raised.
    pub fn count(&self) -> u32 {
        *self.sender.borrow()
    }

    /// Waits until it has been raised at least `times` times.
    pub async fn raised(&self, times: u32) {
        let mut receiver = self.sender.subscribe();
        // The sender lives in `self`, so the wait can only end by the condition.
        let _ = receiver.wait_for(|count| *count >= times).await;
    }

    /// Raises the interrupt whenever the process is told to stop (Ctrl-C, and on Unix SIGTERM, and
    /// SIGHUP, which a terminal that is closed and a session that ends send).
    ///
    /// The task ends with the runtime.
    pub fn listen(&self) {
        let interrupt = self.clone();
        // From now on, not from the first time that the task runs: a signal in between would end the process.
        #[cfg(unix)]
        let signals = {
            use tokio::signal::unix::{SignalKind, signal};
            let kinds = [SignalKind::interrupt(), SignalKind::terminate(), SignalKind::hangup()];
            let [Ok(interrupt), Ok(terminate), Ok(hangup)] = kinds.map(signal) else { return };
            [interrupt, terminate, hangup]
        };
        tokio::spawn(async move {
            #[cfg(unix)]
            {
                let [mut int, mut term, mut hangup] = signals;
                loop {
                    tokio::select! {
                        _ = int.recv() => {}
                        _ = term.recv() => {}
                        _ = hangup.recv() => {}
                    }
                    interrupt.raise();
                }
            }
            #[cfg(not(unix))]
            loop {
                if tokio::signal::ctrl_c().await.is_err() {
                    return;
                }
                interrupt.raise();
            }
        });
    }
}

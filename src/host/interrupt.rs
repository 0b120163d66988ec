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
    /// SIGHUP, which a terminal that is closed and a session that ends send). Under `nohup` SIGHUP means nothing, and
    /// stays so.
    ///
    /// The task ends with the runtime.
    pub fn listen(&self) {
        let interrupt = self.clone();
        // From now on, not from the first time that the task runs: a signal in between would end the process.
        #[cfg(unix)]
        let signals = {
            use tokio::signal::unix::{SignalKind, signal};
            let [Ok(interrupt), Ok(terminate)] =
                [SignalKind::interrupt(), SignalKind::terminate()].map(signal)
            else {
                return;
            };
            let hangup = (!ignores(SignalKind::hangup())).then(|| signal(SignalKind::hangup()).ok());
            (interrupt, terminate, hangup.flatten())
        };
        tokio::spawn(async move {
            #[cfg(unix)]
            {
                let (mut int, mut term, mut hangup) = signals;
                loop {
                    let hung_up = async {
                        match &mut hangup {
                            Some(hangup) => hangup.recv().await,
                            None => std::future::pending().await,
                        }
                    };
                    tokio::select! {
                        _ = int.recv() => {}
                        _ = term.recv() => {}
                        _ = hung_up => {}
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

/// Whether the process was started so that it ignores a signal: listening would take that away. Only Linux tells.
#[cfg(unix)]
fn ignores(signal: tokio::signal::unix::SignalKind) -> bool {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let mask = status.lines().find_map(|line| line.strip_prefix("SigIgn:"));
    let mask = mask.and_then(|mask| u64::from_str_radix(mask.trim(), 16).ok()).unwrap_or_default();
    mask >> (signal.as_raw_value() - 1) & 1 == 1
}

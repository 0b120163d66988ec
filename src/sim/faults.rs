//! Scripted faults.

use crate::arm::transport::{Method, Request, path_and_query};
use std::time::Duration;

/// What goes wrong.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Effect {
    /// The request is refused with this error and nothing is done.
    Answer {
        /// HTTP status.
        status: u16,
        /// Error code.
        code: String,
        /// Error message.
        message: String,
        /// The `Retry-After` header.
        retry_after: Option<Duration>,
    },
    /// The connection breaks before anything is done.
    DropBefore,
    /// The request is carried out and the connection breaks before the answer.
    DropAfter,
    /// The operation that the request starts fails at its end.
    FailOperation {
        /// Error code.
        code: String,
        /// Error message.
        message: String,
    },
    /// The private endpoint's connection stays `Pending` although it asked for automatic approval.
    KeepPending,
}

/// A fault waiting for its request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fault {
    /// The method it is for; any when `None`.
    pub method: Option<Method>,
    /// How the path of the request ends, in any case; empty for any path.
    pub suffix: String,
    /// How many requests it still strikes.
    pub times: u32,
    /// What happens to them.
    pub effect: Effect,
}

impl Fault {
    /// A fault that strikes the next request of this method on a path that ends so.
    pub fn once(method: Method, suffix: impl Into<String>, effect: Effect) -> Self {
        Fault { method: Some(method), suffix: suffix.into(), times: 1, effect }
    }

    /// The same fault, several times.
    pub fn times(mut self, times: u32) -> Self {
        self.times = times;
        self
    }

    fn strikes(&self, request: &Request) -> bool {
        let path = path_and_query(&request.url);
        let path = path.split_once('?').map_or(path, |(path, _)| path).to_ascii_lowercase();
        self.method.is_none_or(|m| m == request.method) && path.ends_with(&self.suffix.to_ascii_lowercase())
    }
}

/// The faults still to come, in the order they were asked for.
#[derive(Debug, Default)]
pub(crate) struct Faults(Vec<Fault>);

/// What faults do to one request.
#[derive(Debug, Clone, Default)]
pub(crate) struct Bent {
    pub(crate) fails: Option<(String, String)>,
    pub(crate) keep_pending: bool,
    pub(crate) drop_after: bool,
}

impl Faults {
    pub(crate) fn push(&mut self, fault: Fault) {
        self.0.push(fault);
    }

    pub(crate) fn clear(&mut self) {
        self.0.clear();
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The effect of the first fault that matches, used up once.
    pub(crate) fn strike(&mut self, request: &Request) -> Option<Effect> {
        let at = self.0.iter().position(|f| f.times > 0 && f.strikes(request))?;
        self.0[at].times -= 1;
        let effect = self.0[at].effect.clone();
        if self.0[at].times == 0 {
            self.0.remove(at);
        }
        Some(effect)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn strikes_only_what_matches_and_as_often_as_told() {
        let mut faults = Faults::default();
        faults.push(Fault::once(Method::Put, "/vaults/KV", Effect::DropBefore).times(2));
        let put = Request::new(Method::Put, "https://h/x/vaults/kv?api-version=1");
        assert_eq!(faults.strike(&Request::new(Method::Get, put.url.clone())), None);
        assert_eq!(faults.strike(&put), Some(Effect::DropBefore));
        assert_eq!(faults.strike(&put), Some(Effect::DropBefore));
        assert_eq!(faults.strike(&put), None);
        assert!(faults.is_empty());
    }
}

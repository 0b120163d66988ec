//! Signing in to blob storage as berth signs in everywhere.

use crate::arm::{Token, TokenSource};
use crate::host::Clock;
use async_trait::async_trait;
use object_store::azure::AzureCredential;
use object_store::{CredentialProvider, Error};
use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

/// Whom tokens for blob storage are meant for, in every cloud.
/// Source: <https://learn.microsoft.com/azure/storage/blobs/authorize-access-azure-active-directory>.
const SCOPE: &str = "https://storage.azure.com/.default";

/// A token is replaced when it is good for less than this.
const MARGIN: Duration = Duration::from_secs(300);

/// Gives the object store the tokens of a [`TokenSource`]. Its `Debug` shows none.
pub(super) struct Bridge {
    source: Arc<dyn TokenSource>,
    clock: Clock,
    current: Mutex<Option<(Token, Arc<AzureCredential>)>>,
}

impl Bridge {
    pub(super) fn new(source: Arc<dyn TokenSource>, clock: Clock) -> Self {
        Bridge { source, clock, current: Mutex::default() }
    }
}

impl fmt::Debug for Bridge {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Bridge")
    }
}

#[async_trait]
impl CredentialProvider for Bridge {
    type Credential = AzureCredential;

    async fn get_credential(&self) -> Result<Arc<AzureCredential>, Error> {
        let good = self.clock.now().plus(MARGIN);
        let kept = self.current.lock().unwrap_or_else(PoisonError::into_inner).clone();
        if let Some((token, credential)) = kept
            && token.expires_at() > good
        {
            return Ok(credential);
        }
        let token = self.source.token(SCOPE).await.map_err(|error| Error::Unauthenticated {
            path: "the ledger".to_owned(),
            source: Box::new(error),
        })?;
        let credential = Arc::new(AzureCredential::BearerToken(token.secret().to_owned()));
        *self.current.lock().unwrap_or_else(PoisonError::into_inner) = Some((token, credential.clone()));
        Ok(credential)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::arm::IdentityError;
    use crate::host::Timestamp;
    use std::sync::atomic::{AtomicU64, Ordering};

    struct Hourly(Clock, AtomicU64);

    #[async_trait]
    impl TokenSource for Hourly {
        async fn token(&self, scope: &str) -> Result<Token, IdentityError> {
            assert_eq!(scope, SCOPE);
            let number = self.1.fetch_add(1, Ordering::Relaxed);
            Ok(Token::new(format!("t{number}"), self.0.now().plus(Duration::from_secs(3600))))
        }
    }

    #[tokio::test(start_paused = true)]
    async fn a_token_is_kept_until_shortly_before_its_end_and_never_shown() {
        let clock = Clock::start_at(Timestamp(0), 1.0);
        let bridge = Bridge::new(Arc::new(Hourly(clock.clone(), AtomicU64::new(0))), clock.clone());
        let mut seen = Vec::new();
        for wait in [0, 1, 3200, 200] {
            clock.sleep(Duration::from_secs(wait)).await;
            match &*bridge.get_credential().await.unwrap() {
                AzureCredential::BearerToken(token) => seen.push(token.clone()),
                _ => panic!("a bearer token"),
            }
        }
        assert_eq!(seen, ["t0", "t0", "t0", "t1"]);
        assert!(!format!("{bridge:?}").contains("t1"));
    }
}

//! Bearer tokens: where they come from, how long they are kept, and who they speak for.

use super::sign_in::IdentityError;
use crate::host::{Clock, Timestamp};
use async_trait::async_trait;
use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;
use tokio::sync::Semaphore;

/// How long before its end a token is replaced.
const MARGIN: Duration = Duration::from_secs(300);

/// A bearer token. Its text shows in no `Debug` output.
#[derive(Clone)]
pub struct Token {
    secret: Arc<str>,
    expires_at: Timestamp,
}

impl Token {
    /// A token and the instant at which it stops being valid.
    pub fn new(secret: impl Into<Arc<str>>, expires_at: Timestamp) -> Self {
        Token { secret: secret.into(), expires_at }
    }

    /// The text of the token, for an `Authorization` header and nothing else.
    pub fn secret(&self) -> &str {
        &self.secret
    }

    /// When it stops being valid.
    pub const fn expires_at(&self) -> Timestamp {
        self.expires_at
    }

    /// Whom the token speaks for, if it says so.
    pub fn caller(&self) -> Option<Caller> {
        Caller::parse(&self.secret)
    }
}

impl fmt::Debug for Token {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Token").field("expires_at", &self.expires_at).finish_non_exhaustive()
    }
}

/// Whom a token speaks for: claims read from it, not verified.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Caller {
    /// The object id of the user or service principal.
    pub object_id: Option<String>,
    /// The tenant that issued the token.
    pub tenant_id: Option<String>,
    /// The user's sign-in name, for a user.
    pub user_name: Option<String>,
    /// The application that asked for it.
    pub app_id: Option<String>,
    /// What Azure calls the principal: `user` or `app`.
    pub principal_type: Option<String>,
}

impl Caller {
    /// Reads the claims of a JSON web token.
    pub fn parse(token: &str) -> Option<Self> {
        let payload = token.split('.').nth(1)?.trim_end_matches('=');
        let bytes = azure_core::base64::decode_url_safe(payload).ok()?;
        let claims: serde_json::Value = serde_json::from_slice(&bytes).ok()?;
        let claim = |name: &str| claims.get(name).and_then(|v| v.as_str()).map(str::to_owned);
        Some(Caller {
            object_id: claim("oid"),
            tenant_id: claim("tid"),
            user_name: claim("upn").or_else(|| claim("preferred_username")).or_else(|| claim("unique_name")),
            app_id: claim("appid").or_else(|| claim("azp")),
            principal_type: claim("idtyp"),
        })
    }
}

/// Gives tokens for scopes such as `https://management.azure.com/.default`.
#[async_trait]
pub trait TokenSource: Send + Sync {
    /// A token that is valid now.
    ///
    /// # Errors
    /// When no way of signing in works.
    async fn token(&self, scope: &str) -> Result<Token, IdentityError>;
}

/// Always the same token: for the simulator, and for tokens made elsewhere.
#[derive(Debug, Clone)]
pub struct StaticToken(Token);

impl StaticToken {
    /// A source of one token that never expires.
    pub fn new(secret: impl Into<Arc<str>>) -> Self {
        StaticToken(Token::new(secret, Timestamp(u64::MAX)))
    }
}

#[async_trait]
impl TokenSource for StaticToken {
    async fn token(&self, _scope: &str) -> Result<Token, IdentityError> {
        Ok(self.0.clone())
    }
}

/// Keeps the token of one scope until shortly before it expires, and lets only one task renew it.
pub(super) struct TokenCache {
    source: Arc<dyn TokenSource>,
    scope: String,
    clock: Clock,
    current: Mutex<Option<Bearer>>,
    renewal: Semaphore,
}

/// A token with the header that carries it.
#[derive(Clone)]
pub(super) struct Bearer {
    token: Token,
    pub(super) header: Arc<str>,
}

impl TokenCache {
    pub(super) fn new(source: Arc<dyn TokenSource>, scope: String, clock: Clock) -> Self {
        TokenCache { source, scope, clock, current: Mutex::new(None), renewal: Semaphore::new(1) }
    }

    /// A token with some minutes left.
    pub(super) async fn bearer(&self) -> Result<Bearer, IdentityError> {
        if let Some(bearer) = self.kept(MARGIN) {
            return Ok(bearer);
        }
        // The semaphore is never closed; without a permit the worst is a second renewal.
        let _turn = self.renewal.acquire().await.ok();
        if let Some(bearer) = self.kept(MARGIN) {
            return Ok(bearer);
        }
        match self.source.token(&self.scope).await {
            Ok(token) => {
                let bearer = Bearer { header: format!("Bearer {}", token.secret()).into(), token };
                *self.current.lock().unwrap_or_else(PoisonError::into_inner) = Some(bearer.clone());
                Ok(bearer)
            }
            // A token that is good for a minute more beats an outage of the token service.
            Err(error) => self.kept(Duration::ZERO).ok_or(error),
        }
    }

    /// Whom requests are made for.
    pub(super) async fn caller(&self) -> Result<Option<Caller>, IdentityError> {
        Ok(self.bearer().await?.token.caller())
    }

    /// Forgets a token that was refused, unless it has been replaced meanwhile.
    pub(super) fn refuse(&self, refused: &Bearer) {
        let mut current = self.current.lock().unwrap_or_else(PoisonError::into_inner);
        if current.as_ref().is_some_and(|c| Arc::ptr_eq(&c.header, &refused.header)) {
            *current = None;
        }
    }

    fn kept(&self, margin: Duration) -> Option<Bearer> {
        let current = self.current.lock().unwrap_or_else(PoisonError::into_inner);
        current.as_ref().filter(|b| b.token.expires_at > self.clock.now().plus(margin)).cloned()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::atomic::{AtomicU32, Ordering};

    struct Counting {
        clock: Clock,
        count: AtomicU32,
    }

    #[async_trait]
    impl TokenSource for Counting {
        async fn token(&self, _scope: &str) -> Result<Token, IdentityError> {
            let count = self.count.fetch_add(1, Ordering::Relaxed);
            self.clock.sleep(Duration::from_secs(1)).await;
            if count == 1 {
                return Err(IdentityError::default());
            }
            Ok(Token::new(format!("t{count}"), self.clock.now().plus(Duration::from_secs(3600))))
        }
    }

    #[tokio::test(start_paused = true)]
    async fn renews_once_and_in_time() {
        let clock = Clock::start_at(Timestamp(0), 1.0);
        let source = Arc::new(Counting { clock: clock.clone(), count: AtomicU32::new(0) });
        let cache = TokenCache::new(source.clone(), "scope".into(), clock.clone());
        let (a, b) = tokio::join!(cache.bearer(), cache.bearer());
        assert_eq!((&*a.unwrap().header, &*b.unwrap().header), ("Bearer t0", "Bearer t0"));
        clock.sleep(Duration::from_secs(3301)).await;
        // The renewal fails, and the old one still holds.
        assert_eq!(&*cache.bearer().await.unwrap().header, "Bearer t0");
        let renewed = cache.bearer().await.unwrap();
        assert_eq!(&*renewed.header, "Bearer t2");
        cache.refuse(&renewed);
        assert_eq!(&*cache.bearer().await.unwrap().header, "Bearer t3");
    }

    #[test]
    fn claims_are_read_and_secrets_are_not_shown() {
        let payload = azure_core::base64::encode_url_safe(br#"{"oid":"o","tid":"t","idtyp":"app"}"#);
        let token = Token::new(format!("h.{payload}.s"), Timestamp(1));
        let caller = token.caller().unwrap();
        assert_eq!((caller.object_id.as_deref(), caller.tenant_id.as_deref()), (Some("o"), Some("t")));
        assert!(!format!("{token:?}").contains(&payload));
        assert_eq!(Caller::parse("opaque"), None);
    }
}

//! Signing in: the ways there are, and an order to try them in.
//!
//! `auto` tries, of those that were given what they need:
//!
//! 1. Azure Pipelines (a service connection and the job's token);
//! 2. workload identity (a federated token in a file);
//! 3. a service principal with a secret;
//! 4. a service principal with a certificate;
//! 5. a managed identity, where the host announces one or one is named;
//! 6. the Azure CLI.
//!
//! The first that yields a token is kept for the rest of the run. What was tried, and why it failed, is in the error.

use super::cloud::Cloud;
use super::credential::{fetch, plain};
use super::http::HttpTransport;
use super::sign_in::{Attempt, AuthMethod, IdentityError};
use super::token::{Token, TokenSource};
use async_trait::async_trait;
use azure_core::credentials::Secret;
use std::fmt;
use std::path::PathBuf;
use std::sync::OnceLock;

/// What signing in depends on. Whoever reads the environment fills it in.
#[derive(Debug, Clone, Default)]
pub struct AuthSettings {
    /// Which way to sign in.
    pub method: AuthMethod,
    /// The cloud to sign in to.
    pub cloud: Cloud,
    /// Where to sign in instead of the cloud's own address (`AZURE_AUTHORITY_HOST`).
    pub authority: Option<String>,
    /// The tenant (`AZURE_TENANT_ID`).
    pub tenant_id: Option<String>,
    /// The application or user-assigned identity (`AZURE_CLIENT_ID`).
    pub client_id: Option<String>,
    /// The application's secret (`AZURE_CLIENT_SECRET`).
    pub client_secret: Option<Secret>,
    /// A PEM file with the application's certificate and its private key (`AZURE_CLIENT_CERTIFICATE_PATH`).
    pub client_certificate: Option<PathBuf>,
    /// The Azure DevOps service connection (`AZURESUBSCRIPTION_SERVICE_CONNECTION_ID`).
    pub service_connection_id: Option<String>,
    /// The token of the Azure DevOps job (`SYSTEM_ACCESSTOKEN`).
    pub system_access_token: Option<Secret>,
    /// Where Azure DevOps gives out assertions (`SYSTEM_OIDCREQUESTURI`).
    pub oidc_request_uri: Option<String>,
    /// The file with a federated token (`AZURE_FEDERATED_TOKEN_FILE`).
    pub federated_token_file: Option<PathBuf>,
    /// Where the host announces its managed identity (`IDENTITY_ENDPOINT`).
    pub managed_identity_endpoint: Option<String>,
    /// The subscription whose account the Azure CLI uses.
    pub subscription: Option<String>,
}

/// Signs in as the settings say.
pub struct Identity {
    settings: AuthSettings,
    http: HttpTransport,
    chosen: OnceLock<AuthMethod>,
}

impl fmt::Debug for Identity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Identity").field("settings", &self.settings).finish_non_exhaustive()
    }
}

impl Identity {
    /// An identity that signs in when the first token is needed, by this transport.
    pub const fn new(settings: AuthSettings, http: HttpTransport) -> Self {
        Identity { settings, http, chosen: OnceLock::new() }
    }

    /// The way that worked, once one has.
    pub fn method(&self) -> Option<AuthMethod> {
        self.chosen.get().copied()
    }

    async fn by(&self, method: AuthMethod, scope: &str) -> Result<Token, Attempt> {
        let credential = self.settings.credential(method, &self.http)?;
        // A limit of berth's own: the server may ask to wait longer before the next try.
        let limit = self.http.limits().time;
        let reason = match tokio::time::timeout(limit, fetch(&*credential, scope)).await {
            Ok(Ok(token)) => return Ok(token),
            Ok(Err(error)) => plain(&error),
            Err(_) => {
                let seconds = limit.as_secs();
                format!("it took longer than {seconds} s: BERTH_MAX_ANSWER_SECONDS raises the limit")
            }
        };
        Err(Attempt { method, reason })
    }
}

#[async_trait]
impl TokenSource for Identity {
    async fn token(&self, scope: &str) -> Result<Token, IdentityError> {
        if let Some(method) = self.chosen.get() {
            let failed = |attempt| IdentityError { tried: vec![attempt], skipped: Vec::new() };
            return self.by(*method, scope).await.map_err(failed);
        }
        let (candidates, skipped) = self.settings.candidates();
        let mut error = IdentityError { tried: Vec::new(), skipped };
        for method in candidates {
            match self.by(method, scope).await {
                Ok(token) => {
                    // A concurrent first call may have chosen already; it chose the same.
                    let _ = self.chosen.set(method);
                    return Ok(token);
                }
                Err(attempt) => error.tried.push(attempt),
            }
        }
        Err(error)
    }
}

impl AuthSettings {
    /// The ways to try, in order, and those that lack something.
    fn candidates(&self) -> (Vec<AuthMethod>, Vec<Attempt>) {
        if self.method != AuthMethod::Auto {
            return (vec![self.method], Vec::new());
        }
        let (mut methods, mut skipped) = (Vec::new(), Vec::new());
        for method in AuthMethod::ALL.into_iter().filter(|method| *method != AuthMethod::Auto) {
            let mut lacks = self.lacks(method);
            // Asking a machine that has none for its identity takes long to fail, so there must be a sign of one: an
            // announced endpoint, or the id of an identity with nothing else to use it by.
            if method == AuthMethod::ManagedIdentity
                && self.managed_identity_endpoint.is_none()
                && (self.client_id.is_none() || !methods.is_empty())
            {
                lacks.push("IDENTITY_ENDPOINT");
            }
            if lacks.is_empty() {
                methods.push(method);
            } else {
                skipped.push(Attempt { method, reason: lacks.join(", ") });
            }
        }
        (methods, skipped)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn settings() -> AuthSettings {
        AuthSettings { tenant_id: Some("t".into()), client_id: Some("c".into()), ..AuthSettings::default() }
    }

    #[test]
    fn auto_tries_what_it_has_the_inputs_for() {
        use AuthMethod::{
            AzureCli, AzurePipelines, ClientCertificate, ClientSecret, ManagedIdentity, WorkloadIdentity,
        };
        let everything = AuthSettings {
            client_secret: Some("s".into()),
            client_certificate: Some("p".into()),
            service_connection_id: Some("i".into()),
            system_access_token: Some("a".into()),
            oidc_request_uri: Some("https://o".into()),
            federated_token_file: Some("f".into()),
            managed_identity_endpoint: Some("e".into()),
            ..settings()
        };
        let secret = AuthSettings { client_secret: Some("s".into()), ..settings() };
        let alone = AuthSettings { tenant_id: None, ..secret.clone() };
        let fixed = AuthSettings { method: ClientSecret, ..AuthSettings::default() };
        let all =
            [AzurePipelines, WorkloadIdentity, ClientSecret, ClientCertificate, ManagedIdentity, AzureCli];
        for (settings, expected) in [
            (AuthSettings::default(), &[AzureCli][..]),
            (everything, &all),
            (secret, &[ClientSecret, AzureCli]),
            (settings(), &[ManagedIdentity, AzureCli]),
            (alone, &[ManagedIdentity, AzureCli]),
            (fixed, &[ClientSecret]),
        ] {
            assert_eq!(settings.candidates().0, expected);
        }
    }

    #[tokio::test]
    async fn the_error_says_what_is_missing() {
        let settings = AuthSettings { method: AuthMethod::ClientSecret, tenant_id: None, ..settings() };
        let identity = Identity::new(settings, HttpTransport::new());
        let error = identity.token("https://management.azure.com/.default").await.unwrap_err();
        assert_eq!(
            error.to_string(),
            "could not sign in to Azure with client-secret: AZURE_TENANT_ID, AZURE_CLIENT_SECRET are not set"
        );
        assert!(error.hint().contains("--auth client-secret"), "{}", error.hint());
        assert_eq!(identity.method(), None);
    }

    #[test]
    fn the_error_lists_what_was_tried_and_what_was_not() {
        let attempt = |method, reason: &str| Attempt { method, reason: reason.to_owned() };
        let error = IdentityError {
            tried: vec![attempt(AuthMethod::AzureCli, "az not found on PATH")],
            skipped: vec![attempt(AuthMethod::ClientSecret, "AZURE_CLIENT_SECRET")],
        };
        assert_eq!(
            error.to_string(),
            "could not sign in to Azure; tried, in this order:\n  azure-cli: az not found on PATH\n\
             not tried, because something is missing:\n  client-secret: AZURE_CLIENT_SECRET"
        );
    }

    #[test]
    fn names_parse_and_secrets_do_not_show() {
        for method in AuthMethod::ALL {
            assert_eq!(method.as_str().parse(), Ok(method));
        }
        let settings = AuthSettings { client_secret: Some("HUSH".into()), ..settings() };
        assert!(!format!("{settings:?}").contains("HUSH"));
    }
}

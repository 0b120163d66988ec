//! Signing in: azure_identity's credentials behind one enum, and an order to try them in.
//!
//! `auto` tries, of those that were given what they need:
//!
//! 1. Azure Pipelines (a service connection and the job's token);
//! 2. workload identity (a federated token in a file);
//! 3. a service principal with a secret;
//! 4. a managed identity, where the host announces one or one is named;
//! 5. the Azure CLI.
//!
//! The first that yields a token is kept for the rest of the run. What was tried, and why it failed, is in the error.

use super::cloud::Cloud;
use super::token::{Token, TokenSource};
use crate::host::Timestamp;
use async_trait::async_trait;
use azure_core::cloud::{CloudConfiguration, CustomConfiguration};
use azure_core::credentials::{Secret, TokenCredential};
use azure_core::http::ClientOptions;
use azure_identity::{
    AzureCliCredential, AzureCliCredentialOptions, AzurePipelinesCredential, AzurePipelinesCredentialOptions,
    ClientAssertionCredentialOptions, ClientSecretCredential, ClientSecretCredentialOptions,
    ManagedIdentityCredential, ManagedIdentityCredentialOptions, UserAssignedId, WorkloadIdentityCredential,
    WorkloadIdentityCredentialOptions,
};
use std::fmt;
use std::path::PathBuf;
use std::str::FromStr;
use std::sync::{Arc, OnceLock};

/// A way of signing in.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum AuthMethod {
    /// Whatever works, in the documented order.
    #[default]
    Auto,
    /// The service connection of an Azure DevOps job.
    AzurePipelines,
    /// A federated token in a file, as Kubernetes mounts it.
    WorkloadIdentity,
    /// The identity of the machine or app.
    ManagedIdentity,
    /// A service principal with a secret.
    ClientSecret,
    /// Whoever is signed in to the Azure CLI.
    AzureCli,
}

impl AuthMethod {
    /// Every method.
    pub const ALL: [AuthMethod; 6] = [
        AuthMethod::Auto,
        AuthMethod::AzurePipelines,
        AuthMethod::WorkloadIdentity,
        AuthMethod::ClientSecret,
        AuthMethod::ManagedIdentity,
        AuthMethod::AzureCli,
    ];

    /// The name used on the command line.
    pub const fn as_str(self) -> &'static str {
        match self {
            AuthMethod::Auto => "auto",
            AuthMethod::AzurePipelines => "azure-pipelines",
            AuthMethod::WorkloadIdentity => "workload-identity",
            AuthMethod::ManagedIdentity => "managed-identity",
            AuthMethod::ClientSecret => "client-secret",
            AuthMethod::AzureCli => "azure-cli",
        }
    }
}

impl fmt::Display for AuthMethod {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// The name is none of a way of signing in.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("unknown way of signing in '{0}'")]
pub struct UnknownAuthMethod(pub String);

impl FromStr for AuthMethod {
    type Err = UnknownAuthMethod;

    fn from_str(name: &str) -> Result<Self, UnknownAuthMethod> {
        let known = Self::ALL.into_iter().find(|method| method.as_str().eq_ignore_ascii_case(name));
        known.ok_or_else(|| UnknownAuthMethod(name.to_owned()))
    }
}

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
    /// The Azure DevOps service connection (`AZURESUBSCRIPTION_SERVICE_CONNECTION_ID`).
    pub service_connection_id: Option<String>,
    /// The token of the Azure DevOps job (`SYSTEM_ACCESSTOKEN`).
    pub system_access_token: Option<Secret>,
    /// The file with a federated token (`AZURE_FEDERATED_TOKEN_FILE`).
    pub federated_token_file: Option<PathBuf>,
    /// Where the host announces its managed identity (`IDENTITY_ENDPOINT`).
    pub managed_identity_endpoint: Option<String>,
    /// The subscription whose account the Azure CLI uses.
    pub subscription: Option<String>,
}

/// Why a way of signing in did not work.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Attempt {
    /// The way.
    pub method: AuthMethod,
    /// Why it did not work.
    pub reason: String,
}

/// No way of signing in worked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct IdentityError {
    /// What was tried, in order.
    pub tried: Vec<Attempt>,
}

impl fmt::Display for IdentityError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("could not sign in to Azure")?;
        for (index, attempt) in self.tried.iter().enumerate() {
            let separator = if index == 0 { ": " } else { "; " };
            write!(f, "{separator}{} ({})", attempt.method, attempt.reason)?;
        }
        Ok(())
    }
}

impl std::error::Error for IdentityError {}

/// Signs in as the settings say.
pub struct Identity {
    settings: AuthSettings,
    chosen: OnceLock<(AuthMethod, Arc<dyn TokenCredential>)>,
}

impl fmt::Debug for Identity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Identity").field("settings", &self.settings).finish_non_exhaustive()
    }
}

impl Identity {
    /// An identity that signs in when the first token is needed.
    pub const fn new(settings: AuthSettings) -> Self {
        Identity { settings, chosen: OnceLock::new() }
    }

    /// The way that worked, once one has.
    pub fn method(&self) -> Option<AuthMethod> {
        self.chosen.get().map(|(method, _)| *method)
    }
}

#[async_trait]
impl TokenSource for Identity {
    async fn token(&self, scope: &str) -> Result<Token, IdentityError> {
        if let Some((method, credential)) = self.chosen.get() {
            return fetch(credential, scope)
                .await
                .map_err(|reason| IdentityError { tried: vec![Attempt { method: *method, reason }] });
        }
        let mut tried = Vec::new();
        for method in self.settings.candidates() {
            let outcome = match self.settings.credential(method) {
                Ok(credential) => fetch(&credential, scope).await.map(|token| (credential, token)),
                Err(reason) => Err(reason),
            };
            match outcome {
                Ok((credential, token)) => {
                    // A concurrent first call may have chosen already; it chose the same.
                    let _ = self.chosen.set((method, credential));
                    return Ok(token);
                }
                Err(reason) => tried.push(Attempt { method, reason }),
            }
        }
        Err(IdentityError { tried })
    }
}

impl AuthSettings {
    /// The ways to try, in order.
    fn candidates(&self) -> Vec<AuthMethod> {
        if self.method != AuthMethod::Auto {
            return vec![self.method];
        }
        let application = self.tenant_id.is_some() && self.client_id.is_some();
        let mut methods = Vec::new();
        if application && self.service_connection_id.is_some() && self.system_access_token.is_some() {
            methods.push(AuthMethod::AzurePipelines);
        }
        if application && self.federated_token_file.is_some() {
            methods.push(AuthMethod::WorkloadIdentity);
        }
        if application && self.client_secret.is_some() {
            methods.push(AuthMethod::ClientSecret);
        }
        // Asking a machine that has none for its identity takes long to fail, so there must be a sign of one: an
        // announced endpoint, or the id of an identity with nothing else to use it by.
        let named = self.client_id.is_some() && methods.is_empty();
        if self.managed_identity_endpoint.is_some() || named {
            methods.push(AuthMethod::ManagedIdentity);
        }
        methods.push(AuthMethod::AzureCli);
        methods
    }

    fn credential(&self, method: AuthMethod) -> Result<Arc<dyn TokenCredential>, String> {
        let said = |error: azure_core::Error| error.to_string();
        Ok(match method {
            AuthMethod::Auto => return Err("auto is not a way of its own".into()),
            AuthMethod::AzurePipelines => {
                let options = AzurePipelinesCredentialOptions { credential_options: self.assertion() };
                AzurePipelinesCredential::new(
                    needed(self.tenant_id.clone(), "tenant id")?,
                    needed(self.client_id.clone(), "client id")?,
                    &needed(self.service_connection_id.clone(), "service connection id")?,
                    needed(self.system_access_token.clone(), "SYSTEM_ACCESSTOKEN")?,
                    Some(options),
                )
                .map_err(said)?
            }
            AuthMethod::WorkloadIdentity => {
                WorkloadIdentityCredential::new(Some(WorkloadIdentityCredentialOptions {
                    credential_options: self.assertion(),
                    client_id: Some(needed(self.client_id.clone(), "client id")?),
                    tenant_id: Some(needed(self.tenant_id.clone(), "tenant id")?),
                    token_file_path: Some(needed(self.federated_token_file.clone(), "federated token file")?),
                }))
                .map_err(said)?
            }
            AuthMethod::ManagedIdentity => {
                ManagedIdentityCredential::new(Some(ManagedIdentityCredentialOptions {
                    user_assigned_id: self.client_id.clone().map(UserAssignedId::ClientId),
                    client_options: self.client_options(),
                }))
                .map_err(said)?
            }
            AuthMethod::ClientSecret => ClientSecretCredential::new(
                &needed(self.tenant_id.clone(), "tenant id")?,
                needed(self.client_id.clone(), "client id")?,
                needed(self.client_secret.clone(), "client secret")?,
                Some(ClientSecretCredentialOptions { client_options: self.client_options() }),
            )
            .map_err(said)?,
            AuthMethod::AzureCli => AzureCliCredential::new(Some(AzureCliCredentialOptions {
                subscription: self.subscription.clone(),
                // The CLI takes a tenant or a subscription; the subscription implies its tenant.
                tenant_id: self.tenant_id.clone().filter(|_| self.subscription.is_none()),
                ..Default::default()
            }))
            .map_err(said)?,
        })
    }

    fn assertion(&self) -> ClientAssertionCredentialOptions {
        ClientAssertionCredentialOptions { client_options: self.client_options() }
    }

    fn client_options(&self) -> ClientOptions {
        let mut custom = CustomConfiguration::default();
        custom.authority_host = self.authority.clone().unwrap_or_else(|| self.cloud.authority().to_owned());
        ClientOptions { cloud: Some(Arc::new(CloudConfiguration::Custom(custom))), ..Default::default() }
    }
}

fn needed<T>(value: Option<T>, what: &str) -> Result<T, String> {
    value.ok_or_else(|| format!("no {what} given"))
}

async fn fetch(credential: &Arc<dyn TokenCredential>, scope: &str) -> Result<Token, String> {
    let token = credential.get_token(&[scope], None).await.map_err(|error| {
        // The first line says it; the rest is a link.
        error.to_string().lines().next().unwrap_or("no reason given").trim().to_owned()
    })?;
    let expires_at =
        u64::try_from(token.expires_on.unix_timestamp()).unwrap_or_default().saturating_mul(1000);
    Ok(Token::new(token.token.secret(), Timestamp(expires_at)))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn settings() -> AuthSettings {
        AuthSettings { tenant_id: Some("t".into()), client_id: Some("c".into()), ..AuthSettings::default() }
    }

    #[test]
    fn auto_tries_what_it_has_the_inputs_for() {
        use AuthMethod::{AzureCli, AzurePipelines, ClientSecret, ManagedIdentity, WorkloadIdentity};
        let everything = AuthSettings {
            client_secret: Some("s".into()),
            service_connection_id: Some("i".into()),
            system_access_token: Some("a".into()),
            federated_token_file: Some("f".into()),
            managed_identity_endpoint: Some("e".into()),
            ..settings()
        };
        let secret = AuthSettings { client_secret: Some("s".into()), ..settings() };
        let alone = AuthSettings { tenant_id: None, ..secret.clone() };
        let fixed = AuthSettings { method: ClientSecret, ..AuthSettings::default() };
        for (settings, expected) in [
            (AuthSettings::default(), vec![AzureCli]),
            (everything, vec![AzurePipelines, WorkloadIdentity, ClientSecret, ManagedIdentity, AzureCli]),
            (secret, vec![ClientSecret, AzureCli]),
            (settings(), vec![ManagedIdentity, AzureCli]),
            (alone, vec![ManagedIdentity, AzureCli]),
            (fixed, vec![ClientSecret]),
        ] {
            assert_eq!(settings.candidates(), expected);
        }
    }

    #[tokio::test]
    async fn the_error_says_what_was_tried_and_what_is_missing() {
        let identity =
            Identity::new(AuthSettings { method: AuthMethod::ClientSecret, tenant_id: None, ..settings() });
        let error = identity.token("https://management.azure.com/.default").await.unwrap_err();
        assert_eq!(error.to_string(), "could not sign in to Azure: client-secret (no tenant id given)");
        assert_eq!(identity.method(), None);
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

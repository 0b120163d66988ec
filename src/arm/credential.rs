//! azure_identity's credentials, one for each way of signing in.

use super::certificate::CertificateAssertion;
use super::endpoint::Endpoint;
use super::http::{HttpTransport, chain};
use super::identity::AuthSettings;
use super::sign_in::{Attempt, AuthMethod};
use super::token::Token;
use crate::host::{Clock, Timestamp};
use azure_core::cloud::{CloudConfiguration, CustomConfiguration};
use azure_core::credentials::TokenCredential;
use azure_core::http::{ClientOptions, ExponentialRetryOptions, RetryOptions, Transport};
use azure_identity::{
    AzureCliCredential, AzureCliCredentialOptions, AzurePipelinesCredential, AzurePipelinesCredentialOptions,
    ClientAssertionCredential, ClientAssertionCredentialOptions, ClientSecretCredential,
    ClientSecretCredentialOptions, ManagedIdentityCredential, ManagedIdentityCredentialOptions,
    UserAssignedId, WorkloadIdentityCredential, WorkloadIdentityCredentialOptions,
};
use std::sync::Arc;

/// How often a request to the authority is repeated: three times, within about two seconds.
const RETRIES: u32 = 3;

impl AuthSettings {
    /// The variables that a way of signing in needs and that are not set.
    pub(super) fn lacks(&self, method: AuthMethod) -> Vec<&'static str> {
        let tenant = ("AZURE_TENANT_ID", self.tenant_id.is_some());
        let client = ("AZURE_CLIENT_ID", self.client_id.is_some());
        let needs = match method {
            AuthMethod::AzurePipelines => vec![
                tenant,
                client,
                ("AZURESUBSCRIPTION_SERVICE_CONNECTION_ID", self.service_connection_id.is_some()),
                ("SYSTEM_ACCESSTOKEN", self.system_access_token.is_some()),
                ("SYSTEM_OIDCREQUESTURI", self.oidc_request_uri.is_some()),
            ],
            AuthMethod::WorkloadIdentity => {
                vec![tenant, client, ("AZURE_FEDERATED_TOKEN_FILE", self.federated_token_file.is_some())]
            }
            AuthMethod::ClientSecret => {
                vec![tenant, client, ("AZURE_CLIENT_SECRET", self.client_secret.is_some())]
            }
            AuthMethod::ClientCertificate => {
                vec![tenant, client, ("AZURE_CLIENT_CERTIFICATE_PATH", self.client_certificate.is_some())]
            }
            AuthMethod::Auto | AuthMethod::ManagedIdentity | AuthMethod::AzureCli => Vec::new(),
        };
        needs.into_iter().filter(|(_, set)| !set).map(|(name, _)| name).collect()
    }

    /// A credential that has asked nobody yet.
    ///
    /// One is made for every token: what azure_identity keeps of an old one must not stand in the way of a new one
    /// when Azure has refused it, and an assertion is not used twice.
    pub(super) fn credential(
        &self,
        method: AuthMethod,
        http: &HttpTransport,
    ) -> Result<Arc<dyn TokenCredential>, Attempt> {
        let failed = |reason: String| Attempt { method, reason };
        let lacks = self.lacks(method);
        if !lacks.is_empty() {
            let verb = if lacks.len() == 1 { "is" } else { "are" };
            return Err(failed(format!("{} {verb} not set", lacks.join(", "))));
        }
        let said = |error: azure_core::Error| failed(plain(&error));
        let text = |value: &Option<String>| value.clone().unwrap_or_default();
        let options = self.client_options(http);
        Ok(match method {
            AuthMethod::Auto => return Err(failed("auto is not a way of its own".to_owned())),
            AuthMethod::AzurePipelines => {
                let uri = text(&self.oidc_request_uri);
                if !Endpoint::new(&uri).protects_tokens() {
                    return Err(failed(format!(
                        "SYSTEM_OIDCREQUESTURI is {uri}, and the job's token travels by HTTPS only"
                    )));
                }
                let options = AzurePipelinesCredentialOptions { credential_options: assertion(options) };
                AzurePipelinesCredential::new(
                    text(&self.tenant_id),
                    text(&self.client_id),
                    &text(&self.service_connection_id),
                    self.system_access_token.clone().unwrap_or_else(|| "".into()),
                    Some(options),
                )
                .map_err(said)?
            }
            AuthMethod::WorkloadIdentity => {
                WorkloadIdentityCredential::new(Some(WorkloadIdentityCredentialOptions {
                    credential_options: assertion(options),
                    client_id: self.client_id.clone(),
                    tenant_id: self.tenant_id.clone(),
                    token_file_path: self.federated_token_file.clone(),
                }))
                .map_err(said)?
            }
            AuthMethod::ManagedIdentity => {
                ManagedIdentityCredential::new(Some(ManagedIdentityCredentialOptions {
                    user_assigned_id: self.client_id.clone().map(UserAssignedId::ClientId),
                    client_options: options,
                }))
                .map_err(said)?
            }
            AuthMethod::ClientSecret => ClientSecretCredential::new(
                &text(&self.tenant_id),
                text(&self.client_id),
                self.client_secret.clone().unwrap_or_else(|| "".into()),
                Some(ClientSecretCredentialOptions { client_options: options }),
            )
            .map_err(said)?,
            AuthMethod::ClientCertificate => {
                let (tenant, client) = (text(&self.tenant_id), text(&self.client_id));
                let certificate = CertificateAssertion {
                    path: self.client_certificate.clone().unwrap_or_default(),
                    client_id: client.clone(),
                    audience: format!("{}/{tenant}/oauth2/v2.0/token", self.authority()),
                    clock: Clock::start(1.0),
                };
                ClientAssertionCredential::new(tenant, client, certificate, Some(assertion(options)))
                    .map_err(said)?
            }
            AuthMethod::AzureCli => AzureCliCredential::new(Some(AzureCliCredentialOptions {
                subscription: self.subscription.clone(),
                // The CLI takes a tenant or a subscription; the subscription implies its tenant.
                tenant_id: self.tenant_id.clone().filter(|_| self.subscription.is_none()),
                ..Default::default()
            }))
            .map_err(said)?,
        })
    }

    /// Where to sign in, without a slash at its end.
    fn authority(&self) -> &str {
        self.authority.as_deref().unwrap_or_else(|| self.cloud.authority()).trim_end_matches('/')
    }

    fn client_options(&self, http: &HttpTransport) -> ClientOptions {
        let mut custom = CustomConfiguration::default();
        custom.authority_host = self.authority().to_owned();
        let retry = ExponentialRetryOptions { max_retries: RETRIES, ..Default::default() };
        ClientOptions {
            cloud: Some(Arc::new(CloudConfiguration::Custom(custom))),
            retry: RetryOptions::exponential(retry),
            transport: Some(Transport::new(http.client())),
            ..Default::default()
        }
    }
}

fn assertion(client_options: ClientOptions) -> ClientAssertionCredentialOptions {
    ClientAssertionCredentialOptions { client_options }
}

/// A token, from whoever gives it.
pub(super) async fn fetch(credential: &dyn TokenCredential, scope: &str) -> azure_core::Result<Token> {
    let token = credential.get_token(&[scope], None).await?;
    let expires_at =
        u64::try_from(token.expires_on.unix_timestamp()).unwrap_or_default().saturating_mul(1000);
    Ok(Token::new(token.token.secret(), Timestamp(expires_at)))
}

/// What an error says, in one line, without the names of types, links to guides, and Entra's ids.
pub(super) fn plain(error: &azure_core::Error) -> String {
    tracing::debug!(%error, "signing in");
    let mut text = chain(error);
    while let Some(start) = text.find("To troubleshoot, visit ") {
        let url = start + "To troubleshoot, visit ".len();
        let end = text[url..].find(char::is_whitespace).map_or(text.len(), |length| url + length);
        text.replace_range(start..end, "");
    }
    if let Some(at) = text.find("Trace ID: ") {
        text.truncate(at);
    }
    let text = text.split_whitespace().collect::<Vec<_>>().join(" ");
    let text = match text.split_once(" authentication failed. ") {
        Some((name, rest)) if name.ends_with("Credential") && !name.contains(' ') => rest,
        _ => &text,
    };
    let text = text
        .replace("retry policy expired and the request will no longer be retried", "")
        .replace("failed to execute `reqwest` request", "");
    let text = match text.split_once("error sending request for url (") {
        Some((_, rest)) => format!("no answer from {}", rest.replacen(')', "", 1)),
        None => text,
    };
    match text.trim().trim_end_matches(':') {
        "" => "no reason given".to_owned(),
        text => text.to_owned(),
    }
}

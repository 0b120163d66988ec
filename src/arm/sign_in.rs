//! The ways of signing in, and why none of them worked.

use std::fmt;
use std::str::FromStr;

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
    /// A service principal with a certificate.
    ClientCertificate,
    /// Whoever is signed in to the Azure CLI.
    AzureCli,
}

impl AuthMethod {
    /// Every method.
    pub const ALL: [AuthMethod; 7] = [
        AuthMethod::Auto,
        AuthMethod::AzurePipelines,
        AuthMethod::WorkloadIdentity,
        AuthMethod::ClientSecret,
        AuthMethod::ClientCertificate,
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
            AuthMethod::ClientCertificate => "client-certificate",
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

/// Why a way of signing in did not work.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Attempt {
    /// The way.
    pub method: AuthMethod,
    /// Why it did not work.
    pub reason: String,
}

/// No way of signing in worked.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct IdentityError {
    /// What was tried, in order.
    pub tried: Vec<Attempt>,
    /// What was not tried, for want of what it needs.
    pub skipped: Vec<Attempt>,
}

impl fmt::Display for IdentityError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let ([only], []) = (self.tried.as_slice(), self.skipped.as_slice()) {
            return write!(f, "could not sign in to Azure with {}: {}", only.method, only.reason);
        }
        f.write_str("could not sign in to Azure; tried, in this order:")?;
        for attempt in &self.tried {
            write!(f, "\n  {}: {}", attempt.method, attempt.reason)?;
        }
        if !self.skipped.is_empty() {
            f.write_str("\nnot tried, because something is missing:")?;
        }
        for attempt in &self.skipped {
            write!(f, "\n  {}: {}", attempt.method, attempt.reason)?;
        }
        Ok(())
    }
}

impl std::error::Error for IdentityError {}

impl IdentityError {
    /// The next step, in the imperative.
    pub fn hint(&self) -> String {
        let known = self.tried.iter().find_map(|attempt| super::advice::signing_in(&attempt.reason));
        known.unwrap_or_else(|| match self.tried.as_slice() {
            [only] if only.reason.ends_with(" not set") => {
                format!("set it, or choose another way to sign in than `--auth {}`", only.method)
            }
            _ => "give one of these ways what it needs, or choose one with `--auth` to see only its error"
                .to_owned(),
        })
    }
}

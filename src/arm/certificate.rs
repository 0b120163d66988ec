//! A service principal's certificate: assertions signed with its key.
//!
//! The form is Entra's "certificate credentials": a JWT signed with PS256 whose `x5t#S256` is the thumbprint.
//! <https://learn.microsoft.com/entra/identity-platform/certificate-credentials>

use crate::host::Clock;
use async_trait::async_trait;
use azure_core::base64::encode_url_safe;
use azure_core::error::ErrorKind;
use azure_core::http::ClientMethodOptions;
use azure_identity::ClientAssertion;
use serde_json::json;
use sha2::{Digest, Sha256};
use std::path::PathBuf;
use tokio_rustls::rustls::SignatureScheme;
use tokio_rustls::rustls::crypto::ring;
use tokio_rustls::rustls::pki_types::pem::PemObject;
use tokio_rustls::rustls::pki_types::{CertificateDer, PrivateKeyDer};
use uuid::Uuid;

/// How long an assertion is good, in seconds: it is used at once.
const LIFETIME: u64 = 600;

/// Makes assertions from a PEM file with a certificate and its private key, which is read each time: files of this
/// sort are renewed.
#[derive(Debug)]
pub(super) struct CertificateAssertion {
    pub(super) path: PathBuf,
    pub(super) client_id: String,
    /// The token endpoint that the assertion is meant for.
    pub(super) audience: String,
    pub(super) clock: Clock,
}

#[async_trait]
impl ClientAssertion for CertificateAssertion {
    async fn secret(&self, _options: Option<ClientMethodOptions<'_>>) -> azure_core::Result<String> {
        self.make()
    }
}

impl CertificateAssertion {
    /// What is wrong with the file.
    fn wrong(&self, why: &dyn std::fmt::Display) -> azure_core::Error {
        azure_core::Error::with_message(ErrorKind::Credential, format!("{}: {why}", self.path.display()))
    }

    fn make(&self) -> azure_core::Result<String> {
        let (certificate, key) = self.read()?;
        let key = ring::sign::any_supported_type(&key).map_err(|error| self.wrong(&error))?;
        let signer = key.choose_scheme(&[SignatureScheme::RSA_PSS_SHA256]).ok_or_else(|| {
            self.wrong(&"Entra takes certificates with RSA keys only, and this key is of another sort")
        })?;
        let now = self.clock.now().seconds();
        let thumbprint = encode_url_safe(Sha256::digest(&certificate));
        let header = json!({"alg": "PS256", "typ": "JWT", "x5t#S256": thumbprint});
        let claims = json!({
            "aud": self.audience,
            "iss": self.client_id,
            "sub": self.client_id,
            "jti": Uuid::new_v4().to_string(),
            "nbf": now,
            "iat": now,
            "exp": now + LIFETIME,
        });
        let signed =
            format!("{}.{}", encode_url_safe(header.to_string()), encode_url_safe(claims.to_string()));
        let signature = signer.sign(signed.as_bytes()).map_err(|error| self.wrong(&error))?;
        Ok(format!("{signed}.{}", encode_url_safe(signature)))
    }

    /// The first certificate and the private key of the PEM file.
    fn read(&self) -> azure_core::Result<(CertificateDer<'static>, PrivateKeyDer<'static>)> {
        let bytes = std::fs::read(&self.path).map_err(|error| self.wrong(&error))?;
        let text = String::from_utf8_lossy(&bytes);
        if !text.contains("-----BEGIN ") {
            return Err(self.wrong(&format_args!(
                "this is not a PEM file; a .pfx becomes one with `openssl pkcs12 -in {} -out certificate.pem -nodes`",
                self.path.display()
            )));
        }
        if text.contains("-----BEGIN ENCRYPTED PRIVATE KEY-----") {
            return Err(self.wrong(&"its key is encrypted; `openssl pkey` writes it without a password"));
        }
        let certificate = CertificateDer::from_pem_slice(&bytes)
            .map_err(|_| self.wrong(&"there is no certificate in it"))?;
        let key = PrivateKeyDer::from_pem_slice(&bytes)
            .map_err(|_| self.wrong(&"there is no private key in it"))?;
        Ok((certificate, key))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::host::Timestamp;
    use azure_core::base64::decode_url_safe;
    use rcgen::{CertificateParams, KeyPair};
    use serde_json::Value;

    fn assertion(pem: &str) -> (tempfile::TempDir, CertificateAssertion) {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("sp.pem");
        crate::host::files::write_atomic(&path, pem.as_bytes()).unwrap();
        let (client_id, audience) = ("app".to_owned(), "https://login/t/oauth2/v2.0/token".to_owned());
        let clock = Clock::start_at(Timestamp(1_000_000), 1.0);
        (folder, CertificateAssertion { path, client_id, audience, clock })
    }

    #[tokio::test(start_paused = true)]
    async fn assertions_are_signed_as_entra_wants_them() {
        let key = KeyPair::from_pem(include_str!("../../tests/support/rsa.pem")).unwrap();
        let certificate = CertificateParams::new(vec!["sp".to_owned()]).unwrap().self_signed(&key).unwrap();
        let (_folder, assertion) = assertion(&format!("{}{}", key.serialize_pem(), certificate.pem()));
        let token = assertion.secret(None).await.unwrap();
        let parts: Vec<&str> = token.split('.').collect();
        let json = |part: &str| -> Value { serde_json::from_slice(&decode_url_safe(part).unwrap()).unwrap() };
        let (header, claims) = (json(parts[0]), json(parts[1]));
        assert_eq!(header["alg"], "PS256");
        assert_eq!(header["x5t#S256"], encode_url_safe(Sha256::digest(certificate.der())));
        assert_eq!((&claims["iss"], &claims["sub"]), (&json!("app"), &json!("app")));
        assert_eq!(claims["aud"], "https://login/t/oauth2/v2.0/token");
        assert_eq!((&claims["nbf"], &claims["exp"]), (&json!(1000), &json!(1600)));
        let algorithms = ring::default_provider().signature_verification_algorithms;
        let found = algorithms.mapping.iter().find(|(s, _)| *s == SignatureScheme::RSA_PSS_SHA256);
        let signed = format!("{}.{}", parts[0], parts[1]);
        let signature = decode_url_safe(parts[2]).unwrap();
        found.unwrap().1[0].verify_signature(key.public_key_raw(), signed.as_bytes(), &signature).unwrap();
    }

    #[tokio::test(start_paused = true)]
    async fn files_that_will_not_do_are_told_apart() {
        let curve = KeyPair::generate().unwrap();
        let certificate = CertificateParams::new(vec!["sp".to_owned()]).unwrap().self_signed(&curve).unwrap();
        for (pem, said) in [
            ("\u{30}\u{82}".to_owned(), "openssl pkcs12"),
            (certificate.pem(), "no private key"),
            (curve.serialize_pem(), "no certificate"),
            (format!("{}{}", curve.serialize_pem(), certificate.pem()), "RSA keys only"),
            ("-----BEGIN ENCRYPTED PRIVATE KEY-----".to_owned(), "encrypted"),
        ] {
            let (_folder, assertion) = assertion(&pem);
            let error = assertion.secret(None).await.unwrap_err().to_string();
            assert!(error.contains(said) && error.contains("sp.pem"), "{error}");
        }
    }
}

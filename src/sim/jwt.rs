//! JSON web tokens, as far as a directory needs them.

use base64::Engine as _;
use base64::prelude::BASE64_URL_SAFE_NO_PAD;
use ring::rand::SystemRandom;
use ring::signature::{ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair, KeyPair as _};
use serde_json::{Value, json};
use sha2::{Digest, Sha256};
use std::sync::OnceLock;

/// A key that signs tokens, made when it is first needed.
///
/// It is an elliptic curve's, ES256, where Azure's directory has RSA keys and RS256: a key of that kind is made in no
/// time, and whoever checks tokens takes key and algorithm from what the directory publishes.
#[derive(Default)]
pub(crate) struct SigningKey(OnceLock<Option<EcdsaKeyPair>>);

impl std::fmt::Debug for SigningKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("SigningKey")
    }
}

impl SigningKey {
    fn pair(&self) -> Option<&EcdsaKeyPair> {
        // Without randomness there is no key; tokens then go unsigned, which no client of Azure's checks.
        self.0.get_or_init(generate).as_ref()
    }

    /// The public key: a point, uncompressed (SEC 1, 2.3.3), that is 4 and two numbers of 32 bytes.
    fn public(&self) -> &[u8] {
        self.pair().map(|pair| pair.public_key().as_ref()).unwrap_or_default()
    }

    fn id(&self) -> String {
        BASE64_URL_SAFE_NO_PAD.encode(&Sha256::digest(self.public())[..20])
    }

    /// A token with these claims.
    pub(crate) fn sign(&self, claims: &Value) -> String {
        let algorithm = if self.pair().is_some() { ALGORITHM } else { "none" };
        let header = json!({"typ": "JWT", "alg": algorithm, "x5t": self.id(), "kid": self.id()});
        let signed = format!(
            "{}.{}",
            BASE64_URL_SAFE_NO_PAD.encode(header.to_string()),
            BASE64_URL_SAFE_NO_PAD.encode(claims.to_string())
        );
        let signature = self.pair().and_then(|pair| pair.sign(&SystemRandom::new(), signed.as_bytes()).ok());
        let signature = signature.as_ref().map(AsRef::as_ref).unwrap_or_default();
        format!("{signed}.{}", BASE64_URL_SAFE_NO_PAD.encode(signature))
    }

    /// The public half, as key sets list it (RFC 7518, 6.2).
    pub(super) fn jwk(&self) -> Value {
        let (x, y) = self.public().split_at_checked(33).unwrap_or_default();
        json!({
            "kty": "EC",
            "crv": "P-256",
            "use": "sig",
            "kid": self.id(),
            "x5t": self.id(),
            "x": BASE64_URL_SAFE_NO_PAD.encode(x.get(1..).unwrap_or_default()),
            "y": BASE64_URL_SAFE_NO_PAD.encode(y),
        })
    }
}

/// How tokens are signed, in the words of RFC 7518.
pub(super) const ALGORITHM: &str = "ES256";

fn generate() -> Option<EcdsaKeyPair> {
    let random = SystemRandom::new();
    let key = EcdsaKeyPair::generate_pkcs8(&ECDSA_P256_SHA256_FIXED_SIGNING, &random).ok()?;
    EcdsaKeyPair::from_pkcs8(&ECDSA_P256_SHA256_FIXED_SIGNING, key.as_ref(), &random).ok()
}

/// The claims of a token; its signature is not looked at, so that tokens outlive a restart of the simulator.
pub(crate) fn claims(token: &str) -> Option<Value> {
    let mut parts = token.split('.');
    let (_, payload, _) = (parts.next()?, parts.next()?, parts.next()?);
    let bytes = BASE64_URL_SAFE_NO_PAD.decode(payload.trim_end_matches('=')).ok()?;
    let claims: Value = serde_json::from_slice(&bytes).ok()?;
    claims.is_object().then_some(claims)
}

#[cfg(test)]
mod tests {
    use super::*;
    use ring::signature::{ECDSA_P256_SHA256_FIXED, UnparsedPublicKey};

    #[test]
    fn what_is_signed_can_be_verified_with_the_key_that_is_published() {
        let key = SigningKey::default();
        let token = key.sign(&json!({"a": "ü"}));
        assert_eq!(claims(&token), Some(json!({"a": "ü"})));
        let (signed, signature) = token.rsplit_once('.').unwrap();
        let jwk = key.jwk();
        let number = |name: &str| BASE64_URL_SAFE_NO_PAD.decode(jwk[name].as_str().unwrap()).unwrap();
        let public = [vec![4], number("x"), number("y")].concat();
        UnparsedPublicKey::new(&ECDSA_P256_SHA256_FIXED, public)
            .verify(signed.as_bytes(), &BASE64_URL_SAFE_NO_PAD.decode(signature).unwrap())
            .unwrap();
    }

    #[test]
    fn what_is_no_token_has_no_claims() {
        for text in ["", "simulator", "a.b", "a.!.c", "a.bnVsbA.c"] {
            assert_eq!(claims(text), None, "{text}");
        }
    }
}

//! JSON web tokens, as far as a directory needs them.

use azure_core::base64::{decode_url_safe, encode_url_safe};
use rcgen::{KeyPair, PublicKeyData, RsaKeySize, SigningKey as _};
use serde_json::{Value, json};
use sha2::{Digest, Sha256};
use std::sync::OnceLock;

/// A key that signs tokens, made when it is first needed.
#[derive(Default)]
pub(super) struct SigningKey(OnceLock<Option<KeyPair>>);

impl std::fmt::Debug for SigningKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("SigningKey")
    }
}

impl SigningKey {
    fn pair(&self) -> Option<&KeyPair> {
        // Without randomness there is no key; tokens then go unsigned, which no client of Azure's checks.
        let make = || KeyPair::generate_rsa_for(&rcgen::PKCS_RSA_SHA256, RsaKeySize::_2048).ok();
        self.0.get_or_init(make).as_ref()
    }

    fn id(&self) -> String {
        let digest = self.pair().map(|pair| Sha256::digest(pair.der_bytes())).unwrap_or_default();
        encode_url_safe(&digest[..20])
    }

    /// A token with these claims.
    pub(super) fn sign(&self, claims: &Value) -> String {
        let algorithm = if self.pair().is_some() { "RS256" } else { "none" };
        let header = json!({"typ": "JWT", "alg": algorithm, "x5t": self.id(), "kid": self.id()});
        let signed =
            format!("{}.{}", encode_url_safe(header.to_string()), encode_url_safe(claims.to_string()));
        let signature = self.pair().and_then(|pair| pair.sign(signed.as_bytes()).ok()).unwrap_or_default();
        format!("{signed}.{}", encode_url_safe(signature))
    }

    /// The public half, as key sets list it.
    pub(super) fn jwk(&self) -> Value {
        let key = self.pair().map(KeyPair::public_key_raw).unwrap_or_default();
        let (modulus, exponent) = rsa_numbers(key).unwrap_or_default();
        json!({
            "kty": "RSA",
            "use": "sig",
            "kid": self.id(),
            "x5t": self.id(),
            "n": encode_url_safe(modulus),
            "e": encode_url_safe(exponent),
        })
    }
}

/// Modulus and exponent of an RSA public key (RFC 8017, A.1.1: a sequence of two integers, in DER).
fn rsa_numbers(key: &[u8]) -> Option<(&[u8], &[u8])> {
    let (sequence, _) = der(key, 0x30)?;
    let (modulus, rest) = der(sequence, 0x02)?;
    let (exponent, _) = der(rest, 0x02)?;
    // A leading zero says that the number is positive; key sets do not want it.
    Some((modulus.strip_prefix(&[0]).unwrap_or(modulus), exponent))
}

/// The content of an element, and what follows it.
fn der(bytes: &[u8], tag: u8) -> Option<(&[u8], &[u8])> {
    let (&found, rest) = bytes.split_first()?;
    let (&first, rest) = rest.split_first()?;
    let (length, rest) = match first {
        0..=0x7f => (usize::from(first), rest),
        0x81..=0x84 => {
            let (digits, rest) = rest.split_at_checked(usize::from(first & 0x7f))?;
            (digits.iter().fold(0, |sum, digit| sum << 8 | usize::from(*digit)), rest)
        }
        _ => return None,
    };
    (found == tag).then(|| rest.split_at_checked(length)).flatten()
}

/// The claims of a token; its signature is not looked at, so that tokens outlive a restart of the simulator.
pub(super) fn claims(token: &str) -> Option<Value> {
    let mut parts = token.split('.');
    let (_, payload, _) = (parts.next()?, parts.next()?, parts.next()?);
    let bytes = decode_url_safe(payload.trim_end_matches('=')).ok()?;
    let claims: Value = serde_json::from_slice(&bytes).ok()?;
    claims.is_object().then_some(claims)
}

#[cfg(test)]
mod tests {
    use super::*;
    use tokio_rustls::rustls::SignatureScheme;
    use tokio_rustls::rustls::crypto::aws_lc_rs;

    #[test]
    fn what_is_signed_can_be_verified_with_the_key_that_is_published() {
        let key = SigningKey::default();
        let token = key.sign(&json!({"a": "ü"}));
        assert_eq!(claims(&token), Some(json!({"a": "ü"})));
        let (signed, signature) = token.rsplit_once('.').unwrap();
        let algorithms = aws_lc_rs::default_provider().signature_verification_algorithms;
        let (_, algorithms) = algorithms
            .mapping
            .iter()
            .find(|(scheme, _)| *scheme == SignatureScheme::RSA_PKCS1_SHA256)
            .unwrap();
        let signature = decode_url_safe(signature).unwrap();
        let public = key.pair().unwrap().public_key_raw();
        algorithms[0].verify_signature(public, signed.as_bytes(), &signature).unwrap();
        let jwk = key.jwk();
        let number = |name: &str| decode_url_safe(jwk[name].as_str().unwrap()).unwrap();
        assert_eq!((number("n").len(), number("e")), (256, vec![1, 0, 1]));
        let n = number("n");
        assert!(public.windows(n.len()).any(|window| window == n));
    }

    #[test]
    fn what_is_no_token_has_no_claims() {
        for text in ["", "simulator", "a.b", "a.!.c", "a.bnVsbA.c"] {
            assert_eq!(claims(text), None, "{text}");
        }
    }
}

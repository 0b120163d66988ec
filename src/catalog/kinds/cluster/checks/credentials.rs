//! Secrets in clear text, and identities of which more than an id is needed.

use crate::catalog::kinds::key_vault_secret::SECRET_IN_CLEAR;
use crate::catalog::{EntryCx, Problem, Reference};
use crate::diag::Code;
use crate::value::token::has_token;

/// Reports a password, key or token that is in the blueprint as it is.
pub(super) fn secret(path: String, text: Option<&str>, what: &str, cx: &mut EntryCx<'_>) {
    if text.is_some_and(|text| !has_token(text)) {
        let message = format!("a {what} is in the blueprint in clear text");
        let field = path.rsplit('.').next().unwrap_or_default();
        let help = format!(
            "declare `{field}: {{ type: string, secret: true }}` under `parameters` and write `${{param.{field}}}` here"
        );
        cx.problem(Problem::error(&SECRET_IN_CLEAR, path, message).help(help));
    }
}

pub(super) const IDENTITY_REFERENCE: Code = Code {
    name: "identity-reference",
    why: "Where Azure asks for an identity's client and object id too, its resource id is not enough.",
    remedy: "Declare the identity in the blueprint and refer to it.",
    example: "kubeletIdentity: ${identities.kubelet}",
};

/// Reports an identity of which more than the id is needed, when only its id was written.
pub(super) fn identity(path: String, reference: &Reference, cx: &mut EntryCx<'_>) {
    if !has_token(&reference.0) {
        cx.problem(
            Problem::error(
                &IDENTITY_REFERENCE,
                path,
                "Azure asks for this identity's client and object id as well",
            )
            .help("declare the identity under `identities` and write `${identities.…}` here"),
        );
    }
}

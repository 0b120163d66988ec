//! A cross check of the password of Windows nodes, whose value no other check can see.

use crate::catalog::{CheckContext, Problem};
use crate::diag::Code;

/// Passwords that Windows does not take, whatever they are made of
/// (<https://learn.microsoft.com/azure/templates/microsoft.containerservice/managedclusters>, `adminPassword`).
const KNOWN: &[&str] = &[
    "abc@123",
    "P@$$w0rd",
    "P@ssw0rd",
    "P@ssword123",
    "Pa$$word",
    "pass@word1",
    "Password!",
    "Password1",
    "Password22",
    "iloveyou!",
];

/// Whether Azure takes a password: 8 to 123 characters of three kinds out of four, and no well-known one.
fn is_strong(password: &str) -> bool {
    let has = |kind: fn(&char) -> bool| usize::from(password.chars().any(|c| kind(&c)));
    let kinds = has(char::is_ascii_lowercase)
        + has(char::is_ascii_uppercase)
        + has(char::is_ascii_digit)
        + has(|c| !c.is_ascii_alphanumeric());
    (8..=123).contains(&password.chars().count()) && kinds >= 3 && !KNOWN.contains(&password)
}

/// The diagnostics of this file.
pub(super) const CODES: &[&Code] = &[&WINDOWS_PASSWORD];

const WINDOWS_PASSWORD: Code = Code {
    name: "windows-password",
    why: "Windows refuses passwords that are simple, short, very long or well known, and says so only after the nodes were made.",
    remedy: "Use 8 to 123 characters of three kinds: small letters, capitals, digits, other characters.",
    example: "windows: { adminUsername: azureuser, adminPassword: \"${param.adminPassword}\" }",
};

/// Reports a password that Azure would refuse; its value is never part of what is said.
pub(super) fn cross_check(around: &CheckContext<'_>, problems: &mut Vec<Problem>) {
    if around.secret_fails("/properties/windowsProfile/adminPassword", is_strong) {
        problems.push(
            Problem::error(
                &WINDOWS_PASSWORD,
                "windows.adminPassword",
                "Windows does not take this password: it is too simple, too short, too long or well known",
            )
            .help(
                "use 8 to 123 characters of three of these kinds: small letters, capital letters, digits, others; \
                 14 or more are recommended",
            ),
        );
    }
}

#[cfg(test)]
mod tests {
    use super::is_strong;

    #[test]
    fn passwords_are_judged_as_azure_does() {
        for (password, strong) in [
            ("Abcdef12", true),
            ("abcdef1!", true),
            ("ABCDEF1_", true),
            ("Abcdef1", false),
            ("abcdefgh1", false),
            ("abcdefgh", false),
            ("P@ssw0rd", false),
            ("Password22", false),
        ] {
            assert_eq!(is_strong(password), strong, "{password}");
        }
        assert!(is_strong(&format!("A1{}", "a".repeat(121))));
        assert!(!is_strong(&format!("A1{}", "a".repeat(122))));
    }
}

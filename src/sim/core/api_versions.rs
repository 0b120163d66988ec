//! Which API versions Azure has for a type.
//!
//! `api_versions.txt` has them as the official type definitions list them (Azure/bicep-types-az, 20 August 2026), with those
//! that Microsoft's SDKs and recorded clients sent besides: for each namespace a line with its versions, and below it, for
//! the namespaces that are modelled, which of them its types have, by position. Types that are only read are from Microsoft's
//! SDKs; they have every version of their namespace.

use super::error::Failure;
use super::path::ResourcePath;
use std::collections::{HashMap, HashSet};
use std::sync::OnceLock;

const TABLE: &str = include_str!("api_versions.txt");

/// The table may lack versions dated from here: the definitions are published some time after a version is.
const UNCERTAIN_FROM: &str = "2026";

/// No version is dated from here: Azure dates none far ahead.
const UNCERTAIN_TO: &str = "2028";

#[derive(Debug, Default)]
struct Versions {
    /// Those of each namespace, in the order of their dates.
    namespaces: HashMap<&'static str, Vec<&'static str>>,
    /// Those of which every type is known.
    modelled: HashSet<&'static str>,
    /// Those of each type.
    types: HashMap<String, Vec<&'static str>>,
}

fn versions() -> &'static Versions {
    static VERSIONS: OnceLock<Versions> = OnceLock::new();
    VERSIONS.get_or_init(|| {
        let mut all = Versions::default();
        let (mut namespace, mut list) = ("", Vec::new());
        for line in TABLE.lines() {
            let mut words = line.split(' ');
            match words.next().unwrap_or_default() {
                "" => {
                    let own: Vec<&'static str> = words
                        .next()
                        .unwrap_or_default()
                        .split(',')
                        .flat_map(|run| some(&list, run))
                        .collect();
                    all.modelled.insert(namespace);
                    all.types.extend(words.map(|kind| (format!("{namespace}/{kind}"), own.clone())));
                }
                name => {
                    (namespace, list) = (name, words.collect());
                    all.namespaces.insert(namespace, list.clone());
                }
            }
        }
        all
    })
}

/// Of a list what `3` or `3-7` names.
fn some(list: &[&'static str], run: &str) -> Vec<&'static str> {
    let (from, to) = run.split_once('-').unwrap_or((run, run));
    let at = |text: &str| text.parse::<usize>().unwrap_or(usize::MAX);
    list.get(at(from)..=at(to)).unwrap_or_default().to_vec()
}

/// Whether a text is a date that there is, with a word such as `-preview` behind it or none.
pub(crate) fn is_well_formed(version: &str) -> bool {
    let Some((date, tail)) = version.split_at_checked(10) else { return false };
    let mut parts = date.split('-');
    let mut number = |digits: usize| {
        let part =
            parts.next().filter(|part| part.len() == digits && part.bytes().all(|b| b.is_ascii_digit()));
        part.and_then(|part| part.parse::<u32>().ok())
    };
    let (Some(year), Some(month), Some(day)) = (number(4), number(2), number(2)) else { return false };
    let days = match month {
        2 if year % 4 == 0 => 29,
        2 => 28,
        4 | 6 | 9 | 11 => 30,
        1..=12 => 31,
        _ => 0,
    };
    let word = tail.strip_prefix('-');
    let is_word =
        |word: &str| !word.is_empty() && word.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'.');
    (1..=days).contains(&day) && (tail.is_empty() || word.is_some_and(is_word))
}

/// The versions of a type, newest first; those of its namespace when the type is not listed.
pub(crate) fn of(kind: &str) -> Option<impl Iterator<Item = &'static str>> {
    let all = versions();
    let kind = kind.to_ascii_lowercase();
    let namespace = kind.split('/').next().unwrap_or_default();
    let known = all.types.get(&kind).or_else(|| all.namespaces.get(namespace))?;
    Some(known.iter().rev().copied())
}

/// The newest API version of what a path names, a resource or a list: for clients that have none of their own.
pub fn newest_api_version(path: &str) -> Option<&'static str> {
    of(&ResourcePath::parse(path)?.kind())?.next()
}

/// Whether the types of a namespace are known, and this is not one of them.
pub(crate) fn is_unknown_type(kind: &str) -> bool {
    let all = versions();
    let namespace = kind.split('/').next().unwrap_or_default();
    !all.types.contains_key(kind) && all.modelled.contains(namespace)
}

/// Refuses a version that Azure does not have for a type. What is later than all that are known may be newer than the table.
pub(crate) fn check(kind: &str, version: &str, location: &str) -> Result<(), Failure> {
    let all = versions();
    let namespace = kind.split('/').next().unwrap_or_default();
    let known = all.types.get(kind).or_else(|| all.namespaces.get(namespace));
    let Some(known) = known else { return Ok(()) };
    let is_newer =
        known.last().is_none_or(|last| version > *last) && (UNCERTAIN_FROM..UNCERTAIN_TO).contains(&version);
    if is_newer || known.iter().any(|one| one.eq_ignore_ascii_case(version)) {
        return Ok(());
    }
    let kind = kind.split_once('/').map_or(kind, |(_, kind)| kind);
    let known: Vec<&str> = known.iter().rev().copied().collect();
    let message = format!(
        "No registered resource provider found for location '{location}' and API version '{version}' for type '{kind}'. \
         The supported api-versions are '{}'.",
        known.join(", ")
    );
    Err(Failure::bad("NoRegisteredProviderFound", message))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions_are_dates_that_there_are() {
        for (version, good) in [
            ("2025-05-01", true),
            ("2024-02-29", true),
            ("2025-05-01-preview", true),
            ("2025-05-01-alpha.1", true),
            ("2025-02-29", false),
            ("2025-13-01", false),
            ("2025-00-10", false),
            ("2025-05-00", false),
            ("2025-05-01-", false),
            ("2025-05-01preview", false),
            ("2025-05-01-a b", false),
            ("25-05-01", false),
            ("latest", false),
            ("", false),
            ("20250501xx", false),
            ("2025-05-é", false),
        ] {
            assert_eq!(is_well_formed(version), good, "{version}");
        }
    }

    #[test]
    fn a_type_has_some_versions_and_others_not() {
        for (kind, version, known) in [
            ("microsoft.network/privatednszones", "2024-06-01", true),
            ("microsoft.network/privatednszones", "2018-09-01", true),
            // One of the namespace's other types.
            ("microsoft.network/privatednszones", "2023-09-01", false),
            ("microsoft.network/virtualnetworks", "2023-09-01", true),
            ("microsoft.network/virtualnetworks", "2023-09-02", false),
            ("microsoft.keyvault/vaults", "2014-01-01", false),
            // Newer than what the type has, and old enough to be known.
            ("microsoft.network/privatednszones", "2025-05-01", false),
            // Newer than the table, perhaps; and not in this century's first quarter.
            ("microsoft.keyvault/vaults", "2027-02-01", true),
            ("microsoft.keyvault/vaults", "2099-01-01", false),
            // A type that the definitions do not list has any of its namespace.
            ("microsoft.keyvault/deletedvaults", "2023-07-01", true),
            ("microsoft.keyvault/deletedvaults", "2023-07-02", false),
            ("contoso.own/things", "2001-01-01", true),
        ] {
            assert_eq!(check(kind, version, "").is_ok(), known, "{kind} {version}");
        }
        let told = check("microsoft.keyvault/vaults", "2023-07-02", "westeurope").unwrap_err().message;
        assert!(
            told.contains("API version '2023-07-02' for type 'vaults'") && told.contains("2026-02-01"),
            "{told}"
        );
    }
}

//! The operations that Azure has, and which of them a request is.

use berth::arm::transport::{Headers, Method, path_and_query};
use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

/// An operation of a published client.
#[derive(Debug)]
struct Operation {
    /// `{…}` stands for any text.
    segments: Vec<String>,
    version: String,
    query: Vec<String>,
    headers: Vec<String>,
    statuses: Vec<u16>,
}

/// All of them, by method and by the namespace of what they are about.
#[derive(Debug, Default)]
pub struct Operations {
    all: BTreeMap<(&'static str, String), Vec<Operation>>,
    /// Namespaces and versions that have an official schema. The clients of some are of another version.
    described: BTreeSet<(String, String)>,
    /// The types whose connections are known from a table of their own, in lower case, and the versions that it has. The
    /// clients of some have other types of the provider only.
    connected: BTreeMap<String, Vec<String>>,
}

/// Headers of every request, which the table does not name.
const ALWAYS: &[&str] = &[
    "accept",
    "authorization",
    "content-length",
    "content-type",
    "user-agent",
    "x-ms-client-request-id",
    "x-ms-correlation-request-id",
];

impl Operations {
    /// Reads the table that the facts have.
    pub fn read(facts: &Path) -> Self {
        let path = facts.join("operations.tsv");
        let text = std::fs::read_to_string(&path).unwrap_or_else(|e| panic!("{}: {e}", path.display()));
        let mut all = Operations::default();
        for line in text.lines().skip(1) {
            let columns: Vec<&str> = line.split('\t').collect();
            let [url, method, version, query, headers, statuses, ..] = columns[..] else {
                panic!("{}: {line}", path.display())
            };
            let list =
                |text: &str| text.split(',').filter(|one| !one.is_empty()).map(str::to_owned).collect();
            let segments: Vec<String> = segments(url).map(str::to_owned).collect();
            // Without a word or a version of its own it is every operation, and says nothing.
            if segments.len() == 1 && is_variable(&segments[0]) || url == "{nextLink}" || version.is_empty() {
                continue;
            }
            let method = Method::parse(method).unwrap_or_else(|| panic!("{line}"));
            let key = (method.as_str(), namespace(segments.iter().map(String::as_str)));
            all.all.entry(key).or_default().push(Operation {
                segments,
                version: version.to_owned(),
                query: list(query),
                headers: list(headers),
                statuses: statuses.split(',').map(|status| status.parse().unwrap()).collect(),
            });
        }
        assert!(!all.all.is_empty(), "{} is empty", path.display());
        for version in std::fs::read_dir(facts.join("schemas")).unwrap().map(|one| one.unwrap().path()) {
            for file in std::fs::read_dir(&version).into_iter().flatten().map(|one| one.unwrap().path()) {
                let name = file.file_stem().unwrap().to_string_lossy().to_ascii_lowercase();
                let namespace = name.split('.').take(2).collect::<Vec<_>>().join(".");
                let version = version.file_name().unwrap().to_string_lossy().into_owned();
                all.described.insert((namespace, version));
            }
        }
        let path = facts.join("private-link-types.tsv");
        let text = std::fs::read_to_string(&path).unwrap_or_else(|e| panic!("{}: {e}", path.display()));
        for line in text.lines().skip(1) {
            let mut columns = line.split('\t').map(str::to_owned);
            let arm_type = columns.next().unwrap().to_ascii_lowercase();
            all.connected.insert(arm_type, columns.take(2).collect());
        }
        all
    }

    /// What of a request and its answer is no operation of Azure's.
    pub fn faults(&self, method: Method, url: &str, headers: &Headers, status: u16) -> Vec<String> {
        let (path, query) = path_and_query(url).split_once('?').unwrap_or((path_and_query(url), ""));
        let asked: Vec<&str> = segments(path).collect();
        let of = |namespace: String| self.all.get(&(method.as_str(), namespace)).into_iter().flatten();
        let own = namespace(asked.iter().copied());
        let fitting = of(own.clone()).chain(of(String::new()).filter(|_| !own.is_empty())).filter(|one| {
            let wanted: Vec<&str> = one.segments.iter().map(String::as_str).collect();
            fits(&wanted, &asked, true)
        });
        if !own.is_empty() && !self.has_client(&own) {
            // The table has no client of this provider at all.
            return Vec::new();
        }
        let mut best: Option<Vec<String>> = None;
        for operation in fitting {
            let mut found = operation.faults(method, query, headers, status);
            let described = |version: &str| self.described.contains(&(own.clone(), version.to_owned()));
            found.retain(|fault| {
                let version = fault.strip_prefix("version ").and_then(|rest| rest.split(',').next());
                !version.is_some_and(described)
            });
            if found.is_empty() {
                return found;
            }
            if best.as_ref().is_none_or(|best| found.len() < best.len()) {
                best = Some(found);
            }
        }
        let found = best.unwrap_or_else(|| vec!["there is no such operation".to_owned()]);
        let unlisted =
            |fault: &String| fault.starts_with("version ") || fault == "there is no such operation";
        match self.connected.get(&connected_type(&asked)) {
            Some(known) if known.iter().any(|v| is_of(query, v)) && found.iter().all(unlisted) => Vec::new(),
            _ => found,
        }
    }
}

impl Operations {
    /// Whether the table has any operation of a provider.
    fn has_client(&self, namespace: &str) -> bool {
        self.all.keys().any(|(_, known)| known == namespace)
    }
}

impl Operation {
    fn faults(&self, method: Method, query: &str, headers: &Headers, status: u16) -> Vec<String> {
        let mut found = Vec::new();
        for (name, value) in query.split('&').filter_map(|part| part.split_once('=')) {
            let name = name.replace("%24", "$");
            if name == "api-version" {
                if value != self.version {
                    found.push(format!("version {value}, known is {}", self.version));
                }
            } else if !self.query.contains(&name) {
                found.push(format!("`{name}` in the query"));
            }
        }
        if !query.contains("api-version=") {
            found.push("no API version".to_owned());
        }
        for (name, value) in headers.iter().filter(|(name, _)| !ALWAYS.contains(name)) {
            if !self.headers.iter().any(|known| known.eq_ignore_ascii_case(name)) {
                found.push(format!("the header `{name}`"));
            }
            if value.starts_with("W/") {
                found.push(format!("a weak ETag in `{name}`"));
            }
        }
        // What is refused, and what is not there, can be answered to anything.
        if status < 400 && !self.statuses.contains(&status) || status == 404 && method == Method::Head {
            let known = self.statuses.contains(&status);
            found.extend((!known).then(|| format!("status {status}, known are {:?}", self.statuses)));
        }
        found
    }
}

/// The type of the resource whose connections a path names, in lower case; empty when it names none.
fn connected_type(path: &[&str]) -> String {
    let at = |word: &str| path.iter().rposition(|segment| segment.eq_ignore_ascii_case(word));
    let (Some(provider), Some(end)) = (at("providers"), at("privateEndpointConnections")) else {
        return String::new();
    };
    if provider + 2 > end || path.len() > end + 2 {
        return String::new();
    }
    let types = path[provider + 2..end].iter().step_by(2).copied();
    let words: Vec<&str> = std::iter::once(path[provider + 1]).chain(types).collect();
    words.join("/").to_ascii_lowercase()
}

/// Whether a query asks for a version.
fn is_of(query: &str, version: &str) -> bool {
    query.split('&').any(|part| part.strip_prefix("api-version=") == Some(version))
}

fn segments(path: &str) -> impl Iterator<Item = &str> {
    path.trim_matches('/').split('/').filter(|segment| !segment.is_empty())
}

fn is_variable(segment: &str) -> bool {
    segment.starts_with('{')
}

/// What follows the last `providers`, in lower case; nothing for what ARM has itself, or when it is a variable.
fn namespace<'s>(segments: impl DoubleEndedIterator<Item = &'s str>) -> String {
    let mut after = "";
    for segment in segments.rev() {
        if segment.eq_ignore_ascii_case("providers") {
            return match is_variable(after) {
                true => String::new(),
                false => after.to_ascii_lowercase(),
            };
        }
        after = segment;
    }
    String::new()
}

/// Whether a path fits a template; a variable at its start can be a whole id.
fn fits(wanted: &[&str], asked: &[&str], first: bool) -> bool {
    match (wanted.split_first(), asked.split_first()) {
        (None, None) => true,
        (Some((one, rest)), Some((_, left))) if is_variable(one) => {
            let whole = first || *one == "{parentResourcePath}";
            let (least, most) = (usize::from(first || !whole), if whole { asked.len() } else { 1 });
            // One segment first: that is what nearly all variables are.
            fits(rest, left, false)
                || (least..=most).any(|taken| taken != 1 && fits(rest, &asked[taken..], false))
        }
        (Some((one, rest)), Some((segment, left))) => {
            one.eq_ignore_ascii_case(segment) && fits(rest, left, false)
        }
        _ => false,
    }
}

//! What is wrong, as data: with a blueprint ([`Diagnostic`]), or with a run ([`Failure`]). Rendering is `report`'s.

mod code;
mod failure;

pub use code::Code;
pub use failure::Failure;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::fmt;
use std::sync::Arc;

/// How bad it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Severity {
    /// Nothing is done until it is mended.
    Error,
    /// Worth knowing.
    Warning,
}

/// A file that was read, for excerpts.
#[derive(Debug, PartialEq, Eq)]
pub struct SourceFile {
    /// The path as the person gave it.
    pub name: String,
    /// The text; empty when no line of it may be shown.
    pub text: String,
}

/// A place in a file: line and column count from 1, columns in characters.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Span {
    /// The file.
    pub file: Arc<SourceFile>,
    /// Line, from 1.
    pub line: usize,
    /// Column, from 1.
    pub column: usize,
    /// Byte offset in the text.
    pub offset: usize,
    /// How many bytes the excerpt underlines; at least one.
    pub length: usize,
}

/// A place without the text around it, for reports that machines read.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Place {
    /// The file, as the person named it.
    pub file: String,
    /// Line, from 1.
    pub line: usize,
    /// Column, from 1, in characters.
    pub column: usize,
}

impl From<&Span> for Place {
    fn from(span: &Span) -> Self {
        Place { file: span.file.name.clone(), line: span.line, column: span.column }
    }
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}:{}", self.file, self.line, self.column)
    }
}

impl fmt::Display for Span {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}:{}", self.file.name, self.line, self.column)
    }
}

/// One thing that is wrong, where, and what to write instead.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Diagnostic {
    /// What kind of mistake it is.
    pub code: &'static Code,
    /// How bad it is.
    pub severity: Severity,
    /// What is wrong: a sentence without its full stop.
    pub message: String,
    /// Where.
    pub span: Option<Span>,
    /// What to do about it.
    pub help: Option<String>,
}

impl Diagnostic {
    /// An error.
    pub fn error(code: &'static Code, message: impl Into<String>) -> Self {
        Diagnostic { code, severity: Severity::Error, message: message.into(), span: None, help: None }
    }

    /// With a place.
    pub fn at(mut self, span: Option<Span>) -> Self {
        self.span = span.or(self.span);
        self
    }

    /// Without the line that it is about, which may hold a secret; its place stays.
    pub fn without_excerpt(mut self) -> Self {
        if let Some(span) = &mut self.span {
            span.file = Arc::new(SourceFile { name: span.file.name.clone(), text: String::new() });
        }
        self
    }

    /// With a remedy.
    pub fn help(mut self, help: impl Into<String>) -> Self {
        self.help = Some(help.into());
        self
    }
}

/// A text, or its beginning and its end.
fn shortened(text: String, most: usize) -> String {
    const LAST: usize = 100;
    if text.len() <= most {
        return text;
    }
    let boundary = |mut at: usize| {
        while !text.is_char_boundary(at) {
            at -= 1;
        }
        at
    };
    let (first, last) = (&text[..boundary(most - LAST)], &text[boundary(text.len() - LAST)..]);
    format!("{first} … {last}")
}

/// Several diagnostics, in the order of the source once sorted.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Diagnostics(Vec<Diagnostic>);

impl Diagnostics {
    /// None yet.
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds one. What nobody would read to its end is left out of the middle of its texts.
    pub fn push(&mut self, mut diagnostic: Diagnostic) {
        diagnostic.message = shortened(diagnostic.message, 600);
        diagnostic.help = diagnostic.help.map(|help| shortened(help, 2_000));
        self.0.push(diagnostic);
    }

    /// Adds all of another bag.
    pub fn append(&mut self, other: Diagnostics) {
        self.0.extend(other.0);
    }

    /// Whether any of them is an error.
    pub fn has_errors(&self) -> bool {
        self.0.iter().any(|d| d.severity == Severity::Error)
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// How many there are.
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// Each of them.
    pub fn iter(&self) -> impl Iterator<Item = &Diagnostic> {
        self.0.iter()
    }

    /// Each of them, to be changed.
    pub fn iter_mut(&mut self) -> impl Iterator<Item = &mut Diagnostic> {
        self.0.iter_mut()
    }

    /// Sorts by place; equal ones are told once.
    pub fn sort(&mut self) {
        self.0.sort_by(|a, b| {
            fn place(d: &Diagnostic) -> Option<(&str, usize)> {
                d.span.as_ref().map(|span| (span.file.name.as_str(), span.offset))
            }
            place(a).cmp(&place(b)).then(a.severity.cmp(&b.severity))
        });
        self.0.dedup();
    }
}

impl From<Diagnostic> for Diagnostics {
    fn from(diagnostic: Diagnostic) -> Self {
        let mut all = Diagnostics::new();
        all.push(diagnostic);
        all
    }
}

/// `name`, when one of `known` is close enough to `wrong` that a typing error is likely.
pub fn did_you_mean<'a>(wrong: &str, known: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    let folded = wrong.to_lowercase();
    known
        .into_iter()
        .map(|name| (strsim::jaro_winkler(&folded, &name.to_lowercase()), name))
        // A common beginning alone makes no likeness: `region` is not meant to be `registerProviders`.
        .filter(|(score, name)| {
            *score >= 0.82 && strsim::normalized_levenshtein(&folded, &name.to_lowercase()) >= 0.5
        })
        .max_by(|a, b| a.0.total_cmp(&b.0))
        .map(|(_, name)| name)
}

/// The field that was meant by a name: one that is nearly the same, or the one whose name Azure or another tool spells
/// with more words (`addressPrefix`, `networkProfile`, `default_node_pool`).
pub fn meant_field<'a>(wrong: &str, known: impl IntoIterator<Item = &'a str> + Clone) -> Option<&'a str> {
    // What Azure calls by another word altogether.
    const OTHER_WORDS: &[(&str, &str)] =
        &[("agentpool", "nodepool"), ("resourcegroupname", "resourcegroup"), ("region", "location")];
    let folded = |name: &str| -> String {
        name.chars().filter(char::is_ascii_alphanumeric).map(|c| c.to_ascii_lowercase()).collect()
    };
    let bare = |name: &str| -> String {
        let mut name = folded(name);
        for (other, word) in OTHER_WORDS {
            name = name.replace(other, word);
        }
        if let Some(rest) = name.strip_suffix("xes") {
            return format!("{rest}x");
        }
        for end in ["profiles", "profile", "settings", "config", "enabled", "s"] {
            if let Some(rest) = name.strip_suffix(end).filter(|rest| rest.len() > 2) {
                return rest.to_owned();
            }
        }
        name
    };
    let wanted = bare(wrong);
    let same = known.clone().into_iter().find(|name| bare(name) == wanted);
    let near = same.or_else(|| did_you_mean(wrong, known.clone()));
    // The last words of a longer name: at least one that says something.
    near.or_else(|| {
        let ends = |name: &&str| {
            let name = bare(name);
            name.len() >= 5 && name.len() * 3 >= wanted.len() && wanted.ends_with(&name)
        };
        known.into_iter().filter(ends).max_by_key(|name| name.len())
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_nobody_reads_is_left_out() {
        let long = format!("`{}` is not a name", "ü".repeat(1_000_000));
        let told =
            Diagnostics::from(Diagnostic::error(const { &Code::named("x") }, long).help("y".repeat(10_000)));
        let told = told.iter().next().unwrap();
        assert!(told.message.len() < 700 && told.message.ends_with("üü` is not a name"));
        assert!(told.help.as_ref().unwrap().len() < 2_100);
    }

    #[test]
    fn fields_are_known_by_the_words_of_others() {
        let known = ["nodePools", "network", "kubernetesVersion", "prefix", "vmSize", "osSku", "aad"];
        for (wrong, meant) in [
            ("agentPoolProfiles", Some("nodePools")),
            ("default_node_pool", Some("nodePools")),
            ("networkProfile", Some("network")),
            ("currentKubernetesVersion", Some("kubernetesVersion")),
            ("kubernetes_version", Some("kubernetesVersion")),
            ("addressPrefixes", Some("prefix")),
            ("vm_size", Some("vmSize")),
            ("aadProfile", Some("aad")),
            ("nodePolls", Some("nodePools")),
            ("colour", None),
            ("s", None),
        ] {
            assert_eq!(meant_field(wrong, known), meant, "{wrong}");
        }
    }

    #[test]
    fn suggests_only_what_is_near() {
        assert_eq!(did_you_mean("nodePool", ["nodePools", "network"]), Some("nodePools"));
        assert_eq!(did_you_mean("Secrets User", ["Key Vault Secrets User"]), None);
        assert_eq!(did_you_mean("zzz", ["nodePools"]), None);
        assert_eq!(did_you_mean("region", ["registerProviders", "resourceGroup"]), None);
    }
}

//! One entry of a blueprint on its way from a file to what is desired.

use super::source::Source;
use super::wanted::Wanted;
use crate::catalog::Draft;
use crate::diag::Code;
use serde_json::Value;

pub(super) const ENTRY_KEY: Code = Code {
    name: "entry-key",
    why: "The key of an entry becomes part of addresses such as `clusters.aks`, so it is a plain word. The Azure name is another thing.",
    remedy: "Begin with a small letter, go on with letters, digits and `_`; put the Azure name into `name`.",
    example: "clusters: { aks: { name: aks-shop-prod } }",
};

/// What became of an entry.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum EntryState {
    /// It has drafts.
    Expanded,
    /// Its `when` is false, or its `forEach` is empty.
    Off,
    /// It has mistakes, which are told.
    Failed,
}

/// One entry, expanded; one instance of it, when it has `forEach`.
pub(crate) struct Entry<'a> {
    pub(crate) state: EntryState,
    /// Whether something is wrong with it, so that what follows from that is not told.
    pub(crate) mistaken: bool,
    /// Its address: `module.spoke.clusters.aks[eu]`.
    pub(crate) path: String,
    /// What is before addresses in its file.
    pub(crate) prefix: String,
    /// Where it is in its file: `clusters.aks`.
    pub(crate) place: String,
    /// Its file.
    pub(crate) source: &'a Source,
    pub(crate) evaluated: Value,
    pub(crate) drafts: Vec<Draft>,
    /// The addresses of its parts that are switched off.
    pub(crate) off: Vec<String>,
    /// Its fields that take references.
    pub(crate) wanted: Vec<Wanted>,
}

impl<'a> Entry<'a> {
    /// An entry, or a module, that came to nothing.
    pub(super) fn without(path: String, place: String, source: &'a Source, state: EntryState) -> Self {
        let (evaluated, drafts, off, wanted) = (Value::Null, Vec::new(), Vec::new(), Vec::new());
        let mistaken = state == EntryState::Failed;
        Entry { state, mistaken, path, prefix: String::new(), place, source, evaluated, drafts, off, wanted }
    }
}

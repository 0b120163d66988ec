//! From a source to what is desired: the blueprint's head, then every file at work, then linking.

use super::Blueprint;
use super::entry::Entry;
use super::evaluator::{Evaluator, Shared};
use super::inputs::Inputs;
use super::link;
use super::messages::MISSING_FIELD;
use super::parameters::{self, Given};
use super::sections::check_sections;
use super::source::{At, Source};
use crate::catalog::SHAPE;
use crate::catalog::registry;
use crate::diag::{Code, Diagnostic, Diagnostics, SourceFile};
use crate::ident::{Address, Owner, is_name};
use crate::state::Desired;
use crate::value::secret::Secret;
use crate::value::take_literals;
use crate::value::token::{self, Token};
use serde_json::Value;
use std::sync::Arc;

/// Reads a blueprint, and takes its text as it is: no slip is looked for.
pub(super) fn load_plainly(source: &Source, inputs: &Inputs) -> Result<Blueprint, Diagnostics> {
    let Some(root) = source.tree.as_object() else {
        // It may be any file of this machine: nothing of it is shown but the place.
        let mut place = source.locate("", At::Value);
        if let Some(span) = &mut place {
            span.file = Arc::new(SourceFile { name: source.file.name.clone(), text: String::new() });
        }
        return Err(Diagnostic::error(&SHAPE, "a blueprint is a mapping of sections")
            .at(place)
            .help("start with `blueprint: NAME`; `blueprints/quickstart.yaml` is an example")
            .into());
    };
    let name = root.get("blueprint").and_then(Value::as_str).unwrap_or_default().to_owned();
    let shared = Shared::new(inputs, name.clone());
    let parameters = parameters::resolve(source, &shared, &Given::Outside);
    let evaluator = Evaluator::new(&shared, source, root, String::new(), parameters);
    check_sections(&evaluator);
    check_name(&evaluator);
    let azure = evaluator.azure_block();
    let mut entries = Vec::new();
    evaluator.run(&mut entries);
    let outputs = evaluator.all_outputs();
    let groups = evaluator.groups();
    let mut problems = shared.problems.take();
    let mut secrets = shared.secrets.take();
    // Before anything else is told of them: what a body says openly in a field that takes a secret is one.
    for draft in entries.iter_mut().flat_map(|entry: &mut Entry<'_>| &mut entry.drafts) {
        take_literals(&mut draft.body, draft.kind.compiled(), &mut |path, text| {
            inputs.redactor.learn(text);
            let name = Secret::literal_name(draft.address.as_str(), path);
            secrets.insert(name.clone(), Secret::new(text));
            name
        });
    }
    let environment = inputs.chosen.as_ref().map(|chosen| chosen.name.clone());
    let owner = Owner::new(name).within(environment);
    let unlinked = link::Unlinked { owner, azure, groups, entries, outputs, secrets };
    let linked = link::link(source, unlinked, &mut problems);
    if inputs.is_signed_in()
        && let Some(desired) = &linked
        && let Some(address) = wants_caller(desired)
    {
        let message = format!("`azure` needs `tenant`: `{address}` is in it, and the token does not say it");
        problems.push(
            Diagnostic::error(&MISSING_FIELD, message)
                .at(source.locate("azure", At::Key).or_else(|| source.locate("", At::Value)))
                .help("add `tenant: GUID` under `azure:`; `az account show --query tenantId` shows it"),
        );
    }
    problems.sort();
    match linked {
        Some(desired) if !problems.has_errors() => Ok(Blueprint { desired, warnings: problems }),
        _ => Err(problems),
    }
}

/// The first resource whose body holds a claim of who is signed in that is not known.
fn wants_caller(desired: &Desired) -> Option<&Address> {
    let wants = |body: &Value| {
        let mut found = false;
        token::for_each(body, &mut |token| found |= matches!(token, Token::Caller { .. }));
        found
    };
    desired.resources.iter().find(|resource| wants(&resource.body)).map(|resource| &resource.address)
}

pub(super) const BLUEPRINT_NAME: Code = Code {
    name: "blueprint-name",
    why: "The name of a blueprint becomes the name of its ledger and the value of the ownership tag, so it is short and plain.",
    remedy: "Use at most 63 small letters, digits and `-`, a letter first.",
    example: "blueprint: shop",
};

fn check_name(evaluator: &Evaluator<'_>) {
    let name_rule =
        "a name of small letters, digits and `-`, starting with a letter, such as `blueprint: shop`";
    match evaluator.root.get("blueprint") {
        None => evaluator.tell(
            Diagnostic::error(&MISSING_FIELD, "the blueprint has no name")
                .at(evaluator.locate("", At::Value))
                .help(format!("add {name_rule}")),
        ),
        Some(Value::String(name)) if is_name(name) => {}
        Some(_) => evaluator.tell(
            Diagnostic::error(&BLUEPRINT_NAME, "this cannot be the name of a blueprint")
                .at(evaluator.locate("blueprint", At::Value))
                .help(format!("write {name_rule}")),
        ),
    }
}

impl<'a> Evaluator<'a> {
    /// Expands every entry of the file and of its modules, and evaluates the outputs of those.
    pub(super) fn run(&self, entries: &mut Vec<Entry<'a>>) {
        for kind in registry() {
            self.section(kind, entries);
        }
        self.run_modules(entries);
        if !self.is_root() {
            self.all_outputs();
        }
    }
}

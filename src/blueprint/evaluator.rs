//! One file at work: the blueprint, or one instance of a module, with its parameters and its `azure:` block.

use super::azure::Azure;
use super::each::Each;
use super::expression;
use super::inputs::Inputs;
use super::modules::Module;
use super::outputs::Known;
use super::parameters::Parameters;
use super::source::{At, Source};
use crate::diag::{Code, Diagnostic, Diagnostics, Severity, Span};
use crate::value::secret::Secrets;
use serde_json::{Map, Value};
use std::cell::{Cell, OnceCell, RefCell};
use std::collections::{HashMap, HashSet};
use std::rc::Rc;
use std::time::Duration;

/// What all files of a run share.
pub(super) struct Shared<'a> {
    pub(super) inputs: &'a Inputs,
    /// The blueprint's name.
    pub(super) blueprint: String,
    /// Every mistake so far.
    pub(super) problems: RefCell<Diagnostics>,
    /// Code and place of what was told of an entry or module that stands for several: the others have the same mistake.
    told: RefCell<HashSet<(&'static str, String, usize)>>,
    pub(super) secrets: RefCell<Secrets>,
    /// How many modules there are so far.
    pub(super) modules: Cell<usize>,
    /// How many instances all `forEach` make so far.
    pub(super) instances: Cell<usize>,
    /// Whether an output that is secret was looked up since this was last asked.
    pub(super) saw_secret: Cell<bool>,
    /// What entries of `existing` read, by their addresses; `None` of one that is not known.
    pub(super) existing: RefCell<HashMap<String, Option<Rc<super::existing::Known>>>>,
}

impl<'a> Shared<'a> {
    pub(super) fn new(inputs: &'a Inputs, blueprint: String) -> Self {
        Shared {
            inputs,
            blueprint,
            problems: RefCell::default(),
            told: RefCell::default(),
            secrets: RefCell::default(),
            modules: Cell::new(0),
            instances: Cell::new(0),
            saw_secret: Cell::new(false),
            existing: RefCell::default(),
        }
    }
}

/// What a module's entry says for everything in it.
#[derive(Debug, Clone, Default)]
pub(super) struct Defaults {
    pub(super) protect: Option<bool>,
    pub(super) adopt: bool,
    pub(super) timeout: Option<Duration>,
    pub(super) depends_on: Vec<String>,
}

/// A file with everything that its expressions can name.
pub(super) struct Evaluator<'a> {
    pub(super) shared: &'a Shared<'a>,
    pub(super) source: &'a Source,
    pub(super) root: &'a Map<String, Value>,
    /// What is before the addresses of its entries: empty, or `module.spoke[eu].`.
    pub(super) prefix: String,
    pub(super) parameters: Parameters,
    pub(super) defaults: Defaults,
    /// Whether an expression had no value since this was last asked.
    pub(super) poisoned: Cell<bool>,
    /// Fields of the `azure:` block that are written and have no value because of a mistake told elsewhere.
    pub(super) broken: RefCell<Vec<&'static str>>,
    /// Fields of the `azure:` block as they become known.
    pub(super) azure: RefCell<HashMap<&'static str, Value>>,
    /// The block as a whole, once it is known.
    pub(super) settled: OnceCell<Azure>,
    /// `name`, `location` and `resourceGroup` of entries that others asked for; `None` while one is being found.
    pub(super) identities: RefCell<HashMap<String, Option<Value>>>,
    /// What `each` is, in an entry with `forEach`.
    pub(super) each: RefCell<Option<Rc<Each>>>,
    /// The instances of entries with `forEach`, by `section.key`.
    pub(super) instances: RefCell<HashMap<String, super::each::Instances>>,
    /// Parts of the entry at work that `forEach` made.
    pub(super) parts: RefCell<super::parts::Instances>,
    /// The modules, by name and key of `forEach`.
    pub(super) modules: RefCell<HashMap<String, Module<'a>>>,
    /// The outputs that were asked for.
    pub(super) outputs: RefCell<HashMap<String, Known>>,
}

pub(super) const EXPRESSION: Code = Code {
    name: "expression",
    why: "An expression `${…}` cannot be evaluated: a name that is not known, a function called wrongly, or a mistake in its grammar.",
    remedy: "The message says which part; docs/reference/expressions.md lists names, operators and functions.",
    example: "resourceGroup: rg-shop-${param.environment}",
};

impl<'a> Evaluator<'a> {
    pub(super) fn new(
        shared: &'a Shared<'a>,
        source: &'a Source,
        root: &'a Map<String, Value>,
        prefix: String,
        parameters: Parameters,
    ) -> Self {
        Evaluator {
            shared,
            source,
            root,
            prefix,
            parameters,
            defaults: Defaults::default(),
            poisoned: Cell::new(false),
            broken: RefCell::default(),
            azure: RefCell::default(),
            settled: OnceCell::new(),
            identities: RefCell::default(),
            each: RefCell::default(),
            instances: RefCell::default(),
            parts: RefCell::default(),
            modules: RefCell::default(),
            outputs: RefCell::default(),
        }
    }

    /// Whether this is the blueprint itself, and no module of it.
    pub(super) fn is_root(&self) -> bool {
        self.prefix.is_empty()
    }

    pub(super) fn locate(&self, path: &str, at: At) -> Option<Span> {
        self.source.locate(path, at)
    }

    /// Tells a mistake. What an instance of several has wrong is told of the first that has it.
    pub(super) fn tell(&self, mut diagnostic: Diagnostic) {
        let each = self.each.borrow();
        let first = match &diagnostic.span {
            Some(span) => {
                let place = (diagnostic.code.name, span.file.name.clone(), span.offset);
                self.shared.told.borrow_mut().insert(place)
            }
            None => true,
        };
        if each.is_some() || self.prefix.contains('[') {
            if !first {
                // It counts all the same: the entry has a mistake.
                self.poisoned.set(self.poisoned.get() || diagnostic.severity == Severity::Error);
                return;
            }
            let of = match &*each {
                Some(each) => format!("for `{}`", each.key),
                None => format!("in `{}`", self.prefix.trim_end_matches('.')),
            };
            diagnostic.message = format!("{} ({of})", diagnostic.message);
        }
        self.shared.problems.borrow_mut().push(diagnostic);
    }

    /// Tells a mistake of an expression, unless it follows from another.
    pub(super) fn tell_fault(&self, fault: expression::Fault, span: Option<Span>) {
        if !fault.follows {
            self.tell(Diagnostic::error(&EXPRESSION, fault.message).at(span).help(fault.help));
        }
    }

    pub(super) fn problem_count(&self) -> usize {
        self.shared.problems.borrow().len()
    }

    /// Evaluates with another meaning of `each`.
    pub(super) fn with_each<T>(&self, each: Option<Rc<Each>>, act: impl FnOnce() -> T) -> T {
        let before = self.each.replace(each);
        let result = act();
        self.each.replace(before);
        result
    }

    /// The value at a path of the file; `None` when it has a mistake, which is told.
    pub(super) fn try_evaluate(&self, value: &Value, path: &str) -> Option<Value> {
        let before = self.poisoned.replace(false);
        let value = self.evaluate(value, path);
        let bad = self.poisoned.replace(before);
        (!bad).then_some(value)
    }

    /// The same of a mapping, with its own `each` when `forEach` made it.
    pub(super) fn evaluate_part(&self, value: &Value, path: &str) -> Value {
        match self.each_of_part(path) {
            Some(each) => self.with_each(Some(each), || self.evaluate(value, path)),
            None => self.evaluate(value, path),
        }
    }

    /// The value with its expressions evaluated. A mistake is told, and marks this as poisoned.
    pub(super) fn evaluate(&self, value: &Value, path: &str) -> Value {
        match value {
            Value::String(text) if expression::is_expression(text) => {
                match expression::evaluate(text, self) {
                    Ok(value) => value,
                    Err(fault) => {
                        self.poisoned.set(true);
                        if !fault.follows {
                            self.tell_fault(fault, self.locate(path, At::Value));
                        }
                        Value::Null
                    }
                }
            }
            Value::Array(items) => Value::Array(
                items
                    .iter()
                    .enumerate()
                    .map(|(at, item)| self.evaluate(item, &format!("{path}[{at}]")))
                    .collect(),
            ),
            Value::Object(members) => Value::Object(
                members
                    .iter()
                    .map(|(key, member)| match member {
                        Value::String(text) if !expression::is_expression(text) => {
                            (key.clone(), member.clone())
                        }
                        Value::String(_) | Value::Array(_) => {
                            (key.clone(), self.evaluate(member, &format!("{path}.{key}")))
                        }
                        Value::Object(_) => {
                            (key.clone(), self.evaluate_part(member, &format!("{path}.{key}")))
                        }
                        _ => (key.clone(), member.clone()),
                    })
                    .collect(),
            ),
            _ => value.clone(),
        }
    }
}

//! Entries: evaluated, freed of what every entry may say, and given to their kind.

use super::each::Each;
use super::entry::{ENTRY_KEY, Entry, EntryState};
use super::evaluator::Evaluator;
use super::exclusive::{note_lists, settle_beside};
use super::indentation;
use super::inputs::Missing;
use super::messages;
use super::messages::MISSING_FIELD;
use super::messages::UNKNOWN_FIELD;
use super::messages::WRONG_TYPE;
use super::messages::WRONG_VALUE;
use super::nested::Words;
use super::source::At;
use super::traps;
use crate::catalog::SHAPE;
use crate::catalog::{Common, EntryCx, Kind, Nested, Problem};
use crate::diag::{Diagnostic, Severity};
use crate::ident::{Address, Parts, above, is_logical_name, normalize_location};
use crate::value::parse_duration;
use crate::value::token::{self, Token};
use serde_json::{Map, Value};
use std::rc::Rc;

/// The path, from the entry, of the mapping that a problem of its shape is about.
fn container(problem: &Problem) -> &str {
    let at = problem.path.trim_start_matches('.');
    let field = problem.message.split('`').nth(1).unwrap_or_default();
    match above(at) {
        _ if !problem.message.starts_with("unknown field") => at,
        _ if at == field => "",
        Some((around, last)) if last == field => around,
        _ => at,
    }
}

/// The mappings in which one field is missing and one is unknown: a name was mistaken. With the names of both.
fn misnamed(problems: &[Problem]) -> Vec<(String, String, String)> {
    let of = |start: &'static str| {
        let starts = move |problem: &&Problem| *problem.code == SHAPE && problem.message.starts_with(start);
        problems.iter().filter(starts)
    };
    let field = |problem: &Problem| problem.message.split('`').nth(1).unwrap_or_default().to_owned();
    let mut found = Vec::new();
    for missing in of("missing field") {
        let at = container(missing);
        let mut unknown = of("unknown field").filter(|unknown| container(unknown) == at);
        let alone = of("missing field").filter(|other| container(other) == at).count() == 1;
        if let (Some(one), None, true) = (unknown.next(), unknown.next(), alone) {
            found.push((at.to_owned(), field(missing), field(one)));
        }
    }
    found
}

impl<'a> Evaluator<'a> {
    pub(super) fn section(&self, kind: &Kind, entries: &mut Vec<Entry<'a>>) {
        let section = match self.root.get(kind.section) {
            None | Some(Value::Null) => return,
            Some(Value::Object(section)) => section,
            Some(_) => {
                self.tell(
                    Diagnostic::error(
                        &WRONG_TYPE,
                        format!("`{}` must be a mapping of keys to entries", kind.section),
                    )
                    .at(self.locate(kind.section, At::Value))
                    .help("write the key of an entry, a colon, and its fields below"),
                );
                return;
            }
        };
        entries.reserve(section.len());
        let empty = section.iter().find(|(_, raw)| raw.is_null());
        for (key, raw) in section {
            let path = format!("{}.{key}", kind.section);
            if !is_logical_name(key) {
                self.tell(
                    Diagnostic::error(&ENTRY_KEY, format!("`{key}` cannot be the key of an entry"))
                        .at(self.locate(&path, At::Key))
                        .help("a key is a small letter, then letters, digits and `_`; the Azure name goes into `name:`"),
                );
                continue;
            }
            // `aks:` with nothing below, and its fields beside it.
            if let Some((entry, _)) = empty
                && !raw.is_null()
                && (indentation::is_field_of(kind, key) || messages::COMMON.contains(&key.as_str()))
            {
                self.tell(
                    Diagnostic::error(
                        &UNKNOWN_FIELD,
                        format!("`{key}` is a field, and this is the place of entries"),
                    )
                    .at(self.locate(&path, At::Key))
                    .help(format!("indent it below `{entry}:`")),
                );
                continue;
            }
            let raw = match raw {
                Value::Null => &Value::Object(Map::new()),
                Value::Object(_) => raw,
                _ => {
                    self.tell(
                        Diagnostic::error(&WRONG_TYPE, "an entry is a mapping of fields")
                            .at(self.locate(&path, At::Value))
                            .help("write the fields below the key, indented: `name: …`"),
                    );
                    continue;
                }
            };
            let Some(for_each) = raw.get("forEach") else {
                entries.push(self.entry(kind, key, &path, raw, None));
                continue;
            };
            let stand_in =
                |state| Entry::without(format!("{}{path}", self.prefix), path.clone(), self.source, state);
            match self.instances(&path, for_each) {
                Ok(all) if all.is_empty() => entries.push(stand_in(EntryState::Off)),
                Ok(all) => entries.extend(all.iter().map(|each| {
                    self.with_each(Some(each.clone()), || self.entry(kind, key, &path, raw, Some(each)))
                })),
                Err(_) => entries.push(stand_in(EntryState::Failed)),
            }
        }
    }

    fn entry(&self, kind: &Kind, key: &str, path: &str, raw: &Value, each: Option<&Rc<Each>>) -> Entry<'a> {
        let before = self.problem_count();
        self.poisoned.set(false);
        let (address, key) = match each {
            Some(each) => (format!("{}{path}[{}]", self.prefix, each.key), format!("{key}-{}", each.key)),
            None => (format!("{}{path}", self.prefix), key.to_owned()),
        };
        let ended = |state| Entry {
            prefix: self.prefix.clone(),
            ..Entry::without(address.clone(), path.to_owned(), self.source, state)
        };
        if let Some(when) = raw.get("when") {
            match self.is_on(when, &format!("{path}.when")) {
                Some(true) => {}
                Some(false) => return ended(EntryState::Off),
                None => return ended(EntryState::Failed),
            }
        }
        self.check_reads(kind, path, raw);
        let (raw, none) =
            self.with_instances(kind, path, address.strip_prefix(&self.prefix).unwrap_or(path), raw);
        let (raw, mut off) = self.without_off(kind, path, &raw);
        off.extend(none);
        let mut evaluated = Map::new();
        for (name, value) in raw.as_object().into_iter().flatten() {
            // These two were evaluated before.
            if name != "when" && name != "forEach" {
                evaluated.insert(name.clone(), self.evaluate(value, &format!("{path}.{name}")));
            }
        }
        let mut fields = evaluated.clone();
        let exclusive = self.take_exclusive(path, &mut fields);
        let mut ignore = self.take_ignore(path, "", &mut fields);
        let common = self.common(kind, &key, path, &mut fields);
        let parts = self.take_parts(kind, path, &mut fields, &mut off);
        // A field whose expression has no value would only raise a second complaint.
        if self.problem_count() > before || self.poisoned.take() {
            return Entry { evaluated: Value::Object(evaluated), ..ended(EntryState::Failed) };
        }
        ignore.extend(parts.iter().flat_map(super::nested::Part::ignore).cloned());
        let given = if ignore.is_empty() { Map::new() } else { fields.clone() };
        let of_entry = common.clone();
        let wanted = super::wanted::wanted(kind, &fields);
        let (drafts, problems) = (Vec::new(), Vec::new());
        let mut cx = EntryCx {
            address: Address::new(address.as_str()),
            key: &key,
            common,
            types: &|path| self.raw_type(path),
            ids: &|path| self.known(path)?.id.clone(),
            drafts,
            problems,
        };
        (kind.expand)(Value::Object(fields), &mut cx);
        let mistaken = cx.problems.iter().any(|problem| !problem.warning);
        let misnamed = misnamed(&cx.problems);
        for problem in cx.problems {
            if *problem.code == SHAPE {
                if misnamed.iter().any(|(at, missing, _)| {
                    *at == container(&problem)
                        && problem.message.starts_with(&format!("missing field `{missing}`"))
                }) {
                    continue;
                }
                let is_part = |at: &str| kind.nested.iter().any(|nested| nested.is_at(at));
                let above = above(&problem.path).map_or("", |(above, _)| above);
                let words = if is_part(&problem.path) || is_part(above) { Nested::WORDS } else { &[] };
                let mut told = messages::shape(self.source, path, &problem.path, &problem.message, words);
                if *told.code == messages::UNKNOWN_FIELD
                    && let Some(field) = problem.message.split('`').nth(1)
                {
                    let own = path.rsplit('.').next().unwrap_or_default();
                    let around = container(&problem);
                    let missing = misnamed.iter().find(|(at, _, unknown)| *at == around && unknown == field);
                    let elsewhere = || indentation::remedy(kind, own, around, field);
                    told.help = match missing {
                        Some((_, missing, _)) => Some(format!("write `{missing}`, which is missing here")),
                        None => elsewhere().or(told.help),
                    };
                }
                self.tell(told);
                continue;
            }
            let (place, at) = match problem.path.as_str() {
                "" => (path.to_owned(), At::Key),
                below => (format!("{path}.{below}"), At::Value),
            };
            self.tell(Diagnostic {
                code: problem.code,
                severity: if problem.warning { Severity::Warning } else { Severity::Error },
                message: problem.message,
                span: self.locate(&place, at),
                help: problem.help,
            });
        }
        self.apply_parts(kind, path, &address, parts, &mut cx.drafts);
        if let Some(asked) = exclusive
            && let Some(draft) = cx.drafts.iter_mut().find(|draft| draft.address.as_str() == address)
        {
            self.apply_exclusive(kind, "", path, &asked, draft);
        }
        note_lists(kind, &address, &mut cx.drafts);
        settle_beside(&mut cx.drafts);
        // Of an entry that came to nothing that has been told.
        if !ignore.is_empty() && !cx.drafts.is_empty() {
            let expand = |fields: Map<String, Value>| {
                let (drafts, problems) = (Vec::new(), Vec::new());
                let (address, common) = (Address::new(address.as_str()), of_entry.clone());
                let types = &|path: &str| self.raw_type(path);
                let ids = &|path: &str| self.known(path)?.id.clone();
                let mut cx = EntryCx { address, key: &key, common, types, ids, drafts, problems };
                (kind.expand)(Value::Object(fields), &mut cx);
                cx.drafts
            };
            self.apply_ignore(kind, &address, &ignore, &given, &mut cx.drafts, &expand);
        }
        let off = off.iter().map(|off| format!("{address}.{off}")).collect();
        let state = if cx.drafts.is_empty() { EntryState::Failed } else { EntryState::Expanded };
        let (evaluated, drafts) = (Value::Object(evaluated), cx.drafts);
        Entry { state, mistaken, evaluated, drafts, off, wanted, ..ended(state) }
    }

    /// The name of the group that an entry of `resourceGroups` makes, or one of `existing` reads, and its subscription where
    /// that is said.
    pub(super) fn group_of(&self, address: &str) -> (Option<String>, Option<String>) {
        if let Some(known) = self.known(address) {
            let group =
                known.id.as_ref().filter(|id| id.resource_type() == "Microsoft.Resources/resourceGroups");
            let text = |part: Option<&str>| part.map(str::to_owned);
            return group.map_or((None, None), |id| (text(id.group()), text(id.subscription())));
        }
        let Some(parts) = address.strip_prefix(&self.prefix).map(Parts::of) else { return (None, None) };
        let key = parts.key.split('[').next().unwrap_or_default();
        let raw = self.root.get(parts.section).filter(|_| parts.section == "resourceGroups");
        let Some(raw) = raw.and_then(|section| section.get(key)) else { return (None, None) };
        // One of several instances knows its own name only when it is made.
        let of = |field: &str| match raw.get(field) {
            Some(value) if raw.get("forEach").is_none() => self
                .try_evaluate(value, &format!("resourceGroups.{key}.{field}"))?
                .as_str()
                .map(str::to_owned),
            _ => None,
        };
        (
            of("name").or_else(|| Some(key.to_owned()).filter(|_| raw.get("forEach").is_none())),
            of("subscription"),
        )
    }

    /// The subscription that an entry says, when it is another than the blueprint's.
    fn other_subscription(&self, id: &str, own: &str, path: &str) -> Option<String> {
        if let Some(other) = self.subscription_id(id, own, path) {
            return other;
        }
        self.tell(
            Diagnostic::error(&super::azure::SUBSCRIPTION, format!("`{id}` is not the id of a subscription"))
                .at(self.locate(&format!("{path}.subscription"), At::Value))
                .help("a subscription id is a GUID; `az account list --query \"[].id\"` prints those that you have"),
        );
        None
    }

    /// What the `subscription` of an entry means: the blueprint's own is nothing; `None` for what is not an id.
    pub(super) fn subscription_id(&self, id: &str, own: &str, path: &str) -> Option<Option<String>> {
        let place = format!("{path}.subscription");
        let written = |value: Option<&Value>| value.and_then(Value::as_str).map(str::trim).map(str::to_owned);
        // The simulator stands for the blueprint's own subscription, whatever that is: so it does where an entry repeats it.
        let of_azure = written(self.root.get("azure").and_then(|azure| azure.get("subscription")));
        if id.eq_ignore_ascii_case(own)
            || (of_azure.is_some() && of_azure == written(crate::value::get_path(&self.source.tree, &place)))
        {
            return Some(None);
        }
        if uuid::Uuid::try_parse(id).is_ok() {
            return Some(Some(id.to_ascii_lowercase()));
        }
        let made_up = self.shared.inputs.missing == Missing::MakeUp && id.starts_with("made-up-");
        made_up.then(|| Some(uuid::Uuid::new_v5(&uuid::Uuid::NAMESPACE_URL, id.as_bytes()).to_string()))
    }

    /// The ARM type that an entry of `existing` says, or one of this file's `resources`, when it is written as a plain text.
    fn raw_type(&self, address: &str) -> Option<String> {
        if let Some(known) = self.known(address) {
            return Some(known.arm_type.clone());
        }
        let local = address.strip_prefix(&self.prefix)?;
        let parts = Parts::of(local);
        let key = parts.key.split('[').next().unwrap_or_default();
        let said = self.root.get(parts.section)?.get(key)?.get("type")?.as_str()?;
        (!super::expression::is_expression(said)).then(|| said.to_owned())
    }

    /// Takes what every entry may say out of its fields.
    fn common(&self, kind: &Kind, key: &str, path: &str, fields: &mut Map<String, Value>) -> Common {
        let unsettled = super::azure::Azure::default();
        let azure = self.settled.get().unwrap_or(&unsettled);
        let mut text = |field: &str| match fields.remove(field) {
            None | Some(Value::Null) => None,
            Some(Value::String(text)) if !text.is_empty() => Some(text),
            Some(value @ Value::Number(_)) if field == "name" => {
                if let Some(problem) = traps::altered(self.source, &format!("{path}.name"), &value) {
                    self.tell(problem);
                }
                Some(value.to_string())
            }
            Some(_) => {
                self.tell(
                    Diagnostic::error(&WRONG_TYPE, format!("`{field}` must be a text"))
                        .at(self.locate(&format!("{path}.{field}"), At::Value))
                        .help("write it as a text"),
                );
                None
            }
        };
        let name = text("name").unwrap_or_else(|| key.to_owned());
        let own_location = text("location").map(|l| normalize_location(&l));
        self.check_region(own_location.as_deref(), &format!("{path}.location"));
        let location = own_location.or_else(|| azure.location.clone());
        let (mut own_group, mut own_subscription) = (text("resourceGroup"), text("subscription"));
        if let Some(Token::Reference { path: referred, .. }) = own_group.as_deref().and_then(Token::exactly) {
            let (group, elsewhere) = self.group_of(&referred);
            own_group = group.or(own_group);
            own_subscription = own_subscription.or(elsewhere);
        }
        let own_subscription =
            own_subscription.and_then(|id| self.other_subscription(&id, &azure.subscription, path));
        self.check_group(own_group.as_deref(), &format!("{path}.resourceGroup"));
        let group = own_group.or_else(|| azure.resource_group.clone());
        let mut tags = azure.tags.clone();
        let own = fields.remove("tags");
        tags.extend(self.tags(own.as_ref(), &format!("{path}.tags")));
        let adopt = match fields.remove("adopt") {
            None | Some(Value::Null) => None,
            Some(Value::Bool(on)) => Some(on),
            Some(_) => {
                self.tell(
                    Diagnostic::error(&WRONG_TYPE, "`adopt` must be true or false")
                        .at(self.locate(&format!("{path}.adopt"), At::Value))
                        .help("write `adopt: true` or `adopt: false`"),
                );
                None
            }
        };
        let words = self.words(path, fields);
        let mut depends_on = self.defaults.depends_on.clone();
        depends_on.extend(words.depends_on);
        // Said once: every entry without one has the same mistake.
        let unsaid = |field: &'static str| {
            let mut broken = self.broken.borrow_mut();
            let first = !broken.contains(&field);
            if first {
                broken.push(field);
            }
            first
        };
        let named = kind.reads && ["id", "parent"].iter().any(|field| fields.contains_key(*field));
        if group.is_none() && !named && unsaid("resourceGroup") {
            self.tell(
                Diagnostic::error(&MISSING_FIELD, "no resource group is said for this entry")
                    .at(self.locate(path, At::Key))
                    .help("add `resourceGroup: …` under `azure:`, or here"),
            );
        }
        if location.is_none() && !kind.reads && unsaid("location") {
            self.tell(
                Diagnostic::error(&MISSING_FIELD, "no location is said for this entry")
                    .at(self.locate(path, At::Key))
                    .help("add `location: westeurope` under `azure:`, or `location:` here"),
            );
        }
        Common {
            name,
            elsewhere: own_subscription.is_some(),
            subscription: own_subscription.unwrap_or_else(|| azure.subscription.clone()),
            tenant: azure.tenant.clone(),
            // Without one, told above or where it is written, the rest of the entry is looked at all the same.
            resource_group: group.unwrap_or_else(|| "unknown".to_owned()),
            location: location.unwrap_or_else(|| "unknown".to_owned()),
            tags,
            protect: words.protect.or(self.defaults.protect),
            adopt: adopt.unwrap_or(self.defaults.adopt),
            timeout: words.timeout.or(self.defaults.timeout),
            depends_on,
            properties: match fields.remove("properties") {
                None | Some(Value::Null) => None,
                Some(over @ Value::Object(_)) => Some(over),
                Some(_) => {
                    self.tell(
                        Diagnostic::error(&WRONG_TYPE, "`properties` must be a mapping")
                            .at(self.locate(&format!("{path}.properties"), At::Value))
                            .help("write the members by Azure's names: `properties: { flowTimeoutInMinutes: 10 }`"),
                    );
                    None
                }
            },
        }
    }

    /// Takes out what an entry or a part of one says of how it is handled, but for `properties`.
    pub(super) fn words(&self, path: &str, fields: &mut Map<String, Value>) -> Words {
        let mut words = Words::default();
        let wrong = |field: &str, code, message: String, help: &str| {
            self.tell(
                Diagnostic::error(code, message)
                    .at(self.locate(&format!("{path}.{field}"), At::Value))
                    .help(help),
            );
        };
        let durations = "write a number with its unit: `90s`, `30m`, `2h`";
        match fields.shift_remove("timeout") {
            None | Some(Value::Null) => {}
            Some(Value::String(text)) => {
                words.timeout = parse_duration(&text);
                if words.timeout.is_none() {
                    wrong("timeout", &WRONG_VALUE, format!("`{text}` is not a duration"), durations);
                }
            }
            Some(_) => wrong("timeout", &WRONG_TYPE, "`timeout` must be a text".to_owned(), durations),
        }
        match fields.shift_remove("protect") {
            None | Some(Value::Null) => {}
            Some(Value::Bool(protect)) => words.protect = Some(protect),
            Some(_) => wrong(
                "protect",
                &WRONG_TYPE,
                "`protect` must be true or false".to_owned(),
                "write `protect: true` or `protect: false`",
            ),
        }
        if let Some(needed) = fields.shift_remove("dependsOn").filter(|needed| !needed.is_null()) {
            match self.addresses(&needed) {
                Some(addresses) => words.depends_on = addresses,
                None => wrong(
                    "dependsOn",
                    &WRONG_TYPE,
                    "`dependsOn` must be a list of addresses".to_owned(),
                    "write `dependsOn: [clusters.aks]`",
                ),
            }
        }
        words
    }

    /// The addresses that `dependsOn` names, as those of the whole blueprint.
    pub(super) fn addresses(&self, value: &Value) -> Option<Vec<String>> {
        let mut all = Vec::new();
        let items = match value {
            Value::Array(items) => items.as_slice(),
            one @ Value::String(_) => std::slice::from_ref(one),
            _ => return None,
        };
        for item in items {
            match item {
                // `${clusters.aks[*]}` is a list of its own.
                Value::Array(_) => all.extend(self.addresses(item)?),
                Value::String(text) => all.push(match Token::exactly(text) {
                    Some(Token::Reference { path, .. }) => path,
                    _ if token::has_token(text) => return None,
                    _ => format!("{}{text}", self.prefix),
                }),
                _ => return None,
            }
        }
        Some(all)
    }
}

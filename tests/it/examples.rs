//! What the texts show is true: every example of the schema, of a diagnostic and of a page is what berth reads.

use crate::support::{invalid, root};
use berth::blueprint::{Inputs, Missing, Source, load, parse_value, schema};
use berth::diag::Failure;
use berth::manual::codes;
use jsonschema::Validator;
use serde_json::{Map, Value};
use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::sync::{LazyLock, OnceLock};

/// Every object of the schema that lists its fields, with what is required left out: examples show parts of things.
struct Shapes {
    definitions: Value,
    /// With what reads it, made when it is first asked for.
    all: Vec<(Value, OnceLock<Validator>)>,
}

/// Compiling a schema takes a while: the tests share them.
static SHAPES: LazyLock<Shapes> = LazyLock::new(Shapes::new);

impl Shapes {
    fn new() -> Self {
        let mut whole = schema();
        relax(&mut whole);
        let mut all = Vec::new();
        let top = whole.as_object().unwrap().clone();
        all.push(top.into_iter().filter(|(name, _)| name != "definitions" && name != "$id").collect());
        collect(&whole["properties"], &mut all);
        collect(&whole["definitions"], &mut all);
        let all = all.into_iter().map(|shape| (shape, OnceLock::new())).collect();
        Shapes { definitions: whole["definitions"].clone(), all }
    }

    /// Why no object of the schema can be this; nothing if one can.
    fn refuse(&self, value: &Value) -> Option<String> {
        let Some(members) = value.as_object() else { return Some("it is not a mapping".to_owned()) };
        let mut closest = None;
        for (shape, validator) in &self.all {
            if !members.keys().all(|name| shape["properties"].get(name).is_some()) {
                continue;
            }
            let validator = validator.get_or_init(|| {
                let mut shape = shape.clone();
                shape["definitions"] = self.definitions.clone();
                jsonschema::draft7::new(&shape).unwrap()
            });
            match validator.iter_errors(value).next() {
                None => return None,
                Some(error) => closest = Some(format!("{}: {error:.200}", error.instance_path())),
            }
        }
        let keys: Vec<&str> = members.keys().map(String::as_str).collect();
        Some(closest.unwrap_or_else(|| format!("nothing has all of {keys:?}")))
    }
}

fn relax(schema: &mut Value) {
    match schema {
        Value::Object(members) => {
            if members.get("required").is_some_and(Value::is_array) {
                members.remove("required");
            }
            members.values_mut().for_each(relax);
        }
        Value::Array(items) => items.iter_mut().for_each(relax),
        _ => {}
    }
}

fn collect(schema: &Value, found: &mut Vec<Value>) {
    match schema {
        Value::Object(members) => {
            if members.get("properties").is_some_and(Value::is_object) {
                found.push(schema.clone());
            }
            members.values().for_each(|inside| collect(inside, found));
        }
        Value::Array(items) => items.iter().for_each(|inside| collect(inside, found)),
        _ => {}
    }
}

/// What is wrong with a piece of YAML that a text shows; `…` stands for what is left out.
fn refuse(shapes: &Shapes, text: &str) -> Option<String> {
    let shown = text.replace("{ … }", "{}").replace("[ … ]", "[]").replace("…", "x");
    let value = match parse_value(&shown) {
        Ok(value) => value,
        Err(error) => return Some(error.message),
    };
    if value.get("blueprint").is_none() || value.as_object().is_some_and(|value| value.len() == 1) {
        return shapes.refuse(&value);
    }
    let source = Source::parse("shown.yaml", shown.as_bytes()).map(|source| {
        let read = |path: &Path| {
            std::fs::read(root().join("blueprints").join(path)).map_err(|_| Failure::bare("it is not shown"))
        };
        source.with_includes(&read)
    });
    let inputs = Inputs { missing: Missing::MakeUp, ..Inputs::default() };
    let problems = match source.map(|source| load(&source, &inputs)) {
        Ok(Ok(_)) => return None,
        Ok(Err(problems)) => problems,
        Err(problem) => problem.into(),
    };
    // A page may show a blueprint without the files that it includes.
    let wrong: Vec<String> = problems
        .iter()
        .filter(|problem| !problem.message.contains("it is not shown"))
        .map(|problem| format!("{} {}", problem.code.name, problem.message))
        .collect();
    (!wrong.is_empty()).then(|| wrong.join("; "))
}

#[test]
fn examples_of_diagnostics_are_right() {
    let shapes = &*SHAPES;
    let mut wrong = BTreeMap::new();
    for code in codes().into_iter().filter(|code| !code.example.is_empty() && !code.is_command()) {
        if let Some(why) = refuse(shapes, code.example) {
            wrong.insert(code.name, format!("{}\n    {why}", code.example));
        }
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
}

/// What stands in backticks, lines joined.
fn quoted(text: &str) -> Vec<String> {
    text.split_whitespace()
        .collect::<Vec<_>>()
        .join(" ")
        .split('`')
        .skip(1)
        .step_by(2)
        .map(str::to_owned)
        .collect()
}

/// Why a text in backticks cannot be right: a field that there is nowhere, or a piece that nothing can be.
fn refuse_quoted(shapes: &Shapes, words: &BTreeSet<String>, text: &str) -> Option<String> {
    let is_word =
        text.starts_with(|c: char| c.is_ascii_lowercase()) && text.chars().all(|c| c.is_ascii_alphanumeric());
    if is_word && text.contains(|c: char| c.is_ascii_uppercase()) {
        return (!words.contains(text)).then(|| format!("nothing is called `{text}`"));
    }
    let is_field =
        text.split_once(": ").is_some_and(|(name, _)| name.chars().all(|c| c.is_ascii_alphanumeric()));
    let is_shown = !text.contains("NAME") && !text.contains("${networks.…");
    let fits = |text: &str| refuse(shapes, text).is_none();
    let shown = text.replace("${…}", "x");
    // An element of a mapping that the reader knows of.
    let wrong = is_field && is_shown && !fits(&shown) && !fits(&format!("tags: {{ {shown} }}"));
    wrong.then(|| format!("`{text}`: {}", refuse(shapes, &shown).unwrap_or_default()))
}

/// Names and values that the schema knows.
fn words() -> BTreeSet<String> {
    fn walk(schema: &Value, found: &mut BTreeSet<String>) {
        match schema {
            Value::Object(members) => {
                found.extend(members.keys().cloned());
                members.values().for_each(|inside| walk(inside, found));
            }
            Value::Array(items) => items.iter().for_each(|inside| walk(inside, found)),
            Value::String(text) => {
                found.insert(text.clone());
                found.extend(quoted(text));
            }
            _ => {}
        }
    }
    let mut found = BTreeSet::new();
    walk(&schema(), &mut found);
    // Functions, and what resources give.
    let kinds =
        std::fs::read_dir(root().join("docs/reference/kinds")).unwrap().map(|page| page.unwrap().path());
    for page in kinds.chain([root().join("docs/reference/expressions.md")]) {
        let text = std::fs::read_to_string(page).unwrap();
        found.extend(text.split(|c: char| !c.is_ascii_alphanumeric()).map(str::to_owned));
    }
    // A parameter of a built-in policy.
    found.insert("listOfAllowedLocations".to_owned());
    found
}

#[test]
fn remedies_name_what_there_is() {
    let (shapes, words) = (&*SHAPES, words());
    let mut wrong = BTreeMap::new();
    for code in codes() {
        for text in quoted(code.why).into_iter().chain(quoted(code.remedy)) {
            if let Some(why) = refuse_quoted(shapes, &words, &text) {
                wrong.insert(format!("{} {text}", code.name), why);
            }
        }
    }
    for case in invalid::cases() {
        let helps = case.said.split("\n  help: ").skip(1);
        for help in helps.map(|help| help.split("\n\n").next().unwrap_or_default()) {
            for text in quoted(help) {
                if let Some(why) = refuse_quoted(shapes, &words, &text) {
                    wrong.insert(format!("{case} {text}"), why);
                }
            }
        }
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
}

#[test]
fn examples_and_defaults_of_fields_are_right() {
    let whole = schema();
    let mut count = 0;
    let mut wrong = Vec::new();
    fn walk(schema: &Value, definitions: &Value, path: &str, count: &mut usize, wrong: &mut Vec<String>) {
        match schema {
            Value::Object(members) => {
                let of_field = !path.ends_with("/properties");
                let examples = members.get("examples").filter(|_| of_field).and_then(Value::as_array);
                for example in examples.into_iter().flatten() {
                    let mut shape: Map<String, Value> = members.clone();
                    shape.insert("definitions".to_owned(), definitions.clone());
                    let validator = jsonschema::draft7::new(&Value::Object(shape)).unwrap();
                    *count += 1;
                    if let Some(error) = validator.iter_errors(example).next() {
                        wrong.push(format!("{path}: {example} {error:.200}"));
                    }
                }
                for (name, inside) in members {
                    walk(inside, definitions, &format!("{path}/{name}"), count, wrong);
                }
            }
            Value::Array(items) => {
                for (at, inside) in items.iter().enumerate() {
                    walk(inside, definitions, &format!("{path}/{at}"), count, wrong);
                }
            }
            _ => {}
        }
    }
    walk(&whole, &whole["definitions"], "", &mut count, &mut wrong);
    assert!(count > 50, "{count} examples");
    assert!(wrong.is_empty(), "{wrong:#?}");
}

/// Every Markdown file that people read; what is generated has its own tests, and faults are no blueprints.
fn pages() -> Vec<PathBuf> {
    fn walk(folder: &Path, found: &mut Vec<PathBuf>) {
        for entry in std::fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() && !path.ends_with("kinds") {
                walk(&path, found);
            } else if path.extension().is_some_and(|end| end == "md") {
                found.push(path);
            }
        }
    }
    let mut found = vec![root().join("README.md")];
    walk(&root().join("docs"), &mut found);
    found.retain(|path| !path.ends_with("faults.md") && !path.ends_with("diagnostics.md"));
    found.sort();
    found
}

#[test]
fn examples_of_pages_are_right() {
    let shapes = &*SHAPES;
    let (mut wrong, mut count) = (Vec::new(), 0);
    for path in pages() {
        let text = std::fs::read_to_string(&path).unwrap();
        let mut lines = text.lines().enumerate();
        while let Some((at, line)) = lines.next() {
            let Some(indent) = line.strip_suffix("```yaml").filter(|indent| indent.trim().is_empty()) else {
                continue;
            };
            let block: Vec<&str> = lines
                .by_ref()
                .map(|(_, line)| line.strip_prefix(indent).unwrap_or(line))
                .take_while(|line| !line.starts_with("```"))
                .collect();
            // A step of somebody else's pipeline.
            if block.iter().any(|line| line.contains("task: AzureCLI")) {
                continue;
            }
            // A file of a guide whose commands are run: `guides` does that.
            if block.first().is_some_and(|line| line.starts_with("# ") && line.ends_with(".yaml")) {
                continue;
            }
            count += 1;
            if let Some(why) = refuse(shapes, &block.join("\n")) {
                wrong.push(format!("{}:{}: {why}", path.strip_prefix(root()).unwrap().display(), at + 1));
            }
        }
    }
    assert!(count >= 10, "{count} examples");
    assert!(wrong.is_empty(), "{wrong:#?}");
}

#[test]
fn what_is_wrong_is_seen() {
    let shapes = &*SHAPES;
    for text in [
        "clusters: { aks: { netwrk: {} } }",
        "subnets: { nodes: { prefix: 3 } }",
        "nodePools: { system: { vmSise: x } }",
        "blueprint: shop\nazure: { location: x }\nidentities: { app: { name: a } }",
    ] {
        assert!(refuse(shapes, text).is_some(), "{text}");
    }
    assert_eq!(refuse(shapes, "subnets: { nodes: { prefix: 10.0.0.0/20 } }"), None);
}

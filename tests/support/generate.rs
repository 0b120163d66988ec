//! Blueprints made from other blueprints, one field at a time, by walking a section's own schema.
//!
//! What a field accepts is not told here: of every field that the schema has there are candidates, the likeliest
//! first, and whoever asks takes those that berth's own validation accepts.

use serde_json::{Map, Value, json};

/// One change of a blueprint.
#[derive(Debug, Clone)]
pub struct Edit {
    /// Where, from the blueprint's top: member names, and positions in lists.
    pub path: Vec<String>,
    /// The values to try there, the likeliest first; null takes the field out.
    pub values: Vec<Value>,
}

impl Edit {
    /// The place as one text.
    pub fn name(&self) -> String {
        self.path.join(".")
    }

    /// The blueprint with one of the values in place; `None` when there is no such place.
    pub fn on(&self, blueprint: &Value, value: &Value) -> Option<Value> {
        let mut changed = blueprint.clone();
        let (last, parents) = self.path.split_last()?;
        let mut at = &mut changed;
        for part in parents {
            at = match at {
                Value::Object(members) => members.get_mut(part)?,
                Value::Array(items) => items.get_mut(part.parse::<usize>().ok()?)?,
                _ => return None,
            };
        }
        match at {
            Value::Object(members) if value.is_null() => drop(members.shift_remove(last)?),
            Value::Object(members) => drop(members.insert(last.clone(), value.clone())),
            Value::Array(items) => {
                let at = last.parse::<usize>().ok().filter(|at| *at < items.len())?;
                if value.is_null() { drop(items.remove(at)) } else { items[at] = value.clone() }
            }
            _ => return None,
        }
        Some(changed)
    }
}

/// The edits of an entry: one for every field that its schema has, set, changed and taken out.
pub fn edits(schema: &Value, definitions: &Map<String, Value>, entry: &Value, path: &[String]) -> Vec<Edit> {
    let mut walk = Walk { definitions, edits: Vec::new() };
    walk.field(schema, Some(entry), path, 0);
    // What every entry of every kind has.
    let below = |name: &str| path.iter().cloned().chain([name.to_owned()]).collect::<Vec<_>>();
    let tags = vec![json!({ "team": "one" }), json!({ "team": "two", "Cost Centre": "7" })];
    walk.edits.push(Edit { path: below("tags"), values: tags });
    walk.edits
}

struct Walk<'a> {
    definitions: &'a Map<String, Value>,
    edits: Vec<Edit>,
}

/// How many candidates of one field are kept.
const MANY: usize = 40;

impl<'a> Walk<'a> {
    /// A schema without the references and alternatives around it.
    fn shapes(&self, schema: &'a Value) -> Vec<&'a Value> {
        if let Some(name) = schema.get("$ref").and_then(Value::as_str) {
            let name = name.rsplit('/').next().unwrap_or_default();
            return self.definitions.get(name).map(|schema| self.shapes(schema)).unwrap_or_default();
        }
        for word in ["anyOf", "oneOf", "allOf"] {
            if let Some(Value::Array(all)) = schema.get(word) {
                let shapes = all.iter().flat_map(|one| self.shapes(one));
                return shapes.filter(|one| one["type"] != "null").collect();
            }
        }
        vec![schema]
    }

    fn field(&mut self, schema: &'a Value, current: Option<&Value>, path: &[String], depth: usize) {
        let below = |name: &str| path.iter().cloned().chain([name.to_owned()]).collect::<Vec<_>>();
        let mut values = self.values(schema, path.last().map_or("", String::as_str), depth);
        let Some(current) = current else {
            self.edits.push(Edit { path: path.to_vec(), values });
            return;
        };
        if depth > 0 {
            self.edits.push(Edit { path: path.to_vec(), values: vec![Value::Null] });
        }
        if let Value::Array(items) = current {
            let turned: Vec<Value> = items.iter().rev().cloned().collect();
            let longer = values.iter().filter_map(|value| value.as_array()?.first());
            let longer: Vec<Value> =
                longer.map(|one| items.iter().cloned().chain([one.clone()]).collect()).collect();
            values.extend(longer);
            values.push(Value::Array(turned));
        }
        values.retain(|value| value != current);
        if depth > 0 && !current.is_object() {
            self.edits.push(Edit { path: path.to_vec(), values });
        }
        for shape in self.shapes(schema) {
            if let (Some(Value::Object(members)), Value::Object(present)) = (shape.get("properties"), current) {
                for (name, schema) in members {
                    self.field(schema, present.get(name), &below(name), depth + 1);
                }
            }
            let more = shape.get("additionalProperties").filter(|more| more.is_object());
            if let (Some(more), Value::Object(present)) = (more, current) {
                for (name, value) in present {
                    if shape["properties"].get(name).is_none() {
                        self.field(more, Some(value), &below(name), depth + 1);
                    }
                }
                self.field(more, None, &below("extra"), depth + 1);
            }
            if let (Some(schema), Value::Array(items)) = (shape.get("items"), current) {
                for (at, item) in items.iter().enumerate().filter(|(_, item)| item.is_object()) {
                    self.field(schema, Some(item), &below(&at.to_string()), depth + 1);
                }
            }
        }
    }

    /// Values that a field may have.
    fn values(&self, schema: &'a Value, name: &str, depth: usize) -> Vec<Value> {
        let shapes = self.shapes(schema);
        let mut all: Vec<Value> = Vec::new();
        if depth < 7 {
            for shape in shapes {
                all.extend(self.of_shape(shape, name, depth));
            }
        }
        all.dedup();
        all.truncate(MANY);
        all
    }

    fn of_shape(&self, shape: &'a Value, name: &str, depth: usize) -> Vec<Value> {
        if let Some(one) = shape.get("const") {
            return vec![one.clone()];
        }
        if let Some(Value::Array(all)) = shape.get("enum") {
            return all.iter().filter(|one| !one.is_null()).cloned().collect();
        }
        let types: Vec<&str> = match &shape["type"] {
            Value::String(one) => vec![one],
            Value::Array(all) => all.iter().filter_map(Value::as_str).collect(),
            _ => vec!["string", "object"],
        };
        let mut all = Vec::new();
        for one in types {
            match one {
                "boolean" => all.extend([json!(true), json!(false)]),
                "integer" | "number" => {
                    let bound = |word: &str, or: i64| shape.get(word).and_then(Value::as_i64).unwrap_or(or);
                    let (low, high) = (bound("minimum", -1), bound("maximum", i64::MAX));
                    let fit = |n: &i64| (low..=high).contains(n);
                    all.extend([3, 2, 7, 1, 5, 45, 60, 30, 90, 120, 400, 64, 1024, 0].into_iter().filter(fit).map(Value::from));
                }
                "string" => all.extend(texts(name).map(Value::from)),
                "array" => {
                    let items = shape.get("items").map(|items| self.values(items, name, depth + 1));
                    let items = items.unwrap_or_default();
                    all.extend(items.iter().map(|item| json!([item])));
                    if let [first, second, ..] = items.as_slice() {
                        all.insert(1, json!([first, second]));
                    }
                }
                "object" => all.extend(self.objects(shape, depth)),
                _ => {}
            }
        }
        all
    }

    fn objects(&self, shape: &'a Value, depth: usize) -> Vec<Value> {
        let mut all = Vec::new();
        if let Some(Value::Object(members)) = shape.get("properties") {
            let required: Vec<&str> = shape["required"]
                .as_array()
                .map(|names| names.iter().filter_map(Value::as_str).collect())
                .unwrap_or_default();
            // The required members, each with the first of its candidates, then with another of one of them.
            let mut base = Map::new();
            for name in &required {
                let schema = &members[*name];
                let value = self.values(schema, name, depth + 1).into_iter().next();
                base.insert((*name).to_owned(), value.unwrap_or(Value::Null));
            }
            all.push(Value::Object(base.clone()));
            let optional = members.iter().filter(|(name, _)| !required.contains(&name.as_str()));
            let mut others: Vec<std::vec::IntoIter<Value>> = Vec::new();
            for (name, schema) in required.iter().map(|name| (*name, &members[*name])).chain(
                optional.map(|(name, schema)| (name.as_str(), schema)),
            ) {
                let with = self.values(schema, name, depth + 1).into_iter().take(8).map(|value| {
                    let mut object = base.clone();
                    object.insert(name.to_owned(), value);
                    Value::Object(object)
                });
                others.push(with.collect::<Vec<_>>().into_iter());
            }
            // One of each, then another of each: what is cut off is the least likely.
            while all.len() < MANY {
                let round: Vec<Value> = others.iter_mut().filter_map(Iterator::next).collect();
                if round.is_empty() {
                    break;
                }
                all.extend(round);
            }
        }
        match shape.get("additionalProperties") {
            Some(more @ Value::Object(_)) => {
                all.extend(self.values(more, "extra", depth + 1).into_iter().map(|value| json!({ "extra": value })));
            }
            Some(Value::Bool(true)) => all.push(json!({ "extra": "text" })),
            _ if all.is_empty() => all.push(json!({})),
            _ => {}
        }
        all
    }
}

/// What a text may be: the name of the field says what to try first.
fn texts(name: &str) -> impl Iterator<Item = String> {
    const POOL: &[(&str, &str)] = &[
        ("prefix cidr range address space ips allowed source destination", "10.20.64.0/24"),
        ("prefix cidr range address ips", "203.0.113.0/24"),
        ("ip ips address server hop", "10.20.0.40"),
        ("interval timeout duration delay time poll", "5m"),
        ("subnet", "${networks.hub.subnets.nodes}"),
        ("network", "${networks.hub}"),
        ("identity principal", "${identities.spare}"),
        ("workspace", "${logWorkspaces.spare}"),
        ("vault", "${keyVaults.spare}"),
        ("nat gateway", "${natGateways.spare}"),
        ("publicip ips outbound", "${publicIps.spare}"),
        ("route", "${routeTables.spare}"),
        ("security nsg", "${networkSecurityGroups.spare}"),
        ("zone dns", "${privateDnsZones.spare}"),
        ("tenant id object group client application admin principal", "5ab5c819-0000-4000-8000-00000000abcd"),
        ("url repository", "https://example.com/other"),
        ("password secret key token value", "${param.spare}"),
        ("version", "1.34"),
        ("location region", "northeurope"),
        ("size", "Standard_D8s_v5"),
        ("port ports", "8443"),
        ("start at", "03:00"),
        ("date from until expires before", "2027-03-01"),
        ("expires before until", "2027-03-01T00:00:00Z"),
        ("zones", "1"),
        ("offset", "+02:00"),
        ("certificate ca cert", "LS0tLS1CRUdJTiBDRVJUSUZJQ0FURS0tLS0tCk1JSUIKLS0tLS1FTkQgQ0VSVElGSUNBVEUtLS0tLQo="),
        ("memory", "10Mi"),
        ("taint", "dedicated=batch:NoSchedule"),
        ("", "another"),
        ("", "1"),
        ("", "true"),
        ("service", "Microsoft.Storage"),
        ("delegation", "Microsoft.ContainerInstance/containerGroups"),
        ("", "get"),
    ];
    let lower = name.to_ascii_lowercase();
    let likely = |words: &str| words.split(' ').any(|word| !word.is_empty() && lower.contains(word));
    // What names something is tried only where the field's name asks for it; the rest is for every text.
    let first = POOL.iter().filter(|(words, _)| likely(words));
    let rest = POOL.iter().filter(|(words, text)| !likely(words) && !text.contains("${"));
    first.chain(rest).map(|(_, text)| (*text).to_owned()).collect::<Vec<_>>().into_iter()
}

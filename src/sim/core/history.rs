//! What Azure remembers of writes, as the change history (Resource Graph) and the Activity Log show it.
//!
//! One record a write that was accepted or refused by the provider. Both views are made from it, each with a delay of its
//! own and for a time of its own.

use super::json::Object;
use super::options::HistoryDelay;
use crate::host::Timestamp;
use crate::host::transport::{Method, Response};
use serde::de::{Error as _, SeqAccess, Visitor};
use serde::{Deserialize, Deserializer, Serialize};
use serde_json::value::RawValue;
use serde_json::{Map, Value, json};
use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;
use std::time::Duration;

/// For how long the change history is kept.
pub(crate) const CHANGES_KEPT: Duration = Duration::from_secs(14 * 86_400);
/// For how long the Activity Log is kept.
pub(crate) const LOG_KEPT: Duration = Duration::from_secs(90 * 86_400);

/// When a change shows in the change history: usually in under five minutes.
const CHANGES_SHOW: Duration = Duration::from_secs(120);
/// When an event shows in the Activity Log.
const LOG_SHOWS: Duration = Duration::from_secs(240);

/// The longest value that the change history shows whole.
const LONGEST_VALUE: usize = 1024;

/// What became of a resource.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum ChangeType {
    Create,
    Update,
    Delete,
}

impl ChangeType {
    pub(crate) const fn as_str(self) -> &'static str {
        match self {
            ChangeType::Create => "Create",
            ChangeType::Update => "Update",
            ChangeType::Delete => "Delete",
        }
    }
}

/// Who sent a request, as its token says.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(crate) struct Caller {
    /// The sign-in name of a person, the object id of any other.
    pub(crate) name: String,
    /// `User`, `Application` or `System`.
    pub(crate) kind: String,
    /// The program, as the change history names it.
    pub(crate) client: String,
    /// What the Activity Log shows of the token.
    pub(crate) claims: Object,
}

/// One write.
#[derive(Debug, Clone, Serialize)]
pub(crate) struct Record {
    pub(crate) number: u64,
    pub(crate) at: Timestamp,
    /// The id as the provider spells it.
    pub(crate) id: String,
    /// The type as the provider spells it.
    pub(crate) kind: String,
    pub(crate) method: String,
    /// `Microsoft.Network/virtualNetworks/write`.
    pub(crate) operation: String,
    pub(crate) status: u16,
    pub(crate) correlation: String,
    pub(crate) caller: Arc<Caller>,
    /// What the change history shows; nothing for actions, refusals, and types that it does not follow.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) change: Option<ChangeType>,
    #[serde(skip_serializing_if = "Map::is_empty")]
    pub(crate) changes: Object,
}

/// A record as a file has it: who sent the request is looked at only when it differs from the record before.
#[derive(Deserialize)]
struct Written {
    number: u64,
    at: Timestamp,
    id: String,
    kind: String,
    method: String,
    operation: String,
    status: u16,
    correlation: String,
    caller: Box<RawValue>,
    #[serde(default)]
    change: Option<ChangeType>,
    #[serde(default)]
    changes: Object,
}

/// Every write that is remembered, oldest first. Nearly all have one caller, which is held once.
#[derive(Debug, Clone, Default, Serialize)]
#[serde(transparent)]
pub(crate) struct History {
    records: Vec<Record>,
}

impl<'de> Deserialize<'de> for History {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Records;
        impl<'de> Visitor<'de> for Records {
            type Value = History;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a list of writes")
            }

            fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<History, A::Error> {
                let mut records = Vec::with_capacity(items.size_hint().unwrap_or_default());
                let mut last: Option<(Box<RawValue>, Arc<Caller>)> = None;
                while let Some(written) = items.next_element::<Written>()? {
                    let Written { number, at, id, kind, method, operation, status, correlation, .. } =
                        written;
                    let raw = written.caller;
                    let caller = match &last {
                        Some((before, caller)) if before.get() == raw.get() => caller.clone(),
                        _ => {
                            let read = serde_json::from_str(raw.get()).map_err(A::Error::custom)?;
                            last.insert((raw, Arc::new(read))).1.clone()
                        }
                    };
                    let (change, changes) = (written.change, written.changes);
                    records.push(Record {
                        number,
                        at,
                        id,
                        kind,
                        method,
                        operation,
                        status,
                        correlation,
                        caller,
                        change,
                        changes,
                    });
                }
                Ok(History { records })
            }
        }
        deserializer.deserialize_seq(Records)
    }
}

impl History {
    /// Adds a write, and forgets what is too old for either view.
    pub(crate) fn add(&mut self, mut record: Record) {
        let now = record.at;
        if let Some(last) = self.records.last().filter(|last| last.caller == record.caller) {
            record.caller = last.caller.clone();
        }
        let old = self.records.iter().take_while(|record| now.since(record.at) > LOG_KEPT).count();
        self.records.drain(..old);
        self.records.push(record);
    }

    /// The number of the next record.
    pub(crate) fn next(&self) -> u64 {
        self.records.last().map_or(1, |record| record.number + 1)
    }

    /// What the change history shows at an instant, newest first.
    pub(crate) fn changes(&self, now: Timestamp, delay: HistoryDelay) -> impl Iterator<Item = &Record> {
        self.shown(now, delay.of(CHANGES_SHOW), CHANGES_KEPT).filter(|record| record.change.is_some())
    }

    /// What the Activity Log shows at an instant, newest first.
    pub(crate) fn events(&self, now: Timestamp, delay: HistoryDelay) -> impl Iterator<Item = &Record> {
        self.shown(now, delay.of(LOG_SHOWS), LOG_KEPT)
    }

    /// When everything that has happened shows everywhere.
    pub(crate) fn settled_at(&self) -> Option<Timestamp> {
        self.records.last().map(|record| record.at.plus(CHANGES_SHOW.max(LOG_SHOWS)))
    }

    fn shown(&self, now: Timestamp, after: Duration, kept: Duration) -> impl Iterator<Item = &Record> {
        self.records
            .iter()
            .rev()
            .filter(move |record| record.at.plus(after) <= now && now.since(record.at) <= kept)
    }
}

/// Resource Graph's own budget: when the window began, and how many queries came since.
#[derive(Debug, Default)]
pub(crate) struct GraphBudget {
    pub(crate) since: Timestamp,
    pub(crate) used: u32,
}

/// The operation that a write needs the permission for.
pub(crate) fn operation(method: Method, kind: &str, action: Option<&str>) -> String {
    match (method, action) {
        (Method::Delete, _) => format!("{kind}/delete"),
        (Method::Post, Some(action)) => format!("{kind}/{action}/action"),
        (Method::Get | Method::Head, _) => format!("{kind}/read"),
        _ => format!("{kind}/write"),
    }
}

/// What became different, by path. What every write renews is not a change.
pub(crate) fn differences(before: &Value, after: &Value) -> Object {
    let (before, after) = (leaves(before), leaves(after));
    let mut changes = Object::new();
    let paths: std::collections::BTreeSet<&String> = before.keys().chain(after.keys()).collect();
    for path in paths {
        let (old, new) = (before.get(path), after.get(path));
        if old == new {
            continue;
        }
        let kind = match (old, new) {
            (None, _) => "Insert",
            (_, None) => "Remove",
            _ => "Update",
        };
        let mut cut = false;
        let mut shown = |value: Option<&String>| match value {
            Some(value) if value.len() > LONGEST_VALUE => {
                cut = true;
                json!(value.chars().take(LONGEST_VALUE).collect::<String>())
            }
            Some(value) => json!(value),
            None => Value::Null,
        };
        let mut change = json!({
            "previousValue": shown(old),
            "newValue": shown(new),
            "propertyChangeType": kind,
            "changeCategory": "User",
        });
        change["isTruncated"] = json!(if cut { "true" } else { "false" });
        changes.insert(path.clone(), change);
    }
    changes
}

/// The scalars of a body, as texts, by path.
fn leaves(body: &Value) -> BTreeMap<String, String> {
    fn walk(value: &Value, at: &str, found: &mut BTreeMap<String, String>) {
        match value {
            Value::Object(members) => {
                for (name, member) in members {
                    if matches!(name.as_str(), "etag" | "eTag" | "provisioningState" | "systemData") {
                        continue;
                    }
                    let path = if at.is_empty() { name.clone() } else { format!("{at}.{name}") };
                    walk(member, &path, found);
                }
            }
            Value::Array(items) => {
                items.iter().enumerate().for_each(|(n, item)| walk(item, &format!("{at}[{n}]"), found));
            }
            Value::Null => {}
            Value::String(text) => {
                found.insert(at.to_owned(), text.clone());
            }
            other => {
                found.insert(at.to_owned(), other.to_string());
            }
        }
    }
    let mut found = BTreeMap::new();
    walk(body, "", &mut found);
    found
}

/// Whether a response tells that the write was taken.
pub(crate) fn is_taken(response: &Response) -> bool {
    response.status < 300
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_read_is_what_was_written_and_holds_a_caller_once() {
        let write = |number: u64, name: &str| {
            json!({
                "number": number, "at": 5, "id": "/s", "kind": "K", "method": "PUT", "operation": "K/write",
                "status": 201, "correlation": "c", "change": "Create",
                "caller": { "name": name, "kind": "User", "client": "x", "claims": { "a": 1 } },
            })
        };
        let written = json!([write(1, "ada"), write(2, "ada"), write(3, "bob")]);
        let history: History = serde_json::from_str(&written.to_string()).unwrap();
        assert_eq!(serde_json::to_value(&history).unwrap(), written);
        assert!(Arc::ptr_eq(&history.records[0].caller, &history.records[1].caller));
        assert_eq!(history.records[2].caller.name, "bob");
        let mut damaged = written;
        damaged[1]["caller"] = json!("ada");
        assert!(serde_json::from_str::<History>(&damaged.to_string()).is_err());
    }

    #[test]
    fn differences_are_by_path_and_leave_out_what_every_write_renews() {
        let before = json!({ "etag": "1", "tags": { "a": "x" }, "properties": { "list": [1, 2], "provisioningState": "Updating" } });
        let after = json!({ "etag": "2", "tags": { "b": "y" }, "properties": { "list": [1, 3], "provisioningState": "Succeeded" } });
        let changes = differences(&before, &after);
        let paths: Vec<&str> = changes.keys().map(String::as_str).collect();
        assert_eq!(paths, ["properties.list[1]", "tags.a", "tags.b"]);
        assert_eq!(changes["properties.list[1]"]["newValue"], "3");
        assert_eq!(changes["tags.a"]["propertyChangeType"], "Remove");
    }
}

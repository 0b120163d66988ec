//! How Azure keeps what was deleted.

use crate::ident::ArmId;
use serde_json::Value;

/// How Azure keeps a resource that was deleted. It is brought back by a PUT with `properties.createMode: recover`, and
/// gone for good after a POST to `purge` below its path.
#[derive(Debug)]
pub struct SoftDeletion {
    /// Where it is found: a path with `{subscription}`, `{location}`, `{name}`.
    pub path: &'static str,
    /// Where its body says, before it is deleted, that it may not be purged: a JSON pointer to a boolean.
    pub kept_by: &'static str,
    /// Where the body of the deleted one says so.
    pub kept_when_deleted: &'static str,
    /// Where the body of the deleted one has the tags that it had: a JSON pointer.
    pub tags_when_deleted: &'static str,
}

impl SoftDeletion {
    /// Where a soft-deleted resource of this id is found; `body` has its location.
    pub fn path_of(&self, id: &ArmId, body: &Value) -> String {
        let location = body.get("location").and_then(Value::as_str).unwrap_or_default();
        self.path
            .replace("{subscription}", id.subscription().unwrap_or_default())
            .replace("{location}", location)
            .replace("{name}", id.name())
    }

    /// Whether one with this body, not deleted yet, may not be purged once it is.
    pub fn keeps(&self, body: &Value) -> bool {
        says(body, self.kept_by)
    }

    /// Whether one may not be purged whose body among the deleted is this.
    pub fn keeps_deleted(&self, body: &Value) -> bool {
        says(body, self.kept_when_deleted)
    }
}

fn says(body: &Value, pointer: &str) -> bool {
    body.pointer(pointer).and_then(Value::as_bool) == Some(true)
}

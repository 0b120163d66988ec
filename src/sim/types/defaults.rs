//! What Azure adds to the bodies of the commonest types that have no behaviour of their own.

use crate::core::error::Failure;
use crate::core::json::{Object, at, set, set_default, text};
use crate::core::operation::{USUAL, seconds};
use crate::core::store::Resource;
use crate::core::world::World;
use serde_json::{Value, json};
use std::ops::RangeInclusive;
use std::time::Duration;

/// A resource whose body is being completed.
pub(crate) struct Made<'w> {
    pub(crate) world: &'w World,
    pub(crate) key: &'w str,
    /// Its name in lower case.
    pub(crate) name: String,
}

/// A write that is looked at before it is carried out.
pub(crate) struct Asked<'w> {
    pub(crate) world: &'w World,
    pub(crate) key: &'w str,
    /// Its name as it was written.
    pub(crate) name: &'w str,
    /// The body as it would be, with what will not be kept.
    pub(crate) body: &'w Object,
    /// The body as it is.
    pub(crate) before: Option<&'w Object>,
}

impl Asked<'_> {
    /// Refuses another value of a member that never changes.
    pub(crate) fn keeps(&self, path: &str, code: &str) -> Result<(), Failure> {
        let Some(before) = self.before.and_then(|before| at(before, path)) else { return Ok(()) };
        let same = |now: &Value| match (before, now) {
            (Value::String(a), Value::String(b)) => a.eq_ignore_ascii_case(b),
            (a, b) => a == b,
        };
        match at(self.body, path) {
            Some(now) if !same(now) => {
                let message = format!("The property '{path}' of '{}' cannot be changed.", self.name);
                Err(Failure::bad(code, message))
            }
            _ => Ok(()),
        }
    }

    /// Refuses a text that is none of those that the provider knows.
    pub(crate) fn one_of(&self, path: &str, known: &[&str]) -> Result<(), Failure> {
        match text(self.body, path) {
            Some(found) if !known.iter().any(|known| known.eq_ignore_ascii_case(found)) => {
                let message = format!("The value '{found}' of '{path}' is none of {}.", known.join(", "));
                Err(Failure::bad("InvalidParameterValue", message))
            }
            _ => Ok(()),
        }
    }

    /// Refuses a body without a member.
    pub(crate) fn needs(&self, path: &str) -> Result<(), Failure> {
        match at(self.body, path) {
            Some(value) if !value.is_null() => Ok(()),
            _ => Err(Failure::bad("MissingRequiredProperty", format!("The property '{path}' is required."))),
        }
    }

    /// Refuses a name that is shorter or longer, or has another character at its ends or within.
    pub(crate) fn named(
        &self,
        length: RangeInclusive<usize>,
        ends: fn(char) -> bool,
        inner: fn(char) -> bool,
        code: &str,
    ) -> Result<(), Failure> {
        let name = self.name;
        let good = length.contains(&name.chars().count())
            && name.starts_with(ends)
            && name.ends_with(ends)
            && name.chars().all(inner);
        let message = format!("The name '{name}' is not valid for this type of resource.");
        if good { Ok(()) } else { Err(Failure::bad(code, message)) }
    }

    /// The resource that a reference names, which must be of a type.
    pub(crate) fn refers(&self, id: &str, kind: &str, code: &str) -> Result<&Resource, Failure> {
        let found = self.world.state.resources.get(&id.to_ascii_lowercase()).filter(|r| r.kind == kind);
        found.ok_or_else(|| {
            Failure::bad(code, format!("The resource '{id}' that is referred to was not found."))
        })
    }

    /// Refuses a name that another resource of the same type has, anywhere in the world.
    pub(crate) fn alone_in_the_world(&self, kind: &str, code: &str) -> Result<(), Failure> {
        let end = format!("/{}", self.name.to_ascii_lowercase());
        let mut all = self.world.state.resources.of_kind(kind);
        let taken = all.any(|(key, _)| key != self.key && key.ends_with(&end));
        let message = format!("The name '{}' is already taken.", self.name);
        if taken { Err(Failure::new(409, code, message)) } else { Ok(()) }
    }
}

/// How a write of a type ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Ends {
    /// At once.
    Now,
    /// Of a creation with 202 and a location only, which ends by answering with the resource.
    ByLocation,
    /// With this status and an operation, of a deletion with 202; meanwhile nobody else writes to the resource so many
    /// levels above it.
    Followed(u16, usize),
}

/// What is known of a type.
#[derive(Clone, Copy)]
pub(crate) struct Defaults {
    /// The type in lower case.
    kind: &'static str,
    /// What Azure refuses.
    pub(crate) check: fn(&Asked<'_>) -> Result<(), Failure>,
    /// What Azure adds.
    pub(crate) fill: fn(&Made<'_>, &mut Object),
    /// Why it cannot go yet.
    pub(crate) leave: fn(&World, &Resource) -> Result<(), Failure>,
    /// Its type in the answers of a write: 201 for a new one, or 200 always.
    pub(crate) plain: bool,
    pub(crate) ends: Ends,
    /// How long its operations take.
    pub(crate) takes: Duration,
}

/// A type of which only the additions are known.
pub(crate) const fn quick(kind: &'static str, fill: fn(&Made<'_>, &mut Object)) -> Defaults {
    Defaults {
        kind,
        check: |_| Ok(()),
        fill,
        leave: |_, _| Ok(()),
        plain: false,
        ends: Ends::Now,
        takes: USUAL,
    }
}

impl Defaults {
    /// With what Azure refuses.
    pub(crate) const fn refuses(self, check: fn(&Asked<'_>) -> Result<(), Failure>) -> Self {
        Defaults { check, ..self }
    }

    /// With what stands in the way of its deletion.
    pub(crate) const fn stays(self, leave: fn(&World, &Resource) -> Result<(), Failure>) -> Self {
        Defaults { leave, ..self }
    }

    /// Of a provider that never says 201.
    pub(crate) const fn plain(self) -> Self {
        Defaults { plain: true, ..self }
    }

    /// Whose writes take their time.
    pub(crate) const fn takes(self, ends: Ends, takes: u64) -> Self {
        Defaults { ends, takes: seconds(takes), ..self }
    }
}

const KNOWN: &[&[Defaults]] = &[
    &[quick("microsoft.operationalinsights/workspaces", workspace).plain()],
    super::cosmos::KNOWN,
    super::redis::KNOWN,
    super::registry::KNOWN,
    super::sql::KNOWN,
    super::storage::KNOWN,
    super::messaging::KNOWN,
    super::monitor::KNOWN,
    super::plan::KNOWN,
    super::web::KNOWN,
    super::front_door::KNOWN,
];

/// What is known of a type, in lower case; nothing is added to others.
pub(crate) fn of(kind: &str) -> Defaults {
    let mut all = KNOWN.iter().copied().flatten();
    let known = all.find(|known| known.kind == kind).copied();
    // Some providers never say 201: clients refuse it from them.
    let plain = kind.starts_with("microsoft.web/") || kind.starts_with("microsoft.storage/");
    let plain = plain || kind.starts_with("microsoft.operationalinsights/");
    known.unwrap_or(Defaults { plain, ..quick("", |_, _| {}) })
}

fn workspace(made: &Made<'_>, body: &mut Object) {
    let Made { world, key, .. } = made;
    set_default(body, "properties.customerId", world.uuid(key, "customer"));
    let sku = text(body, "properties.sku.name").unwrap_or_default();
    if sku.is_empty() || sku.eq_ignore_ascii_case("standalone") {
        set(body, "properties.sku.name", "PerGB2018");
    }
    set_default(body, "properties.retentionInDays", 30);
    set_default(body, "properties.publicNetworkAccessForIngestion", "Enabled");
    set_default(body, "properties.publicNetworkAccessForQuery", "Enabled");
    set_default(body, "properties.workspaceCapping.dailyQuotaGb", -1.0);
    set_default(body, "properties.workspaceCapping.dataIngestionStatus", "RespectQuota");
    let features = json!({
        "legacy": 0, "searchVersion": 1, "enableLogAccessUsingOnlyResourcePermissions": true,
    });
    for (name, value) in features.as_object().into_iter().flatten() {
        set_default(body, &format!("properties.features.{name}"), value.clone());
    }
    let now = world.time();
    let stored = world.state.resources.get(key);
    let created = stored.and_then(|r| text(&r.body, "properties.createdDate")).unwrap_or(&now).to_owned();
    set(body, "properties.sku.lastSkuUpdate", created.clone());
    set(body, "properties.workspaceCapping.quotaNextResetTime", created.clone());
    set(body, "properties.createdDate", created);
    set(body, "properties.modifiedDate", now.clone());
    let tag = world.uuid(key, &format!("etag {now}"));
    body.insert("etag".into(), json!(format!("\"{tag}\"")));
}

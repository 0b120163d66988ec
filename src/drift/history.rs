//! From what Azure remembers to who changed what.
//!
//! Resource Graph says which fields a change touched, so that it can be told from later changes of other fields. The
//! Activity Log says who wrote to a resource and no more; it knows parts of resources, which Resource Graph does not, and
//! what kind of application a caller is. What neither says is not guessed.

use super::attribution::{Actor, ActorKind, Attribution, ChangedBy, Source, Who};
use super::model::{Drift, DriftKind, DriftReport, FieldDrift};
use crate::ident::ArmId;
use serde_json::Value;
use std::collections::{BTreeSet, HashMap};

/// What a change did to a resource.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum ChangeType {
    Create,
    Update,
    Delete,
}

/// A row of Resource Graph's change history.
#[derive(Debug, Clone)]
pub struct GraphChange {
    id: ArmId,
    change: ChangeType,
    time: String,
    by: String,
    by_type: String,
    client: Option<String>,
    operation: String,
    correlation: Option<String>,
    /// Path and new value of each field that changed.
    fields: Vec<(String, Value)>,
}

/// A write in the Activity Log that Azure carried out.
#[derive(Debug, Clone)]
pub struct LogEvent {
    id: ArmId,
    time: String,
    operation: String,
    actor: Actor,
    client: Option<String>,
    correlation: Option<String>,
}

/// Azure writes these where it knows nothing.
fn said(text: &str) -> Option<&str> {
    let nothing = ["", "unknown", "unspecified", "n/a"];
    (!nothing.contains(&text.to_ascii_lowercase().as_str())).then_some(text)
}

fn text<'v>(value: &'v Value, pointer: &str) -> &'v str {
    value.pointer(pointer).and_then(Value::as_str).unwrap_or_default()
}

impl GraphChange {
    /// Reads `properties` of a row; `None` when it is not one.
    pub fn parse(properties: &Value) -> Option<Self> {
        let attribute = |name: &str| text(properties, &format!("/changeAttributes/{name}"));
        let fields = properties.get("changes").and_then(Value::as_object);
        Some(GraphChange {
            id: ArmId::parse(text(properties, "/targetResourceId")).ok()?,
            change: match text(properties, "/changeType") {
                "Create" => ChangeType::Create,
                "Update" => ChangeType::Update,
                "Delete" => ChangeType::Delete,
                _ => return None,
            },
            time: attribute("timestamp").to_owned(),
            by: attribute("changedBy").to_owned(),
            by_type: attribute("changedByType").to_owned(),
            client: said(attribute("clientType")).map(str::to_owned),
            operation: attribute("operation").to_owned(),
            correlation: said(attribute("correlationId")).map(str::to_owned),
            fields: fields
                .into_iter()
                .flatten()
                .map(|(path, change)| (plain(path), change.get("newValue").cloned().unwrap_or_default()))
                .collect(),
        })
    }

    fn actor(&self) -> Actor {
        let kind = match self.by_type.to_ascii_lowercase().as_str() {
            "user" => ActorKind::Person,
            "application" | "serviceprincipal" => ActorKind::ServicePrincipal,
            "managedidentity" => ActorKind::ManagedIdentity,
            "system" => ActorKind::Azure,
            _ if self.by.contains('@') => ActorKind::Person,
            _ => ActorKind::Unknown,
        };
        let is_azure = self.by.eq_ignore_ascii_case("system");
        let kind = match said(&self.by) {
            _ if is_azure => ActorKind::Azure,
            None if kind != ActorKind::Azure => ActorKind::Unknown,
            _ => kind,
        };
        Actor { kind, name: self.by.clone(), id: None }
    }
}

/// The applications of Microsoft's own clients are the same in every tenant.
fn client_of(application: &str) -> Option<&'static str> {
    Some(match application {
        "c44b4083-3bb0-49c1-b47d-974e53cbdf3c" => "Azure Portal",
        "04b07795-8ddb-461a-bbee-02f9e1bf7b46" => "Azure CLI",
        "1950a258-227b-4e31-a9cf-717495945fc2" => "Azure PowerShell",
        "872cd9fa-d31f-45e0-9eab-6e460a02d1f1" => "Visual Studio",
        _ => return None,
    })
}

impl LogEvent {
    /// Reads an event; `None` when it is not a write that was carried out.
    pub fn parse(event: &Value) -> Option<Self> {
        let operation = text(event, "/operationName/value");
        let status = text(event, "/status/value");
        let done = ["succeeded", "accepted"].contains(&status.to_ascii_lowercase().as_str());
        if !done || !is_write(operation) {
            return None;
        }
        let claims = event.get("claims").unwrap_or(&Value::Null);
        let claim = |name: &str| claims.get(name).and_then(Value::as_str).unwrap_or_default();
        Some(LogEvent {
            id: ArmId::parse(text(event, "/resourceId")).ok()?,
            time: text(event, "/eventTimestamp").to_owned(),
            operation: operation.to_owned(),
            actor: actor(text(event, "/caller"), &claim),
            client: client_of(claim("appid")).map(str::to_owned),
            correlation: said(text(event, "/correlationId")).map(str::to_owned),
        })
    }

    fn is_delete(&self) -> bool {
        self.operation.to_ascii_lowercase().ends_with("/delete")
    }
}

/// Whether an operation changes a resource. Actions that only show something do not.
fn is_write(operation: &str) -> bool {
    let operation = operation.to_ascii_lowercase();
    if operation.starts_with("microsoft.authorization/policies/") {
        return false;
    }
    let mut parts = operation.rsplit('/');
    match parts.next() {
        Some("write" | "delete") => true,
        Some("action") => {
            let reads = ["list", "get", "check", "validate", "read", "export", "join"];
            parts.next().is_some_and(|action| !reads.iter().any(|read| action.starts_with(read)))
        }
        _ => false,
    }
}

/// Who called, by the claims of the token that the log keeps.
fn actor<'c>(caller: &str, claim: &dyn Fn(&str) -> &'c str) -> Actor {
    const OBJECT: &str = "http://schemas.microsoft.com/identity/claims/objectidentifier";
    const UPN: &str = "http://schemas.xmlsoap.org/ws/2005/05/identity/claims/upn";
    const NAME: &str = "http://schemas.xmlsoap.org/ws/2005/05/identity/claims/name";
    let id = said(claim(OBJECT)).map(str::to_owned);
    // The resource whose identity it is: managed identities have it, and no other caller.
    if let Some(resource) = said(claim("xms_mirid")) {
        let resource = resource.trim_end_matches('/');
        let name = resource.rsplit('/').next().unwrap_or(resource).to_owned();
        let of_policy = resource.to_ascii_lowercase().contains("/microsoft.authorization/policyassignments/");
        let kind = if of_policy { ActorKind::Policy } else { ActorKind::ManagedIdentity };
        return Actor { kind, name, id };
    }
    let person = said(claim(UPN)).or_else(|| said(claim(NAME)).filter(|name| name.contains('@')));
    let person = person.or_else(|| Some(caller).filter(|caller| caller.contains('@')));
    if let Some(person) = person.filter(|_| claim("idtyp") != "app") {
        return Actor { kind: ActorKind::Person, name: person.to_owned(), id };
    }
    if let Some(application) = said(claim("appid")) {
        let name = said(claim("name")).or_else(|| said(caller)).unwrap_or(application).to_owned();
        let id = id.filter(|id| *id != name);
        return Actor { kind: ActorKind::ServicePrincipal, name, id };
    }
    match said(caller) {
        // Azure's own services sign in without a token of the tenant.
        None => Actor { kind: ActorKind::Azure, name: "Azure".to_owned(), id },
        Some(caller) if caller.to_ascii_lowercase().starts_with("microsoft.") => {
            Actor { kind: ActorKind::Azure, name: caller.to_owned(), id }
        }
        Some(caller) => Actor { kind: ActorKind::Unknown, name: caller.to_owned(), id },
    }
}

/// Everything that Azure said of the past.
#[derive(Debug, Default)]
pub struct Evidence {
    /// Rows of the change history, in any order.
    pub changes: Vec<GraphChange>,
    /// Events of the log, in any order.
    pub events: Vec<LogEvent>,
    /// Why the change history is not known, or not all of it.
    pub graph_failed: Option<String>,
    /// Why the log of some resources is not known, by id.
    pub log_failed: HashMap<ArmId, String>,
}

/// What a drift is about.
#[derive(Debug, Clone, Copy)]
enum Wanted<'a> {
    /// Who changed this field.
    Field(&'a FieldDrift),
    /// Who deleted the resource.
    Deletion,
    /// Who made the resource.
    Creation,
}

/// The ids of which the past has to be known, without repetition.
pub fn subjects(report: &DriftReport) -> Vec<ArmId> {
    let mut seen = BTreeSet::new();
    let mut found = Vec::new();
    for (id, _) in questions(report) {
        if seen.insert(id.as_str().to_lowercase()) {
            found.push(id.clone());
        }
    }
    found
}

fn questions(report: &DriftReport) -> Vec<(&ArmId, Wanted<'_>)> {
    let mut all = Vec::new();
    for drift in &report.drifted {
        all.extend(of_drift(drift));
    }
    all.extend(report.not_ours.iter().map(|connection| (&connection.id, Wanted::Creation)));
    all
}

fn of_drift(drift: &Drift) -> Vec<(&ArmId, Wanted<'_>)> {
    match drift.kind {
        DriftKind::Missing => vec![(&drift.id, Wanted::Deletion)],
        DriftKind::Added => vec![(&drift.id, Wanted::Creation)],
        DriftKind::Changed => drift
            .fields
            .iter()
            .map(|field| (field.subject.as_ref().unwrap_or(&drift.id), Wanted::Field(field)))
            .collect(),
    }
}

/// The ids of which the log has to be read: those that the change history does not explain, and those that an application
/// changed, because only the log says what kind of application.
pub fn unexplained(report: &DriftReport, evidence: &Evidence) -> Vec<ArmId> {
    let mut seen = BTreeSet::new();
    let mut found = Vec::new();
    let index = Index::new(evidence);
    for (id, wanted) in questions(report) {
        let explained = index.change(id, wanted).is_some_and(|change| {
            !matches!(change.actor().kind, ActorKind::ServicePrincipal | ActorKind::Unknown)
        });
        if !explained && seen.insert(id.as_str().to_lowercase()) {
            found.push(id.clone());
        }
    }
    found
}

/// Says of each drift, and of each connection that is not the blueprint's, who made it. `is_own` tells the runs of berth by
/// their correlation id.
pub fn attribute(report: &mut DriftReport, evidence: &Evidence, is_own: &dyn Fn(&str) -> bool) {
    let index = Index::new(evidence);
    for drift in &mut report.drifted {
        let mut by: Vec<ChangedBy> = Vec::new();
        for (id, wanted) in of_drift(drift) {
            let who = index.who(id, wanted, is_own);
            let path = match wanted {
                Wanted::Field(field) => Some(field.path.clone()),
                _ => None,
            };
            match by.iter_mut().find(|known| known.who == who) {
                Some(known) => known.fields.extend(path),
                None => by.push(ChangedBy { fields: path.into_iter().collect(), who }),
            }
        }
        drift.changed_by = by;
    }
    let connections = report.not_ours.iter();
    report.not_ours_by =
        connections.map(|connection| index.who(&connection.id, Wanted::Creation, is_own)).collect();
}

/// Rows and events by the id that they are about.
struct Index<'e> {
    evidence: &'e Evidence,
    changes: HashMap<&'e ArmId, Vec<&'e GraphChange>>,
    events: HashMap<&'e ArmId, Vec<&'e LogEvent>>,
}

impl<'e> Index<'e> {
    fn new(evidence: &'e Evidence) -> Self {
        let mut changes: HashMap<&ArmId, Vec<&GraphChange>> = HashMap::new();
        for change in &evidence.changes {
            changes.entry(&change.id).or_default().push(change);
        }
        let mut events: HashMap<&ArmId, Vec<&LogEvent>> = HashMap::new();
        for event in &evidence.events {
            events.entry(&event.id).or_default().push(event);
        }
        // Newest first. Azure writes times in one form, so that they sort as texts.
        changes.values_mut().for_each(|all| all.sort_by(|a, b| b.time.cmp(&a.time)));
        events.values_mut().for_each(|all| all.sort_by(|a, b| b.time.cmp(&a.time)));
        Index { evidence, changes, events }
    }

    /// The change that explains this, by the change history.
    fn change(&self, id: &ArmId, wanted: Wanted<'_>) -> Option<&'e GraphChange> {
        let all = self.changes.get(id)?;
        let latest = |change| all.iter().find(|row| row.change == change).copied();
        match wanted {
            Wanted::Deletion => latest(ChangeType::Delete),
            Wanted::Creation => latest(ChangeType::Create),
            Wanted::Field(field) => {
                let path = plain(&field.path);
                let touched = |row: &&&GraphChange| {
                    row.change == ChangeType::Update && row.fields.iter().any(|(own, _)| overlap(own, &path))
                };
                // One that led to the very value that is there is surer than a later one of a neighbour in the same list.
                let exact = |row: &&&GraphChange| {
                    touched(row)
                        && row
                            .fields
                            .iter()
                            .any(|(own, value)| overlap(own, &path) && holds(&field.actual, value))
                };
                all.iter().find(exact).or_else(|| all.iter().find(touched)).copied()
            }
        }
    }

    /// The event that explains this, by the log.
    fn event(&self, id: &ArmId, wanted: Wanted<'_>) -> Option<&'e LogEvent> {
        let mut own = self.events.get(id).into_iter().flatten().copied();
        match wanted {
            // What stood above it may have gone, and taken it along.
            Wanted::Deletion => {
                let above: Vec<ArmId> = id.ancestors().collect();
                let above = above.iter().filter_map(|id| self.events.get(id)).flatten().copied();
                own.chain(above).filter(|event| event.is_delete()).max_by(|a, b| a.time.cmp(&b.time))
            }
            // The log goes from new to old.
            Wanted::Creation => own.rfind(|event| !event.is_delete()),
            Wanted::Field(_) => own.find(|event| !event.is_delete()),
        }
    }

    fn who(&self, id: &ArmId, wanted: Wanted<'_>, is_own: &dyn Fn(&str) -> bool) -> Who {
        let own = |correlation: &Option<String>| correlation.as_deref().is_some_and(is_own);
        if let Some(change) = self.change(id, wanted) {
            // The log knows more of the caller: it has the claims of the same request.
            let events = self.events.get(id).into_iter().flatten();
            let same = events
                .copied()
                .find(|event| event.correlation.is_some() && event.correlation == change.correlation);
            let actor = match same {
                Some(event) if event.actor.kind != ActorKind::Unknown => event.actor.clone(),
                _ => change.actor(),
            };
            return Who::Known(Attribution {
                actor,
                client: change.client.clone().or_else(|| same.and_then(|event| event.client.clone())),
                time: change.time.clone(),
                operation: change.operation.clone(),
                correlation_id: change.correlation.clone(),
                source: Source::ResourceGraph,
                own: own(&change.correlation),
            });
        }
        match self.event(id, wanted) {
            Some(event) if own(&event.correlation) && matches!(wanted, Wanted::Field(_)) => {
                Who::Unknown(
                    "the last write that Azure shows is a run of berth; what Azure does by itself is not recorded, and \
                     a change of the last minutes is not shown yet"
                        .to_owned(),
                )
            }
            Some(event) => Who::Known(Attribution {
                actor: event.actor.clone(),
                client: event.client.clone(),
                time: event.time.clone(),
                operation: event.operation.clone(),
                correlation_id: event.correlation.clone(),
                source: Source::ActivityLog,
                own: own(&event.correlation),
            }),
            None => Who::Unknown(self.reason(id)),
        }
    }

    /// Why nothing is known.
    fn reason(&self, id: &ArmId) -> String {
        let (graph, log) = (self.evidence.graph_failed.as_ref(), self.evidence.log_failed.get(id));
        match (graph, log) {
            (Some(graph), Some(log)) => format!("{graph}; {log}"),
            (Some(graph), None) => {
                format!("{graph}, and the Activity Log shows no write of it in the last 90 days")
            }
            (None, Some(log)) => {
                format!("Resource Graph shows no such change in the last 14 days, and {log}")
            }
            (None, None) => "Resource Graph shows no such change in the last 14 days, and the Activity Log no write in the \
                             last 90; a change of the last minutes is not shown yet"
                .to_owned(),
        }
    }
}

/// A path without the places in lists, in lower case: Azure counts what berth tells by name.
fn plain(path: &str) -> String {
    let mut out = String::with_capacity(path.len());
    let mut rest = path;
    while let Some(open) = rest.find('[') {
        out.push_str(&rest[..open]);
        let inside = &rest[open + 1..];
        // A name in quotes is a member: `tags["a.b"]`.
        if let Some(quoted) = inside.strip_prefix('"') {
            let end = quoted.find("\"]").unwrap_or(quoted.len());
            out.push('.');
            out.push_str(&quoted[..end]);
            rest = quoted.get(end + 2..).unwrap_or_default();
        } else {
            rest = inside.find(']').map_or("", |end| &inside[end + 1..]);
        }
    }
    out.push_str(rest);
    out.to_lowercase()
}

/// Whether one of two plain paths is the other, or above it.
fn overlap(a: &str, b: &str) -> bool {
    let (short, long) = if a.len() <= b.len() { (a, b) } else { (b, a) };
    !short.is_empty() && long.strip_prefix(short).is_some_and(|rest| rest.is_empty() || rest.starts_with('.'))
}

/// Whether a value is, or has in it, what the change history shows as new.
fn holds(actual: &Value, new: &Value) -> bool {
    let new = match new {
        Value::String(text) => text.clone(),
        Value::Null => return actual.is_null(),
        other => other.to_string(),
    };
    match actual {
        Value::Array(items) => items.iter().any(|item| holds(item, &Value::String(new.clone()))),
        Value::Object(members) => members.values().any(|item| holds(item, &Value::String(new.clone()))),
        Value::String(text) => *text == new,
        Value::Null => false,
        other => other.to_string().as_str() == new.as_str(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ident::Address;
    use serde_json::json;

    fn vnet() -> ArmId {
        ArmId::resource_group("s", "g").provider("Microsoft.Network/virtualNetworks", &["hub"])
    }

    fn row(change: &str, time: &str, by: &str, kind: &str, changes: Value) -> GraphChange {
        GraphChange::parse(&json!({
            "targetResourceId": vnet().as_str().to_uppercase().replace("/SUBSCRIPTIONS", "/subscriptions"),
            "changeType": change,
            "changeAttributes": {
                "timestamp": time, "changedBy": by, "changedByType": kind, "clientType": "Azure Portal",
                "correlationId": format!("c-{time}"), "operation": "Microsoft.Network/virtualNetworks/write",
            },
            "changes": changes,
        }))
        .unwrap()
    }

    fn event(id: &ArmId, operation: &str, time: &str, claims: Value, caller: &str) -> Option<LogEvent> {
        LogEvent::parse(&json!({
            "resourceId": id, "operationName": { "value": operation }, "status": { "value": "Succeeded" },
            "eventTimestamp": time, "claims": claims, "caller": caller, "correlationId": format!("c-{time}"),
        }))
    }

    fn field(path: &str, actual: Value) -> FieldDrift {
        FieldDrift { actual, ..FieldDrift::new(path, json!("x"), Value::Null) }
    }

    fn report(kind: DriftKind, fields: Vec<FieldDrift>) -> DriftReport {
        let drift = Drift::new(
            Address::new("networks.hub"),
            vnet(),
            "Microsoft.Network/virtualNetworks",
            kind,
            fields,
        );
        DriftReport { drifted: vec![drift], ..DriftReport::default() }
    }

    fn names(report: &DriftReport) -> Vec<(Vec<&str>, String)> {
        let by = report.drifted[0].changed_by.iter();
        by.map(|by| {
            let who = match &by.who {
                Who::Known(known) => known.actor.to_string(),
                Who::Unknown(reason) => reason.clone(),
            };
            (by.fields.iter().map(String::as_str).collect(), who)
        })
        .collect()
    }

    #[test]
    fn each_field_has_the_change_that_touched_it() {
        let changes = vec![
            row("Update", "3", "System", "System", json!({ "properties.other": { "newValue": "1" } })),
            row("Update", "2", "bob@x.com", "User", json!({ "tags.team": { "newValue": "b" } })),
            row(
                "Update",
                "1",
                "ada@x.com",
                "User",
                json!({ "properties.subnets[0].properties.addressPrefix": { "newValue": "10.0.0.0/24" } }),
            ),
            row("Create", "0", "me", "Application", Value::Null),
        ];
        let mut report = report(
            DriftKind::Changed,
            vec![
                field("tags[\"team\"]", json!("b")),
                field("properties.subnets[nodes].properties.addressPrefix", json!("10.0.0.0/24")),
                field("properties.flowTimeoutInMinutes", json!(4)),
            ],
        );
        let evidence = Evidence { changes, ..Evidence::default() };
        assert_eq!(unexplained(&report, &evidence), [vnet()]);
        attribute(&mut report, &evidence, &|_| false);
        let names = names(&report);
        assert_eq!(names[0], (vec!["tags[\"team\"]"], "bob@x.com".to_owned()));
        assert_eq!(names[1].1, "ada@x.com");
        // Nobody is blamed for what no change touched.
        assert!(names[2].1.contains("no such change in the last 14 days"), "{names:?}");
    }

    #[test]
    fn the_change_that_led_to_the_value_wins_over_a_neighbours() {
        let rule = |n: u8, value: &str| json!({ format!("properties.securityRules[{n}].properties.access"): { "newValue": value } });
        let changes = vec![
            row("Update", "2", "bob@x.com", "User", rule(1, "Deny")),
            row("Update", "1", "ada@x.com", "User", rule(0, "Allow")),
        ];
        let mut report = report(
            DriftKind::Changed,
            vec![field("properties.securityRules[web].properties.access", json!("Allow"))],
        );
        attribute(&mut report, &Evidence { changes, ..Evidence::default() }, &|_| false);
        assert_eq!(names(&report)[0].1, "ada@x.com");
    }

    #[test]
    fn a_deletion_is_its_own_or_that_of_something_above() {
        let group = ArmId::resource_group("s", "g");
        let claims = json!({ "appid": "a", "idtyp": "app" });
        let events = vec![
            event(&vnet(), "Microsoft.Network/virtualNetworks/write", "1", claims.clone(), "o1").unwrap(),
            event(&group, "Microsoft.Resources/subscriptions/resourceGroups/delete", "2", claims, "o2")
                .unwrap(),
        ];
        let mut missing = report(DriftKind::Missing, vec![]);
        attribute(&mut missing, &Evidence { events, ..Evidence::default() }, &|_| false);
        assert_eq!(names(&missing)[0].1, "service principal o2");
    }

    #[test]
    fn a_run_of_berth_is_not_what_changed_a_field() {
        let events = vec![
            event(&vnet(), "Microsoft.Network/virtualNetworks/write", "1", json!({ "appid": "a" }), "me")
                .unwrap(),
        ];
        let mut changed = report(DriftKind::Changed, vec![field("tags.a", json!("b"))]);
        attribute(&mut changed, &Evidence { events, ..Evidence::default() }, &|id| id == "c-1");
        assert!(names(&changed)[0].1.starts_with("the last write that Azure shows is a run of berth;"));
    }

    #[test]
    fn callers_are_told_apart_by_their_claims() {
        const UPN: &str = "http://schemas.xmlsoap.org/ws/2005/05/identity/claims/upn";
        let mirid = "/subscriptions/s/resourceGroups/g/providers/Microsoft.ManagedIdentity/userAssignedIdentities/id-app";
        let policy = "/subscriptions/s/providers/Microsoft.Authorization/policyAssignments/tags";
        for (claims, caller, kind, name) in [
            (
                json!({ UPN: "ada@x.com", "appid": "c44b4083-3bb0-49c1-b47d-974e53cbdf3c" }),
                "ada@x.com",
                ActorKind::Person,
                "ada@x.com",
            ),
            (json!({}), "ada@x.com", ActorKind::Person, "ada@x.com"),
            (json!({ "appid": "a", "idtyp": "app" }), "o", ActorKind::ServicePrincipal, "o"),
            (
                json!({ "appid": "a", "idtyp": "app", "xms_mirid": mirid }),
                "o",
                ActorKind::ManagedIdentity,
                "id-app",
            ),
            (json!({ "appid": "a", "xms_mirid": policy }), "o", ActorKind::Policy, "tags"),
            (json!({}), "", ActorKind::Azure, "Azure"),
            (json!({}), "Microsoft.ContainerService", ActorKind::Azure, "Microsoft.ContainerService"),
            (json!({}), "0000-1", ActorKind::Unknown, "0000-1"),
        ] {
            let event =
                event(&vnet(), "Microsoft.Network/virtualNetworks/write", "1", claims, caller).unwrap();
            assert_eq!((event.actor.kind, &*event.actor.name), (kind, name), "{caller}");
        }
        for operation in [
            "Microsoft.X/y/read",
            "Microsoft.X/y/listKeys/action",
            "Microsoft.Authorization/policies/audit/action",
        ] {
            assert!(event(&vnet(), operation, "1", json!({}), "").is_none(), "{operation}");
        }
        assert!(event(&vnet(), "Microsoft.X/y/stop/action", "1", json!({}), "").is_some());
    }

    #[test]
    fn an_application_is_looked_up_in_the_log() {
        let changes = vec![row("Update", "1", "o", "Application", json!({ "tags.a": { "newValue": "b" } }))];
        let mut changed = report(DriftKind::Changed, vec![field("tags.a", json!("b"))]);
        let mut evidence = Evidence { changes, ..Evidence::default() };
        assert_eq!(unexplained(&changed, &evidence).len(), 1);
        attribute(&mut changed, &evidence, &|_| false);
        assert_eq!(names(&changed)[0].1, "service principal o");
        let policy = json!({ "xms_mirid": "/subscriptions/s/providers/Microsoft.Authorization/policyAssignments/tags" });
        evidence.events =
            vec![event(&vnet(), "Microsoft.Network/virtualNetworks/write", "1", policy, "o").unwrap()];
        attribute(&mut changed, &evidence, &|_| false);
        assert_eq!(names(&changed)[0].1, "policy tags");
    }
}

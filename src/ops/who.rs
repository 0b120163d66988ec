//! Who changed it: asks Azure what it remembers, within a budget of requests, and never fails a report.
//!
//! One query of Resource Graph for up to [`BATCH`] ids, in all subscriptions at once. What that leaves open is looked up in
//! the Activity Log, a resource group a request, those with most open questions first. Both are reads that a Reader may do;
//! the query is a POST, and is not a write for that.

use super::Session;
use crate::arm::{Error, is_run};
use crate::drift::{self, DriftReport, Evidence, GraphChange, LogEvent};
use crate::host::Timestamp;
use crate::ident::ArmId;
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

/// How many ids a query is about at most.
const BATCH: usize = 200;
/// So many changes are attributed with [`REQUESTS`] requests.
const CHANGES: usize = 50;
/// How many requests that takes at most.
const REQUESTS: usize = 3;
/// The most pages that are read of the log of one resource group, when the budget has room.
const PAGES: usize = 2;
/// The API version of the log.
const LOG: &str = "2015-04-01";
/// How far back the log goes; the edge itself is refused.
const KEPT: Duration = Duration::from_secs(90 * 86_400 - 3_600);

/// Says of everything in the report who made it, or why that is not known. Without drift nothing is asked.
pub(super) async fn attribute(session: &Session, report: &mut DriftReport) {
    let subjects = drift::subjects(report);
    if subjects.is_empty() {
        return;
    }
    let mut budget = REQUESTS * subjects.len().div_ceil(CHANGES);
    let mut evidence = Evidence::default();
    changes(session, &subjects, &mut budget, &mut evidence).await;
    let open = drift::unexplained(report, &evidence);
    events(session, &open, &mut budget, &mut evidence).await;
    drift::attribute(report, &evidence, &is_run);
}

/// Asks the change history.
async fn changes(session: &Session, ids: &[ArmId], budget: &mut usize, evidence: &mut Evidence) {
    let subscriptions: BTreeSet<String> =
        ids.iter().filter_map(|id| Some(id.subscription()?.to_lowercase())).collect();
    let subscriptions: Vec<String> = subscriptions.into_iter().collect();
    for batch in ids.chunks(BATCH) {
        let query = query(batch);
        let mut next: Option<String> = None;
        loop {
            // The last request is the log's.
            if *budget <= 1 {
                evidence.graph_failed =
                    Some("Resource Graph shows more changes than are read for one report".to_owned());
                return;
            }
            *budget -= 1;
            let page = match session.engine.client.query(&subscriptions, &query, next.as_deref()).await {
                Ok(page) => page,
                Err(error) => {
                    evidence.graph_failed = Some(refusal("Resource Graph", &error));
                    return;
                }
            };
            let rows = page.rows.iter().filter_map(|row| GraphChange::parse(row.get("properties")?));
            evidence.changes.extend(rows);
            if !page.pause.is_zero() {
                session.engine.clock.sleep(page.pause).await;
            }
            match page.next {
                Some(token) => next = Some(token),
                None => break,
            }
        }
    }
}

/// The query for the changes of some resources, newest first. `id` is kept, for without it there are no further pages.
fn query(ids: &[ArmId]) -> String {
    let quoted = |id: &ArmId| {
        let text = id.as_str().to_lowercase().replace('\\', "\\\\").replace('\'', "\\'");
        // A text of Kusto's ends with its line.
        format!("'{}'", text.replace(|c: char| c.is_control(), ""))
    };
    let ids: Vec<String> = ids.iter().map(quoted).collect();
    format!(
        "resourcechanges \
         | extend t = todatetime(properties.changeAttributes.timestamp), rid = tolower(tostring(properties.targetResourceId)) \
         | where rid in~ ({}) | project id, t, rid, properties | order by t desc",
        ids.join(", ")
    )
}

/// Asks the log, a resource group a request.
async fn events(session: &Session, open: &[ArmId], budget: &mut usize, evidence: &mut Evidence) {
    let mut scopes: BTreeMap<(String, Option<String>), Vec<&ArmId>> = BTreeMap::new();
    for id in open {
        let Some(subscription) = id.subscription() else {
            evidence.log_failed.insert(id.clone(), "the Activity Log of a tenant is not read".to_owned());
            continue;
        };
        let group = id.group().map(str::to_lowercase);
        // What is in no group has a question of its own.
        let key = (subscription.to_lowercase(), group.or_else(|| Some(id.as_str().to_owned())));
        scopes.entry(key).or_default().push(id);
    }
    let mut scopes: Vec<_> = scopes.into_iter().collect();
    scopes.sort_by_key(|(_, ids)| std::cmp::Reverse(ids.len()));
    let until = session.engine.clock.now();
    let from = Timestamp(until.0.saturating_sub(KEPT.as_millis() as u64));
    for ((subscription, scope), ids) in scopes {
        let scope = scope.unwrap_or_default();
        if *budget == 0 {
            let reason = "the Activity Log of its resource group was not read: that would take more requests than a report \
                          of this size may cost";
            evidence.log_failed.extend(ids.into_iter().map(|id| (id.clone(), reason.to_owned())));
            continue;
        }
        let text = scope.replace('\'', "''");
        let condition = match scope.starts_with('/') {
            true => format!("resourceUri eq '{text}'"),
            false => format!("resourceGroupName eq '{text}'"),
        };
        // The end lies ahead, so that a clock that runs behind hides nothing.
        let filter = format!(
            "eventTimestamp ge '{from}' and eventTimestamp le '{}' and {condition}",
            until.plus(Duration::from_secs(3_600))
        );
        let select = "caller,claims,correlationId,eventTimestamp,operationName,resourceId,status";
        let path = format!(
            "/subscriptions/{subscription}/providers/Microsoft.Insights/eventtypes/management/values"
        );
        let mut pages = 0;
        let most = PAGES.min(*budget);
        let mut found = Vec::new();
        let query = [("$filter", &*filter), ("$select", select)];
        let read = session.engine.client.pages(&path, LOG, &query, most, |page: Vec<Value>| {
            pages += 1;
            found.extend(page.iter().filter_map(LogEvent::parse));
        });
        let read = read.await;
        *budget -= pages.clamp(1, *budget);
        evidence.events.append(&mut found);
        match read {
            Ok(crate::arm::ListEnd::Complete) => {}
            Ok(crate::arm::ListEnd::Cut) => {
                let reason = "the Activity Log of its resource group is longer than is read for one report";
                evidence.log_failed.extend(ids.into_iter().map(|id| (id.clone(), reason.to_owned())));
            }
            Err(error) => {
                let reason = refusal("the Activity Log", &error);
                evidence.log_failed.extend(ids.into_iter().map(|id| (id.clone(), reason.clone())));
            }
        }
    }
}

/// Why a source said nothing, on one line.
fn refusal(source: &str, error: &Error) -> String {
    let said = if error.message.is_empty() { error.kind.to_string() } else { error.message.clone() };
    let code = error.code.as_ref().map(|code| format!(" ({code})")).unwrap_or_default();
    let said: String = said.chars().take(300).collect();
    format!("{source} cannot be read{code}: {}", said.trim_end_matches(['.', ' ']))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_id_stays_a_text_of_the_query() {
        let id = ArmId::resource_group("s", "g").provider("Microsoft.X/y", &["o'neill\\"]);
        let text = query(&[id]);
        assert!(text.contains(r"/o\'neill\\')"), "{text}");
    }
}

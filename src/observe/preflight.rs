//! Asks what a plan would like to know before its first write.

use crate::arm::{Client, Error, Started};
use crate::state::{Answers, Query};
use futures::StreamExt;
use serde_json::{Value, json};
use std::collections::BTreeSet;

/// Asks all questions at once. One that is refused or fails has no answer: nothing of a plan hangs on it.
pub async fn preflight(client: &Client, queries: BTreeSet<Query>, at_once: usize) -> Answers {
    futures::stream::iter(queries)
        .map(|query| async {
            let answer = ask(client, &query).await.ok().flatten();
            answer.map(|answer| (query, answer))
        })
        .buffer_unordered(at_once.max(1))
        .filter_map(|answered| async { answered })
        .collect()
        .await
}

async fn ask(client: &Client, query: &Query) -> Result<Option<Value>, Error> {
    let list = async |path: &str, version| Ok(Some(Value::Array(client.list(path, version, &[]).await?)));
    match query {
        Query::Locks { subscription } => {
            let path = format!("/subscriptions/{subscription}/providers/Microsoft.Authorization/locks");
            list(&path, "2020-05-01").await
        }
        Query::Usages { subscription, location } => {
            let path = format!(
                "/subscriptions/{subscription}/providers/Microsoft.Compute/locations/{location}/usages"
            );
            list(&path, "2024-07-01").await
        }
        Query::Sizes { subscription, location } => {
            let path = format!("/subscriptions/{subscription}/providers/Microsoft.Compute/skus");
            let filter = format!("location eq '{location}'");
            let sizes = client.list(&path, "2021-07-01", &[("$filter", &filter)]).await?;
            Ok(Some(Value::Array(sizes)))
        }
        Query::Versions { subscription, location } => {
            let path = format!(
                "/subscriptions/{subscription}/providers/Microsoft.ContainerService/locations/{location}/kubernetesVersions"
            );
            client.look_up(&path, "2026-02-01").await
        }
        Query::Provider { subscription, namespace } => {
            let path = format!("/subscriptions/{subscription}/providers/{namespace}");
            Ok(client.get(&path, "2025-04-01").await?.map(|found| found.body))
        }
        Query::Group { id } => {
            let found = client.get(id, "2025-04-01").await?;
            Ok(Some(found.map_or(Value::Null, |group| group.body)))
        }
        Query::Permissions { scope } => {
            let path = format!("{scope}/providers/Microsoft.Authorization/permissions");
            list(&path, "2022-04-01").await
        }
        Query::Name { path, api_version, name, arm_type } => {
            let body = json!({ "name": name, "type": arm_type });
            match client.post(path, api_version, Some(&body)).await? {
                Started::Done(answer) => Ok(answer),
                Started::Running(_) => Ok(None),
            }
        }
    }
}

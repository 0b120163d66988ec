//! Maintenance configurations of a cluster.

use super::cluster::cluster_of;
use crate::core::behaviour::{Answer, Behaviour, stored_and_new};
use crate::core::call::Call;
use crate::core::error::Failure;
use crate::core::json::{Object, at, list, object_at, set, set_default, text};
use crate::core::operation::Act;
use crate::core::store::Resource;
use crate::core::world::World;
use serde_json::Value;

/// `Microsoft.ContainerService/managedClusters/maintenanceConfigurations`.
#[derive(Debug)]
pub(crate) struct Maintenance;

fn invalid(target: &str, message: impl Into<String>) -> Failure {
    Failure::bad("InvalidParameter", message).target(target).flat()
}

/// Refuses a write while the cluster itself comes or goes.
fn refuse_while_made(world: &World, cluster: &str) -> Result<(), Failure> {
    match world.busy(cluster) {
        Some(operation) if matches!(operation.act, Act::Create | Act::Delete) => {
            let message =
                "Operation is not allowed: Another operation is in progress on the managed cluster.";
            Err(Failure::new(409, "OperationNotAllowed", message).flat().passing())
        }
        _ => Ok(()),
    }
}

fn check_window(window: &Object) -> Result<(), Failure> {
    const AT: &str = "properties.maintenanceWindow";
    let schedules = window.get("schedule").and_then(Value::as_object);
    let said = schedules.map_or(0, |s| s.values().filter(|schedule| !schedule.is_null()).count());
    if said != 1 {
        return Err(invalid(&format!("{AT}.schedule"), "Exactly one schedule type must be specified."));
    }
    let hours = window.get("durationHours").and_then(Value::as_i64);
    if !hours.is_some_and(|hours| (4..=24).contains(&hours)) {
        return Err(invalid(&format!("{AT}.durationHours"), "durationHours must be between 4 and 24."));
    }
    if text(window, "startTime").is_none_or(|time| time.len() != 5 || !time.contains(':')) {
        return Err(invalid(&format!("{AT}.startTime"), "startTime must be in the format HH:MM."));
    }
    Ok(())
}

impl Behaviour for Maintenance {
    fn put(&self, world: &mut World, call: &Call<'_>) -> Answer {
        const WINDOW: &str = "properties.maintenanceWindow";
        let key = call.path.key.clone();
        refuse_while_made(world, cluster_of(&key))?;
        let name = call.path.name();
        let known = ["default", "aksManagedAutoUpgradeSchedule", "aksManagedNodeOSUpgradeSchedule"];
        if !known.iter().any(|known| known.eq_ignore_ascii_case(name)) {
            let message =
                format!("The maintenance configuration name '{name}' is not one of {}.", known.join(", "));
            return Err(invalid("configName", message));
        }
        let window = at(&call.body, WINDOW).and_then(Value::as_object);
        let week = !list(&call.body, "properties.timeInWeek").is_empty();
        match window {
            Some(window) => check_window(window)?,
            None if name.eq_ignore_ascii_case("default") && week => {}
            None => return Err(invalid(WINDOW, "maintenanceWindow is required.")),
        }
        let today: String = world.time().chars().take(10).collect();
        if let Some(start) = window.and_then(|window| text(window, "startDate"))
            && start < today.as_str()
        {
            let message = format!("startDate {start} is in the past: it must not be before {today}.");
            return Err(invalid("properties.maintenanceWindow.startDate", message));
        }
        let stored = world.state.resources.get(&key);
        let started =
            stored.and_then(|s| text(&s.body, "properties.maintenanceWindow.startDate")).map(str::to_owned);
        let mut body = call.envelope();
        body.insert("properties".into(), Value::Object(call.properties()));
        if window.is_some() {
            object_at(&mut body, WINDOW);
            set_default(&mut body, "properties.maintenanceWindow.startDate", started.unwrap_or(today));
            if text(&body, "properties.maintenanceWindow.utcOffset") == Some("+00:00") {
                set(&mut body, "properties.maintenanceWindow.utcOffset", Value::Null);
            }
        }
        let status = stored_and_new(world, call, Resource::new(&call.id, &call.kind, body));
        Ok(world.answer(status, &key))
    }

    fn delete(&self, world: &mut World, call: &Call<'_>) -> Answer {
        refuse_while_made(world, cluster_of(&call.path.key))?;
        world.remove_tree(&call.path.key);
        world.deleted(&call.path.key);
        Ok(crate::host::transport::Response::new(200, ""))
    }
}

#[cfg(test)]
mod tests {
    use crate::testing::Bench;
    use serde_json::{Value, json};

    fn id(name: &str) -> String {
        let cluster = Bench::rid("Microsoft.ContainerService/managedClusters/mc");
        format!("{cluster}/maintenanceConfigurations/{name}")
    }

    fn window(more: Value) -> Value {
        let mut window = json!({"schedule": {"weekly": {"intervalWeeks": 1, "dayOfWeek": "Sunday"}}, "durationHours": 4, "startTime": "02:00"});
        crate::core::json::merge(window.as_object_mut().unwrap(), more.as_object().unwrap());
        json!({"properties": {"maintenanceWindow": window}})
    }

    #[tokio::test(start_paused = true)]
    async fn windows_are_checked_and_start_today() {
        let bench = Bench::new().await;
        let seen = bench
            .put(&Bench::rid("Microsoft.ContainerService/managedClusters/mc"), Bench::cluster_body())
            .await;
        let early = bench.put(&id("default"), window(json!({}))).await;
        assert_eq!((early.status, early.body["code"].as_str()), (409, Some("OperationNotAllowed")));
        bench.settle(&seen).await;
        for (name, body, good) in [
            ("mine", window(json!({})), false),
            ("default", json!({"properties": {"timeInWeek": [{"day": "Monday", "hourSlots": [1]}]}}), true),
            (
                "aksManagedAutoUpgradeSchedule",
                json!({"properties": {"timeInWeek": [{"day": "Monday", "hourSlots": [1]}]}}),
                false,
            ),
            ("aksManagedAutoUpgradeSchedule", window(json!({"durationHours": 2})), false),
            (
                "aksManagedAutoUpgradeSchedule",
                window(json!({"schedule": {"daily": {"intervalDays": 1}}})),
                false,
            ),
            ("aksManagedAutoUpgradeSchedule", window(json!({"startDate": "2020-01-01"})), false),
            ("aksManagedAutoUpgradeSchedule", window(json!({"utcOffset": "+00:00"})), true),
        ] {
            let seen = bench.put(&id(name), body.clone()).await;
            assert_eq!(seen.status < 300, good, "{name} {body}: {}", seen.body);
        }
        let got = bench.get(&id("aksManagedAutoUpgradeSchedule")).await;
        assert_eq!(got.at("/properties/maintenanceWindow/startDate").as_str().map(str::len), Some(10));
        assert_eq!(bench.delete(&id("default")).await.status, 200);
        assert_eq!(bench.delete(&id("default")).await.status, 204);
    }
}

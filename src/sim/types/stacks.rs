//! What web apps can be written in.

use crate::core::behaviour::{Answer, Behaviour};
use crate::core::call::Call;
use crate::core::error::Failure;
use crate::core::json::Object;
use crate::core::world::World;
use serde_json::{Value, json};

/// `webAppStacks`: what apps can be written in.
#[derive(Debug)]
pub(crate) struct Stacks;

impl Behaviour for Stacks {
    fn put(&self, _world: &mut World, call: &Call<'_>) -> Answer {
        let message = format!("The method '{}' is not allowed on '{}'.", call.method, call.type_name);
        Err(Failure::new(405, "MethodNotAllowed", message))
    }

    fn list(&self, _world: &mut World, call: &Call<'_>) -> Option<Answer> {
        let os = call.query.get("stackOsType").unwrap_or_else(|| "All".to_owned());
        let windows = !os.eq_ignore_ascii_case("Linux");
        let linux = !os.eq_ignore_ascii_case("Windows");
        let stack = |(name, shown, versions): &(&str, &str, &[&str])| {
            let majors: Vec<Value> = versions
                .iter()
                .map(|version| {
                    let runtime = format!("{}|{version}", name.to_ascii_uppercase());
                    let mut settings = Object::new();
                    if linux {
                        settings.insert("linuxRuntimeSettings".into(), json!({ "runtimeVersion": runtime }));
                    }
                    if windows {
                        settings.insert("windowsRuntimeSettings".into(), json!({ "runtimeVersion": version }));
                    }
                    let minor = json!({ "displayText": format!("{shown} {version}"), "value": version, "stackSettings": settings });
                    json!({ "displayText": format!("{shown} {version}"), "value": version, "minorVersions": [minor] })
                })
                .collect();
            json!({
                "id": format!("/providers/Microsoft.Web/webAppStacks/{name}"), "name": name, "type": "Microsoft.Web/webAppStacks",
                "properties": { "displayText": shown, "value": name, "preferredOs": "linux", "majorVersions": majors },
            })
        };
        Some(crate::core::behaviour::ok_list(STACKS.iter().map(stack).collect()))
    }
}

/// Stacks, as they are called and shown, with their versions.
const STACKS: &[(&str, &str, &[&str])] = &[
    ("dotnetcore", ".NET", &["10.0", "9.0", "8.0"]),
    ("java", "Java", &["25", "21", "17"]),
    ("node", "Node", &["24-lts", "22-lts", "20-lts"]),
    ("php", "PHP", &["8.4", "8.3"]),
    ("python", "Python", &["3.14", "3.13", "3.12", "3.11"]),
];

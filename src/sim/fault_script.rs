//! The form of a file of scripted faults.

use crate::core::faults::{Effect, Fault};
use crate::host::transport::Method;
use serde::Deserialize;
use serde::de::Error as _;
use std::time::Duration;

/// A list of faults with the seed of their chances; what a file of faults says.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct FaultScript {
    /// Where chances start; the same seed strikes the same requests when they come in the same order.
    #[serde(default)]
    pub seed: u64,
    /// The faults; the first that strikes a request wins.
    pub faults: Vec<Fault>,
}

/// One rule as it is written.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct Rule {
    /// What it is for, in the words of whoever wrote it.
    #[serde(default, rename = "name")]
    _name: Option<String>,
    #[serde(default)]
    method: Option<OneOrMore>,
    #[serde(default)]
    path: Option<String>,
    #[serde(default, rename = "type")]
    arm_type: Option<String>,
    #[serde(default)]
    times: Option<u32>,
    #[serde(default)]
    times_per_resource: Option<u32>,
    #[serde(default)]
    skip: Option<u32>,
    #[serde(default)]
    every: Option<u32>,
    #[serde(default)]
    probability: Option<f64>,
    // One of these.
    #[serde(default)]
    throttle: Option<Throttle>,
    #[serde(default)]
    answer: Option<Answer>,
    #[serde(default)]
    busy: Option<bool>,
    #[serde(default)]
    deny: Option<Deny>,
    #[serde(default)]
    drop: Option<Drop>,
    #[serde(default)]
    fail_operation: Option<FailOperation>,
    #[serde(default)]
    keep_pending: Option<bool>,
    #[serde(default, deserialize_with = "time")]
    stall: Option<Duration>,
    #[serde(default, deserialize_with = "time")]
    stale: Option<Duration>,
}

#[derive(Debug, Deserialize)]
#[serde(untagged)]
enum OneOrMore {
    One(Verb),
    More(Vec<Verb>),
}

#[derive(Debug, Clone, Copy)]
struct Verb(Method);

impl<'de> Deserialize<'de> for Verb {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        let method = Method::parse(&text.to_ascii_uppercase());
        method.map(Verb).ok_or_else(|| {
            D::Error::unknown_variant(&text, &["GET", "HEAD", "PUT", "PATCH", "POST", "DELETE"])
        })
    }
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct Throttle {
    #[serde(default, deserialize_with = "time")]
    retry_after: Option<Duration>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct Answer {
    status: u16,
    code: String,
    #[serde(default)]
    message: String,
    #[serde(default, deserialize_with = "time")]
    retry_after: Option<Duration>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Deny {
    policy: String,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "lowercase")]
enum Drop {
    Before,
    After,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct FailOperation {
    code: String,
    #[serde(default)]
    message: String,
    #[serde(default, deserialize_with = "time")]
    after: Option<Duration>,
}

/// A length of time with its unit.
fn time<'de, D: serde::Deserializer<'de>>(deserializer: D) -> Result<Option<Duration>, D::Error> {
    let text = String::deserialize(deserializer)?;
    match humantime::parse_duration(&text) {
        Ok(time) => Ok(Some(time)),
        Err(_) => {
            Err(D::Error::custom(format!("{text:?} is not a length of time; write `500ms`, `30s` or `2m`")))
        }
    }
}

impl<'de> Deserialize<'de> for Fault {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Rule::deserialize(deserializer)?.fault().map_err(D::Error::custom)
    }
}

impl Rule {
    fn fault(self) -> Result<Fault, String> {
        let scripted = |message: String| if message.is_empty() { "scripted".to_owned() } else { message };
        let effects = [
            self.throttle.map(|throttle| Effect::Answer {
                status: 429,
                code: "TooManyRequests".to_owned(),
                message: "The request is being throttled.".to_owned(),
                retry_after: Some(throttle.retry_after.unwrap_or(Duration::from_secs(1))),
            }),
            self.answer.map(|answer| Effect::Answer {
                status: answer.status,
                code: answer.code,
                message: scripted(answer.message),
                retry_after: answer.retry_after,
            }),
            self.busy.filter(|&on| on).map(|_| Effect::Busy),
            self.deny.map(|deny| Effect::Denied { policy: deny.policy }),
            self.drop.map(|drop| match drop {
                Drop::Before => Effect::DropBefore,
                Drop::After => Effect::DropAfter,
            }),
            self.fail_operation.map(|fails| Effect::FailOperation {
                code: fails.code,
                message: scripted(fails.message),
                after: fails.after,
            }),
            self.keep_pending.filter(|&on| on).map(|_| Effect::KeepPending),
            self.stall.map(Effect::Stall),
            self.stale.map(Effect::Stale),
        ];
        let mut effects = effects.into_iter().flatten();
        let (Some(effect), None) = (effects.next(), effects.next()) else {
            return Err(
                "a fault has exactly one of `throttle`, `answer`, `busy`, `deny`, `drop`, `failOperation`, \
                        `keepPending`, `stall` and `stale`"
                    .to_owned(),
            );
        };
        if let Effect::Answer { status, .. } = &effect
            && !(400..600).contains(status)
        {
            return Err(format!("{status} is not a status of an error; write one from 400 to 599"));
        }
        // What only a write can meet leaves reads alone.
        let writes = match &effect {
            Effect::Busy => &[Method::Put, Method::Patch, Method::Post, Method::Delete][..],
            Effect::Denied { .. } | Effect::Stale(_) => &[Method::Put, Method::Patch],
            Effect::KeepPending => &[Method::Put],
            _ => &[],
        };
        let mut fault = Fault::new(effect).methods(writes);
        if let Some(methods) = self.method {
            fault = fault.methods(match methods {
                OneOrMore::One(Verb(method)) => vec![method],
                OneOrMore::More(methods) => methods.into_iter().map(|Verb(method)| method).collect(),
            });
        }
        if let Some(path) = self.path {
            fault = fault.path(&path).map_err(|why| format!("`{path}` is not a pattern: {why}"))?;
        }
        if let Some(arm_type) = self.arm_type {
            fault = fault.arm_type(&arm_type);
        }
        if let Some(probability) = self.probability {
            if !(0.0..=1.0).contains(&probability) {
                return Err(format!("{probability} is not a probability; write a number from 0 to 1"));
            }
            fault = fault.probability(probability);
        }
        if self.every == Some(0) {
            return Err("`every: 0` strikes nothing; write 1 or more".to_owned());
        }
        fault = fault.skip(self.skip.unwrap_or(0)).every(self.every.unwrap_or(1));
        if let Some(times) = self.times {
            fault = fault.times(times);
        }
        if let Some(times) = self.times_per_resource {
            fault = fault.per_resource(times);
        }
        Ok(fault)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::{Value, json};

    fn problem(rule: Value) -> String {
        serde_json::from_value::<FaultScript>(json!({"faults": [rule]})).unwrap_err().to_string()
    }

    #[test]
    fn every_rule_is_read() {
        let script = json!({"seed": 3, "faults": [
            {"throttle": {}}, {"throttle": {"retryAfter": "5s"}, "probability": 0.3},
            {"answer": {"status": 503, "code": "ServiceUnavailable", "retryAfter": "2s"}, "method": "put"},
            {"busy": true, "type": "Microsoft.ContainerService/managedClusters", "method": ["PUT", "DELETE"], "every": 2},
            {"deny": {"policy": "no-public-ip"}, "path": "*/publicIPAddresses/*"}, {"drop": "after", "skip": 1},
            {"failOperation": {"code": "X", "after": "1m"}, "times": 1}, {"keepPending": true}, {"stall": "500ms"},
            {"stale": "30s", "timesPerResource": 1, "name": "reads lag behind"},
        ]});
        assert_eq!(serde_json::from_value::<FaultScript>(script).unwrap().faults.len(), 10);
    }

    #[test]
    fn what_makes_no_sense_is_refused() {
        for (rule, wanted) in [
            (json!({}), "exactly one of"),
            (json!({"busy": true, "drop": "after"}), "exactly one of"),
            (json!({"busy": true, "typ": "x"}), "unknown field `typ`"),
            (json!({"stall": "5"}), "not a length of time"),
            (json!({"answer": {"status": 200, "code": "x"}}), "not a status of an error"),
            (json!({"busy": true, "probability": 1.5}), "not a probability"),
            (json!({"busy": true, "every": 0}), "strikes nothing"),
            (json!({"busy": true, "path": "["}), "not a pattern"),
            (json!({"drop": "during"}), "unknown variant `during`"),
        ] {
            let error = problem(rule.clone());
            assert!(error.contains(wanted), "{rule}: {error}");
        }
    }
}

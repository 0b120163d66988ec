//! The bodies of a network security group.

use super::checks::{
    SECURITY_RULE_ADDRESS, SECURITY_RULE_DESCRIPTION, SECURITY_RULE_GROUPS, SECURITY_RULE_PORTS,
    SECURITY_RULE_PRIORITY, is_ports, misspelt,
};
use super::spec::RuleSpec;
use crate::catalog::kinds::addresses::{Texts, is_address};
use crate::catalog::{EntryCx, Problem, Reference};
use crate::value::token::has_token;
use serde_json::{Map, Value, json};

impl RuleSpec {
    pub(super) fn into_properties(self, path: &str, cx: &mut EntryCx<'_>) -> Value {
        if !(100..=4096).contains(&self.priority) {
            let message = format!("a rule cannot have the priority {}", self.priority);
            cx.problem(
                Problem::error(&SECURITY_RULE_PRIORITY, format!("{path}.priority"), message)
                    .help("write a number from 100 (decides first) to 4096"),
            );
        }
        let length = self.description.as_deref().map_or(0, |text| text.chars().count());
        if length > 140 {
            let message = format!("the description of a rule has at most 140 characters, this has {length}");
            cx.problem(
                Problem::error(&SECURITY_RULE_DESCRIPTION, format!("{path}.description"), message)
                    .help("shorten it"),
            );
        }
        let mut all = Map::new();
        all.insert("priority".into(), self.priority.into());
        all.insert("direction".into(), json!(self.direction));
        all.insert("access".into(), json!(self.access));
        all.insert("protocol".into(), json!(self.protocol));
        all.extend(self.description.map(|text| ("description".to_owned(), text.into())));
        ports(self.from_ports, "source", &format!("{path}.fromPorts"), &mut all, cx);
        ports(self.ports, "destination", &format!("{path}.ports"), &mut all, cx);
        side(self.from, &self.from_groups, "source", &format!("{path}.from"), &mut all, cx);
        side(self.to, &self.to_groups, "destination", &format!("{path}.to"), &mut all, cx);
        Value::Object(all)
    }
}

/// One in the singular member, several in the plural one, which is how Azure shows them.
pub(super) fn put(mut texts: Vec<String>, name: &str, all: &mut Map<String, Value>) {
    match texts.len() {
        1 => all.insert(name.to_owned(), texts.remove(0).into()),
        _ => {
            let plural = if name.ends_with('x') { format!("{name}es") } else { format!("{name}s") };
            all.insert(plural, texts.into())
        }
    };
}

pub(super) fn ports(
    texts: Option<Texts>,
    end: &str,
    path: &str,
    all: &mut Map<String, Value>,
    cx: &mut EntryCx<'_>,
) {
    let texts = texts.map_or_else(|| vec!["*".to_owned()], |texts| texts.0);
    for text in texts.iter().filter(|text| !is_ports(text, texts.len() == 1)) {
        let message = format!("`{text}` is neither a port nor a range of ports");
        cx.problem(
            Problem::error(&SECURITY_RULE_PORTS, path, message)
                .help("write ports of 0 to 65535, as in `[443, 8080-8090]`, or `*` alone for all of them"),
        );
    }
    if texts.is_empty() {
        cx.problem(
            Problem::error(&SECURITY_RULE_PORTS, path, "a rule without ports fits nothing")
                .help("name a port, or leave the field out for all of them"),
        );
    }
    put(texts, &format!("{end}PortRange"), all);
}

/// One end of the traffic: addresses or application security groups.
pub(super) fn side(
    texts: Option<Texts>,
    groups: &[Reference],
    end: &str,
    path: &str,
    all: &mut Map<String, Value>,
    cx: &mut EntryCx<'_>,
) {
    if !groups.is_empty() {
        if texts.is_some() {
            let message = "one end of a rule is either addresses or application security groups";
            cx.problem(
                Problem::error(&SECURITY_RULE_GROUPS, path, message)
                    .help("remove the one or the other, or write two rules"),
            );
        }
        let ids: Vec<Value> = groups.iter().map(|group| json!({ "id": group.id() })).collect();
        all.insert(format!("{end}ApplicationSecurityGroups"), ids.into());
        return;
    }
    let texts = texts.map_or_else(|| vec!["*".to_owned()], |texts| texts.0);
    let tag = |text: &str| {
        text.starts_with(|c: char| c.is_ascii_alphabetic())
            && text.chars().all(|c| c.is_ascii_alphanumeric() || c == '.')
    };
    for text in texts.iter().filter(|text| !has_token(text) && !is_address(text)) {
        if text != "*" && !tag(text) {
            let message = format!("`{text}` is not an address, a range of addresses or a service tag");
            cx.problem(
                Problem::error(&SECURITY_RULE_ADDRESS, path, message)
                    .help("write a CIDR block such as `10.20.0.0/16`, or a service tag such as `Internet`"),
            );
        } else if texts.len() > 1 {
            // The plural members take addresses only.
            let message = format!("`{text}` must be the only address of its rule");
            cx.problem(
                Problem::error(&SECURITY_RULE_ADDRESS, path, message)
                    .help("write a rule of its own for it: only addresses and ranges can be several"),
            );
        } else if text != "*" {
            misspelt(text, path, cx);
        }
    }
    if texts.is_empty() {
        cx.problem(
            Problem::error(&SECURITY_RULE_ADDRESS, path, "a rule without addresses fits nothing")
                .help("name an address, or leave the field out for all of them"),
        );
    }
    put(texts, &format!("{end}AddressPrefix"), all);
}

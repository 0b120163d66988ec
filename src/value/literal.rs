//! Secrets that stand openly in a body.

use super::redact::password_ranges;
use super::rules::{Flag, Node, Rules};
use super::token::{self, Token};
use serde_json::Value;
use std::borrow::Cow;

/// Puts tokens in place of what a body says openly and is secret: texts in write-only fields, passwords in URLs.
///
/// `name` gets the path and the text, keeps the text, and answers with the name of its token.
pub fn take_literals(body: &mut Value, rules: &Rules, name: &mut dyn FnMut(&str, &str) -> String) {
    take(body, rules.root(), false, &mut Vec::new(), name);
}

/// A step to what is looked at: nearly all are taken for nothing, and become text only when something is found.
enum Step<'b> {
    Member(&'b str),
    Element(usize),
}

fn path_of(trail: &[Step<'_>]) -> String {
    let words = trail.iter().map(|step| match step {
        Step::Member(name) => Cow::Borrowed(*name),
        Step::Element(at) => Cow::Owned(at.to_string()),
    });
    words.collect::<Vec<_>>().join(".")
}

fn take<'b>(
    body: &'b mut Value,
    node: &Node,
    inside: bool,
    trail: &mut Vec<Step<'b>>,
    name: &mut dyn FnMut(&str, &str) -> String,
) {
    // The envelope of another resource is a body, and holds no secret as a whole.
    let envelope = trail.len() > 1 && matches!(trail.last(), Some(Step::Member("properties")));
    let inside = inside || node.is(Flag::WriteOnly) && !envelope;
    match body {
        Value::String(text) if text.is_empty() || token::has_token(text) => {}
        Value::String(text) if inside => {
            let secret = name(&path_of(trail), text);
            *text = Token::Secret { name: secret }.encode();
        }
        Value::String(text) if text.contains("://") => {
            for range in password_ranges(text).into_iter().rev() {
                let secret = name(&path_of(trail), &text[range.clone()]);
                text.replace_range(range, &Token::Secret { name: secret }.encode());
            }
        }
        Value::Object(members) => {
            for (member, value) in members {
                trail.push(Step::Member(member));
                take(value, node.member(member), inside, trail, name);
                trail.pop();
            }
        }
        Value::Array(items) => {
            for (index, item) in items.iter_mut().enumerate() {
                trail.push(Step::Element(index));
                take(item, node.element(), inside, trail, name);
                trail.pop();
            }
        }
        _ => {}
    }
}

#[cfg(test)]
mod tests {
    use super::super::Rule;
    use super::*;
    use serde_json::json;

    #[test]
    fn what_stands_openly_is_taken_and_nothing_else() {
        static RULES: &[Rule] = &[
            Rule::at("properties.password").write_only(),
            Rule::at("properties.settings").write_only(),
            Rule::at("properties.subnet.properties").write_only(),
        ];
        let mut body = json!({ "properties": {
            "password": "p1", "settings": { "a": "p2", "b": ["p3"] }, "plain": "x", "empty": "",
            "url": "https://user:p4@example.com/x", "other": "ssh://git@example.com",
            "subnet": { "properties": { "prefix": "10.0.0.0/24" } },
        } });
        let mut taken = Vec::new();
        take_literals(&mut body, &Rules::new(RULES), &mut |path, text| {
            taken.push(format!("{path}={text}"));
            taken.len().to_string()
        });
        assert_eq!(
            taken,
            [
                "properties.password=p1",
                "properties.settings.a=p2",
                "properties.settings.b.0=p3",
                "properties.url=p4"
            ]
        );
        assert_eq!(token::display(&body)["properties"]["url"], "https://user:(secret)@example.com/x");
        assert_eq!(body["properties"]["subnet"]["properties"]["prefix"], "10.0.0.0/24");
    }
}

//! Drift as an Adaptive Card in a message, as a webhook of Teams takes it. What Teams takes has at most 28 KB; this stays
//! below 20.

use super::fit::{dropped, fit};
use super::markdown::{actors, kind_word};
use super::text::{count, escape};
use crate::drift::{Drift, DriftReport};
use crate::ident::Owner;
use serde_json::{Value, json};

/// How large a card may be.
pub(super) const BUDGET: usize = 20_000;
/// How long a text of a line may be.
const LINE: usize = 200;

/// A drift report.
pub fn drift(report: &DriftReport) -> Value {
    let owner = Owner::new(report.blueprint.clone()).within(report.environment.clone()).to_string();
    let title = match report.drifted.is_empty() {
        true => format!("No drift of {}", plain(&owner)),
        false => format!("Drift of {}", plain(&owner)),
    };
    let facts: Vec<Value> = report
        .by_severity()
        .into_iter()
        .filter(|(_, number)| *number > 0)
        .map(|(severity, number)| json!({ "title": severity.word(), "value": number.to_string() }))
        .collect();
    let all = report.worst_first();
    let lines: Vec<Value> = all.iter().map(|drift| line(drift)).collect();
    let sizes: Vec<(usize, usize)> = lines.iter().map(|line| (line.to_string().len() + 1, 0)).collect();
    let checked = format!("{} of {} drifted", report.drifted.len(), count(report.checked, "resource"));
    let mut body = vec![
        json!({ "type": "TextBlock", "size": "large", "weight": "bolder", "wrap": true, "text": title }),
        json!({ "type": "TextBlock", "wrap": true, "text": checked }),
    ];
    if !facts.is_empty() {
        body.push(json!({ "type": "FactSet", "facts": facts }));
    }
    let used = Value::Array(body.clone()).to_string().len() + 1_000;
    let fitted = fit(&sizes, BUDGET.saturating_sub(used));
    body.extend(lines.into_iter().take(fitted.shown));
    if let Some(dropped) = dropped(fitted, all.len()) {
        body.push(json!({ "type": "TextBlock", "wrap": true, "isSubtle": true, "text": dropped }));
    }
    json!({
        "type": "message",
        "attachments": [{
            "contentType": "application/vnd.microsoft.card.adaptive",
            "content": {
                "$schema": "http://adaptivecards.io/schemas/adaptive-card.json",
                "type": "AdaptiveCard",
                "version": "1.4",
                "body": body,
            },
        }],
    })
}

fn line(drift: &Drift) -> Value {
    let by = actors(drift).join(", ");
    let by = if by.is_empty() { String::new() } else { format!(", by {by}") };
    let text = format!("{} {}: {}{by}", drift.severity.word(), kind_word(drift.kind), drift.address);
    json!({ "type": "TextBlock", "wrap": true, "spacing": "small", "text": plain(&text) })
}

/// A text in which nothing is Markdown: cards have links and emphasis.
fn plain(text: &str) -> String {
    let short: String = text.chars().take(LINE).collect();
    let mut safe = String::new();
    for c in escape(&short).chars() {
        if matches!(
            c,
            '[' | ']' | '(' | ')' | '*' | '_' | '`' | '<' | '>' | '\\' | '#' | '!' | '~' | '{' | '}'
        ) {
            safe.push('\u{5c}');
        }
        safe.push(c);
    }
    safe
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::sample;

    #[test]
    fn a_card_has_counts_and_the_worst_first() {
        let card = drift(&sample::drift());
        let body = card.pointer("/attachments/0/content/body").unwrap().as_array().unwrap();
        assert_eq!(body[0]["text"], "Drift of shop");
        assert_eq!(body[2]["facts"][0], json!({ "title": "critical", "value": "1" }));
        assert_eq!(body[3]["text"], "critical missing: identities.app, by not known");
    }
}

//! What policies say, for a person.

use crate::policy::{Finding, Verdict};
use crate::report::style::{Line, Page, Style, Tone};
use crate::report::text::{count, escape};

/// Renders what policies say: verdict, address, place, message, rule.
pub fn findings(findings: &[Finding], style: &Style) -> String {
    let mut page = Page::new(style);
    page.gap();
    if findings.is_empty() {
        page.line(Line::default().add(Tone::Good, "Policies:").plain(" nothing to say."));
        return page.finish();
    }
    for finding in findings {
        let (tone, word) = match finding.verdict {
            Verdict::Deny => (Tone::Bad, "denied"),
            Verdict::Warn => (Tone::Change, "warning"),
        };
        let mut head = Line::indented(2).add(tone, word);
        if let Some(address) = &finding.address {
            head = head.plain("  ").add(Tone::Strong, escape(address));
        }
        if let Some(place) = &finding.place {
            head = head.plain("  ").add(Tone::Dim, escape(&place.to_string()));
        }
        page.line(head);
        page.paragraph(6, Tone::Plain, &escape(&finding.message));
        page.line(Line::indented(6).add(Tone::Dim, format!("rule {}", escape(&finding.rule))));
    }
    let number = |verdict| findings.iter().filter(|finding| finding.verdict == verdict).count();
    let (denied, warned) = (number(Verdict::Deny), number(Verdict::Warn));
    let text = format!(" {} denied, {}.", denied, count(warned, "warning"));
    page.gap();
    page.line(Line::default().add(Tone::Strong, "Policies:").plain(text));
    page.finish()
}

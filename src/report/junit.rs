//! Drift as JUnit XML, which build servers show as tests: a suite a blueprint, a case a resource, a failure a drift.

use super::fit::{dropped, fit};
use super::markdown::{field_lines, kind_word};
use super::text::{count, escape};
use super::words::shown_type;
use crate::drift::{Drift, DriftKind, DriftReport, WaiverState};
use crate::ident::{Address, Header, Owner};
use quick_junit::{NonSuccessKind, Report, TestCase, TestCaseStatus, TestSuite};

/// How large a report may be: Azure Pipelines takes files of 75 MB, and shows large ones slowly.
const BUDGET: usize = 15_000_000;

/// A drift report. What is secret or not known yet stays a word, as in every report for people.
pub fn drift(report: &DriftReport) -> String {
    let name = Owner::new(report.blueprint.clone()).within(report.environment.clone()).to_string();
    let mut suite = TestSuite::new(escape(&name).as_ref());
    for (name, value) in report.header.iter().flat_map(Header::rows) {
        suite.add_property((name, escape(&value).as_ref()));
    }
    let all = report.worst_first();
    let sizes: Vec<(usize, usize)> =
        all.iter().map(|drift| (sentence(drift).len() * 2 + 300, field_lines(drift).len() * 2)).collect();
    let fitted = fit(&sizes, BUDGET);
    if let Some(dropped) = dropped(fitted, all.len()) {
        suite.add_property(("dropped", dropped.as_str()));
    }
    // What is as it was asked for is listed last and least.
    let room = BUDGET.saturating_sub(sizes.iter().take(fitted.shown).map(|(short, _)| short).sum::<usize>());
    let steady = report.steady.iter().scan(0, |used, steady| {
        *used += steady.as_str().len() + name.len() + 60;
        (*used <= room / 4).then_some(steady)
    });
    let steady: Vec<&Address> = steady.collect();
    if steady.len() < report.steady.len() {
        let left = (report.steady.len() - steady.len()).to_string();
        suite.add_property(("steady-not-listed", left.as_str()));
    }
    for steady in steady {
        let mut case = TestCase::new(escape(steady.as_str()).as_ref(), TestCaseStatus::success());
        case.set_classname(escape(&name).as_ref());
        suite.add_test_case(case);
    }
    for waived in report.waived.iter().filter(|waived| waived.state == WaiverState::Used).take(1_000) {
        let waiver = &waived.waiver;
        let mut status = TestCaseStatus::skipped();
        status.set_message(escape(&format!("waived until {}: {}", waiver.until, waiver.reason)).into_owned());
        let title = format!("{} {}", waiver.address, waiver.field);
        let mut case = TestCase::new(escape(&title).as_ref(), status);
        case.set_classname(escape(&name).as_ref());
        suite.add_test_case(case);
    }
    let mut shown: Vec<(usize, &&Drift)> = all.iter().take(fitted.shown).enumerate().collect();
    shown.sort_by(|a, b| a.1.address.cmp(&b.1.address));
    for (at, drift) in shown {
        let mut status = TestCaseStatus::non_success(NonSuccessKind::Failure);
        status.set_message(sentence(drift)).set_type(kind_word(drift.kind));
        if at < fitted.detailed {
            status.set_description(field_lines(drift));
        }
        let mut case = TestCase::new(escape(drift.address.as_str()).as_ref(), status);
        case.set_classname(escape(&name).as_ref());
        suite.add_test_case(case);
    }
    let mut all = Report::new("berth drift");
    all.add_test_suite(suite);
    as_the_schema_says(&all.to_string().expect("a report in memory can be written"))
}

/// The schema of Jenkins, which most readers go by, counts what is skipped in a suite and not in all of them.
fn as_the_schema_says(report: &str) -> String {
    let start = report.find("<testsuites ").unwrap_or_default();
    let end = report[start..].find('>').map_or(start, |at| start + at);
    let mut head = report[start..end].to_owned();
    if let Some(at) = head.find(" skipped=\"") {
        let value = at + " skipped=\"".len();
        let until = head[value..].find('"').map_or(value, |end| value + end + 1);
        head.replace_range(at..until, "");
    }
    format!("{}{head}{}", &report[..start], &report[end..])
}

/// What happened to a resource, in a sentence without its full stop.
pub(super) fn sentence(drift: &Drift) -> String {
    let (address, title) = (escape(drift.address.as_str()), escape(shown_type(&drift.arm_type)));
    match drift.kind {
        DriftKind::Missing => format!("{address} ({title}) is gone"),
        DriftKind::Added => {
            format!("{address} ({title}) was made by somebody else, and the blueprint wants none there")
        }
        DriftKind::Changed => {
            let fields = count(drift.fields.len(), "field");
            format!("{address} ({title}) is not as it was asked for: {fields} changed")
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::sample;

    #[test]
    fn a_resource_is_a_case_and_a_drift_a_failure() {
        insta::assert_snapshot!(drift(&sample::drift()));
    }

    #[test]
    fn secrets_and_markup_stay_what_they_are() {
        let mut report = sample::drift();
        report.drifted[0].fields[2].actual = serde_json::json!("]]></failure><script>&\u{1b}[31m");
        report.drifted[0].fields[0].expected = sample::secret();
        let text = drift(&report);
        assert!(!text.contains("<script>") && !text.contains('\u{1b}'), "{text}");
        assert!(text.contains("secret") && !text.contains("hunter2"), "{text}");
    }
}

//! Drift as JUnit XML, which build servers show as tests: a suite a blueprint, a case a resource, a failure a drift.

use super::markdown::{field_lines, kind_word};
use super::text::{count, escape};
use super::words::shown_type;
use crate::drift::{Drift, DriftKind, DriftReport};
use crate::ident::{Header, Owner};
use quick_junit::{NonSuccessKind, Report, TestCase, TestCaseStatus, TestSuite};

/// A drift report. What is secret or not known yet stays a word, as in every report for people.
pub fn drift(report: &DriftReport) -> String {
    let name = Owner::new(report.blueprint.clone()).within(report.environment.clone()).to_string();
    let mut suite = TestSuite::new(escape(&name).as_ref());
    for (name, value) in report.header.iter().flat_map(Header::rows) {
        suite.add_property((name, escape(&value).as_ref()));
    }
    for steady in &report.steady {
        let mut case = TestCase::new(escape(steady.as_str()).as_ref(), TestCaseStatus::success());
        case.set_classname(escape(&name).as_ref());
        suite.add_test_case(case);
    }
    for drift in &report.drifted {
        let mut status = TestCaseStatus::non_success(NonSuccessKind::Failure);
        status
            .set_message(sentence(drift))
            .set_type(kind_word(drift.kind))
            .set_description(field_lines(drift));
        let mut case = TestCase::new(escape(drift.address.as_str()).as_ref(), status);
        case.set_classname(escape(&name).as_ref());
        suite.add_test_case(case);
    }
    let mut all = Report::new("berth drift");
    all.add_test_suite(suite);
    all.to_string().expect("a report in memory can be written")
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

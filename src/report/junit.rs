//! Drift, plans and runs as JUnit XML, which build servers show as tests: a suite a blueprint, a case a resource. A failure is
//! a drift, what is in the way of a plan, or a step that failed.

use super::fit::{dropped, fit};
use super::markdown::{field_lines, kind_word, step_lines};
use super::names::Names;
use super::text::{count, escape, escape_lines};
use super::words::shown_type;
use crate::change::{Action, Outcome, Summary};
use crate::drift::{Drift, DriftKind, DriftReport, WaiverState};
use crate::ident::{Address, Header, Owner};
use crate::plan::{Conflict, Plan, Step};
use crate::policy::{Finding, Verdict};
use quick_junit::{NonSuccessKind, Report, TestCase, TestCaseStatus, TestSuite};
use std::collections::HashMap;
use std::time::Duration;

/// How large a report may be: Azure Pipelines takes files of 75 MB, and shows large ones slowly.
const BUDGET: usize = 15_000_000;

/// A drift report. What is secret or not known yet stays a word, as in every report for people.
pub fn drift(report: &DriftReport) -> String {
    let name = Owner::new(report.blueprint.clone()).within(report.environment.clone()).to_string();
    let mut suite = suite(&name, report.header.as_ref());
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
        suite.add_test_case(case(&name, steady.as_str(), TestCaseStatus::success()));
    }
    for waived in report.waived.iter().filter(|waived| waived.state == WaiverState::Used).take(1_000) {
        let waiver = &waived.waiver;
        let mut status = TestCaseStatus::skipped();
        status.set_message(escape(&format!("waived until {}: {}", waiver.until, waiver.reason)).into_owned());
        let title = format!("{} {}", waiver.address, waiver.field);
        suite.add_test_case(case(&name, &title, status));
    }
    let mut shown: Vec<(usize, &&Drift)> = all.iter().take(fitted.shown).enumerate().collect();
    shown.sort_by(|a, b| a.1.address.cmp(&b.1.address));
    for (at, drift) in shown {
        let mut status = TestCaseStatus::non_success(NonSuccessKind::Failure);
        status.set_message(sentence(drift)).set_type(kind_word(drift.kind));
        if at < fitted.detailed {
            status.set_description(field_lines(drift));
        }
        suite.add_test_case(case(&name, drift.address.as_str(), status));
    }
    whole("berth drift", suite)
}

/// A plan: a case a resource, with what is planned in its output. What is in the way of a resource, and what a policy denies,
/// is a failure; what may go wrong is said in the output too.
pub fn plan(plan: &Plan, findings: &[Finding]) -> String {
    let owner = Owner::new(plan.blueprint.clone()).within(plan.environment.clone()).to_string();
    let mut suite = suite(&owner, plan.header.as_ref());
    let conflicts = by_address(plan.conflicts.iter().map(|one| (one.address.as_str(), one)));
    let warnings = by_address(plan.warnings.iter().map(|one| (one.address.as_str(), one)));
    let judged = by_address(findings.iter().filter_map(|one| Some((one.address.as_deref()?, one))));
    let mut room = BUDGET;
    let mut left = 0;
    let names = Names::of(plan);
    for step in &plan.steps {
        let address = step.address.as_str();
        let judged = judged.get(address).map_or(&[][..], Vec::as_slice);
        let denied = judged.iter().find(|finding| finding.verdict == Verdict::Deny);
        let conflict = conflicts.get(address).and_then(|all| all.first());
        let status = match (conflict, denied) {
            (Some(conflict), _) => failure("in the way", &conflict.message, Some(&conflict.help)),
            (None, Some(finding)) => failure(&finding.rule, &finding.message, None),
            (None, None) => TestCaseStatus::success(),
        };
        let told = outcome_of(step, &names, warnings.get(address).map_or(&[][..], Vec::as_slice), judged);
        let cost = address.len() + owner.len() + told.len() * 2 + 200;
        if cost > room {
            left += 1;
            continue;
        }
        room -= cost;
        let mut case = case(&owner, address, status);
        if !told.is_empty() {
            case.set_system_out(told);
        }
        suite.add_test_case(case);
    }
    // What a policy says of the plan as a whole.
    for finding in findings.iter().filter(|finding| finding.address.is_none()).take(1_000) {
        let status = match finding.verdict {
            Verdict::Deny => failure(&finding.rule, &finding.message, None),
            Verdict::Warn => TestCaseStatus::success(),
        };
        let mut case = case(&owner, &finding.rule, status);
        case.set_system_out(escape(&finding.message).as_ref());
        suite.add_test_case(case);
    }
    if left > 0 {
        suite.add_property(("dropped", count(left, "resource").as_str()));
    }
    whole("berth plan", suite)
}

/// What is said of each resource, by its address, in the same order.
fn by_address<'a, T>(all: impl Iterator<Item = (&'a str, T)>) -> HashMap<&'a str, Vec<T>> {
    let mut found: HashMap<&str, Vec<T>> = HashMap::new();
    all.for_each(|(address, one)| found.entry(address).or_default().push(one));
    found
}

/// What is planned for a resource, and what may go wrong with it.
fn outcome_of(step: &Step, names: &Names<'_>, warnings: &[&Conflict], judged: &[&Finding]) -> String {
    let mut told = String::new();
    if step.action != Action::NoOp {
        told.push_str(&format!("{} {}", step.action.word(), step.address));
        if let Some(lines) = step_lines(step, names) {
            told.push('\n');
            told.push_str(&lines);
        }
    }
    let warnings = warnings.iter().map(|warning| format!("{}; {}", warning.message, warning.help));
    let warned = judged.iter().filter(|finding| finding.verdict == Verdict::Warn);
    for warning in warnings.chain(warned.map(|finding| finding.message.clone())) {
        told.push_str(&format!("\nwarning: {warning}"));
    }
    escape_lines(told.trim_start())
}

/// How a run ended: a case a step, with its time. What failed is a failure, what was not done is skipped.
pub fn applied(owner: &str, summary: &Summary) -> String {
    let mut suite = suite(owner, None);
    let mut room = BUDGET;
    let mut left = 0;
    for step in &summary.steps {
        let skipped = |why: String| {
            let mut status = TestCaseStatus::skipped();
            status.set_message(escape(&why).into_owned());
            status
        };
        let (status, cost) = match &step.outcome {
            Outcome::Done => (TestCaseStatus::success(), 0),
            Outcome::Failed { message, help, code } => {
                let kind = code.as_deref().unwrap_or("failed");
                (failure(kind, message, help.as_deref()), message.len() * 2)
            }
            Outcome::Skipped { because_of } => (skipped(format!("{because_of} failed")), 0),
            Outcome::NotStarted => (skipped("not started: the run was stopped".to_owned()), 0),
            Outcome::Unfinished => (skipped("under way when the run stopped".to_owned()), 0),
        };
        let name = format!("{} {}", step.action.word(), step.address);
        let cost = cost + name.len() + owner.len() + 300;
        if cost > room {
            left += 1;
            continue;
        }
        room -= cost;
        let mut case = case(owner, &name, status);
        case.set_time(Duration::from_millis(step.elapsed_ms));
        suite.add_test_case(case);
    }
    if left > 0 {
        suite.add_property(("dropped", count(left, "step").as_str()));
    }
    whole("berth apply", suite)
}

fn suite(owner: &str, header: Option<&Header>) -> TestSuite {
    let mut suite = TestSuite::new(escape(owner).as_ref());
    for (name, value) in header.into_iter().flat_map(Header::rows) {
        suite.add_property((name, escape(&value).as_ref()));
    }
    suite
}

fn case(owner: &str, name: &str, status: TestCaseStatus) -> TestCase {
    let mut case = TestCase::new(escape(name).as_ref(), status);
    case.set_classname(escape(owner).as_ref());
    case
}

/// A failure: its first line is the message.
fn failure(kind: &str, message: &str, help: Option<&str>) -> TestCaseStatus {
    let mut status = TestCaseStatus::non_success(NonSuccessKind::Failure);
    let first = message.lines().next().unwrap_or_default();
    status.set_message(escape(first).into_owned()).set_type(escape(kind).into_owned());
    let rest = [Some(message).filter(|message| message.contains('\n')), help];
    let rest: Vec<&str> = rest.into_iter().flatten().collect();
    if !rest.is_empty() {
        status.set_description(escape_lines(&rest.join("\n")));
    }
    status
}

fn whole(name: &str, suite: TestSuite) -> String {
    let mut all = Report::new(name);
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
    fn what_is_in_the_way_of_a_plan_is_a_failure() {
        let mut planned = sample::plan();
        let step = planned.steps[0].clone();
        planned.conflicts.push(crate::plan::Conflict {
            address: step.address.clone(),
            id: step.id.clone(),
            message: "it belongs to <nobody>".into(),
            help: "take it over with `--adopt`".into(),
        });
        let denial = Finding {
            verdict: Verdict::Deny,
            rule: "berth.tags.deny".into(),
            message: "no team".into(),
            address: None,
            place: None,
        };
        let text = plan(&planned, &[denial]);
        assert!(text.contains("failures=\"2\"") && text.contains("it belongs to &lt;nobody&gt;"), "{text}");
        assert!(text.contains(&format!("tests=\"{}\"", planned.steps.len() + 1)), "{text}");
    }

    #[test]
    fn a_step_is_a_case_and_what_was_not_done_is_skipped() {
        let step = |outcome: Outcome| crate::change::StepResult {
            address: Address::new("keyVaults.secrets"),
            action: Action::Create,
            outcome,
            deleted: false,
            elapsed_ms: 1500,
            retries: 0,
            waited_ms: 0,
        };
        let failed = Outcome::Failed {
            message: "the name is taken\nsays Azure \u{1b}[31m".into(),
            help: Some("choose another".into()),
            code: Some("VaultAlreadyExists".into()),
        };
        let steps = vec![step(Outcome::Done), step(failed), step(Outcome::NotStarted)];
        let text = applied("shop/prod", &Summary { steps, ..Summary::default() });
        assert!(text.contains("tests=\"3\"") && text.contains("failures=\"1\""), "{text}");
        assert!(text.contains("type=\"VaultAlreadyExists\"") && text.contains("time=\"1.500\""), "{text}");
        assert!(!text.contains('\u{1b}') && text.contains("choose another"), "{text}");
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

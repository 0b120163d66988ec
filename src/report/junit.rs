//! Drift, plans and runs as JUnit XML, which build servers show as tests: a suite a blueprint, a case a resource. A failure is
//! a drift, what is in the way of a plan, or a step that failed.

use super::fit::{Entry, Showing, dropped, fit, fit_by_rank};
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
    let names = Names::of(plan);
    let cases: Vec<Planned> = plan
        .steps
        .iter()
        .map(|step| {
            let address = step.address.as_str();
            let judged = judged.get(address).map_or(&[][..], Vec::as_slice);
            let denied = judged.iter().find(|finding| finding.verdict == Verdict::Deny);
            let conflict = conflicts.get(address).and_then(|all| all.first());
            let wrong = match (conflict, denied) {
                (Some(conflict), _) => {
                    Some(("in the way", conflict.message.as_str(), Some(conflict.help.as_str())))
                }
                (None, Some(finding)) => Some((finding.rule.as_str(), finding.message.as_str(), None)),
                (None, None) => None,
            };
            let warned = warnings.get(address).map_or(&[][..], Vec::as_slice);
            Planned {
                address,
                wrong,
                told: outcome_of(step, &names, warned, judged),
                idle: step.action == Action::NoOp,
            }
        })
        .collect();
    let sizes: Vec<Entry> = cases.iter().map(|case| case.size(owner.len())).collect();
    // What a policy says of the plan as a whole comes besides.
    let (fitted, showing) = fit_by_rank(&sizes, BUDGET);
    for (planned, showing) in cases.iter().zip(showing) {
        if showing == Showing::Dropped {
            continue;
        }
        let whole = showing == Showing::Whole;
        let status = match planned.wrong {
            Some((kind, message, help)) if whole => failure(kind, message, help),
            Some((kind, message, _)) => failure(kind, first_line(message), None),
            None => TestCaseStatus::success(),
        };
        let mut case = case(&owner, planned.address, status);
        if whole && !planned.told.is_empty() {
            case.set_system_out(planned.told.as_str());
        }
        suite.add_test_case(case);
    }
    if let Some(dropped) = dropped(fitted, cases.len()) {
        suite.add_property(("dropped", dropped.as_str()));
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
    whole("berth plan", suite)
}

/// What is told of a resource of a plan.
struct Planned<'a> {
    address: &'a str,
    /// Why it fails: the kind of failure, its message, what to do.
    wrong: Option<(&'a str, &'a str, Option<&'a str>)>,
    told: String,
    idle: bool,
}

impl Planned<'_> {
    fn size(&self, owner: usize) -> Entry {
        let (kind, message, help) = self.wrong.unwrap_or_default();
        let line = first_line(message).len();
        Entry {
            rank: if self.wrong.is_some() { 0 } else { 1 + u8::from(self.idle) },
            short: self.address.len() + owner + (kind.len() + line) * 2 + 300,
            detail: (self.told.len() + message.len() - line + help.map_or(0, str::len)) * 2,
        }
    }
}

fn first_line(text: &str) -> &str {
    text.lines().next().unwrap_or_default()
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
    let sizes: Vec<Entry> = summary
        .steps
        .iter()
        .map(|step| {
            let name = step.action.word().len() + step.address.as_str().len() + owner.len();
            let (rank, line, detail) = match &step.outcome {
                Outcome::Failed { message, help, .. } => {
                    let line = first_line(message).len();
                    (0, line, message.len() - line + help.as_ref().map_or(0, String::len))
                }
                Outcome::Skipped { because_of } => (1, because_of.to_string().len(), 0),
                Outcome::NotStarted | Outcome::Unfinished => (1, 0, 0),
                Outcome::Done => (2, 0, 0),
            };
            Entry { rank, short: name + line * 2 + 300, detail: detail * 2 }
        })
        .collect();
    let (fitted, showing) = fit_by_rank(&sizes, BUDGET);
    for (step, showing) in summary.steps.iter().zip(showing) {
        if showing == Showing::Dropped {
            continue;
        }
        let skipped = |why: String| {
            let mut status = TestCaseStatus::skipped();
            status.set_message(escape(&why).into_owned());
            status
        };
        let status = match &step.outcome {
            Outcome::Done => TestCaseStatus::success(),
            Outcome::Failed { message, help, code } => {
                let kind = code.as_deref().unwrap_or("failed");
                match showing {
                    Showing::Whole => failure(kind, message, help.as_deref()),
                    _ => failure(kind, first_line(message), None),
                }
            }
            Outcome::Skipped { because_of } => skipped(format!("{because_of} failed")),
            Outcome::NotStarted => skipped("not started: the run was stopped".to_owned()),
            Outcome::Unfinished => skipped("under way when the run stopped".to_owned()),
        };
        let name = format!("{} {}", step.action.word(), step.address);
        let mut case = case(owner, &name, status);
        case.set_time(Duration::from_millis(step.elapsed_ms));
        suite.add_test_case(case);
    }
    if let Some(dropped) = dropped(fitted, summary.steps.len()) {
        suite.add_property(("dropped", dropped.as_str()));
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
    fn a_large_plan_drops_details_and_no_resource() {
        let mut planned = sample::plan();
        let mut step = planned.steps[8].clone();
        let tags: serde_json::Map<String, serde_json::Value> =
            (0..200).map(|at| (format!("tag{at}"), "x".repeat(60).into())).collect();
        step.desired = serde_json::json!({ "tags": tags });
        planned.steps = (0..1_500)
            .map(|at| Step { address: Address::new(format!("networks.n{at}")), ..step.clone() })
            .collect();
        let last = planned.steps[1_499].clone();
        planned.conflicts = vec![Conflict {
            address: last.address,
            id: last.id,
            message: "it is in the way".into(),
            help: "take it away".into(),
        }];
        let text = plan(&planned, &[]);
        assert!(text.len() <= BUDGET, "{}", text.len());
        assert!(text.contains("tests=\"1500\"") && text.contains("failures=\"1\""), "{}", &text[..500]);
        assert!(text.contains("take it away") && text.contains("the details of "), "{}", &text[..500]);
    }

    #[test]
    fn a_large_run_drops_details_and_no_failure() {
        let step = |at: usize, outcome: Outcome| crate::change::StepResult {
            address: Address::new(format!("keyVaults.k{at}")),
            action: Action::Create,
            outcome,
            deleted: false,
            elapsed_ms: 1,
            retries: 0,
            waited_ms: 0,
        };
        let failed = |_| Outcome::Failed {
            message: format!("taken\n{}", "x".repeat(20_000)),
            help: Some("choose another".into()),
            code: None,
        };
        let mut steps: Vec<_> = (0..500).map(|at| step(at, Outcome::Done)).collect();
        steps.extend((500..1_000).map(|at| step(at, failed(at))));
        let text = applied("shop", &Summary { steps, ..Summary::default() });
        assert!(text.len() <= BUDGET, "{}", text.len());
        assert!(text.contains("tests=\"1000\"") && text.contains("failures=\"500\""), "{}", &text[..500]);
        assert!(text.contains("choose another") && text.contains("the details of "), "{}", &text[..500]);
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

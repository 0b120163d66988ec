//! Locks and policies, from a blueprint to Azure and back.

use crate::support::{Berth, Rehearsal};
use berth::change::{Action, Outcome};
use berth::host::transport::Method;
use berth::plan::{Adoption, Reason};
use berth::sim::{Effect, Fault};

const HEAD: &str = "\
blueprint: example
azure:
  subscription: 5ab5c819-0000-4000-8000-000000000001
  location: westeurope
  resourceGroup: rg-example
";

fn locked(level: &str, tags: &str, lock: bool) -> String {
    let lock = if lock { format!("locks: {{ keep: {{ level: {level} }} }}\n") } else { String::new() };
    format!("{HEAD}identities: {{ app: {{ name: id-app{tags} }} }}\n{lock}")
}

#[tokio::test(start_paused = true)]
async fn a_lock_is_made_last_and_goes_first() {
    for level in ["CanNotDelete", "ReadOnly"] {
        let rehearsal = Rehearsal::new();
        let text = locked(level, "", true);
        let plan = rehearsal.plan(&text).await.plan;
        assert_eq!(plan.steps.last().unwrap().address.as_str(), "locks.keep");
        rehearsal.apply(&text).await;
        rehearsal.destroy(&text).await;
        assert_eq!(rehearsal.simulator.export(), [] as [serde_json::Value; 0]);
    }
}

#[tokio::test(start_paused = true)]
async fn what_a_lock_forbids_is_told_before_anything_is_sent() {
    let rehearsal = Rehearsal::new();
    rehearsal.apply(&locked("ReadOnly", "", true)).await;
    let changed = locked("ReadOnly", ", tags: { team: a }", true);
    let plan = rehearsal.plan(&changed).await.plan;
    let [conflict] = &plan.conflicts[..] else { panic!("{:#?}", plan.conflicts) };
    assert_eq!(conflict.address.as_str(), "identities.app");
    assert_eq!(conflict.message, "the lock `locks.keep` (ReadOnly) forbids changing it");
    assert!(conflict.help.contains("take `locks.keep` out"), "{}", conflict.help);
    // With the lock taken out the change is made, in the same run, after the lock is gone.
    let plan = rehearsal.plan(&locked("", ", tags: { team: a }", false)).await.plan;
    let actions: Vec<(&str, Action)> = plan
        .steps
        .iter()
        .filter(|step| step.action != Action::NoOp)
        .map(|step| (step.address.as_str(), step.action))
        .collect();
    assert_eq!(actions[0], ("locks.keep", Action::Delete));
    assert!(actions.contains(&("identities.app", Action::Update)), "{actions:?}");
    rehearsal.apply(&locked("", ", tags: { team: a }", false)).await;
    // Back in place, and under a lock that lets changes through.
    rehearsal.apply(&locked("CanNotDelete", ", tags: { team: a }", true)).await;
    rehearsal.apply(&locked("CanNotDelete", ", tags: { team: b }", true)).await;
    let plan = rehearsal.plan(&locked("CanNotDelete", ", location: northeurope", true)).await.plan;
    assert!(
        plan.conflicts.iter().any(|c| c.message.ends_with("forbids replacing it")),
        "{:#?}",
        plan.conflicts
    );
}

#[tokio::test(start_paused = true)]
async fn a_lock_of_somebody_else_is_named_before_anything_is_written() {
    let rehearsal = Rehearsal::new();
    rehearsal.apply(&locked("ReadOnly", "", true)).await;
    // Who has lost the ledger knows nothing of the lock.
    let other = rehearsal.without_ledger();
    let changed = locked("", ", tags: { team: a }", false);
    let refused = other.try_apply(&changed, Adoption::Allowed).await.err().unwrap();
    let shown = format!("{refused:?}");
    assert!(shown.contains("the lock `keep` (ReadOnly) on ") && shown.contains("az lock delete"), "{shown}");
}

const POLICY: &str = "policyAssignments:
  tags:
    policy: inheritTag
    parameters: { tagName: team }
    identity: system
  pods:
    policy: noPrivilegedContainers
    effect: Audit
    excludeNamespaces: [flux-system]
roleAssignments:
  tags: { principal: '${policyAssignments.tags}', role: Contributor }
";

#[tokio::test(start_paused = true)]
async fn a_policy_acts_as_its_identity_and_changes_in_place() {
    let rehearsal = Rehearsal::new();
    let text = format!("{HEAD}identities: {{ app: {{}} }}\n{POLICY}");
    rehearsal.apply(&text).await;
    let deny = text.replace("effect: Audit", "effect: Deny");
    let plan = rehearsal.plan(&deny).await.plan;
    let step = plan.changes().next().unwrap();
    assert_eq!((step.address.as_str(), step.action), ("policyAssignments.pods", Action::Update));
    assert_eq!(step.changes[0].path, "properties.parameters.effect.value");
    rehearsal.apply(&deny).await;
    // Back to the policy's own default: the parameter goes.
    rehearsal.apply(&text.replace("    effect: Audit\n", "")).await;
    rehearsal.destroy(&text).await;
    assert_eq!(rehearsal.simulator.export(), [] as [serde_json::Value; 0]);
}

#[test]
fn the_binary_says_what_a_lock_forbids() {
    let berth = Berth::new().blueprint(&locked("ReadOnly", "", true));
    berth.apply(&[]).exits(0).says(&["created locks.keep"]);
    berth.plan(&[]).exits(0).says(&["No changes."]);
    let berth = berth.blueprint(&locked("ReadOnly", ", tags: { team: a }", true));
    let said = berth.command(["plan", "blueprint.yaml", "--sim"]).output().unwrap();
    let all = [said.stdout, said.stderr].concat();
    let all = String::from_utf8_lossy(&all);
    assert!(all.contains("the lock `locks.keep` (ReadOnly) forbids changing it"), "{all}");
}

/// A network whose group must have a tag on everything, and an assignment that is waited for.
fn waiting(tags: &str) -> String {
    format!(
        "{HEAD}networks: {{ hub: {{ addressSpace: [10.0.0.0/16], tags: {tags} }} }}
policyAssignments:
  tagged:
    policy: requireTag
    parameters: {{ tagName: team }}
    wait: compliant
    timeout: 20m
    dependsOn: [networks.hub]
identities: {{ app: {{ tags: {{ team: a }}, dependsOn: [policyAssignments.tagged] }} }}
"
    )
}

fn tagged(planned: &berth::ops::Planned) -> berth::plan::Step {
    let step = planned.plan.steps.iter().find(|step| step.address.as_str() == "policyAssignments.tagged");
    step.cloned().unwrap_or_else(|| panic!("{:#?}", planned.plan))
}

#[tokio::test(start_paused = true)]
async fn a_run_ends_when_all_that_a_policy_holds_for_complies() {
    let (rehearsal, bare) = (Rehearsal::new(), waiting("{}"));
    let first = tagged(&rehearsal.plan(&bare).await);
    assert_eq!((first.action, first.awaits), (Action::Create, Some(20)));
    // It is made, and what it holds for does not comply.
    let summary = rehearsal.try_apply(&bare, Adoption::Refused).await.unwrap().summary;
    let outcome = |address: &str| {
        summary.steps.iter().find(|step| step.address.as_str() == address).unwrap().outcome.clone()
    };
    let Outcome::Failed { message, help, .. } = outcome("policyAssignments.tagged") else {
        panic!("{summary:#?}")
    };
    assert!(
        message.contains("within 20 minutes it did not become compliant: 1 resource does not comply: "),
        "{message}"
    );
    assert!(message.ends_with("/virtualNetworks/hub"), "{message}");
    assert!(help.unwrap().contains("only the wait is left"));
    assert!(matches!(outcome("identities.app"), Outcome::Skipped { .. }), "{summary:#?}");
    // The next run has the wait left, and sends nothing for it.
    let again = tagged(&rehearsal.plan(&bare).await);
    assert!(matches!(again.reason, Reason::NotCompliantYet { .. }), "{again:#?}");
    assert_eq!((again.action, again.changes.len()), (Action::Update, 0));
    let before = rehearsal.simulator.counters().updates;
    assert!(!rehearsal.try_apply(&bare, Adoption::Refused).await.unwrap().summary.is_complete());
    assert_eq!(rehearsal.simulator.counters().updates, before);
    // With the tag all complies; what comes after the wait is made; and nothing is waited for again.
    let right = waiting("{ team: a }");
    rehearsal.apply(&right).await;
    assert!(rehearsal.plan(&right).await.plan.is_empty());
    // Somebody takes the tag away: the assignment is as asked, and what it holds for is not.
    let moved = right.replace("team: a }, dependsOn", "kind: b }, dependsOn");
    let summary = rehearsal.try_apply(&moved, Adoption::Refused).await.unwrap().summary;
    assert!(summary.is_complete(), "{summary:#?}");
    assert!(matches!(tagged(&rehearsal.plan(&moved).await).reason, Reason::NotCompliantYet { .. }));
    rehearsal.destroy(&right).await;
    assert_eq!(rehearsal.simulator.export(), [] as [serde_json::Value; 0]);
}

#[tokio::test(start_paused = true)]
async fn who_may_not_have_azure_judge_keeps_what_was_made() {
    let (rehearsal, text) = (Rehearsal::new(), waiting("{ team: a }"));
    let (code, message) = ("AuthorizationFailed".to_owned(), "not allowed".to_owned());
    let refusal = Effect::Answer { status: 403, code, message, retry_after: None };
    rehearsal.simulator.fail_next(Fault::once(Method::Post, "/triggerEvaluation", refusal));
    let summary = rehearsal.try_apply(&text, Adoption::Refused).await.unwrap().summary;
    let step = summary.steps.iter().find(|step| step.address.as_str() == "policyAssignments.tagged").unwrap();
    let Outcome::Failed { message, help, .. } = &step.outcome else { panic!("{summary:#?}") };
    assert!(message.starts_with("Azure has it, and the caller may not have it judged: "), "{message}");
    assert!(help.as_ref().unwrap().contains("policyStates/triggerEvaluation/action"), "{help:?}");
    // It is in the ledger, and the wait is all that is left.
    assert!(matches!(tagged(&rehearsal.plan(&text).await).reason, Reason::NotCompliantYet { .. }));
    rehearsal.apply(&text).await;
    assert!(rehearsal.plan(&text).await.plan.is_empty());
}

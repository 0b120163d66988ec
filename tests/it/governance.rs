//! Locks and policies, from a blueprint to Azure and back.

use crate::support::{Berth, Rehearsal};
use berth::change::Action;
use berth::plan::Adoption;

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

//! What Azure's lists tell before the first write: versions, regions, sizes, zones and quotas. Each of these the
//! simulator refuses when it is written, and the plan says it while nothing has been.

use crate::support::Rehearsal;
use berth::approve::Allowances;
use berth::ops;
use berth::plan::Adoption;

fn blueprint(location: &str, rest: &str) -> String {
    format!(
        "blueprint: foreseen\nazure: {{ subscription: '${{env.AZURE_SUBSCRIPTION_ID}}', location: {location}, resourceGroup: rg-foreseen }}\n{rest}\n"
    )
}

fn cluster(location: &str, own: &str, pool: &str) -> String {
    blueprint(
        location,
        &format!(
            "clusters: {{ aks: {{ protect: false, {own} nodePools: {{ system: {{ mode: System, {pool} }} }} }} }}"
        ),
    )
}

/// What is in the way of a plan, with the remedies, and what may go wrong.
async fn told(rehearsal: &Rehearsal, text: &str) -> (Vec<String>, Vec<String>) {
    let plan = rehearsal.plan(text).await.plan;
    let lines = |all: &[berth::plan::Conflict]| {
        all.iter().map(|one| format!("{}: {} → {}", one.address, one.message, one.help)).collect()
    };
    (lines(&plan.conflicts), lines(&plan.warnings))
}

#[tokio::test(start_paused = true)]
async fn what_the_region_does_not_have_is_in_the_way_before_anything_is_written() {
    const FOUR: &str = "count: 1, vmSize: Standard_D4s_v5";
    let two_pools = "count: 1, vmSize: Standard_D4s_v5 }, more: { count: 1, vmSize: Standard_D4s_v9";
    for (text, wanted) in [
        (
            cluster("westeurope", "kubernetesVersion: \"1.29\",", FOUR),
            "clusters.aks: westeurope does not have Kubernetes 1.29 → write one of these as `kubernetesVersion`: \"1.30\", \"1.31\"",
        ),
        (
            cluster("westeurope", "kubernetesVersion: \"1.33.99\",", FOUR),
            "clusters.aks: westeurope does not have Kubernetes 1.33.99 → write `kubernetesVersion: \"1.33\"`, or a patch",
        ),
        (
            cluster("westeurope", "kubernetesVersion: \"1.30\",", FOUR),
            "clusters.aks: westeurope has Kubernetes 1.30 with long-term support only → write `supportPlan: AKSLongTermSupport`",
        ),
        (
            cluster("westeurope", "", "count: 1, vmSize: Standard_D5s_v5"),
            "clusters.aks.nodePools.system: Azure has no machines of the size `Standard_D5s_v5` in westeurope → take another `vmSize`, for instance `Standard_D",
        ),
        (
            cluster("westeurope", "", two_pools),
            "clusters.aks.nodePools.more: Azure has no machines of the size `Standard_D4s_v9`",
        ),
        (
            cluster("francesouth", "", FOUR),
            "clusters.aks.nodePools.system: the subscription may not have machines of the size `Standard_D4s_v5` in francesouth (NotAvailableForSubscription) → take another region",
        ),
        (
            cluster("westus", "", "count: 3, vmSize: Standard_D4s_v5, zones: [\"1\", \"3\"]"),
            "clusters.aks.nodePools.system: there are no machines of the size `Standard_D4s_v5` in zones 1, 3 of westus → leave `zones` out",
        ),
        (
            cluster("westindia", "", FOUR),
            "clusters.aks: Azure has no Microsoft.ContainerService/managedClusters in `westindia` → take another `location`, for instance `centralindia`, `southindia`",
        ),
        (
            blueprint("westus9", "identities: { app: {} }"),
            "resourceGroup: Azure has no Microsoft.Resources/resourceGroups in `westus9` → take another `location`, for instance `westus`",
        ),
    ] {
        let rehearsal = Rehearsal::new();
        let (conflicts, _) = told(&rehearsal, &text).await;
        assert!(conflicts.iter().any(|one| one.starts_with(wanted)), "{wanted}\n{conflicts:#?}");
        let written = |method: &str| rehearsal.simulator.counters().requests.get(method).copied();
        assert_eq!((written("PUT"), written("PATCH"), written("DELETE")), (None, None, None));
        let allowances = Allowances::default();
        let refused = ops::apply(
            &rehearsal.session,
            &rehearsal.desired(&text),
            Adoption::Refused,
            &allowances,
            |_, _| true,
        )
        .await;
        assert!(refused.is_err());
        assert_eq!(rehearsal.simulator.export().len(), 0, "something was written");
    }
}

#[tokio::test(start_paused = true)]
async fn what_the_region_has_is_in_nobodys_way() {
    for text in [
        cluster("westus", "kubernetesVersion: \"1.33\",", "count: 1, vmSize: standard_d4S_V5"),
        cluster(
            "West Europe",
            "kubernetesVersion: \"1.33.2\",",
            "count: 3, vmSize: Standard_E8-4ads_v5, zones: [\"1\", \"2\", \"3\"]",
        ),
        cluster(
            "westeurope",
            "kubernetesVersion: \"1.30\", supportPlan: AKSLongTermSupport, sku: { tier: Premium },",
            "count: 1, vmSize: Standard_NC4as_T4_v3",
        ),
    ] {
        let rehearsal = Rehearsal::new();
        let (conflicts, _) = told(&rehearsal, &text).await;
        assert_eq!(conflicts, [""; 0]);
        rehearsal.apply(&text).await;
    }
}

/// Whoever may not read the lists goes on without.
#[tokio::test(start_paused = true)]
async fn lists_that_are_refused_are_in_nobodys_way() {
    use berth::arm::transport::Method;
    let rehearsal = Rehearsal::new();
    for path in ["/skus", "/kubernetesVersions", "/usages", "/providers/Microsoft.Resources"] {
        let refused = berth::sim::Effect::Answer {
            status: 403,
            code: "AuthorizationFailed".into(),
            message: "no".into(),
            retry_after: None,
        };
        rehearsal.simulator.fail_next(berth::sim::Fault::once(Method::Get, path, refused).times(99));
    }
    rehearsal
        .apply(&cluster("westeurope", "kubernetesVersion: \"1.33\",", "count: 1, vmSize: Standard_D4s_v5"))
        .await;
}

#[tokio::test(start_paused = true)]
async fn cores_are_counted_with_what_stands_in_and_what_surges() {
    let rehearsal = Rehearsal::with(berth::sim::Options { cores: 350, ..Default::default() });
    let pool = |pool: &str| cluster("westeurope", "kubernetesVersion: \"1.33\",", pool);
    let before = pool("count: 20, vmSize: Standard_D16s_v5");
    rehearsal.apply(&before).await;
    // More of the same count only as far as they are more.
    let (_, warnings) = told(&rehearsal, &pool("count: 21, vmSize: Standard_D16s_v5")).await;
    assert_eq!(warnings, [""; 0]);
    let (_, warnings) = told(&rehearsal, &pool("count: 30, vmSize: Standard_D16s_v5")).await;
    assert!(
        warnings
            .iter()
            .any(|one| one.contains("this plan takes 160 vCPUs of") && one.contains("30 of 350 are free")),
        "{warnings:?}"
    );
    // A pool that is replaced gives its cores back; the one that stands in for it has some meanwhile.
    let (_, warnings) = told(&rehearsal, &pool("count: 20, vmSize: Standard_E16s_v5")).await;
    let region =
        warnings.iter().find(|one| one.contains("Regional")).unwrap_or_else(|| panic!("{warnings:?}"));
    assert!(region.contains("this plan takes 320 vCPUs"), "{region}");
    // An upgrade needs the machines of the surge: a tenth, if nothing is said.
    let upgraded = |surge: &str| {
        cluster(
            "westeurope",
            "kubernetesVersion: \"1.34\",",
            &format!("kubernetesVersion: \"1.34\", count: 20, vmSize: Standard_D16s_v5{surge}"),
        )
    };
    let (_, warnings) = told(&rehearsal, &upgraded("")).await;
    assert!(
        warnings.iter().any(|one| one.contains("takes 32 vCPUs") && one.contains("30 of 350 are free")),
        "{warnings:?}"
    );
    let (_, warnings) = told(&rehearsal, &upgraded(", upgrade: { maxSurge: 1 }")).await;
    assert_eq!(warnings, [""; 0]);
}

/// An upgrade is asked for as a new cluster is, and what is not upgraded is not.
#[tokio::test(start_paused = true)]
async fn an_upgrade_goes_to_what_the_region_has_and_one_minor_version_at_a_time() {
    let rehearsal = Rehearsal::new();
    let version = |version: &str, tags: &str| {
        cluster(
            "westeurope",
            &format!("kubernetesVersion: \"{version}\",{tags}"),
            "count: 1, vmSize: Standard_D4s_v5",
        )
    };
    rehearsal.apply(&version("1.32", "")).await;
    for (to, wanted) in
        [("1.33.77", "westeurope does not have Kubernetes 1.33.77"), ("1.34", "one minor version at a time")]
    {
        let (conflicts, _) = told(&rehearsal, &version(to, "")).await;
        assert!(conflicts.iter().any(|one| one.contains(wanted)), "{to}: {conflicts:?}");
    }
    rehearsal.apply(&version("1.33", " tags: { a: b },")).await;
}

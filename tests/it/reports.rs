//! Drift in files, for other programs.

use crate::support::Berth;
use serde_json::{Value, json};

const BLUEPRINT: &str = "\
blueprint: shop
azure: { subscription: '${env.AZURE_SUBSCRIPTION_ID}', location: westeurope, resourceGroup: rg-shop }
networks:
  hub: { addressSpace: [10.20.0.0/16] }
identities:
  app: { name: id-app }
";

const GROUP: &str = "/subscriptions/5ab5c819-0000-4000-8000-000000000001/resourceGroups/rg-shop/providers";

#[test]
fn drift_is_written_in_every_form_that_is_asked_for() {
    let berth = Berth::new().blueprint(BLUEPRINT);
    berth.apply(&[]).exits(0);
    let all = ["junit", "sarif", "json", "markdown", "html"].map(|form| format!("--report={form}=out.{form}"));
    let all: Vec<&str> = all.iter().map(String::as_str).collect();
    berth.drift(&all).exits(0).says(&["No drift."]);
    let calm = berth.read("out.junit");
    assert!(calm.contains(r#"failures="0""#) && calm.contains(r#"name="networks.hub""#), "{calm}");
    let sarif = |berth: &Berth| serde_json::from_str::<Value>(&berth.read("out.sarif")).unwrap();
    assert_eq!(sarif(&berth)["runs"][0]["results"], json!([]));

    let server = berth.sim_serve();
    let id = format!("{GROUP}/Microsoft.ManagedIdentity/userAssignedIdentities/id-app");
    let (status, _) = server.send("DELETE", &format!("{id}?api-version=2023-01-31"), None);
    assert_eq!(status, 200);
    server.stop();

    // The forms do not depend on how it is shown, nor the exit code on the forms.
    berth.drift(&all).exits(2).says(&["Drift of shop"]);
    let junit = berth.read("out.junit");
    assert!(junit.contains(r#"failures="1""#) && junit.contains("identities.app"), "{junit}");
    let sarif = sarif(&berth);
    let result = &sarif["runs"][0]["results"][0];
    assert_eq!(result["ruleId"], "drift-missing");
    let place = &result["locations"][0]["physicalLocation"];
    assert_eq!(place["artifactLocation"]["uri"], "blueprint.yaml");
    assert_eq!(place["region"]["startLine"], 6);
    assert!(berth.read("out.json").contains("berth-drift"));
    assert!(berth.read("out.markdown").contains("### berth: drift"));
    assert!(berth.read("out.html").contains("<html"));
}

#[test]
fn a_report_that_cannot_be_written_is_an_error() {
    let berth = Berth::new().blueprint(BLUEPRINT);
    berth.apply(&[]).exits(0);
    berth.drift(&["--report", "junit=blueprint.yaml/drift.xml"]).exits(1).complains(&["cannot write the report to blueprint.yaml/drift.xml"]);
    for (wrong, says) in [("xml=a", "there are json, markdown, html, junit, sarif"), ("junit", "it needs a file")] {
        berth.drift(&["--report", wrong]).exits(1).complains(&[says]);
    }
}

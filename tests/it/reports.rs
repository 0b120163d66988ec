//! Drift in files, for other programs.

use crate::support::{Berth, root};
use berth::diag::Place;
use berth::drift::{
    Actor, ActorKind, Attribution, ChangedBy, Drift, DriftKind, DriftReport, FieldDrift, Severity, Source,
    Who,
};
use berth::ident::{Address, ArmId};
use berth::report::{Host, Style, card, gitlab, html, human, json, junit, markdown, metrics, sarif};
use serde_json::{Value, json};
use std::collections::HashMap;

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
    let all =
        ["junit", "sarif", "json", "markdown", "html"].map(|form| format!("--report={form}=out.{form}"));
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
fn a_plan_and_the_end_of_a_run_are_written_in_every_form_that_makes_sense() {
    let berth = Berth::new().blueprint(BLUEPRINT);
    let forms = |of: &str, forms: &[&str]| -> Vec<String> {
        forms.iter().map(|form| format!("--report={form}={of}.{form}")).collect()
    };
    let planned = forms("plan", &["junit", "sarif", "json", "markdown", "html", "gitlab", "text"]);
    berth.plan(&planned.iter().map(String::as_str).collect::<Vec<_>>()).exits(2);
    let junit = berth.read("plan.junit");
    assert!(junit.contains(r#"failures="0""#) && junit.contains("create networks.hub"), "{junit}");
    let sarif: Value = serde_json::from_str(&berth.read("plan.sarif")).unwrap();
    assert_eq!(sarif["runs"][0]["results"], json!([]));
    let counts: Value = serde_json::from_str(&berth.read("plan.gitlab")).unwrap();
    assert_eq!(counts["create"], 3);
    assert!(berth.read("plan.json").contains("\"steps\"") && berth.read("plan.html").contains("<html"));
    assert!(berth.read("plan.markdown").contains("### berth: plan for"));

    // A policy that denies is a failure, with the line of the entry that it speaks of.
    let rule = "package names\ndeny contains msg if { some step in input.steps; step.address == \"identities.app\"; \
                msg := \"identities.app is called id-app\" }\n";
    berth.write("names.rego", rule.as_bytes());
    let denied = forms("denied", &["junit", "sarif"]);
    let mut args: Vec<&str> = denied.iter().map(String::as_str).collect();
    args.extend(["--policy", "names.rego"]);
    berth.plan(&args).exits(4);
    let junit = berth.read("denied.junit");
    assert!(junit.contains(r#"failures="1""#) && junit.contains("is called id-app"), "{junit}");
    let sarif: Value = serde_json::from_str(&berth.read("denied.sarif")).unwrap();
    let result = &sarif["runs"][0]["results"][0];
    assert_eq!(result["level"], "error");
    assert_eq!(result["locations"][0]["physicalLocation"]["region"]["startLine"], 6);

    let fault = "faults: [{ answer: { status: 409, code: NameTaken }, method: [PUT], type: Microsoft.ManagedIdentity/userAssignedIdentities }]\n";
    berth.write("faults.yaml", fault.as_bytes());
    let ended = forms("end", &["junit", "sarif", "json", "markdown", "text"]);
    let mut args: Vec<&str> = ended.iter().map(String::as_str).collect();
    args.extend(["--faults", "faults.yaml"]);
    berth.apply(&args).exits(3);
    let junit = berth.read("end.junit");
    assert!(junit.contains(r#"failures="1""#) && junit.contains("create identities.app"), "{junit}");
    let sarif: Value = serde_json::from_str(&berth.read("end.sarif")).unwrap();
    let result = &sarif["runs"][0]["results"][0];
    assert_eq!(result["locations"][0]["physicalLocation"]["region"]["startLine"], 6);
    assert!(berth.read("end.markdown").contains("in part") && berth.read("end.text").contains("failed"));

    berth
        .plan(&["--report", "card=x"])
        .exits(1)
        .complains(&["there is no report of a plan in the form `card`"]);
    berth.apply(&["--report", "html=x"]).exits(1).complains(&["there is no report of the end of a run"]);
}

#[test]
fn a_report_that_cannot_be_written_is_an_error() {
    let berth = Berth::new().blueprint(BLUEPRINT);
    berth.apply(&[]).exits(0);
    berth
        .drift(&["--report", "junit=blueprint.yaml/drift.xml"])
        .exits(1)
        .complains(&["cannot write the report to blueprint.yaml/drift.xml"]);
    for (wrong, says) in
        [("xml=a", "there are json, markdown, markdown-azure-repos"), ("junit", "it needs a file")]
    {
        berth.drift(&["--report", wrong]).exits(1).complains(&[says]);
    }
}

/// A report of many resources that drifted, each with fields of this size.
fn large(count: usize, letters: usize) -> DriftReport {
    let severities = [Severity::Low, Severity::Medium, Severity::High, Severity::Critical];
    let drifted = (0..count).map(|at| {
        let address = Address::new(format!("identities.app-{at:05}"));
        let id =
            ArmId::parse(&format!("{GROUP}/Microsoft.ManagedIdentity/userAssignedIdentities/id-{at:05}"))
                .unwrap();
        let fields = (0..5).map(|field| {
            let text = "x".repeat(letters);
            FieldDrift {
                severity: severities[at % 4],
                ..FieldDrift::new(format!("properties.field{field}"), json!(text), json!(format!("{text}y")))
            }
        });
        let arm_type = "Microsoft.ManagedIdentity/userAssignedIdentities";
        let who = Who::Known(Attribution {
            actor: Actor { kind: ActorKind::Person, name: format!("person{}@example.com", at % 7), id: None },
            client: Some("Azure Portal".into()),
            time: format!("2026-01-{:02}T10:00:00Z", at % 28 + 1),
            operation: format!("{arm_type}/write"),
            correlation_id: Some("c".into()),
            source: Source::ResourceGraph,
            own: false,
        });
        Drift {
            severity: severities[at % 4],
            changed_by: vec![ChangedBy { fields: Vec::new(), who }],
            ..Drift::new(address, id, arm_type, DriftKind::Changed, fields.collect())
        }
    });
    DriftReport {
        version: 1,
        blueprint: "shop".into(),
        checked: count * 2,
        drifted: drifted.collect(),
        steady: (0..count).map(|at| Address::new(format!("identities.calm-{at:05}"))).collect(),
        ..DriftReport::default()
    }
}

#[test]
fn every_report_keeps_its_budget_and_its_counts() {
    let none = HashMap::new();
    for letters in [20, 400] {
        let report = &large(5_000, letters);
        let mut written: Vec<(&str, String, usize)> = vec![
            ("text", human::drift(report, &Style::plain(100)), 300_000),
            ("json", json::to_text(&json::drift(report)), 16_000_000),
            ("html", html::drift(report), 4_000_000),
            ("junit", junit::drift(report), 20_000_000),
            ("sarif", json::to_text(&sarif::drift(report, &none)), 20_000_000),
            ("gitlab", json::to_text(&gitlab::drift(report)), 200),
            ("prometheus", metrics::drift(report), 5_000),
            ("card", json::to_line(&card::drift(report)), 20_000),
        ];
        for (host, most) in Host::ALL.into_iter().zip([65_536, 150_000, 1_000_000, 32_768, 1_048_576]) {
            written.push(("markdown", markdown::drift_for(report, host), most));
        }
        for (form, text, most) in &written {
            assert!(text.len() <= *most, "{form} has {} bytes of {most}", text.len());
            assert!(text.contains("5000"), "{form} does not say how many drifted");
            let whole = ["gitlab", "prometheus"].contains(form);
            let told = ["left out", "not listed", "\"dropped\""].iter().any(|words| text.contains(words));
            assert!(whole || told || letters == 20, "{form} does not say what it dropped");
            // The gravest are the last to be dropped.
            assert!(whole || text.contains("identities.app-00003"), "{form} dropped what is critical");
        }
        let counts = json::drift(report);
        assert_eq!(counts["severities"]["critical"], 1250);
        assert_eq!((&counts["kinds"]["changed"], &counts["checked"]), (&json!(5000), &json!(10_000)));
    }
}

#[test]
fn drift_as_json_is_what_its_schema_says() {
    let schema: Value =
        serde_json::from_str(&std::fs::read_to_string(root().join("docs/schema/drift-v1.json")).unwrap())
            .unwrap();
    let validator = jsonschema::draft202012::new(&schema).unwrap();
    for report in [large(3, 20), large(5_000, 400), DriftReport::default()] {
        let value = json::drift(&report);
        let wrong: Vec<String> = validator
            .iter_errors(&value)
            .take(5)
            .map(|error| format!("{}: {error:.200}", error.instance_path()))
            .collect();
        assert!(wrong.is_empty(), "{wrong:#?}");
    }
    let mut wrong = json::drift(&large(1, 20));
    wrong["drifted"][0]["kind"] = json!("vanished");
    assert!(!validator.is_valid(&wrong));
}

/// What the standard says of a SARIF log, as far as these use it (OASIS, SARIF 2.1.0).
fn check_sarif(log: &Value) {
    let text = |value: &Value, pointer: &str| {
        value
            .pointer(pointer)
            .and_then(Value::as_str)
            .unwrap_or_else(|| panic!("no {pointer} in {value}"))
            .to_owned()
    };
    assert_eq!(text(log, "/version"), "2.1.0");
    assert!(text(log, "/$schema").contains("sarif-2.1.0"));
    let runs = log["runs"].as_array().unwrap();
    assert!(!runs.is_empty() && runs.len() <= 20);
    for run in runs {
        text(run, "/tool/driver/name");
        text(run, "/automationDetails/id");
        let rules = run["tool"]["driver"]["rules"].as_array().unwrap();
        let mut ids: Vec<String> = rules.iter().map(|rule| text(rule, "/id")).collect();
        ids.sort();
        ids.dedup();
        assert_eq!(ids.len(), rules.len(), "an id of a rule stands twice");
        for rule in rules {
            text(rule, "/shortDescription/text");
            assert!(
                ["none", "note", "warning", "error"].contains(&&*text(rule, "/defaultConfiguration/level"))
            );
        }
        let results = run["results"].as_array().unwrap();
        assert!(results.len() <= 25_000);
        let mut prints = std::collections::BTreeSet::new();
        for result in results {
            assert!(ids.contains(&text(result, "/ruleId")));
            assert!(["none", "note", "warning", "error"].contains(&&*text(result, "/level")));
            assert!(!text(result, "/message/text").is_empty());
            let print = result["partialFingerprints"].as_object().unwrap();
            assert!(print.values().all(Value::is_string) && !print.is_empty());
            assert!(prints.insert(json!(print).to_string()), "two results have one fingerprint");
            for location in result["locations"].as_array().unwrap() {
                text(location, "/logicalLocations/0/fullyQualifiedName");
                if let Some(physical) = location.get("physicalLocation") {
                    let uri = text(physical, "/artifactLocation/uri");
                    assert!(!uri.contains([' ', '\\']), "{uri}");
                    assert!(physical["region"]["startLine"].as_u64().is_some_and(|line| line >= 1));
                    assert!(physical["region"]["startColumn"].as_u64().is_some_and(|column| column >= 1));
                }
            }
        }
    }
}

/// What build servers read of JUnit XML (the schema of Jenkins' xUnit plugin), as far as these use it.
fn check_junit(xml: &str) {
    let mut reader = quick_xml::Reader::from_str(xml);
    let mut open: Vec<String> = Vec::new();
    let (mut cases, mut failures) = (0, 0);
    let mut said = (None, None);
    loop {
        use quick_xml::events::Event;
        let event = reader.read_event().unwrap();
        let name = |name: quick_xml::name::QName<'_>| String::from_utf8(name.as_ref().to_vec()).unwrap();
        match &event {
            Event::Eof => break,
            Event::Start(start) | Event::Empty(start) => {
                let own = name(start.name());
                let may = match open.last().map(String::as_str) {
                    None => ["testsuites"].as_slice(),
                    Some("testsuites") => &["testsuite"],
                    Some("testsuite") => &["properties", "testcase", "system-out", "system-err"],
                    Some("properties") => &["property"],
                    Some("testcase") => &["failure", "error", "skipped", "system-out", "system-err"],
                    Some(other) => panic!("{own} stands in {other}"),
                };
                assert!(may.contains(&own.as_str()), "{own} stands in {open:?}");
                let attribute = |wanted: &str| {
                    let found =
                        start.attributes().map(Result::unwrap).find(|a| a.key.as_ref() == wanted.as_bytes());
                    found.map(|found| String::from_utf8(found.value.to_vec()).unwrap())
                };
                match own.as_str() {
                    "testsuite" => {
                        assert!(attribute("name").is_some());
                        said = (attribute("tests"), attribute("failures"));
                    }
                    "testcase" => {
                        assert!(attribute("name").is_some() && attribute("classname").is_some());
                        cases += 1;
                    }
                    "failure" => {
                        assert!(attribute("type").is_some() && attribute("message").is_some());
                        failures += 1;
                    }
                    "property" => assert!(attribute("name").is_some() && attribute("value").is_some()),
                    _ => {}
                }
                if matches!(event, Event::Start(_)) {
                    open.push(own);
                }
            }
            Event::End(end) => assert_eq!(open.pop(), Some(name(end.name()))),
            _ => {}
        }
    }
    assert!(open.is_empty());
    assert_eq!(said, (Some(cases.to_string()), Some(failures.to_string())));
}

#[test]
fn junit_and_sarif_are_what_their_schemas_say() {
    let places: HashMap<Address, Place> = HashMap::from([(
        Address::new("identities.app-00001"),
        Place { file: "a b\\shop.yaml".into(), line: 3, column: 3 },
    )]);
    for report in [large(3, 20), large(5_000, 400), DriftReport::default()] {
        check_sarif(&sarif::drift(&report, &places));
        check_junit(&junit::drift(&report));
    }
    for (at, report) in [large(50, 20), mixed(), DriftReport::default()].iter().enumerate() {
        keep(&format!("{at}.sarif"), &json::to_text(&sarif::drift(report, &places)));
        keep(&format!("{at}.xml"), &junit::drift(report));
    }
}

/// Keeps a report for `.ci/run schemas`, which holds it against the published schema.
pub fn keep(name: &str, text: &str) {
    #[expect(clippy::disallowed_methods, reason = "how `.ci/run schemas` names the folder")]
    let Some(folder) = std::env::var_os("BERTH_REPORTS") else { return };
    let path = std::path::Path::new(&folder).join(name);
    berth::host::files::write_atomic(&path, text.as_bytes()).unwrap();
}

/// A report with some of everything, one name of it an attack.
pub fn mixed() -> DriftReport {
    let mut report = large(6, 20);
    let attack = "<svg onload=\"document.body.id='owned'+'-by-a-name'\">";
    let names = [
        "networks.hub",
        "keyVaults.secrets",
        "clusters.aks.nodePools.windows",
        "identities.app",
        "networks.hub.subnets[scratch]",
        "roleAssignments.reader",
    ];
    for (drift, name) in report.drifted.iter_mut().zip(names) {
        drift.address = Address::new(name);
        drift.fields.truncate(2);
    }
    let drifted = &mut report.drifted;
    drifted[0].fields[0] = FieldDrift {
        severity: Severity::Low,
        ..FieldDrift::new("tags.team", json!("platform"), json!(attack))
    };
    drifted[1].fields = vec![FieldDrift {
        severity: Severity::Critical,
        ..FieldDrift::new("properties.publicNetworkAccess", json!("Disabled"), json!("Enabled"))
    }];
    (drifted[1].severity, drifted[3].severity) = (Severity::Critical, Severity::High);
    drifted[3].kind = DriftKind::Missing;
    drifted[3].fields.clear();
    drifted[4].kind = DriftKind::Added;
    drifted[4].fields.clear();
    let kinds = [
        (ActorKind::Person, "ada@example.com"),
        (ActorKind::ServicePrincipal, "deploy-bot"),
        (ActorKind::ManagedIdentity, "id-night-job"),
        (ActorKind::Policy, "inherit-tags"),
        (ActorKind::Person, attack),
    ];
    for (drift, (kind, name)) in drifted.iter_mut().zip(kinds) {
        if let Who::Known(known) = &mut drift.changed_by[0].who {
            known.actor = Actor { kind, name: name.into(), id: None };
        }
    }
    drifted[5].changed_by[0].who = Who::Unknown("Resource Graph cannot be read (AuthorizationFailed)".into());
    report.checked = 31;
    let address = |name: &&str| Address::new(*name);
    report.needs = [
        ("networks.hub", vec![]),
        ("networks.hub.subnets.nodes", vec!["networks.hub"]),
        ("networks.hub.subnets.endpoints", vec!["networks.hub"]),
        ("identities.app", vec![]),
        ("keyVaults.secrets", vec![]),
        ("roleAssignments.reader", vec!["identities.app", "keyVaults.secrets"]),
        ("clusters.aks", vec!["networks.hub.subnets.nodes", "identities.app"]),
        ("clusters.aks.nodePools.windows", vec!["clusters.aks"]),
        ("privateEndpoints.vault", vec!["networks.hub.subnets.endpoints", "keyVaults.secrets"]),
    ]
    .iter()
    .map(|(name, needs)| (address(name), needs.iter().map(address).collect()))
    .collect();
    report
}

#[test]
fn waivers_are_honoured_until_their_day_and_always_told() {
    let berth = Berth::new().blueprint(BLUEPRINT);
    berth.apply(&[]).exits(0);
    let server = berth.sim_serve();
    let id = format!("{GROUP}/Microsoft.ManagedIdentity/userAssignedIdentities/id-app");
    let (status, _) = server.send("DELETE", &format!("{id}?api-version=2023-01-31"), None);
    assert_eq!(status, 200);
    server.stop();
    let waivers = |text: &str| berth.write("waivers.yaml", text.as_bytes());
    let drift = |code| berth.drift(&["--waivers", "waivers.yaml"]).exits(code);
    waivers(
        "waivers:\n  - { address: identities.app, field: '*', until: 2999-12-31, reason: being moved }\n",
    );
    drift(0).says(&["No drift.", "Waived:", "identities.app", "everything until 2999-12-31: being moved"]);
    waivers(
        "waivers:\n  - { address: identities.app, field: '*', until: 2020-12-31, reason: being moved }\n",
    );
    drift(2).says(&["identities.app missing", "Expired waivers:", "until 2020-12-31"]);
    for (text, says) in [
        (
            "waivers:\n  - { address: identities.ap, field: x, until: 2999-12-31, reason: r }\n",
            ["waivers.yaml:2:16", "`identities.ap` is not in the blueprint"],
        ),
        (
            "waivers:\n  - { address: identities.app, field: x, until: soon, reason: r }\n",
            ["waivers.yaml:2", "`soon` is not a day"],
        ),
        (
            "waivers:\n  - { address: identities.app, field: x, until: 2999-12-31, reason: '' }\n",
            ["waivers.yaml:2", "`reason` is empty"],
        ),
        (
            "waivers:\n  - { address: identities.app, until: 2999-12-31, reason: r }\n",
            ["waivers.yaml:2", "field"],
        ),
    ] {
        waivers(text);
        drift(1).complains(&says);
    }
}

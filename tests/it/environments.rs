//! Two environments of one blueprint, in one folder, with one place for ledgers: neither can touch what the other has.

use crate::support::{Berth, Run, Server};
use serde_json::Value;

const BLUEPRINT: &str = "\
blueprint: shop
parameters:
  group: { type: string, default: \"\" }
  team: { type: string, default: platform }
  key: { type: string, secret: true, default: \"\" }
azure:
  location: westeurope
  resourceGroup: \"${param.group or 'rg-shop-' ~ environment.name}\"
  tags: { team: \"${param.team}\" }
identities:
  app: {}
  other: {}
networks:
  hub:
    addressSpace: [10.0.0.0/16]
    subnets:
      nodes: { prefix: 10.0.0.0/20 }
outputs:
  team: ${param.team}
";

const SUBSCRIPTION: &str = "5ab5c819-0000-4000-8000-000000000001";
const OTHER: &str = "5ab5c819-0000-4000-8000-00000000000b";

/// A folder with the two environments and a served simulator in which both are made.
struct Two {
    berth: Berth,
    azure: Server,
}

impl Two {
    fn new() -> Self {
        let berth = Berth::new().blueprint(BLUEPRINT);
        for name in ["dev", "prod"] {
            let text =
                format!("subscription: {SUBSCRIPTION}\nledger: ../ledgers\nvalues: {{ team: {name} }}\n");
            berth.write(&format!("environments/{name}.yaml"), text.as_bytes());
        }
        let azure = berth.sim_serve();
        let two = Two { berth, azure };
        for name in ["dev", "prod"] {
            two.run(&["apply", "blueprint.yaml", "-e", name, "--auto-approve", "--quiet"]).exits(0);
        }
        two
    }

    fn command(&self, args: &[&str]) -> std::process::Command {
        let mut command = self.berth.command([args, &self.azure.client()[..]].concat());
        command.env("COLUMNS", "140");
        command
    }

    fn run(&self, args: &[&str]) -> Run {
        Run::of(args, self.command(args).output().unwrap())
    }

    /// What is in Azure and in the ledger of an environment.
    fn state(&self, name: &str) -> Vec<(String, Value)> {
        let ledger = self.berth.read(&format!("ledgers/shop.{name}.json"));
        let ledger: Value = serde_json::from_str(&ledger).unwrap();
        let resources = ledger["resources"].as_object().unwrap();
        let mut state: Vec<(String, Value)> = resources
            .iter()
            .filter(|(id, _)| id.contains("/resourceGroups/"))
            .map(|(id, owned)| {
                let version = owned["apiVersion"].as_str().unwrap();
                let (status, body) = self.azure.send("GET", &format!("{id}?api-version={version}"), None);
                assert_eq!(status, 200, "{id} is gone: {body}");
                (id.clone(), body)
            })
            .collect();
        assert!(state.len() > 3, "{state:?}");
        state.push(("the ledger".to_owned(), ledger));
        state
    }

    fn copy(&self, from: &str, to: &str) {
        self.berth.write(to, self.berth.read(from).as_bytes());
    }
}

#[test]
fn each_environment_has_its_own_values_ledger_and_tag() {
    let two = Two::new();
    for name in ["dev", "prod"] {
        let (id, network) = two
            .state(name)
            .into_iter()
            .find(|(id, _)| id.ends_with("/virtualNetworks/hub"))
            .expect("the network is made");
        assert!(id.contains(&format!("/rg-shop-{name}/")), "{id}");
        assert_eq!(network["tags"]["berth-blueprint"], format!("shop/{name}"));
        assert_eq!(network["tags"]["team"], name);
        two.run(&["plan", "blueprint.yaml", "-e", name]).exits(0).says(&["No changes."]);
        two.run(&["drift", "blueprint.yaml", "-e", name]).exits(0);
        two.run(&["output", "blueprint.yaml", "team", "--environment", name]).exits(0).says(&[name]);
        two.run(&["ledger", "show", "blueprint.yaml", "-e", name])
            .exits(0)
            .says(&[&format!("shop/{name} owns")]);
    }
    // Destroying one leaves the other as it is.
    let before = two.state("prod");
    two.run(&["destroy", "blueprint.yaml", "-e", "dev", "--auto-approve"]).exits(0);
    assert_eq!(two.state("prod"), before);
    two.run(&["plan", "blueprint.yaml", "-e", "prod"]).exits(0);
    // Again there is nothing to do, and that is not an error: nothing with the tag is left.
    two.run(&["destroy", "blueprint.yaml", "-e", "dev", "--auto-approve"]).exits(0);
}

/// A wrong combination: what is done to the folder first, the command, how it ends, and what it says.
struct Wrong<'a> {
    what: &'a str,
    prepare: &'a dyn Fn(&Two),
    args: &'a [&'a str],
    code: i32,
    says: &'a [&'a str],
}

#[test]
fn no_wrong_combination_touches_the_other_environment() {
    let two = Two::new();
    two.run(&["plan", "blueprint.yaml", "-e", "dev", "-p", "team=x", "--out", "dev.plan"]).exits(2);
    let edited = two.berth.read("dev.plan").replace("\"environment\": \"dev\"", "\"environment\": \"prod\"");
    two.berth.write("edited.plan", edited.as_bytes());
    let both = two.berth.read("dev.plan").replace("\"dev\"", "\"prod\"");
    two.berth.write("both.plan", both.as_bytes());
    let alone = format!("azure:\n  subscription: {SUBSCRIPTION}\n");
    let alone = BLUEPRINT.replace("azure:\n", &alone).replace(" or 'rg-shop-' ~ environment.name", "");
    two.berth.write("no.yaml", alone.as_bytes());
    two.berth.write("prod.values.yaml", b"group: rg-shop-prod\n");
    let nothing = |_: &Two| {};
    let as_prods_ledger = |two: &Two| two.copy("ledgers/shop.prod.json", "ledgers/shop.dev.json");
    let into_other_folder = |two: &Two| two.copy("ledgers/shop.prod.json", "elsewhere/shop.dev.json");
    let without_environment = |two: &Two| two.copy("ledgers/shop.prod.json", ".berth/ledgers/shop.json");
    let file = |from: &'static str, to: &'static str| {
        move |two: &Two| {
            let text = two.berth.read("environments/dev.yaml");
            assert!(text.contains(from), "{text}");
            two.berth.write("environments/dev.yaml", text.replace(from, to).as_bytes());
        }
    };
    let other_subscription = file(SUBSCRIPTION, OTHER);
    let other_values = file("team: dev", "team: friends");
    let other_cloud = file("ledger:", "cloud: china\nledger:");
    let other_tenant = file("ledger:", "tenant: 7e9a9700-0000-4000-8000-0000000000ff\nledger:");
    let says_other = |two: &Two| two.berth.edit("azure:\n", &format!("azure:\n  subscription: {OTHER}\n"));
    let prods = ["belongs to the environment `prod` of the blueprint `shop`"];
    let table = [
        Wrong {
            what: "values of the other",
            prepare: &nothing,
            args: &["apply", "blueprint.yaml", "-e", "dev", "--values", "prod.values.yaml", "--auto-approve"],
            code: 4,
            says: &prods,
        },
        Wrong {
            what: "parameter of the other, and adopting",
            prepare: &nothing,
            args: &[
                "apply",
                "blueprint.yaml",
                "-e",
                "dev",
                "-p",
                "group=rg-shop-prod",
                "--adopt",
                "--auto-approve",
            ],
            code: 4,
            says: &prods,
        },
        Wrong {
            what: "no environment",
            prepare: &nothing,
            args: &["apply", "blueprint.yaml", "--auto-approve"],
            code: 1,
            says: &["this run has no environment", "`-e NAME`", "note: this run is for no environment"],
        },
        Wrong {
            what: "no environment, with the other's values",
            prepare: &nothing,
            args: &["apply", "no.yaml", "-p", "group=rg-shop-prod", "--adopt", "--auto-approve"],
            code: 4,
            says: &prods,
        },
        Wrong {
            what: "a new ledger, with the other's values",
            prepare: &nothing,
            args: &[
                "apply",
                "blueprint.yaml",
                "-e",
                "dev",
                "--ledger",
                "new",
                "-p",
                "group=rg-shop-prod",
                "--adopt",
                "--auto-approve",
            ],
            code: 4,
            says: &prods,
        },
        Wrong {
            what: "destroying with a new ledger",
            prepare: &nothing,
            args: &["destroy", "blueprint.yaml", "-e", "dev", "--ledger", "new", "--auto-approve"],
            code: 1,
            says: &["holds nothing of `shop/dev`"],
        },
        Wrong {
            what: "drift with a new ledger",
            prepare: &nothing,
            args: &["drift", "blueprint.yaml", "-e", "dev", "--ledger", "new"],
            code: 1,
            says: &["holds nothing of `shop/dev`"],
        },
        Wrong {
            what: "output with a new ledger",
            prepare: &nothing,
            args: &["output", "blueprint.yaml", "-e", "dev", "--ledger", "new"],
            code: 1,
            says: &["does not exist"],
        },
        Wrong {
            what: "destroying without an environment",
            prepare: &nothing,
            args: &["destroy", "blueprint.yaml", "--ledger", "ledgers", "--auto-approve"],
            code: 1,
            says: &["holds nothing of `shop`"],
        },
        Wrong {
            what: "the other's ledger in its place",
            prepare: &as_prods_ledger,
            args: &["apply", "blueprint.yaml", "-e", "dev", "--auto-approve"],
            code: 4,
            says: &["it is of the environment `prod`, and this run is for `dev`", "--move-ledger"],
        },
        Wrong {
            what: "destroying with the other's ledger in its place",
            prepare: &as_prods_ledger,
            args: &["destroy", "blueprint.yaml", "-e", "dev", "--auto-approve"],
            code: 4,
            says: &["it is of the environment `prod`, and this run is for `dev`"],
        },
        Wrong {
            what: "destroying by name with the other's ledger in its place",
            prepare: &as_prods_ledger,
            args: &["destroy", "--name", "shop", "-e", "dev", "--ledger", "ledgers", "--auto-approve"],
            code: 4,
            says: &["it is of the environment `prod`, and this run is for `dev`"],
        },
        Wrong {
            what: "destroying with a ledger that is in another folder",
            prepare: &into_other_folder,
            args: &["destroy", "blueprint.yaml", "-e", "dev", "--ledger", "elsewhere", "--auto-approve"],
            code: 4,
            says: &["it is of the environment `prod`, and this run is for `dev`"],
        },
        Wrong {
            what: "destroying without an environment, with the other's ledger",
            prepare: &without_environment,
            args: &["destroy", "blueprint.yaml", "--auto-approve"],
            code: 4,
            says: &["it is of the environment `prod`, and this run is for none"],
        },
        Wrong {
            what: "applying with the other's ledger, moved",
            prepare: &as_prods_ledger,
            args: &["apply", "blueprint.yaml", "-e", "dev", "--move-ledger", "--auto-approve"],
            code: 4,
            says: &["still says `shop/prod`, from which this ledger was moved", "--allow-delete"],
        },
        Wrong {
            what: "destroying with the other's ledger, moved",
            prepare: &as_prods_ledger,
            args: &["destroy", "blueprint.yaml", "-e", "dev", "--move-ledger", "--auto-approve"],
            code: 4,
            says: &["still says `shop/prod`, from which this ledger was moved", "--allow-delete"],
        },
        Wrong {
            what: "drift with the other's ledger",
            prepare: &as_prods_ledger,
            args: &["drift", "blueprint.yaml", "-e", "dev"],
            code: 4,
            says: &["is not the one of this run"],
        },
        Wrong {
            what: "output of the other's ledger",
            prepare: &as_prods_ledger,
            args: &["output", "blueprint.yaml", "-e", "dev"],
            code: 4,
            says: &["is not the one of this run"],
        },
        Wrong {
            what: "forgetting in the other's ledger",
            prepare: &as_prods_ledger,
            args: &["ledger", "forget", "blueprint.yaml", "networks.hub", "-e", "dev"],
            code: 4,
            says: &["is not the one of this run"],
        },
        Wrong {
            what: "a plan of one, applied in the other",
            prepare: &nothing,
            args: &["apply", "dev.plan", "--auto-approve", "-e", "prod"],
            code: 4,
            says: &["the environment: was `dev`, is `prod`"],
        },
        Wrong {
            what: "a plan that names two environments",
            prepare: &nothing,
            args: &["apply", "edited.plan", "--auto-approve"],
            code: 1,
            says: &["it names two environments"],
        },
        Wrong {
            what: "a plan of one, made to name the other",
            prepare: &nothing,
            args: &["apply", "both.plan", "--auto-approve", "-e", "prod"],
            code: 4,
            says: &["the saved plan no longer holds"],
        },
        Wrong {
            what: "a plan with the ledger of the other",
            prepare: &into_other_folder,
            args: &["apply", "dev.plan", "--auto-approve", "-e", "dev", "--ledger", "elsewhere"],
            code: 4,
            says: &["it is of the environment `prod`, and this run is for `dev`"],
        },
        Wrong {
            what: "a plan whose environment has moved on",
            prepare: &other_subscription,
            args: &["apply", "dev.plan", "--auto-approve"],
            code: 4,
            says: &["the environment `dev` subscription: was 5ab5c819-0000-4000-8000-000000000001"],
        },
        Wrong {
            what: "a plan whose environment gives other values now",
            prepare: &other_values,
            args: &["apply", "dev.plan", "--auto-approve"],
            code: 4,
            says: &["the environment `dev` values.team: was `dev`, is `friends`"],
        },
        Wrong {
            what: "another subscription in the environment's file",
            prepare: &other_subscription,
            args: &["apply", "blueprint.yaml", "-e", "dev", "--auto-approve"],
            code: 4,
            says: &["it is of the subscription", SUBSCRIPTION, OTHER],
        },
        Wrong {
            what: "destroying another subscription",
            prepare: &other_subscription,
            args: &["destroy", "blueprint.yaml", "-e", "dev", "--auto-approve"],
            code: 4,
            says: &["it is of the subscription", SUBSCRIPTION, OTHER],
        },
        Wrong {
            what: "another subscription in the blueprint",
            prepare: &says_other,
            args: &["apply", "blueprint.yaml", "-e", "dev", "--auto-approve"],
            code: 1,
            says: &["the environment `dev` is for the subscription", OTHER, "blueprint.yaml:7:17"],
        },
        Wrong {
            what: "another cloud",
            prepare: &other_cloud,
            args: &["apply", "blueprint.yaml", "-e", "dev", "--cloud", "usgov", "--auto-approve"],
            code: 1,
            says: &["the environment `dev` is for the cloud `china`, and this run is for `usgov`"],
        },
        Wrong {
            what: "another tenant",
            prepare: &other_tenant,
            args: &["destroy", "blueprint.yaml", "-e", "dev", "--auto-approve"],
            code: 4,
            says: &["the environment `dev` is for the tenant `7e9a9700-0000-4000-8000-0000000000ff`"],
        },
        Wrong {
            what: "an environment that there is not",
            prepare: &nothing,
            args: &["destroy", "blueprint.yaml", "-e", "prd", "--auto-approve"],
            code: 1,
            says: &["there is no environment `prd` in environments", "did you mean `prod`?"],
        },
        Wrong {
            what: "an environment that is a path",
            prepare: &nothing,
            args: &["destroy", "blueprint.yaml", "-e", "../environments/prod", "--auto-approve"],
            code: 1,
            says: &["cannot be the name of an environment"],
        },
        Wrong {
            what: "a blueprint that is called as the other's tag",
            prepare: &nothing,
            args: &["destroy", "--name", "shop/prod", "--ledger", "ledgers", "--auto-approve"],
            code: 1,
            says: &["`shop/prod` cannot be the name of a blueprint"],
        },
        Wrong {
            what: "a blueprint that is called as the other's file",
            prepare: &nothing,
            args: &["ledger", "show", "--name", "shop.prod", "--ledger", "ledgers"],
            code: 1,
            says: &["`shop.prod` cannot be the name of a blueprint"],
        },
        Wrong {
            what: "an environment where there is no blueprint",
            prepare: &nothing,
            args: &["approve", "list", "/subscriptions/s/resourceGroups/g", "-e", "prod"],
            code: 1,
            says: &["`--environment` is for a blueprint"],
        },
    ];
    let dev = two.berth.read("ledgers/shop.dev.json");
    let environment = two.berth.read("environments/dev.yaml");
    let mut complaints = Vec::new();
    for wrong in &table {
        let before = two.state("prod");
        (wrong.prepare)(&two);
        let output = two.command(wrong.args).output().unwrap();
        assert_eq!(two.state("prod"), before, "{} touched the other: {output:?}", wrong.what);
        complaints.extend(complaint(&output, wrong));
        // As it was, for the next one.
        two.berth.write("ledgers/shop.dev.json", dev.as_bytes());
        two.berth.write("environments/dev.yaml", environment.as_bytes());
        two.berth.write("blueprint.yaml", BLUEPRINT.as_bytes());
        for folder in ["new", "elsewhere", ".berth/ledgers"] {
            let _ = std::fs::remove_dir_all(two.berth.path(folder));
        }
    }
    assert!(complaints.is_empty(), "{}", complaints.join("\n"));
    // And both are still whole.
    for name in ["dev", "prod"] {
        two.run(&["plan", "blueprint.yaml", "-e", name]).exits(0).says(&["No changes."]);
    }
}

/// What is wrong with how a wrong combination ended.
fn complaint(output: &std::process::Output, wrong: &Wrong<'_>) -> Option<String> {
    let text = String::from_utf8_lossy(&[&output.stdout[..], &output.stderr].concat()).into_owned();
    let words = |text: &str| text.split_whitespace().collect::<Vec<_>>().join(" ");
    let all = words(&text);
    let missing: Vec<_> = wrong.says.iter().filter(|said| !all.contains(&words(said))).collect();
    let fine = output.status.code() == Some(wrong.code) && missing.is_empty() && !all.contains("panicked");
    (!fine).then(|| format!("{}: {:?}, without {missing:?}\n{text}", wrong.what, output.status))
}

#[test]
fn a_journal_of_the_other_environment_is_not_played() {
    let two = Two::new();
    // A run for prod dies, and its journal is put beside dev's ledger.
    let args = ["apply", "blueprint.yaml", "-e", "prod", "-p", "team=x", "--auto-approve", "--quiet"];
    let journal = (1..60).find_map(|at| {
        let died = two.command(&args).env("BERTH_CRASH_AT", at.to_string()).output().unwrap();
        let journal =
            std::fs::read_to_string(two.berth.path("ledgers/shop.prod.journal")).unwrap_or_default();
        (!died.status.success() && journal.contains("intent")).then_some(journal)
    });
    let journal = journal.expect("a run dies with something under way");
    two.berth.write("ledgers/shop.dev.journal", journal.as_bytes());
    for command in ["plan", "drift"] {
        two.run(&[command, "blueprint.yaml", "-e", "dev"])
            .exits(1)
            .complains(&["line 1 of the journal is of another ledger, one of `shop/prod`"]);
    }
    for command in ["apply", "destroy"] {
        two.run(&[command, "blueprint.yaml", "-e", "dev", "--auto-approve"])
            .exits(1)
            .complains(&["is of another ledger"]);
    }
    std::fs::remove_file(two.berth.path("ledgers/shop.dev.journal")).unwrap();
    two.run(&["plan", "blueprint.yaml", "-e", "dev"]).exits(0);
    two.run(&args).exits(0);
}

#[test]
fn plans_and_reports_open_with_what_the_run_is_for_and_hold_no_secret() {
    let two = Two::new();
    let secret = "Hush-7f3e9b";
    let args = |command: &'static str, more: &[&'static str]| -> Vec<&'static str> {
        [&[command, "blueprint.yaml", "-e", "prod", "-p", "key=Hush-7f3e9b"], more].concat()
    };
    let rows = [
        "Blueprint     shop, environment prod",
        "Azure         an endpoint on this machine, not Azure",
        SUBSCRIPTION,
        "ledgers/shop.prod.json",
        "Signed in     not needed",
    ];
    for (command, more, code) in [
        ("plan", &[][..], 0),
        ("plan", &["-p", "team=x"], 2),
        ("drift", &[], 0),
        ("apply", &["--auto-approve"], 0),
    ] {
        let run = two.run(&args(command, more)).exits(code).says(&rows).hides(&[secret]);
        assert!(run.stdout.starts_with("Blueprint "), "{run:?}");
    }
    for format in ["markdown", "html"] {
        for command in ["plan", "drift"] {
            let found = two.run(&args(command, &["--format", format])).exits(0).hides(&[secret]);
            found.says(&["shop, environment prod", SUBSCRIPTION, "ledgers/shop.prod.json"]);
        }
    }
    for command in ["plan", "drift"] {
        let found = two.run(&args(command, &["--format", "json"])).exits(0).hides(&[secret]).json();
        assert_eq!(found["environment"], "prod");
        assert_eq!(found["header"]["subscription"], SUBSCRIPTION);
        assert_eq!(found["header"]["azure"], "loopback");
        assert_eq!(found["header"]["ledger"], "ledgers/shop.prod.json");
    }
    for (format, text) in [("junit", "shop/prod"), ("sarif", "berth-drift/shop/prod")] {
        let report = format!("{format}=report.{format}");
        two.run(&["drift", "blueprint.yaml", "-e", "prod", "--report", &report]).exits(0);
        let written = two.berth.read(&format!("report.{format}"));
        assert!(written.contains(text) && written.contains(SUBSCRIPTION), "{written}");
    }
    two.run(&args("plan", &["-p", "team=x", "--out", "prod.plan"])).exits(2);
    let saved: Value = serde_json::from_str(&two.berth.read("prod.plan")).unwrap();
    assert_eq!(saved["plan"]["header"]["environment"], "prod");
    assert!(!saved.to_string().contains(secret));
}

#[test]
fn a_lost_ledger_takes_back_what_has_the_tag_and_says_so() {
    let two = Two::new();
    let before = two.state("prod");
    std::fs::remove_file(two.berth.path("ledgers/shop.dev.json")).unwrap();
    two.run(&["plan", "blueprint.yaml", "-e", "dev"])
        .exits(2)
        .says(&["adopt", "networks.hub"])
        .hides(&["rg-shop-prod"]);
    two.run(&["apply", "blueprint.yaml", "-e", "dev", "--auto-approve"]).exits(0);
    two.run(&["plan", "blueprint.yaml", "-e", "dev"]).exits(0);
    assert_eq!(two.state("prod"), before);
    // A ledger that was emptied while its resources are there is an error of every command that would be green.
    let ledger = two.berth.read("ledgers/shop.dev.json");
    let mut emptied: Value = serde_json::from_str(&ledger).unwrap();
    emptied["resources"] = serde_json::json!({});
    two.berth.write("ledgers/shop.dev.json", emptied.to_string().as_bytes());
    for (command, said) in [
        (&["destroy", "blueprint.yaml", "-e", "dev", "--auto-approve"][..], "the tag of `shop/dev`"),
        (&["drift", "blueprint.yaml", "-e", "dev"], "holds nothing of `shop/dev`"),
        (&["output", "blueprint.yaml", "-e", "dev"], "holds nothing of `shop/dev`"),
    ] {
        two.run(command).exits(1).complains(&[said]);
    }
}

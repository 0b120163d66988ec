//! The help of the command line: short where it is asked for in short, in groups where it is long.

use crate::support::Berth;

/// Every command, by its words.
fn commands(berth: &Berth, words: &[&str]) -> Vec<Vec<String>> {
    let mut all = vec![words.iter().map(|word| (*word).to_owned()).collect::<Vec<_>>()];
    let help = berth.run(words.iter().copied().chain(["-h"])).exits(0).stdout;
    let listed =
        help.lines().skip_while(|line| *line != "Commands:").skip(1).take_while(|line| !line.is_empty());
    // A line that goes on has nothing at the third column.
    let names = listed.filter_map(|line| line.strip_prefix("  ")).filter(|line| !line.starts_with(' '));
    for name in names.filter_map(|line| line.split_whitespace().next()).filter(|name| *name != "help") {
        all.extend(commands(berth, &[words, &[name]].concat()));
    }
    all
}

#[test]
fn short_help_fits_a_screen_and_long_help_has_groups() {
    let berth = Berth::new();
    let all = commands(&berth, &[]);
    assert!(all.len() > 20, "{all:?}");
    let mut long = Vec::new();
    for words in &all {
        let help = |flag: &str| berth.run(words.iter().map(String::as_str).chain([flag])).exits(0).stdout;
        let lines = help("-h").lines().count();
        if lines > 40 {
            long.push(format!("{}: {lines} lines", words.join(" ")));
        }
        let full = help("--help");
        for group in ["Blueprint:", "Simulator:", "Ledger:", "Azure:", "Output:", "Exit codes:"] {
            assert!(full.lines().any(|line| line == group), "{words:?} has no group {group}");
        }
    }
    assert!(long.is_empty(), "{long:#?}");
}

/// What bash offers behind a command line whose last word is begun.
fn offered(berth: &Berth, words: &[&str]) -> Option<Vec<String>> {
    let script = berth.run(["completions", "bash"]).exits(0).stdout;
    let program = std::path::Path::new(env!("CARGO_BIN_EXE_berth")).parent().unwrap().display().to_string();
    let quoted: Vec<String> = words.iter().map(|word| format!("'{word}'")).collect();
    let text = format!(
        "{script}\nPATH={program}:$PATH\nCOMP_WORDS=({})\nCOMP_CWORD={}\n_berth_with_addresses berth '{}' ''\nprintf '%s\\n' \"${{COMPREPLY[@]}}\"\n",
        quoted.join(" "),
        words.len() - 1,
        words.last().unwrap(),
    );
    let output =
        std::process::Command::new("bash").current_dir(berth.path("")).args(["-c", &text]).output().ok()?;
    Some(String::from_utf8(output.stdout).unwrap().lines().map(str::to_owned).collect())
}

#[test]
fn addresses_of_the_blueprint_are_completed() {
    let berth = Berth::new().blueprint(
        "blueprint: shop\nazure: { subscription: \"${env.SUBSCRIPTION}\", location: westeurope, resourceGroup: rg }\n\
         networks: { hub: { addressSpace: [10.20.0.0/16], subnets: { nodes: { prefix: 10.20.0.0/20 } } } }\n\
         identities: { app: {} }\n",
    );
    let Some(all) = offered(&berth, &["berth", "plan", "blueprint.yaml", "--target", ""]) else {
        // There is no bash on this machine.
        return;
    };
    for address in ["identities.app", "networks.hub", "networks.hub.subnets.nodes"] {
        assert!(all.iter().any(|offer| offer == address), "{all:?}");
    }
    let some = offered(&berth, &["berth", "why", "blueprint.yaml", "networks.hub.s"]).unwrap();
    assert_eq!(some, ["networks.hub.subnets.nodes"]);
    let options = offered(&berth, &["berth", "plan", "blueprint.yaml", "--summ"]).unwrap();
    assert_eq!(options, ["--summary"]);
}

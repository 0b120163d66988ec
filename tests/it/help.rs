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

//! Slips of the hand: a line one level too high or too deep, a colon, bracket or quote that is missing.
//!
//! YAML notices such a slip one line late, and a blueprint that is still YAML has all its consequences as mistakes. So the
//! likely slips are put right in a copy of the text, one at a time, and the one after which the least is wrong is the
//! one that is reported. What is wrong with the copy besides is reported as well, at the places of the file.

mod moves;
mod names;
mod rows;
mod trial;
pub(super) mod typing;

use super::conceal;
use super::inputs::Inputs;
use super::source::Source;
use crate::diag::{Diagnostic, Diagnostics, SourceFile};
use moves::{FreeKeys, belongs, told};
use rows::{FILES, LARGEST, around, rows};
use std::sync::Arc;
use trial::{STRUCTURE, best, faults};

pub(super) use moves::INDENTATION;
pub(super) use names::without_consequences;

/// In a blueprint with more mistakes, or more files, slips are not looked for.
const MISTAKES: usize = 60;
/// How many slips are put right in one file.
pub(super) const SLIPS: usize = 4;

/// What is wrong with a text that is not YAML and was to be a blueprint, when a slip explains it.
pub(super) fn in_text(file: &Arc<SourceFile>, error: &Diagnostic) -> Option<Diagnostic> {
    let rows = rows(&file.text);
    let (mut near, noticed) = typing::suspects(&rows, file, error)?;
    let known = |path: &[&str], key: &str| belongs(path.iter().copied(), key, FreeKeys::OfMappings);
    if let Some(found) = typing::in_lines(file, &rows, (&near, noticed), &known) {
        return Some(found);
    }
    let row = rows[near[0]];
    near.extend((0..near[0]).rev().find(|&above| rows[above].counts && rows[above].indent < row.indent));
    let (found, _) = best(file, None, &near, None)?;
    Some(told(file, &found))
}

/// What is wrong with a blueprint, when slips of indentation explain some of it: the slips, and what is wrong besides.
/// `again` says what is wrong with a blueprint in which one was put right.
pub(super) fn in_blueprint(
    source: &Source,
    inputs: &Inputs,
    problems: &Diagnostics,
    again: &dyn Fn(&Source) -> Option<Diagnostics>,
) -> Option<Diagnostics> {
    let file = &source.file;
    let structural = |one: &&Diagnostic| STRUCTURE.contains(&one.code.name) && is_in(one, file);
    // A blueprint of many modules is read for long, and one of many mistakes has other causes.
    if file.text.len() > LARGEST
        || problems.len() > MISTAKES
        || source.all().len() > FILES
        || !problems.iter().any(|one| structural(&one))
    {
        return None;
    }
    let rows = rows(&file.text);
    let mut culprits = Vec::new();
    for one in problems.iter().filter(structural).chain(problems.iter().filter(|one| is_in(one, file))) {
        let Some(span) = &one.span else { continue };
        let line = span.line - 1;
        let parent = rows.get(line).and_then(|_| around(&rows, line).last().map(|(at, _)| *at));
        for at in [Some(line), parent].into_iter().flatten() {
            if !culprits.contains(&at) && culprits.len() < 8 {
                culprits.push(at);
            }
        }
    }
    let before = faults(file, &file.text, Some(source))?;
    let (found, copy) = best(file, Some(source), &culprits, Some(&before))?;
    let mut repaired = Source::plain(&file.name, &copy).ok()?;
    repaired.includes = source.includes.clone();
    conceal::learn(&repaired, &inputs.redactor);
    let mut rest = again(&repaired).unwrap_or_default();
    for one in rest.iter_mut() {
        if let Some(span) = one.span.as_mut().filter(|span| Arc::ptr_eq(&span.file, &repaired.file)) {
            found.place_back(span, file, &rows);
        }
    }
    rest.push(told(file, &found));
    rest.sort();
    Some(rest)
}

fn is_in(one: &Diagnostic, file: &Arc<SourceFile>) -> bool {
    one.span.as_ref().is_some_and(|span| Arc::ptr_eq(&span.file, file))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::blueprint::{load, parse};

    const TEXT: &str = "\
blueprint: shop
azure: { subscription: 5ab5c819-0000-4000-8000-000000000001, location: westeurope, resourceGroup: rg }
keyVaults:
  vault:
    name: kv-shop-a1
    networkRules:
      bypass: None
    secrets:
      one: { value: \"${param.s}\" }
parameters:
  s: { type: string, secret: true, default: hunter22 }
";

    fn told(text: &str) -> Vec<String> {
        let source = match parse("b.yaml", text.as_bytes()) {
            Ok(source) => source,
            Err(told) => return vec![format!("{} {}", told.span.unwrap(), told.message)],
        };
        match load(&source, &Inputs::default()) {
            Ok(_) => Vec::new(),
            Err(told) => {
                told.iter().map(|one| format!("{} {}", one.span.as_ref().unwrap(), one.message)).collect()
            }
        }
    }

    #[test]
    fn every_line_a_level_too_high_or_too_deep_is_one_error_at_that_line() {
        assert_eq!(told(TEXT), [] as [&str; 0]);
        for (line, key) in [(4, "vault"), (6, "networkRules"), (7, "bypass"), (9, "one"), (11, "s")] {
            let mut lines: Vec<String> = TEXT.lines().map(str::to_owned).collect();
            let row = &mut lines[line - 1];
            *row = row[2..].to_owned();
            let told = told(&lines.join("\n"));
            let column = lines[line - 1].len() - lines[line - 1].trim_start().len() + 1;
            let place = format!("b.yaml:{line}:{column} `{key}` is a level too high: it belongs below");
            assert!(told.len() == 1 && told[0].starts_with(&place), "{line}: {told:?}");
        }
    }

    #[test]
    fn what_is_no_slip_is_not_explained_as_one() {
        for (from, to) in [
            ("bypass: None", "bypas: None"),
            ("networkRules:", "netRules:"),
            ("keyVaults:", "keyVault:"),
            ("name: kv-shop-a1", "nam: kv-shop-a1"),
            ("  vault:", "  Vault:"),
        ] {
            let told = told(&TEXT.replacen(from, to, 1));
            assert!(
                !told.iter().any(|line| line.contains("too high") || line.contains("too deep")),
                "{told:?}"
            );
        }
    }

    #[test]
    fn what_follows_from_a_misspelt_name_is_not_told() {
        const CLUSTER: &str = "\
blueprint: shop
azure: { subscription: 5ab5c819-0000-4000-8000-000000000001, location: westeurope, resourceGroup: rg }
networks:
  hub:
    addressSpace: [10.20.0.0/16]
    subnets: { nodes: { prefix: 10.20.0.0/20 }, other: { prefix: 10.20.16.0/24 } }
clusters:
  aks:
    subnet: ${networks.hub.subnets.nodes}
    nodePools: { system: { mode: System, count: 1, vmSize: Standard_D4s_v5 } }
outputs:
  other: ${networks.hub.subnets.other}
";
        assert_eq!(told(CLUSTER), [] as [&str; 0]);
        for (from, to, place, name) in [
            ("nodePools:", "nodePolls:", "10:5", "nodePolls"),
            ("nodePools:", "agentPoolProfiles:", "10:5", "agentPoolProfiles"),
            ("    subnets:", "    subnts:", "6:5", "subnts"),
            ("subnets:", "\"subnts\":", "6:5", "subnts"),
            ("mode: System", "mod: System", "10:28", "mod"),
            ("addressSpace:", "adressSpace:", "5:5", "adressSpace"),
        ] {
            let told = told(&CLUSTER.replacen(from, to, 1));
            assert_eq!(told, [format!("b.yaml:{place} unknown field `{name}`")], "{to}");
        }
        // Other mistakes are reported too, at their places in the file.
        let two = CLUSTER.replacen("subnets: { nodes", "subnts: { nodes", 1).replacen(
            "10.20.16.0/24",
            "10.1.0.0/24",
            1,
        );
        let told = told(&two);
        assert_eq!(told.len(), 2, "{told:?}");
        assert!(told[1].starts_with("b.yaml:6:65 "), "{told:?}");
    }

    #[test]
    fn values_of_a_file_that_is_no_yaml_are_not_repeated() {
        for (from, to) in [
            ("      bypass: None", "      bypass: hunter22: x"),
            ("    name: kv-shop-a1", "    hunter22"),
            ("    name: kv-shop-a1", "    name:hunter22"),
            ("    name: kv-shop-a1", "    name: \"hunter22"),
        ] {
            let error = parse("b.yaml", TEXT.replacen(from, to, 1).as_bytes()).unwrap_err();
            let told = format!(
                "{} {:?} {:?}",
                error.message,
                error.help,
                error.span.map(|span| span.file.text.clone())
            );
            assert!(!told.contains("hunter22"), "{told}");
        }
    }
}

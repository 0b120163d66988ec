//! What the agents of build servers make of a log, as far as commands go; and that they find those of berth and no others.

use super::{Finished, Grouped, Handed, Issue, Level, OutputSyntax, System, applied, outputs};
use crate::diag::Place;
use crate::event::NullListener;
use crate::report::hostile::{CORPUS, hostile_events, with};
use crate::report::progress::tests::Buffer;
use crate::report::sample;
use serde_json::json;
use std::sync::Arc;

/// A command that an agent found: its name, its properties, its data.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Command {
    pub name: String,
    pub properties: Vec<(String, String)>,
    pub data: String,
}

/// What Azure Pipelines finds in a line: `##vso[` wherever it is, and `##[` for those that only look different.
fn azure(line: &str) -> Option<Command> {
    let lower = line.to_ascii_lowercase();
    let unescaped = |text: &str| {
        let text = text.replace("%0D", "\r").replace("%0A", "\n");
        text.replace("%3B", ";").replace("%5D", "]").replace("%AZP25", "%")
    };
    if let Some(at) = lower.find("##vso[") {
        let (inside, data) = line[at + 6..].split_once(']')?;
        let (name, properties) = inside.split_once(' ').unwrap_or((inside, ""));
        let properties = properties.split(';').filter_map(|property| property.split_once('='));
        return Some(Command {
            name: name.to_owned(),
            properties: properties.map(|(name, value)| (name.to_owned(), unescaped(value))).collect(),
            data: unescaped(data),
        });
    }
    let at = lower.find("##[")?;
    let (name, data) = line[at + 3..].split_once(']')?;
    Some(Command { name: name.to_owned(), properties: Vec::new(), data: data.to_owned() })
}

/// What GitHub finds: `::` at the beginning of a line, `##[` wherever it is.
fn github(line: &str) -> Option<Command> {
    let unescaped = |text: &str| {
        let text = text.replace("%0D", "\r").replace("%0A", "\n");
        text.replace("%3A", ":").replace("%2C", ",").replace("%25", "%")
    };
    if let Some(rest) = line.trim_start().strip_prefix("::") {
        let (inside, data) = rest.split_once("::")?;
        let (name, properties) = inside.split_once(' ').unwrap_or((inside, ""));
        let properties = properties.split(',').filter_map(|property| property.split_once('='));
        return Some(Command {
            name: name.to_owned(),
            properties: properties.map(|(name, value)| (name.to_owned(), unescaped(value))).collect(),
            data: unescaped(data),
        });
    }
    let at = line.find("##[")?;
    let (name, data) = line[at + 3..].split_once(']')?;
    Some(Command { name: name.to_owned(), properties: Vec::new(), data: data.to_owned() })
}

/// What GitLab finds: marks of sections, which need an escape sequence and a carriage return.
fn gitlab(line: &str) -> Option<Command> {
    let at = line.find("section_")?;
    let (name, data) = line[at..].split_once("\r\u{1b}[0K")?;
    Some(Command { name: name.to_owned(), properties: Vec::new(), data: data.to_owned() })
}

/// The commands that the agent of a system finds in a log.
fn commands(system: System, log: &str) -> Vec<Command> {
    let find = match system {
        System::AzureDevops => azure,
        System::Github => github,
        System::Gitlab => gitlab,
    };
    // Agents take every kind of line break for one; GitLab alone gives the carriage return a meaning.
    let breaks: &[char] = if system == System::Gitlab { &['\n'] } else { &['\n', '\r'] };
    log.split(breaks).filter_map(find).collect()
}

const SYSTEMS: [System; 3] = [System::AzureDevops, System::Github, System::Gitlab];

#[test]
fn foreign_text_stays_data_of_the_command_that_holds_it() {
    for (payload, system) in CORPUS.iter().flat_map(|payload| SYSTEMS.map(|system| (payload, system))) {
        let place = Place { file: with("b.yaml", payload), line: 3, column: 5 };
        let issue = Issue::new(Level::Error, with("no", payload)).at(Some(place)).code(with("code", payload));
        let log = system.issue(&issue).unwrap_or_default();
        let found = commands(system, &log);
        assert_eq!(found.len(), usize::from(system != System::Gitlab), "{log}");
        for command in found {
            let name = if system == System::AzureDevops { "task.logissue" } else { "error" };
            assert_eq!(command.name, name, "{log}");
            let lines: Vec<_> =
                command.properties.iter().filter(|(name, _)| name.starts_with("line")).collect();
            assert_eq!(lines.len(), 1, "{log}");
            assert_eq!(lines[0].1, "3", "{log}");
            assert!(!command.data.contains('\u{1b}'), "{log}");
        }
        for command in [
            Some(system.open_group(&with("a", payload), 7)),
            system.progress(5, &with("a", payload)),
            system.upload_summary(&format!("/tmp/{payload}.md")),
            system.complete(Finished::WithIssues),
        ] {
            let log = command.unwrap_or_default();
            let expected = log.matches('\n').count().min(1);
            assert_eq!(commands(system, &log).len(), expected, "{log:?}");
        }
    }
}

#[test]
fn values_come_out_as_they_went_in() {
    for payload in CORPUS {
        let value = with("Value-7", payload);
        for secret in [false, true] {
            let handed =
                [Handed::new("x", &json!(value), secret), Handed::new(*payload, &json!("y"), secret)];
            let azure = outputs(OutputSyntax::AzureDevops, &handed, "");
            let set: Vec<Command> = commands(System::AzureDevops, &azure.text);
            assert_eq!(set.len(), usize::from(!azure.text.is_empty()), "{azure:?}");
            for command in set {
                assert_eq!(command.name, "task.setvariable");
                if command.properties[0].1 == "x" {
                    let shown = if secret { value.trim_end_matches(['\n', '\r']) } else { &value };
                    assert_eq!(command.data, shown, "{azure:?}");
                }
            }
            let masks = commands(System::AzureDevops, &azure.masks);
            assert_eq!(masks.len(), azure.masks.lines().count(), "{azure:?}");
            assert!(masks.iter().all(|mask| mask.name == "task.setsecret"), "{azure:?}");
            let github = outputs(OutputSyntax::GithubFile, &handed, "END-7f3e");
            let masks = commands(System::Github, &github.masks);
            assert!(masks.iter().all(|mask| mask.name == "add-mask"), "{github:?}");
            if !github.text.is_empty() {
                assert_eq!(github.text, format!("x<<END-7f3e\n{value}\nEND-7f3e\n"));
            }
        }
    }
}

#[test]
fn a_run_with_foreign_texts_is_one_group() {
    for (payload, system) in CORPUS.iter().flat_map(|payload| SYSTEMS.map(|system| (payload, system))) {
        let buffer = Buffer::default();
        let listener = Grouped::new(system, Arc::new(NullListener), Box::new(buffer.clone()));
        let events = hostile_events(payload);
        events.iter().for_each(|event| crate::event::Listener::event(&listener, event));
        drop(listener);
        let found = commands(system, &buffer.text());
        let expected = if system == System::AzureDevops { 4 } else { 2 };
        assert_eq!(found.len(), expected, "{found:?}");
    }
}

#[test]
fn the_page_of_a_run_says_what_it_did() {
    insta::assert_snapshot!(applied("shop", None, &sample::summary()));
}

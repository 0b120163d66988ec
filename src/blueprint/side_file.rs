//! YAML files that are no blueprints: read with the same care, and complained about with the same places.

use super::messages;
use super::source::{At, Source};
use crate::catalog::SHAPE;
use crate::diag::{Diagnostic, Diagnostics};
use crate::value::read;
use serde::de::DeserializeOwned;

/// Reads a whole YAML file into what it is expected to be.
///
/// # Errors
/// What is wrong with it, with its place.
pub fn side_file<T: DeserializeOwned>(name: &str, bytes: &[u8]) -> Result<T, Diagnostics> {
    located_side_file(name, bytes).map(|(value, _)| value)
}

/// Where the parts of a side file are, for what is wrong with them beyond their form.
#[derive(Debug)]
pub struct SideFile(Source);

impl SideFile {
    /// A mistake in the value at a path, such as `waivers[2].address`.
    pub fn wrong(&self, path: &str, message: impl Into<String>, help: impl Into<String>) -> Diagnostic {
        Diagnostic::error(&SHAPE, message).at(self.0.locate(path, At::Value)).help(help)
    }
}

/// The same, with where its parts are.
///
/// # Errors
/// What is wrong with it, with its place.
pub fn located_side_file<T: DeserializeOwned>(
    name: &str,
    bytes: &[u8],
) -> Result<(T, SideFile), Diagnostics> {
    let source = Source::parse(name, bytes)?;
    if !source.tree.is_object() {
        let place = source.without_excerpts().locate("", At::Value);
        return Err(Diagnostic::error(&SHAPE, "the file is not a mapping of names to values")
            .at(place)
            .help("check the path")
            .into());
    }
    let error = match read(&source.tree) {
        Ok(value) => return Ok((value, SideFile(source))),
        Err(error) => error,
    };
    let path = error.path();
    // What is unknown at the top may be a file of another kind: nothing of it is shown but the place.
    let source = match path.contains(['.', '[']) {
        true => source,
        false => source.without_excerpts(),
    };
    Err(messages::shape(&source, "", &path, &error.message, &[]).into())
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde::Deserialize;

    #[derive(Debug, Deserialize)]
    #[serde(deny_unknown_fields)]
    struct Crew {
        hands: Vec<Hand>,
    }

    #[derive(Debug, Deserialize)]
    #[serde(deny_unknown_fields)]
    struct Hand {
        name: String,
    }

    #[test]
    fn what_is_wrong_has_its_place() {
        let crew: Crew = side_file("crew.yaml", b"hands:\n  - { name: Ann }\n").unwrap();
        assert_eq!(crew.hands[0].name, "Ann");
        for (text, message, line) in [
            ("hands:\n  - { name: Ann }\n  - { nam: Bob }\n", "unknown field `nam`", 3),
            ("hands:\n  - { name: [] }\n", "expected a text, found a list", 2),
            ("hand: []\n", "unknown field `hand`", 1),
            ("hands: [\n", "", 1),
        ] {
            let problems = side_file::<Crew>("crew.yaml", text.as_bytes()).unwrap_err();
            let problem = problems.iter().next().unwrap();
            assert!(problem.message.contains(message), "{}", problem.message);
            let span = problem.span.as_ref().expect("it has a place");
            assert_eq!(span.line, line, "{text}");
        }
    }
}

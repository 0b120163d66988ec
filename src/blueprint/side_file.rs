//! YAML files that are no blueprints: read with the same care, and complained about with the same places.

use super::messages;
use super::source::Source;
use crate::diag::Diagnostics;
use serde::de::DeserializeOwned;

/// Reads a whole YAML file into what it is expected to be.
///
/// # Errors
/// What is wrong with it, with its place.
pub fn side_file<T: DeserializeOwned>(name: &str, bytes: &[u8]) -> Result<T, Diagnostics> {
    let source = Source::parse(name, bytes)?;
    serde_path_to_error::deserialize(&source.tree).map_err(|error| {
        let path = error.path().to_string();
        messages::shape(&source, "", &path, &error.inner().to_string(), &[]).into()
    })
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
            ("hands: [\n", "", 2),
        ] {
            let problems = side_file::<Crew>("crew.yaml", text.as_bytes()).unwrap_err();
            let problem = problems.iter().next().unwrap();
            assert!(problem.message.contains(message), "{}", problem.message);
            let span = problem.span.as_ref().expect("it has a place");
            assert_eq!(span.line, line, "{text}");
        }
    }
}

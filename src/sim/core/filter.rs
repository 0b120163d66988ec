//! What `$filter` may say of lists of resources and groups, beyond `eq`.

use super::path::quoted;
use serde_json::Value;

/// Whether what a filter says of tags holds: `tagName eq 'a' and tagValue eq 'b'`, `startswith(tagName, 'a')`.
pub(crate) fn has_tag(filter: &str, tags: Option<&Value>) -> bool {
    let tags = tags.and_then(Value::as_object);
    let all = || tags.into_iter().flatten();
    let starts = argument(filter, "startswith(tagname,");
    let (name, value) = (quoted(filter, "tagName"), quoted(filter, "tagValue"));
    let fits = |tag: &String, is: &Value| {
        name.as_ref().is_none_or(|name| name.eq_ignore_ascii_case(tag))
            && value.as_ref().is_none_or(|value| is.as_str() == Some(value))
    };
    let begins =
        |tag: &String, start: &String| tag.to_ascii_lowercase().starts_with(&start.to_ascii_lowercase());
    (name.is_none() && value.is_none() || all().any(|(tag, is)| fits(tag, is)))
        && starts.as_ref().is_none_or(|start| all().any(|(tag, _)| begins(tag, start)))
}

/// Whether what a filter says of a part of the name holds: `substringof('a', name)`.
pub(crate) fn has_part(filter: &str, name: &str) -> bool {
    argument(filter, "substringof(")
        .is_none_or(|part| name.to_ascii_lowercase().contains(&part.to_ascii_lowercase()))
}

/// The text in quotes behind this in a filter.
fn argument(filter: &str, mark: &str) -> Option<String> {
    let plain = filter.to_ascii_lowercase().replace(", ", ",");
    let at = plain.find(mark)?;
    let rest = plain[at + mark.len()..].trim_start().strip_prefix('\'')?;
    Some(rest.split('\'').next().unwrap_or_default().to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn filters_ask_for_tags_and_parts_of_names() {
        let tags = json!({ "Stage": "prod", "team": "a" });
        for (filter, fits) in [
            ("", true),
            ("resourceType eq 'x'", true),
            ("tagName eq 'stage' and tagValue eq 'prod'", true),
            ("tagName eq 'stage' and tagValue eq 'Prod'", false),
            ("tagName eq 'stage' and tagValue eq 'a'", false),
            ("tagName eq 'none'", false),
            ("startswith(tagName, 'sta')", true),
            ("startswith(tagName,'x')", false),
        ] {
            assert_eq!(has_tag(filter, Some(&tags)), fits, "{filter}");
        }
        assert!(!has_tag("tagName eq 'stage'", None) && has_tag("", None));
        assert!(has_part("substringof('HOP', name)", "shop") && !has_part("substringof('x',name)", "shop"));
    }
}

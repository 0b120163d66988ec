//! Building requests: one URL in one string, and the headers that conditions ask for.

use super::transport::Headers;

/// What must be true of the resource for a write to happen.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Conditions {
    /// The etag the resource must have, or `*`: it must exist.
    pub if_match: Option<String>,
    /// `*`: it must not exist.
    pub if_none_match: Option<String>,
}

impl Conditions {
    /// No condition.
    pub const fn none() -> Self {
        Conditions { if_match: None, if_none_match: None }
    }

    /// The resource must still have this etag.
    pub fn matches(etag: impl Into<String>) -> Self {
        Conditions { if_match: Some(etag.into()), if_none_match: None }
    }

    /// The resource must not exist yet.
    pub fn absent() -> Self {
        Conditions { if_match: None, if_none_match: Some("*".to_owned()) }
    }

    /// Whether anything is demanded.
    pub const fn is_none(&self) -> bool {
        self.if_match.is_none() && self.if_none_match.is_none()
    }

    pub(super) fn apply(&self, headers: &mut Headers) {
        if let Some(etag) = &self.if_match {
            headers.set("if-match", etag.clone());
        }
        if let Some(etag) = &self.if_none_match {
            headers.set("if-none-match", etag.clone());
        }
    }
}

/// The absolute URL of an id or path, which may bring a query of its own.
pub(super) fn url(base: &str, path: &str, api_version: &str, query: &[(&str, &str)]) -> String {
    let mut url = String::with_capacity(base.len() + path.len() + api_version.len() + 16 + 32 * query.len());
    url.push_str(base);
    if !path.starts_with('/') {
        url.push('/');
    }
    // Ids are nearly always plain; a space in a name is the exception.
    if path.bytes().all(|b| b.is_ascii_graphic()) {
        url.push_str(path);
    } else {
        for byte in path.bytes() {
            if byte.is_ascii_graphic() { url.push(byte as char) } else { escape(&mut url, byte) }
        }
    }
    url.push(if path.contains('?') { '&' } else { '?' });
    url.push_str("api-version=");
    url.push_str(api_version);
    for (name, value) in query {
        url.push('&');
        url.push_str(name);
        url.push('=');
        for byte in value.bytes() {
            if byte.is_ascii_alphanumeric() || b"-._~,()'/:".contains(&byte) {
                url.push(byte as char);
            } else {
                escape(&mut url, byte);
            }
        }
    }
    url
}

fn escape(url: &mut String, byte: u8) {
    const DIGITS: &[u8; 16] = b"0123456789ABCDEF";
    url.push('%');
    url.push(DIGITS[usize::from(byte >> 4)] as char);
    url.push(DIGITS[usize::from(byte & 15)] as char);
}

/// The subscription that a URL or id belongs to; empty outside of any.
pub(super) fn subscription(url: &str) -> &str {
    const HEAD: &str = "/subscriptions/";
    let path = super::transport::path_and_query(url);
    match path.get(..HEAD.len()) {
        Some(head) if head.eq_ignore_ascii_case(HEAD) => {
            path[HEAD.len()..].split(['/', '?']).next().unwrap_or_default()
        }
        _ => "",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn urls_are_escaped_only_where_needed() {
        let base = "https://management.azure.com";
        for (path, query, expected) in [
            ("/subscriptions/s", &[][..], "/subscriptions/s?api-version=1"),
            ("/a b/%20c", &[], "/a%20b/%20c?api-version=1"),
            ("/a?force=true", &[], "/a?force=true&api-version=1"),
            (
                "/r",
                &[("$filter", "resourceGroup eq 'x' and a&b")],
                "/r?api-version=1&$filter=resourceGroup%20eq%20'x'%20and%20a%26b",
            ),
        ] {
            assert_eq!(url(base, path, "1", query), format!("{base}{expected}"));
        }
    }

    #[test]
    fn subscription_is_found_in_any_case() {
        for (url, expected) in [
            ("https://h/subscriptions/abc/resourceGroups/x", "abc"),
            ("/Subscriptions/abc?api-version=1", "abc"),
            ("https://h/providers/x", ""),
            ("/", ""),
        ] {
            assert_eq!(subscription(url), expected);
        }
    }
}

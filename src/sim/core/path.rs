//! Request paths and queries, taken apart once.

/// The path of a resource, a collection or an action.
#[derive(Debug, Clone)]
pub(crate) struct ResourcePath {
    /// The whole path as the client wrote it, percent-decoded.
    pub(crate) id: String,
    /// The same in lower case: the key in the store.
    pub(crate) key: String,
    /// Key of what stands before the last `/providers/`; empty at tenant level.
    pub(crate) scope: String,
    /// The provider namespace as written.
    pub(crate) namespace: String,
    /// Type segments as written.
    pub(crate) types: Vec<String>,
    /// Name segments as written; one less than the types for a collection or an action.
    pub(crate) names: Vec<String>,
}

impl ResourcePath {
    /// Parses `…/providers/{namespace}/{type}/{name}…`; `None` when there is no type.
    pub(crate) fn parse(path: &str) -> Option<Self> {
        let key = path.to_ascii_lowercase();
        let at = key.rfind("/providers/")?;
        let mut rest = path[at + "/providers/".len()..].split('/');
        let namespace = rest.next().filter(|n| !n.is_empty())?.to_owned();
        let (mut types, mut names) = (Vec::new(), Vec::new());
        while let Some(kind) = rest.next() {
            if kind.is_empty() {
                return None;
            }
            types.push(kind.to_owned());
            match rest.next() {
                Some("") => return None,
                Some(name) => names.push(name.to_owned()),
                None => break,
            }
        }
        if types.is_empty() {
            return None;
        }
        Some(ResourcePath { id: path.to_owned(), scope: key[..at].to_owned(), key, namespace, types, names })
    }

    /// A path that is not a resource's: without namespace, types and names.
    pub(crate) fn other(path: &str) -> Self {
        ResourcePath {
            id: path.to_owned(),
            key: path.to_ascii_lowercase(),
            scope: String::new(),
            namespace: String::new(),
            types: Vec::new(),
            names: Vec::new(),
        }
    }

    /// Whether the path names one resource.
    pub(crate) fn is_resource(&self) -> bool {
        self.types.len() == self.names.len()
    }

    /// The type in lower case (`microsoft.network/virtualnetworks/subnets`).
    pub(crate) fn kind(&self) -> String {
        self.kind_of(self.types.len())
    }

    fn kind_of(&self, types: usize) -> String {
        let mut kind = self.namespace.to_ascii_lowercase();
        for part in &self.types[..types] {
            kind.push('/');
            kind.push_str(&part.to_ascii_lowercase());
        }
        kind
    }

    /// The last name.
    pub(crate) fn name(&self) -> &str {
        self.names.last().map_or("", String::as_str)
    }

    /// Key of the parent resource, for nested types.
    pub(crate) fn parent(&self) -> Option<String> {
        if self.names.len() < 2 || !self.is_resource() {
            return None;
        }
        Some(cut(&self.key, 2).to_owned())
    }

    /// The resource that a collection or an action belongs to, when there is one.
    pub(crate) fn owner(&self) -> Option<ResourcePath> {
        if self.is_resource() || self.names.is_empty() {
            return None;
        }
        ResourcePath::parse(cut(&self.id, 1))
    }
}

/// The id or key without its last `segments` segments.
pub(crate) fn cut(id: &str, segments: usize) -> &str {
    let mut id = id;
    for _ in 0..segments {
        id = id.rfind('/').map_or("", |at| &id[..at]);
    }
    id
}

/// The last segment of an id.
pub(crate) fn last(id: &str) -> &str {
    id.rsplit('/').next().unwrap_or_default()
}

/// Key of the resource group that an id lies in.
pub(crate) fn group_of(key: &str) -> Option<&str> {
    let mut at = key.match_indices('/').map(|(at, _)| at);
    let third = at.nth(2)?;
    let fourth = at.next()?;
    if !key[third + 1..fourth].eq_ignore_ascii_case("resourcegroups") {
        return None;
    }
    let end = at.next().unwrap_or(key.len());
    Some(&key[..end])
}

/// Percent-decodes; bytes that are no UTF-8 are replaced.
pub(crate) fn decode(text: &str) -> String {
    if !text.contains('%') {
        return text.to_owned();
    }
    let bytes = text.as_bytes();
    let mut out = Vec::with_capacity(bytes.len());
    let mut at = 0;
    while at < bytes.len() {
        let hex = (bytes[at] == b'%').then(|| text.get(at + 1..at + 3)).flatten();
        match hex.and_then(|h| u8::from_str_radix(h, 16).ok()) {
            Some(byte) => {
                out.push(byte);
                at += 3;
            }
            None => {
                out.push(bytes[at]);
                at += 1;
            }
        }
    }
    String::from_utf8_lossy(&out).into_owned()
}

/// The parameters of a query.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Query<'q>(pub(crate) &'q str);

impl Query<'_> {
    /// The first value of a parameter; its name in any case.
    pub(crate) fn get(&self, name: &str) -> Option<String> {
        self.0.split('&').find_map(|pair| {
            let (key, value) = pair.split_once('=').unwrap_or((pair, ""));
            let same = key.eq_ignore_ascii_case(name) || decode(key).eq_ignore_ascii_case(name);
            same.then(|| decode(&value.replace('+', " ")))
        })
    }
}

/// The text that a filter compares a field with (`field eq 'text'`).
pub(crate) fn quoted(filter: &str, field: &str) -> Option<String> {
    let lower = filter.to_ascii_lowercase();
    let mark = format!("{} eq '", field.to_ascii_lowercase());
    let whole = |at: &usize| !lower[..*at].ends_with(|c: char| c.is_ascii_alphanumeric());
    let at = lower.match_indices(&mark).map(|(at, _)| at).find(whole)?;
    let rest = &filter[at + mark.len()..];
    let mut out = String::new();
    let mut chars = rest.chars().peekable();
    while let Some(c) = chars.next() {
        match c {
            '\'' if chars.peek() == Some(&'\'') => {
                chars.next();
                out.push('\'');
            }
            '\'' => return Some(out),
            other => out.push(other),
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn filters_are_read_with_doubled_quotes() {
        let filter = "resourceGroup eq 'x' and roleName eq 'Bob''s role'";
        assert_eq!(quoted(filter, "roleName").as_deref(), Some("Bob's role"));
        assert_eq!(quoted(filter, "resourcegroup").as_deref(), Some("x"));
        assert_eq!(quoted(filter, "name"), None);
    }

    #[test]
    fn takes_nested_and_extension_paths_apart() {
        let id = "/subscriptions/S/resourceGroups/RG/providers/Microsoft.Network/virtualNetworks/v/subnets/s";
        let path = ResourcePath::parse(id).unwrap();
        assert_eq!(path.kind(), "microsoft.network/virtualnetworks/subnets");
        assert_eq!(path.parent().unwrap(), id.to_ascii_lowercase().trim_end_matches("/subnets/s"));
        assert_eq!(group_of(&path.key), Some("/subscriptions/s/resourcegroups/rg"));
        let path =
            ResourcePath::parse(&format!("{id}/providers/Microsoft.Authorization/roleAssignments")).unwrap();
        assert!(!path.is_resource());
        assert_eq!(path.scope, id.to_ascii_lowercase());
        assert!(path.owner().is_none());
    }

    #[test]
    fn decodes_and_finds_parameters() {
        let query = Query("Api-Version=1&%24filter=a%20eq+'b'");
        assert_eq!(query.get("api-version").as_deref(), Some("1"));
        assert_eq!(query.get("$filter").as_deref(), Some("a eq 'b'"));
        assert_eq!(decode("100%"), "100%");
    }
}

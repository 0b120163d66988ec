//! ARM resource ids.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::cmp::Ordering;
use std::fmt;
use std::hash::{Hash, Hasher};
use std::sync::Arc;

/// The id of an ARM resource: `/subscriptions/{sub}[/resourceGroups/{rg}]/providers/{Ns}/{type}/{name}…`.
///
/// Equality, order and hash ignore ASCII case, as ARM does; the text keeps the case it was given.
#[derive(Clone, Serialize, Deserialize, JsonSchema)]
#[serde(transparent)]
pub struct ArmId(Arc<str>);

/// Why a text is no ARM id.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{text}` is not an ARM id: {reason}")]
pub struct ArmIdError {
    /// The text.
    pub text: String,
    /// What is wrong with it.
    pub reason: &'static str,
}

impl ArmId {
    /// Parses an id.
    ///
    /// # Errors
    /// When the text does not start with `/`, has empty segments, or an incomplete `/providers/Ns/type/name` part.
    pub fn parse(text: &str) -> Result<Self, ArmIdError> {
        let fail = |reason| Err(ArmIdError { text: text.to_owned(), reason });
        let Some(rest) = text.strip_prefix('/') else { return fail("it must start with `/`") };
        let rest = rest.strip_suffix('/').unwrap_or(rest);
        if rest.split('/').any(str::is_empty) {
            return fail("it has an empty segment");
        }
        if rest.contains(['?', '#']) || rest.contains(char::is_whitespace) && !rest.contains("resourceGroups")
        {
            return fail("it contains a character that no id has");
        }
        if let Some((_, tail)) = rsplit_providers(rest) {
            let segments = tail.split('/').count();
            if segments < 3 && segments != 1 || segments > 1 && segments.is_multiple_of(2) {
                return fail("after `/providers/` it needs a namespace and pairs of type and name");
            }
        }
        Ok(ArmId(format!("/{rest}").into()))
    }

    /// The id of a resource group.
    pub fn resource_group(subscription: &str, name: &str) -> Self {
        ArmId(format!("/subscriptions/{subscription}/resourceGroups/{name}").into())
    }

    /// The id of a resource of `arm_type` (`Ns/type[/child…]`) with one name a type segment, below `self`.
    ///
    /// Used for resources in a group and for extension resources on any resource.
    pub fn provider(&self, arm_type: &str, names: &[&str]) -> Self {
        let mut text = String::with_capacity(self.0.len() + arm_type.len() + 48);
        text.push_str(&self.0);
        text.push_str("/providers/");
        let mut segments = arm_type.split('/');
        text.push_str(segments.next().unwrap_or_default());
        for (segment, name) in segments.zip(names) {
            text.push('/');
            text.push_str(segment);
            text.push('/');
            text.push_str(name);
        }
        ArmId(text.into())
    }

    /// The id of a child: `self/{child_type}/{name}`.
    pub fn child(&self, child_type: &str, name: &str) -> Self {
        ArmId(format!("{}/{child_type}/{name}", self.0).into())
    }

    /// The text, in the case it was given.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The last segment.
    pub fn name(&self) -> &str {
        self.0.rsplit('/').next().unwrap_or_default()
    }

    /// The full type (`Microsoft.Network/virtualNetworks/subnets`), by the last `/providers/`.
    ///
    /// Resource groups and subscriptions have the types that ARM gives them.
    pub fn resource_type(&self) -> String {
        match rsplit_providers(&self.0) {
            Some((_, tail)) if tail.contains('/') => {
                let mut segments = tail.split('/');
                let mut text = segments.next().unwrap_or_default().to_owned();
                for (at, segment) in segments.enumerate() {
                    if at % 2 == 0 {
                        text.push('/');
                        text.push_str(segment);
                    }
                }
                text
            }
            Some(_) => "Microsoft.Resources/providers".to_owned(),
            None if self.segment_after("resourcegroups").is_some() => {
                "Microsoft.Resources/resourceGroups".to_owned()
            }
            None => "Microsoft.Resources/subscriptions".to_owned(),
        }
    }

    /// The provider namespace of the type (`Microsoft.Network`).
    pub fn namespace(&self) -> &str {
        match rsplit_providers(&self.0) {
            Some((_, tail)) => tail.split('/').next().unwrap_or_default(),
            None => "Microsoft.Resources",
        }
    }

    /// The subscription, when the id has one.
    pub fn subscription(&self) -> Option<&str> {
        self.segment_after("subscriptions")
    }

    /// The resource group, when the id has one.
    pub fn group(&self) -> Option<&str> {
        self.segment_after("resourcegroups")
    }

    /// The id that this one hangs on: the parent resource, the scope of an extension resource, the resource group.
    ///
    /// `None` for a subscription and for what stands at tenant level.
    pub fn parent(&self) -> Option<ArmId> {
        let text = &*self.0;
        let cut = |end: usize| (end > 0).then(|| ArmId(text[..end].into()));
        match rsplit_providers(text) {
            Some((before, tail)) => {
                if tail.split('/').count() > 3 {
                    let end = text.rfind('/').and_then(|at| text[..at].rfind('/'))?;
                    cut(end)
                } else {
                    cut(before.len())
                }
            }
            None => match text.to_ascii_lowercase().find("/resourcegroups/") {
                Some(at) => cut(at),
                None => None,
            },
        }
    }

    /// Every id above this one, nearest first.
    pub fn ancestors(&self) -> impl Iterator<Item = ArmId> {
        std::iter::successors(self.parent(), ArmId::parent)
    }

    /// The nearest id of the given type: this one or one above it.
    pub fn ancestor_of_type(&self, arm_type: &str) -> Option<ArmId> {
        std::iter::once(self.clone())
            .chain(self.ancestors())
            .find(|id| id.resource_type().eq_ignore_ascii_case(arm_type))
    }

    fn segment_after(&self, key: &str) -> Option<&str> {
        let mut segments = self.0.split('/').skip(1);
        while let Some(segment) = segments.next() {
            if segment.eq_ignore_ascii_case("providers") {
                return None;
            }
            if segment.eq_ignore_ascii_case(key) {
                return segments.next();
            }
            segments.next();
        }
        None
    }
}

/// Splits at the last `/providers/` (in any case): what stands before it, and what stands after it.
fn rsplit_providers(text: &str) -> Option<(&str, &str)> {
    const MARK: &str = "/providers/";
    let bytes = text.as_bytes();
    let found = (0..bytes.len().saturating_sub(MARK.len() - 1))
        .rev()
        .find(|&at| bytes[at] == b'/' && bytes[at..at + MARK.len()].eq_ignore_ascii_case(MARK.as_bytes()));
    match found {
        Some(at) => Some((&text[..at], &text[at + MARK.len()..])),
        None => text.strip_prefix("providers/").map(|tail| ("", tail)),
    }
}

impl PartialEq for ArmId {
    fn eq(&self, other: &Self) -> bool {
        self.0.eq_ignore_ascii_case(&other.0)
    }
}

impl Eq for ArmId {}

impl Hash for ArmId {
    fn hash<H: Hasher>(&self, state: &mut H) {
        // One write for all bytes: a write a byte costs several times as much.
        let mut buffer = [0u8; 256];
        let bytes = self.0.as_bytes();
        if bytes.len() <= buffer.len() {
            let lower = &mut buffer[..bytes.len()];
            lower.copy_from_slice(bytes);
            lower.make_ascii_lowercase();
            state.write(lower);
        } else {
            state.write(self.0.to_ascii_lowercase().as_bytes());
        }
    }
}

impl PartialOrd for ArmId {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for ArmId {
    fn cmp(&self, other: &Self) -> Ordering {
        let lower = |text: &Arc<str>| text.bytes().map(|b| b.to_ascii_lowercase()).collect::<Vec<_>>();
        if self == other { Ordering::Equal } else { lower(&self.0).cmp(&lower(&other.0)) }
    }
}

impl fmt::Display for ArmId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&self.0)
    }
}

impl fmt::Debug for ArmId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(&self.0, f)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn id(text: &str) -> ArmId {
        ArmId::parse(text).unwrap()
    }

    const SUBNET: &str =
        "/subscriptions/s/resourceGroups/g/providers/Microsoft.Network/virtualNetworks/v/subnets/n";
    const ROLE: &str = "/subscriptions/s/resourceGroups/g/providers/Microsoft.KeyVault/vaults/k/providers/Microsoft.Authorization/roleAssignments/r";

    #[test]
    fn types_parents_and_parts() {
        for (text, kind, parent, name) in [
            ("/subscriptions/s", "Microsoft.Resources/subscriptions", None, "s"),
            (
                "/subscriptions/s/resourceGroups/g",
                "Microsoft.Resources/resourceGroups",
                Some("/subscriptions/s"),
                "g",
            ),
            (
                SUBNET,
                "Microsoft.Network/virtualNetworks/subnets",
                Some("/subscriptions/s/resourceGroups/g/providers/Microsoft.Network/virtualNetworks/v"),
                "n",
            ),
            (
                ROLE,
                "Microsoft.Authorization/roleAssignments",
                Some("/subscriptions/s/resourceGroups/g/providers/Microsoft.KeyVault/vaults/k"),
                "r",
            ),
            (
                "/subscriptions/s/providers/Microsoft.KeyVault",
                "Microsoft.Resources/providers",
                Some("/subscriptions/s"),
                "Microsoft.KeyVault",
            ),
        ] {
            let id = id(text);
            assert_eq!(id.resource_type(), kind);
            assert_eq!(id.parent().map(|p| p.to_string()).as_deref(), parent, "{text}");
            assert_eq!(id.name(), name);
        }
        assert_eq!(id(ROLE).group(), Some("g"));
        assert_eq!(id(ROLE).namespace(), "Microsoft.Authorization");
        assert_eq!(id(SUBNET).ancestors().count(), 3);
        assert_eq!(
            id(SUBNET).ancestor_of_type("microsoft.network/VirtualNetworks").map(|i| i.name().to_owned()),
            Some("v".to_owned())
        );
    }

    #[test]
    fn case_does_not_matter() {
        let other = id(&SUBNET.replace("resourceGroups", "resourcegroups"));
        assert_eq!(id(SUBNET), other);
        assert_eq!(std::collections::HashSet::from([id(SUBNET), other]).len(), 1);
    }

    #[test]
    fn refuses_what_is_no_id() {
        for text in ["", "x", "/a//b", "/subscriptions/s/providers/Ns/type"] {
            assert!(ArmId::parse(text).is_err(), "{text}");
        }
    }

    #[test]
    fn builds_ids() {
        let group = ArmId::resource_group("s", "g");
        assert_eq!(group.provider("Microsoft.Network/virtualNetworks/subnets", &["v", "n"]), id(SUBNET));
        assert_eq!(
            group.provider("Microsoft.Network/virtualNetworks", &["v"]).child("subnets", "n"),
            id(SUBNET)
        );
    }
}

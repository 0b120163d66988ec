//! ARM resource ids.

use schemars::JsonSchema;
use serde::de::Visitor;
use serde::{Deserialize, Deserializer, Serialize};
use std::cmp::Ordering;
use std::fmt;
use std::hash::{Hash, Hasher};
use std::sync::Arc;

/// The id of an ARM resource: `/subscriptions/{sub}[/resourceGroups/{rg}]/providers/{Ns}/{type}/{name}…`.
///
/// Equality, order and hash ignore ASCII case, as ARM does; the text keeps the case it was given.
#[derive(Clone, Serialize, JsonSchema)]
#[serde(transparent)]
pub struct ArmId {
    text: Arc<str>,
    /// Where the last `/providers/` begins, which most questions to an id ask; [`NOWHERE`] when there is none.
    #[serde(skip)]
    providers: u32,
}

/// [`ArmId::providers`] of a resource group or subscription.
const NOWHERE: u32 = u32::MAX;
/// What is before the namespace of a type.
const PROVIDERS: &str = "/providers/";

/// Why a text is not an ARM id.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{text}` is not an ARM id: {reason}")]
pub struct ArmIdError {
    /// The text.
    pub text: String,
    /// What is wrong with it.
    pub reason: &'static str,
}

/// A file may hold any text: what is not an id is refused where it is read.
impl<'de> Deserialize<'de> for ArmId {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Text;
        impl Visitor<'_> for Text {
            type Value = ArmId;

            fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
                formatter.write_str("an ARM id")
            }

            fn visit_str<E: serde::de::Error>(self, text: &str) -> Result<ArmId, E> {
                ArmId::parse(text).map_err(E::custom)
            }
        }
        deserializer.deserialize_str(Text)
    }
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
        // One pass over the bytes; characters are looked at only where bytes cannot tell, as nearly all ids are ASCII.
        let (mut seen, mut start) = (0, 0);
        // `rest` begins a byte later than the text: what is before a segment there is where it begins here.
        let (mut providers, mut segments) = (NOWHERE, 0);
        let bytes = rest.as_bytes();
        for at in 0..=bytes.len() {
            match bytes.get(at) {
                end @ (Some(b'/') | None) => {
                    match &bytes[start..at] {
                        b"" => return fail("it has an empty segment"),
                        b"." | b".." => return fail("it has a segment that leads elsewhere"),
                        word if end.is_some() && word.eq_ignore_ascii_case(b"providers") => {
                            (providers, segments) = (u32::try_from(start).unwrap_or(NOWHERE), 0);
                        }
                        _ => segments += 1,
                    }
                    start = at + 1;
                }
                Some(&byte) => seen |= CLASS[usize::from(byte)],
            }
        }
        let spaced = seen & BLANK != 0 || seen & WIDE != 0 && rest.contains(char::is_whitespace);
        let hidden = seen & WIDE != 0 && rest.contains(is_invisible);
        let escaped = seen & ESCAPE != 0
            && bytes.windows(3).any(|w| w[0] == b'%' && w[1].is_ascii_hexdigit() && w[2].is_ascii_hexdigit());
        if seen & NEVER != 0 || hidden || escaped || spaced && !rest.contains("resourceGroups") {
            return fail("it contains a character that no id has");
        }
        if providers != NOWHERE && (segments < 3 && segments != 1 || segments > 1 && segments % 2 == 0) {
            return fail("after `/providers/` it needs a namespace and pairs of type and name");
        }
        Ok(ArmId { text: text[..=rest.len()].into(), providers })
    }

    /// The id of a resource group.
    pub fn resource_group(subscription: &str, name: &str) -> Self {
        Self::of(&format!("/subscriptions/{subscription}/resourceGroups/{name}"))
    }

    /// The id of a resource of `arm_type` (`Ns/type[/child…]`) with one name a type segment, below `self`.
    ///
    /// Used for resources in a group and for extension resources on any resource.
    pub fn provider(&self, arm_type: &str, names: &[&str]) -> Self {
        let mut text = String::with_capacity(self.text.len() + arm_type.len() + 48);
        text.push_str(&self.text);
        text.push_str(PROVIDERS);
        let mut segments = arm_type.split('/');
        text.push_str(segments.next().unwrap_or_default());
        for (segment, name) in segments.zip(names) {
            text.push('/');
            text.push_str(segment);
            text.push('/');
            text.push_str(name);
        }
        Self::of(&text)
    }

    /// A text that is an id.
    fn of(text: &str) -> Self {
        let bytes = text.as_bytes();
        let starts = |at: &usize| bytes[*at] == b'/' && starts_folded(&bytes[*at..], PROVIDERS);
        let at = (0..bytes.len()).rev().find(starts);
        ArmId { text: text.into(), providers: at.and_then(|at| u32::try_from(at).ok()).unwrap_or(NOWHERE) }
    }

    /// What is before the last `/providers/`, and what is after it.
    fn at_providers(&self) -> Option<(&str, &str)> {
        let at = (self.providers != NOWHERE).then_some(self.providers as usize)?;
        Some((&self.text[..at], &self.text[at + PROVIDERS.len()..]))
    }

    /// The id of a child: `self/{child_type}/{name}`.
    pub fn child(&self, child_type: &str, name: &str) -> Self {
        Self::of(&format!("{}/{child_type}/{name}", self.text))
    }

    /// The text, in the case it was given.
    pub fn as_str(&self) -> &str {
        &self.text
    }

    /// The last segment.
    pub fn name(&self) -> &str {
        &self.text[slash_before(&self.text, self.text.len()).map_or(0, |at| at + 1)..]
    }

    /// The full type (`Microsoft.Network/virtualNetworks/subnets`), by the last `/providers/`.
    ///
    /// Resource groups and subscriptions have the types that ARM gives them.
    pub fn resource_type(&self) -> String {
        match self.at_providers() {
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
        match self.at_providers() {
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
        let text = &*self.text;
        match self.at_providers() {
            Some((before, tail)) => match tail.bytes().filter(|byte| *byte == b'/').nth(2) {
                Some(_) => {
                    let end = slash_before(text, slash_before(text, text.len())?)?;
                    Some(ArmId { text: text[..end].into(), providers: self.providers })
                }
                None => (!before.is_empty()).then(|| Self::of(before)),
            },
            None => {
                find_folded(text, "/resourcegroups/").filter(|end| *end > 0).map(|end| Self::of(&text[..end]))
            }
        }
    }

    /// The id of the resource group that this one is, or lies in.
    pub fn group_id(&self) -> Option<ArmId> {
        Some(ArmId::resource_group(self.subscription()?, self.group()?))
    }

    /// Every id above this one, nearest first.
    pub fn ancestors(&self) -> impl Iterator<Item = ArmId> {
        std::iter::successors(self.parent(), ArmId::parent)
    }

    /// The nearest id of the given type: this one or one above it.
    pub fn ancestor_of_type(&self, arm_type: &str) -> Option<ArmId> {
        std::iter::once(self.clone()).chain(self.ancestors()).find(|id| id.is_of_type(arm_type))
    }

    /// Whether [`ArmId::resource_type`] is this one, in any case.
    pub fn is_of_type(&self, arm_type: &str) -> bool {
        let Some((_, tail)) = self.at_providers().filter(|(_, tail)| tail.contains('/')) else {
            return self.resource_type().eq_ignore_ascii_case(arm_type);
        };
        // The namespace, and every second segment after it.
        let mut own = tail.split('/').enumerate().filter(|(at, _)| at % 2 == 1 || *at == 0);
        let mut other = arm_type.split('/');
        loop {
            match (own.next(), other.next()) {
                (None, None) => return true,
                (Some((_, own)), Some(other)) if own.eq_ignore_ascii_case(other) => {}
                _ => return false,
            }
        }
    }

    /// Whether this is below something else and of the same provider: a subnet is a part of its network, and a lock on the
    /// network is not.
    pub fn is_part_of(&self, whole: &ArmId) -> bool {
        let rest = self.text.get(whole.text.len()..).unwrap_or_default();
        self.providers != NOWHERE
            && self.providers == whole.providers
            && rest.starts_with('/')
            && self.text[..whole.text.len()].eq_ignore_ascii_case(&whole.text)
    }

    fn segment_after(&self, key: &str) -> Option<&str> {
        // By hand: this is asked of every id several times, and its segments are shorter than a search is worth.
        let (text, mut start, mut is_next) = (&*self.text, 1, false);
        let mut is_key = true;
        while start <= text.len() {
            let end = text.as_bytes()[start..]
                .iter()
                .position(|byte| *byte == b'/')
                .map_or(text.len(), |at| start + at);
            let segment = &text[start..end];
            if is_next {
                return Some(segment);
            }
            if is_key && segment.eq_ignore_ascii_case("providers") {
                return None;
            }
            is_next = is_key && segment.eq_ignore_ascii_case(key);
            (is_key, start) = (!is_key, end + 1);
        }
        None
    }
}

/// What parsing asks of a byte: whether it is ASCII white space, starts a query or fragment, is no ASCII.
const BLANK: u8 = 1;
const NEVER: u8 = 2;
const WIDE: u8 = 4;
const ESCAPE: u8 = 8;

const CLASS: [u8; 256] = {
    let (mut table, mut byte) = ([0; 256], 0);
    while byte < 256 {
        table[byte] = match byte as u8 {
            b' ' => BLANK,
            // Queries, what a URL parser takes for a slash, and control characters.
            b'?' | b'#' | b'\\' | b'{' | b'}' | 0..=0x1f | 0x7f => NEVER,
            b'%' => ESCAPE,
            0x80.. => WIDE,
            _ => 0,
        };
        byte += 1;
    }
    table
};

/// Whether a character is not seen, or changes how its neighbours are seen.
pub(super) fn is_invisible(c: char) -> bool {
    c.is_control()
        || matches!(c, '\u{ad}' | '\u{61c}' | '\u{180e}' | '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}'
            | '\u{2060}'..='\u{206f}' | '\u{feff}' | '\u{fff0}'..='\u{fffb}')
}

/// Whether bytes start with a mark, in any case of ASCII.
fn starts_folded(bytes: &[u8], mark: &str) -> bool {
    bytes.get(..mark.len()).is_some_and(|start| start.eq_ignore_ascii_case(mark.as_bytes()))
}

/// Where a mark that starts with `/` first stands, in any case of ASCII.
fn find_folded(text: &str, mark: &str) -> Option<usize> {
    text.match_indices('/').map(|(at, _)| at).find(|&at| starts_folded(&text.as_bytes()[at..], mark))
}

/// Where the last slash before a place is.
fn slash_before(text: &str, end: usize) -> Option<usize> {
    text.as_bytes()[..end].iter().rposition(|byte| *byte == b'/')
}

impl PartialEq for ArmId {
    fn eq(&self, other: &Self) -> bool {
        // Nearly always the case is the same, and comparing memory is quickest.
        self.text == other.text || self.text.eq_ignore_ascii_case(&other.text)
    }
}

impl Eq for ArmId {}

impl Hash for ArmId {
    fn hash<H: Hasher>(&self, state: &mut H) {
        // Ids are long and looked up often: eight bytes at a time are folded into one number, and that is hashed. The
        // bit that tells capital from small letters is set in all bytes, so that what is equal hashes alike.
        const CASE: u64 = 0x2020_2020_2020_2020;
        let fold =
            |sum: u64, word: u64| (sum.rotate_left(5) ^ (word | CASE)).wrapping_mul(0x517c_c1b7_2722_0a95);
        let (words, rest) = self.text.as_bytes().as_chunks::<8>();
        let mut sum = words.iter().fold(rest.len() as u64, |sum, word| fold(sum, u64::from_le_bytes(*word)));
        sum = fold(sum, rest.iter().fold(0, |word, &byte| word << 8 | u64::from(byte)));
        state.write_u64(sum);
    }
}

impl PartialOrd for ArmId {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for ArmId {
    fn cmp(&self, other: &Self) -> Ordering {
        let (a, b) = (self.text.as_bytes(), other.text.as_bytes());
        // Most ids of an estate begin alike, to the letter.
        let same =
            a.as_chunks::<8>().0.iter().zip(b.as_chunks::<8>().0).take_while(|(a, b)| a == b).count() * 8;
        let differ = a[same..].iter().zip(&b[same..]).position(|(a, b)| !a.eq_ignore_ascii_case(b));
        match differ {
            Some(at) => a[same + at].to_ascii_lowercase().cmp(&b[same + at].to_ascii_lowercase()),
            None => a.len().cmp(&b.len()),
        }
    }
}

impl fmt::Display for ArmId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&self.text)
    }
}

impl fmt::Debug for ArmId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(&self.text, f)
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
    fn a_part_is_below_and_of_the_same_provider() {
        let group = "/subscriptions/s/resourceGroups/g";
        let network = "/subscriptions/s/resourcegroups/G/providers/microsoft.network/virtualNetworks/v";
        let other = "/subscriptions/s/resourceGroups/g/providers/Microsoft.Network/virtualNetworks/v2";
        let vault = "/subscriptions/s/resourceGroups/g/providers/Microsoft.KeyVault/vaults/k";
        for (part, whole, is) in [
            (SUBNET, network, true),
            (SUBNET, SUBNET, false),
            (network, SUBNET, false),
            (SUBNET, group, false),
            (SUBNET, "/subscriptions/s", false),
            (group, "/subscriptions/s", false),
            (other, network, false),
            (ROLE, vault, false),
        ] {
            assert_eq!(id(part).is_part_of(&id(whole)), is, "{part} {whole}");
        }
    }

    #[test]
    fn case_does_not_matter() {
        let other = id(&SUBNET.replace("resourceGroups", "resourcegroups"));
        assert_eq!(id(SUBNET), other);
        assert_eq!(std::collections::HashSet::from([id(SUBNET), other]).len(), 1);
        for text in [SUBNET, ROLE, "/subscriptions/s", "/subscriptions/s_[{@`"] {
            for end in 1..=text.len() {
                let Ok(a) = ArmId::parse(&text[..end]) else { continue };
                let b = id(&a.as_str().to_ascii_uppercase().replacen("/SUBSCRIPTIONS", "/Subscriptions", 1));
                assert_eq!((&a, a.cmp(&b)), (&b, Ordering::Equal));
                assert_eq!(std::collections::HashSet::from([a, b]).len(), 1);
            }
        }
    }

    #[test]
    fn order_is_that_of_the_text_in_small_letters() {
        let texts = [
            "/subscriptions/s",
            "/subscriptions/S/resourceGroups/B",
            "/subscriptions/s/resourceGroups/a",
            "/subscriptions/s/resourceGroups/a_b",
            "/subscriptions/s/resourceGroups/aZb",
            SUBNET,
            ROLE,
            "/subscriptions/s/resourceGroups/a/providers/Microsoft.Network",
        ];
        let mut ids = texts.map(id);
        ids.sort();
        let mut texts = texts.map(str::to_ascii_lowercase);
        texts.sort();
        assert_eq!(ids.map(|id| id.as_str().to_ascii_lowercase()), texts);
    }

    #[test]
    fn what_a_file_holds_is_read_as_strictly() {
        let read = |text: &str| serde_json::from_value::<ArmId>(text.into());
        assert!(read("/subscriptions/s/resourceGroups/g").is_ok());
        assert!(read("/subscriptions/s/resourceGroups/CPU 90% in %.d").is_ok());
        assert!(read("/subscriptions/s/resourceGroups/größe").is_ok());
        assert!(read("/subscriptions/s/resourceGroups/../g").is_err());
        assert!(read("g").is_err());
    }

    #[test]
    fn refuses_what_is_no_id() {
        for text in [
            "",
            "x",
            "/",
            "//",
            "/a//b",
            "//a",
            "/a//",
            "/subscriptions/s/providers/Ns/type",
            "/a?b",
            "/a#b",
            "/a b",
            "/a\u{2003}b",
            "/a\u{b}b",
            "/subscriptions/s/resourceGroups/..",
            "/subscriptions/s/resourceGroups/g/../../x",
            "/subscriptions/./resourceGroups/g",
            "/subscriptions/s/resourceGroups/g/providers/Ns/t/..",
            "/subscriptions/s\\..\\x",
            "/subscriptions/s/resourceGroups/a\\b",
            "/subscriptions/s/resourceGroups/a%2Fb",
            "/subscriptions/s/resourceGroups/a%2e%2e",
            "/subscriptions/s/resourceGroups/a%5Cb",
            "/subscriptions/s/resourceGroups/a\u{7}b",
            "/subscriptions/s/resourceGroups/a\tb",
            "/subscriptions/s/resourceGroups/a\nb",
            "/subscriptions/s/resourceGroups/a\u{0}b",
            "/subscriptions/s/resourceGroups/a\u{7f}b",
            "/subscriptions/s/resourceGroups/a\u{202e}b",
            "/subscriptions/s/resourceGroups/a\u{200b}b",
            "/subscriptions/s/resourceGroups/a\u{feff}b",
            "/subscriptions/s/resourceGroups/a?x",
            "/subscriptions/s/resourceGroups/a#x",
        ] {
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

//! What the fields of a resource type mean, as data.

use foldhash::fast::FixedState;
use serde_json::Value;
use std::collections::HashMap;
use std::time::Duration;

/// One thing that is true of a field.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(u32)]
pub enum Flag {
    /// Cannot be changed in place: a change replaces the resource.
    Immutable = 1,
    /// Accepted and never returned.
    WriteOnly = 1 << 1,
    /// Returned and never accepted: stripped before a body is sent back.
    ReadOnly = 1 << 2,
    /// Sent on create only, and neither compared nor sent on update.
    CreateOnly = 1 << 3,
    /// A text whose case does not matter.
    FoldCase = 1 << 4,
    /// An array whose order does not matter.
    Set = 1 << 5,
    /// An object whose keys are data: case-insensitive, and a key that the blueprint drops is removed.
    Map = 1 << 6,
    /// A version that a longer one satisfies: `1.33` is satisfied by `1.33.4`.
    VersionAlias = 1 << 7,
    /// An address or CIDR block: a bare address is the same as its `/32` (`/128`), and only the fixed bits count.
    Cidr = 1 << 8,
    /// The value is Azure's to choose while the blueprint has autoscaling on (`enableAutoScaling` beside it): it is not
    /// compared, and an update sends the live one, moved between the wanted `minCount` and `maxCount`. With
    /// autoscaling off, an update sends no `minCount` and `maxCount`.
    Autoscaled = 1 << 9,
    /// A location in either of Azure's two spellings.
    Location = 1 << 10,
    /// A version that only ever rises: a higher one than asked for is as asked, and is kept. Of a set: one that Azure
    /// adds elements of its own to.
    AtLeast = 1 << 11,
    /// An object that excludes another one, or whose members exclude each other: an update takes it from the blueprint
    /// whole; it and its members are removed when the blueprint drops them.
    Whole = 1 << 12,
    /// Sent only when it changes: Azure refuses the very value that it holds (a start date that has passed).
    OnChange = 1 << 13,
    /// Can be given to a resource that has none yet, and not be changed from then on.
    SetOnce = 1 << 14,
    /// A span of time: `90s`, `1m30s` and `PT1M30S` are one.
    Duration = 1 << 15,
    /// An amount as Kubernetes writes it: `0.5` and `500m`, `1Gi` and `1024Mi` are one.
    Quantity = 1 << 16,
    /// Bytes in base64: line breaks and padding do not count.
    Base64 = 1 << 17,
    /// An id that ends with a GUID of its own: what stands before it does not count.
    Guid = 1 << 18,
    /// An object that names another resource. Azure can show more of that resource, and takes back its `id` alone.
    Reference = 1 << 19,
    /// A point in time, in seconds since 1970: plans show it as a date.
    Instant = 1 << 20,
}

/// A field, by its path, and what is true of it.
///
/// Paths are dotted; `[]` stands for the elements of an array and `*` for any key:
/// `properties.agentPoolProfiles[].count`, `properties.addonProfiles.*.identity`.
#[derive(Debug, Clone, Copy)]
pub struct Rule {
    pub(crate) path: &'static str,
    flags: u32,
    key: Option<&'static str>,
    azures: Option<(&'static str, &'static str)>,
    alike: Option<Alike>,
    twin: Option<&'static str>,
    default: Option<&'static str>,
    lasting: Option<&'static str>,
    steps: Steps,
    unless: Option<&'static str>,
    disturbs: Option<&'static Disturbance>,
}

/// When two elements of a list are one under two names.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Alike {
    /// When one says everything that the other does.
    InAll,
    /// When they say the same at these paths.
    In(&'static [&'static str]),
}

/// When a change of a field cannot be made in place.
#[derive(Debug, Clone, PartialEq)]
pub enum Fixed {
    /// Always; unless a switch beside it is on.
    Always {
        /// The name of the switch.
        unless: Option<&'static str>,
    },
    /// Once it has a value.
    Once,
    /// Once it has this value.
    At(Value),
    /// Unless the change is one of these, as in [`Rule::steps`].
    ButFor(&'static [(&'static str, &'static str)]),
}

/// What changing a field in place does to what runs on a resource meanwhile.
#[derive(Debug, PartialEq, Eq)]
pub struct Disturbance {
    /// What happens, a sentence about the resource without its full stop.
    pub what: &'static str,
    /// Whose nodes are replaced or restarted.
    pub cycles: Cycles,
    /// Whether a node is cordoned and drained before it goes, so that pods move in good order.
    pub drained: bool,
    /// How much longer the change takes than one that disturbs nothing.
    pub expected: Duration,
}

/// Whose nodes are cycled.
#[derive(Debug, PartialEq, Eq)]
pub enum Cycles {
    /// Nobody's.
    Nothing,
    /// The resource's own.
    Itself,
    /// Those of every resource of this ARM type below it.
    Below(&'static str),
}

/// Changes of a text that can be made in place: from and to, each one word, several joined by `|`, or `*` for any.
pub(crate) type Steps = &'static [(&'static str, &'static str)];

impl Rule {
    /// A field of which nothing is known yet.
    pub const fn at(path: &'static str) -> Self {
        Rule {
            path,
            flags: 0,
            key: None,
            azures: None,
            alike: None,
            twin: None,
            default: None,
            lasting: None,
            steps: &[],
            unless: None,
            disturbs: None,
        }
    }

    /// The path of the field.
    pub const fn path(&self) -> &'static str {
        self.path
    }

    /// What Azure takes when nobody says the field, when that is known.
    pub fn default_value(&self) -> Option<Value> {
        self.default.and_then(|text| serde_json::from_str(text).ok())
    }

    /// Whether this is said of the field.
    pub const fn says(&self, flag: Flag) -> bool {
        self.flags & flag as u32 != 0
    }

    /// Whether two elements of the array can be one under two names.
    pub const fn has_alike(&self) -> bool {
        self.alike.is_some()
    }

    /// When a change of the field replaces the resource; `None` when never.
    pub fn fixed(&self) -> Option<Fixed> {
        match self.lasting {
            Some(text) => serde_json::from_str(text).ok().map(Fixed::At),
            None if self.says(Flag::Immutable) => Some(Fixed::Always { unless: self.unless }),
            None if self.says(Flag::SetOnce) => Some(Fixed::Once),
            None if !self.steps.is_empty() => Some(Fixed::ButFor(self.steps)),
            None => None,
        }
    }

    /// Whether two rules say the same thing of one field, so that one of them says nothing or is overruled.
    #[cfg(test)]
    pub(crate) fn repeats(&self, other: &Rule) -> bool {
        let both = |said: fn(&Rule) -> bool| said(self) && said(other);
        self.path == other.path
            && (self.flags & other.flags != 0
                || both(|rule| rule.key.is_some())
                || both(|rule| rule.alike.is_some())
                || both(|rule| rule.default.is_some())
                || both(|rule| rule.lasting.is_some())
                || both(|rule| !rule.steps.is_empty())
                || both(|rule| rule.unless.is_some())
                || both(|rule| rule.disturbs.is_some()))
    }

    /// Whether nothing is said of the field at all.
    #[cfg(test)]
    pub(crate) fn says_nothing(&self) -> bool {
        self.flags == 0
            && self.key.is_none()
            && self.alike.is_none()
            && self.default.is_none()
            && self.lasting.is_none()
            && self.steps.is_empty()
            && self.unless.is_none()
            && self.disturbs.is_none()
    }

    const fn with(mut self, flag: Flag) -> Self {
        self.flags |= flag as u32;
        self
    }

    /// See [`Flag::Immutable`].
    pub const fn immutable(self) -> Self {
        self.with(Flag::Immutable)
    }

    /// See [`Flag::WriteOnly`].
    pub const fn write_only(self) -> Self {
        self.with(Flag::WriteOnly)
    }

    /// See [`Flag::ReadOnly`].
    pub const fn read_only(self) -> Self {
        self.with(Flag::ReadOnly)
    }

    /// See [`Flag::CreateOnly`].
    pub const fn create_only(self) -> Self {
        self.with(Flag::CreateOnly)
    }

    /// See [`Flag::FoldCase`].
    pub const fn fold_case(self) -> Self {
        self.with(Flag::FoldCase)
    }

    /// See [`Flag::Set`].
    pub const fn set(self) -> Self {
        self.with(Flag::Set)
    }

    /// See [`Flag::Map`].
    pub const fn map(self) -> Self {
        self.with(Flag::Map)
    }

    /// See [`Flag::VersionAlias`].
    pub const fn version_alias(self) -> Self {
        self.with(Flag::VersionAlias)
    }

    /// See [`Flag::Cidr`].
    pub const fn cidr(self) -> Self {
        self.with(Flag::Cidr)
    }

    /// See [`Flag::Autoscaled`].
    pub const fn autoscaled(self) -> Self {
        self.with(Flag::Autoscaled)
    }

    /// See [`Flag::Location`].
    pub const fn location(self) -> Self {
        self.with(Flag::Location)
    }

    /// See [`Flag::AtLeast`].
    pub const fn at_least(self) -> Self {
        self.with(Flag::AtLeast)
    }

    /// See [`Flag::Whole`].
    pub const fn whole(self) -> Self {
        self.with(Flag::Whole)
    }

    /// A field that can be changed in place unless it has this value (JSON text): a switch that goes one way.
    pub const fn lasting(mut self, json: &'static str) -> Self {
        self.lasting = Some(json);
        self
    }

    /// See [`Flag::OnChange`].
    pub const fn on_change(self) -> Self {
        self.with(Flag::OnChange)
    }

    /// See [`Flag::SetOnce`].
    pub const fn set_once(self) -> Self {
        self.with(Flag::SetOnce)
    }

    /// See [`Flag::Duration`].
    pub const fn duration(self) -> Self {
        self.with(Flag::Duration)
    }

    /// See [`Flag::Quantity`].
    pub const fn quantity(self) -> Self {
        self.with(Flag::Quantity)
    }

    /// See [`Flag::Base64`].
    pub const fn base64(self) -> Self {
        self.with(Flag::Base64)
    }

    /// See [`Flag::Guid`].
    pub const fn guid(self) -> Self {
        self.with(Flag::Guid)
    }

    /// See [`Flag::Reference`].
    pub const fn reference(self) -> Self {
        self.with(Flag::Reference)
    }

    /// See [`Flag::Instant`].
    pub const fn instant(self) -> Self {
        self.with(Flag::Instant)
    }

    /// A text of which only these changes can be made in place: from and to, each one word, several joined by `|`, or
    /// `*` for any. What is absent counts as its default. Every other change replaces.
    pub const fn steps(mut self, steps: &'static [(&'static str, &'static str)]) -> Self {
        self.steps = steps;
        self
    }

    /// An immutable field that can be changed in place while this switch beside it is on.
    pub const fn unless(mut self, switch: &'static str) -> Self {
        self.unless = Some(switch);
        self
    }

    /// A field of which a change, or one of anything below it, disturbs what runs on the resource.
    pub const fn disturbs(mut self, disturbance: &'static Disturbance) -> Self {
        self.disturbs = Some(disturbance);
        self
    }

    /// An array that is really a map: its elements are told apart by this member (`name`, or several joined by `+`).
    pub const fn keyed(mut self, key: &'static str) -> Self {
        self.key = Some(key);
        self
    }

    /// Of such an array: elements with this value (JSON text) of this member are Azure's own, and nobody added them.
    pub const fn azures(mut self, member: &'static str, json: &'static str) -> Self {
        self.azures = Some((member, json));
        self
    }

    /// Of such an array: two elements that say the same under two names are one, which keeps the name that it has in
    /// Azure.
    pub const fn alike(mut self) -> Self {
        self.alike = Some(Alike::InAll);
        self
    }

    /// The same of elements that say the same at these paths, whatever else they say.
    pub const fn alike_in(mut self, paths: &'static [&'static str]) -> Self {
        self.alike = Some(Alike::In(paths));
        self
    }

    /// Of such an array: its elements may stand in another one beside it, and do the same there.
    pub const fn or_in(mut self, list: &'static str) -> Self {
        self.twin = Some(list);
        self
    }

    /// What Azure takes when the field is absent, as JSON text; also what a dropped field is reset to.
    pub const fn default(mut self, json: &'static str) -> Self {
        self.default = Some(json);
        self
    }
}

/// What is true of every resource.
const COMMON: &[Rule] = &[
    Rule::at("location").location().immutable(),
    Rule::at("tags").map(),
    Rule::at("id").read_only(),
    Rule::at("name").read_only(),
    Rule::at("type").read_only(),
    Rule::at("etag").read_only(),
    Rule::at("systemData").read_only(),
    Rule::at("properties.provisioningState").read_only(),
    Rule::at("identity.principalId").read_only(),
    Rule::at("identity.tenantId").read_only(),
    Rule::at("identity.userAssignedIdentities.*.principalId").read_only(),
    Rule::at("identity.userAssignedIdentities.*.clientId").read_only(),
];

/// The rules of one resource type, ready for walking a body.
#[derive(Debug, Default)]
pub struct Rules {
    root: Node,
    /// Whether a list in it has parts that keep the names that they have in Azure.
    alike: bool,
}

/// A place in the rules: what is true of one field and where its members are.
#[derive(Debug, Default)]
pub(crate) struct Node {
    flags: u32,
    pub(crate) key: Option<&'static str>,
    azures: Option<(&'static str, &'static str)>,
    pub(crate) alike: Option<Alike>,
    pub(crate) twin: Option<&'static str>,
    pub(crate) default: Option<Value>,
    pub(crate) lasting: Option<Value>,
    pub(crate) steps: Steps,
    pub(crate) unless: Option<&'static str>,
    disturbs: Option<&'static Disturbance>,
    members: HashMap<&'static str, Node, FixedState>,
    any: Option<Box<Node>>,
    elements: Option<Box<Node>>,
}

pub(crate) static NOTHING: std::sync::LazyLock<Node> = std::sync::LazyLock::new(Node::default);

impl Rules {
    /// Compiles rules, on top of those that hold for every resource.
    ///
    /// # Panics
    /// When a rule's default or lasting value is not JSON: a defect in a kind, caught by the suite that runs for every kind.
    pub fn new(rules: &[Rule]) -> Self {
        let mut root = Node::default();
        for rule in COMMON.iter().chain(rules) {
            let mut node = &mut root;
            for part in rule.path.split('.') {
                let (name, mut arrays) = match part.find('[') {
                    Some(at) => (&part[..at], part[at..].matches("[]").count()),
                    None => (part, 0),
                };
                node = match name {
                    "*" => node.any.get_or_insert_default(),
                    name => node.members.entry(name).or_default(),
                };
                while arrays > 0 {
                    node = node.elements.get_or_insert_default();
                    arrays -= 1;
                }
            }
            node.flags |= rule.flags;
            if !rule.steps.is_empty() {
                node.steps = rule.steps;
            }
            node.unless = node.unless.or(rule.unless);
            node.azures = node.azures.or(rule.azures);
            node.alike = node.alike.or(rule.alike);
            node.twin = node.twin.or(rule.twin);
            node.disturbs = node.disturbs.or(rule.disturbs);
            if let Some(key) = rule.key {
                node.key = Some(key);
                // What tells elements apart is matched without case, so it is compared that way too.
                for part in key.split('+') {
                    let element: &mut Node = node.elements.get_or_insert_default();
                    let member =
                        part.split('.').fold(element, |node, name| node.members.entry(name).or_default());
                    member.flags |= Flag::FoldCase as u32;
                }
            }
            if let Some(text) = rule.default {
                node.default = Some(serde_json::from_str(text).expect("a rule's default is JSON"));
            }
            if let Some(text) = rule.lasting {
                node.lasting = Some(serde_json::from_str(text).expect("a rule's lasting value is JSON"));
            }
        }
        Rules { root, alike: rules.iter().any(|rule| rule.alike.is_some()) }
    }

    /// Whether a list has parts that keep the names that they have in Azure (see [`Rule::alike`]).
    pub fn has_alike(&self) -> bool {
        self.alike
    }

    /// What Azure takes when the field at a dotted path is absent, where that is known.
    pub fn default_of(&self, path: &str) -> Option<&Value> {
        self.at(path).default.as_ref()
    }

    /// Whether something is true of the field at a dotted path.
    pub fn says(&self, path: &str, flag: Flag) -> bool {
        self.at(path).is(flag)
    }

    /// The member by which the elements of the array at a dotted path are told apart, when it is really a map.
    pub fn key(&self, path: &str) -> Option<&'static str> {
        self.at(path).key
    }

    /// Whether the field at a dotted path is a list or a map that others can add to: an update keeps what is theirs.
    pub fn merges(&self, path: &str) -> bool {
        let node = self.at(path);
        let ours = [Flag::Immutable, Flag::ReadOnly, Flag::CreateOnly, Flag::Whole];
        (node.key.is_some() || node.is_map()) && !ours.iter().any(|flag| node.is(*flag))
    }

    fn at(&self, path: &str) -> &Node {
        path.split('.').filter(|name| !name.is_empty()).fold(&self.root, |node, name| {
            match name.strip_suffix("[]") {
                Some(name) => node.member(name).element(),
                None => node.member(name),
            }
        })
    }

    pub(crate) fn root(&self) -> &Node {
        &self.root
    }

    /// What a change at this path (as in [`super::Change`]) disturbs.
    pub fn disturbance(&self, path: &str) -> Option<&'static Disturbance> {
        let mut node = &self.root;
        let mut found = None;
        for part in path.split('.') {
            let name = part.split('[').next().unwrap_or_default();
            node = node.member(name);
            if name.len() < part.len() {
                node = node.element();
            }
            found = found.or(node.disturbs);
        }
        found
    }

    /// What is true of the field at a dotted path, with `[]` for the elements of an array, in words; for documentation.
    pub fn told(&self, path: &str) -> Vec<String> {
        let mut node = &self.root;
        for part in path.split('.') {
            let name = part.trim_end_matches("[]");
            node = node.member(name);
            for _ in 0..part.matches("[]").count() {
                node = node.element();
            }
        }
        let mut told = Vec::new();
        let words = [
            (Flag::Immutable, "never changes: another value replaces the resource"),
            (Flag::SetOnce, "can be set once, and not be changed from then on"),
            (Flag::CreateOnly, "counts when the resource is created, and not after that"),
            (Flag::WriteOnly, "write-only: Azure never shows it, so drift in it cannot be seen"),
            (Flag::Set, "a set: order does not matter"),
            (Flag::FoldCase, "capitals and small letters are the same"),
            (Flag::VersionAlias, "a longer version satisfies a shorter one"),
            (Flag::AtLeast, "only ever rises"),
            (Flag::Autoscaled, "left to the autoscaler while it is on"),
        ];
        told.extend(words.iter().filter(|(flag, _)| node.is(*flag)).map(|(_, text)| (*text).to_owned()));
        if let Some(lasting) = &node.lasting {
            told.push(format!("stays `{lasting}` once it is: another value replaces the resource"));
        }
        if !node.steps.is_empty() {
            told.push("only some changes can be made in place; others replace the resource".to_owned());
        }
        match &node.default {
            Some(Value::Null) => told.push("goes when the blueprint drops it".to_owned()),
            Some(default) => told.push(format!("Azure's default is `{default}`")),
            None => {}
        }
        told
    }
}

impl Node {
    /// Whether an element of the array is one that Azure put there by itself.
    pub(crate) fn is_azures(&self, element: &Value) -> bool {
        let Some((member, json)) = self.azures else { return false };
        let wanted = serde_json::from_str::<Value>(json).ok();
        element.get(member).is_some_and(|value| wanted.as_ref() == Some(value))
    }

    pub(crate) fn is(&self, flag: Flag) -> bool {
        self.flags & flag as u32 != 0
    }

    pub(crate) fn is_map(&self) -> bool {
        self.is(Flag::Map)
    }

    pub(crate) fn member(&self, name: &str) -> &Node {
        if let Some(node) = self.members.get(name) {
            return node;
        }
        if let Some(node) = &self.any {
            return node;
        }
        &NOTHING
    }

    /// Whether a text can be changed in place from one value to another.
    pub(crate) fn takes(&self, from: &Value, to: &Value) -> bool {
        let word = |value: &Value| match value {
            Value::String(text) if !text.is_empty() => text.to_ascii_lowercase(),
            _ => self.default.as_ref().and_then(Value::as_str).unwrap_or_default().to_ascii_lowercase(),
        };
        let (from, to) = (word(from), word(to));
        let is = |pattern: &str, word: &str| {
            pattern == "*" || pattern.split('|').any(|one| one.eq_ignore_ascii_case(word))
        };
        self.steps.is_empty() || self.steps.iter().any(|(a, b)| is(a, &from) && is(b, &to))
    }

    pub(crate) fn has_members(&self) -> bool {
        !self.members.is_empty()
    }

    pub(crate) fn element(&self) -> &Node {
        self.elements.as_deref().unwrap_or(&NOTHING)
    }
}

/// The text that tells an element of a keyed array from the others; folded, because Azure re-cases names and ids.
pub(crate) fn key_of(element: &Value, key: &str) -> Option<String> {
    let mut text = String::new();
    for part in key.split('+') {
        let value = part.split('.').try_fold(element, |value, member| value.get(member));
        match value {
            Some(Value::String(part)) => text.push_str(&part.to_ascii_lowercase()),
            Some(Value::Null) | None => {}
            Some(other) => text.push_str(&other.to_string()),
        }
        text.push('\u{1f}');
    }
    text.pop();
    if text.is_empty() { None } else { Some(text) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_change_below_a_field_that_disturbs_disturbs_too() {
        const BREAKS: Disturbance = Disturbance {
            what: "it breaks",
            cycles: Cycles::Nothing,
            drained: false,
            expected: Duration::ZERO,
        };
        let rules = Rules::new(&[
            Rule::at("properties.proxy").disturbs(&BREAKS),
            Rule::at("properties.pools[].version").disturbs(&BREAKS),
        ]);
        for (path, found) in [
            ("properties.proxy", true),
            ("properties.proxy.noProxy", true),
            ("properties.pools[system].version", true),
            ("properties.pools[system].count", false),
            ("properties", false),
            ("tags.proxy", false),
        ] {
            assert_eq!(rules.disturbance(path).is_some(), found, "{path}");
        }
    }
}

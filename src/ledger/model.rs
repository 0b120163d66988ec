//! The ledger as data: its form, its version, its migrations.

use super::unusable::{Misfit, Unusable};
use crate::change::DeleteMode;
use crate::ident::{Address, ArmId, Owner, is_name};
use indexmap::IndexMap;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet, HashSet};
use std::fmt;

/// The version that this program writes.
pub const VERSION: u32 = 3;

/// The highest serial that a ledger may have. No run counts so far, and the names of earlier versions are sorted by its
/// ten digits.
pub const HIGHEST_SERIAL: u64 = 9_999_999_999;

/// What one blueprint owns, in one environment if it has any.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Ledger {
    /// The version of this form.
    pub version: u32,
    /// The blueprint's name.
    pub blueprint: String,
    /// The environment's name, when it is of one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub environment: Option<String>,
    /// The ownership tags that its resources may still carry: those of the owners that it was moved from.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub formerly: Vec<String>,
    /// Where its resources are; unknown in a ledger that an older berth wrote.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub estate: Option<Estate>,
    /// Goes up by one with every change.
    pub serial: u64,
    /// What the digests are salted with; made once, and so tells this ledger from others.
    pub salt: String,
    /// The resources, by id, in the order in which they were made.
    pub resources: IndexMap<ArmId, Owned>,
    /// What it gave away, which stays with the ownership tag on it: what is only read now and what that needs, and what was
    /// forgotten on demand. It is not missed when the ledger is empty.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub released: Vec<ArmId>,
    /// The outputs of the last run, without secret ones.
    #[serde(default)]
    pub outputs: BTreeMap<String, Value>,
}

/// Where a run works, and where the resources of a ledger are.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Estate {
    /// `public`, `usgov` or `china`; `simulator`; or the address of an endpoint.
    pub cloud: String,
    /// The tenant of the caller, when known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tenant: Option<String>,
    /// The subscription of the blueprint; absent when it is not known, as when something is destroyed by name.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub subscription: Option<String>,
    /// Further subscriptions that resources of the ledger are in.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub others: Vec<String>,
    /// The resource groups that resources of the ledger are in, or were in when the blueprint last asked for any.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub groups: Vec<ArmId>,
}

/// What a ledger was written for, and what a run is for, where they differ.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Mismatch {
    /// What differs: `blueprint`, `environment`, `cloud`, `tenant`, `subscription`.
    pub what: &'static str,
    /// What the ledger says; `None` when it has none.
    pub ledger: Option<String>,
    /// What this run says; `None` when it has none.
    pub run: Option<String>,
}

impl fmt::Display for Mismatch {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.ledger {
            Some(ledger) => write!(f, "it is of the {} `{ledger}`", self.what)?,
            None => write!(f, "it is of no {}", self.what)?,
        }
        match &self.run {
            Some(run) => write!(f, ", and this run is for `{run}`"),
            None => write!(f, ", and this run is for none"),
        }
    }
}

/// One resource that a blueprint owns.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Owned {
    /// What the blueprint called it.
    pub address: Address,
    /// Its ARM type.
    #[serde(rename = "type")]
    pub arm_type: String,
    /// The API version it was last written with.
    pub api_version: String,
    /// What was last asked for; secrets stand in it as tokens.
    pub applied: Value,
    /// What it depends on, by id.
    #[serde(default)]
    pub depends_on: Vec<ArmId>,
    /// Salted digests of write-only values, by path.
    #[serde(default)]
    pub digests: BTreeMap<String, String>,
    /// Which version of its write-only value Azure reported when it was written, where Azure reports one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub version: Option<String>,
    /// Whether it may be deleted only when named.
    #[serde(default)]
    pub protect: bool,
    /// How it is removed.
    pub delete: DeleteMode,
    /// What may not be changed by two operations at once while it is: ids.
    #[serde(default)]
    pub lanes: Vec<ArmId>,
}

impl Ledger {
    /// An empty ledger for a blueprint.
    pub fn new(blueprint: impl Into<String>, salt: impl Into<String>) -> Self {
        Ledger {
            version: VERSION,
            blueprint: blueprint.into(),
            environment: None,
            formerly: Vec::new(),
            estate: None,
            serial: 0,
            salt: salt.into(),
            resources: IndexMap::new(),
            released: Vec::new(),
            outputs: BTreeMap::new(),
        }
    }

    /// The same for the environment of a blueprint, or for none.
    pub fn of(owner: &Owner, salt: impl Into<String>) -> Self {
        Ledger { environment: owner.environment.clone(), ..Ledger::new(owner.blueprint.clone(), salt) }
    }

    /// Whose it is.
    pub fn owner(&self) -> Owner {
        Owner::new(self.blueprint.clone()).within(self.environment.clone())
    }

    /// Whether nothing was ever written down.
    pub fn is_new(&self) -> bool {
        self.serial == 0 && self.resources.is_empty()
    }

    /// What makes this the ledger of something else than what a run is for.
    pub fn mismatches(&self, owner: &Owner, run: &Estate) -> Vec<Mismatch> {
        let mut found = Vec::new();
        let mut differ = |what, ledger: Option<&str>, run: Option<&str>| {
            let [ledger, run] = [ledger, run].map(|text| text.map(str::to_owned));
            found.push(Mismatch { what, ledger, run });
        };
        if self.blueprint != owner.blueprint {
            differ("blueprint", Some(&self.blueprint), Some(&owner.blueprint));
        }
        if self.environment != owner.environment {
            differ("environment", self.environment.as_deref(), owner.environment.as_deref());
        }
        // Of these something may be unknown, which is not a difference.
        let mut compare = |what, ledger: Option<&str>, run: Option<&str>| {
            if let (Some(one), Some(other)) = (ledger, run)
                && !one.eq_ignore_ascii_case(other)
            {
                differ(what, ledger, run);
            }
        };
        let own = self.estate.as_ref();
        compare("cloud", own.map(|own| own.cloud.as_str()), Some(&run.cloud));
        compare("tenant", own.and_then(|own| own.tenant.as_deref()), run.tenant.as_deref());
        compare("subscription", own.and_then(|own| own.subscription.as_deref()), run.subscription.as_deref());
        found
    }

    /// Makes it the ledger of another owner. What carries the tag of the one before is still its own.
    pub fn move_to(&mut self, owner: &Owner) {
        let before = self.owner();
        if before == *owner {
            return;
        }
        self.formerly.retain(|tag| *tag != owner.to_string());
        let before = before.to_string();
        if !self.formerly.contains(&before) {
            self.formerly.push(before);
        }
        (self.blueprint, self.environment) = (owner.blueprint.clone(), owner.environment.clone());
    }

    /// Notes what a run is for; what it does not know stays as it was. `wanted` is what the blueprint asks for, when the
    /// run knows that: then the groups that nothing is or will be in are forgotten.
    pub fn note(&mut self, run: &Estate, wanted: Option<&[&ArmId]>) {
        let before = self.estate.take().unwrap_or_default();
        let subscription = run.subscription.clone().or(before.subscription);
        let (mut subscriptions, mut groups) = (BTreeSet::new(), BTreeSet::new());
        if wanted.is_none() {
            subscriptions.extend(before.others);
            groups.extend(before.groups);
        }
        // Thousands of resources are in a few groups.
        let mut known = HashSet::new();
        for id in wanted.into_iter().flatten().copied().chain(self.resources.keys()) {
            let Some(subscription) = id.subscription() else { continue };
            if !known.insert((subscription, id.group())) {
                continue;
            }
            subscriptions.insert(subscription.to_ascii_lowercase());
            groups.extend(id.group().map(|group| ArmId::resource_group(subscription, group)));
        }
        let own = subscription.as_deref().unwrap_or_default();
        subscriptions.retain(|other| !other.eq_ignore_ascii_case(own));
        self.estate = Some(Estate {
            cloud: run.cloud.clone(),
            tenant: run.tenant.clone().or(before.tenant),
            subscription,
            others: subscriptions.into_iter().collect(),
            groups: groups.into_iter().collect(),
        });
    }

    /// Has a resource from now on.
    pub fn own(&mut self, id: ArmId, owned: Owned) {
        self.released.retain(|other| *other != id);
        self.resources.insert(id, owned);
    }

    /// Has a resource no longer; when it was `released`, it stays with the tag on it.
    pub fn disown(&mut self, id: &ArmId, released: bool) {
        self.resources.shift_remove(id);
        self.released.retain(|other| other != id);
        if released {
            self.released.push(id.clone());
        }
    }

    /// Counts a change.
    pub fn advance(&mut self) {
        self.serial = self.serial.saturating_add(1);
    }

    /// Whether this may be written where a ledger with the serial `before` is.
    ///
    /// # Errors
    /// When the serial would go backwards or cannot count any further.
    pub fn follows(&self, before: Option<u64>) -> Result<(), Unusable> {
        let serial = self.serial;
        match before {
            Some(before) if before > serial => Err(Unusable::Backwards { before, serial }),
            _ if serial > HIGHEST_SERIAL => Err(Unusable::Exhausted),
            _ => Ok(()),
        }
    }

    /// Whether an id may be in this ledger: in its subscription, one that is noted beside it, or above all of them.
    pub(super) fn may_hold(&self, id: &ArmId) -> Result<(), Misfit> {
        let own =
            self.estate.as_ref().and_then(|estate| Some((estate.subscription.as_deref()?, &estate.others)));
        let (Some((own, others)), Some(found)) = (own, id.subscription()) else { return Ok(()) };
        match others.iter().map(String::as_str).chain([own]).any(|known| known.eq_ignore_ascii_case(found)) {
            true => Ok(()),
            false => Err(Misfit::Subscription { found: found.to_owned(), own: own.to_owned() }),
        }
    }

    /// Finds what no berth writes.
    fn check(&self) -> Result<(), Unusable> {
        let damage = |text: String| Err(Unusable::Damaged(text));
        let names = [("a blueprint", Some(&self.blueprint)), ("an environment", self.environment.as_ref())];
        for (what, name) in names {
            if let Some(name) = name.filter(|name| !is_name(name)) {
                return damage(format!("`{}` is not the name of {what}", name.escape_debug()));
            }
        }
        if let Some(tag) = self.formerly.iter().find(|tag| Owner::parse(tag).is_none()) {
            return damage(format!("`{}` is not the tag of an owner that it had before", tag.escape_debug()));
        }
        let groups = self.estate.iter().flat_map(|estate| &estate.groups);
        if let Some(id) = groups.into_iter().find(|id| {
            self.may_hold(id).is_err() || id.resource_type() != "Microsoft.Resources/resourceGroups"
        }) {
            return damage(format!("`groups` has {id}, which is not a resource group of its subscriptions"));
        }
        if self.serial > HIGHEST_SERIAL {
            return damage(format!("its serial {} was never reached by counting", self.serial));
        }
        if let Some(id) = self.released.iter().find(|id| self.resources.contains_key(*id)) {
            return damage(format!("`released` has {id}, which `resources` has too"));
        }
        for (id, owned) in &self.resources {
            if let Err(why) = self.may_hold(id).and_then(|()| owned.check(id)) {
                return damage(format!("`resources` has {id}, which {why}"));
            }
        }
        Ok(())
    }
}

impl Owned {
    /// Finds what no berth writes of the resource with this id.
    pub(super) fn check(&self, id: &ArmId) -> Result<(), Misfit> {
        let is_version = |c: u8| c.is_ascii_alphanumeric() || matches!(c, b'-' | b'.');
        match () {
            () if !self.address.is_well_formed() => Err(Misfit::Address(self.address.as_str().to_owned())),
            () if !self.arm_type.eq_ignore_ascii_case(&id.resource_type()) => {
                Err(Misfit::Type(self.arm_type.clone()))
            }
            () if !self.api_version.bytes().all(is_version) => {
                Err(Misfit::ApiVersion(self.api_version.clone()))
            }
            () => Ok(()),
        }
    }
}

/// Reads a ledger of this version or an older one.
///
/// # Errors
/// When the text is not a ledger, one of a newer berth, or holds what no berth writes.
pub fn migrate(bytes: &[u8]) -> Result<Ledger, Unusable> {
    #[derive(Deserialize)]
    struct Head {
        version: u32,
    }
    // As a text that is checked once: its strings are not checked again one by one.
    let text = std::str::from_utf8(bytes).map_err(|error| Unusable::NotALedger(error.to_string()))?;
    // Nearly always it is of this version: it is read once.
    let damage = match serde_json::from_str::<Ledger>(text) {
        Ok(ledger) if ledger.fits_version() => {
            ledger.check()?;
            return Ok(Ledger { version: VERSION, ..ledger });
        }
        Ok(_) => "it says more than its version can".to_owned(),
        Err(error) => error.to_string(),
    };
    let head: Head = serde_json::from_str(text).map_err(|error| Unusable::NotALedger(error.to_string()))?;
    match head.version {
        1..=VERSION => Err(Unusable::Damaged(damage)),
        newer if newer > VERSION => Err(Unusable::Newer(newer)),
        other => Err(Unusable::Unknown(other)),
    }
}

impl Ledger {
    /// Whether its version can say what it says. Version 1 did not know where its resources are; version 2 knew no
    /// environments, no groups, and one subscription. What is missing is noted by the next run.
    fn fits_version(&self) -> bool {
        let has_owner = self.environment.is_some() || !self.formerly.is_empty() || !self.released.is_empty();
        let has_places = |estate: &Estate| !estate.others.is_empty() || !estate.groups.is_empty();
        match self.version {
            1 => self.estate.is_none() && !has_owner,
            2 => !has_owner && !self.estate.as_ref().is_some_and(has_places),
            version => version == VERSION,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn estate(cloud: &str, tenant: Option<&str>, subscription: Option<&str>) -> Estate {
        Estate {
            cloud: cloud.into(),
            tenant: tenant.map(str::to_owned),
            subscription: subscription.map(str::to_owned),
            ..Estate::default()
        }
    }

    fn owned(id: &ArmId) -> Owned {
        Owned {
            address: Address::new("resourceGroup"),
            arm_type: id.resource_type(),
            api_version: "2025-04-01".into(),
            applied: json!({ "location": "westeurope" }),
            depends_on: vec![],
            digests: BTreeMap::new(),
            version: None,
            protect: false,
            delete: DeleteMode::Always,
            lanes: vec![],
        }
    }

    #[test]
    fn a_ledger_knows_whose_it_is() {
        let own = estate("public", Some("T"), Some("S"));
        let owner = |text: &str| Owner::parse(text).unwrap();
        let differ = |ledger: &Ledger, name: &str, run: &Estate| -> Vec<&'static str> {
            ledger.mismatches(&owner(name), run).into_iter().map(|mismatch| mismatch.what).collect()
        };
        let mut ledger = Ledger::new("shop", "salt");
        // One that an older berth wrote knows its name only.
        assert!(differ(&ledger, "shop", &own).is_empty());
        assert_eq!(differ(&ledger, "other", &own), ["blueprint"]);
        assert_eq!(differ(&ledger, "shop/prod", &own), ["environment"]);
        ledger.note(&own, None);
        for (name, run, wanted) in [
            ("shop", own.clone(), &[][..]),
            ("shop", estate("public", Some("t"), Some("s")), &[]),
            ("shop", estate("public", None, None), &[]),
            ("shop/prod", own.clone(), &["environment"]),
            ("shop", estate("simulator", Some("t"), Some("s")), &["cloud"]),
            ("shop", estate("public", Some("u"), Some("s")), &["tenant"]),
            ("shop", estate("public", Some("t"), Some("r")), &["subscription"]),
            ("dev", estate("china", Some("u"), Some("r")), &["blueprint", "cloud", "tenant", "subscription"]),
        ] {
            assert_eq!(differ(&ledger, name, &run), wanted, "{name} {run:?}");
        }
        ledger.note(&estate("public", None, None), None);
        assert_eq!(ledger.estate, Some(own.clone()));
        let of = Ledger::of(&owner("shop/dev"), "salt");
        assert_eq!(differ(&of, "shop/dev", &own), [""; 0]);
        let told = |run: &str| of.mismatches(&owner(run), &own)[0].to_string();
        assert_eq!(told("shop/prod"), "it is of the environment `dev`, and this run is for `prod`");
        assert_eq!(told("shop"), "it is of the environment `dev`, and this run is for none");
        let none = Ledger::new("shop", "salt").mismatches(&owner("shop/dev"), &own)[0].to_string();
        assert_eq!(none, "it is of no environment, and this run is for `dev`");
    }

    #[test]
    fn a_moved_ledger_remembers_the_tags_of_before() {
        let owner = |text: &str| Owner::parse(text).unwrap();
        let mut ledger = Ledger::new("shop", "salt");
        ledger.move_to(&owner("shop"));
        assert!(ledger.formerly.is_empty());
        ledger.move_to(&owner("shop/prod"));
        ledger.move_to(&owner("store/prod"));
        ledger.move_to(&owner("store/prod"));
        assert_eq!(
            (ledger.owner(), &ledger.formerly[..]),
            (owner("store/prod"), &["shop".to_owned(), "shop/prod".to_owned()][..])
        );
        ledger.move_to(&owner("shop"));
        assert_eq!(ledger.formerly, ["shop/prod", "store/prod"]);
    }

    #[test]
    fn subscriptions_and_groups_are_noted() {
        let mut ledger = Ledger::new("shop", "salt");
        let [a, b] = ["a", "b"].map(|name| ArmId::resource_group("S", name));
        let hub = ArmId::resource_group("hub", "net");
        let tenant = ArmId::parse("/providers/Microsoft.Management/managementGroups/m").unwrap();
        let run = estate("public", None, Some("s"));
        ledger.note(&run, Some(&[&a, &b.provider("Microsoft.X/y", &["z"]), &hub, &tenant]));
        let noted = ledger.estate.clone().unwrap();
        assert_eq!(
            (noted.others, noted.groups),
            (vec!["hub".to_owned()], vec![hub.clone(), a.clone(), b.clone()])
        );
        // A run that knows no blueprint forgets nothing; one that does forgets what nothing is in.
        ledger.note(&estate("public", None, None), None);
        assert_eq!(ledger.estate.as_ref().unwrap().groups.len(), 3);
        ledger.resources.insert(hub.clone(), owned(&hub));
        ledger.note(&run, Some(&[&a]));
        assert_eq!(ledger.estate.as_ref().unwrap().groups, [hub.clone(), a]);
        assert_eq!(ledger.may_hold(&hub), Ok(()));
        assert_eq!(ledger.may_hold(&tenant), Ok(()));
        let other = ArmId::resource_group("other", "net");
        assert!(ledger.may_hold(&other).unwrap_err().to_string().contains("the ledger is of `s`"));
    }

    #[test]
    fn serials_only_go_up_and_end_before_they_wrap() {
        let at = |serial| Ledger { serial, ..Ledger::new("shop", "salt") };
        assert_eq!(at(5).follows(None), Ok(()));
        assert_eq!(at(5).follows(Some(5)), Ok(()));
        assert_eq!(at(5).follows(Some(4)), Ok(()));
        assert!(at(4).follows(Some(5)).unwrap_err().to_string().contains("back from 5 to 4"));
        let mut last = at(HIGHEST_SERIAL);
        assert_eq!(last.follows(Some(HIGHEST_SERIAL)), Ok(()));
        last.advance();
        assert!(last.follows(Some(HIGHEST_SERIAL)).is_err());
        let mut worst = at(u64::MAX);
        worst.advance();
        assert_eq!(worst.serial, u64::MAX);
    }

    #[test]
    fn reads_what_it_writes_and_refuses_the_rest() {
        let mut ledger = Ledger::of(&Owner::parse("shop/prod").unwrap(), "salt");
        let group = ArmId::resource_group("s", "g");
        ledger.resources.insert(group.clone(), owned(&group));
        ledger.note(&estate("public", None, Some("s")), None);
        let text = serde_json::to_vec(&ledger).unwrap();
        assert_eq!(migrate(&text), Ok(ledger));
        assert!(migrate(br#"{"version":4}"#).unwrap_err().to_string().contains("newer berth"));
        let edited = |from: &str, to: &str| {
            let text = String::from_utf8(text.clone()).unwrap();
            let changed = text.replacen(from, to, 1);
            assert_ne!(text, changed, "{from}");
            migrate(changed.as_bytes()).map(drop)
        };
        for (from, to, why) in [
            ("\"serial\":0", "\"serial\":18446744073709551615", "never reached by counting"),
            ("\"serial\":0", "\"serial\":10000000000", "never reached by counting"),
            ("\"serial\":0", "\"serial\":-1", "line 1"),
            ("\"serial\":0", "\"serial\":18446744073709551616", "line 1"),
            ("{\"/subscriptions/s/", "{\"/subscriptions/s/../", "line 1"),
            ("{\"/subscriptions/s/resourceGroups/g", "{\"g", "line 1"),
            ("{\"/subscriptions/s/resourceGroups/g", "{\"/subscriptions/s/resourceGroups/g\\\\x", "line 1"),
            ("{\"/subscriptions/s/resourceGroups/g", "{\"/subscriptions/t/resourceGroups/g", "is of `s`"),
            ("\"address\":\"resourceGroup\"", "\"address\":\"../x\"", "`../x`, and that is not an address"),
            ("\"address\":\"resourceGroup\"", "\"address\":\"\"", "not an address"),
            (
                "\"type\":\"Microsoft.Resources/resourceGroups\"",
                "\"type\":\"Microsoft.KeyVault/vaults\"",
                "its id is of another",
            ),
            ("\"apiVersion\":\"2025-04-01\"", "\"apiVersion\":\"1&x=y\"", "not one"),
            ("\"blueprint\":\"shop\"", "\"blueprint\":\"../shop\"", "the name of a blueprint"),
            ("\"environment\":\"prod\"", "\"environment\":\"p/q\"", "the name of an environment"),
            ("\"environment\":\"prod\"", "\"formerly\":[\"Not a name\"]", "an owner that it had before"),
            ("\"groups\":[\"/subscriptions/s/", "\"groups\":[\"/subscriptions/t/", "of its subscriptions"),
            (
                "resourceGroups/g\"]",
                "resourceGroups/g/providers/Microsoft.KeyVault/vaults/v\"]",
                "which is not",
            ),
            // An older berth could not say all of this.
            ("\"version\":3", "\"version\":1", "more than its version"),
            ("\"version\":3", "\"version\":2", "more than its version"),
        ] {
            let error = edited(from, to).unwrap_err().to_string();
            assert!(error.contains("damaged") && error.contains(why), "{to}: {error}");
        }
        // A further subscription that the ledger itself notes is one of its own.
        let other = String::from_utf8(text.clone()).unwrap();
        let other = other.replacen("{\"/subscriptions/s/", "{\"/subscriptions/t/", 1);
        let other = other.replacen("\"groups\"", "\"others\":[\"T\"],\"groups\"", 1);
        assert!(migrate(other.as_bytes()).is_ok(), "{other}");
        assert!(migrate(b"{").unwrap_err().to_string().contains("not a ledger"));
        assert!(migrate(&text[..text.len() - 1]).is_err());
    }
}

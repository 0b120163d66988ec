//! Whose what is there is. Its tag says so, whatever the ledger remembers.

use super::model::{Conflict, Reason, Step};
use crate::catalog::resource_type;
use crate::change::Action;
use crate::ident::{ArmId, Owner};
use crate::ledger::{Ledger, Owned};
use crate::state::{OWNER_TAG, Observation, Observed, owner_of};
use serde_json::Value;

/// What the tag of something that is there says to a run.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Standing {
    /// It is the run's own.
    Ours,
    /// The ledger has it and was moved here from the owner that the tag names: ours, and not yet written again.
    Formerly(String),
    /// Its type has no tag: it belongs to whom its parent belongs.
    Silent,
    /// Its type has a tag, and it carries none.
    Bare,
    /// It is another's: a blueprint's, or another environment's of this one.
    Theirs(String),
}

/// The tags that are a run's own.
pub(super) struct Tags<'a> {
    /// That of the blueprint and its environment.
    own: String,
    /// Those of the owners that the ledger was moved from.
    formerly: &'a [String],
}

impl<'a> Tags<'a> {
    /// The tags of what the blueprint says it is, for what this ledger has. The name in the ledger does not count.
    pub(super) fn new(owner: &Owner, ledger: &'a Ledger) -> Self {
        Tags { own: owner.to_string(), formerly: &ledger.formerly }
    }

    /// The value of the tag that is written.
    pub(super) fn own(&self) -> &str {
        &self.own
    }

    /// What the tag of something says: `tagged` tells whether its type has one, `owned` whether the ledger has it.
    pub(super) fn standing(&self, tag: Option<&str>, tagged: bool, owned: bool) -> Standing {
        match tag {
            Some(tag) if tag == self.own => Standing::Ours,
            // What a moved ledger has keeps the tag of before until it is written again; nothing else does.
            Some(tag) if owned && self.formerly.iter().any(|before| before == tag) => {
                Standing::Formerly(tag.to_owned())
            }
            Some(tag) => Standing::Theirs(tag.to_owned()),
            None if tagged => Standing::Bare,
            None => Standing::Silent,
        }
    }

    /// The same of something that the ledger has. What has no tag belongs to whom the thing belongs of which it is a part.
    pub(super) fn standing_of(
        &self,
        id: &ArmId,
        owned: &Owned,
        live: &Value,
        ledger: &Ledger,
        observed: &Observed,
    ) -> Standing {
        match self.standing(owner_of(live), takes_a_tag(id, owned, live), true) {
            Standing::Silent => self.standing_of_whole(id, ledger, observed).unwrap_or(Standing::Silent),
            own => own,
        }
    }

    /// Whose the thing is of which something without a tag is a part, if the ledger has it: a network, of its subnets.
    pub(super) fn standing_of_whole(
        &self,
        id: &ArmId,
        ledger: &Ledger,
        observed: &Observed,
    ) -> Option<Standing> {
        let whole = id.ancestors().take_while(|above| id.is_part_of(above)).find_map(|above| {
            let owned = ledger.resources.get(&above)?;
            let live = observed.get(&above)?.body()?;
            takes_a_tag(&above, owned, live).then(|| self.standing(owner_of(live), true, true))
        })?;
        (whole != Standing::Ours).then_some(whole)
    }
}

/// Whether something that the ledger has carries the tag, if it is ours.
///
/// The id tells, and not what the ledger says of the type or of what was asked for: a create that failed leaves nothing
/// there, and a ledger may be damaged.
fn takes_a_tag(id: &ArmId, owned: &Owned, live: &Value) -> bool {
    let arm_type = id.resource_type();
    let by_type = match resource_type(&arm_type) {
        Some(kind) => kind.tags,
        // Of a type that berth does not know: what stands in a group by itself and lies somewhere has tags.
        None => {
            let in_group =
                id.parent().is_some_and(|parent| parent.resource_type().ends_with("/resourceGroups"));
            let is_somewhere = live.get("location").and_then(Value::as_str).is_some_and(|at| !at.is_empty());
            in_group && is_somewhere && arm_type.matches('/').count() == 1
        }
    };
    by_type || owner_of(&owned.applied).is_some()
}

/// Has what does not carry our tag deleted or replaced only when a person names it, and says why.
pub(super) fn guard(
    steps: &mut [Step],
    tags: &Tags<'_>,
    ledger: &Ledger,
    observed: &Observed,
) -> Vec<Conflict> {
    let mut warnings = Vec::new();
    for step in steps.iter_mut().filter(|step| matches!(step.action, Action::Delete | Action::Replace)) {
        // What somebody else put into a list that is the blueprint's alone is named by `exclusive`.
        if matches!(step.reason, Reason::Foreign { .. }) {
            continue;
        }
        let live = observed.get(&step.id).and_then(Observation::body);
        let (Some(owned), Some(live)) = (ledger.resources.get(&step.id), live) else { continue };
        let message = match tags.standing_of(&step.id, owned, live, ledger, observed) {
            Standing::Ours | Standing::Silent => continue,
            Standing::Bare => format!(
                "{} does not carry the tag `{OWNER_TAG}`: somebody may have taken it over, or made it anew",
                match takes_a_tag(&step.id, owned, live) {
                    true => "it",
                    false => "what it is a part of",
                }
            ),
            Standing::Theirs(owner) => format!("its tag `{OWNER_TAG}` says that it belongs to `{owner}`"),
            // Moving a ledger by mistake must not be how another environment is destroyed.
            Standing::Formerly(owner) => {
                format!("its tag `{OWNER_TAG}` still says `{owner}`, from which this ledger was moved")
            }
        };
        step.protected = true;
        warnings.push(Conflict {
            address: step.address.clone(),
            id: step.id.clone(),
            message,
            help: "look at it in Azure; if it is to go, name it as the flag says; if not, `berth ledger forget` it".to_owned(),
        });
    }
    warnings
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::change::DeleteMode;
    use crate::ident::Address;
    use serde_json::json;

    const GROUP: &str = "/subscriptions/s/resourceGroups/rg";

    fn owned(arm_type: &str, applied: &Value) -> Owned {
        Owned {
            address: Address::new("x"),
            arm_type: arm_type.to_owned(),
            api_version: "1".to_owned(),
            applied: applied.clone(),
            depends_on: vec![],
            digests: Default::default(),
            version: None,
            protect: false,
            delete: DeleteMode::Own,
            lanes: vec![],
        }
    }

    #[test]
    fn the_tag_says_whose_it_is() {
        let tag = |owner: &str| json!({ "location": "westeurope", "tags": { "berth-blueprint": owner } });
        let folded = json!({ "tags": { "BERTH-Blueprint": "shop/prod" } });
        let bare = json!({ "location": "westeurope", "tags": { "team": "a" } });
        let vault = "Microsoft.KeyVault/vaults";
        let raw = "Microsoft.Storage/storageAccounts";
        let subnet = "Microsoft.Network/virtualNetworks/subnets";
        let theirs = |owner: &str| Standing::Theirs(owner.to_owned());
        let (own, nothing) = (tag("shop/prod"), json!({}));
        for (arm_type, applied, live, standing) in [
            (vault, &own, &own, Standing::Ours),
            (vault, &own, &folded, Standing::Ours),
            (vault, &own, &bare, Standing::Bare),
            (vault, &own, &nothing, Standing::Bare),
            // Another blueprint, another environment of this one, or this one without any.
            (vault, &own, &tag("bank"), theirs("bank")),
            (vault, &own, &tag("shop/dev"), theirs("shop/dev")),
            (vault, &own, &tag("shop"), theirs("shop")),
            (vault, &own, &tag("SHOP/prod"), theirs("SHOP/prod")),
            // What the ledger says of it does not count: it was begun and never confirmed, or the ledger is forged.
            (vault, &nothing, &own, Standing::Ours),
            (vault, &nothing, &bare, Standing::Bare),
            (vault, &bare, &bare, Standing::Bare),
            (vault, &tag("shop/dev"), &tag("shop/dev"), theirs("shop/dev")),
            (raw, &bare, &bare, Standing::Bare),
            (raw, &nothing, &bare, Standing::Bare),
            (raw, &own, &own, Standing::Ours),
            // A type without tags belongs to the owner of its parent.
            (subnet, &nothing, &nothing, Standing::Silent),
            (subnet, &json!({ "properties": {} }), &nothing, Standing::Silent),
        ] {
            let ledger = Ledger::new("shop", "salt");
            let tags = Tags::new(&Owner::parse("shop/prod").unwrap(), &ledger);
            let names = vec!["n"; arm_type.matches('/').count()];
            let id = ArmId::parse(GROUP).unwrap().provider(arm_type, &names);
            // The ledger's own word for the type does not count either.
            for said in [arm_type, "Microsoft.Network/virtualNetworks/subnets"] {
                let found = tags.standing_of(&id, &owned(said, applied), live, &ledger, &Observed::new());
                assert_eq!(found, standing, "{arm_type} ({said}) {applied} {live}");
            }
        }
    }

    #[test]
    fn a_moved_ledger_keeps_what_it_has_and_takes_nothing_more() {
        let mut ledger = Ledger::new("shop", "salt");
        ledger.move_to(&Owner::parse("shop/prod").unwrap());
        let tags = Tags::new(&ledger.owner(), &ledger);
        assert_eq!(tags.standing(Some("shop"), true, true), Standing::Formerly("shop".to_owned()));
        assert_eq!(tags.standing(Some("shop"), true, false), Standing::Theirs("shop".to_owned()));
        assert_eq!(tags.standing(Some("bank"), true, true), Standing::Theirs("bank".to_owned()));
        assert_eq!(
            (tags.own(), tags.standing(Some("shop/prod"), true, false)),
            ("shop/prod", Standing::Ours)
        );
    }
}

//! Whether what is there is still the blueprint's: its tag says so, whatever the ledger remembers.

use super::model::{Conflict, Step};
use crate::catalog::resource_type;
use crate::change::Action;
use crate::ledger::{Ledger, Owned};
use crate::state::{OWNER_TAG, Observation, Observed, owner_of};
use serde_json::Value;

/// Whether a resource that the ledger has does not carry the tag that berth gives its type.
///
/// The tag was taken away, or somebody else made a resource of this id since. What was asked for may never have come
/// about (a create that failed): then nothing but the tag says whose it is.
pub(super) fn lost_its_tag(owned: &Owned, live: &Value) -> bool {
    let unconfirmed = owned.applied.as_object().is_some_and(serde_json::Map::is_empty);
    let tagged = match unconfirmed {
        true => resource_type(&owned.arm_type).is_some_and(|kind| kind.tags),
        false => owner_of(&owned.applied).is_some(),
    };
    tagged && owner_of(live).is_none()
}

/// Has what does not carry its tag deleted or replaced only when a person names it, and says why.
pub(super) fn guard(steps: &mut [Step], ledger: &Ledger, observed: &Observed) -> Vec<Conflict> {
    let mut warnings = Vec::new();
    for step in steps.iter_mut().filter(|step| matches!(step.action, Action::Delete | Action::Replace)) {
        let live = observed.get(&step.id).and_then(Observation::body);
        let (Some(owned), Some(live)) = (ledger.resources.get(&step.id), live) else { continue };
        if !lost_its_tag(owned, live) {
            continue;
        }
        step.protected = true;
        warnings.push(Conflict {
            address: step.address.clone(),
            id: step.id.clone(),
            message: format!("it no longer carries the tag `{OWNER_TAG}`: somebody may have taken it over, or made it anew"),
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

    #[test]
    fn the_tag_says_whose_it_is() {
        let tagged = json!({ "tags": { "berth-blueprint": "shop" } });
        let folded = json!({ "tags": { "BERTH-Blueprint": "shop" } });
        let bare = json!({ "tags": { "team": "a" } });
        let vault = "Microsoft.KeyVault/vaults";
        let subnet = "Microsoft.Network/virtualNetworks/subnets";
        for (arm_type, applied, live, lost) in [
            (vault, &tagged, &tagged, false),
            (vault, &tagged, &folded, false),
            (vault, &tagged, &bare, true),
            (vault, &tagged, &json!({}), true),
            // It was begun, and never confirmed.
            (vault, &json!({}), &tagged, false),
            (vault, &json!({}), &bare, true),
            // A type without tags belongs to the owner of its parent.
            (subnet, &json!({}), &json!({}), false),
            (subnet, &json!({ "properties": {} }), &json!({}), false),
        ] {
            let owned = Owned {
                address: Address::new("x"),
                arm_type: arm_type.to_owned(),
                api_version: "1".to_owned(),
                applied: applied.clone(),
                depends_on: vec![],
                digests: Default::default(),
                protect: false,
                delete: DeleteMode::Own,
                lanes: vec![],
            };
            assert_eq!(lost_its_tag(&owned, live), lost, "{arm_type} {applied} {live}");
        }
    }
}

//! Vaults that are deleted are kept by Azure; `--purge` has them deleted for good, in as many runs as it takes.

use crate::support::Berth;

const VAULT: &str = "\
blueprint: shop
azure: { subscription: 5ab5c819-0000-4000-8000-000000000001, location: westeurope, resourceGroup: rg-shop }
keyVaults:
  main:
    name: kv-shop-purge
    protect: false
    purgeProtection: false
";

/// The purge is refused, for good.
const REFUSED: &str = "\
faults:
  - method: POST
    path: '*/deletedVaults/*/purge'
    answer: { status: 403, code: AuthorizationFailed, message: \"No 'Microsoft.KeyVault/locations/deletedVaults/purge/action'.\" }
";

#[test]
fn a_name_is_free_after_a_purge_and_only_then() {
    let berth = Berth::new().blueprint(VAULT);
    berth.apply(&[]).exits(0);
    berth.destroy(&[]).exits(0);
    berth.plan(&[]).exits(2).says(&["recover", "a soft-deleted one holds the name"]);
    berth.apply(&[]).exits(0);
    berth.destroy(&["--purge"]).exits(0).says(&["purged: its name is free at once"]);
    berth.plan(&[]).exits(2).says(&["create", "keyVaults.main"]);
}

#[test]
fn a_purge_that_failed_is_gone_on_with() {
    let berth = Berth::new().blueprint(VAULT);
    berth.write("faults.yaml", REFUSED.as_bytes());
    berth.apply(&[]).exits(0);
    berth.destroy(&["--purge", "--faults", "faults.yaml"]).exits(1).says(&["deletedVaults/purge/action"]);
    let owned = berth.ledger()["resources"].to_string();
    assert!(owned.contains("kv-shop-purge"), "what is not purged is known: {owned}");
    // Who does not ask for it any more has the vault kept by Azure, who does has it purged; the plan tells which.
    berth.destroy(&["--purge"]).exits(0).says(&["delete", "a soft-deleted one holds the name"]);
    assert_eq!(berth.ledger()["resources"], serde_json::json!({}));
    berth.plan(&[]).exits(2).says(&["create", "keyVaults.main"]);
}

#[test]
fn what_has_purge_protection_is_kept_and_the_plan_says_so() {
    let berth = Berth::new().blueprint(&VAULT.replace("purgeProtection: false", "purgeProtection: true"));
    berth.apply(&[]).exits(0);
    berth.destroy(&["--purge"]).exits(0).says(&["has purge protection"]);
    berth.plan(&[]).exits(2).says(&["recover"]);
}

#[test]
fn a_vault_that_is_replaced_makes_room_for_its_successor() {
    let berth = Berth::new().blueprint(VAULT);
    berth.apply(&[]).exits(0);
    berth.edit("protect: false", "protect: false\n    location: northeurope");
    let allowed = ["--allow-replace", "keyVaults.main", "--purge"];
    berth.apply(&allowed).exits(0).says(&["replace", "purged:"]);
    let vault = berth.export().into_iter().find(|resource| resource["name"] == "kv-shop-purge").unwrap();
    assert_eq!(vault["location"], "northeurope");
    berth.plan(&[]).exits(0);
}

#[test]
fn a_vault_in_its_own_successors_way_is_known_before_the_first_write() {
    let berth = Berth::new().blueprint(VAULT);
    berth.apply(&[]).exits(0);
    let before = berth.export();
    berth.edit("protect: false", "protect: false\n    location: northeurope");
    berth.plan(&[]).exits(2).says(&["In the way of this plan", "keeps a deleted key vault", "`--purge`"]);
    berth.apply(&[]).exits(4).complains(&["in its way, as the plan says: keyVaults.main"]);
    assert_eq!(berth.export(), before, "nothing may be written");
    berth.plan(&["--purge"]).exits(2).says(&["purged:", "Plan: 1 to replace"]);
}

#[test]
fn a_vault_with_purge_protection_cannot_be_replaced_and_no_flag_changes_that() {
    let berth = Berth::new().blueprint(&VAULT.replace("purgeProtection: false", "purgeProtection: true"));
    berth.apply(&[]).exits(0);
    let before = berth.export();
    berth.edit("protect: false", "protect: false\n    location: northeurope");
    for flags in [&[][..], &["--purge"]] {
        berth
            .plan(flags)
            .exits(2)
            .says(&["it has purge protection, which cannot be lifted", "choose another `name:`"]);
        berth.apply(flags).exits(4).complains(&["keyVaults.main"]);
    }
    assert_eq!(berth.export(), before, "nothing may be written");
}

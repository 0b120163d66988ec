//! Which Azure resources can be reached through a private endpoint: their groups and DNS zones
//! (<https://learn.microsoft.com/azure/private-link/private-endpoint-dns>).
//!
//! A private endpoint connects to one *group* of its target (`vault`, `blob`). The names of that group are answered
//! privately by one or more zones. The table has their names in the public cloud; [`zones_in`] says what they are called in
//! the region of an endpoint. Of a `{…}` in a zone's name, `{region}` and `{regionCode}` can be told offline; any other
//! depends on the resource.

mod clouds;
mod targets;

pub use clouds::zones_in;
pub use targets::TARGETS;

use crate::ident::ArmId;
use targets::OTHERS;

/// An ARM type that private endpoints can connect to.
#[derive(Debug, Clone, Copy)]
pub struct Target {
    /// The full ARM type.
    pub arm_type: &'static str,
    /// The API version in which its endpoint connections are read, approved and removed.
    pub api_version: &'static str,
    /// What can be connected to, the most usual first. Empty when an endpoint names no group.
    pub groups: &'static [Group],
}

/// Something of a target that an endpoint connects to.
#[derive(Debug, Clone, Copy)]
pub struct Group {
    /// The group's id, as Azure writes it.
    pub name: &'static str,
    /// The private DNS zones that answer for it; none when the names are the owner's own.
    pub zones: &'static [&'static str],
}

impl Target {
    /// The target of an ARM type, in any case.
    pub fn of(arm_type: &str) -> Option<&'static Target> {
        TARGETS.iter().find(|target| target.arm_type.eq_ignore_ascii_case(arm_type))
    }

    /// A group by its name, in any case. A slot of a web app is a group of its own, `sites-{slot}`.
    pub fn group(&self, name: &str) -> Option<&'static Group> {
        let same = |group: &&'static Group| {
            let slot = group.name == "sites" && name.to_ascii_lowercase().starts_with("sites-");
            slot || group.name.eq_ignore_ascii_case(name)
        };
        self.groups.iter().find(same)
    }
}

impl Group {
    /// The group of this name, when every target that has one of this name gives it the same zones.
    pub fn unambiguous(name: &str) -> Option<&'static Group> {
        let mut all = TARGETS.iter().filter_map(|target| target.group(name));
        let first = all.next()?;
        all.all(|group| group.zones == first.zones).then_some(first)
    }
}

/// Every type whose connections berth reads, with the API version in which it does.
pub fn connection_types() -> impl Iterator<Item = (&'static str, &'static str)> {
    TARGETS.iter().map(|target| (target.arm_type, target.api_version)).chain(OTHERS.iter().copied())
}

/// The API version in which the connections of a target are read; `own` is the one that the blueprint speaks to it. `None`
/// is a type that berth does not know: a version that is only guessed is refused, or shows what has another form.
pub fn connections_version(target: &ArmId, own: Option<&str>) -> Option<String> {
    let arm_type = target.resource_type();
    let known = connection_types().find(|(known, _)| known.eq_ignore_ascii_case(&arm_type));
    known.map(|(_, version)| version).or(own).map(str::to_owned)
}

#[cfg(test)]
mod tests {
    use super::clouds::ELSEWHERE;
    use super::*;
    use std::collections::BTreeSet;

    #[test]
    fn the_table_is_well_formed() {
        let mut seen = BTreeSet::new();
        for target in TARGETS {
            assert!(seen.insert(target.arm_type.to_ascii_lowercase()), "{} is twice", target.arm_type);
            for group in target.groups {
                // A DNS zone group holds five zones at most.
                assert!((1..=5).contains(&group.zones.len()), "{} {}", target.arm_type, group.name);
                for zone in group.zones {
                    assert!(zone.starts_with("privatelink."), "{zone}");
                    assert!(!zone.ends_with('.'), "{zone}");
                }
            }
        }
    }

    #[test]
    fn groups_are_found_in_any_case_and_for_slots() {
        let zones = |arm_type: &str, name: &str| {
            Target::of(arm_type).and_then(|target| target.group(name)).map(|group| group.zones)
        };
        assert_eq!(
            zones("microsoft.keyvault/Vaults", "Vault"),
            Some(&["privatelink.vaultcore.azure.net"][..])
        );
        assert_eq!(zones("Microsoft.Web/sites", "sites-blue"), Some(&["privatelink.azurewebsites.net"][..]));
        assert_eq!(zones("Microsoft.KeyVault/vaults", "blob"), None);
        assert!(Target::of("Microsoft.Network/virtualNetworks").is_none());
    }

    #[test]
    fn zones_are_called_after_the_cloud_and_the_region() {
        let zones = |arm_type: &str, group: &str, location: &str| {
            zones_in(Target::of(arm_type).unwrap().group(group).unwrap().zones, location)
        };
        for (arm_type, group, location, expected) in [
            ("Microsoft.KeyVault/vaults", "vault", "westeurope", "privatelink.vaultcore.azure.net"),
            ("Microsoft.KeyVault/vaults", "vault", "China North 3", "privatelink.vaultcore.azure.cn"),
            (
                "Microsoft.KeyVault/vaults",
                "vault",
                "usgovvirginia",
                "privatelink.vaultcore.usgovcloudapi.net",
            ),
            (
                "Microsoft.Storage/storageAccounts",
                "dfs_secondary",
                "chinaeast2",
                "privatelink.dfs.core.chinacloudapi.cn",
            ),
            (
                "Microsoft.Storage/storageAccounts",
                "blob",
                "usdodeast",
                "privatelink.blob.core.usgovcloudapi.net",
            ),
            ("Microsoft.Web/sites", "sites-blue", "chinanorth3", "privatelink.chinacloudsites.cn"),
            (
                "Microsoft.ContainerService/managedClusters",
                "management",
                "usgovarizona",
                "privatelink.usgovarizona.cx.aks.containerservice.azure.us",
            ),
            (
                "Microsoft.RecoveryServices/vaults",
                "AzureBackup",
                "North Europe",
                "privatelink.ne.backup.windowsazure.com",
            ),
            (
                "Microsoft.RecoveryServices/vaults",
                "AzureBackup",
                "usgovtexas",
                "privatelink.ugt.backup.windowsazure.us",
            ),
            (
                "Microsoft.ServiceBus/namespaces",
                "namespace",
                "chinanorth3",
                "privatelink.servicebus.chinacloudapi.cn",
            ),
        ] {
            let found = zones(arm_type, group, location);
            assert_eq!(found, Some(vec![expected.to_owned()]), "{arm_type} in {location}");
        }
        let assistants = zones("Microsoft.CognitiveServices/accounts", "account", "usgovvirginia").unwrap();
        assert_eq!(assistants, ["privatelink.cognitiveservices.azure.us", "privatelink.openai.azure.us"]);
        // Neither guessed nor left out in silence.
        assert_eq!(zones("Microsoft.Sql/managedInstances", "managedInstance", "westeurope"), None);
        assert_eq!(zones("Microsoft.Purview/accounts", "account", "chinanorth3"), None);
        assert_eq!(zones("Microsoft.Dashboard/grafana", "grafana", "usgovvirginia"), None);
    }

    #[test]
    fn the_names_elsewhere_are_well_formed() {
        let zones = || TARGETS.iter().flat_map(|target| target.groups).flat_map(|group| group.zones);
        let mut seen = BTreeSet::new();
        for (public, gov, china) in ELSEWHERE {
            assert!(seen.insert(*public), "{public} is twice");
            assert!(zones().any(|zone| zone == public), "{public} is no zone of the table");
            for (zone, ends) in [(gov, &[".us", ".usgovcloudapi.net"][..]), (china, &[".cn"])] {
                let named = !matches!(*zone, "-" | "?");
                assert!(!named || ends.iter().any(|end| zone.ends_with(end)), "{zone}");
                let places = |zone: &str| zone.matches('{').count();
                assert!(!named || places(zone) == places(public), "{zone}");
            }
        }
    }

    #[test]
    fn a_group_name_alone_tells_only_what_is_unambiguous() {
        assert_eq!(
            Group::unambiguous("registry").map(|group| group.zones),
            Some(&["privatelink.azurecr.io"][..])
        );
        assert!(Group::unambiguous("Sql").is_none(), "Cosmos DB and Synapse have one each");
        assert!(Group::unambiguous("account").is_none());
    }
}

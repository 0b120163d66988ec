//! The regions of Azure, and how they are written.

/// Regions, short and long; other names are refused.
pub(crate) const LOCATIONS: &[(&str, &str)] = &[
    ("australiacentral", "Australia Central"),
    ("australiaeast", "Australia East"),
    ("australiasoutheast", "Australia Southeast"),
    ("austriaeast", "Austria East"),
    ("belgiumcentral", "Belgium Central"),
    ("brazilsouth", "Brazil South"),
    ("canadacentral", "Canada Central"),
    ("canadaeast", "Canada East"),
    ("centralindia", "Central India"),
    ("centralus", "Central US"),
    ("centraluseuap", "Central US EUAP"),
    ("chilecentral", "Chile Central"),
    ("eastasia", "East Asia"),
    ("eastus", "East US"),
    ("eastus2", "East US 2"),
    ("eastus2euap", "East US 2 EUAP"),
    ("francecentral", "France Central"),
    ("francesouth", "France South"),
    ("germanynorth", "Germany North"),
    ("germanywestcentral", "Germany West Central"),
    ("indonesiacentral", "Indonesia Central"),
    ("israelcentral", "Israel Central"),
    ("italynorth", "Italy North"),
    ("japaneast", "Japan East"),
    ("japanwest", "Japan West"),
    ("koreacentral", "Korea Central"),
    ("koreasouth", "Korea South"),
    ("malaysiawest", "Malaysia West"),
    ("mexicocentral", "Mexico Central"),
    ("newzealandnorth", "New Zealand North"),
    ("northcentralus", "North Central US"),
    ("northeurope", "North Europe"),
    ("norwayeast", "Norway East"),
    ("norwaywest", "Norway West"),
    ("polandcentral", "Poland Central"),
    ("qatarcentral", "Qatar Central"),
    ("southafricanorth", "South Africa North"),
    ("southafricawest", "South Africa West"),
    ("southcentralus", "South Central US"),
    ("southeastasia", "Southeast Asia"),
    ("southindia", "South India"),
    ("spaincentral", "Spain Central"),
    ("swedencentral", "Sweden Central"),
    ("switzerlandnorth", "Switzerland North"),
    ("switzerlandwest", "Switzerland West"),
    ("uaecentral", "UAE Central"),
    ("uaenorth", "UAE North"),
    ("uksouth", "UK South"),
    ("ukwest", "UK West"),
    ("westcentralus", "West Central US"),
    ("westeurope", "West Europe"),
    ("westindia", "West India"),
    ("westus", "West US"),
    ("westus2", "West US 2"),
    ("westus3", "West US 3"),
];

/// A location as people write it.
pub(crate) fn display_name(location: &str) -> &str {
    let short = normal_location(location);
    LOCATIONS.iter().find(|(name, _)| *name == short).map_or(location, |(_, long)| long)
}

/// Whether this is a region in its short form, or `global`.
pub(crate) fn is_location(name: &str) -> bool {
    name == "global" || LOCATIONS.iter().any(|(short, _)| *short == name)
}

/// Types that are in no region.
const GLOBAL: &[&str] = &[
    "microsoft.cdn/profiles",
    "microsoft.cdn/profiles/afdendpoints",
    "microsoft.network/dnszones",
    "microsoft.network/frontdoorwebapplicationfirewallpolicies",
    "microsoft.network/privatednszones",
    "microsoft.network/privatednszones/virtualnetworklinks",
];

/// Types that are in regions and in none.
const BOTH: &[&str] = &["microsoft.insights", "microsoft.alertsmanagement"];

/// Regions that lack a type (<https://azure.microsoft.com/explore/global-infrastructure/products-by-region>).
const LACKING: &[(&str, &[&str])] = &[
    ("microsoft.containerservice", &["westindia"]),
    ("microsoft.dashboard", &["australiacentral", "centralindia", "japanwest", "southindia", "westindia"]),
];

/// The regions that have a type, in their long form.
pub(crate) fn regions_of(kind: &str) -> Vec<&'static str> {
    let kind = kind.to_ascii_lowercase();
    if GLOBAL.contains(&kind.as_str()) {
        return vec!["global"];
    }
    let namespace = kind.split('/').next().unwrap_or_default();
    let lacking =
        LACKING.iter().find(|(name, _)| *name == namespace).map_or(&[][..], |(_, lacking)| *lacking);
    let regions = LOCATIONS.iter().filter(|(short, _)| !lacking.contains(short)).map(|(_, long)| *long);
    let global = BOTH.contains(&namespace).then_some("global");
    regions.chain(global).collect()
}

/// A location in the short lower-case form.
pub(crate) fn normal_location(location: &str) -> String {
    location.chars().filter(|c| !c.is_whitespace()).collect::<String>().to_ascii_lowercase()
}

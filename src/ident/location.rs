//! Azure regions are written in two ways that mean the same.

/// The short form of a location: `West Europe` and `westeurope` are one place.
pub fn normalize_location(text: &str) -> String {
    text.chars().filter(|c| !c.is_whitespace()).map(|c| c.to_ascii_lowercase()).collect()
}

/// One of Azure's separate clouds, as the name of a region tells it. Names of services end differently in each.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RegionCloud {
    /// The public one.
    Public,
    /// That of the US government.
    UsGov,
    /// That of China.
    China,
}

impl RegionCloud {
    /// The cloud of a region, in either form.
    pub fn of(location: &str) -> Self {
        let name = normalize_location(location);
        match () {
            () if name.starts_with("china") => RegionCloud::China,
            () if name.starts_with("usgov") || name.starts_with("usdod") => RegionCloud::UsGov,
            () => RegionCloud::Public,
        }
    }
}

/// The regions of Azure's clouds, in their short form.
const REGIONS: &[&str] = &[
    "australiacentral",
    "australiacentral2",
    "australiaeast",
    "australiasoutheast",
    "austriaeast",
    "belgiumcentral",
    "brazilsouth",
    "brazilsoutheast",
    "canadacentral",
    "canadaeast",
    "centralindia",
    "centralus",
    "centraluseuap",
    "chilecentral",
    "chinaeast",
    "chinaeast2",
    "chinaeast3",
    "chinanorth",
    "chinanorth2",
    "chinanorth3",
    "denmarkeast",
    "eastasia",
    "eastus",
    "eastus2",
    "eastus2euap",
    "eastus3",
    "francecentral",
    "francesouth",
    "germanynorth",
    "germanywestcentral",
    "indiasouthcentral",
    "indonesiacentral",
    "israelcentral",
    "israelnorthwest",
    "italynorth",
    "japaneast",
    "japanwest",
    "jioindiacentral",
    "jioindiawest",
    "koreacentral",
    "koreasouth",
    "malaysiasouth",
    "malaysiawest",
    "mexicocentral",
    "newzealandnorth",
    "northcentralus",
    "northeurope",
    "norwayeast",
    "norwaywest",
    "polandcentral",
    "qatarcentral",
    "saudiarabiaeast",
    "southafricanorth",
    "southafricawest",
    "southcentralus",
    "southcentralus2",
    "southeastasia",
    "southeastus",
    "southindia",
    "spaincentral",
    "swedencentral",
    "swedensouth",
    "switzerlandnorth",
    "switzerlandwest",
    "taiwannorth",
    "taiwannorthwest",
    "uaecentral",
    "uaenorth",
    "uksouth",
    "ukwest",
    "usdodcentral",
    "usdodeast",
    "usgovarizona",
    "usgovtexas",
    "usgovvirginia",
    "westcentralus",
    "westeurope",
    "westindia",
    "westus",
    "westus2",
    "westus3",
];

/// The region that was probably meant by a text that is none. A region that is newer than this list differs from the
/// others by more than a typing error, or by its number.
pub fn meant_region(text: &str) -> Option<&'static str> {
    let name = normalize_location(text);
    if name == "global" || REGIONS.contains(&name.as_str()) {
        return None;
    }
    let letters = |name: &str| name.trim_end_matches(|c: char| c.is_ascii_digit()).to_owned();
    let near =
        REGIONS.iter().map(|region| (strsim::osa_distance(&letters(region), &letters(&name)), *region));
    let (distance, region) = near.min_by_key(|(distance, _)| *distance)?;
    (1..=2).contains(&distance).then_some(region)
}

#[cfg(test)]
mod tests {
    #[test]
    fn both_forms_are_one_place() {
        assert_eq!(super::normalize_location("West US 2"), super::normalize_location("westus2"));
    }

    #[test]
    fn a_region_tells_its_cloud() {
        use super::RegionCloud::{self, China, Public, UsGov};
        for (region, cloud) in [
            ("westeurope", Public),
            ("China North 3", China),
            ("chinaeast2", China),
            ("usgovvirginia", UsGov),
            ("US DoD East", UsGov),
            ("centralus", Public),
            ("global", Public),
        ] {
            assert_eq!(RegionCloud::of(region), cloud, "{region}");
        }
    }

    #[test]
    fn typing_errors_in_regions_are_seen_and_new_regions_are_not_errors() {
        for (text, meant) in [
            ("westeuropa", Some("westeurope")),
            ("West Eurpe", Some("westeurope")),
            ("northerope", Some("northeurope")),
            ("westus2", None),
            ("West US 2", None),
            ("westus4", None),
            ("greenlandnorth", None),
            ("global", None),
        ] {
            assert_eq!(super::meant_region(text), meant, "{text}");
        }
    }
}

//! Azure regions are written in two ways that mean the same.

/// The short form of a location: `West Europe` and `westeurope` are one place.
pub fn normalize_location(text: &str) -> String {
    text.chars().filter(|c| !c.is_whitespace()).map(|c| c.to_ascii_lowercase()).collect()
}

#[cfg(test)]
mod tests {
    #[test]
    fn both_forms_are_one_place() {
        assert_eq!(super::normalize_location("West US 2"), super::normalize_location("westus2"));
    }
}

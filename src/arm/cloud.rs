//! Azure's clouds and their addresses.

use std::fmt;
use std::str::FromStr;

/// One of Azure's separate clouds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Cloud {
    /// The public one.
    #[default]
    Public,
    /// The US Government's.
    UsGov,
    /// The one operated by 21Vianet.
    China,
}

impl Cloud {
    /// Every cloud.
    pub const ALL: [Cloud; 3] = [Cloud::Public, Cloud::UsGov, Cloud::China];

    /// The name that `--cloud` takes.
    pub const fn as_str(self) -> &'static str {
        match self {
            Cloud::Public => "public",
            Cloud::UsGov => "usgov",
            Cloud::China => "china",
        }
    }

    /// Where ARM listens.
    pub const fn endpoint(self) -> &'static str {
        match self {
            Cloud::Public => "https://management.azure.com",
            Cloud::UsGov => "https://management.usgovcloudapi.net",
            Cloud::China => "https://management.chinacloudapi.cn",
        }
    }

    /// Where one signs in.
    pub const fn authority(self) -> &'static str {
        match self {
            Cloud::Public => "https://login.microsoftonline.com",
            Cloud::UsGov => "https://login.microsoftonline.us",
            Cloud::China => "https://login.chinacloudapi.cn",
        }
    }

    /// Whom tokens for ARM are meant for.
    pub const fn audience(self) -> &'static str {
        self.endpoint()
    }

    /// The scope of tokens for ARM.
    pub const fn scope(self) -> &'static str {
        match self {
            Cloud::Public => "https://management.azure.com/.default",
            Cloud::UsGov => "https://management.usgovcloudapi.net/.default",
            Cloud::China => "https://management.chinacloudapi.cn/.default",
        }
    }
}

impl fmt::Display for Cloud {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// The name is none of a cloud.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("unknown cloud '{0}': expected public, usgov or china")]
pub struct UnknownCloud(pub String);

impl FromStr for Cloud {
    type Err = UnknownCloud;

    /// Accepts berth's names and those of the Azure CLI.
    fn from_str(name: &str) -> Result<Self, UnknownCloud> {
        const NAMES: &[(&str, Cloud)] = &[
            ("public", Cloud::Public),
            ("azurecloud", Cloud::Public),
            ("azurepublic", Cloud::Public),
            ("usgov", Cloud::UsGov),
            ("azureusgovernment", Cloud::UsGov),
            ("china", Cloud::China),
            ("azurechinacloud", Cloud::China),
        ];
        NAMES
            .iter()
            .find(|(known, _)| known.eq_ignore_ascii_case(name))
            .map(|(_, cloud)| *cloud)
            .ok_or_else(|| UnknownCloud(name.to_owned()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_parse_and_addresses_agree() {
        for cloud in Cloud::ALL {
            assert_eq!(cloud.as_str().parse(), Ok(cloud));
            assert_eq!(cloud.scope(), format!("{}/.default", cloud.audience()));
        }
        assert_eq!("AzureUSGovernment".parse(), Ok(Cloud::UsGov));
        assert!("mars".parse::<Cloud>().is_err());
    }
}

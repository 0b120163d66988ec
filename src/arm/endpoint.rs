//! The address of ARM, and which URLs belong to it.

use super::cloud::Cloud;
use azure_core::http::Url;
use std::net::{Ipv4Addr, Ipv6Addr};

/// The host of a URL.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Host {
    Domain(String),
    Ipv4(Ipv4Addr),
    Ipv6(Ipv6Addr),
}

/// ARM's address, as the parser reads it that also sends requests.
#[derive(Debug, Clone)]
pub(super) struct Endpoint {
    base: String,
    origin: Option<Origin>,
    /// Whether hosts below this one are regions of it: so it is in Azure's own clouds.
    regional: bool,
}

/// Scheme, host and port.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Origin {
    secure: bool,
    host: Host,
    port: u16,
}

impl Endpoint {
    /// Takes an address such as `https://management.azure.com` or `http://127.0.0.1:8080` apart.
    pub(super) fn new(address: &str) -> Self {
        let base = address.trim().trim_end_matches('/').to_owned();
        let origin = origin(&base);
        let regional = Cloud::ALL.iter().any(|cloud| origin == self::origin(cloud.endpoint()));
        Endpoint { base, origin, regional }
    }

    /// The address without a slash at its end.
    pub(super) fn base(&self) -> &str {
        &self.base
    }

    /// Whether a URL lies on ARM's host or, in Azure's own clouds, one of its regional sub-domains.
    ///
    /// Nowhere else may the token go: some providers put hosts of their own into `Location`.
    pub(super) fn owns(&self, url: &str) -> bool {
        let (Some(own), Some(origin)) = (&self.origin, origin(url)) else { return false };
        let region = match (&own.host, &origin.host) {
            (Host::Domain(own), Host::Domain(host)) if self.regional => {
                let region = host.strip_suffix(own.as_str()).and_then(|region| region.strip_suffix('.'));
                let is_label = |label: &str| {
                    !label.is_empty()
                        && label.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-')
                };
                region.is_some_and(|region| region.split('.').all(is_label))
            }
            _ => false,
        };
        origin.secure == own.secure && origin.port == own.port && (origin.host == own.host || region)
    }

    /// Whether a token may be sent in this manner: encrypted, or not leaving the machine.
    pub(super) fn protects_tokens(&self) -> bool {
        self.origin.as_ref().is_some_and(|origin| origin.secure || origin.is_loopback())
    }

    /// Whether the address is this machine's own.
    pub(super) fn is_loopback(&self) -> bool {
        self.origin.as_ref().is_some_and(Origin::is_loopback)
    }

    /// The absolute form of a URL out of a header or a body, if it is one of ARM's.
    pub(super) fn resolve(&self, url: &str) -> Option<String> {
        let url = url.trim_matches(' ');
        let absolute = match url.starts_with('/') && !url.starts_with("//") {
            true => format!("{}{url}", self.base),
            false => url.to_owned(),
        };
        self.owns(&absolute).then_some(absolute)
    }
}

impl Origin {
    fn is_loopback(&self) -> bool {
        match &self.host {
            Host::Domain(name) => name == "localhost",
            Host::Ipv4(ip) => ip.is_loopback(),
            Host::Ipv6(ip) => ip.is_loopback(),
        }
    }
}

/// Whether a token may be sent to this address: by HTTPS, or without leaving the machine.
pub fn protects_tokens(address: &str) -> bool {
    Endpoint::new(address).protects_tokens()
}

/// Whether an address is this machine's own.
pub fn is_loopback(address: &str) -> bool {
    Endpoint::new(address).is_loopback()
}

/// Where an absolute URL is sent to, by the parser that sends it; `None` when it is sent nowhere.
///
/// What a reader may take for another host than the parser does is refused, wherever it leads: backslashes, which the
/// parser takes for slashes; credentials; control characters and white space, some of which the parser drops; and
/// characters beyond ASCII, which it maps to others.
fn origin(url: &str) -> Option<Origin> {
    if !url.is_ascii() || url.bytes().any(|byte| byte == b'\\' || byte <= b' ' || byte == 0x7f) {
        return None;
    }
    let secure = match url.split_once("://")?.0.to_ascii_lowercase().as_str() {
        "https" => true,
        "http" => false,
        _ => return None,
    };
    let authority = url.split_once("://")?.1.split(['/', '?', '#']).next()?;
    // An escape in the authority is decoded by the parser: no host of Azure's has one.
    if authority.is_empty() || authority.contains(['@', '%']) {
        return None;
    }
    let parsed = Url::parse(url).ok()?;
    let host = match parsed.host()? {
        url::Host::Domain(name) => Host::Domain(name.to_owned()),
        url::Host::Ipv4(ip) => Host::Ipv4(ip),
        url::Host::Ipv6(ip) => Host::Ipv6(ip),
    };
    Some(Origin { secure, host, port: parsed.port_or_known_default()? })
}

/// Whether two URLs or ids name the same resource: case, query, port and escapes do not count.
pub(super) fn same_resource(a: &str, b: &str) -> bool {
    fn path(text: &str) -> impl Iterator<Item = u8> + '_ {
        let path = super::error::without_query(super::transport::path_and_query(text)).trim_end_matches('/');
        let mut bytes = path.bytes();
        std::iter::from_fn(move || {
            let byte = bytes.next()?;
            if byte == b'%' {
                let mut ahead = bytes.clone();
                let digit = |b: Option<u8>| (b? as char).to_digit(16);
                if let (Some(high), Some(low)) = (digit(ahead.next()), digit(ahead.next())) {
                    bytes = ahead;
                    return Some(((high * 16 + low) as u8).to_ascii_lowercase());
                }
            }
            Some(byte.to_ascii_lowercase())
        })
    }
    path(a).eq(path(b))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::arm::Cloud;

    #[test]
    fn owns_its_host_and_regions_only() {
        let arm = Endpoint::new("https://management.azure.com/");
        for (url, owned) in [
            ("https://management.azure.com/x?api-version=1", true),
            ("https://management.azure.com:443/x", true),
            ("https://westus.management.azure.com/x", true),
            ("https://MANAGEMENT.azure.com", true),
            ("http://management.azure.com/x", false),
            ("https://management.azure.com:8443/x", false),
            ("https://evilmanagement.azure.com/x", false),
            ("https://management.azure.com.evil.org/x", false),
            ("https://management.azure.com@evil.org/x", false),
            ("https://eastus.rp.kubernetesconfiguration.azure.com/x", false),
            ("/relative", false),
        ] {
            assert_eq!(arm.owns(url), owned, "{url}");
        }
        assert!(Endpoint::new("http://[::1]:9000").owns("http://[::1]:9000/x"));
        // Only Azure's own clouds are known to have regions: below another name may be another's host.
        assert!(!Endpoint::new("https://arm.example").owns("https://x.arm.example/x"));
        assert!(Endpoint::new("https://arm.example").owns("https://arm.example/x"));
        for cloud in Cloud::ALL {
            let region = cloud.endpoint().replace("https://", "https://north.");
            assert!(Endpoint::new(cloud.endpoint()).owns(&region), "{region}");
        }
    }

    #[test]
    fn tokens_travel_encrypted_or_not_at_all() {
        for (address, allowed) in [
            ("https://management.azure.com", true),
            ("http://127.0.0.1:8080", true),
            ("http://localhost:8080", true),
            ("http://[::1]:8080", true),
            ("http://10.0.0.4:8080", false),
            ("http://localhost.evil.org", false),
        ] {
            assert_eq!(Endpoint::new(address).protects_tokens(), allowed, "{address}");
        }
    }

    #[test]
    fn compares_resources_as_arm_does() {
        let id = "/subscriptions/s/resourceGroups/a b/providers/Microsoft.KeyVault/vaults/v";
        assert!(same_resource(
            id,
            "https://management.azure.com:443/subscriptions/s/resourcegroups/a%20b/providers/Microsoft.Keyvault/vaults/v/?x=1"
        ));
        assert!(!same_resource(
            id,
            "/subscriptions/s/resourceGroups/a b/providers/Microsoft.KeyVault/vaults/v2"
        ));
    }
}

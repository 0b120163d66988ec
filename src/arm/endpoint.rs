//! The address of ARM, and which URLs belong to it.

/// ARM's address, taken apart.
#[derive(Debug, Clone)]
pub(super) struct Endpoint {
    base: String,
    secure: bool,
    host: String,
    port: u16,
}

impl Endpoint {
    /// Takes an address such as `https://management.azure.com` or `http://127.0.0.1:8080` apart.
    pub(super) fn new(address: &str) -> Self {
        let base = address.trim().trim_end_matches('/').to_owned();
        let (secure, host, port) = origin(&base).unwrap_or((true, "", 443));
        Endpoint { secure, host: host.to_ascii_lowercase(), port, base }
    }

    /// The address without a slash at its end.
    pub(super) fn base(&self) -> &str {
        &self.base
    }

    /// Whether a URL lies on ARM's host or one of its regional sub-domains.
    ///
    /// Nowhere else may the token go: some providers put hosts of their own into `Location`.
    pub(super) fn owns(&self, url: &str) -> bool {
        let Some((secure, host, port)) = origin(url) else { return false };
        if self.host.is_empty() || secure != self.secure || port != self.port {
            return false;
        }
        let host = host.as_bytes();
        let Some(head) = host.len().checked_sub(self.host.len()) else { return false };
        host[head..].eq_ignore_ascii_case(self.host.as_bytes()) && (head == 0 || host[head - 1] == b'.')
    }

    /// Whether a token may be sent in this manner: encrypted, or not leaving the machine.
    pub(super) fn protects_tokens(&self) -> bool {
        (self.secure && !self.host.is_empty())
            || self.host == "localhost"
            || self.host == "[::1]"
            || self.host.parse::<std::net::Ipv4Addr>().is_ok_and(|ip| ip.is_loopback())
    }

    /// The absolute form of a URL out of a header, if it is one of ARM's.
    pub(super) fn resolve(&self, url: &str) -> Option<String> {
        let url = url.trim();
        if url.starts_with('/') && !url.starts_with("//") {
            return Some(format!("{}{url}", self.base));
        }
        self.owns(url).then(|| url.to_owned())
    }
}

/// Whether a token may be sent to this address: by HTTPS, or without leaving the machine.
pub fn protects_tokens(address: &str) -> bool {
    Endpoint::new(address).protects_tokens()
}

/// Scheme, host and port of an absolute URL.
fn origin(url: &str) -> Option<(bool, &str, u16)> {
    let (scheme, rest) = url.split_once("://")?;
    let secure = if scheme.eq_ignore_ascii_case("https") {
        true
    } else if scheme.eq_ignore_ascii_case("http") {
        false
    } else {
        return None;
    };
    let authority = rest.split(['/', '?', '#']).next()?;
    // Credentials in a URL are a trick to make a foreign host look like ARM's.
    if authority.contains('@') {
        return None;
    }
    let default = if secure { 443 } else { 80 };
    let (host, port) = match authority.rsplit_once(':') {
        Some((host, port)) if !port.ends_with(']') => (host, port.parse().ok()?),
        _ => (authority, default),
    };
    (!host.is_empty()).then_some((secure, host, port))
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

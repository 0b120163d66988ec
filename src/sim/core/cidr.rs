//! IPv4 and IPv6 ranges.

use std::net::IpAddr;

/// An address range.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Cidr {
    first: u128,
    bits: u8,
    six: bool,
}

impl Cidr {
    /// Parses `address/length`; `None` when it is none or host bits are set.
    pub(crate) fn parse(text: &str) -> Option<Self> {
        let (address, length) = text.split_once('/')?;
        let (first, six) = number(address.parse().ok()?);
        let bits: u8 = length.parse().ok()?;
        let width = if six { 128 } else { 32 };
        if bits > width {
            return None;
        }
        let cidr = Cidr { first, bits, six };
        (first & (cidr.size() - 1) == 0).then_some(cidr)
    }

    /// How many addresses there are (`::/0` counted one short).
    pub(crate) fn size(&self) -> u128 {
        let width = if self.six { 128 } else { 32 };
        1u128.checked_shl(u32::from(width - self.bits)).unwrap_or(u128::MAX)
    }

    /// The length of the prefix.
    pub(crate) fn bits(&self) -> u8 {
        self.bits
    }

    /// Whether this is IPv6.
    pub(crate) fn is_six(&self) -> bool {
        self.six
    }

    fn end(&self) -> u128 {
        self.first.saturating_add(self.size() - 1)
    }

    /// Whether the two share an address.
    pub(crate) fn overlaps(&self, other: &Cidr) -> bool {
        self.six == other.six && self.first <= other.end() && other.first <= self.end()
    }

    /// Whether the other lies wholly in this.
    pub(crate) fn contains(&self, other: &Cidr) -> bool {
        self.six == other.six && self.first <= other.first && other.end() <= self.end()
    }

    /// Whether an address lies in this.
    pub(crate) fn holds(&self, address: &str) -> bool {
        let Ok(address) = address.parse() else { return false };
        let (number, six) = number(address);
        six == self.six && self.first <= number && number <= self.end()
    }

    /// The nth address.
    pub(crate) fn nth(&self, n: u128) -> String {
        let number = self.first.saturating_add(n);
        if self.six {
            std::net::Ipv6Addr::from(number).to_string()
        } else {
            std::net::Ipv4Addr::from(number as u32).to_string()
        }
    }
}

fn number(address: IpAddr) -> (u128, bool) {
    match address {
        IpAddr::V4(a) => (u128::from(u32::from(a)), false),
        IpAddr::V6(a) => (u128::from(a), true),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ranges_compare() {
        let vnet = Cidr::parse("10.0.0.0/16").unwrap();
        let subnet = Cidr::parse("10.0.1.0/24").unwrap();
        assert!(vnet.contains(&subnet) && !subnet.contains(&vnet));
        assert!(subnet.overlaps(&vnet));
        assert!(!subnet.overlaps(&Cidr::parse("10.0.2.0/24").unwrap()));
        assert_eq!(subnet.nth(4), "10.0.1.4");
        assert!(subnet.holds("10.0.1.255") && !subnet.holds("10.0.2.0"));
        for bad in ["10.0.0.1/24", "10.0.0.0/33", "10.0.0.0", "x/1"] {
            assert!(Cidr::parse(bad).is_none(), "{bad}");
        }
        assert!(Cidr::parse("fd00::/64").unwrap().is_six());
        assert!(Cidr::parse("0.0.0.0/0").unwrap().contains(&vnet));
    }
}

//! Which machines an address or a network names.

use std::fmt;
use std::net::IpAddr;
use std::str::FromStr;

/// An IP address, or a network such as `10.0.0.0/8`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Network {
    address: IpAddr,
    /// How many of its leading bits count.
    bits: u32,
}

/// The text is neither.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("'{0}' is no IP address and no network: write it as 127.0.0.1 or 10.0.0.0/24")]
pub struct InvalidNetwork(String);

impl Network {
    /// Whether it names this machine.
    #[must_use]
    pub fn has(self, machine: IpAddr) -> bool {
        // A listener on both versions of IP sees version 4 in the clothes of version 6.
        match (self.address, machine.to_canonical()) {
            (IpAddr::V4(own), IpAddr::V4(its)) => {
                let shift = 32 - self.bits;
                own.to_bits().checked_shr(shift) == its.to_bits().checked_shr(shift)
            }
            (IpAddr::V6(own), IpAddr::V6(its)) => {
                let shift = 128 - self.bits;
                own.to_bits().checked_shr(shift) == its.to_bits().checked_shr(shift)
            }
            _ => false,
        }
    }
}

impl FromStr for Network {
    type Err = InvalidNetwork;

    fn from_str(text: &str) -> Result<Self, InvalidNetwork> {
        let invalid = || InvalidNetwork(text.to_owned());
        let (address, bits) = match text.trim().split_once('/') {
            Some((address, bits)) => (address, Some(bits)),
            None => (text.trim(), None),
        };
        let address: IpAddr = address.parse().map_err(|_| invalid())?;
        let most = if address.is_ipv4() { 32 } else { 128 };
        let bits = bits.map_or(Ok(most), str::parse::<u32>).map_err(|_| invalid())?;
        if bits <= most { Ok(Self { address, bits }) } else { Err(invalid()) }
    }
}

impl fmt::Display for Network {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.address, self.bits)
    }
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;

    #[rstest]
    #[case("127.0.0.1", "127.0.0.1", true)]
    #[case("127.0.0.1", "127.0.0.2", false)]
    #[case("127.0.0.1", "::ffff:127.0.0.1", true)]
    #[case("127.0.0.1", "::1", false)]
    #[case("10.1.0.0/16", "10.1.255.3", true)]
    #[case("10.1.0.0/16", "10.2.0.0", false)]
    #[case("10.1.2.3/32", "10.1.2.3", true)]
    #[case("0.0.0.0/0", "203.0.113.9", true)]
    #[case("fd00::/8", "fd12::1", true)]
    #[case("fd00::/8", "fe80::1", false)]
    #[case("::/0", "fe80::1", true)]
    fn names_machines(#[case] network: Network, #[case] machine: IpAddr, #[case] has: bool) {
        assert_eq!(network.has(machine), has);
    }

    #[rstest]
    #[case("")]
    #[case("localhost")]
    #[case("10.0.0.0/33")]
    #[case("10.0.0.0/-1")]
    #[case("::1/129")]
    #[case("10.0.0.0/")]
    fn or_none(#[case] text: &str) {
        assert!(text.parse::<Network>().is_err());
    }
}

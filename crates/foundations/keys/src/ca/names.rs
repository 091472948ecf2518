//! The names and addresses the CA's two roots may speak for.
//!
//! Decides the spelling of a name (lower case, no final dot, no wildcard label), which names `local` always permits, and
//! what "within" means: equal, or below at a label boundary (RFC 5280 section 4.2.1.10). Never decides which names a world
//! has, nor which of them are Microsoft's.

use std::fmt;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::str::FromStr;

use super::CaError;

/// The most names one root carries: its certificate is sent in every handshake.
pub(super) const MAX_NAMES: usize = 1000;

/// The names under which machines know themselves and their containers; a single label covers everything below it.
const ALWAYS_LOCAL_DNS: [&str; 4] = ["localhost", "test", "internal", "local"];

/// Loopback.
const ALWAYS_LOCAL_IP: [IpNet; 2] =
    [IpNet::v4(127, 0, 0, 0, 8), IpNet { address: IpAddr::V6(Ipv6Addr::LOCALHOST), prefix: 128 }];

/// A root without any permitted DNS name would be a root without DNS constraints; this reserved name (RFC 6761 section
/// 6.4) keeps the constraint there and matches nothing.
const NOTHING: &str = "invalid";

/// An address range, `10.0.0.0/8` or `::1/128`; host bits are zero.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct IpNet {
    address: IpAddr,
    prefix: u8,
}

impl IpNet {
    /// The private ranges (RFC 1918, RFC 4193), for a lab that listens beyond this machine.
    pub const PRIVATE: [Self; 4] = [
        Self::v4(10, 0, 0, 0, 8),
        Self::v4(172, 16, 0, 0, 12),
        Self::v4(192, 168, 0, 0, 16),
        Self { address: IpAddr::V6(Ipv6Addr::new(0xfc00, 0, 0, 0, 0, 0, 0, 0)), prefix: 7 },
    ];

    /// A range from any address in it and the number of leading bits that count; None if there are fewer bits.
    pub fn new(address: IpAddr, prefix: u8) -> Option<Self> {
        let address = match address {
            IpAddr::V4(v4) if prefix <= 32 => IpAddr::V4(Ipv4Addr::from_bits(v4.to_bits() & mask_v4(prefix))),
            IpAddr::V6(v6) if prefix <= 128 => {
                IpAddr::V6(Ipv6Addr::from_bits(v6.to_bits() & mask_v6(prefix)))
            }
            _ => return None,
        };
        Some(Self { address, prefix })
    }

    /// The range of one address.
    pub fn single(address: IpAddr) -> Self {
        Self { address, prefix: if address.is_ipv4() { 32 } else { 128 } }
    }

    const fn v4(a: u8, b: u8, c: u8, d: u8, prefix: u8) -> Self {
        Self { address: IpAddr::V4(Ipv4Addr::new(a, b, c, d)), prefix }
    }

    /// The first address.
    pub fn address(&self) -> IpAddr {
        self.address
    }

    /// How many leading bits count.
    pub fn prefix(&self) -> u8 {
        self.prefix
    }

    /// Whether all of `other` lies in this range.
    pub fn covers(&self, other: &Self) -> bool {
        self.prefix <= other.prefix && Self::new(other.address, self.prefix) == Some(*self)
    }

    /// Whether `address` lies in this range.
    pub fn contains(&self, address: IpAddr) -> bool {
        self.covers(&Self::single(address))
    }

    /// From the address and mask of a name constraint; None unless the mask is a prefix.
    pub(super) fn from_constraint(octets: &[u8]) -> Option<Self> {
        let (address, ones, zeros) = match octets.len() {
            8 => {
                let mask = u32::from_be_bytes(octets[4..].try_into().ok()?);
                let address = u32::from_be_bytes(octets[..4].try_into().ok()?);
                (
                    IpAddr::V4(Ipv4Addr::from_bits(address)),
                    mask.leading_ones(),
                    mask.count_zeros() + mask.leading_ones() == 32,
                )
            }
            32 => {
                let mask = u128::from_be_bytes(octets[16..].try_into().ok()?);
                let address = u128::from_be_bytes(octets[..16].try_into().ok()?);
                (
                    IpAddr::V6(Ipv6Addr::from_bits(address)),
                    mask.leading_ones(),
                    mask.count_zeros() + mask.leading_ones() == 128,
                )
            }
            _ => return None,
        };
        if zeros { Self::new(address, u8::try_from(ones).ok()?) } else { None }
    }
}

fn mask_v4(prefix: u8) -> u32 {
    u32::MAX.checked_shl(32 - u32::from(prefix)).unwrap_or(0)
}

fn mask_v6(prefix: u8) -> u128 {
    u128::MAX.checked_shl(128 - u32::from(prefix)).unwrap_or(0)
}

impl fmt::Display for IpNet {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.address, self.prefix)
    }
}

impl FromStr for IpNet {
    type Err = CaError;

    /// `address/prefix`, or an address alone.
    fn from_str(text: &str) -> Result<Self, CaError> {
        let read = || match text.split_once('/') {
            Some((address, prefix)) => Self::new(address.parse().ok()?, prefix.parse().ok()?),
            None => Some(Self::single(text.parse().ok()?)),
        };
        read().ok_or_else(|| CaError::NotAName { name: super::shown(text) })
    }
}

/// What the two roots are to speak for, besides what `local` always permits.
///
/// A DNS entry permits itself and everything below it. Telling Microsoft's names from others is the caller's work.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct CaNames {
    /// For `local`: declared names that are not Microsoft's, and single-label names such as compose service names.
    pub local_dns: Vec<String>,
    /// For `local`: addresses beyond loopback.
    pub local_ip: Vec<IpNet>,
    /// For `real-names`: the world's Microsoft names.
    pub real_dns: Vec<String>,
}

/// The permitted names of one root, normalised, sorted, without entries another entry already covers.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Permitted {
    pub(super) dns: Vec<String>,
    pub(super) ip: Vec<IpNet>,
}

impl Permitted {
    pub(super) fn local(names: &CaNames) -> Result<Self, CaError> {
        let dns = ALWAYS_LOCAL_DNS.into_iter().chain(names.local_dns.iter().map(String::as_str));
        Self::reduced(dns, ALWAYS_LOCAL_IP.into_iter().chain(names.local_ip.iter().copied()))
    }

    pub(super) fn real_names(names: &CaNames) -> Result<Self, CaError> {
        Self::reduced(names.real_dns.iter().map(String::as_str), std::iter::empty())
    }

    fn reduced<'n>(
        dns: impl Iterator<Item = &'n str>,
        ip: impl Iterator<Item = IpNet>,
    ) -> Result<Self, CaError> {
        let mut all = Self { dns: Vec::new(), ip: Vec::new() };
        // Shorter ones first, so that each entry is covered, if at all, by one already there.
        let mut dns: Vec<String> = dns.map(normal_subtree).collect::<Result<_, _>>()?;
        dns.sort_unstable_by(|a, b| a.len().cmp(&b.len()).then_with(|| a.cmp(b)));
        for name in dns {
            if !all.covers_name(&name) {
                all.dns.push(name);
                all.check_size()?;
            }
        }
        let mut ip: Vec<IpNet> = ip.collect();
        ip.sort_unstable_by_key(|net| (net.prefix, *net));
        for net in ip {
            if !all.covers_net(&net) {
                all.ip.push(net);
                all.check_size()?;
            }
        }
        if all.dns.is_empty() {
            all.dns.push(NOTHING.to_owned());
        }
        Ok(all)
    }

    fn check_size(&self) -> Result<(), CaError> {
        if self.dns.len() + self.ip.len() > MAX_NAMES { Err(CaError::TooManyNames) } else { Ok(()) }
    }

    pub(super) fn covers_name(&self, name: &str) -> bool {
        self.dns.iter().any(|subtree| {
            name.strip_suffix(subtree.as_str()).is_some_and(|head| head.is_empty() || head.ends_with('.'))
        })
    }

    pub(super) fn covers_net(&self, net: &IpNet) -> bool {
        self.ip.iter().any(|range| range.covers(net))
    }

    /// What is permitted, for people: nothing at all is an empty list.
    pub(super) fn words(&self) -> Vec<String> {
        let dns = self.dns.iter().filter(|name| *name != NOTHING).cloned();
        dns.chain(self.ip.iter().map(ToString::to_string)).collect()
    }

    /// The first entry of `wanted` that is not permitted here.
    pub(super) fn first_missing(&self, wanted: &Self) -> Option<String> {
        let dns = wanted.dns.iter().find(|name| *name != NOTHING && !self.covers_name(name)).cloned();
        dns.or_else(|| wanted.ip.iter().find(|net| !self.covers_net(net)).map(ToString::to_string))
    }
}

/// A name or address a certificate is for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Host {
    Dns(String),
    Ip(IpAddr),
}

impl Host {
    /// A host as a URL, an SNI or a person writes it: `localhost`, `AOS.`, `127.0.0.1`, `[::1]`.
    pub(super) fn read(text: &str) -> Result<Self, CaError> {
        let bare = text.strip_prefix('[').and_then(|rest| rest.strip_suffix(']')).unwrap_or(text);
        match bare.parse() {
            Ok(address) => Ok(Self::Ip(address)),
            Err(_) => normal_name(text).map(Self::Dns),
        }
    }
}

/// Lower case, no final dot; letters, digits, hyphen and underscore in labels of 1 to 63 characters, 253 in all.
fn normal_name(text: &str) -> Result<String, CaError> {
    let name = text.strip_suffix('.').unwrap_or(text);
    let label = |label: &str| {
        (1..=63).contains(&label.len())
            && label.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_'))
    };
    // A last label of digits only would be an address that failed to parse.
    let numeric =
        |name: &str| name.rsplit('.').next().is_some_and(|last| last.bytes().all(|b| b.is_ascii_digit()));
    if name.len() <= 253 && name.split('.').all(label) && !numeric(name) {
        Ok(name.to_ascii_lowercase())
    } else {
        Err(CaError::NotAName { name: super::shown(text) })
    }
}

/// A subtree may also be written `.test` or `*.test`.
fn normal_subtree(text: &str) -> Result<String, CaError> {
    normal_name(text.strip_prefix("*.").or_else(|| text.strip_prefix('.')).unwrap_or(text))
}

#[cfg(test)]
mod tests {
    use super::{CaNames, Host, IpNet, Permitted};

    #[test]
    fn ranges_are_read_printed_and_compared() {
        let net = |text: &str| text.parse::<IpNet>();
        assert_eq!(net("10.1.2.3/8").unwrap().to_string(), "10.0.0.0/8");
        assert_eq!(net("::1").unwrap().to_string(), "::1/128");
        assert_eq!(net("0.0.0.0/0").unwrap().to_string(), "0.0.0.0/0");
        assert!(net("10.0.0.0/8").unwrap().contains("10.255.0.1".parse().unwrap()));
        assert!(!net("10.0.0.0/8").unwrap().contains("11.0.0.1".parse().unwrap()));
        assert!(!net("::/0").unwrap().contains("11.0.0.1".parse().unwrap()));
        for bad in ["", "10.0.0.0/33", "::/129", "10.0.0/8", "10.0.0.0/-1", "x/8", "10.0.0.0/8/8"] {
            net(bad).unwrap_err();
        }
        assert_eq!(IpNet::from_constraint(&[10, 0, 0, 0, 255, 0, 0, 0]), net("10.0.0.0/8").ok());
        assert_eq!(IpNet::from_constraint(&[10, 0, 0, 0, 255, 0, 255, 0]), None);
        assert_eq!(IpNet::from_constraint(&[0; 7]), None);
    }

    #[test]
    fn a_subtree_covers_itself_and_what_is_below_at_a_label_boundary() {
        let names =
            CaNames { local_dns: vec!["*.Contoso.com.".to_owned(), "aos".to_owned()], ..CaNames::default() };
        let permitted = Permitted::local(&names).unwrap();
        for inside in ["localhost", "a.localhost", "x.y.test", "contoso.com", "adfs.contoso.com", "aos"] {
            assert!(permitted.covers_name(inside), "{inside}");
        }
        for outside in ["evilcontoso.com", "com", "latest", "notlocalhost", "contoso.com.evil.example", ""] {
            assert!(!permitted.covers_name(outside), "{outside}");
        }
    }

    #[test]
    fn entries_that_another_covers_are_left_out_and_order_does_not_matter() {
        let entries = ["b.example", "a.b.example", "b.example", "x.test"];
        let permitted = |names: Vec<&str>| {
            let local_dns = names.into_iter().map(str::to_owned).collect();
            Permitted::local(&CaNames { local_dns, ..CaNames::default() }).unwrap()
        };
        let forward = permitted(entries.to_vec());
        assert_eq!(forward, permitted(entries.into_iter().rev().collect()));
        assert_eq!(forward.dns, ["test", "local", "internal", "b.example", "localhost"]);
    }

    #[test]
    fn hosts_are_names_or_addresses_and_nothing_else() {
        assert_eq!(Host::read("AOS.").unwrap(), Host::Dns("aos".to_owned()));
        assert_eq!(Host::read("[::1]").unwrap(), Host::Ip("::1".parse().unwrap()));
        assert_eq!(Host::read("127.0.0.1").unwrap(), Host::Ip("127.0.0.1".parse().unwrap()));
        let long = "a".repeat(64);
        let huge = "a.".repeat(1 << 19);
        for bad in [
            "",
            ".",
            "..",
            "a..b",
            "*.test",
            "a b",
            "a/b",
            "é.test",
            "256.0.0.1",
            "1.2.3",
            "[x]",
            &long,
            &huge,
        ] {
            Host::read(bad).unwrap_err();
        }
    }
}

//! Which addresses may be asked. Pure.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use ipnet::IpNet;
use reqwest::Url;

/// The rule.
#[derive(Debug, Clone)]
pub struct Guard {
    allowed: Vec<IpNet>,
    /// Addresses an admin typed are guarded too.
    admin_too: bool,
    on: bool,
}

/// Why an address is not asked.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
    /// Neither `http` nor `https`.
    #[error("only http and https addresses are asked")]
    Scheme,
    /// Somebody's name and password in it.
    #[error("an address with a user name in it is not asked")]
    Credentials,
    /// It leads inside.
    #[error(
        "{0} is an address of a private network, which is not asked (security.allowed_private_networks names exceptions)"
    )]
    Private(IpAddr),
}

impl Guard {
    /// As the settings say.
    pub fn new(allowed: Vec<IpNet>, guard_admin_urls: bool) -> Self {
        Self {
            allowed,
            admin_too: guard_admin_urls,
            on: true,
        }
    }

    /// The rule for what an admin typed.
    #[must_use]
    pub fn for_admin(&self) -> Self {
        Self {
            on: self.admin_too,
            ..self.clone()
        }
    }

    /// Judges an address as far as it can be without a look-up.
    pub fn judge(&self, url: &Url) -> Result<(), Refusal> {
        if !matches!(url.scheme(), "http" | "https") {
            return Err(Refusal::Scheme);
        }
        if !url.username().is_empty() || url.password().is_some() {
            return Err(Refusal::Credentials);
        }
        match url.host() {
            Some(url::Host::Ipv4(ip)) => self.judge_ip(ip.into()),
            Some(url::Host::Ipv6(ip)) => self.judge_ip(ip.into()),
            Some(url::Host::Domain(_)) => Ok(()),
            None => Err(Refusal::Scheme),
        }
    }

    /// Judges what a name means.
    pub fn judge_ip(&self, ip: IpAddr) -> Result<(), Refusal> {
        let ip = plain(ip);
        if !self.on || is_public(ip) || self.allowed.iter().any(|net| net.contains(&ip)) {
            Ok(())
        } else {
            Err(Refusal::Private(ip))
        }
    }
}

/// An IPv4 address in the clothes of IPv6 is that IPv4 address.
fn plain(ip: IpAddr) -> IpAddr {
    let IpAddr::V6(v6) = ip else { return ip };
    if let Some(v4) = v6.to_ipv4_mapped() {
        return v4.into();
    }
    let [a, b, c, d, e, f, high, low] = v6.segments();
    let v4 = |high: u16, low: u16| {
        let ([a, b], [c, d]) = (high.to_be_bytes(), low.to_be_bytes());
        IpAddr::V4(Ipv4Addr::new(a, b, c, d))
    };
    match [a, b, c, d, e, f] {
        // NAT64 (RFC 6052) and 6to4 (RFC 3056) carry one inside.
        [0x64, 0xff9b, 0, 0, 0, 0] => v4(high, low),
        [0x2002, ..] => v4(b, c),
        // IPv4-compatible, long obsolete, but ::1 and :: themselves.
        [0, 0, 0, 0, 0, 0] if (high, low) != (0, 1) && (high, low) != (0, 0) => v4(high, low),
        _ => ip,
    }
}

/// Whether an address belongs to the public internet, by the special-purpose registries (RFC 6890).
fn is_public(ip: IpAddr) -> bool {
    match ip {
        IpAddr::V4(ip) => is_public_v4(ip),
        IpAddr::V6(ip) => is_public_v6(ip),
    }
}

fn is_public_v4(ip: Ipv4Addr) -> bool {
    let [a, b, c, _] = ip.octets();
    !(ip.is_private()
        || ip.is_loopback()
        || ip.is_link_local()
        || ip.is_broadcast()
        || ip.is_documentation()
        || ip.is_multicast()
        || a == 0
        || a >= 240
        || (a == 100 && (64..128).contains(&b))
        || (a == 192 && b == 0 && c == 0)
        || (a == 198 && (b == 18 || b == 19)))
}

fn is_public_v6(ip: Ipv6Addr) -> bool {
    let [a, b, ..] = ip.segments();
    // Only 2000::/3 is given out to the world.
    (a & 0xe000) == 0x2000
        // 2001::/23 is for protocols, 2001:db8::/32 and 3fff::/20 for documents.
        && !(a == 0x2001 && b < 0x0200)
        && !(a == 0x2001 && b == 0x0db8)
        && !(a == 0x3fff && b < 0x1000)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn judged(guard: &Guard, url: &str) -> Result<(), Refusal> {
        guard.judge(&Url::parse(url).unwrap())
    }

    #[test]
    fn private_addresses_are_refused_in_all_their_clothes() {
        let guard = Guard::new(Vec::new(), false);
        for inside in [
            "http://127.0.0.1/",
            "http://127.1/",
            "http://2130706433/",
            "http://0x7f000001/",
            "http://0177.0.0.1/",
            "http://10.1.2.3/",
            "http://172.16.0.1/",
            "http://192.168.1.1/",
            "http://169.254.169.254/latest/meta-data",
            "http://100.64.0.1/",
            "http://0.0.0.0/",
            "http://224.0.0.1/",
            "http://255.255.255.255/",
            "http://198.18.0.1/",
            "http://[::1]/",
            "http://[::]/",
            "http://[::ffff:10.0.0.1]/",
            "http://[::ffff:7f00:1]/",
            "http://[::127.0.0.1]/",
            "http://[64:ff9b::10.0.0.1]/",
            "http://[2002:7f00:1::]/",
            "http://[fe80::1]/",
            "http://[fc00::1]/",
            "http://[fd00:ec2::254]/",
            "http://[ff02::1]/",
            "http://[2001:db8::1]/",
        ] {
            assert!(
                matches!(judged(&guard, inside), Err(Refusal::Private(_))),
                "{inside}"
            );
        }
        for public in [
            "http://1.1.1.1/",
            "https://[2606:4700::1111]/",
            "https://shop.example/file",
            "http://172.32.0.1/",
            "http://[::ffff:1.1.1.1]/",
        ] {
            assert_eq!(judged(&guard, public), Ok(()), "{public}");
        }
    }

    #[test]
    fn only_web_addresses_without_a_user_are_asked() {
        let guard = Guard::new(vec!["127.0.0.0/8".parse().unwrap()], true);
        for url in ["file:///etc/passwd", "ftp://shop.example/", "gopher://1.1.1.1/"] {
            assert_eq!(judged(&guard, url), Err(Refusal::Scheme), "{url}");
        }
        assert_eq!(
            judged(&guard, "https://user:secret@shop.example/"),
            Err(Refusal::Credentials)
        );
    }

    #[test]
    fn named_networks_are_exempt_and_admins_addresses_are_guarded_when_asked() {
        let allowing = Guard::new(vec!["10.0.0.0/8".parse().unwrap()], false);
        assert_eq!(judged(&allowing, "http://10.9.8.7/"), Ok(()));
        assert!(judged(&allowing, "http://192.168.0.1/").is_err());
        assert_eq!(judged(&allowing.for_admin(), "http://192.168.0.1/"), Ok(()));
        let strict = Guard::new(Vec::new(), true);
        assert!(judged(&strict.for_admin(), "http://192.168.0.1/").is_err());
    }
}

//! Origins a channel may be used from, as admins list them.
//!
//! An entry is `*` (any), an exact origin (`https://shop.example`, `http://localhost:3000`) or a wildcard over
//! subdomains (`https://*.shop.example`: any depth, not the bare domain). An `Origin` header is a hint of
//! where a browser is, never a proof: anything but a browser can send any.

/// Whether a page of this origin (the header as it came) is in the list. `null` (a sandboxed frame, a file)
/// is only in a list with `*`.
pub fn origin_allowed(allowed: &[String], origin: &str) -> bool {
    let origin = Origin::read(origin);
    allowed.iter().any(|entry| {
        let entry = entry.trim();
        entry == "*"
            || match (Origin::read(entry), &origin) {
                (Some(entry), Some(origin)) => entry.covers(origin),
                _ => false,
            }
    })
}

/// What is wrong with an entry of such a list, in words for the admin; nothing when it can be used.
pub fn origin_problem(entry: &str) -> Option<String> {
    let entry = entry.trim();
    if entry == "*" || Origin::read(entry).is_some() {
        return None;
    }
    Some(format!(
        "{entry:?} is not an origin: write https://shop.example, https://*.shop.example or *"
    ))
}

/// A scheme, a host (perhaps `*.host`) and a port that is not the scheme's own.
#[derive(Debug, PartialEq, Eq)]
struct Origin {
    scheme: String,
    host: String,
    port: Option<u16>,
}

impl Origin {
    fn read(text: &str) -> Option<Self> {
        let (scheme, rest) = text.strip_suffix('/').unwrap_or(text).split_once("://")?;
        let scheme = scheme.to_ascii_lowercase();
        let standard = match scheme.as_str() {
            "https" => 443,
            "http" => 80,
            _ => return None,
        };
        let (host, port) = match rest.rsplit_once(':') {
            Some((host, port)) if !port.contains(']') => (host, Some(port.parse().ok()?)),
            _ => (rest, None),
        };
        let port = port.filter(|port| *port != standard);
        let host = host.to_ascii_lowercase();
        let bare = host.strip_prefix("*.").unwrap_or(&host);
        let fits = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '.' | '_');
        let name = !bare.is_empty() && !bare.starts_with('.') && bare.chars().all(fits);
        let ipv6 = host.strip_prefix('[').and_then(|host| host.strip_suffix(']'));
        let ipv6 = ipv6.is_some_and(|host| host.parse::<std::net::Ipv6Addr>().is_ok());
        (name || ipv6).then_some(Self { scheme, host, port })
    }

    fn covers(&self, origin: &Self) -> bool {
        let host = match self.host.strip_prefix('*') {
            Some(suffix) => origin.host.len() > suffix.len() && origin.host.ends_with(suffix),
            None => self.host == origin.host,
        };
        host && self.scheme == origin.scheme && self.port == origin.port
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn allowed(entry: &str, origin: &str) -> bool {
        origin_allowed(&[entry.to_owned()], origin)
    }

    #[test]
    fn an_exact_entry_allows_its_origin_alone() {
        assert!(allowed("https://shop.example", "https://shop.example"));
        assert!(allowed("https://Shop.Example/", "https://shop.example:443"));
        assert!(allowed("http://localhost:3000", "http://localhost:3000"));
        assert!(allowed("http://[::1]:3000", "http://[::1]:3000"));
        for other in [
            "http://shop.example",
            "https://a.shop.example",
            "https://shop.example:8443",
            "https://shop.example.evil.test",
            "https://evilshop.example",
            "null",
            "",
        ] {
            assert!(!allowed("https://shop.example", other), "{other}");
        }
    }

    #[test]
    fn a_wildcard_allows_subdomains_at_any_depth_and_nothing_else() {
        assert!(allowed("https://*.shop.example", "https://a.shop.example"));
        assert!(allowed("https://*.shop.example", "https://a.b.shop.example"));
        for other in [
            "https://shop.example",
            "https://evilshop.example",
            "http://a.shop.example",
            "https://a.shop.example.evil.test",
            "https://.shop.example",
            "null",
        ] {
            assert!(!allowed("https://*.shop.example", other), "{other}");
        }
    }

    #[test]
    fn a_star_allows_everything_null_too() {
        assert!(allowed("*", "https://anything.example") && allowed("*", "null"));
        assert!(!origin_allowed(&[], "https://shop.example"));
    }

    #[test]
    fn entries_that_are_no_origins_are_told() {
        for good in [
            "*",
            "https://shop.example",
            "https://*.shop.example",
            "http://localhost:3000",
            "https://shop.example/",
        ] {
            assert_eq!(origin_problem(good), None, "{good}");
        }
        for bad in [
            "shop.example",
            "https://",
            "https://shop.example/page",
            "https://a*b.example",
            "ftp://shop.example",
            "https://shop.example:x",
            "https://shop example",
            "https://a;script-src",
            "",
        ] {
            assert!(origin_problem(bad).is_some(), "{bad}");
        }
    }
}

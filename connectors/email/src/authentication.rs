//! Whether the address in From is the writer's: the judgement of our own mail server (RFC 8601). Pure.
//!
//! Anybody can write such a field into a mail. Only the topmost field of the server the admin named counts: that
//! one put it on when the mail came in, above everything the mail brought along.

use mail_parser::{Address, HeaderName, HeaderValue, Message};
use switchboard_sdk::{Authentication, Verdict};

use crate::{headers, settings::Settings};

/// Longest field looked at, in bytes.
const MAX_FIELD: usize = 16 * 1024;
/// Longest result kept.
const MAX_RESULT: usize = 20;

/// The judgement; none when no server was named in the settings.
pub fn of(message: &Message<'_>, settings: &Settings) -> Option<Authentication> {
    let ours = settings.authserv_id.as_deref()?;
    let from = sole_from_domain(message);
    let field = headers::all(message, "Authentication-Results")
        .map(|field| without_comments(&field))
        .find(|field| server_of(field).is_some_and(|id| id.eq_ignore_ascii_case(ours)));
    Some(field.map_or_else(Authentication::default, |field| judged(&field, from.as_deref())))
}

/// The domain of the one address in From. Several addresses or several fields prove nothing: which of them was
/// judged is anybody's guess.
fn sole_from_domain(message: &Message<'_>) -> Option<String> {
    if headers::all(message, "From").count() != 1 {
        return None;
    }
    let mut addresses = message
        .header_values(HeaderName::From)
        .filter_map(HeaderValue::as_address)
        .flat_map(Address::iter)
        .filter_map(|address| address.address.as_deref());
    let (only, None) = (addresses.next()?, addresses.next()) else {
        return None;
    };
    let (_, domain) = only.trim().trim_matches(['<', '>']).rsplit_once('@')?;
    Some(domain.trim_end_matches('.').to_lowercase())
}

fn server_of(field: &str) -> Option<&str> {
    field.split(';').next()?.split_whitespace().next()
}

/// One result: `dkim=pass header.d=client.example`.
#[derive(Debug, Default)]
struct Finding {
    method: String,
    result: String,
    properties: Vec<(String, String)>,
}

impl Finding {
    fn read(text: &str) -> Option<Self> {
        let mut words = text.split_whitespace();
        let (method, result) = words.next()?.split_once('=')?;
        let method = method.split('/').next().unwrap_or(method);
        let properties = words.filter_map(|word| word.split_once('='));
        Some(Self {
            method: method.to_ascii_lowercase(),
            result: result.trim_matches('"').to_ascii_lowercase(),
            properties: properties
                .map(|(name, value)| (name.to_ascii_lowercase(), value.trim_matches('"').to_lowercase()))
                .collect(),
        })
    }

    /// The domain a result speaks of, by the names of its property.
    fn domain(&self, names: &[&str]) -> Option<&str> {
        let (_, value) = self
            .properties
            .iter()
            .find(|(name, _)| names.contains(&name.as_str()))?;
        let domain = value
            .rsplit_once('@')
            .map_or(value.as_str(), |(_, domain)| domain);
        Some(domain.trim_end_matches('.'))
    }
}

fn judged(field: &str, from: Option<&str>) -> Authentication {
    let findings: Vec<Finding> = field.split(';').skip(1).filter_map(Finding::read).collect();
    let of = |method: &'static str| findings.iter().filter(move |finding| finding.method == method);
    let dmarc = of("dmarc").next();
    let spf = of("spf").next();
    // A mail may carry several signatures; the one of the writer's own domain is the one that counts.
    let belongs = |finding: &&Finding| aligned(finding.domain(&["header.d", "header.i"]), from);
    let good_dkim = of("dkim").find(|finding| finding.result == "pass" && belongs(finding));
    let dkim = good_dkim
        .or_else(|| of("dkim").find(belongs))
        .or_else(|| of("dkim").next());
    let spf_aligned =
        spf.is_some_and(|finding| aligned(finding.domain(&["smtp.mailfrom", "smtp.helo"]), from));
    let dmarc_result = dmarc.map(|finding| finding.result.as_str()).unwrap_or_default();
    let of_from = dmarc.is_none_or(|finding| {
        finding
            .domain(&["header.from"])
            .is_none_or(|domain| from == Some(domain))
    });
    let verdict = match dmarc_result {
        "pass" if from.is_some() && of_from => Verdict::Pass,
        "fail" => Verdict::Fail,
        _ if good_dkim.is_some() => Verdict::Pass,
        _ if spf_aligned && spf.is_some_and(|finding| finding.result == "pass") => Verdict::Pass,
        // The domain itself says that this server does not write in its name.
        _ if spf_aligned && spf.is_some_and(|finding| finding.result == "fail") => Verdict::Fail,
        _ => Verdict::None,
    };
    let kept = |finding: Option<&Finding>| {
        finding
            .map(|finding| finding.result.chars().take(MAX_RESULT).collect::<String>())
            .filter(|result| !result.is_empty() && result.bytes().all(|byte| byte.is_ascii_alphabetic()))
    };
    Authentication {
        verdict,
        spf: kept(spf),
        dkim: kept(dkim),
        dmarc: kept(dmarc),
    }
}

/// Whether a proven domain speaks for the address: its own, or one above it. The other way round (a proof for
/// `mail.client.example` in the name of `client.example`) needs the list of public suffixes and is DMARC's to say.
fn aligned(proven: Option<&str>, from: Option<&str>) -> bool {
    let (Some(proven), Some(from)) = (proven, from) else {
        return false;
    };
    proven == from
        || (proven.contains('.') && from.strip_suffix(proven).is_some_and(|rest| rest.ends_with('.')))
}

/// Comments are free text of strangers: `dmarc=fail (dmarc=pass; header.from=x)`.
fn without_comments(field: &str) -> String {
    let mut out = String::with_capacity(field.len().min(MAX_FIELD));
    let (mut depth, mut quoted, mut escaped) = (0usize, false, false);
    for c in field.chars().take(MAX_FIELD) {
        match c {
            _ if escaped => escaped = false,
            '\\' => escaped = true,
            '"' if depth == 0 => quoted = !quoted,
            '(' if !quoted => depth += 1,
            ')' if !quoted => {
                depth = depth.saturating_sub(1);
                out.push(' ');
            }
            // Nor may a quoted reason hold what looks like a result.
            ';' | '=' if quoted => {}
            c if depth == 0 => out.push(c),
            _ => {}
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use mail_parser::MessageParser;
    use serde_json::json;
    use switchboard_sdk::Verdict;

    use crate::settings::{Settings, example};

    fn settings() -> Settings {
        let mut value = example();
        value["authserv_id"] = json!("mx.shop.example");
        Settings::parse(value).unwrap()
    }

    fn verdict(fields: &str) -> Verdict {
        let mail = format!("{fields}From: Ann <ann@client.example>\r\n\r\nHello");
        let message = MessageParser::default().parse(mail.as_bytes()).unwrap();
        super::of(&message, &settings()).unwrap().verdict
    }

    #[test]
    fn dmarc_decides_and_an_aligned_signature_or_server_does_without_it() {
        let of = |results: &str| verdict(&format!("Authentication-Results: mx.shop.example; {results}\r\n"));
        assert_eq!(of("dmarc=pass header.from=client.example"), Verdict::Pass);
        assert_eq!(
            of("dmarc=fail (p=none) header.from=client.example; dkim=pass header.d=client.example"),
            Verdict::Fail
        );
        assert_eq!(of("dkim=pass header.d=client.example"), Verdict::Pass);
        assert_eq!(
            of("dkim=fail header.d=client.example; dkim=pass header.i=@client.example"),
            Verdict::Pass
        );
        assert_eq!(of("dkim=pass header.d=evil.example"), Verdict::None);
        assert_eq!(of("spf=pass smtp.mailfrom=bounce@client.example"), Verdict::Pass);
        assert_eq!(of("spf=pass smtp.mailfrom=bounce@evil.example"), Verdict::None);
        assert_eq!(of("spf=fail smtp.mailfrom=ann@client.example"), Verdict::Fail);
        assert_eq!(of("spf=softfail smtp.mailfrom=ann@client.example"), Verdict::None);
        assert_eq!(of("dmarc=pass header.from=evil.example"), Verdict::None);
        assert_eq!(of("dkim=none; spf=none"), Verdict::None);
        assert_eq!(of("none"), Verdict::None);
    }

    #[test]
    fn only_the_topmost_word_of_our_own_server_counts() {
        assert_eq!(verdict(""), Verdict::None);
        assert_eq!(
            verdict("Authentication-Results: mx.evil.example; dmarc=pass header.from=client.example\r\n"),
            Verdict::None
        );
        assert_eq!(
            verdict(
                "Authentication-Results: mx.shop.example; dmarc=fail header.from=client.example\r\n\
                 Authentication-Results: mx.shop.example; dmarc=pass header.from=client.example\r\n"
            ),
            Verdict::Fail
        );
        assert_eq!(
            verdict(
                "Authentication-Results: mx.shop.example; dmarc=none reason=\"; dmarc=pass\" (; dmarc=pass header.from=client.example)\r\n"
            ),
            Verdict::None
        );
    }

    #[test]
    fn two_addresses_in_from_prove_nothing() {
        let mail = "Authentication-Results: mx.shop.example; dmarc=pass header.from=client.example\r\n\
                    From: ann@client.example, boss@bank.example\r\n\r\nHello";
        let message = MessageParser::default().parse(mail.as_bytes()).unwrap();
        assert_eq!(super::of(&message, &settings()).unwrap().verdict, Verdict::None);
    }

    #[test]
    fn without_a_named_server_nothing_is_said() {
        let settings = Settings::parse(example()).unwrap();
        let mail =
            "Authentication-Results: mx.shop.example; dmarc=pass\r\nFrom: ann@client.example\r\n\r\nHello";
        let message = MessageParser::default().parse(mail.as_bytes()).unwrap();
        assert_eq!(super::of(&message, &settings), None);
    }
}

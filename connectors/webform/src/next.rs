//! Where the visitor goes after sending. Pure.
//!
//! A post may ask for a page (`sb_next`), and anybody can write a post: what it asks for counts only when the
//! admin named the site, so that the form is no open door to other sites.

use switchboard_sdk::origin_allowed;

use crate::{Settings, settings::is_link};

/// The field a post asks in.
pub const NAME: &str = "sb_next";

/// Whether an admin may set this page: one of this server, or of a site that is named or that any site may be.
pub fn may_be_set(settings: &Settings, url: &str) -> bool {
    origin_of(url).is_none_or(|origin| {
        origin_allowed(&settings.allowed_origins, &origin)
            || origin_allowed(&settings.success.redirect_origins, &origin)
    })
}

/// The page after sending: the one that is asked for when it may be, else the one that is set.
pub fn page<'a>(settings: &'a Settings, asked: Option<&'a str>) -> Option<&'a str> {
    asked
        .filter(|url| may_be_asked(settings, url))
        .or(settings.success.redirect_url.as_deref())
}

/// Whether a post may ask for this page: only sites that are named, `*` names none.
fn may_be_asked(settings: &Settings, url: &str) -> bool {
    let named: Vec<String> = settings
        .allowed_origins
        .iter()
        .chain(&settings.success.redirect_origins)
        .filter(|entry| entry.trim() != "*")
        .cloned()
        .collect();
    url.len() <= 2_000 && is_link(url) && origin_of(url).is_some_and(|origin| origin_allowed(&named, &origin))
}

/// The origin of a full address; none of a path.
fn origin_of(url: &str) -> Option<String> {
    let (scheme, rest) = url.split_once("://")?;
    let authority = rest.split(['/', '?', '#', '\\']).next().unwrap_or_default();
    Some(format!("{}://{authority}", scheme.to_ascii_lowercase()))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_post_goes_to_named_sites_only() {
        let settings = Settings::read(json!({
            "allowed_origins": ["*", "https://shop.example"],
            "success": {"redirect_url": "/f/x/done", "redirect_origins": ["https://*.shop.example"]}
        }))
        .unwrap_or_else(|error| panic!("{error}"));
        for (asked, goes) in [
            ("https://shop.example/thanks?x=1", true),
            ("https://de.shop.example/thanks", true),
            ("https://evil.test/", false),
            ("https://shop.example.evil.test/", false),
            ("https://shop.example@evil.test/", false),
            ("https://evil.test\\@shop.example/", false),
            ("//evil.test", false),
            ("/\\evil.test", false),
            ("javascript:alert(1)", false),
            ("data:text/html,x", false),
            ("https://shop.example/\r\nSet-Cookie: a=b", false),
            ("http://shop.example/", false),
            ("https://shop.example:8443/", false),
            ("/elsewhere", false),
            ("", false),
        ] {
            let wanted = if goes { asked } else { "/f/x/done" };
            assert_eq!(page(&settings, Some(asked)), Some(wanted), "{asked:?}");
        }
        assert_eq!(page(&settings, None), Some("/f/x/done"));
    }
}

//! Where a lead came from, in one word. Pure.

use switchboard_sdk::{Attribution, Touch};

/// Click ids and the source they stand for.
const CLICK_IDS: [(&str, &str); 14] = [
    ("gclid", "google"),
    ("gbraid", "google"),
    ("wbraid", "google"),
    ("yclid", "yandex"),
    ("fbclid", "facebook"),
    ("msclkid", "bing"),
    ("dclid", "google"),
    ("ymclid", "yandex"),
    ("ttclid", "tiktok"),
    ("twclid", "x"),
    ("li_fat_id", "linkedin"),
    ("rdt_cid", "reddit"),
    ("epik", "pinterest"),
    ("sccid", "snapchat"),
];

/// The source of a lead: what the last touch says, else the first, else the kind of channel.
/// `utm_source` counts before a click id, that before the referrer's host.
pub fn of(attribution: &Attribution, channel_kind: &str) -> String {
    of_touch(&attribution.last)
        .or_else(|| of_touch(&attribution.first))
        .unwrap_or_else(|| channel_kind.to_owned())
}

/// What one touch says.
pub fn of_touch(touch: &Touch) -> Option<String> {
    if let Some(source) = touch
        .get("utm_source")
        .map(|source| source.trim())
        .filter(|source| !source.is_empty())
    {
        return Some(source.to_lowercase());
    }
    if let Some((_, source)) = CLICK_IDS.iter().find(|(key, _)| touch.contains_key(*key)) {
        return Some((*source).to_owned());
    }
    let referrer = touch.get("referrer")?;
    let host = url::Url::parse(referrer)
        .ok()?
        .host_str()?
        .trim_start_matches("www.")
        .to_owned();
    let same_site = touch
        .get("landing_page")
        .and_then(|page| url::Url::parse(page).ok())
        .is_some_and(|page| {
            page.host_str()
                .is_some_and(|own| own.trim_start_matches("www.") == host)
        });
    (!same_site).then_some(host)
}

/// An attribution as it is stored on a lead: a missing first touch is the last one.
pub fn complete(mut attribution: Attribution) -> Attribution {
    if attribution.first.is_empty() {
        attribution.first = attribution.last.clone();
    }
    if attribution.last.is_empty() {
        attribution.last = attribution.first.clone();
    }
    attribution
}

#[cfg(test)]
mod tests {
    use switchboard_sdk::Attribution;

    use super::of;

    fn last(pairs: &[(&str, &str)]) -> Attribution {
        Attribution {
            last: pairs
                .iter()
                .map(|(key, value)| ((*key).to_owned(), (*value).to_owned()))
                .collect(),
            ..Attribution::default()
        }
    }

    #[test]
    fn the_strongest_sign_names_the_source() {
        assert_eq!(
            of(&last(&[("utm_source", "Newsletter"), ("gclid", "x")]), "webform"),
            "newsletter"
        );
        assert_eq!(
            of(
                &last(&[("gclid", "x"), ("referrer", "https://a.example/")]),
                "webform"
            ),
            "google"
        );
        assert_eq!(
            of(&last(&[("referrer", "https://www.blog.example/post")]), "webform"),
            "blog.example"
        );
        assert_eq!(of(&last(&[]), "email"), "email");
    }

    #[test]
    fn a_visitor_who_came_from_the_site_itself_has_no_referring_site() {
        let inside = last(&[
            ("referrer", "https://shop.example/a"),
            ("landing_page", "https://www.shop.example/b"),
        ]);
        assert_eq!(of(&inside, "webchat"), "webchat");
    }
}

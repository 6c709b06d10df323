//! HTML of strangers, made fit to be stored and shown. Pure.

use std::collections::{HashMap, HashSet};

use super::prepare::{KeptFile, cut};

/// Longest stored HTML, in bytes.
const MAX_HTML: usize = 2 * 1024 * 1024;

/// HTML that cannot do harm.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Clean {
    /// The markup.
    pub page: String,
    /// Where the quoted rest begins, in characters.
    pub quoted_at: Option<usize>,
}

/// Cleans a page; `quoted_at` is the byte at which its quoted rest begins, and a tag. The two parts are cleaned apart,
/// so that each is whole by itself and the first can be shown alone.
pub(super) fn sanitise(html: &str, quoted_at: Option<usize>, files: &[KeptFile]) -> Clean {
    let parts = quoted_at.and_then(|at| html.split_at_checked(at));
    let Some((new, quoted)) = parts.filter(|_| html.len() <= MAX_HTML) else {
        return Clean {
            page: clean(html, files),
            quoted_at: None,
        };
    };
    let (new, quoted) = (clean(new, files), clean(quoted, files));
    let is_fold = !new.trim().is_empty() && !quoted.trim().is_empty();
    Clean {
        quoted_at: is_fold.then(|| new.chars().count()),
        page: new + &quoted,
    }
}

/// An allow-list of tags and attributes: no styles that position, no forms, no addresses without a host (they would
/// be ours). Images of the message itself lead to its files. Remote images stay in the markup; whoever shows it
/// decides whether to load them.
fn clean(html: &str, files: &[KeptFile]) -> String {
    let cut = cut(&html.replace('\0', ""), MAX_HTML);
    let pictures: HashMap<String, String> = files
        .iter()
        .filter_map(|file| {
            Some((
                file.content_id.clone()?,
                format!("/api/v1/attachments/{}", file.id),
            ))
        })
        .filter(|(id, _)| {
            id.bytes()
                .all(|byte| byte.is_ascii_alphanumeric() || b".-_@$+=".contains(&byte))
        })
        .collect();
    let known: HashSet<String> = pictures.keys().cloned().collect();
    let mut page = ammonia::Builder::default()
        .add_tags(["font", "center", "u", "s"])
        .add_tag_attributes(
            "td",
            ["align", "valign", "width", "bgcolor", "colspan", "rowspan"],
        )
        .add_tag_attributes(
            "table",
            [
                "align",
                "width",
                "border",
                "cellpadding",
                "cellspacing",
                "bgcolor",
            ],
        )
        .add_tag_attributes("font", ["color", "face", "size"])
        .add_url_schemes(["cid", "tel"])
        .url_relative(ammonia::UrlRelative::Deny)
        .attribute_filter(move |_, _, value| match value.strip_prefix("cid:") {
            Some(id) if !known.contains(id) => None,
            _ => Some(value.into()),
        })
        .link_rel(Some("noopener noreferrer nofollow"))
        .clean(&cut)
        .to_string();
    // After the cleaning, which lets no address without a host through. The value of an attribute never holds a bare
    // quotation mark, so only whole attributes are met, and letters of a text that look like one, which does no harm.
    for (id, path) in pictures {
        page = page.replace(&format!("src=\"cid:{id}\""), &format!("src=\"{path}\""));
    }
    page
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::{KeptFile, sanitise};

    fn picture() -> KeptFile {
        KeptFile {
            id: "att_1".to_owned(),
            name: "logo.png".to_owned(),
            content_type: "image/png".to_owned(),
            size: 1,
            storage_key: String::new(),
            content_id: Some("Logo@b.example".to_owned()),
            uploaded: false,
        }
    }

    #[test]
    fn html_keeps_its_words_and_loses_its_teeth() {
        let page = sanitise(
            "<p onclick=x>Hi <script>alert(1)</script><a href=\"javascript:x\">a</a><img src=\"/api/v1/me\"></p>",
            None,
            &[],
        )
        .page;
        assert!(page.contains("Hi"));
        assert!(
            !page.contains("script") && !page.contains("onclick") && !page.contains("/api"),
            "{page}"
        );
    }

    #[test]
    fn pictures_of_the_message_lead_to_its_files_and_unknown_ones_to_nothing() {
        let page = sanitise(
            "<img src=\"cid:Logo@b.example\"><img src=\"cid:other\"><img src=\"https://c.example/x.png\">",
            None,
            &[picture()],
        )
        .page;
        assert!(page.contains("src=\"/api/v1/attachments/att_1\""), "{page}");
        assert!(
            !page.contains("cid:") && page.contains("https://c.example/x.png"),
            "{page}"
        );
    }

    #[test]
    fn the_new_part_is_whole_by_itself() {
        let html = "<div><b>Да<div class=\"gmail_quote\">old</div></b></div>";
        let clean = sanitise(html, html.find("<div class"), &[]);
        let at = clean.quoted_at.unwrap();
        let new: String = clean.page.chars().take(at).collect();
        assert_eq!(new, "<div><b>Да</b></div>");
        assert!(clean.page.ends_with("<div>old</div>"), "{}", clean.page);
        assert_eq!(sanitise("<p>a</p>", Some(0), &[]).quoted_at, None);
        assert_eq!(sanitise("ю", Some(1), &[]).quoted_at, None);
    }

    proptest! {
        #[test]
        fn nothing_that_runs_comes_through(html in "(?s)(.|<script>|<img src=x onerror=y>|<a href=javascript:x>){0,30}", at in 0_usize..200) {
            let page = sanitise(&html, Some(at), &[picture()]).page;
            // Outside of tags these are only letters.
            for tag in page.split('<').skip(1).filter_map(|rest| rest.split('>').next()) {
                prop_assert!(!tag.starts_with("script") && !tag.contains("onerror") && !tag.contains("javascript"), "{page}");
            }
        }
    }
}

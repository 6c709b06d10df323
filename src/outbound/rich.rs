//! Rich text that goes out, and its plain twin. Pure.

use chrono::{DateTime, Utc};
use switchboard_sdk::{Recipient, RecipientRole};

/// Longest rich text, in bytes.
pub const MAX_HTML: usize = 512 * 1024;

/// What an operator's rich text may be made of: words, emphasis, lists, links, quotes. No pictures from
/// elsewhere, no styles, nothing that acts.
pub fn sanitise(html: &str) -> String {
    let tags = [
        "p",
        "br",
        "div",
        "span",
        "b",
        "strong",
        "i",
        "em",
        "u",
        "s",
        "a",
        "ul",
        "ol",
        "li",
        "blockquote",
        "code",
        "pre",
        "hr",
    ];
    ammonia::Builder::default()
        .tags(tags.into())
        .generic_attributes(["dir"].into())
        .url_schemes(["http", "https", "mailto", "tel"].into())
        .link_rel(Some("noopener noreferrer nofollow"))
        .clean(&html.replace('\0', ""))
        .to_string()
}

/// Plain text as rich text says it: paragraphs and line breaks, everything else as it stands.
pub fn paragraphs(text: &str) -> String {
    let paragraph = |lines: &str| {
        format!(
            "<p>{}</p>",
            escaped(lines.trim_matches('\n')).replace('\n', "<br>")
        )
    };
    text.replace("\r\n", "\n")
        .split("\n\n")
        .filter(|lines| !lines.trim().is_empty())
        .map(paragraph)
        .collect()
}

/// Text that is no markup.
pub fn escaped(text: &str) -> String {
    let mut safe = String::with_capacity(text.len());
    for char in text.chars() {
        match char {
            '&' => safe.push_str("&amp;"),
            '<' => safe.push_str("&lt;"),
            '>' => safe.push_str("&gt;"),
            '"' => safe.push_str("&quot;"),
            char => safe.push(char),
        }
    }
    safe
}

/// A text in both forms; the rich one only where somebody wrote one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Text {
    /// Plain.
    pub plain: String,
    /// Rich.
    pub html: Option<String>,
}

impl Text {
    /// The rich form, made from the plain one where there is none.
    fn rich(&self) -> String {
        self.html.clone().unwrap_or_else(|| paragraphs(&self.plain))
    }

    /// Puts a signature under it, behind the mark that mail programs know (RFC 3676 §4.3), unless it stands
    /// there already.
    pub fn sign(&mut self, signature: &str) {
        let signature = signature.trim();
        let written = self.plain.trim_end();
        if signature.is_empty() || written.ends_with(signature) {
            return;
        }
        if let Some(html) = &mut self.html {
            html.push_str(&format!(
                "<p>-- <br>{}</p>",
                escaped(signature).replace("\r\n", "\n").replace('\n', "<br>")
            ));
        }
        self.plain = if written.is_empty() {
            format!("-- \n{signature}")
        } else {
            format!("{written}\n\n-- \n{signature}")
        };
    }

    /// Puts a message that is passed on under it.
    pub fn quote(&mut self, original: &Original<'_>) {
        let head = original.head();
        let lines: Vec<String> = head
            .iter()
            .map(|(name, value)| format!("{name}: {value}"))
            .collect();
        if self.html.is_some() || original.html.is_some() {
            let head: Vec<String> = head
                .iter()
                .map(|(name, value)| format!("<b>{name}:</b> {}", escaped(value)))
                .collect();
            let body = original
                .html
                .map_or_else(|| paragraphs(original.text), str::to_owned);
            self.html = Some(format!(
                "{}<hr><p>{MARK}<br>{}</p><blockquote>{body}</blockquote>",
                self.rich(),
                head.join("<br>")
            ));
        }
        let written = self.plain.trim_end();
        let gap = if written.is_empty() { "" } else { "\n\n" };
        self.plain = format!("{written}{gap}{MARK}\n{}\n\n{}", lines.join("\n"), original.text);
    }
}

/// What stands above a message that is passed on.
const MARK: &str = "---------- Forwarded message ----------";

/// A message that is passed on.
#[derive(Debug, Clone, Copy)]
pub struct Original<'a> {
    /// Its address fields.
    pub recipients: &'a [Recipient],
    /// Who wrote it, where the fields do not say.
    pub author: &'a str,
    /// When.
    pub at: DateTime<Utc>,
    /// The subject of its thread.
    pub subject: Option<&'a str>,
    /// Plain.
    pub text: &'a str,
    /// Rich, sanitised when it came.
    pub html: Option<&'a str>,
}

impl Original<'_> {
    fn head(&self) -> Vec<(&'static str, String)> {
        let field = |role: RecipientRole| {
            let shown = self
                .recipients
                .iter()
                .filter(|one| one.role == role)
                .map(|one| match &one.name {
                    Some(name) => format!("{name} <{}>", one.address),
                    None => one.address.clone(),
                });
            shown.collect::<Vec<_>>().join(", ")
        };
        let from = Some(field(RecipientRole::From)).filter(|from| !from.is_empty());
        let head = [
            ("From", from.unwrap_or_else(|| self.author.to_owned())),
            ("Date", self.at.format("%Y-%m-%d %H:%M UTC").to_string()),
            ("Subject", self.subject.unwrap_or_default().to_owned()),
            ("To", field(RecipientRole::To)),
            ("Cc", field(RecipientRole::Cc)),
        ];
        head.into_iter().filter(|(_, value)| !value.is_empty()).collect()
    }
}

/// How large files become on their way by mail: base64 in lines of 76 characters.
pub fn on_the_way(bytes: u64) -> u64 {
    bytes.saturating_mul(137).div_ceil(100)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn text(plain: &str, html: Option<&str>) -> Text {
        Text {
            plain: plain.to_owned(),
            html: html.map(str::to_owned),
        }
    }

    #[test]
    fn rich_text_keeps_what_people_write_and_nothing_that_acts() {
        let clean = sanitise(
            "<p style=\"position:fixed\" onclick=x><b>Hi</b> <a href=\"https://x.example\">x</a> <a href=\"javascript:x\">y</a><img src=\"https://t.example/p.gif\"><script>x()</script></p><ul><li>1</li></ul><blockquote>q</blockquote>",
        );
        assert!(
            clean.contains("<b>Hi</b>") && clean.contains("<li>1</li>") && clean.contains("<blockquote>")
        );
        assert!(clean.contains("href=\"https://x.example\""));
        for bad in ["style", "onclick", "javascript", "img", "script"] {
            assert!(!clean.contains(bad), "{clean}");
        }
    }

    #[test]
    fn a_signature_stands_once_under_both_forms() {
        let mut both = text("Hello\n", Some("<p>Hello</p>"));
        both.sign("Anna <3\nShop");
        both.sign("Anna <3\nShop");
        assert_eq!(both.plain, "Hello\n\n-- \nAnna <3\nShop");
        assert_eq!(
            both.html.as_deref(),
            Some("<p>Hello</p><p>-- <br>Anna &lt;3<br>Shop</p>")
        );
        let mut plain = text("Hello", None);
        plain.sign("  ");
        assert_eq!(plain, text("Hello", None));
    }

    #[test]
    fn what_is_passed_on_says_where_it_came_from() {
        let recipients = [
            Recipient {
                role: RecipientRole::From,
                name: Some("Ivan".to_owned()),
                address: "ivan@client.example".to_owned(),
            },
            Recipient {
                role: RecipientRole::To,
                name: None,
                address: "support@shop.example".to_owned(),
            },
        ];
        let original = Original {
            recipients: &recipients,
            author: "Ivan",
            at: DateTime::UNIX_EPOCH,
            subject: Some("Order <5>"),
            text: "Where is it?",
            html: None,
        };
        let mut note = text("Please look", None);
        note.quote(&original);
        assert_eq!(
            note.plain,
            "Please look\n\n---------- Forwarded message ----------\nFrom: Ivan <ivan@client.example>\nDate: 1970-01-01 00:00 UTC\nSubject: Order <5>\nTo: support@shop.example\n\nWhere is it?"
        );
        assert_eq!(note.html, None);
        note.quote(&Original {
            html: Some("<p>Where is <b>it</b>?</p>"),
            ..original
        });
        let html = note.html.unwrap();
        assert!(
            html.contains("Order &lt;5&gt;")
                && html.contains("<blockquote><p>Where is <b>it</b>?</p></blockquote>")
        );
    }

    proptest! {
        #[test]
        fn plain_words_become_no_markup(words in ".*") {
            prop_assert!(!sanitise(&paragraphs(&words)).contains("<script"));
            let only = paragraphs(&words).replace("<p>", "").replace("</p>", "").replace("<br>", "");
            prop_assert!(!only.contains('<'));
        }

        #[test]
        fn files_are_never_said_to_be_smaller_than_they_travel(bytes in 0u64..100_000_000) {
            prop_assert!(on_the_way(bytes) >= bytes.div_ceil(57) * 78 || bytes < 60_000);
        }
    }
}

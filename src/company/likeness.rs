//! By what two companies may be the same one. Pure.

use std::collections::BTreeSet;

use serde::Serialize;
use utoipa::ToSchema;

/// What two companies have in common.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
#[schema(as = CompanySign)]
pub enum Sign {
    /// The number the state knows them by.
    TaxNumber,
    /// The domain of their website or of their mail.
    Domain,
    /// A phone.
    Phone,
    /// The name, whatever its case, its marks and its legal form.
    Name,
}

impl Sign {
    /// All of them, the strongest first.
    pub const ALL: [Self; 4] = [Self::TaxNumber, Self::Domain, Self::Phone, Self::Name];

    /// The word in the API and in the database.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::TaxNumber => "tax_number",
            Self::Domain => "domain",
            Self::Phone => "phone",
            Self::Name => "name",
        }
    }

    /// Reads the word of the database.
    pub fn parse(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|sign| sign.as_str() == word)
    }
}

/// What is looked at of a company.
#[derive(Debug, Clone, Copy, Default)]
pub struct Known<'a> {
    /// What it is called.
    pub name: &'a str,
    /// Its address on the web.
    pub website: Option<&'a str>,
    /// Its e-mail addresses.
    pub emails: &'a [String],
    /// Its phones in E.164.
    pub phones: &'a [String],
    /// The number the state knows it by.
    pub tax_number: Option<&'a str>,
}

/// Legal forms: "Orion", "ООО «Орион»" and "Orion LLC" differ by them alone.
const FORMS: [&str; 56] = [
    "ab",
    "ag",
    "ao",
    "aps",
    "as",
    "bv",
    "cjsc",
    "co",
    "company",
    "corp",
    "corporation",
    "doo",
    "fzco",
    "fze",
    "gmbh",
    "inc",
    "incorporated",
    "jsc",
    "kft",
    "kg",
    "limited",
    "llc",
    "llp",
    "lp",
    "ltd",
    "mchj",
    "nv",
    "oao",
    "ojsc",
    "ooo",
    "oy",
    "pao",
    "plc",
    "pte",
    "pty",
    "pvt",
    "sa",
    "sarl",
    "sas",
    "sl",
    "spa",
    "srl",
    "sro",
    "ug",
    "yatt",
    "zao",
    "ао",
    "зао",
    "ип",
    "оао",
    "ооо",
    "пао",
    "тоо",
    "чп",
    "شرکت",
    "شركة",
];

/// Hosts where everybody may have an address or a page: they say nothing of a company.
const SHARED: [&str; 48] = [
    "aol.com",
    "bk.ru",
    "facebook.com",
    "gmail.com",
    "gmx.de",
    "gmx.net",
    "google.com",
    "googlemail.com",
    "hotmail.com",
    "icloud.com",
    "inbox.ru",
    "instagram.com",
    "linkedin.com",
    "linktr.ee",
    "list.ru",
    "live.com",
    "mac.com",
    "mail.com",
    "mail.ru",
    "mail.uz",
    "me.com",
    "msn.com",
    "ok.ru",
    "outlook.com",
    "pinterest.com",
    "proton.me",
    "protonmail.com",
    "qq.com",
    "rambler.ru",
    "sites.google.com",
    "t-online.de",
    "t.me",
    "taplink.cc",
    "tiktok.com",
    "twitter.com",
    "ukr.net",
    "umail.uz",
    "vk.com",
    "wa.me",
    "web.de",
    "x.com",
    "ya.ru",
    "yahoo.com",
    "yandex.com",
    "yandex.ru",
    "yandex.uz",
    "youtube.com",
    "zoho.com",
];

/// Tax numbers are longer than this everywhere; what is shorter was typed to fill a field.
const TAX_CHARS: usize = 6;

/// By what a company may be found to be another one.
pub fn keys(company: Known<'_>) -> BTreeSet<(Sign, String)> {
    let mut keys = BTreeSet::new();
    keys.extend(name(company.name).map(|name| (Sign::Name, name)));
    let site = company.website.and_then(|website| {
        let url = url::Url::parse(website).ok()?;
        domain(url.host_str()?)
    });
    let mails = company
        .emails
        .iter()
        .filter_map(|email| domain(email.rsplit_once('@')?.1));
    keys.extend(site.into_iter().chain(mails).map(|domain| (Sign::Domain, domain)));
    let tax = company.tax_number.map(|number| {
        let kept = number.chars().filter(|char| char.is_alphanumeric());
        kept.flat_map(char::to_uppercase).collect::<String>()
    });
    keys.extend(
        tax.filter(|number| number.chars().count() >= TAX_CHARS)
            .map(|number| (Sign::TaxNumber, number)),
    );
    keys.extend(company.phones.iter().map(|phone| (Sign::Phone, phone.clone())));
    keys
}

/// A name without its case, its marks and its legal form; nothing where nothing is left to compare.
fn name(name: &str) -> Option<String> {
    let plain: String = name
        .to_lowercase()
        .chars()
        .filter(|char| !matches!(char, '.' | '\'' | '’' | '`'))
        .map(|char| if char == 'ё' { 'е' } else { char })
        .collect();
    let words: Vec<&str> = plain
        .split(|char: char| !char.is_alphanumeric())
        .filter(|word| !word.is_empty())
        .collect();
    let own: Vec<&str> = words
        .iter()
        .copied()
        .filter(|word| !FORMS.contains(word))
        .collect();
    let joined = if own.is_empty() {
        words.concat()
    } else {
        own.concat()
    };
    (joined.chars().count() >= 2).then_some(joined)
}

fn domain(host: &str) -> Option<String> {
    let host = host.trim().trim_end_matches('.').to_lowercase();
    let bare = host.strip_prefix("www.").unwrap_or(&host);
    let known = bare.contains('.') && !SHARED.contains(&bare);
    known.then(|| bare.to_owned())
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::{Known, Sign, keys};

    fn of(
        name: &str,
        website: Option<&str>,
        emails: &[&str],
        tax_number: Option<&str>,
    ) -> Vec<(Sign, String)> {
        let emails: Vec<String> = emails.iter().map(|&email| email.to_owned()).collect();
        let known = Known {
            name,
            website,
            emails: &emails,
            tax_number,
            ..Known::default()
        };
        keys(known).into_iter().collect()
    }

    fn name(name: &str) -> Option<String> {
        of(name, None, &[], None).pop().map(|(_, value)| value)
    }

    #[test]
    fn a_name_is_compared_without_case_marks_and_legal_form() {
        for (one, other) in [
            ("Orion LLC", "ORION"),
            ("ООО «Орион»", "Орион"),
            ("Harbour Hotels Ltd.", "HarbourHotels"),
            ("Ёлка", "Елка"),
            ("Müller & Söhne GmbH", "müller söhne"),
            ("S.A. Lumière", "Lumière"),
            ("«Ҳумо» MChJ", "Ҳумо"),
            ("شرکت امید", "امید"),
        ] {
            assert_eq!(name(one), name(other), "{one} {other}");
        }
        assert_ne!(name("Orion"), name("Onion"));
        // A name that is a legal form is a name.
        assert_eq!(name("Company").as_deref(), Some("company"));
        assert_eq!(name("—"), None);
    }

    #[test]
    fn a_domain_says_something_unless_everybody_may_have_it() {
        let found = of(
            "x",
            Some("https://www.Orion.example/about"),
            &["info@orion.example", "orion@gmail.com"],
            None,
        );
        assert_eq!(found, [(Sign::Domain, "orion.example".to_owned())]);
        assert!(of("x", Some("https://instagram.com/orion"), &[], None).is_empty());
    }

    #[test]
    fn a_tax_number_is_compared_by_its_digits_and_letters() {
        assert_eq!(
            of("x", None, &[], Some("de 123-456 789")),
            of("x", None, &[], Some("DE123456789"))
        );
        assert!(of("x", None, &[], Some("0")).is_empty());
    }

    proptest! {
        #[test]
        fn any_text_has_keys_that_say_the_same_in_capitals(name in "\\PC{0,40}", tax in "\\PC{0,20}") {
            let known = Known { name: &name, tax_number: Some(&tax), ..Known::default() };
            for (sign, value) in keys(known) {
                prop_assert!(!value.is_empty());
                prop_assert_eq!(Sign::parse(sign.as_str()), Some(sign));
            }
        }
    }
}

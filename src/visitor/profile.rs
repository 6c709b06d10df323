//! What is known of a visitor, as it lies in the row. Pure.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use switchboard_sdk::{Attribution, CONSENT, Identity, IdentityKind, Opening, Person};

use crate::db::entity::visitor;

/// Most addresses kept of one visitor.
const MAX_CLAIMS: usize = 8;
/// Longest answer to a pre-chat question that goes along as attribution, in characters.
const MAX_ANSWER_CHARS: usize = 500;

/// Name, claims and touches of a visitor.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Profile {
    said: Said,
    touches: Attribution,
}

#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
struct Said {
    name: Option<String>,
    language: Option<String>,
    company: Option<String>,
    claims: Vec<Claim>,
    answers: BTreeMap<String, Value>,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
struct Claim {
    kind: IdentityKind,
    value: String,
}

impl Profile {
    /// Reads it from the row; what an older version wrote differently is forgotten.
    pub fn of(visitor: &visitor::Model) -> Self {
        Self {
            said: serde_json::from_value(visitor.person.clone()).unwrap_or_default(),
            touches: serde_json::from_value(visitor.attribution.clone()).unwrap_or_default(),
        }
    }

    /// Writes it into the row.
    pub fn write(&self, visitor: &mut visitor::Model) {
        visitor.person = json!(self.said);
        visitor.attribution = json!(self.touches);
    }

    /// Adds what a session request says. What it does not say stays; the first touch never changes.
    pub fn learn(&mut self, opening: &Opening) {
        let person = &opening.person;
        let keep = |known: &mut Option<String>, given: &Option<String>| {
            if given.is_some() {
                known.clone_from(given);
            }
        };
        keep(&mut self.said.name, &person.name);
        keep(&mut self.said.language, &person.language);
        keep(&mut self.said.company, &person.company);
        for identity in &person.identities {
            let claim = Claim {
                kind: identity.kind,
                value: identity.value.clone(),
            };
            self.said.claims.retain(|known| *known != claim);
            // The newest first: it is the one they want to be answered at.
            self.said.claims.insert(0, claim);
        }
        self.said.claims.truncate(MAX_CLAIMS);
        self.said.answers.extend(opening.answers.clone());
        if self.touches.first.is_empty() {
            self.touches.first.clone_from(&opening.attribution.first);
        }
        if !opening.attribution.last.is_empty() {
            self.touches.last.clone_from(&opening.attribution.last);
        }
    }

    /// The person for the connector: first the identity they write as, then their own, then claims.
    pub fn person(&self, visitor: &visitor::Model) -> Person {
        let own = Identity {
            kind: IdentityKind::Webchat,
            value: visitor.id.clone(),
            verified: true,
        };
        let mut identities = Vec::with_capacity(2 + self.said.claims.len());
        if visitor.identity_kind == IdentityKind::External.as_str() {
            let value = visitor.identity_value.clone();
            identities.push(Identity {
                kind: IdentityKind::External,
                value,
                verified: true,
            });
        }
        identities.push(own);
        let claims = self.said.claims.iter();
        identities.extend(claims.map(|claim| Identity {
            kind: claim.kind,
            value: claim.value.clone(),
            verified: false,
        }));
        Person {
            name: self.said.name.clone(),
            identities,
            language: self.said.language.clone(),
            company: self.said.company.clone(),
        }
    }

    /// The e-mail address they gave last.
    pub fn email(&self) -> Option<&str> {
        let mut claims = self.said.claims.iter();
        claims
            .find(|claim| claim.kind == IdentityKind::Email)
            .map(|claim| claim.value.as_str())
    }

    /// The language they read.
    pub fn language(&self) -> Option<&str> {
        self.said.language.as_deref()
    }

    /// They agreed to what the chat asks.
    pub fn consented(&self) -> bool {
        self.said.answers.contains_key(CONSENT)
    }

    /// Where they came from; answers to pre-chat questions go along as `prechat_…` of the last touch.
    pub fn attribution(&self) -> Attribution {
        let mut touches = self.touches.clone();
        for (name, value) in &self.said.answers {
            let text = value.as_str().map_or_else(|| value.to_string(), str::to_owned);
            touches.last.insert(
                format!("prechat_{name}"),
                text.chars().take(MAX_ANSWER_CHARS).collect(),
            );
        }
        touches
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};
    use switchboard_sdk::{Attribution, Identity, IdentityKind, Opening, Person};

    use super::Profile;
    use crate::db::entity::visitor;

    fn visitor(kind: IdentityKind, value: &str) -> visitor::Model {
        visitor::Model {
            id: "vis_1".to_owned(),
            channel_id: "chn_1".to_owned(),
            token_hash: String::new(),
            identity_kind: kind.as_str().to_owned(),
            identity_value: value.to_owned(),
            person: Value::Null,
            attribution: Value::Null,
            page: Value::Null,
            created_at: chrono::DateTime::UNIX_EPOCH,
            last_seen_at: chrono::DateTime::UNIX_EPOCH,
            origin: None,
        }
    }

    fn opening(email: &str, source: &str) -> Opening {
        let touch = [("utm_source".to_owned(), source.to_owned())].into();
        let claim = Identity {
            kind: IdentityKind::Email,
            value: email.to_owned(),
            verified: false,
        };
        Opening {
            person: Person {
                name: Some("Ann".to_owned()),
                identities: vec![claim],
                ..Person::default()
            },
            attribution: Attribution {
                first: touch,
                last: [("utm_source".to_owned(), source.to_owned())].into(),
            },
            answers: [("topic".to_owned(), json!("Prices"))].into(),
            ..Opening::default()
        }
    }

    #[test]
    fn what_is_learnt_survives_the_row_and_a_session_that_says_nothing() {
        let mut row = visitor(IdentityKind::Webchat, "vis_1");
        let mut profile = Profile::of(&row);
        profile.learn(&opening("a@shop.example", "ads"));
        profile.learn(&Opening::default());
        profile.write(&mut row);
        let read = Profile::of(&row);
        assert_eq!(read, profile);
        assert_eq!(read.person(&row).name.as_deref(), Some("Ann"));
        assert_eq!(
            read.attribution().last.get("prechat_topic").map(String::as_str),
            Some("Prices")
        );
    }

    #[test]
    fn the_first_touch_stays_and_the_last_one_follows() {
        let mut profile = Profile::default();
        profile.learn(&opening("a@shop.example", "ads"));
        profile.learn(&opening("a@shop.example", "mail"));
        let touches = profile.attribution();
        assert_eq!(touches.first.get("utm_source").map(String::as_str), Some("ads"));
        assert_eq!(touches.last.get("utm_source").map(String::as_str), Some("mail"));
    }

    #[test]
    fn a_proven_identity_comes_first_and_claims_are_never_verified() {
        let mut profile = Profile::default();
        profile.learn(&opening("a@shop.example", "ads"));
        profile.learn(&opening("b@shop.example", "ads"));
        profile.learn(&opening("a@shop.example", "ads"));
        let values = |row: &visitor::Model| -> Vec<(String, bool)> {
            profile
                .person(row)
                .identities
                .into_iter()
                .map(|identity| (identity.value, identity.verified))
                .collect()
        };
        let claims = [
            ("a@shop.example".to_owned(), false),
            ("b@shop.example".to_owned(), false),
        ];
        let anonymous = values(&visitor(IdentityKind::Webchat, "vis_1"));
        assert_eq!(anonymous[0], ("vis_1".to_owned(), true));
        assert_eq!(anonymous[1..], claims);
        let proven = values(&visitor(IdentityKind::External, "u7"));
        assert_eq!(proven[..2], [("u7".to_owned(), true), ("vis_1".to_owned(), true)]);
        assert_eq!(proven[2..], claims);
    }
}

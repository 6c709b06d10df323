//! What filled fields say about the person and the lead.

use std::collections::BTreeMap;

use serde_json::Value;

use super::{Field, MapsTo};
use crate::{Identity, IdentityKind, LeadHints, Person};

/// Reads the values (as [`Field::read`] gave them, by field name) by what their fields mean. All identities
/// are claims: anybody can type anybody's address.
pub fn person_of(fields: &[Field], values: &BTreeMap<String, Value>) -> (Person, LeadHints) {
    let (mut person, mut lead) = (Person::default(), LeadHints::default());
    let filled = fields
        .iter()
        .filter_map(|field| Some((field.meaning()?, values.get(&field.name)?)));
    for (meaning, value) in filled.filter(|(_, value)| !value.is_null()) {
        match meaning {
            MapsTo::ContactName => join(&mut person.name, value, " "),
            MapsTo::CompanyName => join(&mut person.company, value, " "),
            MapsTo::LeadTitle => join(&mut lead.title, value, " "),
            MapsTo::ContactEmail => claim(&mut person, IdentityKind::Email, value),
            MapsTo::ContactPhone => claim(&mut person, IdentityKind::Phone, value),
            MapsTo::LeadComment => {
                let mut comment = lead.fields.get("comment").map(plain);
                join(&mut comment, value, "\n");
                lead.fields.insert("comment".to_owned(), comment.into());
            }
            MapsTo::LeadField(name) => {
                lead.fields.insert(name, value.clone());
            }
        }
    }
    (person, lead)
}

fn join(whole: &mut Option<String>, part: &Value, by: &str) {
    let part = plain(part);
    *whole = Some(match whole.take() {
        Some(before) => format!("{before}{by}{part}"),
        None => part,
    });
}

/// Only what is in the normal form becomes an identity: a text field may be mapped to the e-mail too.
fn claim(person: &mut Person, kind: IdentityKind, value: &Value) {
    let value = plain(value);
    let value = match kind {
        IdentityKind::Email => super::email(&value),
        _ => super::phone(&value, None).ok(),
    };
    let identity = value.map(|value| Identity {
        kind,
        value,
        verified: false,
    });
    if let Some(identity) = identity.filter(|identity| !person.identities.contains(identity)) {
        person.identities.push(identity);
    }
}

fn plain(value: &Value) -> String {
    value.as_str().map_or_else(|| value.to_string(), str::to_owned)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::fields::FieldKind;

    fn field(name: &str, kind: FieldKind, maps_to: Option<MapsTo>) -> Field {
        Field {
            name: name.to_owned(),
            kind,
            maps_to,
            ..Field::default()
        }
    }

    #[test]
    fn mapped_values_make_the_person_and_the_lead_and_identities_are_claims() {
        let fields = [
            field("first", FieldKind::Text, Some(MapsTo::ContactName)),
            field("last", FieldKind::Text, Some(MapsTo::ContactName)),
            field("mail", FieldKind::Email, None),
            field("tel", FieldKind::Phone, None),
            field("firm", FieldKind::Text, Some(MapsTo::CompanyName)),
            field(
                "budget",
                FieldKind::Number,
                Some(MapsTo::LeadField("budget".to_owned())),
            ),
            field("message", FieldKind::Textarea, None),
            field("why", FieldKind::Text, Some(MapsTo::LeadComment)),
            field("other", FieldKind::Text, None),
        ];
        let values = [
            ("first", json!("Ann")),
            ("last", json!("Lee")),
            ("mail", json!("ann@b.co")),
            ("tel", json!("+998901234567")),
            ("firm", json!("ACME")),
            ("budget", json!(5)),
            ("message", json!("hi")),
            ("why", json!("so")),
            ("other", json!("x")),
        ];
        let (person, lead) = person_of(
            &fields,
            &values.map(|(name, value)| (name.to_owned(), value)).into(),
        );
        assert_eq!(person.name.as_deref(), Some("Ann Lee"));
        assert_eq!(person.company.as_deref(), Some("ACME"));
        let claims: Vec<_> = person
            .identities
            .iter()
            .map(|id| (id.kind, id.value.as_str(), id.verified))
            .collect();
        assert_eq!(
            claims,
            [
                (IdentityKind::Email, "ann@b.co", false),
                (IdentityKind::Phone, "+998901234567", false)
            ]
        );
        assert_eq!(lead.title, None);
        assert_eq!(json!(lead.fields), json!({"budget": 5, "comment": "hi\nso"}));
    }
}

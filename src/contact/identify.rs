//! Who is it? Pure.
//!
//! A proven identity says who somebody is. A claimed one (an e-mail typed into a form) joins the
//! contact it belongs to on the operators' side, and nothing more: it never merges two contacts that
//! both exist, that is suggested to a person instead.

use switchboard_sdk::{Identity, IdentityKind, Person};

/// What is known of one identity.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Known {
    /// Whose it is.
    pub contact_id: String,
    /// Proven.
    pub verified: bool,
}

/// What to do with a person who wrote.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Resolution {
    /// The contact they are; `None` makes a new one.
    pub contact_id: Option<String>,
    /// They were recognised by a claim only.
    pub claimed: bool,
    /// Identities to add to the contact.
    pub add: Vec<Identity>,
    /// Known identities that are now proven.
    pub prove: Vec<Identity>,
    /// Other contacts this person may be, each with the identity that says so.
    pub suggest: Vec<(String, Identity)>,
}

/// Resolves a person against what is known of their identities.
///
/// Proven identities count before claimed ones, and within those the order given. A visitor's own id
/// (`webchat`) and a channel's own address are proven by nature.
pub fn resolve(person: &Person, known: impl Fn(&Identity) -> Option<Known>) -> Resolution {
    let mut resolution = Resolution::default();
    let proven_first = person
        .identities
        .iter()
        .filter(|identity| is_own(identity))
        .chain(person.identities.iter().filter(|identity| !is_own(identity)));
    for identity in proven_first {
        if let Some(found) = known(identity) {
            resolution.claimed = !is_own(identity);
            resolution.contact_id = Some(found.contact_id);
            break;
        }
    }
    for identity in &person.identities {
        match known(identity) {
            None => resolution.add.push(identity.clone()),
            Some(found) if Some(&found.contact_id) == resolution.contact_id.as_ref() => {
                if identity.verified && !found.verified {
                    resolution.prove.push(identity.clone());
                }
            }
            Some(found) => {
                if !resolution.suggest.iter().any(|(id, _)| *id == found.contact_id) {
                    resolution.suggest.push((found.contact_id, identity.clone()));
                }
            }
        }
    }
    resolution
}

fn is_own(identity: &Identity) -> bool {
    identity.verified || identity.kind == IdentityKind::Webchat
}

/// Why a contact is suggested, in words.
pub fn reason(identity: &Identity) -> String {
    match identity.kind {
        IdentityKind::Email => "the same e-mail address was given".to_owned(),
        IdentityKind::Phone => "the same phone number was given".to_owned(),
        _ => format!("the same {} identity was seen", identity.kind.as_str()),
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use switchboard_sdk::{Identity, IdentityKind, Person};

    use super::{Known, resolve};

    fn identity(kind: IdentityKind, value: &str, verified: bool) -> Identity {
        Identity {
            kind,
            value: value.to_owned(),
            verified,
        }
    }

    fn person(identities: Vec<Identity>) -> Person {
        Person {
            identities,
            ..Person::default()
        }
    }

    #[test]
    fn a_stranger_becomes_a_new_contact_with_all_identities() {
        let who = person(vec![
            identity(IdentityKind::Email, "a@b.c", false),
            identity(IdentityKind::Phone, "+1", false),
        ]);
        let resolution = resolve(&who, |_| None);
        assert_eq!(resolution.contact_id, None);
        assert_eq!(resolution.add.len(), 2);
        assert!(!resolution.claimed);
    }

    #[test]
    fn a_typed_address_joins_as_a_claim() {
        let who = person(vec![
            identity(IdentityKind::Webchat, "vis_1", true),
            identity(IdentityKind::Email, "a@b.c", false),
        ]);
        let resolution = resolve(&who, |identity| {
            (identity.kind == IdentityKind::Email).then(|| Known {
                contact_id: "cnt_1".into(),
                verified: true,
            })
        });
        assert_eq!(resolution.contact_id.as_deref(), Some("cnt_1"));
        assert!(resolution.claimed);
        assert_eq!(resolution.add.len(), 1);
    }

    #[test]
    fn a_claim_that_contradicts_what_is_proven_is_only_suggested() {
        let who = person(vec![
            identity(IdentityKind::Email, "b@b.c", false),
            identity(IdentityKind::Telegram, "7", true),
        ]);
        let resolution = resolve(&who, |identity| {
            let contact_id = if identity.kind == IdentityKind::Telegram {
                "cnt_tg"
            } else {
                "cnt_mail"
            };
            Some(Known {
                contact_id: contact_id.into(),
                verified: true,
            })
        });
        assert_eq!(resolution.contact_id.as_deref(), Some("cnt_tg"));
        assert!(!resolution.claimed);
        assert_eq!(resolution.suggest.len(), 1);
        assert_eq!(resolution.suggest[0].0, "cnt_mail");
    }

    proptest! {
        #[test]
        fn nobody_is_ever_merged_and_no_identity_is_lost(
            owners in proptest::collection::vec(proptest::option::of(0_u8..3), 1..6),
            verified in proptest::collection::vec(any::<bool>(), 6),
        ) {
            let who = person(owners.iter().enumerate().map(|(index, _)| {
                identity(IdentityKind::External, &index.to_string(), verified[index])
            }).collect());
            let resolution = resolve(&who, |identity| {
                let index: usize = identity.value.parse().unwrap();
                owners[index].map(|owner| Known { contact_id: format!("cnt_{owner}"), verified: false })
            });
            let unknown = owners.iter().filter(|owner| owner.is_none()).count();
            prop_assert_eq!(resolution.add.len(), unknown);
            prop_assert_eq!(resolution.contact_id.is_some(), unknown < owners.len());
            let suggested_self = resolution
                .suggest
                .iter()
                .any(|(id, _)| Some(id) == resolution.contact_id.as_ref());
            prop_assert!(!suggested_self);
        }
    }
}

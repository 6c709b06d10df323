//! Whom an answer goes to, on channels with address fields. Pure.

use std::collections::{BTreeSet, HashSet};

use switchboard_sdk::{Recipient, RecipientRole};

/// Most addresses of one message.
pub const MAX_RECIPIENTS: usize = 50;
/// Longest name beside an address, in characters.
const MAX_NAME: usize = 200;

/// An address as somebody typed it.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Typed {
    /// The name beside it.
    pub name: Option<String>,
    /// The address.
    pub address: String,
}

/// The address in the form it is compared in: without what follows a plus.
fn plain(address: &str) -> String {
    let lower = address.trim().to_lowercase();
    let Some((local, domain)) = lower.rsplit_once('@') else {
        return lower;
    };
    let local = local.split('+').next().unwrap_or(local);
    format!("{local}@{domain}")
}

/// Whether it is one of our own mailboxes: what is sent there comes back.
pub fn is_own(address: &str, own: &BTreeSet<String>) -> bool {
    let address = plain(address);
    own.iter().any(|ours| plain(ours) == address)
}

/// Whether nobody reads what is sent there, going by its name.
pub fn is_machine(address: &str) -> bool {
    let local = address.split('@').next().unwrap_or_default().to_lowercase();
    let local: String = local.chars().filter(|c| !matches!(c, '-' | '_' | '.')).collect();
    let local = local.split('+').next().unwrap_or_default();
    ["noreply", "donotreply", "mailerdaemon"]
        .iter()
        .any(|word| local.starts_with(word) || local.ends_with(word))
        || matches!(local, "bounce" | "bounces")
}

/// Whether it looks like an address; whether it exists only its server knows.
pub fn is_address(address: &str) -> bool {
    let Some((local, domain)) = address.rsplit_once('@') else {
        return false;
    };
    let no_place = |c: char| c.is_whitespace() || c.is_control() || "<>()[],;:\\\"@".contains(c);
    (1..=64).contains(&local.len())
        && address.len() <= 254
        && !address.contains(no_place_in_whole)
        && !local.contains(no_place)
        && !domain.contains(no_place)
        && domain
            .split('.')
            .all(|label| !label.is_empty() && label.len() <= 63)
}

fn no_place_in_whole(c: char) -> bool {
    c.is_control() || c.is_whitespace()
}

/// The address fields that answer a message: its author (or who it says wants the answer), and with `all`
/// everybody else who got it. Never ourselves, never a machine. Without anybody left: the customer.
pub fn answering(
    last: &[Recipient],
    customer: &Recipient,
    own: &BTreeSet<String>,
    all: bool,
) -> Vec<Recipient> {
    let usable = |recipient: &&Recipient| {
        is_address(&recipient.address) && !is_own(&recipient.address, own) && !is_machine(&recipient.address)
    };
    let of = |role: RecipientRole| last.iter().filter(move |one| one.role == role).filter(usable);
    let mut seen = HashSet::new();
    let mut found: Vec<Recipient> = Vec::new();
    let mut add = |recipient: &Recipient, role: RecipientRole| {
        if seen.insert(plain(&recipient.address)) {
            found.push(Recipient {
                role,
                ..recipient.clone()
            });
        }
    };
    let wanted = of(RecipientRole::ReplyTo)
        .next()
        .or_else(|| of(RecipientRole::From).next())
        .unwrap_or(customer);
    add(wanted, RecipientRole::To);
    if all {
        of(RecipientRole::To).for_each(|one| add(one, RecipientRole::To));
        of(RecipientRole::Cc).for_each(|one| add(one, RecipientRole::Cc));
    }
    found.truncate(MAX_RECIPIENTS);
    found
}

/// Checks what somebody typed into the fields.
///
/// # Errors
/// The field and what is wrong with it.
pub fn checked(
    fields: [(RecipientRole, &'static str, &[Typed]); 3],
    own: &BTreeSet<String>,
) -> Result<Vec<Recipient>, (&'static str, String)> {
    let mut seen = HashSet::new();
    let mut found = Vec::new();
    for (role, field, typed) in fields {
        for one in typed {
            let address = one.address.trim().to_lowercase();
            if !is_address(&address) {
                return Err((field, format!("{} is not an e-mail address", one.address.trim())));
            }
            if is_own(&address, own) {
                return Err((
                    field,
                    format!("{address} is our own mailbox: the message would come back"),
                ));
            }
            if is_machine(&address) {
                return Err((field, format!("nobody reads what is sent to {address}")));
            }
            if seen.insert(address.clone()) {
                found.push(Recipient {
                    role,
                    name: one
                        .name
                        .as_deref()
                        .map(clean_name)
                        .filter(|name| !name.is_empty()),
                    address,
                });
            }
        }
    }
    if found.len() > MAX_RECIPIENTS {
        return Err(("to", format!("at most {MAX_RECIPIENTS} addresses in one message")));
    }
    Ok(found)
}

fn clean_name(name: &str) -> String {
    let name: String = name
        .chars()
        .map(|c| if c.is_control() { ' ' } else { c })
        .take(MAX_NAME)
        .collect();
    name.trim().to_owned()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn of(role: RecipientRole, address: &str) -> Recipient {
        Recipient {
            role,
            name: None,
            address: address.to_owned(),
        }
    }

    fn own() -> BTreeSet<String> {
        BTreeSet::from(["support@shop.example".to_owned(), "sales@shop.example".to_owned()])
    }

    fn shown(found: &[Recipient]) -> Vec<String> {
        found
            .iter()
            .map(|one| format!("{:?} {}", one.role, one.address))
            .collect()
    }

    fn mail() -> Vec<Recipient> {
        use RecipientRole::{Cc, From, To};
        vec![
            of(From, "ivan@client.example"),
            of(To, "support+c.token@shop.example"),
            of(To, "olga@client.example"),
            of(Cc, "boss@client.example"),
            of(Cc, "ivan@client.example"),
            of(Cc, "Sales@shop.example"),
            of(Cc, "no-reply@list.example"),
        ]
    }

    #[test]
    fn a_reply_goes_to_the_author_and_a_reply_to_all_leaves_out_ourselves_and_machines() {
        let customer = of(RecipientRole::To, "ivan@client.example");
        let alone = answering(&mail(), &customer, &own(), false);
        assert_eq!(shown(&alone), ["To ivan@client.example"]);
        let all = answering(&mail(), &customer, &own(), true);
        assert_eq!(
            shown(&all),
            [
                "To ivan@client.example",
                "To olga@client.example",
                "Cc boss@client.example"
            ]
        );
    }

    #[test]
    fn who_wants_the_answer_elsewhere_gets_it_there_unless_that_is_us_or_a_machine() {
        let customer = of(RecipientRole::To, "ivan@client.example");
        for (reply_to, expected) in [
            ("office@client.example", "To office@client.example"),
            ("support@shop.example", "To ivan@client.example"),
            ("noreply@client.example", "To ivan@client.example"),
        ] {
            let mut last = mail();
            last.push(of(RecipientRole::ReplyTo, reply_to));
            assert_eq!(shown(&answering(&last, &customer, &own(), false)), [expected]);
        }
        // Form mail in our own name: the customer is known from elsewhere.
        let last = [of(RecipientRole::From, "support@shop.example")];
        assert_eq!(
            shown(&answering(&last, &customer, &own(), true)),
            ["To ivan@client.example"]
        );
    }

    #[test]
    fn machines_are_known_by_their_names_and_people_are_not_taken_for_them() {
        for address in [
            "no-reply@x.example",
            "NoReply+7@x.example",
            "do_not_reply@x.example",
            "orders-noreply@x.example",
            "mailer-daemon@x.example",
            "bounces@x.example",
        ] {
            assert!(is_machine(address), "{address}");
        }
        for address in [
            "norbert@x.example",
            "reply@x.example",
            "bouncyhouse@x.example",
            "ann.reply@x.example",
        ] {
            assert!(!is_machine(address), "{address}");
        }
    }

    #[test]
    fn what_cannot_be_sent_to_is_named_with_its_field() {
        let typed = |address: &str| {
            [Typed {
                name: Some("A\r\nBcc: x".to_owned()),
                address: address.to_owned(),
            }]
        };
        let check = |address: &str| {
            let typed = typed(address);
            let fields = [
                (RecipientRole::To, "to", &[][..]),
                (RecipientRole::Cc, "cc", &typed[..]),
                (RecipientRole::Bcc, "bcc", &[][..]),
            ];
            checked(fields, &own())
        };
        let good = check(" Olga@Client.example ").unwrap();
        assert_eq!(
            (good[0].address.as_str(), good[0].name.as_deref()),
            ("olga@client.example", Some("A  Bcc: x"))
        );
        for address in [
            "olga",
            "olga@",
            "@client.example",
            "a b@client.example",
            "a@b@c.example",
            "a@b..example",
            "<a@b.example>",
            "a@b.example,c@d.example",
            "support+x@shop.example",
            "noreply@client.example",
        ] {
            assert_eq!(check(address).unwrap_err().0, "cc", "{address}");
        }
    }

    proptest! {
        #[test]
        fn no_answer_ever_goes_to_ourselves_or_twice_to_one(
            locals in prop::collection::vec("(support|sales|no-reply|[a-c])(\\+[a-z])?", 0..12), all in any::<bool>(),
        ) {
            let roles = [RecipientRole::From, RecipientRole::ReplyTo, RecipientRole::To, RecipientRole::Cc];
            let last: Vec<Recipient> = locals.iter().zip(roles.iter().cycle())
                .map(|(local, role)| of(*role, &format!("{local}@shop.example"))).collect();
            let customer = of(RecipientRole::To, "ivan@client.example");
            let found = answering(&last, &customer, &own(), all);
            prop_assert!(!found.is_empty());
            prop_assert!(found.iter().all(|one| !is_own(&one.address, &own()) && !is_machine(&one.address)));
            let unique: HashSet<String> = found.iter().map(|one| plain(&one.address)).collect();
            prop_assert_eq!(unique.len(), found.len());
        }
    }
}

//! The rules at the visitors' desk.

use std::{collections::BTreeMap, time::Duration};

use chrono::{DateTime, Utc};
use serde_json::{Map, Value, json};
use switchboard_sdk::{
    Attribution, BuildContext, ByMail, CONSENT, InboundEvent, Opening, Person, PostedMessage, Rejection,
    SessionRequest, Touch, VisitorDesk,
    fields::{Field, FieldKind, Problem, clean_line, person_of},
    origin_allowed,
};

use crate::{MAX_TEXT_CHARS, Settings, identity, message};

/// Most characters of one attribution value; longer ones are cut, they are never worth a refusal.
const MAX_TOUCH_CHARS: usize = 2_000;
/// Most keys of one touch.
const MAX_TOUCH_KEYS: usize = 40;

/// The rules of one chat.
#[derive(Debug)]
pub struct Desk {
    settings: Settings,
    context: BuildContext,
}

impl Desk {
    pub(crate) fn new(settings: Settings, context: BuildContext) -> Self {
        Self { settings, context }
    }

    pub(crate) fn describe(&self) -> String {
        let sites = if self
            .settings
            .allowed_origins
            .iter()
            .any(|entry| entry.trim() == "*")
        {
            "any site".to_owned()
        } else if self.settings.allowed_origins.is_empty() {
            "no site but this server's own pages: add your site to allowed_origins".to_owned()
        } else {
            self.settings.allowed_origins.join(", ")
        };
        let identities = if self.settings.identity_secret.is_some() {
            "signed identities are checked"
        } else {
            "visitors are anonymous"
        };
        format!("The chat may be shown on {sites}; {identities}.")
    }

    /// What the visitor says about themselves: pre-chat answers, checked as their fields demand, and the
    /// plain `name`, `email` and `phone` a site may know, taken when they are good.
    fn claims(
        &self,
        contact: &Map<String, Value>,
        closed: bool,
        language: &str,
    ) -> Result<(Person, BTreeMap<String, Value>), Rejection> {
        let region = self.settings.default_region.as_deref();
        let mut wrong = Vec::new();
        let mut values = BTreeMap::new();
        let asked = if closed {
            &self.settings.closed_fields
        } else {
            &self.settings.prechat_fields
        };
        for field in asked {
            if !field.is_asked(&values) {
                continue;
            }
            let raw = contact.get(&field.name).map(plain).unwrap_or_default();
            let required = field.required && (closed || self.settings.require_prechat);
            match (Field {
                required,
                ..field.clone()
            })
            .read(&raw, region)
            {
                Ok(Some(value)) if !raw.is_empty() => drop(values.insert(field.name.clone(), value)),
                Ok(_) => {}
                Err(problem) => wrong.push((
                    format!("contact.{}", field.name),
                    Problem::say(&problem, language),
                )),
            }
        }
        if !wrong.is_empty() {
            return Err(Rejection::Invalid(wrong));
        }
        let mut fields = asked.clone();
        for (name, kind) in [
            ("name", FieldKind::Text),
            ("email", FieldKind::Email),
            ("phone", FieldKind::Phone),
            ("company", FieldKind::Text),
        ] {
            let field = Field {
                name: name.to_owned(),
                kind,
                ..Field::default()
            };
            // What the visitor answered under another name is not said twice.
            let answered = |other: &Field| {
                other.name == name || (other.meaning() == field.meaning() && values.contains_key(&other.name))
            };
            if fields.iter().any(answered) {
                continue;
            }
            // A site may hand over what its own database holds: what is not in order is left out, the chat opens.
            if let Some(Ok(Some(value))) = contact.get(name).map(|raw| field.read(&plain(raw), region)) {
                values.insert(name.to_owned(), value);
            }
            fields.push(field);
        }
        let (person, _) = person_of(&fields, &values);
        let about_person = |field: &&Field| {
            field.meaning().is_some_and(|meaning| {
                use switchboard_sdk::fields::MapsTo::{CompanyName, ContactEmail, ContactName, ContactPhone};
                matches!(meaning, ContactName | ContactEmail | ContactPhone | CompanyName)
            })
        };
        for field in fields.iter().filter(about_person) {
            values.remove(&field.name);
        }
        Ok((person, values))
    }
}

impl Desk {
    /// The day and the words, when the visitor agreed to what this chat asks.
    fn agreed(&self, request: &SessionRequest, now: DateTime<Utc>) -> Option<String> {
        let text = self.settings.consent_text.as_deref()?;
        let given = plain(request.contact.as_ref()?.get(CONSENT)?);
        ["true", "on", "1", "yes"]
            .contains(&given.as_str())
            .then(|| format!("{}: {text}", now.format("%Y-%m-%d")))
    }
}

impl VisitorDesk for Desk {
    fn admit(&self, origin: Option<&str>) -> Result<(), Rejection> {
        let own = |origin: &str| {
            origin_allowed(
                std::slice::from_ref(&own_origin(&self.context.public_url)),
                origin,
            )
        };
        match origin {
            Some(origin) if !origin_allowed(&self.settings.allowed_origins, origin) && !own(origin) => {
                Err(Rejection::Forbidden(
                    "this site may not show the chat: add it to allowed_origins of the channel".to_owned(),
                ))
            }
            _ => Ok(()),
        }
    }

    fn allowed_origins(&self) -> &[String] {
        &self.settings.allowed_origins
    }

    /// A request without `contact` opens a session whatever `require_prechat` says: the widget asks for the
    /// settings this way, and a visitor who comes back has answered already. With `contact` the answers must
    /// be complete, when they are required, and right.
    fn open(&self, request: &SessionRequest, now: DateTime<Utc>) -> Result<Opening, Rejection> {
        let verified = request.identity.as_ref();
        let verified = verified
            .map(|signed| identity::verify(self.settings.identity_secret.as_ref(), signed, now))
            .transpose()?;
        let language = self
            .settings
            .locale
            .clone()
            .or_else(|| page_text(&request.page, "language"));
        let closed = request.form.as_deref() == Some("closed") && !self.settings.closed_fields.is_empty();
        let (mut person, mut answers) = match &request.contact {
            Some(contact) => self.claims(contact, closed, language.as_deref().unwrap_or("en"))?,
            None => Default::default(),
        };
        if let Some(agreed) = self.agreed(request, now) {
            answers.insert(CONSENT.to_owned(), agreed.into());
        }
        person.language = language;
        let attribution = match &request.attribution {
            Some(given) => Attribution {
                first: tidy(&given.first),
                last: tidy(&given.last),
            },
            None => Attribution::default(),
        };
        Ok(Opening {
            person,
            verified,
            attribution: with_page(attribution, &request.page),
            answers,
        })
    }

    fn message(
        &self,
        person: Person,
        posted: PostedMessage,
        now: DateTime<Utc>,
    ) -> Result<InboundEvent, Rejection> {
        message::event(person, posted, now)
    }

    fn public_settings(&self) -> Value {
        json!({
            "title": self.settings.title,
            "accent_color": self.settings.accent_color,
            "locale": self.settings.locale,
            "prechat_fields": self.settings.prechat_fields,
            "require_prechat": self.settings.require_prechat,
            "closed_fields": self.settings.closed_fields,
            "consent": self.settings.consent_text.as_ref().map(|text| json!({"text": text, "url": self.settings.consent_url})),
            "typing_preview": self.settings.typing_preview,
            "max_text_chars": MAX_TEXT_CHARS,
            "max_upload_bytes": self.context.max_upload_bytes,
        })
    }

    fn invitations(&self) -> Value {
        json!(self.settings.invitations)
    }

    fn staff_name(&self) -> Option<&str> {
        self.settings.staff_name.as_deref()
    }

    fn shows_typing(&self) -> bool {
        self.settings.typing_preview
    }

    fn asks_consent(&self) -> bool {
        self.settings.consent_text.is_some()
    }

    fn by_mail(&self) -> ByMail {
        let minutes = self.settings.mail_after_minutes;
        ByMail {
            channel_id: self.settings.transcript_channel_id.clone(),
            after: minutes.map(|minutes| Duration::from_secs(u64::from(minutes) * 60)),
            transcript: self.settings.transcript,
        }
    }
}

/// The origin of the server's own pages, where the demo page is.
fn own_origin(public_url: &str) -> String {
    public_url.splitn(4, '/').take(3).collect::<Vec<_>>().join("/")
}

/// The page as the touch, where the loader told nothing better: campaign tags of its address, its referrer.
fn with_page(mut attribution: Attribution, page: &Map<String, Value>) -> Attribution {
    let mut seen = Touch::new();
    if let Some(url) = page_text(page, "url") {
        let query = url
            .split_once('?')
            .map(|(_, rest)| rest.split('#').next().unwrap_or(rest))
            .unwrap_or_default();
        let marks = form_urlencoded::parse(query.as_bytes()).filter(|(key, _)| is_mark(key));
        seen.extend(marks.map(|(key, value)| (key.into_owned(), value.into_owned())));
        seen.insert("landing_page".to_owned(), url);
    }
    if let Some(referrer) = page_text(page, "referrer") {
        seen.insert("referrer".to_owned(), referrer);
    }
    let seen = tidy(&seen);
    if attribution.last.is_empty() {
        attribution.last.clone_from(&seen);
    }
    if attribution.first.is_empty() {
        attribution.first.clone_from(&attribution.last);
    }
    attribution
}

fn is_mark(key: &str) -> bool {
    key.starts_with("utm_")
        || matches!(
            key,
            "gclid" | "fbclid" | "yclid" | "msclkid" | "ttclid" | "gbraid" | "wbraid"
        )
}

fn page_text(page: &Map<String, Value>, key: &str) -> Option<String> {
    page.get(key)
        .and_then(Value::as_str)
        .map(clean_line)
        .filter(|text| !text.is_empty())
}

fn tidy(touch: &Touch) -> Touch {
    let cut = |text: &String| clean_line(text).chars().take(MAX_TOUCH_CHARS).collect::<String>();
    let fits = |key: &str| key.len() <= 64 && key.bytes().all(|byte| byte.is_ascii_graphic());
    let kept = touch.iter().map(|(key, value)| (key.clone(), cut(value)));
    kept.filter(|(key, value)| fits(key) && !value.is_empty())
        .take(MAX_TOUCH_KEYS)
        .collect()
}

fn plain(value: &Value) -> String {
    match value {
        Value::Null => String::new(),
        Value::String(text) => text.clone(),
        other => other.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use switchboard_sdk::{Identity, IdentityKind, SignedIdentity};
    use switchboard_testkit::context;

    use super::*;

    fn desk(settings: Value) -> Desk {
        Desk::new(
            Settings::read(settings).unwrap_or_else(|error| panic!("{error}")),
            context(),
        )
    }

    fn now() -> DateTime<Utc> {
        context().clock.now()
    }

    fn request(value: Value) -> SessionRequest {
        serde_json::from_value(value).unwrap_or_else(|error| panic!("{error}"))
    }

    #[test]
    fn listed_sites_and_the_servers_own_pages_are_admitted() {
        let desk = desk(json!({"allowed_origins": ["https://*.shop.example"]}));
        for good in [None, Some("https://a.shop.example"), Some("https://desk.example")] {
            assert_eq!(desk.admit(good), Ok(()), "{good:?}");
        }
        for bad in [
            "https://shop.example",
            "null",
            "",
            "https://desk.example.evil.test",
        ] {
            assert!(
                matches!(desk.admit(Some(bad)), Err(Rejection::Forbidden(_))),
                "{bad}"
            );
        }
    }

    #[test]
    fn null_is_admitted_only_where_any_site_is() {
        assert_eq!(desk(json!({})).admit(Some("null")), Ok(()));
        assert!(desk(json!({"allowed_origins": []})).admit(Some("null")).is_err());
    }

    #[test]
    fn typed_addresses_become_claims_in_their_normal_form() {
        let request = request(
            json!({"contact": {"name": " Ann ", "email": "Ann@Shop.Example", "phone": "+998 90 123-45-67"}}),
        );
        let opening = desk(json!({})).open(&request, now()).unwrap_or_default();
        assert_eq!(opening.person.name.as_deref(), Some("Ann"));
        let claims: Vec<_> = opening
            .person
            .identities
            .iter()
            .map(|id| (id.value.as_str(), id.verified))
            .collect();
        assert_eq!(claims, [("ann@shop.example", false), ("+998901234567", false)]);
        assert_eq!(opening.verified, None);
    }

    #[test]
    fn what_a_site_hands_over_out_of_order_does_not_keep_the_chat_shut() {
        let request =
            request(json!({"contact": {"name": "Ann", "email": "none", "phone": 12, "x": {"y": 1}}}));
        let opening = desk(json!({})).open(&request, now());
        assert!(
            opening
                .is_ok_and(|opening| opening.person.identities.is_empty() && opening.person.name.is_some())
        );
    }

    fn asking() -> Value {
        json!({"require_prechat": true, "prechat_fields": [
            {"name": "email", "type": "email", "required": true},
            {"name": "topic", "type": "select", "options": ["Sales", "Help"]}
        ]})
    }

    #[test]
    fn required_answers_are_demanded_only_when_answers_are_given() {
        let desk = desk(asking());
        assert!(desk.open(&request(json!({})), now()).is_ok());
        let empty = desk.open(&request(json!({"contact": {}})), now());
        assert!(
            matches!(empty, Err(Rejection::Invalid(wrong)) if wrong.iter().any(|(field, _)| field == "contact.email"))
        );
        let bad = desk.open(
            &request(json!({"contact": {"email": "no", "topic": "Other"}})),
            now(),
        );
        assert!(matches!(bad, Err(Rejection::Invalid(wrong)) if wrong.len() == 2));
    }

    #[test]
    fn answers_about_anything_else_are_kept_apart_from_the_person() {
        let opening = desk(asking()).open(
            &request(json!({"contact": {"email": "a@b.co", "topic": "Help"}})),
            now(),
        );
        let answers = opening.map(|opening| opening.answers).unwrap_or_default();
        assert_eq!(json!(answers), json!({"topic": "Help"}));
    }

    #[test]
    fn a_name_that_was_answered_is_not_joined_by_the_one_the_site_knows() {
        let desk = desk(json!({"prechat_fields": [{"name": "who", "maps_to": "contact.name"}]}));
        let name = |contact: Value| {
            let opening = desk.open(&request(json!({"contact": contact})), now());
            opening.unwrap_or_default().person.name
        };
        assert_eq!(
            name(json!({"who": "Nora", "name": "user 17"})).as_deref(),
            Some("Nora")
        );
        assert_eq!(name(json!({"name": "user 17"})).as_deref(), Some("user 17"));
    }

    #[test]
    fn a_question_that_is_not_asked_is_not_demanded_and_its_answer_is_left_out() {
        let desk = desk(json!({"require_prechat": true, "prechat_fields": [
            {"name": "topic", "type": "select", "options": ["Sales", "Help"], "required": true},
            {"name": "order", "required": true, "show_when": {"field": "topic", "is": ["Help"]}}
        ]}));
        let open = |contact: Value| desk.open(&request(json!({"contact": contact})), now());
        let sales = open(json!({"topic": "Sales", "order": "17"})).map(|opening| opening.answers);
        assert_eq!(json!(sales.unwrap_or_default()), json!({"topic": "Sales"}));
        assert!(
            matches!(open(json!({"topic": "Help"})), Err(Rejection::Invalid(wrong)) if wrong[0].0 == "contact.order")
        );
        assert!(open(json!({"topic": "Help", "order": "17"})).is_ok());
    }

    #[test]
    fn while_the_line_is_closed_other_questions_are_asked_and_always_demanded() {
        let desk = desk(json!({
            "require_prechat": true,
            "prechat_fields": [{"name": "topic", "required": true}],
            "closed_fields": [{"name": "email", "type": "email", "required": true}]
        }));
        let open = |contact: Value| desk.open(&request(json!({"form": "closed", "contact": contact})), now());
        assert!(open(json!({"email": "a@b.co"})).is_ok());
        assert!(
            matches!(open(json!({})), Err(Rejection::Invalid(wrong)) if wrong.len() == 1 && wrong[0].0 == "contact.email")
        );
    }

    #[test]
    fn what_was_agreed_to_is_kept_with_its_words_and_day() {
        let settings = json!({"consent_text": "I agree to the rules of 2026."});
        let answers = |contact: Value| {
            let opening = desk(settings.clone()).open(&request(json!({"contact": contact})), now());
            opening.unwrap_or_default().answers
        };
        let agreed = answers(json!({"consent": "true"}));
        let words = agreed.get(CONSENT).and_then(Value::as_str).unwrap_or_default();
        assert!(words.ends_with(": I agree to the rules of 2026."), "{words}");
        assert_eq!(words.find(':'), Some("2026-11-22".len()));
        assert_eq!(answers(json!({"consent": "false"})).get(CONSENT), None);
        assert_eq!(answers(json!({"name": "Ann"})).get(CONSENT), None);
    }

    #[test]
    fn a_signed_identity_is_proven_or_the_session_is_refused() {
        let settings = json!({"identity_secret": "k"});
        let exp = now().timestamp() + 60;
        let signed = |signature: String| SessionRequest {
            identity: Some(SignedIdentity {
                user_id: "u1".to_owned(),
                exp,
                signature,
            }),
            ..SessionRequest::default()
        };
        let opening = desk(settings.clone())
            .open(&signed(crate::sign("k", "u1", exp)), now())
            .unwrap_or_default();
        assert_eq!(
            opening.verified,
            Some(Identity {
                kind: IdentityKind::External,
                value: "u1".to_owned(),
                verified: true
            })
        );
        assert!(matches!(
            desk(settings).open(&signed("00".to_owned()), now()),
            Err(Rejection::Unauthenticated(_))
        ));
        assert!(matches!(
            desk(json!({})).open(&signed(crate::sign("k", "u1", exp)), now()),
            Err(Rejection::Unauthenticated(_))
        ));
    }

    #[test]
    fn the_page_tells_the_touch_when_the_loader_does_not() {
        let page = json!({"url": "https://shop.example/a?utm_source=ads&x=1&gclid=g#top", "referrer": "https://search.example/"});
        let opening = desk(json!({}))
            .open(&request(json!({"page": page})), now())
            .unwrap_or_default();
        let wanted = json!({"utm_source": "ads", "gclid": "g", "referrer": "https://search.example/",
            "landing_page": "https://shop.example/a?utm_source=ads&x=1&gclid=g#top"});
        assert_eq!(
            json!(opening.attribution),
            json!({"first": wanted, "last": wanted})
        );
        let told = json!({"page": page, "attribution": {"first": {"utm_source": "mail"}, "last": {"utm_source": "sms"}}});
        let opening = desk(json!({})).open(&request(told), now()).unwrap_or_default();
        assert_eq!(
            json!(opening.attribution),
            json!({"first": {"utm_source": "mail"}, "last": {"utm_source": "sms"}})
        );
    }

    #[test]
    fn the_widget_learns_no_secret() {
        let shown = desk((crate::DESCRIPTOR.example)()).public_settings().to_string();
        assert!(
            !shown.contains("secret") && !shown.contains("a-long-random") && shown.contains("prechat_fields")
        );
    }
}

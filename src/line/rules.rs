//! A line's rules: every field of API.md's line object that is not its name or its queue, with the
//! defaults given there. Pure.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use utoipa::ToSchema;

use super::{
    due::Sla,
    hours::Hours,
    language::{self, Said, Texts},
    retention::Retention,
    text,
};

/// Skills a line may require.
const SKILL_LIMIT: usize = 50;
/// Ten years: longer times are typing errors and overflow dates.
const SECS_LIMIT: u32 = 315_360_000;

/// Whose turn it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Distribution {
    /// Always from the top of the queue.
    Strict,
    /// Who was longest not assigned one of this line.
    #[default]
    Even,
    /// Who has the lowest weighted load; equal ones as in `even`.
    LeastLoaded,
    /// Offered to all, the first to accept wins. With automatic acceptance there is nobody to wait
    /// for, and it distributes as `least_loaded`.
    All,
}

impl Distribution {
    /// The word in the API.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Strict => "strict",
            Self::Even => "even",
            Self::LeastLoaded => "least_loaded",
            Self::All => "all",
        }
    }
}

/// How an assignment becomes one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Acceptance {
    /// At once.
    #[default]
    Automatic,
    /// When the operator accepts before the deadline.
    Offer,
}

/// The responsible operator first.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(default)]
pub struct Sticky {
    /// Whether it is done.
    pub enabled: bool,
    /// Seconds a session waits for a responsible operator who is there but cannot take it now, or
    /// was there less than this time ago.
    pub grace_secs: u32,
}

impl Default for Sticky {
    fn default() -> Self {
        Self {
            enabled: true,
            grace_secs: 30,
        }
    }
}

/// Where sessions go that wait too long.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize, ToSchema)]
#[serde(default)]
pub struct Overflow {
    /// The other line.
    pub line_id: Option<String>,
    /// After this many seconds of waiting.
    pub after_secs: Option<u32>,
}

/// What is done when nobody answers.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum NoAnswerAction {
    /// Nothing.
    #[default]
    None,
    /// A text to the client.
    Text,
    /// A form to the client.
    Form,
    /// A lead that asks for a call back.
    CallbackLead,
    /// The session is closed.
    Close,
}

/// What is done when nobody answers, and when.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize, ToSchema)]
#[serde(default)]
pub struct NoAnswer {
    /// After this many seconds.
    pub after_secs: Option<u32>,
    /// What.
    pub action: NoAnswerAction,
    /// With this text.
    pub text: Option<String>,
}

/// What is done outside the hours.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum OffHoursAction {
    /// Nothing.
    #[default]
    None,
    /// A text to the client.
    Text,
    /// A form to the client.
    Form,
    /// The session moves to the overflow line.
    Overflow,
}

/// What is done outside the hours.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize, ToSchema)]
#[serde(default)]
pub struct OffHours {
    /// What.
    pub action: OffHoursAction,
    /// With this text.
    pub text: Option<String>,
}

/// Closing when the client is silent.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize, ToSchema)]
#[serde(default)]
pub struct AutoClose {
    /// After this many seconds.
    pub after_secs: Option<u32>,
    /// With this text.
    pub text: Option<String>,
}

/// Asking the client for a rating when a session is closed.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize, ToSchema)]
#[serde(default)]
pub struct Rating {
    /// Whether it is done.
    pub enabled: bool,
    /// The question. A web chat asks it in its panel, with its own words when there are none; other
    /// channels that can send back get it as a message, when there is one.
    pub text: Option<String>,
}

/// When a lead is made.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum CreateLead {
    /// For each new session, unless the contact has an open lead, which is joined.
    #[default]
    Always,
    /// For contacts without any lead or deal.
    Unknown,
    /// Never.
    Never,
}

/// What a client means who has an open deal and no open lead.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum RepeatLead {
    /// What [`CreateLead`] says: with `always` a new lead.
    #[default]
    NewLead,
    /// The deal: the conversation joins its lead, with a note, and no second lead is made.
    JoinDeal,
}

/// What a line does in the CRM.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize, ToSchema)]
#[serde(default)]
pub struct Crm {
    /// When a lead is made.
    pub create_lead: CreateLead,
    /// What a client means who has an open deal and no open lead.
    pub repeat: RepeatLead,
}

/// The rules of a line.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(default)]
pub struct Rules {
    /// Whose turn it is.
    pub distribution: Distribution,
    /// How an assignment becomes one.
    pub acceptance: Acceptance,
    /// Seconds an offer stands.
    pub offer_timeout_secs: u32,
    /// Skills an operator must have, all of them.
    pub required_skills: Vec<String>,
    /// Whether the operator must speak the contact's language, when it is known.
    pub match_language: bool,
    /// Open sessions of this line one operator may have.
    pub limit_per_operator: Option<u32>,
    /// Whether operators may make a session theirs that nobody has, by taking it or by answering it; where they
    /// may not, only the queue and supervisors give. (Who may choose takes the easy ones.)
    pub may_pull: bool,
    /// The responsible operator first.
    pub sticky: Sticky,
    /// Whether operators who are not online are assigned when nobody online can take it.
    pub assign_when_offline: bool,
    /// Seconds without a reply after which a session returns to the queue.
    pub return_after_secs: Option<u32>,
    /// Seconds an operator who left (offline, paused, off shift) has to come back to a client whom they
    /// answered before and owe another answer.
    pub leave_grace_secs: u32,
    /// Where sessions go that wait too long.
    pub overflow: Overflow,
    /// What is done when nobody answers.
    pub no_answer: NoAnswer,
    /// Until when a client is to be answered.
    pub sla: Sla,
    /// When the line is open; always, when there are none.
    pub hours: Option<Hours>,
    /// What is done outside the hours.
    pub off_hours: OffHours,
    /// What a client is greeted with.
    pub welcome_text: Option<String>,
    /// Closing when the client is silent.
    pub auto_close: AutoClose,
    /// Asking for a rating.
    pub rating: Rating,
    /// Leads.
    pub crm: Crm,
    /// How long what is over is kept.
    pub retention: Retention,
    /// The language of the texts above, as a BCP 47 tag; moments are told in it.
    pub language: Option<String>,
    /// What stands under the operators' mails, with variables.
    pub signature: Option<String>,
    /// The texts in other languages, by BCP 47 tag. The one of the contact's language is said.
    pub texts: BTreeMap<String, Texts>,
}

impl Default for Rules {
    fn default() -> Self {
        Self {
            distribution: Distribution::default(),
            acceptance: Acceptance::default(),
            offer_timeout_secs: 30,
            required_skills: Vec::new(),
            match_language: false,
            limit_per_operator: None,
            may_pull: true,
            sticky: Sticky::default(),
            assign_when_offline: false,
            return_after_secs: None,
            leave_grace_secs: 300,
            overflow: Overflow::default(),
            no_answer: NoAnswer::default(),
            sla: Sla::default(),
            hours: None,
            off_hours: OffHours::default(),
            welcome_text: None,
            auto_close: AutoClose::default(),
            rating: Rating::default(),
            crm: Crm::default(),
            retention: Retention::default(),
            language: None,
            signature: None,
            texts: BTreeMap::new(),
        }
    }
}

impl Rules {
    /// Reads the stored form. Fields of a newer version are ignored, missing ones have their defaults;
    /// a form that cannot be read at all is an error of the database's content.
    pub fn from_stored(stored: &Value) -> Result<Self, sea_orm::DbErr> {
        serde_json::from_value(stored.clone()).map_err(|error| sea_orm::DbErr::Json(error.to_string()))
    }

    /// The stored form.
    pub fn to_stored(&self) -> Value {
        serde_json::to_value(self).unwrap_or_default()
    }

    /// A text for a client of this language, and the language it is in.
    pub fn text(&self, said: Said, client: Option<&str>) -> Option<(&str, Option<&str>)> {
        let own = match said {
            Said::Welcome => &self.welcome_text,
            Said::OffHours => &self.off_hours.text,
            Said::NoAnswer => &self.no_answer.text,
            Said::AutoClose => &self.auto_close.text,
            Said::Rating => &self.rating.text,
        };
        let others = self
            .texts
            .iter()
            .filter_map(move |(tag, texts)| texts.of(said).map(|text| (tag.as_str(), text)));
        language::choose(own.as_deref(), self.language.as_deref(), others, client)
    }

    /// Whether there is such a text in any language.
    pub fn says(&self, said: Said) -> bool {
        self.text(said, None).is_some() || self.texts.values().any(|texts| texts.of(said).is_some())
    }

    /// These rules with the fields given in `patch` changed, checked. Groups such as `sticky` are
    /// changed field by field, `texts` language by language and text by text (null takes a language
    /// away), `hours` as a whole. Other keys (the line's name, a field of a newer
    /// client) are left to the caller.
    ///
    /// # Errors
    /// Each field that cannot be, by its path.
    pub fn patched(&self, patch: &Map<String, Value>) -> Result<Self, Vec<(String, String)>> {
        let Value::Object(mut all) = self.to_stored() else {
            return Ok(self.clone());
        };
        let mut errors = Vec::new();
        for (field, current) in &mut all {
            let Some(given) = patch.get(field) else { continue };
            let mut changed = given.clone();
            if let (Value::Object(old), Value::Object(new)) = (&*current, given)
                && field != "hours"
            {
                changed = Value::Object(if field == "texts" {
                    language::merged(old, new)
                } else {
                    merged(old, new)
                });
            }
            // One field at a time, so that each error has its field.
            let alone = Value::Object(Map::from_iter([(field.clone(), changed.clone())]));
            match serde_json::from_value::<Self>(alone) {
                Ok(_) => *current = changed,
                Err(error) => errors.push((field.clone(), error.to_string())),
            }
        }
        if !errors.is_empty() {
            return Err(errors);
        }
        let mut rules: Self = serde_json::from_value(Value::Object(all))
            .map_err(|error| vec![("rules".to_owned(), error.to_string())])?;
        rules.tidy();
        let errors = rules.errors();
        if errors.is_empty() { Ok(rules) } else { Err(errors) }
    }

    /// Trims skills and texts; an empty text is none, a language without a text as well.
    fn tidy(&mut self) {
        for skill in &mut self.required_skills {
            *skill = skill.trim().to_owned();
        }
        let own = [
            &mut self.no_answer.text,
            &mut self.off_hours.text,
            &mut self.welcome_text,
            &mut self.auto_close.text,
            &mut self.rating.text,
            &mut self.language,
            &mut self.signature,
        ];
        let others = self.texts.values_mut().flat_map(Texts::fields);
        for text in own.into_iter().chain(others.map(|(_, text)| text)) {
            if text.as_deref().is_some_and(|text| text.trim().is_empty()) {
                *text = None;
            }
        }
        self.texts.retain(|_, texts| *texts != Texts::default());
    }

    /// What is wrong, as `(field, message)`; empty when nothing is.
    pub fn errors(&self) -> Vec<(String, String)> {
        let mut errors = Vec::new();
        let mut wrong = |field: &str, message: String| errors.push((field.to_owned(), message));
        let times = [
            ("offer_timeout_secs", Some(self.offer_timeout_secs)),
            ("sticky.grace_secs", Some(self.sticky.grace_secs)),
            ("return_after_secs", self.return_after_secs),
            ("leave_grace_secs", Some(self.leave_grace_secs)),
            ("overflow.after_secs", self.overflow.after_secs),
            ("no_answer.after_secs", self.no_answer.after_secs),
            ("sla.first_reply_secs", self.sla.first_reply_secs),
            ("sla.next_reply_secs", self.sla.next_reply_secs),
            ("auto_close.after_secs", self.auto_close.after_secs),
        ];
        for (field, secs) in times {
            if secs.is_some_and(|secs| !(1..=SECS_LIMIT).contains(&secs)) {
                wrong(field, format!("must be from 1 to {SECS_LIMIT} seconds"));
            }
        }
        if self.limit_per_operator == Some(0) {
            wrong(
                "limit_per_operator",
                "must be at least 1, or null for no limit".to_owned(),
            );
        }
        if self.required_skills.len() > SKILL_LIMIT {
            wrong("required_skills", format!("at most {SKILL_LIMIT}"));
        }
        if self
            .required_skills
            .iter()
            .any(|skill| skill.is_empty() || skill.chars().count() > 100)
        {
            wrong("required_skills", "each must have 1 to 100 characters".to_owned());
        }
        let texts = [
            ("no_answer.text", &self.no_answer.text),
            ("off_hours.text", &self.off_hours.text),
            ("welcome_text", &self.welcome_text),
            ("auto_close.text", &self.auto_close.text),
            ("rating.text", &self.rating.text),
            ("signature", &self.signature),
        ];
        for (field, template) in texts {
            if let Some(message) = template.as_deref().and_then(text::error) {
                wrong(field, message);
            }
        }
        errors.extend(self.retention.errors());
        errors.extend(language::errors(self.language.as_deref(), &self.texts));
        if let Some(hours) = &self.hours {
            errors.extend(
                hours
                    .errors()
                    .into_iter()
                    .map(|(field, message)| (format!("hours.{field}"), message)),
            );
        }
        errors
    }
}

/// Whether somebody with these skills has all that a line requires, however they are written.
pub fn has_all(skills: &[String], required: &[String]) -> bool {
    required.iter().all(|needed| {
        let needed = needed.to_lowercase();
        skills.iter().any(|skill| skill.to_lowercase() == needed)
    })
}

fn merged(old: &Map<String, Value>, new: &Map<String, Value>) -> Map<String, Value> {
    let mut merged = old.clone();
    merged.extend(new.iter().map(|(key, value)| (key.clone(), value.clone())));
    merged
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::{Distribution, Rules, Said};

    fn patched(patch: &Value) -> Result<Rules, Vec<(String, String)>> {
        Rules::default().patched(patch.as_object().unwrap())
    }

    #[test]
    fn the_defaults_are_those_of_the_contract() {
        let expected = json!({
            "distribution": "even", "acceptance": "automatic", "offer_timeout_secs": 30, "required_skills": [],
            "match_language": false, "limit_per_operator": null, "may_pull": true, "sticky": {"enabled": true, "grace_secs": 30},
            "assign_when_offline": false, "return_after_secs": null, "leave_grace_secs": 300,
            "overflow": {"line_id": null, "after_secs": null},
            "no_answer": {"after_secs": null, "action": "none", "text": null},
            "sla": {"first_reply_secs": null, "next_reply_secs": null}, "hours": null,
            "off_hours": {"action": "none", "text": null}, "welcome_text": null,
            "auto_close": {"after_secs": null, "text": null}, "rating": {"enabled": false, "text": null},
            "crm": {"create_lead": "always", "repeat": "new_lead"},
            "retention": {"attachments_days": null, "recordings_days": null, "conversations_days": null, "contacts_days": null},
            "language": null, "signature": null, "texts": {}
        });
        assert_eq!(Rules::default().to_stored(), expected);
        assert_eq!(Rules::from_stored(&json!({})).unwrap(), Rules::default());
    }

    #[test]
    fn a_patch_changes_the_given_fields_of_a_group_and_keeps_the_others() {
        let rules =
            patched(&json!({"sticky": {"grace_secs": 5}, "distribution": "strict", "name": "ignored"}))
                .unwrap();
        assert!(rules.sticky.enabled);
        assert_eq!(
            (rules.sticky.grace_secs, rules.distribution),
            (5, Distribution::Strict)
        );
    }

    #[test]
    fn each_wrong_field_is_named() {
        let errors =
            patched(&json!({"distribution": "random", "offer_timeout_secs": -1, "acceptance": null}))
                .unwrap_err();
        let fields: Vec<&str> = errors.iter().map(|(field, _)| field.as_str()).collect();
        assert_eq!(fields, ["acceptance", "distribution", "offer_timeout_secs"]);
        let errors = patched(&json!({
            "sticky": {"grace_secs": 0}, "limit_per_operator": 0, "required_skills": [" "],
            "hours": {"time_zone": "Mars/Base", "weekly": {}}
        }))
        .unwrap_err();
        let fields: Vec<&str> = errors.iter().map(|(field, _)| field.as_str()).collect();
        assert_eq!(
            fields,
            [
                "sticky.grace_secs",
                "limit_per_operator",
                "required_skills",
                "hours.time_zone"
            ]
        );
    }

    #[test]
    fn texts_are_changed_one_by_one_and_a_null_takes_a_language_away() {
        let rules = patched(&json!({
            "welcome_text": "Hello", "texts": {"de": {"welcome_text": "Hallo", "off_hours": "Zu"}, "ru": {"off_hours": "Закрыто"}}
        }))
        .unwrap();
        let patch = json!({"texts": {"de": {"off_hours": "Geschlossen {{opens_at}}"}, "ru": null, "es": {"rating": " "}}});
        let rules = rules.patched(patch.as_object().unwrap()).unwrap();
        assert_eq!(rules.texts.keys().collect::<Vec<_>>(), ["de"]);
        assert_eq!(
            rules.text(Said::Welcome, Some("de-AT")),
            Some(("Hallo", Some("de")))
        );
        assert_eq!(
            rules.text(Said::OffHours, Some("de")).unwrap().0,
            "Geschlossen {{opens_at}}"
        );
        assert_eq!(rules.text(Said::OffHours, Some("en")), None);
        assert!(rules.says(Said::OffHours) && !rules.says(Said::Rating));
        let errors = patched(&json!({
            "welcome_text": "Hi {{who}}", "language": "german", "texts": {"de": {"no_answer": "{{x"}, "x": {"rating": "y"}}
        }))
        .unwrap_err();
        let fields: Vec<&str> = errors.iter().map(|(field, _)| field.as_str()).collect();
        assert_eq!(
            fields,
            ["welcome_text", "language", "texts.de.no_answer", "texts"]
        );
    }

    #[test]
    fn one_second_is_enough_for_every_time() {
        let patch = json!({
            "offer_timeout_secs": 1, "sticky": {"grace_secs": 1}, "return_after_secs": 1, "leave_grace_secs": 1,
            "overflow": {"after_secs": 1}, "no_answer": {"after_secs": 1}, "auto_close": {"after_secs": 1}
        });
        assert!(patched(&patch).is_ok());
    }
}

//! Leads in the shapes that other form services push (`/hooks/lead/…`). Pure.
//!
//! Each shape is read into names and values, as if the form itself had been posted. What finds no field of the
//! form is kept beside it; what does not fit its field is kept too, as it came: a service would try a refused lead
//! a few times and then forget it.

use serde_json::Value;
use switchboard_sdk::fields::{Field, MapsTo};

use crate::body::Posted;

/// Deepest nesting that is looked at.
const MAX_DEPTH: usize = 12;
/// Most values of one lead.
pub const MOST: usize = 200;

/// A lead of another service.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Lead {
    /// Whose shape it is.
    pub service: &'static str,
    /// The service's own id of the lead: the same when it brings it again.
    pub id: Option<String>,
    /// It only tries the address out: taken, and nothing is stored.
    pub is_test: bool,
    /// The answers, in order. Names are what the service calls them.
    pub values: Vec<(String, String)>,
}

/// Reads a body that is JSON; none when it is of no known shape.
pub fn of_json(body: &Value) -> Option<Lead> {
    typeform(body)
        .or_else(|| tally(body))
        .or_else(|| google_ads(body))
        .or_else(|| webflow(body))
        .or_else(|| hubspot(body))
        .or_else(|| google_forms(body))
}

/// Reads a body of names and values; none when it is of no known shape.
pub fn of_pairs(posted: &Posted) -> Option<Lead> {
    let has = |name: &str| posted.values.iter().any(|(known, _)| known == name);
    if posted.last("test") == Some("test") && posted.values.len() <= 3 {
        return Some(Lead {
            service: "tilda",
            is_test: true,
            ..Lead::default()
        });
    }
    if has("tranid") || (has("formid") && has("formname")) {
        return Some(plain("tilda", posted.last("tranid"), posted, |name| {
            ![
                "tranid",
                "formid",
                "formname",
                "COOKIES",
                "form-spec-comments",
                "tildaspec-cookie",
            ]
            .contains(&name)
                && !name.starts_with("tildaspec")
        }));
    }
    if posted.values.iter().any(|(name, _)| name.starts_with("_wpcf7")) {
        return Some(plain(
            "contact_form_7",
            posted.last("_wpcf7_posted_data_hash"),
            posted,
            |name| !name.starts_with("_wp"),
        ));
    }
    if posted
        .values
        .iter()
        .any(|(name, _)| name.starts_with("fields.") && name.ends_with(".value"))
    {
        return Some(elementor(posted));
    }
    if posted
        .values
        .iter()
        .any(|(name, _)| name.starts_with("FIELDS.") || name.starts_with("fields.TITLE"))
    {
        return Some(bitrix24(posted));
    }
    None
}

fn plain(service: &'static str, id: Option<&str>, posted: &Posted, keep: impl Fn(&str) -> bool) -> Lead {
    Lead {
        service,
        id: id.map(str::to_owned),
        is_test: false,
        values: posted
            .values
            .iter()
            .filter(|(name, _)| keep(name))
            .take(MOST)
            .cloned()
            .collect(),
    }
}

/// Elementor Pro with "advanced data": `fields[email][value]`, `meta[page_url][value]`.
fn elementor(posted: &Posted) -> Lead {
    let part = |name: &'_ str, start: &str, end: &str| {
        name.strip_prefix(start)
            .and_then(|rest| rest.strip_suffix(end))
            .map(str::to_owned)
    };
    let values = posted.values.iter().filter_map(|(name, value)| {
        let asked = part(name, "fields.", ".value");
        let meta = part(name, "meta.", ".value").filter(|name| name == "page_url");
        Some((asked.or(meta)?, value.clone()))
    });
    Lead {
        service: "elementor",
        values: values.take(MOST).collect(),
        ..Lead::default()
    }
}

/// The shape of `crm.lead.add`: `FIELDS[NAME]`, `FIELDS[PHONE][0][VALUE]`, `FIELDS[UTM_SOURCE]`.
fn bitrix24(posted: &Posted) -> Lead {
    let values = posted.values.iter().filter_map(|(name, value)| {
        let rest = name
            .strip_prefix("FIELDS.")
            .or_else(|| name.strip_prefix("fields."))?;
        let mut parts = rest.split('.');
        let first = parts.next()?;
        let is_kind = parts.next_back() == Some("VALUE_TYPE");
        let name = first.to_ascii_lowercase();
        (!is_kind).then(|| (name, value.clone()))
    });
    Lead {
        service: "bitrix24",
        values: values.take(MOST).collect(),
        ..Lead::default()
    }
}

fn typeform(body: &Value) -> Option<Lead> {
    let response = body.get("form_response")?;
    let titles = response.pointer("/definition/fields").and_then(Value::as_array);
    let title = |id: &str| {
        let field = titles?
            .iter()
            .find(|field| field.get("id").and_then(Value::as_str) == Some(id))?;
        field.get("title").and_then(Value::as_str).map(str::to_owned)
    };
    let answer = |answer: &Value| {
        let kind = answer.get("type")?.as_str()?;
        let field = answer.get("field")?;
        let reference = field.get("ref").and_then(Value::as_str);
        // A reference that people wrote names the field better than its question; one that the service made is a UUID.
        let named = reference
            .filter(|word| !(word.len() == 36 && word.matches('-').count() == 4))
            .map(str::to_owned);
        let name = named
            .or_else(|| title(field.get("id")?.as_str()?))
            .or_else(|| reference.map(str::to_owned))?;
        let value = answer.get(kind)?;
        let inner = value
            .get("label")
            .or_else(|| value.get("labels"))
            .or_else(|| value.get("other"))
            .unwrap_or(value);
        Some((name, words(inner, 0)))
    };
    let answers = response
        .get("answers")
        .and_then(Value::as_array)
        .into_iter()
        .flatten()
        .filter_map(answer);
    let hidden = pairs(response.get("hidden"));
    Some(Lead {
        service: "typeform",
        id: text(response, "token").or_else(|| text(body, "event_id")),
        is_test: false,
        values: answers.chain(hidden).take(MOST).collect(),
    })
}

fn tally(body: &Value) -> Option<Lead> {
    let data = body
        .get("data")
        .filter(|_| body.get("eventType").and_then(Value::as_str) == Some("FORM_RESPONSE"))?;
    let answer = |field: &Value| {
        let name = text(field, "label").or_else(|| text(field, "key"))?;
        let value = field.get("value")?;
        let options = field.get("options").and_then(Value::as_array);
        // Choices are ids; their words stand beside them.
        let named = |id: &Value| {
            let found = options?.iter().find(|option| option.get("id") == Some(id))?;
            text(found, "text")
        };
        let said = match value {
            Value::Array(ids) => ids
                .iter()
                .map(|id| named(id).unwrap_or_else(|| words(id, 0)))
                .collect::<Vec<_>>()
                .join(", "),
            one => named(one).unwrap_or_else(|| words(one, 0)),
        };
        Some((name, said))
    };
    let fields = data.get("fields").and_then(Value::as_array).into_iter().flatten();
    Some(Lead {
        service: "tally",
        id: text(data, "submissionId").or_else(|| text(body, "eventId")),
        is_test: false,
        values: fields
            .filter_map(answer)
            .filter(|(_, value)| !value.is_empty())
            .take(MOST)
            .collect(),
    })
}

fn google_ads(body: &Value) -> Option<Lead> {
    let columns = body.get("user_column_data")?.as_array()?;
    let column = |column: &Value| {
        Some((
            text(column, "column_id")
                .or_else(|| text(column, "column_name"))?
                .to_lowercase(),
            text(column, "string_value")?,
        ))
    };
    let mut values: Vec<(String, String)> = columns.iter().filter_map(column).take(MOST).collect();
    for (name, known) in [("gclid", "gcl_id"), ("utm_campaign", "campaign_id")] {
        values.extend(
            body.get(known)
                .map(|value| (name.to_owned(), words(value, 0)))
                .filter(|(_, value)| !value.is_empty()),
        );
    }
    Some(Lead {
        service: "google_ads",
        id: text(body, "lead_id"),
        is_test: body.get("is_test").and_then(Value::as_bool) == Some(true),
        values,
    })
}

fn webflow(body: &Value) -> Option<Lead> {
    let payload = body
        .get("payload")
        .filter(|_| body.get("triggerType").and_then(Value::as_str) == Some("form_submission"))?;
    Some(Lead {
        service: "webflow",
        id: text(payload, "id"),
        is_test: false,
        values: pairs(payload.get("data")).take(MOST).collect(),
    })
}

/// The shape of HubSpot's form API, which others imitate.
fn hubspot(body: &Value) -> Option<Lead> {
    let fields = body.get("fields")?.as_array()?;
    let mut values: Vec<(String, String)> = fields
        .iter()
        .map(|field| Some((text(field, "name")?, words(field.get("value")?, 0))))
        .take(MOST)
        .collect::<Option<_>>()?;
    if let Some(page) = body.pointer("/context/pageUri").and_then(Value::as_str) {
        values.push(("page_url".to_owned(), page.to_owned()));
    }
    Some(Lead {
        service: "hubspot",
        values,
        ..Lead::default()
    })
}

/// A script at Google Forms that sends `namedValues`: each title with a list of values.
fn google_forms(body: &Value) -> Option<Lead> {
    let named = body.get("namedValues")?;
    named.as_object()?;
    Some(Lead {
        service: "google_forms",
        id: text(body, "responseId").or_else(|| text(body, "response_id")),
        is_test: false,
        values: pairs(Some(named))
            .filter(|(_, value)| !value.is_empty())
            .take(MOST)
            .collect(),
    })
}

/// The lead under the names of the form: by name, by label, then by what a name usually means.
pub fn fitted(lead: Lead, fields: &[Field]) -> Vec<(String, String)> {
    let mut taken: Vec<&str> = Vec::new();
    let mut fitted = Vec::with_capacity(lead.values.len());
    for (name, value) in lead.values {
        let plain = name.trim().to_lowercase();
        let by_name = fields
            .iter()
            .find(|field| field.names().any(|known| known.to_lowercase() == plain));
        let by_label = || {
            fields
                .iter()
                .find(|field| field.label.trim().to_lowercase() == plain)
        };
        let by_meaning = || {
            let meaning = usual_meaning(&plain)?;
            fields.iter().find(|field| {
                field.meaning().as_ref() == Some(&meaning) && !taken.contains(&field.name.as_str())
            })
        };
        let found = by_name.or_else(by_label).or_else(by_meaning);
        if let Some(field) = found {
            taken.push(&field.name);
        }
        fitted.push((found.map_or(name, |field| field.name.clone()), value));
    }
    fitted
}

/// What a field of this name is about, in the languages whose sites we know.
fn usual_meaning(name: &str) -> Option<MapsTo> {
    let word: String = name
        .chars()
        .map(|c| if c.is_alphanumeric() { c } else { ' ' })
        .collect();
    let any = |known: &[&str]| {
        known
            .iter()
            .any(|known| word.split_whitespace().any(|part| part == *known))
    };
    if any(&["email", "mail", "почта", "емейл", "ایمیل"]) || word.contains("e mail") {
        Some(MapsTo::ContactEmail)
    } else if any(&[
        "phone",
        "tel",
        "telephone",
        "mobile",
        "телефон",
        "тел",
        "telefon",
        "تلفن",
    ]) {
        Some(MapsTo::ContactPhone)
    } else if any(&["company", "organization", "компания", "организация"]) {
        Some(MapsTo::CompanyName)
    } else if any(&[
        "name",
        "имя",
        "фио",
        "firstname",
        "lastname",
        "fullname",
        "ism",
        "نام",
        "second",
    ]) {
        Some(MapsTo::ContactName)
    } else if any(&[
        "message",
        "comment",
        "comments",
        "text",
        "question",
        "сообщение",
        "комментарий",
        "вопрос",
    ]) {
        Some(MapsTo::LeadComment)
    } else {
        None
    }
}

fn text(object: &Value, key: &str) -> Option<String> {
    let value = object.get(key)?;
    let text = value.as_str().map_or_else(
        || {
            if value.is_number() {
                value.to_string()
            } else {
                String::new()
            }
        },
        str::to_owned,
    );
    Some(text).filter(|text| !text.trim().is_empty())
}

fn pairs(object: Option<&Value>) -> impl Iterator<Item = (String, String)> {
    let fields = object.and_then(Value::as_object).into_iter().flatten();
    fields.map(|(name, value)| (name.clone(), words(value, 0)))
}

/// A value as a person would say it.
pub fn words(value: &Value, depth: usize) -> String {
    if depth > MAX_DEPTH {
        return String::new();
    }
    match value {
        Value::Null => String::new(),
        Value::String(text) => text.clone(),
        Value::Array(items) => items
            .iter()
            .map(|item| words(item, depth + 1))
            .filter(|word| !word.is_empty())
            .collect::<Vec<_>>()
            .join(", "),
        Value::Object(fields) => fields
            .values()
            .map(|item| words(item, depth + 1))
            .filter(|word| !word.is_empty())
            .collect::<Vec<_>>()
            .join(", "),
        other => other.to_string(),
    }
}

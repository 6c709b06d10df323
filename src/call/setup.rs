//! What a channel's settings say about telephones.

use std::collections::BTreeMap;

use chrono::TimeDelta;
use switchboard_sdk::{OwnNumber, Touch};

use crate::connector::{Host, Served};

/// How long a call settles on a channel whose settings cannot be read now.
const USUAL_SETTLE: TimeDelta = TimeDelta::seconds(10);

/// The part of a channel's settings that calls depend on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Setup {
    /// The channel's name.
    pub channel_name: String,
    /// How long after its end a call is left to settle.
    pub settle: TimeDelta,
    /// The company's numbers.
    pub numbers: BTreeMap<String, OwnNumber>,
    /// Operators by extension.
    pub operators: BTreeMap<String, String>,
}

impl Setup {
    /// Of a channel as it is served now.
    pub fn of(host: &Host, channel_id: &str) -> Self {
        host.served(channel_id)
            .map_or_else(|| Self::unknown(String::new()), |served| Self::of_served(&served))
    }

    /// Of a served channel.
    pub fn of_served(served: &Served) -> Self {
        let name = served.channel.name.clone();
        let telephony = served.connector.as_ref().ok().and_then(|one| one.telephony());
        telephony.map_or_else(
            || Self::unknown(name.clone()),
            |telephony| Self {
                channel_name: name.clone(),
                settle: TimeDelta::from_std(telephony.settle()).unwrap_or(USUAL_SETTLE),
                numbers: telephony.numbers().clone(),
                operators: telephony.operators().clone(),
            },
        )
    }

    fn unknown(channel_name: String) -> Self {
        Self {
            channel_name,
            settle: USUAL_SETTLE,
            numbers: BTreeMap::new(),
            operators: BTreeMap::new(),
        }
    }

    /// What admins call one of the company's numbers.
    pub fn label(&self, number: Option<&str>) -> Option<String> {
        let label = number.and_then(|number| self.numbers.get(number))?.label.trim();
        (!label.is_empty()).then(|| label.to_owned())
    }

    /// What it means that somebody rang this number.
    pub fn touch(&self, number: Option<&str>) -> Touch {
        let Some(number) = number else {
            return Touch::new();
        };
        let mut touch = Touch::from([("called_number".to_owned(), number.to_owned())]);
        let Some(known) = self.numbers.get(number) else {
            return touch;
        };
        let parts = [
            ("utm_source", &known.source),
            ("utm_medium", &known.medium),
            ("utm_campaign", &known.campaign),
        ];
        for (key, value) in parts {
            if let Some(value) = value.as_ref().filter(|value| !value.trim().is_empty()) {
                touch.insert(key.to_owned(), value.trim().to_owned());
            }
        }
        touch
    }

    /// Whose an extension is.
    pub fn operator(&self, extension: &str) -> Option<&str> {
        self.operators.get(extension).map(String::as_str)
    }

    /// An operator's extension, the first in their order.
    pub fn extension(&self, operator_id: &str) -> Option<&str> {
        self.operators
            .iter()
            .find(|(_, owner)| *owner == operator_id)
            .map(|(extension, _)| extension.as_str())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_number_that_stands_for_an_advertisement_is_its_touch() {
        let ad = OwnNumber {
            label: "Ad: search".to_owned(),
            source: Some("yandex".to_owned()),
            medium: Some(" ".to_owned()),
            campaign: None,
        };
        let setup = Setup {
            numbers: BTreeMap::from([("+7495".to_owned(), ad)]),
            ..Setup::unknown(String::new())
        };
        let touch = setup.touch(Some("+7495"));
        assert_eq!(touch.get("utm_source").map(String::as_str), Some("yandex"));
        assert_eq!(touch.len(), 2, "{touch:?}");
        assert_eq!(setup.label(Some("+7495")).as_deref(), Some("Ad: search"));
        assert_eq!((setup.touch(Some("+1")).len(), setup.touch(None).len()), (1, 0));
    }
}

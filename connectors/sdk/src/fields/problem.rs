//! What can be wrong with one value, in the visitor's language.

/// Why a value does not fit its field.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Problem {
    /// Nothing was given.
    Required,
    /// A required box is not ticked.
    NotTicked,
    /// Longer than allowed.
    TooLong {
        /// Most characters allowed.
        max: usize,
    },
    /// No e-mail address.
    NotEmail,
    /// No phone number.
    NotPhone,
    /// A phone number whose country cannot be told.
    PhoneWithoutCountry,
    /// No number.
    NotNumber,
    /// No day of the calendar.
    NotDate,
    /// None of the choices.
    NotOption,
    /// A text where a file belongs.
    NotFile,
    /// A file where a text belongs.
    NotText,
}

impl Problem {
    /// The sentence for the visitor, in the language of this BCP 47 tag where there is a translation, else
    /// in English.
    pub fn say(&self, language: &str) -> String {
        let russian = language
            .split(['-', '_'])
            .next()
            .is_some_and(|tag| tag.eq_ignore_ascii_case("ru"));
        let pick = |english: &str, other: &str| {
            if russian {
                other.to_owned()
            } else {
                english.to_owned()
            }
        };
        match self {
            Self::Required => pick("Please fill in this field.", "Заполните это поле."),
            Self::NotTicked => pick("Please tick this box.", "Поставьте эту отметку."),
            Self::TooLong { max } if russian => format!("Слишком длинно: не больше {max} знаков."),
            Self::TooLong { max } => format!("Too long: at most {max} characters."),
            Self::NotEmail => pick(
                "This is not an e-mail address, like name@example.com.",
                "Это не адрес электронной почты, например name@example.com.",
            ),
            Self::NotPhone => pick("This is not a phone number.", "Это не номер телефона."),
            Self::PhoneWithoutCountry => pick(
                "Please write the number with its country code, like +998 90 123 45 67.",
                "Напишите номер с кодом страны, например +998 90 123 45 67.",
            ),
            Self::NotNumber => pick("This is not a number.", "Это не число."),
            Self::NotDate => pick(
                "This is not a date, like 2026-01-31.",
                "Это не дата, например 2026-01-31.",
            ),
            Self::NotOption => pick("Please choose one of the options.", "Выберите один из вариантов."),
            Self::NotFile => pick("Please choose a file.", "Выберите файл."),
            Self::NotText => pick("This field takes no files.", "Это поле не принимает файлы."),
        }
    }
}

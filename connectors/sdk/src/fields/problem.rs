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
        let primary = language
            .split(['-', '_'])
            .next()
            .unwrap_or_default()
            .to_ascii_lowercase();
        let at = match primary.as_str() {
            "ru" => 1,
            "fa" => 2,
            _ => 0,
        };
        if let Self::TooLong { max } = self {
            return match at {
                1 => format!("Слишком длинно: не больше {max} знаков."),
                2 => format!("بیش از حد طولانی است: حداکثر {max} نویسه."),
                _ => format!("Too long: at most {max} characters."),
            };
        }
        self.words().get(at).copied().unwrap_or_default().to_owned()
    }

    /// In English, Russian and Persian.
    fn words(&self) -> [&'static str; 3] {
        match self {
            Self::Required => [
                "Please fill in this field.",
                "Заполните это поле.",
                "این قسمت را پر کنید.",
            ],
            Self::NotTicked => [
                "Please tick this box.",
                "Поставьте эту отметку.",
                "این گزینه را علامت بزنید.",
            ],
            Self::TooLong { .. } => [""; 3],
            Self::NotEmail => [
                "This is not an e-mail address, like name@example.com.",
                "Это не адрес электронной почты, например name@example.com.",
                "این نشانی ایمیل نیست؛ نمونه: name@example.com",
            ],
            Self::NotPhone => [
                "This is not a phone number.",
                "Это не номер телефона.",
                "این شمارهٔ تلفن نیست.",
            ],
            Self::PhoneWithoutCountry => [
                "Please write the number with its country code, like +998 90 123 45 67.",
                "Напишите номер с кодом страны, например +998 90 123 45 67.",
                "شماره را با کد کشور بنویسید؛ نمونه: +98 912 345 6789",
            ],
            Self::NotNumber => ["This is not a number.", "Это не число.", "این عدد نیست."],
            Self::NotDate => [
                "This is not a date, like 2026-01-31.",
                "Это не дата, например 2026-01-31.",
                "این تاریخ نیست؛ نمونه: 2026-01-31",
            ],
            Self::NotOption => [
                "Please choose one of the options.",
                "Выберите один из вариантов.",
                "یکی از گزینه‌ها را انتخاب کنید.",
            ],
            Self::NotFile => ["Please choose a file.", "Выберите файл.", "یک فایل انتخاب کنید."],
            Self::NotText => [
                "This field takes no files.",
                "Это поле не принимает файлы.",
                "این قسمت فایل نمی‌پذیرد.",
            ],
        }
    }
}

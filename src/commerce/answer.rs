//! What 1C is answered: lines of text, the first of them a word it knows. Pure.

use switchboard_exchange::text::windows_1251;

use super::{Counts, Language, State};

/// The encoding of answers; 1C reads it in every version, whatever it is told about it.
pub const CONTENT_TYPE: &str = "text/plain; charset=windows-1251";

/// It went well.
pub fn success() -> Vec<u8> {
    b"success\n".to_vec()
}

/// It did not, and why.
pub fn failure(why: &Why, language: Language) -> Vec<u8> {
    windows_1251(&format!("failure\n{}\n", why.said(language)))
}

/// Signed in: the cookie it sends from now on, and what it repeats in addresses.
pub fn signed_in(cookie: &str, token: &str, now: i64) -> Vec<u8> {
    format!(
        "success\n{cookie}\n{token}\nsessid={}\ntimestamp={now}\n",
        token.get(..16).unwrap_or(token)
    )
    .into_bytes()
}

/// What it may send.
pub fn limits(part_bytes: u64) -> Vec<u8> {
    format!("zip=yes\nfile_limit={part_bytes}\n").into_bytes()
}

/// No orders of ours: this exchange goes one way.
pub fn nothing_of_ours(at: &str) -> Vec<u8> {
    format!(
        "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<КоммерческаяИнформация ВерсияСхемы=\"2.08\" ДатаФормирования=\"{at}\"/>\n"
    )
    .into_bytes()
}

/// Where a file is that 1C asked to be taken in.
pub fn of_file(
    state: State,
    cursor: i64,
    counts: &Counts,
    error: Option<&str>,
    language: Language,
) -> Vec<u8> {
    match state {
        State::Done | State::Unpacked if counts.failed == 0 => success(),
        State::Done | State::Unpacked => {
            let failed = counts.failed;
            windows_1251(&match language {
                Language::Ru => {
                    format!("success\nНе принято: {failed}. Причины показаны в настройках обмена.\n")
                }
                Language::En => {
                    format!("success\nNot taken: {failed}. The settings of the exchange list the reasons.\n")
                }
            })
        }
        State::Failed => windows_1251(&format!("failure\n{}\n", error.unwrap_or_default())),
        State::Receiving | State::Waiting => windows_1251(&match language {
            Language::Ru => format!("progress\nОбработано: {cursor}\n"),
            Language::En => format!("progress\nTaken in so far: {cursor}\n"),
        }),
    }
}

/// Why something was not done.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Why {
    /// The name or the password is wrong.
    Password,
    /// It has not signed in, or too long ago.
    NotSignedIn,
    /// An admin holds the exchange.
    Disabled,
    /// It does not say which file.
    NoName,
    /// It sent no such file.
    NoFile,
    /// A part is larger than was agreed.
    PartTooLarge,
    /// The file is larger than any may be.
    FileTooLarge,
    /// It sends more of a file that is being taken in already.
    Busy,
    /// It asks for something we do not do.
    Mode,
    /// Our store is away.
    Away,
}

impl Why {
    fn said(self, language: Language) -> &'static str {
        match (language, self) {
            (Language::Ru, Self::Password) => "Неверное имя пользователя или пароль.",
            (Language::Ru, Self::NotSignedIn) => "Сеанс обмена не начат или устарел. Повторите обмен.",
            (Language::Ru, Self::Disabled) => "Обмен выключен администратором.",
            (Language::Ru, Self::NoName) => "Не указано имя файла (filename).",
            (Language::Ru, Self::NoFile) => "Файл не был передан.",
            (Language::Ru, Self::PartTooLarge) => "Часть файла больше, чем разрешено (file_limit).",
            (Language::Ru, Self::FileTooLarge) => "Файл слишком большой.",
            (Language::Ru, Self::Busy) => "Файл уже обрабатывается. Повторите обмен позже.",
            (Language::Ru, Self::Mode) => "Такая операция обмена не поддерживается.",
            (Language::Ru, Self::Away) => "Сервер временно недоступен. Повторите обмен позже.",
            (Language::En, Self::Password) => "The user name or the password is wrong.",
            (Language::En, Self::NotSignedIn) => {
                "The exchange has not been begun, or too long ago. Begin again."
            }
            (Language::En, Self::Disabled) => "The exchange is switched off.",
            (Language::En, Self::NoName) => "The name of the file is missing (filename).",
            (Language::En, Self::NoFile) => "No such file was sent.",
            (Language::En, Self::PartTooLarge) => "A part is larger than was agreed (file_limit).",
            (Language::En, Self::FileTooLarge) => "The file is too large.",
            (Language::En, Self::Busy) => "The file is being taken in already. Try again later.",
            (Language::En, Self::Mode) => "This operation is not offered.",
            (Language::En, Self::Away) => "The server is away. Try again later.",
        }
    }
}

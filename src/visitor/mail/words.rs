//! What such a mail says, in the visitor's language. Pure.

use chrono::{DateTime, Utc};
use chrono_tz::Tz;

use crate::line::{language::primary, text};

/// Longest text of a mail, in characters.
const MAX_CHARS: usize = 200_000;

/// One language. `{line}` is the line's name.
struct Words {
    replies_subject: &'static str,
    replies: &'static str,
    answer: &'static str,
    transcript_subject: &'static str,
    transcript: &'static str,
    you: &'static str,
    staff: &'static str,
}

const ENGLISH: Words = Words {
    replies_subject: "New messages from {line}",
    replies: "While you were away, {line} wrote to you in the chat:",
    answer: "To go on, just answer this e-mail: your answer joins the chat.",
    transcript_subject: "Your chat with {line}",
    transcript: "A copy of your chat with {line}.",
    you: "You",
    staff: "Support",
};

const OTHERS: [(&str, Words); 5] = [
    (
        "ru",
        Words {
            replies_subject: "Новые сообщения: {line}",
            replies: "Пока вас не было, вам ответили в чате ({line}):",
            answer: "Чтобы продолжить, просто ответьте на это письмо: ваш ответ попадёт в чат.",
            transcript_subject: "Ваш чат: {line}",
            transcript: "Копия вашего чата ({line}).",
            you: "Вы",
            staff: "Поддержка",
        },
    ),
    (
        "uz",
        Words {
            replies_subject: "Yangi xabarlar: {line}",
            replies: "Siz yoʻqligingizda chatda sizga javob yozishdi ({line}):",
            answer: "Davom ettirish uchun shu xatga javob yozing: javobingiz chatga qoʻshiladi.",
            transcript_subject: "Sizning suhbatingiz: {line}",
            transcript: "Suhbatingiz nusxasi ({line}).",
            you: "Siz",
            staff: "Yordam xizmati",
        },
    ),
    (
        "de",
        Words {
            replies_subject: "Neue Nachrichten von {line}",
            replies: "Während Sie weg waren, hat {line} Ihnen im Chat geschrieben:",
            answer: "Antworten Sie einfach auf diese E-Mail: Ihre Antwort kommt in den Chat.",
            transcript_subject: "Ihr Chat mit {line}",
            transcript: "Eine Kopie Ihres Chats mit {line}.",
            you: "Sie",
            staff: "Support",
        },
    ),
    (
        "es",
        Words {
            replies_subject: "Mensajes nuevos de {line}",
            replies: "Mientras no estaba, {line} le escribió en el chat:",
            answer: "Para continuar, responda a este correo: su respuesta llegará al chat.",
            transcript_subject: "Su chat con {line}",
            transcript: "Una copia de su chat con {line}.",
            you: "Usted",
            staff: "Soporte",
        },
    ),
    (
        "fa",
        Words {
            replies_subject: "پیام‌های تازه از {line}",
            replies: "وقتی نبودید، {line} در گفتگو برای شما نوشت:",
            answer: "برای ادامه، به همین ایمیل پاسخ دهید: پاسخ شما به گفتگو می‌رسد.",
            transcript_subject: "گفتگوی شما با {line}",
            transcript: "رونوشت گفتگوی شما با {line}.",
            you: "شما",
            staff: "پشتیبانی",
        },
    ),
];

/// What somebody said.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Said {
    /// Who, as the visitor knows them.
    pub who: String,
    /// When.
    pub at: DateTime<Utc>,
    /// The text.
    pub text: String,
    /// Files: name and address.
    pub files: Vec<(String, String)>,
}

/// A language, a name and a time zone.
pub struct Speech {
    words: &'static Words,
    line: String,
    zone: Tz,
    offset: String,
}

impl Speech {
    /// In the visitor's language, English when we do not speak it.
    pub fn new(language: Option<&str>, line: &str, zone: Tz, now: DateTime<Utc>) -> Self {
        let language = language.map(primary);
        let known = OTHERS.iter().find(|(code, _)| {
            language
                .as_deref()
                .is_some_and(|it| it.eq_ignore_ascii_case(code))
        });
        Self {
            words: known.map_or(&ENGLISH, |(_, words)| words),
            line: line.to_owned(),
            zone,
            offset: text::offset(now, zone.name()),
        }
    }

    pub fn you(&self) -> &'static str {
        self.words.you
    }

    pub fn staff(&self) -> &'static str {
        self.words.staff
    }

    /// Subject and text of a mail that brings replies.
    pub fn replies(&self, said: &[Said]) -> (String, String) {
        let body = format!(
            "{}\n\n{}\n\n{}\n",
            self.fill(self.words.replies),
            self.lines(said),
            self.words.answer
        );
        (self.fill(self.words.replies_subject), body)
    }

    /// Subject and text of a transcript.
    pub fn transcript(&self, said: &[Said]) -> (String, String) {
        let body = format!("{}\n\n{}\n", self.fill(self.words.transcript), self.lines(said));
        (self.fill(self.words.transcript_subject), body)
    }

    fn fill(&self, words: &str) -> String {
        words.replace("{line}", &self.line)
    }

    /// What was said, in order; the newest of it when it is too much.
    fn lines(&self, said: &[Said]) -> String {
        let mut room = MAX_CHARS;
        let mut told: Vec<String> = Vec::with_capacity(said.len());
        for one in said.iter().rev() {
            let text = self.one(one);
            let chars = text.chars().count();
            if chars > room {
                told.push("…".to_owned());
                break;
            }
            room -= chars;
            told.push(text);
        }
        told.reverse();
        told.join("\n\n")
    }

    fn one(&self, said: &Said) -> String {
        let at = said.at.with_timezone(&self.zone).format("%Y-%m-%d %H:%M");
        let mut text = format!("{}, {at} ({})", said.who, self.offset);
        if !said.text.trim().is_empty() {
            text.push('\n');
            text.push_str(said.text.trim_end());
        }
        for (name, url) in &said.files {
            text.push_str(&format!("\n[{name}] {url}"));
        }
        text
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at() -> DateTime<Utc> {
        DateTime::from_timestamp(1_800_000_000, 0).unwrap()
    }

    fn said(text: &str) -> Said {
        Said {
            who: "Anna".to_owned(),
            at: at(),
            text: text.to_owned(),
            files: vec![("bill.pdf".to_owned(), "https://desk.example/files/1".to_owned())],
        }
    }

    #[test]
    fn a_mail_speaks_the_visitors_language_and_tells_times_of_the_line() {
        let speech = Speech::new(Some("ru-RU"), "Магазин {line}", Tz::Asia__Tashkent, at());
        let (subject, body) = speech.replies(&[said("Готово")]);
        assert_eq!(subject, "Новые сообщения: Магазин {line}");
        assert!(
            body.contains("Anna, 2027-01-15 13:00 (UTC+5)\nГотово\n[bill.pdf] https://desk.example/files/1"),
            "{body}"
        );
        assert!(body.ends_with("попадёт в чат.\n"));
        let unknown = Speech::new(Some("xx"), "Shop", Tz::UTC, at());
        assert_eq!(unknown.transcript(&[]).0, "Your chat with Shop");
    }

    #[test]
    fn every_language_says_everything() {
        for (code, words) in &OTHERS {
            let all = [
                words.replies_subject,
                words.replies,
                words.transcript_subject,
                words.transcript,
            ];
            assert!(all.iter().all(|text| text.contains("{line}")), "{code}");
            assert!(
                [words.answer, words.you, words.staff]
                    .iter()
                    .all(|text| !text.is_empty())
            );
        }
    }

    #[test]
    fn an_endless_chat_keeps_its_end() {
        let speech = Speech::new(None, "Shop", Tz::UTC, at());
        let long = said(&"a".repeat(MAX_CHARS - 200));
        let (_, body) = speech.transcript(&[said("first"), long, said("last")]);
        assert!(!body.contains("first") && body.contains("last") && body.contains('…'));
    }
}

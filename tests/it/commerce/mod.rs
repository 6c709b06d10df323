//! 1C sends orders and counterparties; these tests do what it does, request by request.

mod exchanging;
mod interrupted;
mod people;
mod setting_up;

use serde_json::{Value, json};
use switchboard_exchange::text::windows_1251;

use crate::support::TestApp;

/// An answer as 1C reads it.
#[derive(Debug)]
pub struct Said {
    pub status: u16,
    pub text: String,
}

impl Said {
    /// The word it acts upon.
    pub fn word(&self) -> &str {
        self.text.lines().next().unwrap_or_default()
    }
}

/// A 1C that was set up with an exchange.
pub struct OneC<'a> {
    pub app: &'a TestApp,
    pub exchange: Value,
    pub password: String,
    cookie: Option<String>,
}

impl<'a> OneC<'a> {
    /// Set up by an admin, and not signed in.
    pub async fn new(app: &'a TestApp, options: Value) -> Self {
        let made = app
            .post("/commerce-exchanges", json!({"options": options}))
            .await
            .expect(201);
        Self {
            app,
            password: made["password"].as_str().unwrap().to_owned(),
            exchange: made,
            cookie: None,
        }
    }

    /// Set up and signed in.
    pub async fn signed_in(app: &'a TestApp, options: Value) -> Self {
        let mut one = Self::new(app, options).await;
        one.sign_in().await;
        one
    }

    /// One request of its.
    pub async fn ask(&self, method: &str, query: &str, body: Vec<u8>) -> Said {
        let url = format!("{}?{query}", self.exchange["url"].as_str().unwrap());
        let mut request = self.app.client.request(method.parse().unwrap(), url).body(body);
        request = match &self.cookie {
            Some(cookie) => request.header("cookie", cookie),
            None => request.basic_auth("1c", Some(&self.password)),
        };
        let answer = request.send().await.unwrap();
        let status = answer.status().as_u16();
        let text = answer.text_with_charset("utf-8").await.unwrap();
        Said { status, text }
    }

    /// Begins an exchange.
    pub async fn sign_in(&mut self) {
        self.cookie = None;
        let said = self.ask("GET", "type=sale&mode=checkauth", vec![]).await;
        let lines: Vec<&str> = said.text.lines().collect();
        assert_eq!((said.status, lines[0]), (200, "success"), "{}", said.text);
        self.cookie = Some(format!("{}={}", lines[1], lines[2]));
        let said = self.ask("GET", "type=sale&mode=init", vec![]).await;
        assert!(said.text.starts_with("zip=yes\nfile_limit="), "{}", said.text);
    }

    /// Sends a file in parts of so many bytes.
    pub async fn send(&self, name: &str, bytes: &[u8], part: usize) {
        for piece in bytes.chunks(part) {
            let said = self
                .ask(
                    "POST",
                    &format!("type=sale&mode=file&filename={name}"),
                    piece.to_vec(),
                )
                .await;
            assert_eq!((said.status, said.word()), (200, "success"), "{}", said.text);
        }
    }

    /// Has a file taken in, asking again as long as it is told to.
    pub async fn import(&self, name: &str) -> Said {
        loop {
            let said = self
                .ask("GET", &format!("type=sale&mode=import&filename={name}"), vec![])
                .await;
            if said.word() != "progress" {
                return said;
            }
        }
    }

    /// A whole exchange of one file.
    pub async fn exchanges(&mut self, name: &str, text: &str) -> Said {
        self.sign_in().await;
        self.send(name, &windows_1251(text), 500).await;
        self.import(name).await
    }

    /// The file it sent last.
    pub async fn last_file(&self) -> Value {
        let id = self.exchange["id"].as_str().unwrap();
        let files = self.app.get(&format!("/commerce-exchanges/{id}/files")).await;
        files["items"][0].clone()
    }
}

/// A file of these things.
pub fn file(inside: &str) -> String {
    format!(
        "<?xml version=\"1.0\" encoding=\"windows-1251\"?>\n<КоммерческаяИнформация ВерсияСхемы=\"2.08\">{inside}</КоммерческаяИнформация>"
    )
}

/// An order with these facts ("Статус заказа", "Отменен", …).
pub fn order(number: &str, amount: &str, customer: &str, facts: &[(&str, &str)]) -> String {
    let fact = |(name, value): &(&str, &str)| {
        format!(
            "<ЗначениеРеквизита><Наименование>{name}</Наименование><Значение>{value}</Значение></ЗначениеРеквизита>"
        )
    };
    let facts: String = facts.iter().map(fact).collect();
    format!(
        "<Документ><Ид>order-{number}</Ид><Номер>{number}</Номер><Дата>2026-11-20</Дата><Время>10:00:00</Время>\
         <ХозОперация>Заказ товара</ХозОперация><Валюта>руб</Валюта><Сумма>{amount}</Сумма><Контрагенты>{customer}</Контрагенты>\
         <Товары><Товар><Ид>1</Ид><Наименование>Чайник</Наименование><Количество>2</Количество><ЦенаЗаЕдиницу>500</ЦенаЗаЕдиницу>\
         <Сумма>1000</Сумма></Товар></Товары><ЗначенияРеквизитов>{facts}</ЗначенияРеквизитов></Документ>"
    )
}

/// A person.
pub fn person(id: &str, name: &str, phone: &str) -> String {
    format!(
        "<Контрагент><Ид>{id}</Ид><Наименование>{name}</Наименование><Фамилия>{name}</Фамилия>\
         <Контакты><Контакт><Тип>Телефон</Тип><Значение>{phone}</Значение></Контакт></Контакты></Контрагент>"
    )
}

/// A company, with whatever stands beside its name and numbers.
pub fn company(id: &str, name: &str, inn: &str, kpp: &str, more: &str) -> String {
    format!(
        "<Контрагент><Ид>{id}</Ид><Наименование>{name}</Наименование><ОфициальноеНаименование>{name}</ОфициальноеНаименование>\
         <ИНН>{inn}</ИНН><КПП>{kpp}</КПП>{more}</Контрагент>"
    )
}

/// The items of a list.
pub async fn all(app: &TestApp, path: &str) -> Vec<Value> {
    app.get(path).await["items"].as_array().unwrap().clone()
}

/// The first pipeline's stage of a kind.
pub async fn stage(app: &TestApp, kind: &str) -> Value {
    let pipelines = all(app, "/pipelines").await;
    let stages = pipelines[0]["stages"].as_array().unwrap();
    stages.iter().find(|stage| stage["kind"] == kind).unwrap()["id"].clone()
}

/// All files in the storage.
pub fn kept_files(app: &TestApp) -> Vec<std::path::PathBuf> {
    fn below(folder: &std::path::Path) -> Vec<std::path::PathBuf> {
        let entries = std::fs::read_dir(folder).into_iter().flatten();
        entries
            .map(|entry| entry.unwrap().path())
            .flat_map(|path| if path.is_dir() { below(&path) } else { vec![path] })
            .collect()
    }
    below(&app.database.folder.path().join("attachments"))
}

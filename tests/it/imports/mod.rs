//! Files that are taken in, and lists that become files.

mod cli;
mod crash;
mod deals;
mod exports;
mod jobs;
mod quiet;

use reqwest::multipart::{Form, Part};
use serde_json::{Value, json};

use crate::support::{Answer, TestApp};

/// A table as a Russian Excel writes it.
pub fn excel(text: &str) -> Vec<u8> {
    // windows-1251, as far as these tests need it.
    text.chars()
        .map(|char| match char {
            'А'..='я' => u8::try_from(u32::from(char) - u32::from('А') + 0xc0).unwrap(),
            'ё' => 0xb8,
            'Ё' => 0xa8,
            '«' => 0xab,
            '»' => 0xbb,
            ascii => u8::try_from(u32::from(ascii)).unwrap(),
        })
        .collect()
}

/// A table of so many rows in which every fiftieth is wrong.
pub fn table(rows: usize) -> String {
    let mut table = String::from("Name,E-mail,Phone,Company,Comment\r\n");
    for row in 1..=rows {
        let phone = if row % 50 == 0 {
            "7,90E+10".to_owned()
        } else {
            format!("+79{:09}", 1_000_000 + row)
        };
        table.push_str(&format!(
            "Person {row},p{row}@shop.example,\"{phone}\",Company {},\"said, once\"\r\n",
            row % 97
        ));
    }
    table
}

/// Uploads a file.
pub async fn upload(app: &TestApp, key: &str, name: &str, data: Vec<u8>) -> Answer {
    let part = Part::bytes(data).file_name(name.to_owned());
    let url = format!("{}/api/v1/imports", app.base);
    let form = Form::new().part("file", part);
    app.ask(app.client.post(url).bearer_auth(key).multipart(form))
        .await
}

/// Waits until nobody works on an import any more.
pub async fn ended(app: &TestApp, import: &Value) -> Value {
    let path = format!("/imports/{}", import["id"].as_str().unwrap());
    app.until("the import ends", || async {
        let now = app.get(&path).await;
        let busy = ["checking", "running", "undoing"].contains(&now["state"].as_str().unwrap());
        (!busy).then_some(now)
    })
    .await
}

/// Does something with an import and waits for its end.
pub async fn act(app: &TestApp, import: &Value, action: &str) -> Value {
    let path = format!("/imports/{}/{action}", import["id"].as_str().unwrap());
    app.post(&path, json!({})).await.expect(200);
    ended(app, import).await
}

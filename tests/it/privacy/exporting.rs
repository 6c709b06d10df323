//! Everything of a person as a file.

use std::io::{Cursor, Read};

use serde_json::{Value, json};

use super::{PHONE, SECRET, seed};
use crate::{
    people::{items, text},
    support::TestApp,
};

async fn exported(app: &TestApp, contact: &str) -> (Value, Vec<u8>) {
    let asked = app
        .post(&format!("/contacts/{contact}/export"), json!({}))
        .await
        .expect(202);
    let path = format!("/contacts/{contact}/exports/{}", text(&asked["id"]));
    let done = app
        .until("the archive is made", || async {
            let now = app.get(&path).await;
            (now["state"] == "done").then_some(now)
        })
        .await;
    let url = format!("{}/api/v1{path}/file", app.base);
    let file = app.client.get(url).bearer_auth(&app.key).send().await.unwrap();
    assert_eq!(file.status(), 200);
    assert_eq!(file.headers()["content-type"], "application/zip");
    (done, file.bytes().await.unwrap().to_vec())
}

both_databases! {
    async fn a_person_gets_all_that_is_known_of_them_and_nothing_of_others(app: TestApp) {
        let known = seed(&app).await;
        let (done, bytes) = exported(&app, &known.contact).await;
        assert_eq!(done["size"], bytes.len());
        let mut archive = zip::ZipArchive::new(Cursor::new(bytes)).unwrap();
        let mut whole = String::new();
        let mut names = Vec::new();
        for place in 0..archive.len() {
            let mut file = archive.by_index(place).unwrap();
            names.push(file.name().unwrap().into_owned());
            let mut content = Vec::new();
            file.read_to_end(&mut content).unwrap();
            whole.push_str(&String::from_utf8_lossy(&content));
        }
        for name in ["contact.json", "calls.json", "submissions.json", "leads.json", "deals.json", "tasks.json"] {
            assert!(names.iter().any(|known| known == name), "{name}: {names:?}");
        }
        let has = |part: &str| names.iter().any(|name| name.contains(part));
        assert!(has("conversations/") && has(".vcf") && has("me.txt") && has("mail.eml"), "{names:?}");
        assert!(whole.contains("RIFF"), "the recording: {names:?}");
        for word in [SECRET, PHONE, &known.mail, "Gulnora K.", "Bicycle"] {
            assert!(whole.contains(word), "{word}");
        }
        assert!(!whole.contains("Ask my friend"));

        let (_, operator) = app.operator("Olga", "operator").await;
        let path = format!("/contacts/{}/export", known.contact);
        app.call_as(&operator, "POST", &path, Some(json!({}))).await.expect(403);
        // It goes with its person.
        let listed = app.get(&format!("/contacts/{}/exports", known.contact)).await;
        assert_eq!(items(&listed).len(), 1);
    }
}

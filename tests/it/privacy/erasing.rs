//! Erasing over the API.

use serde_json::{Value, json};

use super::{SECRET, found_in_tables, found_on_disk, seed};
use crate::{
    people::{by_hand, items},
    support::TestApp,
};

async fn done(app: &TestApp, erasure: &Value) -> Value {
    let path = format!("/erasures/{}", erasure["id"].as_str().unwrap());
    app.until("the erasure is done", || async {
        let now = app.get(&path).await;
        (now["state"] == "done").then_some(now)
    })
    .await
}

both_databases! {
    async fn an_erased_person_is_found_in_no_answer_no_table_and_no_file(app: TestApp) {
        let known = seed(&app).await;
        let folder = app.database.folder.path().to_owned();
        assert!(!found_on_disk(&folder, &known).is_empty());
        assert!(found_in_tables(&app.app.db, &known).await.len() > 20);
        let preview = app.get(&format!("/contacts/{}/erasure", known.contact)).await;
        assert_eq!(preview["contacts"], 2, "{preview}");
        assert!(preview["messages"].as_u64().unwrap() >= 5, "{preview}");

        let path = format!("/contacts/{}", known.contact);
        let erasure = app.call("DELETE", &path, None).await.expect(202);
        for path in &known.paths {
            assert_eq!(app.call("GET", path, None).await.status, 404, "{path}");
        }
        for path in ["/contacts", "/conversations?view=all", "/leads", "/calls", "/submissions", "/tasks"] {
            let list = app.get(path).await.to_string();
            assert!(!list.contains(SECRET) && !list.contains(&known.contact), "{path}: {list}");
        }
        let hits = app.get(&format!("/search?q={SECRET}")).await;
        assert!(!hits.to_string().contains("zebra"), "{hits}");

        let erasure = done(&app, &erasure).await;
        assert_eq!(erasure["counts"]["contacts"], 2, "{erasure}");
        assert_eq!(erasure["counts"]["calls"], 1, "{erasure}");
        assert_eq!(erasure["counts"]["deals_kept"], 1, "{erasure}");
        assert_eq!(found_in_tables(&app.app.db, &known).await, Vec::<String>::new());
        assert_eq!(found_on_disk(&folder, &known), Vec::<String>::new());

        // The figures stay, and other people with what they said.
        let deal = app.get(&format!("/deals/{}", known.deal)).await;
        assert_eq!((deal["contact_id"].is_null(), deal["amount"].to_string().contains("150")), (true, true), "{deal}");
        let said = app.get(&format!("/conversations/{}/messages", known.friend)).await;
        assert_eq!(
            items(&said)[0]["text"],
            "Ask my friend [erased] or call [erased]. Her friend is other@example.com"
        );
        let quarantine = app.get("/quarantine").await;
        assert_eq!(items(&quarantine).len(), 1, "{quarantine}");
        assert_eq!(app.call("DELETE", &path, None).await.status, 404);
        // Nothing that waited goes out any more, and everything goes on working.
        let listed = app.get("/erasures").await;
        assert_eq!(items(&listed).len(), 1);
        app.stop().await;
    }

    async fn erasing_is_for_admins_and_who_comes_again_is_somebody_new(app: TestApp) {
        let contact = by_hand(&app, json!({"name": "Ada", "emails": ["ada@client.example"]})).await;
        let path = format!("/contacts/{contact}");
        let (_, supervisor) = app.operator("Sue", "supervisor").await;
        app.call_as(&supervisor, "DELETE", &path, None).await.expect(403);
        app.call_as(&supervisor, "GET", "/erasures", None).await.expect(403);
        app.call("DELETE", "/contacts/cnt_nobody", None).await.expect(404);
        let erasure = app.call("DELETE", &path, None).await.expect(202);
        done(&app, &erasure).await;
        let again = by_hand(&app, json!({"name": "Ada", "emails": ["ada@client.example"]})).await;
        assert_ne!(again, contact);
        let view = app.get(&format!("/contacts/{again}")).await;
        assert_eq!(view["emails"], json!(["ada@client.example"]));
    }
}

//! Who is told of what an import makes.

use sea_orm::{ColumnTrait, EntityTrait, PaginatorTrait, QueryFilter};
use serde_json::{Value, json};
use switchboard::db::entity::webhook_delivery;

use super::{act, upload};
use crate::{
    support::TestApp,
    webhooks::{Receiver, webhook},
};

async fn taken_in(app: &TestApp, file: &str, options: Value) -> String {
    let import = upload(app, &app.key, "people.csv", file.as_bytes().to_vec())
        .await
        .expect(201);
    let path = format!("/imports/{}", import["id"].as_str().unwrap());
    app.patch(&path, json!({"options": options})).await.expect(200);
    act(app, &import, "start").await;
    let leads = app.get("/leads?limit=1").await;
    leads["items"][0]["id"].as_str().unwrap().to_owned()
}

both_databases! {
    async fn an_import_that_keeps_inside_tells_no_webhook_until_somebody_works_on_what_it_made(app: TestApp) {
        let receiver = Receiver::serve().await;
        webhook(&app, &receiver, "all", &["lead.created", "lead.updated", "contact.updated"]).await;
        let quiet = taken_in(&app, "name,email\r\nAnna,anna@shop.example\r\n", json!({"send_out": false})).await;
        let loud = taken_in(&app, "name,email\r\nBoris,boris@shop.example\r\n", json!({})).await;
        let heard = receiver.heard("all", 2).await;
        let told: Vec<&Value> = heard.iter().map(|one| &one.body["data"]["id"]).collect();
        assert!(told.contains(&&json!(loud)), "{told:?}");
        let of_quiet = webhook_delivery::Entity::find()
            .filter(webhook_delivery::Column::ObjectId.eq(&quiet))
            .count(app.app.db.read())
            .await
            .unwrap();
        assert_eq!(of_quiet, 0, "later ones are there, so it was passed over");
        app.patch(&format!("/leads/{quiet}"), json!({"title": "Two bicycles"})).await.expect(200);
        let heard = receiver.heard("all", 3).await;
        assert_eq!(heard[2].body["data"]["id"], json!(quiet));
    }

    async fn operators_see_what_comes_in_and_their_attention_is_called_only_when_asked(app: TestApp) {
        let mut socket = app.socket(&app.key, None).await;
        for (notify, file) in [(false, "name,email\r\nAnna,anna@shop.example\r\n"), (true, "name,email\r\nBoris,boris@shop.example\r\n")] {
            let lead = taken_in(&app, file, json!({"notify": notify})).await;
            let frame = socket.until(|frame| frame["type"] == "lead.created").await;
            assert_eq!(frame["data"]["id"], json!(lead));
            assert_eq!(frame.get("quiet"), (!notify).then_some(&json!(true)), "{frame}");
        }
    }
}

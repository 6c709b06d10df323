//! What nobody needs any more goes, and nothing else does.

use chrono::TimeDelta;
use sea_orm::{ColumnTrait, EntityTrait, PaginatorTrait, QueryFilter, sea_query::Expr};
use serde_json::json;
use switchboard::{
    db::entity::{attachment, consumer_cursor, event, message, visitor},
    event::consumer::{self, Consumer},
    lead::follow::FirstReply,
    retention,
    search::Indexer,
};

use crate::support::TestApp;

async fn catch_up(app: &TestApp, follower: &impl Consumer) {
    let mut passed = 0;
    while consumer::step(&app.app.db, &app.app.clock, follower, &mut passed)
        .await
        .unwrap()
    {}
}

/// A follower that is asked for nothing stores its place every few hundred events only.
async fn store_place(app: &TestApp, follower: &str) {
    let head = *app.app.db.head().borrow();
    let write = app.app.db.write().await.unwrap();
    consumer_cursor::Entity::update_many()
        .col_expr(consumer_cursor::Column::Seq, Expr::value(head))
        .filter(consumer_cursor::Column::Name.eq(follower))
        .exec(write.tx())
        .await
        .unwrap();
    write.commit().await.unwrap();
}

both_databases! {
    async fn silent_visitors_unsent_files_and_the_old_log_go_and_what_was_said_stays(app: TestApp) {
        let line = app.line("Support", json!({})).await;
        let channel = app.channel("webchat", &line, json!({})).await;
        let _silent = app.visitor(&channel).await;
        let speaker = app.visitor(&channel).await;
        app.says(&channel, &speaker, "Hello").await;
        let part = reqwest::multipart::Part::bytes(b"never sent".to_vec()).file_name("note.txt");
        let form = reqwest::multipart::Form::new().part("file", part);
        let upload = app.client.post(format!("{}/api/v1/attachments", app.base)).bearer_auth(&app.key);
        assert_eq!(upload.multipart(form).send().await.unwrap().status(), 201);
        catch_up(&app, &FirstReply).await;
        catch_up(&app, &Indexer).await;
        store_place(&app, "automation.texts").await;

        let (db, storage) = (&app.app.db, &app.app.storage);
        let before = event::Entity::find().count(db.read()).await.unwrap();
        retention::sweep(db, storage, app.app.clock.now()).await.unwrap();
        assert_eq!(event::Entity::find().count(db.read()).await.unwrap(), before, "nothing is old yet");
        assert_eq!(visitor::Entity::find().count(db.read()).await.unwrap(), 2);
        assert_eq!(attachment::Entity::find().count(db.read()).await.unwrap(), 1);

        retention::sweep(db, storage, app.app.clock.now() + TimeDelta::days(31)).await.unwrap();
        assert!(event::Entity::find().count(db.read()).await.unwrap() < before);
        assert_eq!(visitor::Entity::find().count(db.read()).await.unwrap(), 1);
        assert_eq!(attachment::Entity::find().count(db.read()).await.unwrap(), 0);
        assert_eq!(message::Entity::find().count(db.read()).await.unwrap(), 1);
        // Who has spoken comes back to the same conversation.
        app.says(&channel, &speaker, "Me again").await;
        assert_eq!(message::Entity::find().count(db.read()).await.unwrap(), 2);
    }
}

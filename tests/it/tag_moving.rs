//! Tags of deals, which were lists of their own, are found where all tags are.

use sea_orm::{ConnectionTrait, Database as SeaDatabase, DatabaseConnection, Statement};
use sea_orm_migration::MigratorTrait;
use switchboard_migrations::Migrator;

use crate::support::Database;

async fn tags(db: &DatabaseConnection) -> Vec<(String, String)> {
    let sql = "SELECT object_id, tag FROM object_tag ORDER BY object_id, tag";
    let rows = db
        .query_all_raw(Statement::from_string(db.get_database_backend(), sql))
        .await
        .unwrap();
    rows.iter()
        .map(|row| {
            (
                row.try_get("", "object_id").unwrap(),
                row.try_get("", "tag").unwrap(),
            )
        })
        .collect()
}

async fn moved(db: DatabaseConnection) {
    let all = Migrator::migrations();
    let before = all
        .iter()
        .position(|one| one.name() == "m20261123_000039_cards")
        .unwrap();
    Migrator::up(&db, Some(u32::try_from(before).unwrap()))
        .await
        .unwrap();
    for (id, tags) in [
        ("dea_1", r#"["VIP", "Опт ", "vip"]"#),
        ("dea_2", "[]"),
        ("dea_3", r#"["Ёлка"]"#),
    ] {
        let sql = format!(
            "INSERT INTO deal (id, title, currency, pipeline_id, stage_id, state, stage_since, fields, tags, version, created_at, updated_at) \
             VALUES ('{id}', 'x', 'USD', 'pip_00000000000000000000000000000001', 'stg_00000000000000000000000000000001', 'open', \
             '2026-11-22T00:00:00+00:00', '{{}}', '{tags}', 1, '2026-11-22T00:00:00+00:00', '2026-11-22T00:00:00+00:00')"
        );
        db.execute_unprepared(&sql).await.unwrap();
    }
    Migrator::up(&db, None).await.unwrap();
    let own = |id: &str, tag: &str| (id.to_owned(), tag.to_owned());
    assert_eq!(
        tags(&db).await,
        [own("dea_1", "vip"), own("dea_1", "опт"), own("dea_3", "ёлка")]
    );
    db.close().await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn tags_of_deals_move_on_sqlite() {
    let database = Database::sqlite().await;
    moved(
        SeaDatabase::connect(format!("{}?mode=rwc", database.url))
            .await
            .unwrap(),
    )
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn tags_of_deals_move_on_postgres() {
    let database = Database::postgres().await;
    let db = SeaDatabase::connect(&database.url).await.unwrap();
    db.execute_unprepared("DROP SCHEMA public CASCADE; CREATE SCHEMA public")
        .await
        .unwrap();
    moved(db).await;
}

//! The board, the lists and the cards in a company with a million leads: every question of the app and of the API, each
//! filter alone and in the usual pairs, from the top and from far below, as those who see everything and as those who
//! see little; and what is written.
//!
//! `SWITCHBOARD_BENCH_DATABASE` names a database to ask in the place of a new one, `sqlite://…` or `postgres://…`; it is
//! seeded when it is empty, and stays.

mod ask;
mod lists;
mod seed;

use std::{path::Path, time::Instant};

use sea_orm::EntityTrait;
use switchboard::{
    clock::{Clock, SystemClock},
    db::{
        Db,
        entity::{lead, operator},
    },
    deal::pipeline,
    operator::rights::{Role, Scope},
};

use self::ask::Asker;

pub async fn measure() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("switchboard.db");
    let given = std::env::var("SWITCHBOARD_BENCH_DATABASE").ok();
    let url = given.unwrap_or_else(|| format!("sqlite://{}", path.display()));
    let db = Db::connect(&url).await.unwrap();
    db.migrate().await.unwrap();
    println!("\ncrm on {}", url.split(':').next().unwrap_or_default());
    if lead::Entity::find().one(db.read()).await.unwrap().is_none() {
        let begun = Instant::now();
        seed::seed(&db).await;
        println!(
            "{} leads, {} deals, {} contacts, {} companies seeded in {:.0} s{}",
            seed::LEADS,
            seed::DEALS,
            seed::CONTACTS,
            seed::COMPANIES,
            begun.elapsed().as_secs_f64(),
            megabytes(&url)
        );
    }
    let sales = pipeline::list(db.read()).await.unwrap().remove(0);
    let now = SystemClock.now();
    let mut asker = Asker::new(&db, &sales, now);
    for (who, scope) in scopes(&db).await {
        asker.everything(who, &scope).await;
    }
    asker.writes().await;
    asker.reports().await;
    asker.verdict();
    db.close().await.unwrap();
}

fn megabytes(url: &str) -> String {
    let path = url.strip_prefix("sqlite://").map(Path::new);
    let size = path.and_then(|path| std::fs::metadata(path).ok());
    size.map(|size| format!(", {} MB", size.len() / 1_000_000))
        .unwrap_or_default()
}

/// Everything; own leads and those of a line; own ones and those of nine others; own ones; three.
async fn scopes(db: &Db) -> Vec<(&'static str, Scope)> {
    let mut scopes = vec![(
        "all",
        Scope::new("opr_00000000", Role::Supervisor, Default::default()),
    )];
    for (who, id) in [
        ("line", "opr_00000007"),
        ("team", "opr_00000012"),
        ("own", "opr_00000011"),
        ("new", "opr_00000049"),
    ] {
        let user = operator::Entity::find_by_id(id)
            .one(db.read())
            .await
            .unwrap()
            .unwrap();
        scopes.push((who, Scope::load(db.read(), &user).await.unwrap()));
    }
    scopes
}

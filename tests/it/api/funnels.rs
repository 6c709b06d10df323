use chrono::TimeDelta;
use serde_json::{Value, json};

use super::pipelines::{first, stage};

both_databases_by_the_clock! {
    async fn the_funnel_is_read_from_the_moves_of_deals(app: TestApp, clock: Clock) {
        let sales = first(&app).await;
        let mut deals: Vec<Value> = Vec::new();
        for n in 0..4 {
            deals.push(app.post("/deals", json!({"title": format!("Deal {n}")})).await.expect(201));
        }
        let to = async |deal: &Value, name: &str| {
            let body = json!({"stage_id": stage(&sales, name), "loss_reason": "Price"});
            app.patch(&format!("/deals/{}", deal["id"].as_str().unwrap()), body).await.expect(200);
        };
        clock.advance(TimeDelta::hours(10));
        to(&deals[0], "Qualified").await;
        to(&deals[1], "Lost").await;
        clock.advance(TimeDelta::hours(10));
        to(&deals[0], "Won").await;
        // Before the time that is asked about.
        clock.advance(TimeDelta::days(200));
        app.post("/deals", json!({"title": "Of another time"})).await.expect(201);
        let path = "/reports/funnel?from=2026-11-23T00:00:00Z&to=2026-11-24T00:00:00Z";
        let report = app.get(path).await;
        assert_eq!((&report["deals"], &report["won"], &report["lost"], &report["median_won_secs"]), (&json!(4), &json!(1), &json!(1), &json!(20 * 3600)));
        let rows: Vec<(&str, u64, u64)> = report["rows"].as_array().unwrap().iter()
            .map(|row| (row["name"].as_str().unwrap(), row["reached"].as_u64().unwrap(), row["now"].as_u64().unwrap())).collect();
        assert_eq!(rows, [("New", 4, 2), ("Qualified", 1, 0), ("Offer sent", 1, 0), ("Won", 1, 1), ("Lost", 1, 1)]);
        assert_eq!((&report["rows"][1]["of_all"], &report["rows"][1]["median_secs"]), (&json!(0.25), &json!(10 * 3600)));
        let table = app.get(&path.replace("funnel", "funnel.csv")).await;
        let table = table.as_str().unwrap();
        assert!(table.starts_with("stage,kind,reached,") && table.contains("\r\nQualified,open,1,0.2500,0.2500,0,0,36000,36000\r\n"), "{table}");
        let (_, key) = app.operator("Olim", "operator").await;
        app.call_as(&key, "GET", "/reports/funnel", None).await.expect(403);
        app.call("GET", "/reports/funnel?pipeline=pip_x", None).await.expect(404);
        app.call("GET", "/reports/funnel?from=2020-01-01T00:00:00Z", None).await.expect(422);
    }
}

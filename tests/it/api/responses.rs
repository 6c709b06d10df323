//! The report of responses.

use chrono::TimeDelta;
use serde_json::{Value, json};

both_databases_by_the_clock! {
    async fn it_says_how_soon_customers_were_answered(app: TestApp, clock: Clock) {
        let line = app.line("Support", json!({})).await;
        let channel = app.channel("webchat", &line, json!({})).await;
        for wait in [60, 120, 600] {
            let token = app.visitor(&channel).await;
            let said = app.says(&channel, &token, "hello").await;
            clock.advance(TimeDelta::seconds(wait));
            let path = format!("/conversations/{}", said["conversation_id"].as_str().unwrap());
            app.post(&format!("{path}/messages"), json!({"text": "good day", "kind": "reply"})).await.expect(201);
        }
        let token = app.visitor(&channel).await;
        app.says(&channel, &token, "is anybody there?").await;
        // The report ends before now.
        clock.advance(TimeDelta::seconds(1));
        let report = app.get("/reports/responses?by=line").await;
        let figures = |of: &Value| ["sessions", "answered", "unanswered", "median_first_secs", "p90_first_secs"].map(|name| of[name].as_i64());
        let expected = [Some(4), Some(3), Some(0), Some(120), Some(600)];
        assert_eq!(figures(&report["all"]), expected, "{report}");
        assert_eq!(figures(&report["rows"][0]), expected);
        assert_eq!(report["rows"][0]["id"], line["id"]);
        assert_eq!(report["days"].as_array().unwrap().iter().filter_map(|day| day["sessions"].as_i64()).sum::<i64>(), 4);
        let table = app.get("/reports/responses.csv?by=line").await;
        assert!(table.as_str().unwrap().contains("\r\nSupport,4,3,0,120,600,"), "{table}");
        assert_eq!(app.get("/reports/responses?line=lin_none").await["all"]["sessions"], 0);
        // Of another time.
        clock.advance(TimeDelta::days(40));
        assert_eq!(app.get("/reports/responses").await["all"]["sessions"], 0);
        app.call("GET", "/reports/responses?by=weather", None).await.expect(400);
        app.call("GET", "/reports/responses?time_zone=Mars/Base", None).await.expect(422);
        let (_, key) = app.operator("Olim", "operator").await;
        app.call_as(&key, "GET", "/reports/responses", None).await.expect(403);
    }
}

//! The same click at the same time.

use serde_json::json;

both_databases! {
    async fn however_often_they_try(app: TestApp) {
        let (anna, anna_key) = app.operator("Anna", "operator").await;
        let (boris, boris_key) = app.operator("Boris", "operator").await;
        for user in [&anna, &boris] {
            app.patch(&format!("/users/{}", user["id"].as_str().unwrap()), json!({"capacity": 100})).await.expect(200);
        }
        let queue = json!([{"operator_id": anna["id"]}, {"operator_id": boris["id"]}]);
        let line = app.line("Support", json!({"queue": queue})).await;
        let chat = app.channel("webchat", &line, json!({})).await;
        let mut window = app.socket(&boris_key, None).await;
        for n in 0..12 {
            let id = app.writes(&chat, &format!("visitor {n}"), "Hello").await;
            let path = format!("/conversations/{id}/take");
            let (one, two) = tokio::join!(app.call_as(&anna_key, "POST", &path, None), app.call_as(&boris_key, "POST", &path, None));
            let (winner, loser) = match (one.status, two.status) {
                (200, 409) => (&anna, two.body),
                (409, 200) => (&boris, one.body),
                other => panic!("{other:?}"),
            };
            assert_eq!(loser["type"], "/problems/conflict");
            assert_eq!(app.get(&format!("/conversations/{id}")).await["session"]["operator_id"], winner["id"]);
            // Both windows show the same owner in the end.
            window.until(|frame| frame["type"] == "conversation.updated" && frame["data"]["id"] == json!(id)
                && frame["data"]["session"]["operator_id"] == winner["id"]).await;
        }
        let load = |user: &serde_json::Value| format!("/users/{}", user["id"].as_str().unwrap());
        let loads = [app.get(&load(&anna)).await["load"].as_f64(), app.get(&load(&boris)).await["load"].as_f64()];
        assert_eq!(loads.iter().flatten().sum::<f64>(), 12.0);
        app.stop().await;
    }
}

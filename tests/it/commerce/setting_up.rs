//! An exchange is set up by admins, and nobody else gets in.

use serde_json::json;

use super::{OneC, all};

both_databases! {
    async fn an_exchange_is_made_changed_listed_and_removed_by_admins(app: TestApp) {
        let one = OneC::new(&app, json!({"region": "kz", "title": " Order {number} "})).await;
        let made = &one.exchange;
        assert_eq!((&made["name"], &made["user_name"], &made["options"]["region"], &made["options"]["title"]),
            (&json!("1C"), &json!("1c"), &json!("KZ"), &json!("Order {number}")));
        assert!(made["url"].as_str().unwrap().starts_with(&format!("{}/hooks/1c/", app.base)));
        let path = format!("/commerce-exchanges/{}", made["id"].as_str().unwrap());
        let changed = app.patch(&path, json!({"name": "Main 1C", "version": made["version"]})).await.expect(200);
        assert_eq!(changed["name"], "Main 1C");
        app.patch(&path, json!({"name": "x", "version": made["version"]})).await.expect(409);
        for (options, field) in [
            (json!({"region": "Russia"}), "options.region"), (json!({"title": ""}), "options.title"),
            (json!({"pipeline_id": "pip_x"}), "options.pipeline_id"), (json!({"operator_id": "opr_\0"}), "options.operator_id"),
            (json!({"stages": {"Принят": "stg_x"}}), "options.stages.Принят"),
        ] {
            let errors = app.patch(&path, json!({"options": options})).await.expect(422);
            assert_eq!(errors["errors"][0]["field"], field, "{errors}");
        }
        let (_, supervisor) = app.operator("Sue", "supervisor").await;
        for (method, path) in [("GET", "/commerce-exchanges"), ("GET", path.as_str()), ("DELETE", path.as_str())] {
            app.call_as(&supervisor, method, path, None).await.expect(403);
        }
        assert_eq!(all(&app, "/commerce-exchanges").await.len(), 1);
        one.ask("POST", "mode=file&filename=a.xml", vec![b'<']).await;
        app.call("DELETE", &path, None).await.expect(204);
        assert_eq!(one.ask("GET", "mode=checkauth", vec![]).await.status, 404);
        app.call("GET", &path, None).await.expect(404);
    }

    async fn nobody_gets_in_without_the_password_of_this_exchange(app: TestApp) {
        let mut one = OneC::new(&app, json!({})).await;
        let mut other = OneC::new(&app, json!({})).await;
        let (right, theirs) = (one.password.clone(), other.password.clone());
        for wrong in ["", "1c", &theirs] {
            wrong.clone_into(&mut one.password);
            for mode in ["checkauth", "init", "file&filename=a.xml", "import&filename=a.xml", "query"] {
                let said = one.ask("POST", &format!("mode={mode}"), vec![b'<']).await;
                assert_eq!((said.status, said.word()), (401, "failure"), "{mode}");
            }
        }
        one.password = right;
        // A sitting is of one exchange, and ends with its password.
        other.sign_in().await;
        let taken = OneC { app: &app, exchange: one.exchange.clone(), password: String::new(), cookie: other.cookie.clone() };
        assert_eq!(taken.ask("GET", "mode=init", vec![]).await.status, 401);
        one.sign_in().await;
        assert_eq!(one.ask("GET", "mode=init", vec![]).await.status, 200);
        let path = format!("/commerce-exchanges/{}", one.exchange["id"].as_str().unwrap());
        let renewed = app.post(&format!("{path}/password"), json!({})).await.expect(200);
        assert_eq!(one.ask("GET", "mode=init", vec![]).await.status, 401);
        renewed["password"].as_str().unwrap().clone_into(&mut one.password);
        one.sign_in().await;
        app.patch(&path, json!({"enabled": false})).await.expect(200);
        let said = one.ask("GET", "mode=init", vec![]).await;
        assert_eq!((said.status, said.word()), (503, "failure"));
        app.patch(&path, json!({"enabled": true})).await.expect(200);
        let said = one.ask("GET", "type=sale&mode=query", vec![]).await;
        assert!(said.text.contains("КоммерческаяИнформация"), "{}", said.text);
        assert_eq!(one.ask("GET", "type=sale&mode=success", vec![]).await.word(), "success");
        assert_eq!(one.ask("GET", "type=sale&mode=dance", vec![]).await.word(), "failure");
    }
}

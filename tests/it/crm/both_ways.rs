//! Fields, states and deletions, in both directions.

use chrono::TimeDelta;
use serde_json::json;
use switchboard_crm::Stage;

use super::*;

fn states() -> serde_json::Value {
    json!({
        "statuses": {"new": "NEW", "in_progress": "WORK", "converted": "SOLD", "junk": "TRASH"},
        "statuses_back": {"WORK": "in_progress", "CALLED": "in_progress", "TRASH": "junk"},
    })
}

with_a_crm! {
    async fn a_lead_goes_there_once_with_mapped_and_custom_fields_and_is_brought_up_to_date(app: TestApp, crm: Script, clock: Clock) {
        let field = json!({"object": "lead", "key": "budget", "label": "Budget", "type": "number"});
        app.post("/custom-fields", field).await.expect(201);
        let mut mapping = states();
        mapping["fields"] = json!([
            {"to": "BUDGET", "kind": "number", "from": "lead.fields.budget"},
            {"to": "SOURCE", "kind": "choice", "from": "lead.source", "values": {"webform": "WEB"}, "otherwise": "OTHER"},
            {"to": "BRAND", "kind": "text", "constant": "North"},
            {"to": "PHONE", "kind": "text", "from": "contact.phone"},
            {"to": "CAMPAIGN", "kind": "text", "from": "attribution.utm_campaign"},
        ]);
        let connection = connect(&app, &crm, json!({"mapping": mapping})).await;
        let form = form(&app).await;
        let made = lead(&app, &form, 1).await;
        crm.until("it is made", |crm| crm.of(id(&made)).len() == 1).await;
        let record = crm.of(id(&made)).remove(0);
        assert_eq!(json!(record.lead.fields), json!({"SOURCE": "WEB", "BRAND": "North", "PHONE": "+998901234501"}));
        assert_eq!((record.status.as_str(), record.lead.stage), ("NEW", Stage::Open));
        assert_eq!(record.lead.person.phones, ["+998901234501"]);
        assert_eq!(record.lead.person.name, "Ann 1");
        assert!(record.lead.url.ends_with(&format!("/leads/{}", id(&made))));
        settled(&app, &connection).await;

        let path = format!("/leads/{}", id(&made));
        app.patch(&path, json!({"fields": {"budget": 1200}, "title": "Two bicycles"})).await.expect(200);
        crm.until("it is brought up to date", |crm| crm.of(id(&made))[0].lead.title == "Two bicycles").await;
        let record = crm.of(id(&made)).remove(0);
        assert_eq!(record.lead.fields["BUDGET"], 1200);
        assert_eq!(record.said.last(), Some(&None), "the state there is left as it is");
        settled(&app, &connection).await;
        app.patch(&path, json!({"status": "in_progress"})).await.expect(200);
        crm.until("its state follows", |crm| crm.of(id(&made))[0].status == "WORK").await;
        settled(&app, &connection).await;

        // The same again is not sent again.
        let updates = crm.asked("update").len();
        app.patch(&path, json!({"title": "Two bicycles"})).await.expect(200);
        pass(&app, &clock, TimeDelta::seconds(1));
        app.until("the log is followed", || async {
            let rows = queue(&app, &connection, "?state=done").await;
            rows.iter().any(|row| row["lead_id"] == made["id"]).then_some(())
        }).await;
        settled(&app, &connection).await;
        assert_eq!((crm.asked("update").len(), crm.asked("create").len()), (updates, 1));
        let link = app.until("the same again is passed over", || async {
            let links = app.get(&format!("{path}/crm-links")).await;
            let link = links["items"][0].clone();
            (link["state"] == "ok").then_some(link)
        }).await;
        assert_eq!((&link["url"], &link["connection_name"]), (&json!("https://crm.example/lead/r1"), &json!("Our CRM")));
        assert_eq!(crm.asked("update").len(), updates);
    }

    async fn who_is_responsible_here_is_whom_the_admin_says_there(app: TestApp, crm: Script, clock: Clock) {
        let (olga, _) = app.operator("Olga", "operator").await;
        let connection = connect(&app, &crm, json!({})).await;
        let path = format!("/crm-connections/{}", id(&connection));
        let users = app.get(&format!("{path}/users")).await;
        assert_eq!(users["items"], json!([{"id": "77", "name": "Olga there", "email": null}]));
        let owners = |theirs: &str| json!({"mapping": {"owners": {id(&olga): theirs}}});
        let refused = app.patch(&path, owners(" ")).await.expect(422);
        assert_eq!(refused["errors"][0]["field"], format!("mapping.owners.{}", id(&olga)));
        app.patch(&path, owners("77")).await.expect(200);

        let form = form(&app).await;
        let made = lead(&app, &form, 1).await;
        crm.until("it is made", |crm| crm.of(id(&made)).len() == 1).await;
        assert_eq!(crm.of(id(&made))[0].lead.owner_id, None);
        settled(&app, &connection).await;
        app.patch(&format!("/leads/{}", id(&made)), json!({"operator_id": olga["id"]})).await.expect(200);
        pass(&app, &clock, TimeDelta::seconds(1));
        crm.until("they are told who it is", |crm| crm.of(id(&made))[0].lead.owner_id.as_deref() == Some("77")).await;
    }

    async fn what_happens_there_arrives_here_and_is_not_sent_back(app: TestApp, crm: Script, clock: Clock) {
        let connection = connect(&app, &crm, json!({"mapping": states()})).await;
        let form = form(&app).await;
        let made = lead(&app, &form, 1).await;
        crm.until("it is made", |crm| crm.of(id(&made)).len() == 1).await;
        settled(&app, &connection).await;
        crm.until("it is asked from where on", |crm| !crm.asked("changes").is_empty()).await;
        app.until("the place is kept", || async {
            let rows = switchboard::sync::store::all(app.app.db.read()).await.unwrap();
            rows[0].change_cursor.clone()
        }).await;
        let path = format!("/leads/{}", id(&made));
        let status_is = async |wanted: &str| {
            app.until("the status is here", || async {
                (app.get(&path).await["status"] == wanted).then_some(())
            }).await;
            settled(&app, &connection).await;
        };
        // Two states there are one status here: the one it stands in there stays.
        crm.moves("r1", "CALLED", Some(Stage::Open));
        pass(&app, &clock, TimeDelta::minutes(2));
        status_is("in_progress").await;
        app.patch(&path, json!({"title": "Two bicycles"})).await.expect(200);
        crm.until("it is brought up to date", |crm| crm.of(id(&made))[0].lead.title == "Two bicycles").await;
        settled(&app, &connection).await;
        let record = crm.of(id(&made)).remove(0);
        assert_eq!((record.status.as_str(), record.said.as_slice()), ("CALLED", [Some("NEW".to_owned()), None].as_slice()));

        // Ours goes there, comes back as it is and changes nothing; what nobody mapped is taken by what it means.
        app.patch(&path, json!({"status": "junk"})).await.expect(200);
        crm.until("ours is there", |crm| crm.of(id(&made))[0].status == "TRASH").await;
        settled(&app, &connection).await;
        crm.moves("r1", "TRASH", Some(Stage::Lost));
        crm.moves("r1", "PAID", Some(Stage::Won));
        pass(&app, &clock, TimeDelta::minutes(2));
        status_is("converted").await;
        let said = crm.of(id(&made)).remove(0).said;
        let states: Vec<String> = said.into_iter().flatten().collect();
        assert_eq!(states, ["NEW", "TRASH"], "what came from there was never said to it");
        assert_eq!(crm.of(id(&made))[0].status, "PAID");
    }

    async fn a_connection_that_only_sends_does_not_ask(app: TestApp, crm: Script, clock: Clock) {
        let connection = connect(&app, &crm, json!({"options": {"two_way": false}})).await;
        let form = form(&app).await;
        let made = lead(&app, &form, 1).await;
        crm.until("it is made", |crm| crm.of(id(&made)).len() == 1).await;
        settled(&app, &connection).await;
        pass(&app, &clock, TimeDelta::minutes(5));
        settled(&app, &connection).await;
        assert_eq!(crm.asked("changes"), []);
    }

    async fn what_was_deleted_there_is_let_go_and_never_made_again(app: TestApp, crm: Script, clock: Clock) {
        let connection = connect(&app, &crm, json!({})).await;
        let form = form(&app).await;
        let (found_out, told) = (lead(&app, &form, 1).await, lead(&app, &form, 2).await);
        crm.until("both are made", |crm| crm.records().len() == 2).await;
        settled(&app, &connection).await;
        app.until("the place is kept", || async {
            let rows = switchboard::sync::store::all(app.app.db.read()).await.unwrap();
            rows[0].change_cursor.clone()
        }).await;
        for (lead, told) in [(&found_out, false), (&told, true)] {
            let remote = crm.of(id(lead))[0].id.clone();
            crm.deletes(&remote, told);
        }
        pass(&app, &clock, TimeDelta::minutes(2));
        app.patch(&format!("/leads/{}", id(&found_out)), json!({"title": "Changed"})).await.expect(200);
        for lead in [&found_out, &told] {
            app.until("it is let go", || async {
                let links = app.get(&format!("/leads/{}/crm-links", id(lead))).await;
                (links["items"][0]["state"] == "gone").then_some(())
            }).await;
            app.patch(&format!("/leads/{}", id(lead)), json!({"title": "Changed again"})).await.expect(200);
        }
        app.until("what waits is skipped", || async {
            (queue(&app, &connection, "?state=skipped").await.len() == 2).then_some(())
        }).await;
        settled(&app, &connection).await;
        assert_eq!((crm.records().len(), crm.asked("create").len()), (0, 2));
    }
}

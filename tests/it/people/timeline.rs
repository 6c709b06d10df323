//! All that happened with a contact, in one order.

use chrono::{TimeDelta, Utc};
use serde_json::json;

use super::{by_hand, contact_of, items, line_with_channel, text, writes};
use crate::{calls::Phone, support::TestApp};

#[expect(
    clippy::disallowed_methods,
    reason = "telephone systems have clocks of their own"
)]
async fn rings(app: &TestApp, phone: &Phone) {
    let began = Utc::now() - TimeDelta::seconds(30);
    phone
        .says(app, "ringing", "c1", began, json!({}))
        .await
        .expect(200);
    let end = json!({"disposition": "missed"});
    phone
        .says(app, "ended", "c1", began + TimeDelta::seconds(9), end)
        .await
        .expect(200);
}

both_databases! {
    async fn everything_stands_in_one_timeline_once_and_is_narrowed_by_kind(app: TestApp) {
        let (line, form) = line_with_channel(&app, "Sales", json!({})).await;
        let chat = app.channel("webchat", &line, json!({"allowed_origins": ["*"]})).await;
        let phone = Phone::on(&app, json!({}), json!({})).await;
        let thread = writes(&app, &chat, "Anna", &["+998901234567!"], "hello").await;
        let contact = contact_of(&app, &thread).await;
        app.submit(&form, json!({"name": "Anna", "phone": "+998901234567", "utm_source": "google"}), None).await.expect(201);
        rings(&app, &phone).await;
        app.post(&format!("/conversations/{thread}/messages"), json!({"text": "look", "kind": "note", "client_id": "n1"})).await.expect(201);
        app.patch(&format!("/contacts/{contact}"), json!({"name": "Anna K.", "fields": {"size": "L"}})).await.expect(200);
        let lead = app.get(&format!("/leads?contact={contact}")).await["items"][0].clone();
        app.patch(&format!("/leads/{}", text(&lead["id"])), json!({"status": "in_progress"})).await.expect(200);
        let other = by_hand(&app, json!({"name": "Other"})).await;
        app.post(&format!("/contacts/{contact}/merge"), json!({"from": other})).await.expect(200);
        let path = format!("/contacts/{contact}/timeline");
        let kinds = |page: &serde_json::Value| {
            let mut kinds: Vec<String> = items(page).iter().map(|one| text(&one["kind"]).to_owned()).filter(|kind| kind != "system").collect();
            kinds.sort();
            kinds
        };
        let expected = ["call", "change", "change", "change", "form", "lead", "merge", "message", "note"];
        let all = app.until("the call is folded", || async {
            let all = app.get(&path).await;
            items(&all).iter().any(|one| one["call"]["disposition"] == "missed").then_some(all)
        }).await;
        assert_eq!(kinds(&all), expected);
        let of = |kind: &str| items(&all).iter().filter(|one| one["kind"] == kind).cloned().collect::<Vec<_>>();
        assert_eq!(of("message")[0]["message"]["text"], "hello");
        assert_eq!(of("call")[0]["call"]["disposition"], "missed");
        assert_eq!(of("form")[0]["conversation"]["channel_kind"], "webform");
        assert_eq!(of("lead")[0]["lead"]["id"], lead["id"]);
        assert_eq!(of("merge")[0]["merge"]["from"]["name"], "Other");
        let name = of("change").into_iter().find(|one| one["change"]["field"] == "name").unwrap();
        assert_eq!((&name["change"]["old"], &name["change"]["new"]), (&json!("Anna"), &json!("Anna K.")));
        assert!(name["change"]["operator_name"].is_string());
        let times: Vec<&str> = items(&all).iter().map(|one| text(&one["at"])).collect();
        assert!(times.is_sorted_by(|one, next| one >= next), "{times:?}");
        // The same page by page, and narrowed.
        let (mut seen, mut cursor) = (Vec::new(), String::new());
        loop {
            let page = app.get(&format!("{path}?limit=2{cursor}")).await;
            seen.extend(items(&page).iter().map(|one| one["id"].clone()));
            let Some(next) = page["next_cursor"].as_str() else { break };
            cursor = format!("&cursor={next}");
        }
        let whole: Vec<_> = items(&app.get(&path).await).iter().map(|one| one["id"].clone()).collect();
        assert_eq!(seen, whole);
        assert_eq!(kinds(&app.get(&format!("{path}?kinds=call,note")).await), ["call", "note"]);
        app.call("GET", &format!("{path}?kinds=fax"), None).await.expect(422);
        app.call("GET", &format!("{path}?cursor=rubbish"), None).await.expect(400);
    }

    async fn an_operator_reads_only_the_part_they_see(app: TestApp) {
        let (anna, key) = app.operator("Anna", "operator").await;
        let (ours, _) = line_with_channel(&app, "Ours", json!({"queue": [{"operator_id": anna["id"]}]})).await;
        let (theirs, form) = line_with_channel(&app, "Theirs", json!({"crm": {"create_lead": "never"}})).await;
        let one = app.channel("webchat", &ours, json!({"allowed_origins": ["*"]})).await;
        let other = app.channel("webchat", &theirs, json!({"allowed_origins": ["*"]})).await;
        let contact = contact_of(&app, &writes(&app, &one, "Client", &["+998901234567!"], "to us").await).await;
        writes(&app, &other, "Client", &["+998901234567!"], "to them").await;
        app.submit(&form, json!({"name": "Client", "phone": "+998901234567"}), None).await.expect(201);
        let path = format!("/contacts/{contact}/timeline?kinds=message,form");
        let seen = app.call_as(&key, "GET", &path, None).await.expect(200);
        let texts: Vec<&str> = items(&seen).iter().map(|one| text(&one["message"]["text"])).collect();
        assert_eq!(texts, ["to us"]);
        assert_eq!(items(&app.get(&path).await).len(), 3);
    }
}

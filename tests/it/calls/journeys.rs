//! One call from its first ring to its end.

use chrono::TimeDelta;
use serde_json::json;

use super::{CLIENT, OURS, Phone, call_that, conversation, entries, is};
use crate::support::Socket;

both_databases! {
    async fn an_answered_call_is_one_entry_a_proven_contact_and_a_lead_of_who_answered(app: TestApp) {
        let (anna, _) = app.operator("Anna", "operator").await;
        let phone = Phone::on(&app, json!({"101": anna["id"]}), json!({"crm": {"create_lead": "always"}})).await;
        let begin = app.app.clock.now() - TimeDelta::seconds(80);
        phone.says(&app, "ringing", "c1", begin, json!({"operator": "101", "caller_name": "Bob"})).await.expect(200);
        let ringing = call_that(&app, "the call rings", |call| is(call, "state", "ringing")).await;
        assert_eq!(ringing["ringing_for"], json!([anna["id"]]));
        assert_eq!((&ringing["from"], &ringing["to"]), (&json!(CLIENT), &json!(OURS)));
        assert_eq!(ringing["own_label"], "Ad: search");
        phone.says(&app, "answered", "c1", begin + TimeDelta::seconds(5), json!({"operator": "101"})).await.expect(200);
        call_that(&app, "they talk", |call| is(call, "state", "answered")).await;
        // The provider repeats what it said.
        let end = begin + TimeDelta::seconds(65);
        for _ in 0..2 {
            phone.says(&app, "ended", "c1", end, json!({"disposition": "answered"})).await.expect(200);
        }
        let call = call_that(&app, "it ends", |call| is(call, "state", "ended")).await;
        assert_eq!(call["disposition"], "answered");
        assert_eq!((&call["duration_secs"], &call["talk_secs"], &call["ring_secs"]), (&json!(65), &json!(60), &json!(5)));
        assert_eq!(call["operator_id"], anna["id"]);
        let found = entries(&app, &call["conversation_id"]).await;
        assert_eq!(found.len(), 1, "{found:?}");
        assert_eq!(found[0]["text"], json!(format!("Call from {CLIENT}, answered by Anna, 1:00")));
        let thread = conversation(&app, &call["conversation_id"]).await;
        assert_eq!(thread["session"]["state"], "closed");
        assert_eq!(thread["last_message"]["text"], found[0]["text"]);
        let contact = app.get(&format!("/contacts/{}", call["contact_id"].as_str().unwrap())).await;
        assert_eq!((&contact["name"], &contact["identities"][0]["verified"]), (&json!("Bob"), &json!(true)));
        let leads = app.get("/leads").await;
        let lead = &leads["items"][0];
        assert_eq!(leads["items"].as_array().unwrap().len(), 1);
        assert_eq!((&lead["source"], &lead["operator_id"], &lead["status"]), (&json!("yandex"), &anna["id"], &json!("in_progress")));
        assert_eq!(lead["attribution"]["first"], json!({"called_number": OURS, "utm_source": "yandex", "utm_medium": "cpc"}));
        assert_eq!(lead["attribution"]["last"], lead["attribution"]["first"]);
        let reports = app.get(&format!("/calls/{}/events", call["id"].as_str().unwrap())).await;
        assert_eq!(reports["items"].as_array().unwrap().len(), 3);
    }

    async fn reports_in_any_order_make_the_same_call(app: TestApp) {
        let phone = Phone::on(&app, json!({}), json!({})).await;
        let begin = app.app.clock.now() - TimeDelta::seconds(60);
        let reports = [("ringing", 0), ("answered", 4), ("ended", 34)];
        for (index, order) in [[0, 1, 2], [2, 1, 0], [1, 2, 0], [2, 0, 1]].into_iter().enumerate() {
            let name = format!("c{index}");
            for place in order {
                let (event, secs) = reports[place];
                phone.says(&app, event, &name, begin + TimeDelta::seconds(secs), json!({})).await.expect(200);
            }
        }
        let calls = app.until("all calls end", || async {
            let calls = app.get("/calls?disposition=answered").await["items"].as_array().unwrap().clone();
            let whole = calls.iter().filter(|call| call["ring_secs"] == 4).count() == 4;
            (calls.len() == 4 && whole).then_some(calls)
        }).await;
        assert!(calls.iter().all(|call| call["talk_secs"] == 30 && call["conversation_id"] == calls[0]["conversation_id"]));
        assert_eq!(entries(&app, &calls[0]["conversation_id"]).await.len(), 4);
        assert_eq!(phone.conversations(&app).await.len(), 1);
    }

    async fn callers_who_hide_are_nobody_and_never_the_same_person(app: TestApp) {
        let phone = Phone::on(&app, json!({}), json!({"crm": {"create_lead": "always"}})).await;
        let now = app.app.clock.now();
        for (call, from) in [("h1", "anonymous"), ("h2", "anonymous"), ("h3", "112"), ("h4", "sip:bob@pbx.example")] {
            phone.says(&app, "ringing", call, now, json!({"from": from})).await.expect(200);
            phone.says(&app, "ended", call, now + TimeDelta::seconds(9), json!({"from": from})).await.expect(200);
        }
        let calls = app.until("four calls end", || async {
            let calls = app.get("/calls?state=ended").await["items"].as_array().unwrap().clone();
            (calls.len() == 4).then_some(calls)
        }).await;
        assert!(calls.iter().all(|call| call["contact_id"].is_null() && call["conversation_id"].is_null()));
        let hidden = calls.iter().filter(|call| is(call, "number_kind", "hidden")).count();
        assert_eq!(hidden, 2, "{calls:?}");
        assert!(phone.conversations(&app).await.is_empty());
        assert!(app.get("/contacts").await["items"].as_array().unwrap().is_empty());
        assert!(app.get("/leads").await["items"].as_array().unwrap().is_empty());
    }

    async fn two_calls_that_turn_out_to_be_one_become_the_older_one(app: TestApp) {
        let phone = Phone::on(&app, json!({}), json!({})).await;
        let now = app.app.clock.now() - TimeDelta::seconds(60);
        phone.says(&app, "ringing", "first", now, json!({})).await.expect(200);
        let first = call_that(&app, "the first name is known", |call| is(call, "state", "ringing")).await;
        phone.says(&app, "answered", "second", now + TimeDelta::seconds(5), json!({})).await.expect(200);
        call_that(&app, "the second name is known", |call| is(call, "state", "answered")).await;
        phone.says(&app, "ended", "third", now + TimeDelta::seconds(25), json!({"aliases": ["first", "second"]})).await.expect(200);
        let one = app.until("they are one", || async {
            let calls = app.get("/calls").await["items"].as_array().unwrap().clone();
            (calls.len() == 1 && is(&calls[0], "state", "ended")).then(|| calls[0].clone())
        }).await;
        assert_eq!((&one["id"], &one["talk_secs"], &one["ring_secs"]), (&first["id"], &json!(20), &json!(5)));
        assert_eq!(entries(&app, &one["conversation_id"]).await.len(), 1);
        let reports = app.get(&format!("/calls/{}/events", one["id"].as_str().unwrap())).await;
        assert_eq!(reports["items"].as_array().unwrap().len(), 3);
        // Whatever comes under any of the names belongs to it.
        phone.says(&app, "transcript", "second", now, json!({"transcript": "Good day"})).await.expect(200);
        call_that(&app, "the words come", |call| is(call, "transcript", "Good day")).await;
    }

    async fn colleagues_among_themselves_make_no_conversation_and_outbound_calls_are_with_the_client(app: TestApp) {
        let (anna, _) = app.operator("Anna", "operator").await;
        let phone = Phone::on(&app, json!({"101": anna["id"]}), json!({})).await;
        let now = app.app.clock.now() - TimeDelta::seconds(60);
        let inside = json!({"direction": "internal", "from": "101", "to": "102"});
        phone.says(&app, "ended", "i1", now, inside).await.expect(200);
        let out = json!({"direction": "outbound", "from": OURS, "to": CLIENT, "operator": "101"});
        phone.says(&app, "ringing", "o1", now, out.clone()).await.expect(200);
        let mut busy = out;
        busy["disposition"] = json!("busy");
        phone.says(&app, "ended", "o1", now + TimeDelta::seconds(9), busy).await.expect(200);
        let call = call_that(&app, "the client is busy", |call| is(call, "disposition", "busy")).await;
        assert_eq!((&call["from"], &call["to"], &call["operator_id"]), (&json!(OURS), &json!(CLIENT), &anna["id"]));
        let contact = app.get(&format!("/contacts/{}", call["contact_id"].as_str().unwrap())).await;
        assert_eq!(contact["identities"][0]["verified"], false, "dialled, not proven");
        call_that(&app, "the inner call is listed", |call| is(call, "direction", "internal") && call["conversation_id"].is_null()).await;
        let found = phone.conversations(&app).await;
        assert_eq!((found.len(), &found[0]["session"]["state"]), (1, &json!("closed")));
        assert!(app.get("/leads").await["items"].as_array().unwrap().is_empty());
    }

    async fn whose_telephone_rings_is_told_within_a_second_and_nobody_who_may_not_see(app: TestApp) {
        let (anna, anna_key) = app.operator("Anna", "operator").await;
        let (bella, bella_key) = app.operator("Bella", "operator").await;
        let (_, stranger_key) = app.operator("Carl", "operator").await;
        let line = json!({"queue": [{"operator_id": bella["id"]}]});
        let phone = Phone::on(&app, json!({"101": anna["id"]}), line).await;
        let mut sockets: Vec<Socket> = Vec::new();
        for key in [&anna_key, &bella_key, &stranger_key] {
            let mut socket = app.socket(key, None).await;
            socket.until(|frame| frame["type"] == "hello").await;
            sockets.push(socket);
        }
        phone.says(&app, "ringing", "c1", app.app.clock.now(), json!({"operator": "101"})).await.expect(200);
        for socket in &mut sockets[..2] {
            let frame = socket.until(|frame| frame["type"] == "call.updated").await;
            assert_eq!((&frame["data"]["state"], &frame["data"]["ringing_for"]), (&json!("ringing"), &json!([anna["id"]])));
            assert_eq!(frame["data"]["contact"]["name"], CLIENT);
        }
        let call = call_that(&app, "it rings", |call| is(call, "state", "ringing")).await;
        let path = format!("/calls/{}", call["id"].as_str().unwrap());
        app.call_as(&anna_key, "GET", &path, None).await.expect(200);
        app.call_as(&bella_key, "GET", &path, None).await.expect(200);
        app.call_as(&stranger_key, "GET", &path, None).await.expect(404);
        let seen = app.call_as(&stranger_key, "GET", "/calls", None).await.expect(200);
        assert!(seen["items"].as_array().unwrap().is_empty());
        app.call_as(&anna_key, "GET", &format!("{path}/events"), None).await.expect(403);
        // Something the stranger may see comes, and nothing of the call before it.
        app.patch(&format!("/lines/{}", phone.line["id"].as_str().unwrap()), json!({"name": "Calls, renamed"})).await.expect(200);
        let next = sockets[2].until(|frame| frame["type"] == "call.updated" || frame["type"] == "line.updated").await;
        assert_eq!(next["type"], "line.updated");
    }

    async fn the_list_is_narrowed_and_exported_without_formulas(app: TestApp) {
        let phone = Phone::on(&app, json!({}), json!({})).await;
        let now = app.app.clock.now() - TimeDelta::hours(1);
        phone.says(&app, "ended", "c1", now, json!({"caller_name": "=HYPERLINK(\"x\")"})).await.expect(200);
        phone.says(&app, "ended", "c2", now + TimeDelta::minutes(9), json!({"from": "+998907654321", "disposition": "answered", "duration_secs": 30})).await.expect(200);
        app.until("both are there", || async {
            (app.get("/calls").await["items"].as_array().unwrap().len() == 2).then_some(())
        }).await;
        let count = async |query: &str| app.get(&format!("/calls?{query}")).await["items"].as_array().unwrap().len();
        assert_eq!(count("disposition=missed").await, 1);
        assert_eq!(count("number=90%20765").await, 1);
        assert_eq!(count("direction=outbound").await, 0);
        assert_eq!(count(&format!("line={}", phone.line["key"].as_str().unwrap())).await, 2);
        assert_eq!(count("line=none").await, 0);
        let from = (now + TimeDelta::minutes(1)).to_rfc3339_opts(chrono::SecondsFormat::Secs, true);
        assert_eq!(count(&format!("from={from}")).await, 1);
        app.call("GET", "/calls?disposition=lost", None).await.expect(422);
        let page = app.get("/calls?limit=1").await;
        let next = page["next_cursor"].as_str().unwrap();
        let rest = app.get(&format!("/calls?limit=1&cursor={next}")).await;
        assert_eq!((rest["items"].as_array().unwrap().len(), &rest["next_cursor"]), (1, &json!(null)));
        let table = app.get("/calls/export").await;
        let lines: Vec<&str> = table.as_str().unwrap().lines().collect();
        assert_eq!(lines.len(), 3);
        assert!(lines[2].contains("\"'=HYPERLINK(\"\"x\"\")\""), "{}", lines[2]);
        let narrowed = app.get("/calls/export?disposition=answered").await;
        assert_eq!(narrowed.as_str().unwrap().lines().count(), 2);
    }
}

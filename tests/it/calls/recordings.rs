//! Recordings: fetched at once, again when they are not there yet, and never from inside.

use std::sync::{
    Arc,
    atomic::{AtomicUsize, Ordering},
};

use axum::{
    Router,
    body::Body,
    http::{HeaderMap, StatusCode, header},
    response::{IntoResponse, Redirect, Response},
    routing::get,
};
use bytes::Bytes;
use chrono::TimeDelta;
use serde_json::{Value, json};
use switchboard::outgoing::download::DownloadError;
use tokio::net::TcpListener;

use super::{Phone, call_that, entries};
use crate::support::{Database, TestApp};

/// A second of silence, as a telephone system writes it.
fn wav() -> Vec<u8> {
    let data = vec![0_u8; 8_000];
    let mut file =
        b"RIFF\x64\x1f\0\0WAVEfmt \x10\0\0\0\x01\0\x01\0\x40\x1f\0\0\x40\x1f\0\0\x01\0\x08\0data\x40\x1f\0\0"
            .to_vec();
    file.extend(data);
    file
}

/// A provider's files: one that is not there for the first two times, one that leads inside, one that never ends.
async fn provider() -> (String, Arc<AtomicUsize>) {
    let asked = Arc::new(AtomicUsize::new(0));
    let count = Arc::clone(&asked);
    let late = move || async move {
        if count.fetch_add(1, Ordering::SeqCst) < 2 {
            return StatusCode::NOT_FOUND.into_response();
        }
        ([(header::CONTENT_TYPE, "audio/x-wav")], wav()).into_response()
    };
    let huge = || async {
        let body = Body::from_stream(futures_util::stream::repeat_with(|| {
            Ok::<_, std::io::Error>(Bytes::from(vec![0_u8; 1 << 16]))
        }));
        Response::new(body)
    };
    let announced = || async {
        let mut response = Response::new(Body::from_stream(futures_util::stream::pending::<
            std::io::Result<Bytes>,
        >()));
        response
            .headers_mut()
            .insert(header::CONTENT_LENGTH, "600000000".parse().unwrap());
        response
    };
    let mirror = |headers: HeaderMap| async move {
        let seen: Vec<String> = headers
            .iter()
            .map(|(name, value)| format!("{name}: {}", value.to_str().unwrap()))
            .collect();
        ([(header::CONTENT_TYPE, "audio/x-test")], seen.join("\n"))
    };
    let router = Router::new()
        .route("/late.wav", get(late))
        .route(
            "/inside",
            get(|| async { Redirect::to("http://169.254.169.254/latest/meta-data") }),
        )
        .route("/around", get(|| async { Redirect::temporary("/around") }))
        .route(
            "/page",
            get(|| async { axum::response::Html("<html>sign in</html>") }),
        )
        .route("/huge", get(huge))
        .route("/announced", get(announced))
        .route("/mirror", get(mirror));
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let base = format!("http://{}", listener.local_addr().unwrap());
    tokio::spawn(async move { axum::serve(listener, router).await });
    (base, asked)
}

async fn recorded(app: &TestApp, phone: &Phone, call: &str, url: String, more: Value) {
    let now = app.app.clock.now() - TimeDelta::seconds(60);
    phone
        .says(app, "answered", call, now, json!({}))
        .await
        .expect(200);
    let mut fields = json!({"recording_url": url, "recording_secs": 30});
    fields
        .as_object_mut()
        .unwrap()
        .extend(more.as_object().unwrap().clone());
    phone
        .says(app, "ended", call, now + TimeDelta::seconds(30), fields)
        .await
        .expect(200);
}

both_databases! {
    async fn a_recording_that_is_not_there_yet_comes_and_plays_from_any_place(app: TestApp) {
        let (files, asked) = provider().await;
        let phone = Phone::on(&app, json!({}), json!({})).await;
        recorded(&app, &phone, "c1", format!("{files}/late.wav"), json!({})).await;
        let call = call_that(&app, "the recording comes", |call| !call["recording"].is_null()).await;
        assert_eq!(asked.load(Ordering::SeqCst), 3);
        assert_eq!(call["recording"]["duration_secs"], 30);
        let file = call["recording"]["attachment_id"].as_str().unwrap();
        let entry = app.until("the entry shows it", || async {
            let found = entries(&app, &call["conversation_id"]).await;
            let stored = found[0]["call"]["recordings"][0]["state"] == "stored";
            stored.then(|| found[0].clone())
        }).await;
        assert_eq!(entry["call"]["recordings"][0]["attachment_id"], json!(file));
        assert_eq!((entry["attachments"].as_array().unwrap().len(), &entry["attachments"][0]["content_type"]), (1, &json!("audio/wav")));
        let get = |range: Option<&'static str>| {
            let mut request = app.client.get(format!("{}/api/v1/attachments/{file}", app.base)).bearer_auth(&app.key);
            if let Some(range) = range {
                request = request.header("range", range);
            }
            request.send()
        };
        let whole = get(None).await.unwrap();
        assert_eq!((whole.status().as_u16(), whole.headers()["accept-ranges"].to_str().unwrap()), (200, "bytes"));
        assert!(whole.headers()["content-disposition"].to_str().unwrap().starts_with("inline"));
        assert_eq!(whole.bytes().await.unwrap(), wav());
        let part = get(Some("bytes=0-3")).await.unwrap();
        assert_eq!(part.status(), 206);
        assert_eq!(part.headers()["content-range"].to_str().unwrap(), format!("bytes 0-3/{}", wav().len()));
        assert_eq!(part.bytes().await.unwrap(), "RIFF");
        assert_eq!(get(Some("bytes=-10")).await.unwrap().bytes().await.unwrap().len(), 10);
        assert_eq!(get(Some("bytes=999999-")).await.unwrap().status(), 416);
    }

    async fn recordings_that_cannot_be_had_say_why(app: TestApp) {
        let (files, _) = provider().await;
        let phone = Phone::on(&app, json!({}), json!({})).await;
        let gone = (app.app.clock.now() - TimeDelta::seconds(1)).to_rfc3339();
        recorded(&app, &phone, "inside", format!("{files}/inside"), json!({})).await;
        recorded(&app, &phone, "private", "http://10.0.0.1/rec.wav".to_owned(), json!({})).await;
        recorded(&app, &phone, "large", format!("{files}/announced"), json!({})).await;
        recorded(&app, &phone, "expired", format!("{files}/late.wav"), json!({"recording_expires_at": gone})).await;
        recorded(&app, &phone, "around", format!("{files}/around"), json!({})).await;
        let calls = app.until("all are judged", || async {
            let calls = app.get("/calls").await["items"].as_array().unwrap().clone();
            let judged = calls.iter().filter(|call| call["recordings"][0]["state"] == "failed").count();
            (judged == 5).then_some(calls)
        }).await;
        let mut reasons: Vec<&str> = calls.iter().map(|call| call["recordings"][0]["error"].as_str().unwrap()).collect();
        reasons.sort_unstable();
        assert!(reasons[0].starts_with("10.0.0.1 is an address of a private network"), "{reasons:?}");
        assert!(reasons[1].starts_with("169.254.169.254 is an address of a private network"), "{reasons:?}");
        assert_eq!(reasons[2..], ["it leads on more than 5 times", "its address has run out", "too large: more than 500 MB"]);
        // A page in the place of the recording may pass.
        recorded(&app, &phone, "page", format!("{files}/page"), json!({})).await;
        let call = call_that(&app, "the page is no recording", |call| !call["recordings"][0]["error"].is_null() && call["recordings"][0]["state"] == "fetching").await;
        assert_eq!(call["recordings"][0]["error"], "the server sent a page in its place");
    }

    async fn a_recording_that_comes_before_its_call_waits_for_it(app: TestApp) {
        let (files, _) = provider().await;
        let phone = Phone::on(&app, json!({}), json!({})).await;
        let now = app.app.clock.now() - TimeDelta::seconds(60);
        let recording = json!({"recording_url": format!("{files}/late.wav")});
        phone.says(&app, "recording", "c1", now + TimeDelta::seconds(40), recording).await.expect(200);
        app.until("the file is here", || async {
            stored(&app).await.then_some(())
        }).await;
        assert!(app.get("/calls").await["items"].as_array().unwrap().is_empty(), "a recording alone is no call");
        phone.says(&app, "ended", "c1", now + TimeDelta::seconds(30), json!({"disposition": "answered"})).await.expect(200);
        let call = call_that(&app, "the call has it", |call| !call["recording"].is_null()).await;
        let found = entries(&app, &call["conversation_id"]).await;
        assert_eq!(found[0]["attachments"].as_array().unwrap().len(), 1);
    }
}

async fn stored(app: &TestApp) -> bool {
    use sea_orm::EntityTrait;
    let rows = switchboard::db::entity::call_recording::Entity::find()
        .all(app.app.db.read())
        .await
        .unwrap();
    rows.iter().any(|row| row.state == "stored")
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_download_stops_at_its_limit_and_gives_other_hosts_no_credentials() {
    let app = TestApp::start(Database::sqlite().await).await;
    let (files, _) = provider().await;
    let (mirror, _) = provider().await;
    let to = format!("{mirror}/mirror");
    let leading = Router::new()
        .route("/away", get(move || async move { Redirect::temporary(&to) }))
        .route("/here", get(|| async { Redirect::temporary("/own") }))
        .route(
            "/own",
            get(|headers: HeaderMap| async move { format!("{:?}", headers.get("authorization")) }),
        );
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let base = format!("http://{}", listener.local_addr().unwrap());
    tokio::spawn(async move { axum::serve(listener, leading).await });
    let ask = |url: String| {
        http::Request::get(url)
            .header("authorization", "Basic c2VjcmV0")
            .header("x-api-key", "secret")
            .header("accept", "audio/*")
            .body(Bytes::new())
            .unwrap()
    };
    let folder = app.app.storage.folder().to_owned();
    let get = async |url: String, most: u64| app.app.outgoing.download(ask(url), most, &folder).await;
    let away = get(format!("{base}/away"), 10_000).await.unwrap();
    let seen = String::from_utf8(away.content.read_all().unwrap().to_vec()).unwrap();
    assert!(
        seen.contains("accept: audio/*") && !seen.contains("secret") && !seen.contains("c2VjcmV0"),
        "{seen}"
    );
    let here = get(format!("{base}/here"), 10_000).await.unwrap();
    assert!(
        String::from_utf8(here.content.read_all().unwrap().to_vec())
            .unwrap()
            .contains("Basic c2VjcmV0")
    );
    // It never ends: whoever answers has stopped reading it.
    let huge = get(format!("{files}/huge"), 5 << 20).await.unwrap_err();
    assert_eq!(huge, DownloadError::TooLarge(5));
    assert!(matches!(
        get(format!("{files}/nothing"), 10).await,
        Err(DownloadError::Later { .. })
    ));
    let left: Vec<_> = std::fs::read_dir(&folder)
        .unwrap()
        .filter_map(Result::ok)
        .filter(|entry| entry.path().is_file())
        .collect();
    assert!(left.is_empty(), "{left:?}");
}

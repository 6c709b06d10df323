//! Signing in, and what a sign-in may do.

use serde_json::{Value, json};

use crate::support::{Answer, TestApp};

/// A browser that is signed in.
struct Browser {
    cookie: String,
    csrf: String,
}

impl Browser {
    async fn sign_in(app: &TestApp, email: &str, password: &str) -> Self {
        let request = app.client.post(format!("{}/api/v1/auth/login", app.base));
        let answer = request
            .json(&json!({"email": email, "password": password}))
            .send()
            .await
            .unwrap();
        assert_eq!(answer.status(), 200);
        let cookie = answer.headers()["set-cookie"].to_str().unwrap().to_owned();
        for part in ["HttpOnly", "SameSite=Lax", "Path=/"] {
            assert!(cookie.contains(part), "{cookie}");
        }
        let body: Value = answer.json().await.unwrap();
        let cookie = cookie.split(';').next().unwrap().to_owned();
        Self {
            cookie,
            csrf: body["csrf_token"].as_str().unwrap().to_owned(),
        }
    }

    async fn ask(&self, app: &TestApp, method: &str, path: &str, csrf: Option<&str>, body: Value) -> Answer {
        let method = reqwest::Method::from_bytes(method.as_bytes()).unwrap();
        let mut request = app
            .client
            .request(method.clone(), format!("{}/api/v1{path}", app.base));
        request = request.header("cookie", &self.cookie);
        if let Some(csrf) = csrf {
            request = request.header("x-csrf-token", csrf);
        }
        if method != reqwest::Method::GET {
            request = request.json(&body);
        }
        app.ask(request).await
    }

    async fn me(&self, app: &TestApp) -> Answer {
        self.ask(app, "GET", "/me", None, Value::Null).await
    }
}

async fn user(app: &TestApp, email: &str, role: &str) -> Value {
    let body = json!({"email": email, "name": "Anna", "role": role, "password": "correct horse"});
    app.post("/users", body).await.expect(201)
}

both_databases! {
    async fn a_sign_in_lasts_until_the_sign_out(app: TestApp) {
        user(&app, "anna@x.example", "admin").await;
        let login = |password: &str| app.post("/auth/login", json!({"email": "anna@x.example", "password": password}));
        assert_eq!(login("wrong horse").await.expect(401)["type"], "/problems/unauthenticated");
        let nobody = app.post("/auth/login", json!({"email": "nobody@x.example", "password": "correct horse"})).await;
        let wrong = login("wrong horse").await;
        // Which addresses exist is nobody's business.
        assert_eq!(nobody.expect(401)["detail"], wrong.expect(401)["detail"]);
        let browser = Browser::sign_in(&app, " ANNA@x.example", "correct horse").await;
        let me = browser.me(&app).await.expect(200);
        assert_eq!((&me["email"], &me["csrf_token"]), (&json!("anna@x.example"), &json!(browser.csrf)));
        let other = Browser::sign_in(&app, "anna@x.example", "correct horse").await;
        browser.ask(&app, "POST", "/auth/logout", Some(&browser.csrf), json!({})).await.expect(204);
        browser.me(&app).await.expect(401);
        other.me(&app).await.expect(200);
    }

    async fn a_cookie_alone_reads_and_changes_nothing(app: TestApp) {
        user(&app, "anna@x.example", "admin").await;
        let browser = Browser::sign_in(&app, "anna@x.example", "correct horse").await;
        let other = Browser::sign_in(&app, "anna@x.example", "correct horse").await;
        for csrf in [None, Some(""), Some("wrong"), Some(other.csrf.as_str())] {
            let refused = browser.ask(&app, "POST", "/lines", csrf, json!({"name": "Mine"})).await;
            assert_eq!(refused.expect(403)["type"], "/problems/forbidden");
            browser.ask(&app, "POST", "/auth/logout", csrf, json!({})).await.expect(403);
        }
        browser.ask(&app, "POST", "/lines", Some(&browser.csrf), json!({"name": "Mine"})).await.expect(201);
        assert_eq!(app.get("/lines").await["items"].as_array().unwrap().len(), 1);
        // A socket has no header of ours: it must come from our own pages.
        let upgrade = |origin: &str| {
            let request = app.client.get(format!("{}/api/v1/realtime", app.base)).header("cookie", &browser.cookie);
            let request = request.header("origin", origin).header("connection", "upgrade").header("upgrade", "websocket");
            request.header("sec-websocket-version", "13").header("sec-websocket-key", "dGhlIHNhbXBsZSBub25jZQ==").send()
        };
        assert_eq!(upgrade("https://evil.example").await.unwrap().status(), 403);
        assert_eq!(upgrade(&app.base).await.unwrap().status(), 101);
    }

    async fn a_new_password_ends_every_other_sign_in(app: TestApp) {
        user(&app, "anna@x.example", "operator").await;
        let (here, there) = (
            Browser::sign_in(&app, "anna@x.example", "correct horse").await,
            Browser::sign_in(&app, "anna@x.example", "correct horse").await,
        );
        let put = |body: Value| here.ask(&app, "PUT", "/me/password", Some(&here.csrf), body);
        let wrong = put(json!({"current": "wrong horse", "new": "battery staple"})).await.expect(422);
        assert_eq!(wrong["errors"][0]["field"], "current");
        let short = put(json!({"current": "correct horse", "new": "short"})).await.expect(422);
        assert_eq!(short["errors"][0]["field"], "new");
        there.me(&app).await.expect(200);
        put(json!({"current": "correct horse", "new": "battery staple"})).await.expect(204);
        here.me(&app).await.expect(200);
        there.me(&app).await.expect(401);
        let old = json!({"email": "anna@x.example", "password": "correct horse"});
        app.post("/auth/login", old).await.expect(401);
        Browser::sign_in(&app, "anna@x.example", "battery staple").await;
        // A key has no password to change.
        let body = json!({"current": "x", "new": "battery staple"});
        app.call("PUT", "/me/password", Some(body)).await.expect(409);
    }

    async fn who_is_disabled_is_out_at_once_by_cookie_key_and_socket(app: TestApp) {
        let anna = user(&app, "anna@x.example", "operator").await;
        let browser = Browser::sign_in(&app, "anna@x.example", "correct horse").await;
        let (service, key) = app.operator("Program", "operator").await;
        let mut socket = app.socket(&key, None).await;
        assert_eq!(socket.next().await.unwrap()["type"], "hello");
        for id in [&anna["id"], &service["id"]] {
            app.patch(&format!("/users/{}", id.as_str().unwrap()), json!({"enabled": false})).await.expect(200);
        }
        browser.me(&app).await.expect(401);
        app.call_as(&key, "GET", "/me", None).await.expect(401);
        app.post("/auth/login", json!({"email": "anna@x.example", "password": "correct horse"})).await.expect(401);
        while socket.next().await.is_some() {}
        // Enabled again, the sign-in of before does not come back, the key does.
        for id in [&anna["id"], &service["id"]] {
            app.patch(&format!("/users/{}", id.as_str().unwrap()), json!({"enabled": true})).await.expect(200);
        }
        browser.me(&app).await.expect(401);
        app.call_as(&key, "GET", "/me", None).await.expect(200);
    }

    async fn a_role_that_changes_counts_from_the_next_request(app: TestApp) {
        let (me, key) = app.operator("Olim", "operator").await;
        app.call_as(&key, "POST", "/lines", Some(json!({"name": "Mine"}))).await.expect(403);
        app.patch(&format!("/users/{}", me["id"].as_str().unwrap()), json!({"role": "admin"})).await.expect(200);
        app.call_as(&key, "POST", "/lines", Some(json!({"name": "Mine"}))).await.expect(201);
    }
}

//! The API's document: what is committed for the web client is what the program says, and it names
//! what the public contract names.

use std::{collections::BTreeSet, path::Path};

use serde_json::Value;
use switchboard::api;

#[test]
fn the_committed_document_is_the_programs() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("web/openapi.json");
    let committed = std::fs::read_to_string(path).unwrap();
    assert!(
        committed.trim_end() == api::document_text(),
        "web/openapi.json is old: run `make openapi`"
    );
}

#[test]
fn every_path_of_the_contract_is_served() {
    let document: Value = serde_json::to_value(api::document()).unwrap();
    for (path, methods) in [
        ("/api/v1/setup", "get post"),
        ("/api/v1/auth/login", "post"),
        ("/api/v1/auth/logout", "post"),
        ("/api/v1/me", "get"),
        ("/api/v1/me/password", "put"),
        ("/api/v1/me/availability", "put"),
        ("/api/v1/me/presence", "put"),
        ("/api/v1/users", "get post"),
        ("/api/v1/users/{id}", "get patch"),
        ("/api/v1/users/{id}/availability", "put"),
        ("/api/v1/teams", "get post"),
        ("/api/v1/teams/{id}", "get patch delete"),
        ("/api/v1/apikeys", "get post"),
        ("/api/v1/apikeys/{id}", "delete"),
        ("/api/v1/lines", "get post"),
        ("/api/v1/lines/{id}", "get patch"),
        ("/api/v1/lines/{id}/versions", "get"),
        ("/api/v1/connectors", "get"),
        ("/api/v1/channels", "get post"),
        ("/api/v1/channels/{id}", "get patch delete"),
        ("/api/v1/channels/{id}/check", "post"),
        ("/api/v1/conversations", "get"),
        ("/api/v1/conversations/counts", "get"),
        ("/api/v1/conversations/{id}", "get"),
        ("/api/v1/conversations/{id}/read", "post"),
        ("/api/v1/conversations/{id}/messages", "get post"),
        ("/api/v1/conversations/{id}/routing", "get"),
        ("/api/v1/conversations/{id}/accept", "post"),
        ("/api/v1/conversations/{id}/decline", "post"),
        ("/api/v1/conversations/{id}/take", "post"),
        ("/api/v1/conversations/{id}/return", "post"),
        ("/api/v1/conversations/{id}/transfer", "post"),
        ("/api/v1/conversations/{id}/close", "post"),
        ("/api/v1/conversations/{id}/reopen", "post"),
        ("/api/v1/conversations/{id}/spam", "post"),
        ("/api/v1/conversations/{id}/snooze", "post"),
        ("/api/v1/conversations/{id}/participants", "post"),
        ("/api/v1/conversations/{id}/tags", "post"),
        ("/api/v1/conversations/{id}/priority", "post"),
        ("/api/v1/messages/{id}/retry", "post"),
        ("/api/v1/attachments", "post"),
        ("/api/v1/attachments/{id}", "get"),
        ("/api/v1/contacts", "get post"),
        ("/api/v1/contacts/{id}", "get patch"),
        ("/api/v1/contacts/{id}/merge", "post"),
        ("/api/v1/contacts/{id}/unmerge", "post"),
        ("/api/v1/contacts/{id}/timeline", "get"),
        ("/api/v1/companies", "get post"),
        ("/api/v1/companies/{id}", "get patch delete"),
        ("/api/v1/custom-fields", "get post"),
        ("/api/v1/custom-fields/{id}", "get patch delete"),
        ("/api/v1/leads", "get post"),
        ("/api/v1/leads/{id}", "get patch"),
        ("/api/v1/leads/{id}/convert", "post"),
        ("/api/v1/pipelines", "get post"),
        ("/api/v1/pipelines/{id}", "get patch"),
        ("/api/v1/deals", "get post"),
        ("/api/v1/deals/{id}", "get patch"),
        ("/api/v1/submissions", "get"),
        ("/api/v1/submissions/{id}", "get"),
        ("/api/v1/submissions/{id}/approve", "post"),
        ("/api/v1/submissions/{id}/reject", "post"),
        ("/api/v1/search", "get"),
        ("/api/v1/quarantine", "get"),
        ("/api/v1/quarantine/{id}/replay", "post"),
        ("/api/v1/quarantine/{id}/raw", "get"),
        ("/api/v1/outbox", "get"),
        ("/api/v1/realtime", "get"),
        ("/api/v1/webhooks", "get post"),
        ("/api/v1/webhooks/{id}/deliveries", "get"),
        ("/api/v1/webhooks/{id}/deliveries/{delivery_id}/replay", "post"),
        ("/health/live", "get"),
        ("/health/ready", "get"),
    ] {
        for method in methods.split(' ') {
            let found = document["paths"][path].get(method);
            assert!(found.is_some(), "{method} {path} is missing");
        }
    }
}

#[test]
fn operations_have_names_sections_and_words_of_their_own() {
    let document: Value = serde_json::to_value(api::document()).unwrap();
    let sections: BTreeSet<&str> = document["tags"]
        .as_array()
        .unwrap()
        .iter()
        .map(|tag| tag["name"].as_str().unwrap())
        .collect();
    let mut names = BTreeSet::new();
    for (path, item) in document["paths"].as_object().unwrap() {
        assert!(
            path.starts_with("/api/v1/") || path.starts_with("/health/"),
            "{path}"
        );
        for (method, operation) in item.as_object().unwrap() {
            let name = operation["operationId"].as_str().unwrap();
            assert!(names.insert(name), "two operations are called {name}");
            assert!(operation["summary"].is_string(), "{method} {path} says nothing");
            for tag in operation["tags"].as_array().unwrap() {
                assert!(
                    sections.contains(tag.as_str().unwrap()),
                    "{path} is in a section without words: {tag}"
                );
            }
        }
    }
}

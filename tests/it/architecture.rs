//! The directions of dependency, read off the `use` lines and paths of the sources.

use std::path::{Path, PathBuf};

/// Folders of concepts: they know the database and each other, never the HTTP side.
const CONCEPTS: [&str; 36] = [
    "apply",
    "audit",
    "auth",
    "automation",
    "call",
    "channel",
    "commerce",
    "company",
    "connector",
    "contact",
    "conversation",
    "custom_field",
    "db",
    "deal",
    "erase",
    "event",
    "export",
    "form",
    "import",
    "ingest",
    "lead",
    "line",
    "live",
    "notification",
    "operator",
    "outbound",
    "outgoing",
    "routing",
    "search",
    "sync",
    "task",
    "template",
    "timeline",
    "visitor",
    "wall",
    "webhook",
];

fn root() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR"))
}

fn sources(folder: &Path) -> Vec<(PathBuf, String)> {
    let mut found = Vec::new();
    let Ok(entries) = std::fs::read_dir(folder) else {
        return found;
    };
    for entry in entries {
        let path = entry.unwrap().path();
        if path.is_dir() && path.file_name().is_some_and(|name| name != "target") {
            found.extend(sources(&path));
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            let text = std::fs::read_to_string(&path).unwrap();
            // Words in comments are no dependencies.
            let code: Vec<&str> = text
                .lines()
                .filter(|line| !line.trim_start().starts_with("//"))
                .collect();
            found.push((path, code.join("\n")));
        }
    }
    found
}

/// Files below `folder` that name one of `words`, except those in `allowed`.
fn offenders(folder: &str, words: &[&str], allowed: &[&str]) -> Vec<String> {
    let root = root();
    let mut offenders = Vec::new();
    for (path, code) in sources(&root.join(folder)) {
        let name = path.strip_prefix(&root).unwrap().display().to_string();
        if allowed.iter().any(|allowed| name.starts_with(allowed)) {
            continue;
        }
        for word in words.iter().filter(|word| code.contains(*word)) {
            offenders.push(format!("{name} names {word}"));
        }
    }
    offenders
}

#[test]
fn connectors_know_the_contract_and_nothing_else_of_ours() {
    let kinds = ["email", "telegram", "webchat", "webform", "custom", "voip"];
    for kind in kinds {
        let others: Vec<String> = kinds
            .iter()
            .filter(|other| **other != kind)
            .map(|other| format!("switchboard_{other}"))
            .collect();
        let mut words: Vec<&str> = others.iter().map(String::as_str).collect();
        words.extend([
            "sea_orm",
            "sqlx",
            "axum::",
            "switchboard::",
            "switchboard_migrations",
        ]);
        assert_eq!(
            offenders(&format!("connectors/{kind}/src"), &words, &[]),
            Vec::<String>::new()
        );
    }
    let words = [
        "sea_orm",
        "axum::",
        "switchboard::",
        "switchboard_email",
        "switchboard_telegram",
        "switchboard_webchat",
        "switchboard_webform",
        "switchboard_custom",
        "switchboard_voip",
    ];
    assert_eq!(offenders("connectors/sdk", &words, &[]), Vec::<String>::new());
}

#[test]
fn adapters_to_crms_know_neither_the_database_nor_the_server() {
    let words = [
        "sea_orm",
        "sqlx",
        "axum::",
        "reqwest",
        "switchboard::",
        "switchboard_migrations",
    ];
    assert_eq!(offenders("crm/src", &words, &[]), Vec::<String>::new());
}

#[test]
fn only_the_registry_names_connector_crates() {
    let words = [
        "switchboard_email",
        "switchboard_telegram",
        "switchboard_webchat",
        "switchboard_webform",
        "switchboard_custom",
        "switchboard_voip",
    ];
    assert_eq!(
        offenders("src", &words, &["src/connector/registry.rs"]),
        Vec::<String>::new()
    );
}

#[test]
fn no_concept_knows_the_http_side() {
    for concept in CONCEPTS {
        let folder = format!("src/{concept}");
        assert!(
            root().join(&folder).is_dir(),
            "{folder} is gone: change this list"
        );
        let words = ["crate::api", "axum::", "StatusCode", "crate::app"];
        assert_eq!(offenders(&folder, &words, &[]), Vec::<String>::new());
    }
}

#[test]
fn what_comes_first_on_the_way_does_not_call_what_comes_later() {
    let later = [
        (
            "src/conversation",
            vec![
                "crate::routing",
                "crate::outbound",
                "crate::ingest",
                "crate::live",
                "crate::lead",
            ],
        ),
        (
            "src/contact",
            vec![
                "crate::routing",
                "crate::outbound",
                "crate::ingest",
                "crate::lead",
            ],
        ),
        (
            "src/ingest",
            vec![
                "crate::routing",
                "crate::outbound",
                "crate::live",
                "crate::connector",
            ],
        ),
        (
            "src/routing",
            vec![
                "crate::outbound",
                "crate::ingest",
                "crate::live",
                "crate::connector",
                "crate::automation",
            ],
        ),
        (
            "src/line",
            vec![
                "crate::routing",
                "crate::outbound",
                "crate::conversation",
                "crate::ingest",
            ],
        ),
        (
            "src/event",
            vec![
                "crate::routing",
                "crate::outbound",
                "crate::conversation",
                "crate::ingest",
                "crate::live",
            ],
        ),
        (
            "src/db",
            vec![
                "crate::conversation",
                "crate::routing",
                "crate::ingest",
                "crate::contact",
                "crate::lead",
            ],
        ),
    ];
    for (folder, words) in later {
        assert_eq!(offenders(folder, &words, &[]), Vec::<String>::new());
    }
}

#[test]
fn only_the_store_begins_transactions_and_only_the_clock_reads_time() {
    let begins = ["TransactionTrait", ".begin_with_options(", ".begin_with_config("];
    assert_eq!(offenders("src", &begins, &["src/db/"]), Vec::<String>::new());
    let reads = ["Utc::now(", "SystemTime::now(", "Local::now("];
    let allowed = ["src/clock.rs", "connectors/sdk/src/clock.rs", "src/id.rs"];
    assert_eq!(offenders("src", &reads, &allowed), Vec::<String>::new());
    assert_eq!(
        offenders("connectors/email/src", &reads, &allowed),
        Vec::<String>::new()
    );
}

#[test]
fn rules_are_pure() {
    for file in [
        "src/conversation/state.rs",
        "src/routing/decide.rs",
        "src/routing/plan.rs",
        "src/routing/standing.rs",
        "src/routing/simulate.rs",
        "src/routing/simulate/actions.rs",
        "src/routing/simulate/asking.rs",
        "src/routing/simulate/chance.rs",
        "src/routing/simulate/change.rs",
        "src/routing/simulate/csv.rs",
        "src/routing/simulate/engine.rs",
        "src/routing/simulate/figures.rs",
        "src/routing/simulate/placing.rs",
        "src/routing/simulate/queue.rs",
        "src/routing/simulate/state.rs",
        "src/routing/simulate/today.rs",
        "src/outbound/retry.rs",
        "src/deal/money.rs",
        "src/deal/stages.rs",
        "src/lead/assign.rs",
        "src/lead/rule.rs",
        "src/task/time.rs",
        "src/lead/source.rs",
        "src/search/fold.rs",
        "src/contact/identify.rs",
        "src/conversation/rearrange/order.rs",
        "src/ingest/threading.rs",
        "src/call/csv.rs",
        "src/call/fold.rs",
        "src/call/retry.rs",
        "src/ingest/call.rs",
        "src/line/due.rs",
        "src/notification/text.rs",
        "src/sync/mapping.rs",
        "src/sync/schedule.rs",
        "src/webhook/payload.rs",
        "src/webhook/schedule.rs",
        "src/webhook/select.rs",
        "src/outbound/address.rs",
        "src/outbound/budget.rs",
        "src/outbound/rich.rs",
        "src/line/hours.rs",
        "src/operator/schedule.rs",
        "src/operator/rights/rule.rs",
        "src/line/language.rs",
        "src/line/text.rs",
        "src/apply/source.rs",
        "src/apply/format.rs",
        "src/apply/read.rs",
        "src/apply/schedules.rs",
        "src/apply/present.rs",
        "src/apply/plan.rs",
        "src/apply/render.rs",
        "connectors/email/src/map.rs",
        "connectors/telegram/src/address.rs",
        "connectors/telegram/src/content.rs",
        "connectors/telegram/src/entities.rs",
        "connectors/telegram/src/limit.rs",
        "connectors/telegram/src/map.rs",
        "connectors/telegram/src/markup.rs",
        "connectors/telegram/src/plan.rs",
        "connectors/telegram/src/split.rs",
        "connectors/telegram/src/start.rs",
    ] {
        let path = root().join(file);
        assert!(path.is_file(), "{file} is gone: change this list");
        let text = std::fs::read_to_string(path).unwrap();
        for word in [
            "async ",
            "ConnectionTrait",
            "DatabaseConnection",
            "tokio::",
            "now()",
        ] {
            assert!(!text.contains(word), "{file} names {word}");
        }
    }
}

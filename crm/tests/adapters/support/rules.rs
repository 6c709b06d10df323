//! The rules that every adapter keeps, each a function that panics with what it found.

use chrono::TimeDelta;
use serde_json::{Value, json};
use switchboard_crm::SyncError;
use switchboard_sdk::secret_paths;
use switchboard_testkit::schema;

use super::{Fixture, Kind, Trouble, World, empty, lead, note, reply};

fn ids(world: &World) -> Vec<String> {
    world.crm(|crm| crm.leads().into_iter().map(|(_, origin)| origin).collect())
}

pub async fn the_example_fits_the_schema_and_builds(fixture: &Fixture) {
    let descriptor = fixture.descriptor();
    for settings in [(descriptor.example)(), (fixture.settings)()] {
        let found = schema::violations(&(descriptor.settings_schema)(), &settings);
        assert!(found.is_empty(), "{found:#?}");
        World::new(fixture.fake).build(descriptor, settings);
    }
}

pub async fn each_setting_is_described_and_each_secret_marked(fixture: &Fixture) {
    let schema = (fixture.descriptor().settings_schema)();
    for property in schema::properties(&schema) {
        let path = property.path.join(".");
        let has = |key: &str| property.node.get(key).or(property.target.get(key)).is_some();
        assert!(
            has("title") || property.path.last().unwrap() == "[]",
            "{path} has no title: {}",
            property.node
        );
        let sounds = ["token", "secret", "code"].iter().any(|word| path.contains(word));
        assert!(!sounds || has("x-secret"), "{path} sounds like a secret");
    }
    assert!(!secret_paths(&schema).is_empty());
}

pub async fn a_wrong_setting_is_named(fixture: &Fixture) {
    let descriptor = fixture.descriptor();
    let refused =
        |settings: Value| match (descriptor.build)(settings.clone(), World::new(fixture.fake).context()) {
            Ok(_) => panic!("taken: {settings}"),
            Err(error) => error,
        };
    let mut unknown = (fixture.settings)();
    unknown["nobody_knows"] = json!(1);
    assert_eq!(refused(unknown).field, "nobody_knows");
    let mut unknown = (fixture.settings)();
    unknown["auth"]["nobody_knows"] = json!(1);
    assert_eq!(refused(unknown).field, "auth.nobody_knows");
    for field in ["client_id", "client_secret"] {
        let mut missing = (fixture.settings)();
        missing["auth"].as_object_mut().unwrap().remove(field);
        let error = refused(missing);
        assert_eq!(error.field, format!("auth.{field}"));
        assert!(error.message.contains("needed"), "{error}");
    }
    let mut nobody = (fixture.settings)();
    nobody["auth"].as_object_mut().unwrap().remove("refresh_token");
    assert_eq!(refused(nobody).field, "auth.code");
    let mut typed = (fixture.settings)();
    typed["auth"]["client_secret"] = json!(["hush-7f3a"]);
    let error = refused(typed);
    assert_eq!(error.field, "auth.client_secret");
    assert!(!error.to_string().contains("hush"), "{error}");
    if let Some((field, host)) = fixture.foreign {
        let mut foreign = (fixture.settings)();
        foreign[field] = json!(host);
        assert_eq!(refused(foreign).field, field);
    }
}

pub async fn a_check_says_what_was_reached_and_changes_nothing(fixture: &Fixture) {
    let (world, adapter) = fixture.world();
    let said = adapter.check().await.unwrap();
    assert!(said.len() > 20 && said.ends_with('.'), "{said}");
    assert!(!said.contains("secret"), "{said}");
    assert_eq!(ids(&world), Vec::<String>::new());
    let wrote = world.asked().into_iter().any(|request| {
        world.crm(|crm| {
            matches!(
                crm.kind(&request),
                Kind::Create | Kind::Change | Kind::Person | Kind::Note
            )
        })
    });
    assert!(!wrote);
}

pub async fn a_lead_is_made_and_found_by_our_id(fixture: &Fixture) {
    let (world, adapter) = fixture.world();
    assert_eq!(adapter.find("lea_1").await.unwrap(), None);
    let made = adapter.create(&lead("lea_1")).await.unwrap();
    assert_eq!(ids(&world), ["lea_1"]);
    assert!(!made.merged);
    let url = made.url.clone().expect("a page for people");
    assert!(url.starts_with("https://") && url.contains(&made.id), "{url}");
    let found = adapter.find("lea_1").await.unwrap().expect("found again");
    assert_eq!(found.id, made.id);
    assert_eq!(adapter.find("lea_2").await.unwrap(), None);
    // Part of an id is none.
    assert_eq!(adapter.find("lea_").await.unwrap(), None);
}

pub async fn a_lost_answer_makes_no_second_lead(fixture: &Fixture) {
    let (world, adapter) = fixture.world();
    world.crm(|crm| crm.lag());
    world.trouble(Kind::Create, Trouble::LostAnswer);
    let error = adapter.create(&lead("lea_1")).await.unwrap_err();
    assert!(matches!(error, SyncError::Unknown(_)), "{error:?}");
    let found = adapter
        .find("lea_1")
        .await
        .unwrap()
        .expect("made, though nobody said so");
    assert_eq!(ids(&world), ["lea_1"]);
    adapter.update(&found, &lead("lea_1")).await.unwrap();
    assert_eq!(ids(&world), ["lea_1"]);
}

pub async fn a_broken_answer_to_a_write_is_not_taken_for_a_refusal(fixture: &Fixture) {
    for status in [500, 502, 504] {
        let (world, adapter) = fixture.world();
        let page = super::Reply {
            status,
            headers: Vec::new(),
            body: "<html>Bad Gateway</html>".to_owned(),
        };
        world.trouble(Kind::Create, Trouble::Says(page.clone()));
        let error = adapter.create(&lead("lea_1")).await.unwrap_err();
        assert!(matches!(error, SyncError::Unknown(_)), "{status}: {error:?}");
        world.trouble(Kind::Other, Trouble::Says(page));
        let error = adapter.find("lea_1").await.unwrap_err();
        assert!(matches!(error, SyncError::Temporary(_)), "{status}: {error:?}");
    }
    let (world, adapter) = fixture.world();
    world.trouble(Kind::Create, Trouble::Says(empty(200)));
    let error = adapter.create(&lead("lea_1")).await.unwrap_err();
    assert!(matches!(error, SyncError::Unknown(_)), "{error:?}");
}

pub async fn what_was_not_sent_is_tried_again(fixture: &Fixture) {
    let (world, adapter) = fixture.world();
    world.trouble(Kind::Create, Trouble::NotSent);
    let error = adapter.create(&lead("lea_1")).await.unwrap_err();
    assert!(matches!(error, SyncError::Temporary(_)), "{error:?}");
    adapter.create(&lead("lea_1")).await.unwrap();
    assert_eq!(ids(&world), ["lea_1"]);
}

pub async fn an_expired_token_is_refreshed_once_and_the_new_refresh_token_is_stored_before_use(
    fixture: &Fixture,
) {
    let (world, adapter) = fixture.world();
    adapter.find("lea_1").await.unwrap();
    world.crm(|crm| crm.auth().expire());
    let before = world.crm(|crm| crm.auth().count);
    adapter.create(&lead("lea_1")).await.unwrap();
    assert_eq!(world.crm(|crm| crm.auth().count), before + 1);
    assert_eq!(ids(&world), ["lea_1"]);
    let journal = world.journal.lock().unwrap().clone();
    for number in 1..=before + 1 {
        let at = |what: String| journal.iter().position(|line| *line == what);
        let stored = at(format!("stored refresh-{number}-secret"));
        let used = at(format!("used access-{number}-secret"));
        assert!(stored.is_some() && stored < used, "{journal:#?}");
    }
    assert_eq!(
        world.stored("auth.refresh_token"),
        Some(format!("refresh-{}-secret", before + 1))
    );
}

pub async fn a_refresh_token_that_cannot_be_stored_is_kept_and_not_used(fixture: &Fixture) {
    let (world, adapter) = fixture.world();
    world.store_fails(true);
    let error = adapter.find("lea_1").await.unwrap_err();
    assert!(matches!(error, SyncError::Temporary(_)), "{error:?}");
    assert!(
        !world
            .journal
            .lock()
            .unwrap()
            .iter()
            .any(|line| line.starts_with("used"))
    );
    world.store_fails(false);
    adapter.find("lea_1").await.unwrap();
    // The one that was issued first is stored in the end, and no second one was asked for.
    assert_eq!(
        world.stored("auth.refresh_token").as_deref(),
        Some("refresh-1-secret")
    );
    assert_eq!(world.crm(|crm| crm.auth().count), 1);
}

pub async fn a_restart_and_another_node_use_the_token_that_lasts(fixture: &Fixture) {
    let (world, adapter) = fixture.world();
    adapter.find("lea_1").await.unwrap();
    let other = world.build(fixture.descriptor(), (fixture.settings)());
    other.find("lea_1").await.unwrap();
    assert_eq!(world.crm(|crm| crm.auth().count), 1);
    // When it ends one of them renews it, and the other takes what was stored.
    world.clock.advance(TimeDelta::hours(2));
    other.find("lea_1").await.unwrap();
    adapter.find("lea_1").await.unwrap();
    assert_eq!(world.crm(|crm| crm.auth().count), 2);
}

pub async fn a_withdrawn_sign_in_is_said_to_be_one(fixture: &Fixture) {
    let (world, adapter) = fixture.world();
    world.crm(|crm| crm.auth().revoked = true);
    let error = adapter.create(&lead("lea_1")).await.unwrap_err();
    assert!(
        matches!(&error, SyncError::Auth(text) if text.contains("sign in")),
        "{error:?}"
    );
    // The server's words held both.
    assert!(!error.to_string().contains("refresh-0-secret"), "{error}");
    assert!(!error.to_string().contains("client-secret"), "{error}");
}

pub async fn a_code_is_traded_for_a_sign_in_once(fixture: &Fixture) {
    let world = World::new(fixture.fake);
    world.forget_stored("auth.refresh_token");
    let mut settings = (fixture.settings)();
    settings["auth"].as_object_mut().unwrap().remove("refresh_token");
    settings["auth"]["code"] = json!("code-secret");
    let adapter = world.build(fixture.descriptor(), settings);
    adapter.find("lea_1").await.unwrap();
    adapter.find("lea_1").await.unwrap();
    assert_eq!(
        world.stored("auth.refresh_token").as_deref(),
        Some("refresh-1-secret")
    );
    assert_eq!(world.crm(|crm| crm.auth().count), 1);
}

pub async fn a_refused_field_is_named(fixture: &Fixture) {
    let (world, adapter) = fixture.world();
    let mut wrong = lead("lea_1");
    wrong.fields.insert("no_such_field".to_owned(), json!("x"));
    let error = adapter.create(&wrong).await.unwrap_err();
    assert!(
        matches!(&error, SyncError::Refused { field: Some(field), .. } if field == "no_such_field"),
        "{error:?}"
    );
    assert_eq!(ids(&world), Vec::<String>::new());
}

pub async fn a_limit_says_when_to_come_back(fixture: &Fixture) {
    let (world, adapter) = fixture.world();
    let (answer, least) = (fixture.limited)();
    world.trouble(Kind::Create, Trouble::Says(answer));
    match adapter.create(&lead("lea_1")).await.unwrap_err() {
        SyncError::Limited {
            after: Some(after), ..
        } => assert!(after.as_secs() >= least, "{after:?}"),
        error => panic!("{error:?}"),
    }
    adapter.create(&lead("lea_1")).await.unwrap();
    assert_eq!(ids(&world), ["lea_1"]);
}

pub async fn what_came_from_us_is_no_change(fixture: &Fixture) {
    let (world, adapter) = fixture.world();
    let begin = adapter.changes(None).await.unwrap();
    assert_eq!(begin.changes, []);
    world.clock.advance(TimeDelta::minutes(1));
    let made = adapter.create(&lead("lea_1")).await.unwrap();
    let seen = adapter.changes(begin.cursor).await.unwrap();
    assert_eq!(seen.changes, [], "a new lead of ours");
    world.clock.advance(TimeDelta::minutes(1));
    let mut moved = lead("lea_1");
    moved.status_id = Some(fixture.moved.to_owned());
    adapter.update(&made, &moved).await.unwrap();
    let seen = adapter.changes(seen.cursor).await.unwrap();
    assert_eq!(seen.changes, [], "a move of ours");
}

pub async fn what_people_do_there_is_told_once(fixture: &Fixture) {
    let (world, adapter) = fixture.world();
    let made = adapter.create(&lead("lea_1")).await.unwrap();
    world.clock.advance(TimeDelta::minutes(10));
    let begin = adapter.changes(None).await.unwrap();
    world.clock.advance(TimeDelta::minutes(1));
    let now = switchboard_sdk::Clock::now(&world.clock);
    world.crm(|crm| crm.move_lead(&made.id, fixture.moved, now));
    let seen = adapter.changes(begin.cursor).await.unwrap();
    let told: Vec<(&str, Option<&str>)> = seen
        .changes
        .iter()
        .map(|change| (change.id.as_str(), change.status_id.as_deref()))
        .collect();
    assert_eq!(told, [(made.id.as_str(), Some(fixture.moved))]);
    let again = adapter.changes(seen.cursor).await.unwrap();
    assert_eq!(again.changes, []);
    // The mapping of statuses speaks of the same words.
    let known = adapter.statuses().await.unwrap();
    assert!(known.iter().any(|status| status.id == fixture.moved), "{known:?}");
}

pub async fn a_cursor_that_cannot_be_read_is_said_to_be_one(fixture: &Fixture) {
    let (_, adapter) = fixture.world();
    let error = adapter
        .changes(Some(json!("from another version")))
        .await
        .unwrap_err();
    assert!(matches!(error, SyncError::Refused { .. }), "{error:?}");
}

pub async fn a_deleted_lead_is_gone_and_not_made_again(fixture: &Fixture) {
    let (world, adapter) = fixture.world();
    let made = adapter.create(&lead("lea_1")).await.unwrap();
    let now = switchboard_sdk::Clock::now(&world.clock);
    world.crm(|crm| crm.delete_lead(&made.id, now));
    let mut moved = lead("lea_1");
    moved.status_id = Some(fixture.moved.to_owned());
    let error = adapter.update(&made, &moved).await.unwrap_err();
    assert!(matches!(error, SyncError::Gone(_)), "{error:?}");
    let error = adapter.note(&made, &note("ses_1")).await.unwrap_err();
    assert!(matches!(error, SyncError::Gone(_)), "{error:?}");
    assert_eq!(ids(&world), Vec::<String>::new());
    assert_eq!(world.crm(|crm| crm.notes()), 0);
}

pub async fn a_note_is_written_once(fixture: &Fixture) {
    let (world, adapter) = fixture.world();
    let made = adapter.create(&lead("lea_1")).await.unwrap();
    world.trouble(Kind::Note, Trouble::LostAnswer);
    let error = adapter.note(&made, &note("ses_1")).await.unwrap_err();
    assert!(matches!(error, SyncError::Unknown(_)), "{error:?}");
    let first = adapter.note(&made, &note("ses_1")).await.unwrap();
    assert_eq!(adapter.note(&made, &note("ses_1")).await.unwrap(), first);
    assert_eq!(world.crm(|crm| crm.notes()), 1);
    assert_ne!(adapter.note(&made, &note("ses_2")).await.unwrap(), first);
    assert_eq!(world.crm(|crm| crm.notes()), 2);
}

pub async fn a_known_person_is_joined(fixture: &Fixture) {
    let (world, adapter) = fixture.world();
    let known = world.crm(|crm| crm.plant_person("+7 (916) 123-45-67"));
    let mut call = lead("lea_1");
    call.person.emails.clear();
    let made = adapter.create(&call).await.unwrap();
    if fixture.kind != "salesforce" {
        assert_eq!(made.person_id.as_deref(), Some(known.as_str()));
        assert_eq!(world.crm(|crm| crm.people()), 1);
    }
}

pub async fn a_person_whose_making_nobody_confirmed_is_not_made_twice(fixture: &Fixture) {
    if !fixture.makes_people {
        return;
    }
    let (world, adapter) = fixture.world();
    world.crm(|crm| crm.lag());
    world.trouble(Kind::Person, Trouble::LostAnswer);
    let error = adapter.create(&lead("lea_1")).await.unwrap_err();
    assert!(matches!(error, SyncError::Unknown(_)), "{error:?}");
    assert_eq!(adapter.find("lea_1").await.unwrap(), None);
    adapter.create(&lead("lea_1")).await.unwrap();
    assert_eq!(world.crm(|crm| crm.people()), 1);
    // The next lead of the same person comes before the search knows them.
    adapter.create(&lead("lea_2")).await.unwrap();
    assert_eq!(world.crm(|crm| crm.people()), 1);
    assert_eq!(ids(&world).len(), 2);
}

pub async fn a_lead_of_somebody_without_a_name_a_number_and_a_mail_is_made(fixture: &Fixture) {
    let (world, adapter) = fixture.world();
    let mut bare = lead("lea_1");
    bare.person.name.clear();
    bare.person.phones.clear();
    bare.person.emails.clear();
    bare.title = "Visitor \u{1F600} 'quoted' \\ \"twice\" %_".to_owned();
    adapter.create(&bare).await.unwrap();
    assert_eq!(ids(&world), ["lea_1"]);
}

pub async fn fields_and_statuses_are_listed(fixture: &Fixture) {
    let (_, adapter) = fixture.world();
    let fields = adapter.fields().await.unwrap();
    assert!(!fields.is_empty());
    assert!(
        fields
            .iter()
            .all(|field| !field.id.is_empty() && !field.label.is_empty()),
        "{fields:?}"
    );
    let statuses = adapter.statuses().await.unwrap();
    assert!(
        statuses.len() > 1
            && statuses
                .iter()
                .all(|status| !status.id.is_empty() && !status.label.is_empty()),
        "{statuses:?}"
    );
    let mut ids: Vec<&str> = statuses.iter().map(|status| status.id.as_str()).collect();
    ids.sort_unstable();
    ids.dedup();
    assert_eq!(ids.len(), statuses.len(), "{statuses:?}");
}

pub async fn people_who_may_be_responsible_are_listed_by_name(fixture: &Fixture) {
    let (_, adapter) = fixture.world();
    let users = adapter.users().await.unwrap().unwrap();
    let anna = users.iter().find(|user| user.id == "77").unwrap();
    assert_eq!(
        (anna.name.as_str(), anna.email.as_deref()),
        ("Anna K", Some("anna@shop.example"))
    );
    assert!(
        users
            .iter()
            .all(|user| !user.name.is_empty() && user.name != "Gone")
    );
    assert!(
        users.is_sorted_by_key(|user| user.name.to_lowercase()),
        "{users:?}"
    );
}

pub async fn a_missing_right_is_no_reason_to_ask_again(fixture: &Fixture) {
    let (world, adapter) = fixture.world();
    world.trouble(Kind::Create, Trouble::Says(reply(403, forbidden(fixture.kind))));
    let error = adapter.create(&lead("lea_1")).await.unwrap_err();
    assert!(matches!(error, SyncError::Auth(_)), "{error:?}");
}

pub async fn a_right_that_is_missing_to_one_lead_stops_nothing_else(fixture: &Fixture) {
    let (world, adapter) = fixture.world();
    let made = adapter.create(&lead("lea_1")).await.unwrap();
    let mut moved = lead("lea_1");
    moved.status_id = Some(fixture.moved.to_owned());
    let (status, body) = match fixture.kind {
        "bitrix24" => (
            400,
            json!({"error": "ACCESS_DENIED", "error_description": "no right to change this item"}),
        ),
        "salesforce" => (
            400,
            json!([{"errorCode": "INSUFFICIENT_ACCESS_ON_CROSS_REFERENCE_ENTITY", "message": "insufficient access rights on cross-reference id", "fields": ["OwnerId"]}]),
        ),
        // HubSpot speaks of scopes alone.
        "hubspot" => return,
        kind => (403, forbidden(kind)),
    };
    world.trouble(Kind::Change, Trouble::Says(reply(status, body)));
    let error = adapter.update(&made, &moved).await.unwrap_err();
    assert!(matches!(error, SyncError::Refused { .. }), "{error:?}");
    adapter.update(&made, &moved).await.unwrap();
}

pub async fn a_change_whose_answer_was_lost_may_have_been_done(fixture: &Fixture) {
    let (world, adapter) = fixture.world();
    let made = adapter.create(&lead("lea_1")).await.unwrap();
    let mut moved = lead("lea_1");
    moved.status_id = Some(fixture.moved.to_owned());
    world.trouble(Kind::Change, Trouble::LostAnswer);
    let error = adapter.update(&made, &moved).await.unwrap_err();
    assert!(matches!(error, SyncError::Unknown(_)), "{error:?}");
    adapter.update(&made, &moved).await.unwrap();
    assert_eq!(ids(&world), ["lea_1"]);
}

fn forbidden(kind: &str) -> Value {
    match kind {
        "bitrix24" => {
            json!({"error": "insufficient_scope", "error_description": "The request requires higher privileges than provided by the access token"})
        }
        "hubspot" => {
            json!({"status": "error", "category": "MISSING_SCOPES", "message": "This app hasn't been granted all required scopes", "errors": [{"context": {"requiredGranularScopes": ["crm.objects.deals.write"]}}]})
        }
        "salesforce" => {
            json!([{"errorCode": "INSUFFICIENT_ACCESS", "message": "insufficient access rights on object"}])
        }
        "pipedrive" => json!({"success": false, "error": "Forbidden"}),
        _ => json!({"title": "Forbidden", "status": 403, "detail": "You do not have the right"}),
    }
}

/// Makes a test of each rule.
#[macro_export]
macro_rules! adapter_contract {
    ($fixture:expr) => {
        $crate::adapter_contract!(@rules $fixture,
            the_example_fits_the_schema_and_builds,
            each_setting_is_described_and_each_secret_marked,
            a_wrong_setting_is_named,
            a_check_says_what_was_reached_and_changes_nothing,
            a_lead_is_made_and_found_by_our_id,
            a_lost_answer_makes_no_second_lead,
            a_broken_answer_to_a_write_is_not_taken_for_a_refusal,
            what_was_not_sent_is_tried_again,
            an_expired_token_is_refreshed_once_and_the_new_refresh_token_is_stored_before_use,
            a_refresh_token_that_cannot_be_stored_is_kept_and_not_used,
            a_restart_and_another_node_use_the_token_that_lasts,
            a_withdrawn_sign_in_is_said_to_be_one,
            a_code_is_traded_for_a_sign_in_once,
            a_refused_field_is_named,
            a_limit_says_when_to_come_back,
            what_came_from_us_is_no_change,
            what_people_do_there_is_told_once,
            a_cursor_that_cannot_be_read_is_said_to_be_one,
            a_deleted_lead_is_gone_and_not_made_again,
            a_note_is_written_once,
            a_known_person_is_joined,
            a_person_whose_making_nobody_confirmed_is_not_made_twice,
            a_lead_of_somebody_without_a_name_a_number_and_a_mail_is_made,
            fields_and_statuses_are_listed,
            people_who_may_be_responsible_are_listed_by_name,
            a_missing_right_is_no_reason_to_ask_again,
            a_right_that_is_missing_to_one_lead_stops_nothing_else,
            a_change_whose_answer_was_lost_may_have_been_done,
        );
    };
    (@rules $fixture:expr, $($rule:ident,)*) => {
        $(
            #[tokio::test(start_paused = true)]
            async fn $rule() {
                $crate::support::rules::$rule(&$fixture).await;
            }
        )*
    };
}

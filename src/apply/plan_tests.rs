use std::collections::BTreeMap;

use chrono::{DateTime, Utc};
use serde_json::{Value, json};

use super::{Action, Connector, plan};
use crate::{
    apply::{
        format::Document,
        present::{Present, PresentChannel, PresentLine},
    },
    db::entity::{channel, line},
    line::{Rules, queue::Entry},
    operator::team::Team,
};

fn at() -> DateTime<Utc> {
    DateTime::from_timestamp(1_800_000_000, 0).unwrap()
}

fn connector(kind: &str) -> Option<Connector> {
    let schema = json!({"properties": {"title": {}, "token": {"x-secret": true}}});
    (kind == "webchat").then(|| Connector {
        schema,
        secrets: vec![vec!["token".to_owned()]],
    })
}

fn line_there(key: &str, rules: Value, queue: Vec<Entry>) -> PresentLine {
    let rules = Rules::default().patched(rules.as_object().unwrap()).unwrap();
    PresentLine {
        row: line::Model {
            id: format!("lin_{key}"),
            key: key.to_owned(),
            name: "Support".to_owned(),
            enabled: false,
            version: 1,
            rules: rules.to_stored(),
            created_at: at(),
            updated_at: at(),
        },
        rules,
        queue,
    }
}

fn there() -> Present {
    let anna = Entry::Operator {
        operator_id: "opr_anna".to_owned(),
    };
    let channel = channel::Model {
        id: "chn_chat".to_owned(),
        key: "chat".to_owned(),
        kind: "webchat".to_owned(),
        line_id: "lin_support".to_owned(),
        name: "Chat".to_owned(),
        enabled: true,
        settings: json!({}),
        secrets: None,
        version: 1,
        health_state: "ok".to_owned(),
        last_success_at: None,
        last_error: None,
        last_error_at: None,
        looked_at: None,
        behind_since: None,
        created_at: at(),
        updated_at: at(),
    };
    Present {
        operators: [("opr_anna", "anna@shop.example"), ("opr_bot", "opr_bot")]
            .map(|(id, word)| (id.to_owned(), word.to_owned()))
            .into(),
        schedules: BTreeMap::new(),
        teams: vec![Team {
            id: "tem_1".to_owned(),
            name: "Night".to_owned(),
            member_ids: vec!["opr_anna".to_owned()],
            created_at: at(),
        }],
        lines: vec![
            line_there("support", json!({"sticky": {"grace_secs": 5}}), vec![anna]),
            line_there("old", json!({}), Vec::new()),
        ],
        channels: vec![PresentChannel {
            row: channel,
            settings: json!({"title": "Ask", "token": "t"}),
        }],
    }
}

fn rendered(text: &str) -> String {
    plan(&Document::read(text).unwrap(), &there(), &connector)
        .unwrap()
        .render(false)
}

#[test]
fn what_is_as_it_should_be_changes_nothing() {
    let text = "[team.Night]\nmembers = [\"Anna@shop.example\"]\n\
                [line.support]\nname = \"Support\"\nsticky = { grace_secs = 5 }\nqueue = [{ operator = \"anna@shop.example\" }]\n\
                [channel.chat]\nkind = \"webchat\"\nline = \"support\"\nname = \"Chat\"\nsettings = { title = \"Ask\" }\n";
    let plan = plan(&Document::read(text).unwrap(), &there(), &connector).unwrap();
    assert!(
        plan.entries.iter().all(|entry| entry.action == Action::Nothing),
        "{plan:?}"
    );
    assert!(plan.render(true).ends_with("nothing to change"));
    assert_eq!(plan.left_alone, ["line old"]);
}

#[test]
fn a_plan_says_what_was_and_what_will_be_and_shows_no_secret() {
    let text = "[line.support]\nname = \"Help\"\ndistribution = \"strict\"\nqueue = [{ team = \"Night\" }, { operator = \"opr_bot\" }]\n\
                overflow = { line = \"second\", after_secs = 60 }\n[line.second]\nname = \"Second\"\n\
                [channel.chat]\nkind = \"webchat\"\nline = \"second\"\nname = \"Chat\"\nsettings = { token = \"new\" }\n";
    let expected = "\
~ line support
    distribution: \"even\" → \"strict\"
    name: \"Support\" → \"Help\"
    overflow.after_secs: none → 60
    overflow.line: none → \"second\"
    queue: [\"anna@shop.example\"] → [\"team Night\",\"opr_bot\"]
    sticky.grace_secs: 5 → 30
+ line second
    name: \"Second\"
~ channel chat
    line: \"support\" → \"second\"
    settings.title: \"Ask\" → none
    settings.token: a secret → another secret
left alone, for the file does not name them: team Night, line old
1 to make, 2 to change, 0 unchanged; nothing was written";
    assert_eq!(rendered(text), expected);
}

#[test]
fn words_that_stand_for_nothing_are_named_with_their_lines() {
    let text = "[team.New]\nmembers = [\"nobody@shop.example\"]\n\
                [line.support]\nname = \"S\"\nqueue = [\n  { operator = \"x@y.z\" },\n  { team = \"Day\" },\n]\noverflow = { line = \"gone\" }\n\
                [channel.chat]\nkind = \"webform\"\nline = \"nowhere\"\nname = \"Chat\"\n";
    let troubles = plan(&Document::read(text).unwrap(), &there(), &connector).unwrap_err();
    let said: Vec<String> = troubles.iter().map(ToString::to_string).collect();
    assert_eq!(
        said,
        [
            "line 2: team.New.members.0: there is no operator nobody@shop.example",
            "line 6: line.support.queue.0: there is no operator x@y.z",
            "line 7: line.support.queue.1: there is no team Day, neither here nor in this file",
            "line 9: line.support.overflow.line: there is no line gone, neither here nor in this file",
            "line 11: channel.chat.kind: there is no connector webform",
            "line 12: channel.chat.line: there is no line nowhere, neither here nor in this file",
        ]
    );
}

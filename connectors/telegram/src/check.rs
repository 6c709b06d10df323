//! "Test connection": everything the channel does later, except taking and sending anything.

use switchboard_sdk::{CheckStep, Fault};

use crate::{
    api::Api,
    receive::Hook,
    settings::{Groups, Mode, Settings},
    trouble::Trouble,
};

/// Asks who the bot is and where its updates go.
pub async fn steps(api: &Api, settings: &Settings, hook: &Hook) -> Vec<CheckStep> {
    let step = |step, outcome| CheckStep { step, outcome };
    let me = match api.ask_me().await {
        Ok(me) => me,
        Err(trouble) => return vec![step("telegram_bot", Err(trouble.fault()))],
    };
    let mut steps = vec![step(
        "telegram_bot",
        Ok(format!("The bot is @{} ({}).", me.username, me.first_name)),
    )];
    if settings.mode == Mode::Webhook {
        steps.push(step("telegram_address", address(settings, hook)));
    }
    let webhook = api
        .webhook()
        .await
        .map(|state| in_words(settings, hook, &state.url, state.pending_update_count))
        .map_err(Trouble::fault);
    steps.push(step("telegram_updates", webhook));
    let groups = match (settings.groups, me.can_read_all_group_messages) {
        (Groups::Ignore, _) => None,
        (Groups::Addressed, false) => Some(
            "In groups the bot reads what mentions it or answers it (privacy mode is on, which is enough).",
        ),
        (Groups::Addressed, true) => Some(
            "In groups the bot reads everything (privacy mode is off), and takes what mentions it or answers it.",
        ),
        (Groups::All, true) => Some("In groups the bot reads everything (privacy mode is off)."),
        (Groups::All, false) => Some(
            "In groups Telegram shows the bot only what is said to it: to take everything, switch privacy mode off with @BotFather (/setprivacy, Disable), then remove the bot from the group and add it again.",
        ),
    };
    steps.extend(groups.map(|words| step("telegram_privacy", Ok(words.to_owned()))));
    steps
}

/// Telegram comes to https alone, by four ports.
fn address(settings: &Settings, hook: &Hook) -> Result<String, Fault> {
    let wrong = |words: &str| {
        Err(Fault::permanent(format!(
            "Telegram cannot bring messages to {}: {words}. Set server.public_url to the address this server has on the Internet, or choose polling",
            hook.url
        )))
    };
    let Ok(url) = url::Url::parse(&hook.url) else {
        return wrong("that is no address");
    };
    let ports = [443, 80, 88, 8443];
    if settings.is_cloud() && url.scheme() != "https" {
        return wrong("it comes by https alone");
    }
    if settings.is_cloud()
        && !url
            .port_or_known_default()
            .is_some_and(|port| ports.contains(&port))
    {
        return wrong("it comes by the ports 443, 80, 88 and 8443 alone");
    }
    if settings.is_cloud() && matches!(url.host_str(), None | Some("localhost" | "127.0.0.1" | "[::1]")) {
        return wrong("that is this machine and not an address on the Internet");
    }
    Ok(format!("Telegram is to bring messages to {}.", hook.url))
}

fn in_words(settings: &Settings, hook: &Hook, set: &str, waiting: u64) -> String {
    let host = url::Url::parse(set)
        .ok()
        .and_then(|url| url.host_str().map(str::to_owned))
        .unwrap_or_default();
    let state = match (settings.mode, set.is_empty()) {
        (Mode::Polling, true) => "No webhook is set: messages are asked for.".to_owned(),
        (Mode::Polling, false) => format!(
            "A webhook at {host} is set and is removed when the channel starts: a program there gets no messages of this bot any more."
        ),
        (Mode::Webhook, true) => "No webhook is set yet: that is done when the channel starts.".to_owned(),
        (Mode::Webhook, false) if set == hook.url => "The webhook is set.".to_owned(),
        (Mode::Webhook, false) => {
            format!("A webhook at {host} is set and is replaced when the channel starts.")
        }
    };
    match waiting {
        0 => state,
        1 => format!("{state} 1 update waits."),
        waiting => format!("{state} {waiting} updates wait."),
    }
}

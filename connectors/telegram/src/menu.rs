//! The menu under what a line says by itself: words to choose from, each the way to a line or none. Pure.

use schemars::JsonSchema;
use serde::Deserialize;
use switchboard_sdk::{Button, ButtonAction};

/// One thing to choose.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Item {
    /// What stands on the button.
    #[schemars(title = "Button", length(min = 1, max = 64))]
    pub label: String,
    /// The line that the conversation of whoever presses it is opened in, by key or id; empty is the channel's own.
    #[serde(default)]
    #[schemars(title = "Line", length(max = 200))]
    pub line: String,
}

/// The line of whoever says this.
pub fn line(menu: &[Item], text: &str) -> Option<String> {
    let item = menu.iter().find(|item| item.label.trim() == text.trim())?;
    Some(item.line.clone()).filter(|line| !line.is_empty())
}

/// The menu as buttons, a row each. What is pressed comes back by its words.
pub fn buttons(menu: &[Item]) -> Vec<Vec<Button>> {
    let button = |(index, item): (usize, &Item)| {
        vec![Button {
            label: item.label.trim().to_owned(),
            action: ButtonAction::Data(format!("menu {index}")),
        }]
    };
    menu.iter().enumerate().map(button).collect()
}

//! The menu that greets people: words to choose from, each an answer or the way to a line. Pure.

use schemars::JsonSchema;
use serde::Deserialize;

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
    let item = menu.iter().find(|item| item.label == text.trim())?;
    Some(item.line.clone()).filter(|line| !line.is_empty())
}

//! What a change of a pipeline's stages comes to. Pure.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// Most stages of a pipeline.
const MOST: usize = 30;
/// Characters a name may have.
const NAME_LIMIT: usize = 60;
/// The colours the app draws.
const COLORS: [&str; 8] = [
    "blue", "teal", "green", "amber", "orange", "red", "violet", "grey",
];

/// What being in a stage means.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
#[schema(as = StageKind)]
pub enum StageKind {
    /// Work goes on.
    Open,
    /// Sold.
    Won,
    /// Not sold; a deal here has a reason.
    Lost,
}

impl StageKind {
    /// The word in the API and in the database.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Open => "open",
            Self::Won => "won",
            Self::Lost => "lost",
        }
    }

    /// Reads the word; an unknown one is open, where nothing is lost.
    pub fn parse(word: &str) -> Self {
        match word {
            "won" => Self::Won,
            "lost" => Self::Lost,
            _ => Self::Open,
        }
    }
}

/// A stage as somebody wants it.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = StageIn)]
pub struct Wanted {
    /// The stage it is; a new one when absent.
    pub id: Option<String>,
    /// What people call it.
    pub name: String,
    /// What being in it means; `open` when absent.
    #[serde(default = "open")]
    pub kind: StageKind,
    /// `blue`, `teal`, `green`, `amber`, `orange`, `red`, `violet` or `grey`.
    pub color: Option<String>,
}

fn open() -> StageKind {
    StageKind::Open
}

/// A stage as it is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Present {
    /// `stg_…`
    pub id: String,
    /// What being in it means.
    pub kind: StageKind,
    /// Whether deals are in it.
    pub in_use: bool,
}

/// What is to be done.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Plan {
    /// The stages in their order: an id of one that stays, or none for a new one.
    pub stages: Vec<Wanted>,
    /// Stages that go, and where their deals go to.
    pub removed: Vec<(String, Option<String>)>,
}

/// Plans the change from these stages to those. `moved` names where the deals of stages go that are left out.
///
/// # Errors
/// Each field that cannot be, with what is wrong.
pub fn plan(
    present: &[Present],
    wanted: Vec<Wanted>,
    moved: &BTreeMap<String, String>,
) -> Result<Plan, Vec<(String, String)>> {
    let mut errors = Vec::new();
    let mut wrong = |field: String, message: &str| errors.push((field, message.to_owned()));
    if wanted.len() > MOST {
        wrong("stages".to_owned(), "at most 30 stages");
    }
    if !wanted.iter().any(|stage| stage.kind == StageKind::Open) {
        wrong("stages".to_owned(), "a pipeline needs a stage of kind open");
    }
    let mut names = BTreeSet::new();
    let mut kept: BTreeMap<&str, StageKind> = BTreeMap::new();
    let mut stages = Vec::new();
    for (at, stage) in wanted.iter().enumerate() {
        let name = stage.name.trim().to_owned();
        if !(1..=NAME_LIMIT).contains(&name.chars().count()) || name.contains(char::is_control) {
            wrong(format!("stages.{at}.name"), "must have 1 to 60 characters");
        } else if !names.insert(name.to_lowercase()) {
            wrong(
                format!("stages.{at}.name"),
                "two stages cannot have the same name",
            );
        }
        if stage
            .color
            .as_deref()
            .is_some_and(|color| !COLORS.contains(&color))
        {
            wrong(format!("stages.{at}.color"), "there is no such colour here");
        }
        if let Some(id) = &stage.id {
            match present.iter().find(|known| known.id == *id) {
                None => wrong(
                    format!("stages.{at}.id"),
                    "there is no such stage in this pipeline",
                ),
                Some(_) if kept.contains_key(id.as_str()) => {
                    wrong(format!("stages.{at}.id"), "is named twice");
                }
                Some(known) if known.in_use && known.kind != stage.kind => {
                    wrong(format!("stages.{at}.kind"), "cannot change while deals are in it");
                    kept.insert(id, known.kind);
                }
                Some(_) => drop(kept.insert(id, stage.kind)),
            }
        }
        stages.push(Wanted {
            name,
            ..stage.clone()
        });
    }
    let mut removed = Vec::new();
    for stage in present
        .iter()
        .filter(|stage| !kept.contains_key(stage.id.as_str()))
    {
        let field = || format!("move_deals.{}", stage.id);
        let to = moved.get(&stage.id);
        match to.and_then(|to| kept.get(to.as_str())) {
            _ if !stage.in_use => {}
            None => wrong(
                field(),
                "deals are in this stage: name a stage that stays for them",
            ),
            Some(kind) if *kind != stage.kind => {
                wrong(field(), "deals can only go to a stage of the same kind");
            }
            Some(_) => {}
        }
        removed.push((stage.id.clone(), to.filter(|_| stage.in_use).cloned()));
    }
    if errors.is_empty() {
        Ok(Plan { stages, removed })
    } else {
        Err(errors)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn wanted(id: Option<&str>, name: &str, kind: StageKind) -> Wanted {
        Wanted {
            id: id.map(str::to_owned),
            name: name.to_owned(),
            kind,
            color: None,
        }
    }

    fn present() -> Vec<Present> {
        let stage = |id: &str, kind, in_use| Present {
            id: id.to_owned(),
            kind,
            in_use,
        };
        vec![
            stage("new", StageKind::Open, true),
            stage("offer", StageKind::Open, false),
            stage("won", StageKind::Won, true),
        ]
    }

    fn fields(plan: Result<Plan, Vec<(String, String)>>) -> Vec<String> {
        plan.err()
            .unwrap_or_default()
            .into_iter()
            .map(|(field, _)| field)
            .collect()
    }

    #[test]
    fn a_stage_in_use_goes_only_with_a_place_for_its_deals() {
        let left = || {
            vec![
                wanted(Some("offer"), "Offer", StageKind::Open),
                wanted(Some("won"), "Won", StageKind::Won),
            ]
        };
        assert_eq!(
            fields(plan(&present(), left(), &BTreeMap::new())),
            ["move_deals.new"]
        );
        let to = |id: &str| BTreeMap::from([("new".to_owned(), id.to_owned())]);
        for refused in ["won", "new", "elsewhere"] {
            assert_eq!(fields(plan(&present(), left(), &to(refused))), ["move_deals.new"]);
        }
        let planned = plan(&present(), left(), &to("offer")).unwrap_or_default();
        assert_eq!(planned.removed, [("new".to_owned(), Some("offer".to_owned()))]);
    }

    #[test]
    fn a_stage_without_deals_just_goes_and_one_with_deals_keeps_its_kind() {
        let kept = vec![
            wanted(Some("new"), " New ", StageKind::Open),
            wanted(Some("won"), "Won", StageKind::Won),
            wanted(None, "Lost", StageKind::Lost),
        ];
        let planned = plan(&present(), kept, &BTreeMap::new()).unwrap_or_default();
        assert_eq!(planned.removed, [("offer".to_owned(), None)]);
        assert_eq!(
            planned.stages.first().map(|stage| stage.name.as_str()),
            Some("New")
        );
        let turned = vec![
            wanted(Some("new"), "New", StageKind::Lost),
            wanted(Some("offer"), "Offer", StageKind::Open),
            wanted(Some("won"), "Won", StageKind::Won),
        ];
        assert_eq!(
            fields(plan(&present(), turned, &BTreeMap::new())),
            ["stages.0.kind"]
        );
    }

    #[test]
    fn each_wrong_field_is_named() {
        let bad = vec![
            wanted(None, "", StageKind::Won),
            wanted(None, "A", StageKind::Won),
            wanted(None, "a", StageKind::Won),
            wanted(Some("x"), "B", StageKind::Won),
            Wanted {
                color: Some("pink".to_owned()),
                ..wanted(None, "C", StageKind::Won)
            },
        ];
        assert_eq!(
            fields(plan(&[], bad, &BTreeMap::new())),
            [
                "stages",
                "stages.0.name",
                "stages.2.name",
                "stages.3.id",
                "stages.4.color"
            ]
        );
    }
}

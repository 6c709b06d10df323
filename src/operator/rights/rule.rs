//! The rule of rights: how far a role reaches with an action on a kind of object. Pure.
//!
//! Nobody acts on what they do not see: the reach of an action never goes further than that of [`Action::View`].

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::Role;

/// What a right is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
#[schema(as = RightObject)]
pub enum Object {
    /// Conversations with their messages and files.
    Conversation,
    /// People outside.
    Contact,
    /// Whom they work for.
    Company,
    /// Sales interests.
    Lead,
    /// Sales in the making.
    Deal,
    /// What operators have to do.
    Task,
    /// Telephone calls with their recordings.
    Call,
    /// Filled forms.
    Submission,
    /// Figures.
    Report,
}

impl Object {
    /// All of them, in the order they are shown.
    pub const ALL: [Self; 9] = [
        Self::Conversation,
        Self::Contact,
        Self::Company,
        Self::Lead,
        Self::Deal,
        Self::Task,
        Self::Call,
        Self::Submission,
        Self::Report,
    ];

    /// The word in the API and in the database.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Conversation => "conversation",
            Self::Contact => "contact",
            Self::Company => "company",
            Self::Lead => "lead",
            Self::Deal => "deal",
            Self::Task => "task",
            Self::Call => "call",
            Self::Submission => "submission",
            Self::Report => "report",
        }
    }

    /// What can be done with it at all. A right that nothing asks for would promise what it does not hold.
    pub const fn actions(self) -> &'static [Action] {
        use Action::{Delete, Edit, Export, View};
        match self {
            Self::Contact | Self::Company => &[View, Edit, Delete, Export],
            Self::Deal | Self::Task => &[View, Edit, Delete],
            Self::Conversation | Self::Lead | Self::Call | Self::Submission => &[View, Edit, Export],
            Self::Report => &[View, Export],
        }
    }
}

/// What is done with it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
#[schema(as = RightAction)]
pub enum Action {
    /// To see it, in lists, in search and on the socket.
    View,
    /// To make and change it; of conversations also to answer and to take them, of calls to dial.
    Edit,
    /// To remove it.
    Delete,
    /// To take it out: files, and transcripts by mail.
    Export,
}

impl Action {
    /// All of them, in the order they are shown.
    pub const ALL: [Self; 4] = [Self::View, Self::Edit, Self::Delete, Self::Export];

    /// The word in the API and in the database.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::View => "view",
            Self::Edit => "edit",
            Self::Delete => "delete",
            Self::Export => "export",
        }
    }
}

/// How far a right goes; each goes further than those before it.
#[derive(
    Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, ToSchema,
)]
#[serde(rename_all = "snake_case")]
#[schema(as = RightReach)]
pub enum Reach {
    /// Not at all.
    #[default]
    None,
    /// What one owns, takes part in, is asked to take or made.
    Own,
    /// And what lies on the lines whose queue one stands in.
    Lines,
    /// And what the members of one's teams own.
    Team,
    /// Everything.
    All,
}

impl Reach {
    /// All of them, the shortest first.
    pub const ALL: [Self; 5] = [Self::None, Self::Own, Self::Lines, Self::Team, Self::All];
}

/// What a role may do.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Rights([[Reach; Action::ALL.len()]; Object::ALL.len()]);

/// Rights as they are written: each object with its actions. What is not named is [`Reach::None`].
pub type Grid = BTreeMap<Object, BTreeMap<Action, Reach>>;

impl Rights {
    /// No right at all.
    pub const NONE: Self = Self([[Reach::None; Action::ALL.len()]; Object::ALL.len()]);

    /// What a built-in role may do.
    pub fn of(role: Role) -> Self {
        let reach = |object, action| match (role, object, action) {
            // Erasing somebody can't be undone.
            (Role::Supervisor, Object::Contact, Action::Delete) => Reach::None,
            (Role::Admin | Role::Supervisor, _, _) => Reach::All,
            (Role::Operator, Object::Report, _) => Reach::None,
            (Role::Operator, _, Action::View | Action::Edit)
            | (Role::Operator, Object::Task, Action::Delete)
            | (Role::Operator, Object::Conversation, Action::Export) => Reach::Lines,
            (Role::Operator, _, Action::Delete | Action::Export) => Reach::None,
        };
        Self::from_fn(reach)
    }

    fn from_fn(reach: impl Fn(Object, Action) -> Reach) -> Self {
        let mut rights = Self::NONE;
        for object in Object::ALL {
            for action in object.actions() {
                rights.0[object as usize][*action as usize] = reach(object, *action);
            }
        }
        rights
    }

    /// Reads what is written, for a role that an admin defines.
    ///
    /// # Errors
    /// Each `(field, what is wrong)`: an action that does not exist for its object, one that goes further than the
    /// sight.
    pub fn read(grid: &Grid) -> Result<Self, Vec<(String, String)>> {
        let mut errors = Vec::new();
        for (object, actions) in grid {
            let view = actions.get(&Action::View).copied().unwrap_or_default();
            for (action, reach) in actions {
                let field = || format!("rights.{}.{}", object.as_str(), action.as_str());
                if !object.actions().contains(action) {
                    if *reach != Reach::None {
                        errors.push((field(), "there is no such action on it".to_owned()));
                    }
                } else if *reach > view {
                    errors.push((field(), "cannot go further than view".to_owned()));
                }
            }
        }
        if errors.is_empty() {
            Ok(Self::lenient(grid))
        } else {
            Err(errors)
        }
    }

    /// What was stored once, whatever has become of the rules since.
    pub fn lenient(grid: &Grid) -> Self {
        Self::from_fn(|object, action| {
            let actions = grid.get(&object);
            actions
                .and_then(|actions| actions.get(&action))
                .copied()
                .unwrap_or_default()
        })
    }

    /// As they are written: every action that exists.
    pub fn grid(&self) -> Grid {
        let of = |object: Object| {
            let actions = object.actions().iter();
            actions
                .map(|action| (*action, self.may(object, *action)))
                .collect()
        };
        Object::ALL
            .into_iter()
            .map(|object| (object, of(object)))
            .collect()
    }

    /// How far this goes.
    pub fn may(&self, object: Object, action: Action) -> Reach {
        let actions = self.0[object as usize];
        actions[action as usize].min(actions[Action::View as usize])
    }

    /// Whether conversations may be answered, and so be given to somebody.
    pub fn takes_conversations(&self) -> bool {
        self.may(Object::Conversation, Action::Edit) > Reach::None
    }

    /// Rights whose sight of a kind of object is what an action reaches: what a query sees through them may be acted on.
    #[must_use]
    pub fn narrowed(&self, object: Object, action: Action) -> Self {
        let mut rights = *self;
        rights.0[object as usize][Action::View as usize] = self.may(object, action);
        rights
    }
}

/// How far somebody reaches with one action on one kind of object.
#[derive(Debug, Clone, Copy)]
pub struct Extent<'a> {
    /// How far.
    pub reach: Reach,
    /// Who.
    pub operator_id: &'a str,
    line_ids: &'a BTreeSet<String>,
    mates: &'a BTreeSet<String>,
}

static NOWHERE: BTreeSet<String> = BTreeSet::new();

impl<'a> Extent<'a> {
    /// Of somebody who stands in the queues of these lines and is in teams with these people.
    pub fn new(
        reach: Reach,
        operator_id: &'a str,
        line_ids: &'a BTreeSet<String>,
        mates: &'a BTreeSet<String>,
    ) -> Self {
        Self {
            reach,
            operator_id,
            line_ids,
            mates,
        }
    }

    /// Whether it reaches everything.
    pub fn is_all(&self) -> bool {
        self.reach == Reach::All
    }

    /// The one who asks; nobody when there is no right at all.
    pub fn me(&self) -> Option<&'a str> {
        (self.reach >= Reach::Own).then_some(self.operator_id)
    }

    /// Those whose objects it reaches whatever line they are on. Of no use when it reaches everything.
    pub fn owners(&self) -> Vec<&'a str> {
        let mates = (self.reach >= Reach::Team).then_some(self.mates);
        let mates = mates.into_iter().flatten().map(String::as_str);
        self.me().into_iter().chain(mates).collect()
    }

    /// The lines whose objects it reaches whoever owns them. Of no use when it reaches everything.
    pub fn lines(&self) -> &'a BTreeSet<String> {
        if self.reach >= Reach::Lines {
            self.line_ids
        } else {
            &NOWHERE
        }
    }

    /// Whether this owner's objects are reached.
    pub fn owns(&self, owner: &str) -> bool {
        match self.reach {
            Reach::None => false,
            Reach::Own | Reach::Lines => owner == self.operator_id,
            Reach::Team => owner == self.operator_id || self.mates.contains(owner),
            Reach::All => true,
        }
    }

    /// Whether an object on this line, with this owner, in which these take part, is reached.
    pub fn holds<'b>(
        &self,
        line_id: Option<&str>,
        owner: Option<&str>,
        mut participants: impl Iterator<Item = &'b str>,
    ) -> bool {
        self.is_all()
            || line_id.is_some_and(|line| self.lines().contains(line))
            || owner.is_some_and(|owner| self.owns(owner))
            || self.me().is_some_and(|me| participants.any(|id| id == me))
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn rights() -> impl Strategy<Value = Rights> {
        proptest::collection::vec(0..Reach::ALL.len(), Object::ALL.len() * Action::ALL.len()).prop_map(
            |cells| {
                Rights::from_fn(|object, action| {
                    Reach::ALL[cells[object as usize * Action::ALL.len() + action as usize]]
                })
            },
        )
    }

    fn people() -> impl Strategy<Value = BTreeSet<String>> {
        proptest::collection::btree_set("[a-d]", 0..4)
    }

    proptest! {
        #[test]
        fn nobody_acts_on_what_they_do_not_see(rights in rights()) {
            for object in Object::ALL {
                for action in Action::ALL {
                    prop_assert!(rights.may(object, action) <= rights.may(object, Action::View));
                    prop_assert_eq!(rights.narrowed(object, action).may(object, Action::View), rights.may(object, action));
                }
            }
        }

        #[test]
        fn what_is_written_is_read_back(rights in rights()) {
            let back = Rights::read(&rights.grid()).unwrap();
            for object in Object::ALL {
                for action in Action::ALL {
                    prop_assert_eq!(back.may(object, action), rights.may(object, action));
                }
            }
        }

        #[test]
        fn who_reaches_less_far_never_sees_more(
            lines in people(), mates in people(), line in proptest::option::of("[a-d]"),
            owner in proptest::option::of("[a-e]"), participants in people(),
        ) {
            let holds = |reach| {
                Extent::new(reach, "e", &lines, &mates)
                    .holds(line.as_deref(), owner.as_deref(), participants.iter().map(String::as_str))
            };
            for pair in Reach::ALL.windows(2) {
                prop_assert!(!holds(pair[0]) || holds(pair[1]), "{:?} sees what {:?} does not", pair[0], pair[1]);
            }
            prop_assert!(!holds(Reach::None));
            prop_assert!(holds(Reach::All));
        }

        #[test]
        fn the_query_and_the_rule_agree(
            lines in people(), mates in people(), line in "[a-d]", owner in "[a-e]", reach in 0..4_usize,
        ) {
            let extent = Extent::new(Reach::ALL[reach], "e", &lines, &mates);
            let queried = extent.lines().contains(&line) || extent.owners().contains(&owner.as_str());
            prop_assert_eq!(queried, extent.holds(Some(&line), Some(&owner), std::iter::empty()));
        }
    }

    #[test]
    fn built_in_roles_may_what_they_always_could() {
        let operator = Rights::of(Role::Operator);
        for object in Object::ALL {
            for action in object.actions() {
                let erases = (object, *action) == (Object::Contact, Action::Delete);
                let expected = if erases { Reach::None } else { Reach::All };
                assert_eq!(Rights::of(Role::Supervisor).may(object, *action), expected);
                assert_eq!(Rights::of(Role::Admin).may(object, *action), Reach::All);
                assert!(operator.may(object, *action) <= Reach::Lines);
            }
        }
        assert_eq!(operator.may(Object::Deal, Action::Edit), Reach::Lines);
        assert_eq!(operator.may(Object::Deal, Action::Delete), Reach::None);
        assert_eq!(operator.may(Object::Report, Action::View), Reach::None);
    }

    #[test]
    fn an_action_that_goes_further_than_the_sight_is_named() {
        let grid: Grid = serde_json::from_value(serde_json::json!({
            "deal": {"view": "own", "edit": "team", "export": "own"}, "lead": {"edit": "own"},
        }))
        .unwrap();
        let fields: Vec<String> = Rights::read(&grid)
            .unwrap_err()
            .into_iter()
            .map(|(field, _)| field)
            .collect();
        assert_eq!(
            fields,
            ["rights.lead.edit", "rights.deal.edit", "rights.deal.export"]
        );
    }
}

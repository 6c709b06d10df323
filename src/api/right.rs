//! Extractors that carry rights on objects: `May<on::Deal, to::Edit>` in a handler's signature says what its caller may
//! do, as far as their role reaches.
//!
//! The extractor refuses who has no such right at all. How far it reaches is the caller's [`Scope`]: lists start from
//! it, and a handler that acts on one object asks [`narrower`] whether the action reaches as far as the sight. What is
//! out of sight is 404; what is seen and may not be acted on is 403 with the code `no_right`.

use std::marker::PhantomData;

use axum::{extract::FromRequestParts, http::request::Parts};

use super::{
    auth::{Caller, identify},
    problem::{Problem, Result},
};
use crate::{
    app::App,
    operator::rights::{Action, Object, Reach, Scope},
};

/// Somebody whose role lets them do `A` on some `O`.
#[derive(Debug)]
pub struct May<O, A>(pub Caller, pub PhantomData<fn() -> (O, A)>);

/// A kind of object as a type.
pub trait On: 'static {
    /// The kind.
    const OBJECT: Object;
}

/// An action as a type.
pub trait To: 'static {
    /// The action.
    const ACTION: Action;
}

macro_rules! words {
    ($(#[$about:meta])* $module:ident: $trait:ident, $constant:ident, $of:ident, $($word:ident),*) => {
        $(#[$about])*
        pub mod $module {
            use super::{$of, $trait};
            $(
                #[doc = concat!("[`", stringify!($of), "::", stringify!($word), "`]")]
                #[derive(Debug)]
                pub enum $word {}

                impl $trait for $word {
                    const $constant: $of = $of::$word;
                }
            )*
        }
    };
}

words! {
    /// On what.
    on: On, OBJECT, Object, Conversation, Contact, Company, Lead, Deal, Task, Call, Submission, Report
}
words! {
    /// To do what.
    to: To, ACTION, Action, View, Edit, Delete, Export
}

impl<O: On, A: To> FromRequestParts<App> for May<O, A> {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, app: &App) -> Result<Self> {
        let caller = identify(parts, app).await?;
        need(&caller.scope, O::OBJECT, A::ACTION)?;
        Ok(Self(caller, PhantomData))
    }
}

/// Refuses who has no such right at all.
pub fn need(scope: &Scope, object: Object, action: Action) -> Result<()> {
    if scope.may(object, action) == Reach::None {
        return Err(Problem::no_right(object, action));
    }
    Ok(())
}

/// The eyes that see only what the action reaches, where that is less than what the caller sees: an object they do not
/// find is refused. `None` where whatever is seen may be acted on.
pub fn narrower(scope: &Scope, object: Object, action: Action) -> Result<Option<Scope>> {
    need(scope, object, action)?;
    let less = scope.may(object, action) < scope.may(object, Action::View);
    Ok(less.then(|| scope.narrowed(object, action)))
}

//! "Contains this text, in any case", in every script, on both databases.

use sea_orm::{
    DbBackend,
    sea_query::{BinOper, Expr, ExprTrait, Func, LikeExpr},
};

/// Nobody looks for more at once, and SQLite refuses patterns that are too long.
const MAX_CHARS: usize = 200;

/// Whether a column contains a text, whatever the case of either; wildcards are characters like others.
///
/// SQLite's own `lower` and `LIKE` know the cases of A to Z only, so there every letter is looked for
/// in each of its cases, by `GLOB`.
pub fn contains(backend: DbBackend, column: Expr, text: &str) -> Expr {
    let text: String = text.trim().chars().take(MAX_CHARS).collect();
    match backend {
        DbBackend::Sqlite => column.binary(BinOper::Custom("GLOB"), glob(&text)),
        _ => Expr::expr(Func::lower(column)).like(LikeExpr::new(like(&text)).escape('\\')),
    }
}

fn like(text: &str) -> String {
    let escaped = text
        .to_lowercase()
        .replace('\\', "\\\\")
        .replace('%', "\\%")
        .replace('_', "\\_");
    format!("%{escaped}%")
}

fn glob(text: &str) -> String {
    let mut pattern = String::from("*");
    for char in text.chars() {
        let mut cases = vec![char];
        for other in [single(char.to_lowercase()), single(char.to_uppercase())]
            .into_iter()
            .flatten()
        {
            if !cases.contains(&other) {
                cases.push(other);
            }
        }
        if cases.len() > 1 || ['*', '?', '['].contains(&char) {
            pattern.push('[');
            pattern.extend(cases);
            pattern.push(']');
        } else {
            pattern.push(char);
        }
    }
    pattern.push('*');
    pattern
}

/// The other case, where it is one character (that of ß is not).
fn single(mut chars: impl Iterator<Item = char>) -> Option<char> {
    let first = chars.next()?;
    chars.next().is_none().then_some(first)
}

#[cfg(test)]
mod tests {
    use super::{glob, like};

    #[test]
    fn every_letter_is_looked_for_in_its_cases_and_wildcards_are_characters() {
        assert_eq!(glob("Ян 1_%"), "*[Яя][нН] 1_%*");
        assert_eq!(glob("a*[?]ß"), "*[aA][*][[][?]]ß*");
        assert_eq!(like("Ян_%\\"), "%ян\\_\\%\\\\%");
    }
}

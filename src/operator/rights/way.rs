//! The ways in which one person sees objects that have an owner and a line. Pure.
//!
//! Asked for at once, a database gathers everything that fits any of them before it sorts; each for itself has an index
//! in the order of the list.

use super::Extent;

/// One way in which objects are seen: by their owner, by their line, or all of them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Way<'a> {
    owner: Option<&'a str>,
    line: Option<&'a str>,
}

impl Way<'_> {
    /// Whose objects are meant, when a list is narrowed to those of one owner.
    pub fn owner(&self, asked: Option<&str>) -> Option<String> {
        self.owner.or(asked).map(str::to_owned)
    }

    /// On which line they are, when a list is narrowed to one line.
    pub fn line(&self, asked: Option<&str>) -> Option<String> {
        self.line.or(asked).map(str::to_owned)
    }
}

impl<'a> Extent<'a> {
    /// The ways that can show anything in a list that is narrowed to an owner and a line.
    pub fn ways(&self, owner: Option<&str>, line: Option<&str>) -> Vec<Way<'a>> {
        if self.is_all() {
            return vec![Way {
                owner: None,
                line: None,
            }];
        }
        let own = self.owners().into_iter().map(|owner| Way {
            owner: Some(owner),
            line: None,
        });
        let lines = self.lines().iter().map(|line| Way {
            owner: None,
            line: Some(line),
        });
        // What is seen in this way and narrowed to another owner or line is nothing.
        let is = |seen: Option<&str>, asked: Option<&str>| {
            seen.is_none_or(|seen| asked.is_none_or(|asked| asked == seen))
        };
        own.chain(lines)
            .filter(|way| is(way.owner, owner) && is(way.line, line))
            .collect()
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::{super::Reach, Extent, Way};

    #[test]
    fn ways_that_can_show_nothing_are_left_out() {
        let lines = BTreeSet::from(["lin_1".to_owned(), "lin_2".to_owned()]);
        let mates = BTreeSet::from(["opr_2".to_owned()]);
        let extent = |reach| Extent::new(reach, "opr_1", &lines, &mates);
        let own = |owner| Way {
            owner: Some(owner),
            line: None,
        };
        let on = |line| Way {
            owner: None,
            line: Some(line),
        };
        assert_eq!(extent(Reach::All).ways(Some("opr_9"), None).len(), 1);
        assert_eq!(extent(Reach::None).ways(None, None), []);
        assert_eq!(extent(Reach::Own).ways(None, None), [own("opr_1")]);
        let lines_of = extent(Reach::Lines);
        assert_eq!(
            lines_of.ways(None, None),
            [own("opr_1"), on("lin_1"), on("lin_2")]
        );
        assert_eq!(lines_of.ways(Some("opr_9"), Some("lin_2")), [on("lin_2")]);
        let way = lines_of.ways(None, Some("lin_2"))[1];
        assert_eq!(
            (way.owner(Some("opr_9")), way.line(None)),
            (Some("opr_9".to_owned()), Some("lin_2".to_owned()))
        );
    }
}

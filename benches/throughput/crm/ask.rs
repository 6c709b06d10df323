//! The questions, and how long each takes.

use std::time::Instant;

use chrono::{DateTime, TimeDelta, Utc};
use switchboard::{
    clock::{Clock, SystemClock},
    company::store as companies,
    contact::{sight, store as contacts},
    conversation::{responses, view::Views},
    db::Db,
    deal::{funnel, pipeline::Pipeline, store as deals, view},
    lead::{report, store as leads},
    operator::rights::{Role, Scope},
    task::store as tasks,
    timeline::{self, Of},
};

use super::seed::{COMPANIES, CONTACTS, DEALS, LEADS, OLD_CUSTOMER};

/// How often each question is asked.
pub const ASKED: usize = 60;
/// Milliseconds that nothing may take.
const GOAL: f64 = 100.0;

/// Asks, and keeps the figures.
pub struct Asker<'a> {
    pub db: &'a Db,
    pub sales: &'a Pipeline,
    now: DateTime<Utc>,
    views: Views,
    asked: usize,
    slow: Vec<String>,
}

/// A word that is asked for.
pub fn some(word: &str) -> Option<String> {
    Some(word.to_owned())
}

impl<'a> Asker<'a> {
    pub fn new(db: &'a Db, sales: &'a Pipeline, now: DateTime<Utc>) -> Self {
        println!("| question | who | p50 ms | p99 ms |");
        println!("|---|---|---|---|");
        Self {
            db,
            sales,
            now,
            views: Views::new([]),
            asked: 0,
            slow: Vec::new(),
        }
    }

    pub async fn everything(&mut self, who: &str, scope: &Scope) {
        self.leads(who, scope).await;
        self.deals(who, scope).await;
        self.totals(who, scope).await;
        self.contacts(who, scope).await;
        self.companies(who, scope).await;
        self.cards(who, scope).await;
    }

    pub fn say(&mut self, question: &str, who: &str, mut took: Vec<f64>) {
        took.sort_by(f64::total_cmp);
        let at = |share: usize| took[(took.len() - 1) * share / 100];
        println!("| {question} | {who} | {:.1} | {:.1} |", at(50), at(99));
        self.asked += 1;
        if at(99) > GOAL {
            self.slow.push(format!("{question} ({who}): {:.0} ms", at(99)));
        }
    }

    /// How many questions keep the goal, and which do not.
    pub fn verdict(&self) {
        println!(
            "{} of {} questions within {GOAL} ms at p99{}{}",
            self.asked - self.slow.len(),
            self.asked,
            if self.slow.is_empty() { "" } else { "; not: " },
            self.slow.join(", ")
        );
    }

    /// The first page every second time, else one from anywhere in ten years.
    pub fn depth(&self, time: usize, step: i64, rows: usize) -> Option<DateTime<Utc>> {
        let rows = i64::try_from(rows * (time * 37 % 100) / 100).unwrap();
        (time % 2 == 1).then(|| self.now - TimeDelta::seconds(step * rows))
    }

    async fn cards(&mut self, who: &str, scope: &Scope) {
        let db = self.db.read();
        let mut took: [Vec<f64>; 6] = Default::default();
        for n in 0..ASKED * 3 {
            let id = format!("led_{:08}", n * 4_999 % LEADS);
            let begun = Instant::now();
            if let Some(row) = leads::find(db, scope, &id).await.unwrap() {
                self.timeline(scope, Of::Lead(&row)).await;
                leads::views(db, vec![row]).await.unwrap();
            }
            took[0].push(begun.elapsed().as_secs_f64() * 1e3);
            let id = format!("dea_{:08}", n * 997 % DEALS);
            let begun = Instant::now();
            if let Some(row) = deals::find(db, scope, &id).await.unwrap() {
                self.timeline(scope, Of::Deal(&row)).await;
                view::views(db, vec![row]).await.unwrap();
            }
            deals::moves(db, &id).await.unwrap();
            took[1].push(begun.elapsed().as_secs_f64() * 1e3);
            let id = format!("cnt_{:08}", n * 1_999 % CONTACTS);
            took[2].push(self.contact(scope, &id).await);
            if n % 6 == 0 {
                took[3].push(self.contact(scope, OLD_CUSTOMER).await);
            }
            let id = format!("cmp_{:08}", n * 199 % COMPANIES);
            let begun = Instant::now();
            if let Some(row) = companies::find(db, scope, &id).await.unwrap() {
                self.timeline(scope, Of::Company(&id)).await;
                companies::views(db, vec![row]).await.unwrap();
            }
            took[4].push(begun.elapsed().as_secs_f64() * 1e3);
            let begun = Instant::now();
            tasks::counts(db, &scope.operator_id, self.now, self.now + TimeDelta::days(1))
                .await
                .unwrap();
            took[5].push(begun.elapsed().as_secs_f64() * 1e3);
        }
        let names = [
            "card of a lead, its timeline",
            "card of a deal, its timeline and moves",
            "card of a contact, its timeline and leads",
            "the same of 5,000 messages",
            "card of a company, its timeline",
            "count of tasks",
        ];
        for (name, took) in names.into_iter().zip(took) {
            self.say(name, who, took);
        }
    }

    /// The first page of a timeline.
    async fn timeline(&self, scope: &Scope, of: Of<'_>) {
        let reader = timeline::Reader {
            views: &self.views,
            scope,
            of,
            kinds: &[],
        };
        timeline::page(self.db.read(), reader, None, 50).await.unwrap();
    }

    /// The card of a contact with a page of all that happened, and their leads.
    async fn contact(&self, scope: &Scope, id: &str) -> f64 {
        let db = self.db.read();
        let begun = Instant::now();
        if let Some(row) = sight::find(db, scope, id).await.unwrap() {
            contacts::views(db, vec![row]).await.unwrap();
            self.timeline(scope, Of::Contact(id)).await;
            let filter = leads::Filter {
                contact_id: some(id),
                ..leads::Filter::default()
            };
            leads::list(db, scope, &filter, None, 50).await.unwrap();
        }
        begun.elapsed().as_secs_f64() * 1e3
    }

    pub async fn writes(&mut self) {
        let stages: Vec<String> = self
            .sales
            .stages
            .iter()
            .take(3)
            .map(|stage| stage.id.clone())
            .collect();
        let by = Some("opr_00000007");
        let mut took: [Vec<f64>; 4] = Default::default();
        for time in 0..ASKED {
            let begun = Instant::now();
            let mut write = self.db.write().await.unwrap();
            let change = deals::Change {
                stage_id: some(&stages[(time + 1) % 3]),
                ..deals::Change::default()
            };
            deals::change(&mut write, &format!("dea_{time:08}"), change, by, self.now)
                .await
                .unwrap();
            write.commit().await.unwrap();
            took[0].push(begun.elapsed().as_secs_f64() * 1e3);

            let begun = Instant::now();
            let mut write = self.db.write().await.unwrap();
            self.lead(&mut write, time * 1_000).await;
            write.commit().await.unwrap();
            took[1].push(begun.elapsed().as_secs_f64() * 1e3);

            let begun = Instant::now();
            let mut write = self.db.write().await.unwrap();
            let change = contacts::Change {
                name: Some(some("Anna Karenina")),
                by: by.map(str::to_owned),
                ..contacts::Change::default()
            };
            contacts::change(&mut write, &format!("cnt_{:08}", time * 1_001), change, self.now)
                .await
                .unwrap();
            write.commit().await.unwrap();
            took[2].push(begun.elapsed().as_secs_f64() * 1e3);

            let begun = Instant::now();
            let mut write = self.db.write().await.unwrap();
            for n in 0..50 {
                self.lead(&mut write, 100_000 + time * 50 + n).await;
            }
            write.commit().await.unwrap();
            took[3].push(begun.elapsed().as_secs_f64() * 1e3);
        }
        let names = [
            "a card moved to another stage",
            "a lead changed",
            "a contact renamed",
            "50 leads changed at once",
        ];
        for (name, took) in names.into_iter().zip(took) {
            self.say(name, "all", took);
        }
    }

    async fn lead(&self, write: &mut switchboard::db::WriteTx, n: usize) {
        let change = leads::Change {
            title: Some(format!("Changed {n} at {}", SystemClock.now().timestamp_micros())),
            by: some("opr_00000007"),
            ..leads::Change::default()
        };
        leads::change(write, &format!("led_{n:08}"), change, self.now)
            .await
            .unwrap();
    }

    /// Figures are asked for now and then: five times each, and each for itself.
    pub async fn reports(&mut self) {
        let scope = Scope::new("opr_00000000", Role::Supervisor, Default::default());
        println!("| report | median ms | most ms |");
        println!("|---|---|---|");
        for days in [30, 90, 730] {
            let from = self.now - TimeDelta::days(days);
            for (whose, operator_id) in [("", None), (" of one operator", some("opr_00000007"))] {
                let question = funnel::Question {
                    from,
                    to: self.now,
                    operator_id,
                    line_id: None,
                };
                let mut took = Vec::new();
                let mut of = 0;
                for _ in 0..5 {
                    let begun = Instant::now();
                    let report = funnel::read(self.db.read(), &scope, self.sales, &question, self.now)
                        .await
                        .unwrap();
                    took.push(begun.elapsed().as_secs_f64() * 1e3);
                    of = report.deals;
                }
                figures(&format!("funnel of {days} days{whose} ({of} deals)"), took);
            }
            for (whose, channel_id) in [("", None), (" of one channel", some("chn_00000003"))] {
                let question = report::Question {
                    from,
                    to: self.now,
                    zone: chrono_tz::Tz::UTC,
                    touch: report::Which::Last,
                    by: vec![report::By::Source, report::By::Medium, report::By::Campaign],
                    line_id: None,
                    channel_id,
                };
                let mut took = Vec::new();
                let mut of = 0;
                for _ in 0..5 {
                    let begun = Instant::now();
                    let report = report::read(self.db.read(), &scope, &question).await.unwrap();
                    took.push(begun.elapsed().as_secs_f64() * 1e3);
                    of = report.leads;
                }
                figures(
                    &format!("leads by source of {days} days{whose} ({of} leads)"),
                    took,
                );
            }
            let question = responses::Question {
                from,
                to: self.now,
                zone: chrono_tz::Tz::UTC,
                by: responses::By::Operator,
                line_id: None,
                operator_id: None,
            };
            let mut took = Vec::new();
            for _ in 0..5 {
                let begun = Instant::now();
                responses::read(self.db.read(), &scope, &question).await.unwrap();
                took.push(begun.elapsed().as_secs_f64() * 1e3);
            }
            figures(&format!("responses of {days} days"), took);
        }
    }
}

fn figures(report: &str, mut took: Vec<f64>) {
    took.sort_by(f64::total_cmp);
    println!(
        "| {report} | {:.0} | {:.0} |",
        took[took.len() / 2],
        took[took.len() - 1]
    );
}

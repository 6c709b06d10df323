//! The questions of the lists and of the board.

use std::time::Instant;

use switchboard::{
    company::store as companies,
    contact::{sight, store as contacts},
    deal::{store as deals, view},
    lead::store as leads,
    operator::rights::Scope,
};

use super::{
    ask::{ASKED, Asker, some},
    seed::{CONTACTS, LEADS, STEP},
};

/// What is known to be slow is asked now and then.
fn often(question: &str) -> usize {
    if question.contains("very many") { 6 } else { ASKED }
}

impl Asker<'_> {
    pub async fn leads(&mut self, who: &str, scope: &Scope) {
        let filter = leads::Filter::default;
        let (me, status, source, line) = (
            some(&scope.operator_id),
            |word: &str| some(word),
            |word: &str| some(word),
            |word: &str| some(word),
        );
        let text = |text: &str| leads::Filter {
            text: some(text),
            ..filter()
        };
        let questions = [
            ("leads", filter()),
            (
                "leads, new",
                leads::Filter {
                    status: status("new"),
                    ..filter()
                },
            ),
            (
                "leads, junk",
                leads::Filter {
                    status: status("junk"),
                    ..filter()
                },
            ),
            (
                "leads of a source",
                leads::Filter {
                    source: source("google"),
                    ..filter()
                },
            ),
            (
                "leads of no source",
                leads::Filter {
                    source: source("nowhere"),
                    ..filter()
                },
            ),
            (
                "leads of a line",
                leads::Filter {
                    line_id: line("lin_00000003"),
                    ..filter()
                },
            ),
            (
                "leads of mine",
                leads::Filter {
                    operator_id: me.clone(),
                    ..filter()
                },
            ),
            (
                "leads of a contact",
                leads::Filter {
                    contact_id: some("cnt_00001234"),
                    ..filter()
                },
            ),
            (
                "leads, new, of mine",
                leads::Filter {
                    status: status("new"),
                    operator_id: me.clone(),
                    ..filter()
                },
            ),
            (
                "leads, junk, of mine",
                leads::Filter {
                    status: status("junk"),
                    operator_id: me.clone(),
                    ..filter()
                },
            ),
            (
                "leads, new, of a line",
                leads::Filter {
                    status: status("new"),
                    line_id: line("lin_00000003"),
                    ..filter()
                },
            ),
            (
                "leads of a line and of mine",
                leads::Filter {
                    line_id: line("lin_00000003"),
                    operator_id: me.clone(),
                    ..filter()
                },
            ),
            // Never: the source never came by that line.
            (
                "leads of a line and a source it never has",
                leads::Filter {
                    line_id: line("lin_00000003"),
                    source: source("yandex"),
                    ..filter()
                },
            ),
            (
                "leads of a source and a status it never has",
                leads::Filter {
                    status: status("lost"),
                    source: source("webchat"),
                    ..filter()
                },
            ),
            (
                "leads, new, of a source",
                leads::Filter {
                    status: status("new"),
                    source: source("google"),
                    ..filter()
                },
            ),
            ("leads, q of one", text("654321")),
            ("leads, q of nothing", text("xylophone")),
            ("leads, q of most", text("request")),
            ("leads, q of a name", text("Anna Karimo 123")),
            ("leads, q of a name, backwards", text("karimo anna")),
            ("leads, q of a letter", text("b")),
            ("leads, q of two letters", text("ye")),
            ("leads, q of 20,000 of seven years ago", text("Autumn sale")),
            (
                "leads, q and status",
                leads::Filter {
                    status: status("new"),
                    ..text("delivery")
                },
            ),
            (
                "leads, q and a line",
                leads::Filter {
                    line_id: line("lin_00000003"),
                    ..text("boro")
                },
            ),
            (
                "leads, q of very many and a line that has none of them",
                leads::Filter {
                    line_id: line("lin_00000003"),
                    ..text("vera")
                },
            ),
            (
                "leads, q of nothing here and of mine",
                leads::Filter {
                    operator_id: me,
                    ..text("autumn")
                },
            ),
        ];
        for (question, filter) in questions {
            let mut took = Vec::new();
            for time in 0..often(question) {
                let at = self.depth(time, STEP, LEADS);
                let place = at.map(|at| leads::Place {
                    at,
                    id: "led_5".into(),
                });
                let begun = Instant::now();
                let (rows, _) = leads::list(self.db.read(), scope, &filter, place.as_ref(), 50)
                    .await
                    .unwrap();
                leads::views(self.db.read(), rows).await.unwrap();
                took.push(begun.elapsed().as_secs_f64() * 1e3);
            }
            self.say(question, who, took);
        }
    }

    pub async fn deals(&mut self, who: &str, scope: &Scope) {
        let filter = deals::Filter::default;
        let me = some(&scope.operator_id);
        let pipeline = some(&self.sales.id);
        let text = |text: &str| deals::Filter {
            text: some(text),
            ..filter()
        };
        let mut questions = vec![
            ("deals".to_owned(), filter()),
            (
                "deals of a pipeline".into(),
                deals::Filter {
                    pipeline_id: pipeline.clone(),
                    ..filter()
                },
            ),
            (
                "deals of an empty pipeline".into(),
                deals::Filter {
                    pipeline_id: some("pip_x"),
                    ..filter()
                },
            ),
            (
                "deals, open".into(),
                deals::Filter {
                    state: some("open"),
                    ..filter()
                },
            ),
            (
                "deals, lost, of a pipeline".into(),
                deals::Filter {
                    state: some("lost"),
                    pipeline_id: pipeline.clone(),
                    ..filter()
                },
            ),
            (
                "deals of mine".into(),
                deals::Filter {
                    operator_id: me.clone(),
                    ..filter()
                },
            ),
            (
                "deals, open, of mine".into(),
                deals::Filter {
                    operator_id: me.clone(),
                    state: some("open"),
                    pipeline_id: pipeline.clone(),
                    ..filter()
                },
            ),
            (
                "deals of a line".into(),
                deals::Filter {
                    line_id: some("lin_00000005"),
                    ..filter()
                },
            ),
            (
                "deals, won, of a line".into(),
                deals::Filter {
                    line_id: some("lin_00000005"),
                    state: some("won"),
                    ..filter()
                },
            ),
            (
                "deals of a line without any".into(),
                deals::Filter {
                    line_id: some("lin_00000003"),
                    state: some("won"),
                    ..filter()
                },
            ),
            (
                "deals of a line and of mine".into(),
                deals::Filter {
                    line_id: some("lin_00000005"),
                    operator_id: me.clone(),
                    ..filter()
                },
            ),
            (
                "deals of a contact".into(),
                deals::Filter {
                    contact_id: some("cnt_00001234"),
                    ..filter()
                },
            ),
            (
                "deals of a company".into(),
                deals::Filter {
                    company_id: some("cmp_00001234"),
                    ..filter()
                },
            ),
            (
                "deals of a lead".into(),
                deals::Filter {
                    lead_id: some("led_00001235"),
                    ..filter()
                },
            ),
            ("deals, q of one".into(), text("deal 123456")),
            ("deals, q of nothing".into(), text("xylophone")),
            ("deals, q of all".into(), text("deal")),
            ("deals, q of a name".into(), text("vera yusupo 1234")),
            (
                "deals, q and of mine".into(),
                deals::Filter {
                    operator_id: me.clone(),
                    ..text("zoya")
                },
            ),
            (
                "deals, q and state".into(),
                deals::Filter {
                    state: some("open"),
                    ..text("gleb")
                },
            ),
        ];
        for stage in &self.sales.stages {
            let of = |more: deals::Filter| deals::Filter {
                stage_id: some(&stage.id),
                ..more
            };
            let name = format!("column {}", stage.name);
            questions.extend([
                (name.clone(), of(filter())),
                (
                    format!("{name}, of mine"),
                    of(deals::Filter {
                        operator_id: me.clone(),
                        ..filter()
                    }),
                ),
                (
                    format!("{name}, of a line"),
                    of(deals::Filter {
                        line_id: some("lin_00000005"),
                        ..filter()
                    }),
                ),
                (format!("{name}, q"), of(text("anna"))),
                (format!("{name}, q of nothing"), of(text("xylophone"))),
            ]);
        }
        for (question, filter) in questions {
            let limit = if filter.stage_id.is_some() { 25 } else { 50 };
            let mut took = Vec::new();
            for time in 0..ASKED {
                let at = self.depth(time, STEP, LEADS);
                let place = at.map(|at| deals::Place {
                    at,
                    id: "dea_5".into(),
                });
                let begun = Instant::now();
                let (rows, _) = deals::list(self.db.read(), scope, &filter, place.as_ref(), limit)
                    .await
                    .unwrap();
                view::views(self.db.read(), rows).await.unwrap();
                took.push(begun.elapsed().as_secs_f64() * 1e3);
            }
            self.say(&question, who, took);
        }
    }

    pub async fn totals(&mut self, who: &str, scope: &Scope) {
        let of = |more: deals::Filter| deals::Filter {
            pipeline_id: some(&self.sales.id),
            ..more
        };
        let filter = deals::Filter::default;
        let questions = [
            ("totals", of(filter())),
            ("totals of all pipelines", filter()),
            (
                "totals of mine",
                of(deals::Filter {
                    operator_id: some(&scope.operator_id),
                    ..filter()
                }),
            ),
            (
                "totals of a line",
                of(deals::Filter {
                    line_id: some("lin_00000005"),
                    ..filter()
                }),
            ),
            (
                "totals, open",
                of(deals::Filter {
                    state: some("open"),
                    ..filter()
                }),
            ),
            (
                "totals of a contact",
                of(deals::Filter {
                    contact_id: some("cnt_00001234"),
                    ..filter()
                }),
            ),
            (
                "totals, q of one",
                of(deals::Filter {
                    text: some("123456"),
                    ..filter()
                }),
            ),
            (
                "totals, q of all",
                of(deals::Filter {
                    text: some("deal"),
                    ..filter()
                }),
            ),
            (
                "totals, q of a name",
                of(deals::Filter {
                    text: some("anna"),
                    ..filter()
                }),
            ),
        ];
        for (question, filter) in questions {
            let mut took = Vec::new();
            for _ in 0..ASKED {
                let begun = Instant::now();
                deals::totals(self.db.read(), scope, &filter).await.unwrap();
                took.push(begun.elapsed().as_secs_f64() * 1e3);
            }
            self.say(question, who, took);
        }
    }

    pub async fn contacts(&mut self, who: &str, scope: &Scope) {
        let filter = contacts::Filter::default;
        let text = |text: &str| contacts::Filter {
            text: some(text),
            ..filter()
        };
        let questions = [
            ("contacts", filter()),
            (
                "contacts of mine",
                contacts::Filter {
                    operator_id: Some(some(&scope.operator_id)),
                    ..filter()
                },
            ),
            (
                "contacts of nobody",
                contacts::Filter {
                    operator_id: Some(None),
                    ..filter()
                },
            ),
            (
                "contacts of a company",
                contacts::Filter {
                    company_id: some("cmp_00001234"),
                    ..filter()
                },
            ),
            (
                "contacts of a rare tag",
                contacts::Filter {
                    tag: some("vip"),
                    ..filter()
                },
            ),
            (
                "contacts of a common tag",
                contacts::Filter {
                    tag: some("client"),
                    ..filter()
                },
            ),
            (
                "contacts of no tag",
                contacts::Filter {
                    tag: some("nothing"),
                    ..filter()
                },
            ),
            (
                "contacts, perhaps twice",
                contacts::Filter {
                    duplicates: true,
                    ..filter()
                },
            ),
            (
                "contacts of a tag and of mine",
                contacts::Filter {
                    tag: some("client"),
                    operator_id: Some(some(&scope.operator_id)),
                    ..filter()
                },
            ),
            ("contacts, q of a phone", text("+998900123456")),
            ("contacts, q of a part of a phone", text("90 01 23")),
            ("contacts, q of an address", text("client123456@firm")),
            ("contacts, q of a domain", text("@firm123.example")),
            ("contacts, q of all", text("example")),
            ("contacts, q of a name", text("boro petrov")),
            ("contacts, q of nothing", text("xylophone")),
            ("contacts, q of a letter", text("z")),
            (
                "contacts, q and a tag",
                contacts::Filter {
                    tag: some("vip"),
                    ..text("anna")
                },
            ),
            (
                "contacts, q and of nobody",
                contacts::Filter {
                    operator_id: Some(None),
                    ..text("egor kuznet")
                },
            ),
        ];
        for (question, filter) in questions {
            let mut took = Vec::new();
            for time in 0..ASKED {
                let at = self.depth(time, STEP, CONTACTS);
                let place = at.map(|at| contacts::Place {
                    at,
                    id: "cnt_5".into(),
                });
                let begun = Instant::now();
                let (rows, _) = contacts::list(self.db.read(), scope, &filter, place.as_ref(), 50)
                    .await
                    .unwrap();
                let views = contacts::views(self.db.read(), rows).await.unwrap();
                let others = views.iter().flat_map(|view| &view.suggestions);
                let others = others.map(|other| other.contact_id.clone()).collect();
                sight::among(self.db.read(), scope, others).await.unwrap();
                took.push(begun.elapsed().as_secs_f64() * 1e3);
            }
            self.say(question, who, took);
        }
    }

    pub async fn companies(&mut self, who: &str, scope: &Scope) {
        let filter = companies::Filter::default;
        let text = |text: &str| companies::Filter {
            text: some(text),
            ..filter()
        };
        let questions = [
            ("companies", filter()),
            (
                "companies of mine",
                companies::Filter {
                    operator_id: Some(some(&scope.operator_id)),
                    ..filter()
                },
            ),
            (
                "companies of nobody",
                companies::Filter {
                    operator_id: Some(None),
                    ..filter()
                },
            ),
            (
                "companies of a tag",
                companies::Filter {
                    tag: some("vip"),
                    ..filter()
                },
            ),
            ("companies, q of one", text("partners 31234")),
            ("companies, q of all", text("partners")),
            ("companies, q of nothing", text("xylophone")),
            (
                "companies, q and of nobody",
                companies::Filter {
                    operator_id: Some(None),
                    ..text("petrov")
                },
            ),
        ];
        for (question, filter) in questions {
            let mut took = Vec::new();
            for time in 0..ASKED {
                let place = (time % 2 == 1).then(|| companies::Place {
                    name: format!("petrov and partners {}", time * 700),
                });
                let begun = Instant::now();
                let mut rows = companies::list(self.db.read(), scope, &filter, place.as_ref(), 50)
                    .await
                    .unwrap();
                rows.truncate(50);
                companies::views(self.db.read(), rows).await.unwrap();
                took.push(begun.elapsed().as_secs_f64() * 1e3);
            }
            self.say(question, who, took);
        }
    }
}

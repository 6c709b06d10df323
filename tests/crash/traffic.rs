//! Who writes while the server dies: visitors of a chat, senders of a form and of mails, and the operators who answer.
//!
//! Each of them behaves as a good client does: what got no answer is sent again under the same id. One in ten gives up
//! instead; what such a one sent may be there once or not at all.

use std::{sync::Arc, time::Duration};

use lettre::{
    AsyncSmtpTransport, AsyncTransport, Tokio1Executor,
    message::{Attachment, Message, MultiPart, SinglePart, header::ContentType},
};
use serde_json::{Value, json};
use tokio::{sync::watch, task::JoinHandle};

use crate::{
    from_environment,
    random::Random,
    verify::mail_admin,
    world::{Ending, World},
};

/// Something sent that can be found again.
#[derive(Debug)]
pub struct Item {
    /// The word it is found by.
    pub marker: String,
    /// Whether the server said 2xx; else it may be there or not.
    pub accepted: bool,
    /// Whether a file came with it.
    pub file: bool,
}

/// A visitor and what they wrote.
#[derive(Debug)]
pub struct Visitor {
    /// Opens the visitor's own view of the conversation.
    pub token: String,
    /// In the order of writing.
    pub items: Vec<Item>,
}

/// A customer's mails, which are one thread.
#[derive(Debug)]
pub struct Thread {
    /// Where the answers go.
    pub customer: String,
    /// In the order of sending; all of them were accepted by the SMTP server.
    pub items: Vec<Item>,
}

/// An operator's answer.
#[derive(Debug)]
pub struct Reply {
    /// The word in it, and whether it was accepted.
    pub item: Item,
    /// Where it was written.
    pub conversation: String,
    /// `webchat` or `email`.
    pub kind: String,
}

/// Everything that was sent.
#[derive(Debug, Default)]
pub struct Sent {
    /// Chats.
    pub visitors: Vec<Visitor>,
    /// Forms, each by another person, whose address is `{marker}@example.test`.
    pub forms: Vec<Item>,
    /// Mails.
    pub threads: Vec<Thread>,
    /// How many of them answer what an operator wrote.
    pub answered: usize,
    /// Answers.
    pub replies: Vec<Reply>,
    /// Answers of the server that are wrong in themselves.
    pub wrong: Vec<String>,
}

impl Sent {
    fn add(&mut self, other: Self) {
        self.visitors.extend(other.visitors);
        self.forms.extend(other.forms);
        self.threads.extend(other.threads);
        self.answered += other.answered;
        self.replies.extend(other.replies);
        self.wrong.extend(other.wrong);
    }

    /// How much it was.
    pub fn summary(&self) -> String {
        let chats: usize = self.visitors.iter().map(|visitor| visitor.items.len()).sum();
        let mails: usize = self.threads.iter().map(|thread| thread.items.len()).sum();
        let by_mail = self.replies.iter().filter(|reply| reply.kind == "email").count();
        format!(
            "{chats} chat messages of {} visitors, {} forms, {mails} mails in {} threads ({} answer an operator), {} replies ({by_mail} by mail)",
            self.visitors.len(),
            self.forms.len(),
            self.threads.len(),
            self.answered,
            self.replies.len()
        )
    }
}

/// The people at work.
#[derive(Debug)]
pub struct Traffic {
    stop: watch::Sender<bool>,
    tasks: Vec<JoinHandle<Sent>>,
}

impl Traffic {
    /// Lets everybody finish what they have begun.
    pub async fn finish(self) -> Sent {
        self.stop.send_replace(true);
        let mut all = Sent::default();
        for task in self.tasks {
            all.add(task.await.expect("nobody panics"));
        }
        all
    }
}

/// Starts four visitors at a time, one sender of forms, one of mails, and two operators.
pub fn start(world: &Arc<World>, random: &mut Random) -> Traffic {
    let (stop, stopped) = watch::channel(false);
    let mut tasks = Vec::new();
    for _ in 0..4 {
        tasks.push(tokio::spawn(visitors(
            world.clone(),
            stopped.clone(),
            random.fork(),
        )));
    }
    tasks.push(tokio::spawn(forms(world.clone(), stopped.clone(), random.fork())));
    tasks.push(tokio::spawn(mails(world.clone(), stopped.clone(), random.fork())));
    for _ in 0..2 {
        tasks.push(tokio::spawn(operators(
            world.clone(),
            stopped.clone(),
            random.fork(),
        )));
    }
    Traffic { stop, tasks }
}

async fn pause(random: &mut Random, most: u64) {
    tokio::time::sleep(Duration::from_millis(random.below(most))).await;
}

async fn visitors(world: Arc<World>, stopped: watch::Receiver<bool>, mut random: Random) -> Sent {
    let mut sent = Sent::default();
    while !*stopped.borrow() {
        let page = json!({"page": {"url": "https://shop.example/", "referrer": "", "title": "Shop"}});
        let token = match world
            .deliver(false, || world.http.post(world.widget("sessions")).json(&page))
            .await
        {
            Ending::Accepted(body) => body["visitor_token"].as_str().expect("a token").to_owned(),
            Ending::Abandoned => continue,
            Ending::Wrong(wrong) => {
                sent.wrong.push(wrong);
                break;
            }
        };
        let mut visitor = Visitor {
            token,
            items: Vec::new(),
        };
        for _ in 0..5 + random.below(40) {
            match chat_message(&world, &visitor.token, &mut random).await {
                Ok(item) => visitor.items.push(item),
                Err(wrong) => sent.wrong.push(wrong),
            }
            if *stopped.borrow() {
                break;
            }
            pause(&mut random, 80).await;
        }
        sent.visitors.push(visitor);
    }
    sent
}

async fn chat_message(world: &World, token: &str, random: &mut Random) -> Result<Item, String> {
    let marker = random.marker("chat");
    let file = random.one_in(12);
    let mut attachments = Vec::new();
    if file {
        let upload = || {
            let part = reqwest::multipart::Part::bytes(format!("file of {marker}").into_bytes())
                .file_name("Заказ № 7.txt")
                .mime_str("text/plain")
                .expect("a type");
            let form = reqwest::multipart::Form::new().part("file", part);
            world
                .http
                .post(world.widget("attachments"))
                .bearer_auth(token)
                .multipart(form)
        };
        match world.deliver(false, upload).await {
            Ending::Accepted(body) => attachments.push(body["id"].clone()),
            Ending::Abandoned => {}
            Ending::Wrong(wrong) => return Err(wrong),
        }
    }
    let body = json!({"client_id": format!("c-{marker}"), "text": format!("{marker} Привет 👋"), "attachments": attachments});
    let ending = world
        .deliver(random.one_in(10), || {
            world
                .http
                .post(world.widget("messages"))
                .bearer_auth(token)
                .json(&body)
        })
        .await;
    match ending {
        Ending::Accepted(_) => Ok(Item {
            marker,
            accepted: true,
            file,
        }),
        Ending::Abandoned => Ok(Item {
            marker,
            accepted: false,
            file,
        }),
        Ending::Wrong(wrong) => Err(wrong),
    }
}

async fn forms(world: Arc<World>, stopped: watch::Receiver<bool>, mut random: Random) -> Sent {
    let mut sent = Sent::default();
    let url = format!(
        "{}/f/{}",
        world.base,
        world.webform["key"].as_str().expect("a key")
    );
    while !*stopped.borrow() {
        let marker = random.marker("form");
        let values = json!({"name": format!("Нина {marker}"), "email": format!("{marker}@example.test"), "comment": format!("{marker} please call")});
        let ending = world
            .deliver(random.one_in(10), || {
                world
                    .http
                    .post(&url)
                    .header("Accept", "application/json")
                    .header("Idempotency-Key", format!("i-{marker}"))
                    .json(&values)
            })
            .await;
        match ending {
            Ending::Accepted(_) => sent.forms.push(Item {
                marker,
                accepted: true,
                file: false,
            }),
            Ending::Abandoned => sent.forms.push(Item {
                marker,
                accepted: false,
                file: false,
            }),
            Ending::Wrong(wrong) => sent.wrong.push(wrong),
        }
        pause(&mut random, 250).await;
    }
    sent
}

async fn mails(world: Arc<World>, stopped: watch::Receiver<bool>, mut random: Random) -> Sent {
    let mut sent = Sent::default();
    let address = from_environment("SWITCHBOARD_TEST_SMTP");
    let (host, port) = address.rsplit_once(':').expect("host:port");
    let smtp = AsyncSmtpTransport::<Tokio1Executor>::builder_dangerous(host)
        .port(port.parse().expect("a port"))
        .build();
    while !*stopped.borrow() {
        // A new customer, or a further mail of one of the last few.
        let known = sent.threads.len();
        let index = if known > 0 && !random.one_in(3) {
            known - 1 - usize::try_from(random.below(known.min(5) as u64)).expect("small")
        } else {
            sent.threads.push(Thread {
                customer: format!("c{known}-{}@example.test", world.run),
                items: Vec::new(),
            });
            known
        };
        let thread = &mut sent.threads[index];
        let item = Item {
            marker: random.marker("mail"),
            accepted: true,
            file: random.one_in(4),
        };
        // Every other time they answer what an operator wrote, as far as it has reached them.
        let answered = if random.one_in(2) {
            last_answer(&thread.customer).await
        } else {
            None
        };
        sent.answered += usize::from(answered.is_some());
        smtp.send(mail(&world.mailbox, thread, &item, answered))
            .await
            .expect("the SMTP server of the tests takes every mail");
        thread.items.push(item);
        pause(&mut random, 500).await;
    }
    sent
}

/// The id of the newest answer in a customer's mailbox.
async fn last_answer(customer: &str) -> Option<String> {
    let customer = customer.to_owned();
    let mails = tokio::task::spawn_blocking(move || mail_admin(&["mails", &customer]))
        .await
        .expect("the tool of the mail servers");
    let mut ids = mails.lines().filter_map(|line| line.strip_prefix("Message-ID: "));
    ids.next_back().map(|id| id.trim().to_owned())
}

fn mail(mailbox: &str, thread: &Thread, item: &Item, answered: Option<String>) -> Message {
    let id = |item: &Item| format!("<{}@example.test>", item.marker);
    let mut message = Message::builder()
        .from(
            format!("Jürgen Groß <{}>", thread.customer)
                .parse()
                .expect("an address"),
        )
        .to(mailbox.parse().expect("an address"))
        .subject("Größe der Bestellung")
        .message_id(Some(id(item)));
    if let Some(answered) = answered {
        // Nothing but this id leads to the conversation: it must have been known before the mail went out.
        message = message.in_reply_to(answered.clone()).references(answered);
    } else if let (Some(first), Some(last)) = (thread.items.first(), thread.items.last()) {
        message = message
            .in_reply_to(id(last))
            .references(format!("{} {}", id(first), id(last)));
    }
    let text = SinglePart::plain(format!("{} Guten Tag,\r\n\r\nwas kostet das?\r\n", item.marker));
    let built = if item.file {
        let file = Attachment::new("Maße – 寸法.txt".to_owned())
            .body(format!("file of {}", item.marker), ContentType::TEXT_PLAIN);
        message.multipart(MultiPart::mixed().singlepart(text).singlepart(file))
    } else {
        message.singlepart(text)
    };
    built.expect("a mail")
}

async fn operators(world: Arc<World>, stopped: watch::Receiver<bool>, mut random: Random) -> Sent {
    let mut sent = Sent::default();
    while !*stopped.borrow() {
        let list = world
            .deliver(false, || {
                world.api(reqwest::Method::GET, "conversations?view=all&limit=50")
            })
            .await;
        let conversations = match list {
            Ending::Accepted(body) => body["items"].as_array().expect("items").clone(),
            Ending::Abandoned => continue,
            Ending::Wrong(wrong) => {
                sent.wrong.push(wrong);
                break;
            }
        };
        let wanted = if random.one_in(2) { "email" } else { "webchat" };
        let fitting: Vec<&Value> = conversations
            .iter()
            .filter(|conversation| {
                conversation["channel_kind"] == wanted && conversation["can_reply"] != false
            })
            .collect();
        if fitting.is_empty() {
            pause(&mut random, 200).await;
            continue;
        }
        for _ in 0..3 {
            let chosen = fitting[usize::try_from(random.below(fitting.len() as u64)).expect("small")];
            match reply(&world, chosen, &mut random).await {
                Ok(reply) => sent.replies.push(reply),
                Err(wrong) => sent.wrong.push(wrong),
            }
            pause(&mut random, 150).await;
        }
    }
    sent
}

async fn reply(world: &World, conversation: &Value, random: &mut Random) -> Result<Reply, String> {
    let marker = random.marker("reply");
    let id = conversation["id"].as_str().expect("an id").to_owned();
    let path = format!("conversations/{id}/messages");
    let body = json!({"text": format!("{marker} gern geschehen"), "kind": "reply", "client_id": format!("o-{marker}")});
    let ending = world
        .deliver(random.one_in(10), || {
            world.api(reqwest::Method::POST, &path).json(&body)
        })
        .await;
    let accepted = match ending {
        Ending::Accepted(_) => {
            world.reply_accepted.notify_waiters();
            true
        }
        Ending::Abandoned => false,
        Ending::Wrong(wrong) => return Err(wrong),
    };
    let kind = conversation["channel_kind"]
        .as_str()
        .unwrap_or_default()
        .to_owned();
    Ok(Reply {
        item: Item {
            marker,
            accepted,
            file: false,
        },
        conversation: id,
        kind,
    })
}

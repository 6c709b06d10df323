//! From the bus to visitors' sockets: one task reads the bus once, however many sockets there are.
//!
//! A socket listens to a conversation, or, while its visitor has written nothing, waits for one to
//! come. Its buffer is bounded: one that does not keep up is cut off and comes back with the number of
//! the last message it has.
//!
//! Places in queues are told from here too: each line where somebody waits is counted once for all of its
//! sockets, and only those whose place is another now are woken.

use std::{
    collections::HashMap,
    hash::{BuildHasher, BuildHasherDefault, DefaultHasher},
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use sea_orm::EntityTrait;
use serde::{Deserialize, Serialize};
use switchboard_sdk::CancellationToken;
use tokio::sync::{
    broadcast::{self, error::RecvError},
    mpsc,
};
use utoipa::ToSchema;

use super::store;
use crate::{
    clock::SharedClock,
    conversation::view::MessageView,
    db::{
        Db,
        entity::{conversation, visitor},
    },
    event::EventType,
    live::{Item, Live, LiveEvent, Object, Typing},
    routing::place::{Board, InQueue, Queue, is_news},
};

/// Signals a socket may lag behind.
const BUFFER: usize = 128;
/// Changes of whereabouts an operator's socket may lag behind; it then looks anew.
const MOVES: usize = 1024;
/// How often the lines where somebody waits are counted.
const QUEUE_EVERY: Duration = Duration::from_secs(3);
/// Longest address and title of a page that are kept, in characters.
const PAGE_CHARS: usize = 500;
/// Sockets of one visitor at once: tabs and a few that are not yet known to be dead.
pub const SOCKETS_PER_VISITOR: usize = 20;

/// The page a visitor is on.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(default)]
pub struct OnPage {
    /// Its address.
    pub url: String,
    /// Its title.
    pub title: String,
    /// Another tab or window is before it.
    pub hidden: bool,
}

impl OnPage {
    /// No longer than is worth keeping.
    #[must_use]
    pub fn cut(mut self) -> Self {
        for text in [&mut self.url, &mut self.title] {
            if let Some((at, _)) = text.char_indices().nth(PAGE_CHARS) {
                text.truncate(at);
                text.shrink_to_fit();
            }
        }
        self
    }
}

/// Whether a visitor is on the site, and where.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, ToSchema)]
pub struct Whereabouts {
    /// They have the chat on a page that is open now.
    pub online: bool,
    /// That page; the one they look at, when there are several.
    pub page: Option<OnPage>,
}

/// What a socket is told.
#[derive(Debug, Clone)]
pub enum Signal {
    /// A message was stored; also those the visitor may not see.
    Message(Arc<MessageView>),
    /// A message says something else now, or was taken back.
    Changed(Arc<MessageView>),
    /// How far the conversation goes and how far the staff has read.
    Progress {
        /// The highest number.
        last_seq: i64,
        /// Read up to here.
        read_seq: i64,
        /// Another number whenever the session stands differently.
        stands: u64,
    },
    /// An operator is typing.
    Typing {
        /// Their name.
        name: Option<String>,
    },
    /// The visitor has a conversation now.
    Found(String),
    /// Another place in the queue.
    Queue(Option<InQueue>),
    /// Something was missed: read the store again.
    Resync,
}

/// Where a socket listens.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
enum Place {
    /// To a conversation.
    Conversation(String),
    /// For the first message of this key on this channel.
    Key(String, String),
}

/// All sockets of this process. Cheap to clone.
#[derive(Debug, Clone, Default)]
pub struct Hub(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    state: Mutex<State>,
    next: AtomicU64,
    /// Conversations whose visitor came, went or turned a page.
    moves: broadcast::Sender<Arc<str>>,
}

impl Default for Inner {
    fn default() -> Self {
        Self {
            state: Mutex::default(),
            next: AtomicU64::default(),
            moves: broadcast::Sender::new(MOVES),
        }
    }
}

/// A socket's end of the wire, and what page it is on.
#[derive(Debug)]
struct Ear {
    sender: mpsc::Sender<Signal>,
    page: Option<OnPage>,
    /// The latest to speak of a page counts.
    spoke: u64,
}

type Places = HashMap<Place, HashMap<u64, Ear>>;

/// A socket whose session waits for an operator, and what it was told of its place.
#[derive(Debug)]
struct Waiter {
    session_id: String,
    /// Weak: a socket that was cut off must see the end of its signals.
    sender: mpsc::WeakSender<Signal>,
    told: Option<InQueue>,
}

#[derive(Debug, Default)]
struct State {
    /// Those that listen to a conversation.
    conversations: Places,
    /// Those that wait for one to come. Apart, so that a new conversation for which nobody waits costs nothing.
    keys: Places,
    /// By line and socket.
    waiters: HashMap<String, HashMap<u64, Waiter>>,
    visitors: HashMap<String, usize>,
}

impl State {
    fn places(&mut self, place: &Place) -> &mut Places {
        match place {
            Place::Conversation(_) => &mut self.conversations,
            Place::Key(..) => &mut self.keys,
        }
    }

    fn ears(&mut self, place: &Place) -> Option<&mut HashMap<u64, Ear>> {
        self.places(place).get_mut(place)
    }

    /// Nothing of this socket waits any more.
    fn stop_waiting(&mut self, id: u64) {
        self.waiters.retain(|_, waiters| {
            waiters.remove(&id);
            !waiters.is_empty()
        });
    }
}

impl Hub {
    /// Feeds the sockets until `stop`.
    pub async fn run(&self, live: Live, db: Db, stop: CancellationToken) {
        let mut items = live.subscribe();
        loop {
            let item = tokio::select! {
                () = stop.cancelled() => return,
                item = items.recv() => item,
            };
            match item {
                Ok(Item::Event(event)) => self.event(&db, &event).await,
                Ok(Item::Typing(typing)) => self.typing(&db, &typing).await,
                Err(RecvError::Lagged(_)) => self.tell_all(),
                Err(RecvError::Closed) => return,
            }
        }
    }

    /// Tells those who wait of their places until `stop`: one look a line, however many wait there.
    pub async fn run_queues(&self, board: Board, db: Db, clock: SharedClock, stop: CancellationToken) {
        let mut ticks = tokio::time::interval(QUEUE_EVERY);
        ticks.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
        loop {
            tokio::select! {
                () = stop.cancelled() => return,
                _ = ticks.tick() => {}
            }
            let lines: Vec<String> = self.lock().waiters.keys().cloned().collect();
            for line_id in lines {
                match board.queue(&db, &line_id, clock.now()).await {
                    Ok(queue) => self.tell_places(&line_id, &queue),
                    Err(error) => {
                        tracing::warn!(%error, "a queue could not be counted for the visitors' sockets; it will be tried again");
                    }
                }
            }
        }
    }

    /// Wakes the sockets of a line whose place is another now. One that has no room is told the next time.
    fn tell_places(&self, line_id: &str, queue: &Queue) {
        let mut state = self.lock();
        let Some(waiters) = state.waiters.get_mut(line_id) else {
            return;
        };
        for waiter in waiters.values_mut() {
            let place = queue.place(&waiter.session_id);
            if is_news(waiter.told, place)
                && let Some(sender) = waiter.sender.upgrade()
                && sender.try_send(Signal::Queue(place)).is_ok()
            {
                waiter.told = place;
            }
        }
    }

    /// Starts listening for a visitor; `None` when they have too many sockets already. Until
    /// [`Listener::bind`] it waits for the visitor's first message.
    pub fn listen(&self, visitor: &visitor::Model) -> Option<Listener> {
        let (sender, signals) = mpsc::channel(BUFFER);
        let place = Place::Key(visitor.channel_id.clone(), store::thread_key(visitor));
        let id = self.0.next.fetch_add(1, Ordering::Relaxed);
        let mut state = self.lock();
        let count = state.visitors.entry(visitor.id.clone()).or_default();
        if *count >= SOCKETS_PER_VISITOR {
            return None;
        }
        *count += 1;
        let ear = Ear {
            sender,
            page: None,
            spoke: 0,
        };
        state.keys.entry(place.clone()).or_default().insert(id, ear);
        drop(state);
        Some(Listener {
            id,
            visitor_id: visitor.id.clone(),
            place,
            signals,
            hub: self.clone(),
        })
    }

    /// Where the visitor of a conversation is, as far as this process knows.
    pub fn whereabouts(&self, conversation_id: &str) -> Whereabouts {
        let mut state = self.lock();
        let Some(ears) = state.ears(&Place::Conversation(conversation_id.to_owned())) else {
            return Whereabouts::default();
        };
        let looked_at = |ear: &&Ear| (ear.page.as_ref().is_some_and(|page| !page.hidden), ear.spoke);
        Whereabouts {
            online: true,
            page: ears
                .values()
                .max_by_key(looked_at)
                .and_then(|ear| ear.page.clone()),
        }
    }

    /// Conversations whose visitor comes, goes or turns a page, from now on.
    pub fn moves(&self) -> broadcast::Receiver<Arc<str>> {
        self.0.moves.subscribe()
    }

    fn moved(&self, place: &Place) {
        if let Place::Conversation(id) = place
            && self.0.moves.receiver_count() > 0
        {
            // Nobody listening is fine.
            drop(self.0.moves.send(id.as_str().into()));
        }
    }

    /// Sockets now open.
    pub fn count(&self) -> usize {
        self.lock().visitors.values().sum()
    }

    async fn event(&self, db: &Db, event: &LiveEvent) {
        match (&event.object, event.kind) {
            (Object::Message(message), EventType::MessageCreated) => {
                if message.seq == 1 {
                    self.found(db, &message.conversation_id).await;
                }
                let place = Place::Conversation(message.conversation_id.clone());
                if self.has(&place) {
                    self.tell(&place, &Signal::Message(Arc::new((**message).clone())));
                }
            }
            (Object::Message(message), EventType::MessageUpdated)
                if message.edited_at.is_some() || message.deleted.is_some() =>
            {
                let place = Place::Conversation(message.conversation_id.clone());
                if self.has(&place) {
                    self.tell(&place, &Signal::Changed(Arc::new((**message).clone())));
                }
            }
            (Object::Conversation(view), _) => {
                let place = Place::Conversation(view.id.clone());
                if self.has(&place) {
                    let session = &view.session;
                    let (id, state, rating) = (&session.id, &session.state, session.rating);
                    let progress = Signal::Progress {
                        last_seq: view.last_seq,
                        read_seq: view.read_seq,
                        stands: BuildHasherDefault::<DefaultHasher>::default().hash_one((
                            id,
                            state,
                            rating,
                            &view.line_id,
                        )),
                    };
                    self.tell(&place, &progress);
                }
            }
            _ => {}
        }
    }

    /// A conversation began: perhaps somebody waits for it.
    async fn found(&self, db: &Db, conversation_id: &str) {
        if self.lock().keys.is_empty() {
            return;
        }
        match conversation::Entity::find_by_id(conversation_id)
            .one(db.read())
            .await
        {
            Ok(Some(row)) => self.tell(
                &Place::Key(row.channel_id, row.thread_key),
                &Signal::Found(row.id),
            ),
            Ok(None) => {}
            Err(error) => {
                tracing::warn!(%error, "a new conversation could not be read for the visitors' sockets");
                self.tell_all();
            }
        }
    }

    async fn typing(&self, db: &Db, typing: &Typing) {
        let place = Place::Conversation(typing.conversation_id.clone());
        if typing.author_type != "operator" || !self.has(&place) {
            return;
        }
        // When in doubt, a hidden participant stays hidden.
        if let Ok(false) = store::is_hidden(db.read(), &typing.conversation_id, &typing.author_id).await {
            self.tell(
                &place,
                &Signal::Typing {
                    name: typing.author_name.clone(),
                },
            );
        }
    }

    fn has(&self, place: &Place) -> bool {
        self.lock().ears(place).is_some()
    }

    fn tell(&self, place: &Place, signal: &Signal) {
        if let Some(sockets) = self.lock().ears(place) {
            // A full buffer drops the sender, at which the socket sees the end of its signals.
            sockets.retain(|_, ear| ear.sender.try_send(signal.clone()).is_ok());
        }
    }

    fn tell_all(&self) {
        let mut state = self.lock();
        let State {
            conversations, keys, ..
        } = &mut *state;
        for sockets in conversations.values_mut().chain(keys.values_mut()) {
            sockets.retain(|_, ear| ear.sender.try_send(Signal::Resync).is_ok());
        }
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.0.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// One socket's ear. Stops listening when dropped.
#[derive(Debug)]
pub struct Listener {
    id: u64,
    visitor_id: String,
    place: Place,
    signals: mpsc::Receiver<Signal>,
    hub: Hub,
}

impl Listener {
    /// The next signal; `None` when the socket was too slow.
    pub async fn next(&mut self) -> Option<Signal> {
        self.signals.recv().await
    }

    /// Listens to this conversation from now on. What is read from the store after this call and what
    /// is signalled from now on has no gap between.
    pub fn bind(&mut self, conversation_id: &str) {
        let place = Place::Conversation(conversation_id.to_owned());
        if place == self.place {
            return;
        }
        let mut state = self.hub.lock();
        if let Some(ear) = take(&mut state, &self.place, self.id) {
            let ears = state.places(&place).entry(place.clone()).or_default();
            ears.insert(self.id, ear);
        }
        drop(state);
        self.place = place;
        self.hub.moved(&self.place);
    }

    /// Asks to be told of the place of a session in a line's queue, of which it knows `told`; of none.
    pub fn wait_for(&self, waits: Option<&(String, String)>, told: Option<InQueue>) {
        let mut state = self.hub.lock();
        let ears = state.ears(&self.place);
        let sender = ears
            .and_then(|ears| ears.get(&self.id))
            .map(|ear| ear.sender.downgrade());
        state.stop_waiting(self.id);
        if let (Some((line_id, session_id)), Some(sender)) = (waits, sender) {
            let waiter = Waiter {
                session_id: session_id.clone(),
                sender,
                told,
            };
            let waiters = state.waiters.entry(line_id.clone()).or_default();
            waiters.insert(self.id, waiter);
        }
    }

    /// Says which page it is on.
    pub fn on_page(&self, page: OnPage) {
        let spoke = self.hub.0.next.fetch_add(1, Ordering::Relaxed);
        let mut state = self.hub.lock();
        if let Some(ear) = state.ears(&self.place).and_then(|ears| ears.get_mut(&self.id)) {
            ear.page = Some(page.cut());
            ear.spoke = spoke;
        }
        drop(state);
        self.hub.moved(&self.place);
    }
}

impl Drop for Listener {
    fn drop(&mut self) {
        let mut state = self.hub.lock();
        take(&mut state, &self.place, self.id);
        state.stop_waiting(self.id);
        if let Some(count) = state.visitors.get_mut(&self.visitor_id) {
            *count -= 1;
            if *count == 0 {
                state.visitors.remove(&self.visitor_id);
            }
        }
        drop(state);
        self.hub.moved(&self.place);
    }
}

fn take(state: &mut State, place: &Place, id: u64) -> Option<Ear> {
    let places = state.places(place);
    let sockets = places.get_mut(place)?;
    let ear = sockets.remove(&id);
    if sockets.is_empty() {
        places.remove(place);
    }
    ear
}

#[cfg(test)]
mod tests {
    use chrono::DateTime;
    use serde_json::Value;

    use super::{BUFFER, Hub, Listener, OnPage, Place, SOCKETS_PER_VISITOR, Signal, Whereabouts};
    use crate::{db::entity::visitor, routing::place::Queue};

    fn visitor() -> visitor::Model {
        visitor::Model {
            id: "vis_1".to_owned(),
            channel_id: "chn_1".to_owned(),
            token_hash: String::new(),
            identity_kind: "webchat".to_owned(),
            identity_value: "vis_1".to_owned(),
            person: Value::Null,
            attribution: Value::Null,
            page: Value::Null,
            created_at: DateTime::UNIX_EPOCH,
            last_seen_at: DateTime::UNIX_EPOCH,
            origin: None,
        }
    }

    fn typing() -> Signal {
        Signal::Typing { name: None }
    }

    #[tokio::test]
    async fn a_listener_that_waits_hears_of_its_conversation_and_then_from_it() {
        let hub = Hub::default();
        let mut listener = hub.listen(&visitor()).unwrap();
        let waiting = Place::Key("chn_1".to_owned(), "i:webchat:vis_1".to_owned());
        hub.tell(&waiting, &Signal::Found("cnv_1".to_owned()));
        assert!(matches!(listener.next().await, Some(Signal::Found(id)) if id == "cnv_1"));
        listener.bind("cnv_1");
        hub.tell(&waiting, &typing());
        hub.tell(&Place::Conversation("cnv_2".to_owned()), &typing());
        hub.tell(&Place::Conversation("cnv_1".to_owned()), &Signal::Resync);
        assert!(matches!(listener.next().await, Some(Signal::Resync)));
    }

    #[tokio::test]
    async fn a_listener_that_does_not_keep_up_is_cut_off_and_others_are_not() {
        let hub = Hub::default();
        let (mut slow, mut quick) = (hub.listen(&visitor()).unwrap(), hub.listen(&visitor()).unwrap());
        slow.bind("cnv_1");
        quick.bind("cnv_1");
        for _ in 0..=BUFFER {
            hub.tell(&Place::Conversation("cnv_1".to_owned()), &typing());
            assert!(quick.next().await.is_some());
        }
        for _ in 0..BUFFER {
            assert!(slow.next().await.is_some());
        }
        assert!(slow.next().await.is_none());
        hub.tell(&Place::Conversation("cnv_1".to_owned()), &typing());
        assert!(quick.next().await.is_some());
    }

    fn page(url: &str, hidden: bool) -> OnPage {
        OnPage {
            url: url.to_owned(),
            hidden,
            ..OnPage::default()
        }
    }

    #[test]
    fn the_page_that_is_looked_at_is_told_and_who_left_is_nowhere() {
        let hub = Hub::default();
        let (mut one, mut other) = (hub.listen(&visitor()).unwrap(), hub.listen(&visitor()).unwrap());
        one.bind("cnv_1");
        other.bind("cnv_1");
        let mut moves = hub.moves();
        one.on_page(page("/lamps", false));
        assert_eq!(&*moves.try_recv().unwrap(), "cnv_1");
        other.on_page(page("/other", true));
        assert_eq!(hub.whereabouts("cnv_1").page, Some(page("/lamps", false)));
        other.on_page(page("/other", false));
        assert_eq!(hub.whereabouts("cnv_1").page, Some(page("/other", false)));
        drop((one, other));
        assert_eq!(hub.whereabouts("cnv_1"), Whereabouts::default());
    }

    #[test]
    fn an_endless_address_is_cut() {
        let cut = page(&"ы".repeat(9_000), false).cut();
        assert_eq!(cut.url.chars().count(), 500);
    }

    #[test]
    fn sockets_of_one_visitor_are_bounded_and_closed_ones_make_room() {
        let hub = Hub::default();
        let mut open: Vec<_> = (0..SOCKETS_PER_VISITOR)
            .map(|_| hub.listen(&visitor()).unwrap())
            .collect();
        assert!(hub.listen(&visitor()).is_none());
        open.pop();
        assert!(hub.listen(&visitor()).is_some());
        open.clear();
        assert_eq!(hub.count(), 0);
        let state = hub.lock();
        assert!(state.conversations.is_empty() && state.keys.is_empty());
    }

    fn queue(sessions: &[&str]) -> Queue {
        Queue::of(sessions.iter().map(|&id| id.to_owned()), Some(60_000))
    }

    fn waits(session: &str) -> Option<(String, String)> {
        Some(("lin_1".to_owned(), session.to_owned()))
    }

    fn heard(listener: &mut Listener) -> Option<Option<u32>> {
        match listener.signals.try_recv() {
            Ok(Signal::Queue(place)) => Some(place.map(|place| place.position)),
            _ => None,
        }
    }

    #[test]
    fn only_who_stands_elsewhere_now_is_told_of_their_place() {
        let hub = Hub::default();
        let [mut ann, mut bob, mut cat] = [(); 3].map(|()| hub.listen(&visitor()).unwrap());
        for (listener, session) in [(&ann, "a"), (&bob, "b"), (&cat, "c")] {
            listener.wait_for(waits(session).as_ref(), queue(&["a", "b", "c"]).place(session));
        }
        hub.tell_places("lin_1", &queue(&["a", "b", "c"]));
        assert_eq!([&mut ann, &mut bob, &mut cat].map(heard), [None, None, None]);
        hub.tell_places("lin_1", &queue(&["a", "c"]));
        assert_eq!(
            [&mut ann, &mut bob, &mut cat].map(heard),
            [None, Some(None), Some(Some(2))]
        );
        // Who was taken, or is on another line now, hears no more of this one.
        cat.wait_for(None, None);
        bob.wait_for(Some(&("lin_2".to_owned(), "b".to_owned())), None);
        hub.tell_places("lin_1", &queue(&["c", "b", "a"]));
        assert_eq!(
            [&mut ann, &mut bob, &mut cat].map(heard),
            [Some(Some(3)), None, None]
        );
        drop((ann, bob, cat));
        assert!(hub.lock().waiters.is_empty());
    }

    #[tokio::test]
    async fn who_has_no_room_for_a_place_is_told_the_next_time_and_a_socket_cut_off_still_ends() {
        let hub = Hub::default();
        let mut slow = hub.listen(&visitor()).unwrap();
        slow.bind("cnv_1");
        slow.wait_for(waits("a").as_ref(), None);
        let place = Place::Conversation("cnv_1".to_owned());
        for _ in 0..BUFFER {
            hub.tell(&place, &typing());
        }
        hub.tell_places("lin_1", &queue(&["a"]));
        for _ in 0..BUFFER {
            assert!(matches!(slow.next().await, Some(Signal::Typing { .. })));
        }
        hub.tell_places("lin_1", &queue(&["a"]));
        assert_eq!(heard(&mut slow), Some(Some(1)));
        for _ in 0..=BUFFER {
            hub.tell(&place, &typing());
        }
        for _ in 0..BUFFER {
            assert!(slow.next().await.is_some());
        }
        assert!(slow.next().await.is_none());
    }
}

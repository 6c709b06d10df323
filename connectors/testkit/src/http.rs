//! The way out over HTTP, in memory.

use std::{
    collections::VecDeque,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use async_trait::async_trait;
use bytes::Bytes;
use switchboard_sdk::{Http, HttpError, HttpRequest, HttpResponse};

/// Answers as it was told, 204 when it was told nothing; keeps what it was asked. Clones share one memory.
#[derive(Debug, Clone, Default)]
pub struct FakeHttp(Arc<Mutex<State>>);

#[derive(Debug, Default)]
struct State {
    answers: VecDeque<Result<HttpResponse, HttpError>>,
    asked: Vec<HttpRequest>,
}

impl FakeHttp {
    /// The next question is answered so.
    pub fn will_answer(&self, answer: Result<HttpResponse, HttpError>) {
        self.lock().answers.push_back(answer);
    }

    /// The next question is answered with this status and body.
    ///
    /// # Panics
    /// When it is no status.
    pub fn will_say(&self, status: u16, body: &str) {
        let answer = http::Response::builder()
            .status(status)
            .body(Bytes::copy_from_slice(body.as_bytes()));
        let answer = answer.unwrap_or_else(|error| panic!("{status}: {error}"));
        self.will_answer(Ok(answer));
    }

    /// What was asked, in order.
    pub fn asked(&self) -> Vec<HttpRequest> {
        self.lock().asked.clone()
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[async_trait]
impl Http for FakeHttp {
    async fn ask(&self, request: HttpRequest, _: Duration, _: usize) -> Result<HttpResponse, HttpError> {
        let mut state = self.lock();
        state.asked.push(request);
        let nothing = || {
            Ok(http::Response::builder()
                .status(204)
                .body(Bytes::new())
                .unwrap_or_default())
        };
        state.answers.pop_front().unwrap_or_else(nothing)
    }
}

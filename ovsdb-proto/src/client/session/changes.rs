//! The changes of a session, told apart by table or by row.

use std::collections::VecDeque;
use std::future::poll_fn;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use futures_core::Stream;
use tokio::sync::mpsc;

use crate::replica::{Change, Replica, RowChange};
use crate::value::{Row, Uuid};

/// The changes of one table, or of one row: [`Session::changes`](super::Session::changes). It ends
/// with the session.
#[derive(Debug)]
pub struct Changes<R = Row> {
    initial: VecDeque<RowChange<R>>,
    later: mpsc::Receiver<RowChange<R>>,
}

/// What a stream is about.
pub(super) struct Filter {
    table: Arc<str>,
    row: Option<Uuid>,
}

/// The other ends of the streams.
pub(super) struct Streams<R> {
    open: Vec<Open<R>>,
    /// What they have yet to get, with the number of each.
    pending: VecDeque<(u64, RowChange<R>)>,
    next_number: u64,
}

struct Open<R> {
    number: u64,
    filter: Filter,
    /// It has the next batch already.
    is_ahead: bool,
    sender: mpsc::Sender<RowChange<R>>,
}

impl<R> Changes<R> {
    /// The next change. `None`: the session is gone.
    ///
    /// Dropping the future loses nothing.
    pub async fn next(&mut self) -> Option<RowChange<R>> {
        poll_fn(|cx| self.poll_change(cx)).await
    }

    fn poll_change(&mut self, cx: &mut Context<'_>) -> Poll<Option<RowChange<R>>> {
        match self.initial.pop_front() {
            Some(change) => Poll::Ready(Some(change)),
            None => self.later.poll_recv(cx),
        }
    }
}

impl<R> Unpin for Changes<R> {}

impl<R> Stream for Changes<R> {
    type Item = RowChange<R>;

    fn poll_next(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<RowChange<R>>> {
        self.poll_change(cx)
    }
}

impl Filter {
    pub(super) fn new(table: &str, row: Option<Uuid>) -> Self {
        let table = table.into();
        Self { table, row }
    }

    /// The rows that are there.
    pub(super) fn initial<R>(&self, replica: &Replica<R>) -> VecDeque<RowChange<R>> {
        let rows = replica
            .table(&self.table)
            .into_iter()
            .flat_map(|table| table.rows());
        let rows = rows.filter(|(uuid, _)| self.row.is_none_or(|row| row == *uuid));
        rows.map(|(uuid, row)| RowChange {
            table: Arc::clone(&self.table),
            uuid,
            change: Change::Initial(Arc::clone(row)),
        })
        .collect()
    }

    fn is_about<R>(&self, change: &RowChange<R>) -> bool {
        self.row.is_none_or(|row| row == change.uuid) && self.table == change.table
    }
}

impl<R> Default for Streams<R> {
    fn default() -> Self {
        Self {
            open: Vec::new(),
            pending: VecDeque::new(),
            next_number: 0,
        }
    }
}

impl<R> Streams<R> {
    pub(super) fn open(
        &mut self,
        filter: Filter,
        initial: VecDeque<RowChange<R>>,
        is_ahead: bool,
    ) -> Changes<R> {
        let (sender, later) = mpsc::channel(AHEAD);
        let number = self.next_number;
        self.next_number += 1;
        self.open.push(Open {
            number,
            filter,
            is_ahead,
            sender,
        });
        Changes { initial, later }
    }

    /// Takes a batch for all streams.
    pub(super) fn take(&mut self, changes: &[RowChange<R>]) {
        self.open.retain(|stream| !stream.sender.is_closed());
        for stream in &mut self.open {
            if std::mem::take(&mut stream.is_ahead) {
                continue;
            }
            let about = changes.iter().filter(|change| stream.filter.is_about(change));
            self.pending
                .extend(about.map(|change| (stream.number, change.clone())));
        }
    }

    /// Waits until every stream has what it is to get. The future may be dropped.
    pub(super) async fn deliver(&mut self) {
        while let Some((number, _)) = self.pending.front() {
            let stream = self.open.iter().find(|stream| stream.number == *number);
            // A stream that nobody has any more wants nothing.
            let room = match stream {
                Some(stream) => stream.sender.reserve().await.ok(),
                None => None,
            };
            if let (Some((_, change)), Some(room)) = (self.pending.pop_front(), room) {
                room.send(change);
            }
        }
    }
}

/// How many changes a stream holds before the session waits for it.
const AHEAD: usize = 1024;

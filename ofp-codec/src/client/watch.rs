use std::{
    collections::{BTreeMap, BTreeSet, VecDeque},
    format, future,
    string::String,
    time::Duration,
};

use tokio::time::{Instant, sleep_until};

use crate::{
    client::{
        connection::{Connection, Options},
        dump::BadEntry,
        error::Error,
        monitor::{Monitor, MonitorEvent},
    },
    model::{flow::Flow, version::Version},
    wire::{FlowUpdate, MonitorRequest, Versions},
};

/// A replica of the flows of a switch, and what changes in it. When the connection is lost it connects
/// again, and what changed meanwhile is told as if it had been seen: nothing twice, nothing left out.
///
/// It works while [`next`](Self::next) is awaited, which can be dropped at any time. It holds all flows
/// that the request is about.
///
/// A switch that has flow monitors in OpenFlow 1.0 alone, as Open vSwitch up to 2.17, is asked in that version, if the
/// options allow it.
///
/// ```no_run
/// use ofp_codec::{client::{FlowWatch, Options, WatchEvent}, wire::MonitorRequest};
///
/// # async fn example() {
/// let remote = "unix:/run/openvswitch/br0.mgmt";
/// let mut watch = FlowWatch::new(remote, Options::default(), MonitorRequest::default());
/// loop {
///     match watch.next().await {
///         WatchEvent::Added(flow) => println!("+ {flow}"),
///         WatchEvent::Removed(flow) => println!("- {flow}"),
///         event => println!("{event:?}"),
///     }
/// }
/// # }
/// ```
#[derive(Debug)]
pub struct FlowWatch {
    remote: String,
    options: Options,
    request: MonitorRequest,
    /// The switch has no monitors in newer versions than OpenFlow 1.0.
    is_old: bool,
    /// The switch has refused: there is nothing to wait for.
    is_over: bool,
    live: Option<(Connection, Monitor)>,
    flows: BTreeMap<String, Flow>,
    /// The flows that were told since the connection was made; of interest until it is in sync.
    told: BTreeSet<String>,
    events: VecDeque<WatchEvent>,
    retry_at: Option<Instant>,
    backoff: Duration,
}

/// What changed.
#[derive(Debug)]
#[non_exhaustive]
pub enum WatchEvent {
    /// A flow came.
    Added(Flow),
    /// What a flow does changed, or its cookie.
    Modified(Flow),
    /// A flow went, as it was last known.
    Removed(Flow),
    /// The replica is what the switch has.
    InSync,
    /// The connection is lost, or was not made. Another attempt follows.
    Lost(Error),
    /// The switch refuses to tell, or cannot be asked: this is the last event, and no attempt follows. The flows that are known
    /// stay as they are.
    Refused(Error),
    /// An update that cannot be read: the replica lacks it.
    Bad(BadEntry),
}

impl FlowWatch {
    /// Watches the switch at `remote`, which need not be there yet.
    pub fn new(remote: &str, options: Options, request: MonitorRequest) -> Self {
        FlowWatch {
            remote: remote.into(),
            options,
            request,
            is_old: false,
            is_over: false,
            live: None,
            flows: BTreeMap::new(),
            told: BTreeSet::new(),
            events: VecDeque::new(),
            retry_at: None,
            backoff: MIN_BACKOFF,
        }
    }

    /// The flows, as far as they are known.
    pub fn flows(&self) -> impl Iterator<Item = &Flow> {
        self.flows.values()
    }

    /// Waits for the next change, for ever if need be, and so after [`WatchEvent::Refused`].
    pub async fn next(&mut self) -> WatchEvent {
        loop {
            if let Some(event) = self.events.pop_front() {
                return event;
            }
            if self.is_over {
                future::pending::<()>().await;
            }
            let step = match &mut self.live {
                Some((connection, monitor)) => monitor.next(connection).await,
                None => match self.connect().await {
                    Ok(()) => continue,
                    Err(error) => Err(error),
                },
            };
            match step {
                Ok(event) => self.apply(event),
                Err(Error::NoFlowMonitors { version, .. }) if self.can_ask_instead_of(version) => {
                    self.live = None;
                    self.is_old = true;
                }
                Err(error) if error.is_final() => {
                    self.live = None;
                    self.is_over = true;
                    return WatchEvent::Refused(error);
                }
                Err(error) => {
                    self.live = None;
                    // It may be another switch next time.
                    self.is_old = false;
                    self.retry_at = Some(Instant::now() + self.backoff);
                    self.backoff = (2 * self.backoff).min(MAX_BACKOFF);
                    return WatchEvent::Lost(error);
                }
            }
        }
    }

    async fn connect(&mut self) -> Result<(), Error> {
        if let Some(at) = self.retry_at {
            sleep_until(at).await;
        }
        let mut options = self.options.clone();
        if self.is_old {
            options.versions = Versions::up_to(Version::V1_0);
        }
        let mut connection = Connection::connect(&self.remote, options).await?;
        let monitor = Monitor::start(&mut connection, &self.request)?;
        self.told.clear();
        self.live = Some((connection, monitor));
        Ok(())
    }

    /// Whether OpenFlow 1.0 is left to ask in.
    fn can_ask_instead_of(&self, version: Version) -> bool {
        version > Version::V1_0 && self.options.versions.contains(Version::V1_0)
    }

    fn apply(&mut self, event: MonitorEvent) {
        match event {
            MonitorEvent::Update(
                FlowUpdate::Initial(flow) | FlowUpdate::Added(flow) | FlowUpdate::Modified(flow),
            ) => self.put(flow),
            MonitorEvent::Update(FlowUpdate::Removed { flow, .. }) => {
                let removed = self.flows.remove(&key(&flow));
                self.events.extend(removed.map(WatchEvent::Removed));
            }
            MonitorEvent::InSync => {
                let FlowWatch {
                    flows, told, events, ..
                } = self;
                flows.retain(|key, flow| {
                    let there = told.contains(key);
                    if !there {
                        events.push_back(WatchEvent::Removed(flow.clone()));
                    }
                    there
                });
                self.told.clear();
                self.events.push_back(WatchEvent::InSync);
                self.backoff = MIN_BACKOFF;
            }
            MonitorEvent::Bad(bad) => self.events.push_back(WatchEvent::Bad(bad)),
            // While updates are paused nothing is lost, and all changes come in full.
            MonitorEvent::Update(_) | MonitorEvent::Other(_) => {}
        }
    }

    /// The flow is as this.
    fn put(&mut self, flow: Flow) {
        let key = key(&flow);
        self.told.insert(key.clone());
        match self.flows.insert(key, flow.clone()) {
            Some(known) if known == flow => {}
            Some(_) => self.events.push_back(WatchEvent::Modified(flow)),
            None => self.events.push_back(WatchEvent::Added(flow)),
        }
    }
}

/// What tells a flow from others: table, priority and match.
fn key(flow: &Flow) -> String {
    format!("{} {} {}", flow.table, flow.priority, flow.matches)
}

const MIN_BACKOFF: Duration = Duration::from_millis(250);
const MAX_BACKOFF: Duration = Duration::from_secs(8);

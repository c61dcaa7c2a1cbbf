//! The recorded datagrams of `tests/vectors`.

use netlink_genl::exchange::{Event, Exchange};
use netlink_genl::message::{DecodeError, Flags, Message, Messages, Request};

/// What went over the socket, in its order.
pub(crate) struct Capture {
    text: &'static str,
    pub(crate) datagrams: Vec<Datagram>,
}

pub(crate) struct Datagram {
    pub(crate) from_kernel: bool,
    pub(crate) bytes: Vec<u8>,
    /// What another decoder made of it, a line a message.
    pub(crate) described: Vec<&'static str>,
}

macro_rules! capture {
    ($name:literal) => {
        $crate::capture::Capture::parse(include_str!(concat!("../vectors/", $name, ".txt")))
    };
}
pub(crate) use capture;

impl Capture {
    pub(crate) fn parse(text: &'static str) -> Self {
        let mut datagrams = vec![];
        let mut described = vec![];
        for line in text.lines() {
            if let Some(description) = line.strip_prefix("#   ") {
                described.push(description);
            } else if let [_, direction @ (">" | "<"), hex] = *line.split(' ').collect::<Vec<_>>() {
                datagrams.push(Datagram {
                    from_kernel: direction == "<",
                    bytes: unhex(hex),
                    described: std::mem::take(&mut described),
                });
            }
        }
        Self { text, datagrams }
    }

    /// What the command printed.
    pub(crate) fn output(&self) -> impl Iterator<Item = &'static str> {
        self.text.lines().filter_map(|line| line.strip_prefix("# out: "))
    }

    /// The number of a family when this was recorded.
    pub(crate) fn family(&self, name: &str) -> u16 {
        let (_, after) = self.text.split_once(&format!("{name}=0x")).unwrap();
        u16::from_str_radix(&after[..2], 16).unwrap()
    }

    /// Every request, each with an exchange that has begun it and all that came after it.
    pub(crate) fn conversations(&self) -> impl Iterator<Item = Conversation<'_>> {
        let requests = self.datagrams.iter().enumerate().filter(|(_, d)| !d.from_kernel);
        requests.map(|(at, sent)| {
            let after = &self.datagrams[at + 1..];
            let request = only_message(&sent.bytes);
            let port = match request.port() {
                0 => first_message(&after.iter().find(|d| d.from_kernel).unwrap().bytes).port(),
                port => port,
            };
            let (exchange, encoded) = begin(&request, port);
            assert_eq!(encoded[..12], sent.bytes[..12]);
            assert_eq!(encoded[16..], sent.bytes[16..]);
            Conversation {
                request,
                port,
                exchange,
                after,
            }
        })
    }

    /// The first conversation that dumps family `name`.
    pub(crate) fn dump(&self, name: &str) -> Conversation<'_> {
        let family = self.family(name);
        self.conversations()
            .find(|c| c.request.kind().0 == family && c.is_dump())
            .unwrap()
    }
}

pub(crate) struct Conversation<'a> {
    pub(crate) request: Message<'a>,
    pub(crate) port: u32,
    pub(crate) exchange: Exchange,
    pub(crate) after: &'a [Datagram],
}

impl<'a> Conversation<'a> {
    pub(crate) fn is_dump(&self) -> bool {
        self.request.flags().contains(Flags::DUMP)
    }

    /// The events up to the end of the answer.
    pub(crate) fn replay(&mut self) -> Vec<Result<Event<'a>, DecodeError>> {
        let mut events = vec![];
        for datagram in self.after.iter().filter(|d| d.from_kernel) {
            events.extend(self.exchange.datagram(0, &datagram.bytes).unwrap());
        }
        events
    }

    /// The descriptions of the messages that belong to the request.
    pub(crate) fn described(&self) -> Vec<&'static str> {
        let mine = format!("seq={} pid={}  ", self.request.seq(), self.port);
        let answers = self.after.iter().filter(|d| d.from_kernel);
        answers
            .flat_map(|d| &d.described)
            .filter_map(|line| Some(line.split_once(&mine)?.1))
            .collect()
    }
}

/// An exchange in which `request` is under way, and what it sent.
pub(crate) fn begin(request: &Message<'_>, port: u32) -> (Exchange, Vec<u8>) {
    let genl = request.genl().unwrap();
    let again = Request::genl(
        request.kind().0,
        genl.cmd(),
        genl.version(),
        &request.payload()[4..],
    )
    .with(request.flags());
    let mut exchange = Exchange::new(port, request.seq());
    let mut sent = vec![];
    exchange.begin(&again, &mut sent).unwrap();
    (exchange, sent)
}

pub(crate) fn first_message(datagram: &[u8]) -> Message<'_> {
    Messages::new(datagram).next().unwrap().unwrap()
}

pub(crate) fn only_message(datagram: &[u8]) -> Message<'_> {
    assert_eq!(Messages::new(datagram).count(), 1);
    first_message(datagram)
}

fn unhex(hex: &str) -> Vec<u8> {
    let byte = |at| u8::from_str_radix(&hex[at..at + 2], 16).unwrap();
    (0..hex.len()).step_by(2).map(byte).collect()
}

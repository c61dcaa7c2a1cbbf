//! Recorded sessions: the same messages however the stream is cut, and the text that Open vSwitch
//! prints of each.

use std::{collections::BTreeMap, fs, path::PathBuf, process::Command};

use ofp_codec::{
    Group, GroupStats, Meter, MeterStats,
    wire::{
        Description, EncodeError, Entries, Entry, Features, Frames, Hello, Message, MessageKind,
        MeterFeatures, MonitorRequest, PacketIn, PacketInFormat, PacketOut, PortDesc, PortStats, PortStatus,
        QueueStats, Received, RoleMessage, Session, SwitchConfig, Writer, print,
    },
};
use testbed::{or_skip, program};

use crate::random::Random;

/// What one side of a connection sent.
struct Stream {
    name: String,
    path: PathBuf,
    bytes: Vec<u8>,
}

fn streams() -> Vec<Stream> {
    let dir = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/vectors/sessions");
    let sessions = fs::read_dir(dir).unwrap().map(|entry| entry.unwrap().path());
    let files = sessions
        .filter(|path| path.is_dir())
        .flat_map(|session| fs::read_dir(session).unwrap().map(|entry| entry.unwrap().path()));
    let mut streams: Vec<Stream> = files
        .filter(|path| path.extension().is_some_and(|extension| extension == "bin"))
        .map(|path| Stream {
            name: path
                .strip_prefix(env!("CARGO_MANIFEST_DIR"))
                .unwrap()
                .display()
                .to_string(),
            bytes: fs::read(&path).unwrap(),
            path,
        })
        .collect();
    streams.sort_by(|a, b| a.path.cmp(&b.path));
    assert_eq!(streams.len(), 43);
    streams
}

/// The messages, when the stream arrives in these parts.
fn messages<'a>(parts: impl IntoIterator<Item = &'a [u8]>) -> Vec<Vec<u8>> {
    let mut frames = Frames::new();
    let mut messages = Vec::new();
    for part in parts {
        frames.push(part);
        while let Some(message) = frames.next().unwrap() {
            messages.push(message.to_vec());
        }
    }
    assert_eq!(frames.pending(), 0);
    messages
}

/// The messages of all the streams.
pub(crate) fn all_messages() -> Vec<Vec<u8>> {
    let streams = streams();
    streams
        .iter()
        .flat_map(|stream| messages([&stream.bytes[..]]))
        .collect()
}

/// The stream in parts, cut at these positions.
fn parts<'a>(bytes: &'a [u8], cuts: &[usize]) -> Vec<&'a [u8]> {
    let starts = [0].into_iter().chain(cuts.iter().copied());
    let ends = cuts.iter().copied().chain([bytes.len()]);
    starts.zip(ends).map(|(start, end)| &bytes[start..end]).collect()
}

#[test]
fn a_stream_gives_the_same_messages_however_it_is_cut() {
    let mut random = Random::seeded(0x5e55_1045);
    let mut all = 0;
    for stream in streams() {
        let whole = messages([&stream.bytes[..]]);
        assert_eq!(whole.concat(), stream.bytes, "{}", stream.name);
        all += whole.len();
        assert_eq!(messages(stream.bytes.chunks(1)), whole, "{}", stream.name);
        // A thousand cuts at once, and one at a time.
        let mut cuts: Vec<usize> = (0..1000).map(|_| random.below(stream.bytes.len() + 1)).collect();
        for &cut in &cuts[..100] {
            assert_eq!(
                messages(parts(&stream.bytes, &[cut])),
                whole,
                "{} at {cut}",
                stream.name
            );
        }
        cuts.sort_unstable();
        assert_eq!(messages(parts(&stream.bytes, &cuts)), whole, "{}", stream.name);
    }
    assert_eq!(all, MESSAGES);
}

#[test]
fn a_session_agrees_with_the_switch_and_gives_all_but_its_own_business() {
    for stream in streams().iter().filter(|stream| stream.name.ends_with("s2c.bin")) {
        let whole = messages([&stream.bytes[..]]);
        let client = fs::read(stream.path.to_str().unwrap().replace("s2c", "c2s")).unwrap();
        let ours = Hello::decode(&Message::parse(&messages([&client[..]])[0]).unwrap()).versions;
        for step in [1, 1000, stream.bytes.len()] {
            let mut session = Session::new(ours);
            let mut given = Vec::new();
            for part in stream.bytes.chunks(step) {
                session.receive(part);
                while let Some(received) = session.next().unwrap() {
                    assert!(matches!(received, Received::Message(_)), "{}", stream.name);
                    given.push(received.bytes().to_vec());
                }
            }
            assert_eq!(session.version(), ours.newest(), "{}", stream.name);
            // All but the hello.
            assert_eq!(given, whole[1..], "{}", stream.name);
        }
    }
}

#[test]
fn every_message_prints_as_open_vswitch_prints_it() {
    let Some(ofctl) = or_skip(program("ovs-ofctl")) else {
        return;
    };
    let mut compared = 0;
    for stream in streams() {
        let parse = Command::new(&ofctl)
            .arg("ofp-parse")
            .arg(&stream.path)
            .output()
            .unwrap();
        let text = String::from_utf8(parse.stdout).unwrap();
        let wanted = split(&text);
        let messages = messages([&stream.bytes[..]]);
        assert_eq!(messages.len(), wanted.len(), "{}", stream.name);
        for (bytes, wanted) in messages.iter().zip(wanted) {
            let message = Message::parse(bytes).unwrap();
            let text = format!("{message}\n");
            for (got, wanted) in text.lines().zip(wanted.lines()) {
                assert_eq!(got, wanted, "{}", stream.name);
            }
            assert_eq!(text.len(), wanted.len(), "{}", stream.name);
            compared += 1;
        }
    }
    assert_eq!(compared, MESSAGES);
}

#[test]
fn messages_are_written_as_open_vswitch_wrote_them() {
    let mut kinds = BTreeMap::new();
    for stream in streams() {
        for bytes in messages([&stream.bytes[..]]) {
            let message = Message::parse(&bytes).unwrap();
            if let Some(body) = written(&message) {
                assert_eq!(body, message.body().rest(), "{} {message}", stream.name);
                *kinds.entry(message.kind().unwrap()).or_insert(0) += 1;
            }
        }
    }
    assert_eq!(kinds, BTreeMap::from(WRITTEN));
}

/// The body of a message as it is written after it was read; nothing for other kinds.
pub(crate) fn written(message: &Message<'_>) -> Option<Vec<u8>> {
    use MessageKind as Kind;
    let version = message.header().version;
    let mut out = Vec::new();
    let writer = &mut Writer::new(&mut out);
    let done = match message.kind()? {
        Kind::PacketIn => return packet_in(message, PacketInFormat::Standard),
        Kind::PacketIn2 => return packet_in(message, PacketInFormat::Nicira2),
        Kind::PacketOut => PacketOut::decode(message).unwrap().encode(version, writer),
        Kind::FlowMonitorRequest => {
            let request = MonitorRequest::decode(&mut message.body(), version).unwrap();
            request.encode(version, writer)
        }
        Kind::FeaturesReply => Features::decode(message).unwrap().encode(writer),
        Kind::GetConfigReply => {
            SwitchConfig::decode(message).unwrap().encode(writer);
            Ok(())
        }
        Kind::DescReply => Description::decode(message).unwrap().encode(writer),
        Kind::PortStatus => PortStatus::decode(message).unwrap().encode(version, writer),
        Kind::PortDescReply => each::<PortDesc>(message, |port| port.encode(version, writer)),
        Kind::PortReply => each::<PortStats>(message, |stats| stats.encode(version, writer)),
        Kind::QueueReply => each::<QueueStats>(message, |stats| stats.encode(version, writer)),
        Kind::GroupDescReply => each::<Group>(message, |group| group.encode(version, writer)),
        Kind::GroupReply => each::<GroupStats>(message, |stats| stats.encode(version, writer)),
        Kind::MeterConfigReply => each::<Meter>(message, |meter| meter.encode(writer)),
        Kind::MeterReply => each::<MeterStats>(message, |stats| stats.encode(writer)),
        Kind::MeterFeaturesReply => {
            MeterFeatures::decode(message).unwrap().encode(writer);
            Ok(())
        }
        Kind::RoleRequest | Kind::RoleReply => RoleMessage::decode(message).unwrap().encode(version, writer),
        _ => return None,
    };
    done.unwrap();
    Some(out)
}

fn each<'a, T: Entry<'a>>(
    message: &Message<'a>,
    mut encode: impl FnMut(T) -> Result<(), EncodeError>,
) -> Result<(), EncodeError> {
    Entries::<T>::of(message).try_for_each(|entry| encode(entry.unwrap()))
}

fn packet_in(message: &Message<'_>, format: PacketInFormat) -> Option<Vec<u8>> {
    let packet = PacketIn::decode(message).unwrap();
    assert!(packet.other.is_empty());
    let mut out = Vec::new();
    let header = message.header();
    packet
        .encode(format, header.version, header.xid, &mut out)
        .unwrap();
    Some(Message::parse(&out).unwrap().body().rest().to_vec())
}

#[test]
fn corrupted_messages_end_in_text_and_never_cost_the_next_message() {
    let mut random = Random::seeded(0xc044_0917);
    let streams = streams();
    let messages: Vec<Vec<u8>> = streams
        .iter()
        .flat_map(|stream| messages([&stream.bytes[..]]))
        .filter(|message| message.len() < 2000)
        .collect();
    let next = [4, 21, 0, 8, 0, 0, 0, 9];
    for _ in 0..20_000 {
        let mut bytes = random.pick(&messages).clone();
        for _ in 0..=random.below(4) {
            let at = random.below(bytes.len());
            bytes[at] = u8::try_from(random.below(256)).unwrap();
        }
        // The text names what is wrong, if something is.
        assert!(!print(&bytes).is_empty());
        // With its length as it is the message after it is found, whatever is in it.
        let len = u16::try_from(bytes.len()).unwrap().to_be_bytes();
        bytes[2..4].copy_from_slice(&len);
        let mut frames = Frames::new();
        frames.push(&bytes);
        frames.push(&next);
        assert_eq!(frames.next().unwrap(), Some(&bytes[..]));
        assert_eq!(frames.next().unwrap(), Some(&next[..]));
    }
}

/// Cuts what `ofp-parse` printed into messages: each begins with a line that has its number.
fn split(text: &str) -> Vec<String> {
    let mut messages: Vec<String> = Vec::new();
    for line in text.split_inclusive('\n') {
        let name = line.split(' ').next().unwrap_or_default();
        let first = line.contains("(xid=0x") && name.starts_with(['O', 'N']) && name.contains("T_");
        match messages.last_mut() {
            Some(message) if !first => message.push_str(line),
            _ => messages.push(line.to_owned()),
        }
    }
    messages
}

const MESSAGES: usize = 147;
const WRITTEN: [(MessageKind, usize); 12] = [
    (MessageKind::FeaturesReply, 1),
    (MessageKind::GetConfigReply, 3),
    (MessageKind::PacketIn, 1),
    (MessageKind::PacketIn2, 2),
    (MessageKind::PortStatus, 8),
    (MessageKind::PacketOut, 1),
    (MessageKind::DescReply, 2),
    (MessageKind::PortReply, 2),
    (MessageKind::GroupDescReply, 1),
    (MessageKind::MeterConfigReply, 1),
    (MessageKind::PortDescReply, 3),
    (MessageKind::FlowMonitorRequest, 3),
];

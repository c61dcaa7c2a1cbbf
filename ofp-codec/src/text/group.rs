//! The dumps of groups and meters: `dump-groups`, `dump-group-stats`, `dump-meters`, `meter-stats`.

use crate::{
    model::{
        action::Action,
        field::Field,
        group::{Bucket, BucketId, BucketStats, Group, GroupStats, GroupType, Selection, SelectionField},
        meter::{BandStats, BandType, Meter, MeterBand, MeterFlags, MeterId, MeterStats},
    },
    text::{
        action::{Argument, Entry, action, entries},
        error::{Fault, ParseError, Place},
        lex,
        value::Token,
    },
};

/// The groups of a dump of `ovs-ofctl dump-groups`. A line that is not understood is an error, and the
/// next one is read.
///
/// ```
/// use ofp_codec::text::groups;
///
/// let dump = b"OFPST_GROUP_DESC reply (OF1.3) (xid=0x2):\n group_id=5,type=ff,bucket=watch_port:1,actions=output:1\n";
/// let groups = groups(dump).collect::<Result<Vec<_>, _>>()?;
/// assert_eq!(groups[0].buckets[0].actions.len(), 1);
/// assert_eq!(groups[0].to_string(), "group_id=5,type=ff,bucket=watch_port:1,actions=output:1");
/// # Ok::<(), ofp_codec::text::ParseError>(())
/// ```
pub fn groups(dump: &[u8]) -> impl Iterator<Item = Result<Group, ParseError>> {
    lines(dump).map(|(place, line)| parse(place, line, group))
}

/// The statistics of a dump of `ovs-ofctl dump-group-stats`, as [`groups`] gives groups.
pub fn group_stats(dump: &[u8]) -> impl Iterator<Item = Result<GroupStats, ParseError>> {
    lines(dump).map(|(place, line)| parse(place, line, group_line_stats))
}

/// The meters of a dump of `ovs-ofctl dump-meters`, as [`groups`] gives groups. An error costs the
/// meter and its bands.
///
/// ```
/// use ofp_codec::text::meters;
///
/// let dump = b"OFPST_METER_CONFIG reply (OF1.3) (xid=0x2):\nmeter=7 kbps bands=\ntype=drop rate=10\n";
/// let meters = meters(dump).collect::<Result<Vec<_>, _>>()?;
/// assert_eq!(meters[0].bands[0].rate, 10);
/// # Ok::<(), ofp_codec::text::ParseError>(())
/// ```
pub fn meters(dump: &[u8]) -> impl Iterator<Item = Result<Meter, ParseError>> {
    blocks(dump, meter, |meter: &mut Meter, line| {
        meter.bands.push(band(line)?);
        Ok(())
    })
}

/// The statistics of a dump of `ovs-ofctl meter-stats`, as [`meters`] gives meters.
pub fn meter_stats(dump: &[u8]) -> impl Iterator<Item = Result<MeterStats, ParseError>> {
    blocks(dump, meter_line_stats, |stats: &mut MeterStats, line| {
        stats.bands.push(band_stats(line)?);
        Ok(())
    })
}

impl Group {
    /// A line of `dump-groups`, with or without the space in front.
    ///
    /// # Errors
    ///
    /// [`ParseError`] for what is not understood.
    pub fn parse(line: &[u8]) -> Result<Self, ParseError> {
        parse(Place::START, line, group)
    }
}

/// The lines that hold something, without the names of replies, and where they are.
fn lines(dump: &[u8]) -> impl Iterator<Item = (Place, &[u8])> {
    let mut here = Place::START;
    let lines = dump.split_inclusive(|byte| *byte == b'\n').map(move |line| {
        let place = here;
        here = here.after(line.len());
        (place, line.trim_ascii_end())
    });
    lines.filter(|(_, line)| {
        let reply = line.starts_with(b"OFPST_") || line.starts_with(b"NXST_");
        !reply && !line.trim_ascii_start().is_empty()
    })
}

fn parse<'a, T>(
    place: Place,
    line: &'a [u8],
    read: impl FnOnce(Token<'a>) -> Result<T, Fault>,
) -> Result<T, ParseError> {
    let token = Token { text: line, at: 0 }.trim();
    read(token).map_err(|Fault { span, kind }| place.error(line, span, kind))
}

/// Things of a line that begins with `meter`, and of lines of other parts.
fn blocks<'a, T>(
    dump: &'a [u8],
    first: fn(Token<'a>) -> Result<T, Fault>,
    other: fn(&mut T, Token<'a>) -> Result<(), Fault>,
) -> impl Iterator<Item = Result<T, ParseError>> {
    let mut lines = lines(dump).peekable();
    core::iter::from_fn(move || {
        let (place, line) = lines.next()?;
        let mut block = parse(place, line, first);
        let is_other = |(_, line): &(Place, &[u8])| !line.trim_ascii_start().starts_with(b"meter");
        while let Some((place, line)) = lines.next_if(is_other) {
            if let Ok(found) = &mut block {
                if let Err(error) = parse(place, line, |line| other(found, line)) {
                    block = Err(error);
                }
            }
        }
        Some(block)
    })
}

/// A key and its value.
fn pair<'a>(item: Token<'a>) -> Result<(&'a [u8], Token<'a>), Fault> {
    let entry = Entry::of(item);
    match entry.argument {
        Argument::Value(value) => Ok((entry.key, value)),
        _ => Err(item.expected("a key and its value")),
    }
}

fn group(line: Token<'_>) -> Result<Group, Fault> {
    group_of_bucket(line).map(|(group, _)| group)
}

/// The group, and the bucket that a command is about, if one is named.
fn group_of_bucket(line: Token<'_>) -> Result<(Group, Option<u32>), Fault> {
    let mut group = Group::new(0, GroupType::ALL);
    let mut method: Option<Selection> = None;
    let mut command_bucket = None;
    let mut seen = false;
    for item in entries(line) {
        let item = item?;
        let mut rest = item;
        if item.text.starts_with(b"bucket=") {
            rest = item.from(b"bucket=".len());
            group.buckets.push(Bucket {
                weight: group.kind.default_weight(),
                ..Bucket::default()
            });
        }
        if let Some(last) = group.buckets.last_mut() {
            bucket(last, rest)?;
            continue;
        }
        let (key, value) = pair(item)?;
        match key {
            b"command_bucket_id" => command_bucket = Some(bucket_id(value)?),
            b"group_id" => {
                group.id = match value.text {
                    b"all" => Group::ALL,
                    _ => value.u32()?,
                };
                seen = true;
            }
            b"type" => {
                group.kind = GroupType::from_word(value.text)
                    .ok_or_else(|| value.expected("`all`, `select`, `indirect` or `ff`"))?;
            }
            b"selection_method" => {
                method = Some(Selection {
                    method: value.str()?.into(),
                    param: 0,
                    fields: alloc::vec::Vec::new(),
                });
            }
            b"selection_method_param" | b"fields" => {
                let missing = || item.expected("`selection_method` before it");
                let selection = method.as_mut().ok_or_else(missing)?;
                match key {
                    b"fields" => {
                        let fields = entries(value).map(|field| selection_field(field?));
                        selection.fields = fields.collect::<Result<_, _>>()?;
                    }
                    _ => selection.param = value.u64()?,
                }
            }
            _ => return Err(item.expected("`group_id`, `type`, `selection_method`, `fields` or `bucket`")),
        }
    }
    if !seen {
        return Err(line.expected("`group_id`"));
    }
    group.selection = method;
    Ok((group, command_bucket))
}

/// Takes in an item of a bucket: a setting, or an action (`parse_bucket_str` in lib/ofp-group.c).
fn bucket(bucket: &mut Bucket, item: Token<'_>) -> Result<(), Fault> {
    let entry = Entry::of(item);
    let is = |word: &str| entry.key.eq_ignore_ascii_case(word.as_bytes());
    let mut list = item;
    match entry.argument {
        Argument::Value(value) if is("bucket_id") => bucket.id = Some(bucket_id(value)?),
        Argument::Value(value) if is("weight") => bucket.weight = value.u16()?,
        Argument::Value(value) if is("watch_port") => bucket.watch_port = Some(value.port()?),
        Argument::Value(value) if is("watch_group") => bucket.watch_group = Some(value.u32()?),
        Argument::Value(value) if is("actions") || is("action") => list = value,
        _ => {}
    }
    let is_setting = ["bucket_id", "weight", "watch_port", "watch_group"]
        .into_iter()
        .any(is);
    if is_setting || list.text.is_empty() {
        return Ok(());
    }
    match action(list)? {
        Action::Drop => {}
        action => bucket.actions.push(action),
    }
    Ok(())
}

/// The first of these words that the line begins with, and the rest; without a word, all of it. As Open vSwitch does,
/// a word is taken for the first one that it is the beginning of (`parse_ofp_group_mod_str__` in lib/ofp-group.c).
pub(crate) fn command<'a>(line: &'a [u8], words: &[&str]) -> (Option<usize>, &'a [u8]) {
    let line = line.trim_ascii_start();
    let end = line.iter().position(|byte| b", \t\r\n".contains(byte));
    let (word, rest) = line.split_at(end.unwrap_or(line.len()));
    let found = words.iter().position(|known| known.as_bytes().starts_with(word));
    match found.filter(|_| !word.is_empty()) {
        Some(found) => (Some(found), rest),
        None => (None, line),
    }
}

/// The line at this number of a file of commands, behind its command.
pub(crate) fn group_line(number: u64, line: &[u8]) -> Result<(Group, Option<u32>), ParseError> {
    parse(
        Place {
            line: number,
            offset: 0,
        },
        line,
        group_of_bucket,
    )
}

fn bucket_id(value: Token<'_>) -> Result<u32, Fault> {
    match value.text {
        b"first" => Ok(BucketId::FIRST),
        b"last" => Ok(BucketId::LAST),
        b"all" => Ok(BucketId::ALL),
        _ => value.u32(),
    }
}

/// `ip_src`, `ip_src=255.255.0.0`.
fn selection_field(item: Token<'_>) -> Result<SelectionField, Fault> {
    let name = item.until(lex::word(item.text).len());
    let known = Field::from_name(name.str()?);
    let field = known.ok_or_else(|| name.expected("a field"))?;
    let bits = match item.from(name.text.len()).text {
        [] => None,
        [b'=', ..] => item.from(name.text.len() + 1).field_value(field)?.0.number(),
        _ => return Err(item.expected("a field and perhaps its bits")),
    };
    Ok(SelectionField { field, bits })
}

fn group_line_stats(line: Token<'_>) -> Result<GroupStats, Fault> {
    let mut stats = GroupStats::default();
    let mut seen = false;
    for item in entries(line) {
        let item = item?;
        let (key, mut value) = pair(item)?;
        let mut key = key;
        if let Some(number) = key.strip_prefix(b"bucket") {
            let number = lex::digits(10, number).and_then(|number| usize::try_from(number).ok());
            let number = number.filter(|number| (stats.buckets.len()..MAX_BUCKETS).contains(number));
            let number = number.ok_or_else(|| item.expected("a bucket after the last one"))?;
            // Of those between there are no counters.
            stats.buckets.resize(number + 1, BucketStats::default());
            (key, value) = pair(value)?;
        }
        let bucket = stats.buckets.last_mut();
        match (key, bucket) {
            (b"group_id", None) => {
                stats.id = value.u32()?;
                seen = true;
            }
            (b"duration", None) => stats.duration = Some(duration(value)?),
            (b"ref_count", None) => stats.ref_count = value.u32()?,
            (b"packet_count", None) => stats.n_packets = value.u64()?,
            (b"byte_count", None) => stats.n_bytes = value.u64()?,
            (b"packet_count", Some(bucket)) => bucket.n_packets = Some(value.u64()?),
            (b"byte_count", Some(bucket)) => bucket.n_bytes = Some(value.u64()?),
            _ => return Err(item.expected("a counter of a group or a bucket")),
        }
    }
    match seen {
        true => Ok(stats),
        false => Err(line.expected("`group_id`")),
    }
}

fn duration(value: Token<'_>) -> Result<core::time::Duration, Fault> {
    lex::duration(value.text).ok_or_else(|| value.expected("a duration in seconds"))
}

/// `meter=7 kbps burst bands=`
fn meter(line: Token<'_>) -> Result<Meter, Fault> {
    let (mut id, mut flags, mut bands) = (None, MeterFlags::default(), false);
    for item in entries(line) {
        let item = item?;
        let entry = Entry::of(item);
        match (entry.key, entry.argument) {
            (b"meter", Argument::Value(value)) => id = Some(meter_id(value)?),
            (b"bands", Argument::Value(_)) => bands = true,
            (b"flags", Argument::Value(value)) => flags.0 |= value.u16()?,
            (word, Argument::None) => {
                let flag = MeterFlags::from_word(word);
                flags.0 |= flag.ok_or_else(|| item.expected("a flag of a meter"))?.0;
            }
            _ => return Err(item.expected("`meter`, flags and `bands`")),
        }
    }
    match id {
        Some(id) if bands => Ok(Meter {
            id,
            flags,
            bands: alloc::vec::Vec::new(),
        }),
        _ => Err(line.expected("`meter` and `bands`")),
    }
}

fn meter_id(value: Token<'_>) -> Result<u32, Fault> {
    let known = MeterId::WORDS
        .iter()
        .find(|(word, _)| word.as_bytes() == value.text);
    known.map_or_else(|| value.u32(), |(_, id)| Ok(*id))
}

/// `type=drop rate=10 burst_size=20 prec_level=1`
fn band(line: Token<'_>) -> Result<MeterBand, Fault> {
    let mut band = MeterBand {
        kind: BandType(0),
        rate: 0,
        burst_size: 0,
        prec_level: 0,
    };
    for item in entries(line) {
        let item = item?;
        let (key, value) = pair(item)?;
        match key {
            b"type" => {
                band.kind = match BandType::from_word(value.text) {
                    Some(kind) => kind,
                    None => BandType(value.u16()?),
                };
            }
            b"rate" => band.rate = value.u32()?,
            b"burst_size" => band.burst_size = value.u32()?,
            b"prec_level" => band.prec_level = value.u8()?,
            _ => return Err(item.expected("`type`, `rate`, `burst_size` or `prec_level`")),
        }
    }
    Ok(band)
}

/// `meter:7 flow_count:0 packet_in_count:0 byte_in_count:0 duration:0.5s bands:`
fn meter_line_stats(line: Token<'_>) -> Result<MeterStats, Fault> {
    let mut stats = MeterStats::default();
    let mut seen = false;
    for item in entries(line) {
        let item = item?;
        let (key, value) = pair(item)?;
        match key {
            b"meter" => {
                stats.id = meter_id(value)?;
                seen = true;
            }
            b"flow_count" => stats.flow_count = value.u32()?,
            b"packet_in_count" => stats.packet_in_count = value.u64()?,
            b"byte_in_count" => stats.byte_in_count = value.u64()?,
            b"duration" => stats.duration = duration(value)?,
            b"bands" => {}
            _ => return Err(item.expected("a counter of a meter")),
        }
    }
    match seen {
        true => Ok(stats),
        false => Err(line.expected("`meter`")),
    }
}

/// `0: packet_count:0 byte_count:0`
fn band_stats(line: Token<'_>) -> Result<BandStats, Fault> {
    let mut stats = BandStats::default();
    for item in entries(line).skip(1) {
        let item = item?;
        let (key, value) = pair(item)?;
        match key {
            b"packet_count" => stats.n_packets = value.u64()?,
            b"byte_count" => stats.n_bytes = value.u64()?,
            _ => return Err(item.expected("a counter of a band")),
        }
    }
    Ok(stats)
}

/// More buckets than a message has room for.
const MAX_BUCKETS: usize = 4096;

//! The cookie of `userspace(..)`: why a packet goes to ovs-vswitchd.

use core::fmt;

use crate::key::format::Alt;
use crate::text::ParseError;
use crate::text::lex::Lexer;
use crate::text::print::Printer;

/// Why a packet goes to ovs-vswitchd: `struct user_action_cookie`, 48 bytes, words in host byte order unless said.
///
/// The first 24 bytes are common (type, OpenFlow input port, UUID of the bridge) and are not shown in text.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Cookie {
    /// A sample for sFlow.
    Sflow {
        /// The tag of the packet.
        vlan_tci: u16,
        /// What sFlow calls the output.
        output: u32,
    },
    /// The kernel cannot do what the flow asks for.
    SlowPath {
        /// Bits of [`SLOW_PATH_REASONS`].
        reason: u32,
    },
    /// A sample for the `sample` action of OpenFlow.
    FlowSample {
        /// Of 65535 packets.
        probability: u16,
        /// Where samples are collected.
        collector_set_id: u32,
        /// The observation domain of IPFIX.
        obs_domain_id: u32,
        /// The observation point of IPFIX.
        obs_point_id: u32,
        /// The datapath port that the packet leaves by, or 4294967295.
        output_port: u32,
        /// 0 default, 1 ingress, 2 egress.
        direction: u32,
    },
    /// A sample for IPFIX.
    Ipfix {
        /// The datapath port that the packet leaves by, or 4294967295.
        output_port: u32,
    },
    /// A packet for an OpenFlow controller.
    Controller {
        /// `OFPR_*`.
        reason: u16,
        /// Do not send it after all.
        dont_send: bool,
        /// The controller may resume it.
        continuation: bool,
        /// The frozen state.
        recirc_id: u32,
        /// The cookie of the flow, in network byte order on the wire.
        rule_cookie: u64,
        /// Which controller.
        controller_id: u16,
        /// How many bytes of the packet.
        max_len: u16,
    },
}

/// Bits of `slow_path`, with the words of text (`SLOW_PATH_REASONS` of `lib/odp-util.h`).
pub const SLOW_PATH_REASONS: [(u32, &str); 7] = [
    (1, "cfm"),
    (2, "bfd"),
    (4, "lacp"),
    (8, "stp"),
    (16, "lldp"),
    (32, "action"),
    (64, "match"),
];

impl Cookie {
    pub(super) fn decode(bytes: &[u8; COOKIE_LEN]) -> Option<Self> {
        let byte = |at: usize| bytes[at];
        let half = |at: usize| u16::from_ne_bytes([bytes[at], bytes[at + 1]]);
        let word = |at: usize| u32::from_ne_bytes([bytes[at], bytes[at + 1], bytes[at + 2], bytes[at + 3]]);
        let be64 = |at: usize| {
            bytes[at..at + 8]
                .iter()
                .fold(0, |value, byte| value << 8 | u64::from(*byte))
        };
        Some(match half(0) {
            1 => Self::Sflow {
                vlan_tci: u16::from_be_bytes([byte(24), byte(25)]),
                output: word(28),
            },
            2 => Self::SlowPath { reason: word(28) },
            3 => Self::FlowSample {
                probability: half(24),
                collector_set_id: word(28),
                obs_domain_id: word(32),
                obs_point_id: word(36),
                output_port: word(40),
                direction: word(44),
            },
            4 => Self::Ipfix {
                output_port: word(24),
            },
            5 => Self::Controller {
                dont_send: byte(24) != 0,
                continuation: byte(25) != 0,
                reason: half(26),
                recirc_id: word(28),
                rule_cookie: be64(32),
                controller_id: half(40),
                max_len: half(42),
            },
            _ => return None,
        })
    }

    pub(super) fn encode(&self) -> [u8; COOKIE_LEN] {
        let mut bytes = [0; COOKIE_LEN];
        let mut put = |at: usize, value: &[u8]| bytes[at..at + value.len()].copy_from_slice(value);
        let kind: u16 = match *self {
            Self::Sflow { vlan_tci, output } => {
                put(24, &vlan_tci.to_be_bytes());
                put(28, &output.to_ne_bytes());
                1
            }
            Self::SlowPath { reason } => {
                put(28, &reason.to_ne_bytes());
                2
            }
            Self::FlowSample {
                probability,
                collector_set_id,
                obs_domain_id,
                obs_point_id,
                output_port,
                direction,
            } => {
                put(24, &probability.to_ne_bytes());
                let words = [
                    collector_set_id,
                    obs_domain_id,
                    obs_point_id,
                    output_port,
                    direction,
                ];
                for (at, value) in (28..).step_by(4).zip(words) {
                    put(at, &value.to_ne_bytes());
                }
                3
            }
            Self::Ipfix { output_port } => {
                put(24, &output_port.to_ne_bytes());
                4
            }
            Self::Controller {
                reason,
                dont_send,
                continuation,
                recirc_id,
                rule_cookie,
                controller_id,
                max_len,
            } => {
                put(24, &[u8::from(dont_send), u8::from(continuation)]);
                put(26, &reason.to_ne_bytes());
                put(28, &recirc_id.to_ne_bytes());
                put(32, &rule_cookie.to_be_bytes());
                put(40, &controller_id.to_ne_bytes());
                put(42, &max_len.to_ne_bytes());
                5
            }
        };
        put(0, &kind.to_ne_bytes());
        put(4, &OFPP_NONE.to_ne_bytes());
        bytes
    }

    pub(super) fn parse(name: &str, lexer: &mut Lexer<'_>) -> Option<Result<Self, ParseError>> {
        Some(match name {
            "sFlow" => parse_sflow(lexer),
            "slow_path" => parse_slow_path(lexer),
            "flow_sample" => parse_flow_sample(lexer),
            "ipfix" => fields(lexer, [("(output_port=", u64::from(u32::MAX), Lexer::port)]).and_then(
                |[output_port]| {
                    lexer.expect(")").map(|()| Self::Ipfix {
                        output_port: word(output_port),
                    })
                },
            ),
            "controller" => parse_controller(lexer),
            _ => return None,
        })
    }
}

/// As it stands inside `userspace(..)`.
impl fmt::Display for Cookie {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        Printer::print(f, |f| self.print(f))
    }
}

impl Cookie {
    pub(super) fn print(&self, f: &mut Printer<'_>) -> fmt::Result {
        match *self {
            Self::Sflow { vlan_tci, output } => {
                write!(
                    f,
                    "sFlow(vid={},pcp={},output={output})",
                    vlan_tci & 0xfff,
                    vlan_tci >> 13
                )
            }
            Self::SlowPath { reason } => {
                f.write_str("slow_path")?;
                let mut before = "(";
                let mut rest = reason;
                for (bit, name) in SLOW_PATH_REASONS.iter().filter(|(bit, _)| reason & bit != 0) {
                    write!(f, "{before}{name}")?;
                    before = ",";
                    rest &= !bit;
                }
                match (rest, before) {
                    (0, ",") => f.write_str(")"),
                    (0, _) => f.write_str("(0)"),
                    (rest, before) => write!(f, "{before}{rest:#x})"),
                }
            }
            Self::FlowSample {
                probability,
                collector_set_id,
                obs_domain_id,
                obs_point_id,
                output_port,
                direction,
            } => {
                write!(
                    f,
                    "flow_sample(probability={probability},collector_set_id={collector_set_id},\
                     obs_domain_id={obs_domain_id},obs_point_id={obs_point_id},output_port="
                )?;
                f.port(output_port)?;
                f.write_str(match direction {
                    1 => ",ingress)",
                    2 => ",egress)",
                    _ => ")",
                })
            }
            Self::Ipfix { output_port } => {
                f.write_str("ipfix(output_port=")?;
                f.port(output_port)?;
                f.write_str(")")
            }
            Self::Controller {
                reason,
                dont_send,
                continuation,
                recirc_id,
                rule_cookie,
                controller_id,
                max_len,
            } => {
                write!(
                    f,
                    "controller(reason={reason},dont_send={},continuation={},recirc_id={recirc_id},rule_cookie={},\
                     controller_id={controller_id},max_len={max_len})",
                    u8::from(dont_send),
                    u8::from(continuation),
                    Alt(rule_cookie.into()),
                )
            }
        }
    }
}

fn parse_sflow(lexer: &mut Lexer<'_>) -> Result<Cookie, ParseError> {
    let [vid, pcp, output] = fields(
        lexer,
        [
            ("(vid=", 0xfff, Lexer::number),
            (",pcp=", 7, Lexer::number),
            (",output=", u64::from(u32::MAX), Lexer::number),
        ],
    )?;
    lexer.expect(")")?;
    let tci = half(pcp << 13 | vid);
    // A tag that is all zeros is no tag.
    Ok(Cookie::Sflow {
        vlan_tci: if tci == 0 { 0 } else { tci | 0x1000 },
        output: word(output),
    })
}

/// Words or bits, separated by the `,` that is printed or the `|` that Open vSwitch reads.
fn parse_slow_path(lexer: &mut Lexer<'_>) -> Result<Cookie, ParseError> {
    lexer.expect("(")?;
    let mut reason = 0;
    while !lexer.eat(")") {
        let start = *lexer;
        reason |= if lexer.at_digit() {
            word(lexer.number(u64::from(u32::MAX))?)
        } else {
            let name = lexer.word("a reason")?;
            let known = SLOW_PATH_REASONS.iter().find(|(_, reason)| *reason == name);
            known.ok_or_else(|| start.expected("a reason"))?.0
        };
        if !lexer.eat(",") && !lexer.eat("|") {
            lexer.expect(")")?;
            break;
        }
    }
    Ok(Cookie::SlowPath { reason })
}

fn parse_flow_sample(lexer: &mut Lexer<'_>) -> Result<Cookie, ParseError> {
    let [
        probability,
        collector_set_id,
        obs_domain_id,
        obs_point_id,
        output_port,
    ] = fields(
        lexer,
        [
            ("(probability=", 0xffff, Lexer::number),
            (",collector_set_id=", u64::from(u32::MAX), Lexer::number),
            (",obs_domain_id=", u64::from(u32::MAX), Lexer::number),
            (",obs_point_id=", u64::from(u32::MAX), Lexer::number),
            (",output_port=", u64::from(u32::MAX), Lexer::port),
        ],
    )?;
    let direction = if lexer.eat(",ingress") {
        1
    } else {
        2 * u32::from(lexer.eat(",egress"))
    };
    lexer.expect(")")?;
    Ok(Cookie::FlowSample {
        probability: half(probability),
        collector_set_id: word(collector_set_id),
        obs_domain_id: word(obs_domain_id),
        obs_point_id: word(obs_point_id),
        output_port: word(output_port),
        direction,
    })
}

fn parse_controller(lexer: &mut Lexer<'_>) -> Result<Cookie, ParseError> {
    let [
        reason,
        dont_send,
        continuation,
        recirc_id,
        rule_cookie,
        controller_id,
        max_len,
    ] = fields(
        lexer,
        [
            ("(reason=", 0xffff, Lexer::decimal),
            (",dont_send=", 0xff, Lexer::decimal),
            (",continuation=", 0xff, Lexer::decimal),
            (",recirc_id=", u64::from(u32::MAX), Lexer::decimal),
            (",rule_cookie=", u64::MAX, Lexer::hex),
            (",controller_id=", 0xffff, Lexer::decimal),
            (",max_len=", 0xffff, Lexer::decimal),
        ],
    )?;
    lexer.expect(")")?;
    Ok(Cookie::Controller {
        reason: half(reason),
        dont_send: dont_send != 0,
        continuation: continuation != 0,
        recirc_id: word(recirc_id),
        rule_cookie,
        controller_id: half(controller_id),
        max_len: half(max_len),
    })
}

type Field<'a> = (
    &'static str,
    u64,
    fn(&mut Lexer<'a>, u64) -> Result<u64, ParseError>,
);

/// Numbers behind their names, each up to its limit.
fn fields<'a, const N: usize>(lexer: &mut Lexer<'a>, fields: [Field<'a>; N]) -> Result<[u64; N], ParseError> {
    let mut values = [0; N];
    for (value, (name, limit, read)) in values.iter_mut().zip(fields) {
        lexer.expect(name)?;
        *value = read(lexer, limit)?;
    }
    Ok(values)
}

/// A number that was read with a limit that fits.
fn word(number: u64) -> u32 {
    u32::try_from(number).unwrap_or(u32::MAX)
}

/// A number that was read with a limit that fits.
fn half(number: u64) -> u16 {
    u16::try_from(number).unwrap_or(u16::MAX)
}

/// `sizeof(struct user_action_cookie)` since Open vSwitch 2.9.
pub(super) const COOKIE_LEN: usize = 48;
/// `OFPP_NONE`, as a 32-bit number.
const OFPP_NONE: u32 = 0xffff;

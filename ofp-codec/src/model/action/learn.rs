//! Flows that flows make.

use alloc::vec::Vec;
use core::fmt;

#[cfg(feature = "serde")]
use crate::model::json;
use crate::model::{
    field::Field,
    flow::DEFAULT_PRIORITY,
    matches::Value,
    port::TableRef,
    print::{self, Hex},
    subfield::Subfield,
};

/// The arguments of `learn(table=10,idle_timeout=300,NXM_OF_ETH_DST[]=NXM_OF_ETH_SRC[],output:NXM_OF_IN_PORT[])`:
/// the flow that a packet makes.
#[derive(Clone, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct Learn {
    /// The table that the flow goes to.
    pub table: TableRef,
    /// Its idle timeout in seconds; 0: never.
    pub idle_timeout: u16,
    /// Its hard timeout in seconds; 0: never.
    pub hard_timeout: u16,
    /// Its idle timeout after a TCP FIN or RST; 0: no change.
    pub fin_idle_timeout: u16,
    /// Its hard timeout after a TCP FIN or RST; 0: no change.
    pub fin_hard_timeout: u16,
    /// Its priority.
    pub priority: u16,
    /// Its flag of that name.
    pub send_flow_rem: bool,
    /// Delete the learned flows with the flow that has this action.
    pub delete_learned: bool,
    /// Its cookie.
    #[cfg_attr(
        feature = "serde",
        serde(serialize_with = "json::hex", deserialize_with = "crate::text::json::number")
    )]
    pub cookie: u64,
    /// How many flows may be learned; 0: any number.
    pub limit: u32,
    /// A bit that becomes 1 if the flow is there, 0 if the limit kept it out.
    pub result_dst: Option<Subfield>,
    /// What it matches and does, in order.
    pub specs: Vec<LearnSpec>,
}

/// One part of a learned flow.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[cfg_attr(feature = "serde", serde(rename_all = "snake_case"))]
pub enum LearnSpec {
    /// `eth_type=0x800`: match a whole field.
    #[cfg_attr(
        feature = "serde",
        serde(
            serialize_with = "json::whole_field",
            deserialize_with = "crate::text::json::whole_field"
        )
    )]
    MatchField {
        /// The field.
        field: Field,
        /// Its value.
        value: Value,
    },
    /// `NXM_OF_VLAN_TCI[0..11]=0x5`: match some bits.
    MatchNumber {
        /// The bits.
        dst: Subfield,
        /// Their value.
        #[cfg_attr(
            feature = "serde",
            serde(serialize_with = "json::hex", deserialize_with = "crate::text::json::number")
        )]
        value: u128,
    },
    /// `NXM_OF_ETH_DST[]=NXM_OF_ETH_SRC[]`, `NXM_OF_VLAN_TCI[0..11]`: match bits that the packet
    /// has, the same ones if there is no `src`.
    MatchPacket {
        /// The bits that the flow matches.
        dst: Subfield,
        /// The bits of the packet.
        src: Option<Subfield>,
    },
    /// `load:0x5->NXM_NX_REG0[0..15]`: set bits.
    LoadNumber {
        /// The value.
        #[cfg_attr(
            feature = "serde",
            serde(serialize_with = "json::hex", deserialize_with = "crate::text::json::number")
        )]
        value: u128,
        /// The bits that the flow sets.
        dst: Subfield,
    },
    /// `load:NXM_OF_IN_PORT[]->NXM_NX_REG0[0..15]`: set bits to those of the packet.
    LoadPacket {
        /// The bits of the packet.
        src: Subfield,
        /// The bits that the flow sets.
        dst: Subfield,
    },
    /// `output:NXM_OF_IN_PORT[]`: send to the port in these bits of the packet.
    Output(Subfield),
}

impl Default for Learn {
    /// A flow of table 1 at the default priority (`learn_parse__` in lib/learn.c).
    fn default() -> Self {
        Learn {
            table: TableRef::Number(1),
            idle_timeout: 0,
            hard_timeout: 0,
            fin_idle_timeout: 0,
            fin_hard_timeout: 0,
            priority: DEFAULT_PRIORITY,
            send_flow_rem: false,
            delete_learned: false,
            cookie: 0,
            limit: 0,
            result_dst: None,
            specs: Vec::new(),
        }
    }
}

impl fmt::Display for Learn {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "learn(table={}", self.table)?;
        for (key, number) in [
            ("idle_timeout", self.idle_timeout),
            ("hard_timeout", self.hard_timeout),
            ("fin_idle_timeout", self.fin_idle_timeout),
            ("fin_hard_timeout", self.fin_hard_timeout),
        ] {
            if number != 0 {
                write!(f, ",{key}={number}")?;
            }
        }
        if self.priority != DEFAULT_PRIORITY {
            write!(f, ",priority={}", self.priority)?;
        }
        if self.send_flow_rem {
            f.write_str(",send_flow_rem")?;
        }
        if self.delete_learned {
            f.write_str(",delete_learned")?;
        }
        if self.cookie != 0 {
            write!(f, ",cookie={:#x}", self.cookie)?;
        }
        if self.limit != 0 {
            write!(f, ",limit={}", self.limit)?;
        }
        if let Some(dst) = &self.result_dst {
            write!(f, ",result_dst={dst}")?;
        }
        for spec in &self.specs {
            write!(f, ",{spec}")?;
        }
        f.write_str(")")
    }
}

impl fmt::Display for LearnSpec {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            LearnSpec::MatchField { field, value } => {
                write!(f, "{field}=")?;
                print::value(f, *field, value, None, print::Place::SetField)
            }
            LearnSpec::MatchNumber { dst, value } => write!(f, "{dst}={}", Hex(*value)),
            LearnSpec::MatchPacket { dst, src: None } => dst.fmt(f),
            LearnSpec::MatchPacket { dst, src: Some(src) } => write!(f, "{dst}={src}"),
            LearnSpec::LoadNumber { value, dst } => write!(f, "load:{}->{dst}", Hex(*value)),
            LearnSpec::LoadPacket { src, dst } => write!(f, "load:{src}->{dst}"),
            LearnSpec::Output(src) => write!(f, "output:{src}"),
        }
    }
}

//! What is wrong with a flow that reads well.
//!
//! Open vSwitch refuses some flows, and of others it silently ignores a part: `nw_src=10.0.0.1`
//! without `ip` matches every packet. [`problems`] names both, and what a dump prints that `add-flow`
//! would not read. [`line_problems`] names keys that a line has twice and a typed flow once,
//! [`table_problems`] what is wrong with flows together.
//!
//! ```
//! use ofp_codec::{Field, lint::{Problem, problems}, text::FlowRef};
//!
//! let flow = FlowRef::parse(b"nw_src=10.0.0.1,reg0=1,reg0=2 actions=load:1->ct_mark,output:1")?.to_flow()?;
//! let found = problems(&flow);
//! assert_eq!(found, [
//!     Problem::Repeated(Field::Reg0),
//!     Problem::Ignored(Field::IpSrc),
//!     Problem::OutsideCt(Field::CtMark),
//! ]);
//! assert_eq!(found[1].to_string(), "the match on nw_src is ignored: its prerequisite is not matched");
//! assert!(!found[1].is_refused() && found[2].is_refused());
//! # Ok::<(), ofp_codec::text::ParseError>(())
//! ```

mod line;
mod tables;

use alloc::vec::Vec;

use crate::model::{flow::Flow, validity};

pub use crate::{
    lint::{
        line::{LineProblem, line_problems},
        tables::{TableProblem, table_problems},
    },
    model::validity::Problem,
};

/// What is wrong with a flow: first with its match, then with its actions in their order.
pub fn problems(flow: &Flow) -> Vec<Problem> {
    validity::problems(flow)
}

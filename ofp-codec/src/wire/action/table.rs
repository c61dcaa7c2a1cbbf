//! The wire forms of actions, a row each (`enum ofp_raw_action_type` in lib/ofp-actions.c).

use crate::{
    model::{action::Action, addr::EthAddr, version::Version},
    wire::{
        action::{args::Args, learn, nested, nsh, output, select, set},
        error::DecodeError,
    },
};

/// A row of the table.
pub(super) struct Row {
    /// The name that Open vSwitch has for it.
    pub(super) name: &'static str,
    numbers: &'static [Number],
    len: Len,
    /// Reads what follows the header into its place in a list.
    pub(super) decode: fn(&mut Args<'_>, &mut Action) -> Result<(), DecodeError>,
}

/// The number of a form in some versions.
#[derive(Clone, Copy, Debug)]
pub(super) struct Number {
    pub(super) vendor: Vendor,
    /// The first and the last minor version of OpenFlow 1.
    first: u8,
    last: u8,
    /// The type, or the vendor's subtype.
    pub(super) number: u16,
}

/// Who numbers an action.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Vendor {
    OpenFlow,
    Nicira,
    Onf,
}

/// The length of a form in bytes.
enum Len {
    Exact(usize),
    /// This one, or longer by a multiple of 8.
    AtLeast(usize),
    /// That of a number of so many bytes behind the header.
    Number(usize),
}

impl Vendor {
    /// The vendor's number; 0 for OpenFlow's own actions.
    pub(super) fn id(self) -> u32 {
        match self {
            Vendor::OpenFlow => 0,
            Vendor::Nicira => 0x2320,
            Vendor::Onf => 0x4f4e_4600,
        }
    }

    /// How many bytes stand before what a form has of its own: type and length; with a vendor also
    /// its number and the subtype.
    pub(super) fn header_len(self) -> usize {
        match self {
            Vendor::OpenFlow => 4,
            Vendor::Nicira | Vendor::Onf => 10,
        }
    }
}

impl Number {
    fn is_in(self, version: Version) -> bool {
        (self.first + 1..=self.last + 1).contains(&version.0)
    }
}

impl Form {
    /// The form of a number in a version.
    #[inline]
    pub(super) fn find(vendor: u32, number: u16, version: Version) -> Option<(Form, Number)> {
        let minor = usize::from(version.0.checked_sub(1)?);
        let number = usize::from(number);
        *match vendor {
            0 => OPENFLOW.get(minor)?.get(number)?,
            0x2320 => NICIRA.get(minor)?.get(number)?,
            0x4f4e_4600 => ONF.get(minor)?.get(number.checked_sub(ONF_FIRST)?)?,
            _ => return None,
        }
    }

    pub(super) fn row(self) -> &'static Row {
        &ROWS[self as usize]
    }

    /// The number to write in a version. Vendors' actions are the same in all of them, as Open
    /// vSwitch writes them.
    pub(super) fn number(self, version: Version) -> Option<Number> {
        let numbers = self.row().numbers;
        let vendor = numbers.iter().find(|number| number.vendor != Vendor::OpenFlow);
        let exact = numbers.iter().find(|number| number.is_in(version));
        exact.or(vendor.filter(|_| numbers.len() == 1)).copied()
    }
}

impl Row {
    /// Whether an action of this form may have `len` bytes, and the least number that it may have.
    pub(super) fn check_len(&self, number: Number, len: usize) -> Result<(), usize> {
        let (least, longer) = match self.len {
            Len::Exact(len) => (len, false),
            Len::AtLeast(len) => (len, true),
            Len::Number(bytes) => {
                let at = number.vendor.header_len().next_multiple_of(bytes.max(1));
                ((at + bytes).next_multiple_of(8), false)
            }
        };
        let fits = len == least || longer && len > least && len % 8 == 0;
        if fits { Ok(()) } else { Err(least) }
    }
}

/// Makes [`Form`] and its table from rows `Form = name, [numbers], length, decoder;`.
///
/// A number is `(vendor, first minor version, last minor version, number)`. The length is `Exact`,
/// `AtLeast`, or that of a `Number` of so many bytes, see [`Len`].
///
/// `SetQueue = "OFPAT_SET_QUEUE", [(Nicira, 0, 0, 4), (OpenFlow, 1, 5, 21)], Number 4, |args| ..;` is
/// action 21 of OpenFlow 1.1 and later and Nicira's action 4 in OpenFlow 1.0, with an argument of 32
/// bits.
macro_rules! forms {
    ($($form:ident = $name:literal, [$(($vendor:ident, $first:literal, $last:literal, $number:literal)),+],
       $length:ident $len:literal, $decode:expr;)*) => {
        /// A wire form of an action.
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        pub(super) enum Form {
            $($form,)*
        }

        impl Form {
            pub(super) const ALL: &'static [Form] = &[$(Form::$form),*];
        }

        static ROWS: [Row; Form::ALL.len()] = [$(Row {
            name: $name,
            numbers: &[$(Number {
                vendor: Vendor::$vendor,
                first: $first,
                last: $last,
                number: $number,
            }),+],
            len: Len::$length($len),
            decode: |args, action| {
                let decode: fn(&mut Args<'_>) -> Result<Action, DecodeError> = $decode;
                *action = decode(args)?;
                Ok(())
            },
        }),*];
    };
}

forms! {
    Output10 = "OFPAT_OUTPUT", [(OpenFlow, 0, 0, 0)], Exact 8, output::output10;
    Output = "OFPAT_OUTPUT", [(OpenFlow, 1, 5, 0)], Exact 16, output::output;
    SetVlanVid10 = "OFPAT_SET_VLAN_VID", [(OpenFlow, 0, 0, 1)], Number 2, |args| args.u16_up_to(0xfff).map(Action::ModVlanVid);
    SetVlanPcp10 = "OFPAT_SET_VLAN_PCP", [(OpenFlow, 0, 0, 2)], Number 1, |args| args.u8_up_to(7).map(Action::ModVlanPcp);
    SetVlanVid = "OFPAT_SET_VLAN_VID", [(OpenFlow, 1, 5, 1)], Number 2, |args| args.u16_up_to(0xfff).map(Action::SetVlanVid);
    SetVlanPcp = "OFPAT_SET_VLAN_PCP", [(OpenFlow, 1, 5, 2)], Number 1, |args| args.u8_up_to(7).map(Action::SetVlanPcp);
    PushVlan = "OFPAT_PUSH_VLAN", [(OpenFlow, 1, 5, 17)], Number 2, |args| args.u16_of(&[0x8100, 0x88a8]).map(Action::PushVlan);
    StripVlan = "OFPAT_STRIP_VLAN", [(OpenFlow, 0, 0, 3)], Number 0, |_| Ok(Action::StripVlan);
    PopVlan = "OFPAT_POP_VLAN", [(OpenFlow, 1, 5, 18)], Number 0, |_| Ok(Action::PopVlan);
    SetDlSrc = "OFPAT_SET_DL_SRC", [(OpenFlow, 0, 0, 4), (OpenFlow, 1, 5, 3)], Exact 16, |args| args.array().map(EthAddr).map(Action::ModDlSrc);
    SetDlDst = "OFPAT_SET_DL_DST", [(OpenFlow, 0, 0, 5), (OpenFlow, 1, 5, 4)], Exact 16, |args| args.array().map(EthAddr).map(Action::ModDlDst);
    SetNwSrc = "OFPAT_SET_NW_SRC", [(OpenFlow, 0, 0, 6), (OpenFlow, 1, 5, 5)], Number 4, |args| args.u32().map(|addr| Action::ModNwSrc(addr.into()));
    SetNwDst = "OFPAT_SET_NW_DST", [(OpenFlow, 0, 0, 7), (OpenFlow, 1, 5, 6)], Number 4, |args| args.u32().map(|addr| Action::ModNwDst(addr.into()));
    SetNwTos = "OFPAT_SET_NW_TOS", [(OpenFlow, 0, 0, 8), (OpenFlow, 1, 5, 7)], Number 1, set::nw_tos;
    SetNwEcn = "OFPAT_SET_NW_ECN", [(OpenFlow, 1, 5, 8)], Number 1, |args| args.u8_up_to(3).map(Action::ModNwEcn);
    SetTpSrc = "OFPAT_SET_TP_SRC", [(OpenFlow, 0, 5, 9)], Number 2, |args| args.u16().map(Action::ModTpSrc);
    SetTpDst = "OFPAT_SET_TP_DST", [(OpenFlow, 0, 5, 10)], Number 2, |args| args.u16().map(Action::ModTpDst);
    Enqueue = "OFPAT_ENQUEUE", [(OpenFlow, 0, 0, 11)], Exact 16, output::enqueue;
    SetMplsLabel = "OFPAT_SET_MPLS_LABEL", [(Nicira, 0, 0, 30), (OpenFlow, 1, 5, 13)], Number 4, |args| args.u32().map(Action::SetMplsLabel);
    SetMplsTc = "OFPAT_SET_MPLS_TC", [(Nicira, 0, 0, 31), (OpenFlow, 1, 5, 14)], Number 1, |args| args.u8().map(Action::SetMplsTc);
    SetMplsTtl = "OFPAT_SET_MPLS_TTL", [(Nicira, 0, 0, 25), (OpenFlow, 1, 5, 15)], Number 1, |args| args.u8().map(Action::SetMplsTtl);
    DecMplsTtl = "OFPAT_DEC_MPLS_TTL", [(Nicira, 0, 0, 26), (OpenFlow, 1, 5, 16)], Number 0, |_| Ok(Action::DecMplsTtl);
    PushMpls = "OFPAT_PUSH_MPLS", [(Nicira, 0, 0, 23), (OpenFlow, 1, 5, 19)], Number 2, |args| args.u16_of(&[0x8847, 0x8848]).map(Action::PushMpls);
    PopMpls = "OFPAT_POP_MPLS", [(Nicira, 0, 0, 24), (OpenFlow, 1, 5, 20)], Number 2, |args| args.u16().map(Action::PopMpls);
    SetQueue = "OFPAT_SET_QUEUE", [(Nicira, 0, 0, 4), (OpenFlow, 1, 5, 21)], Number 4, |args| args.u32().map(Action::SetQueue);
    Group = "OFPAT_GROUP", [(Nicira, 0, 0, 40), (OpenFlow, 1, 5, 22)], Number 4, |args| args.u32().map(Action::Group);
    SetNwTtl = "OFPAT_SET_NW_TTL", [(OpenFlow, 1, 5, 23)], Number 1, |args| args.u8().map(Action::ModNwTtl);
    DecNwTtl = "OFPAT_DEC_NW_TTL", [(Nicira, 0, 0, 18), (OpenFlow, 1, 5, 24)], Number 0, |_| Ok(Action::DecTtl(None));
    DecTtlCntIds = "NXAST_DEC_TTL_CNT_IDS", [(Nicira, 0, 5, 21)], AtLeast 16, output::dec_ttl;
    SetField12 = "OFPAT_SET_FIELD", [(OpenFlow, 2, 4, 25)], AtLeast 8, set::set_field12;
    SetField = "OFPAT_SET_FIELD", [(OpenFlow, 5, 5, 25)], AtLeast 8, set::set_field;
    RegLoad = "NXAST_REG_LOAD", [(Nicira, 0, 4, 7)], Exact 24, set::reg_load;
    RegLoad2 = "NXAST_REG_LOAD2", [(Nicira, 0, 4, 33)], AtLeast 16, set::reg_load2;
    CopyField = "OFPAT_COPY_FIELD", [(OpenFlow, 5, 5, 28)], AtLeast 16, set::copy_field;
    CopyField13 = "ONFACT_COPY_FIELD", [(Onf, 3, 4, 3200)], AtLeast 24, set::copy_field13;
    RegMove = "NXAST_REG_MOVE", [(Nicira, 0, 4, 6)], AtLeast 16, set::reg_move;
    Meter = "OFPAT_METER", [(OpenFlow, 5, 5, 29)], Number 4, |args| args.u32().map(Action::Meter);
    Resubmit = "NXAST_RESUBMIT", [(Nicira, 0, 5, 1)], Number 2, output::resubmit;
    ResubmitTable = "NXAST_RESUBMIT_TABLE", [(Nicira, 0, 5, 14)], Exact 16, |args| output::resubmit_table(args, false);
    ResubmitTableCt = "NXAST_RESUBMIT_TABLE_CT", [(Nicira, 0, 5, 44)], Exact 16, |args| output::resubmit_table(args, true);
    SetTunnel = "NXAST_SET_TUNNEL", [(Nicira, 0, 5, 2)], Number 4, |args| args.u32().map(Action::SetTunnel);
    SetTunnel64 = "NXAST_SET_TUNNEL64", [(Nicira, 0, 5, 9)], Number 8, |args| args.u64().map(Action::SetTunnel64);
    PopQueue = "NXAST_POP_QUEUE", [(Nicira, 0, 5, 5)], Number 0, |_| Ok(Action::PopQueue);
    Note = "NXAST_NOTE", [(Nicira, 0, 5, 8)], AtLeast 16, |args| Ok(Action::Note(args.rest().into()));
    Multipath = "NXAST_MULTIPATH", [(Nicira, 0, 5, 10)], Exact 32, select::multipath;
    Bundle = "NXAST_BUNDLE", [(Nicira, 0, 5, 12)], AtLeast 32, |args| select::bundle(args, false);
    BundleLoad = "NXAST_BUNDLE_LOAD", [(Nicira, 0, 5, 13)], AtLeast 32, |args| select::bundle(args, true);
    OutputReg = "NXAST_OUTPUT_REG", [(Nicira, 0, 5, 15)], Exact 24, output::output_reg;
    OutputReg2 = "NXAST_OUTPUT_REG2", [(Nicira, 0, 5, 32)], Exact 24, output::output_reg2;
    Learn = "NXAST_LEARN", [(Nicira, 0, 5, 16)], AtLeast 32, learn::learn;
    Learn2 = "NXAST_LEARN2", [(Nicira, 0, 5, 45)], AtLeast 40, learn::learn2;
    Exit = "NXAST_EXIT", [(Nicira, 0, 5, 17)], Number 0, |_| Ok(Action::Exit);
    FinTimeout = "NXAST_FIN_TIMEOUT", [(Nicira, 0, 5, 19)], Exact 16, output::fin_timeout;
    Controller = "NXAST_CONTROLLER", [(Nicira, 0, 5, 20)], Exact 16, output::controller;
    Controller2 = "NXAST_CONTROLLER2", [(Nicira, 0, 5, 37)], AtLeast 16, output::controller2;
    WriteMetadata = "NXAST_WRITE_METADATA", [(Nicira, 0, 5, 22)], Exact 32, set::write_metadata;
    StackPush = "NXAST_STACK_PUSH", [(Nicira, 0, 5, 27)], Exact 24, set::stack_push;
    StackPop = "NXAST_STACK_POP", [(Nicira, 0, 5, 28)], Exact 24, set::stack_pop;
    Sample = "NXAST_SAMPLE", [(Nicira, 0, 5, 29)], Exact 24, select::sample;
    Sample2 = "NXAST_SAMPLE2", [(Nicira, 0, 5, 38)], Exact 32, select::sample2;
    Sample3 = "NXAST_SAMPLE3", [(Nicira, 0, 5, 41)], Exact 32, select::sample3;
    Sample4 = "NXAST_SAMPLE4", [(Nicira, 0, 5, 51)], Exact 40, select::sample4;
    Conjunction = "NXAST_CONJUNCTION", [(Nicira, 0, 5, 34)], Exact 16, select::conjunction;
    Ct = "NXAST_CT", [(Nicira, 0, 5, 35)], AtLeast 24, nested::ct;
    Nat = "NXAST_NAT", [(Nicira, 0, 5, 36)], AtLeast 16, nested::nat;
    OutputTrunc = "NXAST_OUTPUT_TRUNC", [(Nicira, 0, 5, 39)], Exact 16, output::output_trunc;
    Clone = "NXAST_CLONE", [(Nicira, 0, 5, 42)], AtLeast 16, nested::clone;
    CtClear = "NXAST_CT_CLEAR", [(Nicira, 0, 5, 43)], Number 0, |_| Ok(Action::CtClear);
    // Open vSwitch's decoder has these three from OpenFlow 1.3 on; its encoder writes them in every
    // version.
    Encap = "NXAST_ENCAP", [(Nicira, 0, 5, 46)], AtLeast 16, nsh::encap;
    Decap = "NXAST_DECAP", [(Nicira, 0, 5, 47)], AtLeast 16, nsh::decap;
    DecNshTtl = "NXAST_DEC_NSH_TTL", [(Nicira, 0, 5, 48)], Number 0, |_| Ok(Action::DecNshTtl);
    CheckPktLarger = "NXAST_CHECK_PKT_LARGER", [(Nicira, 0, 5, 49)], AtLeast 24, set::check_pkt_larger;
    DeleteField = "NXAST_DELETE_FIELD", [(Nicira, 0, 5, 50)], Exact 24, set::delete_field;
    DebugSlow = "NXAST_DEBUG_SLOW", [(Nicira, 0, 5, 254)], Number 0, |_| Ok(Action::DebugSlow);
    DebugRecirc = "NXAST_DEBUG_RECIRC", [(Nicira, 0, 5, 255)], Number 0, |_| Ok(Action::DebugRecirc);
}

/// Forms by minor version and number.
type Index<const N: usize> = [[Option<(Form, Number)>; N]; 6];

/// The forms that a vendor has, whose numbers begin at `first`.
const fn index<const N: usize>(vendor: Vendor, first: usize) -> Index<N> {
    let mut index = [[None; N]; 6];
    let mut place = 0;
    while place < ROWS.len() {
        let numbers = ROWS[place].numbers;
        let mut which = 0;
        while which < numbers.len() {
            let number = numbers[which];
            let mut minor = number.first;
            while number.vendor as u8 == vendor as u8 && minor <= number.last {
                // A number that has no place here stops the compiler.
                index[minor as usize][number.number as usize - first] = Some((Form::ALL[place], number));
                minor += 1;
            }
            which += 1;
        }
        place += 1;
    }
    index
}

static OPENFLOW: Index<32> = index(Vendor::OpenFlow, 0);
static NICIRA: Index<256> = index(Vendor::Nicira, 0);
static ONF: Index<1> = index(Vendor::Onf, ONF_FIRST);
const ONF_FIRST: usize = 3200;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_number_has_two_forms_in_a_version() {
        assert_eq!(Form::ALL.len(), 75);
        for &form in Form::ALL {
            for number in form.row().numbers {
                for version in (number.first + 1..=number.last + 1).map(Version) {
                    let found = Form::find(number.vendor.id(), number.number, version);
                    assert_eq!(found.map(|(form, _)| form), Some(form), "{number:?}");
                }
            }
        }
        assert!(Form::find(0, 12, Version::V1_0).is_none());
        assert!(Form::find(0, 31, Version::V1_3).is_none());
        assert!(Form::find(0x2320, 3, Version::V1_3).is_none());
        assert!(Form::find(0x2321, 1, Version::V1_3).is_none());
    }
}

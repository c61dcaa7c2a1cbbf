//! A vport as other crates let one read it, each in the words of its own documentation.

/// `netlink-packet-generic`: a list of enums, which own what they hold.
pub(crate) mod netlink_packet {
    use netlink_packet_core::{
        DecodeError, DefaultNla, NetlinkMessage, NetlinkPayload, NlaBuffer, NlasIterator, Parseable,
        ParseableParametrized, parse_i32, parse_string, parse_u32, parse_u64,
    };
    use netlink_packet_generic::{GenlHeader, GenlMessage};

    /// An attribute of a vport.
    #[derive(Clone, Debug)]
    #[expect(dead_code, reason = "a reader makes all of them, and a program uses some")]
    pub(crate) enum VportNla {
        PortNo(u32),
        Type(u32),
        Name(String),
        UpcallPid(Vec<u32>),
        Stats(Vec<u64>),
        Ifindex(u32),
        Netnsid(i32),
        Other(DefaultNla),
    }

    impl<'a, T: AsRef<[u8]> + ?Sized> Parseable<NlaBuffer<&'a T>> for VportNla {
        fn parse(buf: &NlaBuffer<&'a T>) -> Result<Self, DecodeError> {
            let payload = buf.value();
            Ok(match buf.kind() {
                1 => Self::PortNo(parse_u32(payload)?),
                2 => Self::Type(parse_u32(payload)?),
                3 => Self::Name(parse_string(payload)?),
                5 => Self::UpcallPid(payload.chunks(4).map(parse_u32).collect::<Result<_, _>>()?),
                6 => Self::Stats(payload.chunks(8).map(parse_u64).collect::<Result<_, _>>()?),
                8 => Self::Ifindex(parse_u32(payload)?),
                9 => Self::Netnsid(parse_i32(payload)?),
                _ => Self::Other(DefaultNla::parse(buf)?),
            })
        }
    }

    /// A message of `ovs_vport`.
    #[derive(Clone, Debug)]
    pub(crate) struct OvsVport {
        pub(crate) dp_ifindex: i32,
        pub(crate) nlas: Vec<VportNla>,
    }

    impl ParseableParametrized<[u8], GenlHeader> for OvsVport {
        fn parse_with_param(buf: &[u8], _: GenlHeader) -> Result<Self, DecodeError> {
            let (header, attrs) = buf
                .split_at_checked(4)
                .ok_or_else(|| DecodeError::from("no struct ovs_header"))?;
            let nlas = NlasIterator::new(attrs).map(|nla| nla.and_then(|nla| VportNla::parse(&nla)));
            Ok(Self {
                dp_ifindex: parse_i32(header)?,
                nlas: nlas.collect::<Result<_, _>>()?,
            })
        }
    }

    /// What a program wants to know of a message: datapath, number and name.
    pub(crate) fn read(message: &[u8]) -> (i32, u32, String) {
        let message = NetlinkMessage::<GenlMessage<OvsVport>>::deserialize(message).unwrap();
        let NetlinkPayload::InnerMessage(message) = message.payload else {
            unreachable!("an answer")
        };
        let OvsVport { dp_ifindex, nlas } = message.payload;
        let (mut port_no, mut name) = (None, None);
        for nla in nlas {
            match nla {
                VportNla::PortNo(it) => port_no = Some(it),
                VportNla::Name(it) => name = Some(it),
                _ => {}
            }
        }
        (dp_ifindex, port_no.unwrap(), name.unwrap())
    }
}

/// `neli`: a list of attributes, which own their bytes, and a handle that looks for one of them.
pub(crate) mod neli {
    use std::io::Cursor;

    use ::neli::{
        self, FromBytes, Size, TypeSize,
        consts::genl::{Cmd, NlAttrType},
        err::DeError,
        genl::Genlmsghdr,
        neli_enum,
        nl::{NlPayload, Nlmsghdr},
    };

    /// `OVS_VPORT_CMD_*`
    #[neli_enum(serialized_type = "u8")]
    pub(crate) enum VportCmd {
        New = 1,
        Del = 2,
        Get = 3,
        Set = 4,
    }
    impl Cmd for VportCmd {}

    /// `OVS_VPORT_ATTR_*`
    #[neli_enum(serialized_type = "u16")]
    pub(crate) enum VportAttr {
        PortNo = 1,
        Type = 2,
        Name = 3,
        UpcallPid = 5,
        Stats = 6,
        Ifindex = 8,
        Netnsid = 9,
    }
    impl NlAttrType for VportAttr {}

    /// `struct ovs_header`
    #[derive(Clone, Debug, Size)]
    pub(crate) struct OvsHeader {
        dp_ifindex: i32,
    }

    // The derived one needs a crate more.
    impl FromBytes for OvsHeader {
        fn from_bytes(buffer: &mut Cursor<impl AsRef<[u8]>>) -> Result<Self, DeError> {
            let dp_ifindex = i32::from_bytes(buffer)?;
            Ok(Self { dp_ifindex })
        }
    }

    impl TypeSize for OvsHeader {
        fn type_size() -> usize {
            4
        }
    }

    /// What a program wants to know of a message: datapath, number and name.
    pub(crate) fn read(message: &[u8]) -> (i32, u32, String) {
        type Message = Nlmsghdr<u16, Genlmsghdr<VportCmd, VportAttr, OvsHeader>>;
        let message = Message::from_bytes(&mut Cursor::new(message)).unwrap();
        let NlPayload::Payload(genl) = message.nl_payload() else {
            unreachable!("an answer")
        };
        let attrs = genl.attrs().get_attr_handle();
        let port_no = attrs.get_attr_payload_as(VportAttr::PortNo).unwrap();
        let name = attrs.get_attr_payload_as_with_len(VportAttr::Name).unwrap();
        (genl.header().dp_ifindex, port_no, name)
    }
}

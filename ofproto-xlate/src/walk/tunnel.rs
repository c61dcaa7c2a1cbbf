//! Tunnels that the datapath makes: what the packet is to be wrapped into (`ofproto/tunnel.c`, `tun_key_to_attr`).

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use odp_actions::{
    Action as Datapath, Tunnel as TunnelKey, TunnelAttr,
    key::{Erspan, Gbp, GeneveOpts, Key, VxlanAttr, VxlanOpts},
};

use super::{F_CSUM, F_DF, F_KEY, Walk, Walked};
use crate::{
    commit::has_tunnel,
    config::Tunnel,
    fields::{Fields, Place, TUNNEL, at, sub},
    prerequisites::is_ip,
    unknown::Unknown,
};

impl Walk<'_> {
    /// Fills the tunnel's fields in as the port is configured (`tnl_port_send`).
    pub(super) fn set_tunnel(&mut self, tunnel: &Tunnel) {
        if !tunnel.local_flow {
            put_addr(&mut self.flow, tunnel.local, at::TUN_SRC, at::TUN_IPV6_SRC);
        }
        if !tunnel.remote_flow {
            put_addr(&mut self.flow, tunnel.remote, at::TUN_DST, at::TUN_IPV6_DST);
        }
        if self.switch.rules.drops_tunnel_source_port {
            self.flow.clear(at::TUN_TP_SRC);
        }
        self.flow.put(at::TUN_TP_DST, tunnel.port);
        if !tunnel.out_key_flow {
            self.flow.put(at::TUN_ID, tunnel.out_key);
        }
        let is_ip = is_ip(&self.flow);
        if tunnel.ttl_inherit && is_ip {
            self.mask.mask(at::NW_TTL);
            self.flow.put(at::TUN_TTL, self.flow.u8(at::NW_TTL));
        } else {
            self.flow.put(at::TUN_TTL, tunnel.ttl);
        }
        let mut tos = tunnel.tos;
        if tunnel.tos_inherit && is_ip {
            self.mask.mask_bits(at::NW_TOS, 0xfc_u8);
            tos = self.flow.u8(at::NW_TOS) & 0xfc;
        }
        if is_ip {
            self.mask.mask_bits(at::NW_TOS, 3_u8);
            tos |= match self.flow.u8(at::NW_TOS) & 3 {
                3 => 2,
                ecn => ecn,
            };
        }
        self.flow.put(at::TUN_TOS, tos);
        let is_ipv6 = self.flow.u32(at::TUN_DST) == 0;
        // GRE has one only where it is asked for.
        let has_default = self.switch.rules.ipv6_tunnel_csum
            && is_ipv6
            && !tunnel.kind.contains("gre")
            && !tunnel.kind.contains("erspan");
        let csum = tunnel.csum.unwrap_or(has_default);
        // Of those that come with the packet only OAM stays.
        let mut flags = self.flow.u16(at::TUN_FLAGS) & 1;
        for (is_set, flag) in [
            (tunnel.dont_fragment, F_DF),
            (csum, F_CSUM),
            (tunnel.has_out_key || tunnel.out_key_flow, F_KEY),
        ] {
            if is_set {
                flags |= flag;
            }
        }
        self.flow.put(at::TUN_FLAGS, flags);
        if let Some(version) = tunnel.erspan_version {
            self.flow.put(at::ERSPAN_VER, version);
        }
        if let Some(index) = tunnel.erspan_index {
            self.flow.put(at::ERSPAN_IDX, index);
        }
        if let Some(direction) = tunnel.erspan_direction {
            self.flow.put(at::ERSPAN_DIR, direction);
        }
        if let Some(hardware_id) = tunnel.erspan_hardware_id {
            self.flow.put(at::ERSPAN_HWID, hardware_id);
        }
        if let Some(mark) = tunnel.egress_mark {
            self.set_place(at::PKT_MARK, mark);
        }
    }

    /// Tells the datapath of the tunnel, unless it knows of the same one.
    pub(super) fn commit_tunnel(&mut self, tunnel: &Tunnel) -> Walked {
        if !has_tunnel(&self.flow) || self.flow.0[TUNNEL] == self.base.0[TUNNEL] {
            return Ok(());
        }
        self.base.copy_words(&self.flow, TUNNEL);
        let key = self.tunnel_key(tunnel)?;
        self.actions.push(Datapath::Set(Key::Tunnel(key)));
        Ok(())
    }

    fn tunnel_key(&self, tunnel: &Tunnel) -> Walked<TunnelKey> {
        let flow = &self.flow;
        let flags = flow.u16(at::TUN_FLAGS);
        let ipv4 = |place: Place| Ipv4Addr::from_bits(flow.u32(place));
        let ipv6 = |place: Place| Ipv6Addr::from_bits(flow.get_at(place));
        let mut attrs = Vec::new();
        if flow.u64(at::TUN_ID) != 0 || flags & F_KEY != 0 {
            attrs.push(TunnelAttr::Id(flow.u64(at::TUN_ID)));
        }
        if flow.u32(at::TUN_SRC) != 0 {
            attrs.push(TunnelAttr::Ipv4Src(ipv4(at::TUN_SRC)));
        }
        if flow.u32(at::TUN_DST) != 0 {
            attrs.push(TunnelAttr::Ipv4Dst(ipv4(at::TUN_DST)));
        }
        if flow.get_at(at::TUN_IPV6_SRC) != 0 {
            attrs.push(TunnelAttr::Ipv6Src(ipv6(at::TUN_IPV6_SRC)));
        }
        if flow.get_at(at::TUN_IPV6_DST) != 0 {
            attrs.push(TunnelAttr::Ipv6Dst(ipv6(at::TUN_IPV6_DST)));
        }
        if flow.u8(at::TUN_TOS) != 0 {
            attrs.push(TunnelAttr::Tos(flow.u8(at::TUN_TOS)));
        }
        attrs.push(TunnelAttr::Ttl(flow.u8(at::TUN_TTL)));
        for (flag, attr) in [
            (F_DF, TunnelAttr::DontFragment),
            (F_CSUM, TunnelAttr::Csum),
            (1, TunnelAttr::Oam),
        ] {
            if flags & flag != 0 {
                attrs.push(attr);
            }
        }
        if flow.u16(at::TUN_TP_SRC) != 0 {
            attrs.push(TunnelAttr::TpSrc(flow.u16(at::TUN_TP_SRC)));
        }
        if flow.u16(at::TUN_TP_DST) != 0 {
            attrs.push(TunnelAttr::TpDst(flow.u16(at::TUN_TP_DST)));
        }
        match &*tunnel.kind {
            "vxlan" => {
                let gbp = Gbp::new(flow.u16(at::GBP_ID), flow.u8(at::GBP_FLAGS));
                if gbp != Gbp::default() {
                    attrs.push(TunnelAttr::Vxlan(VxlanOpts::new([VxlanAttr::Gbp(gbp)])));
                }
            }
            "geneve" => {
                let options = self.geneve_options();
                if !options.as_bytes().is_empty() {
                    attrs.push(TunnelAttr::Geneve(options));
                }
            }
            "erspan" | "ip6erspan" => attrs.extend(erspan(flow).map(TunnelAttr::Erspan)),
            "gre" | "ip6gre" => {}
            _ => return Err(Unknown::Missing("a model of this kind of tunnel")),
        }
        TunnelKey::new(attrs).map_err(|_| Unknown::Missing("room for a tunnel's options"))
    }

    fn geneve_options(&self) -> GeneveOpts {
        let mut options = GeneveOpts::default();
        let map = &self.bridge_ref().config.options;
        let mut entries: Vec<_> = map.entries().iter().collect();
        entries.sort_by_key(|entry| entry.index);
        for entry in entries {
            let index = usize::from(entry.index);
            if self.flow.get_at(sub(at::OPTIONS_PRESENT, entry.index.into(), 1)) == 0 {
                continue;
            }
            if let Some(place) = map.place(index) {
                let bytes = self.flow.get_at(place).to_be_bytes();
                let len = usize::from(entry.len);
                options.push(entry.class, entry.kind, &bytes[16 - len..]);
            }
        }
        options
    }
}

/// The metadata of ERSPAN, of the versions that there are.
fn erspan(flow: &Fields) -> Option<Erspan> {
    let mut data = [0; 8];
    let version = flow.u8(at::ERSPAN_VER);
    match version {
        1 => data[..4].copy_from_slice(&flow.u32(at::ERSPAN_IDX).to_be_bytes()),
        2 => {
            let hardware_id = flow.u8(at::ERSPAN_HWID);
            data[6] = hardware_id >> 4 & 3;
            data[7] = (hardware_id & 0xf) << 4 | (flow.u8(at::ERSPAN_DIR) & 1) << 3;
        }
        _ => return None,
    }
    Some(Erspan {
        version: version.into(),
        data,
    })
}

fn put_addr(flow: &mut Fields, addr: Option<IpAddr>, v4: Place, v6: Place) {
    let (four, six) = match addr {
        Some(IpAddr::V4(addr)) => (addr.to_bits(), 0),
        Some(IpAddr::V6(addr)) => (0, addr.to_bits()),
        None => (0, 0),
    };
    flow.put(v4, four);
    flow.put(v6, six);
}

//! The devices that the kernel waits for, as a table or lines for people, or as JSON.

use examples::cli::{Failure, printable, table};
use examples::kmsg::Waiting;
use examples::sight::{Port, Vport};
use serde_json::{Value, json};

/// A device that the kernel waits for.
pub struct Device {
    pub first: Waiting,
    pub last: Waiting,
    pub messages: usize,
    /// Whose it is, if it is a port of this switch.
    pub port: Option<Port>,
}

impl Device {
    pub fn of(waiting: Waiting, ports: &[Port]) -> Self {
        let port = ports
            .iter()
            .find(|port| port.interface == waiting.device)
            .cloned();
        Self {
            first: waiting.clone(),
            last: waiting,
            messages: 1,
            port,
        }
    }

    /// One more message of it. It is the kernel's if any of them is.
    pub fn again(&mut self, waiting: Waiting) {
        let injected = self.last.injected && waiting.injected;
        self.last = waiting;
        self.last.injected = injected;
        self.messages += 1;
    }

    fn seconds(&self) -> Option<f64> {
        Some(self.last.seconds()? - self.first.seconds()?)
    }

    fn json(&self) -> Value {
        let port = self.port.as_ref().map(|port| {
            json!({
                "bridge": port.bridge,
                "port": port.port,
                "type": port.kind,
                "ofport": port.ofport,
                "vport": vport(port),
                "iface_id": port.iface_id,
                "netdev": port.netdev,
            })
        });
        json!({
            "device": self.last.device,
            "messages": self.messages,
            "first": self.first.stamp,
            "last": self.last.stamp,
            "seconds": self.seconds(),
            "usage_count": self.last.usage,
            "injected": self.last.injected,
            "port": port,
        })
    }

    fn row(&self, port: &Port) -> [String; 9] {
        [
            self.last.device.clone(),
            port.bridge.clone(),
            port.ofport.map_or(String::new(), |ofport| ofport.to_string()),
            vport(port).map_or("gone".to_owned(), |number| number.to_string()),
            port.iface_id.clone().unwrap_or_default(),
            self.first.stamp.clone(),
            self.seconds()
                .map_or(String::new(), |seconds| format!("{seconds:.0} s")),
            self.messages.to_string(),
            if self.last.injected { INJECTED } else { "" }.to_owned(),
        ]
    }

    /// One line of a stream.
    pub fn line(&self) -> String {
        let Waiting {
            device,
            usage,
            stamp,
            injected,
        } = &self.last;
        let whose = self
            .port
            .as_ref()
            .map_or("none of this switch's ports".to_owned(), |port| {
                let vport =
                    vport(port).map_or("its vport is gone".to_owned(), |number| format!("vport {number}"));
                let id = port
                    .iface_id
                    .as_ref()
                    .map_or(String::new(), |id| format!(", iface-id {id}"));
                format!("port {} of {}, {vport}{id}", port.port, port.bridge)
            });
        let note = if *injected {
            format!("; {INJECTED}")
        } else {
            String::new()
        };
        printable(&format!("{stamp} {device}: {whose}; usage count {usage}{note}"))
    }

    pub fn json_line(&self) -> Result<String, Failure> {
        serde_json::to_string(&self.json()).map_err(Failure::blind)
    }
}

pub fn json(devices: &[Device]) -> Result<String, Failure> {
    let devices: Vec<Value> = devices.iter().map(Device::json).collect();
    serde_json::to_string(&json!({ "devices": devices })).map_err(Failure::blind)
}

pub fn text(devices: &[Device]) -> String {
    let rows: Vec<_> = devices
        .iter()
        .filter_map(|device| Some(device.row(device.port.as_ref()?)))
        .collect();
    let foreign: Vec<_> = devices.iter().filter(|device| device.port.is_none()).collect();
    let mut parts = Vec::new();
    if !rows.is_empty() {
        let headings = [
            "device",
            "bridge",
            "ofport>",
            "vport>",
            "iface-id",
            "since",
            "for>",
            "messages>",
            "",
        ];
        parts.push(table(headings, rows));
        parts.push(EXPLANATION.to_owned());
    }
    if !foreign.is_empty() {
        let names: Vec<_> = foreign
            .iter()
            .map(|device| printable(&device.last.device))
            .collect();
        parts.push(format!("None of this switch's ports: {}", names.join(", ")));
    }
    if parts.is_empty() {
        parts.push("The kernel waits for no device.".to_owned());
    }
    parts.join("\n\n")
}

fn vport(port: &Port) -> Option<u32> {
    match port.vport {
        Some(Vport::Present { number, .. }) => Some(number),
        _ => None,
    }
}

const INJECTED: &str = "injected: a process wrote this message, not the kernel";
const EXPLANATION: &str = "\
The kernel has deleted such a device, and somebody in the kernel still refers to it: a leaked reference. Open vSwitch has
let go of it, or the message would not come; only a reboot frees it, and until then whoever makes or deletes network
namespaces may hang. Known leaks are mended by the kernel's commits ee60ad219f5c (exceptions of routes) and 4ee806d51176
(the loopback device).";

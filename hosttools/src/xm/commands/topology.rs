//! What `info -n` shows: where the machine's CPUs and memory are.

use std::fmt::Write as _;

use xendless_core::protocol::resources::{CpuRow, Machine, NodeRow};
use xendless_core::protocol::{Answer, Request};

use crate::client::{self, Client};
use crate::xm::error::Error;
use crate::xm::session::pages;

/// The machine's CPUs and nodes.
pub(super) struct Topology {
    cpus: Vec<CpuRow>,
    nodes: Vec<NodeRow>,
}

impl Topology {
    /// Asks for it.
    ///
    /// # Errors
    ///
    /// When it cannot be got.
    pub(super) fn get(client: &mut Client) -> Result<Self, Error> {
        Ok(Self { cpus: cpus(client)?, nodes: nodes(client)? })
    }

    /// The rows of `xm info`; each has a table as its value, which begins on a line of its own.
    pub(super) fn classic(&self) -> [(&'static str, String); 2] {
        let mut cpus = "\ncpu:    core    socket     node".to_owned();
        for row in &self.cpus {
            let cpu = row.cpu;
            let [core, socket, node] = [row.core, row.socket, row.node].map(known);
            // Writing to a string cannot fail.
            let _ = write!(cpus, "\n{cpu:>3}:{core:>8} {socket:>8} {node:>8}");
        }
        [("cpu_topology", cpus), ("numa_info", self.numa())]
    }

    fn numa(&self) -> String {
        if self.nodes.is_empty() {
            return "none".to_owned();
        }
        let mut text = "\nnode: TotalMemory FreeMemory dma32Memory NodeDist:".to_owned();
        for node in &self.nodes {
            let _ = write!(text, "{:>4} ", node.node);
        }
        for node in &self.nodes {
            let [total, free, low] = [node.total_kib, node.free_kib, node.low_kib].map(|kib| kib / 1024);
            let _ = write!(text, "\n{:>4}:  {total:>8}MB {free:>8}MB  {low:>8}MB         :", node.node);
            for distance in &*node.distances {
                let _ = write!(text, "{:>4} ", known(*distance));
            }
        }
        text
    }

    /// The same for scripts.
    pub(super) fn json(&self) -> [(&'static str, serde_json::Value); 2] {
        let cpus = self.cpus.iter().map(|cpu| {
            serde_json::json!({ "cpu": cpu.cpu, "core": cpu.core, "socket": cpu.socket, "node": cpu.node })
        });
        let nodes = self.nodes.iter().map(|node| {
            serde_json::json!({
                "node": node.node,
                "total_kib": node.total_kib,
                "free_kib": node.free_kib,
                "free_dma32_kib": node.low_kib,
                "distances": &*node.distances,
            })
        });
        [("cpu_topology", cpus.collect()), ("numa_info", nodes.collect())]
    }
}

/// A number as the tables show it.
fn known(number: Option<u32>) -> i64 {
    number.map_or(-1, i64::from)
}

fn cpus(client: &mut Client) -> Result<Vec<CpuRow>, Error> {
    pages(|from| match client.ask(Request::Machine(Machine::Cpus { from }))? {
        Answer::Cpus(page) => Ok((page.rows.to_vec(), page.next)),
        _ => Err(client::Error::Unexpected.into()),
    })
}

fn nodes(client: &mut Client) -> Result<Vec<NodeRow>, Error> {
    pages(|from| match client.ask(Request::Machine(Machine::Nodes { from }))? {
        Answer::Nodes(page) => Ok((page.rows.to_vec(), page.next)),
        _ => Err(client::Error::Unexpected.into()),
    })
}

//! Event channels.

use xendless_core::abi::event_channel as evtchn;
use xendless_core::hyper::{DomId, EventChannels, Port, PortState, Result, Virq};

use super::Xen;
use crate::hypercall::perform;

impl EventChannels for Xen {
    fn alloc_unbound(&self, owner: DomId, remote: DomId) -> Result<Port> {
        let mut request = evtchn::AllocUnbound { dom: owner.0, remote_dom: remote.0, port: 0 };
        perform(&mut request)?;
        Ok(Port(request.port))
    }

    fn bind_interdomain(&self, remote: DomId, remote_port: Port) -> Result<Port> {
        let mut request = evtchn::BindInterdomain {
            remote_dom: remote.0,
            remote_port: remote_port.0,
            ..evtchn::BindInterdomain::ZERO
        };
        perform(&mut request)?;
        Ok(Port(request.local_port))
    }

    fn bind_virq(&self, virq: Virq) -> Result<Port> {
        let mut request = evtchn::BindVirq { virq: virq.code(), vcpu: 0, port: 0 };
        perform(&mut request)?;
        Ok(Port(request.port))
    }

    fn notify(&self, port: Port) -> Result<()> {
        perform(&mut evtchn::Send { port: port.0 }).map(drop)
    }

    fn unmask(&self, port: Port) -> Result<()> {
        perform(&mut evtchn::Unmask { port: port.0 }).map(drop)
    }

    fn close(&self, port: Port) -> Result<()> {
        perform(&mut evtchn::Close { port: port.0 }).map(drop)
    }

    fn port_state(&self, domid: DomId, port: Port) -> Result<PortState> {
        let mut request = evtchn::Status { dom: domid.0, port: port.0, ..evtchn::Status::ZERO };
        perform(&mut request)?;
        Ok(PortState::from(&request))
    }
}

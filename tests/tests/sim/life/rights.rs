//! What rights are worth in XenStore.

use xendless_core::config::{Action, Actions, Settings};
use xendless_core::hyper::{DomId, EventChannels, ForeignMemory, Gfn, Port, ShutdownReason};
use xendless_core::rights::Rights;
use xendless_core::ring::xenstore::GuestEnd;
use xendless_core::store::transport::{Assembler, Frame, Outbox};
use xendless_core::store::wire::{Message, Request};

use super::{Rig, SECOND, settings};

impl Rig {
    /// What a domain is answered on its ring, as type and payload without its last NUL.
    fn guest(&mut self, domid: DomId, request: &Request<'_>) -> String {
        let home = format!("/local/domain/{domid}/store");
        let [frame, port] = ["ring-ref", "port"]
            .map(|node| self.read(&format!("{home}/{node}")).unwrap().parse::<u32>().unwrap());
        let guest = self.sim.as_domain(domid);
        let page = guest.map_foreign(DomId::SELF, Gfn(frame.into())).unwrap();
        let mut ring = GuestEnd::attach(page).unwrap();
        let mut output = Outbox::new();
        output.push(Message::new(request.kind(), 1, 0, request.payload().unwrap()));
        output.flush(&mut ring).unwrap();
        guest.notify(Port(port)).unwrap();
        self.run();
        let Frame { header, payload } = Assembler::new().pull(&mut ring).unwrap().unwrap();
        format!("{} {}", header.kind, String::from_utf8_lossy(&payload).replace('\0', " ").trim_end())
    }
}

#[test]
fn a_domain_may_do_in_the_store_what_its_rights_say_over_its_restarts() {
    for (rights, root, write) in [
        (Rights::Nothing, "ERROR EACCES", "ERROR EACCES"),
        (Rights::Observe, "DIRECTORY libxl", "ERROR EACCES"),
        (Rights::Children, "DIRECTORY libxl", "ERROR EACCES"),
        (Rights::Everything, "DIRECTORY libxl", "WRITE OK"),
    ] {
        let mut rig = Rig::new(None);
        let actions = Actions { reboot: Action::Restart, ..Actions::default() };
        let id = rig.create_with(Settings { actions, ..settings() }, rights).unwrap();
        for restarts in 0..2 {
            rig.run();
            let status = rig.manager.status(id).unwrap();
            let domid = status.domid.unwrap();
            assert_eq!((status.restarts, rig.manager.rights(domid)), (restarts, rights));
            let list = rig.guest(domid, &Request::Directory { path: b"/" });
            assert!(list.starts_with(root), "{rights}: {list}");
            assert_eq!(rig.guest(domid, &Request::Write { path: b"/x", value: b"" }), write, "{rights}");
            rig.sim.advance(61 * SECOND);
            rig.stop(domid, ShutdownReason::Reboot);
            assert_eq!(rig.manager.rights(domid), Rights::Nothing, "nobody has this number now");
        }
    }
}

//! Whatever domains do, in whatever order: when they are gone, everything is back.

use proptest::prelude::*;
use xendless_core::hyper::{
    Access, CreateFlags, DomId, Domains, EventChannels, ForeignMemory, Gfn, GrantRef, Grants, PhysMemory,
    Port, PortState, Progress, SharedOut,
};
use xendless_tests::sim::{Config, SimDomain, SimHypervisor, SimMapping, SimOffer};

use crate::create;

/// Something that some domain tries. Most of it is refused, as it is for a confused or hostile guest.
#[derive(Clone, Debug)]
enum Act {
    Create { hvm: bool },
    Populate { on: u16, pages: u64 },
    Release { by: u16, on: u16, which: usize },
    MapForeign { by: u16, on: u16, which: usize },
    Offer { by: u16, to: u16 },
    Seed { on: u16, gref: u32, to: u16, which: usize },
    MapGrant { which: usize, write: bool },
    MapWrongGrant { by: u16, from: u16, gref: u32 },
    DropMapping(usize),
    DropOffer(usize),
    Listen { by: u16, on: u16, to: u16 },
    Connect { which: usize },
    ConnectWrong { by: u16, to: u16, port: u32 },
    Notify { which: usize },
    Close { which: usize },
    Destroy { by: u16, on: u16 },
}

/// Few enough domains that they meet.
fn someone() -> impl Strategy<Value = u16> {
    0u16..5
}

fn act() -> impl Strategy<Value = Act> {
    use Act::*;
    let gref = || 8u32..11;
    prop_oneof![
        any::<bool>().prop_map(|hvm| Create { hvm }),
        (someone(), 0u64..20).prop_map(|(on, pages)| Populate { on, pages }),
        (someone(), someone(), any::<usize>()).prop_map(|(by, on, which)| Release { by, on, which }),
        (Just(0), someone(), any::<usize>()).prop_map(|(by, on, which)| MapForeign { by, on, which }),
        (someone(), someone()).prop_map(|(by, to)| Offer { by, to }),
        (1u16..5, gref(), someone(), any::<usize>()).prop_map(|(on, gref, to, which)| Seed {
            on,
            gref,
            to,
            which
        }),
        (any::<usize>(), any::<bool>()).prop_map(|(which, write)| MapGrant { which, write }),
        (someone(), someone(), gref()).prop_map(|(by, from, gref)| MapWrongGrant { by, from, gref }),
        any::<usize>().prop_map(DropMapping),
        any::<usize>().prop_map(DropOffer),
        (someone(), someone(), someone()).prop_map(|(by, on, to)| Listen { by, on, to }),
        any::<usize>().prop_map(|which| Connect { which }),
        (someone(), someone(), 0u32..6).prop_map(|(by, to, port)| ConnectWrong { by, to, port }),
        any::<usize>().prop_map(|which| Notify { which }),
        any::<usize>().prop_map(|which| Close { which }),
        (someone(), someone()).prop_map(|(by, on)| Destroy { by, on }),
    ]
}

/// What the domains hold, and all frames that were ever seen.
struct Stage {
    sim: SimHypervisor,
    mappings: Vec<SimMapping>,
    offers: Vec<SimOffer>,
    frames: Vec<u64>,
}

impl Stage {
    fn domain(&self, domid: u16) -> Option<SimDomain> {
        let domid = DomId(domid);
        self.sim.snapshot().domains.contains_key(&domid).then(|| self.sim.as_domain(domid))
    }

    fn frame(&self, which: usize) -> u64 {
        pick(self.frames.clone(), which).unwrap_or_default()
    }

    /// Some grant: whose, which, to whom.
    fn grant(&self, which: usize) -> Option<(DomId, GrantRef, DomId)> {
        let domains = self.sim.snapshot().domains;
        let grants = domains
            .iter()
            .flat_map(|(owner, domain)| domain.grants.iter().map(|(gref, (to, _))| (*owner, *gref, *to)));
        pick(grants.collect(), which)
    }

    /// Some channel in use.
    fn port(&self, which: usize) -> Option<(DomId, Port, PortState)> {
        let domains = self.sim.snapshot().domains;
        let ports = domains
            .iter()
            .flat_map(|(owner, domain)| domain.ports.iter().map(|(port, state)| (*owner, *port, *state)));
        pick(ports.collect(), which)
    }

    /// Refusals are part of the play; what matters is what is left at the end.
    fn play(&mut self, act: Act) -> Option<()> {
        let control = self.sim.control();
        match act {
            Act::Create { hvm } if self.sim.snapshot().domains.len() < 5 => {
                create(&control, if hvm { CreateFlags::HVM } else { CreateFlags::empty() });
            }
            Act::Create { .. } => {}
            Act::Populate { on, pages } => {
                let mut frames: Vec<u64> = (0..pages).collect();
                let done = control.populate(DomId(on), &mut frames).ok()?;
                self.frames.extend(&frames[..done]);
            }
            Act::Release { by, on, which } => {
                self.domain(by)?.release(DomId(on), &[self.frame(which)]).ok()?;
            }
            Act::MapForeign { by, on, which } => {
                let mapping = self.domain(by)?.map_foreign(DomId(on), Gfn(self.frame(which))).ok()?;
                self.mappings.push(mapping);
            }
            Act::Offer { by, to } => {
                let offer = self.domain(by)?.offer_page(DomId(to), Access::ReadWrite).ok()?;
                assert!(offer.grant().0 >= 8);
                self.offers.push(offer);
            }
            Act::Seed { on, gref, to, which } => {
                control.seed_grant(DomId(on), GrantRef(gref), DomId(to), Gfn(self.frame(which))).ok()?;
            }
            Act::MapGrant { which, write } => {
                let access = if write { Access::ReadWrite } else { Access::ReadOnly };
                let (from, gref, by) = self.grant(which)?;
                self.mappings.push(self.domain(by.0)?.map_grant(from, gref, access).ok()?);
            }
            Act::MapWrongGrant { by, from, gref } => {
                let mapping =
                    self.domain(by)?.map_grant(DomId(from), GrantRef(gref), Access::ReadOnly).ok()?;
                self.mappings.push(mapping);
            }
            Act::DropMapping(which) if !self.mappings.is_empty() => {
                self.mappings.swap_remove(which % self.mappings.len());
            }
            Act::DropOffer(which) if !self.offers.is_empty() => {
                self.offers.swap_remove(which % self.offers.len());
            }
            Act::DropMapping(_) | Act::DropOffer(_) => {}
            Act::Listen { by, on, to } => drop(self.domain(by)?.alloc_unbound(DomId(on), DomId(to)).ok()?),
            Act::Connect { which } => {
                let (on, port, state) = self.port(which)?;
                let PortState::Unbound(by) = state else { return None };
                self.domain(by.0)?.bind_interdomain(on, port).ok()?;
            }
            Act::ConnectWrong { by, to, port } => {
                self.domain(by)?.bind_interdomain(DomId(to), Port(port)).ok()?;
            }
            Act::Notify { which } => {
                let (by, port, _) = self.port(which)?;
                self.domain(by.0)?.notify(port).ok()?;
            }
            Act::Close { which } => {
                let (by, port, _) = self.port(which)?;
                self.domain(by.0)?.close(port).ok()?;
            }
            Act::Destroy { by, on } => drop(self.domain(by)?.destroy_domain(DomId(on)).ok()?),
        }
        Some(())
    }

    fn assert_no_page_is_lost(&self) {
        let snapshot = self.sim.snapshot();
        let held: u64 = snapshot.domains.iter().filter(|(domid, _)| domid.0 != 0).map(|(_, d)| d.pages).sum();
        assert_eq!(snapshot.free_pages as u64 + held, 200);
    }

    fn clear(mut self) {
        self.mappings.clear();
        self.offers.clear();
        let control = self.sim.control();
        let domains: Vec<DomId> =
            self.sim.snapshot().domains.into_keys().filter(|domid| domid.0 != 0).collect();
        for domid in domains {
            while control.destroy_domain(domid) == Ok(Progress::Again) {}
        }
        for port in self.sim.snapshot().domains[&DomId(0)].ports.keys() {
            control.close(*port).unwrap();
        }
        self.sim.assert_pristine();
    }
}

fn pick<T: Copy>(all: Vec<T>, which: usize) -> Option<T> {
    all.get(which.checked_rem(all.len())?).copied()
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(100) })]

    #[test]
    fn everything_comes_back(seed: u64, acts in prop::collection::vec(act(), 0..120)) {
        let sim = SimHypervisor::new(Config { seed, pages: 200, destroy_step: 8, ..Config::default() });
        let mut stage = Stage { sim, mappings: vec![], offers: vec![], frames: vec![] };
        for hvm in [false, false, false, true] {
            stage.play(Act::Create { hvm });
        }
        for act in acts {
            let _ = stage.play(act);
            stage.assert_no_page_is_lost();
        }
        stage.clear();
    }
}

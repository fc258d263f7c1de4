//! Booting the control domain: once well, and once with every hypercall failing in every way.

use xendless_core::abi::errno::Errno;
use xendless_core::abi::xen;
use xendless_core::boot::{self, BootError, BootFacts, Build, LEAST_PAGES, Options, PrintLog, Trial};
use xendless_core::bundle::{BundleError, Role};
use xendless_core::config::{DomainConfig, DomainName, Settings, Uuid};
use xendless_core::control::{Control, Event};
use xendless_core::hyper::{DomId, Fault, FaultInjector, Hypervisor, PortState, ShutdownReason, XenVersion};
use xendless_core::life::State;
use xendless_core::lines::{self, FATAL_PREFIX, Fatal, Ready};
use xendless_core::rights::Rights;
use xendless_hosttools::bundle::{Maker, Start};
use xendless_tests::kernel::Elf;
use xendless_tests::sim::{Config, Power, SimDomain, SimHypervisor, SimMapping, SimOffer, SimSite};

use super::life::settings;

/// A bundle that stays, as the real one does.
fn bundle() -> &'static [u8] {
    let mut maker = Maker::new();
    maker.add("kernel", vec![1; 10_000]).unwrap();
    maker.make().unwrap().leak()
}

fn facts(bundle: &'static [u8]) -> BootFacts {
    BootFacts {
        initial_domain: true,
        privileged: true,
        pages: 8 << 10,
        bundle: Some(bundle),
        entered_at: 1_000_000,
        images: None,
    }
}

/// What the control domain does from Xen's hand-over on.
fn boot_or_halt(
    hv: &impl Hypervisor,
    site: &SimSite,
    facts: &BootFacts,
) -> Result<Control<SimMapping, SimOffer>, BootError> {
    boot::start(hv, site, facts).inspect_err(|error| {
        lines::print(hv, Fatal(error)).unwrap();
        hv.shutdown(ShutdownReason::Poweroff).unwrap();
    })
}

/// Boot failed as it should: one line, power off, nothing left.
fn assert_clean_refusal(sim: &SimHypervisor, error: &BootError) {
    let console = sim.console();
    assert_eq!(console, format!("{FATAL_PREFIX}{error}\n"), "one line and no other");
    assert!(!console.trim_end().contains('\n') && console.is_ascii(), "plain text: {console:?}");
    assert!(!console.contains("..."), "the line fits: {console}");
    assert_eq!(sim.power(), Power::Halted, "no restart, which would fail again");
    sim.assert_pristine();
}

fn refusal(facts: &BootFacts) -> BootError {
    let sim = SimHypervisor::default();
    let error = boot_or_halt(&sim.control(), &SimSite::new(&sim), facts).unwrap_err();
    assert_clean_refusal(&sim, &error);
    error
}

#[test]
fn a_good_boot_says_that_it_is_ready() {
    let sim = SimHypervisor::default();
    sim.advance(4_214_000);
    let (site, bundle) = (SimSite::new(&sim), bundle());
    boot_or_halt(&sim.control(), &site, &facts(bundle)).unwrap();

    let console = sim.console();
    let ready = Ready::parse(console.strip_suffix('\n').unwrap()).expect("the ready line");
    assert_eq!(ready, Ready { version: lines::VERSION, after_us: 3214, heap: site.heap.get() });
    assert_eq!(site.take_events(), [Event::Ready { after_ns: 3_214_000 }]);

    let initial = &sim.snapshot().domains[&DomId(0)];
    let bound: Vec<PortState> = initial.ports.values().copied().collect();
    let virqs = [xen::VIRQ_DEBUG, xen::VIRQ_DOM_EXC, xen::VIRQ_CONSOLE, xen::VIRQ_TIMER];
    assert_eq!(bound, virqs.map(PortState::Virq));
}

/// A domain for the bundle, its kernel different from others'.
fn start(name: &str, role: Role) -> Start {
    let mut uuid = [1; 16];
    uuid.iter_mut().zip(name.bytes()).for_each(|(byte, char)| *byte = char);
    let (name, uuid) = (DomainName::new(name).unwrap(), Uuid::from_bytes(uuid).unwrap());
    let config = DomainConfig::new(Settings { name, uuid, ..settings() }).unwrap();
    let kernel = [Elf::pv().build(), uuid.to_string().into_bytes()].concat();
    Start { role, rights: Rights::Nothing, config, kernel, ramdisk: None }
}

#[test]
fn the_bundles_domains_come_to_run_and_a_damaged_one_stops_no_other() {
    let mut maker = Maker::new();
    for start in [start("first", Role::Guest), start("admin", Role::Admin), start("last", Role::Guest)] {
        maker.start(start).unwrap();
    }
    let mut bundle = maker.make().unwrap();
    // The end of the kernel that comes last in it.
    *bundle.last_mut().unwrap() ^= 1;
    let sim = SimHypervisor::default();
    let (hv, site) = (sim.control(), SimSite::new(&sim));
    let mut control = boot_or_halt(&hv, &site, &facts(bundle.leak())).unwrap();
    assert!(!sim.console().contains("not started"), "files are looked at when their turn comes");
    while control.poll(&hv, &site).is_due(sim.now()) {}
    let lines = sim.console();
    let wanted = "xendless: domain 'last' is not started: file 'vmlinuz~3' of the boot bundle is damaged: make the \
                  bundle anew\n";
    assert!(lines.ends_with(wanted), "{lines}");
    let running: Vec<_> = control
        .managed()
        .iter()
        .map(|(id, config)| (config.name.to_string(), control.managed().status(id).unwrap().state))
        .collect();
    assert_eq!(running, [("first".into(), State::Running), ("admin".into(), State::Running)]);
}

#[test]
fn a_fault_in_any_hypercall_is_one_fatal_line_and_leaves_nothing() {
    let bundle = bundle();
    let boot = |fault| {
        let sim = SimHypervisor::default();
        let hv: FaultInjector<SimDomain> = FaultInjector::new(sim.control(), fault);
        let outcome = boot_or_halt(&hv, &SimSite::new(&sim), &facts(bundle));
        (sim, hv, outcome)
    };
    let (_, counted, outcome) = boot(None);
    outcome.unwrap();
    let calls = counted.calls();
    assert!(calls >= 6, "there are calls to fail");
    for nth in 1..=calls {
        for (name, errno) in Errno::ALL {
            let (sim, hv, outcome) = boot(Some(Fault { call: None, nth, errno: *errno }));
            let error = outcome.expect_err(name);
            assert!(!hv.is_armed(), "call {nth} was made");
            assert_clean_refusal(&sim, &error);
            let told = error.to_string().contains(name) || matches!(error, BootError::NoInterface(_));
            assert!(told, "{error} does not say {name}");
        }
    }
    let (_, hv, outcome) = boot(Some(Fault { call: None, nth: calls + 1, errno: Errno::EIO }));
    outcome.unwrap();
    assert!(hv.is_armed(), "there is no call beyond those that were failed");
}

#[test]
fn wrong_facts_are_told_apart() {
    let bundle = bundle();
    let good = facts(bundle);
    assert_eq!(refusal(&BootFacts { initial_domain: false, ..good }), BootError::NotInitialDomain);
    assert_eq!(refusal(&BootFacts { privileged: false, ..good }), BootError::NotPrivileged);
    assert_eq!(refusal(&BootFacts { bundle: None, ..good }), BootError::NoBundle);
    let empty = Some(&[][..]);
    assert_eq!(refusal(&BootFacts { bundle: empty, ..good }), BootError::BadBundle(BundleError::TooShort));
}

#[test]
fn the_least_memory_is_enough_and_a_page_less_is_not() {
    let bundle = bundle();
    let pages = LEAST_PAGES + bundle.len().div_ceil(4096) as u64;
    let sim = SimHypervisor::default();
    let least = BootFacts { pages, ..facts(bundle) };
    boot_or_halt(&sim.control(), &SimSite::new(&sim), &least).unwrap();
    let error = refusal(&BootFacts { pages: pages - 1, ..least });
    assert_eq!(error, BootError::TooLittleMemory { pages: pages - 1, needed: pages });
}

#[test]
fn an_unknown_xen_is_refused_by_name() {
    let version = XenVersion { major: 4, minor: 16 };
    let sim = SimHypervisor::new(Config { version, ..Config::default() });
    let bundle = bundle();
    let error = boot_or_halt(&sim.control(), &SimSite::new(&sim), &facts(bundle)).unwrap_err();
    assert!(matches!(error, BootError::NoInterface(_)), "{error}");
    assert!(error.to_string().contains("Xen 4.16"), "{error}");
    assert_clean_refusal(&sim, &error);
}

mod command_line {
    use super::*;

    const TEST: Build = Build { fault_injection: true };
    const SHIPPED: Build = Build { fault_injection: false };

    fn refused(line: &[u8], build: Build) -> String {
        Options::parse(line, build).expect_err("a word that is refused").to_string()
    }

    #[test]
    fn words_are_understood_in_any_order() {
        assert_eq!(Options::parse(b"", SHIPPED), Ok(Options::default()));
        let fault = Some(Fault { call: None, nth: 3, errno: Errno::ENOMEM });
        for line in ["log=dump images=64M fault=3:ENOMEM", "  fault=3:ENOMEM\tlog=dump images=65536k "] {
            assert_eq!(
                Options::parse(line.as_bytes(), TEST),
                Ok(Options { print_log: Some(PrintLog::AtEnd), images: Some(64 << 20), fault, trial: None })
            );
        }
        let live = Options { print_log: Some(PrintLog::Live), ..Options::default() };
        assert_eq!(Options::parse(b"log=live", SHIPPED), Ok(live));
    }

    #[test]
    fn a_word_that_is_refused_is_named() {
        for (line, told) in [
            ("colour=red", "unknown word 'colour=red'"),
            ("log", "unknown word 'log'"),
            ("log=dump log=live", "'log=live' repeats"),
            ("log=all", "bad value in 'log=all' on the command line: write log=dump or log=live"),
            ("log=", "bad value in 'log='"),
            ("images=1 images=2", "'images=2' repeats"),
            ("images=", "bad value in 'images=' on the command line: write images=SIZE, as in images=64M"),
            ("images=1T", "bad value in 'images=1T'"),
            ("images=-1", "bad value in 'images=-1'"),
            ("images=99999999999G", "bad value in 'images=99999999999G'"),
            ("fault=0:EIO", "bad value in 'fault=0:EIO'"),
            ("fault=1:EWHAT", "bad value in 'fault=1:EWHAT'"),
            ("fault=99999999999999999999:EIO", "bad value in 'fault=9999999999"),
            ("fault=1:EIO fault=2:EIO", "'fault=2:EIO' repeats"),
            ("trial=luck", "bad value in 'trial=luck'"),
            ("trial=panic trial=null", "'trial=null' repeats"),
        ] {
            let message = refused(line.as_bytes(), TEST);
            assert!(message.contains(told), "{line}: {message}");
        }
        for word in ["fault=1:EIO", "trial=panic"] {
            assert!(refused(word.as_bytes(), SHIPPED).contains("needs a build with fault injection"));
        }
        for (name, trial) in Trial::ALL {
            let options = Options::parse(format!("trial={name}").as_bytes(), TEST).unwrap();
            assert_eq!(options.trial, Some(*trial));
        }
    }

    #[test]
    fn attack_e06_words_are_shown_without_control_characters_and_not_whole() {
        let message = refused(b"\x1b[2J\xff", SHIPPED);
        assert!(message.contains("'?[2J?'"), "{message}");
        let long = refused(&[b'x'; 500], SHIPPED);
        assert!(long.contains(&format!("'{}...'", "x".repeat(32))), "{long}");
    }
}

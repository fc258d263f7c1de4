//! The `cpupool-…` sub-commands: output and refusals to the letter.

use xendless_core::config::{List, PoolConfig};
use xendless_core::protocol::{Answer, Failure, Pool, PoolFailure, Pools, Request};
use xendless_core::rights::Rights;

use crate::server::{Server, run};
use crate::world::World;

/// A pool of the machine.
pub(crate) fn pool(id: u32, name: &str, scheduler: &str, cpus: u64) -> Pool {
    Pool {
        id,
        name: name.into(),
        uuid: [u8::try_from(id).unwrap(); 16],
        scheduler: scheduler.into(),
        domains: 0,
        cpus: List::new("cpus", if cpus == 0 { Vec::new() } else { vec![cpus] }).unwrap(),
        remarks: List::default(),
    }
}

/// What the server says, but to questions for definitions.
pub(crate) fn answer<'a>(world: &mut World, request: &Pools<'_>) -> Result<Answer<'a>, Failure> {
    let unknown = Failure::Pool(PoolFailure::Unknown);
    match *request {
        Pools::Next { from } => {
            let found = world.pools.iter().find(|pool| pool.id >= from);
            return Ok(Answer::Pool(found.cloned().map(Box::new)));
        }
        Pools::Create { config } => {
            let config = PoolConfig::decode(config).unwrap();
            let id = u32::try_from(world.pools.len()).unwrap();
            world.pools.push(pool(id, config.name.as_str(), &config.scheduler, 0b100));
        }
        Pools::Destroy { pool } | Pools::AddCpu { pool, .. } | Pools::RemoveCpu { pool, .. } => {
            let found = world.pools.iter_mut().find(|other| other.name == pool).ok_or(unknown)?;
            match *request {
                Pools::AddCpu { cpu, .. } => {
                    found.cpus = List::new("cpus", vec![found.cpus[0] | 1 << cpu]).unwrap()
                }
                Pools::RemoveCpu { cpu, .. } => {
                    found.cpus = List::new("cpus", vec![found.cpus[0] & !(1 << cpu)]).unwrap();
                }
                _ => world.pools.retain(|other| other.name != pool),
            }
        }
        Pools::Migrate { .. } => {}
        Pools::Define { config } => {
            let config = PoolConfig::decode(config).unwrap();
            world.kept_pools.insert(config.name.to_string(), config);
        }
        Pools::Undefine { pool } => drop(world.kept_pools.remove(pool).ok_or(unknown)?),
        Pools::Definition { .. } => unreachable!("it is answered elsewhere"),
    }
    Ok(Answer::Done)
}

fn world() -> World {
    let mut world = World::default();
    world.pools.push(pool(1, "fast", "credit", 0b1010));
    world.rows[1].cpupool = 1;
    world
}

/// A server in whose folder lies a configuration.
fn server(text: &str) -> Server {
    let server = Server::start(world());
    server.file("part", text);
    server
}

fn shown(server: &Server, line: &str) -> String {
    let (status, out, err) = crate::parts(&server.xm(line));
    assert_eq!((status, err.as_str()), (0, ""), "{line}");
    out
}

const TABLE: &str = "\
Name               CPUs   Sched     Active   Domain count
Pool-0               1   credit2       y          1
fast                 2    credit       y          1
";

const CPUS: &str = "\
Name             CPU list
Pool-0           0
fast             1,3
";

#[test]
fn pools_are_listed_to_the_letter() {
    let server = server("cpus = 2\nsched = 'null'\nother_config = ['k=v']");
    assert_eq!(shown(&server, "cpupool-list"), TABLE);
    assert_eq!(shown(&server, "cpupool-list -c"), CPUS);
    let lines: Vec<&str> = TABLE.lines().collect();
    assert_eq!(shown(&server, "cpupool-list fast"), format!("{}\n{}\n", lines[0], lines[2]));
    assert_eq!(shown(&server, "cpupool-new part"), "Using config file \"part\".\n");
    let dormant = "part                 2      null       n          0\n";
    assert_eq!(shown(&server, "cpupool-list"), format!("{TABLE}{dormant}"));
    assert!(shown(&server, "cpupool-list -c part").ends_with("\npart             -\n"));
    let long = shown(&server, "cpupool-list --long fast");
    let record = "(01010101-0101-0101-0101-010101010101\n    (uuid 01010101-0101-0101-0101-010101010101)\n    \
        (name_label fast)\n    (name_description fast)\n    (activated 1)\n";
    assert!(long.starts_with(record), "{long}");
    assert!(long.contains("(host_CPU_numbers 1 3)") && long.contains("(started_VM_names guest)"), "{long}");
    let json: serde_json::Value = serde_json::from_str(&shown(&server, "cpupool-list --json")).unwrap();
    assert_eq!((&json[1]["cpus"], &json[2]["active"]), (&serde_json::json!([1, 3]), &false.into()));
    assert_eq!(json[2]["other_config"]["k"], "v");
    let missing = crate::parts(&server.xm("cpupool-list nobody"));
    assert_eq!(missing, (1, String::new(), "Error: Pool 'nobody' does not exist.\n".into()));
    let (status, out, err) = crate::parts(&server.xm("cpupool-list a b"));
    assert_eq!((status, err.as_str()), (1, "Error: Only one cpupool name for selection allowed\n"));
    assert!(out.starts_with("Usage: xm cpupool-list "));
}

#[test]
fn domains_are_listed_by_the_name_of_their_pool() {
    let server = Server::start(world());
    for (pool, domain) in [("fast", "guest"), ("Pool-0", "Domain-0")] {
        let out = shown(&server, &format!("list --pool={pool}"));
        assert!(out.lines().count() == 2 && out.lines().nth(1).unwrap().starts_with(domain), "{out}");
    }
    assert!(shown(&server, "list -l guest").contains("(pool_name fast)"));
}

#[test]
fn pools_are_defined_started_ended_and_forgotten() {
    let server = server("cpus = '2'\n");
    let state = |line: &str, what: &str| {
        let (status, _, err) = crate::parts(&server.xm(line));
        assert_eq!((status, err), (1, format!("Error: ['POOL_BAD_STATE', '{what}']\n")), "{line}");
    };
    shown(&server, "cpupool-new part");
    state("cpupool-destroy part", "deactivated");
    state("cpupool-cpu-add part 1", "deactivated");
    state("cpupool-migrate guest part", "deactivated");
    assert_eq!(shown(&server, "cpupool-start part"), "");
    state("cpupool-start part", "activated");
    state("cpupool-delete part", "activated");
    assert_eq!(shown(&server, "cpupool-cpu-add part 5"), "");
    assert_eq!(shown(&server, "cpupool-destroy part"), "");
    assert!(
        shown(&server, "cpupool-list part")
            .ends_with("part                 2    credit       n          0\n")
    );
    assert_eq!(shown(&server, "cpupool-delete part"), "");
    let (status, _, err) = crate::parts(&server.xm("cpupool-delete part"));
    assert_eq!((status, err.as_str()), (1, "Error: unknown pool part\n"));
    for line in ["cpupool-start x", "cpupool-destroy x", "cpupool-cpu-remove x 1", "cpupool-migrate guest x"]
    {
        let (status, out, err) = crate::parts(&server.xm(line));
        assert_eq!((status, err.as_str()), (1, "Error: unknown pool x\n"), "{line}");
        assert!(out.starts_with("Usage: xm "), "{line}");
    }
}

#[test]
fn configurations_are_shown_and_refused() {
    let server = server("cpus = ['0', '2']\nother_config = ['a=b c']");
    let out = shown(&server, "cpupool-create -n part name=big");
    assert!(out.starts_with("Using config file \"part\".\n(pool\n    (name_label big)\n"), "{out}");
    server.file("record", out.split_once('\n').unwrap().1);
    let again = shown(&server, "cpupool-create -n -F record");
    assert_eq!(again, out.split_once('\n').unwrap().1);
    assert!(shown(&server, "cpupool-create --help_config").contains("\ncpus=CPUS "));
    for (line, text) in [
        ("cpupool-create nowhere", "Error: Unable to open config file: nowhere\n"),
        ("cpupool-create part name=a,b", "Error: name: cannot contain ','\n"),
        ("cpupool-new -F part", "Error: Cannot read file part: it is no record of a CPU pool\n"),
    ] {
        let (status, _, err) = crate::parts(&server.xm(line));
        assert_eq!((status, err.as_str()), (255, text), "{line}");
    }
    let (status, _, err) = crate::parts(&server.xm("cpupool-create part cpus=x"));
    assert!(status == 255 && err.contains("cannot read"), "{err}");
    let (status, _, err) = crate::parts(&server.xm("cpupool-new part name=fast"));
    let text = "Error: ['PARAMETER_ERROR', 'Pool name \"fast\" already exists']\n";
    assert_eq!((status, err.as_str()), (1, text));
}

#[test]
fn refusals_are_python_lists_as_ever() {
    let refusal = |refuse: fn(&Request<'_>) -> Option<Failure>, line: &str| {
        let server = Server::start(World { refuse, ..world() });
        server.file("part", "");
        let (status, out, err) = crate::parts(&server.xm(line));
        assert!(
            status == 1 && (out.contains("Usage: xm ") || err.contains("takes the right")),
            "{line}: {out}"
        );
        err
    };
    macro_rules! failing {
        ($pattern:pat, $failure:expr) => {
            |request| matches!(request, Request::Pools($pattern)).then(|| $failure)
        };
    }
    let err = refusal(
        failing!(Pools::Create { .. }, Failure::Pool(PoolFailure::TooFewCpus { wanted: 1, free: 0 })),
        "cpupool-create part",
    );
    assert_eq!(err, "Error: ['INSUFFICIENT_CPUS', '1', '0']\n");
    let err =
        refusal(failing!(Pools::Create { .. }, Failure::Pool(PoolFailure::Scheduler)), "cpupool-create part");
    assert_eq!(err, "Error: ['UNKOWN_SCHED_POLICY']\n");
    let err =
        refusal(failing!(Pools::Destroy { .. }, Failure::Pool(PoolFailure::InUse)), "cpupool-destroy fast");
    assert_eq!(err, "Error: ['POOL_BAD_STATE', 'in use']\n");
    let err = refusal(
        failing!(Pools::RemoveCpu { .. }, Failure::Pool(PoolFailure::LastCpu)),
        "cpupool-cpu-remove fast 1",
    );
    assert_eq!(err, "Error: ['LAST_CPU_NOT_REMOVEABLE', 'could not remove last cpu']\n");
    let err = refusal(
        failing!(Pools::AddCpu { .. }, Failure::Pool(PoolFailure::CpuTaken("x".into()))),
        "cpupool-cpu-add fast 1",
    );
    assert_eq!(err, "Error: ['INVAILD_CPU', 'cpu already assigned to pool \"x\"']\n");
    let err = refusal(
        failing!(Pools::Create { .. }, Failure::Forbidden { needs: Rights::Everything }),
        "cpupool-create part",
    );
    assert!(err.starts_with("Error: this takes the right to everything"), "{err}");
    let err = refusal(
        failing!(Pools::Migrate { .. }, Failure::Refused { errno: 16, text: "no".into() }),
        "cpupool-migrate 7 Pool-0",
    );
    assert_eq!(err, "Error: could not move domain\n");
}

#[test]
fn domains_move_and_their_definitions_with_them() {
    let world = world().with_definition("name = 'dormant'\nkernel = '/k'");
    let server = Server::start(world);
    assert_eq!(shown(&server, "cpupool-migrate guest Pool-0"), "");
    assert_eq!(shown(&server, "cpupool-migrate dormant 1"), "");
    assert!(server.seen.all().contains(&"define dormant".to_owned()));
    assert!(shown(&server, "list --pool=fast").contains("dormant"));
    for (line, text) in [
        ("cpupool-migrate nobody fast", "unknown domain nobody"),
        ("cpupool-migrate 0 fast", "could not move Domain-0"),
        ("cpupool-cpu-add fast x", "Invalid argument."),
        ("cpupool-cpu-add fast -1", "['INVAILD_CPU', 'CPU unknown']"),
    ] {
        let (status, _, err) = crate::parts(&server.xm(line));
        assert_eq!((status, err), (1, format!("Error: {text}\n")), "{line}");
    }
    for (line, count) in [
        ("cpupool-start", 1),
        ("cpupool-destroy a b", 1),
        ("cpupool-delete", 1),
        ("cpupool-cpu-add fast", 2),
        ("cpupool-cpu-remove fast 1 2", 2),
        ("cpupool-migrate guest", 2),
    ] {
        let (status, _, err) = run(self::world(), line);
        let name = line.split(' ').next().unwrap();
        assert_eq!(
            (status, err),
            (1, format!("Error: 'xm {name}' requires {count} arguments.\n\n")),
            "{line}"
        );
    }
}

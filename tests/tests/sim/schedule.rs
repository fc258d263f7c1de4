//! Schedulers and CPU pools behave as Xen's do.

use xendless_core::abi::errno::Errno;
use xendless_core::hyper::{
    CpuPools, CreateDomain, CreateFlags, Domains, Progress, Promise, SchedulerKind, Schedulers, Share, VcpuId,
};
use xendless_tests::sim::{Config, SimHypervisor};

use crate::{create, errno, request};

#[test]
fn a_domain_has_a_share_under_the_scheduler_of_its_pool_alone() {
    let sim = SimHypervisor::new(Config { cpus: 2, ..Config::default() });
    let control = sim.control();
    let guest = create(&control, CreateFlags::empty());
    let share = Share { weight: 512, cap: 50 };
    control.set_share(guest, SchedulerKind::Credit2, share).unwrap();
    assert_eq!(control.share(guest, SchedulerKind::Credit2), Ok(share));
    assert_eq!(errno(control.share(guest, SchedulerKind::Credit)), Errno::EINVAL);
    assert_eq!(errno(control.promises(guest, VcpuId(0), &mut [None])), Errno::EINVAL);
    assert_eq!(control.remove_pool_cpu(0, 1), Ok(Progress::Done));
    let pool = control.create_pool(SchedulerKind::Rtds).unwrap();
    assert_eq!(errno(control.move_domain(guest, pool)), Errno::ENOENT, "it has no CPU");
    control.add_pool_cpu(pool, 1).unwrap();
    control.set_max_vcpus(guest, 2).unwrap();
    control.move_domain(guest, pool).unwrap();
    let mut found = [None; 2];
    control.promises(guest, VcpuId(0), &mut found).unwrap();
    assert_eq!(found[1], Some(Promise { period_us: 10_000, budget_us: 4_000, extra: true }));
    let promise = Promise { period_us: 100, budget_us: 101, extra: false };
    assert_eq!(errno(control.set_promise(guest, VcpuId(1), promise)), Errno::EINVAL);
    control.set_promise(guest, VcpuId(1), Promise { budget_us: 100, ..promise }).unwrap();
    assert_eq!(errno(control.promises(guest, VcpuId(2), &mut [None])), Errno::EINVAL);
    let view = sim.as_domain(guest);
    assert_eq!(errno(view.share(guest, SchedulerKind::Rtds)), Errno::EPERM);
    assert_eq!(errno(view.create_pool(SchedulerKind::Credit)), Errno::EPERM);
}

#[test]
fn a_pool_is_empty_at_its_beginning_and_its_end() {
    let sim = SimHypervisor::new(Config { cpus: 2, ..Config::default() });
    let control = sim.control();
    assert_eq!(errno(control.remove_pool_cpu(0, 0)), Errno::EINVAL);
    assert_eq!(errno(control.create_pool(SchedulerKind::Other(4))), Errno::ENOENT);
    let pool = control.create_pool(SchedulerKind::Credit).unwrap();
    assert_eq!(errno(control.add_pool_cpu(pool, 1)), Errno::ENODEV, "it is in pool 0");
    let inside = CreateDomain { cpupool: pool, ..request(CreateFlags::empty()) };
    assert_eq!(errno(control.create_domain(&inside)), Errno::ENODEV);
    assert_eq!(control.remove_pool_cpu(0, 1), Ok(Progress::Done));
    assert_eq!(control.free_cpus().unwrap().iter().collect::<Vec<_>>(), [1]);
    control.add_pool_cpu(pool, 1).unwrap();
    let guest = control.create_domain(&inside).unwrap();
    let info = control.next_pool(1).unwrap().unwrap();
    assert_eq!((info.id, info.domains, info.cpus.words().collect()), (pool, 1, vec![2]));
    assert_eq!(control.next_pool(pool + 1), Ok(None));
    assert_eq!(errno(control.remove_pool_cpu(pool, 1)), Errno::EBUSY);
    assert_eq!(errno(control.destroy_pool(pool)), Errno::EBUSY);
    crate::destroy(&control, guest);
    assert_eq!(control.remove_pool_cpu(pool, 1), Ok(Progress::Done));
    assert_eq!(errno(control.remove_pool_cpu(pool, 1)), Errno::EADDRNOTAVAIL);
    control.destroy_pool(pool).unwrap();
    control.add_pool_cpu(0, 1).unwrap();
    sim.assert_pristine();
}

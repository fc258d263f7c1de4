//! What `xm` and `xmd` promise to take, in counted instructions. `ci/bench` has more, beside Debian's own tools.

use xendless_tests::bench::course::{Course, LIMIT, Side};
use xendless_tests::qemu::budget::{Budget, XM_CREATE, XM_DESTROY, XM_LIST, XM_VERSION, XMD_START};

#[test]
fn commands_and_the_relay_keep_their_budgets() {
    let figures = Course::Promises.run(Side::Xendless, LIMIT).unwrap();
    assert_eq!(figures.troubles, [""; 0]);
    let check = |(label, budget): (&str, Budget)| {
        let nanoseconds = figures.median(label).unwrap_or_else(|| panic!("no {label} in\n{figures}"));
        budget.measured(nanoseconds / 1e6).check().err()
    };
    let promises = [
        ("version", XM_VERSION),
        ("list", XM_LIST),
        ("create-marked", XM_CREATE),
        ("destroy", XM_DESTROY),
        ("serve", XMD_START),
    ];
    let broken: Vec<String> = promises.into_iter().filter_map(check).collect();
    assert_eq!(broken, [""; 0], "{figures}");
}

//! Every variable of the table: a valid value is taken and has its effect; a wrong one is pointed at.

use proptest::prelude::*;
use xendless_hosttools::config::table::{self, Kind, Status, Variable};

use super::{errors, run};

/// Values for variables with a form of their own, and what has to be set beside them.
fn example(variable: &Variable) -> (String, &'static str) {
    let (value, beside) = match variable.name {
        "uuid" => ("'5e7a6f0e-0c39-4f3d-9c2e-0d6b9f5d7a11'", ""),
        "type" | "builder" => ("'pvh'", ""),
        "on_poweroff" | "on_reboot" | "on_crash" | "on_watchdog" => ("'rename-restart'", ""),
        "restart" => ("'always'", ""),
        "on_xend_start" => ("'start'", ""),
        "on_xend_stop" => ("'suspend'", ""),
        "kernel" => ("'/other'", ""),
        "bootloader_args" | "bootargs" => ("'-q'", "bootloader = 'pygrub'"),
        "gateway" | "netmask" | "hostname" | "interface" => ("'eth1'", "ip = '10.0.0.2'"),
        "nfs_server" => ("'10.0.0.1'", "ip = '10.0.0.2'"),
        "nfs_root" => ("'/srv'", "nfs_server = '10.0.0.1'"),
        "period" => ("1000", "budget = 100"),
        "budget" => ("100", "period = 1000"),
        "vcpus" => ("4", ""),
        "maxvcpus" => ("4", "vcpus = 2"),
        "maxmem" => ("512", ""),
        "memory" => ("64", ""),
        "cpu" => ("3", ""),
        "cpu_cap" | "cap" => ("50", ""),
        "cpus" | "cpus_soft" => ("'0-3,^1'", ""),
        "cpuid" | "cpuid_check" => ("['1:eax=0x1']", ""),
        "disk" => ("['phy:vg/a,xvda,w']", ""),
        "vif" => ("['bridge=b']", ""),
        "vfb" => ("['vnc=1']", ""),
        "vtpm" => ("['backend=tpm']", ""),
        "pci" => ("['03:00.0']", ""),
        "pci_msitranslate" => ("0", "pci = ['03:00.0']"),
        "pci_power_mgmt" | "pci_permissive" => ("1", "pci = ['03:00.0']"),
        "ioports" => ("['2f8-2ff']", ""),
        "iomem" => ("['fe000,2']", ""),
        "irq" | "irqs" => ("[5]", ""),
        "vscsi" => ("['/dev/sdb,0:0:0:0']", ""),
        "vusb" => ("['usbver=1,numports=2,port_1=1-2']", ""),
        "usbctrl" => ("['version=3,ports=4']", ""),
        _ => return (usual(&variable.kind), ""),
    };
    (value.to_owned(), beside)
}

/// A valid value that is not the default of any variable of this kind.
fn usual(kind: &Kind) -> String {
    match kind {
        Kind::Text(_) | Kind::TextOrList(_) => "'some'".to_owned(),
        Kind::Int { min, max, .. } => (*min + (*max - *min).min(7)).to_string(),
        Kind::Flag(_) => "1".to_owned(),
        Kind::Choice { words, .. } => format!("'{}'", words.last().unwrap()),
        Kind::Numbered { words, .. } => format!("'{}'", words.last().unwrap()),
        Kind::List(_) => "['some']".to_owned(),
    }
}

fn text(variable: &Variable, value: &str, beside: &str) -> String {
    format!(
        "{beside}\n{}\n{} = {value}",
        if variable.name == "kernel" { "" } else { "kernel = '/k'" },
        variable.name
    )
}

#[test]
fn a_valid_value_has_its_effect() {
    for variable in table::variables() {
        let (value, beside) = example(variable);
        let with = run(&text(variable, &value, beside), &[]);
        let without = run(&format!("{beside}\nkernel = '/k'"), &[]);
        match variable.status {
            Status::Sets(_) => {
                let with = with.unwrap_or_else(|errors| panic!("{errors}"));
                // A domain can do without these, and does.
                let unserved = ["vfb", "vusb", "usbctrl"].contains(&variable.name);
                assert_eq!(with.warnings.len(), usize::from(unserved), "{}", variable.name);
                assert_ne!(Ok(with.config), without.map(|e| e.config), "{} has no effect", variable.name);
            }
            Status::Emulation => {
                let with = with.unwrap_or_else(|errors| panic!("{errors}"));
                assert_eq!(
                    (&with.config, with.warnings.len()),
                    (&without.unwrap().config, 0),
                    "{}",
                    variable.name
                );
            }
            Status::Ignored(why) => {
                let with = with.unwrap_or_else(|errors| panic!("{errors}"));
                assert_eq!(with.warnings[0].message, format!("{} is ignored: {why}", variable.name));
                assert_eq!(with.config, without.unwrap().config, "{}", variable.name);
            }
            Status::Refused(why) => assert!(with.unwrap_err().0[0].message.starts_with(why)),
        }
    }
}

#[test]
fn no_value_and_empty_text_leave_the_default() {
    let config = |text: &str| run(text, &[]).map(|evaluated| (evaluated.config, evaluated.warnings));
    let default = config("kernel = '/k'");
    for variable in table::variables().filter(|variable| variable.name != "kernel") {
        for value in ["None", "''"] {
            let found = config(&text(variable, value, ""));
            let fits = matches!(variable.name, "uuid") && value == "''";
            assert!(found == default || fits, "{} = {value}: {found:?}", variable.name);
        }
    }
}

#[test]
fn a_wrong_type_is_pointed_at() {
    for variable in table::variables() {
        for value in ["{'a': 1}", "[[1]]", "len"] {
            let text = text(variable, value, "");
            let message = errors(&text, &[]);
            let line = text.lines().count();
            assert!(message.contains(variable.name), "{message}");
            assert!(message.contains(&format!("at /etc/xen/web:{line}:")), "{message}");
        }
    }
}

#[test]
fn a_value_out_of_range_is_pointed_at() {
    for variable in table::variables() {
        let wrong: Vec<String> = match &variable.kind {
            Kind::Int { min, max, .. } => {
                vec![(min - 1).to_string(), (max + 1).to_string(), "'many'".to_owned()]
            }
            Kind::Flag(_) => vec!["2".to_owned(), "'maybe'".to_owned()],
            Kind::Choice { .. } => vec!["'nonsense'".to_owned()],
            Kind::Numbered { words, .. } => vec![words.len().to_string(), "'nonsense'".to_owned()],
            Kind::Text(_) | Kind::List(_) | Kind::TextOrList(_) => continue,
        };
        for value in wrong {
            let message = errors(&text(variable, &value, ""), &[]);
            let classic = matches!(&variable.kind, Kind::Choice { classic: Some(text), .. } if message.starts_with(text));
            assert!(classic || message.starts_with(variable.name), "{message}");
            assert!(message.contains("at /etc/xen/web:3:"), "{message}");
        }
    }
}

#[test]
fn the_ends_of_each_range_are_taken() {
    for variable in table::variables() {
        let Kind::Int { min, max, .. } = &variable.kind else { continue };
        for value in [min, max] {
            let result = run(&text(variable, &value.to_string(), ""), &[]);
            // At its end, a number may be at odds with another; it must not be out of range.
            let message = result.map_or_else(|errors| errors.to_string(), |_| String::new());
            assert!(!message.contains(&format!("{} must be from", variable.name)), "{message}");
        }
    }
}

#[test]
fn every_variable_can_be_given_on_the_command_line() {
    for variable in table::variables() {
        let value = match &variable.kind {
            Kind::Int { .. } => "abc",
            Kind::Flag(_) => "maybe",
            _ => continue,
        };
        let message = errors("kernel = '/k'", &[(variable.name, value)]);
        let classic =
            if matches!(variable.kind, Kind::Flag(_)) { "Invalid value:maybe" } else { "Invalid value: abc" };
        assert!(message.starts_with(classic), "{message}");
        assert!(message.contains(&format!("{}={value} on the command line", variable.name)), "{message}");
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(300))]

    #[test]
    fn any_text_is_a_domain_or_an_error(text: String, name in 0..200_usize, value in "\\PC{0,30}") {
        let _ = run(&text, &[]).map_err(|errors| errors.to_string());
        if let Some(variable) = table::variables().nth(name) {
            let quoted = format!("{value:?}");
            let _ = run(&format!("{} = {quoted}", variable.name), &[]);
            let _ = run(&format!("{} = [{quoted}]", variable.name), &[]);
            let _ = run("kernel = '/k'", &[(variable.name, &value)]);
        }
    }

    #[test]
    fn devices_take_any_text(words in proptest::collection::vec("(phy:|file:|/|,|=|:|@|[a-z]{1,8}|[0-9]{1,4}|\\.|-|\\^)", 0..12)) {
        let value = format!("{:?}", words.concat());
        for name in ["disk", "vif", "vfb", "pci", "vtpm", "vusb", "vscsi", "ioports", "iomem", "cpus", "usbctrl"] {
            if let Ok(evaluated) = run(&format!("kernel = '/k'\n{name} = [{value}]"), &[]) {
                prop_assert!(evaluated.config.encode().is_some());
            }
        }
    }
}

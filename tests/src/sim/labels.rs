//! Security labels. Refusals follow `xsm/flask/flask_op.c` and `hooks.c` of Xen; what its policy allows is everything to
//! the initial domain, and nothing to others.

use std::collections::BTreeMap;

use xendless_core::abi::errno::Errno;
use xendless_core::hyper::{Call, DomId, LABEL, Labelled, Labels, Result, USUAL_LABEL};

use super::machine::Machine;
use super::{Answer, SimDomain, SimHypervisor};

/// What a policy begins with (`POLICYDB_MAGIC`).
pub const POLICY_MAGIC: [u8; 4] = 0xf97c_ff8c_u32.to_le_bytes();

/// The newest version of the format (`POLICYDB_VERSION_MAX`).
const VERSION: u32 = 30;
/// The label of the initial domain, and that of what has none.
const DOM0: u32 = 3;
const UNLABELED: u32 = 6;
/// The first number for labels that are not in every policy.
const FIRST: u32 = 14;

/// What Xen knows of labels.
#[derive(Clone, Debug)]
pub(super) struct Flask {
    enforcing: bool,
    /// Types of domains that the policy has.
    types: Vec<String>,
    numbers: BTreeMap<u32, String>,
    /// What was loaded last.
    loaded: Vec<u8>,
    resources: BTreeMap<(u32, u64, u64), u32>,
}

fn context(kind: &str) -> String {
    format!("system_u:system_r:{kind}")
}

impl Flask {
    pub(super) fn new() -> Self {
        let initial = [(DOM0, "dom0_t"), (UNLABELED, "unlabeled_t"), (USUAL_LABEL, "domU_t")];
        Self {
            enforcing: true,
            types: ["dom0_t", "domU_t", "isolated_domU_t"].map(String::from).into(),
            numbers: initial.map(|(number, kind)| (number, context(kind))).into(),
            loaded: Vec::new(),
            resources: BTreeMap::new(),
        }
    }

    /// `security_context_to_sid`.
    fn number(&mut self, label: &str) -> Answer<u32> {
        if let Some((number, _)) = self.numbers.iter().find(|(_, text)| *text == label) {
            return Ok(*number);
        }
        if !self.types.iter().any(|kind| context(kind) == label) {
            return Err(Errno::EINVAL);
        }
        let number = self.numbers.keys().last().map_or(FIRST, |last| (last + 1).max(FIRST));
        self.numbers.insert(number, label.to_owned());
        Ok(number)
    }

    /// `flask_domain_create`: whether a domain may be made with this label, and which it then has.
    fn create(&self, number: u32) -> Answer<u32> {
        match number {
            DOM0 => Err(Errno::EINVAL),
            // Nobody may make what has no label.
            0 | UNLABELED if self.enforcing => Err(Errno::EACCES),
            number => Ok(number),
        }
    }
}

impl Machine {
    fn flask(&mut self, me: DomId) -> Answer<&mut Flask> {
        let flask = self.flask.as_mut().ok_or(Errno::ENOSYS)?;
        if me == SimHypervisor::INITIAL || !flask.enforcing { Ok(flask) } else { Err(Errno::EACCES) }
    }

    /// The label that a new domain gets.
    pub(super) fn label_of_new(&self, wanted: u32) -> Answer<u32> {
        self.flask.as_ref().map_or(Ok(0), |flask| flask.create(wanted))
    }
}

impl SimHypervisor {
    /// The policy that was loaded last.
    #[must_use]
    pub fn loaded_policy(&self) -> Vec<u8> {
        self.with(|machine| machine.flask.as_ref().map(|flask| flask.loaded.clone()).unwrap_or_default())
    }

    /// The parts of the machine that have labels: kind, first, last, and the number of the label.
    #[must_use]
    pub fn labelled_resources(&self) -> Vec<(u32, u64, u64, u32)> {
        self.with(|machine| {
            let resources = machine.flask.iter().flat_map(|flask| &flask.resources);
            resources.map(|((what, first, last), number)| (*what, *first, *last, *number)).collect()
        })
    }
}

impl Labels for SimDomain {
    fn enforcing(&self) -> Result<bool> {
        self.call(Call::PolicyEnforceGet, |machine, _| {
            machine.flask.as_ref().map(|flask| flask.enforcing).ok_or(Errno::ENOSYS)
        })
    }

    fn set_enforcing(&self, enforcing: bool) -> Result<()> {
        self.call(Call::PolicyEnforceSet, |machine, me| {
            machine.flask(me)?.enforcing = enforcing;
            Ok(())
        })
    }

    fn policy_version(&self) -> Result<u32> {
        self.call(Call::PolicyVersion, |machine, _| {
            machine.flask.as_ref().map(|_| VERSION).ok_or(Errno::ENOSYS)
        })
    }

    fn load_policy(&self, policy: &[u8]) -> Result<()> {
        self.call(Call::PolicyLoad, |machine, me| {
            let flask = machine.flask(me)?;
            if !policy.starts_with(&POLICY_MAGIC) {
                return Err(Errno::EINVAL);
            }
            flask.loaded = policy.to_vec();
            // In this model the rest of a policy is one more type.
            flask.types.extend(String::from_utf8(policy[POLICY_MAGIC.len()..].to_vec()));
            Ok(())
        })
    }

    fn label_number(&self, label: &str) -> Result<u32> {
        self.call(Call::LabelNumber, |machine, me| machine.flask(me)?.number(label))
    }

    fn label_text(&self, number: u32) -> Result<String> {
        self.call(Call::LabelText, |machine, me| {
            let flask = machine.flask(me)?;
            // `sidtab_search`: what is not known is not labelled.
            let text = flask.numbers.get(&number).unwrap_or(&flask.numbers[&UNLABELED]).clone();
            if text.len() > LABEL { Err(Errno::ERANGE) } else { Ok(text) }
        })
    }

    fn label_domain(&self, domid: DomId, number: u32) -> Result<()> {
        self.call(Call::LabelDomain, |machine, me| {
            machine.flask(me)?;
            machine.domain_mut(domid)?.ssid = number;
            Ok(())
        })
    }

    fn label_resource(&self, what: Labelled, first: u64, last: u64, number: Option<u32>) -> Result<()> {
        self.call(Call::LabelResource, |machine, me| {
            let resources = &mut machine.flask(me)?.resources;
            let key = (what.code(), first, last);
            match number {
                // `security_ocontext_add`, `security_ocontext_del`.
                Some(_) if resources.contains_key(&key) => Err(Errno::EEXIST),
                Some(number) => {
                    resources.insert(key, number);
                    Ok(())
                }
                None => resources.remove(&key).map(drop).ok_or(Errno::ENOENT),
            }
        })
    }
}

//! The functions of `xen.util.ip` that configurations could always use. Those that calculate do; those that
//! asked the host's tools for its addresses need a value from the command line now.

use std::net::Ipv4Addr;

use super::call::{Call, Native};
use super::fault::{Kind, Result, fault};
use super::interp::Interp;
use super::modules::{Entry, Module};
use super::value::Value;

pub(super) static MODULE: Module = Module {
    name: "xen.util.ip",
    entries: &[
        ("add_offset_to_ip", Entry::Function(&Native { name: "add_offset_to_ip", call: add_offset })),
        ("check_subnet", Entry::Function(&Native { name: "check_subnet", call: check_subnet })),
        ("get_current_ipaddr", Entry::Function(&Native { name: "get_current_ipaddr", call: ask_host })),
        ("get_current_ipgw", Entry::Function(&Native { name: "get_current_ipgw", call: ask_host })),
        ("get_current_ipmask", Entry::Function(&Native { name: "get_current_ipmask", call: ask_host })),
        ("get_defaultroute", Entry::Function(&Native { name: "get_defaultroute", call: ask_host })),
        ("inet_aton", Entry::Function(&Native { name: "inet_aton", call: to_number })),
        ("inet_ntoa", Entry::Function(&Native { name: "inet_ntoa", call: to_text })),
    ],
};

fn ask_host(_: &mut Interp<'_>, call: &Call) -> Result<Value> {
    let message = format!("{}() would ask this host for its network, which configurations cannot", call.name);
    Err(fault(Kind::RuntimeError, call.at, message)
        .help("give the address on the command line, as in my_ip=10.0.0.1"))
}

fn address(call: &Call, index: usize) -> Result<u32> {
    let text = call.text(index)?;
    let message = || format!("'{text}' is not an address such as 10.0.0.1");
    text.parse::<Ipv4Addr>().map(u32::from).map_err(|_| fault(Kind::ValueError, call.at, message()))
}

pub(super) fn to_number(_: &mut Interp<'_>, call: &Call) -> Result<Value> {
    call.accept(1, 1, &[])?;
    address(call, 0).map(|number| Value::Int(i64::from(number)))
}

fn to_text(interp: &mut Interp<'_>, call: &Call) -> Result<Value> {
    call.accept(1, 1, &[])?;
    from_number(interp, call, call.int(0)?)
}

fn from_number(interp: &mut Interp<'_>, call: &Call, number: i64) -> Result<Value> {
    match u32::try_from(number) {
        Ok(number) => interp.text(Ipv4Addr::from(number).to_string(), call.at),
        Err(_) => Err(fault(Kind::ValueError, call.at, format!("{number} is outside of all addresses"))),
    }
}

fn add_offset(interp: &mut Interp<'_>, call: &Call) -> Result<Value> {
    call.accept(2, 2, &[])?;
    let start = address(call, 0)?;
    from_number(interp, call, i64::from(start).saturating_add(call.int(1)?))
}

fn check_subnet(_: &mut Interp<'_>, call: &Call) -> Result<Value> {
    call.accept(3, 3, &[])?;
    let (host, network, mask) = (address(call, 0)?, address(call, 1)?, address(call, 2)?);
    Ok(Value::Bool(host & mask == network & mask))
}

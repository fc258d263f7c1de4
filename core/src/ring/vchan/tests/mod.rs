//! Both ends against each other, against libxenvchan as its header describes it, and against hostile peers.

mod connection;
mod hostile;
mod signals;
mod stream;

use alloc::boxed::Box;
use alloc::rc::Rc;
use alloc::vec::Vec;
use core::cell::RefCell;
use core::ops::Deref;

use super::*;
use crate::hyper::{GrantRef, SharedOut};
use crate::ring::{Consumer, Producer};
use crate::shared::Page;

/// A page that both ends have. Just before it is looked at, what is planned happens: a peer that runs beside us.
#[derive(Clone)]
struct Shared {
    page: Rc<Page>,
    grant: GrantRef,
    plan: Rc<RefCell<Option<Plan>>>,
}

/// How many more accesses pass before the action.
struct Plan {
    after: usize,
    action: Box<dyn FnOnce()>,
}

impl Shared {
    fn new(grant: u32) -> Self {
        Self { page: Rc::new(Page::new()), grant: GrantRef(grant), plan: Rc::default() }
    }

    fn several(first: u32, count: u32) -> Vec<Self> {
        (first..first + count).map(Self::new).collect()
    }

    /// The same page, for the other side: its accesses trigger nothing.
    fn mapped(&self) -> Self {
        Self { plan: Rc::default(), ..self.clone() }
    }

    fn plan(&self, after: usize, action: impl FnOnce() + 'static) {
        *self.plan.borrow_mut() = Some(Plan { after, action: Box::new(action) });
    }
}

impl Deref for Shared {
    type Target = Page;

    fn deref(&self) -> &Page {
        let due = match &mut *self.plan.borrow_mut() {
            Some(Plan { after: 0, .. }) => true,
            Some(plan) => {
                plan.after -= 1;
                false
            }
            None => false,
        };
        if due && let Some(plan) = self.plan.take() {
            (plan.action)();
        }
        &self.page
    }
}

impl SharedOut for Shared {
    fn grant(&self) -> GrantRef {
        self.grant
    }
}

/// A server with so many pages for each ring, and its control page.
fn serve(left: u32, right: u32) -> (Shared, ServerEnd<Shared>, Vec<Shared>) {
    let control = Shared::new(8);
    let (left, right) = (Shared::several(1000, left), Shared::several(2000, right));
    let pages = [left.clone(), right.clone()].concat();
    (control.clone(), ServerEnd::open(control, left, right).unwrap(), pages)
}

/// Maps what is offered.
fn open(control: &Shared, pages: &[Shared]) -> ClientEnd<Shared> {
    let offer = Offer::read(control).unwrap();
    let map = |grants: &[GrantRef]| -> Vec<Shared> {
        grants.iter().map(|gref| pages.iter().find(|page| page.grant == *gref).unwrap().mapped()).collect()
    };
    ClientEnd::open(control.mapped(), &offer, map(offer.left()), map(offer.right())).unwrap()
}

/// A server and a client at work.
fn pair(left: u32, right: u32) -> (Shared, ServerEnd<Shared>, ClientEnd<Shared>) {
    let (control, server, pages) = serve(left, right);
    let mut client = open(&control, &pages);
    assert_eq!(client.connect(), Link::Up);
    (control, server, client)
}

/// Both rings as they are after `start` bytes.
fn wind(control: &Page, server: &mut ServerEnd<Shared>, client: &mut ClientEnd<Shared>, start: u32) {
    for at in [0, 4, 8, 12] {
        control.write(at, &start.to_ne_bytes());
    }
    let (left, right) = (server.input.buffer().size(), server.output.buffer().size());
    server.input.index = Consumer::new(left, start, start).unwrap();
    client.output.index = Producer::new(left, start, start).unwrap();
    client.input.index = Consumer::new(right, start, start).unwrap();
    server.output.index = Producer::new(right, start, start).unwrap();
}

//! Commits, in bounded pieces.
//!
//! A commit is judged path by path, then made change by change, then told. A short one is through at once; of a
//! long one the rest is left to [`Server::step`], and its answer is kept until its request is given again. Nothing
//! else happens to the store until then, so nobody sees half of it.

use alloc::boxed::Box;
use alloc::collections::BTreeMap;
use alloc::rc::Rc;
use alloc::vec::{self, Vec};

use super::{Answer, Ask};
use crate::hyper::DomId;
use crate::store::path::{Path, PathBuf};
use crate::store::perms::{Caller, Perms};
use crate::store::server::{ConnId, Hold, Open, Server};
use crate::store::state::{Refusal, cost};
use crate::store::transaction::Effect;
use crate::store::tree::Tree;
use crate::store::wire::XsError;

/// Contested paths a connection keeps.
const CONTESTED_MAX: usize = 64;

/// What may be done at once when the request comes. See [`Path::walk_cost`].
const AT_ONCE: u32 = 512;

/// What judging a path costs, and making and telling a change, in walks.
const JUDGING: u32 = 4;
const MAKING: u32 = 8;
const TELLING: u32 = 4;

/// A commit under way.
#[derive(Debug)]
pub(in crate::store) struct Commit {
    conn: ConnId,
    tx_id: u32,
    caller: Caller,
    stage: Stage,
}

#[derive(Debug)]
enum Stage {
    Judge(Open, Verdict),
    Make(vec::IntoIter<Effect>, Vec<Made>),
    Tell(vec::IntoIter<Made>),
}

/// What is known so far of whether a commit may be made.
#[derive(Debug, Default)]
struct Verdict {
    /// Nobody has changed anything since the transaction began.
    current: bool,
    /// The last path that was looked at.
    at: Option<PathBuf>,
    /// Where the live tree is no longer what the transaction saw.
    conflicts: Vec<PathBuf>,
    /// The owner of a node died.
    orphaned: bool,
    /// Somebody's transaction must not be made to fail.
    guarded: bool,
    /// What there is to do, parents first.
    effects: Vec<Effect>,
    /// Nodes and bytes that it adds to what each domain has.
    growth: BTreeMap<DomId, (u32, u32)>,
}

/// A change that was made and has to be told.
#[derive(Debug)]
struct Made {
    order: usize,
    path: PathBuf,
    old: Option<Rc<Perms>>,
    removed: Option<Tree>,
}

/// How a piece of a commit ended.
enum Piece {
    /// There is more to do.
    More(Stage),
    /// It is through.
    Through(Result<(), XsError>),
    /// It is to begin anew when a guard is gone.
    Again(Open),
}

impl Server {
    pub(super) fn commit(&mut self, ask: &mut Ask, transaction: Open) -> Answer {
        let verdict = Verdict { current: transaction.is_current(&self.state.tree), ..Verdict::default() };
        let stage = Stage::Judge(transaction, verdict);
        let mut commit = Commit { conn: ask.conn, tx_id: ask.tx_id, caller: ask.caller, stage };
        match self.proceed(commit.conn, commit.tx_id, &commit.caller, commit.stage, &mut { AT_ONCE }) {
            Piece::Through(outcome) => outcome.map(|()| None).map_err(Refusal::Error),
            Piece::Again(transaction) => {
                ask.transaction = Some(transaction);
                Err(Refusal::Wait(Hold::Guard))
            }
            Piece::More(stage) => {
                commit.stage = stage;
                self.commit = Some(Box::new(commit));
                Err(Refusal::Wait(Hold::Chores))
            }
        }
    }

    /// Goes on with the commit that is under way, if there is one; returns what is left of the budget.
    pub(in crate::store) fn go_on(&mut self, mut budget: u32) -> u32 {
        let Some(commit) = self.commit.take() else { return budget };
        let Commit { conn, tx_id, caller, stage } = *commit;
        let piece = self.proceed(conn, tx_id, &caller, stage, &mut budget);
        let connection = self.conns.get_mut(&conn);
        match piece {
            Piece::More(stage) => self.commit = Some(Box::new(Commit { conn, tx_id, caller, stage })),
            Piece::Through(outcome) => {
                if let Some(connection) = connection.filter(|connection| connection.waits.is_some()) {
                    connection.finished = Some(outcome.map(|()| None).map_err(Refusal::Error));
                }
            }
            Piece::Again(transaction) => match connection {
                Some(connection) => {
                    connection.waits = connection.waits.map(|_| Hold::Guard);
                    connection.transactions.insert(tx_id, transaction);
                }
                None => self.close(conn, caller.domain.domid, tx_id, *transaction),
            },
        }
        budget
    }

    fn proceed(
        &mut self,
        conn: ConnId,
        tx_id: u32,
        caller: &Caller,
        mut stage: Stage,
        budget: &mut u32,
    ) -> Piece {
        loop {
            stage = match stage {
                Stage::Judge(transaction, mut verdict) => {
                    if !self.judge(caller, &transaction, &mut verdict, budget) || *budget == 0 {
                        return Piece::More(Stage::Judge(transaction, verdict));
                    }
                    match self.decide(conn, caller, &transaction, &mut verdict, budget) {
                        Ok(()) => {}
                        Err(Refusal::Wait(Hold::Guard)) => return Piece::Again(transaction),
                        Err(Refusal::Wait(Hold::Chores)) => {
                            return Piece::More(Stage::Judge(transaction, verdict));
                        }
                        Err(Refusal::Error(error)) => {
                            self.close(conn, caller.domain.domid, tx_id, *transaction);
                            return Piece::Through(Err(error));
                        }
                    }
                    self.close(conn, caller.domain.domid, tx_id, *transaction);
                    // Nothing shares the transaction's copies any more: free them first, and changes are made in
                    // place.
                    *budget = self.state.step(*budget);
                    Stage::Make(verdict.effects.into_iter(), Vec::new())
                }
                Stage::Make(mut effects, mut made) => {
                    while let Some(effect) = effects.next() {
                        *budget = budget.saturating_sub(MAKING * effect.path.as_path().walk_cost());
                        made.extend(self.make(effect));
                        if *budget == 0 {
                            return Piece::More(Stage::Make(effects, made));
                        }
                    }
                    made.sort_unstable_by_key(|made| made.order);
                    Stage::Tell(made.into_iter())
                }
                Stage::Tell(mut made) => {
                    while let Some(Made { path, old, removed, .. }) = made.next() {
                        *budget = budget.saturating_sub(TELLING * path.as_path().walk_cost());
                        self.announce(path.as_path(), old.as_ref(), removed.as_ref());
                        removed.into_iter().for_each(|tree| self.state.discard(tree));
                        if *budget == 0 {
                            return Piece::More(Stage::Tell(made));
                        }
                    }
                    if let Some(connection) = self.conns.get_mut(&conn) {
                        connection.contested.clear();
                    }
                    return Piece::Through(Ok(()));
                }
            };
        }
    }

    /// Looks at touched paths; returns whether all are seen.
    fn judge(
        &mut self,
        caller: &Caller,
        transaction: &Open,
        verdict: &mut Verdict,
        budget: &mut u32,
    ) -> bool {
        let from = verdict.at.take();
        for (path, touch) in transaction.touched_after(from.as_ref()) {
            if *budget == 0 {
                return false;
            }
            *budget = budget.saturating_sub(JUDGING * path.as_path().walk_cost());
            verdict.at = Some(path.clone());
            if !verdict.current && !transaction.holds(path.as_path(), touch, &self.state.tree) {
                verdict.conflicts.push(path.clone());
            }
            if let Some(effect) = transaction.effect(path, touch) {
                self.judge_effect(caller, effect, verdict);
            }
        }
        verdict.at = verdict.at.take().or(from);
        true
    }

    fn judge_effect(&self, caller: &Caller, effect: Effect, verdict: &mut Verdict) {
        verdict.guarded |= self.is_guarded(caller, effect.path.as_path());
        if let Some(node) = &effect.node {
            let owner = node.perms.owner().domid;
            // An owner may have died since, and its number may mean another by now.
            verdict.orphaned |= effect.perms && !self.state.domains.lives(owner, node.perms.stamp());
            let (nodes, bytes) = verdict.growth.entry(owner).or_default();
            *nodes += u32::from(effect.fresh);
            *bytes = bytes.saturating_add(effect.growth);
        }
        verdict.effects.push(effect);
    }

    /// Whether a commit may be made, when all of it was looked at.
    fn decide(
        &mut self,
        conn: ConnId,
        caller: &Caller,
        transaction: &Open,
        verdict: &mut Verdict,
        budget: &mut u32,
    ) -> Result<(), Refusal> {
        let conflicts = core::mem::take(&mut verdict.conflicts);
        if transaction.doomed || !conflicts.is_empty() {
            if caller.is_privileged()
                && let Some(connection) = self.conns.get_mut(&conn)
            {
                let known = &mut connection.contested;
                known.extend(conflicts.into_iter().take(CONTESTED_MAX.saturating_sub(known.len())));
            }
            return Err(XsError::EAGAIN.into());
        }
        if verdict.orphaned {
            return Err(XsError::EAGAIN.into());
        }
        if verdict.guarded {
            return Err(Refusal::Wait(Hold::Guard));
        }
        self.check_growth(caller, transaction, verdict, budget)
    }

    /// Whether there is room for what a commit adds, after what it removes.
    fn check_growth(
        &self,
        caller: &Caller,
        transaction: &Open,
        verdict: &Verdict,
        budget: &mut u32,
    ) -> Result<(), Refusal> {
        // What the transaction holds is given back when it ends.
        let room = |owner: DomId, (nodes, bytes): (u32, u32)| {
            let own = owner == caller.domain.domid;
            let (nodes, held) = if own { (nodes, transaction.charged) } else { (0, 0) };
            self.state.check_room(caller, owner, nodes, bytes.saturating_sub(held))
        };
        let mut growth = verdict.growth.clone();
        let refusal = growth.iter().find_map(|(owner, growth)| room(*owner, *growth).err());
        match refusal {
            Some(Refusal::Error(_)) => {}
            Some(wait) => return Err(wait),
            None => return Ok(()),
        }
        // Counting takes about a piece.
        *budget = 0;
        for removed in tops(&verdict.effects) {
            let gone = transaction.base().get(removed);
            for (_, node) in gone.into_iter().flat_map(Tree::walk) {
                if let Some((nodes, bytes)) = growth.get_mut(&node.value.perms.owner().domid) {
                    (*nodes, *bytes) = (nodes.saturating_sub(1), bytes.saturating_sub(cost(node)));
                }
            }
        }
        growth.into_iter().try_for_each(|(owner, growth)| room(owner, growth))
    }

    /// Makes one change of a commit in the live tree.
    fn make(&mut self, effect: Effect) -> Option<Made> {
        let path = effect.path.as_path();
        let removed = if effect.remove { self.state.remove(path) } else { None };
        let changed = match &effect.node {
            Some(data) if self.state.tree.get(path).is_none() => {
                self.state.create(path, &data.perms, data.value());
                true
            }
            Some(data) => {
                if effect.value {
                    self.state.set_value(path, data.value());
                }
                if effect.perms {
                    self.state.set_perms(path, Rc::clone(&data.perms));
                }
                true
            }
            None => removed.is_some(),
        };
        let Effect { path, order, told, before: old, .. } = effect;
        (changed && told).then_some(Made { order, path, old, removed })
    }
}

/// The highest of the paths that are removed: no node is below two of them.
fn tops(effects: &[Effect]) -> Vec<Path<'_>> {
    let (mut tops, mut above) = (Vec::new(), Vec::<Path<'_>>::new());
    for path in effects.iter().filter(|effect| effect.remove).map(|effect| effect.path.as_path()) {
        // In the order of their bytes, what starts as a path does follows it.
        while above.pop_if(|above| !path.as_bytes().starts_with(above.as_bytes())).is_some() {}
        if above.iter().all(|above| path.levels_below(*above).is_none()) {
            tops.push(path);
            above.push(path);
        }
    }
    tops
}

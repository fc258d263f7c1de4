//! How a trial ends.

use core::fmt;

use xendless_core::hyper::HvError;
use xendless_core::life::CreateError;

/// What went wrong.
pub(super) enum Failure {
    Refused(HvError),
    NotMade(CreateError),
    /// What is not as it should be.
    Wrong(&'static str),
}

impl From<HvError> for Failure {
    fn from(refusal: HvError) -> Self {
        Self::Refused(refusal)
    }
}

impl From<CreateError> for Failure {
    fn from(refusal: CreateError) -> Self {
        Self::NotMade(refusal)
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Refused(refusal) => refusal.fmt(f),
            Self::NotMade(refusal) => refusal.fmt(f),
            Self::Wrong(what) => f.write_str(what),
        }
    }
}

pub(super) type Outcome<T = ()> = Result<T, Failure>;

pub(super) fn check(right: bool, what: &'static str) -> Outcome {
    if right { Ok(()) } else { Err(Failure::Wrong(what)) }
}

//! The comparison of xendless with Debian's own tools: what `ci/bench` does.
//!
//! Both sides run the same scripts on the same machine with the same guests, and the same program
//! (`tests/stopwatch`) measures them.
//!
//! | module | what it is |
//! | --- | --- |
//! | [`figures`] | what the stopwatch printed |
//! | [`course`] | a machine that is booted and carries out a script |
//! | [`rows`] | what is compared, and the budgets |
//! | [`table`] | the table that is printed |

pub mod course;
pub mod figures;
pub mod rows;
pub mod table;

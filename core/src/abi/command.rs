//! Commands of the two control hypercalls, each tied to the type of its argument.
//!
//! `domctl` and `sysctl` take a command number and a C union. Here a union is a [`Union`] of bytes, and a
//! [`Command`] knows which structure belongs into it, so a number and a structure cannot be mixed up.

use core::marker::PhantomData;

use zerocopy::{FromBytes, Immutable, IntoBytes, KnownLayout};

/// A C union of `WORDS` times 64 bits.
#[repr(transparent)]
#[derive(Clone, Copy, PartialEq, Eq, Debug, FromBytes, IntoBytes, Immutable, KnownLayout)]
pub struct Union<const WORDS: usize>([u64; WORDS]);

impl<const WORDS: usize> Union<WORDS> {
    /// All bytes zero.
    pub const ZERO: Self = Self([0; WORDS]);

    /// A union that holds `member`, and zeros behind it.
    #[must_use]
    pub fn of<T: IntoBytes + Immutable>(member: &T) -> Self {
        const { assert!(size_of::<T>() <= size_of::<Self>(), "a member fits into its union") };
        let mut union = Self::ZERO;
        copy(union.as_mut_bytes(), member.as_bytes());
        union
    }

    /// Its bytes seen as one of its members.
    #[must_use]
    pub fn read<T: FromBytes + IntoBytes>(&self) -> T {
        const { assert!(size_of::<T>() <= size_of::<Self>(), "a member fits into its union") };
        let mut member = T::new_zeroed();
        copy(member.as_mut_bytes(), self.as_bytes());
        member
    }
}

/// A command of hypercall `H` and the type of its argument.
#[derive(Debug)]
pub struct Command<H, T>(u32, PhantomData<(H, T)>);

impl<H, T> Command<H, T> {
    pub(super) const fn new(number: u32) -> Self {
        Self(number, PhantomData)
    }

    /// Xen's number.
    #[must_use]
    pub const fn number(&self) -> u32 {
        self.0
    }
}

/// Copies as many bytes as both have.
fn copy(to: &mut [u8], from: &[u8]) {
    for (to, from) in to.iter_mut().zip(from) {
        *to = *from;
    }
}

/// Declares commands: `NAME: Argument = number => "C name";`.
macro_rules! abi_commands {
    ($call:ty { $($(#[$meta:meta])* $name:ident: $argument:ty = $value:literal => $c:literal;)* }) => {
        $(
            #[doc = concat!("`", $c, "`.")]
            $(#[$meta])*
            pub const $name: $crate::abi::command::Command<$call, $argument> =
                $crate::abi::command::Command::new($value);
        )*

        const CONSTANTS: &[$crate::abi::table::Constant] = &[$($crate::abi::table::Constant {
            rust: stringify!($name),
            c: $c,
            value: $value,
            since: None,
        },)*];
    };
}

pub(super) use abi_commands;

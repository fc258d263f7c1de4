//! The table behind the ABI check, and the two macros that fill it.
//!
//! Every structure and constant of this module tree is declared through [`abi_structs!`] or
//! [`abi_constants!`]. One declaration yields the Rust item, the compile-time assertions on its size and
//! offsets, and its row in [`HEADERS`](super::HEADERS), from which a test generates a C program that asks the
//! real headers. So nothing can be declared and left unchecked: a table that nobody lists is dead code, which
//! does not build.

/// A C header and what this project declares after it.
#[derive(Debug)]
pub struct Header {
    /// How C includes it, such as `xen/sched.h`.
    pub path: &'static str,
    /// Its structures.
    pub structs: &'static [Struct],
    /// Its constants.
    pub constants: &'static [Constant],
}

/// A structure's name on both sides, and its layout as declared here.
#[derive(Debug)]
pub struct Struct {
    /// The name in Rust.
    pub rust: &'static str,
    /// The type in C, such as `struct vcpu_info`.
    pub c: &'static str,
    /// Bytes.
    pub size: usize,
    /// Its fields in order, padding included.
    pub fields: &'static [Field],
}

/// One field of a [`Struct`].
#[derive(Debug)]
pub struct Field {
    /// The C expression that names it inside its structure. Names that begin with `_` are padding: C has no
    /// name for those bytes, or no use.
    pub c: &'static str,
    /// Bytes from the start of the structure.
    pub offset: usize,
    /// Bytes.
    pub size: usize,
}

impl Field {
    /// Whether this is padding, which has no counterpart in C.
    #[must_use]
    pub const fn is_padding(&self) -> bool {
        matches!(self.c.as_bytes().first(), Some(b'_'))
    }
}

/// A constant's name on both sides, and its value as declared here.
#[derive(Debug)]
pub struct Constant {
    /// The name in Rust.
    pub rust: &'static str,
    /// The C expression that has the same value.
    pub c: &'static str,
    /// The value, widened so that no constant changes its sign.
    pub value: i128,
    /// The first release whose headers know it, when that is newer than the headers of the check.
    pub since: Option<(u16, u16)>,
}

/// Declares C structures.
///
/// Fields read `@offset name: type = "C expression",` where the expression may be left out when it is the name.
/// Padding is explicit and its name begins with `_`. Each structure gets a constant `ZERO`, so that a value is
/// written as `Name { field: 1, ..Name::ZERO }`; `as_bytes()` of `zerocopy` gives exactly the bytes C would.
macro_rules! abi_structs {
    ($(
        $(#[$meta:meta])*
        struct $name:ident = $c:literal, $size:literal {
            $($(#[$fmeta:meta])* @ $offset:literal $field:ident: $ty:ty $(= $cf:literal)?,)*
        }
    )*) => {
        $(
            $(#[$meta])*
            #[doc = concat!("\n\n`", $c, "`, ", $size, " bytes.")]
            #[repr(C)]
            #[derive(
                Clone, Copy, PartialEq, Eq, Debug, zerocopy::FromBytes, zerocopy::IntoBytes,
                zerocopy::Immutable, zerocopy::KnownLayout,
            )]
            pub struct $name {
                $(
                    #[doc = concat!("`", $crate::abi::table::c_name!($field $($cf)?), "`.")]
                    $(#[$fmeta])*
                    pub $field: $ty,
                )*
            }

            impl $name {
                /// All bytes zero.
                pub const ZERO: Self = zerocopy::transmute!([0u8; $size]);
            }

            const _: () = {
                assert!(size_of::<$name>() == $size, concat!(stringify!($name), " has not ", $size, " bytes"));
                $(assert!(
                    core::mem::offset_of!($name, $field) == $offset,
                    concat!(stringify!($name), "::", stringify!($field), " is not at ", $offset),
                );)*
            };
        )*

        const STRUCTS: &[$crate::abi::table::Struct] = &[$($crate::abi::table::Struct {
            rust: stringify!($name),
            c: $c,
            size: size_of::<$name>(),
            fields: &[$($crate::abi::table::Field {
                c: $crate::abi::table::c_name!($field $($cf)?),
                offset: $offset,
                size: size_of::<$ty>(),
            },)*],
        },)*];
    };
}

/// Declares C constants.
///
/// Each reads `const NAME: type = value => "C expression";` where the expression may be left out when it is the
/// name. `since(4, 18)` before `const` marks what the headers of the check do not know yet.
macro_rules! abi_constants {
    ($(
        $(#[$meta:meta])*
        $(since($major:literal, $minor:literal))? const $name:ident: $ty:ty = $value:expr $(=> $c:literal)?;
    )*) => {
        $(
            #[doc = concat!("`", $crate::abi::table::c_name!($name $($c)?), "`.")]
            $(#[$meta])*
            pub const $name: $ty = $value;
        )*

        const CONSTANTS: &[$crate::abi::table::Constant] = &[$($crate::abi::table::Constant {
            rust: stringify!($name),
            c: $crate::abi::table::c_name!($name $($c)?),
            value: $name as i128,
            since: $crate::abi::table::release!($($major, $minor)?),
        },)*];
    };
}

/// The C name given, or else the Rust name.
macro_rules! c_name {
    ($rust:ident) => {
        stringify!($rust)
    };
    ($rust:ident $c:literal) => {
        $c
    };
}

/// The release given, if any.
macro_rules! release {
    () => {
        None
    };
    ($major:literal, $minor:literal) => {
        Some(($major, $minor))
    };
}

pub(super) use {abi_constants, abi_structs, c_name, release};

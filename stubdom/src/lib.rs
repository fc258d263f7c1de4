//! The control domain.
#![no_std]

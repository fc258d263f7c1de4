//! Host-side tools of xendless.

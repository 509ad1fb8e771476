#![doc = include_str!("../README.md")]

mod client;
mod error;
mod request_id;
mod retries;

/// The messages and enums generated from the contract. `Debug` hides their secrets.
#[allow(clippy::pedantic, missing_docs)]
pub mod pb {
    include!("generated/twofactor.v1.rs");

    mod secrets {
        include!("generated/secrets.rs");
    }
}

#[path = "generated/methods.rs"]
#[allow(clippy::pedantic)]
#[rustfmt::skip]
mod methods;

pub use client::{Client, ConnectError, TlsFiles};
pub use error::{Error, Kind};
#[doc(hidden)]
pub use request_id::Prepare;

//! One file a section of the blueprint, and the one line that registers it.

use super::kind::Kind;

macro_rules! kinds {
    ($($file:ident::$kind:ident),* $(,)?) => {
        $(pub mod $file;)*
        /// Every section of the blueprint.
        pub(super) const KINDS: &[Kind] = &[$(Kind::of::<$file::$kind>()),*];
    };
}

pub mod registration;

kinds! {
    network::Network,
    cluster::Cluster,
}

//! Fields that take one of a few words.

/// Declares enums whose variants are words as the blueprint writes them, and ARM.
macro_rules! words {
    ($($(#[$about:meta])* $name:ident { $($word:literal => $variant:ident,)+ })+) => {$(
        $(#[$about])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
        pub enum $name {
            $(#[doc = concat!("`", $word, "`")] #[serde(rename = $word)] $variant,)+
        }
    )+};
}
pub(super) use words;

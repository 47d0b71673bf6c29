// SPDX-License-Identifier: MIT OR Apache-2.0
//! How a catalogue is written: one line for each approach.

/// Makes the modules and the enum of a catalogue. Each variant stands for the data of its module, to which it dereferences,
/// and is written as its name.
macro_rules! catalogue {
    ($(#[$doc:meta])* $name:ident is $data:ident as $constant:ident { $($module:ident => $variant:ident,)+ }) => {
        $(mod $module;)+

        $(#[$doc])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        #[allow(missing_docs, reason = "each is told in its own module")]
        pub enum $name { $($variant,)+ }

        impl $name {
            /// All of them, in the order of the matrix.
            pub const ALL: &'static [Self] = &[$(Self::$variant,)+];

            /// What the catalogue has of it.
            #[must_use]
            pub const fn data(self) -> &'static $data {
                match self { $(Self::$variant => &$module::$constant,)+ }
            }

            /// The one of that name.
            #[must_use]
            pub fn named(name: &str) -> Option<Self> {
                Self::ALL.iter().copied().find(|one| one.data().name == name)
            }
        }

        impl std::ops::Deref for $name {
            type Target = $data;

            fn deref(&self) -> &$data {
                self.data()
            }
        }

        impl std::fmt::Display for $name {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.pad(self.data().name)
            }
        }

        impl serde::Serialize for $name {
            fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                serializer.serialize_str(self.data().name)
            }
        }

        impl<'de> serde::Deserialize<'de> for $name {
            fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                let name = String::deserialize(deserializer)?;
                Self::named(&name)
                    .ok_or_else(|| serde::de::Error::custom(format!("no approach is called `{name}`")))
            }
        }
    };
}

pub(crate) use catalogue;

//! Types and methods of both clients, written once.

/// Makes `blocking::Type` and `client::Type`, if they are the same, and methods of both; in the latter they are `async`, and
/// `wait!` awaits.
///
/// ```text
/// both! { wait;
///     /// A reader.
///     #[derive(Debug)]
///     pub struct Ovs {
///         pub(crate) connection: Connection,
///     }
///
///     impl Ovs {
///         /// Looks a datapath up.
///         pub fn datapath(&mut self, datapath: DpIfindex) -> Result<Datapath, Error> {
///             wait!(self.connection.one(datapath::FAMILY, Datapath::decode, |id| Ok(datapath::get(id, datapath))))
///         }
///     }
/// }
/// ```
///
/// The name `wait` is given, for the macro of this name that each client has to be visible in the bodies.
macro_rules! both {
    ($wait:ident; $($(#[$attr:meta])* pub struct $struct:ident $fields:tt)? $(impl $type:ident { $(
        $(#[$meta:meta])*
        $vis:vis fn $name:ident $(<$($param:ident),+>)? ($($args:tt)*) -> $answer:ty $body:block
    )+ })+) => {
        pub(crate) mod blocking {
            use super::*;
            use crate::blocking::*;

            $($(#[$attr])* pub struct $struct $fields)?

            macro_rules! $wait {
                ($expression:expr) => { $expression };
            }

            $(impl $type { $(
                $(#[$meta])*
                $vis fn $name $(<$($param),+>)? ($($args)*) -> $answer $body
            )+ })+
        }

        #[cfg(feature = "client")]
        pub(crate) mod client {
            use super::*;
            use crate::client::*;

            $($(#[$attr])* pub struct $struct $fields)?

            macro_rules! $wait {
                ($expression:expr) => { $expression.await };
            }

            $(impl $type { $(
                $(#[$meta])*
                $vis async fn $name $(<$($param),+>)? ($($args)*) -> $answer $body
            )+ })+
        }
    };
}

/// Makes the same of types that both clients have: what does not wait, and so looks the same in both.
macro_rules! same {
    ($($item:tt)*) => {
        const _: () = {
            use crate::blocking::*;
            $($item)*
        };

        #[cfg(feature = "client")]
        const _: () = {
            use crate::client::*;
            $($item)*
        };
    };
}

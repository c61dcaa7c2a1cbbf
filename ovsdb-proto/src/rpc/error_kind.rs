//! The errors that the server names.

/// Declares [`ErrorKind`]: one row per error, with its doc and its name on the wire.
///
/// `/// A wait. TimedOut = "timed out";` becomes a variant of the enum, an arm of `from_name`, and
/// an entry of `ALL`.
macro_rules! error_kinds {
    ($($(#[$doc:meta])* $kind:ident = $name:literal;)*) => {
        /// What went wrong, by the name that the server gives to it: RFC 7047 sections 4 and 5, and
        /// the source of ovsdb-server.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
        #[non_exhaustive]
        pub enum ErrorKind {
            $($(#[$doc])* $kind,)*
            /// A name that is not in this list.
            Other,
        }

        impl ErrorKind {
            /// Every kind with a name.
            pub const ALL: &[Self] = &[$(Self::$kind),*];

            /// The name on the wire, if the kind has one.
            #[must_use]
            pub fn name(self) -> Option<&'static str> {
                match self {
                    $(Self::$kind => Some($name),)*
                    Self::Other => None,
                }
            }

            pub(super) fn from_name(name: &str) -> Self {
                match name {
                    $($name => Self::$kind,)*
                    _ => Self::Other,
                }
            }
        }
    };
}

error_kinds! {
    /// `abort` was asked for.
    Aborted = "aborted";
    /// The call was canceled, by the client or because the database changed.
    Canceled = "canceled";
    /// A value, an index or a number of rows that the schema does not allow.
    ConstraintViolation = "constraint violation";
    /// The database is known, but not there at present.
    DatabaseNotAvailable = "database not available";
    /// A mutation that arithmetic does not have: a division by zero.
    DomainError = "domain error";
    /// The UUID that an `insert` chose is in use.
    DuplicateUuid = "duplicate uuid";
    /// Two `insert`s of a transaction have the same name.
    DuplicateUuidName = "duplicate uuid-name";
    /// A defect in the server.
    InternalError = "internal error";
    /// Parameters of the wrong number or kind.
    InvalidParameters = "invalid parameters";
    /// The server could not write its file.
    IoError = "I/O error";
    /// The database does not allow it: a read-only one, or one of the server's own.
    NotAllowed = "not allowed";
    /// `assert` named a lock that the client does not own.
    NotOwner = "not owner";
    /// The server does not do that.
    NotSupported = "not supported";
    /// A map with a key twice, and the like.
    OvsdbError = "ovsdb error";
    /// The client's role does not allow it.
    PermissionError = "permission error";
    /// A mutation whose result does not fit its type.
    RangeError = "range error";
    /// A reference to a row that does not exist, or to one that is to be deleted.
    ReferentialIntegrityViolation = "referential integrity violation";
    /// The server has no room.
    ResourcesExhausted = "resources exhausted";
    /// JSON that is not what it must be. ovsdb-server says it of unknown tables, too.
    SyntaxError = "syntax error";
    /// A `wait` whose condition did not come true in time.
    TimedOut = "timed out";
    /// No such column.
    UnknownColumn = "unknown column";
    /// No such database.
    UnknownDatabase = "unknown database";
    /// No such function in a condition.
    UnknownFunction = "unknown function";
    /// No such method.
    UnknownMethod = "unknown method";
    /// No such monitor.
    UnknownMonitor = "unknown monitor";
    /// No such mutator.
    UnknownMutator = "unknown mutator";
    /// No such table.
    UnknownTable = "unknown table";
}

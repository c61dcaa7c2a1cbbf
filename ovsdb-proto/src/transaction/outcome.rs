//! What became of a transaction.

use std::collections::BTreeMap;
use std::fmt;

use serde::Deserialize;
use serde_json::Value;

use super::{NewRow, OperationId, Transaction};
use crate::operation::Operation;
#[cfg(feature = "client")]
use crate::rpc::ErrorKind;
use crate::rpc::{ErrorReply, JsonError};
use crate::schema::{DatabaseSchema, TableSchema};
use crate::value::{Datum, Row, RowError, Uuid};

/// What a transaction that was committed gave.
#[derive(Debug, Clone, PartialEq)]
pub struct Committed {
    results: Vec<OperationResult>,
}

/// What one operation gave.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub enum OperationResult {
    /// `insert`: the UUID of the row.
    Inserted(Uuid),
    /// `select`: the rows.
    Rows(Vec<Row>),
    /// `update`, `mutate` and `delete`: how many rows the conditions met.
    Count(u64),
    /// The others.
    Done,
}

/// The server gave the transaction up, and nothing of it happened.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Aborted {
    /// The operation that failed. `None`: each alone was good, but not what they came to:
    /// references, indexes, numbers of rows.
    pub operation: Option<OperationId>,
    /// Its name, `insert` and so on.
    pub name: Option<&'static str>,
    /// What the server says.
    pub error: ErrorReply,
}

impl Transaction {
    /// Reads the result of `transact`. Selected rows are read by the types of the schema.
    ///
    /// # Errors
    ///
    /// [`JsonError`] if it is not the reply to these operations; [`Aborted`] if it says that the
    /// server gave them up.
    pub fn results(
        &self,
        schema: &DatabaseSchema,
        result: &[u8],
    ) -> Result<Result<Committed, Aborted>, JsonError> {
        let elements: Vec<Option<Element>> = JsonError::decode(result)?;
        let failed = |element: &Option<Element>| element.as_ref().is_some_and(|e| e.error.is_some());
        if let Some(at) = elements.iter().position(failed) {
            let error = elements.into_iter().nth(at).flatten();
            let operation = self.operations.get(at);
            return Ok(Err(Aborted {
                operation: operation.map(|_| OperationId(at)),
                name: operation.map(Operation::name),
                error: error.map_or_else(|| ErrorReply::from_value(&Value::Null), Element::into_error),
            }));
        }
        if elements.len() != self.operations.len() {
            let (found, wanted) = (elements.len(), self.operations.len());
            return Err(JsonError::custom(format_args!(
                "{found} results of {wanted} operations"
            )));
        }
        let results = self.operations.iter().zip(elements).enumerate();
        let results = results.map(|(at, (operation, element))| {
            let unfit = || JsonError::custom(format_args!("result {at} is not that of {}", operation.name()));
            let element = element.ok_or_else(unfit)?;
            Ok(match operation {
                Operation::Insert { .. } => OperationResult::Inserted(element.uuid.ok_or_else(unfit)?),
                Operation::Select { table, .. } => {
                    let table = schema.tables.get(table).ok_or_else(unfit)?;
                    let rows = element.rows.ok_or_else(unfit)?.into_iter();
                    OperationResult::Rows(rows.map(|row| selected(table, row)).collect::<Result<_, _>>()?)
                }
                Operation::Update { .. } | Operation::Mutate { .. } | Operation::Delete { .. } => {
                    OperationResult::Count(element.count.ok_or_else(unfit)?)
                }
                _ => OperationResult::Done,
            })
        });
        let results = results.collect::<Result<_, _>>()?;
        Ok(Ok(Committed { results }))
    }
}

impl Committed {
    /// What the operations gave, one for one.
    #[must_use]
    pub fn results(&self) -> &[OperationResult] {
        &self.results
    }

    /// The UUID of a row that was inserted.
    #[must_use]
    pub fn uuid(&self, row: &NewRow) -> Option<Uuid> {
        match self.results.get(row.operation.0)? {
            OperationResult::Inserted(uuid) => Some(*uuid),
            _ => None,
        }
    }

    /// How many rows the conditions of an operation met.
    #[must_use]
    pub fn count(&self, operation: OperationId) -> Option<u64> {
        match self.results.get(operation.0)? {
            OperationResult::Count(count) => Some(*count),
            _ => None,
        }
    }

    /// The rows that a `select` read.
    #[must_use]
    pub fn rows(&self, operation: OperationId) -> Option<&[Row]> {
        match self.results.get(operation.0)? {
            OperationResult::Rows(rows) => Some(rows),
            _ => None,
        }
    }

    /// The rows that a `select` read, each read into a type of yours: see [`Row::read`]. A field
    /// `_uuid` must have been asked for. Nothing if the operation is no `select`.
    pub fn read<'a, T: Deserialize<'a>>(
        &'a self,
        operation: OperationId,
    ) -> impl Iterator<Item = Result<T, RowError>> + 'a {
        let rows = self.rows(operation).unwrap_or_default();
        rows.iter().map(|row| row.read_columns())
    }
}

#[cfg(feature = "client")]
impl Committed {
    pub(crate) fn without_first(mut self) -> Self {
        self.results.drain(..1.min(self.results.len()));
        self
    }
}

#[cfg(feature = "client")]
impl Aborted {
    /// Whether what the first operation requires is not so.
    pub(crate) fn is_first_unmet(&self) -> bool {
        self.operation == Some(OperationId(0)) && self.error.kind() == ErrorKind::TimedOut
    }

    pub(crate) fn without_first(mut self) -> Self {
        self.operation = self.operation.map(|at| OperationId(at.0.saturating_sub(1)));
        self
    }
}

impl fmt::Display for Aborted {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match (self.operation, self.name) {
            (Some(operation), Some(name)) => write!(f, "operation {operation} ({name}): {}", self.error),
            _ => write!(f, "commit: {}", self.error),
        }
    }
}

impl std::error::Error for Aborted {}

/// One element of the result. Which members it has depends on the operation.
#[derive(Deserialize)]
struct Element {
    uuid: Option<Uuid>,
    rows: Option<Vec<BTreeMap<String, Datum>>>,
    count: Option<u64>,
    error: Option<Value>,
    details: Option<String>,
    syntax: Option<String>,
    #[serde(rename = "io-error")]
    io_error: Option<String>,
}

impl Element {
    fn into_error(self) -> ErrorReply {
        ErrorReply {
            details: self.details,
            syntax: self.syntax,
            io_error: self.io_error,
            ..ErrorReply::from_value(&self.error.unwrap_or_default())
        }
    }
}

fn selected(table: &TableSchema, row: BTreeMap<String, Datum>) -> Result<Row, JsonError> {
    let columns = row.into_iter().map(|(name, value)| {
        let ty = table.column_type(&name);
        let value = match ty {
            Some(ty) => ty
                .conform(value)
                .map_err(|error| JsonError::custom(format_args!("column {name}: {error}")))?,
            None => value,
        };
        Ok((name, value))
    });
    columns.collect()
}

//! Whether an operation fits a schema. The rules are those of ovsdb-server, so that what passes
//! here is refused there only for what is in the database.

use thiserror::Error;

use super::{Condition, Function, Mutation, Mutator, Operation};
use crate::json::is_id;
use crate::schema::{AtomicType, ColumnSchema, ColumnType, DatabaseSchema, TableSchema, TypeError};
use crate::value::{Datum, Row};

/// Why an operation does not fit a schema.
#[derive(Debug, Clone, PartialEq, Error)]
#[non_exhaustive]
pub enum CheckError {
    /// The database has no such table.
    #[error("no table {table}")]
    NoTable {
        /// The table.
        table: String,
    },
    /// The table has no such column, or it cannot be written.
    #[error("table {table} has no column {column} for this")]
    NoColumn {
        /// The table.
        table: String,
        /// The column.
        column: String,
    },
    /// A value is not of the column's type.
    #[error("column {column} of table {table} has a wrong value")]
    Value {
        /// The table.
        table: String,
        /// The column.
        column: String,
        /// What is wrong in it.
        #[source]
        source: TypeError,
    },
    /// A column that is fixed once its row is there.
    #[error("column {column} of table {table} cannot be changed")]
    Immutable {
        /// The table.
        table: String,
        /// The column.
        column: String,
    },
    /// A function that columns of this type do not have.
    #[error("column {column} of table {table} cannot be compared by {function}")]
    Function {
        /// The table.
        table: String,
        /// The column.
        column: String,
        /// The function.
        function: Function,
    },
    /// A mutator that columns of this type do not have.
    #[error("column {column} of table {table} cannot be changed by {mutator}")]
    Mutator {
        /// The table.
        table: String,
        /// The column.
        column: String,
        /// The mutator.
        mutator: Mutator,
    },
    /// A column that a list of columns names twice.
    #[error("column {column} of table {table} is named twice")]
    Twice {
        /// The table.
        table: String,
        /// The column.
        column: String,
    },
    /// Two rows that are new have the same name.
    #[error("two new rows have the name {name}")]
    DuplicateName {
        /// The name.
        name: String,
    },
    /// Not an identifier: a letter or `_`, then letters, digits and `_`.
    #[error("{name:?} is not an identifier")]
    Identifier {
        /// The text.
        name: String,
    },
}

impl Operation {
    /// Checks the operation against a schema: tables, columns, types, ranges, enumerations,
    /// functions, mutators, and the default values of columns that a new row leaves out.
    ///
    /// # Errors
    ///
    /// [`CheckError`] if it does not fit.
    pub fn check(&self, schema: &DatabaseSchema) -> Result<(), CheckError> {
        let table = |table| Table::new(schema, table);
        match self {
            Self::Insert {
                table: name,
                row,
                uuid_name,
                ..
            } => {
                if let Some(name) = uuid_name {
                    check_identifier(name)?;
                }
                let table = table(name)?;
                table.check_row(row, |_| true)?;
                table.check_defaults(row)
            }
            Self::Select {
                table: name,
                conditions,
                columns,
                sort,
            } => {
                let table = table(name)?;
                table.check_conditions(conditions)?;
                table.check_columns(columns.as_deref())?;
                table.check_columns(sort.as_deref())
            }
            Self::Update {
                table: name,
                conditions,
                row,
            } => {
                let table = table(name)?;
                table.check_conditions(conditions)?;
                table.check_row(row, |column| column.mutable)
            }
            Self::Mutate {
                table: name,
                conditions,
                mutations,
            } => {
                let table = table(name)?;
                table.check_conditions(conditions)?;
                mutations.iter().try_for_each(|m| table.check_mutation(m))
            }
            Self::Delete {
                table: name,
                conditions,
            } => table(name)?.check_conditions(conditions),
            Self::Wait {
                table: name,
                conditions,
                columns,
                rows,
                ..
            } => {
                let table = table(name)?;
                table.check_conditions(conditions)?;
                table.check_columns(columns.as_deref())?;
                let mut values = rows.iter().flat_map(Row::iter);
                values.try_for_each(|(column, value)| table.check_value(column, value, |_| {}))
            }
            Self::Assert { lock } => check_identifier(lock),
            Self::Commit { .. } | Self::Abort | Self::Comment { .. } => Ok(()),
        }
    }
}

impl Condition {
    /// Checks the condition against the schema of a table.
    ///
    /// # Errors
    ///
    /// [`CheckError`] if it does not fit.
    pub fn check(&self, schema: &DatabaseSchema, table: &str) -> Result<(), CheckError> {
        Table::new(schema, table)?.check_condition(self)
    }
}

/// A table with its name, for the errors.
struct Table<'a> {
    name: &'a str,
    schema: &'a TableSchema,
}

impl<'a> Table<'a> {
    fn new(schema: &'a DatabaseSchema, name: &'a str) -> Result<Self, CheckError> {
        match schema.tables.get(name) {
            Some(schema) => Ok(Self { name, schema }),
            None => Err(CheckError::NoTable {
                table: name.to_owned(),
            }),
        }
    }

    fn check_columns(&self, columns: Option<&[String]>) -> Result<(), CheckError> {
        let columns = columns.unwrap_or_default();
        columns.iter().enumerate().try_for_each(|(at, column)| {
            self.column_type(column)?;
            match columns[..at].contains(column) {
                true => Err(CheckError::Twice {
                    table: self.name.to_owned(),
                    column: column.clone(),
                }),
                false => Ok(()),
            }
        })
    }

    /// What a new row leaves out has its default value, which not every type has.
    fn check_defaults(&self, row: &Row) -> Result<(), CheckError> {
        let left_out = self
            .schema
            .columns
            .iter()
            .filter(|(name, _)| row.get(name).is_none());
        left_out
            .into_iter()
            .try_for_each(|(name, column)| self.check_type(name, &column.ty, &column.ty.default_value()))
    }

    fn check_row(&self, row: &Row, writable: impl Fn(&ColumnSchema) -> bool) -> Result<(), CheckError> {
        for (column, value) in row.iter() {
            let schema = self.column(column)?;
            if !writable(schema) {
                return Err(self.immutable(column));
            }
            self.check_type(column, &schema.ty, value)?;
        }
        Ok(())
    }

    fn check_conditions(&self, conditions: &[Condition]) -> Result<(), CheckError> {
        conditions
            .iter()
            .try_for_each(|condition| self.check_condition(condition))
    }

    fn check_condition(&self, condition: &Condition) -> Result<(), CheckError> {
        let Condition::Column {
            column,
            function,
            value,
        } = condition
        else {
            return Ok(());
        };
        let ty = self.column_type(column)?;
        let ordered = (ty.is_scalar() || ty.is_optional_scalar()) && is_number(&ty);
        let scalar = ty.is_scalar();
        match function {
            Function::Equal | Function::NotEqual => self.check_value(column, value, |_| {}),
            Function::Includes if scalar => self.check_value(column, value, |_| {}),
            Function::Includes => self.check_value(column, value, |ty| ty.min = 0),
            Function::Excludes if scalar => self.check_value(column, value, |_| {}),
            Function::Excludes => self.check_value(column, value, |ty| (ty.min, ty.max) = (0, None)),
            _ if ordered => self.check_value(column, value, |ty| ty.min = 1),
            function => Err(CheckError::Function {
                table: self.name.to_owned(),
                column: column.clone(),
                function: *function,
            }),
        }
    }

    fn check_mutation(&self, mutation: &Mutation) -> Result<(), CheckError> {
        let Mutation {
            column,
            mutator,
            value,
        } = mutation;
        let schema = self.column(column)?;
        if !schema.mutable {
            return Err(self.immutable(column));
        }
        let mut ty = schema.ty.clone();
        match mutator {
            // A scalar is no set to add to: ovsdb_mutation_from_json() in ovsdb/mutation.c.
            Mutator::Insert if !ty.is_scalar() => ty.min = 0,
            Mutator::Delete if !ty.is_scalar() => {
                (ty.min, ty.max) = (0, None);
                if matches!(value, Datum::Set(_)) {
                    ty.value = None;
                }
            }
            Mutator::Add | Mutator::Subtract | Mutator::Multiply | Mutator::Divide
                if ty.value.is_none() && is_number(&ty) =>
            {
                ty = ColumnType::scalar(ty.key.atomic);
            }
            Mutator::Remainder if ty.value.is_none() && ty.key.atomic == AtomicType::Integer => {
                ty = ColumnType::scalar(ty.key.atomic);
            }
            mutator => {
                return Err(CheckError::Mutator {
                    table: self.name.to_owned(),
                    column: column.clone(),
                    mutator: *mutator,
                });
            }
        }
        self.check_type(column, &ty, value)
    }

    fn check_value(
        &self,
        column: &str,
        value: &Datum,
        relax: impl FnOnce(&mut ColumnType),
    ) -> Result<(), CheckError> {
        let mut ty = self.column_type(column)?;
        relax(&mut ty);
        self.check_type(column, &ty, value)
    }

    fn check_type(&self, column: &str, ty: &ColumnType, value: &Datum) -> Result<(), CheckError> {
        ty.check(value).map_err(|source| CheckError::Value {
            table: self.name.to_owned(),
            column: column.to_owned(),
            source,
        })
    }

    /// A column that can be written: not `_uuid` and not `_version`.
    fn column(&self, column: &str) -> Result<&ColumnSchema, CheckError> {
        let found = self.schema.columns.get(column);
        found.ok_or_else(|| self.no_column(column))
    }

    fn column_type(&self, column: &str) -> Result<ColumnType, CheckError> {
        let found = self.schema.column_type(column);
        found.ok_or_else(|| self.no_column(column))
    }

    fn no_column(&self, column: &str) -> CheckError {
        CheckError::NoColumn {
            table: self.name.to_owned(),
            column: column.to_owned(),
        }
    }

    fn immutable(&self, column: &str) -> CheckError {
        CheckError::Immutable {
            table: self.name.to_owned(),
            column: column.to_owned(),
        }
    }
}

fn is_number(ty: &ColumnType) -> bool {
    matches!(ty.key.atomic, AtomicType::Integer | AtomicType::Real)
}

fn check_identifier(name: &str) -> Result<(), CheckError> {
    match is_id(name) {
        true => Ok(()),
        false => Err(CheckError::Identifier {
            name: name.to_owned(),
        }),
    }
}

//! What happened while nobody watched.

use std::collections::BTreeMap;
use std::sync::Arc;

use ovsdb_proto::replica::{Change, Replica, RowChange};
use ovsdb_proto::value::{Row, Uuid};

/// What makes the rows of `after` of those of `before`, as if it had been one update.
pub fn differences(before: &Replica, after: &Replica) -> Vec<RowChange> {
    let mut changes = Vec::new();
    for table in after.tables() {
        let name: Arc<str> = table.name().into();
        let mut push = |uuid, change| {
            changes.push(RowChange {
                table: Arc::clone(&name),
                uuid,
                change,
            });
        };
        let former = before
            .table(table.name())
            .into_iter()
            .flat_map(|table| table.rows());
        let mut former: BTreeMap<Uuid, &Arc<Row>> = former.collect();
        for (uuid, new) in table.rows() {
            let Some(old) = former.remove(&uuid) else {
                push(uuid, Change::Insert(Arc::clone(new)));
                continue;
            };
            let columns = new.iter();
            let changed = columns.filter(|(name, value)| old.get(name) != Some(value));
            let changed: Vec<Arc<str>> = changed.map(|(name, _)| name.into()).collect();
            if !changed.is_empty() {
                let (old, new) = (Arc::clone(old), Arc::clone(new));
                push(uuid, Change::Modify { old, new, changed });
            }
        }
        for (uuid, old) in former {
            push(uuid, Change::Delete(Arc::clone(old)));
        }
    }
    changes
}

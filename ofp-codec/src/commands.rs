//! Files of commands, as `ovs-ofctl add-flows`, `add-groups` and `mod-group` read them: a command a line, comments from
//! `#` on, and no command for `add`.
//!
//! ```
//! use ofp_codec::{FlowCommand, commands::{flow_mods, group_mods}};
//!
//! let file = b"# ports\ntcp,tp_dst=80 actions=drop\ndelete_strict table=3,priority=5,ip\n";
//! let mods = flow_mods(file).collect::<Result<Vec<_>, _>>()?;
//! assert_eq!(mods[0].command, FlowCommand::ADD);
//! assert_eq!(mods[1].to_string(), "DEL_STRICT table:3 priority=5,ip actions=drop");
//!
//! let file = b"insert_bucket group_id=1,command_bucket_id=last,bucket=output:2";
//! let mods = group_mods(file).collect::<Result<Vec<_>, _>>()?;
//! assert_eq!(mods[0].group.buckets.len(), 1);
//! # Ok::<(), ofp_codec::text::ParseError>(())
//! ```

use crate::{
    model::{
        flow_mod::{FlowCommand, FlowMod},
        group::{BucketId, Group, GroupType},
    },
    text::{ParseError, command, group},
    wire::{GroupCommand, GroupMod},
};

/// The changes of flows in a file. A line that is not understood is an error, and the next one is read.
pub fn flow_mods(file: &[u8]) -> impl Iterator<Item = Result<FlowMod, ParseError>> {
    lines(file).map(|(number, line)| {
        let (word, rest) = group::command(line, &FLOW_WORDS);
        command::flow_mod(FLOW_COMMANDS[word.unwrap_or(0)], number, rest)
    })
}

/// The changes of groups in a file, as [`flow_mods`] gives those of flows.
pub fn group_mods(file: &[u8]) -> impl Iterator<Item = Result<GroupMod, ParseError>> {
    lines(file).map(|(number, line)| {
        let (command, rest) = group::command(line, &GROUP_WORDS);
        let command = GROUP_COMMANDS[command.unwrap_or(0)];
        if command == GroupCommand::DELETE && rest.trim_ascii().is_empty() {
            return Ok(GroupMod {
                command,
                bucket: GroupMod::ALL_BUCKETS,
                group: Group::new(Group::ALL, GroupType::ALL),
            });
        }
        let (group, bucket) = group::group_line(number, rest)?;
        Ok(GroupMod {
            command,
            bucket: bucket.unwrap_or(BucketId::ALL),
            group,
        })
    })
}

/// The lines that hold something, without their comments, and their numbers from 1.
fn lines(file: &[u8]) -> impl Iterator<Item = (u64, &[u8])> {
    let lines = (1..).zip(file.split(|byte| *byte == b'\n'));
    lines.filter_map(|(number, line)| {
        let end = line.iter().position(|byte| *byte == b'#');
        let line = line[..end.unwrap_or(line.len())].trim_ascii_end();
        (!line.trim_ascii_start().is_empty()).then_some((number, line))
    })
}

const FLOW_WORDS: [&str; 5] = ["add", "delete", "delete_strict", "modify", "modify_strict"];
const FLOW_COMMANDS: [FlowCommand; 5] = [
    FlowCommand::ADD,
    FlowCommand::DELETE,
    FlowCommand::DELETE_STRICT,
    FlowCommand::MODIFY,
    FlowCommand::MODIFY_STRICT,
];
const GROUP_WORDS: [&str; 6] = [
    "add",
    "delete",
    "modify",
    "add_or_mod",
    "insert_bucket",
    "remove_bucket",
];
const GROUP_COMMANDS: [GroupCommand; 6] = [
    GroupCommand::ADD,
    GroupCommand::DELETE,
    GroupCommand::MODIFY,
    GroupCommand::ADD_OR_MOD,
    GroupCommand::INSERT_BUCKET,
    GroupCommand::REMOVE_BUCKET,
];

use super::*;
use crate::frame::{Limits, Splitter};

fn decode(text: &[u8]) -> Result<Message<'_>, MessageError> {
    let spans = Splitter::new(Limits::default()).split(text).unwrap();
    Message::decode(text, &spans.expect("the message is complete"))
}

fn error(text: &str) -> ErrorReply {
    match decode(text.as_bytes()).unwrap() {
        Message::Error { id: "3", error } => error,
        other => panic!("{other:?} is no error"),
    }
}

fn plain(error: &str) -> ErrorReply {
    ErrorReply {
        error: error.into(),
        details: None,
        syntax: None,
        io_error: None,
    }
}

#[test]
fn the_members_that_are_not_null_say_what_a_message_is() {
    let reply = Message::Reply {
        id: "3",
        result: b"[1, 2]",
    };
    assert_eq!(
        decode(br#"{"id":3,"result":[1, 2],"error":null}"#),
        Ok(reply.clone())
    );
    assert_eq!(decode(br#"{"result":[1, 2],"id":3}"#), Ok(reply));
    assert_eq!(
        decode(br#"{"method":"echo","id":"echo","params":[ ]}"#),
        Ok(Message::Request {
            id: "\"echo\"",
            method: "echo".into(),
            params: "[ ]"
        })
    );
    let notification = Ok(Message::Notification {
        method: "update".into(),
        params: b"[]",
    });
    for text in [
        r#"{"id":null,"method":"update","params":[]}"#,
        r#"{"method":"update","params":[],"result":null,"error":null}"#,
    ] {
        assert_eq!(decode(text.as_bytes()), notification);
    }
}

#[test]
fn an_error_is_a_string_or_an_object_with_or_without_a_result() {
    for result in ["", "\"result\":null,"] {
        assert_eq!(
            error(&format!(r#"{{"id":3,{result}"error":"unknown method"}}"#)),
            plain("unknown method")
        );
        let full = error(&format!(
            r#"{{{result}"error":{{"syntax":"[\"x\"]","details":"no x","error":"syntax error"}},"id":3}}"#
        ));
        assert_eq!(
            full,
            ErrorReply {
                error: "syntax error".into(),
                details: Some("no x".into()),
                syntax: Some("[\"x\"]".into()),
                io_error: None,
            }
        );
        assert_eq!(full.to_string(), "syntax error: no x");
    }
}

#[test]
fn an_error_of_another_kind_is_kept_as_its_json() {
    assert_eq!(error(r#"{"id":3,"error":7}"#), plain("7"));
    assert_eq!(error(r#"{"id":3,"error":{"code":7}}"#), plain(r#"{"code":7}"#));
}

#[test]
fn a_message_with_members_missing_or_in_conflict_is_refused() {
    let missing = |member| Err(MessageError::Missing { member });
    let exclusive = |first, second| Err(MessageError::Exclusive { first, second });
    assert_eq!(decode(b"{}"), missing(Member::Result));
    assert_eq!(
        decode(br#"{"id":3,"result":null,"error":null}"#),
        missing(Member::Result)
    );
    assert_eq!(decode(br#"{"result":1}"#), missing(Member::Id));
    assert_eq!(decode(br#"{"id":null,"error":"x"}"#), missing(Member::Id));
    assert_eq!(decode(br#"{"id":3,"method":"m"}"#), missing(Member::Params));
    assert_eq!(
        decode(br#"{"id":3,"result":1,"error":"x"}"#),
        exclusive(Member::Result, Member::Error)
    );
    assert_eq!(
        decode(br#"{"id":3,"method":"m","params":[],"result":1}"#),
        exclusive(Member::Method, Member::Result)
    );
    assert_eq!(
        decode(br#"{"id":3,"method":"m","params":[],"error":1}"#),
        exclusive(Member::Method, Member::Error)
    );
}

#[test]
fn a_malformed_member_is_named_with_the_place() {
    let malformed = |text: &[u8]| match decode(text) {
        Err(MessageError::Member { member, source }) => (member, source.to_string()),
        other => panic!("{other:?} is not a malformed member"),
    };
    assert_eq!(
        malformed(br#"{"id":3,"method":"m","params":{}}"#),
        (Member::Params, "wanted an array at line 1 column 1".to_owned())
    );
    assert_eq!(
        malformed(br#"{"id":3,"method":"m","params":[1,,2]}"#),
        (Member::Params, "expected value at line 1 column 4".to_owned())
    );
    assert_eq!(malformed(br#"{"id":3,"method":7,"params":[]}"#).0, Member::Method);
    assert_eq!(
        malformed(b"{\"id\":\"\xff\",\"result\":1}"),
        (Member::Id, "invalid UTF-8 at line 1 column 2".to_owned())
    );
    assert_eq!(
        malformed(br#"{"id":tru,"error":"x"}"#),
        (
            Member::Id,
            "EOF while parsing a value at line 1 column 3".to_owned()
        )
    );
}

#[test]
fn replies_repeat_the_id_byte_for_byte() {
    let id = r#"{"x":[1, null,1e2]}"#;
    assert_eq!(
        encode_reply(id, "[]"),
        br#"{"id":{"x":[1, null,1e2]},"result":[],"error":null}"#
    );
    assert_eq!(
        encode_error("\"e\"", "\"unknown method\""),
        br#"{"id":"e","result":null,"error":"unknown method"}"#
    );
}

#[test]
fn calls_have_no_member_but_id_method_and_params() {
    assert_eq!(
        encode_request(u64::MAX, "list_dbs", &[(); 0]).unwrap(),
        br#"{"id":18446744073709551615,"method":"list_dbs","params":[]}"#
    );
    assert_eq!(
        encode_notification("cancel", &[7]).unwrap(),
        br#"{"id":null,"method":"cancel","params":[7]}"#
    );
}

#[test]
fn an_error_is_printed_as_one_line_that_no_terminal_obeys() {
    let error = serde_json::json!({"error": "\u{1b}]0;x\u{7}red", "details": "line1\nline2\u{9b}2J \u{e9}"});
    assert_eq!(
        ErrorReply::from_value(&error).to_string(),
        r"\u{1b}]0;x\u{7}red: line1\nline2\u{9b}2J é"
    );
}

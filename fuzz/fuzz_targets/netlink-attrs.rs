//! Any bytes as attributes: no panic, and each is written as it was read.
#![no_main]

use libfuzzer_sys::fuzz_target;
use netlink_genl::nlattr::{Attrs, Counter, EncodeError, HEADER_LEN, Sink, Slice, align};

fuzz_target!(|bytes: &[u8]| {
    let mut written = vec![];
    let mut read = 0;
    let mut whole = true;
    for attr in Attrs::new(bytes) {
        let Ok(attr) = attr else {
            whole = false;
            break;
        };
        assert_eq!(attr.offset(), read);
        written.attr(attr.raw_kind(), attr.payload()).expect("what was read fits");
        read += align(HEADER_LEN + attr.payload().len());
        let _ = (attr.u8(), attr.u16(), attr.be64(), attr.c_str(), attr.flag());
        walk(attr.attrs());
    }
    // Padding is all that may differ.
    assert_eq!(written.len(), read);
    assert!(!whole || read >= bytes.len());
    let kinds = |bytes| Attrs::new(bytes).map_while(Result::ok).map(|attr| (attr.raw_kind(), attr.payload()));
    assert!(kinds(bytes).eq(kinds(&written)));

    let copy = |sink: &mut dyn FnMut(u16, &[u8])| kinds(bytes).for_each(|(kind, payload)| sink(kind, payload));
    let mut counter = Counter::new();
    copy(&mut |kind, payload| counter.attr(kind, payload).expect("what was read fits"));
    assert_eq!(counter.position(), written.len());
    // A buffer that is a byte too short is told.
    let mut buffer = vec![0; written.len().saturating_sub(1)];
    let mut slice = Slice::new(&mut buffer);
    let mut refused = false;
    copy(&mut |kind, payload| refused |= matches!(slice.attr(kind, payload), Err(EncodeError::BufferFull { .. })));
    assert_eq!(refused, !written.is_empty());
});

/// Into the first of each, as deep as it goes.
fn walk(mut attrs: Attrs<'_>) {
    while let Some(Ok(attr)) = attrs.next() {
        attrs = attr.attrs();
    }
}

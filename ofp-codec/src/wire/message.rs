use alloc::vec::Vec;

use crate::{
    model::version::Version,
    wire::{
        error::{DecodeError, EncodeError, Fault},
        header::{Header, Number},
        kind::{Form, MessageKind, Namespace, experimenter},
        ofperr::Ofperr,
        read::Reader,
        write::Writer,
    },
};

/// A message: what it is, and its bytes.
///
/// A kind that is not known here is kept: [`kind`](Self::kind) is `None`, and the bytes are there.
///
/// ```
/// use ofp_codec::wire::{Message, MessageKind};
///
/// let message = Message::parse(&[4, 2, 0, 9, 0, 0, 0, 7, 0xaa])?;
/// assert_eq!(message.kind(), Some(MessageKind::EchoRequest));
/// assert_eq!(message.header().xid, 7);
/// assert_eq!(message.body().rest(), [0xaa]);
/// # Ok::<(), ofp_codec::wire::DecodeError>(())
/// ```
#[derive(Clone, Copy, Debug)]
pub struct Message<'a> {
    header: Header,
    number: Number,
    known: Option<(MessageKind, &'static Form)>,
    flags: u16,
    bytes: &'a [u8],
    body: Reader<'a>,
}

impl<'a> Message<'a> {
    /// Reads the headers of a message: of OpenFlow, of statistics and of experimenters.
    ///
    /// # Errors
    ///
    /// If the bytes are not as many as the header says, if there are too few for the headers that it
    /// announces, or if a message of this kind cannot have this length.
    pub fn parse(bytes: &'a [u8]) -> Result<Self, DecodeError> {
        let message = Message::parse_start(bytes)?;
        let len = usize::from(message.header.len);
        if len != bytes.len() {
            let (wanted, got) = (bytes.len(), len);
            return Err(Reader::new(bytes).error("message", Fault::Length { wanted, got }));
        }
        let Message { body, known, .. } = message;
        if let Some((_, form)) = known.filter(|(_, form)| !form.fits(body.len())) {
            let (wanted, got) = (form.body_len, body.len());
            return Err(body.error("message body", Fault::Length { wanted, got }));
        }
        Ok(message)
    }

    /// As [`parse`](Self::parse) reads the beginning of a message whose end is not there.
    pub(crate) fn parse_start(bytes: &'a [u8]) -> Result<Self, DecodeError> {
        let mut body = Reader::new(bytes);
        let header = Header::decode(&body.array("header")?);
        let (number, flags) = Number::decode(header, &mut body)?;
        Ok(Message {
            header,
            number,
            known: MessageKind::find(header.version, number),
            flags,
            bytes,
            body,
        })
    }

    /// The header.
    pub fn header(&self) -> Header {
        self.header
    }

    /// The kind, if it is known here.
    pub fn kind(&self) -> Option<MessageKind> {
        self.known.map(|(kind, _)| kind)
    }

    /// How the kind looks in this version.
    pub fn form(&self) -> Option<&'static Form> {
        self.known.map(|(_, form)| form)
    }

    /// What Open vSwitch answers to a message of a kind that it does not know
    /// (`ofpraw_from_ofphdrs` in `lib/ofp-msgs.c`).
    pub(crate) fn unknown_kind(&self) -> Ofperr {
        match self.number.namespace {
            Namespace::Openflow => Ofperr::OFPBRC_BAD_TYPE,
            // It knows statistics only in a version that it knows (`ofphdrs_is_stat`).
            Namespace::Multipart if !(Version::V1_0..=Version::V1_5).contains(&self.header.version) => {
                Ofperr::OFPBRC_BAD_TYPE
            }
            Namespace::Multipart => Ofperr::OFPBRC_BAD_STAT,
            Namespace::Experimenter(id) | Namespace::ExperimenterMultipart(id) => match id {
                experimenter::NICIRA | experimenter::ONF => Ofperr::OFPBRC_BAD_SUBTYPE,
                _ => Ofperr::OFPBRC_BAD_VENDOR,
            },
        }
    }

    /// The number that makes it of its kind, also of one that is not known here.
    pub fn number(&self) -> Number {
        self.number
    }

    /// The flags of statistics; 0 in other messages.
    pub fn flags(&self) -> u16 {
        self.flags
    }

    /// Whether it answers a request, or refuses one.
    pub fn is_reply(&self) -> bool {
        let kind = self.kind();
        self.number.reply || kind.is_some_and(|kind| kind.is_reply() || kind == MessageKind::Error)
    }

    /// Whether more messages of the same reply follow (`OFPSF_REPLY_MORE`).
    pub fn more(&self) -> bool {
        self.flags & REPLY_MORE != 0
    }

    /// The form, of a message that is to be of this kind.
    pub(crate) fn expect(&self, kind: MessageKind) -> Result<&'static Form, DecodeError> {
        match self.known {
            Some((known, form)) if known == kind => Ok(form),
            _ => {
                let number = Fault::Value(self.number.number.into());
                let start = Reader::new(self.bytes).named("OFPBRC_BAD_TYPE");
                Err(start.error(kind.name(), number))
            }
        }
    }

    /// What stands behind the headers.
    pub fn body(&self) -> Reader<'a> {
        self.body
    }

    /// The whole message.
    pub fn bytes(&self) -> &'a [u8] {
        self.bytes
    }
}

impl MessageKind {
    /// Appends a message of this kind: the headers, and what `body` writes. Of the forms that the
    /// version has it takes the first; nothing is appended if there is an error.
    ///
    /// # Errors
    ///
    /// If the version has no such kind, the body is an error, or the message is longer than 65535 bytes.
    pub fn encode(
        self,
        version: Version,
        xid: u32,
        out: &mut Vec<u8>,
        body: impl FnOnce(&mut Writer<'_>) -> Result<(), EncodeError>,
    ) -> Result<(), EncodeError> {
        let missing = EncodeError::NotInVersion {
            what: self.name(),
            version,
        };
        let form = self.form(version).ok_or(missing)?;
        self.encode_form(form, version, xid, out, body)
    }

    /// The same in a form of the caller's choice.
    pub(crate) fn encode_form(
        self,
        form: &Form,
        version: Version,
        xid: u32,
        out: &mut Vec<u8>,
        body: impl FnOnce(&mut Writer<'_>) -> Result<(), EncodeError>,
    ) -> Result<(), EncodeError> {
        let number = Number {
            namespace: form.namespace,
            number: form.number,
            reply: self.is_reply(),
        };
        let mut writer = Writer::new(out);
        let written = number
            .encode(version, xid, &mut writer)
            .and_then(|()| body(&mut writer))
            .and_then(|()| writer.fill_len(LEN_AT, 0, self.name()));
        if written.is_err() {
            writer.truncate(0);
        }
        written
    }
}

/// Where the header has the length.
const LEN_AT: usize = 2;
const REPLY_MORE: u16 = 1;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_form_of_every_kind_is_read_as_it_was_written() {
        for &kind in MessageKind::ALL {
            for form in kind.forms() {
                let mut out = alloc::vec![0xff];
                let body = |writer: &mut Writer<'_>| {
                    writer.zeros(form.body_len);
                    Ok(())
                };
                kind.encode_form(form, form.first, 0x1234, &mut out, body)
                    .unwrap();
                let message = Message::parse(&out[1..]).unwrap();
                assert_eq!((message.kind(), message.form()), (Some(kind), Some(form)));
                assert_eq!(
                    (message.body().len(), message.header().xid),
                    (form.body_len, 0x1234)
                );
                for len in 0..out.len() - 1 {
                    assert!(Message::parse(&out[1..][..len]).is_err(), "{kind}");
                }
            }
        }
    }

    #[test]
    fn an_unknown_message_is_kept() {
        let bytes = [4, 4, 0, 18, 0, 0, 0, 1, 0, 0, 0, 9, 0, 0, 0, 8, 7, 6];
        let message = Message::parse(&bytes).unwrap();
        assert_eq!((message.kind(), message.body().rest()), (None, &[7, 6][..]));
        assert_eq!(message.number().namespace, Namespace::Experimenter(9));
        assert_eq!(message.number().number, 8);
    }

    #[test]
    fn a_body_of_a_length_that_the_kind_does_not_have_is_refused() {
        // OFPT_BARRIER_REQUEST with a byte of body.
        let error = Message::parse(&[4, 20, 0, 9, 0, 0, 0, 1, 0]).unwrap_err();
        assert_eq!(
            (error.offset, error.fault),
            (8, Fault::Length { wanted: 0, got: 1 })
        );
        assert_eq!(error.name, "OFPBRC_BAD_LEN");
    }

    #[test]
    fn a_version_without_the_kind_and_a_body_that_is_too_long_append_nothing() {
        let mut out = Vec::new();
        let error = MessageKind::MeterMod.encode(Version::V1_0, 1, &mut out, |_| Ok(()));
        assert!(matches!(error, Err(EncodeError::NotInVersion { .. })));
        let error = MessageKind::EchoRequest.encode(Version::V1_0, 1, &mut out, |writer| {
            writer.zeros(65_528);
            Ok(())
        });
        assert!(matches!(error, Err(EncodeError::TooLong { len: 65_536, .. })));
        assert!(out.is_empty());
        let form = MessageKind::FlowMod.forms().last().unwrap();
        assert_eq!(form.namespace, Namespace::Experimenter(experimenter::NICIRA));
    }
}

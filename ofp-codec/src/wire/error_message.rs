use alloc::vec::Vec;
use core::fmt;

use crate::{
    model::version::Version,
    wire::{
        error::{DecodeError, EncodeError},
        kind::experimenter,
        message::Message,
        ofperr::{ErrorNumber, Ofperr},
        write::Writer,
    },
};

/// `OFPT_ERROR`: why the peer refused a message.
///
/// `type u16, code u16, data`. An experimenter's error has type 0xffff, its own type in the place of
/// the code, and the experimenter's number of four bytes before the data. Before OpenFlow 1.2 Open
/// vSwitch instead has type 0xb0c2 and code 0, and then `experimenter u32, type u16, code u16`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ErrorMessage {
    /// The version, without which the number means nothing.
    pub version: Version,
    /// The number.
    pub number: ErrorNumber,
    /// The beginning of the message that was refused, of at least 64 bytes if it has as many; of
    /// a hello that failed, text.
    pub data: Vec<u8>,
}

impl ErrorMessage {
    /// Reads an error.
    ///
    /// # Errors
    ///
    /// If it ends too early.
    pub fn decode(message: &Message<'_>) -> Result<Self, DecodeError> {
        let mut body = message.body();
        let mut number = ErrorNumber {
            experimenter: experimenter::OPENFLOW,
            kind: body.u16("error type")?,
            code: body.u16("error code")?,
        };
        match (number.kind, number.code) {
            (NXET_VENDOR, NXVC_VENDOR_ERROR) => {
                number = ErrorNumber {
                    experimenter: body.u32("experimenter")?,
                    kind: body.u16("error type")?,
                    code: body.u16("error code")?,
                }
            }
            (EXPERIMENTER, kind) => {
                number = ErrorNumber {
                    experimenter: body.u32("experimenter")?,
                    kind,
                    code: 0,
                }
            }
            _ => {}
        }
        Ok(ErrorMessage {
            version: message.header().version,
            number,
            data: body.rest().into(),
        })
    }

    /// Writes the body.
    ///
    /// # Errors
    ///
    /// None yet.
    pub fn encode(&self, writer: &mut Writer<'_>) -> Result<(), EncodeError> {
        let ErrorNumber {
            experimenter,
            kind,
            code,
        } = self.number;
        match experimenter {
            experimenter::OPENFLOW => {
                writer.u16(kind);
                writer.u16(code);
            }
            experimenter if self.version <= Version::V1_1 => {
                writer.u16(NXET_VENDOR);
                writer.u16(NXVC_VENDOR_ERROR);
                writer.u32(experimenter);
                writer.u16(kind);
                writer.u16(code);
            }
            experimenter => {
                writer.u16(EXPERIMENTER);
                writer.u16(kind);
                writer.u32(experimenter);
            }
        }
        writer.bytes(&self.data);
        Ok(())
    }

    /// The error, if it has a name.
    pub fn error(&self) -> Option<Ofperr> {
        Ofperr::from_number(self.version, self.number)
    }

    /// The text of the error of a hello.
    pub fn text(&self) -> Option<&str> {
        let text = core::str::from_utf8(&self.data).ok();
        text.filter(|_| self.is_of_hello())
    }

    /// Whether the data is text.
    pub(crate) fn is_of_hello(&self) -> bool {
        let hello = [Ofperr::OFPHFC_INCOMPATIBLE, Ofperr::OFPHFC_EPERM];
        self.error().is_some_and(|error| hello.contains(&error))
    }
}

/// The name, or else the number; and the text, if there is one.
impl fmt::Display for ErrorMessage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.error() {
            Some(error) => write!(f, "{error}")?,
            None => {
                let ErrorNumber {
                    experimenter,
                    kind,
                    code,
                } = self.number;
                write!(
                    f,
                    "error type {kind} code {code} of experimenter {experimenter:#x}"
                )?;
            }
        }
        self.text().map_or(Ok(()), |text| write!(f, ": {text}"))
    }
}

const NXET_VENDOR: u16 = 0xb0c2;
const NXVC_VENDOR_ERROR: u16 = 0;
const EXPERIMENTER: u16 = 0xffff;

#[cfg(test)]
mod tests {
    use super::*;
    use crate::wire::kind::MessageKind;
    use alloc::string::ToString;

    #[test]
    fn every_error_of_every_version_is_read_as_it_was_written() {
        let mut out = Vec::new();
        for version in (1..=6).map(Version) {
            for &error in Ofperr::ALL {
                let Some(number) = error.number(version) else {
                    continue;
                };
                let written = ErrorMessage {
                    version,
                    number,
                    data: b"data".into(),
                };
                out.clear();
                MessageKind::Error
                    .encode(version, 1, &mut out, |writer| written.encode(writer))
                    .unwrap();
                let message = Message::parse(&out).unwrap();
                assert_eq!(ErrorMessage::decode(&message).as_ref(), Ok(&written), "{error}");
            }
        }
    }

    #[test]
    fn a_failed_hello_says_why() {
        let error = ErrorMessage {
            version: Version::V1_0,
            number: Ofperr::OFPHFC_INCOMPATIBLE.number(Version::V1_0).unwrap(),
            data: b"we speak 1.3 only".into(),
        };
        assert_eq!(error.to_string(), "OFPHFC_INCOMPATIBLE: we speak 1.3 only");
        let number = ErrorNumber {
            experimenter: 9,
            kind: 8,
            code: 7,
        };
        let error = ErrorMessage { number, ..error };
        assert_eq!(error.to_string(), "error type 8 code 7 of experimenter 0x9");
    }
}

//! Requests to any family, by both clients.

use core::ffi::CStr;

use crate::Error;
use crate::ctrl::{self, Family};
use crate::exchange::{Answers, Decode};
use crate::message::{EncodeError, Errno, Request};

both! { wait;
    impl Connection {
        /// Looks a family up by its name. What was looked up before is known until the kernel tells that it changed.
        ///
        /// # Errors
        /// [`Error::FamilyMissing`] if there is none; otherwise as [`Connection::reply`].
        pub fn family(&mut self, name: &CStr) -> Result<Family, Error> {
            wait!(self.settle());
            if let Some(family) = self.link.family(name)? {
                return Ok(family.clone());
            }
            let request = ctrl::get_family(name)?;
            match wait!(self.reply(&request, Family::decode)) {
                Ok(family) => {
                    self.link.add_family(family.clone());
                    Ok(family)
                }
                Err(Error::Kernel(status)) if status.errno == Errno::ENOENT => {
                    Err(Error::FamilyMissing { name: name.into() })
                }
                Err(error) => Err(error),
            }
        }

        /// Sends `request` and gives out what it is answered with, each object read by `decode`.
        ///
        /// A request that asks for neither a dump nor an acknowledgement must be one that has an answer: the first object
        /// ends it. If an earlier answer was not read to its end, what is left of it is read and dropped first.
        ///
        /// # Errors
        /// [`Error::Encode`] if the request cannot be written, [`Error::Io`] if it cannot be sent. Everything that goes
        /// wrong later is an item of the answer.
        pub fn replies<T>(&mut self, request: &Request, decode: Decode<T>) -> Result<Replies<'_, T>, Error> {
            wait!(self.settle());
            self.link.send([request])?;
            Ok(Replies {
                connection: self,
                answers: Answers::new(decode),
            })
        }

        /// As [`Connection::replies`], for a request that is answered with one object.
        ///
        /// # Errors
        /// [`Error::Kernel`] if the kernel refuses it, [`Error::NoReply`] if it only acknowledges it; otherwise as
        /// [`Connection::replies`] and its items.
        pub fn reply<T>(&mut self, request: &Request, decode: Decode<T>) -> Result<T, Error> {
            let mut replies = wait!(self.replies(request, decode))?;
            wait!(replies.next()).unwrap_or(Err(Error::NoReply))
        }

        /// As [`Connection::replies`], for a request that is answered with an acknowledgement alone, for which it must ask.
        ///
        /// # Errors
        /// [`Error::Kernel`] if the kernel refuses it; otherwise as [`Connection::replies`] and its items.
        pub fn acknowledged(&mut self, request: &Request) -> Result<(), Error> {
            let mut replies = wait!(self.replies(request, |_| Ok(())))?;
            wait!(replies.next()).unwrap_or(Ok(()))
        }

        /// Asks a family of Open vSwitch for one object.
        pub(crate) fn one<T>(
            &mut self,
            family: &CStr,
            decode: Decode<T>,
            request: impl FnOnce(u16) -> Result<Request, EncodeError>,
        ) -> Result<T, Error> {
            let family = wait!(self.family(family))?;
            wait!(self.reply(&request(family.id)?, decode))
        }

        /// Asks a family of Open vSwitch for all its objects.
        pub(crate) fn all<T>(
            &mut self,
            family: &CStr,
            decode: Decode<T>,
            request: impl FnOnce(u16) -> Request,
        ) -> Result<Replies<'_, T>, Error> {
            let family = wait!(self.family(family))?;
            wait!(self.replies(&request(family.id), decode))
        }

        /// Asks a family of Open vSwitch to do something.
        #[cfg(feature = "write")]
        pub(crate) fn done(
            &mut self,
            family: &CStr,
            request: impl FnOnce(u16) -> Result<Request, EncodeError>,
        ) -> Result<(), Error> {
            let family = wait!(self.family(family))?;
            wait!(self.acknowledged(&request(family.id)?))
        }

        /// Reads what is left of an earlier answer: the kernel refuses a dump while the socket has another one running.
        ///
        /// What goes wrong in an answer that nobody reads is nobody's error; what could make this loop endless also ends
        /// the exchange.
        fn settle(&mut self) -> () {
            while self.link.is_pending() {
                let _ = wait!(self.receive(|_| ()));
            }
        }
    }
}

//! All messages.

use postcard_schema::Schema;
use serde::{Deserialize, Serialize};

use super::{Answer, Failure, File, Hello, Rejection, Request, Welcome};

/// Names a request of one connection. The client counts up; an id may come again when its answer is long gone.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Serialize, Deserialize, Schema)]
pub struct RequestId(pub u32);

/// From who asks to who serves.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize, Schema)]
pub enum Up<'a> {
    /// The first message.
    Hello(Hello),
    /// A new request.
    Request {
        /// Its id.
        id: RequestId,
        /// What is asked.
        #[serde(borrow)]
        request: Request<'a>,
    },
    /// More bytes of the request's stream upwards, at most [`super::CHUNK`] and no more than there is credit for.
    Data {
        /// Which request.
        id: RequestId,
        /// The bytes.
        #[serde(with = "serde_bytes")]
        bytes: &'a [u8],
    },
    /// The client takes so many more bytes of the request's stream downwards.
    Credit {
        /// Which request.
        id: RequestId,
        /// Bytes.
        bytes: u32,
    },
    /// The client wants the request to end; its answer still comes.
    Cancel {
        /// Which request.
        id: RequestId,
    },
}

/// From who serves to who asks.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize, Schema)]
pub enum Down<'a> {
    /// The answer to the hello.
    Welcome(Welcome),
    /// The connection ends, because of what the client did.
    Closed(Rejection),
    /// The server does not have a file of the request: its bytes are to come as the stream upwards.
    Want {
        /// Which request.
        id: RequestId,
        /// Which file.
        file: File,
    },
    /// More bytes of the request's stream downwards.
    Data {
        /// Which request.
        id: RequestId,
        /// The bytes.
        #[serde(with = "serde_bytes")]
        bytes: &'a [u8],
    },
    /// The server takes so many more bytes of the request's stream upwards.
    Credit {
        /// Which request.
        id: RequestId,
        /// Bytes.
        bytes: u32,
    },
    /// The end of a request, and of its streams.
    Answer {
        /// Which request.
        id: RequestId,
        /// What came of it.
        #[serde(borrow)]
        result: Result<Answer<'a>, Failure>,
    },
}

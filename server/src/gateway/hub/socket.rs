//! One socket, from its handshake to its end: one task, which sends what waits, hears what comes, and keeps the time.

use std::collections::VecDeque;
use std::time::Duration;

use futures_util::{SinkExt, StreamExt};
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::time::{Instant, sleep_until, timeout, timeout_at};
use tokio_tungstenite::WebSocketStream;
use tokio_tungstenite::tungstenite::protocol::{Role, WebSocketConfig};
use tokio_tungstenite::tungstenite::{Error, Message, Utf8Bytes};

use super::Hub;
use super::config::HubConfig;
use super::data::Data;
use super::ending::Ending;
use super::envelope::Who;
use super::outbox::{Next, Outbox};
use super::protocol::{self, Id, Said, Says, Wrong};
use super::timing::{Due, Pace, Quiet};

/// How long a client may take what it is sent: 10 s. Slower than that is not reading.
const WRITE_TIMEOUT: Duration = Duration::from_secs(10);

/// How long a client may answer the closing of its socket: 5 s, some round trips of a bad network.
const CLOSE_TIMEOUT: Duration = Duration::from_secs(5);

/// What is read, and collected before it is written, at once: 4 KiB and 16 KiB. Ten thousand idle sockets keep 40 MB;
/// with the library's 128 KiB for each they would keep 1.3 GB.
const READ_BUFFER: usize = 4 << 10;
const WRITE_BUFFER: usize = 16 << 10;

/// A socket.
pub(super) struct Socket<'a, S> {
    hub: &'a Hub,
    who: &'a Who,
    outbox: &'a Outbox,
    stream: WebSocketStream<S>,
    quiet: Quiet,
    pace: Pace,
    expires: Option<Instant>,
}

/// What happened.
enum Turn {
    Next(Next),
    Came(Option<Result<Message, Error>>),
    Late,
}

impl<'a, S: AsyncRead + AsyncWrite + Unpin> Socket<'a, S> {
    pub(super) async fn new(hub: &'a Hub, who: &'a Who, outbox: &'a Outbox, io: S, expires: Option<Instant>) -> Self {
        let (config, now) = (&hub.config, Instant::now());
        Self {
            hub,
            who,
            outbox,
            stream: WebSocketStream::from_raw_socket(io, Role::Server, Some(limits(config))).await,
            quiet: Quiet::new(config.idle.0, config.ping.0, now),
            pace: Pace::new(config.messages_per_second, now),
            expires,
        }
    }

    /// Carries messages until one side ends it.
    pub(super) async fn run(mut self) -> Ending {
        self.say(&Says::welcome(&self.who.connection, self.who.user.as_deref()));
        let ending = loop {
            let turn = self.turn().await;
            if let Err(ending) = self.act(turn).await {
                break ending;
            }
        };
        let _ = timeout(CLOSE_TIMEOUT, self.close(ending)).await;
        ending
    }

    async fn turn(&mut self) -> Turn {
        let wakes = self.wakes();
        tokio::select! {
            next = self.outbox.next() => Turn::Next(next),
            came = read(&mut self.stream, self.pace.free_at()) => Turn::Came(came),
            () = sleep_until(wakes) => Turn::Late,
        }
    }

    fn wakes(&self) -> Instant {
        let quiet = self.quiet.wakes();
        self.expires.map_or(quiet, |expires| expires.min(quiet))
    }

    fn has_expired(&self) -> bool {
        self.expires.is_some_and(|expires| expires <= Instant::now())
    }

    async fn act(&mut self, turn: Turn) -> Result<(), Ending> {
        match turn {
            Turn::Next(Next::Texts(texts)) => self.send(texts.into_iter().map(Message::Text).collect()).await,
            Turn::Next(Next::End(ending)) => Err(ending),
            Turn::Came(Some(Ok(message))) => self.hear(message),
            Turn::Came(Some(Err(error))) => Err(Ending::from(&error)),
            Turn::Came(None) => Err(Ending::Lost),
            Turn::Late => self.late().await,
        }
    }

    async fn late(&mut self) -> Result<(), Ending> {
        if self.has_expired() {
            return Err(Ending::Expired);
        }
        match self.quiet.due(Instant::now()) {
            Due::Nothing => Ok(()),
            Due::Ping => self.send([Message::Ping(bytes::Bytes::new())].into()).await,
            Due::GiveUp => Err(Ending::Idle),
        }
    }

    /// Sends all of them. What is in the stream's own buffer when this gives up stays there, whole.
    async fn send(&mut self, messages: VecDeque<Message>) -> Result<(), Ending> {
        let slow = Instant::now() + WRITE_TIMEOUT;
        let deadline = self.expires.map_or(slow, |expires| expires.min(slow));
        let stream = &mut self.stream;
        let sending = async {
            for message in messages {
                stream.feed(message).await?;
            }
            stream.flush().await
        };
        let sent = tokio::select! {
            sent = timeout_at(deadline, sending) => sent,
            () = self.outbox.overflowed() => return Err(Ending::TooSlow),
        };
        match sent {
            Ok(sent) => sent.map_err(|_| Ending::Lost),
            Err(_) if self.has_expired() => Err(Ending::Expired),
            Err(_) => Err(Ending::TooSlow),
        }
    }

    fn hear(&mut self, message: Message) -> Result<(), Ending> {
        let now = Instant::now();
        self.quiet.heard(now);
        self.pace.read(now);
        match message {
            Message::Text(text) => self.obey(&protocol::read(&text)),
            Message::Binary(bytes) => {
                let _ = self.hub.take_in(self.who, Data::Binary(&bytes));
            }
            Message::Close(_) => return Err(Ending::Left),
            Message::Ping(_) | Message::Pong(_) | Message::Frame(_) => {}
        }
        Ok(())
    }

    fn obey(&self, said: &Said<'_>) {
        match said {
            Said::Data(data) => {
                let _ = self.hub.take_in(self.who, *data);
            }
            Said::Publish { data, id } => {
                let taken = self.hub.take_in(self.who, Data::Json(data));
                self.answer("published", None, *id, taken);
            }
            Said::Subscribe { topic, id } => {
                let subscribed = self.hub.subscribe(self.who, topic);
                self.answer("subscribed", Some(topic), *id, subscribed);
            }
            Said::Unsubscribe { topic, id } => {
                self.hub.unsubscribe(self.who, topic);
                self.answer("unsubscribed", Some(topic), *id, Ok(()));
            }
            Said::Wrong { why, id } => self.say(&Says::error(*why, None, *id)),
        }
    }

    fn answer(&self, done: &'static str, topic: Option<&str>, id: Id<'_>, result: Result<(), Wrong>) {
        self.say(&match result {
            Ok(()) => Says::done(done, topic, id),
            Err(why) => Says::error(why, topic, id),
        });
    }

    fn say(&self, says: &Says<'_>) {
        let text: Utf8Bytes = says.text();
        self.outbox.put(text);
    }

    /// The closing handshake (RFC 6455 §7.1.2), and then what the client was still sending is read to its end: a connection
    /// that is closed with unread bytes is reset, and the client would not see why.
    async fn close(&mut self, ending: Ending) {
        if let Some(frame) = ending.frame()
            && self.stream.send(Message::Close(Some(frame))).await.is_err()
        {
            return;
        }
        while let Some(Ok(_)) = self.stream.next().await {}
        let io = self.stream.get_mut();
        if io.shutdown().await.is_ok() {
            let mut unread = vec![0; READ_BUFFER];
            while matches!(io.read(&mut unread).await, Ok(1..)) {}
        }
    }
}

fn limits(config: &HubConfig) -> WebSocketConfig {
    WebSocketConfig::default()
        .read_buffer_size(READ_BUFFER)
        .write_buffer_size(WRITE_BUFFER)
        .max_message_size(Some(config.max_message.0))
        .max_frame_size(Some(config.max_message.0))
}

async fn read<S>(stream: &mut WebSocketStream<S>, free_at: Instant) -> Option<Result<Message, Error>>
where
    S: AsyncRead + AsyncWrite + Unpin,
{
    if free_at > Instant::now() {
        sleep_until(free_at).await;
    }
    stream.next().await
}

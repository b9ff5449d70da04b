//! Many connections driven by one thread and one epoll: the generator shares the cores with what it measures, so it
//! has to be cheap. Closed loop (a connection sends when it has its answer) or open loop (at fixed times, and a
//! request that has to wait for a free connection counts that wait: no coordinated omission).

use std::collections::VecDeque;
use std::net::SocketAddr;
use std::time::{Duration, Instant};

use rustix::event::Timespec;
use rustix::event::epoll::{self, EventData, EventFlags};

use crate::connection::{Answer, Connection};
use crate::event::Template;
use crate::request::{Request, Source};
use crate::{Failure, Outcome};

/// When requests are sent.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Pace {
    /// As soon as a connection is free.
    Closed,
    /// So many a second, evenly.
    Open(f64),
}

/// When to stop.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Until {
    /// After so many requests.
    Requests(usize),
    /// After this time.
    Elapsed(Duration),
}

/// What to send where.
#[derive(Debug, Clone)]
pub struct Load {
    /// The server.
    pub address: SocketAddr,
    /// A write key.
    pub key: String,
    /// Connections, all kept alive.
    pub connections: usize,
    /// Events in each request.
    pub batch: usize,
    /// When to send.
    pub pace: Pace,
    /// When to stop.
    pub until: Until,
    /// Makes ids and devices different from those of other runs.
    pub seed: u64,
}

/// What happened.
#[derive(Debug)]
pub struct Sent {
    /// When the first request was sent.
    pub began: Instant,
    /// From then to the last answer.
    pub took: Duration,
    /// Requests answered with 202.
    pub requests: usize,
    /// Events in them.
    pub events: usize,
    /// From the time a request was due to its answer, sorted.
    pub latencies: Vec<Duration>,
}

impl Sent {
    /// Events a second.
    #[must_use]
    pub fn rate(&self) -> f64 {
        self.events as f64 / self.took.as_secs_f64()
    }
}

impl Load {
    /// Sends it all and waits for the last answer.
    ///
    /// # Errors
    /// The server refused a request or went away: a load that is not accepted measures nothing.
    pub fn run(&self) -> Outcome<Sent> {
        Driver::new(self)?.run()
    }

    /// Runs it on a thread of its own, beside an async runtime.
    ///
    /// # Errors
    /// As [`Load::run`].
    pub async fn run_aside(self) -> Outcome<Sent> {
        tokio::task::spawn_blocking(move || self.run()).await?
    }
}

struct Lane {
    connection: Connection,
    request: Request,
    due: Instant,
}

struct Driver<'a> {
    load: &'a Load,
    source: Source,
    lanes: Vec<Lane>,
    idle: VecDeque<usize>,
    epoll: rustix::fd::OwnedFd,
    issued: usize,
    latencies: Vec<Duration>,
}

impl<'a> Driver<'a> {
    fn new(load: &'a Load) -> Outcome<Self> {
        let epoll = epoll::create(epoll::CreateFlags::CLOEXEC)?;
        let mut lanes = Vec::with_capacity(load.connections);
        for lane in 0..load.connections {
            let connection = Connection::open(load.address)?;
            epoll::add(
                &epoll,
                connection.socket(),
                EventData::new_u64(lane as u64),
                EventFlags::IN,
            )?;
            let templates: Vec<_> = (lane..lane + load.batch).map(Template::new).collect();
            lanes.push(Lane {
                connection,
                request: Request::new(&load.key, &templates),
                due: Instant::now(),
            });
        }
        let idle = (0..load.connections).collect();
        Ok(Self {
            load,
            source: Source::new(load.seed),
            lanes,
            idle,
            epoll,
            issued: 0,
            latencies: Vec::new(),
        })
    }

    fn run(mut self) -> Outcome<Sent> {
        let began = Instant::now();
        let mut ready = Vec::with_capacity(self.lanes.len());
        loop {
            self.send_due(began)?;
            if self.idle.len() == self.lanes.len() && self.finished(began) {
                break;
            }
            let timeout = self.until_next(began);
            epoll::wait(
                &self.epoll,
                rustix::buffer::spare_capacity(&mut ready),
                timeout.as_ref(),
            )?;
            for event in ready.drain(..) {
                self.receive(event.data.u64() as usize)?;
            }
        }
        let took = began.elapsed();
        self.latencies.sort_unstable();
        let requests = self.latencies.len();
        Ok(Sent {
            began,
            took,
            requests,
            events: requests * self.load.batch,
            latencies: self.latencies,
        })
    }

    fn finished(&self, began: Instant) -> bool {
        match self.load.until {
            Until::Requests(requests) => self.issued >= requests,
            Until::Elapsed(time) => began.elapsed() >= time,
        }
    }

    /// When the next request is due.
    fn due(&self, began: Instant) -> Instant {
        match self.load.pace {
            Pace::Closed => Instant::now(),
            Pace::Open(rate) => began + Duration::from_secs_f64(self.issued as f64 / rate),
        }
    }

    /// How long to wait for answers at most: until the next request is due, if a connection is free for it.
    fn until_next(&self, began: Instant) -> Option<Timespec> {
        let waits = matches!(self.load.pace, Pace::Open(_)) && !self.idle.is_empty() && !self.finished(began);
        waits.then(|| Timespec::try_from(self.due(began).saturating_duration_since(Instant::now())).ok())?
    }

    fn send_due(&mut self, began: Instant) -> Outcome<()> {
        while !self.idle.is_empty() && !self.finished(began) {
            let due = self.due(began);
            if due > Instant::now() {
                break;
            }
            let Some(lane) = self.idle.pop_front() else { break };
            let lane = &mut self.lanes[lane];
            lane.due = due;
            lane.connection.send(lane.request.renew(&mut self.source))?;
            self.issued += 1;
        }
        Ok(())
    }

    fn receive(&mut self, index: usize) -> Outcome<()> {
        let lane = &mut self.lanes[index];
        let Some(answer) = lane.connection.receive()? else {
            return Ok(());
        };
        check(&answer, self.load.batch)?;
        self.latencies.push(lane.due.elapsed());
        self.idle.push_back(index);
        Ok(())
    }
}

/// Every event must have been accepted.
fn check(answer: &Answer<'_>, batch: usize) -> Outcome<()> {
    let accepted = answer
        .body
        .strip_prefix(br#"{"accepted":"#)
        .and_then(|rest| rest.split(|byte| !byte.is_ascii_digit()).next());
    let accepted = accepted.and_then(|digits| std::str::from_utf8(digits).ok()?.parse().ok());
    if answer.status == 202 && accepted == Some(batch) {
        return Ok(());
    }
    Err(Failure::from(format!(
        "not accepted: {} {}",
        answer.status,
        String::from_utf8_lossy(answer.body)
    )))
}

//! One connection, from the handshake to its end. The only code that writes to the socket.

use std::{io, sync::atomic::Ordering, time::Duration};

use tokio::{
    io::ReadHalf,
    sync::{mpsc, watch},
    time::{Instant, sleep_until},
};
use tokio_util::sync::CancellationToken;

use super::{
    Counters, LinkConfig, LinkError, LinkEvent, LinkState, Permit, Phase, Waiting,
    barrier::Barriers,
    endpoint::Connection,
    handle::Command,
    inbound::{Inbound, Progress, Word},
    login::LoggedIn,
    pace::Pace,
    requests::Requests,
    writer::Writer,
};
use crate::xmpp::stanza::ParseError;

pub(crate) struct Session<'a> {
    ends: Ends<'a>,
    read: ReadHalf<Box<dyn Connection>>,
    inbound: Inbound<'a>,
    writer: Writer,
    barriers: Barriers,
    requests: Requests,
    pace: Pace,
    course: Course,
    /// When something was last read, or could have been.
    alive_at: Instant,
    probed: bool,
    close_sent: bool,
}

/// What a session shares with the rest of the link.
pub(crate) struct Ends<'a> {
    pub(crate) config: &'a LinkConfig,
    pub(crate) counters: &'a Counters,
    pub(crate) events: &'a mpsc::Sender<LinkEvent>,
    pub(crate) stop: &'a CancellationToken,
    /// Not up from the moment when nothing more is taken: whoever has something to send waits for the next connection.
    pub(crate) state: &'a watch::Sender<LinkState>,
    pub(crate) messages: mpsc::Receiver<Command>,
    pub(crate) presences: mpsc::Receiver<Vec<u8>>,
}

/// Where a session is going.
enum Course {
    Running,
    /// We were asked to stop: what is queued is written and answered, then the stream is closed, by `close_by` at
    /// the latest; then it is read to its end.
    Stopping {
        close_by: Instant,
        end_by: Instant,
    },
    /// The stream is lost, or the server ends it: it is read to its end.
    Ending {
        error: LinkError,
        end_by: Instant,
    },
}

/// Sends that wait for an answer; more make the queue wait.
const UNANSWERED_MAX: usize = 16 * 1024;

impl<'a> Session<'a> {
    pub(crate) fn new(logged_in: LoggedIn, ends: Ends<'a>) -> Self {
        let config = ends.config;
        let (inbound, stream) = logged_in.inbound(&config.domain, ends.counters);
        let (read, write) = tokio::io::split(stream);
        let (homes, fallback) = (&config.home_domains, config.barrier_domain.as_ref());
        Self {
            read,
            inbound,
            writer: Writer::new(write),
            barriers: Barriers::new(&config.domain, homes, fallback, &config.timing),
            requests: Requests::default(),
            pace: Pace::new(&config.queues),
            course: Course::Running,
            alive_at: Instant::now(),
            probed: false,
            close_sent: false,
            ends,
        }
    }

    /// Runs to the end: `Ok` when it was asked to stop.
    pub(crate) async fn run(mut self) -> Result<(), LinkError> {
        loop {
            match self.inbound.cut(&mut self.barriers, &mut self.requests) {
                Ok(None) => {}
                Ok(Some(word)) => self.hear(word),
                Err(fault) => self.refuse(&fault),
            }
            self.write_barriers();
            self.close_when_done();
            if self.has_ended() {
                return match self.course {
                    Course::Ending { error, .. } => Err(error),
                    Course::Running | Course::Stopping { .. } => Ok(()),
                };
            }
            self.step().await;
        }
    }

    /// Waits for one thing to happen, and lets it.
    async fn step(&mut self) {
        let takes = self.takes_commands();
        let takes_presences =
            takes && !self.writer.is_pending() && self.pace.allows(Instant::now());
        let deadline = self.deadline();
        tokio::select! {
            progress = self.inbound.progress(&mut self.read) => match progress {
                Progress::Read(read) => self.on_read(&read),
                Progress::Committed { shut_for } => self.on_committed(shut_for),
            },
            permit = self.ends.events.reserve(), if self.inbound.has_batch() => {
                match (permit, self.inbound.take_batch()) {
                    (Ok(permit), Some(batch)) => permit.send(LinkEvent::Batch(batch)),
                    // Nobody listens: nothing may be read any more.
                    _ => self.lose(LinkError::Closed(Phase::Live)),
                }
            }
            written = self.writer.flush(), if self.writer.is_pending() => self.on_written(&written),
            Some(command) = self.ends.messages.recv(), if takes => self.on_command(command),
            Some(presence) = self.ends.presences.recv(), if takes_presences => self.on_presence(&presence),
            () = self.ends.stop.cancelled(), if matches!(self.course, Course::Running) => self.begin_stop(),
            () = sleep_until(deadline.unwrap_or_else(Instant::now)), if deadline.is_some() => self.on_deadline(),
        }
    }

    fn on_read(&mut self, read: &io::Result<usize>) {
        match read {
            Ok(bytes) if *bytes > 0 => {
                Counters::add(&self.ends.counters.bytes_in, *bytes);
                self.ends.counters.note_traffic();
                self.alive_at = Instant::now();
                self.probed = false;
            }
            Ok(_) | Err(_) => {
                self.inbound.ended = true;
                self.end(LinkError::Closed(Phase::Live));
            }
        }
    }

    /// Deadlines stood still while nothing was read.
    fn on_committed(&mut self, shut_for: Duration) {
        self.alive_at += shut_for;
        self.barriers.postpone(shut_for);
        self.writer.postpone(shut_for);
        match &mut self.course {
            Course::Running => {}
            Course::Stopping { close_by, end_by } => {
                *close_by += shut_for;
                *end_by += shut_for;
            }
            Course::Ending { end_by, .. } => *end_by += shut_for,
        }
    }

    fn on_written(&mut self, written: &io::Result<usize>) {
        if let Ok(bytes) = written {
            Counters::add(&self.ends.counters.bytes_out, *bytes);
        } else {
            // The reason may be on its way to us: read on.
            self.writer.give_up();
            self.end(LinkError::Closed(Phase::Live));
        }
    }

    fn on_command(&mut self, command: Command) {
        self.write_command(command);
        while self.takes_commands()
            && let Ok(command) = self.ends.messages.try_recv()
        {
            self.write_command(command);
        }
    }

    fn on_presence(&mut self, presence: &[u8]) {
        // Never ahead of a message.
        while let Ok(command) = self.ends.messages.try_recv() {
            self.write_command(command);
        }
        self.write(presence);
        self.pace.count(Instant::now());
        while self.pace.allows(Instant::now())
            && self.writer.has_room()
            && let Ok(presence) = self.ends.presences.try_recv()
        {
            self.write(&presence);
            self.pace.count(Instant::now());
        }
    }

    fn on_deadline(&mut self) {
        let now = Instant::now();
        let timing = &self.ends.config.timing;
        if !self.inbound.is_open() {
            return;
        }
        if self
            .writer
            .deadline(timing.write)
            .is_some_and(|by| by <= now)
        {
            self.lose(LinkError::TimedOut(Waiting::Write));
        } else if self.alive_at + 2 * timing.keepalive <= now {
            self.lose(LinkError::TimedOut(Waiting::Traffic));
        } else if self.alive_at + timing.keepalive / 2 <= now && !self.probed {
            self.probed = true;
            self.barriers.want_probe();
        } else {
            let mut probes = Vec::new();
            match self.barriers.tick(&mut probes, now) {
                Ok(written) => self.write_probes(&probes, written),
                Err(_) => self.lose(LinkError::TimedOut(Waiting::Barrier)),
            }
        }
    }

    fn begin_stop(&mut self) {
        let stop = self.ends.config.timing.stop;
        let now = Instant::now();
        // Where another process has the name by now, its stanzas and the answers to its pings may come here: not for long. What is
        // not answered is written again by that one, with the same ids.
        let is_elsewhere = self.ends.config.permit() != Permit::Yes;
        self.course = Course::Stopping {
            close_by: if is_elsewhere { now } else { now + stop / 2 },
            end_by: now + stop,
        };
        self.ends.messages.close();
        self.ends.presences.close();
    }

    fn hear(&mut self, word: Word) {
        match word {
            Word::Error(error) => self.end(error),
            Word::Close => {
                self.inbound.ended = true;
                self.close();
                self.end(LinkError::Closed(Phase::Live));
            }
        }
    }

    /// RFC 6120 §4.9.1: the server is told what was wrong with its stream.
    fn refuse(&mut self, fault: &ParseError) {
        let condition = match fault {
            ParseError::NotWellFormed(_) => "not-well-formed",
            ParseError::NotUtf8 => "unsupported-encoding",
            ParseError::Restricted(_) => "restricted-xml",
            ParseError::Namespace(_) | ParseError::TooBig { .. } => "policy-violation",
        };
        let namespace = crate::xmpp::ns::STREAM_ERRORS;
        self.write(
            format!("<stream:error><{condition} xmlns='{namespace}'/></stream:error>").as_bytes(),
        );
        self.close();
        self.inbound.ended = true;
        self.end(fault.clone().into());
    }

    /// The stream ends, for this reason unless there was one before; what is on its way to us is still read.
    fn end(&mut self, error: LinkError) {
        if matches!(self.course, Course::Running) {
            let end_by = Instant::now() + self.ends.config.timing.stop;
            let down = |error, retry_at| LinkState::Down { error, retry_at };
            self.ends.state.send_replace(down(error.clone(), end_by));
            self.course = Course::Ending { error, end_by };
            self.ends.messages.close();
            self.ends.presences.close();
        }
    }

    /// Nothing can be read any more either.
    fn lose(&mut self, error: LinkError) {
        self.inbound.ended = true;
        self.writer.give_up();
        self.end(error);
    }

    fn write(&mut self, stanza: &[u8]) {
        self.writer.push(stanza);
        self.ends
            .counters
            .stanzas_out
            .fetch_add(1, Ordering::Relaxed);
    }

    fn write_command(&mut self, command: Command) {
        match command {
            Command::Send(stanza) => self.write(&stanza),
            // Dropped, it counts as lost with the link: the process that has the name next writes it, and waits for the answer.
            Command::Tracked { .. } if self.ends.config.permit() == Permit::HandedOver => {}
            Command::Tracked {
                stanzas,
                targets,
                done,
            } => {
                for stanza in &stanzas {
                    self.write(stanza);
                }
                self.barriers.track(&targets, done);
            }
            Command::Request {
                stanza,
                id,
                from,
                answer,
            } => {
                self.requests.add(id, from, answer);
                self.write(&stanza);
            }
        }
    }

    fn write_barriers(&mut self) {
        if self.is_over() {
            return;
        }
        let mut probes = Vec::new();
        let written = self.barriers.write_due(&mut probes, Instant::now());
        self.write_probes(&probes, written);
    }

    fn write_probes(&mut self, probes: &[u8], count: usize) {
        if count > 0 && !self.is_over() {
            self.writer.push(probes);
            Counters::add(&self.ends.counters.stanzas_out, count);
        }
    }

    fn close(&mut self) {
        if !std::mem::replace(&mut self.close_sent, true) {
            self.writer.push(b"</stream:stream>");
        }
    }

    fn close_when_done(&mut self) {
        if let Course::Stopping { close_by, .. } = self.course {
            let nothing_left = self.ends.messages.is_empty()
                && self.ends.presences.is_empty()
                && self.barriers.waiting() == 0
                && !self.writer.is_pending();
            if nothing_left || close_by <= Instant::now() {
                self.close();
            }
        }
    }

    fn has_ended(&self) -> bool {
        let (Course::Stopping { end_by, .. } | Course::Ending { end_by, .. }) = &self.course else {
            return false;
        };
        let late = *end_by <= Instant::now();
        self.inbound.is_open() && (late || (self.inbound.ended && !self.writer.is_pending()))
    }

    fn takes_commands(&self) -> bool {
        !self.is_over() && self.writer.has_room() && self.barriers.waiting() < UNANSWERED_MAX
    }

    /// Nothing may be written any more.
    fn is_over(&self) -> bool {
        self.close_sent || matches!(self.course, Course::Ending { .. })
    }

    fn deadline(&self) -> Option<Instant> {
        let timing = &self.ends.config.timing;
        let presences_wait =
            !self.ends.presences.is_empty() && self.takes_commands() && !self.writer.is_pending();
        let pace = self.pace.opens_at().filter(|_| presences_wait);
        if !self.inbound.is_open() {
            return pace;
        }
        let idle = if self.probed {
            2 * timing.keepalive
        } else {
            timing.keepalive / 2
        };
        let end = match self.course {
            Course::Running => None,
            Course::Stopping { close_by, end_by } => {
                Some(if self.close_sent { end_by } else { close_by })
            }
            Course::Ending { end_by, .. } => Some(end_by),
        };
        let (writer, barriers) = (self.writer.deadline(timing.write), self.barriers.deadline());
        let all = [pace, end, writer, barriers, Some(self.alive_at + idle)];
        all.into_iter().flatten().min()
    }
}

use super::*;
use crate::xmpp::stanza::{Condition, StanzaError};

struct Bench {
    barriers: Barriers,
    now: Instant,
}

impl Bench {
    fn new(targets: &[&str], fallback: Option<&str>) -> Self {
        let domain = |text: &str| text.parse::<DomainPart>().unwrap();
        let targets: Vec<_> = targets.iter().map(|text| domain(text)).collect();
        let fallback = fallback.map(domain);
        let own = domain("sms.example.org");
        let barriers = Barriers::new(&own, &targets, fallback.as_ref(), &Timing::default());
        Self {
            barriers,
            now: Instant::now(),
        }
    }

    fn track(&mut self, targets: &[usize]) -> oneshot::Receiver<()> {
        let (done, is_done) = oneshot::channel();
        self.barriers.track(targets, done);
        is_done
    }

    /// What is written now.
    fn written(&mut self) -> Vec<Stanza> {
        let mut out = Vec::new();
        self.barriers.write_due(&mut out, self.now);
        read(&out)
    }

    fn after(&mut self, seconds: u64) -> Result<Vec<Stanza>, Unanswered> {
        self.now += Duration::from_secs(seconds);
        let mut out = Vec::new();
        self.barriers.tick(&mut out, self.now)?;
        Ok(read(&out))
    }

    fn answer(&mut self, ping: &Stanza) -> bool {
        let Stanza::Iq(iq) = ping else {
            panic!("no ping: {ping:?}")
        };
        self.barriers
            .take_answer(iq.result(None).unwrap().into())
            .is_none()
    }
}

fn read(out: &[u8]) -> Vec<Stanza> {
    let all = format!(
        "<all xmlns='jabber:client'>{}</all>",
        str::from_utf8(out).unwrap()
    );
    let all: Element = all.parse().unwrap();
    all.children()
        .map(|child| Stanza::try_from(child.clone()).unwrap())
        .collect()
}

fn recipients(stanzas: &[Stanza]) -> Vec<&str> {
    stanzas
        .iter()
        .filter_map(Stanza::recipient)
        .map(Jid::as_str)
        .collect()
}

#[test]
fn a_ping_goes_to_each_domain_and_the_rest_to_the_fallback() {
    let mut bench = Bench::new(&["a.org", "b.org"], None);
    let mut both = bench.track(&[0, 1]);
    let mut federated = bench.track(&[2]);
    let pings = bench.written();
    assert_eq!(recipients(&pings), ["a.org", "b.org", "a.org"]);
    assert!(bench.answer(&pings[0]));
    assert!(both.try_recv().is_err());
    assert!(bench.answer(&pings[1]));
    assert_eq!(both.try_recv(), Ok(()));
    assert!(federated.try_recv().is_err());
    assert!(bench.answer(&pings[2]));
    assert_eq!(federated.try_recv(), Ok(()));
    assert_eq!(bench.barriers.waiting(), 0);
}

#[test]
fn the_fallback_can_be_another_domain() {
    let mut bench = Bench::new(&["a.org"], Some("c.org"));
    let _waiting = bench.track(&[1]);
    assert_eq!(recipients(&bench.written()), ["c.org"]);
}

#[test]
fn what_is_written_meanwhile_rides_on_the_next_ping() {
    let mut bench = Bench::new(&["a.org"], None);
    let mut first = bench.track(&[0]);
    let pings = bench.written();
    let mut second = bench.track(&[0]);
    let mut third = bench.track(&[0]);
    assert_eq!(bench.written(), []);
    assert!(bench.answer(&pings[0]));
    assert_eq!(first.try_recv(), Ok(()));
    assert!(second.try_recv().is_err());
    let pings = bench.written();
    assert_eq!(pings.len(), 1);
    assert!(bench.answer(&pings[0]));
    assert_eq!((second.try_recv(), third.try_recv()), (Ok(()), Ok(())));
    assert_eq!(bench.written(), []);
}

#[test]
fn an_error_is_an_answer_but_not_that_of_somebody_else() {
    let mut bench = Bench::new(&["a.org"], None);
    let mut waiting = bench.track(&[0]);
    let Stanza::Iq(ping) = bench.written().remove(0) else {
        panic!("no ping")
    };
    let mut forged = ping.result(None).unwrap();
    forged.from = Jid::new("mallory@a.org").ok();
    assert!(bench.barriers.take_answer(forged.into()).is_some());
    assert!(bench.barriers.take_answer(ping.clone().into()).is_some());
    assert!(waiting.try_recv().is_err());
    let error = StanzaError::new(Condition::ServiceUnavailable);
    assert!(
        bench
            .barriers
            .take_answer(ping.error_reply(&error).unwrap().into())
            .is_none()
    );
    assert_eq!(waiting.try_recv(), Ok(()));
}

#[test]
fn a_message_to_ourselves_replaces_pings_that_nobody_answers() {
    let mut bench = Bench::new(&["a.org"], None);
    let mut first = bench.track(&[0]);
    assert_eq!(recipients(&bench.written()), ["a.org"]);
    let mut second = bench.track(&[0]);
    assert_eq!(recipients(&bench.after(29).unwrap()), ["a.org"]);
    let message = bench.after(1).unwrap().remove(0);
    assert!(matches!(message, Stanza::Message(_)));
    assert_eq!(
        recipients(std::slice::from_ref(&message)),
        ["sms.example.org"]
    );
    assert!(bench.barriers.take_answer(message).is_none());
    assert_eq!((first.try_recv(), second.try_recv()), (Ok(()), Ok(())));
    // From now on at once.
    let _third = bench.track(&[0]);
    assert_eq!(recipients(&bench.written()), ["sms.example.org"]);
}

#[test]
fn a_ping_is_written_again_and_either_answer_proves_what_stood_before_the_first() {
    for answered in [0, 1] {
        let mut bench = Bench::new(&["a.org"], None);
        let mut first = bench.track(&[0]);
        let mut pings = bench.written();
        let mut second = bench.track(&[0]);
        assert_eq!(bench.after(2), Ok(vec![]));
        pings.append(&mut bench.after(1).unwrap());
        assert_eq!(recipients(&pings), ["a.org", "a.org"]);
        assert!(bench.answer(&pings[answered]));
        assert_eq!(first.try_recv(), Ok(()));
        assert!(second.try_recv().is_err(), "it has no ping behind it yet");
        assert_eq!(recipients(&bench.written()), ["a.org"]);
    }
}

#[test]
fn when_nothing_comes_back_the_stream_is_lost() {
    let mut bench = Bench::new(&["a.org"], None);
    let _waiting = bench.track(&[0]);
    bench.written();
    assert!(bench.after(30).is_ok());
    assert_eq!(
        bench.barriers.deadline(),
        Some(bench.now + Duration::from_secs(30))
    );
    assert_eq!(bench.after(30), Err(Unanswered));
}

#[test]
fn without_home_domains_messages_are_the_only_way() {
    let mut bench = Bench::new(&[], None);
    let mut waiting = bench.track(&[0]);
    let message = bench.written().remove(0);
    assert!(bench.barriers.take_answer(message).is_none());
    assert_eq!(waiting.try_recv(), Ok(()));
}

#[test]
fn a_message_that_bounces_is_an_answer_too() {
    let mut bench = Bench::new(&[], None);
    let mut waiting = bench.track(&[0]);
    let Stanza::Message(message) = bench.written().remove(0) else {
        panic!("no message")
    };
    let bounced = message
        .error_reply(&StanzaError::new(Condition::ServiceUnavailable))
        .unwrap();
    assert!(bench.barriers.take_answer(bounced.into()).is_none());
    assert_eq!(waiting.try_recv(), Ok(()));
}

#[test]
fn deadlines_stand_still_while_nothing_is_read() {
    let mut bench = Bench::new(&["a.org"], None);
    let _waiting = bench.track(&[0]);
    bench.written();
    bench.barriers.postpone(Duration::from_secs(100));
    assert_eq!(bench.after(102), Ok(vec![]));
    let again = bench.after(27).unwrap().remove(0);
    assert!(matches!(again, Stanza::Iq(_)));
    let message = bench.after(1).unwrap().remove(0);
    assert!(matches!(message, Stanza::Message(_)));
}

#[test]
fn a_sign_of_life_is_asked_for_once() {
    let mut bench = Bench::new(&["a.org"], None);
    bench.barriers.want_probe();
    assert_eq!(recipients(&bench.written()), ["a.org"]);
    bench.barriers.want_probe();
    assert_eq!(bench.written(), []);
}

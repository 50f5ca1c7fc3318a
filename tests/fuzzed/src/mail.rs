//! What comes with mail, and what servers say that are looked for.

use transom_email::measure;

/// Mails that anybody may have sent, bounces among them.
pub fn mail(data: &[u8]) {
    measure::class(data);
    measure::read(data);
    measure::bounce(data);
    measure::is_report_at_bounce_address(data);
    let text = String::from_utf8_lossy(data);
    assert!(
        text.starts_with(measure::cut_reply(&text).trim_end()),
        "an answer is cut at its end alone"
    );
}

/// What servers anywhere answer when the servers of a mail address are looked for.
pub fn discovery(data: &[u8]) {
    measure::discovery(data);
}

/// Answers that anybody may send in a name server's stead.
pub fn dns(data: &[u8]) {
    measure::dns(data);
}

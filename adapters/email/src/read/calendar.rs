//! Calendar invitations: what a person has to know of them. RFC 5545, RFC 5546

use transom_adapter::{Appointment, Attendance, Frequency, Step};

use crate::headers::one_line;

/// A calendar with more is an export, not an invitation.
const BYTES_MAX: usize = 256 * 1024;
const TITLE_CHARS_MAX: usize = 200;

/// The first appointment in a calendar; `None` when there is none in it, or none that anybody is asked to.
pub(crate) fn appointment(calendar: &str) -> Option<Appointment> {
    let calendar = calendar.get(..calendar.floor_char_boundary(BYTES_MAX))?;
    let unfolded = unfolded(calendar);
    let mut step = None;
    let mut found: Option<Appointment> = None;
    let mut reply = Reply::default();
    // An alarm inside the appointment has a description of its own.
    let mut inner = 0_u32;
    for line in unfolded.lines() {
        let Some(property) = Property::read(line) else {
            continue;
        };
        let value = property.value.trim();
        match (property.name.as_str(), &mut found) {
            ("METHOD", None) => step = Step::of(value),
            ("BEGIN", None) if value.eq_ignore_ascii_case("VEVENT") => {
                found = Some(Appointment::default());
            }
            ("BEGIN", Some(_)) => inner += 1,
            ("END", Some(_)) if inner == 0 => break,
            ("END", Some(_)) => inner -= 1,
            (_, Some(appointment)) if inner == 0 => {
                property.add_to(appointment);
                reply.add(&property);
            }
            _ => {}
        }
    }
    let mut appointment = found?;
    appointment.step = step.unwrap_or(Step::Announced);
    let reply = reply.answerable(&appointment);
    appointment.reply = reply;
    // A floating or dateless thing is no appointment.
    (!appointment.starts.is_empty()).then_some(appointment)
}

/// What an answer has to repeat.
#[derive(Default)]
struct Reply {
    attendance: Attendance,
}

/// What a property may weigh that is repeated as it is written.
const REPEATED_BYTES_MAX: usize = 200;

impl Reply {
    fn add(&mut self, property: &Property<'_>) {
        let attendance = &mut self.attendance;
        let value = property.value.trim();
        match property.name.as_str() {
            "UID" => attendance.uid = one_line(value, REPEATED_BYTES_MAX),
            "SEQUENCE" => attendance.sequence = value.parse().unwrap_or_default(),
            "DTSTART" => {
                attendance.starts = property.repeated().unwrap_or_default();
            }
            "DTEND" => attendance.ends = property.repeated(),
            "RECURRENCE-ID" => attendance.recurrence = property.repeated(),
            "ORGANIZER" => {
                let organiser = crate::address::read_typed(value);
                attendance.organiser = organiser.map_or_else(String::new, |to| to.to_string());
            }
            _ => {}
        }
    }

    /// `None` where nobody asks, or what an answer needs is missing.
    fn answerable(mut self, appointment: &Appointment) -> Option<Attendance> {
        self.attendance.title.clone_from(&appointment.title);
        let Attendance {
            uid,
            starts,
            organiser,
            ..
        } = &self.attendance;
        let is_whole = !uid.is_empty() && !starts.is_empty() && !organiser.is_empty();
        (appointment.step == Step::Asked && is_whole).then_some(self.attendance)
    }
}

/// `SUMMARY;LANGUAGE=en:Lunch`
struct Property<'a> {
    name: String,
    parameters: &'a str,
    value: &'a str,
}

impl<'a> Property<'a> {
    fn read(line: &'a str) -> Option<Self> {
        let mut quoted = false;
        let colon = line.char_indices().find(|(_, c)| {
            quoted ^= *c == '"';
            *c == ':' && !quoted
        });
        let (head, value) = line.split_at_checked(colon?.0)?;
        let (name, parameters) = head.split_once(';').unwrap_or((head, ""));
        Some(Self {
            name: name.trim().to_ascii_uppercase(),
            parameters,
            value: value.get(1..)?,
        })
    }

    /// Its parameters and its value as they are written, for repeating them.
    fn repeated(&self) -> Option<String> {
        let parameters = self.parameters.trim();
        let lead = if parameters.is_empty() { "" } else { ";" };
        let whole = format!("{lead}{parameters}:{}", self.value.trim());
        let plain = whole.len() <= REPEATED_BYTES_MAX && !whole.contains(char::is_control);
        plain.then_some(whole)
    }

    fn parameter(&self, name: &str) -> Option<&'a str> {
        let mut pairs = self
            .parameters
            .split(';')
            .filter_map(|pair| pair.split_once('='));
        let (_, value) = pairs.find(|(known, _)| known.trim().eq_ignore_ascii_case(name))?;
        Some(value.trim_matches(['"', ' ']))
    }

    fn add_to(&self, appointment: &mut Appointment) {
        let text = || one_line(&unescaped(self.value), TITLE_CHARS_MAX);
        match self.name.as_str() {
            "SUMMARY" => appointment.title = text(),
            "LOCATION" => appointment.place = Some(text()).filter(|place| !place.is_empty()),
            "DTSTART" => {
                appointment.starts = time(self.value).unwrap_or_default();
                appointment.zone = self.zone();
            }
            "DTEND" => appointment.ends = time(self.value),
            "RRULE" => appointment.repeats = frequency(self.value),
            "ORGANIZER" => {
                let address = || {
                    let value = self.value.trim();
                    let plain = value
                        .get(..7)
                        .is_some_and(|start| start.eq_ignore_ascii_case("mailto:"));
                    one_line(
                        if plain {
                            value.get(7..).unwrap_or_default()
                        } else {
                            value
                        },
                        100,
                    )
                };
                let name = self.parameter("CN").map(|name| one_line(name, 100));
                let name = name.filter(|name| !name.is_empty()).unwrap_or_else(address);
                appointment.organiser = Some(name).filter(|name| !name.is_empty());
            }
            _ => {}
        }
    }

    fn zone(&self) -> Option<String> {
        if self.value.trim().ends_with(['Z', 'z']) {
            return Some("UTC".to_owned());
        }
        self.parameter("TZID").map(|zone| one_line(zone, 60))
    }
}

/// `20261102T100000` as `2026-11-02 10:00`; a day alone as `2026-11-02`. RFC 5545 §3.3.4, §3.3.5
fn time(value: &str) -> Option<String> {
    let value = value.trim().trim_end_matches(['Z', 'z']);
    let (day, clock) = value.split_once(['T', 't']).unwrap_or((value, ""));
    let digits = |text: &str| text.bytes().all(|byte| byte.is_ascii_digit());
    if day.len() != 8 || !digits(day) || !digits(clock) {
        return None;
    }
    let part = |text: &str, from: usize, to: usize| text.get(from..to).map(str::to_owned);
    let day = format!(
        "{}-{}-{}",
        part(day, 0, 4)?,
        part(day, 4, 6)?,
        part(day, 6, 8)?
    );
    match (part(clock, 0, 2), part(clock, 2, 4)) {
        (Some(hour), Some(minute)) => Some(format!("{day} {hour}:{minute}")),
        _ => Some(day),
    }
}

fn frequency(rule: &str) -> Option<Frequency> {
    let mut parts = rule.split(';').filter_map(|part| part.split_once('='));
    let (_, value) = parts.find(|(name, _)| name.trim().eq_ignore_ascii_case("FREQ"))?;
    match value.trim().to_ascii_uppercase().as_str() {
        "DAILY" => Some(Frequency::Daily),
        "WEEKLY" => Some(Frequency::Weekly),
        "MONTHLY" => Some(Frequency::Monthly),
        "YEARLY" => Some(Frequency::Yearly),
        _ => None,
    }
}

/// A line that begins with a space goes on from the one before. RFC 5545 §3.1
fn unfolded(calendar: &str) -> String {
    let mut out = String::with_capacity(calendar.len());
    for line in calendar.lines() {
        match line.strip_prefix([' ', '\t']) {
            Some(rest) => {
                // Some fold blank lines in between.
                out.truncate(out.trim_end_matches('\n').len());
                out.push_str(rest);
            }
            None => out.push_str(line),
        }
        out.push('\n');
    }
    out
}

/// RFC 5545 §3.3.11
fn unescaped(value: &str) -> String {
    let mut out = String::with_capacity(value.len());
    let mut chars = value.chars();
    while let Some(c) = chars.next() {
        out.push(match c {
            '\\' => match chars.next() {
                Some('n' | 'N') | None => ' ',
                Some(escaped) => escaped,
            },
            c => c,
        });
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const CALENDAR: &str = "BEGIN:VCALENDAR\r\nMETHOD:REQUEST\r\nBEGIN:VTIMEZONE\r\nTZID:Europe/Berlin\r\nBEGIN:STANDARD\r\nDTSTART:16010101T000000\r\nEND:STANDARD\r\nEND:VTIMEZONE\r\nBEGIN:VEVENT\r\nUID:1\r\nORGANIZER;CN=\"Carol; boss\":MAILTO:carol@example.com\r\nSUMMARY;LANGUAGE=en:Lunch\\, and a\r\n  walk\r\nLOCATION:Room 1\r\nDTSTART;TZID=Europe/Berlin:20261102T120000\r\nDTEND;TZID=Europe/Berlin:20261102T133000\r\nRRULE:FREQ=WEEKLY;COUNT=3\r\nBEGIN:VALARM\r\nSUMMARY:alarm\r\nEND:VALARM\r\nEND:VEVENT\r\nEND:VCALENDAR\r\n";

    #[test]
    fn an_invitation_is_what_a_person_has_to_know() {
        let appointment = appointment(CALENDAR).unwrap();
        assert_eq!(appointment.step, Step::Asked);
        assert_eq!(appointment.title, "Lunch, and a walk");
        assert_eq!(appointment.starts, "2026-11-02 12:00");
        assert_eq!(appointment.ends.as_deref(), Some("2026-11-02 13:30"));
        assert_eq!(appointment.zone.as_deref(), Some("Europe/Berlin"));
        assert_eq!(appointment.place.as_deref(), Some("Room 1"));
        assert_eq!(appointment.repeats, Some(Frequency::Weekly));
        assert!(appointment.organiser.is_some());
    }

    #[test]
    fn other_steps_and_whole_days_are_known() {
        let cancelled = CALENDAR.replace("METHOD:REQUEST", "METHOD:CANCEL");
        assert_eq!(appointment(&cancelled).unwrap().step, Step::Cancelled);
        let day = "BEGIN:VEVENT\nDTSTART;VALUE=DATE:20261102\nSUMMARY:Day off\nEND:VEVENT";
        let day = appointment(day).unwrap();
        assert_eq!(
            (day.step, day.starts.as_str()),
            (Step::Announced, "2026-11-02")
        );
        let utc = "BEGIN:VEVENT\nDTSTART:20261102T100000Z\nEND:VEVENT";
        assert_eq!(appointment(utc).unwrap().zone.as_deref(), Some("UTC"));
    }

    #[test]
    fn what_is_no_appointment_is_none() {
        for none in [
            "",
            "BEGIN:VEVENT",
            "BEGIN:VTODO\nSUMMARY:x\nEND:VTODO",
            "BEGIN:VEVENT\nDTSTART:soon\nEND:VEVENT",
        ] {
            assert_eq!(appointment(none), None, "{none}");
        }
    }

    proptest! {
        #[test]
        fn any_text_is_read(text in "\\PC{0,200}", at in 0_usize..800) {
            appointment(&text);
            let mut broken = CALENDAR.to_owned();
            broken.insert_str(CALENDAR.floor_char_boundary(at.min(CALENDAR.len())), &text);
            appointment(&broken);
        }
    }
}

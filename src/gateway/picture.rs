//! A drawn picture for who has none: initials, or the outline of what it is, in white on a colour.
//!
//! The same name gives the same bytes in every version and on every machine, since presence names a picture by the hash of its file: no
//! library for fonts or compression has a say in it. All of it is integers.

mod glyphs;
mod png;

use sha1::{Digest, Sha1};
use transom_adapter::Network;

use crate::xmpp::xep::avatar::Avatar;

/// Width and height; XEP-0153 §5 wants 32 to 96.
const SIDE: u16 = 96;
/// Points are drawn in quarters of a pixel.
const FINE: i64 = 4;

/// White text on any of these can be read.
const COLOURS: [[u8; 3]; 12] = [
    [0xb7, 0x1c, 0x1c],
    [0xad, 0x14, 0x57],
    [0x6a, 0x1b, 0x9a],
    [0x45, 0x27, 0xa0],
    [0x28, 0x35, 0x93],
    [0x15, 0x65, 0xc0],
    [0x00, 0x69, 0x7a],
    [0x00, 0x69, 0x5c],
    [0x2e, 0x7d, 0x32],
    [0x55, 0x6b, 0x1a],
    [0x9a, 0x52, 0x00],
    [0x5d, 0x40, 0x37],
];

/// A stroke of a round pen between two points.
#[derive(Clone, Copy, Debug)]
struct Stroke {
    from: (i64, i64),
    to: (i64, i64),
    radius: i64,
}

/// The picture of a contact: the initials of its name; without a name the first letter of a mail address, or the outline of a person.
pub fn of_contact(network: Network, peer: &str, name: Option<&str>) -> Avatar {
    let name = name.map(str::trim).filter(|name| !name.is_empty());
    let letters = match (name, network) {
        (Some(name), _) => initials(name),
        (None, Network::Email) => initials(peer.split('@').next().unwrap_or_default()),
        (None, Network::Sms) => initials(peer.split(';').next().unwrap_or_default()),
    };
    let is_word = letters
        .first()
        .is_some_and(|letter| name.is_some() || letter.is_ascii_alphabetic());
    let strokes = if is_word { word(&letters) } else { person() };
    draw(colour(peer), &strokes)
}

/// The picture of a gateway.
pub fn of_gateway(network: Network, domain: &str) -> Avatar {
    let (lines, radius): (&[&[(i64, i64)]], i64) = match network {
        // A speech bubble.
        Network::Sms => (
            &[&[
                (20, 28),
                (76, 28),
                (76, 62),
                (46, 62),
                (32, 76),
                (32, 62),
                (20, 62),
                (20, 28),
            ]],
            4,
        ),
        // An envelope.
        Network::Email => (
            &[
                &[(20, 30), (76, 30), (76, 68), (20, 68), (20, 30)],
                &[(20, 32), (48, 52), (76, 32)],
            ],
            3,
        ),
    };
    let strokes: Vec<Stroke> = lines
        .iter()
        .flat_map(|line| polyline(line, radius))
        .collect();
    draw(colour(domain), &strokes)
}

fn colour(seed: &str) -> [u8; 3] {
    let [first, ..] = <[u8; 20]>::from(Sha1::digest(seed.as_bytes()));
    COLOURS
        .get(usize::from(first) % COLOURS.len())
        .copied()
        .unwrap_or_default()
}

/// The first letters of the first and the last word; empty when one of them cannot be drawn.
fn initials(name: &str) -> Vec<char> {
    let first = |word: &str| word.chars().find(|c| c.is_alphanumeric());
    let words: Vec<char> = name
        .split(|c: char| c.is_whitespace() || matches!(c, '.' | '-' | '_' | '@' | ','))
        .filter_map(first)
        .collect();
    let ends = match words.as_slice() {
        [] => return Vec::new(),
        [one] => vec![*one],
        [one, .., last] => vec![*one, *last],
    };
    ends.into_iter()
        .map(glyphs::plain)
        .collect::<Option<_>>()
        .unwrap_or_default()
}

/// One or two letters in the middle.
fn word(letters: &[char]) -> Vec<Stroke> {
    let (unit, radius) = if letters.len() > 1 { (7, 4) } else { (9, 5) };
    let (width, gap) = (4 * unit, 2 * unit);
    let count = i64::try_from(letters.len()).unwrap_or(0);
    let left = (i64::from(SIDE) - count * width - (count - 1) * gap) / 2;
    let top = (i64::from(SIDE) - 6 * unit) / 2;
    let mut strokes = Vec::new();
    for (place, letter) in (0..).zip(letters) {
        for line in glyphs::lines(*letter) {
            let at =
                |(x, y): &(i64, i64)| (left + place * (width + gap) + x * unit, top + y * unit);
            let points: Vec<_> = line.iter().map(at).collect();
            strokes.extend(polyline(&points, radius));
        }
    }
    strokes
}

/// Head and shoulders.
fn person() -> Vec<Stroke> {
    let round = |from, to, radius| Stroke { from, to, radius };
    vec![round((48, 38), (48, 38), 16), round((34, 84), (62, 84), 24)]
}

fn polyline(points: &[(i64, i64)], radius: i64) -> impl Iterator<Item = Stroke> {
    points.windows(2).filter_map(move |pair| match pair {
        [from, to] => Some(Stroke {
            from: *from,
            to: *to,
            radius,
        }),
        _ => None,
    })
}

fn draw(colour: [u8; 3], strokes: &[Stroke]) -> Avatar {
    let mut shades = vec![0_u8; usize::from(SIDE) * usize::from(SIDE)];
    for stroke in strokes {
        stroke.draw(&mut shades);
    }
    let png = png::encode(SIDE, colour, &shades);
    let id = hex::encode(Sha1::digest(&png));
    Avatar {
        png,
        id,
        side: SIDE,
    }
}

impl Stroke {
    /// Raises the shades of the pixels that the pen touches: 0 is the ground, 3 is the pen.
    fn draw(&self, shades: &mut [u8]) {
        let side = i64::from(SIDE);
        let span = |one: i64, other: i64| {
            let (low, high) = (one.min(other), one.max(other));
            (low - self.radius - 1).max(0)..(high + self.radius + 2).min(side)
        };
        for y in span(self.from.1, self.to.1) {
            for x in span(self.from.0, self.to.0) {
                let place = usize::try_from(y * side + x).ok();
                if let Some(shade) = place.and_then(|place| shades.get_mut(place)) {
                    *shade = (*shade).max(self.shade(x, y));
                }
            }
        }
    }

    /// How much of the pen a pixel sees, from the distance of its middle.
    fn shade(&self, x: i64, y: i64) -> u8 {
        // The distance to a line from a point is |cross| / length; beyond its ends it is the one to the end.
        let (px, py) = (FINE * x + FINE / 2, FINE * y + FINE / 2);
        let (ax, ay) = (FINE * self.from.0, FINE * self.from.1);
        let (dx, dy) = (FINE * self.to.0 - ax, FINE * self.to.1 - ay);
        let (rx, ry) = (px - ax, py - ay);
        let along = rx * dx + ry * dy;
        let length = dx * dx + dy * dy;
        let square = if along <= 0 || length == 0 {
            rx * rx + ry * ry
        } else if along >= length {
            (rx - dx).pow(2) + (ry - dy).pow(2)
        } else {
            (rx * dy - ry * dx).pow(2) / length
        };
        let edge = FINE * self.radius;
        let within = |distance: i64| square <= distance.pow(2);
        u8::from(within(edge + 2)) + u8::from(within(edge)) + u8::from(within(edge - 2))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn letters(name: &str) -> String {
        initials(name).into_iter().collect()
    }

    #[test]
    fn initials_are_of_the_first_and_the_last_word() {
        for (name, want) in [
            ("Bob", "B"),
            ("Bob Ray Smith", "BS"),
            ("Émile Österreich", "EO"),
            ("o'neil, pat", "OP"),
            ("  (dr) who ", "DW"),
            ("7-Eleven", "7E"),
            ("Анна", ""),
            ("Anna Иванова", ""),
            ("", ""),
            ("--- !", ""),
        ] {
            assert_eq!(letters(name), want, "{name:?}");
        }
    }

    #[test]
    fn a_picture_depends_on_name_and_address_alone() {
        let of = |peer, name| of_contact(Network::Sms, peer, name);
        let bob = of("+12025550147", Some("Bob Smith"));
        assert_eq!(bob, of("+12025550147", Some("Bob Smith")));
        assert_ne!(bob.id, of("+12025550147", Some("Rob Smith")).id);
        assert_ne!(bob.id, of("+12025550147", None).id);
        assert_eq!(
            of("+12025550147", None).id,
            of("+12025550147", Some(" ")).id
        );
        assert_eq!(
            of_contact(Network::Email, "bob@example.com", None).id,
            of_contact(Network::Email, "bob@example.com", Some("B")).id
        );
    }

    #[test]
    fn the_id_is_the_hash_of_a_small_file() {
        for avatar in [
            of_contact(Network::Sms, "+12025550147", Some("Wally Mumford")),
            of_gateway(Network::Sms, "sms.example.org"),
            of_gateway(Network::Email, "mail.example.org"),
        ] {
            assert!(avatar.png.len() < 4096, "{} bytes", avatar.png.len());
            assert!(avatar.png.starts_with(b"\x89PNG\r\n\x1a\n"));
            assert_eq!(avatar.id, hex::encode(Sha1::digest(&avatar.png)));
        }
    }

    #[test]
    fn the_bytes_are_those_of_every_version() {
        // Another hash makes every client fetch every picture again.
        let bob = of_contact(Network::Sms, "+12025550147", Some("Bob Smith"));
        assert_eq!(bob.id, "f83673b82e0b5d6174c9d7378c35718cc4db91dc");
    }

    #[test]
    fn every_letter_has_a_drawing_of_its_own() {
        let mut seen = std::collections::HashSet::new();
        for letter in ('A'..='Z').chain('0'..='9') {
            let avatar = draw([0; 3], &word(&[letter]));
            assert!(seen.insert(avatar.id), "{letter}");
        }
    }
}

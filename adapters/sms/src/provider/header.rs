//! The user data header in front of a text. 3GPP TS 23.040 §9.2.3.24

use transom_adapter::Part;

/// Which part of a longer text it is. §9.2.3.24.1, .8
pub(crate) fn concatenation(udh: &[u8]) -> Option<Part> {
    elements(udh).find_map(|element| match element {
        (0x00, &[reference, total, number]) => part(reference.into(), total, number),
        (0x08, &[high, low, total, number]) => part(u16::from_be_bytes([high, low]), total, number),
        _ => None,
    })
}

/// A part, if it is one of its total: what is not is shown by itself.
pub(crate) fn part(reference: u16, total: u8, number: u8) -> Option<Part> {
    (total > 1 && (1..=total).contains(&number)).then_some(Part {
        reference,
        total,
        number,
    })
}

/// For an application on the phone, not for its owner. §9.2.3.24.3, .4
pub(crate) fn is_port_addressed(udh: &[u8]) -> bool {
    elements(udh).any(|(kind, _)| matches!(kind, 0x04 | 0x05))
}

/// The language of a shift table, 0: none; `kind` 0x24 is that of the extension, 0x25 that of the alphabet. §9.2.3.24.15, .16
pub(crate) fn language(udh: &[u8], kind: u8) -> u8 {
    let mut found = elements(udh).filter(|(known, _)| *known == kind);
    found
        .next()
        .and_then(|(_, data)| data.first().copied())
        .unwrap_or(0)
}

/// The elements: length of all, then kind, length, data of each.
fn elements(udh: &[u8]) -> impl Iterator<Item = (u8, &[u8])> {
    let mut rest = match udh {
        [length, elements @ ..] => elements.get(..usize::from(*length)).unwrap_or(elements),
        [] => &[],
    };
    std::iter::from_fn(move || {
        let [kind, length, after @ ..] = rest else {
            return None;
        };
        let (data, next) = after.split_at_checked(usize::from(*length))?;
        rest = next;
        Some((*kind, data))
    })
}

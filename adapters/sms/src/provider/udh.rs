//! User data headers: what stands before the text of a short message.

use transom_adapter::Part;

/// Which part of a longer text it is. 3GPP TS 23.040 §9.2.3.24.1, .8
pub(crate) fn concatenation(udh: &[u8]) -> Option<Part> {
    let (reference, total, number) = elements(udh).find_map(|element| match element {
        (0x00, &[reference, total, number]) => Some((u16::from(reference), total, number)),
        (0x08, &[high, low, total, number]) => {
            Some((u16::from_be_bytes([high, low]), total, number))
        }
        _ => None,
    })?;
    // A part that is not one of its total is shown by itself.
    (total > 1 && (1..=total).contains(&number)).then_some(Part {
        reference,
        total,
        number,
    })
}

/// For an application on the phone, not for its owner. 3GPP TS 23.040 §9.2.3.24.3, .4
pub(crate) fn is_port_addressed(udh: &[u8]) -> bool {
    elements(udh).any(|(kind, _)| matches!(kind, 0x04 | 0x05))
}

/// The elements of a user data header: length of all, then kind, length, data of each.
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

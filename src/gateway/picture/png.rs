//! The least of PNG (ISO/IEC 15948) that a picture of four colours needs. Its data is not compressed: two and a half kilobytes.

/// Writes a square picture. `shades` holds one of 0 to 3 a pixel, row by row: from the ground `colour` to white.
pub(super) fn encode(side: u16, colour: [u8; 3], shades: &[u8]) -> Vec<u8> {
    let mut file = b"\x89PNG\r\n\x1a\n".to_vec();
    let mut header = Vec::new();
    for _ in 0..2 {
        header.extend(u32::from(side).to_be_bytes());
    }
    // Two bits a pixel, indexed colours, the only compression and filter method, no interlace.
    header.extend([2, 3, 0, 0, 0]);
    chunk(&mut file, *b"IHDR", &header);
    let palette: Vec<u8> = (0..4_u8)
        .flat_map(|shade| colour.map(|part| part + (u8::MAX - part) / 3 * shade))
        .collect();
    chunk(&mut file, *b"PLTE", &palette);
    let mut rows = Vec::new();
    for row in shades.chunks(usize::from(side)) {
        rows.push(0); // no filter
        rows.extend(row.chunks(4).map(four));
    }
    chunk(&mut file, *b"IDAT", &stored(&rows));
    chunk(&mut file, *b"IEND", &[]);
    file
}

/// Four pixels in a byte, the leftmost in its highest bits.
fn four(pixels: &[u8]) -> u8 {
    (0..4).fold(0, |byte, place| {
        byte << 2 | (pixels.get(place).copied().unwrap_or_default() & 3)
    })
}

fn chunk(file: &mut Vec<u8>, name: [u8; 4], data: &[u8]) {
    let length = u32::try_from(data.len()).unwrap_or(u32::MAX);
    file.extend(length.to_be_bytes());
    file.extend(name);
    file.extend(data);
    file.extend(crc(name.iter().chain(data)).to_be_bytes());
}

/// RFC 1950 around one block of RFC 1951 §3.2.4; at most 65,535 bytes.
fn stored(data: &[u8]) -> Vec<u8> {
    let length = u16::try_from(data.len()).unwrap_or(u16::MAX);
    let mut stream = vec![0x78, 0x01, 0x01];
    stream.extend(length.to_le_bytes());
    stream.extend((!length).to_le_bytes());
    stream.extend(data);
    stream.extend(adler(data).to_be_bytes());
    stream
}

/// RFC 1950 §8.
fn adler(data: &[u8]) -> u32 {
    const BASE: u32 = 65_521;
    let (low, high) = data.iter().fold((1, 0), |(low, high), byte| {
        let low = (low + u32::from(*byte)) % BASE;
        (low, (high + low) % BASE)
    });
    high << 16 | low
}

/// ISO 3309, as PNG's annex D has it.
fn crc<'a>(bytes: impl Iterator<Item = &'a u8>) -> u32 {
    let rest = bytes.fold(u32::MAX, |rest, byte| {
        (0..8).fold(rest ^ u32::from(*byte), |rest, _| {
            let step = if rest & 1 == 1 { 0xedb8_8320 } else { 0 };
            rest >> 1 ^ step
        })
    });
    !rest
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_sums_are_those_of_the_documents() {
        assert_eq!(crc(b"123456789".iter()), 0xcbf4_3926);
        assert_eq!(crc(b"IEND".iter()), 0xae42_6082);
        assert_eq!(adler(b"Wikipedia"), 0x11e6_0398);
    }

    #[test]
    fn a_small_picture_is_written_byte_by_byte() {
        let file = encode(2, [0, 0x30, 0xff], &[0, 3, 1, 2]);
        let text = hex::encode(file);
        assert!(text.contains("49484452000000020000000202030000"), "{text}");
        // Rows: no filter, then two pixels in the highest bits.
        assert!(text.contains("010400fbff00300060"), "{text}");
        assert!(text.ends_with("0000000049454e44ae426082"), "{text}");
    }
}

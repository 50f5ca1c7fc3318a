//! Pictures made to fit what a network takes. What they say of themselves is not believed: dimensions and memory are bounded.

use std::io::Cursor;

use bytes::Bytes;
use image::{
    DynamicImage, ImageDecoder, ImageReader, Limits, Rgb, RgbImage, codecs::jpeg::JpegEncoder,
    imageops::FilterType,
};

/// A larger side is a decompression bomb or a poster.
const SIDE_MAX: u32 = 16_384;
/// What one decoded picture may take: 50 megapixels.
const DECODED_BYTES_MAX: u64 = 200 << 20;
/// Tried one after the other: the longer side, in pixels.
const SIDES: [u32; 7] = [2048, 1600, 1280, 1024, 800, 640, 480];
/// And for each of them.
const QUALITIES: [u8; 3] = [85, 70, 50];

/// The picture as a JPEG of at most so many bytes; `None` when it is no picture, is too large to be decoded, or cannot be made to fit.
/// Of one that moves the first frame remains. What the camera wrote about place and time does not.
pub fn shrink(content: &[u8], bytes_max: u64) -> Option<Bytes> {
    let picture = decode(content)?;
    let longer = picture.width().max(picture.height());
    let mut side_before = None;
    for side in SIDES.map(|side| side.min(longer)) {
        // A small picture would only be encoded again and again at its own size.
        if side_before.replace(side) == Some(side) {
            continue;
        }
        let scaled = opaque(&picture.resize(side, side, FilterType::Triangle));
        for quality in QUALITIES {
            let jpeg = encode(&scaled, quality)?;
            if jpeg.len() as u64 <= bytes_max {
                return Some(jpeg.into());
            }
        }
    }
    None
}

fn decode(content: &[u8]) -> Option<DynamicImage> {
    let mut reader = ImageReader::new(Cursor::new(content))
        .with_guessed_format()
        .ok()?;
    let mut limits = Limits::default();
    limits.max_image_width = Some(SIDE_MAX);
    limits.max_image_height = Some(SIDE_MAX);
    limits.max_alloc = Some(DECODED_BYTES_MAX);
    reader.limits(limits);
    let mut decoder = reader.into_decoder().ok()?;
    if decoder.total_bytes() > DECODED_BYTES_MAX {
        return None;
    }
    // Phones note which way they were held; what is written here has no such note.
    let orientation = decoder.orientation().ok();
    let mut picture = DynamicImage::from_decoder(decoder).ok()?;
    if let Some(orientation) = orientation {
        picture.apply_orientation(orientation);
    }
    Some(picture)
}

/// JPEG has no transparency: what shines through is white.
fn opaque(picture: &DynamicImage) -> RgbImage {
    if !picture.color().has_alpha() {
        return picture.to_rgb8();
    }
    let seen = picture.to_rgba8();
    let mix = |colour: u8, alpha: u8| {
        let (colour, alpha) = (u16::from(colour), u16::from(alpha));
        u8::try_from((colour * alpha + 255 * (255 - alpha)) / 255).unwrap_or(u8::MAX)
    };
    RgbImage::from_fn(seen.width(), seen.height(), |x, y| {
        let [red, green, blue, alpha] = seen.get_pixel(x, y).0;
        Rgb([mix(red, alpha), mix(green, alpha), mix(blue, alpha)])
    })
}

fn encode(picture: &RgbImage, quality: u8) -> Option<Vec<u8>> {
    let mut jpeg = Vec::new();
    JpegEncoder::new_with_quality(&mut jpeg, quality)
        .encode_image(picture)
        .ok()?;
    Some(jpeg)
}

#[cfg(test)]
mod tests {
    use super::*;
    use image::{ImageFormat, Rgba, RgbaImage};

    /// Noise, which no format makes small.
    fn noise(side: u32) -> DynamicImage {
        let mut seed = 1_u32;
        let picture = RgbaImage::from_fn(side, side, |_, _| {
            seed = seed.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            let [a, b, c, d] = seed.to_be_bytes();
            Rgba([a, b, c, d])
        });
        picture.into()
    }

    fn png(picture: &DynamicImage) -> Vec<u8> {
        let mut bytes = Cursor::new(Vec::new());
        picture.write_to(&mut bytes, ImageFormat::Png).unwrap();
        bytes.into_inner()
    }

    #[test]
    fn a_picture_is_made_to_fit() {
        let large = png(&noise(700));
        let small = shrink(&large, 100_000).unwrap();
        assert!(small.len() <= 100_000 && large.len() > 1_000_000);
        let seen = image::load_from_memory(&small).unwrap();
        assert!(
            seen.width() >= 480,
            "as large as it may be: {}",
            seen.width()
        );
    }

    #[test]
    fn what_cannot_be_made_to_fit_is_none() {
        assert_eq!(shrink(&png(&noise(500)), 100), None);
    }

    #[test]
    fn what_is_no_picture_is_none() {
        for content in [
            &b""[..],
            b"hello",
            b"\x89PNG\r\n\x1a\n",
            b"\xff\xd8\xff\xe0",
        ] {
            assert_eq!(shrink(content, 100_000), None);
        }
    }

    #[test]
    fn a_bomb_is_not_unpacked() {
        // 60000 x 60000 pixels, says the header.
        let mut bomb = png(&noise(8));
        bomb.splice(16..24, [0, 0, 0xea, 0x60, 0, 0, 0xea, 0x60]);
        assert_eq!(shrink(&bomb, 100_000), None);
    }

    #[test]
    fn transparency_becomes_white() {
        let clear = RgbaImage::from_pixel(600, 600, Rgba([0, 0, 0, 0]));
        let jpeg = shrink(&png(&clear.into()), 100_000).unwrap();
        let seen = image::load_from_memory(&jpeg).unwrap().to_rgb8();
        assert!(seen.get_pixel(300, 300).0.iter().all(|part| *part > 250));
    }

    proptest::proptest! {
        #[test]
        fn broken_pictures_are_refused_without_a_panic(place in 0_usize..3000, byte: u8) {
            let mut broken = png(&noise(24));
            if let Some(at) = broken.get_mut(place) {
                *at = byte;
            }
            shrink(&broken, 10_000);
        }
    }
}

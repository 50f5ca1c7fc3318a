//! XEP-0084: User Avatar, and XEP-0153: vCard-Based Avatars. What announces a picture, and what carries it.

use base64::{Engine, prelude::BASE64_STANDARD};

use crate::xmpp::{ns, stanza::Element};

/// A picture to be shown beside a name. Every one is a PNG: the one type that both documents require.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Avatar {
    /// The file.
    pub png: Vec<u8>,
    /// XEP-0084 §4.1: the SHA-1 of the file, in small hexadecimal digits.
    pub id: String,
    /// Width and height in pixels.
    pub side: u16,
}

/// The type of every [`Avatar`].
pub const MEDIA_TYPE: &str = "image/png";

impl Avatar {
    /// The file as text.
    pub fn base64(&self) -> String {
        BASE64_STANDARD.encode(&self.png)
    }

    /// XEP-0153 §4.1: what presence says of the picture in the vCard.
    pub fn update(&self) -> Element {
        let photo = Element::text_only("photo", ns::VCARD_UPDATE, self.id.as_str());
        Element::new("x", ns::VCARD_UPDATE).with_child(photo)
    }

    /// XEP-0084 §4.2.1: the content of the node of data.
    pub fn data(&self) -> Element {
        Element::text_only("data", ns::AVATAR_DATA, self.base64())
    }

    /// XEP-0084 §4.2.2: the content of the node of metadata.
    pub fn metadata(&self) -> Element {
        let info = Element::new("info", ns::AVATAR_METADATA)
            .with_attr("bytes", self.png.len().to_string())
            .with_attr("height", self.side.to_string())
            .with_attr("id", self.id.as_str())
            .with_attr("type", MEDIA_TYPE)
            .with_attr("width", self.side.to_string());
        Element::new("metadata", ns::AVATAR_METADATA).with_child(info)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn avatar() -> Avatar {
        Avatar {
            png: b"PNG".to_vec(),
            id: "0beec7b5ea3f0fdbc95d0dd47f3c5bc275da8a33".to_owned(),
            side: 96,
        }
    }

    #[test]
    fn they_look_as_in_the_documents() {
        assert_eq!(
            avatar().update().to_xml(),
            "<x xmlns='vcard-temp:x:update'><photo>0beec7b5ea3f0fdbc95d0dd47f3c5bc275da8a33</photo></x>"
        );
        assert_eq!(
            avatar().data().to_xml(),
            "<data xmlns='urn:xmpp:avatar:data'>UE5H</data>"
        );
        assert_eq!(
            avatar().metadata().to_xml(),
            "<metadata xmlns='urn:xmpp:avatar:metadata'><info bytes='3' height='96' \
             id='0beec7b5ea3f0fdbc95d0dd47f3c5bc275da8a33' type='image/png' width='96'/></metadata>"
        );
    }
}

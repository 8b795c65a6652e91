//! The switch's own control field, which hosts echo in their replies.

use std::fmt;

const ALPHABET: &[u8; 32] = b"0123456789ABCDEFGHJKMNPQRSTVWXYZ";
/// Width of the field in characters; the classic size of the Nlets control field.
pub(crate) const CONTROL_WIDTH: usize = 10;
/// Legs of one message, and so the highest leg number plus one.
pub(crate) const LEGS_MAX: usize = 64;

/// Names one leg of one message: the message's number and the leg's, in ten characters.
///
/// The field needs no table to be unique: it is the record number (44 bits) and the leg (6 bits).
#[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub struct Control(u64);

impl Control {
    /// The control field of leg `leg` of message `number`.
    #[must_use]
    pub fn of(number: u64, leg: u16) -> Self {
        Self(number << 6 | u64::from(leg) & 0x3f)
    }

    /// Reads the field as a host echoed it.
    #[must_use]
    pub fn parse(text: &[u8]) -> Option<Self> {
        let digits = text.get(..CONTROL_WIDTH)?;
        if text.get(CONTROL_WIDTH..)?.iter().any(|byte| *byte != b' ') {
            return None;
        }
        digits
            .iter()
            .try_fold(0_u64, |value, digit| {
                let place = ALPHABET.iter().position(|known| known == digit)?;
                Some(value << 5 | u64::try_from(place).ok()?)
            })
            .map(Self)
    }

    /// The number of the message.
    #[must_use]
    pub fn number(self) -> u64 {
        self.0 >> 6
    }

    /// The leg of the message.
    #[must_use]
    pub fn leg(self) -> u16 {
        (self.0 & 0x3f) as u16
    }
}

impl fmt::Display for Control {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        for place in (0..CONTROL_WIDTH).rev() {
            let digit = (self.0 >> (5 * place)) & 31;
            let letter = ALPHABET.get(usize::try_from(digit).unwrap_or(0)).copied();
            fmt::Write::write_char(formatter, char::from(letter.unwrap_or(b'0')))?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn survives_the_way_out_and_back() {
        for number in [0, 1, 63, 64, 1 << 20, (1 << 44) - 1] {
            for leg in [0, 1, 63] {
                let control = Control::of(number, leg);
                let text = control.to_string();
                assert_eq!(text.len(), CONTROL_WIDTH);
                let back = Control::parse(text.as_bytes());
                assert_eq!(back, Some(control));
                assert_eq!((control.number(), control.leg()), (number, leg));
            }
        }
    }

    #[test]
    fn refuses_what_it_did_not_write() {
        for text in [&b""[..], b"MRI3718976", b"00000000000", b"000000000I", b"0000000001X"] {
            assert_eq!(Control::parse(text), None, "{text:?}");
        }
        assert!(Control::parse(b"0000000001  ").is_some());
    }
}

//! A moment of a lab's time in 16 octets: nanoseconds since 1970, signed, big-endian.
//!
//! Decides how moments stand in sealed values and in the store. They are read by the process that wrote them and by no other.

use time::OffsetDateTime;

/// Octets of a moment.
pub(crate) const OCTETS: usize = 16;

pub(crate) fn write(moment: OffsetDateTime) -> [u8; OCTETS] {
    moment.unix_timestamp_nanos().to_be_bytes()
}

/// The moment at the beginning of these octets, and what follows it.
pub(crate) fn read(octets: &[u8]) -> Option<(OffsetDateTime, &[u8])> {
    let (moment, rest) = octets.split_first_chunk::<OCTETS>()?;
    let moment = OffsetDateTime::from_unix_timestamp_nanos(i128::from_be_bytes(*moment)).ok()?;
    Some((moment, rest))
}

#[cfg(test)]
mod tests {
    use time::macros::datetime;

    use super::*;

    #[test]
    fn every_moment_comes_back_as_it_was() {
        for moment in [
            OffsetDateTime::UNIX_EPOCH,
            datetime!(2079-06-06 23:59:59.999_999_999 UTC),
            datetime!(-9999-01-01 0:00 UTC),
            datetime!(9999-12-31 23:59:59.999_999_999 UTC),
        ] {
            let mut octets = write(moment).to_vec();
            octets.push(7);
            assert_eq!(read(&octets), Some((moment, &[7][..])));
            assert_eq!(read(&octets[..OCTETS - 1]), None);
        }
        assert_eq!(read(&[0x7f; OCTETS]), None, "no moment is so far away");
    }
}

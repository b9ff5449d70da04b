//! Digits for headers and log lines. `core::fmt`, which does the same and more, took a tenth of a proxied request's
//! instructions for an address, a time and a signature.

use std::fmt::Write;
use std::net::IpAddr;

use trailmark_protocol::json::write_u64;

/// Appends the small hexadecimal digits of `bytes`.
pub fn push_hex(out: &mut String, bytes: &[u8]) {
    const DIGITS: &[u8; 16] = b"0123456789abcdef";
    for byte in bytes {
        out.push(char::from(DIGITS[usize::from(byte >> 4)]));
        out.push(char::from(DIGITS[usize::from(byte & 15)]));
    }
}

/// Appends an address.
pub fn push_ip(out: &mut String, ip: IpAddr) {
    let IpAddr::V4(ip) = ip else {
        // A `String` takes everything.
        let _ = write!(out, "{ip}");
        return;
    };
    for (at, octet) in ip.octets().into_iter().enumerate() {
        if at > 0 {
            out.push('.');
        }
        write_u64(out, u64::from(octet));
    }
}

#[cfg(test)]
mod tests {
    use std::net::{Ipv4Addr, Ipv6Addr};

    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn they_are_those_of_the_standard_library(v4: u32, v6: u128, bytes: Vec<u8>) {
            for ip in [IpAddr::from(Ipv4Addr::from_bits(v4)), IpAddr::from(Ipv6Addr::from_bits(v6))] {
                let mut text = String::new();
                push_ip(&mut text, ip);
                prop_assert_eq!(text, ip.to_string());
            }
            let mut text = String::new();
            push_hex(&mut text, &bytes);
            prop_assert_eq!(text, bytes.iter().map(|byte| format!("{byte:02x}")).collect::<String>());
        }
    }
}

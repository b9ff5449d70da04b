use proptest::prelude::*;

use super::*;

fn guard() -> Guard {
    Guard::new(Vec::new())
}

fn leading_to(addresses: &'static [&'static str]) -> Guard {
    let lookup: Lookup = Arc::new(move |_, port| {
        let found = addresses.iter().map(|ip| SocketAddr::new(ip.parse().unwrap(), port));
        let found = found.collect();
        Box::pin(async move { Ok(found) })
    });
    Guard::asking(Vec::new(), lookup)
}

#[test]
fn what_is_not_the_public_internet_is_refused() {
    for ip in [
        "0.0.0.0",
        "0.1.2.3",
        "10.0.0.1",
        "10.255.255.255",
        "100.64.0.1",
        "100.127.255.255",
        "127.0.0.1",
        "127.255.255.254",
        "169.254.169.254",
        "172.16.0.1",
        "172.31.255.255",
        "192.0.0.8",
        "192.0.2.1",
        "192.88.99.1",
        "192.168.1.1",
        "198.18.0.1",
        "198.19.255.255",
        "198.51.100.7",
        "203.0.113.7",
        "224.0.0.1",
        "239.255.255.255",
        "240.0.0.1",
        "255.255.255.255",
        "::",
        "::1",
        "::127.0.0.1",
        "::ffff:127.0.0.1",
        "::ffff:10.0.0.1",
        "::ffff:a9fe:a9fe",
        "::ffff:0:127.0.0.1",
        "64:ff9b::10.0.0.1",
        "64:ff9b::169.254.169.254",
        "64:ff9b:1::8.8.8.8",
        "100::1",
        "2001::1",
        "2001:2::1",
        "2001:10::1",
        "2001:20::1",
        "2001:db8::1",
        "2002:7f00:1::",
        "2002:a9fe:a9fe::1",
        "2002:c0a8:101::",
        "3fff::1",
        "5f00::1",
        "fc00::1",
        "fd00:ec2::254",
        "fe80::1",
        "febf::1",
        "fec0::1",
        "ff02::1",
        "4000::1",
    ] {
        assert!(!guard().permits(ip.parse().unwrap()), "{ip}");
    }
    for ip in [
        "1.1.1.1",
        "8.8.8.8",
        "100.63.255.255",
        "100.128.0.0",
        "169.253.1.1",
        "172.15.0.1",
        "172.32.0.1",
        "192.0.1.1",
        "198.17.255.255",
        "198.20.0.0",
        "223.255.255.255",
        "::ffff:8.8.8.8",
        "64:ff9b::8.8.8.8",
        "2002:808:808::",
        "2001:200::1",
        "2606:4700::1111",
        "2a00::1",
        "3ffe::1",
    ] {
        assert!(guard().permits(ip.parse().unwrap()), "{ip}");
    }
}

#[test]
fn what_is_allowed_is_permitted_and_nothing_beside_it() {
    let guard = Guard::new(vec!["127.0.0.0/8".parse().unwrap(), "fd00:1::/32".parse().unwrap()]);
    for (ip, permitted) in [
        ("127.0.0.1", true),
        ("::ffff:127.0.0.1", true),
        ("fd00:1::7", true),
        ("::1", false),
        ("10.0.0.1", false),
        ("fd00:2::7", false),
    ] {
        assert_eq!(guard.permits(ip.parse().unwrap()), permitted, "{ip}");
    }
}

#[tokio::test]
async fn an_address_is_refused_in_every_spelling() {
    for host in [
        "127.0.0.1",
        "127.1",
        "127.0.1",
        "2130706433",
        "0x7f000001",
        "0x7f.1",
        "0177.0.0.1",
        "017700000001",
        "127.0.0.1.",
        "127.0.0.1",
        "①②⑦.0.0.1",
        "0",
        "[::1]",
        "::1",
        "[::ffff:127.0.0.1]",
        "::ffff:7f00:1",
        "[0:0:0:0:0:ffff:7f00:0001]",
        "[::127.0.0.1]",
        "169.254.169.254",
        "0xa9fea9fe",
        "[fe80::1]",
    ] {
        let refused = guard().resolve(host, 80).await.unwrap_err();
        assert!(matches!(refused, Refused::Address(_)), "{host}: {refused}");
        assert_eq!(guard().check_literal(host), Err(refused), "{host}");
    }
    for host in [
        "",
        " ",
        "a b",
        "a/b",
        "user@a",
        "a:80",
        "[::1",
        "[::1]:80",
        "a\0b",
        "1.2.3.4.5",
        "256.1.1.1",
        "a?b",
        "a#b",
        "a\\b",
    ] {
        let refused = guard().resolve(host, 80).await.unwrap_err();
        assert!(matches!(refused, Refused::Host(_)), "{host:?}: {refused}");
    }
}

#[tokio::test]
async fn a_name_that_leads_to_this_machine_is_refused_as_its_address_is() {
    for host in ["localhost", "localhost.", "LOCALHOST"] {
        let refused = guard().resolve(host, 80).await.unwrap_err();
        // A machine may not know the name with a point.
        assert!(
            matches!(refused, Refused::Address(_) | Refused::Dns { .. }),
            "{host}: {refused}"
        );
    }
    let allowing = Guard::new(vec!["127.0.0.0/8".parse().unwrap()]);
    let found = allowing.resolve("localhost", 80).await.unwrap();
    assert_eq!(found, ["127.0.0.1:80".parse().unwrap()]);
}

#[tokio::test]
async fn of_a_name_with_several_addresses_only_those_that_may_be_called_are() {
    let found = leading_to(&["10.0.0.1", "1.1.1.1", "::1"])
        .resolve("a.example", 443)
        .await;
    assert_eq!(found.unwrap(), ["1.1.1.1:443".parse().unwrap()]);
    let none = leading_to(&["10.0.0.1", "::ffff:127.0.0.1"])
        .resolve("a.example", 443)
        .await;
    let text = none.unwrap_err().to_string();
    assert!(text.starts_with("a.example leads to an address"), "{text}");
    assert!(!text.contains("10.0.0.1"), "what is behind a name is not told");
}

#[tokio::test]
async fn a_name_without_addresses_is_no_host_to_call() {
    let refused = leading_to(&[]).resolve("a.example", 443).await.unwrap_err();
    assert!(matches!(refused, Refused::Dns { .. }), "{refused}");
}

proptest! {
    #[test]
    fn an_ipv4_address_is_permitted_or_not_whatever_ipv6_spells_it(bits in any::<u32>()) {
        let ip = Ipv4Addr::from_bits(bits);
        let permitted = guard().permits(ip.into());
        let [a, b, c, d] = ip.octets();
        prop_assert_eq!(guard().permits(ip.to_ipv6_mapped().into()), permitted);
        for spelled in [format!("64:ff9b::{ip}"), format!("2002:{a:02x}{b:02x}:{c:02x}{d:02x}::")] {
            prop_assert_eq!(guard().permits(spelled.parse().unwrap()), permitted, "{}", spelled);
        }
        prop_assert!(!guard().permits(ip.to_ipv6_compatible().into()));
    }

    #[test]
    fn a_host_is_read_or_refused_and_reads_the_same_again(host in ".{0,30}") {
        if let Ok(read) = normal_host(&host) {
            prop_assert_eq!(normal_host(&read).unwrap(), read);
        }
    }
}

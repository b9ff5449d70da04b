//! What the Dart back end cannot do is an error that names the item.

use camino::Utf8Path;

use crate::source::{dart_of, dart_of_udl, library};

fn refusal(udl: &str) -> String {
    dart_of_udl("", udl).expect_err(udl).to_string()
}

#[test]
fn the_library_with_callbacks_is_refused_for_its_first_foreign_trait() {
    let refusal = dart_of(&library()).unwrap_err().to_string();
    assert_eq!(refusal, "BeforeSend: traits are not supported, foreign or not");
}

#[test]
fn a_file_without_metadata_is_refused() {
    assert!(
        dart_of(Utf8Path::new("/bin/true"))
            .unwrap_err()
            .to_string()
            .contains("No UniFFI metadata found")
    );
}

#[test]
fn what_is_supported_comes_out() {
    let udl = "
        dictionary Cart { sequence<string> items; record<string, u64>? counts = null; i8 a; f64 b; };
        enum Size { \"Small\", \"Large\" };
        [Enum] interface Shape { Round(u16 radius); None(); };
        [Error] interface Refused { Closed(string why); };
        interface Shop {
            [Throws=Refused] constructor(Cart cart);
            [Async, Throws=Refused] Size? size(Shape shape);
        };";
    let dart = dart_of_udl("", udl).unwrap();
    for part in [
        "const Cart({required this.items, this.counts, required this.a, required this.b});",
        "enum Size {\n  small,\n  large,\n}",
        "final class ShapeRound extends Shape {",
        "sealed class Refused extends _Data implements Exception {",
        "factory Shop(Cart cart) {",
        "Future<Size?> size(Shape shape) async {",
        "(symbol: 'uniffi_shop_checksum_method_shop_size', isLeaf: true)",
    ] {
        assert!(dart.contains(part), "{part}\nis not in\n{dart}");
    }
}

#[test]
fn kinds_of_items_that_are_not_supported_are_named() {
    let in_shop = |member: &str| refusal(&format!("interface Shop {{ {member} }};"));
    assert!(in_shop("[Async] constructor();").starts_with("Shop.new: async constructors"));
    assert!(in_shop("void close();").starts_with("Shop.close: every Dart object"));
    assert!(refusal("callback interface Told { void told(); };").starts_with("Told: callback interfaces"));
    assert!(refusal("[Trait] interface Told { void told(); };").starts_with("Told: traits"));
    assert!(refusal("[Trait, WithForeign] interface Told { void told(); };").starts_with("Told: traits"));
    assert!(refusal("[Traits=(Display)] interface Shop {};").starts_with("Shop: exported traits"));
    assert!(
        refusal("[Error] enum Refused { \"Closed\" }; interface Shop { [Throws=Refused] void a(); };")
            .starts_with("Refused: flat errors")
    );
    assert!(refusal("dictionary List { u8 a; };").starts_with("List: Dart"));
}

#[test]
fn a_function_outside_of_an_object_is_named() {
    let refusal = dart_of_udl("void open();", "").unwrap_err().to_string();
    assert!(refusal.starts_with("open: functions outside"), "{refusal}");
}

#[test]
fn types_that_are_not_supported_are_named_with_their_place() {
    let in_cart = |field: &str| refusal(&format!("interface Shop {{}}; dictionary Cart {{ {field}; }};"));
    assert!(in_cart("timestamp at").starts_with("Cart.at: Timestamp"));
    assert!(in_cart("duration took").starts_with("Cart.took: Duration"));
    assert!(in_cart("bytes body").starts_with("Cart.body: Bytes"));
    assert!(in_cart("f32 total").starts_with("Cart.total: Float32"));
    assert!(in_cart("Shop shop").starts_with("Cart.shop: Object"));
    assert!(in_cart("record<u32, string> names").starts_with("Cart.names: maps"));
    assert!(in_cart("u32 flush_at = 20").starts_with("Cart.flush_at: the default"));
    assert!(in_cart("sequence<timestamp> all").starts_with("Cart.all: Timestamp"));
    assert!(refusal("interface Shop { void a(bytes body); };").starts_with("Shop.a(body): Bytes"));
    assert!(refusal("interface Shop { timestamp a(); };").starts_with("Shop.a: Timestamp"));
    assert!(refusal("[Custom] typedef string Url; dictionary Cart { Url url; };").starts_with("Cart.url: Custom"));
}

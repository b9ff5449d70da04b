//! Errors of the shop, with stack traces as JavaScript and Dart have them.

use serde_json::{Value, json};

/// An error.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Thrown {
    /// In the checkout of web release 2.4.0.
    Checkout,
    /// In the app's list of orders, of releases 3.0.2 and 3.2.0.
    Orders,
    /// Pictures that do not load.
    Gallery,
    /// Something that browsers warn of.
    ResizeObserver,
    /// A phone without a network.
    NoNetwork,
    /// A name that is too long for its row.
    Overflow,
}

/// What always goes wrong now and then in the web shop, and how often a visit meets it.
pub(crate) const OF_WEB: [(f64, Thrown); 2] = [(0.006, Thrown::Gallery), (0.008, Thrown::ResizeObserver)];

/// The same of the app.
pub(crate) const OF_APP: [(f64, Thrown); 2] = [(0.008, Thrown::NoNetwork), (0.006, Thrown::Overflow)];

impl Thrown {
    /// What somebody has said of it before, if it is one of those that are known: `ongoing` or `ignored`.
    pub(crate) const fn said(self) -> Option<&'static str> {
        match self {
            Self::Checkout | Self::Orders => None,
            Self::Gallery | Self::Overflow => Some("ongoing"),
            Self::ResizeObserver | Self::NoNetwork => Some("ignored"),
        }
    }

    /// Its class and what it says.
    pub(crate) const fn title(self) -> (&'static str, &'static str) {
        match self {
            Self::Checkout => ("TypeError", "Cannot read properties of undefined (reading 'iban')"),
            Self::Orders => (
                "RangeError",
                "RangeError (index): Invalid value: Valid value range is empty: 0",
            ),
            Self::Gallery => ("NetworkError", "Failed to load /img/gallery"),
            Self::ResizeObserver => ("Error", "ResizeObserver loop completed with undelivered notifications."),
            Self::NoNetwork => ("SocketException", "Failed host lookup: 'api.shop.example'"),
            Self::Overflow => ("FlutterError", "A RenderFlex overflowed by 14 pixels on the right."),
        }
    }

    /// The properties of its `$exception`.
    pub(crate) fn properties(self) -> Value {
        let (kind, message) = self.title();
        let (handled, level) = match self {
            Self::Checkout | Self::Orders | Self::Overflow => (false, "error"),
            Self::Gallery | Self::NoNetwork => (true, "error"),
            Self::ResizeObserver => (false, "warning"),
        };
        json!({
            "$exception_list": [{"type": kind, "value": message, "mechanism": {"handled": handled},
                                 "stacktrace": {"frames": self.frames()}}],
            "$exception_level": level,
        })
    }

    /// Innermost first.
    fn frames(self) -> Vec<Value> {
        let js = |function: &str, file: &str, column: u32, in_app: bool| {
            json!({"function": function, "filename": format!("https://shop.example/assets/{file}"),
                   "lineno": 1, "colno": column, "in_app": in_app})
        };
        let dart = |function: &str, file: &str, line: u32, in_app: bool| {
            json!({"function": function, "filename": format!("package:{file}"),
                   "lineno": line, "colno": 12, "in_app": in_app})
        };
        match self {
            Self::Checkout => vec![
                js("readBankAccount", "checkout-B4kd93Ja.js", 18_423, true),
                js("PaymentForm.validate", "checkout-B4kd93Ja.js", 21_077, true),
                js("CheckoutPage.submit", "checkout-B4kd93Ja.js", 30_512, true),
                js("HTMLUnknownElement.callCallback", "vendor-C9x1mQ2z.js", 140_225, false),
                js("invokeGuardedCallback", "vendor-C9x1mQ2z.js", 140_981, false),
            ],
            Self::Orders => vec![
                dart("OrderList.orderAt", "shop/orders/order_list.dart", 87, true),
                dart(
                    "_OrdersScreenState.build.<anonymous closure>",
                    "shop/orders/orders_screen.dart",
                    52,
                    true,
                ),
                dart(
                    "SliverChildBuilderDelegate.build",
                    "flutter/src/widgets/scroll_delegate.dart",
                    509,
                    false,
                ),
                dart(
                    "SliverMultiBoxAdaptorElement._build",
                    "flutter/src/widgets/sliver.dart",
                    866,
                    false,
                ),
            ],
            Self::Gallery => vec![
                js("Gallery.load", "product-A81kc0Qw.js", 4_410, true),
                js("ProductPage.show", "product-A81kc0Qw.js", 9_032, true),
            ],
            Self::ResizeObserver => vec![],
            Self::NoNetwork => vec![
                dart("ShopApi.get", "shop/api/shop_api.dart", 41, true),
                dart(
                    "ProductRepository.load",
                    "shop/products/product_repository.dart",
                    28,
                    true,
                ),
                dart("IOClient.send", "http/src/io_client.dart", 94, false),
            ],
            Self::Overflow => vec![
                dart(
                    "RenderFlex.performLayout",
                    "flutter/src/rendering/flex.dart",
                    1_208,
                    false,
                ),
                dart("ProductTile.build", "shop/products/product_tile.dart", 63, true),
            ],
        }
    }
}

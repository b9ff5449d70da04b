//! What the shop sells.

/// Something to buy.
#[derive(Debug, PartialEq)]
pub(crate) struct Product {
    pub(crate) id: u32,
    pub(crate) name: &'static str,
    pub(crate) category: &'static str,
    /// In euros.
    pub(crate) price: f64,
}

const fn product(id: u32, name: &'static str, category: &'static str, price: f64) -> Product {
    Product {
        id,
        name,
        category,
        price,
    }
}

/// How much of each is looked at, and what it is.
pub(crate) const PRODUCTS: [(f64, Product); 20] = [
    (9.0, product(1001, "Trail runner", "shoes", 129.0)),
    (5.0, product(1002, "Hiking boot", "shoes", 189.0)),
    (3.0, product(1003, "Camp sandal", "shoes", 59.0)),
    (2.0, product(1004, "Gaiters", "shoes", 34.5)),
    (8.0, product(2001, "Rain jacket", "clothing", 149.0)),
    (6.0, product(2002, "Merino shirt", "clothing", 64.9)),
    (4.0, product(2003, "Down vest", "clothing", 119.0)),
    (3.0, product(2004, "Hiking trousers", "clothing", 89.0)),
    (2.0, product(2005, "Wool hat", "clothing", 24.9)),
    (7.0, product(3001, "Day pack 20 l", "packs", 79.0)),
    (5.0, product(3002, "Trekking pack 55 l", "packs", 219.0)),
    (2.0, product(3003, "Rain cover", "packs", 19.9)),
    (2.0, product(3004, "Dry bag", "packs", 16.5)),
    (6.0, product(4001, "Two-person tent", "camp", 349.0)),
    (5.0, product(4002, "Sleeping bag", "camp", 169.0)),
    (4.0, product(4003, "Sleeping mat", "camp", 74.9)),
    (3.0, product(4004, "Gas stove", "camp", 42.0)),
    (3.0, product(5001, "Head torch", "gear", 39.9)),
    (3.0, product(5002, "Trekking poles", "gear", 84.0)),
    (2.0, product(5003, "Water filter", "gear", 44.9)),
];

/// What is looked for, and how often.
pub(crate) const SEARCHES: [(f64, &str); 10] = [
    (8.0, "tent"),
    (7.0, "rain jacket"),
    (6.0, "trail running"),
    (5.0, "sleeping bag"),
    (4.0, "backpack"),
    (3.0, "merino"),
    (3.0, "stove"),
    (2.0, "headlamp"),
    (1.0, "gift card"),
    (1.0, "kayak"),
];

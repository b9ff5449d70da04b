//! What people do in a visit: look around, search, put things into the cart, check out, sign up.

use serde_json::{Value, json};

use super::errors::{OF_APP, OF_WEB, Thrown};
use super::goods::{PRODUCTS, Product, SEARCHES};
use super::incidents::{CHECKOUT_THROWS, Incidents, ORDERS_THROW, SIGN_UP, SIGN_UP_BROKEN};
use super::requests;
use super::scene::Scene;

/// How many leave after the first page, of those who did not come to sign up.
const BOUNCE: f64 = 0.30;

/// How many put something into the cart, of those who look at products; how many of these go on to the checkout.
const TO_CART: f64 = 0.42;
/// See [`TO_CART`].
const TO_CHECKOUT: f64 = 0.62;

/// How many pay in the end, of those who come to the checkout.
const TO_PURCHASE: f64 = 0.68;

/// How often the page or the app asks again by itself when the checkout fails: 10 times, then it gives up.
const ATTEMPTS: u32 = 10;

/// Tells a visit.
pub(super) fn shop(scene: &mut Scene<'_>, incidents: &Incidents, release: &str) {
    enter(scene);
    usual_errors(scene);
    if !scene.person.signs_up(&scene.visit) && scene.chance.is(BOUNCE) {
        return;
    }
    if scene.chance.is(0.22) {
        search(scene);
    }
    if scene.person.signs_up(&scene.visit) {
        sign_up(scene, incidents);
    } else if scene.is_known && scene.user_id.is_none() {
        log_in(scene);
    }
    if scene.user_id.is_some() && scene.device.is_app && scene.chance.is(0.5) {
        orders(scene, incidents, release);
    }
    if scene.chance.is(0.10) {
        let properties = json!({"place": scene.chance.one(&["footer", "popup", "checkout"])});
        scene.happens("newsletter_signup", properties);
        scene.wait(4.0);
    }
    let cart = look_around(scene);
    if cart.is_empty() {
        return;
    }
    check_out(scene, incidents, release, &cart);
}

fn enter(scene: &mut Scene<'_>) {
    if scene.device.is_app {
        let properties = json!({"from_background": !scene.visit.first_of_device});
        scene.happens("$app_opened", properties);
    }
    let landing = *scene.chance.weighted(&[
        (5.0, ("/", "Home")),
        (2.0, ("/shoes", "Category")),
        (1.5, ("/camp", "Category")),
        (1.0, ("/clothing", "Category")),
        (0.7, ("/journal/what-to-pack-in-november", "Journal")),
    ]);
    scene.shows(landing.0, landing.1);
    if scene.chance.is(0.5) {
        let status = requests::usual_status(&mut scene.chance);
        scene.asks("GET", "/api/products", status, 48.0);
    }
}

/// The first four people of all meet one each: none of these errors is new later.
fn usual_errors(scene: &mut Scene<'_>) {
    let usual: [(f64, Thrown); 2] = if scene.device.is_app { OF_APP } else { OF_WEB };
    for (at, (probability, thrown)) in usual.into_iter().enumerate() {
        let is_first = scene.visit.number == 0 && scene.person.number < 4 && scene.person.number % 2 == at as u64;
        if scene.chance.is(probability) || is_first {
            scene.throws(thrown);
        }
    }
}

fn search(scene: &mut Scene<'_>) {
    let looked_for = *scene.chance.weighted(&SEARCHES);
    let found = if looked_for == "kayak" {
        0
    } else {
        scene.chance.below(24) + 1
    };
    let status = requests::usual_status(&mut scene.chance);
    scene.asks("GET", "/api/search", status, 95.0);
    scene.happens("search", json!({"query": looked_for, "results": found}));
    scene.wait(8.0);
}

fn sign_up(scene: &mut Scene<'_>, incidents: &Incidents) {
    scene.shows("/signup", "Sign up");
    let method = *scene
        .chance
        .weighted(&[(0.6, "email"), (0.3, "google"), (0.1, "apple")]);
    scene.happens("signup_started", json!({"method": method}));
    scene.wait(25.0);
    let share = if scene.visit.begins >= incidents.sign_up_broken {
        SIGN_UP_BROKEN
    } else {
        SIGN_UP
    };
    if scene.person.succeeds(share) {
        scene.asks("POST", "/api/users", 201, 130.0);
        scene.identify();
        scene.happens("signup", json!({"method": method}));
        scene.wait(5.0);
    }
}

/// With another device they say who they are.
fn log_in(scene: &mut Scene<'_>) {
    scene.asks("POST", "/api/login", 200, 160.0);
    scene.identify();
    scene.happens("login", json!({"method": "email"}));
    scene.wait(5.0);
}

fn orders(scene: &mut Scene<'_>, incidents: &Incidents, release: &str) {
    scene.shows("/orders", "Orders");
    if incidents.orders_throw(release, scene.at) && scene.chance.is(ORDERS_THROW) {
        scene.throws(Thrown::Orders);
        return;
    }
    let order = 100_000 + scene.chance.below(90_000);
    let status = requests::usual_status(&mut scene.chance);
    scene.asks("GET", &format!("/api/orders/{order}"), status, 62.0);
    scene.wait(10.0);
}

/// Gives what is in the cart in the end.
fn look_around(scene: &mut Scene<'_>) -> Vec<&'static Product> {
    let (mut cart, looks) = (Vec::new(), 1 + scene.chance.exponential(1.9) as usize);
    let buys = scene.chance.is(TO_CART);
    for look in 0..looks.min(9) {
        let product: &'static Product = scene.chance.weighted(&PRODUCTS);
        scene.shows(&format!("/products/{}", product.id), "Product");
        if scene.chance.is(0.5) {
            let status = requests::usual_status(&mut scene.chance);
            scene.asks("GET", &format!("/api/products/{}", product.id), status, 55.0);
        }
        scene.happens("product_viewed", about(product));
        scene.wait(14.0);
        if buys && (look == 0 || scene.chance.is(0.35)) {
            scene.happens("added_to_cart", about(product));
            scene.wait(6.0);
            cart.push(product);
        }
    }
    cart
}

/// The checkout is asked for when the cart is opened, for its delivery and its taxes, and again to pay.
fn check_out(scene: &mut Scene<'_>, incidents: &Incidents, release: &str, cart: &[&Product]) {
    let goods: f64 = cart.iter().map(|product| product.price).sum();
    let total = ((goods + if goods < 80.0 { 4.9 } else { 0.0 }) * 100.0).round() / 100.0;
    scene.shows("/cart", "Cart");
    if !asks_checkout(scene, incidents) || !scene.chance.is(TO_CHECKOUT) {
        return;
    }
    scene.happens(
        "checkout_started",
        json!({"total": total, "items": cart.len(), "currency": "EUR"}),
    );
    scene.shows("/checkout", "Checkout");
    if release == "2.4.0" && !scene.device.is_app && scene.chance.is(CHECKOUT_THROWS) {
        scene.throws(Thrown::Checkout);
        return;
    }
    if !scene.chance.is(TO_PURCHASE) {
        return;
    }
    scene.wait(30.0);
    if !asks_checkout(scene, incidents) {
        return;
    }
    let method = *scene
        .chance
        .weighted(&[(0.44, "card"), (0.33, "paypal"), (0.15, "sepa"), (0.08, "invoice")]);
    let mut paid = json!({"total": total, "items": cart.len(), "currency": "EUR", "payment_method": method});
    if scene.chance.is(0.12) {
        paid["coupon"] = Value::from("TRAIL10");
    }
    scene.happens("purchase", paid);
    scene.shows("/thanks", "Thanks");
}

/// Whether the checkout answered in the end.
fn asks_checkout(scene: &mut Scene<'_>, incidents: &Incidents) -> bool {
    for _ in 0..ATTEMPTS {
        let failed = incidents.checkout_fails_at(scene.at, &mut scene.chance);
        let (status, millis) = requests::checkout(failed, &mut scene.chance);
        scene.answers("POST", "/api/checkout", status, millis);
        if !failed {
            return true;
        }
        scene.wait(5.0);
    }
    false
}

fn about(product: &Product) -> Value {
    json!({"product_id": product.id, "product": product.name, "category": product.category, "price": product.price})
}

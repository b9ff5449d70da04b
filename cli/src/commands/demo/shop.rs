//! A shop whose pages use the web SDK: `examples/web`, at `/shop/` of the demo's server, with the demo's write key in it.

use std::sync::{Arc, OnceLock};

use axum::Router;
use axum::extract::Path;
use axum::response::{IntoResponse, Redirect, Response};
use axum::routing::get;
use http::{HeaderMap, HeaderValue, StatusCode, header};
use rust_embed::RustEmbed;
use sha2::{Digest, Sha256};
use trailmark_server::gateway::files::{self, Stored};

/// Where the shop's pages are.
pub(super) const PATH: &str = "/shop/";

/// What stands in the example where a write key belongs.
const PLACEHOLDER: &str = "tm_pk_YOUR_WRITE_KEY";

/// As strict as a page with the wasm engine can be: no inline script, nothing from elsewhere, no text turned into script.
const POLICY: HeaderValue = HeaderValue::from_static(
    "default-src 'none'; script-src 'self' 'wasm-unsafe-eval'; style-src 'self'; img-src 'self'; connect-src 'self'; \
     base-uri 'none'; form-action 'self'; frame-ancestors 'none'; require-trusted-types-for 'script'",
);

#[derive(RustEmbed)]
#[folder = "../examples/web/"]
struct Example;

/// The shop, closed until it has its write key.
#[derive(Debug, Clone, Default)]
pub(super) struct Shop(Arc<OnceLock<String>>);

impl Shop {
    /// Opens it.
    pub(super) fn open(&self, write_key: &str) {
        // A demo has one key, so that a second one cannot come.
        let _ = self.0.set(write_key.to_owned());
    }

    /// Its pages. All paths without a dot are one page's, which draws what belongs there.
    pub(super) fn pages(&self) -> Router {
        let shop = self.clone();
        let page = |Path(path): Path<String>, asked: HeaderMap| async move { shop.page(&path, &asked) };
        let shop = self.clone();
        let front = |asked: HeaderMap| async move { shop.page("", &asked) };
        Router::new()
            .route("/shop", get(async || Redirect::permanent(PATH)))
            .route("/shop/", get(front))
            .route("/shop/{*path}", get(page))
    }

    fn page(&self, path: &str, asked: &HeaderMap) -> Response {
        let Some(key) = self.0.get() else {
            return (StatusCode::SERVICE_UNAVAILABLE, "The shop opens in a moment.\n").into_response();
        };
        let name = if path.contains('.') { path } else { "index.html" };
        let lookup = |name: &str| Some(with_key(Example::get(name)?.into(), key));
        let Some(mut page) = files::answer(name, asked, "no-cache", lookup) else {
            return StatusCode::NOT_FOUND.into_response();
        };
        page.headers_mut().insert(header::CONTENT_SECURITY_POLICY, POLICY);
        page
    }
}

fn with_key(stored: Stored, key: &str) -> Stored {
    let text = str::from_utf8(&stored.bytes)
        .ok()
        .filter(|text| text.contains(PLACEHOLDER));
    let Some(text) = text.map(|text| text.replace(PLACEHOLDER, key)) else {
        return stored;
    };
    Stored {
        hash: Sha256::digest(&text).into(),
        bytes: text.into(),
    }
}

#[cfg(test)]
mod tests {
    use axum::body::to_bytes;

    use super::*;

    async fn text(response: Response) -> String {
        String::from_utf8(to_bytes(response.into_body(), usize::MAX).await.unwrap().to_vec()).unwrap()
    }

    #[tokio::test]
    async fn the_shop_opens_with_its_key_filled_in() {
        let shop = Shop::default();
        let script = |shop: &Shop| shop.page("analytics.js", &HeaderMap::new());
        assert_eq!(script(&shop).status(), StatusCode::SERVICE_UNAVAILABLE);
        shop.open("tm_pk_x");
        let text = text(script(&shop)).await;
        assert!(text.contains("tm_pk_x") && !text.contains(PLACEHOLDER), "{text}");
    }

    #[tokio::test]
    async fn another_key_makes_another_file() {
        let tag = |key| {
            let shop = Shop::default();
            shop.open(key);
            shop.page("analytics.js", &HeaderMap::new()).headers()[header::ETAG].clone()
        };
        assert_ne!(tag("tm_pk_x"), tag("tm_pk_y"));
    }

    #[tokio::test]
    async fn paths_without_a_dot_are_the_one_page_and_files_are_themselves() {
        let shop = Shop::default();
        shop.open("tm_pk_x");
        let get = |path| shop.page(path, &HeaderMap::new());
        let front = text(get("")).await;
        assert_eq!(text(get("checkout")).await, front);
        assert_eq!(text(get("tea/sencha")).await, front);
        assert_ne!(text(get("about.html")).await, front);
        assert_eq!(get("none.js").status(), StatusCode::NOT_FOUND);
        assert_eq!(get("../README.md").status(), StatusCode::NOT_FOUND);
    }

    /// The policy forbids both, so a page that needs them would not work.
    #[test]
    fn no_page_has_inline_script_or_style() {
        for name in Example::iter().filter(|name| name.ends_with(".html")) {
            let page = Example::get(&name).unwrap();
            let page = String::from_utf8_lossy(&page.data).into_owned();
            for inline in ["<script>", "<style", " style=", " onclick=", "javascript:"] {
                assert!(!page.contains(inline), "{inline} in {name}");
            }
        }
    }
}

//! What of a frame's file stays the same from one build, machine and user to the next.

/// Least characters of a hexadecimal id or of one that mixes letters and digits: shorter ones are words such as `h264`.
const ID_CHARS: usize = 6;

/// Directories below which the code of an app is found on a machine, and which therefore say nothing.
const ROOTS: &[&str] = &[
    "",
    ".",
    "..",
    "app",
    "build",
    "builds",
    "dist",
    "code",
    "srv",
    "www",
    "workspace",
    "home",
    "root",
];

/// Whether a word is an id that somebody made up: a number, a hash, a UUID. It has digits, and letters only as hexadecimal
/// ones or between digits.
#[must_use]
pub fn is_id(word: &str) -> bool {
    let word = word.strip_prefix("0x").unwrap_or(word);
    let (mut digits, mut runs, mut hex, mut was_digit) = (0, 0, true, false);
    for char in word.chars() {
        let is_digit = char.is_ascii_digit();
        if !is_digit && !char.is_ascii_alphabetic() {
            return is_uuid(word);
        }
        digits += usize::from(is_digit);
        runs += usize::from(is_digit && !was_digit);
        hex &= char.is_ascii_hexdigit();
        was_digit = is_digit;
    }
    digits > 0 && (digits == word.len() || (word.len() >= ID_CHARS && (hex || runs >= 2)))
}

fn is_uuid(word: &str) -> bool {
    let word = word.trim_matches(['{', '}']);
    let lengths: Vec<usize> = word.split('-').map(str::len).collect();
    lengths == [8, 4, 4, 4, 12] && word.chars().all(|char| char == '-' || char.is_ascii_hexdigit())
}

/// A file as it is compared: without host, query, and what a machine, a user or a build has put into it.
///
/// Of a URL the whole path is kept, for it is the same wherever the app is served from; of a file system's path the last
/// directory and the file, for what is before them is the machine's. `package:` and `dart:` addresses stay whole.
#[must_use]
pub fn normal_file(file: &str) -> String {
    let file = file.split(['?', '#']).next().unwrap_or_default().replace('\\', "/");
    if file.starts_with("package:") || file.starts_with("dart:") {
        return file;
    }
    let (path, is_url) = match file.split_once("://") {
        Some(("file", rest)) => (rest, false),
        // The host of a URL, and the project of `webpack://shop/./src/cart.ts`.
        Some((_, rest)) => (rest.split_once('/').map_or(rest, |(_, path)| path), true),
        None => (file.strip_prefix("node:").unwrap_or(&file), false),
    };
    let parts: Vec<String> = below_home(path)
        .split('/')
        .filter(|part| !ROOTS.contains(part) && !is_made(part))
        .map(without_hash)
        .collect();
    let kept = if is_url { parts.len() } else { 2 };
    parts
        .get(parts.len().saturating_sub(kept)..)
        .unwrap_or_default()
        .join("/")
}

/// What is behind `/home/ann/`, `/Users/ann/`, `C:/Users/ann/`.
fn below_home(path: &str) -> &str {
    let behind = ["/home/", "/Users/"]
        .iter()
        .find_map(|homes| path.split_once(homes).filter(|(before, _)| before.len() <= 2));
    behind
        .and_then(|(_, rest)| rest.split_once('/'))
        .map_or(path, |(_, rest)| rest)
}

/// Whether a directory is an id or a version (`1.2.3`, `v12`, `shop-2.0.1`), or made at random (`~~hash==`).
fn is_made(part: &str) -> bool {
    let version = part.strip_prefix('v').unwrap_or(part);
    let is_version = !version.is_empty() && version.chars().all(|char| char.is_ascii_digit() || char == '.');
    is_version || is_id(part) || part.ends_with("==")
}

/// `app.3f9a2c.js` and `app-3f9a2c.js` are `app.js`; `chunk.B2x9_kQz.js` is `chunk.js`, and `12.8f3ab2.chunk.js` is
/// `chunk.js`.
fn without_hash(part: &str) -> String {
    let Some((name, end)) = part.rsplit_once('.') else {
        return part.to_owned();
    };
    let dotted: Vec<&str> = name.split('.').filter(|piece| !is_hash(piece)).collect();
    let name = match dotted.as_slice() {
        [] => String::new(),
        [first, rest @ ..] => {
            let first = without_dashed_hash(first);
            [&[first], rest].concat().join(".")
        }
    };
    if name.is_empty() {
        end.to_owned()
    } else {
        format!("{name}.{end}")
    }
}

/// Vite and Rollup write `-` and eight characters of base64url, webpack hexadecimal ones.
fn without_dashed_hash(name: &str) -> &str {
    let dashes = name.char_indices().filter(|(_, char)| *char == '-').map(|(at, _)| at);
    let hash = dashes.filter(|at| name.get(at + 1..).is_some_and(is_hash)).min();
    hash.and_then(|at| name.get(..at))
        .filter(|name| !name.is_empty())
        .unwrap_or(name)
}

/// A content hash: an id, or as Vite writes it 8 characters, one of them a digit, `-` or `_`, or of both cases like no word.
fn is_hash(text: &str) -> bool {
    if is_id(text) {
        return true;
    }
    let fits = |char: char| char.is_ascii_alphanumeric() || char == '-' || char == '_';
    if text.len() != 8 || !text.chars().all(fits) {
        return false;
    }
    let upper = text.chars().skip(1).filter(char::is_ascii_uppercase).count();
    let lower = text.chars().filter(char::is_ascii_lowercase).count();
    let other = text.chars().filter(|char| !char.is_ascii_alphabetic()).count();
    other > 0 && upper > 0 || upper >= 2 && lower >= 2
}

/// Whether a file is JavaScript's: of a page, of a bundle, or its source.
#[must_use]
pub fn is_script(file: &str) -> bool {
    let path = file.split(['?', '#']).next().unwrap_or_default();
    let ends = [
        ".js",
        ".mjs",
        ".cjs",
        ".jsx",
        ".ts",
        ".mts",
        ".tsx",
        ".vue",
        ".svelte",
        ".jsbundle",
    ];
    ends.iter().any(|end| path.ends_with(end)) || path.starts_with("http://") || path.starts_with("https://")
}

/// Parts of the paths of installed libraries and of languages themselves.
const LIBRARIES: &[&str] = &[
    "node_modules/",
    "bower_components/",
    "webpack/bootstrap",
    "webpack/runtime",
    "/vendor/",
    "/vendor-",
    "/vendor.",
    "/vendors-",
    "/vendors~",
    "/chunk-vendors",
    "/polyfills",
    "/framework-",
    "site-packages/",
    "dist-packages/",
    "/lib/python3",
    "/Lib/",
    "/rustc/",
    "/.cargo/registry/",
    "/.cargo/git/",
    "/library/std/",
    "/library/core/",
    "/library/alloc/",
    "/.pub-cache/",
    "/flutter/packages/",
];

/// What addresses of languages and frameworks begin with.
const LIBRARY_BEGINS: &[&str] = &[
    "dart:",
    "org-dartlang-sdk:",
    "package:flutter/",
    "package:flutter_test/",
    "packages/flutter/",
    "package:trailmark_flutter/",
    "packages/trailmark_flutter/",
    "node:",
    "internal/",
    "<frozen ",
    "[native code",
    "native",
    "<anonymous>",
    "chrome-extension:",
    "moz-extension:",
    "safari-web-extension:",
];

/// Whether a file is a library's, as far as its name tells.
#[must_use]
pub fn is_library(file: &str) -> bool {
    let file = file.replace('\\', "/");
    let whole = format!("/{file}");
    LIBRARY_BEGINS.iter().any(|begin| file.starts_with(begin)) || LIBRARIES.iter().any(|part| whole.contains(part))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn ids_are_told_from_words() {
        for id in [
            "7",
            "20261120",
            "3f9a2c",
            "0x7f3a9c",
            "B2x9kQ1z",
            "0193abcd-1234-7abc-8def-0123456789ab",
        ] {
            assert!(is_id(id), "{id}");
        }
        for word in [
            "", "a", "cart", "facade", "h264", "utf8", "sha256", "Cart2", "section3", "a-b",
        ] {
            assert!(!is_id(word), "{word}");
        }
    }

    #[test]
    fn what_a_machine_a_user_or_a_build_puts_into_a_path_goes() {
        for (file, expected) in [
            ("https://shop.example/assets/app.3f9a2c.js?v=7", "assets/app.js"),
            ("http://localhost:8080/assets/app-BkX9_2hq.js", "assets/app.js"),
            ("https://cdn.example/v42/js/12.8f3ab2c1.chunk.js", "js/chunk.js"),
            (
                "https://shop.example/assets/cart-item-D4f8Qz1k.js",
                "assets/cart-item.js",
            ),
            ("https://shop.example/assets/check-list.js", "assets/check-list.js"),
            ("webpack://shop/./src/features/cart/pay.ts", "src/features/cart/pay.ts"),
            ("webpack-internal:///./src/cart.ts", "src/cart.ts"),
            ("app:///main.jsbundle", "main.jsbundle"),
            ("/home/ann/shop/orders/views.py", "orders/views.py"),
            ("/app/orders/views.py", "orders/views.py"),
            ("/app/pay.py", "pay.py"),
            ("/home/ann/pay.py", "pay.py"),
            ("C:\\Users\\ann\\shop\\orders\\views.py", "orders/views.py"),
            ("src/cart/pay.rs", "cart/pay.rs"),
            ("/builds/77/shop/src/pay.rs", "src/pay.rs"),
            ("./src/pay.rs", "src/pay.rs"),
            ("package:shop/src/cart.dart", "package:shop/src/cart.dart"),
            ("file:///home/me/shop/lib/cart.dart", "lib/cart.dart"),
            ("Cart.kt", "Cart.kt"),
            ("", ""),
        ] {
            assert_eq!(normal_file(file), expected, "{file}");
        }
    }

    #[test]
    fn libraries_are_known_by_their_files() {
        for library in [
            "https://x.example/node_modules/react/index.js",
            "/usr/lib/python3.11/json/decoder.py",
            "/venv/lib/python3.11/site-packages/django/db.py",
            "/rustc/90b35a623/library/std/src/panicking.rs",
            "/root/.cargo/registry/src/index.crates.io-6f17d22bba15001f/tokio-1.38.0/src/lib.rs",
            "dart:async/zone.dart",
            "package:flutter/src/widgets/framework.dart",
            "node:internal/process/task_queues",
            "C:\\Python311\\Lib\\json\\decoder.py",
        ] {
            assert!(is_library(library), "{library}");
        }
        for own in [
            "src/cart.rs",
            "package:shop/cart.dart",
            "https://x.example/app.js",
            "/app/lib/cart.py",
            "Cart.kt",
        ] {
            assert!(!is_library(own), "{own}");
        }
    }

    proptest! {
        #[test]
        fn nothing_makes_it_panic_and_what_is_normal_is_no_longer(file in "[a-zA-Z0-9./:?#~=_\\\\-]{0,40}|\\PC{0,30}") {
            let normal = normal_file(&file);
            prop_assert!(normal.len() <= file.len());
            let _ = (is_library(&file), is_script(&file));
        }

        #[test]
        fn the_beginning_of_a_path_never_matters(user in "[a-z]{1,8}", project in "[a-z]{1,8}") {
            let file = format!("/home/{user}/{project}/cart/pay.py");
            prop_assert_eq!(normal_file(&file), "cart/pay.py");
        }
    }
}

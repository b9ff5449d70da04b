//! What of a frame's function stays the same from one build, engine and version of a language to the next.

use super::file::is_script;

/// What a platform's own name of an anonymous function stands for: nothing.
const ANONYMOUS: &[&str] = &[
    "",
    "<anonymous>",
    "(anonymous function)",
    "anonymous",
    "(anonymous)",
    "<unknown>",
    "?",
    "<fn>",
    "<anonymous closure>",
];

/// Which rules a frame's names follow.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Tongue {
    /// JavaScript, whose engines each write names in their own way.
    Script,
    /// Python.
    Python,
    /// Java, Kotlin, Scala.
    Jvm,
    /// Rust.
    Rust,
    /// Dart.
    Dart,
    /// What is not known.
    Other,
}

/// What a frame is written in, as its file tells.
#[must_use]
pub fn tongue(file: Option<&str>, function: &str) -> Tongue {
    let file = file.unwrap_or_default();
    let ends = |ends: &[&str]| ends.iter().any(|end| file.ends_with(end));
    if ends(&[".kt", ".java", ".kts", ".scala", ".groovy"])
        || matches!(
            file,
            "SourceFile" | "Unknown Source" | "Native Method" | "<generated>" | "R8$$SyntheticClass"
        )
    {
        Tongue::Jvm
    } else if ends(&[".py", ".pyx", ".pyc"]) {
        Tongue::Python
    } else if ends(&[".rs"]) {
        Tongue::Rust
    } else if ends(&[".dart"])
        || file.starts_with("dart:")
        || file.starts_with("package:")
        || function.contains("_kDart")
    {
        Tongue::Dart
    } else if is_script(file) {
        Tongue::Script
    } else if function.contains("::") {
        Tongue::Rust
    } else if file.is_empty() && function.matches('.').count() >= 2 {
        Tongue::Jvm
    } else {
        Tongue::Other
    }
}

/// A function as it is compared; empty if it has no name, `None` if the frame is no place of its own.
#[must_use]
pub fn normal_function(tongue: Tongue, function: &str) -> Option<String> {
    let function = function.trim();
    let normal = match tongue {
        Tongue::Script => of_script(function),
        Tongue::Python => return of_python(function),
        Tongue::Jvm => return of_jvm(function),
        Tongue::Rust => of_rust(function),
        Tongue::Dart => of_dart(function),
        Tongue::Other => function.to_owned(),
    };
    Some(if ANONYMOUS.contains(&normal.as_str()) {
        String::new()
    } else {
        normal
    })
}

/// Chromium writes `async Cart.pay [as onClick]`, `new Cart` and `Object.<anonymous>`, Firefox `async*Cart.prototype.pay`
/// and `pay/<` of a closure in it, Safari `pay` and `module code`: what they have in common is the last name.
fn of_script(function: &str) -> String {
    let bare = function.split(" [as ").next().unwrap_or_default();
    let bare = bare
        .trim_start_matches("async*")
        .trim_start_matches("async ")
        .trim_start_matches("new ");
    if matches!(
        bare,
        "global code" | "module code" | "eval code" | "eval" | "setTimeout handler*" | "promise callback*"
    ) {
        return String::new();
    }
    let bare = bare.rsplit(['*']).next().unwrap_or_default();
    let last = bare.rsplit(['/', '.']).next().unwrap_or_default();
    if last.ends_with('<') {
        String::new()
    } else {
        last.trim_end_matches("()").trim_start_matches('#').to_owned()
    }
}

/// Python 3.11 knows `Cart.pay.<locals>.retry`, those before only `retry`. A comprehension is a frame before 3.12 and none
/// since, so it is none.
fn of_python(function: &str) -> Option<String> {
    let last = function.rsplit('.').next().unwrap_or_default();
    let is_comprehension = matches!(last, "<listcomp>" | "<dictcomp>" | "<setcomp>" | "<genexpr>");
    (!is_comprehension).then(|| last.to_owned())
}

/// Compilers put lambdas and coroutines into classes and methods that they number: `com.shop.Cart$pay$2.invokeSuspend`,
/// `com.shop.Cart.lambda$pay$0`, `com.shop.Cart.pay$lambda$3` are all of `com.shop.Cart.pay`. What they make besides
/// (proxies, accessors, the marks of recovered coroutine stacks) is no place.
fn of_jvm(function: &str) -> Option<String> {
    let (class, method) = function.rsplit_once('.').unwrap_or(("", function));
    if class.starts_with("_COROUTINE") || class.contains("$Proxy") || class.contains("GeneratedMethodAccessor") {
        return None;
    }
    let class = class.split_once("$$").map_or(class, |(class, _)| class);
    let mut names = class
        .split('$')
        .filter(|name| !name.chars().all(|char| char.is_ascii_digit()));
    let mut class = names.next().unwrap_or_default().trim_start_matches('-').to_owned();
    for name in names {
        if name.starts_with(char::is_lowercase) {
            return Some(format!("{class}.{}", method_of(name)));
        }
        class = format!("{class}${name}");
    }
    let method = method_of(method);
    Some(if class.is_empty() {
        method
    } else {
        format!("{class}.{method}")
    })
}

/// `lambda$pay$0`, `access$pay`, `pay$default`, `pay$lambda$3`, `pay$shop_release` and `pay-IoAF18A` are `pay`.
fn method_of(method: &str) -> String {
    let bare = ["lambda$", "access$", "$"]
        .iter()
        .find_map(|begin| method.strip_prefix(begin))
        .unwrap_or(method);
    let name = bare.split('$').next().unwrap_or_default();
    let mangled = name
        .rsplit_once('-')
        .filter(|(_, hash)| hash.len() == 7)
        .map(|(name, _)| name);
    mangled.unwrap_or(name).to_owned()
}

/// Without closures, the compiler's hash and the types that a generic was made for.
fn of_rust(function: &str) -> String {
    let function = function.strip_prefix("&").unwrap_or(function);
    let function = without_turbofish(function);
    let kept = |part: &&str| {
        let is_hash =
            part.len() == 17 && part.starts_with('h') && part.chars().skip(1).all(|char| char.is_ascii_hexdigit());
        !is_hash && !part.starts_with('{')
    };
    let parts: Vec<&str> = function.split("::").filter(kept).collect();
    parts.join("::").replace(" as core::", " as std::")
}

/// `parse::<u32>` and `Cart<T>::pay` are `parse` and `Cart::pay`; `<Cart as Pay>::pay` stays.
fn without_turbofish(function: &str) -> String {
    let (mut out, mut depth) = (String::with_capacity(function.len()), 0_usize);
    let mut before = ' ';
    for char in function.chars() {
        let opens = char == '<' && (depth > 0 || !matches!(before, ' ' | '(' | '<'));
        if opens {
            depth += 1;
        } else if char == '>' && depth > 0 && before != '-' {
            depth -= 1;
        } else if depth == 0 {
            out.push(char);
        }
        before = char;
    }
    out.replace("::::", "::").trim_end_matches("::").to_owned()
}

/// Without closures and the marks of private names. A trace of an app without symbols has only addresses: of them the one
/// within the app's code is kept, which a build does not change.
fn of_dart(function: &str) -> String {
    if let Some((_, offset)) = function.split_once("_kDartIsolateSnapshotInstructions") {
        return format!("instructions{offset}");
    }
    let mut name = function.trim_end_matches(" (optimized out)").to_owned();
    for closure in [".<anonymous closure>", ".<fn>", ".<async>"] {
        name = name.replace(closure, "");
    }
    let mut parts = name.split('@');
    let mut out = parts.next().unwrap_or_default().to_owned();
    for part in parts {
        out.push_str(part.trim_start_matches(|char: char| char.is_ascii_digit()));
    }
    out
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn all_are(tongue: Tongue, expected: &str, functions: &[&str]) {
        for function in functions {
            assert_eq!(
                normal_function(tongue, function).as_deref(),
                Some(expected),
                "{function}"
            );
        }
    }

    #[test]
    fn engines_write_one_name() {
        let pay = [
            "pay",
            "Cart.pay",
            "async Cart.pay",
            "Cart.prototype.pay",
            "async*pay",
            "Object.pay [as onClick]",
            "cart/this.pay",
            "#pay",
        ];
        all_are(Tongue::Script, "pay", &pay);
        all_are(Tongue::Script, "Cart", &["new Cart", "Cart"]);
        all_are(
            Tongue::Script,
            "",
            &[
                "",
                "pay/<",
                "Object.<anonymous>",
                "<anonymous>",
                "global code",
                "module code",
                "handler<",
            ],
        );
    }

    #[test]
    fn versions_of_python_write_one_name() {
        all_are(
            Tongue::Python,
            "checkout",
            &["checkout", "Cart.checkout", "outer.<locals>.checkout"],
        );
        all_are(Tongue::Python, "<module>", &["<module>"]);
        assert_eq!(normal_function(Tongue::Python, "Cart.sum.<locals>.<listcomp>"), None);
    }

    #[test]
    fn what_compilers_make_of_a_lambda_is_its_function() {
        let pay = [
            "com.shop.Cart.pay",
            "com.shop.Cart$pay$2.invokeSuspend",
            "com.shop.Cart.lambda$pay$0",
            "com.shop.Cart.pay$lambda$3",
            "com.shop.Cart.access$pay",
            "com.shop.Cart.pay$default",
            "com.shop.Cart.pay$shop_release",
            "com.shop.Cart.pay-IoAF18A",
            "com.shop.Cart$$SpringCGLIB$$0.pay",
            "com.shop.Cart$1.pay",
        ];
        all_are(Tongue::Jvm, "com.shop.Cart.pay", &pay);
        all_are(
            Tongue::Jvm,
            "com.shop.Cart$Item.total",
            &["com.shop.Cart$Item.total", "com.shop.Cart$Item$1.total"],
        );
        assert_eq!(normal_function(Tongue::Jvm, "_COROUTINE._BOUNDARY._"), None);
        assert_eq!(normal_function(Tongue::Jvm, "com.sun.proxy.$Proxy12.call"), None);
    }

    #[test]
    fn what_a_build_adds_to_a_rust_path_goes() {
        let pay = [
            "shop::cart::pay",
            "shop::cart::pay::{{closure}}",
            "shop::cart::pay::{closure#0}",
            "shop::cart::pay::h0123456789abcdef",
            "shop::cart::pay::<alloc::string::String>",
            "shop::cart::pay::{{closure}}::{{closure}}::hfedcba9876543210",
        ];
        all_are(Tongue::Rust, "shop::cart::pay", &pay);
        all_are(
            Tongue::Rust,
            "<shop::Cart as shop::Pay>::pay",
            &[
                "<shop::Cart as shop::Pay>::pay::{{closure}}",
                "<shop::Cart as shop::Pay>::pay",
            ],
        );
        all_are(
            Tongue::Rust,
            "shop::Cart::pay",
            &["shop::Cart<T>::pay", "shop::Cart<alloc::vec::Vec<u8>>::pay"],
        );
    }

    #[test]
    fn closures_and_private_names_of_dart_go() {
        all_are(
            Tongue::Dart,
            "Cart.checkout",
            &[
                "Cart.checkout",
                "Cart.checkout.<anonymous closure>",
                "Cart.checkout.<fn>.<fn>",
            ],
        );
        all_are(
            Tongue::Dart,
            "_Cart._load",
            &["_Cart@123456._load", "_Cart._load@123456"],
        );
        let address = "virt 00000000000856d7 _kDartIsolateSnapshotInstructions+0x776d7";
        all_are(Tongue::Dart, "instructions+0x776d7", &[address]);
    }

    proptest! {
        #[test]
        fn nothing_makes_it_panic(function in "\\PC{0,40}|[a-z$.:<>{}@*/_0-9-]{0,40}") {
            for tongue in [Tongue::Script, Tongue::Python, Tongue::Jvm, Tongue::Rust, Tongue::Dart, Tongue::Other] {
                let _ = normal_function(tongue, &function);
            }
        }
    }
}

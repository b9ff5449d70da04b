// swift-tools-version:5.10
// 5.10: the generated code says `nonisolated(unsafe)`, which older compilers do not know.
import PackageDescription

/// Set by those who test against the conformance vectors; see README.md, "Building it".
let withVectors = Context.environment["TRAILMARK_VECTORS"] == "1"

let package = Package(
    name: "Trailmark",
    // iOS 13: the first with Swift's async, which `flush` uses. macOS 11: the first on Apple silicon, below which Rust's
    // aarch64-apple-darwin does not build.
    platforms: [.iOS(.v13), .macOS(.v11)],
    products: [
        .library(name: "Trailmark", targets: ["Trailmark"]),
    ],
    targets: [
        // The engine, static. It has no headers: two XCFrameworks with a Headers/module.modulemap cannot be in one app
        // (swiftlang/swift-build#1746), so the C module is a target of its own.
        .binaryTarget(name: "TrailmarkEngine", path: "TrailmarkEngine.xcframework"),
        .target(
            name: "TrailmarkC",
            dependencies: ["TrailmarkEngine"],
            linkerSettings: [
                // A static library does not say what it needs; rustc's `--print native-static-libs` does.
                .linkedFramework("Security"),
                .linkedFramework("CoreFoundation"),
                .linkedLibrary("iconv"),
            ]
        ),
        .target(name: "TrailmarkFFI", dependencies: ["TrailmarkC"]),
        .target(
            name: "Trailmark",
            dependencies: ["TrailmarkFFI"],
            resources: [.copy("Resources/PrivacyInfo.xcprivacy")]
        ),
        .testTarget(
            name: "TrailmarkTests",
            dependencies: ["Trailmark", "TrailmarkFFI"],
            swiftSettings: withVectors ? [.define("TRAILMARK_VECTORS")] : []
        ),
    ]
)

import XCTest

@testable import Trailmark

final class StackSymbolsTests: XCTestCase {
    func test_a_line_is_its_function_and_its_image() throws {
        let line = "3   My Shop                             0x0000000104c5e1a4 $s4Shop4CartC8checkoutyyF + 132"
        let frame = try XCTUnwrap(StackSymbols.frame(line, executable: "My Shop"))
        XCTAssertEqual(frame, Trailmark.Frame(function: "$s4Shop4CartC8checkoutyyF", file: "My Shop", inApp: true))
    }

    func test_a_stripped_symbol_keeps_its_offset() throws {
        let line = "12  Shop                                0x0000000104c5e1a4 Shop + 123456"
        let frame = try XCTUnwrap(StackSymbols.frame(line, executable: "Shop"))
        XCTAssertEqual(frame.function, "Shop + 123456")
    }

    func test_of_other_images_it_is_not_said_whose_they_are() throws {
        let line = "4   UIKitCore                           0x00000001a2b3c4d5 -[UIApplication sendAction:to:from:forEvent:] + 96"
        let frame = try XCTUnwrap(StackSymbols.frame(line, executable: "Shop"))
        XCTAssertEqual(frame.function, "-[UIApplication sendAction:to:from:forEvent:]")
        XCTAssertNil(frame.inApp)
    }

    func test_lines_of_another_form_and_frames_of_this_package_are_left_out() {
        let lines = [
            "???",
            "0   Shop   0x0000000104c5e1a4 $s9TrailmarkAAC16captureExceptionyyF + 12",
            "1   Shop   0x0000000104c5e1a4 main + 1",
        ]
        XCTAssertEqual(StackSymbols.frames(lines, executable: "Shop").map { $0.function }, ["main"])
    }
}

final class ErrorChainTests: XCTestCase {
    private enum CartError: Error {
        case empty
    }

    func test_causes_follow_their_error() {
        let cause = NSError(domain: NSURLErrorDomain, code: -1009, userInfo: [NSLocalizedDescriptionKey: "offline"])
        let error = NSError(domain: "Shop", code: 7, userInfo: [NSUnderlyingErrorKey: cause, NSLocalizedDescriptionKey: "no"])
        let chain = ErrorChain.thrown(error, frames: [Trailmark.Frame(function: "main")])
        XCTAssertEqual(chain.map { $0.kind }, ["Shop 7", "NSURLErrorDomain -1009"])
        XCTAssertEqual(chain.map { $0.message }, ["no", "offline"])
        XCTAssertEqual(chain.map { $0.frames.count }, [1, 0])
    }

    func test_a_swift_error_is_its_type_and_its_text() {
        let thrown = ErrorChain.thrown(CartError.empty, frames: [])
        XCTAssertEqual(thrown.count, 1)
        XCTAssertTrue(thrown[0].kind.hasSuffix("CartError"))
        XCTAssertEqual(thrown[0].message, "empty")
    }
}

final class LifecycleMomentsTests: XCTestCase {
    func test_the_first_coming_is_a_start_and_later_ones_are_returns() {
        var moments = LifecycleMoments()
        XCTAssertFalse(moments.went())
        XCTAssertEqual(moments.came(), .started)
        XCTAssertEqual(moments.came(), .nothing)
        XCTAssertTrue(moments.went())
        XCTAssertFalse(moments.went())
        XCTAssertEqual(moments.came(), .returned)
    }
}

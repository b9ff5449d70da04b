import XCTest

@testable import Trailmark

final class JSONTests: XCTestCase {
    func test_keys_are_in_the_order_of_their_bytes() {
        XCTAssertEqual(JSON.text(["b": 1, "a": 2, "é": 3, "B": 4]), #"{"B":4,"a":2,"b":1,"é":3}"#)
    }

    func test_numbers_stay_what_they_are() {
        XCTAssertEqual(JSON.text(["a": 12, "b": 12.0, "c": 12.5, "d": -1]), #"{"a":12,"b":12.0,"c":12.5,"d":-1}"#)
        XCTAssertEqual(JSON.text(["max": UInt64.max, "min": Int64.min]), #"{"max":18446744073709551615,"min":-9223372036854775808}"#)
        XCTAssertEqual(JSON.text(["float": Float(0.1), "decimal": Decimal(string: "0.10")]), #"{"decimal":0.1,"float":0.1}"#)
    }

    func test_a_bool_is_no_number_and_a_one_is_no_bool() {
        XCTAssertEqual(JSON.text(["a": true, "b": 1, "c": NSNumber(value: 1), "d": NSNumber(value: false)]), #"{"a":true,"b":1,"c":1,"d":false}"#)
    }

    func test_what_is_no_number_is_null() {
        let values: [String: Any?] = ["a": Double.nan, "b": Double.infinity, "c": -Float.infinity, "d": nil, "e": NSNull(), "f": NSDecimalNumber.notANumber]
        XCTAssertEqual(JSON.text(values), #"{"a":null,"b":null,"c":null,"d":null,"e":null,"f":null}"#)
    }

    func test_optionals_within_are_what_is_in_them() {
        let none: Int? = nil
        let some: Int? = 5
        let nested: [String: Any?] = ["none": none, "some": some, "list": [none, some], "map": ["x": none]]
        XCTAssertEqual(JSON.text(nested), #"{"list":[null,5],"map":{"x":null},"none":null,"some":5}"#)
    }

    func test_dates_are_rfc_3339_in_utc() {
        XCTAssertEqual(JSON.text(["at": Date(timeIntervalSince1970: 1_795_176_000.25)]), #"{"at":"2026-11-20T12:00:00.250Z"}"#)
        XCTAssertEqual(JSON.text(["at": Date(timeIntervalSince1970: .nan)]), #"{"at":null}"#)
        XCTAssertFalse(JSON.text(["at": Date(timeIntervalSince1970: 1e300)]).isEmpty)
    }

    func test_texts_are_escaped_only_where_json_demands_it() {
        XCTAssertEqual(JSON.text(["t": "\"\\/\u{8}\u{c}\n\r\t\u{0}\u{1f}é🦀"]), #"{"t":"\"\\/\b\f\n\r\t\u0000\u001fé🦀"}"#)
    }

    func test_half_of_a_surrogate_pair_becomes_a_replacement_character() {
        let lone = NSString(characters: [0x61, 0xD83E, 0x62], length: 3)
        XCTAssertEqual(JSON.text(["t": lone]), "{\"t\":\"a\u{FFFD}b\"}")
    }

    func test_other_objects_become_their_text() throws {
        let url = try XCTUnwrap(URL(string: "https://example.com/a"))
        XCTAssertEqual(JSON.text(["u": url]), #"{"u":"https://example.com/a"}"#)
        XCTAssertEqual(JSON.text(["m": [1: "one"]]), #"{"m":{"1":"one"}}"#)
    }

    func test_nesting_ends_at_level_33_with_something_empty() {
        var deep: Any = "bottom"
        for _ in 0..<1_000 { deep = [deep] }
        let expected = #"{"a":"# + String(repeating: "[", count: 32) + String(repeating: "]", count: 32) + "}"
        XCTAssertEqual(JSON.text(["a": deep]), expected)
    }

    func test_a_cycle_with_many_ways_round_ends() {
        let cycle = NSMutableDictionary()
        for key in 0..<10 { cycle["\(key)"] = cycle }
        XCTAssertLessThan(JSON.text(["a": cycle]).utf8.count, 10_000)
        cycle.removeAllObjects()
    }

    func test_a_text_that_is_too_long_to_cross_is_no_object() {
        XCTAssertEqual(JSON.text(["a": String(repeating: "x", count: JSON.maxBytes + 1)]), "")
        XCTAssertLessThan(JSON.crossing(String(repeating: "x", count: JSON.maxBytes + 1)).utf8.count, JSON.maxBytes)
    }

    func test_a_draft_that_is_not_touched_keeps_its_bytes() {
        XCTAssertEqual(JSON.text(JSON.properties(#"{"a":1,"b":[true,null,"x"]}"#)), #"{"a":1,"b":[true,null,"x"]}"#)
        XCTAssertTrue(JSON.properties("no JSON").isEmpty)
    }
}

final class TimeTests: XCTestCase {
    func test_seconds_become_milliseconds_and_never_trap() {
        XCTAssertEqual(Milliseconds.from(1.5), 1_500)
        XCTAssertEqual(Milliseconds.from(-1), 0)
        XCTAssertEqual(Milliseconds.from(.nan), 0)
        XCTAssertEqual(Milliseconds.from(.infinity), 31_500_000_000_000)
    }

    func test_dates_become_microseconds_and_never_trap() {
        XCTAssertEqual(Microseconds.since1970(Date(timeIntervalSince1970: 1.5)), 1_500_000)
        XCTAssertNil(Microseconds.since1970(Date(timeIntervalSince1970: .nan)))
        XCTAssertNil(Microseconds.since1970(Date(timeIntervalSince1970: 1e300)))
    }
}

import Testing
import VidSystem

@Suite("JSON parser")
struct JSONParserTests {
    static let accepted: [(String, JSONNode)] = [
        ("null", JSONNode.null), ("true", true), ("false", false), (" \t\r\n7 \n", 7), ("-0", .number(-0.0)), ("0", 0), ("-1", -1),
        ("9223372036854775807", .integer(Int64.max)), ("-9223372036854775808", .integer(Int64.min)),
        ("0.0", 0.0), ("1.5", 1.5), ("-2.5e3", -2500.0), ("1E+2", 100.0), ("1e-08", 1e-8), ("1e0", 1.0),
        ("5e-324", .number(Double.leastNonzeroMagnitude)),
        ("1e-400", 0.0), ("1.7976931348623157e308", .number(Double.greatestFiniteMagnitude)), ("0e5", 0.0),
        ("\"\"", ""), ("\"a b\"", "a b"), (#""\"\\\/\b\f\n\r\t""#, "\"\\/\u{8}\u{C}\n\r\t"), (#""\u0000""#, "\0"),
        (#""\u00e9\u00E9é""#, "ééé"), (#""\ud83d\ude00😀\uD800\uDC00\uDBFF\uDFFF""#, "😀😀\u{10000}\u{10FFFF}"),
        (#""\uFFFE\uffff""#, "\u{FFFE}\u{FFFF}"),
        ("\"\u{7F}\u{80}\u{2028}\u{FEFF}\"", "\u{7F}\u{80}\u{2028}\u{FEFF}"), ("[]", []), ("[ ]", []), ("[1,[2],{}]", [1, [2], [:]]),
        ("{}", [:]), ("{ }", [:]),
        (#"{"a":1,"b":{"a":null}}"#, ["a": 1, "b": ["a": nil]]), (#"{"":0}"#, ["": 0]), (#"{"é":1,"e\#u{301}":2}"#, ["b": 0]),
    ]

    @Test("Values", arguments: accepted)
    func acceptedValues(text: String, expected: JSONNode) throws {
        let node = try JSONParser.parse(text)
        if case .object(let members) = node.value, members.count == 2, members[0].key == members[1].key {
            // Canonically equivalent keys of different bytes are different keys.
            #expect(node["é"] == 1)
            #expect(node["e\u{301}"] == 2)
        } else {
            #expect(node == expected)
        }
    }

    @Test("Negative zero keeps its sign")
    func negativeZero() throws {
        #expect(try JSONParser.parse("-0").doubleValue?.sign == .minus)
        #expect(try JSONParser.parse("-0.0").doubleValue?.sign == .minus)
    }

    static let refused: [(String, String)] = [
        ("", "line 1, column 1: expected a value, found the end of the text"),
        ("\n ", "line 2, column 2: expected a value, found the end of the text"),
        ("1 2", "line 1, column 3: expected the end of the text, found '2'"),
        ("{} x", "line 1, column 4: expected the end of the text, found 'x'"),
        ("[1,]", "line 1, column 4: expected a value after ',', found ']'"),
        ("[,1]", "line 1, column 2: expected a value, found ','"),
        ("[1 2]", "line 1, column 4: expected ',' or ']', found '2'"),
        ("[1}", "line 1, column 3: expected ',' or ']', found '}'"),
        ("]", "line 1, column 1: expected a value, found ']'"),
        ("{\"a\":1,}", "line 1, column 8: expected a key in double quotes after ',', found '}'"),
        ("{\"a\" 1}", "line 1, column 6: expected ':' after a key, found '1'"),
        ("{\"a\":}", "line 1, column 6: expected a value, found '}'"),
        ("{\"a\":1 \"b\":2}", "line 1, column 8: expected ',' or '}', found '\"'"),
        ("{a:1}", "line 1, column 2: expected a key in double quotes or '}', found 'a'"),
        ("{'a':1}", "line 1, column 2: expected a key in double quotes or '}', found ' (JSON's strings are in double quotes)"),
        ("{1:1}", "line 1, column 2: expected a key in double quotes or '}', found '1'"),
        ("// a\n1", "line 1, column 1: expected a value, found '/' (JSON has no comments)"),
        ("[1, /* a */ 2]", "line 1, column 5: expected a value, found '/' (JSON has no comments)"),
        ("{\n  \"a\": 1, // one\n}", "line 2, column 11: expected a key in double quotes after ',', found '/' (JSON has no comments)"),
        ("# a", "line 1, column 1: expected a value, found '#' (JSON has no comments)"),
        ("nul", "line 1, column 1: expected a value, found 'nul'"),
        ("nulll", "line 1, column 5: expected the end of the text, found 'l'"),
        ("True", "line 1, column 1: expected a value, found 'True' (JSON's words are true, false and null)"),
        ("[None]", "line 1, column 2: expected a value, found 'None' (JSON's words are true, false and null)"),
        ("NaN", "line 1, column 1: expected a value, found 'NaN' (JSON's numbers are finite)"),
        ("[Infinity]", "line 1, column 2: expected a value, found 'Infinity' (JSON's numbers are finite)"),
        ("-Infinity", "line 1, column 2: expected a digit after '-', found 'Infinity' (JSON's numbers are finite)"),
        ("-", "line 1, column 2: expected a digit after '-', found the end of the text"),
        ("+1", "line 1, column 1: expected a value, found '+'"),
        (".5", "line 1, column 1: expected a value, found '.'"),
        ("1.", "line 1, column 3: expected a digit after '.', found the end of the text"),
        ("1.e3", "line 1, column 3: expected a digit after '.', found 'e'"),
        ("1e", "line 1, column 3: expected a digit in the exponent, found the end of the text"),
        ("1e+-2", "line 1, column 4: expected a digit in the exponent, found '-'"),
        ("01", "line 1, column 1: a number with a leading zero"),
        ("-00", "line 1, column 1: a number with a leading zero"),
        ("0x10", "line 1, column 2: expected the end of the text, found 'x'"),
        ("9223372036854775808", "line 1, column 1: the integer 9223372036854775808 does not fit 64 bits"),
        ("[1e400]", "line 1, column 2: the number 1e400 does not fit double precision"),
        ("-1e999", "line 1, column 1: the number -1e999 does not fit double precision"),
        ("\"a", "line 1, column 1: a string does not end"),
        ("\"a\\\"", "line 1, column 1: a string does not end"),
        ("\"a\nb\"", "line 1, column 1: a string does not end on its line"),
        ("\"a\tb\"", "line 1, column 3: the control character 0x09 in a string; write it as an escape"),
        ("\"\0\"", "line 1, column 2: the control character 0x00 in a string; write it as an escape"),
        (#""\x41""#, "line 1, column 2: unknown escape in a string; JSON has \\\" \\\\ \\/ \\b \\f \\n \\r \\t \\uXXXX"),
        (#""\u12g4""#, "line 1, column 2: \\u takes four hexadecimal digits"),
        (#""\u12"#, "line 1, column 2: \\u takes four hexadecimal digits"),
        (#""\u+123""#, "line 1, column 2: \\u takes four hexadecimal digits"),
        (#""a\uDC00""#, "line 1, column 3: the second half of a surrogate pair without the first"),
        (#""\uD800""#, "line 1, column 2: the first half of a surrogate pair without the second"),
        (#""\uD800\n""#, "line 1, column 2: the first half of a surrogate pair without the second"),
        (#""\uD800\uD800""#, "line 1, column 2: the first half of a surrogate pair without the second"),
        (#"{"a":1,"b":2,"a":3}"#, "line 1, column 14: the key \"a\" appears twice, first at line 1, column 2"),
        ("{\"a\":1,\n\"\\u0061\":2}", "line 2, column 1: the key \"a\" appears twice, first at line 1, column 2"),
        ("\u{A0}1", "line 1, column 1: expected a value, found the byte 0xC2"),
        ("1\0", "line 1, column 2: expected the end of the text, found a zero byte (is the text UTF-16? JSON is UTF-8)"),
    ]

    @Test("Texts that are no JSON", arguments: refused)
    func refusals(text: String, message: String) {
        #expect(throws: JSONSyntaxError.self) { try JSONParser.parse(text) }
        do throws(JSONSyntaxError) {
            _ = try JSONParser.parse(text)
        } catch {
            #expect(error.description == message)
        }
    }

    @Test(
        "Bytes that are no UTF-8",
        arguments: [
            [0x80], [0xBF], [0xC0, 0x80], [0xC1, 0xBF], [0xC2], [0xC2, 0x41], [0xE0, 0x80, 0x80], [0xE0, 0x9F, 0xBF], [0xE2, 0x82],
            [0xED, 0xA0, 0x80], [0xED, 0xBF, 0xBF], [0xF0, 0x80, 0x80, 0x80], [0xF0, 0x8F, 0xBF, 0xBF], [0xF0, 0x9F, 0x98],
            [0xF4, 0x90, 0x80, 0x80], [0xF5, 0x80, 0x80, 0x80], [0xFF], [0xFE],
        ] as [[UInt8]])
    func malformedUTF8(bytes: [UInt8]) throws {
        for tail in [[], [0x22], [0x41, 0x22]] as [[UInt8]] {
            do throws(JSONSyntaxError) {
                _ = try JSONParser.parse([0x22, 0xC3, 0xA9] + bytes + tail)
                Issue.record("\(bytes) was taken")
            } catch {
                // One two-byte scalar stands before: column 3, offset 3.
                #expect(error.position == JSONPosition(line: 1, column: 3, offset: 3))
                #expect(error.message.hasSuffix("is not valid UTF-8"))
            }
        }
    }

    @Test("Byte order marks")
    func byteOrderMarks() throws {
        let node = try JSONParser.parse([0xEF, 0xBB, 0xBF, 0x37])
        #expect(node == 7)
        #expect(node.position == JSONPosition(line: 1, column: 1, offset: 3))
        for mark in [[0xFE, 0xFF, 0x00, 0x37], [0xFF, 0xFE, 0x37, 0x00]] as [[UInt8]] {
            #expect(throws: JSONSyntaxError("the text is UTF-16; JSON is UTF-8", at: JSONPosition())) { try JSONParser.parse(mark) }
        }
        #expect(throws: JSONSyntaxError.self) { try JSONParser.parse([0x37, 0xEF, 0xBB, 0xBF]) }
    }

    @Test("Nesting up to the bound, and no deeper")
    func depth() throws {
        for (open, close) in [("[", "]"), ("{\"a\":", "}")] {
            let inner = open == "[" ? "" : "0"
            func nested(_ depth: Int) -> String {
                String(repeating: open, count: depth) + inner + String(repeating: close, count: depth)
            }
            _ = try JSONParser.parse(nested(32))
            #expect(throws: JSONSyntaxError.self) { try JSONParser.parse(nested(33)) }
            #expect(throws: JSONSyntaxError.self) { try JSONParser.parse(String(repeating: open, count: 100_000)) }
            _ = try JSONParser.parse(nested(3), maximumDepth: 3)
            #expect(
                throws: JSONSyntaxError("nested deeper than 2 levels", at: JSONPosition(column: 2 * open.count + 1, offset: 2 * open.count))
            ) {
                try JSONParser.parse(nested(3), maximumDepth: 2)
            }
        }
    }

    @Test("Values up to the bound, and no more")
    func values() {
        // Two bytes a value.
        let most = JSONParser.defaultMaximumValues
        func text(_ values: Int) -> [UInt8] {
            Array("[".utf8) + Array(repeatElement([0x30, 0x2C], count: values - 2).joined()) + Array("0]".utf8)
        }
        #expect(throws: Never.self) { try JSONParser.parse(text(most)) }
        #expect(
            throws: JSONSyntaxError("more than \(most) values", at: JSONPosition(column: 2 * most, offset: 2 * most - 1))
        ) { try JSONParser.parse(text(most + 1)) }
    }

    /// To compare each with all others would take minutes.
    @Test("Many keys that Unicode holds to be the same are read in time")
    func equivalentKeys() throws {
        let keys = (0..<1 << 16).map { number in (0..<16).map { number >> $0 & 1 == 0 ? "\u{E9}" : "e\u{301}" }.joined() }
        let text = "{" + keys.map { "\"\($0)\":0" }.joined(separator: ",") + "}"
        let clock = ContinuousClock.now
        #expect(try JSONParser.parse(text).objectMembers?.count == 1 << 16)
        #expect(ContinuousClock.now - clock < .seconds(5))
    }

    @Test("Positions of keys and values")
    func positions() throws {
        let node = try JSONParser.parse("{ \"é😀\": [1,\r\n  true],\r \"b\":\n\"c\" }", source: 4)
        let members = try #require(node.objectMembers)
        #expect(members[0].keyPosition == JSONPosition(line: 1, column: 3, offset: 2, source: 4))
        #expect(members[0].value.position == JSONPosition(line: 1, column: 9, offset: 12, source: 4))
        #expect(members[0].value.arrayElements?[1].position == JSONPosition(line: 2, column: 3, offset: 19, source: 4))
        #expect(members[1].keyPosition == JSONPosition(line: 3, column: 2, offset: 27, source: 4))
        #expect(members[1].value.position == JSONPosition(line: 4, column: 1, offset: 32, source: 4))
    }

    @Test("A text cut off at any byte is refused")
    func truncation() throws {
        let bytes = Array(#" {"é":[1.5e-3,{"\ud83d\ude00":"日本"},-12,true,null],"b":{"c":[[],{}]}}"#.utf8)
        _ = try JSONParser.parse(bytes)
        for count in bytes.indices {
            #expect(throws: JSONSyntaxError.self, "\(count) bytes were taken") { try JSONParser.parse(Array(bytes[..<count])) }
        }
    }

    @Test("Any byte changed is refused or read, never a trap")
    func garbling() throws {
        let bytes = Array(#"{"é":[1.5e-3,{"\ud83d\ude00":"日本"},-12,true,null]}"#.utf8)
        var taken = 0
        for index in bytes.indices {
            for byte in UInt8.min...UInt8.max {
                var garbled = bytes
                garbled[index] = byte
                if let node = try? JSONParser.parse(garbled) {
                    taken += 1
                    #expect(try JSONParser.parse(node.text()) == node)
                }
            }
        }
        #expect(taken > bytes.count)
    }
}

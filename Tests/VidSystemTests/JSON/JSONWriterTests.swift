import Foundation
import Testing
import VidSystem

@Suite("JSON writer")
struct JSONWriterTests {
    static let written: [(JSONNode, String)] = [
        (JSONNode.number(Float(0.002)), "0.002"), (.number(Float(1e-8)), "1e-08"), (.number(Float(0.1)), "0.1"),
        (.number(Float(16)), "16.0"),
        (.number(0.1), "0.1"), (.number(1e22), "1e+22"), (.number(Double.leastNonzeroMagnitude), "5e-324"), (.number(-0.0), "-0.0"),
        (.number(Double.nan), "null"),
        (.number(Double.infinity), "null"), (.number(Float.nan), "null"), (.integer(Int64.min), "-9223372036854775808"), (nil, "null"),
        (true, "true"),
        (.string("a\"\\\n\r\t\u{8}\u{C}\u{1}\u{1F}\u{7F}/é😀"), #""a\"\\\n\r\t\b\f\u0001\u001f\u007f/é😀""#),
        (
            .string("\u{80}\u{9B}2J\u{9F}\u{A0}\u{202E}\u{2066}\u{61C}\u{200F}\u{2029}"),
            "\"\\u0080\\u009b2J\\u009f\u{A0}\\u202e\\u2066\\u061c\\u200f\\u2029\""
        ),
    ]

    @Test("Scalars", arguments: written)
    func scalars(node: JSONNode, text: String) {
        #expect(node.text() == text)
        #expect(node.text(pretty: true) == text)
    }

    @Test("Elements that are written one by one")
    func elements() {
        let long: JSONNode = ["name": .string(String(repeating: "x", count: 90)), "list": [1, [2.5, nil]]]
        for elements in [[long], [long, 1], [["a": 1], long, [], "b"]] as [[JSONNode]] {
            let whole = JSONNode.array(elements).text(pretty: true)
            #expect("[\n" + elements.map { $0.elementText() }.joined(separator: ",\n") + "\n]" == whole)
        }
    }

    @Test("Compact and pretty")
    func layout() {
        let node: JSONNode = ["a": 1, "b": [1, [2.5, nil]], "c": [:], "d": [], "e": ["f": "g", "h": false]]
        #expect(node.text() == #"{"a":1,"b":[1,[2.5,null]],"c":{},"d":[],"e":{"f":"g","h":false}}"#)
        #expect(
            node.text(pretty: true) == """
                {
                  "a": 1,
                  "b": [1, [2.5, null]],
                  "c": {},
                  "d": [],
                  "e": { "f": "g", "h": false }
                }
                """)
        #expect(
            node.text(pretty: true, width: 18) == """
                {
                  "a": 1,
                  "b": [
                    1,
                    [2.5, null]
                  ],
                  "c": {},
                  "d": [],
                  "e": {
                    "f": "g",
                    "h": false
                  }
                }
                """)
        #expect(JSONNode.array([]).text(pretty: true) == "[]")
        #expect(JSONNode.array([1]).text(pretty: true) == "[\n  1\n]")
    }

    @Test("Pretty lines stay within the width")
    func width() {
        let node: JSONNode = .object((0..<60).map { ("key\($0)", .array((0..<$0).map { .integer($0) })) })
        for width in [20, 40, 100] {
            #expect(node.text(pretty: true, width: width).split(separator: "\n").allSatisfy { $0.utf8.count <= width })
        }
    }

    @Test("Whatever is written reads back the same", arguments: 0..<200)
    func roundTrip(seed: Int) throws {
        var generator = SplitMix(state: UInt64(seed))
        let node = randomNode(depth: 5, &generator)
        #expect(try JSONParser.parse(node.text()) == node)
        #expect(try JSONParser.parse(node.text(pretty: true)) == node)
        #expect(try JSONParser.parse(node.text(pretty: true, width: 30)) == node)
        // Foundation is an independent reader.
        let data = Data(node.text().utf8)
        #expect(throws: Never.self) { try JSONSerialization.jsonObject(with: data, options: .fragmentsAllowed) }
    }

    @Test("Floats read back the same from their shortest decimals")
    func floats() throws {
        var generator = SplitMix(state: 7)
        for _ in 0..<20_000 {
            let float = Float(bitPattern: UInt32(truncatingIfNeeded: generator.next()))
            guard float.isFinite else { continue }
            let node = JSONNode.number(float)
            #expect(try JSONParser.parse(node.text()).doubleValue.map { Float($0) } == float)
            #expect(node.text() == Double(float.description)?.description)
        }
    }

    @Test("Building")
    func building() {
        var node: JSONNode = ["a": 1]
        node.set("b", .array([.integer(2), "x", .number(0.5)]))
        node.set("a", false)
        #expect(node.text() == #"{"a":false,"b":[2,"x",0.5]}"#)
        #expect(node["b"]?.arrayElements?[0].intValue == 2)
        #expect(node["b"]?.arrayElements?[0].doubleValue == 2)
        #expect(node["b"]?.arrayElements?[1].stringValue == "x")
        #expect(node["b"]?.arrayElements?[2].integerValue == nil)
        #expect(node["c"] == nil)
        #expect(node["a"]?["b"] == nil)
        #expect(node["a"]?.boolValue == false)
    }

    private func randomNode(depth: Int, _ generator: inout SplitMix) -> JSONNode {
        switch Int.random(in: 0..<(depth == 0 ? 6 : 9), using: &generator) {
        case 0: return nil
        case 1: return .bool(Bool.random(using: &generator))
        case 2: return .integer(Int64.random(in: .min ... .max, using: &generator))
        case 3:
            let number = Double(bitPattern: generator.next())
            return .number(number.isFinite ? number : 0.5)
        case 4, 5: return .string(randomString(&generator))
        case 6: return .array((0..<Int.random(in: 0..<5, using: &generator)).map { _ in randomNode(depth: depth - 1, &generator) })
        default:
            return .object(
                (0..<Int.random(in: 0..<5, using: &generator)).map {
                    ("\($0)" + randomString(&generator), randomNode(depth: depth - 1, &generator))
                })
        }
    }

    private func randomString(_ generator: inout SplitMix) -> String {
        var string = ""
        for _ in 0..<Int.random(in: 0..<12, using: &generator) {
            let bound: UInt32 = [0x20, 0x80, 0x800, 0x10000, 0x110000].randomElement(using: &generator) ?? 0x80
            if let scalar = Unicode.Scalar(UInt32.random(in: 0..<bound, using: &generator)) { string.unicodeScalars.append(scalar) }
        }
        return string
    }
}

/// Steele, Lea and Flood 2014; a seeded generator for the tests' inputs.
struct SplitMix: RandomNumberGenerator {
    var state: UInt64

    mutating func next() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        var z = state
        z = (z ^ z >> 30) &* 0xBF58_476D_1CE4_E5B9
        z = (z ^ z >> 27) &* 0x94D0_49BB_1331_11EB
        return z ^ z >> 31
    }
}

import Foundation
import Testing
import VidSystem

@Suite struct PrintableTests {
    /// Every control character, of 7 and 8 bits, every turn of the reading direction, and what takes no space and joins nothing, such as a
    /// byte order mark; all else stays.
    @Test func nothingSteersATerminal() {
        for value in [UInt32](0...0x3000) + [0xFEFF, 0x1F408, 0x10FFFF] {
            guard let scalar = Unicode.Scalar(value) else { continue }
            let text = String(scalar)
            let (properties, category) = (scalar.properties, scalar.properties.generalCategory)
            let isUnseen =
                properties.isDefaultIgnorableCodePoint && !properties.isJoinControl && (category == .format || category == .unassigned)
            let isControl = category == .control || properties.isBidiControl || (0x2028...0x2029).contains(value) || isUnseen
            #expect((text.printable == text) == !isControl, "U+\(String(value, radix: 16))")
            #expect(
                text.printable.unicodeScalars.allSatisfy { $0 == scalar && !isControl || $0.isASCII && $0.value >= 0x20 && $0.value < 0x7F }
            )
            #expect(text.printableLines == (value == 0x0A ? "\n" : text.printable))
        }
        #expect("\u{FEFF}a".brief == "\\u{feff}a")
        #expect("a\r\nb\u{1B}[2J".printable == "a\\r\\nb\\u{1b}[2J")
        #expect("a\r\nb\u{1B}[2J".printableLines == "a\\r\nb\\u{1b}[2J")
    }

    /// Every path in a text for people is `printable`. The rule, for all sources: a string literal with a space or a line end in it is a
    /// text, and what it interpolates under a name such as `path`, `run.bestPath`, `folder` or `source` is a path. A precondition is
    /// not for people.
    @Test func everyPathInATextIsPrintable() throws {
        let root = URL(filePath: #filePath).appending(path: "../../../../Sources").standardizedFileURL
        let literal = /"(?:[^"\\]|\\(?!\()|\\\((?:[^()]|\([^()]*\))*\))*"/
        let interpolation = /\\\((?:[^()]|\([^()]*\))*\)/
        let path = /\\\((?:\w+\??\.)*(?:\w*[pP]ath|folder|directory|destination|file|source|checkpoint|run)\)/
        var files = 0
        for case let file as URL in try #require(FileManager.default.enumerator(at: root, includingPropertiesForKeys: nil)) {
            guard file.pathExtension == "swift", !file.path.contains("/VidFuzz/"), !file.path.contains("/VidTestSupport/") else { continue }
            files += 1
            for (number, line) in try String(contentsOf: file, encoding: .utf8).split(separator: "\n", omittingEmptySubsequences: false)
                .enumerated() where line.contains("\\(") && !line.contains("precondition")
            {
                for text in line.matches(of: literal).map({ $0.output }) {
                    let words = text.replacing(interpolation, with: "")
                    guard words.contains(" ") || words.contains("\\n") else { continue }
                    #expect(!text.contains(path), "\(file.path):\(number + 1): \(text): use .printable")
                }
            }
        }
        #expect(files > 200)
    }

    @Test func messagesStayOnOneLine() {
        #expect("a\nb\u{1B}[31m".printable == "a\\nb\\u{1b}[31m")
        #expect(VidclassError.file("a\nb", "is bad") == VidclassError(.badData, "a\\nb: is bad"))
    }

    @Test func whatComesOutOfAFileIsCut() {
        #expect("a\tb".brief == "a\\tb")
        #expect(String(repeating: "x", count: 80).brief == String(repeating: "x", count: 80))
        #expect(String(repeating: "x", count: 1_000_000).brief == String(repeating: "x", count: 80) + "...")
    }

    @Test func longTextIsCut() {
        let text = String(repeating: "é", count: 60)
        #expect(text.shortened == text)
        #expect((text + "x").shortened == String(repeating: "é", count: 57) + "...")
        #expect("".shortened == "")
    }

    @Test func equivalentTextsHaveOtherBytes() {
        #expect("\u{E9}" == "e\u{301}" && !"\u{E9}".hasSameBytes(as: "e\u{301}"))
        #expect("abc".hasSameBytes(as: "abc") && !"abc".hasSameBytes(as: "ab"))
        #expect("".hasSameBytes(as: "") && !"abd".hasSameBytes(as: "abc"))
    }

    /// The same as the library's, also for what is not valid, is cut off, or looks like a replacement.
    @Test func textOfBytes() {
        func check(_ bytes: [UInt8]) {
            let text = bytes.withUnsafeBytes { String(utf8: $0) }
            #expect(text.map { Array($0.utf8) } == String(validating: bytes, as: UTF8.self).map { Array($0.utf8) }, "\(bytes)")
        }
        check([])
        check(Array("a name that is longer than what fits beside its length, é 漢 😀 \u{FFFD}\0".utf8))
        let pieces =
            ["a", "é", "漢", "😀", "\u{FFFD}", "e\u{301}"].map { Array($0.utf8) } + [[0xFF], [0xC3], [0xED, 0xA0, 0x80], [0xC0, 0x80]]
        for first in pieces {
            for second in pieces {
                for count in 0...first.count { check(first.prefix(count) + second + Array("0123456789012345".utf8)) }
            }
        }
    }

    @Test func hexadecimalDigits() {
        #expect([0x00, 0x0F, 0xA0, 0xFF].hexadecimal == "000fa0ff")
        #expect([UInt8]().hexadecimal == "")
    }
}

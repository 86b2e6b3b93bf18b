import Testing
import VidSystem

@Suite struct PrintableTests {
    /// Every control character, of 7 and 8 bits, and every turn of the reading direction; all else stays.
    @Test func nothingSteersATerminal() {
        for value in [UInt32](0...0x3000) + [0xFEFF, 0x1F408, 0x10FFFF] {
            guard let scalar = Unicode.Scalar(value) else { continue }
            let text = String(scalar)
            let isControl =
                scalar.properties.generalCategory == .control || scalar.properties.isBidiControl || (0x2028...0x2029).contains(value)
            #expect((text.printable == text) == !isControl, "U+\(String(value, radix: 16))")
            #expect(
                text.printable.unicodeScalars.allSatisfy { $0 == scalar && !isControl || $0.isASCII && $0.value >= 0x20 && $0.value < 0x7F }
            )
            #expect(text.printableLines == (value == 0x0A ? "\n" : text.printable))
        }
        #expect("a\r\nb\u{1B}[2J".printable == "a\\r\\nb\\u{1b}[2J")
        #expect("a\r\nb\u{1B}[2J".printableLines == "a\\r\nb\\u{1b}[2J")
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
    }

    @Test func hexadecimalDigits() {
        #expect([0x00, 0x0F, 0xA0, 0xFF].hexadecimal == "000fa0ff")
        #expect([UInt8]().hexadecimal == "")
    }
}

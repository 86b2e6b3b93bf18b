import Testing
import VidSystem


@Suite struct PathTextTests {
    @Test func namesOfFiles() {
        #expect(PathText.name("/a/b.c/d.MP4") == "d.MP4")
        #expect(PathText.fileExtension("/a/b.c/d.MP4") == "mp4")
        #expect(PathText.fileExtension("/a/b.c/d") == "")
        #expect(PathText.fileExtension(".mp4") == "")
        #expect(PathText.stem("a.tar.gz") == "a.tar")
        #expect(PathText.parent("a.bin") == ".")
        #expect(PathText.parent("/a.bin") == "/")
        #expect(PathText.parent("a/b/") == "a")
        // A combining accent after the slash makes one character of both, but two names of the path.
        #expect(PathText.name("a/\u{301}b") == "\u{301}b")
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

    @Test(arguments: [("0", 0.0), ("-0", -0.0), ("1.5e-3", 0.0015), ("1E5", 1e5), (".5", 0.5), ("1e-400", 0)]) func decimals(
        text: String, number: Double
    ) { #expect(DecimalText.number(text) == number) }

    @Test(arguments: [
        "", "+1", "1e400", "-1e400", "nan", "NaN", "inf", "-inf", "infinity", "0x10", "0x1p3", "1_000", "1,5", " 1", "1 ", "1\0", "1e",
        "--1", "१",
    ])
    func textsThatAreNoDecimals(text: String) { #expect(DecimalText.number(text) == nil && DecimalText.whole(text) == nil) }

    @Test func wholeNumbers() {
        #expect(DecimalText.whole("0") == 0 && DecimalText.whole("9223372036854775807") == .max)
        for text in ["00", "01", "-1", "+1", "1.0", "1e3", "9223372036854775808"] { #expect(DecimalText.whole(text) == nil, "\(text)") }
    }

    @Test func hexadecimalDigits() {
        #expect([0x00, 0x0F, 0xA0, 0xFF].hexadecimal == "000fa0ff")
        #expect([UInt8]().hexadecimal == "")
    }
}

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
}

import Testing
import VidTensor

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

    @Test func hexadecimalDigits() {
        #expect([0x00, 0x0F, 0xA0, 0xFF].hexadecimal == "000fa0ff")
        #expect([UInt8]().hexadecimal == "")
    }
}

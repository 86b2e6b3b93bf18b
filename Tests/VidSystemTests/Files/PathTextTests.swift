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

    @Test func joining() {
        #expect(PathText.join("a", "b") == "a/b")
        #expect(PathText.join("a/", "b") == "a/b")
        #expect(PathText.join("", "b") == "b")
        #expect(PathText.isHidden("a/.b") && !PathText.isHidden(".a/b"))
        #expect(["b", "ä", "a", "B"].sorted(by: PathText.precedes) == ["B", "a", "b", "ä"])
    }
}

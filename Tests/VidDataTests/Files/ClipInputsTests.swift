import Testing
import VidData
import VidSystem
import VidTensor
import VidTestSupport

@Suite struct GlobPatternTests {
    private let folder: TestFolder

    init() throws {
        folder = try TestFolder()
        for name in ["a.bin", "b.bin", "note.txt", ".hidden.bin", "x/c.bin", "x/y/d.bin", "x/.z/e.bin", "we[i]rd/f.bin", "漢/g.bin"] {
            try folder.write(name)
        }
    }

    private func matches(_ pattern: String) -> [String]? {
        GlobPattern(folder(pattern))?.paths().map { String($0.dropFirst(folder.path.count + 1)) }
    }

    @Test(arguments: [
        ("*.bin", ["a.bin", "b.bin"]), ("?.bin", ["a.bin", "b.bin"]), ("[b-z].bin", ["b.bin"]), ("[!b].bin", ["a.bin"]),
        ("x/*.bin", ["x/c.bin"]), ("*/?.bin", ["we[i]rd/f.bin", "x/c.bin", "漢/g.bin"]),
        ("**/*.bin", ["a.bin", "b.bin", "we[i]rd/f.bin", "x/c.bin", "x/y/d.bin", "漢/g.bin"]), ("x/**/d.bin", ["x/y/d.bin"]),
        ("x/**/c.bin", ["x/c.bin"]), (".*.bin", [".hidden.bin"]), ("*.mp4", []), ("nowhere/*", []), ("?/g.bin", ["漢/g.bin"]),
    ])
    func patterns(pattern: String, expected: [String]) { #expect(matches(pattern) == expected) }

    @Test func namesAreNone() { #expect(GlobPattern("a/b.bin") == nil) }

    @Test func aNameThatExistsWins() throws {
        #expect(try ClipInputs.clips(at: folder("we[i]rd")) == [folder("we[i]rd/f.bin")])
    }

    @Test func otherFilesAreSkipped() throws {
        #expect(try ClipInputs.clips(at: folder("*")).contains(folder("x/c.bin")))
        #expect(try !ClipInputs.clips(at: folder("*")).contains(folder("note.txt")))
        #expect(throws: VidclassError.self) { try ClipInputs.clips(at: folder("*.txt")) }
        do {
            _ = try ClipInputs.clips(at: folder("*.mp4"))
            Issue.record("nothing matches")
        } catch let error as VidclassError { #expect(error.kind == .missingInput) }
    }
}

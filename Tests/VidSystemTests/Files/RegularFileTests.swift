import Testing
import VidSystem
import VidTestSupport

@Suite struct RegularFileTests {
    private let folder: TestFolder

    init() throws { folder = try TestFolder() }

    @Test func readsRegularFilesOnly() throws {
        #expect(throws: VidclassError(.missingInput, "\(folder.path)/none: no such file or folder")) { try RegularFile(folder("none")) }
        #expect(throws: VidclassError(.badData, "\(folder.path): expected a file, found a folder")) { try RegularFile(folder.path) }
        // Nobody writes to the pipe: opening it must not wait.
        #expect(mkfifo(folder("pipe"), 0o600) == 0)
        #expect(throws: VidclassError(.badData, "\(folder.path)/pipe: expected a file, found a pipe, socket or device")) {
            try RegularFile(folder("pipe"))
        }
    }

    @Test func readsInBlocks() throws {
        let path = folder("file")
        let bytes = (0..<(1 << 20) + 77).map { UInt8(truncatingIfNeeded: $0 &* 131 >> 3) }
        try AtomicFile.write(to: path) { try $0.write(bytes) }
        var found: [UInt8] = []
        try RegularFile(path).forEachBlock(in: 5..<bytes.count) { found.append(contentsOf: $0) }
        #expect(found == Array(bytes[5...]))
    }

    @Test func aFileCutShortWhileItIsReadIsAnError() throws {
        let path = folder("file")
        try AtomicFile.write(to: path) { try $0.write([1, 2, 3, 4]) }
        let file = try RegularFile(path)
        #expect(truncate(path, 2) == 0)
        #expect(throws: VidclassError(.inputOutput, "\(path): was cut short at byte 2 while it was being read")) {
            try file.bytes(at: 0, count: 4)
        }
    }

    @Test func contentsAreBounded() throws {
        let path = try folder.write("file", [1, 2, 3])
        #expect(try RegularFile.contents(path, limit: 3) == [1, 2, 3])
        #expect(throws: VidclassError(.badData, "\(path): it has 3 bytes; at most 2 are read")) {
            try RegularFile.contents(path, limit: 2)
        }
    }

    @Test func aLinkIsFollowedOnlyIfAllowed() throws {
        let path = try folder.write("file", [1])
        #expect(symlink(path, folder("link")) == 0)
        #expect(try RegularFile(folder("link")).size == 1)
        let error = #expect(throws: VidclassError.self) { try RegularFile(folder("link"), followingLink: false) }
        #expect(error?.kind == .inputOutput)
    }
}

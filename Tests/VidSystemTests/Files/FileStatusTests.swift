import Foundation
import Testing
import VidSystem
import VidTestSupport

@Suite struct FileStatusTests {
    private let folder: TestFolder

    init() throws { folder = try TestFolder() }

    @Test func kindsSizesAndIdentities() throws {
        let path = try folder.write("file", [1, 2, 3])
        let status = try SystemCall.status(path)
        #expect(status.kind == .file && status.size == 3)
        #expect(status.secondsFromModified < 60 && status.changed <= FileStatus.now)
        #expect(try SystemCall.status(folder.path).kind == .folder)
        #expect(symlink(path, folder("link")) == 0 && link(path, folder("second")) == 0)
        #expect(try SystemCall.status(folder("link")).identity == status.identity)
        #expect(try SystemCall.status(folder("second")).identity == status.identity)
        #expect(try SystemCall.status(folder("link"), followingLink: false).kind == .other)
        #expect(throws: VidclassError(.missingInput, "\(path)/below: no such file or folder")) { try SystemCall.status(path + "/below") }
    }

    /// A year that nanoseconds in 64 bits do not reach.
    @Test func aTimeInTheFarFutureIsClamped() throws {
        let path = try folder.write("file")
        try FileManager.default.setAttributes([.modificationDate: Date(timeIntervalSince1970: 15_000_000_000)], ofItemAtPath: path)
        #expect(try SystemCall.status(path).secondsFromModified > 1e9)
    }
}

@Suite struct FileSystemRoomTests {
    @Test func theSpaceOfAFileSystem() throws {
        let folder = try TestFolder()
        let room = try #require(FileSystemRoom(at: folder.path))
        #expect(room.free >= 0 && room.free <= room.size && room.size > 0)
        #expect(FileSystemRoom(at: "/nowhere/at/all") == nil)
        // It has no blocks at all.
        #expect(FileSystemRoom(at: "/proc") == nil)
    }
}

import Synchronization
import Testing
import VidSystem
import VidTestSupport

@Suite struct FolderTests {
    let place: TestFolder

    init() throws { place = try TestFolder() }

    /// The paths that a making of folders syncs, in order.
    private func synced(_ body: (FileCalls) throws -> Void) throws -> [String] {
        let paths = Mutex<[String]>([])
        var calls = FileCalls.posix
        calls.sync = { descriptor in
            paths.withLock { $0.append(Folder.resolved("/proc/self/fd/\(descriptor)")) }
            return 0
        }
        try body(calls)
        return paths.withLock { $0 }
    }

    /// A new name in a folder is there after a loss of power only if that folder was synced: each one above, too.
    @Test func everyFolderWithANewNameIsSynced() throws {
        let root = Folder.resolved(place.path)
        let paths = try synced { try Folder.make(place("a/b/c"), calls: $0) }
        #expect(paths == [root, root + "/a", root + "/a/b"])
        #expect(try synced { try Folder.make(place("a/b/c"), calls: $0) }.isEmpty)
    }

    @Test func aFailingSyncIsSaid() throws {
        var calls = FileCalls.posix
        calls.sync = { _ in
            errno = EIO
            return -1
        }
        let error = #expect(throws: VidclassError.self) { try Folder.make(place("a"), calls: calls) }
        #expect(error?.kind == .inputOutput)
        #expect(error?.message.contains("syncing failed") == true)
        // A file system that knows no sync of folders.
        calls.sync = { _ in
            errno = EINVAL
            return -1
        }
        #expect(throws: Never.self) { try Folder.make(place("b"), calls: calls) }
    }

    @Test func whatIsThereAlready() throws {
        #expect(try Folder.makeNew(place("a")))
        #expect(try !Folder.makeNew(place("a")))
        try place.write("file", [1])
        #expect(try !Folder.makeNew(place("file")))
        let error = #expect(throws: VidclassError.self) { try Folder.make(place("file")) }
        #expect(error?.message.contains("cannot make this folder") == true)
        #expect(throws: VidclassError.self) { try Folder.make(place("file/below")) }
    }

    @Test func listsNamesByTheirBytes() throws {
        for name in ["b", "a", "ä", ".hidden"] { try place.write(name) }
        try place.write("a\u{1}")
        let (names, unreadable) = try Folder.names(place.path)
        #expect(names == [".hidden", "a", "a\u{1}", "b", "ä"])
        #expect(unreadable.isEmpty)
        #expect(throws: VidclassError(.missingInput, "\(place.path)/none: no such file or folder")) { try Folder.names(place("none")) }
    }

    @Test func namesThatAreNotUTF8AreSetApart() throws {
        let path = Array(place.path.utf8CString.dropLast()) + [0x2F, 0x61, CChar(bitPattern: 0xFF), 0]
        let descriptor = open(path, O_WRONLY | O_CREAT | O_CLOEXEC, 0o600)
        try #require(descriptor >= 0)
        close(descriptor)
        defer { unlink(path) }
        let (names, unreadable) = try Folder.names(place.path)
        #expect(names.isEmpty && unreadable == ["a\u{FFFD}"])
    }
}

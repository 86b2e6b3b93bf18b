import Foundation
import Synchronization
import Testing
import VidSystem
import VidTestSupport

@Suite struct AtomicFileTests {
    private let place: TestFolder
    private var folder: String { place.path }

    init() throws { place = try TestFolder() }

    private func content(_ path: String) throws -> [UInt8] {
        let file = try RegularFile(path)
        return try file.bytes(at: 0, count: file.size)
    }

    @Test func replacesTheWholeFile() throws {
        let path = folder + "/file"
        try AtomicFile.write(to: path) { try $0.write([1, 2, 3]) }
        try AtomicFile.write(to: path) {
            try $0.write([4, 5])
            #expect(try content(path) == [1, 2, 3])
            try $0.write([6, 7])
        }
        #expect(try content(path) == [4, 5, 6, 7])
        #expect(try place.names() == ["file"])
    }

    @Test func nothingAppearsWithoutACommit() throws {
        let path = try place.write("file", [1, 2, 3])
        do {
            let file = try AtomicFile(path)
            try file.write([4, 5])
            #expect(try content(path) == [1, 2, 3])
            #expect(try place.names().count == 2)
        }
        #expect(try content(path) == [1, 2, 3])
        #expect(try place.names() == ["file"])
    }

    @Test func writesOverWhatIsThereAlready() throws {
        let path = folder + "/file"
        let file = try AtomicFile(path)
        try file.write([0, 0, 3, 4])
        try file.overwrite([1, 2], at: 0)
        #expect(file.size == 4)
        try file.write([5])
        #expect(file.size == 5)
        try file.commit()
        #expect(try content(path) == [1, 2, 3, 4, 5])
    }

    /// Pieces of many sizes, more than a megabyte in all.
    @Test func writesManyBytesInUnevenPieces() throws {
        let path = folder + "/file"
        let bytes = (0..<1_200_000).map { UInt8(truncatingIfNeeded: $0 &* 31 >> 3) }
        try AtomicFile.write(to: path) { file in
            var start = 0
            for size in [1, 300_000, 7, 262_144, 100_000, 337_848, 200_000] {
                try file.write(bytes[start..<start + size])
                start += size
            }
            #expect(start == bytes.count)
        }
        #expect(try content(path) == bytes)
    }

    /// 255 bytes, the most that file systems take; and a name whose first character joins with the slash before it.
    @Test(arguments: [String(repeating: "n", count: 255), "\u{301}name"]) func takesAnyName(_ name: String) throws {
        try AtomicFile.write(to: folder + "/" + name) { try $0.write([1]) }
        #expect(try place.names() == [name])
    }

    @Test func refusesAPathThatTheSystemWouldCutOff() throws {
        #expect(throws: VidclassError.self) { try AtomicFile("") }
        #expect(throws: VidclassError.self) { try AtomicFile(folder + "/a\0b") }
        #expect(throws: VidclassError.self) { try RegularFile(folder + "/a\0b") }
        #expect(try place.names().isEmpty)
    }

    /// Each way a save can fail: the error is said, the old file is as it was, the temporary one is gone.
    @Test(arguments: ["write", "sync", "rename", "body"]) func failureLeavesTheOldFile(_ what: String) throws {
        struct Stop: Error {}
        let path = folder + "/file"
        try AtomicFile.write(to: path) { try $0.write([1, 2, 3]) }
        var calls = FileCalls.posix
        let syncs = Mutex(0)
        switch what {
        case "write":
            // Full after five bytes.
            let room = Mutex(5)
            calls.write = { descriptor, bytes, count, offset in
                let part = room.withLock { room in
                    defer { room -= min(room, count) }
                    return min(room, count)
                }
                if part == 0 { errno = ENOSPC }
                return part == 0 ? -1 : FileCalls.posix.write(descriptor, bytes, part, offset)
            }
        case "sync":
            calls.sync = { _ in
                syncs.withLock { $0 += 1 }
                errno = EIO
                return -1
            }
        case "rename":
            calls.rename = { _, _ in
                errno = EACCES
                return -1
            }
        default: break
        }
        #expect(throws: (any Error).self) {
            try AtomicFile.write(to: path, calls: calls) {
                try $0.write([UInt8](repeating: 9, count: 20))
                if what == "body" { throw Stop() }
            }
        }
        #expect(try content(path) == [1, 2, 3])
        #expect(try place.names() == ["file"])
        if what == "sync" { #expect(syncs.withLock { $0 } == 1, "a failed sync must not be tried again") }
    }

    @Test func goesOnAfterShortAndInterruptedWrites() throws {
        let path = folder + "/file"
        var calls = FileCalls.posix
        let number = Mutex(0)
        calls.write = { descriptor, bytes, count, offset in
            let turn = number.withLock { number in
                number += 1
                return number
            }
            if turn % 3 == 0 {
                errno = EINTR
                return -1
            }
            return FileCalls.posix.write(descriptor, bytes, min(count, 7), offset)
        }
        let bytes = (0..<1000).map { UInt8(truncatingIfNeeded: $0 &* 31) }
        try AtomicFile.write(to: path, calls: calls) { try $0.write(bytes) }
        #expect(try content(path) == bytes)
    }

    @Test func syncsTheFileThenRenamesThenSyncsTheFolder() throws {
        let steps = Mutex<[String]>([])
        let calls = FileCalls(
            write: { descriptor, bytes, count, offset in
                steps.withLock { $0.append("write") }
                return FileCalls.posix.write(descriptor, bytes, count, offset)
            },
            sync: { descriptor in
                var status = stat()
                let isFolder = fstat(descriptor, &status) == 0 && status.st_mode & S_IFMT == S_IFDIR
                steps.withLock { $0.append(isFolder ? "sync folder" : "sync file") }
                return 0
            },
            rename: { from, to in
                steps.withLock { $0.append("rename") }
                return FileCalls.posix.rename(from, to)
            })
        try AtomicFile.write(to: folder + "/file", calls: calls) { try $0.write([1]) }
        #expect(steps.withLock { $0 } == ["write", "sync file", "rename", "sync folder"])
    }

    /// A link is replaced, or its target if links are followed; a pipe is never replaced.
    @Test func linksAndPipes() throws {
        try place.makeFolder("sub")
        #expect(symlink("sub/second", folder + "/first") == 0 && symlink("../file", folder + "/sub/second") == 0)
        for byte: UInt8 in [1, 2] {
            // The file need not exist.
            try AtomicFile.write(to: folder + "/first", followingLink: true) { try $0.write([byte]) }
            #expect(try content(folder + "/file") == [byte])
        }
        try AtomicFile.write(to: folder + "/first") { try $0.write([3]) }
        #expect(try content(folder + "/file") == [2] && content(folder + "/first") == [3])
        #expect(symlink("loop", folder + "/loop") == 0 && mkfifo(folder + "/pipe", 0o600) == 0 && symlink("pipe", folder + "/link") == 0)
        #expect(throws: VidclassError(.inputOutput, "\(folder)/loop: cannot be written: Too many levels of symbolic links")) {
            try AtomicFile.check(folder + "/loop")
        }
        for name in ["pipe", "link"] {
            let error = #expect(throws: VidclassError.self) { try AtomicFile.check(folder + "/" + name) }
            #expect(error?.kind == .usage && error?.message.contains("is a pipe, socket or device") == true)
            #expect(throws: VidclassError.self) { try AtomicFile(folder + "/" + name, followingLink: true) }
        }
        #expect(throws: VidclassError.self) { try AtomicFile(folder + "/pipe") }
        #expect(try place.names() == ["file", "first", "link", "loop", "pipe", "sub"])
        #expect(try SystemCall.status(folder + "/pipe").kind == .other)
    }

    @Test func canKeepItsTemporaryFileElsewhere() throws {
        try place.makeFolder("inside")
        let file = try AtomicFile(folder + "/inside/file", temporaryFolder: folder)
        try file.write([1, 2])
        #expect(PathText.parent(file.temporary) == folder)
        #expect(try place.names("inside").isEmpty)
        try file.commit()
        #expect(try content(folder + "/inside/file") == [1, 2])
        #expect(try place.names() == ["inside"])
    }

    /// Files of killed processes go after an hour, or after five minutes when the process is gone; all others stay.
    @Test func removesWhatKilledProcessesLeft() throws {
        let gone = Int32.max
        #expect(kill(gone, 0) != 0)
        let cases: [(name: String, minutes: Int, stays: Bool)] = [
            (".vidclass-\(gone)-0.tmp", 4, true), (".vidclass-\(gone)-1.tmp", 6, false), (".vidclass-\(getpid())-0.tmp", 59, true),
            (".vidclass-\(getpid())-1.tmp", 61, false), (".vidclass-\(gone)-2.tmp", -61, false), ("vidclass-1-1.tmp", 61, true),
            (".vidclass-0-1.tmp", 61, true), (".vidclass--1-1.tmp", 61, true), (".vidclass-+1-1.tmp", 61, true),
            (".vidclass-1-1.tmp.txt", 61, true), (".vidclass-1.tmp", 61, true), (".vidclass-01-1.tmp", 61, true),
        ]
        for (name, minutes, _) in cases { try FileManager.default.setAttributes(age(minutes), ofItemAtPath: place.write(name)) }
        try place.makeFolder(".vidclass-\(gone)-3.tmp")
        try FileManager.default.setAttributes(age(61), ofItemAtPath: folder + "/.vidclass-\(gone)-3.tmp")
        #expect(AtomicFile.removeLeftovers(in: folder) == cases.filter { !$0.stays }.count)
        #expect(try place.names() == (cases.filter(\.stays).map(\.name) + [".vidclass-\(gone)-3.tmp"]).sorted())
        #expect(AtomicFile.removeLeftovers(in: folder + "/none") == 0)
    }

    private func age(_ minutes: Int) -> [FileAttributeKey: Any] { [.modificationDate: Date().addingTimeInterval(Double(-60 * minutes))] }

    @Test func saysWhereItCannotWrite() throws {
        #expect(throws: VidclassError(.inputOutput, "\(folder)/none/file: cannot be written: No such file or directory")) {
            try AtomicFile.write(to: folder + "/none/file") { try $0.write([1]) }
        }
    }
}

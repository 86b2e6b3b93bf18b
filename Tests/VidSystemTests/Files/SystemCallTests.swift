import Foundation
import Synchronization
import Testing
import VidSystem
import VidTestSupport

@Suite struct SystemCallTests {
    @Test func pathsThatNameNoFile() {
        #expect(throws: VidclassError(.missingInput, "an empty path names no file")) { try SystemCall.checkPath("") }
        #expect(throws: VidclassError(.badData, "a\\u{0}b: a path cannot hold a NUL character")) { try SystemCall.checkPath("a\0b") }
        #expect(throws: Never.self) { try SystemCall.checkPath("a") }
    }

    @Test(arguments: [(ENOENT, VidclassError.Kind.missingInput), (ENOTDIR, .missingInput), (EACCES, .inputOutput)])
    func errorsNameThePathAndTheReason(_ code: CInt, _ kind: VidclassError.Kind) {
        errno = code
        let error = SystemCall.error("open it", "a\nb")
        #expect(error.kind == kind)
        #expect(error.message == (kind == .missingInput ? "a\\nb: no such file or folder" : "a\\nb: cannot open it: Permission denied"))
    }

    @Test func interruptedCallsAreRepeated() {
        var calls = 0
        let result = SystemCall.retrying {
            calls += 1
            errno = EINTR
            return calls < 3 ? -1 : 7
        }
        #expect(result == 7 && calls == 3)
    }

    /// More than a pipe's buffer, while another thread writes.
    @Test func writesAllToAStream() throws {
        var ends: [CInt] = [0, 0]
        try #require(pipe(&ends) == 0)
        let (reader, writer) = (ends[0], ends[1])
        let bytes = (0..<300_000).map { UInt8(truncatingIfNeeded: $0 &* 31 >> 3) }
        let code = Atomic<CInt>(-1)
        Thread.detachNewThread {
            code.store(bytes.withUnsafeBytes { SystemCall.write($0, toStream: writer) }, ordering: .releasing)
            close(writer)
        }
        var found: [UInt8] = []
        var block = [UInt8](repeating: 0, count: 4096)
        while case let count = Glibc.read(reader, &block, block.count), count > 0 { found += block[..<count] }
        #expect(found == bytes && code.load(ordering: .acquiring) == 0)
        close(reader)
        #expect(bytes.withUnsafeBytes { SystemCall.write($0, toStream: -1) } == EBADF)
    }
}

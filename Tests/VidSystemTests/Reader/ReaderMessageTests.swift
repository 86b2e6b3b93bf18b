import Testing
import VidSystem

/// The messages of a reader as bytes.
@Suite struct ReaderMessageTests {
    @Test func aHead() {
        let message = ReaderMessage(kind: 0x0102_0304, length: 0x05_0607)
        #expect(message.bytes == [4, 3, 2, 1, 0, 0, 0, 0, 7, 6, 5, 0, 0, 0, 0, 0])
        #expect(ReaderMessage(message.bytes) == message)
    }

    @Test(arguments: [(4, 1), (7, 0x80), (15, 0x7F), (15, 0xFF)] as [(Int, UInt8)])
    func whatIsNoHead(_ place: Int, _ value: UInt8) {
        var bytes = ReaderMessage(kind: 1, length: 1).bytes
        bytes[place] = value
        #expect(ReaderMessage(bytes) == nil)
    }

    @Test func aFailure() throws {
        let error = VidclassError(.missingInput, "/a/b.mp4: two\nlines", advice: ["Do this:", "  vidclass check"])
        let back = try #require(ReaderFailure.error(ReaderFailure.bytes(error), about: "/a/b.mp4"))
        #expect(back == VidclassError(.missingInput, "/a/b.mp4: two\\nlines", advice: ["Do this:", "  vidclass check"]))
    }

    /// A reader that a hostile file has taken over may send any text.
    @Test func aFailureIsMadePrintableAndNamesTheFile() {
        let bytes = LittleEndian.bytes(9999 as Int32) + Array("\u{1B}[2Jgone".utf8) + [0xFF]
        #expect(ReaderFailure.error(bytes, about: "a\tb") == VidclassError(.badData, "a\\tb: \\u{1b}[2Jgone\u{FFFD}"))
    }

    @Test func failuresOfNoLength() {
        #expect(ReaderFailure.error([1, 0, 0], about: "a") == nil)
        #expect(ReaderFailure.error([UInt8](repeating: 65, count: ReaderFailure.limit + 1), about: "a") == nil)
        let long = VidclassError(.badData, String(repeating: "é", count: ReaderFailure.limit))
        #expect(ReaderFailure.bytes(long).count == ReaderFailure.limit)
        #expect(ReaderFailure.error(ReaderFailure.bytes(long), about: "a")?.kind == .badData)
    }
}

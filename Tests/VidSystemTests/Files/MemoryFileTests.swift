import Testing
import VidSystem

@Suite struct MemoryFileTests {
    @Test func holdsWhatWasAppended() throws {
        let file = try MemoryFile(name: "test")
        try [UInt8]([1, 2, 3]).withUnsafeBytes { try file.append($0) }
        try [UInt8]([4]).withUnsafeBytes { try file.append($0) }
        #expect(try RegularFile(file.path).bytes(at: 0, count: 4) == [1, 2, 3, 4])
        #expect(try RegularFile(file.path).size == 4)
    }
}

import Foundation
import Testing
import VidCheckpoint
import VidData
import VidSystem
import VidTensor
import VidTestSupport

@Suite struct FactsFileTests {
    private let box: TestFolder
    private let clip: String

    init() throws {
        box = try TestFolder()
        clip = try box.write("clip 🎬\n.mp4", [1, 2, 3])
    }

    private func folder(bound: Double = 1, opened: Int64 = .max) -> FeatureFolder {
        FeatureFolder(box("cache"), bound: CacheBound(gibibytes: bound), opened: opened, note: { _ in })
    }

    private func facts(_ frames: Int = 7) throws -> ClipFacts {
        let text = "1 video h264 \(frames) 3 48 64 \((25.0).bitPattern) abc 1\n"
        return try #require(ClipFacts(encoded: Array(text.utf8) + (0..<256).map { UInt8($0) }))
    }

    @Test func rememberedAcrossRuns() throws {
        let facts = try facts()
        #expect(folder().facts(of: clip, variant: "") == nil)
        folder().remember(facts, of: clip, variant: "")
        #expect(folder().facts(of: clip, variant: "") == facts)
        #expect(folder().facts(of: clip, variant: "another") == nil)
        #expect(folder().facts(of: box("none"), variant: "") == nil)
        // Not kept with a bound of nothing.
        #expect(folder(bound: 0).facts(of: clip, variant: "") == nil)
        let listing = FeatureListing(box("cache"))
        #expect(listing.entries.map(\.kind) == [.facts])
        #expect(listing.bytes > 256)
        #expect(try listing.remove() == listing.bytes)
        #expect(folder().facts(of: clip, variant: "") == nil)
    }

    @Test func anotherFileIsNotTaken() throws {
        folder().remember(try facts(), of: clip, variant: "")
        try box.write("clip 🎬\n.mp4", [1, 2, 4])
        #expect(folder().facts(of: clip, variant: "") == nil)
        folder().remember(try facts(8), of: clip, variant: "")
        #expect(folder().facts(of: clip, variant: "")?.frames == 8)
    }

    @Test func aFileThatJustChangedIsNotRemembered() throws {
        folder(opened: FileStatus.now).remember(try facts(), of: clip, variant: "")
        #expect(FeatureListing(box("cache")).entries.isEmpty)
    }

    @Test func damagedOnesAreNotTaken() throws {
        folder().remember(try facts(), of: clip, variant: "")
        let path = try #require(FeatureListing(box("cache")).entries.first?.path)
        let whole = [UInt8](try Data(contentsOf: URL(fileURLWithPath: path)))
        for place in whole.indices {
            for mask: UInt8 in [0x04, 0x81] {
                try Data(whole.putting([whole[place] ^ mask], at: place)).write(to: URL(fileURLWithPath: path))
                #expect(folder().facts(of: clip, variant: "") == nil, "byte \(place)")
            }
        }
        for length in whole.indices {
            try Data(whole.prefix(length)).write(to: URL(fileURLWithPath: path))
            #expect(folder().facts(of: clip, variant: "") == nil)
        }
    }

    /// Facts that nothing has found of a clip, as a folder that several people share could hold them.
    @Test(arguments: [
        "1 video h264 0 3 48 64 0 abc 0\n", "1 video h264 7 -3 48 64 0 abc 0\n", "1 video h264 7 3 9223372036854775807 64 0 abc 0\n",
        "1 video h264 7 3 48 4294967296 0 abc 0\n", "1 video h264 7 3 48 64 \(Double.nan.bitPattern) abc 0\n",
        "1 video h264 7 3 48 64 \((-1.0).bitPattern) abc 0\n", "1 video h264 7 3 48 64 \(Double.infinity.bitPattern) abc 0\n",
        "1 video h264 7 3 48 64 0 abc -1\n", "1 video h264 7 3 48 64 0 abc 9223372036854775807\n", "1 video h264 7 3 48 64 0 abc 1\n",
        "2 video h264 7 3 48 64 0 abc 0\n", "1 video h264 7 3 48 64 0 abc\n", "1 video h264 7 3 48 64 0 abc 0", "",
    ])
    func whatNothingHasFoundIsNotTaken(text: String) { #expect(ClipFacts(encoded: Array(text.utf8)) == nil) }

    /// A warm check of a thousand files asks for as many.
    @Test func aThousandAreQuick() throws {
        let facts = try facts()
        let paths = try (0..<1000).map { try box.write("many/\($0).mp4", [UInt8($0 % 256)]) }
        let folder = folder()
        for path in paths { folder.remember(facts, of: path, variant: "") }
        let clock = ContinuousClock.now
        #expect(paths.allSatisfy { folder.facts(of: $0, variant: "") != nil })
        let elapsed = clock.duration(to: .now)
        print("facts of 1,000 files: \(elapsed)")
        #expect(elapsed < .seconds(5), "\(elapsed)")
    }
}

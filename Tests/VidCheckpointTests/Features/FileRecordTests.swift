import Foundation
import Testing
import VidCheckpoint
import VidData
import VidSystem
import VidTensor
import VidTestSupport

@Suite struct ContentHashRecordTests {
    private let place: TestFolder
    private let clip: String
    private let hash = String(repeating: "5a", count: 32)
    /// Opened long after everything here changed.
    private let folder: FeatureFolder

    init() throws {
        place = try TestFolder()
        clip = try place.write("clip.bin", [1, 2, 3])
        folder = .test(place("features"), opened: .max)
    }

    private func storedHash() throws -> String { try #require(FeatureListing(folder.path).entries.first { $0.kind == .contentHash }).path }

    @Test func remembersAFileThatStaysAsItIs() throws {
        #expect(folder.contentHash(of: clip, sampling: "16 frames") == nil)
        folder.remember(hash, of: clip, sampling: "16 frames")
        #expect(folder.contentHash(of: clip, sampling: "16 frames") == hash)
        #expect(FeatureFolder.test(folder.path).contentHash(of: clip, sampling: "16 frames") == hash)
        #expect(folder.contentHash(of: clip, sampling: "8 frames") == nil)
        folder.remember("other", of: clip, sampling: "8 frames")
        #expect(folder.contentHash(of: clip, sampling: "8 frames") == "other")
        #expect(folder.contentHash(of: clip, sampling: "16 frames") == hash)
        #expect(folder.contentHash(of: place("none.bin"), sampling: "16 frames") == nil)
        // Under whatever name it is reached.
        try FileManager.default.createSymbolicLink(atPath: place("link.bin"), withDestinationPath: clip)
        #expect(folder.contentHash(of: place("link.bin"), sampling: "16 frames") == hash)
        #expect(folder.contentHash(of: place("features/../clip.bin"), sampling: "16 frames") == hash)
    }

    /// The parts of a file are clips of their own, and change with it.
    @Test func partsOfAFile() throws {
        let (first, second) = (clip + "#t=1,2", clip + "#t=2,3")
        folder.remember(hash, of: first, sampling: "")
        #expect(folder.contentHash(of: first, sampling: "") == hash)
        for other in [second, clip, clip + "#frame=1,2"] { #expect(folder.contentHash(of: other, sampling: "") == nil) }
        folder.remember("second", of: second, sampling: "")
        folder.remember("whole", of: clip, sampling: "")
        #expect(folder.contentHash(of: first, sampling: "") == hash && folder.contentHash(of: second, sampling: "") == "second")
        #expect(folder.contentHash(of: clip, sampling: "") == "whole")
        // However the address is spelt.
        try FileManager.default.createSymbolicLink(atPath: place("link.bin"), withDestinationPath: clip)
        #expect(folder.contentHash(of: place("link.bin") + "#t=0:01,2.0", sampling: "") == hash)
        try place.write("clip.bin", [1, 2, 3, 4])
        for path in [first, second, clip] { #expect(folder.contentHash(of: path, sampling: "") == nil) }
    }

    /// Each with the size and, where it can be, the time that the file had.
    @Test(arguments: ["written over", "time", "replaced", "longer", "removed", "moved"]) func forgets(_ change: String) throws {
        let date = try #require(try FileManager.default.attributesOfItem(atPath: clip)[.modificationDate] as? Date)
        folder.remember(hash, of: clip, sampling: "")
        #expect(folder.contentHash(of: clip, sampling: "") == hash)
        switch change {
        case "written over":
            let file = try FileHandle(forWritingTo: URL(fileURLWithPath: clip))
            try file.write(contentsOf: [1, 2, 4])
            try file.close()
            try FileManager.default.setAttributes([.modificationDate: date], ofItemAtPath: clip)
        case "time": try setAge(clip, seconds: 1000)
        case "replaced":
            let other = try place.write("other.bin", [1, 2, 4])
            try FileManager.default.setAttributes([.modificationDate: date], ofItemAtPath: other)
            try #require(rename(other, clip) == 0)
        case "longer": try place.write("clip.bin", [1, 2, 3, 4])
        case "removed": try FileManager.default.removeItem(atPath: clip)
        default: try FileManager.default.moveItem(atPath: clip, toPath: place("moved.bin"))
        }
        #expect(folder.contentHash(of: clip, sampling: "") == nil)
        #expect(folder.contentHash(of: place("moved.bin"), sampling: "") == nil)
    }

    /// A file that changed after the folder was opened, or just before, may not be what was loaded.
    @Test func doesNotRememberWhatMayHaveChangedMeanwhile() throws {
        let status = try SystemCall.status(clip)
        for (opened, isRemembered) in [
            (status.changed - 1_000_000_000, false), (status.changed + 1_999_999_999, false), (status.changed + 2_000_000_001, true),
        ] {
            let folder = FeatureFolder.test(place("features"), opened: opened)
            folder.remember(hash, of: clip, sampling: "")
            #expect((folder.contentHash(of: clip, sampling: "") == hash) == isRemembered)
        }
        // An old time of the content does not help: when it was set, the rest of the file changed.
        try setAge(clip, seconds: 100_000)
        let changed = try SystemCall.status(clip).changed
        let folder = FeatureFolder.test(place("features"), opened: changed + 1_000_000_000)
        folder.remember(hash, of: clip, sampling: "")
        #expect(folder.contentHash(of: clip, sampling: "") == nil)
    }

    @Test func noticesDamage() throws {
        folder.remember(hash, of: clip, sampling: "")
        let path = try storedHash()
        let original = try bytes(of: path)
        for index in original.indices {
            for bit in 0..<8 {
                try Data(original.putting([original[index] ^ 1 << UInt8(bit)], at: index)).write(to: URL(fileURLWithPath: path))
                #expect(folder.contentHash(of: clip, sampling: "") == nil, "byte \(index), bit \(bit)")
            }
            try Data(original[..<index]).write(to: URL(fileURLWithPath: path))
            #expect(folder.contentHash(of: clip, sampling: "") == nil, "\(index) bytes")
        }
        try Data(original + [10]).write(to: URL(fileURLWithPath: path))
        #expect(folder.contentHash(of: clip, sampling: "") == nil)
        try Data(original).write(to: URL(fileURLWithPath: path))
        #expect(folder.contentHash(of: clip, sampling: "") == hash)
        folder.remember(hash, of: clip, sampling: "other")
        let other = try #require(FeatureListing(folder.path).entries.first { $0.path != path }).path
        try Data(original).write(to: URL(fileURLWithPath: other))
        #expect(folder.contentHash(of: clip, sampling: "other") == nil)
    }

    @Test func aFolderIsNoContent() throws {
        folder.remember(hash, of: place.path, sampling: "")
        folder.remember(hash, of: place("none"), sampling: "")
        #expect(!place.exists("features"))
    }
}

@Suite struct FactsRecordTests {
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
        let text = "2 video h264 \(frames) 3 48 64 \((25.0).bitPattern) abc 1 93,13,0,0\n"
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
        "2 video h264 0 3 48 64 0 abc 0 -\n", "2 video h264 7 -3 48 64 0 abc 0 -\n", "2 video h264 7 3 9223372036854775807 64 0 abc 0 -\n",
        "2 video h264 7 3 48 4294967296 0 abc 0 -\n", "2 video h264 7 3 48 64 \(Double.nan.bitPattern) abc 0 -\n",
        "2 video h264 7 3 48 64 \((-1.0).bitPattern) abc 0 -\n", "2 video h264 7 3 48 64 \(Double.infinity.bitPattern) abc 0 -\n",
        "2 video h264 7 3 48 64 0 abc -1 -\n", "2 video h264 7 3 48 64 0 abc 9223372036854775807 -\n", "2 video h264 7 3 48 64 0 abc 1 -\n",
        "3 video h264 7 3 48 64 0 abc 0 -\n", "2 video h264 7 3 48 64 0 abc\n", "2 video h264 7 3 48 64 0 abc 0 -",
        "2 video h264 7 3 48 64 0 abc 0\n", "2 video h264 7 3 48 64 0 abc 0 1,2\n",
        "2 video h264 7 3 48 64 0 abc 0 1,2,-3\n", "2 video h264 7 3 48 64 0 abc 0 1,,3\n", "",
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

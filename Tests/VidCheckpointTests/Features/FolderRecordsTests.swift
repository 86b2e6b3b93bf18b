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

    /// Another run, which reads what is stored.
    private var later: FeatureFolder { .test(folder.path, opened: .max) }

    private func storedHash() throws -> String {
        folder.save()
        return try #require(FeatureListing(folder.path).entries.first { $0.kind == .contentHash }).path
    }

    @Test func remembersAFileThatStaysAsItIs() throws {
        #expect(folder.contentHash(of: clip, sampling: "16 frames") == nil)
        folder.remember(hash, of: clip, sampling: "16 frames")
        #expect(folder.contentHash(of: clip, sampling: "16 frames") == hash)
        folder.save()
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
    @Test(arguments: ["written over", "time", "replaced", "longer", "removed", "moved"], [false, true])
    func forgets(_ change: String, isSaved: Bool) throws {
        let date = try #require(try FileManager.default.attributesOfItem(atPath: clip)[.modificationDate] as? Date)
        folder.remember(hash, of: clip, sampling: "")
        #expect(folder.contentHash(of: clip, sampling: "") == hash)
        if isSaved { folder.save() }
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
            let bit = UInt8(index % 8)
            try Data(original.putting([original[index] ^ 1 << bit], at: index)).write(to: URL(fileURLWithPath: path))
            #expect(later.contentHash(of: clip, sampling: "") == nil, "byte \(index), bit \(bit)")
            try Data(original[..<index]).write(to: URL(fileURLWithPath: path))
            #expect(later.contentHash(of: clip, sampling: "") == nil, "\(index) bytes")
        }
        try Data(original + [10]).write(to: URL(fileURLWithPath: path))
        #expect(later.contentHash(of: clip, sampling: "") == nil)
        try Data(original).write(to: URL(fileURLWithPath: path))
        #expect(later.contentHash(of: clip, sampling: "") == hash)
        // The records of one folder in the place of another's.
        let other = try place.write("other/clip.bin", [1, 2, 3])
        later.remember(hash, of: other, sampling: "")
        let otherPath = try #require(FeatureListing(folder.path).entries.first { $0.path != path }).path
        #expect(later.contentHash(of: other, sampling: "") == hash)
        try Data(original).write(to: URL(fileURLWithPath: otherPath))
        #expect(later.contentHash(of: other, sampling: "") == nil)
        #expect(later.contentHash(of: clip, sampling: "") == hash)
    }

    /// A damaged record is passed over and replaced; the others of its folder stay.
    @Test func oneDamagedRecord() throws {
        let clips = try (0..<3).map { try place.write("clips/\($0).bin", [UInt8($0)]) }
        for (number, clip) in clips.enumerated() { folder.remember("hash of \(number)", of: clip, sampling: "") }
        let path = try storedHash()
        var content = try bytes(of: path)
        let at = try #require(content.indices.first { content[$0...].starts(with: "hash of 1".utf8) })
        content[at] ^= 1
        try Data(content).write(to: URL(fileURLWithPath: path))
        func known() -> [String?] {
            let later = later
            return clips.map { later.contentHash(of: $0, sampling: "") }
        }
        #expect(known() == ["hash of 0", nil, "hash of 2"])
        later.remember("again", of: clips[1], sampling: "")
        #expect(known() == ["hash of 0", "again", "hash of 2"])
        #expect(FeatureListing(folder.path).entries.count == 1)
    }

    /// A file whose checksum is right, written by someone else: nothing is taken from it, and nothing stops.
    @Test(arguments: [
        "order", "same key twice", "content before", "content behind", "offset", "long content", "key behind", "long key", "count",
    ])
    func aTableThatNobodyWrote(fault: String) throws {
        for name in ["a", "b"] { folder.remember(hash, of: try place.write("clips/\(name).bin", [1]), sampling: "") }
        let path = try storedHash()
        func known() -> [String?] {
            let later = later
            return ["a", "b"].map { later.contentHash(of: place("clips/\($0).bin"), sampling: "") }
        }
        let original = try bytes(of: path)
        let start = Int(LittleEndian.value(original, original.count - 48, as: UInt64.self))
        func write(_ table: [UInt8], count: UInt64 = 2) throws {
            let end = LittleEndian.bytes(UInt64(start)) + LittleEndian.bytes(count)
            let kind = Array(".memo\0".utf8) + Array(Folder.resolved(place("clips")).utf8) + [0]
            try Data(original[..<start] + table + end + SHA256.digest(kind + table + end)).write(to: URL(fileURLWithPath: path))
        }
        var table = Array(original[start..<original.count - 48])
        try write(table)
        #expect(known() == [hash, hash])
        let (first, second) = (Array(table[..<64]), Array(table[64..<128]))
        switch fault {
        case "order": table = table.putting(second + first, at: 0)
        case "same key twice": table = table.putting(first, at: 64)
        case "content before": table = table.putting(LittleEndian.bytes(UInt64(18)), at: 0)
        case "content behind": table = table.putting(LittleEndian.bytes(UInt64(start - 1)), at: 64)
        case "offset": table = table.putting(LittleEndian.bytes(UInt64.max), at: 64)
        case "long content": table = table.putting(LittleEndian.bytes(UInt32.max), at: 8)
        case "key behind": table = table.putting(LittleEndian.bytes(UInt32(table.count)), at: 64 + 56)
        case "long key": table = table.putting(LittleEndian.bytes(UInt32.max), at: 60)
        default: break
        }
        try write(table, count: fault == "count" ? UInt64.max : 2)
        #expect(known() == [nil, nil])
    }

    /// Files of earlier versions, one per clip, are listed, cleared and replaced, but not read.
    @Test func recordsOfEarlierVersions() throws {
        folder.remember(hash, of: clip, sampling: "")
        let path = try storedHash()
        try Data("vidclass-memo 2\n1 2 3 4 5\nabc\n".utf8).write(to: URL(fileURLWithPath: path))
        #expect(later.contentHash(of: clip, sampling: "") == nil)
        later.remember("new", of: clip, sampling: "")
        #expect(later.contentHash(of: clip, sampling: "") == "new")
        let old = folder.path + "/ab/" + String(repeating: "c", count: 62) + ".facts"
        try FileManager.default.createDirectory(atPath: folder.path + "/ab", withIntermediateDirectories: true)
        try Data("vidclass-facts 1\n".utf8).write(to: URL(fileURLWithPath: old))
        #expect(FeatureListing(folder.path).entries.count == 2)
        #expect(try FeatureListing(folder.path).remove() > 0)
        #expect(FeatureListing(folder.path).entries.isEmpty)
    }

    /// Several runs add to the file of one folder, and one clears it in between.
    @Test func runsShareAFile() throws {
        let clips = try (0..<4).map { try place.write("clips/\($0).bin", [UInt8($0)]) }
        let (first, second) = (later, later)
        first.remember("0", of: clips[0], sampling: "")
        second.remember("1", of: clips[1], sampling: "")
        first.save()
        second.save()
        first.remember("2", of: clips[2], sampling: "")
        #expect(second.contentHash(of: clips[0], sampling: "") == "0")
        second.remember("other", of: clips[2], sampling: "")
        second.save()
        first.save()
        let later = later
        #expect(clips.map { later.contentHash(of: $0, sampling: "") } == ["0", "1", "2", nil])
        #expect(FeatureListing(folder.path).entries.count == 1)
        first.remember("3", of: clips[3], sampling: "")
        #expect(try FeatureListing(folder.path).remove() > 0)
        first.save()
        let last = self.later
        #expect(clips.map { last.contentHash(of: $0, sampling: "") } == [nil, nil, nil, "3"])
    }

    /// Two runs with several threads each remember, ask and save.
    @Test func runsAtOnce() async throws {
        let clips = try (0..<40).map { try place.write("clips/\($0 % 2)/\($0).bin", [UInt8($0)]) }
        let runs = [later, later]
        await withTaskGroup(of: Void.self) { group in
            for task in 0..<6 {
                group.addTask {
                    for step in 0..<200 {
                        let number = (7 * task + step) % clips.count
                        let found = runs[task % 2].contentHash(of: clips[number], sampling: "")
                        #expect(found == nil || found == "hash \(number)")
                        runs[task % 2].remember("hash \(number)", of: clips[number], sampling: "")
                        if step % 10 == task { runs[task % 2].save() }
                    }
                }
            }
        }
        // Two that saved in the same moment may have lost records of each other.
        for run in runs {
            for (number, clip) in clips.enumerated() { run.remember("hash \(number)", of: clip, sampling: "") }
            run.save()
        }
        let later = later
        for (number, clip) in clips.enumerated() { #expect(later.contentHash(of: clip, sampling: "") == "hash \(number)") }
        #expect(FeatureListing(folder.path).entries.count == 2)
    }

    /// Names that Unicode calls equal are different files.
    @Test func spellingsOfOneName() throws {
        let clips = try ["\u{E9}.bin", "e\u{301}.bin"].map { try place.write("clips/" + $0, [1]) }
        for (number, clip) in clips.enumerated() { folder.remember("\(number)", of: clip, sampling: "") }
        folder.save()
        let later = later
        #expect(clips.map { later.contentHash(of: $0, sampling: "") } == ["0", "1"])
    }

    /// Most clips of a folder are gone: their records go when others are saved.
    @Test func clipsThatAreGone() throws {
        let clips = try (0..<100).map { try place.write("clips/\($0).bin", [UInt8($0)]) }
        for clip in clips { folder.remember(hash, of: clip, sampling: "") }
        folder.remember(hash, of: clips[0] + "#t=1,2", sampling: "")
        let path = try storedHash()
        let size = try bytes(of: path).count
        for clip in clips[10...] { try FileManager.default.removeItem(atPath: clip) }
        let new = try place.write("clips/new.bin", [1])
        later.remember(hash, of: new, sampling: "")
        #expect(try bytes(of: path).count < size / 5)
        let later = later
        for clip in clips[..<10] + [new, clips[0] + "#t=1,2"] { #expect(later.contentHash(of: clip, sampling: "") == hash) }
    }

    @Test func aFolderIsNoContent() throws {
        folder.remember(hash, of: place.path, sampling: "")
        folder.remember(hash, of: place("none"), sampling: "")
        folder.save()
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
        let text = "3 video h264 \(frames) 3 48 64 \((25.0).bitPattern) abc 1 93,13,0,0\n"
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

    /// Many clips at once get what each gets by itself: from several folders, with parts, links, changed files, new records and the status
    /// that a listing gave.
    @Test func manyAtOnce() throws {
        var clips: [CachedClip] = []
        func add(_ path: String, isListed: Bool = false) throws {
            clips.append(CachedClip(path: path, variant: "v", status: isListed ? try SystemCall.status(path) : nil))
        }
        let first = folder()
        for number in 0..<300 {
            let path = try box.write("data/\(number % 3)/\(number).bin", [UInt8(number % 256)])
            if number % 7 != 0 { first.remember(try facts(number + 1), of: path, variant: number % 11 == 0 ? "w" : "v") }
            try add(path, isListed: number % 2 == 0)
        }
        let part = box("data/1/1.bin") + "#t=1,2"
        first.remember(try facts(500), of: part, variant: "v")
        first.save()
        let second = folder()
        second.remember(try facts(600), of: box("data/0/0.bin"), variant: "v")
        second.remember(try facts(601), of: box("data/0/3.bin"), variant: "v")
        for number in [5, 8] { try box.write("data/2/\(number).bin", [1, 2]) }
        clips[8] = CachedClip(path: clips[8].path, variant: "v", status: try SystemCall.status(clips[8].path))
        try FileManager.default.createSymbolicLink(atPath: box("data/0/link.bin"), withDestinationPath: "../1/4.bin")
        for path in [part, box("data/0/link.bin"), box("data/1/../1/10.bin"), box("data/none.bin"), clip] { try add(path) }
        for cache in [folder(), second] {
            let found = cache.facts(of: clips)
            #expect(found == clips.map { cache.facts(of: $0.path, variant: "v") })
            #expect(found[1]?.frames == 2 && found[5] == nil && found[7] == nil && found[8] == nil && found[11] == nil)
            #expect(found[299]?.frames == 300 && found[300]?.frames == 500 && found[301]?.frames == 5 && found[302]?.frames == 11)
            #expect(found[303] == nil && found[304] == nil)
        }
        #expect(second.facts(of: clips)[0]?.frames == 600 && second.facts(of: clips)[3]?.frames == 601)
        // The status says which content is meant: a file that has changed since it was listed is not the one that was.
        let changed = CachedClip(path: clips[2].path, variant: "v", status: try SystemCall.status(clips[4].path))
        #expect(folder().facts(of: [changed, clips[4]]).map { $0?.frames } == [nil, 5])
        // Records that come later are sorted in between.
        second.save()
        #expect(folder().facts(of: clips)[0]?.frames == 600 && folder().facts(of: clips)[3]?.frames == 601)
        #expect(folder().facts(of: clips)[299]?.frames == 300)
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
        "3 video h264 0 3 48 64 0 abc 0 -\n", "3 video h264 7 -3 48 64 0 abc 0 -\n", "3 video h264 7 3 9223372036854775807 64 0 abc 0 -\n",
        "3 video h264 7 3 48 4294967296 0 abc 0 -\n", "3 video h264 7 3 48 64 \(Double.nan.bitPattern) abc 0 -\n",
        "3 video h264 7 3 48 64 \((-1.0).bitPattern) abc 0 -\n", "3 video h264 7 3 48 64 \(Double.infinity.bitPattern) abc 0 -\n",
        "3 video h264 7 3 48 64 0 abc -1 -\n", "3 video h264 7 3 48 64 0 abc 9223372036854775807 -\n", "3 video h264 7 3 48 64 0 abc 1 -\n",
        "2 video h264 7 3 48 64 0 abc 0 -\n", "3 video h264 7 3 48 64 0 abc\n", "3 video h264 7 3 48 64 0 abc 0 -",
        "3 video h264 7 3 48 64 0 abc 0\n", "3 video h264 7 3 48 64 0 abc 0 1,2\n",
        "3 video h264 7 3 48 64 0 abc 0 1,2,-3\n", "3 video h264 7 3 48 64 0 abc 0 1,,3\n", "",
    ])
    func whatNothingHasFoundIsNotTaken(text: String) { #expect(ClipFacts(encoded: Array(text.utf8)) == nil) }

    /// A warm check of a thousand files asks for as many.
    @Test func aThousandAreQuick() throws {
        let facts = try facts()
        let paths = try (0..<1000).map { try box.write("many/\($0).mp4", [UInt8($0 % 256)]) }
        let folder = folder()
        for path in paths { folder.remember(facts, of: path, variant: "") }
        folder.save()
        #expect(FeatureListing(box("cache")).entries.count == 1)
        let clock = ContinuousClock.now
        #expect(paths.allSatisfy { folder.facts(of: $0, variant: "") != nil })
        let elapsed = clock.duration(to: .now)
        print("facts of 1,000 files: \(elapsed)")
        #expect(elapsed < .seconds(5), "\(elapsed)")
    }
}

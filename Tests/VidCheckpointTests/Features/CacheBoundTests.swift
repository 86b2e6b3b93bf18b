import Foundation
import Testing
import VidCheckpoint
import VidSystem
import VidTensor
import VidTestSupport
import VidTrain

@Suite struct CacheBoundTests {
    private let place: TestFolder
    private let path: String
    /// Bytes of one file.
    private let size: Int

    init() throws {
        place = try TestFolder()
        path = place("features")
        let probe = FeatureFolder.test(place("probe"))
        probe.store(1)
        size = try RegularFile(probe.file(1)).size
    }

    private var bytes: Int { FeatureListing(path).bytes }

    /// Files of an earlier run, the first used longest ago.
    private func fill(_ numbers: ClosedRange<Int>) throws {
        let folder = FeatureFolder.test(path)
        for number in numbers {
            folder.store(number)
            try setAge(folder.file(number), seconds: 1_000_000 - number)
        }
    }

    private func kept(_ numbers: ClosedRange<Int>) -> [Int] {
        let folder = FeatureFolder.test(path)
        return numbers.filter { FileManager.default.fileExists(atPath: folder.file($0)) }
    }

    @Test func thoseUsedLongestAgoGoFirst() throws {
        try fill(1...20)
        let notes = Notes()
        let folder = FeatureFolder.test(path, bytes: 20 * size, notes: notes)
        // Loading counts as use.
        #expect(folder.has(1))
        #expect(folder.has(4))
        folder.store(21)
        // Down to nine tenths: 18 with the new one.
        #expect(kept(1...21) == [1, 4] + Array(6...21))
        folder.store(22)
        folder.store(23)
        #expect(bytes == 20 * size)
        folder.store(24)
        #expect(kept(1...24) == [1, 4] + Array(9...24))
        #expect(notes.all.isEmpty)
    }

    /// What this run has written stays, though it looks older than the rest, until it takes all of the bound.
    @Test func ownFeaturesStay() throws {
        try fill(101...110)
        let notes = Notes()
        let folder = FeatureFolder.test(path, bytes: 10 * size, notes: notes)
        for number in 1...10 {
            folder.store(number)
            try setAge(folder.file(number), seconds: 2_000_000)
            #expect(bytes <= 10 * size)
        }
        #expect(kept(1...110) == Array(1...10))
        #expect(notes.all.isEmpty)
        folder.store(11)
        folder.store(12)
        #expect(kept(1...110) == Array(1...10))
        #expect(notes.all.count == 1)
        #expect(notes.all.first?.contains(CacheBound.variable) == true, "\(notes.all)")
        // The next run makes room again.
        FeatureFolder.test(path, bytes: 10 * size).store(11)
        #expect(kept(1...11).count == 9)
        #expect(kept(1...11).last == 11)
    }

    @Test func aFileWrittenTwiceCountsOnce() {
        let notes = Notes()
        let folder = FeatureFolder.test(path, bytes: 2 * size, notes: notes)
        for _ in 1...10 {
            folder.store(1)
            folder.store(2)
        }
        #expect(kept(1...2) == [1, 2])
        #expect(notes.all.isEmpty)
    }

    /// Another process writes meanwhile: it is noticed after a sixteenth of the bound.
    @Test func looksAgainAtWhatOthersWrite() throws {
        let folder = FeatureFolder.test(path, bytes: 32 * size)
        folder.store(1)
        try fill(101...140)
        for number in 2...4 { folder.store(number) }
        #expect(bytes <= 32 * size)
        #expect(kept(1...4) == [1, 2, 3, 4])
    }

    @Test func aBoundOfNothingKeepsNothing() throws {
        try fill(1...1)
        let notes = Notes()
        let folder = FeatureFolder.test(path, bytes: 0, opened: .max, notes: notes)
        folder.store(2)
        let clip = try place.write("clip.bin", [1])
        folder.remember("abc", of: clip, sampling: "")
        #expect(!folder.has(1))
        #expect(folder.contentHash(of: clip, sampling: "") == nil)
        #expect(FeatureListing(path).entries.count == 1)
        #expect(notes.all.isEmpty)
    }

    @Test func aUseIsNotedOnceAnHour() throws {
        try fill(1...1)
        let folder = FeatureFolder.test(path)
        func age() throws -> Double { try SystemCall.status(folder.file(1)).secondsFromModified }
        try setAge(folder.file(1), seconds: 3000)
        #expect(folder.has(1))
        #expect(try age() > 2900)
        for seconds in [4000, -4000] {
            try setAge(folder.file(1), seconds: seconds)
            #expect(folder.has(1))
            #expect(try age() < 1000)
        }
    }

    // MARK: - The environment

    @Test(
        arguments: [
            (nil, 10 << 30, "10 GiB"), ("", 10 << 30, "10 GiB"), ("3", 3 << 30, "3 GiB"), ("0.5", 1 << 29, "0.5 GiB"),
            ("0", 0, "0 GiB"), ("1e3", 1000 << 30, "1000 GiB"),
        ] as [(String?, Int, String)])
    func boundOfTheEnvironment(_ text: String?, _ bytes: Int, _ description: String) throws {
        let bound = try CacheBound(environment: text.map { [CacheBound.variable: $0] } ?? [:])
        #expect(bound.bytes == bytes)
        #expect(bound.description == description)
    }

    @Test(arguments: ["ten", "-1", "nan", "inf", "1e10", "10 GiB", " 1", "1,5"]) func refusesABound(_ text: String) {
        let error = failure { _ = try FeatureFolder(environment: [CacheBound.variable: text, "HOME": place.path], note: { _ in }) }
        #expect(error?.kind == .usage)
        #expect(error?.message.contains("VIDCLASS_CACHE_GIB") == true)
        #expect(error?.message.contains(text) == true)
    }

    @Test func isInTheUsersCache() throws {
        let environment = ["XDG_CACHE_HOME": place("xdg"), "HOME": place.path]
        let folder = try FeatureFolder(environment: environment, note: { _ in })
        #expect(folder.path == place("xdg/vidclass/features"))
        #expect(folder.bound.bytes == 10 << 30)
        #expect(CacheFolder(environment: ["HOME": "/h", "XDG_CACHE_HOME": "relative"]).features == "/h/.cache/vidclass/features")
    }
}

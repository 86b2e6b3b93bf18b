import Foundation
import Testing
import VidCheckpoint
import VidSystem
import VidTensor
import VidTestSupport
import VidTrain

@Suite struct FeatureFolderTests {
    private let place: TestFolder
    private let notes = Notes()
    private let folder: FeatureFolder

    init() throws {
        place = try TestFolder()
        folder = .test(place("cache/features"), notes: notes)
    }

    @Test func keepsTheVeryBits() throws {
        let values: [Float] = [
            -0.0, 0, .leastNonzeroMagnitude, -.leastNonzeroMagnitude, .leastNormalMagnitude, .greatestFiniteMagnitude,
            -.greatestFiniteMagnitude, 1 + .ulpOfOne,
        ]
        let features = TestFeatures.empty([1, 8])
        features.tensor.copy(from: values)
        folder.store(7, features, validFrames: 1)
        // Another run.
        let found = TestFeatures.empty([1, 8])
        #expect(FeatureFolder.test(folder.path).load(7, into: found) == 1)
        #expect(found.bits == values.map(\.bitPattern))
        #expect(notes.all.isEmpty)
        #expect(try place.names("cache/features") == ["00"])
    }

    /// The maps of a CNN, several blocks of them.
    @Test func keepsMapsOfSeveralMebibytes() throws {
        let shape: Shape = [3, 41, 43, 128]
        let maps = TestFeatures.empty(shape)
        for index in 0..<shape.count { maps.tensor.base[index] = Float(index) / 7 }
        folder.store(1, maps, validFrames: 2)
        let found = TestFeatures.empty(shape)
        #expect(folder.load(1, into: found) == 2)
        #expect(found.bits == maps.bits)
    }

    @Test func knowsOnlyWhatWasKept() {
        #expect(!folder.has(1))
        folder.store(1)
        #expect(folder.has(1))
        #expect(!folder.has(2))
        #expect(notes.all.isEmpty)
    }

    @Test func takesWhatIsStoredLast() {
        folder.store(1)
        let other = TestFeatures(5)
        folder.store(1, other, validFrames: 3)
        let found = TestFeatures.empty()
        #expect(folder.load(1, into: found) == 3)
        #expect(found.bits == other.bits)
    }

    /// Neither loaded nor removed.
    @Test(arguments: [[8, 4], [32], [4, 8, 1], [4, 9], [0, 8]]) func anotherShapeIsNotThere(_ dimensions: [Int]) {
        folder.store(1)
        #expect(folder.load(1, into: .empty(Shape(dimensions))) == nil)
        #expect(folder.has(1))
    }

    @Test func keepsNothingThatIsNotFinite() {
        let features = TestFeatures(1)
        features.tensor.base[5] = .infinity
        folder.store(1, features, validFrames: 4)
        #expect(!place.exists("cache"))
        #expect(notes.all.isEmpty)
    }

    // MARK: - Damage

    /// Each bit of the length, the header and the values.
    @Test func noticesEachChangedBit() throws {
        folder.store(1)
        let path = folder.file(1)
        let original = try bytes(of: path)
        let found = TestFeatures.empty()
        for (index, bit) in original.indices.flatMap({ byte in (0..<8).map { (byte, $0) } }) {
            try Data(original.putting([original[index] ^ 1 << UInt8(bit)], at: index)).write(to: URL(fileURLWithPath: path))
            #expect(folder.load(1, into: found) == nil, "byte \(index), bit \(bit)")
            #expect(!FileManager.default.fileExists(atPath: path), "byte \(index), bit \(bit)")
        }
        folder.store(1)
        #expect(folder.has(1))
        #expect(notes.all.isEmpty)
    }

    @Test func noticesWhatIsCutOffOrAdded() throws {
        folder.store(1)
        let path = folder.file(1)
        let original = try bytes(of: path)
        for count in 0..<original.count {
            try Data(original[..<count]).write(to: URL(fileURLWithPath: path))
            #expect(!folder.has(1), "\(count) bytes")
            #expect(!FileManager.default.fileExists(atPath: path), "\(count) bytes")
        }
        try Data(original + [0]).write(to: URL(fileURLWithPath: path))
        #expect(!folder.has(1))
    }

    /// Whole files whose number of frames is none of a clip of four.
    @Test(arguments: [("4", true), ("0", true), ("5", false), ("-1", false), ("+4", false), ("04", false), ("4.0", false), ("", false)])
    func framesAreThoseOfTheClip(_ frames: String, _ isTaken: Bool) throws {
        folder.store(1)
        let header =
            #"{"__metadata__":{\#(noChecksum),"format":"vidclass-features","key":"\#(featureKey(1).digest)","#
            + #""valid_frames":"\#(frames)","version":"1"},"features":{"dtype":"F32","shape":[4,8],"data_offsets":[0,128]}}"#
        try Data(sealed(header, values: [UInt8](repeating: 0, count: 128))).write(to: URL(fileURLWithPath: folder.file(1)))
        #expect((folder.load(1, into: .empty()) != nil) == isTaken)
    }

    /// A whole file under the name of another.
    @Test func noticesFeaturesOfAnotherKey() throws {
        folder.store(1)
        try FileManager.default.moveItem(atPath: folder.file(1), toPath: folder.file(2))
        #expect(!folder.has(2))
        #expect(!FileManager.default.fileExists(atPath: folder.file(2)))
    }

    // MARK: - What else may stand there

    @Test func leavesAFolderInAFilesPlace() throws {
        try FileManager.default.createDirectory(atPath: folder.file(1) + "/inside", withIntermediateDirectories: true)
        #expect(!folder.has(1))
        folder.store(1)
        #expect(!folder.has(1))
        folder.store(2)
        #expect(folder.has(2))
        #expect(FileManager.default.fileExists(atPath: folder.file(1) + "/inside"))
        #expect(notes.all.isEmpty)
    }

    @Test func followsNoLinkInAFilesPlace() throws {
        folder.store(1)
        folder.store(2)
        let outside = place("outside.safetensors")
        try FileManager.default.moveItem(atPath: folder.file(1), toPath: outside)
        try FileManager.default.createSymbolicLink(atPath: folder.file(1), withDestinationPath: outside)
        let before = try bytes(of: outside)
        #expect(!folder.has(1))
        #expect(FeatureListing(folder.path).entries.count == 1)
        folder.store(1)
        #expect(folder.has(1))
        #expect(try bytes(of: outside) == before)
        #expect(try FileManager.default.attributesOfItem(atPath: folder.file(1))[.type] as? FileAttributeType == .typeRegular)
    }

    /// A link in the place of the whole folder, of one of its folders: nothing is written, touched or removed behind it.
    @Test(arguments: ["cache/features", "cache/features/00"]) func followsNoLinkInAFoldersPlace(_ link: String) throws {
        folder.store(1)
        try FileManager.default.moveItem(atPath: place(link), toPath: place("outside"))
        try FileManager.default.createSymbolicLink(atPath: place(link), withDestinationPath: place("outside"))
        let inside = folder.file(1)
        try setAge(inside, seconds: 100_000)
        let age = try SystemCall.status(inside).modified
        _ = folder.has(1)
        #expect(try SystemCall.status(inside).modified == age)
        try Data([1]).write(to: URL(fileURLWithPath: inside))
        #expect(!folder.has(1))
        #expect(FileManager.default.fileExists(atPath: inside))
        #expect(FeatureListing(folder.path).entries.isEmpty)
        #expect(try FeatureListing(folder.path).remove() == 0)
        #expect(FileManager.default.fileExists(atPath: inside))
        let names = try FileManager.default.subpathsOfDirectory(atPath: place("outside"))
        folder.store(2)
        folder.store(3)
        #expect(try FileManager.default.subpathsOfDirectory(atPath: place("outside")) == names)
        #expect(notes.all.count == 1)
        #expect(notes.all.first?.contains("symbolic link") == true)
    }

    // MARK: - Where nothing can be written

    @Test(arguments: ["file", "file/below"]) func goesOnWithoutWhereAFileIsInTheWay(_ path: String) throws {
        try place.write("file", [1])
        let folder = FeatureFolder.test(place(path), notes: notes)
        for number in 1...3 {
            folder.store(number)
            #expect(!folder.has(number))
        }
        folder.remember("abc", of: place("file"), sampling: "")
        #expect(notes.all.count == 1)
        #expect(notes.all.first?.contains("cannot be written") == true, "\(notes.all)")
        #expect(try place.bytes("file") == [1])
    }

    /// The disk is full in the middle of the sixth file: what was kept stays, nothing is left of the rest, and no more is tried.
    @Test func goesOnWithoutOnAFullDisk() throws {
        var calls = FileCalls.unsynced
        folder.store(1)
        let disk = FullDisk(room: try RegularFile(folder.file(1)).size * 11 / 2)
        try FileManager.default.removeItem(atPath: folder.file(1))
        calls.write = disk.write
        let folder = FeatureFolder.test(place("cache/features"), calls: calls, notes: notes)
        for number in 1...50 { folder.store(number) }
        #expect(notes.all.count == 1)
        #expect(notes.all.first?.contains("No space left on device") == true, "\(notes.all)")
        #expect(disk.failures == 1)
        #expect((1...50).filter { folder.has($0) } == [1, 2, 3, 4, 5])
        #expect(try place.names("cache/features") == ["00"])
    }

    @Test(arguments: [(1 << 30) + 100, 1 << 29]) func leavesRoomOnTheDisk(_ free: Int) throws {
        let folder = FeatureFolder.test(
            place("cache/features"), notes: notes, room: { _ in FileSystemRoom(free: free, size: 1 << 40) })
        folder.store(1)
        #expect(!folder.has(1))
        #expect(notes.all.count == 1)
        #expect(notes.all.first?.contains("nearly full") == true)
        // A small file system: a twentieth of it is enough.
        let small = FeatureFolder.test(
            place("cache/features"), notes: notes, room: { _ in FileSystemRoom(free: free, size: 20 << 28) })
        small.store(1)
        #expect(small.has(1))
        #expect(notes.all.count == 1)
    }

    // MARK: - Clearing

    @Test func clearsItsOwnFilesOnly() throws {
        for number in 1...3 { folder.store(number) }
        let clip = try place.write("clip.bin", [1])
        FeatureFolder.test(folder.path, opened: .max).remember("abc", of: clip, sampling: "")
        let own = Set(FeatureListing(folder.path).entries.map(\.path))
        #expect(own.count == 4)
        let foreign = [
            "00/notes.txt", "00/\(String(repeating: "a", count: 61)).safetensors", "00/\(String(repeating: "A", count: 62)).memo",
            "zz/\(String(repeating: "a", count: 62)).safetensors", "\(String(repeating: "a", count: 62)).safetensors",
        ]
        for name in foreign { try place.write("cache/features/" + name, [1]) }
        let listing = FeatureListing(folder.path)
        #expect(Set(listing.entries.map(\.path)) == own)
        #expect(try listing.remove() == listing.bytes)
        #expect(listing.bytes > 0)
        #expect(own.allSatisfy { !FileManager.default.fileExists(atPath: $0) })
        for name in foreign { #expect(place.exists("cache/features/" + name)) }
        // Folders that are empty now went, and come again.
        try FileManager.default.removeItem(atPath: place("cache/features/00"))
        folder.store(1)
        #expect(folder.has(1))
        #expect(try FeatureListing(folder.path).remove() > 0)
        #expect(!place.exists("cache/features/00"))
        #expect(try FeatureListing(place("none")).remove() == 0)
    }

    /// The folders are cleared away between making them and the rename.
    @Test func survivesClearingWhileItWrites() throws {
        var calls = FileCalls.unsynced
        let path = folder.path
        let isFirst = Once()
        calls.rename = { from, to in
            if isFirst.take() { try? FileManager.default.removeItem(atPath: path) }
            return FileCalls.unsynced.rename(from, to)
        }
        let folder = FeatureFolder.test(path, calls: calls, notes: notes)
        folder.store(1)
        #expect(!isFirst.take())
        #expect(folder.has(1))
        #expect(notes.all.isEmpty, "\(notes.all)")
    }
}

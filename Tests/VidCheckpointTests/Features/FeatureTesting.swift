import Synchronization
import Testing
import VidCheckpoint
import VidSystem
import VidTensor
import VidTestSupport
import VidTrain

/// Features with their owner: (frames, 8) values that only `number` has.
struct TestFeatures {
    let buffer: Buffer
    let tensor: Tensor

    init(_ number: Int, frames: Int = 4) {
        buffer = Buffer(count: frames * 8)
        tensor = buffer.tensor([frames, 8])
        tensor.copy(from: (0..<frames * 8).map { Float(number) + Float($0) / 1024 })
    }

    /// As many NaNs, to load into.
    static func empty(_ shape: Shape = [4, 8]) -> TestFeatures { TestFeatures(buffer: Buffer(count: shape.count), shape: shape) }

    private init(buffer: Buffer, shape: Shape) {
        self.buffer = buffer
        tensor = buffer.tensor(shape)
        tensor.fill(.nan)
    }

    var bits: [UInt32] { withExtendedLifetime(self) { tensor.array.map(\.bitPattern) } }
}

/// The key that ends in `number`.
func featureKey(_ number: Int) -> FeatureKey {
    let digits = String(number, radix: 16)
    return FeatureKey(digest: String(repeating: "0", count: 64 - digits.count) + digits)
}

/// The notes that a folder has given.
final class Notes: Sendable {
    private let lines = Mutex<[String]>([])
    var all: [String] { lines.withLock { $0 } }
    func add(_ line: String) { lines.withLock { $0.append(line) } }
}

/// True the first time only.
final class Once: Sendable {
    private let isOpen = Mutex(true)

    func take() -> Bool {
        isOpen.withLock { isOpen in
            defer { isOpen = false }
            return isOpen
        }
    }
}

/// A disk with room for so many bytes.
final class FullDisk: Sendable {
    private let state: Mutex<(room: Int, failures: Int)>
    /// Writes that failed.
    var failures: Int { state.withLock { $0.failures } }

    init(room: Int) { state = Mutex((room, 0)) }

    func write(_ descriptor: Int32, _ bytes: UnsafeRawPointer?, _ count: Int, _ offset: Int) -> Int {
        let part = state.withLock { state in
            let part = min(state.room, count)
            state.room -= part
            if part == 0 { state.failures += 1 }
            return part
        }
        if part == 0 { errno = ENOSPC }
        return part == 0 ? -1 : FileCalls.posix.write(descriptor, bytes, part, offset)
    }
}

extension FeatureFolder {
    /// A folder below `place` with the bound in bytes.
    static func test(
        _ path: String, bytes: Int = 1 << 30, opened: Int64 = FileStatus.now, calls: FileCalls = .unsynced, notes: Notes = Notes(),
        room: @escaping @Sendable (String) -> FileSystemRoom? = { _ in nil }
    ) -> FeatureFolder {
        FeatureFolder(
            path, bound: CacheBound(gibibytes: Double(bytes) / Double(1 << 30)), opened: opened, calls: calls, room: room,
            note: { notes.add($0) })
    }

    /// Stores the features of `number` under its key; all of their frames count.
    func store(_ number: Int, frames: Int = 4) { store(number, TestFeatures(number, frames: frames), validFrames: frames) }

    /// Stores `features` under the key of `number`.
    func store(_ number: Int, _ features: TestFeatures, validFrames: Int) {
        withExtendedLifetime(features) { store(featureKey(number), features.tensor, validFrames: validFrames) }
    }

    func load(_ number: Int, into features: TestFeatures) -> Int? {
        withExtendedLifetime(features) { load(featureKey(number), into: features.tensor) }
    }

    /// Whether the features of `number` are there; they must then be those that were stored.
    func has(_ number: Int, frames: Int = 4, sourceLocation: SourceLocation = #_sourceLocation) -> Bool {
        let found = TestFeatures.empty([frames, 8])
        guard let count = load(number, into: found) else { return false }
        #expect(count == frames, sourceLocation: sourceLocation)
        #expect(found.bits == TestFeatures(number, frames: frames).bits, sourceLocation: sourceLocation)
        return true
    }

    /// Where the features of `number` are.
    func file(_ number: Int) -> String {
        let digest = featureKey(number).digest
        return "\(path)/\(digest.prefix(2))/\(digest.dropFirst(2)).safetensors"
    }
}

/// Makes the file as old as that.
func setAge(_ path: String, seconds: Int) throws {
    let nanoseconds = FileStatus.now - Int64(seconds) * 1_000_000_000
    let time = timespec(tv_sec: Int(nanoseconds / 1_000_000_000), tv_nsec: Int(nanoseconds % 1_000_000_000))
    let status = [time, time].withUnsafeBufferPointer { utimensat(AT_FDCWD, path, $0.baseAddress, AT_SYMLINK_NOFOLLOW) }
    try #require(status == 0, "\(path): \(SystemCall.reason())")
}

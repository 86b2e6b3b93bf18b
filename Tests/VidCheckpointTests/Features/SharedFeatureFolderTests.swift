import Foundation
import Testing
import VidCheckpoint
import VidSystem
import VidTensor
import VidTestSupport
import VidTrain

/// Several runs at once, and runs that were killed.
@Suite struct SharedFeatureFolderTests {
    /// Two runs store, load and evict the same features, a third clears: whatever loads is whole.
    @Test func runsShareAFolder() async throws {
        let place = try TestFolder()
        let notes = Notes()
        let probe = FeatureFolder.test(place("probe"))
        probe.store(1)
        let size = try RegularFile(probe.file(1)).size
        let path = place("features")
        let folders = [FeatureFolder.test(path, bytes: 60 * size, notes: notes), .test(path, bytes: 60 * size, notes: notes)]
        let loaded = await withTaskGroup(of: Int.self, returning: Int.self) { group in
            for task in 0..<6 {
                group.addTask {
                    var random = RandomGenerator(seed: UInt64(task))
                    let folder = folders[task % 2]
                    var loaded = 0
                    for step in 0..<200 {
                        let number = Int(random.uniform(0, 50))
                        if folder.has(number) { loaded += 1 } else { folder.store(number) }
                        if step % 20 == 0 { _ = folder.has(100 + step) }
                        if task == 5, step % 50 == 49 { _ = try? FeatureListing(path).remove() }
                    }
                    return loaded
                }
            }
            // Features of a third run, never used again: these are what goes.
            group.addTask {
                for number in 100..<200 {
                    FeatureFolder.test(path, bytes: 60 * size, notes: notes).store(number)
                }
                return 0
            }
            return await group.reduce(0, +)
        }
        #expect(loaded > 0)
        #expect(notes.all.isEmpty, "\(notes.all)")
        #expect(try place.names("features").filter { $0.hasSuffix(".tmp") }.isEmpty)
    }

    /// Killed in the middle of the third file: two are there, the third is not, and a later run removes what is left of it.
    @Test func survivesAKill() async throws {
        let path = killedFolder(of: getpid())
        try? FileManager.default.removeItem(atPath: path)
        defer { try? FileManager.default.removeItem(atPath: path) }
        await #expect(processExitsWith: .signal(SIGKILL)) {
            var calls = FileCalls.unsynced
            calls.write = { descriptor, bytes, count, offset in
                if offset > 0, FileManager.default.fileExists(atPath: FeatureFolder.test(killedFolder(of: getppid())).file(2)) {
                    _ = FileCalls.unsynced.write(descriptor, bytes, count / 2, offset)
                    kill(getpid(), SIGKILL)
                }
                return FileCalls.unsynced.write(descriptor, bytes, count, offset)
            }
            let folder = FeatureFolder.test(killedFolder(of: getppid()), calls: calls)
            for number in 1...9 { folder.store(number) }
        }
        func leftovers() throws -> [String] { try Folder.names(path).names.filter { $0.hasSuffix(".tmp") } }
        let temporary = path + "/" + (try #require(try leftovers().first))
        // However long this test had to wait for its turn.
        try setAge(temporary, seconds: 0)
        let folder = FeatureFolder.test(path)
        #expect((1...9).filter { folder.has($0) } == [1, 2])
        #expect(try RegularFile(temporary).size > 0)
        // Another machine's process could still be writing to it.
        _ = FeatureFolder.test(path)
        #expect(try leftovers().count == 1)
        try setAge(temporary, seconds: 400)
        _ = FeatureFolder.test(path)
        #expect(try leftovers().isEmpty)
        folder.store(3)
        #expect(folder.has(3))
    }
}

/// Where the child of that process of the tests stores; nothing can be handed to it.
private func killedFolder(of process: Int32) -> String {
    FileManager.default.temporaryDirectory.appendingPathComponent("vidclass-killed-\(process)").path
}

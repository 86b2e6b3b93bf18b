import Foundation
import Testing
import VidData
import VidSystem
import VidTrain

/// Loading the clips of a split: order, prefetching, clips that stay in memory, and clips that fail.
@Suite struct ClipSourceTests {
    private func samples(_ indices: [Int]) -> [Sample] { indices.map { Sample(clip: $0, view: .whole) } }

    @Test func clipsComeInTheOrderAskedForAndAreThoseOfTheirFiles() async throws {
        let clips = try await TestClips()
        let split = try clips.split(.train, TestClips.configuration())
        #expect(split.count == 12 && split.names.count == 12 && split.labels.allSatisfy { (0...1).contains($0) })
        await split.source.prefetch(samples([0, 1, 2, 3]))
        // The same clip twice in a batch, as balanced sampling draws it.
        let loaded = try await split.source.clips(samples([3, 0, 3]))
        let again = try await split.source.clips(samples([0, 3]))
        #expect(loaded[0] == loaded[2] && loaded[0] == again[1] && loaded[1] == again[0] && loaded[0] != loaded[1])
    }

    /// A clip in memory survives the loss of its file; one that is not does not.
    @Test func onlyAsManyClipsStayInMemoryAsFit() async throws {
        let clips = try await TestClips()
        let bytes = 4 * 3 * 16 * 16
        let split = try clips.split(.train, TestClips.configuration(), keepingBytes: 2 * bytes)
        let loaded = try await split.source.clips(samples([0, 1, 2]))
        let random = Sample(clip: 0, view: .training(seed: 1, stream: 2))
        _ = try await split.source.clips([random])
        for path in split.source.paths { try FileManager.default.removeItem(atPath: path) }
        #expect(try await split.source.clips(samples([0, 1])) == Array(loaded[0..<2]))
        await #expect(throws: VidclassError.self) { try await split.source.clips(samples([2])) }
        await #expect(throws: VidclassError.self) { try await split.source.clips([random]) }
        await split.source.clear()
        await #expect(throws: VidclassError.self) { try await split.source.clips(samples([0])) }
    }

    @Test func aClipThatFailsLeavesTheOthersAlone() async throws {
        let clips = try await TestClips()
        let split = try clips.split(.train, TestClips.configuration())
        try Data("no clip".utf8).write(to: URL(fileURLWithPath: split.source.paths[1]))
        await split.source.prefetch(samples([0, 1, 2]))
        await #expect {
            try await split.source.clips(samples([0, 1, 2]))
        } throws: {
            ($0 as? VidclassError)?.message.contains(split.source.paths[1]) == true
        }
        #expect(try await split.source.clips(samples([2, 0])).count == 2)
        // Prefetched and never asked for: an error that nobody sees.
        await split.source.prefetch(samples([1]))
        await split.source.clear()
    }
}

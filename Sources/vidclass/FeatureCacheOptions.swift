import ArgumentParser
import Synchronization
import VidCheckpoint
import VidData
import VidReport
import VidTrain

/// `--no-cache`, for the commands that keep features of frozen layers on disk.
struct FeatureCacheOptions: ParsableArguments {
    @Flag(name: .customLong("no-cache"), help: "Neither take features of frozen layers from the cache nor keep them there.")
    var isOff = false

    /// The cache, unless it is turned off.
    func cache() throws -> (any FeatureCache)? { try folder() }

    /// Where what checks find is kept, unless it is turned off.
    func memo() throws -> (any ClipMemo)? { try folder() }

    /// The folder of both, which a command may open twice; one note of what is wrong with it is enough.
    private func folder() throws -> FeatureFolder? {
        guard !isOff else { return nil }
        return try FeatureFolder { reason in
            if !FeatureCacheOptions.isNoted.exchange(true, ordering: .relaxed) { Terminal.note("note: \(reason)") }
        }
    }

    private static let isNoted = Atomic<Bool>(false)
}

import ArgumentParser
import Synchronization
import VidCheckpoint
import VidData
import VidReport
import VidSystem
import VidTrain

/// `--no-cache`, for the commands that keep features of frozen layers on disk.
struct FeatureCacheOptions: ParsableArguments {
    @Flag(name: .customLong("no-cache"), help: "Neither take features of frozen layers from the cache nor keep them there.")
    var isOff = false

    /// The cache, unless it is turned off.
    func cache() throws -> (any FeatureCache)? { try folder() }

    /// Where what checks find is kept, unless it is turned off.
    func clipCache() throws -> (any ClipCache)? { try folder() }

    /// The folder of both, opened once by a process.
    private func folder() throws -> FeatureFolder? {
        guard !isOff else { return nil }
        return try FeatureCacheOptions.opened.withLock { opened in
            if let opened { return opened }
            let folder = try FeatureFolder { Terminal.note("note: \($0)") }
            opened = folder
            return folder
        }
    }

    private static let opened = Mutex<FeatureFolder?>(nil)
}

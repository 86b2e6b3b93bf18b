import ArgumentParser
import VidCheckpoint
import VidReport
import VidTrain

/// `--no-cache`, for the commands that keep features of frozen layers on disk.
struct FeatureCacheOptions: ParsableArguments {
    @Flag(name: .customLong("no-cache"), help: "Neither take features of frozen layers from the cache nor keep them there.")
    var isOff = false

    /// The cache, unless it is turned off.
    func cache() throws -> (any FeatureCache)? {
        isOff ? nil : try FeatureFolder { Terminal.note("note: \($0)") }
    }
}

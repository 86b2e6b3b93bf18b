import ArgumentParser
import FoundationEssentials
import VidCheckpoint
import VidReport
import VidSystem

struct CacheCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "cache",
        abstract: "Show or clear the cache of features, which trainings with a frozen CNN share.",
        discussion: """
            The cache is in $XDG_CACHE_HOME/vidclass/features, or ~/.cache/vidclass/features, and takes at most 10 GiB: the least \
            recently used features make room for new ones. VIDCLASS_CACHE_GIB sets another limit; 0 turns the cache off.

              vidclass cache info
              vidclass cache clear
              VIDCLASS_CACHE_GIB=2.5 vidclass train --config Configs/vgg16-lstm.json
            """,
        subcommands: [CacheInfoCommand.self, CacheClearCommand.self],
        defaultSubcommand: CacheInfoCommand.self)
}

struct CacheInfoCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "info",
        abstract: "Show where the cached features are, how many there are and how much space they take.",
        discussion: """
              vidclass cache info
              vidclass cache info --json
            """)

    @OptionGroup var output: JSONOptions

    func run() async throws {
        let bound = try CacheBound()
        let listing = FeatureListing(CacheFolder().features)
        let features = listing.entries.filter { $0.kind == .features }
        let clipCaches = listing.entries.count - features.count
        let (oldest, newest) = (features.map(\.used).min().map(Self.date), features.map(\.used).max().map(Self.date))
        try output.print(
            FittedTable.facts(
                [
                    ("folder", listing.folder.printable),
                    ("features", features.isEmpty ? "none" : "of \(Formatting.count(features.count, "clip"))"),
                    ("checks", clipCaches == 0 ? "none" : "in \(Formatting.count(clipCaches, "file"))"),
                    ("size", "\(Formatting.bytes(listing.bytes)) of at most \(bound)"),
                ] + [("oldest use", oldest), ("newest use", newest)].compactMap { name, date in date.map { (name, $0) } },
                style: .standardOutput),
            .object([
                ("folder", .string(listing.folder)), ("features", .integer(features.count)), ("memos", .integer(clipCaches)),
                ("bytes", .integer(listing.bytes)), ("bound_bytes", .integer(bound.bytes)),
                ("oldest_use", .string(ifAny: oldest)), ("newest_use", .string(ifAny: newest)),
            ]))
    }

    /// "2026-11-24T08:15:00Z"
    private static func date(_ nanoseconds: Int64) -> String {
        Date(timeIntervalSince1970: Double(nanoseconds / 1_000_000_000)).formatted(.iso8601)
    }
}

struct CacheClearCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "clear",
        abstract: "Remove all cached features and clip checks; weights stay.",
        discussion: """
              vidclass cache clear
            """)

    func run() async throws {
        let listing = FeatureListing(CacheFolder().features)
        let freed = try listing.remove()
        try Terminal.output("\(listing.folder.printable): \(Formatting.bytes(freed)) freed (\(freed) bytes)\n")
    }
}

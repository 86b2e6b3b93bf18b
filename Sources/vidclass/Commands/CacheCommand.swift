import ArgumentParser
import Foundation
import VidCheckpoint
import VidConfig
import VidReport
import VidSystem
import VidTensor

struct CacheCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "cache",
        abstract: "Look at or clear the features that trainings with a frozen CNN keep for each other.",
        discussion: """
            They are in $XDG_CACHE_HOME/vidclass/features, or ~/.cache/vidclass/features, and take at most 10 GiB: \
            those used longest ago make room for new ones. VIDCLASS_CACHE_GIB sets another bound; 0 keeps none.

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
        abstract: "Say where the features are, how many there are and how much room they take.",
        discussion: """
              vidclass cache info
              vidclass cache info --json
            """)

    @Flag(help: "Print one JSON document and nothing else on standard output.")
    var json = false

    func run() async throws {
        let bound = try CacheBound()
        let listing = FeatureListing(CacheFolder().features)
        let features = listing.entries.filter { $0.kind == .features }
        let clipCaches = listing.entries.count - features.count
        let (oldest, newest) = (features.map(\.used).min().map(Self.date), features.map(\.used).max().map(Self.date))
        if json {
            let document = JSONNode.object([
                ("folder", .string(listing.folder)), ("features", .integer(features.count)), ("memos", .integer(clipCaches)),
                ("bytes", .integer(listing.bytes)), ("bound_bytes", .integer(bound.bytes)),
                ("oldest_use", oldest.map { .string($0) } ?? .null), ("newest_use", newest.map { .string($0) } ?? .null),
            ])
            try Terminal.output(document.text(pretty: true) + "\n")
        } else {
            try Terminal.output(
                FittedTable.facts(
                    [
                        ("folder", listing.folder.printable),
                        ("features", "of \(Formatting.count(features.count, "clip"))"),
                        ("memos", "of \(Formatting.count(clipCaches, "file")) whose content is known"),
                        ("size", "\(Formatting.bytes(listing.bytes)) of at most \(bound)"),
                        ("oldest use", oldest ?? "-"),
                        ("newest use", newest ?? "-"),
                    ], style: .standardOutput))
        }
    }

    /// As in 2026-11-24T08:15:00Z.
    private static func date(_ nanoseconds: Int64) -> String {
        Date(timeIntervalSince1970: Double(nanoseconds / 1_000_000_000)).formatted(.iso8601)
    }
}

struct CacheClearCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "clear",
        abstract: "Remove all features and memos; weights stay.",
        discussion: """
              vidclass cache clear
            """)

    func run() async throws {
        let listing = FeatureListing(CacheFolder().features)
        let freed = try listing.remove()
        try Terminal.output("\(listing.folder): \(Formatting.bytes(freed)) freed (\(freed) bytes)\n")
    }
}

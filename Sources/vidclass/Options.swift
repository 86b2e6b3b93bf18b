import ArgumentParser
import CCommit
import Synchronization
import VidCheckpoint
import VidCluster
import VidConfig
import VidData
import VidReport
import VidRun
import VidSystem
import VidTensor

// The options that several commands share.

/// `--threads`, for every command that computes.
struct ThreadOptions: ParsableArguments {
    @Option(
        name: .customLong("threads"), help: "Number of computing threads; by default the number of processors. Results do not depend on it."
    )
    var threads: Int?

    func validate() throws { try checkRange("--threads", threads, 1...1024) }

    /// The threads, with the memory that OpenBLAS takes for them.
    ///
    /// - Throws: `.other` if memory runs out.
    func makeWorkers() throws -> Workers {
        let workers = Workers(count: threads ?? Workers.processorCount)
        try BLAS.reserve(threads: workers.count)
        try ProcessLimits.requireMemory()
        return workers
    }
}

/// `--json`, for every command with one result.
struct JSONOptions: ParsableArguments {
    @Flag(help: "Print one JSON document and nothing else on standard output.")
    var json = false

    func print(_ text: @autoclosure () -> String, _ document: @autoclosure () -> JSONNode) throws {
        try Terminal.output(json ? document().text(pretty: true) + "\n" : text())
    }
}

/// `--config` and `--set`.
struct ConfigurationOptions: ParsableArguments {
    @Option(
        help: ArgumentHelp(
            "The run's configuration (JSON), or - for standard input; see Configs/ and the documentation.", valueName: "file"),
        completion: .configs)
    var config: String?

    @Option(
        name: .customLong("set"),
        help: ArgumentHelp("Override one value, such as training.epochs=3. May be repeated.", valueName: "key=value"),
        completion: .configurationKeys)
    var overrides: [String] = []

    /// The configuration, with the settings of `--set` and then `others`; the defaults if none is named.
    ///
    /// - Parameter data: replaces `data.path`.
    func load(data: String? = nil, _ others: [String] = []) throws -> RunConfiguration {
        let overrides = (data.map { ["data.path=" + JSONNode.string($0).text()] } ?? []) + overrides + others
        return try config.map { try RunConfiguration.load(path: $0, overrides: overrides) }
            ?? RunConfiguration(json: "{}", source: "the defaults", overrides: overrides)
    }
}

/// `--media`, for the commands that open labelled clips.
struct MediaOptions: ParsableArguments {
    @Option(
        name: .customLong("media"),
        help: ArgumentHelp(
            "Another folder in which the clips of a table or list are looked for; sets data.media.", valueName: "folder"),
        completion: .directory)
    var folder: String?

    /// The setting for a configuration.
    var overrides: [String] { folder.map { ["data.media=" + JSONNode.string($0).text()] } ?? [] }
}

/// `--no-cache`, for the commands that keep features of frozen layers on disk.
struct FeatureCacheOptions: ParsableArguments {
    @Flag(name: .customLong("no-cache"), help: "Neither use the cache of features and clip checks nor write to it.")
    var isOff = false

    /// The cache, opened once per process; nil if it is turned off.
    func cache() throws -> FeatureFolder? {
        guard !isOff else { return nil }
        return try FeatureCacheOptions.opened.withLock { opened in
            if let opened { return opened }
            let folder = try FeatureFolder { Terminal.note(Terminal.fitted("note: \($0)")) }
            opened = folder
            return folder
        }
    }

    private static let opened = Mutex<FeatureFolder?>(nil)
}

/// `--checkpoint`: a named one, or the best of the newest finished run.
struct CheckpointOptions: ParsableArguments {
    @Option(
        help: ArgumentHelp("The model; by default the best of the newest finished run, which the command runs marks.", valueName: "file"),
        completion: .checkpoints)
    var checkpoint: String?

    @OptionGroup var folderRate: FolderRateOptions

    /// The folder whose runs are considered if no checkpoint is named.
    static var directory: String { OutputConfiguration().directory }

    /// Opens the model. Tells the user which one if none was named.
    func open() throws -> SavedModel {
        if let checkpoint { return try SavedModel(path: RunChoice.checkpoint(checkpoint), frameFolderRate: folderRate.fps) }
        let choice = try RunChoice(in: CheckpointOptions.directory)
        Terminal.note(Terminal.fitted(choice.text))
        return try SavedModel(path: choice.run.folder.bestPath, frameFolderRate: folderRate.fps)
    }
}

/// The rate of clips that are folders of numbered pictures.
struct FolderRateOptions: ParsableArguments {
    @Option(
        help: ArgumentHelp("Frame rate of folders of numbered pictures; by default that of the config, if one is used.", valueName: "f"))
    var fps: Double?

    func validate() throws {
        if let fps, !(fps > 0 && fps <= 1000) { throw ValidationError("--fps takes a number over 0 up to 1000, not \(fps).") }
    }
}

/// Refuses an option's value outside of `range`.
func checkRange(_ name: String, _ value: Int?, _ range: ClosedRange<Int>) throws {
    guard let value, !range.contains(value) else { return }
    throw ValidationError("\(name) takes a number from \(range.lowerBound) to \(range.upperBound), not \(value).")
}

/// This program, for VidRun.
enum Program {
    static let version = Version.number

    /// What `--version` prints: `1.0.0 (commit 1e9bed1c2d3e)`, with `-dirty` if files had been changed, and without the commit if the build was
    /// not told.
    static var fullVersion: String {
        let commit = String(cString: vc_commit())
        return version + (commit.isEmpty ? "" : " (commit \(commit))")
    }

    /// HDF5 files are read by a child process of this program.
    static var hdf5: HDF5Import { .inReader() }
}

extension Runtime {
    /// The runtime of a command, with its events on `display` and, as JSON, on `stream`.
    init(
        _ workers: Workers, cluster: any Cluster = Alone(), cache: FeatureFolder?, display: RunDisplay, stream: TrainingStream? = nil
    ) {
        self.init(
            version: Program.version, command: CommandLine.arguments, weights: WeightsLibrary(hdf5: Program.hdf5), workers: workers,
            cluster: cluster, cache: cache, showsReports: display.showsReports && stream == nil
        ) {
            display.show($0)
            try stream?.write($0)
        }
    }
}

extension CompletionKind {
    /// Clips by their extensions, and folders.
    static var clips: CompletionKind {
        .file(extensions: ["bin", "npy"] + ClipFormat.videoExtensions.sorted() + ClipFormat.soundExtensions.sorted())
    }

    /// Tables and lists by their extensions, and folders.
    static var labelledClips: CompletionKind { .file(extensions: DataSet.tableExtensions) }

    static var checkpoints: CompletionKind { .file(extensions: ["safetensors"]) }

    static var configs: CompletionKind { .file(extensions: ["json"]) }

    /// The keys of the configuration, each with its "="; in lists those of the first element.
    static var configurationKeys: CompletionKind {
        .list(ConfigurationReference.keyPaths.map { $0.replacing(".N", with: ".0") + "=" })
    }
}

import ArgumentParser
import VidCheckpoint
import VidConfig
import VidData
import VidReport
import VidSystem
import VidTensor
import VidTrain

struct CheckCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "check",
        abstract: "Look at every clip of a data set: what is bad, what is uneven, what is in two parts.",
        usage: "vidclass check [<data>] [--config <file>] [<options>]",
        discussion: """
            Every clip is read to its end; files that did not change since are not read again. The parts are those that \
            `train` would make. Without --config every clip that can be read is good; with it, one that the model cannot \
            take (another frame size, too short) is bad, too. Ends with 65 where a clip is bad, or where \
            data.leak_check is "refuse" and clips of different parts show the same.

              vidclass check videos
              vidclass check --config config.json
              vidclass check videos --set data.validation_split=0.3 --json
            """)

    @Argument(help: "A folder or CSV of labelled clips; by default data.path of the config.", completion: .file(extensions: ["csv"]))
    var data: String?

    @Option(help: ArgumentHelp("The run's configuration (JSON).", valueName: "file"), completion: .configs)
    var config: String?

    @Option(
        name: .customLong("set"),
        help: ArgumentHelp("Override one value, such as data.validation_split=0.3. May be repeated.", valueName: "key=value"),
        completion: .configurationKeys)
    var overrides: [String] = []

    @Option(help: ArgumentHelp("Clips looked at a time; the number of processors by default.", valueName: "n"))
    var threads: Int?

    @OptionGroup var features: FeatureCacheOptions

    @Flag(help: "Print one JSON document and nothing else on standard output.")
    var json = false

    func validate() throws {
        guard data != nil || config != nil else { throw ValidationError("Name the data, or a config that does with --config FILE.") }
        if let threads, threads < 1 || threads > 1024 {
            throw ValidationError("--threads takes a number from 1 to 1024, not \(threads).")
        }
    }

    func run() async throws {
        var configuration =
            try config.map { try RunConfiguration.load(path: $0, overrides: overrides) }
            ?? RunConfiguration(json: "{}", source: "the defaults", overrides: overrides)
        let path = data ?? configuration.data.path
        let set = try DataSet.open(path, split: configuration.data.splitOptions(seed: configuration.seed))
        if config == nil { configuration.model.input = CheckCommand.input }
        let report = try await CheckCommand.check(
            set, loader: ClipLoader(configuration), mustFit: config != nil, leakCheck: configuration.data.leakCheck != .off,
            clipCache: try features.clipCache(),
            concurrency: threads ?? Workers.processorCount)
        try Terminal.output(json ? report.document.text(pretty: true) + "\n" : DataReportText.text(report))
        if !json { for note in set.findings.notes + [set.otherFilesSummary].compactMap(\.self) { Terminal.note("note: \(note)") } }
        if let error = report.badClipsError { throw error }
        if configuration.data.leakCheck == .refuse, let error = report.leakError { throw error }
    }

    /// How clips that have no frames of their own, such as sound, are taken where no config says it: as spectrograms.
    static var input: InputConfiguration {
        var input = InputConfiguration()
        (input.channels, input.rows, input.columns) = (1, 64, 64)
        return input
    }

    /// Checks `data` under a progress bar; says on standard error what it took, unless it is to be quiet.
    static func check(
        _ data: DataSet, loader: ClipLoader, mustFit: Bool = true, leakCheck: Bool, clipCache: (any ClipCache)?,
        concurrency: Int = Workers.processorCount, quiet: Bool = false
    ) async throws -> DataReport {
        let bar = ProgressBar(quiet: quiet)
        let check = DataCheck(loader: loader, mustFit: mustFit, leakCheck: leakCheck, clipCache: clipCache, concurrency: concurrency)
        let clock = ContinuousClock.now
        defer { bar.clear() }
        let report = try await check.run(data) { progress in
            bar.update(
                "check", done: progress.done, total: progress.total,
                detail: "\(progress.done)/\(progress.total) clips" + (progress.bad > 0 ? ", \(progress.bad) bad" : ""))
        }
        let elapsed = clock.duration(to: .now)
        if elapsed > .seconds(2), !quiet {
            bar.clear()
            let seconds = Double(elapsed.components.seconds)
            Terminal.note("checked \(Formatting.count(data.entries.count, "clip")) in \(Formatting.duration(seconds))")
        }
        return report
    }
}

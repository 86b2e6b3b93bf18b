import ArgumentParser
import Foundation
import VidCheckpoint
import VidConfig
import VidData
import VidModel
import VidReport
import VidSystem
import VidTensor
import VidTrain

struct TrainCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "train",
        abstract: "Train a classifier on a folder of labelled clips.",
        usage: """
            vidclass train --config <file> [--set <key=value>] ... [<options>]
                   vidclass train --resume [<run>] [<options>]
            """,
        discussion: """
            The data: DIR/<class>/<clip>, DIR/{train,val,test}/<class>/<clip>, or a CSV file path,label[,split][,group].

              vidclass train --config Configs/vgg16-lstm.json --set data.path=videos
              vidclass train --config Configs/smoke.json --set training.epochs=3 --set model.hidden.0.units=64
              vidclass train --config Configs/vgg16-lstm.json --set data.path=videos --dry-run
              vidclass train --config Configs/vgg16-lstm.json --set data.path=videos --folds 5
              vidclass train --resume
              vidclass train --resume runs/train --set training.epochs=40

            Ctrl-C or SIGTERM ends the step, saves everything and says how to go on; a second one ends at once. On resume \
            \(ResumeRules.changeable.joined(separator: ", ")) may be set anew, nothing else.
            """)

    @Option(
        help: ArgumentHelp("The run's configuration (JSON); see Configs/ and the documentation.", valueName: "file"), completion: .configs)
    var config: String?

    @Option(
        name: .customLong("set"),
        help: ArgumentHelp("Override one value, such as training.epochs=3. May be repeated.", valueName: "key=value"),
        completion: .configurationKeys)
    var overrides: [String] = []

    @Option(
        defaultAsFlag: "", parsing: .next,
        help: ArgumentHelp("Go on with an interrupted or finished run: its folder, the newest one by default.", valueName: "run"),
        completion: .directory)
    var resume: String?

    @Option(help: ArgumentHelp("Train K times, each on all but one K-th of the clips, and say the mean and spread.", valueName: "k"))
    var folds: Int?

    @Flag(help: "Say what the training will take in memory, disk and measured time, and write nothing.")
    var dryRun = false

    @OptionGroup var threads: ThreadOptions

    @OptionGroup var features: FeatureCacheOptions

    @Flag(help: "No start-up report and no progress, only where things are.")
    var quiet = false

    @Flag(help: "More notes: memory, times, figures, every file saved.")
    var verbose = false

    @Flag(help: "Print one JSON object a line on standard output as things happen (start, epoch, ..., end), and nothing else there.")
    var json = false

    func validate() throws {
        guard (config != nil) != (resume != nil) else {
            throw ValidationError(
                config == nil
                    ? "Give --config FILE to start a training, or --resume [RUN] to go on with one."
                    : "--config and --resume exclude each other: a resumed run has its own config.json.")
        }
        if quiet, verbose { throw ValidationError("--quiet and --verbose exclude each other.") }
        if let folds, folds < 2 || folds > 1000 { throw ValidationError("--folds takes a number from 2 to 1000, not \(folds).") }
        if folds != nil, resume != nil {
            throw ValidationError("--folds is for a new training; --resume RUN goes on with its folds by itself.")
        }
        if folds != nil, dryRun { throw ValidationError("--dry-run looks at one training; leave --folds out and take its time K times.") }
    }

    func run() async throws {
        // A reader of the stream or of the notes that leaves does not end the training (`Terminal.output`).
        signal(SIGPIPE, SIG_IGN)
        let talk = TrainingTalk(quiet: quiet, verbose: verbose, stream: json ? TrainingStream() : nil)
        do { try await run(talk) } catch {
            talk.stream?.failed(error)
            throw error
        }
    }

    private func run(_ talk: TrainingTalk) async throws {
        let (workers, cache) = (threads.makeWorkers(), try features.cache())
        if let folds = try await makeFolds() { return try await folds.run(workers: workers, cache: cache, talk) }
        let session = try await TrainingSession(makeRequest(), workers: workers, cache: cache, isDryRun: dryRun)
        if !quiet { session.showStartupReport() }
        if dryRun {
            let estimate = try await DryRun(session)
            guard let stream = talk.stream else { return try Terminal.output(estimate.text) }
            return try stream.write("estimate", estimate.members)
        }
        // Until here a signal ends the process as it stands: there is nothing to keep yet.
        let watch = StopWatch(Interruption(), maxMinutes: session.configuration.training.maxMinutes)
        let isOver = session.isOver
        let end = try await TrainingRun(session: session, watch: watch, talk: talk).run()
        guard let folder = session.folder else { return }
        guard let end else { return try stopped(folder, watch) }
        if isOver { note(folder, session.configuration, session.trainer.state.epoch, end) }
        if !json || !quiet { Terminal.write(RunSummary(session, folder, end: end).text) }
    }

    /// The folds to train, new or resumed; nil where there is one training.
    private func makeFolds() async throws -> FoldTraining? {
        if let folder = try resumedFolder() {
            guard FoldTraining.isOne(folder) else { return nil }
            guard !dryRun else { throw VidclassError(.usage, "\(folder.path): --dry-run looks at one training; name one of its folds") }
            return try await FoldTraining(resuming: folder, overrides: overrides, clipCache: try features.clipCache(), quiet: quiet)
        }
        guard let folds, let config else { return nil }
        let configuration = try RunConfiguration.load(path: config, overrides: overrides)
        let data = try await TrainingData.open(configuration, clipCache: try features.clipCache(), quiet: quiet)
        return try FoldTraining(configuration, data, count: folds)
    }

    private func makeRequest() async throws -> TrainingRequest {
        let clipCache = try features.clipCache()
        if let folder = try resumedFolder() {
            if resume?.isEmpty == true { Terminal.note("resuming \(folder.path)") }
            return try await TrainingRequest.resume(folder, overrides: overrides, clipCache: clipCache, quiet: quiet)
        }
        let configuration = try RunConfiguration.load(path: config ?? "", overrides: overrides)
        let data = try await TrainingData.open(configuration, clipCache: clipCache, quiet: quiet)
        return TrainingRequest(
            configuration, data: data.set, skipped: data.report.bad.isEmpty ? nil : data.report,
            summary: DataSummary(data.report, skipsBad: true))
    }

    /// The folder of `--resume`: the one named, or the newest.
    private func resumedFolder() throws -> RunFolder? {
        try resume.map {
            $0.isEmpty ? try RunFolder.newest(in: OutputConfiguration().directory, holding: \.configPath) : try RunFolder.existing($0)
        }
    }

    /// Says that there was nothing to do, and what to change.
    private func note(_ folder: RunFolder, _ configuration: RunConfiguration, _ epochs: Int, _ end: StageEnd) {
        /// Where the last stage names its epochs, they must go along.
        func lastStage(_ epochs: Int) -> String {
            guard let last = configuration.stages.last, last.epochs != nil else { return "" }
            let before = configuration.stages.dropLast().reduce(0) { $0 + ($1.epochs ?? 0) }
            return " --set stages.\(configuration.stages.count - 1).epochs=\(epochs - before)"
        }

        let advice: String =
            switch end {
            case .epochs: "Add some with --set training.epochs=\(epochs + 10)\(lastStage(epochs + 10))"
            case .earlyStopping: "Go on with --set training.early_stopping.patience=null, or a larger number"
            case .target: "Go on with --set training.target=null, or a better one"
            }
        Terminal.note("nothing to do: \(folder.path) has \(epochs) epochs and is over (\(TrainingProgress.text(end))). \(advice)")
    }

    private func stopped(_ folder: RunFolder, _ watch: StopWatch) throws {
        if !json || !quiet {
            Terminal.note(
                "\(watch.exitCode == nil ? "training.max_minutes is over" : "interrupted"); everything is kept in \(folder.lastPath)\n"
                    + "Go on with: vidclass train --resume \(ShellText.quoted(folder.path))")
        }
        if let code = watch.exitCode { throw ExitCode(code) }
    }
}

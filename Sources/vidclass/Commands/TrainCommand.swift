import ArgumentParser
import VidCluster
import VidConfig
import VidReport
import VidRun
import VidSystem
import VidTrain

struct TrainCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "train",
        abstract: "Train a classifier on a folder of labelled clips.",
        usage: """
            vidclass train <data> [--set <key=value>] ... [<options>]
                   vidclass train [<data>] --config <file> [<options>]
                   vidclass train --resume [<run>] [<options>]
            """,
        discussion: """
            The data: DIR/<class>/<clip>, DIR/{train,val,test}/<class>/<clip>, or a table path,label[,split][,group] or one in another \
            form that check names. Without --config, a configuration is chosen as `init` does it; the run's config.json keeps it. \
            With --config, <data> replaces data.path.

              vidclass train videos
              vidclass train videos --set training.epochs=20 --dry-run
              vidclass train --config Configs/vgg16-lstm.json --set data.path=videos
              vidclass train --config Configs/smoke.json --set model.hidden.0.units=64
              vidclass train videos --config Configs/vgg16-lstm.json --folds 5
              vidclass train videos --from runs/train/weights/best.safetensors
              vidclass train --resume
              vidclass train --resume runs/train --set training.epochs=40

            --from takes all layers that fit by name and shape from an older model, and of its output the classes that both \
            have; the rest is drawn anew. Without --config, it also takes the older model's settings. The new model does not need the \
            older one.

            Ctrl-C or SIGTERM finishes the current step, saves everything and prints how to resume; a second one ends the process at \
            once. A resumed run can change \(ResumeRules.changeable.joined(separator: ", ")), nothing else.
            """)

    @Argument(help: "A folder, table or list of labelled clips.", completion: .labelledClips)
    var data: String?

    @OptionGroup var configuration: ConfigurationOptions

    @OptionGroup var media: MediaOptions

    @Option(
        defaultAsFlag: "", parsing: .next,
        help: ArgumentHelp("Resume an interrupted or finished run: its folder, by default the newest one.", valueName: "run"),
        completion: .directory)
    var resume: String?

    @Option(
        name: .customLong("from"),
        help: ArgumentHelp("Start from the weights of this checkpoint, or of this run's best model.", valueName: "checkpoint"),
        completion: .checkpoints)
    var older: String?

    @Flag(help: "Without --config: train a small CNN from random weights, which needs no ImageNet weights.")
    var fromScratch = false

    @Option(
        help: ArgumentHelp(
            "Cross-validate: train K times, each time on all but one K-th of the clips, and print mean and spread.", valueName: "k"))
    var folds: Int?

    @Flag(help: "Estimate memory, disk space and time, and write nothing.")
    var dryRun = false

    @OptionGroup var threads: ThreadOptions

    @OptionGroup var features: FeatureCacheOptions

    @OptionGroup var cluster: ClusterOptions

    @Flag(help: "Print no start-up report and no progress, only the summary.")
    var quiet = false

    @Flag(help: "Print more: every layer, memory, times, metrics, every saved file.")
    var verbose = false

    @Flag(help: "Print one JSON object per line on standard output as things happen (start, epoch, ..., end), and nothing else there.")
    var json = false

    func validate() throws {
        let isNew = configuration.config != nil || data != nil
        guard isNew != (resume != nil) else {
            throw ValidationError(
                !isNew
                    ? "Name the data to train on (`\(ShellText.vidclass("train", "VIDEOS"))`), or give --config FILE, or --resume [RUN] to resume a run."
                    : configuration.config == nil
                        ? "A resumed run has its own data; if that has moved, add \(ShellText.setting("data.path", "FOLDER"))."
                        : "--config and --resume exclude each other: a resumed run has its own config.json.")
        }
        if data != nil, configuration.overrides.contains(where: { $0.hasPrefix("data.path=") }) {
            throw ValidationError("The data is named twice, as an argument and by data.path; leave one out.")
        }
        if older != nil, resume != nil { throw ValidationError("--from is for a new training; a resumed run has its own weights.") }
        if older != nil, folds != nil {
            throw ValidationError("--from does not go with --folds: the older model may have seen the clips that a fold is validated on.")
        }
        if fromScratch, configuration.config != nil || data == nil || older != nil {
            throw ValidationError(
                "--from-scratch goes with <data> alone; with a configuration use \(ShellText.setting("model.cnn.weights", "null")).")
        }
        if quiet, verbose { throw ValidationError("--quiet and --verbose exclude each other.") }
        try checkRange("--folds", folds, 2...1000)
        if folds != nil, resume != nil {
            throw ValidationError("--folds is for a new training; --resume RUN resumes its folds by itself.")
        }
        if folds != nil, dryRun {
            throw ValidationError("--dry-run measures one training; leave --folds out and multiply its time by K.")
        }
    }

    func run() async throws {
        if let data { try TrainCommand.requireData(data) }
        // The training continues after the reader of its output has left (`Terminal.output`).
        // guard: reader-that-leaves
        signal(SIGPIPE, SIG_IGN)
        try await cluster.run(threads, features, lead: train)
    }

    private func train(in cluster: any Cluster) async throws {
        let stream = json ? TrainingStream() : nil
        let display = RunDisplay(verbose ? .verbose : !quiet ? .normal : json ? .notes : .quiet)
        let runtime = try Runtime(threads.makeWorkers(), cluster: cluster, cache: try features.cache(), display: display, stream: stream)
        do {
            if let folds = try await makeFolds(runtime) { return try await train(folds) }
            let plan = try await makePlan(runtime)
            // What is chosen for the user says how long it will take.
            if isChosen, !dryRun, display.showsReports || stream != nil {
                try runtime.observe(.estimated(try await TrainingRun.cost(plan, in: runtime)))
            }
            let run = try await TrainingRun(plan, in: runtime, isDryRun: dryRun)
            display.show(.startup(run.startupReport))
            if dryRun {
                let cost = try await run.measureCost()
                if let stream { try stream.write(cost) } else { try Terminal.output(cost.text) }
            } else {
                if let note = run.clusterNote { display.show(.note(note)) }
                try await train(run)
            }
        } catch {
            display.clear()
            stream?.writeFailure(error)
            throw error
        }
    }

    /// Whether the configuration is chosen for the data.
    private var isChosen: Bool { data != nil && configuration.config == nil && older == nil }

    /// The configuration chosen for the data; nil if there is another one.
    private func choose(_ runtime: Runtime) async throws -> ChosenTraining? {
        guard isChosen, let data else { return nil }
        return try await ChosenTraining(
            for: data, media: media.folder, overrides: configuration.overrides, startsFromScratch: fromScratch, in: runtime)
    }

    /// The configuration of `--config`, or of `--from`, for the data that the command names.
    private func load(_ start: WarmStart?) throws -> RunConfiguration {
        if let data, configuration.config == nil, let start {
            return try start.configuration(data: data, overrides: configuration.overrides + media.overrides)
        }
        return try configuration.load(data: data, media.overrides)
    }

    /// The folds to train, new or resumed; nil for a single training.
    private func makeFolds(_ runtime: Runtime) async throws -> FoldTraining? {
        if let folder = try resumedFolder() {
            guard folder.hasFolds else { return nil }
            guard !dryRun else {
                throw VidclassError(.usage, "\(folder.path.printable): --dry-run measures one training; name one of its folds")
            }
            return try await FoldTraining(resuming: folder, overrides: configuration.overrides + media.overrides, in: runtime)
        }
        guard let folds else { return nil }
        if let chosen = try await choose(runtime) { return try chosen.folds(folds, in: runtime) }
        return try await FoldTraining(try load(nil), count: folds, in: runtime)
    }

    private func makePlan(_ runtime: Runtime) async throws -> TrainingPlan {
        guard let folder = try resumedFolder() else {
            if let chosen = try await choose(runtime) { return chosen.plan }
            let start = try older.map { try WarmStart($0) }
            return try await TrainingPlan(try load(start), from: start, in: runtime)
        }
        if resume?.isEmpty == true { Terminal.note(Terminal.fitted("resuming \(folder.path.printable)")) }
        return try await TrainingPlan(resuming: folder, overrides: configuration.overrides + media.overrides, in: runtime)
    }

    /// The folder of `--resume`: the one named, or the newest.
    private func resumedFolder() throws -> RunFolder? {
        try resume.map {
            $0.isEmpty ? try RunFolder.newest(in: OutputConfiguration().directory, holding: \.configPath) : try RunFolder.existing($0)
        }
    }

    /// Until now a signal ends the process at once: there is nothing to save. From here on the first one only asks for a stop.
    private func stopCondition(_ configuration: RunConfiguration) -> StopCondition {
        SignalHandling.allowStop()
        return StopCondition(configuration) { SignalHandling.stopCode != nil }
    }

    private func train(_ folds: FoldTraining) async throws {
        switch try await folds.run(until: stopCondition(folds.configuration)) {
        case .stopped(let reason, let fold, let count):
            try stopped(reason, " in fold \(fold) of \(count); everything is saved", folds.folder, isShown: true)
        case .finished(let summary): if !json { try Terminal.output(summary.text) }
        }
    }

    private func train(_ run: TrainingRun) async throws {
        let wasOver = run.isOver
        switch try await run.run(until: stopCondition(run.configuration)) {
        case .stopped(let reason):
            guard let folder = run.folder else { return }
            try stopped(reason, "; everything is saved in \(folder.lastPath.printable)", folder, isShown: !json || !quiet)
        case .finished(let result):
            if wasOver {
                Terminal.note(
                    Terminal.fitted(
                        "nothing to do: \(result.run.printable) has finished after \(Formatting.count(result.epochs, "epoch"))"
                            + (result.end.map { " (\($0.words))" } ?? "")))
            }
            let text = (wasOver ? result.textOfFinished(run.configuration) : result.text(again: repetition(run.folder))).printableLines
            if !json { try Terminal.output(text) } else if !quiet { Terminal.write(text) }
        }
    }

    /// The command that trains again with the configuration in `folder`, if the user has not given one.
    private func repetition(_ folder: RunFolder?) -> String? {
        guard let folder, configuration.config == nil, resume == nil else { return nil }
        let start = older.map { ["--from", ShellText.path($0)] } ?? []
        return ShellText.vidclass(["train", "--config", ShellText.path(folder.configPath)] + start)
    }

    /// Refuses a configuration or a run in place of data.
    private static func requireData(_ argument: String) throws {
        let path = ShellText.path(argument)
        func error(_ found: String, _ option: String) -> VidclassError {
            VidclassError(
                .usage, "\(argument.printable): expected a folder or CSV of clips, found \(found) without \(option)",
                advice: ["Name it so:", "  " + ShellText.vidclass("train", option, path)])
        }
        if PathText.fileExtension(argument) == "json" { throw error("a configuration", "--config") }
        let folder = RunFolder(path: argument)
        let hasWeights = (try? SystemCall.status(PathText.join(argument, "weights"))) != nil
        if folder.hasFolds || (folder.isRun && hasWeights) { throw error("a run", "--resume") }
    }

    /// Tells the user how to resume, and ends with the signal's exit code if one asked for the stop.
    private func stopped(_ reason: StopCondition.Reason, _ place: String, _ folder: RunFolder, isShown: Bool) throws {
        if isShown {
            Terminal.note(
                Terminal.fitted((reason == .timeIsUp ? "training.max_minutes was reached" : "interrupted") + place + ". Resume with"))
            Terminal.note("  " + ShellText.vidclass("train", "--resume", ShellText.path(folder.path)))
        }
        if let code = SignalHandling.stopCode { throw ExitCode(code) }
    }
}

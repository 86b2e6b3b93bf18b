import ArgumentParser
import Foundation
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
            vidclass train --config <file> [--set <key=value>] ... [<options>]
                   vidclass train --resume [<run>] [<options>]
            """,
        discussion: """
            The data: DIR/<class>/<clip>, DIR/{train,val,test}/<class>/<clip>, or a table path,label[,split][,group] \
            or one in another form that check names.

              vidclass train --config Configs/vgg16-lstm.json --set data.path=videos
              vidclass train --config Configs/smoke.json --set training.epochs=3 --set model.hidden.0.units=64
              vidclass train --config Configs/vgg16-lstm.json --set data.path=videos --dry-run
              vidclass train --config Configs/vgg16-lstm.json --set data.path=videos --folds 5
              vidclass train --resume
              vidclass train --resume runs/train --set training.epochs=40

            Ctrl-C or SIGTERM finishes the current step, saves everything and prints how to resume; a second one ends the process at \
            once. A resumed run can change \(ResumeRules.changeable.joined(separator: ", ")), nothing else.
            """)

    /// Not an argument of this command; `run` says what to do instead.
    @Argument(help: .hidden, completion: .list([]))
    var misplaced: [String] = []

    @OptionGroup var configuration: ConfigurationOptions

    @OptionGroup var media: MediaOptions

    @Option(
        defaultAsFlag: "", parsing: .next,
        help: ArgumentHelp("Resume an interrupted or finished run: its folder, by default the newest one.", valueName: "run"),
        completion: .directory)
    var resume: String?

    @Option(
        help: ArgumentHelp(
            "Cross-validate: train K times, each time on all but one K-th of the clips, and print mean and spread.", valueName: "k"))
    var folds: Int?

    @Flag(help: "Estimate memory, disk space and time, and write nothing.")
    var dryRun = false

    @OptionGroup var threads: ThreadOptions

    @OptionGroup var features: FeatureCacheOptions

    @Flag(help: "Print no start-up report and no progress, only the summary.")
    var quiet = false

    @Flag(help: "Print more: every layer, memory, times, metrics, every saved file.")
    var verbose = false

    @Flag(help: "Print one JSON object per line on standard output as things happen (start, epoch, ..., end), and nothing else there.")
    var json = false

    func validate() throws {
        guard misplaced.isEmpty else { return }
        guard (configuration.config != nil) != (resume != nil) else {
            throw ValidationError(
                resume == nil
                    ? "Give --config FILE to start a training (`\(ShellText.vidclass("init", "VIDEOS"))` makes one), or --resume [RUN] to resume one."
                    : "--config and --resume exclude each other: a resumed run has its own config.json.")
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
        if let argument = misplaced.first { throw TrainCommand.misplacedError(argument) }
        // The training continues after the reader of its output has left (`Terminal.output`).
        // guard: reader-that-leaves
        signal(SIGPIPE, SIG_IGN)
        let stream = json ? TrainingStream() : nil
        let display = RunDisplay(verbose ? .verbose : !quiet ? .normal : json ? .notes : .quiet)
        let runtime = try Runtime(threads.makeWorkers(), cache: try features.cache(), display: display, stream: stream)
        do {
            if let folds = try await makeFolds(runtime) { return try await train(folds) }
            let run = try await TrainingRun(try await makePlan(runtime), in: runtime, isDryRun: dryRun)
            display.show(.startup(run.startupReport))
            if dryRun {
                let cost = try await run.measureCost()
                if let stream { try stream.write(cost) } else { try Terminal.output(cost.text) }
            } else {
                try await train(run)
            }
        } catch {
            display.clear()
            stream?.writeFailure(error)
            throw error
        }
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
        return try await FoldTraining(try configuration.load(media.overrides), count: folds, in: runtime)
    }

    private func makePlan(_ runtime: Runtime) async throws -> TrainingPlan {
        guard let folder = try resumedFolder() else { return try await TrainingPlan(try configuration.load(media.overrides), in: runtime) }
        if resume?.isEmpty == true { Terminal.note("resuming \(folder.path.printable)") }
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
            let text = (wasOver ? result.textOfFinished(run.configuration) : result.text).printableLines
            if !json { try Terminal.output(text) } else if !quiet { Terminal.write(text) }
        }
    }

    /// The error for an argument without an option: a folder of clips, a configuration or a run.
    private static func misplacedError(_ argument: String) -> VidclassError {
        let path = ShellText.path(argument)
        func error(_ found: String, _ advice: [String]) -> VidclassError {
            VidclassError(.usage, "\(argument.printable): expected --config FILE or --resume RUN, found \(found)", advice: advice)
        }
        if PathText.fileExtension(argument) == "json" {
            return error("a configuration without --config", ["Name it so:", "  " + ShellText.vidclass("train", "--config", path)])
        }
        if (try? SystemCall.status(argument)) == nil { return error("an argument that is no option and no file", []) }
        if RunFolder(path: argument).isRun {
            return error("a run without --resume", ["Resume it so:", "  " + ShellText.vidclass("train", "--resume", path)])
        }
        // `init` does not overwrite a configuration.
        let isTaken = (try? SystemCall.status("config.json", followingLink: false)) != nil
        let name = PathText.stem(Folder.resolved(argument)) + ".json"
        let config = isTaken ? ShellText.path(name == "config.json" ? "config2.json" : name) : "config.json"
        return error(
            "data",
            [
                "Make a configuration for it first, then train with that:",
                "  " + ShellText.vidclass(["init", path] + (isTaken ? ["--output", config] : [])),
                "  " + ShellText.vidclass("train", "--config", config),
            ])
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

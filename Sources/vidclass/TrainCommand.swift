import ArgumentParser
import VidCheckpoint
import VidConfig
import VidModel
import VidReport
import VidTensor
import VidTrain

struct TrainCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "train",
        abstract: "Train a classifier on a folder of labelled clips.",
        discussion: """
            The data: DIR/<class>/<clip>, DIR/{train,val,test}/<class>/<clip>, or a CSV file path,label[,split][,group].

              vidclass train --config Configs/vgg16-lstm.json --set data.path=videos
              vidclass train --config Configs/smoke.json --set training.epochs=3 --set model.hidden.0.units=64
              vidclass train --resume
              vidclass train --resume runs/train --set training.epochs=40
            """)

    @Option(help: ArgumentHelp("The run's configuration (JSON); see Configs/ and README.", valueName: "file"))
    var config: String?

    @Option(
        name: .customLong("set"),
        help: ArgumentHelp("Override one value, such as training.epochs=3. May be repeated.", valueName: "key=value"))
    var overrides: [String] = []

    @Option(
        defaultAsFlag: "", parsing: .next,
        help: ArgumentHelp("Go on with an interrupted or finished run: its folder, the newest one by default.", valueName: "run"))
    var resume: String?

    @OptionGroup var threads: ThreadOptions

    @OptionGroup var features: FeatureCacheOptions

    @Flag(help: "No start-up report and no progress, only where things are.")
    var quiet = false

    @Flag(help: "Print one JSON object at the end and nothing else on standard output.")
    var json = false

    func validate() throws {
        guard (config != nil) != (resume != nil) else {
            throw ValidationError(
                config == nil
                    ? "Give --config FILE to start a training, or --resume [RUN] to go on with one."
                    : "--config and --resume exclude each other: a resumed run has its own config.json.")
        }
    }

    func run() async throws {
        let interruption = Interruption()
        let session = try await TrainingSession.prepare(self)
        if !quiet { Terminal.write(session.startupReport.text + "\n") }
        let done = session.trainer.state.epoch
        if done >= session.configuration.training.epochs {
            Terminal.note("nothing to do: \(session.folder.path) has its \(done) epochs. Add some with --set training.epochs=\(done + 10)")
        }
        let progress = TrainingProgress(session, quiet: quiet)
        let outcome: Trainer.Outcome
        do {
            outcome = try await session.trainer.run(
                shouldStop: { interruption.isRequested }, handle: { try progress.handle($0) })
        } catch {
            progress.clear()
            session.folder.removeIfNothingWasKept()
            throw error
        }
        progress.clear()
        let folder = session.folder
        switch outcome {
        case .finished:
            try finish(session)
        case .interrupted:
            Terminal.note("interrupted; everything is kept in \(folder.lastPath)\nGo on with: vidclass train --resume \(folder.path)")
            throw ExitCode(interruption.exitCode ?? 130)
        }
    }

    private func finish(_ session: TrainingSession) throws {
        let state = session.trainer.state
        let folder = session.folder
        if json {
            var members: [(String, JSONNode)] = [("run", .string(folder.path)), ("epochs", .integer(state.epoch))]
            if let best = state.best {
                members += [
                    ("best_epoch", .integer(best.epoch)), ("best_categorical_accuracy", .number(best.accuracy)),
                    ("best_loss", .number(best.loss)),
                ]
            }
            members += [("best_checkpoint", .string(folder.bestPath)), ("last_checkpoint", .string(folder.lastPath))]
            try Terminal.output(JSONNode.object(members).text(pretty: true) + "\n")
            return
        }
        if let best = state.best {
            Terminal.note(
                "best epoch \(best.epoch): accuracy \(Formatting.fixed(best.accuracy, 4)), loss \(Formatting.fixed(best.loss, 4))")
        }
        Terminal.note(
            """
            best model  \(folder.bestPath)
            last state  \(folder.lastPath)
            results     \(folder.resultsPath)
            Try it with: vidclass predict CLIP --checkpoint \(folder.bestPath)
            """)
    }
}

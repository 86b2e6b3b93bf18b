import VidConfig
import VidModel
import VidReport
import VidSystem
import VidTensor
import VidTrain

/// `train --dry-run`: what a training will take, measured where it can be; nothing is written.
struct DryRun {
    private let session: TrainingSession
    private let estimate: TrainingEstimate
    private let room: FileSystemRoom?

    init(_ session: TrainingSession) async throws {
        self.session = session
        estimate = try await session.trainer.estimate()
        room = FileSystemRoom(at: ".")
    }

    /// Bytes of a run's folder: the last two states with their moments, and the best model.
    private var folderBytes: Int {
        let classifier = session.trainer.classifier
        let (total, trainable) = classifier.parameters.counts
        let models = 3 + (session.configuration.training.saveEveryEpochs.map { session.configuration.training.epochs / $0 } ?? 0)
        return (models * total + 2 * session.trainer.optimizer.slots.count * trainable) * MemoryLayout<Float>.stride
    }

    /// Bytes of features that the cache will keep.
    private var cacheBytes: Int {
        let classifier = session.trainer.classifier
        return Int(FeatureStore.bytes(clips: estimate.encodings, steps: classifier.frames, shape: classifier.trainedInputShape))
    }

    /// What later stages take is not measured: each is said to be as long as the first by epoch only where it trains the same.
    private var laterStages: Int { session.configuration.stagePlans.count - 1 - session.trainer.state.stage }

    var text: String {
        var rows = [
            ["parameters", Formatting.grouped(session.trainer.classifier.parameters.counts.total)],
            ["memory", "at most \(Formatting.bytes(session.plan.estimate.total))"],
            [
                "disk",
                "\(Formatting.bytes(folderBytes)) for the run, \(Formatting.bytes(cacheBytes)) more in the feature cache"
                    + (room.map { ", \(Formatting.bytes($0.free)) free here" } ?? ""),
            ],
        ]
        if estimate.encodings > 0 {
            rows.append([
                "encoding",
                "\(Formatting.count(estimate.encodings, "clip")) at \(Formatting.fixed(estimate.secondsPerEncoding, 2)) s: "
                    + Formatting.duration(estimate.secondsBefore),
            ])
        }
        rows += [
            [
                "an epoch",
                "\(Formatting.count(estimate.stepsPerEpoch, "step")) at \(Formatting.fixed(estimate.secondsPerStep, 3)) s, "
                    + "\(Formatting.fixed(estimate.secondsPerValidation, 1)) s of validation: \(Formatting.duration(estimate.secondsPerEpoch))",
            ],
            [
                "in all",
                "\(Formatting.duration(estimate.seconds)) for \(Formatting.count(estimate.epochs, "epoch"))"
                    + (laterStages > 0 ? ", \(Formatting.count(laterStages, "later stage")) aside" : ""),
            ],
        ]
        return Formatting.table(rows)
    }

    /// Of the `estimate` of `--json`.
    var members: [(String, JSONNode)] {
        [
            ("parameters", .integer(session.trainer.classifier.parameters.counts.total)),
            ("trainable_parameters", .integer(session.trainer.classifier.parameters.counts.trainable)),
            ("memory_bytes", .integer(session.plan.estimate.total)), ("disk_bytes", .integer(folderBytes)),
            ("cache_bytes", .integer(cacheBytes)), ("encodings", .integer(estimate.encodings)),
            ("seconds_per_encoding", .number(estimate.secondsPerEncoding)), ("steps_per_epoch", .integer(estimate.stepsPerEpoch)),
            ("seconds_per_step", .number(estimate.secondsPerStep)), ("seconds_per_validation", .number(estimate.secondsPerValidation)),
            ("seconds_per_epoch", .number(estimate.secondsPerEpoch)), ("epochs", .integer(estimate.epochs)),
            ("seconds", .number(estimate.seconds)), ("later_stages", .integer(laterStages)),
        ]
    }
}

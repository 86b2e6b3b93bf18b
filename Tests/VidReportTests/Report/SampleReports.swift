import Testing
import VidConfig
import VidModel
import VidReport
import VidSystem
import VidTensor
import VidTestSupport
import VidTrain

/// Reports to render without training.
enum SampleReports {
    /// Clips of some classes, mostly right, from a stream of their own.
    static func evaluation(_ classes: [String], clips: Int, seed: UInt64 = 3) -> Evaluation {
        var random = RandomGenerator(seed: seed)
        let scored = (0..<clips).map { place -> ClipScores in
            let label = place % classes.count
            let logits = classes.indices.map { random.normal() + ($0 == label ? 2 : 0) }
            return ClipScores(clip: "\(classes[label])/\(place).mp4", label: label, scores: Scores.softmax(logits))
        }
        return Evaluation(classes: classes, clips: scored, losses: scored.map { -Double($0.scores[$0.label]) })
    }

    /// Clips with this confusion matrix: each answer has the score `score`, the other classes share the rest. Every loss is 0.5.
    static func evaluation(_ classes: [String], confusion: [[Int]], score: Float = 0.8) -> Evaluation {
        var clips: [ClipScores] = []
        for (label, row) in confusion.enumerated() {
            for (answer, count) in row.enumerated() {
                for _ in 0..<count {
                    var scores = [Float](repeating: (1 - score) / Float(max(classes.count - 1, 1)), count: classes.count)
                    scores[answer] = score
                    clips.append(ClipScores(clip: "\(clips.count).mp4", label: label, scores: scores))
                }
            }
        }
        return Evaluation(classes: classes, clips: clips, losses: clips.map { _ in 0.5 })
    }

    /// `clips` right answers for each of `count` classes.
    static func diagonal(_ count: Int, _ clips: Int) -> [[Int]] {
        (0..<count).map { row in (0..<count).map { $0 == row ? clips : 0 } }
    }

    static func report(_ evaluation: Evaluation, split: EvaluatedSplit = .test) throws -> RunReport {
        let classes = evaluation.classes
        let groups = ExampleChoice.choose(evaluation.clips).map { kind, places in
            ExampleGroup(
                kind: kind,
                examples: places.map {
                    let clip = evaluation.clips[$0]
                    return ClipExample(
                        place: $0, clip: clip.clip, label: clip.label, scores: clip.scores,
                        picture: .failure(VidclassError(.other, "it is <gone>")))
                })
        }
        let epochs = (1...4).map { epoch -> EpochRecord in
            let (trainLoss, validationLoss) = (1 / Double(epoch), 1.2 / Double(epoch))
            return EpochRecord(
                epoch: epoch, seconds: Double(epoch), trainLoss: trainLoss, trainAccuracy: 0.9,
                validation: .init([.validationLoss: validationLoss, .validationAccuracy: 0.6]), learningRate: 0.002)
        }
        var record = RunRecord(version: "0", command: ["vidclass", "train", "--config", classes[0]], started: "2024-05-01T10:00:00Z")
        (record.seconds, record.stopReason, record.bestEpoch) = (4, "epochs", 4)
        (record.monitor, record.bestValue) = ("val_loss", 0.3)
        let layers = [LayerSummary(name: "output", type: "Dense", outputShape: [classes.count], parameters: 10, isTrainable: true)]
        return RunReport(
            title: classes[0], split: split, source: classes[0], metrics: EvaluationMetrics(evaluation), examples: groups,
            model: .init(
                checkpoint: classes[0], layers: layers, parameters: (10, 10), input: "1 frame", training: [("optimizer", "nadam")]),
            story: RunStory(folder: classes[0], epochs: epochs, record: record, plannedEpochs: 4),
            data: try data(classes, train: classes.indices.map { $0 == 0 ? 60 : 5 }, pairs: 1),
            environment: RunEnvironment(version: "0", threads: 1), command: ["vidclass", "eval", classes[0]], seconds: 1,
            peakBytes: 1)
    }

    /// A `data.json` with one remark and one skipped clip, both named as the first class.
    static func data(_ classes: [String], train: [Int], validation: [Int]? = nil, pairs: Int) throws -> DataSummary {
        let name = JSONNode.string(classes[0])
        let document = JSONNode.object([
            ("data", name), ("classes", .array(classes.map { .string($0) })),
            (
                "parts",
                .object(
                    [("train", .array(train.map { .integer($0) }))]
                        + (validation.map { [("val", .array($0.map { .integer($0) }))] } ?? []))
            ), ("facts", .object([("frames", name)])),
            ("remarks", .array([name])), ("skipped_count", .integer(1)),
            ("skipped", .array([.object([("path", name), ("reason", name)])])), ("same_pairs_count", .integer(pairs)),
            (
                "same_pairs",
                .array((0..<pairs).map { _ in .object([("first", name), ("second", .string("b")), ("identical", .bool(true))]) })
            ),
        ])
        let folder = try TestFolder()
        return try #require(DataSummary(readingFrom: try folder.write("data.json", text: document.text(pretty: true))))
    }
}

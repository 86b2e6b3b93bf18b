import VidConfig
import VidModel
import VidReport
import VidTensor
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

    static func report(_ evaluation: Evaluation, part: RunReport.Part = .test) throws -> RunReport {
        let classes = evaluation.classes
        let groups = ExampleChoice.choose(evaluation.clips).map { kind, places in
            ExampleGroup(
                kind: kind,
                examples: places.map {
                    let clip = evaluation.clips[$0]
                    return ClipExample(
                        place: $0, clip: clip.clip, label: clip.label, scores: clip.scores, picture: .failure(ExampleFault("it is <gone>")))
                })
        }
        let epochs = (1...4).map {
            ResultsTable.Epoch(
                epoch: $0, seconds: Double($0), trainLoss: 1 / Double($0), trainAccuracy: 0.9, validationLoss: 1.2 / Double($0),
                validationAccuracy: 0.6, learningRate: 0.002)
        }
        let story = RunStory(
            folder: classes[0], epochs: epochs, bestEpoch: 4, monitor: "val_loss", bestValue: 0.3, stopReason: "epochs", plannedEpochs: 4,
            seconds: 4, command: ["vidclass", "train", "--config", classes[0]])
        let layers = [LayerSummary(name: "output", type: "Dense", outputShape: [classes.count], parameters: 10, isTrainable: true)]
        let counts = classes.indices.map { $0 == 0 ? 60 : 5 }
        return RunReport(
            title: classes[0], part: part, source: classes[0], metrics: EvaluationMetrics(evaluation), examples: groups,
            model: .init(
                checkpoint: classes[0], layers: layers, parameters: (10, 10), input: "1 frame", training: [("optimizer", "nadam")]),
            story: story,
            data: DataSummary(
                path: classes[0], classes: classes, parts: [.init(name: "train", counts: counts)], remarks: [classes[0]],
                skipped: [.init(clip: classes[0], reason: classes[0])], pairs: [.init(first: classes[0], second: "b", isIdentical: true)]),
            environment: RunEnvironment(version: "0", threads: 1, ffmpeg: nil), command: ["vidclass", "eval", classes[0]], seconds: 1,
            peakBytes: 1)
    }
}

internal import VidReport
internal import VidRun
internal import VidTrain

/// How well a model does on labelled clips.
public struct Evaluation: Sendable {
    /// A clip's scores.
    public struct Clip: Hashable, Sendable {
        /// The path relative to the data.
        public let name: String
        public let label: String
        /// The label with the highest score.
        public let decision: String
        /// For each of ``Evaluation/classes``, in their order.
        public let scores: [Float]
    }

    /// The labels, in the order of the model's scores.
    public let classes: [String]
    public let clips: [Clip]
    /// Mean categorical cross-entropy, natural logarithm.
    public let loss: Double
    /// From 0 to 1.
    public let accuracy: Double
    /// The share of clips whose label is among the five best; nil for five classes or fewer.
    public let topFiveAccuracy: Double?
    /// The mean recall of the classes.
    public let balancedAccuracy: Double
    public let macroF1: Double
    /// In the order of ``classes``.
    public let perClass: [ClassMetrics]
    /// Numbers of clips: rows are true classes, columns the model's answers.
    public let confusion: [[Int]]
    /// The folder of the report; nil if none was written.
    public let reportFolder: String?
    /// Remarks on the clips, one line each.
    public let notes: [String]

    init(_ evaluation: VidTrain.Evaluation, _ metrics: EvaluationMetrics, reportFolder: String?, notes: [String]) {
        let classes = evaluation.classes
        clips = evaluation.clips.map {
            Clip(name: $0.clip, label: classes[$0.label], decision: classes[$0.decision], scores: $0.scores)
        }
        (self.classes, loss, accuracy, confusion) = (classes, evaluation.loss, evaluation.accuracy, evaluation.confusion)
        (topFiveAccuracy, balancedAccuracy) = (metrics.topFive?.value, metrics.balancedAccuracy.value)
        macroF1 = metrics.macroF1.value
        perClass = metrics.perClass.map(ClassMetrics.init)
        (self.reportFolder, self.notes) = (reportFolder, notes)
    }
}

/// The metrics of one class. A ratio without clips in its denominator is 0.
public struct ClassMetrics: Hashable, Sendable {
    public let label: String
    /// The clips of this class.
    public let support: Int
    public let precision: Double
    public let recall: Double
    public let f1: Double

    init(_ metrics: EvaluationMetrics.PerClass) {
        (label, support) = (metrics.label, metrics.support)
        (precision, recall, f1) = (metrics.precision.value, metrics.recall.value, metrics.f1.value)
    }
}

extension Checkpoint {
    /// Evaluates the model on labelled clips, as `vidclass eval` does.
    ///
    /// - Parameters:
    ///   - data: a folder or table of labelled clips; nil for those of the training.
    ///   - split: the split to evaluate; nil for the held-out one, or for all clips if the data names no splits.
    ///   - ignoresUnknownLabels: whether clips with labels that the model doesn't know are left out; otherwise they are an error.
    ///   - report: a folder for the report, made if needed; nil for no report.
    ///   - threads: computing threads, from 1 to 1024; nil for the number of processors.
    ///   - usesCache: whether features of frozen layers are kept for later calls, in `$XDG_CACHE_HOME/vidclass`.
    ///   - progress: is called with the number of clips done, and of all clips.
    /// - Throws: ``VidClassError`` with `.badData` or `.missingInput` for the clips and the model, `.inputOutput` if the report cannot be
    ///   written;
    ///   `CancellationError`.
    public func evaluate(
        onDataAt data: String? = nil, split: Split? = nil, ignoresUnknownLabels: Bool = false, report: String? = nil, threads: Int? = nil,
        usesCache: Bool = true, progress: @escaping @Sendable (_ done: Int, _ total: Int) -> Void = { _, _ in }
    ) async throws -> Evaluation {
        try await VidClassError.translating {
            let runtime = try Runtime(threads: threads, usesCache: usesCache) { event in
                if case .evaluating(let done, let total) = event { progress(done, total) }
                try Task.checkCancellation()
            }
            let saved = try SavedModel(path: path)
            let choice = split.flatMap { EvaluatedClips.SplitChoice(rawValue: $0.rawValue) }
            let clips = try EvaluatedClips(saved, data: data, split: choice, ignoresUnknownLabels: ignoresUnknownLabels)
            let evaluation = try await ModelEvaluation(saved, on: clips, in: runtime)
            let folder = report == nil ? nil : try await evaluation.writeReport(to: report).path
            return Evaluation(evaluation.evaluation, evaluation.metrics, reportFolder: folder, notes: clips.notes)
        }
    }
}

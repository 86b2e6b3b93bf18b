internal import VidRun
internal import VidTrain

/// The scores of a clip.
public struct Prediction: Sendable {
    /// A class with its score.
    public struct Choice: Hashable, Sendable {
        public let label: String
        /// From 0 to 1; the scores of all classes add up to 1.
        public let score: Float
    }

    /// The scores of all classes, in the order of ``Checkpoint/classes``.
    public let scores: [Float]
    /// The classes, best first. Equal scores keep the order of the classes.
    public let ranked: [Choice]
    /// Whether the clip looks unlike the training clips; nil if the model cannot tell.
    public let isUnfamiliar: Bool?
    /// A remark on values that do not look like pixels, such as floats from 0 to 1 where the model expects 0 to 255.
    public let remark: String?

    init(_ scores: [Float], classes: [String], isUnfamiliar: Bool?, remark: String?) {
        self.scores = scores
        ranked = Scores.ranked(scores).map { Choice(label: classes[$0], score: scores[$0]) }
        (self.isUnfamiliar, self.remark) = (isUnfamiliar, remark)
    }

    /// The label with the highest score.
    public var label: String { ranked[0].label }
}

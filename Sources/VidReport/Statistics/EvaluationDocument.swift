import VidConfig
import VidSystem
import VidTrain

/// The JSON document of `eval --json`.
package enum EvaluationDocument {
    package static func document(_ evaluation: Evaluation, _ metrics: EvaluationMetrics) -> JSONNode {
        .object([
            ("loss", .number(evaluation.loss)),
            // As in the report: scores are at least `smallestScore`.
            ("log_loss", .number(metrics.loss.value)),
            ("categorical_accuracy", .number(evaluation.accuracy)),
            ("top_5_accuracy", .number(evaluation.topAccuracy(5))),
            ("clips", .integer(evaluation.clips.count)),
            ("unfamiliar_clips", .integer(ifAny: evaluation.unfamiliarClips)),
            ("balanced_accuracy", .number(metrics.balancedAccuracy.value)),
            ("macro_f1", .number(metrics.macroF1.value)),
            ("expected_calibration_error", .number(metrics.calibrationError.value)),
            ("brier_score", .number(metrics.brier.value)),
            ("majority_class_share", .number(metrics.majority.share)),
            ("confidence_intervals", intervals(metrics)),
            ("classes", .array(metrics.perClass.map(document))),
            ("confusion_matrix", .array(evaluation.confusion.map { .array($0.map { .integer($0) }) })),
        ])
    }

    private static func intervals(_ metrics: EvaluationMetrics) -> JSONNode {
        .object([
            ("categorical_accuracy", range(metrics.accuracy)), ("top_5_accuracy", metrics.topFive.map(range) ?? .null),
            ("log_loss", range(metrics.loss)), ("balanced_accuracy", range(metrics.balancedAccuracy)),
            ("macro_f1", range(metrics.macroF1)), ("expected_calibration_error", range(metrics.calibrationError)),
            ("brier_score", range(metrics.brier)),
        ])
    }

    private static func document(_ metrics: EvaluationMetrics.PerClass) -> JSONNode {
        .object([
            ("label", .string(metrics.label)), ("support", .integer(metrics.support)), ("precision", .number(metrics.precision.value)),
            ("recall", .number(metrics.recall.value)), ("f1", .number(metrics.f1.value)),
            (
                "confidence_intervals",
                .object([("precision", range(metrics.precision)), ("recall", range(metrics.recall)), ("f1", range(metrics.f1))])
            ),
        ])
    }

    /// `[low, high]`, or null without an interval.
    private static func range(_ measure: Measure) -> JSONNode {
        measure.interval.map { .array([.number($0.low), .number($0.high)]) } ?? .null
    }
}

import Testing
import VidConfig
import VidSystem
import VidTrain

/// Metrics that a training watches: values, directions, and classes that are not there.
@Suite struct MonitorTests {
    private let evaluation = Evaluation(
        classes: ["a", "b", "c"],
        clips: [
            ClipScores(clip: "1", label: 0, scores: [0.7, 0.2, 0.1]), ClipScores(clip: "2", label: 0, scores: [0.3, 0.6, 0.1]),
            ClipScores(clip: "3", label: 1, scores: [0.1, 0.8, 0.1]),
        ], losses: [0.1, 0.2, 0.6])

    private func record(_ validation: ValidationMetrics?) -> EpochRecord {
        EpochRecord(epoch: 1, seconds: 0, trainLoss: 2, trainAccuracy: 0.5, validation: validation, learningRate: 1)
    }

    /// Worked out by hand; 2/3 of the decisions are right, b is decided for twice.
    @Test(
        arguments: [
            ("loss", 2), ("categorical_accuracy", 0.5), ("val_loss", 0.3), ("val_categorical_accuracy", 0.6666666666666666),
            ("val_top_5_accuracy", 1), ("val_macro_f1", 0.6666666666666666), ("val_balanced_accuracy", 0.75),
            ("val_ece", 0.16666666666666666), ("val_brier", 0.35333333333333333), ("val_precision/a", 1), ("val_recall/a", 0.5),
            ("val_f1/a", 0.6666666666666666), ("val_precision/b", 0.5), ("val_recall/b", 1), ("val_f1/c", 0),
        ] as [(String, Double)])
    func valuesOfAnEpoch(name: String, expected: Double) throws {
        let metric = try #require(Metric(rawValue: name))
        let monitor = try Monitor(metric, classes: evaluation.classes, hasValidation: true)
        let values = ValidationMetrics(
            Dictionary(uniqueKeysWithValues: Metric.Kind.whole.compactMap { kind in evaluation.value(of: kind).map { (kind, $0) } }))
        #expect(monitor.metric == metric)
        #expect(abs(monitor.value(record(values), evaluation) - expected) <= 1e-7)
        // Without an evaluation, a validation metric is unknown.
        #expect(monitor.value(record(nil), nil).isNaN != metric.kind.isOfTraining)
    }

    @Test(arguments: Metric.Kind.allCases) func everyKindHasADirectionThatAModeOverrides(_ kind: Metric.Kind) throws {
        let metric = Metric(kind, label: Metric.Kind.perClass.contains(kind) ? "b" : nil)
        func monitor(_ mode: MonitorMode, hasValidation: Bool = true) throws -> Monitor {
            try Monitor(metric, mode: mode, classes: ["a", "b"], hasValidation: hasValidation)
        }
        let isLower = ["loss", "val_loss", "val_ece", "val_brier"].contains(kind.rawValue)
        #expect(try monitor(.auto).isBetter(1, than: 2) == isLower && monitor(.auto).isBetter(2, than: 1) == !isLower)
        #expect(try monitor(.min).isBetter(1, than: 2) && !monitor(.min).isBetter(2, than: 1) && monitor(.min).reaches(1, 1))
        #expect(try monitor(.max).isBetter(2, than: 1) && !monitor(.max).isBetter(1, than: 2) && !monitor(.max).reaches(2, 1))
        // Without validation, the training's own metric of the same direction is watched.
        let own = try monitor(.auto, hasValidation: false)
        #expect(own.metric == (kind.isOfTraining ? metric : Metric(isLower ? .loss : .categoricalAccuracy)))
        #expect(own.value(record(nil), nil) == (own.metric.kind == .loss ? 2 : 0.5) && own.isBetter(1, than: 2) == isLower)
    }

    @Test func noValueIsBetterThanNaN() throws {
        let monitor = try Monitor(Metric(.validationAccuracy), classes: [], hasValidation: true)
        #expect(!monitor.isBetter(.nan, than: 0) && !monitor.isBetter(0.5, than: 0.5) && monitor.isBetter(0.6, than: 0.5))
        #expect(!monitor.isBetter(0.6, than: 0.5, by: 0.2))
        #expect(monitor.reaches(0.9, 0.9) && !monitor.reaches(0.9, 0.89) && !monitor.reaches(0.9, .nan))
    }

    /// Also where there is no validation split and the class does not matter.
    @Test(arguments: [true, false]) func aClassThatIsNotThereIsRefused(hasValidation: Bool) throws {
        var configuration = TrainingConfiguration()
        configuration.reduceOnPlateau.monitor = Metric(.validationRecall, label: "upp")
        #expect {
            try Trainer.checkClasses(configuration, ["down", "up"], labels: [0, 1])
        } throws: {
            let error = $0 as? VidclassError
            return error?.kind == .badData
                && error?.message
                    == #"val_recall/upp: there is no class "upp" in the data; did you mean "up"? The classes are "down", "up""#
        }
        #expect(throws: VidclassError.self) {
            try Monitor(Metric(.validationF1, label: "x\u{1B}[2J"), classes: ["a", "b"], hasValidation: hasValidation)
        }
        // Canonically equivalent is not equal: classes are bytes.
        #expect(throws: VidclassError.self) {
            try Monitor(Metric(.validationF1, label: "e\u{301}"), classes: ["\u{E9}"], hasValidation: hasValidation)
        }
    }
}

import Foundation
import Testing
import VidConfig
import VidTrain

/// Early stopping, the plateau and the schedules against traces of Keras's (Scripts/make_callback_goldens.py), epoch by epoch.
@Suite struct CallbackTests {
    private static func cases(_ kind: String) throws -> [[String: Any]] {
        let url = try #require(Bundle.module.url(forResource: "callbacks", withExtension: "json", subdirectory: "Goldens"))
        let all = try #require(try JSONSerialization.jsonObject(with: Data(contentsOf: url)) as? [[String: Any]])
        let cases = all.filter { $0["kind"] as? String == kind }
        try #require(!cases.isEmpty)
        return cases
    }

    private static func monitor(_ golden: [String: Any]) throws -> Monitor {
        let falls = try #require(golden["falling"] as? Bool)
        return Monitor(.loss, mode: falls ? .min : .max, hasValidation: false)
    }

    @Test func earlyStoppingEndsAtKerasEpoch() throws {
        for golden in try Self.cases("early_stopping") {
            let settings = try #require(golden["settings"] as? [String: Any])
            var configuration = EarlyStoppingConfiguration()
            configuration.patience = try #require(settings["patience"] as? Int)
            configuration.minDelta = settings["min_delta"] as? Double ?? 0
            configuration.startFromEpoch = settings["start_from_epoch"] as? Int ?? 0
            let monitor = try Self.monitor(golden)
            var callback = EarlyStopping()
            var ended: Int?
            for (epoch, value) in try #require(golden["values"] as? [Double]).enumerated() where ended == nil {
                callback.update(value, epoch: epoch, monitor, configuration)
                if callback.isOver(configuration) { ended = epoch + 1 }
            }
            #expect(ended == golden["epochs"] as? Int, "\(settings)")
        }
    }

    @Test func thePlateauReducesWhenKerasDoes() throws {
        for golden in try Self.cases("reduce_lr_on_plateau") {
            let settings = try #require(golden["settings"] as? [String: Any])
            var configuration = ReduceOnPlateauConfiguration()
            configuration.patience = try #require(settings["patience"] as? Int)
            configuration.factor = try #require(settings["factor"] as? Double)
            configuration.minDelta = settings["min_delta"] as? Double ?? configuration.minDelta
            configuration.cooldown = settings["cooldown"] as? Int ?? 0
            configuration.minLearningRate = settings["min_lr"] as? Double ?? 0
            let monitor = try Self.monitor(golden)
            let rates = try #require(golden["rates"] as? [Double])
            var callback = ReduceOnPlateau()
            for (epoch, value) in try #require(golden["values"] as? [Double]).enumerated() {
                _ = callback.update(value, monitor, configuration, learningRate: 0.1)
                // Keras holds the rate in single precision and rounds at each reduction.
                #expect(abs(0.1 * callback.scale / rates[epoch] - 1) <= 1e-6, "\(settings), epoch \(epoch)")
            }
        }
    }

    @Test func theCosineIsKeras() throws {
        for golden in try Self.cases("cosine") {
            var configuration = LearningRateScheduleConfiguration(type: .cosine)
            configuration.alpha = try #require((golden["settings"] as? [String: Any])?["alpha"] as? Double)
            let steps = try #require(golden["steps"] as? Int)
            let schedule = LearningRateSchedule(configuration, epochs: 1, stepsPerEpoch: steps)
            for (step, rate) in try #require(golden["rates"] as? [Double]).enumerated() {
                // Keras computes in single precision.
                #expect(abs(0.1 * schedule.factor(step: step) - rate) <= 2e-8, "step \(step)")
            }
        }
    }

    @Test func warmUpRisesStepByStepAndStepsFollow() {
        var configuration = LearningRateScheduleConfiguration(type: .step)
        configuration.warmupEpochs = 0.5
        configuration.stepEpochs = 2
        configuration.factor = 0.5
        let schedule = LearningRateSchedule(configuration, epochs: 6, stepsPerEpoch: 4)
        #expect(
            (0..<24).map { schedule.factor(step: $0) } == [0.5] + [Double](repeating: 1, count: 7) + [Double](repeating: 0.5, count: 8)
                + [Double](repeating: 0.25, count: 8))
    }

    @Test func withoutValidationTheTrainingsOwnFigureIsWatched() {
        let record = EpochRecord(epoch: 1, seconds: 0, trainLoss: 2, trainAccuracy: 0.5, validation: nil, learningRate: 1)
        #expect(Monitor(.validationMacroF1, hasValidation: false).value(record) == 0.5)
        #expect(Monitor(.validationLoss, hasValidation: false).value(record) == 2)
        #expect(Monitor(.validationLoss, hasValidation: true).value(record).isNaN)
    }

    @Test func noFigureIsBetterThanNaN() {
        let monitor = Monitor(.validationAccuracy, hasValidation: true)
        #expect(!monitor.isBetter(.nan, than: 0) && !monitor.isBetter(0.5, than: 0.5) && monitor.isBetter(0.6, than: 0.5))
        #expect(!monitor.isBetter(0.6, than: 0.5, by: 0.2))
        #expect(monitor.reaches(0.9, 0.9) && !monitor.reaches(0.9, 0.89) && !monitor.reaches(0.9, .nan))
    }
}

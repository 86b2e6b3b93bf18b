import Foundation
import Testing
import VidConfig
import VidTrain

/// Early stopping, the plateau and the schedules against traces of Keras's (maintain.goldens callbacks), epoch by epoch.
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
        return try Monitor(Metric(.loss), mode: falls ? .min : .max, classes: [], hasValidation: false)
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
        let factors = (0..<24).map { schedule.factor(step: $0) }
        #expect(factors.prefix(8) == [0.5, 1, 1, 1, 1, 1, 1, 1])
        #expect(factors[8..<16].allSatisfy { $0 == 0.5 } && factors[16...].allSatisfy { $0 == 0.25 })
    }

    /// The factors at the first and last step of the warm-up, of the stage, and beyond its planned end.
    @Test func schedulesHoldAtTheirBorders() {
        func schedule(_ type: LearningRateScheduleType, warmup: Double = 0, alpha: Double = 0, epochs: Int = 4) -> LearningRateSchedule {
            var configuration = LearningRateScheduleConfiguration(type: type)
            (configuration.warmupEpochs, configuration.alpha, configuration.stepEpochs, configuration.factor) = (warmup, alpha, 1, 0.5)
            return LearningRateSchedule(configuration, epochs: epochs, stepsPerEpoch: 5)
        }
        #expect([0, 19, 20, 1000].map { schedule(.constant).factor(step: $0) } == [1, 1, 1, 1])
        #expect([0, 4, 5].map { schedule(.constant, warmup: 1).factor(step: $0) } == [0.2, 1, 1])
        // 0.1 epochs of five steps round to one step, 0.09 to none.
        #expect(schedule(.constant, warmup: 0.1).factor(step: 0) == 1 && schedule(.constant, warmup: 0.09).factor(step: 0) == 1)
        #expect([0, 20, 1000].map { schedule(.cosine, alpha: 0.25).factor(step: $0) } == [1, 0.25, 0.25])
        #expect(schedule(.cosine, warmup: 1).factor(step: 5) == 1 && schedule(.cosine, warmup: 1).factor(step: 20) == 0)
        // A warm-up over the whole stage, and beyond it.
        #expect([0, 19, 20].map { schedule(.cosine, warmup: 4).factor(step: $0) } == [0.05, 1, 1])
        #expect(schedule(.cosine, warmup: 8).factor(step: 19) == 0.5)
        #expect([0, 4, 5, 9, 10].map { schedule(.step).factor(step: $0) } == [1, 1, 0.5, 0.5, 0.25])
    }
}

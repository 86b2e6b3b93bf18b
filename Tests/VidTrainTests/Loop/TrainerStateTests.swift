import Foundation
import Testing
import VidConfig
import VidModel
import VidTensor
import VidTrain

/// A saved state is text that anybody can write: a state that no training produces is refused.
@Suite struct TrainerStateTests {
    private let configuration = RunConfiguration()

    /// The state before the first step with `changes` of its text, which must be there.
    private func state(_ changes: [(String, String)]) throws -> TrainerState {
        let encoder = JSONEncoder()
        encoder.outputFormatting = .sortedKeys
        var text = String(decoding: try encoder.encode(TrainerState(seed: 1)), as: UTF8.self)
        for (old, new) in changes {
            try #require(text.contains(old), "\(old) in \(text)")
            text = text.replacing(old, with: new, maxReplacements: 1)
        }
        return try JSONDecoder().decode(TrainerState.self, from: Data(text.utf8))
    }

    @Test func statesOfATrainingAreAccepted() throws {
        #expect(try state([]).fault(clips: 20, configuration) == nil)
        // Two steps of eight into an epoch of twenty.
        let order = "[" + (0..<20).map { "\(19 - $0)" }.joined(separator: ",") + "]"
        let begun = [
            (#""stageEpoch":0,"step":0"#, #""stageEpoch":0,"step":2"#), (#""order":[]"#, #""order":\#(order)"#),
            (#""clips":0"#, #""clips":16"#),
        ]
        #expect(try state(begun).fault(clips: 20, configuration) == nil)
        #expect(try state(begun).fault(clips: 19, configuration) != nil)
        #expect(try state(begun + [("19,", "20,")]).fault(clips: 20, configuration)?.contains("order of clips") == true)
        #expect(try state(begun + [("19,", "-1,")]).fault(clips: 20, configuration)?.contains("order of clips") == true)
        #expect(try state(begun + [(#""step":2"#, #""step":4"#)]).fault(clips: 20, configuration)?.contains("more than an epoch") == true)
    }

    @Test(arguments: [
        (#""epoch":0"#, #""epoch":9223372036854775807"#), (#""epoch":0"#, #""epoch":-1"#), (#""stage":0"#, #""stage":-1"#),
        (#""stage":0"#, #""stage":-9223372036854775808"#), (#""stageEpoch":0"#, #""stageEpoch":1"#),
        (#""stageEpoch":0"#, #""stageEpoch":-9223372036854775808"#), (#""correct":0"#, #""correct":1"#),
        (#""clips":0"#, #""clips":-9223372036854775808"#), (#""clips":0"#, #""clips":21"#), (#""order":[]"#, #""order":[0]"#),
        (#""order":[]"#, #""order":[99999999]"#), (#""m_schedule":1"#, #""m_schedule":1e300"#), (#""scale":1"#, #""scale":0"#),
        (#""scale":1"#, #""scale":-1"#), (#""scale":1"#, #""scale":1e300"#), (#""cooldown":0"#, #""cooldown":-9223372036854775808"#),
        (#""wait":0"#, #""wait":9223372036854775807"#), (#""step":0}"#, #""step":9223372036854775807}"#),
        (#""epoch":0"#, #""best":{"epoch":1,"value":1,"loss":1,"accuracy":1},"epoch":0"#),
    ])
    func otherStatesAreRefused(old: String, new: String) throws {
        let fault = try state([(old, new)]).fault(clips: 20, configuration)
        #expect(fault != nil)
        #expect(fault?.contains("\n") != true)
    }

    /// Every number of a state, one after the other, as large, small or odd as JSON can say it: the state is refused, or a trainer works
    /// with it. Nothing traps.
    @Test func anyNumberIsRefusedOrUsed() async throws {
        let clips = try await TestClips()
        let configuration = TestClips.configuration()
        let text = #"""
            {"best":{"accuracy":1,"epoch":1,"loss":1,"value":1},"data":"","dropoutRandom":{"block":1,"remaining":1,"seed":1,"stream":1},\#
            "earlyStopping":{"best":1,"wait":1},"epoch":1,"isRestored":false,"optimizer":{"m_schedule":1,"step":1},\#
            "order":[1,1,1,1,1,1,1,1,1,1,1,1],"orderRandom":{"block":1,"remaining":1,"seed":1,"stream":1},\#
            "plateau":{"best":1,"cooldown":1,"scale":1,"wait":1},"running":{"clips":1,"correct":1,"loss":1},"stage":0,"stageEpoch":1,"step":1}
            """#
        let values = [
            "9223372036854775807", "-9223372036854775808", "18446744073709551615", "1e308", "-1e308", "5e-324", "-1", "0", "0.5", "1e400",
            "\"NaN\"", "null", "true", "[]",
        ]
        let places = text.matches(of: /[:,\[]([01])(?=[,}\]])/).map { $0.1.startIndex..<$0.1.endIndex }
        #expect(places.count == 39)
        for place in places {
            for value in values {
                var changed = text
                changed.replaceSubrange(place, with: value)
                guard let state = try? JSONDecoder().decode(TrainerState.self, from: Data(changed.utf8)),
                    state.fault(clips: 12, configuration) == nil
                else { continue }
                let trainer = try clips.trainer(configuration, state: state)
                _ = (trainer.end, trainer.epochsLeft, trainer.nextLearningRate)
                // A state may make the first step diverge, which is an error of its own.
                _ = try? await trainer.run(shouldStop: { false }, handle: { if case .batch = $0 { throw CancellationError() } })
            }
        }
    }

    @Test(arguments: ["4", "-1", "9223372036854775807", "-9223372036854775808"]) func anImpossibleGeneratorIsRefused(remaining: String) {
        #expect(throws: DecodingError.self) { try self.state([(#""remaining":0"#, #""remaining":\#(remaining)"#)]) }
    }

    /// The text of a state full of odd values: checkpoints hold it, so it must not change by a byte.
    ///
    /// It is Foundation's JSON, not the project's own, which writes 3.0 for 3, cannot write -0 and ends at 2^63.
    @Test func theTextOfAStateNeverChanges() throws {
        let text = #"""
            {"best":{"accuracy":0.1,"epoch":2,"loss":1e-20,"value":-0},"data":"a\u0001\"/é","dropoutRandom":{"block":3,"remaining":0,\#
            "seed":18446744073709551615,"stream":2},"earlyStopping":{"best":0.30000000000000004,"wait":1},"epoch":3,"isRestored":true,\#
            "optimizer":{"m_schedule":0.96,"step":9007199254740993},"order":[2,0,1],"orderRandom":{"block":18446744073709551615,\#
            "remaining":3,"seed":9223372036854775808,"stream":1},"plateau":{"cooldown":0,"scale":1,"wait":0},"running":{"clips":0,\#
            "correct":0,"loss":1e+16},"stage":0,"stageEpoch":1,"step":0}
            """#
        let state = try JSONDecoder().decode(TrainerState.self, from: Data(text.utf8))
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
        #expect(String(decoding: try encoder.encode(state), as: UTF8.self) == text)
        #expect(state.best?.value.sign == .minus && state.running.loss == 1e16 && state.orderRandom.seed == 1 << 63)
        // What is nil is left out.
        let fresh = String(decoding: try encoder.encode(TrainerState(seed: .max)), as: UTF8.self)
        #expect(!fresh.contains("best") && !fresh.contains("null") && fresh.contains(#""seed":18446744073709551615,"stream":1"#))
    }

    @Test func everyFaultNamesItsCause() throws {
        for (old, new, part) in [
            (#""epoch":0"#, #""epoch":-1"#, "epoch: expected a number from 0 to 1099511627776, found -1"),
            (#""stageEpoch":0"#, #""stageEpoch":1"#, "comes after its 0 epochs"),
            (#""clips":0"#, #""clips":21"#, "more than an epoch of 20 clips"),
            (#""order":[]"#, #""order":[0]"#, "order of 20 clips"), (#""scale":1"#, #""scale":0"#, "callbacks"),
        ] {
            let fault = try state([(old, new)]).fault(clips: 20, configuration)
            #expect(fault?.contains(part) == true, "\(fault ?? "nil")")
        }
    }

    @Test func aStageBeginsWithAFreshOptimizerAndFreshCallbacks() throws {
        var state = try state([(#""epoch":0"#, #""best":{"epoch":4,"value":1,"loss":1,"accuracy":1},"epoch":5"#)])
        (state.optimizer.step, state.optimizer.momentumSchedule) = (40, 0.5)
        let monitor = try Monitor(Metric(.loss), classes: [], hasValidation: false)
        for value in [1, 2.0] { state.earlyStopping.update(value, epoch: 0, monitor, EarlyStoppingConfiguration()) }
        let random = state.orderRandom
        state.beginNextStage()
        #expect(
            state.stage == 1 && state.stageEpoch == 5 && state.epochsOfStage == 0 && state.best?.epoch == 4 && state.orderRandom == random)
        #expect(state.optimizer == OptimizerState() && state.earlyStopping == EarlyStopping() && state.plateau == ReduceOnPlateau())
    }
}

import Foundation
import Testing
import VidConfig
import VidTensor
import VidTrain

/// A saved state is a text that anybody can write: what no training comes to is refused.
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

    @Test func thoseOfATrainingAreTaken() throws {
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
    func othersAreNot(old: String, new: String) throws {
        let fault = try state([(old, new)]).fault(clips: 20, configuration)
        #expect(fault != nil)
        #expect(fault?.contains("\n") != true)
    }

    @Test(arguments: ["4", "-1", "9223372036854775807", "-9223372036854775808"]) func aGeneratorThatIsNoneIsNotRead(remaining: String) {
        #expect(throws: DecodingError.self) { try self.state([(#""remaining":0"#, #""remaining":\#(remaining)"#)]) }
    }
}

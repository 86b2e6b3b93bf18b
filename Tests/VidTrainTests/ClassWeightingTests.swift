import Testing
import VidConfig
import VidSystem
import VidTrain

@Suite struct ClassWeightingTests {
    @Test func classWeightsAreScikitLearns() throws {
        // sklearn.utils.class_weight.compute_class_weight("balanced", classes=[0, 1, 2], y=[0] * 5 + [1] * 2 + [2])
        let labels = [0, 0, 0, 0, 0, 1, 1, 2]
        let weights = try #require(try ClassWeighting.weights(.balanced, classes: ["a", "b", "c"], labels: labels))
        for (weight, expected) in zip(weights, [0.53333333, 1.33333333, 2.66666667]) { #expect(abs(weight - Float(expected)) <= 1e-6) }
        #expect(try ClassWeighting.weights(.none, classes: ["a"], labels: []) == nil)
        let named = ClassWeights.byLabel([.init(label: "c", weight: 3), .init(label: "a", weight: 0)])
        #expect(try ClassWeighting.weights(named, classes: ["a", "b", "c"], labels: labels) == [0, 1, 3])
        #expect {
            try ClassWeighting.weights(.byLabel([.init(label: "bb", weight: 1)]), classes: ["aa", "ba"], labels: [])
        } throws: {
            let error = $0 as? VidclassError
            return error?.kind == .badData
                && error?.message
                    == #"training.class_weights: there is no class "bb" in the data; did you mean "ba"? The classes are "aa", "ba""#
        }
    }

    @Test func aClassWithoutClipsHasAFiniteWeight() throws {
        #expect(try ClassWeighting.weights(.balanced, classes: ["a", "b", "c"], labels: [0, 0, 1]) == [0.5, 1, 1])
        #expect(try ClassWeighting.weights(.balanced, classes: ["a", "b"], labels: []) == [0, 0])
        #expect(try ClassWeighting.weights(.byLabel([]), classes: ["a", "b"], labels: [0]) == [1, 1])
    }

    @Test func notAllTrainingClipsMayHaveTheWeightZero() throws {
        let classes = ["a", "b", "c"]
        func weights(_ a: Double, _ b: Double, labels: [Int]) throws -> [Float]? {
            try ClassWeighting.weights(
                .byLabel([.init(label: "a", weight: a), .init(label: "b", weight: b)]), classes: classes, labels: labels)
        }
        #expect(try weights(0, 0, labels: [0, 1, 2]) == [0, 0, 1])
        #expect(try weights(0, 2, labels: [0, 0, 1]) == [0, 2, 1])
        // The second weight is 0 in single precision.
        for (b, labels) in [(0, [0, 1]), (1e-60, [0, 1, 1]), (3, [0, 0])] {
            #expect {
                try weights(0, b, labels: labels)
            } throws: {
                let error = $0 as? VidclassError
                return error?.kind == .badData
                    && error?.message.hasPrefix("training.class_weights: every class of the training clips has the weight 0") == true
                    && error?.message.contains("--set training.class_weights=null") == true
            }
        }
    }
}

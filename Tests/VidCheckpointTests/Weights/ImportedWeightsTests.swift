import Foundation
import Testing
import VidCheckpoint
import VidConfig
import VidModel
import VidSystem
import VidTensor
import VidTestSupport

@Suite struct ImportedWeightsTests {
    private let weights: ImportedWeights

    init() async throws { weights = try await read(fixture("keras1.h5")) }

    @Test func fillsTheCNNAlone() throws {
        let store = try fixtureStore()
        let output = try #require(store.slice(named: "output/kernel"))
        store.values.tensor([store.values.count]).fill(.nan)
        store.value(output).fill(7)
        let version = store.version
        #expect(try weights.load(into: store).isEmpty)
        #expect(store.version > version)
        for (slice, expected) in zip(store.slices, fixtureTensors) {
            #expect(store.value(slice).array == fixtureValues(expected.number, slice.count))
        }
        #expect(store.value(output).array.allSatisfy { $0 == 7 })
    }

    /// Sums of three multiples of 1/64 below 1 are exact.
    @Test func sumsTheFirstKernelForOneChannel() throws {
        let store = try fixtureStore(channels: 1)
        store.values.tensor([store.values.count]).fill(.nan)
        let notes = try weights.load(into: store)
        #expect(notes == ["cnn/block1_conv1/kernel: summed over its 3 input channels, because the model's input has one"])
        let expected = (0..<9).flatMap { place in
            (0..<2).map { filter in (0..<3).reduce(Float(0)) { $0 + fixtureValue((place * 3 + $1) * 2 + filter, 1) } }
        }
        #expect(store.value(store.slices[0]).array == expected)
        #expect(store.value(store.slices[1]).array == fixtureValues(101, 2))
    }

    @Test func warnsOfAnotherPreprocessing() {
        #expect(weights.warning(configured: .caffe) == nil)
        #expect(
            weights.warning(configured: .unit)?.contains("trained with data.preprocessing \"caffe\", but the config has \"unit\"") == true)
    }

    @Test func refusesAnotherArchitecture() throws {
        for channels in [2, 4] {
            let error = failure { _ = try weights.load(into: try fixtureStore(channels: channels)) }
            #expect(error?.message.contains("cnn/block1_conv1/kernel is (3, 3, 3, 2), expected (3, 3, \(channels), 2)") == true)
        }
        var layout = ParameterLayout()
        _ = layout.add("cnn/block1_conv1/kernel", [3, 3, 3, 2], .zeros)
        _ = layout.add("cnn/block1_conv1/bias", [2], .zeros)
        _ = layout.add("cnn/block3_conv1/bias", [2], .zeros)
        let store = try ParameterStore(layout)
        store.values.tensor([store.values.count]).fill(5)
        let error = failure { _ = try weights.load(into: store) }
        #expect(error?.kind == .badData)
        #expect(
            error?.message.contains("cnn/block3_conv1/bias (2) is missing; cnn/block1_conv2/kernel (3, 3, 2, 3) is not in the model")
                == true)
        #expect(store.values.tensor([store.values.count]).array.allSatisfy { $0 == 5 })
    }
}

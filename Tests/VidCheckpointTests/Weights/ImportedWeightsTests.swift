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
        #expect(try weights.load(into: store, preprocessing: .torch).isEmpty)
        #expect(store.version > version)
        for (slice, expected) in zip(store.slices, fixtureTensors) {
            #expect(store.value(slice).array == fixtureValues(expected.number, slice.count))
        }
        #expect(store.value(output).array.allSatisfy { $0 == 7 })
    }

    /// The sum of the channels' kernels; sums of three multiples of 1/64 below 1 are exact.
    @Test func sumsTheFirstKernelForOneChannel() throws {
        let store = try fixtureStore(channels: 1)
        store.values.tensor([store.values.count]).fill(.nan)
        let notes = try weights.load(into: store, preprocessing: .unit)
        #expect(notes.count == 1 && notes[0].hasPrefix("cnn/block1_conv1/kernel: its 3 input channels are folded into one, "))
        let expected = (0..<9).flatMap { place in
            (0..<2).map { filter in (0..<3).reduce(Float(0)) { $0 + fixtureValue((place * 3 + $1) * 2 + filter, 1) } }
        }
        #expect(store.value(store.slices[0]).array == expected)
        #expect(store.value(store.slices[1]).array == fixtureValues(101, 2))
    }

    /// The single channel is grey - 114.799, channel c of a colour is grey - mean_c.
    @Test func foldsTheMeansIntoTheFirstBias() throws {
        let store = try fixtureStore(channels: 1)
        _ = try weights.load(into: store, preprocessing: .caffe)
        let means = [103.939, 116.779, 123.68]
        for filter in 0..<2 {
            var bias = Double(fixtureValue(filter, 101))
            for tap in 0..<27 {
                bias += Double(fixtureValue(tap * 2 + filter, 1)) * ((103.939 + 116.779 + 123.68) / 3 - means[tap % 3])
            }
            #expect(abs(Double(store.value(store.slices[1]).array[filter]) - bias) <= 1e-5 * abs(bias))
        }
    }

    /// A grey frame gives the maps of the same frame with three equal channels, except at the rim.
    @Test(arguments: PreprocessingName.allCases) func aGreyFrameGivesTheFeaturesOfItsColourFrame(_ preprocessing: PreprocessingName) throws
    {
        let size = 32
        let grey = (0..<size * size).map { UInt8(($0 * 37 + $0 / size * 101) % 256) }
        func features(channels: Int) throws -> [Float] {
            var configuration = CNNConfiguration()
            (configuration.architecture, configuration.pooling) = (.blocks([[2, 3], [4]]), .flatten)
            var input = InputConfiguration()
            (input.rows, input.columns, input.channels) = (size, size, channels)
            var layout = ParameterLayout()
            let encoder = try FrameEncoder(configuration, input: input, layout: &layout)
            let context = Context(parameters: try ParameterStore(layout), workers: Workers(count: 1), random: RandomGenerator(seed: 1))
            _ = try weights.load(into: context.parameters, preprocessing: preprocessing)
            let frames = context.workspace.take(encoder.inputShape.prepending(1))
            let bytes = (0..<channels).flatMap { _ in grey }
            PixelConversion.convert(
                bytes: bytes, rule: Preprocessing(preprocessing, channels: channels), into: frames, workers: context.workers)
            let features = context.workspace.take([1, 8 * 8 * 4])
            features.fill(.nan)
            encoder.encode(frames: frames, into: features, context)
            return features.array
        }
        let (found, expected) = (try features(channels: 1), try features(channels: 3))
        let largest = try #require(expected.max())
        #expect(largest > 0)
        var (inside, rim): (Float, Float) = (0, 0)
        for index in found.indices {
            let (row, column) = (index / 4 / 8, index / 4 % 8)
            let error = abs(found[index] - expected[index]) / largest
            if (1...6).contains(row), (1...6).contains(column) { inside = max(inside, error) } else { rim = max(rim, error) }
        }
        #expect(inside <= 1e-5)
        // Beyond the border is the mean colour there and the mean grey here.
        let hasMeans = preprocessing == .caffe || preprocessing == .torch
        #expect(hasMeans ? rim > 1e-5 : rim <= 1e-5)
    }

    @Test func warnsOfAnotherPreprocessing() {
        #expect(weights.warning(configured: .caffe) == nil)
        #expect(
            weights.warning(configured: .unit)?.contains("trained with data.preprocessing \"caffe\", but the config has \"unit\"") == true)
    }

    @Test func refusesAnotherArchitecture() throws {
        for channels in [2, 4] {
            let error = failure { _ = try weights.load(into: try fixtureStore(channels: channels), preprocessing: .caffe) }
            #expect(error?.message.contains("cnn/block1_conv1/kernel is (3, 3, 3, 2), expected (3, 3, \(channels), 2)") == true)
        }
        var layout = ParameterLayout()
        _ = layout.add("cnn/block1_conv1/kernel", [3, 3, 3, 2], .zeros)
        _ = layout.add("cnn/block1_conv1/bias", [2], .zeros)
        _ = layout.add("cnn/block3_conv1/bias", [2], .zeros)
        let store = try ParameterStore(layout)
        store.values.tensor([store.values.count]).fill(5)
        let error = failure { _ = try weights.load(into: store, preprocessing: .caffe) }
        #expect(error?.kind == .badData)
        #expect(
            error?.message.contains("cnn/block3_conv1/bias (2) is missing; cnn/block1_conv2/kernel (3, 3, 2, 3) is not in the model")
                == true)
        #expect(store.values.tensor([store.values.count]).array.allSatisfy { $0 == 5 })
    }
}

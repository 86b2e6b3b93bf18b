import Testing
import VidConfig
import VidModel
import VidTensor
import VidTestSupport

/// A small VGG over frames: its gradients, and that neither chunks nor threads show in the bits.
@Suite struct FrameEncoderTests {
    /// An encoder of custom blocks over 9 x 8 x 3 frames, with its parameters.
    private struct Network {
        let encoder: FrameEncoder
        let pass: Pass

        init(_ trainable: Trainable, pooling: CNNPooling = .average, threads: Int = 2) throws {
            var layout = ParameterLayout()
            var configuration = CNNConfiguration()
            configuration.architecture = .blocks([[6, 5], [9, 17]])
            configuration.trainable = trainable
            configuration.pooling = pooling
            var input = InputConfiguration()
            (input.rows, input.columns) = (9, 8)
            encoder = try FrameEncoder(configuration, input: input, layout: &layout)
            pass = try makePass(layout, threads: threads)
        }

        func shape(_ frames: Int) -> Shape { encoder.outputShape.prepending(frames) }
    }

    @Test(arguments: [Trainable.all, .from("block1_conv2"), .from("block2_conv2")], CNNPooling.allCases)
    func gradientsOfTheWholeNetwork(_ trainable: Trainable, _ pooling: CNNPooling) throws {
        let network = try Network(trainable, pooling: pooling)
        let (encoder, pass) = (network.encoder, network.pass)
        var tensors = TestTensors(seed: 1)
        let frames = tensors.uniform(encoder.inputShape.prepending(2))
        let weights = tensors.uniform(network.shape(2))
        let features = tensors.nan(network.shape(2))
        encoder.backward(frames: frames, dFeatures: weights, pass, chunk: 1)
        var trained = 0
        for slice in pass.parameters.slices {
            guard let gradient = pass.parameters.gradient(slice) else { continue }
            trained += 1
            let (error, compared) = piecewiseLinearGradientError(
                at: pass.parameters.value(slice), analytic: gradient, step: 5e-4, sampling: 40
            ) {
                pass.parameters.didChange()
                encoder.encode(frames: frames, into: features, pass)
                return weightedSum(features, weights)
            }
            // Losses of order one to ten with errors near 1e-6, over steps of 5e-4 and slopes of order one.
            #expect(error <= 1e-2, "\(slice.name)")
            #expect(compared >= 0.25, "\(slice.name)")
        }
        #expect(trained == 2 * encoder.summaries.filter(\.isTrainable).count && trained > 0)
    }

    @Test func frozenNetworkHasNoGradients() throws {
        let network = try Network(.none)
        var tensors = TestTensors(seed: 2)
        let frames = tensors.uniform(network.encoder.inputShape.prepending(2))
        network.encoder.backward(frames: frames, dFeatures: tensors.uniform(network.shape(2)), network.pass, chunk: 2)
        #expect(network.pass.parameters.gradients.count == 0)
        #expect(network.encoder.backwardBytes(frames: 8) == 0)
    }

    @Test(arguments: [Trainable.all, .from("block2_conv1")])
    func bitsDependOnNeitherThreadsNorChunks(_ trainable: Trainable) throws {
        var first: [[UInt32]]?
        for (threads, chunk) in [(1, 7), (2, 7), (3, 7), (1, 1), (2, 3), (3, 2), (5, 100)] {
            let network = try Network(trainable, threads: threads)
            var tensors = TestTensors(seed: 3)
            let frames = tensors.uniform(network.encoder.inputShape.prepending(7))
            let dFeatures = tensors.uniform(network.shape(7))
            let features = tensors.nan(network.shape(7))
            network.encoder.encode(frames: frames, into: features, network.pass)
            network.encoder.backward(frames: frames, dFeatures: dFeatures, network.pass, chunk: chunk)
            let gradients = network.pass.parameters.gradients
            let found = [bits(features), bits(gradients.tensor([gradients.count]))]
            #expect(found == first ?? found, "\(threads) threads, chunks of \(chunk)")
            first = first ?? found
            #expect(features.array.allSatisfy { $0.isFinite })
        }
    }

    /// The frozen part and the rest, one after the other, are the whole: features and gradients.
    @Test func partsMakeTheWhole() throws {
        let whole = try Network(.from("block2_conv1"))
        let parts = try Network(.from("block2_conv1"))
        let (frozen, trained) = (try #require(parts.encoder.split().frozen), try #require(parts.encoder.split().trained))
        var tensors = TestTensors(seed: 4)
        let frames = tensors.uniform(whole.encoder.inputShape.prepending(3))
        let dFeatures = tensors.uniform(whole.shape(3))
        let (features, found) = (tensors.nan(whole.shape(3)), tensors.nan(whole.shape(3)))
        let maps = tensors.nan(frozen.outputShape.prepending(3))
        whole.encoder.encode(frames: frames, into: features, whole.pass)
        whole.encoder.backward(frames: frames, dFeatures: dFeatures, whole.pass, chunk: 2)
        frozen.encode(frames: frames, into: maps, parts.pass)
        trained.encode(frames: maps, into: found, parts.pass)
        trained.backward(frames: maps, dFeatures: dFeatures, parts.pass, chunk: 3)
        #expect(bits(found) == bits(features))
        let gradients = (whole.pass.parameters.gradients, parts.pass.parameters.gradients)
        #expect(bits(gradients.0.tensor([gradients.0.count])) == bits(gradients.1.tensor([gradients.1.count])))
    }

    /// Kept activations give the features too, and gradients as `backward` does.
    @Test func keepingIsEncodingAndRecomputing() throws {
        let (once, twice) = (try Network(.all), try Network(.all))
        var tensors = TestTensors(seed: 5)
        let frames = tensors.uniform(once.encoder.inputShape.prepending(3))
        let dFeatures = tensors.uniform(once.shape(3))
        let features = tensors.nan(once.shape(3))
        twice.encoder.encode(frames: frames, into: features, twice.pass)
        twice.encoder.backward(frames: frames, dFeatures: dFeatures, twice.pass, chunk: 1)
        let kept = once.encoder.forwardKeeping(frames: frames, once.pass)
        #expect(bits(once.encoder.features(kept: kept, count: 3)) == bits(features))
        once.encoder.goBack(frames: frames, kept: kept, dFeatures: dFeatures, once.pass)
        let gradients = (once.pass.parameters.gradients, twice.pass.parameters.gradients)
        #expect(bits(gradients.0.tensor([gradients.0.count])) == bits(gradients.1.tensor([gradients.1.count])))
    }

    /// Memory is bounded by the chunk, as the bytes a frame say, and the second step of a size allocates nothing.
    @Test func memoryIsBoundedByTheChunk() throws {
        var layout = ParameterLayout()
        var configuration = CNNConfiguration()
        configuration.architecture = .blocks([[16, 16], [32]])
        configuration.trainable = .all
        var input = InputConfiguration()
        (input.rows, input.columns) = (96, 96)
        let encoder = try FrameEncoder(configuration, input: input, layout: &layout)
        let pass = try makePass(layout)
        func peak(frames count: Int, chunk: Int?) -> Int {
            var tensors = TestTensors(seed: 6)
            let frames = tensors.uniform(encoder.inputShape.prepending(count))
            let features = tensors.zeros(encoder.outputShape.prepending(count))
            let fresh = Pass(parameters: pass.parameters, workers: pass.workers, random: pass.random)
            for _ in 0..<3 {
                fresh.workspace.reset()
                if let chunk {
                    encoder.backward(frames: frames, dFeatures: features, fresh, chunk: chunk)
                } else {
                    encoder.encode(frames: frames, into: features, fresh)
                }
            }
            return fresh.workspace.peak * 4
        }
        #expect(peak(frames: 40, chunk: nil) == peak(frames: 16, chunk: nil))
        #expect(peak(frames: 24, chunk: 8) == peak(frames: 8, chunk: 8))
        // The bytes foretold are what is used, but for the bias's partial sums and the rounding to cache lines.
        for chunk in [8, 16, 24] {
            let foretold = encoder.backwardBytes(frames: chunk) + encoder.scratchBytes(workers: 2, gradients: true)
            let used = peak(frames: 24, chunk: chunk)
            #expect(Double(used) <= 1.02 * Double(foretold) && Double(used) >= 0.8 * Double(foretold), "chunks of \(chunk)")
        }
        let foretold = encoder.encodeBytes(frames: 16) + encoder.scratchBytes(workers: 2, gradients: false)
        #expect(Double(abs(peak(frames: 16, chunk: nil) - foretold)) <= 0.2 * Double(foretold))
        // The chunk for so many bytes is the largest that keeps within them.
        #expect(encoder.backwardChunk(frames: 40, bytes: 0) == FrameEncoder.gradientGroup)
        #expect(encoder.backwardChunk(frames: 40, bytes: encoder.backwardBytes(frames: 24)) == 24)
        #expect(encoder.backwardChunk(frames: 40, bytes: encoder.backwardBytes(frames: 24) - 1) == 16)
        #expect(encoder.backwardChunk(frames: 40, bytes: .max) == 40)
        #expect(encoder.backwardChunk(frames: 5, bytes: 0) == 5)
    }
}

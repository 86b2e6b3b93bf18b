import Testing
import VidConfig
import VidModel
import VidTensor
import VidTestSupport

/// The convolution engine within networks: its accuracy through VGG16, its filters' life.
@Suite struct WinogradNetworkTests {
    private func network(
        _ convolution: ConvolutionChoice, _ architecture: Architecture, size: Int, trainable: Trainable = .all, threads: Int = 2
    ) throws -> (encoder: FrameEncoder, context: Context) {
        var layout = ParameterLayout()
        var configuration = CNNConfiguration()
        configuration.architecture = architecture
        configuration.trainable = trainable
        configuration.convolution = convolution
        var input = InputConfiguration()
        (input.rows, input.columns) = (size, size)
        let encoder = try FrameEncoder(configuration, input: input, layout: &layout)
        return (encoder, try makeContext(layout, threads: threads))
    }

    /// Thirteen layers of errors near 5e-6, which the means over positions even out: within DESIGN's 5e-5.
    @Test func featuresOfVGG16() throws {
        let (im2col, winograd) = (try network(.im2col, .vgg16, size: 224), try network(.auto, .vgg16, size: 224))
        func algorithms(_ encoder: FrameEncoder) -> [String] {
            encoder.layers.indices.compactMap { encoder.layers[$0].algorithmName(encoder.inputShape(of: $0)) }
        }
        #expect(algorithms(im2col.encoder) == [String](repeating: "im2col", count: 13))
        #expect(algorithms(winograd.encoder) == ["im2col"] + [String](repeating: "winograd", count: 12))
        var tensors = TestTensors(seed: 1)
        let frames = tensors.uniform([1, 224, 224, 3], -128, 128)
        let error = relativeError(features(winograd.encoder, frames, winograd.context), features(im2col.encoder, frames, im2col.context))
        #expect(error <= 5e-5)
    }

    /// Every parameter's gradient through VGG16 within DESIGN's 1e-4. Both go back over the same activations: else rounding
    /// would move some values over the edge of a ReLU or exchange maxima of a pooling, each of which changes a gradient by
    /// one of its terms.
    @Test func gradientsOfVGG16() throws {
        let (im2col, winograd) = (try network(.im2col, .vgg16, size: 96), try network(.auto, .vgg16, size: 96))
        var tensors = TestTensors(seed: 2)
        let frames = tensors.uniform([2, 96, 96, 3], -128, 128)
        let dFeatures = tensors.uniform([2, 512])
        for (encoder, context) in [im2col, winograd] {
            let plan = ActivationPlan(im2col.encoder, frames: 2, limit: .max)
            let saved = im2col.encoder.forward(frames: frames, saving: plan, im2col.context)
            encoder.backward(frames: frames, saved: saved, dFeatures: dFeatures, context)
        }
        for slice in winograd.context.parameters.slices {
            let found = try #require(winograd.context.parameters.gradient(slice))
            let expected = try #require(im2col.context.parameters.gradient(slice))
            let error = relativeError(found.array, expected.array)
            #expect(error <= 1e-4, "\(slice.name)")
        }
    }

    /// The first step of a training on letterboxed frames: with biases of zero most ReLUs over the bars are exactly at their
    /// edge and shut, in the second layer and deeper ones too. A rounding error would open some and change biases' gradients by
    /// more than half.
    @Test func gradientsOfLetterboxedFrames() throws {
        let blocks = Architecture.blocks([[32, 32], [64, 64]])
        let (im2col, winograd) = (try network(.im2col, blocks, size: 32), try network(.auto, blocks, size: 32))
        #expect(winograd.encoder.layers[1].algorithmName([32, 32, 32]) == "winograd")
        var tensors = TestTensors(seed: 6)
        let frames = tensors.uniform([4, 32, 32, 3], 0, 1)
        for i in 0..<frames.count where !(12..<20).contains(i / 96 % 32) || !(9..<17).contains(i / 3 % 32) { frames.base[i] = 0 }
        let dFeatures = tensors.uniform([4, 64])
        for (encoder, context) in [im2col, winograd] {
            for slice in context.parameters.slices where slice.shape.rank == 1 { context.parameters.value(slice).fill(0) }
            addGradients(encoder, frames: frames, dFeatures: dFeatures, context)
        }
        for slice in winograd.context.parameters.slices {
            let found = try #require(winograd.context.parameters.gradient(slice))
            let expected = try #require(im2col.context.parameters.gradient(slice))
            let error = relativeError(found.array, expected.array)
            #expect(error <= 2e-5, "\(slice.name)")
        }
    }

    /// Winograd wherever it can be, odd maps and few channels included, has the gradients of the loss.
    @Test func gradientsByDifferences() throws {
        let network = try network(.winograd, .blocks([[6, 5], [9, 17]]), size: 9)
        let (encoder, context) = network
        #expect(encoder.layers[0].algorithmName([9, 9, 3]) == "winograd")
        var tensors = TestTensors(seed: 3)
        let frames = tensors.uniform([2, 9, 9, 3])
        let weights = tensors.uniform([2, 17])
        let features = tensors.nan([2, 17])
        addGradients(encoder, frames: frames, dFeatures: weights, context)
        for slice in context.parameters.slices {
            let gradient = try #require(context.parameters.gradient(slice))
            let (error, compared) = piecewiseLinearGradientError(
                at: context.parameters.value(slice), analytic: gradient, step: 5e-4, sampling: 40
            ) {
                context.parameters.didTrain()
                encoder.encode(frames: frames, into: features, context)
                return weightedSum(features, weights)
            }
            // As in FrameEncoderTests.
            #expect(error <= 1e-2, "\(slice.name)")
            #expect(compared >= 0.25, "\(slice.name)")
        }
    }

    /// Frozen filters are transformed once and trained ones whenever they have changed; a new start changes all.
    @Test func filtersFollowTheirParameters() throws {
        let (encoder, context) = try network(.winograd, .blocks([[16], [16]]), size: 8, trainable: .from("block2_conv1"))
        let parameters = context.parameters
        var tensors = TestTensors(seed: 4)
        let frames = tensors.uniform([2, 8, 8, 3])
        let before = features(encoder, frames, context)
        #expect(context.filters.bytes == 4 * 36 * ((3 + 1) * 16 + (16 + 1) * 16))
        let frozen = try #require(parameters.slice(named: "cnn/block1_conv1/kernel"))
        let trained = try #require(parameters.slice(named: "cnn/block2_conv1/kernel"))
        parameters.value(frozen).fill(0)
        parameters.didTrain()
        #expect(features(encoder, frames, context) == before)
        for i in 0..<trained.count { parameters.value(trained).base[i] *= 2 }
        #expect(features(encoder, frames, context) == before)
        parameters.didTrain()
        let doubled = features(encoder, frames, context)
        #expect(doubled != before)
        parameters.didChange()
        #expect(features(encoder, frames, context) != doubled)
    }

    /// Layer by layer and with poolings apart, the bits are the encoder's.
    @Test func encodingIsOneLayerAfterTheOther() throws {
        for size in [70, 33] {
            let (encoder, context) = try network(.auto, .blocks([[16, 16], [24]]), size: size, threads: 3)
            var tensors = TestTensors(seed: 5)
            let frames = tensors.uniform([19, size, size, 3])
            var maps = frames
            for layer in encoder.layers { maps = try #require(layer as? any FrameLayer).forward(maps, context).output }
            #expect(features(encoder, frames, context) == maps.array)
        }
    }
}

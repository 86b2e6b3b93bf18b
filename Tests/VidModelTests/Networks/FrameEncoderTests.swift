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
        let context: Context

        init(_ trainable: Trainable, pooling: CNNPooling = .average, threads: Int = 2) throws {
            var layout = ParameterLayout()
            var configuration = CNNConfiguration()
            configuration.architecture = .blocks([[6, 5], [9, 17]])
            configuration.trainable = trainable
            configuration.pooling = pooling
            var input = InputConfiguration()
            (input.rows, input.columns) = (9, 8)
            encoder = try FrameEncoder(configuration, input: input, layout: &layout)
            context = try makeContext(layout, threads: threads)
        }

        func shape(_ frames: Int) -> Shape { encoder.outputShape.prepending(frames) }
    }

    @Test(arguments: [Trainable.all, .from("block1_conv2"), .from("block2_conv2")], CNNPooling.allCases)
    func gradientsOfTheWholeNetwork(_ trainable: Trainable, _ pooling: CNNPooling) throws {
        let network = try Network(trainable, pooling: pooling)
        let (encoder, context) = (network.encoder, network.context)
        var tensors = TestTensors(seed: 1)
        let frames = tensors.uniform(encoder.inputShape.prepending(2))
        let weights = tensors.uniform(network.shape(2))
        let features = tensors.nan(network.shape(2))
        addGradients(encoder, frames: frames, dFeatures: weights, context)
        var trained = 0
        for slice in context.parameters.slices {
            guard let gradient = context.parameters.gradient(slice) else { continue }
            trained += 1
            let (error, compared) = piecewiseLinearGradientError(
                at: context.parameters.value(slice), analytic: gradient, step: 5e-4, sampling: 40
            ) {
                context.parameters.didChange()
                encoder.encode(frames: frames, into: features, context)
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
        addGradients(network.encoder, frames: frames, dFeatures: tensors.uniform(network.shape(2)), network.context)
        #expect(network.encoder.split().trained == nil)
        #expect(network.context.parameters.gradients.count == 0)
    }

    /// 29 frames are three whole groups and a part of one; the limits are chosen to give plans of every kind.
    @Test(arguments: [Trainable.all, .from("block2_conv1")])
    func bitsDependOnNeitherThreadsNorPlans(_ trainable: Trainable) throws {
        var first: [[UInt32]]?
        var plans: [[ActivationPlan.Part]] = []
        let trained = try #require(try Network(trainable).encoder.split().trained)
        let all = ActivationPlan(trained, frames: 29, limit: .max).bytes
        let least = ActivationPlan(trained, frames: 29, limit: 0).bytes
        for (threads, share) in [(1, 1.0), (2, 1), (3, 1), (1, 0), (2, 0), (3, 0.2), (2, 0.4), (1, 0.5), (3, 0.6), (2, 0.8)] {
            let network = try Network(trainable, threads: threads)
            var tensors = TestTensors(seed: 3)
            let frames = tensors.uniform(network.encoder.inputShape.prepending(29))
            let dFeatures = tensors.uniform(network.shape(29))
            let features = tensors.nan(network.shape(29))
            network.encoder.encode(frames: frames, into: features, network.context)
            let limit = least + Int(Double(all - least) * share)
            plans.append(addGradients(network.encoder, frames: frames, dFeatures: dFeatures, network.context, limit: limit)?.parts ?? [])
            let gradients = network.context.parameters.gradients
            let found = [bits(features), bits(gradients.tensor([gradients.count]))]
            #expect(found == first ?? found, "\(threads) threads, \(plans[plans.count - 1])")
            first = first ?? found
            #expect(features.array.allSatisfy { $0.isFinite })
        }
        // Everything, little more than a group, and between them more and more.
        #expect(plans.contains([.init(frames: 0..<29, from: 0)]))
        #expect(plans.contains { $0.count == 2 && $0[0].frames.count == 8 })
        #expect(plans.contains { $0.count == 2 && $0[0].frames.count > 8 })
        #expect(plans.contains { $0.count == 3 } || trainable != .all)
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
        whole.encoder.encode(frames: frames, into: features, whole.context)
        addGradients(whole.encoder, frames: frames, dFeatures: dFeatures, whole.context)
        frozen.encode(frames: frames, into: maps, parts.context)
        trained.encode(frames: maps, into: found, parts.context)
        addGradients(trained, frames: maps, dFeatures: dFeatures, parts.context)
        #expect(bits(found) == bits(features))
        let gradients = (whole.context.parameters.gradients, parts.context.parameters.gradients)
        #expect(bits(gradients.0.tensor([gradients.0.count])) == bits(gradients.1.tensor([gradients.1.count])))
    }

    /// A forward run that saves activations has the same features as `encode`.
    @Test(arguments: [0, Int.max])
    func savingIsEncoding(_ limit: Int) throws {
        let network = try Network(.all)
        var tensors = TestTensors(seed: 5)
        let frames = tensors.uniform(network.encoder.inputShape.prepending(11))
        let features = tensors.nan(network.shape(11))
        network.encoder.encode(frames: frames, into: features, network.context)
        let plan = ActivationPlan(network.encoder, frames: 11, limit: limit)
        #expect(bits(network.encoder.forward(frames: frames, saving: plan, network.context).features) == bits(features))
    }

    /// A plan stays within its limit if any plan can, uses most of it, and repeats less if it may save more. Its prediction is
    /// the memory used, and the second step of a size allocates nothing.
    @Test func memoryIsAsPlanned() throws {
        var layout = ParameterLayout()
        var configuration = CNNConfiguration()
        configuration.architecture = .blocks([[16, 16], [32], [32, 48]])
        configuration.trainable = .all
        var input = InputConfiguration()
        (input.rows, input.columns) = (96, 96)
        let encoder = try FrameEncoder(configuration, input: input, layout: &layout)
        let context = try makeContext(layout)
        var tensors = TestTensors(seed: 6)
        let frames = tensors.uniform(encoder.inputShape.prepending(40))
        let features = tensors.zeros(encoder.outputShape.prepending(40))
        func peak(_ step: (Context) -> Void) -> Int {
            let fresh = Context(parameters: context.parameters, workers: context.workers, random: context.random)
            for _ in 0..<3 {
                fresh.workspace.reset()
                step(fresh)
            }
            return fresh.workspace.peak * 4
        }
        let all = ActivationPlan(encoder, frames: 40, limit: .max)
        let least = ActivationPlan(encoder, frames: 40, limit: 0)
        #expect(all.repeated == 0 && least.repeated > 0.7 && least.repeated < 0.8 + 1e-9)
        #expect(least.bytes < all.bytes / 4)
        var repeated = 1.0
        for limit in stride(from: least.bytes, through: all.bytes, by: (all.bytes - least.bytes) / 20) {
            let plan = ActivationPlan(encoder, frames: 40, limit: limit)
            #expect(plan.bytes <= limit && plan.repeated <= repeated)
            // At most a group of frames more would have been over the limit.
            #expect(plan.repeated == 0 || Double(plan.bytes) > Double(limit) - 1.01 * Double(least.bytes))
            repeated = plan.repeated
        }
        for limit in [0, (least.bytes + all.bytes) / 2, .max] {
            let plan = ActivationPlan(encoder, frames: 40, limit: limit)
            let predicted = plan.bytes + encoder.scratchBytes(workers: 2, gradients: true)
            let used = peak { context in
                let saved = encoder.forward(frames: frames, saving: plan, context)
                encoder.backward(frames: frames, saved: saved, dFeatures: features, context)
            }
            // But for the features, the bias's partial sums and the rounding to cache lines.
            #expect(Double(used) <= 1.02 * Double(predicted) && Double(used) >= 0.8 * Double(predicted), "limit \(limit)")
        }
        func encoding(_ count: Int) -> Int {
            peak { encoder.encode(frames: frames.rows(0..<count), into: features.rows(0..<count), $0) }
        }
        #expect(encoding(40) == encoding(16))
        let predicted = encoder.encodeBytes(frames: 16) + encoder.scratchBytes(workers: 2, gradients: false)
        #expect(Double(abs(encoding(16) - predicted)) <= 0.2 * Double(predicted))
    }
}

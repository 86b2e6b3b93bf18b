import Testing
import VidConfig
import VidModel
import VidTensor
import VidTestSupport

/// Trained batch normalisation, whose statistics are those of all frames of a step: what a step keeps and what it computes again.
@Suite struct BatchTrainingTests {
    private static let frames = 5

    private struct Network {
        let encoder: FrameEncoder
        let context: Context

        init(_ architecture: Architecture, _ trainable: Trainable = .all, threads: Int = 2) throws {
            var layout = ParameterLayout()
            let encoder = try FrameEncoder(
                architecture, input: [48, 40, 3], trainable: trainable, pooling: GlobalAveragePooling2D(), layout: &layout)
            self.encoder = try #require(encoder.split().trained)
            context = try makeContext(layout, threads: threads)
            for slice in context.parameters.slices where slice.name.hasSuffix("moving_variance") {
                context.parameters.value(slice).fill(1)
            }
            context.isTraining = true
        }

        /// Bytes within which activations are planned, from the fewest (0) to those of a step that repeats nothing (1).
        func limit(_ share: Double) -> Int {
            let least = ActivationPlan(encoder, frames: frames, limit: 0).bytes
            let all = ActivationPlan(encoder, frames: frames, limit: .max).bytes
            return least + Int(Double(all - least) * share)
        }

        /// The features, gradients and parameters after a step, and the workspace's peak.
        func step(_ plan: ActivationPlan) -> (bits: [[UInt32]], peak: Int) {
            var tensors = TestTensors(seed: 3)
            let frames = tensors.uniform(encoder.inputShape.prepending(BatchTrainingTests.frames))
            let dFeatures = tensors.uniform(encoder.outputShape.prepending(BatchTrainingTests.frames))
            context.parameters.zeroGradients()
            let mark = context.workspace.mark
            defer { context.workspace.release(to: mark) }
            let saved = encoder.forward(frames: frames, saving: plan, context)
            let features = bits(saved.features)
            encoder.backward(frames: frames, saved: saved, dFeatures: dFeatures, context)
            let (gradients, values) = (context.parameters.gradients, context.parameters.values)
            return (
                [features, bits(gradients.tensor([gradients.count])), bits(values.tensor([values.count]))], context.workspace.peak * 4
            )
        }
    }

    /// Bottlenecks as in ResNet-50, the first of each size with a convolution beside it.
    private static let bottlenecks: Architecture = .layers(
        unit(16, kernel: 3, strides: 2, .relu) + [.maxPooling(.init(pool: 3, strides: 2, padding: .symmetric))]
            + [(8, 1, true), (8, 1, false), (16, 2, true), (16, 1, false), (16, 1, false)].map { filters, strides, isProjected in
                .residual(
                    .init(
                        isProjected ? "projected_\(filters)" : nil,
                        unit(filters, .relu) + unit(filters, kernel: 3, strides: MapExtent(strides), .relu) + unit(4 * filters),
                        shortcut: isProjected ? unit(4 * filters, strides: MapExtent(strides)) : [], activation: .relu))
            })

    private static func unit(
        _ filters: Int, kernel: MapExtent = 1, strides: MapExtent = 1, _ activation: MapActivation = .linear
    ) -> [CNNLayer] {
        [
            .convolution(.init(filters: filters, kernel: kernel, strides: strides, padding: .symmetric, usesBias: false)),
            .batchNormalization(.init(activation: activation)),
        ]
    }

    /// Whatever is computed again: the same features, gradients and moving statistics, which move once.
    @Test(
        arguments: [
            (bottlenecks, Trainable.all), (bottlenecks, .from("conv2d_6")), (.named(.mobilenetV2), .all), (.named(.mobilenetV3Small), .all),
        ])
    func bitsDependOnNeitherThreadsNorPlans(_ architecture: Architecture, _ trainable: Trainable) throws {
        let full = try Network(architecture, trainable)
        let limits = [1.0, 0.7, 0.4, 0.2, 0].map(full.limit)
        let before = bits(full.context.parameters.values.tensor([full.context.parameters.values.count]))
        let expected = full.step(ActivationPlan(full.encoder, frames: Self.frames, limit: .max)).bits
        #expect(expected[2] != before)
        #expect(full.context.parameters.gradients.tensor([full.context.parameters.gradients.count]).array.allSatisfy { $0.isFinite })
        var lists: Set<[Int]> = []
        for (index, limit) in limits.enumerated() {
            let network = try Network(architecture, trainable, threads: 1 + index % 3)
            let plan = ActivationPlan(network.encoder, frames: Self.frames, limit: limit)
            #expect(plan.bytes <= limit)
            #expect(network.step(plan).bits == expected, "\(plan.checkpoints ?? [])")
            lists.insert(plan.checkpoints ?? [])
        }
        #expect(lists.count >= 3)
    }

    /// Less memory repeats more, and the memory is the planned one.
    @Test(arguments: [bottlenecks, .named(.mobilenetV3Small)])
    func memoryIsAsPlanned(_ architecture: Architecture) throws {
        let network = try Network(architecture)
        var repeated = 1.0
        for share in [0, 0.1, 0.3, 0.5, 0.8, 1] {
            let limit = network.limit(share)
            let plan = ActivationPlan(network.encoder, frames: Self.frames, limit: limit)
            #expect(plan.bytes <= limit && plan.repeated <= repeated && plan.repeated >= 0)
            repeated = plan.repeated
            let used = try Network(architecture).step(plan).peak
            let features = Self.frames * (network.encoder.outputShape.count + 15) * 4
            let predicted = plan.bytes + network.encoder.scratchBytes(workers: 2, gradients: true) + features
            #expect(used <= predicted && used >= plan.bytes, "\(share)")
        }
        #expect(repeated == 0)
        let (least, all) = (network.limit(0), network.limit(1))
        #expect(Double(least) < 0.4 * Double(all))
    }

    /// A smaller batch keeps what a whole one keeps, in fewer bytes.
    @Test func smallerBatchesStayWithinThePlan() throws {
        let encoder = try Network(Self.bottlenecks).encoder
        let plan = ActivationPlan(encoder, frames: 40, limit: 0)
        let smaller = plan.resized(encoder, frames: 7)
        #expect(smaller.frames == 7 && smaller.checkpoints == plan.checkpoints && smaller.bytes < plan.bytes / 4)
    }
}

import Testing
import VidConfig
import VidModel
import VidSystem
import VidTensor
import VidTestSupport

/// Keras's ResNet50 and MobileNetV2 against Keras in double precision, with weights that both sides compute by a formula: features, gradients
/// of all parameters with frozen and with trained batch normalisation, and the moving statistics after a step.
@Suite struct KerasNetworkGoldenTests {
    @Test(arguments: [("resnet50", NamedArchitecture.resnet50Keras), ("mobilenet_v2", .mobilenetV2Keras)])
    func featuresAndGradients(file: String, network: NamedArchitecture) throws {
        let golden = try Golden.named("keras_\(file)")
        var tensors = TestTensors(seed: 0)
        let note = try JSONParser.parse(golden.note)
        let size = (note["size"]?.arrayElements ?? []).compactMap { $0.integerValue.map(Int.init) }
        let listed = (note["tensors"]?.arrayElements ?? []).map { node -> (name: String, shape: [Int]) in
            let parts = node.arrayElements ?? []
            return (parts[0].stringValue ?? "", (parts[1].arrayElements ?? []).compactMap { $0.integerValue.map(Int.init) })
        }
        var layout = ParameterLayout()
        let encoder = try FrameEncoder(
            .named(network), input: [size[0], size[1], 3], trainable: .all, pooling: GlobalAveragePooling2D(), layout: &layout)
        let store = try ParameterStore(layout)
        #expect(store.slices.map(\.name).sorted() == listed.map { "cnn/" + $0.name }.sorted())
        let slices = try listed.map { entry in
            let slice = try #require(store.slice(named: "cnn/" + entry.name))
            #expect(slice.shape.dimensions == entry.shape)
            return slice
        }
        for (number, slice) in slices.enumerated() { fill(store.value(slice), number, slice.name) }
        store.didChange()
        let context = Context(parameters: store, workers: Workers(count: 2), random: RandomGenerator(seed: 1))
        // From (N, C, H, W).
        let frames = tensors.nan([4, size[0], size[1], 3])
        let places = size[0] * size[1]
        for index in 0..<frames.count {
            let (frame, place, channel) = (index / (3 * places), index / 3 % places, index % 3)
            frames.base[index] = formula(100_000, (frame * 3 + channel) * places + place)
        }
        let features = tensors.nan(encoder.outputShape.prepending(4))
        encoder.encode(frames: frames, into: features, context)
        #expect(relativeError(features.array, try golden.values("frozen/features")) <= 1e-4)

        let trained = slices.filter { !$0.name.contains("/moving_") }
        for mode in ["frozen", "batch"] {
            context.isTraining = mode == "batch"
            store.zeroGradients()
            let mark = context.workspace.mark
            let saved = encoder.forward(frames: frames, saving: ActivationPlan(encoder, frames: 4, limit: .max), context)
            let error = relativeError(saved.features.array, try golden.values("\(mode)/features"))
            #expect(error <= (mode == "batch" ? 1e-3 : 1e-4), "\(mode)")
            let dFeatures = context.workspace.take(encoder.outputShape.prepending(4))
            for index in 0..<dFeatures.count { dFeatures.base[index] = formula(100_001, index) }
            encoder.backward(frames: frames, saved: saved, dFeatures: dFeatures, context)
            context.workspace.release(to: mark)
            let rows = try golden.values("\(mode)/gradients")
            // Some gradients are 0, such as those of a bias before a batch normalisation: they are compared with the largest.
            let largest = trained.indices.reduce(0.0) { max($0, Double(rows[2 * $1])) }
            var worst = 0.0
            for (index, slice) in trained.enumerated() {
                let (norm, product) = summary(try #require(store.gradient(slice)), index)
                let scale = max(Double(rows[2 * index]), 1e-3 * largest)
                worst = max(worst, abs(norm - Double(rows[2 * index])) / scale, abs(product - Double(rows[2 * index + 1])) / scale / 10)
                guard worst <= 2e-2 else {
                    Issue.record("\(mode) \(slice.name): \(norm), \(product) for \(rows[2 * index]), \(rows[2 * index + 1])")
                    break
                }
            }
            print("\(network.rawValue): \(mode) features \(error), gradients \(worst)")
        }
        let moving = try golden.values("batch/moving")
        for (index, slice) in slices.filter({ $0.name.contains("/moving_") }).enumerated() {
            let (norm, product) = summary(store.value(slice), index)
            let tolerance = 1e-3 * Double(moving[2 * index])
            #expect(abs(norm - Double(moving[2 * index])) <= tolerance, "\(slice.name)")
            #expect(abs(product - Double(moving[2 * index + 1])) <= 10 * tolerance, "\(slice.name)")
        }
    }

    /// Kernels by He's rule, normalisations near one, as `maintain.goldens.keras_networks` has them.
    private func fill(_ tensor: Tensor, _ number: Int, _ name: String) {
        let shape = tensor.shape
        let inputs = shape.rank < 3 ? 1 : shape[0] * shape[1] * (shape.rank == 4 ? shape[2] : 1)
        let scale = Float((6 / Double(inputs)).squareRoot())
        for index in 0..<tensor.count {
            let value = formula(number, index)
            tensor.base[index] =
                if shape.rank > 2 { value * scale } else if name.hasSuffix("moving_variance") {
                    1 + 0.5 * value
                } else if name.hasSuffix(
                    "gamma")
                { 1 + 0.25 * value } else { 0.25 * value }
        }
    }

    /// A number in [-1, 1) by the hash of `maintain.goldens.networks`.
    private func formula(_ number: Int, _ index: Int) -> Float {
        var x = UInt32(truncatingIfNeeded: index) &+ 0x9E37_79B9 &* UInt32(number + 1)
        x ^= x >> 16
        x &*= 0x85EB_CA6B
        x ^= x >> 13
        x &*= 0xC2B2_AE35
        x ^= x >> 16
        return Float(x >> 8) * 0x1p-23 - 1
    }

    /// The norm, and the product with numbers by the formula.
    private func summary(_ tensor: Tensor, _ number: Int) -> (norm: Double, product: Double) {
        var (norm, product) = (0.0, 0.0)
        for index in 0..<tensor.count {
            let value = Double(tensor.base[index])
            norm += value * value
            product += value * Double(formula(number, index))
        }
        return (norm.squareRoot(), product)
    }
}

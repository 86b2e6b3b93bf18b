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
    func featuresAndGradients(file: String, name: NamedArchitecture) throws {
        let network = try FormulaGolden(Golden.named("keras_\(file)"))
        let (golden, size, listed) = (network.golden, network.size, network.listed)
        var tensors = TestTensors(seed: 0)
        var layout = ParameterLayout()
        let encoder = try FrameEncoder(
            .named(name), input: [size[0], size[1], 3], trainable: .all, pooling: GlobalAveragePooling2D(), layout: &layout)
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
        let frames = network.frames(&tensors)
        let features = tensors.nan(encoder.outputShape.prepending(4))
        encoder.encode(frames: frames, into: features, context)
        #expect(relativeError(features.array, try golden.values("frozen/features")) <= 1e-4)

        let trained = slices.filter { !$0.name.contains("/moving_") }
        for mode in ["frozen", "batch"] {
            let errors = try network.checkGradients(mode, encoder, frames: frames, context, trained: trained.map(\.name)) { index in
                summary(try #require(store.gradient(trained[index])), index)
            }
            print("\(name.rawValue): \(mode) features \(errors.features), gradients \(errors.gradients)")
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
                shape.rank > 2
                ? value * scale : name.hasSuffix("moving_variance") ? 1 + 0.5 * value : (name.hasSuffix("gamma") ? 1 : 0) + 0.25 * value
        }
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

import Foundation
import Testing
import VidCheckpoint
import VidConfig
import VidModel
import VidSystem
import VidTensor
import VidTestSupport
import VidTrain

/// The named networks against PyTorch in double precision (torchvision, timm and efficientnet-lite-pytorch), with weights that both sides
/// compute by a formula and that are imported under PyTorch's names: features, gradients of all parameters with frozen and with trained
/// batch normalisation, the moving statistics, and a step of a whole classifier with the default optimizer. In all but the
/// largest networks, that step and one more then give the same bits on other threads, with other activations kept, and when the
/// training is resumed between them.
@Suite struct NetworkGoldenTests {
    static let names: [NamedArchitecture] = {
        let all = NamedArchitecture.allCases.filter { (try? Golden.named("network_\($0.rawValue)")) != nil }
        guard let folder = ProcessInfo.processInfo.environment["VIDCLASS_NETWORK_GOLDENS"] else { return all }
        return NamedArchitecture.allCases.filter { FileManager.default.fileExists(atPath: "\(folder)/network_\($0.rawValue).safetensors") }
    }()

    private static func golden(_ name: NamedArchitecture) throws -> Golden {
        guard let folder = ProcessInfo.processInfo.environment["VIDCLASS_NETWORK_GOLDENS"] else {
            return try Golden.named("network_\(name.rawValue)")
        }
        return try Golden(path: "\(folder)/network_\(name.rawValue).safetensors")
    }

    @Test(arguments: names)
    func isPyTorchs(_ name: NamedArchitecture) async throws {
        let network = try await GoldenNetwork(name, Self.golden(name))
        let report = try network.checkFeatures() + network.checkGradients()
        let changes = try network.checkSteps()
        try network.checkExplanation()
        print("\(name.rawValue): \(report); step \(changes)")
    }
}

/// A classifier of two frames a clip with the weights of a golden: CNN, mean over time, dense layer.
private final class GoldenNetwork {
    private let name: NamedArchitecture
    private let network: FormulaGolden
    /// The names here.
    private let own: [String: String]
    private let classifier: Classifier
    /// The weights of the golden and of the head.
    private let initial: Tensor
    private var tensors = TestTensors(seed: 0)
    /// (4, rows, columns, 3).
    private let frames: Tensor

    private var golden: Golden { network.golden }
    private var listed: [(name: String, shape: [Int])] { network.listed }
    private var encoder: FrameEncoder { classifier.encoder }
    private var store: ParameterStore { classifier.parameters }

    init(_ name: NamedArchitecture, _ golden: Golden) async throws {
        self.name = name
        network = try FormulaGolden(golden)
        let listed = network.listed
        classifier = try GoldenNetwork.classifier(name, network.size)
        try await load(listed, into: classifier.parameters)
        let store = classifier.parameters
        for (name, number, scale) in [
            ("output/kernel", 100_002, 1 / Double(classifier.features).squareRoot()), ("output/bias", 100_003, 1),
        ] {
            let value = store.value(try #require(store.slice(named: name)))
            // From (classes, features).
            for index in 0..<value.count {
                let theirs = value.shape.rank == 2 ? index % 3 * classifier.features + index / 3 : index
                value.base[index] = Float(Double(formula(number, theirs)) * scale)
            }
        }
        initial = tensors.nan([store.values.count])
        initial.copy(from: store.values.tensor([store.values.count]))
        let first = listed[0].name
        let naming = try NetworkNaming.allCases.compactMap { try $0.tensors(name) }.first { $0.contains { $0.theirs == first } }
        let pairs =
            naming?.map { ($0.theirs, "cnn/" + $0.own.name) }
            // A VGG's tensors have the same order there.
            ?? Array(zip(listed.map(\.name), store.slices.map(\.name)))
        own = Dictionary(uniqueKeysWithValues: pairs)
        frames = network.frames(&tensors)
    }

    private static func classifier(_ name: NamedArchitecture, _ size: [Int]) throws -> Classifier {
        var model = ModelConfiguration()
        model.cnn?.architecture = .named(name)
        model.cnn?.weights = nil
        model.cnn?.trainable = .all
        (model.input.frames, model.input.rows, model.input.columns) = (2, size[0], size[1])
        (model.recurrent, model.hidden) = ([], [])
        return try Classifier(model, classes: ["a", "b", "c"])
    }

    private func context() -> Context { Context(parameters: store, workers: Workers(count: 2), random: RandomGenerator(seed: 1)) }

    /// The tensor that has this name in PyTorch.
    private func slice(_ name: String) throws -> ParameterSlice {
        let own = try #require(own[name])
        return try #require(store.slice(named: own))
    }

    private func restore(_ store: ParameterStore) {
        store.values.tensor(initial.shape).copy(from: initial)
        store.didChange()
    }

    // MARK: - The network by itself

    func checkFeatures() throws -> String {
        let context = context()
        let features = tensors.nan(encoder.outputShape.prepending(4))
        encoder.encode(frames: frames, into: features, context)
        let error = relativeError(features.array, try golden.values("frozen/features"))
        #expect(error <= 1e-4)
        return "features \(error)"
    }

    func checkGradients() throws -> String {
        var report = ""
        for mode in ["frozen", "batch"] where golden.contains("\(mode)/features") {
            let trained = listed.map(\.name).filter { !$0.contains("running_") }
            let errors = try network.checkGradients(mode, encoder, frames: frames, context(), trained: trained) { index in
                summary(try #require(store.gradient(slice(trained[index]))), index)
            }
            report += "; \(mode) features \(errors.features), gradients \(errors.gradients)"
        }
        guard golden.contains("batch/moving") else { return report }
        let moving = try golden.values("batch/moving")
        for (index, entry) in listed.filter({ $0.name.contains("running_") }).enumerated() {
            let (norm, product) = summary(store.value(try slice(entry.name)), index)
            // PyTorch's variance has count - 1 in the denominator, and the smallest maps have 24 positions in all frames.
            let tolerance = Double(moving[2 * index]) * (entry.name.hasSuffix("running_var") ? 1.0 / 23 : 1e-4)
            #expect(abs(norm - Double(moving[2 * index])) <= tolerance, "\(entry.name)")
            #expect(abs(product - Double(moving[2 * index + 1])) <= 10 * tolerance, "\(entry.name)")
        }
        return report
    }

    // MARK: - Steps

    /// A training of the classifier as it goes on from a state.
    private struct Training {
        let step: TrainingStep

        init(_ classifier: Classifier, threads: Int, activationLimit: Int, state: OptimizerState = OptimizerState()) throws {
            let optimizer = try Optimizer(OptimizerConfiguration(), classifier.parameters)
            let memory = try StepMemory(
                classifier, slots: optimizer.slots.count, batchSize: 2, threads: threads, budget: MemoryBudget(gibibytes: nil),
                activationLimit: activationLimit)
            step = try TrainingStep(
                classifier, optimizer: optimizer, state: state, labelSmoothing: 0, memory: memory, workers: Workers(count: threads),
                random: RandomGenerator(seed: 1))
        }

        /// The mean loss before the step.
        func run(_ frames: Tensor) throws -> Double {
            step.begin()
            let result = try step.add(input: frames, validFrames: [2, 2], targets: StepTargets(labels: [2, 0]), denominator: 2)
            try step.update()
            return result.loss / 2
        }

        func hasBits(of other: Training) -> Bool {
            let (own, others) = (step.classifier.parameters.values, other.step.classifier.parameters.values)
            return memcmp(own.base, others.base, 4 * own.count) == 0
        }
    }

    func checkSteps() throws -> String {
        restore(store)
        let training = try Training(classifier, threads: 2, activationLimit: .max)
        let loss = try training.run(frames)
        let expected = try golden.values("step/loss")[0]
        #expect(abs(loss - Double(expected)) <= 1e-3 * Double(expected))
        let report = try checkChanges()

        // The same on another number of threads, with as little kept as possible, and resumed after a step.
        guard store.values.count <= GoldenNetwork.largestResumed else { return report }
        let second = try GoldenNetwork.classifier(name, [frames.shape[1], frames.shape[2]])
        restore(second.parameters)
        let stopped = try Training(second, threads: 1, activationLimit: 0)
        #expect(try stopped.run(frames) == loss)
        #expect(stopped.hasBits(of: training))
        let resumed = try Training(second, threads: 3, activationLimit: 0, state: stopped.step.optimizerState)
        for (old, new) in zip(stopped.step.optimizer.slots, resumed.step.optimizer.slots) {
            new.values.base.update(from: old.values.base, count: old.values.count)
        }
        #expect(try resumed.run(frames) == training.run(frames))
        #expect(resumed.hasBits(of: training))
        return report
    }

    /// Weights of the largest network that is trained again; the others differ in the number of layers only.
    private static let largestResumed = 12_000_000

    /// Nadam's first step is nearly the learning rate in the direction of the gradient's sign, which rounding decides where a gradient
    /// is all but 0: a changed sign of one element in a hundred is a tenth of the change's product with other numbers.
    private func checkChanges() throws -> String {
        let rows = try golden.values("step/changes")
        let names = try listed.filter { !$0.name.contains("running_") }.map { try slice($0.name).name } + ["output/kernel", "output/bias"]
        var errors: [Double] = []
        for (index, name) in names.enumerated() {
            let slice = try #require(store.slice(named: name))
            let (norm, product) = summary(store.value(slice), less: initial.base + slice.offset, index)
            let expected = Double(rows[2 * index])
            // A gradient that is 0 but for rounding, such as that of a bias before a batch normalisation, is no evidence.
            guard expected >= 1e-3 * Double(slice.count).squareRoot() else { continue }
            #expect(abs(norm - expected) <= 0.1 * expected, "\(name)")
            errors.append(abs(product - Double(rows[2 * index + 1])) / expected)
            if name.hasPrefix("output") { #expect(errors[errors.count - 1] <= 1e-3, "\(name)") }
        }
        #expect(errors.count >= names.count / 2)
        let mean = errors.reduce(0, +) / Double(errors.count)
        // ResNet-101 loses most, as with its gradients.
        #expect(mean <= 0.15)
        return "changes \(mean), at worst \(errors.max() ?? .nan)"
    }

    // MARK: - Explaining

    func checkExplanation() throws {
        let context = context()
        let activations = try classifier.activations(frames: frames.rows(0..<2), validFrames: 2, context)
        let explanation = classifier.explain(activations, target: 2, against: 0, context)
        let layer = encoder.explainedLayer
        #expect(encoder.layers[...layer].contains { $0.isConvolution } && encoder.shapes[layer].rank == 3)
        #expect(explanation.mapRows == encoder.shapes[layer][0] && explanation.mapColumns == encoder.shapes[layer][1])
        #expect(explanation.mapRows * explanation.mapColumns > 1 && explanation.maps.count == 2)
        #expect(explanation.maps.allSatisfy { $0.allSatisfy { $0 >= 0 && $0.isFinite } })
        #expect(explanation.weights.allSatisfy { $0.contains { $0 != 0 } && $0.allSatisfy { $0.isFinite } })
        #expect(explanation.completenessError <= 1e-3 * max(1, abs(explanation.score - explanation.baseline)))
    }
}

/// Writes the tensors by the formula to a file as PyTorch saves them, and imports it.
private func load(_ listed: [(name: String, shape: [Int])], into store: ParameterStore) async throws {
    let folder = try TestFolder()
    var header: [String] = []
    var end = 0
    for entry in listed {
        let shape = entry.shape.map(String.init).joined(separator: ",")
        let start = end
        end += 4 * entry.shape.reduce(1, *)
        header.append("\"\(entry.name)\":{\"dtype\":\"F32\",\"shape\":[\(shape)],\"data_offsets\":[\(start),\(end)]}")
    }
    var text = "{" + header.joined(separator: ",") + "}"
    text += String(repeating: " ", count: -text.utf8.count & 7)
    let prefix = FileBytes.safetensors(text)
    let bytes = [UInt8](unsafeUninitializedCapacity: prefix.count + end) { buffer, count in
        count = prefix.count + end
        _ = buffer.update(fromContentsOf: prefix)
        let values = UnsafeMutableRawBufferPointer(buffer)[prefix.count...].bindMemory(to: Float.self)
        var at = 0
        for (number, entry) in listed.enumerated() {
            let isKernel = entry.shape.count == 4
            let scale =
                isKernel
                ? Float((6 / Double(entry.shape.dropFirst().reduce(1, *))).squareRoot())
                : entry.name.hasSuffix("running_var") ? 0.5 : 0.25
            let offset: Float = !isKernel && (entry.name.hasSuffix("running_var") || entry.name.hasSuffix("weight")) ? 1 : 0
            for index in 0..<entry.shape.reduce(1, *) { values[at + index] = offset + formula(number, index) * scale }
            at += entry.shape.reduce(1, *)
        }
    }
    let path = try folder.write("weights.safetensors", bytes)
    let weights = try await ImportedWeights.read(path, hdf5: .inThisProcess)
    _ = try weights.load(into: store, preprocessing: weights.preprocessing)
}

/// The norm of a tensor, and its product with numbers by the formula in PyTorch's order: kernels (rows, columns, C, K), (rows, columns, C)
/// or (C, K) are (K, C, rows, columns), (C, 1, rows, columns) and (K, C) there.
private func summary(_ tensor: Tensor, less before: UnsafePointer<Float>? = nil, _ number: Int) -> (norm: Double, product: Double) {
    let shape = tensor.shape
    let filters = shape.rank > 1 ? shape.last : 1
    let channels = shape.rank == 4 ? shape[2] : shape.rank == 2 ? shape[0] : 1
    let places = tensor.count / filters / channels
    var (norm, product) = (0.0, 0.0)
    for place in 0..<places {
        for channel in 0..<channels {
            let start = (place * channels + channel) * filters
            for filter in 0..<filters {
                let value = Double(tensor.base[start + filter]) - (before.map { Double($0[start + filter]) } ?? 0)
                norm += value * value
                product += value * Double(formula(number, (filter * channels + channel) * places + place))
            }
        }
    }
    return (norm.squareRoot(), product)
}

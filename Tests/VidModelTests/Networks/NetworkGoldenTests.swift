import Foundation
import Testing
import VidCheckpoint
import VidConfig
import VidModel
import VidSystem
import VidTensor
import VidTestSupport

/// The named networks against PyTorch in double precision (torchvision, and efficientnet-lite-pytorch), with weights that both sides
/// compute by a formula and that are imported under PyTorch's names: features, gradients of all parameters with frozen and with trained
/// batch normalisation, and the moving statistics after a step.
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
    func featuresAndGradients(_ name: NamedArchitecture) async throws {
        let golden = try Self.golden(name)
        let owner = Owner()
        defer { withExtendedLifetime(owner) {} }
        let note = try JSONParser.parse(golden.note)
        let size = (note["size"]?.arrayElements ?? []).compactMap { $0.integerValue.map(Int.init) }
        let listed = (note["tensors"]?.arrayElements ?? []).map { node -> (name: String, shape: [Int]) in
            let parts = node.arrayElements ?? []
            return (parts[0].stringValue ?? "", (parts[1].arrayElements ?? []).compactMap { $0.integerValue.map(Int.init) })
        }
        var layout = ParameterLayout()
        let encoder = try FrameEncoder(
            .named(name), input: [size[0], size[1], 3], trainable: .all, pooling: GlobalAveragePooling2D(), layout: &layout)
        let store = try ParameterStore(layout)
        let context = Context(parameters: store, workers: Workers(count: 2), random: RandomGenerator(seed: 1))
        try await load(listed, into: store)

        let frames = Tensor.formula(100_000, [4, 3, size[0], size[1]], owner).channelsLast(owner)
        let weights = Tensor.formula(100_001, encoder.outputShape.prepending(4), owner)
        let features = context.workspace.take(encoder.outputShape.prepending(4))
        features.fill(.nan)
        encoder.encode(frames: frames, into: features, context)
        let expected = try golden.values("frozen/features")
        let error = relativeError(features.array, expected)
        #expect(error <= 1e-4)

        let namings = try NetworkNaming.allCases.compactMap { try $0.tensors(name) }
        let naming = try #require(namings.first { $0.contains { $0.theirs == listed[0].name } })
        let own = Dictionary(uniqueKeysWithValues: naming.map { ($0.theirs, "cnn/" + $0.own.name) })
        var report = "\(name.rawValue): features \(error)"
        for mode in ["frozen", "batch"] {
            context.isTraining = mode == "batch"
            store.zeroGradients()
            let mark = context.workspace.mark
            let saved = encoder.forward(frames: frames, saving: ActivationPlan(encoder, frames: 4, limit: .max), context)
            let featureError = relativeError(saved.features.array, try golden.values("\(mode)/features"))
            #expect(featureError <= (mode == "batch" ? 1e-3 : 1e-4), "\(mode)")
            let dFeatures = context.workspace.take(weights.shape)
            dFeatures.copy(from: weights)
            encoder.backward(frames: frames, saved: saved, dFeatures: dFeatures, context)
            context.workspace.release(to: mark)
            let rows = try golden.values("\(mode)/gradients")
            let trained = listed.filter { !$0.name.contains("running_") }
            // Some gradients are 0, such as those of a bias before a batch normalisation: they are compared with the largest.
            let largest = trained.indices.reduce(0.0) { max($0, Double(rows[2 * $1])) }
            var worst = 0.0
            for (index, entry) in trained.enumerated() {
                let name = try #require(own[entry.name])
                let slice = try #require(store.slice(named: name))
                let permuted = Owner()
                let gradient = try #require(store.gradient(slice)).channelsFirst(permuted)
                let (norm, product) = summary(gradient, index)
                withExtendedLifetime(permuted) {}
                let scale = max(Double(rows[2 * index]), 1e-3 * largest)
                worst = max(worst, abs(norm - Double(rows[2 * index])) / scale, abs(product - Double(rows[2 * index + 1])) / scale / 10)
                if !(worst <= 2e-2) {
                    Issue.record("\(mode) \(entry.name): \(norm), \(product) for \(rows[2 * index]), \(rows[2 * index + 1])")
                    break
                }
            }
            report += "; \(mode) features \(featureError), gradients \(worst)"
            guard mode == "batch" else { continue }
            let moving = try golden.values("batch/moving")
            for (index, entry) in listed.filter({ $0.name.contains("running_") }).enumerated() {
                let name = try #require(own[entry.name])
                let slice = try #require(store.slice(named: name))
                let (norm, product) = summary(store.value(slice), index)
                // PyTorch's variance has count - 1 in the denominator, and the smallest maps have 24 positions in all frames.
                let tolerance = Double(moving[2 * index]) * (entry.name.hasSuffix("running_var") ? 1.0 / 23 : 1e-4)
                #expect(abs(norm - Double(moving[2 * index])) <= tolerance, "\(entry.name)")
                #expect(abs(product - Double(moving[2 * index + 1])) <= 10 * tolerance, "\(entry.name)")
            }
        }
        print(report)
    }

    /// Writes the tensors by the formula to a file as PyTorch saves them, and imports it.
    private func load(_ listed: [(name: String, shape: [Int])], into store: ParameterStore) async throws {
        let folder = try TestFolder()
        let owner = Owner()
        defer { withExtendedLifetime(owner) {} }
        var tensors: [NamedTensor] = []
        for (number, entry) in listed.enumerated() {
            let tensor = Tensor.formula(number, Shape(entry.shape), owner)
            let scale = entry.shape.count == 4 ? Float((6 / Double(entry.shape.dropFirst().reduce(1, *))).squareRoot()) : 0.25
            for index in 0..<tensor.count {
                let value = tensor.base[index]
                tensor.base[index] =
                    if entry.shape.count == 4 { value * scale } else if entry.name.hasSuffix("running_var") {
                        1 + 0.5 * value
                    } else if entry.name.hasSuffix("weight") { 1 + 0.25 * value } else { 0.25 * value }
            }
            tensors.append(NamedTensor(entry.name, tensor))
        }
        var header: [String] = []
        var values: [UInt8] = []
        for tensor in tensors {
            let start = values.count
            values += UnsafeRawBufferPointer(start: tensor.tensor.base, count: 4 * tensor.tensor.count)
            let shape = tensor.tensor.shape.dimensions.map(String.init).joined(separator: ",")
            header.append("\"\(tensor.name)\":{\"dtype\":\"F32\",\"shape\":[\(shape)],\"data_offsets\":[\(start),\(values.count)]}")
        }
        let path = try folder.write("weights.safetensors", FileBytes.safetensors("{" + header.joined(separator: ",") + "}", values: values))
        let weights = try await ImportedWeights.read(path, hdf5: .inThisProcess)
        _ = try weights.load(into: store, preprocessing: weights.preprocessing)
    }

    private func summary(_ tensor: Tensor, _ number: Int) -> (norm: Double, product: Double) {
        let owner = Owner()
        let by = Tensor.formula(number, [tensor.count], owner)
        defer { withExtendedLifetime(owner) {} }
        var (norm, product) = (0.0, 0.0)
        for index in 0..<tensor.count {
            norm += Double(tensor.base[index]) * Double(tensor.base[index])
            product += Double(tensor.base[index]) * Double(by.base[index])
        }
        return (norm.squareRoot(), product)
    }
}

/// Owns the tensors of a test.
private final class Owner {
    private var tensors = TestTensors(seed: 0)

    func make(_ shape: Shape) -> Tensor { tensors.nan(shape) }
}

extension Tensor {
    /// Numbers in [-1, 1) by the hash of `maintain.goldens.networks`.
    fileprivate static func formula(_ number: Int, _ shape: Shape, _ owner: Owner) -> Tensor {
        let tensor = owner.make(shape)
        for index in 0..<tensor.count {
            var x = UInt32(truncatingIfNeeded: index) &+ 0x9E37_79B9 &* UInt32(number + 1)
            x ^= x >> 16
            x &*= 0x85EB_CA6B
            x ^= x >> 13
            x &*= 0xC2B2_AE35
            x ^= x >> 16
            tensor.base[index] = Float(x >> 8) * 0x1p-23 - 1
        }
        return tensor
    }

    /// (N, C, H, W) as (N, H, W, C).
    fileprivate func channelsLast(_ owner: Owner) -> Tensor {
        let (n, c, h, w) = (shape[0], shape[1], shape[2], shape[3])
        let result = owner.make([n, h, w, c])
        for i in 0..<n { for j in 0..<c { for p in 0..<h * w { result.base[(i * h * w + p) * c + j] = base[(i * c + j) * h * w + p] } } }
        return result
    }

    /// A kernel (rows, columns, C, K) or (rows, columns, C) in PyTorch's order; a vector as it is.
    fileprivate func channelsFirst(_ owner: Owner) -> Tensor {
        guard shape.rank > 1 else { return self }
        let (area, c, k) = (shape[0] * shape[1], shape.rank == 4 ? shape[2] : 1, shape.last)
        let result = owner.make([k, c, area])
        for p in 0..<area { for j in 0..<c { for f in 0..<k { result.base[(f * c + j) * area + p] = base[(p * c + j) * k + f] } } }
        return result
    }
}

import Foundation
import VidModel
import VidTensor
import VidTestSupport

extension Golden {
    /// `Goldens/<name>.safetensors` of these tests.
    static func named(_ name: String) throws -> Golden {
        try Golden(path: Bundle.module.bundleURL.appending(path: "Goldens/\(name).safetensors").path)
    }
}

/// How far a layer is from a golden case: for each tensor, the largest difference relative to the largest value.
struct GoldenErrors: CustomStringConvertible {
    private(set) var errors: [String: Double] = [:]

    mutating func compare(_ name: String, _ found: Tensor?, _ expected: Tensor) {
        // A missing gradient is as wrong as a NaN, and so is one of another shape.
        guard let found, found.shape == expected.shape else {
            errors[name] = .nan
            return
        }
        errors[name] = relativeError(found.array, expected.array)
    }

    /// The largest; NaN if any is NaN, infinity if nothing was compared.
    var worst: Double {
        errors.values.contains(where: \.isNaN) ? .nan : errors.values.max() ?? .infinity
    }

    var description: String {
        errors.sorted { $0.key < $1.key }.map { "\($0.key) \($0.value)" }.joined(separator: ", ")
    }
}

/// Runs a layer forward and backward on a golden case's input, parameters and output weights.
struct GoldenLayerCase {
    let golden: Golden
    let name: String
    let context: Context

    /// The store of a layer whose parameters `layout` lists, filled with the case's; memory given out holds NaN.
    init(_ golden: Golden, _ name: String, _ layout: ParameterLayout, isTraining: Bool = true) throws {
        self.golden = golden
        self.name = name
        context = Context(
            parameters: try ParameterStore(layout), workers: Workers(count: 2), random: RandomGenerator(seed: 1), isTraining: isTraining)
        context.parameters.values.base.update(repeating: .nan, count: context.parameters.values.count)
        for key in golden.parameters(of: name) {
            if let slice = slice(key) { context.parameters.value(slice).copy(from: try tensor(key)) }
        }
        context.parameters.didChange()
        context.workspace.take([1 << 20]).fill(.nan)
        context.workspace.reset()
    }

    func tensor(_ key: String) throws -> Tensor { try golden.tensor("\(name)/\(key)") }

    /// The parameter that a case calls `kernel`, or `forward_kernel` in one direction of two.
    func slice(_ key: String) -> ParameterSlice? {
        var path = key
        for direction in ["forward", "backward"] where key.hasPrefix("\(direction)_") {
            path = "\(direction)/\(key.dropFirst(direction.count + 1))"
        }
        return context.parameters.slices.first { $0.name.hasSuffix("/\(path)") }
    }

    /// The errors of the output and of all gradients.
    func errors(_ layer: some Layer) throws -> GoldenErrors {
        let saved = layer.forward(try tensor("input"), context)
        let dInput = layer.backward(try tensor("d_output"), saved, context, needsInputGradient: true)
        return try errors(output: saved.output, dInput: dInput)
    }

    /// The same for a layer over sequences, under the case's mask if it has one.
    ///
    /// - Parameter clearsMaskedSteps: whether the output of masked steps is left out.
    func sequenceErrors(_ layer: some SequenceLayer, clearsMaskedSteps: Bool = true) throws -> GoldenErrors {
        let mask = golden.contains("\(name)/mask") ? try tensor("mask") : nil
        let saved = layer.forward(try tensor("input"), mask: mask, context)
        let dInput = layer.backward(try tensor("d_output"), saved, mask: mask, context, needsInputGradient: true)
        if clearsMaskedSteps, let mask, saved.output.shape.rank == 3 {
            // The output of masked steps does not matter: the golden has weights of zero there.
            clear(saved.output, where: mask)
            return try errors(output: saved.output, dInput: dInput, mask: mask)
        }
        return try errors(output: saved.output, dInput: dInput)
    }

    private func clear(_ sequence: Tensor, where mask: Tensor) {
        let steps = sequence.reshaped([mask.count, sequence.shape.last])
        for step in 0..<mask.count where mask.base[step] == 0 { steps.rows(step..<step + 1).fill(0) }
    }

    private func errors(output: Tensor, dInput: Tensor?, mask: Tensor? = nil) throws -> GoldenErrors {
        var errors = GoldenErrors()
        let expected = try tensor("output")
        if let mask { clear(expected, where: mask) }
        errors.compare("output", output, expected)
        errors.compare("d_input", dInput, try tensor("d_input"))
        for key in golden.parameters(of: name) where golden.contains("\(name)/d_\(key)") {
            errors.compare("d_\(key)", slice(key).flatMap { context.parameters.gradient($0) }, try tensor("d_\(key)"))
        }
        return errors
    }
}

import VidConfig
import VidTensor

/// An optimizer over the trained weights of a parameter store: a rule with its moments, and what all rules share: clipping of the
/// gradient's norm (Keras's `global_clipnorm`) and decoupled weight decay (Loshchilov and Hutter 2019; Keras 3's `weight_decay`).
package struct Optimizer: Sendable {
    /// The moments, zero before the first step; a checkpoint saves and restores them.
    package let slots: [OptimizerSlot]
    private let settings: OptimizerConfiguration
    private let rule: any OptimizerRule
    /// The trained weights split into ranges that decay or do not, as offsets in the trainable range.
    private let parts: [(range: Range<Int>, decays: Bool)]

    /// The optimizer that `configuration` describes, with all moments over `parameters` zero.
    ///
    /// - Throws: `.other` if memory runs out.
    package init(_ configuration: OptimizerConfiguration, _ parameters: ParameterStore) throws {
        settings = configuration
        rule = configuration.rule
        slots = try rule.slots.map { try OptimizerSlot($0, parameters) }
        parts = Optimizer.parts(parameters, withoutDecay: configuration.excludeFromWeightDecay)
    }

    /// Splits the trained weights where a parameter that decays follows one that does not, or the other way round.
    ///
    /// As with Keras's `exclude_from_weight_decay(var_names=...)`, a parameter is excluded if its name contains one of `excluded`.
    private static func parts(_ parameters: ParameterStore, withoutDecay excluded: [String]) -> [(range: Range<Int>, decays: Bool)] {
        var parts: [(range: Range<Int>, decays: Bool)] = []
        let all = parameters.trainableRange
        for slice in parameters.slices where slice.isTrainable {
            let decays = !excluded.contains { slice.name.contains($0) }
            let start = slice.offset - all.lowerBound
            if let last = parts.last {
                if last.decays == decays { continue }
                parts[parts.count - 1].range = last.range.lowerBound..<start
            }
            parts.append((start..<all.count, decays))
        }
        return parts
    }

    /// Changes the trained weights by the gradients in the store. The same bits at any thread count.
    ///
    /// The norm of the gradients takes a pass of its own: without it nobody knows whether anything may be changed.
    ///
    /// - Parameters:
    ///   - learningRate: that of this step; nil = the configuration's.
    ///   - clearsGradients: whether the gradients are 0 afterwards, for the next step to add to.
    /// - Returns: false, with nothing changed, if a gradient is not finite.
    package func step(
        _ parameters: ParameterStore, _ state: inout OptimizerState, _ workers: Workers, learningRate: Double? = nil,
        clearsGradients: Bool = false
    ) -> Bool {
        let all = parameters.trainableRange
        guard !all.isEmpty else { return true }
        // Squares of floats summed in double precision cannot overflow: the sum is finite if all gradients are.
        let norm = Reductions.sumOfSquares(parameters.gradients.tensor([all.count]), workers).squareRoot()
        guard norm.isFinite else { return false }
        let scale = settings.clipNorm.map { norm > Double($0) ? Double($0) / norm : 1 } ?? 1
        let rate = learningRate ?? settings.learningRate
        state.step += 1
        rule.advance(&state)
        for (range, decays) in parts {
            let run = OptimizerUpdate.Run(
                weights: parameters.values.tensor([range.count], offset: all.lowerBound + range.lowerBound),
                gradients: parameters.gradients.tensor([range.count], offset: range.lowerBound))
            let keep = decays ? 1 - rate * Double(settings.weightDecay) : 1
            rule.update(
                run, { slots[$0].values.tensor([range.count], offset: range.lowerBound) }, state,
                .init(learningRate: rate, gradientScale: scale, keep: keep, clearsGradients: clearsGradients), workers)
        }
        parameters.didTrain(clearingGradients: clearsGradients)
        return true
    }
}

/// A moment of every trained weight: a buffer over the store's trainable range, sharing its layout.
package struct OptimizerSlot: Sendable {
    /// `m` or `v`; a checkpoint stores it as `optimizer/NAME/...`.
    package let name: String
    package let values: Buffer

    init(_ name: String, _ parameters: ParameterStore) throws {
        self.name = name
        values = try Buffer(allocating: parameters.trainableRange.count)
    }

    /// Whether all its values are finite.
    package func isFinite(_ workers: Workers) -> Bool { Reductions.sumOfSquares(values.tensor([values.count]), workers).isFinite }

    /// The part of a trained parameter; nil for one that is not trained.
    package func value(_ slice: ParameterSlice, in parameters: ParameterStore) -> Tensor? {
        guard slice.isTrainable else { return nil }
        return values.tensor(slice.shape, offset: slice.offset - parameters.trainableRange.lowerBound)
    }
}

extension OptimizerConfiguration {
    fileprivate var rule: any OptimizerRule {
        switch type {
        case .nadam: Nadam(self)
        case .adam: Adam(self)
        case .sgd: SGD(self)
        case .rmsprop: RMSprop(self)
        }
    }

    /// The number of moments that the optimizer keeps of each trained weight.
    package var slotCount: Int { rule.slots.count }
}

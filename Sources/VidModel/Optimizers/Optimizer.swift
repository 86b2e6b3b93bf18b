import VidTensor

/// What an optimiser keeps from step to step besides its slots: part of a checkpoint's state.
package struct OptimizerState: Sendable, Equatable, Codable {
    /// Steps taken.
    package var step = 0
    /// Nadam's running product of mu_1 ... mu_step.
    package var momentumSchedule = 1.0

    package init() {}

    private enum CodingKeys: String, CodingKey {
        case step
        case momentumSchedule = "m_schedule"
    }
}

/// A moment of every trained weight: a buffer over the store's trainable range, sharing its layout.
package struct OptimizerSlot: Sendable {
    /// `m` or `v`; a checkpoint stores it as `optimizer/NAME/...`.
    package let name: String
    package let values: Buffer

    init(_ name: String, _ parameters: ParameterStore) {
        self.name = name
        values = Buffer(count: parameters.trainableRange.count)
    }

    var whole: Tensor { values.tensor([values.count]) }

    /// Whether all its values are finite.
    package func isFinite(_ workers: Workers) -> Bool { Reductions.sumOfSquares(whole, workers).isFinite }

    /// The part of a trained parameter; nil of one that is not trained.
    package func value(_ slice: ParameterSlice, in parameters: ParameterStore) -> Tensor? {
        guard slice.isTrainable else { return nil }
        return values.tensor(slice.shape, offset: slice.offset - parameters.trainableRange.lowerBound)
    }
}

/// What every optimiser can do besides its rule.
package struct OptimizerSettings: Sendable, Equatable {
    package let learningRate: Double
    /// Gradients whose norm over all parameters exceeds this are scaled down to it (Keras's `global_clipnorm`).
    package let clipNorm: Double?
    /// Every trained weight, biases included, loses learning rate x this x itself before its update (Loshchilov and
    /// Hutter 2019; Keras 3's `weight_decay`).
    package let weightDecay: Double

    package init(learningRate: Double, clipNorm: Double? = nil, weightDecay: Double = 0) {
        self.learningRate = learningRate
        self.clipNorm = clipNorm
        self.weightDecay = weightDecay
    }
}

/// A rule by which gradients change weights, over the one run of trained weights.
package protocol Optimizer: Sendable {
    var settings: OptimizerSettings { get }

    /// Its moments, zero before the first step; a checkpoint saves and restores them.
    var slots: [OptimizerSlot] { get }

    /// Applies the rule once. `state.step` has been raised already: it is 1 in the first step.
    func update(
        _ run: OptimizerUpdate.Run, _ state: inout OptimizerState, _ common: OptimizerUpdate.Common, _ workers: Workers)
}

extension Optimizer {
    /// Changes the trained weights by the gradients in the store. The same bits at any thread count.
    ///
    /// - Parameter learningRate: of this step; nil = that of the settings.
    /// - Returns: false, with nothing changed, if a gradient is not finite.
    package func step(
        _ parameters: ParameterStore, _ state: inout OptimizerState, _ workers: Workers, learningRate: Double? = nil
    ) -> Bool {
        let range = parameters.trainableRange
        guard !range.isEmpty else { return true }
        let gradients = parameters.gradients.tensor([range.count])
        // Squares of floats summed in double precision cannot overflow: the sum is finite if all gradients are.
        let norm = Reductions.sumOfSquares(gradients, workers).squareRoot()
        guard norm.isFinite else { return false }
        let scale = settings.clipNorm.map { norm > $0 ? $0 / norm : 1 } ?? 1
        let rate = learningRate ?? settings.learningRate
        state.step += 1
        let run = OptimizerUpdate.Run(weights: parameters.values.tensor([range.count], offset: range.lowerBound), gradients: gradients)
        update(
            run, &state, .init(learningRate: rate, gradientScale: scale, keep: 1 - rate * settings.weightDecay), workers)
        parameters.didTrain()
        return true
    }
}

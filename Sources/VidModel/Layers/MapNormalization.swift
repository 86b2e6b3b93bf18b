import VidConfig
import VidTensor

/// Batch normalisation of each channel over frames and positions, (N, H, W, C) -> (N, H, W, C), with an activation: Keras's
/// `BatchNormalization` and `Activation`.
///
/// In training it uses the mean and population variance of all frames of the step and moves the moving ones towards them, as in
/// Keras 3. Frozen, or outside of training, it uses the moving ones. Parameters `<prefix>/<name>/gamma`, `/beta` (trained),
/// `/moving_mean` and `/moving_variance`, (C) each.
package struct MapNormalization: BatchLayer {
    package let name: String
    package let type = "BatchNormalization"
    package let channels: Int
    package let momentum: Float
    package let activation: ActivationKind
    package let isTrainable: Bool
    /// The parameters that a convolution before this layer folds into its own.
    package let parameters: NormalizationParameters

    /// Registers the layer's parameters below `prefix`.
    package init(
        _ name: String, prefix: String, channels: Int, momentum: Float = 0.99, epsilon: Float = 1e-3, activation: ActivationKind = .linear,
        trainable: Bool = true, layout: inout ParameterLayout
    ) {
        self.name = name
        self.channels = channels
        self.momentum = momentum
        self.activation = activation
        isTrainable = trainable
        parameters = NormalizationParameters(
            gamma: layout.add("\(prefix)/\(name)/gamma", [channels], .ones, trainable: trainable),
            beta: layout.add("\(prefix)/\(name)/beta", [channels], .zeros, trainable: trainable),
            movingMean: layout.add("\(prefix)/\(name)/moving_mean", [channels], .zeros, trainable: false),
            movingVariance: layout.add("\(prefix)/\(name)/moving_variance", [channels], .ones, trainable: false), epsilon: epsilon)
    }

    package var parameterCount: Int { 4 * channels }

    package var hasReLU: Bool { activation == .relu }

    /// The activation's slope is taken at the normalised input, computed again.
    package var readsOutputForReLU: Bool { false }

    package var canOverwriteOutputGradient: Bool { true }

    /// Each value is read before its gradient is written in its place.
    package func canOverwriteInput(_ input: Shape, _ rectified: RectifiedGradients) -> Bool { !rectified.input }

    package func outputShape(_ input: Shape) -> Shape {
        precondition(input.last == channels, "\(name): expected \(channels) channels, received \(input)")
        return input
    }

    package func flops(_ input: Shape) -> Double { 0 }

    package func scratchBytes(_ input: Shape, workers: Int, gradients: Bool) -> Int {
        gradients ? 2 * (channels + 15) * MemoryLayout<Float>.stride : 0
    }

    package var statisticsCount: Int { 2 * channels }

    package func forward(_ input: Tensor, into output: Tensor, _ context: Context) {
        normalize(input, moving(context).mean, moving(context).variance, into: output, context)
    }

    package func forward(_ input: Tensor, into output: Tensor, statistics: Tensor, _ context: Context) {
        let (mean, variance) = halves(statistics)
        BatchNorm.moments(input, mask: nil, mean: mean, variance: variance, context.workers)
        move(moving(context).mean, towards: mean)
        move(moving(context).variance, towards: variance)
        normalize(input, mean, variance, into: output, context)
    }

    package func repeatForward(_ input: Tensor, into output: Tensor, statistics: Tensor, _ context: Context) {
        normalize(input, halves(statistics).mean, halves(statistics).variance, into: output, context)
    }

    package func backward(
        _ dOutput: Tensor, input: Tensor, output: Tensor, into dInput: Tensor?, rectified: RectifiedGradients, _ context: Context
    ) {
        backward(dOutput, input, into: dInput, nil, rectified, context)
    }

    package func backward(
        _ dOutput: Tensor, input: Tensor, into dInput: Tensor?, statistics: Tensor, rectified: RectifiedGradients, _ context: Context
    ) {
        backward(dOutput, input, into: dInput, halves(statistics), rectified, context)
    }

    private func normalize(_ input: Tensor, _ mean: Tensor, _ variance: Tensor, into output: Tensor, _ context: Context) {
        let store = context.parameters
        BatchNorm.forward(
            input, mean: mean, variance: variance, epsilon: parameters.epsilon, gamma: store.value(parameters.gamma),
            beta: store.value(parameters.beta), activation: activation, into: output, context.workers)
    }

    private func moving(_ context: Context) -> (mean: Tensor, variance: Tensor) {
        (context.parameters.value(parameters.movingMean), context.parameters.value(parameters.movingVariance))
    }

    private func backward(
        _ dOutput: Tensor, _ input: Tensor, into dInput: Tensor?, _ statistics: (mean: Tensor, variance: Tensor)?,
        _ rectified: RectifiedGradients, _ context: Context
    ) {
        let store = context.parameters
        let mark = context.workspace.mark
        defer { context.workspace.release(to: mark) }
        let (gammaSums, betaSums) = (context.workspace.take([channels]), context.workspace.take([channels]))
        BatchNorm.backward(
            input, dOutput, mask: nil, usesBatchStatistics: statistics != nil, mean: statistics?.mean ?? moving(context).mean,
            variance: statistics?.variance ?? moving(context).variance, epsilon: parameters.epsilon, gamma: store.value(parameters.gamma),
            beta: store.value(parameters.beta), activation: rectified.output && hasReLU ? .linear : activation, dGamma: gammaSums,
            dBeta: betaSums, dx: dInput, context.workers)
        if let dGamma = store.gradient(parameters.gamma), let dBeta = store.gradient(parameters.beta) {
            for index in 0..<channels {
                dGamma.base[index] += gammaSums.base[index]
                dBeta.base[index] += betaSums.base[index]
            }
        }
        if let dInput { rectify(dInput, input, rectified, context) }
    }

    private func halves(_ statistics: Tensor) -> (mean: Tensor, variance: Tensor) {
        (Tensor(statistics.base, [channels]), Tensor(statistics.base + channels, [channels]))
    }

    private func move(_ moving: Tensor, towards batch: Tensor) {
        for index in 0..<channels { moving.base[index] = momentum * moving.base[index] + (1 - momentum) * batch.base[index] }
    }
}

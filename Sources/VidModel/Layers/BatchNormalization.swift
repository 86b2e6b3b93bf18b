import VidConfig
import VidTensor

/// Normalises each feature by its mean and variance; Keras's `BatchNormalization` over the last axis.
///
/// In training it uses the batch's statistics over all axes but the last, without masked steps, and updates the moving ones:
/// moving = momentum moving + (1 - momentum) batch, with the population variance (Keras 3). Otherwise it uses the moving
/// statistics. The parameters `NAME/gamma` and `NAME/beta` are trained, `NAME/moving_mean` and `NAME/moving_variance` are not.
package struct BatchNormalization: Layer, SequenceLayer {
    package let name: String
    package let momentum: Float
    package let epsilon: Float
    private let gamma: ParameterID
    private let beta: ParameterID
    private let movingMean: ParameterID
    private let movingVariance: ParameterID

    package init(
        _ name: String, features: Int, options: BatchNormalizationOptions = BatchNormalizationOptions(), _ layout: inout ParameterLayout
    ) {
        self.name = name
        momentum = options.momentum
        epsilon = options.epsilon
        gamma = layout.add("\(name)/gamma", [features], .ones)
        beta = layout.add("\(name)/beta", [features], .zeros)
        movingMean = layout.add("\(name)/moving_mean", [features], .zeros, trainable: false)
        movingVariance = layout.add("\(name)/moving_variance", [features], .ones, trainable: false)
    }

    package func outputShape(_ input: Shape) -> Shape { input }

    package func forward(_ input: Tensor, _ context: Context) -> Saved { forward(input, mask: nil, context) }

    package func backward(_ dOutput: Tensor, _ saved: Saved, _ context: Context, needsInputGradient: Bool) -> Tensor? {
        backward(dOutput, saved, mask: nil, context, needsInputGradient: needsInputGradient)
    }

    package func forward(_ input: Tensor, mask: Tensor?, _ context: Context) -> Saved {
        let parameters = context.parameters
        let output = context.workspace.take(input.shape)
        var saved = Saved(input: input, output: output)
        var (mean, variance) = (parameters.value(movingMean), parameters.value(movingVariance))
        if context.isTraining {
            let (batchMean, batchVariance) = (context.workspace.take(mean.shape), context.workspace.take(mean.shape))
            BatchNorm.moments(input, mask: mask, mean: batchMean, variance: batchVariance, context.workers)
            if mask.map({ BatchNorm.counted($0) > 0 }) ?? true {
                move(mean, towards: batchMean)
                move(variance, towards: batchVariance)
            }
            (mean, variance) = (batchMean, batchVariance)
            saved.statistics = (batchMean, batchVariance)
        }
        BatchNorm.forward(
            input, mean: mean, variance: variance, epsilon: epsilon, gamma: parameters.value(gamma), beta: parameters.value(beta),
            into: output, context.workers)
        return saved
    }

    package func backward(_ dOutput: Tensor, _ saved: Saved, mask: Tensor?, _ context: Context, needsInputGradient: Bool) -> Tensor? {
        let parameters = context.parameters
        let dInput = needsInputGradient ? context.workspace.take(saved.input.shape) : nil
        let mark = context.workspace.mark
        defer { context.workspace.release(to: mark) }
        let features = parameters.value(gamma).shape
        let (gammaSums, betaSums) = (context.workspace.take(features), context.workspace.take(features))
        BatchNorm.backward(
            saved.input, dOutput, mask: mask, usesBatchStatistics: saved.statistics != nil,
            mean: saved.statistics?.mean ?? parameters.value(movingMean),
            variance: saved.statistics?.variance ?? parameters.value(movingVariance), epsilon: epsilon, gamma: parameters.value(gamma),
            dGamma: gammaSums, dBeta: betaSums, dx: dInput, context.workers)
        if let dGamma = parameters.gradient(gamma), let dBeta = parameters.gradient(beta) {
            for index in 0..<features.count {
                dGamma.base[index] += gammaSums.base[index]
                dBeta.base[index] += betaSums.base[index]
            }
        }
        return dInput
    }

    /// Updates a moving statistic. The store's version stays, for nothing is derived from these values.
    private func move(_ moving: Tensor, towards batch: Tensor) {
        for index in 0..<moving.count {
            moving.base[index] = momentum * moving.base[index] + (1 - momentum) * batch.base[index]
        }
    }
}

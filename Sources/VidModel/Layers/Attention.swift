import VidConfig
import VidTensor

/// Self-attention over time as in an encoder of a transformer: y = LayerNormalization(x + MultiHeadAttention(x, x, x)), Keras's
/// layers of these names (Vaswani et al. 2017, "Attention is all you need"), (B, T, F) -> (B, T, F).
///
/// With H heads of D features: `NAME/query/kernel` (F, H, D) and `/bias` (H, D), the same for `key` and `value`;
/// `NAME/attention_output/kernel` (H, D, F) and `/bias` (F); `NAME/layer_normalization/gamma` and `/beta` (F). Kernels are Glorot
/// uniform, biases zeros.
///
/// Masked steps get no attention. `dropout` acts on the attention weights.
package struct Attention: SequenceLayer {
    package let name: String
    private let options: AttentionOptions
    private let keyDimension: Int
    private let query: Projection
    private let key: Projection
    private let value: Projection
    private let result: Projection
    private let normalization: LayerNormalization

    package init(_ name: String, features: Int, _ options: AttentionOptions, _ layout: inout ParameterLayout) {
        self.name = name
        self.options = options
        keyDimension = options.keyDimension(features: features)
        let heads: Shape = [options.numHeads, keyDimension]
        query = Projection("\(name)/query", from: [features], to: heads, &layout)
        key = Projection("\(name)/key", from: [features], to: heads, &layout)
        value = Projection("\(name)/value", from: [features], to: heads, &layout)
        result = Projection("\(name)/attention_output", from: heads, to: [features], &layout)
        normalization = LayerNormalization("\(name)/layer_normalization", features: features, &layout)
    }

    package func outputShape(_ input: Shape) -> Shape { input }

    package func forward(_ input: Tensor, mask: Tensor?, _ context: Context) -> Saved {
        let attention = attention(input.shape)
        let x = rows(input)
        let heads = DotProductAttention.Saved(attention, dropout: context.isTraining && options.dropout > 0, context.workspace)
        query.forward(x, into: heads.query, context)
        key.forward(x, into: heads.key, context)
        value.forward(x, into: heads.value, context)
        if let factors = heads.factors { DropoutFactors.fill(factors, rate: options.dropout, &context.random, context.workers) }
        attention.forward(heads, mask: mask, context.workspace, context.workers)
        let sum = context.workspace.take(input.shape)
        sum.copy(from: input)
        result.forward(heads.output, into: rows(sum), accumulate: true, context)
        let normalized = normalization.forward(sum, context)
        var saved = Saved(input: input, output: normalized.output)
        saved.rowStatistics = normalized.rowStatistics
        saved.attention = (heads, sum)
        return saved
    }

    package func backward(_ dOutput: Tensor, _ saved: Saved, mask: Tensor?, _ context: Context, needsInputGradient: Bool) -> Tensor? {
        guard let (heads, sum) = saved.attention else { preconditionFailure("\(name): backward without a forward pass") }
        let workspace = context.workspace
        let dInput = needsInputGradient ? workspace.take(saved.input.shape) : nil
        let mark = workspace.mark
        defer { workspace.release(to: mark) }
        var normalized = Saved(input: sum, output: saved.output)
        normalized.rowStatistics = saved.rowStatistics
        guard let dSum = normalization.backward(dOutput, normalized, context, needsInputGradient: true) else { return nil }

        let dHeads = workspace.take(heads.output.shape)
        result.backward(rows(dSum), input: heads.output, dInput: dHeads, context)
        let (dQuery, dKey, dValue) = (workspace.take(dHeads.shape), workspace.take(dHeads.shape), workspace.take(dHeads.shape))
        attention(saved.input.shape).backward(
            heads, dHeads, dQuery: dQuery, dKey: dKey, dValue: dValue, workspace, context.workers)
        // The residual connection passes the gradient on, and the projections add theirs.
        dInput?.copy(from: dSum)
        let (x, dx) = (rows(saved.input), dInput.map(rows))
        query.backward(dQuery, input: x, dInput: dx, accumulate: true, context)
        key.backward(dKey, input: x, dInput: dx, accumulate: true, context)
        value.backward(dValue, input: x, dInput: dx, accumulate: true, context)
        return dInput
    }

    private func attention(_ input: Shape) -> DotProductAttention {
        DotProductAttention(
            batch: input[0], steps: input[1], heads: options.numHeads, keyDimension: keyDimension, isCausal: options.useCausalMask)
    }

    /// (B, T, F) as (B x T, F).
    private func rows(_ tensor: Tensor) -> Tensor { tensor.reshaped([tensor.shape[0] * tensor.shape[1], tensor.shape[2]]) }

    /// Floats that a step takes from the workspace besides input, output and their gradients: for each clip, and for any number.
    static func stepFloats(steps: Int, features: Int, _ options: AttentionOptions) -> (clip: Double, constant: Double) {
        let (steps, features) = (Double(steps), Double(features))
        let wide = Double(options.numHeads) * Double(options.keyDimension(features: Int(features)))
        // The sum and its gradient, statistics, penalties; queries, keys, values, outputs, their gradients and a transposition each
        // way; the weights and their gradient, with dropout twice more.
        let squares = (options.dropout > 0 ? 4 : 2) * Double(options.numHeads) * steps * steps
        // All four kernels have the same extents.
        let (products, turned) = (
            MatrixProduct.stepFloats(inputs: features, outputs: wide), MatrixProduct.stepFloats(inputs: wide, outputs: features)
        )
        let row = max(products.row, turned.row)
        return (steps * (2 * features + 3 + 10 * wide + row) + squares + 320, max(products.constant, turned.constant))
    }
}

/// A dense layer of an attention, with the shapes of Keras's `EinsumDense`: kernel (from..., to...) and bias (to...).
private struct Projection: Sendable {
    private let kernel: ParameterID
    private let bias: ParameterID
    /// The kernel as a matrix.
    private let matrix: Shape

    init(_ name: String, from: Shape, to: Shape, _ layout: inout ParameterLayout) {
        matrix = [from.count, to.count]
        kernel = layout.add(
            "\(name)/kernel", Shape(from.dimensions + to.dimensions), .glorotUniform(fanIn: from.count, fanOut: to.count))
        bias = layout.add("\(name)/bias", to, .zeros)
    }

    /// y = x kernel + bias, or +=.
    func forward(_ x: Tensor, into y: Tensor, accumulate: Bool = false, _ context: Context) {
        MatrixProduct.multiply(
            x, context.parameters.value(kernel).reshaped(matrix), into: y, accumulate: accumulate,
            finish: .init(bias: context.parameters.value(bias)), context.workspace, context.workers)
    }

    /// Adds the parameters' gradients, and writes or adds that of the input to `dInput` unless it is nil.
    func backward(_ dOutput: Tensor, input: Tensor, dInput: Tensor?, accumulate: Bool = false, _ context: Context) {
        let (parameters, workers) = (context.parameters, context.workers)
        if let dKernel = parameters.gradient(kernel), let dBias = parameters.gradient(bias) {
            MatrixProduct.multiply(
                input, transposeA: true, dOutput, into: dKernel.reshaped(matrix), accumulate: true, context.workspace, workers)
            Reductions.addColumnSums(dOutput, to: dBias, workers)
        }
        if let dInput {
            MatrixProduct.multiplyByTransposed(
                dOutput, parameters.value(kernel).reshaped(matrix), into: dInput, accumulate: accumulate, context.workspace, workers)
        }
    }
}

import VidConfig
import VidSystem
import VidTensor

/// Keras's `LSTM`, or `GRU` with `reset_after=True` (the default of Keras 2 and 3), over (B, T, F).
///
/// An LSTM (Hochreiter and Schmidhuber 1997) has the gates i, f, c, o, a GRU (Cho et al. 2014) z (update), r (reset) and
/// h (candidate), stored in this order; a GRU's reset gate acts after the recurrent product, which therefore has a bias of its
/// own. With G gates, the parameters are `NAME/kernel` (F, G U), Glorot uniform; `NAME/recurrent_kernel` (U, G U), orthogonal;
/// and `NAME/bias`: of an LSTM (4U), zeros but ones for the forget gate; of a GRU (2, 3U), zeros, the input's row before the
/// recurrent one.
///
/// Masked steps carry the state through. `dropout` acts on the input and `recurrent_dropout` on the state in the recurrent
/// product, each with one mask a sample, constant over time and common to the gates.
package struct RecurrentLayer: SequenceLayer {
    package let name: String
    package let cell: Recurrence.Cell
    /// Whether the output is every step's hidden state, (B, T, U), or the final one, (B, U).
    let returnSequences: Bool
    private let options: RecurrentOptions
    private let isReversed: Bool
    private let activation: ActivationKind
    private let recurrentActivation: ActivationKind
    private let kernel: ParameterID
    private let recurrentKernel: ParameterID
    private let bias: ParameterID

    /// - Parameter isReversed: whether the sequence is read from its end (Keras's `go_backwards`, as `Bidirectional` uses it).
    /// - Throws: `.badData` for softmax, which is no function of one gate alone.
    package init(
        _ name: String, _ cell: Recurrence.Cell, features: Int, _ options: RecurrentOptions, returnSequences: Bool,
        isReversed: Bool = false, _ layout: inout ParameterLayout
    ) throws {
        guard let activation = options.activation.kind, let recurrentActivation = options.recurrentActivation.kind else {
            let others = ActivationName.allCases.filter { $0 != .softmax }.map(\.rawValue).joined(separator: ", ")
            throw VidclassError(.badData, "\(name): softmax cannot be a recurrent layer's activation; use one of \(others)")
        }
        self.name = name
        self.cell = cell
        self.returnSequences = returnSequences
        self.options = options
        self.isReversed = isReversed
        self.activation = activation
        self.recurrentActivation = recurrentActivation
        let (units, wide) = (options.units, cell.gates * options.units)
        kernel = layout.add("\(name)/kernel", [features, wide], .glorotUniform(fanIn: features, fanOut: wide))
        recurrentKernel = layout.add("\(name)/recurrent_kernel", [units, wide], .orthogonal)
        bias =
            switch cell {
            case .lstm: layout.add("\(name)/bias", [wide], .unitForgetBias(units: units))
            case .gru: layout.add("\(name)/bias", [2, wide], .zeros)
            }
    }

    package var units: Int { options.units }

    package func outputShape(_ input: Shape) -> Shape { returnSequences ? [input[0], units] : [units] }

    package func forward(_ input: Tensor, mask: Tensor?, _ context: Context) -> Saved {
        let output = context.workspace.take(outputShape(input.shape.dropFirst).prepending(input.shape[0]))
        var saved = Saved(input: input, output: output)
        saved.recurrence = run(input, mask: mask, output: .init(output), context)
        return saved
    }

    package func backward(_ dOutput: Tensor, _ saved: Saved, mask: Tensor?, _ context: Context, needsInputGradient: Bool) -> Tensor? {
        let dInput = needsInputGradient ? context.workspace.take(saved.input.shape) : nil
        runBackward(.init(dOutput), saved.recurrence, input: saved.input.shape, mask: mask, dInput: dInput, accumulate: false, context)
        return dInput
    }

    /// Runs over `input` (B, T, F) and writes the hidden states to `output`: every step's, in the order of time whichever way
    /// the layer reads, or that of the step it reads last.
    func run(_ input: Tensor, mask: Tensor?, output: Recurrence.Output, _ context: Context) -> Recurrence.Saved {
        let recurrence = recurrence(input.shape)
        let (parameters, workers) = (context.parameters, context.workers)
        let saved = Recurrence.Saved(
            recurrence, features: input.shape.last, dropout: options.dropout > 0, recurrentDropout: options.recurrentDropout > 0,
            context.workspace)
        fill(saved.inputFactors, rate: options.dropout, context)
        fill(saved.recurrentFactors, rate: options.recurrentDropout, context)
        recurrence.gather(input, factors: saved.inputFactors, into: saved.input, workers)
        let biases = biases(parameters.value(bias))
        MatrixProduct.multiply(
            rows(saved.input), parameters.value(kernel), into: rows(saved.gates), finish: .init(bias: biases.input), context.workspace,
            workers)
        recurrence.forward(
            saved, kernel: parameters.value(recurrentKernel), recurrentBias: biases.recurrent, mask: mask, output: output,
            context.workspace, workers)
        return saved
    }

    /// Adds the gradients of the parameters to the store and writes that of the input to `dInput` (B, T, F), or adds it with
    /// `accumulate`.
    func runBackward(
        _ dOutput: Recurrence.Output, _ saved: Recurrence.Saved?, input shape: Shape, mask: Tensor?, dInput: Tensor?, accumulate: Bool,
        _ context: Context
    ) {
        guard let saved else { preconditionFailure("\(name): backward without a forward pass") }
        let recurrence = recurrence(shape)
        let (parameters, workspace, workers) = (context.parameters, context.workspace, context.workers)
        let mark = workspace.mark
        defer { workspace.release(to: mark) }
        let dGates = workspace.take(saved.gates.shape)
        let dRecurrentGates = cell == .gru ? workspace.take(saved.gates.shape) : dGates
        recurrence.backward(
            saved, kernel: parameters.value(recurrentKernel), mask: mask, dOutput: dOutput, dGates: dGates,
            dRecurrentGates: dRecurrentGates, workspace, workers)

        if let dKernel = parameters.gradient(kernel), let dBias = parameters.gradient(bias).map(biases) {
            Reductions.addColumnSums(rows(dGates), to: dBias.input, workers)
            if let dBias = dBias.recurrent { Reductions.addColumnSums(rows(dRecurrentGates), to: dBias, workers) }
            let mark = workspace.mark
            defer { workspace.release(to: mark) }
            let packed = PackedFilters(packing: rows(dGates), in: workspace, workers)
            MatrixProduct.multiply(rows(saved.input), transposeA: true, packed, into: dKernel, accumulate: true, workspace, workers)
            if let dRecurrent = parameters.gradient(recurrentKernel), recurrence.steps > 1 {
                // The state before the first step is zero, so the product leaves that step out.
                let (first, all) = (recurrence.batch, recurrence.steps * recurrence.batch)
                if cell == .gru { packed.update(rows(dRecurrentGates), workers) }
                MatrixProduct.multiply(
                    rows(saved.recurrentInput).rows(0..<all - first), transposeA: true, packed, depth: first..<all, into: dRecurrent,
                    accumulate: true, workspace, workers)
            }
        }
        if let dInput {
            let dRows = workspace.take(saved.input.shape)
            MatrixProduct.multiplyByTransposed(rows(dGates), parameters.value(kernel), into: rows(dRows), workspace, workers)
            recurrence.scatter(dRows, factors: saved.inputFactors, accumulate: accumulate, into: dInput, workers)
        }
    }

    private func recurrence(_ input: Shape) -> Recurrence {
        Recurrence(
            cell, steps: input[1], batch: input[0], units: units, reversed: isReversed, activation: activation,
            recurrentActivation: recurrentActivation)
    }

    /// (T, B, N) as (T x B, N).
    private func rows(_ tensor: Tensor) -> Tensor { tensor.reshaped([tensor.shape[0] * tensor.shape[1], tensor.shape[2]]) }

    /// The bias of the input's product, and a GRU's of the recurrent one.
    private func biases(_ bias: Tensor) -> (input: Tensor, recurrent: Tensor?) {
        switch cell {
        case .lstm: (bias, nil)
        case .gru: (bias.rows(0..<1), bias.rows(1..<2))
        }
    }

    /// Fills dropout's factors: drawn while training, ones otherwise; one for each sample and feature, the same at every step.
    private func fill(_ factors: Tensor?, rate: Float, _ context: Context) {
        guard let factors else { return }
        if context.isTraining {
            DropoutFactors.fill(factors, rate: rate, &context.random, context.workers)
        } else {
            factors.fill(1)
        }
    }
}

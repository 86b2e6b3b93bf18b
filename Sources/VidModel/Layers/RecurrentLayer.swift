import VidConfig
import VidSystem
import VidTensor

/// An LSTM or a GRU: a layer over sequences that keeps a record of its run, so that `Bidirectional` can run two.
///
/// Its hidden states go to columns of a tensor of the caller's: of every step, in the order of time whichever way the
/// layer reads, or of the step it reads last.
package protocol RecurrentLayer: SequenceLayer {
    var units: Int { get }
    /// Whether the output is every step's hidden state, (B, T, U), or the final one, (B, U).
    var returnSequences: Bool { get }

    /// Floats that a run over (B, T, F) keeps for its gradient.
    func recordCount(_ input: Shape) -> Int

    /// Runs over `input` (B, T, F), fills `record`, writes the hidden states to `output`.
    func run(_ input: Tensor, mask: Tensor?, record: Tensor, output: RecurrenceOutput, _ context: Context)

    /// The gradients of `run`: those of the parameters are added to the store, that of the input is written to `dInput`
    /// (B, T, F), or added with `accumulate`.
    func runBackward(
        _ dOutput: RecurrenceOutput, record: Tensor, input: Shape, mask: Tensor?, dInput: Tensor?, accumulate: Bool, _ context: Context)
}

extension RecurrentLayer {
    package func outputShape(_ input: Shape) -> Shape { returnSequences ? [input[0], units] : [units] }

    package func forward(_ input: Tensor, mask: Tensor?, _ context: Context) -> Saved {
        let output = context.workspace.take(outputShape(input.shape.dropFirst).prepending(input.shape[0]))
        let record = context.workspace.take([recordCount(input.shape)])
        run(input, mask: mask, record: record, output: RecurrenceOutput(output), context)
        var saved = Saved(input: input, output: output)
        saved.extra.0 = record
        return saved
    }

    package func backward(_ dOutput: Tensor, _ saved: Saved, mask: Tensor?, _ context: Context, needsInputGradient: Bool) -> Tensor? {
        guard let record = saved.extra.0 else { preconditionFailure("\(name): backward without the record of a forward run") }
        let dInput = needsInputGradient ? context.workspace.take(saved.input.shape) : nil
        runBackward(
            RecurrenceOutput(dOutput), record: record, input: saved.input.shape, mask: mask, dInput: dInput, accumulate: false, context)
        return dInput
    }
}

/// What an LSTM and a GRU have in common: units, activations, dropout, direction.
package struct RecurrentSettings: Sendable {
    package let units: Int
    package let activation: ActivationKind
    package let recurrentActivation: ActivationKind
    package let dropout: Float
    package let recurrentDropout: Float
    package let returnSequences: Bool
    /// Whether the sequence is read from its end (Keras's `go_backwards`, as `Bidirectional` uses it).
    package let reversed: Bool

    /// - Throws: `.badData` for softmax, which is no function of one gate alone.
    package init(_ options: RecurrentOptions, name: String, returnSequences: Bool, reversed: Bool = false) throws {
        guard let activation = options.activation.kind, let recurrentActivation = options.recurrentActivation.kind else {
            let others = ActivationName.allCases.filter { $0 != .softmax }.map(\.rawValue).joined(separator: ", ")
            throw VidclassError(.badData, "\(name): softmax cannot be a recurrent layer's activation; use one of \(others)")
        }
        units = options.units
        self.activation = activation
        self.recurrentActivation = recurrentActivation
        dropout = options.dropout
        recurrentDropout = options.recurrentDropout
        self.returnSequences = returnSequences
        self.reversed = reversed
    }

    func plan(_ input: Shape) -> RecurrencePlan {
        RecurrencePlan(
            steps: input[1], batch: input[0], units: units, reversed: reversed, activation: activation,
            recurrentActivation: recurrentActivation)
    }

    /// Dropout's factors: drawn while training, ones otherwise; one for each sample and feature, the same at every step.
    func fill(_ factors: Tensor, rate: Float, _ context: Context) {
        if context.isTraining {
            DropoutFactors.fill(factors, rate: rate, &context.random, context.workers)
        } else {
            factors.fill(1)
        }
    }
}

/// Hands out parts of a run's record in order, each 64-byte aligned.
struct RecordCursor {
    private var next: UnsafeMutablePointer<Float>

    init(_ record: Tensor) { next = record.base }

    mutating func take(_ shape: Shape) -> Tensor {
        defer { next += RecordCursor.room(shape) }
        return Tensor(next, shape)
    }

    static func room(_ shape: Shape) -> Int { (shape.count + 15) / 16 * 16 }
}

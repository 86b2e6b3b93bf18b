import VidConfig
import VidTensor

/// A gated recurrent unit (Cho et al. 2014), Keras's `GRU` with `reset_after=True` (the default of Keras 2 and 3), over
/// (B, T, F).
///
/// Gates are stored in the order z (update), r (reset), h (candidate); the reset gate acts after the recurrent product,
/// which therefore has a bias of its own. Parameters `NAME/kernel` (F, 3U), Glorot uniform; `NAME/recurrent_kernel`
/// (U, 3U), orthogonal; `NAME/bias` (2, 3U), zeros: the input's row, then the recurrent one. Masked steps carry the
/// state through. `dropout` acts on the input and `recurrent_dropout` on the state in the recurrent product, each with
/// one mask a sample, constant over time and common to the gates.
package struct GRU: RecurrentLayer {
    package let name: String
    package let settings: RecurrentSettings
    private let kernel: ParameterID
    private let recurrentKernel: ParameterID
    private let bias: ParameterID

    package init(_ name: String, features: Int, _ settings: RecurrentSettings, _ layout: inout ParameterLayout) {
        let units = settings.units
        self.name = name
        self.settings = settings
        kernel = layout.add("\(name)/kernel", [features, 3 * units], .glorotUniform(fanIn: features, fanOut: 3 * units))
        recurrentKernel = layout.add("\(name)/recurrent_kernel", [units, 3 * units], .orthogonal)
        bias = layout.add("\(name)/bias", [2, 3 * units], .zeros)
    }

    package var units: Int { settings.units }
    package var returnSequences: Bool { settings.returnSequences }

    /// The parts of a run's record, all in the order of the steps.
    private struct Record {
        /// The input after dropout, (T, B, F).
        let input: Tensor
        let inputFactors: Tensor?
        let kept: GRURecurrence.Kept
    }

    private func record(_ memory: Tensor, _ input: Shape) -> Record {
        let (batch, steps, features) = (input[0], input[1], input[2])
        let state: Shape = [steps, batch, units]
        var cursor = RecordCursor(memory)
        return Record(
            input: cursor.take([steps, batch, features]), inputFactors: settings.dropout > 0 ? cursor.take([batch, features]) : nil,
            kept: GRURecurrence.Kept(
                gates: cursor.take([steps, batch, 3 * units]), candidates: cursor.take(state), hidden: cursor.take(state),
                recurrentFactors: settings.recurrentDropout > 0 ? cursor.take([batch, units]) : nil,
                dropped: settings.recurrentDropout > 0 ? cursor.take(state) : nil))
    }

    package func recordCount(_ input: Shape) -> Int {
        let (batch, steps, features) = (input[0], input[1], input[2])
        var count = RecordCursor.room([steps, batch, features]) + RecordCursor.room([steps, batch, 3 * units])
        count += 2 * RecordCursor.room([steps, batch, units])
        if settings.dropout > 0 { count += RecordCursor.room([batch, features]) }
        if settings.recurrentDropout > 0 { count += RecordCursor.room([batch, units]) + RecordCursor.room([steps, batch, units]) }
        return count
    }

    package func run(_ input: Tensor, mask: Tensor?, record memory: Tensor, output: RecurrenceOutput, _ context: Context) {
        let (batch, steps, features) = (input.shape[0], input.shape[1], input.shape[2])
        let record = record(memory, input.shape)
        let biases = context.parameters.value(bias)
        let mark = context.workspace.mark
        defer { context.workspace.release(to: mark) }
        if let factors = record.inputFactors { settings.fill(factors, rate: settings.dropout, context) }
        if let factors = record.kept.recurrentFactors { settings.fill(factors, rate: settings.recurrentDropout, context) }
        TimeMajor.gather(input, reversed: settings.reversed, factors: record.inputFactors, into: record.input, context.workers)
        MatrixProduct.multiply(
            record.input.reshaped([steps * batch, features]), context.parameters.value(kernel),
            into: record.kept.gates.reshaped([steps * batch, 3 * units]), finish: .init(bias: biases.rows(0..<1)), context.workers)
        GRURecurrence.forward(
            settings.plan(input.shape), record.kept, kernel: context.parameters.value(recurrentKernel), recurrentBias: biases.rows(1..<2),
            mask: mask, output: output, recurrent: context.workspace.take([batch, 3 * units]), context.workers)
    }

    package func runBackward(
        _ dOutput: RecurrenceOutput, record memory: Tensor, input shape: Shape, mask: Tensor?, dInput: Tensor?, accumulate: Bool,
        _ context: Context
    ) {
        let (batch, steps, features) = (shape[0], shape[1], shape[2])
        let record = record(memory, shape)
        let (parameters, workspace, workers) = (context.parameters, context.workspace, context.workers)
        let mark = workspace.mark
        defer { workspace.release(to: mark) }
        let dGates = workspace.take([steps, batch, 3 * units])
        let dRecurrentGates = workspace.take([steps, batch, 3 * units])
        let transposed = workspace.take([3 * units, units])
        Elementwise.transpose(parameters.value(recurrentKernel), into: transposed, workers)
        GRURecurrence.backward(
            settings.plan(shape), record.kept, transposedKernel: transposed, mask: mask, dOutput: dOutput, dGates: dGates,
            dRecurrentGates: dRecurrentGates, dRecurrent: workspace.take([batch, units]), dHidden: workspace.takeZeroed([batch, units]),
            workers)

        let rows = dGates.reshaped([steps * batch, 3 * units])
        let recurrentRows = dRecurrentGates.reshaped([steps * batch, 3 * units])
        let inputRows = record.input.reshaped([steps * batch, features])
        if let dKernel = parameters.gradient(kernel), let dBias = parameters.gradient(bias) {
            MatrixProduct.multiply(inputRows, transposeA: true, rows, into: dKernel, accumulate: true, workers)
            Reductions.addColumnSums(rows, to: dBias.rows(0..<1), workers)
            Reductions.addColumnSums(recurrentRows, to: dBias.rows(1..<2), workers)
        }
        if let dRecurrent = parameters.gradient(recurrentKernel), steps > 1 {
            // The state before the first step is zero: the product leaves it out.
            let before = record.kept.recurrentInput.reshaped([steps * batch, units]).rows(0..<(steps - 1) * batch)
            MatrixProduct.multiply(
                before, transposeA: true, recurrentRows.rows(batch..<steps * batch), into: dRecurrent, accumulate: true, workers)
        }
        if let dInput {
            let dRows = workspace.take([steps, batch, features])
            MatrixProduct.multiplyByTransposed(rows, parameters.value(kernel), into: dRows.reshaped(inputRows.shape), workspace, workers)
            TimeMajor.scatter(
                dRows, reversed: settings.reversed, factors: record.inputFactors, accumulate: accumulate, into: dInput, workers)
        }
    }
}

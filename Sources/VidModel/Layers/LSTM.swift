import VidConfig
import VidTensor

/// A long short-term memory (Hochreiter and Schmidhuber 1997), Keras's `LSTM`, over (B, T, F).
///
/// Gates are stored in the order i, f, c, o. Parameters `NAME/kernel` (F, 4U), Glorot uniform; `NAME/recurrent_kernel`
/// (U, 4U), orthogonal; `NAME/bias` (4U), zeros but ones for the forget gate. Masked steps carry the state through.
/// `dropout` acts on the input and `recurrent_dropout` on the state in the recurrent product, each with one mask a
/// sample, constant over time and common to the gates.
package struct LSTM: RecurrentLayer {
    package let name: String
    package let settings: RecurrentSettings
    private let kernel: ParameterID
    private let recurrentKernel: ParameterID
    private let bias: ParameterID

    package init(_ name: String, features: Int, _ settings: RecurrentSettings, _ layout: inout ParameterLayout) {
        let units = settings.units
        self.name = name
        self.settings = settings
        kernel = layout.add("\(name)/kernel", [features, 4 * units], .glorotUniform(fanIn: features, fanOut: 4 * units))
        recurrentKernel = layout.add("\(name)/recurrent_kernel", [units, 4 * units], .orthogonal)
        bias = layout.add("\(name)/bias", [4 * units], .unitForgetBias(units: units))
    }

    package var units: Int { settings.units }
    package var returnSequences: Bool { settings.returnSequences }

    /// The parts of a run's record, all in the order of the steps.
    private struct Record {
        /// The input after dropout, (T, B, F).
        let input: Tensor
        let inputFactors: Tensor?
        let kept: LSTMRecurrence.Kept
    }

    private func record(_ memory: Tensor, _ input: Shape) -> Record {
        let (batch, steps, features) = (input[0], input[1], input[2])
        let state: Shape = [steps, batch, units]
        var cursor = RecordCursor(memory)
        return Record(
            input: cursor.take([steps, batch, features]), inputFactors: settings.dropout > 0 ? cursor.take([batch, features]) : nil,
            kept: LSTMRecurrence.Kept(
                gates: cursor.take([steps, batch, 4 * units]), cells: cursor.take(state), activatedCells: cursor.take(state),
                hidden: cursor.take(state), recurrentFactors: settings.recurrentDropout > 0 ? cursor.take([batch, units]) : nil,
                dropped: settings.recurrentDropout > 0 ? cursor.take(state) : nil))
    }

    package func recordCount(_ input: Shape) -> Int {
        let (batch, steps, features) = (input[0], input[1], input[2])
        var count = RecordCursor.room([steps, batch, features]) + RecordCursor.room([steps, batch, 4 * units])
        count += 3 * RecordCursor.room([steps, batch, units])
        if settings.dropout > 0 { count += RecordCursor.room([batch, features]) }
        if settings.recurrentDropout > 0 { count += RecordCursor.room([batch, units]) + RecordCursor.room([steps, batch, units]) }
        return count
    }

    package func run(_ input: Tensor, mask: Tensor?, record memory: Tensor, output: RecurrenceOutput, _ context: Context) {
        let (batch, steps, features) = (input.shape[0], input.shape[1], input.shape[2])
        let record = record(memory, input.shape)
        if let factors = record.inputFactors { settings.fill(factors, rate: settings.dropout, context) }
        if let factors = record.kept.recurrentFactors { settings.fill(factors, rate: settings.recurrentDropout, context) }
        TimeMajor.gather(input, reversed: settings.reversed, factors: record.inputFactors, into: record.input, context.workers)
        MatrixProduct.multiply(
            record.input.reshaped([steps * batch, features]), context.parameters.value(kernel),
            into: record.kept.gates.reshaped([steps * batch, 4 * units]), finish: .init(bias: context.parameters.value(bias)), context.workers)
        LSTMRecurrence.forward(
            settings.plan(input.shape), record.kept, kernel: context.parameters.value(recurrentKernel), mask: mask, output: output,
            context.workers)
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
        let dGates = workspace.take([steps, batch, 4 * units])
        let transposed = workspace.take([4 * units, units])
        Elementwise.transpose(parameters.value(recurrentKernel), into: transposed, workers)
        LSTMRecurrence.backward(
            settings.plan(shape), record.kept, transposedKernel: transposed, mask: mask, dOutput: dOutput, dGates: dGates,
            dRecurrent: workspace.take([batch, units]), dHidden: workspace.takeZeroed([batch, units]),
            dCell: workspace.takeZeroed([batch, units]), workers)

        let rows = dGates.reshaped([steps * batch, 4 * units])
        let inputRows = record.input.reshaped([steps * batch, features])
        if let dKernel = parameters.gradient(kernel), let dBias = parameters.gradient(bias) {
            MatrixProduct.multiply(inputRows, transposeA: true, rows, into: dKernel, accumulate: true, workers)
            Reductions.addColumnSums(rows, to: dBias, workers)
        }
        if let dRecurrent = parameters.gradient(recurrentKernel), steps > 1 {
            // The state before the first step is zero: the product leaves it out.
            let before = record.kept.recurrentInput.reshaped([steps * batch, units]).rows(0..<(steps - 1) * batch)
            MatrixProduct.multiply(
                before, transposeA: true, rows.rows(batch..<steps * batch), into: dRecurrent, accumulate: true, workers)
        }
        if let dInput {
            let dRows = workspace.take([steps, batch, features])
            MatrixProduct.multiplyByTransposed(rows, parameters.value(kernel), into: dRows.reshaped(inputRows.shape), workspace, workers)
            TimeMajor.scatter(
                dRows, reversed: settings.reversed, factors: record.inputFactors, accumulate: accumulate, into: dInput, workers)
        }
    }
}

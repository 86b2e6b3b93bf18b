import CKernels

/// The steps of an LSTM, gate order i, f, c, o (formulas: vc_lstm.h), over buffers in the order of the steps.
package enum LSTMRecurrence {
    /// What a run keeps for its gradient.
    package struct Kept {
        /// (T, B, 4U): pre-activations by the input before the run, activated gates after it.
        package let gates: Tensor
        /// (T, B, U) each: cell states, their activations, hidden states.
        package let cells: Tensor
        package let activatedCells: Tensor
        package let hidden: Tensor
        /// With recurrent dropout: its factors (B, U), and the hidden states times them (T, B, U).
        package let recurrentFactors: Tensor?
        package let dropped: Tensor?

        package init(gates: Tensor, cells: Tensor, activatedCells: Tensor, hidden: Tensor, recurrentFactors: Tensor?, dropped: Tensor?) {
            precondition((recurrentFactors == nil) == (dropped == nil), "recurrent dropout needs its factors and room for its result")
            self.gates = gates
            self.cells = cells
            self.activatedCells = activatedCells
            self.hidden = hidden
            self.recurrentFactors = recurrentFactors
            self.dropped = dropped
        }

        /// What the recurrent product multiplies: the hidden states, after dropout if there is any.
        package var recurrentInput: Tensor { dropped ?? hidden }
    }

    /// Runs all steps from a zero state. `kernel` is the recurrent kernel (U, 4U), `mask` (B, T) or nil.
    package static func forward(
        _ plan: RecurrencePlan, _ kept: Kept, kernel: Tensor, mask: Tensor?, output: RecurrenceOutput, _ workers: Workers
    ) {
        let (batch, units) = (plan.batch, plan.units)
        let (wide, slab) = (4 * units, batch * units)
        precondition(kernel.shape == [units, wide], "a recurrent kernel \(kernel.shape) for \(units) units")
        for step in 0..<plan.steps {
            plan.forEachBlock(workers) { rows, panel in
                let at = rows.lowerBound * units + panel.lowerBound
                let now = step * slab + at
                let gates = kept.gates.base + (step * batch + rows.lowerBound) * wide + panel.lowerBound
                if step > 0 {
                    let before = kept.recurrentInput.base + (step - 1) * slab + rows.lowerBound * units
                    for gate in 0..<4 {
                        MatrixProduct.multiplyTile(
                            m: rows.count, n: panel.count, k: units, a: before, lda: units,
                            b: kernel.base + gate * units + panel.lowerBound,
                            ldb: wide, accumulate: true, c: gates + gate * units, ldc: wide)
                    }
                }
                var cell = vc_lstm_forward_panel(
                    rows: rows.count, units: panel.count, activation: plan.activation.code,
                    recurrent_activation: plan.recurrentActivation.code, gates: gates, gate_stride: wide, gate_distance: units,
                    mask: plan.mask(mask, step: step, row: rows.lowerBound), mask_stride: plan.steps,
                    c_previous: step > 0 ? kept.cells.base + now - slab : nil, h_previous: step > 0 ? kept.hidden.base + now - slab : nil,
                    state_stride: units, c: kept.cells.base + now, c_activated: kept.activatedCells.base + now, h: kept.hidden.base + now,
                    recurrent_mask: kept.recurrentFactors.map { UnsafePointer($0.base + at) },
                    h_dropped: kept.dropped.map { $0.base + now },
                    output: output.pointer(plan, step: step, row: rows.lowerBound, unit: panel.lowerBound), output_stride: output.rowStride)
                vc_lstm_cell_forward(&cell)
            }
        }
    }

    /// Goes back over all steps: dGates (T, B, 4U) is overwritten with d(loss)/d(pre-activations).
    ///
    /// - Parameters:
    ///   - transposedKernel: the recurrent kernel transposed, (4U, U).
    ///   - dOutput: the gradient of what `forward` wrote.
    ///   - dRecurrent: scratch (B, U).
    ///   - dHidden, dCell: (B, U) of zeros; scratch after.
    package static func backward(
        _ plan: RecurrencePlan, _ kept: Kept, transposedKernel: Tensor, mask: Tensor?, dOutput: RecurrenceOutput, dGates: Tensor,
        dRecurrent: Tensor, dHidden: Tensor, dCell: Tensor, _ workers: Workers
    ) {
        let (batch, units) = (plan.batch, plan.units)
        let (wide, slab) = (4 * units, batch * units)
        precondition(transposedKernel.shape == [wide, units], "a transposed recurrent kernel \(transposedKernel.shape) for \(units) units")
        for step in stride(from: plan.steps - 1, through: 0, by: -1) {
            let isLast = step == plan.steps - 1
            plan.forEachBlock(workers) { rows, panel in
                let at = rows.lowerBound * units + panel.lowerBound
                let now = step * slab + at
                let gatesAt = (step * batch + rows.lowerBound) * wide
                if !isLast {
                    // Of the step after, whose blocks are all done.
                    let after = dGates.base + gatesAt + batch * wide
                    MatrixProduct.multiplyTile(
                        m: rows.count, n: panel.count, k: wide, a: after, lda: wide, b: transposedKernel.base + panel.lowerBound,
                        ldb: units,
                        accumulate: false, c: dRecurrent.base + at, ldc: units)
                }
                var cell = vc_lstm_backward_panel(
                    rows: rows.count, units: panel.count, activation: plan.activation.code,
                    recurrent_activation: plan.recurrentActivation.code, gates: kept.gates.base + gatesAt + panel.lowerBound,
                    gate_stride: wide, gate_distance: units, mask: plan.mask(mask, step: step, row: rows.lowerBound),
                    mask_stride: plan.steps, c_previous: step > 0 ? UnsafePointer(kept.cells.base + now - slab) : nil,
                    c_activated: kept.activatedCells.base + now, state_stride: units,
                    d_recurrent: isLast ? nil : UnsafePointer(dRecurrent.base + at),
                    recurrent_mask: kept.recurrentFactors.map { UnsafePointer($0.base + at) },
                    d_output: dOutput.pointer(plan, step: step, row: rows.lowerBound, unit: panel.lowerBound).map { UnsafePointer($0) },
                    d_output_stride: dOutput.rowStride, dh_carry: dHidden.base + at, dc: dCell.base + at,
                    d_gates: dGates.base + gatesAt + panel.lowerBound)
                vc_lstm_cell_backward(&cell)
            }
        }
    }
}

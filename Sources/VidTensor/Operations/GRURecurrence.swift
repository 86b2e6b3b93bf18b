import CKernels

/// The steps of a GRU with reset_after, gate order z, r, h (formulas: vc_gru.h), over buffers in the order of the steps.
package enum GRURecurrence {
    /// What a run keeps for its gradient.
    package struct Kept {
        /// (T, B, 3U): the input's part, input bias included, before the run; activated gates after it.
        package let gates: Tensor
        /// (T, B, U) each: the recurrent part of the candidate, and hidden states.
        package let candidates: Tensor
        package let hidden: Tensor
        /// With recurrent dropout: its factors (B, U), and the hidden states times them (T, B, U).
        package let recurrentFactors: Tensor?
        package let dropped: Tensor?

        package init(gates: Tensor, candidates: Tensor, hidden: Tensor, recurrentFactors: Tensor?, dropped: Tensor?) {
            precondition((recurrentFactors == nil) == (dropped == nil), "recurrent dropout needs its factors and room for its result")
            self.gates = gates
            self.candidates = candidates
            self.hidden = hidden
            self.recurrentFactors = recurrentFactors
            self.dropped = dropped
        }

        /// What the recurrent product multiplies: the hidden states, after dropout if there is any.
        package var recurrentInput: Tensor { dropped ?? hidden }
    }

    /// Runs all steps from a zero state.
    ///
    /// - Parameters:
    ///   - kernel: the recurrent kernel (U, 3U).
    ///   - recurrentBias: (3U).
    ///   - mask: (B, T) or nil.
    ///   - recurrent: scratch (B, 3U) for a step's recurrent product.
    package static func forward(
        _ plan: RecurrencePlan, _ kept: Kept, kernel: Tensor, recurrentBias: Tensor, mask: Tensor?, output: RecurrenceOutput,
        recurrent: Tensor, _ workers: Workers
    ) {
        let (batch, units) = (plan.batch, plan.units)
        let (wide, slab) = (3 * units, batch * units)
        precondition(kernel.shape == [units, wide], "a recurrent kernel \(kernel.shape) for \(units) units")
        for step in 0..<plan.steps {
            plan.forEachBlock(workers) { rows, panel in
                let at = rows.lowerBound * units + panel.lowerBound
                let now = step * slab + at
                let product = recurrent.base + rows.lowerBound * wide + panel.lowerBound
                if step > 0 {
                    let before = kept.recurrentInput.base + (step - 1) * slab + rows.lowerBound * units
                    for gate in 0..<3 {
                        MatrixProduct.multiplyTile(
                            m: rows.count, n: panel.count, k: units, a: before, lda: units,
                            b: kernel.base + gate * units + panel.lowerBound,
                            ldb: wide, accumulate: false, c: product + gate * units, ldc: wide)
                    }
                }
                var cell = vc_gru_forward_panel(
                    rows: rows.count, units: panel.count, activation: plan.activation.code,
                    recurrent_activation: plan.recurrentActivation.code,
                    gates: kept.gates.base + (step * batch + rows.lowerBound) * wide + panel.lowerBound,
                    recurrent: step > 0 ? UnsafePointer(product) : nil, recurrent_bias: recurrentBias.base + panel.lowerBound,
                    gate_stride: wide, gate_distance: units, mask: plan.mask(mask, step: step, row: rows.lowerBound),
                    mask_stride: plan.steps, h_previous: step > 0 ? UnsafePointer(kept.hidden.base + now - slab) : nil,
                    state_stride: units, candidate_recurrent: kept.candidates.base + now, h: kept.hidden.base + now,
                    recurrent_mask: kept.recurrentFactors.map { UnsafePointer($0.base + at) },
                    h_dropped: kept.dropped.map { $0.base + now },
                    output: output.pointer(plan, step: step, row: rows.lowerBound, unit: panel.lowerBound), output_stride: output.rowStride)
                vc_gru_cell_forward(&cell)
            }
        }
    }

    /// Goes back over all steps: dGates and dRecurrentGates (T, B, 3U) are overwritten with the gradients of the input's
    /// part and of the recurrent part of the pre-activations.
    ///
    /// - Parameters:
    ///   - transposedKernel: the recurrent kernel transposed, (3U, U).
    ///   - dOutput: the gradient of what `forward` wrote.
    ///   - dRecurrent: scratch (B, U).
    ///   - dHidden: (B, U) of zeros; scratch after.
    package static func backward(
        _ plan: RecurrencePlan, _ kept: Kept, transposedKernel: Tensor, mask: Tensor?, dOutput: RecurrenceOutput, dGates: Tensor,
        dRecurrentGates: Tensor, dRecurrent: Tensor, dHidden: Tensor, _ workers: Workers
    ) {
        let (batch, units) = (plan.batch, plan.units)
        let (wide, slab) = (3 * units, batch * units)
        precondition(transposedKernel.shape == [wide, units], "a transposed recurrent kernel \(transposedKernel.shape) for \(units) units")
        for step in stride(from: plan.steps - 1, through: 0, by: -1) {
            let isLast = step == plan.steps - 1
            plan.forEachBlock(workers) { rows, panel in
                let at = rows.lowerBound * units + panel.lowerBound
                let now = step * slab + at
                let gatesAt = (step * batch + rows.lowerBound) * wide
                if !isLast {
                    // Of the step after, whose blocks are all done.
                    let after = dRecurrentGates.base + gatesAt + batch * wide
                    MatrixProduct.multiplyTile(
                        m: rows.count, n: panel.count, k: wide, a: after, lda: wide, b: transposedKernel.base + panel.lowerBound,
                        ldb: units,
                        accumulate: false, c: dRecurrent.base + at, ldc: units)
                }
                var cell = vc_gru_backward_panel(
                    rows: rows.count, units: panel.count, activation: plan.activation.code,
                    recurrent_activation: plan.recurrentActivation.code, gates: kept.gates.base + gatesAt + panel.lowerBound,
                    gate_stride: wide, gate_distance: units, mask: plan.mask(mask, step: step, row: rows.lowerBound),
                    mask_stride: plan.steps, h_previous: step > 0 ? UnsafePointer(kept.hidden.base + now - slab) : nil,
                    candidate_recurrent: kept.candidates.base + now, state_stride: units,
                    d_recurrent: isLast ? nil : UnsafePointer(dRecurrent.base + at),
                    recurrent_mask: kept.recurrentFactors.map { UnsafePointer($0.base + at) },
                    d_output: dOutput.pointer(plan, step: step, row: rows.lowerBound, unit: panel.lowerBound).map { UnsafePointer($0) },
                    d_output_stride: dOutput.rowStride, dh_carry: dHidden.base + at, d_gates: dGates.base + gatesAt + panel.lowerBound,
                    d_recurrent_gates: dRecurrentGates.base + gatesAt + panel.lowerBound)
                vc_gru_cell_backward(&cell)
            }
        }
    }
}

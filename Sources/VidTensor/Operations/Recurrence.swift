import CKernels

/// The steps of an LSTM or a GRU over a batch of sequences, forward and backward (formulas: vc_recurrent.h).
///
/// Its buffers are in the order of the steps, (T, B, ...), forwards or backwards in time. The workers share a step in blocks
/// of 32 samples x 64 units, whatever their number. The recurrent kernel is packed once for all steps, and the cell runs on the
/// products of a block, (32, U) by (U, 64), while they are in the cache.
package struct Recurrence: Sendable {
    package enum Cell: String, Sendable {
        /// Gates in the order i, f, c, o.
        case lstm = "LSTM"
        /// With reset_after; gates in the order z, r, h.
        case gru = "GRU"

        package var gates: Int { self == .lstm ? 4 : 3 }
    }

    package let cell: Cell
    package let steps: Int
    package let batch: Int
    package let units: Int
    /// Whether step 0 is the last in time.
    package let reversed: Bool
    package let activation: ActivationKind
    package let recurrentActivation: ActivationKind

    private static let rowsPerBlock = 32
    private static let unitsPerBlock = 64

    package init(
        _ cell: Cell, steps: Int, batch: Int, units: Int, reversed: Bool, activation: ActivationKind, recurrentActivation: ActivationKind
    ) {
        self.cell = cell
        self.steps = steps
        self.batch = batch
        self.units = units
        self.reversed = reversed
        self.activation = activation
        self.recurrentActivation = recurrentActivation
    }

    /// All gates of a row.
    package var gateUnits: Int { cell.gates * units }

    /// The tensors that the forward pass saves for the backward pass, in the workspace.
    package struct Saved {
        /// (T, B, F): the input after dropout.
        package let input: Tensor
        /// (T, B, gates x U): the input's part of the pre-activations before the forward pass, the activated gates after it.
        package let gates: Tensor
        /// (T, B, U).
        let hidden: Tensor
        let states: States
        /// Dropout's factors: (B, F) for the input, (B, U) for the recurrent product; nil without dropout.
        package let inputFactors: Tensor?
        package let recurrentFactors: Tensor?
        /// (T, B, U): the hidden states times `recurrentFactors`.
        let dropped: Tensor?

        /// (T, B, U) each.
        enum States {
            case lstm(cells: Tensor, activated: Tensor)
            /// The recurrent part of the candidates.
            case gru(candidates: Tensor)
        }

        package init(
            _ recurrence: Recurrence, features: Int, dropout: Bool, recurrentDropout: Bool, _ workspace: Workspace
        ) {
            let (steps, batch, units) = (recurrence.steps, recurrence.batch, recurrence.units)
            func takeStates() -> Tensor { workspace.take([steps, batch, units]) }
            input = workspace.take([steps, batch, features])
            gates = workspace.take([steps, batch, recurrence.gateUnits])
            hidden = takeStates()
            states =
                switch recurrence.cell {
                case .lstm: .lstm(cells: takeStates(), activated: takeStates())
                case .gru: .gru(candidates: takeStates())
                }
            inputFactors = dropout ? workspace.take([batch, features]) : nil
            recurrentFactors = recurrentDropout ? workspace.take([batch, units]) : nil
            dropped = recurrentDropout ? takeStates() : nil
        }

        /// (T, B, U): what the recurrent product multiplies, the hidden states after dropout.
        package var recurrentInput: Tensor { dropped ?? hidden }
    }

    /// Columns of another tensor that hold the hidden states, or their gradients: those from `offset` on, of every step
    /// (B, T, W) or of the last step alone (B, W).
    package struct Output: Sendable {
        let tensor: Tensor
        let offset: Int

        package init(_ tensor: Tensor, offset: Int = 0) {
            self.tensor = tensor
            self.offset = offset
        }

        fileprivate var rowStride: Int { tensor.count / tensor.shape[0] }
    }

    /// Runs all steps from a zero state.
    ///
    /// - Parameters:
    ///   - kernel: the recurrent kernel (U, gates x U).
    ///   - recurrentBias: a GRU's, (3U); nil for an LSTM.
    ///   - mask: (B, T) or nil.
    package func forward(
        _ saved: Saved, kernel: Tensor, recurrentBias: Tensor?, mask: Tensor?, output: Output, _ workspace: Workspace, _ workers: Workers
    ) {
        let (wide, slab) = (gateUnits, batch * units)
        precondition(kernel.shape == [units, wide], "a recurrent kernel \(kernel.shape) for \(units) units")
        let mark = workspace.mark
        defer { workspace.release(to: mark) }
        let packed = PackedFilters(packing: kernel, groups: cell.gates, in: workspace, workers)
        // A GRU's reset gate acts on the recurrent product, so that it cannot be added to the gates.
        let products = cell == .gru ? workspace.take([batch, wide]) : nil
        for step in 0..<steps {
            forEachBlock(workers) { rows, panel in
                let at = rows.lowerBound * units + panel.lowerBound
                let now = step * slab + at
                func before(_ states: Tensor) -> UnsafeMutablePointer<Float>? { step > 0 ? states.base + now - slab : nil }
                let gates = saved.gates.base + (step * batch + rows.lowerBound) * wide + panel.lowerBound
                let product = products.map { $0.base + rows.lowerBound * wide + panel.lowerBound }
                if step > 0 {
                    for gate in 0..<cell.gates {
                        packed.multiply(
                            group: gate, column: panel.lowerBound, rows: rows.count, columns: panel.count,
                            a: saved.recurrentInput.base + (step - 1) * slab + rows.lowerBound * units, lda: units,
                            accumulate: product == nil, c: (product ?? gates) + gate * units, ldc: wide)
                    }
                }
                var block = vc_recurrent_forward_panel(
                    rows: rows.count, units: panel.count, activation: activation.code, recurrent_activation: recurrentActivation.code,
                    gates: gates, gate_stride: wide, gate_distance: units, mask: pointer(mask, step: step, row: rows.lowerBound),
                    mask_stride: steps, h_previous: before(saved.hidden), h: saved.hidden.base + now, state_stride: units,
                    recurrent_mask: saved.recurrentFactors.map { UnsafePointer($0.base + at) },
                    h_dropped: saved.dropped.map { $0.base + now },
                    output: pointer(output, step: step, row: rows.lowerBound, unit: panel.lowerBound), output_stride: output.rowStride)
                switch saved.states {
                case .lstm(let cells, let activated):
                    vc_lstm_cell_forward(&block, before(cells), cells.base + now, activated.base + now)
                case .gru(let candidates):
                    vc_gru_cell_forward(
                        &block, step > 0 ? product : nil, recurrentBias.map { $0.base + panel.lowerBound }, candidates.base + now)
                }
            }
        }
    }

    /// The backward pass over all steps.
    ///
    /// - Parameters:
    ///   - kernel: the recurrent kernel (U, gates x U).
    ///   - dOutput: the gradient of what `forward` wrote.
    ///   - dGates: (T, B, gates x U), overwritten with the gradient of the input's part of the pre-activations.
    ///   - dRecurrentGates: the same for the recurrent part: of an LSTM `dGates` itself.
    package func backward(
        _ saved: Saved, kernel: Tensor, mask: Tensor?, dOutput: Output, dGates: Tensor, dRecurrentGates: Tensor, _ workspace: Workspace,
        _ workers: Workers
    ) {
        let (wide, slab) = (gateUnits, batch * units)
        let mark = workspace.mark
        defer { workspace.release(to: mark) }
        let packed = PackedFilters(transposing: kernel, in: workspace, workers)
        let dRecurrent = workspace.take([batch, units])
        let (dHidden, dCell) = (workspace.takeZeroed([batch, units]), workspace.takeZeroed([batch, units]))
        for step in stride(from: steps - 1, through: 0, by: -1) {
            let isLast = step == steps - 1
            forEachBlock(workers) { rows, panel in
                let at = rows.lowerBound * units + panel.lowerBound
                let now = step * slab + at
                func before(_ states: Tensor) -> UnsafeMutablePointer<Float>? { step > 0 ? states.base + now - slab : nil }
                let row = (step * batch + rows.lowerBound) * wide
                if !isLast {
                    // All blocks of the step after are done.
                    packed.multiply(
                        column: panel.lowerBound, rows: rows.count, columns: panel.count,
                        a: dRecurrentGates.base + row + batch * wide, lda: wide, accumulate: false, c: dRecurrent.base + at, ldc: units)
                }
                var block = vc_recurrent_backward_panel(
                    rows: rows.count, units: panel.count, activation: activation.code, recurrent_activation: recurrentActivation.code,
                    gates: saved.gates.base + row + panel.lowerBound, gate_stride: wide, gate_distance: units,
                    mask: pointer(mask, step: step, row: rows.lowerBound), mask_stride: steps,
                    d_recurrent: isLast ? nil : UnsafePointer(dRecurrent.base + at),
                    recurrent_mask: saved.recurrentFactors.map { UnsafePointer($0.base + at) },
                    d_output: pointer(dOutput, step: step, row: rows.lowerBound, unit: panel.lowerBound).map { UnsafePointer($0) },
                    d_output_stride: dOutput.rowStride, dh_carry: dHidden.base + at, state_stride: units,
                    d_gates: dGates.base + row + panel.lowerBound)
                switch saved.states {
                case .lstm(let cells, let activated):
                    vc_lstm_cell_backward(&block, before(cells), activated.base + now, dCell.base + at)
                case .gru(let candidates):
                    vc_gru_cell_backward(
                        &block, before(saved.hidden), candidates.base + now, dRecurrentGates.base + row + panel.lowerBound)
                }
            }
        }
    }

    /// out[s][b] = x[b][t] * factors[b], t the time of step s: from (B, T, F) to (T, B, F). `factors` (B, F) are dropout's, or nil.
    package func gather(_ x: Tensor, factors: Tensor?, into out: Tensor, _ workers: Workers) {
        forEachRow(x, out, workers) { features, source, target, clip in
            if let factors {
                vc_multiply(features, source, factors.base + clip * features, target)
            } else {
                target.update(from: source, count: features)
            }
        }
    }

    /// The gradient of `gather`: dx[b][t] = dOut[s][b] * factors[b], or += with `accumulate`. dOut is overwritten.
    package func scatter(_ dOut: Tensor, factors: Tensor?, accumulate: Bool, into dx: Tensor, _ workers: Workers) {
        forEachRow(dx, dOut, workers) { features, target, source, clip in
            if let factors { vc_multiply(features, source, factors.base + clip * features, source) }
            vc_scale(features, 1, source, accumulate, target)
        }
    }

    /// Calls `body` with each row of `x` (B, T, F) and the row of `ordered` (T, B, F) for the same clip and time.
    private func forEachRow(
        _ x: Tensor, _ ordered: Tensor, _ workers: Workers,
        _ body: (_ features: Int, _ row: UnsafeMutablePointer<Float>, _ ordered: UnsafeMutablePointer<Float>, _ clip: Int) -> Void
    ) {
        let features = x.shape.last
        precondition(
            x.shape == [batch, steps, features] && ordered.shape == [steps, batch, features], "\(x.shape) in the order of \(ordered.shape)")
        workers.forEach(steps) { step, _ in
            for clip in 0..<batch {
                body(
                    features, x.base + (clip * steps + time(step)) * features, ordered.base + (step * batch + clip) * features, clip)
            }
        }
    }

    /// The place in time of a step.
    private func time(_ step: Int) -> Int { reversed ? steps - 1 - step : step }

    /// Calls `body(rows, units)` for every block of a step.
    private func forEachBlock(_ workers: Workers, _ body: (_ rows: Range<Int>, _ units: Range<Int>) -> Void) {
        let across = (units + Recurrence.unitsPerBlock - 1) / Recurrence.unitsPerBlock
        let down = (batch + Recurrence.rowsPerBlock - 1) / Recurrence.rowsPerBlock
        workers.forEach(across * down) { block, _ in
            let row = block / across * Recurrence.rowsPerBlock
            let unit = block % across * Recurrence.unitsPerBlock
            body(row..<min(batch, row + Recurrence.rowsPerBlock), unit..<min(units, unit + Recurrence.unitsPerBlock))
        }
    }

    /// A step's mask for rows from `row` on; its stride is `steps`.
    private func pointer(_ mask: Tensor?, step: Int, row: Int) -> UnsafePointer<Float>? {
        mask.map { UnsafePointer($0.base + row * steps + time(step)) }
    }

    /// A step's place at `row`, `unit` of the output; nil if the output does not have the step.
    private func pointer(_ output: Output, step: Int, row: Int, unit: Int) -> UnsafeMutablePointer<Float>? {
        let tensor = output.tensor
        if tensor.shape.rank == 2 {
            guard step == steps - 1 else { return nil }
            return tensor.base + row * output.rowStride + output.offset + unit
        }
        return tensor.base + row * output.rowStride + time(step) * tensor.shape[2] + output.offset + unit
    }
}

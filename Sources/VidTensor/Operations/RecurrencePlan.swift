/// The extents of a recurrence and how its steps are shared out: 32 samples x 64 units a block, whatever the threads.
///
/// A block of a step is a few products of (32, U) by (U, 64), small enough for OpenBLAS's kernels that do not pack, and
/// the cell on their result while it is in the cache.
package struct RecurrencePlan: Sendable {
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
        steps: Int, batch: Int, units: Int, reversed: Bool, activation: ActivationKind, recurrentActivation: ActivationKind
    ) {
        self.steps = steps
        self.batch = batch
        self.units = units
        self.reversed = reversed
        self.activation = activation
        self.recurrentActivation = recurrentActivation
    }

    /// The place in time of a step.
    func time(_ step: Int) -> Int { reversed ? steps - 1 - step : step }

    /// Calls `body(rows, units)` for every block of a step.
    func forEachBlock(_ workers: Workers, _ body: (_ rows: Range<Int>, _ units: Range<Int>) -> Void) {
        let across = (units + RecurrencePlan.unitsPerBlock - 1) / RecurrencePlan.unitsPerBlock
        let down = (batch + RecurrencePlan.rowsPerBlock - 1) / RecurrencePlan.rowsPerBlock
        workers.forEach(across * down) { block, _ in
            let row = block / across * RecurrencePlan.rowsPerBlock
            let unit = block % across * RecurrencePlan.unitsPerBlock
            body(row..<min(batch, row + RecurrencePlan.rowsPerBlock), unit..<min(units, unit + RecurrencePlan.unitsPerBlock))
        }
    }

    /// The mask of a step for rows from `row` on; its stride is `steps`.
    func mask(_ mask: Tensor?, step: Int, row: Int) -> UnsafePointer<Float>? {
        mask.map { UnsafePointer($0.base + row * steps + time(step)) }
    }
}

/// Where a recurrence's hidden states go, or where their gradients come from: `width` columns of another tensor, from
/// column `offset` on, either of every step (B, T, W) or of the last step alone (B, W).
package struct RecurrenceOutput: Sendable {
    package let tensor: Tensor
    package let offset: Int

    package init(_ tensor: Tensor, offset: Int = 0) {
        self.tensor = tensor
        self.offset = offset
    }

    var rowStride: Int { tensor.count / tensor.shape[0] }

    /// The first row's place of a step at `row`, `unit`; nil if the step has none.
    func pointer(_ plan: RecurrencePlan, step: Int, row: Int, unit: Int) -> UnsafeMutablePointer<Float>? {
        if tensor.shape.rank == 2 {
            guard step == plan.steps - 1 else { return nil }
            return tensor.base + row * rowStride + offset + unit
        }
        return tensor.base + row * rowStride + plan.time(step) * tensor.shape[2] + offset + unit
    }
}

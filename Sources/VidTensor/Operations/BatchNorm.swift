import CKernels

/// Batch normalisation over the last axis of x (rows, C); maps (N, H, W, C) are N H W rows.
///
/// Blocks are sections of rows and 64 channels. Sums are in double precision, rows in order, then sections in order, so that
/// they have the same bits for any number of workers. `mask` holds one number a row: rows of 0 are normalised like the others
/// but do not count in the statistics.
package enum BatchNorm {
    private static let columnBlock = 64
    /// Rows of a section. Features over time are one section; the first maps of a CNN have hundreds.
    private static let section = 4096

    /// Mean and population variance (C) of the counting rows, in two passes; 0 without any row.
    package static func moments(_ x: Tensor, mask: Tensor?, mean: Tensor, variance: Tensor, _ workers: Workers) {
        let channels = x.shape.last
        let rows = check(x, mask, mean, variance)
        let count = mask.map { counted($0) } ?? rows
        let share = count > 0 ? 1 / Double(count) : 0
        withUnsafeTemporaryAllocation(of: Double.self, capacity: channels) { centre in
            sumSections(rows, channels, workers) { sums, rows, columns in
                let at = rows.lowerBound * channels + columns.lowerBound
                let weight = mask.map { UnsafePointer($0.base + rows.lowerBound) }
                vc_column_totals(rows.count, columns.count, channels, x.base + at, weight, sums)
            } result: { channel, sum in
                centre[channel] = sum * share
                mean.base[channel] = Float(centre[channel])
            }
            sumSections(rows, channels, workers) { sums, rows, columns in
                let at = rows.lowerBound * channels + columns.lowerBound
                let weight = mask.map { UnsafePointer($0.base + rows.lowerBound) }
                let middle = centre.baseAddress.map { UnsafePointer($0 + columns.lowerBound) }
                vc_centred_squares(rows.count, columns.count, channels, x.base + at, weight, middle, sums)
            } result: { channel, sum in
                variance.base[channel] = Float(sum * share)
            }
        }
    }

    /// y = activation((x - mean) gamma / sqrt(variance + epsilon) + beta); y may be x.
    package static func forward(
        _ x: Tensor, mean: Tensor, variance: Tensor, epsilon: Float, gamma: Tensor, beta: Tensor, activation: ActivationKind = .linear,
        into y: Tensor, _ workers: Workers
    ) {
        let channels = x.shape.last
        let rows = check(x, nil, mean, variance)
        precondition(y.count == x.count && gamma.count == channels && beta.count == channels, "\(x.shape), \(y.shape), \(gamma.shape)")
        let norm = Normalisation(mean: mean, variance: variance, gamma: gamma, beta: beta, epsilon: epsilon, activation: activation)
        forEachBlock(rows, channels, workers) { _, rows, columns in
            let at = rows.lowerBound * channels + columns.lowerBound
            norm.withPanel(columns.lowerBound) {
                vc_batch_norm_forward($0, rows.count, columns.count, channels, x.base + at, y.base + at)
            }
        }
    }

    /// Gradients through the activation and the statistics of the batch: dGamma and dBeta are overwritten with their sums, dx
    /// with d(loss)/dx.
    ///
    /// - Parameters:
    ///   - usesBatchStatistics: whether mean and variance were those of x; if not they were constants.
    ///   - beta: needed with an activation, whose slope is taken at the normalised value, computed again.
    ///   - dx: nil when the input's gradient is not wanted; it may be dy.
    package static func backward(
        _ x: Tensor, _ dy: Tensor, mask: Tensor?, usesBatchStatistics: Bool, mean: Tensor, variance: Tensor, epsilon: Float,
        gamma: Tensor, beta: Tensor? = nil, activation: ActivationKind = .linear, dGamma: Tensor, dBeta: Tensor, dx: Tensor?,
        _ workers: Workers
    ) {
        let channels = x.shape.last
        let rows = check(x, mask, mean, variance)
        precondition(dy.count == x.count && (dx.map { $0.count == x.count } ?? true), "\(x.shape), \(dy.shape)")
        precondition(activation == .linear || beta?.count == channels, "\(activation) without beta")
        let count = mask.map { counted($0) } ?? rows
        let share = count > 0 ? 1 / Float(count) : 0
        let norm = Normalisation(
            mean: mean, variance: variance, gamma: gamma, beta: beta ?? gamma, epsilon: epsilon, activation: activation)
        sumSections(rows, 2 * channels, columnsOfBlock: channels, workers) { sums, rows, columns in
            let at = rows.lowerBound * channels + columns.lowerBound
            norm.withPanel(columns.lowerBound) {
                vc_batch_norm_parameter_sums(
                    $0, rows.count, columns.count, channels, x.base + at, dy.base + at, sums, sums + channels)
            }
        } result: { index, sum in
            if index < channels {
                dGamma.base[index] = Float(sum * Double(1 / (variance.base[index] + epsilon).squareRoot()))
            } else {
                dBeta.base[index - channels] = Float(sum)
            }
        }
        guard let dx else { return }
        forEachBlock(rows, channels, workers) { _, rows, columns in
            let (n, first) = (columns.count, columns.lowerBound)
            let at = rows.lowerBound * channels + first
            norm.withPanel(first) {
                vc_batch_norm_input_gradient(
                    $0, rows.count, n, channels, x.base + at, dy.base + at, mask.map { UnsafePointer($0.base + rows.lowerBound) }, share,
                    usesBatchStatistics ? dGamma.base + first : nil, usesBatchStatistics ? dBeta.base + first : nil, dx.base + at)
            }
        }
    }

    /// A convolution's kernel (rows, columns, C / groups, K), or a depthwise one's (rows, columns, K), and its bias (nil: 0) with
    /// the batch normalisation after it folded in: w gamma / s and (bias - mean) gamma / s + beta, s = sqrt(variance + epsilon),
    /// each computed in double precision and rounded once. The results may be the arguments.
    package static func fold(
        kernel: Tensor, bias: Tensor?, gamma: Tensor, beta: Tensor, mean: Tensor, variance: Tensor, epsilon: Float,
        foldedKernel: Tensor, foldedBias: Tensor
    ) {
        let filters = kernel.shape.last
        precondition(foldedKernel.count == kernel.count && foldedBias.count == filters, "\(kernel.shape) into \(foldedKernel.shape)")
        precondition(
            [gamma, beta, mean, variance].allSatisfy { $0.count == filters } && bias?.count ?? filters == filters,
            "statistics \(mean.shape) of a kernel \(kernel.shape)")
        for filter in 0..<filters {
            let scale = Double(gamma.base[filter]) / (Double(variance.base[filter]) + Double(epsilon)).squareRoot()
            for at in stride(from: filter, to: kernel.count, by: filters) {
                foldedKernel.base[at] = Float(Double(kernel.base[at]) * scale)
            }
            let before = Double(bias?.base[filter] ?? 0) - Double(mean.base[filter])
            foldedBias.base[filter] = Float(before * scale + Double(beta.base[filter]))
        }
    }

    /// The arguments of a normalisation, as the kernels take them.
    private struct Normalisation {
        let mean: Tensor
        let variance: Tensor
        let gamma: Tensor
        let beta: Tensor
        let epsilon: Float
        let activation: ActivationKind

        /// Calls `body` with the arguments of the channels from `first` on.
        func withPanel(_ first: Int, _ body: (UnsafePointer<vc_normalisation>) -> Void) {
            let panel = vc_normalisation(
                mean: mean.base + first, variance: variance.base + first, gamma: gamma.base + first, beta: beta.base + first,
                epsilon: epsilon, activation: activation.code)
            withUnsafePointer(to: panel, body)
        }
    }

    /// Calls `body` with sections of rows (and their numbers) and ranges of columns that cover all.
    private static func forEachBlock(
        _ rows: Int, _ columns: Int, _ workers: Workers, _ body: (_ section: Int, _ rows: Range<Int>, _ columns: Range<Int>) -> Void
    ) {
        let across = (columns + columnBlock - 1) / columnBlock
        workers.forEach((rows + section - 1) / section * across) { block, _ in
            let (row, column) = (block / across * section, block % across * columnBlock)
            body(block / across, row..<min(rows, row + section), column..<min(columns, column + columnBlock))
        }
    }

    /// Sums of `count` numbers: `part` writes a section's sums, from the first column of the block on, and `result` gets each
    /// number's sum over the sections.
    private static func sumSections(
        _ rows: Int, _ count: Int, columnsOfBlock columns: Int? = nil, _ workers: Workers,
        _ part: (_ sums: UnsafeMutablePointer<Double>, _ rows: Range<Int>, _ columns: Range<Int>) -> Void,
        result: (_ index: Int, _ sum: Double) -> Void
    ) {
        let sections = (rows + section - 1) / section
        withUnsafeTemporaryAllocation(of: Double.self, capacity: max(1, sections * count)) { sums in
            guard let base = sums.baseAddress else { return }
            forEachBlock(rows, columns ?? count, workers) { section, rows, columns in
                part(base + section * count + columns.lowerBound, rows, columns)
            }
            for index in 0..<count {
                var sum = 0.0
                for section in 0..<sections { sum += base[section * count + index] }
                result(index, sum)
            }
        }
    }

    /// The number of rows that count.
    package static func counted(_ mask: Tensor) -> Int {
        var count = 0
        for row in 0..<mask.count where mask.base[row] != 0 { count += 1 }
        return count
    }

    private static func check(_ x: Tensor, _ mask: Tensor?, _ mean: Tensor, _ variance: Tensor) -> Int {
        let channels = x.shape.last
        let rows = x.count / max(channels, 1)
        precondition(mean.count == channels && variance.count == channels, "statistics \(mean.shape) of \(x.shape)")
        precondition(mask.map { $0.count == rows } ?? true, "a mask \(mask?.shape ?? []) for \(rows) rows")
        return rows
    }
}

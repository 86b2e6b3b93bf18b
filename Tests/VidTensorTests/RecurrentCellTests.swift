import CKernels
import CReferenceKernels
import Testing
import VidTensor
import VidTestSupport

/// The cells of LSTM and GRU against their reference twins: odd unit counts, panels of a wider matrix, masks, every activation.
@Suite struct RecurrentCellTests {
    /// A handful of single-precision roundings on values of order one.
    private let tolerance = 2e-6
    private let rows = 5

    struct Case: CustomTestStringConvertible, Sendable {
        let units: Int
        let activation: Int
        let recurrentActivation: Int
        var testDescription: String { "\(units) units, activations \(activation) and \(recurrentActivation)" }
    }

    static let cases = [1, 3, 17, 1000].flatMap { units in
        [(VC_TANH, VC_SIGMOID), (VC_TANH, VC_HARD_SIGMOID), (VC_RELU, VC_SIGMOID), (VC_LINEAR, VC_LINEAR), (VC_SIGMOID, VC_TANH)].map {
            Case(units: units, activation: $0.0, recurrentActivation: $0.1)
        }
    }

    /// The mask of a step: the third row is masked.
    private func mask(_ tensors: inout TestTensors) -> Tensor {
        let mask = tensors.zeros([rows])
        mask.fill(1)
        mask.base[2] = 0
        return mask
    }

    @Test(arguments: cases)
    func lstm(_ c: Case) {
        var tensors = TestTensors(seed: 8)
        let (n, slab) = (c.units, rows * c.units)
        let z = tensors.uniform([rows, 4 * n], -3, 3)
        let zValues = doubles(z)
        let mask = mask(&tensors)
        let (cBefore, hBefore) = (tensors.uniform([rows, n]), tensors.uniform([rows, n]))
        let (cell, activated, h) = (tensors.nan([rows, n]), tensors.nan([rows, n]), tensors.nan([rows, n]))
        let output = tensors.nan([rows, n + 3])
        var panel = vc_recurrent_forward_panel(
            rows: rows, units: n, activation: Int32(c.activation), recurrent_activation: Int32(c.recurrentActivation), gates: z.base,
            gate_stride: 4 * n, gate_distance: n, mask: mask.base, mask_stride: 1, h_previous: hBefore.base, h: h.base, state_stride: n,
            recurrent_mask: nil, h_dropped: nil, output: output.base + 1, output_stride: n + 3)
        vc_lstm_cell_forward(&panel, cBefore.base, cell.base, activated.base)
        var (expectedC, expectedH) = ([Double](repeating: 0, count: slab), [Double](repeating: 0, count: slab))
        vc_reference_lstm_forward(
            rows, n, panel.activation, panel.recurrent_activation, zValues, doubles(mask), doubles(cBefore), doubles(hBefore), &expectedC,
            &expectedH)
        #expect(relativeError(cell.array, expectedC) <= tolerance)
        #expect(relativeError(h.array, expectedH) <= tolerance)
        #expect(output.base[2 * (n + 3) + 1] == hBefore.base[2 * n], "a masked step's output is the state before")

        let (dh, dc, dRecurrent) = (tensors.uniform([rows, n]), tensors.uniform([rows, n]), tensors.uniform([rows, n]))
        let factors = tensors.uniform([rows, n], 0, 2)
        let dz = tensors.nan([rows, 4 * n])
        let dhTotal = zip(doubles(dh), zip(doubles(dRecurrent), doubles(factors))).map { $0 + $1.0 * $1.1 }
        var expectedDz = [Double](repeating: 0, count: 4 * slab)
        var (expectedDh, expectedDc) = (expectedH, expectedC)
        vc_reference_lstm_backward(
            rows, n, panel.activation, panel.recurrent_activation, zValues, doubles(mask), doubles(cBefore), dhTotal, doubles(dc),
            &expectedDz, &expectedDh, &expectedDc)
        var back = vc_recurrent_backward_panel(
            rows: rows, units: n, activation: panel.activation, recurrent_activation: panel.recurrent_activation, gates: z.base,
            gate_stride: 4 * n, gate_distance: n, mask: mask.base, mask_stride: 1, d_recurrent: dRecurrent.base,
            recurrent_mask: factors.base, d_output: nil, d_output_stride: 0, dh_carry: dh.base, state_stride: n, d_gates: dz.base)
        vc_lstm_cell_backward(&back, cBefore.base, activated.base, dc.base)
        #expect(relativeError(dz.array, expectedDz) <= 2 * tolerance)
        #expect(relativeError(dh.array, expectedDh) <= tolerance)
        #expect(relativeError(dc.array, expectedDc) <= 2 * tolerance)
    }

    @Test(arguments: cases)
    func gru(_ c: Case) {
        var tensors = TestTensors(seed: 9)
        let (n, slab) = (c.units, rows * c.units)
        let x = tensors.uniform([rows, 3 * n], -2, 2)
        let product = tensors.uniform([rows, 3 * n], -2, 2)
        let bias = tensors.uniform([3 * n])
        let xValues = doubles(x)
        var yValues = doubles(product)
        for index in yValues.indices { yValues[index] += Double(bias.base[index % (3 * n)]) }
        let mask = mask(&tensors)
        let hBefore = tensors.uniform([rows, n])
        let (candidate, h) = (tensors.nan([rows, n]), tensors.nan([rows, n]))
        var panel = vc_recurrent_forward_panel(
            rows: rows, units: n, activation: Int32(c.activation), recurrent_activation: Int32(c.recurrentActivation), gates: x.base,
            gate_stride: 3 * n, gate_distance: n, mask: mask.base, mask_stride: 1, h_previous: hBefore.base, h: h.base, state_stride: n,
            recurrent_mask: nil, h_dropped: nil, output: nil, output_stride: 0)
        vc_gru_cell_forward(&panel, product.base, bias.base, candidate.base)
        var expectedH = [Double](repeating: 0, count: slab)
        vc_reference_gru_forward(
            rows, n, panel.activation, panel.recurrent_activation, xValues, yValues, doubles(mask), doubles(hBefore), &expectedH)
        #expect(relativeError(h.array, expectedH) <= tolerance)

        let (dh, dOutput) = (tensors.uniform([rows, n]), tensors.uniform([rows, n + 2]))
        var dhTotal = doubles(dh)
        for row in 0..<rows { for u in 0..<n { dhTotal[row * n + u] += Double(dOutput.base[row * (n + 2) + u]) } }
        let (dx, dy) = (tensors.nan([rows, 3 * n]), tensors.nan([rows, 3 * n]))
        var (expectedDx, expectedDy) = ([Double](repeating: 0, count: 3 * slab), [Double](repeating: 0, count: 3 * slab))
        var expectedDh = expectedH
        vc_reference_gru_backward(
            rows, n, panel.activation, panel.recurrent_activation, xValues, yValues, doubles(mask), doubles(hBefore), dhTotal,
            &expectedDx, &expectedDy, &expectedDh)
        var back = vc_recurrent_backward_panel(
            rows: rows, units: n, activation: panel.activation, recurrent_activation: panel.recurrent_activation, gates: x.base,
            gate_stride: 3 * n, gate_distance: n, mask: mask.base, mask_stride: 1, d_recurrent: nil, recurrent_mask: nil,
            d_output: dOutput.base, d_output_stride: n + 2, dh_carry: dh.base, state_stride: n, d_gates: dx.base)
        vc_gru_cell_backward(&back, hBefore.base, candidate.base, dy.base)
        #expect(relativeError(dx.array, expectedDx) <= 2 * tolerance)
        #expect(relativeError(dy.array, expectedDy) <= 2 * tolerance)
        #expect(relativeError(dh.array, expectedDh) <= tolerance)
    }
}

import CKernels
import CReferenceKernels
import Testing
import VidTensor
import VidTestSupport

/// The kernels under the convolution by themselves, element by element against their twins.
@Suite struct Im2colTests {
    /// Any block of rows and any range of columns of the matrix, exactly.
    @Test(arguments: ConvolutionCase.odd + [ConvolutionCase(ConvolutionShape.vgg16[8]), ConvolutionCase(ConvolutionShape.vgg16[0])])
    func im2colIsItsTwin(_ test: ConvolutionCase) {
        let g = test.geometry
        var tensors = TestTensors(seed: 6)
        let input = tensors.uniform(g.inputShape)
        var shape = test.shape
        var expected = [Double](repeating: .nan, count: g.positions * g.taps)
        vc_reference_im2col(&shape, input.base, &expected)
        let rowRanges = [0..<g.outRows, g.outRows / 2..<g.outRows, 0..<1]
        let columnRanges = [0..<g.taps, g.taps / 3..<g.taps, 0..<(g.taps + 1) / 2, g.taps / 2..<g.taps / 2 + 1]
        for rows in rowRanges {
            for columns in columnRanges {
                let out = tensors.nan([rows.count * g.outColumns, columns.count])
                vc_im2col(
                    &shape, input.base, Int32(rows.lowerBound), Int32(rows.upperBound), Int32(columns.lowerBound),
                    Int32(columns.upperBound), out.base)
                var differences = 0
                for position in 0..<rows.count * g.outColumns {
                    for column in columns {
                        let found = out.base[position * columns.count + column - columns.lowerBound]
                        let wanted = expected[(rows.lowerBound * g.outColumns + position) * g.taps + column]
                        if !(Double(found) == wanted) { differences += 1 }
                    }
                }
                #expect(differences == 0, "rows \(rows), columns \(columns)")
            }
        }
    }

    @Test(arguments: ConvolutionCase.odd + [ConvolutionCase(ConvolutionShape.vgg16[8])])
    func col2imIsItsTwin(_ test: ConvolutionCase) {
        let g = test.geometry
        var tensors = TestTensors(seed: 7)
        let columns = tensors.uniform([g.positions, g.taps])
        var shape = test.shape
        var expected = [Double](repeating: .nan, count: g.inputShape.count)
        vc_reference_col2im(&shape, columns.base, &expected)
        let dInput = tensors.zeros(g.inputShape)
        let half = g.outRows / 2
        vc_col2im_add(&shape, columns.base, 0, Int32(half), dInput.base)
        vc_col2im_add(&shape, columns.base + half * g.outColumns * g.taps, Int32(half), Int32(g.outRows), dInput.base)
        // At most 49 terms of order one.
        let error = relativeError(dInput.array, expected)
        #expect(error <= 1e-6)
    }

    @Test(arguments: [(1, 1), (7, 3), (65, 64), (129, 130), (1000, 17)])
    func biasAndSumsAreTheirTwins(_ positions: Int, _ filters: Int) {
        var tensors = TestTensors(seed: 8)
        let values = tensors.uniform([positions, filters])
        let bias = tensors.uniform([filters])
        var sums = [Double](repeating: .nan, count: filters)
        vc_reference_sum_positions(values.base, positions, Int32(filters), &sums)
        let found = tensors.nan([filters])
        vc_sum_positions(values.base, positions, Int32(filters), found.base)
        // Up to 64 + 16 additions in a row of numbers of order one; the sums are of order sqrt(positions).
        let sumError = relativeError(found.array, sums)
        #expect(sumError <= 2e-6)
        let adding = tensors.uniform(values.shape)
        for kind in [VC_LINEAR, VC_RELU, VC_SILU].map({ Int32($0) }) {
            for (bias, adding) in [(bias, nil), (nil, adding), (bias, adding), (nil, nil)] as [(Tensor?, Tensor?)] {
                var expected = [Double](repeating: .nan, count: values.count)
                vc_reference_finish_positions(kind, positions, Int32(filters), values.base, bias?.base, adding?.base, &expected)
                let output = tensors.nan(values.shape)
                output.copy(from: values)
                vc_finish_positions(kind, positions, filters, bias?.base, adding?.base, output.base)
                let error = relativeError(output.array, expected)
                #expect(error <= 5e-7)
            }
        }
    }
}

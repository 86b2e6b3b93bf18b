import CKernels
import Foundation
import Testing
import VidTensor
import VidTestSupport

@Suite struct MatrixProductTests {
    private static let shapes = [(1, 1, 1), (3, 17, 5), (64, 64, 64), (65, 130, 1000), (8, 300, 700), (200, 3, 65)]

    private func product(_ a: [Double], _ b: [Double], _ m: Int, _ n: Int, _ k: Int, _ at: (Int, Int) -> Int, _ bt: (Int, Int) -> Int)
        -> [Double]
    {
        var c = [Double](repeating: 0, count: m * n)
        for i in 0..<m { for l in 0..<k { for j in 0..<n { c[i * n + j] += a[at(i, l)] * b[bt(l, j)] } } }
        return c
    }

    // Sums of at most 1000 products of order one in single precision.
    @Test(arguments: shapes)
    func plainAndTransposed(_ m: Int, _ n: Int, _ k: Int) {
        var tensors = TestTensors(seed: 16)
        let (a, b) = (tensors.uniform([m, k]), tensors.uniform([k, n]))
        let (aTransposed, bTransposed) = (tensors.nan([k, m]), tensors.nan([n, k]))
        Elementwise.transpose(a, into: aTransposed, Workers(count: 2))
        Elementwise.transpose(b, into: bTransposed, Workers(count: 2))
        let expected = product(doubles(a), doubles(b), m, n, k, { $0 * k + $1 }, { $0 * n + $1 })
        var bits: [[Float]] = []
        for count in threadCounts {
            let (workers, workspace) = (Workers(count: count), Workspace())
            let c = tensors.nan([m, n])
            MatrixProduct.multiply(a, b, into: c, workspace, workers)
            #expect(relativeError(c.array, expected) <= 2e-6)
            bits.append(c.array)

            MatrixProduct.multiply(aTransposed, transposeA: true, b, into: c, accumulate: true, workspace, workers)
            #expect(relativeError(c.array, expected.map { 2 * $0 }) <= 2e-6)
            bits[bits.count - 1] += c.array

            c.fill(.nan)
            MatrixProduct.multiplyByTransposed(a, bTransposed, into: c, workspace, workers)
            #expect(relativeError(c.array, expected) <= 2e-6)
            bits[bits.count - 1] += c.array

            // Some of the rows of a packed matrix.
            let part = k / 3..<k
            let columns = tensors.nan([m, part.count])
            columns.copy(from: a.array.enumerated().filter { part.contains($0.offset % k) }.map(\.element))
            MatrixProduct.multiply(columns, PackedFilters(packing: b, in: workspace, workers), depth: part, into: c, workspace, workers)
            let ofPart = product(doubles(columns), doubles(b), m, n, part.count, { $0 * part.count + $1 }, { ($0 + k / 3) * n + $1 })
            #expect(relativeError(c.array, ofPart) <= 2e-6)
            bits[bits.count - 1] += c.array
        }
        #expect(bits.allSatisfy { $0 == bits[0] }, "the same bits at any thread count")
    }

    @Test func biasAndActivationFinishEveryTile() {
        var tensors = TestTensors(seed: 17)
        let (m, n, k) = (70, 150, 33)
        let (a, b, bias, c) = (tensors.uniform([m, k]), tensors.uniform([k, n]), tensors.uniform([n]), tensors.nan([m, n]))
        MatrixProduct.multiply(a, b, into: c, finish: .init(bias: bias, activation: .relu), Workspace(), Workers(count: 2))
        let products = product(doubles(a), doubles(b), m, n, k, { $0 * k + $1 }, { $0 * n + $1 })
        var expected = products.indices.map { max(0, products[$0] + Double(bias.base[$0 % n])) }
        #expect(relativeError(c.array, expected) <= 2e-6)
        // And of a sum.
        MatrixProduct.multiply(
            a, b, into: c, accumulate: true, finish: .init(bias: bias, activation: .relu), Workspace(), Workers(count: 2))
        expected = products.indices.map { max(0, expected[$0] + products[$0] + Double(bias.base[$0 % n])) }
        #expect(relativeError(c.array, expected) <= 2e-6)
    }

    /// Blocks of 8 x 8 and what is left beside them.
    @Test(arguments: [(1, 1), (1, 20), (8, 8), (7, 40), (16, 33), (70, 150), (130, 9)])
    func transposedAndPackedMatricesAreTheirTwins(_ rows: Int, _ columns: Int) {
        var tensors = TestTensors(seed: 21)
        let x = tensors.uniform([rows, columns + 3])
        let y = tensors.nan([columns, rows + 2])
        vc_transpose(rows, columns, x.base, columns + 3, y.base, rows + 2)
        let panels = (rows + 15) / 16
        let (plain, turned) = (tensors.nan([panels, columns, 16]), tensors.nan([panels, columns, 16]))
        vc_pack(columns, rows, y.base, rows + 2, 1, plain.base, 16 * columns)
        vc_pack(columns, rows, x.base, 1, columns + 3, turned.base, 16 * columns)
        var (transposedIsRight, packedIsRight) = (true, true)
        for p in 0..<columns {
            for j in 0..<16 * panels {
                let value = j < rows ? x.base[j * (columns + 3) + p] : 0
                if j < rows { transposedIsRight = transposedIsRight && y.base[p * (rows + 2) + j] == value }
                let place = (j / 16 * columns + p) * 16 + j % 16
                packedIsRight = packedIsRight && plain.base[place] == value && turned.base[place] == value
            }
            for j in rows..<rows + 2 { transposedIsRight = transposedIsRight && y.base[p * (rows + 2) + j].isNaN }
        }
        #expect(transposedIsRight && packedIsRight)
    }

    private static let packedShapes = [
        (1, 1, 1), (1, 64, 193), (2, 16, 3), (5, 31, 7), (6, 33, 20), (9, 48, 192), (10, 49, 400), (13, 64, 64), (25, 80, 40), (37, 24, 9),
        (40, 112, 385), (100, 17, 2),
    ]

    /// Every number of rows and vectors of a tile, full and cut panels, one and several passes over the depth.
    @Test(arguments: packedShapes)
    func packedProductIsItsTwin(_ m: Int, _ n: Int, _ k: Int) {
        var tensors = TestTensors(seed: 18)
        let (aRow, cRow) = (k + 3, n + 5)
        let (a, b, bias) = (tensors.uniform([m, aRow]), tensors.uniform([k, n]), tensors.uniform([n]))
        let (adding, start) = (tensors.uniform([m, cRow]), tensors.uniform([m, cRow]))
        let panels = (n + 15) / 16
        let packed = tensors.nan([panels, k, 16])
        vc_pack(k, n, b.base, n, 1, packed.base, 16 * k)
        let products = product(doubles(a), doubles(b), m, n, k, { $0 * aRow + $1 }, { $0 * n + $1 })
        for (activation, isAdding, adds) in [
            (ActivationKind.linear, false, false), (.linear, false, true), (.relu, false, false), (.relu6, false, true),
            (.relu, true, false), (.silu, true, false), (.linear, true, true),
        ] {
            let c = tensors.nan([m, cRow])
            c.copy(from: start)
            var description = vc_product(
                groups: 1, rows: m, columns: n, segments: 1, depth: k, a: a.base, a_group: 0, a_row: aRow, a_depth: 1, a_segment: 0,
                b: packed.base,
                b_depth: 16, b_panel: 16 * k, c: c.base,
                c_row: cRow, adds: adds, bias: adds ? nil : UnsafePointer(bias.base), adding: isAdding ? UnsafePointer(adding.base) : nil,
                activation: activation.code)
            vc_matrix_product(&description)
            var expected = doubles(start)
            for i in 0..<m {
                for j in 0..<n {
                    let x =
                        products[i * n + j] + (adds ? Double(start.base[i * cRow + j]) : Double(bias.base[j]))
                        + (isAdding ? Double(adding.base[i * cRow + j]) : 0)
                    expected[i * cRow + j] =
                        switch activation {
                        case .relu: max(0, x)
                        case .relu6: min(6, max(0, x))
                        case .silu: x / (1 + exp(-x))
                        default: x
                        }
                }
            }
            #expect(relativeError(c.array, expected) <= 2e-6, "\(activation), adding \(isAdding), adds \(adds)")
            for run in [1, 7, 128] {
                let inRuns = tensors.nan([m, cRow])
                inRuns.copy(from: start)
                var other = description
                other.c = inRuns.base
                vc_matrix_product_in_runs(&other, run)
                #expect(relativeError(inRuns.array, expected) <= 2e-6, "runs of \(run): \(activation), adding \(isAdding), adds \(adds)")
            }
            let turned = tensors.nan([k, m + 3])
            for i in 0..<m { for l in 0..<k { turned.base[l * (m + 3) + i] = a.base[i * aRow + l] } }
            let ofTurned = tensors.nan([m, cRow])
            ofTurned.copy(from: start)
            var transposed = description
            (transposed.a, transposed.a_row, transposed.a_depth, transposed.c) = (UnsafePointer(turned.base), 1, m + 3, ofTurned.base)
            vc_matrix_product(&transposed)
            #expect(ofTurned.array == c.array, "the same bits of A by columns")
            let rowsAlone = tensors.nan([m, cRow])
            rowsAlone.copy(from: start)
            for row in 0..<m {
                var one = description
                (one.rows, one.a, one.c) = (1, one.a + row * aRow, rowsAlone.base + row * cRow)
                if isAdding { one.adding += row * cRow }
                vc_matrix_product(&one)
            }
            #expect(rowsAlone.array == c.array, "the same bits whatever the rows around")
        }
    }

    /// 4096 terms in 32 runs have a rounding error that is smaller by the root of 32, and by half of that at least.
    @Test func runsKeepErrorsSmall() {
        var tensors = TestTensors(seed: 22)
        let (m, n, k) = (24, 32, 4096)
        let (a, b) = (tensors.uniform([m, k]), tensors.uniform([k, n]))
        let packed = tensors.nan([n / 16, k, 16])
        vc_pack(k, n, b.base, n, 1, packed.base, 16 * k)
        let exact = product(doubles(a), doubles(b), m, n, k, { $0 * k + $1 }, { $0 * n + $1 })
        func error(_ multiply: (inout vc_product) -> Void) -> Double {
            let c = tensors.nan([m, n])
            var description = vc_product(
                groups: 1, rows: m, columns: n, segments: 1, depth: k, a: a.base, a_group: 0, a_row: k, a_depth: 1, a_segment: 0,
                b: packed.base, b_depth: 16, b_panel: 16 * k, c: c.base, c_row: n, adds: false, bias: nil, adding: nil,
                activation: ActivationKind.linear.code)
            multiply(&description)
            return zip(c.array, exact).reduce(0) { $0 + (Double($1.0) - $1.1) * (Double($1.0) - $1.1) }.squareRoot()
        }
        let (whole, inRuns) = (error { vc_matrix_product(&$0) }, error { vc_matrix_product_in_runs(&$0, 128) })
        #expect(inRuns <= whole / 2.83, "\(inRuns) against \(whole)")
        // What it takes in a product of the head.
        let c = tensors.nan([m, n])
        MatrixProduct.multiply(a, b, into: c, Workspace(), Workers(count: 1))
        let found = zip(c.array, exact).reduce(0) { $0 + (Double($1.0) - $1.1) * (Double($1.0) - $1.1) }.squareRoot()
        #expect(found == inRuns)
    }

    /// Groups of overlapping rows of several segments, short and longer than a pass.
    @Test(arguments: [(7, 64, 7, 21, 6), (5, 20, 3, 130, 64), (3, 48, 3, 250, 100), (1, 5, 2, 1, 1)])
    func windowsAreTheirTwin(_ m: Int, _ n: Int, _ segments: Int, _ depth: Int, _ step: Int) {
        var tensors = TestTensors(seed: 20)
        let (groups, line, k) = (3, step * (m - 1) + depth + 2, segments * depth)
        let a = tensors.uniform([2 * (groups - 1) + segments, line])
        let (b, bias, c) = (tensors.uniform([k, n]), tensors.uniform([n]), tensors.nan([groups * m, n]))
        let packed = tensors.nan([(n + 15) / 16, k, 16])
        vc_pack(k, n, b.base, n, 1, packed.base, 16 * k)
        var description = vc_product(
            groups: groups, rows: m, columns: n, segments: segments, depth: depth, a: a.base, a_group: 2 * line, a_row: step, a_depth: 1,
            a_segment: line, b: packed.base, b_depth: 16, b_panel: 16 * k, c: c.base, c_row: n, adds: false, bias: bias.base,
            adding: nil, activation: ActivationKind.silu.code)
        vc_matrix_product(&description)
        var expected = product(
            doubles(a), doubles(b), groups * m, n, k,
            { row, l in (row / m * 2 + l / depth) * line + row % m * step + l % depth }, { $0 * n + $1 })
        for i in expected.indices {
            let x = expected[i] + Double(bias.base[i % n])
            expected[i] = x / (1 + exp(-x))
        }
        #expect(relativeError(c.array, expected) <= 2e-6)
    }

    /// A number that is not finite is not hidden by the bounds of relu and relu6.
    @Test(arguments: [ActivationKind.relu, .relu6])
    func notFiniteStays(_ activation: ActivationKind) {
        var tensors = TestTensors(seed: 19)
        let (a, b, c) = (tensors.nan([1, 1]), tensors.uniform([1, 16]), tensors.zeros([1, 16]))
        var description = vc_product(
            groups: 1, rows: 1, columns: 16, segments: 1, depth: 1, a: a.base, a_group: 0, a_row: 1, a_depth: 1, a_segment: 0, b: b.base,
            b_depth: 16,
            b_panel: 16, c: c.base, c_row: 16, adds: false,
            bias: nil, adding: nil, activation: activation.code)
        vc_matrix_product(&description)
        #expect(c.array.allSatisfy { $0.isNaN })
    }
}

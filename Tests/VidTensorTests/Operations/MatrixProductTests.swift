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
            let workers = Workers(count: count)
            let c = tensors.nan([m, n])
            MatrixProduct.multiply(a, b, into: c, workers)
            #expect(relativeError(c.array, expected) <= 2e-6)
            bits.append(c.array)

            MatrixProduct.multiply(aTransposed, transposeA: true, b, into: c, accumulate: true, workers)
            #expect(relativeError(c.array, expected.map { 2 * $0 }) <= 2e-6)
            bits[bits.count - 1] += c.array

            c.fill(.nan)
            let workspace = Workspace()
            MatrixProduct.multiplyByTransposed(a, bTransposed, into: c, workspace, workers)
            #expect(relativeError(c.array, expected) <= 2e-6)
            bits[bits.count - 1] += c.array
        }
        #expect(bits.allSatisfy { $0 == bits[0] }, "the same bits at any thread count")
    }

    @Test func biasAndActivationFinishEveryTile() {
        var tensors = TestTensors(seed: 17)
        let (m, n, k) = (70, 150, 33)
        let (a, b, bias, c) = (tensors.uniform([m, k]), tensors.uniform([k, n]), tensors.uniform([n]), tensors.nan([m, n]))
        MatrixProduct.multiply(a, b, into: c, finish: .init(bias: bias, activation: .relu), Workers(count: 2))
        var expected = product(doubles(a), doubles(b), m, n, k, { $0 * k + $1 }, { $0 * n + $1 })
        for i in expected.indices { expected[i] = max(0, expected[i] + Double(bias.base[i % n])) }
        #expect(relativeError(c.array, expected) <= 2e-6)
    }
}

import Testing
import VidModel
import VidTensor
import VidTestSupport

@Suite struct InitializerTests {
    private func filled(_ initializer: Initializer, _ shape: Shape, seed: UInt64 = 1) throws -> Tensor {
        let tensor = Buffer.kept(shape)
        var random = RandomGenerator(seed: seed)
        try initializer.fill(tensor, &random)
        return tensor
    }

    /// Rows of a wide matrix, columns of a tall one, are orthonormal.
    @Test(arguments: [Shape([1, 1]), [5, 5], [256, 1024], [7, 28], [40, 3]])
    func orthogonal(_ shape: Shape) throws {
        let tensor = try filled(.orthogonal, shape)
        let (rows, columns) = (shape[0], shape[1])
        let isWide = columns >= rows
        let (vectors, length) = isWide ? (rows, columns) : (columns, rows)
        func element(_ vector: Int, _ i: Int) -> Double { Double(tensor.base[isWide ? vector * columns + i : i * columns + vector]) }
        var largest = 0.0
        for a in 0..<vectors {
            for b in [a, (a + 1) % vectors, (a + 3) % vectors] {
                var dot = 0.0
                for i in 0..<length { dot += element(a, i) * element(b, i) }
                largest = max(largest, abs(dot - (a == b ? 1 : 0)))
            }
        }
        // A QR in single precision.
        #expect(largest <= 1e-5)
    }

    @Test func glorotUniformStaysWithinItsLimit() throws {
        let limit = (6.0 / Float(300 + 200)).squareRoot()
        let values = try filled(.glorotUniform(fanIn: 300, fanOut: 200), [300, 200]).array
        #expect(values.allSatisfy { abs($0) <= limit })
        #expect(values.contains { $0 > 0.99 * limit } && values.contains { $0 < -0.99 * limit })
        let mean = values.reduce(0) { $0 + Double($1) } / Double(values.count)
        let variance = values.reduce(0) { $0 + Double($1) * Double($1) } / Double(values.count)
        // Five standard errors of 60,000 numbers.
        #expect(abs(mean) <= 5 * Double(limit) / 3.0.squareRoot() / 60_000.0.squareRoot())
        #expect(abs(variance / (Double(limit * limit) / 3) - 1) <= 0.02)
    }

    @Test func forgetGatesBiasIsOne() throws {
        #expect(try filled(.unitForgetBias(units: 2), [8]).array == [0, 0, 1, 1, 0, 0, 0, 0])
        #expect(try filled(.ones, [3]).array == [1, 1, 1])
        #expect(try filled(.zeros, [3]).array == [0, 0, 0])
    }

    @Test func theSeedDecides() throws {
        let one = try filled(.orthogonal, [9, 36]).array
        #expect(try filled(.orthogonal, [9, 36]).array == one)
        #expect(try filled(.orthogonal, [9, 36], seed: 2).array != one)
    }
}

extension Buffer {
    /// A tensor of NaN whose memory stays for the rest of the test run.
    fileprivate static func kept(_ shape: Shape) -> Tensor {
        let buffer = Buffer(count: shape.count)
        _ = Unmanaged.passRetained(buffer)
        let tensor = buffer.tensor(shape)
        tensor.fill(.nan)
        return tensor
    }
}

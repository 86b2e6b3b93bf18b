import CKernels
import Foundation
import Testing
import VidTensor

/// exp, tanh and sigmoid against libm in double precision, over every 1021st float.
@Suite struct ElementaryFunctionTests {
    /// The largest distance from the exact value in units of its last place; NaN if a result is NaN.
    private func largestError(_ kernel: (UnsafePointer<Float>, UnsafeMutablePointer<Float>) -> Void, _ exact: (Double) -> Double) -> Double
    {
        let chunk = 4096
        let x = UnsafeMutablePointer<Float>.allocate(capacity: chunk)
        let y = UnsafeMutablePointer<Float>.allocate(capacity: chunk)
        defer {
            x.deallocate()
            y.deallocate()
        }
        var largest = 0.0
        for start in stride(from: UInt32(0), to: .max - UInt32(chunk) * 1021, by: chunk * 1021) {
            for i in 0..<chunk {
                let value = Float(bitPattern: start + UInt32(i) * 1021)
                x[i] = value.isFinite ? value : 0
                y[i] = .nan
            }
            kernel(x, y)
            for i in 0..<chunk {
                let expected = exact(Double(x[i]))
                let rounded = Float(expected)
                if !rounded.isFinite {
                    if y[i] != rounded { return .infinity }
                    continue
                }
                let error = abs(Double(y[i]) - expected) / Double(max(rounded.magnitude, .leastNormalMagnitude).ulp)
                if error.isNaN { return .nan }
                largest = max(largest, error)
            }
        }
        return largest
    }

    // Half an ulp is the least that rounding to a float allows. Denormal results are counted in ulp of the smallest
    // normal number, that is in the smallest denormals.

    @Test func exponential() {
        #expect(largestError({ vc_exp_array(4096, $0, $1) }, exp) <= 1)
    }

    @Test func hyperbolicTangent() {
        #expect(largestError({ vc_activation_forward(Int32(VC_TANH), 4096, $0, $1) }, tanh) <= 1.5)
    }

    @Test func sigmoid() {
        #expect(largestError({ vc_activation_forward(Int32(VC_SIGMOID), 4096, $0, $1) }, { 1 / (1 + exp(-$0)) }) <= 3)
    }

    @Test func infinitiesAndNaN() {
        let x: [Float] = [.infinity, -.infinity, .nan, 89, -104, 1e30, -1e30, 0]
        func apply(_ kind: Int) -> [Float] {
            var y = [Float](repeating: .nan, count: x.count)
            vc_activation_forward(Int32(kind), x.count, x, &y)
            return y
        }
        var e = [Float](repeating: .nan, count: x.count)
        vc_exp_array(x.count, x, &e)
        #expect(
            e[0] == .infinity && e[1] == 0 && e[2].isNaN && e[3] == .infinity && e[4] == 0 && e[5] == .infinity && e[6] == 0 && e[7] == 1)
        let t = apply(VC_TANH)
        #expect(t[0] == 1 && t[1] == -1 && t[2].isNaN && t[5] == 1 && t[6] == -1 && t[7] == 0)
        let s = apply(VC_SIGMOID)
        #expect(s[0] == 1 && s[1] == 0 && s[2].isNaN && s[5] == 1 && s[6] == 0 && s[7] == 0.5)
        let h = apply(VC_HARD_SIGMOID)
        #expect(h[0] == 1 && h[1] == 0 && h[2].isNaN && h[7] == 0.5)
        let r = apply(VC_RELU)
        #expect(r[0] == .infinity && r[1] == 0 && r[2].isNaN && r[7] == 0)
    }
}

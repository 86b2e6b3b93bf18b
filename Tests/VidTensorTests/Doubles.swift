import CKernels
import VidTensor
import VidTestSupport

/// A tensor's elements in double precision, for the reference twins.
func doubles(_ tensor: Tensor) -> [Double] { tensor.array.map(Double.init) }

/// Counts around vector lengths: one element, a few, a full vector and one more, many and not a multiple.
let oddCounts = [1, 3, 16, 17, 1000]

/// Numbers of threads at which results must have the same bits.
let threadCounts = [1, 2, 3]

extension ActivationKind {
    /// The number by which the twins know the activation.
    var number: Int32 {
        switch self {
        case .linear: Int32(VC_LINEAR)
        case .relu: Int32(VC_RELU)
        case .tanh: Int32(VC_TANH)
        case .sigmoid: Int32(VC_SIGMOID)
        case .hardSigmoid: Int32(VC_HARD_SIGMOID)
        case .relu6: Int32(VC_RELU6)
        case .silu: Int32(VC_SILU)
        case .hardSwish: Int32(VC_HARD_SWISH)
        case .hardSigmoidSixth: Int32(VC_HARD_SIGMOID_SIXTH)
        }
    }
}

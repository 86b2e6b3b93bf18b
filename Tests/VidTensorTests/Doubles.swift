import VidTensor
import VidTestSupport

/// A tensor's elements in double precision, for the reference twins.
func doubles(_ tensor: Tensor) -> [Double] { tensor.array.map(Double.init) }

/// Counts around vector lengths: one element, a few, a full vector and one more, many and not a multiple.
let oddCounts = [1, 3, 16, 17, 1000]

/// Numbers of threads at which results must have the same bits.
let threadCounts = [1, 2, 3]

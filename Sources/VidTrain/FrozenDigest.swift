import Crypto
import VidModel
import VidSystem
import VidTensor

extension Classifier {
    /// SHA-256 of the CNN's weights that are not trained, names and bits, in hexadecimal; nil where there are none. Frozen
    /// means frozen: the same before a training and after it.
    package var frozenDigest: String? {
        guard frozen != nil else { return nil }
        var hash = SHA256()
        parameters.addFrozenCNN(to: &hash)
        return hash.finalize().hexadecimal
    }
}

extension ParameterStore {
    /// Adds the CNN's weights that are not trained, names and bits.
    func addFrozenCNN(to hash: inout SHA256) {
        for slice in slices where !slice.isTrainable && slice.name.hasPrefix("cnn/") {
            hash.update(data: Array("\(slice.name) \(slice.shape)\n".utf8))
            let values = value(slice)
            hash.update(bufferPointer: UnsafeRawBufferPointer(start: values.base, count: values.count * MemoryLayout<Float>.stride))
        }
    }

    /// Whether all values are finite.
    package func isFinite(_ workers: Workers) -> Bool { Reductions.sumOfSquares(values.tensor([values.count]), workers).isFinite }
}

import Crypto
import VidConfig
import VidData
import VidModel
import VidSystem
import VidTensor

/// Makes the keys under which the output of frozen layers is kept: all that it depends on but the clip.
package struct FeatureKeys: Sendable {
    /// Raised when the same layers on the same frames come to give other bits.
    private static let version = 1

    private let network: SHA256

    /// - Parameter frozen: the layers whose output is kept, of `parameters`.
    package init(_ frozen: FrameEncoder, parameters: ParameterStore, preprocessing: PreprocessingName) {
        var hash = SHA256()
        func add(_ text: String) { hash.update(data: Array("\(text)\n".utf8)) }
        add("vidclass features \(FeatureKeys.version)")
        // The bits are those of this machine's kernels.
        add("\(BLAS.coreName) \(Machine.simdLevel)")
        add("\(preprocessing.rawValue) \(frozen.inputShape)")
        for index in frozen.layers.indices {
            let layer = frozen.layers[index]
            add("\(layer.type) \(frozen.shapes[index]) \(layer.algorithmName(frozen.inputShape(of: index)) ?? "-")")
        }
        parameters.addFrozenCNN(to: &hash)
        network = hash
    }

    /// The key of a clip whose frames, sampled as `sampling` says, have this content.
    package func key(contentHash: String, sampling: String) -> FeatureKey {
        var hash = network
        hash.update(data: Array("\(sampling)\n\(contentHash)\n".utf8))
        return FeatureKey(digest: hash.finalize().hexadecimal)
    }
}

import VidConfig
import VidData
import VidModel
import VidSystem
import VidTensor

/// Identifies features by everything that they depend on: the 64 lower-case hexadecimal digits of a SHA-256.
package struct FeatureKey: Sendable, Hashable {
    package let digest: String

    package init(digest: String) {
        precondition(FeatureKey.isHexadecimal(digest, digits: 64), "expected 64 lower-case hexadecimal digits, found \(digest)")
        self.digest = digest
    }

    /// Whether `text` consists of `digits` lower-case hexadecimal digits.
    package static func isHexadecimal(_ text: some StringProtocol, digits: Int) -> Bool {
        text.utf8.count == digits && text.utf8.allSatisfy { (0x30...0x39).contains($0) || (0x61...0x66).contains($0) }
    }
}

/// Keeps features from run to run. All methods are thread-safe; none throws, because a run can do without the cache.
package protocol FeatureCache: Sendable {
    /// Fills `features` with what is stored under `key` and returns how many of the clip's frames are not padding.
    ///
    /// Returns nil where nothing of that shape is stored or it is damaged; `features` may then hold anything.
    func load(_ key: FeatureKey, into features: Tensor) -> Int?

    /// Stores `features` (finite) for later runs. Where that fails, the run continues; the failure is reported once.
    func store(_ key: FeatureKey, _ features: Tensor, validFrames: Int)

    /// The content hash that the file at `path`, sampled as `sampling` says, had when it was last loaded; nil where the file was
    /// never loaded or has changed since.
    func contentHash(of path: String, sampling: String) -> String?

    /// Remembers the hash of what was loaded from `path` for `contentHash`, unless the file may have changed meanwhile.
    func remember(_ contentHash: String, of path: String, sampling: String)

    /// Makes what was remembered available to later runs: to be called after many clips.
    func save()
}

/// Where the outputs of frozen layers are stored.
package struct FeatureStorage: Sendable {
    /// Stores them from run to run; nil: they are not.
    package let cache: (any FeatureCache)?
    /// Whether a run holds them in memory; if not, each use loads them from the cache or runs the layers again.
    package let keepsInMemory: Bool

    package init(cache: (any FeatureCache)? = nil, keepsInMemory: Bool = true) {
        self.cache = cache
        self.keepsInMemory = keepsInMemory
    }
}

/// Makes the keys of the outputs of one network's frozen layers.
struct FeatureKeys: Sendable {
    /// Increased when the same layers and frames give other bits.
    private static let version = 3

    private let network: SHA256

    /// - Parameters:
    ///   - frozen: the frozen layers of `cnn`, whose weights are in `parameters`.
    ///   - cnn: its layers' paddings, strides, epsilons and activations are in no weight.
    init(_ frozen: FrameEncoder, of cnn: CNNConfiguration, parameters: ParameterStore, preprocessing: PreprocessingName) {
        var hash = SHA256()
        func add(_ text: String) { hash.update(Array("\(text)\n".utf8)) }
        add("vidclass features \(FeatureKeys.version)")
        // The bits depend on this machine's kernels.
        add("\(BLAS.coreName) \(Machine.simdLevel)")
        add("\(preprocessing.rawValue) \(frozen.inputShape)")
        add(Architecture.codec.encode(.layers(cnn.architecture.layers)).text())
        for index in frozen.layers.indices {
            let layer = frozen.layers[index]
            add("\(layer.type) \(frozen.shapes[index]) \(layer.algorithmName(frozen.inputShape(of: index)) ?? "-")")
        }
        parameters.addFrozenLayers(to: &hash)
        network = hash
    }

    /// The key of a clip whose frames, sampled as `sampling` says, have this content.
    func key(contentHash: String, sampling: String) -> FeatureKey {
        var hash = network
        hash.update(Array("\(sampling)\n\(contentHash)\n".utf8))
        return FeatureKey(digest: hash.digest().hexadecimal)
    }
}

extension Classifier {
    /// SHA-256 of the names and bits of the frozen weights in front of the head, in hexadecimal; nil where there are none. Training must not
    /// change it.
    package var frozenDigest: String? {
        guard frozen != nil else { return nil }
        var hash = SHA256()
        parameters.addFrozenLayers(to: &hash)
        return hash.digest().hexadecimal
    }
}

extension ParameterStore {
    /// Adds the names and bits of the CNN's frozen layers, or of the standardization of vectors. A trained layer's moving statistics
    /// are not frozen, although the optimizer leaves them alone.
    fileprivate func addFrozenLayers(to hash: inout SHA256) {
        let trained = Set(slices.filter(\.isTrainable).map(\.layer))
        for slice in slices where !trained.contains(slice.layer) && (slice.name.hasPrefix("cnn/") || slice.name.hasPrefix("input/")) {
            hash.update(Array("\(slice.name) \(slice.shape)\n".utf8))
            let values = value(slice)
            hash.update(UnsafeRawBufferPointer(start: values.base, count: values.count * MemoryLayout<Float>.stride))
        }
    }
}
